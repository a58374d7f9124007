import bz2
import gzip
import io
import lzma
import sys
import tracemalloc
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from ingest.sources import KINDS, Input, Limits, find_inputs, read_input
from ingest.sources.look import media_of
from schemas.document import SourceKind

from source_outcomes import Read, noise, the_document, the_rejection

PAGE = "<!DOCTYPE html><html><head><title>Ένα</title></head><body><p>Καλημέρα</p></body></html>"
RUSSIAN = "Сегодня в городе открылась выставка старых карт.\nОна продлится до мая.\n" * 5
JAPANESE = "今日、東京で古い地図の展覧会が始まりました。五月まで続きます。\n" * 5


def test_a_page_comes_as_it_is(read: Read) -> None:
    page = the_document(read("a.html", PAGE.encode()))
    assert (page.source_kind, page.media, page.content) == ("html", "html", PAGE.encode())
    assert page.source_member is None
    assert page.source_uri.endswith("/a.html")


def test_what_the_catalogue_says_is_carried(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("Bom dia.")
    source = Input(path=path, uri="a.txt", source_id="folha", publisher="F", language_prior="pt")
    page = the_document(list(read_input(source, Limits())))
    assert (page.source_id, page.publisher, page.language_prior) == ("folha", "F", "pt")
    path.write_bytes(b"")
    assert the_rejection(list(read_input(source, Limits()))).source_id == "folha"


@pytest.mark.parametrize(
    "start",
    [
        "<!doctype HTML>",
        "\n\n<HTML lang=ka>",
        "<?xml version='1.0'?>\n<!-- x -->\n<html xmlns='http://www.w3.org/1999/xhtml'>",
        "<!-- a > b --><head><title>x</title>",
        "<body bgcolor=white>",
        "<div class='story'><p>",
        "Preface <p>a</p> <p>b</p> <p>c</p>",
    ],
)
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_markup_is_seen_by_its_content_in_any_encoding(read: Read, start: str, codec: str) -> None:
    assert the_document(read("noname", (start + "Κείμενο").encode(codec))).media == "html"


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        (RUSSIAN, "utf-8"),
        (RUSSIAN, "utf-8-sig"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8-r"),
        (RUSSIAN, "utf-16"),
        (RUSSIAN, "utf-16-le"),
        (RUSSIAN, "utf-16-be"),
        (RUSSIAN, "utf-32"),
        (JAPANESE, "utf-8"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc-jp"),
        (JAPANESE, "iso2022_jp"),
        (JAPANESE, "utf-16-le"),
        (JAPANESE, "utf-16-be"),
        ("今日天气很好。" * 20, "gb18030"),
        ("今日天氣很好。" * 20, "big5"),
        ("今日天气很好。" * 20, "utf-16-le"),
        ("오늘 날씨가 좋습니다. " * 20, "utf-16-be"),
        ("สวัสดีชาวโลก วันนี้อากาศดี " * 20, "utf-16-le"),
        ("आज मौसम अच्छा है। " * 20, "utf-16-le"),
        ("Šetnja gradom traje do večeri.", "cp1250"),
        ("Ja", "utf-8"),
        ("Notes on <b> and <i> in pages.", "utf-8"),
    ],
)
def test_text_in_any_encoding_is_text(read: Read, text: str, codec: str) -> None:
    page = the_document(read("page.html", text.encode(codec)))
    assert (page.source_kind, page.media) == ("text", "text")


def test_a_few_nuls_do_not_make_a_page_binary(read: Read) -> None:
    data = PAGE.encode().replace(b"<p>", b"<p>\0\0")
    assert the_document(read("a.html", data)).content == data


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "begins with 89 50 4e 47 (PNG image)"),
        (b"%PDF-1.7\n%\xe2\xe3", "begins with 25 50 44 46 (PDF document)"),
        (b"\x7fELF\x02\x01\x01" + bytes(60), "begins with 7f 45 4c 46 (ELF program)"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "begins with 52 49 46 46 (WEBP media)"),
        (bytes(500), "begins with 00 00 00 00"),
        (b"a\0\0\0" * 200, "begins with 61 00 00 00"),
        (noise(1, 5000), "no known format, and not text"),
    ],
)
def test_binary_data_named_html_is_rejected_with_what_was_seen(read: Read, data: bytes, said: str) -> None:
    rejection = the_rejection(read("a.html", data))
    assert rejection.reason == "binary"
    assert said in rejection.detail
    assert rejection.source_kind == "html"


def test_an_empty_file_is_rejected(read: Read) -> None:
    assert the_rejection(read("a.html", b"")).reason == "empty"


