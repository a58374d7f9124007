"""A few addresses, asked for as the crawl would: robots.txt first, each host at its pace, redirects seen; nothing is kept."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from time import monotonic
from typing import Final

from ingest.crawl.download import Answer, Download, DownloadError
from ingest.crawl.hosts import Host
from ingest.crawl.job import MOST_HOPS, REDIRECTS, host_of, origin_of
from ingest.crawl.optout import SitePolicy
from ingest.crawl.robots import Robots
from ingest.crawl.weblink import sent_on
from ingest.sources.http import Response, payload
from ingest.sources.limits import Limits
from schemas.crawl_options import CrawlOptions
from schemas.errors import SourceError

#: A host that wants more seconds than this between two requests is asked for robots.txt only: nobody waits for the rest.
MOST_PATIENCE: Final = 60.0

_FOR_GOOD: Final = frozenset({301, 308})
_BUSY: Final = frozenset({429, 503})
_MEGABYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What became of one address."""

    url: str
    #: The last answer; None where there was none.
    answer: Answer | None = None
    #: Its body, content encoding undone; b"" where it cannot be had.
    content: bytes = b""
    #: Where redirects that hold for good lead to, up to the first that does not.
    moved_to: str | None = None
    #: A countable word for what stood in the way, and a sentence for people; None where nothing did.
    trouble: tuple[str, str] | None = None


class Visits:
    """Asks, and remembers of each host what it allows."""

    def __init__(self, crawl: CrawlOptions, download: Download) -> None:
        """Ask nothing yet."""
        self._crawl = crawl
        self._download = download
        self._limits = Limits(max_bytes=crawl.max_megabytes_per_page * _MEGABYTE)
        self._together = asyncio.Semaphore(crawl.concurrency)
        self._hosts: dict[str, Host] = {}
        self._files: dict[str, asyncio.Task[Visit]] = {}

    async def visit(self, url: str, *, delay: float, headers: Mapping[str, str] | None = None) -> Visit:
        """Ask for an address if its site allows it, and follow where it leads.

        Args:
            url: The address.
            delay: Least seconds between two requests to one host.
            headers: Further headers.
        """
        seen = Visit(url=url)
        at, for_good = url, True
        for _ in range(MOST_HOPS + 1):
            if refusal := await self.refusal_of(at, delay=delay):
                return replace(seen, trouble=refusal)
            seen, target = await self._ask(at, seen, delay, headers or {})
            if target is None:
                return seen
            for_good = for_good and seen.answer is not None and seen.answer.status in _FOR_GOOD
            seen = replace(seen, moved_to=target if for_good else seen.moved_to)
            at = target
        return replace(seen, trouble=("redirects", f"it is sent on {MOST_HOPS + 1} times, the last time to {at[:200]}"))

    async def rules_of(self, url: str, *, delay: float) -> Robots:
        """Give the rules for an address; asked for once."""
        seen = await self._file(url, "/robots.txt", delay)
        rules = Robots.read(self._crawl.agent, None if seen.answer is None else seen.answer.status, seen.content)
        self._host(url, delay).ask_slower(rules.delay)
        return rules

    async def policy_of(self, url: str, *, delay: float) -> SitePolicy:
        """Give what else its site says of an address; asked for once, and only by robots.txt where the host wants long waits."""
        texts = {"robots": (await self._file(url, "/robots.txt", delay)).content}
        if self.patience(url, delay=delay) <= MOST_PATIENCE:
            for name, path in (("tdmrep", "/.well-known/tdmrep.json"), ("ai_text", "/ai.txt")):
                texts[name] = (await self._file(url, path, delay)).content
        return SitePolicy.read(**texts, agent=self._crawl.agent)

    def patience(self, url: str, *, delay: float) -> float:
        """Give the seconds between two requests that the host of an address gets, as far as its rules are known."""
        return self._host(url, delay).delay

    async def give_up(self) -> None:
        """End what is under way."""
        for task in self._files.values():
            task.cancel()
        await asyncio.gather(*self._files.values(), return_exceptions=True)

    async def _file(self, url: str, path: str, delay: float) -> Visit:
        """Give a file that says what we may do, without content where the answer is none."""
        address = f"{origin_of(url)}{path}"
        if address not in self._files:
            self._files[address] = asyncio.ensure_future(self._fetch_file(address, delay))
        return await asyncio.shield(self._files[address])

    async def _fetch_file(self, address: str, delay: float) -> Visit:
        seen, target = Visit(url=address), address
        for _ in range(MOST_HOPS + 1):
            seen, following = await self._ask(target, seen, delay, {})
            if following is None:
                break
            target = following
        is_there = seen.answer is not None and seen.answer.status == 200  # noqa: PLR2004
        return seen if is_there else replace(seen, content=b"")

    async def refusal_of(self, url: str, *, delay: float) -> tuple[str, str] | None:
        """Say why an address must not be asked for: a countable word, and a sentence for people; None where it may."""
        rules = await self.rules_of(url, delay=delay)
        host = self._host(url, delay)
        if host.closed_because:
            return "private_address", host.closed_because
        if host.left_because:
            return "busy", host.left_because
        if not rules.allows(url):
            trouble = (await self._file(url, "/robots.txt", delay)).trouble
            if trouble is not None:
                return trouble[0], f"{trouble[1]}, when robots.txt was asked for"
            return "robots" if rules.rules else "robots_unreachable", rules.reason
        if host.delay > MOST_PATIENCE:
            return "slow", f"robots.txt asks for {host.delay:g} s between two requests, so nothing more was asked for"
        return None

    async def _ask(self, url: str, seen: Visit, delay: float, headers: Mapping[str, str]) -> tuple[Visit, str | None]:
        """Make one request; give what came of it, and where it leads if it is sent on."""
        host = self._host(url, delay)
        async with host.turn():
            if host.left_because:
                return replace(seen, trouble=("busy", host.left_because)), None
            try:
                answer = await self._download(url, headers)
            except DownloadError as error:
                if error.reason == "private_address":
                    host.closed_because = error.detail
                return replace(seen, answer=None, content=b"", trouble=(error.reason, error.detail)), None
        location = answer.header("location")
        if answer.status in REDIRECTS and location is not None:
            target = sent_on(url, location)
            trouble = None if target else ("redirects", f'it is sent on to "{location[:200]}", which is no address')
            return replace(seen, answer=answer, trouble=trouble), target
        if answer.status in _BUSY:
            # Nobody who asks for patience is asked again, though it be for the next address.
            host.left_because = f"status {answer.status}: {host.name} wants to be left alone"
        try:
            content = payload(Response(status=answer.status, headers=answer.headers, body=answer.body), self._limits)
        except SourceError as error:
            return replace(seen, answer=answer, content=b"", trouble=(error.reason, error.detail)), None
        return replace(seen, answer=answer, content=content), None

    def _host(self, url: str, delay: float) -> Host:
        name = host_of(url)
        if name not in self._hosts:
            self._hosts[name] = Host(name, delay=delay, concurrency=1, together=self._together, clock=monotonic)
        self._hosts[name].ask_slower(delay)
        return self._hosts[name]
