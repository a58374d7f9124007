"""What is known of each segment of a page: numbers that know no language and no site.

A row per segment, a column per name that ``evidence`` gives. Texts count in characters of an alphabet: an ideograph, kana or hangul
syllable says as much as 2.6 of them.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from normalize.boilerplate.lexicon import load_lexicon
from normalize.column import DENSE
from normalize.main_text import key, letters
from normalize.segments import Place, Segment

Rows = NDArray[np.floating[Any]]

_DENSE_FACTOR: Final = 2.6
_SENTENCE_ENDS: Final = re.compile(r"[.!?…。！？؟।۔።։](?=[\s\"'”’»)\]]|$|[^\x00-\x7f])")
_COMMAS: Final = re.compile(r"[,，、،;；]")
_DIGITS: Final = re.compile(r"\d")
_UPPER: Final = re.compile(r"[^\W\d_a-z]")
_ENDS: Final = re.compile(r"[.!?…。！？؟।۔።։:]['\"”’»)\]]*$")
_OPENS: Final = re.compile(r"^['\"“„«»‘(\[—–-]")
_TIME: Final = re.compile(r"\b(?:19|20)\d\d\b|\b\d{1,2}[:.]\d\d\b|\b\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b|\d年|\d月")
_MARKS: Final = re.compile(r"[|›»→•·/]")
_CONTACT: Final = re.compile(r"@|https?:|www\.|\.com\b|©")

#: A paragraph: so many characters, mostly outside links.
_PROSE_CHARS: Final = 80
_PROSE_LINKS: Final = 0.34

_ELEMENTS: Final = (
    "p",
    "li",
    "h1",
    "h2",
    "h3",
    "h4",
    "div",
    "td",
    "tr",
    "blockquote",
    "figcaption",
    "button",
    "dd",
    "section",
    "body",
)
_ALIKE: Final = {"h5": "h4", "h6": "h4", "th": "td", "dt": "dd", "label": "button", "article": "section", "main": "section",
                 "time": "button", "summary": "button", "center": "div", "caption": "figcaption", "legend": "button"}  # fmt: skip
_PLACES: Final = (
    "nav", "aside", "footer", "header", "figure", "caption", "quote", "list", "table", "code", "comments", "form", "related", "share",
    "ad", "newsletter", "tags", "author", "cookie", "paywall", "main", "embed", "deck", "breadcrumb",
)  # fmt: skip
_ROLES: Final = (
    "comments",
    "related",
    "share",
    "ad",
    "newsletter",
    "cookie",
    "paywall",
    "navigation",
    "section",
    "date",
    "legal",
    "tags",
)
_OPENING_ROLES: Final = ("comments", "related", "newsletter")
_HEADINGS: Final = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))

#: How much of a text is looked at for digits, capitals and the like, in characters.
_START: Final = 200
#: A time stands so near to the beginning of a dateline; further down it is part of a sentence.
_DATELINE: Final = 120
#: Longer lines are prose to the lexicon, longer ones no headings, and shorter ones kickers; in characters.
_LINE_CHARS: Final = 200
_HEADING_CHARS: Final = 60
_KICKER_CHARS: Final = 15
_SHORT_TITLE: Final = 5
#: A shorter story in JSON-LD is a description, in letters.
_STORY_CHARS: Final = 160
#: Texts that begin with the same so many letters are the same.
_SAME_CHARS: Final = 80
#: Shorter words are articles and prepositions in most languages.
_WORD_CHARS: Final = 3

#: Ancestors that are looked at, counted from the segment's column outwards.
_UP: Final = 4


@dataclass(frozen=True, slots=True)
class About:
    """What a page says of itself that helps to judge its segments."""

    #: Headlines as the page gives them, most trusted first.
    titles: tuple[str, ...] = ()
    descriptions: tuple[str, ...] = ()
    #: Kinds declared, lower case.
    types: tuple[str, ...] = ()
    #: The story as its JSON-LD has it; "" where that has none. Often cut off, or with what the page itself does not show.
    story: str = ""


def _shifted(values: Rows, by: int, fill: float = 0.0) -> Rows:
    """Give each row the value of the row ``by`` places further down."""
    moved = np.full_like(values, fill)
    if by > 0:
        moved[:-by] = values[by:]
    else:
        moved[-by:] = values[:by]
    return moved


def _ratio(part: Rows, whole: Rows | float) -> Rows:
    return part / np.maximum(whole, 1.0)


def _numbered(groups: Sequence[int]) -> NDArray[np.int64]:
    """Number groups from 0 without gaps."""
    return np.unique(np.array(groups, np.int64), return_inverse=True)[1]


def _grouped(groups: NDArray[np.int64], values: Rows) -> Rows:
    """Sum the values of each group; gives each row its group's sum."""
    return np.bincount(groups, weights=values)[groups].astype(np.float32)


