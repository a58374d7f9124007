"""The README says what is so: every name is in it, and what it shows is what the commands print.

After a change that shows in the output of the samples, write the README's outputs and its tables of columns anew:

    python tests/test_readme.py
"""

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from itertools import groupby
from pathlib import Path
from typing import get_args

import pytest
import typer

from ingest import cli
from ingest.config import PREFIX, TABLES, RunOptions
from ingest.metrics import HELP
from ingest.sources import KINDS, rows
from normalize.clean import RULES
from normalize.options import DeclaredModel
from normalize.translate.engine import FLAGS
from schemas.document import KeptRole, PageType, RemovedRole
from schemas.fetch import FETCH_COLUMNS
from schemas.quality.queries import QUERIES, NamedQuery
from schemas.quality.rules import Group, built_in, with_own
from schemas.record import COLUMNS, MT_STATUSES, QUARANTINE_COLUMNS, Column
from schemas.show import dtype_name
from schemas.source import KEYS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")

# ---- what must be named ---------------------------------------------------------------------------


def named(name: str) -> bool:
    """Say whether the README has a name in code type, alone or as the beginning of a longer piece of code."""
    return re.search(rf"`{re.escape(name)}(?![\w-])[^`\n]*`", README) is not None


def command_line() -> list[tuple[str, str]]:
    """Walk the commands; give each with every argument and option it takes."""
    group = typer.main.get_command(cli.app)
    found = [("babelwire", option) for parameter in group.params for option in parameter.opts]
    commands = dict(getattr(group, "commands", {}))
    for name, command in list(commands.items()):
        # A group of commands, such as models.
        commands |= {f"{name} {inner}": one for inner, one in getattr(command, "commands", {}).items()}
    for name, command in commands.items():
        for parameter in command.params:
            shown = [parameter.metavar] if parameter.param_type_name == "argument" else parameter.opts
            found += [(f"babelwire {name}", one or parameter.name) for one in shown]
    return found


def section_of(command: str) -> str:
    """Give the part of the README that is about one command."""
    found = re.search(rf"^### `{re.escape(command)}\b.*?(?=^##)", README, flags=re.MULTILINE | re.DOTALL)
    assert found, f"the README has no heading ### `{command}`"
    return found[0]


@pytest.mark.parametrize(("command", "parameter"), command_line())
def test_every_command_is_shown_with_its_arguments_and_options(command: str, parameter: str) -> None:
    assert re.search(rf"`{re.escape(parameter)}(?![\w-])", section_of(command))


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_every_named_query_has_a_row_with_its_sentence(query: NamedQuery) -> None:
    assert f"| `{query.name}` | {query.sentence} |\n" in section_of("babelwire query")


def exit_codes() -> list[str]:
    """Read the codes from the table at the head of the commands, which is their one home."""
    table = re.findall(r"^ {4}\d.*$", cli.__doc__ or "", flags=re.MULTILINE)
    return re.findall(r"\b(\d+)\b", " ".join(table))


def test_the_commands_declare_their_exit_codes() -> None:
    assert {"0", "1", "2", "3", "5", "75", "130", "143"} <= set(exit_codes())


@pytest.mark.parametrize("code", exit_codes())
def test_every_exit_code_has_a_row(code: str) -> None:
    assert re.search(rf"^\| {code} \|", README, flags=re.MULTILINE)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_source_has_a_row(kind: str) -> None:
    assert re.search(rf"^\| `{kind}` \|", README, flags=re.MULTILINE)


@pytest.mark.parametrize("column", rows.COLUMNS)
def test_every_column_that_is_read_from_a_row_is_named_with_its_other_names(column: str) -> None:
    table = README[README.index("| column | meaning | also read from |") :]
    row = re.search(rf"^\| `{column}` \|.*\| (.*) \|$", table, flags=re.MULTILINE)
    assert row
    assert re.findall(r"`([\w.]+)`", row[1]) == list(rows.COLUMNS[column][1:])


@pytest.mark.parametrize("key", KEYS)
def test_every_key_of_a_catalogue_has_a_row(key: str) -> None:
    assert re.search(rf"^\| `{key}` \|", README, flags=re.MULTILINE)


