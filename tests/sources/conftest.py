"""What the tests of sources share: reading a file in one line, and the documents it held."""

from pathlib import Path

import pytest

from ingest.sources import Limits, find_inputs, read_input

from source_outcomes import Outcomes, Read


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write bytes to a file of that name and read it as a source."""

    def read_bytes(name: str, data: bytes, limits: Limits | None = None) -> Outcomes:
        path = tmp_path / name
        path.write_bytes(data)
        (source,) = find_inputs([str(path)])
        return list(read_input(source, limits or Limits()))

    return read_bytes
