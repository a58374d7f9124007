"""One crawl: every source is polled, every new article fetched, each host at its own pace. Read ``Night.walk`` first.

Sources are walked side by side. What they find waits in the line of its host, and each line has as many workers as its host bears
requests at once; so a host that is slow, or wants to be left alone, holds up nobody but itself.
"""

import asyncio
import hashlib
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from html import escape
from time import monotonic
from typing import Any, Final

from ingest.crawl import optout
from ingest.crawl.asking import Asker
from ingest.crawl.browser import Browser, DrawError, Fetched
from ingest.crawl.download import Answer, Download
from ingest.crawl.entry import Entry, Reading
from ingest.crawl.feeds import read_feed
from ingest.crawl.job import Job, Later, Moved, host_of
from ingest.crawl.links import read_page
from ingest.crawl.notes import AGAIN_AFTER, NOT_MODIFIED, Notes
from ingest.crawl.polls import is_due, next_poll, tells_lies, wants_proof
from ingest.crawl.sitemaps import read_sitemap
from ingest.crawl.state import Article, Copy, Feed, Lead, Listed, State
from normalize.address import address_key
from schemas.source import Catalogue, SourceEntry

#: Further sitemaps of an index that are read in one crawl, newest first.
MOST_MAPS: Final = 50

#: Longer feeds, sitemaps and lists are read beside the event loop, in bytes: this much takes some tenth of a second.
_LONG: Final = 256 * 1024

#: What a page is sent as. Some servers say nothing, or only that they do not know.
_PAGES: Final = frozenset({"text/html", "application/xhtml+xml", "text/plain", "application/octet-stream", ""})

#: Articles in the lines for each that the budget of their source allows: some will be refused, or known.
_AHEAD: Final = 4

#: How often to say how far it is, in seconds.
SAY_EVERY: Final = 30.0

#: How often to look whether to stop, in seconds.
_LOOK_EVERY: Final = 0.25

_MEGABYTE: Final = 1024 * 1024


@dataclass(slots=True)
class _Line:
    """The articles that wait for one host."""

    jobs: deque[Job] = field(default_factory=deque)
    workers: int = 0


