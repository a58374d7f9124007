"""The order of blocks says what is repeated, what a heading opens, and what shape a line of a dump has."""

import pytest
from hostile import STORY
from hypothesis import given, settings
from hypothesis import strategies as st
from small_pages import claimed, cut, dump, kept, left_out, line, page

from normalize.boilerplate.lines import by_phrase
from normalize.boilerplate.sections import openings, own_stories, repeats
from normalize.boilerplate.shape import headings_and_quotes
from schemas.document import Block, Page

quick = settings(deadline=None, database=None, derandomize=True, max_examples=150)

ONE, TWO, THREE = STORY


def opened(*blocks: str | Block) -> Page:
    """The page after its phrases are known and what they open is followed."""
    return openings(by_phrase(page(*blocks)))


# ---- repeated texts --------------------------------------------------------------------------------------


def test_of_two_equal_paragraphs_the_first_stays() -> None:
    found = repeats(page(ONE, TWO, ONE))
    assert [block.role for block in found.blocks] == ["paragraph", "paragraph", "duplicate"]


def test_a_standfirst_that_opens_the_text_again_is_said_once() -> None:
    deck = line("The crossing takes three hours and costs less than before.", role="deck")
    assert kept(repeats(page(deck, "The crossing takes three hours and costs less than before.", ONE))) == [
        deck.text,
        ONE,
    ]


def test_short_lines_may_stand_twice() -> None:
    assert kept(repeats(page("Who pays?", ONE, "Who pays?", TWO))) == ["Who pays?", ONE, "Who pays?", TWO]


def test_a_page_is_not_emptied_of_the_only_text_it_has() -> None:
    assert kept(repeats(page(ONE, ONE, ONE))) == [ONE, ONE, ONE]


def test_a_sentence_that_stands_before_each_embedded_post_is_no_story() -> None:
    asked = "To see what this network has to show here, its scripts must be allowed to run."
    story = [f"{ONE} {number} {TWO}" for number in range(4)]
    found = repeats(page(story[0], asked, story[1], asked, story[2], asked, story[3]))
    assert kept(found) == story
    assert cut(found) == {asked: "duplicate"}


def test_the_same_question_to_several_people_stays() -> None:
    asked = "What do you expect of the new ferry when it starts to run next spring?"
    story = [ONE, asked, TWO * 2, asked, THREE * 2, asked, ONE + TWO]
    assert kept(repeats(page(*story))) == story


def test_a_page_that_is_built_of_repetitions_is_left_alone() -> None:
    answers = [f"{ONE} Answer number {number}." for number in range(4)] * 2
    assert kept(repeats(page(*answers))) == answers


# ---- headings that open something -----------------------------------------------------------------------


def test_comments_beside_the_story_end_where_its_headline_stands() -> None:
    found = opened(ONE * 5, "Comments", "I was there!", line("The ferry sails", role="title", keep=False), TWO, THREE)
    assert kept(found) == [ONE * 5, TWO, THREE]


def test_comments_go_on_to_the_end_of_the_page() -> None:
    found = opened(ONE, TWO, "Comments", "I was there!", "A long comment by somebody. " * 8)
    assert kept(found) == [ONE, TWO]
    assert set(cut(found).values()) == {"comments"}


def test_a_heading_of_comments_above_the_story_opens_nothing() -> None:
    assert kept(opened("Comments", ONE, TWO)) == [ONE, TWO]


def test_pointers_to_other_stories_end_where_prose_begins() -> None:
    found = opened(ONE, "Read also", "Pier opens in May", "New crane for the port", TWO, THREE)
    assert kept(found) == [ONE, TWO, THREE]
    assert cut(found)["New crane for the port"] == "related"


def test_a_subheading_over_prose_closes_the_pointers() -> None:
    found = opened(ONE, "Read also", "Pier opens in May", line("Who pays", role="heading", element="h2"), TWO)
    assert kept(found) == [ONE, "Who pays", TWO]


