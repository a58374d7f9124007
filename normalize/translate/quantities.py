"""Numbers that a translation lost, changed or invented.

A number is compared by its value: digits of any script, with either kind of decimal mark, grouped in any way, scaled
by a word ("3億", "300 million"), as part of a date or a time, or in words. One side's number that could in any of these
ways be one of the other side's is let pass: a check that fires on good translations is switched off.

Nearly all sentences are decided by their digits alone; only where those differ are words read.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice
from pathlib import Path
from typing import Final

from normalize.dates import spell
from schemas.language import primary

#: The numbers whose words stand in number_words.toml, in its order.
VALUES: Final = (*range(10, 21), *range(30, 101, 10), 1000)

#: Below this a whole number has no weight: "3" may be "three", "a third", "the third", "thrice", "some".
_WEIGHTY: Final = 10

# Digits of any script with marks between, and spaces before groups of three. A date is one of these, a time is two.
_NUMBER: Final = re.compile(
    r"\d+(?:[.,'’\N{ARABIC DECIMAL SEPARATOR}\N{ARABIC THOUSANDS SEPARATOR}\N{ARABIC COMMA}\N{FULLWIDTH COMMA}"
    r"\N{FULLWIDTH FULL STOP}\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}]\d+)*(?: \d{3}(?!\d))*"
)
_DIGITS: Final = re.compile(r"\d+")

_CLOCK: Final = re.compile(r"\d{1,2}[:h時时點点시]\s?\d{2}(?!\d)")
# A number that is an hour, by what stands behind it in the languages that say 5 p.m., and in those that say 17.00.
_HOUR: Final = re.compile(
    r"(?<!\d)(\d{1,2})\s?(?:[:.h]\s?\d\d|h\b|[ap]\.?\s?m\b|o['’]clock|uhr|час|годин|in the (?:eve|after)|at night"
    r"|[時时點点시]|بعد|مسا|صبا|π\.|μ\.|बजे|giờ|น\.)"
)
# Thousands that a tokenizer put a space into: "300, 948".
_PARTED: Final = re.compile(r"\s?[,.]\s?\d{3}")
# One and a half is 1.5 in many languages, where it is one word or two.
_HALF: Final = re.compile(
    "half|半|반|نصف|نیم|μισ|ενάμισ|buçuk|yarım|साढ़े|डेढ़|ढाई|halb|anderthalb|demi|medi[oa]|mei[oa]|mezz|pół|półtor"
    "|полтор|половин|пів|půl|halv|puol|fél|jumătate|setengah|rưỡi|ครึ่ง|חצי"
)
#: Between the two numbers of a range is little more than this: " bis ", " and ", "～".
_RANGE: Final = 7
# Chinese, Japanese and Korean name decades by century: "20世纪70年代" is the 1970s.
_CENTURY: Final = re.compile(r"\s?(?:世[纪紀]|세기)")
_DECADE: Final = re.compile(r"(\d{2})\s?(?:世[纪紀]|세기)\s?(\d0)\s?年?代?")

#: Longer runs of digits are no quantity that anyone compares; reading them takes more than linear time.
_MAX_DIGITS: Final = 18
#: Numbers with scales that make one: 1億2千3百万 has three, and no writer goes beyond a few.
_CHAIN: Final = 6
#: A text with more numbers than this is a table; the rest of it is not compared.
_MAX_NUMBERS: Final = 300


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one written number may be."""

    #: The whole as one value: all groups joined, or the last of them as decimals.
    wholes: tuple[float, ...]
    #: Every group by itself: 3.5.2024 is 3, 5 and 2024. None where the groups are thousands.
    parts: tuple[float, ...]
    #: It is worth missing.
    weighty: bool
    #: Nothing but digits.
    digits: str


