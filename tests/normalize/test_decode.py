"""Bytes become text by the best evidence there is, and what was lost on the way is noted."""

from typing import Any

import pytest
from case_files import parameters, read_cases
from hypothesis import example, given, settings
from hypothesis import strategies as st
from small_pages import OPTIONS, raw

from normalize.decode import decode
from normalize.options import DocumentOptions
from schemas.document import Decoded, RawDocument
from schemas.errors import DocumentError

CASES = read_cases("decode.toml")

quick = settings(deadline=None, database=None, derandomize=True, max_examples=100)


def document(case: dict[str, Any]) -> RawDocument:
    body = bytes.fromhex(case["bytes"]) if "bytes" in case else case["text"].encode(case["written"])
    if "meta" in case:
        body = f"<meta charset={case['meta']}>".encode() + body
    headers = (("Content-Type", case["http"]),) if "http" in case else ()
    return raw(body, media=case.get("media"), http_headers=headers)


@pytest.mark.parametrize("case", parameters(CASES))
def test_bytes_are_read_as_their_case_says(case: dict[str, Any]) -> None:
    if "rejected" in case:
        with pytest.raises(DocumentError) as error:
            decode(document(case), OPTIONS)
        assert (error.value.stage, error.value.reason) == ("decode", case["rejected"])
        return
    decoded = decode(document(case), OPTIONS)
    assert (decoded.charset, decoded.charset_source) == (case["charset"], case["source"])
    assert decoded.text.removeprefix(f"<meta charset={case.get('meta')}>") == case.get("reads", case.get("text"))
    assert decoded.fixes == tuple(case.get("fixes", ()))


def test_the_names_of_the_cases_are_unique() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES)


def test_what_the_source_knows_counts_more_than_any_mark() -> None:
    decoded = decode(
        raw("\ufeffcafé", charset="utf-8", http_headers=(("Content-Type", "text/html; charset=koi8-r"),)), OPTIONS
    )
    assert (decoded.text, decoded.charset, decoded.charset_source) == ("café", "utf-8", "source")


@pytest.mark.parametrize(
    "name",
    "hex base64 rot13 zlib undefined idna punycode unicode_escape raw_unicode_escape utf-7 utf-16 utf-32 cp037 mbcs".split(),
)
def test_a_codec_that_no_page_can_be_written_in_is_not_believed(name: str) -> None:
    page = f'<meta charset="{name}"><p>2 + 2 \\u0041 \\x41 +AEE- café'
    for headers in ((), (("Content-Type", f"text/html; charset={name}"),)):
        decoded = decode(raw(page, http_headers=headers), OPTIONS)
        assert (decoded.text, decoded.charset, decoded.charset_source) == (page, "utf-8", "detected")


def test_a_text_over_the_limit_is_refused_with_both_numbers_and_the_option() -> None:
    with pytest.raises(DocumentError) as error:
        decode(raw("abcdefghij"), DocumentOptions(max_chars=9))
    assert (error.value.reason, error.value.detail) == (
        "too_long",
        "10 characters; the limit is 9 (document.max_chars)",
    )


@pytest.mark.parametrize(
    "start",
    [
        "<!DOCTYPE html><p>x",
        "\n  <html>",
        "<?xml version='1.0' encoding='utf-8'?>\n<html xmlns='http://www.w3.org/1999/xhtml'>",
        "<!-- saved from a browser -->\n<!-- twice -->\n<html>",
        "<div class=story>",
        "<p>A fragment</p>",
    ],
)
def test_a_document_that_begins_as_html_does_is_html(start: str) -> None:
    assert decode(raw(start), OPTIONS).media == "html"


@pytest.mark.parametrize(
    "start", ["<b>Bold</b> words", "The tag <html> opens a page", "<3 from the islands", "< p > 5"]
)
def test_a_text_with_a_tag_in_it_is_text(start: str) -> None:
    assert decode(raw(start), OPTIONS).media == "text"


def test_the_source_may_know_better_what_kind_it_is() -> None:
    assert decode(raw("<html>", media="text"), OPTIONS).media == "text"


@quick
@given(st.binary(max_size=400))
@example(b"\x00\x01")
@example(b"\xff\xfe\x00\xd8")
def test_any_bytes_become_text_or_are_refused_with_a_reason(body: bytes) -> None:
    outcome: Decoded | DocumentError
    try:
        outcome = decode(raw(body), OPTIONS)
    except DocumentError as error:
        outcome = error
    if isinstance(outcome, DocumentError):
        assert (outcome.stage, outcome.reason) in {("decode", "empty"), ("decode", "binary")}
    else:
        assert "\x00" not in outcome.text


@quick
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_utf8_that_says_so_is_read_back_letter_by_letter(text: str) -> None:
    body = b"<meta charset=utf-8><p>" + text.encode()
    assert decode(raw(body), OPTIONS).text == "<meta charset=utf-8><p>" + text
