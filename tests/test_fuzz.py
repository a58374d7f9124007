"""A bounded number of mutants down the whole road: each becomes a record or a row of the quarantine, and never a traceback.

``make fuzz`` does the same with 10,000 pages and 1,000 WARC files.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import get_args

import polars as pl
import pytest
from mutate import chance_of, file_of, name_of, page_of
from samples import SEEDS

from ingest.config import Options, RunOptions
from ingest.run import Summary, run
from ingest.sources import Input, Limits, find_inputs, read_input
from normalize.duplicates import DuplicateIndex
from normalize.options import DocumentOptions
from normalize.path import run_document
from schemas.document import Article, RawDocument, Rejected, SourceKind
from schemas.record import COLUMNS, QUARANTINE_COLUMNS, RunStamp, articles_to_frame, problems, rejected_to_frame

SEED = "nightly"
STAMP = RunStamp(run_id="0123456789abcdef", run_date=date(2026, 1, 8), config_sha256="0" * 64)
KINDS: tuple[SourceKind, ...] = get_args(SourceKind)
#: Of each kind. The real run below works through as many again, but of other seeds.
FILES = 30
PAGES = 160


@cache
def samples() -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in sorted((SEEDS / "pages").iterdir()))


def outcomes_of(kind: SourceKind, number: int, folder: Path) -> list[Article | Rejected]:
    """Make a mutant, read it and send what is in it down the road."""
    path = folder / name_of(kind, number)
    path.write_bytes(file_of(kind, samples(), chance_of(SEED, kind, number)))
    return list(through(read_input(Input(path=path, uri=path.name), Limits())))


def through(found: Iterator[RawDocument | Rejected]) -> Iterator[Article | Rejected]:
    for one in found:
        yield one if isinstance(one, Rejected) else run_document(one, DocumentOptions())


def assert_fits_the_schema(outcomes: Sequence[Article | Rejected]) -> None:
    # Rows that stand twice in a table get names of their own there.
    articles = DuplicateIndex.load(None).link([one for one in outcomes if isinstance(one, Article)])
    records = articles_to_frame(articles, STAMP)
    refused = rejected_to_frame([one for one in outcomes if isinstance(one, Rejected)], STAMP)
    assert records.height + refused.height == len(outcomes)
    assert problems(records, COLUMNS) == []
    assert problems(refused, QUARANTINE_COLUMNS) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_mutant_of_every_kind_ends_in_outcomes_that_fit_the_schema(kind: SourceKind, tmp_path: Path) -> None:
    outcomes = [one for number in range(FILES) for one in outcomes_of(kind, number, tmp_path)]
    assert_fits_the_schema(outcomes)
    # A mutator that only makes rubbish would test nothing but the first check of each reader.
    assert {Article, Rejected} == {type(one) for one in outcomes}


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_mutant_and_the_same_outcomes(kind: SourceKind, tmp_path: Path) -> None:
    for number in range(5):
        assert outcomes_of(kind, number, tmp_path) == outcomes_of(kind, number, tmp_path)


@pytest.mark.parametrize("turn", range(4))
def test_a_mutated_page_ends_in_an_outcome_that_fits_the_schema(turn: int) -> None:
    # Straight down the road: a page that no longer looks like one would end at the reader.
    outcomes = []
    for number in range(turn, PAGES, 4):
        content = page_of(samples(), chance_of(SEED, "page", number))
        raw = RawDocument(
            source_kind="html", source_uri=f"{number}", content=content, media=("html", "text")[turn == 3]
        )
        outcomes.append(run_document(raw, DocumentOptions()))
    assert_fits_the_schema(outcomes)


@dataclass(frozen=True, kw_only=True)
class Night:
    """One real run over mutants, with worker processes, and what it wrote."""

    done: Summary
    output: Path

    def table(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.output / name / "**" / "*.parquet")


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    folder = tmp_path_factory.mktemp("mutants")
    (folder / "in").mkdir()
    for kind in KINDS:
        for number in range(10):
            data = file_of(kind, samples(), chance_of(SEED, "night", kind, number))
            (folder / "in" / name_of(kind, number)).write_bytes(data)
    for number in range(60):
        data = page_of(samples(), chance_of(SEED, "night", number))
        (folder / "in" / f"page-{number}.html").write_bytes(data)
    done = run(
        find_inputs([str(folder / "in")]),
        folder / "out",
        Options(run=RunOptions(chunk_size=50, workers=2)),
        run_date=date(2026, 1, 8),
        fresh=False,
        on_progress=lambda _: None,
    )
    return Night(done=done, output=folder / "out")


def test_a_night_of_mutants_loses_none_of_them(night: Night) -> None:
    records, refused = night.table("articles"), night.table("quarantine")
    assert night.done.documents == night.done.records + night.done.quarantined + night.done.skipped
    assert (records.height, refused.height) == (night.done.records, night.done.quarantined)
    places = pl.concat([records["source_uri"], refused["source_uri"]])
    assert {f"page-{number}.html" for number in range(60)} <= {place.rpartition("/")[2] for place in places}


def test_no_mutant_ends_in_a_traceback_a_lost_worker_or_an_overrun_limit(night: Night) -> None:
    at_fault = night.table("quarantine").filter(pl.col("stage") == "engine")
    assert at_fault.select("source_uri", "reason", "detail").rows() == []


def test_no_name_of_a_written_file_has_anything_of_a_mutant_in_it(night: Night) -> None:
    ours = re.compile(
        r"(articles|quarantine)/run_date=2026-01-08/run=[0-9a-f]{16}/part-\d{5}\.parquet"
        r"|runs/[0-9a-f]{16}\.json|\.lock|state/(\w+/)?[\w.=-]+"
    )
    written = [path.relative_to(night.output).as_posix() for path in night.output.rglob("*") if path.is_file()]
    assert [name for name in written if not ours.fullmatch(name)] == []
