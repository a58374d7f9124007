"""Points in time as news pages write them, in some eighty languages.

    text -> fold case, accents, digits -> tokens -> shape, one letter each -> patterns -> Moment

A line such as "Mittwoch, 7. Jänner 2026, 6:41 Uhr" becomes the shape ``W,_1._M_4,_1:2_h``. All
patterns are regular expressions over shapes: they are short, and what they repeat is bounded, so
they stay linear whatever stands in the line. Words, and what they do in a date, are data:
``data/months.toml`` and ``data/ago.toml`` (made from CLDR by ``tests/make_months.py``) and
``data/datewords.toml`` (by hand).

What is guessed, and how:

- ``07/01/2026`` and ``07-01-2026``: a part above 12 decides, then ``day_first``, then a weekday
  that only one reading falls on, then ``languages`` (month first only if every one of them is
  en-US or en-PH), then day first. Dots are always day first.
- Two-digit years are 2000..2068 and 1969..1999, as in POSIX ``strptime``. In running text such a
  date needs a time, a weekday or a word of dating beside it, else it may be a version or a score.
- Years 2400..2650 are Buddhist (minus 543). Years 1300..1499 in an all-digit date are Persian up
  to 1420 and lunar Hijri from 1421 on, which puts both within 1921..2076; ``languages`` decides
  otherwise where they name only Persian or Pashto, or only others.
- A name that is several months (Polish "listopad" is November, Croatian "listopad" October) is
  read by ``languages``, else as most speakers would: see ``[default]`` in ``data/months.toml``.
- A zone abbreviation with several meanings (IST, CST, AST...) cannot be placed in UTC: the day is
  kept as written, the time of day is dropped, and ``tz`` says what stood there.
- Precision "day" and coarser is a calendar day where it was written; no zone moves it.
- A date without a year is the last such day up to the day after the reference.
- Without a zone the clock is taken for UTC and ``tz`` is None.

Nothing here reads a clock: "today" and "2 hours ago" need a ``reference``.
"""

# ruff: noqa: PLR2004  Months, hours and leap years have numbers, and those are their names.

import re
import tomllib
import unicodedata
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from schemas.document import Moment, Precision

#: Longer values are not a time but a text.
MAX_VALUE = 200
#: Only so much of a line is searched.
MAX_LINE = 2_000
#: Words that ``parse_moment`` does not know and passes over ("by the newsroom,").
MAX_UNKNOWN = 5

_DATA = Path(__file__).with_name("data")


@dataclass(frozen=True, slots=True)
class Found:
    """A point in time in a line: what it is, and which characters say so."""

    moment: Moment
    start: int
    end: int


class _Options(NamedTuple):
    """What the caller knows beside the text."""

    day_first: bool | None
    languages: tuple[str, ...]
    reference: datetime | None
    first_year: int
    last_year: int
    #: Two-digit years need no support, month and year alone are enough.
    lenient: bool


# ---------------------------------------------------------------------------------------------
# The calendars


def gregorian_from_persian(year: int, month: int, day: int) -> date | None:
    """Turn a date of the Persian (solar Hijri) calendar into a Gregorian one; None if impossible.

    Leap years follow the 33-year cycle, years with (25 y + 11) mod 33 < 8. It agrees with the
    astronomical rule from 1210 to 1634 (K. M. Borkowski, "The Persian calendar for 3000 years",
    Earth, Moon and Planets 74, 1996, 223-230). The anchor is 1 Farvardin 1403, 20 March 2024.

    >>> gregorian_from_persian(1404, 10, 17)
    datetime.date(2026, 1, 7)
    """
    leap = (25 * year + 11) % 33 < 8
    last = 31 if month <= 6 else 30 if month < 12 or leap else 29
    if not (1210 <= year <= 1634 and 1 <= month <= 12 and 1 <= day <= last):
        return None
    low, high = sorted((year, 1403))
    leaps = sum((25 * one + 11) % 33 < 8 for one in range(low, high))
    days = (high - low) * 365 + leaps
    new_year = date(2024, 3, 20) + timedelta(days=days if year >= 1403 else -days)
    return new_year + timedelta(days=31 * (month - 1) - max(0, month - 7) + day - 1)


def gregorian_from_hijri(year: int, month: int, day: int) -> date | None:
    """Turn a date of the lunar Hijri calendar into a Gregorian one; None if impossible.

    This is the tabular civil calendar (epoch 16 July 622 Julian, leap years 2, 5, 7, 10, 13, 16,
    18, 21, 24, 26, 29 of each 30; Reingold and Dershowitz, "Calendrical Calculations", 4th ed.,
    2018, chapter 7). Months that begin by sight or by Umm al-Qura differ by a day at times, so
    the answer may be one day off.

    >>> gregorian_from_hijri(1447, 7, 18)
    datetime.date(2026, 1, 7)
    """
    if not (1 <= year <= 1700 and 1 <= month <= 12 and 1 <= day <= 30):
        return None
    passed = 354 * (year - 1) + (11 * year + 3) // 30 + 29 * (month - 1) + month // 2 + day
    return date.fromordinal(227_014 + passed)


# ---------------------------------------------------------------------------------------------
# Folding: one character in, at most one out, so that places in the line can be told

#: Letters that have no decomposition but are often written plainly.
_PLAIN = str.maketrans("ıłøđðσςىیېکەہھۀةؐ\N{MODIFIER LETTER APOSTROPHE}", "iloddσσيييكهههههه'")
#: Combining classes of marks that spell the word: viramas, kana voicing, Thai, Lao and Tibetan.
_SPELLING = frozenset({0, 8, 9, 84, 91, 103, 107, 118, 122, 129, 130, 132})
_STOPS = "。।॥۔։።។။॰፡"
_COMMAS = "、،؛፣၊՝"
_QUOTES = "‘’‛`´′׳״“”"
_PUNCTUATION = (
    {ord(mark): "." for mark in _STOPS}
    | {ord(mark): "," for mark in _COMMAS}
    | {ord(mark): "'" for mark in _QUOTES}
    | {0x2236: ":", 0x2212: "-", 0x066B: ".", 0x02D9: ".", 0x30FB: ";", 0xB7: ";"}
)


class _Folds(dict[int, str | None]):
    """What each character is folded to, worked out when first met."""

    def __missing__(self, code: int) -> str | None:
        folded = self[code] = _fold(chr(code))
        return folded


def _fold(char: str) -> str | None:
    """Fold one character; None drops it."""
    if char == "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}":
        return "i"
    known = _PUNCTUATION.get(ord(char))
    category = unicodedata.category(char)
    if known or category == "Nd":
        return known or str(unicodedata.decimal(char))
    if category in {"Cf", "Mn", "Me"} or char == "\N{ARABIC TATWEEL}":
        spells = category == "Mn" and unicodedata.combining(char) in _SPELLING
        return char if spells else None
    if category[0] in "ZC":
        return " "
    plain = unicodedata.normalize("NFKC", char)
    if len(plain) == 1 and not plain.isdecimal():
        char = plain
    decomposed = unicodedata.normalize("NFD", char)
    base, marks = decomposed[0], decomposed[1:]
    if marks and all(unicodedata.combining(mark) not in _SPELLING for mark in marks):
        char = base
    category = unicodedata.category(char)
    if char > "\x7f" and category[0] in "PSN" and category != "Nl":
        return "-" if category == "Pd" else ";" if category[0] == "P" else "?"
    return char.lower().translate(_PLAIN)[:1]


_FOLDS = _Folds()


# ---------------------------------------------------------------------------------------------
# Tokens

