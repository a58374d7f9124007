"""The page of a night: the numbers are those of the tables, what documents say is text, and nothing leaves it."""

import re
import shlex
import subprocess
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any

import lxml.html
import polars as pl
import pytest
from headless import CHROMIUM, HEADLESS

from schemas.fetch import FETCHES
from schemas.page import PALETTE
from schemas.quality import report as pages
from schemas.quality.finding import Finding, Tables
from schemas.quality.plots import INKS, Bar, Plot, bars, lengths, ranges, sparkline, trend
from schemas.quality.report import explain_command, report
from schemas.record import QUARANTINE, RECORD

NIGHT = date(2026, 3, 14)
NIGHTS = [NIGHT - timedelta(days) for days in range(5, -1, -1)]
OVERRIDE = "\N{RIGHT-TO-LEFT OVERRIDE}"
SCRIPT = "<script>alert(1)</script>"
IMAGE = '"><img src=x onerror=alert(1)>'

RUNS = pl.Schema(
    {
        "run_date": pl.Date(),
        "documents": pl.Int64(),
        "records": pl.Int64(),
        "quarantined": pl.Int64(),
        "skipped": pl.Int64(),
    }
)


def record(name: str, **columns: Any) -> dict[str, Any]:
    return {
        "record_id": name,
        "story_id": name,
        "text": "The bridge is open again. " * 10,
        "paragraphs": [],
        "title": f"Title of {name}",
        "page_type": "article",
        "lang": "en",
        "mt_status": "not_needed",
        "source_kind": "html",
        "source_uri": f"pages/{name}.html",
        "raw_sha256": "a" * 64,
        "run_id": "r",
        "run_date": NIGHT,
        "schema_version": "1.1.0",
        "source_id": "daily-example",
    } | columns


def refused(**columns: Any) -> dict[str, Any]:
    return {
        "stage": "extract",
        "reason": "no_text",
        "detail": "817 bytes show no text",
        "source_kind": "html",
        "source_uri": "pages/x.html",
        "source_id": "daily-example",
        "run_id": "r",
        "run_date": NIGHT,
    } | columns


def fetched(**columns: Any) -> dict[str, Any]:
    return {
        "crawl_id": "c",
        "crawl_date": NIGHT,
        "source_id": "daily-example",
        "url": "https://daily.example/a",
        "kind": "page",
        "outcome": "fetched",
        "requested_at": datetime(2026, 3, 14, 3, tzinfo=UTC),
    } | columns


def tables(
    articles: Sequence[dict[str, Any]] = (),
    quarantine: Sequence[dict[str, Any]] = (),
    fetches: Sequence[dict[str, Any]] = (),
    runs: Sequence[dict[str, Any]] = (),
) -> Tables:
    return Tables(
        articles=pl.DataFrame(list(articles), schema=RECORD).lazy(),
        quarantine=pl.DataFrame(list(quarantine), schema=QUARANTINE).lazy(),
        fetches=pl.DataFrame(list(fetches), schema=FETCHES).lazy(),
        runs=pl.DataFrame(list(runs), schema=RUNS).lazy(),
    )


def finding(**fields: Any) -> Finding:
    about: dict[str, Any] = {
        "rule": "missing_time",
        "level": "warn",
        "count": 3,
        "of": 10,
        "value": 0.3,
        "threshold": 0.1,
        "sentence": "3 of 10 records have no time",
    }
    return Finding(**about | fields)


