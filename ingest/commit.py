"""Making a finished run part of the output: all of it at once, whenever the power is cut.

A journal is written that lists every move, then the moves are done, then the journal goes away. A crash before the journal
changes nothing of the output; a crash after it leaves a journal that ``finish`` carries out. Each move is one rename, so a
reader of ``articles/**/*.parquet`` sees all of a run or none of it.
"""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict

from ingest.disk import make_folder, put_durably, sync

#: The folder for what is not yet part of the output, and in it the list of moves of a commit that has begun.
STAGING = ".staging"
JOURNAL = "commit.json"


class Journal(TypedDict):
    """What a commit is to do; places are relative to the output folder."""

    #: Origin and goal of each rename, in order.
    move: list[tuple[str, str]]
    #: Folders and files that have no successor.
    remove: list[str]


def commit(root: Path, moves: Iterable[tuple[Path, Path]], stale: Iterable[Path]) -> None:
    """Move staged files and folders to their places.

    Args:
        root: The output folder.
        moves: Origin below the staging folder, on disk already, and goal, in the order of the moves.
        stale: What goes away without a successor, if it is there.
    """
    journal: Journal = {
        "move": [(_inside(root, origin), _inside(root, goal)) for origin, goal in moves],
        "remove": [_inside(root, place) for place in stale if place.exists()],
    }
    put_durably(root / STAGING / JOURNAL, json.dumps(journal, indent=2).encode())
    _carry_out(root, journal)


def has_begun(root: Path) -> bool:
    """Say whether a commit was cut short below this output folder."""
    return (root / STAGING / JOURNAL).exists()


def finish(root: Path) -> None:
    """Finish a commit that was cut short, if there is one."""
    if has_begun(root):
        _carry_out(root, json.loads((root / STAGING / JOURNAL).read_text(encoding="utf-8")))


def _inside(root: Path, place: Path) -> str:
    return place.relative_to(root).as_posix()


def _carry_out(root: Path, journal: Journal) -> None:
    """Do the moves of a journal that are not done yet, and end it.

    May be cut short at any point and called again: a move whose origin is gone is done.
    """
    staging = root / STAGING
    replaced = staging / "replaced"
    for place in journal["remove"]:
        _set_aside(root / place, replaced)
    for origin, goal in journal["move"]:
        move(root, root / origin, root / goal, replaced)
    # What was known of the run while it was written goes before the journal: without one it would look unfinished.
    for left in staging.iterdir():
        if left.is_dir():
            shutil.rmtree(left)
    sync(staging)
    (staging / JOURNAL).unlink()
    sync(staging)


def move(root: Path, origin: Path, goal: Path, replaced: Path) -> None:
    """Rename a file or folder so that it survives a power cut; what lay there is set aside."""
    if not origin.exists():
        return
    # The place first: a name in a folder that a power cut takes is gone with it.
    make_folder(goal.parent, below=root)
    if goal.is_dir():
        _set_aside(goal, replaced)
    origin.replace(goal)
    sync(goal.parent)
    sync(origin.parent)


def _set_aside(place: Path, replaced: Path) -> None:
    """Take away the folder of a run that is replaced, in one rename."""
    if place.exists():
        replaced.mkdir(exist_ok=True)
        place.rename(replaced / str(len(list(replaced.iterdir()))))
