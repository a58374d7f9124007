"""A crawl that was killed leaves at most one torn group; the next one finds all the others."""

import gzip
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kills import note_sync, take_what_was_not_synced
from raw_exchanges import AT, SOFTWARE, about, by_fastwarc, by_warcio, exchange

from ingest.crawl.raw_store import Kept, RawStore
from ingest.crawl.recovery import RecoveredFile, recover
from ingest.sources import Limits, find_inputs, read_input
from schemas.document import RawDocument
from schemas.errors import SetupError

FILE = "night-00000.warc.gz"
BODIES = [f"<p>page {number}".encode() for number in range(3)]


def left(folder: Path) -> tuple[bytes, list[Kept]]:
    """Write as a crawl does that is killed before it closes: three pages, a text and a revisit. Gives the open file."""
    store = RawStore.open(folder, "night", software=SOFTWARE)
    kept = [store.write(exchange(number, body)) for number, body in enumerate(BODIES)]
    kept.append(store.write_text("https://nea-akti.example/text", b"<p>text", AT, about("entry")))
    kept.append(store.write_revisit(exchange(0, BODIES[0]), kept[0], "https://nea-akti.example/0", AT))
    store.sync()
    data = (folder / f"{FILE}.open").read_bytes()
    store.close()
    (folder / FILE).unlink()
    return data, kept


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[Kept]]:
    return left(tmp_path_factory.mktemp("left"))


def mended(folder: Path, data: bytes, start: int = 0) -> tuple[RecoveredFile | None, bytes]:
    """Recover one open file; give what is in it, and the file as it is then."""
    folder.mkdir(exist_ok=True)
    (folder / f"{FILE}.open").write_bytes(data)
    found = list(recover(folder, {FILE: start} if start else {}))
    assert not (folder / f"{FILE}.open").exists()
    if not found:
        assert list(folder.iterdir()) == []
        return None, b""
    content = (folder / FILE).read_bytes()
    (folder / FILE).unlink()
    return found[0], content


def test_what_is_recovered_is_what_was_kept(tmp_path: Path, killed: tuple[bytes, list[Kept]]) -> None:
    data, kept = killed
    found, content = mended(tmp_path, data)
    assert content == data
    assert found is not None
    assert (found.file, found.cut) == (FILE, 0)
    assert [one.kept for one in found.exchanges] == kept
    assert [one.type for one in found.exchanges] == ["response"] * 3 + ["resource", "revisit"]
    page, *_, text, revisit = found.exchanges
    assert (page.url, page.fetched_at, page.status) == ("https://nea-akti.example/0", AT, 200)
    assert page.about == about(guid="tag:0")
    assert (page.header("ETAG"), page.header("last-modified"), page.refers_to) == ('"0"', None, None)
    assert (text.status, text.headers, text.about.kind) == (None, (), "entry")
    assert (revisit.refers_to, revisit.kept.payload_sha256) == (kept[0].record_id, kept[0].payload_sha256)


def test_a_file_cut_at_any_byte_keeps_every_whole_exchange(tmp_path: Path, killed: tuple[bytes, list[Kept]]) -> None:
    data, kept = killed
    read: set[bytes] = set()
    for length in range(len(data)):
        found, content = mended(tmp_path, data[:length])
        whole = [one for one in kept if one.end <= length]
        assert [one.kept for one in found.exchanges] == whole if found else not whole
        assert data.startswith(content)
        # What was cut is less than one group: nothing that was whole is gone but metadata without its response.
        assert len(content) >= max((one.end for one in whole), default=0)
        assert found is None or found.cut == length - len(content)
        if found and content not in read:
            read.add(content)
            kinds = [kind for kind, _ in by_fastwarc(content)]
            assert [record.type for record in by_warcio(content)] == kinds
            assert sum(kind in {"response", "resource", "revisit"} for kind in kinds) == len(whole)
            assert kinds[-1] != "metadata"
            assert sum(kind == "metadata" for kind in kinds) == len(whole)


def test_our_own_reader_has_nothing_to_reject(tmp_path: Path, killed: tuple[bytes, list[Kept]]) -> None:
    data, kept = killed
    # Cut so that only pages are left: a revisit has no bytes of its own and is said to be one.
    for length in range(kept[0].end, kept[3].end, 37):
        (tmp_path / f"{FILE}.open").write_bytes(data[:length])
        list(recover(tmp_path))
        documents = list(read_input(find_inputs([str(tmp_path / FILE)])[0], Limits()))
        assert [one.content for one in documents if isinstance(one, RawDocument)] == [
            body for body, place in zip(BODIES, kept, strict=False) if place.end <= length
        ]
        assert len(documents) == sum(place.end <= length for place in kept)
        (tmp_path / FILE).unlink()


