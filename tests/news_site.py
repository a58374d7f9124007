"""News sites for the crawl to visit: what they publish, how well they behave, and the catalogue that lists them.

    site = Site(host="127.0.0.2", stories=articles("el", 3, latest=NOW), robots=rules(disallow=["/private/"]))
    site.behave("/feed.rss", busy(times=2, seconds=1))
    with serving([site]) as server:
        catalogue = catalogue_of(server.sites, tmp_path)
        ...
        assert paths(server.log, site.host) == ["/robots.txt", "/feed.rss", ...]

A site may be changed while it is served: the next answer shows it. Whatever it answers follows from what it is, from the request, and
from how often the same was asked for; nothing from the clock.
"""

import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256
from html import escape
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import brotli
from news_articles import VOICES, NewsArticle, page
from news_feeds import atom, json_feed, news_sitemap, rdf, rss, sitemap, sitemap_index
from site_server import Asked, Reply, SiteServer, running

Behaviour = Callable[[Asked, Reply], Reply]
"""Turns the answer that a good site would give into the one that this site gives."""

HTML = "text/html; charset=utf-8"

#: Paths that every site answers, beside its articles and ``files``.
HOME, LATEST = "/", "/latest"
FEEDS = ("/feed.rss", "/feed.atom", "/feed.rdf", "/feed.json", "/full.rss", "/tracked.rss")
SITEMAPS = ("/sitemap.xml", "/sitemap.xml.gz", "/sitemap-news.xml", "/sitemap-index.xml")


@dataclass(slots=True, kw_only=True)
class Site:
    """One news site at one host."""

    #: Its loopback address.
    host: str
    #: What it publishes, the newest first; at least one.
    stories: tuple[NewsArticle, ...]
    #: Its robots.txt; None where it has none.
    robots: str | bytes | None = None
    #: Further pages: media type and content by path.
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    #: What the catalogue says of it; paths stand for its own addresses.
    listed: dict[str, object] = field(default_factory=lambda: {"feeds": ["/feed.rss"]})
    #: Does it send ETag and Last-Modified, and answers 304 where they still hold?
    validates: bool = True
    with_tls: bool = False
    #: Scheme, address and port; known once it is served.
    base: str = ""
    _behaviours: dict[str, tuple[Behaviour, ...]] = field(default_factory=dict)

    def behave(self, path: str, *behaviours: Behaviour) -> None:
        """Answer a path this way from now on; nothing given: like a good site again."""
        self._behaviours[path] = behaviours

    def url(self, path: str) -> str:
        """Give the address of a path."""
        return self.base + path

    def revise(self, old: NewsArticle, new: NewsArticle) -> None:
        """Replace an article where it stands."""
        self.stories = tuple(new if story is old else story for story in self.stories)

    def answer(self, asked: Asked) -> Reply:
        """Answer one request."""
        path = asked.path.partition("?")[0]
        reply = self._plain(path)
        for behaviour in self._behaviours.get(asked.path, self._behaviours.get(path, ())):
            reply = behaviour(asked, reply)
        return _validated(asked, reply, self._changed_at(path)) if self.validates else reply

    def _plain(self, path: str) -> Reply:
        """Give what stands at a path."""
        if path in self.files:
            kind, content = self.files[path]
            return _page(kind, content)
        made = self._made(path)
        if made is not None:
            return _page(*made)
        story = next((story for story in self.stories if story.path == path), None)
        if story is not None:
            others = [one for one in self.stories if one is not story][:3]
            return _page(HTML, page(story, base=self.base, others=tuple(others)))
        return Reply(
            status=404, headers=(("Content-Type", HTML),), body=b"<!doctype html><title>404</title><p>Not here."
        )

    def _made(self, path: str) -> tuple[str, str | bytes] | None:
        """Write a feed, sitemap, list or robots.txt as it is now."""
        if path == "/robots.txt":
            return None if self.robots is None else ("text/plain; charset=utf-8", self.robots)
        xml = "application/xml"
        writers: dict[str, Callable[[], tuple[str, str | bytes]]] = {
            HOME: lambda: (HTML, self._list_of_articles(with_feeds=True)),
            LATEST: lambda: (HTML, self._list_of_articles()),
            "/feed.rss": lambda: ("application/rss+xml", rss(self.stories, base=self.base)),
            "/full.rss": lambda: ("application/rss+xml", rss(self.stories, base=self.base, full_text=True)),
            "/tracked.rss": lambda: (
                "application/rss+xml", rss(self.stories, base=self.base, tracking="?utm_source=rss&utm_medium=feed"),
            ),
            "/feed.atom": lambda: ("application/atom+xml", atom(self.stories, base=self.base)),
            "/feed.rdf": lambda: ("application/rdf+xml", rdf(self.stories, base=self.base)),
            "/feed.json": lambda: ("application/feed+json", json_feed(self.stories, base=self.base)),
            "/sitemap.xml": lambda: (xml, sitemap(self.stories, base=self.base)),
            "/sitemap.xml.gz": lambda: (
                "application/gzip", gzip.compress(sitemap(self.stories, base=self.base).encode(), mtime=0)
            ),
            "/sitemap-news.xml": lambda: (xml, news_sitemap(self.stories, base=self.base)),
            "/sitemap-index.xml": lambda: (
                xml,
                sitemap_index(
                    ["/sitemap.xml.gz", "/sitemap-news.xml"], base=self.base, changed_at=self._changed_at("") or datetime.now(UTC)
                ),
            ),
        }  # fmt: skip
        return writers[path]() if path in writers else None

    def _list_of_articles(self, *, with_feeds: bool = False) -> str:
        voice = VOICES[self.stories[0].language]
        feeds = (
            f'<link rel="alternate" type="application/rss+xml" title="{escape(voice.site)}" href="/feed.rss">'
            '<link rel="alternate" type="application/atom+xml" href="/feed.atom">'
        )
        links = "\n".join(
            f'<article><h2><a href="{escape(story.path)}">{escape(story.title)}</a></h2><p>{escape(story.lead)}</p></article>'
            for story in self.stories
        )
        return (
            f'<!DOCTYPE html><html lang="{self.stories[0].language}"><head><meta charset="utf-8">'
            f"<title>{escape(voice.site)}</title>{feeds if with_feeds else ''}</head><body>"
            f'<header><a href="/">{escape(voice.site)}</a> <a href="/about">{escape(voice.section)}</a></header>\n'
            f"<main>{links}</main><footer>{escape(voice.newsletter)}</footer></body></html>"
        )

    def _changed_at(self, path: str) -> datetime | None:
        """Say when what stands at a path was last changed: an article, or all that lists them."""
        stories = [story for story in self.stories if story.path == path] or self.stories
        return None if path in self.files else max(story.updated_at or story.published_at for story in stories)


