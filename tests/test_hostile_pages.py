"""Whatever bytes arrive, a document becomes a record that keeps the schema, or one row that says why not."""

import random
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache

import pytest
from hostile import PAGES
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from samples import SEEDS
from whole_runs import Ended, assert_closed, run_folder

from normalize.options import DocumentOptions
from normalize.path import run_document
from schemas.document import Article, RawDocument, Rejected
from schemas.record import COLUMNS, QUARANTINE_COLUMNS, RunStamp, articles_to_frame, problems, rejected_to_frame

STAMP = RunStamp(run_id="0123456789abcdef", run_date=date(2026, 1, 8), config_sha256="0" * 64)
FETCHED = datetime(2026, 1, 8, 3, 0, tzinfo=UTC)

# ---- pages made to choke something, down the whole road -------------------------------------------

#: Seconds that one page may take on two busy cores; a third of the limit that holds by default.
SECONDS = 10


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """One run over every hostile page, each in a file of its own."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "in").mkdir()
    for number, (name, make) in enumerate(PAGES.items()):
        (folder / "in" / file_name(number, name)).write_bytes(make())
    environment = {"BABELWIRE_RUN_DOCUMENT_SECONDS": str(SECONDS)}
    return run_folder("in", folder=folder, environment=environment)


def file_name(number: int, name: str) -> str:
    return f"{number:03}.{'txt' if name.endswith('in text') else 'html'}"


def test_the_accounts_of_the_hostile_night_close(night: Ended) -> None:
    assert_closed(night)
    assert night.manifest()["counts"]["in"] == len(PAGES)


@pytest.mark.parametrize(("number", "name"), list(enumerate(PAGES)), ids=list(PAGES))
def test_a_hostile_page_ends_in_one_row_in_time_and_within_memory(night: Ended, number: int, name: str) -> None:
    (row,) = night.of(file_name(number, name))
    assert row.get("stage") != "engine", f"{row['reason']}: {row['detail']}"


def test_no_entity_reads_a_file_of_this_machine(night: Ended) -> None:
    number = list(PAGES).index("an external entity")
    (row,) = night.of(file_name(number, "an external entity"))
    assert "root:" not in str(row)


# ---- any bytes, any text, any sample page cut to pieces -------------------------------------------

PROFILE = settings(
    deadline=None,  # the engine has a limit of its own, and a busy machine must not fail this
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
quick = settings(PROFILE, max_examples=80)
thorough = settings(PROFILE, max_examples=250)

MEDIA = st.sampled_from(["html", "text", None])


def raw_of(content: bytes, media: str | None) -> RawDocument:
    return RawDocument(
        source_kind="text" if media == "text" else "html",
        source_uri="in/page",
        content=content,
        media=media,  # type: ignore[arg-type]  # drawn from the allowed ones
        fetched_at=FETCHED,
    )


def assert_sound(raw: RawDocument) -> None:
    """Send a document down the road twice and hold what comes out against every promise."""
    outcome = run_document(raw, DocumentOptions())
    assert run_document(raw, DocumentOptions()) == outcome
    if isinstance(outcome, Rejected):
        assert problems(rejected_to_frame([outcome], STAMP), QUARANTINE_COLUMNS) == []
        assert outcome.stage
        assert outcome.reason.replace("_", "").isalpha()
        assert outcome.detail
        return
    assert isinstance(outcome, Article)
    frame = articles_to_frame([outcome], STAMP)
    assert problems(frame, COLUMNS) == []
    (row,) = frame.to_dicts()
    assert row["text"].strip()
    assert row["text"] == "\n\n".join(paragraph["text"] for paragraph in row["paragraphs"])
    assert list(empty_strings(row)) == []
    assert all(cut["role"] and cut["rule"] for cut in row["removed"] or ())
    assert row["published_at"] is None or row["published_at"] <= FETCHED + timedelta(days=2)


def empty_strings(value: object, place: str = "row") -> list[str]:
    """Name every place in a row that holds an empty string."""
    if value == "":
        return [place]
    if isinstance(value, dict):
        return [found for key, item in value.items() for found in empty_strings(item, f"{place}.{key}")]
    if isinstance(value, list):
        return [found for item in value for found in empty_strings(item, f"{place}[]")]
    return []


@quick
@given(content=st.binary(max_size=2_000), media=MEDIA)
def test_any_bytes(content: bytes, media: str | None) -> None:
    assert_sound(raw_of(content, media))


@quick
@given(text=st.text(max_size=2_000), media=MEDIA)
def test_any_text(text: str, media: str | None) -> None:
    assert_sound(raw_of(text.encode("utf-8", "replace"), media))


PIECES = [
    "<p>", "</p>", "<div class='share'>", "</div>", "<table>", "<tr><td>", "</table>", "<br><br>", "<a href='/x'>", "</a>", "<h1>", "</h1>",
    "<title>", "</title>", "<li>", "<blockquote>", "<time datetime='", "'>", '"', "<article>", "</article>", "<meta name=author content='",
    "<meta property='article:published_time' content='", "<link rel=canonical href='", "<base href='", "<html lang='", "<!--", "-->",
    "<script type='application/ld+json'>", "</script>", '{"@type":"NewsArticle","headline":"', '","datePublished":"', '"}', "<body>", "<head>",
    "<figure><img src='", "<figcaption>", "</figcaption></figure>", "&amp;", "&#0;", "&nbsp;", "http://[", "http://a:b/", "//x", "%ff", "\N{NO-BREAK SPACE}",
    "Published: ", "By Jane Doe", "7 January 2026", "31.02.2026", "99:99", "2026-13-45", "9999-12-31T23:59:59Z", "0001-01-01", "(Reuters)", "Photo: ",
    "Read also:", "Comments", "Source: ", "www.example.org", "The ferry left the harbour on Monday, officials said.", "Порт снова открыт.",
    "渡船今晚再次起航。", "السفينة تعود إلى الميناء", "\N{RIGHT-TO-LEFT MARK}", "\0", "\r\n", "\n\n", " | ", " - ", "• ", "Ã©", "Ïðèâåò",
]  # fmt: skip


@thorough
@given(pieces=st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=12)), max_size=60), media=MEDIA)
def test_any_heap_of_markup_dates_and_addresses(pieces: list[str], media: str | None) -> None:
    assert_sound(raw_of("".join(pieces).encode("utf-8", "replace"), media))


@cache
def seeds() -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in sorted((SEEDS / "pages").iterdir()))


def cut(page: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(page))
    return page[:start] + page[start + chance.randrange(1, 2_000) :]


def splice(page: bytes, chance: random.Random) -> bytes:
    other = chance.choice(seeds())
    at, start = chance.randrange(len(page)), chance.randrange(len(other))
    return page[:at] + other[start : start + chance.randrange(1, 4_000)] + page[at:]


def flip(page: bytes, chance: random.Random) -> bytes:
    changed = bytearray(page)
    for _ in range(chance.randrange(1, 40)):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def duplicate(page: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(page))
    return page[:start] + page[start : start + chance.randrange(1, 3_000)] * chance.randrange(2, 5) + page[start:]


def declare(page: bytes, chance: random.Random) -> bytes:
    name = chance.choice(
        [
            b"utf-16",
            b"gbk",
            b"koi8-r",
            b"shift_jis",
            b"iso-2022-jp",
            b"windows-1256",
            b"utf-7",
            b"nonsense",
            b"hz-gb-2312",
        ]
    )
    return re.sub(rb"charset=[\"']?[\w-]+", b"charset=" + name, page, flags=re.IGNORECASE)


def recode(page: bytes, chance: random.Random) -> bytes:
    return page.decode("utf-8", "replace").encode(
        chance.choice(["utf-16-le", "utf-16-be", "gb18030", "shift_jis", "cp1252"]), "replace"
    )


def swap(page: bytes, chance: random.Random) -> bytes:
    tags = list(re.finditer(rb"<[^<>]{1,200}>", page))
    if len(tags) < 2:
        return page
    first, last = sorted(chance.sample(tags, 2), key=re.Match.start)
    return page[: first.start()] + last[0] + page[first.end() : last.start()] + first[0] + page[last.end() :]


def unclose(page: bytes, chance: random.Random) -> bytes:
    return re.sub(rb"</[^<>]{1,20}>", lambda tag: b"" if chance.random() < 0.2 else tag[0], page)


def blank(page: bytes, chance: random.Random) -> bytes:
    return re.sub(
        rb"(content|datetime|href|class|src|alt)=\"[^\"]*\"",
        lambda it: it[1] + b'=" "' if chance.random() < 0.5 else it[0],
        page,
    )


MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    cut,
    splice,
    flip,
    duplicate,
    declare,
    recode,
    swap,
    unclose,
    blank,
)


@thorough
@given(
    place=st.integers(0, 10_000),
    steps=st.lists(st.sampled_from(MUTATIONS), min_size=1, max_size=4),
    seed=st.integers(0, 2**32),
    media=MEDIA,
)
def test_any_sample_page_cut_spliced_and_flipped(
    place: int, steps: list[Callable[[bytes, random.Random], bytes]], seed: int, media: str | None
) -> None:
    page = seeds()[place % len(seeds())]
    chance = random.Random(seed)  # noqa: S311  (to damage pages, not to keep a secret)
    for step in steps:
        page = step(page, chance) or b"<p>"
    assert_sound(raw_of(page, media))


HEADERS = st.sampled_from(["content-type", "content-language", "last-modified", "date", "link"])


@quick
@given(
    url=st.one_of(
        st.none(),
        st.text(max_size=60),
        st.sampled_from(
            ["http://[::1", "http://a.example:99999/", "//", "http://", "HTTP://A.example/%zz", "javascript:1"]
        ),
    ),
    headers=st.lists(st.tuples(HEADERS, st.text(st.characters(max_codepoint=255), max_size=40)), max_size=3),
    name=st.one_of(st.none(), st.text(max_size=30)),
)
@example(url="http://[", headers=[("content-type", "text/html; charset=")], name=" ")
def test_any_address_header_and_publisher(url: str | None, headers: list[tuple[str, str]], name: str | None) -> None:
    page = next(page for page in seeds() if page.startswith(b"<!"))
    # Sources give None for what is not there, so "" does not come in.
    raw = replace(raw_of(page, "html"), url=url or None, http_headers=tuple(headers), publisher=name or None)
    assert_sound(raw)
