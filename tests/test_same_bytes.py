"""The samples through the real command: the same input gives the same bytes, and what is done is not done again."""

from hashlib import sha256
from pathlib import Path

import duckdb
import polars as pl
import pytest
from whole_runs import ROOT, Ended, assert_closed, babelwire

from schemas.record import RECORD

SEEDS = "seeds/sources.toml"


def run_seeds(folder: Path, workers: int) -> Ended:
    # Named from the root, as `make run` does: the name of an input is part of its records.
    (folder / "seeds").symlink_to(ROOT / "seeds", target_is_directory=True)
    return babelwire("run", SEEDS, "--output", "out", "--date", "2026-01-08", "--workers", str(workers), folder=folder)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    return run_seeds(tmp_path_factory.mktemp("one"), workers=1)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    return run_seeds(tmp_path_factory.mktemp("two"), workers=2)


def digests(ended: Ended) -> dict[str, str]:
    files = sorted(ended.output.rglob("*.parquet"))
    return {path.relative_to(ended.output).as_posix(): sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_accounts_close(one: Ended, two: Ended) -> None:
    assert_closed(one)
    assert_closed(two)


def test_every_file_has_the_same_bytes_whatever_the_workers(one: Ended, two: Ended) -> None:
    assert {name.partition("/")[0] for name in digests(one)} == {"articles", "quarantine", "state"}
    assert digests(one) == digests(two)


def test_a_second_run_says_that_nothing_is_new_and_changes_nothing(one: Ended) -> None:
    before = digests(one)
    folder = one.output.parent
    again = babelwire("run", SEEDS, "--output", "out", "--date", "2026-01-09", folder=folder)
    assert again.code == 5, again.talk
    assert again.talk.startswith("babelwire: nothing new: all ")
    assert digests(one) == before


def test_polars_reads_the_records_as_they_lie(one: Ended) -> None:
    frame = pl.scan_parquet(f"{one.output}/articles/**/*.parquet").collect()
    assert frame.schema == RECORD
    assert frame.height == one.manifest()["counts"]["records"]


def test_duckdb_reads_the_records_as_they_lie(one: Ended) -> None:
    question = f"SELECT count(*), count(DISTINCT record_id), count(text) FROM '{one.output}/articles/**/*.parquet'"
    (counts,) = duckdb.connect().execute(question).fetchall()
    assert counts == (one.manifest()["counts"]["records"],) * 3
