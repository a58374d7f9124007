"""Pages that people saved or fetched from an archive: where they were, when, and nothing of the archive in the text."""

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sources import Limits, find_inputs, read_input
from ingest.sources.saved import Origin, origin_of
from normalize.options import DocumentOptions
from normalize.path import run_document
from schemas.document import Article, RawDocument

from source_outcomes import Read, the_document

URL = "https://harbour.example/ferry?id=7"
STORY = (
    "The night ferry to the island sailed again on Monday, eleven months after the storm that broke the northern pier.",
    "More than two hundred people stood on the quay and sang as the ropes were cast off, harbour staff said.",
    "Engineers had replaced forty metres of timber and moved the ticket office to higher ground during the winter.",
)
PAGE = "<html><head><title>Night ferry sails again</title></head><body><h1>Night ferry sails again</h1>{}</body></html>".format(
    "".join(f"<p>{text}</p>" for text in STORY)
)
AT = datetime(2026, 1, 7, 18, 33, 42, tzinfo=UTC)


def single_file(
    *, title: str = "Page saved with SingleFile", date: str = "Wed Jan 07 2026 20:33:42 GMT+0200 (EET)"
) -> str:
    return f"<!DOCTYPE html> <html><!--\n {title} \n url: {URL} \n saved date: {date}\n-->{PAGE.removeprefix('<html>')}"


def browser(*, length: int = len(URL), url: str = URL) -> str:
    return f"<!DOCTYPE html>\n<!-- saved from url=({length:04}){url} -->\n{PAGE}"


STAMP = "20260107183342"
WAYBACK_HEAD = (
    '<script src="https://web-static.archive.org/_static/js/athena.js" type="text/javascript"></script>\n'
    f'<script type="text/javascript">__wm.init("https://web.archive.org/web");\n  __wm.wombat("{URL}","{STAMP}",'
    '"https://web.archive.org/","web","https://web-static.archive.org/_static/", "1767810822");</script>\n'
    "<!-- End Wayback Rewrite JS Include -->\n"
)
TOOLBAR = (
    "<!-- BEGIN WAYBACK TOOLBAR INSERT -->\n<script>__wm.rw(0);</script>\n"
    '<div id="wm-ipp-base" lang="en"><p>Ask the publishers to restore access to five hundred thousand books of the library.</p>'
    f'<a href="/web/20250101000000/{URL}">Previous capture of this page in the collection</a></div>\n'
    f'<div id="wm-ipp-print">The Wayback Machine - https://web.archive.org/web/{STAMP}/{URL}</div>\n'
    "<!-- END WAYBACK TOOLBAR INSERT -->"
)
ARCHIVED = (
    "<!--\n     FILE ARCHIVED ON 18:33:42 Jan 07, 2026 AND RETRIEVED FROM THE\n"
    "     INTERNET ARCHIVE ON 05:55:35 Jul 12, 2026.\n"
    "     JAVASCRIPT APPENDED BY WAYBACK MACHINE, COPYRIGHT INTERNET ARCHIVE.\n-->\n"
    "<!--\nplayback timings (ms):\n  captures_list: 0.57\n-->"
)
PREFIX = f"https://web.archive.org/web/{STAMP}"


def wayback(*, head: str = WAYBACK_HEAD, toolbar: str = TOOLBAR, archived: str = ARCHIVED) -> str:
    own = (
        f'<link rel="canonical" href="{PREFIX}/https://harbour.example/ferry"/>'
        '<script type="application/ld+json">{"@type":"NewsArticle","headline":"Night ferry sails again",'
        f'"url":"https:\\/\\/web.archive.org\\/web\\/{STAMP}\\/https:\\/\\/harbour.example\\/ferry"}}</script>'
    )
    links = (
        f'<p>Source: <a href="/web/{STAMP}/https://council.example/minutes">Council</a></p>'
        '<p>Source: <a href="https://web.archive.org/web/20190101000000/https://old.example/pier">Old pages</a></p>'
        f'<figure><img src="/web/{STAMP}im_/https://harbour.example/ferry.jpg"><figcaption>The ferry.</figcaption></figure>'
    )
    page = PAGE.replace("<head>", f"<head>{head}{own}").replace("<body>", f"<body>{toolbar}")
    return page.replace("</body>", f"{links}</body>") + archived


