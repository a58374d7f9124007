"""Three nights against real sites on loopback addresses, good ones and bad ones, judged by what the sites' own log and the tables say."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from crawling import FINE, NOTHING_NEW, Stored, fetches, finish, stored, talk
from news_articles import article, articles, page, revised
from news_site import (
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

from ingest.sources import Limits, find_inputs, read_input
from normalize.options import DocumentOptions
from normalize.path import run_document
from schemas.document import Article, RawDocument

#: Seconds between two requests at one host, and how much of it a busy machine may take on the way.
DELAY, JITTER = 0.2, 0.1

#: Seconds for one request, and megabytes for one body.
TIMEOUT, MEGABYTES = 2, 1

NOW = datetime.now(UTC) - timedelta(minutes=5)
DAY = timedelta(days=1, hours=1)

#: No site of the catalogue, and not allowed by it.
INSIDE = "127.0.0.1"


class World:
    """Sites by name, each at an address of its own."""

    def __init__(self) -> None:
        self.sites: dict[str, Site] = {}

    def add(self, name: str, language: str = "en", count: int = 2, **more: object) -> Site:
        """Found a site; what more there is to it are fields of ``Site``."""
        stories = articles(language, count, latest=NOW)
        site = Site(host=f"127.0.0.{10 + len(self.sites)}", stories=stories, **more)  # type: ignore[arg-type]
        self.sites[name] = site
        return site

    def add_behaving(self, name: str, *behaviours: Behaviour) -> Site:
        """Found a site whose first article is answered so, and whose second is answered well."""
        site = self.add(name)
        site.behave(site.stories[0].path, *behaviours)
        return site


#: Sites that publish as they should, by how they list their articles.
GOOD: dict[str, dict[str, object]] = {
    "rss": {"feeds": ["/feed.rss"]},
    "atom": {"feeds": ["/feed.atom"]},
    "rdf": {"feeds": ["/feed.rdf"]},
    "json feed": {"feeds": ["/feed.json"]},
    "tracked": {"feeds": ["/feed.rss", "/tracked.rss"]},
    "sitemap": {"sitemaps": ["/sitemap.xml"]},
    "sitemap index": {"sitemaps": ["/sitemap-index.xml"]},
    "home": {"home": "/"},
    "list": {"lists": ["/latest"], "take": ["/local/*"]},
    "false tags": {"feeds": ["/feed.rss"]},
    "says nothing": {"feeds": ["/feed.rss"]},
    "full text": {"feeds": ["/full.rss"], "full_text": True},
}

#: Sites that are visited on the second and third night as well.
LATER = (*GOOD, "liar", "cookies", "missing", "picture", "noai", "ruled", "moved")

#: Where an article sends on to, and why nobody goes there.
FORBIDDEN = {
    "http://10.0.0.1/latest": "private_address",
    "http://169.254.169.254/latest/meta-data/": "private_address",
    "http://[::1]/latest": "private_address",
    f"http://{INSIDE}:{{port}}/latest": "private_address",
    "http://localhost:{port}/latest": "private_address",
    "file:///etc/passwd": "scheme",
}


def found_world() -> World:
    """Found all sites."""
    world = World()
    for number, (name, listed) in enumerate(GOOD.items()):
        language = ["el", "de", "uk", "en", "ar", "zh"][number % 6]
        world.add(name, language, 3, listed=dict(listed), robots=rules(disallow=["/private/"]))
    world.sites["false tags"].behave("/feed.rss", new_etag_each_time)
    world.sites["says nothing"].validates = False

    ruled = world.add("ruled", "uk", 3, robots=rules(disallow=["/"]))
    ruled.robots = rules(agent="babelwire", disallow=["/local/"], allow=[ruled.stories[0].path, "/feed"], delay=0.5) + rules(disallow=["/"])  # fmt: skip
    world.add("long rules", robots=long_rules(rules(disallow=["/local/"]), rules(disallow=["/"]), size=600_000))
    no_rules = world.add("no rules for now", robots=rules())
    no_rules.behave("/robots.txt", answers(503))
    forbidden = world.add("rules forbidden", robots=rules(disallow=["/"]))
    forbidden.behave("/robots.txt", answers(403))
    world.add("rules as page", robots=b"<!doctype html><html><body><p>Page: not found</p></body></html>")
    looping = world.add("rules in a loop", robots=rules())
    looping.behave("/robots.txt", redirects("/robots.txt"))

    world.add_behaving("gone", answers(410))
    world.add_behaving("missing", answers(404))
    world.add_behaving("broken", answers(500))
    world.add_behaving("empty", answers(200))
    world.add_behaving("too slow", slow(head=TIMEOUT * 4))
    world.add_behaving("trickling", slow(between_bytes=0.05))
    world.add_behaving("endless", endless)
    world.add_behaving("endless head", endless_head)
    world.add_behaving("cut off", cut_off(100))
    world.add_behaving("bomb", gzip_bomb(64 * 2**20))
    world.add_behaving("no gzip", says_packed("gzip"))
    world.add_behaving("picture", says("Content-Type", "image/png"))
    world.add_behaving("loop", redirects("/local/round.html"))
    world.sites["loop"].behave("/local/round.html", redirects(world.sites["loop"].stories[0].path))
    world.add_behaving("signed by nobody").with_tls = True
    world.add("down")

    for coding in ("gzip", "br", "deflate"):
        world.add_behaving(coding, packed(coding))
    world.add_behaving("wrong charset", written_in("cp1252", said="utf-8"))
    world.add_behaving("busy", busy(times=2, seconds=1))
    world.add_behaving("busy until", busy(times=1, seconds=2, status=503, at=datetime.now(UTC) + timedelta(seconds=5)))
    moved = world.add_behaving("moved", redirects_often(3, "/local/new.html", status=301))
    moved.files["/local/new.html"] = ("text/html; charset=utf-8", page(moved.stories[0], base="").encode())
    slowly = world.add_behaving("slow", slow(head=0.5))
    assert slowly
    biscuits = world.add("cookies", count=4)
    for path in ("/robots.txt", "/feed.rss", *(story.path for story in biscuits.stories)):
        biscuits.behave(path, sets_cookie())

    world.add_behaving("noai", says("X-Robots-Tag", "noai"))
    world.add_behaving("noarchive", says_in_meta("robots", "noarchive"))
    world.add_behaving("reserved", says("tdm-reservation", "1"))
    for name, path, text in (
        ("all reserved", "/.well-known/tdmrep.json", b'[{"location": "/local/*", "tdm-reservation": 1}]'),
        ("ai.txt", "/ai.txt", b"User-Agent: *\nDisallow: /\n"),
    ):
        world.add(name).files[path] = ("text/plain", text)
    sends_on = world.add("sends on", count=len(FORBIDDEN))
    assert sends_on
    liar = world.add("liar", "el", 3)
    liar.behave("/feed.rss", always_304)
    return world


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What one night came to."""

    code: int
    log: list[Hit]
    rows: pl.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Nights:
    """All that there is to look at."""

    sites: dict[str, Site]
    server: Server
    output: Path
    nights: tuple[Night, ...]
    pages: list[Stored]

    @property
    def first(self) -> Night:
        return self.nights[0]


