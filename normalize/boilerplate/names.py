"""Names of people in a byline."""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from normalize.dates import find_moment

#: The end of an element, as ``metadata`` writes it: what follows is no part of the name, but may be another one.
ELEMENT_END: Final = "\N{BROKEN BAR}"
_ENDS: Final = re.compile(rf"\s*{ELEMENT_END}\s*")
#: Between two people, or a person and something else, in one byline. A word between them is looked up.
_BETWEEN: Final = re.compile(r"\s*(?:[;/|•·&，、+\n]|,(?!\s*(?:jr|sr|ii|iii|iv)\b))\s*", re.IGNORECASE)
_DASH: Final = re.compile(r"(?<=\w\s)[–—-](?=\s)")
_BRACKETS: Final = re.compile(r"[(\[<（【][^)\]>）】]*[)\]>）】]")
_NOISE: Final = re.compile(r"https?://\S+|www\.\S+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|[@#][\w.]+")
_EDGE: Final = re.compile(r"^[\s\W_]+|[\s,;:|/\\–—•·)\]）】]+$")
#: A full stop that ends a sentence, and no initial or title.
_SENTENCE: Final = re.compile(r"(?<!\b\w)(?<!\b[DJSM][rst])(?<!\bMrs)(?<!\bPh)\.\s+\w|[!?]\s|。")
#: "4 min read" and what else begins with a number.
_NUMBER: Final = re.compile(r"\s*\d.*")
#: Two words that ran together in the markup ("Ann LeeSenior Editor").
_GLUED: Final = re.compile(r"(?<=[a-zß-öø-ÿ])(?=[A-ZÀ-Þ])")
#: "Ann Lee in Nairobi".
_WHERE: Final = re.compile(r"(?<=\w\w)\s(?:in|on|at|for|à|aus|im|en)\s")
_GLUED_BY: Final = re.compile(r"^by(?=[A-ZÀ-Þ])", re.IGNORECASE)

#: A person's name, in words and characters; longer texts are descriptions.
_MOST_WORDS: Final = 6
_NAME_CHARS: Final = range(2, 51)
#: Longer bylines are biographies, in characters.
_LONGEST: Final = 400
#: The longest entry in front of a name, in words.
_LONGEST_BEFORE: Final = 4

#: Small words inside names.
_PARTICLES: Final = frozenset(
    "von van de der den del della di da dos das du la le el al bin ibn ben ten ter zu af av y e i ap und".split()
)


