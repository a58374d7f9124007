"""The numbers of one night and of those before it, aggregated in a few streaming passes over the tables.

Nothing here holds a column of records in memory: texts are read for their length, and come whole only for the few records
that are shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from schemas.quality.finding import Finding, Tables

#: Nights that a trend shows, this one included.
NIGHTS: Final = 30

#: Records shown one by one.
WORST: Final = 20

#: Removed blocks are counted in that many records of the night. They are the longest column by far, and shares hardly
#: change beyond; in records.
REMOVED_IN: Final = 200_000

#: Lengths are counted in steps of half an octave: 8 to 11 characters, 11 to 16, and so on. In steps per doubling.
STEPS: Final = 2

#: Shorter texts are counted with those of this length; in code points.
SHORTEST: Final = 8

#: Where nothing is known of a source, language or reason.
UNKNOWN: Final = "unknown"

#: What the page shows of a text, in code points, and how many of the blocks cut away.
EXCERPT: Final = 700
CUT_BLOCKS: Final = 12
CUT_EXCERPT: Final = 160

#: What a doubt weighs beside others: a gate that fails is worse than many warnings.
_WEIGHT: Final = {"fail": 10, "warn": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What the page of one night is made of; every frame is small."""

    night: date
    #: The nights of the trends, oldest first; the last is this one.
    nights: tuple[date, ...]
    #: What the manifests say was read; records and quarantined where there are no manifests.
    documents: int
    #: Documents that earlier runs had done, as the manifests say.
    skipped: int
    #: night, records, quarantined, chars (median length in code points), duplicates.
    per_night: pl.DataFrame
    #: night, source, records, chars, duplicates, untranslated, quarantined.
    per_source: pl.DataFrame
    #: night, lang, records, and the lengths in code points: low (10 % are shorter), chars (median), high (90 %).
    per_language: pl.DataFrame
    #: night, kind, records.
    per_kind: pl.DataFrame
    #: night, step, records; a step is log2 of the length times ``STEPS``, rounded down.
    lengths: pl.DataFrame
    #: role, rule, blocks, chars; of the first ``REMOVED_IN`` records.
    removed: pl.DataFrame
    #: night, status, records.
    translation: pl.DataFrame
    #: flag, records: the warnings of translations.
    translation_flags: pl.DataFrame
    #: flag, records: the doubts that records carry.
    doubts: pl.DataFrame
    #: stage, reason, documents, detail (one of them).
    quarantine: pl.DataFrame
    #: kind (exact, near), records.
    duplicates: pl.DataFrame
    #: record_id, copies, sources (of the copies): what was most often repeated.
    copied: pl.DataFrame
    #: kind, outcome, reason, requests; of the crawls since the night before.
    fetches: pl.DataFrame
    #: record_id, doubts (list of words), weight, and the columns of ``_SHOWN``; the worst first.
    worst: pl.DataFrame
    #: record_id, title, source: of every record that the page names.
    named: pl.DataFrame

    @property
    def tonight(self) -> Mapping[str, int]:
        """Counts of this night by name: records, quarantined, duplicates."""
        row = self.per_night.filter(pl.col("night") == self.night).row(0, named=True)
        return {name: int(row[name]) for name in ("records", "quarantined", "duplicates")}


def known_nights(tables: Tables) -> tuple[date, ...]:
    """Give the nights that have a run, a record or quarantine, oldest first; where there is none, those of crawls."""
    frames = (
        *(each.select(pl.col("run_date").unique()) for each in (tables.runs, tables.articles, tables.quarantine)),
        tables.fetches.select(pl.col("crawl_date").unique()),
    )
    *ran, crawled = ({*frame.to_series()} for frame in pl.collect_all(frames, engine="streaming"))
    return tuple(sorted(set().union(*ran) or crawled))


