"""The phrase lexicon as data: every language file can be read, and no phrase in it can do harm by its form."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import get_args

import pytest

import normalize.boilerplate
from normalize.boilerplate.lexicon import How, Lexicon, fold, normalise, read_phrases

FOLDER = files(normalize.boilerplate).joinpath("lexicon")
FILES = sorted((file for file in FOLDER.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)

ROLES = frozenset(
    {
        "ad", "share", "comments", "related", "newsletter", "cookie", "paywall", "credit", "caption", "source", "agency",
        "date", "author", "tags", "section", "navigation", "legal",
    }
)  # fmt: skip

#: Scripts in which two letters are a word.
_DENSE = re.compile(r"[\u0e00-\u0e7f\u3005-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")

#: Phrases that may begin or stand inside a longer block have at least this many characters as they are looked up:
#: a colon or bracket at the end counts, since the block must have it too.
_SHORTEST = 4
_SHORTEST_DENSE = 2

Table = dict[str, dict[str, list[str]]]

in_every_language = pytest.mark.parametrize("file", FILES, ids=lambda file: file.name.removesuffix(".toml"))


def read(file: Traversable) -> Table:
    return tomllib.loads(file.read_text("utf-8"))


def entries(file: Traversable) -> Iterator[tuple[str, str, str]]:
    """Role, kind and phrase of every entry of a file."""
    for role, kinds in read(file).items():
        for kind, phrases in kinds.items():
            for phrase in phrases:
                yield role, kind, phrase


def test_there_are_at_least_thirty_languages() -> None:
    assert len(FILES) >= 30


@in_every_language
def test_a_file_is_named_after_its_language(file: Traversable) -> None:
    assert re.fullmatch(r"[a-z]{2,3}(-[A-Z][a-z]{3})?\.toml", file.name)


@in_every_language
def test_a_file_has_only_known_roles_and_kinds_and_lists_of_text(file: Traversable) -> None:
    table = read(file)
    assert set(table) <= ROLES
    for kinds in table.values():
        assert set(kinds) <= set(get_args(How))
        for phrases in kinds.values():
            assert isinstance(phrases, list)
            assert all(isinstance(phrase, str) for phrase in phrases)


@in_every_language
def test_no_phrase_is_empty_once_normalised(file: Traversable) -> None:
    assert [entry for entry in entries(file) if not normalise(entry[2])] == []


@in_every_language
def test_no_phrase_stands_twice_under_one_role_and_kind(file: Traversable) -> None:
    # In `start` a colon counts: "Photo:" and "Photo" are two phrases.
    counts = Counter((role, kind, comparable(kind, phrase)) for role, kind, phrase in entries(file))
    assert [entry for entry, times in counts.items() if times > 1] == []


@in_every_language
def test_no_phrase_has_two_roles_for_the_same_kind(file: Traversable) -> None:
    roles: dict[tuple[str, str], set[str]] = {}
    for role, kind, phrase in entries(file):
        roles.setdefault((kind, comparable(kind, phrase)), set()).add(role)
    assert {phrase: found for phrase, found in roles.items() if len(found) > 1} == {}


@in_every_language
def test_phrases_matched_within_longer_blocks_are_not_too_short(file: Traversable) -> None:
    # Bylines are looked for at the edges of a text only, so "By" and "Von" may begin them.
    found = [(kind, phrase) for role, kind, phrase in entries(file) if kind != "line" and role != "author"]
    assert [phrase for kind, phrase in found if len(comparable(kind, phrase)) < shortest(phrase)] == []


@in_every_language
def test_a_phrase_at_the_start_of_a_block_is_more_than_a_number(file: Traversable) -> None:
    # "© 0" would be looked up as "0" and hit every line that begins with a number.
    assert [phrase for _, kind, phrase in entries(file) if kind != "line" and not re.search(r"[^\W\d_]", phrase)] == []


@in_every_language
def test_sections_are_whole_lines_and_bylines_are_starts(file: Traversable) -> None:
    table = read(file)
    assert set(table.get("section", {})) <= {"line"}
    assert set(table.get("author", {})) <= {"start"}


def test_every_line_phrase_is_found_by_the_lexicon() -> None:
    phrases = read_phrases()
    lexicon = Lexicon(phrases)
    whole = [phrase for phrase in phrases if phrase.how == "line"]
    assert [phrase.text for phrase in whole if (hit := lexicon.find(phrase.text)) is None or hit.how != "line"] == []


@pytest.mark.parametrize(
    "prose",
    [
        "We and our partners will stand by Ukraine for as long as it takes.",
        "“You have reached an agreement”, the president told reporters.",
        "Share prices on the Frankfurt exchange fell on Tuesday.",
        "Advertising revenue at the broadcaster fell by 12 percent.",
        "Related charges against two other officers were dropped.",
        "Der Beitrag der Schweiz zum Wiederaufbau ist umstritten.",
        "Sie haben bereits ein Gesetz dazu verabschiedet.",
        "Mehr aus Zufall fanden Wanderer die Leiche.",
        "Pour soutenir l'Ukraine, Paris promet de nouvelles livraisons.",
        "Nosotros y nuestros socios no vamos a ceder, dijo el ministro.",
        "Comentarios del presidente provocaron una crisis diplomática.",
        "Abbonati a un servizio che non funziona, i cittadini protestano.",
        "Para ter acesso a medicamentos, doentes esperam meses.",
        "Ακολουθήστε το παράδειγμα της Πορτογαλίας, λέει ο οικονομολόγος.",
        "Om deze inhoud te begrijpen is kennis van de geschiedenis nodig.",
        "Komentarze rządu wywołały burzę w parlamencie.",
        "Kaynak sıkıntısı çeken belediyeler yardım bekliyor.",
        "Folgen",
        "Kommentar",
        "Conclusion",
        "Background",
        "Hintergrund",
    ],
)
def test_prose_and_plain_subheadings_are_left_alone(prose: str) -> None:
    hit = Lexicon(read_phrases()).find(prose)
    # Section names count above the story only, where a line cannot be a subheading.
    assert hit is None or hit.role == "section"


def comparable(kind: str, phrase: str) -> str:
    """The phrase as it is looked up: in `start` and `inside` its end counts."""
    return normalise(phrase) if kind == "line" else re.sub(r"^[\W_]+", "", fold(phrase))


def shortest(phrase: str) -> int:
    return _SHORTEST_DENSE if _DENSE.search(phrase) else _SHORTEST
