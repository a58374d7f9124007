"""The output folder: parts, commit, ledger, manifests. The only module that writes below it.

    articles/run_date=D/run=ID/part-00000.parquet     moved here whole, at the commit
    quarantine/run_date=D/run=ID/part-00000.parquet
    state/NAME/run=ID.parquet
    runs/ID.json                                       the manifest: moved last, it makes the run
    .staging/                                          the run that is being written
    .lock                                              held by the process that may write

A run is written below ``.staging`` and fsynced. Then a journal is written that lists every move,
then the moves are done, then the journal goes away. A crash before the journal leaves a folder
that the next ``open`` removes; a crash after it leaves a journal that the next ``open`` finishes.
Each move is one rename, so a reader of ``articles/**/*.parquet`` sees all of a run or none of it.
"""

import errno
import fcntl
import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypedDict

import polars as pl

from schemas.errors import BusyError, SetupError
from schemas.record import RunStamp

Manifest = dict[str, Any]
"""A manifest as JSON reads it; ``ingest.run`` writes its keys."""

Table = Literal["articles", "quarantine"]

TABLES: tuple[Table, ...] = ("articles", "quarantine")

#: The folders of an output that are ours alone.
OUTPUT_FOLDERS = (*TABLES, "runs", "state", ".staging")

# Disk full, and quota of this user full. Nothing a program can do but say so.
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)

# Without these a file below runs/ is not a manifest.
NEEDED = {
    "config_sha256",
    "counts",
    "files",
    "finished_at",
    "inputs",
    "run_date",
    "run_id",
    "schema_version",
    "tools",
}


class DiskFullError(BusyError):
    """The disk of the output folder is full; the same command works once there is room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartFile:
    """One file of a run, as its manifest lists it."""

    #: Relative to the output folder, "/" between folders.
    path: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What an earlier run made of one input."""

    run_id: str
    run_date: str
    #: Documents that were in it.
    documents: int


