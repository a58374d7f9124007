"""What ``babelwire explain`` shows of a document, and that no document can make it show anything else."""

import gzip
import io
import json
import re
import subprocess
import zipfile
from base64 import b64encode
from hashlib import sha256
from html import escape
from pathlib import Path

import lxml.html
import pytest
from headless import CHROMIUM, HEADLESS
from samples import SEEDS, samples

from ingest.cli import main
from ingest.explain import as_html, choose, write_text
from ingest.sources import Limits, find_inputs
from normalize.explain import Explanation, explain
from normalize.options import DocumentOptions
from normalize.path import run_document
from schemas.document import Article, RawDocument, Rejected
from schemas.errors import SetupError

Captured = pytest.CaptureFixture[str]
LIMANI = SEEDS / "pages" / "el-limani.html"
OPTIONS = DocumentOptions()

SCRIPT = "<script>alert(1)</script>"
IMAGE = '"><img src=x onerror=alert(1)>'
OVERRIDE = "\N{RIGHT-TO-LEFT OVERRIDE}"


def explained(path: Path, member: str | None = None) -> Explanation:
    return explain(choose(find_inputs([str(path)]), member, Limits()), OPTIONS)


def text_of(explanation: Explanation) -> str:
    stream = io.StringIO()
    write_text(explanation, stream)
    return stream.getvalue()


def hostile(address: str = "https://evil.example") -> bytes:
    """A page that tries everything in every place that is shown."""
    attack = escape(f"{SCRIPT} {IMAGE} {OVERRIDE}gpj.exe </title></style> \x1b[2J ", quote=True)
    story = f"The ferry came back to the quay on Monday, {attack} and everybody who had waited there since morning went aboard. "
    return f"""<!DOCTYPE html><html lang="{attack}"><head><title>{attack} title</title>
    <meta property="og:title" content="{attack} title"><meta name="author" content="Jane {attack}">
    <meta property="og:image" content="{address}/a.png"><meta property="og:url" content="javascript:{attack}">
    <script type="application/ld+json">{{"@type": "NewsArticle", "headline": "x</style><img src={address}/b.png>"}}</script>
    </head><body class="{attack}"><nav class="{attack}"><a href="javascript:alert(1)">{attack}</a></nav><article>
    <h1>{attack} title</h1><p class="{attack}">{story * 3}</p><p>{story * 4}</p>
    <figure><img src="{address}/c.png" alt="{attack}"><figcaption>{attack}</figcaption></figure>
    <p>{"harbour" * 80}</p></article></body></html>""".encode()


@pytest.fixture
def attack(tmp_path: Path) -> Path:
    path = tmp_path / "attack.html"
    path.write_bytes(hostile())
    return path


# ---- the document goes down the same road as in a run -------------------------------------------


def test_what_is_explained_is_what_a_run_gives() -> None:
    for sample in samples():
        if isinstance(sample.raw, RawDocument):
            assert explain(sample.raw, OPTIONS).outcome == run_document(sample.raw, OPTIONS), sample.name


def test_the_kept_blocks_are_the_text_of_the_record() -> None:
    found = explained(LIMANI)
    assert isinstance(found.outcome, Article)
    assert found.page is not None
    assert "\n\n".join(block.text for block in found.page.blocks if block.keep) == found.outcome.text


def test_a_field_names_who_said_it_and_who_said_otherwise() -> None:
    fields = {field.column.name: field for field in explained(LIMANI).fields}
    title = fields["title"]
    assert title.origin is not None
    assert title.origin.origin == "h1"
    assert [(other.claim.origin, other.agrees) for other in title.others] == [
        ("json-ld", True),
        ("meta", True),
        ("title-tag", False),
    ]
    assert fields["published_at"].note == "written to the second, zone +02:00"
    assert next(other for other in fields["published_at"].others if other.claim.origin == "meta").agrees


def test_a_page_without_text_has_no_blocks_but_a_reason() -> None:
    found = explained(SEEDS / "pages" / "fault-script-only.html")
    text = text_of(found)
    assert text.startswith("quarantine  extract/no_text: ")
    assert "charset         utf-8" in text
    assert "no blocks: it did not come that far" in text


