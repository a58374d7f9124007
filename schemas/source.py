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

Rules for the pages of one site follow its table as ``[[source.rule]]``; ``schemas.site_rule`` has their form.

This module checks what TOML has already read; ``ingest.catalogue`` opens the file.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from schemas.errors import SetupError
from schemas.site_rule import SiteRule, rules_of


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
    #: Addresses of RSS and Atom feeds. Kept for the crawl; ``run`` does not fetch.
    feeds: tuple[str, ...] = ()
    #: Addresses of sitemaps. Kept for the crawl; ``run`` does not fetch.
    sitemaps: tuple[str, ...] = ()
    #: Glob patterns of files to read, relative to the catalogue's folder.
    files: tuple[str, ...] = ()
    #: Rules for its site, in the order of the file: ``[[source.rule]]``, see ``schemas.site_rule``.
    rule: tuple[SiteRule, ...] = ()
    #: Folder of rules in the ftr-site-config form, relative to the catalogue's folder.
    site_rules: str | None = None


# What sources can share. An id, a name or an address belongs to one source only.
DEFAULTS = ("country", "language", "rights", "site_rules")

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


def entries_of(document: Mapping[str, object], *, origin: str) -> tuple[SourceEntry, ...]:
    """Check a whole catalogue, as TOML read it.

    Args:
        document: The parsed file.
        origin: How to name the file in messages.

    Raises:
        SetupError: At the first fault, with file, source, key, value and what is allowed.
    """
    for key in document:
        if key not in {"defaults", "source"}:
            message = f"{origin}: table [{key}] is unknown; use [defaults] and [[source]]"
            raise SetupError(message)
    defaults = _Table(document.get("defaults", {}), where=f"{origin}: [defaults]")
    defaults.refuse_unknown(DEFAULTS)
    shared = _entry("defaults", defaults)
    entries: dict[str, SourceEntry] = {}
    for number, value in enumerate(_sources(document.get("source"), origin), start=1):
        table = _Table(value, where=f"{origin}: [[source]] number {number}")
        entry = _with_defaults(_entry(_id_of(table, origin), table), shared)
        if entry.id in entries:
            message = f"{origin}: [{entry.id}] stands twice; give the second source its own id"
            raise SetupError(message)
        entries[entry.id] = entry
    return tuple(entries.values())


def _sources(value: object, origin: str) -> list[object]:
    if not isinstance(value, list) or not value:
        message = f"{origin}: there is no [[source]] table; write one for each source"
        raise SetupError(message)
    return value


def _with_defaults(entry: SourceEntry, shared: SourceEntry) -> SourceEntry:
    return replace(
        entry,
        country=entry.country or shared.country,
        language=entry.language or shared.language,
        rights=entry.rights or shared.rights,
        site_rules=entry.site_rules or shared.site_rules,
    )


def _id_of(table: "_Table", origin: str) -> str:
    name = table.text("id", _must_match(ID, "small letters, digits and single hyphens"))
    if name is None:
        message = f'{table.where} has no key "id"; give it a unique one, such as "nea-akti"'
        raise SetupError(message)
    table.where = f"{origin}: [{name}]"
    table.refuse_unknown(KEYS)
    return name


def _entry(name: str, table: "_Table") -> SourceEntry:
    return SourceEntry(
        id=name,
        name=table.text("name"),
        domain=table.text("domain", _must_match(DOMAIN, 'a host name such as "nea-akti.example"')),
        country=table.text("country", _check_country),
        language=table.text("language", _must_match(LANGUAGE, 'a BCP 47 tag such as "zh-Hant"')),
        rights=table.text("rights"),
        feeds=table.texts("feeds", _check_address),
        sitemaps=table.texts("sitemaps", _check_address),
        files=table.texts("files", _check_pattern),
        rule=rules_of(table.values.get("rule"), where=table.where),
        site_rules=table.text("site_rules", _check_pattern),
    )


KEYS = tuple(item.name for item in fields(SourceEntry))

Check = Callable[[str], str | None]
"""Looks at one value; says what it must be instead, or None where it is fine."""


class _Table:
    """One table of the catalogue, and how to name it in messages."""

    def __init__(self, value: object, *, where: str) -> None:
        if not isinstance(value, dict):
            message = f"{where} is {value!r}; it must be a table of keys and values"
            raise SetupError(message)
        self.values: dict[str, object] = value
        self.where = where

    def refuse_unknown(self, known: tuple[str, ...]) -> None:
        for key in self.values:
            if key not in known:
                allowed = ", ".join(sorted(known))
                message = f'{self.where} key "{key}" is unknown; use one of: {allowed}'
                raise SetupError(message)

    def text(self, key: str, check: Check | None = None) -> str | None:
        value = self.values.get(key)
        return None if value is None else self._checked(key, value, check)

    def texts(self, key: str, check: Check) -> tuple[str, ...]:
        value = self.values.get(key, [])
        if not isinstance(value, list):
            message = f"{self.where} {key} is {value!r}; it must be a list of strings"
            raise SetupError(message)
        return tuple(self._checked(key, item, check) for item in value)

    def _checked(self, key: str, value: object, check: Check | None) -> str:
        if not isinstance(value, str) or not value.strip():
            message = f"{self.where} {key} is {value!r}; it must be a string that is not empty"
            raise SetupError(message)
        wanted = None if check is None else check(value)
        if wanted is not None:
            message = f'{self.where} {key} "{value}" is not usable; it must be {wanted}'
            raise SetupError(message)
        return value


def _must_match(pattern: re.Pattern[str], wanted: str) -> Check:
    return lambda value: None if pattern.fullmatch(value) else wanted


def _check_country(value: str) -> str | None:
    return None if value in COUNTRIES else 'an ISO 3166 alpha-2 code such as "GR" (GB, not UK)'


def _check_address(value: str) -> str | None:
    try:
        parts = urlsplit(value)
        complete = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        complete = False
    return None if complete else 'an address such as "https://nea-akti.example/feed.xml"'


def _check_pattern(value: str) -> str | None:
    plain = PurePosixPath(value)
    if plain.is_absolute() or "\\" in value:
        return 'a pattern below the catalogue\'s folder, with "/" between folders'
    return None
