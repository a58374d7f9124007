"""RSS, RDF, Atom and JSON Feed: bytes in, what they name out.

    bytes -> wellformed.py (a sound tree) -> feedtree.py (without what feedparser chokes on) -> feedparser -> Entry
          or jsonfeed.py

feedparser is given sound XML as a stream, never an address or a string, which it would fetch or open. So only its
strict reader runs: the other one, for broken feeds, takes the square of their length and worse. Its sanitizing and its
resolving of addresses are off: the body stays as it was sent.
"""

import html
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import feedparser
from lxml import etree
from lxml import html as lxml_html

from ingest.crawl.dated import when
from ingest.crawl.entry import Entry, Reading, ReadingKind
from ingest.crawl.feedtree import MAX_TAGS, spare
from ingest.crawl.jsonfeed import read_json_feed
from ingest.crawl.links import feeds_of
from ingest.crawl.plain import plain, text_length
from ingest.crawl.weblink import absolute, elsewhere
from ingest.crawl.wellformed import MAX_TOLD, find_root, local_name, read_tree, rebuilt, text_of, tidy

#: No feed in the wild is longer. Reading takes some ten times as much memory.
MAX_FEED_BYTES = 32 * 2**20

#: More items are no feed of news; reading on would take seconds for each further ten thousand.
MAX_ITEMS = 20_000

#: A description of so many characters that does not break off is the whole story.
_LONG_TEXT = 1_000

_MAX_AUTHORS = 50
#: Longest wait that a feed may ask for, in seconds: thirty days.
_MAX_EVERY = 30 * 86_400
_PERIODS = {"hourly": 3_600, "daily": 86_400, "weekly": 604_800, "monthly": 2_592_000, "yearly": 31_536_000}

#: What a text ends in when it is cut.
_CUT = re.compile(
    r"(?:\[?(?:…|\.\.\.|&hellip;|&#8230;|&#x2026;)\]?)\s{0,20}(?:</?[a-z][^<>]{0,500}>\s{0,20}){0,9}$", re.IGNORECASE
)

#: Markup in a text that has none: it was escaped twice.
_ESCAPED_AGAIN = re.compile(r"&lt;/(?:p|div|a|h[1-6]|ul|ol|li|figure|b|strong|em|i)&gt;", re.IGNORECASE)

_ITEMS = ("item", "entry")
_ITEM_START = re.compile(r"<(?:[A-Za-z_][\w.-]{0,40}:)?(?:item|entry)(?=[\s>])", re.IGNORECASE)


def read_feed(content: bytes, *, url: str, charset: str | None = None) -> Reading:
    """Read a feed of any kind, as far as it can be read. Never fails: what is wrong stands in ``faults``.

    Args:
        content: The response's body, content encodings (gzip) undone. The first 32 MiB and 20,000 items are read.
        url: Where it was fetched; relative addresses are joined to ``xml:base``, else in RSS to the channel's own link,
            else to this.
        charset: As the HTTP header has it.

    Of an item: the address is that before a feed service's (``feedburner:origLink``), else the first ``link`` that is
    an alternate, else the ``guid`` unless it says that it is none. ``published`` of Atom is not filled from ``updated``.
    ``published_at`` is None where the date cannot be read or is before 1990; dates to come are given as they are, for
    here nobody looks at a clock. ``body`` is ``content:encoded``, Atom's ``content`` or ``yandex:full-text`` unless it
    ends in "…" or says no more than a description beside it; a description alone counts from 1,000 characters on.
    An HTML page in a feed's place gives kind "page" and the feeds that it names.
    """
    text, faults = text_of(content, charset, MAX_FEED_BYTES)
    if text.lstrip()[:1] in {"{", "["}:
        reading = read_json_feed(text, url=url, most=MAX_ITEMS)
        return replace(reading, faults=(*faults, *reading.faults))
    found = find_root(text, ("rss", "feed", "rdf", "channel"))
    faults += found.faults
    if found.root == "html":
        feeds = feeds_of(text, url)
        hint = f"; feeds that it names: {len(feeds)}" if feeds else ""
        return Reading(kind="page", feeds=feeds, faults=(*faults, f"an HTML page, not a feed{hint}"))
    if found.root is None:
        said = () if faults else ("neither RSS, Atom, RDF nor JSON Feed in it",)
        return Reading(kind="rss", faults=(*faults, *said))
    tidied, more = tidy(found)
    faults += more
    del text, found
    cut = _beginning(tidied)
    tree, more = read_tree(tidied, _ITEMS) if cut is None else rebuilt(cut, _ITEMS)
    faults += more if cut is None else (f"more than {MAX_ITEMS:,} items: the others are not read", *more)
    if tree is None:
        return Reading(kind="rss", faults=faults)
    spare(tree)
    parsed, more = _parsed(tree)
    return _reading(parsed, url, (*faults, *more))


