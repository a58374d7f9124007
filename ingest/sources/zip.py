"""ZIP archives of pages, and how a member of any ZIP is had (``ingest.sources.wacz`` builds on it)."""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, BinaryIO

from ingest.sources import pages
from ingest.sources.edge import foreign_errors_renamed
from ingest.sources.limits import Limits
from ingest.sources.look import Head
from ingest.sources.opened import Opened
from ingest.sources.unpack import deflate_body, read_whole, unpacked
from schemas.document import RawDocument, Rejected
from schemas.errors import SourceError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_LOCAL = b"PK\x03\x04"
#: Length of what stands in front of a member, without its name, in bytes.
_HEADER = 30
#: Packing methods that Python's zipfile knows: stored, deflate, bzip2, LZMA.
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}
#: How often an archive without its end may be read over, and bytes that may be read in vain of any.
_IN_VAIN, _IN_VAIN_AT_LEAST = 10, 1_000_000
_ENCRYPTED, _SIZE_COMES_LATER = 1, 8

#: Members by which formats that are ZIP inside can be known, and that hold no pages.
_NO_ARCHIVE = {
    "[Content_Types].xml": "an Office document (docx, xlsx, pptx)",
    "META-INF/MANIFEST.MF": "a Java program",
    "AndroidManifest.xml": "an Android program",
}


def sniff(head: Head) -> bool:
    """Say whether this begins as a ZIP does, one without members included."""
    return head.packing is None and head.data.startswith((_LOCAL, b"PK\x05\x06"))


def read(opened: Opened, limits: Limits) -> Iterator[RawDocument | Rejected]:
    """Give one document for each file in the archive, in the order they lie there.

    Folders, links and hidden members are none. An archive whose end is missing has no table of
    contents; what stands in it is read from the start then.

    Raises:
        SourceError: ``truncated`` or ``damaged`` when the table of contents cannot be had.

    """
    try:
        archive = opened_archive(opened)
    except SourceError:
        yield from _salvaged(opened, limits)
        raise
    members = sorted(archive.infolist(), key=lambda member: member.header_offset)
    names = {member.filename for member in members}
    if what := next((said for name, said in _NO_ARCHIVE.items() if name in names), None):
        raise SourceError(reason="binary", detail=f"the archive is {what}")
    end = 0  # of the last member that was read
    for member in members:
        # Not is_dir(): it fails on a member without a name, which is a file like any other.
        if member.filename.endswith("/") or stat.S_ISLNK(member.external_attr >> 16):
            continue
        if pages.is_hidden(member.filename):
            continue
        name = shown(member.filename) or None
        try:
            with foreign_errors_renamed():
                content = _content(archive, member, limits, behind=end)
                end = end_of(member)
        except SourceError as error:
            yield opened.reject(error, source_member=name)
            continue
        yield pages.member(opened, content, limits, source_member=name)


def opened_archive(opened: Opened) -> zipfile.ZipFile:
    """Read the table of contents.

    Raises:
        SourceError: ``truncated`` when the end of the archive is missing, ``damaged`` when it makes no sense.

    """
    try:
        with foreign_errors_renamed(), _unknown_features_named():
            return zipfile.ZipFile(opened.file)
    except SourceError as error:
        reason = "damaged" if _has_end(opened.file, opened.size) else "truncated"
        raise SourceError(reason, f"no table of contents: {error.detail}") from error


def check_member(member: zipfile.ZipInfo, limits: Limits, *, behind: int) -> None:
    """Refuse a member that cannot be had, or not for what it claims to be; its size is not looked at.

    Args:
        member: As the table of contents has it.
        limits: How much it may grow.
        behind: Where the member before it ends, in bytes.

    Raises:
        SourceError: ``damaged``, ``encrypted``, ``unsupported`` or ``bomb``.

    """
    if member.header_offset < behind:
        # Thousands of members may share their bytes, each sound for itself: an archive of 10 MB that holds a terabyte.
        raise SourceError(reason="damaged", detail="it begins inside of the member before it")
    if member.flag_bits & _ENCRYPTED:
        raise SourceError(reason="encrypted", detail="the member needs a password; unpack the archive first")
    if member.compress_type not in _METHODS:
        what = f"packing method {member.compress_type} is not one Python knows; pack it anew"
        raise SourceError(reason="unsupported", detail=what)
    limits.check_ratio(unpacked=member.file_size, packed=member.compress_size)


@contextmanager
def opened_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[IO[bytes]]:
    """Open a member that was checked. It never gives more than its stated size, so the checks hold for what comes."""
    with _unknown_features_named(), archive.open(member) as stream:
        yield stream


def end_of(member: zipfile.ZipInfo) -> int:
    """Say up to where a member reaches at least, in bytes."""
    return member.header_offset + _HEADER + member.compress_size


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo, limits: Limits, *, behind: int) -> bytes:
    check_member(member, limits, behind=behind)
    limits.check_size(member.file_size)
    with opened_member(archive, member) as stream:
        return read_whole(stream, limits)


