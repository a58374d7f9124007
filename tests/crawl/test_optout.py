"""Signals against machine reading are read wherever sites put them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.crawl.optout import SitePolicy, of_answer, refusing

PAGE = "https://nea-akti.example/news/1"


def seen(headers: list[tuple[str, str]], content: bytes = b"") -> list[str]:
    return [signal.text for signal in of_answer(headers, content, agent="babelwire")]


@pytest.mark.parametrize("word", ["noindex", "none", "noarchive", "noai"])
def test_words_that_forbid_a_copy_stand_in_the_way(word: str) -> None:
    for signals in (
        of_answer([("X-Robots-Tag", f"nofollow, {word.upper()}")], b"", agent="babelwire"),
        of_answer([], f"<META content='max-snippet:5, {word}' name=ROBOTS>".encode(), agent="babelwire"),
        of_answer([], f'<meta name="babelwire" content="{word}">'.encode(), agent="babelwire"),
    ):
        assert refusing(signals) is not None


def test_words_about_other_things_do_not() -> None:
    assert refusing(of_answer([("X-Robots-Tag", "nofollow, max-image-preview:large")], b"", agent="babelwire")) is None
    assert seen([("X-Robots-Tag", "nosnippet")]) == ["header x-robots-tag: nosnippet"]


def test_a_tag_for_another_robot_is_not_for_us_and_one_for_us_is() -> None:
    assert seen([("X-Robots-Tag", "otherbot: noindex")]) == []
    assert seen([("X-Robots-Tag", "babelwire: noindex")]) == ["header x-robots-tag: noindex"]
    assert seen([("X-Robots-Tag", "unavailable_after: 25 Jun 2030 15:00:00 PST")]) == []


def test_a_reservation_of_text_and_data_mining_is_read_as_header_and_as_meta() -> None:
    for value, refuses in (("1", True), ("0", False)):
        for signals in (
            of_answer([("tdm-reservation", value)], b"", agent="babelwire"),
            of_answer([], f'<meta name="tdm-reservation" content="{value}">'.encode(), agent="babelwire"),
        ):
            assert len(signals) == 1
            assert (refusing(signals) is not None) == refuses


def test_a_meta_element_in_the_text_of_a_comment_far_below_the_head_is_not_looked_for() -> None:
    assert seen([], b"<p>" + b"x" * 300_000 + b'<meta name="robots" content="noindex">') == []


def test_tdmrep_json_reserves_by_path_and_the_first_pattern_that_fits_holds() -> None:
    content = b'[{"location": "/news/free/*", "tdm-reservation": 0}, {"location": "/news/*", "tdm-reservation": 1}]'
    policy = SitePolicy.read(tdmrep=content, agent="babelwire")
    assert refusing(policy.of_page(PAGE)) == "tdmrep.json: 1"
    assert refusing(policy.of_page("https://nea-akti.example/news/free/2")) is None
    assert policy.of_page("https://nea-akti.example/sport/3") == ()


def test_ai_txt_that_disallows_text_stands_in_the_way_and_one_for_pictures_does_not() -> None:
    texts = SitePolicy.read(ai_text=b"User-Agent: *\nDisallow: *.html\nDisallow: *.txt\n", agent="babelwire")
    pictures = SitePolicy.read(ai_text=b"User-Agent: *\nDisallow: *.jpg\n", agent="babelwire")
    assert refusing(texts.of_page(PAGE)) == "ai.txt disallows text"
    assert pictures.of_page(PAGE) == ()


def test_content_signals_are_recorded_and_only_search_no_stands_in_the_way() -> None:
    some = SitePolicy.read(robots=b"User-agent: *\nContent-Signal: search=yes, ai-train=no\n", agent="babelwire")
    none = SitePolicy.read(robots=b"User-agent: *\nContent-Signal: search=no\n", agent="babelwire")
    assert [signal.text for signal in some.of_page(PAGE)] == ["content-signal: search=yes, ai-train=no"]
    assert refusing(some.of_page(PAGE)) is None
    assert refusing(none.of_page(PAGE)) == "content-signal: search=no"


@pytest.mark.parametrize(
    "content", [b"{", b"null", b"[1, {}, []]", b"[" * 100_000, b'{"location": "/"}', b"<html>not found</html>"]
)
def test_a_tdmrep_json_that_is_none_reserves_nothing(content: bytes) -> None:
    assert SitePolicy.read(tdmrep=content, agent="babelwire").of_page(PAGE) == ()


@given(st.binary(max_size=300), st.text(max_size=60), st.text(max_size=60))
def test_any_page_and_any_header_can_be_read(content: bytes, name: str, value: str) -> None:
    of_answer([("x-robots-tag", value), (name, value)], b"<meta " + content + b">", agent="babelwire")
    SitePolicy.read(robots=content, tdmrep=content, ai_text=content, agent="babelwire").of_page(PAGE)