class _Columns:
    """Gathers named columns."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.values: list[Rows] = []

    def add(self, name: str, values: Rows | NDArray[np.bool_] | NDArray[np.int64]) -> None:
        self.names.append(name)
        self.values.append(values.astype(np.float32, copy=False))


class _Page:
    """The segments of a page and what several groups of evidence need of them."""

    def __init__(self, segments: Sequence[Segment], about: About) -> None:
        self.segments = segments
        self.about = about
        self.size = len(segments)
        self.texts = [segment.text for segment in segments]
        self.keys = [key(text) for text in self.texts]
        self.elements = [_ALIKE.get(segment.element, segment.element) for segment in segments]
        self.index = np.arange(self.size, dtype=np.float32)
        self.raw = self.each(len)
        self.dense = self.each(lambda text: 0 if text.isascii() else len(DENSE.findall(text)))
        self.length = self.raw + self.dense * (_DENSE_FACTOR - 1)
        self.links = np.minimum(1.0, self.of_each(lambda segment: segment.link_chars) / self.raw)
        self.ends = self.each(lambda text: _ENDS.search(text[-6:]) is not None)
        self.prose = (self.length >= _PROSE_CHARS) & (self.links < _PROSE_LINKS)
        self.body = np.where(self.prose, self.length, 0.0).astype(np.float32)
        self.heading = self.of_each(lambda segment: segment.element in _HEADINGS).astype(np.bool_)
        self.all_text = float(self.length.sum())
        self.all_prose = float(self.body.sum())
        self.paths = _numbered([segment.path.number for segment in segments])
        self.columns = _numbered([segment.column for segment in segments])

    def each(self, measure: Callable[[str], float]) -> Rows:
        """Measure the text of each segment."""
        return np.fromiter(map(measure, self.texts), np.float32, self.size)

    def of_each(self, measure: Callable[[Segment], float]) -> Rows:
        """Measure each segment."""
        return np.fromiter(map(measure, self.segments), np.float32, self.size)


def evidence(segments: Sequence[Segment], about: About) -> tuple[list[str], Rows]:
    """Describe each segment; gives the names of the columns and a row per segment."""
    page, out = _Page(segments, about), _Columns()
    for group in (_text, _markup, _lexicon, _position, _title, _groups, _containers, _neighbours, _whole):
        group(page, out)
    return out.names, np.column_stack(out.values)


#: What is measured of a text, and needs nothing else of the page.
_MEASURES: Final = (
    "words", "sentences", "commas", "digits", "upper", "opens", "lower_start", "digit_start", "time", "marks", "contact", "asks",
    "colon",
)  # fmt: skip


@lru_cache(maxsize=8_000)
def _measures(text: str) -> tuple[float, ...]:
    """Measure a text, as ``_MEASURES``. Remembered, because a site prints the same menus on every page."""
    start = text[:_START]
    return (
        text.count(" ") + 1,
        len(_SENTENCE_ENDS.findall(text)),
        len(_COMMAS.findall(text)),
        len(_DIGITS.findall(start)),
        len(_UPPER.findall(start)),
        _OPENS.match(text) is not None,
        text[0].islower(),
        text[0].isdigit(),
        _TIME.search(text[:_DATELINE]) is not None,
        len(_MARKS.findall(start)),
        _CONTACT.search(text[:300]) is not None,
        text.endswith("?"),
        text.endswith((":", "：")),
    )


def _text(page: _Page, out: _Columns) -> None:
    measured = dict(zip(_MEASURES, np.array([_measures(text) for text in page.texts], np.float32).T, strict=True))
    start = np.minimum(page.raw, _START)
    out.add("length", np.log1p(page.length))
    out.add("words", np.log1p(measured["words"]))
    out.add("word_length", page.raw / measured["words"])
    out.add("sentences", measured["sentences"])
    out.add("commas", measured["commas"])
    out.add("commas_share", measured["commas"] / measured["words"])
    out.add("dense", page.dense / page.raw)
    out.add("digits", measured["digits"] / start)
    out.add("upper", measured["upper"] / start)
    out.add("ends", page.ends)
    for name in ("opens", "lower_start", "digit_start", "time", "marks", "contact", "asks", "colon"):
        out.add(name, measured[name])
    out.add("links", page.links)
    out.add("link_count", page.of_each(lambda segment: len(segment.links)))
    out.add("bold", np.minimum(1.0, page.of_each(lambda segment: segment.bold_chars) / page.raw))
    out.add("prose", page.prose)


def _markup(page: _Page, out: _Columns) -> None:
    elements = _coded(page.elements, _ELEMENTS)
    for number, element in enumerate(_ELEMENTS):
        out.add(f"is_{element}", elements == number)
    places = np.fromiter((_bits(segment.places) for segment in page.segments), np.int64, page.size)
    for number, place in enumerate(_PLACES):
        out.add(f"in_{place}", places >> number & 1)
    out.add("depth", page.of_each(lambda segment: len(segment.trail)))


@lru_cache(maxsize=4_000)
def _bits(places: frozenset[Place]) -> int:
    """Give surroundings as one number, a bit for each of ``_PLACES``."""
    return sum(1 << number for number, place in enumerate(_PLACES) if place in places)


def _coded(values: Sequence[str | None], known: Sequence[str]) -> NDArray[np.int64]:
    """Give each value its number among the known ones; -1 for another."""
    numbers = {value: number for number, value in enumerate(known)}
    return np.array([numbers.get(value, -1) if value else -1 for value in values], np.int64)


def _lexicon(page: _Page, out: _Columns) -> None:
    """Say which role the words of a segment have, and how far above the last heading of a kind stands."""
    find = load_lexicon().find
    hits = [find(text) if len(text) <= _LINE_CHARS else None for text in page.texts]
    roles = _coded([hit.role if hit else None for hit in hits], _ROLES)
    for number, role in enumerate(_ROLES):
        out.add(f"says_{role}", roles == number)
    short = page.heading | (page.length < _HEADING_CHARS)
    for role in _OPENING_ROLES:
        opens = (roles == _ROLES.index(role)) & short
        out.add(f"since_{role}", np.where(opens, 0, _since(opens)))


def _position(page: _Page, out: _Columns) -> None:
    out.add("place", page.index / max(page.size - 1, 1))
    out.add("text_before", _ratio(np.cumsum(page.length) - page.length, page.all_text))
    out.add("prose_before", _ratio(np.cumsum(page.body) - page.body, page.all_prose))
    out.add("number", np.log1p(page.index))
    out.add("from_end", np.log1p(page.size - 1 - page.index))


def _title(page: _Page, out: _Columns) -> None:
    """Say how a segment relates to the page's headline and description."""
    wanted = {key(title) for title in page.about.titles if len(title) > _SHORT_TITLE}
    words = {word for title in page.about.titles[:3] for word in title.casefold().split() if len(word) >= _WORD_CHARS}
    is_title = np.fromiter((bool(name) and name in wanted for name in page.keys), np.bool_, page.size)
    is_h1 = page.of_each(lambda segment: segment.element == "h1").astype(np.bool_)

    def shared(text: str) -> float:
        return len(words & set(text.casefold().split())) / len(words) if words and len(text) < 2 * _START else 0.0

    places = (is_title & page.heading, is_h1 & (page.length > _KICKER_CHARS), is_title)
    titled = next((int(found[0]) for found in map(np.flatnonzero, places) if len(found)), None)
    away, since = np.full(page.size, np.nan, np.float32), np.full(page.size, np.nan, np.float32)
    if titled is not None:
        above = np.cumsum(page.body) - page.body
        away = page.index - titled
        since = above - above[titled] - page.body[titled]
    described = [key(text)[:60] for text in page.about.descriptions if len(text) > 2 * _KICKER_CHARS]
    starts = (any(start and name.startswith(start) for start in described) for name in page.keys)
    out.add("is_title", is_title)
    out.add("shares_title", page.each(shared))
    out.add("from_title", np.sign(away) * np.log1p(np.abs(away)))
    out.add("prose_since_title", np.sign(since) * np.log1p(np.abs(since)))
    out.add("is_description", np.fromiter(starts, np.bool_, page.size))
    told = letters(page.about.story)
    if len(told) < _STORY_CHARS:
        out.add("in_told", np.full(page.size, np.nan, np.float32))
        out.add("told", np.full(page.size, np.nan, np.float32))
        return
    inside = np.fromiter((bool(name) and name[:_SAME_CHARS] in told for name in page.keys), np.bool_, page.size)
    found = sum(len(name) for name, here in zip(page.keys, inside, strict=True) if here)
    out.add("in_told", inside)
    out.add("told", np.full(page.size, found / len(told), np.float32))


