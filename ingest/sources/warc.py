"""WARC files (ISO 28500, 1.0 and 1.1), plain or with gzip per record, damaged ones as well.

fastwarc reads the headers. The file is framed here, member by member, since fastwarc takes a cut
off file for a finished one, a missing Content-Length for 0 and has no bound on what a member
unpacks to, and because a record's place must be known to the byte: ``dd`` with offset and length
of a document gives its record, and nothing else.
"""

import io
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO, Literal

from fastwarc.warc import HeaderMap

from ingest.sources.about import FIELDS_TYPE, LONGEST_BLOCK, About, from_block
from ingest.sources.edge import foreign_errors_renamed
from ingest.sources.http import LONGEST_HEAD, Response, parse_response, payload
from ingest.sources.instants import instant
from ingest.sources.limits import Limits
from ingest.sources.look import Head, media_of, seen
from ingest.sources.opened import Opened, Where
from ingest.sources.unpack import PACKINGS, gzip_member, unpacked
from schemas.document import Discovered, RawDocument, Rejected
from schemas.errors import SourceError

_GZIP = b"\x1f\x8b\x08"
_VERSION = re.compile(rb"WARC/\d\.\d\r?\n")
#: What a search for the next record looks for, by whether records are packed: a member's start
#: (flags beyond these five are reserved, RFC 1952, 2.3.1), or the version and a header's name.
_MEMBER_START = rb"\x1f\x8b\x08[\x00-\x1f]"
_RECORD_START = rb"WARC/\d\.\d\r?\n[A-Za-z-]+:"
_STARTS = {
    True: re.compile(_MEMBER_START),
    False: re.compile(_RECORD_START),
    None: re.compile(_MEMBER_START + b"|" + _RECORD_START),
}

#: All headers of one WARC record, in bytes; fastwarc's own bound is 32 KB a line. Real ones have some hundred bytes, and a
#: file of nothing but beginnings costs so much for each of them.
_LONGEST_HEADER = 64 * 1024
#: "WARC/1.0" and its line end; the rest is for showing what stands there instead.
_LONGEST_VERSION = 40
_GULP = 1024 * 1024
#: Enough of a member to see what it unpacks to: its header may hold a file name.
_PEEK = 4096

#: What a page never is. JSON and feeds are for programs; XML stays, as XHTML is sent so.
_NOT_A_PAGE = re.compile(
    r"(?:image|video|audio|font)/"
    r"|application/(?:pdf|zip|gzip|x-gzip|x-tar|x-7z-compressed|x-rar-compressed|json|ld\+json"
    r"|javascript|x-javascript|ecmascript|wasm|x-shockwave-flash|vnd\.|font-|x-font-|rss\+xml"
    r"|atom\+xml|msword|epub\+zip|x-bittorrent)"
    r"|text/(?:css|javascript|ecmascript|calendar|vcard|vtt|dns)"
)


def sniff(head: Head) -> bool:
    """Say whether this is a WARC, even one whose first record is damaged."""
    if head.data.startswith(b"WARC/"):
        return True
    if head.named(".warc"):
        # What is left of a first record may look like a page; a page has no headers of the records behind it.
        return media_of(head.data) != "html" or b"\r\nWARC/1." in head.data
    if head.packing == "gz" and not head.data:
        return next_start(io.BytesIO(head.stored), 1, packed=True) is not None
    return False


def read(opened: Opened, limits: Limits) -> Iterator[RawDocument | Rejected]:
    """Give the responses and resources of the file, in their order.

    Other records (requests, metadata, warcinfo, conversions) are no documents. A metadata record in
    which our own crawl says how a record behind it was found gives that document its source, and
    what the crawl fetched only on its way (feeds, robots.txt, redirects) is passed over. Where the
    file is damaged, one rejection says from where to where, and reading goes on at the next record.

    Raises:
        SourceError: If a compression around the whole file is broken; what is in front of the
            place is given first.

    """
    if opened.head.packing in {"bz2", "xz", "zst"}:
        opened.file.seek(0)
        stream = unpacked(PACKINGS[opened.head.packing], opened.file, limits)
        yield from _outcomes(opened, _one_by_one(stream, limits), limits)
        return
    yield from read_file(opened, opened.file, limits)


def read_from(opened: Opened, limits: Limits, start: int) -> Iterator[RawDocument | Rejected]:
    """Give what ``read`` gives behind a record or a stretch of damage that ends at this byte of a plain or gzip WARC."""
    yield from read_file(opened, opened.file, limits, start=start)


