"""The sample documents come out as their authors meant them; what does not yet is listed, and the list is strict."""

import tomllib
from pathlib import Path

import pytest
from samples import Sample, differences, outcome_of, samples

KNOWN = tomllib.loads((Path(__file__).parent / "cases" / "known_differences.toml").read_text("utf-8"))


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_sample_gives_the_record_its_author_expects(sample: Sample) -> None:
    assert sample.expected, f"{sample.name} has no expected record"
    found = differences(outcome_of(sample), sample.expected)
    # A difference that is gone must be taken off the list, a new one is a regression.
    assert found == KNOWN.get(sample.name, [])


def test_known_differences_name_real_samples() -> None:
    assert set(KNOWN) <= {sample.name for sample in samples()}
