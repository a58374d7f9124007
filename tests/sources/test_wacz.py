"""WACZ packages: what their list of pages names is given, what does not have its digest is not."""

import gzip
import hashlib
import io
import json
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from ingest.sources import Limits, find_inputs, read_input

from source_outcomes import Read, documents, noise, rejections, summary, the_rejection, warc_of

SITE = "https://harbour.example"
STORY = "<html><p>The night ferry sails again."
ANSWERS = [
    ("/ferry", "200 OK", "text/html", STORY),
    ("/ferry.css", "200 OK", "text/css", "p { color: navy }"),
    ("/frame", "200 OK", "text/html", "<html><p>An advertisement in a frame."),
    ("/old", "301 Moved Permanently", "text/html", ""),
    ("/pier?id=7", "200 OK", "text/html", "<html><p>The pier opens in May."),
]
LIST = [
    {"format": "json-pages-1.0", "id": "pages", "title": "All pages"},
    {"id": "1", "url": f"{SITE}/ferry#top", "ts": "2026-01-07T08:00:00Z", "title": "Night ferry"},
    {"id": "2", "url": f"{SITE}/old", "ts": "2026-01-07T08:01:00Z", "title": "Pier opens"},
]


def crawl(answers: list[tuple[str, str, str, str]] = ANSWERS) -> bytes:
    """A WARC as a browser's crawl writes it: pages, and what was fetched for them."""
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=True)
    for number, (path, status, mime, body) in enumerate(answers):
        headers = [("Content-Type", mime)]
        if status.startswith("3"):
            headers.append(("Location", "/pier?id=7"))
        record = writer.create_warc_record(
            f"{SITE}{path}",
            "response",
            payload=io.BytesIO(body.encode()),
            http_headers=StatusAndHeaders(status, headers, protocol="HTTP/1.1"),
            warc_headers_dict={"WARC-Date": f"2026-01-07T08:00:0{number % 10}Z"},
        )
        writer.write_record(record)
        record.raw_stream.close()
    return out.getvalue()


def jsonl(rows: list[dict[str, str]]) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def package(
    members: dict[str, bytes], *, stated: dict[str, str] | None = None, seal: str | None = None, method: int = 0
) -> bytes:
    """Pack members as a WACZ with its manifest; ``stated`` and ``seal`` put other digests than the right ones."""
    resources = [
        {"name": name.rpartition("/")[2], "path": name, "hash": digest(data), "bytes": len(data)}
        for name, data in members.items()
    ]
    for path, value in (stated or {}).items():
        resources = [one for one in resources if one["path"] != path] + [{"path": path, "hash": value}]
    manifest = json.dumps({"profile": "data-package", "wacz_version": "1.1.1", "resources": resources}).encode()
    sealed = json.dumps({"path": "datapackage.json", "hash": seal or digest(manifest)}).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data, method if name.startswith("archive/") else zipfile.ZIP_DEFLATED)
        archive.writestr("datapackage.json", manifest)
        archive.writestr("datapackage-digest.json", sealed)
    return out.getvalue()


def collection(**other: bytes) -> dict[str, bytes]:
    return {
        "archive/data.warc.gz": other.get("warc", crawl()),
        "indexes/index.cdx.gz": gzip.compress(b"example,harbour)/ferry 20260107080000 {}\n"),
        "pages/pages.jsonl": other.get("pages", jsonl(LIST)),
    }


def test_the_pages_of_the_list_are_given_with_their_titles_and_nothing_else(read: Read) -> None:
    outcomes = read("a.wacz", package(collection()))
    pages = documents(outcomes)
    assert [(page.url, page.discovered and page.discovered.title) for page in pages] == [
        (f"{SITE}/ferry", "Night ferry"),
        (f"{SITE}/pier?id=7", "Pier opens"),  # where the listed address sent its reader
    ]
    # The redirect is a page of the list, and has no text.
    assert [(one.reason, one.url) for one in rejections(outcomes)] == [("empty", f"{SITE}/old")]


