"""One night of an output folder held to its rules: which tables that is, what is looked at outside, and how it is printed."""

import json
import tomllib
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final, TextIO

import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ingest.query import open_tables
from schemas.errors import SetupError
from schemas.quality.check import check, judged, worst_first
from schemas.quality.drift import drift
from schemas.quality.finding import Finding, Tables
from schemas.quality.rules import Rule, built_in, with_own

#: The user's rules where no file is named.
DEFAULT_RULES: Final = Path("quality.toml")

#: Findings that a table lists; JSON has them all.
_MOST_LISTED: Final = 50

_COLOURS: Final = {"fail": "red", "warn": "yellow"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a night came to."""

    night: date
    run_ids: tuple[str, ...]
    records: int
    quarantined: int
    #: How many rules it was held to.
    rules: int
    findings: tuple[Finding, ...]

    @property
    def has_failed(self) -> bool:
        """Say whether one of the findings is of level fail."""
        return any(finding.level == "fail" for finding in self.findings)

    @property
    def sentence(self) -> str:
        """Say it in one line."""
        fails = sum(finding.level == "fail" for finding in self.findings)
        warns = len(self.findings) - fails
        found = f"{fails:,} fail, {warns:,} warn" if self.findings else "nothing found"
        return (
            f"night of {self.night}: {self.records:,} records, {self.quarantined:,} quarantined, "
            f"{self.rules} rules: {found}"
        )


def checked(
    root: Path, *, run_id: str | None = None, night: date | None = None, rules: Path | None = None, files: bool = False
) -> Checked:
    """Hold one night to the built-in rules, the user's own, and the nights before it.

    Args:
        root: The output folder.
        run_id: Look at this run only; None for all of a night.
        night: The run date; None for the last one.
        rules: The user's rules; None for ``quality.toml`` in this folder, if any.
        files: Look whether the files that the records were read from are still there.

    Raises:
        SetupError: If the folder, the run, the day, the rules or the data are at fault.
    """
    held_to = read_rules(rules)
    runs = _runs_of(root, run_id, night)
    ids = tuple(runs["run_id"])
    tables = Tables(**open_tables(root, only=frozenset(ids)))
    try:
        findings = [*check(tables, held_to)]
        if run_id is None:
            # A run may be a part of its night, and is not to be compared with whole ones.
            findings += drift(Tables(**open_tables(root)), night=runs["run_date"][0])
        if files:
            findings += _missing_files(tables.articles, held_to)
    except FileNotFoundError as error:
        message = f"{error} is listed in a manifest below {root / 'runs'}; restore it from a copy"
        raise SetupError(message) from error
    except pl.exceptions.PolarsError as error:
        first = str(error).partition("\n")[0]
        message = f"{root} cannot be checked: {first}; a file that is not of our schema, or a rule, is at fault"
        raise SetupError(message) from error
    return Checked(
        night=runs["run_date"][0],
        run_ids=ids,
        records=int(runs["records"].sum()),
        quarantined=int(runs["quarantined"].sum()),
        rules=len(held_to),
        findings=worst_first(findings),
    )


def read_rules(path: Path | None) -> tuple[Rule, ...]:
    """Give the rules of a file together with the built-in ones; without a file, those of ``quality.toml`` if it is here.

    Raises:
        SetupError: If the file is at fault.
    """
    if path is None:
        if not DEFAULT_RULES.exists():
            return built_in()
        path = DEFAULT_RULES
    try:
        written = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        message = f"{path}: cannot be read ({error.strerror}); name a TOML file with --rules"
        raise SetupError(message) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{path}: is not TOML in UTF-8: {error}"
        raise SetupError(message) from error
    return with_own(written, str(path))


def _runs_of(root: Path, run_id: str | None, night: date | None) -> pl.DataFrame:
    """Find the runs of one night; there is at least one."""
    runs = open_tables(root)["runs"].collect().sort("run_date", "run_id")
    if runs.is_empty():
        message = f"{root} holds no finished run; run babelwire run first"
        raise SetupError(message)
    if run_id is not None:
        found = runs.filter(pl.col("run_id") == run_id)
        if found.is_empty():
            message = f'--run "{run_id}" is no run of {root}; the last is {runs["run_id"][-1]}'
            raise SetupError(message)
        if night is not None and found["run_date"][0] != night:
            message = f"--run {run_id} is of {found['run_date'][0]}, not of {night}; leave one of --run and --date out"
            raise SetupError(message)
        return found
    last = runs["run_date"][-1]
    found = runs.filter(pl.col("run_date") == (night or last))
    if found.is_empty():
        message = f"{root} holds no run of {night}; the last night is {last}"
        raise SetupError(message)
    return found


def _missing_files(articles: pl.LazyFrame, rules: tuple[Rule, ...]) -> list[Finding]:
    """Look for each file that records were read from, once."""
    named = (
        articles.group_by("source_uri")
        .agg(pl.len().alias("records"), pl.col("record_id").min())
        .sort("source_uri")
        .collect(engine="streaming")
    )
    is_gone = [uri is None or not Path(uri).is_file() for uri in named["source_uri"]]
    gone = named.filter(pl.Series(is_gone, dtype=pl.Boolean))
    found = [
        judged(
            rule, "all", key=None, count=int(gone["records"].sum()), of=int(named["records"].sum()), what="records",
            examples=gone["record_id"].head(3).to_list(),
            more=f" {gone.height:,} of {named.height:,} files, such as {', '.join(gone['source_uri'].head(3))}.",
        )
        for rule in rules
        if rule.measure == "files" and not gone.is_empty()
    ]  # fmt: skip
    return [finding for finding in found if finding is not None]


# ---- printing -----------------------------------------------------------------------------------


def as_json(outcome: Checked) -> str:
    """Write all of it as one JSON object, days as ISO 8601."""
    entry: dict[str, Any] = asdict(outcome)
    return json.dumps(entry, ensure_ascii=False, indent=2, default=str) + "\n"


def write_table(outcome: Checked, stream: TextIO) -> None:
    """Write the findings for people: a table on a terminal, else one line each, so that grep finds them."""
    shown = outcome.findings[:_MOST_LISTED]
    if stream.isatty():
        console = Console(file=stream)
        table = Table("level", "rule", "what", box=None, pad_edge=False)
        for finding in shown:
            # As Text, which no document can dress up with markup.
            table.add_row(Text(finding.level, _COLOURS[finding.level]), finding.rule, Text(_said(finding)))
        if shown:
            console.print(table)
    else:
        stream.writelines(f"{finding.level}  {finding.rule}  {_said(finding)}\n" for finding in shown)
    if len(outcome.findings) > len(shown):
        stream.write(f"and {len(outcome.findings) - len(shown):,} more; --json gives all\n")
    stream.write(f"{outcome.sentence}\n")


def _said(finding: Finding) -> str:
    such_as = f" For example {', '.join(finding.examples)}." if finding.examples else ""
    # Names of sites and files come from outside, and control characters could drive the terminal.
    return "".join(char if char.isprintable() else " " for char in finding.sentence + such_as)
