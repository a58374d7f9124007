"""One request of a crawl: whether it may be made, at which pace, and what its answer comes to.

Of each host robots.txt is read first, and before its first article whatever else it says of reading by machines.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

from ingest.crawl import optout, robots
from ingest.crawl.download import Answer, Download, DownloadError
from ingest.crawl.hosts import Host
from ingest.crawl.job import MOST_HOPS, REDIRECTS, Job, Later, Moved, Step, host_of, origin_of
from ingest.crawl.notes import NOT_MODIFIED, Notes
from ingest.crawl.state import Pause, State
from ingest.crawl.weblink import sent_on
from ingest.sources.http import Response, payload
from ingest.sources.limits import Limits
from normalize.address import address_key, domain_of
from schemas.crawl_options import CrawlOptions
from schemas.errors import SourceError
from schemas.fetch import FetchOutcome
from schemas.source import SourceEntry

#: Requests for one address in one crawl, while its host fails.
MOST_TRIES: Final = 3

#: How long a crawl may go on, in seconds: a host that wants an hour between two requests is visited six times a night.
LONGEST_CRAWL: Final = 6 * 3600.0

#: Longer waits that a host asks for are cut to this, in seconds: a day, after which it is asked anew.
_LONGEST_RETRY: Final = 86400

_USUAL_PORTS: Final = frozenset({None, 80, 443})

_MEGABYTE: Final = 1024 * 1024


class Asker:
    """Makes the requests of one crawl."""

    def __init__(
        self, options: CrawlOptions, state: State, notes: Notes, download: Download, *, now: Callable[[], datetime]
    ) -> None:
        """Know no host yet.

        Args:
            options: Of the whole catalogue.
            state: What earlier crawls left.
            notes: Takes what is not had, and what is read of hosts.
            download: Makes a request.
            now: The time, aware, UTC.
        """
        #: Source id -> articles that wait for the next crawl, since the budget of this one is used up.
        self.put_off: Counter[str] = Counter()
        self._agent = options.agent
        self._limits = Limits(max_bytes=options.max_megabytes_per_page * _MEGABYTE)
        self._together = asyncio.Semaphore(options.concurrency)
        self._state = state
        self._notes = notes
        self._download = download
        self._now = now
        self._ends_at = monotonic() + LONGEST_CRAWL
        #: Origins that have answered.
        self._answered: set[str] = set()
        self._hosts: dict[str, Host] = {}
        self._robots: dict[str, asyncio.Task[robots.Robots]] = {}
        self._policies: dict[str, asyncio.Task[optout.SitePolicy]] = {}
        #: Pages and bytes by source and by host, against the budget of the night.
        self._pages_of: Counter[str] = Counter()
        self._bytes_of: Counter[str] = Counter()

    async def follow(self, job: Job) -> Answer | None:
        """Ask until there is an answer or an end, through redirects and further tries."""
        while True:
            match await self.ask(job):
                case Moved(following) | Later(following):
                    job = following
                case Answer() as answer:
                    return answer
                case None:
                    return None

    async def ask(self, job: Job) -> Step:
        """Make one request, if it may be made, and say what it came to."""
        host = self.host(job.url, job.source)
        refusal = await self._refusal(job, host)
        if refusal is not None:
            self._notes.end(job, *refusal)
            return None
        if job.kind == "page" and not self._within_budget(job):
            self.put_off[job.source.id] += 1
            return None
        if host.waits > self._ends_at - monotonic():
            what = f"its next turn is in {host.waits:.0f} s, and a crawl ends after {LONGEST_CRAWL / 3600:.0f} hours"
            self._notes.end(job, "put_off", "host_left", what)
            return None
        async with host.turn() as turn:
            # It may have been given up while this one waited for its turn.
            if host.left_because:
                self._notes.end(job, "put_off", "host_left", host.left_because)
                return None
            try:
                answer = await self._download(job.url, job.headers)
            except DownloadError as error:
                return self._after_error(job, host, error)
            turn.latency = answer.latency
        self._answered.add(origin_of(job.url))
        self._count_bytes(job, answer)
        return self._after_answer(job, host, answer)

    def content(self, job: Job, answer: Answer) -> bytes | None:
        """Give the body with its content encoding undone; None, and noted, where it cannot be had."""
        try:
            return payload(Response(status=answer.status, headers=answer.headers, body=answer.body), self._limits)
        except SourceError as error:
            self._notes.end(job, "failed", error.reason, error.detail, answer=answer)
            return None

    async def read_policy(self, job: Job) -> None:
        """Read what the site of an address says of reading by machines, if it was not read yet."""
        await self._policy_of(job)

    def signals_of(self, answer: Answer, content: bytes) -> tuple[optout.Signal, ...]:
        """Give what a page that was fetched, and its site, say of reading by machines."""
        policy = self._policies[origin_of(answer.url)].result()
        return policy.of_page(answer.url) + optout.of_answer(answer.headers, content, agent=self._agent)

    async def give_up(self) -> None:
        """End what is under way for hosts as a whole."""
        tasks = {*self._robots.values(), *self._policies.values()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def host(self, url: str, source: SourceEntry) -> Host:
        """Give the turns of the host of an address."""
        name = host_of(url)
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

    # ---- one request ---------------------------------------------------------------------------------

    async def _refusal(self, job: Job, host: Host) -> tuple[FetchOutcome, str, str] | None:
        """Say why a request must not be made; None where it may."""
        parts = urlsplit(job.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            return "refused", "scheme", f'"{job.url[:200]}" is no address with http or https and a host'
        if parts.username is not None or parts.password is not None:
            return "refused", "credentials", f'"{job.url[:200]}" has a name or password in it'
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

    def _within_budget(self, job: Job) -> bool:
        source, host = f"source {job.source.id}", f"host {host_of(job.url)}"
        if any(self._bytes_of[name] >= job.source.max_megabytes * _MEGABYTE for name in (source, host)):
            return False
        # A further try is no further page, nor is a redirect, but for the host that it leads to.
        counted = [] if job.hops or job.tries > 1 else [source]
        if job.tries == 1 and (job.via is None or host_of(job.via) != host_of(job.url)):
            counted.append(host)
        if any(self._pages_of[name] >= job.source.max_pages for name in counted):
            return False
        self._pages_of.update(counted)
        return True

    def _count_bytes(self, job: Job, answer: Answer) -> None:
        self._notes.bytes += len(answer.body)
        for name in (f"source {job.source.id}", f"host {host_of(job.url)}"):
            self._bytes_of[name] += len(answer.body)

    def _after_error(self, job: Job, host: Host, error: DownloadError) -> Step:
        if error.reason == "private_address":
            host.closed_because = error.detail
            self._notes.end(job, "refused", error.reason, error.detail)
            return None
        # What a feed says of strange ports of a host is no reason to leave the host.
        is_its_own = urlsplit(job.url).port in _USUAL_PORTS or origin_of(job.url) in self._answered
        if error.reason in {"timeout", "connection", "cut_off", "dns"} and is_its_own:
            host.failed(error.detail)
            if job.tries < MOST_TRIES and not host.left_because and error.reason != "dns":
                self._notes.note(job, "failed", reason=error.reason, detail=error.detail)
                return Later(replace(job, tries=job.tries + 1))
        self._notes.end(job, "failed", error.reason, error.detail)
        return None

    def _after_answer(self, job: Job, host: Host, answer: Answer) -> Step:
        status = answer.status
        location = answer.header("location")
        if status in REDIRECTS and location is not None:
            host.answered()
            return self._after_redirect(job, answer, location)
        if status == 429 or status >= 500:  # noqa: PLR2004
            seconds = _retry_after(answer, self._now())
            host.failed(f"status {status}", seconds=seconds)
            if seconds:
                self._state.save(Pause(host=host.name, until_at=self._now() + timedelta(seconds=seconds)))
            if job.tries < MOST_TRIES and not host.left_because and (status in {429, 503} or seconds is None):
                self._notes.note(
                    job, "failed", reason=f"status_{status}", answer=answer, kept=self._notes.keep(job, answer)
                )
                return Later(replace(job, tries=job.tries + 1))
        else:
            host.answered()
        is_answer = 200 <= status < 300 or status == NOT_MODIFIED  # noqa: PLR2004
        # That a site has no robots.txt is an answer as well.
        if is_answer or (job.kind in {"robots", "policy"} and status < 500 and status != 429):  # noqa: PLR2004
            return answer
        kept = self._notes.keep(job, answer)
        # Whoever asks for patience has not said that there is nothing.
        outcome: FetchOutcome = "put_off" if status in {429, 503} else "failed"
        self._notes.end(job, outcome, f"status_{status}", host.left_because, answer=answer, kept=kept)
        return None

    def _after_redirect(self, job: Job, answer: Answer, location: str) -> Step:
        kept = self._notes.keep(job, answer)
        target = sent_on(job.url, location)
        if target is None:
            detail = f'redirects to "{location[:200]}", which is no address with http or https'
            self._notes.end(job, "refused", "scheme", detail, answer=answer, kept=kept)
            return None
        if job.hops >= MOST_HOPS:
            detail = f"{job.hops + 1} redirects, the last to {target[:200]}"
            self._notes.end(job, "failed", "redirects", detail, answer=answer, kept=kept)
            return None
        if job.article is not None and _is_home_of(target, job.article.url):
            self._notes.end(job, "failed", "sent_home", f"redirects to {target[:200]}", answer=answer, kept=kept)
            return None
        others = self._told_elsewhere(job, target)
        if others is not None:
            detail = f'redirects to {target[:200]}, where "{others[:100]}" was fetched'
            self._notes.end(job, "failed", "sent_alike", detail, answer=answer, kept=kept)
            return None
        if self._is_known_there(job, target):
            self._notes.note(job, "redirected", reason="known", answer=answer, kept=kept, redirect_to=target)
            return None
        self._notes.note(job, "redirected", answer=answer, kept=kept, redirect_to=target)
        return Moved(replace(job, url=target, via=job.url, hops=job.hops + 1, tries=1))

    def _told_elsewhere(self, job: Job, target: str) -> str | None:
        """Give the title of another article that was fetched where this one is sent: a page for all, such as a site under repair."""
        there = self._state.article(address_key(target))
        if job.article is None or there is None or there.key == job.article.key or there.status != "done":
            return None
        if address_key(there.entry.url) == there.key:
            return None  # an article of that address
        title, other = job.article.entry.title, there.entry.title
        return other if title and other and title != other else None

    def _is_known_there(self, job: Job, target: str) -> bool:
        """Say whether a new article is one that was fetched already, under the address it redirects to."""
        if job.article is None or job.article.copy is not None:
            return False
        there = self._state.article(address_key(target))
        if there is None or there.status != "done" or there.key == job.article.key:
            return False
        self._state.save(replace(job.article, status="done", fetched_at=there.fetched_at, copy=there.copy))
        return True

    # ---- what a host allows --------------------------------------------------------------------------

    async def _rules_of(self, job: Job) -> robots.Robots:
        origin = origin_of(job.url)
        if origin not in self._robots:
            self._robots[origin] = asyncio.ensure_future(self._fetch_rules(origin, job.source))
        rules = await asyncio.shield(self._robots[origin])
        self.host(job.url, job.source).ask_slower(rules.delay)
        return rules

    async def _fetch_rules(self, origin: str, source: SourceEntry) -> robots.Robots:
        """Read robots.txt, or the copy of it that is young enough, or old while the host cannot be reached."""
        known = self._state.host(origin)
        if robots.is_fresh(known.read_at, self._now()):
            return robots.Robots.read(self._agent, known.robots_status, known.robots)
        job = Job(url=f"{origin}/robots.txt", kind="robots", source=source)
        status, content = await self._fetch_policy(job)
        if status is None:
            # An old copy stands in for a site that cannot be reached (RFC 9309, 2.4); without one nothing is known.
            return robots.Robots.read(self._agent, known.robots_status, known.robots)
        self._state.save(replace(known, read_at=self._now(), robots_status=status, robots=content[: robots.LONGEST]))
        return robots.Robots.read(self._agent, status, content)

    async def _policy_of(self, job: Job) -> optout.SitePolicy:
        origin = origin_of(job.url)
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
            robots=known.robots, tdmrep=known.tdmrep, ai_text=known.ai_text, agent=self._agent
        )

    async def _fetch_policy(self, job: Job) -> tuple[int | None, bytes]:
        """Give status and content of a file that says what we may do; None where it could not be asked for, or the server failed."""
        answer = await self.follow(job)
        if answer is None:
            return None, b""
        content = self.content(job, answer)
        if content is None:
            return None, b""
        self._notes.note(job, "fetched", answer=answer, kept=self._notes.keep(job, answer))
        # A page that says "not found" with status 200 has no rules: a robots.txt has lines with colons, these have tags.
        return answer.status, content if answer.status < 300 else b""  # noqa: PLR2004


def _is_home_of(url: str, article: str) -> bool:
    """Say whether an address is the home page of an article's own site, and the article's is not."""
    is_home, was_home = (urlsplit(one).path in {"", "/"} and not urlsplit(one).query for one in (url, article))
    return is_home and not was_home and domain_of(url) == domain_of(article)


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
