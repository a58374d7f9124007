"""Who wrote a story: people as a clean list, agencies apart."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from normalize.address import domain_of
from normalize.boilerplate.lines import is_agency
from normalize.boilerplate.names import is_person, names_in, names_others
from normalize.headline import site_names
from normalize.main_text import key
from schemas.document import Block, Claim, Page

#: Most trusted first. Within one, each rule (each meta name) is a list of its own.
_GROUPS = ("site", "json-ld", "meta", "microdata", "link", "byline", "profile", "block")

#: A byline stands so near the headline or the first paragraph, and its parts so near each other, in blocks.
_ABOVE = 6
_BELOW = 8
_NEXT = 2
_CLOSING = 4

#: The longest byline with places, roles and times in it, in characters.
_LONGEST_BYLINE = 200

#: Names of sites shorter than this stand inside people's names by chance, in letters.
_SITE_LETTERS = 4

#: The longest name of an agency, in words.
_AGENCY_WORDS = 4

_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_DOMAIN = re.compile(r"(?:[\w-]+\.)+[a-z]{2,}", re.IGNORECASE)

#: Library records put the family name first ("Lee, Ann Marie"); elsewhere only two single words are read so.
_FAMILY_FIRST = frozenset({"dc.creator", "dcterms.creator", "citation_author"})


class _Sites(NamedTuple):
    """Folded names of the site: as it calls itself, and as its address does."""

    names: frozenset[str]
    addresses: frozenset[str]


def authors(page: Page) -> tuple[tuple[str, ...], Claim | None, tuple[str, ...]]:
    """Give the people, the claim that named them, and the agencies found among the bylines.

    The most trusted origin that names at least one person is taken whole; origins are not mixed, because one person is
    spelt in several ways across them. Only where the elements marked as the author's name all these people and more, they
    are believed.
    """
    sites = _sites(page)
    agencies: dict[str, None] = {}
    found: list[tuple[list[str], Claim]] = []
    for bylines in _lists(page):
        people: list[str] = []
        first: Claim | None = None
        for claim, parts in bylines:
            for name in _people(parts, claim, sites, agencies):
                _add(people, name)
                first = first or claim
        if first:
            found.append((people, first))
    if not found:
        return (), None, tuple(agencies)
    best = _best(found)
    for other in found:
        if other[1].origin in {"microdata", "link"} and _is_more(other[0], best[0]):
            best = other
    return tuple(best[0]), best[1], tuple(agencies)


def _best(found: list[tuple[list[str], Claim]]) -> tuple[list[str], Claim]:
    """Take JSON-LD's word, else the first list that another one agrees with: a meta element may name the publishing house."""
    if found[0][1].origin == "json-ld":
        return found[0]
    keys = [{key(name) for name in people} for people, _ in found]
    agreed = (n for n, own in enumerate(keys) if any(own & other for m, other in enumerate(keys) if m != n))
    return found[next(agreed, 0)]


def _is_more(people: list[str], than: list[str]) -> bool:
    return {key(name) for name in people} > {key(name) for name in than}


def _lists(page: Page) -> Iterator[list[tuple[Claim, list[str]]]]:
    """Give the lists of bylines that compete, most trusted first."""
    claims = page.claimed("author")
    for origin in _GROUPS[:-1]:
        for rule in dict.fromkeys(claim.rule for claim in claims if claim.origin == origin):
            yield [
                (claim, _split(claim.value, rule))
                for claim in claims
                if claim.origin == origin and claim.rule == rule and not claim.value.startswith(("http", "/"))
            ]
    yield from _lines(page, claims)
    for rule in dict.fromkeys(claim.rule for claim in claims if claim.is_given):
        yield [(claim, _split(claim.value, rule)) for claim in claims if claim.is_given and claim.rule == rule]


def _split(value: str, rule: str) -> list[str]:
    if is_agency(value):
        return [value]
    family, comma, given = value.partition(",")
    if comma and "," not in given and (len(value.split()) == 2 or (rule in _FAMILY_FIRST and len(family.split()) == 1)):  # noqa: PLR2004
        name = f"{given.strip()} {family.strip()}"
        if is_person(name) and not any(map(is_agency, name.split())):
            return [name]
    return names_in(value) or ([value] if value.islower() else [])


