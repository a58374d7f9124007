"""Nights of a crawl as tests make them, each a command of its own, and what they leave: rows of ``fetches`` and stored pages.

As a program it crawls as the command does, at another time:

    python crawling.py CATALOGUE OUTPUT SECONDS_LATER
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
from fastwarc.warc import ArchiveIterator, WarcRecordType

from ingest.catalogue import read_catalogue
from ingest.crawl.crawl import crawl

ROOT = Path(__file__).parent.parent

FINE, NOTHING_NEW = 0, 5


def start(catalogue: Path, output: Path, *, later: timedelta = timedelta()) -> "subprocess.Popen[bytes]":
    """Start a crawl in a process group of its own; what it says is added to a file beside the output.

    Args:
        catalogue: The sources.
        output: The output folder.
        later: How much later than now it thinks it is; not at all: the command itself.
    """
    command = ["-m", "ingest", "crawl", str(catalogue), "--output", str(output)]
    if later:
        command = [__file__, str(catalogue), str(output), str(later.total_seconds())]
    with output.with_suffix(".txt").open("ab") as talk:
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=talk,
            stderr=talk,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))},
        )


def finish(catalogue: Path, output: Path, *, later: timedelta = timedelta()) -> int:
    """Crawl to the end; gives the exit code, which is ``FINE`` or ``NOTHING_NEW``."""
    with start(catalogue, output, later=later) as process:
        code = process.wait()
    assert code in {FINE, NOTHING_NEW}, f"the crawl ended with {code}: {talk(output)}"
    return code


def talk(output: Path) -> str:
    """Give what all crawls of an output folder have said."""
    return output.with_suffix(".txt").read_text(errors="replace")


def fetches(output: Path) -> pl.DataFrame:
    """Read the rows of all crawls, in the order they were made."""
    return pl.concat([pl.read_parquet(file) for file in sorted(output.glob("fetches/**/*.parquet"))])


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One record of a stored page, as another reader sees it."""

    #: Below ``raw/``.
    file: str
    offset: int
    type: str
    url: str
    #: The body as it was sent.
    body: bytes
    is_sound: bool


def stored(output: Path, name: str = "pages") -> list[Stored]:
    """Read the responses, texts and revisits of the files called so, with their digests checked."""
    raw = output / "raw"
    kinds = WarcRecordType.response | WarcRecordType.resource | WarcRecordType.revisit
    found = []
    for path in sorted(raw.glob(f"**/{name}-*.warc.gz")):
        with path.open("rb") as file:
            for record in ArchiveIterator(file, record_types=kinds, parse_http=False):
                record.freeze()
                is_sound = record.verify_block_digest()
                if record.is_http:
                    record.parse_http()
                    is_sound = is_sound and (
                        record.record_type == WarcRecordType.revisit or record.verify_payload_digest()
                    )
                found.append(
                    Stored(
                        file=path.relative_to(raw).as_posix(),
                        offset=record.stream_pos,
                        type=str(record.record_type),
                        url=record.headers["WARC-Target-URI"],
                        body=record.reader.read(),
                        is_sound=is_sound,
                    )
                )
    return found


def main(arguments: Sequence[str]) -> int:
    """Crawl as if it were later."""
    catalogue, output, seconds = arguments
    later = timedelta(seconds=float(seconds))
    summary = crawl(read_catalogue(Path(catalogue)), Path(output), now=lambda: datetime.now(UTC) + later)
    return FINE if summary.pages else NOTHING_NEW


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
