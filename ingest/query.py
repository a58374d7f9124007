"""polars SQL over what lies in an output folder, one's own or by name, and how its answers are printed."""

import io
import json
from collections.abc import Callable, Container, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Literal

import polars as pl
from rich.cells import cell_len, set_cell_size

from ingest.disk import disk_errors, put_durably
from ingest.staged import TABLES, Table
from ingest.store import Manifest, read_manifests
from schemas.errors import SetupError
from schemas.fetch import FETCHES
from schemas.quality.finding import Tables
from schemas.quality.queries import QUERIES, find, named
from schemas.record import QUARANTINE, RECORD

Format = Literal["table", "csv", "json", "parquet"]

SCHEMAS: dict[Table, pl.Schema] = {"articles": RECORD, "quarantine": QUARANTINE}

# One row for each manifest.
RUNS = pl.Schema(
    {
        "run_id": pl.String(),
        "run_date": pl.Date(),
        "started_at": pl.Datetime("us", "UTC"),
        "finished_at": pl.Datetime("us", "UTC"),
        "command": pl.List(pl.String),
        "documents": pl.Int64(),
        "records": pl.Int64(),
        "quarantined": pl.Int64(),
        "skipped": pl.Int64(),
        "inputs": pl.Int64(),
        "files": pl.Int64(),
        "bytes": pl.Int64(),
        "schema_version": pl.String(),
        "config_sha256": pl.String(),
        "babelwire": pl.String(),
    }
)

# A longer cell is cut, in columns of a terminal. A SHA-256 must come through whole.
WIDEST_CELL = 64


def ask(root: Path, question: str, settings: Mapping[str, str] | None = None) -> pl.DataFrame:
    """Run one query over the tables articles, quarantine, runs and fetches.

    Only files of committed runs are read, as the manifests list them, and of crawls that have ended.

    Args:
        root: The output folder.
        question: SQL, or the name of a query of ``schemas.quality.queries``, which has no blank in it.
        settings: Values of the named query's parameters, as written.

    Raises:
        SetupError: If the folder is no output of ours or the query is at fault.
    """
    tables = open_tables(root)
    try:
        if len(question.split()) == 1:
            values = find(question.strip()).read(settings or {})
            return named(question.strip(), Tables(**tables), **values).collect(engine="streaming")
        if settings:
            message = f"--set {next(iter(settings))} is for named queries; write the value into the SQL"
            raise SetupError(message)
        return pl.SQLContext(tables).execute(question, eager=True)
    except FileNotFoundError as error:
        message = f"{error} is listed in a manifest below {root / 'runs'}; restore it from a copy"
        raise SetupError(message) from error
    except pl.exceptions.PolarsError as error:
        # What follows is the plan of the query, which speaks of our files, not of the question.
        first = str(error).partition("\n\nResolved plan")[0]
        message = f"the query failed: {first}\n{_columns_of(tables)}"
        raise SetupError(message) from error


