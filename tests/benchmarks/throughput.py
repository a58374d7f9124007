"""Pages per second of a whole run with two workers, beside two single-process runs and beside datatrove.

    python tests/benchmarks/throughput.py [--pages 4436] [--turns 2] [--peers PYTHON]

The evaluation pages lie in two WARC files, each with all of them, the second time under other addresses (``tests/repeated_pages.py``).
All work through both files: `babelwire run` with two workers; two runs of babelwire without workers (``tests/run_alone.py``), a file
each, side by side; datatrove's reader, trafilatura and writer of Parquet or JSONL, with its defaults, a file for each of its two
workers. They take turns, in the other order every other time, so that a change in the machine's speed meets all. Time is
wall-clock time from the start of the commands to the end of the last. Nothing is translated. CPU is that of all processes, and of it
that of the process that reads and writes.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT.parent / "shared" / "bench" / "extraction"
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from process_tree import Watched, watch  # noqa: E402
from repeated_pages import kept_pages, write_warcs  # noqa: E402

HALVES = 2
DAY = "2026-01-08"


@dataclass(slots=True)
class Contender:
    """One way to work through the files, and what it took so far."""

    name: str
    #: Takes an output folder and gives the commands to run side by side.
    commands: Callable[[Path], list[list[str | Path]]]
    seconds: float = 0.0
    cpu: float = 0.0
    own_cpu: float = 0.0
    peak: float = 0.0
    turns: list[float] = field(default_factory=list)

    def turn(self, folder: Path) -> None:
        """Work through all files once.

        Raises:
            SystemExit: With the end of what it said, if a command fails.
        """
        with tempfile.TemporaryDirectory(dir=folder) as place:
            commands = self.commands(Path(place))
            with ThreadPoolExecutor(len(commands)) as threads:
                ended = list(threads.map(lambda one: _watched(one[1], Path(place), one[0]), enumerate(commands)))
        self.turns.append(max(one.seconds for one in ended))
        self.seconds += self.turns[-1]
        self.cpu += sum(one.cpu for one in ended)
        self.own_cpu += sum(one.own_cpu for one in ended)
        self.peak = max(self.peak, sum(one.peak for one in ended))


def _watched(command: Sequence[str | Path], place: Path, number: int) -> Watched:
    talk = place / f"talk-{number}.txt"
    ended = watch(command, cwd=ROOT, environment={"PYTHONPATH": str(ROOT)}, talk=talk)
    if ended.code:
        sys.exit(f"{' '.join(map(str, command))} ended with {ended.code}:\n{talk.read_text(errors='replace')[-2000:]}")
    return ended


def contenders(files: Sequence[Path], peers: str | None) -> list[Contender]:
    """Give all that take part; without a Python for datatrove, the first two."""
    common: list[str | Path] = ["--to", "off", "--date", DAY, "--output"]
    run: list[str | Path] = [sys.executable, "-m", "ingest", "run", *files, "--workers", str(HALVES)]
    alone: list[str | Path] = [sys.executable, "tests/run_alone.py"]
    ways = [
        Contender("two workers", lambda place: [[*run, *common, place / "out"]]),
        Contender("two processes", lambda place: [[*alone, file, *common, place / file.stem] for file in files]),
    ]
    if peers is None:
        return ways

    def datatrove(writer: str) -> Callable[[Path], list[list[str | Path]]]:
        count = str(HALVES)
        script: list[str | Path] = [peers, "tests/run_datatrove.py", files[0].parent]
        return lambda place: [[*script, place, "--files", count, "--workers", count, "--writer", writer]]

    return [*ways, *(Contender(f"datatrove {writer}", datatrove(writer)) for writer in ("parquet", "jsonl"))]


def with_datatrove(python: str) -> str | None:
    """Give a Python that has all of datatrove that is wanted here; None, and say how to get it, where it has not."""
    needed = "datatrove.pipeline.readers, warcio, cchardet, magic, orjson, pyarrow, trafilatura"
    code = f"import {needed}; from importlib.metadata import version as v; print(v('datatrove'), v('trafilatura'))"
    answer = subprocess.run([python, "-c", code], check=False, capture_output=True, text=True)
    if answer.returncode == 0:
        datatrove, trafilatura = answer.stdout.split()
        print(f"datatrove {datatrove} with trafilatura {trafilatura}")
        return python
    print(f"datatrove is left out ({answer.stderr.strip().splitlines()[-1]}); to install it, here or elsewhere:")
    print(f"    {python} -m pip install --editable '.[bench]'    or, with --peers PYTHON for another Python:")
    print("    PYTHON -m pip install 'datatrove[io]>=0.10' 'trafilatura>=2.3' lxml_html_clean")
    return None


def main() -> None:
    """Print a row for each contender and the line that sums up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, help="all evaluation pages twice if nothing is said")
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--peers", default=sys.executable, metavar="PYTHON", help="the Python that has datatrove")
    arguments = parser.parse_args()
    pages = kept_pages(BENCH)
    if not pages:
        sys.exit(f"no evaluation pages in {BENCH}")
    number = arguments.pages or HALVES * len(pages)
    with tempfile.TemporaryDirectory(prefix="throughput-") as name:
        folder = Path(name)
        (folder / "warcs").mkdir()
        files = write_warcs(folder / "warcs", pages, number=number, per_file=-(-number // HALVES))
        pages.clear()
        ways = contenders(files, with_datatrove(arguments.peers))
        for turn in range(arguments.turns):
            for way in reversed(ways) if turn % 2 else ways:
                way.turn(folder)
    ours, alone = ways[:2]
    print(f"{'':18} {'pages/s':>8} {'seconds, by turn':>20} {'ms CPU/page':>12} {'of it main':>11} {'peak MB':>8}")
    for way in ways:
        done = arguments.turns * number
        by_turn = " ".join(f"{seconds:.1f}" for seconds in way.turns)
        print(
            f"{way.name:18} {done / way.seconds:8.1f} {by_turn:>20} "
            f"{1000 * way.cpu / done:12.1f} {1000 * way.own_cpu / done:11.1f} {way.peak:8.0f}"
        )
    beside = [way.seconds for way in ways[2:]]
    against = f"{min(beside) / ours.seconds:.2f}" if beside else "not_measured"
    print(f"throughput: scaling={alone.seconds / ours.seconds:.3f} vs_datatrove={against} pages={number}")


if __name__ == "__main__":
    main()
