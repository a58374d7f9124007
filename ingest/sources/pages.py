"""Single pages: one file is one document, HTML or plain text, packed or not."""

import io
from collections.abc import Iterator
from typing import NoReturn, Unpack

from ingest.sources.edge import foreign_errors_renamed
from ingest.sources.limits import Limits
from ingest.sources.look import Head, Media, media_of, seen
from ingest.sources.opened import Opened, Where
from ingest.sources.saved import origin_of
from ingest.sources.unpack import PACKINGS, packing_of, read_whole, unpacked
from schemas.document import RawDocument, Rejected
from schemas.errors import SourceError


def sniff_html(head: Head) -> bool:
    """Say whether this is a page."""
    return media_of(head.data) == "html"


def sniff_text(head: Head) -> bool:
    """Say whether this is text in any encoding."""
    return media_of(head.data) == "text"


def read(opened: Opened, limits: Limits) -> Iterator[RawDocument | Rejected]:
    """Give the one document of the file.

    Raises:
        SourceError: ``too_large``, or what is wrong with the compression.

    """
    if opened.head.packing is None:
        limits.check_size(opened.size)
    content = read_whole(opened.content(limits), limits)
    yield _document(opened, content, "html" if opened.kind == "html" else "text", {})


def refuse(opened: Opened, limits: Limits) -> NoReturn:
    """Reject what no reader takes: nothing at all, broken compression, or binary data.

    Raises:
        SourceError: Always; ``empty``, ``binary`` or what is wrong with the compression.

    """
    head = opened.head
    if opened.size == 0:
        raise SourceError(reason="empty", detail="the file has no bytes")
    if not head.data:
        # Packed, and nothing came out. Reading shows whether that is damage or all there is.
        opened.content(limits).read(1)
        raise SourceError(reason="empty", detail=f"{opened.size} bytes of {head.packing} data hold nothing")
    raise SourceError(reason="binary", detail=seen(head.data))


def member(opened: Opened, content: bytes, limits: Limits, **where: Unpack[Where]) -> RawDocument | Rejected:
    """Make a document of one member of an archive, or say why it is none.

    A member that is packed by itself (``page.html.gz`` in a tar) is unpacked.
    """
    try:
        with foreign_errors_renamed():
            if packing := packing_of(content):
                packed = unpacked(PACKINGS[packing], io.BytesIO(content), limits)
                content = read_whole(packed, limits)
    except SourceError as error:
        return opened.reject(error, **where)
    if not content:
        return opened.reject(SourceError(reason="empty", detail="the member has no bytes"), **where)
    media = media_of(content)
    if media is None:
        return opened.reject(SourceError(reason="binary", detail=seen(content)), **where)
    return _document(opened, content, media, where)


def _document(opened: Opened, content: bytes, media: Media, where: Where) -> RawDocument:
    """Make a document of a page, with what it says itself of where it was saved from."""
    if media == "html":
        origin = origin_of(content, where.get("source_member") or opened.source.uri)
        where |= {"url": origin.url, "fetched_at": origin.fetched_at}
    return opened.document(content, media=media, **where)


def is_hidden(name: str) -> bool:
    """Say whether an archive's member is none of the pages: hidden, or a Mac's own notes.

    >>> is_hidden("__MACOSX/._a.html"), is_hidden("./a/.git/x"), is_hidden("./a.html")
    (True, True, False)
    """
    parts = [part for part in name.replace("\\", "/").split("/") if part not in {".", ".."}]
    return "__MACOSX" in parts or any(part.startswith(".") for part in parts)
