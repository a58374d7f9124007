"""What each kind of evidence counts for, and how often answers with so much evidence are right."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from normalize.language.evidence import Inside, Weights
from normalize.language.opinions import Trust, TrustCld2


@dataclass(frozen=True, slots=True)
class Calibration:
    """The weights of the evidence, and the way from its probabilities to scores."""

    weights: Weights
    #: Probabilities by the evidence, ascending, and beside each the share of such answers that are right.
    said: Sequence[float]
    right: Sequence[float]

    def score(self, probability: float) -> float:
        """Give how likely an answer with this probability by the evidence is right."""
        return float(np.interp(probability, self.said, self.right))


@cache
def load_calibration() -> Calibration:
    """Read ``calibration.toml``, which ``tests/fit_language.py`` writes."""
    table = tomllib.loads(files(__package__).joinpath("calibration.toml").read_text("utf-8"))
    weights = table["weights"]
    return Calibration(
        Weights(
            langdetect=Trust(**weights.pop("langdetect")),
            py3langid=Trust(**weights.pop("py3langid")),
            cld2=TrustCld2(**weights.pop("cld2")),
            close={name: Inside(**inside) for name, inside in weights.pop("close").items()},
            **weights,
        ),
        table["score"]["said"],
        table["score"]["right"],
    )
