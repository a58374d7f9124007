"""Points in time as pages write them."""

import subprocess
import sys
import time
import tomllib
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normalize.dates import (
    MAX_LINE,
    find_moment,
    gregorian_from_hijri,
    gregorian_from_persian,
    is_date_line,
    parse_moment,
    spell,
)
from normalize.dates import _spelled as spelled_at_once

HERE = Path(__file__).parent
CASES: list[dict[str, Any]] = tomllib.loads((HERE / "cases" / "dates.toml").read_text(encoding="utf-8"))["case"]
ARGUMENTS = ("languages", "day_first", "reference")

#: Every locale whose words are in the data, and those of other countries that spell differently.
LOCALES = (
    "en en_GB de de_AT fr es es_MX it pt pt_PT nl el ru uk be bg mk sr sr_Latn hr bs pl cs sk sl "
    "ro hu tr sv da nb nn fi et lv lt ar ar_SY ar_LB ar_IQ ar_MA ar_DZ ar_TN ar_EG he fa ur hi bn "
    "mr ta te kn ml gu pa th vi id ms ko ja zh zh_Hant ka hy sq az kk ky uz tg sw ca gl eu is ga "
    "cy mt af am so ne si km lo my mn ps"
)


def arguments(case: dict[str, Any]) -> dict[str, Any]:
    return {key: case[key] for key in ARGUMENTS if key in case}


def ids(case: dict[str, Any]) -> str:
    return str(case["name"])


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_a_value_is_read_as_its_case_says(case: dict[str, Any]) -> None:
    moment = parse_moment(case["value"], **arguments(case))
    if case.get("none"):
        assert moment is None
        return
    assert moment is not None
    assert (moment.at, moment.precision, moment.tz) == (
        case["at"],
        case["precision"],
        case.get("tz"),
    )
    assert moment.at.tzinfo is UTC


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_a_line_that_is_only_a_time_is_told_from_others(case: dict[str, Any]) -> None:
    given_arguments = arguments(case)
    given_arguments.pop("reference", None)
    expected = case.get("line", not case.get("none"))
    assert is_date_line(case["value"], **given_arguments) is expected


def test_there_are_cases_in_many_languages() -> None:
    assert len(CASES) >= 160
    assert len({case["name"].split()[0].rstrip(",") for case in CASES}) >= 40


def test_the_names_of_the_cases_are_unique() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES)


SENTENCES = [
    ("Bei der Sitzung am 7. Jänner 2026 um 6:41 Uhr wurde gelacht.", "7. Jänner 2026 um 6:41 Uhr"),
    ("Se jugó el 7 de enero de 2026, a las 6:41 horas, en Madrid", None),
    ("Il 7 gennaio 2026 (ore 6.41) a Roma", "7 gennaio 2026 (ore 6.41)"),
    ("ΑΘΗΝΑ, 7 Ιανουαρίου 2026, 06:41 - Ο πρωθυπουργός", "7 Ιανουαρίου 2026, 06:41"),
    ("記者於民國115年1月7日06:41在台北報導", "民國115年1月7日06:41"),
    ("김 장관은 2026년 1월 7일 오전 6시 41분부터", "2026년 1월 7일 오전 6시 41분"),
    ("Москва. 7 января 2026 года, 06:41. Министр сказал", "7 января 2026 года, 06:41"),
    ("A la una, 06:41 | 07.01.2026 | Redacción", "06:41 | 07.01.2026"),
    ("32 April 2026 is none, but 2026-01-07T06:41Z is one", "2026-01-07T06:41Z"),
    ("Photo 12 of 40. Kl. 6.41 den 7. januar 2026 i Oslo", "Kl. 6.41 den 7. januar 2026"),
    ("\u200fفي 7 يناير\u200f 2026 06:41 صباحا قال", "7 يناير\u200f 2026 06:41 صباحا"),
    ("x" * 1_500 + " on January 7, 2026, 6:41 a.m.", "January 7, 2026, 6:41 a.m."),
]


@pytest.mark.parametrize(("line", "span"), SENTENCES)
def test_a_date_in_a_sentence_is_found_with_its_time_and_place(line: str, span: str | None) -> None:
    found = find_moment(line)
    assert found is not None
    assert found.moment.at == datetime(2026, 1, 7, 6, 41, tzinfo=UTC)
    if span is not None:
        assert line[found.start : found.end] == span
    assert not is_date_line(line)


