import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.sources import Limits, find_inputs, read_input
from schemas.document import Discovered, RawDocument

from source_outcomes import Read, documents, rejections, summary, the_document, the_rejection


def lines(*rows: object) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def test_a_row_says_what_it_knows(read: Read) -> None:
    row = {
        "ID": "n-1",
        "URL": "https://example.org/a",
        "Title": "Título",
        "published": "1 de maio",
        "fetched_at": "2024-05-01T10:00:00+02:00",
        "text": "Olá, mundo.",
    }
    page = the_document(read("a.jsonl", lines(row)))
    assert page.content == "Olá, mundo.".encode()
    assert (page.media, page.charset, page.source_kind) == ("text", "utf-8", "jsonl")
    assert (page.source_member, page.url) == ("n-1", "https://example.org/a")
    assert page.discovered == Discovered(title="Título", published="1 de maio")
    assert page.fetched_at == datetime(2024, 5, 1, 8, tzinfo=UTC)


def test_html_wins_over_text(read: Read) -> None:
    page = the_document(read("a.jsonl", lines({"text": "x", "html": "<p>x"})))
    assert (page.media, page.content) == ("html", b"<p>x")


def test_rows_without_id_are_numbered_from_one_in_file_order(read: Read) -> None:
    data = lines(*({"text": f"t{n}"} for n in range(1, 31)))
    outcomes = read("a.jsonl", data)
    assert summary(outcomes) == [str(n) for n in range(1, 31)]
    assert [one.content for one in documents(outcomes)] == [b"t%d" % n for n in range(1, 31)]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2024-05-01T08:00:00Z", datetime(2024, 5, 1, 8, tzinfo=UTC)),
        ("2024-05-01 08:00", datetime(2024, 5, 1, 8, tzinfo=UTC)),
        ("last Tuesday", None),
        ("0001-01-01T00:00:00+14:00", None),
        (None, None),
        (5, None),
    ],
)
def test_fetched_at_is_utc_and_never_costs_the_row(read: Read, written: object, meant: datetime | None) -> None:
    row = {"text": "x", "fetched_at": written}
    assert the_document(read("a.jsonl", lines(row))).fetched_at == meant


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"text": "x"', "not JSON"),
        (b"[1, 2]", "not a JSON object: [1, 2]"),
        (b"null", "not a JSON object: None"),
        (b'{"note": "x", "page": {}}', "no text and no html; it has 'note, page'"),
        (b'{"text": null}', "no text and no html"),
        (b'{"text": 12}', '"text" is int, not a string: 12'),
        (b'{"html": ["x"]}', '"html" is list'),
        (b'{"text": "a\\ud800b"}', "lone surrogate at character 1"),
        (b'{"text": "x", "title": "\\udfff"}', '"title" has a lone surrogate'),
        (b'{"text": "x", "url": {}}', '"url" is dict'),
        (b'{"text": "caf\xe9"}', "not UTF-8: byte 0xe9 at 13"),
        (b"[" * 100_000, "not JSON"),
        (b'{"text": "x", "n": ' + b"9" * 5000 + b"}", "not JSON"),
        (b'{"text": "' + b"x" * 500 + b'" "', "x" * 60),
    ],
)
def test_a_broken_row_is_rejected_and_reading_goes_on(read: Read, line: bytes, said: str) -> None:
    data = lines({"text": "before"}) + line + b"\n" + lines({"text": "after"})
    before, broken, after = read("a.jsonl", data)
    assert isinstance(before, RawDocument)
    assert isinstance(after, RawDocument)
    assert (before.content, after.content) == (b"before", b"after")
    rejection = the_rejection([broken])
    assert (rejection.reason, rejection.source_member) == ("bad_row", "2")
    assert rejection.detail.startswith("row 2: ")
    assert said in rejection.detail
    assert len(rejection.detail) < 300


def test_an_empty_text_is_empty(read: Read) -> None:
    assert the_rejection(read("a.jsonl", lines({"text": ""}))).reason == "empty"


def test_a_broken_first_row_does_not_change_the_kind(read: Read) -> None:
    data = b'{"text": broken\n' + lines({"text": "after"})
    assert summary(read("a.jsonl", data)) == ["bad_row", "2"]
    assert summary(read("b.jsonl", b"broken\n" + lines({"text": "after"}))) == ["bad_row", "2"]


def test_a_row_over_the_limit_is_rejected_and_reading_goes_on(read: Read) -> None:
    data = lines({"text": "x" * 200}, {"text": "after"})
    outcomes = read("a.jsonl", data, Limits(max_bytes=100))
    assert summary(outcomes) == ["too_large", "2"]
    assert rejections(outcomes)[0].detail == "row 1: 200 bytes > 100 bytes allowed"


