import bz2
import functools
import gzip
import io
import re
import time
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

import brotli
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.sources import Limits, find_inputs, read_input, warc

from source_outcomes import (
    Read,
    documents,
    noise,
    rejections,
    summary,
    the_document,
    the_rejection,
    warc_of,
)

BENCH = Path(__file__).resolve().parents[2].parent / "shared" / "bench" / "extraction"


def record(
    block: bytes,
    *,
    kind: str = "response",
    envelope: str = "application/http; msgtype=response",
    length: str | None = None,
    more: str = "",
) -> bytes:
    head = (
        f"WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:{zlib.crc32(block):08x}>\r\n"
        f"WARC-Target-URI: <https://example.org/ü?a=b>\r\nWARC-Date: 2024-05-01T08:00:00Z\r\n"
        f"Content-Type: {envelope}\r\n{more}Content-Length: {length or len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def http(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = "".join(f"{header}\r\n" for header in headers)
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode("latin-1") + body


def members(data: bytes) -> list[bytes]:
    """Part a WARC into its gzip members."""
    parts = []
    while data:
        inflater = zlib.decompressobj(31)
        inflater.decompress(data)
        end = len(data) - len(inflater.unused_data)
        parts.append(data[:end])
        data = data[end:]
    return parts


PACK = pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])


@PACK
def test_a_response_says_what_it_knows(read: Read, *, packed: bool) -> None:
    headers = ("Content-Type: text/html; charset=koi8-r", "Set-Cookie: a", "set-cookie: b", "X: é")
    data = record(http(b"<p>x", *headers, status="404 Not Found"))
    page = the_document(read("noname", gzip.compress(data) if packed else data))
    assert (page.source_kind, page.media, page.content) == ("warc", "html", b"<p>x")
    assert page.url == "https://example.org/ü?a=b"
    assert re.fullmatch(r"<urn:uuid:[0-9a-f]{8}>", page.warc_record_id or "")
    assert page.fetched_at == datetime(2024, 5, 1, 8, tzinfo=UTC)
    assert page.http_status == 404
    assert page.http_headers == tuple(tuple(header.split(": ", 1)) for header in headers)
    assert page.charset is None


@PACK
def test_offset_and_length_cut_the_record_out(read: Read, *, packed: bool) -> None:
    pages = [f"<p>page {n} {n**50}" for n in range(9)]
    data = warc_of(pages, packed=packed)
    found = documents(read("a.warc", data))
    assert len(found) == 9
    for page in found:
        assert page.source_offset is not None
        assert page.source_length is not None
        piece = data[page.source_offset :][: page.source_length]
        alone = the_document(read("piece.warc", piece))
        assert (alone.content, alone.warc_record_id) == (page.content, page.warc_record_id)
    assert sum(page.source_length or 0 for page in found) == len(data)


@PACK
def test_order_is_the_same_as_in_the_file(read: Read, *, packed: bool) -> None:
    data = warc_of([f"<p>{n}" for n in range(40)], packed=packed)
    assert [one.content for one in documents(read("a.warc", data))] == [b"<p>%d" % n for n in range(40)]


@PACK
def test_records_that_are_no_documents_are_passed_over(read: Read, *, packed: bool) -> None:
    parts = [
        record(b"software: x\r\n", kind="warcinfo", envelope="application/warc-fields"),
        record(b"GET / HTTP/1.1\r\n\r\n", kind="request"),
        record(http(b"<p>x")),
        record(b"a: b", kind="metadata"),
        record(b"text", kind="conversion", envelope="text/plain"),
        record(b"<p>resource", kind="resource", envelope="text/html"),
    ]
    data = b"".join(gzip.compress(part) if packed else part for part in parts)
    assert [one.content for one in documents(read("a.warc", data))] == [b"<p>x", b"<p>resource"]
    assert len(read("a.warc", data)) == 2


def test_a_revisit_is_rejected_with_what_it_refers_to(read: Read) -> None:
    data = record(http(b""), kind="revisit", more="WARC-Refers-To: <urn:uuid:1>\r\n")
    rejection = the_rejection(read("a.warc", data))
    assert rejection.reason == "revisit"
    assert "<urn:uuid:1>" in rejection.detail
    assert rejection.url == "https://example.org/ü?a=b"
    assert (rejection.source_offset, rejection.source_length) == (0, len(data))


