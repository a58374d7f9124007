"""The parallel sentences that the demo's translation models are made from.

They are the sentences of the sample pages with their translations (``tests/models/samples.*.tsv``)
and invented news that a grammar draws (``tests/models/grammar.toml``).
"""

import csv
import random
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).parent / "models"

SEED = 20260107
#: Distinct invented sentences of a pair, and how many of them are not trained on.
INVENTED = 14_000
HELD_OUT = 300

NAMES = {"de": "German", "el": "Greek", "en": "English", "uk": "Ukrainian"}
#: Languages with sample pages; the demo translates them to English.
SOURCES = ("de", "el", "uk")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A direction of translation."""

    source: str
    target: str

    @property
    def name(self) -> str:
        return f"{self.source}_{self.target}"


PAIRS = (*(Pair(source=tag, target="en") for tag in SOURCES), Pair(source="en", target="de"))


def spelled(number: int, tag: str) -> str:
    """Write a number with the separator of thousands that its language uses.

    >>> [spelled(185000, tag) for tag in ("en", "de", "el", "uk")]
    ['185,000', '185.000', '185.000', '185 000']
    """
    return f"{number:,}".replace(",", {"en": ",", "uk": " "}.get(tag, "."))


def takes_genitive_plural(number: int) -> bool:
    """Say whether a Ukrainian noun after this number stands in the genitive plural.

    >>> [number for number in range(100, 126) if takes_genitive_plural(number)]
    [100, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115, 116, 117, 118, 119, 120, 125]
    """
    return number % 10 in {0, 5, 6, 7, 8, 9} or 11 <= number % 100 <= 14


def draw_number(slot: str, dice: random.Random) -> dict[str, str] | None:
    """Draw a number, time or year as each language writes it; None if the slot is no such thing."""
    match slot:
        case "small" | "dozens" | "middle":
            low, high = {"small": (5, 39), "dozens": (60, 130), "middle": (100, 985)}[slot]
            number = dice.choice([number for number in range(low, high + 1) if takes_genitive_plural(number)])
            return {tag: spelled(number, tag) for tag in NAMES}
        case "large":
            number = dice.choice((dice.randrange(1_000, 9_900, 10), dice.randrange(10_000, 990_000, 100)))
            return {tag: spelled(number, tag) for tag in NAMES}
        case "decimal":
            whole, tenth = dice.randint(1, 9), dice.randint(1, 9)
            return {tag: f"{whole}{'.' if tag == 'en' else ','}{tenth}" for tag in NAMES}
        case "time":
            # "At eleven" has a preposition of its own in Ukrainian, and "at one" in Greek.
            hour, minute = dice.choice([*range(2, 11), *range(12, 24)]), dice.randrange(0, 60, 5)
            return {tag: f"{hour}{'.' if tag == 'de' else ':'}{minute:02}" for tag in NAMES}
        case "day":
            return dict.fromkeys(NAMES, str(dice.randint(2, 28)))
        case "year" | "coming_year":
            low, high = (1950, 2025) if slot == "year" else (2026, 2032)
            return dict.fromkeys(NAMES, str(dice.randint(low, high)))
    return None


class Grammar:
    """Invented news: sentences with slots, the same in all languages."""

    def __init__(self, path: Path) -> None:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        self.languages: list[str] = table["languages"]
        self.sentences: list[str | list[str]] = table["sentences"]
        self.slots: dict[str, list[str | list[str]]] = table["slots"]

    def draw(self, dice: random.Random) -> dict[str, str]:
        """Give one sentence in all languages."""
        forms = self._fill(dice.choice(self.sentences), dice)
        return {tag: form[0].upper() + form[1:] for tag, form in forms.items()}

    def _fill(self, row: str | list[str], dice: random.Random) -> dict[str, str]:
        forms = (
            dict.fromkeys(self.languages, row) if isinstance(row, str) else dict(zip(self.languages, row, strict=True))
        )
        for slot in re.findall(r"{(\w+)}", forms["en"]):
            value = draw_number(slot, dice) or self._fill(dice.choice(self.slots[slot]), dice)
            forms = {tag: form.replace(f"{{{slot}}}", value[tag], 1) for tag, form in forms.items()}
        return forms


def invented(pair: Pair) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Draw distinct sentences of a pair: those to train on, and those held out."""
    grammar, dice = Grammar(DATA / "grammar.toml"), random.Random(SEED)  # noqa: S311 - nothing secret
    drawn: dict[str, str] = {}
    while len(drawn) < INVENTED:
        forms = grammar.draw(dice)
        drawn.setdefault(forms[pair.source], forms[pair.target])
    rows = list(drawn.items())
    dice.shuffle(rows)
    return rows[HELD_OUT:], rows[:HELD_OUT]


def samples(pair: Pair) -> list[tuple[str, str]]:
    """Read the sentences of the sample pages: those of one language, or those of all from English."""
    found: dict[str, str] = {}
    for tag in SOURCES if pair.source == "en" else (pair.source,):
        with (DATA / f"samples.{tag}.tsv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                found.setdefault(row[pair.source], row[pair.target])
    return list(found.items())


def parts(rows: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Cut rows of several sentences into their sentences, for splitters that cut within quotations.

    >>> parts([("„Ja. Nein“, sagt sie.", "“Yes. No,” she says."), ("Ja.", "Yes.")])
    [('„Ja.', '“Yes.'), ('Nein“, sagt sie.', 'No,” she says.')]
    """
    cut = [[re.split(r"(?<=[.!?;:]) ", text) for text in row] for row in rows]
    return [
        part for source, target in cut if 1 < len(source) == len(target) for part in zip(source, target, strict=True)
    ]


def write_held_out(path: Path) -> None:
    """Write the sample and held-out sentences, with their English, as a table for the tests."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE, quotechar=None)
        table.writerow(("lang", "kind", "source", "en"))
        for pair in PAIRS:
            if pair.target == "en":
                table.writerows((pair.source, "sample", *row) for row in samples(pair))
                table.writerows((pair.source, "invented", *row) for row in invented(pair)[1])
