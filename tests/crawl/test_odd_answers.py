"""Sites that answer what no site should: each becomes a row, and neither the night nor the next one ends for it."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
from crawling import FINE, fetches, finish
from news_articles import articles
from news_site import Behaviour, Site, answers, catalogue_of, redirects, says, serving
from site_server import Reply, paths

NOW = datetime.now(UTC) - timedelta(minutes=5)

DAY = timedelta(days=1, hours=1)


def site_of(*behaviours: Behaviour) -> Site:
    """Found a site whose first article is answered so, and whose second is answered well."""
    site = Site(host="127.0.0.2", stories=articles("en", 2, latest=NOW))
    site.behave(site.stories[0].path, *behaviours)
    return site


def rows_of(output: Path, url: str) -> pl.DataFrame:
    return fetches(output).filter(pl.col("url") == url)


def test_a_status_that_is_no_number_of_http_is_a_failed_request(tmp_path: Path) -> None:
    site = site_of(lambda _, reply: Reply(status=9_999_999_999, body=reply.body))
    with serving([site]):
        assert finish(catalogue_of([site], tmp_path, delay=0), tmp_path / "news") == FINE
    rows = rows_of(tmp_path / "news", site.url(site.stories[0].path))
    assert set(rows["outcome"]) == {"failed"}
    assert set(rows["reason"]) == {"connection"}
    assert "9999999999" in rows["detail"][0]


def test_a_retry_after_of_any_size_ends_no_night(tmp_path: Path) -> None:
    waits = ("9" * 5000, "Mon, 01 Jan 99999999999999 00:00:00 GMT", "Mon, 01 Jan 2026 00:00:00 +99999999999999")
    sites = []
    for number, wait in enumerate(waits):
        site = replace(site_of(answers(500), says("Retry-After", wait)), host=f"127.0.0.{3 + number}")
        sites.append(site)
    with serving(sites):
        finish(catalogue_of(sites, tmp_path, delay=0), tmp_path / "news")
    for site in sites:
        assert "status_500" in rows_of(tmp_path / "news", site.url(site.stories[0].path))["reason"]


def test_a_redirect_written_in_raw_utf_8_is_followed_to_those_bytes(tmp_path: Path) -> None:
    site = site_of(redirects("/λιμάνι".encode().decode("latin-1")))
    site.files["/%CE%BB%CE%B9%CE%BC%CE%AC%CE%BD%CE%B9"] = ("text/html", b"<p>Here it is.")
    with serving([site]) as server:
        finish(catalogue_of([site], tmp_path, delay=0), tmp_path / "news")
        assert "/%CE%BB%CE%B9%CE%BC%CE%AC%CE%BD%CE%B9" in paths(server.log)
    assert rows_of(tmp_path / "news", site.url("/λιμάνι"))["outcome"].to_list() == ["fetched"]


def test_a_long_feed_of_one_site_holds_up_no_other(tmp_path: Path) -> None:
    stories = articles("en", 1, latest=NOW)
    long = Site(host="127.0.0.2", stories=stories, listed={"feeds": ["/long.rss"], "max_pages": 1})
    quick = Site(host="127.0.0.3", stories=articles("en", 8, latest=NOW), listed={"feeds": ["/feed.rss"], "delay": 0.1})
    with serving([long, quick]) as server:
        items = "".join(f"<item><title>{number}</title><link>/{number}</link></item>" for number in range(20_000))
        long.files["/long.rss"] = (
            "application/rss+xml",
            f"<rss version='2.0'><channel>{items}</channel></rss>".encode(),
        )
        finish(catalogue_of([long, quick], tmp_path, delay=0), tmp_path / "news")
        hits = [(hit.host, hit.path) for hit in server.log]
    # Its first article is asked for once its feed is read.
    assert max(hits.index((quick.host, story.path)) for story in quick.stories) < hits.index((long.host, "/0"))


def test_a_reservation_holds_while_the_server_of_its_file_fails(tmp_path: Path) -> None:
    site = Site(host="127.0.0.2", stories=articles("en", 2, latest=NOW)[1:])
    file = "/.well-known/tdmrep.json"
    site.files[file] = ("application/json", b'[{"location": "*", "tdm-reservation": 1}]')
    with serving([site]) as server:
        catalogue = catalogue_of([site], tmp_path, delay=0)
        finish(catalogue, tmp_path / "news")
        site.behave(file, answers(500), says("Retry-After", "1"))
        site.stories = articles("en", 2, latest=NOW)
        finish(catalogue, tmp_path / "news", later=DAY)
        assert not {story.path for story in site.stories} & set(paths(server.log))


def test_a_sitemap_that_states_only_its_day_is_read_again_on_the_next(tmp_path: Path) -> None:
    site = Site(host="127.0.0.2", stories=articles("en", 2, latest=NOW)[1:], listed={"sitemaps": ["/index.xml"]})
    with serving([site]) as server:
        today = f"<sitemapindex><sitemap><loc>/sitemap.xml</loc><lastmod>{datetime.now(UTC).date()}</lastmod></sitemap></sitemapindex>"
        site.files["/index.xml"] = ("application/xml", today.encode())
        catalogue = catalogue_of([site], tmp_path, delay=0)
        finish(catalogue, tmp_path / "news")
        site.stories = articles("en", 2, latest=NOW)
        finish(catalogue, tmp_path / "news", later=DAY)
        assert site.stories[0].path in paths(server.log)


def test_a_feed_that_calls_all_its_articles_alike_loses_none(tmp_path: Path) -> None:
    site = Site(host="127.0.0.2", stories=articles("en", 3, latest=NOW), listed={"feeds": ["/same.rss"]})
    with serving([site]) as server:
        items = "".join(
            f"<item><title>{story.title}</title><link>{story.path}</link><guid isPermaLink='false'>item</guid></item>"
            for story in site.stories
        )
        site.files["/same.rss"] = (
            "application/rss+xml",
            f"<rss version='2.0'><channel>{items}</channel></rss>".encode(),
        )
        finish(catalogue_of([site], tmp_path, delay=0), tmp_path / "news")
        assert {story.path for story in site.stories} <= set(paths(server.log))


def test_an_article_is_not_given_up_within_an_hour_by_frequent_crawls(tmp_path: Path) -> None:
    site = site_of(answers(403))
    path = site.stories[0].path
    with serving([site]) as server:
        catalogue = catalogue_of([site], tmp_path, delay=0)
        quarter = timedelta(minutes=16)
        for number in range(4):
            finish(catalogue, tmp_path / "news", later=number * quarter)
        assert paths(server.log).count(path) == 1
        site.behave(path)
        finish(catalogue, tmp_path / "news", later=DAY)
        assert paths(server.log).count(path) == 2
    assert rows_of(tmp_path / "news", site.url(path))["outcome"][-1] == "fetched"


def test_articles_that_wait_are_fetched_when_their_source_got_another_name(tmp_path: Path) -> None:
    site = Site(host="127.0.0.2", stories=articles("en", 3, latest=NOW))
    with serving([site]) as server:
        finish(catalogue_of([site], tmp_path, delay=0, each={"max_pages": 1}), tmp_path / "news")
        site.listed["id"] = "renamed"
        finish(catalogue_of([site], tmp_path, delay=0), tmp_path / "news", later=DAY)
        assert Counter(path for path in paths(server.log) if path.startswith("/local/")) == dict.fromkeys(
            [story.path for story in site.stories], 1
        )


def test_articles_that_wait_are_left_once_the_catalogue_leaves_them(tmp_path: Path) -> None:
    site = Site(host="127.0.0.2", stories=articles("en", 3, latest=NOW))
    with serving([site]) as server:
        finish(catalogue_of([site], tmp_path, delay=0, each={"max_pages": 1}), tmp_path / "news")
        finish(catalogue_of([site], tmp_path, delay=0, each={"leave": ["*/local/*"]}), tmp_path / "news", later=DAY)
        assert sum(path.startswith("/local/") for path in paths(server.log)) == 1


def test_a_crawl_without_memory_takes_no_name_of_one_whose_files_are_there(tmp_path: Path) -> None:
    site = Site(host="127.0.0.2", stories=articles("en", 1, latest=NOW))
    output = tmp_path / "news"
    with serving([site]):
        catalogue = catalogue_of([site], tmp_path, delay=0)
        finish(catalogue, output)
        (output / "state").rename(tmp_path / "state")
        finish(catalogue, output)
    assert fetches(output)["crawl_id"].unique().len() == 2


def test_the_news_of_tonight_come_before_what_a_long_sitemap_left_over(tmp_path: Path) -> None:
    stories = articles("en", 2, latest=NOW)
    listed = {"feeds": ["/feed.rss"], "sitemaps": ["/long.xml"], "max_pages": 3}
    site = Site(host="127.0.0.2", stories=stories[1:], listed=listed)
    places = "".join(f"<url><loc>/old/{number}</loc></url>" for number in range(20))
    site.files["/long.xml"] = ("application/xml", f"<urlset>{places}</urlset>".encode())
    with serving([site]) as server:
        catalogue = catalogue_of([site], tmp_path, delay=0)
        finish(catalogue, tmp_path / "news")
        site.stories = stories
        finish(catalogue, tmp_path / "news", later=DAY)
        assert stories[0].path in paths(server.log)
        assert sum(path.startswith("/old/") for path in paths(server.log)) == 4


def test_a_notice_for_all_is_not_taken_for_the_articles_that_are_sent_to_it(tmp_path: Path) -> None:
    site = Site(host="127.0.0.2", stories=articles("en", 3, latest=NOW))
    site.files["/repair"] = ("text/html", b"<title>Back soon</title><p>We are mending the site and are back soon.</p>")
    for story in site.stories:
        site.behave(story.path, redirects("/repair"))
    with serving([site]) as server:
        catalogue = catalogue_of([site], tmp_path, delay=0)
        finish(catalogue, tmp_path / "news")
        for story in site.stories:
            site.behave(story.path)
        finish(catalogue, tmp_path / "news", later=timedelta(hours=13))
        asked = paths(server.log)
    reasons = fetches(tmp_path / "news").filter(pl.col("kind") == "page")["reason"].drop_nulls().to_list()
    assert reasons == ["sent_alike"] * 2
    # All but the first, for which nothing told that it was none, are asked for once more, and are there then.
    assert sorted(asked.count(story.path) for story in site.stories) == [1, 2, 2]


def test_an_article_that_is_sent_to_the_home_page_is_not_there(tmp_path: Path) -> None:
    site = site_of(redirects("/"))
    with serving([site]):
        finish(catalogue_of([site], tmp_path, delay=0), tmp_path / "news")
    rows = rows_of(tmp_path / "news", site.url(site.stories[0].path))
    assert rows.select("outcome", "reason").rows() == [("failed", "sent_home")]


def test_nobody_can_have_another_host_left_by_naming_strange_addresses_of_it(tmp_path: Path) -> None:
    victim = Site(
        host="127.0.0.3", stories=articles("en", 2, latest=NOW), listed={"feeds": ["/feed.rss"], "delay": 0.3}
    )
    site = Site(host="127.0.0.2", stories=articles("en", 1, latest=NOW), listed={"feeds": ["/mean.rss"]})
    with serving([site, victim]):
        mean = [f"http://{victim.host}:{port}/x" for port in range(1, 7)] + [victim.base.replace("//", "//u:p@") + "/y"]
        items = "".join(f"<item><title>{url}</title><link>{url}</link></item>" for url in mean)
        site.files["/mean.rss"] = (
            "application/rss+xml",
            f"<rss version='2.0'><channel>{items}</channel></rss>".encode(),
        )
        finish(catalogue_of([site, victim], tmp_path, delay=0), tmp_path / "news")
    rows = fetches(tmp_path / "news")
    good = [victim.url(story.path) for story in victim.stories]
    assert rows.filter(pl.col("url").is_in(good), pl.col("outcome") == "fetched").height == 2
    assert rows.filter(pl.col("reason") == "credentials").height == 1


def test_dots_in_an_address_hide_nothing_from_robots_txt(tmp_path: Path) -> None:
    site = Site(host="127.0.0.2", stories=articles("en", 1, latest=NOW), robots="User-agent: *\nDisallow: /private/\n")
    site.listed = {"feeds": ["/odd.rss"]}
    with serving([site]) as server:
        items = "".join(
            f"<item><title>{n}</title><link>{site.base}{path}</link></item>"
            for n, path in enumerate(("/x/../private/1", "/./private/2", "/x/./../private/./3"))
        )
        site.files["/odd.rss"] = (
            "application/rss+xml",
            f"<rss version='2.0'><channel>{items}</channel></rss>".encode(),
        )
        finish(catalogue_of([site], tmp_path, delay=0), tmp_path / "news")
        assert [path for path in paths(server.log) if "private" in path] == []
    assert fetches(tmp_path / "news").filter(pl.col("reason") == "robots").height == 3
