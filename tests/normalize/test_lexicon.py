"""Phrases are found by the words of a line: whole, at its start or inside it, in every language at once."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normalize.boilerplate.lexicon import How, Lexicon, Phrase, fold, load_lexicon, normalise
from schemas.document import RemovedRole

quick = settings(deadline=None, database=None, derandomize=True, max_examples=150)


def lexicon(*phrases: tuple[RemovedRole, How, str]) -> Lexicon:
    return Lexicon(Phrase(language="en", role=role, how=how, text=text) for role, how, text in phrases)


def role(known: Lexicon, text: str) -> str | None:
    hit = known.find(text)
    return hit.role if hit else None


@pytest.mark.parametrize(
    "text",
    [
        "Advertisement",
        "ADVERTISEMENT",
        "  advertisement ",
        "— Advertisement —",
        "Advertisement:",
        "ａｄｖｅｒｔｉｓｅｍｅｎｔ",
        "[Advertisement]",
    ],
)
def test_a_line_is_found_whatever_its_case_width_and_punctuation(text: str) -> None:
    assert role(lexicon(("ad", "line", "Advertisement")), text) == "ad"


@pytest.mark.parametrize("text", ["Advertisement revenue fell", "No advertisement", "Advertisements", "", " ", "…"])
def test_a_line_is_found_only_whole(text: str) -> None:
    assert role(lexicon(("ad", "line", "Advertisement")), text) is None


def test_numbers_are_all_the_same() -> None:
    known = lexicon(("comments", "line", "12 comments"))
    assert role(known, "3 comments") == role(known, "1,204 comments".replace(",", "")) == "comments"


def test_a_start_is_found_at_the_start_and_at_the_end_of_a_word() -> None:
    known = lexicon(("author", "start", "By"))
    assert role(known, "By Ann Lee") == "author"
    assert role(known, "» by Ann Lee") == "author"
    assert role(known, "Byron wrote this") is None
    assert role(known, "A poem by Byron") is None


def test_a_phrase_inside_is_found_anywhere_between_words() -> None:
    known = lexicon(("cookie", "inside", "use cookies"))
    assert role(known, "We use cookies to count readers.") == "cookie"
    assert role(known, "They reuse cookiesheets.") is None


def test_the_longest_start_decides() -> None:
    known = lexicon(("author", "start", "Photo by"), ("credit", "start", "Photo by the agency"))
    assert role(known, "Photo by Ann Lee") == "author"
    assert role(known, "Photo by the agency Lee") == "credit"


def test_whole_lines_count_before_starts_and_starts_before_what_is_inside() -> None:
    known = lexicon(("related", "inside", "also"), ("share", "start", "read"), ("ad", "line", "read also"))
    assert [role(known, text) for text in ("Read also", "Read this also", "See also")] == ["ad", "share", "related"]


def test_of_two_equal_lines_the_first_counts() -> None:
    assert role(lexicon(("ad", "line", "Promo"), ("related", "line", "promo")), "PROMO") == "ad"


@pytest.mark.parametrize(("text", "found"), [("広告を閉じる", "ad"), ("【広告】今日の特集", "ad"), ("この広告", None)])
def test_in_scripts_without_spaces_words_end_anywhere(text: str, found: str | None) -> None:
    assert role(lexicon(("ad", "start", "広告")), text) == found


def test_vowel_signs_belong_to_the_word() -> None:
    # The sign at the end makes another word.
    assert normalise("« हिन्दी »") == "हिन्दी"
    assert role(lexicon(("section", "line", "खेल")), "खेलो") is None


@pytest.mark.parametrize(("how", "longest"), [("start", 200), ("inside", 300)])
def test_long_lines_are_prose_whatever_they_contain(how: How, longest: int) -> None:
    known = lexicon(("ad", how, "sponsored by"))
    text = "Sponsored by the harbour ".ljust(longest, "x")
    assert role(known, text) == "ad"
    assert role(known, text + "x") is None


def test_a_hit_names_language_phrase_and_place() -> None:
    hit = lexicon(("author", "start", "Written by:")).find("» Written by: Ann")
    assert hit
    assert (hit.rule, hit.phrase, hit.how, hit.begin, hit.end) == (
        "lexicon:en:written by",
        "Written by:",
        "start",
        0,
        11,
    )


def test_photo_credits_are_found_anywhere_in_a_caption() -> None:
    known = lexicon(("credit", "start", "Photo:"), ("ad", "start", "Photo"))
    assert [hit.phrase for hit in known.credits("A ferry. Photo: Ann Lee")] == ["Photo:"]
    assert known.credits("A ferry.") == []


def test_an_empty_lexicon_finds_nothing() -> None:
    assert Lexicon([]).find("Advertisement") is None


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("Advertisement", "ad"), ("Anzeige", "ad"), ("Publicité", "ad"), ("Publicidad", "ad"), ("Διαφήμιση", "ad"), ("Реклама", "ad"), ("広告", "ad"),
        ("Διαβάστε επίσης", "related"), ("Lesen Sie auch", "related"), ("Lire aussi", "related"), ("Читайте также", "related"), ("Czytaj także", "related"),
        ("Teilen", "share"), ("Share on Facebook", "share"), ("Compartilhar", "share"),
        ("Kommentare", "comments"), ("Σχόλια αναγνωστών", "comments"), ("Comments", "comments"),
        ("Home", "navigation"), ("Αρχική", "navigation"), ("Главная", "navigation"),
        ("Alle Rechte vorbehalten", "legal"), ("All rights reserved", "legal"),
    ],
)  # fmt: skip
def test_the_lexicon_that_comes_along_knows_the_common_lines(text: str, role: str) -> None:
    hit = load_lexicon().find(text)
    assert hit
    assert hit.role == role


@quick
@given(st.text(max_size=350))
def test_any_line_gets_an_answer_that_stands_in_it(text: str) -> None:
    hit = load_lexicon().find(text)
    assert hit is None or 0 <= hit.begin < hit.end <= len(fold(text))


@quick
@given(st.text(max_size=60))
def test_folding_twice_is_folding_once(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
