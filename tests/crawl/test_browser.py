"""Pages that scripts draw are drawn, by a browser that asks for nothing but what we fetch for it."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from news_articles import articles
from news_site import HTML, Server, Site, answers, catalogue_of, serving
from site_server import paths

from ingest.crawl.browser import NAMES
from ingest.sources import Input, Limits, read_input
from schemas.document import RawDocument

CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium in the PATH")

NOW = datetime.now(UTC).replace(microsecond=0)
SHELL = """<!doctype html><html lang="en"><head><title>Harbour opens</title>
<script src="/app.js" defer></script><script src="{inside}/steal.js"></script><script src="/forbidden/ads.js"></script>
<link rel="stylesheet" href="{inside}/style.css"></head>
<body><div id="story"></div><img src="{inside}/pixel.png"><iframe src="{inside}/frame.html"></iframe></body></html>"""
SCRIPT = """
const show = (text) => { const p = document.createElement("p"); p.textContent = text; document.getElementById("story").append(p); };
document.cookie = "visitor=7";
fetch("/story.json").then((answer) => answer.json()).then((story) => story.paragraphs.forEach(show));
fetch("/count", {method: "POST", body: "seen"}).catch(() => {});
fetch("INSIDE/secret").then(() => show("the secret came out")).catch(() => {});
new WebSocket("INSIDE/socket".replace("http", "ws"));
navigator.serviceWorker && navigator.serviceWorker.register("/worker.js").catch(() => {});
"""
STORY = '{"paragraphs": ["The old harbour of Skerry opens again on Friday.", "Ferries sail from six in the morning."]}'


@dataclass(frozen=True)
class Drawn:
    server: Server
    site: Site
    inside: Site
    code: int
    said: str
    output: Path

    @property
    def rows(self) -> pl.DataFrame:
        return pl.read_parquet(f"{self.output}/fetches/*/*/*.parquet", hive_partitioning=False)


def crawl(catalogue: Path, output: Path, path: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ingest", "crawl", str(catalogue), "--output", str(output)]
    environment = None if path is None else {"PATH": path, "PYTHONPATH": ":".join(sys.path)}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drawn]:
    folder = tmp_path_factory.mktemp("drawn")
    site = Site(
        host="127.0.0.2", stories=articles("en", 1, latest=NOW), robots="User-agent: *\nDisallow: /forbidden/\n"
    )
    inside = Site(host="127.0.0.3", stories=articles("en", 1, latest=NOW))
    with serving([site, inside]) as server:
        site.files = {
            site.stories[0].path: (HTML, SHELL.format(inside=inside.base).encode()),
            "/app.js": ("text/javascript", SCRIPT.replace("INSIDE", inside.base).encode()),
            "/story.json": ("application/json", STORY.encode()),
        }
        catalogue = catalogue_of([site], folder, crawl={"allow_private": [site.host]}, each={"render": True})
        done = crawl(catalogue, folder / "out")
        yield Drawn(server, site, inside, done.returncode, done.stderr, folder / "out")


@needs_chromium
def test_the_text_that_scripts_bring_is_in_the_page_that_a_run_reads(drawn: Drawn) -> None:
    assert drawn.code == 0, drawn.said
    (file,) = drawn.output.glob("raw/*/*/pages-*.warc.gz")
    (page,) = read_input(Input(path=file, uri=str(file)), Limits())
    assert isinstance(page, RawDocument)
    text = page.content.decode()
    assert "<p>The old harbour of Skerry opens again on Friday.</p>" in text
    assert "<p>Ferries sail from six in the morning.</p>" in text
    assert page.source_id == "site-127-0-0-2"
    assert page.discovered is not None
    assert page.discovered.title == drawn.site.stories[0].title


@needs_chromium
def test_the_page_is_asked_for_once_and_beside_it_only_scripts_and_data(drawn: Drawn) -> None:
    asked = paths(drawn.server.log, drawn.site.host)
    assert asked.count(drawn.site.stories[0].path) == 1
    assert {"/app.js", "/story.json"} <= set(asked)
    assert not {"/count", "/worker.js", "/favicon.ico"} & set(asked)


@needs_chromium
def test_what_robots_txt_forbids_is_not_asked_for_by_a_script_either(drawn: Drawn) -> None:
    assert "/forbidden/ads.js" not in paths(drawn.server.log, drawn.site.host)
    row = drawn.rows.row(by_predicate=pl.col("url").str.ends_with("/forbidden/ads.js"), named=True)
    assert (row["kind"], row["outcome"], row["reason"]) == ("script", "refused", "robots")


@needs_chromium
def test_a_page_cannot_make_the_browser_ask_inside_the_network(drawn: Drawn) -> None:
    assert paths(drawn.server.log, drawn.inside.host) == []
    (file,) = drawn.output.glob("raw/*/*/pages-*.warc.gz")
    (page,) = read_input(Input(path=file, uri=str(file)), Limits())
    assert isinstance(page, RawDocument)
    assert b"the secret came out" not in page.content.partition(b"<script")[0]
    refused = drawn.rows.filter(pl.col("url").str.starts_with(drawn.inside.base))
    assert set(refused["reason"]) == {"private_address"}


@needs_chromium
def test_what_came_over_the_wire_is_kept_beside_what_was_drawn(drawn: Drawn) -> None:
    (file,) = drawn.output.glob("raw/*/*/other-*.warc.gz")
    # None of it is a document: a run over all files reads the page once.
    assert list(read_input(Input(path=file, uri=str(file)), Limits())) == []
    kept = drawn.rows.filter(pl.col("kind") == "script", pl.col("outcome") == "fetched")
    assert kept.height == 2
    assert kept["warc_record_id"].null_count() == 0


@needs_chromium
def test_a_page_whose_scripts_are_gone_is_taken_as_it_came(tmp_path: Path) -> None:
    site = Site(host="127.0.0.2", stories=articles("en", 2, latest=NOW))
    site.behave("/app.js", answers(404))
    with serving([site]) as server:
        done = crawl(catalogue_of(server.sites, tmp_path, each={"render": True}), tmp_path / "out")
    assert done.returncode == 0, done.stderr
    (file,) = (tmp_path / "out").glob("raw/*/*/pages-*.warc.gz")
    assert len(list(read_input(Input(path=file, uri=str(file)), Limits()))) == 2


def test_without_a_chromium_nothing_is_fetched_and_it_says_what_to_install(tmp_path: Path) -> None:
    site = Site(host="127.0.0.2", stories=articles("en", 1, latest=NOW))
    with serving([site]) as server:
        done = crawl(catalogue_of(server.sites, tmp_path, each={"render": True}), tmp_path / "out", path=str(tmp_path))
        assert paths(server.log) == []
    assert done.returncode == 2
    assert "render = true needs a Chromium, and none of chromium, " in done.stderr
    assert "Traceback" not in done.stderr
