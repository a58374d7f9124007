"""What the raw store writes is WARC 1.1 to the byte, for other readers as for ours."""

import base64
import gzip
import hashlib
import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from raw_exchanges import AT, PAGE, SOFTWARE, about, by_fastwarc, by_warcio, exchange, stored

from ingest.crawl.raw_store import RawStore
from ingest.crawl.recovery import recover
from ingest.sources import Limits, find_inputs, read_input
from ingest.sources.about import LONGEST_BLOCK, About, from_block, to_block
from schemas.document import RawDocument

FILE = "night-00000.warc.gz"
#: Anything a site can put in a header or feed, half surrogate pairs as broken JSON has them too.
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)


def one_file(folder: Path) -> bytes:
    (path,) = folder.rglob("*.warc.gz")
    return path.read_bytes()


def test_an_exchange_is_metadata_then_response_then_request(tmp_path: Path) -> None:
    (kept,) = stored(tmp_path, [exchange()])
    info, metadata, response, request = by_warcio(one_file(tmp_path))
    assert [info.type, metadata.type, response.type, request.type] == ["warcinfo", "metadata", "response", "request"]
    assert response.headers["WARC-Record-ID"] == kept.record_id
    assert metadata.headers["WARC-Concurrent-To"] == request.headers["WARC-Concurrent-To"] == kept.record_id
    assert metadata.headers["Content-Type"] == "application/warc-fields"
    for record in (metadata, response, request):
        assert record.headers["WARC-Target-URI"] == "https://nea-akti.example/1"
        assert record.headers["WARC-Date"] == "2026-01-07T03:00:00.250000Z"
        assert record.headers["WARC-Warcinfo-ID"] == info.headers["WARC-Record-ID"]
    assert response.headers["WARC-IP-Address"] == request.headers["WARC-IP-Address"] == "192.0.2.7"
    assert (response.status, response.http[0]) == ("200 OK", ("Content-Type", "text/html; charset=utf-8"))
    assert response.content == PAGE


def test_a_request_that_is_not_known_has_no_record(tmp_path: Path) -> None:
    stored(tmp_path, [exchange(request=b"", ip=None)])
    *_, response = by_warcio(one_file(tmp_path))
    assert response.type == "response"
    assert "WARC-IP-Address" not in response.headers


def test_offset_and_length_cut_the_response_out(tmp_path: Path) -> None:
    kept = stored(tmp_path, [exchange(number, f"<p>{number}".encode() * number) for number in range(20)])
    data = one_file(tmp_path)
    for number, place in enumerate(kept):
        assert place.file == FILE
        record = gzip.decompress(data[place.offset : place.end])
        assert record.startswith(b"WARC/1.1\r\nWARC-Type: response\r\n")
        assert place.record_id.encode() in record
        assert record.endswith(b"\r\n\r\n" + f"<p>{number}".encode() * number + b"\r\n\r\n")


def test_digests_are_sha256_in_base_32_of_block_and_payload(tmp_path: Path) -> None:
    (kept,) = stored(tmp_path, [exchange()])
    response = by_warcio(one_file(tmp_path))[2]
    assert kept.payload_sha256 == hashlib.sha256(PAGE).hexdigest()
    assert (
        response.headers["WARC-Payload-Digest"] == f"sha256:{base64.b32encode(hashlib.sha256(PAGE).digest()).decode()}"
    )
    record = gzip.decompress(one_file(tmp_path)[kept.offset : kept.end])
    block = record.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n\r\n")
    assert (
        response.headers["WARC-Block-Digest"] == f"sha256:{base64.b32encode(hashlib.sha256(block).digest()).decode()}"
    )


def test_fastwarc_reads_the_same_records_and_verifies_them(tmp_path: Path) -> None:
    with RawStore.open(tmp_path, "night", software=SOFTWARE) as store:
        kept = [store.write(exchange()), store.write(exchange(2, b""))]
        kept.append(store.write_revisit(exchange(), kept[0], "https://nea-akti.example/1", AT))
        kept.append(store.write_text("https://nea-akti.example/3", PAGE, AT, about("entry")))
    found = by_fastwarc(one_file(tmp_path))
    group = ["metadata", "response", "request"]
    assert [kind for kind, _ in found] == [
        "warcinfo",
        *group,
        *group,
        "metadata",
        "revisit",
        "request",
        "metadata",
        "resource",
    ]
    assert [place for kind, place in found if kind in {"response", "revisit", "resource"}] == [
        one.offset for one in kept
    ]