NEWEST = "Δύο λόγια για όσα έγιναν στο μεταξύ."


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nights]:
    """A night, one a day later on which nothing has changed, and one another day later with news."""
    folder = tmp_path_factory.mktemp("crawl")
    world = found_world()
    sites = world.sites
    down = sites["down"]
    inside = Site(host=INSIDE, stories=articles("en", 1, latest=NOW), listed={})
    served = [site for site in sites.values() if site is not down]
    with serving([*served, inside]) as server:
        down.base = f"http://{down.host}:{server.port}"
        for story, target in zip(sites["sends on"].stories, FORBIDDEN, strict=True):
            sites["sends on"].behave(story.path, redirects(target.format(port=server.port)))
        crawl = {
            "allow_private": [site.host for site in sites.values()],
            "timeout": TIMEOUT,
            "max_megabytes_per_page": MEGABYTES,
        }
        catalogue = catalogue_of(sites.values(), folder, delay=DELAY, crawl=crawl)
        output, done = folder / "out", list[Night]()
        for number in range(3):
            if number == 1:
                # Those that fail are asked again each night, and take their time.
                catalogue = catalogue_of([sites[name] for name in LATER], folder, delay=DELAY, crawl=crawl)
            if number == 2:
                for name in ("atom", "sitemap"):
                    sites[name].revise(
                        sites[name].stories[0], revised(sites[name].stories[0], at=NOW + DAY, text=NEWEST)
                    )
                for name in ("rss", "liar"):
                    news = article(sites[name].stories[0].language, 50, latest=NOW + DAY + 50 * timedelta(minutes=37))
                    sites[name].stories = (news, *sites[name].stories)
            seen, rows = len(server.log), 0 if not done else sum(night.rows.height for night in done)
            code = finish(catalogue, output, later=number * DAY)
            done.append(Night(code=code, log=server.log[seen:], rows=fetches(output)[rows:]))
        yield Nights(sites=sites, server=server, output=output, nights=tuple(done), pages=stored(output))


