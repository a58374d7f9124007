"""WACZ 1.1.1 (specs.webrecorder.net/wacz/1.1.1): WARC files in a ZIP, a list of their pages and digests of all of it.

What the package says of itself is held to. Where it lists its pages, those are the documents, and not the frames, scripts
and pictures that a browser fetched for them. And a file that is not the one whose digest stands in the package is
refused: whoever packed it did not pack these bytes.
"""

import hashlib
import json
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from typing import IO, BinaryIO, Final
from urllib.parse import urljoin, urlsplit

from ingest.sources import warc
from ingest.sources.edge import foreign_errors_renamed
from ingest.sources.http import LONGEST_HEAD, parse_response
from ingest.sources.instants import instant
from ingest.sources.jsonl import longest_row
from ingest.sources.limits import Limits
from ingest.sources.look import Head, media_of
from ingest.sources.opened import Opened
from ingest.sources.unpack import read_whole
from ingest.sources.zip import check_member, end_of, next_header, opened_archive, opened_member, shown, stored_part
from schemas.document import Discovered, RawDocument, Rejected
from schemas.errors import SourceError

_MANIFEST: Final = "datapackage.json"
_SEAL: Final = "datapackage-digest.json"
#: Digests that packages are made with: the one that the standard shows, and what py-wacz 0.5 can be asked for.
_ALGORITHMS: Final = frozenset({"sha256", "md5"})
_GULP: Final = 1024 * 1024
#: A redirect is a record of some hundred bytes, mostly headers.
_LONGEST_REDIRECT: Final = 64 * 1024
#: Pages that are told apart, and redirects of them that are followed: as many take some 300 MB. Large crawls list 100,000.
_MOST_PAGES: Final = 500_000
#: A longer address is none, and a title is cut, in characters.
_LONGEST_URL, _LONGEST_TITLE = 8_000, 2_000
#: Of one page, as many visits are told apart; each answer is compared with all of them.
_MOST_VISITS: Final = 100
#: Beginnings of a member's header and of its row in the table of contents; where their name's length and the name stand.
_NAMES: Final = ((b"PK\x03\x04", 26, 30), (b"PK\x01\x02", 28, 46))
#: A size that stands elsewhere, as of files beyond 4 GB; and a size that comes behind the member.
_SIZE_ELSEWHERE, _SIZE_COMES_LATER = 0xFFFFFFFF, 8


def sniff(head: Head) -> bool:
    """Say whether this is a ZIP with WARC files in it and what a WACZ says of them, or one that is named so."""
    if head.packing is not None or not head.data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return False
    names = {*_names_in(head.data), *_names_in(head.end)}
    is_described = _MANIFEST in names or any(_is_page_list(name) for name in names)
    return head.named(".wacz") or (is_described and any(_is_warc(name) for name in names))


def read(opened: Opened, limits: Limits) -> Iterator[RawDocument | Rejected]:
    """Give the pages of the WARC files in the order they lie there; of a package without a list of pages, all HTML.

    A WARC that is stored is read in its place, so a document's place is one in the WACZ itself; one that is packed is
    unpacked to disk first, and then there are no places. Titles come from the list.

    What does not have its stated digest is a rejection and is not read: a WARC gives no documents then, and a list of
    pages is taken to be missing. What the manifest or the list names and nothing holds is a rejection too.

    Raises:
        SourceError: ``digest`` when the manifest is not the one that was sealed; ``empty`` without WARC files;
            ``truncated`` or ``damaged`` when there is no table of contents, after what stands in front of the damage.

    """
    try:
        archive = opened_archive(opened)
    except SourceError:
        yield from _salvaged(opened, limits)
        raise
    package = _Package(opened, archive, limits)
    yield from package.documents()
    if not package.has_warc:
        what = "no WARC file below archive/; a WACZ that only names others is read by reading those"
        raise SourceError(reason="empty", detail=what)