def good_nights() -> Tables:
    """Six nights of three sources, with something of everything on the last."""
    articles = []
    for night in NIGHTS:
        for number in range(30):
            name = f"{night:%d}-{number}"
            articles.append(
                record(
                    name,
                    run_date=night,
                    source_id=("daily-example", "kurier-example", None)[number % 3],
                    domain="third.example",
                    lang=("en", "de", "el", "und")[number % 4],
                    page_type="listing" if number == 5 else "article",
                    text="words " * (10 + number),
                    removed=[
                        {"role": "ad", "rule": "lexicon:en:ad", "text": "Advert"},
                        {"role": "legal", "rule": "place:footer", "text": "(c)"},
                    ],
                    mt_status=("done", "partial", "failed", "not_needed")[number % 4],
                    mt_flags=["repeated"] if number % 10 == 0 else None,
                    quality_flags=["no_date"] if number % 7 == 0 else None,
                    dup_kind="exact" if number in (1, 2) else "near" if number == 3 else None,
                    dup_of=f"{night:%d}-0" if number in (1, 2, 3) else None,
                )
            )
    quarantine = [refused(run_date=night, source_id="kurier-example") for night in NIGHTS]
    quarantine.append(
        refused(stage="clean", reason="only_boilerplate", source_id=None, url="https://www.Fourth.example/x")
    )
    fetches = [
        fetched(),
        fetched(outcome="refused", reason="robots", kind="page"),
        fetched(crawl_date=NIGHTS[-2], outcome="failed", reason="timeout"),
    ]
    runs = [
        {"run_date": night, "documents": 31, "records": 30, "quarantined": 1, "skipped": 0} for night in NIGHTS[:-1]
    ]
    runs += [{"run_date": NIGHT, "documents": 39, "records": 30, "quarantined": 2, "skipped": 7}]
    return tables(articles, quarantine, fetches, runs)


def hostile() -> Tables:
    """Every text that a document can bring, set to attack the page."""
    attack = f"{SCRIPT}{IMAGE}{OVERRIDE}gpj.exe\x1b[2J\x00\uffff"
    article = record(
        f"{attack}-id",
        title=attack,
        text=attack * 5,
        source_id=attack,
        lang=attack,
        page_type=attack,
        url=f"https://x.example/{attack}",
        mt_status=attack,
        mt_flags=[attack],
        quality_flags=[attack],
        dup_kind=attack,
        dup_of=f"{attack}-id",
        source_uri=f"pages/{attack}",
        source_member=attack,
        removed=[{"role": attack, "rule": attack, "text": attack}, {"role": None, "rule": None, "text": None}],
    )
    return tables(
        [article, record("plain", run_date=NIGHTS[0])],
        [refused(stage=attack, reason=attack, detail=attack, source_id=attack)],
        [fetched(kind=attack, outcome=attack, reason=attack)],
    )


def hostile_page() -> str:
    attack = f"{SCRIPT}{IMAGE}{OVERRIDE}"
    found = finding(rule=attack, source_id=attack, lang=attack, column=attack, sentence=attack, examples=(attack,))
    return report(hostile(), folder=f"news; rm -rf {attack}", findings=[found])


def tree_of(page: str) -> lxml.html.HtmlElement:
    return lxml.html.document_fromstring(page)


def glance(page: str) -> dict[str, str]:
    """Read the numbers at the top: name to number."""
    shown = tree_of(page).find_class("numbers")[0]
    return {item.findtext("dt"): item.findtext("dd") for item in shown}


def rows_of(page: str, title: str) -> dict[str, str]:
    """Read the numbers below a plot: first cell to second."""
    for figure in tree_of(page).iter("figure"):
        if figure.findtext("figcaption/h3") == title:
            rows = figure.findall(".//tbody/tr")
            return {row[0].text_content(): row[1].text_content() for row in rows}
    message = f"no plot is called {title}"
    raise AssertionError(message)


# ---- the numbers --------------------------------------------------------------------------------


def test_the_numbers_at_the_top_are_those_of_the_tables() -> None:
    held = good_nights()
    tonight = held.articles.filter(pl.col("run_date") == NIGHT).collect()
    assert glance(report(held, folder="news", findings=[finding()])) == {
        "documents": "39",
        "records": str(tonight.height),
        "quarantined": "2",
        "sources": "4",
        "languages": str(tonight["lang"].n_unique()),
        "translated": str(tonight["mt_status"].is_in(["done", "partial"]).sum()),
        "duplicates": str(tonight["dup_kind"].is_not_null().sum()),
        "findings": "1",
    }


@pytest.mark.parametrize(
    ("title", "column"), [("Languages", "lang"), ("Kinds of pages", "page_type"), ("Translation", "mt_status")]
)
def test_the_numbers_below_a_plot_are_counts_of_its_column(title: str, column: str) -> None:
    held = good_nights()
    counts = held.articles.filter(pl.col("run_date") == NIGHT).group_by(column).len().collect()
    assert rows_of(report(held, folder="news"), title) == {name: str(count) for name, count in counts.iter_rows()}


