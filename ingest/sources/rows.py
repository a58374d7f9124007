"""What a row means, whatever the table it stands in: JSON Lines, CSV and Parquet agree here."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Unpack

from ingest.sources.instants import as_utc, instant
from ingest.sources.limits import Limits
from ingest.sources.opened import Opened, Where
from schemas.document import Discovered, RawDocument, Rejected
from schemas.errors import SourceError

#: Columns with the document; "html" wins where a row has both.
CONTENT = ("html", "text")
#: Columns that say more of it. All names in any case.
ABOUT = ("id", "url", "title", "published", "fetched_at")

#: How much of a wrong value is shown, in characters.
_SHOWN = 80


def document_of_row(
    opened: Opened,
    number: int,
    row: Mapping[str, object],
    limits: Limits,
    **where: Unpack[Where],
) -> RawDocument | Rejected:
    """Make a document of one row, or say what is wrong with the row.

    Args:
        opened: The table.
        number: Of the row, from 1; it names the row when there is no ``id``.
        row: Values by column name, in any case.
        limits: How large the content may be.
        where: Where the row lies, if that can be said.

    Returns:
        The document; its member is the id, or the number. Or a rejection with reason
        ``bad_row``, ``empty`` or ``too_large``, whose member is the number.

    """
    cells = {name.strip().lower(): value for name, value in row.items() if name}
    try:
        media, content, charset = _content(cells)
        limits.check_size(len(content))
        about = {name: _words(name, cells.get(name)) for name in ABOUT[:-1]}
    except SourceError as error:
        return bad_row(opened, number, error, **where)
    discovered = None
    if about["title"] or about["published"]:
        discovered = Discovered(title=about["title"], published=about["published"])
    where["source_member"] = about["id"] or str(number)
    where["url"] = about["url"]
    where["fetched_at"] = _instant(cells.get("fetched_at"))
    return opened.document(
        content,
        media="html" if media == "html" else "text",
        charset=charset,
        discovered=discovered,
        **where,
    )


def bad_row(opened: Opened, number: int, error: SourceError, **where: Unpack[Where]) -> Rejected:
    """Reject one row, with its number in front of what is wrong."""
    where["source_member"] = str(number)
    return opened.reject(SourceError(error.reason, f"row {number}: {error.detail}"), **where)


def shown(value: object) -> str:
    r"""Show a wrong value to people: the first 80 characters, control characters escaped.

    >>> shown("a\n"), shown(12)
    ("'a\\n'", '12')
    """
    if isinstance(value, str | bytes):
        value = value[:_SHOWN]  # a repr of megabytes would be made only to be cut
    return repr(value)[: _SHOWN + 2]


def _content(cells: Mapping[str, object]) -> tuple[str, bytes, str | None]:
    media = next((name for name in CONTENT if cells.get(name) not in (None, "", b"")), None)
    if media is None:
        named = [name for name in CONTENT if cells.get(name) is not None]
        if named:
            raise SourceError(reason="empty", detail=f'"{named[0]}" has no characters')
        columns = ", ".join(sorted(cells)) or "none"
        raise SourceError(reason="bad_row", detail=f"no text and no html; it has {shown(columns)}")
    value = cells[media]
    if isinstance(value, bytes):
        return media, value, None  # a binary column of Parquet: the page as it was sent
    if not isinstance(value, str):
        what = f'"{media}" is {type(value).__name__}, not a string: {shown(value)}'
        raise SourceError(reason="bad_row", detail=what)
    return media, _encoded(media, value), "utf-8"


def _encoded(name: str, value: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        near = ascii(value[max(error.start - 20, 0) : error.start + 20])
        what = f'"{name}" has a lone surrogate at character {error.start}: {near[:_SHOWN]}'
        raise SourceError(reason="bad_row", detail=what) from error


def _words(name: str, value: object) -> str | None:
    """Read a cell that says something about the document; "" is nothing."""
    if value is None or value == "":
        return None
    if isinstance(value, date):  # datetime is one of them
        return value.isoformat()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        what = f'"{name}" is {type(value).__name__}, not a string or number: {shown(value)}'
        raise SourceError(reason="bad_row", detail=what)
    _encoded(name, value)
    return value


def _instant(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return as_utc(value)
    return instant(value) if isinstance(value, str) else None
