"""From any record to the exact bytes it was made of: ``babelwire raw``."""

import csv
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest
import zstandard
from raw_exchanges import AT, SOFTWARE, STORY, exchange

from ingest.cli import main
from ingest.crawl.raw_store import RawStore
from ingest.raw import read_raw
from ingest.sources import KINDS, Limits
from schemas.errors import SetupError

ROOT = Path(__file__).parents[2]

Captured = pytest.CaptureFixture[bytes]


def page(name: str) -> bytes:
    """A page that no other is like; with letters outside of ASCII and a line end of Windows."""
    body = f"<p>Ο συντάκτης {name} έγραψε:</p>\r\n{STORY.replace('day', f'{name} day')}"
    return f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>{name}</title></head><body><article>{body}</article></body></html>'.encode()


def warc(*names: str, packed: bool = True) -> bytes:
    out = Path("made")
    with RawStore.open(out, "x", software=SOFTWARE) as store:
        for number, name in enumerate(names):
            headers = (("Content-Type", "text/html"), ("Content-Encoding", "gzip"))
            store.write(exchange(number, gzip.compress(page(name)), headers=headers))
        first = store.write(exchange(90, b""))
        store.write_revisit(exchange(91, b""), first, "https://nea-akti.example/90", AT)
    (path,) = out.iterdir()
    data = path.read_bytes()
    path.unlink()
    out.rmdir()
    return data if packed else gzip.decompress(data)


def zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(f"{name}.html", page(name))
    return out.getvalue()


