"""What a saved page says of where it was saved from, and when: browsers, SingleFile and the Wayback Machine write it in."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from ingest.sources.instants import as_utc


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a page was, and when it was seen there; None for what is not said."""

    url: str | None = None
    #: Aware, UTC.
    fetched_at: datetime | None = None


#: Notes of this kind stand in front of the page or right behind its first tags, in bytes.
_START: Final = 8 * 1024
#: The Wayback Machine writes its scripts and its toolbar around the head, and a comment behind the end.
_TOOLBAR, _END = 256 * 1024, 16 * 1024

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

#: The mark of the web: the number says how long the address is
#: (learn.microsoft.com/previous-versions/windows/internet-explorer/ie-developer/compatibility/ms537628).
_SAVED_FROM: Final = re.compile(rb"<!--\s{0,9}saved from url=\((\d{4})\)([^\s<>]{1,8000})")
_SINGLE_FILE: Final = re.compile(
    rb"<!--\s{0,9}(?:Page saved with|Archive processed by) SingleFile\s{1,9}url: ?([^\s<>]{1,8000})"
    rb"(?:\s{1,9}saved date: ?([^\r\n]{1,200}))?"
)
#: As JavaScript shows a date: "Wed Jan 07 2026 20:33:42 GMT+0200 (Eastern European Standard Time)".
_SCRIPT_DATE: Final = re.compile(rb"[A-Z][a-z]{2} ([A-Z][a-z]{2}) (\d\d) (\d{4}) (\d\d):(\d\d):(\d\d) GMT([+-]\d{4})")

_ARCHIVED: Final = re.compile(
    rb"FILE ARCHIVED ON (\d{1,2}):(\d\d):(\d\d) ([A-Z][a-z]{2}) (\d{1,2}), (\d{4}) AND RETRIEVED FROM THE\s{1,9}INTERNET ARCHIVE"
)
_TOOLBAR_BEGINS: Final = b"<!-- BEGIN WAYBACK TOOLBAR INSERT -->"
#: How its scripts name the page, newest way first; the time beside it is that of the capture.
_NAMED: Final = (
    re.compile(rb"""__wm\.wombat\(["'](https?://[^"'\s<>]{1,8000})["'],\s?["'](\d{14})["']"""),
    re.compile(rb"""wbCurrentUrl = ["'](https?://[^"'\s<>]{1,8000})["']"""),
    re.compile(
        rb"The Wayback Machine - https?://web\.archive\.org/web/(?P<at>\d{14})/(?P<url>https?://[^\s<>]{1,8000})"
    ),
)
#: wayback-machine-downloader 2.3.1 with --all-timestamps: one folder for each capture.
_CAPTURE_FOLDER: Final = re.compile(r"(?:^|/)websites/[^/]+\.[^/]+/(\d{14})/")


def origin_of(content: bytes, uri: str) -> Origin:
    """Find out where a page comes from, by what stands in it.

    The address is never made of a path: wayback-machine-downloader leaves out the scheme and puts ``index.html`` where none
    was. The time that its folders are named after is the one of the capture.

    Args:
        content: The page.
        uri: Its file, "/" between folders.

    """
    for find in (_by_single_file, _by_wayback, _by_browser):
        if origin := find(content):
            return origin
    folder = _CAPTURE_FOLDER.search(uri)
    return Origin(fetched_at=_digits(folder[1].encode())) if folder else Origin()


def _by_single_file(content: bytes) -> Origin | None:
    found = _SINGLE_FILE.search(content, 0, _START)
    if found is None:
        return None
    date = _SCRIPT_DATE.match(found[2] or b"")
    at = None
    if date is not None:
        month, day, year, hour, minute, second, zone = date.groups()
        at = _time(
            lambda: as_utc(
                datetime.strptime(
                    f"{int(year):04}-{_MONTHS.index(month.decode().lower()) + 1}-{int(day)} "
                    f"{int(hour)}:{int(minute)}:{int(second)} {zone.decode()}",
                    "%Y-%m-%d %H:%M:%S %z",
                )
            )
        )
    return Origin(_web(found[1]), at)


def _by_browser(content: bytes) -> Origin | None:
    found = _SAVED_FROM.search(content, 0, _START)
    if found is None:
        return None
    length = int(found[1])
    # Chrome writes an address so that no comment ends in it, and counts it before.
    url = found[2][:length] if 0 < length <= len(found[2]) and b"%2D%2D" not in found[2] else found[2]
    return Origin(_web(url.replace(b"%2D%2D", b"--")))


def _by_wayback(content: bytes) -> Origin | None:
    archived = _ARCHIVED.search(content, max(len(content) - _END, 0))
    if archived is None and content.find(_TOOLBAR_BEGINS, 0, _TOOLBAR) < 0:
        return None
    url, at = None, None
    for pattern in _NAMED:
        if found := pattern.search(content, 0, _TOOLBAR):
            named = found.groupdict()
            url = _web(named.get("url") or found[1])
            stamp = named.get("at") or (found[2] if pattern.groups > 1 else None)
            at = _digits(stamp) if stamp else None
            break
    if archived is not None:
        hour, minute, second, month, day, year = archived.groups()
        said = _time(
            lambda: datetime(
                int(year),
                _MONTHS.index(month.decode().lower()) + 1,
                int(day),
                int(hour),
                int(minute),
                int(second),
                tzinfo=UTC,
            )
        )
        at = said or at
    return Origin(url, at)


def _digits(stamp: bytes) -> datetime | None:
    return _time(lambda: datetime.strptime(stamp.decode(), "%Y%m%d%H%M%S").replace(tzinfo=UTC))


def _time(make: Callable[[], datetime]) -> datetime | None:
    """Make a time of what stands there; None for the 30th of February and the like."""
    try:
        return make()
    except (ValueError, OverflowError):
        return None


def _web(url: bytes) -> str | None:
    text = url.decode("utf-8", "replace")
    return text if text.startswith(("http://", "https://")) else None