def test_every_other_number_is_a_count_of_the_tables_as_well() -> None:
    page = report(good_nights(), folder="news")
    assert rows_of(page, "Quarantine by reason") == {"extract/no_text": "1", "clean/only_boilerplate": "1"}
    assert rows_of(page, "Quarantine by source") == {"fourth.example": "1", "kurier-example": "1"}
    assert rows_of(page, "Blocks removed, by role") == {"ad": "30", "legal": "30"}
    assert rows_of(page, "Characters removed, by role") == {"ad": "180", "legal": "90"}
    assert rows_of(page, "Duplicates") == {"exact": "2", "near": "1", "none": "27"}
    assert rows_of(page, "Warnings of translations") == {"repeated": "3"}
    assert rows_of(page, "Doubts of records") == {"no_date": "5"}
    assert rows_of(page, "Requests by outcome") == {"fetched": "1", "refused": "1"}
    assert rows_of(page, "Why not simply fetched") == {"refused/robots": "1"}
    assert sum(map(int, rows_of(page, "Lengths of all texts").values())) == 30


def test_the_length_of_a_language_is_the_median_of_its_texts() -> None:
    held = good_nights()
    english = held.articles.filter(pl.col("run_date") == NIGHT, pl.col("lang") == "en").collect()
    figures = list(tree_of(report(held, folder="news")).iter("figure"))
    figure = next(each for each in figures if each.findtext("figcaption/h3") == "Lengths by language")
    row = next(row for row in figure.findall(".//tbody/tr") if row[0].text_content() == "en")
    middle = english.select(pl.col("text").str.len_chars().median()).item()
    assert row[2].text_content() == f"{middle:,.0f}"


def test_the_trends_have_a_row_for_each_night_the_newest_first() -> None:
    page = report(good_nights(), folder="news")
    nights = [night.isoformat() for night in reversed(NIGHTS)]
    assert rows_of(page, "Records and quarantine per night") == dict.fromkeys(nights, "30")
    assert list(rows_of(page, "Median length per night")) == nights
    assert rows_of(page, "Duplicates per night, in %") == dict.fromkeys(nights, "3")


def test_each_source_has_a_row_with_tonight_and_what_is_usual() -> None:
    table = tree_of(report(good_nights(), folder="news")).find_class("stack")[0]
    rows = {row[0].text_content(): [cell.text_content() for cell in row] for row in table.findall("tbody/tr")}
    assert set(rows) == {"daily-example", "kurier-example", "third.example", "fourth.example"}
    assert rows["daily-example"][1:3] == ["10", "10"]
    assert rows["kurier-example"][-1] == "9.1 %"
    assert rows["fourth.example"][1] == "0"
    assert rows["fourth.example"][-1] == "100.0 %"


def test_a_past_night_knows_nothing_of_those_after_it() -> None:
    page = report(good_nights(), folder="news", night=NIGHTS[1])
    assert "Night of 2026-03-10" in page
    assert NIGHT.isoformat() not in page
    assert glance(page)["quarantined"] == "1"


def test_the_crawl_of_a_night_is_what_was_asked_since_the_night_before() -> None:
    assert rows_of(report(good_nights(), folder="news", night=NIGHTS[-2]), "Requests by outcome") == {"failed": "1"}


def test_the_same_tables_give_the_same_page() -> None:
    assert report(good_nights(), folder="news") == report(good_nights(), folder="news")


# ---- much and little ----------------------------------------------------------------------------


def test_nothing_at_all_is_a_page_that_says_so() -> None:
    page = report(tables(), folder="news")
    assert "There is no night yet" in page
    assert not tree_of(page).findall(".//svg")


def test_one_record_is_a_page_without_trends_of_other_nights() -> None:
    page = report(tables([record("a")]), folder="news")
    assert glance(page)["records"] == "1"
    assert glance(page)["documents"] == "1"
    assert "usually" not in glance(page)
    assert "mean share of the nights before" not in page


def test_a_night_of_quarantine_alone_is_a_page() -> None:
    page = report(tables([], [refused()]), folder="news")
    assert glance(page)["quarantined"] == "1"
    assert rows_of(page, "Quarantine by reason") == {"extract/no_text": "1"}


