"""Times that a machine wrote down: WARC-Date and the ``fetched_at`` of rows."""

from datetime import UTC, datetime


def instant(written: str | None) -> datetime | None:
    """Read an ISO 8601 time as aware UTC; a time without a zone is taken as UTC.

    None when there is nothing, or nothing that can be read: the time of a fetch is worth
    having, but never worth losing the document for.

    >>> instant("2024-05-01T08:00:00+02:00")
    datetime.datetime(2024, 5, 1, 6, 0, tzinfo=datetime.timezone.utc)
    >>> instant("yesterday") is None
    True
    """
    if not written:
        return None
    try:
        moment = datetime.fromisoformat(written.strip())
        return as_utc(moment)
    except (ValueError, OverflowError):  # year 1 with a zone east of Greenwich has no UTC
        return None


def as_utc(moment: datetime) -> datetime:
    """Give the same instant in UTC; a naive one is taken as UTC already.

    Raises:
        OverflowError: If it falls out of the years 1 to 9999 that way.

    """
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC)
