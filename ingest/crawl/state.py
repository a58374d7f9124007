"""What the crawl remembers from night to night: one SQLite file, right after every commit, whenever the process is killed.

    feeds      each feed, sitemap and list: how to ask whether it changed, when to ask again
    articles   each address that one of them named: what was said of it, and whether it was fetched
    hosts      each scheme, host and port: its rules as last read
    pauses     each host that wants to be left alone for a while
    crawls     each crawl
    fetches    rows of the table of the crawl that is under way

What is noted becomes lasting with ``commit``, which comes after the raw store was synced: the state never knows of a page that the raw
store could lose. The other way round is possible, and ``ingest.crawl.crawl`` adopts such pages.
"""

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, date, datetime
from itertools import count
from pathlib import Path
from typing import Any, Final, Literal, Self, TypeVar

from ingest.crawl.entry import Entry
from ingest.crawl.raw_store import Kept
from ingest.disk import disk_full
from schemas.errors import BusyError, SetupError

#: Raised when the tables change; a file of another version is refused, never guessed at.
_VERSION: Final = 1

_TABLES: Final = """
CREATE TABLE feeds (
    url TEXT PRIMARY KEY, source_id TEXT, kind TEXT, etag TEXT, last_modified TEXT, body_sha256 TEXT, polled_at TEXT,
    read_at TEXT, every REAL, unverified INTEGER, lies INTEGER, copy TEXT, leads_to TEXT
) WITHOUT ROWID;
CREATE TABLE articles (
    key TEXT PRIMARY KEY, url TEXT, source_id TEXT, guid TEXT, found_in TEXT, entry TEXT, status TEXT, reason TEXT, found_at TEXT,
    tries INTEGER, etag TEXT, last_modified TEXT, updated_at TEXT, fetched_at TEXT, body_sha256 TEXT, copy TEXT
) WITHOUT ROWID;
CREATE INDEX articles_guid ON articles (found_in, guid) WHERE guid IS NOT NULL;
CREATE INDEX articles_waiting ON articles (source_id) WHERE status = 'waiting';
CREATE TABLE hosts (
    origin TEXT PRIMARY KEY, read_at TEXT, robots_status INTEGER, robots BLOB, policies_at TEXT, tdmrep BLOB,
    ai_text BLOB
) WITHOUT ROWID;
CREATE TABLE pauses (host TEXT PRIMARY KEY, until_at TEXT) WITHOUT ROWID;
CREATE TABLE crawls (id TEXT PRIMARY KEY, date TEXT, started_at TEXT, finished_at TEXT) WITHOUT ROWID;
CREATE TABLE fetches (crawl_id TEXT, row TEXT);
"""


Listed = Literal["feed", "sitemap", "list", "home"]
"""What names articles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A response in the raw store."""

    kept: Kept
    #: The address it came from, and when.
    url: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """A sitemap or feed that another one names."""

    url: str
    #: When it was last changed, as said there. Aware, UTC.
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed, sitemap or list, and what the last answers taught of it."""

    url: str
    source_id: str
    kind: Listed
    etag: str | None = None
    last_modified: str | None = None
    #: Of the last body that was read, content encoding undone.
    body_sha256: str | None = None
    polled_at: datetime | None = None
    #: When a body last came, and not only word that nothing has changed.
    read_at: datetime | None = None
    #: Time between two polls, in seconds; None before the first.
    every: float | None = None
    #: Answers in a row that said nothing has changed, since the last body.
    unverified: int = 0
    #: It once said that nothing has changed when it had; asked without conditions since.
    lies: bool = False
    #: Where the last body lies.
    copy: Copy | None = None
    #: The sitemaps that an index names, the feeds that a home page does: they have to be asked even on a night on which it has
    #: not changed, or was not asked itself.
    leads_to: tuple[Lead, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """An address that a feed, sitemap or list named."""

    #: The address without what only tells who clicked; one article has one.
    key: str
    url: str
    source_id: str
    guid: str | None = None
    found_in: str | None = None
    #: Title, day, authors and so on, as they were said there; never the full text.
    entry: Entry
    status: Literal["waiting", "done", "gone", "refused"] = "waiting"
    reason: str | None = None
    found_at: datetime
    #: Crawls in which it was tried in vain.
    tries: int = 0
    etag: str | None = None
    last_modified: str | None = None
    #: The time of change that its feed or sitemap stated when it was fetched.
    updated_at: datetime | None = None
    fetched_at: datetime | None = None
    #: Of the content, encodings undone: how a site sends it says nothing of a change.
    body_sha256: str | None = None
    #: Where the last body lies.
    copy: Copy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """What is known of all addresses with one scheme, host name and port."""

    origin: str
    #: When robots.txt was last asked for.
    read_at: datetime | None = None
    #: None where it could not be had.
    robots_status: int | None = None
    robots: bytes = b""
    #: When tdmrep.json and ai.txt were last asked for.
    policies_at: datetime | None = None
    tdmrep: bytes = b""
    ai_text: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Until when a host wants to be left alone."""

    host: str
    until_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Crawl:
    """One crawl."""

    id: str
    date: date
    started_at: datetime
    #: None for one that is under way or was killed.
    finished_at: datetime | None = None

    @property
    def folder(self) -> str:
        """Where it keeps its files, below the raw folder, and its table, below that of all."""
        return f"crawl_date={self.date}/crawl={self.id}"


