"""`babelwire run` with real models: what stands in the records, over nights, kills, and without a network."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

import ctranslate2
import polars as pl
import pytest
from whole_runs import ROOT, Ended, assert_closed, babelwire

#: Put into every process of a command: whoever opens a connection to the network ends with a traceback.
NO_NETWORK = """
import socket

def refuse(*arguments, **_):
    raise AssertionError(f"a connection was opened: {arguments}")

real = socket.socket.connect

def connect(self, address):
    # Worker processes talk to each other over sockets of the file system.
    return real(self, address) if self.family == socket.AF_UNIX else refuse(address)

socket.socket.connect = connect
socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = socket.gethostbyname = refuse
"""


def seeds(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    if not (folder / "seeds").exists():
        (folder / "seeds").symlink_to(ROOT / "seeds", target_is_directory=True)
    return folder


def night(folder: Path, models_dir: Path | str, *more: str, day: str = "2026-01-08", **environment: str) -> Ended:
    return babelwire(
        "run",
        "seeds/sources.toml",
        "--output",
        "out",
        "--date",
        day,
        *more,
        folder=seeds(folder),
        environment={"BABELWIRE_TRANSLATE_MODELS_DIR": str(models_dir), **environment},
    )


def digests(output: Path) -> dict[str, str]:
    return {
        path.relative_to(output).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in sorted(output.rglob("*.parquet"))
    }


@pytest.fixture(scope="module")
def first(models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """The samples with the demo's models, every connection forbidden."""
    folder = tmp_path_factory.mktemp("first")
    (folder / "sitecustomize.py").write_text(NO_NETWORK)
    path = os.pathsep.join((str(folder), str(ROOT)))
    return night(folder, models_dir, PYTHONPATH=path)


