"""`babelwire query` with named queries: names, settings, forms and files."""

import csv
import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import two_nights

from ingest.cli import main
from schemas.quality.queries import QUERIES

Captured = pytest.CaptureFixture[str]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(two_nights.make(tmp_path_factory.mktemp("nights")))


def test_a_name_is_asked_with_settings(output: str, capsys: Captured) -> None:
    assert main(["query", output, "counts", "--set", "days=2", "--set", "source=o'hill", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"run_date": "2026-01-06", "source": "o'hill", "lang": "en", "records": 1}
    ]


def test_the_list_names_every_query_with_its_sentence_and_parameters(output: str, capsys: Captured) -> None:
    assert main(["query", output, "--list"]) == 0
    said = capsys.readouterr().out
    for query in QUERIES:
        assert f"{query.name}: {query.sentence}\n" in said
    assert "    --set url=TEXT      the address, as fetched or as the page's own (needed)\n" in said
    assert "    --set most=NUMBER   rows at most (default: 20)\n" in said
    assert "    --set most=NUMBER   rows at most (default: all)\n" in said
    assert "    --set night=DAY     the last night that counts (default: the last)\n" in said


def test_sql_is_still_sql(output: str, capsys: Captured) -> None:
    assert main(["query", output, "SELECT count(*) AS n FROM articles", "--format", "csv"]) == 0
    assert capsys.readouterr().out == "n\n5\n"


def test_an_answer_in_a_file_is_the_same_in_every_form(output: str, tmp_path: Path, capsys: Captured) -> None:
    for form in ("csv", "json", "parquet"):
        file = tmp_path / f"answer.{form}"
        assert main(["query", output, "kinds", "--set", "days=2", "--format", form, "--output", str(file)]) == 0
    assert capsys.readouterr().out == ""
    rows = pl.read_parquet(tmp_path / "answer.parquet").to_dicts()
    assert rows == json.loads((tmp_path / "answer.json").read_text("utf-8"))
    texts = list(csv.DictReader(io.StringIO((tmp_path / "answer.csv").read_text("utf-8"))))
    assert texts == [{name: str(value) for name, value in row.items()} for row in rows]


def test_parquet_goes_to_what_is_no_terminal(output: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert main(["query", output, "kinds", "--format", "parquet"]) == 0
    assert pl.read_parquet(io.BytesIO(capfdbinary.readouterr().out)).height == 1


def test_parquet_does_not_go_to_a_terminal(output: str) -> None:
    ours, terminal = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "ingest", "query", output, "kinds", "--format", "parquet"],
            cwd=ROOT,
            stdout=terminal,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(terminal)
        os.close(ours)
    assert done.returncode == 2
    assert done.stderr.startswith(b"babelwire: Parquet is not for a terminal; name a file with --output")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no query is named; write SQL or one of the names"),
        (["cuonts"], 'no query is named "cuonts"; use one of: runs,'),
        (["counts", "--set", "night"], '--set "night" sets nothing new; write it as NAME=VALUE'),
        (["counts", "--set", "days=1", "--set", "days=2"], '--set "days=2" sets nothing new'),
        (["counts", "--set", "night=yesterday"], 'night is "yesterday"; it must be a day, such as 2026-01-31'),
        (["counts", "--set", "days=many"], 'days is "many"; it must be a whole number'),
        (["history"], "query history needs url:"),
        (["SELECT 1 AS one", "--set", "night=2026-01-07"], "--set night is for named queries"),
    ],
)
def test_a_fault_answers_2_and_says_what_to_do(
    arguments: list[str], message: str, output: str, capsys: Captured
) -> None:
    assert main(["query", output, *arguments]) == 2
    assert capsys.readouterr().err.startswith(f"babelwire: {message}")


def test_a_file_that_cannot_be_written_is_named(output: str, tmp_path: Path, capsys: Captured) -> None:
    assert main(["query", output, "kinds", "--output", str(tmp_path / "none" / "answer.txt")]) == 2
    assert "cannot be written" in capsys.readouterr().err
