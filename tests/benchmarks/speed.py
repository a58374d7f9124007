"""Pages per CPU second of the whole road beside trafilatura with metadata, on the same bytes in one run.

    python tests/benchmarks/speed.py [SET ...]

The road is what `babelwire run` does to a document: read the WARC, decode, extract, repair, clean, describe, link
duplicates, check and write Parquet; in one process, one document after the other. trafilatura is called as its
users call it, on the bytes, with metadata; its WARC is read by fastwarc. Both work through the same pages in turns of
50, so that a change in the machine's speed meets both. Last come the ten pages that took longest, and the step that took it.
"""

import argparse
import gc
import heapq
import resource
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import trafilatura
from fastwarc.warc import ArchiveIterator, WarcRecordType

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from ingest.sources import Input, Limits, read_input  # noqa: E402
from normalize.clean import clean  # noqa: E402
from normalize.decode import decode  # noqa: E402
from normalize.describe import describe  # noqa: E402
from normalize.duplicates import DuplicateIndex  # noqa: E402
from normalize.extract import extract  # noqa: E402
from normalize.options import DocumentOptions  # noqa: E402
from normalize.path import run_document, warm_up  # noqa: E402
from normalize.publication import with_guess  # noqa: E402
from normalize.repair import repair  # noqa: E402
from schemas.document import Article, RawDocument, Rejected  # noqa: E402
from schemas.errors import DocumentError  # noqa: E402
from schemas.record import COLUMNS, RunStamp, articles_to_frame, problems  # noqa: E402

BENCH = ROOT.parent / "shared" / "bench" / "extraction"
TURN = 50
OPTIONS = DocumentOptions()
SLOWEST = 10


class Road:
    """babelwire, one turn of pages at a time."""

    def __init__(self, warc: Path, folder: Path) -> None:
        self._documents = read_input(Input(path=warc, uri=warc.name), Limits())
        self._folder = folder
        self._seen = DuplicateIndex.load(None)
        self._part = 0
        #: (CPU seconds, number to break ties, page)
        self.slowest: list[tuple[float, int, RawDocument]] = []

    def turn(self) -> int:
        """Take the next pages down the road; gives how many there were."""
        from datetime import date  # noqa: PLC0415

        documents = list(islice(self._documents, TURN))
        outcomes = [self._timed(d) for d in documents if isinstance(d, RawDocument)]
        articles = self._seen.link([outcome for outcome in outcomes if isinstance(outcome, Article)])
        stamp = RunStamp(run_id="speed", run_date=date(2026, 1, 1), config_sha256="0" * 64)
        frame = articles_to_frame(articles, stamp)
        if faults := problems(frame, COLUMNS):
            raise RuntimeError(faults)
        self._part += 1
        frame.write_parquet(self._folder / f"part-{self._part:05}.parquet", compression="zstd")
        return len(documents)

    def _timed(self, raw: RawDocument) -> Article | Rejected:
        before = time.process_time()
        outcome = run_document(raw, OPTIONS)
        self.slowest = heapq.nlargest(
            SLOWEST, [*self.slowest, (time.process_time() - before, raw.source_offset or 0, raw)]
        )
        return outcome


def slowest_step(raw: RawDocument) -> str:
    """Go down the road once more; gives the step that took longest, with its share of all."""
    state: Any = raw
    spent = {}
    for name, step in (
        ("decode", lambda raw: decode(raw, OPTIONS)),
        ("extract", lambda decoded: extract(decoded, OPTIONS)),
        ("repair", repair),
        ("clean", clean),
        ("guess", with_guess),
        ("describe", lambda page: describe(page, "0" * 64, OPTIONS)),
    ):
        before = time.process_time()
        try:
            state = step(state)
        except DocumentError as error:
            return f"refused: {error.stage}/{error.reason}"
        spent[name] = time.process_time() - before
    worst = max(spent, key=lambda name: spent[name])
    return f"{worst} {spent[worst] / sum(spent.values()):.0%}"


class Peer:
    """trafilatura with metadata."""

    def __init__(self, warc: Path) -> None:
        self._pages = self._read(warc)

    @staticmethod
    def _read(warc: Path) -> Iterator[tuple[str, bytes]]:
        with warc.open("rb") as file:
            for record in ArchiveIterator(file, record_types=WarcRecordType.response):
                yield record.headers["WARC-Target-URI"], record.reader.read()

    def turn(self) -> int:
        """Extract the next pages; gives how many there were."""
        pages = list(islice(self._pages, TURN))
        with warnings.catch_warnings():
            # dateutil warns of every zone name that it does not know.
            warnings.simplefilter("ignore")
            for url, body in pages:
                trafilatura.bare_extraction(body, url=url, with_metadata=True)
        return len(pages)


def main() -> None:
    """Print a row per set and the line that sums up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*")
    sets = parser.parse_args().sets or sorted(path.name.removesuffix(".warc.gz") for path in BENCH.glob("*.warc.gz"))
    if not sets:
        sys.exit(f"no evaluation pages in {BENCH}")
    warm_up()
    total = [0, 0.0, 0.0]
    slowest: list[tuple[float, int, RawDocument]] = []
    print(f"{'set':14} {'pages':>6} {'babelwire p/s':>14} {'trafilatura p/s':>16} {'ratio':>6}")
    with tempfile.TemporaryDirectory() as folder:
        for name in sets:
            ours, theirs = Road(BENCH / f"{name}.warc.gz", Path(folder)), Peer(BENCH / f"{name}.warc.gz")
            spent = [0.0, 0.0]
            pages, turn = 0, 0
            while True:
                counts = {}
                for who in (0, 1) if turn % 2 else (1, 0):
                    # Neither pays for what the other left lying about.
                    gc.collect()
                    before = time.process_time()
                    counts[who] = (ours, theirs)[who].turn()
                    spent[who] += time.process_time() - before
                turn += 1
                pages += counts[0]
                if not counts[0]:
                    break
            print(
                f"{name:14} {pages:6} {pages / spent[0]:14.1f} {pages / spent[1]:16.1f} {spent[1] / spent[0]:6.2f}",
                flush=True,
            )
            slowest = heapq.nlargest(SLOWEST, [*slowest, *ours.slowest])
            total = [total[0] + pages, total[1] + spent[0], total[2] + spent[1]]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\n{'ms':>6} {'KB':>6}  {'where the time went':24} page")
    for seconds, _, raw in slowest:
        print(
            f"{1000 * seconds:6.0f} {len(raw.content) / 1000:6.0f}  {slowest_step(raw):24} {(raw.url or raw.source_uri)[:90]}"
        )
    print(f"speed: ratio={total[2] / total[1]:.2f} pages_per_cpu_s={total[0] / total[1]:.1f} peak_mb={peak:.0f}")


if __name__ == "__main__":
    main()
