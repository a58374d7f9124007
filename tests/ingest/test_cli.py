"""The commands as a person or cron meets them: output, talk and exit codes."""

import csv
import gzip
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import fake_steps
import polars as pl
import pytest
from prometheus_text import families

from ingest import cli, store
from ingest import run as run_module
from ingest.cli import main
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
    ):
        assert line in talk
    assert re.fullmatch(
        r"babelwire: 3 documents: 2 records, 1 quarantined, 0 skipped; "
        r"in [\d.]+ s \([\d.]+ pages/s\), written to out",
        talk.splitlines()[-1],
    )


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


def uris() -> list[str]:
    rows = [*Path("out").glob("articles/**/*.parquet"), *Path("out").glob("quarantine/**/*.parquet")]
    return sorted(pl.concat([pl.read_parquet(path, columns=["source_uri"]) for path in rows])["source_uri"])


def test_a_list_stands_beside_arguments_and_its_paths_begin_where_one_stands() -> None:
    Path("lists").mkdir()
    Path("lists/tonight.txt").write_text("# the first two\n\npages/[ab].txt\n")
    assert main(["run", "pages/c.txt", "--list", "lists/tonight.txt", "--output", "out"]) == 0
    assert uris() == ["pages/a.txt", "pages/b.txt", "pages/c.txt"]


def test_a_list_gives_the_bytes_that_its_lines_would_give_as_arguments() -> None:
    Path("all.txt").write_text("pages/a.txt\nsources.toml\n")
    assert main(["run", "--list", "all.txt", "--output", "listed", "--date", "2026-01-07"]) == 0
    assert main(["run", "pages/a.txt", "sources.toml", "--output", "typed", "--date", "2026-01-07"]) == 0
    listed, typed = (
        {path.relative_to(root): path.read_bytes() for path in Path(root).rglob("*.parquet")}
        for root in ("listed", "typed")
    )
    assert listed == typed
    assert listed


def test_the_list_that_cc_news_ships_holds_in_the_folder_of_the_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    month = Path("mirror/crawl-data/CC-NEWS/2026/01")
    month.mkdir(parents=True)
    names = [f"crawl-data/CC-NEWS/2026/01/CC-NEWS-2026010{day}000000-0000{day}.warc.gz" for day in (6, 7)]
    for name in names:
        Path("mirror", name).write_text(f"harbour {name}")
    (month / "warc.paths.gz").write_bytes(gzip.compress("".join(f"{name}\n" for name in names).encode()))
    monkeypatch.chdir("mirror")
    assert main(["run", "--list", "crawl-data/CC-NEWS/2026/01/warc.paths.gz", "--output", "out"]) == 0
    assert uris() == names


def test_a_fault_in_a_list_is_said_with_its_line(capsys: Captured) -> None:
    Path("inputs.txt").write_text("# pages\npages/a.txt\n\npages/z*.txt\n")
    assert main(["run", "--list", "inputs.txt", "--output", "out"]) == 2
    assert capsys.readouterr().err.startswith('babelwire: inputs.txt:4: "pages/z*.txt" matches no file')


def test_shards_together_read_every_input_once() -> None:
    for number in range(20):
        Path(f"pages/{number}.txt").write_text(f"harbour {number}")
    assert run_pages() == 0
    whole = uris()
    codes = [
        main(["run", "pages", "--output", f"shards/{k}", "--shard", f"{k}/4", "--date", "2026-01-07"])
        for k in (1, 2, 3, 4)
    ]
    assert codes == [0, 0, 0, 0]
    rows = [pl.read_parquet(f"shards/*/{table}/**/*.parquet") for table in ("articles", "quarantine")]
    assert sorted(uri for frame in rows for uri in frame["source_uri"]) == whole
    assert len(set(rows[0]["run_id"])) == 4


