"""A feed's tree without what feedparser misreads, or needs the square of its length for."""

import re

from lxml import etree

from ingest.crawl.wellformed import local_name

#: Tags of one item that are kept; feedparser compares each with all before it.
MAX_TAGS = 100

#: Elements of feeds have a handful; the SAX reader looks through all of them for each.
_MAX_ATTRIBUTES = 50

#: An item has twenty or so; media groups some dozens.
_MAX_CHILDREN = 500

#: Longer names, dates and lists of keywords are texts in the wrong place.
_MAX_CHARS = 2_000

#: What is read of an item, by local name; all else only gives feedparser occasion to mistake a caption for the text,
#: or to fail (it does on coordinates that are no numbers).
_READ = frozenset(
    "title link guid id pubdate date published issued updated modified created author creator category subject keywords tags"
    " language description summary content encoded body fullitem full-text origlink".split()
)
#: The same of a channel, and what holds it.
_READ_OF_CHANNEL = frozenset(
    "channel item entry title link language ttl updateperiod updatefrequency newlocation new-feed-url".split()
)
#: Podcasts and Media RSS say other things under the same names.
_OTHERS = ("itunes.com", "podcast", "search.yahoo.com/mrss")
_READ_OF_OTHERS = frozenset({"author", "keywords", "new-feed-url"})

_PEOPLE = frozenset({"author", "creator", "managingeditor", "webmaster", "publisher", "contributor"})
_TAGS = frozenset({"category", "subject", "keywords", "tags"})
_DATES = frozenset(
    {
        "pubdate",
        "date",
        "published",
        "issued",
        "updated",
        "modified",
        "created",
        "lastbuilddate",
        "expirationdate",
        "valid",
    }
)
_MAIL = re.compile(r"(?:mailto:)?[^\s@()<>\[\]\":;,]{1,64}@[^\s@()<>\[\]\":;,]{1,255}")


def spare(tree: etree._Element) -> None:
    """Change the tree in place.

    - "desk@news.example (Name)" and "Name <desk@news.example>" become the name: feedparser cuts addresses of mail in the
      wrong place where the top-level domain has more than four letters.
    - Of a channel and an item only what is read stays: feedparser takes ``itunes:summary``, ``media:description`` and ``dc:description``
      for the whole text, and may take titles and links of what is around for the item's own.
    - ``isPermaLink`` is in lower case, for feedparser takes "True" for no.
    - Names, dates and keywords of more than 2,000 characters, attributes of elements that have more than 50, and of an
      item the tags beyond the hundredth and the elements beyond the five hundredth go.
    """
    surplus: list[etree._Element] = []
    tags = 0
    for node in tree.iter(etree.Element):
        name = local_name(node)
        if len(node.attrib) > _MAX_ATTRIBUTES:
            node.attrib.clear()
        if name in {"item", "entry"}:
            tags = 0
            surplus += [child for child in node[:_MAX_CHILDREN] if not _is_read(child, node)] + node[_MAX_CHILDREN:]
        elif name in {"rss", "rdf", "feed", "channel"}:
            surplus += [child for child in node.iterchildren(etree.Element) if not _is_read(child, node)]
        elif name in _PEOPLE:
            _name(node)
        elif name in _DATES:
            _shorten(node)
        elif name in _TAGS:
            tags += 1
            _shorten(node)
            if tags > MAX_TAGS:
                surplus.append(node)
        elif name == "guid":
            for key in [key for key in node.attrib if key.lower() == "ispermalink"]:
                node.set(key, node.attrib[key].strip().lower())
    for node in surplus:
        parent = node.getparent()
        if parent is not None:
            parent.remove(node)


def _is_read(child: etree._Element, parent: etree._Element) -> bool:
    tag, name = str(child.tag).lower(), local_name(child)
    if any(other in tag for other in _OTHERS) and name not in _READ_OF_OTHERS:
        return False
    if local_name(parent) not in {"item", "entry"}:
        return name in _READ_OF_CHANNEL
    if name == "description" and "purl.org/dc/" in tag:
        return all(other is child or local_name(other) != "description" for other in parent[:_MAX_CHILDREN])
    return name in _READ


def _name(node: etree._Element) -> None:
    _shorten(node)
    if "@" in (node.text or "") and not len(node):
        left = _MAIL.sub(" ", node.text or "")
        for sign in '()<>[]"':
            left = left.replace(sign, " ")
        node.text = " ".join(left.split())


def _shorten(node: etree._Element) -> None:
    """Empty an element whose own text is too long; the text of its children stays."""
    if len(node.text or "") + sum(len(child.tail or "") for child in node) > _MAX_CHARS:
        node.text = None
        for child in node:
            child.tail = None
