"""Tar archives of pages, walked forward block by block, packed or not.

``tarfile`` reads the headers. It does not walk: in the middle of an archive it takes a damaged
header for the end and says nothing, and here nothing may get lost in silence.
"""

import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from ingest.sources import pages
from ingest.sources.limits import Limits
from ingest.sources.look import Head, media_of
from ingest.sources.opened import Opened, Where
from schemas.document import RawDocument, Rejected
from schemas.errors import SourceError

_BLOCK = tarfile.BLOCKSIZE
_GULP = 1024 * 1024
#: What stands in a header, and where in it.
_MAGIC, _MAGIC_AT = b"ustar", 257
#: Members that say something of the next one: GNU's long name, pax records.
_EXTRA = {tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE}
#: A member with a long name has it in an extra member; no path needs more, in bytes.
_LONGEST_NAME = 1024 * 1024


def sniff(head: Head) -> bool:
    """Say whether this begins with a header, even a damaged one, or is named like a tar."""
    start = head.data[:_BLOCK]
    if _header(start) is not None or start[_MAGIC_AT:].startswith(_MAGIC):
        return True
    is_named = head.named(".tar", ".tgz", ".tbz2", ".txz", ".tzst")
    return is_named and bool(head.data) and media_of(head.data) is None


def read(opened: Opened, limits: Limits) -> Iterator[RawDocument | Rejected]:
    """Give one document for each regular file in the archive, in the archive's order.

    Directories, links, devices and hidden members are none. After a damaged header, reading
    goes on at the next one that is sound.

    Raises:
        SourceError: ``truncated`` when the end is missing; what is there is given first.

    """
    tape = _Tape(opened.content(limits))
    # Places in packed data help nobody: there is no way to go there.
    has_places = opened.head.packing is None
    for member in _members(tape):
        where: Where = {"source_member": member.name or None}
        if has_places:
            where |= {"source_offset": member.offset, "source_length": member.size}
        if member.problem is not None:
            yield opened.reject(member.problem, **where)
            continue
        try:
            limits.check_size(member.size)
        except SourceError as error:
            tape.skip(_padded(member.size))
            yield opened.reject(error, **where)
            continue
        content = tape.exactly(member.size)
        tape.skip(_padded(member.size) - member.size)
        yield pages.member(opened, content, limits, **where)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Member:
    #: None for a stretch of damage; "" when it was given none.
    name: str | None
    #: Where its data lies, in bytes from the start of the tar.
    offset: int
    size: int
    #: Why it is no document; its data is passed over already.
    problem: SourceError | None = None


class _Tape:
    """A stream that knows where it stands and can take a little back."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._back = b""
        self._passed = b""  # the last bytes read, for going back
        #: Bytes from the start.
        self.at = 0

    def read(self, count: int) -> bytes:
        data = self._back[:count]
        self._back = self._back[count:]
        if len(data) < count:
            data += self._stream.read(count - len(data))
        self.at += len(data)
        self._passed = (self._passed + data[-2 * _BLOCK :])[1 - 2 * _BLOCK :]
        return data

    def go_back(self) -> None:
        """Go back over the block just read, and before it by too little to be a header again."""
        self.take_back(self._passed)

    def take_back(self, data: bytes) -> None:
        self._back = data + self._back
        self._passed = b""
        self.at -= len(data)

    def is_at_end(self) -> bool:
        self._back = self._back or self._stream.read(1)
        return not self._back

    def exactly(self, count: int) -> bytes:
        data = self.read(count)
        if len(data) < count:
            message = f"a member needs {count} bytes more and {len(data)} are left"
            raise EOFError(message)
        return data

    def skip(self, count: int) -> None:
        while count:
            count -= len(self.exactly(min(count, _GULP)))


def _members(tape: _Tape) -> Iterator[_Member]:
    """Walk the headers. The caller takes each member's data (padded) before it asks for more."""
    said: dict[str, str] = {}  # what extra members say of the next one
    has_end = False
    while block := tape.read(_BLOCK):
        if not block.strip(b"\0"):
            has_end = True
            continue
        info = _header(block)
        if info is None:
            damage = _damage(tape, block)
            if tape.is_at_end() and has_end:
                return  # what stands behind the end mark is no member
            yield damage
            if tape.is_at_end():
                return
            said = {}
        elif info.type in _EXTRA:
            said |= _extra(tape, info)
        else:
            yield from _member(tape, info, said)
            said = {}
    if not has_end:
        message = f"no end mark after {tape.at} bytes; the archive may have been cut off there"
        raise EOFError(message)


def _member(tape: _Tape, info: tarfile.TarInfo, said: dict[str, str]) -> Iterator[_Member]:
    """Give a member if it is a file that counts; else pass over its data."""
    # Not isdigit(): "²" is one, and int() knows no such number.
    size = int(said["size"]) if re.fullmatch(r"[0-9]{1,18}", said.get("size", "")) else info.size
    name = _shown(said.get("path", info.name))
    if info.isdir() or info.issym() or info.islnk() or info.isdev():
        return  # no data follows, whatever size is stated
    if not info.isreg() or pages.is_hidden(name):
        tape.skip(_padded(size))
    elif info.type == tarfile.GNUTYPE_SPARSE or "GNU.sparse.major" in said:
        offset = tape.at
        tape.skip(_padded(size))
        problem = SourceError(reason="unsupported", detail="sparse file; pack it again without --sparse")
        yield _Member(name=name, offset=offset, size=size, problem=problem)
    else:
        yield _Member(name=name, offset=tape.at, size=size)


def _damage(tape: _Tape, block: bytes) -> _Member:
    """Pass over what is no header and say so.

    Raises:
        EOFError: If it would have been one, but the archive ends in it.

    """
    if len(block) < _BLOCK:
        message = f"the archive ends inside a header at byte {tape.at}"
        raise EOFError(message)
    start = tape.at - _BLOCK
    # Where bytes got lost before this place, the next header's start was taken for data.
    tape.go_back()
    _to_next_header(tape)
    start = min(start, tape.at)
    problem = SourceError(reason="damaged", detail=f"no sound tar header in bytes {start} to {tape.at}")
    return _Member(name=None, offset=start, size=tape.at - start, problem=problem)


def _header(block: bytes) -> tarfile.TarInfo | None:
    """Read a header; None when it is none or damaged."""
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.HeaderError, ValueError):  # ValueError: numbers that are none
        return None
    return info if info.size >= 0 else None


def _to_next_header(tape: _Tape) -> None:
    """Go to the next sound header, wherever it lies; bytes may have got lost before it."""
    while data := tape.read(_GULP):
        found = data.find(_MAGIC, _MAGIC_AT)
        while found >= 0:
            start = found - _MAGIC_AT
            block = data[start : start + _BLOCK]
            if len(block) < _BLOCK:
                block += (more := tape.read(_BLOCK - len(block)))
                data += more
            if _header(block) is not None:
                tape.take_back(data[start:])
                return
            found = data.find(_MAGIC, found + 1)
        if len(data) < _BLOCK:
            return
        kept = data[-(_BLOCK - 1) :]  # a header may begin in here
        if not (more := tape.read(1)):
            return
        tape.take_back(kept + more)


def _extra(tape: _Tape, info: tarfile.TarInfo) -> dict[str, str]:
    """Read an extra member: a long name (GNU) or pax records for the next one."""
    if info.size > _LONGEST_NAME:
        tape.skip(_padded(info.size))
        return {}
    data = tape.exactly(_padded(info.size))[: info.size]
    if info.type == tarfile.GNUTYPE_LONGNAME:
        return {"path": data.rstrip(b"\0").decode("utf-8", "surrogateescape")}
    said: dict[str, str] = {}
    while data:
        # Each record is "LENGTH KEY=VALUE\n", its own length counted (POSIX pax).
        length, _, _ = data.partition(b" ")
        if not re.fullmatch(rb"[0-9]{1,18}", length) or not len(length) < int(length) <= len(data):
            break
        record, data = data[len(length) + 1 : int(length) - 1], data[int(length) :]
        key, _, value = record.partition(b"=")
        said[key.decode("utf-8", "replace")] = value.decode("utf-8", "surrogateescape")
    return said


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _shown(name: str) -> str:
    # Names are bytes; what is not UTF-8 is shown, since a record cannot hold it.
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
