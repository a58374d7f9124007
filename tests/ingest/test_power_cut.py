"""The power is cut at each moment at which a run waits for the disk; only what it waited for is still there."""

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from kills import chances, note_sync, take_what_was_not_synced

from ingest.staged import Opening
from ingest.store import Store, read_manifests
from schemas.record import RunStamp

STAMP = RunStamp(run_id="0123456789abcdef", run_date=date(2026, 1, 7), config_sha256="c" * 64)
OPENING = Opening(run_id=STAMP.run_id, run_date="2026-01-07", started_at="2026-01-07T03:00:00+00:00", identity={})
CHUNKS = 3
MANIFEST = {
    "config_sha256": "c",
    "counts": {},
    "files": [],
    "finished_at": "then",
    "inputs": [],
    "run_date": "2026-01-07",
    "run_id": STAMP.run_id,
    "schema_version": "1.0.0",
    "tools": {},
}


def frame(name: str) -> pl.DataFrame:
    return pl.DataFrame({"record_id": [name]})


def night(root: Path) -> None:
    """Do what is left of one run."""
    with Store.open(root) as store:
        if read_manifests(root):
            return
        staged = store.begin(STAMP, {}, OPENING)
        for number in range(len(staged.chunks), CHUNKS):
            staged.write("articles", number, frame(f"a{number}"))
            staged.write("quarantine", number, frame(f"q{number}"))
            staged.record(number, {"done": number}, {"duplicates": frame(f"m{number}")})
        staged.add_state("duplicates", frame("state").write_parquet)
        staged.commit(MANIFEST)


class PowerCutError(BaseException):
    """Nothing runs any more."""


class Disk:
    """Notes what was synced, and ends everything at one of the times."""

    def __init__(self, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.log = log
        self.calls = 0
        self.cut_at: int | None = None
        self._fsync, self._tidy = os.fsync, Store._tidy
        monkeypatch.setattr(os, "fsync", self.fsync)
        # A process without power does not clean up after itself.
        monkeypatch.setattr(Store, "_tidy", lambda store: None if self.is_off else self._tidy(store))

    @property
    def is_off(self) -> bool:
        return self.cut_at is not None and self.calls >= self.cut_at

    def fsync(self, handle: int) -> None:
        self.calls += 1
        if self.is_off:
            raise PowerCutError
        self._fsync(handle)
        note_sync(self.log, handle)


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(tmp_path / "synced.txt", monkeypatch)


def contents(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def cuts(disk: Disk, root: Path, run: Callable[[], None]) -> Iterator[int]:
    """Cut the power at the first sync of a run, then at the second of another one, and so on until one gets through."""
    number = 0
    while True:
        number += 1
        shutil.rmtree(root, ignore_errors=True)
        disk.log.write_text("")
        disk.calls, disk.cut_at = 0, number
        try:
            run()
        except PowerCutError:
            take_what_was_not_synced(root, disk.log, chances(number))
            disk.cut_at = None
            yield number
        else:
            return


def test_a_run_without_power_shows_whole_or_not_at_all_and_ends_as_a_calm_one(tmp_path: Path, disk: Disk) -> None:
    night(tmp_path / "calm")
    root = tmp_path / "out"
    seen = set()
    for number in cuts(disk, root, lambda: night(root)):
        files = sorted(root.glob("articles/**/*.parquet"))
        rows = pl.read_parquet(files)["record_id"].to_list() if files else []
        assert rows in ([], ["a0", "a1", "a2"]), number
        seen.add(len(rows))
        night(root)
        assert contents(root) == contents(tmp_path / "calm"), number
    assert seen == {0, CHUNKS}


def test_chunks_that_were_recorded_outlive_the_power(tmp_path: Path, disk: Disk) -> None:
    root = tmp_path / "out"
    recorded = [0]
    for _ in cuts(disk, root, lambda: night(root)):
        if root.exists() and not read_manifests(root) and not (root / ".staging" / "commit.json").exists():
            with Store.open(root) as store:
                recorded.append(len(store.begin(STAMP, {}, OPENING).chunks))
    assert recorded == sorted(recorded)
    assert set(recorded) == set(range(CHUNKS + 1))
