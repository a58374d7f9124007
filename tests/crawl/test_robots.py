"""robots.txt is read as RFC 9309 says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.crawl.robots import LONGEST, LONGEST_DELAY, Robots

PAGE = "https://nea-akti.example/news/1"


def rules(text: str | bytes, *, status: int | None = 200) -> Robots:
    return Robots.read("babelwire", status, text.encode() if isinstance(text, str) else text)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
def test_a_site_without_robots_txt_may_be_read(status: int) -> None:
    assert rules("", status=status).allows(PAGE)


@pytest.mark.parametrize("status", [None, 429, 500, 502, 503, 302])
def test_a_site_whose_robots_txt_cannot_be_had_is_left_alone(status: int | None) -> None:
    answer = rules("User-agent: *\nAllow: /", status=status)
    assert not answer.allows(PAGE)
    assert "cannot be read" in answer.reason


def test_an_empty_robots_txt_allows_everything() -> None:
    assert rules("").allows(PAGE)


def test_our_own_group_holds_and_not_the_one_for_all() -> None:
    text = "User-agent: *\nDisallow: /\n\nUser-agent: BabelWire\nDisallow: /private/\n"
    assert rules(text).allows(PAGE)
    assert not rules(text).allows("https://nea-akti.example/private/x")


def test_the_longest_match_wins_and_allow_wins_a_tie() -> None:
    text = "User-agent: *\nDisallow: /news\nAllow: /news/1$\nDisallow: /same\nAllow: /same\n"
    assert rules(text).allows(PAGE)
    assert not rules(text).allows("https://nea-akti.example/news/12")
    assert rules(text).allows("https://nea-akti.example/same")


def test_addresses_in_other_scripts_match_percent_encoded_or_not() -> None:
    text = "User-agent: *\nDisallow: /νέα/\n"
    assert not rules(text).allows("https://nea-akti.example/%CE%BD%CE%AD%CE%B1/1")


def test_a_byte_order_mark_or_bytes_that_are_not_utf_8_spoil_nothing_else() -> None:
    assert not rules(b"\xef\xbb\xbfUser-agent: *\nDisallow: /\n").allows(PAGE)
    assert not rules(b"# caf\xe9\nUser-agent: *\nDisallow: /news/\n").allows(PAGE)


def test_crawl_delay_and_request_rate_are_asked_for_and_bounded() -> None:
    assert rules("User-agent: *\nCrawl-delay: 7\n").delay == 7
    assert rules("User-agent: *\nRequest-rate: 1/30\n").delay == 30
    assert rules("User-agent: *\nCrawl-delay: 999999\n").delay == LONGEST_DELAY
    assert rules("", status=404).delay == 0


def test_what_is_behind_the_first_500_kibibytes_is_not_read() -> None:
    text = "User-agent: *\nDisallow: /news/\n" + "#" * LONGEST + "\nAllow: /news/\n"
    assert not rules(text).allows(PAGE)


@given(st.binary(max_size=400), st.sampled_from([200, 404, 503, None]))
def test_any_bytes_give_rules(content: bytes, status: int | None) -> None:
    answer = rules(b"User-agent: *\n" + content, status=status)
    assert answer.allows(PAGE) in {True, False}
    assert 0 <= answer.delay <= LONGEST_DELAY