@pytest.mark.parametrize(
    ("page", "url", "at"),
    [
        (single_file(), URL, AT),
        (single_file(title="Archive processed by SingleFile"), URL, AT),
        (single_file(date="yesterday"), URL, None),
        (single_file(date="Mon Feb 30 2026 20:33:42 GMT+0200"), URL, None),
        (browser(), URL, None),
        (browser(length=0), URL, None),
        (browser(length=14, url="about:internet"), None, None),
        (browser(length=len("https://harbour.example/a--b"), url="https://harbour.example/a%2D%2Db"), "https://harbour.example/a--b", None),
        (wayback(), URL, AT),
        (wayback(archived=""), URL, AT),
        (wayback(head=""), URL, AT),
        (wayback(head="", toolbar=""), None, AT),
        (wayback(archived=ARCHIVED.replace("Jan 07", "Feb 31")), URL, AT),
        (PAGE, None, None),
        (PAGE.replace("<h1>", "<h1>&lt;!-- saved from url=(0010)http://a.example --&gt;"), None, None),
    ],
)  # fmt: skip
def test_a_page_says_where_it_was_and_when(read: Read, page: str, url: str | None, at: datetime | None) -> None:
    document = the_document(read("a.html", page.encode()))
    assert (document.url, document.fetched_at) == (url, at)
    assert document.content == page.encode()


def test_a_saved_page_in_an_archive_says_so_as_well(read: Read) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.html", single_file())
        archive.writestr("b.html", PAGE)
    first, second = read("a.zip", out.getvalue())
    assert (first.url, first.fetched_at, second.url) == (URL, AT, None)


def article_of(document: RawDocument) -> Article:
    outcome = run_document(document, DocumentOptions())
    assert isinstance(outcome, Article)
    return outcome


def test_nothing_of_the_wayback_machine_comes_into_the_record(read: Read) -> None:
    article = article_of(the_document(read("a.html", wayback().encode())))
    assert all(text in article.text for text in STORY)
    everything = article.text + "".join(one.text for one in article.removed) + str(article.images)
    assert not [word for word in ("publishers", "capture", "Wayback", "archive.org") if word in everything]
    assert article.url_canonical == "https://harbour.example/ferry"
    assert article.domain == "harbour.example"
    assert [image.url for image in article.images] == ["https://harbour.example/ferry.jpg"]
    assert article.text_fixes[:2] == ("wayback_toolbar x 1", "wayback_links x 4")


def test_links_lead_where_their_author_set_them(read: Read) -> None:
    # One that he set into the archive himself stays there.
    cited = article_of(the_document(read("a.html", wayback().encode()))).cited_urls
    assert cited == (
        "https://council.example/minutes",
        "https://web.archive.org/web/20190101000000/https://old.example/pier",
    )


def test_a_page_about_the_archive_is_left_as_it_is(read: Read) -> None:
    page = PAGE.replace("</p>", f'</p><p>Source: <a href="{PREFIX}/{URL}">The copy in the archive</a></p>', 1)
    article = article_of(the_document(read("a.html", page.encode())))
    assert (article.cited_urls, article.text_fixes) == ((f"{PREFIX}/{URL}",), ())


@pytest.mark.parametrize(
    ("path", "at"),
    [
        (f"websites/harbour.example/{STAMP}/ferry/index.html", AT),
        ("websites/harbour.example/ferry/index.html", None),
        (f"websites/harbour.example/{STAMP[:-1]}9/ferry.html", AT.replace(second=49)),
        ("websites/harbour.example/99999999999999/ferry.html", None),
        (f"other/{STAMP}/ferry.html", None),
    ],
)
def test_folders_of_wayback_machine_downloader_give_the_time_and_no_address(
    tmp_path: Path, path: str, at: datetime | None
) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(PAGE)
    (source,) = find_inputs([str(tmp_path)])
    document = the_document(list(read_input(source, Limits())))
    assert (document.url, document.fetched_at) == (None, at)


@given(
    st.lists(
        st.sampled_from([single_file(), browser(), WAYBACK_HEAD, TOOLBAR, ARCHIVED, STAMP, "<!--", "-->"])
        | st.text(max_size=9)
    )
)
def test_any_page_has_an_origin_or_none(pieces: list[str]) -> None:
    origin = origin_of("".join(pieces).encode("utf-8", "replace"), "a.html")
    assert isinstance(origin, Origin)
    assert origin.url is None or origin.url.startswith("http")