def test_a_stored_warc_is_read_in_its_place(read: Read) -> None:
    data = package(collection())
    for page in documents(read("a.wacz", data)):
        assert (page.source_kind, page.source_member) == ("wacz", "archive/data.warc.gz")
        assert page.source_offset is not None
        assert page.source_length is not None
        record = gzip.decompress(data[page.source_offset :][: page.source_length])
        assert record.startswith(b"WARC/1")
        assert record.rstrip(b"\r\n").endswith(page.content)


def test_a_packed_warc_is_unpacked_and_has_no_places(read: Read) -> None:
    outcomes = read("a.wacz", package(collection(), method=zipfile.ZIP_DEFLATED))
    assert [page.url for page in documents(outcomes)] == [f"{SITE}/ferry"]
    assert {(one.source_offset, one.source_length) for one in outcomes} == {(None, None)}


@pytest.mark.parametrize("pages", [b"", jsonl(LIST[:1])])
def test_without_a_list_of_pages_all_html_is_given(read: Read, pages: bytes) -> None:
    members = collection(pages=pages)
    if not pages:
        del members["pages/pages.jsonl"]
    outcomes = read("a.wacz", package(members))
    assert [page.url for page in documents(outcomes)] == [f"{SITE}/ferry", f"{SITE}/frame", f"{SITE}/pier?id=7"]


def test_the_pages_of_further_lists_count(read: Read) -> None:
    members = collection()
    members["pages/extraPages.jsonl"] = jsonl([{"url": f"{SITE}/frame", "ts": "2026-01-07T08:00:00Z"}])
    assert f"{SITE}/frame" in [page.url for page in documents(read("a.wacz", package(members)))]


def test_a_page_that_no_warc_holds_is_said_to_be_missing(read: Read) -> None:
    rows = [*LIST, {"url": f"{SITE}/gone", "ts": "2026-01-07T08:00:00Z"}]
    rejection = rejections(read("a.wacz", package(collection(pages=jsonl(rows)))))[-1]
    assert (rejection.reason, rejection.url) == ("missing", f"{SITE}/gone")


def test_a_line_of_the_list_that_is_no_json_costs_no_more_than_itself(read: Read) -> None:
    outcomes = read("a.wacz", package(collection(pages=b"{broken\n" + jsonl(LIST))))
    assert (len(documents(outcomes)), summary(outcomes)[0]) == (2, "bad_row")


def test_a_warc_without_its_digest_gives_both_digests_and_no_documents(read: Read) -> None:
    wrong = digest(b"another file")
    members = collection() | {"archive/more.warc.gz": warc_of([STORY])}
    members["pages/pages.jsonl"] += jsonl([{"url": "https://example.org/0", "ts": "2024-05-01T08:00:00Z"}])
    outcomes = read("a.wacz", package(members, stated={"archive/data.warc.gz": wrong}))
    assert [page.source_member for page in documents(outcomes)] == ["archive/more.warc.gz"]
    rejection = rejections(outcomes)[0]
    assert (rejection.reason, rejection.source_member) == ("digest", "archive/data.warc.gz")
    assert wrong in rejection.detail
    assert digest(members["archive/data.warc.gz"]) in rejection.detail


def test_a_list_of_pages_without_its_digest_is_not_believed(read: Read) -> None:
    outcomes = read("a.wacz", package(collection(), stated={"pages/pages.jsonl": digest(b"")}))
    assert (summary(outcomes)[0], len(documents(outcomes))) == ("digest", 3)


def test_a_manifest_that_is_not_the_sealed_one_refuses_the_package(read: Read) -> None:
    rejection = the_rejection(read("a.wacz", package(collection(), seal=digest(b"another manifest"))))
    assert (rejection.reason, rejection.source_kind) == ("digest", "wacz")
    assert digest(b"another manifest") in rejection.detail


def test_a_file_that_the_manifest_names_and_the_package_lacks_is_missing(read: Read) -> None:
    outcomes = read("a.wacz", package(collection(), stated={"archive/lost.warc.gz": digest(b"")}))
    first = rejections(outcomes)[0]
    assert (first.reason, first.source_member) == ("missing", "archive/lost.warc.gz")
    assert len(documents(outcomes)) == 2