def test_a_page_of_boilerplate_shows_which_rule_took_each_block(tmp_path: Path) -> None:
    path = tmp_path / "only.html"
    path.write_text(
        "<html><p>Share on Facebook</p><p>Advertisement</p><p>© 2026 The Daily Example. All rights reserved.</p></html>"
    )
    found = explained(path)
    assert isinstance(found.outcome, Rejected)
    assert (found.outcome.stage, found.outcome.reason) == ("clean", "only_boilerplate")
    assert found.page is not None
    assert [block.role for block in found.page.blocks] == ["share", "ad", "legal"]


def test_a_row_that_is_no_document_is_shown_with_its_reason() -> None:
    text = text_of(explained(SEEDS / "pages" / "wire.jsonl", "4"))
    assert text.startswith("quarantine  source/bad_row: row 4: ")
    assert re.search(r"^  bytes +from \d+, \d+ long$", text, re.MULTILINE)


# ---- choosing one document of several -----------------------------------------------------------


def chosen(path: Path, member: str | None) -> str | None:
    document = choose(find_inputs([str(path)]), member, Limits())
    return document.source_member or document.url


@pytest.mark.parametrize("member", ["w-0002", "https://wire.example/item/w-0002", "2"])
def test_a_row_is_chosen_by_id_address_or_number(member: str) -> None:
    assert chosen(SEEDS / "pages" / "wire.jsonl", member) == "w-0002"


RECORD_ID = "5b1f6a3e-7d0e-4c55-9a3c-3f1f2f9b1c11"


def warc(path: Path, *addresses: str) -> Path:
    """Write one response for each address; the first has the record id above."""
    members = []
    for number, address in enumerate(addresses):
        body = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><p>Page {number}</p></html>".encode()
        name = RECORD_ID if number == 0 else RECORD_ID[:-2] + f"{number:02}"
        head = (
            f"WARC/1.1\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:{name}>\r\nWARC-Target-URI: {address}\r\n"
            f"WARC-Date: 2026-01-07T06:00:00Z\r\nContent-Type: application/http; msgtype=response\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        members.append(gzip.compress(head.encode() + body + b"\r\n\r\n"))
    path.write_bytes(b"".join(members))
    return path


@pytest.mark.parametrize("member", [RECORD_ID, f"<urn:uuid:{RECORD_ID}>", f"urn:uuid:{RECORD_ID.upper()}"])
def test_a_warc_record_is_chosen_by_its_id_in_any_dress(tmp_path: Path, member: str) -> None:
    path = warc(tmp_path / "a.warc.gz", "https://a.example/1", "https://a.example/2")
    assert chosen(path, member) == "https://a.example/1"


def test_an_address_that_was_fetched_twice_is_chosen_by_number(tmp_path: Path) -> None:
    path = warc(tmp_path / "a.warc.gz", "https://a.example/1", "https://a.example/2", "https://a.example/2")
    with pytest.raises(SetupError, match="2 documents are called") as caught:
        chosen(path, "https://a.example/2")
    assert str(caught.value).splitlines()[1:] == ["    2  https://a.example/2", "    3  https://a.example/2"]
    assert chosen(path, "3") == "https://a.example/2"


def test_a_member_of_an_archive_is_chosen_by_its_name_and_a_name_wins_over_a_number(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "pages.zip", "w") as archive:
        archive.writestr("b/one.txt", "The first page of the archive.")
        archive.writestr("1", "The second page has a number for a name.")
    assert chosen(tmp_path / "pages.zip", "b/one.txt") == "b/one.txt"
    assert chosen(tmp_path / "pages.zip", "1") == "1"
    assert chosen(tmp_path / "pages.zip", "2") == "1"


def test_several_documents_are_counted_and_the_first_ten_listed(tmp_path: Path, capsys: Captured) -> None:
    rows = [json.dumps({"id": f"r{number}\x1b[2J", "text": "The ferry is late."}) for number in range(1, 14)]
    (tmp_path / "rows.jsonl").write_text("\n".join(rows))
    assert main(["explain", str(tmp_path / "rows.jsonl")]) == 2
    out, talk = capsys.readouterr()
    assert out == ""
    lines = talk.splitlines()
    assert "holds 13; choose one with --member:" in lines[0]
    assert lines[1] == "    1  r1⟨U+001B⟩[2J"
    assert lines[10].startswith("   10  r10")
    assert lines[11:] == ["  ... and 3 more"]


def test_several_files_are_not_read_to_say_that_they_are_several(tmp_path: Path, capsys: Captured) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("page")
    assert main(["explain", str(tmp_path)]) == 2
    assert "these are 2 files" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["nowhere.html"], [str(LIMANI), "--member", "other"], ["nowhere.html", "--html"]]
)
def test_what_is_not_there_is_a_usage_error(arguments: list[str], capsys: Captured) -> None:
    assert main(["explain", *arguments]) == 2
    out, talk = capsys.readouterr()
    assert out == ""
    assert talk.startswith("babelwire: ")


