"""A mirror of CC-NEWS as Common Crawl lays it out, read by day with a pattern and by month with its own list of paths."""

import gzip
import io
from pathlib import Path

import pytest
from hostile import STORY, TITLE, page
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter
from whole_runs import assert_closed, babelwire

MONTH = "crawl-data/CC-NEWS/2026/11"
NAMES = [
    f"{MONTH}/CC-NEWS-{stamp}.warc.gz"
    for stamp in ("20261123235812-00419", "20261124000212-00420", "20261124013105-00421")
]


def crawl(number: int) -> bytes:
    """A file as the crawler of CC-NEWS writes it: a warcinfo, then request and response by turns, each a gzip member."""
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=True, warc_version="WARC/1.0")
    writer.write_record(writer.create_warcinfo_record("CC-NEWS.warc.gz", {"software": "StormCrawler"}))
    for place in range(2):
        url = f"https://harbour{number}.example/ferry-{place}"
        asked = StatusAndHeaders(f"GET /ferry-{place} HTTP/1.1", [("Host", "harbour.example")], is_http_request=True)
        body = page(title=f"{TITLE}, day {number} of {place + 7}")
        # The crawler unpacks what it gets and keeps the headers under other names.
        headers = [
            ("Content-Type", "text/html; charset=utf-8"),
            ("X-Crawler-Content-Encoding", "gzip"),
            ("X-Crawler-Content-Length", "912"),
            ("Content-Length", f"{len(body)}"),
        ]
        answered = StatusAndHeaders("200 OK", headers, protocol="HTTP/1.1")
        when = {"WARC-Date": f"2026-11-2{3 + (number > 0)}T00:0{place}:00Z"}
        for kind, head, payload in (("request", asked, b""), ("response", answered, body)):
            record = writer.create_warc_record(
                url, kind, payload=io.BytesIO(payload), http_headers=head, warc_headers_dict=when
            )
            writer.write_record(record)
            record.raw_stream.close()
    return out.getvalue()


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    (tmp_path / MONTH).mkdir(parents=True)
    for number, name in enumerate(NAMES):
        (tmp_path / name).write_bytes(crawl(number))
    (tmp_path / MONTH / "warc.paths.gz").write_bytes(gzip.compress("".join(f"{name}\n" for name in NAMES).encode()))
    return tmp_path


def test_a_day_is_a_pattern(mirror: Path) -> None:
    ended = babelwire(
        "run", f"{MONTH}/CC-NEWS-20261124*.warc.gz", "--output", "out", "--date", "2026-11-25", folder=mirror
    )
    assert_closed(ended)
    rows = ended.rows("articles")
    assert sorted({row["source_uri"] for row in rows}) == NAMES[1:]
    assert sorted(row["url"] for row in rows) == [
        f"https://harbour{n}.example/ferry-{place}" for n in (1, 2) for place in (0, 1)
    ]
    assert all(STORY[0] in row["text"] for row in rows)


def test_a_month_is_its_list_of_paths_in_the_folder_of_the_mirror(mirror: Path) -> None:
    ended = babelwire(
        "run", "--list", f"{MONTH}/warc.paths.gz", "--output", "out", "--date", "2026-11-25", folder=mirror
    )
    assert_closed(ended)
    rows = ended.rows("articles")
    assert sorted({row["source_uri"] for row in rows}) == NAMES
    # From each record back to the response it came from.
    for row in rows:
        data = (mirror / row["source_uri"]).read_bytes()[row["source_offset"] :][: row["source_length"]]
        assert f"WARC-Target-URI: {row['url']}\r\n".encode() in gzip.decompress(data)


def test_a_list_that_is_read_elsewhere_says_which_line_names_nothing(mirror: Path) -> None:
    (mirror / "elsewhere").mkdir()
    ended = babelwire("run", "--list", f"../{MONTH}/warc.paths.gz", "--output", "out", folder=mirror / "elsewhere")
    assert ended.code == 2
    assert f"../{MONTH}/warc.paths.gz:1" in ended.talk
    assert NAMES[0] in ended.talk
