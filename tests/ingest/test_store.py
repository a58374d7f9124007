"""The output folder: a run is there whole or not at all, whatever happens in between."""

import errno
import json
import os
import shutil
import subprocess
import sys
from datetime import date
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest

from ingest import commit as commit_module
from ingest.disk import DiskFullError
from ingest.staged import Opening, Staged
from ingest.store import Store, read_manifests
from schemas.errors import BusyError, SetupError
from schemas.record import RunStamp

STAMP = RunStamp(run_id="0123456789abcdef", run_date=date(2026, 1, 7), config_sha256="c" * 64)
OPENING = Opening(
    run_id=STAMP.run_id, run_date="2026-01-07", started_at="2026-01-07T03:00:00+00:00", identity={"inputs": []}
)
DAY = "run_date=2026-01-07/run=0123456789abcdef"
PART = f"{DAY}/part-00000.parquet"

WHOLE = {
    f"articles/{PART}",
    f"quarantine/{PART}",
    "runs/0123456789abcdef.json",
    "state/duplicates/run=0123456789abcdef.parquet",
}


def frame(*values: str) -> pl.DataFrame:
    return pl.DataFrame({"record_id": list(values)}, schema={"record_id": pl.String})


def staged_run(store: Store, *values: str, refused: tuple[str, ...] = ("no",)) -> Staged:
    staged = store.begin(STAMP, {"b": "2", "a": "1"}, OPENING)
    staged.write("articles", 0, frame(*values))
    staged.write("quarantine", 0, frame(*refused))
    staged.add_state("duplicates", frame(*values).write_parquet)
    return staged


def manifest(*, note: str = "first") -> dict[str, object]:
    return {
        "config_sha256": "c",
        "counts": {},
        "files": [],
        "finished_at": note,
        "inputs": [{"sha256": "f" * 64, "bytes": 3, "documents": 5}],
        "run_date": "2026-01-07",
        "run_id": STAMP.run_id,
        "schema_version": "1.0.0",
        "tools": {"babelwire": "0.1"},
    }


def committed(root: Path, *values: str, refused: tuple[str, ...] = ("no",)) -> None:
    with Store.open(root) as store:
        staged_run(store, *values, refused=refused).commit(manifest())


def files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()} - {".lock"}


def articles(root: Path) -> list[str]:
    return pl.read_parquet(root / "articles/**/*.parquet")["record_id"].to_list()


def test_a_committed_run_lies_where_the_design_says(tmp_path: Path) -> None:
    committed(tmp_path, "a", "b")
    assert files(tmp_path) == WHOLE
    assert articles(tmp_path) == ["a", "b"]
    assert not (tmp_path / ".staging").exists()


def test_a_table_without_rows_leaves_no_file(tmp_path: Path) -> None:
    committed(tmp_path, "a", refused=())
    assert not (tmp_path / "quarantine").exists()


def test_every_file_says_where_it_comes_from_and_is_listed_as_it_is(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        staged = staged_run(store, "a", "b")
        assert [staged.rows_on_disk(file) for file in staged.files] == [2, 1, 2]
        staged.commit(manifest())
        for file in staged.files:
            content = (tmp_path / file.path).read_bytes()
            assert (file.bytes, file.sha256) == (len(content), sha256(content).hexdigest())
    metadata = pl.read_parquet_metadata(tmp_path / "articles" / PART)
    assert (metadata["a"], metadata["b"]) == ("1", "2")


def test_nothing_can_be_seen_of_a_run_before_its_commit(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        staged_run(store, "a")
        assert not list(tmp_path.glob("articles/**/*.parquet"))
        assert not list(tmp_path.glob("*/*.parquet"))


def test_a_run_that_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        staged_run(store, "a")
    assert files(tmp_path) == set()
    assert not (tmp_path / ".staging").exists()


class PowerCutError(BaseException):
    """Ends a test's process as far as the store can see."""


@pytest.mark.parametrize("moves_done", range(5))
def test_a_commit_cut_short_is_finished_at_the_next_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moves_done: int
) -> None:
    left = moves_done

    def move(root: Path, origin: Path, goal: Path, replaced: Path) -> None:
        nonlocal left
        if left == 0:
            raise PowerCutError
        left -= 1
        real_move(root, origin, goal, replaced)

    real_move = commit_module.move
    monkeypatch.setattr(commit_module, "move", move)
    if moves_done == 4:  # all is moved, only the journal is still there
        monkeypatch.setattr(Path, "unlink", _cut)
    with pytest.raises(PowerCutError):
        committed(tmp_path, "a")
    monkeypatch.undo()
    assert (tmp_path / ".staging" / "commit.json").exists()
    Store.open(tmp_path).close()
    assert files(tmp_path) == WHOLE
    assert articles(tmp_path) == ["a"]


def _cut(_path: Path) -> None:
    raise PowerCutError


@pytest.mark.parametrize("moves_done", range(5))
def test_a_replacement_cut_short_is_finished_at_the_next_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moves_done: int
) -> None:
    committed(tmp_path, "old")
    test_a_commit_cut_short_is_finished_at_the_next_open(tmp_path, monkeypatch, moves_done)


