"""What the words of class names and ids say of the elements around a segment.

Designers of all countries name their elements in much the same few hundred words: "post-content", "articleBody", "related",
"caption". How far each word speaks for or against a story was learned from pages whose story is known
(``tests/make_judge.py``), by how far from the segment the element stands.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Final

import numpy as np

from normalize.evidence import Rows
from normalize.segments import Path, Segment

LEVELS: Final = 4
"""The segment's own element, the one around it, the next two, and all further out."""

Weights = Mapping[str, tuple[float, ...]]
"""Word -> what it adds to the log odds that a segment belongs to the story, by level."""

_NOTHING: Final = (0.0,) * LEVELS


@cache
def load_words() -> Weights:
    """Read the weights, once per process."""
    lines = (files("normalize.judge") / "words.tsv").read_text("ascii").splitlines()
    return {word: tuple(map(float, weights)) for word, *weights in (line.split("\t") for line in lines)}


def level_of(steps: int) -> int:
    """Give the level of an element so many steps outwards from the segment's own."""
    return (0, 1, 2, 2)[steps] if steps < LEVELS else LEVELS - 1


class _Named:
    """Sums, smallest and largest weights of the words around each path of one page."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._outside: dict[int, tuple[float, float, float]] = {}

    def row(self, path: Path) -> tuple[float, ...]:
        """Give the sum of each level, the sum of all, the smallest and the largest weight; 0 without words."""
        sums = [0.0] * LEVELS
        low = high = 0.0
        here: Path | None = path
        for steps in range(LEVELS):
            if here is None:
                break
            level = level_of(steps)
            for word in here.words:
                weight = self._weights.get(word, _NOTHING)[level]
                sums[level] += weight
                low, high = min(low, weight), max(high, weight)
            here = here.around
        if here is not None:
            sums[-1], *ends = self._further_out(here)
            low, high = min(low, ends[0]), max(high, ends[1])
        return (*sums, sum(sums), low, high)

    def _further_out(self, path: Path) -> tuple[float, float, float]:
        """Add up the last level from a path outwards: sum, smallest, largest."""
        unknown: list[Path] = []
        here: Path | None = path
        while here is not None and here.number not in self._outside:
            unknown.append(here)
            here = here.around
        found = self._outside[here.number] if here is not None else (0.0, 0.0, 0.0)
        for inner in reversed(unknown):
            total, low, high = found
            for word in inner.words:
                weight = self._weights.get(word, _NOTHING)[-1]
                total += weight
                low, high = min(low, weight), max(high, weight)
            found = self._outside[inner.number] = total, low, high
        return found


def named(segments: Sequence[Segment], weights: Weights) -> Rows:
    """Say what the names around each segment add up to; a row of 7 per segment, as ``_Named.row``."""
    page = _Named(weights)
    rows: dict[int, tuple[float, ...]] = {}
    for segment in segments:
        if segment.path.number not in rows:
            rows[segment.path.number] = page.row(segment.path)
    return np.array([rows[segment.path.number] for segment in segments], np.float32)