def _groups(page: _Page, out: _Columns) -> None:
    """Say of the segments that share a path or a column what they hold together, with and without this one."""
    linked = page.length * page.links
    for name, groups in (("path", page.paths), ("column", page.columns)):
        held, chars = _grouped(groups, page.body), _grouped(groups, page.length)
        count = _grouped(groups, np.ones(page.size, np.float32))
        out.add(f"{name}_prose", _ratio(held, page.all_prose))
        out.add(f"{name}_other_prose", _ratio(held - page.body, page.all_prose))
        out.add(f"{name}_count", np.log1p(count))
        out.add(f"{name}_mean", np.log1p(chars / count))
        out.add(f"{name}_links", _ratio(_grouped(groups, linked), chars))
        out.add(f"{name}_is_best", held >= max(float(held.max()), 1.0))


def _containers(page: _Page, out: _Columns) -> None:
    """Say what the columns around a segment hold, and how far it is from those that hold most of the prose."""
    trails = [segment.trail for segment in page.segments]
    ones, linked = np.ones(page.size, np.float32), page.length * page.links
    for up in range(1, _UP + 1):
        holders = _numbered([trail[-1 - up] if len(trail) > up else 0 for trail in trails])
        out.add(f"up{up}_prose", _ratio(_grouped(holders, page.body), page.all_prose))
        out.add(f"up{up}_links", _ratio(_grouped(holders, linked), _grouped(holders, page.length)))
        out.add(f"up{up}_count", np.log1p(_grouped(holders, ones)))
    held: Counter[int] = Counter()
    depth: dict[int, int] = {}
    for trail, chars in zip(trails, page.body.tolist(), strict=True):
        if chars:
            for number, holder in enumerate(trail):
                held[holder] += chars
                depth[holder] = number
    by_column = np.bincount(page.columns, weights=page.body)
    best = trails[int(np.flatnonzero(page.columns == int(by_column.argmax()))[0])]
    common = np.array([_common(trail, best) for trail in trails], np.float32)
    out.add("to_best_up", len(best) - common)
    out.add("to_best_down", np.array(list(map(len, trails)), np.float32) - common)
    for share in (0.4, 0.6, 0.8):
        enough = [holder for holder, chars in held.items() if chars >= share * page.all_prose]
        container = max(enough, key=lambda holder: depth[holder], default=0)
        out.add(f"in_container{round(share * 100)}", np.array([container in trail for trail in trails]))


