"""Quality of the text, title and date beside trafilatura, on the evaluation pages in ../shared/bench.

    python tests/benchmarks/extraction.py [SET ...]

trafilatura gets the same bytes, with metadata. Formulas and truth are those of ../shared/bench/score.py. The judge of blocks
was trained on these pages, so here each page is judged by trees that have seen no page of its site (five-fold
cross-validation by site, some three minutes); the sets that it was not trained on are judged by the trees as shipped.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import trafilatura
from fastwarc.warc import ArchiveIterator, WarcRecordType
from trafilatura.settings import Document

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT.parent / "shared" / "bench"
sys.path[:0] = [str(ROOT), str(BENCH)]

from ingest.sources import Input, Limits, read_input  # noqa: E402
from normalize import extract  # noqa: E402
from normalize.options import DocumentOptions  # noqa: E402
from normalize.path import run_document, warm_up  # noqa: E402
from schemas.document import Article, RawDocument  # noqa: E402

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


def cross_validated(folder: Path) -> dict[str, Any]:
    """Judge each page by trees that have seen no page of its site; gives the scores of its segments by set and id."""
    file = folder / "folds.npz"
    command = [sys.executable, "tests/make_judge.py", str(BENCH / "extraction"), "--folds", str(file)]
    subprocess.run(command, check=True, cwd=ROOT)
    with np.load(file) as scores:
        return dict(scores)


def ours(name: str, rows: list[dict[str, Any]], scores: dict[str, Any]) -> Predictions:
    """Take the pages of one set down the road, with the scores of cross-validation where there are any."""
    by_record = {row["warc_record_id"]: row for row in rows}
    warc = BENCH / "extraction" / f"{name}.warc.gz"
    found = {}
    for raw in read_input(Input(path=warc, uri=warc.name), Limits()):
        row = by_record.get(raw.warc_record_id)
        if not isinstance(raw, RawDocument) or row is None:
            continue
        known = scores.get(f"{name}/{row['id']}")
        as_judged = nullcontext() if known is None else patch.object(extract, "judge", return_value=known)
        with as_judged:
            article = run_document(raw, DocumentOptions())
        if isinstance(article, Article):
            day = article.published.at.date().isoformat() if article.published else None
            found[row["id"]] = {"id": row["id"], "text": article.text, "title": article.title, "date": day}
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
    with tempfile.TemporaryDirectory() as folder:
        scores = cross_validated(Path(folder))
    warm_up()
    print(f"{'set':14} {'system':12} {'n':>4} " + " ".join(f"{heading:>7}" for _, heading in COLUMNS))
    summary = {}
    for name in sets:
        lines = (BENCH / "extraction" / f"{name}.jsonl").read_text("utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        systems = {"babelwire": ours(name, rows, scores), "trafilatura": theirs(name, rows)}
        for system, predictions in systems.items():
            result = score.agg(score.score(rows, predictions, rouge=False))
            cells = " ".join(f"{result[key]:7.4f}" if key in result else " " * 7 for key, _ in COLUMNS)
            print(f"{name:14} {system:12} {len(predictions):4} {cells}", flush=True)
            if system == "babelwire" and name in SUMMED_UP:
                summary[name] = result["f1"]
    print("extraction: " + " ".join(f"{name}={summary[name]:.4f}" for name in SUMMED_UP if name in summary))


if __name__ == "__main__":
    main()
