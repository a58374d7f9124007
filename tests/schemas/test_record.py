"""What the published columns promise."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import jsonschema
import polars as pl
import pytest

from schemas.document import (
    Article,
    Discovered,
    FieldOrigin,
    Image,
    Language,
    Moment,
    Paragraph,
    RawDocument,
    Rejected,
    Removed,
    TranslatedText,
    Translation,
)
from schemas.record import (
    COLUMNS,
    QUARANTINE,
    QUARANTINE_COLUMNS,
    RECORD,
    RunStamp,
    articles_to_frame,
    problems,
    rejected_to_frame,
)
from schemas.show import as_json_schema, as_polars_code, as_table

STAMP = RunStamp(run_id="0123456789abcdef", run_date=date(2026, 1, 7), config_sha256="c" * 64)
NOON = datetime(2026, 1, 7, 12, tzinfo=UTC)

BARE = Article(
    raw=RawDocument(source_kind="html", source_uri="pages/a.html", content=b"<p>"),
    raw_sha256="a" * 64,
    record_id="r1",
    story_id="s1",
    paragraphs=(Paragraph(role="deck", text="Πρώτο"), Paragraph(role="paragraph", text="Δεύτερο")),
    removed=(),
    language=Language(tag="und"),
    page_type="article",
    charset="utf-8",
    charset_source="meta",
)

FULL = replace(
    BARE,
    record_id="r2",
    raw=replace(
        BARE.raw,
        http_status=200,
        source_offset=2**40,
        fetched_at=NOON,
        discovered=Discovered(feed="https://nea-akti.example/feed", title="Ferry"),
    ),
    removed=(Removed(role="ad", rule="lexicon:el:ad", text="Διαφήμιση"),),
    language=Language(tag="el", script="Grek", score=0.99, margin=0.9, method="langdetect"),
    authors=("M. A.",),
    images=(Image(url=None, caption="Λιμάνι", lead=True),),
    published=Moment(at=NOON, precision="minute", tz="+02:00"),
    published_conflict=False,
    origins=(FieldOrigin(field="title", origin="meta", rule="og:title"),),
)

ABSENT = [
    "authors tags agencies cited_urls comments text_fixes quality_flags images removed",
    "field_origin discovered published_at published_precision is_free lang_score mt_paragraphs",
]


def records(*articles: Article) -> pl.DataFrame:
    return articles_to_frame(articles, STAMP)


def test_columns_stand_in_the_order_of_the_design() -> None:
    groups = list(dict.fromkeys(column.group for column in COLUMNS))
    assert groups == [
        "identity",
        "content",
        "time",
        "kind",
        "language",
        "translation",
        "cleaning",
        "duplicates",
        "provenance",
        "run",
    ]
    assert len({column.name for column in COLUMNS}) == len(COLUMNS) == 68


def test_a_translation_stands_beside_the_original() -> None:
    done = Translation(
        status="partial",
        lang="en",
        title=TranslatedText(text="Harbour", score=0.9),
        paragraphs=tuple(
            TranslatedText(text=item.text.upper(), score=0.5, flags=("retried",)) for item in FULL.paragraphs
        ),
        captions=(TranslatedText(text="Port", score=0.8),),
        path=("el", "en"),
        models=("translate-el_en 1.9 sha256:00",),
        flags=("retried",),
    )
    row = records(replace(FULL, translation=done)).row(0, named=True)
    assert (row["mt_status"], row["mt_lang"], row["mt_title"], row["mt_subtitle"]) == ("partial", "en", "Harbour", None)
    assert row["mt_text"] == FULL.text.upper()
    assert row["mt_paragraphs"][0] == {"text": FULL.paragraphs[0].text.upper(), "score": 0.5, "flags": ["retried"]}
    assert (row["mt_captions"], row["mt_path"], row["mt_flags"]) == (["Port"], ["el", "en"], ["retried"])
    assert not problems(records(replace(FULL, translation=done)), COLUMNS)


def test_every_meaning_is_one_sentence() -> None:
    for column in (*COLUMNS, *QUARANTINE_COLUMNS):
        assert column.meaning.endswith("."), column.name
        assert column.meaning.count(". ") == 0, column.name


def test_articles_become_rows_that_keep_the_schema() -> None:
    frame = records(BARE, FULL)
    assert frame.schema == RECORD
    assert problems(frame, COLUMNS) == []


def test_no_articles_give_an_empty_frame_that_keeps_the_schema() -> None:
    assert records().schema == RECORD
    assert problems(records(), COLUMNS) == []


def test_absent_is_null_and_never_an_empty_list() -> None:
    row = records(BARE).row(0, named=True)
    assert [name for name in " ".join(ABSENT).split() if row[name] is not None] == []


def test_values_arrive_where_they_belong() -> None:
    row = records(FULL).row(0, named=True)
    assert row["text"] == FULL.paragraphs[0].text + "\n\n" + FULL.paragraphs[1].text
    assert row["paragraphs"][0] == {"role": "deck", "text": "Πρώτο", "lang": None}
    assert row["published_at"] == NOON
    assert row["published_tz"] == "+02:00"
    assert row["discovered"]["guid"] is None
    assert row["images"][0]["lead"] is True
    assert row["source_offset"] == 2**40
    assert row["mt_status"] == "off"
    assert row["run_date"] == date(2026, 1, 7)
    assert len(row["text_sha256"]) == 64


def test_rows_come_back_from_parquet_as_they_were(tmp_path: Path) -> None:
    frame = records(BARE, FULL)
    frame.write_parquet(tmp_path / "part.parquet")
    assert pl.read_parquet(tmp_path / "part.parquet").equals(frame)


def test_refused_documents_become_rows_that_keep_the_schema() -> None:
    refused = Rejected(stage="source", reason="empty", detail="no bytes", source_kind="html", source_uri="a.html")
    frame = rejected_to_frame([refused], STAMP)
    assert frame.schema == QUARANTINE
    assert problems(frame, QUARANTINE_COLUMNS) == []


def test_a_value_of_the_wrong_type_is_named_by_its_column() -> None:
    with pytest.raises(TypeError, match="column url cannot hold"):
        records(replace(BARE, url=5))  # type: ignore[arg-type]


def test_a_missing_an_extra_and_a_mistyped_column_are_all_named() -> None:
    frame = records(BARE).drop("url").with_columns(nope=1, http_status=pl.lit(1.5))
    found = problems(frame, COLUMNS)
    assert len(found) == 3
    assert found[0].startswith("column url is missing")
    assert found[1].startswith("column nope (Int32) is not in the schema")
    assert found[2].startswith("column http_status is Float64 but must be Int16")


def test_columns_in_another_order_are_a_problem() -> None:
    frame = records(BARE)
    assert "another order" in problems(frame.select(reversed(frame.columns)), COLUMNS)[0]


BROKEN: list[tuple[dict[str, Any], str]] = [
    (
        {"lang": pl.lit(None, pl.String)},
        "column lang is null; it must always be filled (2 of 2 rows, first in record r1)",
    ),
    ({"title": pl.lit("")}, 'column title is ""; absent is null (2 of 2 rows, first in record r1)'),
    ({"tags": pl.lit([], pl.List(pl.String))}, "column tags is an empty list; absent is null"),
    ({"page_type": pl.lit("blog")}, '"blog", first in record r1'),
    ({"mt_status": pl.lit("maybe")}, "column mt_status holds a value that is not one of"),
    ({"published_precision": pl.lit("week")}, "year, month, day, hour, minute, second"),
    ({"dup_kind": pl.lit("far")}, '"far"'),
    ({"record_id": pl.lit("same")}, "record_id stands more than once"),
    (
        {"paragraphs": pl.lit([{"role": "ad", "text": "x", "lang": None}], dtype=RECORD["paragraphs"])},
        "paragraphs hold a role that is not one of deck",
    ),
    (
        {"mt_paragraphs": pl.lit([{"text": "x", "score": None, "flags": None}], dtype=RECORD["mt_paragraphs"])},
        '"1 for 2"',
    ),
]


@pytest.mark.parametrize(("change", "message"), BROKEN)
def test_a_broken_value_is_named_with_column_count_and_record(change: dict[str, pl.Expr], message: str) -> None:
    found = problems(records(BARE, FULL).with_columns(**change), COLUMNS)
    assert len(found) == 1
    assert message in found[0]


def test_a_broken_quarantine_row_is_named_by_its_place() -> None:
    refused = Rejected(stage="source", reason="", detail="no bytes", source_kind="zip", source_uri="a.zip")
    found = problems(rejected_to_frame([refused], STAMP), QUARANTINE_COLUMNS)
    assert found == ['column reason is ""; absent is null (1 of 1 rows, first in a.zip member None offset None)']


def test_polars_code_gives_the_very_schema() -> None:
    names: dict[str, Any] = {}
    exec(as_polars_code(), names)  # noqa: S102  this is what people do with it
    assert names["RECORD"] == RECORD


def test_json_schema_is_valid_and_accepts_a_record() -> None:
    schema = json.loads(as_json_schema())
    jsonschema.Draft202012Validator.check_schema(schema)
    rows = records(BARE, FULL).with_columns(pl.col(pl.Datetime, pl.Date).cast(pl.String))
    for row in rows.to_dicts():
        jsonschema.validate(row, schema)


def test_json_schema_refuses_what_the_columns_refuse() -> None:
    schema = json.loads(as_json_schema())
    row = records(BARE).with_columns(pl.col(pl.Datetime, pl.Date).cast(pl.String)).to_dicts()[0]
    for change in ({"lang": None}, {"page_type": "blog"}, {"paragraphs": [{"role": "deck"}]}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**row, **change}, schema)


def test_json_schema_keeps_the_mapping() -> None:
    schema = json.loads(as_json_schema())
    assert schema["properties"]["title"]["x-maps-to"] == "schema:headline"


def test_the_table_names_every_column() -> None:
    table = as_table()
    for column in (*COLUMNS, *QUARANTINE_COLUMNS):
        assert f"| {column.name} " in table
