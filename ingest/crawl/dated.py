"""Dates of feeds and sitemaps as points in time."""

from collections.abc import Sequence
from datetime import datetime

from normalize.dates import parse_moment

#: No news page and no feed is older; earlier dates are those of empty databases (1970, year 0).
FIRST_YEAR = 1990


def when(written: str | None, languages: Sequence[str] = ()) -> datetime | None:
    """Read a date as a point in time, UTC; None where it cannot be read or is before 1990.

    By ``normalize.dates`` alone, which knows the months of some eighty languages, where feedparser reads "12-11-2026" as
    the year 2012 and "MSK" as UTC. A date without a zone is taken for UTC, one without a time of day for midnight.
    """
    moment = parse_moment(written, languages=languages) if written else None
    return moment.at if moment and moment.at.year >= FIRST_YEAR else None