def test_a_crawl_that_no_run_has_read_is_a_page() -> None:
    assert rows_of(report(tables(fetches=[fetched()]), folder="news"), "Requests by outcome") == {"fetched": "1"}


def test_a_text_of_no_length_and_a_long_one_are_both_counted() -> None:
    page = report(tables([record("a", text=""), record("b", text="x" * 300_000)]), folder="news")
    assert sum(map(int, rows_of(page, "Lengths of all texts").values())) == 2


def test_of_many_sources_the_largest_are_shown_and_the_rest_are_counted() -> None:
    articles = [
        record(f"{source}-{n}", source_id=f"s{source:03}") for source in range(200) for n in range(1 + source % 3)
    ]
    blamed = finding(source_id="s000")
    tree = tree_of(report(tables(articles), folder="news", findings=[blamed]))
    names = [row[0].text_content() for row in tree.find_class("stack")[0].findall("tbody/tr")]
    assert names[0] == "s000 1 warn"
    assert len(names) == pages.SOURCES
    assert "and 160 more sources" in tree.text_content()


def test_of_many_languages_none_is_lost_without_a_word() -> None:
    articles = [record(f"r{n}", lang=f"x{n}") for n in range(60)]
    text = tree_of(report(tables(articles), folder="news")).text_content()
    assert "the first 12 of 60" in text
    assert "and 20 more" in text


# ---- findings and records -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("findings", "word"),
    [
        (None, "not checked"),
        ([], "good"),
        ([finding()], "to be looked at"),
        ([finding(), finding(level="fail")], "failed"),
    ],
)
def test_the_first_word_says_how_the_night_was(findings: list[Finding] | None, word: str) -> None:
    tree = tree_of(report(good_nights(), folder="news", findings=findings))
    assert tree.find_class("verdict")[0].findtext("p/b") == word


def test_failures_stand_before_warnings_with_numbers_and_examples() -> None:
    drift = finding(
        rule="drift/text_length",
        level="fail",
        source_id="daily-example",
        column="text",
        value=410.0,
        threshold=900.0,
        usual=2310.0,
        since=NIGHTS[3],
        sentence="daily-example: text length fell",
        examples=("14-4", "14-5"),
    )
    items = tree_of(report(good_nights(), folder="news", findings=[finding(), drift])).find_class("findings")[0]
    first = items[0].text_content()
    assert items[0].get("class") == "fail"
    assert "daily-example: text length fell" in first
    for fact in ("drift/text_length", "3 of 10", "410 where the bound is 900", "usually 2,310", "since 2026-03-12"):
        assert fact in first
    assert [link.text_content() for link in items[0].iter("a")] == ["Title of 14-4", "Title of 14-5"]


def test_a_link_to_a_record_leads_to_it() -> None:
    tree = tree_of(report(good_nights(), folder="news", findings=[finding(examples=("14-4",))]))
    link = next(tree.find_class("findings")[0].iter("a"))
    target = tree.get_element_by_id(link.get("href").removeprefix("#"))
    assert target.findtext("h3") == "Title of 14-4"
    assert "missing_time" in target.text_content()


def test_every_link_has_a_target() -> None:
    tree = tree_of(report(good_nights(), folder="news", findings=[finding(examples=("14-4", "gone"))]))
    ids = [element.get("id") for element in tree.iter("*") if element.get("id")]
    assert len(ids) == len(set(ids))
    assert {link.get("href") for link in tree.iter("a")} <= {f"#{name}" for name in ids}


def test_a_record_that_fails_a_check_comes_before_one_that_only_doubts_itself() -> None:
    doubtful = record("doubtful", quality_flags=["no_date", "no_title", "short_text"])
    held = tables([doubtful, record("failing"), record("fine")])
    tree = tree_of(report(held, folder="news", findings=[finding(level="fail", examples=("failing",))]))
    assert [each.findtext("h3") for each in tree.find_class("record")] == ["Title of failing", "Title of doubtful"]