def _common(trail: Sequence[int], other: Sequence[int]) -> int:
    """Count how many columns two trails share, from the root."""
    for number, (here, there) in enumerate(zip(trail, other, strict=False)):
        if here != there:
            return number
    return min(len(trail), len(other))


def _neighbours(page: _Page, out: _Columns) -> None:
    log_length = np.log1p(page.length)
    paths, columns = page.paths.astype(np.float32), page.columns.astype(np.float32)
    for by in (-3, -2, -1, 1, 2, 3):
        out.add(f"length{by:+}", _shifted(log_length, by))
        out.add(f"links{by:+}", _shifted(page.links, by))
        out.add(f"ends{by:+}", _shifted(page.ends, by))
        out.add(f"heading{by:+}", _shifted(page.heading.astype(np.float32), by))
        out.add(f"same_path{by:+}", _shifted(paths, by, -1.0) == paths)
        out.add(f"same_column{by:+}", _shifted(columns, by, -1.0) == columns)
    for reach in (3, 8, 20):
        around = _window(page.length, reach)
        out.add(f"prose_within{reach}", _ratio(_window(page.body, reach), around))
        out.add(f"links_within{reach}", _ratio(_window(page.length * page.links, reach), around))
    out.add("since_prose", _since(page.prose))
    out.add("until_prose", _since(page.prose[::-1])[::-1])
    out.add("since_heading", _since(page.heading))
    out.add("until_heading", _since(page.heading[::-1])[::-1])
    counts = Counter(page.keys)
    out.add("repeats", np.fromiter((min(counts[name], 9) if name else 0 for name in page.keys), np.float32, page.size))


