"""The translation memory: what a model once made of a sentence, kept on disk for later nights.

One SQLite file. Each batch is one transaction, so a killed run loses at most the batch it was at, and two runs may use
the file at once. A row says which run and chunk added it: a run that goes on after a kill must cut its batches as before,
because a model's rounding, and so now and then a word, depends on what else is in the batch.
"""

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from schemas.errors import BabelwireError, BusyError, SetupError

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS translations (
    key BLOB PRIMARY KEY,    -- of model, decoding and sentence; see key_of
    text TEXT NOT NULL,
    log_probability REAL NOT NULL,    -- sum over the tokens
    tokens INTEGER NOT NULL,
    run_id TEXT NOT NULL,    -- who added it
    chunk INTEGER NOT NULL,
    used_on INTEGER NOT NULL    -- day of the last run that used it, as date.toordinal gives it
) WITHOUT ROWID
"""

#: How long to wait for another run that writes, in seconds.
_PATIENCE: Final = 120

#: Endings of the files that SQLite keeps beside its own.
_BESIDE: Final = ("-wal", "-shm")

#: SQLite writes at least so much when it opens a file in WAL mode, in bytes.
_LEAST_ROOM: Final = 2**17

#: SQLite takes 999 or more variables in one statement.
_AT_ONCE: Final = 900


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a model made of a sentence."""

    text: str
    #: Sum of the natural logarithms of its tokens' probabilities.
    log_probability: float
    #: How many tokens it has, the end included.
    tokens: int
    #: The run and the chunk of it that paid for it.
    run_id: str
    chunk: int


def key_of(model_sha256: str, decoding: str, sentence: str) -> bytes:
    """Name a sentence under one model and one way of decoding: 16 bytes."""
    whole = f"{model_sha256}\0{decoding}\0{sentence}"
    return blake2b(whole.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class TranslationMemory:
    """One memory file, open for one run."""

    def __init__(self, connection: sqlite3.Connection, path: Path, day: date) -> None:
        """Use ``TranslationMemory.open``."""
        self._connection = connection
        self._path = path
        self._day = day.toordinal()

    @classmethod
    def open(cls, path: Path, day: date) -> Self:
        """Open the memory, new if there is none. A file that is damaged is set aside: it only saves time.

        Args:
            path: Its file; others with the same name and an ending may lie beside it.
            day: The day the run stands for: what is used is marked with it.

        Raises:
            SetupError: If it cannot be written.
            BusyError: If the disk is full.
        """
        is_new = not path.exists()
        try:
            with _disk_errors(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                return cls(_connected(path), path, day)
        except OSError as error:
            message = f"{path} cannot be written ({error.strerror}); look after the output's disk"
            raise SetupError(message) from error
        except BabelwireError:
            if is_new:
                _remove(path)
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        """Hold it for a ``with`` block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it, whatever happened."""
        self.close()

    def recall(self, keys: Sequence[bytes]) -> dict[bytes, Remembered]:
        """Give what is known of these sentences, and mark it as used today."""
        found: dict[bytes, Remembered] = {}
        with _disk_errors(self._path):
            for start in range(0, len(keys), _AT_ONCE):
                some = keys[start : start + _AT_ONCE]
                marks = ",".join("?" * len(some))
                question = (
                    f"SELECT key, text, log_probability, tokens, run_id, chunk FROM translations WHERE key IN ({marks})"  # noqa: S608  marks only
                )
                found |= {row[0]: Remembered(*row[1:]) for row in self._connection.execute(question, some)}
            with self._connection:
                self._connection.executemany(
                    "UPDATE translations SET used_on = ? WHERE key = ? AND used_on < ?",
                    [(self._day, key, self._day) for key in found],
                )
        return found

    def add(self, entries: Sequence[tuple[bytes, Remembered]]) -> None:
        """Keep what a batch gave, all of it or nothing. What is known already stays as it is."""
        with _disk_errors(self._path), self._connection:
            self._connection.executemany(
                "INSERT OR IGNORE INTO translations VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (key, item.text, item.log_probability, item.tokens, item.run_id, item.chunk, self._day)
                    for key, item in entries
                ],
            )

    def size(self) -> int:
        """Give the bytes that its entries take on disk."""
        pages, free, page = (
            self._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        return int(pages - free) * int(page)

    def prune(self, most_bytes: int) -> int:
        """Forget what was not used for the longest time, until the rest fits; gives how many entries went."""
        gone = 0
        with _disk_errors(self._path):
            while (size := self.size()) > most_bytes:
                (count,) = self._connection.execute("SELECT count(*) FROM translations").fetchone()
                if not count:
                    break
                # As many as the size suggests, and at least one, so that it ends.
                surplus = max(1, min(count, round(count * (1 - most_bytes / size))))
                with self._connection:
                    self._connection.execute(
                        "DELETE FROM translations WHERE key IN "
                        "(SELECT key FROM translations ORDER BY used_on, key LIMIT ?)",
                        (surplus,),
                    )
                gone += surplus
            if gone:
                # As a script: `execute` stops after the first page it frees.
                self._connection.executescript("PRAGMA incremental_vacuum")
        return gone


def _connected(path: Path) -> sqlite3.Connection:
    """Open the file; one that is no database is set aside first."""
    try:
        return _connect(path)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        for ending in _BESIDE:
            path.with_name(path.name + ending).unlink(missing_ok=True)
        path.replace(path.with_name(f"{path.name}.damaged"))
        return _connect(path)


def _remove(path: Path) -> None:
    """Take away a memory that never came to be, and its folder if nothing else is in it."""
    with suppress(OSError):
        for ending in ("", *_BESIDE):
            path.with_name(path.name + ending).unlink(missing_ok=True)
        path.parent.rmdir()


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_PATIENCE)
    try:
        # Must come before the first table, and lets `prune` give space back without a rewrite of the file.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        # In WAL mode this survives a crash of the process; a power cut may take the last batches, never the file.
        connection.execute("PRAGMA synchronous = NORMAL")
        with connection:
            connection.execute(_SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    """Rename what SQLite says of a disk or a file that fails.

    Raises:
        BusyError: If the disk is full or another run holds the memory for minutes.
        SetupError: If it cannot be read or written.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            message = f"translation memory {path} is held by another run; run again when it has ended"
            raise BusyError(message) from error
        # Where there is no room for its first pages, SQLite speaks of an error of the disk.
        if error.sqlite_errorcode == sqlite3.SQLITE_FULL or _is_full(path):
            message = f"translation memory {path}: no space left on the disk; run again when there is room"
            raise BusyError(message) from error
        message = f"translation memory {path} cannot be used ({error}); look after the output's disk"
        raise SetupError(message) from error
    except sqlite3.DatabaseError as error:
        message = f"translation memory {path} is damaged ({error}); remove it and run again: nothing but time is lost"
        raise SetupError(message) from error


def _is_full(path: Path) -> bool:
    with suppress(OSError):
        return shutil.disk_usage(path.parent).free < _LEAST_ROOM
    return False