def test_a_cut_between_setting_aside_and_moving_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    committed(tmp_path, "old")
    real = commit_module._set_aside

    def set_aside(place: Path, replaced: Path) -> None:
        real(place, replaced)
        if "articles" in place.parts:
            raise PowerCutError

    monkeypatch.setattr(commit_module, "_set_aside", set_aside)
    with pytest.raises(PowerCutError):
        committed(tmp_path, "new")
    monkeypatch.undo()
    Store.open(tmp_path).close()
    assert articles(tmp_path) == ["new"]
    assert files(tmp_path) == WHOLE


def test_a_cut_before_the_journal_is_undone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "replace", lambda *_: _cut(tmp_path))
    with pytest.raises(PowerCutError):
        committed(tmp_path, "a")
    monkeypatch.undo()
    Store.open(tmp_path).close()
    assert files(tmp_path) == set()


def test_staging_of_a_dead_run_is_removed_at_open(tmp_path: Path) -> None:
    dead = tmp_path / ".staging" / "run=dead" / "articles"
    dead.mkdir(parents=True)
    (dead / "part-00000.parquet").write_bytes(b"half")
    Store.open(tmp_path).close()
    assert not (tmp_path / ".staging").exists()


def recorded_run(root: Path, chunks: int, *, opening: Opening = OPENING) -> Staged:
    """Write some chunks of a run that is then left alone."""
    with Store.open(root) as store:
        staged = store.begin(STAMP, {}, opening)
        for number in range(len(staged.chunks), chunks):
            staged.write("articles", number, frame(f"a{number}"))
            staged.write("quarantine", number, frame(f"q{number}"))
            staged.record(number, {"written": number + 1}, {"duplicates": frame(f"m{number}")})
    return staged


def taken_up(root: Path) -> Staged:
    with Store.open(root) as store:
        return store.begin(STAMP, {}, OPENING)


def test_chunks_that_are_recorded_outlive_the_run(tmp_path: Path) -> None:
    recorded_run(tmp_path, 3)
    assert not list(tmp_path.glob("*/*.parquet"))
    staged = taken_up(tmp_path)
    assert [chunk.account for chunk in staged.chunks] == [{"written": 1}, {"written": 2}, {"written": 3}]
    assert [chunk.memory("duplicates")["record_id"].item() for chunk in staged.chunks] == ["m0", "m1", "m2"]
    assert [Path(file.path).name for file in staged.files] == [f"part-0000{n}.parquet" for n in (0, 0, 1, 1, 2, 2)]
    assert [staged.rows_on_disk(file) for file in staged.files] == [1] * 6


