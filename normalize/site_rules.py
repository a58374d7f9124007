"""Rules that a person wrote for one site: what to keep, what to drop, where the fields are.

They are applied between parsing and judging. What they drop is no evidence for the judge and goes to ``removed`` with the selector
named; a container to keep is taken whole, and nothing outside it. A rule that finds nothing where it should leaves a claim
``stale_rule``, because then the site has changed its layout; the judge decides as if there were no rule.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from lxml import etree
from lxml.html import HtmlElement

from normalize.options import DocumentOptions
from normalize.segments import Segment, segment
from schemas.document import Block, Claim
from schemas.site_rule import FIELDS, SiteRule

#: A page has all of these, or its layout is another one. Authors, sections and tags many pages lack.
_ALWAYS_THERE = ("title", "published")

#: More elements than this are no container, and longer values no field; in elements and characters.
_MOST_ELEMENTS = 2_000
_LONGEST_FIELD = 1_000
_MOST_VALUES = 50

#: Texts that stand in for the bounds of a container while the page is cut into segments.
_OPENS, _CLOSES = "\N{OBJECT REPLACEMENT CHARACTER}site-rule-opens", "\N{OBJECT REPLACEMENT CHARACTER}site-rule-closes"


@dataclass(frozen=True, slots=True)
class Ruled:
    """A page after its rules."""

    segments: tuple[Segment, ...]
    #: For each segment whether a container holds it; None where no rule keeps anything.
    kept: tuple[bool, ...] | None
    #: The selector that keeps.
    keeper: str | None
    #: What was taken out, with the selector in the rule.
    dropped: tuple[Block, ...]
    #: Fields that rules found, and rules that found nothing.
    claims: tuple[Claim, ...]


def apply_rules(tree: HtmlElement, rules: Sequence[SiteRule], day: date | None, options: DocumentOptions) -> Ruled:
    """Read the fields, take out what is to go, and cut the rest into segments.

    Args:
        tree: The page; it is changed.
        rules: All of its site, whatever their days.
        day: When the page was fetched.
        options: As for ``segment``.
    """
    rules = [rule for rule in rules if rule.holds(day)]
    if not rules:
        return Ruled(segment(tree, options), None, None, (), ())
    claims = [claim for rule in rules for claim in _fields(tree, rule)]
    dropped = [block for rule in rules for selector in rule.drop for block in _dropped(tree, selector)]
    keepers = [selector for rule in rules for selector in rule.keep]
    for selector in keepers:
        found = _elements(tree, selector)
        if any("".join(element.itertext()).strip() for element in found):
            segments, kept = _between_bounds(tree, found, options)
            if any(kept):
                return Ruled(segments, kept, selector, tuple(dropped), tuple(claims))
    if keepers:
        claims.append(Claim(field="stale_rule", value=keepers[0], origin="site", rule="keep"))
    return Ruled(segment(tree, options), None, None, tuple(dropped), tuple(claims))


@lru_cache(maxsize=5_000)
def _compiled(selector: str) -> etree.XPath:
    return etree.XPath(selector)


def _found(tree: HtmlElement, selector: str) -> list[HtmlElement | str]:
    """Give what a selector finds; a number or a truth is nothing."""
    try:
        found = _compiled(selector)(tree)
    except etree.XPathError:
        return []
    if isinstance(found, str):
        return [found]
    return found if isinstance(found, list) else []


def _elements(tree: HtmlElement, selector: str) -> list[HtmlElement]:
    found = [item for item in _found(tree, selector) if isinstance(item, HtmlElement)]
    return found if len(found) <= _MOST_ELEMENTS else []


def _dropped(tree: HtmlElement, selector: str) -> list[Block]:
    """Take out the elements of one selector; what follows them in the text stays."""
    blocks = []
    for element in _elements(tree, selector):
        if element.getparent() is None or element.tag == "body":
            continue  # the page itself
        text = " ".join(" ".join(element.itertext()).split())
        if text and element.tag not in {"script", "style"}:
            blocks.append(
                Block(text=text, role="boilerplate", keep=False, rule=f"site:drop:{selector}", element=str(element.tag))
            )
        element.drop_tree()
    return blocks


def _fields(tree: HtmlElement, rule: SiteRule) -> list[Claim]:
    claims = []
    for name, claimed in FIELDS.items():
        selectors: tuple[str, ...] = getattr(rule, name)
        for selector in selectors:
            values = [value for item in _found(tree, selector)[:_MOST_VALUES] if (value := _value(item))]
            if values:
                wanted = values if name in {"authors", "tags"} else values[:1]
                claims += [Claim(field=claimed, value=value, origin="site", rule=selector) for value in wanted]
                break
        else:
            if selectors and name in _ALWAYS_THERE:
                claims.append(Claim(field="stale_rule", value=selectors[0], origin="site", rule=name))
    return claims


def _value(item: HtmlElement | str) -> str | None:
    text = item if isinstance(item, str) else "".join(item.itertext())
    return " ".join(text.split())[:_LONGEST_FIELD] or None


def _between_bounds(
    tree: HtmlElement, found: Sequence[HtmlElement], options: DocumentOptions
) -> tuple[tuple[Segment, ...], tuple[bool, ...]]:
    """Cut the page into segments, and say which of them lie inside the elements found."""
    bounds = [bound for element in found for bound in _bounds(element)]
    segments: list[Segment] = []
    kept: list[bool] = []
    depth = 0
    for piece in segment(tree, options):
        if piece.text in {_OPENS, _CLOSES}:
            depth += 1 if piece.text == _OPENS else -1
        else:
            segments.append(piece)
            kept.append(depth > 0)
    for bound in bounds:
        bound.drop_tree()
    return tuple(segments), tuple(kept)


def _bounds(element: HtmlElement) -> tuple[HtmlElement, HtmlElement]:
    """Put a paragraph before all that an element holds, and one behind it."""
    opens, closes = etree.SubElement(element, "p"), etree.SubElement(element, "p")
    opens.text, closes.text = _OPENS, _CLOSES
    element.insert(0, opens)
    opens.tail, element.text = element.text, None
    return opens, closes