class _Package:
    """A WACZ whose table of contents could be read."""

    def __init__(self, opened: Opened, archive: zipfile.ZipFile, limits: Limits) -> None:
        self._opened, self._archive, self._limits = opened, archive, limits
        self._members: dict[str, zipfile.ZipInfo] = {}
        #: Path -> algorithm and digest.
        self._stated: dict[str, tuple[str, str]] = {}
        self.has_warc = False

    def documents(self) -> Iterator[RawDocument | Rejected]:
        yield from self._find_members()
        yield from self._read_manifest()
        pages = _Pages()
        for name in filter(_is_page_list, tuple(self._members)):
            yield from self._read_page_list(name, pages)
        for name in filter(_is_warc, tuple(self._members)):
            self.has_warc = True
            try:
                with foreign_errors_renamed():
                    yield from self._read_warc(name, pages)
            except SourceError as error:
                yield self._opened.reject(error, source_member=shown(name))
        for entry in pages.missing():
            detail = "the list of pages names it, and no WARC in the package holds an answer of it"
            yield self._opened.reject(SourceError(reason="missing", detail=detail), url=entry.url)

    def _find_members(self) -> Iterator[Rejected]:
        """Take the members that can be had, in the order they lie there."""
        end = 0
        for member in sorted(self._archive.infolist(), key=lambda member: member.header_offset):
            try:
                check_member(member, self._limits, behind=end)
            except SourceError as error:
                yield self._opened.reject(error, source_member=shown(member.filename) or None)
                continue
            end = end_of(member)
            self._members.setdefault(member.filename, member)

    def _read_manifest(self) -> Iterator[Rejected]:
        """Learn the digests that are stated, and check those that cost little."""
        if _SEAL in self._members:
            try:
                seal = self._json(_SEAL)
                self._stated |= _digests([{**seal, "path": _MANIFEST}])
            except SourceError as error:
                yield self._opened.reject(error, source_member=_SEAL)
        if _MANIFEST not in self._members:
            return
        with foreign_errors_renamed():
            self._check(_MANIFEST)
        try:
            resources = self._json(_MANIFEST).get("resources")
            self._stated = _digests(resources if isinstance(resources, list) else []) | self._stated
        except SourceError as error:
            yield self._opened.reject(error, source_member=_MANIFEST)
        # WARC files are checked as their turn comes.
        for name in [name for name in self._stated if name not in {_MANIFEST, _SEAL}]:
            try:
                with foreign_errors_renamed():
                    self._check_resource(name)
            except SourceError as error:
                self._members.pop(name, None)
                yield self._opened.reject(error, source_member=shown(name))

    def _check_resource(self, name: str) -> None:
        if name not in self._members:
            what = f"{_MANIFEST} states a digest of it, and it is not in the package"
            raise SourceError(reason="missing", detail=what)
        if not _is_warc(name):
            self._check(name)

    def _json(self, name: str) -> dict[str, object]:
        try:
            with foreign_errors_renamed(), opened_member(self._archive, self._members[name]) as stream:
                value = json.loads(read_whole(stream, self._limits))
        except (ValueError, RecursionError) as error:
            raise SourceError(reason="damaged", detail=f"{name} is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise SourceError(reason="damaged", detail=f"{name} is not a JSON object")
        return value

    def _check(self, name: str, copy: BinaryIO | None = None) -> None:
        """Compare a member with its digest, and copy it on the way if that is wanted.

        Raises:
            SourceError: ``digest`` when they differ.

        """
        algorithm, stated = self._stated.get(name, ("", ""))
        if not algorithm and copy is None:
            return
        digest = hashlib.new(algorithm or "sha256", usedforsecurity=False)
        with opened_member(self._archive, self._members[name]) as stream:
            while data := stream.read(_GULP):
                digest.update(data)
                if copy is not None:
                    copy.write(data)
        if algorithm and digest.hexdigest() != stated:
            what = (
                f"{name} has {algorithm}:{digest.hexdigest()}, the package states {algorithm}:{stated}; "
                f"if you trust the file, unpack the package and read it by itself"
            )
            raise SourceError(reason="digest", detail=shown(what))

    def _read_page_list(self, name: str, pages: "_Pages") -> Iterator[Rejected]:
        longest = longest_row(self._limits)
        try:
            with foreign_errors_renamed(), opened_member(self._archive, self._members[name]) as stream:
                for number, line in enumerate(_lines(stream, longest), start=1):
                    if not pages.add(line):
                        what = SourceError(reason="bad_row", detail=f"row {number}: not a JSON object")
                        yield self._opened.reject(what, source_member=shown(name))
        except SourceError as error:
            yield self._opened.reject(error, source_member=shown(name))

    def _read_warc(self, name: str, pages: "_Pages") -> Iterator[RawDocument | Rejected]:
        member = self._members[name]
        with ExitStack() as stack:
            if member.compress_type == zipfile.ZIP_STORED:
                self._check(name)
                start, file = stored_part(self._opened.file, member.header_offset, member.file_size)
                found = warc.read_file(self._opened, file, self._limits, base=start, member=shown(name))
            else:
                copy = stack.enter_context(tempfile.TemporaryFile())
                self._check(name, copy)
                unplaced = warc.read_file(self._opened, copy, self._limits, member=shown(name))
                found = (replace(one, source_offset=None, source_length=None) for one in unplaced)
            for one in found:
                if pages.have(one, self._opened.file):
                    yield pages.told(one)


def _digests(resources: list[object]) -> dict[str, tuple[str, str]]:
    """Read the digests of a manifest's resources; what is written in another form is passed over."""
    stated: dict[str, tuple[str, str]] = {}
    for resource in resources:
        path, digest = (resource.get("path"), resource.get("hash")) if isinstance(resource, dict) else (None, None)
        if isinstance(path, str) and isinstance(digest, str):
            algorithm, _, value = digest.partition(":")
            if algorithm in _ALGORITHMS:
                stated[path] = (algorithm, value.lower())
    return stated


def _lines(stream: IO[bytes], longest: int) -> Iterator[bytes]:
    while line := stream.readline(longest + 1):
        if len(line) > longest:
            raise SourceError(reason="too_large", detail=f"a line of more than {longest} bytes")
        if line.strip():
            yield line


def _names_in(data: bytes) -> Iterator[str]:
    """Name the members whose headers, or rows of the table of contents, stand in some bytes of a ZIP."""
    for mark, length_at, name_at in _NAMES:
        at = data.find(mark)
        while at >= 0:
            field = data[at + length_at : at + length_at + 2]
            if len(field) == 2:  # noqa: PLR2004
                yield data[at + name_at :][: struct.unpack("<H", field)[0]].decode("utf-8", "replace")
            at = data.find(mark, at + len(mark))


def _is_warc(name: str) -> bool:
    return name.startswith("archive/") and name.endswith((".warc", ".warc.gz"))


def _is_page_list(name: str) -> bool:
    return name.startswith("pages/") and name.endswith(".jsonl")


# --- The list of pages.


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    url: str
    title: str | None
    #: When the page was opened, aware, UTC; its answer came a little later.
    at: datetime | None


class _Pages:
    """What the lists name, and which of it was found."""

    def __init__(self) -> None:
        self._entries: dict[str, list[_Entry]] = {}
        self._found: set[str] = set()
        #: Where pages redirected to -> the page.
        self._moved: dict[str, str] = {}

    def add(self, line: bytes) -> bool:
        """Take a line of a list; one without an address says something of the list. False: it is no JSON object.

        Raises:
            SourceError: ``too_large`` with more than 500,000 pages.

        """
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            return False
        if not isinstance(row, dict):
            return False
        url, title, at = row.get("url"), row.get("title"), row.get("ts")
        if isinstance(url, str) and url.strip() and len(url) <= _LONGEST_URL:
            url = _shown(url.strip())
            # py-wacz writes the address where it knows no title.
            title = _shown(title[:_LONGEST_TITLE]).strip() if isinstance(title, str) else ""
            entry = _Entry(
                url=url, title=title if title != url else None, at=instant(at) if isinstance(at, str) else None
            )
            key = _key(url)
            if key not in self._entries and len(self._entries) >= _MOST_PAGES:
                raise SourceError(reason="too_large", detail=f"the lists name more than {_MOST_PAGES} pages")
            entries = self._entries.setdefault(key, [])
            if len(entries) < _MOST_VISITS:
                entries.append(entry)
        return True

    def have(self, one: RawDocument | Rejected, file: BinaryIO) -> bool:
        """Say whether this is given: a page, or damage, which may have been one."""
        if one.url is None:
            return isinstance(one, Rejected)
        if not self._entries:
            if isinstance(one, Rejected):
                return one.reason != "not_a_page"
            return (one.media or media_of(one.content)) == "html"
        key = self._page(one.url)
        if key is None:
            return False
        self._found.add(key)
        if len(self._moved) < _MOST_PAGES and (target := _redirect(one, file)):
            self._moved.setdefault(_key(target), key)
        return True

    def told(self, one: RawDocument | Rejected) -> RawDocument | Rejected:
        """Put the title of the list beside a page."""
        key = self._page(one.url) if one.url else None
        if key is None or isinstance(one, Rejected):
            return one
        at = one.fetched_at
        near = min(self._entries[key], key=lambda entry: abs((entry.at - at).total_seconds()) if entry.at and at else 0)
        if not near.title:
            return one
        found = one.discovered or Discovered()
        return replace(one, discovered=replace(found, title=found.title or near.title))

    def missing(self) -> Iterator[_Entry]:
        """Give the pages that were not there, in the order of the list."""
        for key, entries in self._entries.items():
            if key not in self._found:
                yield entries[0]

    def _page(self, url: str) -> str | None:
        key = _key(url)
        return key if key in self._entries else self._moved.get(key)


def _key(url: str) -> str:
    """Give what is the same for an address in the list and in a record: no scheme, no fragment, a path.

    >>> _key("https://Harbour.example#top"), _key("http://harbour.example/")
    ('harbour.example/', 'harbour.example/')
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    if parts.scheme not in {"http", "https"}:
        return url
    return f"{parts.netloc.lower()}{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"


def _redirect(one: RawDocument | Rejected, file: BinaryIO) -> str | None:
    """Say where a page's answer sends its reader: the page's text is there."""
    if isinstance(one, RawDocument):
        location = one.header("location") if (one.http_status or 0) // 100 == 3 else None  # noqa: PLR2004
    elif one.reason == "empty" and one.source_offset is not None and (one.source_length or 0) <= _LONGEST_REDIRECT:
        # Without a body it is no document, so its headers have to be read once more.
        file.seek(one.source_offset)
        location = _location(file.read(one.source_length or 0))
    else:
        location = None
    try:
        return urljoin(one.url or "", location) if location else None
    except ValueError:
        return None


def _location(record: bytes) -> str | None:
    if record.startswith(b"\x1f\x8b"):
        try:
            record = zlib.decompressobj(31).decompress(record, LONGEST_HEAD)
        except zlib.error:
            return None
    _, _, block = record.partition(b"\r\n\r\n")
    return parse_response(block).header("location").strip() or None


def _shown(text: str) -> str:
    # Half of a surrogate pair, as broken JSON has them, has no form in UTF-8.
    return text.encode("utf-8", "replace").decode()


# --- Packages that lost their end.


def _salvaged(opened: Opened, limits: Limits) -> Iterator[RawDocument | Rejected]:
    """Read the WARC files by the headers in front of them; lists and digests stand behind them, and are lost."""
    pages = _Pages()
    at = next_header(opened.file, 0)
    while at is not None:
        opened.file.seek(at)
        header = opened.file.read(30)
        end = at + 4
        if len(header) == 30:  # noqa: PLR2004
            flags, method, size, length = (
                *struct.unpack("<HH", header[6:10]),
                *struct.unpack("<IxxxxH", header[18:28]),
            )
            name = opened.file.read(length).decode("utf-8", "replace")
            if _is_warc(name) and method == zipfile.ZIP_STORED:
                is_open = size == _SIZE_ELSEWHERE or flags & _SIZE_COMES_LATER
                known = None if is_open or at + size > opened.size else size
                start, file = stored_part(opened.file, at, known)
                for one in warc.read_file(opened, file, limits, base=start, member=name):
                    if pages.have(one, opened.file):
                        yield one
                end = opened.size if known is None else start + known
        at = next_header(opened.file, end)