@pytest.mark.parametrize(
    "line",
    [
        "Call +30 210 701 2026 or 210-7012026 today",
        "The score was 28:25 in 2026 and 3-1-2",
        "Version 3.11.12 came out, and 10.11.12 after it",
        "Released v2.0.26, see 192.168.1.26",
        "Article 12/2026 of the law",
        "Between 2019 and 2026 about 12 people",
        "May 5-6, 2026 in Rome",
        "ISBN 978-3-16-148410-0, 2026",
        "Order 20260107 shipped at 1767768060",
        "IBAN DE02 1203 0000 0000 2020 51",
        "12 345 678 2026",
        "season 2025/26, round 10/11/12",
        "He was born on 7 January 1926 in Rome",
        "Tel: 07.01.26.44.55",
        "5.1.2026.7",
        "31 February 2026",
        "They said 2 hours ago that it will be tomorrow",
        "20,26 percent of 1.200,50 euros",
        "in May",
        "",
    ],
)
def test_what_only_looks_like_a_date_is_not_found(line: str) -> None:
    assert find_moment(line) is None
    assert not is_date_line(line)


def test_the_first_date_of_a_line_counts_and_what_stands_after_the_limit_does_not() -> None:
    found = find_moment("From 7 January 2026 to 8 January 2026")
    assert found is not None
    assert found.moment.at == datetime(2026, 1, 7, tzinfo=UTC)
    assert find_moment("x" * MAX_LINE + " 7 January 2026") is None


def test_a_time_span_is_no_offset() -> None:
    moment = parse_moment("7 January 2026 06:41-07:00")
    assert moment is not None
    assert (moment.at.hour, moment.tz) == (6, None)


def test_relative_times_in_a_sentence_need_a_reference() -> None:
    line = "Updated: vor 3 Stunden von der Redaktion"
    assert find_moment(line) is None
    found = find_moment(line, reference=datetime(2026, 1, 7, 12, 30, tzinfo=UTC))
    assert found is not None
    assert line[found.start : found.end] == "vor 3 Stunden"
    assert found.moment.at == datetime(2026, 1, 7, 9, tzinfo=UTC)


def test_years_have_limits() -> None:
    assert parse_moment("7 January 1926") is not None
    assert find_moment("7 January 1926") is None
    assert parse_moment("7 January 1899") is None
    assert parse_moment("7 January 2101") is None


# Nowruz as observed in Iran; years around leap years (1375, 1379, 1383, 1387, 1391, 1395, 1399,
# 1403; then 1408, after five years).
@pytest.mark.parametrize(
    ("year", "day"),
    [
        (1370, date(1991, 3, 21)),
        (1375, date(1996, 3, 20)),
        (1376, date(1997, 3, 21)),
        (1380, date(2001, 3, 21)),
        (1384, date(2005, 3, 21)),
        (1395, date(2016, 3, 20)),
        (1396, date(2017, 3, 21)),
        (1399, date(2020, 3, 20)),
        (1400, date(2021, 3, 21)),
        (1403, date(2024, 3, 20)),
        (1404, date(2025, 3, 21)),
        (1405, date(2026, 3, 21)),
        (1408, date(2029, 3, 20)),
        (1409, date(2030, 3, 21)),
    ],
)
def test_the_persian_year_begins_when_it_does_in_iran(year: int, day: date) -> None:
    assert gregorian_from_persian(year, 1, 1) == day


def test_persian_days_follow_one_another() -> None:
    days = [
        found
        for year in range(1300, 1500)
        for month in range(1, 13)
        for day in range(1, 32)
        if (found := gregorian_from_persian(year, month, day))
    ]
    assert all(b - a == timedelta(days=1) for a, b in pairwise(days))
    assert gregorian_from_persian(1403, 12, 30) == date(2025, 3, 20)
    assert gregorian_from_persian(1404, 12, 30) is None


# Beginnings of years in the tabular civil calendar.
@pytest.mark.parametrize(
    ("parts", "day"),
    [
        ((1400, 1, 1), date(1979, 11, 20)),
        ((1421, 1, 1), date(2000, 4, 6)),
        ((1445, 9, 1), date(2024, 3, 11)),
        ((1447, 1, 1), date(2025, 6, 27)),
        ((1447, 7, 18), date(2026, 1, 7)),
    ],
)
def test_hijri_days_are_within_one_of_the_observed(parts: tuple[int, int, int], day: date) -> None:
    found = gregorian_from_hijri(*parts)
    assert found is not None
    assert abs(found - day) <= timedelta(days=1)


@settings(deadline=None)
@given(st.text(max_size=400), st.booleans())
def test_any_text_is_answered(text: str, with_reference: bool) -> None:  # noqa: FBT001
    reference = datetime(2026, 1, 7, 12, tzinfo=UTC) if with_reference else None
    parse_moment(text, reference=reference)
    is_date_line(text)
    if found := find_moment(text, reference=reference):
        assert 0 <= found.start < found.end <= len(text)
        assert found.moment.at.tzinfo is UTC


