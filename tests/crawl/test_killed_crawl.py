"""A crawl that is killed at any moment, again and again, ends where a calm one would: nothing lost, nothing there twice."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from crawling import NOTHING_NEW, fetches, finish, start, stored, talk
from kills import chances
from news_articles import articles
from news_site import Server, Site, catalogue_of, packed, redirects, rules, serving
from raw_exchanges import by_warcio
from site_server import disallowed, gaps

NOW = datetime.now(UTC) - timedelta(minutes=5)

#: Seconds between two requests at one host, and how much of it a busy machine may take on the way.
DELAY, JITTER = 0.1, 0.05

#: Kills of one test, each so many seconds after the crawl was started at most.
KILLS, LATEST = 5, 3.5


@pytest.fixture
def server() -> Iterator[Server]:
    """Sites whose answers are kept in every way: pages, packed pages, pages that moved, texts of a feed, refusals."""
    made = [
        Site(host="127.0.0.2", stories=articles("el", 20, latest=NOW), robots=rules(disallow=["/private/"])),
        Site(host="127.0.0.3", stories=articles("de", 20, latest=NOW), listed={"sitemaps": ["/sitemap-index.xml"]}),
        Site(
            host="127.0.0.4", stories=articles("uk", 30, latest=NOW), listed={"feeds": ["/full.rss"], "full_text": True}
        ),
        Site(host="127.0.0.5", stories=articles("ar", 20, latest=NOW)),
        Site(host="127.0.0.6", stories=articles("zh", 10, latest=NOW)),
        Site(host="127.0.0.7", stories=articles("en", 10, latest=NOW), robots=rules(disallow=["/local/"])),
    ]
    packing, moved = made[3], made[4]
    for story in packing.stories:
        packing.behave(story.path, packed("br"))
    with serving(made) as server:
        for story in moved.stories:
            new = story.path.replace("/local/", "/moved/")
            moved.files[new] = ("text/html; charset=utf-8", f"<h1>{story.title}</h1>{story.html}".encode())
            moved.behave(story.path, redirects(new, status=301))
        yield server


def die(catalogue: Path, output: Path, chance: random.Random) -> bool:
    """Crawl, and kill it at some moment; False if it had ended by then."""
    wait = chance.uniform(0, LATEST)
    with start(catalogue, output) as process:
        until = time.monotonic() + wait
        while time.monotonic() < until and process.poll() is None:
            time.sleep(0.005)
        if process.poll() is not None:
            return False
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return True


@pytest.mark.parametrize("seed", [1, 2])
def test_a_crawl_that_is_killed_at_any_moment_loses_nothing_and_keeps_nothing_twice(
    server: Server, tmp_path: Path, seed: int
) -> None:
    sites = server.sites
    chance, output = chances(seed), tmp_path / "out"
    catalogue = catalogue_of(sites, tmp_path, delay=DELAY)
    deaths = sum(die(catalogue, output, chance) for _ in range(KILLS))
    assert deaths
    finish(catalogue, output)
    assert finish(catalogue, output, later=timedelta(hours=25)) == NOTHING_NEW

    wanted = Counter(site.url(story.path) for site in sites[:4] for story in site.stories)
    wanted += Counter(sites[4].url(story.path.replace("/local/", "/moved/")) for story in sites[4].stories)
    pages = stored(output)
    assert Counter(one.url for one in pages) == wanted
    assert all(one.is_sound for one in pages)

    # What was kept and what is told of it are the same, record by record.
    records = Counter((one.file, one.offset, one.url) for name in ("pages", "other") for one in stored(output, name))
    rows = fetches(output)
    kept = rows.filter(pl.col("warc_file").is_not_null()).select("warc_file", "warc_offset", "url")
    assert Counter(kept.iter_rows()) == records
    assert max(records.values()) == 1

    for file in output.glob("raw/**/*.warc.gz"):
        assert by_warcio(file.read_bytes())
    assert not [*output.glob("raw/**/*.open"), *output.glob("fetches/**/*.draft")]
    assert "Traceback" not in talk(output)

    # What died as it was asked for is asked for again, at the same pace and by the same rules.
    again = Counter((hit.host, hit.path) for hit in server.log if hit.path.startswith(("/local/", "/moved/")))
    assert max(again.values()) <= 1 + deaths
    assert not disallowed(server.log, {sites[5].host: ["/local/"]})
    assert [gap for site in sites for gap in gaps(server.log, site.host) if gap < DELAY - JITTER] == []
