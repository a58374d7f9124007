"""Names of people in a byline."""

import re
from typing import Final

#: Between two people in one byline. A comma alone may also part a name from a role.
_BETWEEN: Final = re.compile(
    r"\s*(?:[;/|•·&，、]|,(?!\s*(?:jr|sr|ii|iii)\b)|\s(?:and|und|et|y|e|i|и|і|та|och|og|ja|en|és|και|ve|và|و|a|şi|și|dan|în)\s)\s*",
    re.IGNORECASE,
)
_NOISE: Final = re.compile(r"https?://\S+|www\.\S+|\S+@\S+|[(\[<（【][^)\]>）】]*[)\]>）】]|\d{2,}|[@#]\S+")
_EDGE: Final = re.compile(r"^[\s\W_]+|[\s,;:|/\\–—•·)\]）】]+$")

#: A person's name, in words and characters; longer texts are descriptions.
_MOST_WORDS: Final = 6
_NAME_CHARS: Final = range(2, 51)

#: Small words inside names.
_PARTICLES: Final = frozenset(
    "von van de der den del della di da dos das du la le el al bin ibn ben ten ter zu af av y e i ap".split()
)

#: What systems print where a name should be.
_NO_NAME: Final = frozenset(
    "admin administrator editor editors redaktion redaction redacción redazione redakcja redakce redação redactie editorial staff newsroom "
    "webmaster guest unknown none null author редакция редакція σύνταξη newsdesk onlineredaktion haber merkezi desk".split()
)


def names_in(byline: str) -> list[str]:
    """Split a byline, without its "By", into names; empty where any part of it is prose.

    >>> names_in("Ann Lee and Bo van Dyk")
    ['Ann Lee', 'Bo van Dyk']
    >>> names_in("the end of the decade")
    []
    """
    parts = [name for part in _BETWEEN.split(_NOISE.sub(" ", byline)) if (name := _EDGE.sub("", part))]
    return parts if parts and is_name(parts[0]) and not re.search(r"[.!?。]\s", byline) else []


def is_name(name: str) -> bool:
    """Could this be the name of one person? Where a script has capitals, all but the small words begin with one."""
    words = name.split()
    if len(name) not in _NAME_CHARS or len(words) > _MOST_WORDS or any(char.isdigit() for char in name):
        return False
    if all(word.casefold().strip(".") in _NO_NAME for word in words):
        return False
    cased = [word for word in words if word[0].lower() != word[0].upper()]
    return all(word[0].isupper() or word.casefold() in _PARTICLES for word in cased) and (
        not cased or any(word[0].isupper() for word in cased)
    )