@contextmanager
def _unknown_features_named() -> Iterator[None]:
    """Say what Python's zipfile cannot read: patched data, strong encryption, a version yet to come."""
    try:
        yield
    except NotImplementedError as error:
        raise SourceError(reason="unsupported", detail=f"Python cannot read it: {error}; pack it anew") from error


def shown(name: str) -> str:
    """Show a name: not each of them has a form in UTF-8."""
    return name.encode("utf-8", "backslashreplace").decode()


# --- Members that are stored as they are.


def stored_part(file: BinaryIO, at: int, size: int | None = None) -> tuple[int, io.BufferedReader]:
    """Give a member that is not packed as a file of its own, and where it begins in the archive.

    Args:
        file: The archive.
        at: Where the header in front of the member begins.
        size: Of the member in bytes; None: to the end of the archive.

    Raises:
        SourceError: ``damaged`` when no header stands there.

    """
    file.seek(at)
    header = file.read(_HEADER)
    if len(header) < _HEADER or not header.startswith(_LOCAL):
        raise SourceError(reason="damaged", detail=f"no member header at byte {at}")
    start = at + _HEADER + sum(struct.unpack("<HH", header[26:30]))
    size = max(file.seek(0, io.SEEK_END) - start, 0) if size is None else size
    return start, io.BufferedReader(_Part(file, start, size), 256 * 1024)


class _Part(io.RawIOBase):
    """A stretch of a file, as a file of its own."""

    def __init__(self, whole: BinaryIO, start: int, size: int) -> None:
        self._whole, self._start, self._size, self._at = whole, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        begin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(begin + offset, 0)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: "WriteableBuffer") -> int:
        target = memoryview(buffer).cast("B")
        self._whole.seek(self._start + self._at)
        data = self._whole.read(max(min(len(target), self._size - self._at), 0))
        target[: len(data)] = data
        self._at += len(data)
        return len(data)


# --- Archives that lost their end.


def _has_end(file: BinaryIO, size: int) -> bool:
    file.seek(max(size - 66_000, 0))  # the end record and the longest comment behind it
    return b"PK\x05\x06" in file.read()


def _salvaged(opened: Opened, limits: Limits) -> Iterator[RawDocument | Rejected]:
    """Read members by the headers in front of them, as far as they are whole."""
    at = next_header(opened.file, 0)
    in_vain = 0  # bytes read of members that turned out to be none
    while at is not None:
        opened.file.seek(at)
        name = None
        try:
            with foreign_errors_renamed():
                name, content = _local_member(opened.file, opened.size, limits)
        except SourceError as error:
            # Cut off is what the archive is; that is said once, for the whole of it.
            if error.reason not in {"truncated", "passed_over"}:
                yield opened.reject(error, source_member=name)
            stopped = opened.file.tell()
            in_vain += stopped - at
            # Headers that each claim the rest of the file would have us read it once for each of them.
            is_endless = in_vain > _IN_VAIN * opened.size + _IN_VAIN_AT_LEAST
            at = next_header(opened.file, max(stopped, at + len(_LOCAL)) if is_endless else at + len(_LOCAL))
            continue
        end = opened.file.tell()
        yield pages.member(opened, content, limits, source_member=name or None)
        at = next_header(opened.file, end)


def _local_member(file: BinaryIO, size: int, limits: Limits) -> tuple[str, bytes]:
    header = file.read(_HEADER)
    if len(header) < _HEADER:
        message = "the archive ends inside a member's header"
        raise EOFError(message)
    fields = struct.unpack("<4sHHHHHIIIHH", header)
    flags, method, crc, packed, length = fields[2], fields[3], *fields[6:9]
    name = shown(file.read(fields[9]).decode("utf-8" if flags & 0x800 else "cp437", "replace"))
    file.seek(fields[10], io.SEEK_CUR)
    begin = file.tell()
    if name.endswith("/") or pages.is_hidden(name):
        raise SourceError(reason="passed_over", detail=name)
    later = bool(flags & _SIZE_COMES_LATER)
    if flags & _ENCRYPTED:
        raise SourceError(reason="encrypted", detail=f"{name} needs a password")
    if method == zipfile.ZIP_DEFLATED:
        content = read_whole(unpacked(deflate_body, file, limits), limits)
    elif method == zipfile.ZIP_STORED and not later:
        if begin + packed > size:
            message = "the archive ends inside a member"
            raise EOFError(message)
        limits.check_size(packed)
        content = file.read(packed)
    else:
        what = f"{name}: packing method {method} cannot be read without a table of contents"
        raise SourceError(reason="unsupported", detail=what)
    if not later and (zlib.crc32(content) != crc or len(content) != length):
        raise SourceError(reason="damaged", detail=f"{name}: the checksum does not fit")
    return name, content


def next_header(file: BinaryIO, start: int) -> int | None:
    """Find the next member's header; its place in the file, or None."""
    gulp = 1024 * 1024
    while True:
        file.seek(start)
        data = file.read(gulp)
        found = data.find(_LOCAL)
        if found >= 0:
            return start + found
        if len(data) < gulp:
            return None
        start += gulp - len(_LOCAL) + 1
