import bz2
import gzip
import io
import lzma
import tarfile

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.sources import Limits, find_inputs, read_input

from source_outcomes import Read, documents, rejections, summary, the_rejection

PAGES = {f"site/page-{n}.html": f"<html><p>Página {n} {'x' * n * 97}".encode() for n in range(7)}


def tar(members: dict[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("a.tar", bytes),
        ("a.tgz", gzip.compress),
        ("a.tar.bz2", bz2.compress),
        ("a.tar.xz", lzma.compress),
        ("noname", zstandard.ZstdCompressor().compress),
    ],
)
def test_every_page_comes_in_order_with_its_name(read: Read, form: int, name: str, pack: object) -> None:
    assert callable(pack)
    outcomes = read(name, pack(tar(PAGES, form)))
    assert summary(outcomes) == list(PAGES)
    assert [one.content for one in documents(outcomes)] == list(PAGES.values())
    assert {one.source_kind for one in documents(outcomes)} == {"tar"}


def test_offset_and_length_lead_to_the_page(read: Read) -> None:
    data = tar(PAGES)
    for page in documents(read("a.tar", data)):
        assert page.source_offset is not None
        assert page.source_length is not None
        assert data[page.source_offset :][: page.source_length] == page.content


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_and_foreign_names_are_kept(read: Read, form: int) -> None:
    name = "папка/" * 60 + "страница.html"
    assert summary(read("a.tar", tar({name: b"<p>x"}, form))) == [name]


def test_a_member_without_a_name_is_a_page_without_one(read: Read) -> None:
    assert [one.source_member for one in documents(read("a.tar", tar({"": b"<p>x"})))] == [None]


@pytest.mark.parametrize("size", ["²", "٤", "-4", "", "9" * 5_000])
def test_a_pax_size_that_is_no_number_of_bytes_is_passed_over(read: Read, size: str) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("a.html")
        info.size = 4
        info.pax_headers = {"size": size}
        archive.addfile(info, io.BytesIO(b"<p>x"))
    assert summary(read("a.tar", out.getvalue())) == ["a.html"]


def test_folders_links_and_hidden_members_are_no_documents(read: Read) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, kind in (("d", tarfile.DIRTYPE), ("l", tarfile.SYMTYPE), ("p", tarfile.FIFOTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        for name in (".hidden", "a/.git/x", "__MACOSX/._a", "a/../../up.html", "/abs.html"):
            info = tarfile.TarInfo(name)
            info.size = 4
            archive.addfile(info, io.BytesIO(b"<p>x"))
    assert summary(read("a.tar", out.getvalue())) == ["a/../../up.html", "/abs.html"]


def test_members_that_are_no_pages_are_rejected_one_by_one(read: Read) -> None:
    members = {
        "a.html": b"<p>a",
        "b.png": b"\x89PNG\r\n\x1a\n",
        "c.html": b"",
        "d.html": b"<p>" + b"d" * 2000,
        "e.html.gz": gzip.compress(b"<p>e"),
        "f.html.gz": gzip.compress(b"<p>f")[:-3],
        "g.txt": "Γεια".encode("cp1253"),
    }
    outcomes = read("a.tar", tar(members), Limits(max_bytes=1000))
    expected = ["a.html", "binary", "empty", "too_large", "e.html.gz", "truncated", "g.txt"]
    assert summary(outcomes) == expected
    assert [one.source_member for one in outcomes] == list(members)
    assert documents(outcomes)[1].content == b"<p>e"
    assert [one.media for one in documents(outcomes)] == ["html", "html", "text"]


def test_a_cut_off_archive_gives_what_is_whole_and_says_so_once(read: Read) -> None:
    data = tar(PAGES)
    for length in (len(data) // 2, 512 * 7, 700):
        outcomes = read("a.tar", data[:length])
        assert summary(outcomes)[-1] == "truncated"
        assert len(rejections(outcomes)) == 1
        assert summary(outcomes)[:-1] == list(PAGES)[: len(outcomes) - 1]
    assert len(documents(read("a.tar", data[: len(data) // 2]))) >= 2
    outcomes = read("a.tar.gz", gzip.compress(data)[:-20])
    assert summary(outcomes)[-1] == "truncated"


def test_a_damaged_header_costs_one_member(read: Read) -> None:
    data = bytearray(tar(PAGES, tarfile.USTAR_FORMAT))
    place = data.index(b"site/page-2.html")
    data[place] ^= 1
    names = list(PAGES)
    expected = [*names[:2], "damaged", *names[3:]]
    assert summary(read("a.tar", bytes(data))) == expected
    damage = rejections(read("a.tar", bytes(data)))[0]
    assert damage.source_offset == place


def test_bytes_lost_between_members_cost_no_later_member(read: Read) -> None:
    data = tar(PAGES, tarfile.USTAR_FORMAT)
    place = data.index(b"site/page-3.html")
    names = list(PAGES)
    for broken in (data[:place] + b"junk" + data[place:], data[: place - 5] + data[place:]):
        found = summary(read("a.tar", broken))
        assert set(names[3:]) <= set(found)
        assert len(found) == len(set(found))


def test_a_first_header_that_is_damaged_leaves_the_rest(read: Read) -> None:
    data = bytearray(tar(PAGES, tarfile.USTAR_FORMAT))
    data[0] ^= 1
    assert summary(read("a.tar", bytes(data))) == ["damaged", *list(PAGES)[1:]]


def test_archives_joined_by_cat_are_read_to_the_end(read: Read) -> None:
    data = tar({"a.html": b"<p>a"}) + tar({"b.html": b"<p>b"})
    assert summary(read("a.tar", data)) == ["a.html", "b.html"]


def test_a_bomb_in_a_tar_is_refused(read: Read) -> None:
    data = gzip.compress(tar({"a.html": b"<p>" + bytes(50_000_000)}))
    assert the_rejection(read("a.tar.gz", data)).reason in {"bomb", "too_large"}


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(place=st.integers(0, 9000), junk=st.binary(max_size=600), cut=st.integers(0, 600))
def test_any_damage_ends_in_outcomes(
    tmp_path_factory: pytest.TempPathFactory, place: int, junk: bytes, cut: int
) -> None:
    data = tar(PAGES)
    path = tmp_path_factory.getbasetemp() / "damaged.tar"
    path.write_bytes(data[:place] + junk + data[place + cut :])
    found = summary(list(read_input(find_inputs([str(path)])[0], Limits())))
    named = [name for name in found if name in PAGES]
    assert len(named) == len(set(named))
