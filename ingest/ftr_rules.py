"""A folder of site rules in the form of FiveFilters' ftr-site-config: one file per site, one "key: value" a line.

    title: //h1
    author: //a[@rel='author']
    date: //time/@datetime
    body: //div[@id='story']
    strip: //div[@class='promo']
    strip_id_or_class: newsletter
    test_url: https://nea-akti.example/1

https://github.com/fivefilters/ftr-site-config describes the form. ``nea-akti.example.txt`` is for that site with and without "www.";
``.nea-akti.example.txt`` for all sites below it. Lines about how to fetch a page, and those that rewrite its markup, are passed over: a
saved page is read as it is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from schemas.errors import SetupError
from schemas.site_rule import SiteRule, wrong_with

_USED: Final[Mapping[str, str]] = {
    "body": "keep", "strip": "drop", "title": "title", "author": "authors", "date": "published"
}  # fmt: skip
_LINE: Final = re.compile(r"\s*([a-z_]+)(?:\([^)]*\))?\s*:\s*(.*?)\s*$")
_PLAIN: Final = re.compile(r"[\w-]{1,100}")


@dataclass(slots=True)
class FtrFolder:
    """The rules of a folder by host, and the lines that cannot be used."""

    #: Exact host, without "www.".
    sites: dict[str, SiteRule] = field(default_factory=dict)
    #: Name of a site and all below it.
    below: dict[str, SiteRule] = field(default_factory=dict)
    #: "file:line: why".
    faults: list[str] = field(default_factory=list)

    def rule_for(self, host: str) -> SiteRule | None:
        """Give the rule for a host: its own, or that of the nearest site above it."""
        host = host.lower().removeprefix("www.")
        if host in self.sites:
            return self.sites[host]
        parts = host.split(".")
        return next((self.below[name] for n in range(len(parts)) if (name := ".".join(parts[n:])) in self.below), None)


def read_ftr_folder(folder: Path) -> FtrFolder:
    """Read every ``HOST.txt`` of a folder.

    Other people wrote the files, so a line that cannot be used is noted and passed over.

    Raises:
        SetupError: The folder is not there or cannot be read.
    """
    found = FtrFolder()
    if not folder.is_dir():
        message = f'site_rules "{folder.as_posix()}" is no folder; name one with files such as nea-akti.example.txt'
        raise SetupError(message)
    for path in sorted(folder.glob("*.txt")):
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            message = f"{path.as_posix()}: cannot be read ({error.strerror}); mend it or take it out of the folder"
            raise SetupError(message) from error
        rule = _rule(text, path, found.faults)
        if rule is not None:
            name = path.stem.lower()
            if name.startswith("."):
                found.below[name[1:]] = rule
            else:
                found.sites[name.removeprefix("www.")] = rule
    return found


def _rule(text: str, path: Path, faults: list[str]) -> SiteRule | None:
    chosen: dict[str, list[str]] = {}
    for number, row in enumerate(text.splitlines(), start=1):
        line = _LINE.match(row)
        if line is None or not line[2]:
            continue
        key, value = line[1], line[2]
        if key == "strip_id_or_class":
            # The form allows quotes around the word.
            word = value.strip("'\"")
            if not _PLAIN.fullmatch(word):
                faults.append(
                    f"{path.name}:{number}: strip_id_or_class is {value!r}; it must be a part of an id or class"
                )
                continue
            key, value = "strip", f"//*[contains(@id, '{word}') or contains(@class, '{word}')]"
        if key not in _USED:
            continue
        if wanted := wrong_with(value):
            faults.append(f'{path.name}:{number}: {key} "{value[:80]}" must be {wanted}')
            continue
        chosen.setdefault(_USED[key], []).append(value)
    if not chosen:
        return None
    selectors: dict[str, Any] = {key: tuple(values) for key, values in chosen.items()}
    return SiteRule(origin=path.name, **selectors)
