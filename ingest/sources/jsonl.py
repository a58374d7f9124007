"""JSON Lines, one object a line; also one JSON array of objects, or objects one after another.

Lines are read one by one. An array is cut into its elements without being parsed as a whole, so
that one broken element costs no more than itself and memory stays at one element.
"""

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from ingest.sources.limits import Limits
from ingest.sources.look import LOOK, Head, media_of
from ingest.sources.opened import Opened, Where
from ingest.sources.rows import bad_row, document_of_row, shown
from schemas.document import RawDocument, Rejected
from schemas.errors import SourceError

_FIRST = re.compile(rb'\s*\[?\s*\{\s*["}]|\s*\[\s*\]\s*\Z')
_BLANK = b" \t\r\n"


def sniff(head: Head) -> bool:
    """Say whether this begins with a JSON object, or is named like one and is text."""
    data = head.data.removeprefix(codecs.BOM_UTF8)
    if _FIRST.match(data):
        return True
    return head.named(".jsonl", ".ndjson") and bool(data) and media_of(data) is not None


def read(opened: Opened, limits: Limits) -> Iterator[RawDocument | Rejected]:
    """Give one document for each row, in their order; a broken row is rejected, reading goes on.

    Raises:
        SourceError: If the compression of the file is broken; the rows before are given first.

    """
    stream = opened.content(limits)
    rows = _lines if _one_a_line(opened.head.data) else _values
    for number, row in enumerate(rows(stream, longest_row(limits)), start=1):
        # Places inside packed data help nobody: there is no way to go there.
        where: Where = {}
        if opened.head.packing is None:
            where = {"source_offset": row.offset, "source_length": row.length}
        if row.data is None:
            detail = f"{row.length} bytes of JSON > {longest_row(limits)} bytes allowed for a row"
            yield bad_row(opened, number, SourceError(reason="too_large", detail=detail), **where)
            continue
        try:
            cells = _object(row.data)
        except SourceError as error:
            yield bad_row(opened, number, error, **where)
            continue
        yield document_of_row(opened, number, cells, limits, **where)


def longest_row(limits: Limits) -> int:
    r"""Say how many bytes one row may have as JSON.

    Twice the document: escapes (``\u4e2d``) double the length of Chinese in UTF-8, and the
    other columns need little.
    """
    return 2 * limits.max_bytes + 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Row:
    offset: int
    #: In bytes, blanks at the end not counted.
    length: int
    #: None when the row is longer than allowed; it was passed over then, not kept.
    data: bytes | None


def _one_a_line(data: bytes) -> bool:
    """Say whether rows are lines: they are unless the first line is only a part of some JSON."""
    text = data.removeprefix(codecs.BOM_UTF8).lstrip(_BLANK)
    line, end, rest = text.partition(b"\n")
    if not end and len(data) >= LOOK:
        return not line.startswith(b"[")  # one very long line, cut by us
    if line.startswith(b"["):
        return False
    try:
        _object(line)
    except SourceError:
        # A broken first row is followed by more rows; a pretty-printed object is not.
        following = rest.lstrip(_BLANK)
        return following.startswith(b"{") or not line.startswith(b"{") or not following
    return True


def _object(data: bytes) -> dict[str, object]:
    try:
        value = json.loads(data.decode())
    except UnicodeDecodeError as error:
        wrong = data[error.start]
        what = f"not UTF-8: byte {wrong:#04x} at {error.start}: {shown(data)}"
        raise SourceError(reason="bad_row", detail=what) from error
    except (ValueError, RecursionError) as error:
        what = f"not JSON ({error}): {shown(data.decode(errors='replace'))}"
        raise SourceError(reason="bad_row", detail=what) from error
    if not isinstance(value, dict):
        raise SourceError(reason="bad_row", detail=f"not a JSON object: {shown(value)}")
    return value


