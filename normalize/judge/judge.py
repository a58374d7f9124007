"""How likely each segment of a page belongs to its story: two passes of boosted trees over language-free evidence.

The first pass judges each segment by its evidence; the second sees what the first thought of its neighbours, its path and
its column. The trees are trained by ``tests/make_judge.py``; what they were trained on stands in the README.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np

from normalize.column import HEADINGS, at_least
from normalize.evidence import Rows, predict, read_trees
from normalize.judge.evidence import About, evidence, second_look
from normalize.judge.words import Weights, load_words, named
from normalize.main_text import key
from normalize.segments import Segment

#: Segments from here on belong to the story.
THRESHOLD: Final = 0.5

#: What is less likely than this is nothing of the story, whatever its element.
_HARDLY: Final = 0.1

#: A standfirst has so many characters, and stands mostly outside links.
_LEAD_CHARS: Final = 30
_LEAD_LINKS: Final = 0.3
#: A text right below the headline that is longer is a standfirst, not a kicker, a name or a time.
_SENTENCE_CHARS: Final = 60
_MOSTLY_LINKS: Final = 0.5
_NO_LEAD: Final = frozenset(("caption", "figure", "nav", "aside", "footer", "related", "comments", "ad"))
#: Texts that begin with the same so many letters are the same.
_SAME_LETTERS: Final = 40


@dataclass(frozen=True, slots=True)
class _Trained:
    words: Weights
    #: The trees of the first and of the second pass; lightgbm has no types.
    first: Any
    second: Any


@cache
def load_judge() -> _Trained:
    """Read what was learned, once per process."""
    first, second = (read_trees("normalize.judge", name) for name in ("first", "second"))
    return _Trained(words=load_words(), first=first, second=second)


def judge(segments: Sequence[Segment], about: About) -> Rows:
    """Say of each segment how likely it belongs to the story, 0 to 1.

    Args:
        segments: All of a page, in order; at least one.
        about: What the page says of itself.
    """
    trained = load_judge()
    names, rows = evidence(segments, about)
    rows = np.column_stack([rows, named(segments, trained.words)])
    first = predict(trained.first, rows)
    return agreed(first, predict(trained.second, second_look(segments, names, rows, first)))


def story(segments: Sequence[Segment], scores: Sequence[float], about: About) -> list[bool]:
    """Say which segments belong to the story: the likely ones, the lead above them, and what stands among them.

    A standfirst, a heading, a quotation and a table of figures look little like a paragraph, and the evaluation pages do not
    agree whether they belong to the text; they do here.
    """
    kept = [score >= THRESHOLD for score in scores]
    places = [number for number, keep in enumerate(kept) if keep]
    if not places:
        return kept
    held: Counter[int] = Counter()
    for number in places:
        held[segments[number].column] += len(segments[number].text)
    column = held.most_common(1)[0][0]
    titles = {key(title) for title in about.titles} - {""}
    described = [start for text in about.descriptions if len(start := key(text)[:_SAME_LETTERS]) >= _LEAD_CHARS]
    top = next((n for n in range(places[-1]) if segments[n].element == "h1" or key(segments[n].text) in titles), None)
    for number, segment in enumerate(segments[: places[-1]]):
        if kept[number] or scores[number] < _HARDLY:
            continue
        if number > places[0]:
            heading = segment.element in HEADINGS and kept[number + 1] and segment.link_density < _MOSTLY_LINKS
            quote = "quote" in segment.places and segment.link_density < _LEAD_LINKS
            table = segment.element == "tr"
            kept[number] = (heading or quote or table) and column in segment.trail
        elif (
            top is not None and top < number and len(segment.text) >= _LEAD_CHARS and segment.link_density < _LEAD_LINKS
        ):
            is_lead = (
                "deck" in segment.places
                or any(key(segment.text).startswith(start) for start in described)
                or (
                    number == top + 1
                    and segment.column == segments[top].column
                    and at_least(segment.text, _SENTENCE_CHARS)
                )
            )
            kept[number] = is_lead and not segment.places & _NO_LEAD
    return kept


def agreed(first: Rows, second: Rows) -> Rows:
    """Join both judgements. The second is better, and both together are better still: they err in different places."""
    return (first + 2 * second) / 3
