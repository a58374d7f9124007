"""The column of a page that holds the story: a check on what the extractor kept.

trafilatura judges elements; on old layouts it takes menus, tickers and forum posts along with the story, or misses it.
A story stands in one column. So what was kept above the first and below the last paragraph of the best column, and is no
paragraph itself, goes; what was dropped from its middle comes back; and where the extractor kept next to nothing of a
page's one great column, the column is taken.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from normalize.segments import Segment

#: A paragraph of a story: from this many characters on a menu entry, caption or teaser would be unusual.
_PROSE_CHARS: Final = 80
_BODY_CHARS: Final = 120
#: Chinese, Japanese and Korean say as much in a third of the characters.
DENSE: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_DENSE_FACTOR: Final = 0.38

_PROSE_LINKS: Final = 0.3

#: The best column must hold this share of the kept prose before anything outside it goes.
_SHARE: Final = 0.6

#: The extractor missed the story when it kept less than this share of a column of at least so many characters, and the
#: column has so many times the prose that was kept. Strict: on modern pages the extractor is mostly right.
_MISSED_SHARE: Final = 0.3
_MISSED_CHARS: Final = 800
_MISSED_TIMES: Final = 4

#: Headings inside a story.
HEADINGS: Final = frozenset(("h2", "h3", "h4", "h5"))
_NOT_PROSE: Final = frozenset(("caption", "embed", "figure"))
_NOT_STORY: Final = frozenset(
    ("nav", "footer", "comments", "related", "share", "ad", "newsletter", "cookie", "form", "aside")
)


def is_long(text: str) -> bool:
    """Is this long enough to be a paragraph of a story, in the script it is written in?"""
    return at_least(text, _BODY_CHARS)


def at_least(text: str, characters: int) -> bool:
    """Does the text say as much as so many characters of an alphabet?"""
    if len(text) >= characters:
        return True
    if len(text) < characters * _DENSE_FACTOR or text.isascii():
        return False
    return len(DENSE.findall(text)) * 2 > len(text)


def is_prose(segment: Segment) -> bool:
    """Does the segment read like a paragraph: long, and mostly outside links?"""
    return segment.link_density < _PROSE_LINKS and at_least(segment.text, _PROSE_CHARS)


def best_column(segments: Sequence[Segment]) -> int | None:
    """Give the column with the most prose outside menus, margins and comments; None where there is no prose."""
    columns: Counter[int] = Counter()
    for segment in segments:
        if is_prose(segment) and not segment.places & _NOT_STORY:
            columns[segment.column] += len(segment.text)
    return columns.most_common(1)[0][0] if columns else None


def check_column(segments: Sequence[Segment], kept: Sequence[bool]) -> list[str | None]:
    """Say for each segment why it is kept or left out after all; None where the extractor's word stands.

    Returns:
        "column:story" for segments to keep, "column:outside" for segments to leave out, one per segment.
    """
    prose = [is_prose(segment) for segment in segments]
    answers: list[str | None] = [None] * len(segments)
    best = best_column(segments)
    if best is None:
        return answers
    size = sum(len(s.text) for s in segments if s.column == best and is_prose(s) and not s.places & _NOT_STORY)
    inside = [
        number for number, segment in enumerate(segments) if kept[number] and prose[number] and segment.column == best
    ]
    kept_inside = sum(len(segments[number].text) for number in inside)
    kept_prose = sum(len(s.text) for s, keep, long in zip(segments, kept, prose, strict=True) if keep and long)
    if size >= _MISSED_CHARS and kept_inside < _MISSED_SHARE * size and size > _MISSED_TIMES * kept_prose:
        whole = [number for number, segment in enumerate(segments) if prose[number] and segment.column == best]
        for number, segment in enumerate(segments):
            within = whole[0] <= number <= whole[-1]
            belongs = within and segment.column == best and segment.link_density < 0.5  # noqa: PLR2004  (else: a menu)
            answers[number] = "column:story" if belongs else "column:outside" if kept[number] else None
        return answers
    if inside and kept_inside >= _SHARE * kept_prose:
        for number, segment in enumerate(segments):
            within = inside[0] <= number <= inside[-1] or segment.column == best
            if kept[number] and not within and not (segment.link_density < _PROSE_LINKS and is_long(segment.text)):
                answers[number] = "column:outside"
    _fill(segments, kept, answers, inside, best)
    return answers


def _fill(
    segments: Sequence[Segment], kept: Sequence[bool], answers: list[str | None], inside: Sequence[int], best: int
) -> None:
    """Keep what the extractor dropped from the middle of the story: long paragraphs, quotations, and headings over kept text."""
    story = [number for number, keep in enumerate(kept) if keep and answers[number] is None]
    if not story:
        return
    for number in range(story[0] + 1, story[-1]):
        segment = segments[number]
        if kept[number] or segment.places & _NOT_STORY:
            continue
        heading = segment.element in HEADINGS and kept[number + 1] and segment.link_density < 0.5  # noqa: PLR2004
        paragraph = (
            len(inside) > 1
            and inside[0] < number < inside[-1]
            and segment.column == best
            and segment.link_density < _PROSE_LINKS
            and not segment.places & _NOT_PROSE
            and is_long(segment.text)
        )
        quote = segment.column == best and "quote" in segment.places and segment.link_density < _PROSE_LINKS
        if heading or paragraph or quote:
            answers[number] = "column:story"
