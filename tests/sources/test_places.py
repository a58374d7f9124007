"""A reading that was broken off goes on at the very document, in every kind of input."""

import gzip
import io
import json
import re
import tarfile
import tempfile
import zipfile
from pathlib import Path

import polars as pl
import pytest
import zstandard
from raw_exchanges import AT, SOFTWARE, about, exchange

from ingest.crawl.raw_store import RawStore
from ingest.sources import Limits, Place, find_inputs, read_input

from source_outcomes import noise, warc_of

PAGES = [f"<p>page {number} {noise(number, 99).hex()}" for number in range(6)]
PLAIN = warc_of(PAGES, packed=False)
PACKED = warc_of(PAGES)
ROWS = "".join(json.dumps({"text": text}) + "\n" for text in PAGES)


def damaged(data: bytes, *places: float) -> bytes:
    """Put noise over some places of a file, given as shares of its length."""
    for place in places:
        start = int(len(data) * place)
        data = data[:start] + noise(7, 40) + data[start + 40 :]
    return data


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number, page in enumerate(PAGES):
            archive.writestr(f"{number}.html", page)
        archive.writestr("all.warc.gz", PACKED)
    return file.getvalue()


def tarred() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for number, page in enumerate(PAGES):
            member = tarfile.TarInfo(f"{number}.html")
            member.size = len(page)
            archive.addfile(member, io.BytesIO(page.encode()))
    return file.getvalue()


def table() -> bytes:
    file = io.BytesIO()
    pl.DataFrame({"text": PAGES}).write_parquet(file)
    return file.getvalue()


def crawled() -> bytes:
    """What a crawl keeps: pages, and what it fetched on its way to them."""
    with tempfile.TemporaryDirectory() as folder:
        with RawStore.open(Path(folder), "night", software=SOFTWARE) as store:
            store.write(exchange(0, about=about("feed")))
            kept = [store.write(exchange(number, page.encode())) for number, page in enumerate(PAGES, start=1)]
            store.write(exchange(8, about=about("robots")))
            store.write(exchange(9, b"", about=about("page")))
            store.write_revisit(exchange(1, PAGES[0].encode()), kept[0], "https://nea-akti.example/1", AT)
            store.write_text("https://nea-akti.example/10", PAGES[0].encode(), AT, about("entry"))
            store.write(exchange(11, about=about("redirect")))
        return (Path(folder) / "night-00000.warc.gz").read_bytes()


CRAWLED = crawled()
CRAWLED_PLAIN = gzip.decompress(CRAWLED)
#: Between what is said of the first page and the page: where an inserted line is damage, and a reading may break off.
BEFORE_A_PAGE = [found.start() for found in re.finditer(rb"WARC/1\.1\r\nWARC-Type: response", CRAWLED_PLAIN)][1]


def packaged() -> bytes:
    """Two WARC files and a list that names a page which neither holds."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("archive/a.warc.gz", PACKED)
        archive.writestr("archive/b.warc", damaged(PLAIN, 0.4), zipfile.ZIP_DEFLATED)
        urls = [f"https://example.org/{number}" for number in range(0, len(PAGES) + 2, 2)]
        archive.writestr("pages/pages.jsonl", "\n".join(json.dumps({"url": url}) for url in urls))
    return file.getvalue()


LETTERS = b"".join(
    f"From a Wed Jan  7 08:00:00 2026\nFrom: a@b.example\nContent-Type: text/html\n\n{page}\n\n".encode()
    for page in PAGES
)

FILES = {
    "plain.warc": PLAIN,
    "packed.warc.gz": PACKED,
    "in-one-member.warc.gz": gzip.compress(PLAIN),
    "some-in-one-member.warc.gz": PACKED + gzip.compress(PLAIN) + PACKED,
    "both.warc": PACKED + PLAIN + PACKED,
    "whole.warc.zst": zstandard.compress(PLAIN),
    "cut.warc": PLAIN[:-50],
    "cut.warc.gz": PACKED[:-50],
    "cut-in-one-member.warc.gz": gzip.compress(PLAIN)[:-200],
    "cut.warc.zst": zstandard.compress(PLAIN)[:-50],
    "damaged.warc": damaged(PLAIN, 0.02, 0.4, 0.7),
    "damaged.warc.gz": damaged(PACKED, 0.02, 0.4, 0.7),
    "damaged-at-the-start.warc.gz": damaged(PACKED, 0.0, 0.05),
    "padded.warc": PLAIN + b"\0" * 999 + PLAIN + b"\r\n" * 9,
    "crawled.warc.gz": CRAWLED,
    "crawled.warc": CRAWLED_PLAIN,
    "crawled.warc.zst": zstandard.compress(CRAWLED_PLAIN),
    "crawled-in-one-member.warc.gz": gzip.compress(CRAWLED_PLAIN),
    "crawled-and-damaged.warc.gz": damaged(CRAWLED, 0.1, 0.4, 0.7),
    "crawled-and-broken-in-two.warc": CRAWLED_PLAIN[:BEFORE_A_PAGE] + b"noise" + CRAWLED_PLAIN[BEFORE_A_PAGE:],
    "rows.jsonl": (ROWS + "{broken\n" + ROWS).encode(),
    "rows.jsonl.gz": gzip.compress(ROWS.encode())[:-20],
    "rows.csv": ("text\n" + "".join(f'"{page}"\n' for page in PAGES)).encode(),
    "rows.parquet": table(),
    "pages.zip": zipped(),
    "pages.tar.gz": tarred(),
    "cut.tar.gz": tarred()[:-60],
    "pages.wacz": packaged(),
    "cut.wacz": packaged()[:-60],
    "letters.mbox": LETTERS,
    "letters.mbox.gz": gzip.compress(LETTERS)[:-20],
    "page.mhtml": b"MIME-Version: 1.0\r\nContent-Location: https://a.example/\r\nContent-Type: text/html\r\n\r\n<p>x",
    "page.html": PAGES[0].encode(),
    "empty.html": b"",
}


@pytest.mark.parametrize("name", FILES)
def test_reading_goes_on_behind_any_document(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    (source,) = find_inputs([str(tmp_path / name)])
    whole = list(read_input(source, Limits()))
    assert whole
    place = Place()
    for number, document in enumerate(whole, start=1):
        place = place.behind(document)
        assert place.documents == number
        assert list(read_input(source, Limits(), place)) == whole[number:]


@pytest.mark.parametrize("name", ["plain.warc", "packed.warc.gz", "damaged.warc.gz"])
def test_a_warc_is_not_read_again_up_to_the_place(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(FILES[name])
    (source,) = find_inputs([str(tmp_path / name)])
    whole = list(read_input(source, Limits()))
    place = Place().behind(whole[-2])
    assert place.offset == whole[-1].source_offset
    # What lies between the first record, which says how records are stored, and the place may be anything.
    first = next(document for document in whole if document.url)
    start = (first.source_offset or 0) + (first.source_length or 0)
    data = bytearray(FILES[name])
    data[start : place.offset] = noise(9, (place.offset or 0) - start)
    (tmp_path / name).write_bytes(data)
    assert list(read_input(source, Limits(), place)) == whole[-1:]
