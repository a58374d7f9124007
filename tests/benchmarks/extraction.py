"""Quality of text, title, date and authors beside other extractors, on the evaluation pages in ../shared/bench.

    python tests/benchmarks/extraction.py [--sets SET ...] [--peers PYTHON]

Every system gets the same bytes and URLs and its own defaults; a page at which it fails counts as empty. The others run in processes
of their own (``tests/run_peer.py``); those that are not installed are named, with the command that installs them, and left out.
Formulas and truth are those of ../shared/bench/score.py; authors are right if the set of names is, whatever their case. The judge of
blocks was trained on these pages, so here each page is judged by trees that have seen no page of its site (five-fold
cross-validation by site, some three minutes); the sets that it was not trained on are judged by the trees as shipped.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from statistics import fmean
from typing import Any
from unittest.mock import patch

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT.parent / "shared" / "bench"
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(BENCH)]

from run_peer import PEERS  # noqa: E402

from ingest.sources import Input, Limits, read_input  # noqa: E402
from normalize import extract  # noqa: E402
from normalize.options import DocumentOptions  # noqa: E402
from normalize.path import run_document, warm_up  # noqa: E402
from schemas.document import Article, RawDocument  # noqa: E402

#: Printed columns: key of score.agg, heading, and the key of the predictions without which the cell is a dash.
COLUMNS = (
    ("f1", "F1", "text"),
    ("p", "prec", "text"),
    ("r", "rec", "text"),
    ("seg_f", "segF1", "text"),
    ("title_exact", "title", "title"),
    ("date_acc", "date", "date"),
    ("authors", "authors", "authors"),
)
SUMMED_UP = ("fundus_i18n", "fundus_eval", "aeb", "naeb", "daniel", "wcxb_article")

Predictions = dict[str, dict[str, Any]]

#: Between the names of a byline, as truth and some systems write them.
BETWEEN_NAMES = re.compile(r"\s*[,;|]\s*(?:and\s+)?|\s+(?:and|&)\s+")


def cross_validated(folder: Path, script: str = "tests/make_judge.py") -> dict[str, Any]:
    """Judge each page by trees that have seen no page of its site; gives the scores of its pieces by set and id."""
    file = folder / f"{Path(script).stem}.npz"
    command = [sys.executable, script, str(BENCH / "extraction"), "--folds", str(file)]
    subprocess.run(command, check=True, cwd=ROOT)
    with np.load(file) as scores:
        return dict(scores)


def pages(name: str, rows: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], RawDocument]]:
    """Read the pages of one set, each with what is true of it."""
    by_record = {row["warc_record_id"]: row for row in rows}
    warc = BENCH / "extraction" / f"{name}.warc.gz"
    for raw in read_input(Input(path=warc, uri=warc.name), Limits()):
        row = by_record.get(raw.warc_record_id)
        if isinstance(raw, RawDocument) and row is not None:
            yield row, raw


def read_rows(name: str) -> list[dict[str, Any]]:
    """Read what is true of the pages of one set."""
    lines = (BENCH / "extraction" / f"{name}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def ours(name: str, rows: list[dict[str, Any]], scores: dict[str, Any]) -> Predictions:
    """Take the pages of one set down the road, with the scores of cross-validation where there are any."""
    found = {}
    for row, raw in pages(name, rows):
        known = scores.get(f"{name}/{row['id']}")
        as_judged = nullcontext() if known is None else patch.object(extract, "judge", return_value=known)
        start = time.process_time()
        with as_judged:
            article = run_document(raw, DocumentOptions())
        seconds = time.process_time() - start
        day = article.published.at.date().isoformat() if isinstance(article, Article) and article.published else None
        found[row["id"]] = {
            "id": row["id"],
            "text": article.text if isinstance(article, Article) else "",
            "title": article.title if isinstance(article, Article) else None,
            "date": day,
            "authors": list(article.authors) if isinstance(article, Article) else [],
            "seconds": seconds,
        }
    return found


def installed(python: str) -> dict[str, str]:
    """Give the version of each peer that one Python has."""
    ask = (
        "import json, sys\nfrom importlib.metadata import version, PackageNotFoundError\nfound = {}\n"
        "for name in sys.argv[1:]:\n    try:\n        found[name] = version(name)\n"
        "    except PackageNotFoundError:\n        pass\nprint(json.dumps(found))"
    )
    names = [distribution for distribution, _ in PEERS.values()]
    answer = subprocess.run([python, "-c", ask, *names], check=True, capture_output=True, text=True).stdout
    versions: dict[str, str] = json.loads(answer)
    return {peer: versions[distribution] for peer, (distribution, _) in PEERS.items() if distribution in versions}


def theirs(python: str, peer: str, sets: Sequence[str]) -> dict[str, Predictions]:
    """Run one peer over all sets in a process of its own; gives its predictions by set."""
    command = [python, "tests/run_peer.py", peer, str(BENCH / "extraction"), *sets]
    found: dict[str, Predictions] = {name: {} for name in sets}
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        for line in process.stdout or ():
            row = json.loads(line)
            found[row["set"]][row["id"]] = row
    return {name: _filled(predictions) for name, predictions in found.items()}


def _filled(predictions: Predictions) -> Predictions:
    """Give a page at which a peer failed the fields that the peer has, empty: a failure is a wrong answer."""
    empty = dict.fromkeys(field for found in predictions.values() for field in found)
    return {name: {**empty, **found} for name, found in predictions.items()}


def authors_right(rows: Iterable[dict[str, Any]], predictions: Predictions) -> float | None:
    """Give the share of pages with the right set of names, of those whose authors are known."""
    known = [row for row in rows if row.get("author")]
    if not known:
        return None
    none: dict[str, Any] = {}
    return fmean(
        names(row["author"].split("\n")) == names(predictions.get(row["id"], none).get("authors") or ())
        for row in known
    )


def names(bylines: Iterable[str]) -> frozenset[str]:
    """Split bylines into names, case folded."""
    parts = (part for line in bylines for part in BETWEEN_NAMES.split(line))
    return frozenset(" ".join(part.split()).casefold() for part in parts) - {""}


def row_of(name: str, system: str, rows: list[dict[str, Any]], predictions: Predictions) -> tuple[str, dict[str, Any]]:
    """Give the printed row of one system on one set, and its scores; pages per CPU second close it."""
    import score  # noqa: PLC0415  (lies in ../shared/bench)

    fields = {field for found in predictions.values() for field in found}
    result = score.agg(score.score(rows, predictions, rouge=False))
    result["authors"] = authors_right(rows, predictions)
    known = {
        "f1": any(row.get("text") for row in rows), "title_exact": any(row.get("title") for row in rows),
        "date_acc": any(row.get("date") for row in rows),
    }  # fmt: skip
    known["p"] = known["r"] = known["f1"]
    cells = []
    for key, _, field in COLUMNS:
        measured = known.get(key, result.get(key) is not None)
        cells.append(f"{result[key]:7.4f}" if measured and field in fields else f"{'—' if measured else '':>7}")
    seconds = sum(found["seconds"] for found in predictions.values())
    cells.append(f"{len(predictions) / seconds:7.1f}" if seconds else " " * 7)
    return f"{name:14} {system:12} {len(predictions):5} {' '.join(cells)}", result


def main() -> None:
    """Print a row per set and system, and the line that sums up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--sets", nargs="+", default=sorted(path.stem for path in (BENCH / "extraction").glob("*.jsonl"))
    )
    parser.add_argument("--peers", default=sys.executable, metavar="PYTHON", help="the Python that has the peers")
    arguments = parser.parse_args()
    sets = arguments.sets
    versions = installed(arguments.peers)
    print("peers: " + ", ".join(f"{peer} {version}" for peer, version in versions.items()))
    if missing := [peer for peer in PEERS if peer not in versions]:
        print(
            f"left out: {', '.join(missing)}; to install them: {arguments.peers} -m pip install --editable '.[bench]'"
        )
    with tempfile.TemporaryDirectory() as folder:
        scores = cross_validated(Path(folder))
    peers = {peer: theirs(arguments.peers, peer, sets) for peer in versions}
    warm_up()
    headings = " ".join(f"{heading:>7}" for _, heading, _ in COLUMNS)
    print(f"{'set':14} {'system':12} {'pages':>5} {headings} {'pages/s':>7}")
    summary = {}
    for name in sets:
        rows = read_rows(name)
        line, result = row_of(name, "babelwire", rows, ours(name, rows, scores))
        print(line, flush=True)
        for peer in versions:
            print(row_of(name, peer, rows, peers[peer][name])[0], flush=True)
        if name in SUMMED_UP:
            summary[name] = result["f1"]
    print("extraction: " + " ".join(f"{name}={summary[name]:.4f}" for name in SUMMED_UP if name in summary))


if __name__ == "__main__":
    main()