def test_an_archive_without_documents_says_so(tmp_path: Path, capsys: Captured) -> None:
    with zipfile.ZipFile(tmp_path / "none.zip", "w") as archive:
        archive.mkdir("empty")
    assert main(["explain", str(tmp_path / "none.zip")]) == 2
    assert "holds no document" in capsys.readouterr().err


# ---- as text ------------------------------------------------------------------------------------


def test_shown_is_0_for_a_record_and_for_a_rejected_document(capsys: Captured) -> None:
    assert main(["explain", str(LIMANI)]) == 0
    assert capsys.readouterr().out.startswith("record  article in el ")
    assert main(["explain", str(SEEDS / "pages" / "fault-script-only.html"), "--html"]) == 0
    assert capsys.readouterr().out.startswith("<!DOCTYPE html>")


def test_a_pipe_gets_whole_lines_without_colour() -> None:
    found = explained(LIMANI)
    assert found.page is not None
    lines = text_of(found).splitlines()
    blocks = lines[-len(found.page.blocks) :]
    for line, block in zip(blocks, found.page.blocks, strict=True):
        assert line.startswith("+ " if block.keep else "- ")
        assert block.role in line
        assert block.rule in line
        assert line.endswith(" ".join(block.text.split()))
    assert not any("\x1b" in line or "…" in line for line in lines[: -len(blocks)])


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_lines_of_its_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "72")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    stream = Terminal()
    write_text(explained(LIMANI), stream)
    assert "\x1b[" in stream.getvalue()
    plain = re.sub(r"\x1b\[[\d;]*m", "", stream.getvalue()).splitlines()
    assert max(map(len, plain)) <= 72
    assert any(line.endswith("…") for line in plain)


def test_a_hostile_text_cannot_drive_the_terminal_or_turn_its_lines(attack: Path) -> None:
    text = text_of(explained(attack))
    assert "\x1b" not in text
    assert OVERRIDE not in text
    assert "⟨U+202E⟩gpj.exe" in text


# ---- as a page ----------------------------------------------------------------------------------


def test_the_page_has_no_script_no_address_and_no_image(attack: Path) -> None:
    page = as_html(explained(attack))
    tree = lxml.html.document_fromstring(page)
    tags = {element.tag for element in tree.iter() if isinstance(element.tag, str)}
    assert not tags & {"script", "img", "link", "iframe", "object", "embed", "form", "base", "svg"}
    for element in tree.iter("*"):
        for name, value in element.attrib.items():
            assert name not in {"src", "srcset", "style", "action", "data", "ping"}, element.tag
            assert not name.startswith("on"), element.tag
            assert name != "href" or value.startswith("#"), value
    assert len(tree.findall(".//style")) == 1
    assert SCRIPT in tree.text_content()
    assert IMAGE in tree.text_content()