def wacz(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("archive/data.warc.gz", warc(*names))
        archive.writestr("datapackage.json", "{}")
    return out.getvalue()


def tarred(*names: str, mode: str = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name in names:
            # Twice the same name: an archive that was added to.
            member = tarfile.TarInfo("page.html")
            member.size = len(page(name))
            archive.addfile(member, io.BytesIO(page(name)))
    return out.getvalue()


def rows(*names: str) -> list[dict[str, str]]:
    return [{"id": "same", "html": page(name).decode(), "url": f"https://nea-akti.example/{name}"} for name in names]


def table(*names: str) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, ["id", "html", "url"])
    writer.writeheader()
    writer.writerows(rows(*names))
    return out.getvalue().encode()


def parquet(*names: str) -> bytes:
    out = io.BytesIO()
    pl.DataFrame(rows(*names)).write_parquet(out)
    return out.getvalue()


def files() -> dict[str, bytes]:
    lines = "".join(json.dumps(row) + "\n" for row in rows("j1", "j2", "j3")).encode()
    text = "\n\n".join(
        f"On day {day} of the strike the ferry stayed at the quay, and nobody went aboard." for day in range(9)
    )
    return {
        "page.html": page("h1"),
        "packed.html.gz": gzip.compress(page("h2")),
        "story.txt": text.encode(),
        "rows.jsonl": lines,
        "rows.jsonl.gz": gzip.compress(lines.replace(b"j1", b"k1").replace(b"j2", b"k2").replace(b"j3", b"k3")),
        "rows.csv": table("c1", "c2"),
        "rows.parquet": parquet("p1", "p2"),
        "pages.zip": zipped("z1", "z2"),
        "pages.tar": tarred("t1", "t2"),
        "pages.tar.gz": tarred("u1", "u2", mode="w:gz"),
        "crawl.warc.gz": warc("w1", "w2", "w3"),
        "crawl.warc": warc("x1", "x2", packed=False),
        "crawl.warc.zst": zstandard.compress(warc("y1", "y2", packed=False)),
        "crawl.wacz": wacz("v1", "v2"),
        "saved.mhtml": mime(
            "m1", "From: <Saved by Blink>", "Snapshot-Content-Location: https://nea-akti.example/m1", form="related"
        ),
        "letter.eml": mime("e1", "From: desk@nea-akti.example", "Subject: Ferries", form="alternative"),
    }


def mime(name: str, *head: str, form: str) -> bytes:
    """Write a saved page (related) or a mail (alternative)."""
    lines = (*head, "MIME-Version: 1.0", f'Content-Type: multipart/{form}; boundary="b"', "")
    part = ("--b", "Content-Type: text/html; charset=utf-8", "")
    return "\r\n".join((*lines, *part, page(name).decode(), "--b--", "")).encode()


class Night(NamedTuple):
    articles: list[dict[str, Any]]
    quarantine: list[dict[str, Any]]

    def of(self, name: str) -> list[dict[str, Any]]:
        return [row for row in self.articles if row["source_uri"] == f"in/{name}"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with inputs of every kind and the output of a run over them."""
    folder = tmp_path_factory.mktemp("night")
    with chdir(folder):
        Path("in").mkdir()
        for name, data in files().items():
            Path("in", name).write_bytes(data)
        assert main(["run", "in", "--output", "out", "--to", "off", "--date", "2026-01-07", "--workers", "1"]) == 0
    return folder


@pytest.fixture
def night(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Night]:
    """Stand in that folder; what a test does to the inputs is undone."""
    monkeypatch.chdir(folder)
    before = {path: path.read_bytes() for path in Path("in").iterdir()}
    yield Night(*(pl.read_parquet(f"out/{name}/**/*.parquet").to_dicts() for name in ("articles", "quarantine")))
    for path, data in before.items():
        path.unlink(missing_ok=True)
        path.write_bytes(data)


def raw(capfd: Captured, *arguments: str) -> tuple[int, bytes, str]:
    capfd.readouterr()
    code = main(["raw", "out", *arguments])
    out, talk = capfd.readouterr()
    return code, out, talk.decode()


@pytest.fixture
def capfd(capfdbinary: Captured) -> Captured:
    """Output as bytes, since a page is no text."""
    return capfdbinary


def test_the_run_has_records_of_every_kind(night: Night) -> None:
    assert {row["source_kind"] for row in night.articles} == set(KINDS)
    assert {row["source_uri"] for row in night.articles} == {f"in/{name}" for name in files()}


def test_every_record_leads_to_the_bytes_it_was_made_of(night: Night, capfd: Captured) -> None:
    for row in night.articles:
        code, out, talk = raw(capfd, row["record_id"])
        assert (code, hashlib.sha256(out).hexdigest()) == (0, row["raw_sha256"]), talk
        assert talk.count("\n") == 1
        for part in (row["source_uri"], f"sha256 {row['raw_sha256']} ok"):
            assert part in talk
        for name in ("offset", "length", "member"):
            said, value = f"{name} {row[f'source_{name}']}", row[f"source_{name}"]
            assert (said in talk) == (value is not None)


def test_the_page_comes_as_the_server_sent_it(night: Night, capfd: Captured) -> None:
    row = night.of("crawl.warc.gz")[1]
    assert raw(capfd, row["record_id"])[1] == page("w2")


def test_a_record_as_stored_is_offset_and_length_of_its_file(night: Night, capfd: Captured) -> None:
    found = 0
    for row in (one for one in night.articles if one["source_length"] is not None):
        code, out, talk = raw(capfd, row["record_id"], "--record")
        assert code == 0, talk
        data = Path(row["source_uri"]).read_bytes()
        assert out == data[row["source_offset"] :][: row["source_length"]]
        assert "ok" in talk
        found += 1
    assert found >= 10
    first = night.of("crawl.warc.gz")[0]
    record = gzip.decompress(raw(capfd, first["record_id"], "--record")[1])
    assert first["warc_record_id"].encode() in record.partition(b"\r\n\r\n")[0]


def test_a_file_that_is_one_page_is_its_own_record(night: Night, capfd: Captured) -> None:
    (row,) = night.of("packed.html.gz")
    assert raw(capfd, row["record_id"], "--record")[1] == Path("in/packed.html.gz").read_bytes()


@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet", "rows.jsonl.gz", "pages.zip", "crawl.warc.zst"])
def test_what_is_packed_with_others_has_no_record_of_its_own(night: Night, capfd: Captured, name: str) -> None:
    code, out, talk = raw(capfd, night.of(name)[0]["record_id"], "--record")
    assert (code, out) == (2, b"")
    assert name in talk
    assert "leave --record out" in talk


def test_other_names_of_a_document_find_it_too(night: Night, capfd: Captured) -> None:
    row = night.of("crawl.warc.gz")[2]
    bare = row["warc_record_id"].removeprefix("<urn:uuid:").removesuffix(">")
    for name in (row["raw_sha256"], row["warc_record_id"], bare, bare.upper(), f" {row['record_id'].upper()} "):
        assert raw(capfd, name)[1] == page("w3")


def test_a_quarantined_page_is_found_by_its_digest(tmp_path: Path, capfd: Captured) -> None:
    with chdir(tmp_path):
        Path("in.html").write_bytes(b"<html><body></body></html>")
        assert main(["run", "in.html", "--output", "out", "--to", "off", "--workers", "1"]) == 0
        (row,) = pl.read_parquet("out/quarantine/**/*.parquet").to_dicts()
        assert raw(capfd, row["raw_sha256"])[:2] == (0, b"<html><body></body></html>")


def test_what_could_not_be_read_is_given_as_it_is_stored(night: Night, capfd: Captured) -> None:
    row = next(row for row in night.quarantine if row["reason"] == "empty" and row["source_uri"] == "in/crawl.warc.gz")
    code, out, talk = raw(capfd, row["warc_record_id"])
    assert (code, out) == (2, b"")
    assert "empty" in talk
    assert "--record" in talk
    code, out, talk = raw(capfd, row["warc_record_id"], "--record")
    assert code == 0
    assert row["warc_record_id"].encode() in gzip.decompress(out)
    assert "no sha256 to check" in talk


# ---- what goes wrong ------------------------------------------------------------------------------


def test_an_unknown_name_is_said_to_be(night: Night, capfd: Captured) -> None:
    for name in ("0" * 32, "", "%", "<urn:uuid:>"):
        code, out, talk = raw(capfd, name)
        assert (code, out) == (2, b"")
        assert "babelwire query" in talk
    assert night.articles


def test_a_name_of_several_documents_lists_them(tmp_path: Path, capfd: Captured) -> None:
    with chdir(tmp_path):
        for number, name in enumerate(("a", "b")):
            with RawStore.open(Path("raw"), name, software=SOFTWARE) as store:
                store.write(exchange(number, page(name)))
        for path in Path("raw").iterdir():
            data = gzip.decompress(path.read_bytes())
            start = data.index(b"WARC-Type: response\r\nWARC-Record-ID: <urn:uuid:") + 47
            path.with_suffix("").write_bytes(data.replace(data[start : start + 36], b"0" * 36))
            path.unlink()
        assert main(["run", "raw", "--output", "out", "--to", "off", "--workers", "1"]) == 0
        code, out, talk = raw(capfd, "0" * 36)
        assert (code, out) == (2, b"")
        for name in ("a", "b"):
            assert hashlib.sha256(page(name)).hexdigest() in talk
            assert f"raw/{name}-00000.warc, offset" in talk


def test_a_file_that_is_gone_is_named_with_what_to_do(night: Night, capfd: Captured) -> None:
    row = night.of("crawl.warc.gz")[0]
    Path("in/crawl.warc.gz").unlink()
    code, out, talk = raw(capfd, row["record_id"])
    assert (code, out) == (2, b"")
    assert '"in/crawl.warc.gz"' in talk
    assert "bring it back, or go to the folder" in talk


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_is_closed_to_us_is_not_called_changed(night: Night, capfd: Captured) -> None:
    row = night.of("page.html")[0]
    Path("in/page.html").chmod(0)
    code, _, talk = raw(capfd, row["record_id"])
    assert (code, "check your rights" in talk) == (2, True)


CHANGED = {
    "page.html": page("qq"),
    "rows.jsonl": (json.dumps(rows("qq")[0]) + "\n").encode(),
    "rows.csv": table("qq"),
    "rows.parquet": parquet("qq"),
    "pages.zip": zipped("qq").replace(b"qq.html", b"z1.html"),
    "pages.tar": tarred("qq"),
}


@pytest.mark.parametrize("name", CHANGED)
def test_a_changed_file_is_told_from_the_right_one_by_both_digests(night: Night, capfd: Captured, name: str) -> None:
    row = night.of(name)[0]
    Path("in", name).write_bytes(CHANGED[name])
    code, out, talk = raw(capfd, row["record_id"])
    assert (code, out) == (2, b"")
    for part in (f"in/{name}", row["raw_sha256"], hashlib.sha256(page("qq")).hexdigest(), "the file has changed"):
        assert part in talk


def test_a_warc_whose_records_moved_is_not_read_beside_them(night: Night, capfd: Captured) -> None:
    row = night.of("crawl.warc.gz")[1]
    data = Path("in/crawl.warc.gz").read_bytes()
    for changed in (data[: row["source_offset"]], data[7:], b"", gzip.compress(b"x") + data):
        Path("in/crawl.warc.gz").write_bytes(changed)
        code, out, talk = raw(capfd, row["record_id"])
        assert (code, out) == (2, b"")
        assert row["raw_sha256"] in talk


def test_a_warc_is_read_at_the_place_and_nowhere_else(night: Night, capfd: Captured) -> None:
    row = night.of("crawl.warc.gz")[2]
    data = bytearray(Path("in/crawl.warc.gz").read_bytes())
    first = night.of("crawl.warc.gz")[0]
    start = first["source_offset"]
    data[start : row["source_offset"]] = bytes(row["source_offset"] - start)
    Path("in/crawl.warc.gz").write_bytes(data)
    assert raw(capfd, row["record_id"])[1] == page("w3")


def test_a_document_that_was_moved_is_found_where_a_later_run_saw_it(tmp_path: Path, capfd: Captured) -> None:
    with chdir(tmp_path):
        Path("old").mkdir()
        Path("old/a.warc.gz").write_bytes(warc("w1"))
        again = ["--output", "out", "--to", "off", "--workers", "1", "--fresh"]
        assert main(["run", "old", *again, "--date", "2026-01-07"]) == 0
        Path("old").rename("new")
        assert main(["run", "new", *again, "--date", "2026-01-08"]) == 0
        name = pl.read_parquet("out/articles/**/*.parquet")["record_id"].unique().item()
        for place in ("new", "old"):
            code, out, talk = raw(capfd, name)
            assert (code, out) == (0, page("w1"))
            assert f"{place}/a.warc.gz" in talk
            if place == "new":
                Path("new").rename("old")


def test_standard_input_was_not_kept(tmp_path: Path, capfd: Captured) -> None:
    command = [sys.executable, "-m", "ingest", "run", "-", "--output", "out", "--to", "off", "--workers", "1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=tmp_path, input=page("s1"), env=environment, capture_output=True, check=True)
    with chdir(tmp_path):
        name = pl.read_parquet("out/articles/**/*.parquet")["record_id"].item()
        code, _, talk = raw(capfd, name)
    assert (code, "standard input" in talk) == (2, True)


def test_limits_that_are_too_small_are_not_called_a_change(night: Night) -> None:
    row = night.of("page.html")[0]
    with pytest.raises(SetupError, match=r"too_large.*\[limits\]"):
        read_raw(Path("out"), row["record_id"], Limits(max_bytes=100))


def test_a_folder_that_is_no_output_is_said_to_be(tmp_path: Path, capfd: Captured) -> None:
    with chdir(tmp_path):
        code, _, talk = raw(capfd, "0" * 32)
    assert (code, "out is not a folder" in talk) == (2, True)


def test_what_a_member_is_called_cannot_drive_the_terminal(tmp_path: Path, capfd: Captured) -> None:
    with chdir(tmp_path):
        with zipfile.ZipFile("a.zip", "w") as archive:
            archive.writestr("\x1b[2J\N{RIGHT-TO-LEFT OVERRIDE}.html", page("z9"))
        assert main(["run", "a.zip", "--output", "out", "--to", "off", "--workers", "1"]) == 0
        name = pl.read_parquet("out/articles/**/*.parquet")["record_id"].item()
        code, out, talk = raw(capfd, name)
    assert (code, out) == (0, page("z9"))
    assert talk.rstrip("\n").isprintable()
