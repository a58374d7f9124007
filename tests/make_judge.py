"""Train the judge of blocks on pages whose story is known, and say how good it is on sites it has not seen.

    python tests/make_judge.py FOLDER [SET ...]            train on all pages and write words.tsv and *.txt.gz in normalize/judge
    python tests/make_judge.py FOLDER --leave-out daniel    the same without one set
    python tests/make_judge.py FOLDER --folds scores.npz    five-fold cross-validation by site: scores for every page
    ... --folds scores.npz --by set                         the same with each set judged by trees that know only the others

A set is two files in FOLDER: SET.warc.gz with the pages, and SET.jsonl with a row per page: ``warc_record_id``, ``id``, the
story as ``text``, or pieces that belong to it and pieces that do not as ``with`` and ``without``, and, if known, ``site``. Pages
of one's own in that form do as well. Seeds are fixed: the same pages give the same trees. Training on some 2,000 pages takes
about five minutes on two cores.
"""

import argparse
import gzip
import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import lightgbm
import numpy as np
from lxml.html import HtmlElement
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

ROOT = Path(__file__).resolve().parents[1]
JUDGE = ROOT / "normalize" / "judge"
sys.path.insert(0, str(ROOT))

from ingest.sources import Input, Limits, read_input  # noqa: E402
from normalize import metadata  # noqa: E402
from normalize.decode import decode  # noqa: E402
from normalize.evidence import HasText, Rows, predict  # noqa: E402
from normalize.extract import about_of  # noqa: E402
from normalize.judge.evidence import evidence, second_look  # noqa: E402
from normalize.judge.judge import agreed  # noqa: E402
from normalize.judge.words import LEVELS, Weights, level_of, named  # noqa: E402
from normalize.options import DocumentOptions  # noqa: E402
from normalize.segments import Path as Way  # noqa: E402
from normalize.segments import Segment, parse, segment  # noqa: E402
from schemas.document import RawDocument  # noqa: E402
from schemas.errors import DocumentError  # noqa: E402

#: Sets whose truth is a story or pieces of one.
SETS: Final = ("fundus_i18n", "fundus_eval", "aeb", "naeb", "daniel", "wcxb_article", "traf_eval", "np4k")
FOLDS: Final = 5
#: Trees in the first and in the second pass. By cross-validation; the second soon learns pages by heart.
ROUNDS: Final = {"first": 240, "second": 120}
PARAMETERS: Final[dict[str, Any]] = {
    "objective": "cross_entropy",  # labels are shares, from 0 to 1
    "learning_rate": 0.05,
    "num_leaves": 31,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.25,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5,
    "max_bin": 127,
    "verbose": -1,
    "num_threads": 2,
    "deterministic": True,
    "seed": 1,
}
#: A word counts if so many sites use it; and how strongly the weights of words are held near 0.
WORD_SITES: Final = 8
WORD_PENALTY: Final = 25.0

_TOKEN: Final = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u3400-\u9fff]|\w+")


@dataclass(frozen=True, slots=True)
class Example:
    """One page with what is known of it."""

    set: str
    id: str
    site: str
    segments: tuple[Segment, ...]
    names: list[str]
    rows: Rows
    #: For each segment the share of it that belongs to the story.
    labels: Rows
    #: How much each segment counts.
    weights: Rows


# ---- pages and labels ------------------------------------------------------------------------------


def read_pages(folder: Path, sets: Sequence[str]) -> Iterator[tuple[str, dict[str, Any], HtmlElement]]:
    """Read the pages of some sets, each with its set and its row; those that cannot be read are passed over, as a run would."""
    for name in sets:
        with (folder / f"{name}.jsonl").open(encoding="utf-8") as file:
            known = {row["warc_record_id"]: row for row in map(json.loads, file)}
        warc = folder / f"{name}.warc.gz"
        for raw in read_input(Input(path=warc, uri=warc.name), Limits()):
            row = known.get(raw.warc_record_id)
            if isinstance(raw, RawDocument) and row is not None:
                with suppress(DocumentError):
                    yield name, row, parse(decode(raw, DocumentOptions()).text, DocumentOptions())


def read_examples(folder: Path, sets: Sequence[str]) -> Iterator[Example]:
    """Cut the pages of some sets into segments, and say of each what is known."""
    for name, row, tree in read_pages(folder, sets):
        try:
            segments = segment(tree, DocumentOptions())
        except DocumentError:
            continue
        if segments and (judged := labels_of(segments, row)) is not None:
            names, rows = evidence(segments, about_of(*metadata.read_claims(tree)))
            yield Example(name, row["id"], site_of(name, row), segments, names, rows, *judged)


