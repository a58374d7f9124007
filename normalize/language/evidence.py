"""All evidence about a text in one script, added up: a probability for each language that the script leaves open."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from normalize.language.candidates import Candidates, candidates
from normalize.language.opinions import (
    Cld2,
    Sums,
    Trust,
    TrustCld2,
    add_up,
    ask_cld2,
    load_detectors,
    opinion,
    opinion_cld2,
)
from normalize.language.words import Group, foreign_tags, groups, languages_of_small_word, romanised, split_words

#: A group of close languages with less than this together is left as it is.
_NEGLIGIBLE: Final = 0.001

#: Stands for a probability of nothing, whose logarithm there is not.
_LEAST: Final = 1e-12

#: Small words listed for one language that others of these tags use as well (Serbian and Bosnian in Latin letters).
_SAME_SMALL_WORDS: Final[Mapping[str, tuple[str, ...]]] = {"hr": ("hr", "bs", "sr")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """What counts inside a group of close languages."""

    #: The detectors: 1 as between other languages, 0 not at all.
    detectors: float
    #: The words and letters of ``groups.toml``.
    words: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What each kind of evidence counts for, as logarithms. Fitted by ``tests/fit_language.py``."""

    langdetect: Trust
    py3langid: Trust
    cld2: TrustCld2
    #: n different words that speak for a language count ``weight * n ** power``: small words of the language, romanised words,
    #: and those that tell the languages of a group apart.
    small: float
    romanised: float
    power: float
    #: n letters that a language does not write count against it as ``foreign * log(1 + n)``.
    foreign: float
    #: Before anything is read: languages with hardly any news, and languages in letters that are not theirs.
    rare: float
    other_letters: float
    #: The language that the page declares.
    declared: float
    #: Per group of close languages.
    close: Mapping[str, Inside]


@dataclass(frozen=True, slots=True)
class Observed:
    """What a text shows, before it is weighed."""

    script: str
    sums: Sums
    cld2: Cld2
    #: How often the letters occur that not all languages of the script write (``Candidates.letters``).
    letters: tuple[int, ...]
    #: Per language, the different small words of it.
    small: Counter[str]
    #: Per language, the different words of it in letters that are not its own.
    romanised: Counter[str]
    #: All different words.
    words: frozenset[str]


def observe(text: str, more: str, script: str) -> Observed:
    """Ask the detectors and look for words.

    Args:
        text: As much as the detectors are to read.
        more: The text with what follows: words that tell close languages apart are rare, so they are looked for further.
        script: ISO 15924 code of the script of the text.
    """
    words = split_words(text)
    small, foreign = Counter[str](), Counter[str]()
    for word in words:
        for tag in languages_of_small_word().get(word, ()):
            small.update(_SAME_SMALL_WORDS.get(tag, (tag,)))
        if script == "Latn":
            foreign.update(romanised().get(word, ()))
    return Observed(
        script=script,
        sums=add_up(text, load_detectors()),
        cld2=ask_cld2(text),
        letters=tuple(map(text.lower().count, candidates_of(script).letters)),
        small=small,
        romanised=foreign,
        words=words if more == text else split_words(more),
    )


def weigh(seen: Observed, weights: Weights, declared: str | None = None) -> tuple[Candidates, NDArray[np.float64]]:
    """Add up the evidence.

    Returns:
        The candidates, and the probability of each by this evidence; ``calibration`` says how far that can be believed.
    """
    held = candidates_of(seen.script)
    total = opinion(seen.sums.langdetect, seen.sums.grams, held, "langdetect", weights.langdetect)
    total += opinion(seen.sums.py3langid, seen.sums.size, held, "py3langid", weights.py3langid)
    total += opinion_cld2(seen.cld2, held, weights.cld2)
    total += held.rare * weights.rare + held.romanised * weights.other_letters
    if held.letters:
        total -= weights.foreign * np.log1p(np.array(seen.letters) @ held.foreign)
    for found, weight in ((seen.small, weights.small), (seen.romanised, weights.romanised)):
        for tag, count in found.items():
            if tag in held.place:
                total[held.place[tag]] += weight * count**weights.power
    if declared is not None and declared in held.place:
        total[held.place[declared]] += weights.declared
    likely = np.exp(total - total.max())
    likely /= likely.sum()
    for group in held.groups:
        _divide(likely, group, held, seen.words, weights)
    return held, likely


def _divide(
    likely: NDArray[np.float64], group: Group, held: Candidates, words: frozenset[str], weights: Weights
) -> None:
    """Divide what a group of close languages has together among them anew: the detectors confuse them, some words do not."""
    places = [held.place[tag] for tag in group.members]
    share = likely[places]
    together = share.sum()
    if together < _NEGLIGIBLE:
        return
    found, inside = group.count(words), weights.close[group.name]
    counts = np.array([found[tag] for tag in group.members], dtype=np.float64)
    anew = inside.detectors * np.log(np.maximum(share, _LEAST)) + inside.words * counts**weights.power
    anew = np.exp(anew - anew.max())
    likely[places] = anew * together / anew.sum()


@cache
def candidates_of(script: str) -> Candidates:
    """List what a script leaves open."""
    return candidates(script, foreign_tags() if script == "Latn" else (), groups(), load_detectors().names())
