"""Exchanges as a crawl keeps them, and the stored files as other readers see them."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from fastwarc.warc import ArchiveIterator as FastIterator
from warcio.archiveiterator import ArchiveIterator as WarcioIterator

from ingest.crawl.raw_store import Exchange, Kept, RawStore
from ingest.sources.about import About, Kind

AT = datetime(2026, 1, 7, 3, 0, 0, 250_000, tzinfo=UTC)
SOFTWARE = {"babelwire": "0.9", "Scrapy": "2.19"}
STORY = "".join(f"<p>The ferry came back to the quay on day {day}, and everybody went aboard." for day in range(12))
PAGE = f"<html><head><title>Ferry</title></head><body><article>{STORY}</article></body></html>".encode()


def about(kind: Kind = "page", **known: object) -> About:
    given: dict[str, object] = {
        "source_id": "nea-akti",
        "publisher": "Nea Akti",
        "language": "el",
        "found_in": "https://nea-akti.example/feed",
    }
    return replace(About(kind=kind, source_id=""), **(given | known))  # type: ignore[arg-type]


def exchange(number: int = 1, body: bytes = PAGE, **other: object) -> Exchange:
    made = Exchange(
        url=f"https://nea-akti.example/{number}",
        fetched_at=AT,
        ip="192.0.2.7",
        request=f"GET /{number} HTTP/1.1\r\nHost: nea-akti.example\r\n\r\n".encode(),
        status=200,
        reason="OK",
        headers=(("Content-Type", "text/html; charset=utf-8"), ("ETag", f'"{number}"')),
        body=body,
        truncated=None,
        about=about(guid=f"tag:{number}"),
    )
    return replace(made, **other)  # type: ignore[arg-type]


def stored(folder: Path, exchanges: Sequence[Exchange], name: str = "night") -> list[Kept]:
    """Keep exchanges in one file below a folder, and close it."""
    with RawStore.open(folder, name, software=SOFTWARE) as store:
        return [store.write(one) for one in exchanges]


class Read(NamedTuple):
    """A record as warcio reads it."""

    type: str
    headers: Mapping[str, str]
    #: Status line and headers of the stored response; None without.
    status: str | None
    http: tuple[tuple[str, str], ...]
    content: bytes


def by_warcio(data: bytes) -> list[Read]:
    """Read a file with warcio; every digest must be right."""
    found = []
    for record in WarcioIterator(io.BytesIO(data), check_digests="raise"):
        http = record.http_headers
        raw = record.raw_stream.read()
        # warcio does not look at the digests of a revisit.
        assert record.digest_checker.passed or record.rec_type == "revisit"
        headers = dict(record.rec_headers.headers)
        found.append(Read(record.rec_type, headers, http and http.statusline, tuple(http.headers if http else ()), raw))
    return found


def by_fastwarc(data: bytes) -> list[tuple[str, int]]:
    """Read a file with fastwarc; every digest must be right. Gives type and offset."""
    found = []
    for record in FastIterator(io.BytesIO(data), parse_http=False):
        assert record.verify_block_digest()
        found.append((str(record.record_type), record.stream_pos))
    for record in FastIterator(io.BytesIO(data), parse_http=True):
        if str(record.record_type) == "response":
            assert record.verify_payload_digest()
    return found
