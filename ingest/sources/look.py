"""Look at the first bytes of something and say what it is: markup, text or neither."""

import codecs
import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from ingest.sources.unpack import Packing

#: How much of an input is looked at, in bytes.
LOOK = 64 * 1024

Media = Literal["html", "text"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The beginning of an input, as far as it decides what reads it."""

    #: Its last folder-less name in lower case; "-" for standard input.
    name: str
    #: The first bytes as they lie in the file.
    stored: bytes
    #: The first bytes with compression undone, as far as that worked; ``stored`` when not packed.
    data: bytes
    packing: Packing | None
    #: The last bytes as they lie in the file: there ZIP says what is in it.
    end: bytes = b""

    def named(self, *endings: str) -> bool:
        """Say whether the name ends so, with or without a compression's own ending after it.

        >>> Head(name="a.csv.gz", stored=b"", data=b"", packing="gz").named(".csv")
        True
        """
        plain = re.sub(r"\.(gz|bz2|xz|zst)$", "", self.name)
        return plain.endswith(endings) or self.name.endswith(endings)


MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG", "PNG image"),
    (b"\xff\xd8\xff", "JPEG image"),
    (b"GIF87a", "GIF image"),
    (b"GIF89a", "GIF image"),
    (b"%PDF-", "PDF document"),
    (b"\x7fELF", "ELF program"),
    (b"MZ\x90\x00", "Windows program"),
    (b"PK\x03\x04", "ZIP archive"),
    (b"PK\x05\x06", "ZIP archive"),
    (b"PAR1", "Parquet file"),
    (b"\x1f\x8b\x08", "gzip data"),
    (b"BZh91AY&SY", "bzip2 data"),
    (b"\xfd7zXZ\x00", "xz data"),
    (b"\x28\xb5\x2f\xfd", "Zstandard data"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip archive"),
    (b"Rar!\x1a\x07", "RAR archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Office document"),
    (b"SQLite format 3\x00", "SQLite database"),
    (b"OggS\x00", "Ogg audio or video"),
    (b"fLaC\x00", "FLAC audio"),
    (b"ID3\x02", "MP3 audio"),
    (b"ID3\x03", "MP3 audio"),
    (b"ID3\x04", "MP3 audio"),
    (b"\x1aE\xdf\xa3", "Matroska or WebM video"),
    (b"wOFF\x00\x01\x00\x00", "WOFF font"),
    (b"wOF2\x00\x01\x00\x00", "WOFF2 font"),
    (b"wOFFOTTO", "WOFF font"),
    (b"wOF2OTTO", "WOFF2 font"),
    (b"\x00\x01\x00\x00\x00", "TrueType font"),
    (b"\x00asm", "WebAssembly"),
    (b"\x00\x00\x01\x00", "Windows icon"),
    (b"II*\x00", "TIFF image"),
    (b"MM\x00*", "TIFF image"),
    (b"\xca\xfe\xba\xbe", "Java class"),
)
"""Beginnings that no page and no text has, in any encoding."""

#: Formats that name themselves after a length: RIFF (WebP, WAV, AVI) and ISO media (MP4, AVIF).
_INNER_MAGIC = re.compile(rb"RIFF....(WEBP|WAVE|AVI )|....ftyp(....)", re.DOTALL)


def magic_name(data: bytes) -> str | None:
    """Name the binary format that data of this beginning has, or None when it is not known."""
    for start, name in MAGIC:
        if data.startswith(start):
            return name
    inner = _INNER_MAGIC.match(data)
    if inner:
        return (inner[1] or inner[2]).decode("latin-1").strip() + " media"
    return None


def seen(data: bytes) -> str:
    r"""Say for people how binary data begins.

    >>> seen(b"\x89PNG\r\n")
    'begins with 89 50 4e 47 (PNG image)'
    """
    begins = f"begins with {data[:4].hex(' ')}"
    name = magic_name(data)
    return f"{begins} ({name})" if name else f"{begins} (no known format, and not text)"


def media_of(data: bytes) -> Media | None:
    """Say whether data that begins like this is markup or text; None means it is neither.

    Any encoding counts as text: UTF-8, UTF-16 and UTF-32 (UTF-16 without its mark as well), the
    8-bit and East Asian code pages. What they have in common is that control characters are
    next to absent, while they are a tenth of compressed or random bytes. A few NULs in
    otherwise sound text are a blemish and stay; a later step handles them.
    """
    data = data[:LOOK]
    if not data or magic_name(data):
        return None
    text = _as_text(data)
    if text is None:
        return None
    return "html" if looks_like_markup(text) else "text"


_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

#: Control characters that text has: tab, line feed, vertical tab, form feed, carriage return,
#: end of file of CP/M (1A), and escape, by which ISO-2022-JP changes its alphabet.
_CONTROLS = bytes({*range(1, 32), 127} - {9, 10, 11, 12, 13, 0x1A, 0x1B})


def _as_text(data: bytes) -> str | None:
    """Give a rough reading, good enough to look for markup; None for binary data."""
    for mark, codec in _MARKS:
        if data.startswith(mark):
            text = data[len(mark) :].decode(codec, "ignore")
            return text if _plausible(text) else None
    by_zeros = _utf16_by_zeros(data)
    if by_zeros:
        return data.decode(by_zeros, "ignore")
    zeros = data.count(0)
    controls = len(data) - zeros - len(data.translate(None, _CONTROLS + b"\0"))
    # One of either is let pass in the shortest text: a share means little there.
    if controls <= max(1, len(data) * 0.03) and zeros <= max(1, len(data) * 0.1):
        return data.removeprefix(codecs.BOM_UTF8).replace(b"\0", b"").decode("latin-1")
    for codec in ("utf-16-le", "utf-16-be"):
        text = data.decode(codec, "ignore")
        if len(text) >= len(data) * 0.49 and _plausible(text):
            return text
    return None


def _utf16_by_zeros(data: bytes) -> str | None:
    """Find UTF-16 without a mark by the zeros in the upper half of its ASCII characters.

    Markup, blanks and digits are ASCII in every script, so at least a tenth of the units have
    such a zero, all on the same side.
    """
    if 0 not in data:
        return None
    units = len(data) // 2
    even, odd = data[0::2].count(0), data[1::2].count(0)
    few, many = min(even, odd), max(even, odd)
    if units < 2 or many < units * 0.1 or few > units * 0.02:  # noqa: PLR2004
        return None
    codec = "utf-16-le" if odd > even else "utf-16-be"
    return codec if _plausible(data.decode(codec, "ignore")) else None


def _plausible(text: str) -> bool:
    """Say whether decoded text looks written: assigned characters, mostly of one script."""
    start = text[:4096]
    sample = start.replace("\0", "")
    if len(sample) < len(start) * 0.9:
        return False
    wrong = 0
    groups: dict[int, int] = {}
    for character in sample:
        number = ord(character)
        category = unicodedata.category(character)
        if category in {"Cn", "Co", "Cs", "Cc"} and not character.isspace():
            wrong += 1
        elif not character.isascii():
            group = _group(number)
            groups[group] = groups.get(group, 0) + 1
    foreign = sum(groups.values())
    # Three groups: the script, its punctuation, and one to spare (Latin-1 beside Latin-2).
    largest = sum(sorted(groups.values())[-3:])
    return wrong <= len(sample) * 0.05 and largest >= foreign * 0.8


def _group(number: int) -> int:
    if 0x3000 <= number <= 0x9FFF or 0xFF00 <= number <= 0xFFEF:  # noqa: PLR2004
        return 0x3000  # kana, ideographs and full-width forms go together
    if 0xAC00 <= number <= 0xD7AF:  # noqa: PLR2004
        return 0xAC00  # Hangul syllables
    return number >> 8


#: What may stand before the first tag: blanks, comments, processing instructions.
_BEFORE = re.compile(r"(?:\s+|<!--.*?-->|<\?(?!xml).*?>|<\?xml[^>]*>)*", re.DOTALL)
_TAGS = (
    r"html|head|body|title|meta|link|script|style|base|div|span|p|a|br|hr|h[1-6]|table|tbody|"
    r"thead|tr|td|th|ul|ol|li|dl|dt|dd|img|article|section|main|header|footer|nav|aside|figure|"
    r"form|input|iframe|noscript|center|font|blockquote|pre|b|i|em|strong|small|frameset"
)
_FIRST_TAG = re.compile(rf"<(?:!doctype\s+html|(?:\w+:)?html\b|(?:{_TAGS})(?:\s[^<>]*)?/?>)", re.IGNORECASE)
_ANY_TAG = re.compile(rf"</?(?:{_TAGS})(?:\s[^<>]*)?/?>", re.IGNORECASE)
_ROOT = re.compile(r"<(?:!doctype\s+html|html)\b", re.IGNORECASE)


def looks_like_markup(text: str) -> bool:
    """Say whether text is HTML: it opens with a tag of a page, or tags are dense in it.

    An article about HTML may name tags; it does not have five of them and one in every 400
    characters. Feeds and other XML are not HTML.

    >>> looks_like_markup("<!-- x --><!doctype HTML><p>..."), looks_like_markup("1 <p> 2")
    (True, False)
    """
    start = _BEFORE.match(text)
    if _FIRST_TAG.match(text, start.end() if start else 0):
        return True
    if _ROOT.search(text, 0, 4096):
        return True
    tags = sum(1 for _ in _ANY_TAG.finditer(text))
    return tags >= 5 and tags * 400 >= len(text)  # noqa: PLR2004
