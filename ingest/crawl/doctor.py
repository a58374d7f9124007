"""Does each address of a catalogue still give what it is there for? Read ``examine`` first.

Each is asked for once, politely, and nothing is kept. What is found is a finding with what to do about it: a fault where nothing
would come of the address, a note where something would, but not as the catalogue says.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any, Final

from ingest.crawl.diagnosis import (
    MOST_ARTICLES,
    MOST_FEEDS,
    Finding,
    Key,
    failure_of,
    faults_of_articles,
    faults_of_language,
    faults_of_list,
    forbidden,
    wrong_kind,
)
from ingest.crawl.download import Answer, Download, agent_of, with_downloads
from ingest.crawl.entry import Entry, Reading
from ingest.crawl.feeds import read_feed
from ingest.crawl.guard import SYSTEM_ADDRESSES, GetAddresses
from ingest.crawl.links import read_page
from ingest.crawl.optout import refusing
from ingest.crawl.sitemaps import read_sitemap
from ingest.crawl.visits import MOST_PATIENCE, Visit, Visits
from ingest.log import utc_now
from schemas.errors import PausedError, SetupError
from schemas.source import Catalogue, SourceEntry

#: An ETag that no server can have given: to take it for its own is a lie.
_NO_TAG: Final = '"never-given-by-anybody"'

_LOOK_EVERY: Final = 0.25


@dataclass(slots=True, kw_only=True)
class Looked:
    """One address that was looked at."""

    source_id: str
    key: Key
    url: str
    #: Articles that it names; None where it could not be read.
    entries: int | None = None
    #: When the newest of them came out or was changed, aware, UTC.
    newest: datetime | None = None
    #: Of these articles.
    titles: tuple[str, ...] = ()
    findings: list[Finding] = field(default_factory=list)


def examine(
    catalogue: Catalogue,
    *,
    now: Callable[[], datetime] = utc_now,
    stop: Callable[[], bool] = lambda: False,
    get_addresses: GetAddresses = SYSTEM_ADDRESSES,
) -> tuple[Looked, ...]:
    """Look at every address of a catalogue, its sources side by side. Once in a process; see ``ingest.crawl.download``.

    Args:
        catalogue: The sources.
        now: The time, aware, UTC.
        stop: Says whether to end early.
        get_addresses: Resolves names.

    Returns:
        In the order of the catalogue; the feeds that a home page names follow it.

    Raises:
        SetupError: If no contact is set, or no source has anything to fetch.
        PausedError: If ``stop`` ended it.
    """
    agent_of(catalogue)
    sources = [source for source in catalogue.sources if source.is_crawled]
    if not sources:
        message = (
            f"{catalogue.origin}: no source has feeds, sitemaps, lists, home or pages; there is nothing to look at"
        )
        raise SetupError(message)
    found: dict[str, list[Looked]] = {}

    async def look(download: Download) -> None:
        visits = Visits(catalogue.crawl, download)
        doctor = _Doctor(visits, now)

        async def look_at(source: SourceEntry) -> None:
            found[source.id] = await doctor.source(source)

        try:
            await _all([asyncio.ensure_future(look_at(source)) for source in sources], stop)
        finally:
            await visits.give_up()

    with_downloads(look, catalogue, get_addresses=get_addresses)
    if stop():
        message = f"stopped after {len(found)} of {len(sources)} sources"
        raise PausedError(message)
    for source in sources:
        # Only now: while the detectors are loaded no answer could be read.
        for looked in found[source.id]:
            looked.findings += faults_of_language(source, looked.titles)
    return tuple(looked for source in sources for looked in found[source.id])


async def _all(tasks: "list[asyncio.Task[None]]", stop: Callable[[], bool]) -> None:
    """Wait for all, or until told to stop; the first that fails ends the others."""
    waiting: set[asyncio.Task[Any]] = set(tasks)
    try:
        while waiting and not stop():
            done, waiting = await asyncio.wait(waiting, timeout=_LOOK_EVERY, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


class _Doctor:
    """Looks at sources."""

    def __init__(self, visits: Visits, now: Callable[[], datetime]) -> None:
        """Look at nothing yet."""
        self._visits = visits
        self._now = now

    async def source(self, source: SourceEntry) -> list[Looked]:
        """Look at all addresses of a source."""
        named: list[tuple[Key, str]] = [
            *(("feeds", url) for url in source.feeds),
            *(("sitemaps", url) for url in source.sitemaps),
            *(("lists", url) for url in source.lists),
            *((("home", source.home),) if source.home else ()),
        ]
        looked: list[Looked] = []
        for group in await asyncio.gather(*(self._list(source, key, url) for key, url in named)):
            looked += group
        looked += [await self._page(source, url) for url in source.pages]
        return looked

    async def _page(self, source: SourceEntry, url: str) -> Looked:
        """Say whether an article may be asked for; the crawl asks for it, once."""
        looked = Looked(source_id=source.id, key="pages", url=url)
        if trouble := await self._visits.refusal_of(url, delay=source.delay):
            failed = failure_of(Visit(url=url, trouble=trouble))
            looked.findings += [failed] if failed else []
        return looked

    async def _list(self, source: SourceEntry, key: Key, url: str) -> list[Looked]:
        looked = Looked(source_id=source.id, key=key, url=url)
        seen = await self._visits.visit(url, delay=source.delay)
        moved = f'has moved for good to "{seen.moved_to}"' if seen.moved_to else ""
        if failed := failure_of(seen):
            looked.findings.append(replace(failed, said=f"{moved}, and there: {failed.said}") if moved else failed)
            return [looked]
        if moved:
            looked.findings.append(Finding(what="moved", said=f"{moved}; write that address"))
        assert seen.answer is not None  # noqa: S101  else it failed
        reading = _read(key, seen.answer, seen.content)
        if wrong := wrong_kind(key, reading, seen):
            looked.findings.append(wrong)
            return [looked]
        looked.entries = len(reading.entries)
        times = [one for entry in (*reading.entries, *reading.maps) if (one := entry.updated_at or entry.published_at)]
        looked.newest = max(times, default=None)
        names_feeds = key == "home" and bool(reading.feeds)
        looked.findings += faults_of_list(source, key, reading)
        if not names_feeds:
            looked.titles = tuple(entry.title for entry in reading.entries[:MOST_ARTICLES] if entry.title)
            looked.findings += faults_of_articles(source, key, reading, looked.newest, self._now())
            looked.findings += await self._of_site(source, reading, seen.answer.url)
        if key == "feeds" and await self._lies(source, seen.answer):
            said = "says that nothing has changed to whoever asks for changes; nothing to do, since the crawl finds that out, but tell the site"
            looked.findings.append(Finding(what="lies", said=said))
        if not names_feeds or source.feeds:
            return [looked]
        below = await asyncio.gather(*(self._list(source, "feeds", feed) for feed in reading.feeds[:MOST_FEEDS]))
        return [looked, *(one for group in below for one in group)]

    async def _of_site(self, source: SourceEntry, reading: Reading, url: str) -> list[Finding]:
        """Hold the articles against what their site allows."""
        findings: list[Finding] = []
        rules = await self._visits.rules_of(url, delay=source.delay)
        if rules.delay > source.delay:
            hours = rules.delay * source.max_pages / 3600
            said = f"robots.txt asks for {rules.delay:g} s between two requests, so max_pages {source.max_pages} take {hours:.1f} hours"
            findings.append(Finding(what="slow", said=f"{said}; nothing to do, since that is kept to"))
        taken = [entry for entry in reading.entries if source.takes(entry.url)][:MOST_ARTICLES]
        if not taken:
            return findings
        # Of one host: whoever links to a hundred hosts would have us ask them all.
        origin = _origin(taken[0])
        same = [entry for entry in taken if _origin(entry) == origin]
        findings += forbidden(same, await self._visits.rules_of(same[0].url, delay=source.delay))
        if source.full_text:
            return findings
        if self._visits.patience(same[0].url, delay=source.delay) <= MOST_PATIENCE:
            policy = await self._visits.policy_of(same[0].url, delay=source.delay)
            if signal := refusing(policy.of_page(same[0].url)):
                obeys = source.opt_out == "obey"
                end = "its pages are left; ask the site for leave" if obeys else "its pages are taken all the same"
                findings.append(Finding(what="opt_out", said=f"the site opts out ({signal}): {end}", is_fault=obeys))
        return findings

    async def _lies(self, source: SourceEntry, answer: Answer) -> bool:
        """Ask for changes since a state that never was: that nothing has changed would be a lie (RFC 9110, 13.1)."""
        headers = {}
        if answer.header("etag"):
            headers = {"If-None-Match": _NO_TAG}
        elif modified := answer.header("last-modified"):
            try:
                before = parsedate_to_datetime(modified) - timedelta(days=365)
                headers = {"If-Modified-Since": format_datetime(before.replace(tzinfo=UTC), usegmt=True)}
            except (ValueError, OverflowError):
                return False
        if not headers:
            return False
        again = await self._visits.visit(answer.url, delay=source.delay, headers=headers)
        return again.answer is not None and again.answer.status == 304  # noqa: PLR2004


def _origin(entry: Entry) -> str:
    return "/".join(entry.url.split("/", 3)[:3]).lower()


def _read(key: Key, answer: Answer, content: bytes) -> Reading:
    mime = answer.header("content-type") or ""
    charset = mime.lower().partition("charset=")[2].split(";")[0].strip(" \"'") or None
    if key == "feeds":
        return read_feed(content, url=answer.url, charset=charset)
    if key == "sitemaps":
        return read_sitemap(content, url=answer.url)
    return read_page(content, url=answer.url, charset=charset)


# ---- telling --------------------------------------------------------------------------------------


def told(looked: tuple[Looked, ...]) -> str:
    """Give a table with one row for each address, and below it one line for each finding."""
    heads = ("id", "key", "found", "entries", "newest", "address")
    rows = [
        (
            one.source_id,
            one.key,
            ", ".join(dict.fromkeys(finding.what for finding in one.findings)) or "fine",
            "" if one.entries is None else str(one.entries),
            f"{one.newest:%Y-%m-%d %H:%M}" if one.newest else "",
            one.url,
        )
        for one in looked
    ]
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in (heads, tuple("-" * width for width in widths), *rows)
    ]
    # What a site says of itself could drive the terminal.
    lines += [
        "".join(
            char if char.isprintable() else " "
            for char in f'{finding.what}: [{one.source_id}] {one.key} "{one.url}" {finding.said}'
        )
        for one in looked
        for finding in one.findings
    ]
    faults = sum(any(finding.is_fault for finding in one.findings) for one in looked)
    fine = sum(not one.findings for one in looked)
    return "\n".join([*lines, f"{len(looked)} addresses: {fine} fine, {faults} give nothing"])
