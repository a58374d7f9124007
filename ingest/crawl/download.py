"""Scrapy as our way to the network: connections, TLS, and the bounds of one request. What to ask, and when, is not decided here."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Any, Final
from urllib.parse import urlsplit

import scrapy
from scrapy import exceptions
from scrapy.crawler import AsyncCrawlerProcess

from ingest.crawl.guard import SYSTEM_ADDRESSES, GetAddresses, Guard
from ingest.versions import babelwire_version
from schemas.errors import SetupError
from schemas.source import Catalogue

#: What is taken of each kind of answer, and only in codings that ``ingest.sources.http`` can undo.
_HEADERS: Final = {
    "Accept": "text/html,application/xhtml+xml,application/rss+xml,application/atom+xml,application/feed+json,application/xml;q=0.9,*/*;q=0.5",
    "Accept-Encoding": "gzip, deflate, br",
}

#: What a status can be: three digits (RFC 9110, 15). Servers can write any number, and no table would hold it.
_STATUSES: Final = range(100, 1000)


_MEGABYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One response as it came."""

    url: str
    status: int
    headers: tuple[tuple[str, str], ...]
    #: Transfer encoding undone, content encoding not.
    body: bytes = field(repr=False)
    ip: str | None
    #: The head of the request, as sent.
    request: bytes = field(repr=False)
    #: When the last byte came, aware, UTC.
    at: datetime
    #: From asking to the last byte.
    seconds: float
    #: From handing the request to the connection to the head of the answer; None where it is not known.
    latency: float | None = None

    def header(self, name: str) -> str | None:
        """Give the first header of that name."""
        return next((value for key, value in self.headers if key.lower() == name), None)


class DownloadError(Exception):
    """A request that brought no response.

    Attributes:
        reason: a countable word.
        detail: a sentence for people, with the value seen.
    """

    def __init__(self, reason: str, detail: str) -> None:
        """Join both into the message."""
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


Download = Callable[[str, Mapping[str, str]], Awaitable[Answer]]
"""Asks for one address with headers of its own; raises DownloadError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What one request may ask of us."""

    #: Seconds from the first to the last byte, name resolution included.
    timeout: float
    #: Bytes of a body as sent.
    max_bytes: int


def user_agent(agent: str, contact: str) -> str:
    """Say who we are and whom to write to.

    >>> user_agent("babelwire", "mailto:desk@news.example").startswith("babelwire/")
    True
    """
    return f"{agent}/{babelwire_version()} (news archive; +{contact})"


def agent_of(catalogue: Catalogue) -> str:
    """Say for a catalogue who asks; without a person behind it nothing is asked for.

    Raises:
        SetupError: If it has no contact.
    """
    if not catalogue.crawl.contact:
        message = f'{catalogue.origin}: [crawl] has no contact; set one that sites can write to, such as contact = "mailto:desk@news.example"'
        raise SetupError(message)
    return user_agent(catalogue.crawl.agent, catalogue.crawl.contact)


def with_downloads(
    work: Callable[[Download], Awaitable[None]],
    catalogue: Catalogue,
    *,
    get_addresses: GetAddresses = SYSTEM_ADDRESSES,
) -> None:
    """Run something that needs the network, to its end. Once in a process: the reactor behind it cannot be started twice.

    Args:
        work: Is given the function that downloads.
        catalogue: Says who asks, which private addresses may be connected to, and what one request may ask of us.
        get_addresses: Resolves names.

    Raises:
        SetupError: If the catalogue has no contact.
    """
    options = catalogue.crawl
    guard = Guard.of(options.allow_private)
    bounds = Bounds(timeout=options.timeout, max_bytes=options.max_megabytes_per_page * _MEGABYTE)
    # What Scrapy says of requests goes to the table of fetches in our words.
    logging.getLogger("scrapy").setLevel(logging.CRITICAL)
    logging.getLogger("twisted").setLevel(logging.CRITICAL)
    process = AsyncCrawlerProcess(_settings(agent_of(catalogue), guard, bounds, get_addresses))
    errors: list[BaseException] = []
    process.crawl(_Spider, work=work, guard=guard, bounds=bounds, errors=errors)
    process.start(install_signal_handlers=False)
    if errors:
        raise errors[0]


