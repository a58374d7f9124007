"""The phrase lexicon: which role a line of a page has, by what it says, in any language at once.

The phrases stand in ``lexicon/*.toml`` (their README says how they are matched). All languages are looked
up together in one automaton, in time linear in the length of the line, whatever the number of phrases.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final, Literal

import ahocorasick

from schemas.document import RemovedRole

How = Literal["line", "start", "inside"]

#: Longer blocks are prose that happens to contain the words, in characters.
_LONGEST: Final[dict[How, int]] = {"line": 120, "start": 200, "inside": 300}

_DIGITS = re.compile(r"\d+")
#: Combining marks: vowel signs of Indic scripts end words.
_MARKS = frozenset(chr(code) for code in range(0x300, 0x11000) if unicodedata.category(chr(code)) in {"Mn", "Mc"})
#: Scripts written without spaces: a phrase may begin or end anywhere in them.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")


@dataclass(frozen=True, slots=True)
class Hit:
    """A phrase found in a line."""

    role: RemovedRole
    how: How
    #: Language file and phrase: "lexicon:el:διαφήμιση".
    rule: str
    #: The phrase as the language file has it.
    phrase: str
    #: Where the phrase begins and ends in the folded line, in characters.
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Phrase:
    """One entry of a language file."""

    language: str
    role: RemovedRole
    how: How
    #: As the file has it.
    text: str

    @property
    def rule(self) -> str:
        """Name the phrase in a record: language and folded text."""
        return f"lexicon:{self.language}:{normalise(self.text)}"


def fold(text: str) -> str:
    """Fold what varies between sites: compatibility forms, case, numbers, spacing.

    >>> fold("Published:  7 JAN")
    'published: 0 jan'
    """
    folded = text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()
    return _DIGITS.sub("0", " ".join(folded.split()))


def normalise(text: str) -> str:
    """Fold, and strip symbols and punctuation from both ends.

    >>> normalise("  » 12  COMMENTS: ")
    '0 comments'
    """
    return _bare(fold(text))


def _in_word(char: str) -> bool:
    return char.isalnum() or char in _MARKS


def _without_lead(line: str) -> str:
    """Strip symbols and punctuation, or else underscores, from the beginning."""
    begin = 0
    if line.startswith("_"):
        return line.lstrip("_")
    while begin < len(line) and not (line[begin] == "_" or _in_word(line[begin])):
        begin += 1
    return line[begin:]


def _bare(line: str) -> str:
    """Strip symbols and punctuation from both ends."""
    begin, end = 0, len(line)
    while begin < end and not _in_word(line[begin]):
        begin += 1
    while begin < end and not _in_word(line[end - 1]):
        end -= 1
    return line[begin:end]


class Lexicon:
    """All phrases of all languages, ready to be looked up."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        """Index the phrases; of two equal whole lines the first counts."""
        self._lines: dict[str, Phrase] = {}
        within: dict[str, list[Phrase]] = {}
        for phrase in phrases:
            if phrase.how == "line":
                self._lines.setdefault(normalise(phrase.text), phrase)
            else:
                within.setdefault(_without_lead(fold(phrase.text)), []).append(phrase)
        self._automaton = ahocorasick.Automaton()
        for text, known in within.items():
            self._automaton.add_word(text, (text, tuple(known)))
        self._automaton.make_automaton()
        # Several rules ask about the same line, and a site prints the same lines on every page.
        self._find = lru_cache(maxsize=20_000)(self._look_up)

    def find(self, text: str) -> Hit | None:
        """Say what a line is for by its words: as a whole, then how it starts, then what it contains.

        Lines of more than 300 characters are prose, whatever words they contain.
        """
        return None if len(text) > _LONGEST["inside"] else self._find(text)

    def _look_up(self, text: str) -> Hit | None:
        line = _without_lead(fold(text))
        bare = _bare(line)
        if len(bare) <= _LONGEST["line"] and (phrase := self._lines.get(bare)):
            return _hit(phrase, 0, len(bare))
        contained: tuple[Phrase, int, int] | None = None
        started: tuple[Phrase, int, int] | None = None
        for phrase, begin, end in self._occurrences(line):
            if phrase.how == "inside":
                contained = contained or (phrase, begin, end)
            elif begin == 0 and len(line) <= _LONGEST["start"] and (started is None or end > started[2]):
                started = phrase, begin, end
        found = started or contained
        return _hit(*found) if found else None

    def credits(self, text: str) -> list[Hit]:
        """Find the photo credit prefixes ("Photo:") anywhere in a line, for captions that end in one."""
        return [
            _hit(phrase, begin, end)
            for phrase, begin, end in self._occurrences(fold(text))
            if phrase.role == "credit" and phrase.how == "start"
        ]

    def _occurrences(self, line: str) -> Iterator[tuple[Phrase, int, int]]:
        """Give the phrases that stand in a folded line, with their begin and end in characters."""
        if not len(self._automaton):
            return
        for last, (text, phrases) in self._automaton.iter(line):
            begin, end = last - len(text) + 1, last + 1
            if _bounded(line, begin, end):
                for phrase in phrases:
                    yield phrase, begin, end


def _hit(phrase: Phrase, begin: int, end: int) -> Hit:
    return Hit(role=phrase.role, how=phrase.how, rule=phrase.rule, phrase=phrase.text, begin=begin, end=end)


def _bounded(line: str, begin: int, end: int) -> bool:
    """Does the phrase stand between word boundaries? Scripts without spaces have them everywhere."""
    before, first, last, after = line[begin - 1 : begin], line[begin], line[end - 1], line[end : end + 1]
    starts = not (before.isalnum() and first.isalnum()) or bool(_UNSPACED.match(first))
    return starts and (not (after.isalnum() and last.isalnum()) or bool(_UNSPACED.match(last)))


@cache
def load_lexicon() -> Lexicon:
    """Read the language files that come with babelwire, once per process."""
    return Lexicon(read_phrases())


def read_phrases() -> tuple[Phrase, ...]:
    """Read every phrase of every language file, in the order of file names and of each file."""
    found = []
    for file in sorted(files(__package__).joinpath("lexicon").iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".toml"):
            language = file.name.removesuffix(".toml")
            table: dict[RemovedRole, dict[How, list[str]]] = tomllib.loads(file.read_text("utf-8"))  # type: ignore[assignment]  # held by a test of the data
            for role, kinds in table.items():
                for how, texts in kinds.items():
                    found += [Phrase(language=language, role=role, how=how, text=text) for text in texts]
    return tuple(found)