def read_file(
    opened: Opened,
    file: BinaryIO,
    limits: Limits,
    *,
    base: int = 0,
    member: str | None = None,
    start: int = 0,
) -> Iterator[RawDocument | Rejected]:
    """Read a plain or gzip WARC file that lies in another file, or is one.

    Args:
        opened: What documents are said to come from.
        file: The WARC; can seek.
        limits: How much one document may ask of us.
        base: Where the WARC begins in the file that is named, in bytes.
        member: What the WARC is called in there.
        start: Where in it a record begins, or damage behind one: the first to be given.

    """
    yield from _outcomes(opened, _placed(_walk(file, limits, start), base, member), limits)


# --- Framing: where records begin and end.


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """A record as it is stored, headers read."""

    type: str
    headers: HeaderMap
    #: Content-Length: how long the block is, in bytes.
    length: int
    #: The block, or as much of it as the limits let us hold; b"" for what nobody wants.
    block: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """A record or a stretch of damage, and its place as stored."""

    offset: int
    #: None for records that share a gzip member: they have no bytes of their own.
    length: int | None
    content: _Record | SourceError


_Placed = tuple[_Record | SourceError, Where]
"""A record or what is wrong, and where it lies."""


def _one_by_one(stream: io.BufferedReader, limits: Limits) -> Iterator[_Placed]:
    """Give the records of a file that was packed as a whole: they have no bytes of their own."""
    while record := _read_record(stream, limits):
        yield record, {}
        _to_next(stream)


def _placed(found: Iterable[_Found], base: int, member: str | None) -> Iterator[_Placed]:
    """Say where records lie in the file that is named."""
    for one in found:
        where: Where = {"source_member": member}
        if one.length is not None:
            where |= {"source_offset": base + one.offset, "source_length": one.length}
        yield one.content, where


def _walk(file: BinaryIO, limits: Limits, start: int) -> Iterator[_Found]:
    """Find all records of a file from a byte on, and what is damaged between them."""
    size = file.seek(0, io.SEEK_END)
    at = 0
    # How the records of this file are stored; None until one was read. It keeps what a damaged
    # member happens to hold unpacked from being taken for a record that was checked.
    packed: bool | None = None
    while (at := _behind_padding(file, at)) < size:
        file.seek(at)
        is_member = file.read(3) == _GZIP
        step = _member if is_member else _plain
        try:
            with foreign_errors_renamed():
                for found in step(file, at, limits):
                    if found.offset >= start:
                        yield found
                at = file.tell()
                packed = is_member if packed is None else packed
        except SourceError as error:
            following = next_start(file, at + 1, packed=packed)
            end = size if following is None else following
            # What runs into the end of the file is cut off only if nothing sound comes later.
            reason = error.reason
            if reason == "truncated" and following is not None:
                reason = "damaged"
            detail = f"bytes {at} to {end}: {error.detail}"
            content = SourceError(reason, detail)
            if at >= start:
                yield _Found(offset=at, length=end - at, content=content)
            at = end
        # What lies between is not needed once it is known how records are stored.
        at = at if packed is None else max(at, start)


def _member(file: BinaryIO, at: int, limits: Limits) -> Iterator[_Found]:
    """Read the records of one gzip member and leave the file behind it.

    Nearly always it is one, which is given only when the member's checksum was right.
    """
    file.seek(at)
    stream = unpacked(gzip_member, file, limits)
    record = _read_record(stream, limits)
    if record is None:
        return  # a member of nothing, as some tools write at the end
    is_alone = not _to_next(stream)
    while not is_alone:
        yield _Found(offset=at, length=None, content=record)
        following = _read_record(stream, limits)
        if following is None:
            return
        record = following
        if not _to_next(stream):
            yield _Found(offset=at, length=None, content=record)
            return
    yield _Found(offset=at, length=file.tell() - at, content=record)


def _plain(file: BinaryIO, at: int, limits: Limits) -> Iterator[_Found]:
    """Read one record that is not packed and leave the file behind it."""
    file.seek(at)
    header = _read_header(file)
    if header is None:
        return
    start = file.tell()
    end = start + header.length
    # What is behind the block is looked at before it is read: headers that each claim the rest of a file cost nothing then.
    if (missing := end - file.seek(0, io.SEEK_END)) > 0:
        raise _too_short(header, missing)
    file.seek(end)
    behind = file.read(64)
    following = behind.lstrip(b"\r\n")
    is_sound = not following or following.startswith(b"WARC/")
    if not is_sound:
        # Either this Content-Length is wrong or the next record's start is. The former, if
        # another record begins inside of what this one claims.
        inside = next_start(file, at + 1, packed=False)
        if not behind.startswith((b"\r\n\r\n", b"\n\n")) or (inside is not None and inside < end):
            what = f"the record's length of {header.length} bytes does not lead to another record"
            raise SourceError(reason="damaged", detail=what)
    marks = 4 if behind.startswith(b"\r\n\r\n") else len(behind) - len(following)
    end += marks if is_sound or marks == 4 else 0  # noqa: PLR2004
    file.seek(start)
    yield _Found(offset=at, length=end - at, content=_read_block(file, header, limits))
    file.seek(end)


