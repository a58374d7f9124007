"""What the checks of a night come to, in one form for rules and drift: table, JSON, exit code and report are made of it."""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import polars as pl

Level = Literal["warn", "fail"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The tables of an output folder as lazy frames; see ``schemas.record`` and ``schemas.fetch`` for their columns."""

    articles: pl.LazyFrame
    quarantine: pl.LazyFrame
    fetches: pl.LazyFrame
    #: One row for each run: run_id, run_date, documents, records, quarantined and so on.
    runs: pl.LazyFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is not as it should be."""

    #: The rule or measure that found it, such as "missing_time" or "drift/text_length".
    rule: str
    level: Level
    #: The source it is blamed on, or the site where records have no source; None for all of them together.
    source_id: str | None = None
    #: The site it is blamed on, where it is the site that counts.
    domain: str | None = None
    #: The language it is blamed on, where that says more.
    lang: str | None = None
    #: The column of the records that it shows in.
    column: str | None = None
    #: Records concerned, and of how many.
    count: int
    of: int
    #: What was measured, and the bound that it passed, in the unit of the rule.
    value: float
    threshold: float
    #: What usually was there, for drift; None for rules.
    usual: float | None = None
    #: The first night on which it was so, for drift.
    since: date | None = None
    #: For people: what, where, how much, since when.
    sentence: str
    #: Ids of a few records that show it.
    examples: tuple[str, ...] = field(default=())