def _page(kind: str, content: str | bytes) -> Reply:
    body = content.encode() if isinstance(content, str) else content
    return Reply(headers=(("Content-Type", kind),), body=body)


def _validated(asked: Asked, reply: Reply, changed_at: datetime | None) -> Reply:
    """Put ETag and Last-Modified on an answer, or 304 in its place (RFC 9110, 13.1); what has an ETag is left as it is."""
    if reply.status != 200 or reply.header("etag") or reply.endless or reply.endless_head:
        return reply
    tag = f'"{sha256(reply.body).hexdigest()[:16]}"'
    headers = (("ETag", tag), *((("Last-Modified", http_date(changed_at)),) if changed_at else ()))
    since = asked.headers.get("if-modified-since")
    if "if-none-match" in asked.headers:
        # It goes before the date, which is not looked at then.
        holds = tag in asked.headers["if-none-match"]
    else:
        holds = bool(since and changed_at and parsedate_to_datetime(since) >= changed_at.replace(microsecond=0))
    if holds:
        return replace(reply, status=304, headers=headers, body=b"")
    return replace(reply, headers=(*reply.headers, *headers))


def http_date(at: datetime) -> str:
    """Write a time as HTTP does."""
    return format_datetime(at.astimezone(UTC), usegmt=True)


# ---- robots.txt -----------------------------------------------------------------------------------