def _lines(stream: BinaryIO, longest: int) -> Iterator[_Row]:
    offset = 0
    while line := stream.readline(longest + 1):
        start, length = offset, len(line)
        offset += length
        data: bytes | None = line
        if length > longest:
            data = None
            while line and not line.endswith(b"\n"):
                line = stream.readline(longest + 1)
                length += len(line)
            offset = start + length
        elif start == 0 and line.startswith(codecs.BOM_UTF8):
            start, data = 3, line[3:]
        if data is None:
            yield _Row(start, length, None)
        elif row := data.strip(_BLANK):
            lead = len(data) - len(data.lstrip(_BLANK))
            yield _Row(start + lead, len(row), row)


#: What decides where a value ends: brackets, commas, and strings as wholes so that what looks
#: like a bracket inside them does not count. A quote alone is a string that is not all here yet.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|["{}\[\],]', re.DOTALL)


def _values(stream: BinaryIO, longest: int) -> Iterator[_Row]:
    """Cut an array into its elements, or values that follow one another into values.

    Only brackets and strings are looked at, so an element may be broken in all other ways.
    """
    scan = _Scan(stream, longest)
    is_array = scan.opens_array()
    depth = 0
    while mark := scan.next_mark():
        if mark in b"{[":
            depth += 1
        elif mark == b",":
            if depth == 0:
                yield from scan.cut(before=mark)
        elif depth == 0:  # the bracket that closes the array
            yield from scan.cut(before=mark)
            is_array = False
        else:
            depth -= 1
            if depth == 0 and not is_array:
                yield from scan.cut()
    if is_array or scan.has_rest():
        message = f"the JSON ends inside a value that begins at byte {scan.begin}"
        raise EOFError(message)


class _Scan:
    """A stream of JSON from the value at hand on."""

    def __init__(self, stream: BinaryIO, longest: int) -> None:
        self._stream = stream
        self._longest: Final = longest
        self._data = stream.read(LOOK)
        #: Where in the stream the value at hand begins, in bytes.
        self.begin = 0
        #: How much of the value was too much to keep, in bytes.
        self._dropped = 0
        #: How far ``_data`` is looked through.
        self._at = 0
        if self._data.startswith(codecs.BOM_UTF8):
            self._begin_at(3)

    def opens_array(self) -> bool:
        """Step over the bracket of an array, if there is one."""
        blanks = len(self._data) - len(self._data.lstrip(_BLANK))
        if self._data[blanks : blanks + 1] != b"[":
            return False
        self._begin_at(blanks + 1)
        return True

    def next_mark(self) -> bytes:
        """Go behind the next bracket or comma outside of strings; b"" at the end.

        Raises:
            SourceError: If a string goes on for longer than a row may be.

        """
        while True:
            token = _TOKEN.search(self._data, self._at)
            if token is None or token[0] == b'"':
                self._at = token.start() if token else len(self._data)
                if not self._read_on():
                    return b""
                continue
            self._at = token.end()
            if len(token[0]) == 1:
                return token[0]

    def cut(self, *, before: bytes = b"") -> Iterator[_Row]:
        """Give the value that ends here, or in front of the mark just read, if there is one."""
        piece = self._data[: self._at - len(before)]
        row = piece.strip(_BLANK)
        start = self.begin + len(piece) - len(piece.lstrip(_BLANK))
        length = self._dropped + len(row)
        fits = not self._dropped and length <= self._longest
        self._begin_at(self._at)
        if length:
            yield _Row(start, length, row if fits else None)

    def has_rest(self) -> bool:
        """Say whether anything but blanks is left."""
        return bool(self._dropped or self._data.strip(_BLANK))

    def _begin_at(self, index: int) -> None:
        self.begin += self._dropped + index
        self._data = self._data[index:]
        self._dropped = self._at = 0

    def _read_on(self) -> bool:
        if self._at > self._longest:  # keep nothing of a value that is too long
            self._data, self._dropped = self._data[self._at :], self._dropped + self._at
            self._at = 0
        if len(self._data) > 2 * self._longest + LOOK:
            what = f"a string in the value at byte {self.begin} is over {self._longest} bytes long"
            raise SourceError(reason="too_large", detail=what)
        # Ever larger gulps: a long string is looked through anew each time, so this keeps the
        # sum of the work linear.
        more = self._stream.read(max(LOOK, len(self._data)))
        self._data += more
        return bool(more)