def _lines(page: Page, claims: Iterable[Claim]) -> Iterator[list[tuple[Claim, list[str]]]]:
    """Give the bylines among the page's lines: near the headline, right below the story, anywhere."""
    said = [claim for claim in claims if claim.origin == "block" and not names_others(claim.rule.rpartition(":")[2])]
    numbers = [
        n for n, block in enumerate(page.blocks) if block.role == "author" and len(block.text) <= _LONGEST_BYLINE
    ]
    kept = [n for n, block in enumerate(page.blocks) if block.keep]
    title = next((n for n, block in enumerate(page.blocks) if block.role == "title"), None)
    top, below = (kept[0], kept[-1]) if kept else (len(page.blocks), len(page.blocks))
    start = (title if title is not None and title < top + _BELOW else top) - _ABOVE
    near = [n for n in numbers if start <= n <= max(top, title or 0) + _BELOW]
    # A byline stands below its headline more often than above it.
    near.sort(key=lambda n: (title is not None and n < title, n))
    closing = [n for n in numbers if below < n <= below + _CLOSING]
    for some in (near, closing):
        for run in _runs(some):
            yield [(_claim(page.blocks[n], said), _of_block(page.blocks[n])) for n in run]
    yield from ([(claim, _split(claim.value, ""))] for claim in said if claim.rule != "place:author")


def _runs(numbers: list[int]) -> Iterator[list[int]]:
    """Group the numbers of blocks that follow each other closely."""
    run: list[int] = []
    for number in numbers:
        if run and not 0 < number - run[-1] <= _NEXT:
            yield run
            run = []
        run.append(number)
    if run:
        yield run


def _claim(block: Block, said: list[Claim]) -> Claim:
    """Give the claim that a rule made of this block, or make one."""
    made = next((claim for claim in said if claim.value and claim.value in block.text), None)
    return made or Claim(field="author", value=block.text, origin="block", rule=block.rule)


def _of_block(block: Block) -> list[str]:
    """Split a line by its links where these are the names in it, since they may stand without a comma between them."""
    words = [words for _, words in block.links if len(words.split()) > 1 and is_person(words)]
    if len(words) > 1 and sum(map(len, map(key, words))) >= 0.8 * len(key(block.text)):
        return words
    return names_in(block.text)


def _people(parts: list[str], claim: Claim, sites: _Sites, agencies: dict[str, None]) -> Iterator[str]:
    """Give the people of one byline; agencies go to their own list, sites and roles nowhere."""
    if _is_site(claim.value, sites):
        return
    people = []
    for part in parts:
        name, agency = _without_agency(part)
        if agency:
            agencies[agency] = None
        if (
            name
            and not _is_site(name, sites)
            and (is_person(name, alone=len(parts) == 1) or _is_plain_person(name, claim))
        ):
            people.append(name)
    long = [name for name in people if " " in name]
    # Beside whole names a single word is a place or a role ("Ann Lee and Bo Ek, Nairobi").
    yield from (name for name in people if name in long or not long or _UNSPACED.search(name))


def _is_plain_person(name: str, claim: Claim) -> bool:
    """Is this a name that its owner writes without capitals, where the markup says that it is one?"""
    words = name.split()
    return (
        claim.origin in {"json-ld", "meta"}
        and len(words) in {2, 3}
        and name.islower()
        and name.replace(" ", "").replace("-", "").isalpha()
        and is_person(name.title())
    )


def _without_agency(part: str) -> tuple[str, str | None]:
    """Part "Ann Lee The Associated Press" into the person and the agency."""
    if is_agency(part):
        return "", part
    words = part.split()
    for size in range(min(_AGENCY_WORDS, len(words) - 2), 0, -1):
        end = " ".join(words[-size:])
        if is_agency(end):
            return " ".join(words[:-size]).removesuffix(" The"), end.removeprefix("The ")
    return part, None


def _sites(page: Page) -> _Sites:
    domain = domain_of(page.decoded.raw.url) or ""
    return _Sites(site_names(page), frozenset({key(domain), key(domain.split(".")[0])} - {""}))


def _is_site(name: str, sites: _Sites) -> bool:
    """Is this the site's name, a good part of it, or the site's name with a region behind it?

    The owner of a blog may have given their name to the address ("annlee.example"), so there only single words count.
    """
    letters = key(name)
    words = name.split()
    if _DOMAIN.fullmatch(name.strip()) or {letters, letters.removeprefix("the")} & sites.names:
        return True
    if len(words) == 1 and letters in sites.addresses:
        return True
    if len(words) == 1 and len(letters) >= _SITE_LETTERS and any(letters in site for site in sites.names):
        return True
    # "MDR Thüringen" on MDR's pages: a name in capitals is no person's first name.
    return bool(words) and words[0].isupper() and len(words[0]) > 1 and key(words[0]) in sites.names | sites.addresses


def _add(people: list[str], name: str) -> None:
    """Add a person, unless they are there: in other letters, or with or without a middle name."""
    for number, known in enumerate(people):
        if key(known) == key(name):
            return
        long, short = sorted((known.split(), name.split()), key=len, reverse=True)
        if (
            len(short) == 2  # noqa: PLR2004
            and len(long) == 3  # noqa: PLR2004
            and [key(short[0]), key(short[1])] == [key(long[0]), key(long[2])]
        ):
            people[number] = " ".join(long)
            return
    people.append(name)