def row_of(night: Night, url: str) -> dict[str, object]:
    """Give the last row of an address on one night."""
    found = night.rows.filter(pl.col("url") == url)
    assert found.height, f"no row of {url}"
    return found.row(-1, named=True)


# ---- every article once ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in GOOD if name != "full text"])
def test_the_first_night_asks_for_each_article_once(nights: Nights, name: str) -> None:
    site = nights.sites[name]
    asked = Counter(path.partition("?")[0] for path in paths(nights.first.log, site.host))
    assert {story.path: asked[story.path] for story in site.stories[-3:]} == {
        story.path: 1 for story in site.stories[-3:]
    }
    assert nights.first.code == FINE


def test_a_feed_with_the_whole_text_needs_no_page(nights: Nights) -> None:
    site = nights.sites["full text"]
    assert paths(nights.first.log, site.host) == ["/robots.txt", "/full.rss"]
    texts = [one for one in nights.pages if one.url.startswith(site.base)]
    assert [one.url for one in texts] == [site.url(story.path) for story in site.stories]
    assert all(story.html.encode() in one.body for story, one in zip(site.stories, texts, strict=True))


@pytest.mark.parametrize(
    "name", [*(name for name in GOOD if name != "full text"), "gzip", "br", "deflate", "busy", "slow"]
)
def test_pages_are_kept_once_for_each_version_to_the_byte(nights: Nights, name: str) -> None:
    site = nights.sites[name]
    kept = [one for one in nights.pages if one.url.startswith(site.base) and one.type == "response"]
    versions = 2 if name in {"atom", "sitemap"} else 1
    assert Counter(one.url.partition("?")[0] for one in kept) == {
        site.url(story.path): versions if story is site.stories[0] else 1 for story in site.stories
    }
    bodies = {hit.path: hit.sent for hit in nights.server.log if hit.host == site.host and hit.status == 200}
    last = {one.url: one.body for one in kept}
    assert {url: len(body) for url, body in last.items()} == {url: bodies[url.removeprefix(site.base)] for url in last}


def test_stored_pages_are_articles_to_the_road(nights: Nights) -> None:
    """However they were packed on the way, and whatever the charset."""
    files = sorted(str(path) for path in nights.output.glob("raw/**/pages-*.warc.gz"))
    documents = [
        one for source in find_inputs(files) for one in read_input(source, Limits()) if isinstance(one, RawDocument)
    ]
    outcomes = [run_document(one, DocumentOptions()) for one in documents]
    titles = {(str(one.raw.url), one.title) for one in outcomes if isinstance(one, Article)}
    for name in (*GOOD, "gzip", "br", "deflate", "wrong charset"):
        site = nights.sites[name]
        suffix = "?utm_source=rss&utm_medium=feed"
        missing = [
            story.title
            for story in site.stories
            if not {(site.url(story.path), story.title), (site.url(story.path) + suffix, story.title)} & titles
        ]
        assert not missing, name


# ---- the nights after -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", GOOD)
def test_the_second_night_asks_for_no_article_again(nights: Nights, name: str) -> None:
    site = nights.sites[name]
    asked = paths(nights.nights[1].log, site.host)
    assert [path for path in asked if path.startswith("/local/")] == []
    assert any(path.startswith(("/feed", "/full", "/sitemap", "/latest", "/")) for path in asked)


@pytest.mark.parametrize("name", [name for name in GOOD if name not in {"false tags", "says nothing"}])
def test_the_second_night_gets_no_list_again_that_has_not_changed(nights: Nights, name: str) -> None:
    site = nights.sites[name]
    lists = [
        hit for hit in nights.nights[1].log if hit.host == site.host and hit.path not in {"/robots.txt", "/ai.txt"}
    ]
    lists = [hit for hit in lists if not hit.path.startswith("/.well-known/")]
    assert lists
    assert {hit.status for hit in lists} == {304}