def test_what_turns_or_hides_text_is_a_visible_mark(attack: Path) -> None:
    page = as_html(explained(attack))
    assert OVERRIDE not in page
    assert "\x1b" not in page
    assert '<span class="mark">U+202E</span>gpj.exe' in page


def test_the_joiners_that_words_are_spelt_with_stay(tmp_path: Path) -> None:
    path = tmp_path / "fa.txt"
    path.write_text("می\u200cخواهم این پل را دوباره ببینم و از آن بگذرم، چون سال‌هاست که بسته است.", "utf-8")
    assert "می\u200cخواهم" in as_html(explained(path))


def test_the_policy_allows_the_one_style_sheet_and_nothing_else() -> None:
    page = as_html(explained(LIMANI))
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert policy
    assert style
    digest = b64encode(sha256(style[1].encode()).digest()).decode()
    assert policy[1] == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_every_block_is_on_the_page_once_in_order_with_a_sign_and_a_word() -> None:
    found = explained(LIMANI)
    assert found.page is not None
    tree = lxml.html.document_fromstring(as_html(found))
    items = {element.get("id"): element for element in tree.iter("li") if (element.get("id") or "").startswith("b")}
    assert list(items) == [f"b{number}" for number in range(1, len(found.page.blocks) + 1)]
    for item, block in zip(items.values(), found.page.blocks, strict=True):
        assert item.find_class("text")[0].text_content() == block.text
        assert item.find_class("text")[0].get("dir") == "auto"
        fold = next(item.iterancestors("details"), None)
        assert (fold is None) == block.keep
        signed = item if fold is None else fold.find("summary")
        assert signed is not None
        assert signed.text_content().startswith("+kept: " if block.keep else "\N{MINUS SIGN}removed: ")
        assert block.role in signed.text_content()


def test_every_field_of_the_record_is_on_the_page() -> None:
    found = explained(LIMANI)
    tree = lxml.html.document_fromstring(as_html(found))
    shown = " ".join(tree.xpath("//dl//text()"))
    for field in found.fields:
        assert field.column.name in shown


def test_the_same_document_gives_the_same_page() -> None:
    assert as_html(explained(LIMANI)) == as_html(explained(LIMANI))


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_every_sample_can_be_shown(sample: object) -> None:
    raw = sample.raw  # type: ignore[attr-defined]
    found = explain(raw, OPTIONS)
    assert text_of(found)
    lxml.html.document_fromstring(as_html(found))


# ---- in a browser -------------------------------------------------------------------------------


#: Shows the page in a frame as wide as a phone with everything open, and writes down how wide it is. A frame's srcdoc can
#: be measured from outside, so that the page itself needs no script.
FRAME = """<!DOCTYPE html><meta charset="utf-8"><body><iframe id="frame" style="width: 390px; height: 800px; border: 0" srcdoc="{page}">
</iframe><p id="width"></p><script>
addEventListener("load", () => {{
  const page = document.getElementById("frame").contentDocument;
  for (const fold of page.querySelectorAll("details")) fold.open = true;
  const {{ scrollWidth, clientWidth }} = page.documentElement;
  document.getElementById("width").textContent = `${{scrollWidth - clientWidth}} beyond the edge`;
}});
</script>"""


@pytest.mark.skipif(CHROMIUM is None, reason="needs a chromium in the PATH")
def test_a_browser_asks_for_nothing_complains_of_nothing_and_never_scrolls_sideways(
    tmp_path: Path, asked: tuple[str, list[str]]
) -> None:
    address, paths = asked
    (tmp_path / "attack.html").write_bytes(hostile(address))
    page = as_html(explained(tmp_path / "attack.html"))
    assert f"{address}/c.png" in page
    (tmp_path / "frame.html").write_text(FRAME.format(page=escape(page)), "utf-8")
    shown = subprocess.run(
        [*HEADLESS, f"--user-data-dir={tmp_path / 'profile'}", (tmp_path / "frame.html").as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert '<p id="width">0 beyond the edge</p>' in shown.stdout
    assert "CONSOLE" not in shown.stderr
    assert paths == []
