"""What stands above and below the column of the story goes, and what was dropped from its middle comes back."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalize.column import at_least, check_column, is_long
from normalize.segments import Place, Segment

PROSE = "The ferry sailed again on Monday with more than two hundred people on board, and the harbour staff waved from the pier."
LONG = f"{PROSE} It had been repaired for eleven months."
SHORT = "Weather: rain"


def piece(
    text: str = LONG, column: int = 1, *, places: Sequence[Place] = (), links: float = 0.0, element: str = "p"
) -> Segment:
    return Segment(
        text=text,
        element=element,
        places=frozenset(places),
        link_chars=round(links * len(text)),
        column=column,
        bold_chars=0,
    )


def verdicts(*segments: tuple[Segment, bool]) -> list[str | None]:
    return check_column([segment for segment, _ in segments], [kept for _, kept in segments])


def test_where_the_extractor_kept_the_column_its_word_stands() -> None:
    assert verdicts((piece(), True), (piece(SHORT), True), (piece(), True)) == [None, None, None]


def test_short_pieces_outside_the_column_go_and_those_inside_stay() -> None:
    menu, ticker = piece("Sport", 2), piece(SHORT, 3)
    assert verdicts((menu, True), (piece(), True), (piece("Aside", 4), True), (piece(), True), (ticker, True)) == [
        "column:outside", None, None, None, "column:outside",
    ]  # fmt: skip


def test_long_prose_outside_the_column_stays_where_it_was_kept() -> None:
    assert verdicts((piece(LONG, 2), True), (piece(), True), (piece(), True)) == [None, None, None]


def test_a_paragraph_dropped_from_the_middle_comes_back() -> None:
    assert verdicts((piece(), True), (piece(), False), (piece(), True)) == [None, "column:story", None]


@pytest.mark.parametrize("place", ["ad", "related", "comments", "newsletter", "caption", "embed", "aside"])
def test_what_its_markup_calls_no_part_of_the_story_does_not_come_back(place: Place) -> None:
    assert verdicts((piece(), True), (piece(places=[place]), False), (piece(), True)) == [None, None, None]


def test_links_and_short_lines_do_not_come_back() -> None:
    assert verdicts((piece(), True), (piece(links=0.9), False), (piece(SHORT), False), (piece(), True)) == [None] * 4


def test_a_dropped_heading_comes_back_when_the_text_below_it_was_kept() -> None:
    heading = piece("Who pays", element="h2")
    assert verdicts((piece(), True), (heading, False), (piece(), True)) == [None, "column:story", None]
    assert verdicts((piece(), True), (heading, False), (piece(SHORT), False), (piece(), True)) == [None] * 4


def test_a_short_quotation_of_the_column_comes_back() -> None:
    quote = piece("“We sail.”", places=["quote"])
    assert verdicts((piece(), True), (quote, False), (piece(), True)) == [None, "column:story", None]


def test_a_great_column_that_the_extractor_missed_is_taken_whole() -> None:
    forum = (piece(PROSE, 2), True)
    column = [(piece(), False) for _ in range(8)]
    assert verdicts(forum, *column) == ["column:outside", *["column:story"] * 8]


def test_a_column_of_prose_in_the_margin_is_never_taken() -> None:
    column = [(piece(places=["comments"]), False) for _ in range(8)]
    assert verdicts((piece(PROSE, 2), True), *column) == [None] * 9


def test_a_page_without_prose_is_left_alone() -> None:
    assert verdicts((piece("OK"), True), (piece("Cancel"), False)) == [None, None]
    assert check_column([], []) == []


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("x" * 120, True),
        ("x" * 119, False),
        ("漢" * 46, True),
        ("漢" * 45, False),
        ("かな漢字" * 12, True),
        ("한" * 46, True),
        ("", False),
    ],
)
def test_dense_scripts_say_as_much_in_a_third_of_the_characters(text: str, answer: bool) -> None:  # noqa: FBT001  (a table)
    assert is_long(text) is answer


def test_a_few_han_characters_in_a_latin_line_do_not_make_it_long() -> None:
    assert not at_least("Tokyo (東京) is the capital of Japan and a city", 120)


@given(
    st.lists(st.tuples(st.sampled_from([LONG, PROSE, SHORT, "漢" * 50]), st.integers(0, 3), st.booleans()), max_size=12)
)
def test_verdicts_only_ever_turn_a_segment_round(shapes: list[tuple[str, int, bool]]) -> None:
    segments = [piece(text, column) for text, column, _ in shapes]
    kept = [keep for _, _, keep in shapes]
    answers = check_column(segments, kept)
    assert len(answers) == len(segments)
    for keep, answer in zip(kept, answers, strict=True):
        assert answer != "column:outside" or keep
        assert answer in {None, "column:story", "column:outside"}
