"""JSON Feed 1.0 and 1.1 (jsonfeed.org): text in, what it names out."""

import html
import json
import re
from collections.abc import Iterator
from typing import Any

from ingest.crawl.dated import when
from ingest.crawl.entry import Entry, Reading
from ingest.crawl.plain import plain
from ingest.crawl.weblink import absolute, elsewhere
from ingest.crawl.wellformed import MAX_TOLD

_ITEMS = re.compile(r'"items"\s{0,50}:\s{0,50}\[')
_BETWEEN = re.compile(r"[\s,]*")


def read_json_feed(text: str, *, url: str, most: int) -> Reading:
    """Read a JSON Feed; of one that is broken off or broken, the items before the fault.

    ``content_text`` becomes paragraphs of HTML where there is no ``content_html``. ``most`` is how many items are read.
    """
    faults: list[str] = []
    try:
        feed = json.loads(text)
    except (ValueError, RecursionError) as error:
        faults.append(f"not sound JSON: {error}"[:200])
        feed = {"items": list(_sound_items(text, most))}
    items = feed.get("items") if isinstance(feed, dict) else None
    if not isinstance(feed, dict) or not isinstance(items, list):
        return Reading(kind="jsonfeed", faults=(*faults, "JSON, but without a list of items: no JSON Feed"))
    if len(items) > most:
        faults.append(f"more than {most:,} items: the others are not read")
    language = _text(feed, "language")
    entries: dict[str, Entry] = {}
    repeated = linkless = 0
    for number, item in enumerate(items[:most], 1):
        entry = _entry(item, url, language) if isinstance(item, dict) else None
        if entry is None:
            linkless += 1
            faults += [f"item {number} has no link"] if linkless <= MAX_TOLD else []
        elif entry.url in entries:
            repeated += 1
        else:
            entries[entry.url] = entry
    if linkless > MAX_TOLD:
        faults.append(f"items without a link: {linkless}")
    if repeated:
        faults.append(f"items that repeat an address (the first of each is kept): {repeated}")
    return Reading(
        kind="jsonfeed",
        entries=tuple(entries.values()),
        title=plain(_text(feed, "title"), markup=False),
        language=language,
        moved_to=elsewhere(url, (_text(feed, "feed_url"),)),
        faults=tuple(faults),
    )


def _sound_items(text: str, most: int) -> Iterator[Any]:
    """Read items one by one up to the first that cannot be read."""
    start = _ITEMS.search(text)
    if start is None:
        return
    decoder, at = json.JSONDecoder(), start.end()
    for _ in range(most):
        gap = _BETWEEN.match(text, at)
        at = gap.end() if gap else at
        try:
            item, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return
        yield item


def _text(table: dict[str, Any], key: str) -> str | None:
    """Give a text; a number where the standard wants a text (ids) counts as one."""
    value = table.get(key)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18:
        return str(value)
    # Escaped halves of surrogates are sound JSON and no text.
    return value.encode("utf-8", "ignore").decode().strip() or None if isinstance(value, str) else None


def _entry(item: dict[str, Any], base: str, feed_language: str | None) -> Entry | None:
    guid = _text(item, "id")
    named = (_text(item, "url"), _text(item, "external_url"))
    address = next((found for link in named if (found := absolute(base, link))), None) or absolute(None, guid)
    if address is None:
        return None
    language = _text(item, "language") or feed_language
    languages = (language,) if language else ()
    published = _text(item, "date_published")
    people = item.get("authors") if isinstance(item.get("authors"), list) else [item.get("author")]
    names = (plain(_text(person, "name"), markup=False) for person in people or () if isinstance(person, dict))
    listed = item.get("tags")
    tags = (_text({"tag": tag}, "tag") for tag in (listed if isinstance(listed, list) else ()))
    return Entry(
        url=address,
        guid=guid if guid != address else None,
        title=plain(_text(item, "title"), markup=False),
        published=published[:200] if published else None,
        published_at=when(published, languages),
        updated_at=when(_text(item, "date_modified"), languages),
        authors=tuple(dict.fromkeys(name for name in names if name)),
        tags=tuple(dict.fromkeys(tag for tag in tags if tag)),
        language=language,
        body=_text(item, "content_html") or _paragraphs(_text(item, "content_text")),
    )


def _paragraphs(text: str | None) -> str | None:
    if text is None:
        return None
    return "".join(f"<p>{html.escape(part.strip(), quote=False)}</p>" for part in text.split("\n\n") if part.strip())
