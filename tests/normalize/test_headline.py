"""Of the titles that a page claims the headline is chosen, without the name of the site."""

from typing import Any

import pytest
from case_files import parameters, read_cases
from hypothesis import given, settings
from hypothesis import strategies as st
from small_pages import claim, page

from normalize.headline import choose_title, site_names
from schemas.document import Page

CASES = read_cases("headlines.toml")
ORIGINS = {"given": "given", "dump": "block", "json_ld": "json-ld", "og": "meta", "title": "title-tag"}

quick = settings(deadline=None, database=None, derandomize=True, max_examples=100)


def page_of(case: dict[str, Any]) -> Page:
    claims = [claim("title", case[name], origin) for name, origin in ORIGINS.items() if name in case]
    claims += [claim("title", text, "h1") for text in case.get("h1", ())]
    claims += [claim("publisher", case["site"])] if "site" in case else []
    return page(claims=tuple(claims))


@pytest.mark.parametrize("case", parameters(CASES))
def test_the_headline_is_the_one_its_case_names(case: dict[str, Any]) -> None:
    chosen = choose_title(page_of(case))
    assert (chosen.value if chosen else None) == case.get("expected")
    assert (chosen.origin if chosen else None) == case.get("origin")


def test_the_names_of_the_cases_are_unique() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES)


def test_a_cut_is_named_in_the_rule() -> None:
    chosen = choose_title(page_of({"title": "Night ferry sails again | Harbour News", "site": "Harbour News"}))
    assert chosen
    assert chosen.rule == "test without site name"


def test_the_catalogue_names_the_site_too() -> None:
    known = page(claims=(claim("title", "Night ferry sails again | Harbour News"),), publisher="Harbour News")
    assert site_names(known) == {"harbournews"}
    chosen = choose_title(known)
    assert chosen
    assert chosen.value == "Night ferry sails again"


def test_the_address_names_the_site_too_but_only_behind_a_headline() -> None:
    url = "https://tires.harbour.example/1"
    behind = page(claims=(claim("title", "Night ferry sails again | Harbour Tires", "title-tag"),), url=url)
    before = page(claims=(claim("title", "Harbour: Night ferry sails again", "title-tag"),), url=url)
    assert [chosen.value if (chosen := choose_title(one)) else None for one in (behind, before)] == [
        "Night ferry sails again",
        "Harbour: Night ferry sails again",
    ]


def test_a_line_where_a_headline_stands_wins_if_the_markup_has_it_word_for_word() -> None:
    claims = (
        claim("title", "Ferry company fined for winter delays", "json-ld"),
        claim("title", "Ferry: all about the fine for delays", "h1"),
        claim("title", "Ferry: all about the fine for delays", "meta"),
    )
    shown = claim("title", "Ferry company fined for winter delays", "block")
    other = claim("title", "All ferries", "block")
    for line, expected in ((shown, shown), (other, claims[1])):
        html = page(claims=(*claims, line), media="html")
        assert choose_title(html) == expected


TITLES = st.lists(st.sampled_from(["Ferry", "sails", "|", " - ", "News", "港", "_", "»", ":", " "]), max_size=8).map(
    " ".join
)


@quick
@given(h1=st.lists(TITLES, max_size=3), og=TITLES, title=TITLES, site=TITLES)
def test_whatever_is_claimed_the_headline_is_part_of_a_claim_and_not_empty(
    h1: list[str], og: str, title: str, site: str
) -> None:
    chosen = choose_title(
        page_of({"h1": [text for text in h1 if text.strip()], "og": og, "title": title, "site": site})
    )
    assert chosen is None or (chosen.value.strip() and any(chosen.value in text for text in (*h1, og, title)))
