"""A night beside the nights before it: ``drift`` says which source changed, in what, since when, and how sure that is."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import exp, log, pi, sin
from typing import Final

import numpy as np
import polars as pl

from schemas.quality.finding import Finding, Level, Tables
from schemas.quality.measures import SHARES
from schemas.quality.nightly import Counted, Measured, Nights, Unit, gather, per_record
from schemas.quality.robust import Compared, Mask, Matrix, Series, Vector, compare, median, student_quantile

#: How many false alarms a night may have, all measures of all sources together (Bonferroni over the tests that are made).
FALSE_ALARMS: Final = 0.02

#: Records that a source must have tonight, and on a night before for that night to count.
LEAST_RECORDS: Final = 12
LEAST_RECORDS_BEFORE: Final = 5

#: Nights before, without which nothing can be usual; for counts two weeks, so that each weekday has been seen twice.
LEAST_NIGHTS: Final = 8
LEAST_NIGHTS_OF_COUNTS: Final = 14

#: Pages that a source must usually have on such a night for its silence to say something.
LEAST_PAGES: Final = 12

#: Changes that are smaller are of no interest, however sure they are. Shares: the distance of their arcs, Cohen's h, where 0.2
#: is small, 0.5 medium and 0.8 large (Cohen 1988, Statistical Power Analysis, 6.2). Lengths and counts: natural logarithms.
LEAST_CHANGE: Final = {"share": 0.6, "length": log(1.3), "removed": 0.1, "pages": log(3)}

#: From here on a change is a failure: most pages of the source are not what they were.
FAILURE: Final = {"share": 1.5, "length": log(2.5), "removed": 0.4, "pages": log(8)}

#: Where something changed for sure, what could explain it need only be so many spreads off (one in 700 by chance).
EXPLAINS: Final = 3.0
#: Ranks below explain most other things; see ``_rank``.
OF_ITSELF: Final = 2

#: What all sources do alike is told only if no holiday does it.
OF_ALL: Final = {"share": 1.0, "length": log(1.6), "removed": 0.25, "pages": log(10)}

#: On a night when all sources have fewer pages than this share of the usual, each may be as quiet as on its quietest weekday.
HOLIDAY: Final = log(0.85)

MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

EXAMPLES: Final = 5
#: Smaller shares are told with a decimal.
ONE_IN_TEN: Final = 0.1
#: Of what changed along with it, so many are named.
OTHERS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One thing that is compared, with the words for it."""

    name: str
    #: Which of the scales of ``LEAST_CHANGE`` it is on.
    scale: str
    column: str
    words: str