def test_a_header_of_chunks_does_not_make_readers_join_a_body_that_has_none(tmp_path: Path) -> None:
    looks_chunked = b"5\r\n<p>ab\r\n0\r\n\r\n"
    stored(
        tmp_path,
        [exchange(body=looks_chunked, headers=(("Content-Type", "text/html"), ("transfer-Encoding", "chunked")))],
    )
    response = by_warcio(one_file(tmp_path))[2]
    assert response.http[1] == ("X-Crawler-transfer-Encoding", "chunked")
    by_fastwarc(one_file(tmp_path))
    (page,) = read_input(find_inputs([str(tmp_path)])[0], Limits())
    assert isinstance(page, RawDocument)
    assert page.content == looks_chunked


def test_a_content_encoding_stays_and_is_undone_by_readers(tmp_path: Path) -> None:
    packed = gzip.compress(PAGE)
    stored(tmp_path, [exchange(body=packed, headers=(("Content-Type", "text/html"), ("Content-Encoding", "gzip")))])
    assert by_warcio(one_file(tmp_path))[2].content == packed
    (page,) = read_input(find_inputs([str(tmp_path)])[0], Limits())
    assert isinstance(page, RawDocument)
    assert page.content == PAGE


def test_a_body_that_is_not_whole_says_why(tmp_path: Path) -> None:
    stored(tmp_path, [exchange(truncated="length"), exchange(2)])
    records = by_warcio(one_file(tmp_path))
    assert [one.headers.get("WARC-Truncated") for one in records if one.type == "response"] == ["length", None]


def test_an_unchanged_body_is_a_revisit_of_the_earlier_record(tmp_path: Path) -> None:
    (earlier,) = stored(tmp_path, [exchange()], "first")
    with RawStore.open(tmp_path, "second", software=SOFTWARE) as store:
        kept = store.write_revisit(
            exchange(fetched_at=AT + timedelta(days=1)), earlier, "https://nea-akti.example/old", AT
        )
    revisit = by_warcio((tmp_path / "second-00000.warc.gz").read_bytes())[2]
    assert revisit.type == "revisit"
    assert revisit.headers["WARC-Profile"] == "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
    assert revisit.headers["WARC-Refers-To"] == earlier.record_id
    assert revisit.headers["WARC-Refers-To-Target-URI"] == "https://nea-akti.example/old"
    assert revisit.headers["WARC-Refers-To-Date"] == "2026-01-07T03:00:00.250000Z"
    assert revisit.headers["WARC-Truncated"] == "length"
    assert (revisit.status, revisit.content) == ("200 OK", b"")
    assert kept.payload_sha256 == earlier.payload_sha256


def test_a_304_is_a_revisit_that_the_server_called_not_modified(tmp_path: Path) -> None:
    (earlier,) = stored(tmp_path, [exchange()], "first")
    with RawStore.open(tmp_path, "second", software=SOFTWARE) as store:
        answer = exchange(body=b"", status=304, reason="Not Modified")
        kept = store.write_revisit(answer, earlier, "https://nea-akti.example/1", AT)
    revisit = by_warcio((tmp_path / "second-00000.warc.gz").read_bytes())[2]
    assert revisit.headers["WARC-Profile"] == "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
    assert revisit.status == "304 Not Modified"
    assert kept.payload_sha256 == earlier.payload_sha256


def test_a_changed_body_is_no_revisit(tmp_path: Path) -> None:
    with RawStore.open(tmp_path, "night", software=SOFTWARE) as store:
        earlier = store.write(exchange())
        with pytest.raises(ValueError, match=earlier.payload_sha256):
            store.write_revisit(exchange(body=b"another"), earlier, "https://nea-akti.example/1", AT)
    assert len(by_warcio(one_file(tmp_path))) == 4


def test_the_text_of_an_entry_is_a_resource(tmp_path: Path) -> None:
    html = "<p>Το πλοίο γύρισε".encode()
    with RawStore.open(tmp_path, "night", software=SOFTWARE) as store:
        kept = store.write_text("https://nea-akti.example/7", html, AT, about("entry"))
    _, metadata, text = by_warcio(one_file(tmp_path))
    assert (text.type, text.content) == ("resource", html)
    assert text.headers["Content-Type"] == "text/html; charset=utf-8"
    assert metadata.headers["WARC-Concurrent-To"] == text.headers["WARC-Record-ID"] == kept.record_id


def test_times_are_written_in_utc_and_must_be_aware(tmp_path: Path) -> None:
    athens = timezone(timedelta(hours=2))
    with RawStore.open(tmp_path, "night", software=SOFTWARE) as store:
        with pytest.raises(ValueError, match="no zone"):
            store.write(exchange(fetched_at=datetime(2026, 1, 7, 5)))  # noqa: DTZ001
        store.write(exchange(fetched_at=datetime(2026, 1, 7, 5, tzinfo=athens)))
    records = by_warcio(one_file(tmp_path))
    assert {record.headers["WARC-Date"] for record in records} == {"2026-01-07T03:00:00Z"}
    assert records[0].type == "warcinfo"


