"""Addresses, hashtags and mentions come through a translation as they were."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normalize.translate.entities import Piece, entities, pieces, protect, restore

quick = settings(deadline=None, database=None, derandomize=True, max_examples=300)

TEXTS = st.text(max_size=100) | st.lists(
    st.sampled_from(
        ["https://a.example/b", "www.a.example", "#hafen", "#", "@ana", "@", "x@a.example", " ", "  ", ".", ",", "Wort", "ナイス", "(", ")", "\n", "İ"]
    ),
    max_size=12,
).map("".join)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Mehr: https://a.example/x?y=1&z=2#top.", ["https://a.example/x?y=1&z=2#top"]),
        ("(siehe www.a.example/b)", ["www.a.example/b"]),
        ("https://de.example/wiki/Bank_(Möbel), sagte er", ["https://de.example/wiki/Bank_(Möbel)"]),
        ("https://ru.example/wiki/Москва здесь", ["https://ru.example/wiki/Москва"]),
        ("詳細はhttps://a.example/をご覧ください。", ["https://a.example/"]),
        ("Write to news.desk+tips@mail.a.example!", ["news.desk+tips@mail.a.example"]),
        ("#café, #東京 #हिन्दी_दिवस #2024Wahl", ["#café", "#東京", "#हिन्दी_दिवस", "#2024Wahl"]),
        ("#话题# 今天", ["#话题#"]),
        ("RT @ana_b: @bo.", ["@ana_b", "@bo"]),
        ("Platz #1, C#, &#39; a @ b, 3@4", []),
        ("http://", []),
        ("", []),
    ],
)
def test_entities_are_found_as_they_stand(text: str, found: list[str]) -> None:
    assert entities(text) == found


@pytest.mark.parametrize(
    ("sentence", "cut"),
    [
        (
            "Der Hafen öffnet. #hafen #wien https://a.example",
            [("Der Hafen öffnet.", False), (" #hafen #wien https://a.example", True)],
        ),
        (
            "@ana: Siehe https://a.example, dann geht es.",
            [("@ana", True), (": Siehe", False), (" https://a.example", True), (", dann geht es.", False)],
        ),
        ("#hafen", [("#hafen", True)]),
        ("Kein Zeichen.", [("Kein Zeichen.", False)]),
        ("", []),
    ],
)
def test_a_sentence_is_cut_at_its_entities(sentence: str, cut: list[tuple[str, bool]]) -> None:
    assert pieces(sentence) == tuple(Piece(text, keep=keep) for text, keep in cut)


@quick
@given(TEXTS)
def test_no_cut_loses_or_adds_a_character(text: str) -> None:
    cut = pieces(text)
    assert "".join(piece.text for piece in cut) == text
    assert all(piece.text and (piece.keep or piece.text.strip() == piece.text) for piece in cut)
    kept = protect(text)
    assert kept.head + kept.text + kept.tail == text


@quick
@given(TEXTS)
def test_every_entity_lies_in_a_piece_that_is_kept(text: str) -> None:
    kept = "\0".join(piece.text for piece in pieces(text) if piece.keep)
    at = 0
    for entity in entities(text):
        at = kept.index(entity, at) + len(entity)


@quick
@given(TEXTS, TEXTS)
def test_what_is_restored_has_the_entities_of_the_sentence(text: str, translated: str) -> None:
    protected = protect(text)
    restored = restore(translated, protected)
    if restored is not None:
        assert entities(restored) == entities(protected.head) + list(protected.entities) + entities(protected.tail)


@pytest.mark.parametrize("text", ["Siehe https://a.example/b an.", "@ana Hallo #zug!", "Vor a@b.example und danach"])
def test_a_translation_that_changed_nothing_is_restored_as_it_was(text: str) -> None:
    protected = protect(text)
    assert restore(protected.text, protected) == text


SEE = protect("Siehe #Zug und https://a.example/B für mehr")


@pytest.mark.parametrize(
    ("translated", "restored"),
    [
        ("See #Zug and https://a.example/B for more", "See #Zug and https://a.example/B for more"),
        ("See # zug and https: / / a. example / b for more", "See #Zug and https://a.example/B for more"),
        ("See #train and https://a.example/B for more", None),
        ("See #Zug and #Zug and https://a.example/B for more", None),
        ("See https://a.example/B and #Zug for more", None),
        ("See #Zug and https://a.example/Bfor more", None),
        ("", None),
    ],
)
def test_spaces_and_capitals_are_mended_and_nothing_else(translated: str, restored: str | None) -> None:
    assert restore(translated, SEE) == restored


@pytest.mark.parametrize(
    "unit", ["@", "#", "a@", "www.", "https://", ".", "a.", "#a", "@a.", "(", ")", "a-@", "#\u200d"]
)
def test_hostile_texts_take_linear_time(unit: str) -> None:
    spent = []
    for size in (10_000, 100_000):
        text = unit * (size // len(unit))
        before = time.process_time()
        pieces(text)
        protect(f"x {text} y")
        spent.append(time.process_time() - before)
    assert spent[1] < 40 * spent[0] + 0.3
