"""Nights that are broken off, through the real command: in the end every file is as in a calm night."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import kills
import pytest
from kills import ROOT, Night, chances

#: Named from the root, as `make run` does: the name of an input is part of its records.
SEEDS = ("seeds/sources.toml",)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Night:
    """The samples in one go."""
    night = at(tmp_path_factory.mktemp("calm"))
    night.finish()
    return night


def at(folder: Path, **more: object) -> Night:
    folder.mkdir(exist_ok=True)
    if not (folder / "seeds").exists():
        (folder / "seeds").symlink_to(ROOT / "seeds", target_is_directory=True)
    return Night(folder=folder, inputs=SEEDS, output="out", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("death", [kills.of_all, kills.of_power])
def test_a_run_that_dies_at_any_moment_ends_as_a_calm_night(calm: Night, tmp_path: Path, death: kills.Death) -> None:
    night = at(tmp_path)
    assert kills.until_done(night, death, chances(7), most=5) > 0
    assert night.digests() == calm.digests()
    assert not (tmp_path / "out" / ".staging").exists()


def test_workers_that_are_killed_cost_nothing_but_time(calm: Night, tmp_path: Path) -> None:
    night = at(tmp_path)
    assert kills.workers_killed(night, chances(7), most=5) > 0
    assert night.digests() == calm.digests()


def test_the_number_of_workers_may_change_on_the_way(calm: Night, tmp_path: Path) -> None:
    kills.until_done(at(tmp_path, workers=1), _after_a_chunk(signal.SIGKILL), chances(7), most=2)
    night = at(tmp_path, workers=3)
    assert night.digests() == calm.digests()


def test_a_terminals_interrupt_reaches_workers_as_well_and_the_chunk_is_finished(calm: Night, tmp_path: Path) -> None:
    night = at(tmp_path)
    assert kills.until_done(night, _after_a_chunk(signal.SIGINT), chances(7), most=2) == 2
    assert "finishing this chunk" in night.talk()
    assert "worker_died" not in night.talk()
    assert night.digests() == calm.digests()


def test_translations_go_on_as_well(tmp_path: Path, models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BABELWIRE_TRANSLATE_MODELS_DIR", str(models_dir))
    nights = [at(tmp_path / name, more=()) for name in ("calm", "broken")]
    nights[0].finish()
    assert kills.until_done(nights[1], _after_a_chunk(signal.SIGKILL), chances(7), most=3) == 3
    calm, broken = (json.loads(next((night.folder / "out" / "runs").glob("*.json")).read_text()) for night in nights)
    assert nights[1].digests() == nights[0].digests()
    told = ("counts", "by_language", "by_page_type", "by_reason", "by_translation", "no_model", "sentences", "inputs")
    assert {key: broken[key] for key in told} == {key: calm[key] for key in told}
    assert calm["sentences"]["translated"] > 100


def _after_a_chunk(number: int) -> kills.Death:
    """Send a signal to all processes of a run once it has recorded a further chunk."""

    def death(night: Night, _: random.Random) -> bool:
        before = night.chunks()
        with night.start() as process:
            while night.chunks() == before:
                if process.poll() is not None:
                    return False
            os.killpg(process.pid, number)
        return True

    return death


@pytest.fixture
def in_small_disk(tmp_path: Path) -> Callable[[str], "subprocess.CompletedProcess[str]"]:
    """Give a way to run shell commands where the folder "disk" is a file system of its own."""
    (tmp_path / "disk").mkdir()
    unshare = shutil.which("unshare")
    command = [str(unshare), "-rm", "sh", "-c"]
    mount = f'mount -t tmpfs -o size=300k none "{tmp_path}/disk"'
    if unshare is None or subprocess.run([*command, mount], check=False, capture_output=True).returncode != 0:
        pytest.skip("needs a mount namespace of our own")

    def shell(script: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*command, f"{mount} && {script}"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT), "BABELWIRE_RUN_CHUNK_SIZE": "5"},
        )

    return shell


def test_a_disk_that_fills_up_stops_the_run_and_room_lets_it_go_on(
    calm: Night, tmp_path: Path, in_small_disk: Callable[[str], "subprocess.CompletedProcess[str]"]
) -> None:
    at(tmp_path)
    command = f"{sys.executable} -m ingest run {SEEDS[0]} --output disk/out --date 2026-01-08 --workers 2 --to off"
    ended = in_small_disk(
        f"{command}; echo code $?; ls disk/out/.staging/*/chunks/*.json | wc -l; "
        f"mount -o remount,size=100m disk; {command}; echo code $?; cp -r disk/out out"
    )
    codes = [line for line in ended.stdout.splitlines() if line.startswith("code")]
    assert codes == ["code 75", "code 0"], ended.stderr
    assert "no space left on the disk" in ended.stderr
    assert "was not finished and goes on after" in ended.stderr
    assert at(tmp_path).digests() == calm.digests()
