"""What drift tells of a night, and what it keeps quiet about."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from schemas.quality.drift import drift
from schemas.quality.finding import Finding, Tables
from schemas.record import QUARANTINE, RECORD

#: A Monday; the night that is asked for is a Tuesday four weeks later.
FIRST = date(2026, 2, 16)
TONIGHT = 29
NOON = datetime(2026, 2, 16, 12, tzinfo=UTC)

Change = Callable[[str, int, list[dict[str, Any]]], list[dict[str, Any]]]
"""Takes a source, the number of a night and its pages; gives the pages as they are instead."""


def same(_: str, __: int, pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return pages


def page(source: str, night: int, number: int) -> dict[str, Any]:
    """One page of a usual night; every tenth has no author, every twentieth no date."""
    turn = 7 * night + number
    return {
        "record_id": f"{source}-{night:02}-{number:03}",
        "run_date": FIRST + timedelta(days=night),
        "source_id": source,
        "domain": f"{source}.example",
        "publisher": source.title(),
        "title": f"What happened at {source} on day {night}, part {number}",
        "text": "x" * (800 + 37 * (turn * 11 % 40)),
        "lang": "de",
        "page_type": "article",
        "authors": None if turn % 10 == 0 else ["Ada Example"],
        "published_at": None if turn % 20 == 0 else NOON,
        "mt_status": "done",
    }


def nights(
    change: Change = same, *, last: int = TONIGHT, first: int = 0, sizes: Mapping[str, int] | None = None
) -> Tables:
    """Give nights on which ten sources have 40 pages each, give or take two, and fewer on Sundays."""
    sizes = sizes or {f"daily-{number}": 40 for number in range(10)}
    records: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    for night in range(first, last + 1):
        sunday = 0.6 if (FIRST + timedelta(days=night)).weekday() == 6 else 1
        for place, (source, size) in enumerate(sizes.items()):
            count = round((size + (night * 7 + place * 3) % 5 - 2) * sunday)
            for item in change(source, night, [page(source, night, number) for number in range(count)]):
                (refused if "reason" in item else records).append(item)
    days = [FIRST + timedelta(days=night) for night in range(first, last + 1)]
    return Tables(
        articles=frame(records, RECORD),
        quarantine=frame(refused, QUARANTINE),
        fetches=pl.LazyFrame(),
        runs=pl.LazyFrame({"run_date": days}),
    )


def frame(rows: list[dict[str, Any]], schema: pl.Schema) -> pl.LazyFrame:
    """Give rows with all columns of the schema; what they do not name is null."""
    named = {name for row in rows for name in row}
    filled = [
        pl.Series(name, [row.get(name) for row in rows], dtype) for name, dtype in schema.items() if name in named
    ]
    absent = [pl.lit(None, dtype).alias(name) for name, dtype in schema.items() if name not in named]
    return pl.DataFrame(filled).lazy().with_columns(absent) if rows else pl.LazyFrame(schema=schema)


def told(tables: Tables, *, on: int = TONIGHT, **options: int) -> tuple[Finding, ...]:
    return drift(tables, night=FIRST + timedelta(days=on), **options)


def in_one(new: Callable[[dict[str, Any]], dict[str, Any]], *, since: int = TONIGHT, source: str = "daily-3") -> Change:
    """Change every page of one source from a night on."""

    def change(where: str, night: int, pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**item, **new(item)} for item in pages] if where == source and night >= since else pages

    return change


def short(item: dict[str, Any]) -> dict[str, Any]:
    return {"text": item["text"][: len(item["text"]) // 4]}


def undated(_: dict[str, Any]) -> dict[str, Any]:
    return {"published_at": None}


# ---- what is told ---------------------------------------------------------------------------------


def test_a_night_like_the_others_is_no_news() -> None:
    assert told(nights()) == ()


def test_a_shorter_text_is_told_with_numbers_first_night_and_records() -> None:
    (finding,) = told(nights(in_one(short)))
    assert finding.sentence == (
        "daily-3: text length fell from a median of 1,522 to 380 characters, 40 of 40 pages, "
        "since 17 March; first record daily-3-29-000"
    )
    assert (finding.rule, finding.column, finding.source_id) == ("drift/text_length", "text", "daily-3")
    assert (finding.count, finding.of, finding.level) == (40, 40, "fail")
    assert finding.since == date(2026, 3, 17)
    assert finding.examples[0] == "daily-3-29-000"
    assert len(finding.examples) == 5


def test_the_bound_lies_between_what_is_usual_and_what_was_seen() -> None:
    (finding,) = told(nights(in_one(undated)))
    assert finding.usual is not None
    assert finding.usual < finding.threshold < finding.value == 1.0


def test_half_as_many_undated_pages_are_a_warning_and_all_of_them_a_failure() -> None:
    def half(item: dict[str, Any]) -> dict[str, Any]:
        return undated(item) if int(item["record_id"][-1]) % 2 else {}

    assert [finding.level for finding in told(nights(in_one(half)))] == ["warn"]
    assert [finding.level for finding in told(nights(in_one(undated)))] == ["fail"]


def test_each_fault_is_blamed_on_its_source_and_column() -> None:
    faults: dict[str, dict[str, Any]] = {
        "published_at": {"published_at": None},
        "authors": {"authors": None},
        "title": {"title": "The Daily"},
        "page_type": {"page_type": "listing"},
        "lang": {"lang": "el"},
        "dup_of": {"dup_of": "daily-1-00-000"},
        "mt_status": {"mt_status": "failed"},
        "mt_flags": {"mt_flags": ["repetition"]},
        "quality_flags": {"quality_flags": ["replacement_characters"]},
        "removed": {"removed": [{"role": "boilerplate", "rule": "template:9 of 9 pages", "text": "x"}]},
        "lang_conflict": {"lang_conflict": True},
    }
    for column, fault in faults.items():
        found = told(nights(in_one(lambda _, fault=fault: fault)))  # type: ignore[misc]
        assert [(finding.source_id, finding.column) for finding in found] == [("daily-3", column)], column


def test_a_source_that_falls_silent_is_told_with_its_last_record() -> None:
    (finding,) = told(nights(lambda where, night, pages: [] if (where, night) == ("daily-3", TONIGHT) else pages))
    assert finding.sentence == (
        "daily-3: pages fell from a usual 40 on a Tuesday to 0, since 17 March; last record daily-3-28-037"
    )


def test_a_source_with_many_times_its_pages_is_told() -> None:
    def often(where: str, night: int, pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return (
            [page(where, night, number) for number in range(400)] if (where, night) == ("daily-3", TONIGHT) else pages
        )

    (finding,) = told(nights(often))
    assert (finding.rule, finding.value, finding.level) == ("drift/pages", 400, "fail")


def test_without_a_catalogue_the_host_is_the_source() -> None:
    def unnamed(where: str, night: int, pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**item, "source_id": None} for item in in_one(undated)(where, night, pages)]

    assert [finding.source_id for finding in told(nights(unnamed))] == ["daily-3.example"]


# ---- one cause, one finding -------------------------------------------------------------------------


def test_listings_without_authors_and_dates_are_one_finding() -> None:
    listing = {"page_type": "listing", "authors": None, "published_at": None, "text": "x" * 90}
    (finding,) = told(nights(in_one(lambda _: listing)))
    assert finding.column == "page_type"
    assert finding.sentence.startswith(
        "daily-3: pages of kind listing rose from 0 % to 100 %, 40 of 40, since 17 March; "
    )
    assert "with it more pages without published_at, more pages without authors" in finding.sentence


def test_stories_under_many_addresses_explain_their_titles_and_their_number() -> None:
    def again(where: str, night: int, pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if (where, night) != ("daily-3", TONIGHT):
            return pages
        copies = [
            {**item, "record_id": f"{item['record_id']}-{copy}", "dup_of": item["record_id"]}
            for copy in range(4)
            for item in pages
        ]
        return pages + copies

    (finding,) = told(nights(again))
    assert finding.column == "dup_of"


def test_refused_documents_are_told_as_such_and_not_as_silence() -> None:
    def refuse(where: str, night: int, pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if (where, night) != ("daily-3", TONIGHT):
            return pages
        return [{"reason": "no_text", "source_id": where, "run_date": item["run_date"]} for item in pages]

    (finding,) = told(nights(refuse))
    assert (finding.rule, finding.count, finding.of) == ("drift/quarantine", 40, 40)


def test_two_sources_with_faults_are_two_findings() -> None:
    def both(where: str, night: int, pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return in_one(short, source="daily-5")(where, night, in_one(undated)(where, night, pages))

    found = told(nights(both))
    assert {(finding.source_id, finding.column) for finding in found} == {
        ("daily-3", "published_at"),
        ("daily-5", "text"),
    }


def two_languages(
    share: int, *, tonight: int | None = None, fault: Callable[[dict[str, Any]], dict[str, Any]] | None = None
) -> Change:
    """Give daily-3 a second language, with texts of a third of the length, on so many of ten pages."""

    def change(where: str, night: int, pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if where != "daily-3":
            return pages
        some = tonight if tonight is not None and night == TONIGHT else share
        mixed = [
            {**item, "lang": "zh", "text": item["text"][: len(item["text"]) // 3]} if number % 10 < some else item
            for number, item in enumerate([page(where, night, number) for number in range(3 * len(pages))])
        ]
        if fault and night == TONIGHT:
            return [{**item, **fault(item)} if item["lang"] == "zh" else item for item in mixed]
        return mixed

    return change


def test_a_fault_of_one_language_is_blamed_on_that_language() -> None:
    (finding,) = told(nights(two_languages(3, fault=lambda _: {"mt_status": "failed"})))
    assert (finding.source_id, finding.lang, finding.column) == ("daily-3", "zh", "mt_status")


def test_another_mix_of_languages_is_no_other_length() -> None:
    (finding,) = told(nights(two_languages(3, tonight=9)))
    assert (finding.column, finding.lang) == ("lang", "zh")
    assert "text length" not in finding.sentence


# ---- since when -----------------------------------------------------------------------------------


def test_a_fault_that_stays_is_told_with_its_first_night() -> None:
    (finding,) = told(nights(in_one(undated, since=TONIGHT - 3)))
    assert finding.since == FIRST + timedelta(days=TONIGHT - 3)
    assert "since 14 March (4 nights)" in finding.sentence
    assert finding.examples[0] == f"daily-3-{TONIGHT - 3}-000"


def test_a_silence_that_stays_keeps_its_first_night_over_a_week() -> None:
    def silent(where: str, night: int, pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [] if where == "daily-3" and night > TONIGHT - 9 else pages

    (finding,) = told(nights(silent))
    assert finding.since == FIRST + timedelta(days=TONIGHT - 8)


def test_a_fault_of_ten_nights_has_not_become_its_own_measure() -> None:
    (finding,) = told(nights(in_one(short, since=TONIGHT - 9)))
    assert finding.usual == 1540


def test_what_has_been_so_for_three_weeks_is_usual() -> None:
    assert told(nights(in_one(short, since=TONIGHT - 20))) == ()


def test_a_fault_of_one_night_does_not_hide_the_next() -> None:
    def twice(where: str, night: int, pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return in_one(undated, since=0)(where, night, pages) if night in {TONIGHT - 6, TONIGHT} else pages

    (finding,) = told(nights(twice))
    assert finding.since == FIRST + timedelta(days=TONIGHT)


def test_an_old_fault_does_not_hide_a_new_one() -> None:
    def both(where: str, night: int, pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return in_one(short)(where, night, in_one(undated, since=TONIGHT - 3)(where, night, pages))

    assert {finding.column: finding.since for finding in told(nights(both))} == {
        "text": FIRST + timedelta(days=TONIGHT),
        "published_at": FIRST + timedelta(days=TONIGHT - 3),
    }


# ---- what is not told -----------------------------------------------------------------------------


def test_the_first_nights_have_no_usual() -> None:
    assert told(nights(in_one(undated), first=TONIGHT - 7)) == ()
    assert len(told(nights(in_one(undated), first=TONIGHT - 8))) == 1


def test_nothing_is_asked_of_a_night_that_did_not_run() -> None:
    assert told(nights(in_one(undated)), on=TONIGHT + 1) == ()


def test_nights_farther_back_than_asked_for_are_not_looked_at() -> None:
    assert told(nights(in_one(undated)), nights=7) == ()


def test_a_source_of_few_pages_is_left_alone() -> None:
    sizes = {**{f"daily-{number}": 40 for number in range(10)}, "daily-3": 6}
    assert told(nights(in_one(undated), sizes=sizes)) == ()


def test_of_ten_pages_a_night_none_may_come() -> None:
    def silent(where: str, night: int, pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [] if (where, night) == ("daily-3", TONIGHT) else pages

    ten = {**{f"daily-{number}": 40 for number in range(10)}, "daily-3": 9}
    assert told(nights(silent, sizes=ten)) == ()
    assert len(told(nights(silent, sizes={**ten, "daily-3": 25}))) == 1


def test_the_same_share_is_chance_among_few_pages_and_a_change_among_many() -> None:
    def some(item: dict[str, Any]) -> dict[str, Any]:
        return undated(item) if int(item["record_id"][-3:]) % 10 in {1, 4, 7, 9} else {}

    few = {**{f"daily-{number}": 40 for number in range(10)}, "daily-3": 14}
    many = {**few, "daily-3": 200}
    assert told(nights(in_one(some), sizes=few)) == ()
    assert [finding.column for finding in told(nights(in_one(some), sizes=many))] == ["published_at"]


def test_what_chance_does_once_in_so_many_tests_is_not_told() -> None:
    # Seven of 41 where one in twenty is usual: once in 400 by chance, and some hundred things are looked at.
    def some(item: dict[str, Any]) -> dict[str, Any]:
        return undated(item) if int(item["record_id"][-3:]) % 6 == 0 else {}

    assert told(nights(in_one(some))) == ()


def test_a_small_change_is_of_no_interest_however_sure() -> None:
    sizes = {**{f"daily-{number}": 40 for number in range(10)}, "daily-3": 400}
    longer = in_one(lambda item: {"text": item["text"] + "x" * (len(item["text"]) // 6)})
    assert told(nights(longer, sizes=sizes)) == ()


def test_a_source_whose_nights_differ_widely_must_go_farther() -> None:
    def fifth(where: str, night: int, pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return pages[: len(pages) // 5] if (where, night) == ("daily-3", TONIGHT) else pages

    def wide(where: str, night: int, pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        swing = (0.4, 1.0, 2.4)[(night // 7 + night) % 3]
        return [page(where, night, number) for number in range(round(200 * swing))] if where == "daily-3" else pages

    sizes = {**{f"daily-{number}": 40 for number in range(10)}, "daily-3": 200}
    assert len(told(nights(fifth, sizes=sizes))) == 1
    assert told(nights(lambda *night: fifth(night[0], night[1], wide(*night)), sizes=sizes)) == ()


def quiet_sundays(where: str, night: int, pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [] if where == "daily-3" and (FIRST + timedelta(days=night)).weekday() == 6 else pages


def test_a_source_that_rests_on_sundays_may() -> None:
    sunday = TONIGHT - 2
    assert told(nights(quiet_sundays, last=sunday), on=sunday) == ()


def test_a_holiday_that_hits_all_sources_is_no_fault_of_one() -> None:
    def holiday(_: str, night: int, pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return pages[: len(pages) // 4] if night == TONIGHT else pages

    assert told(nights(holiday, sizes={f"daily-{number}": 120 for number in range(10)})) == ()


def test_on_a_holiday_a_source_may_rest_as_on_its_sundays() -> None:
    def holiday(where: str, night: int, pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        pages = quiet_sundays(where, night, pages)
        return pages if night < TONIGHT else [] if where == "daily-3" else pages[: len(pages) * 6 // 10]

    def silence(where: str, night: int, pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [] if where == "daily-3" and night == TONIGHT else quiet_sundays(where, night, pages)

    assert told(nights(holiday)) == ()
    assert [finding.column for finding in told(nights(silence))] == ["source_id"]


def test_a_past_holiday_does_not_make_a_usual_weekday_look_busy() -> None:
    def rested(where: str, night: int, pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if (where, night) == ("daily-3", TONIGHT):
            return [page(where, night, number) for number in range(60)]
        if night != TONIGHT - 7:
            return pages
        return [] if where == "daily-3" else pages[: len(pages) // 4]

    assert told(nights(rested, first=TONIGHT - 16)) == ()


def test_sources_that_are_new_are_no_measure_for_the_others() -> None:
    def many_new(where: str, night: int, pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if where.startswith("new"):
            return pages if night == TONIGHT else []
        return [] if (where, night) == ("daily-3", TONIGHT) else pages

    sizes = {f"daily-{number}": 40 for number in range(10)} | {f"new-{number}": 40 for number in range(20)}
    assert [(finding.source_id, finding.rule) for finding in told(nights(many_new, sizes=sizes))] == [
        ("daily-3", "drift/pages")
    ]


def test_what_all_sources_do_alike_is_told_once_and_blamed_on_none() -> None:
    found = told(
        nights(lambda _, night, pages: [{**item, **undated(item)} for item in pages] if night == TONIGHT else pages)
    )
    assert [(finding.source_id, finding.column, finding.count) for finding in found] == [(None, "published_at", 10)]
    assert "all sources together: more pages without published_at" in found[0].sentence


def test_a_night_without_any_page_is_told() -> None:
    (finding,) = told(nights(lambda _, night, pages: [] if night == TONIGHT else pages))
    assert (finding.rule, finding.source_id) == ("drift/pages", None)
