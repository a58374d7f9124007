"""How clean a page's text comes out when nothing but that text is there, beside the same page as HTML.

    python tests/benchmarks/text_dumps.py [--sets SET ...] [--forms FORM ...]

Each page of ../shared/bench/extraction is written as a browser copies it (``tests/dump_of_page.py``) and read as a text file. The
other forms: ``inner`` is what ``innerText`` gives, ``marked`` has bullets, sharps and addresses as converters write them, ``wrapped``
is ``copied`` with hard line breaks and Windows line ends. Both judges were trained on these pages, so each page is judged by trees
that have seen no page of its site (five-fold cross-validation by site; some ten minutes). F1 is that of ../shared/bench/score.py.
"""

import argparse
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT.parent / "shared" / "bench"
# Our own benchmarks first: the folder of the pages has an ``extraction`` of its own.
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "benchmarks"), str(BENCH)]

from dump_of_page import in_form  # noqa: E402
from extraction import SUMMED_UP, Predictions, cross_validated, ours, pages, read_rows  # noqa: E402

from normalize.decode import decode  # noqa: E402
from normalize.dump import blocks  # noqa: E402
from normalize.dump.judge import Judgement  # noqa: E402
from normalize.options import DocumentOptions  # noqa: E402
from normalize.path import run_document, warm_up  # noqa: E402
from normalize.segments import parse  # noqa: E402
from schemas.document import Article, RawDocument  # noqa: E402
from schemas.errors import DocumentError  # noqa: E402

FORMS = ("copied", "inner", "marked", "wrapped")


def dumped(name: str, rows: list[dict[str, Any]], form: str, scores: dict[str, Any]) -> Predictions:
    """Take the pages of one set down the road as text files."""
    found = {}
    for row, raw in pages(name, rows):
        try:
            text = text_of(raw, form)
        except DocumentError:
            continue
        # Nothing is known of a page without truth or lines.
        known = scores.get(f"{name}/{row['id']}/{form}")
        as_judged = (
            nullcontext()
            if known is None
            else patch.object(blocks, "judge_lines", return_value=Judgement(story=known[0], title=known[1]))
        )
        document = RawDocument(source_kind="text", source_uri="page.txt", content=text.encode(), media="text")
        with as_judged:
            article = run_document(document, DocumentOptions())
        found[row["id"]] = {
            "id": row["id"],
            "text": article.text if isinstance(article, Article) else "",
            "title": article.title if isinstance(article, Article) else None,
        }
    return found


def text_of(raw: RawDocument, form: str) -> str:
    """Write a page as text.

    Raises:
        DocumentError: The page cannot be read.
    """
    return in_form(parse(decode(raw, DocumentOptions()).text, DocumentOptions()), form)


def main() -> None:
    """Print a row per set and form, and the line that sums up."""
    import score  # noqa: PLC0415  (lies in ../shared/bench)

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=SUMMED_UP)
    parser.add_argument("--forms", nargs="+", choices=FORMS, default=("copied",))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        of_pages, of_lines = cross_validated(Path(folder)), cross_validated(Path(folder), "tests/make_line_judge.py")
    warm_up()
    print(f"{'set':14} {'form':8} {'pages':>5} {'F1':>7} {'prec':>7} {'rec':>7} {'title':>7}")
    summary = {}
    for name in arguments.sets:
        rows = read_rows(name)
        systems = {"html": ours(name, rows, of_pages)}
        systems |= {form: dumped(name, rows, form, of_lines) for form in arguments.forms}
        for form, predictions in systems.items():
            result = score.agg(score.score(rows, predictions, rouge=False))
            cells = [f"{result[key]:7.4f}" for key in ("f1", "p", "r", "title_exact") if key in result]
            print(f"{name:14} {form:8} {len(predictions):5} {' '.join(cells)}", flush=True)
            if form == arguments.forms[0]:
                summary[name] = result["f1"]
    print("text_dumps: " + " ".join(f"{name}={value:.4f}" for name, value in summary.items()))


if __name__ == "__main__":
    main()
