"""One address to ask for, and what asking came to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from ingest.crawl.download import Answer
from ingest.crawl.state import Article
from schemas.fetch import FetchKind
from schemas.source import SourceEntry

#: Hops that a request may be sent on; for /robots.txt RFC 9309, 2.3.1.2 asks for at least so many.
MOST_HOPS: Final = 5

#: Statuses that send a request on, where a location comes with them.
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


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


def host_of(url: str) -> str:
    """Give the host of an address: what is asked at one pace."""
    return (urlsplit(url).hostname or "").lower()


def origin_of(url: str) -> str:
    """Give scheme, host and port: what one robots.txt is for (RFC 9309, 2.3)."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"