@lru_cache(maxsize=1 << 14)
def _read(written: str) -> _Reading:
    """Read one match of the pattern of numbers.

    >>> _read("1.500").wholes, _read("9,000").wholes, _read("3.5.2024").parts
    ((1500.0, 1.5), (9000.0,), (3.0, 5.0, 2024.0))
    """
    groups = [group[:_MAX_DIGITS] for group in _DIGITS.findall(written)]
    parts = tuple(float(int(group)) for group in groups)
    if len(groups) == 1:
        if len(groups[0]) == 4 and groups[0][0] in "0٠۰०":  # noqa: PLR2004  (0230 is half past two)
            return _Reading(parts, (float(int(groups[0][:2])), float(int(groups[0][2:]))), parts[0] > 0, groups[0])
        return _Reading(parts, parts, parts[0] >= _WEIGHTY, groups[0])
    joined = "".join(groups)
    if all(len(group) == 3 for group in groups[1:]) and (len(groups[0]) <= 3 or " " not in written):  # noqa: PLR2004
        # Thousands, in nearly all texts; one group may be decimals that say something.
        thousands = float(int(joined[:_MAX_DIGITS]))
        decimals = len(groups) == 2 and any(int(digit) for digit in groups[1])  # noqa: PLR2004
        return _Reading((thousands, parts[0] + parts[1] / 1000) if decimals else (thousands,), (), True, joined)  # noqa: FBT003
    whole = float(int(joined[:_MAX_DIGITS]))
    head = "".join(groups[:-1])[:_MAX_DIGITS]
    decimal = float(f"{int(head)}.{''.join(str(int(digit)) for digit in groups[-1])}")
    return _Reading((whole, decimal), parts, whole >= _WEIGHTY, joined)


def numbers_differ(source: str, target: str, *, source_lang: str, target_lang: str) -> bool:
    """Say whether a number of weight in one text has nothing in the other that it could be.

    Weight is a value of 10 or more, or decimals. Numbers are compared as sets: one said twice may be said once.
    Not seen: a number in words that became another number in words; a change below 10.

    >>> numbers_differ("1万5千人", "15,000 people", source_lang="ja", target_lang="en")
    False
    >>> numbers_differ("Am 17. Mai", "On 16 May", source_lang="de", target_lang="en")
    True
    """
    ours, theirs = _NUMBER.findall(source), _NUMBER.findall(target)
    if ours == theirs:
        return False
    missing = _open(ours, theirs)
    invented = _open(theirs, ours)
    if not missing and not invented:
        return False
    source_side, target_side = _Side(source, source_lang), _Side(target, target_lang)
    lost = [number for number in source_side.numbers() if number.written in missing and not target_side.has(number)]
    added = [number for number in target_side.numbers() if number.written in invented and not source_side.has(number)]
    if lost and added:
        return True
    return any(not target_side.may_say(number) for number in lost) or any(
        not source_side.may_say(number) for number in added
    )


def _open(numbers: list[str], others: list[str]) -> set[str]:
    """Give the numbers of weight that the digits of the other side do not answer."""
    there: set[float] = set()
    for other in others:
        reading = _read(other)
        there.update(reading.wholes, reading.parts)
    return {number for number in numbers if (reading := _read(number)).weighty and not _among(reading, there)}


def _among(reading: _Reading, values: set[float]) -> bool:
    return any(value in values for value in reading.wholes) or (
        len(reading.parts) > 1 and all(value in values for value in reading.parts)
    )


# ---- both sides with their words ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Number:
    """A number where it stands."""

    written: str
    reading: _Reading
    #: Times the words behind it; the same number once more where there are none.
    scaled: tuple[float, ...]
    #: It and what follows together: 1万5千, and 1120 for both numbers of 11:20.
    together: tuple[float, ...]
    #: The hundred years that it names as a century: (1800, 1900) for the 19th.
    century: tuple[int, int] | None
    #: The decade of the 20th century behind it, which may be called without it: the '70s.
    decade: float | None