def site_of(name: str, row: dict[str, Any]) -> str:
    """Name the site of a page: pages of one site must not stand on both sides of a fold."""
    if named := row.get("site") or row.get("host") or urlsplit(row.get("url") or "").hostname:
        return str(named)
    return str(row["id"]).split("_")[1] if name == "daniel" else str(row["id"])


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text)


def _shingles(tokens: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(tokens[start : start + 4]) for start in range(len(tokens) - 3)]


def labels_of(segments: Sequence[HasText], row: dict[str, Any]) -> tuple[Rows, Rows] | None:
    """Give label and weight of each segment, or of each line of a dump; None for a page without truth.

    The label is the share of the segment's word 4-grams that stand in the story; a shorter text must stand there whole.
    """
    tokens = [_tokens(segment.text) for segment in segments]
    size = np.array([min(len(found), 200) for found in tokens], np.float32) ** 0.7
    if row.get("text") is not None:
        story = _tokens(row["text"])
        known, line = Counter(_shingles(story)), f" {' '.join(story)} "
        labels: list[float | None] = [_share(found, known, line) for found in tokens]
    elif row.get("with") or row.get("without"):
        labels = [_told(segment.text, row) for segment in segments]
        size *= np.array([label is not None for label in labels], np.float32)
    else:
        return None
    return np.array([label or 0.0 for label in labels], np.float32), size / max(float(size.sum()), 1.0)


def _share(tokens: Sequence[str], known: Counter[tuple[str, ...]], line: str) -> float:
    if len(tokens) < 4:
        return float(bool(tokens) and f" {' '.join(tokens)} " in line)
    found = _shingles(tokens)
    return sum(shingle in known for shingle in found) / len(found)


def _told(text: str, row: dict[str, Any]) -> float | None:
    """Say whether a segment holds a piece that is known to belong, or not to; None where nothing is known of it."""
    flat = " ".join(text.split())
    for label, pieces in ((1.0, row.get("with")), (0.0, row.get("without"))):
        if any(" ".join(piece.split()) in flat for piece in pieces or ()):
            return label
    return None


# ---- words of class names --------------------------------------------------------------------------


def learn_words(examples: Sequence[Example], balance: dict[str, float]) -> Weights:
    """Fit a logistic regression of the label on the words around a segment, counted by level."""
    sites: dict[tuple[str, int], set[str]] = {}
    paths = []
    for example in examples:
        mass: dict[int, tuple[Way, float, float]] = {}
        for piece, label, weight in zip(example.segments, example.labels, example.weights, strict=True):
            way, whole, good = mass.get(piece.path.number, (piece.path, 0.0, 0.0))
            mass[way.number] = way, whole + float(weight), good + float(weight * label)
        for way, whole, good in mass.values():
            counts = Counter(_words_around(way))
            paths.append((counts, whole * balance[example.set], good / whole if whole else 0.0))
            for word in counts:
                sites.setdefault(word, set()).add(example.site)
    known = {word: n for n, word in enumerate(sorted(w for w, where in sites.items() if len(where) >= WORD_SITES))}
    cells = [(row, known[w], n) for row, (counts, *_) in enumerate(paths) for w, n in counts.items() if w in known]
    rows, columns, values = (np.array(column) for column in zip(*cells, strict=True))
    matrix = csr_matrix((values.astype(np.float64), (rows, columns)), shape=(len(paths), len(known)))
    weights = np.array([whole for _, whole, _ in paths])
    weights /= weights.mean()
    labels = np.array([label for *_, label in paths])

    def loss(guess: Rows) -> tuple[float, Rows]:
        odds = matrix @ guess[1:] + guess[0]
        off = weights * (1 / (1 + np.exp(-odds)) - labels)
        value = (weights * (np.logaddexp(0, odds) - labels * odds)).sum() + WORD_PENALTY / 2 * (guess[1:] ** 2).sum()
        return value, np.concatenate([[off.sum()], matrix.T @ off + WORD_PENALTY * guess[1:]])

    best = minimize(loss, np.zeros(len(known) + 1), jac=True, method="L-BFGS-B", options={"maxiter": 150}).x[1:]
    learned: dict[str, list[float]] = {}
    for (name, level), number in known.items():
        learned.setdefault(name, [0.0] * LEVELS)[level] = round(float(best[number]), 2)
    return {word: tuple(values) for word, values in learned.items() if any(values)}