def _settings(agent: str, guard: Guard, bounds: Bounds, get_addresses: GetAddresses) -> dict[str, Any]:
    return {
        "USER_AGENT": agent,
        "DEFAULT_REQUEST_HEADERS": _HEADERS,
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "DOWNLOAD_TIMEOUT": bounds.timeout,
        "DOWNLOAD_MAXSIZE": bounds.max_bytes,
        "DOWNLOAD_WARNSIZE": 0,
        "TWISTED_DNS_RESOLVER": "ingest.crawl.guard.GuardedResolver",
        "REACTOR_THREADPOOL_MAXSIZE": 32,
        "BABELWIRE_GUARD": guard,
        "BABELWIRE_GET_ADDRESSES": get_addresses,
        # Nothing of this machine, and nothing but the web.
        "DOWNLOAD_HANDLERS": dict.fromkeys(("data", "file", "ftp", "s3")),
        # Turns are given by ingest.crawl.hosts; here none waits for another.
        "CONCURRENT_REQUESTS": 0,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
        "DOWNLOAD_DELAY": 0,
        "DOWNLOAD_DELAY_JITTER": 0,
        # Each of these would do in silence what we decide and record: robots.txt by another reading, redirects, second tries, cookies
        # from one site to the next, a proxy that resolves names for us, a body that is no longer what was sent.
        "ROBOTSTXT_OBEY": False,
        "REDIRECT_ENABLED": False,
        "METAREFRESH_ENABLED": False,
        "RETRY_ENABLED": False,
        "COOKIES_ENABLED": False,
        "HTTPPROXY_ENABLED": False,
        "COMPRESSION_ENABLED": False,
        "HTTPCACHE_ENABLED": False,
        "REFERER_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
        "LOG_ENABLED": False,
        "LOG_INSTALL_ROOT_HANDLER": False,
        "LOGSTATS_INTERVAL": 0,
        "URLLENGTH_LIMIT": 0,
        "EXTENSIONS": {
            "scrapy.extensions.feedexport.FeedExporter": None,
            "scrapy.extensions.spiderstate.SpiderState": None,
        },
    }


class _Spider(scrapy.Spider):
    """Hands the downloader of its crawler to the work, and ends with it."""

    name = "babelwire"

    def __init__(
        self,
        *,
        work: Callable[[Download], Awaitable[None]],
        guard: Guard,
        bounds: Bounds,
        errors: list[BaseException],
    ) -> None:
        super().__init__()
        self._work = work
        self._guard = guard
        self._bounds = bounds
        self._errors = errors

    async def start(self) -> AsyncIterator[Any]:
        """Do the work; no request is given to Scrapy's scheduler."""
        try:
            await self._work(self._download)
        except BaseException as error:  # noqa: BLE001  raised again once the reactor has stopped
            self._errors.append(error)
        return
        yield

    async def _download(self, url: str, headers: Mapping[str, str]) -> Answer:
        host = urlsplit(url).hostname or ""
        self._guard.refused.pop(host.lower(), None)
        request = scrapy.Request(url, headers=dict(headers), dont_filter=True)
        begun = monotonic()
        assert self.crawler.engine is not None  # noqa: S101  it runs us
        try:
            response = await self.crawler.engine.download_async(request)
        except (asyncio.CancelledError, GeneratorExit):
            raise
        except Exception as error:
            raise self._renamed(error, url, host) from error
        if response.status not in _STATUSES:
            raise DownloadError("connection", f"{host} answers with status {response.status}, which is none of HTTP")
        return Answer(
            url=url,
            status=response.status,
            headers=tuple(
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, values in response.headers.items()
                for value in values
            ),
            body=response.body,
            ip=str(response.ip_address) if response.ip_address else None,
            request=_head_of(request),
            at=datetime.now(UTC),
            seconds=monotonic() - begun,
            latency=request.meta.get("download_latency"),
        )

    def _renamed(self, error: Exception, url: str, host: str) -> DownloadError:
        """Say what a failure is to us; what is none of these is a bug and passes through."""
        address = self._guard.refused.get(host.lower())
        if address is not None and isinstance(
            error, exceptions.CannotResolveHostError | exceptions.DownloadFailedError
        ):
            what = f"{host} is at {address}, which is no public address; allow_private in [crawl] would let it be asked"
            return DownloadError("private_address", what)
        for kind, reason, detail in (
            (exceptions.CannotResolveHostError, "dns", f"the name {host} cannot be resolved"),
            (exceptions.DownloadTimeoutError, "timeout", f"not done after {self._bounds.timeout:g} s"),
            (exceptions.DownloadConnectionRefusedError, "connection", f"{host} refuses the connection"),
            (exceptions.ResponseDataLossError, "cut_off", "the connection ended before the body did"),
            (exceptions.UnsupportedURLSchemeError, "scheme", f'"{urlsplit(url).scheme}" is neither http nor https'),
        ):
            if isinstance(error, kind):
                return DownloadError(reason, detail)
        text = " ".join(f"{error}".split())[:200]
        if isinstance(error, exceptions.DownloadCancelledError):
            return DownloadError("too_large", f"over {self._bounds.max_bytes} bytes")
        if any(word in text.lower() for word in ("certificate", "ssl", "tls")):
            return DownloadError("tls", text)
        return DownloadError("connection", f"{type(error).__name__}: {text}")


def _head_of(request: scrapy.Request) -> bytes:
    """Write the head of a request as it went over the wire, but for the order of its headers."""
    parts = urlsplit(request.url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = [f"GET {path} HTTP/1.1".encode(), b"Host: " + parts.netloc.rpartition("@")[2].encode()]
    lines += [name + b": " + value for name, values in request.headers.items() for value in values]
    return b"\r\n".join([*lines, b"", b""])