class _Side:
    """One of the two texts, read as generously as can be."""

    def __init__(self, text: str, lang: str) -> None:
        self._text = text
        self._folded = text.casefold()
        self._lang = _key(lang)
        self._numbers = list(self._find())
        self._values = set(self._read_values())
        self._hours = {float(int(hour)) for hour in _HOUR.findall(self._folded)}
        self._digits = "".join(_DIGITS.findall(text))

    def numbers(self) -> list[_Number]:
        """Give the numbers written in digits."""
        return self._numbers

    def has(self, number: _Number) -> bool:
        """Say whether the number of the other side stands here, in digits or in words."""
        reading, values = number.reading, self._values
        if _among(reading, values) or any(value in values for value in (*number.scaled, *number.together)):
            return True
        if any(other in values for value in reading.wholes for other in _also(value)):
            return True
        # The hours of the afternoon.
        if any(0 < value <= 24 and {value - 12, value + 12} & self._hours for value in reading.wholes):  # noqa: PLR2004
            return True
        if number.decade in values:
            return True
        if number.century and any(number.century[0] <= value < number.century[1] for value in values):
            return True
        if any(2 * value % 2 == 1 for value in reading.wholes) and _HALF.search(self._folded):
            return True
        # 1120 hours, 11:20.
        if len(reading.digits) == 4 and {float(reading.digits[:2]), float(reading.digits[2:])} <= values:  # noqa: PLR2004
            return True
        # Groups that the other side cuts elsewhere: telephone numbers, 2 0 2 4.
        if len(reading.digits) >= 4 and reading.digits in self._digits:  # noqa: PLR2004  (shorter ones are in any text)
            return True
        return any(self._said(value) or any(map(self._said, _also(value))) for value in reading.wholes)

    def may_say(self, number: _Number) -> bool:
        """Say whether the number may stand here in words that we cannot read."""
        if self._lang in _READ or self._lang in _words():
            return False
        value = number.reading.wholes[0]
        # Few others are written out but the decades of a century, "the seventies".
        return value <= 100 or value % 100 == 0 or (1800 <= value <= 2100 and value % 10 == 0)  # noqa: PLR2004

    def _said(self, value: float) -> bool:
        """Look for the tens of the number in the words of the language: "двадцати пяти" answers 25."""
        stems = _words().get(self._lang)
        if not stems:
            return False
        if value > 100:  # noqa: PLR2004
            value = 1000 if value % 1000 == 0 else 100 if value % 100 == 0 else 0
        elif value > 20:  # noqa: PLR2004
            value -= value % 10
        return any(stem in self._folded for stem in stems.get(value, ()))

    def _find(self) -> Iterator[_Number]:
        """Find the digits, with the words behind them that make them larger."""
        matches = islice(_NUMBER.finditer(self._text), _MAX_NUMBERS)
        found = [match for match in matches if not self._is_name(match)]
        readings = [_read(match[0]) for match in found]
        scales = [self._scale_behind(match.end()) for match in found]
        for at, (match, reading) in enumerate(zip(found, readings, strict=True)):
            small, large, _ = scales[at]
            powers = {small + large}
            if at + 1 < len(found) and found[at + 1].start() - scales[at][2] <= _RANGE:
                powers.add(scales[at + 1][0] + scales[at + 1][1])  # "2 to 3 million", "200～300万"
            total, section, last = 0.0, 0.0, at
            while True:  # 3億4千万, 5千4百万: the small scales count within the large one
                section += readings[last].wholes[0] * 10.0 ** scales[last][0]
                if scales[last][1]:
                    total, section = total + section * 10.0 ** scales[last][1], 0.0
                if last + 1 in {len(found), at + _CHAIN} or found[last + 1].start() - scales[last][2] > (
                    sum(scales[last][:2]) > 0
                ):
                    break
                last += 1
            together = [_rounded(total + section)]
            for one, other in ((at, at + 1), (at - 1, at)):
                if one < 0 or other == len(found):
                    continue
                if _CLOCK.match(self._text, found[one].start()):
                    together.append(readings[one].wholes[0] * 100 + readings[other].wholes[0])
                if _PARTED.fullmatch(self._text, found[one].end(), found[other].end()):
                    together.append(readings[one].wholes[0] * 1000 + readings[other].wholes[0])
            if (era := self._text[max(0, match.start() - 3) : match.start()].rstrip()[-2:]) in _ERAS:
                together.append(reading.wholes[0] + _ERAS[era])
            century = None
            if reading.wholes[0] <= 21 and _CENTURY.match(self._text, match.end()):  # noqa: PLR2004
                century = (int(reading.wholes[0] - 1) * 100, int(reading.wholes[0]) * 100)
            decade = _DECADE.match(self._text, match.start())
            yield _Number(
                written=match[0],
                reading=reading,
                scaled=tuple(_rounded(value * 10.0**power) for value in reading.wholes for power in sorted(powers)),
                together=tuple(together),
                century=century,
                decade=float(decade[2]) if decade and decade[1] == "20" else None,
            )

    def _is_name(self, match: re.Match[str]) -> bool:
        """Leave out the number of the one illness that many languages call otherwise."""
        return match[0] == "19" and self._folded[max(0, match.start() - 6) : match.start()].startswith("covid")

    def _scale_behind(self, end: int) -> tuple[int, int, int]:
        """Read the words behind digits: powers below and from 10,000 on, and where they end."""
        if len(self._folded) != len(self._text):
            return 0, 0, end
        scale, small, large = _scale(self._lang), 0, 0
        for _ in range(2):  # "5 mil millones", "5千万"
            behind = scale.pattern.match(self._folded, end)
            if not behind:
                break
            power = scale.powers[behind[1]]
            small, large = (small + power, large) if power < 4 else (small, large + power)  # noqa: PLR2004
            end = behind.end()
        return small, large, end

    def _read_values(self) -> Iterator[float]:
        for number in self._numbers:
            yield from number.reading.wholes
            yield from number.reading.parts
            yield from number.scaled
            yield from number.together
        for behind in _scale(self._lang).alone.findall(self._folded):
            yield 10.0 ** _scale(self._lang).powers[behind]
        yield from _months_in(self._text, self._lang)
        yield from _roman_numbers(self._text)
        yield from _east_asian_numbers(self._text)
        for century, decade in _DECADE.findall(self._text):
            yield float(int(century) - 1) * 100 + int(decade)
        yield from _english_numbers(self._folded)