def read_settings(texts: Sequence[str]) -> dict[str, str]:
    """Read ``night=2026-01-31`` and the like.

    Raises:
        SetupError: If one has no "=" or a name comes twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name or name in found:
            message = f'--set "{text}" sets nothing new; write it as NAME=VALUE, each name once'
            raise SetupError(message)
        found[name] = value
    return found


def keep(path: Path, content: bytes) -> None:
    """Put an answer into a file, whole or not at all.

    Raises:
        SetupError: If it cannot be written.
        BusyError: If the disk is full.
    """
    with disk_errors(path):
        put_durably(path, content)


def listed() -> str:
    """List the named queries with what they may be asked for."""
    lines = []
    for query in QUERIES:
        lines.append(f"{query.name}: {query.sentence}")
        for item in query.parameters:
            kind = f"{item.name}={item.kind.upper()}"
            default = "needed" if item.required else f"default: {item.default or item.without}"
            lines.append(f"    --set {kind:<13} {item.meaning} ({default})")
    return "\n".join(lines) + "\n"


def open_tables(root: Path, *, only: Container[str] | None = None) -> dict[str, pl.LazyFrame]:
    """Give the tables of an output folder; nothing is read yet but the manifests.

    Args:
        root: The output folder.
        only: Ids of the runs whose files are opened; None for all. The table fetches has no runs and stays whole.

    Raises:
        SetupError: If the folder does not exist or holds no run.
    """
    if not root.is_dir():
        message = f"{root} is not a folder; name the one that was given to run as --output"
        raise SetupError(message)
    manifests = [item for item in read_manifests(root) if only is None or item["run_id"] in only]
    fetches = sorted(root.glob("fetches/crawl_date=*/crawl=*/part-*.parquet"))
    if not manifests and not fetches:
        message = f"{root} holds no finished run or crawl; name a folder that has runs/ID.json in it"
        raise SetupError(message)
    files = [root / file["path"] for manifest in manifests for file in manifest["files"]]
    tables: dict[str, pl.LazyFrame] = {
        name: _scan([path for path in files if path.relative_to(root).parts[0] == name], SCHEMAS[name])
        for name in TABLES
    }
    tables["fetches"] = _scan(fetches, FETCHES)
    tables["runs"] = pl.DataFrame([_run_row(item) for item in manifests], schema=RUNS).lazy()
    return tables


def _scan(files: Sequence[Path], schema: pl.Schema) -> pl.LazyFrame:
    if not files:
        return pl.LazyFrame(schema=schema)
    # Runs of an older minor version lack the columns added since.
    return pl.scan_parquet(list(files), schema=schema, hive_partitioning=False, missing_columns="insert")


def _run_row(manifest: Manifest) -> dict[str, object]:
    counts = manifest["counts"]
    return {
        "run_id": manifest["run_id"],
        "run_date": date.fromisoformat(manifest["run_date"]),
        "started_at": datetime.fromisoformat(manifest["started_at"]),
        "finished_at": datetime.fromisoformat(manifest["finished_at"]),
        "command": manifest["command"],
        "documents": counts["in"],
        "records": counts["records"],
        "quarantined": counts["quarantined"],
        "skipped": counts["skipped"],
        "inputs": len(manifest["inputs"]),
        "files": len(manifest["files"]),
        "bytes": sum(file["bytes"] for file in manifest["files"]),
        "schema_version": manifest["schema_version"],
        "config_sha256": manifest["config_sha256"],
        "babelwire": manifest["tools"]["babelwire"],
    }


def _columns_of(tables: dict[str, pl.LazyFrame]) -> str:
    lines = (f"  {name}: {', '.join(frame.collect_schema())}" for name, frame in tables.items())
    return "the tables and their columns are:\n" + "\n".join(lines)


# ---- printing -----------------------------------------------------------------------------------


def as_bytes(frame: pl.DataFrame, form: Format, *, width: int) -> bytes:
    """Write an answer, text in UTF-8; ``width`` is that of the terminal, in columns."""
    writers: dict[Format, Callable[[], bytes]] = {
        "table": lambda: _as_table(frame, width).encode(),
        "csv": lambda: _as_csv(frame).encode(),
        "json": lambda: _as_json(frame).encode(),
        "parquet": lambda: _as_parquet(frame),
    }
    return writers[form]()


def _as_parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def _as_csv(frame: pl.DataFrame) -> str:
    """Write CSV; lists and structs, which it has no form for, become JSON."""
    nested = [name for name, dtype in frame.schema.items() if dtype.is_nested()]
    texts = [
        pl.Series(name, [None if item is None else _json(item) for item in frame[name].to_list()]) for name in nested
    ]
    return frame.with_columns(texts).write_csv(datetime_format="%Y-%m-%dT%H:%M:%S%.fZ")


def _as_json(frame: pl.DataFrame) -> str:
    """Write a JSON array with one row on each line."""
    return "[\n" + ",\n".join(_json(row) for row in frame.iter_rows(named=True)) + "\n]\n"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else str(value)


def _as_table(frame: pl.DataFrame, width: int) -> str:
    """Write a table for people: side by side if it fits, else one column of a row per line."""
    names = frame.columns
    rows = [[_cell(value) for value in row] for row in frame.iter_rows()]
    count = f"({frame.height} {'row' if frame.height == 1 else 'rows'})"
    widths = [max(map(cell_len, column)) for column in zip(names, *rows, strict=True)]
    if sum(widths) + 2 * len(widths) <= width:
        lines = [_line(names, widths), "  ".join("-" * wide for wide in widths)]
        lines += [_line(row, widths) for row in rows]
    else:
        widest = max(map(cell_len, names))
        lines = []
        for number, row in enumerate(rows, start=1):
            lines.append(f"--- row {number}")
            lines += [_line(pair, [widest, 0]) for pair in zip(names, row, strict=True)]
    return "\n".join([*lines, count]) + "\n"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (set_cell_size(cell, max(wide, cell_len(cell))) for cell, wide in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()


def _cell(value: object) -> str:
    """Give one value on one line, cut with … where it is long."""
    if value is None:
        return "null"
    text = value if isinstance(value, str) else _json(value).strip('"')
    # Control characters of a hostile page could drive the terminal.
    text = "".join(char if char.isprintable() else " " for char in text)
    return text if cell_len(text) <= WIDEST_CELL else set_cell_size(text, WIDEST_CELL - 1) + "…"
