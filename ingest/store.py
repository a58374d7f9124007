"""The output folder: lock, ledger, manifests, and the run that is being written.

    articles/run_date=D/run=ID/part-00000.parquet     moved here whole, at the commit
    quarantine/run_date=D/run=ID/part-00000.parquet
    state/NAME/run=ID.parquet
    runs/ID.json                                       the manifest: moved last, it makes the run
    .staging/                                          the run that is being written, see ``ingest.staged``
    .lock                                              held by the process that may write

Only this module, ``ingest.staged`` and ``ingest.commit`` write below it.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ingest import commit
from ingest.disk import disk_errors
from ingest.staged import TABLES, Opening, Staged, opening_of
from schemas.errors import BusyError, SetupError
from schemas.record import RunStamp

Manifest = dict[str, Any]
"""A manifest as JSON reads it; ``ingest.run`` writes its keys."""

#: The folders of an output that are ours alone.
OUTPUT_FOLDERS = (*TABLES, "runs", "state", commit.STAGING)

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
        """Remove what nobody can go on with and let others have the folder."""
        # A commit under way is left alone: its journal says how to finish it.
        if not commit.has_begun(self.root):
            self._tidy()
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
        return self.root / commit.STAGING

    @property
    def state(self) -> Path:
        """The folder of what runs remember."""
        return self.root / "state"

    def _settle(self) -> None:
        """Finish a commit that was cut short, and remove what never came to be."""
        commit.finish(self.root)
        self._tidy()

    def _tidy(self) -> None:
        """Keep of the staging folder only a run that something is recorded of."""
        if not self.staging.exists():
            return
        for place in self.staging.iterdir():
            if opening_of(place) is None:
                shutil.rmtree(place) if place.is_dir() else place.unlink()
        if not any(self.staging.iterdir()):
            self.staging.rmdir()

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

    def unfinished(self) -> Opening | None:
        """Give the run that was not finished, if something is recorded of it: ``begin`` can go on with it."""
        openings = map(opening_of, sorted(self.staging.glob("run=*")))
        return next((opening for opening in openings if opening), None)

    def begin(self, stamp: RunStamp, metadata: Mapping[str, str], opening: Opening, *, anew: bool = False) -> Staged:
        """Start a run, or go on with it if it was not finished. Other runs that were not are given up.

        Args:
            stamp: Names the run.
            metadata: Goes into every Parquet file as key and value.
            opening: What the run says of itself.
            anew: Start it even if it could be gone on with.
        """
        staged = Staged(self.root, stamp, metadata, opening)
        with disk_errors(self.staging):
            for folder in self.staging.glob("run=*"):
                if anew or folder != staged.folder:
                    shutil.rmtree(folder)
        staged.begin()
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
