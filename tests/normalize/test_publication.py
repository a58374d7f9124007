"""The time of publication is the best of those that a page claims, and never finer than somebody wrote it."""

from datetime import UTC, datetime

import pytest
from small_pages import article, claim, line, page, web

from normalize.publication import publication
from schemas.document import Block, Claim, Discovered, Page

FETCHED = datetime(2026, 1, 8, 3, 0, tzinfo=UTC)
TIMED = '<meta property="article:published_time" content="2026-01-07T06:41:00Z">'


def date(text: str) -> Block:
    """A line that a rule has taken for a time."""
    return line(text, role="date", keep=False, rule="line:date")


def dated(*claims: Claim, blocks: tuple[Block | str, ...] = (), url: str | None = None) -> Page:
    return page(*blocks, claims=claims, url=url, fetched_at=FETCHED)


def answer(page: Page) -> tuple[str, str, str] | None:
    """Time, precision and whose word it is."""
    found = publication(page)
    if found.published is None or found.claim is None:
        return None
    return found.published.at.isoformat(), found.published.precision, found.claim.origin


def test_the_first_claim_that_can_be_read_wins() -> None:
    claims = (
        claim("published", "yesterday or so", "json-ld"),
        claim("published", "2026-01-07T06:41:00Z", "meta"),
        claim("published", "2026-01-06", "meta"),
    )
    assert answer(dated(*claims)) == ("2026-01-07T06:41:00+00:00", "second", "meta")


def test_a_claim_without_a_time_has_the_precision_of_a_day() -> None:
    assert answer(dated(claim("published", "2026-01-07"))) == ("2026-01-07T00:00:00+00:00", "day", "meta")


def test_the_lines_around_the_headline_say_the_hour_where_the_markup_says_the_day() -> None:
    blocks = (line("Ferry", role="title", keep=False), date("7 January 2026, 06:41"), line("The story."))
    assert answer(dated(claim("published", "2026-01-07"), blocks=blocks)) == (
        "2026-01-07T06:41:00+00:00",
        "minute",
        "block",
    )


def test_an_hour_of_another_day_does_not_sharpen_the_claim() -> None:
    blocks = (date("3 January 2026, 06:41"), line("The story."))
    found = publication(dated(claim("published", "2026-01-07"), blocks=blocks))
    assert found.published
    assert (found.published.precision, found.conflict) == ("day", True)


def test_claims_within_a_day_are_no_conflict_and_a_single_claim_has_none_to_compare() -> None:
    near = publication(dated(claim("published", "2026-01-07T06:41:00Z"), claim("published", "2026-01-07")))
    alone = publication(dated(claim("published", "2026-01-07")))
    assert (near.conflict, alone.conflict) == (False, None)


def test_a_time_after_the_fetch_is_passed_over() -> None:
    claims = (claim("published", "2036-01-07"), claim("published", "2026-01-06"))
    assert answer(dated(*claims)) == ("2026-01-06T00:00:00+00:00", "day", "meta")
    assert answer(dated(claims[0])) is None


def test_clocks_may_be_wrong_by_two_days() -> None:
    assert answer(dated(claim("published", "2026-01-09T23:00:00Z"))) == ("2026-01-09T23:00:00+00:00", "second", "meta")


def test_without_a_fetch_time_any_claimed_time_is_possible() -> None:
    assert answer(page(claims=(claim("published", "2036-01-07"),))) == ("2036-01-07T00:00:00+00:00", "day", "meta")


def test_the_address_names_the_day_where_nothing_else_does() -> None:
    assert answer(dated(url="https://harbour.example/2026/01/07/ferry.html")) == (
        "2026-01-07T00:00:00+00:00",
        "day",
        "url",
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://harbour.example/ferry-20260107",
        "https://harbour.example/2026-01-07-ferry",
        "https://harbour.example/a_2026_01_07.html",
    ],
)
def test_the_address_may_write_the_day_in_several_ways(url: str) -> None:
    assert answer(dated(url=url)) == ("2026-01-07T00:00:00+00:00", "day", "url")


@pytest.mark.parametrize(
    "url",
    [
        "https://harbour.example/1234520260107999",
        "https://harbour.example/2026/13/07/",
        "https://harbour.example/id/19990",
        "https://harbour.example/",
    ],
)
def test_a_number_in_the_address_is_no_day(url: str) -> None:
    assert answer(dated(url=url)) is None


def test_the_address_never_sharpens_or_beats_a_claim() -> None:
    found = dated(claim("published", "2026-01"), url="https://harbour.example/2026/01/07/ferry.html")
    assert answer(found) == ("2026-01-01T00:00:00+00:00", "month", "meta")


def test_the_word_for_updated_parts_the_two_times_of_one_line() -> None:
    blocks = (date("Published 6 January 2026, 18:00 – updated 7 January 2026, 06:41"), line("The story."))
    found = publication(dated(blocks=blocks))
    assert found.published
    assert found.modified
    assert (found.published.at, found.modified.at) == (
        datetime(2026, 1, 6, 18, 0, tzinfo=UTC),
        datetime(2026, 1, 7, 6, 41, tzinfo=UTC),
    )


def test_a_line_that_only_says_updated_is_no_publication() -> None:
    found = publication(dated(blocks=(date("Last updated: 7 January 2026"), line("The story."))))
    assert found.published is None
    assert found.modified
    assert found.modified.at == datetime(2026, 1, 7, tzinfo=UTC)


