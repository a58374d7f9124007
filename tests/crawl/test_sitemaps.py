"""Sitemaps come out as what they list."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutate import chance_of, page_of
from reading_cases import read_case, samples

from ingest.crawl.sitemaps import MAX_ADDRESSES, STANDARD_ADDRESSES, read_sitemap

SITEMAPS = samples("sitemaps")
CONTENTS = [path.read_bytes() for path in SITEMAPS]
URL = "https://news.example/sitemap.xml"


@pytest.mark.parametrize("path", SITEMAPS, ids=lambda path: path.name)
def test_a_sitemap_comes_out_as_written_beside_it(path: Path) -> None:
    case = read_case(path)
    assert read_sitemap(case.content, url=case.url) == case.expected


def assert_usable(content: bytes) -> None:
    reading = read_sitemap(content, url=URL)
    for entry in (*reading.entries, *reading.maps):
        assert entry.url.startswith(("http://", "https://"))
        assert "#" not in entry.url
        entry.url.encode()


@given(st.binary(max_size=2_000))
def test_any_bytes_give_a_reading(content: bytes) -> None:
    assert_usable(content)
    assert_usable(b"<urlset><url>" + content + b"</url></urlset>")


@given(st.integers(min_value=0))
def test_a_damaged_sitemap_gives_a_reading(seed: int) -> None:
    assert_usable(page_of(CONTENTS, chance_of("sitemaps", seed)))


@pytest.mark.parametrize("name", ["news.xml", "no_namespace.xml", "index.xml"])
def test_a_sitemap_that_is_cut_off_names_no_address_that_the_whole_does_not(name: str) -> None:
    case = read_case(next(path for path in SITEMAPS if path.name == name))
    whole = {entry.url for entry in (*case.expected.entries, *case.expected.maps)}
    for end in range(0, len(case.content), 7):
        reading = read_sitemap(case.content[:end], url=case.url)
        assert {entry.url for entry in (*reading.entries, *reading.maps)} <= whole, end


def urlset(count: int) -> bytes:
    return b"<urlset>%s</urlset>" % b"".join(b"<url><loc>https://a.example/%d</loc></url>" % n for n in range(count))


def test_more_addresses_than_the_standard_allows_are_read_and_said() -> None:
    assert read_sitemap(urlset(STANDARD_ADDRESSES), url=URL).faults == ()
    over = read_sitemap(urlset(STANDARD_ADDRESSES + 1), url=URL)
    assert len(over.entries) == STANDARD_ADDRESSES + 1
    assert over.faults == ("more than the 50,000 addresses that the standard allows",)


def test_endlessly_many_addresses_are_not_read() -> None:
    lines = b"".join(b"https://a.example/%d\n" % number for number in range(MAX_ADDRESSES + 5))
    assert len(read_sitemap(lines, url=URL).entries) == MAX_ADDRESSES


def test_entities_are_not_expanded() -> None:
    doctype = b'<!DOCTYPE urlset [<!ENTITY a "https://a.example/1"><!ENTITY f SYSTEM "file:///etc/passwd">]>'
    reading = read_sitemap(
        doctype + b"<urlset><url><loc>&a;/1</loc></url><url><loc>https://a.example/&f;/2</loc></url></urlset>", url=URL
    )
    assert [entry.url for entry in reading.entries] == ["https://news.example/&a;/1", "https://a.example/&f;/2"]
