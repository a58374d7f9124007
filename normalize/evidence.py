"""What both judges look at, of pages and of text dumps: pieces of text as rows of numbers, and the trees that read them.

A row per piece, a named column per number. Texts count in characters of an alphabet: an ideograph, kana or hangul syllable says
as much as 2.6 of them.
"""

import gzip
import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final, Generic, Protocol, TypeVar

import lightgbm
import numpy as np
from numpy.typing import NDArray

from normalize.boilerplate.lexicon import load_lexicon
from normalize.column import DENSE
from normalize.main_text import key

Rows = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]

_DENSE_FACTOR: Final = 2.6
_SENTENCE_ENDS: Final = re.compile(r"[.!?…。！？؟।۔።։](?=[\s\"'”’»)\]]|$|[^\x00-\x7f])")
_COMMAS: Final = re.compile(r"[,，、،;；]")
_DIGITS: Final = re.compile(r"\d")
_ENDS: Final = re.compile(r"[.!?…。！？؟।۔።։:]['\"”’»)\]]*$")
_OPENS: Final = re.compile(r"^['\"“„«»‘(\[—–-]")
_TIME: Final = re.compile(r"\b(?:19|20)\d\d\b|\b\d{1,2}[:.]\d\d\b|\b\d{1,2}[./-]\d{1,2}[./-]\d{2,4}\b|\d年|\d月")
_CONTACT: Final = re.compile(r"@|https?:|www\.|\.com\b|©")

START: Final = 200
"""How much of a text is looked at for digits, capitals and the like, in characters."""

#: A time stands so near to the beginning of a dateline; further down it is part of a sentence.
_DATELINE: Final = 120
#: Longer lines are prose to the lexicon, in characters.
_LINE_CHARS: Final = 200

#: Farther is far, in rows.
_FAR: Final = 99
_MOST_REPEATS: Final = 9

#: What ``_measures`` gives.
_MEASURES: Final = (
    "words", "sentences", "commas", "digits", "opens", "lower_start", "digit_start", "time", "contact", "colon",
)  # fmt: skip


class HasText(Protocol):
    """A segment of a page, or a line of a dump."""

    @property
    def text(self) -> str:
        """Never empty."""


Piece = TypeVar("Piece", bound=HasText)


class Columns:
    """Gathers named columns."""

    def __init__(self) -> None:
        """Begin with none."""
        self.names: list[str] = []
        self._values: list[Rows] = []

    def add(self, name: str, values: Rows | Mask | NDArray[np.int64]) -> None:
        """Add a number for each row."""
        self.names.append(name)
        self._values.append(values.astype(np.float32, copy=False))

    def rows(self) -> Rows:
        """Give all columns beside each other."""
        return np.column_stack(self._values)


