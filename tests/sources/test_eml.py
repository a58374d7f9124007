"""Newsletters as mail: the letter itself, its subject and its times; what else a message carries is left alone."""

import gzip
import mailbox
from contextlib import closing
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.sources import Limits, find_inputs, read_input
from ingest.sources.mime import words
from normalize.decode import decode
from normalize.options import DocumentOptions
from normalize.path import run_document
from schemas.document import Article, Discovered

from source_outcomes import Read, documents, noise, summary, the_document, the_rejection

HTML = "<html><body><h1>Travessia reabre amanhã</h1><p>O barco volta a sair do cais às seis.</p></body></html>"
TEXT = "O barco volta a sair do cais às seis.\n"
SUBJECT = "Travessia reabre amanhã, diz o porto da ilha depois de onze meses de obras no cais do norte"
SENT = "Wed, 07 Jan 2026 08:00:00 +0200"


def letter(*, html: str | None = HTML, text: str | None = TEXT, number: int = 1) -> EmailMessage:
    message = EmailMessage()
    message["Received"] = "from a.example by b.example with ESMTP id 1; Wed, 07 Jan 2026 06:00:09 +0000"
    message["Received"] = "from out.example by a.example; Wed, 07 Jan 2026 06:00:02 +0000"
    message["From"] = '"Jornal do Porto" <carta@porto.example>'
    message["To"] = "leitor@example.org"
    message["Subject"] = SUBJECT
    message["Date"] = SENT
    message["Message-ID"] = f"<{number}@porto.example>"
    message["List-Archive"] = "<https://porto.example/arquivo>"
    if text is not None:
        message.set_content(text)
    if html is not None and text is not None:
        message.add_alternative(html, subtype="html", cte="base64")
    elif html is not None:
        message.set_content(html, subtype="html", charset="iso-8859-1", cte="quoted-printable")
    return message


def with_attachments() -> bytes:
    message = letter()
    message.add_attachment(b"<html><p>A bill.</p>", maintype="text", subtype="html", filename="bill.html")
    message.add_attachment(noise(1, 5_000), maintype="image", subtype="png", filename="a.png")
    return message.as_bytes()


@pytest.mark.parametrize("name", ["a.eml", "download"])
def test_the_html_of_a_message_is_the_document(read: Read, name: str) -> None:
    page = the_document(read(name, with_attachments()))
    assert (page.source_kind, page.media, page.content.decode().strip()) == ("eml", "html", HTML)
    assert page.discovered == Discovered(title=SUBJECT, published=SENT, guid="1@porto.example")
    # When the last host had it, not the first.
    assert page.fetched_at == datetime(2026, 1, 7, 6, 0, 9, tzinfo=UTC)


def test_nobody_is_taken_for_publisher_and_no_address_is_followed(read: Read) -> None:
    page = the_document(read("a.eml", with_attachments()))
    assert (page.publisher, page.url) == (None, None)


def test_a_message_of_text_alone_is_text(read: Read) -> None:
    page = the_document(read("a.eml", letter(html=None).as_bytes()))
    assert (page.media, page.content.decode()) == ("text", TEXT)


def test_without_a_way_it_took_it_was_fetched_when_it_was_sent(read: Read) -> None:
    message = letter()
    del message["Received"]
    assert the_document(read("a.eml", message.as_bytes())).fetched_at == datetime(2026, 1, 7, 6, tzinfo=UTC)


def test_the_charset_of_the_part_decides(read: Read) -> None:
    decoded = decode(the_document(read("a.eml", letter(text=None).as_bytes())), DocumentOptions())
    assert (decoded.charset, decoded.charset_source) == ("cp1252", "http")
    assert "amanhã" in decoded.text


@pytest.mark.parametrize("charset", ["unknown-8bit", "x-nothing", "hex"])
def test_a_charset_that_is_none_does_not_cost_the_letter(read: Read, charset: str) -> None:
    data = letter(text=None).as_bytes().replace(b"iso-8859-1", charset.encode(), 1)
    assert "amanhã" in decode(the_document(read("a.eml", data)), DocumentOptions()).text


def test_a_forwarded_letter_is_read_where_there_is_no_other_text(read: Read) -> None:
    message = EmailMessage()
    message["From"], message["Subject"], message["Message-ID"] = "x@example.org", "Fwd", "<2@example.org>"
    message.add_attachment(letter())
    page = the_document(read("a.eml", message.as_bytes()))
    assert page.content.decode().strip() == HTML
    assert page.discovered is not None
    assert page.discovered.title == "Fwd"


def test_a_message_whose_boundary_got_lost_is_read_all_the_same(read: Read) -> None:
    message = letter()
    message.set_boundary("cut-here")
    data = message.as_bytes().replace(b'; boundary="cut-here"', b"")
    assert b"boundary" not in data
    assert the_document(read("a.eml", data)).content.decode().strip() == HTML


def test_a_letter_becomes_an_article(read: Read) -> None:
    html = HTML.replace("</p>", f" {'O porto diz que tudo está pronto para a primeira viagem da noite. ' * 9}</p>")
    article = run_document(the_document(read("a.eml", letter(html=html).as_bytes())), DocumentOptions())
    assert isinstance(article, Article)
    assert (article.title, article.language.tag) == (SUBJECT, "pt")
    assert article.published is not None
    assert article.published.at == datetime(2026, 1, 7, 6, tzinfo=UTC)


