"""The site that the crawl is tested against does what it says, byte for byte, before anything is concluded from it."""

import gzip
import http.client
import json
import ssl
import subprocess
import sys
import time
import tomllib
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import brotli
import feedparser
import pytest
from news_articles import VOICES, article, articles, revised
from news_site import (
    FEEDS,
    SITEMAPS,
    Behaviour,
    Server,
    Site,
    always_304,
    answers,
    busy,
    catalogue_of,
    cut_off,
    endless,
    endless_head,
    gzip_bomb,
    long_rules,
    new_etag_each_time,
    packed,
    redirects,
    redirects_often,
    rules,
    says,
    says_in_meta,
    says_packed,
    serving,
    sets_cookie,
    slow,
    written_in,
)
from site_server import Hit, disallowed, gaps, most_at_once, paths

NOW = datetime(2026, 1, 8, 12, 0, tzinfo=UTC)


@pytest.fixture
def site() -> Site:
    return Site(host="127.0.0.2", stories=articles("el", 3, latest=NOW))


@pytest.fixture
def other() -> Site:
    return Site(host="127.0.0.3", stories=articles("uk", 2, latest=NOW))


@pytest.fixture
def server(site: Site, other: Site) -> Iterator[Server]:
    with serving([site, other]) as up:
        yield up


class Got:
    """An answer as a plain client sees it."""

    def __init__(self, site: Site, path: str, headers: dict[str, str] | None = None) -> None:
        parts = urlsplit(site.base)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=20)
        try:
            connection.request("GET", path, headers=headers or {})
            response = connection.getresponse()
            self.status = response.status
            self.headers = response.headers
            self.body = response.read()
        finally:
            connection.close()


def behaving(site: Site, *behaviours: Behaviour) -> Got:
    """What comes of the first article when the site behaves so."""
    path = site.stories[0].path
    site.behave(path, *behaviours)
    return Got(site, path)


# ---- what a good site has -------------------------------------------------------------------------


@pytest.mark.usefixtures("server")
def test_every_article_has_a_page_with_its_headline_and_all_its_paragraphs(site: Site) -> None:
    for story in site.stories:
        got = Got(site, story.path)
        assert (got.status, got.headers["content-type"]) == (200, "text/html; charset=utf-8")
        text = got.body.decode()
        assert f"<h1>{story.title}</h1>" in text
        assert all(f"<p>{one}</p>" in text for one in story.paragraphs)


@pytest.mark.parametrize("language", VOICES)
def test_articles_of_one_language_differ_and_come_out_the_same_each_time(language: str) -> None:
    written = articles(language, 40, latest=NOW)
    assert written == articles(language, 40, latest=NOW)
    assert len({story.paragraphs for story in written}) == 40
    assert min(len(story.paragraphs) for story in written) >= 5
    assert [story.published_at for story in written] == sorted((story.published_at for story in written), reverse=True)


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("path", [path for path in FEEDS if not path.endswith(".json")])
def test_every_feed_names_every_article_in_order(site: Site, path: str) -> None:
    feed = feedparser.parse(Got(site, path).body)
    assert not feed.bozo
    assert [urlsplit(entry.link).path for entry in feed.entries] == [story.path for story in site.stories]
    assert [entry.title for entry in feed.entries] == [story.title for story in site.stories]


@pytest.mark.usefixtures("server")
def test_the_json_feed_names_every_article_in_order(site: Site) -> None:
    said = json.loads(Got(site, "/feed.json").body)
    assert [item["url"] for item in said["items"]] == [site.url(story.path) for story in site.stories]


@pytest.mark.usefixtures("server")
def test_the_full_feed_carries_the_text_and_the_tracked_one_its_parameters(site: Site) -> None:
    full, tracked = (feedparser.parse(Got(site, path).body) for path in ("/full.rss", "/tracked.rss"))
    assert full.entries[0].content[0].value == site.stories[0].html
    assert tracked.entries[0].link.endswith(".html?utm_source=rss&utm_medium=feed")
    assert Got(site, urlsplit(tracked.entries[0].link)._replace(scheme="", netloc="").geturl()).status == 200


def addresses(body: bytes) -> list[str | None]:
    return [node.text for node in ET.fromstring(body).iter() if node.tag.endswith("}loc")]  # noqa: S314  our own


@pytest.mark.usefixtures("server")
def test_the_sitemaps_lead_to_every_article(site: Site) -> None:
    found = {path: Got(site, path).body for path in SITEMAPS}
    found["/sitemap.xml.gz"] = gzip.decompress(found["/sitemap.xml.gz"])
    named = {path: addresses(body) for path, body in found.items()}
    index = named.pop("/sitemap-index.xml")
    assert index == [site.url("/sitemap.xml.gz"), site.url("/sitemap-news.xml")]
    assert list(named.values()) == [[site.url(story.path) for story in site.stories]] * 3


