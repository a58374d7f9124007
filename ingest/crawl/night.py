"""One crawl: every source is polled, every new article fetched, each host at its own pace. Read ``Night.walk`` first.

Sources are walked side by side. What they find waits in the line of its host, and each line has as many workers as its host bears
requests at once; so a host that is slow, or wants to be left alone, holds up nobody but itself.
"""

import asyncio
import hashlib
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from html import escape
from http import HTTPStatus
from time import monotonic
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from ingest.crawl import optout, robots
from ingest.crawl.browser import Browser, DrawError, Fetched
from ingest.crawl.download import Answer, Download, DownloadError
from ingest.crawl.entry import Entry, Reading
from ingest.crawl.feeds import read_feed
from ingest.crawl.hosts import Host
from ingest.crawl.links import read_page
from ingest.crawl.polls import is_due, next_poll, tells_lies, wants_proof
from ingest.crawl.raw_store import Exchange, Kept, RawStore
from ingest.crawl.sitemaps import read_sitemap
from ingest.crawl.state import Article, Copy, Crawl, Feed, Lead, Listed, Pause, State
from ingest.crawl.weblink import sent_on
from ingest.sources.about import About
from ingest.sources.about import Kind as AboutKind
from ingest.sources.http import Response, payload
from ingest.sources.limits import Limits
from normalize.address import address_key
from schemas.errors import SourceError
from schemas.fetch import FetchKind, FetchOutcome
from schemas.source import Catalogue, SourceEntry

#: Hops that a request may be sent on.
MOST_HOPS: Final = 5

#: Requests for one address in one crawl, while its host fails.
MOST_TRIES: Final = 3

#: How long after it was found an article is asked for once more, by how often it was tried in vain; after the last time it is given up.
#: Two nights and the next, or a day where there is a crawl every quarter of an hour: a site may be down for long.
_AGAIN_AFTER: Final = (timedelta(), timedelta(hours=6), timedelta(hours=23))

#: Longer waits that a host asks for are cut to this, in seconds: a day, after which it is asked anew.
_LONGEST_RETRY: Final = 86400

#: Further sitemaps of an index that are read in one crawl, newest first.
MOST_MAPS: Final = 50

#: Of feeds and sitemaps that are longer one is read at a time, in bytes.
_LONG: Final = 1024 * 1024

#: How often what was noted becomes lasting, in seconds: what a power cut can take is asked for again.
COMMIT_EVERY: Final = 1.0

#: What a page is sent as. Some servers say nothing, or only that they do not know.
_PAGES: Final = frozenset({"text/html", "application/xhtml+xml", "text/plain", "application/octet-stream", ""})

#: How often to say how far it is, in seconds.
SAY_EVERY: Final = 30.0

#: How often to look whether to stop, in seconds.
_LOOK_EVERY: Final = 0.25

_NOT_MODIFIED: Final = 304

_MEGABYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One address to ask for, and why."""

    url: str
    kind: FetchKind
    source: SourceEntry
    #: Where it was named.
    found_in: str | None = None
    #: The article it is the page of.
    article: Article | None = None
    #: Conditional headers.
    headers: Mapping[str, str] = field(default_factory=dict)
    #: The address that redirected here, and how many did before.
    via: str | None = None
    hops: int = 0
    tries: int = 1


@dataclass(frozen=True, slots=True)
class Moved:
    """The answer to a job was to ask elsewhere."""

    job: Job


@dataclass(frozen=True, slots=True)
class Later:
    """A job failed in a way that may pass."""

    job: Job


Step = Answer | Moved | Later | None
"""What one request came to; None is the end of it, and its row says why."""


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
        crawl: Crawl,
        *,
        pages: RawStore,
        other: RawStore,
        now: Callable[[], datetime],
        stop: Callable[[], bool],
        say: Callable[[str], None],
    ) -> None:
        """Prepare; ``walk`` does it.

        Args:
            catalogue: The sources.
            state: What earlier crawls left.
            crawl: This one.
            pages: Takes the responses that a run reads.
            other: Takes all other responses.
            now: The time, aware, UTC.
            stop: Says whether to end early.
            say: Is told now and then how far it is, in a sentence.
        """
        #: "kind/outcome" -> count, and "outcome/reason" -> count of what was not had.
        self.counts: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.bytes = 0
        self._catalogue = catalogue
        self._source_ids = {source.id for source in catalogue.sources if source.is_crawled}
        self._state = state
        self._crawl = crawl
        self._pages = pages
        self._other = other
        self._now = now
        self._stop = stop
        self._say = say
        self._limits = Limits(max_bytes=catalogue.crawl.max_megabytes_per_page * _MEGABYTE)
        self._together = asyncio.Semaphore(catalogue.crawl.concurrency)
        #: Held while a long feed is read: that takes ten times its length of memory.
        self._reading_long = asyncio.Lock()
        #: Held for each entry that is taken, in turn: many long feeds that come at once would hold up every host if they were worked
        #: through in one go, and the host of the last one would wait for all the others.
        self._taking = asyncio.Lock()
        self._browser: Browser | None = None
        self._hosts: dict[str, Host] = {}
        self._lines: dict[str, _Line] = {}
        self._robots: dict[str, asyncio.Task[robots.Robots]] = {}
        self._policies: dict[str, asyncio.Task[optout.SitePolicy]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._polled: set[str] = set()
        #: Pages and bytes by source and by host, against the budget of the night.
        self._pages_of: Counter[str] = Counter()
        self._bytes_of: Counter[str] = Counter()
        self._put_off: Counter[str] = Counter()
        self._committed_at = monotonic()

    async def walk(self, download: Download) -> None:
        """Do the whole crawl."""
        self._download = download
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
                if monotonic() - self._committed_at > COMMIT_EVERY:
                    self.commit()
                if monotonic() - said_at > SAY_EVERY:
                    said_at = monotonic()
                    self._say(self._how_far())
        finally:
            await self._give_up()
        for source_id, count in sorted(self._put_off.items()):
            source = next(one for one in self._catalogue.sources if one.id == source_id)
            detail = f"{count} addresses wait for the next crawl: max_pages {source.max_pages}, max_megabytes {source.max_megabytes}"
            url = [
                *source.feeds,
                *source.sitemaps,
                *source.lists,
                *([source.home] if source.home else []),
                *source.pages,
            ][0]
            self._note(Job(url=url, kind="page", source=source), "put_off", reason="budget", detail=detail)
        self.commit()

    def commit(self) -> None:
        """Make lasting what was noted: first the responses, then what is known of them."""
        self._pages.sync()
        self._other.sync()
        self._state.commit()
        self._committed_at = monotonic()

    def _how_far(self) -> str:
        lines = [line for line in self._lines.values() if line.jobs]
        fetched = self.counts["page/fetched"] + self.counts["entry/fetched"]
        waiting = sum(len(line.jobs) for line in lines)
        return f"{fetched} pages are new, {waiting} wait at {len(lines)} hosts; {self.bytes / _MEGABYTE:.1f} MB so far"

    async def _give_up(self) -> None:
        """End what is under way: it is asked for again by the next crawl."""
        tasks = {*self._tasks, *self._robots.values(), *self._policies.values()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(asyncio.ensure_future(work))

    # ---- sources: what they list -------------------------------------------------------------------

    async def _walk_source(self, source: SourceEntry) -> None:
        oldest = self._now() - timedelta(days=source.max_age_days)
        for article in self._state.waiting(source.id):
            if article.found_at >= oldest:
                # What the catalogue has come to leave waits in vain.
                if source.takes(article.url) and self._now() >= article.found_at + _AGAIN_AFTER[article.tries]:
                    self._queue(article, source)
            else:
                job = Job(url=article.url, kind="page", source=source, article=article, found_in=article.found_in)
                self._end(
                    job,
                    "refused",
                    "too_old",
                    f"waits since {article.found_at.date()}, last for: {article.reason or 'the budget'}",
                )
        for url in source.pages:
            self._take(source, Entry(url=url), found_in=None)
        feeds: Sequence[str] = source.feeds
        if source.home and not feeds:
            feeds = await self._feeds_of_home(source, source.home)
        polls: list[Coroutine[Any, Any, Feed | None]] = [self._poll(source, url, "feed") for url in feeds]
        polls += [self._poll_sitemap(source, url) for url in source.sitemaps]
        polls += [self._poll(source, url, "list") for url in source.lists]
        await asyncio.gather(*polls)

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
        answer = await self._follow(job)
        polled = replace(feed, source_id=source.id, kind=kind, polled_at=now)
        content = None if answer is None or answer.status == _NOT_MODIFIED else self._content(job, answer)
        if answer is None or (content is None and answer.status != _NOT_MODIFIED):
            # Not polled: the next crawl tries again, however soon it comes.
            return self._polled_as(replace(polled, polled_at=feed.polled_at, failures=feed.failures + 1))
        if content is None:
            self._note(job, "not_modified", answer=answer, kept=self._keep(job, answer, same_as=feed.copy))
            every = next_poll(feed, source, news=False)
            return self._polled_as(replace(polled, unverified=feed.unverified + 1, failures=0, every=every))
        digest = hashlib.sha256(content).hexdigest()
        is_same = digest == feed.body_sha256
        # In a thread, for a long one takes seconds, and every host would wait for it.
        async with self._reading_long if len(content) > _LONG else nullcontext():
            reading = await asyncio.to_thread(self._read, kind, content, answer)
        kept = self._keep(job, answer, same_as=feed.copy if is_same else None)
        detail = "; ".join(reading.faults[:3]) or None
        self._note(job, "unchanged" if is_same else "fetched", detail=detail, answer=answer, kept=kept)
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
                changed_at=feed.changed_at if is_same else now,
                read_at=now,
                every=every,
                unverified=0,
                lies=lies,
                failures=0,
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
            self._note(job, "unchanged")
            return
        kept = self._pages.write_text(article.url, _page_of(article.entry, body), now, self._about(job))
        self._state.save(replace(done, copy=Copy(kept=kept, url=article.url, at=now)))
        self._note(job, "fetched", kept=kept)

    # ---- articles: the lines of the hosts ------------------------------------------------------------

    def _queue(self, article: Article, source: SourceEntry) -> None:
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

    def _enter_line(self, job: Job) -> None:
        name = _host_of(job.url)
        line = self._lines.setdefault(name, _Line())
        line.jobs.append(job)
        if line.workers < self._host(job.url, job.source).concurrency:
            line.workers += 1
            self._start(self._work_through(line))

    async def _work_through(self, line: _Line) -> None:
        while line.jobs:
            await self._fetch_page(line.jobs.popleft())
        line.workers -= 1

    async def _fetch_page(self, job: Job) -> None:
        match await self._ask(job):
            case Moved(moved) | Later(moved):
                self._enter_line(moved)
            case Answer() as answer:
                self._settle_page(job, answer, await self._drawn(job, answer))

    def _within_budget(self, job: Job) -> bool:
        source, host = f"source {job.source.id}", f"host {_host_of(job.url)}"
        if any(
            self._pages_of[name] >= job.source.max_pages or self._bytes_of[name] >= job.source.max_megabytes * _MEGABYTE
            for name in (source, host)
        ):
            return False
        if job.hops == 0 and job.tries == 1:
            self._pages_of.update((source, host))
        return True

    async def _drawn(self, job: Job, answer: Answer) -> bytes | None:
        """Have a page drawn, where its source asks for that; None where it is taken as it came."""
        if not job.source.render or self._browser is None or not _is_page(answer):
            return None
        content = self._content(job, answer)
        if content is None:
            return None

        async def fetch(url: str) -> Fetched | None:
            needed = Job(url=url, kind="script", source=job.source, found_in=answer.url)
            got = await self._follow(needed)
            if got is None or (unpacked := self._content(needed, got)) is None:
                return None
            self._note(needed, "fetched", answer=got, kept=self._keep(needed, got))
            return Fetched(status=got.status, headers=got.headers, content=unpacked)

        try:
            return await self._browser.draw(
                answer.url, Fetched(status=answer.status, headers=answer.headers, content=content), fetch
            )
        except DrawError as error:
            # What came is still a page, and its row says that it was not drawn.
            self._note(job, "failed", reason="not_drawn", detail=str(error), answer=answer)
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
        if answer.status == _NOT_MODIFIED and article.copy is None:
            self._end(job, "failed", "status_304", "not modified, though it was never fetched", answer=answer)
            return
        if answer.status == _NOT_MODIFIED:
            self._state.save(replace(article, status="done", updated_at=article.entry.updated_at))
            self._note(job, "not_modified", answer=answer, kept=self._keep(job, answer, same_as=article.copy))
            return
        content = self._content(job, answer)
        if content is None:
            return
        if not _is_page(answer):
            self._end(job, "refused", "not_a_page", f"content type {answer.header('content-type')}", answer=answer)
            return
        if not content:
            self._end(job, "failed", "empty", f"status {answer.status} without content", answer=answer)
            return
        policy = self._policies[_origin_of(answer.url)].result()
        signals = policy.of_page(answer.url) + optout.of_answer(
            answer.headers, content, agent=self._catalogue.crawl.agent
        )
        refusing = optout.refusing(signals)
        if refusing is not None and job.source.opt_out == "obey":
            self._end(job, "refused", "opt_out", refusing, answer=answer, signals=signals)
            return
        digest = hashlib.sha256(content if drawn is None else drawn).hexdigest()
        done = replace(done, body_sha256=digest, fetched_at=answer.at)
        if digest == article.body_sha256:
            self._state.save(done)
            kept = self._keep(job, answer, same_as=article.copy)
            self._note(job, "unchanged", answer=answer, kept=kept, signals=signals)
            return
        if drawn is None:
            kept = self._pages.write(self._exchange(job, answer, signals=signals))
        else:
            # What came is the proof, what was drawn the page.
            self._keep(replace(job, kind="script"), answer)
            kept = self._pages.write_text(answer.url, drawn, answer.at, self._about(job, signals=signals))
        done = replace(done, copy=Copy(kept=kept, url=answer.url, at=answer.at))
        self._state.save(done)
        if (key := address_key(answer.url)) != article.key:
            # Known under the address that redirects led to as well.
            self._state.save(replace(done, key=key, url=answer.url, guid=None))
        self._note(job, "fetched", answer=answer, kept=kept, signals=signals)

    # ---- requests ---------------------------------------------------------------------------------

    async def _follow(self, job: Job) -> Answer | None:
        """Ask until there is an answer or an end, through redirects and further tries."""
        while True:
            match await self._ask(job):
                case Moved(following) | Later(following):
                    job = following
                case Answer() as answer:
                    return answer
                case None:
                    return None

    async def _ask(self, job: Job) -> Step:
        """Make one request, if it may be made, and say what it came to."""
        host = self._host(job.url, job.source)
        refusal = await self._refusal(job, host)
        if refusal is not None:
            self._end(job, *refusal)
            return None
        if job.kind == "page" and not self._within_budget(job):
            self._put_off[job.source.id] += 1
            return None
        async with host.turn():
            # It may have been given up while this one waited for its turn.
            if host.left_because:
                self._end(job, "put_off", "host_left", host.left_because)
                return None
            try:
                answer = await self._download(job.url, job.headers)
            except DownloadError as error:
                return self._after_error(job, host, error)
        self._count_bytes(job, answer)
        return self._after_answer(job, host, answer)

    async def _refusal(self, job: Job, host: Host) -> tuple[FetchOutcome, str, str] | None:
        """Say why a request must not be made; None where it may."""
        parts = urlsplit(job.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            return "refused", "scheme", f'"{job.url[:200]}" is no address with http or https and a host'
        if host.left_because:
            return "put_off", "host_left", host.left_because
        if job.kind in {"robots", "policy"}:
            return None
        rules = await self._rules_of(job)
        if host.closed_because:
            return "refused", "private_address", host.closed_because
        if not rules.allows(job.url):
            return "refused", "robots" if rules.rules else "robots_unreachable", rules.reason
        if job.kind == "page":
            signals = (await self._policy_of(job)).of_page(job.url)
            refusing = optout.refusing(signals)
            if refusing is not None and job.source.opt_out == "obey":
                return "refused", "opt_out", refusing
        return None

    def _after_error(self, job: Job, host: Host, error: DownloadError) -> Step:
        if error.reason == "private_address":
            host.closed_because = error.detail
            self._end(job, "refused", error.reason, error.detail)
            return None
        if error.reason in {"timeout", "connection", "cut_off", "dns"}:
            host.failed(error.detail)
            if job.tries < MOST_TRIES and not host.left_because and error.reason != "dns":
                self._note(job, "failed", reason=error.reason, detail=error.detail)
                return Later(replace(job, tries=job.tries + 1))
        self._end(job, "failed", error.reason, error.detail)
        return None

    def _after_answer(self, job: Job, host: Host, answer: Answer) -> Step:
        status = answer.status
        location = answer.header("location")
        if status in {301, 302, 303, 307, 308} and location is not None:
            host.answered()
            return self._after_redirect(job, answer, location)
        if status == 429 or status >= 500:  # noqa: PLR2004
            seconds = _retry_after(answer, self._now())
            host.failed(f"status {status}", seconds=seconds)
            if seconds:
                self._state.save(Pause(host=host.name, until_at=self._now() + timedelta(seconds=seconds)))
            if job.tries < MOST_TRIES and not host.left_because and (status in {429, 503} or seconds is None):
                self._note(job, "failed", reason=f"status_{status}", answer=answer, kept=self._keep(job, answer))
                return Later(replace(job, tries=job.tries + 1))
        else:
            host.answered()
        is_answer = 200 <= status < 300 or status == _NOT_MODIFIED  # noqa: PLR2004
        # That a site has no robots.txt is an answer as well.
        if is_answer or (job.kind in {"robots", "policy"} and status < 500 and status != 429):  # noqa: PLR2004
            return answer
        kept = self._keep(job, answer)
        self._end(job, "failed", f"status_{status}", host.left_because, answer=answer, kept=kept)
        return None

    def _after_redirect(self, job: Job, answer: Answer, location: str) -> Step:
        kept = self._keep(job, answer)
        target = sent_on(job.url, location)
        if target is None:
            detail = f'redirects to "{location[:200]}", which is no address with http or https'
            self._end(job, "refused", "scheme", detail, answer=answer, kept=kept)
            return None
        if job.hops >= MOST_HOPS:
            detail = f"{job.hops + 1} redirects, the last to {target[:200]}"
            self._end(job, "failed", "redirects", detail, answer=answer, kept=kept)
            return None
        if self._is_known_there(job, target):
            self._note(job, "redirected", reason="known", answer=answer, kept=kept, redirect_to=target)
            return None
        self._note(job, "redirected", answer=answer, kept=kept, redirect_to=target)
        return Moved(replace(job, url=target, via=job.url, hops=job.hops + 1, tries=1))

    def _is_known_there(self, job: Job, target: str) -> bool:
        """Say whether a new article is one that was fetched already, under the address it redirects to."""
        if job.article is None or job.article.copy is not None:
            return False
        there = self._state.article(address_key(target))
        if there is None or there.status != "done" or there.key == job.article.key:
            return False
        self._state.save(replace(job.article, status="done", fetched_at=there.fetched_at, copy=there.copy))
        return True

    # ---- hosts: what they allow ---------------------------------------------------------------------

    def _host(self, url: str, source: SourceEntry) -> Host:
        name = _host_of(url)
        if name not in self._hosts:
            host = Host(
                name, delay=source.delay, concurrency=source.concurrency, together=self._together, clock=monotonic
            )
            pause = self._state.pause(name)
            if pause and pause.until_at > self._now():
                host.left_because = (
                    f"the host asked to be left alone until {pause.until_at.isoformat(timespec='seconds')}"
                )
            self._hosts[name] = host
        # Of several sources at one host the most patient sets the pace.
        self._hosts[name].ask_slower(source.delay)
        return self._hosts[name]

    async def _rules_of(self, job: Job) -> robots.Robots:
        origin = _origin_of(job.url)
        if origin not in self._robots:
            self._robots[origin] = asyncio.ensure_future(self._fetch_rules(origin, job.source))
        rules = await asyncio.shield(self._robots[origin])
        self._host(job.url, job.source).ask_slower(rules.delay)
        return rules

    async def _fetch_rules(self, origin: str, source: SourceEntry) -> robots.Robots:
        """Read robots.txt, or the copy of it that is young enough, or old while the host cannot be reached."""
        agent = self._catalogue.crawl.agent
        known = self._state.host(origin)
        if robots.is_fresh(known.read_at, self._now()):
            return robots.Robots.read(agent, known.robots_status, known.robots)
        job = Job(url=f"{origin}/robots.txt", kind="robots", source=source)
        status, content = await self._fetch_policy(job)
        if status is None:
            # An old copy stands in for a site that cannot be reached (RFC 9309, 2.4); without one nothing is known.
            return robots.Robots.read(agent, known.robots_status, known.robots)
        self._state.save(replace(known, read_at=self._now(), robots_status=status, robots=content[: robots.LONGEST]))
        return robots.Robots.read(agent, status, content)

    async def _policy_of(self, job: Job) -> optout.SitePolicy:
        origin = _origin_of(job.url)
        if origin not in self._policies:
            self._policies[origin] = asyncio.ensure_future(self._fetch_policies(origin, job.source))
        return await asyncio.shield(self._policies[origin])

    async def _fetch_policies(self, origin: str, source: SourceEntry) -> optout.SitePolicy:
        """Read what else a host says of all its pages, or the copy that is young enough."""
        known = self._state.host(origin)
        if not robots.is_fresh(known.policies_at, self._now()):
            (tdmrep_status, tdmrep), (ai_status, ai_text) = [
                await self._fetch_policy(Job(url=f"{origin}{path}", kind="policy", source=source))
                for path in ("/.well-known/tdmrep.json", "/ai.txt")
            ]
            # Read again: robots.txt may have been noted meanwhile.
            known = self._state.host(origin)
            # What a server that fails does not say may be what it said before, and is asked for again by the next crawl.
            known = replace(
                known,
                policies_at=known.policies_at if None in (tdmrep_status, ai_status) else self._now(),
                tdmrep=known.tdmrep if tdmrep_status is None else tdmrep,
                ai_text=known.ai_text if ai_status is None else ai_text,
            )
            self._state.save(known)
        return optout.SitePolicy.read(
            robots=known.robots, tdmrep=known.tdmrep, ai_text=known.ai_text, agent=self._catalogue.crawl.agent
        )

    async def _fetch_policy(self, job: Job) -> tuple[int | None, bytes]:
        """Give status and content of a file that says what we may do; None where it could not be asked for, or the server failed."""
        answer = await self._follow(job)
        if answer is None:
            return None, b""
        content = self._content(job, answer)
        if content is None:
            return None, b""
        self._note(job, "fetched", answer=answer, kept=self._keep(job, answer))
        # A page that says "not found" with status 200 has no rules: a robots.txt has lines with colons, these have tags.
        return answer.status, content if answer.status < 300 else b""  # noqa: PLR2004

    # ---- what is kept and noted ----------------------------------------------------------------------

    def _content(self, job: Job, answer: Answer) -> bytes | None:
        """Give the body with its content encoding undone; None, and noted, where it cannot be had."""
        try:
            return payload(Response(status=answer.status, headers=answer.headers, body=answer.body), self._limits)
        except SourceError as error:
            self._end(job, "failed", error.reason, error.detail, answer=answer)
            return None

    def _count_bytes(self, job: Job, answer: Answer) -> None:
        self.bytes += len(answer.body)
        for name in (f"source {job.source.id}", f"host {_host_of(job.url)}"):
            self._bytes_of[name] += len(answer.body)

    def _exchange(self, job: Job, answer: Answer, *, signals: Sequence[optout.Signal] = ()) -> Exchange:
        phrase = HTTPStatus(answer.status).phrase if answer.status in set(HTTPStatus) else ""
        return Exchange(
            url=answer.url,
            fetched_at=answer.at,
            ip=answer.ip,
            request=answer.request,
            status=answer.status,
            reason=phrase,
            headers=answer.headers,
            body=answer.body,
            truncated=None,
            about=self._about(job, status=answer.status, signals=signals),
        )

    def _about(self, job: Job, *, status: int = 200, signals: Sequence[optout.Signal] = ()) -> About:
        entry = job.article.entry if job.article else None
        kind: AboutKind = "list" if job.kind == "home" else job.kind
        if status >= 300 and status != _NOT_MODIFIED:  # noqa: PLR2004
            kind = "error" if status >= 400 else "redirect"  # noqa: PLR2004
        return About(
            kind=kind,
            source_id=job.source.id,
            publisher=job.source.name,
            language=job.source.language or (entry.language if entry else None),
            found_in=job.found_in,
            # Of an article the address that was named: the others lie beside it, redirect by redirect.
            via=job.article.url if job.via and job.article else job.via,
            guid=entry.guid if entry else None,
            title=entry.title if entry else None,
            published=entry.published if entry else None,
            authors=entry.authors if entry else (),
            tags=entry.tags if entry else (),
            signals=tuple(signal.text for signal in signals),
        )

    def _keep(self, job: Job, answer: Answer, *, same_as: Copy | None = None) -> Kept:
        """Keep a response that no run reads; of a body that is kept already, to the byte, only the word that it is the same."""
        exchange = self._exchange(job, answer)
        is_kept = same_as and hashlib.sha256(answer.body).hexdigest() == same_as.kept.payload_sha256
        if same_as is None or (answer.status != _NOT_MODIFIED and not is_kept):
            return self._other.write(exchange)
        return self._other.write_revisit(exchange, same_as.kept, same_as.url, same_as.at)

    def _end(
        self,
        job: Job,
        outcome: FetchOutcome,
        reason: str,
        detail: str | None,
        *,
        answer: Answer | None = None,
        kept: Kept | None = None,
        signals: Sequence[optout.Signal] = (),
    ) -> None:
        """Note what was not had; of an article also whether it is asked for again another night."""
        self._note(job, outcome, reason=reason, detail=detail, answer=answer, kept=kept, signals=signals)
        article = job.article
        if article is None or outcome == "put_off":
            return
        tries = article.tries + (outcome == "failed")
        status: Literal["waiting", "refused", "gone"] = "waiting"
        # What others than the page decide may be decided otherwise tomorrow.
        if outcome == "refused" and reason not in {"robots_unreachable", "private_address"}:
            status = "refused"
        elif outcome == "failed" and (tries >= len(_AGAIN_AFTER) or (answer and answer.status in {404, 410})):
            status = "gone"
        self._state.save(replace(article, status=status, reason=reason, tries=tries))

    def _note(
        self,
        job: Job,
        outcome: FetchOutcome,
        *,
        reason: str | None = None,
        detail: str | None = None,
        answer: Answer | None = None,
        kept: Kept | None = None,
        signals: Sequence[optout.Signal] = (),
        redirect_to: str | None = None,
    ) -> None:
        """Add a row to the table of fetches."""
        self.counts[f"{job.kind}/{outcome}"] += 1
        if reason is not None:
            self.reasons[f"{outcome}/{reason}"] += 1
        entry = job.article.entry if job.article else None
        is_shared = job.kind in {"robots", "policy"}
        self._state.add_fetch(
            {
                "crawl_id": self._crawl.id,
                "crawl_date": self._crawl.date,
                "source_id": None if is_shared else job.source.id,
                "url": job.url,
                "kind": job.kind,
                "outcome": outcome,
                "reason": reason,
                "detail": detail,
                "http_status": answer.status if answer else None,
                "requested_at": answer.at - timedelta(seconds=answer.seconds) if answer else self._now(),
                "seconds": answer.seconds if answer else None,
                "bytes": len(answer.body) if answer else None,
                "ip": answer.ip if answer else None,
                "tries": job.tries if answer or outcome == "failed" else None,
                "via": job.via,
                "redirect_to": redirect_to,
                "found_in": job.found_in,
                "guid": entry.guid if entry else None,
                "title": entry.title if entry else None,
                "published": entry.published if entry else None,
                "signals": [signal.text for signal in signals] or None,
                "payload_sha256": kept.payload_sha256 if kept else None,
                "warc_file": kept.file if kept else None,
                "warc_offset": kept.offset if kept else None,
                "warc_length": kept.length if kept else None,
                "warc_record_id": kept.record_id if kept else None,
            }
        )


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


def _retry_after(answer: Answer, now: datetime) -> float | None:
    """Read how long a host wants to be left alone, in seconds (RFC 9110, 10.2.3); None where it does not say."""
    text = (answer.header("retry-after") or "").strip()
    if text.isdecimal():
        # Of hundreds of digits no integer is made, but a float.
        return min(float(text), float(_LONGEST_RETRY))
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    seconds = (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_RETRY)


def _host_of(url: str) -> str:
    return (urlsplit(url).hostname or "").lower()


def _origin_of(url: str) -> str:
    """Give scheme, host and port: what one robots.txt is for (RFC 9309, 2.3)."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"