def reasons() -> list[str]:
    """Read from the code what a document is refused for: ``stage/reason``."""
    found = set()
    for path in (ROOT / "ingest" / "sources").glob("*.py"):
        found |= {f"source/{word}" for word in re.findall(r'\breason ?= ?"(\w+)"', path.read_text("utf-8"))}
    for path in (ROOT / "normalize").rglob("*.py"):
        stages = re.findall(r'DocumentError\(\s*"(\w+)",\s*"(\w+)"', path.read_text("utf-8"))
        found |= {f"{stage}/{reason}" for stage, reason in stages}
    engine = (ROOT / "ingest" / "engines" / "local.py").read_text("utf-8")
    found |= {f"engine/{word}" for word in re.findall(r'_refused\(\w+, "(\w+)"', engine)}
    # Folders and hidden members of an archive: no documents, so never in quarantine.
    return sorted(found - {"source/passed_over"})


@pytest.mark.parametrize("reason", reasons())
def test_every_reason_of_refusal_has_a_row(reason: str) -> None:
    assert re.search(rf"^\| `{reason}` \|", README, flags=re.MULTILINE)


def events() -> list[str]:
    """Read from the code what a line of the log can be about."""
    return sorted(
        {
            word
            for path in (ROOT / "ingest").glob("*.py")
            for word in re.findall(r'\bevent="(\w+)"', path.read_text("utf-8"))
        }
    )


@pytest.mark.parametrize("event", events())
def test_every_event_of_the_log_has_a_row(event: str) -> None:
    assert re.search(rf"^\| `{event}` \|", README, flags=re.MULTILINE)


@pytest.mark.parametrize(("metric", "meaning"), HELP.items())
def test_every_metric_has_a_row_with_its_meaning(metric: str, meaning: str) -> None:
    assert f"\n| `{metric}` | {meaning} |\n" in README


@pytest.mark.parametrize("key", [item.name for item in fields(DeclaredModel)])
def test_every_key_of_a_declared_model_has_a_row(key: str) -> None:
    assert re.search(rf"^\| `{key}` \|", README, flags=re.MULTILINE)


@pytest.mark.parametrize("flag", FLAGS)
def test_every_flag_of_a_translation_is_named(flag: str) -> None:
    assert named(flag)


OPTIONS = [(table, item.name) for table, options in TABLES.items() for item in fields(options)]


@pytest.mark.parametrize(("table", "key"), OPTIONS)
def test_every_option_has_a_row_with_its_default_and_its_variable(table: str, key: str) -> None:
    default = getattr(TABLES[table](), key)
    said = (
        "CPUs" if (table, key) == ("run", "workers") else f"{default:g}" if isinstance(default, float) else f"{default}"
    )
    row = rf"^\| `{table}\.{key}` \| {re.escape(said)} \| .*`{PREFIX}{table.upper()}_{key.upper()}` \|$"
    assert re.search(row, README, flags=re.MULTILINE), f"{table}.{key} with default {said}"


def test_the_default_of_workers_hangs_on_the_machine() -> None:
    assert RunOptions().workers >= 1  # why its row says "CPUs" and no number


@pytest.mark.parametrize("word", [*get_args(KeptRole), *get_args(RemovedRole), *get_args(PageType), *MT_STATUSES])
def test_every_role_page_type_and_status_is_named(word: str) -> None:
    assert named(word)


@pytest.mark.parametrize("rule", [f"{rule.__module__.rpartition('.')[2]}.{rule.__name__}" for rule in RULES])
def test_every_cleaning_rule_is_named(rule: str) -> None:
    assert named(rule)


@pytest.mark.parametrize("target", ["run", "test", "lint", "bench", "clean"])
def test_every_make_target_is_named(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE)
    assert f"make {target}" in README


def test_the_two_commands_come_before_any_heading_of_level_2() -> None:
    start = README.partition("\n## ")[0]
    assert "make run" in start
    assert "make test" in start


