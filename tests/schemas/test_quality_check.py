"""From counts to findings: bounds, evidence, groups, examples, and the rules that need more than a row at a time."""

from dataclasses import replace

import polars as pl
import pytest
from night_records import TEXT, night_of, record, refused

from schemas.quality.check import check
from schemas.quality.finding import Finding
from schemas.quality.rules import Rule, built_in

RULES = {rule.name: rule for rule in built_in()}
NO_TITLE = Rule(
    name="no_title", meaning="No title.", where="title IS NULL", warn={"all": 0.1}, fail={"all": 0.5}, least=10
)


def night(bad: int, of: int, **changed: object) -> list[dict[str, object]]:
    """Make records of which some have no title."""
    return [record(number, **({"title": None} if number < bad else {}), **changed) for number in range(of)]


def found(
    rule: Rule, records: list[dict[str, object]], documents: list[dict[str, object]] | None = None
) -> list[Finding]:
    return list(check(night_of(records, documents or []), [rule]))


def test_a_good_night_has_no_findings() -> None:
    assert check(night_of([record(number) for number in range(300)], [refused()]), built_in()) == ()


@pytest.mark.parametrize(("bad", "level"), [(2, None), (3, "warn"), (10, "warn"), (11, "fail")])
def test_a_share_above_its_bound_is_a_finding_of_that_level(bad: int, level: str | None) -> None:
    findings = found(NO_TITLE, night(bad, 20))
    assert [finding.level for finding in findings] == ([level] if level else [])


def test_a_finding_says_how_many_of_how_many_and_where_to_look() -> None:
    (finding,) = found(replace(NO_TITLE, column="title"), night(5, 20))
    assert (finding.count, finding.of, finding.value, finding.threshold) == (5, 20, 0.25, 0.1)
    assert finding.sentence == "5 of 20 records (25.0%; more than 10.0%). No title."
    assert finding.column == "title"
    assert len(finding.examples) == 2
    assert set(finding.examples) <= {record(number)["record_id"] for number in range(5)}


def test_few_records_say_nothing_and_neither_do_one_or_two_flagged() -> None:
    assert found(NO_TITLE, night(9, 9)) == []
    assert found(replace(NO_TITLE, warn={"all": 0.01}), night(2, 20)) == []


def test_where_none_is_allowed_one_is_enough() -> None:
    (finding,) = found(RULES["value_page_type"], [record(), record(1, page_type="recipe")])
    assert (finding.level, finding.count) == ("fail", 1)
    assert finding.sentence.startswith("1 of 2 records (50.0%; none is allowed). page_type is none of: article")


def test_the_rule_asks_only_about_the_records_it_is_for() -> None:
    rule = replace(NO_TITLE, of="page_type = 'article'")
    listings = [record(100 + number, page_type="listing", title=None) for number in range(50)]
    assert found(rule, night(1, 20) + listings) == []
    (finding,) = found(rule, night(4, 20) + listings)
    assert (finding.count, finding.of) == (4, 20)


def test_blame_goes_to_the_source_and_to_nobody_where_none_is_known() -> None:
    rule = replace(NO_TITLE, warn={"source_id": 0.3}, fail={})
    good = [record(number, source_id="nea-akti") for number in range(100, 130)]
    nobody = night(20, 20, source_id=None, domain=None)
    (finding,) = found(rule, night(10, 20) + good + nobody)
    assert (finding.source_id, finding.count, finding.of) == ("limani", 10, 20)
    assert finding.sentence.startswith("limani: 10 of 20 records")


def test_where_no_source_is_known_the_site_is_blamed() -> None:
    rule = replace(NO_TITLE, warn={"source_id": 0.3}, fail={})
    (finding,) = found(rule, night(10, 20, source_id=None))
    assert finding.source_id == "limani.example"


def test_blame_may_go_to_a_language_or_a_site() -> None:
    rule = replace(NO_TITLE, warn={"lang": 0.3, "domain": 0.3}, fail={})
    (of_site, of_lang) = sorted(found(rule, night(10, 20, lang="el")), key=lambda finding: finding.lang or "")
    assert (of_lang.lang, of_lang.domain, of_lang.sentence[:29]) == ("el", None, "language el: 10 of 20 records")
    assert (of_site.lang, of_site.domain) == (None, "limani.example")


def test_a_share_of_all_and_those_of_sources_are_findings_of_their_own() -> None:
    rule = replace(NO_TITLE, warn={"all": 0.1, "source_id": 0.3}, fail={})
    rows = night(10, 20) + [record(number, source_id="nea-akti") for number in range(100, 120)]
    assert [(finding.source_id, finding.of) for finding in found(rule, rows)] == [("limani", 20), (None, 40)]


