"""The raw store: what a crawl fetched, as WARC 1.1 (ISO 28500:2017), gzip per record.

    NAME-00000.warc.gz         full, or of a crawl that has ended
    NAME-00001.warc.gz.open    being written; ``recover`` gives it its name after a crawl that was killed

An exchange is a group of records: how it was found (metadata), the response, the request. The metadata comes first, so
that a reader knows what a response is when it meets it, and the response second, so that a group that breaks off behind
it has lost nothing that counts. All records of a group have the time of the fetch as their date (5.4 of the norm wants
that) and the id of their file's warcinfo record.

Digests are ``sha256:`` and base 32 (RFC 4648, 6), the base of the norm's own examples, which warcio and fastwarc verify.
The payload is the body as stored: content encodings stay, a transfer encoding is undone before it comes here. Its header
would make readers undo it once more, so it is renamed to ``X-Crawler-Transfer-Encoding``, as Common Crawl does.
"""

import base64
import hashlib
import io
import os
import re
import uuid
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

from ingest.disk import disk_errors, make_folder, sync
from ingest.sources.about import FIELDS_TYPE, About, one_line, to_block

__all__ = ["About", "Exchange", "Kept", "RawStore"]

ENDING: Final = ".warc.gz"
OPEN: Final = ".open"

Truncated = Literal["length", "time", "disconnect"]

_RESPONSE: Final = "application/http; msgtype=response"
_REQUEST: Final = "application/http; msgtype=request"
_TEXT: Final = "text/html; charset=utf-8"
_PROFILE: Final = "http://netpreserve.org/warc/1.1/revisit/"
_NOT_MODIFIED: Final = 304

