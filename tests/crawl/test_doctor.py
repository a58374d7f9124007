"""`babelwire sources doctor`: good and bad sites on loopback addresses, asked once by the command, judged by what it says and they saw."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from news_articles import articles
from news_site import (
    Site,
    always_304,
    answers,
    busy,
    catalogue_of,
    cut_off,
    http_date,
    new_etag_each_time,
    redirects,
    redirects_often,
    rules,
    serving,
    slow,
    source_id,
)
from site_server import Asked, Hit, Reply, disallowed, gaps, most_at_once, paths
from whole_runs import ROOT, Ended, babelwire

from ingest.crawl.diagnosis import faults_of_articles, faults_of_language, faults_of_list, wrong_kind
from ingest.crawl.entry import Entry, Reading
from ingest.crawl.visits import Visit
from schemas.source import SourceEntry

NOW = datetime.now(UTC) - timedelta(minutes=5)
DELAY, JITTER = 0.2, 0.1

RSS = "application/rss+xml"
EMPTY = "<rss version='2.0'><channel><title>Quay</title></channel></rss>"


class World:
    """Sites by name, each at an address of its own."""

    def __init__(self) -> None:
        self.sites: dict[str, Site] = {}

    def add(self, name: str, /, written: str = "en", *, latest: datetime = NOW, **listed: object) -> Site:
        site = Site(host=f"127.0.1.{10 + len(self.sites)}", stories=articles(written, 5, latest=latest))
        site.listed = listed or {"feeds": ["/feed.rss"]}
        self.sites[name] = site
        return site


def world() -> World:
    """One site for each thing that can be wrong, and a few where nothing is."""
    made = World()
    made.add("fine")
    made.add(
        "every kind",
        feeds=["/feed.atom", "/feed.json"],
        sitemaps=["/sitemap-news.xml", "/sitemap-index.xml"],
        lists=["/latest"],
    )
    made.add("home", home="/")
    made.add("home without feeds", home="/latest")
    made.add("page", pages=["/old", "/private/old"]).robots = rules(disallow=["/private/"])
    made.add("moved").behave("/feed.rss", redirects("/feed.atom", 301))
    made.add("moved for now").behave("/feed.rss", redirects("/feed.atom", 302))
    made.add("moved and gone").behave("/feed.rss", redirects("/nothing", 308))
    made.add("loop").behave("/feed.rss", redirects_often(9, "/feed.atom"))
    made.add("inwards").behave("/feed.rss", redirects("http://10.0.0.1/feed", 301))
    made.add("gone", feeds=["/nothing.rss"])
    made.add("refused").behave("/feed.rss", answers(403))
    made.add("failing").behave("/feed.rss", answers(500))
    made.add("busy", feeds=["/feed.rss", "/feed.atom"]).behave("/feed.rss", busy(times=99, seconds=600))
    made.add("slow answer").behave("/feed.rss", slow(head=60))
    made.add("cut off").behave("/feed.rss", cut_off(100))
    made.add("empty").files["/feed.rss"] = (RSS, EMPTY.encode())
    made.add("broken").files["/feed.rss"] = (RSS, b"\x00\x01 no feed at all")
    made.add("faulty").behave("/feed.rss", _broken_inside)
    made.add("html", feeds=["/"])
    made.add("html without feeds", feeds=["/latest"])
    made.add("sitemap as feed", feeds=["/sitemap.xml"])
    made.add("page as sitemap", sitemaps=["/latest"])
    made.add("stale", latest=NOW - timedelta(days=400))
    made.add("other language", "de", language="el", feeds=["/feed.rss"])
    made.add("not taken", feeds=["/feed.rss"], leave=["*"])
    made.add("no full text", feeds=["/feed.rss"], full_text=True)
    made.add("full text", feeds=["/full.rss"], full_text=True)
    made.add("liar").behave("/feed.rss", always_304)
    made.add("new tags").behave("/feed.rss", new_etag_each_time)
    dated = made.add("dated liar")
    dated.validates = False
    dated.behave("/feed.rss", _lies_by_date)
    made.add("forbidden").robots = rules(disallow=["/feed.rss"])
    made.add("articles forbidden").robots = rules(disallow=["/"], allow=["/feed.rss"])
    made.add("no robots").behave("/robots.txt", answers(500))
    made.add("patient").robots = rules(delay=1)
    made.add("very patient").robots = rules(delay=1000)
    made.add("opted out").files["/.well-known/tdmrep.json"] = (
        "application/json",
        b'[{"location": "*", "tdm-reservation": 1}]',
    )
    made.add("opted out, recorded", feeds=["/feed.rss"], opt_out="record").files["/ai.txt"] = (
        "text/plain",
        b"User-Agent: *\nDisallow: /\n",
    )
    made.add("no name", feeds=["http://no-such-name.invalid/feed"])
    return made


def _broken_inside(_: Asked, reply: Reply) -> Reply:
    return replace(reply, body=reply.body.replace(b"</title>", b"</titel>", 2))


def _lies_by_date(asked: Asked, reply: Reply) -> Reply:
    """Say that nothing has changed to whoever names a day."""
    if "if-modified-since" in asked.headers:
        return Reply(status=304)
    return replace(reply, headers=(*reply.headers, ("Last-Modified", http_date(NOW))))


@dataclass(frozen=True, kw_only=True)
class Examined:
    ended: Ended
    sites: dict[str, Site]
    log: Sequence[Hit]

    def rows(self, name: str) -> list[tuple[str, str]]:
        """Give key and verdict of each address of a site, in order."""
        start = re.escape(source_id(self.sites[name]))
        return re.findall(rf"^{start} +(\w+) +(\S+(?:, \S+)*) ", self.ended.said, flags=re.MULTILINE)

    def lines(self, name: str) -> list[tuple[str, str]]:
        """Give what is said of a site."""
        start = re.escape(source_id(self.sites[name]))
        return re.findall(rf"^(\w+: )\[{start}\] \w+ \"\S+\" (.*)$", self.ended.said, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def examined(tmp_path_factory: pytest.TempPathFactory) -> Examined:
    """The command, run once over the whole world."""
    made, folder = world(), tmp_path_factory.mktemp("doctor")
    with serving(list(made.sites.values())) as server:
        catalogue_of(server.sites, folder, delay=DELAY, crawl={"timeout": 8})
        ended = babelwire("sources", "doctor", "sources.toml", folder=folder)
        return Examined(ended=ended, sites=made.sites, log=list(server.log))


VERDICTS: dict[str, list[tuple[str, str]]] = {
    "fine": [("feeds", "fine")],
    "every kind": [("feeds", "fine"), ("feeds", "fine"), ("sitemaps", "fine"), ("sitemaps", "fine"), ("lists", "fine")],
    "home": [("home", "fine"), ("feeds", "fine"), ("feeds", "fine")],
    "home without feeds": [("home", "no_feed")],
    "page": [("pages", "fine"), ("pages", "robots")],
    "moved": [("feeds", "moved")],
    "moved for now": [("feeds", "fine")],
    "moved and gone": [("feeds", "gone")],
    "loop": [("feeds", "redirects")],
    "inwards": [("feeds", "private_address")],
    "gone": [("feeds", "gone")],
    "refused": [("feeds", "refused")],
    "failing": [("feeds", "failing")],
    "busy": [("feeds", "busy"), ("feeds", "busy")],
    "slow answer": [("feeds", "timeout")],
    "cut off": [("feeds", "cut_off")],
    "empty": [("feeds", "empty")],
    "broken": [("feeds", "broken")],
    "faulty": [("feeds", "faulty")],
    "html": [("feeds", "not_a_feed")],
    "html without feeds": [("feeds", "not_a_feed")],
    "sitemap as feed": [("feeds", "not_a_feed")],
    "page as sitemap": [("sitemaps", "not_a_sitemap")],
    "stale": [("feeds", "stale")],
    "other language": [("feeds", "language")],
    "not taken": [("feeds", "not_taken")],
    "no full text": [("feeds", "no_full_text")],
    "full text": [("feeds", "fine")],
    "liar": [("feeds", "lies")],
    "dated liar": [("feeds", "lies")],
    "new tags": [("feeds", "fine")],
    "forbidden": [("feeds", "robots")],
    "articles forbidden": [("feeds", "articles_forbidden")],
    "no robots": [("feeds", "robots_unreachable")],
    "patient": [("feeds", "slow")],
    "very patient": [("feeds", "slow")],
    "opted out": [("feeds", "opt_out")],
    "opted out, recorded": [("feeds", "opt_out")],
    "no name": [("feeds", "dns")],
}


@pytest.mark.parametrize("name", VERDICTS)
def test_each_address_has_its_verdict(examined: Examined, name: str) -> None:
    assert examined.rows(name) == VERDICTS[name]


def test_no_site_is_left_out_of_the_verdicts(examined: Examined) -> None:
    assert set(VERDICTS) == set(examined.sites)


SAID = {
    "moved": '/feed.atom"; write that address',
    "moved and gone": '/nothing", and there: status 404: there is nothing any more; look for its new address',
    "inwards": "10.0.0.1, which is no public address",
    "refused": "status 403: the site refuses us",
    "html": "write one of the feeds that it names: http://",
    "sitemap as feed": "move it to sitemaps",
    "other language": 'reads as "de", and the catalogue says "el"',
    "not taken": "take and leave pass over all 5 articles",
    "faulty": "for the rest is read",
    "patient": "asks for 1 s between two requests, so max_pages 200 take 0.1 hours",
    "very patient": "so nothing more was asked for",
    "articles forbidden": "of 5 articles 5 must not be fetched",
    "opted out": "the site opts out (tdmrep.json: 1): its pages are left",
    "opted out, recorded": "(ai.txt disallows text): its pages are taken all the same",
    "no name": "the name no-such-name.invalid cannot be resolved",
}


@pytest.mark.parametrize("name", SAID)
def test_each_finding_says_what_was_seen_and_what_to_do(examined: Examined, name: str) -> None:
    assert SAID[name] in "\n".join(said for _, said in examined.lines(name))


def test_of_an_address_that_is_fine_nothing_is_said(examined: Examined) -> None:
    fine = [name for name, rows in VERDICTS.items() if {verdict for _, verdict in rows} == {"fine"}]
    assert all(examined.lines(name) == [] for name in fine)


def test_the_table_tells_how_many_articles_there_are_and_of_when_the_newest_is(examined: Examined) -> None:
    site = examined.sites["fine"]
    row = re.search(rf"^{source_id(site)} .*$", examined.ended.said, flags=re.MULTILINE)
    assert row
    assert row[0].split()[2:5] == ["fine", "5", f"{site.stories[0].published_at:%Y-%m-%d}"]


#: Something comes of an address of which this is said.
NOTES = {"fine", "moved", "no_feed", "faulty", "stale", "language", "no_full_text", "lies", "slow"}


def test_addresses_that_give_nothing_end_it_with_2(examined: Examined) -> None:
    verdicts = [(name, verdict) for name, rows in VERDICTS.items() for _, verdict in rows]
    nothing = [name for name, verdict in verdicts if verdict not in NOTES and name != "opted out, recorded"]
    fine = [name for name, verdict in verdicts if verdict == "fine"]
    assert (examined.ended.code, examined.ended.talk) == (2, "")
    assert examined.ended.said.splitlines()[-1] == (
        f"{len(verdicts)} addresses: {len(fine)} fine, {len(nothing)} give nothing"
    )


def test_nothing_but_notes_ends_it_with_0(tmp_path: Path) -> None:
    site = Site(
        host="127.0.0.2", stories=articles("el", 4, latest=NOW), listed={"feeds": ["/feed.rss"], "language": "de"}
    )
    with serving([site]) as server:
        catalogue_of(server.sites, tmp_path)
        ended = babelwire("sources", "doctor", "sources.toml", folder=tmp_path)
    assert (ended.code, ended.talk) == (0, "")
    assert "\nlanguage: [site-127-0-0-2] feeds " in ended.said
    assert ended.said.endswith("\n1 addresses: 0 fine, 0 give nothing\n")


# ---- what the sites saw ---------------------------------------------------------------------------


def test_no_host_is_asked_sooner_than_it_may_be_nor_twice_at_once(examined: Examined) -> None:
    for name, site in examined.sites.items():
        least = 1.0 if name == "patient" else DELAY
        assert all(gap >= least - JITTER for gap in gaps(examined.log, site.host)), name
        assert most_at_once(examined.log, site.host) <= 1, name


def test_robots_txt_is_read_first_and_kept_to(examined: Examined) -> None:
    sites = examined.sites
    asked = {name: paths(examined.log, site.host) for name, site in sites.items()}
    assert all(seen[0] == "/robots.txt" and seen.count("/robots.txt") == 1 for seen in asked.values() if seen)
    assert asked["forbidden"] == asked["no robots"] == asked["very patient"] == ["/robots.txt"]
    forbids = {sites["page"].host: ["/private/"], sites["articles forbidden"].host: ["/local"]}
    assert disallowed(examined.log, forbids) == []


def test_no_article_is_fetched(examined: Examined) -> None:
    stories = {(site.host, story.path) for site in examined.sites.values() for story in site.stories}
    assert not stories & {(hit.host, hit.path) for hit in examined.log}


def test_a_host_that_wants_to_be_left_alone_is(examined: Examined) -> None:
    seen = paths(examined.log, examined.sites["busy"].host)
    assert len([path for path in seen if path.startswith("/feed")]) <= 2
    assert seen[-1] == "/feed.rss"


def test_it_says_who_asks(examined: Examined) -> None:
    assert {hit.headers["user-agent"].partition("/")[0] for hit in examined.log} == {"babelwire"}
    assert all("mailto:desk@news.example" in hit.headers["user-agent"] for hit in examined.log)


def test_nothing_is_written(tmp_path: Path) -> None:
    site = Site(host="127.0.0.2", stories=articles("el", 4, latest=NOW))
    with serving([site]) as server:
        catalogue_of(server.sites, tmp_path)
        before = {path.name for path in tmp_path.iterdir()}
        babelwire("sources", "doctor", "sources.toml", folder=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} - before <= {"talk.txt", "said.txt"}


# ---- the command ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[source]]\nid = "quay"\nhome = "https://quay.example/"\n', "[crawl] has no contact"),
        ('[crawl]\ncontact = "mailto:a@b.example"\n[[source]]\nid = "quay"\n', "there is nothing to look at"),
    ],
)
def test_without_a_contact_or_an_address_nothing_is_asked(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "sources.toml").write_text(text)
    ended = babelwire("sources", "doctor", "sources.toml", folder=tmp_path)
    assert (ended.code, ended.said) == (2, "")
    assert said in ended.talk


def test_a_signal_ends_it_soon(tmp_path: Path) -> None:
    site = Site(host="127.0.0.2", stories=articles("el", 4, latest=NOW))
    site.behave("/feed.rss", slow(head=60))
    with serving([site]) as server:
        catalogue_of(server.sites, tmp_path)
        with subprocess.Popen(
            [sys.executable, "-m", "ingest", "sources", "doctor", "sources.toml"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        ) as process:
            while "/feed.rss" not in paths(server.log):
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            said, talk = process.communicate(timeout=20)
    assert (process.returncode, said) == (130, b"")
    assert b"stopped after 0 of 1 sources" in talk
    assert b"Traceback" not in talk


# ---- findings that need no site ---------------------------------------------------------------------


def entries(count: int) -> tuple[Entry, ...]:
    return tuple(Entry(url=f"https://quay.example/{number}") for number in range(count))


def whats(source: SourceEntry, reading: Reading, key: str = "feeds") -> list[str]:
    newest = max((one.published_at for one in reading.entries if one.published_at), default=None)
    return [finding.what for finding in faults_of_articles(source, key, reading, newest, NOW)]  # type: ignore[arg-type]


def test_a_sitemap_without_days_that_is_longer_than_a_night_is_named() -> None:
    source = SourceEntry(id="quay", max_pages=10)
    assert whats(source, Reading(kind="sitemap", entries=entries(11)), "sitemaps") == ["undated"]
    assert whats(source, Reading(kind="sitemap", entries=entries(10)), "sitemaps") == []


def test_the_language_is_not_told_by_two_titles_nor_of_a_source_in_many() -> None:
    titles = (
        "Die Bibliothek bleibt bis Mitternacht geöffnet",
        "Der Hafen wird im Frühjahr gebaut",
        "Die Brücke ist frei",
    )

    def languages(language: str | None, count: int = 3) -> list[str]:
        return [one.what for one in faults_of_language(SourceEntry(id="quay", language=language), titles[:count])]

    assert languages("el") == languages(None) == ["language"]
    assert languages("de-AT") == languages("mul") == languages("el", 2) == []


def test_a_feed_that_says_where_it_lives_now_is_believed() -> None:
    reading = Reading(kind="rss", entries=entries(1), moved_to="https://quay.example/new.rss")
    (found,) = faults_of_list(SourceEntry(id="quay"), "feeds", reading)
    assert (found.what, found.is_fault) == ("moved", False)
    assert '"https://quay.example/new.rss" now; write that address' in found.said


def test_an_index_of_sitemaps_is_not_empty() -> None:
    reading = Reading(kind="sitemapindex", maps=entries(2))
    assert list(faults_of_list(SourceEntry(id="quay"), "sitemaps", reading)) == []
    assert wrong_kind("sitemaps", reading, Visit(url="https://quay.example/")) is None
