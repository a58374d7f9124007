"""A run on a Ray cluster, through the real command: the bytes of a run on one machine, even when a node is lost."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kills import ROOT, Night
from whole_runs import babelwire


def night(folder: Path, *more: str) -> Night:
    folder.mkdir(exist_ok=True)
    if not (folder / "seeds").exists():
        (folder / "seeds").symlink_to(ROOT / "seeds", target_is_directory=True)
    return Night(folder=folder, inputs=("seeds/sources.toml",), output="out", more=("--to", "off", *more))


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Night:
    here = night(tmp_path_factory.mktemp("local"))
    here.finish()
    return here


@pytest.fixture
def cluster() -> Iterator["subprocess.Popen[str]"]:
    """Give a cluster of three nodes."""
    with subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "ray_cluster.py"), "3"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        yield process


def address_of(cluster: "subprocess.Popen[str]") -> str:
    assert cluster.stdout is not None
    return cluster.stdout.readline().strip()


def test_ray_on_one_machine_gives_the_same_bytes(local: Night, tmp_path: Path) -> None:
    here = night(tmp_path, "--engine", "ray")
    here.finish()
    assert here.digests() == local.digests()


def test_a_node_that_is_lost_costs_nothing_but_time(
    local: Night, tmp_path: Path, cluster: "subprocess.Popen[str]"
) -> None:
    here = night(tmp_path, "--engine", "ray", "--address", address_of(cluster))
    assert cluster.stdin is not None
    with here.start() as process:
        while here.chunks() < 2:
            assert process.poll() is None, here.talk()
        cluster.stdin.write("a node\n")
        cluster.stdin.flush()
        assert process.wait() == 0, here.talk()
    assert here.digests() == local.digests()
    assert "Traceback" not in here.talk()


def test_a_cluster_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("A page.")
    arguments = ("run", "a.txt", "--output", "out", "--to", "off", "--engine", "ray", "--address", "127.0.0.1:1")
    ended = babelwire(*arguments, folder=tmp_path)
    assert ended.code == 2
    assert 'the Ray cluster at "127.0.0.1:1" cannot be reached' in ended.talk


def test_an_address_is_of_a_ray_cluster_only(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("A page.")
    ended = babelwire("run", "a.txt", "--output", "out", "--address", "127.0.0.1:1", folder=tmp_path)
    assert ended.code == 2
    assert "name --engine ray as well" in ended.talk