MEASURES: Final[dict[str, Measure]] = {
    measure.name: measure
    for measure in (
        Measure(name="quarantine", scale="share", column="reason", words="documents in quarantine"),
        *(Measure(name=item.name, scale="share", column=item.column, words=item.words) for item in SHARES),
        Measure(name="repeated_titles", scale="share", column="title", words="pages with a title that another has"),
        Measure(name="language", scale="share", column="lang", words="pages in {lang}"),
        Measure(name="text_length", scale="length", column="text", words="text length"),
        Measure(name="removed_share", scale="removed", column="removed", words="share of the page cut away"),
        Measure(name="pages", scale="pages", column="source_id", words="pages"),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One measure of one source or language that is not as usual."""

    measure: Measure
    unit: Unit
    #: Deviation on the scale of the measure, and the least one that would have been told.
    deviation: float
    bound: float
    #: What is usual on that scale.
    usual: float
    #: Row of its first night.
    since: int
    #: Nights that the usual was taken from.
    baseline: Mask
    hits: int
    of: int
    #: Beyond what chance does among all tests. Otherwise it is only notable, and told only if it explains what is beyond.
    sure: bool

    @property
    def ratio(self) -> float:
        """How far beyond the bound it is: 1 and more. That of one language counts less than that of the source."""
        return (
            abs(self.deviation)
            / self.bound
            * (1.0 if self.unit.lang is None or self.measure.name == "language" else 0.8)
        )


def drift(tables: Tables, *, night: date, nights: int = 28) -> tuple[Finding, ...]:
    """Say what changed in the sources on ``night`` against the ``nights`` nights before it; failures first.

    Looked at are, for each source and each language of those that have several: pages, text length (articles only), columns
    that are empty, titles that repeat, kinds of page, the share that is cut away and template hits, languages, duplicates,
    quarantine, and the translation's status and flags. Where no source is named, the host of the address is the source.

    All that changed in one source on the same night is one finding, told by what explains the rest. A change that stays is
    told each night with its first night in ``since``, until it is old enough to be what is usual (half of ``nights``).

    Nothing is told where fewer than 8 nights were before it (14 for the number of pages), or nothing ran on that night.
    """
    seen = gather(tables, night=night, nights=nights, least=LEAST_NIGHTS)
    if seen is None:
        return ()
    compared = dict(_compared(seen))
    tests = sum(int(item.known.sum()) for item in compared.values())
    changes = [
        change
        for name, item in compared.items()
        for change in _changes(seen, MEASURES[name], item, tests=max(tests, 1))
    ]
    told = [_cause(group) for group in _groups(changes, last=len(seen.dates) - 1)]
    findings = [*_of_all(seen, compared), *_with_examples(tables, seen, told)]
    return tuple(sorted(findings, key=lambda finding: (finding.level != "fail", finding.source_id or "")))


# ---- comparing ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """A measure of all units, compared."""

    compared: Compared
    #: Units with enough evidence tonight and before.
    known: Mask
    hits: Vector
    of: Vector


def _compared(seen: Nights) -> Iterator[tuple[str, _Item]]:
    items = {name: _share(seen, counted) for name, counted in seen.shares.items()}
    items["text_length"] = _length(seen, seen.lengths["length"])
    items["removed_share"] = _length(seen, seen.lengths["removed"])
    items["pages"] = _pages(seen)
    for name, item in items.items():
        yield name, item if name == "language" else replace(item, known=item.known & seen.apart)


def _arc(hits: Matrix, of: Matrix) -> Matrix:
    """Put shares on the scale where their variance is that of their count alone: 1 / (n + 1/2).

    The arc of the root, with the 3/8 that make it so for small counts (Anscombe 1948, doi:10.1093/biomet/35.3-4.246).
    """
    found: Matrix = 2 * np.arcsin(np.sqrt((hits + 0.375) / (of + 0.75)))
    return found


def _usable(records: Matrix) -> Mask:
    usable = records >= LEAST_RECORDS_BEFORE
    usable[-1] = records[-1] >= LEAST_RECORDS
    return usable


def _share(seen: Nights, counted: Counted) -> _Item:
    hits, of = counted.hits, counted.of

    def pooled(past: Mask) -> Vector:
        return _arc((hits * past).sum(axis=0), (of * past).sum(axis=0))

    series = Series(values=_arc(hits, of), noise=1 / (of + 0.5), usable=_usable(of), pooled=pooled)
    compared = compare(series, weekdays=seen.weekdays, crowd=seen.whole, least_nights=LEAST_NIGHTS, rhythm=False)
    return _item(compared, series.usable, hits[-1], of[-1])


def _length(seen: Nights, measured: Measured) -> _Item:
    usable = _usable(measured.records)
    series = Series(values=np.where(usable, measured.mean, 0), noise=np.where(usable, measured.noise, 1), usable=usable)
    compared = compare(series, weekdays=seen.weekdays, crowd=seen.whole, least_nights=LEAST_NIGHTS, rhythm=False)
    return _item(compared, usable, measured.records[-1], measured.records[-1])


def _pages(seen: Nights) -> _Item:
    """Compare counts of pages, each with the same weekday."""
    pages = seen.pages
    # A source that was not there yet is not silent.
    usable = (pages.cumsum(axis=0) > 0) & seen.whole
    series = Series(values=np.log(pages + 0.5), noise=1 / (pages + 1), usable=usable)

    def against(series: Series) -> Compared:
        least = LEAST_NIGHTS_OF_COUNTS
        return compare(series, weekdays=seen.weekdays, crowd=seen.whole, least_nights=least, rhythm=True)

    # A holiday says nothing of its weekday.
    holidays = against(series).alike < HOLIDAY
    holidays[-1] = False
    compared = against(replace(series, usable=usable & ~holidays[:, None]))
    usual = np.exp(compared.usual)
    deviation = compared.deviation
    if compared.alike[-1] < HOLIDAY:
        quietest = np.min(_of_each_weekday(seen, series.values, compared.baseline), axis=0)
        deviation = np.where(
            deviation < 0, np.minimum(np.maximum(deviation, series.values[-1] - quietest), 0), deviation
        )
    # More than on such a weekday, but hardly more than on the busiest one, is no explosion.
    highest = np.max(_of_each_weekday(seen, series.values, compared.baseline), axis=0)
    deviation = np.where((deviation > 0) & (series.values[-1] < highest + log(1.2)), 0, deviation)
    # What nights vary adds up on the scale of logarithms, and what counts vary on that of roots (variance 1 there: Anscombe
    # 1948). Where few pages are meant to be, logarithms would take a small number too seriously, and the other way round.
    beyond = np.maximum(compared.spread**2 - series.noise[-1], 1e-12)
    roots = 2 * np.abs(np.sqrt(pages[-1] + 0.375) - np.sqrt(usual + 0.375))
    score = 1 / np.sqrt(beyond / np.maximum(deviation**2, 1e-12) + 1 / np.maximum(roots**2, 1e-12))
    spread = np.abs(deviation) / score
    compared = replace(compared, deviation=deviation, spread=np.maximum(spread, 1e-9))
    known = np.maximum(usual, pages[-1]) >= LEAST_PAGES
    return _item(compared, usable & known, pages[-1], usual)


def _of_each_weekday(seen: Nights, values: Matrix, baseline: Mask) -> Matrix:
    """Give the median of each weekday, one row for each; that of all where a unit has none of it."""
    overall, rows = median(values, baseline), []
    for day in sorted(set(seen.weekdays.tolist())):
        fellows = baseline & (seen.weekdays == day)[:, None]
        rows.append(np.where(fellows.any(axis=0), median(values, fellows), overall))
    return np.stack(rows)


def _item(compared: Compared, usable: Mask, hits: Vector, of: Vector) -> _Item:
    enough = compared.baseline.sum(axis=0) >= LEAST_NIGHTS
    return _Item(compared=compared, known=usable[-1] & enough, hits=hits, of=of)


def _changes(seen: Nights, measure: Measure, item: _Item, *, tests: int) -> Iterator[Change]:
    """Give what is farther off than chance and of interest, and what may explain it."""
    compared = item.compared
    needed = student_quantile(1 - FALSE_ALARMS / tests / 2, compared.freedom) * compared.spread
    sure = np.abs(compared.deviation) >= np.maximum(needed, LEAST_CHANGE[measure.scale])
    notable = np.abs(compared.deviation) >= np.maximum(EXPLAINS * compared.spread, LEAST_CHANGE[measure.scale] / 2)
    bound = np.where(sure, np.maximum(needed, LEAST_CHANGE[measure.scale]), EXPLAINS * compared.spread)
    for number in np.flatnonzero(item.known & (sure | notable)):
        yield Change(
            measure=measure,
            unit=seen.units[number],
            deviation=float(compared.deviation[number]),
            bound=float(bound[number]),
            usual=float(compared.usual[number]),
            since=int(compared.since[number]),
            baseline=compared.baseline[:, number],
            hits=int(item.hits[number]),
            of=int(item.of[number]),
            sure=bool(sure[number]),
        )


# ---- one cause, one finding -------------------------------------------------------------------------


def _groups(changes: Iterable[Change], *, last: int) -> list[list[Change]]:
    """Put together what changed in one source: what began tonight, and what goes on."""
    groups: dict[tuple[str, bool], list[Change]] = defaultdict(list)
    for change in changes:
        groups[change.unit.source, change.since == last].append(change)
    return [groups[key] for key in sorted(groups) if any(change.sure for change in groups[key])]


def _rank(change: Change) -> int:
    """Say how much a change explains: the lower, the more; those of one rank explain nothing of each other.

    Documents in quarantine are no pages; pages that repeat others have their titles, and are too many; listings have no
    authors, no dates and other texts; another language has other words and its own way of translation; what the text lost
    is in what was cut away.
    """
    name = change.measure.name
    rising = change.deviation > 0
    if name in {"quarantine", "duplicates"} and rising:
        return 0
    if name.startswith("kind_") and rising:
        return 1
    if name == "language":
        return 2 if rising else 3
    if name == "text_length":
        return 4
    if name in {"removed_share", "template_hits", "flag_short_text", "language_conflict", "pages"}:
        return 6
    return 5


def _cause(group: Sequence[Change]) -> tuple[Change, tuple[Change, ...]]:
    """Choose what explains the rest, and give the rest, the most telling first."""
    ordered = sorted(
        (change for change in group if change.sure),
        key=lambda item: (-item.ratio, item.measure.name, item.unit.lang or ""),
    )
    # What is hardly told itself does not explain what is plain to see.
    causes = [change for change in ordered if change.ratio >= ordered[0].ratio / 3]
    # Few tests are left where it is known that something changed, so that less is enough for what would explain it all.
    causes += [change for change in group if not change.sure and _rank(change) < OF_ITSELF and change.unit.lang is None]
    chosen = min(causes, key=_rank)
    return chosen, tuple(change for change in ordered if change is not chosen)


# ---- words ------------------------------------------------------------------------------------------


def _with_examples(
    tables: Tables, seen: Nights, told: Sequence[tuple[Change, tuple[Change, ...]]]
) -> Iterator[Finding]:
    if not told:
        return
    last = len(seen.dates) - 1
    wanted = {seen.dates[row] for change, _ in told for row in (last, change.since, _last_with_pages(seen, change))}
    sources = sorted({change.unit.source for change, _ in told})
    records = (
        per_record(tables.articles.filter(pl.col("run_date").is_in(sorted(wanted))))
        .filter(pl.col("source").is_in(sources))
        .collect(engine="streaming")
        .sort("run_date", "record_id")
    )
    for change, rest in told:
        yield _finding(seen, change, rest, records.filter(pl.col("source") == change.unit.source))


def _finding(seen: Nights, change: Change, rest: Sequence[Change], records: pl.DataFrame) -> Finding:
    measure, unit = change.measure, change.unit
    first = seen.dates[change.since]
    said = _said(seen, change, records)
    # How far lengths moved is told by their medians: the means that were compared are held back.
    moved = log(max(said.value, 1) / max(said.usual, 1)) if measure.scale == "length" else change.deviation
    level: Level = "fail" if abs(moved) >= FAILURE[measure.scale] else "warn"
    shown = _showing(seen, change, records)
    examples = [*shown.filter(pl.col("run_date") == first)["record_id"].head(1)]
    examples += [item for item in shown["record_id"].reverse().head(EXAMPLES) if item not in examples]
    since = f"since {_day(first)}" + (f" ({len(seen.dates) - change.since} nights)" if first != seen.dates[-1] else "")
    where = unit.source if unit.lang is None or measure.name == "language" else f"{unit.source} ({unit.lang})"
    parts = [f"{where}: {said.words}, {since}"]
    others = list(dict.fromkeys(_briefly(item) for item in rest if item.measure.name != measure.name))
    if others:
        left = len(others) - OTHERS
        parts.append("with it " + ", ".join(others[:OTHERS]) + (f" and {left} more" if left > 0 else ""))
    if examples:
        parts.append(f"{'last' if measure.name == 'pages' and change.deviation < 0 else 'first'} record {examples[0]}")
    return Finding(
        rule=f"drift/{measure.name}",
        level=level,
        source_id=unit.source,
        lang=unit.lang,
        column=measure.column,
        count=said.count,
        of=said.of,
        value=said.value,
        threshold=said.threshold,
        usual=said.usual,
        since=first,
        sentence="; ".join(parts),
        examples=tuple(examples[:EXAMPLES]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    words: str
    value: float
    usual: float
    threshold: float
    count: int
    of: int


def _said(seen: Nights, change: Change, records: pl.DataFrame) -> _Said:
    measure, sign = change.measure, 1 if change.deviation > 0 else -1
    moved = "rose" if sign > 0 else "fell"
    if measure.scale == "share":
        counted, unit = seen.shares[measure.name], seen.units.index(change.unit)
        before, of = counted.hits[change.baseline, unit].sum(), counted.of[change.baseline, unit].sum()
        usual, bound = float(before / max(of, 1)), _from_arc(change.usual + sign * change.bound)
        value = change.hits / change.of
        words = measure.words.format(lang=change.unit.lang)
        words = f"{words} {moved} from {_percent(usual)} to {_percent(value)}, {change.hits:,} of {change.of:,}"
        return _Said(words=words, value=value, usual=usual, threshold=bound, count=change.hits, of=change.of)
    if measure.scale == "pages":
        usual = exp(change.usual) - 0.5
        bound = exp(change.usual + sign * change.bound)
        weekday = WEEKDAYS[seen.weekdays[-1]]
        words = f"pages {moved} from a usual {usual:,.0f} on a {weekday} to {change.hits:,}"
        return _Said(
            words=words,
            value=change.hits,
            usual=usual,
            threshold=bound,
            count=change.hits,
            of=max(change.hits, round(usual)),
        )
    column = "length" if measure.scale == "length" else "removed"
    value, usual = _medians(seen, change, column)
    tonight = _of_unit(records, change.unit).filter(pl.col("run_date") == seen.dates[-1])[column].drop_nulls()
    middle = (value * usual) ** 0.5 if column == "length" else (value + usual) / 2
    count = int(((tonight > middle) if sign > 0 else (tonight < middle)).sum())
    if column == "length":
        words = f"text length {moved} from a median of {usual:,.0f} to {value:,.0f} characters"
        bound = usual * exp(sign * change.bound)
    else:
        words = f"share of the page cut away {moved} from a median of {_percent(usual)} to {_percent(value)}"
        bound = usual + sign * change.bound
    words += f", {count:,} of {tonight.len():,} pages"
    return _Said(words=words, value=value, usual=usual, threshold=bound, count=count, of=tonight.len())


def _medians(seen: Nights, change: Change, column: str) -> tuple[float, float]:
    """Give the median of tonight and of the nights that the usual was taken from."""
    rows = _of_unit(seen.rows, change.unit).select("run_date", pl.col(column).alias("value")).explode("value")
    baseline = [day for day, part in zip(seen.dates, change.baseline, strict=True) if part]
    tonight = rows.filter(pl.col("run_date") == seen.dates[-1])["value"].cast(pl.Float64).median()
    before = rows.filter(pl.col("run_date").is_in(baseline))["value"].cast(pl.Float64).median()
    return _number(tonight), _number(before)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _of_unit(frame: pl.DataFrame, unit: Unit) -> pl.DataFrame:
    found = frame.filter(pl.col("source") == unit.source)
    return found if unit.lang is None else found.filter(pl.col("lang") == unit.lang)


def _showing(seen: Nights, change: Change, records: pl.DataFrame) -> pl.DataFrame:
    """Give the records of the first night and of tonight that show the change; of pages that are missing, the last there were."""
    name, rising = change.measure.name, change.deviation > 0
    if name == "pages" and not rising:
        return records.filter(pl.col("run_date") == seen.dates[_last_with_pages(seen, change)])
    records = _of_unit(records, change.unit)
    records = records.filter(pl.col("run_date").is_in([seen.dates[change.since], seen.dates[-1]]))
    if name in {"text_length", "removed_share"}:
        column = "length" if name == "text_length" else "removed"
        value, usual = _medians(seen, change, column)
        middle = (value * usual) ** 0.5 if column == "length" else (value + usual) / 2
        return records.filter(pl.col(column) > middle if rising else pl.col(column) < middle)
    if name in {"pages", "language"}:
        return records
    if name == "quarantine":
        return records.clear()
    if name == "repeated_titles":
        again = pl.struct("run_date", "title").is_duplicated() & pl.col("title").is_not_null()
        return records.filter(again if rising else ~again)
    hit = pl.col(name) & pl.col(f"of_{name}")
    return records.filter(hit if rising else ~hit)


def _last_with_pages(seen: Nights, change: Change) -> int:
    """Give the row of the last night before the change on which its source had a page."""
    pages = seen.pages[: change.since, seen.units.index(Unit(source=change.unit.source))]
    return int(np.flatnonzero(pages)[-1]) if pages.any() else 0


def _briefly(change: Change) -> str:
    words = change.measure.words.format(lang=change.unit.lang)
    return (
        f"{'more' if change.deviation > 0 else 'fewer'} {words}"
        if change.measure.scale in {"share", "pages"}
        else words
    )


def _of_all(seen: Nights, compared: dict[str, _Item]) -> Iterator[Finding]:
    """Tell what all sources did alike, where no holiday does it: then it was not the sources."""
    for name, item in compared.items():
        measure, alike = MEASURES[name], item.compared.alike
        change, bound = float(alike[-1]), OF_ALL[MEASURES[name].scale]
        many = int((item.known & seen.whole).sum())
        if abs(change) < bound or not many or (measure.scale == "pages" and change > 0) or name == "language":
            continue
        row = len(alike) - 1
        while row > 0 and abs(alike[row - 1]) >= bound / 2 and (alike[row - 1] > 0) == (change > 0):
            row -= 1
        words = measure.words.format(lang="")
        yield Finding(
            rule=f"drift/{name}",
            level="fail",
            column=measure.column,
            count=many,
            of=many,
            value=change,
            threshold=bound if change > 0 else -bound,
            usual=0.0,
            since=seen.dates[row],
            sentence=f"all sources together: {'more' if change > 0 else 'fewer'} {words} in most of {many} sources alike, "
            f"since {_day(seen.dates[row])}: look at this run before the sources",
        )


def _from_arc(value: float) -> float:
    return sin(min(max(value, 0.0), pi) / 2) ** 2


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if 0 < share < ONE_IN_TEN else f"{100 * share:.0f} %"


def _day(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]}"
