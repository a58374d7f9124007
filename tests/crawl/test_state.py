"""What the crawl remembers comes back as it was, and a memory that is none is refused."""

import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.crawl.entry import Entry
from ingest.crawl.raw_store import Kept
from ingest.crawl.state import Article, Copy, Feed, Host, Lead, Pause, State, memory_errors
from ingest.disk import DiskFullError
from schemas.errors import BusyError, SetupError

NOW = datetime(2026, 3, 4, 2, 0, 0, 123456, tzinfo=UTC)
COPY = Copy(
    kept=Kept(
        file="crawl_date=2026-03-04/crawl=1/pages-00000.warc.gz",
        offset=7,
        length=9,
        record_id="<urn:uuid:1>",
        payload_sha256="ab",
    ),
    url="https://nea-akti.example/1",
    at=NOW,
)
ENTRY = Entry(
    url="https://nea-akti.example/1",
    guid="g1",
    title="Το λιμάνι ανοίγει ξανά",
    published="Wed, 4 Mar",
    published_at=NOW,
    updated_at=NOW,
    authors=("Α. Β.", "Γ. Δ."),
    tags=("λιμάνι",),
    language="el",
)
ARTICLE = Article(
    key="nea-akti.example/1",
    url=ENTRY.url,
    source_id="nea-akti",
    guid="g1",
    found_in="https://nea-akti.example/feed",
    entry=ENTRY,
    found_at=NOW,
    fetched_at=NOW,
    copy=COPY,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.sqlite"


def test_what_was_committed_comes_back_as_it_was(path: Path) -> None:
    feed = Feed(
        url="https://nea-akti.example/feed",
        source_id="nea-akti",
        kind="feed",
        polled_at=NOW,
        every=900.0,
        lies=True,
        copy=COPY,
        leads_to=(
            Lead(url="https://nea-akti.example/map.xml", updated_at=NOW),
            Lead(url="https://nea-akti.example/all.xml"),
        ),
    )
    host = Host(origin="https://nea-akti.example", read_at=NOW, robots_status=200, robots=b"User-agent: *\n")
    pause = Pause(host="nea-akti.example", until_at=NOW)
    state = State.open(path)
    for row in (feed, ARTICLE, host, pause):
        state.save(row)
    state.commit()
    state.close()
    again = State.open(path)
    assert again.feed(feed.url) == feed
    assert again.article(ARTICLE.key) == ARTICLE
    assert again.article_by_guid("https://nea-akti.example/feed", "g1") == ARTICLE
    assert again.host(host.origin) == host
    assert again.pause("nea-akti.example") == pause
    assert again.waiting("nea-akti", 10) == (ARTICLE,)
    again.close()


def test_what_is_not_known_is_none_and_a_host_without_rules(path: Path) -> None:
    state = State.open(path)
    assert state.feed("https://nea-akti.example/feed") is None
    assert state.article("nea-akti.example/1") is None
    assert state.host("https://nea-akti.example") == Host(origin="https://nea-akti.example")
    state.close()


def test_what_was_not_committed_is_forgotten_when_the_process_is_killed(path: Path) -> None:
    script = f"""
import os, signal
from ingest.crawl.state import Pause, State
from datetime import UTC, datetime
state = State.open(__import__("pathlib").Path({str(path)!r}))
state.save(Pause(host="kept.example", until_at=datetime(2026, 3, 4, tzinfo=UTC)))
state.commit()
state.save(Pause(host="lost.example", until_at=datetime(2026, 3, 4, tzinfo=UTC)))
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -9
    state = State.open(path)
    assert state.pause("kept.example") is not None
    assert state.pause("lost.example") is None
    state.close()


def test_crawls_are_called_after_their_day_and_number(path: Path) -> None:
    state = State.open(path)
    assert [state.begin(NOW).id, state.begin(NOW).id] == ["20260304-001", "20260304-002"]
    state.close()


def test_a_name_that_files_have_already_is_passed_over(path: Path) -> None:
    state = State.open(path)
    assert state.begin(NOW, is_taken=lambda crawl: crawl.id < "20260304-003").id == "20260304-003"
    state.close()


def test_a_memory_that_another_process_holds_is_busy_and_not_broken(path: Path) -> None:
    state = State.open(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(BusyError, match="held by another process"), memory_errors(path):
        state.begin(NOW)
    other.close()
    state.close()


def test_a_full_disk_is_said_to_be_full(path: Path) -> None:
    small = sqlite3.connect(path)
    small.execute("PRAGMA max_page_count = 1")
    with pytest.raises(DiskFullError, match="no space left"), memory_errors(path):
        small.executescript("CREATE TABLE one (a); CREATE TABLE two (a);")
    small.close()


def test_rows_of_fetches_are_those_of_one_crawl_and_go_when_it_is_finished(path: Path) -> None:
    state = State.open(path)
    first, second = state.begin(NOW), state.begin(NOW)
    for crawl in (first, second, first):
        state.add_fetch(
            {"crawl_id": crawl.id, "crawl_date": crawl.date, "url": "u", "requested_at": NOW, "title": None}
        )
    assert [row["requested_at"] for row in state.fetches(first)] == [NOW, NOW]
    state.finish(first, NOW)
    assert list(state.fetches(first)) == []
    assert len(list(state.fetches(second))) == 1
    assert [crawl.finished_at for crawl in state.crawls()] == [NOW, None]
    state.close()


def test_a_file_that_is_no_memory_is_refused_by_name(path: Path) -> None:
    path.write_bytes(b"not a database at all, but long enough to look at" * 100)
    with pytest.raises(SetupError, match=r"state.sqlite cannot be read as the memory of crawls .*move it away"):
        State.open(path)


def test_a_memory_of_another_version_is_refused_not_guessed_at(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(SetupError, match=r"another version of babelwire \(99, not 1\)"):
        State.open(path)
