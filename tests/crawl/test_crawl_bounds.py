"""What a catalogue says of a source holds on real sites: which articles, how many, how old, how often, and by whose leave."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from crawling import FINE, NOTHING_NEW, ROOT, fetches, finish, start, stored
from news_articles import articles
from news_site import (
    Server,
    Site,
    answers,
    busy,
    catalogue_of,
    redirects,
    rules,
    says,
    serving,
    slow,
)
from site_server import most_at_once, paths

NOW = datetime.now(UTC) - timedelta(minutes=5)
HOUR, DAY = timedelta(hours=1), timedelta(hours=25)

USAGE, TRY_LATER = 2, 75


class Crawls:
    """One site, its catalogue, and the crawls of it."""

    def __init__(self, site: Site, server: Server, folder: Path) -> None:
        self.site = site
        self.server = server
        self.folder = folder
        self.output = folder / "out"
        #: Rows of the last crawl.
        self.rows = pl.DataFrame()

    def __call__(self, *, later: timedelta = timedelta(), **crawl: object) -> list[str]:
        """Crawl once; gives what was asked for, in order."""
        seen, before = len(self.server.log), set(self.output.glob("fetches/**/*.parquet"))
        self.code = finish(catalogue_of([self.site], self.folder, delay=0.0, crawl=crawl), self.output, later=later)
        (new,) = set(self.output.glob("fetches/**/*.parquet")) - before
        self.rows = pl.read_parquet(new)
        return paths(self.server.log[seen:])

    def reasons(self, kind: str = "page") -> Counter[tuple[str, str | None]]:
        """Count outcomes and reasons of the last crawl."""
        rows = self.rows.filter(pl.col("kind") == kind)
        return Counter(rows.select("outcome", "reason").iter_rows())

    def kept(self) -> list[str]:
        """Give the paths of the pages that are kept, of all crawls."""
        return [one.url.removeprefix(self.site.base) for one in stored(self.output)]


Crawling = Callable[..., Crawls]


@pytest.fixture
def crawling(tmp_path: Path) -> Iterator[Crawling]:
    """Makes a site with so many articles and what else the catalogue is to say of it."""
    closing = []

    @contextmanager
    def up(site: Site) -> Iterator[Crawls]:
        inside = Site(host="127.0.0.1", stories=articles("en", 1, latest=NOW))
        with serving([site, inside]) as server:
            yield Crawls(site, server, tmp_path)

    def make(count: int = 3, *, robots: str | None = None, **listed: object) -> Crawls:
        listed = {"feeds": ["/feed.rss"], **listed}
        site = Site(host="127.0.0.2", stories=articles("de", count, latest=NOW), robots=robots, listed=listed)
        closing.append(up(site))
        return closing[-1].__enter__()

    yield make
    for one in closing:
        one.__exit__(None, None, None)


def articles_in(asked: list[str]) -> list[str]:
    return [path for path in asked if path.startswith("/local/")]


# ---- which, how many, how old ---------------------------------------------------------------------


def test_addresses_to_leave_win_over_those_to_take(crawling: Crawling) -> None:
    crawl = crawling(5, take=["*/story-*.html"], leave=["*-1.html", "*-3.html"])
    assert [path[-6] for path in articles_in(crawl())] == ["0", "2", "4"]


def test_articles_that_are_too_old_are_never_asked_for(crawling: Crawling) -> None:
    crawl = crawling(5, max_age_days=1.5 * 37 / 60 / 24 + 5 / 60 / 24)
    assert [path[-6] for path in articles_in(crawl())] == ["0", "1"]
    assert articles_in(crawl(later=DAY)) == []


def test_what_is_over_the_budget_of_a_night_comes_the_next_and_the_table_says_so(crawling: Crawling) -> None:
    crawl = crawling(5, max_pages=2)
    assert len(articles_in(crawl())) == 2
    assert crawl.reasons() == {("fetched", None): 2, ("put_off", "budget"): 1}
    assert len(articles_in(crawl(later=DAY))) == 2
    assert len(articles_in(crawl(later=2 * DAY))) == 1
    assert Counter(crawl.kept()) == dict.fromkeys([story.path for story in crawl.site.stories], 1)


def test_a_page_that_has_moved_counts_once_in_the_budget(crawling: Crawling) -> None:
    crawl = crawling(2, max_pages=1)
    for story in crawl.site.stories:
        new = story.path.replace("/local/", "/moved/")
        crawl.site.files[new] = ("text/html", f"<h1>{story.title}</h1>{story.html}".encode())
        crawl.site.behave(story.path, redirects(new))
    crawl()
    assert crawl.reasons() == {("redirected", None): 1, ("fetched", None): 1, ("put_off", "budget"): 1}


def test_bytes_have_a_budget_as_well(crawling: Crawling) -> None:
    crawl = crawling(3, max_megabytes=0.1)
    crawl.site.behave(crawl.site.stories[0].path, answers(200, b"<p>" + b"a word and another " * 10_000))
    assert len(articles_in(crawl())) == 1
    assert ("put_off", "budget") in crawl.reasons()


def test_an_address_that_redirects_to_a_page_that_is_known_is_not_fetched_twice(crawling: Crawling) -> None:
    crawl = crawling(2)
    first, second = crawl.site.stories
    crawl.site.behave(second.path, redirects(first.path))
    crawl()
    assert crawl.kept() == [first.path]
    assert articles_in(crawl(later=DAY)) == []


# ---- how often ------------------------------------------------------------------------------------


def test_a_feed_is_left_alone_until_it_is_due(crawling: Crawling) -> None:
    crawl = crawling(1, poll_minutes=[60, 720])
    assert "/feed.rss" in crawl()
    assert crawl(later=0.5 * HOUR) == []
    assert crawl.code == NOTHING_NEW
    assert crawl(later=2 * HOUR) == ["/feed.rss"]


def test_rules_are_read_once_a_day_and_hold_in_between(crawling: Crawling) -> None:
    crawl = crawling(2, robots=rules(disallow=["/local/"]), poll_minutes=[0, 0])
    assert crawl()[:2] == ["/robots.txt", "/feed.rss"]
    crawl.site.stories = articles("de", 3, latest=NOW)
    assert crawl(later=HOUR) == ["/feed.rss"]
    crawl.site.robots = rules()
    assert crawl(later=DAY)[0] == "/robots.txt"


def test_old_rules_hold_while_new_ones_cannot_be_had(crawling: Crawling) -> None:
    crawl = crawling(2, robots=rules(disallow=["/local/"]), poll_minutes=[0, 0])
    crawl()
    crawl.site.behave("/robots.txt", busy(times=99, seconds=0, status=503))
    crawl.site.stories = (*articles("de", 3, latest=NOW + HOUR), *crawl.site.stories)
    asked = crawl(later=DAY)
    assert "/robots.txt" in asked
    assert articles_in(asked) == []


def test_a_host_that_wants_to_be_left_alone_for_long_is(crawling: Crawling) -> None:
    crawl = crawling(3, poll_minutes=[0, 0])
    crawl.site.behave(crawl.site.stories[0].path, busy(times=1, seconds=2 * 3600, status=503))
    assert articles_in(crawl()) == [crawl.site.stories[0].path]
    assert ("put_off", "host_left") in crawl.reasons()
    assert crawl(later=HOUR) == []
    assert sorted(articles_in(crawl(later=3 * HOUR))) == sorted(story.path for story in crawl.site.stories)


def test_as_many_requests_are_under_way_as_the_catalogue_says_and_no_more(crawling: Crawling) -> None:
    crawl = crawling(9, concurrency=3)
    for story in crawl.site.stories:
        crawl.site.behave(story.path, slow(head=0.4))
    crawl()
    assert most_at_once(crawl.server.log, crawl.site.host) == 3


def test_what_is_not_there_is_not_asked_for_again(crawling: Crawling) -> None:
    crawl = crawling(2)
    crawl.site.behave(crawl.site.stories[0].path, answers(404))
    crawl()
    assert articles_in(crawl(later=DAY)) == []


# ---- by whose leave -------------------------------------------------------------------------------


def test_signals_are_noted_where_they_need_not_be_obeyed(crawling: Crawling) -> None:
    crawl = crawling(2, opt_out="record")
    crawl.site.behave(crawl.site.stories[0].path, says("X-Robots-Tag", "noai, noarchive"))
    crawl.site.files["/ai.txt"] = ("text/plain", b"User-Agent: *\nDisallow: /\n")
    crawl()
    assert crawl.reasons() == {("fetched", None): 2}
    seen = dict(crawl.rows.filter(pl.col("kind") == "page").select("url", "signals").iter_rows())
    assert seen == {
        crawl.site.url(crawl.site.stories[0].path): [
            "ai.txt disallows text",
            "header x-robots-tag: noai",
            "header x-robots-tag: noarchive",
        ],
        crawl.site.url(crawl.site.stories[1].path): ["ai.txt disallows text"],
    }


def test_a_name_that_leads_inside_is_refused_unless_it_is_allowed(crawling: Crawling) -> None:
    crawl = crawling(1)
    crawl.site.behave(crawl.site.stories[0].path, redirects(f"http://localhost:{crawl.server.port}/latest"))
    crawl(allow_private=[crawl.site.host])
    assert ("refused", "private_address") in crawl.reasons()
    assert paths(crawl.server.log, "127.0.0.1") == []
    crawl(allow_private=[crawl.site.host, "localhost"], later=DAY)
    assert "/latest" in paths(crawl.server.log, "127.0.0.1")


def test_nothing_is_asked_for_without_somebody_to_write_to(crawling: Crawling, tmp_path: Path) -> None:
    crawl = crawling(1)
    catalogue = catalogue_of([crawl.site], tmp_path)
    catalogue.write_text(catalogue.read_text("utf-8").replace('contact = "mailto:desk@news.example"\n', ""), "utf-8")
    with start(catalogue, crawl.output) as process:
        assert process.wait() == USAGE
    assert crawl.server.log == []


# ---- stopping -------------------------------------------------------------------------------------


def wait_for_articles(crawl: Crawls, process: "subprocess.Popen[bytes]") -> None:
    while process.poll() is None and len(articles_in(paths(crawl.server.log))) < 3:
        time.sleep(0.01)


def test_a_crawl_that_is_asked_to_stop_keeps_what_it_has_and_the_next_goes_on(crawling: Crawling) -> None:
    crawl = crawling(12)
    catalogue = catalogue_of([crawl.site], crawl.folder, delay=0.2)
    with start(catalogue, crawl.output) as process:
        wait_for_articles(crawl, process)
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 128 + signal.SIGTERM
    assert 3 <= len(crawl.kept()) < 12
    assert finish(catalogue, crawl.output) == FINE
    assert Counter(crawl.kept()) == dict.fromkeys([story.path for story in crawl.site.stories], 1)
    # Of the one that was under way at most.
    assert len(articles_in(paths(crawl.server.log))) <= 13
    assert fetches(crawl.output).filter(pl.col("outcome") == "fetched", pl.col("kind") == "page").height == 12


def test_of_two_crawls_into_one_folder_the_second_is_told_to_wait(crawling: Crawling) -> None:
    crawl = crawling(12)
    catalogue = catalogue_of([crawl.site], crawl.folder, delay=0.2)
    with start(catalogue, crawl.output) as process:
        wait_for_articles(crawl, process)
        second = subprocess.run(
            [sys.executable, "-m", "ingest", "crawl", catalogue, "--output", crawl.output],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=False,
        )
        assert second.returncode == TRY_LATER
        assert process.wait() == FINE
    assert max(Counter(paths(crawl.server.log)).values()) == 1
