"""The README's examples for cron, systemd, Airflow and Slurm do what they say.

Each is run as its scheduler would run it, in a folder where ``.venv/bin/babelwire`` only notes how it was called; the
real command line then has to take what was noted.
"""

import ast
import configparser
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest
import typer

from ingest import cli
from ingest.log import Form

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
HOME = "/srv/news"

NOTES_HOW_IT_IS_CALLED = f"""#!{sys.executable}
import json, os, sys
print(json.dumps(sys.argv[1:]), file=open("called.jsonl", "a"))
print("babelwire: what happened", file=sys.stderr)
sys.exit(int(os.environ["ENDS_WITH"]))
"""


def example(language: str, *, of: str) -> str:
    """Give the one example in a language that has some text in it."""
    found = [
        block
        for block in re.findall(rf"(?<=```{language}\n).*?(?=```$)", README, flags=re.MULTILINE | re.DOTALL)
        if of in block
    ]
    assert len(found) == 1
    return str(found[0])


@dataclass(frozen=True, kw_only=True)
class Ended:
    code: int
    said: str
    #: The options that babelwire was called with.
    called: dict[str, object]


@pytest.fixture
def news(tmp_path: Path) -> Path:
    """Stand for /srv/news."""
    babelwire = tmp_path / ".venv" / "bin" / "babelwire"
    babelwire.parent.mkdir(parents=True)
    babelwire.write_text(NOTES_HOW_IT_IS_CALLED)
    babelwire.chmod(0o755)
    return tmp_path


def scheduled(
    script: str, news: Path, code: int = 0, *, environment: Mapping[str, str] = MappingProxyType({})
) -> Ended:
    """Run a shell script in which babelwire ends with a code."""
    script = script.replace(HOME, str(news))
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=news,
        env={**os.environ, **environment, "ENDS_WITH": str(code)},
        capture_output=True,
        text=True,
        check=False,
    )
    return Ended(
        code=done.returncode,
        said=done.stdout,
        called=options(json.loads((news / "called.jsonl").read_text().splitlines()[-1])),
    )


def options(arguments: list[str]) -> dict[str, object]:
    """Read arguments as the real command line does."""
    group = typer.main.get_command(cli.app)
    name = arguments[0]
    assert name in {"run", "check"}
    return dict(group.commands[name].make_context(f"babelwire {name}", arguments[1:]).params)  # type: ignore[attr-defined]


def cron_command() -> str:
    """Give what cron hands to the shell: the rest of the line, with its percent signs."""
    (line,) = example("crontab", of="babelwire").splitlines()
    assert re.match(r"10 3 \* \* \* \S", line)
    command = line.split(maxsplit=5)[5]
    assert not re.search(r"(?<!\\)%", command), "an unescaped % ends a command of cron"
    return command.replace(r"\%", "%")


def test_cron_reads_the_files_of_yesterday(news: Path) -> None:
    ended = scheduled(cron_command(), news)
    assert re.fullmatch(r"\['mirror/CC-NEWS/\*/\*/CC-NEWS-2\d{7}\*\.warc\.gz'\]", str(ended.called["inputs"]))
    assert (ended.called["output"], ended.called["metrics"]) == (Path("news"), Path("metrics/news.prom"))


@pytest.mark.parametrize(
    ("code", "mail"), [(0, ""), (5, ""), (2, "babelwire: what happened\n"), (75, "babelwire: what happened\n")]
)
def test_cron_mails_the_last_line_of_a_run_that_failed_and_nothing_else(code: int, mail: str, news: Path) -> None:
    assert scheduled(cron_command(), news, code).said == mail


@pytest.mark.parametrize(("code", "goes_on"), [(0, True), (3, False), (2, False)])
def test_a_gate_lets_pass_what_is_good_and_nothing_else(code: int, goes_on: bool, news: Path) -> None:  # noqa: FBT001
    (line,) = re.findall(r"^    (cd .*babelwire check .*)$", README, flags=re.MULTILINE)
    (news / "publish.sh").write_text("echo published\n")
    (news / "publish.sh").chmod(0o755)
    ended = scheduled(line, news, code)
    assert ended.called["folder"] == Path("news")
    assert ended.said == ("published\n" if goes_on else "")
    assert (news / "found.txt").exists()


UNITS = {f"babelwire.{kind}": example("ini", of=f"# babelwire.{kind}") for kind in ("service", "timer")}


