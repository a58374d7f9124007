"""Pages saved as MHTML: the page itself, its address and the time it was saved, whoever wrote the file."""

import base64
import quopri
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.sources import Limits, find_inputs, read_input
from normalize.decode import decode
from normalize.options import DocumentOptions

from source_outcomes import Read, noise, the_document, the_rejection

URL = "https://nea-akti.example/limani?id=7"
PAGE = "<!DOCTYPE html><html><head><title>Λιμάνι</title></head><body><p>Το πλοίο φεύγει = ξανά.</p></body></html>"
PICTURE = base64.encodebytes(noise(1, 3_000)).decode()
SAVED = datetime(2026, 1, 7, 18, 33, 42, tzinfo=UTC)


def chrome(page: str = PAGE, *, location: str = URL) -> bytes:
    body = quopri.encodestring(page.encode()).decode()
    return (
        "From: <Saved by Blink>\r\n"
        f"Snapshot-Content-Location: {URL}\r\n"
        "Subject: =?utf-8?Q?=CE=9B=CE=B9=CE=BC=CE=AC=CE=BD=CE=B9?=\r\n"
        "Date: Wed, 7 Jan 2026 18:33:42 -0000\r\n"
        "MIME-Version: 1.0\r\n"
        'Content-Type: multipart/related;\r\n\ttype="text/html";\r\n\tboundary="----MultipartBoundary--x1----"\r\n'
        "\r\n\r\n"
        "------MultipartBoundary--x1----\r\n"
        "Content-Type: text/html\r\n"
        "Content-ID: <frame-1@mhtml.blink>\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n"
        f"Content-Location: {location}\r\n\r\n{body}\r\n"
        "------MultipartBoundary--x1----\r\n"
        "Content-Type: text/html\r\n"
        "Content-Transfer-Encoding: 8bit\r\n"
        "Content-Location: https://ads.example/frame\r\n\r\n<html><p>An advertisement.\r\n"
        "------MultipartBoundary--x1----\r\n"
        "Content-Type: image/jpeg\r\n"
        "Content-Transfer-Encoding: base64\r\n"
        f"Content-Location: https://nea-akti.example/a.jpg\r\n\r\n{PICTURE}\r\n"
        "------MultipartBoundary--x1------\r\n"
    ).encode()


def explorer() -> bytes:
    body = base64.encodebytes(PAGE.encode("cp1253", "replace")).decode()
    return (
        'From: "Saved by Windows Internet Explorer 8"\n'
        "Subject: Limani\n"
        "Date: Wed, 7 Jan 2026 20:33:42 +0200\n"
        "MIME-Version: 1.0\n"
        'Content-Type: multipart/related;\n\ttype="text/html";\n\tboundary="----=_NextPart_000_0000"\n'
        "X-MimeOLE: Produced By Microsoft MimeOLE V6.1\n\n"
        "This is a multi-part message in MIME format.\n\n"
        "------=_NextPart_000_0000\n"
        'Content-Type: text/html;\n\tcharset="windows-1253"\n'
        "Content-Transfer-Encoding: base64\n"
        f"Content-Location: https://nea-akti.example/\n\tlimani?id=7\n\n{body}\n"
        "------=_NextPart_000_0000--\n"
    ).encode()


def opera() -> bytes:
    return (
        "Content-Type: multipart/related; start=<op.mhtml.2@nea-akti.example>; boundary=op-1\r\n"
        f"Content-Location: {URL}\r\n"
        "Subject: Limani\r\n"
        "MIME-Version: 1.0\r\n\r\n"
        "--op-1\r\n"
        "Content-Type: text/html\r\nContent-ID: <op.mhtml.1@nea-akti.example>\r\n\r\n<html><p>A frame.\r\n"
        "--op-1\r\n"
        "Content-Type: text/html; charset=utf-8\r\n"
        "Content-ID: <op.mhtml.2@nea-akti.example>\r\n"
        f"Content-Transfer-Encoding: 8bit\r\n\r\n{PAGE}\r\n"
        "--op-1--\r\n"
    ).encode()


