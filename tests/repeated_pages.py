"""The evaluation pages many times over, as WARC files: as many pages of as many hosts as a night has.

Each time they come from other hosts, under names of the same length, and their longer texts have other words beside each
other, so that they are other texts to whoever looks for copies: the words are shuffled, which keeps their language, their
number and the markup around them, and so what a page costs. As on a real night one page in 20 is another's text word for
word, as with stories of agencies, and one in 20 has little changed. What stands word for word on two pages of a host (a notice at
the foot) still does. All of it is the same every time it is made.
"""

import random
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from urllib.parse import urlsplit

from fastwarc.warc import ArchiveIterator, WarcRecordType

#: A page in so many is a copy, and a page in so many nearly one.
COPY_IN = 20

#: Of the texts of a page that is nearly a copy, one in so many is changed.
CHANGED_IN = 20

#: Bytes of a text between two tags from which on it counts as longer.
LONGER = 40

#: What only looks like text.
CODE = (b"script", b"style")

SPACES = re.compile(rb"(\s+)")

#: Some pages were kept under a name instead of an address: the day, the host and a digest.
NAMED = re.compile(r"urn:.*_(?P<host>[\w.-]+)_(?P<digest>\w+)")

#: Fewer words than this are a button or a heading, which sites share.
LEAST_WORDS = 8

#: Letters that are shuffled together where there are no spaces between words.
PIECE = 3

#: Fast, as reading is what counts; the files become a fifth larger than usual.
LEVEL = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One page of an evaluation set."""

    url: str
    fetched: str
    record: str
    #: The HTTP answer, head and body.
    answer: bytes


def kept_pages(folder: Path) -> list[Kept]:
    """Read all pages of the evaluation sets, sorted and then mixed so that each stretch has some of every set."""
    pages = []
    for warc in sorted(folder.glob("*.warc.gz")):
        with warc.open("rb") as file:
            for record in ArchiveIterator(file, record_types=WarcRecordType.response, parse_http=False):
                headers = record.headers
                pages.append(
                    Kept(
                        url=NAMED.sub(r"http://\g<host>/\g<digest>", headers["WARC-Target-URI"]),
                        fetched=headers["WARC-Date"],
                        record=headers["WARC-Record-ID"],
                        answer=record.reader.read(),
                    )
                )
    random.Random(0).shuffle(pages)  # noqa: S311  (not a secret)
    return pages


def write_warcs(folder: Path, pages: Sequence[Kept], *, number: int, per_file: int) -> list[Path]:
    """Write so many pages, of which the first time round is as it was kept, into files of so many each."""
    records = islice(
        (_record(page, place, turn) for turn in count() for place, page in enumerate(pages)),
        number,
    )
    files: list[Path] = []
    while part := list(islice(records, per_file)):
        files.append(folder / f"pages-{len(files):05}.warc.gz")
        files[-1].write_bytes(b"".join(part))
    return files


def _record(page: Kept, place: int, turn: int) -> bytes:
    """Give the WARC record of a page, as one gzip member."""
    url, answer = page.url, page.answer
    if turn:
        answer = _other_words(answer, turn, changed_in=_changed_in(place, turn))
        name = urlsplit(url).hostname or ""
        other = _other_host(name, turn)
        url = url.replace(name, other)
        answer = answer.replace(name.encode(), other.encode())
    head = (
        "WARC/1.1\r\nWARC-Type: response\r\n"
        f"WARC-Record-ID: {page.record[:-1]}-{turn}>\r\nWARC-Date: {page.fetched}\r\nWARC-Target-URI: {url}\r\n"
        f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(answer)}\r\n\r\n"
    )
    packer = zlib.compressobj(LEVEL, wbits=31)
    return packer.compress(head.encode() + answer + b"\r\n\r\n") + packer.flush()


def _changed_in(place: int, turn: int) -> int | None:
    """Say of how many texts of a page one is changed; None for a copy."""
    match (place + turn) % COPY_IN:
        case 0:
            return None
        case 1:
            return CHANGED_IN
        case _:
            return 1


def _other_host(name: str, turn: int) -> str:
    """Give a host of its own for each time round, as long as the name was.

    >>> _other_host("www.example.org", 38)
    'www.examp12.org'
    """
    labels = name.split(".")
    longest = max(range(len(labels)), key=lambda number: len(labels[number]))
    digits = _base36(turn)
    labels[longest] = labels[longest][: -len(digits)] + digits
    return ".".join(labels)


def _base36(number: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    return digits[number // 36 % 36] + digits[number % 36]


def _other_words(answer: bytes, turn: int, *, changed_in: int | None) -> bytes:
    """Shuffle the words of one in so many longer texts of a page; the answer stays as long as it was."""
    if changed_in is None:
        return answer
    parts = answer.split(b"<")
    code: bytes | None = None
    for number, part in enumerate(parts):
        if code:
            code = None if part[: len(code) + 1].lower() == b"/" + code else code
            continue
        tag, closed, text = part.partition(b">")
        code = next((name for name in CODE if tag[: len(name)].lower() == name), None)
        if len(text) >= LONGER and closed and not code:
            # The same text is shuffled the same way on every page.
            seed = zlib.crc32(text) + turn
            if seed % changed_in == 0:
                parts[number] = tag + closed + _shuffled(text, random.Random(seed))  # noqa: S311
    return b"<".join(parts)


def _shuffled(text: bytes, dice: random.Random) -> bytes:
    parts = SPACES.split(text)
    words = parts[::2]
    if len(words) >= LEAST_WORDS:
        dice.shuffle(words)
        parts[::2] = words
        return b"".join(parts)
    return _shuffled_letters(text, dice)


def _shuffled_letters(text: bytes, dice: random.Random) -> bytes:
    """Shuffle a long text without words: Chinese, Japanese, Thai."""
    try:
        letters = text.decode()
    except UnicodeDecodeError:
        return text
    if len(letters) * 2 > len(text) or len(letters) < LEAST_WORDS * PIECE:
        return text
    pieces = [letters[start : start + PIECE] for start in range(0, len(letters), PIECE)]
    dice.shuffle(pieces)
    return "".join(pieces).encode()
