"""Rows as other tools write them: each says what it says in columns of its own names."""

import io
import json
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sources import Input, Limits
from ingest.sources.look import Head
from ingest.sources.opened import Opened
from ingest.sources.rows import COLUMNS, document_of_row
from normalize.options import DocumentOptions
from normalize.path import run_document
from schemas.document import Article, Discovered, RawDocument, Rejected

from source_outcomes import Read, documents, summary, the_document, the_rejection

TEXT = "The night ferry to the island sailed again on Monday."
HTML = f"<html><body><p>{TEXT}</p></body></html>"
URL = "https://harbour.example/ferry"
FETCHED = datetime(2026, 1, 8, 7, 30, tzinfo=UTC)
TITLE = "Night ferry sails again"

NEWS_PLEASE: dict[str, object] = {
    "authors": ["Ana Reis", "Jo Ham"],
    "date_download": "2026-01-08 07:30:00",
    "date_modify": "None",
    "date_publish": "2026-01-07 06:00:00",
    "description": "After eleven months.",
    "filename": "https%3A%2F%2Fharbour.example%2Fferry.json",
    "image_url": "https://harbour.example/ferry.jpg",
    "language": "en",
    "localpath": None,
    "maintext": TEXT,
    "source_domain": "harbour.example",
    "text": None,
    "title": TITLE,
    "title_page": f"{TITLE} | Harbour",
    "title_rss": None,
    "url": URL,
}
FUNDUS: dict[str, object] = {
    "title": TITLE,
    "authors": ["Ana Reis", "Jo Ham"],
    "body": {"summary": ["In short."], "sections": [{"headline": ["Monday"], "paragraphs": [TEXT, "An end."]}]},
    "publishing_date": "2026-01-07 06:00:00+00:00",
    "topics": ["Ferries", "Islands"],
    "free_access": True,
    "images": [],
}
FUNDUS_WITH_HTML = FUNDUS | {
    "html": {
        "requested_url": "https://harbour.example/f",
        "responded_url": URL,
        "content": HTML,
        "crawl_date": "2026-01-08 07:30:00",
        "source_info": {"publisher": "Harbour"},
    }
}
NEWSPAPER4K: dict[str, object] = {
    "url": URL,
    "read_more_link": "",
    "language": "en",
    "title": TITLE,
    "top_image": "",
    "images": [],
    "keywords": ["sail"],
    "meta_keywords": [""],
    "tags": ["Ferries", "Islands"],
    "authors": ["Ana Reis", "Jo Ham"],
    "publish_date": "2026-01-07T06:00:00",
    "summary": "",
    "meta_description": "",
    "meta_site_name": "Harbour",
    "canonical_link": "https://harbour.example/canonical",
    "source_url": "https://harbour.example",
    "text": TEXT,
}
TRAFILATURA: dict[str, object] = {
    "title": TITLE,
    "author": "Ana Reis; Jo Ham",
    "hostname": "harbour.example",
    "date": "2026-01-07",
    "fingerprint": "d2ff47ba297cc254",
    "id": None,
    "license": None,
    "comments": "",
    "raw_text": None,
    "text": TEXT,
    "language": None,
    "image": None,
    "pagetype": "article",
    "filedate": "2026-11-25",
    "source": URL,
    "source-hostname": "Harbour",
    "excerpt": None,
    "categories": "News",
    "tags": "Ferries;Islands",
}
DATATROVE: dict[str, object] = {
    "text": TEXT,
    "id": "<urn:uuid:7>",
    "metadata": {"url": URL, "date": "2026-01-08T07:30:00Z", "dump": "CC-NEWS", "file_path": "a.warc.gz"},
}
FINEWEB: dict[str, object] = {
    "text": TEXT,
    "id": "<urn:uuid:7>",
    "dump": "CC-MAIN-2026-05",
    "url": URL,
    "date": "2026-01-08T07:30:00Z",
    "file_path": "a.warc.gz",
}
PLAIN: dict[str, object] = {"headline": TITLE, "content": TEXT, "link": URL, "pubDate": "Wed, 07 Jan 2026 06:00:00 GMT"}