def chunked(body: bytes, size: int = 7) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x;q=1\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def raw_deflate(data: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(data) + deflater.flush()


BODY = "<html><p>Grüße aus der Stadt</p></html>".encode() * 50
ENCODERS = [
    ("gzip", gzip.compress),
    ("x-gzip", gzip.compress),
    ("br", brotli.compress),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("zstd", zstandard.ZstdCompressor().compress),
    ("identity", bytes),
    ("", bytes),
]


@pytest.mark.parametrize(("name", "encode"), ENCODERS)
def test_content_encodings_are_undone(read: Read, name: str, encode: object) -> None:
    assert callable(encode)
    block = http(encode(BODY), f"Content-Encoding: {name}", "Content-Type: text/html")
    assert the_document(read("a.warc", record(block))).content == BODY
    both = http(chunked(encode(BODY)), f"content-encoding: {name}", "Transfer-Encoding: Chunked")
    assert the_document(read("b.warc", record(both))).content == BODY


def test_encodings_on_top_of_each_other_are_undone_last_first(read: Read) -> None:
    block = http(brotli.compress(gzip.compress(BODY)), "Content-Encoding: gzip, br")
    assert the_document(read("a.warc", record(block))).content == BODY


@pytest.mark.parametrize("name", ["gzip", "br", "deflate", "zstd", "sdch", "utf-8"])
def test_an_encoding_that_was_not_applied_is_passed_over(read: Read, name: str) -> None:
    block = http(BODY, f"Content-Encoding: {name}", "Transfer-Encoding: chunked")
    assert the_document(read("a.warc", record(block))).content == BODY


@pytest.mark.parametrize(("name", "encode"), ENCODERS[:6])
def test_an_encoded_body_cut_off_is_rejected(read: Read, name: str, encode: object) -> None:
    assert callable(encode)
    body = encode(noise(3, 5000).hex().encode())[:-300]
    outcomes = read("a.warc", record(http(body, f"Content-Encoding: {name}")))
    assert the_rejection(outcomes).reason == "bad_encoding"


def test_compressed_bytes_that_no_encoding_explains_are_rejected(read: Read) -> None:
    for name in ("gzip", "br", "deflate", "sdch"):
        block = http(noise(4, 3000), f"Content-Encoding: {name}")
        assert the_rejection(read("a.warc", record(block))).reason == "bad_encoding"


@pytest.mark.parametrize("size", [7, 10_000])
def test_chunks_that_break_off_are_rejected(read: Read, size: int) -> None:
    block = http(chunked(BODY, size)[:-30], "Transfer-Encoding: chunked")
    assert the_rejection(read("a.warc", record(block))).reason == "bad_encoding"


def test_a_bomb_behind_a_content_encoding_is_refused(read: Read) -> None:
    for encode, name in ((gzip.compress, "gzip"), (brotli.compress, "br")):
        block = http(encode(b"<p>" + b" " * 30_000_000), f"Content-Encoding: {name}")
        assert the_rejection(read("a.warc", record(block))).reason in {"bomb", "too_large"}


def test_a_bomb_of_a_member_is_refused_and_the_next_record_read(read: Read) -> None:
    bomb = gzip.compress(record(http(b"<p>" + b" " * 50_000_000)))
    outcomes = read("a.warc.gz", bomb + gzip.compress(record(http(b"<p>next"))))
    assert rejections(outcomes)[0].reason == "bomb"
    assert [one.content for one in documents(outcomes)] == [b"<p>next"]


@PACK
def test_a_record_over_the_limit_is_rejected_with_its_url(read: Read, *, packed: bool) -> None:
    body = noise(5, 400_000).hex().encode()
    parts = [record(http(b"<p>" + body)), record(http(b"<p>next"))]
    data = b"".join(gzip.compress(part) if packed else part for part in parts)
    outcomes = read("a.warc", data, Limits(max_bytes=1000))
    assert summary(outcomes)[0] == "too_large"
    assert rejections(outcomes)[0].detail == "800003 bytes > 1000 bytes allowed"
    assert rejections(outcomes)[0].url == "https://example.org/ü?a=b"
    assert [one.content for one in documents(outcomes)] == [b"<p>next"]


@pytest.mark.parametrize(
    "kind",
    [
        "image/png",
        "video/mp4",
        "audio/mpeg",
        "font/woff2",
        "application/pdf",
        "text/css",
        "application/javascript",
        "text/javascript; charset=utf-8",
        "application/zip",
    ],
)
def test_what_is_clearly_no_page_is_rejected_by_its_type(read: Read, kind: str) -> None:
    rejection = the_rejection(read("a.warc", record(http(b"body{}", f"Content-Type: {kind}"))))
    assert (rejection.reason, rejection.detail) == (
        "not_a_page",
        f"content type {kind.partition(';')[0]}",
    )


@pytest.mark.parametrize(
    ("kind", "media"),
    [
        ("text/html", "html"),
        ("application/xhtml+xml;charset=utf-8", "html"),
        ("TEXT/PLAIN", "text"),
        ("application/octet-stream", None),
        ("application/xml", None),
        ("nonsense", None),
    ],
)
def test_the_type_sent_becomes_the_media(read: Read, kind: str, media: str | None) -> None:
    block = http(b"<html><p>x", f"content-type: {kind}")
    assert the_document(read("a.warc", record(block))).media == media


def test_without_a_type_the_bytes_decide(read: Read) -> None:
    assert the_document(read("a.warc", record(http(b"<p>x")))).media is None
    assert the_rejection(read("b.warc", record(http(b"\x89PNG\r\n")))).reason == "binary"


def test_an_octet_stream_of_binary_bytes_is_no_page(read: Read) -> None:
    block = http(b"\x89PNG\r\n", "Content-Type: application/octet-stream")
    assert the_rejection(read("a.warc", record(block))).reason == "not_a_page"


def test_a_redirect_without_content_says_its_status(read: Read) -> None:
    block = http(b"", "Location: /b", status="301 Moved")
    rejection = the_rejection(read("a.warc", record(block)))
    assert rejection.reason == "empty"
    assert "HTTP status 301" in rejection.detail


@pytest.mark.parametrize(
    "block",
    [
        b"HTTP/1.1 200 OK\r\nno end of the head",
        b"HTTP/1.1\r\n\r\n<p>x",
        b"HTTP/1.1 abc\r\n: x\r\nnocolon\r\n\xff\xfe: \x00\r\n\r\n<p>x",
        b"HTTP/1.1 200 OK\nContent-Type: text/html\n\n<p>x",
        b"HTTP/1.1 200 OK\r\n folded first\r\nA: b\r\n c\r\n\r\n<p>x",
        b"<p>no head at all",
        b"",
        b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: ,,gzip,\r\nTransfer-Encoding: chunked\r\n\r\nzz",
    ],
)
def test_strange_http_never_fails(read: Read, block: bytes) -> None:
    assert len(read("a.warc", record(block))) == 1


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    body=st.binary(max_size=60),
    head=st.text("HTP/1. 20OK\r\n:Content-Encoding gzip,br,chunked;=", max_size=80),
)
def test_no_http_at_all_fails(tmp_path_factory: pytest.TempPathFactory, head: str, body: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "http.warc"
    path.write_bytes(record(b"HTTP/1.1 200 OK\r\n" + head.encode() + b"\r\n\r\n" + body))
    assert len(list(read_input(find_inputs([str(path)])[0], Limits()))) == 1


class TestFraming:
    def test_bare_line_feeds_are_read(self, read: Read) -> None:
        data = record(http(b"<p>x")).split(b"HTTP/1.1")[0].replace(b"\r\n", b"\n")
        data += http(b"<p>x") + b"\n\n"
        assert the_document(read("a.warc", data + data)[:1]).content == b"<p>x"
        assert len(read("a.warc", data + data)) == 2

    def test_many_records_in_one_member_have_no_place_of_their_own(self, read: Read) -> None:
        parts = [record(http(b"<p>%d" % n)) for n in range(5)]
        outcomes = read("a.warc.gz", gzip.compress(b"".join(parts)))
        assert [one.content for one in documents(outcomes)] == [b"<p>%d" % n for n in range(5)]
        assert {one.source_offset for one in outcomes} == {None}
        assert len(outcomes) == 5

    def test_a_warc_packed_otherwise_is_read(self, read: Read) -> None:
        data = record(http(b"<p>a")) + record(http(b"<p>b"))
        for pack in (bz2.compress, zstandard.ZstdCompressor().compress):
            outcomes = read("a.warc.bz2", pack(data))
            assert [one.content for one in documents(outcomes)] == [b"<p>a", b"<p>b"]

    def test_zeros_between_records_are_padding(self, read: Read) -> None:
        for pack in (gzip.compress, bytes):
            data = pack(record(http(b"<p>a"))) + bytes(900) + pack(record(http(b"<p>b")))
            outcomes = read("a.warc", data + bytes(100))
            assert [one.content for one in documents(outcomes)] == [b"<p>a", b"<p>b"]
            assert not rejections(outcomes)

    @PACK
    @pytest.mark.parametrize("length", ["-3", "x", "99999999999999999999", "1e3", "12345678"])
    def test_a_wrong_length_costs_one_record(self, read: Read, length: str, *, packed: bool) -> None:
        parts = [
            record(http(b"<p>a")),
            record(http(b"<p>bad"), length=length),
            record(http(b"<p>c")),
        ]
        data = b"".join(gzip.compress(part) if packed else part for part in parts)
        first, broken, third = read("a.warc", data)
        damage = the_rejection([broken])
        assert damage.reason == "damaged"
        assert damage.source_offset == documents([first])[0].source_length
        assert the_document([third]).content == b"<p>c"
        assert (damage.source_offset or 0) + (damage.source_length or 0) == documents([third])[0].source_offset


@PACK
def test_a_cut_off_file_ends_in_one_truncated(read: Read, *, packed: bool) -> None:
    data = warc_of([f"<p>{n} {n**70}" for n in range(6)], packed=packed)
    last = documents(read("a.warc", data))[-1].source_offset
    assert last is not None
    for cut in range(last + 12, len(data) - 5):
        outcomes = read("a.warc", data[:cut])
        assert len(documents(outcomes)) == 5
        assert summary(outcomes)[-1] == "truncated"
        assert rejections(outcomes)[0].source_offset == last
        assert rejections(outcomes)[0].source_length == cut - last


def test_a_flipped_byte_costs_one_record_and_says_from_where_to_where(read: Read) -> None:
    parts = members(warc_of([f"<p>{n} {n**70}" for n in range(6)]))
    broken = bytearray(parts[2])
    broken[len(broken) // 2] ^= 0x10
    outcomes = read("a.warc.gz", b"".join([*parts[:2], bytes(broken), *parts[3:]]))
    assert [one.url for one in documents(outcomes)] == [f"https://example.org/{n}" for n in (0, 1, 3, 4, 5)]
    (damage,) = rejections(outcomes)
    assert damage.reason == "damaged"
    assert damage.source_offset == len(parts[0]) + len(parts[1])
    assert damage.source_length == len(broken)


def test_a_damaged_first_record_does_not_change_the_kind(read: Read) -> None:
    data = bytearray(warc_of([f"<p>{n} {n**70}" for n in range(4)]))
    for place in (0, 1, 2, 3, 12, 40):
        broken = bytearray(data)
        broken[place] ^= 0x44
        outcomes = read("a.warc.gz", bytes(broken))
        assert [one.url for one in documents(outcomes)][-3:] == [f"https://example.org/{n}" for n in (1, 2, 3)]


def test_the_same_damage_in_a_plain_file_costs_one_record(read: Read) -> None:
    data = warc_of([f"<p>{n} {n**70}" for n in range(6)], packed=False)
    place = data.index(b"WARC/1.0", data.index(b"https://example.org/2"))
    for broken in (
        data[:place] + b"XARC" + data[place + 4 :],
        data[:place] + b"junk" + data[place:],
        data[: place - 40] + data[place - 30 :],
    ):
        outcomes = read("a.warc", broken)
        found = [one.url for one in documents(outcomes)]
        assert len(found) == len(set(found)) >= 5
        assert [one.reason for one in rejections(outcomes)] == ["damaged"]


class Damage(NamedTuple):
    """What happens to a file, and where."""

    kind: Literal["flip", "insert", "delete"]
    #: Where, as a share of the file; or so many bytes from a record's start.
    spot: float
    near: int | None
    record: int
    junk: bytes
    length: int

    def done_to(self, data: bytes, seams: list[int]) -> tuple[bytes, int, int]:
        """Give the damaged bytes, and from where to where the old ones were touched."""
        place = int(self.spot * len(data))
        if self.near is not None:  # the seams between records are where it is hard
            place = max(seams[self.record] + self.near, 0)
        if self.kind == "insert":
            return data[:place] + self.junk + data[place:], place, place
        end = place + self.length
        flipped = bytes(byte ^ 0x5A for byte in data[place:end])
        return data[:place] + (flipped if self.kind == "flip" else b"") + data[end:], place, end


DAMAGE = st.builds(
    Damage,
    kind=st.sampled_from(["flip", "insert", "delete"]),
    spot=st.floats(0, 1, exclude_max=True),
    near=st.one_of(st.none(), st.integers(-6, 12)),
    record=st.integers(0, 7),
    junk=st.one_of(
        st.binary(min_size=1, max_size=50),
        st.sampled_from([b"\x1f\x8b\x08", b"\x1f\x8b\x08\x00WARC/1.0\r\n", b"WARC/1.0\r\nA: b\r\n\r\n"]),
    ),
    length=st.integers(1, 400),
)


@PACK
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(damage=DAMAGE)
def test_every_untouched_record_comes_back_once_whatever_the_damage(
    tmp_path_factory: pytest.TempPathFactory, damage: Damage, *, packed: bool
) -> None:
    whole = the_whole(packed=packed)
    path = tmp_path_factory.getbasetemp() / "damaged.warc.gz"
    path.write_bytes(whole)
    sound = documents(read_input(find_inputs([str(path)])[0], Limits()))
    assert len(sound) == 8
    seams = [page.source_offset or 0 for page in sound]
    broken, begin, end = damage.done_to(whole, seams)
    path.write_bytes(broken)
    started = time.monotonic()
    outcomes = list(read_input(find_inputs([str(path)])[0], Limits()))
    assert time.monotonic() - started < 10, "this may never end"
    back = {one.warc_record_id: one.content for one in documents(outcomes)}
    assert len(back) == len(documents(outcomes)), "a record came twice"
    for page, first in zip(sound, seams, strict=True):
        last = first + (page.source_length or 0)
        is_touched = begin < last and (end > first if end > begin else begin > first)
        if not is_touched:
            assert back.get(page.warc_record_id) == page.content


@functools.cache
def the_whole(*, packed: bool) -> bytes:
    pages = [f"<p>{n} {noise(n, 37 * (n * 5 % 8)).hex()}" for n in range(8)]
    return warc_of(pages, packed=packed)


@pytest.mark.skipif(not BENCH.is_dir(), reason="the shared bench pages are not on this machine")
@pytest.mark.parametrize("name", sorted(path.name for path in BENCH.glob("*.warc.gz")) if BENCH.is_dir() else [""])
def test_the_bench_files_give_as_many_pages_as_their_truth_has_rows(name: str) -> None:
    (source,) = find_inputs([str(BENCH / name)])
    outcomes = list(read_input(source, Limits()))
    truth = (BENCH / name.replace(".warc.gz", ".jsonl")).read_bytes()
    assert not rejections(outcomes)
    assert len(documents(outcomes)) == truth.count(b"\n")


class Counted(io.BytesIO):
    """A file that counts the bytes that are read of it."""

    count = 0

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self.count += len(data)
        return data

    def readline(self, size: int | None = -1, /) -> bytes:
        data = super().readline(size)
        self.count += len(data)
        return data


@pytest.mark.parametrize(
    "piece",
    [
        b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 20000000\r\n\r\n",
        b"WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 90000\r\n\r\n",
        gzip.compress(record(http(b"<p>x")))[:-8],
        b"WARC/1.0\r\nWARC-Type: resp",
    ],
    ids=["longer than the file", "long", "members cut off", "headers cut off"],
)
def test_a_file_of_nothing_but_damage_is_not_read_over_for_each_piece_of_it(piece: bytes) -> None:
    file = Counted(piece * 4000)
    assert len(list(warc._walk(file, Limits(), 0))) >= 1
    # Each piece has some kilobytes behind it looked at: for signs of a record, and by gzip.
    assert file.count < 4000 * 100_000
