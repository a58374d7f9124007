"""Where documents come from: one reader per kind of input, found by looking at the content."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from ingest.sources import csv, eml, jsonl, mhtml, pages, parquet, tar, wacz, warc, zip  # noqa: A004
from ingest.sources.edge import foreign_errors_renamed
from ingest.sources.inputs import Input, find_inputs
from ingest.sources.limits import Limits
from ingest.sources.look import Head
from ingest.sources.opened import Opened, head_of, opened_file, rejected
from schemas.document import RawDocument, Rejected, SourceKind
from schemas.errors import SourceError

__all__ = ["KINDS", "START", "Input", "Kind", "Limits", "Place", "find_inputs", "read_input"]


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of input is known and read."""

    #: Looks at the first bytes, unpacked, and at the name only where bytes cannot decide.
    sniff: Callable[[Head], bool]
    #: Gives what is in it, in the order it lies there. May raise SourceError or any error of
    #: ``ingest.sources.edge`` for what broke the input as a whole.
    read: Callable[[Opened, Limits], Iterator[RawDocument | Rejected]]
    #: The same from a byte on, where a document ended; None where one must read what comes before.
    read_from: Callable[[Opened, Limits, int], Iterator[RawDocument | Rejected]] | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """How far an input was read."""

    #: Documents that it gave.
    documents: int = 0
    #: The byte behind the last of them as stored, where reading can go on from there.
    offset: int | None = None

    def behind(self, document: RawDocument | Rejected) -> "Place":
        """Give the place behind the next document."""
        is_bare = document.source_kind == "warc" and document.source_member is None
        offset = None
        if is_bare and document.source_offset is not None and document.source_length is not None:
            offset = document.source_offset + document.source_length
        return Place(self.documents + 1, offset)


START = Place()

KINDS: dict[SourceKind, Kind] = {
    "warc": Kind(warc.sniff, warc.read, warc.read_from),
    "wacz": Kind(wacz.sniff, wacz.read),
    "zip": Kind(zip.sniff, zip.read),
    "tar": Kind(tar.sniff, tar.read),
    "parquet": Kind(parquet.sniff, parquet.read),
    "mhtml": Kind(mhtml.sniff, mhtml.read),
    "eml": Kind(eml.sniff, eml.read),
    "jsonl": Kind(jsonl.sniff, jsonl.read),
    "csv": Kind(csv.sniff, csv.read),
    "html": Kind(pages.sniff_html, pages.read),
    "text": Kind(pages.sniff_text, pages.read),
}
"""Every kind, in the order they are tried: the surest signs first, "it is text" last."""


def read_input(source: Input, limits: Limits, start: Place = START) -> Iterator[RawDocument | Rejected]:
    """Give what one input holds, lazily and in the order it lies there.

    Every document comes out as a RawDocument or as a Rejected, and whatever breaks the input as
    a whole comes out as one more Rejected at the end: a broken input never stops a run. Only
    bugs of ours are raised.

    Args:
        source: What to read, and what the catalogue says of it.
        limits: How much one document may ask of us.
        start: Where an earlier reading of the same bytes came to.

    """
    passed_over = start.documents
    kind = _kind_by_name(source.uri)
    with ExitStack() as stack:
        try:
            with foreign_errors_renamed():
                file = stack.enter_context(opened_file(source))
                head = head_of(source.uri.rpartition("/")[2], file, limits)
                size = file.seek(0, 2)
                file.seek(0)
                sniffed = next((name for name, one in KINDS.items() if one.sniff(head)), None)
                kind = sniffed or kind
                opened = Opened(
                    source=source,
                    kind=kind,
                    file=file,
                    size=size,
                    head=head,
                    path=source.path if source.path and source.path.is_file() else None,
                )
                if sniffed is None:
                    pages.refuse(opened, limits)
                read_from = KINDS[sniffed].read_from
                if start.offset is not None and read_from is not None:
                    passed_over = 0
                    yield from read_from(opened, limits, start.offset)
                else:
                    for document in KINDS[sniffed].read(opened, limits):
                        if passed_over:
                            passed_over -= 1
                        else:
                            yield document
        except SourceError as error:
            if not passed_over:
                yield rejected(source, kind, error)


def _kind_by_name(uri: str) -> SourceKind:
    """Guess what an input that nothing can be seen of was meant to be."""
    return "html" if ".htm" in uri.rpartition("/")[2].lower() else "text"
