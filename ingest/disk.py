"""Writing that survives a power cut, and what to say of a disk that fails."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from schemas.errors import BusyError, SetupError

# Disk full, and quota of this user full. Nothing a program can do but say so.
NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


class DiskFullError(BusyError):
    """The disk of the output folder is full; the same command works once there is room."""


def write_durably(path: Path, content: bytes) -> None:
    """Write a file and wait until the disk has it. Its name is safe once its folder is synced."""
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def put_durably(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, and wait until the disk has it and its name."""
    draft = path.with_name(path.name + ".draft")
    write_durably(draft, content)
    draft.replace(path)
    sync(path.parent)


def make_folder(path: Path, *, below: Path) -> None:
    """Make a folder and those above it down from ``below``, and wait until the disk has their names."""
    if path.exists():
        return
    path.mkdir(parents=True)
    for folder in (path, *path.parents):
        sync(folder)
        if folder == below:
            break


def sync(path: Path) -> None:
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
            raise disk_full(path) from error
        place = error.filename or path
        message = f"{place} cannot be written ({error.strerror}); look after the output's disk"
        raise SetupError(message) from error
    except pl.exceptions.PolarsError as error:
        # polars writes through Rust and keeps the number only in the text of its message.
        if any(f"os error {number}" in str(error) for number in NO_SPACE):
            raise disk_full(path) from error
        raise


def disk_full(path: Path) -> DiskFullError:
    """Say that there is no space left at a path, and how much is free."""
    standing = next(place for place in (path, *path.parents) if place.exists())
    free = shutil.disk_usage(standing).free
    return DiskFullError(
        f"no space left on the disk at {path}, {free} bytes free; free space and run the same command again"
    )
