"""Text comes out as its author typed it: damage is undone and noted, sound text in any language stays as it is."""

import tomllib
import unicodedata
from dataclasses import replace
from functools import cache
from typing import Any

import ftfy.badness
import pytest
from case_files import parameters, read_cases
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import SEEDS
from small_pages import claim, page

from normalize.codepages import find_codepage, is_suspicious, reread
from normalize.repair import may_be_misread, repair, repair_strings
from schemas.document import Image

CASES = read_cases("repair.toml")

quick = settings(deadline=None, database=None, derandomize=True, max_examples=200)

#: Languages of the sample documents, with the code pages that their news was written in before Unicode.
CODE_PAGES = (
    ("ru", "cp1251"), ("ru", "koi8-r"), ("uk", "cp1251"), ("bg", "cp1251"), ("sr", "cp1251"), ("el", "cp1253"),
    ("he", "cp1255"), ("ar", "cp1256"), ("zh-Hans", "gb18030"), ("zh-Hant", "big5hkscs"), ("ja", "cp932"), ("ko", "cp949"),
)  # fmt: skip


@cache
def paragraphs() -> dict[str, tuple[str, ...]]:
    """The paragraphs that the sample documents should give, by language."""
    found: dict[str, tuple[str, ...]] = {}
    for file in sorted((SEEDS / "expected").glob("*.toml")):
        record = tomllib.loads(file.read_text("utf-8")).get("record")
        if isinstance(record, dict):
            texts = tuple(unicodedata.normalize("NFC", one["text"]) for one in record.get("paragraphs", ()))
            found[record["lang"]] = found.get(record["lang"], ()) + texts
    return found


@st.composite
def sound_pieces(draw: st.DrawFn) -> str:
    """A few words on end from a sound paragraph in one of the languages, also in capitals."""
    language = draw(st.sampled_from(sorted(paragraphs())))
    words = draw(st.sampled_from(paragraphs()[language])).split(" ")
    start = draw(st.integers(0, len(words) - 1))
    piece = " ".join(words[start : draw(st.integers(start + 1, len(words)))])
    return unicodedata.normalize("NFC", piece.upper() if draw(st.booleans()) else piece)


@pytest.mark.parametrize("case", parameters(CASES))
def test_strings_come_out_as_their_case_says(case: dict[str, Any]) -> None:
    changed, notes = repair_strings(case["before"])
    assert [changed.get(text, text) for text in case["before"]] == [
        unicodedata.normalize("NFC", text) for text in case.get("after", case["before"])
    ]
    if "after" not in case:
        assert notes == ()
    elif "notes" in case:
        assert notes == tuple(case["notes"])
    else:
        assert notes or case["before"] == case["after"]


def test_the_names_of_the_cases_are_unique() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES)


def test_the_samples_are_in_at_least_twenty_languages() -> None:
    assert len(paragraphs()) >= 20


@pytest.mark.parametrize("language", sorted(paragraphs()))
def test_sound_paragraphs_stay_as_they_are_together_and_alone(language: str) -> None:
    texts = list(paragraphs()[language])
    assert repair_strings(texts) == ({}, ())
    assert [text for text in texts if repair_strings([text]) != ({}, ())] == []


@quick
@given(st.lists(sound_pieces(), min_size=1, max_size=6))
def test_pieces_of_sound_text_in_any_mixture_of_languages_stay_as_they_are(pieces: list[str]) -> None:
    assert repair_strings(pieces) == ({}, ())


@quick
@given(st.lists(st.text(st.characters(max_codepoint=0x7F)), max_size=5))
def test_ascii_is_never_changed(strings: list[str]) -> None:
    assert repair_strings(strings) == ({}, ())


@quick
@given(st.lists(st.text(), max_size=5))
def test_any_text_comes_out_composed_and_no_change_goes_without_a_note(strings: list[str]) -> None:
    changed, notes = repair_strings(strings)
    assert bool(changed) <= bool(notes)
    for text in strings:
        better = changed.get(text, text)
        assert text.isascii() or unicodedata.is_normalized("NFC", better)


@pytest.mark.parametrize("reader", ["latin-1", "sloppy-windows-1252"])
@pytest.mark.parametrize(("language", "code_page"), CODE_PAGES)
def test_news_of_an_old_code_page_is_read_again_in_it(language: str, code_page: str, reader: str) -> None:
    sound = [text.encode(code_page, "ignore").decode(code_page) for text in paragraphs()[language]]
    damaged = [text.encode(code_page).decode(reader) for text in sound]
    changed, notes = repair_strings(damaged)
    assert [changed.get(text, text) for text in damaged] == [unicodedata.normalize("NFC", text) for text in sound]
    assert notes[0] == f"codepage:{code_page} x {len(set(damaged))}"


