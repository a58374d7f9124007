"""The one edge where errors of other people's readers get our name."""

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import brotli
import polars.exceptions
import zstandard

from schemas.errors import SourceError

_DAMAGED: tuple[type[BaseException], ...] = (
    zlib.error,
    lzma.LZMAError,
    brotli.error,
    zstandard.ZstdError,
    zipfile.BadZipFile,
    tarfile.TarError,
    polars.exceptions.PolarsError,
    polars.exceptions.PanicException,  # the Parquet reader gives up this way on some bit flips
    UnicodeError,
)
"""What the readers we build on raise for bytes they cannot make sense of."""


@contextmanager
def foreign_errors_renamed() -> Iterator[None]:
    """Turn what a broken input makes other readers raise into a ``SourceError``, cause kept.

    ``truncated`` is data that ends too early, ``damaged`` is data that is wrong, ``unreadable``
    is trouble with the file itself (rights, disk, vanished). A SourceError stays as it is, and
    so does everything else: a TypeError or KeyError is a bug of ours and has to be seen.

    Raises:
        SourceError: In place of the foreign error.

    """
    try:
        yield
    except EOFError as error:
        raise SourceError(reason="truncated", detail=f"the data ends too early: {_said(error)}") from error
    except OSError as error:
        # bz2 and fastwarc speak through OSError too, but only the system gives it a number.
        reason = "damaged" if error.errno is None else "unreadable"
        raise SourceError(reason, _said(error)) from error
    except _DAMAGED as error:
        raise SourceError(reason="damaged", detail=_said(error)) from error


def _said(error: BaseException) -> str:
    # Readers in Rust put a whole backtrace below the first line.
    first = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
