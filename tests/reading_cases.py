"""Feeds, sitemaps and pages that lie as files in tests/cases/, each with what it must come out as in a TOML file beside it.

about      what the sample shows
url        where it was fetched
charset    what the HTTP header says, if anything
[reading]  the fields of the reading; those that are not there must be empty
[[entries]], [[maps]]   the same of each entry
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.crawl.entry import Entry, Reading

CASES = Path(__file__).parent / "cases"


@dataclass(frozen=True)
class ReadingCase:
    content: bytes
    url: str
    charset: str | None
    expected: Reading


def samples(folder: str) -> list[Path]:
    """The samples of a folder, without their expectations."""
    return sorted(path for path in (CASES / folder).iterdir() if path.suffix != ".toml")


def read_case(path: Path) -> ReadingCase:
    table = tomllib.loads(path.with_suffix(".toml").read_text("utf-8"))
    reading = {name: _frozen(value) for name, value in table["reading"].items()}
    for name in ("entries", "maps"):
        reading[name] = tuple(
            Entry(**{key: _frozen(value) for key, value in entry.items()}) for entry in table.get(name, ())
        )
    return ReadingCase(path.read_bytes(), table["url"], table.get("charset"), Reading(**reading))


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
