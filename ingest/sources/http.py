"""A stored HTTP response: its head, and its body with the encodings undone.

What is stored comes from servers that lie and crawlers that tidy up, so nothing here fails on a
strange head; only a body that cannot be had raises.
"""

import io
import re
from dataclasses import dataclass

from ingest.sources.edge import foreign_errors_renamed
from ingest.sources.limits import Limits
from ingest.sources.look import media_of
from ingest.sources.unpack import (
    Pieces,
    brotli_body,
    deflate_body,
    gzip_body,
    read_whole,
    unpacked,
    zlib_body,
    zstd_file,
)
from schemas.errors import SourceError

#: The end of the head; bare line feeds are met too. Looked for in 256 KB, as browsers do.
_HEAD_END = re.compile(rb"\r?\n\r?\n")
LONGEST_HEAD = 256 * 1024

_STATUS = re.compile(r"HTTP/\d(?:\.\d)?\s+(\d{3})\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A response as it was sent."""

    #: None where there is no status line that can be read.
    status: int | None
    #: In order, names as sent, read as Latin-1 (RFC 9110, 5.5).
    headers: tuple[tuple[str, str], ...]
    #: Still encoded.
    body: bytes

    def header(self, name: str) -> str:
        """Give all values of that header joined by commas; "" when there is none."""
        return ",".join(value for key, value in self.headers if key.lower() == name)

    @property
    def mime_type(self) -> str:
        """The media type without its parameters, in lower case; "" when none was sent."""
        first = next((value for key, value in self.headers if key.lower() == "content-type"), "")
        return first.partition(";")[0].partition(",")[0].strip().lower()


def parse_response(block: bytes) -> Response:
    r"""Part a response into head and body; without a status line all of it is body.

    >>> parse_response(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody")
    Response(status=200, headers=(('A', 'b'),), body=b'body')
    """
    if not block.startswith(b"HTTP/"):
        return Response(status=None, headers=(), body=block)
    end = _HEAD_END.search(block, 0, LONGEST_HEAD)
    head = block[: end.start()] if end else block[:LONGEST_HEAD]
    body = block[end.end() :] if end else b""
    first, *lines = head.decode("latin-1").replace("\r\n", "\n").split("\n")
    headers: list[tuple[str, str]] = []
    for line in lines:
        if line[:1] in {" ", "\t"} and headers:  # folded, as RFC 2616 allowed
            name, value = headers.pop()
            headers.append((name, f"{value} {line.strip()}".strip()))
            continue
        name, colon, value = line.partition(":")
        if colon and name.strip():
            headers.append((name.strip(), value.strip()))
    status = _STATUS.match(first)
    return Response(status=int(status[1]) if status else None, headers=tuple(headers), body=body)


def payload(response: Response, limits: Limits) -> bytes:
    """Give the body with transfer and content encodings undone.

    An encoding that is only stated, while the body is plain, is passed over: many crawlers
    undo it and leave the header as it was.

    Raises:
        SourceError: ``bad_encoding`` when the body is encoded and cannot be had whole;
            ``too_large`` or ``bomb`` when it is more than the limits allow.

    """
    body = response.body
    if "chunked" in response.header("transfer-encoding").lower():
        body = _without_chunks(body)
    stated = response.header("content-encoding").lower().split(",")
    for name in reversed([one.strip() for one in stated]):  # the last was applied last
        if body and name and name != "identity":
            body = _decoded(name, body, limits)
    limits.check_size(len(body))
    return body


_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]{0,4096})?\r?\n")


def _without_chunks(body: bytes) -> bytes:
    """Join the chunks (RFC 9112, 7.1); a body that has none is given as it is."""
    chunks: list[bytes] = []
    at = 0
    while size := _CHUNK_SIZE.match(body, at):
        length = int(size[1], 16)
        if length == 0:
            return b"".join(chunks)  # trailers behind it are headers, not content
        begin, end = size.end(), size.end() + length
        chunks.append(body[begin:end])
        if end > len(body):
            break
        at = end + (2 if body[end : end + 2] == b"\r\n" else body[end : end + 1] == b"\n")
    if not chunks:
        return body
    what = f"chunked body breaks off at byte {at} of {len(body)}, after {len(chunks)} chunks"
    raise SourceError(reason="bad_encoding", detail=what)


def _decoded(name: str, body: bytes, limits: Limits) -> bytes:
    tries = _decoders(name, body)
    problem = f'content encoding "{name}" is stated, the body is neither that nor text'
    for decoder in tries:
        try:
            with foreign_errors_renamed():
                return read_whole(unpacked(decoder, io.BytesIO(body), limits), limits)
        except SourceError as error:
            if error.reason in {"too_large", "bomb"}:
                raise
            problem = f'content encoding "{name}": {error.detail} ({len(body)} bytes stored)'
    if media_of(body) is not None:
        return body
    raise SourceError(reason="bad_encoding", detail=problem)


def _decoders(name: str, body: bytes) -> tuple[Pieces, ...]:
    """Choose what may undo an encoding; none when the body shows that it was not applied."""
    if name in {"gzip", "x-gzip"}:
        return (gzip_body,) if body.startswith(b"\x1f\x8b") else ()
    if name == "zstd":
        return (zstd_file,) if body.startswith(b"\x28\xb5\x2f\xfd") else ()
    if name == "deflate":
        return (zlib_body, deflate_body)
    if name == "br":
        return (brotli_body,)
    return ()