Row = Feed | Article | Host | Pause | Crawl
R = TypeVar("R", Feed, Article, Host, Pause, Crawl)

_TABLE_OF: Final[Mapping[type[Row], str]] = {
    Feed: "feeds",
    Article: "articles",
    Host: "hosts",
    Pause: "pauses",
    Crawl: "crawls",
}


class State:
    """The file, open."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Use ``State.open``."""
        self._connection = connection

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the file, or make it.

        Raises:
            SetupError: If it is no such file, or one of another version.
            BusyError: If another process holds it, or the disk is full.
        """
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            with memory_errors(path):
                _prepare(connection, path)
        except sqlite3.DatabaseError as error:
            connection.close()
            message = f"{path} cannot be read as the memory of crawls ({error}); restore it from a copy, or move it away to begin anew"
            raise SetupError(message) from error
        except BaseException:
            connection.close()
            raise
        return cls(connection)

    def commit(self) -> None:
        """Make lasting what was noted since the last time."""
        self._connection.execute("COMMIT")
        self._connection.execute("BEGIN")

    def close(self) -> None:
        """Forget what was not committed."""
        self._connection.close()

    def save(self, row: Row) -> None:
        """Note a feed, article, host or crawl as it is now."""
        values = {name: _stored(value) for name, value in _flat(row).items()}
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        sql = f"INSERT OR REPLACE INTO {_TABLE_OF[type(row)]} ({names}) VALUES ({marks})"  # noqa: S608  our own names
        self._connection.execute(sql, tuple(values.values()))

    def feed(self, url: str) -> Feed | None:
        """Give what is known of a feed, sitemap or list."""
        return next(self._rows(Feed, "url = ?", url), None)

    def article(self, key: str) -> Article | None:
        """Give what is known of an article."""
        return next(self._rows(Article, "key = ?", key), None)

    def article_by_guid(self, found_in: str, guid: str) -> Article | None:
        """Give the article that one feed calls so, whatever address it had when it was found."""
        return next(self._rows(Article, "found_in = ? AND guid = ? ORDER BY found_at", found_in, guid), None)

    def waiting(self, source_id: str, most: int) -> tuple[Article, ...]:
        """Give the articles of a source that are still to be fetched, those that were found first."""
        condition = f"source_id = ? AND status = 'waiting' ORDER BY found_at, key LIMIT {most:d}"
        return tuple(self._rows(Article, condition, source_id))

    def host(self, origin: str) -> Host:
        """Give what is known of a host, be it nothing."""
        return next(self._rows(Host, "origin = ?", origin), Host(origin=origin))

    def pause(self, host: str) -> Pause | None:
        """Give until when a host wants to be left alone."""
        return next(self._rows(Pause, "host = ?", host), None)

    def crawls(self) -> tuple[Crawl, ...]:
        """Give every crawl, in order."""
        return tuple(self._rows(Crawl, "1 ORDER BY id"))

    def begin(self, at: datetime, *, is_taken: Callable[[Crawl], bool] = lambda _: False) -> Crawl:
        """Note a new crawl, called after its day and its number on that day, such as ``20260131-002``.

        Args:
            at: When it begins. Aware, UTC.
            is_taken: Says whether a crawl that is not remembered here has the name already.
        """
        day = at.date()
        first = sum(crawl.date == day for crawl in self.crawls()) + 1
        names = (Crawl(id=f"{day:%Y%m%d}-{number:03}", date=day, started_at=at) for number in count(first))
        crawl = next(crawl for crawl in names if not is_taken(crawl))
        self.save(crawl)
        return crawl

    def finish(self, crawl: Crawl, at: datetime) -> None:
        """Note that a crawl has ended and its rows are in its table."""
        self.save(replace(crawl, finished_at=at))
        self._connection.execute("DELETE FROM fetches WHERE crawl_id = ?", (crawl.id,))

    def add_fetch(self, row: Mapping[str, Any]) -> None:
        """Note one row of the table ``fetches``; see ``schemas.fetch``."""
        text = json.dumps(
            {name: _stored(value) for name, value in row.items() if value is not None}, ensure_ascii=False
        )
        self._connection.execute("INSERT INTO fetches VALUES (?, ?)", (row["crawl_id"], text))

    def fetches(self, crawl: Crawl) -> Iterator[dict[str, Any]]:
        """Give the rows of one crawl, in the order they came."""
        found = self._connection.execute("SELECT row FROM fetches WHERE crawl_id = ? ORDER BY rowid", (crawl.id,))
        for (text,) in found:
            row = json.loads(text)
            yield row | {"requested_at": datetime.fromisoformat(row["requested_at"]), "crawl_date": crawl.date}

    def _rows(self, kind: type[R], condition: str, *values: str) -> Iterator[R]:
        names = [item.name for item in fields(kind)]
        sql = f"SELECT {', '.join(names)} FROM {_TABLE_OF[kind]} WHERE {condition}"  # noqa: S608  our own names
        for row in self._connection.execute(sql, values):
            yield kind(**{name: _read(kind, name, value) for name, value in zip(names, row, strict=True)})


@contextmanager
def memory_errors(path: Path) -> Iterator[None]:
    """Rename the errors of a file that is sound but cannot be written now; all others pass through.

    Raises:
        DiskFullError: If there is no space left.
        BusyError: If another process holds it.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        # The low byte; what is above it says more of the same (SQLite, "Result and Error Codes").
        code = error.sqlite_errorcode & 0xFF
        if code == sqlite3.SQLITE_FULL:
            raise disk_full(path) from error
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            message = f"{path} is held by another process, such as a shell of sqlite3; end that and run the same command again"
            raise BusyError(message) from error
        raise


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    # A killed process leaves a journal that the next one works through by itself.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        connection.executescript(f"BEGIN;{_TABLES}PRAGMA user_version = {_VERSION};COMMIT;")
    elif version != _VERSION:
        message = f"{path} is the memory of another version of babelwire ({version}, not {_VERSION}); move it away to begin anew"
        raise SetupError(message)
    connection.execute("BEGIN")


