"""List pages come out as the articles they lead to."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutate import chance_of, page_of
from reading_cases import read_case, samples

from ingest.crawl.links import MAX_LINKS, read_page

PAGES = samples("pages")
CONTENTS = [path.read_bytes() for path in PAGES]
URL = "https://news.example/"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_comes_out_as_written_beside_it(path: Path) -> None:
    case = read_case(path)
    assert read_page(case.content, url=case.url, charset=case.charset) == case.expected


def assert_usable(content: bytes) -> None:
    reading = read_page(content, url=URL)
    for address in (*(entry.url for entry in reading.entries), *reading.feeds):
        assert address.startswith(("http://", "https://"))
        assert "#" not in address
        address.encode()


@given(st.binary(max_size=2_000))
def test_any_bytes_give_a_reading(content: bytes) -> None:
    assert_usable(content)


@given(st.integers(min_value=0))
def test_a_damaged_page_gives_a_reading(seed: int) -> None:
    assert_usable(page_of(CONTENTS, chance_of("pages", seed)))


def links(*hrefs: str, text: str = "The council met on Tuesday to talk") -> list[str]:
    anchors = "".join(f'<p><a href="{href}">{text}</a></p>' for href in hrefs)
    return [entry.url for entry in read_page(f"<html><body>{anchors}</body></html>".encode(), url=URL).entries]


@pytest.mark.parametrize(
    "href", ["/tag/ferry", "/category/sea/boats", "/author/ana", "/page/2", "/search?q=ferry", "/about", "/jobs/", "/a.jpg", "/", "//", "http://[", "/feed/"]
)  # fmt: skip
def test_sections_and_files_are_no_articles(href: str) -> None:
    assert links(href) == []


@pytest.mark.parametrize(
    "href", ["/jobs/yard-takes-on-forty", "/topics/sea/ferry-sails", "/a", "/a?page=2", "/2026/11/24/1.html"]
)
def test_headlines_lead_to_articles_whatever_their_address(href: str) -> None:
    assert links(href) == [f"https://news.example{href}"]


@pytest.mark.parametrize("href", ["/2026/11/24/pier", "/sea/ferry-sails-again-today", "/a-1234567", "/news/pier-opens"])
def test_addresses_of_articles_count_whatever_the_text(href: str) -> None:
    assert links(href, text="More") == [f"https://news.example{href}"]


@pytest.mark.parametrize("href", ["/weather", "/sea", "/archive/2026"])
def test_short_texts_on_short_addresses_are_menus(href: str) -> None:
    assert links(href, text="Weather") == []


def test_tracking_goes_and_what_names_the_article_stays() -> None:
    assert links("/a?utm_source=x&id=7&fbclid=y&ref=front&b") == ["https://news.example/a?id=7&ref=front&b"]


def test_endlessly_many_links_are_not_read() -> None:
    assert len(links(*(f"/2026/11/24/{number}" for number in range(MAX_LINKS + 5)))) == MAX_LINKS
