"""One checked entry of a source catalogue: who publishes, in what language, and where it lies.

A catalogue is a TOML file with one ``[[source]]`` table for each source and, if wanted, a
``[defaults]`` table for what most of them share::

    [defaults]
    country = "GR"
    language = "el"

    [[source]]
    id = "nea-akti"
    name = "Νέα Ακτή"
    domain = "nea-akti.example"
    files = ["pages/el-*.html"]

``babelwire crawl`` fetches the sources that name feeds, sitemaps, lists, a home page or pages; ``babelwire run`` reads those that name
files. A table ``[crawl]`` says who fetches; ``schemas.crawl_options`` has its keys.

Rules for the pages of one site follow its table as ``[[source.rule]]``; ``schemas.site_rule`` has their form.

This module checks what TOML has already read; ``ingest.catalogue`` opens the file.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import PurePosixPath
from typing import Any

from schemas.crawl_options import CrawlOptions, crawl_options_of
from schemas.errors import SetupError
from schemas.site_rule import SiteRule, rules_of
from schemas.toml_table import Check, TomlTable, check_address, noting, one_of, refuse


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceEntry:
    """One source of a catalogue, every value checked."""

    #: Names the source in ``source_id``; unique in its catalogue.
    id: str
    #: The publisher's name as it is printed in records.
    name: str | None = None
    #: Host name of its site, lower case, without scheme.
    domain: str | None = None
    #: ISO 3166-1 alpha-2.
    country: str | None = None
    #: BCP 47 tag it mostly writes in: a prior for language detection, never the answer.
    language: str | None = None
    #: What is known of the right to use its texts.
    rights: str | None = None
    #: Addresses of RSS, Atom, RDF and JSON feeds.
    feeds: tuple[str, ...] = ()
    #: Addresses of sitemaps and of indexes of sitemaps.
    sitemaps: tuple[str, ...] = ()
    #: Addresses of pages whose links lead to articles.
    lists: tuple[str, ...] = ()
    #: A page that names its feeds, for a source whose feeds are not known. One that names none is read as a list.
    home: str | None = None
    #: Addresses of articles, each fetched once.
    pages: tuple[str, ...] = ()
    #: Patterns of the addresses of articles to fetch, "*" for any characters; none takes all.
    take: tuple[str, ...] = ()
    #: The same of those not to fetch; they win over ``take``.
    leave: tuple[str, ...] = ()
    #: Only articles that came out in the last days, where feed or sitemap say when.
    max_age_days: float = 7.0
    #: The feed carries the whole text: no page is fetched.
    full_text: bool = False
    #: Its pages are drawn by scripts: each goes through a browser.
    render: bool = False
    #: Seconds between two requests to one host.
    delay: float = 2.0
    #: Requests under way at one host.
    concurrency: int = 1
    #: Articles fetched in one crawl, of the source and from one host.
    max_pages: int = 200
    #: Bodies received in one crawl, in megabytes, of the source and from one host.
    max_megabytes: float = 200.0
    #: Least and most minutes between two polls of one feed.
    poll_minutes: tuple[float, float] = (15.0, 720.0)
    #: What to do about signals against reading by machines: "obey" leaves such pages, "record" takes them and notes the signals.
    opt_out: str = "obey"
    #: Glob patterns of files to read, relative to the catalogue's folder.
    files: tuple[str, ...] = ()
    #: Rules for its site, in the order of the file: ``[[source.rule]]``, see ``schemas.site_rule``.
    rule: tuple[SiteRule, ...] = ()
    #: Folder of rules in the ftr-site-config form, relative to the catalogue's folder.
    site_rules: str | None = None

    @property
    def is_crawled(self) -> bool:
        """Does it name anything to fetch?"""
        return bool(self.feeds or self.sitemaps or self.lists or self.home or self.pages)

    def takes(self, url: str) -> bool:
        """Say whether an address is one of its articles.

        >>> source = SourceEntry(id="a", take=("https://a.example/news/*",), leave=("*/video/*",))
        >>> source.takes("https://a.example/news/1"), source.takes("https://a.example/news/video/1"), source.takes("https://a.example/")
        (True, False, False)
        """
        return (not self.take or _fits(url, self.take)) and not _fits(url, self.leave)


@cache
def _pieces_of(patterns: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(pattern.split("*")) for pattern in patterns)


def _fits(url: str, patterns: tuple[str, ...]) -> bool:
    return any(_fits_one(url, pieces) for pieces in _pieces_of(patterns))


def _fits_one(url: str, pieces: tuple[str, ...]) -> bool:
    """Say whether an address has these pieces in this order: each found at its first place, so in time that grows with the address."""
    first, *rest = pieces
    if not url.startswith(first):
        return False
    if not rest:
        return url == first
    *middle, last = rest
    at = len(first)
    for piece in middle:
        found = url.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return len(url) - at >= len(last) and url.endswith(last)


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """A whole catalogue, checked."""

    #: The file, for messages.
    origin: str
    crawl: CrawlOptions
    sources: tuple[SourceEntry, ...]


# What sources can share. An id, a name or an address belongs to one source only.
DEFAULTS = (
    "country",
    "language",
    "rights",
    "site_rules",
    "max_age_days",
    "full_text",
    "render",
    "delay",
    "concurrency",
    "max_pages",
    "max_megabytes",
    "poll_minutes",
    "opt_out",
    "leave",
)

#: Longer patterns are a mistake.
_LONGEST_GLOB = 500
_MOST_STARS = 10

ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")

# Well-formed BCP 47 (RFC 5646, 2.1) without extensions, private use and grandfathered tags.
LANGUAGE = re.compile(
    r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|[0-9]{3}))?(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*"
)

# Labels of letters and digits of any script, as in "новини.example".
DOMAIN = re.compile(r"(?=.{1,253}$)(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W_][\w-]{0,61}[^\W_]")

# ISO 3166-1 alpha-2, the officially assigned codes.
COUNTRIES = frozenset(
    "AD AE AF AG AI AL AM AO "
    "AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA "
    "CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES "
    "ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR "
    "HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC "
    "LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY "
    "MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE "
    "RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH "
    "TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM "
    "ZW".split()
)


def catalogue_of(document: Mapping[str, object], *, origin: str) -> Catalogue:
    """Check a whole catalogue, as TOML read it.

    Args:
        document: The parsed file.
        origin: How to name the file in messages.

    Raises:
        SetupError: With all faults, one a line: file, source, key, value and what is allowed; of one source the first.
    """
    faults = [
        f"{origin}: table [{key}] is unknown; use [crawl], [defaults] and [[source]]"
        for key in document
        if key not in {"crawl", "defaults", "source"}
    ]
    crawl, shared, listed = CrawlOptions(), dict[str, Any](), list[object]()
    with noting(faults):
        crawl = crawl_options_of(TomlTable(document.get("crawl", {}), where=f"{origin}: [crawl]"))
    with noting(faults):
        defaults = TomlTable(document.get("defaults", {}), where=f"{origin}: [defaults]")
        defaults.refuse_unknown(DEFAULTS)
        shared = _values(defaults)
    with noting(faults):
        listed = _sources(document.get("source"), origin)
    entries: dict[str, SourceEntry] = {}
    for number, value in enumerate(listed, start=1):
        with noting(faults):
            table = TomlTable(value, where=f"{origin}: [[source]] number {number}")
            name = _id_of(table, origin)
            if name in entries:
                message = f"{origin}: [{name}] stands twice; give the second source its own id"
                raise SetupError(message)
            entries[name] = SourceEntry(id=name, **{**shared, **_values(table)})
    refuse(faults)
    return Catalogue(origin=origin, crawl=crawl, sources=tuple(entries.values()))


def _sources(value: object, origin: str) -> list[object]:
    if not isinstance(value, list) or not value:
        message = f"{origin}: there is no [[source]] table; write one for each source"
        raise SetupError(message)
    return value


def _id_of(table: TomlTable, origin: str) -> str:
    name = table.text("id", _must_match(ID, "small letters, digits and single hyphens"))
    if name is None:
        message = f'{table.where} has no key "id"; give it a unique one, such as "nea-akti"'
        raise SetupError(message)
    table.where = f"{origin}: [{name}]"
    table.refuse_unknown(KEYS)
    return name


def _values(table: TomlTable) -> dict[str, Any]:
    """Check every value of a table but its id; those it does not have are left out."""
    found = {
        "name": table.text("name"),
        "domain": table.text("domain", _must_match(DOMAIN, 'a host name such as "nea-akti.example"')),
        "country": table.text("country", _check_country),
        "language": table.text("language", _must_match(LANGUAGE, 'a BCP 47 tag such as "zh-Hant"')),
        "rights": table.text("rights"),
        "feeds": table.texts("feeds", check_address),
        "sitemaps": table.texts("sitemaps", check_address),
        "lists": table.texts("lists", check_address),
        "home": table.text("home", check_address),
        "pages": table.texts("pages", check_address),
        "take": table.texts("take", _check_glob),
        "leave": table.texts("leave", _check_glob),
        "max_age_days": table.number("max_age_days", least=0.01, most=36500),
        "full_text": table.flag("full_text"),
        "render": table.flag("render"),
        # Below a tenth of a second nobody is asked politely; hosts of one's own may be given no delay at all.
        "delay": table.number("delay", least=0, most=3600),
        "concurrency": table.whole("concurrency", least=1, most=16),
        "max_pages": table.whole("max_pages", least=1, most=1_000_000),
        "max_megabytes": table.number("max_megabytes", least=0.001, most=1_000_000),
        "poll_minutes": table.span("poll_minutes", least=0, most=60 * 24 * 31),
        "opt_out": table.text("opt_out", one_of("obey", "record")),
        "files": table.texts("files", _check_pattern),
        "rule": rules_of(table.values.get("rule"), where=table.where) or None,
        "site_rules": table.text("site_rules", _check_pattern),
    }
    return {name: value for name, value in found.items() if value is not None}


KEYS = tuple(item.name for item in fields(SourceEntry))


def _must_match(pattern: re.Pattern[str], wanted: str) -> Check:
    return lambda value: None if pattern.fullmatch(value) else wanted


def _check_country(value: str) -> str | None:
    return None if value in COUNTRIES else 'an ISO 3166 alpha-2 code such as "GR" (GB, not UK)'


def _check_glob(value: str) -> str | None:
    stars = value.count("*")
    if len(value) <= _LONGEST_GLOB and stars <= _MOST_STARS and not any(char.isspace() for char in value):
        return None
    return f'a pattern such as "https://nea-akti.example/news/*", at most {_LONGEST_GLOB} characters and {_MOST_STARS} stars'


def _check_pattern(value: str) -> str | None:
    plain = PurePosixPath(value)
    if plain.is_absolute() or "\\" in value:
        return 'a pattern below the catalogue\'s folder, with "/" between folders'
    return None