def _whole(page: _Page, out: _Columns) -> None:
    paragraphs = sum(chars for name, chars in zip(page.elements, page.body.tolist(), strict=True) if name == "p")
    is_article = any("article" in kind or kind.endswith("posting") for kind in page.about.types)
    for name, value in (
        ("page_text", np.log1p(page.all_text)),
        ("page_prose", np.log1p(page.all_prose)),
        ("page_prose_share", page.all_prose / max(page.all_text, 1.0)),
        ("page_size", np.log1p(page.size)),
        ("page_links", float((page.length * page.links).sum()) / max(page.all_text, 1.0)),
        ("page_dense", float(page.dense.sum() / page.raw.sum())),
        ("page_paragraphs", paragraphs / max(page.all_prose, 1.0)),
        ("page_is_article", float(is_article)),
    ):
        out.add(name, np.full(page.size, value, np.float32))


def _window(values: Rows, reach: int) -> Rows:
    """Sum over the rows from ``reach`` above to ``reach`` below."""
    sums = np.concatenate(([0.0], np.cumsum(values)))
    low = np.maximum(np.arange(len(values)) - reach, 0)
    high = np.minimum(np.arange(len(values)) + reach + 1, len(values))
    return (sums[high] - sums[low]).astype(np.float32)


def _since(marked: NDArray[np.bool_]) -> Rows:
    """Count the rows since the last marked one above; 99 where there is none."""
    places = np.where(marked, np.arange(len(marked)), -1)
    last = np.concatenate(([-1], np.maximum.accumulate(places)[:-1]))
    return np.where(last < 0, 99, np.minimum(np.arange(len(marked)) - last, 99)).astype(np.float32)


def second_look(segments: Sequence[Segment], names: Sequence[str], rows: Rows, first: Rows) -> Rows:
    """Put what was first thought of a segment's neighbours beside its evidence.

    Args:
        segments: As given to ``evidence``.
        names: Its names.
        rows: Its rows.
        first: For each segment the first judgement, 0 to 1.
    """
    size = len(segments)
    length = np.expm1(rows[:, names.index("length")])
    columns: list[Rows] = [first]
    columns += [_shifted(first, by) for by in (-3, -2, -1, 1, 2, 3)]
    columns += [_ratio(_window(first * length, reach), _window(length, reach)) for reach in (4, 12)]
    for group in (
        [s.path.number for s in segments],
        [s.column for s in segments],
        [s.trail[-2] if len(s.trail) > 1 else 0 for s in segments],
        [s.trail[-3] if len(s.trail) > 2 else 0 for s in segments],  # noqa: PLR2004  the one around that
    ):
        numbers = _numbered(group)
        good, whole = _grouped(numbers, first * length), _grouped(numbers, length)
        columns += [_ratio(good, whole), _ratio(good - first * length, whole - length)]
    sure = first > 0.5  # noqa: PLR2004  more likely than not
    kept = np.where(sure, first * length, 0.0)
    before = np.cumsum(kept) - kept
    total = max(float(kept.sum()), 1.0)
    columns += [before / total, (total - before - kept) / total, np.full(size, np.log1p(total))]
    index = np.arange(size)
    places = np.flatnonzero(sure)
    columns += [index - places[0], places[-1] - index] if len(places) else [np.zeros(size), np.zeros(size)]
    return np.column_stack([rows, *(column.astype(np.float32) for column in columns)])
