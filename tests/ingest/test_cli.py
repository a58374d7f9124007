"""The commands as a person or cron meets them: output, talk and exit codes."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import fake_steps
import polars as pl
import pytest

from ingest import cli, progress, store
from ingest import run as run_module
from ingest.cli import main
from ingest.progress import Counts
from schemas.record import COLUMNS, RECORD

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in a folder with three pages and a catalogue of two of them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run_module, "real_steps", lambda: fake_steps.STEPS)
    monkeypatch.setenv("BABELWIRE_RUN_WORKERS", "1")
    Path("pages").mkdir()
    for name, text in (("a.txt", "harbour"), ("b.txt", "REFUSE"), ("c.txt", "ferry " * 50)):
        Path("pages", name).write_text(text)
    Path("sources.toml").write_text('[[source]]\nid = "quay"\nname = "The Quay"\nfiles = ["pages/[ab].txt"]\n')


def run_pages(*more: str) -> int:
    return main(["run", "pages", "--output", "out", "--date", "2026-01-07", *more])


def ask(sql: str, form: str = "json") -> int:
    return main(["query", "out", sql, "--format", form])


Captured = pytest.CaptureFixture[str]


def test_a_run_answers_0_and_sums_up_on_stderr(capsys: Captured) -> None:
    assert run_pages() == 0
    out, talk = capsys.readouterr()
    assert out == ""
    for line in (
        "of 2026-01-07 is finished",
        "documents in  3",
        "records       2",
        "quarantined   1: extract/no_text 1",
        "skipped       0",
        "languages     el 2",
        "page types    article 2",
        "pages/s",
        "output        out",
    ):
        assert line in talk


def test_nothing_new_answers_5_and_says_how_to_go_on(capsys: Captured) -> None:
    run_pages()
    capsys.readouterr()
    assert run_pages() == 5
    (path,) = Path("out/runs").iterdir()
    assert capsys.readouterr().err == (
        f"babelwire: nothing new: all 3 inputs were done by run {path.stem} on 2026-01-07; --fresh runs them again\n"
    )
    assert run_pages("--fresh") == 0


def test_a_catalogue_stands_for_its_files() -> None:
    assert main(["run", "sources.toml", "pages/c.txt", "--output", "out"]) == 0
    rows = pl.read_parquet("out/articles/**/*.parquet").select("source_id", "source_uri").rows()
    assert rows == [("quay", "pages/a.txt"), (None, "pages/c.txt")]


def test_a_file_named_twice_is_read_once(capsys: Captured) -> None:
    assert main(["run", "sources.toml", "pages", "pages/a.txt", "--output", "out"]) == 0
    assert "documents in  3" in capsys.readouterr().err


def test_options_of_the_file_and_the_command_line_hold() -> None:
    Path("mine.toml").write_text("[run]\nchunk_size = 1\n")
    assert run_pages("--config", "mine.toml", "--workers", "2") == 0
    (path,) = Path("out/runs").iterdir()
    options = json.loads(path.read_text())["options"]
    assert (options["run"]["chunk_size"], options["run"]["workers"]) == (1, 2)


FAULTS = [
    (["run", "nowhere", "--output", "out"], 'babelwire: "nowhere" does not exist'),
    (["run", "pages", "--output", "pages/a.txt"], "babelwire: output pages/a.txt cannot be writ"),
    (["run", "pages", "--output", "out", "--date", "7.1.2026"], 'babelwire: --date "7.1.2026" is'),
    (
        ["run", "pages", "--output", "out", "--workers", "0"],
        "babelwire: --workers is 0; it must be",
    ),
    (["run", "pages", "--output", "out", "--workers", "x"], "Invalid value for '--workers'"),
    (["run", "pages", "--output", "out", "--config", "no.toml"], "babelwire: no.toml: cannot be"),
    (["run", "pages"], "Missing option '--output'"),
    (["run", "--output", "out"], "Missing argument 'INPUT...'"),
    (["fly"], "No such command 'fly'"),
    (["query", "nowhere", "SELECT 1"], "babelwire: nowhere is not a folder"),
    (["query", "pages", "SELECT 1"], "babelwire: pages holds no finished run"),
    (["schema", "--format", "xml"], "Invalid value for '--format'"),
]


@pytest.mark.parametrize(("arguments", "message"), FAULTS)
def test_a_fault_of_usage_answers_2_and_is_said_without_a_traceback(
    arguments: list[str], message: str, capsys: Captured
) -> None:
    assert main(arguments) == 2
    out, talk = capsys.readouterr()
    assert out == ""
    assert message in talk
    assert "Traceback" not in talk


def test_a_folder_in_use_answers_75(capsys: Captured) -> None:
    with store.Store.open(Path("out")):
        assert run_pages() == 75
    assert f"babelwire: output out is in use by process {os.getpid()}" in capsys.readouterr().err


def test_a_full_disk_answers_75(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert run_pages() == 75
    assert "free space and run the same command again" in capsys.readouterr().err


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "_write", None)
    with pytest.raises(TypeError):
        run_pages()


def test_queries_reach_articles_quarantine_and_runs(capsys: Captured) -> None:
    run_pages()
    capsys.readouterr()
    assert ask("SELECT source_uri, lang FROM articles ORDER BY source_uri") == 0
    assert json.loads(capsys.readouterr().out) == [
        {"source_uri": "pages/a.txt", "lang": "el"},
        {"source_uri": "pages/c.txt", "lang": "el"},
    ]
    ask("SELECT a.run_date, r.records, q.reason FROM articles a JOIN runs r USING (run_id) "
        "JOIN quarantine q USING (run_id) LIMIT 1")  # fmt: skip
    assert json.loads(capsys.readouterr().out) == [{"run_date": "2026-01-07", "records": 2, "reason": "no_text"}]


def test_an_empty_table_can_be_asked_too(capsys: Captured) -> None:
    main(["run", "pages/b.txt", "--output", "out"])
    capsys.readouterr()
    assert ask("SELECT count(*) AS n FROM articles") == 0
    assert json.loads(capsys.readouterr().out) == [{"n": 0}]


def test_only_files_of_finished_runs_are_asked(capsys: Captured) -> None:
    run_pages()
    stray = Path("out/articles/run_date=2026-01-07/run=half/part-00000.parquet")
    stray.parent.mkdir()
    stray.write_bytes(b"half a file")
    capsys.readouterr()
    assert ask("SELECT count(*) AS n FROM articles") == 0
    assert json.loads(capsys.readouterr().out) == [{"n": 2}]


def test_a_file_that_was_taken_away_is_named(capsys: Captured) -> None:
    run_pages()
    (part,) = Path("out/articles").rglob("*.parquet")
    part.unlink()
    assert ask("SELECT count(title) AS n FROM articles") == 2
    assert "part-00000.parquet" in capsys.readouterr().err


@pytest.mark.parametrize("sql", ["SELEC 1", "SELECT nope FROM articles", "SELECT 1 FROM nowhere"])
def test_a_bad_query_answers_2_and_lists_what_there_is(sql: str, capsys: Captured) -> None:
    run_pages()
    capsys.readouterr()
    assert ask(sql) == 2
    out, talk = capsys.readouterr()
    assert out == ""
    assert talk.startswith("babelwire: the query failed: ")
    assert "  articles: record_id, story_id," in talk
    assert "  runs: run_id, run_date," in talk
    assert "PROJECT" not in talk


def test_a_narrow_table_is_printed_side_by_side_and_long_cells_are_cut(capsys: Captured) -> None:
    run_pages()
    capsys.readouterr()
    ask("SELECT source_uri, text, title FROM articles ORDER BY source_uri", form="table")
    header, rule, first, second, count = capsys.readouterr().out.splitlines()
    assert header.split() == ["source_uri", "text", "title"]
    assert set(rule) == {"-", " "}
    assert first.split() == ["pages/a.txt", "harbour", "null"]
    assert "ferry fer…" in second
    assert count == "(2 rows)"


def test_a_wide_table_is_printed_downwards_with_every_column(capsys: Captured) -> None:
    run_pages()
    capsys.readouterr()
    ask("SELECT * FROM articles LIMIT 1", form="table")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "--- row 1"
    assert [line.split()[0] for line in lines[1:-1]] == [column.name for column in COLUMNS]


def test_a_hostile_text_cannot_drive_the_terminal(capsys: Captured) -> None:
    Path("pages/a.txt").write_text("harbour \x1b[2J\x07 and\nquay")
    run_pages()
    capsys.readouterr()
    ask("SELECT text FROM articles", form="table")
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\x07" not in out


def test_csv_holds_lists_as_json(capsys: Captured) -> None:
    run_pages()
    capsys.readouterr()
    assert ask("SELECT * FROM articles ORDER BY source_uri", form="csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert json.loads(rows[0]["removed"])[0]["role"] == "ad"
    assert rows[0]["authors"] == ""


def test_the_schema_is_printed_in_three_forms(capsys: Captured) -> None:
    assert main(["schema"]) == 0
    assert "| record_id" in capsys.readouterr().out
    assert main(["schema", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["type"] == "object"
    assert main(["schema", "--format", "polars"]) == 0
    names: dict[str, object] = {}
    exec(capsys.readouterr().out, names)  # noqa: S102  this is what people do with it
    assert names["RECORD"] == RECORD


def test_the_version_names_the_tools(capsys: Captured) -> None:
    assert main(["--version"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("babelwire ")
    assert "trafilatura" in out


def python(*arguments: str) -> "subprocess.Popen[str]":
    path = [entry for entry in sys.path if entry]
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*path, str(ROOT)])},
    )


def test_help_does_not_wait_for_heavy_modules() -> None:
    code = "import sys; from ingest.cli import main; main(['--help']); print(*sys.modules)"
    out, _ = python("-c", code).communicate()
    assert "run" in out
    assert not {"polars", "trafilatura", "lxml", "rich", "ray"} & set(out.split())


def test_python_m_ingest_is_the_same_command() -> None:
    process = python("-m", "ingest", "schema", "--format", "polars")
    out, _ = process.communicate()
    assert process.returncode == 0
    assert "pl.Schema" in out


def test_a_reader_that_has_enough_is_no_error() -> None:
    with python("-m", "ingest", "schema") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


STOPPABLE = """
import sys
import fake_steps
from ingest import run
from ingest.cli import main