@pytest.mark.parametrize("reader", ["latin-1", "sloppy-windows-1252"])
@pytest.mark.parametrize("language", sorted(paragraphs()))
def test_utf8_that_was_read_as_something_else_is_read_again(language: str, reader: str) -> None:
    sound = paragraphs()[language]
    damaged = [text.encode().decode(reader) for text in sound]
    changed, _ = repair_strings(damaged)
    assert [changed.get(text, text) for text in damaged] == list(sound)


# ---- the verdict on code pages -------------------------------------------------------------------------


def test_a_verdict_needs_more_than_a_few_letters() -> None:
    assert find_codepage(["Ïðèâåò"]) is None
    assert find_codepage(["Ïðèâåò", "âñåì"]) == "cp1251"


def test_utf8_in_disguise_is_left_to_ftfy() -> None:
    assert find_codepage(["Привет всем читателям".encode().decode("latin-1")]) is None


@pytest.mark.parametrize("run", ["", "OK", "Êxtase é água", "Привет всем", "It is 3 °C"])
def test_sound_runs_are_not_suspicious(run: str) -> None:
    assert not is_suspicious(run)
    assert reread(run, "cp1251") is None


def test_a_run_that_the_code_page_cannot_hold_is_left_alone() -> None:
    assert reread("Ïðèâåò \u0081", "cp1253") is None


@quick
@given(st.lists(st.text(st.characters(min_codepoint=0x80, max_codepoint=0xFF), min_size=3), max_size=4))
def test_any_bytes_beyond_ascii_get_a_verdict_or_none(runs: list[str]) -> None:
    found = find_codepage(runs)
    for run in runs:
        again = reread(run, found) if found else None
        assert again is None or again.encode(found or "utf-8")


# ---- on a page -------------------------------------------------------------------------------------------


def test_blocks_claims_and_captions_of_a_page_are_repaired_together() -> None:
    damaged = replace(
        page(
            "Ãîðîäñêîé ñîâåò óòâåðäèë ïðîåêò íîâîãî ìîñòà",
            claims=(claim("title", "Íîâûé ìîñò"), claim("lang", "ru")),
        ),
        images=(Image(url="/a.jpg", alt="Ìîñò", caption="Ñòàðûé ìîñò", credit=None),),
        fixes=("drop_nul x 1",),
    )
    sound = repair(damaged)
    assert [block.text for block in sound.blocks] == ["Городской совет утвердил проект нового моста"]
    assert [one.value for one in sound.claims] == ["Новый мост", "ru"]
    assert sound.images == (Image(url="/a.jpg", alt="Мост", caption="Старый мост", credit=None),)
    assert sound.fixes == ("drop_nul x 1", "codepage:cp1251 x 4")


def test_what_was_nothing_but_invisible_characters_is_gone() -> None:
    sound = repair(page("\u00ad\ufeff", "Élection", claims=(claim("title", "\ufeff"), claim("title", "Élection"))))
    assert [block.text for block in sound.blocks] == ["Élection"]
    assert [one.value for one in sound.claims] == ["Élection"]


def test_a_sound_page_is_given_back_as_it_is() -> None:
    sound = page("Ο δήμος υπέγραψε χθες τη σύμβαση.", claims=(claim("title", "Νέα σύμβαση"),))
    assert repair(sound) is sound


#: Everything that ftfy's pattern names, its ranges by their ends, and what may stand around it.
MARKS = "".join(ftfy.badness.MOJIBAKE_CATEGORIES.values()) + "aZ1. ŒœÂÃÐØÙà√≈‚вЂГўВβ€Βā\xa0°´×"


@settings(deadline=None, database=None, derandomize=True, max_examples=5_000)
@given(st.text(MARKS, min_size=1, max_size=6))
def test_nothing_that_ftfy_takes_for_misread_is_passed_over(text: str) -> None:
    assert may_be_misread(text) or not ftfy.badness.is_bad(text)


@pytest.mark.parametrize("text", ["Die Müllabfuhr fährt früher", "“We’re late,” she said", "déjà vu à Nîmes"])
def test_sound_latin_text_is_not_looked_at_twice(text: str) -> None:
    assert not may_be_misread(text)
