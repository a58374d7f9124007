"""What is known of each segment of a page: numbers that know no language and no site.

A row per segment, a column per name that ``evidence`` gives.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from normalize.evidence import (
    START,
    Columns,
    Pieces,
    Rows,
    add_position,
    ratio,
    shifted,
    signed_log,
    since,
    until,
    within,
)
from normalize.main_text import key, letters
from normalize.segments import Place, Segment

_UPPER: Final = re.compile(r"[^\W\d_a-z]")
_MARKS: Final = re.compile(r"[|›»→•·/]")

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

#: Longer lines are no headings, and shorter ones kickers, in characters.
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


def _numbered(groups: Sequence[int]) -> NDArray[np.int64]:
    """Number groups from 0 without gaps."""
    return np.unique(np.array(groups, np.int64), return_inverse=True)[1]


def _grouped(groups: NDArray[np.int64], values: Rows) -> Rows:
    """Sum the values of each group; gives each row its group's sum."""
    return np.bincount(groups, weights=values)[groups].astype(np.float32)


class _Page(Pieces[Segment]):
    """The segments of a page and what several groups of evidence need of them."""

    def __init__(self, segments: Sequence[Segment], about: About) -> None:
        super().__init__(segments)
        self.about = about
        self.elements = [_ALIKE.get(segment.element, segment.element) for segment in segments]
        self.links = np.minimum(1.0, self.of_each(lambda segment: segment.link_chars) / self.raw)
        self.take_for_prose((self.length >= _PROSE_CHARS) & (self.links < _PROSE_LINKS))
        self.heading = self.of_each(lambda segment: segment.element in _HEADINGS).astype(np.bool_)
        self.paths = _numbered([segment.path.number for segment in segments])
        self.columns = _numbered([segment.column for segment in segments])


def evidence(segments: Sequence[Segment], about: About) -> tuple[list[str], Rows]:
    """Describe each segment; gives the names of the columns and a row per segment."""
    page, out = _Page(segments, about), Columns()
    for group in (_text, _markup, _lexicon, add_position, _title, _groups, _containers, _neighbours, _whole):
        group(page, out)
    return out.names, out.rows()


@lru_cache(maxsize=8_000)
def _signs(text: str) -> tuple[float, float, float]:
    """Count capitals and marks, and say whether it asks. Remembered, because a site prints the same menus on every page."""
    start = text[:START]
    return len(_UPPER.findall(start)), len(_MARKS.findall(start)), text.endswith("?")


def _text(page: _Page, out: Columns) -> None:
    upper, marks, asks = np.array([_signs(text) for text in page.texts], np.float32).T
    measured = page.measured | {"marks": marks, "asks": asks}
    start = np.minimum(page.raw, START)
    out.add("length", np.log1p(page.length))
    out.add("words", np.log1p(measured["words"]))
    out.add("word_length", page.raw / measured["words"])
    out.add("sentences", measured["sentences"])
    out.add("commas", measured["commas"])
    out.add("commas_share", measured["commas"] / measured["words"])
    out.add("dense", page.dense / page.raw)
    out.add("digits", measured["digits"] / start)
    out.add("upper", upper / start)
    out.add("ends", page.ends)
    for name in ("opens", "lower_start", "digit_start", "time", "marks", "contact", "asks", "colon"):
        out.add(name, measured[name])
    out.add("links", page.links)
    out.add("link_count", page.of_each(lambda segment: len(segment.links)))
    out.add("bold", np.minimum(1.0, page.of_each(lambda segment: segment.bold_chars) / page.raw))
    out.add("prose", page.prose)


def _markup(page: _Page, out: Columns) -> None:
    elements = _coded(page.elements, _ELEMENTS)
    for number, element in enumerate(_ELEMENTS):
        out.add(f"is_{element}", elements == number)
    places = np.fromiter((_bits(segment.places) for segment in page.pieces), np.int64, page.size)
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


def _lexicon(page: _Page, out: Columns) -> None:
    """Say which role the words of a segment have, and how far above the last heading of a kind stands."""
    roles = _coded(page.roles(), _ROLES)
    for number, role in enumerate(_ROLES):
        out.add(f"says_{role}", roles == number)
    short = page.heading | (page.length < _HEADING_CHARS)
    for role in _OPENING_ROLES:
        opens = (roles == _ROLES.index(role)) & short
        out.add(f"since_{role}", np.where(opens, 0, since(opens)))


