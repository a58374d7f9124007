"""A page's claims about itself are collected in the order of trust, and none of them is believed yet."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_pages import OPTIONS

from normalize.metadata import read_claims
from normalize.segments import parse
from schemas.document import Claim

quick = settings(deadline=None, database=None, derandomize=True, max_examples=100)


def read(head: str, body: str = "") -> tuple[tuple[Claim, ...], tuple[str, ...]]:
    return read_claims(parse(f"<html><head>{head}</head><body><p>text</p>{body}</body></html>", OPTIONS))


def values(head: str, field: str, body: str = "") -> list[str]:
    return [claim.value for claim in read(head, body)[0] if claim.field == field]


def linked(data: Any) -> str:
    text = data if isinstance(data, str) else json.dumps(data)
    return f'<script type="application/ld+json">{text}</script>'


STORY: dict[str, Any] = {
    "@context": "https://schema.org",
    "@type": "NewsArticle",
    "headline": "Night ferry sails again",
    "alternativeHeadline": "Eleven months after the storm",
    "datePublished": "2026-01-07T06:41:00+02:00",
    "dateModified": "2026-01-07T08:00:00+02:00",
    "description": "The pier is whole.",
    "author": [{"@type": "Person", "name": "Ann Lee"}, "Bo Ek"],
    "publisher": {"@type": "NewsMediaOrganization", "name": "Harbour News"},
    "articleSection": ["Islands", "Travel"],
    "keywords": ["ferry", {"@type": "DefinedTerm", "name": "pier"}],
    "inLanguage": "en-GB",
    "isAccessibleForFree": False,
    "image": [{"@type": "ImageObject", "url": "https://harbour.example/a.jpg"}],
    "isBasedOn": [{"url": "https://source.example/1"}, "https://source.example/2"],
}


# ---- linked data ---------------------------------------------------------------------------------------


def test_linked_data_says_everything_about_its_story() -> None:
    claims, types = read(linked(STORY))
    said = [(claim.field, claim.value) for claim in claims if claim.origin == "json-ld"]
    assert said == [
        ("title", "Night ferry sails again"),
        ("published", "2026-01-07T06:41:00+02:00"),
        ("modified", "2026-01-07T08:00:00+02:00"),
        ("description", "The pier is whole."),
        ("subtitle", "Eleven months after the storm"),
        ("author", "Ann Lee"),
        ("author", "Bo Ek"),
        ("publisher", "Harbour News"),
        ("section", "Islands"),
        ("tag", "ferry"),
        ("tag", "pier"),
        ("lang", "en-GB"),
        ("free", "false"),
        ("image", "https://harbour.example/a.jpg"),
        ("cited", "https://source.example/1"),
        ("cited", "https://source.example/2"),
    ]
    assert types == ("newsarticle",)


@pytest.mark.parametrize(
    "wrapped",
    [
        [STORY],
        {"@graph": [{"@type": "WebPage"}, STORY]},
        {"@type": "WebPage", "mainEntity": STORY},
        {"@type": "WebPage", "mainEntityOfPage": [STORY]},
        STORY | {"@type": ["Article", "https://schema.org/NewsArticle"]},
    ],
)
def test_the_story_is_found_wherever_the_linked_data_keeps_it(wrapped: Any) -> None:
    assert values(linked(wrapped), "title") == ["Night ferry sails again"]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(STORY) + ";",
        json.dumps(STORY)[:-1] + ",}",
        "<!--\n" + json.dumps(STORY) + "\n-->",
        "//<![CDATA[\n" + json.dumps(STORY) + "\n//]]>",
        "/*<![CDATA[*/" + json.dumps(STORY) + "/*]]>*/",
        json.dumps(STORY).replace("The pier is whole.", "The pier\nis whole."),
    ],
)
def test_linked_data_with_a_small_fault_is_read(text: str) -> None:
    assert values(linked(text), "published") == ["2026-01-07T06:41:00+02:00"]


def test_single_facts_are_taken_from_linked_data_that_nothing_can_parse() -> None:
    broken = '{"@type": "NewsArticle", "headline": "The "old" pier", "datePublished": "2026-01-07", oops'
    claims, _ = read(linked(broken))
    assert [(claim.field, claim.value) for claim in claims] == [("title", "The"), ("published", "2026-01-07")]
    assert claims[1].rule == "datePublished (broken JSON-LD)"


def test_the_story_counts_before_a_video_in_it() -> None:
    video = {"@type": "VideoObject", "name": "The ferry on film", "uploadDate": "2020-01-01"}
    claims, types = read(linked([video, STORY]))
    assert [claim.value for claim in claims if claim.field == "title"] == ["Night ferry sails again"]
    assert types == ("newsarticle", "videoobject")


def test_an_author_may_be_a_reference_to_another_node() -> None:
    person = {"@type": "Person", "@id": "#ann", "name": "Ann Lee"}
    assert values(linked({"@graph": [STORY | {"author": {"@id": "#ann"}}, person]}), "author") == ["Ann Lee"]


def test_the_site_is_named_by_its_own_node() -> None:
    site = {"@type": "WebSite", "name": "Harbour News"}
    assert values(linked({"@graph": [{"@type": "Article", "headline": "x"}, site]}), "publisher") == ["Harbour News"]


def test_half_of_a_pair_in_linked_data_becomes_a_mark_that_files_can_hold() -> None:
    assert values(linked('{"@type": "Article", "headline": "Ferry \\ud83d sails"}'), "title") == ["Ferry � sails"]


def test_entities_and_tags_in_linked_data_are_undone() -> None:
    assert values(linked(STORY | {"headline": "Tom &amp; Ann <em>sail</em>"}), "title") == ["Tom & Ann sail"]


@pytest.mark.parametrize("value", [None, 7, [], {}, [None], "x" * 6000, {"@value": "x"}, True])
def test_what_is_no_text_is_no_claim(value: Any) -> None:
    claims, _ = read(linked(STORY | dict.fromkeys(("headline", "description", "author", "keywords", "image"), value)))
    assert all(isinstance(claim.value, str) and 0 < len(claim.value) <= 5000 for claim in claims)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=6) | st.sampled_from(["NewsArticle", "WebPage", "WebSite"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["@type", "@graph", "@id", "name", "author", "headline", "keywords", "image", "isBasedOn", "url", "publisher"]),
            inner,
            max_size=6,
        )
    ),
    max_leaves=15,
)  # fmt: skip


@quick
@given(JSON)
def test_any_linked_data_is_read_without_failing(data: Any) -> None:
    for claim in read(linked(json.dumps(data)))[0]:
        assert claim.value.strip()


@pytest.mark.parametrize("text", ["[" * 50_000, '{"@graph":' * 5_000 + "1" + "}" * 5_000, "", "null", "7", '"x"'])
def test_linked_data_made_to_choke_claims_nothing(text: str) -> None:
    assert values(linked(text), "title") == []


# ---- meta elements ---------------------------------------------------------------------------------------


def test_meta_claims_come_in_the_order_of_trust_whatever_their_order_on_the_page() -> None:
    head = (
        '<meta name="title" content="Third"><meta name="twitter:title" content="Second">'
        '<meta property="og:title" content="First">'
    )
    assert values(head, "title") == ["First", "Second", "Third"]


@pytest.mark.parametrize(
    ("element", "field", "value"),
    [
        ('<meta property="article:published_time" content="2026-01-07">', "published", "2026-01-07"),
        ('<meta name="DC.date.issued" content="2026-01-07">', "published", "2026-01-07"),
        ('<meta itemprop="datePublished" content="2026-01-07">', "published", "2026-01-07"),
        ('<meta property="article:modified_time" content="2026-01-08">', "modified", "2026-01-08"),
        ('<meta name="author" content=" Ann  Lee ">', "author", "Ann Lee"),
        ('<meta name="author" value="Ann Lee">', "author", "Ann Lee"),
        ('<meta property="og:site_name" content="Harbour &amp; News">', "publisher", "Harbour & News"),
        ('<meta name="keywords" content="ferry, pier">', "tags", "ferry, pier"),
        ('<meta property="article:tag" content="ferry">', "tag", "ferry"),
        ('<meta property="og:url" content="https://harbour.example/1">', "canonical", "https://harbour.example/1"),
        ('<meta property="og:locale" content="el_GR">', "lang", "el_GR"),
        ('<meta http-equiv="Content-Language" content="el">', "lang", "el"),
        ('<meta property="article:content_tier" content="locked">', "tier", "locked"),
        ('<link rel="canonical" href="https://harbour.example/1">', "canonical", "https://harbour.example/1"),
        ('<link rel="image_src" href="/a.jpg">', "image", "/a.jpg"),
        ('<base href="https://harbour.example/">', "base", "https://harbour.example/"),
        ("<title>Ferry\n sails</title>", "title", "Ferry sails"),
    ],
)
def test_an_element_of_the_head_is_a_claim(element: str, field: str, value: str) -> None:
    assert values(element, field) == [value]


@pytest.mark.parametrize(
    "element",
    ['<meta name="title" content="">', '<meta name="title">', '<meta name="viewport" content="x">', "<title> </title>"],
)
def test_an_empty_element_claims_nothing(element: str) -> None:
    assert read(element)[0] == ()


def test_the_same_word_of_the_same_kind_is_said_once() -> None:
    head = '<meta property="og:title" content="Same"><meta name="title" content="Same"><title>Same</title>'
    assert values(head, "title") == ["Same", "Same"]  # meta once, title element once


def test_the_kind_that_open_graph_declares_is_a_type() -> None:
    assert read('<meta property="og:type" content="Article">')[1] == ("article",)


# ---- elements of the body ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("markup", "field"),
    [
        ('<time itemprop="datePublished" datetime="2026-01-07">x</time>', "published"),
        ('<time pubdate datetime="2026-01-07">x</time>', "published"),
        ('<time class="entry-date" datetime="2026-01-07">x</time>', "published"),
        ('<time class="updated entry-date" datetime="2026-01-07">x</time>', "modified"),
        ('<time itemprop="dateModified" datetime="2026-01-07">x</time>', "modified"),
        ('<time datetime="2026-01-07">x</time>', "time"),
        ('<abbr itemprop="datePublished" title="2026-01-07">x</abbr>', "published"),
        ('<span itemprop="dateModified">2026-01-07</span>', "modified"),
    ],
)
def test_a_time_in_the_body_is_as_sure_as_its_markup(markup: str, field: str) -> None:
    claims, _ = read("", markup)
    assert [(claim.field, claim.value) for claim in claims] == [(field, "2026-01-07")]


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ('<span itemprop="author">Ann Lee</span>', ["Ann Lee"]),
        ('<div itemprop="author"><a href="/x">More</a> <span itemprop="name">Ann Lee</span></div>', ["Ann Lee"]),
        ('<a rel="author" href="/ann">Ann Lee</a>', ["Ann Lee"]),
        ('<span itemprop="name">The site</span>', []),
    ],
)
def test_an_author_in_the_body_is_a_claim(markup: str, expected: list[str]) -> None:
    assert values("", "author", markup) == expected


@pytest.mark.parametrize(
    ("markup", "claims"),
    [
        ('<p class="byline">By <a href="/x">Ann Lee</a> and <b>Bo Ek</b></p>', [("byline", "By ¦ Ann Lee ¦ and ¦ Bo Ek")]),
        ('<p class="byline"><a href="/x">Ann Lee</a> <a href="/y">Bo Ek</a></p>', [("byline", "Ann Lee, Bo Ek")]),
        ('<div class="PostHeader__AuthorName">Ann Lee</div>', [("byline", "Ann Lee")]),
        ('<a href="/authors/ann-lee">Ann Lee</a>', [("profile", "Ann Lee")]),
        ('<div itemprop="author"><meta itemprop="name" content="Ann Lee"></div>', [("microdata", "Ann Lee")]),
        ('<div class="author-bio">Ann Lee lives here.</div>', []),
        ('<aside><a rel="author" href="/x">Ann Lee</a></aside>', []),
        ('<article><footer><a rel="author" href="/x">Ann Lee</a></footer></article>', [("link", "Ann Lee")]),
        ('<div class="comment"><span class="author">Ann Lee</span></div>', []),
        (f'<div class="byline">{"x" * 300}</div>', []),
    ],
)  # fmt: skip
def test_what_the_markup_calls_a_byline_is_a_claim(markup: str, claims: list[tuple[str, str]]) -> None:
    found, _ = read("", markup)
    assert [(claim.origin, claim.value) for claim in found if claim.field == "author"] == claims


def test_only_the_first_authors_below_the_headline_are_those_of_the_story() -> None:
    teaser = '<div><p><span><a rel="author" href="/x">Teaser {}</a></span></p></div>'
    mine = '<p><a rel="author" href="/a">Ann Lee</a>, <a rel="author" href="/b">Bo Ek</a></p>'
    markup = (
        teaser.format("Above") + "<div><section><h1>Ferry</h1>" + mine + "</section></div>" + teaser.format("Below")
    )
    assert values("", "author", markup) == ["Ann Lee", "Bo Ek"]


def test_an_organisation_as_the_author_is_told_apart() -> None:
    story = STORY | {
        "author": [{"@type": "Person", "name": "Ann Lee"}, {"@type": "Organization", "name": "Harbour News"}]
    }
    claims, _ = read(linked(story))
    assert [(claim.value, claim.rule) for claim in claims if claim.field == "author"] == [
        ("Ann Lee", "author"),
        ("Harbour News", "author (Organization)"),
    ]


def test_every_h1_is_a_title_and_comes_before_the_title_element() -> None:
    assert values("<title>In the head</title>", "title", "<h1>Logo</h1><h1>Ferry <b>sails</b></h1>") == [
        "Logo", "Ferry sails", "In the head",
    ]  # fmt: skip


def test_the_language_of_the_document_element_is_a_claim() -> None:
    for attribute in ("lang", "xml:lang"):
        claims, _ = read_claims(parse(f'<html {attribute}="el-GR"><body><p>x</p></body></html>', OPTIONS))
        assert claims == (Claim(field="lang", value="el-GR", origin="html", rule="lang"),)