@pytest.mark.parametrize(
    ("ending", "pack"),
    [
        ("gz", gzip.compress),
        ("bz2", bz2.compress),
        ("xz", lzma.compress),
        ("zst", zstandard.ZstdCompressor(write_checksum=True).compress),
        ("zst", lambda data: zstandard.ZstdCompressor().compress(data)),
    ],
)
class TestPacked:
    def test_a_packed_page_is_unpacked(self, read: Read, ending: str, pack: object) -> None:
        assert callable(pack)
        for page in (PAGE.encode(), PAGE.encode() * 5000):
            assert the_document(read(f"a.html.{ending}", pack(page))).content == page

    def test_two_packed_parts_are_one_page(self, read: Read, ending: str, pack: object) -> None:
        assert callable(pack)
        data = pack(PAGE.encode()) + pack(b"<p>more")
        assert the_document(read(f"a.html.{ending}", data)).content == PAGE.encode() + b"<p>more"

    def test_a_cut_off_page_is_truncated(self, read: Read, ending: str, pack: object) -> None:
        assert callable(pack)
        body = noise(2, 200_000).hex().encode()
        data = pack(b"<html>" + body)
        for length in (len(data) // 2, len(data) - 1):
            assert the_rejection(read(f"a.html.{ending}", data[:length])).reason == "truncated"

    def test_a_bomb_is_refused_before_it_takes_memory(self, read: Read, ending: str, pack: object) -> None:
        assert callable(pack)
        bomb = pack(b"<html>" + b" " * 300_000_000)
        tracemalloc.start()
        rejection = the_rejection(read(f"a.html.{ending}", bomb))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert rejection.reason in {"bomb", "too_large"}
        assert peak < 60_000_000

    def test_packed_nothing_is_empty(self, read: Read, ending: str, pack: object) -> None:
        assert callable(pack)
        assert the_rejection(read(f"a.html.{ending}", pack(b""))).reason == "empty"

    def test_a_damaged_page_is_one_rejection(self, read: Read, ending: str, pack: object) -> None:
        assert callable(pack)
        data = bytearray(pack(b"<html>" + noise(2, 2000).hex().encode()))
        data[len(data) // 2] ^= 0x55
        outcome = read(f"a.html.{ending}", bytes(data))
        if ending != "zst":  # a frame without checksum may hide it
            assert the_rejection(outcome).reason in {"damaged", "truncated"}


def test_a_page_over_the_limit_is_rejected_with_both_numbers(read: Read) -> None:
    limits = Limits(max_bytes=1000)
    rejection = the_rejection(read("a.html", b"<html>" + b"x" * 2000, limits))
    assert rejection.reason == "too_large"
    assert rejection.detail == "2006 bytes > 1000 bytes allowed"


def test_a_packed_page_over_the_limit_is_rejected(read: Read) -> None:
    data = gzip.compress(b"<html>" + b"x" * 2000)
    rejection = the_rejection(read("a.html.gz", data, Limits(max_bytes=1000)))
    assert (rejection.reason, rejection.detail[:13]) == ("too_large", "at least 1001")


def test_a_page_of_exactly_the_limit_is_taken(read: Read) -> None:
    data = b"<html>".ljust(1000)
    assert the_document(read("a.html", data, Limits(max_bytes=1000))).content == data


def test_a_file_that_vanished_is_one_rejection(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text(PAGE)
    (source,) = find_inputs([str(path)])
    path.unlink()
    rejection = the_rejection(list(read_input(source, Limits())))
    assert rejection.reason == "unreadable"
    assert "No such file" in rejection.detail


def test_standard_input_is_read_by_its_content(monkeypatch: pytest.MonkeyPatch) -> None:
    class Piped:
        buffer = io.BytesIO(gzip.compress(PAGE.encode()))

    monkeypatch.setattr(sys, "stdin", Piped())
    page = the_document(list(read_input(find_inputs(["-"])[0], Limits())))
    assert (page.source_uri, page.content) == ("-", PAGE.encode())


def test_a_bug_of_ours_passes_through(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("ours")

    monkeypatch.setattr("ingest.sources.pages.read_whole", broken)
    with pytest.raises(KeyError):
        read("a.html", PAGE.encode())


@given(st.binary(max_size=400))
def test_looking_at_bytes_never_fails(data: bytes) -> None:
    assert media_of(data) in {"html", "text", None}


@given(st.integers(0, 2**32))
def test_random_bytes_are_binary(seed: int) -> None:
    assert media_of(noise(seed, 2000)) is None


def test_every_kind_of_the_contract_has_a_reader() -> None:
    assert set(KINDS) == set(SourceKind.__args__)  # type: ignore[attr-defined]