def _flat(row: Row) -> dict[str, Any]:
    return {item.name: getattr(row, item.name) for item in fields(row)}


def _stored(value: object) -> Any:  # noqa: ANN401
    """Give a value as SQLite and JSON hold it."""
    if isinstance(value, datetime):
        # One form for all, so that they sort as text; microseconds as Parquet has them.
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, Copy):
        return json.dumps({"kept": asdict(value.kept), "url": value.url, "at": _stored(value.at)})
    if isinstance(value, tuple):
        return json.dumps([[lead.url, _stored(lead.updated_at)] for lead in value])
    if isinstance(value, Entry):
        given = {name: one for name, one in asdict(value).items() if one not in (None, ()) and name != "body"}
        said = {name: one if isinstance(one, tuple) else _stored(one) for name, one in given.items()}
        return json.dumps(said, ensure_ascii=False)
    return value


def _read(kind: type[Row], name: str, value: Any) -> Any:  # noqa: ANN401
    if value is None:
        return None
    if name == "entry":
        said = json.loads(value)
        for key in ("published_at", "updated_at"):
            said[key] = datetime.fromisoformat(said[key]) if said.get(key) else None
        return Entry(**said | {key: tuple(said.get(key, ())) for key in ("authors", "tags")})
    if name == "copy":
        said = json.loads(value)
        return Copy(kept=Kept(**said["kept"]), url=said["url"], at=datetime.fromisoformat(said["at"]))
    if name == "leads_to":
        return tuple(
            Lead(url=url, updated_at=datetime.fromisoformat(at) if at else None) for url, at in json.loads(value)
        )
    if name == "date":
        return date.fromisoformat(value)
    if name.endswith("_at"):
        return datetime.fromisoformat(value)
    return bool(value) if kind is Feed and name == "lies" else value
