"""How long does it take to know whether a night was good, and how much memory?

    python tests/benchmarks/quality.py [--records 1000000] [--keep FOLDER]

One night of 60 sources in twelve languages is written first (``tests/many_records.py``, some 3 GB for a million records, in parts
of 200 as runs write them), and is checked and reported by the commands, each a process of its own that is looked at from outside.
Memory is that of all its processes together, at its peak. Where the command ``report`` is not there, its numbers are nan.
"""

import argparse
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

import typer

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from many_records import RUN_ID, write_night  # noqa: E402
from process_tree import Watched, watch  # noqa: E402

from ingest.cli import app  # noqa: E402

MEBIBYTE = 2**20


def timed(command: str, folder: Path, talk: Path) -> Watched:
    """Run a command over the folder; what it prints goes to a file.

    Raises:
        SystemExit: If it ends with an error; a failed gate (3) is none.
    """
    ended = watch(
        [sys.executable, "-m", "ingest", command, folder],
        cwd=folder,
        environment={"PYTHONPATH": str(ROOT)},
        every=0.2,
        talk=talk,
    )
    if ended.code not in {0, 3}:
        sys.exit(f"babelwire {command} ended with {ended.code}:\n{talk.read_text('utf-8', 'replace')[-2000:]}")
    print(f"{command:8} {ended.seconds:8.1f} s {ended.cpu:8.1f} CPU s {ended.peak:8.0f} MiB", flush=True)
    return ended


def main() -> None:
    """Write a night, check it, report it."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    arguments.add_argument("--records", type=int, default=1_000_000)
    arguments.add_argument("--keep", type=Path, help="write the night here, and use it again if it is there")
    given = arguments.parse_args()
    with nullcontext(given.keep) if given.keep else tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not (folder / "runs" / f"{RUN_ID}.json").exists():
            write_night(folder, given.records)
        said = folder / "check.txt"
        check = timed("check", folder, said)
        print(said.read_text("utf-8"))
        seconds = megabytes = float("nan")
        if "report" in getattr(typer.main.get_command(app), "commands", {}):
            seconds = timed("report", folder, folder / "report.txt").seconds
            megabytes = (folder / "report.html").stat().st_size / MEBIBYTE
    print(
        f"quality: check_s={check.seconds:.1f} check_mb={check.peak:.0f} "
        f"report_s={seconds:.1f} report_page_mb={megabytes:.2f}"
    )


if __name__ == "__main__":
    main()
