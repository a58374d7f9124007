"""The named queries: what they answer over two real nights, and that DuckDB answers the same over the same files."""

import math
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
import two_nights
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.query import open_tables
from schemas.errors import SetupError
from schemas.quality.finding import Tables
from schemas.quality.queries import QUERIES, find, named, scope_of

Row = tuple[Any, ...]


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two_nights.make(tmp_path_factory.mktemp("nights"))


@pytest.fixture(scope="module")
def tables(output: Path) -> Tables:
    """The tables, in which the record that is in conflict was translated badly too: no model at hand does so on order."""
    flags = pl.when(pl.col("lang_conflict")).then(pl.lit(["repeated", "short"]))
    opened = open_tables(output)
    return Tables(**{**opened, "articles": opened["articles"].with_columns(mt_flags=flags)})


def ids(tables: Tables) -> dict[str, str]:
    """Give the record of each file."""
    rows = tables.articles.select(pl.col("source_uri").str.split("/").list.last(), "record_id").collect()
    return dict(rows.iter_rows())


def answer(query: str, tables: Tables, *columns: str, **values: object) -> list[Row]:
    frame = named(query, tables, **values).collect()
    return frame.select(columns or frame.columns).rows()


def test_runs_say_what_they_took_in_and_refused(tables: Tables) -> None:
    assert answer("runs", tables, "run_date", "documents", "records", "quarantined", "refused_share") == [
        (two_nights.SECOND, 3, 2, 1, 0.3333),
        (two_nights.FIRST, 3, 3, 0, 0.0),
    ]


def test_counts_are_those_of_the_last_night_unless_more_days_are_asked_for(tables: Tables) -> None:
    assert answer("counts", tables) == [(two_nights.SECOND, "quay", "en", 2)]
    first = [(two_nights.FIRST, "quay", "en", 2), (two_nights.FIRST, "o'hill", "en", 1)]
    assert answer("counts", tables, night=two_nights.FIRST) == first
    assert answer("counts", tables, days=2) == [(two_nights.SECOND, "quay", "en", 2), *first]
    assert answer("counts", tables, days=2, most=1) == [(two_nights.SECOND, "quay", "en", 2)]
    assert answer("counts", tables, days=2, source="o'hill") == [first[1]]


def test_more_days_than_there_are_dates_are_all_of_them(tables: Tables) -> None:
    assert len(answer("counts", tables, days=10**9)) == 3


def test_a_night_without_a_run_has_no_rows(tables: Tables) -> None:
    assert answer("counts", tables, night=date(2025, 1, 1)) == []


def test_kinds_are_counted(tables: Tables) -> None:
    assert answer("kinds", tables, days=2) == [("quay", "article", 4), ("o'hill", "article", 1)]


def test_text_lengths_are_counted_in_code_points(tables: Tables) -> None:
    ferry = sum(map(len, two_nights.FERRY)) + 4
    columns = ("source", "records", "median", "mean", "tenth", "ninetieth", "shortest", "longest")
    assert answer("text_length", tables, *columns, days=2, source="o'hill") == [("o'hill", 1, *[ferry] * 6)]
    assert [row[0] for row in answer("text_length", tables, days=2)] == ["o'hill", "quay"]


def test_a_source_that_declares_another_language_is_found(tables: Tables) -> None:
    columns = ("source", "lang_declared", "lang", "records", "example")
    assert answer("language_conflicts", tables, *columns) == [("quay", "fr", "en", 1, ids(tables)["french.html"])]
    assert answer("language_conflicts", tables, night=two_nights.FIRST) == []


def test_articles_without_a_date_are_counted_per_source(tables: Tables) -> None:
    assert answer("missing_dates", tables, days=2) == [("quay", 4, 1, 0.25, 0, ids(tables)["undated.html"])]


def test_quarantine_is_counted_by_reason(tables: Tables) -> None:
    columns = ("stage", "reason", "source", "documents")
    assert answer("refused", tables, *columns) == [("extract", "no_text", "quay", 1)]
    assert answer("refused", tables, *columns, source="o'hill") == []


def test_the_slowest_host_comes_first(tables: Tables) -> None:
    assert answer("slow_hosts", tables) == [
        ("hill.example", 2, 30.0, 30.0, 60.0, None),
        ("quay.example", 2, 1.0, 1.5, 2.0, 9000),
    ]