@pytest.mark.parametrize(
    "manifest", [b"{", b"[]", b"[" * 200_000, b'{"resources": [1, {"path": 2, "hash": 3}]}', b"\xff"]
)
def test_a_manifest_that_says_nothing_leaves_the_documents(read: Read, manifest: bytes) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("datapackage.json", manifest)
        for name, data in collection().items():
            archive.writestr(name, data)
    assert len(documents(read("a.zip", out.getvalue()))) == 2


def test_it_is_known_by_its_content_and_a_zip_of_pages_is_none(read: Read) -> None:
    assert documents(read("download", package(collection())))[0].source_kind == "wacz"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("datapackage.json", "{}")
        archive.writestr("archive/page.html", STORY)
    assert {one.source_kind for one in read("a.zip", out.getvalue())} == {"zip"}


def test_a_package_without_warc_files_is_empty(read: Read) -> None:
    rejection = rejections(read("a.wacz", package({"pages/pages.jsonl": jsonl(LIST)})))[-1]
    assert rejection.reason == "empty"


def test_a_package_that_was_cut_off_gives_what_is_whole(read: Read) -> None:
    data = package(collection())
    outcomes = read("a.wacz", data[: data.index(b"indexes/")])
    assert (len(documents(outcomes)), summary(outcomes)[-1]) == (3, "truncated")
    middle = data.index(b"archive/") + 900
    outcomes = read("a.wacz", data[:middle])
    assert (len(documents(outcomes)), summary(outcomes)[-1]) == (1, "truncated")


def test_a_list_beyond_the_limit_is_read_up_to_there(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.sources.wacz._MOST_PAGES", 1)
    outcomes = read("a.wacz", package(collection()))
    assert ([page.url for page in documents(outcomes)], summary(outcomes)[0]) == ([f"{SITE}/ferry"], "too_large")


def test_an_address_longer_than_any_is_none(read: Read) -> None:
    rows = [*LIST, {"url": f"{SITE}/{'x' * 9_000}", "ts": "2026-01-07T08:00:00Z"}]
    assert "missing" not in summary(read("a.wacz", package(collection(pages=jsonl(rows)))))


def bomb() -> bytes:
    return package(collection(warc=b"\0" * 30_000_000), method=zipfile.ZIP_DEFLATED)


def shared() -> bytes:
    """A table of contents that names the same bytes hundreds of times."""
    data = package({f"archive/{number:03}.warc.gz": crawl() for number in range(300)})
    rows = data.index(b"PK\x01\x02")
    table = bytearray(data[rows:])
    at = 0
    while (at := table.find(b"PK\x01\x02", at)) >= 0:
        table[at + 42 : at + 46] = bytes(4)
        at += 4
    return data[:rows] + bytes(table)


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "a bomb": (bomb, "bomb"),
    "members that share their bytes": (shared, "damaged"),
    "noise for a WARC": (lambda: package(collection(warc=noise(1, 5_000))), "damaged"),
    "a list of lists": (lambda: package(collection(pages=b"[" * 300_000)), "bad_row"),
    "a list of odd rows": (
        lambda: package(collection(pages=b'{"url": "http://[", "ts": 7, "title": []}\n{"url": "\\ud800"}')),
        "missing",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_package_ends_in_rejections(read: Read, name: str) -> None:
    data, reason = HOSTILE[name][0](), HOSTILE[name][1]
    assert reason in summary(read("a.wacz", data))


def test_a_page_beyond_the_limit_is_too_large(read: Read) -> None:
    outcomes = read("a.wacz", package(collection()), Limits(max_bytes=30))
    assert [one.reason for one in rejections(outcomes)][:1] == ["too_large"]


SOUND = package(collection())


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(spot=st.floats(0, 1, exclude_max=True), junk=st.binary(max_size=20), cut=st.integers(0, 20))
def test_any_damage_ends_in_outcomes(
    tmp_path_factory: pytest.TempPathFactory, spot: float, junk: bytes, cut: int
) -> None:
    place = 4 + int(spot * (len(SOUND) - 4))
    path = tmp_path_factory.getbasetemp() / "damaged.wacz"
    path.write_bytes(SOUND[:place] + junk + SOUND[place + cut :])
    for one in read_input(find_inputs([str(path)])[0], Limits()):
        assert one.source_kind == "wacz"
