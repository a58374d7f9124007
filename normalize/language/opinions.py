"""What the detectors say of a text: langdetect's profiles, py3langid and CLD2, as one vector each over the candidates.

langdetect is the detector with a name; it knows 55 languages. py3langid (139 languages, BSD) and CLD2 (165, Apache-2.0) know
most of the others. All three come with their models; none touches the network. Each answers in its own measure: sums of
logarithms over n-grams that overlap are far too sure of themselves, so they are divided by a power of their number; and
none may veto a language alone, so what it says against one has a floor.
"""

import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import py3langid.langid
import pycld2
from numpy.typing import NDArray
from py3langid.modelio import load_model

from normalize.language.candidates import Candidates, Detector, read_tables
from normalize.language.profiles import Profiles, load_profiles, sum_profiles

_WARM = threading.Lock()

#: CLD2 calls a text that it cannot tell this.
_UNKNOWN: Final = "un"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """How a detector's sums become an opinion. Fitted by ``tests/fit_language.py``; kept in ``calibration.toml``."""

    #: What the opinion counts for beside the others.
    weight: float
    #: The sums are divided by ``scale * n ** power``, n being the n-grams of the text, or its bytes.
    scale: float
    power: float
    #: An opinion against a language counts no more than this, as a logarithm.
    floor: float
    #: What the detector says of languages that it does not know.
    missing: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustCld2:
    """How CLD2's up to three languages with their shares become an opinion."""

    weight: float
    #: Share of the answers that are wrong, where CLD2 calls them reliable and where it does not.
    doubt: float
    doubt_unreliable: float
    #: What it says of the languages that it did not name, below that doubt, as a logarithm.
    missing: float


class Bytes(NamedTuple):
    """py3langid's model: naive Bayes over byte n-grams that one automaton finds."""

    #: Per n-gram and language: logarithm of the likelihood.
    weights: NDArray[np.float16]
    prior: NDArray[np.float32]
    languages: tuple[str, ...]
    #: Automaton: the next state by row and byte, the first entry of each state's row, the n-gram that a state ends (or -1).
    moves: "py3langid.langid.array[int]"
    rows: list[int]
    ends: list[int]


@dataclass(frozen=True, slots=True)
class Sums:
    """What two detectors add up for each of their languages over one text."""

    langdetect: NDArray[np.float64]
    #: N-grams that langdetect's profiles know.
    grams: int
    py3langid: NDArray[np.float32]
    #: Bytes of the text in UTF-8.
    size: int


class Cld2(NamedTuple):
    """CLD2's answer: whether it calls it reliable; our tags, with the share of the text that each has (0 to 1)."""

    reliable: bool
    shares: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Detectors:
    """The models of the detectors that are read from files."""

    profiles: Profiles
    bytes: Bytes

    def names(self) -> dict[Detector, tuple[str, ...]]:
        """Say what each calls its columns."""
        cld2 = tuple(code for name, code in pycld2.LANGUAGES if name in pycld2.DETECTED_LANGUAGES)
        return {"langdetect": self.profiles.languages, "py3langid": self.bytes.languages, "cld2": cld2}


def load_detectors() -> Detectors:
    """Load the models once per process; threads that come early wait. Takes half a second and 70 MB."""
    with _WARM:
        return _detectors()


@cache
def _detectors() -> Detectors:
    folder: Path = py3langid.langid.MODEL_DIR
    weights, prior, languages, moves, rows, ends = load_model(folder / py3langid.langid.MODEL_FILE)
    model = Bytes(weights, prior, tuple(languages), moves, [row << 8 for row in rows], ends)
    return Detectors(load_profiles(), model)


def add_up(text: str, detectors: Detectors) -> Sums:
    """Ask langdetect's profiles and py3langid."""
    ours, grams = sum_profiles(text, detectors.profiles)
    model = detectors.bytes
    data = (text.lower() if text.isupper() else text).encode("utf-8", "replace")
    visits = py3langid.langid.visit_counts(model.moves, model.rows, model.ends, data) or {}
    found = np.fromiter(visits.keys(), dtype=np.intp, count=len(visits))
    counts = np.fromiter(visits.values(), dtype=np.float32, count=len(visits))
    theirs = np.log1p(counts) @ model.weights[found].astype(np.float32) + model.prior
    return Sums(ours, grams, theirs, len(data))


def ask_cld2(text: str) -> Cld2:
    """Ask CLD2; what it takes for damage (controls, halves of pairs) is left out where it refuses the text for that."""
    try:
        reliable, answers = _ask_cld2(text)
    except pycld2.error:
        try:
            reliable, answers = _ask_cld2("".join(char for char in text if char.isprintable() or char.isspace()))
        except pycld2.error:
            return Cld2(reliable=False, shares=())
    names = read_tables()["cld2"]
    shares = tuple(
        (names.get(code, code), percent / 100) for _, code, percent, _ in answers if code != _UNKNOWN and percent
    )
    return Cld2(reliable=reliable, shares=shares)


def _ask_cld2(text: str) -> tuple[bool, tuple[tuple[str, str, int, float], ...]]:
    reliable, _, answers = pycld2.detect(text.encode("utf-8", "ignore"), isPlainText=True, bestEffort=True)
    return bool(reliable), answers


def opinion(
    sums: NDArray[np.floating], size: int, held: Candidates, detector: Detector, trust: Trust
) -> NDArray[np.float64]:
    """Turn the sums of one detector into the logarithm of a probability for each candidate, times its weight."""
    places, columns = held.columns[detector]
    said = np.zeros(len(held.tags))
    if not len(places) or not size:
        return said  # it knows none of them: it has no opinion
    best: NDArray[np.float64] = sums[columns].max(axis=0).astype(np.float64) / (trust.scale * size**trust.power)
    best -= best.max()
    best -= np.log(np.exp(best).sum())
    said += trust.missing
    said[places] = np.maximum(best, trust.floor)
    return _stand_in(said, held, detector) * trust.weight


def opinion_cld2(answer: Cld2, held: Candidates, trust: TrustCld2) -> NDArray[np.float64]:
    """Turn CLD2's answer into the logarithm of a probability for each candidate, times its weight."""
    said = np.zeros(len(held.tags))
    named = [(held.place[tag], share) for tag, share in answer.shares if tag in held.place]
    if not named:
        return said
    doubt = trust.doubt if answer.reliable else trust.doubt_unreliable
    said += np.log(doubt) + trust.missing
    for place, share in named:
        said[place] = max(said[place], np.log(share * (1 - doubt)))
    return _stand_in(said, held, "cld2") * trust.weight


def _stand_in(said: NDArray[np.float64], held: Candidates, detector: Detector) -> NDArray[np.float64]:
    """Say of a language that a detector does not know what it says of the close ones: it cannot tell them apart."""
    for place, close in held.stand_ins[detector]:
        said[place] = said[close].max()
    return said
