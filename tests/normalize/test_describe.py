"""Each field of the record comes from the first claim that can be used, and says which one."""

from dataclasses import replace
from typing import Any

import pytest
from hostile import STORY, TITLE
from small_pages import OPTIONS, article, claim, dump, line, page, raw, web

from normalize.describe import describe
from normalize.path import run_document
from schemas.document import Article, Block, Claim, FieldOrigin, Image, Page, Rejected, Removed

URL = "https://harbour.example/2026/ferry"


def described(*blocks: str | Block, claims: tuple[Claim, ...] = (), **known: Any) -> Article:
    return describe(page(*(blocks or STORY), claims=claims, **known), "0" * 64, OPTIONS)


def pictured(*images: Image, claims: tuple[Claim, ...] = (), **known: Any) -> Article:
    return describe(replace(page(*STORY, claims=claims, **known), images=images), "0" * 64, OPTIONS)


def origin(article: Article, field: str) -> FieldOrigin | None:
    return next((one for one in article.origins if one.field == field), None)


def test_what_nobody_says_is_absent_and_never_empty() -> None:
    found = described()
    absent = (
        found.url, found.url_canonical, found.domain, found.publisher, found.title, found.subtitle, found.description, found.section,
        found.published, found.published_source, found.published_conflict, found.modified, found.is_free, found.lang_declared, found.lang_conflict,
    )  # fmt: skip
    assert set(absent) == {None}
    assert (
        found.authors,
        found.tags,
        found.images,
        found.agencies,
        found.cited_urls,
        found.comments,
        found.text_fixes,
    ) == ((),) * 7


def test_every_field_says_whose_word_it_is() -> None:
    claims = (claim("title", TITLE, "h1", "h1"), claim("publisher", "Harbour News", "meta", "og:site_name"))
    found = described(claims=claims, url=URL)
    assert origin(found, "title") == FieldOrigin(field="title", origin="h1", rule="h1")
    assert origin(found, "publisher") == FieldOrigin(field="publisher", origin="meta", rule="og:site_name")
    assert origin(found, "url") == FieldOrigin(field="url", origin="html", rule="address")
    assert origin(found, "page_type") == FieldOrigin(field="page_type", origin="rules", rule="default")
    assert origin(found, "description") is None


def test_the_text_is_the_kept_blocks_and_what_went_is_listed_beside_it() -> None:
    found = described(line("Ad", role="ad", keep=False, rule="lexicon:en:ad"), *STORY)
    assert found.text == "\n\n".join(STORY)
    assert found.removed == (Removed(role="ad", rule="lexicon:en:ad", text="Ad"),)


def test_paragraphs_are_marked_with_the_language_their_script_shows() -> None:
    found = described(*STORY, "Σχόλια αναγνωστών", "2026")
    assert found.language.tag == "en"
    assert [paragraph.lang for paragraph in found.paragraphs] == ["en", "en", "en", "el", None]


# ---- language --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "conflict"), [("en-GB", False), ("EN", False), ("de", True), ("english, please", None)]
)
def test_a_declared_language_is_compared_with_the_text(declared: str, conflict: bool | None) -> None:  # noqa: FBT001  (a table)
    found = described(claims=(claim("lang", declared),))
    assert (found.lang_declared, found.lang_conflict, found.language.tag) == (declared, conflict, "en")


def test_the_language_of_the_catalogue_is_a_prior_and_no_declaration() -> None:
    assert described(claims=(claim("lang", "de", "catalogue"),)).lang_declared is None


def test_a_text_without_a_language_is_in_no_conflict() -> None:
    assert described("2026", claims=(claim("lang", "de"),)).lang_conflict is None


@pytest.mark.parametrize("declared", ["nb", "nn-NO", "no"])
def test_both_written_forms_of_norwegian_are_norwegian(declared: str) -> None:
    text = "Nattfergen til øya seilte igjen på mandag, elleve måneder etter stormen som ødela bryggen, sa kapteinen til avisen."
    found = described(text, claims=(claim("lang", declared),))
    assert (found.language.tag, found.lang_conflict) == ("nb", False)


# ---- names -----------------------------------------------------------------------------------------------


def test_the_standfirst_of_the_text_is_the_subtitle() -> None:
    found = described(line("Three hours.", role="deck"), *STORY, claims=(claim("subtitle", "Another"),))
    assert found.subtitle == "Three hours."


def test_a_claimed_subtitle_that_only_repeats_the_title_is_none() -> None:
    title = claim("title", TITLE, "h1")
    assert described(claims=(title, claim("subtitle", TITLE.upper()))).subtitle is None
    assert described(claims=(title, claim("subtitle", "Three hours."))).subtitle == "Three hours."


def test_an_address_or_a_handle_is_no_publisher() -> None:
    claims = (
        claim("publisher", "https://harbour.example"),
        claim("publisher", "@harbour"),
        claim("publisher_hint", "harbour.example"),
    )
    assert described(claims=claims).publisher == "harbour.example"


# ---- tags ------------------------------------------------------------------------------------------------


def test_tags_come_from_one_origin_without_repetitions_and_without_the_site() -> None:
    claims = (
        claim("tag", "Ferry", "json-ld"), claim("tag", "#pier", "json-ld"), claim("tag", "FERRY", "json-ld"),
        claim("tag", "Harbour News", "json-ld"), claim("tag", "boats", "meta"), claim("publisher", "Harbour News"),
    )  # fmt: skip
    assert described(claims=claims).tags == ("Ferry", "pier")