def test_a_shard_finds_what_it_has_done_although_inputs_were_added(capsys: Captured) -> None:
    def run_shards() -> list[int]:
        return [main(["run", "pages", "--output", f"shards/{k}", "--shard", f"{k}/2"]) for k in (1, 2)]

    for number in range(10):
        Path(f"pages/{number}.txt").write_text(f"harbour {number}")
    run_shards()
    Path("pages/0-new.txt").write_text("harbour of today")
    capsys.readouterr()
    assert sorted(run_shards()) == [0, 5]
    assert "documents in  1\n" not in capsys.readouterr().err
    rows = pl.concat(
        [
            pl.read_parquet(path, columns=["source_uri"])
            for path in Path("shards").glob("*/*/**/*.parquet")
            if "state" not in path.parts
        ]
    )
    assert rows["source_uri"].is_unique().all()


def test_a_shard_without_inputs_answers_5_and_makes_no_folder(capsys: Captured) -> None:
    codes = [main(["run", "pages/a.txt", "--output", f"shards/{k}", "--shard", f"{k}/3"]) for k in (1, 2, 3)]
    assert sorted(codes) == [0, 5, 5]
    assert len(list(Path("shards").iterdir())) == 1
    assert "babelwire: nothing to do: none of the 1 inputs falls to shard " in capsys.readouterr().err


def said(talk: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in talk.splitlines()]


def test_a_log_of_json_says_how_it_ended_with_all_numbers(capsys: Captured) -> None:
    assert run_pages("--log", "json") == 0
    out, talk = capsys.readouterr()
    (last,) = said(talk)
    assert out == ""
    assert datetime.fromisoformat(last["ts"]).utcoffset() == timedelta(0)
    assert (last["level"], last["event"], last["exit_code"]) == ("info", "finished", 0)
    assert last["message"].startswith("3 documents: 2 records, ")
    assert {name: last[name] for name in ("documents", "records", "quarantined", "skipped")} == {
        "documents": 3,
        "records": 2,
        "quarantined": 1,
        "skipped": 0,
    }
    assert last["by_reason"] == {"extract/no_text": 1}
    assert (last["run_date"], last["output"]) == ("2026-01-07", "out")


def test_a_log_of_json_says_that_nothing_is_new_and_by_which_run(capsys: Captured) -> None:
    run_pages()
    capsys.readouterr()
    assert run_pages("--log", "json") == 5
    (last,) = said(capsys.readouterr().err)
    (path,) = Path("out/runs").iterdir()
    assert (last["event"], last["exit_code"], last["nothing_new"]["run_id"]) == ("nothing_new", 5, path.stem)


@pytest.mark.parametrize(
    ("more", "code"), [(["--date", "7.1."], 2), (["--shard", "4/3"], 2), (["--config", "no.toml"], 2)]
)
def test_a_log_of_json_says_faults_with_the_exit_code(more: list[str], code: int, capsys: Captured) -> None:
    assert run_pages("--log", "json", *more) == code
    (last,) = said(capsys.readouterr().err)
    assert (last["event"], last["level"], last["exit_code"]) == ("error", "error", code)
    assert more[1] in last["message"]


