"""Parquet tables with a column of texts or pages, read in batches."""

from collections.abc import Iterator
from datetime import date

import polars as pl

from ingest.sources.limits import Limits
from ingest.sources.look import Head
from ingest.sources.opened import Opened
from ingest.sources.rows import bad_row, document_of_row, has_content, known
from schemas.document import RawDocument, Rejected
from schemas.errors import SourceError

#: Rows held at once, besides the row group that polars works on. Pages of 100 KB make 25 MB.
_BATCH = 256

#: The days that Python's dates reach, without the outermost: a time zone may shift one over the edge. From 1970 on.
_FIRST_DAY, _LAST_DAY = (day.toordinal() - date(1970, 1, 1).toordinal() for day in (date(1, 1, 2), date(9999, 12, 30)))


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
    schema = table.collect_schema()
    names = schema.names()
    wanted = known(names)
    if not has_content(names):
        detail = f'no column is named "text", "html" or as other tools name them; there are: {", ".join(names)[:200]}'
        raise SourceError(reason="no_text_column", detail=detail)
    number = 0
    cells = [_within_reach(name, schema[name]) for name in wanted]
    for batch in table.select(cells).collect_batches(chunk_size=_BATCH, maintain_order=True):
        for place in range(batch.height):
            number += 1
            try:
                row = batch.row(place, named=True)
            except (ValueError, OverflowError) as error:  # a moment or a length of time inside of a list, say
                what = f"a value that Python cannot hold: {error}"
                yield bad_row(opened, number, SourceError(reason="bad_row", detail=what))
                continue
            yield document_of_row(opened, number, row, limits)


def _within_reach(name: str, dtype: pl.DataType) -> pl.Expr:
    """Give a column with null for the days that Python has none for: no time is worth losing the document for."""
    column = pl.col(name)
    if isinstance(dtype, pl.Datetime):
        # Nanoseconds reach from 1677 to 2262 only.
        a_day = 86_400 * {"ms": 10**3, "us": 10**6, "ns": 10**9}[dtype.time_unit]
    elif isinstance(dtype, pl.Date):
        a_day = 1
    else:
        return column
    units = column.cast(pl.Int64)
    return pl.when(units.is_between(max(_FIRST_DAY * a_day, -(2**63)), min(_LAST_DAY * a_day, 2**63 - 1))).then(column)