def _read_record(stream: BinaryIO, limits: Limits) -> _Record | None:
    """Read one record up to the end of its block; None when there is nothing left.

    Raises:
        SourceError: ``damaged`` when no record stands here.
        EOFError: When it ends too early.

    """
    header = _read_header(stream)
    return header and _read_block(stream, header, limits)


def _read_header(stream: BinaryIO) -> _Record | None:
    """Read one record up to its block, which is left empty."""
    version = stream.readline(_LONGEST_VERSION)
    if not version:
        return None
    if not _VERSION.fullmatch(version):
        raise SourceError(reason="damaged", detail=f"no record begins here, but {version!r}")
    headers = HeaderMap()
    # fastwarc wants the line ends of the standard; some writers use bare line feeds.
    lines = [version.rstrip(), *_header_lines(stream), b"", b""]
    headers.parse(io.BytesIO(b"\r\n".join(lines)))
    stated = (headers.get("Content-Length") or "").strip()
    if not re.fullmatch(r"[0-9]{1,18}", stated):
        raise SourceError(reason="damaged", detail=f'Content-Length is "{stated[:40]}", not a number of bytes')
    kind = (headers.get("WARC-Type") or "").strip().lower()
    return _Record(type=kind, headers=headers, length=int(stated), block=b"")


def _read_block(stream: BinaryIO, header: _Record, limits: Limits) -> _Record:
    """Read the block behind a header, and pass over what of it is not held."""
    wanted = 0
    if header.type in {"response", "resource"}:
        wanted = min(header.length, limits.max_bytes + LONGEST_HEAD + 1)
    elif header.type == "metadata" and header.length <= LONGEST_BLOCK:
        wanted = header.length
    block = stream.read(wanted)
    left = header.length - len(block)
    while len(block) == wanted and left and (passed := stream.read(min(left, _GULP))):
        left -= len(passed)
    if len(block) < wanted or left:
        raise _too_short(header, left)
    return replace(header, block=block)


def _too_short(header: _Record, missing: int) -> EOFError:
    return EOFError(f"the record should have {header.length} bytes, {missing} of them are missing")


def _header_lines(stream: BinaryIO) -> Iterator[bytes]:
    left = _LONGEST_HEADER
    while (line := stream.readline(left)) not in (b"\r\n", b"\n"):
        left -= len(line)
        if left <= 0:
            raise SourceError(reason="damaged", detail=f"headers of more than {_LONGEST_HEADER} bytes")
        if not line.endswith(b"\n"):
            message = "the record ends inside its headers"
            raise EOFError(message)
        yield line.rstrip(b"\r\n")


def _to_next(stream: io.BufferedReader) -> bool:
    """Pass over the line ends behind a block; say whether another record follows.

    Raises:
        SourceError: If something else does: the block was longer than its header said.

    """
    while (start := stream.peek(1)[:1]) in (b"\r", b"\n"):
        stream.read(1)
    if start and start != b"W":
        raise SourceError(reason="damaged", detail=f"the block does not end where it should, but {start!r}")
    return bool(start)


def _behind_padding(file: BinaryIO, at: int) -> int:
    """Pass over zeros and blank lines between records; they carry nothing."""
    file.seek(at)
    while data := file.read(_PEEK):
        rest = data.lstrip(b"\0\r\n")
        at += len(data) - len(rest)
        if rest:
            break
    return at


def next_start(file: BinaryIO, start: int, *, packed: bool | None) -> int | None:
    """Find the next place where a record begins, packed, plain or either; None if there is none.

    A gzip member counts when it unpacks to the start of a record, so that the three bytes that
    begin a member and turn up by chance in packed data mislead nobody.
    """
    pattern = _STARTS[packed]
    # Most often it is near: a file of nothing but damage must not be read over by gulps for each piece of it.
    gulp = 4 * _PEEK
    while True:
        file.seek(start)
        data = file.read(gulp)
        is_last = len(data) < gulp
        gulp = min(2 * gulp, _GULP)
        stop = len(data) if is_last else len(data) - _PEEK
        for found in pattern.finditer(data):
            if found.start() >= stop:
                break
            piece = data[found.start() : found.start() + _PEEK]
            if piece.startswith(b"WARC/") or _unpacks_to_record(piece):
                return start + found.start()
        if is_last:
            return None
        start += stop