def test_the_claim_of_a_change_counts_before_the_line() -> None:
    blocks = (date("Updated 5 January 2026"), line("The story."))
    found = publication(dated(claim("modified", "2026-01-07"), blocks=blocks))
    assert found.modified
    assert found.modified_claim
    assert (found.modified.at, found.modified_claim.origin) == (datetime(2026, 1, 7, tzinfo=UTC), "meta")


def test_a_time_far_above_the_headline_dates_something_else() -> None:
    ticker = [date("1 January 2026")] + [line("Menu", keep=False, role="navigation")] * 20
    blocks = (*ticker, line("Ferry", role="title", keep=False), date("7 January 2026"), line("The story."))
    assert answer(dated(blocks=blocks)) == ("2026-01-07T00:00:00+00:00", "day", "block")


def test_a_time_right_below_the_story_counts_where_none_stands_above() -> None:
    assert answer(dated(blocks=(line("The story."), date("7 January 2026")))) == (
        "2026-01-07T00:00:00+00:00",
        "day",
        "block",
    )


def test_relative_times_are_counted_from_the_fetch() -> None:
    assert answer(dated(blocks=(date("2 hours ago"), line("The story.")))) == (
        "2026-01-08T01:00:00+00:00",
        "hour",
        "block",
    )


def test_a_bare_time_element_counts_after_the_lines() -> None:
    assert answer(dated(claim("time", "2026-01-05T10:00:00Z", "time"))) == (
        "2026-01-05T10:00:00+00:00",
        "second",
        "time",
    )
    blocks = (date("7 January 2026"), line("The story."))
    assert answer(dated(claim("time", "2026-01-05T10:00:00Z", "time"), blocks=blocks)) == (
        "2026-01-07T00:00:00+00:00",
        "day",
        "block",
    )


def test_the_languages_of_the_page_say_how_its_dates_are_written() -> None:
    greek = (claim("published", "7 Ιανουαρίου 2026, 06:41"), claim("lang", "el-GR"))
    assert answer(dated(*greek)) == ("2026-01-07T06:41:00+00:00", "minute", "meta")


def test_a_guess_counts_last() -> None:
    guessed = claim("published_guess", "2026-01-02", "guess")
    assert answer(dated(guessed)) == ("2026-01-02T00:00:00+00:00", "day", "guess")
    assert answer(dated(guessed, url="https://harbour.example/2026/01/07/")) == (
        "2026-01-07T00:00:00+00:00",
        "day",
        "url",
    )


def test_a_byline_may_name_the_time() -> None:
    by = line("by Ann Lee, Jan 6th 2026", role="author", keep=False)
    assert answer(dated(blocks=(line("Ferry", role="title", keep=False), by, line("The story.")))) == (
        "2026-01-06T00:00:00+00:00",
        "day",
        "block",
    )


def test_the_address_beats_a_line_of_another_day() -> None:
    blocks = (line("The story."), date("11 April 2009"))
    assert answer(dated(blocks=blocks, url="https://harbour.example/2026/01/06/ferry")) == (
        "2026-01-06T00:00:00+00:00",
        "day",
        "url",
    )


def test_minutes_to_read_are_no_time() -> None:
    assert answer(dated(blocks=(date("5 min read"), line("The story.")))) is None


def test_a_time_that_is_written_counts_before_one_that_counts_back() -> None:
    blocks = (date("3 days ago"), line("The story."))
    assert answer(dated(claim("time", "2026-01-02T10:00:00Z", "time"), blocks=blocks)) == (
        "2026-01-02T10:00:00+00:00",
        "second",
        "time",
    )


DATED_BY_CLASS = "<p class='date-and-place'>Harbour office, 5 January 2026, quay three and four</p>"


def test_a_page_that_names_a_time_is_not_searched_for_another() -> None:
    found = article(web(head=TIMED, below=DATED_BY_CLASS), fetched_at=FETCHED)
    assert (found.published_source, found.published_conflict) == ("meta:article:published_time", None)


def test_a_page_whose_only_time_cannot_be_is_searched() -> None:
    markup = web(head=TIMED.replace("2026", "2036"), below=DATED_BY_CLASS)
    found = article(markup, fetched_at=FETCHED)
    assert found.published
    assert (found.published.at.day, found.published_source) == (5, "guess:near the headline")


def test_a_page_that_is_no_story_is_not_searched() -> None:
    assert article(web(below=DATED_BY_CLASS), fetched_at=FETCHED).published_source == "guess:near the headline"
    assert article(web(below=DATED_BY_CLASS), fetched_at=FETCHED, http_status=404).published is None


def test_what_the_feed_said_counts_before_the_page() -> None:
    markup = web(head=TIMED)
    discovered = Discovered(published="Tue, 06 Jan 2026 20:00:00 GMT")
    found = article(markup, discovered=discovered, fetched_at=FETCHED)
    assert found.published
    assert (found.published.at, found.published_source) == (datetime(2026, 1, 6, 20, 0, tzinfo=UTC), "given:published")


def test_a_page_that_names_no_time_has_none() -> None:
    found = article(web())
    assert (found.published, found.published_source, found.published_conflict, found.modified) == (
        None,
        None,
        None,
        None,
    )
