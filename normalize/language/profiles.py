"""langdetect's profiles, packed: every n-gram of a text has its say at once.

langdetect draws n-grams from a text until one language stands out, seven times, and averages. The sum over all n-grams
with the same profiles and the same smoothing is the limit of that without the chance: the same text gives the same
answer in any thread and any order, 20 times as fast. The profiles are those of the installed package, read from its
files at the first use: 87,600 runs of one to three characters, as a table of 16-bit numbers in a tenth of the memory
of langdetect's own dictionary.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

import numpy as np
from langdetect.utils.ngram import NGram
from numpy.typing import NDArray

#: langdetect's smoothing: a share that every n-gram has in every language (ALPHA_DEFAULT / BASE_FREQ in its detector).
_SMOOTHING: Final = 0.5 / 10_000

#: Logarithms are kept as whole numbers of this part, so that sums are exact whatever their order.
_UNIT: Final = 1 / 2048

_SPACE: Final = ord(" ")
_PLANE: Final = 0x10000


class Profiles(NamedTuple):
    """The packed profiles of all languages."""

    #: ISO 639-1 codes, and zh-cn and zh-tw, as langdetect names them; the columns of ``weights``.
    languages: tuple[str, ...]
    #: N-grams as numbers (``_keys``), ascending.
    grams: NDArray[np.int64]
    #: Per n-gram and language: by how much it makes the language likelier, as a logarithm in units of ``_UNIT``.
    weights: NDArray[np.int16]
    #: Per character of the basic plane: the one that stands for it in the profiles.
    plain: NDArray[np.uint16]
    #: Per character of the basic plane: whether it is a capital.
    capital: NDArray[np.bool_]


@cache
def load_profiles() -> Profiles:
    """Read the profiles that come with langdetect and pack them; takes a quarter of a second."""
    folder = files("langdetect") / "profiles"
    languages, keys, values = [], [], []
    for number, name in enumerate(sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))):
        profile = json.loads((folder / name).read_text("utf-8"))
        languages.append(profile["name"])
        # Shorter runs are filled up from the left, as _keys has them. A longer one cannot be met in a text.
        found = {gram: count for gram, count in profile["freq"].items() if len(gram) <= NGram.N_GRAM}
        chars = "".join(gram.rjust(NGram.N_GRAM, "\0") for gram in found).encode("utf-32-le")
        codes = np.frombuffer(chars, dtype=np.uint32).reshape(-1, NGram.N_GRAM).astype(np.int64)
        keys.append(codes[:, 0] * _PLANE**2 + codes[:, 1] * _PLANE + codes[:, 2])
        totals = np.array([1, *profile["n_words"]], dtype=np.float64)
        share = np.fromiter(found.values(), dtype=np.float64) / totals[(codes != 0).sum(axis=1)]
        values.append((np.full(len(found), number), np.log1p(share / _SMOOTHING)))
    grams, rows = np.unique(np.concatenate(keys), return_inverse=True)
    weights = np.zeros((len(grams) + 1, len(languages)), dtype=np.int16)
    columns, logarithms = (np.concatenate(parts) for parts in zip(*values, strict=True))
    weights[rows, columns] = np.rint(logarithms / _UNIT).astype(np.int16)
    capital = np.fromiter((chr(code).isupper() for code in range(_PLANE)), dtype=np.bool_, count=_PLANE)
    return Profiles(tuple(languages), grams, weights, _plain(), capital)


def sum_profiles(text: str, profiles: Profiles) -> tuple[NDArray[np.float64], int]:
    """Add up what all n-grams of a text say.

    Returns:
        The natural logarithm of the likelihood of each language, up to a constant; and the number of n-grams that any
        profile has.
    """
    keys = _keys(text, profiles)
    rows = np.searchsorted(profiles.grams, keys)
    # The last row is all zeros, for what stands behind the last n-gram.
    known = profiles.grams[np.minimum(rows, len(profiles.grams) - 1)] == keys
    rows = rows[known]
    return profiles.weights[rows].sum(axis=0, dtype=np.int64) * _UNIT, len(rows)


def _keys(text: str, profiles: Profiles) -> NDArray[np.int64]:
    """Give the n-grams that langdetect would take, as numbers, with repetitions.

    Its rules (``langdetect.utils.ngram``): a run may begin or end with the space between words but not hold one inside,
    and a run whose last two letters are capitals does not count.
    """
    points = np.frombuffer(f" {NGram.normalize_vi(text)}".encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    points = np.where(points < _PLANE, points, 0)  # no profile has characters beyond the basic plane
    chars = profiles.plain[points].astype(np.int64)
    capital = profiles.capital[chars]
    space = chars == _SPACE
    one, two, three = chars[2:], chars[1:-1], chars[:-2]
    shouted = capital[1:] & capital[:-1]
    ones = chars[1:][~(space[1:] | shouted)]
    pairs = (chars[:-1] * _PLANE + chars[1:])[~((space[1:] & space[:-1]) | shouted)]
    triples = (three * _PLANE**2 + two * _PLANE + one)[~(space[1:-1] | shouted[1:])]
    return np.concatenate((ones, pairs, triples))


def _plain() -> NDArray[np.uint16]:
    """Tabulate ``NGram.normalize``: the character that stands for each of the basic plane in the profiles."""
    plain = np.arange(_PLANE, dtype=np.uint16)
    for first, last, one in (
        (0x0000, 0x0040, " "), (0x005B, 0x0060, " "), (0x007B, 0x007F, " "), (0x2000, 0x206F, " "),
        (0x1EA0, 0x1EFF, "\u1ec3"), (0x3040, 0x309F, "\u3042"), (0x30A0, 0x30FF, "\u30a2"),
        (0x3100, 0x312F, "\u3105"), (0x31A0, 0x31BF, "\u3105"), (0xAC00, 0xD7AF, "\uac00"),
    ):  # fmt: skip
        plain[first : last + 1] = ord(one)
    for char in NGram.LATIN1_EXCLUDED:
        plain[ord(char)] = _SPACE
    single = {"\u0219": "\u015f", "\u021b": "\u0163", "\u06cc": "\u064a"}
    for char, other in {**single, **NGram.CJK_MAP}.items():
        plain[ord(char)] = ord(other)
    return plain
