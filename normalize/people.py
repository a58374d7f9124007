"""Who wrote a story: people as a clean list, agencies apart."""

import re
from collections.abc import Sequence

from normalize.boilerplate.lexicon import load_lexicon
from normalize.boilerplate.lines import is_agency
from normalize.headline import site_names
from normalize.main_text import key
from schemas.document import Claim, Page

#: Between two people in one byline. A comma alone may also part a name from a role.
_BETWEEN = re.compile(r"\s*(?:[;/|•·&，、]|,(?!\s*(?:jr|sr|ii|iii)\b)|\s(?:and|und|et|y|e|i|и|і|та|och|og|ja|en|és|και|ve|và|و|και|a|şi|și)\s)\s*", re.IGNORECASE)
_NOISE = re.compile(r"https?://\S+|www\.\S+|\S+@\S+|[(\[<（【][^)\]>）】]*[)\]>）】]|\d{2,}|[@#]\S+")
_EDGE = re.compile(r"^[\s\W_]+|[\s,;:|/\\–—•·]+$")

#: A person's name, in words and characters; longer texts are descriptions.
_MOST_WORDS = 6
_NAME_CHARS = range(2, 61)

#: What systems print where a name should be.
_NO_NAME = frozenset(
    "admin administrator editor editors redaktion redaction redacción redazione redakcja redakce redação redactie editorial staff newsroom "
    "webmaster guest unknown none null author редакция редакція σύνταξη newsdesk onlineredaktion haber merkezi desk".split()
)

_GROUPS = ("json-ld", "meta", "microdata", "block", "link")


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
    """Split a byline into the names of people in it."""
    text = _NOISE.sub(" ", byline)
    hit = load_lexicon().find(text)
    if hit and hit.role == "author" and hit.how == "start":
        text = re.sub(rf"^\W*{re.escape(hit.phrase.strip(' :：'))}\W*", "", text, flags=re.IGNORECASE)
    return [name for part in _BETWEEN.split(text) if (name := _EDGE.sub("", part)) and _is_name(name)]


def _is_name(name: str) -> bool:
    words: Sequence[str] = name.split()
    if len(name) not in _NAME_CHARS or len(words) > _MOST_WORDS or any(char.isdigit() for char in name):
        return False
    if all(word.casefold().strip(".") in _NO_NAME for word in words):
        return False
    # Where a script has capitals, a name begins with one ("van der Berg" ends with one).
    cased = [word for word in words if word[0].isalpha() and word.lower() != word.upper()]
    return not cased or cased[0][0].isupper() or cased[-1][0].isupper()