def _unpacks_to_record(data: bytes) -> bool:
    try:
        return zlib.decompressobj(31).decompress(data, 8).startswith(b"WARC/")
    except zlib.error:
        return False


# --- Meaning: what a record is to us.


def _outcomes(opened: Opened, records: Iterable[_Placed], limits: Limits) -> Iterator[RawDocument | Rejected]:
    """Make documents of records, or say why they are none; other records give nothing."""
    # What the last metadata record of ours says: id of the record it is about, and how that was found. It is forgotten
    # at the next document or rejection, since a reading that was broken off goes on there.
    ahead: tuple[str, About] | None = None
    for record, where in records:
        if isinstance(record, SourceError):
            ahead = None
            yield opened.reject(record, **where)
        elif record.type == "metadata":
            ahead = _said(record) or ahead
        elif record.type in {"response", "resource", "revisit"}:
            about = ahead[1] if ahead and ahead[0] == record.headers.get("WARC-Record-ID") else None
            ahead = None
            if about is None:
                yield _outcome(opened, record, where, limits)
            elif about.is_document:
                yield _outcome(opened.as_found(about), record, where, limits, _discovered(about))


def _said(record: _Record) -> tuple[str, About] | None:
    """Read a metadata record of our own crawl: the id of the record it is about, and how that was found."""
    about = from_block(record.block)
    if about is None or not (record.headers.get("Content-Type") or "").startswith(FIELDS_TYPE):
        return None
    concurrent = record.headers.get("WARC-Concurrent-To")
    return (concurrent, about) if concurrent else None


def _discovered(about: About) -> Discovered | None:
    found = Discovered(
        feed=about.found_in,
        guid=about.guid,
        title=about.title,
        published=about.published,
        authors=about.authors,
        tags=about.tags,
    )
    return None if found == Discovered() else found


def _outcome(
    opened: Opened, record: _Record, where: Where, limits: Limits, discovered: Discovered | None = None
) -> RawDocument | Rejected:
    """Make a document of a record, or say why it is none."""
    headers = record.headers
    url = (headers.get("WARC-Target-URI") or "").strip()
    # WARC 1.0's grammar asks for angle brackets here, its examples have none, and both are met.
    if url.startswith("<") and url.endswith(">"):
        url = url[1:-1]
    where = {
        **where,
        "url": url or None,
        "warc_record_id": headers.get("WARC-Record-ID") or None,
        "fetched_at": instant(headers.get("WARC-Date")),
    }
    try:
        return _document(opened, record, where, limits, discovered)
    except SourceError as error:
        return opened.reject(error, **where)


def _document(
    opened: Opened, record: _Record, where: Where, limits: Limits, discovered: Discovered | None
) -> RawDocument:
    if record.type == "revisit":
        earlier = record.headers.get("WARC-Refers-To") or "a record it does not name"
        raise SourceError(reason="revisit", detail=f"the same content as {earlier}, which holds the bytes")
    response = _response(record)
    mime = response.mime_type
    if not response.body:
        status = "none" if response.status is None else f"{response.status}"
        raise SourceError(reason="empty", detail=f"no content; HTTP status {status}")
    if _NOT_A_PAGE.match(mime):
        raise SourceError(reason="not_a_page", detail=f"content type {mime}")
    limits.check_size(record.length - (len(record.block) - len(response.body)))
    content = payload(response, limits)
    if not content:
        raise SourceError(reason="empty", detail=f"encoded content of nothing; HTTP status {response.status}")
    if media_of(content) is None:
        if mime == "application/octet-stream":
            raise SourceError(reason="not_a_page", detail=f"content type {mime}; {seen(content)}")
        raise SourceError(reason="binary", detail=f'{seen(content)}; content type "{mime}"')
    media: Literal["html", "text"] | None = None
    if mime in {"text/html", "application/xhtml+xml"}:
        media = "html"
    elif mime == "text/plain":
        media = "text"
    return opened.document(
        content,
        media=media,
        http_status=response.status,
        http_headers=response.headers,
        discovered=discovered,
        **where,
    )


def _response(record: _Record) -> Response:
    """Read the block as HTTP where it is that; else as the content itself."""
    stated = record.headers.get("Content-Type") or ""
    if record.type == "response" and record.block.startswith(b"HTTP/"):
        return parse_response(record.block)
    headers = (("Content-Type", stated),) if stated else ()
    # A response without a status line: its type is that of the envelope, and says nothing.
    if stated.lower().startswith("application/http"):
        headers = ()
    return Response(status=None, headers=headers, body=record.block)