class Pieces(Generic[Piece]):
    """The pieces of a page or a dump, and what their texts alone say of them."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        """Measure the texts; ``take_for_prose`` is for what knows more of them."""
        self.pieces = pieces
        self.size = len(pieces)
        self.texts = [piece.text for piece in pieces]
        self.keys = [key(text) for text in self.texts]
        self.index = np.arange(self.size, dtype=np.float32)
        self.raw = self.each(len)
        self.dense = self.each(lambda text: 0 if text.isascii() else len(DENSE.findall(text)))
        self.length = self.raw + self.dense * (_DENSE_FACTOR - 1)
        self.ends = self.each(lambda text: _ENDS.search(text[-6:]) is not None)
        self.measured = dict(zip(_MEASURES, np.array([_measures(t) for t in self.texts], np.float32).T, strict=True))
        self.all_text = float(self.length.sum())

    def take_for_prose(self, prose: Mask) -> None:
        """Note which pieces are prose, and how much of it there is."""
        self.prose = prose
        self.body = np.where(prose, self.length, 0.0).astype(np.float32)
        self.all_prose = float(self.body.sum())

    def each(self, measure: Callable[[str], float]) -> Rows:
        """Measure the text of each piece."""
        return np.fromiter(map(measure, self.texts), np.float32, self.size)

    def of_each(self, measure: Callable[[Piece], float]) -> Rows:
        """Measure each piece."""
        return np.fromiter(map(measure, self.pieces), np.float32, self.size)

    def roles(self) -> list[str | None]:
        """Give the role that the lexicon sees in each text; None for what it does not know, and for prose."""
        find = load_lexicon().find
        hits = (find(text) if len(text) <= _LINE_CHARS else None for text in self.texts)
        return [hit.role if hit else None for hit in hits]

    def repeats(self) -> Rows:
        """Count how often each text stands there, up to nine times; 0 for a text without letters."""
        counts = Counter(self.keys)
        often = (min(counts[name], _MOST_REPEATS) if name else 0 for name in self.keys)
        return np.fromiter(often, np.float32, self.size)


@lru_cache(maxsize=8_000)
def _measures(text: str) -> tuple[float, ...]:
    """Measure a text, as ``_MEASURES``. Remembered, because a site prints the same menus on every page."""
    return (
        text.count(" ") + 1,
        len(_SENTENCE_ENDS.findall(text)),
        len(_COMMAS.findall(text)),
        len(_DIGITS.findall(text[:START])),
        _OPENS.match(text) is not None,
        text[0].islower(),
        text[0].isdigit(),
        _TIME.search(text[:_DATELINE]) is not None,
        _CONTACT.search(text[:300]) is not None,
        text.endswith((":", "：")),
    )


def add_position(pieces: Pieces[Any], out: Columns) -> None:
    """Say where each piece stands, in pieces, in text and in prose."""
    out.add("place", pieces.index / max(pieces.size - 1, 1))
    out.add("text_before", ratio(np.cumsum(pieces.length) - pieces.length, pieces.all_text))
    out.add("prose_before", ratio(np.cumsum(pieces.body) - pieces.body, pieces.all_prose))
    out.add("number", np.log1p(pieces.index))
    out.add("from_end", np.log1p(pieces.size - 1 - pieces.index))


def shifted(values: Rows, by: int, fill: float = 0.0) -> Rows:
    """Give each row the value of the row ``by`` places further down."""
    moved = np.full_like(values, fill)
    if by > 0:
        moved[:-by] = values[by:]
    else:
        moved[-by:] = values[:by]
    return moved


def within(values: Rows, above: int, below: int) -> Rows:
    """Sum over the rows from ``above`` rows up to ``below`` rows down."""
    sums = np.concatenate(([0.0], np.cumsum(values)))
    index = np.arange(len(values))
    low = np.clip(index - above, 0, len(values))
    high = np.clip(index + below + 1, 0, len(values))
    return (sums[np.maximum(high, low)] - sums[low]).astype(np.float32)


def since(marked: Mask) -> Rows:
    """Count the rows since the last marked one above; 99 where there is none."""
    places = np.where(marked, np.arange(len(marked)), -1)
    last = np.concatenate(([-1], np.maximum.accumulate(places)[:-1]))
    return np.where(last < 0, _FAR, np.minimum(np.arange(len(marked)) - last, _FAR)).astype(np.float32)


def until(marked: Mask) -> Rows:
    """Count the rows until the next marked one below; 99 where there is none."""
    return since(marked[::-1])[::-1]


def ratio(part: Rows, whole: Rows | float) -> Rows:
    """Divide, and give nothing for nothing."""
    return part / np.maximum(whole, 1.0)


def signed_log(values: Rows) -> Rows:
    """Make distances up and down comparable: the logarithm of how far, with the sign of the direction."""
    return np.sign(values) * np.log1p(np.abs(values))


def read_trees(package: str, name: str) -> Any:  # noqa: ANN401  lightgbm has no types
    """Read trees that a training script has written beside the code of a package."""
    packed = (files(package) / f"{name}.txt.gz").read_bytes()
    return lightgbm.Booster(model_str=gzip.decompress(packed).decode())


def predict(trees: Any, rows: Rows) -> Rows:  # noqa: ANN401  lightgbm has no types
    """Judge each row, in this thread: a number from 0 to 1."""
    return np.asarray(trees.predict(rows, num_threads=1), np.float32)
