"""Bad input through the real command: what is wrong is said once, nothing is lost, and the rest of the night goes on."""

import gzip
import json
import os
import random
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import fake_steps
import pytest
from hostile import STORY, TITLE, gzip_bomb, json_ld, page, warc
from whole_runs import Ended, assert_closed, babelwire, run_folder

from ingest import run as run_module
from ingest import store
from ingest.cli import main

GOOD = page()
#: The memory that reading may take, whatever lies there, in MiB. The system counts that of the process which started
#: the command as well, so this is an upper bound; a run of one small page takes 136.
MOST_MEMORY = 1_500


def spanish(title: str) -> bytes:
    """A page whose every sentence has letters beyond ASCII."""
    body = (
        "<p>La niña cruzó el puente después de la tormenta y encontró su cometa en la otra orilla del río.</p>"
        "<p>El alcalde anunció que la reparación del camión de la biblioteca costará menos de lo que se temía.</p>"
    )
    return page(body, title=title)


def noise(size: int) -> bytes:
    return random.Random(7).randbytes(size)  # noqa: S311  (the same bytes every time, not a secret)


def broken_rows() -> bytes:
    rows = [
        json.dumps({"id": "first", "title": TITLE, "text": "\n\n".join(STORY)}).encode(),
        b'{"id": "cut", "text": "The ferry',
        b'{"id": "none"}',
        b"[1, 2, 3]",
        b'{"text": "caf\xe9 on the quay"}',
        b'{"text": 12}',
        b'{"text": "half a \\ud83d ship"}',
        b'{"deep": ' + b"[" * 100_000 + b"}",
        b"",
        json.dumps({"id": "last", "title": "Pier opens", "text": "\n\n".join(STORY[::-1])}).encode(),
    ]
    return b"\n".join(rows)


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]


WEB = [(f"https://harbour.example/{number}", page(title=f"Ferry number {number} sails again")) for number in range(6)]