def test_a_record_shows_what_was_kept_and_what_was_cut_and_how_to_see_why() -> None:
    blocks = [{"role": "ad", "rule": f"rule{n}", "text": f"Advert {n}"} for n in range(20)]
    held = tables([record("a", quality_flags=["no_date"], text="word " * 1000, removed=blocks)])
    shown = tree_of(report(held, folder="news")).find_class("record")[0].text_content()
    assert "babelwire explain pages/a.html" in shown
    assert "word word" in shown
    assert "Advert 11" in shown
    assert "Advert 12" not in shown
    assert "and 8 more blocks" in shown


def place(**columns: str | None) -> dict[str, str | None]:
    return {"source_uri": "a.zip", "warc_record_id": None, "source_member": None, "record_id": "0123abcd"} | columns


@pytest.mark.parametrize("member", ["$(touch gone)", "a'b", "`id`", "--html", "x; y", "ελ λην.html"])
def test_a_member_that_attacks_the_shell_stays_one_word(member: str) -> None:
    assert shlex.split(explain_command(place(source_member=member), "news")) == [
        "babelwire",
        "explain",
        "a.zip",
        "--member",
        member,
    ]


@pytest.mark.parametrize("member", [f"a{OVERRIDE}b", "a\nb", "a  b", "a\tb", "a\x1bb", "x" * 5000])
def test_a_member_that_cannot_be_copied_from_a_page_is_not_written(member: str) -> None:
    command = explain_command(place(source_member=member), "my news")
    assert command == "babelwire raw 'my news' 0123abcd > page.html && babelwire explain page.html"


def test_a_file_that_looks_like_an_option_is_not_written() -> None:
    assert "--help" not in explain_command(place(source_uri="--help"), "news")


# ---- hostile text -------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [hostile_page(), report(good_nights(), folder="news")], ids=["hostile", "good"])
def test_the_page_has_no_script_no_handler_and_no_address(page: str) -> None:
    tree = tree_of(page)
    tags = {element.tag for element in tree.iter() if isinstance(element.tag, str)}
    assert not tags & {
        "script",
        "img",
        "image",
        "use",
        "link",
        "iframe",
        "object",
        "embed",
        "form",
        "base",
        "foreignobject",
    }
    assert "<script" not in page.lower()
    for element in tree.iter("*"):
        for name, value in element.attrib.items():
            assert name not in {"src", "srcset", "style", "action", "data", "ping", "xlink:href"}, element.tag
            assert not name.startswith("on"), element.tag
            assert name != "href" or value.startswith("#"), value
            assert "url(" not in value, value
            # What an attribute says must not have come out of an attack.
            assert name in {"aria-label", "content", "class"} or "alert" not in value, name
    assert "url(" not in page.partition("<style>")[2].partition("</style>")[0]
    assert "http:" not in page
    assert len(tree.findall(".//style")) == 1


def test_hostile_text_is_shown_as_the_text_it_is() -> None:
    tree = tree_of(hostile_page())
    records = [each for each in tree.find_class("record") if SCRIPT in each.text_content()]
    assert records
    assert records[0].findtext("h3").startswith(SCRIPT + IMAGE)
    assert SCRIPT in tree.find_class("findings")[0].text_content()
    assert SCRIPT in tree.find_class("stack")[0].text_content()
    labels = [text.text_content() for text in tree.iter("text")]
    assert any(label.startswith("<script>alert(1)</scr") for label in labels)


def test_what_turns_or_hides_text_is_a_visible_mark() -> None:
    page = hostile_page()
    for hidden in (OVERRIDE, "\x1b", "\x00", "\uffff"):
        assert hidden not in page
    assert '<span class="mark">U+202E</span>gpj.exe' in page
    assert "⟨U+202E⟩" in "".join(tree_of(page).xpath("//svg/@aria-label"))


def test_names_of_documents_run_in_their_own_direction() -> None:
    held = tables([record("a", title="שלום 123", source_id="אתר", quality_flags=["no_date"])])
    tree = tree_of(report(held, folder="news"))
    assert [each.get("dir") for each in tree.iter("h3") if each.text == "שלום 123"] == ["auto"]
    assert all(cell[0].find("bdi") is not None for cell in tree.find_class("stack")[0].iterfind("tbody/tr/td[1]"))


def test_names_without_end_do_not_swell_the_page() -> None:
    long = "x" * 200_000
    articles = [
        record(
            "a",
            source_id=long,
            lang=long,
            title=long,
            page_type=long,
            quality_flags=[long] * 50,
            url=long,
            source_member=long,
        )
    ]
    assert len(report(tables(articles, [refused(detail=long, reason=long)]), folder="news")) < 200_000