def read_night(tables: Tables, night: date, findings: Sequence[Finding] = ()) -> Night:
    """Aggregate one night and those before it; ``findings`` say which records are worth a look."""
    nights = (*(each for each in known_nights(tables) if each < night), night)[-NIGHTS:]
    before = nights[-2] if len(nights) > 1 else None
    window = pl.col("run_date").is_between(nights[0], night)
    articles = tables.articles.filter(window).select(
        "dup_kind",
        "mt_status",
        night="run_date",
        source=pl.coalesce("source_id", "domain", pl.lit(UNKNOWN)),
        lang="lang",
        kind="page_type",
        chars=pl.col("text").str.len_chars(),
    )
    quarantine = tables.quarantine.filter(window).select(
        "stage", "reason", "detail", night="run_date", source=pl.coalesce("source_id", _host(), pl.lit(UNKNOWN))
    )
    records = pl.len().cast(pl.Int64).alias("records")
    chars = pl.col("chars").median()
    duplicates = pl.col("dup_kind").count().cast(pl.Int64).alias("duplicates")
    untranslated = pl.col("mt_status").is_in(["partial", "failed"]).sum().cast(pl.Int64).alias("untranslated")
    step = pl.col("chars").clip(SHORTEST).log(2).mul(STEPS).floor().cast(pl.Int32)
    refused = pl.len().cast(pl.Int64).alias("quarantined")
    # One pass over all nights: the plans share their scan, so that the texts are read once.
    by_night, by_source, by_language, by_kind, by_length, by_status, by_copy, refused_by_source, reasons = (
        pl.collect_all(
            (
                articles.group_by("night").agg(records, chars, duplicates),
                articles.group_by("night", "source").agg(records, chars, duplicates, untranslated),
                articles.group_by("night", "lang").agg(
                    records,
                    pl.col("chars").quantile(0.1).alias("low"),
                    chars,
                    pl.col("chars").quantile(0.9).alias("high"),
                ),
                articles.group_by("night", "kind").agg(records),
                articles.group_by("night", step=step).agg(records),
                articles.group_by("night", status="mt_status").agg(records),
                articles.filter(pl.col("night") == night, pl.col("dup_kind").is_not_null())
                .group_by(kind="dup_kind")
                .agg(records),
                quarantine.group_by("night", "source").agg(refused),
                quarantine.filter(pl.col("night") == night)
                .group_by("stage", "reason")
                .agg(pl.len().cast(pl.Int64).alias("documents"), pl.col("detail").first()),
            ),
            engine="streaming",
        )
    )
    tonight = tables.articles.filter(pl.col("run_date") == night)
    # Alone: plans that share a scan wait for each other, and blocks cut away would wait in memory.
    removed = _removed(tonight).collect(engine="streaming")
    flags, doubts, copied, suspects, fetches, runs = pl.collect_all(
        (
            _words(tonight, "mt_flags"),
            _words(tonight, "quality_flags"),
            tonight.filter(pl.col("dup_of").is_not_null())
            .group_by(record_id="dup_of")
            .agg(
                pl.len().cast(pl.Int64).alias("copies"),
                pl.coalesce("source_id", "domain", pl.lit(UNKNOWN)).n_unique().alias("sources"),
            )
            .sort("copies", "record_id", descending=[True, False])
            .head(10),
            _suspects(tonight),
            _fetches(tables.fetches, night, before),
            tables.runs.filter(pl.col("run_date") == night).select(pl.col("documents", "skipped").sum()),
        ),
        engine="streaming",
    )
    per_night = (
        pl.DataFrame({"night": nights}, schema={"night": pl.Date})
        .join(by_night, on="night", how="left")
        .join(refused_by_source.group_by("night").agg(pl.col("quarantined").sum()), on="night", how="left")
        .with_columns(pl.col("records", "quarantined", "duplicates").fill_null(0))
        .sort("night")
    )
    per_source = by_source.join(refused_by_source, on=["night", "source"], how="full", coalesce=True).with_columns(
        pl.col("records", "duplicates", "untranslated", "quarantined").fill_null(0)
    )
    counts = per_night.row(-1, named=True)
    worst = _worst(tables.articles.filter(window), suspects, findings)
    return Night(
        night=night,
        nights=nights,
        documents=runs.item(0, "documents") or counts["records"] + counts["quarantined"],
        skipped=runs.item(0, "skipped"),
        per_night=per_night,
        per_source=per_source.sort("source", "night"),
        per_language=by_language.sort("night", "records", "lang", descending=[False, True, False]),
        per_kind=by_kind.sort("night", "records", "kind", descending=[False, True, False]),
        lengths=by_length.sort("night", "step"),
        removed=removed.sort("blocks", "role", "rule", descending=[True, False, False]),
        translation=by_status.sort("night", "records", "status", descending=[False, True, False]),
        translation_flags=flags.sort("records", "flag", descending=[True, False]),
        doubts=doubts.sort("records", "flag", descending=[True, False]),
        quarantine=reasons.sort("documents", "stage", "reason", descending=[True, False, False]),
        duplicates=by_copy.sort("kind"),
        copied=copied,
        fetches=fetches.sort("requests", "kind", "outcome", "reason", descending=[True, False, False, False]),
        worst=worst,
        named=_named(tables.articles, [*copied["record_id"], *_examples(findings)]),
    )


def _host() -> pl.Expr:
    """Give the host of a refused document's address, as ``domain`` has it for records."""
    return pl.col("url").str.extract(r"^[a-zA-Z]+://([^/:?#@\\]+)").str.to_lowercase().str.strip_prefix("www.")


