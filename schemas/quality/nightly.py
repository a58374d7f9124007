"""Records -> what each source had on each night: counts, shares and lengths, gathered in one pass over the articles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import polars as pl

from schemas.quality.finding import Tables
from schemas.quality.measures import LENGTH, REMOVED_SHARE, SHARES
from schemas.quality.robust import MAD_TO_SD, Mask, Matrix, Rows

#: Where no catalogue names the source, the host does.
SOURCE: Final = pl.coalesce("source_id", "domain").alias("source")
_HOST = pl.col("url").str.extract(r"^[a-zA-Z]+://(?:[wW]{3}\.)?([^/:?#]+)").str.to_lowercase()

#: Values farther off than this many deviations count as if they lay there (Huber 1964, doi:10.1214/aoms/1177703732).
CLIPPED_AT: Final = 2.5

#: A language with more of the records of its source is not looked at on its own.
ALL_OF_IT: Final = 0.9

#: Least standard deviation of a length (of its logarithm) and of a removed share within a source.
LEAST_SCATTER: Final = {"length": 0.1, "removed": 0.03}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """What has a series: a source, or the records of one language of it."""

    source: str
    lang: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """For each night (row) and unit (column): how many of how many."""

    hits: Matrix
    of: Matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """For each night and unit: the mean of a quantity, and its variance by the number of records; NaN without any."""

    mean: Matrix
    noise: Matrix
    records: Matrix


@dataclass(frozen=True, slots=True, kw_only=True)
class Nights:
    """The nights up to and with the one asked for, as matrices of nights and units."""

    dates: tuple[date, ...]
    units: tuple[Unit, ...]
    #: For each unit: whether it is a whole source.
    whole: Mask
    #: For each unit: whether its records are others than those of the source, and not nearly all of them.
    apart: Mask
    #: 0 is Monday.
    weekdays: Rows
    #: Records and refused documents together.
    pages: Matrix
    #: By name of the measure.
    shares: dict[str, Counted]
    #: By "length" (natural logarithm of characters) and "removed" (0 to 1).
    lengths: dict[str, Measured]
    #: One row for each night, source and language, with lists of the lengths; what sentences quote is taken from it.
    rows: pl.DataFrame


def per_record(articles: pl.LazyFrame) -> pl.LazyFrame:
    """Give one narrow row for each record: where it belongs, what is so of it, how long it is."""
    return articles.select(
        "record_id",
        "run_date",
        SOURCE,
        "lang",
        LENGTH.alias("length"),
        REMOVED_SHARE.alias("removed"),
        pl.col("title").alias("title"),
        *(share.hit.alias(share.name) for share in SHARES),
        *((pl.lit(value=True) if share.of is None else share.of).alias(f"of_{share.name}") for share in SHARES),
    )


def gather(tables: Tables, *, night: date, nights: int, least: int) -> Nights | None:
    """Aggregate the last ``nights`` nights before ``night``, and that night.

    None where nothing ran on it, or on fewer than ``least`` nights before: then no record is read.
    """
    span = pl.col("run_date").is_between(night - timedelta(days=nights), night)
    ran = sorted(tables.runs.filter(span).select("run_date").unique().collect()["run_date"])
    if not ran or ran[-1] != night or len(ran) <= least:
        return None
    aggregated = (
        per_record(tables.articles.filter(span))
        .filter(pl.col("source").is_not_null())
        .group_by("run_date", "source", "lang")
        .agg(
            pl.len().alias("records"),
            pl.col("length").drop_nulls(),
            pl.col("removed").drop_nulls(),
            pl.col("title").count().alias("titles"),
            pl.col("title").drop_nulls().hash().n_unique().alias("distinct_titles"),
            *((pl.col(share.name) & pl.col(f"of_{share.name}")).sum() for share in SHARES),
            *(pl.col(f"of_{share.name}").sum() for share in SHARES),
        )
    )
    refused = (
        tables.quarantine.filter(span)
        .select("run_date", pl.coalesce("source_id", _HOST).alias("source"))
        .filter(pl.col("source").is_not_null())
        .group_by("run_date", "source")
        .agg(pl.len().alias("refused"))
    )
    rows, quarantined = pl.collect_all([aggregated, refused], engine="streaming")
    return _as_matrices(rows.sort("run_date", "source", "lang"), quarantined, ran)


def _as_matrices(rows: pl.DataFrame, quarantined: pl.DataFrame, dates: Sequence[date]) -> Nights:
    units = _units(rows, quarantined)
    column = {unit: number for number, unit in enumerate(units)}
    row_of = {day: number for number, day in enumerate(dates)}
    shape = (len(dates), len(units))

    at = [row_of[day] for day in rows["run_date"]]
    whole_at = [column[Unit(source=source)] for source in rows["source"]]
    of_language = [
        column.get(Unit(source=source, lang=lang), -1) for source, lang in rows.select("source", "lang").rows()
    ]
    nights_at, sources_at, languages_at = (np.array(item, dtype=np.int64) for item in (at, whole_at, of_language))
    has_unit = languages_at >= 0

    def spread(name: str) -> Matrix:
        found = np.zeros(shape)
        values = rows[name].to_numpy().astype(np.float64)
        np.add.at(found, (nights_at, sources_at), values)
        np.add.at(found, (nights_at[has_unit], languages_at[has_unit]), values[has_unit])
        return found

    records = spread("records")
    shares = {
        share.name: Counted(hits=spread(share.name), of=records if share.of is None else spread(f"of_{share.name}"))
        for share in SHARES
    }
    titles = spread("titles")
    shares["repeated_titles"] = Counted(hits=titles - spread("distinct_titles"), of=titles)

    whole = np.array([unit.lang is None for unit in units], dtype=bool)
    # Of each language: how many of all records of its source.
    of_source = np.zeros(shape)
    for number, unit in enumerate(units):
        if unit.lang is not None:
            of_source[:, number] = records[:, column[Unit(source=unit.source)]]
    shares["language"] = Counted(hits=np.where(whole, 0, records), of=of_source)

    apart = whole | (records.sum(axis=0) < ALL_OF_IT * of_source.sum(axis=0))

    refused = np.zeros(shape)
    for day, source, count in quarantined.select("run_date", "source", "refused").rows():
        refused[row_of[day], column[Unit(source=source)]] += count
    pages = np.where(whole, records + refused, 0)
    shares["quarantine"] = Counted(hits=refused, of=pages)

    return Nights(
        dates=tuple(dates),
        units=units,
        whole=whole,
        apart=apart,
        weekdays=np.array([day.weekday() for day in dates]),
        pages=pages,
        shares=shares,
        lengths={
            "length": _measured(rows, "length", pl.col("value").log(), dates=dates, column=column),
            "removed": _measured(rows, "removed", pl.col("value").cast(pl.Float64), dates=dates, column=column),
        },
        rows=rows,
    )


def _units(rows: pl.DataFrame, quarantined: pl.DataFrame) -> tuple[Unit, ...]:
    """Name every source, and every language of the sources that have two or more."""
    sources = sorted({*rows["source"], *quarantined["source"]})
    languages = rows.select("source", "lang").unique().sort("source", "lang")
    several = languages.filter(pl.len().over("source") > 1)
    return (
        *(Unit(source=source) for source in sources),
        *(Unit(source=source, lang=lang) for source, lang in several.rows()),
    )


def _measured(
    rows: pl.DataFrame, name: str, scale: pl.Expr, *, dates: Sequence[date], column: Mapping[Unit, int]
) -> Measured:
    """Give means that no single record can move far, each record beside the others of its language and source.

    So a source that mixes languages does not change its length with the mix.
    """
    single = (
        rows.select("run_date", "source", "lang", pl.col(name).alias("value"))
        .explode("value", empty_as_null=False)
        .filter(pl.col("value") > 0 if name == "length" else pl.col("value").is_not_null())
        .with_columns(scale.alias("value"))
    )
    group = ["source", "lang"]
    before = single.filter(pl.col("run_date") < dates[-1])
    centres = before.group_by(group).agg(pl.col("value").median().alias("centre"))
    scatter = (
        before.join(centres, on=group)
        .group_by(group)
        .agg(
            (MAD_TO_SD * (pl.col("value") - pl.col("centre")).abs().median()).clip(LEAST_SCATTER[name]).alias("scatter")
        )
    )
    off = pl.col("value") - pl.col("centre")
    near = (
        single.join(centres, on=group)
        .join(scatter, on=group)
        .with_columns(
            pl.max_horizontal(
                pl.min_horizontal(off, CLIPPED_AT * pl.col("scatter")), -CLIPPED_AT * pl.col("scatter")
            ).alias("off")
        )
    )
    shape = len(dates), len(column)
    mean, noise, records = np.full(shape, np.nan), np.full(shape, np.nan), np.zeros(shape)
    row_of = {day: number for number, day in enumerate(dates)}
    of_scatter = (pl.col("scatter") ** 2).mean()
    for keys in (["run_date", "source"], ["run_date", "source", "lang"]):
        found = near.group_by(keys).agg(
            pl.col("off").mean(), (of_scatter / pl.len()).alias("noise"), pl.len().alias("n")
        )
        for row in found.iter_rows(named=True):
            unit = column.get(Unit(source=row["source"], lang=row.get("lang")))
            if unit is not None:
                place = row_of[row["run_date"]], unit
                mean[place], noise[place], records[place] = row["off"], row["noise"], row["n"]
    return Measured(mean=mean, noise=noise, records=records)
