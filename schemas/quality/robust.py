"""Robust statistics over nights: how far tonight lies from what is usual, and how far that would be by chance.

Matrices have one row for each night, oldest first, and one column for each series; the last row is tonight.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Mask = NDArray[np.bool_]
Vector = NDArray[np.float64]
Rows = NDArray[np.int64]

#: The median absolute deviation times this is the standard deviation of normal values: 1 / (the normal quantile of 3/4).
#: Hampel 1974, doi:10.1080/01621459.1974.10482962.
MAD_TO_SD: Final = 1.4826

#: Variance of the median of normal values as a multiple of that of their mean, for many of them: pi / 2.
OF_A_MEDIAN: Final = np.pi / 2

#: The least series that say what all did alike.
CROWD: Final = 5

#: From this many spreads on, a change is followed back to the night that it began on. It decides no alarm.
NOTABLE: Final = 2.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Tonight beside the nights before, one item for each series."""

    #: Tonight minus what is usual, less what all series did alike, in the unit of the values; 0 where nights are too few.
    deviation: Vector
    #: Standard deviation that it has by chance; above 0.
    spread: Vector
    #: Degrees of freedom of that spread, for the tails of Student's t.
    freedom: Vector
    #: What is usual on such a night.
    usual: Vector
    #: The nights that this was taken from.
    baseline: Mask
    #: Row of the night on which the change began that tonight is part of; the last row if tonight is its first.
    since: Rows
    #: What all series did alike, for each night, in the unit of the values.
    alike: Vector


