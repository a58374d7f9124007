"""One table of a TOML file, its values checked as they are read, and every fault named with file, key, value and what is allowed."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

from schemas.errors import SetupError

Check = Callable[[str], str | None]
"""Looks at one value; says what it must be instead, or None where it is fine."""

#: So many faults of one file are told.
_MOST_TOLD: Final = 50


@contextmanager
def noting(faults: list[str]) -> Iterator[None]:
    """Note a fault and go on behind the block, so that a person can mend all that is wrong with a file at once."""
    try:
        yield
    except SetupError as error:
        faults.append(str(error))


def refuse(faults: Sequence[str]) -> None:
    """Stop where faults were noted.

    Raises:
        SetupError: With one fault a line.
    """
    if not faults:
        return
    more = len(faults) - _MOST_TOLD
    lines = [*faults[:_MOST_TOLD], *([f"and {more} more faults"] if more > 0 else [])]
    raise SetupError("\n".join(lines))


class TomlTable:
    """One table, and how to name it in messages."""

    def __init__(self, value: object, *, where: str) -> None:
        """Take a value as TOML read it.

        Raises:
            SetupError: If it is no table.
        """
        if not isinstance(value, dict):
            message = f"{where} is {value!r}; it must be a table of keys and values"
            raise SetupError(message)
        self.values: dict[str, object] = value
        self.where = where

    def refuse_unknown(self, known: Sequence[str]) -> None:
        """Refuse a key that nobody reads: it is a slip of the pen.

        Raises:
            SetupError: At the first.
        """
        for key in self.values:
            if key not in known:
                allowed = ", ".join(sorted(known))
                message = f'{self.where} key "{key}" is unknown; use one of: {allowed}'
                raise SetupError(message)

    def text(self, key: str, check: Check | None = None) -> str | None:
        """Give a string that is not empty; None where the key is missing."""
        value = self.values.get(key)
        return None if value is None else self._checked(key, value, check)

    def texts(self, key: str, check: Check) -> tuple[str, ...] | None:
        """Give a list of such strings; None where the key is missing."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, list):
            message = f"{self.where} {key} is {value!r}; it must be a list of strings"
            raise SetupError(message)
        return tuple(self._checked(key, item, check) for item in value)

    def number(self, key: str, *, least: float, most: float) -> float | None:
        """Give a number within bounds, both included; None where the key is missing."""
        value = self.values.get(key)
        return None if value is None else self._bounded(key, value, least, most)

    def whole(self, key: str, *, least: int, most: int) -> int | None:
        """Give a whole number within bounds, both included; None where the key is missing."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, int):
            message = f"{self.where} {key} is {value!r}; it must be a whole number"
            raise SetupError(message)
        return int(self._bounded(key, value, least, most))

    def span(self, key: str, *, least: float, most: float) -> tuple[float, float] | None:
        """Give two numbers within bounds, the smaller first; None where the key is missing."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, list) or len(value) != 2:  # noqa: PLR2004
            message = f"{self.where} {key} is {value!r}; it must be a list of two numbers, the smaller first"
            raise SetupError(message)
        low, high = (self._bounded(key, item, least, most) for item in value)
        if low > high:
            message = f"{self.where} {key} is {value!r}; the smaller number comes first"
            raise SetupError(message)
        return low, high

    def flag(self, key: str) -> bool | None:
        """Give true or false; None where the key is missing."""
        value = self.values.get(key)
        if value is not None and not isinstance(value, bool):
            message = f"{self.where} {key} is {value!r}; it must be true or false"
            raise SetupError(message)
        return value

    def _bounded(self, key: str, value: object, least: float, most: float) -> float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if (
            not is_number
            or not isinstance(value, int | float)
            or not math.isfinite(value)
            or not least <= value <= most
        ):
            message = f"{self.where} {key} is {value!r}; it must be a number from {least:g} to {most:g}"
            raise SetupError(message)
        return float(value)

    def _checked(self, key: str, value: object, check: Check | None) -> str:
        if not isinstance(value, str) or not value.strip():
            message = f"{self.where} {key} is {value!r}; it must be a string that is not empty"
            raise SetupError(message)
        wanted = None if check is None else check(value)
        if wanted is not None:
            message = f'{self.where} {key} "{value}" is not usable; it must be {wanted}'
            raise SetupError(message)
        return value


def one_of(*allowed: str) -> Check:
    """Make a check that a value is one of a few."""
    return lambda value: None if value in allowed else "one of: " + ", ".join(allowed)


def check_address(value: str) -> str | None:
    """Check that a value is a web address with a host."""
    try:
        parts = urlsplit(value)
        is_complete = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 0) >= 0
    except ValueError:
        is_complete = False
    return None if is_complete else 'an address such as "https://nea-akti.example/feed.xml"'
