"""Subscriptions of feed readers and lists of addresses, made into a source catalogue."""

import ipaddress
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from ingest.crawl.wellformed import MAX_BYTES, text_of
from ingest.opml import Subscription, read_opml
from schemas.errors import SetupError
from schemas.source import DOMAIN, LANGUAGE
from schemas.toml_table import check_address

Key = Literal["feeds", "sitemaps", "home"]
"""Where an address goes in a source."""

#: So many lines of one file that give no source are told one by one.
MOST_TOLD = 20

#: How many characters of a hostile value a message shows.
_SHOWN = 80

#: Longer names are no names, longer ids no ids, and longer addresses lead nowhere.
_LONGEST_NAME = 200
_LONGEST_ID = 80
_LONGEST_ADDRESS = 2000

_HEAD = """\
# Made by babelwire sources import. To see what it comes to: babelwire sources check FILE
#
# Nothing is fetched before a contact is set that sites can write to:
#
# [crawl]
# contact = "mailto:desk@news.example"
"""

#: What the path or the query of a feed has in it, and of a sitemap: by this they are told from pages.
_FEED_WORDS = frozenset({"atom", "feed", "feeds", "rdf", "rss", "rss2"})
_FEED_ENDS = (".atom", ".rdf", ".rss", ".xml")
_SITEMAP_ENDS = (".gz", ".txt", ".xml")

#: Characters that turn the order of what a person sees around (UAX #9, 2): in a name they could hide what follows it.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One line of a list, or one outline."""

    addresses: tuple[tuple[Key, str], ...]
    name: str | None = None
    language: str | None = None
    categories: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class _Source:
    """One source as it comes together."""

    host: str
    name: str | None
    #: Is the host that of its pages? Feeds often lie elsewhere.
    is_home: bool = False
    language: str | None = None
    home: str | None = None
    categories: dict[str, None] = field(default_factory=dict)
    feeds: list[str] = field(default_factory=list)
    sitemaps: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)

    def put(self, key: Key, url: str) -> None:
        """Note an address; a second home is a list."""
        if key == "feeds":
            self.feeds.append(url)
        elif key == "sitemaps":
            self.sitemaps.append(url)
        elif self.home is None:
            self.home = url
        else:
            self.lists.append(url)


def imported(files: Iterable[Path]) -> tuple[str, tuple[str, ...]]:
    """Make one catalogue of OPML files and lists of addresses.

    In a list each line is an address, with or without "https://"; "#" begins a comment. Feeds and sitemaps are known by the look
    of the address; any other is a home page or, for a host that has one already, a list. Entries of one host and one name become
    one source, and an address that comes twice counts once.

    Returns:
        The catalogue as TOML, and a sentence for each fault: what gave no source, and where it stands.

    Raises:
        SetupError: If a file cannot be read, or no file has an address.
    """
    sources = _Sources()
    faults: list[str] = []
    paths = list(files)
    for path in paths:
        try:
            with path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        except OSError as error:
            message = f"{path.as_posix()}: cannot be read ({error.strerror}); name a readable file"
            raise SetupError(message) from error
        entries, wrong = _entries(content)
        for entry in entries:
            wrong += sources.add(entry)
        more = len(wrong) - MOST_TOLD
        told = [*wrong[:MOST_TOLD], *([f"and {more} more faults"] if more > 0 else [])]
        faults += [f"{path.as_posix()}: {fault}" for fault in told]
    if not sources.by_name:
        names = ", ".join(path.as_posix() for path in paths)
        message = f"{names}: no address in it; name OPML files, or lists with one address on each line"
        raise SetupError("\n".join([*faults, message]))
    return "\n".join([_HEAD, *_tables(sources.by_name.values())]), tuple(faults)


def _entries(content: bytes) -> tuple[list[_Entry], list[str]]:
    """Read OPML if the first character says so, else a list."""
    # UTF-16 has NUL around it.
    if content[:200].lstrip(b"\xef\xbb\xbf\xfe\xff\0 \t\r\n").startswith(b"<"):
        subscriptions, faults = read_opml(content)
        return [_of_subscription(one) for one in subscriptions], list(faults)
    text, faults = text_of(content, None)
    # A "#" inside an address leads to a place in a page.
    lines = (re.split(r"(?:^|\s)#", line, maxsplit=1)[0].strip() for line in text.splitlines())
    return [_Entry(addresses=((_look(line), line),)) for line in lines if line], list(faults)


def _of_subscription(said: Subscription) -> _Entry:
    named: tuple[tuple[Key, str | None], ...] = (("feeds", said.feed), ("home", said.home))
    return _Entry(
        addresses=tuple((key, url) for key, url in named if url),
        name=_name(said.name),
        language=_language(said.language),
        categories=said.categories,
    )


def _look(address: str) -> Key:
    """Tell feeds and sitemaps by the look of their addresses; what looks like neither is a page.

    >>> [_look(f"https://a.example/{rest}") for rest in ("news/feed/", "?format=rss", "news-sitemap.xml", "news/")]
    ['feeds', 'feeds', 'sitemaps', 'home']
    """
    url = _complete(address)
    if url is None:
        return "home"
    parts = urlsplit(url)
    segments = parts.path.lower().rstrip("/").split("/")
    last = segments[-1]
    if "sitemap" in last and (last.endswith(_SITEMAP_ENDS) or "." not in last):
        return "sitemaps"
    words = {segment.partition(".")[0] for segment in segments}
    words |= {word.lower() for pair in parse_qsl(parts.query, keep_blank_values=True) for word in pair}
    return "feeds" if words & _FEED_WORDS or last.endswith(_FEED_ENDS) else "home"


