"""The whole road of a crawl in one function: read ``crawl`` first.

raw/crawl_date=D/crawl=ID/pages-00000.warc.gz      what a run reads: pages, and full texts that feeds carry
raw/crawl_date=D/crawl=ID/other-00000.warc.gz      all else that was answered: feeds, sitemaps, robots.txt, redirects, errors
raw/state.sqlite                                    what is remembered from crawl to crawl, see ``ingest.crawl.state``
fetches/crawl_date=D/crawl=ID/part-00000.parquet   one row for each request, see ``schemas.fetch``
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Final

import polars as pl

from ingest.crawl.download import agent_of, with_downloads
from ingest.crawl.entry import Entry
from ingest.crawl.guard import SYSTEM_ADDRESSES, GetAddresses
from ingest.crawl.night import Night
from ingest.crawl.notes import Notes
from ingest.crawl.raw_store import RawStore
from ingest.crawl.recovery import Recovered, recover
from ingest.crawl.state import Article, Copy, Crawl, State, memory_errors
from ingest.disk import disk_errors, make_folder, sync
from ingest.log import utc_now
from ingest.versions import babelwire_version
from normalize.address import address_key
from schemas.errors import BusyError, PausedError, SetupError
from schemas.fetch import FETCHES, FetchOutcome
from schemas.source import Catalogue

RAW: Final = "raw"
FETCHES_FOLDER: Final = "fetches"
STATE: Final = "state/crawls.sqlite"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlSummary:
    """What a crawl did, for the person who started it."""

    crawl_id: str
    output: Path
    sources: int
    #: "kind/outcome" -> count, most frequent first; see ``schemas.fetch``.
    counts: dict[str, int]
    #: "outcome/reason" -> count, most frequent first, of all that has a reason.
    reasons: dict[str, int]
    #: Length of all bodies as sent.
    bytes: int
    seconds: float
    #: Articles that an earlier crawl had kept but not noted when it was killed.
    adopted: int = 0

    @property
    def pages(self) -> int:
        """Pages and full texts that are new."""
        return self.of_articles("fetched")

    @property
    def by_kind(self) -> dict[str, dict[str, int]]:
        """Give what became of each kind of request: kind -> outcome -> count."""
        found: dict[str, dict[str, int]] = {}
        for name, count in self.counts.items():
            kind, _, outcome = name.partition("/")
            found.setdefault(kind, {})[outcome] = count
        return dict(sorted(found.items()))

    def of_articles(self, outcome: FetchOutcome) -> int:
        """Count the pages and full texts with one outcome."""
        return sum(self.counts.get(f"{kind}/{outcome}", 0) for kind in ("page", "entry"))


def crawl(
    catalogue: Catalogue,
    root: Path,
    *,
    now: Callable[[], datetime] = utc_now,
    stop: Callable[[], bool] = lambda: False,
    say: Callable[[str], None] = lambda _: None,
    get_addresses: GetAddresses = SYSTEM_ADDRESSES,
) -> CrawlSummary:
    """Fetch what is new at the sources of a catalogue.

    Once in a process; see ``ingest.crawl.download``.

    Args:
        catalogue: The sources.
        root: The output folder; made if need be.
        now: The time, aware, UTC.
        stop: Says whether to end early; what is under way then is asked for again by the next crawl.
        say: Is told now and then how far it is, in a sentence.
        get_addresses: Resolves names.

    Raises:
        SetupError: If no contact is set, no source has anything to fetch, or the folder cannot be written.
        BusyError: If another crawl is at work in the folder, another process holds its memory, or its disk is full.
        PausedError: If ``stop`` ended it; all that was fetched is kept and noted.
    """
    begun = monotonic()
    _refuse_idle(catalogue)
    raw = root / RAW
    with _held(raw), memory_errors(root / STATE):
        state = State.open(root / STATE)
        try:
            adopted = sum(_settle(state, root, before, now) for before in state.crawls() if before.finished_at is None)
            # A memory that was moved away knows nothing of crawls whose files lie there, and which runs have read.
            this = state.begin(
                now(), is_taken=lambda crawl: any((top / crawl.folder).exists() for top in (raw, root / FETCHES_FOLDER))
            )
            state.commit()
            software = {"babelwire": babelwire_version()}
            with (
                RawStore.open(raw, f"{this.folder}/pages", software=software) as pages,
                RawStore.open(raw, f"{this.folder}/other", software=software) as other,
            ):
                notes = Notes(state, this, pages=pages, other=other, now=now)
                night = Night(catalogue, state, notes, now=now, stop=stop, say=say)
                with_downloads(night.walk, catalogue, get_addresses=get_addresses)
            _finish(state, root, this, now)
        finally:
            state.close()
    if stop():
        message = f"crawl {this.id} is stopped; what it fetched is kept, and the same command goes on"
        raise PausedError(message)
    return CrawlSummary(
        crawl_id=this.id,
        output=root,
        sources=sum(source.is_crawled for source in catalogue.sources),
        counts=dict(notes.counts.most_common()),
        reasons=dict(notes.reasons.most_common()),
        bytes=notes.bytes,
        seconds=monotonic() - begun,
        adopted=adopted,
    )


def _refuse_idle(catalogue: Catalogue) -> None:
    """Refuse a catalogue that nobody stands behind, or that asks for nothing, before anything is made of it."""
    agent_of(catalogue)
    if not any(source.is_crawled for source in catalogue.sources):
        message = f"{catalogue.origin}: no source has feeds, sitemaps, lists, home or pages; there is nothing to fetch"
        raise SetupError(message)


@contextmanager
def _held(raw: Path) -> Iterator[None]:
    """Hold the raw folder: two crawls would ask every site twice."""
    try:
        raw.parent.mkdir(parents=True, exist_ok=True)
        for folder in (raw, (raw.parent / STATE).parent):
            make_folder(folder, below=raw.parent)
        lock = os.open(raw / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        message = f"output {raw.parent} cannot be written ({error.strerror}); name another folder"
        raise SetupError(message) from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = f"another crawl is at work in {raw}; run again when it has ended"
            raise BusyError(message) from error
        yield
    finally:
        os.close(lock)


def _settle(state: State, root: Path, before: Crawl, now: Callable[[], datetime]) -> int:
    """Finish what a crawl that was killed left: its files, its rows, and pages that it had kept but not noted.

    Returns:
        How many pages were adopted.
    """
    noted: dict[str, int] = {}
    for row in state.fetches(before):
        if "warc_file" in row:
            noted[row["warc_file"]] = max(noted.get(row["warc_file"], 0), row["warc_offset"] + row["warc_length"])
    adopted = 0
    for file in recover(root / RAW, noted):
        for one in file.exchanges:
            # A record behind the last one that was noted; the one that was noted may come once more.
            if one.kept.offset >= noted.get(file.file, 0):
                state.add_fetch(_row_of(one, before))
                adopted += _adopt(state, one)
        state.commit()
    _finish(state, root, before, now)
    return adopted


def _adopt(state: State, one: Recovered) -> bool:
    """Note the page of an article that lies in the raw store; say whether it is one."""
    about = one.about
    if about.kind not in {"page", "entry"} or one.type == "revisit":
        return False
    url = about.via or one.url
    key = address_key(url)
    known = state.article(key)
    if known is None:
        # Its feed was read in the second before the end, and is read again.
        entry = Entry(
            url=url,
            guid=about.guid,
            title=about.title,
            published=about.published,
            authors=about.authors,
            tags=about.tags,
        )
        known = Article(
            key=key,
            url=url,
            source_id=about.source_id,
            guid=about.guid,
            found_in=about.found_in,
            entry=entry,
            found_at=one.fetched_at,
        )
    state.save(
        replace(
            known,
            status="done",
            fetched_at=one.fetched_at,
            updated_at=known.entry.updated_at,
            etag=one.header("etag"),
            last_modified=one.header("last-modified"),
            copy=Copy(kept=one.kept, url=one.url, at=one.fetched_at),
        )
    )
    return True


def _row_of(one: Recovered, before: Crawl) -> dict[str, object]:
    """Give the row of an exchange whose own was lost."""
    kinds: dict[str, FetchOutcome] = {"redirect": "redirected", "error": "failed"}
    outcome = "unchanged" if one.type == "revisit" else kinds.get(one.about.kind, "fetched")
    return {
        "crawl_id": before.id,
        "crawl_date": before.date,
        "source_id": one.about.source_id,
        "url": one.url,
        "kind": "page" if one.about.kind in kinds else one.about.kind,
        "outcome": outcome,
        "reason": f"status_{one.status}" if outcome == "failed" else None,
        "detail": "kept by a crawl that was killed before it noted more",
        "http_status": one.status,
        "requested_at": one.fetched_at,
        "via": one.about.via,
        "found_in": one.about.found_in,
        "guid": one.about.guid,
        "title": one.about.title,
        "published": one.about.published,
        "signals": list(one.about.signals) or None,
        "payload_sha256": one.kept.payload_sha256,
        "warc_file": one.kept.file,
        "warc_offset": one.kept.offset,
        "warc_length": one.kept.length,
        "warc_record_id": one.kept.record_id,
    }


def _finish(state: State, root: Path, crawl: Crawl, now: Callable[[], datetime]) -> None:
    """Write the table of a crawl, then note that it is done; killed in between, it is written again."""
    frame = pl.DataFrame(list(state.fetches(crawl)), schema=FETCHES)
    folder = root / FETCHES_FOLDER / crawl.folder
    with disk_errors(folder):
        make_folder(folder, below=root)
        draft = folder / "part-00000.parquet.draft"
        frame.write_parquet(draft, compression="zstd")
        sync(draft)
        draft.replace(folder / "part-00000.parquet")
        sync(folder)
    state.finish(crawl, now())
    state.commit()