@pytest.mark.usefixtures("server")
def test_the_home_page_names_its_feeds_and_the_list_its_articles(site: Site) -> None:
    home, latest = Got(site, "/").body.decode(), Got(site, "/latest").body.decode()
    assert 'rel="alternate" type="application/rss+xml"' in home
    assert 'rel="alternate"' not in latest
    assert all(f'href="{story.path}"' in page for story in site.stories for page in (home, latest))


@pytest.mark.usefixtures("server")
def test_robots_rules_are_served_as_written_or_are_missing(site: Site, other: Site) -> None:
    site.robots = rules(agent="babelwire", allow=["/a/b"], disallow=["/a/"], delay=2) + rules(disallow=["/"])
    assert Got(site, "/robots.txt").body.decode() == (
        "User-agent: babelwire\nAllow: /a/b\nDisallow: /a/\nCrawl-delay: 2\n\nUser-agent: *\nDisallow: /\n\n"
    )
    assert Got(other, "/robots.txt").status == 404
    assert len(long_rules("a\n", "b\n", size=600_000)) > 550_000


@pytest.mark.usefixtures("server")
def test_a_site_that_changes_shows_it_with_the_next_answer(site: Site) -> None:
    story = site.stories[1]
    before = Got(site, story.path)
    site.revise(story, revised(story, at=NOW, text="Νεότερη ενημέρωση."))
    after = Got(site, story.path, {"If-None-Match": before.headers["etag"]})
    assert after.status == 200
    assert "Νεότερη ενημέρωση." in after.body.decode()
    assert "<atom:updated>2026-01-08T12:00:00+00:00</atom:updated>" in Got(site, "/feed.rss").body.decode()
    assert "<lastmod>2026-01-08T12:00:00+00:00</lastmod>" in Got(site, "/sitemap.xml").body.decode()


# ---- validators -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("server")
def test_what_has_not_changed_is_answered_with_304(site: Site) -> None:
    first = Got(site, "/feed.rss")
    by_tag = Got(site, "/feed.rss", {"If-None-Match": first.headers["etag"]})
    by_date = Got(site, "/feed.rss", {"If-Modified-Since": first.headers["last-modified"]})
    assert [(by_tag.status, by_tag.body), (by_date.status, by_date.body)] == [(304, b"")] * 2
    other_tag = {"If-None-Match": '"other"', "If-Modified-Since": first.headers["last-modified"]}
    assert Got(site, "/feed.rss", other_tag).status == 200


@pytest.mark.usefixtures("server")
def test_validators_can_lie_either_way(site: Site) -> None:
    path = site.stories[0].path
    tag = behaving(site, always_304).headers["etag"]
    site.revise(site.stories[0], revised(site.stories[0], at=NOW, text="Νέο."))
    assert Got(site, path, {"If-None-Match": tag}).status == 304
    first, second = behaving(site, new_etag_each_time), behaving(site, new_etag_each_time)
    assert first.body == second.body
    assert first.headers["etag"] != second.headers["etag"]


# ---- answers that say something else --------------------------------------------------------------


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("status", [403, 404, 410, 500])
def test_any_status_can_be_answered(site: Site, status: int) -> None:
    assert behaving(site, answers(status)).status == status


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("to", ["/latest", "http://10.0.0.1/", "http://[::1]/", "file:///etc/passwd"])
def test_redirects_lead_wherever_the_test_wants(site: Site, status: int, to: str) -> None:
    got = behaving(site, redirects(to, status))
    assert (got.status, got.headers["location"]) == (status, to)


@pytest.mark.usefixtures("server")
def test_a_chain_of_redirects_ends_after_its_hops(site: Site) -> None:
    site.behave("/go", redirects_often(3, "/latest"))
    seen = []
    path = "/go"
    while path != "/latest":
        path = Got(site, path).headers["location"]
        seen.append(path)
    assert seen == ["/go?hop=2", "/go?hop=3", "/latest"]


@pytest.mark.usefixtures("server")
def test_a_busy_site_asks_for_patience_and_then_answers(site: Site) -> None:
    path = site.stories[0].path
    site.behave(path, busy(times=2, seconds=3))
    got = [Got(site, path) for _ in range(3)]
    assert [(one.status, one.headers["retry-after"]) for one in got] == [(429, "3"), (429, "3"), (200, None)]
    site.behave("/feed.rss", busy(times=1, seconds=60, status=503, at=NOW))
    assert Got(site, "/feed.rss").headers["retry-after"] == "Thu, 08 Jan 2026 12:01:00 GMT"
    assert Got(site, "/feed.rss").status == 200


