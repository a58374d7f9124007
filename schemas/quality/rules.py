"""The rules that a night is held to: those of ``rules.toml``, of the schema, and of the user's own file.

    [rule.NAME]                            of whoever writes rules; see ``rules.toml`` for the keys
    where = "..."  or  python = "a.b:c"    polars SQL, or a function without arguments that gives a polars expression
    warn = 0.1     or  warn = { all = 0.1, source_id = 0.3 }

A table that has the name of a built-in rule changes its ``warn``, ``fail`` and ``least``, or says ``use = false``.
"""

import importlib
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Final, Literal, cast, get_args

import polars as pl
from polars.datatypes import DataTypeClass

from schemas.errors import SetupError
from schemas.record import COLUMNS, QUARANTINE, RECORD
from schemas.toml_table import TomlTable, noting, one_of, refuse

Group = Literal["all", "source_id", "lang", "domain"]
"""What a share is taken of: all records of the night, or those of one source, language or site."""

Table = Literal["articles", "quarantine"]

Measure = Literal["rows", "night", "names", "blocks", "files"]
"""How the flagged are counted: rows that an expression flags, or in a way of its own (see ``schemas.quality.check``)."""

GROUPS: Final[tuple[Group, ...]] = get_args(Group)

#: Fewer records of a source or language say nothing.
LEAST: Final = 30

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_ENTRY: Final = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_OF_BUILT_IN: Final = ("use", "warn", "fail", "least")
_OF_OWN: Final = ("use", "table", "where", "python", "of", "column", "warn", "fail", "least", "meaning")
_SCHEMAS: Final[Mapping[Table, pl.Schema]] = {"articles": RECORD, "quarantine": QUARANTINE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. A group whose share of flagged records is larger than its bound becomes a finding."""

    name: str
    #: What a flagged record is, as a sentence.
    meaning: str
    table: Table = "articles"
    measure: Measure = "rows"
    #: Flags a row; null counts as not. polars SQL, or None where ``python`` or ``measure`` decides.
    where: str | None = None
    #: "package.module:function", called once; gives the expression that flags a row.
    python: str | None = None
    #: The rows it asks about, in SQL; None for all. Of the quarantine, it is always all documents of the night.
    of: str | None = None
    #: The column that a fault shows in.
    column: str | None = None
    #: Largest shares that pass, 0 to 1.
    warn: Mapping[Group, float] = field(default_factory=dict)
    fail: Mapping[Group, float] = field(default_factory=dict)
    #: Rows that a group must have, for its share to say something.
    least: int = LEAST

    def flagged(self) -> pl.Expr:
        """Give the expression that is true for a flagged row, null or false for others.

        Raises:
            SetupError: If it cannot be made.
        """
        return pl.sql_expr(self.where or "FALSE") if self.python is None else _called(self.python)

    def asked(self) -> pl.Expr | None:
        """Give the expression that is true for a row that the rule asks about; None for all."""
        return None if self.of is None else pl.sql_expr(self.of)

    def groups(self) -> tuple[Group, ...]:
        """Name the groups that it has a bound for."""
        return tuple(group for group in GROUPS if group in self.warn or group in self.fail)


@cache
def built_in() -> tuple[Rule, ...]:
    """Give the rules of the schema and of ``rules.toml``."""
    written = tomllib.loads(Path(__file__).with_name("rules.toml").read_text("utf-8"))["rule"]
    keys = (*_OF_OWN, "measure")
    read = (_read(name, value, "rules.toml", keys) for name, value in written.items())
    return (*_of_schema(), *(rule for rule in read if rule is not None))


def with_own(written: Mapping[str, object], file: str) -> tuple[Rule, ...]:
    """Give the built-in rules as a user's file changes them, and its own behind them.

    Args:
        written: The file as TOML reads it.
        file: Its name, for messages.

    Raises:
        SetupError: With all that is wrong with it, one fault a line: file, rule, key, the value and what is allowed; or
            an expression that fails or does not flag rows.
    """
    top = TomlTable(dict(written), where=f"{file}:")
    top.refuse_unknown(("rule",))
    rules = {rule.name: rule for rule in built_in()}
    faults: list[str] = []
    for name, value in TomlTable(written.get("rule", {}), where=f"{file}: rule").values.items():
        with noting(faults):
            if name in rules:
                changed = _changed(rules[name], TomlTable(value, where=f"{file}: [rule.{name}]"))
            else:
                changed = _read(name, value, file)
            if changed is None:
                rules.pop(name, None)
            else:
                rules[name] = changed
    refuse(faults)
    return tuple(rules.values())


def _of_schema() -> Iterable[Rule]:
    """Make rules of what ``schemas.record`` promises of each column."""
    always: dict[Group, float] = {"all": 0}
    for column in COLUMNS:
        if column.required:
            yield Rule(
                name=f"null_{column.name}", where=f"{column.name} IS NULL", column=column.name, fail=always, least=1,
                meaning=f"{column.name} must always be filled, and is null.",
            )  # fmt: skip
    for column in COLUMNS:
        if column.allowed:
            words = ", ".join(f"'{word}'" for word in column.allowed)
            yield Rule(
                name=f"value_{column.name}", where=f"{column.name} NOT IN ({words})", column=column.name, fail=always,
                least=1, meaning=f"{column.name} is none of: {', '.join(column.allowed)}.",
            )  # fmt: skip


def _changed(rule: Rule, table: TomlTable) -> Rule | None:
    table.refuse_unknown(_OF_BUILT_IN)
    if table.flag("use") is False:
        return None
    return replace(
        rule,
        warn=_bounds(table, "warn") if "warn" in table.values else rule.warn,
        fail=_bounds(table, "fail") if "fail" in table.values else rule.fail,
        least=table.whole("least", least=1, most=10**9) or rule.least,
    )


def _read(name: str, value: object, file: str, keys: tuple[str, ...] = _OF_OWN) -> Rule | None:
    """Read one rule; None where it is switched off."""
    table = TomlTable(value, where=f"{file}: [rule.{name}]")
    if not _NAME.fullmatch(name):
        message = f'{file}: rule "{name}" is no name; use small letters a-z, digits and _, a letter first'
        raise SetupError(message)
    table.refuse_unknown(keys)
    if table.flag("use") is False:
        return None
    meaning = table.text("meaning")
    if meaning is None:
        message = f"{table.where} meaning is missing; say in a sentence what a flagged record is"
        raise SetupError(message)
    rule = Rule(
        name=name,
        meaning=meaning,
        table=cast("Table", table.text("table", one_of(*get_args(Table))) or "articles"),
        measure=cast("Measure", table.text("measure", one_of(*get_args(Measure))) or "rows"),
        where=table.text("where"),
        python=table.text("python", _check_entry),
        of=table.text("of"),
        column=table.text("column"),
        warn=_bounds(table, "warn"),
        fail=_bounds(table, "fail"),
        least=table.whole("least", least=1, most=10**9) or LEAST,
    )
    _hold_together(rule, table.where)
    return rule


def _hold_together(rule: Rule, where: str) -> None:
    """Refuse a rule whose keys contradict each other, or whose expressions fail."""
    if rule.measure == "rows":
        if (rule.where is None) == (rule.python is None):
            message = f"{where} needs one of where (polars SQL) and python (package.module:function)"
            raise SetupError(message)
        if rule.table == "quarantine" and rule.of is not None:
            message = f"{where} of is {rule.of!r}; leave it out: what is refused is counted beside all documents"
            raise SetupError(message)
        if rule.table == "quarantine" and not {"lang", "domain"}.isdisjoint(rule.groups()):
            message = f"{where} warn and fail know all and source_id only: the quarantine has no other group"
            raise SetupError(message)
        _try(rule.flagged, rule.table, f"{where} {'where' if rule.python is None else 'python'}")
        if rule.of is not None:
            _try(rule.asked, rule.table, f"{where} of")
    if not rule.groups():
        message = f"{where} has no bound; give warn or fail the largest share that passes, such as warn = 0.1"
        raise SetupError(message)


def _bounds(table: TomlTable, key: str) -> dict[Group, float]:
    """Read ``0.1``, which is of all records, or ``{ all = 0.1, source_id = 0.3 }``."""
    value = table.values.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        whole = table.number(key, least=0, most=1)
        return {} if whole is None else {"all": whole}
    inner = TomlTable(value, where=f"{table.where} {key}")
    inner.refuse_unknown(GROUPS)
    shares = {group: inner.number(group, least=0, most=1) for group in GROUPS}
    return {group: share for group, share in shares.items() if share is not None}


def _check_entry(value: str) -> str | None:
    return None if _ENTRY.fullmatch(value) else 'a function, such as "newsroom.rules:no_byline"'


def _called(entry: str) -> pl.Expr:
    module, _, name = entry.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        message = f'python "{entry}" cannot be found ({error}); is its folder in PYTHONPATH?'
        raise SetupError(message) from error
    given = function()
    if not isinstance(given, pl.Expr):
        message = f'python "{entry}" gave {given!r}; it must give a polars expression'
        raise SetupError(message)
    return given


def _try(make: Callable[[], pl.Expr | None], table: Table, where: str) -> None:
    """Let an expression flag a row of nothing but nulls and one of plain values, so that it fails now and not at night."""
    schema = _SCHEMAS[table]
    probe = pl.DataFrame(
        [dict.fromkeys(schema), {name: _plain(dtype) for name, dtype in schema.items()}], schema=schema
    )
    try:
        flags = probe.select(flag=make())["flag"]
    except pl.exceptions.PolarsError as error:
        first = str(error).partition("\n")[0]
        message = f"{where} fails: {first}; the columns are those of babelwire schema"
        raise SetupError(message) from error
    if flags.dtype != pl.Boolean or len(flags) != probe.height:
        message = (
            f"{where} gives {flags.dtype}, {len(flags)} for {probe.height} rows; it must give true or false for each"
        )
        raise SetupError(message)


def _plain(dtype: pl.DataType | DataTypeClass) -> object:
    """Give a value of a type, as good as any."""
    if isinstance(dtype, pl.List):
        return [_plain(dtype.inner)]
    if isinstance(dtype, pl.Struct):
        return {each.name: _plain(each.dtype) for each in dtype.fields}
    if dtype == pl.String:
        return "x"
    if dtype.is_temporal():
        return datetime(2026, 1, 2, tzinfo=UTC).date() if dtype == pl.Date else datetime(2026, 1, 2, tzinfo=UTC)
    return dtype == pl.Boolean or 1
