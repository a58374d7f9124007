"""A story that no markup dates gets the date that stands nearest to it, and none that nobody wrote."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_pages import claim, left_out, line, page

from normalize.undated import guess
from schemas.document import Block, Page, RemovedRole

LATEST = datetime(2026, 1, 10, tzinfo=UTC)
HEADLINE = line("Night ferry sails again", role="title", keep=False, element="h1")
STORY = line("The night ferry sails again after eleven months in the yard, and its crew is glad.")

quick = settings(deadline=None, database=None, derandomize=True, max_examples=100)


def answer(page: Page) -> tuple[str, str] | None:
    """What was written, and where."""
    found = guess(page, (), LATEST)
    return (found.value, found.rule) if found else None


def source(text: str, *blocks: str | Block) -> Page:
    """A page whose source holds this text."""
    made = page(*(blocks or (HEADLINE, STORY)))
    return replace(made, decoded=replace(made.decoded, text=text))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ('<meta name="published-date" content="2026-01-06">', "meta"),
        ('<meta content="2026-01-06" property="photos:uploaded">', "meta"),
        ('<script>var page = {"publishedAt": "2026-01-06"};</script>', "data"),
        ("<script>{'datePublished':'2026-01-06'}</script>", "data"),
        ('<div data-x="{&quot;datePublished&quot;:&quot;2026-01-06&quot;}">', "data"),
        ('<script>"{\\"created_at\\":\\"2026-01-06\\"}"</script>', "data"),
        ('<rdf:Description dc:date="2026-01-06">', "data"),
    ],
)
def test_data_of_a_page_that_speaks_of_publication_dates_it(text: str, rule: str) -> None:
    assert answer(source(text)) == ("2026-01-06", rule)


@pytest.mark.parametrize(
    "text",
    [
        '<meta name="expires" content="2026-01-06">',
        '<script>{"birthDate":"2026-01-06"}</script>',
        '<script>{"dateModified":"2026-01-06"}</script>',
    ],
)
def test_data_that_speaks_of_something_else_does_not(text: str) -> None:
    assert answer(source(text)) is None


def test_the_line_nearest_below_the_headline_counts_before_those_above_it() -> None:
    blocks = (left_out("Thursday, 8 January 2026"), HEADLINE, left_out("Bergen office - 7 January 2026"), STORY)
    assert answer(page(*blocks)) == ("7 January 2026", "near the headline")


def test_a_dateline_opens_the_story() -> None:
    text = "(06.01.2026) " + STORY.text * 3
    assert answer(page(HEADLINE, line(text))) == ("06.01.2026", "dateline")


def test_a_date_in_the_middle_of_a_story_is_what_it_tells_of() -> None:
    assert answer(page(HEADLINE, line(STORY.text * 2 + " It was built on 6 January 2009."))) is None


def test_a_line_below_the_story_counts() -> None:
    blocks = (HEADLINE, *([STORY] * 20), left_out("Press release of 6 January 2026"))
    assert answer(page(*blocks)) == ("6 January 2026", "below the story")


@pytest.mark.parametrize("role", ["related", "comments", "legal"])
def test_lines_about_other_stories_do_not_count(role: RemovedRole) -> None:
    assert answer(page(HEADLINE, STORY, line("6 January 2026 Pier closed", role=role, keep=False))) is None


def test_the_year_of_a_copyright_notice_dates_no_story() -> None:
    assert answer(page(HEADLINE, STORY, left_out("© 2021 Harbour News"), left_out("Copyright 1 January 2021"))) is None


def test_an_address_may_write_the_day_first_and_a_picture_may_have_one() -> None:
    assert answer(page(STORY, url="https://harbour.example/news/06-01-2026")) == ("2026-01-06", "address")
    picture = claim("image", "https://harbour.example/oImg/2026/01/06/2026010650.jpg")
    assert answer(page(STORY, claims=(picture,))) == ("2026-01-06", "address of the picture")


def test_a_month_in_an_address_is_better_than_nothing_and_no_day() -> None:
    found = guess(page(STORY, url="https://harbour.example/2025/12/ferry/"), (), LATEST)
    assert found
    assert (found.value, found.rule) == ("2025-12", "month in an address")


def test_the_time_of_the_last_change_counts_last() -> None:
    changed = left_out("Last updated: 7 January 2026")
    assert answer(page(HEADLINE, changed, STORY)) == ("7 January 2026", "changed")
    assert answer(page(HEADLINE, changed, left_out("6 January 2026"), STORY)) == ("6 January 2026", "near the headline")
    assert answer(page(STORY, claims=(claim("modified", "2026-01-05"),))) == ("2026-01-05", "changed")


def test_a_date_after_the_fetch_is_passed_over() -> None:
    blocks = (HEADLINE, left_out("Concert on 6 March 2031"), left_out("6 January 2026"), STORY)
    assert answer(page(*blocks)) == ("6 January 2026", "near the headline")


PIECES = st.sampled_from(
    ["<meta ", "name=", '"published', "content=", '"2026-01-06"', "datePublished", '":"', "&quot;", "x:date=", " ", "a" * 50]
)  # fmt: skip


@quick
@given(st.lists(PIECES, max_size=30).map("".join), st.text(max_size=80))
def test_whatever_stands_on_a_page_a_guess_is_a_part_of_it(text: str, shown: str) -> None:
    found = guess(source(text, HEADLINE, line(f"{shown} x")), (), LATEST)
    assert found is None or found.value in f"{text}\n{shown} x"
