import csv
import gzip
import io

import pytest

from ingest.sources import Limits
from schemas.document import Discovered

from source_outcomes import Read, documents, rejections, summary, the_document, the_rejection


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
@pytest.mark.parametrize("name", ["a.csv", "noname"])
def test_rows_come_in_order_whatever_parts_the_columns(read: Read, delimiter: str, name: str) -> None:
    rows = [["ID", "Title", "Text"]]
    rows += [[f"n{n}", f"T,;|\t{n}", f'line "one"\nline, two; {n}'] for n in range(5)]
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    outcomes = read(name, out.getvalue().encode())
    assert summary(outcomes) == [f"n{n}" for n in range(5)]
    for page, row in zip(documents(outcomes), rows[1:], strict=True):
        assert (page.content.decode(), page.source_kind) == (row[2], "csv")
        assert page.discovered == Discovered(title=row[1])


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
def test_tables_saved_by_office_programs_are_read(read: Read, codec: str) -> None:
    # U+0A0A and U+200A have the byte 0A inside: it ends no line.
    data = "text\turl\r\nКарта ਊ \u200a\thttps://e.org/1\r\nДва\t\r\n".encode(codec)
    first, second = documents(read("a.tsv", data))
    assert (first.content.decode(), first.url) == ("Карта ਊ \u200a", "https://e.org/1")
    assert (second.content.decode(), second.url) == ("Два", None)


def test_a_header_without_text_is_no_table(read: Read) -> None:
    assert the_document(read("a.csv", b"name,age\nx,1\n")).source_kind == "text"


def test_an_article_that_begins_with_text_is_no_table(read: Read) -> None:
    page = the_document(read("a.txt", b"Text, Foto: Anna Muster\n\nEs war einmal."))
    assert page.source_kind == "text"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("3,b", "2 columns, the header has 3: '3,b'"),
        ("3,b,c,d", "4 columns, the header has 3"),
        ('3,b,"x" y', "not CSV"),
        ("3,b,", "no text and no html"),
    ],
)
def test_a_broken_row_is_rejected_and_reading_goes_on(read: Read, line: str, said: str) -> None:
    data = f"id,title,text\n1,a,before\n{line}\n4,d,after\n"
    outcomes = read("a.csv", data.encode())
    assert summary(outcomes) == ["1", "bad_row", "4"]
    assert rejections(outcomes)[0].detail.startswith("row 2: ")
    assert said in rejections(outcomes)[0].detail
    assert rejections(outcomes)[0].source_member == "2"


def test_a_quote_that_is_never_closed_costs_one_row(read: Read) -> None:
    data = 'id,text\n1,a\n2,"open\n3,c\n4,d\n'
    assert summary(read("a.csv", data.encode())) == ["1", "bad_row", "3", "4"]


def test_quotes_that_each_run_to_the_end_of_the_file_keep_the_reader_no_longer_than_the_file_is(read: Read) -> None:
    # Read again from each line on, these would be five billion lines.
    lines = 100_000
    outcomes = read("a.csv", b"id,text\n" + b'x","\n' * lines + b"7,sound\n")
    assert summary(outcomes) == ["bad_row"] * lines + ["7"]


def test_a_row_that_is_not_utf8_is_rejected(read: Read) -> None:
    outcomes = read("a.csv", b"id,text\n1,caf\xe9\n2,b\n")
    assert summary(outcomes) == ["bad_row", "2"]
    assert "not UTF-8: byte 0xe9" in rejections(outcomes)[0].detail


def test_a_field_longer_than_the_csv_module_likes_is_read(read: Read) -> None:
    text = "long " * 100_000
    assert the_document(read("a.csv", f"id,text\n1,{text}\n".encode())).content == text.encode()


def test_a_row_over_the_limit_is_rejected(read: Read) -> None:
    data = f"id,text\n1,{'x' * 200}\n2,{'y' * 2_000_000}\n3,c\n"
    outcomes = read("a.csv", data.encode(), Limits(max_bytes=100))
    assert summary(outcomes) == ["too_large", "too_large", "3"]


def test_blank_lines_are_no_rows(read: Read) -> None:
    assert summary(read("a.csv", b"\xef\xbb\xbfurl,text\n\nu,a\n\nv,b")) == ["1", "2"]


def test_a_table_of_one_column_is_known_by_its_name(read: Read) -> None:
    assert summary(read("a.csv", b"text\nfirst\nsecond\n")) == ["1", "2"]


def test_a_packed_table_is_read(read: Read) -> None:
    assert summary(read("a.csv.gz", gzip.compress(b"id,html\n7,<p>x\n"))) == ["7"]


def test_a_table_without_rows_holds_nothing(read: Read) -> None:
    assert read("a.csv", b"id,text\n") == []


def test_an_empty_table_is_empty(read: Read) -> None:
    assert the_rejection(read("a.csv", b"")).reason == "empty"
