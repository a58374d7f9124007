"""The metrics file: its format, its steadiness, and what becomes of one that cannot be written."""

import io
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_text import Sample, families

from ingest.log import Log
from ingest.metrics import Metrics
from ingest.progress import Counts


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def counts(**changed: object) -> Counts:
    return Counts(**{"inputs": 4, "inputs_done": 1, "documents": 9, "records": 6, "quarantined": 3, **changed})  # type: ignore[arg-type]


def metrics(path: Path, clock: Clock | None = None, log: Log | None = None, output: str = "news") -> Metrics:
    clock = clock or Clock()
    return Metrics(path, output=Path(output), log=log or Log(io.StringIO()), clock=clock, now=lambda: 1_767_755_400.5)


def read(path: Path) -> dict[str, list[Sample]]:
    return {name: samples for name, (_, samples) in families(path.read_bytes().decode()).items()}


def test_a_run_that_begins_is_running_and_has_no_exit_code(tmp_path: Path) -> None:
    path = tmp_path / "babelwire.prom"
    metrics(path)
    found = read(path)
    assert found["babelwire_running"][0].value == 1
    assert "babelwire_exit_code" not in found
    assert "babelwire_last_success_timestamp_seconds" not in found


def test_the_file_is_written_anew_every_few_seconds_and_not_more_often(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / "babelwire.prom"
    metered = metrics(path, clock)
    seen = []
    for documents, clock.now in enumerate((1.0, 4.9, 5.0, 9.9, 10.1), start=1):
        metered.tell(counts(documents=documents))
        seen.append(read(path)["babelwire_documents"][0].value)
    assert seen == [0, 0, 3, 3, 5]


def test_quarantine_is_counted_by_stage_and_reason(tmp_path: Path) -> None:
    path = tmp_path / "babelwire.prom"
    metered = metrics(path)
    metered.tell(counts(by_reason={"source/bad_row": 2, "engine/timeout": 1}))
    metered.end(0, is_success=True)
    assert {(one.labels["stage"], one.labels["reason"]): one.value for one in read(path)["babelwire_quarantined"]} == {
        ("engine", "timeout"): 1,
        ("source", "bad_row"): 2,
    }


def test_the_end_is_written_with_exit_code_and_time(tmp_path: Path) -> None:
    path = tmp_path / "babelwire.prom"
    metrics(path).end(0, is_success=True)
    found = read(path)
    assert found["babelwire_running"][0].value == 0
    assert found["babelwire_exit_code"][0].value == 0
    assert found["babelwire_last_success_timestamp_seconds"][0].value == 1_767_755_400.5


def test_a_failure_does_not_forget_the_last_success(tmp_path: Path) -> None:
    path = tmp_path / "babelwire.prom"
    metrics(path).end(0, is_success=True)
    metrics(path).end(75, is_success=False)
    found = read(path)
    assert found["babelwire_exit_code"][0].value == 75
    assert found["babelwire_last_success_timestamp_seconds"][0].value == 1_767_755_400.5


@given(st.text(min_size=1))
def test_any_name_of_an_output_folder_comes_back_from_its_label(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    path = tmp_path_factory.mktemp("metrics") / "babelwire.prom"
    metrics(path, output=name)
    (sample,) = read(path)["babelwire_running"]
    assert sample.labels == {"output": str(Path(name))}


def test_a_name_that_is_not_utf8_does_not_break_the_file(tmp_path: Path) -> None:
    path = tmp_path / "babelwire.prom"
    metrics(path, output=os.fsdecode(b"n\xffws"))
    assert read(path)["babelwire_running"][0].labels == {"output": "n\N{REPLACEMENT CHARACTER}ws"}


def test_a_file_of_something_else_is_no_last_success(tmp_path: Path) -> None:
    path = tmp_path / "babelwire.prom"
    path.write_bytes(b"\xff babelwire_last_success_timestamp_seconds")
    metrics(path)
    assert "babelwire_last_success_timestamp_seconds" not in read(path)


def test_others_may_read_the_file_as_far_as_the_umask_lets_them(tmp_path: Path) -> None:
    path = tmp_path / "babelwire.prom"
    before = os.umask(0o022)
    try:
        metrics(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_no_draft_stays_behind(tmp_path: Path) -> None:
    metrics(tmp_path / "babelwire.prom").end(0, is_success=True)
    assert [path.name for path in tmp_path.iterdir()] == ["babelwire.prom"]


def test_a_folder_that_goes_away_is_said_once_and_stops_nothing(tmp_path: Path) -> None:
    clock, folder, stream = Clock(), tmp_path / "metrics", io.StringIO()
    folder.mkdir()
    metered = metrics(folder / "babelwire.prom", clock, Log(stream))
    (folder / "babelwire.prom").unlink()
    folder.rmdir()
    for clock.now in (6.0, 12.0):
        metered.tell(counts())
    metered.end(0, is_success=True)
    (line,) = stream.getvalue().splitlines()
    assert "babelwire.prom can no longer be written (No such file or directory); the run goes on" in line