def test_ids_are_never_the_same(tmp_path: Path) -> None:
    for name in ("a", "b"):
        stored(tmp_path / name, [exchange(), exchange()])
    ids = [
        record.headers["WARC-Record-ID"] for path in tmp_path.rglob("*.gz") for record in by_warcio(path.read_bytes())
    ]
    assert len(ids) == len(set(ids)) == 14


# ---- hostile values -------------------------------------------------------------------------------


@given(st.lists(st.tuples(ANY_TEXT, ANY_TEXT), max_size=8), ANY_TEXT, ANY_TEXT, st.binary(max_size=200))
def test_no_header_or_address_breaks_a_record(
    tmp_path_factory: pytest.TempPathFactory, headers: list[tuple[str, str]], reason: str, path: str, body: bytes
) -> None:
    folder = tmp_path_factory.mktemp("raw")
    odd = exchange(headers=tuple(headers), reason=reason, url=f"https://nea-akti.example/{path}", body=body)
    stored(folder, [odd, exchange(2)])
    records = by_warcio(one_file(folder))
    assert [record.type for record in records] == ["warcinfo", *["metadata", "response", "request"] * 2]
    assert records[2].content == body
    by_fastwarc(one_file(folder))


@given(st.binary(min_size=1, max_size=30).filter(lambda value: not set(value) & set(b"\r\n\0")))
def test_a_value_of_bytes_is_kept_as_it_was_sent(tmp_path_factory: pytest.TempPathFactory, value: bytes) -> None:
    folder = tmp_path_factory.mktemp("raw")
    (kept,) = stored(folder, [exchange(headers=(("X-Name", value.decode("latin-1")),))])
    record = gzip.decompress(one_file(folder)[kept.offset : kept.end])
    assert b"\r\nX-Name: " + value + b"\r\n\r\n" in record


ABOUTS = st.builds(
    About,
    kind=st.sampled_from(["page", "entry", "feed", "robots", "error"]),
    source_id=st.just("akti"),
    publisher=ANY_TEXT | st.none(),
    language=st.none() | st.just("el"),
    found_in=ANY_TEXT | st.none(),
    via=ANY_TEXT | st.none(),
    guid=ANY_TEXT | st.none(),
    title=ANY_TEXT | st.none(),
    published=ANY_TEXT | st.none(),
    authors=st.lists(ANY_TEXT, max_size=4).map(tuple),
    tags=st.lists(ANY_TEXT, max_size=4).map(tuple),
    signals=st.lists(ANY_TEXT, max_size=4).map(tuple),
)


@given(ABOUTS)
def test_what_was_found_comes_back_and_comes_back_the_same(found: About) -> None:
    block = to_block(found)
    again = from_block(block)
    assert again is not None
    assert (again.kind, again.source_id, again.language) == (found.kind, found.source_id, found.language)
    assert to_block(again) == block
    # One field a line, whatever a reader takes for the end of one.
    assert all(line.startswith(("babelwire-", "via: ")) for line in block.decode().splitlines())


def test_plain_values_come_back_as_they_were() -> None:
    found = about(
        guid="tag:nea-akti.example,2026:1", title="Το πλοίο: γύρισε", published="Wed, 07 Jan 2026 03:00:00 +0200",
        authors=("Άννα Νικολάου", "B"), tags=("λιμάνι",), signals=("tdm-reservation: 0",), via="https://nea-akti.example/r",
    )  # fmt: skip
    assert from_block(to_block(found)) == found


def test_a_feed_cannot_make_the_metadata_large() -> None:
    endless = about(title="x" * 10**7, authors=("y" * 10**5,) * 500, tags=("\N{GRINNING FACE}" * 10**5,) * 500)
    block = to_block(endless)
    assert len(block) < LONGEST_BLOCK
    again = from_block(block)
    assert again is not None
    assert len(again.title or "") == 2_000
    assert len(again.tags) == 40


@pytest.mark.parametrize(
    "block",
    [
        b"", b"via: https://x.example/\r\nhopsFromSeed: L\r\nfetchTimeMs: 40\r\n", b"babelwire-kind: dream\r\nbabelwire-source: a\r\n",
        b"babelwire-kind: page\r\n", b"babelwire-kind:\r\nbabelwire-source: a\r\n", b"babelwire-kind: page", b"title: x\r\nbabelwire-kind: page\r\n",
    ],
)  # fmt: skip
def test_fields_of_others_are_not_taken_for_ours(block: bytes) -> None:
    assert from_block(block) is None


