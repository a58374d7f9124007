"""Train the judge of lines on text dumps of pages whose story is known, and say how good it is on sites it has not seen.

    python tests/make_line_judge.py FOLDER [SET ...]            train on all pages and write normalize/dump/*.txt.gz
    python tests/make_line_judge.py FOLDER --folds scores.npz   five-fold cross-validation by site: scores for every page

The pages and their form are those of ``make_judge.py``; here each is written as a browser copies it, once more as a converter
writes it, and once as a reader copies it who marks the story and a little around it: pages of small papers look like that. The
stories themselves stand beside them as texts that are clean already, of which every line belongs. A page whose headline is known
(``title``) teaches which line it is. Seeds are fixed: the same pages give the same trees.
"""

import argparse
import gzip
import hashlib
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import lightgbm
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from dump_of_page import in_form, written  # noqa: E402
from make_judge import SETS, balance, fold_of, labels_of, out_of_fold, read_pages, site_of  # noqa: E402

from normalize.dump.evidence import evidence  # noqa: E402
from normalize.dump.judge import with_story  # noqa: E402
from normalize.dump.lines import Line, read_lines  # noqa: E402
from normalize.evidence import Rows  # noqa: E402
from normalize.main_text import key  # noqa: E402

#: How a page is written, and how much that counts. What does not count is only scored.
FORMS: Final = {"copied": 1.0, "part": 0.7, "marked": 0.5, "clean": 0.3, "inner": 0.0, "wrapped": 0.0}
#: At most so many lines above and below the story are in a part.
AROUND: Final = 24
#: Trees that judge the story, and those that pick the headline. By cross-validation.
ROUNDS: Final = {"story": 160, "title": 80}
LEAVES: Final = {"story": 31, "title": 15}
PARAMETERS: Final[dict[str, Any]] = {
    "objective": "cross_entropy",  # labels are shares, from 0 to 1
    "learning_rate": 0.07,
    "min_data_in_leaf": 40,
    "feature_fraction": 0.3,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5,
    "max_bin": 63,
    "verbose": -1,
    "num_threads": 1,
    "deterministic": True,
    "seed": 1,
}
#: Of lines that are neither story nor prose so many teach, drawn by chance: menus are long and all alike.
DRAWN: Final = 0.25

_UNUSED: Final = re.compile(
    r"^(?:tree_sizes|split_gain|leaf_weight|leaf_count|internal_value|internal_weight|internal_count)=.*\n",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Example:
    """One page in one form."""

    set: str
    id: str
    site: str
    form: str
    names: list[str]
    rows: Rows
    #: For each line the share of it that belongs to the story, and how much it counts.
    labels: Rows
    weights: Rows
    #: For each line whether it is the headline; None where that is not known.
    title: Rows | None


def read_examples(folder: Path, sets: Sequence[str], forms: Sequence[str]) -> Iterator[Example]:
    """Write the pages of some sets in some forms, and say of each line what is known."""
    for name, row, tree in read_pages(folder, sets):
        for form in forms:
            lines: Sequence[Line]
            if form == "clean":
                lines = read_lines(row.get("text") or "")
            elif form == "part":
                lines = _part(read_lines(written(tree)), row)
            else:
                lines = read_lines(in_form(tree, form))
            if lines and (example := _example(name, row, form, lines)):
                yield example


def _part(lines: Sequence[Line], row: dict[str, Any]) -> Sequence[Line]:
    """Cut a page down to its story and some lines around it, as many as chance says; nothing where no story is known."""
    judged = labels_of(lines, row) if lines and row.get("text") else None
    story = np.flatnonzero(judged[0] >= 0.5) if judged else np.empty(0, np.int64)
    if not len(story):
        return ()
    chance = np.random.default_rng(int(hashlib.md5(row["id"].encode(), usedforsecurity=False).hexdigest(), 16) % 2**32)
    above, below = chance.integers(0, AROUND + 1, 2)
    return lines[max(0, int(story[0]) - above) : int(story[-1]) + 1 + below]


def _example(name: str, row: dict[str, Any], form: str, lines: Sequence[Line]) -> Example | None:
    judged = labels_of(lines, row)
    if judged is None:
        return None
    names, rows = evidence(lines)
    labels, weights = judged
    wanted = key(row.get("title") or "")
    is_title = np.array([key(line.text) == wanted for line in lines], np.float32)
    knows = bool(wanted) and form != "clean" and bool(is_title.any())
    labels = np.ones_like(labels) if form == "clean" else labels
    title = is_title if knows else None
    return Example(name, row["id"], site_of(name, row), form, names, rows, labels, weights, title)


def train(examples: Sequence[Example], rows: Sequence[Rows], kind: str, weights: dict[str, float]) -> Any:
    """Fit the trees of one kind, "story" or "title"; lightgbm has no types."""
    chance = np.random.default_rng(1)
    found: list[tuple[Rows, Rows, Rows]] = []
    for example, evidences in zip(examples, rows, strict=True):
        labels = example.labels if kind == "story" else example.title
        if labels is None or not FORMS[example.form]:
            continue
        telling = (labels > 0) | (evidences[:, example.names.index("prose")] > 0)
        drawn = telling | (chance.random(len(labels)) < DRAWN)
        each = example.weights if kind == "story" else np.full(len(labels), 1 / 30)
        count = each * np.where(telling, 1.0, 1 / DRAWN) * FORMS[example.form] * weights[example.set]
        found.append((evidences[drawn], labels[drawn], count[drawn]))
    rows_, labels_, count_ = (np.concatenate(parts) for parts in zip(*found, strict=True))
    data = lightgbm.Dataset(rows_, labels_, weight=count_)
    return lightgbm.train({**PARAMETERS, "num_leaves": LEAVES[kind]}, data, ROUNDS[kind])


def packed(trees: Any) -> bytes:
    """Write trees without what only training needs: half the size, the same answers."""
    text = trees.model_to_string()
    text = _UNUSED.sub("", text[: text.index("\nfeature_importances:")] if "\nfeature_importances:" in text else text)
    return gzip.compress(text.encode(), mtime=0)


def main() -> None:
    """Train, or cross-validate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("sets", nargs="*", default=SETS)
    parser.add_argument("--folds", type=Path)
    arguments = parser.parse_args()
    forms = [form for form, counts in FORMS.items() if counts or arguments.folds]
    examples = list(read_examples(arguments.folder, arguments.sets, forms))
    weights = balance(example.set for example in examples if example.form == "copied")
    print(f"{len(examples)} texts, {sum(len(e.labels) for e in examples)} lines", file=sys.stderr)
    plain = [example.rows for example in examples]
    folds = [fold_of(example.site) for example in examples]

    def fit(kind: str, rows: Sequence[Rows], inside: list[int]) -> Any:
        return train([examples[n] for n in inside], [rows[n] for n in inside], kind, weights)

    judged = out_of_fold(partial(fit, "story", plain), plain, folds)
    # The trees of the headline must not see a page through trees that know it by heart.
    seen = [with_story(rows, story) for rows, story in zip(plain, judged, strict=True)]
    if arguments.folds:
        titles = out_of_fold(partial(fit, "title", seen), seen, folds)
        found = {f"{e.set}/{e.id}/{e.form}": np.stack(both) for e, *both in zip(examples, judged, titles, strict=True)}
        np.savez_compressed(arguments.folds, allow_pickle=False, **found)
        return
    for kind, rows in (("story", plain), ("title", seen)):
        path = ROOT / "normalize" / "dump" / f"{kind}.txt.gz"
        path.write_bytes(packed(train(examples, rows, kind, weights)))
        print(f"{path}: {path.stat().st_size:,} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