TAILS = {
    "zeros": b"\0" * 5_000,
    "noise": bytes(range(256)) * 30,
    "the start of a member": b"\x1f\x8b\x08\0" * 40,
    "a member of something else": b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x03\0\0\0\0\0\0\0\0\0",
}


@pytest.mark.parametrize("tail", TAILS)
def test_what_the_disk_put_behind_the_end_is_cut_off(
    tmp_path: Path, killed: tuple[bytes, list[Kept]], tail: str
) -> None:
    data, kept = killed
    for end in (len(data), kept[1].end, kept[1].end - 5):
        found, content = mended(tmp_path, data[:end] + TAILS[tail])
        assert found is not None
        assert [one.kept for one in found.exchanges] == [one for one in kept if one.end <= end]
        assert data.startswith(content)


@given(st.integers(0, 10_000), st.binary(max_size=300))
def test_any_garbage_behind_any_cut_is_cut_off(
    tmp_path_factory: pytest.TempPathFactory, killed: tuple[bytes, list[Kept]], cut: int, garbage: bytes
) -> None:
    data, kept = killed
    length = min(cut, len(data))
    # The garbage may happen to be the next byte, and so complete a record.
    found, content = mended(tmp_path_factory.mktemp("raw"), data[:length] + b"\0" + garbage)
    assert data.startswith(content)
    places = [one.kept for one in found.exchanges] if found else []
    assert places[: len([one for one in kept if one.end <= length])] == [one for one in kept if one.end <= length]


def test_records_of_another_file_that_lie_behind_the_end_are_not_taken_in(
    tmp_path: Path, killed: tuple[bytes, list[Kept]]
) -> None:
    data, kept = killed
    other, _ = left(tmp_path)
    found, content = mended(tmp_path, data[: kept[1].offset + 20] + other)
    assert found is not None
    assert [one.kept for one in found.exchanges] == kept[:1]
    assert data.startswith(content)


def test_a_stored_page_that_is_a_warc_file_is_one_page(tmp_path: Path, killed: tuple[bytes, list[Kept]]) -> None:
    inner, _ = killed
    store = RawStore.open(tmp_path, "night", software=SOFTWARE)
    kept = store.write(exchange(body=inner))
    store.close()
    data = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).unlink()
    for length in (len(data), kept.end):
        found, _ = mended(tmp_path, data[:length])
        assert found is not None
        assert [one.kept for one in found.exchanges] == [kept]
    assert mended(tmp_path, data[: kept.end - 1]) == (None, b"")


def test_damage_in_front_of_whole_records_takes_none_of_them(tmp_path: Path, killed: tuple[bytes, list[Kept]]) -> None:
    data, kept = killed
    place = kept[1].offset + kept[1].length // 2
    damaged = data[:place] + bytes(byte ^ 0xFF for byte in data[place : place + 8]) + data[place + 8 :]
    found, content = mended(tmp_path, damaged)
    assert content == damaged
    assert found is not None
    assert [one.kept for one in found.exchanges] == [kept[0], *kept[2:]]


def test_only_what_is_behind_the_noted_place_is_given(tmp_path: Path, killed: tuple[bytes, list[Kept]]) -> None:
    data, kept = killed
    for noted, place in enumerate(kept, start=1):
        found, content = mended(tmp_path, data, place.end)
        assert found is not None
        assert [one.kept for one in found.exchanges] == kept[noted:]
        assert content == data


def test_only_what_is_behind_the_noted_place_is_read(tmp_path: Path, killed: tuple[bytes, list[Kept]]) -> None:
    data, kept = killed
    # Were the stretch before the place read, it would be damage.
    gone = data[: kept[0].offset] + b"\0" * (kept[2].end - kept[0].offset) + data[kept[2].end :]
    found, content = mended(tmp_path, gone, kept[2].end)
    assert found is not None
    assert [one.kept for one in found.exchanges] == kept[3:]
    assert content == gone