# ---- files ----------------------------------------------------------------------------------------


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_nothing_written_leaves_no_file(tmp_path: Path) -> None:
    RawStore.open(tmp_path / "raw", "night", software=SOFTWARE).close()
    assert names(tmp_path) == []


def test_a_file_has_its_name_once_it_is_closed(tmp_path: Path) -> None:
    store = RawStore.open(tmp_path, "2026-01-07/night", software=SOFTWARE)
    kept = store.write(exchange())
    store.sync()
    assert names(tmp_path) == ["2026-01-07/night-00000.warc.gz.open"]
    store.close()
    assert names(tmp_path) == [kept.file] == ["2026-01-07/night-00000.warc.gz"]


def test_a_full_file_is_followed_by_the_next_and_no_group_is_parted(tmp_path: Path) -> None:
    with RawStore.open(tmp_path, "night", software=SOFTWARE, max_bytes=4_000) as store:
        kept = [store.write(exchange(number)) for number in range(12)]
    files = names(tmp_path)
    assert len(files) > 2
    assert list(dict.fromkeys(one.file for one in kept)) == files
    for name in files:
        data = (tmp_path / name).read_bytes()
        assert len(data) <= 4_000
        info, *records = by_warcio(data)
        assert info.headers["WARC-Filename"] == name
        assert [record.type for record in records] == ["metadata", "response", "request"] * (len(records) // 3)
        assert {record.headers["WARC-Warcinfo-ID"] for record in records} == {info.headers["WARC-Record-ID"]}


def test_a_group_larger_than_a_file_may_be_has_one_for_itself(tmp_path: Path) -> None:
    with RawStore.open(tmp_path, "night", software=SOFTWARE, max_bytes=1) as store:
        kept = [store.write(exchange(number)) for number in range(3)]
    assert [one.file for one in kept] == names(tmp_path)


def test_a_full_file_keeps_its_open_name_until_what_is_in_it_can_be_noted(tmp_path: Path) -> None:
    store = RawStore.open(tmp_path, "night", software=SOFTWARE, max_bytes=1)
    store.write(exchange(1))
    store.write(exchange(2))
    store.sync()
    assert [name.endswith(".open") for name in names(tmp_path)] == [True, True]
    store.sync()
    assert [name.endswith(".open") for name in names(tmp_path)] == [False, True]
    store.close()
    assert [name.endswith(".open") for name in names(tmp_path)] == [False, False]


def test_after_an_error_the_files_are_left_to_be_recovered(tmp_path: Path) -> None:
    kept = []

    def crawl() -> None:
        with RawStore.open(tmp_path, "night", software=SOFTWARE, max_bytes=1) as store:
            for number in range(3):
                kept.append(store.write(exchange(number)))
                store.sync()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crawl()
    # What is in the first was noted before the sync that gave it its name.
    assert [name.endswith(".open") for name in names(tmp_path)] == [False, True, True]
    found = [one.kept for file in recover(tmp_path) for one in file.exchanges]
    assert found == kept[1:]
    assert [name.endswith(".open") for name in names(tmp_path)] == [False] * 3


def test_files_that_are_there_are_not_written_over(tmp_path: Path) -> None:
    stored(tmp_path, [exchange(1)])
    (tmp_path / "night-00001.warc.gz.open").write_bytes(b"of a crawl that was killed")
    first = one_file(tmp_path)
    (kept,) = stored(tmp_path, [exchange(2)])
    assert kept.file == "night-00002.warc.gz"
    assert (tmp_path / FILE).read_bytes() == first


FILLS_THE_DISK = """
import resource, signal, sys
from pathlib import Path
from raw_exchanges import SOFTWARE, exchange
from ingest.crawl.raw_store import RawStore

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = RawStore.open(Path(sys.argv[1]), "night", software=SOFTWARE)
store.write(exchange(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (3_000, resource.RLIM_INFINITY))
try:
    store.write(exchange(2, bytes(range(256)) * 40))
except Exception as error:
    print(type(error).__name__)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.write(exchange(3))
store.close()
"""


def test_a_group_that_the_disk_refuses_leaves_nothing_behind(tmp_path: Path) -> None:
    # A limit of the file's size ends a write half way, as a full disk does.
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        [sys.executable, "-c", FILLS_THE_DISK, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert (done.stdout, done.stderr) == ("SetupError\n", "")
    records = by_warcio(one_file(tmp_path))
    urls = [record.headers["WARC-Target-URI"] for record in records if record.type == "response"]
    assert urls == ["https://nea-akti.example/1", "https://nea-akti.example/3"]
