"""A run that is being written: nothing of it can be seen before its commit, and what is recorded of it outlives a kill.

    .staging/run=ID/
      run.json                       what the run is, written first
      articles/part-00000.parquet    the parts, as they will be moved
      quarantine/part-00000.parquet
      chunks/00000.duplicates.parquet    what the steps across documents took in with this chunk
      chunks/00000.json              the record of the chunk, written last: with it, the chunk is done

A record lists its files with their checksums. A run that goes on takes up the records from the first on, as long as each
is there with all its files; what lies behind is written again.
"""

import hashlib
import io
import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Any, Literal

import polars as pl

from ingest.commit import STAGING, commit
from ingest.disk import disk_errors, make_folder, put_durably, sync, write_durably
from schemas.record import RunStamp

Table = Literal["articles", "quarantine"]

TABLES: tuple[Table, ...] = ("articles", "quarantine")

#: Files of one chunk: its parts, its record, and what steps took in with it.
_NUMBERED = re.compile(r"(?:part-)?([0-9]{5,})\.(?:[a-z]+\.)?(?:parquet|json)")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartFile:
    """One file of a run, as its manifest lists it."""

    #: Relative to the output folder, "/" between folders.
    path: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a run is, as it says itself when it begins."""

    run_id: str
    #: As YYYY-MM-DD.
    run_date: str
    #: When it began, in ISO 8601.
    started_at: str
    #: All that its name was made of.
    identity: dict[str, Any]


class Chunk:
    """The record of one chunk that was written."""

    def __init__(self, folder: Path, record: Mapping[str, Any]) -> None:
        """Use ``Staged.chunks``."""
        self._folder = folder
        self._record = record

    @property
    def account(self) -> dict[str, Any]:
        """Give the accounting up to and with this chunk."""
        return dict(self._record["account"])

    @property
    def files(self) -> list[PartFile]:
        """Give its parts."""
        return [PartFile(**file) for file in self._record["files"]]

    def memory(self, name: str) -> pl.DataFrame:
        """Give what a step took in with this chunk."""
        return pl.read_parquet(self._folder / self._record["memory"][name]["file"])


class Staged:
    """A run below the staging folder of an output."""

    def __init__(self, root: Path, stamp: RunStamp, metadata: Mapping[str, str], opening: Opening) -> None:
        """Use ``Store.begin``."""
        self.root = root
        self.stamp = stamp
        self.metadata = dict(sorted(metadata.items()))
        self.folder = root / STAGING / f"run={stamp.run_id}"
        self.files: list[PartFile] = []
        self.opening = opening
        self.chunks: list[Chunk] = []
        self._of_this_chunk: list[PartFile] = []
        self._staged_at: dict[PartFile, Path] = {}
        self._moves: list[tuple[Path, Path]] = []
        self._stale: list[Path] = []

    @property
    def _records(self) -> Path:
        return self.folder / "chunks"

    def begin(self) -> None:
        """Make the folder, or take up what is recorded there already."""
        with disk_errors(self.folder):
            earlier = opening_of(self.folder)
            if earlier is None:
                shutil.rmtree(self.folder, ignore_errors=True)
                make_folder(self.folder, below=self.root)
                put_durably(self.folder / "run.json", json.dumps(asdict(self.opening)).encode())
                return
            self.opening = earlier
            self.chunks = list(_recorded(self.folder))
            self._drop_what_follows(len(self.chunks))
        for chunk in self.chunks:
            for file in chunk.files:
                self.files.append(file)
                self._staged_at[file] = _place_of(file, self.folder)

    def _drop_what_follows(self, number: int) -> None:
        """Remove files of chunks without a record, which may be half written."""
        for file in (*self._records.glob("*"), *(file for table in TABLES for file in (self.folder / table).glob("*"))):
            found = _NUMBERED.fullmatch(file.name)
            if found is None or int(found[1]) >= number:
                file.unlink()

    def write(self, table: Table, number: int, frame: pl.DataFrame) -> None:
        """Write one part; a frame without rows leaves no file."""
        if frame.is_empty():
            return
        content = _as_parquet(frame, self.metadata)
        path = self.folder / table / f"part-{number:05}.parquet"
        with disk_errors(path):
            make_folder(path.parent, below=self.folder)
            write_durably(path, content)
        file = self._list(path, self._final(table) / path.name, content, rows=frame.height)
        self._of_this_chunk.append(file)

    def record(self, number: int, account: Mapping[str, Any], memory: Mapping[str, pl.DataFrame]) -> None:
        """Record that a chunk is written: from now on it outlives a kill and a power cut.

        Args:
            number: Of the chunk, from 0, without gaps.
            account: The accounting up to and with this chunk, as JSON can hold it.
            memory: Name of a step across documents -> what it took in with this chunk.
        """
        with disk_errors(self._records):
            make_folder(self._records, below=self.folder)
            kept = {}
            for name, frame in memory.items():
                content = _as_parquet(frame, {})
                file = f"{number:05}.{name}.parquet"
                write_durably(self._records / file, content)
                kept[name] = {"file": file, "sha256": hashlib.sha256(content).hexdigest()}
            for table in TABLES:
                if (self.folder / table).exists():
                    sync(self.folder / table)
            record = {"account": account, "files": [asdict(file) for file in self._of_this_chunk], "memory": kept}
            put_durably(self._records / f"{number:05}.json", json.dumps(record).encode())
        self._of_this_chunk = []

    def add_state(self, name: str, save: Callable[[Path], None]) -> None:
        """Let a step write what this run adds to its memory, to be committed with the run."""
        path = self.folder / "state" / f"{name}.parquet"
        final = self.root / "state" / name / f"run={self.stamp.run_id}.parquet"
        with disk_errors(path):
            path.parent.mkdir(exist_ok=True)
            save(path)
            if not path.exists():
                self._stale.append(final)
                return
            sync(path)
            sync(path.parent)
        self._moves.append((path, final))
        self._list(path, final, path.read_bytes(), rows=pl.read_parquet(path).height)

    def drop_state(self, name: str, files: Sequence[str]) -> None:
        """Let files that a step's memory needs no longer go away with the commit."""
        self._stale += [self.root / "state" / name / file for file in files]

    def _final(self, table: Table) -> Path:
        day = f"run_date={self.stamp.run_date.isoformat()}"
        return self.root / table / day / f"run={self.stamp.run_id}"

    def _list(self, path: Path, final: Path, content: bytes, *, rows: int) -> PartFile:
        file = PartFile(
            path=final.relative_to(self.root).as_posix(),
            rows=rows,
            bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )
        self.files.append(file)
        self._staged_at[file] = path
        return file

    def rows_on_disk(self, file: PartFile) -> int:
        """Count the rows of a written file as a reader would find them."""
        return int(pl.scan_parquet(self._staged_at[file]).select(pl.len()).collect().item())

    def commit(self, manifest: Mapping[str, object]) -> None:
        """Make the run part of the output, all of it at once; replaces a run of the same name."""
        manifest_file = self.folder / "manifest.json"
        text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        with disk_errors(self.folder):
            write_durably(manifest_file, text.encode())
            moves = [*self._moves]
            stale = [*self._stale]
            for table in reversed(TABLES):
                written = self.folder / table
                if written.exists():
                    sync(written)
                    moves.append((written, self._final(table)))
                else:
                    stale.append(self._final(table))
            moves.append((manifest_file, self.root / "runs" / f"{self.stamp.run_id}.json"))
            sync(self.folder)
            commit(self.root, moves, stale)

    def abandon(self) -> None:
        """Remove all of it: it must not be gone on with."""
        shutil.rmtree(self.folder, ignore_errors=True)