def test_the_policy_allows_the_one_style_sheet_and_nothing_else() -> None:
    page = report(good_nights(), folder="news")
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert policy
    assert style
    digest = b64encode(sha256(style[1].encode()).digest()).decode()
    assert policy[1] == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


# ---- plots --------------------------------------------------------------------------------------

PLOTS = {
    "bars": (
        bars(
            "Languages",
            "en first",
            [Bar(label="en", value=5, text="5", usual=4), Bar(label="de", value=2, text="2", usual=3)],
        ),
        4,
    ),
    "trend": (trend("Records", "six nights", NIGHTS, [1, 2, 3, 4, 5, 6], [1, 1, 1, None, 1, 1]), 13),
    "lengths": (
        lengths("Lengths", "short", [18, 19, 20], per_doubling=2, shares=[0.2, 0.5, 0.3], usual=[0.3, 0.3, 0.4]),
        7,
    ),
    "ranges": (ranges("By language", "en", [("en", 100, 900, 2000), ("de", 50, 300, 900)]), 2),
    "sparkline": (sparkline("daily-example", [3, 4, None, 6]), 5),
    "one night": (trend("Records", "one night", NIGHTS[:1], [5]), 1),
    "one length": (ranges("By language", "en", [("en", 100, 100, 100)]), 1),
    "nothing known": (sparkline("daily-example", [None, None]), 0),
}


@pytest.mark.parametrize(("plot", "least"), PLOTS.values(), ids=PLOTS)
def test_a_plot_is_a_drawing_with_its_marks_and_with_words(plot: Plot, least: int) -> None:
    drawing = lxml.html.fragment_fromstring(plot.svg)
    marks = [each for each in drawing.iter("path") if each.get("fill") in INKS or each.get("stroke") in INKS]
    assert len(marks) >= least
    assert "NaN" not in plot.svg
    assert drawing.get("role") == "img"
    assert drawing.get("aria-label", "").startswith(plot.title)
    assert len(drawing.get("aria-label", "")) > len(plot.title) + 3
    assert drawing.get("width") is None
    assert drawing.get("viewbox") or drawing.get("viewBox")


@pytest.mark.parametrize(("plot", "least"), PLOTS.values(), ids=PLOTS)
def test_a_plot_has_no_colour_that_the_page_does_not_set(plot: Plot, least: int) -> None:
    del least
    colours = set(re.findall(r'(?:fill|stroke)="([^"]+)"', plot.svg))
    assert colours <= {*INKS, "none"}


def test_the_bars_are_as_long_as_the_counts() -> None:
    drawing = lxml.html.fragment_fromstring(PLOTS["bars"][0].svg)
    first, second = (
        float(match[1])
        for path in drawing.iter("path")
        if path.get("fill") == "#2f7cc4" and (match := re.match(r"M0,[\d.]+h([\d.]+)v", path.get("d", "")))
    )
    assert second / first == pytest.approx(2 / 5)


def test_labels_that_look_alike_have_a_row_each() -> None:
    items = [Bar(label=label, value=1, text=label) for label in ("a b", "a\nb", "a  b")]
    labels = {each.text for each in lxml.html.fragment_fromstring(bars("x", "y", items).svg).iter("text")}
    assert {"a b", "a b (2)", "a b (3)"} <= labels


def test_a_night_is_the_same_day_wherever_it_is_drawn() -> None:
    labels = [each.text for each in lxml.html.fragment_fromstring(PLOTS["trend"][0].svg).iter("text")]
    assert "9 Mar" in labels
    assert "14 Mar" in labels


def test_long_counts_fit_into_the_drawing() -> None:
    svg = bars("x", "y", [Bar(label="a" * 80, value=1, text="100,000,000 (100.0 %)")]).svg
    box = re.search(r'viewBox="0 0 ([\d.]+) ', svg)
    assert box
    start = sum(float(each) for each in re.findall(r"translate\(([\d.]+),[\d.]+\)", svg)[:1])
    assert float(box[1]) - start - 118 > 21 * 5.5


