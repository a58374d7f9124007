"""List pages and home pages: the articles they point to, and the feeds they name."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from ingest.crawl.entry import Entry, Reading
from ingest.crawl.plain import plain
from ingest.crawl.weblink import absolute, without_tracking
from ingest.crawl.wellformed import text_of
from normalize.address import domain_of
from normalize.options import DocumentOptions
from normalize.segments import parse
from schemas.errors import DocumentError

#: More links are a map of the site, not a list of news.
MAX_LINKS = 5_000
_MAX_FEEDS = 50

#: What an anchor says in so many characters, or words, is a headline; menus say less.
_HEADLINE_CHARS = 25
_HEADLINE_WORDS = 4
#: The same where words are not parted by spaces.
_DENSE_CHARS = 9
_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0eff\u1780-\u17ff\u1000-\u109f]")
#: A longer one holds the teaser too.
_TITLE_CHARS = 250

#: What addresses of articles hold: a day, a long number, or the words of the headline.
_ARTICLE = re.compile(
    r"/20\d\d/\d\d?/|/20\d\d-\d\d-\d\d|\d{5,}|[^\W_]{2,}(?:[-_][^\W_]{1,60}){3}|/(?:article|story|news)/[^/]{8}"
)

#: Paths that lead to no article: below some nothing else stands, others hold articles but are none.
_OTHER = re.compile(
    r"/(?:tags?|category|categories|kategorie|authors?|autor(?:en)?|users?|profile|search|suche|log-?in|sign-?(?:in|up)|register"
    r"|account|subscribe|newsletters?|wp-admin|wp-login\.php|cart|shop|feed|rss)(?:/|$)"
    r"|/page/\d+/?$"
    r"|/(?:topics?|subscriptions?|abo|about(?:-us)?|contact(?:-us)?|kontakt|impressum|imprint|privacy(?:-policy)?|datenschutz"
    r"|terms(?:-of-(?:use|service))?|cookies?(?:-policy)?|legal|help|faq|jobs|careers|advertise|print|share)/?$",
    re.IGNORECASE,
)
_FILE = re.compile(
    r"\.(?:jpe?g|png|gif|webp|svg|avif|ico|css|js|json|xml|rss|atom|pdf|docx?|xlsx?|zip|gz|mp3|mp4|m4a|ogg|webm|apk|exe)$",
    re.IGNORECASE,
)
_FEED_TYPES = frozenset(
    {"application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json", "application/json"}
)
_FEED_PATH = re.compile(
    r"/(?:feed|feeds|rss|atom|rdf)(?:/|\.xml|\.php|\.aspx?|\.json)?$|\.(?:rss|atom|rdf)$|/(?:rss|feed|atom)\d?\.xml$",
    re.IGNORECASE,
)
#: Alternates in JSON that are no feeds (WordPress' interface, oEmbed), and feeds of what readers say.
_NO_FEED = re.compile(r"/wp-json/|oembed|/comments/feed|/comments/default", re.IGNORECASE)


def read_page(content: bytes, *, url: str, charset: str | None = None) -> Reading:
    """Read a list page: the articles it points to in page order, and the feeds it names. Never fails.

    An anchor counts as one to an article where it leads to another page of the same site (subdomains too) and either
    its address looks like an article's (a day, a long number, the words of a headline) or its text does (25 characters
    or four words; nine characters in scripts without spaces). Left out: ``rel="nofollow"``, menus (``nav``), the page's
    footer, files, and sections such as tags, authors, search and sign-in. Parameters that track readers are taken off.
    The title is the longest text of all anchors to an address, up to 250 characters; that of a heading inside one wins.

    Args:
        content: The response's body, content encodings undone.
        url: Where it was fetched; ``<base href>`` counts before it.
        charset: As the HTTP header has it.
    """
    text, faults = text_of(content, charset)
    tree = _tree(text)
    if tree is None:
        return Reading(kind="page", faults=(*faults, "no page that can be read"))
    base = _base(tree, url)
    entries, more = _entries(tree, base, url)
    title = tree.find(".//title")
    return Reading(
        kind="page",
        entries=entries,
        feeds=_feeds(tree, base, url),
        title=plain(title.text_content()) if title is not None else None,
        language=(tree.get("lang") or "").strip()[:40] or None,
        faults=(*faults, *more),
    )


def feeds_of(text: str, url: str) -> tuple[str, ...]:
    """Give the feeds that a page names, the page itself given as text."""
    tree = _tree(text)
    return () if tree is None else _feeds(tree, _base(tree, url), url)


def _tree(text: str) -> HtmlElement | None:
    try:
        return parse(text, DocumentOptions()) if text.strip() else None
    except DocumentError:
        return None


def _base(tree: HtmlElement, url: str) -> str:
    base = tree.find(".//base[@href]")
    return (absolute(url, base.get("href")) if base is not None else None) or url


def _feeds(tree: HtmlElement, base: str, url: str) -> tuple[str, ...]:
    """Find what the head declares; only where it declares nothing, what anchors to a feed lead to."""
    declared = [
        link.get("href")
        for link in tree.iter("link")
        if "alternate" in (link.get("rel") or "").lower().split()
        and (link.get("type") or "").partition(";")[0].strip().lower() in _FEED_TYPES
    ]
    found = [address for href in declared if (address := absolute(base, href)) and not _NO_FEED.search(address)]
    if not found:
        anchored = (absolute(base, anchor.get("href")) for anchor in tree.iter("a"))
        found = [
            address
            for address in anchored
            if address
            and _FEED_PATH.search(urlsplit(address).path)
            and not _NO_FEED.search(address)
            and _same_site(address, url)
        ]
    return tuple(dict.fromkeys(found))[:_MAX_FEEDS]


@dataclass(slots=True)
class _Link:
    """What the anchors to one address say, in order."""

    texts: list[str] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)

    def title(self) -> str | None:
        if self.headings:
            return self.headings[0]
        fitting = [text for text in self.texts if len(text) <= _TITLE_CHARS]
        if fitting:
            return max(fitting, key=len)
        return self.texts[0][:_TITLE_CHARS] if self.texts else None


def _entries(tree: HtmlElement, base: str, url: str) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    links: dict[str, _Link] = {}
    faults: tuple[str, ...] = ()
    here = absolute(None, url)
    for anchor in tree.iter("a"):
        href = (anchor.get("href") or "").strip()
        if not href or href.startswith("#") or "nofollow" in (anchor.get("rel") or "").lower().split():
            continue
        address = absolute(base, href)
        if address is None or not _same_site(address, url) or _in_menu(anchor):
            continue
        address = without_tracking(address)
        path = urlsplit(address).path
        if address == here or path in {"", "/"} or _FILE.search(path) or _OTHER.search(path):
            continue
        if address not in links and len(links) >= MAX_LINKS:
            faults = (f"more than {MAX_LINKS:,} links: the others are not read",)
            break
        link = links.setdefault(address, _Link())
        said = _said(anchor)
        if said:
            link.texts.append(said)
        headings = (plain(heading.text_content()) for heading in anchor.iter("h1", "h2", "h3", "h4", "h5", "h6"))
        link.headings += [heading for heading in headings if heading]
    entries = tuple(
        Entry(url=address, title=link.title())
        for address, link in links.items()
        if _ARTICLE.search(urlsplit(address).path) or any(map(_is_headline, (*link.texts, *link.headings)))
    )
    return entries, faults


def _said(anchor: HtmlElement) -> str | None:
    return plain(anchor.text_content()) or plain(anchor.get("title")) or plain(anchor.get("aria-label"))


def _is_headline(text: str) -> bool:
    if _DENSE.search(text):
        return len(text) >= _DENSE_CHARS
    return len(text) >= _HEADLINE_CHARS or text.count(" ") + 1 >= _HEADLINE_WORDS


def _in_menu(anchor: HtmlElement) -> bool:
    """Look at the nearest few elements around: deep pages would take the square of their depth."""
    around = anchor.getparent()
    for _ in range(12):
        if around is None or around.tag in {"article", "main"}:
            return False
        if around.tag in {"nav", "footer"} or around.get("role") in {"navigation", "contentinfo"}:
            return True
        around = around.getparent()
    return False


def _same_site(address: str, url: str) -> bool:
    one, other = domain_of(address) or "", domain_of(url) or ""
    return one == other or one.endswith(f".{other}") or other.endswith(f".{one}")
