"""Quality of the text, title and date beside trafilatura, on the evaluation pages in ../shared/bench.

    python tests/benchmarks/extraction.py [SET ...]

Each WARC goes through `babelwire run`, its output is scored from Parquet; trafilatura gets the same bytes, with
metadata. Formulas and truth are those of ../shared/bench/score.py.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import trafilatura
from fastwarc.warc import ArchiveIterator, WarcRecordType
from trafilatura.settings import Document

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT.parent / "shared" / "bench"
sys.path.insert(0, str(BENCH))

#: Printed columns: key of score.agg and heading.
COLUMNS = (
    ("f1", "F1"),
    ("p", "prec"),
    ("r", "rec"),
    ("seg_f", "segF1"),
    ("title_exact", "title"),
    ("date_acc", "date"),
)
SUMMED_UP = ("fundus_i18n", "fundus_eval", "aeb", "naeb", "daniel", "wcxb_article")

Predictions = dict[str, dict[str, Any]]


def ours(name: str, rows: list[dict[str, Any]], folder: Path) -> Predictions:
    """Run babelwire on one set; scored by the WARC record ids in its output."""
    warc = BENCH / "extraction" / f"{name}.warc.gz"
    command = [sys.executable, "-m", "ingest", "run", str(warc), "--output", str(folder)]
    subprocess.run(command, check=True, cwd=ROOT, stderr=subprocess.DEVNULL)
    columns = ("warc_record_id", "text", "title", "published_at")
    frame = pl.scan_parquet(folder / "articles" / "**" / "*.parquet").select(columns).collect()
    by_record = {row["warc_record_id"]: row for row in frame.iter_rows(named=True)}
    found = {}
    for row in rows:
        if got := by_record.get(row["warc_record_id"]):
            day = got["published_at"].date().isoformat() if got["published_at"] else None
            found[row["id"]] = {"id": row["id"], "text": got["text"], "title": got["title"], "date": day}
    return found


def theirs(name: str, rows: list[dict[str, Any]]) -> Predictions:
    """Run trafilatura on the same bytes."""
    by_record = {row["warc_record_id"]: row for row in rows}
    found = {}
    with (BENCH / "extraction" / f"{name}.warc.gz").open("rb") as file:
        for record in ArchiveIterator(file, record_types=WarcRecordType.response):
            row = by_record.get(record.headers["WARC-Record-ID"])
            if row is None:
                continue
            document = trafilatura.bare_extraction(record.reader.read(), url=row.get("url"), with_metadata=True)
            got = document.as_dict() if isinstance(document, Document) else {}
            found[row["id"]] = {
                "id": row["id"], "text": got.get("text") or "", "title": got.get("title"), "date": got.get("date")
            }  # fmt: skip
    return found


def main() -> None:
    """Print two rows per set and the line that sums up."""
    import score  # noqa: PLC0415  (lies in ../shared/bench)

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*")
    sets = parser.parse_args().sets or sorted(path.stem for path in (BENCH / "extraction").glob("*.jsonl"))
    print(f"{'set':14} {'system':12} {'n':>4} " + " ".join(f"{heading:>7}" for _, heading in COLUMNS))
    summary = {}
    for name in sets:
        lines = (BENCH / "extraction" / f"{name}.jsonl").read_text("utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        with tempfile.TemporaryDirectory() as folder:
            systems = {"babelwire": ours(name, rows, Path(folder)), "trafilatura": theirs(name, rows)}
        for system, predictions in systems.items():
            result = score.agg(score.score(rows, predictions, rouge=False))
            cells = " ".join(f"{result[key]:7.4f}" if key in result else " " * 7 for key, _ in COLUMNS)
            print(f"{name:14} {system:12} {len(predictions):4} {cells}", flush=True)
            if system == "babelwire" and name in SUMMED_UP:
                summary[name] = result["f1"]
    print("extraction: " + " ".join(f"{name}={summary[name]:.4f}" for name in SUMMED_UP if name in summary))


if __name__ == "__main__":
    main()