@pytest.mark.parametrize(
    ("data", "fetched_at"),
    [(chrome(), SAVED), (explorer(), SAVED), (opera(), None)],
    ids=["chrome", "explorer", "opera"],
)
@pytest.mark.parametrize("name", ["a.mhtml", "download"])
def test_the_page_comes_with_its_address_and_the_time_it_was_saved(
    read: Read, name: str, data: bytes, fetched_at: datetime | None
) -> None:
    page = the_document(read(name, data))
    assert (page.source_kind, page.media, page.url, page.fetched_at) == ("mhtml", "html", URL, fetched_at)
    assert "φεύγει = ξανά" in decode(page, DocumentOptions()).text
    # What stands in its head is in the page itself, with more trust to be had there.
    assert page.discovered is None


def test_the_charset_of_the_part_is_evidence_as_that_of_a_server(read: Read) -> None:
    decoded = decode(the_document(read("a.mht", explorer())), DocumentOptions())
    assert (decoded.charset, decoded.charset_source) == ("cp1253", "http")


def test_an_address_that_is_none_of_the_web_is_not_taken(read: Read) -> None:
    page = the_document(read("a.mhtml", chrome(location="cid:frame-1@mhtml.blink")))
    assert page.url == URL
    assert the_document(read("a.mht", opera().replace(URL.encode(), b"file:///C:/a.html"))).url is None


def test_a_file_that_was_cut_off_in_the_page_gives_what_is_there(read: Read) -> None:
    data = chrome()
    page = the_document(read("a.mhtml", data[: data.index(b"ads.example")]))
    assert page.content.decode().rstrip() == PAGE


def test_pictures_do_not_count_for_the_size_of_a_page(read: Read) -> None:
    large = chrome().replace(PICTURE.encode(), PICTURE.encode() * 300)
    assert the_document(read("a.mhtml", large, Limits(max_bytes=1_000))).url == URL


@pytest.mark.parametrize("name", ["a.mhtml", "download"])
def test_a_page_over_the_limit_is_too_large(read: Read, name: str) -> None:
    assert the_rejection(read(name, chrome(PAGE * 9), Limits(max_bytes=1_000))).reason == "too_large"


def nested(levels: int) -> bytes:
    heads = "".join(f"Content-Type: multipart/related; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(levels))
    return f"MIME-Version: 1.0\r\n{heads}Content-Type: text/html\r\n\r\n{PAGE}".encode()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (nested(20_000), "empty"),
        (b"MIME-Version: 1.0\r\nX: " + b"x" * 9_000_000, "damaged"),
        (b"MIME-Version: 1.0\r\nContent-Type: multipart/related\r\n\r\n" + b"--\r\n" * 500_000, "empty"),
        (
            b"MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 500_000,
            "empty",
        ),
        (
            b"MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b" + b'; a="' * 40_000 + b"\r\n\r\n",
            "empty",
        ),
        (b"MIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n\r\n" + b"--b" * 1_000_000, "empty"),
        (chrome().replace(b"text/html", b"image/gif"), "empty"),
        (chrome(" "), "empty"),
    ],
    ids=[
        "deep",
        "long headers",
        "no boundary",
        "many parts",
        "many parameters",
        "one line of boundaries",
        "no page",
        "empty page",
    ],
)
def test_a_hostile_file_is_one_rejection(read: Read, data: bytes, reason: str) -> None:
    rejection = the_rejection(read("a.mhtml", data))
    assert (rejection.source_kind, rejection.reason) == ("mhtml", reason)


def test_a_few_levels_are_gone_into(read: Read) -> None:
    assert the_document(read("a.mhtml", nested(6))).content.decode() == PAGE


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    data=st.sampled_from([chrome(), explorer(), opera()]),
    spot=st.floats(0, 1, exclude_max=True),
    junk=st.binary(max_size=20),
    cut=st.integers(0, 40),
)
def test_any_damage_ends_in_one_outcome(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, spot: float, junk: bytes, cut: int
) -> None:
    place = int(spot * len(data))
    path = tmp_path_factory.getbasetemp() / "damaged.mhtml"
    path.write_bytes(data[:place] + junk + data[place + cut :])
    (outcome,) = read_input(find_inputs([str(path)])[0], Limits())
    assert outcome.source_uri.endswith("damaged.mhtml")