NAMES = ("Ana Reis", "Jo Ham")
TAGS = ("Ferries", "Islands")
ROWS: dict[str, tuple[dict[str, object], str | None, datetime | None, Discovered | None]] = {
    "news-please": (NEWS_PLEASE, URL, FETCHED, Discovered(title=TITLE, published="2026-01-07 06:00:00", authors=NAMES)),
    "Fundus": (
        FUNDUS,
        None,
        None,
        Discovered(title=TITLE, published="2026-01-07 06:00:00+00:00", authors=NAMES, tags=TAGS),
    ),
    "Fundus with html": (
        FUNDUS_WITH_HTML,
        URL,
        FETCHED,
        Discovered(title=TITLE, published="2026-01-07 06:00:00+00:00", authors=NAMES, tags=TAGS),
    ),
    "newspaper4k": (
        NEWSPAPER4K,
        URL,
        None,
        Discovered(title=TITLE, published="2026-01-07T06:00:00", authors=NAMES, tags=TAGS),
    ),
    "trafilatura": (TRAFILATURA, URL, None, Discovered(title=TITLE, published="2026-01-07", authors=NAMES, tags=TAGS)),
    "datatrove": (DATATROVE, URL, FETCHED, None),
    "FineWeb": (FINEWEB, URL, FETCHED, None),
    "plain names": (PLAIN, URL, None, Discovered(title=TITLE, published="Wed, 07 Jan 2026 06:00:00 GMT")),
}


@pytest.mark.parametrize("tool", ROWS)
@pytest.mark.parametrize("indent", [None, 4])
def test_a_row_of_another_tool_says_the_same_as_one_of_ours(read: Read, tool: str, indent: int | None) -> None:
    row, url, fetched_at, discovered = ROWS[tool]
    page = the_document(read("a.json", json.dumps(row, indent=indent).encode()))
    assert (page.url, page.fetched_at, page.discovered) == (url, fetched_at, discovered)
    assert TEXT in page.content.decode()
    assert page.media == ("html" if "html" in tool else "text")


@pytest.mark.parametrize("tool", ["news-please", "Fundus with html", "newspaper4k", "datatrove", "FineWeb"])
def test_the_same_rows_in_parquet(read: Read, tool: str) -> None:
    row, url, fetched_at, discovered = ROWS[tool]
    out = io.BytesIO()
    pl.DataFrame([row]).write_parquet(out)
    page = the_document(read("a.parquet", out.getvalue()))
    assert (page.url, page.fetched_at, page.discovered) == (url, fetched_at, discovered)


def test_a_table_that_pandas_wrote_has_lists_as_python_shows_them(read: Read) -> None:
    table = (
        "url,title,authors,publish_date,text,tags\n"
        f'{URL},{TITLE},"[\'Ana Reis\', ""Jo O\'Ham""]",2026-01-07 06:00:00,{TEXT},"{{\'Ferries\'}}"\n'
    )
    page = the_document(read("a.csv", table.encode()))
    assert page.discovered is not None
    assert page.discovered.authors == ("Ana Reis", "Jo O'Ham")


def test_columns_of_a_flattened_table_have_the_dot_in_their_names(read: Read) -> None:
    page = the_document(read("a.csv", f"text,metadata.url,metadata.date\n{TEXT},{URL},2026-01-08T07:30:00Z\n".encode()))
    assert (page.url, page.fetched_at) == (URL, FETCHED)


def test_an_array_of_articles_is_a_row_each(read: Read) -> None:
    outcomes = read("crawled_articles.json", json.dumps([FUNDUS, FUNDUS_WITH_HTML], indent=2).encode())
    assert [page.media for page in documents(outcomes)] == ["text", "html"]


def test_the_text_of_fundus_keeps_its_order() -> None:
    page = document_of_row(table(), 1, FUNDUS, Limits())
    assert isinstance(page, RawDocument)
    assert page.content.decode() == f"In short.\n\nMonday\n\n{TEXT}\n\nAn end."


