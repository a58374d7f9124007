"""One line says what it is for: a time, a source, a credit, an ad, a byline."""

from dataclasses import replace

import pytest
from hostile import STORY
from hypothesis import given, settings
from hypothesis import strategies as st
from small_pages import claim, claimed, cut, dump, kept, left_out, line, page

from normalize.boilerplate import lines
from normalize.clean import Rule
from schemas.document import Block, Image, Page

quick = settings(deadline=None, database=None, derandomize=True, max_examples=100)

ONE, TWO, _ = STORY


def after(rule: Rule, *blocks: str | Block) -> Page:
    return rule(page(*blocks))


# ---- times -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "7 January 2026",
        "Jan 7, 2026, 6:41 a.mJan 7, 2026, 6:41 a.m",
        "07.01.2026 06:41",
        "2 hours ago",
        "7 Ιανουαρίου 2026",
        "2026年1月7日",
    ],
)
def test_a_line_that_is_only_a_time_is_a_date(text: str) -> None:
    assert cut(after(lines.by_date, text, ONE)) == {text: "date"}


@pytest.mark.parametrize(
    "text", ["Monday", "May", "On 7 January 2026 the ferry sailed again.", "1,500 metres", "2026 in pictures"]
)
def test_a_line_that_says_more_than_a_time_stays(text: str) -> None:
    assert kept(after(lines.by_date, text)) == [text]


# ---- breadcrumbs -----------------------------------------------------------------------------------------


def test_a_breadcrumb_goes_and_names_the_section() -> None:
    found = after(lines.by_breadcrumb, "Home > News > Culture", ONE)
    assert (cut(found), claimed(found, "section")) == ({"Home > News > Culture": "navigation"}, ["Culture"])


def test_the_headline_at_the_end_of_a_breadcrumb_is_no_section() -> None:
    found = lines.by_breadcrumb(
        page("Αρχική / Πολιτισμός / Άνοιξε το λιμάνι", claims=(claim("title", "Άνοιξε το λιμάνι"),))
    )
    assert claimed(found, "section") == ["Πολιτισμός"]


@pytest.mark.parametrize("text", ["Prices rose by 3 / 4 percent", "Yes/No", "Home", "Home > ", "Ann / Bo / Cy"])
def test_a_line_with_a_slash_is_no_breadcrumb_by_that(text: str) -> None:
    assert kept(after(lines.by_breadcrumb, text)) == [text]


# ---- sources ---------------------------------------------------------------------------------------------


def test_a_line_that_names_the_source_goes_and_its_addresses_are_cited() -> None:
    found = after(lines.by_source, ONE, "Source: https://www.bbc.example/news/articles/c74.")
    assert cut(found) == {"Source: https://www.bbc.example/news/articles/c74.": "source"}
    assert claimed(found, "cited") == ["https://www.bbc.example/news/articles/c74"]


def test_the_address_may_stand_behind_a_link() -> None:
    links = (("https://source.example/1", "the original"), ("#top", "top"))
    found = after(lines.by_source, ONE, line("Source: the original", links=links))
    assert claimed(found, "cited") == ["https://source.example/1"]


def test_a_source_that_is_an_agency_is_one() -> None:
    found = after(lines.by_source, ONE, "Source: Reuters")
    assert (cut(found), claimed(found, "agency")) == ({"Source: Reuters": "agency"}, ["Reuters"])


def test_a_bare_domain_is_a_hint_at_the_publisher() -> None:
    found = after(lines.by_source, ONE, "www.Harbour-News.example")
    assert (cut(found), claimed(found, "publisher_hint")) == (
        {"www.Harbour-News.example": "source"},
        ["harbour-news.example"],
    )


@pytest.mark.parametrize(
    "text",
    ["harbour.example says so.", "https://harbour.example/ferry/1", "The source of the river is in Sweden.", "3.5"],
)
def test_other_lines_with_a_dot_stay(text: str) -> None:
    assert kept(after(lines.by_source, text)) == [text]


