"""The page of a night, made of an output folder and put where it is wanted: there whole, or not at all."""

from datetime import date
from pathlib import Path

import polars as pl

from ingest.check import checked
from ingest.disk import disk_errors, put_durably
from ingest.query import open_tables
from schemas.errors import SetupError
from schemas.quality.finding import Finding, Tables
from schemas.quality.night import known_nights
from schemas.quality.report import report

#: Where the page is put in its output folder.
NAME = "report.html"

#: How many nights an error lists.
_LISTED = 5


def page_of(root: Path, night: date | None = None) -> str:
    """Make the page of one night of an output folder, with what its checks find.

    Args:
        root: The output folder of runs.
        night: The night; the last one where it is None.

    Raises:
        SetupError: If the folder is no output of ours, holds nothing of that night, or a file of it is gone.
    """
    tables = Tables(**open_tables(root))
    try:
        nights = known_nights(tables)
        if night is not None and night not in nights:
            listed = ", ".join(each.isoformat() for each in nights[-_LISTED:])
            message = f"{root} has nothing of {night.isoformat()}; the last nights are {listed}"
            raise SetupError(message)
        night = night or max(nights, default=None)
        return report(tables, folder=str(root), night=night, findings=_findings(root, tables, night))
    except FileNotFoundError as error:
        message = f"{error} is listed in a manifest below {root / 'runs'}; restore it from a copy"
        raise SetupError(message) from error


def _findings(root: Path, tables: Tables, night: date | None) -> tuple[Finding, ...] | None:
    """Hold a night to its rules; None where no run made it, as with a crawl that nobody has read yet."""
    if tables.runs.filter(pl.col("run_date") == night).collect().is_empty():
        return None
    return checked(root, night=night).findings


def put_page(path: Path, page: str) -> None:
    """Write a page so that who looks at it sees the old one or the new one, never a part.

    Raises:
        DiskFullError: If there is no space left.
        SetupError: If the folder is not there or cannot be written.
    """
    if not path.parent.is_dir():
        message = f"{path} cannot be written, as {path.parent} is not a folder; make it, or name another --output"
        raise SetupError(message)
    with disk_errors(path):
        put_durably(path, page.encode())