@pytest.mark.usefixtures("server")
def test_headers_meta_elements_and_files_carry_the_signals_that_a_test_wants(site: Site) -> None:
    site.files["/ai.txt"] = ("text/plain", b"User-Agent: *\nDisallow: /\n")
    got = behaving(site, says("X-Robots-Tag", "noai"), says_in_meta("tdm-reservation", "1"))
    assert got.headers["x-robots-tag"] == "noai"
    assert b'<meta name="tdm-reservation" content="1">' in got.body.partition(b"</head>")[0]
    assert Got(site, "/ai.txt").body.startswith(b"User-Agent")


def test_cookies_are_set_and_those_that_come_back_are_in_the_log(site: Site, server: Server) -> None:
    assert behaving(site, sets_cookie("visitor=7")).headers["set-cookie"] == "visitor=7"
    Got(site, "/latest", {"Cookie": "visitor=7"})
    assert [hit.headers.get("cookie") for hit in server.log] == [None, "visitor=7"]


# ---- bodies ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("server")
def test_bodies_come_packed_as_they_say(site: Site) -> None:
    plain = Got(site, site.stories[0].path).body
    for coding, unpack in (("gzip", gzip.decompress), ("br", brotli.decompress), ("deflate", zlib.decompress)):
        got = behaving(site, packed(coding))
        assert got.headers["content-encoding"] == coding
        assert unpack(got.body) == plain
    assert behaving(site, says_packed("gzip")).body == plain


@pytest.mark.usefixtures("server")
def test_a_bomb_is_small_and_unpacks_to_the_size_it_was_given(site: Site) -> None:
    body = behaving(site, gzip_bomb(8 * 2**20)).body
    assert len(body) < 20_000
    assert len(gzip.decompress(body)) == 8 * 2**20


@pytest.mark.usefixtures("server")
def test_a_text_can_be_in_another_charset_than_it_says(site: Site) -> None:
    got = behaving(site, written_in("cp1253", said="iso-8859-1"))
    assert got.headers["content-type"] == "text/html; charset=iso-8859-1"
    assert b'<meta charset="iso-8859-1">' in got.body
    assert site.stories[0].title in got.body.decode("cp1253")


# ---- time and connections -------------------------------------------------------------------------


def test_a_slow_answer_is_under_way_as_long_as_it_takes(site: Site, server: Server) -> None:
    path = site.stories[0].path
    site.behave(path, answers(200, b"abcde"), slow(head=0.1, body=0.1, between_bytes=0.02))
    assert Got(site, path).body == b"abcde"
    (hit,) = server.log
    assert hit.ended is not None
    # It may take longer on a busy machine, never less.
    assert hit.ended - hit.at > 0.1 + 0.1 + 3 * 0.02


@pytest.mark.usefixtures("server")
def test_a_body_can_stop_before_the_length_it_was_told(site: Site) -> None:
    with pytest.raises(http.client.IncompleteRead) as caught:
        behaving(site, cut_off(100))
    assert len(caught.value.partial) == 100


def test_bodies_and_heads_without_end_go_on_until_the_client_leaves(site: Site, server: Server) -> None:
    site.behave(site.stories[0].path, endless)
    connection = http.client.HTTPConnection(site.host, server.port, timeout=20)
    connection.request("GET", site.stories[0].path)
    response = connection.getresponse()
    assert len(response.read(1_000_000)) == 1_000_000
    response.close()
    connection.close()
    with pytest.raises(http.client.HTTPException):
        behaving(site, endless_head)


def test_what_is_under_way_when_the_server_closes_is_broken_off(site: Site) -> None:
    site.behave("/latest", slow(head=3600))
    with serving([site]) as server:
        connection = http.client.HTTPConnection(site.host, server.port, timeout=20)
        connection.request("GET", "/latest")
        while not server.log:
            time.sleep(0.01)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        connection.getresponse()
    connection.close()
    assert server.log[0].ended is not None


def test_a_certificate_that_nobody_signed_is_refused_by_a_careful_client_only() -> None:
    site = Site(host="127.0.0.4", stories=articles("de", 1, latest=NOW), with_tls=True)
    with serving([site]) as server:
        assert site.base == f"https://127.0.0.4:{server.port}"
        careful = http.client.HTTPSConnection(site.host, server.port, timeout=20, context=ssl.create_default_context())
        with pytest.raises(ssl.SSLCertVerificationError):
            careful.request("GET", "/latest")
        careful.close()
        careless = ssl._create_unverified_context()  # noqa: S323
        connection = http.client.HTTPSConnection(site.host, server.port, timeout=20, context=careless)
        connection.request("GET", "/latest")
        assert connection.getresponse().read().startswith(b"<!DOCTYPE html>")
        connection.close()


# ---- the log and the catalogue --------------------------------------------------------------------