# ---- phrases ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("ADVERTISING", "ad"), ("VIDEO OF THE DAY", "ad"), ("Διαφήμιση", "ad"), ("Share on XShare on FacebookShare on LinkedIn", "share"),
        ("Lesen Sie auch", "related"), ("Σχόλια αναγνωστών", "comments"), ("All rights reserved", "legal"),
    ],
)  # fmt: skip
def test_a_line_of_the_lexicon_goes_in_its_role(text: str, role: str) -> None:
    found = after(lines.by_phrase, ONE, text, TWO)
    assert cut(found) == {text: role}
    assert next(block.rule for block in found.blocks if not block.keep).startswith("lexicon:")


def test_the_names_behind_tags_are_claimed_link_by_link() -> None:
    links = (("/t/1", "ferry"), ("/t/2", "#pier"), ("/t/3", "Tags"))
    found = after(lines.by_phrase, ONE, line("Tags: ferry#pier", links=links))
    assert claimed(found, "tag") == ["ferry", "pier"]


def test_the_names_behind_tags_without_links_are_claimed_together() -> None:
    assert claimed(after(lines.by_phrase, ONE, "Tags: ferry, pier"), "tags") == ["ferry, pier"]


def test_what_a_rule_has_judged_keeps_its_judgement() -> None:
    judged = line("Διαφήμιση", role="date", keep=False, rule="line:date")
    assert after(lines.by_phrase, judged).blocks == (judged,)


# ---- notices ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["© 2026 Harbour News", "Copyright Harbour News 2014–2026. No copies.", "(c) Harbour News, 2026", "  ©2026"]
)
def test_a_copyright_sign_with_a_year_is_a_legal_notice(text: str) -> None:
    assert cut(after(lines.by_notice, text)) == {text: "legal"}


@pytest.mark.parametrize("text", ["© Ann Lee", "The copyright of 2026 is his.", "In 2026 © was printed."])
def test_a_sign_without_a_year_or_in_a_sentence_is_none(text: str) -> None:
    assert kept(after(lines.by_notice, text)) == [text]


# ---- places ----------------------------------------------------------------------------------------------


def at(
    text: str, *places: str, keep: bool = False, links: tuple[tuple[str, str], ...] = (), link_density: float = 0.0
) -> Block:
    block = line(text, places=frozenset(places), links=links, link_density=link_density)
    return block if keep else replace(block, role="boilerplate", keep=False)


@pytest.mark.parametrize(
    ("place", "role"),
    [
        ("nav", "navigation"), ("footer", "legal"), ("comments", "comments"), ("related", "related"), ("share", "share"), ("ad", "ad"),
        ("newsletter", "newsletter"), ("cookie", "cookie"), ("paywall", "paywall"), ("tags", "tags"), ("author", "author"), ("caption", "caption"),
        ("breadcrumb", "navigation"), ("embed", "boilerplate"), ("form", "navigation"),
    ],
)  # fmt: skip
def test_left_out_blocks_are_named_by_the_markup_around_them(place: str, role: str) -> None:
    found = after(lines.by_place, ONE, at("Words", place))
    assert cut(found) == {"Words": role}
    assert found.blocks[1].rule == f"place:{place}"


def test_a_class_name_does_not_take_what_the_extractor_kept() -> None:
    assert kept(after(lines.by_place, ONE, at(TWO, "related", keep=True))) == [ONE, TWO]


def test_a_kept_caption_is_taken_out_whatever_it_looks_like() -> None:
    assert cut(after(lines.by_place, ONE, at("The ferry at noon.", "caption", keep=True))) == {
        "The ferry at noon.": "caption"
    }


def test_a_caption_class_that_holds_the_story_is_not_believed() -> None:
    assert kept(after(lines.by_place, at(ONE, "caption", keep=True), at(TWO, "caption", keep=True))) == [ONE, TWO]


def test_tags_sections_and_authors_of_the_markup_are_claimed() -> None:
    links = (("/t/1", "#ferry"), ("/t/2", "pier"))
    found = after(
        lines.by_place, ONE, at("#ferry pier", "tags", links=links, link_density=1.0), at("Islands", "breadcrumb"), at("Travel", "breadcrumb"), at("Ann Lee", "author")
    )  # fmt: skip
    assert (claimed(found, "tag"), claimed(found, "section"), claimed(found, "author")) == (
        ["ferry", "pier"],
        ["Travel", "Islands"],
        ["Ann Lee"],
    )


