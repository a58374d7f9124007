"""Words that tell languages: the small words of each, what close languages write differently, and romanised ones."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

#: Languages that people write in Latin letters although those are not theirs get this at their tag.
ROMANISED: Final = "-Latn"

#: A stem in ``groups.toml`` ends with this; a letter stands between two of them.
_STEM: Final = "*"

#: No stem is shorter, in characters.
_SHORTEST_STEM: Final = 2

# Runs of anything but spaces, digits and punctuation; marks belong to their letters, so \w would cut Hindi words.
_WORD: Final = re.compile(r"[^\s\d!-@\[-`{-¿‐-⁯⹀-⹏、-〿।॥،؛؟۔«»ʼ]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The words of one group of close languages."""

    name: str
    members: tuple[str, ...]
    #: Word to the members that write it.
    words: Mapping[str, tuple[str, ...]]
    #: Beginning of a word to the members that write words so.
    stems: Mapping[str, tuple[str, ...]]
    #: Letter to the members that have it in their alphabet.
    letters: Mapping[str, tuple[str, ...]]

    def count(self, words: frozenset[str]) -> Counter[str]:
        """Count for each member the different words and letters that speak for it."""
        found: Counter[str] = Counter()
        if self.letters:
            for letter in self.letters.keys() & set("".join(words)):
                found.update(self.letters[letter])
        for word in words:
            speak = self.words.get(word)
            if speak is None and self.stems:
                cuts = (self.stems.get(word[:size]) for size in range(len(word), _SHORTEST_STEM - 1, -1))
                speak = next((one for one in cuts if one), None)
            if speak:
                found.update(speak)
        return found


def split_words(text: str) -> frozenset[str]:
    """Give the different words of a text in lower case.

    >>> sorted(split_words("L'été – l'ÉTÉ 2026!"))
    ['l', 'été']
    """
    return frozenset(_WORD.findall(text.lower()))


@cache
def groups() -> tuple[Group, ...]:
    """Read the groups of close languages; no language is in two."""
    found = []
    for name, rows in _read("groups.toml").items():
        words: dict[str, list[str]] = {}
        for members, row in rows.items():
            for word in row.split():
                words.setdefault(word, []).extend(members.split())
        found.append(
            Group(
                name=name,
                members=tuple(dict.fromkeys(member for members in rows for member in members.split())),
                words={word: tuple(speak) for word, speak in words.items() if _STEM not in word},
                stems={
                    word[:-1]: tuple(speak) for word, speak in words.items() if word[0] != _STEM and word[-1] == _STEM
                },
                letters={word[1]: tuple(speak) for word, speak in words.items() if word[0] == _STEM},
            )
        )
    return tuple(found)


@cache
def foreign_tags() -> tuple[str, ...]:
    """Give the tags of the languages whose romanised words are known."""
    return tuple(tag + ROMANISED for tag in _read("romanised.toml"))


@cache
def romanised() -> Mapping[str, tuple[str, ...]]:
    """Give each romanised word the tags of the languages that have it."""
    return _tags_of_words({tag + ROMANISED: row.split() for tag, row in _read("romanised.toml").items()})


@cache
def small_words() -> Mapping[str, frozenset[str]]:
    """Give each language the words that hold its sentences together."""
    rows = tomllib.loads((files("normalize") / "data" / "function_words.toml").read_text("utf-8"))
    return {tag: frozenset(row.split()) for tag, row in rows.items()}


@cache
def languages_of_small_word() -> Mapping[str, tuple[str, ...]]:
    """Give each small word the languages that have it."""
    return _tags_of_words({tag: sorted(words) for tag, words in small_words().items()})


def _tags_of_words(words: Mapping[str, Iterable[str]]) -> Mapping[str, tuple[str, ...]]:
    """Turn the words of each tag into the tags of each word."""
    found: dict[str, list[str]] = {}
    for tag, row in words.items():
        for word in row:
            found.setdefault(word, []).append(tag)
    return {word: tuple(tags) for word, tags in found.items()}


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath(name).read_text("utf-8"))