def _removed(tonight: pl.LazyFrame) -> pl.LazyFrame:
    block = pl.col("removed").struct
    return (
        tonight.select("removed")
        .head(REMOVED_IN)
        .filter(pl.col("removed").list.len() > 0)
        .explode("removed")
        .select(role=block.field("role"), rule=block.field("rule"), chars=block.field("text").str.len_chars())
        .group_by("role", "rule")
        .agg(pl.len().cast(pl.Int64).alias("blocks"), pl.col("chars").sum().cast(pl.Int64))
    )


def _words(tonight: pl.LazyFrame, column: str) -> pl.LazyFrame:
    return (
        tonight.select(flag=column)
        .filter(pl.col("flag").list.len() > 0)
        .explode("flag")
        .group_by("flag")
        .agg(pl.len().cast(pl.Int64).alias("records"))
    )


def _suspects(tonight: pl.LazyFrame) -> pl.LazyFrame:
    """Give the records that carry the most doubts of their own."""
    doubts = pl.concat_list(
        pl.col("quality_flags").fill_null([]),
        pl.col("mt_flags").fill_null([]).list.eval("translation " + pl.element()),
        *(
            pl.when(holds).then(pl.lit([word])).otherwise(pl.lit([], dtype=pl.List(pl.String)))
            for word, holds in (
                ("language in conflict", pl.col("lang_conflict").fill_null(value=False)),
                ("date in conflict", pl.col("published_conflict").fill_null(value=False)),
                ("translation failed", pl.col("mt_status") == "failed"),
            )
        ),
    )
    return (
        tonight.select("record_id", doubts=doubts)
        .with_columns(weight=pl.col("doubts").list.len().cast(pl.Int64))
        .filter(pl.col("weight") > 0)
        .sort("weight", "record_id", descending=[True, False])
        .head(WORST)
    )


def _fetches(fetches: pl.LazyFrame, night: date, before: date | None) -> pl.LazyFrame:
    """Count the requests of the crawls that this night was made of: those since the night before."""
    is_after = pl.lit(value=True) if before is None else pl.col("crawl_date") > before
    return (
        fetches.filter(is_after, pl.col("crawl_date") <= night)
        .group_by("kind", "outcome", pl.col("reason").fill_null(""))
        .agg(pl.len().cast(pl.Int64).alias("requests"))
    )


def _examples(findings: Sequence[Finding]) -> list[str]:
    return list(dict.fromkeys(example for finding in findings for example in finding.examples))


def _worst(articles: pl.LazyFrame, suspects: pl.DataFrame, findings: Sequence[Finding]) -> pl.DataFrame:
    """Rank the records that rules hit or that doubt themselves, and read the few that are shown."""
    doubts: dict[str, list[str]] = {row[0]: list(row[1]) for row in suspects.select("record_id", "doubts").iter_rows()}
    weights = {name: len(words) for name, words in doubts.items()}
    for finding in findings:
        for example in dict.fromkeys(finding.examples):
            doubts.setdefault(example, []).append(finding.rule)
            weights[example] = weights.get(example, 0) + _WEIGHT[finding.level]
    ids = sorted(weights, key=lambda name: (-weights[name], name))[:WORST]
    order = pl.DataFrame(
        {
            "record_id": ids,
            "doubts": [list(dict.fromkeys(doubts[name])) for name in ids],
            "weight": [weights[name] for name in ids],
        },
        schema={"record_id": pl.String, "doubts": pl.List(pl.String), "weight": pl.Int64},
    )
    cut = pl.element().struct
    found = (
        articles.filter(pl.col("record_id").is_in(ids))
        .select(
            "record_id",
            "run_date",
            "title",
            "lang",
            "page_type",
            "published_at",
            "url",
            "mt_status",
            "source_kind",
            "source_uri",
            "source_member",
            "warc_record_id",
            source=pl.coalesce("source_id", "domain", pl.lit(UNKNOWN)),
            chars=pl.col("text").str.len_chars(),
            text=pl.col("text").str.slice(0, EXCERPT),
            cut=pl.col("removed").list.len().fill_null(0),
            removed=pl.col("removed")
            .list.head(CUT_BLOCKS)
            .list.eval(
                pl.struct(
                    role=cut.field("role"), rule=cut.field("rule"), text=cut.field("text").str.slice(0, CUT_EXCERPT)
                )
            ),
        )
        .collect(engine="streaming")
        # The same document may have come on several nights.
        .sort("run_date")
        .unique("record_id", keep="last")
    )
    return order.join(found, on="record_id", how="inner", maintain_order="left")


def _named(articles: pl.LazyFrame, ids: Sequence[str]) -> pl.DataFrame:
    """Give title and source of records that are only named."""
    return (
        articles.filter(pl.col("record_id").is_in(list(ids)))
        .select("record_id", "title", source=pl.coalesce("source_id", "domain", pl.lit(UNKNOWN)))
        .collect(engine="streaming")
        .unique("record_id", keep="last")
    )
