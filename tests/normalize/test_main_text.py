"""The paragraphs of the story are found again among the pieces of the page, and none is lost."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from small_pages import OPTIONS, web

from normalize.main_text import find_paragraphs, key, story_paragraphs
from normalize.segments import Segment, parse, segment

quick = settings(deadline=None, database=None, derandomize=True, max_examples=150)

LONG = (
    "The night ferry to the island sailed again on Monday, eleven months after the storm that broke the northern pier."
)
OTHER = "Engineers had replaced forty metres of timber and moved the ticket office to higher ground over the winter."


def piece(text: str) -> Segment:
    return Segment(text=text, element="p", places=frozenset(), link_chars=0, column=1, bold_chars=0)


def found(page: list[str], story: list[str]) -> tuple[list[str], list[tuple[int, str]]]:
    """The texts that were kept, and the paragraphs that no segment covers."""
    kept, missing = find_paragraphs([piece(text) for text in page], story)
    return [text for text, keep in zip(page, kept, strict=True) if keep], missing


def test_a_paragraph_is_found_whatever_its_spacing_case_and_punctuation() -> None:
    assert found(["Menu", "“The  ferry” sails.", "Foot"], ["THE FERRY sails"]) == (["“The  ferry” sails."], [])


def test_a_paragraph_that_holds_several_pieces_keeps_them_all() -> None:
    assert found(["Menu", "The ferry", "sails at noon."], ["The ferry sails at noon."]) == (
        ["The ferry", "sails at noon."],
        [],
    )


def test_a_piece_that_holds_several_paragraphs_is_kept_and_none_is_missing() -> None:
    assert found([f"{LONG} {OTHER}"], [LONG, OTHER]) == ([f"{LONG} {OTHER}"], [])


def test_of_two_equal_texts_the_one_between_its_neighbours_is_kept() -> None:
    page = ["Read more", LONG, "Read more", OTHER, "Read more"]
    kept, missing = find_paragraphs([piece(text) for text in page], [LONG, "Read more", OTHER])
    assert kept == [False, True, True, True, False]
    assert missing == []


def test_a_paragraph_out_of_order_is_still_found_when_it_is_long() -> None:
    assert found([OTHER, LONG], [LONG, OTHER]) == ([OTHER, LONG], [])


def test_a_paragraph_that_the_page_does_not_have_is_missing_after_its_neighbour() -> None:
    assert found([LONG, OTHER], [LONG, "From the linked data alone.", OTHER])[1] == [(0, "From the linked data alone.")]


def test_a_missing_first_paragraph_stands_before_all() -> None:
    assert found([LONG], ["Nowhere on the page.", LONG])[1] == [(-1, "Nowhere on the page.")]


def test_a_paragraph_without_letters_is_not_asked_for() -> None:
    assert found(["***", LONG], ["***", LONG]) == ([LONG], [])


def test_nothing_is_found_in_nothing() -> None:
    assert find_paragraphs([], []) == ([], [])
    assert find_paragraphs([], [LONG]) == ([], [(-1, LONG)])


WORDS = st.sampled_from(["ferry", "pier", "storm", "Fähre", "λιμάνι", "港", "noon", "the", "7", "!"])
TEXTS = st.lists(WORDS, min_size=1, max_size=25).map(" ".join)


@quick
@given(page=st.lists(TEXTS, max_size=8), story=st.lists(TEXTS, max_size=8))
@example(page=["pier pier"], story=["pier"])
def test_no_paragraph_is_lost_it_is_in_a_kept_piece_or_missing(page: list[str], story: list[str]) -> None:
    kept, missing = find_paragraphs([piece(text) for text in page], story)
    keys = [key(text) for text, keep in zip(page, kept, strict=True) if keep]
    said = {text for _, text in missing}
    for paragraph in story:
        wanted = key(paragraph)
        # A paragraph built of several pieces counts as found when they hold most of it.
        pieces = sum(len(one) for one in keys if one and one in wanted)
        assert paragraph in said or wanted in "".join(keys) or 2 * pieces >= len(wanted)


@quick
@given(page=st.lists(TEXTS, max_size=8), story=st.lists(TEXTS, max_size=8))
def test_places_of_missing_paragraphs_are_in_page_order_and_on_the_page(page: list[str], story: list[str]) -> None:
    _, missing = find_paragraphs([piece(text) for text in page], story)
    places = [after for after, _ in missing]
    assert places == sorted(places)
    assert all(-1 <= after < max(1, len(page)) for after in places)


@quick
@given(page=st.lists(TEXTS, max_size=8, unique_by=key), data=st.data())
def test_whole_pieces_in_page_order_are_kept_exactly(page: list[str], data: st.DataObject) -> None:
    page = [text for text in page if key(text)]
    wanted = [data.draw(st.booleans()) for _ in page]
    kept, missing = find_paragraphs(
        [piece(text) for text in page], [text for text, want in zip(page, wanted, strict=True) if want]
    )
    assert (kept, missing) == (wanted, [])


# ---- asking the extractor --------------------------------------------------------------------------------


def story_of(markup: str) -> list[str]:
    tree = parse(markup, OPTIONS)
    return story_paragraphs(tree, segment(tree, OPTIONS))


def test_the_extractor_gives_the_story_and_not_the_menu() -> None:
    menu = "<nav><ul><li><a href='/'>Home</a></li><li><a href='/sport'>Sport</a></li></ul></nav>"
    paragraphs = story_of(web(above=menu, body=f"<p>{LONG}</p><p>{OTHER}</p>"))
    assert [text for text in paragraphs if text in {LONG, OTHER}] == [LONG, OTHER]
    assert "Sport" not in paragraphs


def test_a_page_of_the_old_kind_is_read_too() -> None:
    old = (
        f"<html><body><table><tr><td><a href='/'>Home</a></td><td>{LONG}<br><br>{OTHER}</td></tr></table></body></html>"
    )
    assert [text for text in (LONG, OTHER) if not any(text in paragraph for paragraph in story_of(old))] == []


def test_a_story_that_stands_in_an_aside_is_found_by_the_second_reading() -> None:
    text = "".join(f"<p>{LONG} {number}.</p><p>{OTHER} {number}.</p>" for number in range(4))
    found = " ".join(story_of(f"<html><body><div><p>Weather</p></div><aside><div>{text}</div></aside></body></html>"))
    assert f"{LONG} 0." in found


@pytest.mark.parametrize("markup", ["<html><body></body></html>", "<p></p>", "<script>x</script>"])
def test_a_page_without_text_has_no_story(markup: str) -> None:
    assert story_of(markup) == []