def test_a_caption_that_is_nothing_but_a_credit_is_one() -> None:
    assert cut(after(lines.by_place, ONE, at("Photo: Ann Lee", "caption"))) == {"Photo: Ann Lee": "credit"}


# ---- bylines ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("byline", "names"),
    [
        ("By Ann Lee", "Ann Lee"),
        ("Von Jürgen Käthe", "Jürgen Käthe"),
        ("Par Anne Roux", "Anne Roux"),
        ("Κείμενο: Ελένη Καραβά", "Ελένη Καραβά"),
        ("By Ann Lee and Bo Ek", "Ann Lee and Bo Ek"),
    ],
)
def test_a_byline_above_the_story_goes_and_is_claimed(byline: str, names: str) -> None:
    found = after(lines.by_byline, byline, ONE, TWO)
    assert (cut(found), claimed(found, "author")) == ({byline: "author"}, [names])


@pytest.mark.parametrize("text", ["By the end of the decade", "Von wegen", "Par contre, rien n'est sûr."])
def test_words_that_only_begin_like_a_byline_stay(text: str) -> None:
    assert kept(after(lines.by_byline, text, ONE, TWO)) == [text, ONE, TWO]


def test_a_byline_in_the_middle_of_the_story_is_part_of_it() -> None:
    assert kept(after(lines.by_byline, ONE, TWO, "By Ann Lee", ONE)) == [ONE, TWO, "By Ann Lee", ONE]


def test_a_line_that_is_an_agency_is_no_author() -> None:
    found = after(lines.by_byline, "Reuters", ONE, TWO)
    assert (cut(found), claimed(found, "agency"), claimed(found, "author")) == ({"Reuters": "agency"}, ["Reuters"], [])


def test_a_line_about_the_time_goes_as_a_date() -> None:
    assert cut(after(lines.by_byline, "Published: the 7th, at 6.41", ONE, TWO)) == {
        "Published: the 7th, at 6.41": "date"
    }


# ---- pictures --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "caption", "credit"),
    [
        ("A ferry in the harbour. Photo: Ann Lee", "A ferry in the harbour.", "Ann Lee"),
        ("A ferry in the harbour.Image: keystone", "A ferry in the harbour.", "keystone"),
        ("Das Schiff im Hafen. (Foto: dpa)", "Das Schiff im Hafen.", "dpa"),
        ("Το πλοίο στο λιμάνι. Φωτογραφία: Στέλιος Βαρδής", "Το πλοίο στο λιμάνι.", "Στέλιος Βαρδής"),
        ("Паром в порту. Фото: Анна Ли", "Паром в порту.", "Анна Ли"),
        ("A ferry in the harbour. © Ann Lee", "A ferry in the harbour.", "Ann Lee"),
        ("新馆开放首日。（吴桐 摄）", "新馆开放首日。", "吴桐"),
        ("夜の図書館（撮影・大原恵介）", "夜の図書館", "大原恵介"),
        ("Photo: Ann Lee", None, "Ann Lee"),
    ],
)
def test_a_caption_is_parted_from_its_credit(text: str, caption: str | None, credit: str) -> None:
    parts = lines.split_credit(text)
    assert parts
    assert parts[:2] == (caption, credit)


@pytest.mark.parametrize(
    "text",
    [
        "A ferry in the harbour.",
        "© 2026 Harbour News",
        "Photo: he said it was his. Nobody believed him.",
        "The photo showed a ferry.",
        "At 10:30 it sailed.",
        "",
    ],
)
def test_a_line_without_a_credit_is_not_parted(text: str) -> None:
    assert lines.split_credit(text) is None


def test_a_caption_in_the_text_becomes_a_picture_without_an_address() -> None:
    found = after(lines.by_credit, ONE, "A ferry in the harbour. Photo: Ann Lee", TWO)
    assert cut(found) == {"A ferry in the harbour. Photo: Ann Lee": "caption"}
    assert found.images == (Image(url=None, caption="A ferry in the harbour.", credit="Ann Lee", lead=True),)


