"""An input that is open, and the two things a reader makes of it: documents and rejections."""

import io
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Self, TypedDict, Unpack

from ingest.sources.about import About
from ingest.sources.edge import foreign_errors_renamed
from ingest.sources.inputs import Input
from ingest.sources.limits import Limits
from ingest.sources.look import LOOK, Head, Media
from ingest.sources.unpack import PACKINGS, packing_of, unpacked
from schemas.document import Discovered, RawDocument, Rejected, SourceKind
from schemas.errors import SourceError


class Where(TypedDict, total=False):
    """Where in the input something lies and what it is called there; see RawDocument."""

    source_member: str | None
    source_offset: int | None
    source_length: int | None
    url: str | None
    warc_record_id: str | None
    fetched_at: datetime | None


class Known(Where, total=False):
    """What else a source can know of a document; see RawDocument."""

    media: Media | None
    charset: str | None
    http_status: int | None
    http_headers: tuple[tuple[str, str], ...]
    discovered: Discovered | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """One input, open at its first byte, with its kind known."""

    source: Input
    kind: SourceKind
    #: The bytes as stored. Can always seek: what cannot (a pipe) was copied to a nameless file.
    file: BinaryIO
    #: Length of the file as stored, in bytes.
    size: int
    head: Head
    #: Where the same bytes lie on disk; None for what came through a pipe.
    path: Path | None

    def as_found(self, about: About) -> Self:
        """Give the same input for one document, with what a crawl noted of it where the catalogue says nothing."""
        said = self.source
        source = replace(
            said,
            source_id=said.source_id or about.source_id,
            publisher=said.publisher or about.publisher,
            language_prior=said.language_prior or about.language,
        )
        return replace(self, source=source)

    def content(self, limits: Limits) -> BinaryIO:
        """Give the content from its start, with compression of the whole file undone."""
        self.file.seek(0)
        if self.head.packing is None:
            return self.file
        return unpacked(PACKINGS[self.head.packing], self.file, limits)

    def document(self, content: bytes, **known: Unpack[Known]) -> RawDocument:
        """Make a document of this input."""
        rules = self.source.rules.rules_for(known.get("url")) if self.source.rules else ()
        return RawDocument(
            source_kind=self.kind,
            source_uri=self.source.uri,
            content=content,
            source_id=self.source.source_id,
            publisher=self.source.publisher,
            language_prior=self.source.language_prior,
            site_rules=rules,
            **known,
        )

    def reject(self, error: SourceError, **where: Unpack[Where]) -> Rejected:
        """Make a rejection of something in this input, or of all of it."""
        return rejected(self.source, self.kind, error, **where)


def rejected(source: Input, kind: SourceKind, error: SourceError, **where: Unpack[Where]) -> Rejected:
    """Make a rejection at the stage ``source``."""
    return Rejected(
        stage="source",
        reason=error.reason,
        detail=error.detail,
        source_kind=kind,
        source_uri=source.uri,
        source_id=source.source_id,
        **where,
    )


@contextmanager
def opened_file(source: Input) -> Iterator[BinaryIO]:
    """Open an input as a file that can seek; standard input is copied to disk first.

    Archives and Parquet keep their table of contents at the end, and a WARC is searched again
    after damage, so a pipe has to come to rest somewhere. The copy has no name and is gone
    when the reading ends.
    """
    with ExitStack() as stack:
        stream: BinaryIO
        if source.path is None:
            stream = sys.stdin.buffer
        else:
            stream = stack.enter_context(source.path.open("rb", buffering=256 * 1024))
        if source.path is None or not stream.seekable():
            copy = stack.enter_context(tempfile.TemporaryFile())
            shutil.copyfileobj(stream, copy, 1024 * 1024)
            copy.seek(0)
            stream = copy
        yield stream


def head_of(name: str, file: BinaryIO, limits: Limits) -> Head:
    """Look at the beginning of a file; damage in it shows only later, to its reader."""
    stored = file.read(LOOK)
    packing = packing_of(stored)
    data = stored
    if packing is not None:
        file.seek(0)
        data = _as_far_as_it_goes(unpacked(PACKINGS[packing], file, limits))
    file.seek(max(file.seek(0, io.SEEK_END) - LOOK, 0))
    end = file.read(LOOK)
    file.seek(0)
    return Head(name=name.lower(), stored=stored, data=data, packing=packing, end=end)


def _as_far_as_it_goes(stream: io.BufferedReader) -> bytes:
    data = bytearray()
    try:
        with foreign_errors_renamed():
            while len(data) < LOOK and (piece := stream.read1(LOOK)):
                data += piece
    except SourceError:
        pass  # what is wrong is the reader's to tell, with the place
    return bytes(data[:LOOK])
