"""Bylines become a clean list of people, with agencies apart."""

from dataclasses import replace
from typing import Any

import pytest
from case_files import parameters, read_cases
from hypothesis import given, settings
from hypothesis import strategies as st
from small_pages import article, claim, line, page, web

from normalize.boilerplate.names import is_name, names_in
from normalize.people import authors
from schemas.document import Block, Claim

CASES = read_cases("bylines.toml")

quick = settings(deadline=None, database=None, derandomize=True, max_examples=150)


@pytest.mark.parametrize("case", parameters(CASES))
def test_a_byline_names_the_people_of_its_case(case: dict[str, Any]) -> None:
    claims = (claim("author", case["value"]), claim("publisher", "Harbour News"))
    people, said, agencies = authors(page(claims=claims))
    assert list(people) == case.get("names", [])
    assert list(agencies) == case.get("agencies", [])
    assert said == (claims[0] if people else None)


def test_the_names_of_the_cases_are_unique() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES)


def test_one_origin_is_taken_whole_and_the_most_trusted_that_names_anybody() -> None:
    claims = (
        claim("author", "A. Lee", "block"),
        claim("author", "Ann Lee", "meta"),
        claim("author", "Bo Ek", "meta"),
        claim("author", "admin", "json-ld"),
    )
    people, said, _ = authors(page(claims=claims))
    assert (people, said) == (("Ann Lee", "Bo Ek"), claims[1])


def test_a_house_in_one_meta_element_gives_way_to_people_that_two_others_name() -> None:
    claims = (
        Claim(field="author", value="Nord Verlag", origin="meta", rule="author"),
        Claim(field="author", value="Ann Lee", origin="meta", rule="article:author"),
        Claim(field="author", value="Ann Lee", origin="profile", rule="href"),
    )
    assert authors(page(claims=claims))[:2] == (("Ann Lee",), claims[1])


def test_marked_authors_are_believed_where_they_are_those_of_the_linked_data_and_more() -> None:
    claims = (
        claim("author", "Ann Lee", "json-ld"),
        claim("author", "Bo Ek", "link"),
        claim("author", "Ann Lee", "link"),
    )
    assert authors(page(claims=claims))[0] == ("Bo Ek", "Ann Lee")
    assert authors(page(claims=(claims[0], claims[1])))[0] == ("Ann Lee",)


def test_a_blog_whose_address_is_its_authors_name_has_an_author_and_a_paper_has_none() -> None:
    own = page(claims=(claim("author", "Ann Lee"),), url="https://annlee.example/1")
    desk = page(claims=(claim("author", "Harbour"),), url="https://harbour.example/1")
    assert (authors(own)[0], authors(desk)[0]) == (("Ann Lee",), ())


def byline(text: str) -> Block:
    return line(text, role="author", keep=False, rule="place:author")


def test_of_the_lines_of_a_page_the_byline_below_the_headline_counts_and_no_teasers() -> None:
    blocks = (
        line("Ferry sails", role="title", keep=False),
        byline("By"),
        byline("Ann Lee"),
        line("The story is told here."),
        *(line(f"Another story {number}.", role="related", keep=False) for number in range(12)),
        byline("By Bo Ek"),
    )
    assert authors(page(*blocks))[0] == ("Ann Lee",)


def test_a_line_of_links_without_commas_is_split_at_the_links() -> None:
    linked = replace(byline("Ann Lee Bo van Dyk"), links=(("/a", "Ann Lee"), ("/b", "Bo van Dyk")))
    assert authors(page(linked, "The story is told here."))[0] == ("Ann Lee", "Bo van Dyk")


def test_who_edited_a_story_is_no_author_of_it() -> None:
    edited = Claim(field="author", value="周若溪", origin="block", rule="lexicon:zh:责任编辑")
    assert authors(page(claims=(edited,)))[0] == ()


def test_agencies_are_collected_on_the_way_to_the_people() -> None:
    claims = (claim("author", "AFP", "json-ld"), claim("author", "Ann Lee", "meta"))
    assert authors(page(claims=claims)) == (("Ann Lee",), claims[1], ("AFP",))


def test_the_site_as_the_catalogue_names_it_is_no_author() -> None:
    assert authors(page(claims=(claim("author", "Harbour News"),), publisher="Harbour News"))[0] == ()


def test_a_page_without_bylines_has_no_authors() -> None:
    assert authors(page()) == ((), None, ())


@pytest.mark.parametrize(
    "name",
    [
        "Ann Lee",
        "Bo van Dyk",
        "Ludwig von Ost",
        "Ελένη Καραβά",
        "محمد علي",
        "吴桐",
        "J. R. Ewing",
        "O'Brien",
        "Ann-Marie Lee-Roux",
    ],
)
def test_a_persons_name_is_one(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "A",
        "the mayor",
        "Ann lee",
        "Ann Lee 47",
        "admin",
        "Editorial Staff",
        "Ann Lee Who Has Come Here Today",
        "x" * 60,
        "van der",
    ],
)
def test_other_words_are_none(name: str) -> None:
    assert not is_name(name)


@quick
@given(st.text(max_size=80))
def test_any_byline_gives_names_that_stand_in_it(byline: str) -> None:
    for name in names_in(byline):
        assert name
        assert name == name.strip()
        assert all(word in byline for word in name.split())


def test_a_byline_of_the_markup_reaches_the_record() -> None:
    data = '<script type="application/ld+json">{"@type": "NewsArticle", "author": [{"name": "Ann Lee"}, {"name": "Reuters"}]}</script>'
    found = article(web(head=data))
    assert (found.authors, found.agencies) == (("Ann Lee",), ("Reuters",))