def box(folder: Path) -> bytes:
    path = folder / "made.mbox"
    with closing(mailbox.mbox(path)) as made:
        for number in range(3):
            text = f"Carta {number}.\n\nFrom the pier to the island at 08:00 2026\n\n>From here on all is quoted.\n"
            message = mailbox.mboxMessage(letter(html=None, text=text, number=number))
            message.set_from("carta@porto.example Wed Jan  7 08:00:00 2026")
            made.add(message)
    return path.read_bytes()


@pytest.mark.parametrize("name", ["a.mbox", "Inbox"])
def test_each_message_of_a_mailbox_has_its_place(read: Read, tmp_path: Path, name: str) -> None:
    data = box(tmp_path)
    pages = documents(read(name, data))
    assert [page.source_member for page in pages] == ["1", "2", "3"]
    end = 0
    for number, page in enumerate(pages):
        assert page.source_offset == end
        assert page.source_length is not None
        end += page.source_length
        whole = data[page.source_offset : end]
        assert whole.startswith(b"From carta@porto.example")
        assert f"<{number}@porto.example>".encode() in whole
        # The line that the mailbox had to quote is as it was written.
        assert "\nFrom the pier" in page.content.decode()
    assert end == len(data)


def test_a_packed_mailbox_has_no_places(read: Read, tmp_path: Path) -> None:
    pages = documents(read("a.mbox.gz", gzip.compress(box(tmp_path))))
    assert [(page.source_member, page.source_offset) for page in pages] == [("1", None), ("2", None), ("3", None)]


def test_a_message_over_the_limit_costs_no_more_than_itself(read: Read, tmp_path: Path) -> None:
    data = box(tmp_path)
    second = data.index(b"\nFrom carta", 9) + 1
    large = b"From x Wed Jan  7 08:00:00 2026\nFrom: x\n\n" + b"x" * 2_000_000 + b"\n\n"
    outcomes = read("a.mbox", data[:second] + large + data[second:], Limits(max_bytes=1_000))
    assert summary(outcomes) == ["1", "too_large", "3", "4"]


@pytest.mark.parametrize(
    "text",
    [
        b"From: the harbour\nTo: the island\n\nA poem about the sea.",
        b"Note: this begins like a header.\nBut it goes on as a text does.\n",
        b"From the pier one sees the island.\nAt 08:00 the ferry sails.",
    ],
)
def test_a_text_that_begins_like_a_message_is_a_text(read: Read, text: bytes) -> None:
    assert the_document(read("a.txt", text)).source_kind == "text"


def forwarded(levels: int) -> bytes:
    head = "From: a@example.org\nMessage-ID: <1@example.org>\nContent-Type: message/rfc822\n\n"
    return (head * levels).encode() + letter().as_bytes()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (forwarded(5_000), "empty"),
        (letter(html=None, text="").as_bytes(), "empty"),
        (b"From: x\nMessage-ID: <1>\nContent-Type: text/html\n\n" + noise(1, 4_000), "binary"),
        (b"From: x\nMessage-ID: <1>\nContent-Type: application/pdf\n\n%PDF-", "empty"),
        (b"From: x\nMessage-ID: <1>\nSubject: " + b"=?utf-8?q?" * 100_000, "damaged"),
    ],
    ids=["deep", "nothing", "noise", "a document", "a long subject"],
)
def test_a_message_without_a_letter_is_one_rejection(read: Read, data: bytes, reason: str) -> None:
    rejection = the_rejection(read("a.eml", data))
    assert (rejection.source_kind, rejection.reason) == ("eml", reason)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("=?ISO-8859-1?Q?Not=EDcias?= da ilha", "Notícias da ilha"),
        ("=?utf-8?B?4pg=?= =?utf-8?B?gCBzb2w=?=", "☀ sol"),  # cut inside of a character
        ("=?x-nothing?q?caf=C3=A9?=", "café"),
        ("=?utf-8?b?????=", "=?utf-8?b?????="),
        ("=?koi8-r?B?8M/S1A==?=", "Порт"),
    ],
)
def test_encoded_words_are_read_as_far_as_they_go(written: str, meant: str) -> None:
    assert words(written) == meant


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(spot=st.floats(0, 1, exclude_max=True), junk=st.binary(max_size=20), cut=st.integers(0, 40))
@pytest.mark.parametrize("kind", ["letter", "box"])
def test_any_damage_ends_in_outcomes(
    tmp_path_factory: pytest.TempPathFactory, kind: str, spot: float, junk: bytes, cut: int
) -> None:
    data = with_attachments() if kind == "letter" else BOX
    place = int(spot * len(data))
    path = tmp_path_factory.getbasetemp() / "damaged.eml"
    path.write_bytes(data[:place] + junk + data[place + cut :])
    assert list(read_input(find_inputs([str(path)])[0], Limits()))


@given(st.text(max_size=200))
def test_any_subject_can_be_read(written: str) -> None:
    words(f"=?utf-8?q?{written}?= {written}").encode()


BOX = b"".join(
    b"From carta Wed Jan  7 08:00:00 2026\n" + letter(number=number).as_bytes() + b"\n\n" for number in range(2)
)
