"""How often the checks of translations fire on real output, and on output broken on purpose.

    python tests/benchmarks/checks.py [--show]

Real output is Argos Translate's on about 1000 sentences of each of 7 languages, beside the human translations of the
same sentences. Each way of breaking starts from the real output and draws from one seed; a broken sentence counts as
caught when the check meant for it fires (`any` says how many any check catches). ``--show`` prints the real sentences
that are flagged, for reading.
"""

import argparse
import gzip
import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from normalize.translate.checks import FLAGS, Flag, faults  # noqa: E402

BENCH = ROOT.parent / "shared" / "bench" / "translation"
SEED = 20260101
_NUMBER = re.compile(r"\d{2,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One sentence of the set."""

    #: Languages of the source and of both translations.
    source_lang: str
    target_lang: str
    source: str
    reference: str
    argos: str
    #: What Argos made of another sentence, and this sentence in other languages.
    elsewhere: str
    others: Mapping[str, str]


def read_rows(folder: Path = BENCH) -> dict[str, list[Row]]:
    """Read the rows of every language pair; nothing where the folder is not there."""
    raw = {}
    for path in sorted(folder.glob("*-*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            raw[path.name.removesuffix(".jsonl.gz")] = [json.loads(line) for line in lines]
    by_id: dict[int, dict[str, str]] = {}
    for pair, rows in raw.items():
        for row in rows:
            by_id.setdefault(row["id"], {})[pair.split("-")[0]] = row["source"].strip()
    found = {}
    for pair, rows in raw.items():
        source_lang, target_lang = pair.split("-")
        found[pair] = [
            Row(
                source_lang=source_lang,
                target_lang=target_lang,
                source=row["source"].strip(),
                reference=row["reference"].strip(),
                argos=row["argos"].strip(),
                elsewhere=rows[(at + 311) % len(rows)]["argos"].strip(),
                others=by_id[row["id"]],
            )
            for at, row in enumerate(rows)
        ]
    return found


# ---- ways of breaking: the broken sentence, or None where this one cannot be broken so -----------------------


def loop_of_the_tail(row: Row, draw: random.Random) -> str | None:
    """Replace the second half by its last words over and over, until it is two or three times as long."""
    words = row.argos.split()
    kept = words[: max(4, len(words) // 2)]
    loop = kept[-draw.randint(1, 4) :]
    wanted = draw.uniform(2, 3) * len(words)
    return " ".join(kept + loop * round((wanted - len(kept)) / len(loop))) if len(words) > 3 else None


def loop_of_the_sentence(row: Row, draw: random.Random) -> str | None:
    """Say the whole sentence twice or more."""
    return " ".join([row.argos] * draw.randint(2, 4)) if len(row.argos.split()) > 3 else None


def cut_to_a_quarter(row: Row, _draw: random.Random) -> str | None:
    """Keep the first quarter."""
    return row.argos[: len(row.argos) // 4].strip() or None


def two_sentences_too_many(row: Row, _draw: random.Random) -> str | None:
    """Go on with another sentence's translation, twice."""
    return f"{row.argos} {row.elsewhere} {row.elsewhere}"


def _one_number(row: Row, draw: random.Random) -> re.Match[str] | None:
    found = list(_NUMBER.finditer(row.argos))
    return draw.choice(found) if found else None


def number_changed(row: Row, draw: random.Random) -> str | None:
    """Change one digit of a number of two digits or more."""
    match = _one_number(row, draw)
    if not match:
        return None
    at = draw.randrange(match.start(), match.end())
    digit = draw.choice([char for char in "123456789" if char != row.argos[at]])
    return row.argos[:at] + digit + row.argos[at + 1 :]


def number_dropped(row: Row, draw: random.Random) -> str | None:
    """Leave out a number of two digits or more."""
    match = _one_number(row, draw)
    return row.argos[: match.start()] + row.argos[match.end() :] if match else None


def source_returned(row: Row, _draw: random.Random) -> str | None:
    """Give the source back."""
    return row.source


def another_script(row: Row, draw: random.Random) -> str | None:
    """Say it in another language that is written in another script than English."""
    return draw.choice([text for lang, text in sorted(row.others.items()) if lang not in {row.source_lang, "tr"}])


def another_latin_language(row: Row, _draw: random.Random) -> str | None:
    """Say it in Turkish."""
    return row.others.get("tr") if row.source_lang != "tr" else None


def unknown_pieces(row: Row, draw: random.Random) -> str | None:
    """Put what a decoder writes for an unknown piece in the place of one to three words."""
    words = row.argos.split()
    for at in draw.sample(range(len(words)), min(len(words), draw.randint(1, 3))):
        words[at] = draw.choice(["<unk>", "\N{DOUBLE QUESTION MARK}"])
    return " ".join(words)


def nothing(_row: Row, draw: random.Random) -> str | None:
    """Say nothing."""
    return draw.choice(["", " ", ".", "...", " \N{EM DASH} "])


BREAKS: tuple[tuple[Flag, Callable[[Row, random.Random], str | None]], ...] = (
    ("repetition", loop_of_the_tail),
    ("repetition", loop_of_the_sentence),
    ("length", cut_to_a_quarter),
    ("length", two_sentences_too_many),
    ("numbers", number_changed),
    ("numbers", number_dropped),
    ("copied", source_returned),
    ("language", another_script),
    ("language", another_latin_language),
    ("unknown", unknown_pieces),
    ("empty", nothing),
)


def flags_of(row: Row, target: str) -> tuple[Flag, ...]:
    """Check one translation of a row's source."""
    return faults(row.source, target, source_lang=row.source_lang, target_lang=row.target_lang)


def break_all(rows: list[Row]) -> dict[str, tuple[Flag, int, int, int]]:
    """Break every row in every way: the check meant for it, how many it caught, how many any check did, of how many."""
    found = {}
    for flag, way in BREAKS:
        draw = random.Random(SEED)  # noqa: S311  (no secret: the same sentences broken the same way)
        seen = [flags_of(row, broken) for row in rows if (broken := way(row, draw)) is not None]
        found[way.__name__] = (flag, sum(flag in flags for flags in seen), sum(map(bool, seen)), len(seen))
    return found


def main() -> None:
    """Print a table of real output, a table of broken output, and the line that sums up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--show", action="store_true", help="print every flagged sentence of the real output")
    show = parser.parse_args().show
    pairs = read_rows()
    if not pairs:
        sys.exit(f"no translations to check in {BENCH}: this benchmark needs the shared folder beside the repository")
    rows = [row for found in pairs.values() for row in found]

    print(f"{'flagged %':11} {'rows':>5} {'any':>6} " + " ".join(f"{flag:>10}" for flag in FLAGS))
    rates = {}
    for kind in ("argos", "reference"):
        for pair, found in (*pairs.items(), ("all", rows)):
            seen = [flags_of(row, getattr(row, kind)) for row in found]
            counts = Counter(flag for flags in seen for flag in flags)
            rates[kind] = sum(map(bool, seen)) / len(seen)
            shares = " ".join(f"{100 * counts[flag] / len(seen):10.2f}" for flag in FLAGS)
            print(f"{kind[:4]} {pair:6} {len(seen):5} {100 * rates[kind]:6.2f} {shares}")
            if show and kind == "argos" and pair != "all":
                for row, flags in zip(found, seen, strict=True):
                    if flags:
                        print(f"    {','.join(flags)}\n      {row.source}\n      {row.argos}\n      {row.reference}")

    print(f"\n{'broken on purpose':24} {'check':11} {'caught %':>9} {'any %':>7} {'rows':>6}")
    caught: Counter[str] = Counter()
    broken: Counter[str] = Counter()
    for name, (flag, by_it, by_any, count) in break_all(rows).items():
        caught[flag] += by_it
        broken[flag] += count
        print(f"{name:24} {flag:11} {100 * by_it / count:9.2f} {100 * by_any / count:7.2f} {count:6}")

    before = time.process_time()
    for row in rows:
        flags_of(row, row.argos)
    spent = 1e6 * (time.process_time() - before) / len(rows)
    print(
        f"\nchecks: real={rates['argos']:.4f} reference={rates['reference']:.4f} "
        + " ".join(f"{flag}={caught[flag] / broken[flag]:.4f}" for flag in (*FLAGS[1:], FLAGS[0]))
        + f" us_per_sentence={spent:.1f}"
    )


if __name__ == "__main__":
    main()
