"""`babelwire check` over an output folder: which night it looks at, what it prints, and the code it ends with."""

import json
import os
import pty
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from night_records import record, refused

from ingest.cli import main
from schemas.quality.rules import built_in
from schemas.record import QUARANTINE, RECORD

ROOT = Path(__file__).parent.parent.parent


def write_run(root: Path, run_id: str, night: date, records: list[dict[str, object]], gone: int = 0) -> None:
    """Write a run as the store has it; so many documents of it were refused."""
    parts = {
        "articles": pl.DataFrame([{**row, "run_id": run_id, "run_date": night} for row in records], schema=RECORD),
        "quarantine": pl.DataFrame([refused(number, run_id=run_id) for number in range(gone)], schema=QUARANTINE),
    }
    files = []
    for table, frame in parts.items():
        path = root / table / f"run_date={night}" / f"run={run_id}" / "part-00000.parquet"
        path.parent.mkdir(parents=True)
        frame.write_parquet(path)
        files.append({"path": path.relative_to(root).as_posix(), "rows": frame.height, "bytes": 1, "sha256": ""})
    manifest = {
        "command": [], "config_sha256": "", "files": files, "finished_at": f"{night}T02:00:00+00:00", "inputs": [],
        "counts": {"in": len(records) + gone, "records": len(records), "quarantined": gone, "skipped": 0},
        "run_date": night.isoformat(), "run_id": run_id, "schema_version": "1", "started_at": f"{night}T01:00:00+00:00",
        "tools": {"babelwire": "0"},
    }  # fmt: skip
    (root / "runs").mkdir(exist_ok=True)
    (root / "runs" / f"{run_id}.json").write_text(json.dumps(manifest), "utf-8")