#: "Die Welt", "Le Monde".
_ARTICLES: Final = frozenset({"die", "der", "das", "le", "la", "el", "il", "de"})
#: A sign of an author in capitals ("AL"), in letters.
_INITIALS: Final = 3


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of ``data/bylines.toml``, folded."""

    before: frozenset[str]
    others: frozenset[str]
    between: frozenset[str]
    roles: frozenset[str]
    houses: frozenset[str]
    papers: frozenset[str]
    nobody: frozenset[str]
    buttons: frozenset[str]
    degrees: frozenset[str]


@cache
def _words() -> _Words:
    table = tomllib.loads(files("normalize").joinpath("data", "bylines.toml").read_text("utf-8"))
    return _Words(**{name: frozenset(map(_fold, entry["words"])) for name, entry in table.items()})


def _fold(word: str) -> str:
    return word.casefold().strip(" .,:;®™'’")


def names_in(byline: str) -> list[str]:
    """Split a byline into names, people's and houses', without "By", times, addresses and roles.

    Empty where the line begins with no name or is prose.

    >>> names_in("By Ann Lee, staff writer, and Bo van Dyk | 7 January 2026")
    ['Ann Lee', 'Bo van Dyk']
    >>> names_in("the end of the decade")
    []
    """
    if len(byline) > _LONGEST:
        return []
    text = _NOISE.sub(" | ", _BRACKETS.sub(" ", byline))
    for _ in range(2):
        found = find_moment(text) if any(map(str.isdecimal, text)) else None
        if found is None:
            break
        text = f"{text[: found.start]} | {text[found.end :]}"
    elements = _ENDS.split(_joined(text))
    if len(elements) > 1 and all(" " in element and is_person(element) for element in elements):
        return elements
    for element in sorted(elements, key=lambda element: not _begins_with_by(element)):
        parts = [] if _SENTENCE.search(element) else _parts(element)
        if parts and (is_name(parts[0]) or _is_known(parts[0])):
            return parts
        if parts and ELEMENT_END not in text:
            return []
    return []


def _begins_with_by(element: str) -> bool:
    return _fold(element.split(None, 1)[0]) in _words().before if element.strip() else False


def _joined(text: str) -> str:
    """Take the ends of elements away where a comma or a word for "and" goes on with the next name, or "By" with its own."""
    words = _words()
    pieces = _ENDS.split(text)
    joined = ""
    for piece in pieces:
        last = joined.rsplit(None, 1)[-1] if joined.strip() else ""
        goes_on = (
            joined.rstrip().endswith((",", "&", ";", "/", "、", ":"))
            or piece.lstrip().startswith((",", "&", ";", "/", "、"))
            or _is_between(last)
            or _is_between(piece.split(None, 1)[0] if piece.strip() else "")
            or _fold(_ENDS.split(joined)[-1]) in words.before | words.others
        )
        joined += (" " if goes_on else f" {ELEMENT_END} ") + piece if joined else piece
    return joined


def _parts(text: str) -> list[str]:
    parts: list[str] = []
    skip = False
    for segment in _BETWEEN.split(_GLUED.sub(_unglued, text)):
        name, kind = _without_lead(_EDGE.sub("", " ".join(segment.split())))
        if kind == "others":
            # "Photos by | Ann Lee": the name may stand in the next part.
            skip = not name
            continue
        if parts and _has_role(name):
            continue
        for part in _between_words(name):
            clean = _EDGE.sub("", _NUMBER.sub("", part))
            clean = clean if parts else _trimmed(clean)
            if clean and not skip:
                parts.append(clean)
        skip = skip and not name
    return parts


def _has_role(part: str) -> bool:
    return any(_fold(word) in _words().roles | _words().houses for word in part.split())


def _unglued(match: re.Match[str]) -> str:
    """Part two words that ran together where the second is a role ("LeeEditor"), and leave "McDonald" alone."""
    tail = re.match(r"[\w-]+", match.string[match.end() :])
    words = _words()
    known = words.roles | words.houses | words.buttons | {"senior", "chief"}
    return " | " if tail and _fold(_GLUED.split(tail[0])[0]) in known else ""


def _without_lead(segment: str) -> tuple[str, str]:
    """Take "By" and the like off the front; say "others" where the word names somebody who did not write."""
    segment = _GLUED_BY.sub("by ", segment)
    if " by " in segment and not segment.casefold().startswith("by "):
        head, _, tail = segment.rpartition(" by ")
        if _fold(f"{head} by") in _words().others:
            return _EDGE.sub("", tail), "others"
        segment = f"by {tail}"
    kind = "before"
    for _ in range(2):
        tokens = segment.replace(":", ": ").replace("：", "： ").split()
        for size in range(min(_LONGEST_BEFORE, len(tokens)), 0, -1):
            lead, rest = _fold(" ".join(tokens[:size]).strip(":： ")), tokens[size:]
            colon = tokens[size - 1][-1:] in {":", "："}
            if lead in _words().others and (colon or " " in lead or not rest):
                return _EDGE.sub("", " ".join(rest)), "others"
            if lead in _words().before and _may_lead(lead, rest, colon=colon):
                segment = _EDGE.sub("", " ".join(rest))
                break
        else:
            break
    return segment, kind


def _may_lead(lead: str, rest: list[str], *, colon: bool) -> bool:
    """Is this word a "By" here, and not the beginning of a name ("von der Leyen", "Da Silva")?"""
    if colon or not rest:
        return True
    if lead in _PARTICLES and (rest[0] in _PARTICLES or len(rest) == 1):
        return False
    return lead not in _PARTICLES or len(rest) > 1


def _between_words(segment: str) -> list[str]:
    """Split at "and" in any language; at its one-letter forms only between two whole names ("Ortega y Gasset")."""
    if (dash := _DASH.search(segment)) and " " in segment[: dash.start()].strip():
        return [*_between_words(segment[: dash.start()]), *_between_words(segment[dash.end() :])]
    tokens = segment.split()
    parts: list[list[str]] = [[]]
    for number, token in enumerate(tokens):
        after = next((n for n, word in enumerate(tokens[number + 1 :]) if _is_between(word)), len(tokens) - number - 1)
        whole = len(parts[-1]) > 1 and after > 1
        if _is_between(token) and (len(token) > 2 or whole or not token.isalpha()):  # noqa: PLR2004
            parts.append([])
        else:
            parts[-1].append(token)
    return [" ".join(part) for part in parts if part]


def _is_between(token: str) -> bool:
    return token in _words().between


def _trimmed(name: str) -> str:
    """Take roles and degrees off the end of a name, as long as two words are left."""
    tokens = _WHERE.split(name)[0].split()
    words = _words()
    while len(tokens) > 2 and (_fold(tokens[-1]) in words.roles or _is_degree(tokens[-1])):  # noqa: PLR2004
        tokens.pop()
    if len(tokens) > 2 and _fold(tokens[-1]) in {"senior", "staff", "chief", "managing", "executive", "associate"}:  # noqa: PLR2004
        tokens.pop()
    # Chinese, Japanese and Korean set the role behind one name ("박준석 기자").
    while len(tokens) > 1 and not tokens[-1].isascii() and _fold(tokens[-1]) in words.roles:
        tokens.pop()
    return _EDGE.sub("", " ".join(tokens))


def _is_degree(token: str) -> bool:
    return _fold(token) in _words().degrees and (token.isupper() or "." in token or token[-1] in "®D")


def _is_known(part: str) -> bool:
    """Is every word of it one of bylines: a role, a desk, a system's user?"""
    words = _words()
    return all(_fold(word) in words.roles | words.houses | words.nobody for word in part.split())