def _words_around(path: Way) -> Iterator[tuple[str, int]]:
    """Give each word around a path with its level, as often as it stands there."""
    here: Way | None = path
    steps = 0
    while here is not None:
        yield from ((word, level_of(steps)) for word in here.words)
        here, steps = here.around, steps + 1


def with_words(examples: Sequence[Example], weights: dict[str, float], folds: Sequence[int]) -> list[Rows]:
    """Give the evidence of each page with what words learned from other folds say of it."""
    rows: list[Rows] = [np.empty(0, np.float32)] * len(examples)
    for fold in sorted(set(folds)):
        words = learn_words([e for e, other in zip(examples, folds, strict=True) if other != fold], weights)
        for n, (example, other) in enumerate(zip(examples, folds, strict=True)):
            if other == fold:
                rows[n] = np.column_stack([example.rows, named(example.segments, words)])
    return rows


# ---- training --------------------------------------------------------------------------------------


def train(pass_: str, examples: Sequence[Example], rows: Sequence[Rows], weights: dict[str, float]) -> Any:
    """Fit the trees of one pass, "first" or "second"; lightgbm has no types."""
    data = lightgbm.Dataset(
        np.vstack(rows),
        np.concatenate([example.labels for example in examples]),
        weight=np.concatenate([example.weights * weights[example.set] for example in examples]),
    )
    return lightgbm.train(PARAMETERS, data, ROUNDS[pass_])


def fold_of(site: str) -> int:
    """Put all pages of a site into one fold, whatever else there is."""
    return int(hashlib.md5(site.encode(), usedforsecurity=False).hexdigest(), 16) % FOLDS


def folds_of(examples: Sequence[Example], by: str) -> list[int]:
    """Give the fold of each page: that of its site, or one fold per set."""
    if by == "set":
        sets = sorted({example.set for example in examples})
        return [sets.index(example.set) for example in examples]
    return [fold_of(example.site) for example in examples]


def out_of_fold(fit: Callable[[list[int]], Any], rows: Sequence[Rows], folds: Sequence[int]) -> list[Rows]:
    """Judge each page by trees that were fitted to the pages of other folds only; ``fit`` gets their numbers."""
    scores: list[Rows] = [np.empty(0, np.float32)] * len(rows)
    for fold in sorted(set(folds)):
        trees = fit([n for n, other in enumerate(folds) if other != fold])
        for n, other in enumerate(folds):
            if other == fold:
                scores[n] = predict(trees, rows[n])
        print(f"fold {fold + 1} of {len(set(folds))}", file=sys.stderr)
    return scores


def balance(sets: Iterable[str]) -> dict[str, float]:
    """Weigh the sets by the square root of their pages, one name for each: a large one counts for more, but not for all."""
    return {name: 1500 / count**0.5 for name, count in Counter(sets).items()}


def main() -> None:
    """Train, or cross-validate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("sets", nargs="*", default=SETS)
    parser.add_argument("--leave-out", action="append", default=[])
    parser.add_argument("--folds", type=Path)
    parser.add_argument("--by", choices=["site", "set"], default="site")
    arguments = parser.parse_args()
    examples = list(read_examples(arguments.folder, [s for s in arguments.sets if s not in arguments.leave_out]))
    weights = balance(example.set for example in examples)
    print(f"{len(examples)} pages, {sum(len(example.labels) for example in examples)} segments", file=sys.stderr)
    folds = folds_of(examples, arguments.by)
    rows = with_words(examples, weights, folds)

    def fit(pass_: str, evidence_: Sequence[Rows], inside: list[int]) -> Any:
        return train(pass_, [examples[n] for n in inside], [evidence_[n] for n in inside], weights)

    first = out_of_fold(partial(fit, "first", rows), rows, folds)
    seen = [second_look(e.segments, e.names, r, scores) for e, r, scores in zip(examples, rows, first, strict=True)]
    if arguments.folds:
        second = out_of_fold(partial(fit, "second", seen), seen, folds)
        found = {f"{e.set}/{e.id}": agreed(*both) for e, *both in zip(examples, first, second, strict=True)}
        np.savez_compressed(arguments.folds, allow_pickle=False, **found)
        return
    words = learn_words(examples, weights)
    lines = ("\t".join((word, *map(str, values))) for word, values in sorted(words.items()))
    (JUDGE / "words.tsv").write_text("".join(f"{line}\n" for line in lines), "ascii")
    for name, evidence_ in (("first", rows), ("second", seen)):
        path = JUDGE / f"{name}.txt.gz"
        path.write_bytes(gzip.compress(train(name, examples, evidence_, weights).model_to_string().encode(), mtime=0))
        print(f"{path}: {path.stat().st_size:,} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
