"""Undo compression in small pieces, so that no input can decide how much memory we use.

Every algorithm is one generator: it takes a file, yields unpacked pieces of bounded size, raises
EOFError when the data ends too early and the library's own error when it is wrong. ``Unpacked``
makes a file of the pieces and watches the ratio.
"""

import bz2
import io
import lzma
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING, BinaryIO, Literal

import brotli
import zstandard

from ingest.sources.limits import Limits

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Packing = Literal["gz", "bz2", "xz", "zst"]
"""How a file may be packed as a whole."""

Pieces = Callable[[BinaryIO], Iterator[bytes]]
"""Takes a file at the start of packed data; yields what comes out, about 1 MB at most at once."""

#: Read at once. Small, because a ratio is judged by what was read: 16 KB of zeros blown up
#: would hide inside a larger gulp.
_GULP = 16 * 1024
#: Handed on at once, in bytes.
_PIECE = 1024 * 1024
#: Bits of zlib's window, plus what it shall expect around the data (zlib.decompressobj).
_GZIP, _ZLIB, _DEFLATE = 31, 15, -15

_GZIP_START = b"\x1f\x8b\x08"
_ZSTD_START = b"\x28\xb5\x2f\xfd"
#: The largest window RFC 8878 asks readers to support is 8 MB; ``zstd --long`` writes 128 MB.
_ZSTD_WINDOW = 128 * 1024 * 1024


def packing_of(start: bytes) -> Packing | None:
    r"""Say how data that begins like this is packed, or None.

    >>> packing_of(b"\x1f\x8b\x08\x00"), packing_of(b"<html>")
    ('gz', None)
    """
    if start.startswith(_GZIP_START):
        return "gz"
    # A block's mark, or at once the mark of the end.
    if start.startswith(b"BZh") and start[4:10] in {b"1AY&SY", b"\x17rE8P\x90"}:
        return "bz2"
    if start.startswith(b"\xfd7zXZ\x00"):
        return "xz"
    if start.startswith(_ZSTD_START):
        return "zst"
    return None


class Unpacked(io.RawIOBase):
    """What comes out of a packed file, as a file to be read once from start to end.

    Reading raises what the generator raises, and SourceError with reason ``bomb`` once the data
    grows more than ``limits.max_ratio`` allows.
    """

    def __init__(self, pieces: Pieces, stored: BinaryIO, limits: Limits) -> None:
        """Begin where ``stored`` stands now; nothing is read yet."""
        self._stored = stored
        self._start = stored.tell()
        self._pieces = pieces(stored)
        self._limits = limits
        self._rest = memoryview(b"")
        self._given = 0

    def readable(self) -> bool:
        """Say yes: that is all this file can do."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill the buffer as far as the piece at hand goes; 0 is the end."""
        target = memoryview(buffer).cast("B")
        while not self._rest:
            piece = next(self._pieces, None)
            self._given += len(piece or b"")
            packed = self._stored.tell() - self._start
            self._limits.check_ratio(unpacked=self._given, packed=packed)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def unpacked(pieces: Pieces, stored: BinaryIO, limits: Limits) -> io.BufferedReader:
    """Give the unpacked data as a buffered file, watched by the limits."""
    return io.BufferedReader(Unpacked(pieces, stored, limits), 64 * 1024)


def read_whole(stream: IO[bytes], limits: Limits) -> bytes:
    """Read one document to its end.

    Raises:
        SourceError: With reason ``too_large``, before more than the allowed bytes are held.

    """
    content = stream.read(limits.max_bytes + 1)
    limits.check_size(len(content), at_least=True)
    return content


def gzip_member(stored: BinaryIO) -> Iterator[bytes]:
    """Unpack one gzip member and leave the file at the first byte after it."""
    yield from _inflate(stored, _GZIP)


def gzip_file(stored: BinaryIO) -> Iterator[bytes]:
    """Unpack all gzip members to the end of the file; zeros behind them are padding."""
    yield from gzip_member(stored)
    while following := stored.read(3):
        if following.strip(b"\0"):
            stored.seek(-len(following), io.SEEK_CUR)
            yield from gzip_member(stored)


def gzip_body(stored: BinaryIO) -> Iterator[bytes]:
    """Unpack gzip as browsers do: what follows the last member is not looked at."""
    yield from gzip_member(stored)
    while stored.read(3) == _GZIP_START:
        stored.seek(-3, io.SEEK_CUR)
        yield from gzip_member(stored)


