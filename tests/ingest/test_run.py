"""The whole road with real files, real workers and a stand-in for the steps of ``normalize``."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

import duckdb
import fake_steps
import polars as pl
import pytest

from ingest.config import Options, RunOptions
from ingest.progress import Counts, OnProgress
from ingest.run import Summary, run
from ingest.sources.inputs import Input, find_inputs
from ingest.store import read_manifests
from schemas.document import Article
from schemas.errors import BusyError, PausedError, SetupError
from schemas.record import RECORD

DAY = date(2026, 1, 7)
OPTIONS = Options(run=RunOptions(chunk_size=4, workers=2, document_seconds=5))


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with one file of rows and three pages, named as a person would."""
    monkeypatch.chdir(tmp_path)
    folder = Path("pages")
    folder.mkdir()
    write_rows(folder / "a.jsonl", *(f"story {number}" for number in range(10)), "REFUSE this")
    for name, text in (("b.txt", "harbour\n"), ("c.txt", "story 3"), ("d.txt", "")):
        (folder / name).write_text(text)
    return folder


def write_rows(path: Path, *texts: str) -> None:
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))


def done(
    *arguments: str | Path,
    output: str = "out",
    options: Options = OPTIONS,
    day: date | None = DAY,
    fresh: bool = False,
    on_progress: OnProgress = lambda _: None,
    say: Callable[[str], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
) -> Summary:
    return run(
        find_inputs([str(argument) for argument in arguments]),
        Path(output),
        options,
        run_date=day,
        fresh=fresh,
        on_progress=on_progress,
        say=say,
        stop=stop,
        steps=fake_steps.STEPS,
    )


def records(output: str = "out") -> pl.DataFrame:
    return pl.scan_parquet(f"{output}/articles/**/*.parquet").collect()


def quarantine(output: str = "out") -> pl.DataFrame:
    return pl.read_parquet(f"{output}/quarantine/**/*.parquet")


def digests(output: str) -> dict[str, str]:
    """Give every Parquet file of an output folder and the checksum of its bytes."""
    root = Path(output)
    return {
        path.relative_to(root).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*.parquet"))
    }


def test_a_run_accounts_for_every_document(pages: Path) -> None:
    summary = done(pages)
    assert (summary.documents, summary.records, summary.quarantined) == (14, 12, 2)
    assert summary.by_reason == {"extract/no_text": 1, "source/empty": 1}
    assert summary.by_language == {"el": 12}
    assert records().height == 12
    assert quarantine()["source_uri"].to_list() == ["pages/a.jsonl", "pages/d.txt"]


def test_records_come_in_the_order_of_the_sources_in_parts_of_a_chunk(pages: Path) -> None:
    done(pages)
    assert records()["text"].to_list() == [*(f"story {n}" for n in range(10)), "harbour", "story 3"]
    names = sorted(path.name for path in Path("out/articles").rglob("*.parquet"))
    assert names == [f"part-0000{number}.parquet" for number in range(4)]
    assert records()["record_id"].n_unique() == 12


def test_polars_and_duckdb_read_the_output_as_it_is(pages: Path) -> None:
    done(pages)
    assert records().schema == RECORD
    question = "SELECT count(*), min(run_date), max(dup_kind) FROM 'out/articles/**/*.parquet'"
    assert duckdb.connect().execute(question).fetchall() == [(12, DAY, "exact")]


def test_duplicates_are_linked_within_a_run_and_to_earlier_runs(pages: Path) -> None:
    done(pages / "a.jsonl")
    done(pages / "c.txt", day=date(2026, 1, 8))
    first = records().filter(text="story 3", run_date=DAY)["record_id"].item()
    last = records().filter(run_date=date(2026, 1, 8))
    assert last["dup_of"].to_list() == [first]


@pytest.mark.parametrize("workers", [1, 3])
def test_the_same_input_gives_the_same_bytes_whatever_the_workers(pages: Path, workers: int) -> None:
    done(pages, output="one")
    done(pages, output="two", options=replace(OPTIONS, run=replace(OPTIONS.run, workers=workers)))
    assert digests("one") == digests("two")
    assert len(digests("one")) == 4 + 2 + 1


def test_files_say_which_run_and_options_made_them(pages: Path) -> None:
    summary = done(pages)
    for path in Path("out").glob("[aq]*/**/*.parquet"):
        metadata = pl.read_parquet_metadata(path)
        assert metadata["babelwire.run_id"] == summary.run_id
        assert metadata["babelwire.config_sha256"] == OPTIONS.config_sha256()
        assert "polars" in json.loads(metadata["babelwire.tools"])
        assert json.loads(metadata["babelwire.options"])["run"] == {"chunk_size": 4}


def test_the_manifest_lists_inputs_counts_and_files_as_they_are(pages: Path) -> None:
    summary = done(pages)
    (manifest,) = read_manifests(Path("out"))
    assert manifest["counts"] == {"in": 14, "records": 12, "quarantined": 2, "skipped": 0}
    assert manifest["inputs"][0] == {
        "uri": "pages/a.jsonl",
        "sha256": sha256((pages / "a.jsonl").read_bytes()).hexdigest(),
        "bytes": (pages / "a.jsonl").stat().st_size,
        "source_id": None,
        "publisher": None,
        "language_prior": None,
        "kind": "jsonl",
        "documents": 11,
        "records": 10,
        "quarantined": 1,
    }
    listed = {file["path"]: file["sha256"] for file in manifest["files"]}
    assert listed == digests("out")
    assert manifest["run_id"] == summary.run_id
    assert manifest["options"]["run"]["workers"] == 2
    text = Path(f"out/runs/{summary.run_id}.json").read_text()
    assert text == json.dumps(manifest, indent=2, sort_keys=True) + "\n"


def test_what_is_done_is_skipped_and_counted(pages: Path) -> None:
    done(pages / "a.jsonl")
    summary = done(pages)
    assert (summary.documents, summary.records, summary.quarantined) == (14, 2, 1)
    assert summary.skipped == 11
    manifest = read_manifests(Path("out"))[-1]
    assert [entry["uri"] for entry in manifest["inputs_skipped"]] == ["pages/a.jsonl"]
    assert records().height == 12


def test_an_input_is_known_by_its_content_not_by_name_or_time(pages: Path) -> None:
    done(pages / "a.jsonl")
    (pages / "a.jsonl").rename("moved.jsonl")
    os.utime("moved.jsonl", (0, 0))
    assert done("moved.jsonl", day=date(2026, 1, 9)).nothing_new is not None


def test_nothing_new_writes_nothing_and_names_the_run_that_did_it(pages: Path) -> None:
    first = done(pages / "a.jsonl")
    before = sorted(Path("out").rglob("*"))
    summary = done(pages / "a.jsonl", day=date(2026, 1, 8))
    assert summary.nothing_new is not None
    assert (summary.nothing_new.run_id, summary.nothing_new.run_date) == (
        first.run_id,
        "2026-01-07",
    )
    assert (summary.documents, summary.skipped, summary.inputs) == (11, 11, 1)
    assert sorted(Path("out").rglob("*")) == before


def test_an_empty_file_gets_its_row_every_night(pages: Path) -> None:
    done(pages / "d.txt")
    summary = done(pages / "d.txt", day=date(2026, 1, 8))
    assert summary.quarantined == 1
    assert quarantine()["reason"].to_list() == ["empty", "empty"]


def test_the_same_bytes_under_two_names_are_read_once(pages: Path) -> None:
    (pages / "again.jsonl").write_bytes((pages / "a.jsonl").read_bytes())
    summary = done(pages / "a.jsonl", pages / "again.jsonl")
    assert (summary.documents, summary.records, summary.skipped) == (22, 10, 11)


def test_other_options_read_everything_again(pages: Path) -> None:
    done(pages)
    other = replace(OPTIONS, document=replace(OPTIONS.document, max_depth=7))
    assert done(pages, options=other).skipped == 0


def test_fresh_replaces_the_run_as_a_whole_with_the_same_bytes(pages: Path) -> None:
    done(pages)
    before = digests("out")
    summary = done(pages, fresh=True)
    assert (summary.records, summary.skipped) == (12, 0)
    assert digests("out") == before
    assert len(read_manifests(Path("out"))) == 1


def test_a_file_that_cannot_be_opened_is_one_row_of_the_quarantine(pages: Path) -> None:
    gone = Input(path=pages / "gone.txt", uri="pages/gone.txt")
    summary = run(
        [gone],
        Path("out"),
        OPTIONS,
        run_date=DAY,
        fresh=False,
        on_progress=lambda _: None,
        steps=fake_steps.STEPS,
    )
    assert (summary.documents, summary.quarantined) == (1, 1)
    assert quarantine()["stage"].to_list() == ["source"]
    assert not Path("out/articles").exists()


def test_a_pipe_is_kept_and_known_by_its_content(pages: Path) -> None:
    for wanted in (11, 0):
        os.mkfifo("pipe")
        with subprocess.Popen(["cp", pages / "a.jsonl", "pipe"]):
            summary = done("pipe")
        Path("pipe").unlink()
        assert summary.documents - summary.skipped == wanted
    assert not Path("out/.staging").exists()


def test_standard_input_is_kept_and_known_by_its_content(pages: Path) -> None:
    keyboard = os.dup(0)
    try:
        for wanted in (11, 0):
            with (pages / "a.jsonl").open() as file:
                os.dup2(file.fileno(), 0)
                summary = done("-")
            assert summary.documents - summary.skipped == wanted
    finally:
        os.dup2(keyboard, 0)
        os.close(keyboard)
    assert set(records()["source_uri"]) == {"-"}


def test_the_output_is_never_taken_as_input(pages: Path) -> None:
    done(pages, output="pages/out")
    with pytest.raises(SetupError, match=r"pages/out/articles/.* was written by babelwire"):
        done(pages, output="pages/out")


def test_documents_that_loop_or_crash_are_in_the_quarantine(pages: Path) -> None:
    write_rows(pages / "bad.jsonl", "fine", "LOOP", "DIE", "BUG", "EAT", "fine as well")
    options = replace(OPTIONS, run=replace(OPTIONS.run, document_seconds=1.0))
    summary = done(pages / "bad.jsonl", options=options)
    assert summary.records == 2
    assert set(summary.by_reason) == {
        "engine/timeout",
        "engine/worker_died",
        "engine/internal_error",
        "engine/memory",
    }


def test_progress_is_told_for_each_document(pages: Path) -> None:
    seen: list[Counts] = []
    done(pages, on_progress=seen.append)
    assert [counts.documents for counts in seen] == list(range(1, 15))
    assert (seen[-1].quarantined, seen[-1].inputs) == (2, 4)


def test_progress_knows_how_far_it_is_by_bytes_and_what_was_refused_for(pages: Path) -> None:
    sizes = [path.stat().st_size for path in sorted(pages.iterdir())]
    seen: list[Counts] = []
    done(pages, on_progress=seen.append)
    assert {counts.bytes_total for counts in seen} == {sum(sizes)}
    far = [counts.bytes_done for counts in seen]
    assert far == sorted(far)
    # The last input is a page of its own: nothing in it lies behind it before it is done.
    assert far[-1] == sum(sizes[:-1])
    assert [sum(counts.by_reason.values()) for counts in seen] == [counts.quarantined for counts in seen]


def test_an_input_that_changes_while_it_is_read_stops_the_run(pages: Path) -> None:
    def touch(_: Counts) -> None:
        with (pages / "a.jsonl").open("a") as file:
            file.write("\n")

    write_rows(pages / "a.jsonl", *(f"SLOW {number}" for number in range(30)))
    with pytest.raises(BusyError, match=r"pages/a.jsonl changed while it was read"):
        done(pages / "a.jsonl", on_progress=touch)
    assert not list(Path("out").rglob("*.parquet"))


def test_no_input_at_all_is_said(pages: Path) -> None:
    with pytest.raises(SetupError, match="no input is named"):
        done(output=str(pages / "out"))


def test_a_row_that_breaks_the_schema_stops_the_run(pages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fake_steps.Seen, "_linked", lambda _, item: replace(item, title=""))
    with pytest.raises(RuntimeError, match=r'chunk 0 breaks the schema.*column title is ""'):
        done(pages)
    assert not list(Path("out").rglob("*.parquet"))


def test_a_lost_document_stops_the_run(pages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(_: fake_steps.Seen, articles: list[Article]) -> tuple[Article, ...]:
        return tuple(articles[1:])

    monkeypatch.setattr(fake_steps.Seen, "link", forgetful)
    with pytest.raises(RuntimeError, match=r"does not close.*14 documents in, 12 records \(8 on"):
        done(pages)
    assert not list(Path("out").rglob("*.parquet"))


SLOWLY = """
import sys
from datetime import date
from pathlib import Path
import fake_steps
from ingest.config import Options, RunOptions
from ingest.run import run
from ingest.sources.inputs import find_inputs

def show(counts):
    print(counts.documents, flush=True)

if __name__ == "__main__":
    options = Options(run=RunOptions(chunk_size=4, workers=2, document_seconds=5))
    run(find_inputs(sys.argv[1:]), Path("out"), options, run_date=date(2026, 1, 7), fresh=False,
        on_progress=show, steps=fake_steps.STEPS)
"""


def started(*arguments: str) -> "subprocess.Popen[str]":
    Path("slowly.py").write_text(SLOWLY)
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return subprocess.Popen(
        [sys.executable, "slowly.py", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{path}{os.pathsep}{Path(__file__).parents[2]}"},
    )


def killed(documents: int, *arguments: str) -> None:
    """Kill a run of these inputs into "out" once it has given some documents."""
    with started(*arguments) as process:
        assert process.stdout is not None
        while process.stdout.readline() != f"{documents}\n":
            pass
        process.send_signal(signal.SIGKILL)


def test_a_run_that_is_killed_goes_on_after_its_last_chunk(pages: Path) -> None:
    write_rows(pages / "slow.jsonl", *(f"SLOW {number}" for number in range(60)))
    killed(20, str(pages / "slow.jsonl"))
    assert not list(Path("out").glob("articles/**/*.parquet"))
    said: list[str] = []
    summary = done(pages / "slow.jsonl", say=said.append)
    assert (summary.records, summary.skipped) == (60, 0)
    assert summary.restored >= 16
    assert said == [
        f"run {summary.run_id} of 2026-01-07 was not finished and goes on after {summary.restored // 4} chunks"
    ]
    done(pages / "slow.jsonl", output="unbroken")
    assert digests("out") == digests("unbroken")


def test_a_run_may_be_broken_off_between_any_two_chunks(pages: Path) -> None:
    done(pages, output="unbroken")
    for _ in range(3):
        with pytest.raises(PausedError, match=r"stopped after \d+ documents; the same command goes on"):
            done(pages, stop=lambda: True)
        assert not Path("out/articles").exists()
    summary = done(pages)
    assert (summary.documents, summary.records, summary.quarantined, summary.restored) == (14, 12, 2, 12)
    assert digests("out") == digests("unbroken")
    (one,), (other,) = read_manifests(Path("out")), read_manifests(Path("unbroken"))
    assert [one[key] for key in ("inputs", "counts", "by_reason")] == [
        other[key] for key in ("inputs", "counts", "by_reason")
    ]


def test_a_run_of_other_inputs_or_options_gives_up_the_one_before(pages: Path) -> None:
    def stopped() -> None:
        with pytest.raises(PausedError):
            done(pages, stop=lambda: True)

    said: list[str] = []
    stopped()
    done(pages / "c.txt", say=said.append)
    stopped()
    done(pages, options=replace(OPTIONS, document=replace(OPTIONS.document, max_depth=7)), say=said.append)
    stopped()
    done(pages, day=date(2026, 1, 8), say=said.append)
    assert [text.partition(": ")[2] for text in said] == [
        "this run has other inputs",
        "this run has other options and other inputs",
        "this run has another day",
    ]


def test_fresh_starts_anew_what_could_go_on(pages: Path) -> None:
    with pytest.raises(PausedError):
        done(pages, stop=lambda: True)
    said: list[str] = []
    assert done(pages, fresh=True, say=said.append).restored == 0
    assert said[0].endswith("is given up: this run has to start anew")


def test_a_night_that_goes_on_after_midnight_is_still_that_night(pages: Path) -> None:
    with pytest.raises(PausedError):
        done(pages, stop=lambda: True)
    summary = done(pages, day=None)
    assert (summary.run_date, summary.restored) == (DAY, 4)


def test_a_run_without_a_day_is_of_today(pages: Path) -> None:
    before = datetime.now(UTC).date()
    assert before <= done(pages, day=None).run_date <= datetime.now(UTC).date()


def test_duplicates_are_found_across_the_place_where_a_run_was_broken_off(pages: Path) -> None:
    write_rows(pages / "twins.jsonl", *(f"story {number % 3}" for number in range(9)))
    with pytest.raises(PausedError):
        done(pages / "twins.jsonl", stop=lambda: True)
    done(pages / "twins.jsonl")
    assert records()["dup_of"].n_unique() == 4
    assert records()["dup_of"].null_count() == 3


def test_two_runs_at_once_do_not_meet(pages: Path) -> None:
    write_rows(pages / "slow.jsonl", *(f"SLOW {number}" for number in range(60)))
    with started(str(pages / "slow.jsonl")) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(BusyError, match=f"in use by process {process.pid}"):
            done(pages / "a.jsonl")
        process.stdout.read()
    assert process.returncode == 0
    assert done(pages / "a.jsonl").records == 10


def test_the_overhead_of_a_run_is_small_beside_the_work(pages: Path) -> None:
    write_rows(pages / "many.jsonl", *(f"story {number} " + "word " * 2000 for number in range(999)))
    began = time.monotonic()
    summary = done(pages / "many.jsonl", options=Options(run=RunOptions(workers=2)))
    assert summary.records == 999
    # About 3 s here, most of it the start of the workers; a slow machine must not fail for it.
    assert time.monotonic() - began < 60