def test_failures_are_counted_by_host_and_reason(tables: Tables) -> None:
    assert answer("failed_fetches", tables) == [
        ("hill.example", "failed", "timeout", None, 2, 1, "https://hill.example/1"),
        ("hill.example", "refused", "robots", None, 1, 1, "https://hill.example/3"),
    ]
    assert answer("failed_fetches", tables, source="quay") == []


def test_a_copy_is_counted_with_the_record_it_copies(tables: Tables) -> None:
    first = ids(tables)["ferry.html"]
    assert answer("duplicates", tables, days=2) == [(first, 1, 1, 1, 1.0, "Ferry stays in port")]


def test_what_was_removed_is_counted_by_rule(tables: Tables) -> None:
    columns = ("rule", "role", "blocks", "records", "characters")
    assert ("place:nav", "navigation", 2, 2, 20) in answer("removed", tables, *columns)
    assert ("place:nav", "navigation", 5, 5, 50) in answer("removed", tables, *columns, days=2)


def test_a_paragraph_of_several_records_of_a_site_is_found(tables: Tables) -> None:
    columns = ("source", "records", "role", "text")
    assert answer("repeated_paragraphs", tables, *columns, days=2) == [("quay", 3, "paragraph", two_nights.BRIDGE[2])]
    assert answer("repeated_paragraphs", tables, days=2, least=4) == []
    assert len(answer("repeated_paragraphs", tables, days=2, least=2)) == 6


def test_translations_are_counted_by_what_became_of_them(tables: Tables) -> None:
    assert answer("translations", tables, "lang", "mt_status", "source", "records", source="quay") == [
        ("en", "off", "quay", 2)
    ]


def test_each_translation_flag_is_counted(tables: Tables) -> None:
    record = ids(tables)["french.html"]
    assert answer("translation_flags", tables) == [
        ("repeated", "en", "quay", 1, record),
        ("short", "en", "quay", 1, record),
    ]


def test_each_quality_flag_is_counted(tables: Tables) -> None:
    assert answer("doubts", tables, days=2) == [("no_date", "quay", 1, ids(tables)["undated.html"])]


def test_an_address_shows_its_revisions_in_their_order(tables: Tables) -> None:
    known = ids(tables)
    assert answer("history", tables, "run_date", "record_id", "title", url="https://quay.example/ferry") == [
        (two_nights.FIRST, known["ferry.html"], "Ferry stays in port"),
        (two_nights.SECOND, known["later.html"], "Ferry sails on Friday"),
    ]
    assert len(answer("history", tables, url="https://quay.example/ferry", night=two_nights.FIRST)) == 1
    assert answer("history", tables, url="https://quay.example/") == []


def test_the_newest_record_of_a_source_comes_first_and_one_without_a_date_last(tables: Tables) -> None:
    titles = [title for (title,) in answer("newest", tables, "title", source="quay")]
    assert (titles[0], titles[-1], len(titles)) == ("The bridge is open", "A bridge opens", 4)
    assert answer("newest", tables, "title", source="quay", most=1) == [("The bridge is open",)]


def test_a_source_that_fell_silent_is_found_if_it_had_records_on_enough_nights(tables: Tables) -> None:
    assert answer("silent_sources", tables, least=1) == [("o'hill", two_nights.FIRST, 1, 1, 1.0)]
    assert answer("silent_sources", tables) == []
    assert answer("silent_sources", tables, least=1, night=two_nights.FIRST) == []


# ---- the same in DuckDB -----------------------------------------------------------------------------

#: What a query must be asked with, and enough of it that rows come.
ASKED: dict[str, dict[str, object]] = {
    "history": {"url": "https://quay.example/ferry"},
    "newest": {"source": "quay"},
    "repeated_paragraphs": {"least": 2},
    "silent_sources": {"least": 1},
}


def in_duckdb(query: str, tables: Tables, folder: Path, values: dict[str, object]) -> list[Row]:
    """Answer with the same SQL over the same rows as Parquet."""
    question = find(query)
    known = question.values(values)
    scope = scope_of(question, tables, known)
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    chosen = scope.chosen(tables)
    for name in ("articles", "quarantine", "fetches", "runs"):
        path = folder / f"{name}.parquet"
        getattr(chosen, name).collect().write_parquet(path)
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{path}')")
    columns = ", ".join(f'? AS "{name}"' for name in known)
    connection.execute(f"CREATE TABLE given AS SELECT {columns}", [*({**known, "night": scope.last}.values())])
    most = known["most"]
    return connection.execute(question.sql + (f" LIMIT {most}" if most else "")).fetchall()


