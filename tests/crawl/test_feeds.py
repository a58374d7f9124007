"""Feeds of every kind, sound and broken, come out as what they name."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutate import chance_of, page_of
from reading_cases import read_case, samples

from ingest.crawl.entry import Reading
from ingest.crawl.feeds import MAX_ITEMS, read_feed

FEEDS = samples("feeds")
CONTENTS = [path.read_bytes() for path in FEEDS]
URL = "https://news.example/feed.xml"

NAMESPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    ' xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
)


def rss(items: str = "", *, channel: str = "", before: str = "") -> bytes:
    return (
        f'<?xml version="1.0" encoding="utf-8"?>{before}<rss version="2.0" {NAMESPACES}><channel>'
        f"<title>News</title><link>https://news.example/</link>{channel}{items}</channel></rss>"
    ).encode()


def item(inside: str, number: int = 1) -> str:
    return f"<item><link>https://news.example/{number}</link>{inside}</item>"


def read(content: bytes, url: str = URL) -> Reading:
    return read_feed(content, url=url)


@pytest.mark.parametrize("path", FEEDS, ids=lambda path: path.name)
def test_a_feed_comes_out_as_written_beside_it(path: Path) -> None:
    case = read_case(path)
    assert read_feed(case.content, url=case.url, charset=case.charset) == case.expected


def assert_usable(reading: Reading) -> None:
    for entry in (*reading.entries, *reading.maps):
        assert entry.url.startswith(("http://", "https://"))
        assert "#" not in entry.url
        for text in (entry.url, entry.guid, entry.title, entry.published, entry.language, entry.body):
            assert text is None or text.strip()
            (text or "").encode()
        for at in (entry.published_at, entry.updated_at):
            assert at is None or (at.tzinfo is UTC and at.year >= 1990)
    addresses = [entry.url for entry in reading.entries]
    assert len(addresses) == len(set(addresses))
    for fault in reading.faults:
        fault.encode()
        assert len(fault) < 400


@given(st.binary(max_size=2_000))
def test_any_bytes_give_a_reading(content: bytes) -> None:
    assert_usable(read(content))


@given(
    st.text(max_size=500),
    st.sampled_from(["<rss>{}</rss>", "<feed><entry>{}</entry></feed>", '{{"items":[{}]}}', "{}"]),
)
def test_any_text_in_a_feed_gives_a_reading(text: str, frame: str) -> None:
    assert_usable(read(frame.format(text).encode("utf-8", "surrogatepass")))


@given(st.integers(min_value=0))
def test_a_damaged_feed_gives_a_reading(seed: int) -> None:
    assert_usable(read(page_of(CONTENTS, chance_of("feeds", seed))))


@pytest.mark.parametrize("path", FEEDS, ids=lambda path: path.name)
def test_a_feed_that_is_cut_off_names_no_address_that_the_whole_does_not(path: Path) -> None:
    case = read_case(path)
    whole = {entry.url for entry in case.expected.entries}
    for end in range(0, len(case.content), 41):
        reading = read_feed(case.content[:end], url=case.url, charset=case.charset)
        # An address relative to what has not come yet is another one.
        named = {entry.url for entry in reading.entries}
        assert named <= whole, end


def test_the_items_before_the_cut_are_all_read() -> None:
    whole = rss("".join(item(f"<title>{number}</title>", number) for number in range(50)))
    cut = whole[: whole.index(b"<title>31</title>")]
    assert [entry.title for entry in read(cut).entries] == [str(number) for number in range(31)]


@pytest.mark.parametrize(
    "broken",
    [
        "<title>x</b></title>", "<description><p>a<br>b</description>", "<title>x", "</channel>", '<a b="1" b="2"/>', "<a b=c/>", "<1/>",
        "<title>a]]>b</title>", "<description><![CDATA[a]]>]]></description>", "<x:y z:w='1'/>", "<a" + " b='1'" * 3 + ">",
    ],
)  # fmt: skip
def test_a_broken_item_costs_no_other_one(broken: str) -> None:
    items = item("<title>before</title>", 1) + item(broken, 2) + item("<title>after</title>", 3)
    reading = read(rss(items))
    titles = {entry.url[-1]: entry.title for entry in reading.entries}
    assert (titles["1"], titles["3"]) == ("before", "after")
    assert reading.faults


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-16-be", "gb18030", "koi8-u", "cp1251", "iso8859-5"])
def test_the_same_feed_in_another_charset_names_the_same(codec: str) -> None:
    label = {"utf-8-sig": "utf-8", "utf-16-be": "utf-16"}.get(codec, codec)
    story = item("<title>Пором знову ходить</title><category>Море</category>")
    text = f'<?xml version="1.0" encoding="{label}"?><rss version="2.0"><channel>{story}</channel></rss>'
    reading = read(text.encode(codec))
    assert [(entry.title, entry.tags) for entry in reading.entries] == [("Пором знову ходить", ("Море",))]
    assert not [fault for fault in reading.faults if "charset" in fault]


def test_blanks_in_a_namespace_change_nothing() -> None:
    sound = rss(item("<dc:creator>Ana Prado</dc:creator>"))
    for blank in (
        b"http://purl.org/dc/elements/1.1/ ",
        b" http://purl.org/dc/ elements/1.1/",
        b"http://purl.org/dc/elements/1.1/\n  ",
    ):
        assert read(sound.replace(b"http://purl.org/dc/elements/1.1/", blank)) == read(sound)


def test_where_feedparser_fails_on_an_item_the_others_are_read() -> None:
    odd = item(f"<category>a{item('', 3)}</category>", 2)
    reading = read(rss(item("<title>before</title>", 1) + odd + item("<title>after</title>", 4)))
    assert [(entry.url[-1], entry.title) for entry in reading.entries] == [("1", "before"), ("2", None), ("4", "after")]
    assert "feedparser fails" in reading.faults[0]


def test_where_feedparser_fails_on_the_channel_its_items_are_read() -> None:
    gml = '<g:Point xmlns:g="http://www.opengis.net/gml" srsName="EPSG:none"><g:pos>a b</g:pos></g:Point>'
    where = f'<w:where xmlns:w="http://www.georss.org/georss">{gml}</w:where>'
    reading = read(rss(item("<title>sound</title>") + item(where, 2), channel=where))
    assert [entry.url[-1] for entry in reading.entries] == ["1", "2"]
    assert reading.faults == ()


class _Log(BaseHTTPRequestHandler):
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_error(404)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []
    handler = type("Log", (_Log,), {"asked": asked})
    with HTTPServer(("127.0.0.1", 0), handler) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}", asked
        serving.shutdown()
        thread.join()


def test_nothing_in_a_feed_makes_its_reader_fetch_or_open_anything(
    server: tuple[str, list[str]], tmp_path: Path
) -> None:
    base, asked = server
    secret = tmp_path / "secret.txt"
    secret.write_text("hidden", "utf-8")
    doctype = (
        f'<!DOCTYPE rss SYSTEM "{base}/rss.dtd" [<!ENTITY a SYSTEM "{base}/entity"><!ENTITY % p SYSTEM "{base}/parameter"> %p;'
        f'<!ENTITY f SYSTEM "{secret.as_uri()}">]>'
    )
    story = item(
        f'<title>&a;&f;</title><xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{secret.as_uri()}"/>'
    )
    reading = read(rss(story, before=doctype))
    assert [entry.title for entry in reading.entries] == ["&a;&f;"]
    for content in (f"{base}/feed.xml", str(secret), secret.as_uri()):
        assert read(content.encode()).entries == ()
    assert asked == []


def test_entities_are_not_expanded() -> None:
    laughs = "".join(f'<!ENTITY a{n + 1} "' + f"&a{n};" * 10 + '">' for n in range(29))
    doctype = f'<!DOCTYPE rss [<!ENTITY a0 "ha">{laughs}]>'
    reading = read(rss(item("<title>&a29;</title><description>&a29;</description>"), before=doctype))
    assert [entry.title for entry in reading.entries] == ["&a29;"]
    assert "entities that nobody declares (&a29;) x 2" in reading.faults


def test_of_endlessly_many_items_the_first_are_read() -> None:
    content = rss("".join(item("", number) for number in range(MAX_ITEMS + 5)))
    reading = read(content)
    assert len(reading.entries) == MAX_ITEMS
    assert reading.faults == ("more than 20,000 items: the others are not read",)


@pytest.mark.parametrize("opening", ["<a>", "<item>", "<description>", "<content:encoded>", "<author>"])
def test_deep_nesting_costs_only_what_is_nested(opening: str) -> None:
    reading = read(rss(item("<title>sound</title>") + opening * 20_000))
    assert [entry.title for entry in reading.entries if entry.title] == ["sound"]


@pytest.mark.parametrize(
    "inside",
    [f"<author>{'a' * 300_000}</author>", f"<author>x<![CDATA[{'a' * 300_000}]]></author>", f"<pubDate>{'1:' * 200_000}</pubDate>"],
    ids=["name", "name in CDATA", "date"],
)  # fmt: skip
def test_texts_in_the_place_of_names_and_dates_cost_nothing(inside: str) -> None:
    (entry,) = read(rss(item(f"<title>sound</title>{inside}"))).entries
    assert (entry.title, entry.authors, entry.published) == ("sound", (), None)


@pytest.mark.parametrize(
    ("channel", "seconds"),
    [
        ("<ttl>60</ttl>", 3_600), ("<ttl>0</ttl>", None), ("<ttl>soon</ttl>", None), ("<ttl>99999999</ttl>", 30 * 86_400), ("", None),
        ("<sy:updatePeriod>daily</sy:updatePeriod>", 86_400), ("<ttl>5</ttl><sy:updatePeriod>daily</sy:updatePeriod>", 300),
        ("<sy:updatePeriod> hourly </sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>", 900),
        ("<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>", 3_600),
        ("<sy:updatePeriod>now and then</sy:updatePeriod>", None),
    ],
)  # fmt: skip
def test_a_feed_says_how_long_it_is_to_be_left_alone(channel: str, seconds: int | None) -> None:
    assert read(rss(channel=channel)).every == seconds


@pytest.mark.parametrize(
    ("said", "moved"),
    [
        ("https://news.example/feed.xml", None),
        ("http://www.news.example/feed.xml/", None),
        ("/feed.xml?page=1", None),
        ("/rss.xml", "https://news.example/rss.xml"),
        ("https://feeds.example/news", "https://feeds.example/news"),
        ("javascript:alert(1)", None),
        ("", None),
    ],
)
def test_a_feed_says_where_it_is_now(said: str, moved: str | None) -> None:
    link = f'<a:link xmlns:a="http://www.w3.org/2005/Atom" rel="self" href="{said}"/>'
    assert read(rss(channel=link)).moved_to == moved
    assert read(rss(channel=f"<newLocation>{said}</newLocation>")).moved_to == moved
    assert read(rss(channel=f"<itunes:new-feed-url>{said}</itunes:new-feed-url>")).moved_to == moved


@pytest.mark.parametrize(
    ("written", "names"),
    [
        ("<author>desk@news.example (Ana Prado)</author>", ("Ana Prado",)),
        ("<author>Ana Prado &lt;desk@news.example&gt;</author>", ("Ana Prado",)),
        ("<author><![CDATA[Ana Prado <desk@news.example>]]></author>", ("Ana Prado",)),
        ("<author>desk@news.example</author>", ()),
        ("<dc:creator>Ana Prado</dc:creator><dc:creator>Rui Sá</dc:creator><author>Ana Prado</author>", ("Ana Prado", "Rui Sá")),
        ("<dc:creator>O&amp;#8217;Neill, Áine</dc:creator>", ("O’Neill, Áine",)),
        ("<author/>", ()),
    ],
)  # fmt: skip
def test_people_are_known_by_their_names(written: str, names: tuple[str, ...]) -> None:
    (entry,) = read(rss(item(written))).entries
    assert entry.authors == names


WHOLE = "The council met on Tuesday to talk about the pier and the ferry. "


@pytest.mark.parametrize(
    ("inside", "is_whole"),
    [
        (f"<content:encoded>{WHOLE * 3}</content:encoded>", True),
        (f"<description>{WHOLE}</description><content:encoded>{WHOLE * 3}</content:encoded>", True),
        (f"<content:encoded>{WHOLE * 3}</content:encoded><description>{WHOLE}</description>", True),
        (f"<description>{WHOLE}</description><content:encoded>{WHOLE}</content:encoded>", False),
        (f"<content:encoded>{WHOLE * 3}…</content:encoded>", False),
        (f"<content:encoded><![CDATA[<p>{WHOLE * 3}[&hellip;]</p>\n]]></content:encoded>", False),
        (f"<content:encoded><![CDATA[{WHOLE * 3}<a href='/1'>...</a>]]></content:encoded>", False),
        (f"<description>{WHOLE}</description>", False),
        (f"<description>{WHOLE * 20}</description>", True),
        (f"<description>{WHOLE * 20}...</description>", False),
        (f"<description>{WHOLE}</description><itunes:summary>{WHOLE * 3}</itunes:summary>", False),
        ("<content:encoded/>", False),
    ],
)
def test_a_body_is_the_whole_text_or_none(inside: str, *, is_whole: bool) -> None:
    (entry,) = read(rss(item(inside))).entries
    assert (entry.body is not None) is is_whole


def test_a_body_is_kept_as_it_was_sent() -> None:
    body = f'<p onclick="x()" style="color: red">{WHOLE}<img src="a.png"><br>Two&nbsp;words &amp; <b>more</p>\n<script>y()</script>'
    (entry,) = read(rss(item(f"<content:encoded><![CDATA[{body}]]></content:encoded>"))).entries
    assert entry.body == body


def test_a_feed_that_says_nothing_wrong_has_no_faults() -> None:
    reading = read(rss(item("<title>Sound</title><pubDate>Tue, 24 Nov 2026 10:00:00 GMT</pubDate>")))
    assert reading.faults == ()
    assert reading.entries[0].published_at == datetime(2026, 11, 24, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "content", [b"", b" \n", b"\0\0\0", b"just words", b"\x89PNG\r\n\x1a\n\x00\x00" * 50, b"[]", b"{}", b"<opml/>"]
)
def test_what_is_no_feed_says_so(content: bytes) -> None:
    reading = read(content)
    assert reading.entries == ()
    assert reading.faults