def test_a_run_that_goes_on_is_committed_as_one_that_was_never_broken_off(tmp_path: Path) -> None:
    for root, steps in ((tmp_path / "one", (4,)), (tmp_path / "two", (1, 3, 4))):
        for chunks in steps:
            recorded_run(root, chunks)
        with Store.open(root) as store:
            staged = store.begin(STAMP, {}, OPENING)
            assert len(staged.chunks) == 4
            staged.commit(manifest())
    assert files(tmp_path / "one") == files(tmp_path / "two")
    for name in files(tmp_path / "one"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert not (tmp_path / "two" / ".staging").exists()


@pytest.mark.parametrize(
    "damaged", ["articles/part-00001.parquet", "quarantine/part-00001.parquet", "chunks/00001.duplicates.parquet"]
)
@pytest.mark.parametrize("how", ["gone", "short", "other"])
def test_a_chunk_whose_files_a_power_cut_took_is_written_again(tmp_path: Path, damaged: str, how: str) -> None:
    recorded_run(tmp_path, 3)
    file = tmp_path / ".staging" / f"run={STAMP.run_id}" / damaged
    if how == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:9] if how == "short" else b"x")
    assert len(taken_up(tmp_path).chunks) == 1
    assert not list(tmp_path.rglob("*00002*"))
    recorded_run(tmp_path, 3)
    assert len(taken_up(tmp_path).chunks) == 3


def test_a_record_that_is_half_written_ends_what_is_taken_up(tmp_path: Path) -> None:
    recorded_run(tmp_path, 3)
    record = tmp_path / ".staging" / f"run={STAMP.run_id}" / "chunks" / "00002.json"
    record.write_text(record.read_text()[:20])
    assert len(taken_up(tmp_path).chunks) == 2