@pytest.mark.parametrize("name", ["false tags", "says nothing"])
def test_a_list_that_comes_again_unchanged_is_known_by_its_bytes(nights: Nights, name: str) -> None:
    site = nights.sites[name]
    assert [row_of(night, site.url("/feed.rss"))["outcome"] for night in nights.nights] == [
        "fetched",
        "unchanged",
        "unchanged",
    ]


def test_a_night_without_news_says_so(nights: Nights) -> None:
    assert nights.nights[1].code == NOTHING_NEW
    assert (
        not nights.nights[1]
        .rows.filter(pl.col("kind").is_in(["page", "entry"]) & (pl.col("outcome") == "fetched"))
        .height
    )


@pytest.mark.parametrize("name", ["atom", "sitemap"])
def test_an_article_that_says_it_changed_is_fetched_again(nights: Nights, name: str) -> None:
    site = nights.sites[name]
    assert [path for path in paths(nights.nights[2].log, site.host) if path.startswith("/local/")] == [
        site.stories[0].path
    ]
    kept = [one.body.decode() for one in nights.pages if one.url == site.url(site.stories[0].path)]
    assert [NEWEST in body for body in kept] == [False, True]


@pytest.mark.parametrize("name", ["rss", "liar"])
def test_a_new_article_is_fetched_and_no_other_even_from_a_feed_that_says_nothing_has_changed(
    nights: Nights, name: str
) -> None:
    site = nights.sites[name]
    assert [path for path in paths(nights.nights[2].log, site.host) if path.startswith("/local/")] == [
        site.stories[0].path
    ]
    assert nights.nights[2].code == FINE


# ---- politeness -----------------------------------------------------------------------------------


def test_nothing_is_asked_for_that_robots_txt_forbids(nights: Nights) -> None:
    sites = nights.sites
    ruled = sites["ruled"]
    assert not disallowed(
        nights.server.log,
        {
            ruled.host: [story.path for story in ruled.stories[1:]] + ["/private", "/latest"],
            sites["long rules"].host: ["/local/"],
            # Nothing but the file that cannot be had.
            sites["no rules for now"].host: ["/f", "/l", "/a", "/."],
        },
    )
    assert ruled.stories[0].path in paths(nights.server.log, ruled.host)


@pytest.mark.parametrize("name", ["rules forbidden", "rules as page"])
def test_a_site_without_rules_to_read_is_free_to_all(nights: Nights, name: str) -> None:
    site = nights.sites[name]
    assert {story.path for story in site.stories} <= set(paths(nights.first.log, site.host))


def test_every_host_is_given_its_delay(nights: Nights) -> None:
    short: dict[str, list[float]] = {}
    for name, site in nights.sites.items():
        delay = 0.5 if name == "ruled" else DELAY
        for night in nights.nights:
            short.setdefault(name, []).extend(gap for gap in gaps(night.log, site.host) if gap < delay - JITTER)
    assert {name: found for name, found in short.items() if found} == {}


def test_no_host_is_asked_twice_at_once(nights: Nights) -> None:
    # What a client gives up is under way at the server until it notices, at the next byte it sends.
    given_up = {"too slow", "trickling", "endless", "endless head"}
    most = {name: most_at_once(nights.server.log, site.host) for name, site in nights.sites.items()}
    assert {name: number for name, number in most.items() if number != 1 and name not in given_up} == {
        # Nothing listens at the one, and nobody speaks to the other.
        "down": 0,
        "signed by nobody": 0,
    }


def test_a_busy_host_is_given_the_time_it_asks_for(nights: Nights) -> None:
    site = nights.sites["busy"]
    came = [hit.at for hit in nights.first.log if hit.host == site.host and hit.path == site.stories[0].path]
    assert len(came) == 3
    assert all(later - earlier > 1 - JITTER for earlier, later in pairwise(came))


def test_a_busy_host_is_given_the_time_that_it_names(nights: Nights) -> None:
    site = nights.sites["busy until"]
    first, second = [hit for hit in nights.first.log if hit.host == site.host and hit.path == site.stories[0].path]
    assert (first.status, second.status) == (503, 200)


