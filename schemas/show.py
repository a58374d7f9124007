"""The record schema in the three forms that people ask for: a table, JSON Schema, polars code."""

import json
from collections.abc import Sequence
from itertools import groupby

import polars as pl

from schemas.record import (
    COLUMNS,
    QUARANTINE_COLUMNS,
    RECORD,
    SCHEMA_VERSION,
    Column,
)

JSON_SCHEMA = "https://json-schema.org/draft/2020-12/schema"


def as_table() -> str:
    """Give records and quarantine as Markdown tables, one for each group of columns."""
    parts = [f"# Records, schema version {SCHEMA_VERSION}", _tables(COLUMNS)]
    parts += ["# Quarantine", _tables(QUARANTINE_COLUMNS)]
    return "\n\n".join(parts)


def _tables(columns: Sequence[Column]) -> str:
    groups = groupby(columns, key=lambda column: column.group)
    return "\n\n".join(f"## {name}\n\n{_table(list(members))}" for name, members in groups)


def _table(columns: Sequence[Column]) -> str:
    rows = [("column", "type", "null", "meaning", "maps to")]
    rows += [
        (
            column.name,
            dtype_name(column.dtype),
            "never" if column.required else "yes",
            _meaning(column),
            column.maps_to or "",
        )
        for column in columns
    ]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def _meaning(column: Column) -> str:
    if not column.allowed:
        return column.meaning
    return f"{column.meaning} One of: {', '.join(column.allowed)}."


def dtype_name(dtype: pl.DataType) -> str:
    """Write a dtype as a person reads it.

    >>> dtype_name(pl.List(pl.Struct({"role": pl.String, "score": pl.Float64})))
    'List(Struct{role String, score Float64})'
    """
    if isinstance(dtype, pl.List):
        return f"List({dtype_name(_instance(dtype.inner))})"
    if isinstance(dtype, pl.Struct):
        inner = ", ".join(f"{part.name} {dtype_name(_instance(part.dtype))}" for part in dtype.fields)
        return f"Struct{{{inner}}}"
    if isinstance(dtype, pl.Datetime):
        return f"Datetime({dtype.time_unit}, {dtype.time_zone})"
    return str(dtype)


def _instance(dtype: object) -> pl.DataType:
    """Give a dtype object where polars hands out the bare class."""
    if isinstance(dtype, pl.DataType):
        return dtype
    if isinstance(dtype, type) and issubclass(dtype, pl.DataType):
        return dtype()
    message = f"{dtype!r} is not a polars dtype"
    raise TypeError(message)


def as_json_schema() -> str:
    """Give JSON Schema (2020-12) of one record, as ``babelwire query --format json`` prints it."""
    document = {
        "$schema": JSON_SCHEMA,
        "title": "babelwire record",
        "description": f"One news document, schema version {SCHEMA_VERSION}.",
        "type": "object",
        "properties": {column.name: _property(column) for column in COLUMNS},
        "required": [column.name for column in COLUMNS],
        "additionalProperties": False,
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _property(column: Column) -> dict[str, object]:
    described: dict[str, object] = _json_type(column.dtype, nullable=not column.required)
    if column.allowed:
        described["enum"] = [*column.allowed, *([] if column.required else [None])]
    described["description"] = column.meaning
    if column.maps_to is not None:
        described["x-maps-to"] = column.maps_to
    return described


def _json_type(dtype: pl.DataType, *, nullable: bool) -> dict[str, object]:
    if isinstance(dtype, pl.List):
        # Lists of text hold no nulls; fields of structs may be unknown one by one.
        inner = _json_type(_instance(dtype.inner), nullable=False)
        return {"type": _named("array", nullable=nullable), "items": inner}
    if isinstance(dtype, pl.Struct):
        fields = {part.name: _json_type(_instance(part.dtype), nullable=True) for part in dtype.fields}
        return {
            "type": _named("object", nullable=nullable),
            "properties": fields,
            "required": list(fields),
            "additionalProperties": False,
        }
    name, extra = _scalar(dtype)
    return {"type": _named(name, nullable=nullable), **extra}


def _scalar(dtype: pl.DataType) -> tuple[str, dict[str, object]]:
    if isinstance(dtype, pl.Datetime):
        return "string", {"format": "date-time"}
    if isinstance(dtype, pl.Date):
        return "string", {"format": "date"}
    if isinstance(dtype, pl.Boolean):
        return "boolean", {}
    if dtype.is_integer():
        return "integer", {}
    if dtype.is_float():
        return "number", {}
    return "string", {}


def _named(name: str, *, nullable: bool) -> str | list[str]:
    return [name, "null"] if nullable else name


def as_polars_code() -> str:
    """Give Python source that defines ``RECORD``, a ``polars.Schema`` equal to ours."""
    lines = [
        f'"""The babelwire record, schema version {SCHEMA_VERSION}."""',
        "",
        "import polars as pl",
        "",
        "RECORD = pl.Schema(",
        "    {",
        *(f'        "{name}": {_code(dtype)},' for name, dtype in RECORD.items()),
        "    }",
        ")",
    ]
    return "\n".join(lines)


def _code(dtype: pl.DataType) -> str:
    if isinstance(dtype, pl.List):
        return f"pl.List({_code(_instance(dtype.inner))})"
    if isinstance(dtype, pl.Struct):
        inner = ", ".join(f'"{part.name}": {_code(_instance(part.dtype))}' for part in dtype.fields)
        return f"pl.Struct({{{inner}}})"
    if isinstance(dtype, pl.Datetime):
        return f'pl.Datetime("{dtype.time_unit}", "{dtype.time_zone}")'
    return f"pl.{dtype}()"
