import io
import stat
import struct
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.sources import Limits, find_inputs, read_input

from source_outcomes import Read, documents, rejections, summary, the_rejection

PAGES = {f"site/page-{n}.html": f"<html><p>Página {n} {n**40}".encode() for n in range(7)}


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED, *, streamed: bool = False) -> bytes:
    out = io.BytesIO()
    target = Unseekable(out) if streamed else out
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


class Unseekable(io.RawIOBase):
    """A pipe: sizes are written behind the members then."""

    def __init__(self, out: io.BytesIO) -> None:
        self._out = out

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        assert isinstance(data, bytes | bytearray | memoryview)
        return self._out.write(data)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_every_page_comes_in_order_with_its_name(read: Read, method: int) -> None:
    outcomes = read("noname", zipped(PAGES, method))
    assert summary(outcomes) == list(PAGES)
    assert [one.content for one in documents(outcomes)] == list(PAGES.values())


def test_folders_links_and_hidden_members_are_no_documents(read: Read) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("d/", b"")
        link = zipfile.ZipInfo("link.html")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        for name in (".DS_Store", "__MACOSX/._a.html", "a/.git/x", "../up.html"):
            archive.writestr(name, "<p>x")
    assert summary(read("a.zip", out.getvalue())) == ["../up.html"]


def test_members_that_are_no_pages_are_rejected_one_by_one(read: Read) -> None:
    members = {
        "a.html": b"<p>a",
        "b.png": b"\x89PNG\r\n\x1a\n",
        "c.html": b"",
        "d.html": b"<p>" + b"d" * 2000,
        "e.html": b"<p>e",
    }
    outcomes = read("a.zip", zipped(members), Limits(max_bytes=1000))
    assert summary(outcomes) == ["a.html", "binary", "empty", "too_large", "e.html"]
    assert [one.source_member for one in outcomes] == list(members)


def test_an_encrypted_member_is_rejected(read: Read) -> None:
    data = bytearray(zipped({"a.html": b"<p>a", "b.html": b"<p>b"}))
    data[data.index(b"PK\x03\x04") + 6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert summary(read("a.zip", bytes(data))) == ["encrypted", "b.html"]


def test_a_member_without_a_name_is_a_page_without_one(read: Read) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(zipfile.ZipInfo(""), "<p>x")
    whole = out.getvalue()
    for data in (whole, whole[: whole.index(b"PK\x01\x02")]):
        assert [(one.content, one.source_member) for one in documents(read("a.zip", data))] == [(b"<p>x", None)]


@pytest.mark.parametrize("flag", [0x20, 0x40], ids=["patched data", "strong encryption"])
def test_a_member_that_python_cannot_read_is_rejected_and_the_next_one_read(read: Read, flag: int) -> None:
    data = bytearray(zipped({"a.html": b"<p>x", "b.html": b"<p>y"}))
    data[data.index(b"PK\x01\x02") + 8] |= flag
    outcomes = read("a.zip", bytes(data))
    assert summary(outcomes) == ["unsupported", "b.html"]
    assert "Python cannot read it" in rejections(outcomes)[0].detail


def test_an_archive_of_a_version_yet_to_come_gives_what_can_be_read(read: Read) -> None:
    data = bytearray(zipped({"a.html": b"<p>x"}))
    data[data.index(b"PK\x01\x02") + 6] = 99
    outcomes = read("a.zip", bytes(data))
    assert summary(outcomes) == ["a.html", "damaged"]
    assert "zip file version 9.9" in rejections(outcomes)[0].detail


def test_members_that_share_their_bytes_are_read_once(read: Read) -> None:
    data = zipped({"a.html": b"<p>x", "b.html": b"<p>y"})
    table = data.index(b"PK\x01\x02")
    second = data.index(b"PK\x01\x02", table + 1)
    shared = bytearray(data)
    shared[second + 42 : second + 46] = shared[table + 42 : table + 46]  # both begin where the first does
    outcomes = read("a.zip", bytes(shared))
    assert [one.content for one in documents(outcomes)] == [b"<p>x"]
    assert [one.reason for one in rejections(outcomes)] == ["damaged"]


def test_headers_that_each_claim_the_rest_of_the_file_cost_no_more_than_the_file(read: Read) -> None:
    # Deflate that goes on in empty blocks to the end: for each header, all that follows would be unpacked.
    header = struct.pack("<4sHHHHHIIIHH", b"PK\x03\x04", 20, 0, 8, 0, 0, 7, 9, 9, 1, 0) + b"a"
    endless = (header + struct.pack("<BHH", 0, len(header), len(header) ^ 0xFFFF)) * 40_000
    assert the_rejection(read("a.zip", endless)).reason == "truncated"


def test_a_bomb_is_refused_without_being_unpacked(read: Read) -> None:
    outcomes = read("a.zip", zipped({"a.html": bytes(15_000_000), "b.html": b"<p>b"}))
    assert summary(outcomes) == ["bomb", "b.html"]


def test_a_damaged_member_costs_only_itself(read: Read) -> None:
    data = bytearray(zipped(PAGES))
    place = data.index(b"site/page-2.html") + len("site/page-2.html") + 5
    data[place] ^= 0xFF
    expected = list(PAGES)
    expected[2] = "damaged"
    assert summary(read("a.zip", bytes(data))) == expected


def test_an_unknown_method_is_rejected(read: Read) -> None:
    data = bytearray(zipped({"a.html": b"<p>a"}))
    data[data.index(b"PK\x01\x02") + 10] = 97
    assert summary(read("a.zip", bytes(data))) == ["unsupported"]


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_cut_off_archive_gives_what_is_whole_and_says_so_once(read: Read, method: int, *, streamed: bool) -> None:
    data = zipped(PAGES, method, streamed=streamed)
    outcomes = read("a.zip", data[: data.index(b"site/page-5.html") + 30])
    if method == zipfile.ZIP_STORED and streamed:
        assert summary(outcomes)[-1] == "truncated"  # their length stood in the lost table
        return
    assert summary(outcomes) == [*list(PAGES)[:5], "truncated"]
    assert [one.content for one in documents(outcomes)] == list(PAGES.values())[:5]


def test_a_zip_without_members_holds_nothing(read: Read) -> None:
    assert read("a.zip", zipped({})) == []


def test_an_office_document_is_binary(read: Read) -> None:
    data = zipped({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w:p>Text</w:p>"})
    rejection = the_rejection(read("a.html", data))
    assert rejection.reason == "binary"
    assert "Office" in rejection.detail


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(spot=st.floats(0, 1, exclude_max=True), junk=st.binary(max_size=20), cut=st.integers(0, 20))
def test_any_damage_ends_in_outcomes(
    tmp_path_factory: pytest.TempPathFactory, spot: float, junk: bytes, cut: int
) -> None:
    data = zipped(PAGES)
    place = 4 + int(spot * (len(data) - 4))
    path = tmp_path_factory.getbasetemp() / "damaged.zip"
    path.write_bytes(data[:place] + junk + data[place + cut :])
    for one in read_input(find_inputs([str(path)])[0], Limits()):
        assert one.source_kind == "zip"
