"""Damage to pages, tables and archives: hostile input without end, and the same for the same seed.

    page_of(pages, chance)           one of the pages, damaged
    file_of("warc", pages, chance)   a file of that kind around some of the pages, damaged inside, outside or both

A checksum catches nearly all that happens to a packed file as a whole, so most of the damage is done where a reader gets to see
it: in headers, rows and pages, before they are packed. To add damage, write a function and name it in the list of its kind.
"""

import base64
import bz2
import csv
import gzip
import hashlib
import io
import json
import lzma
import quopri
import random
import re
import struct
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal, get_args

import polars as pl
import zstandard

from schemas.document import SourceKind

Damage = Callable[[bytes, random.Random, Sequence[bytes]], bytes]
"""Takes bytes that are not empty, chance, and other bytes to splice from; gives damaged ones, perhaps none."""


def chance_of(*key: object) -> random.Random:
    """The chance that belongs to a key, on every machine the same."""
    return random.Random("/".join(map(str, key)))  # noqa: S311  (to damage pages, not to keep a secret)


# ---- any bytes ------------------------------------------------------------------------------------


def span(data: bytes, chance: random.Random, longest: int) -> tuple[int, int]:
    """Choose a piece: where it begins and ends."""
    start = chance.randrange(len(data))
    return start, start + chance.randrange(1, longest)


