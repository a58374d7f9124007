"""Mutated pages and WARC files through the road of `babelwire run`, with its workers, limits and checks: what became of each.

    python tests/benchmarks/fuzz.py [--pages N] [--warcs N] [--seed N]
    python tests/benchmarks/fuzz.py --seed N --show page-00017.html > page.html

Each file is a document or several that must end as a record or as a row of the quarantine: no traceback, no lost worker, no run
that ends early. A caught traceback (engine/internal_error) is a fault as well. The start pages are the samples and, where they lie
beside the repository, pages of the evaluation sets. File number and seed make a file again, which is what ``--show`` does.
"""

import argparse
import faulthandler
import json
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import islice
from pathlib import Path

import polars as pl

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from mutate import chance_of, file_of, name_of, page_of  # noqa: E402

from ingest.config import Options  # noqa: E402
from ingest.run import run  # noqa: E402
from ingest.sources import Input, Limits, find_inputs, read_input  # noqa: E402
from schemas.document import RawDocument  # noqa: E402

BENCH = ROOT.parent / "shared" / "bench" / "extraction"
#: Evaluation pages to start from: one in so many of each set, none larger than this many bytes.
ONE_IN, LARGEST = 10, 200_000
#: Files of one run; a run that breaks costs the others nothing.
AT_ONCE = 1_000
#: Seconds after which a run counts as hanging: everything is ended, and it is shown where it hung.
HANGS_AFTER = 1_800
FAULTS = ("engine/internal_error", "engine/worker_died")


def start_pages() -> list[bytes]:
    """Give the samples, then some pages of each evaluation set."""
    pages = [path.read_bytes() for path in sorted((ROOT / "seeds" / "pages").iterdir())]
    for path in sorted(BENCH.glob("*.warc.gz")):
        documents = (
            one for one in read_input(Input(path=path, uri=path.name), Limits()) if isinstance(one, RawDocument)
        )
        pages += [one.content for one in islice(documents, 0, None, ONE_IN) if len(one.content) <= LARGEST]
    return pages


def made(name: str, pages: list[bytes], seed: int) -> bytes:
    """Make a file by its name, as "page-00017.html" or "warc-00003.warc.gz"."""
    kind, _, rest = name.partition("-")
    chance = chance_of(seed, kind, int(rest.partition(".")[0]))
    return file_of("warc", pages, chance) if kind == "warc" else page_of(pages, chance)


def rounds(pages: int, warcs: int) -> Iterator[list[str]]:
    """Give the names of all files, as many as go into one run, pages and WARCs mixed."""
    count = -(-(pages + warcs) // AT_ONCE)
    for turn in range(count):
        names = [f"page-{number:05}.html" for number in range(turn, pages, count)]
        yield names + [name_of("warc", number) for number in range(turn, warcs, count)]


class Night:
    """All runs, one after another into one output, and what is counted of them."""

    def __init__(self, folder: Path, pages: list[bytes], seed: int) -> None:
        self.output = folder / "out"
        self._inputs = folder / "in"
        self._inputs.mkdir()
        self._pages = pages
        self._seed = seed
        self._day = date(2026, 1, 1)
        self.reasons: Counter[str] = Counter()
        self.records = self.skipped = self.broken_runs = 0
        #: Files that held no document at all.
        self.silent: list[str] = []

    def run(self, names: list[str]) -> None:
        """Make the files, run over them, and forget them."""
        for name in names:
            (self._inputs / name).write_bytes(made(name, self._pages, self._seed))
        self._day += timedelta(days=1)
        faulthandler.dump_traceback_later(HANGS_AFTER, exit=True)
        try:
            done = run(
                find_inputs([str(self._inputs)]),
                self.output,
                Options(),
                run_date=self._day,
                fresh=False,
                on_progress=lambda _: None,
            )
        except Exception:  # noqa: BLE001  (whatever it is, it is what we are looking for)
            self.broken_runs += 1
            print(f"a run broke: {names[0]} to {names[-1]}\n{traceback.format_exc()}", flush=True)
        else:
            self.records += done.records
            self.skipped += done.skipped
            self.reasons.update(done.by_reason)
            manifest = json.loads((self.output / "runs" / f"{done.run_id}.json").read_text())
            self.silent += [Path(one["uri"]).name for one in manifest["inputs"] if not one["documents"]]
        faulthandler.cancel_dump_traceback_later()
        for name in names:
            (self._inputs / name).unlink()

    def faults(self) -> Iterator[str]:
        """Say of every fault what it was and which file makes it again."""
        files = sorted(self.output.glob("quarantine/**/*.parquet"))
        table = pl.scan_parquet(files).filter(pl.col("stage") == "engine") if files else None
        for row in table.collect().to_dicts() if table is not None else ():
            yield f"{Path(row['source_uri']).name} {row['source_member'] or row['source_offset'] or ''} {row['reason']}: {row['detail']}"


def main() -> None:
    """Print what was refused for which reason, every fault, and the line that sums up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=900, help="mutated pages, each a file")
    parser.add_argument("--warcs", type=int, default=100, help="mutated WARC files of one to five pages")
    parser.add_argument("--seed", type=int, default=1, help="another number, other mutants")
    parser.add_argument("--show", metavar="NAME", help="write this one file to standard output and do nothing else")
    asked = parser.parse_args()
    pages = start_pages()
    if asked.show:
        sys.stdout.buffer.write(made(asked.show, pages, asked.seed))
        return
    print(f"seed {asked.seed}, {len(pages)} start pages", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        night = Night(Path(folder), pages, asked.seed)
        began = time.monotonic()
        for names in rounds(asked.pages, asked.warcs):
            night.run(names)
            print(
                f"{time.monotonic() - began:6.0f} s: {night.records} records, {night.reasons.total()} refused",
                flush=True,
            )
        for reason, count in night.reasons.most_common():
            print(f"{count:7} {reason}")
        print(f"{len(night.silent):7} files without a document {' '.join(night.silent[:5])}")
        print(f"{night.skipped:7} documents in files with the same bytes as another")
        for fault in night.faults():
            print(f"seed {asked.seed} {fault}")
    crashes = night.reasons["engine/worker_died"] + night.broken_runs
    print(
        f"fuzz: pages={asked.pages} warcs={asked.warcs} records={night.records} quarantined={night.reasons.total()} "
        f"internal_errors={night.reasons['engine/internal_error']} timeouts={night.reasons['engine/timeout']} crashes={crashes}"
    )
    if night.broken_runs or any(night.reasons[fault] for fault in FAULTS):
        sys.exit(1)


if __name__ == "__main__":
    main()
