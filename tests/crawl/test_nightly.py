"""One command fetches what is new and turns it into records, night after night, with one manifest and one exit code."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from news_articles import article, articles
from news_site import Server, Site, catalogue_of, serving
from site_server import paths

NOW = datetime.now(UTC).replace(microsecond=0)
FEW = "[run]\nchunk_size = 2\nworkers = 1\n[translate]\ntarget = 'off'\n"


@dataclass
class World:
    server: Server
    site: Site
    catalogue: Path
    folder: Path

    @property
    def output(self) -> Path:
        return self.folder / "out"

    def command(self) -> list[str]:
        config = self.folder / "babelwire.toml"
        config.write_text(FEW, "utf-8")
        return [
            sys.executable,
            "-m",
            "ingest",
            "nightly",
            str(self.catalogue),
            "--output",
            str(self.output),
            "--config",
            str(config),
        ]

    def night(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(), capture_output=True, text=True, check=False)

    def records(self) -> pl.DataFrame:
        return pl.read_parquet(f"{self.output}/articles/*/*/*.parquet", hive_partitioning=False)

    def manifests(self) -> list[dict[str, Any]]:
        found = [json.loads(path.read_text("utf-8")) for path in (self.output / "runs").glob("*.json")]
        return sorted(found, key=lambda one: str(one["finished_at"]))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    site = Site(host="127.0.0.2", stories=articles("el", 7, latest=NOW))
    with serving([site]) as server:
        yield World(server, site, catalogue_of([site], tmp_path, each={"poll_minutes": [0, 0]}), tmp_path)


def test_what_is_published_is_in_the_records_with_what_its_feed_says(world: World) -> None:
    done = world.night()
    assert done.returncode == 0, done.stderr
    records = world.records()
    assert sorted(records["url"]) == sorted(world.site.url(story.path) for story in world.site.stories)
    assert set(records["source_id"]) == {"site-127-0-0-2"}
    assert set(records["lang"]) == {"el"}
    assert set(records["title"]) == {story.title for story in world.site.stories}
    assert {one["feed"] for one in records["discovered"]} == {world.site.url("/feed.rss")}
    assert {one["guid"] for one in records["discovered"]} == {story.guid for story in world.site.stories}
    (manifest,) = world.manifests()
    assert manifest["crawls"] == [{"crawl_id": f"{NOW:%Y%m%d}-001", "crawl_date": f"{NOW:%Y-%m-%d}"}]


def test_a_night_reads_what_it_fetched_and_nothing_of_the_nights_before(world: World) -> None:
    assert world.night().returncode == 0
    silent = world.night()
    assert silent.returncode == 5
    assert "nothing new: no source has a page that was not read" in silent.stderr
    world.site.stories = (article("el", 40, latest=NOW), *world.site.stories)
    assert world.night().returncode == 0
    first, second = world.manifests()
    assert (first["counts"]["records"], second["counts"]["records"]) == (7, 1)
    # The night without news brought no pages; it is read with the next one.
    assert [crawl["crawl_id"][-3:] for crawl in second["crawls"]] == ["002", "003"]


def test_a_crawl_during_the_day_is_read_at_night(world: World) -> None:
    command = [sys.executable, "-m", "ingest", "crawl", str(world.catalogue), "--output", str(world.output)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0
    assert world.night().returncode == 0
    assert world.records().height == 7


def test_a_night_that_is_killed_in_its_run_goes_on_there_and_asks_for_nothing_twice(world: World) -> None:
    with subprocess.Popen(world.command(), stderr=subprocess.DEVNULL, start_new_session=True) as killed:
        while killed.poll() is None and not list(world.output.glob(".staging/run=*/chunks/00001.json")):
            time.sleep(0.005)
        os.killpg(killed.pid, signal.SIGKILL)
    if killed.returncode == 0:
        pytest.skip("the run was over before it could be killed")
    world.site.stories = (article("el", 40, latest=NOW), *world.site.stories)
    done = world.night()
    assert done.returncode == 0, done.stderr
    assert "was not finished and goes on after" in done.stderr
    first, second = world.manifests()
    assert (first["counts"]["records"], second["counts"]["records"]) == (7, 1)
    asked = [path for path in paths(world.server.log) if path.endswith(".html")]
    assert len(asked) == len(set(asked)) == 8


def test_wrong_options_show_before_anything_is_fetched(world: World) -> None:
    done = subprocess.run([*world.command(), "--device", "abacus"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert paths(world.server.log) == []


def test_a_catalogue_without_a_contact_fetches_nothing_and_says_what_to_set(world: World) -> None:
    text = world.catalogue.read_text("utf-8")
    world.catalogue.write_text("\n".join(line for line in text.split("\n") if not line.startswith("contact")), "utf-8")
    done = world.night()
    assert done.returncode == 2
    assert (
        '[crawl] has no contact; set one that sites can write to, such as contact = "mailto:desk@news.example"'
        in done.stderr
    )
    assert paths(world.server.log) == []


def test_two_crawls_of_one_folder_do_not_go_together(world: World) -> None:
    (world.output / "raw").mkdir(parents=True)
    with (world.output / "raw" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = world.night()
    assert done.returncode == 75
    assert "another crawl is at work in" in done.stderr
