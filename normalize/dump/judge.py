"""Which lines of a text dump are its story, and which one is the headline: boosted trees over language-free evidence.

One pass, because a second one that sees what was thought of the neighbours gains nothing here: the evidence has them already. The
headline is picked by trees of its own. ``tests/make_line_judge.py`` trains both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np

from normalize.column import at_least
from normalize.dump.evidence import evidence
from normalize.dump.lines import Line
from normalize.evidence import Rows, predict, read_trees, shifted, within

#: Lines from here on belong to the story.
THRESHOLD: Final = 0.5
#: The best line is the headline from here on.
TITLE_THRESHOLD: Final = 0.3

#: A text with no more lines than this that are no paragraph is an article as somebody saved it, with a headline, some
#: sub-headings, a byline and perhaps a few lines from around it. Menus alone have more.
_FEW_LINES: Final = 24
_PARAGRAPH_CHARS: Final = 80

#: Where no line is as likely as this, there is no story that the trees know.
_LEAST: Final = 0.2
#: Lower thresholds take in comments and pointers to other stories, by cross-validation.
_LOWEST: Final = 0.4
#: A heading is seldom told from a pointer to another story by its looks; where it stands tells it.
_HEADING: Final = 0.1


@dataclass(frozen=True, slots=True)
class _Trees:
    story: Any
    title: Any


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was thought of the lines of a dump, one number for each, 0 to 1."""

    #: How likely it belongs to the story.
    story: Rows
    #: How likely it is the headline.
    title: Rows


@cache
def load_line_judge() -> _Trees:
    """Read the trees, once per process."""
    return _Trees(*(read_trees("normalize.dump", name) for name in ("story", "title")))


def judge_lines(lines: Sequence[Line]) -> Judgement:
    """Judge every line of a dump; at least one."""
    trees = load_line_judge()
    _, rows = evidence(lines)
    story = predict(trees.story, rows)
    return Judgement(story=story, title=predict(trees.title, with_story(rows, story)))


def with_story(rows: Rows, story: Rows) -> Rows:
    """Put beside the evidence what the headline stands next to: how likely each line, and each of those below, is story."""
    below = [shifted(story, by) for by in (1, 2, 3, 5)]
    above = within(story, len(story), -1)
    return np.column_stack([rows, story, *below, above, within(story, -1, len(story))])


def is_clean(lines: Sequence[Line]) -> bool:
    """Is this an article as somebody saved it, with hardly anything around it?

    Then every line is kept until a rule says otherwise: where hardly anything was copied along, nothing may be lost.
    """
    others = sum(not at_least(line.text, _PARAGRAPH_CHARS) and line.mark != "item" for line in lines)
    return others <= _FEW_LINES


def story_lines(lines: Sequence[Line], judgement: Judgement) -> list[bool] | None:
    """Say which lines belong to the story; None where hardly any might, so that the trees have nothing to say.

    Lines count from the likelihood on at which the F1 that is to be expected is highest: one half where the trees are sure,
    less where they are not, as on a part of a page. What then stands short before a line of the story heads it.
    """
    scores = judgement.story
    if float(scores.max()) < _LEAST:
        return None
    threshold = _best_threshold(scores, np.array([len(line.text) for line in lines], np.float32))
    kept = [score >= threshold for score in scores.tolist()]
    first = kept.index(True)
    for number in range(len(lines) - 2, first, -1):
        short = not at_least(lines[number].text, _PARAGRAPH_CHARS) and not lines[number].link_chars
        if not kept[number] and kept[number + 1] and short and scores[number] >= _HEADING:
            kept[number] = at_least(lines[number + 1].text, _PARAGRAPH_CHARS)
    return kept


def _best_threshold(scores: Rows, chars: Rows) -> float:
    """Give the threshold of the highest expected F1 (Lipton, Elkan and Naryanaswamy, 2014), between ``_LOWEST`` and one half.

    Where no line is as likely as that, the likeliest alone are taken.
    """
    order = np.argsort(-scores, kind="stable")
    good, taken = np.cumsum((scores * chars)[order]), np.cumsum(chars[order])
    best = int((2 * good / (taken + good[-1])).argmax())
    return min(float(np.clip(scores[order][best], _LOWEST, THRESHOLD)), float(scores.max()))


def headline_of(judgement: Judgement) -> int | None:
    """Give the number of the line that is the headline; None where none looks like it."""
    best = int(judgement.title.argmax())
    return best if judgement.title[best] >= TITLE_THRESHOLD else None