def same(ours: object, theirs: object) -> bool:
    if isinstance(ours, int | float) and isinstance(theirs, int | float):
        return math.isclose(ours, theirs, rel_tol=1e-9)
    return ours == theirs or str(ours) == str(theirs)


@pytest.mark.parametrize("days", [1, 9])
@pytest.mark.parametrize("query", [query.name for query in QUERIES])
def test_duckdb_answers_the_same_over_the_same_files(query: str, days: int, tables: Tables, tmp_path: Path) -> None:
    values: dict[str, object] = {**ASKED.get(query, {}), "days": days}
    ours = answer(query, tables, **values)
    theirs = in_duckdb(query, tables, tmp_path, values)
    assert len(ours) == len(theirs)
    for row, other in zip(ours, theirs, strict=True):
        assert all(map(same, row, other)), (row, other)
    assert ours or days == 1


@pytest.mark.parametrize("query", [query.name for query in QUERIES])
def test_streaming_gives_the_same_as_memory(query: str, tables: Tables) -> None:
    frame = named(query, tables, **{**ASKED.get(query, {}), "days": 9})
    assert frame.collect(engine="streaming").equals(frame.collect(engine="in-memory"))


@pytest.mark.parametrize("query", [query.name for query in QUERIES])
def test_empty_tables_give_no_rows_but_the_same_columns(query: str, tables: Tables) -> None:
    empty = Tables(
        articles=tables.articles.clear(),
        quarantine=tables.quarantine.clear(),
        fetches=tables.fetches.clear(),
        runs=tables.runs.clear(),
    )
    values = ASKED.get(query, {})
    found = named(query, empty, **values).collect()
    assert found.height == 0
    assert found.columns == named(query, tables, **values).collect_schema().names()


# ---- what is asked for --------------------------------------------------------------------------------

HOSTILE = [
    "x' OR '1'='1",
    "x'; DROP TABLE articles; --",
    'x" OR ""="',
    "x\\' OR 1=1 --",
    "' UNION SELECT * FROM quarantine --",
    "$1",
    "\x00",
    "%",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_value_is_only_a_value(text: str, tables: Tables) -> None:
    assert answer("counts", tables, days=9, source=text) == []
    assert answer("history", tables, url=text) == []
    assert answer("newest", tables, source=text) == []


@settings(max_examples=60, deadline=None)
@given(name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_whatever_a_source_is_called_its_records_are_found_and_no_others(name: str) -> None:
    days = {"run_date": [two_nights.FIRST] * 2, "domain": ["d"] * 2, "lang": ["en"] * 2}
    rows = pl.LazyFrame({"source_id": [name, f"{name}'"], **days, "url": [name, "u"], "url_canonical": ["u"] * 2})
    nothing = pl.LazyFrame(
        schema={"run_date": pl.Date, "crawl_date": pl.Date, "source_id": pl.String, "url": pl.String}
    )
    tables = Tables(articles=rows, quarantine=nothing, fetches=nothing, runs=rows.select("run_date"))
    assert answer("counts", tables, source=name) == [(two_nights.FIRST, name, "en", 1)]


@pytest.mark.parametrize(
    ("query", "values", "message"),
    [
        ("cuonts", {}, 'no query is named "cuonts"; use one of: runs, counts'),
        ("counts", {"nights": 3}, 'query counts knows no "nights"; use one of: night, days, source, most'),
        ("history", {}, "query history needs url: the address"),
        ("counts", {"days": 0}, "days is 0; it must be a whole number from 1"),
        ("counts", {"days": True}, "days is True; it must be a whole number"),
        ("counts", {"days": 10**10}, "days is 10000000000; it must be a whole number"),
        ("counts", {"night": "2026-01-07"}, "night is '2026-01-07'; it must be a day"),
        ("counts", {"source": 3}, "source is 3; it must be a text"),
    ],
)
def test_a_fault_in_what_is_asked_is_said(query: str, values: dict[str, object], message: str, tables: Tables) -> None:
    with pytest.raises(SetupError) as caught:
        named(query, tables, **values)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_every_query_has_a_name_of_one_word_and_one_sentence(query: Any) -> None:
    assert query.name.replace("_", "").isalpha()
    assert query.sentence.endswith(".")
    assert len({item.name for item in query.parameters}) == len(query.parameters)
    assert len([item for item in QUERIES if item.name == query.name]) == 1
