"""Sitemaps (sitemaps.org, protocol 0.9; Google's news extension): bytes in, what they list out."""

import re

from lxml import etree

from ingest.crawl.dated import when
from ingest.crawl.entry import Entry, Reading
from ingest.crawl.feeds import read_feed
from ingest.crawl.plain import plain
from ingest.crawl.weblink import absolute
from ingest.crawl.wellformed import MAX_TOLD, fault_of, find_root, local_name, recovered, text_of, tidy

#: What the standard allows in one file ("Sitemap file requirements"), addresses and bytes.
STANDARD_ADDRESSES = 50_000
STANDARD_BYTES = 50 * 2**20

#: What is over the standard is read up to here, in addresses.
MAX_ADDRESSES = 200_000

_LINE = re.compile(r"https?://\S+", re.IGNORECASE)
_MAX_TAGS = 100


def read_sitemap(content: bytes, *, url: str) -> Reading:
    """Read a sitemap, an index of sitemaps, a list of addresses in plain text, or a feed that is used as one.

    Namespaces and prefixes are passed over: many files have none, or wrong ones. Addresses of other hosts are kept; who
    follows them decides. Never fails: what is wrong stands in ``faults``, and of a broken file what stands before and
    after the fault is read.

    Args:
        content: The response's body, gzip undone. Read are the first 64 MiB and 200,000 addresses; what is over the
            standard's 50,000 and 50 MiB is a fault.
        url: Where it was fetched.
    """
    text, faults = text_of(content, None)
    if len(content) > STANDARD_BYTES:
        faults += (f"{len(content):,} bytes long: the standard allows {STANDARD_BYTES:,}",)
    found = find_root(text, ("urlset", "sitemapindex", "rss", "feed", "rdf"))
    if found.root in {"rss", "feed", "rdf"}:
        return read_feed(content, url=url)
    if found.root == "html":
        return Reading(kind="page", faults=(*faults, "an HTML page, not a sitemap"))
    if found.root is None:
        return _from_lines(text, faults)
    tidied, more = tidy(found)
    fault = fault_of(tidied)
    faults += (*found.faults, *more, *((fault,) if fault else ()))
    tree = recovered(tidied)
    if tree is None:
        return Reading(kind="sitemap", faults=(*faults, "nothing of it can be read"))
    cut = (
        fault is not None
        and re.search(rf"</(?:[\w.-]{{1,40}}:)?{found.root}\s*>\s*$", tidied[-200:], re.IGNORECASE) is None
    )
    return _from_tree(tree, url, faults, index=found.root == "sitemapindex", cut=cut)


def _from_lines(text: str, faults: tuple[str, ...]) -> Reading:
    """Read one address a line; other lines are counted."""
    entries: dict[str, Entry] = {}
    others = 0
    for line in text.splitlines():
        stripped = line.strip()
        address = absolute(None, stripped) if _LINE.fullmatch(stripped) else None
        if address:
            entries.setdefault(address, Entry(url=address))
        else:
            others += bool(stripped)
        if len(entries) >= MAX_ADDRESSES:
            break
    if not entries:
        return Reading(kind="sitemap", faults=(*faults, "neither a sitemap nor a list of addresses in it"))
    more = (f"{others} lines that are no address",) if others else ()
    return _reading(tuple(entries.values()), (*faults, *more))


def _from_tree(tree: etree._Element, url: str, faults: tuple[str, ...], *, index: bool, cut: bool) -> Reading:
    wanted = "sitemap" if index else "url"
    nodes = [node for node in tree.iter(etree.Element) if local_name(node) == wanted]
    if cut and nodes:
        # Its address may be cut off.
        faults += (f"ends inside item {len(nodes)}, which is left out",)
        nodes.pop()
    entries: dict[str, Entry] = {}
    bad = 0
    for node in nodes:
        entry = _entry(node, url)
        if entry is None:
            bad += 1
            if bad <= MAX_TOLD:
                line = f" at line {node.sourceline}" if node.sourceline else ""
                faults += (f"{wanted}{line} has no address",)
        else:
            entries.setdefault(entry.url, entry)
        if len(entries) >= MAX_ADDRESSES:
            break
    if bad > MAX_TOLD:
        faults += (f"items without an address: {bad}",)
    listed = tuple(entries.values())
    if index:
        return Reading(
            kind="sitemapindex",
            maps=tuple(Entry(url=one.url, updated_at=one.updated_at) for one in listed),
            faults=faults,
        )
    return _reading(listed, faults)


def _reading(entries: tuple[Entry, ...], faults: tuple[str, ...]) -> Reading:
    if len(entries) > STANDARD_ADDRESSES:
        faults += (f"more than the {STANDARD_ADDRESSES:,} addresses that the standard allows",)
    return Reading(kind="sitemap", entries=entries, faults=faults)


def _entry(node: etree._Element, url: str) -> Entry | None:
    said: dict[str, etree._Element] = {}
    for child in node.iterchildren(etree.Element):
        said.setdefault(local_name(child), child)
    address = absolute(url, _text(said.get("loc")))
    if address is None:
        return None
    changed = when(_text(said.get("lastmod")))
    news = said.get("news")
    if news is None:
        return Entry(url=address, updated_at=changed)
    told: dict[str, str] = {}
    for part in news.iter(etree.Element):
        if part is not news and (text := _text(part)):
            told.setdefault(local_name(part), text)
    language = told.get("language")
    published = told.get("publication_date")
    tags = (plain(tag) for tag in re.split("[,;،、]", told.get("keywords", "")[:10_000]))
    return Entry(
        url=address,
        title=plain(told.get("title")),
        published=published[:200] if published else None,
        published_at=when(published, (language,) if language else ()),
        updated_at=changed,
        tags=tuple(dict.fromkeys(tag for tag in tags if tag))[:_MAX_TAGS],
        language=language[:40] if language else None,
    )


def _text(node: etree._Element | None) -> str | None:
    text = "".join(node.itertext()).strip() if node is not None else ""
    return " ".join(text.split()) if text else None