def _rounded(value: float) -> float:
    """Let 1.1 x 1,000,000 be 1,100,000."""
    return float(f"{value:.12g}")


def _also(value: float) -> Iterator[float]:
    """Give what else a number may be called by people who mean the same.

    >>> sorted(_also(1960.0)), sorted(_also(87.0))
    ([60.0, 1338.0, 1339.0, 2503.0], [1987.0, 2087.0])
    """
    if value != int(value):
        return
    if 1800 <= value <= 2200:  # noqa: PLR2004  (a year: in the sixties; in Thailand; in Iran, from March)
        yield value % 100
        yield from (value + 543, value - 621, value - 622)
    elif 10 <= value <= 99:  # noqa: PLR2004  (a year without its century)
        yield from (value + 1900, value + 2000)
    elif 2300 <= value <= 2700:  # noqa: PLR2004
        yield value - 543
    elif 1200 <= value < 1500:  # noqa: PLR2004
        yield from (value + 621, value + 622)


# ---- the words ---------------------------------------------------------------------------------------------

#: What is added to a year of the era.
_ERAS: Final = {"令和": 2018, "平成": 1988, "昭和": 1925, "大正": 1911, "明治": 1867, "民国": 1911, "民國": 1911}

#: Languages whose numbers in words are read by a function here; all others by the beginnings of words, or not.
_READ: Final = frozenset(("en", "zh", "ja"))

_DATA: Final = Path(__file__).parent


@cache
def _load() -> Mapping[str, Mapping[str, str]]:
    tables: Mapping[str, Mapping[str, str]] = tomllib.loads((_DATA / "number_words.toml").read_text("utf-8"))
    return tables


@lru_cache(maxsize=256)
def _key(tag: str) -> str:
    """Give the key of a tag in the tables."""
    code = primary(tag) or tag
    return {"no": "nb", "nn": "nb", "bs": "hr", "ms": "ms"}.get(code, code)