@pytest.fixture
def news(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two nights, the second without titles in one of its two runs; we stand in the folder above."""
    root = tmp_path / "news"
    write_run(root, "aaaa", date(2026, 3, 16), [record(number) for number in range(60)])
    write_run(root, "bbbb", date(2026, 3, 17), [record(number) for number in range(100, 160)], gone=2)
    write_run(root, "cccc", date(2026, 3, 17), [record(number, title=None) for number in range(200, 290)])
    monkeypatch.chdir(tmp_path)
    return root


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_the_last_night_is_looked_at_with_all_its_runs(news: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(news)]) == 3
    first, *_, last = lines(capsys)
    assert first.startswith(
        "fail  missing_title  90 of 150 records (60.0%; more than 50.0%). An article without a title."
    )
    rules = len(built_in())
    assert last == f"night of 2026-03-17: 150 records, 2 quarantined, {rules} rules: 1 fail, 1 warn"


@pytest.mark.parametrize(
    "chosen", [["--date", "2026-03-16"], ["--run", "aaaa"], ["--run", "bbbb", "--date", "2026-03-17"]]
)
def test_a_good_night_ends_with_0(news: Path, chosen: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(news), *chosen]) == 0
    (line,) = lines(capsys)
    assert line.endswith("nothing found")


def test_warnings_alone_end_with_0(news: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("quality.toml").write_text("[rule.missing_title]\nfail = {}\n")
    assert main(["check", str(news)]) == 0
    assert [line.split()[0] for line in lines(capsys)] == ["warn", "warn", "night"]


def test_as_json_everything_is_said(news: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(news), "--json"]) == 3
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (said["night"], said["run_ids"], said["records"], said["quarantined"]) == (
        "2026-03-17",
        ["bbbb", "cccc"],
        150,
        2,
    )
    assert said["rules"] == len(built_in())
    worst = said["findings"][0]
    assert (worst["rule"], worst["level"], worst["count"], worst["of"], worst["column"]) == (
        "missing_title", "fail", 90, 150, "title",
    )  # fmt: skip
    assert len(worst["examples"]) == 2


def test_rules_of_ones_own_count_like_the_others(news: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own = news / "mine.toml"
    own.write_text('[rule.no_authors]\nwhere = "authors IS NULL"\nfail = 0.9\nmeaning = "Nobody wrote it."\n')
    assert main(["check", str(news), "--run", "bbbb", "--rules", str(own)]) == 3
    assert lines(capsys)[0].startswith("fail  no_authors  60 of 60 records (100.0%; more than 90.0%). Nobody wrote it.")


def test_files_are_looked_for_when_asked(news: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(news), "--run", "bbbb", "--files"]) == 0
    assert "1 of 1 files, such as raw/pages.warc.gz" in lines(capsys)[0]
    Path("raw").mkdir()
    Path("raw/pages.warc.gz").touch()
    assert main(["check", str(news), "--run", "bbbb", "--files"]) == 0
    assert len(lines(capsys)) == 1


def test_what_is_not_as_on_the_nights_before_is_told_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(16):
        rows = [record(number * 100 + each) for each in range(40)]
        if number == 15:
            rows = [{**row, "text": str(row["text"])[:100], "page_type": "listing"} for row in rows]
        write_run(tmp_path, f"run{number:02}", date(2026, 3, 1 + number), rows)
    main(["check", str(tmp_path), "--json"])
    told = [each for each in json.loads(capsys.readouterr().out)["findings"] if each["rule"].startswith("drift/")]
    assert told
    assert {(each["source_id"], each["since"]) for each in told} == {("limani", "2026-03-16")}
    main(["check", str(tmp_path), "--date", "2026-03-15"])
    assert lines(capsys)[-1].endswith("nothing found")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--run", "dddd"], '--run "dddd" is no run of'),
        (["--date", "2026-03-18"], "holds no run of 2026-03-18; the last night is 2026-03-17"),
        (["--date", "yesterday"], '--date "yesterday" is not a day'),
        (["--run", "aaaa", "--date", "2026-03-17"], "--run aaaa is of 2026-03-16, not of 2026-03-17"),
        (["--rules", "nowhere.toml"], "nowhere.toml: cannot be read"),
        (["--rules", "news/runs/aaaa.json"], "is not TOML in UTF-8"),
    ],
)
def test_a_slip_on_the_command_line_ends_with_2(
    news: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(news), *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_rule_that_fails_is_told_before_a_record_is_read(news: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for part in news.glob("articles/**/*.parquet"):
        part.unlink()
    Path("quality.toml").write_text('[rule.own]\nwhere = "titel IS NULL"\nwarn = 0.1\nmeaning = "x"\n')
    assert main(["check", str(news)]) == 2
    assert "quality.toml: [rule.own] where fails" in capsys.readouterr().err


def test_a_part_that_is_gone_or_of_another_schema_ends_with_2(news: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (part,) = news.glob("articles/**/run=cccc/*.parquet")
    pl.read_parquet(part).with_columns(pl.lit(1).alias("title")).write_parquet(part)
    assert main(["check", str(news)]) == 2
    assert "cannot be checked" in capsys.readouterr().err
    part.unlink()
    assert main(["check", str(news)]) == 2
    assert "is listed in a manifest" in capsys.readouterr().err


def test_on_a_terminal_it_is_a_table_and_documents_cannot_drive_it(news: Path, tmp_path: Path) -> None:
    block = "[red]Buy\x1b]0;owned\x07 our [bold]paper, it is cheaper than fish."
    rows = [record(number, text=f"Number {number} of many more of these.\n\n{block}") for number in range(60)]
    write_run(news, "eeee", date(2026, 3, 18), rows)
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "ingest", "check", "news"], cwd=tmp_path, stdout=theirs, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "400", "TERM": "xterm"},
    )  # fmt: skip
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert done.returncode == 3
    assert "level" in shown.splitlines()[0]
    assert "repeated_block" in shown
    assert "[red]Buy ]0;owned  our [bold]paper" in shown
    assert "\x07" not in shown
