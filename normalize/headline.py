"""Which of the titles that a page claims is the headline, without the site's name."""

import re
from collections.abc import Sequence

from normalize.main_text import key
from schemas.document import Claim, Page

#: What sites put between a headline and their name in title elements.
_SEPARATOR = re.compile(r"\s+[|–—·»•:/-]\s+|\s*[|｜]\s*|[_＿]|\s+::\s+|\s*»\s*|\s*—\s*")

#: A headline of fewer letters is a logo or a section name unless another claim agrees.
_MIN_LETTERS = 6

#: An h1 is the headline when it shares half of its words with another claim.
_AGREED = 0.5

#: Shorter names of sites stand inside other words.
_SITE_LETTERS = 4

#: A kicker is the smaller part of an h1.
_BULK = 0.6

#: Trust between claims that cannot be compared (a rule for the site first, of the page's own h1 first: it is the one that readers see).
_ORDER = ("site", "given", "block", "h1", "json-ld", "microdata", "meta", "title-tag")


def choose_title(page: Page) -> Claim | None:
    """Choose the headline.

    The element h1 is what readers saw, so it wins wherever another claim of the page agrees with it; a page's h1 may
    also be its logo, then no other claim does. Without it JSON-LD and Open Graph are taken, cut at the site's name.
    """
    claims = sorted(
        page.claimed("title"), key=lambda claim: _ORDER.index(claim.origin) if claim.origin in _ORDER else 9
    )
    sites = site_names(page)
    for claim in claims:
        if claim.origin in {"site", "given", "block"}:
            return claim
    others = [claim for claim in claims if claim.origin != "h1"]
    best: tuple[float, int, Claim] | None = None
    for number, claim in enumerate(c for c in claims if c.origin == "h1"):
        agreement = max((_agreement(claim.value, other.value) for other in others), default=0.0)
        if (
            len(key(claim.value)) >= _MIN_LETTERS
            and key(claim.value) not in sites
            and agreement >= _AGREED
            and (best is None or (agreement, -number) > best[:2])
        ):
            best = (agreement, -number, claim)
    if best:
        return _without_kicker(_cut(best[2], sites, others), others)
    for claim in others or claims:
        cut = _cut(claim, sites, [other for other in claims if other is not claim])
        if key(cut.value) and key(cut.value) not in sites:
            return cut
    return None


def _without_kicker(claim: Claim, others: Sequence[Claim]) -> Claim:
    """Take the headline from another claim where the h1 holds a kicker before it ("CultureLibrary opens all night")."""
    whole = key(claim.value)
    for other in others:
        part = key(other.value)
        if part != whole and whole.endswith(part) and len(part) >= _BULK * len(whole):
            return other
    return claim


def site_names(page: Page) -> frozenset[str]:
    """Folded names of the site: what a headline is cut at."""
    names = {key(claim.value) for claim in page.claimed("publisher")}
    if page.decoded.raw.publisher:
        names.add(key(page.decoded.raw.publisher))
    return frozenset(names - {""})


def _agreement(one: str, other: str) -> float:
    """Share of the shorter title's words that the other has too, 0..1; letters instead in scripts without spaces."""
    a, b = key(one), key(other)
    if not a or not b:
        return 0.0
    if a in b or b in a:
        return min(len(a), len(b)) / len(a) if len(b) < len(a) else 1.0
    words, more = set(one.casefold().split()), set(other.casefold().split())
    return len(words & more) / max(1, min(len(words), len(more)))


def _cut(claim: Claim, sites: frozenset[str], others: Sequence[Claim]) -> Claim:
    """Cut the site's name off either end, or what another claim shows to be more than the headline."""
    value = claim.value
    parts = [(match.start(), match.end()) for match in _SEPARATOR.finditer(value)]
    for start, end in reversed(parts):
        head, tail = value[:start], value[end:]
        if (key(tail) and _is_site(key(tail), sites)) or (
            key(tail) and len(key(head)) >= _MIN_LETTERS and any(key(other.value) == key(head) for other in others)
        ):
            value = head
    parts = [(match.start(), match.end()) for match in _SEPARATOR.finditer(value)]
    for start, end in parts[:1]:
        if _is_site(key(value[:start]), sites) and len(key(value[end:])) >= _MIN_LETTERS:
            value = value[end:]
    if value == claim.value or not key(value):
        return claim
    return Claim(field="title", value=value.strip(), origin=claim.origin, rule=f"{claim.rule} without site name")


def _is_site(part: str, sites: frozenset[str]) -> bool:
    return any(
        part == site or (len(part) >= _SITE_LETTERS and (part in site or site in part) and len(part) <= len(site) + 12)
        for site in sites
    )
