"""Runs that are killed on the way, and gone on with: what `babelwire run` must bring to the same end.

Each way of dying is a function that starts the command, lets it die once at a random moment, and says whether it did
(False: it had ended by itself). ``until_done`` goes on until a run is whole.
"""

import json
import os
import random
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import polars as pl
from process_tree import children_of_all

ROOT = Path(__file__).parent.parent

#: Put into every process of a run: notes what reached the disk, as fsync was told.
NOTE_SYNCS = """
import os
from kills import note_sync
real = os.fsync

def fsync(handle):
    real(handle)
    note_sync({log!r}, handle)

os.fsync = fsync
"""


def note_sync(log: str | Path, handle: int) -> None:
    """Note a file, or a folder with the names in it, by the numbers of their inodes."""
    what = os.fstat(handle)
    names = {entry.name: entry.inode() for entry in os.scandir(handle)} if stat.S_ISDIR(what.st_mode) else None
    with open(log, "a") as file:  # noqa: PTH123  (in the sitecustomize of a process that has hardly begun)
        file.write(json.dumps([what.st_ino, names]) + "\n")


@dataclass(frozen=True, kw_only=True)
class Night:
    """One command over some inputs into one output folder."""

    #: Where it is started; inputs are named from here.
    folder: Path
    inputs: Sequence[str]
    output: str
    chunk_size: int = 5
    workers: int = 2
    more: Sequence[str] = ("--to", "off")

    def start(self) -> "subprocess.Popen[bytes]":
        """Start it, in a process group of its own."""
        command = ["run", *self.inputs, "--output", self.output, "--date", "2026-01-08", "--workers", str(self.workers)]
        with (self.folder / f"{self.output}.txt").open("ab") as talk:
            return subprocess.Popen(
                [sys.executable, "-m", "ingest", *command, *self.more],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=talk,
                stderr=talk,
                start_new_session=True,
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join((str(self.folder), str(ROOT), str(ROOT / "tests"))),
                    "BABELWIRE_RUN_CHUNK_SIZE": str(self.chunk_size),
                },
            )

    def finish(self) -> None:
        """Run it to its end."""
        code = self.start().wait()
        if code:
            message = f"the run ended with {code}: {self.talk()}"
            raise AssertionError(message)

    def talk(self) -> str:
        """Give all that it has said, over all its starts."""
        return (self.folder / f"{self.output}.txt").read_text(errors="replace")

    def digests(self) -> dict[str, str]:
        """Give every Parquet file that can be seen, and the checksum of its bytes."""
        root = self.folder / self.output
        return {
            path.relative_to(root).as_posix(): sha256(path.read_bytes()).hexdigest()
            for path in sorted(root.rglob("*.parquet"))
            if ".staging" not in path.parts
        }

    def chunks(self) -> int:
        """Count the chunks that are recorded of a run that is not finished."""
        return len(list((self.folder / self.output).glob(".staging/run=*/chunks/*.json")))

    def record_ids(self) -> list[str]:
        """Give the records that can be seen."""
        files = sorted((self.folder / self.output).glob("articles/**/*.parquet"))
        return pl.read_parquet(files)["record_id"].to_list() if files else []


Death = Callable[[Night, random.Random], bool]


def chances(seed: int) -> random.Random:
    """Give what chooses the moments."""
    return random.Random(seed)  # noqa: S311  no secret


def of_all(night: Night, chance: random.Random) -> bool:
    """Kill the command and its workers, all at once, at any moment up to some chunks after its start."""
    with night.start() as process:
        is_dead = _kill(process, process.pid, chance, at_once=chance.random() < 0.2)
        process.wait()
    return is_dead


def of_power(night: Night, chance: random.Random) -> bool:
    """Kill all of it and take from the output what never reached the disk: names, files, or what is in them."""
    root, log = night.folder / night.output, night.folder / "synced.txt"
    log.write_text("")
    # What is there now has reached the disk: it is what the last cut left.
    for place in (root, *root.rglob("*")) if root.exists() else ():
        handle = os.open(place, os.O_RDONLY)
        note_sync(log, handle)
        os.close(handle)
    (night.folder / "sitecustomize.py").write_text(NOTE_SYNCS.format(log=str(log)))
    is_dead = of_all(night, chance)
    (night.folder / "sitecustomize.py").unlink()
    if is_dead:
        take_what_was_not_synced(root, log, chance)
    return is_dead


