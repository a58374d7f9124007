"""Cases that lie as data in tests/cases/, read for the tests."""

import tomllib
from pathlib import Path
from typing import Any

import pytest


def read_cases(name: str) -> list[dict[str, Any]]:
    """Read the ``[[case]]`` tables of one file."""
    found: list[dict[str, Any]] = tomllib.loads((Path(__file__).parent / "cases" / name).read_text("utf-8"))["case"]
    return found


def parameters(cases: list[dict[str, Any]]) -> list[Any]:
    """Give each case its name; one with ``known_failure`` must fail until it is mended."""
    return [
        pytest.param(
            case,
            id=case["name"],
            marks=[pytest.mark.xfail(strict=True, reason=case["known_failure"])] if "known_failure" in case else [],
        )
        for case in cases
    ]
