"""The table ``[crawl]`` of a catalogue: who fetches, and how much at once."""

import ipaddress
import re
from dataclasses import dataclass, fields
from typing import Final

from schemas.toml_table import TomlTable, check_address

#: A product token as robots.txt knows it (RFC 9309, 2.2.1).
_AGENT: Final = re.compile(r"[A-Za-z_-]{1,64}")
_MAIL: Final = re.compile(r"mailto:[^\s@<>()\"]{1,64}@[^\s@<>()\"]{1,253}")
_HOST: Final = re.compile(r"(?=.{1,253}$)[^\W_](?:[\w-]{0,61}[^\W_])?(?:\.[^\W_](?:[\w-]{0,61}[^\W_])?)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class CrawlOptions:
    """What holds for all sources of a catalogue when they are fetched."""

    #: A person that a site can turn to: a mailto: or web address. It goes into the user agent, and nothing is fetched without it.
    contact: str | None = None
    #: The name by which robots.txt knows us.
    agent: str = "babelwire"
    #: Hosts, addresses and networks that may be connected to though they are no public addresses.
    allow_private: tuple[str, ...] = ()
    #: Requests under way at all hosts together.
    concurrency: int = 200
    #: Seconds for one request, from its first to its last byte.
    timeout: float = 60.0
    #: Longest body as sent, and unpacked, in megabytes.
    max_megabytes_per_page: int = 20


def crawl_options_of(table: TomlTable) -> CrawlOptions:
    """Check the table.

    Raises:
        SetupError: At the first fault, with file, key, value and what is allowed.
    """
    table.refuse_unknown([item.name for item in fields(CrawlOptions)])
    found = {
        "contact": table.text("contact", _check_contact),
        "agent": table.text("agent", _check_agent),
        "allow_private": table.texts("allow_private", _check_private),
        "concurrency": table.whole("concurrency", least=1, most=2000),
        "timeout": table.number("timeout", least=1, most=600),
        "max_megabytes_per_page": table.whole("max_megabytes_per_page", least=1, most=500),
    }
    return CrawlOptions(**{name: value for name, value in found.items() if value is not None})  # type: ignore[arg-type]


def _check_contact(value: str) -> str | None:
    is_fine = bool(_MAIL.fullmatch(value)) or (check_address(value) is None and value.isprintable())
    return None if is_fine else 'an address that a site can write to, such as "mailto:desk@news.example"'


def _check_agent(value: str) -> str | None:
    return None if _AGENT.fullmatch(value) else "a name of letters, hyphens and underscores, as robots.txt has them"


def _check_private(value: str) -> str | None:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        return None if _HOST.fullmatch(value) else 'a host, an address or a network such as "10.1.0.0/16"'
    return None
