"""Text of an old code page that somebody read as Latin-1 or cp1252: recognise it and read it again.

"Ïðèâåò" is "Привет" in cp1251, "ÖÐ¹ú" is "中国" in GBK. UTF-8 read that way is not for us: ftfy repairs it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import ftfy.bad_codecs  # noqa: F401  (registers the sloppy codecs used below)

#: Every character that a byte can become when read as Latin-1 or cp1252, and the byte.
_BYTE_OF = {byte: byte for byte in range(256)} | {
    ord(bytes([byte]).decode("sloppy-windows-1252")): byte for byte in range(0x80, 0xA0)
}
_HIGH = re.compile("[" + "".join(re.escape(chr(c)) for c in sorted(_BYTE_OF) if c >= 0x80) + "]")  # noqa: PLR2004  (beyond ASCII)
_ASCII_LETTER = re.compile("[A-Za-z]")

#: A run is suspicious when this share of its letters and high characters is beyond ASCII. Vietnamese and
#: Icelandic, the densest users of accents, stay under a third in Latin-1.
_MIN_HIGH_SHARE = 0.6

#: Fewer high characters in the whole document do not carry a verdict.
_MIN_HIGH = 8


@dataclass(frozen=True, slots=True)
class _CodePage:
    """One way to read the bytes again."""

    codec: str
    #: The most frequent characters of news in the languages written with it (lower case).
    frequent: frozenset[str]
    #: Share of running text that these characters make up, roughly, counted on news.
    expected: float


_CYRILLIC = frozenset("оеаинтсрвлкмді")
_CODE_PAGES = (
    _CodePage("cp1251", _CYRILLIC, 0.76),
    _CodePage("koi8-r", _CYRILLIC, 0.76),
    _CodePage("cp1253", frozenset("αοιετσνηυρπκάίέόςμλ"), 0.85),
    _CodePage("cp1255", frozenset("יוהלאתרבשמנד"), 0.75),
    _CodePage("cp1256", frozenset("اليمونترةبعدكف"), 0.80),
    _CodePage(
        "gb18030",
        frozenset("的一是不了人在有中国大上个年为会日市月和这到时对地我来出公行方成新分生要工多后政业以本经发建长"),
        0.28,
    ),
    _CodePage(
        "big5hkscs",
        frozenset("的一是不了人在有中國大上個年為會日市月和這到時對地我來出公行方成新分生要工多後政業以本經發建長"),
        0.28,
    ),
    _CodePage("cp932", frozenset("のにをはがとたでしるいなれてすもらかっんーこま"), 0.42),
    _CodePage("cp949", frozenset("이다는에의을가고한하지로도사은기를인시서대원자일정어"), 0.42),
)

#: A reading counts when its frequent characters reach this part of the expected share.
_MIN_FIT = 0.6


def find_codepage(runs: Iterable[str]) -> str | None:
    """Name the code page that the suspicious runs of one document were written in, or None.

    One verdict for the whole document, because the short runs (menu entries) carry no evidence
    of their own.
    """
    suspicious = [run for run in runs if is_suspicious(run)]
    joined = "\n".join(suspicious)
    if len(_HIGH.findall(joined)) < _MIN_HIGH:
        return None
    data = joined.translate(_BYTE_OF).encode("latin-1")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return None
    fits = {page.codec: _fit(data, page) for page in _CODE_PAGES}
    best = max(fits, key=lambda codec: fits[codec])
    return best if fits[best] >= _MIN_FIT else None


def is_suspicious(run: str) -> bool:
    """Is the run made mostly of accented letters and symbols, as misread text is?"""
    beyond_ascii = len(run) - len(run.encode("ascii", "ignore"))
    # The cheap question first: sound text in Latin letters fails it at once.
    if beyond_ascii < 3 or beyond_ascii * 3 < len(run):  # noqa: PLR2004  (two letters prove nothing)
        return False
    if beyond_ascii < _MIN_HIGH_SHARE * (beyond_ascii + len(_ASCII_LETTER.findall(run))):
        return False
    return all(ord(char) in _BYTE_OF for char in run)


def reread(run: str, codec: str) -> str | None:
    """Read a suspicious run again in the code page found; None where it does not fit."""
    if not is_suspicious(run):
        return None
    try:
        return run.translate(_BYTE_OF).encode("latin-1").decode(codec)
    except UnicodeDecodeError:
        return None


def _fit(data: bytes, page: _CodePage) -> float:
    """Say how far the bytes look like news in this code page: 0 not at all, 1 as expected."""
    text = data.decode(page.codec, "ignore")
    beyond = [char for char in text if ord(char) >= 0x80]  # noqa: PLR2004  (ASCII ends there)
    lost = 1 - len(text.encode(page.codec, "ignore")) / len(data)
    if not beyond or lost > 0.02:  # noqa: PLR2004  (a cut sequence is forgiven, more is a misfit)
        return 0.0
    # "пРИВЕТ": the sign of KOI8-R read as cp1251 and the other way round.
    flips = len(re.findall(r"(?<=[^\W\d_A-Za-z])[^\W\d_A-Za-z]", text)) or 1
    swapped = sum(1 for a, b in pairwise(text) if a.islower() and b.isupper())
    share = sum(1 for char in beyond if char.lower() in page.frequent) / len(beyond)
    return share / page.expected * (1 - min(1.0, 4 * swapped / flips))