def test_links_below_the_pointers_go_however_long_they_are() -> None:
    assert kept(opened(ONE, TWO, "Read also", line(THREE, link_density=1.0))) == [ONE, TWO]


def test_the_foot_of_the_page_closes_what_was_open() -> None:
    found = opened(ONE, TWO, "Comments", "Mine.", "All rights reserved", left_out("Pier two"))
    assert cut(found)["Pier two"] == "boilerplate"


def test_what_was_left_out_is_named_by_what_opened_it() -> None:
    assert cut(opened(ONE, TWO, "Read also", left_out("Pier opens in May")))["Pier opens in May"] == "related"


# ---- a site's own earlier stories -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "site"),
    [
        ("Previously, “FACTS” wrote that Zelenskyy put forward a condition.", "FACTS"),
        ("Нагадаємо, «Факти» писали про нову умову.", "Факти"),
        ("Ранее «Гавань» сообщала о ремонте моста.", "Гавань"),
    ],
)
def test_a_closing_line_about_the_sites_own_story_goes_and_names_the_site(text: str, site: str) -> None:
    found = own_stories(page(ONE, TWO, THREE, text))
    assert (kept(found), claimed(found, "publisher_hint")) == ([ONE, TWO, THREE], [site])


def test_the_same_words_in_the_middle_of_a_story_stay() -> None:
    text = "Previously, “FACTS” wrote that the pier was safe."
    assert kept(own_stories(page(ONE, text, TWO, THREE, ONE, TWO))) == [ONE, text, TWO, THREE, ONE, TWO]


def test_a_sentence_about_what_somebody_said_before_stays() -> None:
    text = "Previously, the mayor said that “nobody” would pay."
    assert kept(own_stories(page(ONE, TWO, THREE, text))) == [ONE, TWO, THREE, text]


# ---- the shape of lines in a dump -----------------------------------------------------------------------


def shapes(*blocks: str | Block) -> list[str]:
    return [block.role for block in headings_and_quotes(dump(*blocks)).blocks]


def test_a_short_line_without_a_full_stop_over_a_longer_one_is_a_heading() -> None:
    assert shapes(ONE, "Who pays", TWO) == ["paragraph", "heading", "paragraph"]


@pytest.mark.parametrize("text", ["It sailed.", "It carried:", "Ann Lee,", "Who pays?", "誰が払う。"])
def test_a_line_that_ends_a_sentence_or_goes_on_is_no_heading(text: str) -> None:
    assert shapes(ONE, text, TWO) == ["paragraph"] * 3


def test_the_last_line_heads_nothing() -> None:
    assert shapes(ONE, TWO, "Ann Lee") == ["paragraph"] * 3


@pytest.mark.parametrize("text", ["“We sail.”", '"We sail."', "«Ξεκινάμε.»", "„Wir fahren.“", "「出港する」"])
def test_a_quotation_between_blank_lines_is_a_quote(text: str) -> None:
    assert shapes(ONE, text, TWO) == ["paragraph", "quote", "paragraph"]


def test_a_quotation_among_running_lines_is_a_paragraph() -> None:
    assert shapes(ONE, line("“We sail.”", spaced=False), line(TWO, spaced=False)) == ["paragraph"] * 3


def test_markup_says_the_shape_of_html() -> None:
    before = page(ONE, "Who pays", TWO)
    assert headings_and_quotes(before) is before


TEXTS = st.sampled_from(
    [
        ONE,
        TWO,
        THREE,
        "Comments",
        "Read also",
        "Who pays",
        "“We sail.”",
        "Previously, “FACTS” wrote this.",
        "All rights reserved",
    ]
)


@quick
@given(st.lists(st.tuples(TEXTS, st.booleans()), max_size=10))
def test_no_rule_of_order_loses_or_changes_a_text(shapes: list[tuple[str, bool]]) -> None:
    found = by_phrase(page(*(line(text) if keep else left_out(text) for text, keep in shapes)))
    for rule in (openings, own_stories, repeats, headings_and_quotes):
        found = rule(found)
    assert [block.text for block in found.blocks] == [text for text, _ in shapes]