def test_nothing_in_it_is_of_one_machine_or_one_registry() -> None:
    assert not re.search(r"(?<![\w.])/(?:home|root|tmp|work|usr|var|opt|Users)/", README)
    assert not re.search(r"pypi\.org|index-url|files\.pythonhosted|registry\.\w", README)
    hosts = re.findall(r"https?://([^/\s\"`)]+)", README)
    assert not [host for host in hosts if not host.endswith(".example")]


# ---- what is generated ----------------------------------------------------------------------------


def columns_text() -> str:
    """Give the tables of columns as the README has them."""
    parts = ["### Records: `articles/`", *_tables(COLUMNS), "### Quarantine: `quarantine/`", _table(QUARANTINE_COLUMNS)]
    parts += ["### Requests: `fetches/`", _table(FETCH_COLUMNS)]
    return "\n\n".join(parts)


def _tables(columns: tuple[Column, ...]) -> Iterator[str]:
    for group, members in groupby(columns, key=lambda column: column.group):
        yield f"#### {group}"
        yield _table(tuple(members))


def _table(columns: tuple[Column, ...]) -> str:
    lines = ["| column | type | null | meaning | maps to |", "|---|---|---|---|---|"]
    for column in columns:
        allowed = f" One of: {', '.join(f'`{word}`' for word in column.allowed)}." if column.allowed else ""
        cells = (
            f"`{column.name}`",
            dtype_name(column.dtype),
            "never" if column.required else "yes",
            column.meaning + allowed,
            column.maps_to or "",
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


GENERATED = re.compile(r"(?<=<!-- columns -->\n\n).*?(?=\n\n<!-- end of columns -->)", re.DOTALL)


def test_the_tables_of_columns_are_those_of_the_schema() -> None:
    found = GENERATED.search(README)
    assert found
    assert found[0] == columns_text()


def rules_text() -> str:
    """Give the table of rules as the README has it."""
    lines = ["| rule | flags | when | of | warn above | fail above | least |", "|---|---|---|---|---|---|---|"]
    for rule in built_in():
        when = "" if rule.where is None else f"`{_printable(rule.where)}`"
        cells = (
            f"`{rule.name}`",
            rule.meaning,
            when.replace("|", "\\|"),
            f"`{rule.of}`" if rule.of else "",
            _shares(rule.warn),
            _shares(rule.fail),
            f"{rule.least}",
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _printable(sql: str) -> str:
    """Write what has no shape of its own as in a string of TOML."""
    written = sql.replace("\n", "\\n")
    return "".join(char if char.isprintable() else f"\\u{ord(char):04X}" for char in written)


def _shares(bounds: Mapping[Group, float]) -> str:
    return ", ".join(f"{share:g} of {group}" for group, share in bounds.items())


GENERATED_RULES = re.compile(r"(?<=<!-- rules -->\n\n).*?(?=\n\n<!-- end of rules -->)", re.DOTALL)


def test_the_table_of_rules_is_the_registry() -> None:
    found = GENERATED_RULES.search(README)
    assert found
    assert found[0] == rules_text()


@pytest.mark.parametrize("key", ["where", "python", "of", "table", "column", "warn", "fail", "least", "meaning", "use"])
def test_every_key_of_a_rule_has_a_row(key: str) -> None:
    assert re.search(rf"^\| (`\w+`, )?`{key}`(, `\w+`)? \|", README, flags=re.MULTILINE)


def test_the_rules_that_are_shown_can_be_read() -> None:
    (shown,) = re.findall(r"```toml\n(\[rule\..*?)```", README, flags=re.DOTALL)
    rules = {rule.name: rule for rule in with_own(tomllib.loads(shown), "quality.toml")}
    assert rules["no_byline"].fail == {"all": 0.9}
    assert "duplicate" not in rules


# ---- what is shown --------------------------------------------------------------------------------

#: A command behind "$ ", which may go on over lines that end in a backslash or stand in quotes, and what it prints.
CONSOLE = re.compile(r"(?<=```console\n)\$ (?P<code>.*?)\n(?:\n(?P<output>.*?)\n)?(?=```$)", re.DOTALL | re.MULTILINE)
#: A Python program, and below it what it prints.
PYTHON = re.compile(
    r"(?<=```python\n)(?P<code>(?:(?!```).)*?)\n```\n\n```text\n(?P<output>.*?)\n(?=```$)", re.DOTALL | re.MULTILINE
)
#: The end of what `make run` says.
MAKE_RUN = re.compile(r"(?<=<!-- make run -->\n\n```text\n).*?(?=\n```$)", re.DOTALL | re.MULTILINE)
#: Rows of its table that are shown.
ROWS = 6

SHOWN = [*CONSOLE.finditer(README), *PYTHON.finditer(README)]


def in_shell(command: str, folder: Path) -> str:
    """Run a command as a person in the checkout does, on a terminal of 120 columns; stdout and stderr together."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    environment |= {
        "COLUMNS": "120",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}",
        "PYTHONUTF8": "1",
    }
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    return done.stdout.decode().rstrip("\n")


def output_of(shown: re.Match[str], folder: Path) -> str:
    command = shown["code"]
    if shown.re is PYTHON:
        (folder / "shown.py").write_text(command, "utf-8")
        command = "python shown.py"
    output = in_shell(command, folder)
    assert "Traceback" not in output, output
    return output


def make_run(folder: Path) -> str:
    """Do what `make run` does once .venv is there, and give the end of what it says, shortened."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    records, translated = re.findall(r'babelwire query \$\(OUT\) (".*?");', makefile)
    remark = re.search(r'echo "(Translated .*?)";', makefile)
    assert remark
    in_shell("babelwire models add seeds/models --config seeds/demo.toml", folder)
    done = in_shell("babelwire run seeds/sources.toml --config seeds/demo.toml --output out", folder)
    summary = done[done.index("babelwire: run ") :]
    table = in_shell(f"babelwire query out {records}", folder).splitlines()
    english = in_shell(f"babelwire query out {translated}", folder)
    return "\n".join([summary, *table[: ROWS + 2], "...", table[-1], remark[1], english])


def checkout(folder: Path) -> Path:
    """Make a folder look like a checkout in which nothing was run yet."""
    (folder / "seeds").symlink_to(ROOT / "seeds")
    return folder


def settled(text: str) -> str:
    """Take out what differs from run to run: the day, the name of the run (made of day and versions) and the time."""
    text = re.sub(r"\b[0-9a-f]{16}\b", "RUN", text)
    text = re.sub(r"( of| on|run_date=| run_date +)\d{4}-\d\d-\d\d", r"\1DAY", text)
    return re.sub(r"in [\d.]+ s \([\d.]+ pages/s\)", "in TIME", text)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A checkout after `make run`, and what that said."""
    folder = checkout(tmp_path_factory.mktemp("checkout"))
    return folder, make_run(folder)


def test_make_run_says_what_is_shown(done: tuple[Path, str]) -> None:
    shown = MAKE_RUN.search(README)
    assert shown
    assert settled(done[1]) == settled(shown[0])


@pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: shown["code"].splitlines()[0])
def test_what_is_shown_is_what_comes_out(shown: re.Match[str], done: tuple[Path, str]) -> None:
    assert settled(output_of(shown, done[0])) == settled(shown["output"] or "")


def main() -> None:
    """Write what is generated and what is shown anew."""
    text = GENERATED.sub(lambda _: columns_text(), README)
    text = GENERATED_RULES.sub(lambda _: rules_text(), text)
    with tempfile.TemporaryDirectory() as name:
        folder = checkout(Path(name))
        said = make_run(folder)
        text = MAKE_RUN.sub(lambda _: said, text)
        for pattern in (CONSOLE, PYTHON):
            text = pattern.sub(lambda shown: _renewed(shown, folder), text)
    (ROOT / "README.md").write_text(text, "utf-8")


def _renewed(shown: re.Match[str], folder: Path) -> str:
    output = output_of(shown, folder)
    if shown.re is PYTHON:
        return f"{shown['code']}\n```\n\n```text\n{output}\n"
    return f"$ {shown['code']}\n\n{output}\n" if output else f"$ {shown['code']}\n"


if __name__ == "__main__":
    main()