def test_parts_of_a_chunk_without_a_record_are_removed(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        staged = store.begin(STAMP, {}, OPENING)
        staged.write("articles", 0, frame("a"))
        staged.record(0, {}, {})
        staged.write("articles", 1, frame("never recorded"))
        (staged.folder / "articles" / ".nfs0001").write_text("what a file system left")
    assert len(list((staged.folder / "articles").iterdir())) == 3
    taken_up(tmp_path)
    assert [file.name for file in (staged.folder / "articles").iterdir()] == ["part-00000.parquet"]


def test_the_run_that_was_not_finished_says_what_it_is(tmp_path: Path) -> None:
    recorded_run(tmp_path, 1)
    later = Opening(run_id=STAMP.run_id, run_date="2026-01-07", started_at="later", identity={})
    with Store.open(tmp_path) as store:
        assert store.unfinished() == OPENING
        assert store.begin(STAMP, {}, later).opening == OPENING


def test_another_run_gives_up_the_one_that_was_not_finished(tmp_path: Path) -> None:
    recorded_run(tmp_path, 2)
    other = RunStamp(run_id="f" * 16, run_date=STAMP.run_date, config_sha256="c" * 64)
    with Store.open(tmp_path) as store:
        assert not store.begin(other, {}, OPENING).chunks
        assert not list(tmp_path.rglob("*.parquet"))


def test_a_run_is_started_anew_if_that_is_wanted(tmp_path: Path) -> None:
    recorded_run(tmp_path, 2)
    with Store.open(tmp_path) as store:
        assert not store.begin(STAMP, {}, OPENING, anew=True).chunks


def test_a_run_that_is_abandoned_cannot_be_gone_on_with(tmp_path: Path) -> None:
    recorded_run(tmp_path, 2)
    taken_up(tmp_path).abandon()
    with Store.open(tmp_path) as store:
        assert store.unfinished() is None


def test_a_run_of_the_same_name_is_replaced_as_a_whole(tmp_path: Path) -> None:
    committed(tmp_path, "old", "older")
    committed(tmp_path, "new", refused=())
    assert articles(tmp_path) == ["new"]
    assert files(tmp_path) == WHOLE - {f"quarantine/{PART}"}


def test_state_is_what_other_runs_left(tmp_path: Path) -> None:
    committed(tmp_path, "a")
    other = tmp_path / "state" / "duplicates" / "run=other.parquet"
    with Store.open(tmp_path) as store:
        assert store.earlier_state("duplicates", besides=STAMP.run_id) is None
        assert store.earlier_state("duplicates", besides="x") == other.parent
        assert store.earlier_state("templates", besides="x") is None
        frame("b").write_parquet(other)
        seen = store.earlier_state("duplicates", besides=STAMP.run_id)
        assert seen is not None
        assert pl.read_parquet(seen / "*.parquet")["record_id"].to_list() == ["b"]


def test_state_that_is_needed_no_longer_goes_with_the_commit_and_not_before(tmp_path: Path) -> None:
    committed(tmp_path, "a")
    old = tmp_path / "state" / "duplicates" / "run=old.parquet"
    frame("old").write_parquet(old)
    with Store.open(tmp_path) as store:
        staged = staged_run(store, "b")
        staged.drop_state("duplicates", [old.name, "run=gone-already.parquet"])
        assert old.exists()
        staged.commit(manifest())
    assert files(tmp_path) == WHOLE


def test_the_ledger_knows_content_under_the_same_options_only(tmp_path: Path) -> None:
    committed(tmp_path, "a")
    with Store.open(tmp_path) as store:
        same = store.ledger(config_sha256="c", schema_version="1.0.0", version="0.1")
        assert same["f" * 64].documents == 5
        assert same["f" * 64].run_id == STAMP.run_id
        assert not store.ledger(config_sha256="d", schema_version="1.0.0", version="0.1")
        assert not store.ledger(config_sha256="c", schema_version="2.0.0", version="0.1")
        assert not store.ledger(config_sha256="c", schema_version="1.0.0", version="0.2")


HOLD = """
import sys, pathlib, time
from ingest.store import Store
with Store.open(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_process_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(BusyError, match=f"in use by process {holder.pid};"):
            Store.open(tmp_path)
        holder.kill()
        holder.wait()
    Store.open(tmp_path).close()


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    place = tmp_path / "out"
    place.write_text("")
    with pytest.raises(SetupError, match=r"out cannot be written .*name another folder"):
        Store.open(place)


def test_a_folder_that_cannot_be_written_is_named() -> None:
    with pytest.raises(SetupError, match="/proc/out cannot be written"):
        Store.open(Path("/proc/out"))


def test_a_broken_manifest_is_named(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    path = tmp_path / "runs" / "x.json"
    for text, message in (("{", "cannot be read as a manifest"), ("{}", "is not the manifest")):
        path.write_text(text)
        with pytest.raises(SetupError, match=message):
            read_manifests(tmp_path)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_says_so_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def full(_handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFullError, match=r"no space left .* bytes free; free space and run"):
        committed(tmp_path, "a")
    assert files(tmp_path) == set()


def test_a_full_disk_is_known_when_polars_meets_it(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store, pytest.raises(DiskFullError, match="no space left"):
        store.begin(STAMP, {}, OPENING).add_state("x", lambda _: frame("a").write_parquet("/dev/full"))


FILL = """
import sys, pathlib
from test_store import committed, files
root = pathlib.Path(sys.argv[1])
try:
    committed(root, *(f"{n * 7919 % 65521}-{n}" for n in range(200_000)))
except Exception as error:
    print(type(error).__name__, files(root))
"""


def test_a_disk_that_is_really_full_leaves_nothing(tmp_path: Path) -> None:
    mount = f'mount -t tmpfs -o size=128k none "{tmp_path}" && exec "$@"'
    unshare = shutil.which("unshare")
    command = [str(unshare), "-rm", "sh", "-c", mount, "sh"]
    if unshare is None or subprocess.run([*command, "true"], check=False).returncode != 0:
        pytest.skip("needs a mount namespace of our own")
    done = subprocess.run(
        [*command, sys.executable, "-c", FILL, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])},
    )
    assert done.stdout == "DiskFullError set()\n", done.stderr


def test_a_manifest_is_written_the_same_way_each_time(tmp_path: Path) -> None:
    committed(tmp_path, "a")
    text = (tmp_path / "runs" / f"{STAMP.run_id}.json").read_text()
    assert text == json.dumps(manifest(), indent=2, sort_keys=True) + "\n"
