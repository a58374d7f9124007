"""Bytes -> text: which charset, and who said so."""

import codecs
import re
from functools import cache
from typing import Literal

import cchardet
from w3lib.encoding import (
    html_body_declared_encoding,
    http_content_type_encoding,
    read_bom,
    resolve_encoding,
)

from normalize.options import DocumentOptions
from normalize.wayback import restore
from schemas.document import Decoded, RawDocument
from schemas.errors import DocumentError

CharsetSource = Literal["source", "bom", "http", "meta", "detected", "default"]

#: How much of a document is shown to the detector, in bytes: its verdict settles long before.
_DETECT_BYTES = 60_000

#: A UTF-8 page may hold a few broken bytes (a cut feed, a pasted old comment) and still be UTF-8.
#: Above this share of all bytes beyond ASCII the declaration is taken to be wrong.
_BROKEN_SHARE = 0.02

#: Fewer multi-byte sequences than this could be chance in a legacy page.
_SURE_SEQUENCES = 4

#: The escape that begins Japanese in mail; no other text of seven bits has it.
_ISO_2022_JP = re.compile(rb"\x1b\$[@B]")

_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_MULTI_BYTE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]+")
_MARKUP = re.compile(rb"<(?:script|style)\b.*?</(?:script|style)>|<[^>]*>", re.DOTALL | re.IGNORECASE)
_CONTROLS = re.compile("[\x01-\x08\x0e-\x1f]")
_CONTROL_BYTES = bytes([*range(0x01, 0x09), *range(0x0E, 0x20)])
_HTML_START = re.compile(
    r"\s*(?:<\?xml[^>]{0,200}>\s*)?(?:<!--.{0,2000}?-->\s*)*<(?:!doctype\s+html|html|head|body|div|p|article|table)\b",
    re.IGNORECASE | re.DOTALL,
)


def decode(raw: RawDocument, options: DocumentOptions) -> Decoded:
    """Read the bytes as text by the best evidence there is.

    Evidence in the order browsers use (https://encoding.spec.whatwg.org/#decode and HTML 13.2.3):
    byte order mark, HTTP header, declaration in the page, then detection. Two departures, because
    a wrong declaration is common in archives and a browser's user would complain: bytes that are
    faultless UTF-8 with several multi-byte sequences are UTF-8 whatever a single-byte declaration
    says, and a UTF-8 declaration over bytes that are mostly broken is passed over.

    Raises:
        DocumentError: The document is empty, binary or too long.
    """
    body = raw.content
    if not body.strip(b" \t\r\n\x00"):
        raise DocumentError("decode", "empty", f"{len(body)} bytes, none of them text")
    charset, source = _charset(raw)
    text = _to_text(body, charset)
    if len(text) > options.max_chars:
        raise DocumentError(
            "decode",
            "too_long",
            f"{len(text):,} characters; the limit is {options.max_chars:,} (document.max_chars)",
        )
    fixes = []
    if nuls := text.count("\x00"):
        text = text.replace("\x00", "")
        fixes.append(f"drop_nul x {nuls}")
    controls = _controls(body, text, charset)
    if controls > max(20, len(text) // 50):
        raise DocumentError(
            "decode",
            "binary",
            f"{controls:,} of {len(text):,} characters are control characters: this is not text",
        )
    if broken := text.count("\N{REPLACEMENT CHARACTER}"):
        fixes.append(f"undecodable_bytes x {broken}")
    media = raw.media or ("html" if _HTML_START.match(text[:5000]) else "text")
    if media == "html":
        text, done = restore(text)
        fixes += done
    return Decoded(
        raw=raw,
        text=text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}"),
        media=media,
        charset=charset,
        charset_source=source,
        fixes=tuple(fixes),
    )


def _controls(body: bytes, text: str, charset: str) -> int:
    """Count the control characters other than NUL, tab and line ends."""
    if charset.startswith(("utf-16", "utf-32", "iso2022")):
        return len(_CONTROLS.findall(text))
    # On the bytes: they are the same there, and counting is fifty times faster.
    return len(body) - len(body.translate(None, _CONTROL_BYTES))