def test_everything_works_with_the_network_shut_off(first: Ended) -> None:
    assert_closed(first)
    check = subprocess.run(
        [sys.executable, "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:9')"],
        env={**os.environ, "PYTHONPATH": str(first.output.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "a connection was opened" in check.stderr, "the guard itself does not hold"


def test_records_have_their_translation_beside_the_original(first: Ended) -> None:
    rows = first.rows("articles")
    done = [row for row in rows if row["mt_status"] in {"done", "partial"}]
    assert {row["lang"] for row in done} == {"de", "el", "uk"}
    assert len(done) >= 10
    for row in done:
        assert row["mt_path"] == [row["lang"], "en"]
        assert re.fullmatch(rf"translate-{row['lang']}_en 0\.1 sha256:[0-9a-f]{{64}}", *row["mt_models"])
        assert len(row["mt_paragraphs"]) == len(row["paragraphs"])
        assert row["mt_text"] == "\n\n".join(item["text"] for item in row["mt_paragraphs"])
        assert row["mt_title"] != row["title"]
    assert {row["mt_status"] for row in rows if row["lang"] == "en"} == {"not_needed"}
    assert {row["mt_status"] for row in rows if row["lang"] in {"fr", "ja", "und"}} == {"no_model"}


def test_the_end_of_the_run_says_which_languages_lack_a_model(first: Ended) -> None:
    assert re.search(r"^  translation   into en: no_model \d+, done \d+", first.talk, flags=re.MULTILINE)
    assert re.search(r"^  no model for  .*\bru \d.*: [\d,]+ characters wait$", first.talk, flags=re.MULTILINE)
    assert re.search(r"^ +babelwire models add (\w\w-en ?){10}$", first.talk, flags=re.MULTILINE)


def test_the_manifest_names_models_and_sentences(first: Ended) -> None:
    manifest = first.manifest()
    assert [label.split()[0] for label in manifest["models"]] == [
        "translate-de_en",
        "translate-el_en",
        "translate-uk_en",
    ]
    counts = manifest["sentences"]
    assert counts["sentences"] >= counts["unique"] == counts["translated"] > 100
    assert counts["remembered"] == 0
    assert manifest["no_model"]["ru"] >= 1
    assert sum(manifest["by_translation"].values()) == manifest["counts"]["records"]


def test_the_next_night_pays_for_no_sentence_again_and_says_so_in_the_records(first: Ended, models_dir: Path) -> None:
    again = night(first.output.parent, models_dir, "--fresh", day="2026-01-09")
    assert again.code == 0, again.talk
    manifests = [json.loads(path.read_text()) for path in (again.output / "runs").glob("*.json")]
    (counts,) = [manifest["sentences"] for manifest in manifests if manifest["run_date"] == "2026-01-09"]
    assert (counts["translated"], counts["remembered"]) == (0, counts["unique"])
    frame = pl.read_parquet(again.output / "articles" / "**" / "*.parquet")
    by_day = {day: frame.filter(pl.col("run_date").cast(pl.String) == day) for day in ("2026-01-08", "2026-01-09")}
    texts = [part.sort("record_id").select("record_id", "mt_text", "mt_title") for part in by_day.values()]
    assert texts[0].equals(texts[1])
    flags = [
        part.select("mt_paragraphs").explode("mt_paragraphs").unnest("mt_paragraphs")["flags"].explode().to_list()
        for part in by_day.values()
    ]
    assert "memory" not in flags[0]
    assert "memory" in flags[1]


def test_a_new_model_makes_done_inputs_new(models_dir: Path, tmp_path: Path) -> None:
    few = tmp_path / "few"
    few.mkdir()
    (few / "translate-de_en-0_1").symlink_to(models_dir / "translate-de_en-0_1", target_is_directory=True)
    folder = tmp_path / "run"
    assert night(folder, few).code == 0
    assert night(folder, few).code == 5
    (few / "translate-el_en-0_1").symlink_to(models_dir / "translate-el_en-0_1", target_is_directory=True)
    assert night(folder, few).code == 0
    # A model on no way to the target changes nothing.
    (few / "translate-en_de-0_1").symlink_to(models_dir / "translate-en_de-0_1", target_is_directory=True)
    assert night(folder, few).code == 5


def test_without_any_model_the_run_works_and_says_what_is_missing(tmp_path: Path) -> None:
    ended = night(tmp_path / "run", tmp_path / "none")
    assert_closed(ended)
    assert {row["mt_status"] for row in ended.rows("articles")} == {"not_needed", "no_model"}
    assert "no model for" in ended.talk


@pytest.mark.skipif(ctranslate2.get_cuda_device_count() > 0, reason="there is a CUDA device here")
def test_a_device_that_is_not_there_is_said_at_once(tmp_path: Path, models_dir: Path) -> None:
    ended = night(tmp_path / "run", models_dir, "--device", "cuda")
    assert ended.code == 2
    assert ended.talk.startswith('babelwire: translate.device is "cuda", but no CUDA device can be used here')


def test_off_leaves_translation_out(tmp_path: Path, models_dir: Path) -> None:
    ended = night(tmp_path / "run", models_dir, "--to", "off")
    assert_closed(ended)
    assert {row["mt_status"] for row in ended.rows("articles")} == {"off"}
    assert "translation" not in ended.talk
    assert not (ended.output / "state" / "translations.sqlite").exists()


def sentences_in(memory: Path) -> int:
    try:
        with sqlite3.connect(f"file:{memory}?mode=ro", uri=True, timeout=30) as connection:
            return int(connection.execute("SELECT count(*) FROM translations").fetchone()[0])
    except sqlite3.OperationalError:  # not there yet
        return 0


@pytest.mark.parametrize("after", [1, 100])
def test_a_run_killed_while_it_translates_ends_as_if_it_had_not_been(
    after: int, first: Ended, models_dir: Path, tmp_path: Path
) -> None:
    folder = seeds(tmp_path / "run")
    command = [sys.executable, "-m", "ingest", "run", "seeds/sources.toml", "--output", "out", "--date", "2026-01-08"]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "BABELWIRE_TRANSLATE_MODELS_DIR": str(models_dir)},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    memory = folder / "out" / "state" / "translations.sqlite"
    while process.poll() is None and sentences_in(memory) < after:
        time.sleep(0.005)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    saved = sentences_in(memory)
    ended = night(folder, models_dir)
    assert ended.code == 0, ended.talk
    assert saved >= after
    # The other nights of this module came after the first, under other names.
    unbroken = {name: digest for name, digest in digests(first.output).items() if "2026-01-09" not in name}
    mine = {name: digest for name, digest in digests(ended.output).items() if name.startswith("articles/")}
    assert mine
    assert {name: unbroken[name] for name in mine} == mine
