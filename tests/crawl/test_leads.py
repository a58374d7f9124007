"""What an index of sitemaps or a home page names is asked for, whatever became of that page itself."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from crawling import NOTHING_NEW, fetches, finish
from news_articles import articles
from news_site import FEEDS, SITEMAPS, Site, answers, catalogue_of, serving

NOW = datetime.now(UTC) - timedelta(minutes=5)
INDEX = "/sitemap-index.xml"


@pytest.mark.parametrize(
    ("listed", "names"),
    [({"sitemaps": [INDEX]}, [name for name in SITEMAPS if name != INDEX]), ({"home": "/"}, FEEDS)],
    ids=["index", "home"],
)
def test_what_could_not_be_had_one_night_is_had_the_next_though_the_page_that_names_it_has_not_changed(
    tmp_path: Path, listed: dict[str, object], names: list[str]
) -> None:
    site = Site(host="127.0.0.2", stories=articles("en", 3, latest=NOW), listed=listed)
    for name in names:
        site.behave(name, answers(404))
    with serving([site]) as server:
        catalogue = catalogue_of([site], tmp_path, delay=0)
        assert finish(catalogue, tmp_path / "news") == NOTHING_NEW
        for name in names:
            site.behave(name)
        assert finish(catalogue, tmp_path / "news", later=timedelta(hours=13)) == 0
        assert [hit.status for hit in server.log if hit.path in {"/", INDEX}] == [200, 304]
    found = fetches(tmp_path / "news").filter(pl.col("kind") == "page", pl.col("outcome") == "fetched")
    assert sorted(found["url"]) == sorted(site.url(story.path) for story in site.stories)
