"""What stands above the story is told apart: site, section, headline, byline, standfirst."""

from dataclasses import replace

import pytest
from hostile import STORY, TITLE
from hypothesis import given, settings
from hypothesis import strategies as st
from small_pages import article, claim, claimed, cleaned, cut, dump, kept, left_out, line, page, web

from normalize.boilerplate.head import head_of_dump, head_of_html, nameless_bylines
from schemas.document import Block, Image, Page

quick = settings(deadline=None, database=None, derandomize=True, max_examples=150)

ONE, TWO, _ = STORY
DECK = "The crossing takes three hours and costs less than before."


def date(text: str = "7 January 2026") -> Block:
    return line(text, role="date", keep=False, rule="line:date")


def roles(page: Page) -> dict[str, str]:
    return {block.text: block.role for block in page.blocks}


# ---- text dumps ------------------------------------------------------------------------------------------


def test_the_first_wordy_line_of_a_dump_is_its_headline() -> None:
    found = head_of_dump(dump(TITLE, ONE, TWO))
    assert (cut(found), claimed(found, "title")) == ({TITLE: "title"}, [TITLE])


def test_site_section_and_headline_come_in_that_order() -> None:
    found = head_of_dump(dump("Newsclip — Social News Discovery", "General", TITLE, date(), ONE, TWO))
    assert cut(found) == {
        "Newsclip — Social News Discovery": "site",
        "General": "section",
        TITLE: "title",
        "7 January 2026": "date",
    }
    assert (claimed(found, "publisher"), claimed(found, "section")) == (["Newsclip"], ["General"])


def test_a_headline_that_stands_twice_is_cut_twice() -> None:
    found = head_of_dump(dump("Harbour News", TITLE, date(), TITLE, ONE, TWO))
    assert [block.role for block in found.blocks] == ["site", "title", "date", "duplicate", "paragraph", "paragraph"]


def test_hashtags_in_the_head_are_tags() -> None:
    found = head_of_dump(dump(TITLE, line("• #GlobalSecurity", role="list_item"), "#NATO", ONE, TWO))
    assert claimed(found, "tag") == ["GlobalSecurity", "NATO"]
    assert roles(found)["#NATO"] == "tags"


def test_a_sentence_below_the_headline_is_the_standfirst() -> None:
    found = head_of_dump(dump(TITLE, DECK, date(), ONE, TWO))
    assert (roles(found)[DECK], kept(found)) == ("deck", [DECK, ONE, TWO])


def test_a_sentence_is_no_headline() -> None:
    found = head_of_dump(dump(DECK, date(), ONE, TWO))
    assert claimed(found, "title") == []
    assert roles(found)[DECK] == "deck"


def test_a_headline_may_ask_or_shout() -> None:
    assert claimed(head_of_dump(dump("Who pays for the new pier?", ONE, TWO)), "title") == [
        "Who pays for the new pier?"
    ]


def test_the_title_that_is_given_is_looked_for_and_nothing_else_taken() -> None:
    given_title = (claim("title", TITLE, "given"),)
    assert cut(head_of_dump(dump("A line about the weather", TITLE, ONE, claims=given_title)))[TITLE] == "title"
    assert cut(head_of_dump(dump("A line about the weather", ONE, TWO, claims=given_title))) == {}


def test_a_dump_that_begins_with_its_story_has_no_head() -> None:
    assert kept(head_of_dump(dump(ONE, TITLE, TWO))) == [ONE, TITLE, TWO]


@pytest.mark.parametrize("texts", [(TITLE,), ("The ferry sailed.",), ("The ferry sailed.", "It came back.")])
def test_a_headline_or_a_sentence_on_its_own_is_the_text(texts: tuple[str, ...]) -> None:
    assert kept(head_of_dump(dump(*texts))) == list(texts)


def test_a_headline_in_a_script_without_spaces_is_found() -> None:
    story = "市立図書館は来月から夜間も開館することになった。利用者の声に応えたものだと館長は話している。開館時間は午後十時までで、職員を三人増やす。"
    assert claimed(head_of_dump(dump("港町新聞", "市立図書館、来月から夜間も開館へ", story)), "title") == [
        "市立図書館、来月から夜間も開館へ"
    ]


def test_the_head_of_an_html_page_is_left_to_its_markup() -> None:
    before = page(TITLE, ONE, TWO)
    assert head_of_dump(before) is before
    assert head_of_html(dumped := dump(TITLE, ONE)) is dumped


@quick
@given(
    st.lists(
        st.sampled_from(
            [TITLE, DECK, ONE, TWO, "General", "#tag", "Harbour — News", "Ann Lee", "?", "漢字の見出しです"]
        ),
        max_size=10,
    )
)
def test_no_head_loses_a_line_or_the_story(texts: list[str]) -> None:
    found = head_of_dump(dump(*texts))
    assert [block.text for block in found.blocks] == texts
    assert [text for text in (ONE, TWO) if texts.count(text) == 1 and text not in kept(found)] == []


# ---- HTML pages ------------------------------------------------------------------------------------------


def titled(*blocks: str | Block, **known: str) -> Page:
    return page(*blocks, claims=(claim("title", TITLE, "h1"), *(claim(field, value) for field, value in known.items())))


H1 = line(TITLE, element="h1", role="heading")


def test_the_h1_is_the_title_and_goes_from_the_text() -> None:
    assert cut(head_of_html(titled(H1, ONE, TWO))) == {TITLE: "title"}


def test_its_repetition_above_the_story_is_a_duplicate() -> None:
    found = head_of_html(titled(left_out(TITLE), H1, ONE, TWO))
    assert [block.role for block in found.blocks] == ["duplicate", "title", "paragraph", "paragraph"]


