"""Messages of RFC 5322 and RFC 2045, as mail programs and browsers write them and as they get broken on their way.

Python's own parser keeps every part, goes as deep as the message says and slows down with each level. Here parts are
stretches of one piece of bytes, levels and parts are counted, and nothing fails on a strange header.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

from w3lib.encoding import resolve_encoding

from ingest.sources.instants import as_utc
from schemas.errors import SourceError

#: All headers of one part, in bytes: signatures and the way through many hosts come to some 50 KB.
LONGEST_HEAD: Final = 256 * 1024
#: Multiparts inside each other, and messages inside messages. Real ones have four or five.
_DEEPEST: Final = 10
#: Parts of all levels together. A page saved with all its pictures has some hundred.
_MOST_PARTS: Final = 5_000
#: RFC 2046, 5.1.1 allows 70 characters.
_LONGEST_BOUNDARY: Final = 256
#: Blanks that may stand behind a boundary, in bytes.
_LONGEST_PADDING: Final = 100

_HEAD_END = re.compile(rb"\r?\n[ \t]*\r?\n")
_FIELD = re.compile(rb"[!-9;-~]{1,100}[ \t]*:")
_LIKE_A_BOUNDARY = re.compile(rb"(?:\A|\n)(--[^\r\n]{1,200})\r?\n[!-9;-~]{1,100}[ \t]*:")
_PARAMETER = re.compile(r""";\s*([\w!#$%&*+.^`|~-]{1,60})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))""", re.DOTALL)
_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=(\s+(?==\?))?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A message or a part of one: headers, and a body as it is stored."""

    #: In order, names in lower case, values unfolded.
    headers: tuple[tuple[str, str], ...]
    #: The whole message, and from where to where in it the body of this part is.
    data: bytes = field(repr=False)
    begin: int
    end: int

    def header(self, name: str) -> str:
        """Give the first header of that name in lower case; "" when there is none."""
        return next((value for key, value in self.headers if key == name), "")

    @property
    def mime_type(self) -> str:
        """The media type in lower case; what has none is plain text (RFC 2045, 5.2)."""
        return self.header("content-type").partition(";")[0].strip().lower() or "text/plain"

    def parameter(self, name: str) -> str:
        """Give a parameter of the content type, such as "boundary"; "" when there is none."""
        for found in _PARAMETER.finditer(self.header("content-type")):
            if found[1].lower() == name:
                return re.sub(r"\\(.)", r"\1", found[2]) if found[2] is not None else found[3]
        return ""

    @property
    def is_attachment(self) -> bool:
        """Is it a file that goes along, and not the text?"""
        return self.header("content-disposition").strip().lower().startswith("attachment")

    def sent_as(self) -> tuple[tuple[str, str], ...]:
        """Give what the headers say of the content, as a server would have said it."""
        names = ("Content-Type", "Content-Language")
        return tuple((name, self.header(name.lower())) for name in names if self.header(name.lower()))

    def content(self) -> bytes:
        """Give the body with its transfer encoding undone (RFC 2045, 6), as far as it goes."""
        encoding = self.header("content-transfer-encoding").partition(";")[0].strip().lower()
        body = self.data[self.begin : self.end]
        if encoding == "quoted-printable":
            return binascii.a2b_qp(body)
        return _from_base64(body) if encoding == "base64" else body


def head_of(data: bytes) -> Part | None:
    """Look whether data begins with headers, and read those that are all there; None when it does not."""
    if not _FIELD.match(data):
        return None
    end = _HEAD_END.search(data)
    head = data[: end.start()] if end else data.rpartition(b"\n")[0]
    lines = head.splitlines()
    # A text may begin with a word and a colon; headers are nothing else up to the blank line.
    if not all(line[:1] in {b" ", b"\t"} or _FIELD.match(line) for line in lines):
        return None
    return Part(headers=tuple(_headers(head)), data=b"", begin=0, end=0)


def message_of(data: bytes, begin: int = 0, end: int | None = None) -> Part:
    """Part a message, or a stretch of one that is a part of it, into headers and body.

    Raises:
        SourceError: ``damaged`` when its headers have no end within 256 KB.

    """
    end = len(data) if end is None else end
    if data.startswith((b"\n", b"\r\n"), begin, end):  # a part without headers
        return Part(headers=(), data=data, begin=data.index(b"\n", begin) + 1, end=end)
    limit = min(begin + LONGEST_HEAD, end)
    found = _HEAD_END.search(data, begin, limit)
    if found is None and limit < end:
        raise SourceError(reason="damaged", detail=f"headers of more than {LONGEST_HEAD} bytes")
    head = data[begin : found.start() if found else end]
    return Part(headers=tuple(_headers(head)), data=data, begin=found.end() if found else end, end=end)


def leaves(message: Part, *, into_messages: bool) -> Iterator[Part]:
    """Give the parts that have no parts themselves, in their order, down to ten levels and up to 5,000 parts.

    Args:
        message: The whole.
        into_messages: Whether messages that lie inside (forwarded ones) are opened.

    """
    waiting = [(message, 0)]
    for _ in range(_MOST_PARTS):
        if not waiting:
            return
        part, depth = waiting.pop()
        if part.mime_type.startswith("multipart/") and depth < _DEEPEST:
            waiting += [(inner, depth + 1) for inner in reversed(list(_inner(part)))]
        elif part.mime_type == "message/rfc822":
            if into_messages and depth < _DEEPEST:
                waiting += [(inner, depth + 1) for inner in _read(part, [(part.begin, part.end)])]
        else:
            yield part


def _inner(part: Part) -> Iterator[Part]:
    """Cut a multipart at its boundary; one whose boundary is not named has the first line that looks like one."""
    data, end = part.data, part.end
    boundary = part.parameter("boundary").encode("utf-8", "replace")[:_LONGEST_BOUNDARY].rstrip()
    mark = b"--" + boundary
    if not boundary or data.find(mark, part.begin, end) < 0:
        guessed = _LIKE_A_BOUNDARY.search(data, part.begin, end)
        if guessed is None:
            return
        mark = guessed[1].rstrip()
    pieces: list[tuple[int, int]] = []
    begin: int | None = None
    at = data.find(mark, part.begin, end)
    while at >= 0 and len(pieces) < _MOST_PARTS:
        behind = at + len(mark)
        # Only so far: a line of nothing but boundaries would be looked through once for each of them.
        near = min(behind + _LONGEST_PADDING, end)
        line_end = data.find(b"\n", behind, near) + 1 or near
        rest = data[behind:line_end].strip()
        if (at == part.begin or data[at - 1 : at] == b"\n") and rest in {b"", b"--"}:
            if begin is not None:
                pieces.append((begin, at))
            begin = None if rest else line_end
            if rest:
                break
        at = data.find(mark, behind, end)
    if begin is not None:
        pieces.append((begin, end))  # the last one was cut off
    yield from _read(part, pieces)


def _read(part: Part, pieces: list[tuple[int, int]]) -> Iterator[Part]:
    for begin, end in pieces:
        try:
            yield message_of(part.data, begin, end)
        except SourceError:
            continue  # a part whose headers have no end is none that anybody can use


def _headers(head: bytes) -> Iterator[tuple[str, str]]:
    """Read headers: continued lines are joined, and lines that are none are passed over."""
    name, value = "", bytearray()
    for line in head.splitlines():
        if line[:1] in {b" ", b"\t"}:
            value += b" " + line.strip()
            continue
        if name:
            yield name, _as_text(bytes(value))
        name, value = "", bytearray()
        if _FIELD.match(line):
            key, _, rest = line.partition(b":")
            name, value = key.strip().decode("ascii").lower(), bytearray(rest.strip())
    if name:
        yield name, _as_text(bytes(value))


def _as_text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("cp1252", "replace")


def words(value: str) -> str:
    """Undo encoded words (RFC 2047) in a header; what is none stays.

    Words that follow one another are joined before they are decoded: many programs cut inside of a character.

    >>> words("=?utf-8?Q?Travessia_reabre_?= =?UTF-8?b?YW1hbmjDow==?="), words("50 =?? 60")
    ('Travessia reabre amanhã', '50 =?? 60')
    """
    done: list[str] = []
    charset, data, at = "", b"", 0
    for found in _ENCODED_WORD.finditer(value):
        between = value[at : found.start()]
        if between or found[1].lower() != charset:
            done += [_decoded(charset, data), between]
            charset, data = found[1].lower(), b""
        data += _of_word(found[2], found[3])
        at = found.end()
    text = "".join([*done, _decoded(charset, data), value[at:]])
    return " ".join(text.split())


def _of_word(encoding: str, text: str) -> bytes:
    data = text.encode("utf-8", "replace")
    return binascii.a2b_qp(data, header=True) if encoding in "qQ" else _from_base64(data)


def _decoded(charset: str, data: bytes) -> str:
    # Read as browsers read names of charsets: Python knows codecs that are none, or that take forever.
    return data.decode(resolve_encoding(charset.partition("*")[0]) or "utf-8", "replace") if data else ""


def _from_base64(data: bytes) -> bytes:
    data = re.sub(rb"[^A-Za-z0-9+/]+", b"", data)
    return binascii.a2b_base64(data[: len(data) - (len(data) % 4 == 1)] + b"==")


def moment(written: str) -> datetime | None:
    """Read a time of RFC 5322 as UTC; None for what is none. One without a zone is UTC.

    >>> moment("Wed, 7 Jan 2026 08:00:00 +0200")
    datetime.datetime(2026, 1, 7, 6, 0, tzinfo=datetime.timezone.utc)
    """
    try:
        return as_utc(parsedate_to_datetime(written[:200]))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
