"""What a crawl notes beside a page comes back with the page, and nothing else is taken for such a note."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from raw_exchanges import AT, PAGE, SOFTWARE, about, exchange, stored
from warcio.warcwriter import WARCWriter

from ingest.crawl.raw_store import Exchange, RawStore
from ingest.sources import Limits, find_inputs, read_input
from ingest.sources.about import About, Kind, to_block
from normalize.options import DocumentOptions
from normalize.path import run_document
from schemas.document import Article, Discovered, RawDocument, Rejected

from source_outcomes import Outcomes, Read, documents, noise, the_document, the_rejection, warc_of

OPTIONS = DocumentOptions()


def crawled(folder: Path, *exchanges: Exchange) -> Outcomes:
    """Keep exchanges, and read the file as a run does."""
    stored(folder, exchanges)
    return outcomes(folder)


def outcomes(folder: Path) -> Outcomes:
    return [one for source in find_inputs([str(folder)]) for one in read_input(source, Limits())]


def test_a_page_knows_its_source_and_the_entry_that_named_it(tmp_path: Path) -> None:
    found = about(
        guid="tag:1", title="Το πλοίο", published="Wed, 07 Jan 2026 03:00:00 +0200", authors=("Άννα Νικολάου",), tags=("λιμάνι", "πλοία"),
    )  # fmt: skip
    page = the_document(crawled(tmp_path, exchange(about=found)))
    assert (page.source_id, page.publisher, page.language_prior) == ("nea-akti", "Nea Akti", "el")
    assert page.discovered == Discovered(
        feed="https://nea-akti.example/feed", guid="tag:1", title="Το πλοίο", published="Wed, 07 Jan 2026 03:00:00 +0200",
        authors=("Άννα Νικολάου",), tags=("λιμάνι", "πλοία"),
    )  # fmt: skip
    assert page.content == PAGE


def test_a_page_that_nothing_named_was_not_discovered(tmp_path: Path) -> None:
    page = the_document(crawled(tmp_path, exchange(about=About(kind="page", source_id="akti"))))
    assert (page.source_id, page.publisher, page.language_prior, page.discovered) == ("akti", None, None, None)


def test_the_text_of_an_entry_is_a_document(tmp_path: Path) -> None:
    html = "<p>Το πλοίο γύρισε".encode()
    with RawStore.open(tmp_path, "night", software=SOFTWARE) as store:
        kept = store.write_text("https://nea-akti.example/7", html, AT, about("entry", title="Το πλοίο"))
    page = the_document(outcomes(tmp_path))
    assert (page.content, page.media, page.url) == (html, "html", "https://nea-akti.example/7")
    assert (page.header("content-type"), page.http_status, page.fetched_at) == ("text/html; charset=utf-8", None, AT)
    assert (page.source_offset, page.source_length, page.warc_record_id) == (kept.offset, kept.length, kept.record_id)
    assert (page.source_id, page.discovered and page.discovered.title) == ("nea-akti", "Το πλοίο")


ON_THE_WAY: list[Kind] = ["feed", "sitemap", "list", "robots", "policy", "redirect", "error"]


@pytest.mark.parametrize("kind", ON_THE_WAY)
@pytest.mark.parametrize("body", [PAGE, b"", b"\0\1\2"])
def test_what_was_fetched_on_the_way_is_no_document(tmp_path: Path, kind: Kind, body: bytes) -> None:
    found = crawled(tmp_path, exchange(1, body, about=about(kind)), exchange(2))
    assert the_document(found).url == "https://nea-akti.example/2"


def test_a_revisit_of_a_feed_is_passed_over_and_one_of_a_page_is_rejected(tmp_path: Path) -> None:
    with RawStore.open(tmp_path, "night", software=SOFTWARE) as store:
        feed = store.write(exchange(1, about=about("feed")))
        store.write_revisit(exchange(1, about=about("feed")), feed, "https://nea-akti.example/1", AT)
        store.write_revisit(exchange(2), feed, "https://nea-akti.example/1", AT)
    rejection = the_rejection(outcomes(tmp_path))
    assert (rejection.reason, rejection.source_id, rejection.url) == (
        "revisit",
        "nea-akti",
        "https://nea-akti.example/2",
    )


def test_a_rejection_names_the_source(tmp_path: Path) -> None:
    rejection = the_rejection(crawled(tmp_path, exchange(body=b"")))
    assert (rejection.reason, rejection.source_id) == ("empty", "nea-akti")


def test_what_the_catalogue_says_of_an_input_stands(tmp_path: Path) -> None:
    stored(tmp_path, [exchange()])
    (source,) = find_inputs([str(tmp_path)])
    (page,) = read_input(replace(source, source_id="own", publisher="Own", language_prior="de"), Limits())
    assert isinstance(page, RawDocument)
    assert (page.source_id, page.publisher, page.language_prior) == ("own", "Own", "de")
    assert page.discovered is not None


def test_each_page_has_its_own_note(tmp_path: Path) -> None:
    found = crawled(tmp_path, *(exchange(n, about=about(source_id=f"s{n}", guid=f"g{n}")) for n in range(9)))
    assert [(one.source_id, one.discovered and one.discovered.guid) for one in documents(found)] == [
        (f"s{n}", f"g{n}") for n in range(9)
    ]


# ---- notes of others ------------------------------------------------------------------------------


def written(*parts: tuple[str, bytes, dict[str, str]]) -> bytes:
    """Write records with warcio: type, block, further headers."""
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=True)
    for kind, block, headers in parts:
        record = writer.create_warc_record(
            "https://x.example/",
            kind,
            payload=io.BytesIO(block),
            warc_content_type=headers.get("Content-Type", "text/html"),
            warc_headers_dict={name: value for name, value in headers.items() if name != "Content-Type"},
        )
        writer.write_record(record)
        record.raw_stream.close()
    return out.getvalue()


ID = "<urn:uuid:0f2d8a4e-5c1b-4f7a-9d3e-1a2b3c4d5e6f>"
TEXT = ("resource", b"<p>text", {"WARC-Record-ID": ID})
FIELDS = "application/warc-fields"


def note(block: bytes, content_type: str = FIELDS, concurrent: str = ID) -> tuple[str, bytes, dict[str, str]]:
    return "metadata", block, {"Content-Type": content_type, "WARC-Concurrent-To": concurrent}


def test_fields_of_other_crawlers_change_nothing(read: Read) -> None:
    block = (
        b"via: https://x.example/\r\nhopsFromSeed: LLX\r\nfetchTimeMs: 210\r\nsource: s\r\ntitle: t\r\nkind: feed\r\n"
    )
    alone, beside = (
        read("a.warc.gz", written(TEXT)),
        read("a.warc.gz", written(note(block), TEXT)),
    )
    assert moved(the_document(alone)) == moved(the_document(beside))


def moved(page: RawDocument) -> RawDocument:
    """Leave out where it lies and when it was written: they cannot be the same."""
    return replace(page, source_offset=None, source_length=None, fetched_at=None)


OURS = to_block(about("feed"))


@pytest.mark.parametrize(
    "other",
    [
        note(OURS, "application/json"),  # not the form of fields
        note(OURS, concurrent="<urn:uuid:another>"),  # about another record
        note(b"x: y\r\n" + OURS),
        note(OURS[:10]),
        note(OURS.replace(b"feed", b"dream", 1)),  # a kind that is not known
        ("conversion", OURS, {"Content-Type": FIELDS, "WARC-Concurrent-To": ID}),
        note(b"\xff\xfe" * 1000),
    ],
)
def test_what_is_no_note_about_the_page_is_passed_over(read: Read, other: tuple[str, bytes, dict[str, str]]) -> None:
    page = the_document(read("a.warc.gz", written(other, TEXT)))
    assert (page.source_id, page.discovered) == (None, None)


def test_a_note_holds_for_the_page_behind_it_only(read: Read) -> None:
    ours = note(to_block(about("page")))
    data = written(ours, TEXT, TEXT)
    assert [page.source_id for page in documents(read("a.warc.gz", data))] == ["nea-akti", None]
    behind = written(TEXT, ours)
    assert [page.source_id for page in documents(read("a.warc.gz", behind))] == [None]


def test_another_note_in_between_does_not_hide_ours(read: Read) -> None:
    data = written(note(to_block(about("page"))), note(b"fetchTimeMs: 1\r\n"), TEXT)
    assert the_document(read("a.warc.gz", data)).source_id == "nea-akti"


def test_a_note_of_many_megabytes_is_not_read(read: Read) -> None:
    block = to_block(about("page")) + b"babelwire-tag: " + noise(1, 1_000_000).hex().encode()
    assert the_document(read("a.warc.gz", written(note(block), TEXT))).source_id is None


def test_a_forged_note_cannot_bring_in_more_than_ours_would(read: Read) -> None:
    block = to_block(about("page")) + b"babelwire-tag: x\r\n" * 20_000 + b"babelwire-title: " + b"y" * 99_999
    page = the_document(read("a.warc.gz", written(note(block), TEXT)))
    assert page.discovered is not None
    assert (len(page.discovered.tags), len(page.discovered.title or "")) == (40, 2_000)


@given(st.lists(st.tuples(st.sampled_from(["kind", "source", "tag", "title", ""]), st.text(max_size=20)), max_size=9))
def test_no_note_stops_the_reading(tmp_path_factory: pytest.TempPathFactory, fields: list[tuple[str, str]]) -> None:
    block = "".join(f"babelwire-{name}: {value}\r\n" for name, value in fields).encode("utf-8", "surrogatepass")
    folder = tmp_path_factory.mktemp("notes")
    (folder / "a.warc.gz").write_bytes(written(note(b"babelwire-kind: page\r\n" + block), TEXT))
    (page,) = outcomes(folder)
    assert isinstance(page, RawDocument)
    assert isinstance(run_document(page, OPTIONS), Article | Rejected)


# ---- into the record ------------------------------------------------------------------------------


def article(found: About, head: str = "", body: str = "") -> Article:
    """Run a page that a crawl found, without the file in between: the reader is tested above."""
    markup = f"<html><head>{head}</head><body>{body}{PAGE.decode().partition('<body>')[2]}"
    page = RawDocument(
        source_kind="warc",
        source_uri="a.warc.gz",
        content=markup.encode(),
        fetched_at=AT,
        discovered=Discovered(
            feed=found.found_in, title=found.title, published=found.published, authors=found.authors, tags=found.tags
        ),
    )
    outcome = run_document(page, OPTIONS)
    assert isinstance(outcome, Article), outcome
    return outcome


ENTRY = about(
    title="The ferry is back",
    published="Tue, 06 Jan 2026 20:00:00 GMT",
    authors=("Maria Papas", "John Green"),
    tags=("harbour", "ferries"),
)


def origin(found: Article, field: str) -> str | None:
    return next((item.origin for item in found.origins if item.field == field), None)


def test_what_the_feed_says_fills_what_the_page_leaves_open() -> None:
    found = article(ENTRY)
    assert (found.title, found.authors, found.tags) == (ENTRY.title, ENTRY.authors, ENTRY.tags)
    assert found.published is not None
    assert found.published.at.isoformat() == "2026-01-06T20:00:00+00:00"
    assert {name: origin(found, name) for name in ("title", "authors", "published_at")} == {
        "title": "feed",
        "authors": "feed",
        "published_at": "feed",
    }


def test_authors_and_tags_of_the_page_win_over_those_of_the_feed() -> None:
    head = '<meta name="author" content="Anna Nikolaou"><meta name="keywords" content="quay, islands">'
    found = article(ENTRY, head)
    assert (found.authors, found.tags) == (("Anna Nikolaou",), ("quay", "islands"))
    assert origin(found, "authors") == "meta"


def test_an_author_line_of_the_page_wins_over_the_feed() -> None:
    found = article(ENTRY, body='<h1>The ferry is back</h1><p class="byline">By Anna Nikolaou</p>')
    assert found.authors == ("Anna Nikolaou",)


def test_without_a_feed_what_was_given_is_called_given() -> None:
    found = article(replace(ENTRY, found_in=None))
    assert (found.authors, origin(found, "authors"), origin(found, "title")) == (ENTRY.authors, "given", "given")


def test_plain_archives_are_read_as_before(read: Read) -> None:
    page = documents(read("a.warc.gz", warc_of(["<p>x"])))[0]
    assert (page.source_id, page.publisher, page.language_prior, page.discovered) == (None, None, None, None)