PIECES = st.sampled_from(
    [
        *"0123456789/.-:,() |+T年月日時",
        *[
            "07",
            "2026",
            "7",
            "Jan",
            "January",
            "Wed",
            "a.m.",
            "UTC",
            "GMT+3",
            "06:41",
            "de",
            "الأول",
        ],
        *[
            "1404",
            "دی",
            "رجب",
            "令和",
            "tháng",
            "ago",
            "hours",
            "vor",
            "yesterday",
            "6h41",
            "\u200f",
        ],
    ]
)


@settings(deadline=None, max_examples=400)
@given(st.lists(PIECES, max_size=40), st.sampled_from(["", " "]))
def test_any_pieces_of_dates_are_answered(pieces: list[str], glue: str) -> None:
    text = glue.join(pieces)
    reference = datetime(2026, 1, 7, 12, tzinfo=UTC)
    for moment in (parse_moment(text), parse_moment(text, reference=reference)):
        assert moment is None or moment.at.utcoffset() == timedelta(0)
    is_date_line(text)
    if found := find_moment(text, reference=reference):
        assert 0 <= found.start < found.end <= len(text)


@pytest.mark.parametrize(
    "piece",
    [
        "1",
        "1.",
        "1 ",
        "1-",
        "7 de ",
        "a.m. ",
        "(",
        "January 7, ",
        "06:41 ",
        "年",
        "2026/",
        "vor 3 ",
    ],
)
def test_hostile_repetition_is_answered_quickly(piece: str) -> None:
    text = piece * (2_000 // len(piece))
    reference = datetime(2026, 1, 7, tzinfo=UTC)
    find_moment("2026 " + text, reference=reference)  # reads the data the first time
    started = time.perf_counter()
    find_moment(text, reference=reference)
    find_moment("2026 " + text)
    is_date_line(text[:200])
    parse_moment(text[:200])
    assert time.perf_counter() - started < 1.0


def test_dates_as_babel_writes_them_are_read() -> None:
    dates = pytest.importorskip("babel.dates")
    tried: dict[str, int] = defaultdict(int)
    missed: dict[str, list[str]] = defaultdict(list)
    moments = [
        datetime(1996 + number * 3 % 60, number % 12 + 1, number * 5 % 28 + 1, 6, 41, tzinfo=UTC)
        for number in range(24)
    ]
    for locale in LOCALES.split():
        for moment in moments:
            for width in ("medium", "long", "full"):
                for write in (dates.format_date, dates.format_datetime):
                    text = write(moment, width, locale=locale)
                    read = parse_moment(text, languages=(locale,))
                    tried[locale] += 1
                    if read is None or read.at.date() != moment.date():
                        missed[locale].append(text)
    shares = {locale: 1 - len(missed[locale]) / count for locale, count in tried.items()}
    worst = {locale: missed[locale][:3] for locale, share in shares.items() if share < 1}
    assert sum(shares.values()) / len(shares) >= 0.98, worst
    assert min(shares.values()) >= 0.9, worst


def test_the_data_is_what_the_recipe_makes() -> None:
    pytest.importorskip("babel", minversion="2.18")
    recipe = HERE / "make_months.py"
    code = (
        "import runpy, sys; made = runpy.run_path(sys.argv[1]);"
        "data = made['DATA'];"
        "pairs = (('months.toml', made['month_lines']()), ('ago.toml', made['ago_lines']()));"
        "sys.exit(sum(chr(10).join(lines).rstrip() + chr(10)"
        " != (data / name).read_text(encoding='utf-8') for name, lines in pairs))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(recipe)], cwd=HERE.parent, check=False)
    assert done.returncode == 0


def test_words_spelled_at_once_are_spelled_as_one_by_one() -> None:
    text = (HERE.parent / "normalize" / "data" / "datewords.toml").read_text(encoding="utf-8")
    hand = tomllib.loads(text)
    rows = [*hand["roles"].values(), *hand["periods"].values(), *hand["days"].values()]
    for table in ("months", "weekdays", "persian", "hijri"):
        rows += [cell for row in hand[table].values() for cell in row.split("|")]
    for row in rows:
        singly = [folded for word in row.split(";") if (folded := spell(word))]
        assert spelled_at_once(row) == singly


def test_the_import_brings_no_more_than_the_standard_library_and_is_light() -> None:
    code = (
        "import sys; import schemas.document, tomllib, unicodedata, calendar, re, pathlib, typing;"
        "before = set(sys.modules); import time; started = time.perf_counter();"
        "import normalize.dates; took = time.perf_counter() - started;"
        "assert set(sys.modules) - before <= {'normalize', 'normalize.dates', 'time'};"
        "print(took)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=HERE.parent, check=True, capture_output=True)
