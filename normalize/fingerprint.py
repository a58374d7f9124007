"""Fingerprints of a text, for finding it again."""

from dataclasses import replace
from typing import Final

import rensa

from normalize.main_text import key
from schemas.document import Article

#: 16 bands of 8 rows: a pair with Jaccard similarity s meets in a band with probability 1 - (1 - s^8)^16, which is .95 at
#: .8 and .9999 at .9 (Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, 3.4.2).
BANDS: Final = 16
ROWS: Final = 8

#: Shingles of this many letters, spaces and punctuation left out: works in scripts without spaces too.
_SHINGLE: Final = 9

#: Shorter texts are near duplicates of each other by chance, in letters.
_MIN_LETTERS: Final = 120

_SEED: Final = 1


def fingerprint(article: Article) -> Article:
    """Add the MinHash signature of the text; texts under 120 letters get none and only match exactly."""
    letters = key(article.text)
    if len(letters) < _MIN_LETTERS:
        return article
    return replace(article, signature=signature(letters))


def signature(letters: str) -> tuple[int, ...]:
    """Give the MinHash signature of a text's letters: 128 numbers; equal shares of them estimate Jaccard similarity."""
    sketch = rensa.RMinHash(num_perm=BANDS * ROWS, seed=_SEED)
    sketch.update([letters[start : start + _SHINGLE] for start in range(len(letters) - _SHINGLE + 1)])
    return tuple(sketch.digest())
