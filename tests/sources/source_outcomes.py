"""Look at what a source gave."""

import hashlib
import io
from collections.abc import Callable, Iterable

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from schemas.document import RawDocument, Rejected

Outcomes = list[RawDocument | Rejected]

Read = Callable[..., Outcomes]
"""Takes a file name, bytes and perhaps limits; gives what the source made of it."""


def noise(seed: int, count: int) -> bytes:
    """Give bytes that look random and are the same every time."""
    return hashlib.shake_128(seed.to_bytes(8)).digest(count)


def the_document(outcomes: Outcomes) -> RawDocument:
    """Give the one document, and fail when there is anything else."""
    (only,) = outcomes
    assert isinstance(only, RawDocument), only
    return only


def the_rejection(outcomes: Outcomes) -> Rejected:
    """Give the one rejection, and fail when there is anything else."""
    (only,) = outcomes
    assert isinstance(only, Rejected), only
    assert only.stage == "source"
    return only


def documents(outcomes: Iterable[RawDocument | Rejected]) -> list[RawDocument]:
    return [one for one in outcomes if isinstance(one, RawDocument)]


def rejections(outcomes: Iterable[RawDocument | Rejected]) -> list[Rejected]:
    return [one for one in outcomes if isinstance(one, Rejected)]


def summary(outcomes: Outcomes) -> list[str]:
    """Give each outcome as its member or its reason, in order."""
    return [one.reason if isinstance(one, Rejected) else str(one.source_member) for one in outcomes]


def warc_of(pages: list[str], *, packed: bool = True) -> bytes:
    """Write responses the way warcio does."""
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=packed)
    for number, page in enumerate(pages):
        head = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
        record = writer.create_warc_record(
            f"https://example.org/{number}",
            "response",
            payload=io.BytesIO(page.encode()),
            http_headers=head,
            warc_headers_dict={"WARC-Date": "2024-05-01T08:00:00Z"},
        )
        writer.write_record(record)
        record.raw_stream.close()  # warcio's temporary file
    return out.getvalue()