def flip(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 3, 30))):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def cut_off(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    return data[: chance.randrange(len(data))]


def cut_front(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    return data[chance.randrange(min(len(data), 2_000)) :]


def cut_out(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    start, end = span(data, chance, 3_000)
    return data[:start] + data[end:]


def repeat(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    start, end = span(data, chance, chance.choice((10, 300, 3_000)))
    return data[:end] + data[start:end] * chance.randrange(1, 20) + data[end:]


def repeat_often(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    start, end = span(data, chance, 30)
    return data[:end] + data[start:end] * chance.randrange(1_000, 5_000) + data[end:]


def swap_spans(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    a, b, c, d = sorted(chance.randrange(len(data) + 1) for _ in range(4))
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def splice(data: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    other = chance.choice(others) or b"\0"
    at, (start, end) = chance.randrange(len(data)), span(other, chance, 5_000)
    return data[:at] + other[start:end] + data[at + chance.choice((0, end - start)) :]


def cross(data: bytes, chance: random.Random, others: Sequence[bytes]) -> bytes:
    """The beginning of one and the end of another."""
    other = chance.choice(others) or b"\0"
    return data[: chance.randrange(len(data))] + other[chance.randrange(len(other)) :]


ODD_BYTES = (
    b"\0", b"\0" * 300, b"\xff", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\x80", b"\x80" * 40,
    b"\x1b$B", b"\x1a", b"\r", b"\r\n\r\n", b"\n" * 500, b" " * 3_000, b"\xe2\x80\xae", b"\xcc\x81" * 400, b"\x7f\x01\x02", b"\xa0", b"\xf0\x9f\x9a\xa2",
    b"WARC/1.0\r\n", b"\x1f\x8b\x08\x00", b"PK\x03\x04", b"PK\x05\x06", b"PAR1", b"%PDF-", b"ustar\x0000", b"</html>", b"<html>", b'{"', b'"', b"&", b"<", b",",
)  # fmt: skip


def put_in(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    at = chance.choice((0, chance.randrange(len(data)), len(data)))
    return data[:at] + chance.choice(ODD_BYTES) + data[at:]


def sprinkle(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    piece = chance.choice(ODD_BYTES)[:8]
    for _ in range(chance.randrange(2, 40)):
        at = chance.randrange(len(data))
        data = data[:at] + piece + data[at:]
    return data


NUMBERS = (
    "0", "-1", "-0", "00", "1e999", "-1e-999", "0x7f", "NaN", "Infinity", "4294967296", "2147483648", "-2147483649", "9223372036854775808",
    "18446744073709551616", "9" * 400, "9" * 5_000, "٣٤", "²", "१२", "1.5", "1,000", "", " ", "99999-12-31", "0000-00-00", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", "2026-02-30", "24:60:60",
)  # fmt: skip


def number(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    found = list(re.finditer(rb"\d{1,20}", data))
    if not found:
        return data + chance.choice(NUMBERS).encode()
    one = chance.choice(found)
    return data[: one.start()] + chance.choice(NUMBERS).encode() + data[one.end() :]


BYTES: tuple[Damage, ...] = (
    flip, cut_off, cut_front, cut_out, repeat, repeat_often, swap_spans, splice, cross, put_in, sprinkle, number,
)  # fmt: skip


# ---- markup ---------------------------------------------------------------------------------------

_TAG = re.compile(rb"<[^<>]{1,300}>")
_ATTRIBUTE = re.compile(rb"([\w:-]{1,40})\s{0,9}=\s{0,9}\"([^\"<>]{0,400})\"")
_CHARSET = re.compile(rb"charset=[\"']?[\w-]+", re.IGNORECASE)
_ELEMENT = re.compile(
    rb"<(div|p|article|figure|ul|li|table|section|span|a|time|h1|h2|script|meta)\b.{0,600}?>", re.DOTALL
)


def drop_tags(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    share, pattern = chance.choice((0.02, 0.2, 0.9)), chance.choice((rb"</[^<>]{1,20}>", rb"<[^<>]{1,300}>"))
    return re.sub(pattern, lambda tag: b"" if chance.random() < share else tag[0], data)


def double_tags(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    share, times = chance.choice((0.02, 0.2)), chance.choice((2, 3, 40))
    return _TAG.sub(lambda tag: tag[0] * (times if chance.random() < share else 1), data)


def move_tag(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    tags = list(_TAG.finditer(data))
    if not tags:
        return data + b"<p"
    tag, at = chance.choice(tags), chance.randrange(len(data))
    return data[:at] + tag[0] + data[at:]


def nest(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    """Open an element many times over around what follows, and close it or not."""
    elements = list(_ELEMENT.finditer(data))
    start = chance.choice(elements).start() if elements else 0
    opening = chance.choice(elements)[0] if elements else b"<div>"
    name = chance.choice((b"div", b"b", b"table><tr><td", b"ul><li", b"font", b"blockquote", b"a href=x"))
    depth = chance.choice((2, 20, 200, 480, 600, 3_000))
    piece = chance.choice((opening, b"<" + name + b">"))
    closing = b"</" + re.split(rb"[\s>]", piece[1:])[0] + b">"
    end = chance.choice((start, min(start + 2_000, len(data)), len(data)))
    return data[:start] + piece * depth + data[start:end] + closing * chance.choice((0, depth)) + data[end:]


def copy_into_itself(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    for _ in range(chance.randrange(1, 4)):
        if len(data) > 300_000:
            break
        at = chance.randrange(len(data))
        data = data[:at] + data + data[at:]
    return data


def break_entities(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    odd = (
        b"&",
        b"&amp",
        b"&#",
        b"&#x",
        b"&#0;",
        b"&#xD800;",
        b"&#1114112;",
        b"&#99999999999999999999;",
        b"&nosuch;",
        b"&#128;",
        b"&lt;p&gt;",
        b"&amp;amp;",
        b"&#x202E;",
    )
    for _ in range(chance.randrange(1, 20)):
        at = chance.randrange(len(data))
        data = data[:at] + chance.choice(odd) + data[at + chance.choice((0, 1)) :]
    return data


CHARSETS = (
    *b"utf-8 utf-16 utf-16le utf-16be utf-32 utf-7 gbk gb18030 big5 shift_jis euc-jp euc-kr iso-2022-jp iso-2022-kr".split(),
    *b"hz-gb-2312 koi8-r koi8-u windows-1251 windows-1252 windows-1255 windows-1256 iso-8859-8-i iso-8859-16 macintosh".split(),
    *b"x-user-defined ibm866 cp037 punycode idna base64 hex rot13 zlib unicode_escape raw_unicode_escape undefined mbcs".split(),
    *(b"", b"nonsense", b"x" * 5_000, b"utf-8\0", b"../utf-8"),
)  # fmt: skip


def declare(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    name = chance.choice(CHARSETS)
    if not _CHARSET.search(data):
        return b'<meta charset="' + name + b'">' + data
    return _CHARSET.sub(b"charset=" + name.replace(b"\\", b""), data)


def recode(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    text = data.decode(chance.choice(("utf-8", "cp1251", "latin-1", "gb18030")), "replace")
    name = chance.choice(
        "utf-16 utf-16-le utf-16-be utf-32 utf-7 gb18030 shift_jis iso2022_jp hz cp1252 koi8-r utf-8".split()
    )
    return text.encode(name, chance.choice(("replace", "ignore", "xmlcharrefreplace")))


def twice_encoded(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    return data.decode(chance.choice(("latin-1", "cp1251", "cp1252")), "replace").encode("utf-8")


ODD_VALUES = (
    b"", b" ", b"\0", b"http://[", b"http://[::1", b"http://a:99999/", b"//", b"javascript:1", b"data:text/html,<p>", b"http://xn--a/", b"http://" + b"a." * 200 + b"/", b"HTTP://\xff/%zz%",
    b"http://a.example/" + b"x/" * 3_000, b"file:///etc/passwd", b"../../../../x", b"null", b"[]", b"{}", b"[{}]", b"<p>", b"&#0;", b"&#xD83D;", b"x" * 20_000, b"-", b"und", b"zz-ZZ-ZZZZ-" * 40,
    b"2026-13-45", b"0000-00-00T00:00:00Z", b"9999-12-31T23:59:59+99:99", b"1e99", b"-99999999999999999999", b"By By By", b"\xe2\x80\xae", b"\xf0\x9f\x9a\xa2", b"(((((((((((", b"$$$\\1\\g<0>",
)  # fmt: skip


def odd_attributes(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    share = chance.choice((0.02, 0.3))
    return _ATTRIBUTE.sub(
        lambda it: it[1] + b'="' + chance.choice(ODD_VALUES) + b'"' if chance.random() < share else it[0], data
    )


def swap_attributes(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    values = [it[2] for it in _ATTRIBUTE.finditer(data)]
    chance.shuffle(values)
    left = iter(values)
    return _ATTRIBUTE.sub(lambda it: it[1] + b'="' + next(left, b"") + b'"', data)


def odd_json(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    """Put something else in the place of a value of JSON-LD."""
    odd = (
        b"null",
        b"[]",
        b"{}",
        b"7",
        b"-1e999",
        b"9" * 4_500,
        b"true",
        b'""',
        b'"\\ud800"',
        b'"\\u0000"',
        b'"\\x"',
        b'["a",["b",["c"]]]',
        b'{"@value":[]}',
        b'{"@id":"#"}',
        b"[" * 900,
        b'{"@graph":' * 200,
        b"nul",
        b"'x'",
    )
    values = list(re.finditer(rb'(?<=":)\s*(?:"[^"]{0,300}"|\d+|\[|\{)', data))
    if not values:
        return (
            b'<script type="application/ld+json">{"@type":"NewsArticle","headline":'
            + chance.choice(odd)
            + b"}</script>"
            + data
        )
    one = chance.choice(values)
    return data[: one.start()] + chance.choice(odd) + data[one.end() :]


def xml(data: bytes, chance: random.Random, _others: Sequence[bytes]) -> bytes:
    start = chance.choice((
        b'<?xml version="1.0" encoding="utf-16"?>', b"<?xml version='9.9'?>", b'<!DOCTYPE html [<!ENTITY x SYSTEM "file:///etc/passwd">]>&x;', b"<![CDATA[", b"<!--", b"<!-->", b"<svg><style>", b"<plaintext>",
        b"<frameset><frame>", b"<template>", b"<math><mi>", b"<textarea>", b"<select><option>", b"<noscript>", b"<x:html xmlns:x='http://www.w3.org/1999/xhtml'>",
    ))  # fmt: skip
    at = chance.choice((0, chance.randrange(len(data))))
    return data[:at] + start + data[at:]


MARKUP: tuple[Damage, ...] = (
    drop_tags, double_tags, move_tag, nest, copy_into_itself, break_entities, declare, recode, twice_encoded, odd_attributes, swap_attributes, odd_json, xml,
)  # fmt: skip

#: A page that grew beyond this is cut: growing is for the tests of limits, and costs minutes here.
LONGEST = 1_000_000


def page_of(pages: Sequence[bytes], chance: random.Random) -> bytes:
    """Give one of the pages with one to four kinds of damage; never an unchanged one."""
    page = start = chance.choice(pages)
    while page == start:
        for _ in range(chance.choice((1, 1, 2, 3, 4))):
            page = chance.choice(MARKUP + BYTES)(page, chance, pages)[:LONGEST] or b"<"
    return page


# ---- packed data ----------------------------------------------------------------------------------


def pack(data: bytes, chance: random.Random) -> bytes:
    """Pack bytes, and cut, splice or lengthen what comes out."""
    packed = chance.choice((
        lambda it: gzip.compress(it, 6, mtime=0),
        lambda it: gzip.compress(it[:999], 6, mtime=0) + gzip.compress(it[999:], 6, mtime=0),
        bz2.compress,
        lzma.compress,
        zstandard.ZstdCompressor(level=3).compress,
        lambda it: zstandard.ZstdCompressor(level=3, write_checksum=True, write_content_size=False).compress(it),
        zlib.compress,
    ))(data)  # fmt: skip
    damage = chance.randrange(6)
    if damage == 0:
        return packed[: chance.randrange(len(packed))]
    if damage == 1:
        return packed[:-8] + chance.randbytes(8)
    if damage == 2:
        return packed + chance.choice((b"\0" * 600, b"junk", packed, packed[:30]))
    if damage == 3:
        return flip(packed, chance, ())
    return packed


# ---- lines of headers -----------------------------------------------------------------------------

Headers = list[tuple[str, str]]

HEADER_VALUES = (
    *NUMBERS, "<>", "<", "é", "日本", "\r\n folded", "a\rb", "a\0b", "x" * 40_000, ": : :", "response", "RESPONSE ", "revisit", "warcinfo", "resource", "conversion", "text/html;charset=utf-7", "text/html; charset=", "image/png",
    "application/octet-stream", "text/plain", "gzip", "br", "deflate, gzip", "zstd", "chunked", "identity", "http://[", "urn:uuid:", "yesterday", "2026-01-07T08:00:00+99:00", "9999-12-31T23:59:59-12:00", "\t", "%s%n{}",
)  # fmt: skip


def odd_headers(headers: Headers, chance: random.Random) -> Headers:
    """Change, drop, double or rename one of the headers."""
    at = chance.randrange(len(headers))
    name, value = headers[at]
    changed: Headers = chance.choice((
        [(name, chance.choice(HEADER_VALUES))],
        [(name, chance.choice(HEADER_VALUES))],
        [],
        [(name, value), (name, chance.choice(HEADER_VALUES))],
        [(name.lower(), value)],
        [(chance.choice(("", " ", "X" * 70_000, "é", "a b", "\0")), value)],
    ))  # fmt: skip
    return [*headers[:at], *changed, *headers[at + 1 :]]


def lines(first: str, headers: Headers, chance: random.Random) -> bytes:
    end = chance.choice(("\r\n",) * 60 + ("\n", "\r", "\n\r\n"))
    return (first + end + "".join(f"{name}: {value}{end}" for name, value in headers) + end).encode()


# ---- one writer for each kind of file -------------------------------------------------------------


def warc(pages: Sequence[bytes], chance: random.Random) -> bytes:
    gzipped = chance.random() < 0.6
    parts = []
    for place, page in enumerate(pages):
        body = page  # as it is sent
        http: Headers = [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Language", "en"),
            ("Last-Modified", "Wed, 07 Jan 2026 08:00:00 GMT"),
        ]
        if chance.random() < 0.2:
            body, encoding = pack(body, chance), chance.choice(("gzip", "br", "deflate", "zstd", "gzip, gzip"))
            http.append(("Content-Encoding", encoding))
        if chance.random() < 0.1:
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
            http.append(("Transfer-Encoding", "chunked"))
        if chance.random() < 0.2:
            http = odd_headers(http, chance)
        status = chance.choice(
            ("HTTP/1.1 200 OK",) * 8 + ("HTTP/1.1 999999 X", "HTTP/2 404", "HTTP/1.1", "ICY 200 OK", "")
        )
        block = lines(status, http, chance) + body
        length = len(block) + (chance.choice((-5, -1, 1, 7, 10**9, -len(block))) if chance.random() < 0.08 else 0)
        headers: Headers = [
            ("WARC-Type", chance.choice(("response",) * 9 + ("resource", "revisit", "request"))),
            ("WARC-Record-ID", f"<urn:uuid:00000000-0000-4000-8000-{place:012}>"),
            ("WARC-Target-URI", f"https://site{chance.randrange(5)}.example/story/{chance.randrange(10**6)}"),
            ("WARC-Date", "2026-01-07T08:00:00Z"),
            ("Content-Type", "application/http; msgtype=response"),
            ("Content-Length", str(length)),
        ]
        if chance.random() < 0.25:
            headers = odd_headers(headers, chance)
        record = (
            lines(chance.choice(("WARC/1.0",) * 9 + ("WARC/1.1", "WARC/9.9", "WARC/")), headers, chance)
            + block
            + b"\r\n\r\n"
        )
        parts.append(gzip.compress(record, 1, mtime=0) if gzipped else record)
    if chance.random() < 0.3:
        place = chance.randrange(len(parts))
        parts[place] = chance.choice(BYTES)(parts[place], chance, parts)
    return b"".join(parts)


def archive_zip(pages: Sequence[bytes], chance: random.Random) -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w") as archive:
        warnings.simplefilter("ignore")  # of names that come twice
        for place, page in enumerate(pages):
            info = zipfile.ZipInfo(chance.choice((f"{place}.html",) * 6 + ODD_NAMES))
            info.compress_type = chance.choice(
                (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
            )
            archive.writestr(info, page, compresslevel=1)
    return damaged_fields(out.getvalue(), chance)


def damaged_fields(archive: bytes, chance: random.Random) -> bytes:
    """Damage the fields of a ZIP's headers and table of contents: versions, flags, methods, sizes, places."""
    data = bytearray(archive)
    starts = [it.start() for it in re.finditer(rb"PK(?:\x01\x02|\x03\x04|\x05\x06)", bytes(data))]
    for _ in range(chance.choice((0, 1, 1, 3))):
        at = chance.choice(starts) + chance.randrange(4, 46, 2)
        data[at : at + 2] = struct.pack(
            "<H", chance.choice((0, 1, 8, 0x21, 0x40, 0x800, 12, 14, 93, 99, 0x7FFF, 0xFFFF))
        )
    return bytes(data)


ODD_NAMES = (
    "../../x.html",
    "/etc/x.html",
    "a/" * 300 + "x.html",
    "\u202e.html",
    "é\n.html",
    ".hidden",
    "con",
    "a\\b.html",
    "[Content_Types].xml",
    "datapackage.json",
    "archive/a.warc",
    "x/",
    "",
)


def wacz(pages: Sequence[bytes], chance: random.Random) -> bytes:
    """A package whose list of pages names some of what is in its WARC files, and whose digests may be wrong."""
    members = {f"archive/{place}.warc": warc([page], chance) for place, page in enumerate(pages)}
    urls = [url.decode("utf-8", "replace") for data in members.values() for url in re.findall(rb"URI: ?(\S+)", data)]
    listed = [json.dumps({"url": url, "ts": chance.choice(NUMBERS), "title": "Ferry"}).encode() for url in urls]
    if chance.random() < 0.5:
        listed = [chance.choice((odd_json, flip, cut_out))(one, chance, listed) for one in listed]
        members["pages/pages.jsonl"] = b"\n".join(listed)
    resources = [
        {
            "path": name,
            "hash": "sha256:" + hashlib.sha256(data if chance.random() < 0.9 else b"").hexdigest(),
        }
        for name, data in members.items()
    ]
    members["datapackage.json"] = json.dumps({"resources": resources}).encode()
    if chance.random() < 0.2:
        members["datapackage.json"] = odd_json(members["datapackage.json"], chance, pages)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data, chance.choice((zipfile.ZIP_STORED,) * 3 + (zipfile.ZIP_DEFLATED,)))
    return damaged_fields(out.getvalue(), chance)


def tar(pages: Sequence[bytes], chance: random.Random) -> bytes:
    out = io.BytesIO()
    form = chance.choice((tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT))
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for place, page in enumerate(pages):
            info = tarfile.TarInfo(f"{place}.html")
            if form != tarfile.USTAR_FORMAT and chance.random() < 0.3:
                info.name = chance.choice(ODD_NAMES)
            info.size = len(page)
            if chance.random() < 0.4:
                info.pax_headers = {
                    chance.choice(("size", "path", "mtime", "GNU.sparse.major", "comment")): chance.choice(
                        HEADER_VALUES
                    )
                }
            archive.addfile(info, io.BytesIO(page))
    data = bytearray(out.getvalue())
    headers = [at for at in range(0, len(data), 512) if data[at + 257 : at + 262] == b"ustar"]
    for _ in range(chance.choice((0, 1, 1, 3))):
        at = chance.choice(headers)
        start, length = chance.choice(
            ((0, 100), (100, 8), (108, 8), (124, 12), (136, 12), (156, 1), (257, 8), (345, 155))
        )
        odd = chance.choice(
            (
                b"\0",
                b" ",
                b"-1",
                b"7" * 12,
                b"9" * 12,
                b"\x80" + b"\xff" * 11,
                b"\xff" * 12,
                b"LKxXgSV017"[chance.randrange(10) :],
                chance.randbytes(12),
            )
        )
        data[at + start : at + start + length] = odd[:length].ljust(length, b"\0")
        # A right checksum, without which nobody looks at the rest.
        data[at + 148 : at + 156] = b" " * 8
        data[at + 148 : at + 156] = b"%06o\0 " % sum(data[at : at + 512])
    return bytes(data)


def rows(pages: Sequence[bytes], chance: random.Random) -> list[dict[str, object]]:
    """Rows as a table holds them, some with cells that no table should have."""
    made: list[dict[str, object]] = []
    for place, page in enumerate(pages):
        row: dict[str, object] = {
            "id": f"row-{place}", "url": f"https://site.example/{place}", "title": "Ferry sails again", "published": "2026-01-07", "fetched_at": "2026-01-07T08:00:00Z",
            chance.choice(("html", "text")): page.decode("utf-8", chance.choice(("replace", "ignore"))),
        }  # fmt: skip
        if chance.random() < 0.4:
            row[chance.choice(list(row))] = chance.choice(
                (None, 7, -1.5, float("inf"), True, [], {}, "", " ", "\0", "x" * 9_000, *HEADER_VALUES)
            )
        made.append(row)
    return made


def jsonl(pages: Sequence[bytes], chance: random.Random) -> bytes:
    values = [json.dumps(row, ensure_ascii=chance.random() < 0.5).encode() for row in rows(pages, chance)]
    values = [
        chance.choice((odd_json, flip, cut_out, number))(one, chance, values) if chance.random() < 0.3 else one
        for one in values
    ]
    form = chance.choice(("lines", "lines", "array", "joined"))
    if form == "array":
        return b"[" + b", ".join(values) + b"]"
    return (b"" if form == "joined" else b"\n").join(values)


def table(pages: Sequence[bytes], chance: random.Random) -> bytes:
    out = io.StringIO(newline="")
    made = rows(pages, chance)
    names = list(dict.fromkeys(name for row in made for name in row))
    writer = csv.DictWriter(
        out, names, delimiter=chance.choice(",;\t|"), quoting=chance.choice((csv.QUOTE_ALL, csv.QUOTE_MINIMAL))
    )
    writer.writeheader()
    writer.writerows(made)
    return out.getvalue().encode(chance.choice(("utf-8",) * 4 + ("utf-16", "cp1251", "utf-8-sig")), "replace")


def parquet(pages: Sequence[bytes], chance: random.Random) -> bytes:
    moments = pl.Series(
        "fetched_at",
        [datetime(2026, 1, 7, tzinfo=UTC) + timedelta(days=place) for place in range(len(pages))],
        dtype=pl.Datetime("us", "UTC"),
    )
    columns: dict[str, object] = {
        "html": pages,
        "id": range(len(pages)),
        "url": [f"https://site.example/{place}" for place in range(len(pages))],
        "fetched_at": chance.choice((
            moments, moments.cast(pl.Datetime("ms")), moments.cast(pl.Int64), moments.cast(pl.Date), moments.dt.convert_time_zone("Asia/Tokyo"),
            pl.Series([chance.choice((-(2**62), 2**62, -62135596800000000, 253402300799999999, 0)) for _ in pages]).cast(pl.Datetime("us", chance.choice((None, "UTC", "Asia/Tokyo", "America/Lima")))),
            pl.Series([chance.choice((-(2**31), 2**31 - 1, -719162, 2932896)) for _ in pages], dtype=pl.Int32).cast(pl.Date),
        )),
        "title": chance.choice(([b"\xff"] * len(pages), ["Ferry"] * len(pages), [1.5] * len(pages), [["x"]] * len(pages), [None] * len(pages), [True] * len(pages), [timedelta(days=10**6)] * len(pages))),
    }  # fmt: skip
    out = io.BytesIO()
    packings: tuple[Literal["uncompressed", "snappy", "zstd", "gzip", "lz4"], ...] = (
        "uncompressed",
        "snappy",
        "zstd",
        "gzip",
        "lz4",
    )
    pl.DataFrame(columns).write_parquet(
        out, compression=chance.choice(packings), row_group_size=chance.choice((1, 2, 100))
    )
    data = bytearray(out.getvalue())
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    for _ in range(chance.choice((0, 0, 1, 1, 4))):
        data[chance.randrange(footer, len(data))] = chance.choice((0, 1, 127, 128, 255, chance.randrange(256)))
    return bytes(data)


def part(body: bytes, chance: random.Random) -> bytes:
    """A part of a message with a page in it."""
    encoding = chance.choice(("quoted-printable", "base64", "8bit", "binary", "x-unknown"))
    encoded = {"quoted-printable": quopri.encodestring, "base64": base64.encodebytes}.get(encoding, bytes)(body)
    headers: Headers = [
        ("Content-Type", chance.choice(("text/html", "text/html; charset=utf-8", "text/plain", "image/png"))),
        ("Content-Transfer-Encoding", encoding),
        ("Content-Location", "https://site.example/story"),
        ("Content-ID", "<1@site.example>"),
    ]
    return (
        lines("MIME-Version: 1.0", odd_headers(headers, chance) if chance.random() < 0.2 else headers, chance) + encoded
    )


def message(pages: Sequence[bytes], chance: random.Random, headers: Headers, subtype: str) -> bytes:
    """A message with each page as a part, inside of one multipart or several."""
    depth = chance.choice((1, 1, 2, 30))
    opening = f'multipart/{subtype}; boundary="cut-{0}"; start="<1@site.example>"'
    headers = [*headers, ("Content-Type", opening)]
    data = lines("MIME-Version: 1.0", odd_headers(headers, chance) if chance.random() < 0.2 else headers, chance)
    for level in range(1, depth):
        data += f'--cut-{level - 1}\r\nContent-Type: multipart/mixed; boundary="cut-{level}"\r\n\r\n'.encode()
    mark = f"--cut-{depth - 1}".encode()
    return data + b"".join(mark + b"\r\n" + part(page, chance) + b"\r\n" for page in pages) + mark + b"--\r\n"


def mhtml(pages: Sequence[bytes], chance: random.Random) -> bytes:
    headers: Headers = [
        ("From", "<Saved by Blink>"),
        ("Snapshot-Content-Location", "https://site.example/story"),
        ("Date", "Wed, 7 Jan 2026 18:33:42 -0000"),
    ]
    return message(pages, chance, headers, "related")


def eml(pages: Sequence[bytes], chance: random.Random) -> bytes:
    """A message, or a mailbox with one for each page."""
    headers: Headers = [
        ("Received", "from a.example by b.example; Wed, 07 Jan 2026 06:00:09 +0000"),
        ("From", "Harbour <news@site.example>"),
        ("Subject", chance.choice(("Ferry sails", "=?utf-8?q?Ferry_=E2=9C=93?=", "=?x?b?////?="))),
        ("Date", "Wed, 07 Jan 2026 08:00:00 +0200"),
        ("Message-ID", "<7@site.example>"),
    ]
    if chance.random() < 0.5:
        return message(pages, chance, headers, chance.choice(("alternative", "mixed")))
    line = b"From news@site.example Wed Jan  7 08:00:00 2026\r\n"
    return b"".join(line + message([page], chance, headers, "mixed") + b"\r\n" for page in pages)


def html(pages: Sequence[bytes], chance: random.Random) -> bytes:
    return chance.choice(pages)


def text(pages: Sequence[bytes], chance: random.Random) -> bytes:
    return _TAG.sub(b"", chance.choice(pages))


WRITERS: dict[SourceKind, Callable[[Sequence[bytes], random.Random], bytes]] = {
    "warc": warc, "wacz": wacz, "mhtml": mhtml, "eml": eml, "zip": archive_zip, "tar": tar, "parquet": parquet, "jsonl": jsonl, "csv": table, "html": html, "text": text,
}  # fmt: skip
assert set(WRITERS) == set(get_args(SourceKind))

ENDINGS: dict[SourceKind, str] = {"warc": "warc.gz", "text": "txt"}


def name_of(kind: SourceKind, place: int) -> str:
    return f"{kind}-{place:05}.{ENDINGS.get(kind, kind)}"


def file_of(kind: SourceKind, pages: Sequence[bytes], chance: random.Random) -> bytes:
    """Give a file of a kind around some of the pages: damaged inside, outside or both."""
    inside = [chance.choice(pages)[:LONGEST] for _ in range(chance.randrange(1, 6))]
    inside = [page_of([page], chance) if page and chance.random() < 0.3 else page for page in inside]
    data = WRITERS[kind](inside, chance)
    for _ in range(chance.choice((0, 1, 1, 2))):
        data = chance.choice(BYTES)(data or b"\0", chance, pages)
    return pack(data, chance) if chance.random() < 0.15 else data
