"""Rules for one site: the container is the story, what is to go is removed by name, and a stale rule is seen."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hostile import STORY, TITLE
from hypothesis import given, settings
from hypothesis import strategies as st
from small_pages import PARAGRAPHS, article, raw, web

from normalize.describe import without
from normalize.options import DocumentOptions
from normalize.path import run_document
from schemas.document import Article, Rejected
from schemas.errors import SetupError
from schemas.site_rule import SiteRule, digest, rules_of, wrong_with

BOX = '<div class="box">Members of the Harbour Club read the ferry timetable a week before everybody else does.</div>'
PAGE = web(
    f'<div id="story">{PARAGRAPHS}{BOX}<p class="sig">Ann Lee</p></div><div id="more">{"<p>Another ferry story from last year, told at length.</p>" * 3}</div>'
)


def rule(**known: Any) -> SiteRule:
    return SiteRule(origin="test", **known)


def ruled(*rules: SiteRule, page: str = PAGE, **known: Any) -> Article:
    return article(page, site_rules=rules, **known)


def test_a_container_is_kept_whole_and_nothing_outside_it() -> None:
    found = ruled(rule(keep=("//div[@id='story']",)))
    assert [paragraph.text for paragraph in found.paragraphs] == [*STORY, BOX[17:-6]]
    # The cleaning rules go on from there: a name alone at the end is a byline.
    assert [block.text for block in found.removed if block.rule == "head:name"] == ["Ann Lee"]
    assert "site:left-out" in {block.rule for block in found.removed}


def test_the_first_selector_that_finds_text_counts() -> None:
    found = ruled(rule(keep=("//div[@id='old']", "//div[@id='story']")))
    assert found.paragraphs[0].text == STORY[0]
    assert "stale_site_rule" not in found.quality_flags


def test_what_is_dropped_is_removed_and_names_the_selector() -> None:
    found = ruled(rule(drop=("//div[@class='box']",), keep=("//div[@id='story']",)))
    assert BOX[17:-6] not in found.text
    assert [block.text for block in found.removed if block.rule == "site:drop://div[@class='box']"] == [BOX[17:-6]]


def test_text_behind_a_dropped_element_stays() -> None:
    page = web(f"<p>{STORY[0]} <b class='ad'>Buy now</b> {STORY[1]}</p>{PARAGRAPHS}")
    assert f"{STORY[0]} {STORY[1]}" in ruled(rule(drop=("//b",)), page=page).text


def test_fields_come_from_the_rule_before_all_else() -> None:
    page = web(
        f'<p class="head">Quay reopens</p><i class="who">Ann Lee</i><b class="when">7 January 2026</b>{PARAGRAPHS}'
    )
    found = ruled(
        rule(title=("//p[@class='head']",), authors=("//i",), published=("//b/text()",), section=("string(//h1)",)),
        page=page,
    )
    assert (found.title, found.authors, found.section) == ("Quay reopens", ("Ann Lee",), TITLE)
    assert found.published is not None
    assert found.published.at.date() == date(2026, 1, 7)
    origins = {one.field: (one.origin, one.rule) for one in found.origins}
    assert origins["title"] == ("site", "//p[@class='head']")


def test_a_rule_that_finds_nothing_is_flagged_and_the_judge_decides() -> None:
    found = ruled(rule(keep=("//div[@id='gone']",), title=("//h1[@class='gone']",), tags=("//i[@class='tag']",)))
    assert found.text == ruled().text
    assert "stale_site_rule" in found.quality_flags
    stale = [(one.field, one.rule) for one in found.origins if one.origin == "stale_rule"]
    # Many pages have no tags: their absence says nothing of the layout.
    assert sorted(stale) == [("keep", "//div[@id='gone']"), ("title", "//h1[@class='gone']")]


@pytest.mark.parametrize(
    ("fetched", "kept"),
    [(datetime(2024, 10, 14, 23, 59, tzinfo=UTC), "old"), (datetime(2024, 10, 15, tzinfo=UTC), "new"), (None, "new")],
)
def test_the_day_of_the_fetch_decides_which_rule_holds(fetched: datetime | None, kept: str) -> None:
    page = web(
        "".join(
            f'<div id="{name}">{f"<p>The {name} layout of this page, in words enough.</p>" * 9}</div>'
            for name in ("old", "new")
        )
    )
    rules = (
        rule(until=date(2024, 10, 14), keep=("//div[@id='old']",)),
        rule(since=date(2024, 10, 15), keep=("//div[@id='new']",)),
    )
    found = ruled(*rules, page=page, fetched_at=fetched)
    assert {paragraph.text.split()[1] for paragraph in found.paragraphs} == {kept}


def test_a_stale_rule_and_the_one_who_gave_the_field_both_stay_when_a_site_template_cuts() -> None:
    found = ruled(rule(title=("//h1[@class='gone']",)))
    assert [one.origin for one in found.origins if one.field == "title"] == ["h1", "stale_rule"]
    assert without(found, {0: "template:test"}, DocumentOptions()).origins == found.origins


def test_nothing_of_the_bounds_of_a_container_is_left_in_the_record() -> None:
    found = ruled(rule(keep=("//article",)), page=web(f"text before {PARAGRAPHS}"))
    assert "site-rule" not in repr(found)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["//p", "//*", "/html", "//body", "//text()", "//@class", "count(//p)", "//p[2]", "//head", "1 = 1"]), st.sampled_from(["keep", "drop", "title", "authors"]))  # fmt: skip
def test_whatever_a_selector_finds_the_document_becomes_a_record_or_is_refused(selector: str, key: str) -> None:
    rules = (rule(**{key: (selector,)}),)
    assert isinstance(run_document(raw(PAGE, site_rules=rules), DocumentOptions()), Article | Rejected)


# ---- the form ------------------------------------------------------------------------------------

FAULTS: list[tuple[object, str]] = [
    ({"keep": ["//p["]}, 'rule 1 keep "//p[" is not usable; it must be an XPath 1.0 expression'),
    ({"keep": ["document('/etc/passwd')"]}, "must be without the function document(); use boolean, "),
    ({"keep": ["//p[re:test(., '(a+)+')]"]}, "without the function re:test()"),
    ({"keep": ["//x:p"]}, "must be without variables and prefixes"),
    ({"keep": ["//p[. = $a]"]}, "must be without variables and prefixes"),
    ({"keep": ["//a//b//c//d//e"]}, "must be quicker: at most 4 steps"),
    ({"keep": ["//p" + "[1]" * 13]}, "must be simpler: at most 12 brackets"),
    ({"keep": ["//p" * 200]}, "must be at most 500 characters long"),
    ({"keep": 3}, "rule 1 keep is 3; it must be a selector or a list of them"),
    ({"keep": [""]}, "rule 1 keep is ''; it must be a string that is not empty"),
    ({"text": ["//p"]}, 'rule 1 key "text" is unknown; use one of: from, until, keep, drop, title'),
    ({"from": "2024-10-14", "keep": "//p"}, "rule 1 from is '2024-10-14'; it must be a day without quotes"),
    ({"from": date(2024, 2, 1), "until": date(2024, 1, 1), "keep": "//p"}, "from 2024-02-01 is later than until 2024-01-01"),
    ({"until": date(2024, 1, 1)}, "rule 1 has no selector; give it one of: keep, drop, title"),
    (3, "rule 1 is 3; it must be a table of keys and values"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "message"), FAULTS)
def test_a_fault_names_place_key_value_and_what_is_allowed(table: object, message: str) -> None:
    with pytest.raises(SetupError) as error:
        rules_of([table], where="sources.toml: [quay]")
    assert str(error.value).startswith("sources.toml: [quay] rule 1")
    assert message in str(error.value)


def test_rules_that_are_no_list_of_tables_are_refused() -> None:
    with pytest.raises(SetupError, match=r"write \[\[source.rule\]\] for each rule"):
        rules_of({"keep": "//p"}, where="sources.toml: [quay]")


@pytest.mark.parametrize(
    "selector",
    ["//article", "//div[contains(concat(' ', @class, ' '), ' story ')]", "//p[position() > 2 and (@a or not(@b))]",
     "//a[starts-with(@href, 'https://x.example/(a)')]", "descendant::p[1]", "string(//h1)", "//h2/following-sibling::p"],
)  # fmt: skip
def test_useful_selectors_are_fine(selector: str) -> None:
    assert wrong_with(selector) is None


def test_where_a_rule_stands_does_not_change_its_name_but_what_it_says_does() -> None:
    one, moved, other = rule(keep=("//p",)), SiteRule(origin="elsewhere", keep=("//p",)), rule(drop=("//p",))
    assert digest([one]) == digest([moved]) != digest([other])
    assert digest([rule(until=date(2024, 1, 1), keep=("//p",))]) != digest([one])
