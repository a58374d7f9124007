"""Does a long run stay as fast and as small as it began? Rate, memory and time of one run, and of one of half the pages.

    python tests/benchmarks/scale.py [--pages 100000] [--workers 2]

The evaluation pages come again and again under other addresses (``tests/repeated_pages.py``), always in the same order, so that each
stretch as long as all of them has the same work in it. The rate is that of such stretches, told from when the parts of the output
were written: the first that begins after two chunks, and the last. Memory is looked at twice a second, of all processes, with pages that
several share counted once. Last, the same command is given once more: nothing is new, and how long it takes to say so is told too.
It needs some 45 KB of disk for each page.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT.parent / "shared" / "bench" / "extraction"
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from process_tree import Watched, watch  # noqa: E402
from repeated_pages import kept_pages, write_warcs  # noqa: E402

from ingest.config import RunOptions  # noqa: E402

DAY = "2026-01-08"
CHUNK = RunOptions().chunk_size
#: The first answers come when the workers are ready; and two chunks are read before the first is written.
CHUNKS_LEFT_OUT = 2
PER_FILE = 5000
FINE, NOTHING_NEW = 0, 5


def run(files: Sequence[Path], output: Path, workers: int, *, expected: int = FINE) -> Watched:
    """Take files down the road.

    Raises:
        SystemExit: With the end of what it said, if the command ends otherwise.
    """
    talk = output.with_suffix(".txt")
    command: list[str | Path] = [sys.executable, "-m", "ingest", "run", *files, "--workers", str(workers)]
    command += ["--to", "off", "--date", DAY, "--output", output]
    ended = watch(command, cwd=ROOT, environment={"PYTHONPATH": str(ROOT)}, talk=talk)
    if ended.code != expected:
        sys.exit(f"babelwire run ended with {ended.code}:\n{talk.read_text(errors='replace')[-2000:]}")
    return ended


def written_at(output: Path) -> list[float]:
    """Give when each chunk was written, in seconds of the clock; a chunk has a part of articles or only a refused one."""
    times: dict[str, float] = {}
    for part in output.glob("*/run_date=*/run=*/part-*.parquet"):
        times[part.name] = min(part.stat().st_mtime, times.get(part.name, float("inf")))
    return [time for _, time in sorted(times.items())]


def rates(times: Sequence[float], stretch: int) -> list[float]:
    """Give the pages per second of stretches of so many chunks, one behind the other; the last ends with the last whole chunk."""
    whole = times[CHUNKS_LEFT_OUT:-1]
    starts = list(range(0, len(whole) - stretch, stretch))
    if len(starts) < 2:
        sys.exit("too few pages: the first and the last of them have to be different ones")
    starts[-1] = len(whole) - 1 - stretch
    return [stretch * CHUNK / (whole[start + stretch] - whole[start]) for start in starts]


def main() -> None:
    """Print how a run went on, and the line that sums up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    pages = kept_pages(BENCH)
    if not pages:
        sys.exit(f"no evaluation pages in {BENCH}")
    stretch = round(len(pages) / CHUNK)
    half = arguments.pages // 2
    with tempfile.TemporaryDirectory(prefix="scale-") as name:
        folder = Path(name)
        (folder / "warcs").mkdir()
        # A file ends where the first half ends.
        per_file = -(-half // -(-half // PER_FILE))
        files = write_warcs(folder / "warcs", pages, number=2 * half, per_file=per_file)
        pages.clear()
        print(f"{2 * half} pages in {len(files)} files, {sum(file.stat().st_size for file in files) / 1e6:.0f} MB")
        smaller = run(files[: len(files) // 2], folder / "half", arguments.workers)
        print(f"{half} pages took {smaller.seconds:.0f} s and {smaller.peak:.0f} MB", flush=True)
        shutil.rmtree(folder / "half")
        larger = run(files, folder / "whole", arguments.workers)
        print(f"{2 * half} pages took {larger.seconds:.0f} s and {larger.peak:.0f} MB")
        speeds = rates(written_at(folder / "whole"), stretch)
        print("pages/s by stretch: " + " ".join(f"{speed:.1f}" for speed in speeds))
        print(f"memory along the way, MB (largest process in brackets): {memory_of(larger)}")
        print(
            f"CPU: {1000 * larger.cpu / (2 * half):.1f} ms a page, of it main {1000 * larger.own_cpu / (2 * half):.1f}"
        )
        again = run(files, folder / "whole", arguments.workers, expected=NOTHING_NEW)
        print(f"the same command again: nothing new, {again.seconds:.1f} s")
    print(
        f"scale: end_over_start={speeds[-1] / speeds[0]:.3f} peak_mb={larger.peak:.0f} "
        f"growth={larger.seconds / smaller.seconds:.3f} again_s={again.seconds:.1f}"
    )


def memory_of(watched: Watched, looks: int = 10) -> str:
    """Tell the memory at so many moments, evenly spread."""
    samples = watched.samples
    chosen = [samples[(len(samples) - 1) * look // (looks - 1)] for look in range(looks)]
    return " ".join(
        f"{sum(one.memory.values()):.0f} ({max(one.memory.values(), default=0):.0f})" for one in chosen[:-1]
    )


if __name__ == "__main__":
    main()