def test_keywords_are_split_where_there_are_no_tags() -> None:
    assert described(claims=(claim("tags", "ferry, pier; 港、storm،  , #sea"),)).tags == (
        "ferry",
        "pier",
        "港",
        "storm",
        "sea",
    )


def test_long_tags_and_too_many_are_left_out() -> None:
    many = tuple(claim("tag", f"tag {number}") for number in range(100))
    assert len(described(claims=many).tags) == 40
    assert described(claims=(claim("tag", "x" * 61), claim("tag", "sea"))).tags == ("sea",)


# ---- pictures --------------------------------------------------------------------------------------------


def test_captions_are_parted_from_credits_and_addresses_made_absolute() -> None:
    found = pictured(Image(url="/a.jpg", caption="The ferry at noon. Photo: Ann Lee"), url=URL)
    assert found.images == (
        Image(url="https://harbour.example/a.jpg", caption="The ferry at noon.", credit="Ann Lee", lead=True),
    )


def test_the_credit_of_the_markup_counts_before_that_of_the_caption() -> None:
    (image,) = pictured(Image(url=None, caption="The ferry. Photo: Ann Lee", credit="Photo: Bo Ek")).images
    assert (image.caption, image.credit) == ("The ferry.", "Bo Ek")


def test_the_picture_of_the_whole_story_leads_where_the_text_shows_none() -> None:
    shown = claim("image", "/social.jpg")
    assert pictured(claims=(shown,), url=URL).images == (Image(url="https://harbour.example/social.jpg", lead=True),)
    assert [image.url for image in pictured(Image(url="/a.jpg"), claims=(shown,), url=URL).images] == [
        "https://harbour.example/a.jpg"
    ]


def test_an_address_that_no_parser_takes_is_none() -> None:
    assert pictured(Image(url="http://[broken", caption="The ferry.")).images == (
        Image(url=None, caption="The ferry.", lead=True),
    )


# ---- agencies, sources, comments --------------------------------------------------------------------------


def test_agencies_of_credits_bylines_and_sources_are_listed_once() -> None:
    source = line("Source: dpa", role="source", keep=False, rule="lexicon:en:source")
    found = described(*STORY, source, claims=(claim("agency", "dpa"), claim("author", "Reuters")))
    assert found.agencies == ("dpa", "Reuters")


def test_cited_addresses_are_listed_once_in_order() -> None:
    claims = tuple(claim("cited", f"https://source.example/{number}") for number in (2, 1, 2))
    assert described(claims=claims).cited_urls == ("https://source.example/2", "https://source.example/1")


def test_comments_are_kept_apart_from_their_heading_and_buttons() -> None:
    comments = (
        line("Comments", role="comments", keep=False, rule="lexicon:en:comments"),
        line("I was there, it was wet.", role="comments", keep=False, rule="sections:after-comments-heading"),
        line("Reply", role="comments", keep=False, rule="sections:after-comments-heading"),
    )
    assert described(*STORY, *comments).comments == ("I was there, it was wet.",)


# ---- the whole road --------------------------------------------------------------------------------------


def test_the_entries_of_a_listing_are_teasers_but_its_standfirst_is_not() -> None:
    teasers = [
        f"The mayor of {name} has promised a new pier and a cheaper ferry for all of the islands."
        for name in "ABCDEFGHIJ"
    ]
    again = line("The summary again.", role="duplicate", keep=False)
    found = describe(dump(line("The summary.", role="deck"), again, *teasers), "0" * 64, OPTIONS)
    assert found.page_type == "listing"
    assert [paragraph.role for paragraph in found.paragraphs] == ["deck"] + ["teaser"] * 10


def test_repairs_of_bytes_and_of_text_are_listed_in_their_order() -> None:
    found = article(web("".join(f"<p>{text}\x00 The cafÃ© is open.</p>" for text in STORY)))
    assert found.text_fixes[0] == "drop_nul x 3"
    assert any(fix.startswith("ftfy:") for fix in found.text_fixes[1:])
    assert "café" in found.text


def test_a_page_without_a_story_is_rejected_with_the_pointer_to_its_bytes() -> None:
    document = raw(
        "<nav>Home</nav><footer>© 2026 Harbour News</footer>", url=URL, source_uri="in/empty.html", media="html"
    )
    outcome = run_document(document, OPTIONS)
    assert isinstance(outcome, Rejected)
    assert (outcome.stage, outcome.reason, outcome.url, outcome.source_uri) == (
        "clean",
        "only_boilerplate",
        URL,
        "in/empty.html",
    )
    assert outcome.raw_sha256


def test_the_same_bytes_give_the_same_article() -> None:
    assert article(web(), url=URL) == article(web(), url=URL)


def test_no_text_of_a_page_is_lost_between_text_and_removed() -> None:
    before: list[Page] = []

    def remember(state: object) -> None:
        if isinstance(state, Page):
            before.append(state)

    outcome = run_document(
        raw(web(above="<nav><a href='/'>Home</a></nav>", below="<footer>© 2026 Harbour News</footer>")),
        OPTIONS,
        remember,
    )
    assert isinstance(outcome, Article)
    everything = [paragraph.text for paragraph in outcome.paragraphs] + [block.text for block in outcome.removed]
    assert sorted(everything) == sorted(block.text for block in before[0].blocks)