class Store:
    """One output folder, held by this process until it is closed."""

    def __init__(self, root: Path, lock: int) -> None:
        """Use ``Store.open``."""
        self.root = root
        self._lock = lock

    @classmethod
    def open(cls, root: Path) -> Self:
        """Create the folder if need be, lock it, and settle what a killed run left.

        Raises:
            SetupError: If the folder cannot be made or written.
            BusyError: If another process holds it.
        """
        try:
            root.mkdir(parents=True, exist_ok=True)
            lock = os.open(root / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            message = f"output {root} cannot be written ({error.strerror}); name another folder"
            raise SetupError(message) from error
        _take(lock, root)
        store = cls(root, lock)
        try:
            with disk_errors(root):
                store._settle()
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Remove what was not committed and let others have the folder."""
        # A commit under way is left alone: its journal says how to finish it.
        if not self.journal.exists():
            shutil.rmtree(self.staging, ignore_errors=True)
        os.close(self._lock)

    def __enter__(self) -> Self:
        """Hold the folder for a ``with`` block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of it, whatever happened."""
        self.close()

    @property
    def staging(self) -> Path:
        """The folder for what is not yet part of the output."""
        return self.root / ".staging"

    @property
    def state(self) -> Path:
        """The folder of what runs remember."""
        return self.root / "state"

    @property
    def journal(self) -> Path:
        """The list of moves of a commit that has begun."""
        return self.staging / "commit.json"

    def _settle(self) -> None:
        """Finish a commit that was cut short, and remove what never came to one."""
        if self.journal.exists():
            _replay(self.root, json.loads(self.journal.read_text(encoding="utf-8")))
        if self.staging.exists():
            shutil.rmtree(self.staging)

    def ledger(self, *, config_sha256: str, schema_version: str, version: str) -> dict[str, Done]:
        """Give what is done already: SHA-256 of an input -> the run that read it last.

        Only runs count that would have written the same: same options, schema and babelwire. An
        input is known by its content alone, never by name or time. One without content is never
        done: an empty file is worth a word every night.
        """
        return {
            str(entry["sha256"]): Done(
                run_id=str(manifest["run_id"]),
                run_date=str(manifest["run_date"]),
                documents=int(entry["documents"]),
            )
            for manifest in read_manifests(self.root)
            if manifest["config_sha256"] == config_sha256
            and manifest["schema_version"] == schema_version
            and manifest["tools"]["babelwire"] == version
            for entry in manifest["inputs"]
            if entry["sha256"] is not None and entry["bytes"]
        }

    def scratch(self) -> Path:
        """Give a folder for what is only needed until the store is closed."""
        folder = self.staging / "scratch"
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    def begin(self, stamp: RunStamp, metadata: Mapping[str, str]) -> "Staged":
        """Start a run. Unless it is committed, nothing stays of it once the store is closed.

        Args:
            stamp: Names the run.
            metadata: Goes into every Parquet file as key and value.
        """
        staged = Staged(self, stamp, metadata)
        with disk_errors(staged.folder):
            staged.folder.mkdir(parents=True)
        return staged

    def earlier_state(self, name: str, *, besides: str) -> Path | None:
        """Give the folder of state files that earlier runs left, or None without any.

        Args:
            name: Such as ``duplicates``.
            besides: A run that is about to be replaced. What it left must not be seen, or each of
                its documents would be a duplicate of itself.
        """
        folder = self.state / name
        files = sorted(folder.glob("run=*.parquet"))
        others = [file for file in files if file.name != f"run={besides}.parquet"]
        if not others:
            return None
        if len(others) == len(files):
            return folder
        seen = self.scratch() / name
        seen.mkdir()
        for file in others:
            (seen / file.name).symlink_to(file.resolve())
        return seen


class Staged:
    """A run that is being written: nothing of it can be seen before ``commit``."""

    def __init__(self, store: Store, stamp: RunStamp, metadata: Mapping[str, str]) -> None:
        """Use ``Store.begin``."""
        self.store = store
        self.stamp = stamp
        self.metadata = dict(sorted(metadata.items()))
        self.folder = store.staging / f"run={stamp.run_id}"
        self.files: list[PartFile] = []
        self._staged_at: dict[PartFile, Path] = {}
        self._moves: list[tuple[Path, Path]] = []
        self._stale: list[Path] = []

    def write(self, table: Table, number: int, frame: pl.DataFrame) -> None:
        """Write one part; a frame without rows leaves no file."""
        if frame.is_empty():
            return
        # In memory first: a part is small, and so the bytes that are hashed are those written.
        buffer = io.BytesIO()
        frame.write_parquet(buffer, compression="zstd", statistics=True, metadata=self.metadata)
        content = buffer.getvalue()
        path = self.folder / table / f"part-{number:05}.parquet"
        with disk_errors(path):
            path.parent.mkdir(exist_ok=True)
            write_durably(path, content)
        final = self._final(table) / path.name
        self._list(path, final, rows=frame.height)

    def add_state(self, name: str, save: Callable[[Path], None]) -> None:
        """Let a step write what this run adds to its memory, to be committed with the run."""
        path = self.folder / "state" / f"{name}.parquet"
        final = self.store.state / name / f"run={self.stamp.run_id}.parquet"
        with disk_errors(path):
            path.parent.mkdir(exist_ok=True)
            save(path)
            if not path.exists():
                self._stale.append(final)
                return
            _sync(path)
            _sync(path.parent)
        self._moves.append((path, final))
        self._list(path, final, rows=pl.read_parquet(path).height)

    def drop_state(self, name: str, files: Sequence[str]) -> None:
        """Let files that a step's memory needs no longer go away with the commit."""
        self._stale += [self.store.state / name / file for file in files]

    def _final(self, table: Table) -> Path:
        day = f"run_date={self.stamp.run_date.isoformat()}"
        return self.store.root / table / day / f"run={self.stamp.run_id}"

    def _list(self, path: Path, final: Path, *, rows: int) -> None:
        content = path.read_bytes()
        file = PartFile(
            path=final.relative_to(self.store.root).as_posix(),
            rows=rows,
            bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )
        self.files.append(file)
        self._staged_at[file] = path

    def rows_on_disk(self, file: PartFile) -> int:
        """Count the rows of a written file as a reader would find them."""
        return int(pl.scan_parquet(self._staged_at[file]).select(pl.len()).collect().item())

    def commit(self, manifest: Mapping[str, object]) -> None:
        """Make the run part of the output, all of it at once; replaces a run of the same name."""
        root, run_id = self.store.root, self.stamp.run_id
        manifest_file = self.folder / "manifest.json"
        text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        with disk_errors(self.folder):
            write_durably(manifest_file, text.encode())
            moves = [*self._moves]
            stale = [*self._stale]
            for table in reversed(TABLES):
                written = self.folder / table
                if written.exists():
                    _sync(written)
                    moves.append((written, self._final(table)))
                else:
                    stale.append(self._final(table))
            moves.append((manifest_file, root / "runs" / f"{run_id}.json"))
            _sync(self.folder)
            journal: _Journal = {
                "move": [(_inside(root, origin), _inside(root, goal)) for origin, goal in moves],
                "remove": [_inside(root, place) for place in stale if place.exists()],
            }
            draft = self.store.journal.with_suffix(".draft")
            write_durably(draft, json.dumps(journal, indent=2).encode())
            draft.replace(self.store.journal)
            _sync(self.store.staging)
            _replay(root, journal)


def _take(lock: int, root: Path) -> None:
    """Lock the folder for this process, or say who has it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = os.pread(lock, 32, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(lock)
        message = f"output {root} is in use by process {holder}; run again when it has ended"
        raise BusyError(message) from error
    with disk_errors(root):
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)


def _inside(root: Path, place: Path) -> str:
    return place.relative_to(root).as_posix()


class _Journal(TypedDict):
    """What a commit is to do; places are relative to the output folder."""

    #: Origin and goal of each rename, in order.
    move: list[tuple[str, str]]
    #: Folders and files of the run that is replaced, which have no successor.
    remove: list[str]


def _replay(root: Path, journal: _Journal) -> None:
    """Do the moves of a commit that are not done yet, and end it.

    May be cut short at any point and called again: a move whose origin is gone is done.
    """
    replaced = root / ".staging" / "replaced"
    for place in journal["remove"]:
        _set_aside(root / place, replaced)
    for origin, goal in journal["move"]:
        move(root / origin, root / goal, replaced)
    (root / ".staging" / "commit.json").unlink()
    _sync(root / ".staging")


def move(origin: Path, goal: Path, replaced: Path) -> None:
    """Rename a file or folder so that it survives a power cut; what lay there is set aside."""
    if not origin.exists():
        return
    goal.parent.mkdir(parents=True, exist_ok=True)
    if goal.is_dir():
        _set_aside(goal, replaced)
    origin.replace(goal)
    for folder in (goal.parent, goal.parent.parent, goal.parent.parent.parent, origin.parent):
        _sync(folder)


def _set_aside(place: Path, replaced: Path) -> None:
    """Take away the folder of a run that is replaced, in one rename."""
    if place.exists():
        replaced.mkdir(exist_ok=True)
        place.rename(replaced / str(len(list(replaced.iterdir()))))


def write_durably(path: Path, content: bytes) -> None:
    """Write a file and wait until the disk has it."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(path: Path) -> None:
    """Wait until the disk has a file's content, or a folder's list of names."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Rename the errors of a disk that cannot be written; all others pass through.

    Raises:
        DiskFullError: If there is no space left, or none for this user.
        SetupError: If writing is not allowed, or the disk is broken.
    """
    try:
        yield
    except OSError as error:
        if error.errno in NO_SPACE:
            raise _disk_full(path) from error
        place = error.filename or path
        message = f"{place} cannot be written ({error.strerror}); look after the output's disk"
        raise SetupError(message) from error
    except pl.exceptions.PolarsError as error:
        # polars writes through Rust and keeps the number only in the text of its message.
        if any(f"os error {number}" in str(error) for number in NO_SPACE):
            raise _disk_full(path) from error
        raise


def _disk_full(path: Path) -> DiskFullError:
    standing = next(place for place in (path, *path.parents) if place.exists())
    free = shutil.disk_usage(standing).free
    return DiskFullError(
        f"no space left on the disk at {path}, {free} bytes free; free space and run the same command again"
    )


def read_manifests(root: Path) -> tuple[Manifest, ...]:
    """Read the manifest of every run below an output folder, oldest first.

    Raises:
        SetupError: If one cannot be read as JSON.
    """
    manifests = [_manifest(path) for path in sorted((root / "runs").glob("*.json"))]
    return tuple(sorted(manifests, key=lambda item: (str(item["run_date"]), str(item["finished_at"]))))


def _manifest(path: Path) -> Manifest:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read as a manifest ({error}); restore it from a copy"
        raise SetupError(message) from error
    if not isinstance(document, dict) or not set(document) >= NEEDED:
        message = f"{path} is not the manifest of a run; restore it from a copy or take it away"
        raise SetupError(message)
    return document
