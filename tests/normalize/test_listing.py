"""A page that declares itself a list of stories keeps the headline and summary of each entry."""

from dataclasses import replace

import pytest
from hostile import STORY
from small_pages import article, cut, dump, kept, left_out, line, page

from normalize.boilerplate.listing import entries
from schemas.document import Block, Page

SUMMARY = "The night ferry sails again after eleven months."


def head(number: int, *, keep: bool = False) -> Block:
    text = f"Story number {number} of the day"
    return replace(left_out(text, element="h2", link_density=1.0), keep=keep, role="heading" if keep else "boilerplate")


def listing(*blocks: str | Block, types: tuple[str, ...] = ("collectionpage",)) -> Page:
    return replace(page(*blocks), types=types)


def ten() -> list[str | Block]:
    return [
        block for number in range(10) for block in (head(number), left_out(f"{SUMMARY} {number}"), left_out("Islands"))
    ]


def test_headlines_and_summaries_are_kept_and_labels_are_not() -> None:
    found = entries(listing("Cookies make the web go round.", *ten()))
    assert kept(found) == [
        text for number in range(10) for text in (f"Story number {number} of the day", f"{SUMMARY} {number}")
    ]
    assert {block.role for block in found.blocks if block.keep} == {"teaser"}
    assert cut(found)["Cookies make the web go round."] == "boilerplate"


def test_each_headline_has_one_summary() -> None:
    found = entries(listing(*ten(), "Another long line below the last of all summaries."))
    assert "Another long line below the last of all summaries." not in kept(found)


@pytest.mark.parametrize("place", ["nav", "aside", "footer", "comments"])
def test_headlines_in_the_margins_are_no_entries(place: str) -> None:
    extra = replace(head(99), places=frozenset({place}))
    assert extra.text not in kept(entries(listing(*ten(), extra)))


def test_a_few_linked_headings_are_no_list() -> None:
    before = listing(*(head(number) for number in range(7)), *STORY)
    assert entries(before) is before


@pytest.mark.parametrize("types", [(), ("website",), ("collectionpage", "newsarticle")])
def test_a_page_that_does_not_say_it_lists_stories_is_left_alone(types: tuple[str, ...]) -> None:
    before = listing(*ten(), types=types)
    assert entries(before) is before


def test_a_dump_is_left_alone() -> None:
    before = replace(dump(*ten()), types=("collectionpage",))
    assert entries(before) is before


def test_judged_blocks_are_no_entries() -> None:
    sports = line("Story of sports", element="h2", link_density=1.0, role="ad", keep=False)
    assert "Story of sports" not in kept(entries(listing(*ten(), sports)))


def test_a_whole_front_page_is_a_listing_of_teasers() -> None:
    body = "".join(
        f'<section><h2><a href="/{number}">Story number {number} of the day on the islands</a></h2><p>{SUMMARY} {number}</p></section>'
        for number in range(12)
    )
    data = '<script type="application/ld+json">{"@type": "CollectionPage", "name": "Harbour News"}</script>'
    found = article(
        f"<!doctype html><html><head><title>Harbour News</title>{data}</head><body><main>{body}</main></body></html>"
    )
    assert found.page_type == "listing"
    assert {paragraph.role for paragraph in found.paragraphs} == {"teaser"}
    assert len(found.paragraphs) == 24
