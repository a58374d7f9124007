"""Fingerprints of a text and of its blocks, for finding them again."""

import hashlib
from dataclasses import replace
from typing import Final

import rensa

from normalize.column import at_least
from normalize.main_text import key, letters
from schemas.document import Article, RemovedRole

#: 16 bands of 8 rows: a pair with Jaccard similarity s meets in a band with probability 1 - (1 - s^8)^16, which is .95 at
#: .8 and .9999 at .9 (Leskovec, Rajaraman, Ullman, Mining of Massive Datasets, 3.4.2).
BANDS: Final = 16
ROWS: Final = 8

#: Shingles of this many letters, spaces and punctuation left out: works in scripts without spaces too.
_SHINGLE: Final = 9

#: Shorter texts are near duplicates of each other by chance, in letters.
_MIN_LETTERS: Final = 120

_SEED: Final = 1

#: Shorter blocks recur by chance ("Background", "1.", "Advertisement" in a glossary), in letters of an alphabet.
_BLOCK_LETTERS: Final = 10
#: What was removed counts as evidence from this length on: menus hold the names of teams and countries, and so do lists
#: that end a story.
_REMOVED_LETTERS: Final = 25

#: What goes from a page for a reason of its own; that it went says nothing about its text on another page.
_OF_ONE_PAGE: Final[frozenset[RemovedRole]] = frozenset(
    ("title", "duplicate", "date", "author", "comments", "caption", "credit")
)


def fingerprint(article: Article) -> Article:
    """Add the MinHash signature of the text, and the prints of its blocks.

    Texts under 120 letters get no signature and only match exactly.
    """
    found = letters(article.text)
    return replace(
        article,
        signature=signature(found) if len(found) >= _MIN_LETTERS else (),
        prints=tuple(block_print(paragraph.text, _BLOCK_LETTERS) for paragraph in article.paragraphs),
        removed_prints=frozenset(
            block_print(block.text, _REMOVED_LETTERS) for block in article.removed if block.role not in _OF_ONE_PAGE
        )
        - {0},
    )


def block_print(text: str, least: int) -> int:
    """Give 64 bits that stand for a block's letters; 0 for a text of fewer letters than the least that tell it apart."""
    # The text first: most of what is asked for is the entries of menus, and their letters take longer to find.
    if not at_least(text, least) or not at_least(found := key(text), least):
        return 0
    return int.from_bytes(hashlib.blake2b(found.encode("utf-8", "surrogatepass"), digest_size=8).digest())


def signature(letters: str) -> tuple[int, ...]:
    """Give the MinHash signature of a text's letters: 128 numbers; equal shares of them estimate Jaccard similarity."""
    sketch = rensa.RMinHash(num_perm=BANDS * ROWS, seed=_SEED)
    sketch.update([letters[start : start + _SHINGLE] for start in range(len(letters) - _SHINGLE + 1)])
    return tuple(sketch.digest())
