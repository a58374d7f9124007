"""OPML, in which feed readers keep subscriptions (opml.org, spec2): bytes in, subscriptions out."""

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from lxml import etree

from ingest.crawl.wellformed import fault_of, find_root, parsed, text_of, tidy

#: More outlines than this are not read.
MAX_OUTLINES = 100_000

#: One start tag, up to the next; a ">" inside it may belong to a value.
_OUTLINE = re.compile(r"<outline(?=[\s/>])[^<]*", re.IGNORECASE)

_ATTRIBUTE = re.compile(r"""\s([A-Za-z]{1,20})\s{0,10}=\s{0,10}(?:"([^"]*)"|'([^']*)')""")

#: An outline with one of these leads somewhere; one without is a folder.
_LEADS = frozenset({"xmlurl", "htmlurl", "url"})
_KEYS = _LEADS | {"title", "text", "language", "category", "type"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What one outline says, as it says it: nothing is checked, no value is empty."""

    #: Address of its feed: ``xmlUrl``.
    feed: str | None = None
    #: Address of its site: ``htmlUrl``, or ``url`` of a link.
    home: str | None = None
    #: ``title``, else ``text``, which readers may shorten.
    name: str | None = None
    language: str | None = None
    #: The folders it lies in and its own ``category``.
    categories: tuple[str, ...] = ()


def read_opml(content: bytes) -> tuple[list[Subscription], tuple[str, ...]]:
    """Read the subscriptions of an OPML file in their order, and say what is wrong with it.

    Never fails. Of a broken file each outline is read by itself, without its folders. Entities that the file declares are
    not expanded. Read are the first 64 MiB and 100,000 outlines.
    """
    text, faults = text_of(content, None)
    found = find_root(text, ("opml", "outline"))
    if found.root not in {"opml", "outline"}:
        return [], (*faults, "no OPML: it has no element <opml>")
    tidied, more = tidy(found)
    faults += (*found.faults, *more)
    fault = fault_of(tidied)
    tree = parsed(tidied) if fault is None else None
    if tree is not None:
        outlines = _of_tree(tree)
    else:
        faults += (fault or "cannot be read as a tree", "each of its outlines is read by itself, without its folders")
        outlines = _of_tags(tidied)
    read = list(islice(outlines, MAX_OUTLINES + 1))
    if len(read) > MAX_OUTLINES:
        faults += (f"only the first {MAX_OUTLINES:,} outlines are read",)
    return [one for one in read[:MAX_OUTLINES] if one.feed or one.home], faults


def _of_tree(tree: etree._Element) -> Iterator[Subscription]:
    folders: list[str] = []
    for event, node in etree.iterwalk(tree, events=("start", "end")):
        if etree.QName(node).localname.lower() != "outline":
            continue
        if event == "end":
            folders.pop()
            continue
        values = _values(node)
        yield _subscription(values, tuple(filter(None, folders)))
        is_folder = not any(values.get(key) for key in _LEADS)
        folders.append(values.get("text") or values.get("title") or "" if is_folder else "")


def _of_tags(text: str) -> Iterator[Subscription]:
    for tag in _OUTLINE.finditer(text):
        said = {match[1].lower(): html.unescape(match[2] or match[3] or "") for match in _ATTRIBUTE.finditer(tag[0])}
        yield _subscription(_plain(said), ())


def _values(node: etree._Element) -> dict[str, str]:
    """Give what its attributes say, names in small letters because readers write them as they like."""
    # Only those that count: lxml looks through all attributes for the value of one.
    names = {str(key).lower(): key for key in node.attrib.keys()}  # noqa: SIM118  items() takes the square of their number
    return _plain({key: str(node.get(names[key], "")) for key in _KEYS & names.keys()})


def _plain(said: Mapping[str, str]) -> dict[str, str]:
    found = {key: " ".join(value.split()) for key, value in said.items()}
    return {key: value for key, value in found.items() if value}


def _subscription(values: dict[str, str], folders: tuple[str, ...]) -> Subscription:
    # A list in the form "/News/Local,/Harbour" (spec2, "The outline element").
    own = (part.strip().strip("/") for part in values.get("category", "").split(","))
    # "include" names another OPML file, which is for people to fetch.
    link = values.get("url") if values.get("type", "").lower() != "include" else None
    return Subscription(
        feed=values.get("xmlurl"),
        home=values.get("htmlurl") or link,
        name=values.get("title") or values.get("text"),
        language=values.get("language"),
        categories=tuple(dict.fromkeys(part for part in (*folders, *own) if part)),
    )
