import gzip
import io
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.sources import Limits, find_inputs, read_input
from schemas.document import Discovered, RawDocument

from source_outcomes import Read, documents, rejections, summary, the_document, the_rejection


def parquet(columns: dict[str, object], **options: int) -> bytes:
    out = io.BytesIO()
    pl.DataFrame(columns).write_parquet(out, row_group_size=options.get("row_group_size"))
    return out.getvalue()


def test_a_row_says_what_it_knows(read: Read) -> None:
    data = parquet(
        {
            "Id": [5],
            "HTML": ["<p>à"],
            "title": ["T"],
            "published": [datetime(2024, 5, 1, 8, tzinfo=UTC)],
            "fetched_at": [datetime(2024, 5, 2)],  # noqa: DTZ001
            "unused": [b"\0"],
        }
    )
    page = the_document(read("noname", data))
    assert (page.source_kind, page.media, page.charset) == ("parquet", "html", "utf-8")
    assert (page.content, page.source_member) == ("<p>à".encode(), "5")
    assert page.discovered == Discovered(title="T", published="2024-05-01T08:00:00+00:00")
    assert page.fetched_at == datetime(2024, 5, 2, tzinfo=UTC)


def test_rows_come_in_order_over_batches_and_row_groups(read: Read) -> None:
    data = parquet({"text": [f"t{n}" for n in range(5000)]}, row_group_size=700)
    outcomes = read("a.parquet", data)
    assert [one.content.decode() for one in documents(outcomes)] == [f"t{n}" for n in range(5000)]
    assert summary(outcomes) == [str(n) for n in range(1, 5001)]


def test_pages_stored_as_bytes_stay_bytes_of_unknown_charset(read: Read) -> None:
    page = the_document(read("a.parquet", parquet({"html": [b"<p>\xe9"]})))
    assert (page.content, page.charset) == (b"<p>\xe9", None)


def test_a_broken_row_is_rejected_and_reading_goes_on(read: Read) -> None:
    outcomes = read("a.parquet", parquet({"text": ["a", None, "", "d"]}))
    assert summary(outcomes) == ["1", "bad_row", "empty", "4"]
    assert rejections(outcomes)[0].detail.startswith("row 2: no text and no html")


def test_a_column_of_numbers_is_bad_rows(read: Read) -> None:
    rejection = the_rejection(read("a.parquet", parquet({"text": [12]})))
    assert rejection.detail == 'row 1: "text" is int, not a string: 12'


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Tokyo", "America/Lima"])
def test_a_moment_in_no_year_of_python_never_costs_the_row(
    read: Read, unit: Literal["ms", "us", "ns"], zone: str | None
) -> None:
    # In seconds, the first and the last one that Python has: in Tokyo and Lima they lie behind the edge.
    edges = [second * {"ms": 10**3, "us": 10**6, "ns": 1}[unit] for second in (-62_135_596_800, 253_402_300_799)]
    moments = pl.Series([0, *edges, 2**62, -(2**62)]).cast(pl.Datetime(unit, zone))
    found = documents(read("a.parquet", parquet({"text": list("abcde"), "fetched_at": moments})))
    assert [page.content for page in found] == [b"a", b"b", b"c", b"d", b"e"]
    assert found[0].fetched_at == datetime(1970, 1, 1, tzinfo=UTC)
    assert unit == "ns" or [page.fetched_at for page in found[3:]] == [None, None]


def test_a_day_in_no_year_of_python_never_costs_the_row(read: Read) -> None:
    days = pl.Series([0, 2**31 - 1, -(2**31)], dtype=pl.Int32).cast(pl.Date)
    found = documents(read("a.parquet", parquet({"text": list("abc"), "published": days})))
    assert [page.discovered for page in found] == [Discovered(published="1970-01-01"), None, None]


def test_a_length_of_time_that_python_cannot_hold_costs_its_row_only(read: Read) -> None:
    lengths = pl.Series([2**62, None]).cast(pl.Duration("ms"))
    outcomes = read("a.parquet", parquet({"text": ["a", "b"], "title": lengths}))
    assert summary(outcomes) == ["bad_row", "2"]
    assert rejections(outcomes)[0].detail.startswith("row 1: a value that Python cannot hold: ")


def test_a_table_without_text_is_one_rejection_that_names_its_columns(read: Read) -> None:
    rejection = the_rejection(read("a.parquet", parquet({"note": ["x"], "lang": ["pt"]})))
    assert rejection.reason == "no_text_column"
    assert "note, lang" in rejection.detail


def test_a_row_over_the_limit_is_rejected(read: Read) -> None:
    outcomes = read("a.parquet", parquet({"text": ["x" * 200, "b"]}), Limits(max_bytes=100))
    assert summary(outcomes) == ["too_large", "2"]


def test_reading_may_stop_early(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(parquet({"text": ["x" * 1000] * 20_000}))
    rows = read_input(find_inputs([str(path)])[0], Limits())
    assert next(rows).source_member == "1"
    del rows


def test_a_file_name_with_a_star_is_no_pattern(read: Read) -> None:
    assert len(read("a*[1].parquet", parquet({"text": ["x"]}))) == 1


def test_parquet_from_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    class Piped:
        buffer = io.BytesIO(parquet({"text": ["x", "y"]}))

    monkeypatch.setattr(sys, "stdin", Piped())
    assert summary(list(read_input(find_inputs(["-"])[0], Limits()))) == ["1", "2"]


def test_packed_parquet_says_to_unpack_it(read: Read) -> None:
    data = gzip.compress(parquet({"text": ["x"]}))
    assert the_rejection(read("a.parquet.gz", data)).reason == "unsupported"


@pytest.mark.parametrize("length", [5, 100, -1])
def test_a_cut_off_file_is_one_rejection(read: Read, length: int) -> None:
    data = parquet({"text": ["x" * 100]})
    assert the_rejection(read("a.parquet", data[:length])).reason == "damaged"


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_a_flipped_byte_never_stops_the_run(tmp_path_factory: pytest.TempPathFactory, place: float, flip: int) -> None:
    data = bytearray(parquet({"text": [f"text {n}" for n in range(50)]}))
    data[4 + int(place * (len(data) - 4))] ^= flip
    path: Path = tmp_path_factory.getbasetemp() / "flipped.parquet"
    path.write_bytes(data)
    for one in read_input(find_inputs([str(path)])[0], Limits()):
        assert isinstance(one, RawDocument) or one.stage == "source"
