"""What a command and all processes below it use, looked at from outside while they run (Linux)."""

import os
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One look."""

    #: Seconds since the command was started.
    at: float
    #: Process -> memory in MiB, pages shared by several divided among them, so that the sum is what the machine lacks.
    memory: Mapping[int, float]


@dataclass(slots=True, kw_only=True)
class Watched:
    """A command that has ended."""

    code: int = 0
    #: Wall-clock time from start to end.
    seconds: float = 0.0
    #: CPU seconds of the process itself and of all processes, as last seen; a process that ends between two looks
    #: may be half a second short.
    own_cpu: float = 0.0
    cpu: float = 0.0
    samples: list[Sample] = field(default_factory=list)

    @property
    def peak(self) -> float:
        """Most memory of all processes together, in MiB."""
        return max((sum(sample.memory.values()) for sample in self.samples), default=0.0)


def watch(
    command: Sequence[str | Path], *, cwd: Path, environment: Mapping[str, str], every: float = 0.5, talk: Path
) -> Watched:
    """Run a command to its end and look at it now and then; what it says goes to a file."""
    watched = Watched()
    cpu: dict[int, float] = {}
    began = time.monotonic()
    with (
        talk.open("wb") as out,
        subprocess.Popen(
            list(map(str, command)), cwd=cwd, env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
            stdout=out, stderr=subprocess.STDOUT,
        ) as process,
    ):  # fmt: skip
        ended = threading.Event()

        def look() -> None:
            while not ended.is_set():
                pids = tree(process.pid)
                cpu.update({pid: used for pid in pids if (used := cpu_seconds(pid)) is not None})
                memory = {pid: size for pid in pids if (size := mebibytes(pid)) is not None}
                watched.samples.append(Sample(at=time.monotonic() - began, memory=memory))
                ended.wait(every)

        looking = threading.Thread(target=look)
        looking.start()
        try:
            watched.code = process.wait()
        finally:
            watched.seconds = time.monotonic() - began
            ended.set()
            looking.join()
    watched.own_cpu = cpu.get(process.pid, 0.0)
    watched.cpu = sum(cpu.values())
    return watched


def children_of_all() -> dict[int, list[int]]:
    """Give the processes of this machine that are alive, by their parents."""
    children: dict[int, list[int]] = defaultdict(list)
    for place in Path("/proc").iterdir():
        if place.name.isdigit() and (fields := _stat(int(place.name))):
            children[int(fields[1])].append(int(place.name))
    return children


def tree(root: int) -> list[int]:
    """Give a process and all below it that are alive."""
    children = children_of_all()
    found = [root]
    for pid in found:
        found += children[pid]
    return found


def cpu_seconds(pid: int) -> float | None:
    """Give the CPU time of a process in seconds; None where it has ended."""
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS if fields else None


def mebibytes(pid: int) -> float | None:
    """Give the proportional memory of a process in MiB; None where it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return None
    sizes = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines[1:])}
    return sizes["Pss"] / 1024


def _stat(pid: int) -> list[str]:
    """Read the fields of a process from its state on; the name before them may hold anything."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []
