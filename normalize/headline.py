"""Which of the titles that a page claims is the headline, without the site's name."""

import re
from collections.abc import Sequence
from dataclasses import replace

from normalize.address import domain_of
from normalize.main_text import key
from schemas.document import Claim, Page

#: What sites put between a headline and their name in title elements.
_SEPARATOR = re.compile(r"\s+[|–—·»•:/-]\s+|\s*[|｜]\s*|[_＿]|\s+::\s+|\s*»\s*|\s*—\s*")

#: A headline of fewer letters is a logo or a section name unless another claim agrees.
_MIN_LETTERS = 6

#: An h1 is the headline when it shares half of its words with another claim.
_AGREED = 0.5

#: A headline is no smaller part of a title that does not begin with it.
_PART = 0.3

#: Shorter names of sites stand inside other words.
_SITE_LETTERS = 4

#: A kicker and what stands behind it.
_KICKER = re.compile(r"[^:|/–—-]{2,60}?(?::\s+|\s[|/–—-]\s)")

#: What sets a kicker off.
_APART = re.compile(r":\s|\s[|/–—-]\s")

#: A headline of its own has so many words, and shares so many of so many letters with the title that machines are told.
_SENTENCE_WORDS = 4
_SHARED_WORDS = 2
_TELLING_LETTERS = 4

#: A kicker is the smaller part of an h1.
_BULK = 0.6

#: Trust between claims that cannot be compared (a rule for the site first, of the page's own h1 first: it is the one that readers see).
_ORDER = ("site", "given", "feed", "block", "h1", "json-ld", "microdata", "meta", "title-tag")


def choose_title(page: Page) -> Claim | None:
    """Choose the headline: what readers saw above the story, as far as other claims of the page bear it out.

    A line that stands where a headline does and is one in the markup's words wins. The element h1 wins wherever another
    claim agrees with it; a page's h1 may also be its logo, then no other claim does. Without it that line, JSON-LD and
    Open Graph are taken, cut at the site's name.
    """
    claims = sorted(
        page.claimed("title"), key=lambda claim: _ORDER.index(claim.origin) if claim.origin in _ORDER else 9
    )
    sites = site_names(page)
    hosts = _hosts(page)
    blocks = [claim for claim in claims if claim.origin == "block"]
    for claim in claims:
        if claim.origin == "feed" and not _borne_out(claim, claims, sites, hosts):
            continue
        if claim.origin == "site" or claim.is_given or (claim.origin == "block" and page.decoded.media == "text"):
            return claim
    others = [claim for claim in claims if claim.origin not in {"h1", "block"}]
    logos = {key(claim.value) for claim in claims if claim.origin == "h1" and _is_tail(claim.value, others)}
    sites |= logos
    for claim in blocks:
        if any(key(other.value) == key(claim.value) for other in others):
            return _without_kicker(_cut(claim, sites, hosts, ()), others)
    best: tuple[float, int, Claim] | None = None
    for number, claim in enumerate(c for c in claims if c.origin == "h1"):
        agreement = max((_agreement(claim.value, other.value, sites) for other in others), default=0.0)
        if (
            len(key(claim.value)) >= _MIN_LETTERS
            and key(claim.value) not in sites
            and (agreement >= _AGREED or (not blocks and _tells_the_same(claim.value, others)))
            and (best is None or (agreement, -number) > best[:2])
        ):
            best = (agreement, -number, claim)
    if best:
        return _without_kicker(_cut(best[2], sites, hosts, ()), others)
    if blocks:
        return _without_kicker(_cut(blocks[0], sites, hosts, ()), others)
    for claim in others or claims:
        cut = _cut(claim, sites, hosts, [other for other in claims if other is not claim])
        if key(cut.value) and key(cut.value) not in sites:
            return cut
    # A page may call itself what its story is called.
    return next((claim for claim in claims if len(claim.value.split()) >= _SENTENCE_WORDS), None)


def _borne_out(claim: Claim, claims: Sequence[Claim], sites: frozenset[str], hosts: frozenset[str]) -> bool:
    """Say whether the page says what its feed says, or nothing: feeds shorten titles and put rubrics in front of them."""
    own = [other for other in claims if not other.is_given]
    letters = key(claim.value)
    return not own or any(letters in {key(other.value), key(_cut(other, sites, hosts, ()).value)} for other in own)


def _is_tail(title: str, others: Sequence[Claim]) -> bool:
    """Is this what another claim puts behind the headline: the name of the site, which its logo says too?"""
    letters = key(title)
    if any(key(other.value) == letters for other in others):
        return False
    tails = (
        (other.value[: mark.start()], other.value[mark.end() :])
        for other in others
        for mark in _SEPARATOR.finditer(other.value)
    )
    return any(key(tail) == letters and len(key(head)) > len(letters) for head, tail in tails)


def _tells_the_same(title: str, others: Sequence[Claim]) -> bool:
    """Is this a whole sentence about what another claim is about? Papers have one headline for readers and one for search."""
    words = _telling(title)
    return len(title.split()) >= _SENTENCE_WORDS and any(
        len(words & _telling(other.value)) >= _SHARED_WORDS for other in others
    )


def _telling(title: str) -> set[str]:
    return {word for word in map(key, title.split()) if len(word) >= _TELLING_LETTERS}


def _without_kicker(claim: Claim, others: Sequence[Claim]) -> Claim:
    """Take the headline from another claim where the h1 holds a kicker before it ("CultureLibrary opens all night").

    A kicker that another claim has too was meant to be read with the headline: as that claim sets it off, where the markup
    of the h1 leaves nothing between them ("Culture Library opens all night" is "Culture: Library opens all night").
    """
    whole = key(claim.value)
    if same := [other for other in others if key(other.value) == whole]:
        apart = max(same, key=lambda other: len(_APART.findall(other.value)))
        return apart if len(_APART.findall(apart.value)) > len(_APART.findall(claim.value)) else claim
    for other in others:
        part = key(other.value)
        if whole.endswith(part) and len(part) >= _BULK * len(whole):
            return other
    # "Ferries - Night boat sails" and "On the islands: Night boat sails": two kickers before one headline.
    if kicker := _KICKER.match(claim.value):
        rest = claim.value[kicker.end() :]
        if len(key(rest)) >= _MIN_LETTERS and any(
            key(rest) == key(other.value[mark.end() :]) for other in others if (mark := _KICKER.match(other.value))
        ):
            return replace(claim, value=rest, rule=f"{claim.rule} without kicker")
    return claim


def site_names(page: Page) -> frozenset[str]:
    """Folded names of the site: what a headline is cut at."""
    names = {key(claim.value) for claim in page.claimed("publisher")}
    if page.decoded.raw.publisher:
        names.add(key(page.decoded.raw.publisher))
    return frozenset(names - {""})


def _hosts(page: Page) -> frozenset[str]:
    """The name in the site's address, which a title element may have at its end: "tires.harbour.example" gives "harbour"."""
    labels = (domain_of(page.decoded.raw.url) or "").split(".")
    return frozenset({key(label) for label in labels[-3:-1] if len(label) > _SITE_LETTERS})


def _agreement(one: str, other: str, sites: frozenset[str]) -> float:
    """Share of the shorter title's words that the other has too, 0..1; letters instead in scripts without spaces.

    The name of the site is no word of a title.
    """
    a, b = key(one), key(other)
    if not a or not b:
        return 0.0
    if a in b or b in a:
        # A short part from the middle of a title is no headline.
        return len(b) / len(a) if len(b) < len(a) else 1.0 if b.startswith(a) or len(a) >= _PART * len(b) else 0.0
    words, more = ({word for word in title.casefold().split() if key(word) not in sites} for title in (one, other))
    return len(words & more) / max(1, min(len(words), len(more)))


def _cut(claim: Claim, sites: frozenset[str], hosts: frozenset[str], others: Sequence[Claim]) -> Claim:
    """Cut the site's name off either end, or what another claim shows to be more than the headline."""
    value = claim.value
    parts = [(match.start(), match.end()) for match in _SEPARATOR.finditer(value)]
    for start, end in reversed(parts):
        head, tail = value[:start], value[end:]
        if (key(tail) and _is_site(key(tail), sites | hosts)) or (
            key(tail) and len(key(head)) >= _MIN_LETTERS and any(key(other.value) == key(head) for other in others)
        ):
            value = head
    parts = [(match.start(), match.end()) for match in _SEPARATOR.finditer(value)]
    for start, end in parts[:1]:
        if key(value[:start]) in sites and len(key(value[end:])) >= _MIN_LETTERS:
            value = value[end:]
    if value == claim.value or not key(value):
        return claim
    return Claim(field="title", value=value.strip(), origin=claim.origin, rule=f"{claim.rule} without site name")


def _is_site(part: str, sites: frozenset[str]) -> bool:
    return any(
        part == site or (len(part) >= _SITE_LETTERS and (part in site or site in part) and len(part) <= len(site) + 12)
        for site in sites
    )