def _charset(raw: RawDocument) -> tuple[str, CharsetSource]:
    """Decide on the charset; the name is a Python codec's."""
    body = raw.content
    if raw.charset:
        return raw.charset, "source"
    bom, _ = read_bom(body[:4])
    if bom:
        return _codec(bom) or "utf-8", "bom"
    declared: tuple[tuple[str | None, CharsetSource], ...] = (
        (http_content_type_encoding(raw.header("content-type")), "http"),
        (html_body_declared_encoding(body[:8192]) if raw.media != "text" else None, "meta"),
    )
    for name, source in declared:
        charset = _codec(name)
        if charset and _believable(body, charset):
            return charset, source
    return _detect(body)


def _codec(name: str | None) -> str | None:
    """Give Python's name for a charset label, read as browsers read it (gb2312 is gb18030)."""
    resolved = resolve_encoding(name) if name else None
    return codecs.lookup(resolved).name if resolved else None


def _believable(body: bytes, charset: str) -> bool:
    """Do the bytes allow what was declared?"""
    if not _leaves_ascii_alone(charset):
        # A page cannot declare UTF-16 or EBCDIC in ASCII letters; browsers read such a page as UTF-8. And Python knows
        # codecs that are no charsets ("hex", "rot13", "unicode_escape"), or one no browser reads any more (UTF-7).
        return False
    if b"\x00" in body[:200] and _utf16(body):
        return False
    if charset == "utf-8":
        return _mostly_utf8(body)
    return body.isascii() or not _surely_utf8(body)


#: ASCII that such codecs read as something else.
_ASCII_PROBE = rb'<meta charset="a-1">+AEE-\x41\u0041'


@cache
def _leaves_ascii_alone(charset: str) -> bool:
    """Is it a charset in which markup is written in ASCII?"""
    try:
        return _ASCII_PROBE.decode(charset, "replace") == _ASCII_PROBE.decode("ascii")
    except (LookupError, UnicodeError):  # a codec that gives no text, or knows no U+FFFD
        return False


def _surely_utf8(body: bytes) -> bool:
    """Is it faultless, with more multi-byte sequences than chance would give?"""
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return len(_MULTI_BYTE.findall(body)) >= _SURE_SEQUENCES


def _mostly_utf8(body: bytes) -> bool:
    """Is it UTF-8 but for a few broken bytes?"""
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        broken = len(body) - len(body.decode("utf-8", "ignore").encode())
        return broken <= max(_SURE_SEQUENCES, _BROKEN_SHARE * len(_NOT_ASCII.findall(body)))
    return True


def _detect(body: bytes) -> tuple[str, CharsetSource]:
    """Look at the bytes alone."""
    if wide := _utf16(body):
        return wide, "detected"
    if body.isascii() and _ISO_2022_JP.search(body):
        return "iso2022_jp", "detected"
    if _mostly_utf8(body) and (body.isascii() or _MULTI_BYTE.search(body)):
        return "utf-8", "detected"
    visible = _MARKUP.sub(b" ", body)[:_DETECT_BYTES]
    guess = cchardet.detect(visible)["encoding"]
    charset = _codec(guess)
    if charset and charset not in {"ascii", "utf-8"}:
        return charset, "detected"
    return "cp1252", "default"


def _utf16(body: bytes) -> str | None:
    """Recognise UTF-16 without a byte order mark by the side its NUL bytes are on.

    Every ASCII character of markup or spacing leaves one NUL. Needs 1 in 10 units to have one on
    one side and hardly any on the other, over the first 4,000 bytes.
    """
    head = body[: 4000 // 2 * 2]
    units = len(head) // 2
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd * 10 >= units and even * 20 <= odd:
        return "utf-16-le"
    if even * 10 >= units and odd * 20 <= even:
        return "utf-16-be"
    return None


def _to_text(body: bytes, charset: str) -> str:
    """Decode, with U+FFFD for what cannot be read; never fails."""
    if charset == "cp1252":
        # Browsers map the five undefined bytes to C1 controls instead of giving up on them.
        return body.decode("cp1252", "c1")
    return body.decode(charset, "replace")


def _undefined_to_c1(error: UnicodeError) -> tuple[str, int]:
    """Codec error handler: one undefined byte becomes the control character of that number."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(map(chr, error.object[error.start : error.end])), error.end


codecs.register_error("c1", _undefined_to_c1)