def _complete(address: str) -> str | None:
    """Make an address whole; None where it is none of the web, or has a password in it."""
    if len(address) > _LONGEST_ADDRESS or not address.isprintable() or " " in address:
        return None
    # Some readers have schemes of their own, as "feed://a.example/" or "feed:https://a.example/".
    plain = address.removeprefix("feed:")
    url = plain if "://" in plain else f"https://{plain.removeprefix('//')}"
    if check_address(url) is not None:
        return None
    parts = urlsplit(url)
    host = parts.hostname or ""
    is_host = host == "localhost" or _is_ip(host) or bool(DOMAIN.fullmatch(host))
    return url if is_host and "@" not in parts.netloc else None


class _Sources:
    """Sources by host and name, in the order in which they came."""

    def __init__(self) -> None:
        """Begin with none."""
        self.by_name: dict[tuple[str, str | None], _Source] = {}
        self._seen: set[str] = set()

    def add(self, entry: _Entry) -> list[str]:
        """Put an entry where it belongs; gives a sentence for each address that is none."""
        faults = []
        usable: list[tuple[Key, str]] = []
        for key, address in entry.addresses:
            url = _complete(address)
            if url is None:
                faults.append(
                    f'"{address[:_SHOWN]}" is left out: no address of the web without a password, such as '
                    '"https://nea-akti.example/feed.xml"'
                )
            else:
                usable.append((key, url))
        # The site's own host is a better name than that of the service that has its feed.
        hosts = [_host(url) for _, url in sorted(usable, key=lambda pair: pair[0] == "feeds")]
        has_page = any(key != "feeds" for key, _ in usable)
        for key, url in usable:
            if url in self._seen:
                continue
            self._seen.add(url)
            source = self.by_name.setdefault((hosts[0], entry.name), _Source(host=hosts[0], name=entry.name))
            source.is_home = source.is_home or has_page
            source.language = source.language or entry.language
            source.categories.update(dict.fromkeys(entry.categories))
            source.put(key, url)
        return faults


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")


def _language(said: str | None) -> str | None:
    """Write a language tag as BCP 47 has it (RFC 5646, 2.1.1); None where it is none.

    >>> _language("pt_br"), _language("zh-HANT"), _language("english")
    ('pt-BR', 'zh-Hant', None)
    """
    first, *rest = (said or "").strip().lower().replace("_", "-").split("-")
    shapes = {2: str.upper, 4: str.title}
    tag = "-".join([first, *(shapes.get(len(part), str.lower)(part) for part in rest)])
    return tag if LANGUAGE.fullmatch(tag) else None


def _name(said: str | None) -> str | None:
    """Clean a name; what letters need to join or to stand apart (U+200C, U+200D) stays."""
    kept = "".join(
        char
        for char in (said or "")[: 2 * _LONGEST_NAME]
        if char not in _TURNING and unicodedata.category(char) not in {"Cc", "Cs"}
    )
    return " ".join(kept.split())[:_LONGEST_NAME].strip() or None


# ---- writing --------------------------------------------------------------------------------------


def _tables(sources: Iterable[_Source]) -> Iterator[str]:
    ids = _Ids()
    for source in sources:
        host = source.host
        is_domain = source.is_home and bool(DOMAIN.fullmatch(host)) and not _is_ip(host)
        lines = ["[[source]]"]
        if categories := _name(", ".join(source.categories)):
            lines.append(f"# {categories}")
        values = {
            "id": ids.of(host),
            "name": source.name,
            "domain": host if is_domain else None,
            "language": source.language,
            "feeds": source.feeds,
            "sitemaps": source.sitemaps,
            "lists": source.lists,
            "home": source.home,
        }
        lines += [f"{key} = {_toml(value)}" for key, value in values.items() if value]
        yield "\n".join(lines) + "\n"


def _toml(value: str | list[str]) -> str:
    """Write a string or a list of strings (TOML 1.0, "String" and "Array")."""
    if isinstance(value, str):
        # The escapes of JSON are all in TOML, which asks for one more.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if len(value) == 1:
        return f"[{_toml(value[0])}]"
    return "[\n" + "".join(f"    {_toml(item)},\n" for item in value) + "]"


class _Ids:
    """Ids made from host names, each once."""

    def __init__(self) -> None:
        """Begin with none."""
        self._taken: set[str] = set()
        self._last: dict[str, int] = {}

    def of(self, host: str) -> str:
        """Make an id: letters without their accents, or Punycode where that is not enough."""
        plain = "".join(char for char in unicodedata.normalize("NFKD", host) if not unicodedata.combining(char))
        if not plain.isascii():
            try:
                plain = host.encode("idna").decode("ascii")
            except UnicodeError:
                plain = ""
        base = re.sub(r"[^a-z0-9]+", "-", plain.lower())[:_LONGEST_ID].strip("-") or "source"
        found = base
        while found in self._taken:
            self._last[base] = self._last.get(base, 1) + 1
            found = f"{base}-{self._last[base]}"
        self._taken.add(found)
        return found