@pytest.mark.parametrize(
    ("row", "content", "media"),
    [
        ({"text": "ours", "maintext": "theirs"}, "ours", "text"),
        ({"text": "", "maintext": "theirs"}, "theirs", "text"),
        ({"text": "ours", "raw_html": HTML}, HTML, "html"),
        ({"content": HTML}, HTML, "html"),
        ({"content": "Words about <p> and <b>."}, "Words about <p> and <b>.", "text"),
        ({"article_html": "<p>x</p>", "html": HTML}, HTML, "html"),
        ({"body": {"sections": 7}, "article": "x"}, "x", "text"),
        ({"html": {}, "text": "x"}, "x", "text"),
    ],
)
def test_the_first_column_with_a_value_wins(read: Read, row: dict[str, object], content: str, media: str) -> None:
    page = the_document(read("a.jsonl", json.dumps(row).encode()))
    assert (page.content.decode(), page.media) == (content, media)


@pytest.mark.parametrize(
    "extra",
    [
        {"source": "Reuters"},
        {"source": ["x"]},
        {"link": 7},
        {"headline": {"x": 1}},
        {"date": ["x"]},
        {"date_publish": "None", "date_download": "NaT"},
        {"authors": 7, "tags": {"name": 7}},
        {"metadata": "x", "html": None},
        {"authors": [None, 7, {"name": None}, ["x"]]},
        {"dump": 1},
    ],
)
def test_what_makes_no_sense_in_a_column_of_others_is_passed_over(read: Read, extra: dict[str, object]) -> None:
    page = the_document(read("a.jsonl", json.dumps({"text": "x"} | extra).encode()))
    assert (page.url, page.fetched_at, page.discovered) == (None, None, None)


def test_a_row_without_any_text_says_what_columns_it_saw(read: Read) -> None:
    rejection = the_rejection(read("a.jsonl", b'{"Abstract": "x", "metadata": {}, "date": "x"}'))
    assert (rejection.reason, rejection.detail) == (
        "bad_row",
        "row 1: no text and no html; it has 'abstract, date, metadata'",
    )


def test_authors_and_tags_are_bounded(read: Read) -> None:
    row = {"text": "x", "authors": [f"Name {n}" for n in range(500)], "tags": ";".join("x" * n for n in range(5_000))}
    found = the_document(read("a.jsonl", json.dumps(row).encode())).discovered
    assert found is not None
    assert (len(found.authors), len(found.tags)) == (40, 40)


def test_a_text_that_begins_like_a_header_of_others_is_a_text(read: Read) -> None:
    page = the_document(read("a.txt", b"Article, date\nIt was the fifth of May, and the ferry lay at the pier."))
    assert page.source_kind == "text"


def test_authors_and_tags_come_into_the_record(read: Read) -> None:
    row = NEWSPAPER4K | {"text": "\n\n".join(f"{TEXT} It has now sailed {n} times." for n in range(9))}
    article = run_document(the_document(read("a.jsonl", json.dumps(row).encode())), DocumentOptions())
    assert isinstance(article, Article)
    assert (article.title, article.authors, article.tags) == (TITLE, NAMES, TAGS)


def table() -> Opened:
    head = Head(name="a.jsonl", stored=b"", data=b"", packing=None)
    source = Input(path=None, uri="a.jsonl")
    return Opened(source=source, kind="jsonl", file=io.BytesIO(), size=0, head=head, path=None)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None))
    | st.binary()
    | st.datetimes()
    | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NAMES_OF_COLUMNS = st.sampled_from(
    sorted({part for names in COLUMNS.values() for name in names for part in (name, name.partition(".")[0])})
)


@given(st.dictionaries(NAMES_OF_COLUMNS, VALUES, max_size=8))
def test_any_row_is_a_document_or_a_rejection(row: dict[str, object]) -> None:
    outcome = document_of_row(table(), 1, row, Limits())
    assert isinstance(outcome, RawDocument | Rejected)
    if isinstance(outcome, RawDocument):
        json.dumps(
            [outcome.url, outcome.source_member, *outcome.discovered.authors] if outcome.discovered else []
        ).encode()


def test_a_broken_row_between_rows_of_others_costs_no_more_than_itself(read: Read) -> None:
    data = json.dumps(NEWS_PLEASE).encode() + b"\n{broken\n" + json.dumps(DATATROVE).encode()
    assert summary(read("a.jsonl", data)) == ["1", "bad_row", "<urn:uuid:7>"]
