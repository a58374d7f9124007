"""Signals by which a site or a page says that its texts are not to be taken by machines.

Read are: ``X-Robots-Tag`` and ``<meta name="robots">`` (also addressed to our own name), ``tdm-reservation`` as header, as meta element
and in ``/.well-known/tdmrep.json`` (TDM Reservation Protocol, W3C community group, 2024), ``/ai.txt`` (Spawning: robots.txt's form, by
kind of file), and ``Content-Signal`` lines of robots.txt. All that are seen are recorded; these stand in the way: ``noindex``, ``none``,
``noarchive``, ``noai``, a TDM reservation, an ai.txt that disallows, and ``search=no``.
"""

import fnmatch
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from protego import Protego

#: Words of robots meta elements and X-Robots-Tag that forbid what we do: keep a copy and hand on its text.
REFUSING: Final = frozenset({"noindex", "none", "noarchive", "noai"})

#: Other words worth recording.
_TOLD: Final = frozenset({"noimageai", "nosnippet", "nocache", "notranslate", "noimageindex"})

#: Where meta elements stand, in bytes: pages that are right have them in their head.
_HEAD: Final = 256 * 1024

_META: Final = re.compile(rb"<meta\b([^<>]{0,2000})>", re.IGNORECASE)
_ATTRIBUTE: Final = re.compile(
    rb"""([a-zA-Z-]{1,40})\s{0,10}=\s{0,10}(?:"([^"]{0,1000})"|'([^']{0,1000})'|([^\s"'>]{1,1000}))"""
)
_CONTENT_SIGNAL: Final = re.compile(
    r"^[ \t]*content-signal[ \t]*:[ \t]*([^#\r\n]{1,500})", re.IGNORECASE | re.MULTILINE
)

#: What our pages are to ai.txt, which lists kinds of files.
_TEXT_FILES: Final = ("/page.html", "/page.txt")


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that a site says, and whether it stands in our way."""

    text: str
    refuses: bool


def of_answer(headers: Iterable[tuple[str, str]], content: bytes, *, agent: str) -> tuple[Signal, ...]:
    """Read the signals of one page: its headers, and the meta elements of its content (encodings undone).

    >>> [signal.text for signal in of_answer([("X-Robots-Tag", "otherbot: noindex"), ("TDM-Reservation", "1")], b"", agent="babelwire")]
    ['header tdm-reservation: 1']
    """
    found: list[Signal] = []
    for name, value in headers:
        if name.lower() == "x-robots-tag":
            found += _words("header x-robots-tag", _addressed(value, agent))
        elif name.lower() == "tdm-reservation":
            found.append(Signal(f"header tdm-reservation: {value.strip()[:40]}", value.strip() == "1"))
    for element in _META.finditer(content, 0, _HEAD):
        attributes = {
            match[1].lower(): (match[2] or match[3] or match[4] or b"").decode("utf-8", "replace").strip()
            for match in _ATTRIBUTE.finditer(element[1])
        }
        name, value = attributes.get(b"name", "").lower(), attributes.get(b"content", "")
        if name in {"robots", agent.lower()}:
            found += _words(f"meta {name}", value)
        elif name == "tdm-reservation":
            found.append(Signal(f"meta tdm-reservation: {value[:40]}", value == "1"))
    return tuple(dict.fromkeys(found))


def _addressed(value: str, agent: str) -> str:
    """Give the part of an X-Robots-Tag that is for us: a name in front addresses what follows to that robot."""
    name, colon, rest = value.partition(":")
    # "unavailable_after: date" has a colon as well, and is for all.
    if not colon or "," in name or name.strip().lower() == "unavailable_after":
        return value
    return rest if name.strip().lower() == agent.lower() else ""


def _words(where: str, value: str) -> list[Signal]:
    words = [word.strip().lower() for word in value.split(",")]
    return [Signal(f"{where}: {word}", word in REFUSING) for word in words if word in REFUSING | _TOLD]


@dataclass(frozen=True, slots=True)
class SitePolicy:
    """What a site says of all its pages, or of some by their path."""

    #: Patterns of paths and their reservation, in order: the first that fits holds (TDMRep, 6.2.1).
    reserved: tuple[tuple[str, bool], ...] = ()
    #: Does ai.txt disallow text?
    ai_text_disallowed: bool = False
    content_signals: tuple[Signal, ...] = ()

    @classmethod
    def read(cls, *, robots: bytes = b"", tdmrep: bytes = b"", ai_text: bytes = b"", agent: str) -> "SitePolicy":
        """Read what was found at the site; b"" for what is not there."""
        disallowed = False
        if ai_text:
            rules = Protego.parse(ai_text[:_HEAD].decode("utf-8", "replace"))
            disallowed = not any(rules.can_fetch(f"https://site.example{path}", agent) for path in _TEXT_FILES)
        signals = _CONTENT_SIGNAL.findall(robots[:_HEAD].decode("utf-8", "replace"))
        return cls(_reservations(tdmrep), disallowed, tuple(_content_signal(line) for line in signals))

    def of_page(self, url: str) -> tuple[Signal, ...]:
        """Give what the site says of one address."""
        found = list(self.content_signals)
        if self.ai_text_disallowed:
            found.append(Signal("ai.txt disallows text", refuses=True))
        path = urlsplit(url).path or "/"
        reserved = next((value for pattern, value in self.reserved if fnmatch.fnmatchcase(path, pattern)), None)
        if reserved is not None:
            found.append(Signal(f"tdmrep.json: {int(reserved)}", refuses=reserved))
        return tuple(found)


def _content_signal(line: str) -> Signal:
    text = " ".join(line.split())
    return Signal(f"content-signal: {text}", "search=no" in text.lower().replace(" ", ""))


def _reservations(content: bytes) -> tuple[tuple[str, bool], ...]:
    """Read a tdmrep.json: a list of objects with location and tdm-reservation (TDMRep, 6.2)."""
    try:
        entries = json.loads(content or b"[]")
    except (ValueError, RecursionError):
        return ()
    return tuple(
        (entry["location"], str(entry.get("tdm-reservation")) == "1")
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict) and isinstance(entry.get("location"), str) and len(entry["location"]) <= 500  # noqa: PLR2004
    )


def refusing(signals: Sequence[Signal]) -> str | None:
    """Name the first signal that stands in the way; None where none does."""
    return next((signal.text for signal in signals if signal.refuses), None)