def test_a_credit_on_its_own_takes_the_short_line_above_along() -> None:
    found = after(lines.by_credit, ONE, "The ferry at noon", "Photo: Ann Lee", TWO)
    assert cut(found) == {"The ferry at noon": "caption", "Photo: Ann Lee": "credit"}
    assert [(image.caption, image.credit) for image in found.images] == [("The ferry at noon", "Ann Lee")]


def test_a_credit_on_its_own_leaves_a_sentence_above_it_alone() -> None:
    assert kept(after(lines.by_credit, "It sailed at noon.", "Photo: Ann Lee")) == ["It sailed at noon."]


# ---- agencies --------------------------------------------------------------------------------------------


def test_the_agencies_that_end_a_text_are_cut_off_and_claimed() -> None:
    found = after(lines.by_agency, ONE, f"{TWO} (sda/dpa/con)")
    assert kept(found) == [ONE, TWO]
    assert cut(found) == {"(sda/dpa/con)": "agency"}
    assert claimed(found, "agency") == ["sda", "dpa", "con"]


@pytest.mark.parametrize(
    ("end", "names"),
    [
        ("(Reuters)", ["Reuters"]),
        ("【新华社】", ["新华社"]),
        ("(AFP, AP)", ["AFP", "AP"]),
        ("(mit Material der dpa)", []),
    ],
)
def test_only_agencies_are_claimed(end: str, names: list[str]) -> None:
    assert claimed(after(lines.by_agency, ONE, f"{TWO} {end}"), "agency") == names


@pytest.mark.parametrize(
    "end", ["(who was there)", "(aged 47)", "(see page 3)", "(app)", "(the AP building was closed)"]
)
def test_other_brackets_at_the_end_stay(end: str) -> None:
    assert kept(after(lines.by_agency, ONE, f"{TWO} {end}")) == [ONE, f"{TWO} {end}"]


def test_a_credit_on_a_line_of_its_own_goes_whole() -> None:
    assert (kept(found := after(lines.by_agency, ONE, "(Reuters)")), cut(found)) == ([ONE], {"(Reuters)": "agency"})


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("Reuters", True),
        ("reuters", True),
        ("AP", True),
        ("app", False),
        ("dpa", True),
        ("DPA", True),
        ("Dpa", False),
        ("ΑΠΕ-ΜΠΕ", True),
        ("Ann Lee", False),
        ("", False),
    ],
)
def test_signs_of_agencies_count_as_they_are_written(name: str, answer: bool) -> None:  # noqa: FBT001  (a table)
    assert lines.is_agency(name) is answer


# ---- all of them -----------------------------------------------------------------------------------------

RULES = (
    lines.by_date,
    lines.by_breadcrumb,
    lines.by_source,
    lines.by_phrase,
    lines.by_notice,
    lines.by_place,
    lines.by_byline,
    lines.by_credit,
)
TEXTS = st.sampled_from(
    [
        "Ad",
        "By Ann",
        "Photo: Bo",
        "Home > News",
        "© 2026",
        "7 January",
        "Source: AP",
        "(dpa)",
        "www.a.example",
        "\u200c",
        "١٢",
        ONE,
    ]
) | st.text(min_size=1, max_size=80)


@quick
@given(
    texts=st.lists(TEXTS, min_size=1, max_size=6),
    keep=st.booleans(),
    places=st.frozensets(st.sampled_from(["nav", "caption", "tags", "author"])),
)
def test_no_rule_loses_a_block_or_changes_a_text(texts: list[str], keep: bool, places: frozenset[str]) -> None:  # noqa: FBT001  (hypothesis)
    before = page(*(replace(line(text) if keep else left_out(text), places=places) for text in texts))
    for rule in RULES:
        found = rule(before)
        assert [block.text for block in found.blocks] == texts
        for block, then in zip(found.blocks, before.blocks, strict=True):
            assert block == then or (not block.keep and block.rule != then.rule)


@quick
@given(st.lists(TEXTS, min_size=1, max_size=6))
def test_the_agency_rule_only_parts_a_text(texts: list[str]) -> None:
    found = lines.by_agency(dump(*texts))
    assert "".join("".join(block.text.split()) for block in found.blocks) == "".join(
        "".join(text.split()) for text in texts
    )
