"""Newsletters as mail programs keep them: single messages (RFC 5322, ``.eml``) and mailboxes (RFC 4155, ``.mbox``)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from ingest.sources import mime
from ingest.sources.limits import Limits
from ingest.sources.look import Head, media_of
from ingest.sources.mime import Part
from ingest.sources.opened import Opened, Where
from schemas.document import Discovered, RawDocument, Rejected
from schemas.errors import SourceError

_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
#: One of each group is in every message that was sent; a text that begins "From: ..." has none of the second.
_SENDER: Final = ("from", "sender", "return-path")
_ON_ITS_WAY: Final = ("received", "message-id", "mime-version", "delivered-to")
#: The line in front of a message in a mailbox: from whom, and when it came.
_FROM_LINE: Final = re.compile(rb"From [^\r\n]{0,300}[0-9]{2}:[0-9]{2}[^\r\n]{0,100}\r?\n")
#: Mailboxes put ">" in front of lines of a text that look like that line, or like one with ">" already.
_QUOTED_FROM: Final = re.compile(rb"^>(?=>*From )", re.MULTILINE)


def sniff(head: Head) -> bool:
    """Say whether this is a message that was sent, or a mailbox."""
    line = _FROM_LINE.match(head.data)
    headers = mime.head_of(head.data[line.end() :] if line else head.data)
    if headers is None:
        return False
    if line or head.named(".eml", ".mbox"):
        return True
    return all(any(headers.header(name) for name in names) for names in (_SENDER, _ON_ITS_WAY))


def read(opened: Opened, limits: Limits) -> Iterator[RawDocument | Rejected]:
    """Give one document for each message, in their order: its HTML, or else its text.

    The subject is the headline that was given, the ``Date`` the time of publication, and the message was fetched when it
    arrived: the ``Received`` that the last host wrote on top, or else the ``Date``. Whom a message is from is not taken for
    publisher or author, as it may be a list, a product or the person who pressed the button; a catalogue names the
    publisher. Attachments are none of the text, and no address in a message is followed.

    Raises:
        SourceError: If the compression of the file is broken; the messages before are given first.

    """
    is_mailbox = _FROM_LINE.match(opened.head.data) is not None
    # Each byte of a text takes three at most, and attachments are held with it.
    longest = 3 * limits.max_bytes + mime.LONGEST_HEAD
    for number, letter in enumerate(_letters(opened.content(limits), longest, is_mailbox=is_mailbox), start=1):
        where: Where = {}
        if is_mailbox:
            where["source_member"] = str(number)
            # Places inside packed data help nobody: there is no way to go there.
            if opened.head.packing is None:
                where |= {"source_offset": letter.offset, "source_length": letter.length}
        if letter.data is None:
            detail = f"{letter.length} bytes > {longest} bytes allowed for a message"
            yield opened.reject(SourceError(reason="too_large", detail=detail), **where)
            continue
        try:
            yield _document(opened, mime.message_of(letter.data), limits, where)
        except SourceError as error:
            yield opened.reject(error, **where)


def _document(opened: Opened, message: Part, limits: Limits, where: Where) -> RawDocument:
    text = _text(message, into_messages=False) or _text(message, into_messages=True)
    if text is None:
        what = f"no part is a text; the message is {message.mime_type[:80]}"
        raise SourceError(reason="empty", detail=what)
    content = text.content()
    limits.check_size(len(content))
    if not content.strip():
        raise SourceError(reason="empty", detail="the text of the message has no bytes")
    if media_of(content) is None:
        raise SourceError(reason="binary", detail=f"what is said to be {text.mime_type} is not text")
    subject, sent = mime.words(message.header("subject")), message.header("date")
    guid = message.header("message-id").strip("<> ")
    arrived = mime.moment(message.header("received").rpartition(";")[2].strip())
    discovered = Discovered(title=subject or None, published=sent or None, guid=guid or None)
    where["fetched_at"] = arrived or mime.moment(sent)
    return opened.document(
        content,
        media="html" if text.mime_type in _HTML else "text",
        http_headers=text.sent_as(),
        discovered=None if discovered == Discovered() else discovered,
        **where,
    )


def _text(message: Part, *, into_messages: bool) -> Part | None:
    """Choose the part that is the letter: the first HTML, or else the first text, that is no attachment."""
    texts = [part for part in mime.leaves(message, into_messages=into_messages) if not part.is_attachment]
    html = (part for part in texts if part.mime_type in _HTML)
    plain = (part for part in texts if part.mime_type == "text/plain" and part.begin < part.end)
    return next(html, None) or next(plain, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Letter:
    #: Where it begins in the file, with the line in front of it, and how long it is, in bytes.
    offset: int
    length: int
    #: None when it is longer than allowed; it was passed over then, not kept.
    data: bytes | None


def _letters(stream: BinaryIO, longest: int, *, is_mailbox: bool) -> Iterator[_Letter]:
    """Cut a mailbox at the lines in front of its messages; they stand behind a blank line, or at the start."""
    if not is_mailbox:
        data = stream.read(longest + 1)
        yield _Letter(offset=0, length=len(data), data=data if len(data) <= longest else None)
        return
    begin, at = 0, 0
    held = bytearray()
    is_blank = True
    while line := stream.readline(longest):
        if is_blank and _FROM_LINE.match(line):
            if at:
                yield _letter(begin, at, held, longest)
            begin, held = at, bytearray()
        elif len(held) <= longest:
            held += line
        is_blank = line in {b"\n", b"\r\n"}
        at += len(line)
    if at:
        yield _letter(begin, at, held, longest)


def _letter(begin: int, end: int, held: bytearray, longest: int) -> _Letter:
    data = _QUOTED_FROM.sub(b"", bytes(held)) if len(held) <= longest else None
    return _Letter(offset=begin, length=end - begin, data=data)
