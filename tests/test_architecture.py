"""What the design promises of the code, the lock, the seeds and the README, held by reading them."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from samples import SEEDS

ROOT = Path(__file__).parent.parent
LAYERS = ("ingest", "normalize", "schemas")
"""Each may import those that follow it, and itself."""

MODULES = sorted(path for layer in LAYERS for path in (ROOT / layer).rglob("*.py"))


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def imported(path: Path) -> set[str]:
    """Name every module that a file imports, at whatever depth."""
    found: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively; write the whole name"
            found.add(node.module or "")
    return found


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_run_one_way(path: Path) -> None:
    layer = path.relative_to(ROOT).parts[0]
    below = LAYERS[LAYERS.index(layer) :]
    ours = {name.partition(".")[0] for name in imported(path)} & {*LAYERS, "tests", "seeds"}
    assert ours <= set(below)


#: Packages that open connections. Each may be imported only by the modules named beside it.
NETWORK: dict[str, tuple[str, ...]] = {
    "socket": ("ingest/crawl/", "ingest/engines/ray.py"),
    "ssl": ("ingest/crawl/",),
    "http.client": ("ingest/crawl/", "normalize/translate/packages.py"),
    "urllib.request": ("ingest/crawl/", "normalize/translate/packages.py"),
    "ftplib": (),
    "smtplib": (),
    "requests": (),
    "httpx": (),
    "aiohttp": (),
    "urllib3": ("ingest/crawl/",),
    "scrapy": ("ingest/crawl/",),
    "twisted": ("ingest/crawl/",),
    "feedparser": ("ingest/crawl/",),
    "playwright": ("ingest/crawl/browser.py",),
    "ray": ("ingest/engines/ray.py",),
}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_the_crawler_and_the_model_store_know_the_network(path: Path) -> None:
    names = imported(path)
    for package, allowed in NETWORK.items():
        if any(name == package or name.startswith(f"{package}.") for name in names):
            assert name_of(path).startswith(allowed or ("nowhere",)), f"{name_of(path)} imports {package}"


OFFLINE = """
import importlib, socket, sys

def refuse(*arguments, **_):
    raise AssertionError(f"network at import: {arguments}")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = refuse
for name in sys.argv[1:]:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        # An extra that is not installed here (ray, scrapy) may be missing; a module of ours may not.
        if (error.name or "").partition(".")[0] in ("ingest", "normalize", "schemas"):
            raise
"""


def test_no_module_touches_the_network_at_import() -> None:
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in MODULES if path.stem != "__main__"]
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE, *names], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_nothing_runs_code_that_it_reads() -> None:
    for path in MODULES:
        called = {
            node.func.id
            for node in ast.walk(tree_of(path))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert not called & {"eval", "exec", "__import__"}, name_of(path)


# ---- the lock -------------------------------------------------------------------------------------

LOCK = (ROOT / "requirements.lock").read_text("utf-8")


def requirements() -> list[str]:
    """Give each requirement of the lock with the lines that belong to it, comments left out."""
    lines = [line for line in LOCK.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return re.split(r"\n(?=\S)", "\n".join(lines))


def test_every_locked_requirement_has_one_version_and_a_hash() -> None:
    for requirement in requirements():
        assert re.match(r"[a-z0-9._-]+(\[[a-z0-9,._-]+\])?==\S+", requirement), requirement
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", requirement), requirement


def test_the_lock_names_no_address() -> None:
    assert not re.search(r"https?://|git\+|file:|--(extra-)?index-url|--find-links|--trusted-host", LOCK)


def test_the_lock_is_free_of_what_would_fill_a_disk() -> None:
    names = {re.split(r"[=\[]", requirement)[0] for requirement in requirements()}
    assert not names & {"torch", "stanza", "spacy", "tensorflow", "transformers"}
    assert not {name for name in names if name.startswith("nvidia-")}


def test_every_requirement_of_the_project_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    names = {re.split(r"[=\[]", requirement)[0] for requirement in requirements()}
    for wanted in (*project["dependencies"], *project["optional-dependencies"]["dev"]):
        assert re.split(r"[<>=\[ ]", wanted)[0].lower() in names


# ---- the seeds ------------------------------------------------------------------------------------

PAGES = sorted((SEEDS / "pages").iterdir())
EXPECTED = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted((SEEDS / "expected").iterdir())}


def expected_records() -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for expected in EXPECTED.values():
        record = expected.get("record", [])
        found += record if isinstance(record, list) else [record]
    return found


def test_every_sample_page_has_an_expected_outcome_and_the_other_way_round() -> None:
    assert sorted(path.stem for path in PAGES) == list(EXPECTED)


def test_every_sample_page_is_named_in_the_catalogue() -> None:
    catalogue = tomllib.loads((SEEDS / "sources.toml").read_text("utf-8"))
    named = [file for source in catalogue["source"] for file in source["files"]]
    assert sorted(named) == [f"pages/{path.name}" for path in PAGES]


def test_the_samples_cover_many_documents_languages_and_scripts() -> None:
    records = expected_records()
    languages = {str(record["lang"]).partition("-")[0] for record in records}
    scripts = {record["lang_script"] for record in records}
    assert len(records) >= 40
    assert len(languages) >= 16
    assert len(scripts) >= 8
