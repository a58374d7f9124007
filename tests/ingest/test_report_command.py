"""The command that makes the page of a night: where it goes, and what it says when there is no such night."""

import json
from pathlib import Path

import lxml.html
import pytest
from samples import SEEDS

from ingest.cli import main

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an output folder of two nights."""
    folder = tmp_path_factory.mktemp("report") / "out"
    pages = (
        SEEDS / "pages" / name
        for name in ("el-limani.html", "fault-script-only.html", "cs-knihovna.txt", "fr-une.html")
    )
    for page, day in zip(pages, ("2026-01-06", "2026-01-07", "2026-01-07", "2026-01-07"), strict=True):
        assert main(["run", str(page), "--output", str(folder), "--to", "off", "--workers", "1", "--date", day]) == 0
    return folder


def test_the_page_of_the_last_night_is_put_into_the_folder_and_its_place_is_said(out: Path, capsys: Captured) -> None:
    assert main(["report", str(out)]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert str(out / "report.html") in said.err
    page = (out / "report.html").read_text("utf-8")
    assert "Night of 2026-01-07" in page
    assert lxml.html.document_fromstring(page).find_class("numbers")[0].findtext("div/dd") == "3"


OWN_RULE = """
[rule.any_record]
where = "text IS NOT NULL"
column = "text"
fail = { all = 0 }
least = 1
meaning = "It has a text."
"""


def test_the_page_says_what_check_finds(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("quality.toml").write_text(OWN_RULE)
    assert main(["check", str(out), "--json"]) == 3
    found = json.loads(capsys.readouterr().out)["findings"]
    assert main(["report", str(out)]) == 0
    page = lxml.html.document_fromstring((out / "report.html").read_text("utf-8"))
    shown = [item.findtext("p/span") for items in page.find_class("findings") for item in items]
    assert shown == [finding["sentence"] for finding in found]


def test_a_dash_prints_the_page_and_nothing_else(out: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    (out / "report.html").unlink(missing_ok=True)
    assert main(["report", str(out), "--output", "-", "--date", "2026-01-06"]) == 0
    printed, said = capfdbinary.readouterr()
    assert printed.decode("utf-8").startswith("<!DOCTYPE html>")
    assert "Night of 2026-01-06" in printed.decode("utf-8")
    assert said == b""
    assert not (out / "report.html").exists()


def test_another_file_gets_the_page_of_another_night(out: Path, tmp_path: Path) -> None:
    assert main(["report", str(out), "--output", str(tmp_path / "old.html"), "--date", "2026-01-06"]) == 0
    assert "Night of 2026-01-06" in (tmp_path / "old.html").read_text("utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["old.html"]


def test_the_commands_on_the_page_work(out: Path, capsys: Captured) -> None:
    assert main(["report", str(out)]) == 0
    page = lxml.html.document_fromstring((out / "report.html").read_text("utf-8"))
    commands = [code.text_content() for record in page.find_class("record") for code in record.findall("code")]
    assert commands
    for command in commands:
        program, *words = command.split()
        assert program == "babelwire"
        assert main(words) == 0
        assert capsys.readouterr().out.startswith("record")


def test_a_folder_with_a_page_in_it_takes_further_runs(out: Path) -> None:
    assert main(["report", str(out)]) == 0
    page = SEEDS / "pages" / "fr-mediatheque.html"
    assert main(["run", str(page), "--output", str(out), "--to", "off", "--workers", "1", "--date", "2026-01-05"]) == 0


def test_a_night_that_was_none_is_an_error_that_names_those_there_are(out: Path, capsys: Captured) -> None:
    assert main(["report", str(out), "--date", "2025-12-31"]) == 2
    assert "has nothing of 2025-12-31; the last nights are" in capsys.readouterr().err
    assert main(["report", str(out), "--date", "yesterday"]) == 2


def test_a_folder_that_is_no_output_is_an_error(tmp_path: Path, capsys: Captured) -> None:
    assert main(["report", str(tmp_path)]) == 2
    assert "holds no finished run or crawl" in capsys.readouterr().err


def test_a_place_that_is_not_there_is_an_error_and_leaves_nothing(out: Path, tmp_path: Path, capsys: Captured) -> None:
    assert main(["report", str(out), "--output", str(tmp_path / "gone" / "page.html")]) == 2
    assert "is not a folder; make it, or name another --output" in capsys.readouterr().err


def test_a_file_that_a_manifest_lists_and_that_is_gone_is_an_error_and_leaves_the_old_page(
    out: Path, capsys: Captured
) -> None:
    (out / "report.html").write_text("the old page")
    part = next((out / "articles").rglob("*.parquet"))
    away = part.rename(part.with_suffix(".away"))
    try:
        assert main(["report", str(out)]) == 2
    finally:
        away.rename(part)
    assert "restore it from a copy" in capsys.readouterr().err
    assert (out / "report.html").read_text() == "the old page"