def opening_of(folder: Path) -> Opening | None:
    """Read what a staged run is; None where nothing is recorded of it."""
    if not (folder / "chunks" / "00000.json").exists():
        return None
    try:
        return Opening(**json.loads((folder / "run.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _recorded(folder: Path) -> Iterator[Chunk]:
    """Give the records that are sound with all their files, from the first up to a gap."""
    for number in count():
        place = folder / "chunks" / f"{number:05}.json"
        try:
            record = json.loads(place.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return
        chunk = Chunk(place.parent, record)
        files = {
            **{_place_of(file, folder): file.sha256 for file in chunk.files},
            **{place.parent / kept["file"]: kept["sha256"] for kept in record["memory"].values()},
        }
        if not all(_is(path, sha256) for path, sha256 in files.items()):
            return
        yield chunk


def _place_of(part: PartFile, folder: Path) -> Path:
    """Say where a part lies in the folder of its run until the commit moves it to its path."""
    return folder / part.path.partition("/")[0] / part.path.rpartition("/")[2]


def _is(path: Path, sha256: str) -> bool:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    except OSError:
        return False


def _as_parquet(frame: pl.DataFrame, metadata: dict[str, str]) -> bytes:
    # In memory first: a part is small, and so the bytes that are hashed are those written.
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", statistics=True, metadata=metadata)
    return buffer.getvalue()