def test_every_plot_of_the_page_has_a_name_of_its_own() -> None:
    tree = tree_of(report(good_nights(), folder="news"))
    names = [svg.get("aria-label") for svg in tree.iter("svg")]
    assert len(names) > 20
    assert all(names)
    assert len(set(names)) == len(names)


def luminance(colour: str) -> float:
    """Give the relative luminance of a colour (WCAG 2.2)."""
    colour = colour if len(colour) == 7 else "#" + "".join(2 * char for char in colour[1:])
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_both_palettes_can_be_read(mode: str) -> None:
    style = pages._STYLE
    before, dark = PALETTE.split("@media", 1)
    plots = re.findall(r"--plot-one: (#\w+); --plot-two: (#\w+)", style)
    inks = dict(re.findall(r"--([\w-]+): (#\w+)", before if mode == "light" else dark))
    one, two = plots[0] if mode == "light" else plots[1]
    for ground in (inks["back"], inks["card"]):
        for ink in ("front", "soft", "link", "gone", "kept", "mark"):
            assert contrast(inks[ink], ground) >= 4.5, ink
        # What is drawn needs less than what is read (WCAG 2.2, 1.4.11).
        assert contrast(one, ground) >= 3
        assert contrast(two, ground) >= 3
    # Ticks and dashes lie over bars.
    assert contrast(inks["front"], one) >= 3


# ---- in a browser -------------------------------------------------------------------------------


#: Shows the page in a frame of a width with everything open, and writes down how wide it and each drawing is. A frame's
#: srcdoc can be measured from outside, so that the page itself needs no script.
FRAME = """<!DOCTYPE html><meta charset="utf-8"><body><iframe id="frame" style="width: {width}px; height: 800px; border: 0" srcdoc="{page}">
</iframe><p id="width"></p><p id="drawn"></p><script>
addEventListener("load", () => {{
  const page = document.getElementById("frame").contentDocument;
  for (const fold of page.querySelectorAll("details")) fold.open = true;
  const {{ scrollWidth, clientWidth }} = page.documentElement;
  document.getElementById("width").textContent = `${{scrollWidth - clientWidth}} beyond the edge`;
  const plots = [...page.querySelectorAll("svg")];
  const drawn = plots.filter((plot) => {{
    const {{ width, height, right }} = plot.getBoundingClientRect();
    const marks = plot.getBBox();
    const isWhole = marks.x > -2 && marks.x + marks.width < plot.viewBox.baseVal.width + 2;
    return width > 60 && height > 15 && right <= clientWidth && marks.width > 0 && isWhole;
  }});
  document.getElementById("drawn").textContent = `${{drawn.length}} of ${{plots.length}} drawn`;
}});
</script>"""


@pytest.mark.skipif(CHROMIUM is None, reason="needs a chromium in the PATH")
@pytest.mark.parametrize("width", [320, 390, 800, 1200])
def test_a_browser_asks_for_nothing_complains_of_nothing_draws_all_and_never_scrolls_sideways(
    tmp_path: Path, asked: tuple[str, list[str]], width: int
) -> None:
    address, paths = asked
    attack = f'<script src="{address}/s.js"></script>"><img src="{address}/i.png" onerror="alert(1)">{"w" * 500}'
    nights = good_nights()
    bad = hostile().articles.with_columns(
        title=pl.lit(attack), text=pl.lit(attack), source_id=pl.lit(attack), source_member=pl.lit(attack)
    )
    held = Tables(
        articles=pl.concat([nights.articles, bad]),
        quarantine=hostile().quarantine,
        fetches=nights.fetches,
        runs=nights.runs,
    )
    page = report(held, folder="news", findings=[finding(sentence=attack, source_id=attack, examples=("14-4",))])
    assert f"{address}/i.png" in page
    (tmp_path / "frame.html").write_text(FRAME.format(page=escape(page), width=width), "utf-8")
    shown = subprocess.run(
        [*HEADLESS, f"--user-data-dir={tmp_path / 'profile'}", (tmp_path / "frame.html").as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    plots = page.count("<svg")
    assert '<p id="width">0 beyond the edge</p>' in shown.stdout
    assert f'<p id="drawn">{plots} of {plots} drawn</p>' in shown.stdout
    assert "CONSOLE" not in shown.stderr
    assert paths == []
