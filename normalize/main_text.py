"""Which segments of a page are its story, by trafilatura's judgement.

trafilatura reads its own copy of the tree and answers with paragraphs of text; here they are found again
among the page's segments, so that each piece of the page is known as kept or left out.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import Final

import trafilatura
from lxml.html import HtmlElement
from trafilatura.settings import Extractor

from normalize.column import best_column, is_prose
from normalize.segments import Segment

#: The quick pass missed the story when it kept less than this share of the prose.
_LOW_SHARE: Final = 0.5
#: Paragraphs of so many letters are told apart by their text alone, wherever they stand.
_PROSE_CHARS: Final = 80


@lru_cache(maxsize=4_000)
def key(text: str) -> str:
    """Reduce a text to its letters and digits, so that two renderings of one paragraph compare equal."""
    return letters(text)


def letters(text: str) -> str:
    """Do the same without remembering it, for a whole story."""
    return "".join(filter(str.isalnum, text)).casefold()


def story_paragraphs(tree: HtmlElement, segments: Sequence[Segment]) -> list[str]:
    """Give the paragraphs that trafilatura takes for the story, in its order.

    Its fallbacks (readability and jusText) cost a third of the time; they help where it missed the story and hurt where
    it did not. So a page is read without them, and again with them only where the answer is short for the page: one in
    nine of the evaluation pages, with a better score on every set than with them everywhere.
    """
    paragraphs = _ask(tree, fast=True)
    if _is_short(paragraphs, segments):
        paragraphs = _ask(tree, fast=False) or paragraphs
    return paragraphs


def _is_short(paragraphs: Sequence[str], segments: Sequence[Segment]) -> bool:
    """Does the answer hold less than half of the page's prose, or of its best column's?"""
    prose = [segment for segment in segments if is_prose(segment)]
    if sum(map(len, paragraphs)) < _LOW_SHARE * sum(len(segment.text) for segment in prose):
        return True
    best = best_column(segments)
    story = set(map(key, paragraphs))
    column = [segment.text for segment in prose if segment.column == best]
    return sum(len(text) for text in column if key(text) in story) < _LOW_SHARE * sum(map(len, column))


def _ask(tree: HtmlElement, *, fast: bool) -> list[str]:
    """Call trafilatura; it works on a copy of the tree.

    The quick pass discards asides and footers itself, but late, after most of its passes over the tree; the fallbacks
    read them.
    """
    document = trafilatura.bare_extraction(
        tree, options=_options(fast=fast), prune_xpath="//aside|//footer" if fast else None
    )
    if document is None or isinstance(document, dict) or document.body is None:
        return []
    return [" ".join(text.split()) for text in _texts(document.body) if text and not text.isspace()]


@cache
def _options(*, fast: bool) -> Extractor:
    """Make trafilatura's options once: they are read from a file of settings, field by field.

    The format is one that is not rendered, because only the elements of the answer are wanted.
    """
    return Extractor(output_format="xml", fast=fast, with_metadata=False, comments=False, tables=True)


def _texts(body: HtmlElement) -> list[str]:
    """Cut trafilatura's body into its elements: p, head, quote, item, row, code."""
    found = []
    for child in body:
        if child.tag in {"list", "table"} and len(child):
            found += ["".join(item.itertext()) for item in child.iter("item", "row")] or ["".join(child.itertext())]
        else:
            for line in child.iter("lb"):
                line.tail = "\n" + (line.tail or "")
            found += "".join(child.itertext()).split("\n")
    return found


def _pieces(places: Iterable[int], wanted: str, keys: Sequence[str], kept: Sequence[bool]) -> list[int]:
    """Find the segments that one paragraph was built from, or the one that holds it; none if they cover less than half."""
    pieces = [
        place
        for place in places
        if keys[place] and not kept[place] and (keys[place] in wanted or wanted in keys[place])
    ]
    return pieces if 2 * sum(len(keys[place]) for place in pieces) >= len(wanted) else []


def _first_free(places: Sequence[int], kept: Sequence[bool], *, low: int, high: int) -> int | None:
    """Give the first of the places, which are sorted, that lies between the two and is not taken."""
    for at in range(bisect_right(places, low), bisect_left(places, high)):
        if not kept[places[at]]:
            return places[at]
    return None


def find_paragraphs(segments: Sequence[Segment], paragraphs: Sequence[str]) -> tuple[list[bool], list[tuple[int, str]]]:
    """Find the story's paragraphs among the page's segments.

    Returns:
        For each segment whether it belongs to the story; and the paragraphs that no segment covers, each with
        the number of the segment it follows (-1: before all).
    """
    keys = [key(segment.text) for segment in segments]
    wanted = [key(paragraph) for paragraph in paragraphs]
    kept = [False] * len(segments)
    where: list[int | None] = [None] * len(wanted)

    by_key: dict[str, list[int]] = defaultdict(list)
    for number, segment_key in enumerate(keys):
        if segment_key:
            by_key[segment_key].append(number)
    demand: dict[str, int] = defaultdict(int)
    for wanted_key in wanted:
        demand[wanted_key] += 1

    # 1. Texts that stand once on the page and once in the story are certain, whatever the order.
    for index, wanted_key in enumerate(wanted):
        places = by_key.get(wanted_key, [])
        if len(places) == 1 and demand[wanted_key] == 1:
            kept[places[0]], where[index] = True, places[0]

    # 2. The others are looked for between the neighbours already found: first whole, then piecewise.
    ahead = sorted(place for place in where if place is not None)  # where the texts further down stand
    low = -1
    for index, wanted_key in enumerate(wanted):
        certain = where[index]
        if certain is not None:
            del ahead[bisect_left(ahead, certain)]
            low = max(low, certain)
            continue
        if not wanted_key:
            continue
        following = bisect_right(ahead, low)
        high = ahead[following] if following < len(ahead) else len(segments)
        chosen = _first_free(by_key.get(wanted_key, []), kept, low=low, high=high)
        if chosen is None and len(wanted_key) >= _PROSE_CHARS:
            chosen = _first_free(by_key.get(wanted_key, []), kept, low=-1, high=len(segments))
        pieces = [] if chosen is None else [chosen]
        if not pieces:
            pieces = _pieces(range(low + 1, high), wanted_key, keys, kept)
        if not pieces and len(wanted_key) >= _PROSE_CHARS:
            pieces = _pieces(range(len(keys)), wanted_key, keys, kept)
        if pieces:
            for place in pieces:
                kept[place] = True
            where[index] = pieces[-1]
            low = max(low, pieces[-1])

    story = {keys[place] for place in range(len(segments)) if kept[place]}
    joined = "".join(keys[place] for place in range(len(segments)) if kept[place])
    missing = [
        (max((place for place in where[:index] if place is not None), default=-1), paragraphs[index])
        for index, wanted_key in enumerate(wanted)
        if where[index] is None and wanted_key and wanted_key not in story and wanted_key not in joined
    ]
    return kept, missing
