"""What a crawl that was killed left in the raw store: cut to what is whole, named, and told to whoever keeps count."""

import base64
import os
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, Final, Literal, cast

from ingest.crawl.raw_store import ENDING, OPEN, Kept
from ingest.disk import disk_errors, sync
from ingest.sources.about import LONGEST_BLOCK, About, from_block
from ingest.sources.http import LONGEST_HEAD, parse_response
from ingest.sources.instants import instant
from ingest.sources.unpack import gzip_member
from ingest.sources.warc import next_start
from schemas.errors import SetupError

#: Of a record, as much is held as its headers and what is wanted of its block may take, in bytes.
_HELD: Final = LONGEST_BLOCK + LONGEST_HEAD
_SHA256: Final = re.compile(r"sha256:([A-Z2-7]{52}={4})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """One exchange that lies there whole."""

    type: Literal["response", "revisit", "resource"]
    url: str
    #: Aware, UTC.
    fetched_at: datetime
    kept: Kept
    about: About
    #: None for a text of a feed.
    status: int | None
    #: As they stand in the file; () for a text of a feed.
    headers: tuple[tuple[str, str], ...]
    #: Id of the record that holds the payload; None unless this is a revisit.
    refers_to: str | None

    def header(self, name: str) -> str | None:
        """Give the first header of that name, such as "etag", whatever its case."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveredFile:
    """One file that was not closed."""

    #: As in ``Kept.file``.
    file: str
    #: Those behind the place that was asked for, in their order.
    exchanges: tuple[Recovered, ...]
    #: How many bytes of a group that broke off were cut from the end.
    cut: int


def recover(folder: Path, after: Mapping[str, int] = MappingProxyType({})) -> Iterator[RecoveredFile]:
    """Mend every file that was not closed, and give what is in it.

    A file is cut behind the last record of a group that has its response, revisit or text. Damage in front of whole
    records is left as it is, for readers to report: cutting there would lose what is sound. A file is given after it was
    cut, and gets its name when the next one is asked for, so note what is in it first. Killed in between, the same file
    is given again. A file without any exchange is removed and not given.

    Nobody may be writing below the folder meanwhile.

    Args:
        folder: The raw folder.
        after: ``Kept.file`` -> the byte behind the last record that is noted already: only what follows is read.

    Raises:
        SetupError: If the disk cannot be read or written, or another file has the name already.
    """
    for path in sorted(folder.rglob(f"*{ENDING}{OPEN}")):
        final = path.with_name(path.name.removesuffix(OPEN))
        if final.exists():
            message = f"{path} cannot be named {final.name}, which is there already; move one of them away"
            raise SetupError(message)
        name = final.relative_to(folder).as_posix()
        with disk_errors(path):
            found = _mend(path, name, after.get(name, 0))
        if found is None:
            with disk_errors(path):
                path.unlink()
                sync(path.parent)
            continue
        yield found
        with disk_errors(path):
            path.replace(final)
            sync(path.parent)


def _mend(path: Path, name: str, start: int) -> RecoveredFile | None:
    """Cut a file behind its last whole group; None when there is none in it."""
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        # Shorter than what was noted: the disk lost what it said it had, so all of it has to be looked at.
        start = start if start <= size else 0
        end = start
        exchanges: list[Recovered] = []
        about: tuple[str, About] | None = None
        for record in _records(file, start, size):
            if record.type == "metadata":
                about = _about(record)
                continue
            if record.type in {"response", "revisit", "resource"}:
                if about is None or about[0] != record.headers.get("warc-record-id"):
                    continue
                if (exchange := _exchange(record, name, about[1])) is None:
                    continue
                exchanges.append(exchange)
            about = None
            if exchanges or start:
                end = record.end
        if not end:
            return None
        file.truncate(end)
        os.fsync(file.fileno())
    return RecoveredFile(file=name, exchanges=tuple(exchanges), cut=size - end)


# ---- reading ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """One record whose gzip member is whole, checksum and all."""

    type: str
    offset: int
    #: The byte behind it.
    end: int
    #: Names in lower case.
    headers: Mapping[str, str]
    #: As much of it as is held.
    block: bytes


def _records(file: BinaryIO, start: int, size: int) -> Iterator[_Record]:
    """Give the whole records of a file behind a byte.

    Only those that name the file's own warcinfo record count. In what follows a torn record anything can lie: what the
    disk held there before, or a stored page that is a WARC file itself.
    """
    first = _record(file, 0)
    own = first.headers.get("warc-record-id") if first and first.type == "warcinfo" else None
    at: int | None = start
    while at is not None and at < size:
        record = _record(file, at)
        if record is None:
            at = next_start(file, at + 1, packed=True)
            continue
        at = record.end
        own = own or record.headers.get("warc-warcinfo-id")
        if record.headers.get("warc-warcinfo-id") == own:
            yield record


def _record(file: BinaryIO, at: int) -> _Record | None:
    """Read the record that begins here; None when none does, or not a whole one."""
    file.seek(at)
    held = bytearray()
    try:
        for piece in gzip_member(file):
            held += piece[: _HELD - len(held)]
    except (EOFError, zlib.error):
        return None
    head, _, block = bytes(held).partition(b"\r\n\r\n")
    version, *lines = head.decode("utf-8", "replace").split("\r\n")
    if version != "WARC/1.1":
        return None
    pairs = (line.partition(":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    return _Record(type=headers.get("warc-type", ""), offset=at, end=file.tell(), headers=headers, block=block)


def _about(record: _Record) -> tuple[str, About] | None:
    """Read how something was found: the id of the record it is about, and the fields."""
    about = from_block(record.block)
    concurrent = record.headers.get("warc-concurrent-to")
    return (concurrent, about) if about and concurrent else None


def _exchange(record: _Record, file: str, about: About) -> Recovered | None:
    """Make an exchange of a record; None for one that this store does not write."""
    fetched_at = instant(record.headers.get("warc-date"))
    digest = _SHA256.fullmatch(record.headers.get("warc-payload-digest", ""))
    url = record.headers.get("warc-target-uri")
    if fetched_at is None or digest is None or not url:
        return None
    answer = parse_response(record.block) if record.type != "resource" else None
    return Recovered(
        type=cast("Literal['response', 'revisit', 'resource']", record.type),
        url=url,
        fetched_at=fetched_at,
        kept=Kept(
            file=file,
            offset=record.offset,
            length=record.end - record.offset,
            record_id=record.headers["warc-record-id"],
            payload_sha256=base64.b32decode(digest[1]).hex(),
        ),
        about=about,
        status=answer.status if answer else None,
        headers=answer.headers if answer else (),
        refers_to=record.headers.get("warc-refers-to"),
    )
