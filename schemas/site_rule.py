"""What a person knows of one site's pages: where the story stands, what is none of it, where the fields are.

In a catalogue a source may have rules, each with the days on which it held::

    [[source.rule]]
    until = 2024-10-14                         # the day of the last page in that layout
    keep = ["//div[@id='story']"]
    drop = ["//div[@class='promo']"]

    [[source.rule]]
    from = 2024-10-15
    keep = ["//main//article"]
    drop = ["//aside", "//div[contains(@class, 'newsletter')]"]
    title = ["//h1"]
    authors = ["//a[@rel='author']"]
    published = ["//time/@datetime"]

Selectors are XPath 1.0, in a part that takes a time in proportion to the page. Of several in one list the first that finds anything
counts; of ``drop`` each counts.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from typing import Final

from lxml import etree

from schemas.errors import SetupError

#: Fields of a record that a rule may point to, and the claim that each becomes.
FIELDS: Final[Mapping[str, str]] = {
    "title": "title",
    "subtitle": "subtitle",
    "authors": "author",
    "published": "published",
    "modified": "modified",
    "section": "section",
    "tags": "tag",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRule:
    """One layout of one site. Selectors are checked XPath expressions."""

    #: Where the rule stands, for messages.
    origin: str
    #: First and last day of the pages that it is for, both included; None is open.
    since: date | None = None
    until: date | None = None
    #: Containers of the story: what stands outside them is none of it.
    keep: tuple[str, ...] = ()
    #: Elements to take out.
    drop: tuple[str, ...] = ()
    title: tuple[str, ...] = ()
    subtitle: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    published: tuple[str, ...] = ()
    modified: tuple[str, ...] = ()
    section: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def holds(self, day: date | None) -> bool:
        """Say whether the rule is for a page fetched that day; without a day only a rule that still holds is."""
        if day is None:
            return self.until is None
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)


SELECTORS: Final = ("keep", "drop", *FIELDS)
KEYS: Final = ("from", "until", *SELECTORS)

#: Longer selectors are a mistake, in characters.
_LONGEST: Final = 500
#: Each step that looks at a whole tree takes a page's length of time for every element found before it.
_MOST_STEPS: Final = 4
_MOST_BRACKETS: Final = 12
#: Functions that take no longer than the text they look at.
_FUNCTIONS: Final = frozenset(
    "boolean ceiling concat contains count false floor last local-name name normalize-space not number position round starts-with "
    "string string-length substring substring-after substring-before translate true text node comment".split()
)
_QUOTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"")
_CALL: Final = re.compile(r"([\w.:-]+)\s*\(")
#: Axes in full length take a colon twice, so they are no prefix.
_PREFIX: Final = re.compile(r"(?<![:\w.-])[\w.-]+:(?!:)")
_WHOLE_TREE: Final = re.compile(
    r"//|\b(?:descendant|descendant-or-self|ancestor|ancestor-or-self|following|preceding|following-sibling|preceding-sibling)\s*::"
)


def wrong_with(selector: str) -> str | None:
    """Say what a selector must be instead, or None where it is fine.

    >>> wrong_with("//article/p")
    >>> wrong_with("//p[ends-with(@class, 'x')]").split(";")[0]
    'without the function ends-with()'
    """
    if len(selector) > _LONGEST:
        return f"at most {_LONGEST} characters long"
    bare = _QUOTED.sub("''", selector)
    for name in _CALL.findall(bare):
        # "or (" and "and (" open a bracket, no call.
        if name.rpartition(":")[2] not in _FUNCTIONS and name not in {"or", "and", "div", "mod"}:
            return f"without the function {name}(); use {', '.join(sorted(_FUNCTIONS - {'text', 'node', 'comment'}))}"
    if "$" in bare or _PREFIX.search(bare):
        return "without variables and prefixes"
    if len(_WHOLE_TREE.findall(bare)) > _MOST_STEPS:
        return f"quicker: at most {_MOST_STEPS} steps such as // that look through a whole tree"
    if bare.count("[") + bare.count("(") > _MOST_BRACKETS:
        return f"simpler: at most {_MOST_BRACKETS} brackets"
    try:
        etree.XPath(selector)
    except etree.XPathError as error:
        return f"an XPath 1.0 expression ({error})"
    return None


def rules_of(value: object, *, where: str) -> tuple[SiteRule, ...]:
    """Check the rules of one source, as TOML read them, newest as the file has them.

    Raises:
        SetupError: At the first fault, with file, source, number of the rule, key, value and what is allowed.
    """
    if value is None:
        return ()
    if not isinstance(value, list):
        message = f"{where} rule is {value!r}; write [[source.rule]] for each rule"
        raise SetupError(message)
    return tuple(_rule(item, where=f"{where} rule {number}") for number, item in enumerate(value, start=1))


def _rule(table: object, *, where: str) -> SiteRule:
    if not isinstance(table, dict):
        message = f"{where} is {table!r}; it must be a table of keys and values"
        raise SetupError(message)
    for key in table:
        if key not in KEYS:
            message = f'{where} key "{key}" is unknown; use one of: {", ".join(KEYS)}'
            raise SetupError(message)
    since, until = (_day(table.get(key), where=f"{where} {key}") for key in ("from", "until"))
    if since and until and since > until:
        message = f"{where} from {since} is later than until {until}; a rule holds from its first to its last day"
        raise SetupError(message)
    chosen = {key: _selectors(table.get(key, []), where=f"{where} {key}") for key in SELECTORS}
    if not any(chosen.values()):
        message = f"{where} has no selector; give it one of: {', '.join(SELECTORS)}"
        raise SetupError(message)
    return SiteRule(origin=where, since=since, until=until, **chosen)


def _day(value: object, *, where: str) -> date | None:
    if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
        return value
    message = f"{where} is {value!r}; it must be a day without quotes, such as 2024-10-14"
    raise SetupError(message)


def _selectors(value: object, *, where: str) -> tuple[str, ...]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list):
        message = f"{where} is {value!r}; it must be a selector or a list of them"
        raise SetupError(message)
    for selector in values:
        if not isinstance(selector, str) or not selector.strip():
            message = f"{where} is {selector!r}; it must be a string that is not empty"
            raise SetupError(message)
        if wanted := wrong_with(selector):
            message = f'{where} "{selector}" is not usable; it must be {wanted}'
            raise SetupError(message)
    return tuple(values)


def digest(rules: Sequence[SiteRule]) -> str:
    """Give the SHA-256 of rules, in hexadecimal: other rules, other output. Where they stand does not count."""
    plain = [{item.name: asdict(rule)[item.name] for item in fields(rule) if item.name != "origin"} for rule in rules]
    return hashlib.sha256(json.dumps(plain, sort_keys=True, default=str).encode()).hexdigest()