def test_nothing_in_front_of_the_noted_place_is_cut(tmp_path: Path, killed: tuple[bytes, list[Kept]]) -> None:
    data, kept = killed
    found, content = mended(tmp_path, data[: kept[1].end + 30], kept[1].end)
    assert found is not None
    assert (found.exchanges, found.cut) == ((), 30)
    assert content == data[: kept[1].end]


def test_a_file_shorter_than_what_was_noted_is_read_as_a_whole(
    tmp_path: Path, killed: tuple[bytes, list[Kept]]
) -> None:
    data, kept = killed
    found, _ = mended(tmp_path, data[: kept[2].end], len(data) + 1)
    assert found is not None
    assert [one.kept for one in found.exchanges] == kept[:3]


def test_a_file_is_given_again_when_its_reader_did_not_come_back(
    tmp_path: Path, killed: tuple[bytes, list[Kept]]
) -> None:
    data, _ = killed
    (tmp_path / f"{FILE}.open").write_bytes(data[:-3])
    first = next(recover(tmp_path))
    assert (tmp_path / f"{FILE}.open").exists()
    (second,) = recover(tmp_path)
    assert (second.exchanges, second.cut) == (first.exchanges, 0)
    assert (tmp_path / FILE).exists()
    assert list(recover(tmp_path)) == []


def test_a_name_that_is_taken_is_said_to_be(tmp_path: Path, killed: tuple[bytes, list[Kept]]) -> None:
    (tmp_path / f"{FILE}.open").write_bytes(killed[0])
    (tmp_path / FILE).write_bytes(b"")
    with pytest.raises(SetupError, match="move one of them away"):
        list(recover(tmp_path))


class PowerCutError(BaseException):
    """Nothing runs any more."""


def test_what_one_sync_covered_survives_a_power_cut_at_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, log = os.fsync, tmp_path / "synced.txt"
    calls = last = 0

    def fsync(handle: int) -> None:
        nonlocal calls
        calls += 1
        if calls == last:
            raise PowerCutError
        real(handle)
        note_sync(log, handle)

    monkeypatch.setattr(os, "fsync", fsync)
    for last in range(1, 100):
        folder, calls, safe = tmp_path / f"{last}" / "raw", 0, []
        folder.parent.mkdir()
        log.write_text("")
        store = None
        try:
            store = RawStore.open(folder, "2026/night", software=SOFTWARE, max_bytes=6_000)
            written = []
            for number in range(24):
                written.append(store.write(exchange(number)))
                if number % 3 == 2:
                    store.sync()
                    safe = list(written)
            store.close()
        except PowerCutError:
            if store is not None and store._file is not None:
                store._file.close()
            take_what_was_not_synced(folder, log, random.Random(last))  # noqa: S311  no secret
            calls = -1_000
            found = [one.kept for file in recover(folder) for one in file.exchanges]
            for kept in safe:
                data = (folder / kept.file).read_bytes()
                assert kept in found or kept.record_id.encode() in gzip.decompress(data[kept.offset : kept.end])
            for path in folder.rglob("*.warc.gz"):
                assert by_warcio(path.read_bytes())
        else:
            break
    assert last > 30


WRITES_UNTIL_KILLED = """
import sys
from itertools import count
from pathlib import Path
from raw_exchanges import PAGE, SOFTWARE, exchange
from ingest.crawl.raw_store import RawStore

store = RawStore.open(Path(sys.argv[1]), "night", software=SOFTWARE, max_bytes=40_000)
for number in count():
    kept = store.write(exchange(number, PAGE + bytes(str(number), "ascii") * 300))
    print(number, kept.file, kept.offset, flush=True)
"""


def test_a_crawl_that_is_killed_loses_nothing_that_it_had_kept(tmp_path: Path) -> None:
    path = os.pathsep.join(filter(None, sys.path))
    with subprocess.Popen(
        [sys.executable, "-c", WRITES_UNTIL_KILLED, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    ) as crawl:
        assert crawl.stdout is not None
        said = [crawl.stdout.readline().split() for _ in range(100)]
        crawl.send_signal(signal.SIGKILL)
        said += [line.split() for line in crawl.stdout if line.endswith("\n")]
    found = [one for file in recover(tmp_path) for one in file.exchanges]
    assert [[one.url.rpartition("/")[2], one.kept.file, f"{one.kept.offset}"] for one in found][: len(said)] == said
    assert len(found) - len(said) <= 1
    for file in tmp_path.iterdir():
        assert by_warcio(file.read_bytes())
        by_fastwarc(file.read_bytes())