_CJK = "\u3005-\u3007\u3040-\u30ff\u3400-\u9fff"
_NUMERALS = "〇零一二三四五六七八九"
_TOKEN = (
    r"(\d+)"  # 1 number
    r"|(\s+)"  # 2 space
    r"|((?<=\()[月火水木金土日](?=\)))"  # 3 Japanese weekday in brackets
    rf"|([{_NUMERALS}十]+(?=[年月日号號時时点點分秒])|元(?=年))"  # 4 number in Chinese
    r"|((?<=\d)[년월일시분초])"  # 5 Korean unit
    rf"|([{_CJK}])"  # 6 other Chinese and Japanese, one by one
    rf"|([^\x00-@\[-`{{-\x7f{_CJK}]+)"  # 7 word
    r"|(.)"  # 8 punctuation
)
_NUMBER, _SPACE, _BRACKETED, _CHINESE, _KOREAN, _HAN, _WORD, _MARK = range(1, 9)
_MARKS = dict(zip(".,/-:()[]{}'+|;*<>~_\"`", ".,/-:()()()'+;;;;;;;;;", strict=False))
#: A small letter and then a capital: two words run together ("a.mJan 7").
_CAMEL = re.compile(r"[a-zß-öø-ÿά-ώа-яіїєґ](?=[A-ZÀ-ÖØ-ÞΆ-ΏΑ-ΩА-ЯІЇЄҐ])")
#: Shape letter of a number, by how many digits it has.
_GLUED = re.compile(r"[.\s]m(?=[A-ZÀ-ÖØ-Þ])")

_DIGITS = "L1234LLL8"
#: Unknown words this many tokens from a number are looked at twice.
_NEAR = 5
#: How far a phrase may be broken up by spaces and dots ("π. μ.").
_BREAKS = "_.-'"


#: Kind, folded text, start, end.
_Token = tuple[int, str, int, int]


