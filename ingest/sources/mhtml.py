"""Pages saved with all that belongs to them in one file: MHTML (RFC 2557), by Chrome, Edge, Opera and Internet Explorer."""

from collections.abc import Iterator
from typing import Final

from ingest.sources import mime
from ingest.sources.limits import Limits
from ingest.sources.look import Head
from ingest.sources.mime import Part
from ingest.sources.opened import Opened
from schemas.document import RawDocument, Rejected
from schemas.errors import SourceError

_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
#: What only mail has: such a message is a letter, however its parts hang together.
_MAIL: Final = ("received", "to", "delivered-to", "return-path", "message-id", "list-id")


def sniff(head: Head) -> bool:
    """Say whether this is a message that belongs together as a page does, and that nobody sent."""
    headers = mime.head_of(head.data)
    if headers is None:
        return False
    if head.named(".mhtml", ".mht"):
        return True
    if headers.header("snapshot-content-location"):
        return True
    is_sent = any(headers.header(name) for name in _MAIL)
    return not is_sent and (headers.mime_type == "multipart/related" or bool(headers.header("content-location")))


def read(opened: Opened, limits: Limits) -> Iterator[RawDocument | Rejected]:
    """Give the page; its pictures, styles and frames are none.

    The page is the part that ``start`` names (RFC 2387, 3.2), else the first one that is HTML. Its address is the one
    it was saved from, and it was fetched when it was saved. The subject is not taken for a headline: it is the title that
    the page has in its head, with the name of the site in it.

    Raises:
        SourceError: ``empty`` when no part is HTML, ``too_large``, ``damaged``, or what is wrong with the compression.

    """
    # Pictures may make it as large as they like. The page comes first, and each of its bytes takes three at most.
    longest = 3 * limits.max_bytes + mime.LONGEST_HEAD
    data = opened.content(limits).read(longest + 1)
    message = mime.message_of(data)
    pages = [part for part in mime.leaves(message, into_messages=False) if part.mime_type in _HTML]
    if not pages:
        raise SourceError(reason="empty", detail=f"no part of the first {min(len(data), longest)} bytes is HTML")
    start = message.parameter("start").strip("<> ")
    page = next((part for part in pages if start and part.header("content-id").strip("<> ") == start), pages[0])
    content = page.content()
    limits.check_size(len(content), at_least=len(data) > longest)
    if not content.strip():
        raise SourceError(reason="empty", detail="the part with the page has no bytes")
    yield opened.document(
        content,
        media="html",
        url=_address(page) or _address(message),
        fetched_at=mime.moment(message.header("date")),
        http_headers=page.sent_as(),
    )


def _address(part: Part) -> str | None:
    for name in ("content-location", "snapshot-content-location"):
        # A long address is folded wherever it had to be (RFC 2557, 4.4.2).
        written = "".join(mime.words(part.header(name)).split()).strip('<>"')
        if written.startswith(("http://", "https://")):
            return written
    return None
