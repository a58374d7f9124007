"""`babelwire run` as cron starts it: a process of its own, with the real steps, looked at from outside."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A command that has ended, and what it left behind."""

    code: int
    #: What it printed: results, and talk beside them.
    said: str
    talk: str
    output: Path
    #: The largest process of the command, in MiB of memory.
    peak: int
    seconds: float

    def rows(self, table: str) -> list[dict[str, Any]]:
        files = sorted(self.output.glob(f"{table}/**/*.parquet"))
        return pl.read_parquet(files).to_dicts() if files else []

    def of(self, name: str) -> list[dict[str, Any]]:
        """Everything that became of one input file, records first."""
        found = self.rows("articles") + self.rows("quarantine")
        return [row for row in found if row["source_uri"].rpartition("/")[2] == name]

    def manifest(self) -> dict[str, Any]:
        (path,) = (self.output / "runs").glob("*.json")
        manifest: dict[str, Any] = json.loads(path.read_text())
        return manifest


def babelwire(*arguments: str | Path, folder: Path, environment: dict[str, str] | None = None) -> Ended:
    """Run a command in a folder and wait for it."""
    talk, said = folder / "talk.txt", folder / "said.txt"
    began = time.monotonic()
    with talk.open("wb") as file, said.open("wb") as results:
        process = subprocess.Popen(
            [sys.executable, "-m", "ingest", *map(str, arguments)],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=results,
            stderr=file,
            env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
        )
        # wait4 and not wait: it tells the memory of the process and of the workers it had.
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return Ended(
        code=process.returncode,
        said=said.read_text(errors="replace"),
        talk=talk.read_text(errors="replace"),
        output=folder / "out",
        peak=used.ru_maxrss // 1024,
        seconds=time.monotonic() - began,
    )


def run_folder(name: str, *more: str | Path, folder: Path, environment: dict[str, str] | None = None) -> Ended:
    """Run everything in a folder on a fixed day, with two workers."""
    arguments = ("run", name, "--output", "out", "--date", "2026-01-08", "--workers", "2", *more)
    return babelwire(*arguments, folder=folder, environment=environment)


def assert_closed(ended: Ended) -> None:
    """The accounts of a run hold: what came in is what came out, in the manifest and in the files."""
    assert (ended.code, "Traceback" in ended.talk) == (0, False), ended.talk
    manifest = ended.manifest()
    counts = manifest["counts"]
    assert counts["in"] == counts["records"] + counts["quarantined"] + counts["skipped"]
    assert len(ended.rows("articles")) == counts["records"]
    assert len(ended.rows("quarantine")) == counts["quarantined"]
    assert sum(one["documents"] for one in manifest["inputs"]) == counts["in"] - counts["skipped"]
