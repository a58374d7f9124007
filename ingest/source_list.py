"""What a catalogue comes to, told without the network: what each source would be asked for, and what is doubtful.

A fault is what a crawl or a run would stop at. A doubt is legal, but rarely what was meant.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from ingest.catalogue import files_of, read_catalogue
from ingest.ftr_rules import read_ftr_folder
from schemas.crawl_options import CrawlOptions
from schemas.source import Catalogue, SourceEntry
from schemas.toml_table import noting, refuse

_HEADS = ("id", "feeds", "sitemaps", "lists", "home", "pages", "files", "language", "delay", "pages per night")

_SCHEMES = ("http://", "https://")


def listed(path: Path) -> str:
    """Check a catalogue; give a table with one row for each source, and below it one line for each doubt.

    Raises:
        SetupError: With all faults, one a line.
    """
    catalogue = read_catalogue(path)
    faults: list[str] = []
    files: dict[str, int] = {}
    doubts: list[str] = []
    for entry in catalogue.sources:
        with noting(faults):
            files[entry.id] = len(files_of(entry, path))
    for folder in dict.fromkeys(entry.site_rules for entry in catalogue.sources if entry.site_rules):
        with noting(faults):
            doubts += read_ftr_folder(path.parent / folder).faults
    refuse(faults)
    doubts = [*doubts_of(catalogue), *doubts]
    crawled = sum(entry.is_crawled for entry in catalogue.sources)
    closing = (
        f"{len(catalogue.sources)} sources: {crawled} to crawl, {sum(map(bool, files.values()))} with files to run; "
        f"doubts: {len(doubts)}"
    )
    rows = [_row(entry, files[entry.id]) for entry in catalogue.sources]
    return "\n".join([*_table(rows), *(f"doubtful: {doubt}" for doubt in doubts), closing])


def _row(entry: SourceEntry, files: int) -> tuple[str, ...]:
    counts = (len(entry.feeds), len(entry.sitemaps), len(entry.lists), int(entry.home is not None), len(entry.pages))
    # What is said of requests means nothing for a source that gets none.
    limits = (f"{entry.delay:g} s", str(entry.max_pages)) if entry.is_crawled else ("", "")
    return (entry.id, *(str(count or "") for count in (*counts, files)), entry.language or "", *limits)


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(_HEADS, *rows, strict=True)]
    lines = [_HEADS, ["-" * width for width in widths], *rows]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def doubts_of(catalogue: Catalogue) -> list[str]:
    """Say what is legal in a catalogue and yet rarely meant, one sentence each: which source, the value, what to do."""
    found: list[str] = []
    if catalogue.crawl.contact is None and any(entry.is_crawled for entry in catalogue.sources):
        found.append('[crawl] has no contact, so crawl refuses to start; set one, such as "mailto:desk@news.example"')
    first: dict[str, str] = {}
    for entry in catalogue.sources:
        for key, url in _addresses(entry):
            before = first.setdefault(url, entry.id)
            if before != entry.id:
                found.append(f'[{entry.id}] {key} "{url}" is in [{before}] too; its articles go to either, so drop one')
        found += (f"[{entry.id}] {doubt}" for doubt in _doubts(entry, catalogue.crawl))
    return found


def _doubts(entry: SourceEntry, crawl: CrawlOptions) -> Iterator[str]:
    if not entry.is_crawled and not entry.files:
        yield "names nothing to fetch and no files; give it feeds, sitemaps, lists, a home, pages or files"
    hosts = list(dict.fromkeys(_host(url) for _, url in _addresses(entry)))
    if entry.domain is not None:
        domain = _plain(entry.domain)
        for key, url in _addresses(entry):
            host = _host(url)
            if host != domain and not host.endswith(f".{domain}"):
                yield f'{key} "{url}" is not at its domain "{entry.domain}"; look whether it is this source\'s'
    if entry.delay == 0 and not set(hosts) <= set(map(_plain, crawl.allow_private)):
        yield "delay is 0: its hosts are asked without a pause; leave that to hosts of your own"
    if entry.full_text and not entry.feeds and not entry.home:
        yield "full_text is true, but there is no feed to carry the text; name one or take full_text out"
    yield from _doubts_of_patterns(entry)


def _doubts_of_patterns(entry: SourceEntry) -> Iterator[str]:
    asked = {urlsplit(url).scheme for _, url in _addresses(entry)}
    for key in ("take", "leave"):
        patterns: tuple[str, ...] = getattr(entry, key)
        for pattern in patterns:
            start = pattern.partition("*")[0]
            if not any(scheme.startswith(start) or start.startswith(scheme) for scheme in _SCHEMES):
                yield f'{key} "{pattern}" fits no address, because they begin with http; begin it with "*" or a scheme'
            elif asked == {"https"} and start.startswith("http://"):
                yield f'{key} "{pattern}" fits http only, and all its addresses are https; write https'
    for url in entry.pages:
        if not entry.takes(url):
            yield f'pages "{url}" is never fetched, because take or leave pass it over; change these or take it out'


def _addresses(entry: SourceEntry) -> Iterator[tuple[str, str]]:
    """Give each address with its key, each once."""
    named = {"feeds": entry.feeds, "sitemaps": entry.sitemaps, "lists": entry.lists, "pages": entry.pages}
    seen: set[str] = set()
    for key, urls in {**named, "home": (entry.home,) if entry.home else ()}.items():
        for url in urls:
            if url not in seen:
                seen.add(url)
                yield key, url


def _host(url: str) -> str:
    return _plain(urlsplit(url).hostname or "")


def _plain(host: str) -> str:
    """Give a host name in the one form in which two can be compared: small, ASCII, without "www."."""
    # A label that is too long or empty: no host of anybody, which the crawl finds out.
    with suppress(UnicodeError):
        host = host.encode("idna").decode("ascii")
    return host.lower().removeprefix("www.")