class Night:
    """All that one crawl does."""

    def __init__(
        self,
        catalogue: Catalogue,
        state: State,
        notes: Notes,
        *,
        now: Callable[[], datetime],
        stop: Callable[[], bool],
        say: Callable[[str], None],
    ) -> None:
        """Prepare; ``walk`` does it.

        Args:
            catalogue: The sources.
            state: What earlier crawls left.
            notes: Takes what this one comes to.
            now: The time, aware, UTC.
            stop: Says whether to end early.
            say: Is told now and then how far it is, in a sentence.
        """
        self._catalogue = catalogue
        self._source_ids = {source.id for source in catalogue.sources if source.is_crawled}
        self._state = state
        self._notes = notes
        self._now = now
        self._stop = stop
        self._say = say
        #: Held while a feed is read: many short ones that come at once would hold up every host, and a long one takes ten times its
        #: length of memory.
        self._reading = asyncio.Lock()
        self._reading_long = asyncio.Lock()
        #: Held for each entry that is taken, in turn: many long feeds that come at once would hold up every host if they were worked
        #: through in one go, and the host of the last one would wait for all the others.
        self._taking = asyncio.Lock()
        self._browser: Browser | None = None
        self._lines: dict[str, _Line] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._polled: set[str] = set()
        #: Articles that were given to the lines, by source.
        self._queued: Counter[str] = Counter()

    async def walk(self, download: Download) -> None:
        """Do the whole crawl."""
        self._asker = Asker(self._catalogue.crawl, self._state, self._notes, download, now=self._now)
        async with AsyncExitStack() as stack:
            if any(source.render and source.is_crawled for source in self._catalogue.sources):
                self._browser = await stack.enter_async_context(Browser.started())
            await self._walk()

    async def _walk(self) -> None:
        said_at = monotonic()
        for source in self._catalogue.sources:
            if source.is_crawled:
                self._start(self._walk_source(source))
        try:
            while self._tasks and not self._stop():
                done, _ = await asyncio.wait(self._tasks, timeout=_LOOK_EVERY, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    self._tasks.discard(task)
                    task.result()
                self._notes.commit_if_due()
                if monotonic() - said_at > SAY_EVERY:
                    said_at = monotonic()
                    self._say(self._how_far())
        finally:
            await self._give_up()
        for source_id, count in sorted(self._asker.put_off.items()):
            source = next(one for one in self._catalogue.sources if one.id == source_id)
            detail = f"{count} addresses wait for the next crawl: max_pages {source.max_pages}, max_megabytes {source.max_megabytes}"
            url = [
                *source.feeds,
                *source.sitemaps,
                *source.lists,
                *([source.home] if source.home else []),
                *source.pages,
            ][0]
            self._notes.note(Job(url=url, kind="page", source=source), "put_off", reason="budget", detail=detail)
        self._notes.commit()

    def _how_far(self) -> str:
        lines = [line for line in self._lines.values() if line.jobs]
        fetched = self._notes.counts["page/fetched"] + self._notes.counts["entry/fetched"]
        waiting = sum(len(line.jobs) for line in lines)
        return f"{fetched} pages are new, {waiting} wait at {len(lines)} hosts; {self._notes.bytes / _MEGABYTE:.1f} MB so far"

    async def _give_up(self) -> None:
        """End what is under way: it is asked for again by the next crawl."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._asker.give_up()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(asyncio.ensure_future(work))

    # ---- sources: what they list -------------------------------------------------------------------

    async def _walk_source(self, source: SourceEntry) -> None:
        waiting = self._state.waiting(source.id, _AHEAD * source.max_pages)
        for url in source.pages:
            self._take(source, Entry(url=url), found_in=None)
        feeds: Sequence[str] = source.feeds
        if source.home and not feeds:
            feeds = await self._feeds_of_home(source, source.home)
        polls: list[Coroutine[Any, Any, Feed | None]] = [self._poll(source, url, "feed") for url in feeds]
        polls += [self._poll_sitemap(source, url) for url in source.sitemaps]
        polls += [self._poll(source, url, "list") for url in source.lists]
        await asyncio.gather(*polls)
        # Behind the news of tonight: what a long sitemap left over would take their place in the budget for days.
        self._queue_again(source, waiting)

    def _queue_again(self, source: SourceEntry, waiting: Iterable[Article]) -> None:
        """Have what earlier crawls left fetched, and give up what is too old by now."""
        oldest = self._now() - timedelta(days=source.max_age_days)
        for article in waiting:
            if self._state.article(article.key) != article:
                # Fetched meanwhile, under another address.
                continue
            if article.found_at >= oldest:
                # What the catalogue has come to leave waits in vain.
                if source.takes(article.url) and self._now() >= article.found_at + AGAIN_AFTER[article.tries]:
                    self._queue(article, source)
                continue
            job = Job(url=article.url, kind="page", source=source, article=article, found_in=article.found_in)
            why = f"waits since {article.found_at.date()}, last for: {article.reason or 'the budget'}"
            self._notes.end(job, "refused", "too_old", why)

    async def _feeds_of_home(self, source: SourceEntry, home: str) -> tuple[str, ...]:
        """Find the feeds that a home page names; where it names none, it is a list itself."""
        known = await self._poll(source, home, "home")
        return tuple(lead.url for lead in known.leads_to)

    async def _poll_sitemap(self, source: SourceEntry, url: str) -> None:
        """Read a sitemap, and of those that it names the ones that may hold something new, newest first."""
        known = await self._poll(source, url, "sitemap")
        oldest = self._now() - timedelta(days=source.max_age_days)
        fresh = [lead for lead in known.leads_to if lead.updated_at is None or lead.updated_at >= oldest]
        fresh.sort(key=lambda lead: lead.updated_at or oldest, reverse=True)
        for lead in fresh[:MOST_MAPS]:
            below = self._state.feed(lead.url)
            # Many state only the day, and what was read early on that day has grown since.
            changed_by = lead.updated_at + timedelta(days=1) if lead.updated_at else None
            if below is None or below.read_at is None or changed_by is None or changed_by >= below.read_at:
                # One level: an index of indexes is against the protocol, and a way to keep us busy.
                await self._poll(source, lead.url, "sitemap")

    async def _poll(self, source: SourceEntry, url: str, kind: Listed) -> Feed:
        """Read a feed, sitemap or list if it is time, take what is new, and give what is known of it then."""
        now = self._now()
        feed = self._state.feed(url) or Feed(url=url, source_id=source.id, kind=kind)
        # Two sources may name one feed.
        if url in self._polled or not is_due(feed, now):
            return feed
        self._polled.add(url)
        # A source that got another name reads its feeds anew: they name what waits under the old one.
        is_whole = wants_proof(feed, now) or feed.source_id != source.id
        job = Job(url=url, kind=kind, source=source, headers={} if is_whole else _conditions(feed))
        answer = await self._asker.follow(job)
        polled = replace(feed, source_id=source.id, kind=kind, polled_at=now)
        content = None if answer is None or answer.status == NOT_MODIFIED else self._asker.content(job, answer)
        if answer is None or (content is None and answer.status != NOT_MODIFIED):
            # Not polled: the next crawl tries again, however soon it comes.
            return self._polled_as(replace(polled, polled_at=feed.polled_at))
        if content is None:
            self._notes.note(job, "not_modified", answer=answer, kept=self._notes.keep(job, answer, same_as=feed.copy))
            every = next_poll(feed, source, news=False)
            return self._polled_as(replace(polled, unverified=feed.unverified + 1, every=every))
        digest = hashlib.sha256(content).hexdigest()
        is_same = digest == feed.body_sha256
        if not is_same and answer.url == url and not source.full_text:
            # Its articles want to know, and its host has nothing else to do while the feed is read.
            self._start(self._asker.read_policy(job))
        if len(content) > _LONG:
            # It takes seconds, and every host would wait for it.
            async with self._reading_long:
                reading = await asyncio.to_thread(self._read, kind, content, answer)
        else:
            # In a thread of its own each would be quicker, and the requests of all hosts slower.
            async with self._reading:
                reading = self._read(kind, content, answer)
                await asyncio.sleep(0)
        kept = self._notes.keep(job, answer, same_as=feed.copy if is_same else None)
        detail = "; ".join(reading.faults[:3]) or None
        self._notes.note(job, "unchanged" if is_same else "fetched", detail=detail, answer=answer, kept=kept)
        # A home page that names its feeds is left to them. What stands on a link is often no title ("read more").
        listed = () if kind == "home" and reading.feeds else reading.entries
        titled = listed if kind in {"feed", "sitemap"} else [replace(entry, title=None) for entry in listed]
        news = []
        for entry in titled:
            async with self._taking:
                news.append(self._take(source, entry, found_in=url))
                await asyncio.sleep(0)
        lies = feed.lies or (not is_same and tells_lies(feed, reading, answer))
        every = next_poll(feed, source, news=any(news), asked=reading.every)
        leads = (
            [Lead(url=feed_url) for feed_url in reading.feeds]
            if kind == "home"
            else [Lead(url=entry.url, updated_at=entry.updated_at) for entry in reading.maps]
        )
        return self._polled_as(
            replace(
                polled,
                etag=answer.header("etag"),
                last_modified=answer.header("last-modified"),
                body_sha256=digest,
                read_at=now,
                every=every,
                unverified=0,
                lies=lies,
                copy=feed.copy if is_same else Copy(kept=kept, url=answer.url, at=answer.at),
                leads_to=tuple(leads),
            )
        )

    def _polled_as(self, feed: Feed) -> Feed:
        self._state.save(feed)
        return feed

    def _read(self, kind: Listed, content: bytes, answer: Answer) -> Reading:
        mime = answer.header("content-type") or ""
        charset = mime.lower().partition("charset=")[2].split(";")[0].strip(" \"'") or None
        if kind == "feed":
            return read_feed(content, url=answer.url, charset=charset)
        if kind == "sitemap":
            return read_sitemap(content, url=answer.url)
        return read_page(content, url=answer.url, charset=charset)

    def _take(self, source: SourceEntry, entry: Entry, *, found_in: str | None) -> bool:
        """Note an entry and have its article fetched, if it is new or has changed; say whether it is new."""
        said = entry.published_at or entry.updated_at
        if not source.takes(entry.url) or (said and said < self._now() - timedelta(days=source.max_age_days)):
            return False
        key = address_key(entry.url)
        known = self._state.article(key)
        if known is None and entry.guid and found_in:
            named = self._state.article_by_guid(found_in, entry.guid)
            known = named if named and _is_same_story(named.entry, entry) else None
        if known is None:
            article = Article(
                key=key,
                url=entry.url,
                source_id=source.id,
                guid=entry.guid,
                found_in=found_in,
                entry=replace(entry, body=None),
                found_at=self._now(),
            )
        elif known.status == "waiting" and known.source_id not in self._source_ids:
            # Its source has left the catalogue or got another name.
            article = replace(known, source_id=source.id)
        elif _has_changed(known, entry):
            article = replace(known, url=entry.url, entry=replace(entry, body=None), status="waiting", tries=0)
        else:
            return False
        if source.full_text and entry.body:
            self._keep_text(source, article, entry.body)
        else:
            self._state.save(article)
            self._queue(article, source)
        return known is None

    def _keep_text(self, source: SourceEntry, article: Article, body: str) -> None:
        """Keep the full text that a feed carries in place of a page."""
        job = Job(url=article.url, kind="entry", source=source, article=article, found_in=article.found_in)
        digest = hashlib.sha256(body.encode("utf-8", "replace")).hexdigest()
        now = self._now()
        done = replace(article, status="done", fetched_at=now, updated_at=article.entry.updated_at, body_sha256=digest)
        if digest == article.body_sha256:
            self._state.save(done)
            self._notes.note(job, "unchanged")
            return
        kept = self._notes.keep_text(job, _page_of(article.entry, body), now)
        self._state.save(replace(done, copy=Copy(kept=kept, url=article.url, at=now)))
        self._notes.note(job, "fetched", kept=kept)

    # ---- articles: the lines of the hosts ------------------------------------------------------------

    def _queue(self, article: Article, source: SourceEntry) -> None:
        self._queued[source.id] += 1
        if self._queued[source.id] > _AHEAD * source.max_pages:
            # It is noted as waiting, and a sitemap of 50,000 addresses need not be held for the 200 that will be asked for.
            self._asker.put_off[source.id] += 1
            return
        self._enter_line(
            Job(
                url=article.url,
                kind="page",
                source=source,
                article=article,
                found_in=article.found_in,
                headers=_conditions(article) if article.copy else {},
            )
        )

    def _enter_line(self, job: Job, *, is_next: bool = False) -> None:
        name = host_of(job.url)
        line = self._lines.setdefault(name, _Line())
        if is_next:
            line.jobs.appendleft(job)
        else:
            line.jobs.append(job)
        if line.workers < self._asker.host(job.url, job.source).concurrency:
            line.workers += 1
            self._start(self._work_through(line))

    async def _work_through(self, line: _Line) -> None:
        while line.jobs:
            await self._fetch_page(line.jobs.popleft())
            # Those over the budget are put off without any wait.
            await asyncio.sleep(0)
        line.workers -= 1

    async def _fetch_page(self, job: Job) -> None:
        match await self._asker.ask(job):
            case Moved(moved):
                # At once: what is known of its end decides on others that are sent there.
                self._enter_line(moved, is_next=True)
            case Later(again):
                self._enter_line(again)
            case Answer() as answer:
                self._settle_page(job, answer, await self._drawn(job, answer))

    async def _drawn(self, job: Job, answer: Answer) -> bytes | None:
        """Have a page drawn, where its source asks for that; None where it is taken as it came."""
        if not job.source.render or self._browser is None or not _is_page(answer):
            return None
        content = self._asker.content(job, answer)
        if content is None:
            return None

        async def fetch(url: str) -> Fetched | None:
            needed = Job(url=url, kind="script", source=job.source, found_in=answer.url)
            got = await self._asker.follow(needed)
            if got is None or (unpacked := self._asker.content(needed, got)) is None:
                return None
            self._notes.note(needed, "fetched", answer=got, kept=self._notes.keep(needed, got))
            return Fetched(status=got.status, headers=got.headers, content=unpacked)

        try:
            return await self._browser.draw(
                answer.url, Fetched(status=answer.status, headers=answer.headers, content=content), fetch
            )
        except DrawError as error:
            # What came is still a page, and its row says that it was not drawn.
            self._notes.note(job, "failed", reason="not_drawn", detail=str(error), answer=answer)
            return None

    def _settle_page(self, job: Job, answer: Answer, drawn: bytes | None) -> None:
        """Decide what becomes of the page of an article, as it came or as a browser drew it."""
        article = job.article
        assert article is not None  # noqa: S101  jobs in lines have one
        done = replace(
            article,
            status="done",
            updated_at=article.entry.updated_at,
            etag=answer.header("etag"),
            last_modified=answer.header("last-modified"),
        )
        if answer.status == NOT_MODIFIED and article.copy is None:
            self._notes.end(job, "failed", "status_304", "not modified, though it was never fetched", answer=answer)
            return
        if answer.status == NOT_MODIFIED:
            self._state.save(replace(article, status="done", updated_at=article.entry.updated_at))
            self._notes.note(
                job, "not_modified", answer=answer, kept=self._notes.keep(job, answer, same_as=article.copy)
            )
            return
        content = self._asker.content(job, answer)
        if content is None:
            return
        if not _is_page(answer):
            self._notes.end(
                job, "refused", "not_a_page", f"content type {answer.header('content-type')}", answer=answer
            )
            return
        if not content:
            self._notes.end(job, "failed", "empty", f"status {answer.status} without content", answer=answer)
            return
        signals = self._asker.signals_of(answer, content)
        refusing = optout.refusing(signals)
        if refusing is not None and job.source.opt_out == "obey":
            self._notes.end(job, "refused", "opt_out", refusing, answer=answer, signals=signals)
            return
        digest = hashlib.sha256(content if drawn is None else drawn).hexdigest()
        done = replace(done, body_sha256=digest, fetched_at=answer.at)
        if digest == article.body_sha256:
            self._state.save(done)
            kept = self._notes.keep(job, answer, same_as=article.copy)
            self._notes.note(job, "unchanged", answer=answer, kept=kept, signals=signals)
            return
        if drawn is None:
            kept = self._notes.keep_page(job, answer, signals=signals)
        else:
            # What came is the proof, what was drawn the page.
            self._notes.keep(replace(job, kind="script"), answer)
            kept = self._notes.keep_text(job, drawn, answer.at, signals=signals)
        done = replace(done, copy=Copy(kept=kept, url=answer.url, at=answer.at))
        self._state.save(done)
        if (key := address_key(answer.url)) != article.key:
            # Known under the address that redirects led to as well.
            self._state.save(replace(done, key=key, url=answer.url, guid=None))
        self._notes.note(job, "fetched", answer=answer, kept=kept, signals=signals)


def _is_page(answer: Answer) -> bool:
    """Say whether an answer holds a page, by what it says of itself."""
    return (answer.header("content-type") or "").partition(";")[0].strip().lower() in _PAGES


def _has_changed(known: Article, entry: Entry) -> bool:
    """Say whether a feed or sitemap states a change of an article since it was fetched."""
    if known.status != "done" or entry.updated_at is None:
        return False
    before = known.updated_at or known.fetched_at
    return before is None or entry.updated_at > before


def _is_same_story(one: Entry, other: Entry) -> bool:
    """Say whether two entries that a feed calls alike are one: some feeds call every entry alike, or count from 1 each day."""
    return one.title == other.title or (one.published is not None and one.published == other.published)


def _conditions(known: Feed | Article) -> dict[str, str]:
    """Ask for a body only if it has changed, by what the last answer gave to ask with (RFC 9110, 13.1)."""
    return {
        name: value
        for name, value in (("If-None-Match", known.etag), ("If-Modified-Since", known.last_modified))
        if value
    }


def _page_of(entry: Entry, body: str) -> bytes:
    """Write the full text of a feed's entry as a page of its own."""
    language = f' lang="{escape(entry.language)}"' if entry.language else ""
    title = escape(entry.title or "")
    return (
        f'<!doctype html>\n<html{language}><head><meta charset="utf-8"><title>{title}</title>'
        f'<link rel="canonical" href="{escape(entry.url)}"></head>\n'
        f"<body><article><h1>{title}</h1>\n{body}\n</article></body></html>\n"
    ).encode("utf-8", "replace")
