"""Who wrote a story: people as a clean list, agencies apart."""

import re

from normalize.boilerplate.lexicon import load_lexicon
from normalize.boilerplate.lines import is_agency
from normalize.boilerplate.names import is_name, names_in
from normalize.headline import site_names
from normalize.main_text import key
from schemas.document import Claim, Page

_GROUPS = ("site", "json-ld", "meta", "microdata", "block", "link")


def authors(page: Page) -> tuple[tuple[str, ...], Claim | None, tuple[str, ...]]:
    """Give the people, the claim that named them, and the agencies found among the bylines.

    The most trusted origin that names at least one person is taken whole; origins are not mixed, because one person is
    spelt in several ways across them.
    """
    sites = site_names(page)
    agencies: list[str] = []
    for origin in _GROUPS:
        people: list[str] = []
        first: Claim | None = None
        for claim in page.claimed("author"):
            if claim.origin != origin or claim.value.startswith(("http://", "https://", "/")):
                continue
            for name in _names(claim.value):
                if is_agency(name):
                    agencies.append(name)
                elif key(name) not in sites and key(name) not in map(key, people):
                    people.append(name)
                    first = first or claim
        if people:
            return tuple(people), first, tuple(dict.fromkeys(agencies))
    return (), None, tuple(dict.fromkeys(agencies))


def _names(byline: str) -> list[str]:
    """Split a byline into the names in it, without its "By"."""
    hit = load_lexicon().find(byline)
    if hit and hit.role == "author" and hit.how == "start":
        byline = re.sub(rf"^\W*{re.escape(hit.phrase.strip(' :：'))}\W*", "", byline, flags=re.IGNORECASE)
    # The sign of an agency is seldom written like a name.
    if is_agency(byline):
        return [byline]
    return [name for name in names_in(byline) if is_name(name) or is_agency(name)]
