"""`babelwire replay`: a past night again from its raw bytes."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
import two_nights

from ingest.cli import main
from ingest.diff import diff

Captured = pytest.CaptureFixture[str]

CATALOGUE = """
[[source]]
id = "quay"
name = "The Quay"
language = "en"
files = ["pages/*.html"]
"""
RULES = """
[[source.rule]]
drop = ["//p[contains(., 'divers')]"]
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with two nights in news/: the second one has a copy of what the first one had."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("BABELWIRE_RUN_WORKERS", "1")
        Path("pages").mkdir()
        Path("sources.toml").write_text(CATALOGUE)
        write("ferry.html", "ferry")
        assert run("2026-01-06") == 0
        write("copy.html", "copy")
        Path("pages/bridge.html").write_text(
            two_nights.page(title="Bridge", address="https://quay.example/b", paragraphs=two_nights.BRIDGE)
        )
        assert run("2026-01-07") == 0
        yield folder


@pytest.fixture(autouse=True)
def folder(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in a copy of that folder."""
    shutil.copytree(made, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    monkeypatch.setenv("BABELWIRE_RUN_WORKERS", "1")


def write(name: str, address: str) -> None:
    """Write the story of the ferry under an address."""
    content = two_nights.page(
        title="Ferry stays in port", address=f"https://quay.example/{address}", paragraphs=two_nights.FERRY
    )
    Path("pages", name).write_text(content)


def run(day: str, output: str = "news", *more: str) -> int:
    return main(["run", "sources.toml", "--output", output, "--to", "off", "--date", day, *more])


def replay(day: str, output: str, *more: str) -> int:
    return main(["replay", "news", "--date", day, "--output", output, *more])


def parts(output: str, day: str = "") -> dict[str, bytes]:
    """Give all parts of a day, by their path."""
    root = Path(output)
    found = [
        path for table in ("articles", "quarantine") for path in root.glob(f"{table}/run_date={day}*/**/*.parquet")
    ]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


@pytest.mark.parametrize("day", ["2026-01-06", "2026-01-07"])
def test_the_same_version_and_options_write_the_same_bytes(day: str) -> None:
    assert replay(day, "again") == 0
    assert parts("again") == parts("news", day)
    assert parts("again")


def test_a_night_knows_of_the_nights_before_it_and_not_of_those_after(capsys: Captured) -> None:
    def copies(output: str) -> int:
        return int(pl.read_parquet(f"{output}/articles/**/*.parquet")["dup_of"].count())

    assert copies("news") == 1
    replay("2026-01-07", "second")
    assert copies("second") == 1
    replay("2026-01-06", "first")
    assert copies("first") == 0
    assert "warning" not in capsys.readouterr().err


def test_other_options_of_a_file_hold_and_diff_shows_what_they_change() -> None:
    Path("other.toml").write_text("[document]\nmin_lang_score = 0.99999\n\n[translate]\ntarget = 'off'\n")
    assert replay("2026-01-07", "again", "--config", "other.toml") == 0
    found = diff("news", "again")
    assert list(found.settings) == ["document.min_lang_score"]
    assert found.in_both == 2


def test_options_of_today_hold_if_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BABELWIRE_DOCUMENT_MIN_LANG_SCORE", "0.6")
    monkeypatch.setenv("BABELWIRE_TRANSLATE_TARGET", "off")
    assert replay("2026-01-07", "then") == 0
    assert diff("news", "then").settings == {}
    assert replay("2026-01-07", "now", "--today") == 0
    assert list(diff("news", "now").settings) == ["document.min_lang_score"]


def test_every_input_that_is_gone_or_has_changed_is_named(capsys: Captured) -> None:
    write("copy.html", "elsewhere")
    Path("pages/bridge.html").unlink()
    assert replay("2026-01-07", "again") == 2
    said = capsys.readouterr().err
    assert "babelwire: 2 inputs of 2026-01-07 are not as they were; bring them back:\n" in said
    assert "  pages/bridge.html of run " in said
    assert ": it cannot be read (No such file or directory), looked for in " in said
    assert "  pages/copy.html of run " in said
    assert ": it had SHA-256 " in said
    assert not Path("again").exists()


def test_all_runs_of_a_night_are_run_again_in_their_order() -> None:
    write("third.html", "third")
    assert run("2026-01-07") == 0
    assert replay("2026-01-07", "again") == 0
    assert len(list(Path("again/runs").iterdir())) == 2
    assert parts("again") == parts("news", "2026-01-07")


def test_site_rules_of_the_night_need_their_catalogue(capsys: Captured) -> None:
    Path("sources.toml").write_text(CATALOGUE + RULES)
    assert run("2026-01-08", "ruled") == 0
    shutil.rmtree("news")
    Path("ruled").rename("news")
    capsys.readouterr()
    assert replay("2026-01-08", "again") == 2
    assert "read its pages with site rules; name their catalogue with --catalogue" in capsys.readouterr().err
    assert replay("2026-01-08", "again", "--catalogue", "sources.toml") == 0
    assert parts("again") == parts("news", "2026-01-08")
    assert "divers" not in "".join(pl.read_parquet("again/articles/**/*.parquet")["text"])


def test_site_rules_that_the_night_did_not_have_are_a_doubt(capsys: Captured) -> None:
    Path("sources.toml").write_text(CATALOGUE + RULES)
    capsys.readouterr()
    assert replay("2026-01-07", "again", "--catalogue", "sources.toml") == 0
    assert "babelwire: the site rules are not those of run " in capsys.readouterr().err
    assert any(column.column == "text" for column in diff("news", "again").columns)


def test_pages_of_a_crawl_are_found_where_the_output_was_moved_to() -> None:
    Path("old/raw/crawl_date=2026-01-09").mkdir(parents=True)
    shutil.copyfile("pages/ferry.html", "old/raw/crawl_date=2026-01-09/a.html")
    assert main(["run", "old/raw", "--output", "old", "--to", "off", "--date", "2026-01-09"]) == 0
    shutil.rmtree("news")
    Path("old").rename("news")
    assert replay("2026-01-09", "again") == 0
    assert parts("again") == parts("news")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--date", "2026-01-05", "--output", "again"],
            "news has no run of 2026-01-05; its last days are: 2026-01-06, ",
        ),
        (["--date", "monday", "--output", "again"], '--date "monday" is not a day'),
        (["--date", "2026-01-07", "--output", "./news"], "--output news is the folder of the night itself"),
        (["--date", "2026-01-07", "--output", "other"], "--output other holds runs already"),
    ],
)
def test_a_fault_answers_2_and_says_what_to_do(arguments: list[str], message: str, capsys: Captured) -> None:
    run("2026-01-07", "other")
    capsys.readouterr()
    assert main(["replay", "news", *arguments]) == 2
    assert capsys.readouterr().err.startswith(f"babelwire: {message}")


def manifest_of(day: str) -> Path:
    (path,) = (path for path in Path("news/runs").iterdir() if json.loads(path.read_text())["run_date"] == day)
    return path


def test_what_came_from_standard_input_cannot_come_again(capsys: Captured) -> None:
    path = manifest_of("2026-01-07")
    manifest = json.loads(path.read_text())
    manifest["inputs"][0]["uri"] = "-"
    path.write_text(json.dumps(manifest))
    assert replay("2026-01-07", "again") == 2
    assert "it came from standard input, which nobody kept" in capsys.readouterr().err


def test_a_manifest_of_another_version_tells_which_options_it_does_not_share(capsys: Captured) -> None:
    path = manifest_of("2026-01-07")
    manifest = json.loads(path.read_text())
    manifest["options"]["document"]["is_older"] = True
    del manifest["options"]["document"]["max_depth"]
    path.write_text(json.dumps(manifest))
    capsys.readouterr()
    assert replay("2026-01-07", "again") == 0
    said = capsys.readouterr().err
    assert "option document.is_older of that night is not known to this version" in said
    assert "option document.max_depth was not known to the version of that night and has its default" in said


def test_a_memory_that_is_gone_is_a_doubt(capsys: Captured) -> None:
    for path in Path("news/state/duplicates").iterdir():
        path.unlink()
    capsys.readouterr()
    assert replay("2026-01-07", "again") == 0
    assert "1 earlier runs have left no duplicates any more" in capsys.readouterr().err