def rules(
    *, allow: Sequence[str] = (), disallow: Sequence[str] = (), delay: float | None = None, agent: str = "*"
) -> str:
    """Write one group of a robots.txt; groups for several agents are joined with ``+``."""
    lines = [f"User-agent: {agent}", *(f"Allow: {path}" for path in allow), *(f"Disallow: {path}" for path in disallow)]
    return "\n".join([*lines, *([] if delay is None else [f"Crawl-delay: {delay:g}"]), "", ""])


def long_rules(first: str, last: str, *, size: int) -> str:
    """Write a robots.txt of so many bytes or a few more: rules at its beginning, comments, rules at its end."""
    filling = "# nothing to see in this line\n"
    return first + filling * (size // len(filling)) + last


# ---- behaviours: answers that say something else ----------------------------------------------------


def answers(status: int, body: bytes = b"") -> Behaviour:
    """Answer with a status: 403, 404, 410, 500; or 200 with nothing."""
    return lambda _, reply: replace(reply, status=status, body=body)


def says(name: str, value: str) -> Behaviour:
    """Send a header, in place of any of that name."""
    return lambda _, reply: replace(reply, headers=(*reply.without(name), (name, value)))


def says_in_meta(name: str, value: str) -> Behaviour:
    """Put a meta element into the head of a page."""
    element = f'<meta name="{name}" content="{value}">\n</head>'.encode()
    return lambda _, reply: replace(reply, body=reply.body.replace(b"</head>", element, 1))


def sets_cookie(cookie: str = "visitor=7; Path=/") -> Behaviour:
    """Set a cookie; whether it comes back is in the headers of the log."""
    return says("Set-Cookie", cookie)


def redirects(to: str, status: int = 302) -> Behaviour:
    """Send on to another address, whatever it is; to the path itself it is a loop."""
    return lambda _, reply: Reply(status=status, headers=(("Location", to), *reply.without("content-type")))


def redirects_often(hops: int, to: str, status: int = 302) -> Behaviour:
    """Send on over so many addresses of the same path before the last one."""

    def redirect(asked: Asked, _: Reply) -> Reply:
        parts = urlsplit(asked.path)
        hop = int(dict(parse_qsl(parts.query)).get("hop", "1"))
        return Reply(status=status, headers=(("Location", to if hop >= hops else f"{parts.path}?hop={hop + 1}"),))

    return redirect


def busy(*, times: int, seconds: int | None, status: int = 429, at: datetime | None = None) -> Behaviour:
    """Ask for patience so many times, then answer.

    Args:
        times: How often.
        seconds: How long to wait; None says nothing of that.
        status: 429 or 503.
        at: When given, the end of the wait is written as a date: so many seconds after this.
    """
    when = None if seconds is None else http_date(at + timedelta(seconds=seconds)) if at else str(seconds)
    headers = () if when is None else (("Retry-After", when),)
    return lambda asked, reply: Reply(status=status, headers=headers) if asked.number <= times else reply


# ---- behaviours: validators that lie ----------------------------------------------------------------


def always_304(asked: Asked, reply: Reply) -> Reply:
    """Say that nothing has changed whenever it is asked for changes, whatever has changed."""
    if {"if-none-match", "if-modified-since"} & set(asked.headers):
        return Reply(status=304, headers=(("ETag", '"for-ever"'),))
    return replace(reply, headers=(*reply.headers, ("ETag", '"for-ever"')))


def new_etag_each_time(asked: Asked, reply: Reply) -> Reply:
    """Send the same body with another ETag each time."""
    return replace(reply, headers=(*reply.headers, ("ETag", f'"{asked.number}"')))


# ---- behaviours: bodies -----------------------------------------------------------------------------


def packed(coding: str) -> Behaviour:
    """Send the body as gzip, br or deflate (zlib's form, RFC 9110, 8.4.1.2)."""
    pack: Callable[[bytes], bytes] = {
        "gzip": lambda body: gzip.compress(body, mtime=0),
        "br": brotli.compress,
        "deflate": zlib.compress,
    }[coding]
    return lambda _, reply: replace(
        reply, headers=(*reply.headers, ("Content-Encoding", coding)), body=pack(reply.body)
    )


def gzip_bomb(size: int) -> Behaviour:
    """Send a small body that unpacks to so many bytes, a multiple of one MiB."""

    def explode(_: Asked, reply: Reply) -> Reply:
        packer = zlib.compressobj(9, wbits=31)
        body = b"".join(packer.compress(b"<p>" + b" " * (2**20 - 3)) for _ in range(size // 2**20)) + packer.flush()
        return replace(reply, headers=(*reply.headers, ("Content-Encoding", "gzip")), body=body)

    return explode


def says_packed(coding: str) -> Behaviour:
    """Claim a content encoding that the body does not have."""
    return says("Content-Encoding", coding)


def written_in(charset: str, *, said: str) -> Behaviour:
    """Send the text in one charset and say another, in header and page; signs that it lacks become character references."""

    def write(_: Asked, reply: Reply) -> Reply:
        text = reply.body.decode().replace('charset="utf-8"', f'charset="{said}"')
        headers = (*reply.without("content-type"), ("Content-Type", f"text/html; charset={said}"))
        return replace(reply, headers=headers, body=text.encode(charset, "xmlcharrefreplace"))

    return write


# ---- behaviours: time and connections -----------------------------------------------------------------


def slow(*, head: float = 0.0, body: float = 0.0, between_bytes: float = 0.0) -> Behaviour:
    """Wait before the head, before the body, between its bytes; in seconds."""
    return lambda _, reply: replace(reply, wait=head, wait_for_body=body, between_bytes=between_bytes)


def endless(_: Asked, reply: Reply) -> Reply:
    """Send the body again and again, without end."""
    return replace(reply, endless=True)


def endless_head(_: Asked, reply: Reply) -> Reply:
    """Send headers without end."""
    return replace(reply, endless_head=True)


def cut_off(after: int) -> Behaviour:
    """Close the connection after so many bytes of a body that was told to be longer."""
    return lambda _, reply: replace(reply, cut_after=after)


# ---- serving ------------------------------------------------------------------------------------------


class Server(SiteServer):
    """Sites that are being served."""

    def __init__(self, sites: Sequence[Site]) -> None:
        """Serve nothing yet."""
        super().__init__(
            {site.host: site.answer for site in sites}, with_tls=[site.host for site in sites if site.with_tls]
        )
        self.sites = tuple(sites)


@contextmanager
def serving(sites: Sequence[Site]) -> Iterator[Server]:
    """Serve sites, each at its host, all at one port that is free; their ``base`` is known from then on."""
    with running(Server(sites)) as server:
        assert isinstance(server, Server)
        for site in sites:
            site.base = server.base(site.host)
        yield server


def catalogue_of(
    sites: Iterable[Site],
    folder: Path,
    *,
    delay: float = 0.05,
    crawl: Mapping[str, object] | None = None,
    each: Mapping[str, object] | None = None,
) -> Path:
    """Write ``sources.toml`` for sites that are being served, one source for each, called after its host.

    Args:
        sites: In the order they are to stand there.
        folder: Where to.
        delay: Seconds between two requests at one host.
        crawl: More of the table ``[crawl]``, or other values.
        each: More of every source; what a site itself lists goes before it.
    """
    tables = [
        ("[crawl]", {"contact": "mailto:desk@news.example", "allow_private": ["127.0.0.0/8"], **(crawl or {})}),
    ]
    for site in sites:
        entry = {"id": source_id(site), "language": site.stories[0].language, "delay": delay, **(each or {})}
        tables.append(("[[source]]", {**entry, **{key: _absolute(site, value) for key, value in site.listed.items()}}))
    place = folder / "sources.toml"
    place.write_text("\n".join(_table(head, values) for head, values in tables), "utf-8")
    return place


def source_id(site: Site) -> str:
    """Give what the catalogue calls a site, such as ``site-127-0-0-2``."""
    return f"site-{site.host.replace('.', '-')}"


def _absolute(site: Site, value: object) -> object:
    """Give the addresses for paths; a pattern of addresses begins with no slash."""
    if isinstance(value, list):
        return [_absolute(site, item) for item in value]
    return site.url(value) if isinstance(value, str) and value.startswith("/") else value


def _table(head: str, values: Mapping[str, object]) -> str:
    # JSON's strings, numbers, booleans and lists of them are TOML's as well.
    return "\n".join([head, *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()), ""])