def flipped_warc() -> bytes:
    members = warc(WEB)
    members[2] = flipped(members[2], len(members[2]) // 2)
    return b"".join(members)


def truncated_warc() -> bytes:
    return b"".join(warc(WEB))[:-100]


def warc_with_bomb() -> bytes:
    bomb = warc([("https://bomb.example/", gzip_bomb(GOOD))], encoding="gzip")
    return b"".join([*warc(WEB[:1]), *bomb, *warc(WEB[1:2])])


FILES: dict[str, Callable[[], bytes]] = {
    "a-good.html": lambda: GOOD,
    "zz-good.html": lambda: page(title="The last page of the night"),
    "empty.html": lambda: b"",
    "blank.html": lambda: b" \n\t\n" * 1_000,
    "picture.html": lambda: b"\x89PNG\r\n\x1a\n" + noise(50_000),
    "noise.html": lambda: noise(50_000),
    "cut.html.gz": lambda: gzip.compress(GOOD + noise(90_000).hex().encode(), mtime=0)[:-5_000],
    "flipped.html.gz": lambda: flipped(gzip.compress(GOOD + noise(90_000).hex().encode(), mtime=0), 40_000),
    "bomb.html.gz": lambda: gzip_bomb(GOOD),
    "cut.warc.gz": truncated_warc,
    "flipped.warc.gz": flipped_warc,
    "bomb.warc.gz": warc_with_bomb,
    "invalid-utf8.html": lambda: spanish("Un puente").replace("niña".encode(), b"ni\xffa"),
    "little-endian.html": lambda: spanish("Un puente pequeño").decode().encode("utf-16-le"),
    "big-endian.html": lambda: spanish("Un puente más grande").decode().encode("utf-16-be"),
    "nul.html": lambda: page(title="Ferry and zeros").replace(b"ferry", b"fer\0ry").replace(b"<p>", b"<p>\0"),
    "rows.jsonl": broken_rows,
    "script-only.html": lambda: (
        b"<html><head><title></title></head><body><script>draw('the story')</script></body></html>"
    ),
    "half-pairs.html": lambda: json_ld(
        '{"@type":"NewsArticle","headline":"Ferry \\ud800","author":"Jane \\udc00 Doe"}'
    ),
}


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """One run over all of it, with a page of 200 MB besides."""
    folder = tmp_path_factory.mktemp("night")
    (folder / "in").mkdir()
    for name, make in FILES.items():
        (folder / "in" / name).write_bytes(make())
    with (folder / "in" / "huge.html").open("wb") as file:
        file.write(GOOD)
        for _ in range(200):
            file.write(
                b"<p>One more line of the harbour log, written by nobody and read by no one at all.</p>\n" * 11_765
            )
    return run_folder("in", folder=folder)


def test_the_accounts_of_the_night_close(night: Ended) -> None:
    assert_closed(night)


def test_good_pages_beside_bad_ones_become_records(night: Ended) -> None:
    for name in ("a-good.html", "zz-good.html"):
        (row,) = night.of(name)
        assert row["text"] == "\n\n".join(STORY)


def test_memory_stays_bounded_whatever_lies_there(night: Ended) -> None:
    assert night.peak < MOST_MEMORY


REFUSED = [
    ("empty.html", "source", "empty", "no bytes"),
    ("blank.html", "decode", "empty", "4000 bytes, none of them text"),
    ("picture.html", "source", "binary", r"89 50 4e 47 \(PNG image\)"),
    ("noise.html", "source", "binary", "not text"),
    ("cut.html.gz", "source", "truncated", "ends too early"),
    ("flipped.html.gz", "source", "damaged", "."),
    ("bomb.html.gz", "source", "bomb", "more than 200 times as many"),
    ("huge.html", "source", "too_large", r"20\d{7} bytes > 20000000 bytes allowed"),
    ("script-only.html", "extract", "no_text", r"8\d bytes of html show no text"),
]


@pytest.mark.parametrize(("name", "stage", "reason", "detail"), REFUSED, ids=[case[0] for case in REFUSED])
def test_a_bad_file_is_one_row_of_the_quarantine(night: Ended, name: str, stage: str, reason: str, detail: str) -> None:
    (row,) = night.of(name)
    assert (row["stage"], row["reason"]) == (stage, reason), row
    assert re.search(detail, row["detail"]), row["detail"]
    assert "\n" not in row["detail"]


def titles(night: Ended, name: str) -> list[str]:
    return [row["title"] for row in night.of(name) if "title" in row]


def refusals(night: Ended, name: str) -> list[dict[str, str]]:
    return [row for row in night.of(name) if "reason" in row]


def test_a_warc_that_is_cut_off_gives_what_is_whole(night: Ended) -> None:
    assert titles(night, "cut.warc.gz") == [f"Ferry number {number} sails again" for number in range(5)]
    (row,) = refusals(night, "cut.warc.gz")
    assert (row["stage"], row["reason"]) == ("source", "truncated")


def test_a_flipped_byte_in_a_warc_costs_one_record(night: Ended) -> None:
    assert titles(night, "flipped.warc.gz") == [f"Ferry number {number} sails again" for number in (0, 1, 3, 4, 5)]
    (row,) = refusals(night, "flipped.warc.gz")
    assert (row["stage"], row["reason"]) == ("source", "damaged")


def test_a_bomb_in_a_warc_is_refused_by_its_address_and_its_neighbours_are_read(night: Ended) -> None:
    assert titles(night, "bomb.warc.gz") == [f"Ferry number {number} sails again" for number in (0, 1)]
    (row,) = refusals(night, "bomb.warc.gz")
    assert (row["reason"], row["url"]) == ("bomb", "https://bomb.example/")


def test_invalid_bytes_become_replacement_characters_and_are_counted(night: Ended) -> None:
    (row,) = night.of("invalid-utf8.html")
    assert "La ni\N{REPLACEMENT CHARACTER}a cruzó" in row["text"]
    assert row["text_fixes"] == ["undecodable_bytes x 1"]


@pytest.mark.parametrize(
    ("name", "charset", "title"),
    [
        ("little-endian.html", "utf-16-le", "Un puente pequeño"),
        ("big-endian.html", "utf-16-be", "Un puente más grande"),
    ],
)
def test_utf16_without_a_mark_is_read_right(night: Ended, name: str, charset: str, title: str) -> None:
    (row,) = night.of(name)
    assert (row["charset"], row["title"]) == (charset, title)
    assert "La niña cruzó el puente" in row["text"]
    assert "\0" not in row["text"]


def test_zeros_inside_words_are_taken_out_and_counted(night: Ended) -> None:
    (row,) = night.of("nul.html")
    assert row["text"] == "\n\n".join(STORY)
    assert row["text_fixes"] == ["drop_nul x 4"]


def test_broken_rows_are_named_by_their_number_and_sound_ones_read(night: Ended) -> None:
    assert [row["source_member"] for row in night.of("rows.jsonl") if "title" in row] == ["first", "last"]
    broken = refusals(night, "rows.jsonl")
    assert [row["detail"].partition(":")[0] for row in broken] == [f"row {number}" for number in range(2, 9)]
    assert {row["reason"] for row in broken} == {"bad_row"}


def test_half_of_a_utf16_pair_in_a_claim_harms_nobody(night: Ended) -> None:
    (row,) = night.of("half-pairs.html")
    assert row["authors"] == ["Jane \N{REPLACEMENT CHARACTER} Doe"]


# ---- faults of whoever starts it: one message, exit code 2 ----------------------------------------

FAULTS: dict[str, tuple[list[str], str]] = {
    "a missing path": (["run", "nowhere", "--output", "out"], '"nowhere" does not exist'),
    "an empty folder": (["run", "hollow", "--output", "out"], '"hollow" is a folder without files'),
    "a pattern without a match": (["run", "in/*.xml", "--output", "out"], r'"in/\*.xml" matches no file'),
    "an output below a device": (["run", "in", "--output", "/dev/null/x"], "/dev/null/x cannot be written"),
    "an output that is a file": (["run", "in", "--output", "in/good.html"], "in/good.html cannot be written"),
    "an output below a file": (["run", "in", "--output", "in/good.html/x"], "in/good.html/x cannot be written"),
    "an unknown table": (
        ["run", "in", "--output", "out", "--config", "table.toml"],
        r'"speed" is unknown; use one of: \[run\]',
    ),
    "an unknown key": (
        ["run", "in", "--output", "out", "--config", "key.toml"],
        '"wrokers" is unknown; use one of: chunk_size, workers',
    ),
    "a bad value": (
        ["run", "in", "--output", "out", "--config", "value.toml"],
        r"workers is 0; it must be from 1 to 1024",
    ),
    "a value of a wrong type": (
        ["run", "in", "--output", "out", "--config", "type.toml"],
        "max_depth is 'deep'; it must be a whole number",
    ),
    "a configuration that is no TOML": (
        ["run", "in", "--output", "out", "--config", "in/good.html"],
        "good.html: is not TOML",
    ),
    "a catalogue that is broken": (["run", "catalogue.toml", "--output", "out"], "catalogue.toml: "),
    "an unknown option": (["run", "in", "--output", "out", "--wrokers", "2"], "No such option: --wrokers"),
    "an unknown command": (["runn", "in"], "No such command 'runn'"),
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk")
    (folder / "in").mkdir()
    (folder / "hollow").mkdir()
    (folder / "in" / "good.html").write_bytes(GOOD)
    for name, text in {
        "table": "[speed]\nfast = true\n",
        "key": "[run]\nwrokers = 2\n",
        "value": "[run]\nworkers = 0\n",
        "catalogue": '[[source]]\nname = "The Quay"\n',
        "type": '[document]\nmax_depth = "deep"\n',
    }.items():
        (folder / f"{name}.toml").write_text(text)
    return folder


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_usage_is_one_message_and_exit_code_2(desk: Path, fault: str) -> None:
    arguments, message = FAULTS[fault]
    ended = babelwire(*arguments, folder=desk)
    assert (ended.code, "Traceback" in ended.talk) == (2, False), ended.talk
    assert re.search(message, ended.talk), ended.talk
    assert sum("babelwire: " in line or "Error: " in line for line in ended.talk.splitlines()) == 1
    assert not ended.output.exists()


# ---- a disk without room --------------------------------------------------------------------------


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of its own with room for no more than a few kilobytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24k", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("may not mount a disk here; the test below stands in for it")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path, tiny_disk: Path) -> None:
    (tmp_path / "good.html").write_bytes(GOOD)
    ended = babelwire("run", "good.html", "--output", tiny_disk / "out", folder=tmp_path)
    assert ended.code == 75, ended.talk
    assert "no space left on the disk" in ended.talk
    assert "Traceback" not in ended.talk
    assert [path.name for path in (tiny_disk / "out").iterdir()] == [".lock"]


def test_wherever_the_disk_gets_full_the_run_is_there_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    # What is tested is the writing; the real steps would only take longer to get there.
    monkeypatch.setattr(run_module, "real_steps", lambda: fake_steps.STEPS)
    Path("in.jsonl").write_text('{"text": "harbour"}\n{"text": "REFUSE"}\n{"text": "ferry"}\n')
    sync = os.fsync
    for allowed in range(100):
        left = iter(range(allowed))

        def full(handle: int) -> None:
            if next(left, None) is None:  # noqa: B023  (used within this turn only)
                raise OSError(28, "No space left on device")
            sync(handle)

        monkeypatch.setattr(os, "fsync", full)
        code = main(["run", "in.jsonl", "--output", "out", "--date", "2026-01-08", "--workers", "1"])
        monkeypatch.setattr(os, "fsync", sync)
        talk = capsys.readouterr().err
        if code != 75:
            break
        assert "no space left on the disk" in talk
        # Between the two renames of a commit a reader may see one folder; the next start makes it whole.
        with store.Store.open(Path("out")):
            pass
        runs, parts = list(Path("out").glob("runs/*.json")), list(Path("out").glob("a*/**/*.parquet"))
        assert len(runs) == len(parts)
        if runs:
            code = main(["run", "in.jsonl", "--output", "out", "--date", "2026-01-08", "--workers", "1"])
            break
    assert allowed > 5
    assert code in {0, 5}