def zlib_body(stored: BinaryIO) -> Iterator[bytes]:
    """Unpack "deflate" as RFC 9110 means it: with zlib's two bytes in front."""
    yield from _inflate(stored, _ZLIB)


def deflate_body(stored: BinaryIO) -> Iterator[bytes]:
    """Unpack bare deflate, as many servers send it and as ZIP stores it."""
    yield from _inflate(stored, _DEFLATE)


def _inflate(stored: BinaryIO, window_bits: int) -> Iterator[bytes]:
    inflater = zlib.decompressobj(window_bits)
    while not inflater.eof:
        # Output may still wait inside when all input was taken, so b"" is fed once more then.
        packed = inflater.unconsumed_tail or stored.read(_GULP)
        piece = inflater.decompress(packed, _PIECE)
        if piece:
            yield piece
        elif not packed:
            message = "compressed data ends before its end mark"
            raise EOFError(message)
    stored.seek(-len(inflater.unused_data), io.SEEK_CUR)


def bz2_file(stored: BinaryIO) -> Iterator[bytes]:
    """Unpack bzip2, one stream after the other."""
    yield from _streams(stored, bz2.BZ2Decompressor)


def xz_file(stored: BinaryIO) -> Iterator[bytes]:
    """Unpack xz, one stream after the other, in 256 MB at most."""
    yield from _streams(stored, lambda: lzma.LZMADecompressor(memlimit=256 * 1024 * 1024))


def _streams(stored: BinaryIO, begin: Callable[[], bz2.BZ2Decompressor | lzma.LZMADecompressor]) -> Iterator[bytes]:
    packed = stored.read(_GULP)
    while packed.strip(b"\0"):
        stream = begin()
        while not stream.eof:
            piece = stream.decompress(packed, _PIECE)
            if piece:
                yield piece
            packed = stored.read(_GULP) if stream.needs_input and not stream.eof else b""
            if stream.needs_input and not stream.eof and not packed:
                message = "compressed data ends before its end mark"
                raise EOFError(message)
        packed = stream.unused_data or stored.read(_GULP)


def zstd_file(stored: BinaryIO) -> Iterator[bytes]:
    """Unpack Zstandard frames block by block (RFC 8878, 3.1.1).

    The library's own stream reader ends silently where data is cut off, and its object
    interface unpacks all it is given at once. One block unpacks to 128 KB at most, and a
    block that is not all there is noticed.
    """
    while magic := stored.read(4):
        number = struct.unpack("<I", magic)[0] if len(magic) == 4 else 0  # noqa: PLR2004
        if 0x184D2A50 <= number <= 0x184D2A5F:  # a skippable frame  # noqa: PLR2004
            left = struct.unpack("<I", _exactly(stored, 4))[0]
            while left:
                left -= len(_exactly(stored, min(left, _PIECE)))
            continue
        yield from _zstd_frame(stored, magic)


def _zstd_frame(stored: BinaryIO, magic: bytes) -> Iterator[bytes]:
    start = magic + stored.read(14)  # the longest frame header has 18 bytes
    size = zstandard.frame_header_size(start)
    has_checksum = zstandard.get_frame_parameters(start).has_checksum
    stored.seek(size - len(start), io.SEEK_CUR)
    frame = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).decompressobj()
    yield frame.decompress(start[:size])
    last = False
    while not last:
        head = _exactly(stored, 3)
        number = int.from_bytes(head, "little")
        last, kind, length = bool(number & 1), number >> 1 & 3, number >> 3
        body = _exactly(stored, 1 if kind == 1 else length)  # kind 1 repeats one byte
        yield frame.decompress(head + body)
    if has_checksum:
        yield frame.decompress(_exactly(stored, 4))


def _exactly(stored: BinaryIO, count: int) -> bytes:
    data = stored.read(count)
    if len(data) < count:
        message = "compressed data ends inside a block"
        raise EOFError(message)
    return data


def brotli_body(stored: BinaryIO) -> Iterator[bytes]:
    """Unpack Brotli (RFC 7932); needs Brotli 1.2, the first that can stop at a size."""
    stream = brotli.Decompressor()
    while not stream.is_finished():
        packed = stored.read(_GULP) if stream.can_accept_more_data() else b""
        if stream.can_accept_more_data() and not packed:
            message = "compressed data ends before its end mark"
            raise EOFError(message)
        yield stream.process(packed, output_buffer_limit=_PIECE)


PACKINGS: dict[Packing, Pieces] = {
    "gz": gzip_file,
    "bz2": bz2_file,
    "xz": xz_file,
    "zst": zstd_file,
}