def test_a_log_of_json_says_a_bug_with_its_traceback(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setattr(run_module, "_write", None)
    assert run_pages("--log", "json") == 1
    (last,) = said(capsys.readouterr().err)
    assert (last["event"], last["exit_code"]) == ("error", 1)
    assert "TypeError" in last["traceback"]


def values(path: str = "babelwire.prom") -> dict[str, float]:
    return {sample.name: sample.value for _, samples in families(Path(path).read_text()).values() for sample in samples}


def test_metrics_hold_the_numbers_of_the_run() -> None:
    began = time.time()
    assert run_pages("--metrics", "babelwire.prom") == 0
    found = values()
    assert found.pop("babelwire_duration_seconds") > 0
    assert found.pop("babelwire_last_success_timestamp_seconds") >= began - 0.001
    assert found == {
        "babelwire_running": 0,
        "babelwire_inputs": 3,
        "babelwire_inputs_done": 3,
        "babelwire_documents": 3,
        "babelwire_records": 2,
        "babelwire_quarantined": 1,
        "babelwire_skipped": 0,
        "babelwire_sentences": 0,
        "babelwire_exit_code": 0,
    }
    assert [path.name for path in Path().glob("*babelwire.prom*")] == ["babelwire.prom"]


def test_metrics_of_a_run_that_fails_say_so_and_remember_the_last_success() -> None:
    run_pages("--metrics", "babelwire.prom")
    succeeded = values()["babelwire_last_success_timestamp_seconds"]
    with store.Store.open(Path("out")):
        assert run_pages("--metrics", "babelwire.prom") == 75
    assert values()["babelwire_exit_code"] == 75
    assert values()["babelwire_last_success_timestamp_seconds"] == succeeded
    assert run_pages("--metrics", "babelwire.prom", "--config", "no.toml") == 2
    assert values()["babelwire_exit_code"] == 2
    assert values()["babelwire_last_success_timestamp_seconds"] == succeeded


def test_metrics_of_a_run_with_nothing_new_count_as_success() -> None:
    run_pages()
    assert run_pages("--metrics", "babelwire.prom") == 5
    found = values()
    assert found["babelwire_exit_code"] == 5
    assert found["babelwire_last_success_timestamp_seconds"] > 0
    assert (found["babelwire_documents"], found["babelwire_skipped"]) == (3, 3)


def test_metrics_of_a_bug_say_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_module, "_write", None)
    with pytest.raises(TypeError):
        run_pages("--metrics", "babelwire.prom")
    assert values()["babelwire_exit_code"] == 1


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
    (["run", "--output", "out"], "babelwire: no input is named; name files"),
    (["run", "--list", "no.txt", "--output", "out"], "babelwire: --list no.txt cannot be read"),
    (["run", "pages", "--output", "out", "--shard", "0/3"], 'babelwire: --shard "0/3" is not a shard'),
    (["run", "pages", "--output", "out", "--metrics", "no/a.prom"], "babelwire: --metrics no/a.prom cannot be written"),
    (["run", "pages", "--output", "out", "--metrics", "pages"], "babelwire: --metrics pages cannot be written"),
    (["run", "pages", "--output", "out", "--log", "xml"], "Invalid value for '--log'"),
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
    sys.exit(main(["run", "pages", "--output", "out", "--metrics", "babelwire.prom"]))
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
    first, last = (line for line in talk.splitlines() if "/s, " not in line)
    assert first == "babelwire: finishing this chunk, then stopping; once more stops at once"
    found = re.fullmatch(r"babelwire: stopped after (\d+) documents; the same command goes on from there", last)
    assert found is not None
    assert len(list(Path("out").glob(".staging/*/chunks/*.json"))) == int(found[1]) // 5
    assert values()["babelwire_exit_code"] == code


def test_a_run_that_is_stopped_twice_stops_at_once_and_loses_nothing_recorded(slow: "subprocess.Popen[str]") -> None:
    recorded = set(Path("out").glob(".staging/*/chunks/*"))
    slow.send_signal(signal.SIGINT)
    slow.send_signal(signal.SIGTERM)
    _, talk = slow.communicate()
    assert slow.returncode in {130, 143}
    assert values()["babelwire_exit_code"] == slow.returncode
    assert talk.splitlines()[-1] == ("babelwire: stopped at once; the same command goes on from what was finished")
    assert recorded <= set(Path("out").glob(".staging/*/chunks/*"))


def test_a_log_of_json_says_what_becomes_of_a_run_that_was_not_finished(
    slow: "subprocess.Popen[str]", capsys: Captured
) -> None:
    slow.send_signal(signal.SIGTERM)
    slow.communicate()
    assert main(["run", "pages/a.txt", "--output", "out", "--log", "json"]) == 0
    first, last = said(capsys.readouterr().err)
    assert (first["event"], last["event"]) == ("unfinished", "finished")
    assert "is given up: this run has other inputs" in first["message"]


def test_many_reasons_are_cut_to_the_ten_most_frequent() -> None:
    counts = {f"r{number}": 1 for number in range(12)}
    assert cli._listed(counts).endswith("r9 1 and 2 more")