def _title(page: _Page, out: Columns) -> None:
    """Say how a segment relates to the page's headline and description."""
    wanted = {key(title) for title in page.about.titles if len(title) > _SHORT_TITLE}
    words = {word for title in page.about.titles[:3] for word in title.casefold().split() if len(word) >= _WORD_CHARS}
    is_title = np.fromiter((bool(name) and name in wanted for name in page.keys), np.bool_, page.size)
    is_h1 = page.of_each(lambda segment: segment.element == "h1").astype(np.bool_)

    def shared(text: str) -> float:
        return len(words & set(text.casefold().split())) / len(words) if words and len(text) < 2 * START else 0.0

    places = (is_title & page.heading, is_h1 & (page.length > _KICKER_CHARS), is_title)
    titled = next((int(found[0]) for found in map(np.flatnonzero, places) if len(found)), None)
    away, gone = np.full(page.size, np.nan, np.float32), np.full(page.size, np.nan, np.float32)
    if titled is not None:
        above = np.cumsum(page.body) - page.body
        away = page.index - titled
        gone = above - above[titled] - page.body[titled]
    described = [key(text)[:60] for text in page.about.descriptions if len(text) > 2 * _KICKER_CHARS]
    starts = (any(start and name.startswith(start) for start in described) for name in page.keys)
    out.add("is_title", is_title)
    out.add("shares_title", page.each(shared))
    out.add("from_title", signed_log(away))
    out.add("prose_since_title", signed_log(gone))
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


def _groups(page: _Page, out: Columns) -> None:
    """Say of the segments that share a path or a column what they hold together, with and without this one."""
    linked = page.length * page.links
    for name, groups in (("path", page.paths), ("column", page.columns)):
        held, chars = _grouped(groups, page.body), _grouped(groups, page.length)
        count = _grouped(groups, np.ones(page.size, np.float32))
        out.add(f"{name}_prose", ratio(held, page.all_prose))
        out.add(f"{name}_other_prose", ratio(held - page.body, page.all_prose))
        out.add(f"{name}_count", np.log1p(count))
        out.add(f"{name}_mean", np.log1p(chars / count))
        out.add(f"{name}_links", ratio(_grouped(groups, linked), chars))
        out.add(f"{name}_is_best", held >= max(float(held.max()), 1.0))


def _containers(page: _Page, out: Columns) -> None:
    """Say what the columns around a segment hold, and how far it is from those that hold most of the prose."""
    trails = [segment.trail for segment in page.pieces]
    ones, linked = np.ones(page.size, np.float32), page.length * page.links
    for up in range(1, _UP + 1):
        holders = _numbered([trail[-1 - up] if len(trail) > up else 0 for trail in trails])
        out.add(f"up{up}_prose", ratio(_grouped(holders, page.body), page.all_prose))
        out.add(f"up{up}_links", ratio(_grouped(holders, linked), _grouped(holders, page.length)))
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


def _neighbours(page: _Page, out: Columns) -> None:
    log_length = np.log1p(page.length)
    paths, columns = page.paths.astype(np.float32), page.columns.astype(np.float32)
    for by in (-3, -2, -1, 1, 2, 3):
        out.add(f"length{by:+}", shifted(log_length, by))
        out.add(f"links{by:+}", shifted(page.links, by))
        out.add(f"ends{by:+}", shifted(page.ends, by))
        out.add(f"heading{by:+}", shifted(page.heading.astype(np.float32), by))
        out.add(f"same_path{by:+}", shifted(paths, by, -1.0) == paths)
        out.add(f"same_column{by:+}", shifted(columns, by, -1.0) == columns)
    for reach in (3, 8, 20):
        around = within(page.length, reach, reach)
        out.add(f"prose_within{reach}", ratio(within(page.body, reach, reach), around))
        out.add(f"links_within{reach}", ratio(within(page.length * page.links, reach, reach), around))
    out.add("since_prose", since(page.prose))
    out.add("until_prose", until(page.prose))
    out.add("since_heading", since(page.heading))
    out.add("until_heading", until(page.heading))
    out.add("repeats", page.repeats())


def _whole(page: _Page, out: Columns) -> None:
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
    columns += [shifted(first, by) for by in (-3, -2, -1, 1, 2, 3)]
    columns += [ratio(within(first * length, reach, reach), within(length, reach, reach)) for reach in (4, 12)]
    for group in (
        [s.path.number for s in segments],
        [s.column for s in segments],
        [s.trail[-2] if len(s.trail) > 1 else 0 for s in segments],
        [s.trail[-3] if len(s.trail) > 2 else 0 for s in segments],  # noqa: PLR2004  the one around that
    ):
        numbers = _numbered(group)
        good, whole = _grouped(numbers, first * length), _grouped(numbers, length)
        columns += [ratio(good, whole), ratio(good - first * length, whole - length)]
    sure = first > 0.5  # noqa: PLR2004  more likely than not
    kept = np.where(sure, first * length, 0.0)
    before = np.cumsum(kept) - kept
    total = max(float(kept.sum()), 1.0)
    columns += [before / total, (total - before - kept) / total, np.full(size, np.log1p(total))]
    index = np.arange(size)
    places = np.flatnonzero(sure)
    columns += [index - places[0], places[-1] - index] if len(places) else [np.zeros(size), np.zeros(size)]
    return np.column_stack([rows, *(column.astype(np.float32) for column in columns)])