def test_everybody_is_told_who_asks_and_whom_to_write_to(nights: Nights) -> None:
    agents = {hit.headers.get("user-agent", "") for hit in nights.server.log}
    assert len(agents) == 1
    assert agents.pop().startswith("babelwire/")
    assert all("+mailto:desk@news.example" in hit.headers["user-agent"] for hit in nights.server.log)


def test_no_cookie_ever_comes_back(nights: Nights) -> None:
    assert len(paths(nights.server.log, nights.sites["cookies"].host)) >= 8
    assert not [hit for hit in nights.server.log if "cookie" in hit.headers]


# ---- safety ---------------------------------------------------------------------------------------


def test_no_redirect_leads_to_an_address_that_is_not_allowed(nights: Nights) -> None:
    site = nights.sites["sends on"]
    assert paths(nights.server.log, INSIDE) == []
    for story, (target, reason) in zip(site.stories, FORBIDDEN.items(), strict=True):
        assert story.path in paths(nights.first.log, site.host)
        where = target.format(port=nights.server.port)
        row = row_of(nights.first, where if reason == "private_address" else site.url(story.path))
        assert (row["outcome"], row["reason"]) == ("refused", reason), target


def test_a_certificate_that_nobody_signed_ends_it(nights: Nights) -> None:
    site = nights.sites["signed by nobody"]
    assert paths(nights.server.log, site.host) == []
    assert row_of(nights.first, site.url("/robots.txt"))["reason"] == "tls"


# ---- reasons --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "outcome", "reason"),
    [
        ("gone", "failed", "status_410"),
        ("missing", "failed", "status_404"),
        ("broken", "failed", "status_500"),
        ("empty", "failed", "empty"),
        ("too slow", "failed", "timeout"),
        ("trickling", "failed", "timeout"),
        ("endless", "failed", "too_large"),
        ("cut off", "failed", "cut_off"),
        ("bomb", "failed", "too_large"),
        ("picture", "refused", "not_a_page"),
        ("noai", "refused", "opt_out"),
        ("noarchive", "refused", "opt_out"),
        ("reserved", "refused", "opt_out"),
        ("all reserved", "refused", "opt_out"),
        ("ai.txt", "refused", "opt_out"),
        ("long rules", "refused", "robots"),
    ],
)
def test_what_is_not_had_says_why_and_what_stands_beside_it_is_had(
    nights: Nights, name: str, outcome: str, reason: str
) -> None:
    site = nights.sites[name]
    first, second = (row_of(nights.first, site.url(story.path)) for story in site.stories)
    assert (first["outcome"], first["reason"]) == (outcome, reason), first
    if name not in {"all reserved", "ai.txt", "long rules"}:
        assert second["outcome"] == "fetched", second


def test_every_row_without_a_page_has_a_reason(nights: Nights) -> None:
    rows = pl.concat(night.rows for night in nights.nights)
    bare = rows.filter(pl.col("outcome").is_in(["refused", "failed", "put_off"]))
    assert bare.filter(pl.col("reason").is_null()).is_empty()
    # A status says all there is to say.
    assert bare.filter(pl.col("detail").is_null() & ~pl.col("reason").str.starts_with("status_")).is_empty()


def test_every_request_in_the_log_of_the_sites_has_its_row_and_every_row_its_request(nights: Nights) -> None:
    by_host = {site.host: site.base for site in nights.sites.values()}
    asked = Counter(by_host[hit.host] + hit.path for hit in nights.server.log)
    rows = pl.concat(night.rows for night in nights.nights).filter(pl.col("tries").is_not_null())
    never_there = (nights.sites["down"].base, nights.sites["signed by nobody"].base)
    told = Counter(url for url in rows["url"] if not url.startswith(never_there))
    assert told == asked


def test_every_row_leads_to_the_bytes_it_tells_of(nights: Nights) -> None:
    records = {(one.file, one.offset): one for name in ("pages", "other") for one in stored(nights.output, name)}
    rows = pl.concat(night.rows for night in nights.nights)
    rows = rows.filter(pl.col("warc_file").is_not_null())
    assert rows.height == len(records)
    assert all(record.is_sound for record in records.values())
    assert {(row["warc_file"], row["warc_offset"]): row["url"] for row in rows.iter_rows(named=True)} == {
        place: record.url for place, record in records.items()
    }


def test_nothing_is_said_that_should_not_be(nights: Nights) -> None:
    assert "Traceback" not in talk(nights.output)
