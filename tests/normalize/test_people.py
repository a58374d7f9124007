"""Bylines become a clean list of people, with agencies apart."""

from typing import Any

import pytest
from case_files import parameters, read_cases
from hypothesis import given, settings
from hypothesis import strategies as st
from small_pages import article, claim, page, web

from normalize.boilerplate.names import is_name, names_in
from normalize.people import authors

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