@cache
def _words() -> Mapping[str, Mapping[float, tuple[str, ...]]]:
    """Number to the beginnings of its words, per language. Long words lose a letter: an ending may change it."""
    tables = {}
    for lang, row in _load()["words"].items():
        tables[lang] = {
            float(value): tuple(word[:-1] if len(word) > 5 else word for word in entry.split("/"))  # noqa: PLR2004
            for value, entry in zip(VALUES, row.casefold().split(";"), strict=True)
        }
    return tables


@dataclass(frozen=True, slots=True)
class _Scale:
    powers: Mapping[str, int]
    #: Right behind digits.
    pattern: re.Pattern[str]
    #: By itself, for "a million".
    alone: re.Pattern[str]


@cache
def _scale(lang: str) -> _Scale:
    tables = _load()["scales"]
    powers: dict[str, int] = {}
    for row in (tables.get(lang, ""), tables["en"]):
        for entry in row.split():
            word, power = entry.casefold().rsplit(":", 1)
            powers.setdefault(word, int(power))
    # Longest first; one-letter abbreviations end there, other words may go on ("Millionen").
    words = sorted(powers, key=len, reverse=True)
    spelled = "|".join(re.escape(word) + (r"\b" if len(word) <= 2 and word.isascii() else "") for word in words)  # noqa: PLR2004
    long = "|".join(re.escape(word) for word in words if len(word) > 2 or not word.isascii())  # noqa: PLR2004
    # What follows the word goes along in scripts with letters; "千" and "만" are followed by the next number.
    return _Scale(powers, re.compile(rf"[\s-]?(?:de )?({spelled})(?:[a-zа-яё]+\.?|\.)?"), re.compile(f"({long})"))


@cache
def _months() -> Mapping[str, tuple[tuple[str, int], ...]]:
    rows = tomllib.loads((_DATA.parent / "data" / "months.toml").read_text("utf-8"))["months"]
    return {
        lang: tuple((name, number) for number, names in enumerate(row.split("|"), 1) for name in names.split(";"))
        for lang, row in rows.items()
    }


def _months_in(text: str, lang: str) -> Iterator[float]:
    """Find the months named in a text, as numbers."""
    names = _months().get(lang)
    if names:
        words = f" {spell(text[:2000])} "
        yield from (float(number) for name, number in names if f" {name} " in words)


_ROMAN: Final = re.compile(
    r"\b(?=[IVXLCDM])(M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3}))(?:e|è?me|th)?\b"
)
_ROMAN_VALUES: Final = {"M": 1000, "D": 500, "C": 100, "L": 50, "X": 10, "V": 5, "I": 1}


def _roman_numbers(text: str) -> Iterator[float]:
    """Read Roman numbers: centuries, kings, congresses.

    >>> list(_roman_numbers("au XVIIIe siècle, Louis XIV"))
    [18.0, 14.0]
    """
    for match in filter(lambda match: match[1], _ROMAN.finditer(text)):
        values = [_ROMAN_VALUES[letter] for letter in match[1]]
        following = [*values[1:], 0][: len(values)]
        yield float(sum(-one if one < after else one for one, after in zip(values, following, strict=True)))


_HAN: Final = {char: value for value, char in enumerate("〇一二三四五六七八九")} | {
    "零": 0, "两": 2, "兩": 2, "壱": 1, "弐": 2, "参": 3, "廿": 20, "卅": 30,
}  # fmt: skip
_HAN_SCALES: Final = {"十": 1, "百": 2, "千": 3, "万": 4, "萬": 4, "亿": 8, "億": 8, "兆": 12}
_HAN_NUMBER: Final = re.compile(f"[{''.join(_HAN)}{''.join(_HAN_SCALES)}]+")
# "二三十" is twenty or thirty.
_HAN_FROM_TO: Final = re.compile("([一二三四五六七八])([二三四五六七八九])十")
_ERA_YEAR: Final = re.compile(rf"({'|'.join(_ERAS)})\s?(\d{{1,3}}|[元一二三四五六七八九十]{{1,3}})\s?年")


