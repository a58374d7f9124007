"""Parquet tables with a "text" or "html" column, read in batches."""

from collections.abc import Iterator

import polars as pl

from ingest.sources.limits import Limits
from ingest.sources.look import Head
from ingest.sources.opened import Opened
from ingest.sources.rows import ABOUT, CONTENT, document_of_row
from schemas.document import RawDocument, Rejected
from schemas.errors import SourceError

#: Rows held at once, besides the row group that polars works on. Pages of 100 KB make 25 MB.
_BATCH = 256


def sniff(head: Head) -> bool:
    """Say whether this begins as Parquet does."""
    return head.data.startswith(b"PAR1")


def read(opened: Opened, limits: Limits) -> Iterator[RawDocument | Rejected]:
    """Give one document for each row, in their order.

    Only the columns that mean something to us are read.

    Raises:
        SourceError: ``no_text_column`` when there is nothing to make documents of; or what
            is wrong with the compression around the file.
        polars.exceptions.PolarsError: If the file is broken.

    """
    if opened.head.packing is not None:
        detail = f"Parquet inside {opened.head.packing} cannot be read; unpack the file first"
        raise SourceError(reason="unsupported", detail=detail)
    opened.file.seek(0)
    source = opened.file if opened.path is None else opened.path
    table = pl.scan_parquet(source, glob=False, hive_partitioning=False)
    names = table.collect_schema().names()
    wanted = [name for name in names if name.strip().lower() in {*CONTENT, *ABOUT}]
    if not any(name.strip().lower() in CONTENT for name in wanted):
        detail = f'no column is named "text" or "html"; there are: {", ".join(names)[:200]}'
        raise SourceError(reason="no_text_column", detail=detail)
    number = 0
    for batch in table.select(wanted).collect_batches(chunk_size=_BATCH, maintain_order=True):
        for row in batch.iter_rows(named=True):
            number += 1
            yield document_of_row(opened, number, row, limits)