def test_without_an_h1_the_line_that_the_title_element_holds_is_the_headline() -> None:
    claims = (claim("title", f"Harbour News: {TITLE}", "title-tag"),)
    found = head_of_html(page(line(TITLE, element="div"), ONE, TWO, claims=claims))
    assert (cut(found), claimed(found, "title")[-1]) == ({TITLE: "title"}, TITLE)


def test_a_link_with_the_words_of_the_title_is_no_headline() -> None:
    found = head_of_html(titled(left_out(TITLE, element="a", link_density=1.0), ONE, TWO))
    assert all(block.role != "title" or block.element == "h1" for block in found.blocks[1:])


def test_a_kicker_goes_as_section_and_the_site_as_site() -> None:
    blocks = ("Harbour News", "Islands", H1, ONE, TWO)
    found = head_of_html(titled(*blocks, publisher="Harbour News", section="Islands"))
    assert cut(found) == {"Harbour News": "site", "Islands": "section", TITLE: "title"}


@pytest.mark.parametrize(
    "deck",
    [left_out(DECK, element="h2"), left_out(DECK, places=frozenset({"deck"})), left_out(DECK), left_out(ONE)],
    ids=["an h2", "its class name", "a sentence", "a long text"],
)
def test_a_standfirst_that_the_extractor_left_out_comes_back(deck: Block) -> None:
    found = head_of_html(titled(H1, deck, TWO, ONE))
    assert found.blocks[1] == replace(deck, role="deck", keep=True, rule="head:deck")


def test_a_standfirst_that_the_description_repeats_is_known_by_that() -> None:
    deck = left_out("Three hours, less than before")
    found = head_of_html(titled(H1, deck, ONE, TWO, description="Three hours, less than before"))
    assert found.blocks[1].role == "deck"


@pytest.mark.parametrize(
    "block",
    [
        left_out("Weather"),
        left_out(DECK, link_density=0.9),
        left_out(DECK, places=frozenset({"ad"})),
        left_out(DECK, places=frozenset({"caption"})),
        line(DECK, keep=False, role="share"),
    ],
    ids=["a label", "a teaser", "an ad", "a caption", "judged already"],
)
def test_other_lines_below_the_headline_do_not(block: Block) -> None:
    assert kept(head_of_html(titled(H1, block, ONE, TWO))) == [ONE, TWO]


def test_a_caption_that_the_extractor_took_for_text_is_no_standfirst() -> None:
    pictured = replace(titled(H1, left_out(DECK), ONE, TWO), images=(Image(url="/a.jpg", caption=DECK),))
    assert kept(head_of_html(pictured)) == [ONE, TWO]


def test_the_first_paragraph_is_the_standfirst_when_a_byline_parts_it_from_the_rest() -> None:
    byline = line("By Ann Lee", role="author", keep=False)
    assert head_of_html(titled(H1, ONE, byline, TWO)).blocks[1].role == "deck"
    assert head_of_html(titled(H1, ONE, TWO)).blocks[1].role == "paragraph"


def test_a_heading_with_most_of_the_text_above_it_heads_another_story() -> None:
    found = head_of_html(titled(ONE, TWO, "Islands", H1, "Teaser."))
    assert (kept(found), cut(found)) == ([ONE, TWO, "Islands", "Teaser."], {TITLE: "title"})


# ---- names alone -----------------------------------------------------------------------------------------


def test_a_name_beside_the_time_is_a_byline() -> None:
    found = nameless_bylines(page("Ann Lee", date(), ONE, TWO))
    assert (cut(found), claimed(found, "author")) == ({"Ann Lee": "author", "7 January 2026": "date"}, ["Ann Lee"])


@pytest.mark.parametrize("name", ["Ann Lee", "Jean-Paul Müller", "Елена Петрова", "Ελένη Καραβά", "Ann van Dyk"])
def test_a_name_that_closes_the_story_is_a_byline(name: str) -> None:
    expected = [] if "van" in name else [name]  # small words are too common to be a sign on their own
    assert claimed(nameless_bylines(page(ONE, TWO, name)), "author") == expected


@pytest.mark.parametrize("text", ["Ann", "the end", "Ann Lee, 47", "Read More About Ferries", "ann lee"])
def test_a_closing_line_that_is_no_name_stays(text: str) -> None:
    assert kept(nameless_bylines(page(ONE, TWO, text))) == [ONE, TWO, text]


def test_a_name_in_the_middle_of_the_story_is_a_subheading() -> None:
    assert kept(nameless_bylines(page(ONE, "Ann Lee", TWO, claims=(claim("author", "Ann Lee"),)))) == [
        ONE,
        "Ann Lee",
        TWO,
    ]


# ---- on whole pages --------------------------------------------------------------------------------------


def test_a_page_comes_out_with_title_standfirst_and_author_in_their_fields() -> None:
    markup = web(
        f'<p class="lead">{DECK}</p><p class="byline">By Ann Lee</p>' + "".join(f"<p>{text}</p>" for text in STORY)
    )
    found = article(markup)
    assert (found.title, found.subtitle, found.authors) == (TITLE, DECK, ("Ann Lee",))
    assert [paragraph.text for paragraph in found.paragraphs] == [DECK, *STORY]


def test_a_dump_comes_out_so_too() -> None:
    found = cleaned("\n".join(["Harbour News", TITLE, "7 January 2026", DECK, *STORY]), media="text")
    assert kept(found) == [DECK, *STORY]
    assert cut(found) == {"Harbour News": "site", TITLE: "title", "7 January 2026": "date"}
