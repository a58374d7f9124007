"""The languages that a script leaves open, and where each detector has them."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from normalize.language.words import Group

Detector = Literal["langdetect", "py3langid", "cld2"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """The languages of one script, in a fixed order."""

    tags: tuple[str, ...]
    #: Tag to its place in ``tags``.
    place: Mapping[str, int]
    #: Whether news in it is rare.
    rare: NDArray[np.bool_]
    #: Whether it is in letters that are not its own.
    romanised: NDArray[np.bool_]
    #: The groups of close languages that are among them.
    groups: tuple[Group, ...]
    #: Letters that some of them do not write; and per letter and language, 1 where the language does not.
    letters: tuple[str, ...]
    foreign: NDArray[np.float64]
    #: Per detector: the languages that it does not know although it knows close ones of their group, with the places of those.
    stand_ins: Mapping[Detector, tuple[tuple[int, NDArray[np.intp]], ...]]
    #: Per detector: the places of the languages it knows, and which of its columns speak for each; where several do, the
    #: best of them, so the rows are filled up with repetitions.
    columns: Mapping[Detector, tuple[NDArray[np.intp], NDArray[np.intp]]]


@cache
def read_tables() -> Mapping[str, Mapping[str, str]]:
    """Read ``languages.toml``, whose comments say what its tables are."""
    found: Mapping[str, Mapping[str, str]] = tomllib.loads(
        files(__package__).joinpath("languages.toml").read_text("utf-8")
    )
    return found


def candidates(
    script: str, foreign: tuple[str, ...], groups: tuple[Group, ...], named: Mapping[Detector, tuple[str, ...]]
) -> Candidates:
    """List the languages of a script and find them among the columns of the detectors.

    Args:
        script: ISO 15924 code.
        foreign: Tags of languages that people write in this script although it is not theirs.
        groups: Groups of close languages.
        named: What each detector calls its columns.
    """
    tables = read_tables()
    usual, rare = (tables[table].get(script, "").split() for table in ("scripts", "rare"))
    tags = (*usual, *rare, *foreign)
    place = {tag: number for number, tag in enumerate(tags)}
    alphabets = {tag: set(row.split()) for tag, row in _letters().get(script, {}).items() if tag in place}
    letters = tuple(sorted(set().union(*alphabets.values())))
    held = tuple(group for group in groups if set(group.members) <= set(tags))
    columns, stand_ins = {}, {}
    for detector, names in named.items():
        found: dict[int, list[int]] = {}
        for column, name in enumerate(names):
            tag = tables[detector].get(name, name)
            if tag in place:
                found.setdefault(place[tag], []).append(column)
        stand_ins[detector] = _stand_ins(held, place, set(found))
        most = max((len(one) for one in found.values()), default=1)
        filled = [one + one[:1] * (most - len(one)) for one in found.values()]
        columns[detector] = (
            np.array(list(found), dtype=np.intp),
            np.array(filled, dtype=np.intp).reshape(-1, most).T,
        )
    return Candidates(
        tags=tags,
        place=place,
        rare=np.array([tag in rare for tag in tags], dtype=np.bool_),
        romanised=np.array([tag in foreign for tag in tags], dtype=np.bool_),
        groups=held,
        letters=letters,
        foreign=np.array(
            [[tag in alphabets and one not in alphabets[tag] for tag in tags] for one in letters], dtype=np.float64
        ).reshape(len(letters), len(tags)),
        stand_ins=stand_ins,
        columns=columns,
    )


def _stand_ins(
    groups: tuple[Group, ...], place: Mapping[str, int], known: set[int]
) -> tuple[tuple[int, NDArray[np.intp]], ...]:
    found = []
    for group in groups:
        places = {place[tag] for tag in group.members}
        close = np.array(sorted(places & known), dtype=np.intp)
        if len(close):
            found += [(one, close) for one in sorted(places - known)]
    return tuple(found)


@cache
def _letters() -> Mapping[str, Mapping[str, str]]:
    found: Mapping[str, Mapping[str, str]] = tomllib.loads(
        files(__package__).joinpath("letters.toml").read_text("utf-8")
    )
    return found
