"""The statistics under drift, against plain definitions and printed tables."""

import math
from statistics import median as plain_median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.quality.robust import Series, compare, median, student_quantile


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.booleans()), min_size=1, max_size=12))
def test_the_median_is_that_of_what_is_asked_for(items: list[tuple[float, bool]]) -> None:
    values, of = np.array([[value] for value, _ in items]), np.array([[asked] for _, asked in items])
    asked = [value for value, wanted in items if wanted]
    assert median(values, of)[0] == pytest.approx(plain_median(asked) if asked else 0)


@pytest.mark.parametrize(
    ("probability", "freedom", "expected"),
    [(0.975, 15, 2.131), (0.9995, 15, 4.073), (0.9995, 30, 3.646), (0.9995, 120, 3.373), (0.975, 1e9, 1.960)],
)
def test_quantiles_of_student_are_those_of_the_tables(probability: float, freedom: float, expected: float) -> None:
    assert student_quantile(probability, np.array([freedom]))[0] == pytest.approx(expected, rel=0.005)


def compared(values: list[float], *, noise: float = 0.0001, crowd: int = 0) -> tuple[float, float]:
    """Give deviation and spread of one series, beside a crowd of others that do the same tonight and vary less."""
    others = [[0.0] * (len(values) - 1) + [values[-1]]] * crowd
    columns = np.array([values, *others]).T
    series = Series(values=columns, noise=np.full_like(columns, noise), usable=np.ones(columns.shape, dtype=bool))
    found = compare(
        series,
        weekdays=np.arange(len(values)) % 7,
        crowd=np.array([False] + [True] * crowd),
        least_nights=8,
        rhythm=False,
    )
    return float(found.deviation[0]), float(found.spread[0])


def test_the_spread_is_never_below_the_noise_of_the_counts() -> None:
    _, spread = compared([0.0] * 20 + [1.0], noise=0.04)
    assert spread >= math.sqrt(0.04)


def test_one_wild_night_does_not_widen_the_spread() -> None:
    even = [*np.random.default_rng(1).normal(0, 0.1, 20)]
    assert compared([*even[:-1], 50.0, 1.0])[1] == pytest.approx(compared([*even, 1.0])[1], rel=0.5)


def test_the_spread_of_normal_nights_is_their_standard_deviation() -> None:
    rng = np.random.default_rng(1)
    spreads = [compared([*rng.normal(0, 0.3, 28), 0.0])[1] for _ in range(200)]
    assert np.mean(spreads) == pytest.approx(0.3, rel=0.1)


def test_what_the_crowd_does_alike_is_taken_off() -> None:
    even = [0.1, -0.1] * 10
    assert compared([*even, 1.0])[0] == pytest.approx(1.0, abs=0.11)
    assert compared([*even, 1.0], crowd=5)[0] == pytest.approx(0.0, abs=0.11)


def test_without_enough_nights_there_is_no_deviation() -> None:
    assert compared([0.0] * 7 + [1.0])[0] == 0
    assert compared([0.0] * 8 + [1.0])[0] == 1
