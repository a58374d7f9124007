"""What feeds, sitemaps and lists name, in one form whatever they are written in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

ReadingKind = Literal["rss", "atom", "rdf", "jsonfeed", "sitemap", "sitemapindex", "page"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One address that a feed, sitemap or list names, and what is said of it there."""

    #: Absolute, http or https, without fragment.
    url: str
    #: What the feed calls it; never the address again.
    guid: str | None = None
    #: Plain text: entities and tags undone.
    title: str | None = None
    #: The day it came out, as written.
    published: str | None = None
    #: The same as a point in time, aware, UTC; None where it cannot be read.
    published_at: datetime | None = None
    #: When it was last changed, aware, UTC.
    updated_at: datetime | None = None
    authors: tuple[str, ...] = ()
    #: Categories, tags and keywords, as written.
    tags: tuple[str, ...] = ()
    #: BCP 47 tag as written there.
    language: str | None = None
    #: The whole text as HTML, where the feed carries it.
    body: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What could be read of one feed, sitemap or list page."""

    kind: ReadingKind
    #: In the order they stand there, each address once.
    entries: tuple[Entry, ...] = ()
    #: Further sitemaps that an index names, as entries without more than address and ``updated_at``.
    maps: tuple[Entry, ...] = ()
    #: Addresses of feeds that a page names.
    feeds: tuple[str, ...] = ()
    title: str | None = None
    language: str | None = None
    #: How long the feed asks to be left alone, in seconds (RSS ttl, syndication module).
    every: int | None = None
    #: Where a feed says it lives now (Atom self, itunes:new-feed-url), if elsewhere.
    moved_to: str | None = None
    #: What was wrong with it and passed over, as sentences for people.
    faults: tuple[str, ...] = ()
