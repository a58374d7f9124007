"""What is wrong with an address of a catalogue, as its answer tells, and what to do about it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from ingest.crawl.entry import Entry, Reading
from ingest.crawl.robots import Robots
from ingest.crawl.sitemaps import read_sitemap
from ingest.crawl.visits import Visit
from normalize.language.detect import detect
from schemas.language import is_same
from schemas.source import SourceEntry

Key = Literal["feeds", "sitemaps", "lists", "home", "pages"]

#: Articles of a feed that are held against robots.txt and whose titles tell the language.
MOST_ARTICLES: Final = 50

#: Fewer titles than this tell no language, and less sure answers neither.
_LEAST_TITLES: Final = 3
_SURE: Final = 0.95

#: Feeds of a home page that are looked at.
MOST_FEEDS: Final = 5

#: What to do where an address gave no answer that can be read.
_ADVICE: Final = {
    "robots": "take it out, or ask the site to allow it",
    "robots_unreachable": "look again tomorrow; nothing is fetched there meanwhile",
    "private_address": "take it out, or allow it if the host is yours",
    "busy": "look again later, and give the source a longer delay if it stays so",
    "slow": "keep it if a page now and then is enough",
    "dns": "correct the host, or take the address out",
    "tls": "tell the site that its certificate is not valid; it is not fetched meanwhile",
    "redirects": "look for its address at the site",
    "too_large": "raise max_megabytes_per_page in [crawl] if it is what you want",
    "bomb": "take it out: it unpacks to far more than it is",
}
_ELSE: Final = "look again later, and take it out if it stays so"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a person should know of an address."""

    #: A countable word.
    what: str
    #: What was seen, and what to do.
    said: str
    #: Does nothing come of the address?
    is_fault: bool = False


def failure_of(seen: Visit) -> Finding | None:
    """Say why an address gave nothing that can be read."""
    if seen.trouble is not None:
        what, detail = seen.trouble
        return Finding(what=what, said=f"{detail}; {_ADVICE.get(what, _ELSE)}", is_fault=what != "slow")
    status = 0 if seen.answer is None else seen.answer.status
    if status in {404, 410}:
        said = "there is nothing any more; look for its new address at the site, or take it out"
        return Finding(what="gone", said=f"status {status}: {said}", is_fault=True)
    if status in {401, 402, 403, 451}:
        return Finding(
            what="refused", said=f"status {status}: the site refuses us; write to it, or take it out", is_fault=True
        )
    if status in {429, 503}:
        return Finding(
            what="busy", said=f"status {status}: the host wants to be left alone; {_ADVICE['busy']}", is_fault=True
        )
    if not 200 <= status < 300:  # noqa: PLR2004
        return Finding(what="failing", said=f"status {status}; {_ELSE}", is_fault=True)
    if not seen.content.strip():
        return Finding(what="empty", said=f"status {status} without content; {_ELSE}", is_fault=True)
    return None


def wrong_kind(key: Key, reading: Reading, seen: Visit) -> Finding | None:
    """Say where an address belongs that is not what its key says."""
    if key == "feeds" and reading.kind == "page":
        feeds = ", ".join(reading.feeds[:MOST_FEEDS])
        advice = (
            f"write one of the feeds that it names: {feeds}"
            if feeds
            else "move it to lists, or look for its feed at the site"
        )
        return Finding(what="not_a_feed", said=f"is a page, not a feed; {advice}", is_fault=True)
    if key == "sitemaps" and reading.kind == "page":
        return Finding(what="not_a_sitemap", said="is a page, not a sitemap; move it to lists", is_fault=True)
    if key == "feeds" and not reading.entries and b"<" in seen.content[:1000]:
        other = read_sitemap(seen.content, url=seen.url)
        if other.kind in {"sitemap", "sitemapindex"} and (other.entries or other.maps):
            return Finding(what="not_a_feed", said="is a sitemap, not a feed; move it to sitemaps", is_fault=True)
    return None


def faults_of_list(source: SourceEntry, key: Key, reading: Reading) -> Iterator[Finding]:
    """Say what is wrong with a feed, sitemap or list itself."""
    if not reading.entries and not reading.maps and not (key == "home" and reading.feeds):
        if reading.faults:
            said = f"nothing of it can be read: {reading.faults[-1]}; tell the site, or take it out"
            yield Finding(what="broken", said=said, is_fault=True)
        else:
            yield Finding(
                what="empty", said="names no article; look whether the site has another, or take it out", is_fault=True
            )
    elif reading.faults:
        more = f" and {len(reading.faults) - 1} more" if len(reading.faults) > 1 else ""
        yield Finding(
            what="faulty", said=f"{reading.faults[0]}{more}; nothing to do, for the rest is read, but tell the site"
        )
    if reading.moved_to:
        yield Finding(what="moved", said=f'says that it lives at "{reading.moved_to}" now; write that address')
    if key == "home" and not reading.feeds and not source.feeds and reading.entries:
        said = f"names no feed, so it is read as a list of {len(reading.entries)} links; nothing to do if these are articles"
        yield Finding(what="no_feed", said=said)


def faults_of_articles(
    source: SourceEntry, key: Key, reading: Reading, newest: datetime | None, now: datetime
) -> Iterator[Finding]:
    """Say what is wrong with what it names."""
    entries = reading.entries
    if newest and newest < now - timedelta(days=source.max_age_days):
        said = f"its newest entry is of {newest.date()}, and max_age_days {source.max_age_days:g} leaves it"
        yield Finding(what="stale", said=f"{said}; take it out if it stays so")
    if entries and not any(source.takes(entry.url) for entry in entries):
        said = f'take and leave pass over all {len(entries)} articles, such as "{entries[0].url[:200]}"; change them'
        yield Finding(what="not_taken", said=said, is_fault=True)
    if key == "sitemaps" and newest is None and len(entries) > source.max_pages:
        said = f"names {len(entries)} addresses and says of none when it came out, so old ones are fetched; name another, or use take"
        yield Finding(what="undated", said=said)
    if source.full_text and key == "feeds" and entries and not any(entry.body for entry in entries):
        said = "carries no whole text, so pages are fetched all the same; take full_text out"
        yield Finding(what="no_full_text", said=said)


def faults_of_language(source: SourceEntry, titles: Sequence[str]) -> Iterator[Finding]:
    """Say where titles are in another language than the catalogue says.

    What a feed says of its language is not asked: often it is what its software was delivered with.
    """
    if len(titles) < _LEAST_TITLES or source.language == "mul":
        return
    found = detect(titles, min_score=_SURE)
    if found.tag == "und" or (source.language is not None and is_same(source.language, found.tag)):
        return
    if source.language is None:
        yield Finding(what="language", said=f'reads as "{found.tag}"; set language = "{found.tag}"')
    else:
        said = f'reads as "{found.tag}", and the catalogue says "{source.language}"; look whether it is the same feed still'
        yield Finding(what="language", said=said)


def forbidden(entries: list[Entry], rules: Robots) -> Iterator[Finding]:
    """Say which articles their site does not allow to fetch."""
    refused = [entry.url for entry in entries if not rules.allows(entry.url)]
    if not refused:
        return
    said = (
        f'of {len(entries)} articles {len(refused)} must not be fetched, such as "{refused[0][:200]}": {rules.reason}'
    )
    yield Finding(what="articles_forbidden", said=f"{said}; {_ADVICE['robots']}", is_fault=len(refused) == len(entries))
