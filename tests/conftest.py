"""What the tests share: a home without anybody's models, and reading a file in one line."""

import os
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from hypothesis import settings
from translating import PACKAGES

from ingest.sources import Limits, find_inputs, read_input
from normalize.options import TranslateOptions
from normalize.translate.models import Models, find_models
from normalize.translate.packages import add

from source_outcomes import Outcomes, Read


def pytest_configure(config: pytest.Config) -> None:
    """Keep the translation models of whoever runs the tests out of them, in the commands they start as well.

    Here and not in a fixture: argostranslate looks at these when it is imported, and makes folders there.
    """
    home = tempfile.TemporaryDirectory(prefix="babelwire-tests-")
    config.add_cleanup(home.cleanup)
    for name in ("DATA", "CONFIG", "CACHE"):
        os.environ[f"XDG_{name}_HOME"] = str(Path(home.name) / name.lower())
    os.environ.pop("ARGOS_PACKAGES_DIR", None)
    # A machine that is busy with other things must not fail a property.
    settings.register_profile("patient", deadline=None)
    settings.load_profile("patient")


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Write bytes to a file of that name and read it as a source."""

    def read_bytes(name: str, data: bytes, limits: Limits | None = None) -> Outcomes:
        path = tmp_path / name
        path.write_bytes(data)
        (source,) = find_inputs([str(path)])
        return list(read_input(source, limits or Limits()))

    return read_bytes


@pytest.fixture(scope="session")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models with those of the demo."""
    place = tmp_path_factory.mktemp("models")
    add(str(PACKAGES), place, "")
    return place


@pytest.fixture(scope="session")
def models(models_dir: Path) -> Models:
    """The models of the demo."""
    return find_models(TranslateOptions(models_dir=str(models_dir)), (), {"XDG_DATA_HOME": "/nowhere"})


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """An address on this machine, and what was asked of it."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", paths
    server.shutdown()
    thread.join()
    server.server_close()