run.real_steps = lambda: fake_steps.STEPS
if __name__ == "__main__":
    sys.exit(main(["run", "pages", "--output", "out"]))
"""


@pytest.fixture
def slow() -> "subprocess.Popen[str]":
    """Give a run of which something is recorded, with minutes of work left."""
    Path("slow.py").write_text(STOPPABLE)
    rows = (json.dumps({"text": f"SLOW {count}"}) for count in range(2000))
    Path("pages/slow.jsonl").write_text("\n".join(rows))
    Path("babelwire.toml").write_text("[run]\nchunk_size = 5\n")
    process = python("slow.py")
    while not list(Path("out").glob(".staging/*/chunks/*.json")):
        time.sleep(0.05)
        assert process.poll() is None
    return process


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_finishes_its_chunk_and_can_go_on(slow: "subprocess.Popen[str]", number: int, code: int) -> None:
    slow.send_signal(number)
    out, talk = slow.communicate()
    assert (slow.returncode, out) == (code, "")
    first, last = talk.splitlines()
    assert first == "babelwire: finishing this chunk, then stopping; once more stops at once"
    found = re.fullmatch(r"babelwire: stopped after (\d+) documents; the same command goes on from there", last)
    assert found is not None
    assert len(list(Path("out").glob(".staging/*/chunks/*.json"))) == int(found[1]) // 5


def test_a_run_that_is_stopped_twice_stops_at_once_and_loses_nothing_recorded(slow: "subprocess.Popen[str]") -> None:
    recorded = set(Path("out").glob(".staging/*/chunks/*"))
    slow.send_signal(signal.SIGINT)
    slow.send_signal(signal.SIGTERM)
    _, talk = slow.communicate()
    assert slow.returncode in {130, 143}
    assert talk.splitlines()[-1] == (
        "babelwire: stopped at once; the same command goes on after the last chunk that was finished"
    )
    assert recorded <= set(Path("out").glob(".staging/*/chunks/*"))


def test_a_log_gets_a_line_every_five_seconds() -> None:
    times = iter([0.0, 1.0, 4.9, 5.0, 9.0, 10.0])
    stream = io.StringIO()
    lines = progress.Lines(stream, clock=lambda: next(times))
    for documents in range(1, 6):
        lines(Counts(inputs=2, inputs_done=1, documents=documents, records=documents, quarantined=0))
    assert stream.getvalue().splitlines() == [
        "babelwire: input 1 of 2 done, 3 documents, 0.6/s, 0 quarantined",
        "babelwire: input 1 of 2 done, 5 documents, 0.5/s, 0 quarantined",
    ]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_bar() -> None:
    stream = Terminal()
    with progress.shown(stream) as update:
        update(Counts(inputs=2, inputs_done=1, documents=7, records=6, quarantined=1))
    assert "7 documents" in stream.getvalue()


def test_many_reasons_are_cut_to_the_ten_most_frequent() -> None:
    counts = {f"r{number}": 1 for number in range(12)}
    assert cli._listed(counts).endswith("r9 1 and 2 more")
