"""From a record back to the bytes it was made of: found, read again, and held against the digest of that day."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from itertools import islice
from pathlib import Path
from typing import Final

import polars as pl

from ingest.query import open_tables
from ingest.sources import START, Input, Limits, Place, read_input
from ingest.sources.inputs import STANDARD_INPUT
from schemas.document import RawDocument, Rejected
from schemas.errors import SetupError

#: Kinds of which one file is one document.
_WHOLE_FILES: Final = frozenset({"html", "text", "mhtml", "eml"})

_URN: Final = re.compile(r"^<?(?:urn:uuid:)?([^<>]*)>?$", re.IGNORECASE)

#: How many documents an error lists.
_LISTED: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """What a row of an output says of where its document lies; see ``schemas.record``."""

    #: The run that wrote it; any run's word for a place is as good.
    run_id: str = field(compare=False)
    source_kind: str
    source_uri: str
    source_member: str | None
    source_offset: int | None
    source_length: int | None
    #: None where the document could not even be read.
    raw_sha256: str | None
    warc_record_id: str | None

    @property
    def place(self) -> str:
        """File, offset, length and member, as far as they are known, for people."""
        parts = [self.source_uri]
        if self.source_offset is not None:
            parts.append(f"offset {self.source_offset}")
        if self.source_length is not None:
            parts.append(f"length {self.source_length}")
        if self.source_member is not None:
            parts.append(f"member {self.source_member}")
        # Names of members come from whoever made the archive.
        return "".join(char if char.isprintable() else "?" for char in ", ".join(parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """The bytes, and where they lay."""

    pointer: Pointer
    #: The document as its digest has it, or its record as stored.
    content: bytes

    @property
    def sentence(self) -> str:
        """Say in one line what was found."""
        digest = f"sha256 {self.pointer.raw_sha256} ok" if self.pointer.raw_sha256 else "no sha256 to check"
        return f"{self.pointer.place}, {digest}"


def read_raw(root: Path, name: str, limits: Limits, *, as_stored: bool = False) -> Raw:
    """Give the bytes behind one record.

    Args:
        root: The output folder of runs.
        name: ``record_id``, or ``raw_sha256`` or ``warc_record_id``, by which quarantined documents are found as well.
        limits: How much one document may ask of us.
        as_stored: Give the record as it lies in its file, compressed where it is, and not the document. Its digest is
            checked all the same.

    Raises:
        SetupError: The name is unknown or that of several documents; the file is gone or does not hold the document any
            more; it has no bytes of its own there.
    """
    pointers = _find(root, name)
    failed: SetupError | None = None
    # The same document may lie in several files, or in one that was moved between two runs.
    for pointer in pointers:
        try:
            path = _file_of(pointer)
            if as_stored and pointer.raw_sha256 is None:
                return Raw(pointer=pointer, content=_stored(pointer, path))
            content = _checked(pointer, path, limits)
            return Raw(pointer=pointer, content=_stored(pointer, path) if as_stored else content)
        except SetupError as error:
            failed = failed or error
    raise failed or AssertionError


def _find(root: Path, name: str) -> list[Pointer]:
    """Give the places of one document, those of the newest run first."""
    tables = open_tables(root)
    wanted = name.strip()
    bare = _URN.sub(r"\1", wanted).lower()
    warc_id = pl.col("warc_record_id").str.strip_chars("<>").str.to_lowercase().str.strip_prefix("urn:uuid:")
    is_named = pl.col("raw_sha256").eq(bare) | warc_id.eq(bare)
    for table, is_wanted in (("articles", pl.col("record_id").eq(bare) | is_named), ("quarantine", is_named)):
        rows = tables[table].filter(is_wanted).sort("run_date", descending=True, maintain_order=True)
        try:
            found = rows.select(each.name for each in fields(Pointer)).collect()
        except FileNotFoundError as error:
            message = f"{error} is listed in a manifest below {root / 'runs'}; restore it from a copy"
            raise SetupError(message) from error
        pointers = [Pointer(**row) for row in found.to_dicts()]
        if len({pointer.raw_sha256 or pointer.place for pointer in pointers}) > 1:
            places = list(dict.fromkeys(f"  {pointer.place}: {pointer.raw_sha256}" for pointer in pointers))
            more = [f"  and {len(places) - _LISTED} more"] if len(places) > _LISTED else []
            listed = "\n".join([*places[:_LISTED], *more])
            message = f'"{wanted}" names several documents; choose one by its raw_sha256:\n{listed}'
            raise SetupError(message)
        if pointers:
            return list(dict.fromkeys(pointers))
    message = (
        f'no record and no quarantined document of {root} is called "{wanted}"; name a record_id, raw_sha256 or '
        f"warc_record_id, as babelwire query shows them"
    )
    raise SetupError(message)


def _file_of(pointer: Pointer) -> Path:
    if pointer.source_uri == STANDARD_INPUT:
        message = f"run {pointer.run_id} read this document from standard input, which nobody kept"
        raise SetupError(message)
    path = Path(pointer.source_uri)
    if not path.is_file():
        message = (
            f'the file "{pointer.source_uri}" of run {pointer.run_id} is not there; bring it back, or go to the folder '
            f"that the run was started in (you are in {Path.cwd()})"
        )
        raise SetupError(message)
    try:
        path.open("rb").close()
    except OSError as error:
        message = f'the file "{pointer.source_uri}" cannot be read ({error.strerror}); check your rights'
        raise SetupError(message) from error
    return path


def _checked(pointer: Pointer, path: Path, limits: Limits) -> bytes:
    """Read the document again; its bytes must be those of that day."""
    others: list[str] = []
    refusals: list[str] = []
    for document in _at(pointer, path, limits):
        if isinstance(document, Rejected):
            refusals.append(f"{document.reason}: {document.detail}")
            continue
        sha256 = hashlib.sha256(document.content).hexdigest()
        if sha256 == pointer.raw_sha256:
            return document.content
        others.append(sha256)
    run = f"{pointer.place}: run {pointer.run_id}"
    if pointer.raw_sha256 is None:
        why = refusals[0] if refusals else "nothing lies there now"
        message = f"{run} could not read this document ({why}); --record gives what is stored"
    elif others:
        message = (
            f"{run} read a document with SHA-256 {pointer.raw_sha256} there, and what lies there now has {others[0]}: "
            f"the file has changed; bring back the one of that day"
        )
    elif refusals:
        message = (
            f"{run} read a document with SHA-256 {pointer.raw_sha256} there, and it is refused now ({refusals[0]}); "
            f"bring back the file of that day, or the [limits] of that run"
        )
    else:
        message = (
            f"{run} read a document with SHA-256 {pointer.raw_sha256} there, and none begins there now: "
            f"the file has changed; bring back the one of that day"
        )
    raise SetupError(message)


def _at(pointer: Pointer, path: Path, limits: Limits) -> Iterator[RawDocument | Rejected]:
    """Give what lies at a place now: one document, or several where members have the same name."""
    source = Input(path=path, uri=pointer.source_uri)
    goes_straight = (
        pointer.source_kind == "warc" and pointer.source_member is None and pointer.source_length is not None
    )
    start = Place(offset=pointer.source_offset) if goes_straight else START
    documents = read_input(source, limits, start)
    for document in islice(documents, 1) if goes_straight else documents:
        there = (document.source_member, document.source_offset, document.source_length)
        if there == (pointer.source_member, pointer.source_offset, pointer.source_length):
            yield document


def _stored(pointer: Pointer, path: Path) -> bytes:
    """Read a record as it lies in its file."""
    if pointer.source_offset is None or pointer.source_length is None:
        if pointer.source_kind in _WHOLE_FILES:
            return path.read_bytes()
        message = (
            f"{pointer.place}: it has no bytes of its own there, only packed together with others; leave --record out"
        )
        raise SetupError(message)
    with path.open("rb") as file:
        file.seek(pointer.source_offset)
        return file.read(pointer.source_length)
