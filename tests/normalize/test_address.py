"""Addresses of a document, and the identities made from them."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_pages import claim, page, raw

from normalize.address import canonical_url, domain_of, joined, page_url, record_id, story_id

quick = settings(deadline=None, database=None, derandomize=True, max_examples=200)

URL = "https://www.harbour.example/2026/ferry"


def canonical(declared: str | None, url: str | None = URL) -> str | None:
    found = canonical_url(page(claims=(claim("canonical", declared),) if declared else ()), url)
    return found.value if found else None


# ---- addresses -------------------------------------------------------------------------------------------


def test_where_a_page_was_found_counts_before_what_it_claims() -> None:
    claims = (claim("canonical", "https://other.example/1"),)
    found, claimed = page_url(page(claims=claims, url=URL)), page_url(page(claims=claims))
    assert found
    assert claimed
    assert (found.value, claimed.value) == (URL, "https://other.example/1")


def test_a_page_without_an_address_has_none() -> None:
    assert page_url(page(claims=(claim("canonical", "/ferry"),))) is None
    assert canonical(None, url=None) is None


@pytest.mark.parametrize(
    ("declared", "answer"),
    [
        ("https://www.harbour.example/ferry", "https://www.harbour.example/ferry"),
        ("https://harbour.example/ferry", "https://harbour.example/ferry"),
        ("/ferry", "https://www.harbour.example/ferry"),
        ("//harbour.example/ferry", "https://harbour.example/ferry"),
        ("https://harbour.example/", URL),
        ("https://other.example/ferry", URL),
        ("javascript:void(0)", URL),
        ("https://[broken/", URL),
    ],
)
def test_a_declared_address_counts_on_the_same_site_unless_it_is_the_home_page(declared: str, answer: str) -> None:
    assert canonical(declared) == answer


def test_without_a_declaration_tracking_is_taken_off() -> None:
    assert canonical(None, url=f"{URL}?utm_source=mail&id=7#top") == f"{URL}?id=7"


def test_the_home_page_itself_is_its_own_address() -> None:
    assert canonical("https://harbour.example/", url="https://harbour.example") == "https://harbour.example/"


@pytest.mark.parametrize(
    "url", ["http://", "https://[x", "http:///path", "ftp://a.example/b", "mailto:x@y.example", "", "no address"]
)
def test_what_is_no_address_of_a_page_has_no_canonical_form(url: str) -> None:
    assert canonical(None, url=url) is None


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        ("https://www.Example.org:8443/a", "example.org"),
        ("http://user:secret@news.example.org/", "news.example.org"),
        ("https://wwwnews.example/", "wwwnews.example"),
        ("https://νέα.example/", "νέα.example"),
        ("http://192.0.2.1/", "192.0.2.1"),
        ("example.org/a", None), ("http://[broken", None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_the_domain_is_the_bare_host(url: str | None, answer: str | None) -> None:
    assert domain_of(url) == answer


@quick
@given(
    base=st.none() | st.text(max_size=30).map(lambda text: f"https://a.example/{text}"), address=st.text(max_size=40)
)
def test_any_address_is_joined_or_refused(base: str | None, address: str) -> None:
    whole = joined(base, address)
    assert whole is None or isinstance(whole, str)
    domain_of(whole)


@quick
@given(st.text(max_size=40), st.sampled_from(["", "http:", "https://", "https://a.example/", "//", "https://["]))
def test_any_claim_and_address_give_a_canonical_form_or_none(text: str, start: str) -> None:
    for declared, url in ((start + text, URL), (None, start + text)):
        found = canonical(declared, url)
        assert found is None or found.startswith(("http://", "https://"))


# ---- identities ------------------------------------------------------------------------------------------


def digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def test_the_same_bytes_from_the_same_place_have_the_same_name() -> None:
    one, two = raw("story", url=URL), raw("story", url=URL)
    assert record_id(one, digest("story")) == record_id(two, digest("story"))
    assert len(record_id(one, digest("story"))) == 32


def test_other_bytes_or_another_place_have_another_name() -> None:
    names = {
        record_id(raw("a", url=URL), digest("a")),
        record_id(raw("b", url=URL), digest("b")),
        record_id(raw("a", url=URL + "2"), digest("a")),
        record_id(raw("a", url=URL, source_uri="in/other"), digest("a")),
        record_id(raw("a", url=URL, source_member="7"), digest("a")),
        record_id(raw("a", url=None), digest("a")),
    }
    assert len(names) == 6


def test_parts_that_run_into_each_other_are_kept_apart() -> None:
    one = record_id(raw("a", source_uri="in/x", source_member="y"), digest("a"))
    assert one != record_id(raw("a", source_uri="in/", source_member="xy"), digest("a"))


def test_a_record_of_an_archive_is_named_by_its_own_id_wherever_the_archive_lies() -> None:
    one = raw("a", warc_record_id="<urn:uuid:1>", source_uri="here.warc.gz")
    two = raw("a", warc_record_id="<urn:uuid:1>", source_uri="there.warc.gz")
    assert record_id(one, digest("a")) == record_id(two, digest("a"))


def test_revisions_of_one_address_are_one_story_and_a_document_without_one_is_its_own() -> None:
    assert story_id(URL, "a") == story_id(URL, "b") != story_id(URL + "2", "a")
    assert story_id(None, "a") == "a"
