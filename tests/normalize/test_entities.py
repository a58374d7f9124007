"""Addresses, hashtags and mentions come through a translation as they were."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normalize.translate.entities import Piece, entities, pieces

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


@quick
@given(TEXTS)
def test_every_entity_lies_in_a_piece_that_is_kept(text: str) -> None:
    kept = "\0".join(piece.text for piece in pieces(text) if piece.keep)
    at = 0
    for entity in entities(text):
        at = kept.index(entity, at) + len(entity)


@pytest.mark.parametrize(
    "unit", ["@", "#", "a@", "www.", "https://", ".", "a.", "#a", "@a.", "(", ")", "a-@", "#\u200d"]
)
def test_hostile_texts_are_cut_before_anybody_loses_patience(unit: str) -> None:
    text = unit * 100_000
    assert "".join(piece.text for piece in pieces(text)) == text
