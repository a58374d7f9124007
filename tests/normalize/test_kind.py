"""What kind of page it is, by status, titles, declarations and the shape of the text."""

from dataclasses import replace

import pytest
from hostile import STORY
from small_pages import article, claim, dump, line, page, web

from normalize.kind import is_declared_listing, is_free, page_type
from schemas.document import Block, Claim, Image, Page

LONG = " ".join(STORY) * 3


def kind(page: Page) -> str:
    return page_type(page)[0]


def typed(*blocks: str | Block, types: tuple[str, ...] = (), claims: tuple[Claim, ...] = (), **known: object) -> Page:
    return replace(page(*blocks, claims=claims, **known), types=types)


def test_a_story_is_an_article() -> None:
    assert page_type(typed(*STORY)) == ("article", "default")


# ---- errors ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "answer"),
    [(404, "error"), (410, "error"), (500, "error"), (200, "article"), (304, "article"), (None, "article")],
)
def test_a_status_of_failure_is_an_error(status: int | None, answer: str) -> None:
    assert kind(typed(*STORY, http_status=status)) == answer


@pytest.mark.parametrize(
    "title",
    [
        "404 Not Found",
        "Seite nicht gefunden – Tagblatt",
        "Страница не найдена",
        "ページが見つかりません",
        "Access Denied",
        "Page not found | Harbour News",
        "Harbour News - 404",
        "Error 503",
        "404",
        "500 Internal Server Error",
    ],
)
def test_a_short_page_that_says_so_in_its_title_is_an_error(title: str) -> None:
    assert kind(typed("Go home.", claims=(claim("title", title),))) == "error"


@pytest.mark.parametrize(
    "title",
    [
        "Flight 4040 lands",
        "500 people leave their homes",
        "Missing sailor not found after three days",
        "Why the ferry was not founded in 1850",
        "410 new flats for Elmenau",
        "500-600 people at the pier",
        "Ferry - 500 gone missing",
    ],
)
def test_a_number_or_word_like_it_is_none(title: str) -> None:
    assert kind(typed("Go home.", claims=(claim("title", title),))) == "article"


def test_a_long_story_about_a_missing_page_is_an_article() -> None:
    assert kind(typed(LONG, LONG, claims=(claim("title", "404 Not Found: the story of a number"),))) == "article"


# ---- live blogs, videos, galleries ------------------------------------------------------------------------


def test_a_live_blog_says_so() -> None:
    assert kind(typed(LONG, types=("liveblogposting",))) == "live_blog"


def test_times_between_entries_make_a_live_blog() -> None:
    entries = [
        block for number in range(6) for block in (line(f"1{number}:30", role="date", keep=False), line(LONG[number:]))
    ]
    assert kind(typed(*STORY, *entries)) == "live_blog"
    assert kind(typed(*STORY, *entries[:6])) == "article"


@pytest.mark.parametrize(
    ("types", "text", "answer"),
    [
        (("videoobject",), "A film of the ferry.", "video"),
        (("video.other",), "A film of the ferry.", "video"),
        (("videoobject",), LONG, "article"),
        (("newsarticle", "videoobject"), "A film of the ferry.", "article"),
    ],
)
def test_a_video_is_a_page_with_little_else(types: tuple[str, ...], text: str, answer: str) -> None:
    assert kind(typed(text, types=types)) == answer


def test_many_captions_and_little_text_make_a_gallery() -> None:
    images = tuple(Image(url=f"/{number}.jpg", caption=f"Ferry {number}") for number in range(6))
    assert kind(replace(typed("Six views of the ferry."), images=images)) == "gallery"
    assert kind(replace(typed("Six views of the ferry."), images=images[:5])) == "article"
    assert kind(replace(typed(LONG, LONG), images=images)) == "article"
    assert kind(typed(LONG, types=("imagegallery",))) == "gallery"


# ---- paywalls --------------------------------------------------------------------------------------------

WALL = line("Subscribe to read on", role="paywall", keep=False, rule="lexicon:en:subscribe to read on")


@pytest.mark.parametrize(
    ("field", "value", "answer"),
    [
        ("free", "true", True),
        ("free", "false", False),
        ("free", "0", False),
        ("free", "maybe", None),
        ("tier", "locked", False),
        ("tier", "free", True),
        ("tier", "metered", None),
    ],
)
def test_the_page_says_whether_everybody_may_read_it(field: str, value: str, answer: bool | None) -> None:  # noqa: FBT001  (a table)
    assert is_free(typed(*STORY, claims=(claim(field, value),))) is answer


def test_a_short_text_that_breaks_off_at_an_invitation_is_a_stub() -> None:
    assert page_type(typed(STORY[0], WALL)) == ("paywall_stub", "paywall phrase")
    assert is_free(typed(STORY[0], WALL)) is False


def test_an_invitation_far_below_or_under_a_whole_story_is_none() -> None:
    far = [line("Menu", role="navigation", keep=False)] * 6
    assert kind(typed(STORY[0], *far, WALL)) == "article"
    assert kind(typed(LONG, LONG, WALL)) == "article"


def test_a_whole_story_that_is_not_free_is_an_article() -> None:
    closed = typed(LONG, LONG, claims=(claim("free", "false", "json-ld", "isAccessibleForFree"),))
    assert (kind(closed), is_free(closed)) == ("article", False)
    short = typed(STORY[0], claims=(claim("free", "false", "json-ld", "isAccessibleForFree"),))
    assert page_type(short) == ("paywall_stub", "json-ld:isAccessibleForFree")


# ---- listings --------------------------------------------------------------------------------------------


def test_a_declared_listing_of_teasers_is_one() -> None:
    teasers = [line(f"Story {number}", role="teaser") for number in range(8)]
    assert page_type(typed(*teasers, types=("collectionpage",))) == ("listing", "declared")


def test_a_page_that_is_a_story_too_is_no_declared_listing() -> None:
    assert is_declared_listing(typed("x", types=("collectionpage",)))
    assert not is_declared_listing(typed("x", types=("collectionpage", "newsarticle")))


def test_a_page_of_links_is_a_listing() -> None:
    links = [line(f"Story number {number} of the day", link_density=1.0) for number in range(9)]
    assert page_type(typed(*links)) == ("listing", "links")
    assert kind(typed(*links, types=("newsarticle",))) == "article"
    assert kind(typed(*links[:7])) == "article"


TEASERS = [
    f"The mayor of {place} has promised a new pier and a cheaper ferry for the islands by the spring of next year."
    for place in ("Elmenau", "Alby", "Sandvik", "Korsnes", "Hallby", "Ostra", "Vestra", "Lindo", "Marby", "Torso")
]


def test_a_dump_of_single_sentences_after_a_repeated_summary_is_a_listing() -> None:
    again = line("The summary again.", role="duplicate", keep=False)
    assert page_type(dump(again, *TEASERS)) == ("listing", "teasers")


def test_a_dump_with_paragraphs_quotations_and_headings_is_an_article() -> None:
    assert kind(dump(*TEASERS[:8], *STORY)) == "article"
    assert kind(dump(*TEASERS[:9], line("Who pays", role="heading"), *TEASERS)) == "article"
    quoted = [f"“{text}”, she said." for text in TEASERS]
    assert kind(dump(*quoted)) == "article"


def test_the_declaration_of_a_page_reaches_its_record() -> None:
    data = '<script type="application/ld+json">{"@type": "NewsArticle", "isAccessibleForFree": false}</script>'
    found = article(web(f"<p>{STORY[0]}</p>", head=data))
    assert (found.page_type, found.is_free) == ("paywall_stub", False)