def test_systemd_calls_it_and_knows_the_exit_codes(news: Path) -> None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[method-assign,assignment]
    unit.read_string(UNITS["babelwire.service"])
    service = unit["Service"]
    assert service["WorkingDirectory"] == HOME
    assert service["SuccessExitStatus"].split() == [str(cli.NOTHING_NEW), str(128 + signal.SIGTERM)]
    assert service["RestartForceExitStatus"] == str(cli.TRY_LATER)
    called = scheduled(service["ExecStart"], news).called
    assert (called["lists"], called["form"]) == ([Path("inputs.txt")], Form.JSON)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")
def test_systemd_has_nothing_to_say_against_the_units(news: Path) -> None:
    for name, text in UNITS.items():
        (news / name).write_text(text.replace(HOME, str(news)))
    done = subprocess.run(["systemd-analyze", "verify", *UNITS], cwd=news, capture_output=True, text=True, check=False)
    about_ours = [line for line in done.stderr.splitlines() if "babelwire" in line]
    assert about_ours == []


def airflow_task() -> tuple[dict[str, object], str]:
    """Give the plain arguments of the task, and its command with the templates of 8 January filled in."""
    tree = ast.parse(example("python", of="BashOperator"))
    names = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    (task,) = (
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "BashOperator"
    )
    arguments = {keyword.arg or "": keyword.value for keyword in task.keywords}
    plain: dict[str, object] = {
        name: value.value for name, value in arguments.items() if isinstance(value, ast.Constant)
    }
    command = arguments["bash_command"]
    assert isinstance(command, ast.JoinedStr)
    text = "".join(
        str(ast.literal_eval(names[part.value.id]))
        if isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.Name)
        else str(ast.literal_eval(part))
        for part in command.values
    )
    text = text.replace("{{ macros.ds_add(ds, -1) }}", "2026-01-07")
    return plain, text.replace("{{ macros.ds_add(ds, -1) | replace('-', '') }}", "20260107")


def test_airflow_reads_the_files_of_the_day_before(news: Path) -> None:
    plain, command = airflow_task()
    assert "{" not in command
    assert plain["cwd"] == HOME
    called = scheduled(command, news).called
    assert called["inputs"] == ["mirror/CC-NEWS/*/*/CC-NEWS-20260107*.warc.gz"]
    assert called["day"] == "2026-01-07"


def test_airflow_skips_where_nothing_is_new_and_tries_again_where_that_helps(news: Path) -> None:
    plain, command = airflow_task()
    assert plain["skip_on_exit_code"] == scheduled(command, news, cli.NOTHING_NEW).code
    assert scheduled(command, news, cli.TRY_LATER).code == cli.TRY_LATER
    assert isinstance(plain["retries"], int)
    assert plain["retries"] > 0


SLURM = {"SLURM_ARRAY_TASK_ID": "7", "SLURM_CPUS_PER_TASK": "8"}


def test_slurm_gives_each_task_its_shard_and_its_folder(news: Path) -> None:
    script = example("bash", of="#SBATCH")
    shards = re.search(r"#SBATCH --array=1-(\d+)", script)
    assert shards
    called = scheduled(script, news, environment=SLURM).called
    assert called["shard"] == f"7/{shards[1]}"
    assert called["output"] == Path("news/shard-7")
    assert called["metrics"] == Path("metrics/shard-7.prom")
    assert (called["workers"], called["lists"]) == (8, [Path("crawl-data/CC-NEWS/2026/01/warc.paths.gz")])


@pytest.mark.parametrize(("code", "status"), [(0, 0), (5, 0), (2, 2), (75, 75)])
def test_slurm_counts_a_task_without_news_as_done_and_no_other(code: int, status: int, news: Path) -> None:
    assert scheduled(example("bash", of="#SBATCH"), news, code, environment=SLURM).code == status


@pytest.mark.parametrize(
    "line", [line for line in re.findall(r"^    (.*babelwire run .*)$", README, flags=re.MULTILINE) if "--" in line]
)
def test_every_run_that_is_shown_is_one_that_the_command_line_takes(line: str) -> None:
    for part in re.split(r"[;&]+", line.partition("  #")[0]):
        words = shlex.split(part)
        if words and words[0].endswith("babelwire"):
            options([word for word in words[1:] if word != ">>"])