#: Characters that an address in a header must not have (RFC 3986, 2).
_NOT_IN_ADDRESS: Final = re.compile("[\x00-\x20\x7f<>]")
#: A header's name is a token (RFC 9110, 5.6.2); of what is none, these would move its end.
_NOT_IN_NAME: Final = re.compile(r"[\x00-\x20\x7f:]+")
#: What a value cannot hold; a recipient may put a space in its place (RFC 9110, 5.5).
_LINE_ENDS: Final = re.compile(r"[\r\n\x00]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer, and how it came about."""

    url: str
    #: When the fetch began: that is what WARC-Date means (5.4). Aware.
    fetched_at: datetime
    #: The address that was spoken to; None where a proxy or cache answered.
    ip: str | None
    #: Request line and headers as sent, to the blank line; b"" where they are not known.
    request: bytes = field(repr=False)
    status: int
    reason: str
    #: In order, names as received, read as Latin-1 (RFC 9110, 5.5).
    headers: tuple[tuple[str, str], ...]
    #: Transfer encoding undone, content encoding kept.
    body: bytes = field(repr=False)
    #: Why the body is not whole; None where it is.
    truncated: Truncated | None
    about: About


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Where a response, text or revisit lies."""

    #: Path below the raw folder with "/" between folders: the name that the file has once it is closed.
    file: str
    #: Where the record begins, and how long it is, in bytes as stored.
    offset: int
    length: int
    #: "<urn:uuid:...>" as in the file.
    record_id: str
    #: SHA-256 of the payload in hexadecimal; of a revisit that of the payload it stands for.
    payload_sha256: str

    @property
    def end(self) -> int:
        """The byte behind the record."""
        return self.offset + self.length


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """One record before it is written."""

    type: str
    id: str
    content_type: str
    block: bytes = field(repr=False)
    #: None for the warcinfo record, which is about the file.
    url: str | None
    #: Aware.
    date: datetime
    #: Further headers; those that are None are left out.
    fields: Mapping[str, str | None]


class RawStore:
    """The files of one crawl, written one after the other.

    A group is written in one piece or, where the disk fails, not at all. ``sync`` makes what was written safe. A file that
    is full keeps its ``.open`` until the ``sync`` after the next one: what one ``sync`` covers has to be noted elsewhere
    before the next is called, and until then ``recover`` must find it.
    """

    def __init__(self, folder: Path, name: str, *, software: Mapping[str, str], max_bytes: int) -> None:
        """Use ``RawStore.open``."""
        self._folder = folder
        self._name = name
        self._software = software
        self._max_bytes = max_bytes
        self._file: io.FileIO | None = None
        self._path = Path()
        self._warcinfo = ""
        self._number = 0
        #: Where the file ends, in bytes; where its first group begins.
        self._end = 0
        self._first = 0
        #: Full since the last sync, and before it.
        self._full: list[Path] = []
        self._noted: list[Path] = []

    @classmethod
    def open(cls, folder: Path, name: str, *, software: Mapping[str, str], max_bytes: int = 1024**3) -> Self:
        """Begin to write. No file is made before there is something to put in it.

        Args:
            folder: The raw folder, which is made if need be. Files below it that have the name already are left alone.
            name: What the files are called in front of their number; "/" puts them in folders.
            software: Name -> version of what fetches and writes, for the warcinfo record.
            max_bytes: A file is full when the next group would make it larger.

        Raises:
            SetupError: If the folder cannot be made.
        """
        with disk_errors(folder):
            make_folder(folder, below=next(place for place in folder.absolute().parents if place.exists()))
        return cls(folder, name, software=software, max_bytes=max_bytes)

    def write(self, exchange: Exchange) -> Kept:
        """Keep an exchange: metadata, response, request.

        Raises:
            ValueError: If its time is not aware.
            DiskFullError: If there is no room. What was written before it stays sound.
            SetupError: If the disk cannot be written for another reason.
        """
        sha256 = hashlib.sha256(exchange.body).digest()
        fields = {"WARC-Payload-Digest": _labelled(sha256), "WARC-Truncated": exchange.truncated}
        return self._write(exchange, "response", fields, exchange.body, sha256.hex())

    def write_revisit(self, exchange: Exchange, earlier: Kept, earlier_url: str, earlier_at: datetime) -> Kept:
        """Keep an exchange without its body, since the same body lies there already: metadata, revisit, request.

        The profile is ``server-not-modified`` for status 304, else ``identical-payload-digest`` (6.7 of the norm).

        Args:
            exchange: What was answered now.
            earlier: Where the body lies.
            earlier_url: The address it was fetched from then.
            earlier_at: When that was. Aware.

        Raises:
            ValueError: If the body is another one, or a time is not aware.
            DiskFullError: As for ``write``.
            SetupError: As for ``write``.
        """
        fields: dict[str, str | None] = {
            "WARC-Refers-To": earlier.record_id,
            "WARC-Refers-To-Target-URI": _address(earlier_url),
            "WARC-Refers-To-Date": _written(earlier_at),
            # Of either profile the payload is the one that lies there.
            "WARC-Payload-Digest": _labelled(bytes.fromhex(earlier.payload_sha256)),
        }
        if exchange.status == _NOT_MODIFIED:
            fields["WARC-Profile"] = f"{_PROFILE}server-not-modified"
        else:
            sha256 = hashlib.sha256(exchange.body).hexdigest()
            if sha256 != earlier.payload_sha256:
                message = f"{exchange.url} was answered with {sha256}, not with {earlier.payload_sha256} again"
                raise ValueError(message)
            fields["WARC-Profile"] = f"{_PROFILE}identical-payload-digest"
            fields["WARC-Truncated"] = "length"
        return self._write(exchange, "revisit", fields, b"", earlier.payload_sha256)

    def write_text(self, url: str, html: bytes, fetched_at: datetime, about: About) -> Kept:
        """Keep the text that a feed carries for an address that was not fetched: metadata, resource.

        Args:
            url: The entry's address.
            html: The text as HTML in UTF-8.
            fetched_at: When the feed was fetched. Aware.
            about: How it was found.

        Raises:
            ValueError: If the time is not aware.
            DiskFullError: As for ``write``.
            SetupError: As for ``write``.
        """
        sha256 = hashlib.sha256(html).digest()
        text = _Record(
            type="resource",
            id=_new_id(),
            content_type=_TEXT,
            block=html,
            url=url,
            date=fetched_at,
            fields={"WARC-Payload-Digest": _labelled(sha256)},
        )
        return self._append((_metadata(about, text), text), text, sha256.hex())

    def sync(self) -> None:
        """Wait until the disk has all that was written.

        Raises:
            DiskFullError: If there is no room after all.
            SetupError: If the disk cannot be written for another reason.
        """
        with disk_errors(self._folder):
            if self._file is not None:
                os.fsync(self._file.fileno())
            for path in self._noted:
                _give_name(path)
        self._noted, self._full = self._full, []

    def close(self) -> None:
        """Wait until the disk has all that was written, and give the files their names.

        Raises:
            DiskFullError: If there is no room after all.
            SetupError: If the disk cannot be written for another reason.
        """
        with disk_errors(self._folder):
            self._fill()
            for path in (*self._noted, *self._full):
                _give_name(path)
        self._noted, self._full = [], []

    def __enter__(self) -> Self:
        """Write in a ``with`` block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close. After an error the files keep their ``.open``: what is in them may not be noted, so ``recover`` must see it."""
        if error is None:
            self.close()
        elif self._file is not None:
            self._file.close()
            self._file = None

    def _write(
        self, exchange: Exchange, kind: str, fields: Mapping[str, str | None], body: bytes, payload_sha256: str
    ) -> Kept:
        answer = _Record(
            type=kind,
            id=_new_id(),
            content_type=_RESPONSE,
            block=_head(exchange) + body,
            url=exchange.url,
            date=exchange.fetched_at,
            fields={**fields, "WARC-IP-Address": exchange.ip},
        )
        group = [_metadata(exchange.about, answer), answer]
        if exchange.request:
            request = _beside(answer, "request", _REQUEST, exchange.request, ip=exchange.ip)
            group.append(request)
        return self._append(group, answer, payload_sha256)

    def _append(self, group: Sequence[_Record], main: _Record, payload_sha256: str) -> Kept:
        with disk_errors(self._folder):
            file = self._file or self._begin(main.date)
            members = [_member(record, self._warcinfo) for record in group]
            if self._end > self._first and self._end + sum(map(len, members)) > self._max_bytes:
                self._fill()
                file = self._begin(main.date)
                members = [_member(record, self._warcinfo) for record in group]
            start = self._end
            self._put(file, b"".join(members))
        place = group.index(main)
        return Kept(
            file=self._path.relative_to(self._folder).as_posix(),
            offset=start + sum(map(len, members[:place])),
            length=len(members[place]),
            record_id=main.id,
            payload_sha256=payload_sha256,
        )

    def _begin(self, date: datetime) -> io.FileIO:
        """Open the next file and say in it what writes it."""
        while True:
            path = self._folder / f"{self._name}-{self._number:05}{ENDING}"
            self._number += 1
            if not path.exists() and not _open_name(path).exists():
                break
        lines = {
            "software": " ".join(f"{name}/{version}" for name, version in self._software.items()),
            "format": "WARC File Format 1.1",
            "conformsTo": "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
            "isPartOf": self._name,
        }
        about_file = _Record(
            type="warcinfo",
            id=_new_id(),
            content_type=FIELDS_TYPE,
            block="".join(f"{name}: {one_line(value)}\r\n" for name, value in lines.items()).encode(),
            url=None,
            date=date,
            fields={"WARC-Filename": path.name},
        )
        data = _member(about_file, None)
        make_folder(path.parent, below=self._folder)
        file = io.FileIO(_open_name(path), "x")
        try:
            self._end = 0
            self._put(file, data)
            sync(path.parent)
        except BaseException:
            file.close()
            _open_name(path).unlink()
            raise
        self._file, self._path, self._warcinfo, self._first = file, path, about_file.id, self._end
        return file

    def _put(self, file: io.FileIO, data: bytes) -> None:
        """Write all of it, or leave the file as it was."""
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[file.write(rest) :]
        except BaseException:
            file.truncate(self._end)
            file.seek(self._end)
            raise
        self._end += len(data)

    def _fill(self) -> None:
        """Write no more into the file that is open, if one is."""
        if self._file is None:
            return
        file, self._file = self._file, None
        with file:
            os.fsync(file.fileno())
        self._full.append(self._path)


def _open_name(path: Path) -> Path:
    return path.with_name(path.name + OPEN)


def _give_name(path: Path) -> None:
    """Give a file that is full its name, and wait until the disk has it."""
    _open_name(path).replace(path)
    sync(path.parent)


# ---- records ------------------------------------------------------------------------------------


def _metadata(about: About, main: _Record) -> _Record:
    return _beside(main, "metadata", FIELDS_TYPE, to_block(about), ip=None)


def _beside(main: _Record, kind: str, content_type: str, block: bytes, *, ip: str | None) -> _Record:
    """Make a record of the group of another one."""
    return _Record(
        type=kind,
        id=_new_id(),
        content_type=content_type,
        block=block,
        url=main.url,
        date=main.date,
        fields={"WARC-Concurrent-To": main.id, "WARC-IP-Address": ip},
    )


def _member(record: _Record, warcinfo: str | None) -> bytes:
    """Write one record as one gzip member."""
    headers = {
        "WARC-Type": record.type,
        "WARC-Record-ID": record.id,
        "WARC-Date": _written(record.date),
        "WARC-Warcinfo-ID": warcinfo,
        "WARC-Target-URI": record.url and _address(record.url),
        **record.fields,
        "WARC-Block-Digest": _labelled(hashlib.sha256(record.block).digest()),
        "Content-Type": record.content_type,
        "Content-Length": f"{len(record.block)}",
    }
    lines = "".join(f"{name}: {one_line(value)}\r\n" for name, value in headers.items() if value)
    head = b"WARC/1.1\r\n" + lines.encode("utf-8", "replace") + b"\r\n"
    packer = zlib.compressobj(wbits=31)  # gzip, without the time of packing
    pieces = [packer.compress(piece) for piece in (head, record.block, b"\r\n\r\n")]
    return b"".join((*pieces, packer.flush()))


def _head(exchange: Exchange) -> bytes:
    """Write status line and headers as received, as far as a head can hold them."""
    lines = [f"HTTP/1.1 {exchange.status:03} {one_line(exchange.reason)}".rstrip()]
    for name, value in exchange.headers:
        sound = _NOT_IN_NAME.sub("", name)
        if sound.lower() == "transfer-encoding":
            sound = f"X-Crawler-{sound}"
        if sound:
            lines.append(f"{sound}: {_LINE_ENDS.sub(' ', value)}")
    return b"".join(_latin(line) + b"\r\n" for line in lines) + b"\r\n"


def _latin(line: str) -> bytes:
    """Give a line of a head as it came; what cannot have come so is written as UTF-8."""
    try:
        return line.encode("latin-1")
    except UnicodeEncodeError:
        return line.encode("utf-8", "replace")


def _address(url: str) -> str:
    """Give an address as a header can hold it."""
    return _NOT_IN_ADDRESS.sub(lambda found: f"%{ord(found[0]):02X}", url)


def _written(moment: datetime) -> str:
    """Write a time as the norm wants it (W3C-DTF, 5.4), in UTC and to the microsecond where it has some."""
    if moment.tzinfo is None:
        message = f"{moment} has no zone; give an aware time"
        raise ValueError(message)
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _labelled(sha256: bytes) -> str:
    return f"sha256:{base64.b32encode(sha256).decode()}"


def _new_id() -> str:
    # Random: names and numbers of files come again once a raw folder was moved away, ids must not.
    return f"<{uuid.uuid4().urn}>"