def _beginning(text: str) -> str | None:
    """Give the text up to the last item that is read; None where it has no more."""
    end = None
    for number, item in enumerate(_ITEM_START.finditer(text)):
        if number == MAX_ITEMS:
            end = item.start()
            break
    return None if end is None else text[:end]


def _parsed(tree: etree._Element) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Have feedparser read a tree; where it fails on the whole, item by item.

    The channel is read with each item anew, so of a channel that is itself endless only some items are tried.
    """
    try:
        return _by_feedparser(tree), ()
    except Exception as error:  # noqa: BLE001  handlers of elements in odd places raise whatever Python does
        fault = f"feedparser fails: {type(error).__name__}: {error}"[:200]
    items = [node for node in tree.iter(etree.Element) if local_name(node) in _ITEMS]
    places = [(item, parent) for item in items if (parent := item.getparent()) is not None]
    for item, parent in places:
        parent.remove(item)
    parsed: dict[str, Any] = {}
    entries: list[Any] = []
    tried = places[: max(1, MAX_FEED_BYTES // len(etree.tostring(tree)))]
    failed = len(places) - len(tried)
    for item, parent in tried:
        parent.append(item)
        try:
            alone = _by_feedparser(tree)
            parsed = parsed or alone
            entries += dict.get(alone, "entries") or ()
        except Exception:  # noqa: BLE001  as above
            failed += 1
        parent.remove(item)
    return {**parsed, "entries": entries}, (f"{fault}; items left out for it: {failed}",)


def _by_feedparser(tree: etree._Element) -> dict[str, Any]:
    # The line end matters: feedparser looks for the encoding in the first line, with the square of its length.
    document = b"<?xml version='1.0' encoding='utf-8'?>\n" + etree.tostring(tree, encoding="utf-8", with_tail=False)
    parsed: dict[str, Any] = feedparser.parse(io.BytesIO(document), sanitize_html=False, resolve_relative_uris=False)
    return parsed


def _reading(parsed: dict[str, Any], url: str, faults: tuple[str, ...]) -> Reading:
    # ``dict.get``, for feedparser's own says "updated" where a feed says only "published".
    version: str = dict.get(parsed, "version") or ""
    kind: ReadingKind = "atom" if version.startswith("atom") else "rdf" if version in {"rss090", "rss10"} else "rss"
    channel = dict.get(parsed, "feed") or {}
    site = next((found for link in _links(channel) if (found := absolute(url, link))), None)
    base = url if kind == "atom" or site is None else site
    language = plain(dict.get(channel, "language"))
    items = dict.get(parsed, "entries") or ()
    entries, more = _entries(items, kind=kind, base=base, language=language)
    return Reading(
        kind=kind,
        entries=entries,
        title=_title(channel, kind),
        language=language,
        every=_every(channel),
        moved_to=elsewhere(
            url,
            (
                _text(channel, "newlocation"),
                _text(channel, "itunes_new-feed-url"),
                *(link for link in _hrefs(channel, "self")),
            ),
        ),
        faults=(*faults, *more),
    )


def _entries(
    items: Iterable[dict[str, Any]], *, kind: ReadingKind, base: str, language: str | None
) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    entries: dict[str, Entry] = {}
    faults: list[str] = []
    linkless = repeated = 0
    for number, item in enumerate(items, 1):
        address = _address(item, base)
        if address is None:
            linkless += 1
            if linkless <= MAX_TOLD:
                faults.append(f"item {number} has no link")
            continue
        if address in entries:
            repeated += 1
            continue
        entries[address] = _entry(item, address, kind=kind, base=base, language=language)
    if linkless > MAX_TOLD:
        faults.append(f"items without a link: {linkless}")
    if repeated:
        faults.append(f"items that repeat an address (the first of each is kept): {repeated}")
    return tuple(entries.values()), tuple(faults)


def _entry(item: dict[str, Any], address: str, *, kind: ReadingKind, base: str, language: str | None) -> Entry:
    published, changed = dict.get(item, "published"), dict.get(item, "updated")
    if kind != "atom" and not published:
        # feedparser takes dc:date for a date of change; in RDF, and RSS without pubDate, it is the date.
        published, changed = changed, None
    published = published or dict.get(item, "created")
    own = plain(dict.get(item, "language")) or plain(dict.get(dict.get(item, "title_detail") or {}, "language"))
    languages = tuple(tag for tag in (own, language) if tag)
    guid = plain(dict.get(item, "id"))
    return Entry(
        url=address,
        guid=guid if guid != address else None,
        title=_title(item, kind),
        published=" ".join(published.split())[:200] if published and published.strip() else None,
        published_at=when(published, languages),
        updated_at=when(changed, languages),
        authors=_authors(item),
        tags=_tags(item),
        language=own or language,
        body=_body(item, base),
    )


def _hrefs(item: dict[str, Any], rel: str) -> list[str]:
    links = dict.get(item, "links") or ()
    return [href for link in links if dict.get(link, "rel") == rel and (href := dict.get(link, "href"))]


def _links(item: dict[str, Any]) -> Iterator[str]:
    """Give the addresses of an item or a channel, likeliest first: whole ones before those joined to something."""
    alternates = [link for link in dict.get(item, "links") or () if dict.get(link, "rel") == "alternate"]
    pages = [link for link in alternates if "html" in (dict.get(link, "type") or "html")]
    hrefs = [href for link in (*pages, *alternates) if (href := _text(link, "href"))]
    yield from (href for href in hrefs if href.strip().lower().startswith(("http://", "https://")))
    # Not "link", where feedparser puts a guid that is none.
    yield from hrefs


def _address(item: dict[str, Any], base: str) -> str | None:
    # What a feed service put in the link's place counts its readers.
    for service in ("feedburner_origlink", "pheedo_origlink"):
        if address := absolute(None, _text(item, service)):
            return address
    for link in _links(item):
        if address := absolute(base, link):
            return address
    guid = dict.get(item, "id") or ""
    says_no = dict.get(item, "guidislink") is False and "link" not in item.keys()  # noqa: SIM118  feedparser's "in" guesses
    if says_no or not guid.lower().startswith(("http://", "https://", "/")):
        return None
    return absolute(base, guid)


def _text(item: dict[str, Any], key: str) -> str | None:
    value = dict.get(item, key)
    return value if isinstance(value, str) and value.strip() else None


def _title(item: dict[str, Any], kind: ReadingKind) -> str | None:
    detail = dict.get(item, "title_detail") or {}
    return plain(_text(item, "title"), markup=kind != "atom" or dict.get(detail, "type") != "text/plain")


def _authors(item: dict[str, Any]) -> tuple[str, ...]:
    people = [dict.get(person, "name") for person in dict.get(item, "authors") or ()]
    names = [name for person in people if isinstance(person, str) and (name := plain(person)) and "@" not in name]
    return tuple(dict.fromkeys(names))[:_MAX_AUTHORS]


def _tags(item: dict[str, Any]) -> tuple[str, ...]:
    tags = (plain(dict.get(tag, "label") or dict.get(tag, "term")) for tag in dict.get(item, "tags") or ())
    return tuple(dict.fromkeys(tag for tag in tags if tag))[:MAX_TAGS]


def _body(item: dict[str, Any], base: str) -> str | None:
    """Give the whole text, if the feed carries it; see ``read_feed`` for how that is told."""
    contents = [
        (dict.get(part, "value") or "", dict.get(part, "base"))
        for part in dict.get(item, "content") or ()
        if not dict.get(part, "src") and (dict.get(part, "type") or "").startswith(("text/", "application/xhtml"))
    ]
    contents += [(text, None) for key in ("yandex_full-text", "turbo_content") if (text := _text(item, key))]
    body, own = max(contents, key=lambda content: len(content[0]), default=("", None))
    length = text_length(body)
    # feedparser copies the content into the summary where there is none; then there is no "summary_detail".
    summary = _text(item, "summary") if "summary_detail" in item.keys() else None  # noqa: SIM118
    shown = text_length(summary) if summary else 0
    if summary and shown >= length:
        body, length = (summary, shown) if shown >= _LONG_TEXT else ("", 0)
    if "<" not in body and _ESCAPED_AGAIN.search(body):
        body = html.unescape(body)
    if not length or _CUT.search(body[-2_000:].rstrip()):
        return None
    return _with_links(body, absolute(base, own) or base) if own else body


def _with_links(body: str, base: str) -> str:
    """Make the addresses in a body whole where the feed says by ``xml:base`` what they are relative to."""
    try:
        tree = lxml_html.fragment_fromstring(body, create_parent="div")
        tree.make_links_absolute(base, handle_failures="ignore")
        whole: str = lxml_html.tostring(tree, encoding="unicode")
    except (etree.LxmlError, ValueError, UnicodeError):
        return body
    return whole.removeprefix("<div>").removesuffix("</div>")


def _every(channel: dict[str, Any]) -> int | None:
    """Read RSS ttl (minutes), else the syndication module (RSS 1.0: a period, and how often within it)."""
    ttl = _number(_text(channel, "ttl"))
    seconds = ttl * 60 if ttl else None
    period = _PERIODS.get((_text(channel, "sy_updateperiod") or "").strip().lower())
    if seconds is None and period:
        seconds = period // max(1, _number(_text(channel, "sy_updatefrequency")) or 1)
    return min(seconds, _MAX_EVERY) if seconds else None


def _number(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None  # noqa: PLR2004