def median(values: Matrix, of: Mask) -> Vector:
    """Give the median of each column over the rows where ``of`` holds; 0 where it holds nowhere."""
    count = of.sum(axis=0)
    ordered = np.sort(np.where(of, values, np.inf), axis=0)
    columns = np.arange(values.shape[1])
    lower, upper = (np.clip(rows, 0, len(values) - 1) for rows in ((count - 1) // 2, count // 2))
    return np.where(count > 0, (ordered[lower, columns] + ordered[upper, columns]) / 2, 0.0)


def student_quantile(probability: float, freedom: Vector) -> Vector:
    """Give the quantile of Student's t, by the expansion around the normal one (Abramowitz & Stegun, 26.7.5).

    With four terms it is within 3 % for 15 or more degrees of freedom, and too low for fewer, as far out as one in a million.

    >>> student_quantile(0.975, np.array([30.0])).round(2).tolist()
    [2.04]
    """
    z = NormalDist().inv_cdf(probability)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    found: Vector = np.full(freedom.shape, z)
    for power, term in enumerate(terms, start=1):
        found += term / freedom**power
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """What is compared: series of nights, one for each column."""

    #: On a scale where changes add up: logarithms, or arcs of shares.
    values: Matrix
    #: Variance that each value has from the number of records behind it alone.
    noise: Matrix
    #: Where there is a value with enough records behind it.
    usable: Mask
    #: A second answer to what is usual, such as that of all records of these nights together; the nearer one counts.
    pooled: Callable[[Mask], Vector] | None = None


def compare(series: Series, *, weekdays: Rows, crowd: Mask, least_nights: int, rhythm: bool) -> Compared:
    """Say how far tonight lies from the usual of each series.

    Usual is the median of the nights before and, where there are two of the same weekday, the median of those; the nearer
    one counts. Series with a ``rhythm`` are held against the same weekday only. What all series of the ``crowd`` did alike
    tonight is no change of one of them: the smaller of the deviations with and without it counts.

    The spread is the noise from small counts, and beside it what the nights vary more than that, found from the median
    absolute deviation. So it never falls below the noise, however even the nights before were.

    A change that stays is no usual state for long: going back from tonight, nights that lie on the same side and at least
    half as far off belong to it and are left out of the baseline. When they leave fewer than ``least_nights``, the change
    is what is usual now, and nothing is found.

    Args:
        series: What to compare.
        weekdays: The weekday of each night.
        crowd: The series that say what all did alike.
        least_nights: A series with fewer nights before has no deviation.
        rhythm: Whether the same weekday alone is what counts.
    """
    past = series.usable.copy()
    past[-1] = False
    first = _against(series, past, weekdays=weekdays, crowd=crowd, least_nights=least_nights, rhythm=rhythm)
    since, going_on = _since(series, first, past, weekdays=weekdays, crowd=crowd, rhythm=rhythm)
    second = _against(
        series, past & ~going_on, weekdays=weekdays, crowd=crowd, least_nights=least_nights, rhythm=rhythm
    )
    return replace(second, since=since)


def _since(
    series: Series, tonight: Compared, past: Mask, *, weekdays: Rows, crowd: Mask, rhythm: bool
) -> tuple[Rows, Mask]:
    """Follow what is notable tonight back: the row of its first night, and all the nights before tonight that it was so.

    Each night is held against those before it, as later ones may have the same fault.
    """
    last = len(series.values) - 1
    off = tonight.deviation
    follows = np.abs(off) > NOTABLE * tonight.spread
    since = np.full(off.shape, last)
    part = np.zeros_like(series.usable)
    for row in range(last - 1, 0, -1):
        if not follows.any():
            break
        before = past.copy()
        before[row:] = False
        usable = series.usable[row]
        known = usable & before.any(axis=0)
        expected = median(series.values, before)
        if rhythm:
            expected = _of_weekdays(series.values, before, weekdays, expected)[0][row]
        was = series.values[row] - expected
        was = was - _alike(was[None], (known & crowd)[None])[0]
        follows &= ~usable | (known & (np.sign(was) == np.sign(off)) & (np.abs(was) >= np.abs(off) / 2))
        part[row] = follows & usable
        since[part[row]] = row
    return since, part


def _against(
    series: Series,
    past: Mask,
    *,
    weekdays: Rows,
    crowd: Mask,
    least_nights: int,
    rhythm: bool,
) -> Compared:
    """Compare tonight with the nights of ``past``."""
    values, usable = series.values, series.usable
    overall = median(values, past)
    seasonal, fellows = _of_weekdays(values, past, weekdays, overall)
    expected = seasonal if rhythm else np.broadcast_to(overall, values.shape)
    off = values - expected
    nights = past.sum(axis=0)
    # Series that are new have no usual, and say nothing of what is unusual.
    known = usable[-1] & (nights >= least_nights)
    alike = _alike(off, usable & crowd & (nights >= least_nights))
    off = off - alike[:, None]

    # A median of few nights has itself been drawn towards them: k values lie by (k - 1) / k closer to their own mean.
    behind = np.maximum(fellows[-1] if rhythm else nights, 2)
    noise = median(series.noise, past)
    scatter = (MAD_TO_SD * median(np.abs(off), past)) ** 2 * behind / (behind - 1)
    # A few even nights prove nothing: no series is taken to be steadier than such series usually are.
    usually = median((scatter - noise)[:, None], (known & crowd)[:, None])[0]
    beyond = np.maximum(scatter - noise, max(usually, 0))
    spread = series.noise[-1] + beyond + (noise + beyond) * OF_A_MEDIAN / behind

    choices = [seasonal[-1]] if rhythm else [overall, seasonal[-1]]
    if series.pooled is not None:
        choices.append(series.pooled(past))
    stacked = np.stack(choices)
    nearest = np.abs(values[-1] - stacked).argmin(axis=0)
    usual = np.take_along_axis(stacked, nearest[None], axis=0)[0]
    raw = values[-1] - usual
    alike[-1] = _alike(raw[None], (known & crowd)[None])[0]
    own = raw - alike[-1]
    deviation = np.where(np.sign(own) == np.sign(raw), np.sign(raw) * np.minimum(np.abs(raw), np.abs(own)), 0.0)
    deviation = np.where(known, deviation, 0.0)
    return Compared(
        deviation=deviation,
        spread=np.sqrt(spread),
        # Welch 1947, doi:10.1093/biomet/34.1-2.28: only what was learnt from the nights is uncertain.
        freedom=np.clip((spread / np.maximum(beyond, 1e-12)) ** 2, 1, 1e6) * np.maximum(nights - 1, 1),
        usual=usual,
        baseline=past,
        since=np.full(raw.shape, len(values) - 1),
        alike=alike,
    )


def _of_weekdays(values: Matrix, past: Mask, weekdays: Rows, overall: Vector) -> tuple[Matrix, Rows]:
    """Give for each night the median of the nights of its weekday, and how many they were; of one alone: that of all."""
    medians, counts = np.empty_like(values), np.zeros(values.shape, dtype=np.int64)
    for weekday in set(weekdays.tolist()):
        same = weekdays == weekday
        fellows = past & same[:, None]
        count = fellows.sum(axis=0)
        medians[same] = np.where(count > 1, median(values, fellows), overall)
        counts[same] = np.where(count > 1, count, past.sum(axis=0))
    return medians, counts


def _alike(off: Matrix, crowd: Mask) -> Vector:
    """Give the median over the crowd for each night; 0 where the crowd is too small to be one."""
    return np.where(crowd.sum(axis=1) >= CROWD, median(off.T, crowd.T), 0.0)