def test_every_host_has_its_own_lines_in_the_log(site: Site, other: Site, server: Server) -> None:
    Got(site, "/latest", {"User-Agent": "babelwire/1"})
    Got(other, "/nowhere?x=1")
    assert paths(server.log) == ["/latest", "/nowhere?x=1"]
    assert paths(server.log, other.host) == ["/nowhere?x=1"]
    assert [(hit.host, hit.method, hit.status) for hit in server.log] == [
        ("127.0.0.2", "GET", 200),
        ("127.0.0.3", "GET", 404),
    ]
    assert server.log[0].headers["user-agent"] == "babelwire/1"
    assert all(hit.ended is not None and hit.ended >= hit.at for hit in server.log)


def hit(at: float, ended: float | None, *, host: str = "a", path: str = "/") -> Hit:
    return Hit(host=host, method="GET", path=path, headers={}, at=at, ended=ended)


def test_gaps_are_told_from_beginning_to_beginning_of_one_host() -> None:
    log = [hit(1.0, 9.0), hit(1.5, 2.0, host="b"), hit(3.0, 3.5), hit(3.25, 4.0)]
    assert gaps(log, "a") == [2.0, 0.25]
    assert gaps(log, "b") == []


def test_requests_at_once_are_counted_while_they_are_under_way() -> None:
    assert most_at_once([hit(1, 2), hit(2, 3), hit(3, 4)], "a") == 1
    assert most_at_once([hit(1, 4), hit(2, 3), hit(2.5, 2.75), hit(5, 6)], "a") == 3
    assert most_at_once([hit(1, None), hit(2, 3)], "a") == 2
    assert most_at_once([hit(1, 4, host="b")], "a") == 0


def test_forbidden_requests_are_found_by_the_beginning_of_their_path() -> None:
    log = [hit(1, 2, path="/a/b"), hit(1, 2, path="/ab"), hit(1, 2, host="b", path="/a/b")]
    assert disallowed(log, {"a": ["/a/", "/c"]}) == [log[0]]


def test_the_catalogue_lists_every_site_with_addresses_in_full(
    site: Site, other: Site, server: Server, tmp_path: Path
) -> None:
    site.listed = {"home": "/", "sitemaps": ["/sitemap.xml"], "take": ["/local/*"], "max_pages": 5}
    place = catalogue_of(server.sites, tmp_path, delay=0.2, crawl={"timeout": 3}, each={"concurrency": 2})
    said = tomllib.loads(place.read_text("utf-8"))
    assert said["crawl"] == {"contact": "mailto:desk@news.example", "allow_private": ["127.0.0.0/8"], "timeout": 3}
    assert said["source"] == [
        {
            "id": "site-127-0-0-2",
            "language": "el",
            "delay": 0.2,
            "concurrency": 2,
            "home": f"{site.base}/",
            "sitemaps": [f"{site.base}/sitemap.xml"],
            "take": [f"{site.base}/local/*"],
            "max_pages": 5,
        },
        {"id": "site-127-0-0-3", "language": "uk", "delay": 0.2, "concurrency": 2, "feeds": [f"{other.base}/feed.rss"]},
    ]


def test_two_hundred_hosts_share_one_port() -> None:
    stories = (article("zh", 0, latest=NOW),)
    sites = [Site(host=f"127.0.1.{number}", stories=stories) for number in range(1, 201)]
    with serving(sites) as server:
        assert [Got(site, "/feed.rss").status for site in sites] == [200] * 200
    assert len({hit.host for hit in server.log}) == 200


def test_a_fault_of_the_site_itself_is_not_swallowed(site: Site) -> None:
    def broken(*_: object) -> object:
        raise ZeroDivisionError

    site.behave("/latest", broken)  # type: ignore[arg-type]
    with pytest.raises(ZeroDivisionError), serving([site]), pytest.raises(http.client.RemoteDisconnected):
        Got(site, "/latest")


def test_nothing_is_left_open_when_the_server_is_gone(tmp_path: Path) -> None:
    script = tmp_path / "serve.py"
    script.write_text(
        "import http.client\nfrom datetime import UTC, datetime\nfrom news_articles import articles\n"
        "from news_site import Site, endless, serving, slow\n"
        "site = Site(host='127.0.0.5', stories=articles('en', 2, latest=datetime(2026, 1, 8, tzinfo=UTC)))\n"
        "site.behave('/latest', endless)\n"
        "with serving([site]) as server:\n"
        "    kept, unread = (http.client.HTTPConnection(site.host, server.port) for _ in range(2))\n"
        "    kept.request('GET', '/feed.rss'); kept.getresponse().read()\n"
        "    unread.request('GET', '/latest'); unread.getresponse().close()\n"
        "kept.close(); unread.close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", script],
        env={"PYTHONPATH": str(Path(__file__).parent.parent), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