def test_the_worst_comes_first() -> None:
    rows = [record(number, title=None, dup_of="00" if number % 3 else None) for number in range(60)]
    findings = check(night_of(rows), built_in())
    assert [(finding.level, finding.rule, finding.source_id) for finding in findings] == [
        ("fail", "missing_title", None),
        ("warn", "missing_title", "limani"),
        ("warn", "duplicate", None),
        ("warn", "duplicate", "limani"),
    ]


def test_findings_do_not_hang_on_how_the_rows_are_cut_and_ordered() -> None:
    rows = night(40, 200) + [record(1000 + number, dup_of="00") for number in range(300)]
    whole = check(night_of(rows), built_in())
    assert whole
    frame = night_of(rows).articles.collect()
    cut = pl.concat([frame[start : start + 7].lazy() for start in range(497, -1, -7)])
    assert check(replace(night_of(rows), articles=cut), built_in()) == whole


# ---- more than a row at a time ------------------------------------------------------------------


def test_a_record_id_that_stands_twice_in_a_run_is_found() -> None:
    twice = [record(1), record(1), *(record(number) for number in range(2, 40))]
    (finding,) = found(RULES["repeated_record"], twice)
    assert (finding.level, finding.count, finding.of, finding.examples) == ("fail", 2, 40, (record(1)["record_id"],))
    again = [record(1), record(1, run_id="another run")]
    assert found(RULES["repeated_record"], again) == []


BLOCK = "Our harbour needs friends: become one for 5 crowns a month."


def with_block(number: int, block: str = BLOCK, **changed: object) -> dict[str, object]:
    return record(number, text=f"It is the {number}th of its kind.\n\n{block}", **changed)


def own(number: int, **changed: object) -> dict[str, object]:
    """A record that shares no block with another."""
    return record(
        number,
        **{
            "text": f"This is number {number}, of which there is only one.\n\nAnd {number} more words of it.",
            **changed,
        },
    )


def test_a_block_in_many_articles_of_a_site_is_found_with_its_words() -> None:
    rows = [with_block(number) if number < 20 else own(number) for number in range(60)]
    (finding,) = found(RULES["repeated_block"], rows)
    assert (finding.domain, finding.level, finding.count, finding.of) == ("limani.example", "warn", 20, 60)
    assert BLOCK in finding.sentence
    assert all(example in {row["record_id"] for row in rows[:20]} for example in finding.examples)


@pytest.mark.parametrize(
    "row",
    [
        lambda number: with_block(number, domain=f"site-{number}.example"),
        lambda number: with_block(number, domain=None),
        lambda number: with_block(number, page_type="listing"),
        lambda number: with_block(number, dup_of="00"),
        lambda number: with_block(number, block="What we know so far"),
        lambda number: own(number, text=f"{BLOCK} {number}\n\n{BLOCK} {number}"),
    ],
    ids=["of many sites", "of no site", "of listings", "of duplicates", "short ones", "twice in one article each"],
)
def test_other_blocks_are_left_alone(row: object) -> None:
    assert callable(row)
    assert found(RULES["repeated_block"], [row(number) for number in range(60)]) == []


def test_of_a_large_site_a_sample_is_searched_and_shows_the_same_share() -> None:
    rows = [with_block(number) if number % 2 else own(number) for number in range(3000)]
    (finding,) = found(RULES["repeated_block"], rows)
    assert 150 < finding.of < 250
    assert 0.35 < finding.value < 0.65


def test_the_refused_are_counted_beside_all_documents_with_their_reasons() -> None:
    documents = [refused(number, reason="no_text" if number % 3 else "too_deep") for number in range(30)]
    of_all, of_source = found(RULES["quarantined"], [record(number) for number in range(20)], documents)
    assert of_all.level == "fail"
    assert (of_source.source_id, of_source.level, of_source.count, of_source.of) == ("limani", "warn", 30, 50)
    assert of_all.sentence.endswith("Reasons: no_text 20, too_deep 10.")


def test_a_source_of_which_nothing_was_refused_is_not_blamed_for_others() -> None:
    documents = [refused(number, source_id="nea-akti") for number in range(40)]
    findings = found(RULES["quarantined"], [record(number) for number in range(400)], documents)
    assert [finding.source_id for finding in findings] == ["nea-akti"]


def test_a_night_without_records_fails() -> None:
    (finding,) = check(night_of([], [refused()]), built_in())
    assert (finding.rule, finding.level, finding.sentence) == ("no_records", "fail", "The night has no record at all.")


def test_text_and_its_phrases_are_enough_for_all_rules_together() -> None:
    rows = [
        record(number, text=f"Read more\n\n{TEXT} {number} caf\ufffd", title=f"Ferry {number}") for number in range(60)
    ]
    names = {finding.rule for finding in check(night_of(rows), built_in())}
    assert {"boilerplate", "replacement_character", "repeated_block"} == names