def take_what_was_not_synced(root: Path, log: Path, chance: random.Random) -> int:
    """Leave of a folder what a power cut may leave at worst; gives how much was taken.

    Args:
        root: The folder; its own name is safe.
        log: What ``note_sync`` noted.
        chance: How much stays of what is in a file.
    """
    names: dict[int, dict[str, int]] = {}
    files: set[int] = set()
    for line in log.read_text().splitlines():
        number, listed = json.loads(line)
        if listed is None:
            files.add(number)
        else:
            names[number] = listed
    homes = {
        number: (folder, name) for folder, listed in names.items() for name, number in listed.items() if name != ".lock"
    }
    taken = 0
    # From the top: what is in a folder that has no name is gone with it.
    waiting = [root] if root.exists() else []
    while waiting:
        place = waiting.pop()
        safe = names.get(place.stat().st_ino, {})
        for entry in sorted(place.iterdir()):
            number = entry.stat().st_ino
            if entry.name == ".lock":
                continue
            if safe.get(entry.name) != number:
                taken += 1
                _take(entry, root, homes)
            elif entry.is_dir():
                waiting.append(entry)
            elif number not in files:
                # The name is on the disk, what is in it is not: nothing, or something cut off.
                taken += 1
                entry.write_bytes(entry.read_bytes()[: chance.randrange(entry.stat().st_size + 1) // 2])
    return taken


def _take(entry: Path, root: Path, homes: dict[int, tuple[int, str]]) -> None:
    """Take an entry whose name was not synced: back to where it was renamed from, if that was, or away."""
    folders = {path.stat().st_ino: path for path in (root, *root.rglob("*")) if path.is_dir()}
    folder, name = homes.get(entry.stat().st_ino, (0, ""))
    if folder in folders and not (folders[folder] / name).exists():
        entry.rename(folders[folder] / name)
    elif entry.is_dir():
        for inside in sorted(entry.iterdir()):
            _take(inside, root, homes)
        entry.rmdir()
    else:
        entry.unlink()


def _kill(process: "subprocess.Popen[bytes]", group: int, chance: random.Random, *, at_once: bool) -> bool:
    """Kill a process group once it has begun to write chunks, or at once; False if it ended before."""
    before = time.monotonic()
    wait = chance.uniform(0, 1.5) if at_once else chance.uniform(1.0, 6.0)
    while time.monotonic() - before < wait:
        if process.poll() is not None:
            return False
        time.sleep(0.002)
    os.killpg(group, signal.SIGKILL)
    return True


def workers_of(process: "subprocess.Popen[bytes]") -> list[int]:
    """Give the worker processes of a run: children of its fork server, which has them all."""
    children = children_of_all()
    return [
        child
        for server in children[process.pid]
        for child in children[server]
        if b"forkserver" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


def until_done(night: Night, death: Death, chance: random.Random, *, most: int) -> int:
    """Let a run die again and again, at most so many times, then let it end; gives how often it died."""
    deaths = 0
    while deaths < most:
        if not death(night, chance):
            return deaths
        deaths += 1
    night.finish()
    return deaths


def workers_killed(night: Night, chance: random.Random, *, most: int) -> int:
    """Run to the end while workers are killed one by one; gives how many were."""
    killed = 0
    with night.start() as process:
        while process.poll() is None and killed < most:
            time.sleep(chance.uniform(0.5, 3.0))
            try:
                workers = workers_of(process)
                if workers:
                    os.kill(chance.choice(workers), signal.SIGKILL)
                    killed += 1
            except OSError:  # it went by itself
                continue
        code = process.wait()
    if code:
        message = f"the run ended with {code}: {night.talk()}"
        raise AssertionError(message)
    return killed
