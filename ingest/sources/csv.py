"""CSV and its kin (tabs, semicolons, bars) with a header that has a column of texts or pages."""

import codecs
import csv
import re
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, Final

from ingest.sources.jsonl import longest_row
from ingest.sources.limits import Limits
from ingest.sources.look import Head
from ingest.sources.opened import Opened
from ingest.sources.rows import bad_row, document_of_row, has_content, shown
from schemas.document import RawDocument, Rejected
from schemas.errors import SourceError

_DELIMITERS = (",", "\t", ";", "|")
#: How often the bytes of a file may be read again after rows that are broken, and bytes that any file may have read again.
_AGAIN, _AGAIN_AT_LEAST = 10, 1_000_000
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def sniff(head: Head) -> bool:
    """Say whether the first line is a header with a column of texts or pages.

    The name decides when it ends in .csv or .tsv. Otherwise there must be more columns that we know:
    "Text, Photo" can begin an article.
    """
    line = _first_line(head.data)
    return has_content(_header(line, delimiter_of(line)), for_certain=not head.named(".csv", ".tsv"))


def delimiter_of(line: str) -> str:
    r"""Choose what parts the columns: what makes a text or html column and most columns.

    >>> delimiter_of("id;text;a,b"), delimiter_of("url\ttext")
    (';', '\t')
    """

    def worth(delimiter: str) -> tuple[bool, int]:
        names = _header(line, delimiter)
        return has_content(names), len(names)

    return max(_DELIMITERS, key=worth)


def read(opened: Opened, limits: Limits) -> Iterator[RawDocument | Rejected]:
    """Give one document for each row below the header; a broken row is rejected.

    Rows are strict: a quote that is never closed, text behind a closing quote, or another
    number of columns than the header has, is a broken row, since any way to read it on would
    be a guess. After one, reading goes on at the next line; a file that would have us read it
    over and over that way has rows of one line only from there on.

    Raises:
        SourceError: If the compression of the file is broken; the rows before are given first.

    """
    # The module keeps its limit for one field globally (131072). It is only ever raised, and
    # the length of a row is bounded below.
    csv.field_size_limit(max(csv.field_size_limit(), longest_row(limits)))
    lines = _Lines(opened.content(limits), longest_row(limits))
    delimiter = delimiter_of(_first_line(opened.head.data))
    names: list[str] = []
    number = 0
    while (row := _next_row(lines, delimiter)) is not None:
        if not names and isinstance(row, list):
            names = row
            continue
        if row == []:
            continue  # a blank line
        number += 1
        if isinstance(row, SourceError):
            yield bad_row(opened, number, row)
        elif len(row) != len(names):
            what = f"{len(row)} columns, the header has {len(names)}: {shown(delimiter.join(row))}"
            yield bad_row(opened, number, SourceError(reason="bad_row", detail=what))
        else:
            cells = {name: value or None for name, value in zip(names, row, strict=True)}
            yield document_of_row(opened, number, cells, limits)


def _next_row(lines: "_Lines", delimiter: str) -> list[str] | SourceError | None:
    """Read one row; after a broken one, stand at the line below the one it began with."""
    lines.begin_row()
    try:
        return next(csv.reader(lines, delimiter=delimiter, strict=True), None)
    except csv.Error as error:
        problem = SourceError(reason="bad_row", detail=f"not CSV ({error}): {shown(lines.row_start())}")
    except UnicodeDecodeError as error:
        wrong = error.object[error.start]
        what = f"not UTF-8: byte {wrong:#04x}: {shown(error.object)}; save the file as UTF-8"
        problem = SourceError(reason="bad_row", detail=what)
    except SourceError as error:
        problem = error
    lines.back_to_second()
    return problem


class _Lines:
    """Lines of a file as text, which remember the row they are in so as to go back."""

    def __init__(self, stream: BinaryIO, longest: int) -> None:
        self._stream = stream
        self._longest: Final = longest
        self._ahead: deque[bytes] = deque()
        self._row: list[bytes] = []
        self._length = 0
        # Bytes that came from the stream, and bytes given once more after broken rows.
        self._read = self._again = 0
        start = stream.read(3)
        self._codec = "utf-8"
        if start[:2] in _UTF16:
            self._codec = "utf-16-le" if start.startswith(codecs.BOM_UTF16_LE) else "utf-16-be"
            start = start[2:]
        self._left = start.removeprefix(codecs.BOM_UTF8)

    def begin_row(self) -> None:
        """Forget the lines of the row before."""
        self._row.clear()
        self._length = 0

    def row_start(self) -> str:
        """Show the first line of the row."""
        return self._row[0].decode(self._codec, "replace") if self._row else ""

    def back_to_second(self) -> None:
        """Give the lines of this row again, all but the first."""
        self._ahead.extendleft(reversed(self._row[1:]))
        self._again += self._length - len(self._row[0]) if self._row else 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        # Lines can be written so that from each of them a quote runs to the end of the file: a hundred kilobytes took minutes.
        if self._row and self._again > _AGAIN * self._read + _AGAIN_AT_LEAST:
            raise StopIteration
        line = self._ahead.popleft() if self._ahead else self._new_line()
        if not line:
            raise StopIteration
        self._row.append(line)
        self._length += len(line)
        if self._length > self._longest:
            what = f"at least {self._length} bytes > {self._longest} bytes allowed for a row"
            raise SourceError(reason="too_large", detail=what)
        return line.decode(self._codec)

    def _new_line(self) -> bytes:
        line = self._line()
        self._read += len(line)
        return line

    def _line(self) -> bytes:
        if self._codec != "utf-8":
            return self._wide_line()
        left, self._left = self._left, b""
        if left.endswith(b"\n"):
            return left
        line = left + self._stream.readline(self._longest + 1)
        if len(line) > self._longest:
            # Remember enough to say "too large", and drop the rest of the line.
            while (rest := self._stream.readline(1024 * 1024)) and not rest.endswith(b"\n"):
                pass
        return line

    def _wide_line(self) -> bytes:
        """Read a line of UTF-16: in it, the byte 0A alone need not be a line's end."""
        line, self._left = self._left, b""
        newline = "\n".encode(self._codec)
        while piece := self._stream.readline(1024 * 1024):
            line += piece
            if self._codec == "utf-16-le" and line.endswith(b"\n") and len(line) % 2:
                line += self._stream.read(1)
            if len(line) % 2 == 0 and line.endswith(newline):
                break
            if len(line) > self._longest:
                break
        return line


def _first_line(data: bytes) -> str:
    for mark, codec in zip(_UTF16, ("utf-16-le", "utf-16-be"), strict=True):
        if data.startswith(mark):
            return data[2:].decode(codec, "ignore").partition("\n")[0]
    return data.removeprefix(codecs.BOM_UTF8).partition(b"\n")[0].decode(errors="ignore")


def _header(line: str, delimiter: str) -> list[str]:
    try:
        row = next(csv.reader([line.rstrip("\r\n")], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return []
    names = [name.strip().lower() for name in row]
    # A header has short, different names, and no sentence does.
    fits = len(set(names)) == len(names) and all(re.fullmatch(r".{0,64}", name) for name in names)
    return names if fits else []
