"""Which segments of a page are its story, by trafilatura's judgement.

trafilatura reads its own copy of the tree and answers with paragraphs of text; here they are found again
among the page's segments, so that each piece of the page is known as kept or left out.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

import trafilatura
from lxml.html import HtmlElement

from normalize.segments import Segment

#: Below this many characters the quick pass is taken to have missed the story.
_SHORT: Final = 1_000
#: ... or when it kept less than this share of the prose on the page.
_LOW_SHARE: Final = 0.5
#: Prose: a segment of at least this many characters, with less than this share of them in links.
_PROSE_CHARS: Final = 80
_PROSE_LINKS: Final = 0.3

_NOT_WORD = re.compile(r"[\W_]+")


@lru_cache(maxsize=20_000)
def key(text: str) -> str:
    """Reduce a text to its letters and digits, so that two renderings of one paragraph compare equal."""
    return _NOT_WORD.sub("", text).casefold()


def story_paragraphs(tree: HtmlElement, segments: Sequence[Segment], url: str | None) -> list[str]:
    """Give the paragraphs that trafilatura takes for the story, in its order.

    Its fallbacks (readability and jusText) cost a third of the time. They help on old layouts and hurt on modern
    pages. So a page that has no article element and no Open Graph is read with them; any other page without, and again
    with them only where the answer is short for the page.
    """
    if _is_old(tree):
        return _ask(tree, url, fast=False)
    paragraphs = _ask(tree, url, fast=True)
    found = sum(map(len, paragraphs))
    prose = sum(len(s.text) for s in segments if len(s.text) >= _PROSE_CHARS and s.link_density < _PROSE_LINKS)
    if found < min(_SHORT, prose) or found < _LOW_SHARE * prose:
        paragraphs = _ask(tree, url, fast=False) or paragraphs
    return paragraphs


def _is_old(tree: HtmlElement) -> bool:
    if next(tree.iter("article"), None) is not None:
        return False
    return not any((meta.get("property") or "").startswith("og:") for meta in tree.iter("meta"))


def _ask(tree: HtmlElement, url: str | None, *, fast: bool) -> list[str]:
    """Call trafilatura; it works on a copy of the tree."""
    document = trafilatura.bare_extraction(
        tree, url=url, fast=fast, with_metadata=False, include_comments=False, include_tables=True
    )
    if document is None or isinstance(document, dict) or document.body is None:
        return []
    return [" ".join(text.split()) for text in _texts(document.body) if text and not text.isspace()]


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
    for index, wanted_key in enumerate(wanted):
        if where[index] is not None or not wanted_key:
            continue
        low = max((place for place in where[:index] if place is not None), default=-1)
        high = min((place for place in where[index + 1 :] if place is not None and place > low), default=len(segments))
        candidates = [place for place in by_key.get(wanted_key, []) if not kept[place]]
        inside = [place for place in candidates if low < place < high]
        if chosen := inside[:1] or ([] if len(wanted_key) < _PROSE_CHARS else candidates[:1]):
            kept[chosen[0]], where[index] = True, chosen[0]
            continue
        pieces = _pieces(range(low + 1, high), wanted_key, keys, kept)
        if not pieces and len(wanted_key) >= _PROSE_CHARS:
            pieces = _pieces(range(len(keys)), wanted_key, keys, kept)
        if pieces:
            for place in pieces:
                kept[place] = True
            where[index] = pieces[-1]

    story = {keys[place] for place in range(len(segments)) if kept[place]}
    joined = "".join(keys[place] for place in range(len(segments)) if kept[place])
    missing = [
        (max((place for place in where[:index] if place is not None), default=-1), paragraphs[index])
        for index, wanted_key in enumerate(wanted)
        if where[index] is None and wanted_key and wanted_key not in story and wanted_key not in joined
    ]
    return kept, missing
