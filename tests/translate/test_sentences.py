"""Texts are cut into sentences and put together again, and nothing gets lost on the way."""

import pytest
import sentencex
from hypothesis import given
from hypothesis import strategies as st

from normalize.translate.sentences import MOST_CHARS, Part, cut, join


def by_sentencex(language: str, text: str) -> tuple[Part, ...]:
    return cut(text, lambda whole: sentencex.segment(language, whole))


def sentences(language: str, text: str) -> list[str]:
    return [part.text for part in by_sentencex(language, text) if part.translate]


def put(language: str, text: str, target: str, **translated: str) -> str:
    parts = by_sentencex(language, text)
    given = {part.text: translated.get(part.text[:1], part.text.upper()) for part in parts if part.translate}
    return join(parts, given, target)


def test_a_paragraph_becomes_its_sentences() -> None:
    assert sentences("de", "Die Fähre kam um 3.30 Uhr. Dr. Weiß war an Bord.") == [
        "Die Fähre kam um 3.30 Uhr.",
        "Dr. Weiß war an Bord.",
    ]
    assert sentences("ja", "船が着いた。町は静かだ。") == ["船が着いた。", "町は静かだ。"]
    assert sentences("el", "Ήρθε; Ναι.") == ["Ήρθε;", "Ναι."]


def test_an_abbreviation_does_not_end_a_sentence_that_goes_on_in_small_letters() -> None:
    assert sentences("el", "Κόστισε 4,2 εκατ. ευρώ. Τώρα άνοιξε.") == ["Κόστισε 4,2 εκατ. ευρώ.", "Τώρα άνοιξε."]


@pytest.mark.parametrize("text", ["12:30", "…", "2026-01-07", "+49 30 1234", "🎉"])
def test_what_has_no_letter_is_left_alone(text: str) -> None:
    assert sentences("de", text) == []


def test_addresses_tags_and_names_stay_out_of_the_model() -> None:
    text = "Mehr dazu: https://akti.example/a?b=1#c oder an post@akti.example, sagt @akti_news. #Hafen"
    translated = put("de", text, "en")
    for entity in ("https://akti.example/a?b=1#c", "post@akti.example", "@akti_news", "#Hafen"):
        assert entity in translated
        assert not any(entity in sentence for sentence in sentences("de", text))


def test_sentences_without_a_space_between_them_get_one_in_a_language_that_has_spaces() -> None:
    assert (
        put("zh", "船到了。城很静。", "en", 船="The ship came.", 城="The town is quiet.")
        == "The ship came. The town is quiet."
    )


def test_a_language_without_spaces_gets_none_between_sentences_but_keeps_its_lines() -> None:
    assert put("en", "A ship came. It is quiet.", "zh", A="船到了。", I="很静。") == "船到了。很静。"
    assert put("en", "A ship came.\nIt is quiet.", "ja", A="船が着いた。", I="静かだ。") == "船が着いた。\n静かだ。"


def test_a_sentence_too_long_for_a_model_is_cut_between_clauses() -> None:
    text = ", ".join(f"der {number}. Wagen kam aus der Stadt am Fluss" for number in range(40)) + "."
    cuts = sentences("de", text)
    assert len(cuts) > 3
    assert all(len(clause) <= MOST_CHARS for clause in cuts)
    assert all(clause.endswith((",", ".")) for clause in cuts)


def test_chinese_counts_three_times_as_it_says_as_much_in_fewer_characters() -> None:
    cuts = sentences("zh", "，".join(["市议会昨晚决定重建旧港口旁边的图书馆"] * 30) + "。")
    assert all(len(clause) * 3 <= MOST_CHARS for clause in cuts)


def test_a_splitter_that_rewrites_the_text_loses_nothing_of_it() -> None:
    parts = cut("Ein Satz.  Noch\u00a0einer.", lambda _: ["Ein Satz.", "Noch einer."])
    assert "".join(part.text for part in parts) == "Ein Satz.  Noch\u00a0einer."
    assert [part.text for part in parts if part.translate] == ["Ein Satz.", "Noch\u00a0einer."]


@given(st.text(max_size=300), st.sampled_from(["de", "el", "zh", "th", "ar", "xx"]))
def test_the_parts_are_the_text(text: str, language: str) -> None:
    assert "".join(part.text for part in by_sentencex(language, text)) == text


@given(st.lists(st.sampled_from(["ab", "，", ", ", " ", "字", ". ", "\n", "#x", "; ", "9"]), max_size=2_000))
def test_the_parts_of_a_long_text_are_the_text_and_short_enough(pieces: list[str]) -> None:
    parts = by_sentencex("de", "".join(pieces))
    assert "".join(part.text for part in parts) == "".join(pieces)
    assert all(len(part.text) <= MOST_CHARS for part in parts if part.translate)


@pytest.mark.parametrize("text", ["a" * 200_000, "a " * 100_000, "字" * 100_000, ", " * 100_000, "a.b" * 60_000])
def test_hostile_texts_come_through_whole(text: str) -> None:
    # In quadratic time this would not end before somebody looks.
    assert "".join(part.text for part in by_sentencex("de", text)) == text