class _Line(NamedTuple):
    """A line, read: one entry per token everywhere."""

    source: str
    shape: str
    #: The folded word or phrase, or the digits.
    words: tuple[str, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def written(self, start: int, end: int) -> str:
        """Give the source text of some tokens."""
        return self.source[self.starts[start] : self.ends[end - 1]]


def _chinese_number(text: str) -> str:
    """Turn a small number in Chinese digits into ASCII digits."""
    if text == "元":
        return "1"
    if "十" not in text:
        return "".join(str("零一二三四五六七八九".index("零" if c == "〇" else c)) for c in text)
    tens, _, ones = text.partition("十")
    if len(tens) > 1 or len(ones) > 1:
        return "99"
    return str(10 * int(_chinese_number(tens or "一")) + int(_chinese_number(ones or "零")))


@cache
def _token() -> re.Pattern[str]:
    return re.compile(_TOKEN, re.DOTALL)


def _tokens(source: str) -> list[_Token]:
    """Cut a text into (kind, folded text, start, end)."""
    folded = source.lower() if source.isascii() else source.translate(_FOLDS)
    places: Sequence[int] | None = None
    if len(folded) != len(source):
        places = [at for at, char in enumerate(source) if _FOLDS[ord(char)] is not None]
    found = []
    for match in _token().finditer(folded):
        kind = match.lastindex or _MARK
        start, end = match.span()
        if places is not None:
            start, end = places[start], places[end - 1] + 1
        text = match.group()
        if kind == _CHINESE:
            kind, text = _NUMBER, _chinese_number(text)
        found.append((kind, text, start, end))
    return found


def spell(text: str) -> str:
    """Give the form in which words stand in the data: folded, one space between tokens.

    >>> spell("7 Févr.")
    '7 fevr'
    """
    kept = (text for kind, text, _, _ in _tokens(text) if kind not in {_SPACE, _MARK})
    return " ".join(kept)


# ---------------------------------------------------------------------------------------------
# Words


@dataclass(frozen=True, slots=True)
class _Lexicon:
    """The words of dates, all folded."""

    #: Word or phrase to shape letter.
    classes: Mapping[str, str]
    #: First token of a phrase to the rest of it, longest first, and the whole.
    phrases: Mapping[str, list[tuple[list[str], str]]]
    months: Mapping[str, int]
    #: Names that are another month in some languages: name to language to month.
    elsewhere: Mapping[str, Mapping[str, int]]
    weekdays: Mapping[str, int]
    periods: Mapping[str, str]
    persian: Mapping[str, int]
    hijri: Mapping[str, int]
    eras: Mapping[str, int]
    days: Mapping[str, int]
    fixed: Mapping[str, int]
    american: Mapping[str, int]


def _load(name: str) -> dict[str, Any]:
    with (_DATA / name).open("rb") as file:
        return tomllib.load(file)


def _columns(rows: Mapping[str, str]) -> Iterator[tuple[str, int, str]]:
    """Give (language, number from 1, folded name) for rows of "a;b|c|d"."""
    for language, row in rows.items():
        for number, names in enumerate(row.split("|"), 1):
            for name in names.split(";"):
                if name:
                    yield language, number, name


@cache
def _joints() -> re.Pattern[str]:
    """Give what stands between the tokens of a phrase in a list of words."""
    return re.compile(rf"[\s.'-]+|(?<=[{_CJK}])(?=[{_CJK}])")


def _spelled(words: str) -> list[str]:
    """Spell a list of words: what ``spell`` does to each, at the price of one."""
    folded = _joints().sub(" ", words.translate(_FOLDS))
    return [clean for word in folded.split(";") if (clean := word.strip())]


def _hand(rows: Mapping[str, str]) -> Iterator[tuple[str, int, str]]:
    for language, row in rows.items():
        for number, names in enumerate(row.split("|"), 1):
            for name in _spelled(names) if names else ():
                yield language, number, name


@cache
def _lexicon() -> _Lexicon:
    """Read the data, once."""
    cldr, hand = _load("months.toml"), _load("datewords.toml")
    classes: dict[str, str] = {}
    for role in "kotDNYsmh":
        classes.update(dict.fromkeys(_spelled(hand["roles"][role]), role))
    classes = dict.fromkeys(cldr["words"]["all"].split(";"), "k") | classes
    zones = hand["zones"]
    ambiguous = frozenset(_spelled(zones["ambiguous"]["words"]))
    for name in (*zones["fixed"], *zones["us"], *ambiguous):
        # "est", "et", "art" are words too: whether they are capitals is asked in the line.
        classes[name] = classes.get(name, "") + "Z"
    periods = {name: kind for kind, row in hand["periods"].items() for name in _spelled(row)}
    classes.update(dict.fromkeys(periods, "A"))
    for kind, row in cldr["periods"].items():
        # Unlike those by hand, these do not take words away ("de" is a morning in Hungary).
        free = [name for name in row.split(";") if classes.setdefault(name, "A") == "A"]
        periods = dict.fromkeys(free, kind) | periods
    eras = {name: year for words, year in hand["eras"].items() for name in _spelled(words)}
    days = {name: int(add) for add, row in hand["days"].items() for name in _spelled(row)}
    persian = {name: number for _, number, name in _hand(hand["persian"])}
    hijri = {name: number for _, number, name in _hand(hand["hijri"])}
    weekdays = {name: number for _, number, name in _columns(cldr["weekdays"])}
    weekdays |= {name: number for _, number, name in _hand(hand["weekdays"])}
    months = {name: number for _, number, name in _hand(hand["months"])}
    months |= {name: number for _, number, name in _columns(cldr["months"])}
    months |= cldr["default"]
    # "de" and "h" are weekdays in some lists, but all over other dates.
    long = {name for name in weekdays if len(name) > 2}
    classes = dict.fromkeys(weekdays, "W") | classes | {"t": "T"}
    for letter, names in (("E", eras), ("R", days), ("W", long), ("H", hijri)):
        # "CET" in capitals stays the zone that it is beside "čet", Thursday.
        classes.update({name: letter + ("Z" if classes.get(name, "").endswith("Z") else "") for name in names})
    classes.update(dict.fromkeys(persian, "J"))
    classes.update({name: "B" if name in weekdays else "M" for name in months})
    return _Lexicon(
        classes=classes,
        phrases=_by_first_word(classes),
        months=months,
        elsewhere=cldr["elsewhere"],
        weekdays=weekdays,
        periods=periods,
        persian=persian,
        hijri=hijri,
        eras=eras,
        days=days,
        fixed=zones["fixed"],
        american=zones["us"],
    )


def _by_first_word(classes: Mapping[str, str]) -> dict[str, list[tuple[list[str], str]]]:
    """Sort the phrases among the words by their first word, longest first."""
    phrases: dict[str, list[tuple[list[str], str]]] = {}
    for phrase in classes:
        if " " in phrase:
            first, *rest = phrase.split(" ")
            phrases.setdefault(first, []).append((rest, phrase))
    for group in phrases.values():
        group.sort(key=lambda item: -len(item[0]))
    return phrases


def _phrase_end(tokens: list[_Token], at: int, rest: list[str]) -> int | None:
    """Say where a phrase ends whose first word stands before ``at``; None if it is another."""
    for word in rest:
        for _ in range(2):
            if at < len(tokens) and (tokens[at][0] == _SPACE or tokens[at][1] in _BREAKS):
                at += 1
        if at >= len(tokens) or tokens[at][1] != word:
            return None
        at += 1
    return at


def _read(source: str, *, give_up: int = MAX_LINE) -> _Line:  # noqa: C901, PLR0912  One hot loop.
    """Read a line: tokens, phrases and their shape. Stops after so many unknown words."""
    lexicon = _lexicon()
    classes, phrases = lexicon.classes, lexicon.phrases
    tokens = _tokens(source)
    if _GLUED.search(source):
        # Now, because "p.m" is known as a phrase of two words.
        tokens = [part for token in tokens for part in _parted(token, source)]
    read: list[tuple[str, str, int, int]] = []
    near: set[int] | None = None
    at = unknown = 0
    while at < len(tokens) and unknown <= give_up:
        kind, text, start, end = tokens[at]
        at += 1
        if kind == _SPACE:
            letter = "_"
        elif kind == _NUMBER:
            letter = _DIGITS[len(text)] if len(text) < len(_DIGITS) else "L"
        elif kind == _MARK:
            letter = _MARKS.get(text, "?")
        elif kind == _BRACKETED:
            letter, text = "W", f"{text} 曜"
        else:
            if text in phrases:
                for rest, phrase in phrases[text]:
                    last = _phrase_end(tokens, at, rest)
                    if last is not None:
                        at, text, end = last, phrase, tokens[last - 1][3]
                        break
            letter = classes.get(text, "x")
            if letter == "x":
                if near is None:
                    near = _near_numbers(tokens)
                if kind == _WORD and at in near:
                    if parts := _run_together(source, text, start, end):
                        tokens[at - 1 : at] = parts
                        near.add(at + 1)
                        at -= 1
                        continue
                    letter, text = _inflected(text, lexicon)
                unknown += letter == "x"
            elif letter[-1] == "Z":
                written = source[start:end]
                # "ČET" in capitals is no zone: none has a mark on a letter of a weekday.
                spoken = (written.isupper() and (len(letter) == 1 or written.isascii())) or written in {"z", "мск"}
                letter = "Z" if spoken else letter[0] if len(letter) > 1 else "x"
        read.append((letter, text, start, end))
    if not read:
        return _Line(source, "", (), (), ())
    letters, words, starts, ends = zip(*read, strict=True)
    return _Line(source, "".join(letters), words, starts, ends)


def _near_numbers(tokens: list[_Token]) -> set[int]:
    """Say after which tokens a word is worth a second look."""
    return {
        place
        for number, token in enumerate(tokens)
        if token[0] == _NUMBER
        for place in range(number - _NEAR, number + _NEAR)
    }


def _parted(token: _Token, source: str) -> list[_Token]:
    """Cut the "m" off a word that was glued to it ("p.mFeb 4")."""
    kind, text, start, end = token
    glued = kind == _WORD and _GLUED.match(source, start - 1) is not None
    return (_run_together(source, text, start, end) if glued else None) or [token]


def _run_together(source: str, text: str, start: int, end: int) -> list[_Token] | None:
    """Cut a word at a capital after a small letter ("a.mJan 7"); None if it has none."""
    split = _CAMEL.search(source, start, end)
    if split is None or end - start != len(text):
        return None
    cut = split.end() - start
    return [(_WORD, text[:cut], start, start + cut), (_WORD, text[cut:], start + cut, end)]


def _inflected(word: str, lexicon: _Lexicon) -> tuple[str, str]:
    """Read a word as a month with an ending ("Januars", "იანვარს"), else as unknown."""
    for cut in (1, 2, 3):
        stem = word[:-cut]
        if len(stem) >= 4 + cut // 2 and stem in lexicon.months:
            return "M", stem
    return "x", word


# ---------------------------------------------------------------------------------------------
# Patterns over shapes
#
#   1 2 3 4 L  number of that many digits (L: more; 8: eight)    _  space
#   M  month   B  month or weekday   J  Persian month   H  Hijri month   W  weekday
#   Y N D      marks of year, month and day     E  era     o  ordinal ending     k  other date word
#   h m s      clock units    t  "at"    A  half of the day    Z  zone    T  the letter T
#   R  today, yesterday    x  any other word    . , / - : ( ) ' + ;  themselves (; is any other)

_GAP = r"[_.,/()'koDYtm-]{0,6}"
_SHORT_GAP = r"[_.'ko-]{0,4}"
_MONTH = r"[MB](?:_?/_?[MB]|_?\(_?[MB]_?\))?"
_WEEKDAY = r"(?:(?P<w>[WB])(?!_?/)[_.,()'ktDo-]{0,6})?"
_FRESH = r"(?<![1-4L8])(?<![1-4L8][-./:,'+])(?<!(?<![:h])[12]_-_)"
_DONE = r"(?![1-4L8])(?![./:][1-4L8])(?!-[1-4L8](?!:))"
_NO_CLOCK = r"(?!_?[:hA])(?!\.2)"

#: Name of the calendar rule and pattern; what stands first wins at the same place.
_DATES: tuple[tuple[str, str], ...] = (
    # Wed Jan 7 06:41:00 +0200 2026
    (
        "named",
        (
            rf"{_WEEKDAY}(?P<m>[MB])\.?_(?P<d>[12])_(?P<clock>[12]:2(?::2)?(?:_?A)?)"
            r"(?:_(?P<zone>Z|[+-]4))?_(?P<y>4)(?![1-4L8])"
        ),
    ),
    # 2026-01-07, 2026. 1. 7.
    ("numeric", rf"{_FRESH}(?P<y>4)_?(?P<sep>[-./])_?(?P<m>[12])_?(?P=sep)_?(?P<d>[12]){_DONE}"),
    # 2026年1月7日, 令和8年1月7日, 2026 оны 1-р сарын 7
    (
        "numeric",
        (
            rf"(?:(?P<era>E)_?(?P<ey>[1-3])|{_FRESH}(?P<y>4)){_GAP}(?P<m>[12])[_-]?N{_GAP}(?P<d>[12])"
            r"(?![1-4L8])(?:_?D)?"
        ),
    ),
    # 7. 1. 2026, 07/01/26
    (
        "numeric",
        rf"{_WEEKDAY}{_FRESH}(?P<p>[12])_?(?P<sep>[./-])_?(?P<q>[12])_?(?P=sep)_?(?P<y>4){_DONE}",
    ),
    ("numeric", rf"{_WEEKDAY}{_FRESH}(?P<p>[12])(?P<sep>[./])(?P<q>[12])(?P=sep)(?P<yy>2){_DONE}"),
    # 7 January 2026, 7 de enero de 2026
    ("named", rf"{_WEEKDAY}{_FRESH}(?P<d>[12]){_GAP}(?P<m>{_MONTH}){_GAP}(?P<y>4)(?![1-4L8])"),
    ("persian", rf"{_WEEKDAY}{_FRESH}(?P<d>[12]){_GAP}(?P<m>J){_GAP}(?P<y>4)(?![1-4L8])"),
    ("hijri", rf"{_WEEKDAY}{_FRESH}(?P<d>[12]){_GAP}(?P<m>H){_GAP}(?P<y>4)(?![1-4L8])"),
    # January 7, 2026
    ("named", rf"{_WEEKDAY}(?P<m>{_MONTH}){_GAP}(?P<d>[12]){_GAP}(?P<y>4)(?![1-4L8])"),
    # ngày 7 tháng 1 năm 2026
    ("numeric", rf"{_FRESH}(?P<d>[12])[_,/-]{{0,2}}N_?(?P<m>[12]){_GAP}(?P<y>4)(?![1-4L8])"),
    # 2026. január 7.; 2026. gada 7. janvāris
    (
        "named",
        rf"{_FRESH}(?P<y>4){_GAP}(?P<m>{_MONTH}){_GAP}(?P<d>[12])(?![1-4L8])(?!{_GAP}4)(?!:)",
    ),
    (
        "named",
        rf"{_FRESH}(?P<y>4)[_.,-]{{0,3}}[kYo]{_GAP}(?P<d>[12]){_GAP}(?P<m>{_MONTH})(?!{_GAP}4)",
    ),
    # 07-Jan-26, 7 Jan 26
    (
        "named",
        (
            rf"{_WEEKDAY}{_FRESH}(?P<d>[12])[_.-]{{0,2}}(?P<m>[MB])[_.,'-]{{0,3}}(?P<yy>2)"
            rf"{_NO_CLOCK}(?![1-4L8])"
        ),
    ),
    # January 2026, 2026年1月
    ("month", rf"(?P<m>{_MONTH}){_GAP}(?P<y>4)(?![1-4L8])"),
    ("month", rf"N_?(?P<m>[12]){_GAP}(?P<y>4)(?![1-4L8])"),
    ("month", rf"{_FRESH}(?P<y>4){_GAP}(?P<m>[12])[_-]?N(?![_-]?[1-4L8])"),
    ("month", rf"{_FRESH}(?P<y>4)[_.]{{0,2}}(?P<m>{_MONTH})(?![_.]{{0,2}}[1-4L8])"),
    # heute
    ("relative", r"(?P<r>R)"),
    # Dates whose year the reader is meant to know.
    ("yearless", rf"{_WEEKDAY}{_FRESH}(?P<d>[12]){_SHORT_GAP}(?P<m>{_MONTH})(?![1-4L8])"),
    ("yearless", rf"{_WEEKDAY}(?P<m>{_MONTH}){_SHORT_GAP}(?P<d>[12])(?!_?[:hA])(?![1-4L8])(?!\.2)"),
    (
        "yearless",
        rf"{_FRESH}(?P<m>[12])[_-]?N_?(?P<d>[12])(?:_?D|(?=_?$))",
    ),
)

_OFFSET = r"[+-](?:[12]:2|4|2|1)(?![.:/1-4L8-])"
_ZONE = rf"(?:_?\(?_?(?P<z>Z(?:_?[+-](?:[12](?::2)?|4|3)(?![.:/1-4L8]))?|{_OFFSET}))?"
_CLOCK_START = r"(?<![1-4L8])(?<![1-4L8][.:,-])"
_CLOCK_END = r"(?![1-4L8])(?![.:][1-4L8])"
_HALF_BEFORE = r"(?:(?P<a>A)[_.]{0,2})?"
_HALF_AFTER = r"(?:_?(?P<b>A)\.?)?"
_CLOCKS: tuple[tuple[str, str], ...] = (
    # 06:41:00.123 +02:00, 6:41 a.m. ET, 오전 6:41
    (
        "clock",
        (
            rf"(?:Z_)?{_HALF_BEFORE}{_CLOCK_START}(?P<h>[12]):(?P<i>2)"
            rf"(?::(?P<s>2)(?:[.,](?P<f>[1-4L]))?)?{_CLOCK_END}{_HALF_AFTER}(?:_?h\.?)?{_ZONE}"
        ),
    ),
    # 6h41, 6 Uhr, 18時20分
    (
        "clock",
        (
            rf"{_HALF_BEFORE}{_CLOCK_START}(?P<h>[12])_?h_?"
            r"(?:(?P<i>2|1(?=_?m))(?!_?[hA/.])(?:_?m)?(?:_?(?P<s>[12])_?s)?)?(?![1-4L8])"
            rf"{_HALF_AFTER}{_ZONE}"
        ),
    ),
    # klo 6.41
    (
        "clock",
        (
            rf"(?:[th]\.?_?|A_?){_CLOCK_START}(?P<h>[12])\.(?P<i>2)(?:\.(?P<s>2))?(?!\.?[1-4L8])"
            rf"{_HALF_AFTER}(?:_?h\.?)?{_ZONE}"
        ),
    ),
    ("clock", rf"{_CLOCK_START}(?P<h>[12])\.(?P<i>2)(?:_?(?P<b>A)\.?|_?h\.?){_ZONE}"),
    # 6 a.m.
    ("clock", rf"{_CLOCK_START}(?P<h>[12])_?(?P<b>A)\.?{_ZONE}"),
    # Only right after a date: 7.1.2026 06.41
    (
        "bare",
        rf"{_CLOCK_START}(?P<h>[12])\.(?P<i>2)(?:\.(?P<s>2))?(?![.,:]?[1-4L8]){_ZONE}",
    ),
)
#: What may stand between a date and its time of day, and how many tokens of it.
_BETWEEN_DATE_AND_CLOCK = frozenset("_.,;:()/'kthWBTDoY-")
_BETWEEN = 11
_DATE_STARTS = "1-4MBWEJHNR"
_CLOCK_STARTS = "12AthZ"
#: Tokens a date line may hold beside dates and clocks.
_BESIDE = frozenset("_.,;:()/'ktWBTDoYhZA-")


class _Match(NamedTuple):
    """What a pattern found: token spans by the name of their part."""

    kind: str
    start: int
    end: int
    spans: dict[str, tuple[int, int]]


class _Patterns:
    """One regular expression that tries several patterns in turn and says which one matched."""

    def __init__(self, named: Sequence[tuple[str, str]], *, may_start: str) -> None:
        parts = []
        for number, (_, pattern) in enumerate(named):
            unique = re.sub(r"\(\?P([<=])([a-z]+)", rf"(?P\g<1>\g<2>{number}", pattern)
            parts.append(f"(?P<whole{number}>{unique})")
        self.regex = re.compile(f"(?=[{may_start}])(?:{'|'.join(parts)})")
        #: By group number of the whole: the kind, and the groups inside.
        self.rules: dict[int, tuple[str, list[tuple[str, int]]]] = {}
        groups = self.regex.groupindex
        for number, (kind, _) in enumerate(named):
            inner = [
                (name.rstrip("0123456789"), group)
                for name, group in groups.items()
                if name.lstrip("abcdefghijklmnopqrstuvwxyz") == str(number)
            ]
            self.rules[groups[f"whole{number}"]] = (kind, inner)

    def search(self, shape: str, start: int = 0) -> _Match | None:
        """Find the first place where one of the patterns holds."""
        match = self.regex.search(shape, start)
        return self._named(match) if match else None

    def match(self, shape: str, start: int) -> _Match | None:
        """Try the patterns at one place."""
        match = self.regex.match(shape, start)
        return self._named(match) if match else None

    def all(self, shape: str, start: int, end: int) -> Iterator[_Match]:
        """Find all places, one after the other."""
        return (self._named(match) for match in self.regex.finditer(shape, start, end))

    def _named(self, match: re.Match[str]) -> _Match:
        kind, inner = self.rules[match.lastindex or 0]
        spans = {name: span for name, group in inner if (span := match.span(group))[0] >= 0}
        start, end = spans["whole"]
        return _Match(kind, start, end, spans)


@cache
def _date_patterns() -> _Patterns:
    return _Patterns(_DATES, may_start=_DATE_STARTS)


@cache
def _clock_patterns() -> _Patterns:
    return _Patterns(_CLOCKS, may_start=_CLOCK_STARTS)


# Few shapes make up most of what is read, so that what was found in them is worth keeping.


@lru_cache(maxsize=4096)
def _find_date(shape: str, start: int) -> _Match | None:
    return _date_patterns().search(shape, start)


@lru_cache(maxsize=4096)
def _date_at(shape: str, at: int) -> _Match | None:
    return _date_patterns().match(shape, at)


@lru_cache(maxsize=4096)
def _clock_at(shape: str, at: int) -> _Match | None:
    """Find a time of day that stands on its own."""
    match = _clock_patterns().match(shape, at)
    return match if match and match.kind == "clock" else None


@lru_cache(maxsize=4096)
def _clock_after(shape: str, start: int) -> _Match | None:
    """Find the time of day that belongs to the date before it."""
    for at in range(start, min(start + _BETWEEN, len(shape))):
        if match := _clock_patterns().match(shape, at):
            return match
        if shape[at] not in _BETWEEN_DATE_AND_CLOCK:
            return None
    return None


@lru_cache(maxsize=4096)
def _clock_before(shape: str, end: int) -> _Match | None:
    """Find a time of day that stands right before a date."""
    found = None
    for match in _clock_patterns().all(shape, max(0, end - 24), end):
        between = shape[match.end : end]
        near = len(between) < _BETWEEN and _BETWEEN_DATE_AND_CLOCK.issuperset(between)
        if match.kind == "clock" and near:
            found = match
    return found


# ---------------------------------------------------------------------------------------------
# From patterns to points in time


class _Clock(NamedTuple):
    """A time of day as written."""

    hour: int
    minute: int
    second: int
    microsecond: int
    precision: Precision
    zone: str | None
    #: Token after the last one.
    end: int


class _Reading(NamedTuple):
    """A point in time and the tokens that say so."""

    moment: Moment
    start: int
    end: int


def _primary(tag: str) -> str:
    return tag.replace("_", "-").partition("-")[0].lower()


def _month_number(line: _Line, span: tuple[int, int], options: _Options) -> int | None:
    """Give the month that one or two names say ("كانون الثاني/يناير"); None if they differ."""
    lexicon = _lexicon()
    numbers = set()
    for at in range(*span):
        name, letter = line.words[at], line.shape[at]
        if letter == "J":
            numbers.add(lexicon.persian[name])
        elif letter == "H":
            numbers.add(lexicon.hijri[name])
        elif letter in "MB":
            number = lexicon.months[name]
            elsewhere = lexicon.elsewhere.get(name, {})
            for tag in options.languages:
                if (theirs := elsewhere.get(_primary(tag))) is not None:
                    number = theirs
                    break
            numbers.add(number)
    return numbers.pop() if len(numbers) == 1 else None


def _gregorian(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


#: Languages whose speakers count years by the Persian calendar.
_PERSIAN = frozenset({"fa", "ps", "prs", "ckb", "mzn", "glk", "lrc"})
#: The last year that an all-digit date of the 14th and 15th century is read as Persian for.
_LAST_PERSIAN = 1420
#: From here to 2100 a Nepali year is one of the Bikram Sambat calendar, which we cannot read.
_FIRST_BIKRAM = 2060
_THAI = re.compile("[\u0e00-\u0eff]")


def _numeric_date(year: int, month: int, day: int, options: _Options) -> date | None:
    """Read a date of digits: Gregorian, Buddhist, Persian or lunar Hijri, as its year shows."""
    if 1300 <= year <= 1499:
        tongues = {_primary(tag) for tag in options.languages}
        persian = tongues <= _PERSIAN if tongues else year <= _LAST_PERSIAN
        convert = gregorian_from_persian if persian else gregorian_from_hijri
        return convert(year, month, day)
    return _named_date(year, month, day, options)


def _named_date(year: int, month: int, day: int, options: _Options) -> date | None:
    """Read a date with a month of the Gregorian calendar; the year may be Buddhist."""
    if 2400 <= year <= 2650:
        return _gregorian(year - 543, month, day)
    tongues = {_primary(tag) for tag in options.languages}
    if year > _FIRST_BIKRAM and tongues == {"ne"}:
        return None
    return _gregorian(year, month, day)


def _weekday(line: _Line, match: _Match) -> int | None:
    if (span := match.spans.get("w")) is None:
        return None
    return _lexicon().weekdays.get(line.words[span[0]])


def _ordered(line: _Line, match: _Match, year: int, options: _Options) -> date | None:
    """Read "07/01/2026": two parts of which one is the day."""
    spans = match.spans
    first, second = int(line.words[spans["p"][0]]), int(line.words[spans["q"][0]])
    day_first = _numeric_date(year, second, first, options)
    month_first = _numeric_date(year, first, second, options)
    if line.shape[spans["sep"][0]] == ".":
        return day_first
    if day_first is None or month_first is None:
        return day_first or month_first
    if options.day_first is not None:
        return day_first if options.day_first else month_first
    weekday = _weekday(line, match)
    fits = [day for day in (day_first, month_first) if day.isoweekday() == weekday]
    if len(fits) == 1:
        return fits[0]
    american = {tag.replace("_", "-").lower() for tag in options.languages}
    return month_first if american and american <= {"en-us", "en-ph"} else day_first


def _year(line: _Line, match: _Match) -> int:
    """Read the year of a match: of an era, of four digits, or of two.

    Two digits are Buddhist after a Thai month, else as in POSIX.
    """
    spans, words = match.spans, line.words
    if "era" in spans:
        return _lexicon().eras[words[spans["era"][0]]] + int(words[spans["ey"][0]])
    if "y" in spans:
        return int(words[spans["y"][0]])
    year = int(line.words[match.spans["yy"][0]])
    if "m" in match.spans and _THAI.match(line.words[match.spans["m"][0]]):
        return 2500 + year
    return year + (2000 if year <= 68 else 1900)


def _day(line: _Line, match: _Match, options: _Options) -> tuple[date, Precision] | None:
    """Read the date of a match; None if there is no such day or it is out of range."""
    spans, words = match.spans, line.words
    kind = match.kind
    if kind in {"relative", "yearless"}:
        return _day_by_reference(line, match, options)
    year = _year(line, match)
    if "p" in spans:
        found = _ordered(line, match, year, options)
    else:
        start = spans["m"][0]
        digits = line.shape[start] in "12"
        month = int(words[start]) if digits else _month_number(line, spans["m"], options)
        day = int(words[spans["d"][0]]) if "d" in spans else 1
        if month is None:
            return None
        convert = {"persian": gregorian_from_persian, "hijri": gregorian_from_hijri}.get(kind)
        if convert:
            found = convert(year, month, day)
        else:
            read = _named_date if kind in {"named", "month"} else _numeric_date
            found = read(year, month, day, options)
    if found is None or not options.first_year <= found.year <= options.last_year:
        return None
    return found, "month" if kind == "month" else "day"


def _day_by_reference(line: _Line, match: _Match, options: _Options) -> tuple[date, Precision] | None:
    """Read "yesterday" or "7 January", seen from the reference."""
    if options.reference is None:
        return None
    today = options.reference.date()
    if match.kind == "relative":
        return today + timedelta(days=_lexicon().days[line.words[match.start]]), "day"
    month, day = _yearless(line, match, options)
    # The last such day; a page may be written tomorrow already, east of us.
    for year in range(today.year + 1, today.year - 9, -1):
        found = _gregorian(year, month, day)
        if found and found <= today + timedelta(days=1):
            return found, "day"
    return None


def _yearless(line: _Line, match: _Match, options: _Options) -> tuple[int, int]:
    """Give the month and day of a date without a year; month 0 where the names differ."""
    start = match.spans["m"][0]
    day = int(line.words[match.spans["d"][0]])
    if line.shape[start] in "12":
        return int(line.words[start]), day
    return _month_number(line, match.spans["m"], options) or 0, day


def _hour(hour: int, period: str | None) -> int:
    """Turn an hour of half a day into one of 24; an hour above 12 stays as written."""
    if period is None or hour > 12:
        return hour
    if period == "am":
        return hour % 12
    if period == "night":
        return hour % 12 + (12 if 6 <= hour < 12 else 0)
    if period == "noon":
        return hour + 12 if hour < 11 else hour
    return hour % 12 + 12


def _clock(line: _Line, match: _Match, *, iso: bool) -> _Clock | None:
    """Read the time of day of a match; None if there is none such (25:61).

    ``iso`` says whether a date as in ISO 8601 stands before it: only then "-05:00" is an offset,
    else it is the end of a time span.
    """
    spans, words = match.spans, line.words

    def number(name: str) -> int:
        return int(words[spans[name][0]]) if name in spans else 0

    period = spans.get("b") or spans.get("a")
    half = _lexicon().periods[words[period[0]]] if period else None
    hour, minute, second = _hour(number("h"), half), number("i"), number("s")
    micro = int(words[spans["f"][0]][:6].ljust(6, "0")) if "f" in spans else 0
    if hour > 24 or minute > 59 or second > 60 or (hour == 24 and (minute or second)):
        return None
    precision: Precision = "second" if "s" in spans else "minute" if "i" in spans else "hour"
    zone, end = None, match.end
    if "z" in spans:
        zone = line.written(*spans["z"])
        if zone[0] in "-\N{MINUS SIGN}\N{EN DASH}" and not (iso or (len(zone) == 5 and ":" not in zone)):
            zone, end = None, spans["z"][0]
    return _Clock(hour, minute, second, micro, precision, zone, end)


_OFFSET_DIGITS = re.compile(r"([+-])(\d{1,2}):?(\d\d)?$")
#: The largest offset in use is UTC+14 (Kiribati); no clock is further from Greenwich.
_MAX_OFFSET = 14 * 60


def _offset(zone: str, clock: datetime) -> int | None:
    """Give the minutes east of Greenwich of a zone as written; None if they cannot be known."""
    if zone in {"Z", "UTC", "GMT"}:
        return 0
    lexicon = _lexicon()
    folded = zone.translate(_FOLDS).replace(" ", "")
    letters = folded.rstrip("0123456789:+-")
    if digits := _OFFSET_DIGITS.search(folded):
        if letters not in {"", "z", "utc", "gmt", "ut"}:
            return None
        sign, hours, minutes = digits.groups()
        offset = (int(hours) * 60 + int(minutes or 0)) * (-1 if sign == "-" else 1)
        return offset if abs(offset) <= _MAX_OFFSET else None
    if letters in lexicon.american:
        return lexicon.american[letters] + (60 if _american_summer(clock) else 0)
    return lexicon.fixed.get(letters)


def _american_summer(clock: datetime) -> bool:
    """Say whether the United States keep daylight saving time at a local time.

    From the second Sunday of March to the first of November since 2007 (Energy Policy Act of
    2005, section 110), before that from the first Sunday of April to the last of October.
    The hour that is skipped or told twice is taken for the later state.
    """

    def sunday(month: int, number: int) -> datetime:
        first = date(clock.year, month, 1)
        days = (7 - first.isoweekday()) % 7 + 7 * number
        if days >= monthrange(clock.year, month)[1]:
            days -= 7
        return datetime(clock.year, month, 1, 2, tzinfo=UTC) + timedelta(days=days)

    if clock.year >= 2007:
        return sunday(3, 1) <= clock < sunday(11, 0) - timedelta(hours=1)
    return sunday(4, 0) <= clock < sunday(10, 4) - timedelta(hours=1)


def _moment(day: date, precision: Precision, clock: _Clock | None) -> Moment | None:
    """Join a date and a time of day."""
    at = datetime(day.year, day.month, day.day, tzinfo=UTC)
    if clock is None or precision != "day":
        return Moment(at=at, precision=precision)
    local = at + timedelta(
        hours=clock.hour,
        minutes=clock.minute,
        seconds=clock.second,
        microseconds=clock.microsecond,
    )
    if clock.zone is None:
        return Moment(at=local, precision=clock.precision)
    offset = _offset(clock.zone, local)
    if offset is None:
        return Moment(at=at, precision="day", tz=clock.zone)
    return Moment(at=local - timedelta(minutes=offset), precision=clock.precision, tz=clock.zone)


def _resolve(line: _Line, match: _Match, options: _Options) -> _Reading | None:
    """Read a date together with the time of day after it, else before it."""
    known = _day(line, match, options)
    if known is None:
        return None
    day, precision = known
    start, end = match.start, match.end
    clock: _Clock | None = None
    if "clock" in match.spans:  # the time stands inside the date
        clock = _clock_within(line, match)
        if clock is None:
            return None
    elif precision == "day":
        iso = "sep" in match.spans and match.spans.get("y", (-1,))[0] == start
        if after := _clock_after(line.shape, end):
            clock = _clock(line, after, iso=iso)
            end = clock.end if clock else end
        elif before := _clock_before(line.shape, start):
            clock = _clock(line, before, iso=False)
            start = before.start
        if clock is None and (after or before):
            return None
    if "yy" in match.spans and not (clock or options.lenient or _is_supported(line, match)):
        return None
    moment = _moment(day, precision, clock)
    return _Reading(moment, start, end) if moment else None


def _clock_within(line: _Line, match: _Match) -> _Clock | None:
    """Read the time that stands between the day and the year, as asctime has it."""
    found = _clock_at(line.shape, match.spans["clock"][0])
    clock = _clock(line, found, iso=True) if found else None
    if clock is None:
        return None
    zone = match.spans.get("zone")
    return clock._replace(zone=line.written(*zone) if zone else None)


def _is_supported(line: _Line, match: _Match) -> bool:
    """Say whether something beside a two-digit year shows that it is one."""
    before = line.shape[max(0, match.start - 2) : match.start]
    return "x" not in line.shape or "w" in match.spans or before.rstrip("_").endswith(("k", "D", "t", "W"))


def _readings(line: _Line, options: _Options) -> Iterator[_Reading]:
    """Give the dates of a line in order, without those that cannot be."""
    at = 0
    while match := _find_date(line.shape, at):
        at = max(match.end, at + 1)
        reading = _resolve(line, match, options)
        if reading is None:
            continue
        at = max(at, reading.end)
        if match.kind == "hijri" and (exact := _beside_hijri(line, match, reading, options)):
            reading = exact
        yield reading


def _beside_hijri(line: _Line, match: _Match, reading: _Reading, options: _Options) -> _Reading | None:
    """Find the Gregorian date that Arabic papers write after the lunar one."""
    other = _find_date(line.shape, match.end)
    if other is None or other.kind == "hijri" or other.start > match.end + 8:
        return None
    exact = _resolve(line, other, options)
    if exact is None or abs(exact.moment.at - reading.moment.at) > timedelta(days=3):
        return None
    return exact._replace(start=reading.start)


# ---------------------------------------------------------------------------------------------
# "Two hours ago"


class _Phrases(NamedTuple):
    """Phrases for spans of time that have passed, folded, with "#" for the number."""

    #: Phrase to unit and number; number 0 is the one at "#".
    known: Mapping[str, tuple[str, int]]
    ones: frozenset[str]
    #: All words of all phrases.
    words: frozenset[str]
    longest: int


@cache
def _phrases() -> _Phrases:
    """Read the data, once, and only when somebody gives a reference or asks for date lines."""
    known: dict[str, tuple[str, int]] = {}
    hand = _load("datewords.toml")
    for unit, rows in _load("ago.toml").items():
        for row in rows.values():
            for item in row.split(";"):
                phrase, _, number = item.partition("=")
                known[phrase] = (unit, int(number or 0))
    for unit, rows in hand["ago"].items():
        for item in rows["words"].split(";"):
            phrase, _, number = item.partition("=")
            known[spell_ago(phrase)] = (unit, int(number or 0))
    longest = max(phrase.count(" ") + 1 for phrase in known)
    words = frozenset(" ".join(known).split(" "))
    return _Phrases(known, frozenset(_spelled(hand["one"]["words"])), words, longest)


def spell_ago(phrase: str) -> str:
    """Fold a phrase that has "#" where the number goes.

    >>> spell_ago("Vor # Std.")
    'vor # std'
    """
    numbered = spell(phrase.replace("#", "1"))
    return " ".join("#" if word == "1" and "#" in phrase else word for word in numbered.split(" "))


def _ago(line: _Line) -> tuple[str, int, int, int] | None:
    """Find the first "2 hours ago": the unit, the number, and the tokens from and to."""
    phrases = _phrases()
    content = [at for at, letter in enumerate(line.shape) if letter not in "_.,'"][:60]
    for first in range(len(content)):
        opening = line.words[content[first]].split(" ")[0]
        if opening not in phrases.words and line.shape[content[first]] not in "123":
            continue
        reach = content[first : first + phrases.longest]
        words = [line.words[at] for at in reach]
        for size in range(len(reach), 0, -1):
            here = " ".join(words[:size]).split(" ")
            numbers = [
                at for at, word in enumerate(here) if (word.isdecimal() and len(word) <= 3) or word in phrases.ones
            ]
            for hash_at in (None, *numbers):
                shown = list(here)
                if hash_at is not None:
                    shown[hash_at] = "#"
                if hit := phrases.known.get(" ".join(shown)):
                    word = "1" if hash_at is None else here[hash_at]
                    number = hit[1] or (int(word) if word.isdecimal() else 1)
                    return hit[0], number, reach[0], reach[size - 1] + 1
    return None


def _before(reference: datetime, unit: str, number: int) -> Moment | None:
    """Step back from the reference, and forget what the phrase does not say."""
    steps = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
    if unit in steps:
        at = reference - timedelta(seconds=steps[unit] * number)
    else:
        months = reference.year * 12 + reference.month - 1 - number * (12 if unit == "year" else 1)
        if months < 12:
            return None
        at = reference.replace(year=months // 12, month=months % 12 + 1, day=1)
    precision, unsaid = _UNSAID[unit]
    return Moment(at=at.replace(**unsaid), precision=precision)


#: What a phrase says, by its unit, and the parts of the clock it says nothing of.
_UNSAID: dict[str, tuple[Precision, dict[str, Any]]] = {
    "second": ("second", {"microsecond": 0}),
    "minute": ("minute", {"second": 0, "microsecond": 0}),
    "hour": ("hour", {"minute": 0, "second": 0, "microsecond": 0}),
    "day": ("day", {"hour": 0, "minute": 0, "second": 0, "microsecond": 0}),
    "week": ("day", {"hour": 0, "minute": 0, "second": 0, "microsecond": 0}),
    "month": ("month", {"day": 1, "hour": 0, "minute": 0, "second": 0, "microsecond": 0}),
    "year": (
        "year",
        {"month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0, "microsecond": 0},
    ),
}


# ---------------------------------------------------------------------------------------------
# ISO 8601 and numbers, without the detour over shapes

_ISO = re.compile(
    r"(?P<y>\d{4})(?:-(?P<m>\d\d)(?:-(?P<d>\d\d)"
    r"(?:[Tt ]+(?P<h>\d\d):(?P<i>\d\d)(?::(?P<s>\d\d)(?:[.,](?P<f>\d{1,9}))?)?"
    r" ?(?P<z>[Zz]|[+-]\d\d(?::?\d\d)?)?)?)?)?",
    re.ASCII,
)
_BASIC = re.compile(
    r"(?P<y>\d{4})(?P<m>\d\d)(?P<d>\d\d)"
    r"(?:[Tt]?(?P<h>\d\d)(?P<i>\d\d)(?P<s>\d\d)?(?:[.,](?P<f>\d{1,9}))?"
    r"(?P<z>[Zz]|[+-]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
_ISO_WEEK = re.compile(r"(?P<y>\d{4})-?W(?P<w>\d\d)(?:-?(?P<d>[1-7]))?", re.ASCII)
_ISO_ORDINAL = re.compile(r"(?P<y>\d{4})-(?P<d>\d{3})", re.ASCII)
_EPOCH = re.compile(r"\d{10}(?:\d{3})?(?:\.\d{1,6})?", re.ASCII)
_EPOCH_YEARS = (1995, 2100)


def _iso(value: str, options: _Options) -> Moment | None:
    """Read ISO 8601, basic or extended, Gregorian only."""
    match = _ISO.fullmatch(value) or _BASIC.fullmatch(value)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    if not options.first_year <= int(year) <= options.last_year:
        return None
    found = _gregorian(int(year), int(month or 1), int(day or 1))
    if found is None:
        return None
    if hour is None:
        precision: Precision = "day" if day else "month" if month else "year"
        return _moment(found, precision, None)
    hours, minutes, seconds = int(hour), int(minute), int(second or 0)
    if hours > 24 or minutes > 59 or seconds > 60 or (hours == 24 and (minutes or seconds)):
        return None
    micro = int(fraction[:6].ljust(6, "0")) if fraction else 0
    precision = "second" if second else "minute"
    return _moment(found, "day", _Clock(hours, minutes, seconds, micro, precision, zone, 0))


def _iso_rare(value: str, options: _Options) -> Moment | None:
    """Read ISO 8601 weeks and days of the year, and seconds or milliseconds since 1970."""
    found: date | None = None
    try:
        if week := _ISO_WEEK.fullmatch(value):
            found = date.fromisocalendar(int(week["y"]), int(week["w"]), int(week["d"] or 1))
        elif ordinal := _ISO_ORDINAL.fullmatch(value):
            year, number = int(ordinal["y"]), int(ordinal["d"])
            found = date(year, 1, 1) + timedelta(days=number - 1)
            found = found if number and found.year == year else None
        elif _EPOCH.fullmatch(value):
            whole, _, rest = value.partition(".")
            micro = int(whole) * 1000 if len(whole) == 13 else int(whole) * 1_000_000
            if rest and len(whole) == 10:
                micro += int(rest.ljust(6, "0"))
            at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micro)
            first, last = _EPOCH_YEARS
            # Digits alone name no zone, but the epoch is counted in UTC.
            return Moment(at=at, precision="second") if first <= at.year <= last else None
    except (ValueError, OverflowError):
        return None
    if found is None or not options.first_year <= found.year <= options.last_year:
        return None
    return _moment(found, "day", None)


# ---------------------------------------------------------------------------------------------
# What callers use


def _utc(reference: datetime | None) -> datetime | None:
    if reference is None:
        return None
    aware = reference if reference.tzinfo else reference.replace(tzinfo=UTC)
    return aware.astimezone(UTC)


def _once(value: str) -> str:
    """Give one half of a text that says the same thing twice."""
    half = len(value) // 2
    if half >= 6:
        for size in (half, (len(value) - 1) // 2):
            if value[:size] == value[len(value) - size :] and any(map(str.isdecimal, value[:size])):
                return value[:size]
    return value


def parse_moment(
    value: str,
    *,
    day_first: bool | None = None,
    reference: datetime | None = None,
    languages: Sequence[str] = (),
) -> Moment | None:
    """Read a value that is a time and little else.

    Content of meta elements and ``datetime`` attributes, JSON-LD, RSS ``pubDate``, or a short
    phrase such as "Publié le 7 janvier 2026 à 6h41". Years are 1900..2100. Where two times stand
    in the value the first one counts.

    Args:
        value: What was written, at most 200 characters.
        day_first: How the site orders "07/01/2026"; see the module for what holds without it.
        reference: When the page was seen, for "2 hours ago", "today" and dates without a year.
            Naive means UTC. Without it these are None.
        languages: BCP 47 tags the text is likely in, most likely first.

    Returns:
        None if the value is no time, more than a time, or an impossible one (31 February).

    >>> parse_moment("Jan. 7, 2026 6:41 a.m. ET").at.isoformat()
    '2026-01-07T11:41:00+00:00'
    >>> parse_moment("Publié le 7 janvier 2026 à 6h41").precision
    'minute'
    """
    value = value.strip()
    if not value or len(value) > MAX_VALUE:
        return None
    options = _Options(
        day_first=day_first,
        languages=tuple(languages),
        reference=_utc(reference),
        first_year=1900,
        last_year=2100,
        lenient=True,
    )
    if value[:1].isdecimal():
        plain = value if value.isascii() else value.translate(_FOLDS)
        if found := _iso(plain, options) or _iso_rare(plain, options):
            return found
    line = _read(_once(value))
    reading = _first(line, options)
    if reading is None:
        return None
    outside = line.shape[: reading.start] + "_" + line.shape[reading.end :]
    return reading.moment if len(re.findall("x+", outside)) <= MAX_UNKNOWN else None


def _first(line: _Line, options: _Options) -> _Reading | None:
    """Find the first point in time of a line, be it a date or "2 hours ago"."""
    reading = next(_readings(line, options), None)
    if options.reference is None or (found := _ago(line)) is None:
        return reading
    unit, number, start, end = found
    if reading and reading.start < start:
        return reading
    moment = _before(options.reference, unit, number)
    return _Reading(moment, start, end) if moment else reading


#: What holds a year; without it there is no date, save a relative one. The last form is "7 Jan 26".
_YEAR = re.compile(
    r"\d{4}|[\d〇零一二三四五六七八九十元] ?[年년]|\d[./-]\d\d?[./-]\d\d"
    r"|\d[\s.-]{0,2}[^\W\d_][\w.]{2,9}[\s.,'’-]{1,3}\d\d(?!\d)"
)
#: How far from its digits a date may reach, in characters.
_REACH = 80


def find_moment(
    line: str,
    *,
    day_first: bool | None = None,
    reference: datetime | None = None,
    languages: Sequence[str] = (),
) -> Found | None:
    """Find the first date in a line of text, with the time of day that belongs to it.

    Only years 1990..2100 count, and only what is written as a date: not phone numbers, scores,
    prices, versions or compact digits. The first 2,000 characters are looked at. ``day_first``,
    ``reference`` and ``languages`` are those of ``parse_moment``.

    >>> find_moment("Bei der Sitzung am 7. Jänner 2026 um 6:41 Uhr wurde gelacht.").end
    45
    """
    line = line[:MAX_LINE]
    options = _Options(
        day_first=day_first,
        languages=tuple(languages),
        reference=_utc(reference),
        first_year=1990,
        last_year=2100,
        lenient=False,
    )
    offset = 0
    if options.reference is None:
        first = last = _YEAR.search(line)
        if first is None:
            return None
        for last in _YEAR.finditer(line, first.end()):  # noqa: B007  The last one is wanted.
            pass
        offset = max(0, first.start() - _REACH)
        line = line[offset : (last or first).end() + _REACH]
    read = _read(line)
    reading = _first(read, options)
    if reading is None:
        return None
    start, end = read.starts[reading.start], read.ends[reading.end - 1]
    if line.count("(", start, end) > line.count(")", start, end) and line[end : end + 1] == ")":
        end += 1
    return Found(reading.moment, offset + start, offset + end)


def is_date_line(line: str, *, day_first: bool | None = None, languages: Sequence[str] = ()) -> bool:
    """Say whether a line is nothing but a time.

    Weekdays, zones, separators and words of dating ("Published:", "um", "Uhr", "στις") may stand
    beside it, and it may be said more than once. A time of day alone, a date without a year and
    "2 hours ago" count, since they too are no part of a story; a year or a weekday alone does not.

    >>> is_date_line("Jan 7, 2026, 6:41 a.mJan 7, 2026, 6:41 a.m")
    True
    >>> is_date_line("It happened on January 7, 2026.")
    False
    """
    line = line.strip()
    if not line or len(line) > MAX_VALUE:
        return False
    options = _Options(
        day_first=day_first,
        languages=tuple(languages),
        # Any will do: it is asked whether there is a time, not which.
        reference=datetime(2026, 1, 7, tzinfo=UTC),
        first_year=1990,
        last_year=2100,
        lenient=True,
    )
    if "T" in line and _iso(line, options):
        return True
    read = _read(_once(line), give_up=_MAX_PHRASE)
    if _only_times(read, options, None):
        return True
    phrases = _phrases()
    # All unknown words must belong to one phrase: most lines of text fail here, fast.
    unknown = (word for word, letter in zip(read.words, read.shape, strict=True) if letter == "x")
    if not all(word in phrases.words or word in phrases.ones for word in unknown) or (ago := _ago(read)) is None:
        return False
    return _only_times(read, options, ago[2:])


#: No phrase like "2 hours ago" has more words than this; further unknown words end the matter.
_MAX_PHRASE = 12


def _only_times(line: _Line, options: _Options, skip: tuple[int, int] | None) -> bool:
    """Walk over a line: dates, times of day, and what may stand beside them."""
    shape, at, times = line.shape, 0, 0
    while at < len(shape):
        if skip and at == skip[0]:
            at, times = skip[1], times + 1
            continue
        if match := _date_at(shape, at):
            if (reading := _resolve(line, match, options)) is None:
                return False
            # "Today" alone is the name of many a paper and section.
            alone = match.kind == "relative" and reading.end == match.end
            at, times = reading.end, times + (not alone)
            continue
        if match := _clock_at(shape, at):
            if (clock := _clock(line, match, iso=False)) is None:
                return False
            at, times = clock.end, times + 1
            continue
        if shape[at] not in _BESIDE:
            return False
        at += 1
    return times > 0