def test_a_line_of_endless_length_is_passed_over(read: Read) -> None:
    data = lines({"text": "a"}, {"text": "x" * 3_000_000}, {"text": "after"})
    outcomes = read("a.jsonl", data, Limits(max_bytes=100))
    assert summary(outcomes) == ["1", "too_large", "3"]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\n\n"])
def test_offset_and_length_lead_to_the_row(read: Read, mark: bytes, end: bytes) -> None:
    data = mark + lines({"text": "é"}, {"text": "b"}, {"text": "c"}).replace(b"\n", end)
    for page in documents(read("a.jsonl", data)):
        assert page.source_offset is not None
        assert page.source_length is not None
        row = data[page.source_offset : page.source_offset + page.source_length]
        assert json.loads(row)["text"].encode() == page.content


def test_a_packed_file_has_rows_without_places(read: Read) -> None:
    outcomes = read("a.jsonl.gz", gzip.compress(lines({"text": "a"}, {"text": "b"})))
    assert [one.source_offset for one in documents(outcomes)] == [None, None]


def test_a_packed_file_cut_off_gives_its_rows_and_one_rejection(read: Read) -> None:
    data = gzip.compress(lines(*({"text": f"text {n * n * 7919}"} for n in range(20_000))))
    outcomes = read("a.jsonl.gz", data[: len(data) // 2])
    assert len(documents(outcomes)) > 5000
    assert summary(outcomes)[-1] == "truncated"
    assert len(rejections(outcomes)) == 1


def test_rows_are_read_only_as_they_are_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines(*({"text": f"{n} " * 500} for n in range(3000))))
    rows = read_input(find_inputs([str(path)])[0], Limits())
    assert next(rows).source_member == "1"
    with path.open("r+b") as file:
        file.truncate(2_000_000)
    assert 1 < len(list(rows)) < 1500


class TestArrays:
    @pytest.mark.parametrize("indent", [None, 2])
    @pytest.mark.parametrize("name", ["a.json", "noname"])
    def test_an_array_gives_its_elements_in_order(self, read: Read, name: str, indent: int | None) -> None:
        rows = [{"text": f'say "{n}" ]}}, {{[', "id": n, "tags": [[1], {"a": 2}]} for n in range(9)]
        data = json.dumps(rows, indent=indent).encode()
        outcomes = read(name, data)
        assert summary(outcomes) == [str(n) for n in range(9)]
        for page, row in zip(documents(outcomes), rows, strict=True):
            assert page.content.decode() == row["text"]
            assert page.source_offset is not None
            assert page.source_length is not None
            begin, end = page.source_offset, page.source_offset + page.source_length
            assert json.loads(data[begin:end]) == row

    def test_one_object_over_many_lines_is_one_row(self, read: Read) -> None:
        data = json.dumps({"text": "a\nb", "id": 7}, indent=4).encode()
        assert the_document(read("a.json", data)).source_member == "7"

    def test_a_broken_element_costs_only_itself(self, read: Read) -> None:
        data = b'[{"text": "a"}, {"text": nope}, 5, {"text": "\xff"}, {"text": "d"}]'
        assert summary(read("a.json", data)) == ["1", "bad_row", "bad_row", "bad_row", "5"]

    def test_an_array_cut_off_gives_what_is_whole(self, read: Read) -> None:
        data = json.dumps([{"text": "a"}, {"text": "b"}, {"text": "c" * 50}]).encode()[:-20]
        assert summary(read("a.json", data)) == ["1", "2", "truncated"]

    def test_elements_longer_than_one_gulp_are_whole(self, read: Read) -> None:
        rows = [{"text": 'x\\"' * 100_000}, {"text": "y" * 300_000}, {"text": "z"}]
        outcomes = read("a.json", json.dumps(rows).encode())
        assert [len(one.content) for one in documents(outcomes)] == [300_000, 300_000, 1]

    def test_an_element_over_the_limit_is_rejected(self, read: Read) -> None:
        rows = [{"text": "a"}, {"x": ["y" * 1000] * 2000, "text": "b"}, {"text": "c"}]
        outcomes = read("a.json", json.dumps(rows).encode(), Limits(max_bytes=100))
        assert summary(outcomes) == ["1", "too_large", "3"]

    def test_an_empty_array_holds_nothing(self, read: Read) -> None:
        assert read("a.json", b"[\n]\n") == []