def _east_asian_numbers(text: str) -> Iterator[float]:
    """Read numbers in Chinese characters, and the years of eras.

    >>> list(_east_asian_numbers("三百五十万, 二〇二四, 令和6年"))
    [3500000.0, 2024.0, 2024.0]
    """
    if text.isascii():
        return
    for tens, more in _HAN_FROM_TO.findall(text):
        yield from (_HAN[tens] * 10.0, _HAN[more] * 10.0)
    for match in _HAN_NUMBER.finditer(text):
        yield _han_value(match[0][:_MAX_DIGITS])
    for era, year in _ERA_YEAR.findall(text):
        yield float(_ERAS[era] + (1 if year == "元" else int(year) if year.isdecimal() else _han_value(year)))


def _han_value(written: str) -> float:
    if not any(char in _HAN_SCALES for char in written):
        return float(int("".join(str(_HAN[char] % 10) for char in written)))
    total = section = digit = 0
    for char in written:
        if char in _HAN:
            digit = _HAN[char]
        elif (power := _HAN_SCALES[char]) < 4:  # noqa: PLR2004  (up to a thousand, then in steps of 10,000)
            section += (digit or 1) * 10**power
            digit = 0
        else:
            total += (section + digit or 1) * 10**power
            section = digit = 0
    return float(total + section + digit)


_ONES: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINALS: Final = {
    "first": 1, "second": 2, "third": 3, "fifth": 5, "eighth": 8, "ninth": 9, "twelfth": 12, "noon": 12, "midnight": 12, "score": 20,
}  # fmt: skip
_ENGLISH: Final = (
    {word: float(value) for value, word in enumerate(_ONES)}
    | {f"{word}th": float(value) for value, word in enumerate(_ONES)}
    | {word: 20.0 + 10 * at for at, word in enumerate(_TENS)}
    | {f"{word[:-1]}ieth": 20.0 + 10 * at for at, word in enumerate(_TENS)}
    | {f"{word[:-1]}ies": 20.0 + 10 * at for at, word in enumerate(_TENS)}
    | {word: float(value) for word, value in _ORDINALS.items()}
)
_ENGLISH_SCALES: Final = {
    "hundred": 100.0, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "lakh": 1e5, "crore": 1e7,
    "dozen": 12.0, "decade": 10.0, "century": 100.0, "centuries": 100.0, "millennium": 1e3, "centenary": 100.0,
}  # fmt: skip
_SHARES: Final = {"half": (50.0, 30.0, 0.5), "quarter": (25.0, 15.0, 0.25), "quarters": (75.0, 45.0, 0.75)}
_WORD: Final = re.compile(r"[a-z]+|[^\sa-z-]")


def _english_numbers(folded: str) -> Iterator[float]:
    """Read English numbers in words, whole and in every part: "twenty-five thousand" is 20, 5, 25 and 25,000.

    >>> sorted(set(_english_numbers("nineteen ninety-five")))
    [5.0, 19.0, 90.0, 1990.0, 1995.0]
    """
    total = section = 0.0
    for word in _WORD.findall(folded):
        scale = _ENGLISH_SCALES.get(word) or _ENGLISH_SCALES.get(word.removesuffix("s").removesuffix("th"))
        if (value := _ENGLISH.get(word)) is not None:
            yield value
            # "nineteen | ninety" are the two halves of a year.
            year = 10 < section < 100 <= 10 * value  # noqa: PLR2004
            section = section * 100 + value if year else section + value
        elif scale:
            yield scale
            section = (section or 1.0) * scale
            if scale > 100:  # noqa: PLR2004
                total, section = total + section, 0.0
        elif word in _SHARES:
            yield from _SHARES[word]
            yield total + section + _SHARES[word][2]
        elif word not in {"and", "a"}:
            total = section = 0.0
        if total or section:
            yield total + section