def names_others(phrase: str) -> bool:
    """Does this phrase before a name say that the person did not write ("edited by")?"""
    return _fold(phrase) in _words().others


def is_name(name: str) -> bool:
    """Could this be the name of one person? Where a script has capitals, all but the small words begin with one."""
    words = name.split()
    if len(name) not in _NAME_CHARS or len(words) > _MOST_WORDS or any(char.isdigit() or char in ":=" for char in name):
        return False
    if _is_known(name):
        return False
    cased = [word for word in words if word[0].lower() != word[0].upper()]
    return all(word[0].isupper() or word.casefold() in _PARTICLES for word in cased) and (
        not cased or (cased[-1][0].isupper() and (cased[0][0].isupper() or len(cased[0]) > 1))
    )


def is_person(name: str, *, alone: bool = True) -> bool:
    """Is this most likely a person: a name, and no role, desk, paper, degree or button?

    A paper's name of two words may be a person's (Emily Post), so it counts as a paper only beside other names.

    >>> [is_person(name) for name in ("Emily Post", "The Harbour Post", "Senior Writer", "Ph.D.")]
    [True, False, False, False]
    """
    tokens = [_fold(word) for word in name.split()]
    words = _words()
    if not is_name(name) or any(token in words.roles | words.houses | words.buttons for token in tokens):
        return False
    if all(map(_is_degree, name.split())) or all(token in words.nobody for token in tokens):
        return False
    if len(tokens) == 1 and name.isascii() and name.isupper() and len(name) <= _INITIALS:
        return False
    is_paper = len(tokens) > 1 and tokens[-1] in words.papers
    return not is_paper or (alone and len(tokens) == 2 and tokens[0] not in _ARTICLES)  # noqa: PLR2004
