"""What recurs at the edges of a host's stories goes, with its evidence; what belongs to a story never does."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_pages import article as article_of
from small_pages import web

from normalize.boilerplate.templates import STATE, Templates
from normalize.fingerprint import fingerprint
from normalize.options import DocumentOptions
from schemas.document import Article, KeptRole, PageType, Paragraph, Removed, RemovedRole
from schemas.errors import SetupError

quick = settings(
    deadline=None,
    database=None,
    derandomize=True,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

OPTIONS = DocumentOptions()
DAY = date(2026, 1, 7)
HOST = "harbour.example"

#: Invented lines of the kind that judges of one page keep.
FOOT = "The Harbour Post belongs to its readers on the five islands."
NOTE = "This page was printed on board by the ferry company."
WORDS = (
    "ferry harbour council timber storm island village winter bridge captain ticket morning engineer railway festival "
    "museum library weather summer station mountain journey minister election budget hospital teacher student garden"
).split()


def prose(seed: object, words: int = 40) -> str:
    """A paragraph that no other has: about 300 letters."""
    chosen = random.Random(repr(seed))  # noqa: S311  (the same text every time, not a secret)
    return " ".join(chosen.choice(WORDS) for _ in range(words)).capitalize() + "."


def body(name: str, paragraphs: int = 5) -> tuple[str, ...]:
    return tuple(prose((name, number)) for number in range(paragraphs))


@cache
def model() -> Article:
    """Any article: what tells articles apart is replaced."""
    return article_of(web())


def story(
    name: str,
    *texts: str,
    host: str | None = HOST,
    title: str | None = None,
    removed: Sequence[str] = (),
    role: RemovedRole = "related",
    page_type: PageType = "article",
) -> Article:
    """An article of these paragraphs under an address and a headline of its own."""
    digest = sha256(f"{host}/{name}".encode()).hexdigest()[:32]
    return fingerprint(
        replace(
            model(),
            record_id=digest,
            story_id=digest,
            domain=host,
            title=title or f"Headline of {name}",
            paragraphs=tuple(Paragraph(role="paragraph", text=text) for text in texts),
            removed=tuple(Removed(role=role, rule="place:related", text=text, after=len(texts)) for text in removed),
            page_type=page_type,
        )
    )


def stories(count: int, *below: str, start: int = 0) -> list[Article]:
    return [story(f"s{number}", *body(f"s{number}"), *below) for number in range(start, start + count)]


def cut(*articles: Article) -> tuple[Article, ...]:
    return Templates.load(None, run_date=DAY, options=OPTIONS).cut(articles)


def texts(article: Article) -> list[str]:
    return [paragraph.text for paragraph in article.paragraphs]


def taken(articles: Iterable[Article]) -> list[list[tuple[str, str]]]:
    """For each article, what was taken as a template of its site: rule and text."""
    return [
        [(block.rule, block.text) for block in article.removed if block.rule.startswith("template:")]
        for article in articles
    ]


# ---- what goes -------------------------------------------------------------------------------------------


def test_what_stands_below_three_stories_of_a_host_goes_and_the_rule_names_the_evidence() -> None:
    assert taken(cut(*stories(3, FOOT))) == [[("template:3 of 3 pages", FOOT)]] * 3


def test_several_templates_are_taken_off_one_after_another() -> None:
    found = cut(*stories(4, NOTE, FOOT))
    assert [texts(article) for article in found] == [list(body(f"s{number}")) for number in range(4)]
    assert [text for _, text in taken(found)[0]] == [NOTE, FOOT]


def test_what_stands_above_the_stories_goes_too_and_below_their_own_standfirst() -> None:
    articles = [story(f"s{number}", *(FOOT, *body(f"s{number}"))) for number in range(3)]
    with_deck = story("deck", prose("standfirst", 12), FOOT, *body("deck"))
    deck: KeptRole = "deck"
    with_deck = replace(with_deck, paragraphs=(replace(with_deck.paragraphs[0], role=deck), *with_deck.paragraphs[1:]))
    assert [texts(article)[0] for article in cut(*articles, with_deck)] == [
        *(body(f"s{number}")[0] for number in range(3)),
        prose("standfirst", 12),
    ]
    assert len(taken(cut(*articles, with_deck))[3]) == 1


def test_what_was_removed_on_other_pages_counts() -> None:
    elsewhere = [story(f"s{number}", *body(f"s{number}"), removed=[FOOT]) for number in range(4)]
    assert taken(cut(*elsewhere, story("kept", *body("kept"), FOOT)))[-1] == [("template:5 of 5 pages", FOOT)]


def test_case_spacing_and_punctuation_make_no_other_template() -> None:
    forms = [FOOT, FOOT.upper(), FOOT.replace(" ", "  ").removesuffix(".")]
    assert [len(found) for found in taken(cut(*(story(f, *body(f), f) for f in forms)))] == [1, 1, 1]


def test_a_site_that_gives_all_its_pages_one_headline_teaches_as_well() -> None:
    articles = [story(f"s{number}", *body(f"s{number}"), FOOT, title="The Harbour Post") for number in range(3)]
    assert [len(found) for found in taken(cut(*articles))] == [1, 1, 1]


def test_documents_without_an_address_are_of_the_site_that_the_catalogue_names() -> None:
    articles = [
        replace(article, domain=None, raw=replace(article.raw, source_id=source))
        for source in ("post", None)
        for article in stories(3, FOOT)
    ]
    assert [len(found) for found in taken(cut(*articles))] == [1, 1, 1, 0, 0, 0]


# ---- what stays ------------------------------------------------------------------------------------------


def test_a_quotation_in_two_articles_stays() -> None:
    quotation = "“We shall not sell one plank of that pier”, the harbour master said."
    assert taken(cut(*stories(2, quotation), *stories(9, start=2))) == [[]] * 11


def test_what_recurs_inside_of_stories_stays() -> None:
    articles = [story(f"s{n}", *body(f"s{n}", 3), "What the council says", *body(f"t{n}", 3)) for n in range(12)]
    assert taken(cut(*articles)) == [[]] * 12


@pytest.mark.parametrize(("pages", "goes"), [(3, True), (6, True), (7, False), (40, False)])
def test_a_long_paragraph_needs_half_of_the_pages(pages: int, goes: bool) -> None:  # noqa: FBT001
    background = prose("background", 60)
    found = cut(*stories(3, background), *stories(pages - 3, start=3))
    assert [bool(one) for one in taken(found)] == [goes] * 3 + [False] * (pages - 3)


def test_one_site_teaches_nothing_about_another() -> None:
    articles = [story(f"s{n}", *body(f"s{n}"), FOOT, host=f"{'abc'[n % 3]}.example") for n in range(6)]
    assert taken(cut(*articles)) == [[]] * 6


def test_the_first_paragraph_stays_that_other_pages_show_as_a_teaser() -> None:
    lead = prose("lead", 10)
    others = [story(f"s{n}", *body(f"s{n}"), removed=[lead]) for n in range(9)]
    assert taken(cut(*others, story("own", lead, *body("own"))))[-1] == []
    assert taken(cut(*others, story("brief", lead)))[-1] == []


def test_the_names_in_a_list_stay_although_the_menu_of_each_page_has_them() -> None:
    others = [story(f"s{n}", *body(f"s{n}"), removed=["Northern Islands"], role="navigation") for n in range(9)]
    assert taken(cut(*others, story("list", *body("list"), "Northern Islands")))[-1] == []


def test_an_article_of_nothing_but_templates_is_left_alone() -> None:
    empty = story("empty", FOOT)
    assert cut(*stories(5, FOOT), empty)[-1] == empty


@pytest.mark.parametrize("page_type", ["listing", "error", "other"])
def test_a_page_that_is_no_story_neither_teaches_nor_is_cut(page_type: PageType) -> None:
    pages = [story(f"p{n}", *body(f"p{n}"), FOOT, page_type=page_type) for n in range(5)]
    assert taken(cut(*pages, *stories(2, FOOT))) == [[]] * 7
    assert taken(cut(*pages, *stories(3, FOOT))) == [[]] * 5 + [[("template:3 of 3 pages", FOOT)]] * 3


# ---- who never teaches ------------------------------------------------------------------------------------

TEXT = (*body("one"), FOOT)


@pytest.mark.parametrize(
    "copies",
    [
        pytest.param([story("one", *TEXT)] * 4, id="snapshots"),
        pytest.param([story("one", *body(f"v{n}"), FOOT) for n in range(4)], id="an address whose story is rewritten"),
        pytest.param([story(f"u{n}", *TEXT) for n in range(4)], id="one story under several addresses"),
        pytest.param(
            [story(f"u{n}", prose(("new", n)), *TEXT, title="Ferry stopped") for n in range(4)], id="same headline"
        ),
        pytest.param([story(f"u{n}", prose(("new", n)), *TEXT) for n in range(4)], id="revisions with a new lead"),
        pytest.param(
            [story(f"u{n}", *TEXT[n % 2 :], prose(("new", n))) for n in range(4)], id="revisions with a new end"
        ),
    ],
)
def test_states_and_copies_of_one_article_never_teach(copies: list[Article]) -> None:
    assert taken(cut(*copies)) == [[]] * 4
    # Nor do they make a third of two others, in whatever order they come.
    assert taken(cut(copies[0], story("two", *body("two"), FOOT), *copies[1:])) == [[]] * 5


def test_a_copy_is_cut_like_the_article_that_taught() -> None:
    found = cut(*stories(3, FOOT), story("copy", *body("s0"), FOOT))
    assert taken(found)[3] == [("template:3 of 3 pages", FOOT)]


# ---- what else is right afterwards --------------------------------------------------------------------------


def test_what_was_read_from_the_text_is_read_again() -> None:
    greek = "Διαβάστε όλες τις ειδήσεις των νησιών στην εφημερίδα του λιμανιού μας."
    short = [story(f"s{n}", f"The ferry number {n} sailed again.", greek) for n in range(3)]
    before = replace(short[0], quality_flags=("no_date",), lang_declared="en")
    after = cut(before, *short[1:])[0]
    alone = story("s0", "The ferry number 0 sailed again.")
    assert after.text == alone.text
    assert (after.language.tag, after.lang_conflict) == ("en", False)
    assert [paragraph.lang for paragraph in after.paragraphs] == ["en"]
    assert after.quality_flags == ("no_date", "short_text")
    assert (after.signature, after.prints) == (alone.signature, alone.prints)


def test_a_standfirst_that_is_a_template_is_no_subtitle() -> None:
    pages = [
        article_of(
            web(f"<p class='deck'>{FOOT}</p>" + "".join(f"<p>{text}</p>" for text in body(f"s{n}")), title=f"News {n}"),
            url=f"https://{HOST}/{n}",
        )
        for n in range(3)
    ]
    decked = [
        replace(page, subtitle=FOOT, paragraphs=(replace(page.paragraphs[0], role="deck"), *page.paragraphs[1:]))
        for page in pages
    ]
    assert [texts(page)[0] for page in decked] == [FOOT] * 3
    for page in cut(*decked):
        assert page.subtitle is None
        assert "subtitle" not in {origin.field for origin in page.origins}


def test_what_goes_stands_in_removed_in_page_order() -> None:
    pages = [
        article_of(
            web(
                "".join(f"<p>{text}</p>" for text in (*body(f"s{n}"), FOOT)),
                title=f"The ferry sails again, number {n}",
                above="<nav><a href='/'>Home page of the post</a></nav>",
                below="<footer>© 2026 The Harbour Post</footer>",
            ),
            url=f"https://{HOST}/{n}",
        )
        for n in range(3)
    ]
    for before, after in zip(pages, cut(*pages), strict=True):
        assert texts(before)[-1] == FOOT
        assert [block.text for block in after.removed] == [
            *(block.text for block in before.removed[:-1]),
            FOOT,
            "© 2026 The Harbour Post",
        ]


# ---- over several nights -----------------------------------------------------------------------------------


def night(folder: Path, number: int, articles: Sequence[Article], day: date = DAY) -> tuple[Article, ...]:
    """One run: remember what earlier ones saved, cut, save."""
    templates = Templates.load(folder, run_date=day, options=OPTIONS)
    found = templates.cut(articles)
    templates.save(folder / f"{number:03}.parquet")
    return found


def test_pages_of_earlier_nights_teach(tmp_path: Path) -> None:
    assert taken(night(tmp_path, 1, stories(1, FOOT))) == [[]]
    assert taken(night(tmp_path, 2, stories(1, FOOT, start=1))) == [[]]
    assert taken(night(tmp_path, 3, stories(1, FOOT, start=2))) == [[("template:3 of 3 pages", FOOT)]]


def test_an_article_that_is_read_again_does_not_teach_again(tmp_path: Path) -> None:
    for number in range(4):
        assert taken(night(tmp_path, number, stories(2, FOOT))) == [[], []]
    revised = story("moved", *body("s0"), prose("added"), FOOT)
    assert taken(night(tmp_path, 9, [revised])) == [[]]


def test_what_is_cut_stays_cut_when_it_is_read_again(tmp_path: Path) -> None:
    first = night(tmp_path, 1, stories(5, FOOT))
    assert night(tmp_path, 2, stories(5, FOOT)) == first
    assert night(tmp_path, 3, first) == first


def test_after_a_month_a_site_is_forgotten_and_its_file_is_named(tmp_path: Path) -> None:
    night(tmp_path, 1, stories(3, FOOT))
    within, beyond = date(2026, 2, 5), date(2026, 2, 6)
    new = story("new", *body("new"), FOOT)
    for day, found, outdated in ((within, 1, ()), (beyond, 0, ("001.parquet",))):
        templates = Templates.load(tmp_path, run_date=day, options=OPTIONS)
        assert len(taken(templates.cut([new]))[0]) == found
        assert templates.outdated == outdated


def test_many_pages_of_one_host_fill_no_more_than_a_hundred(tmp_path: Path) -> None:
    night(tmp_path, 1, stories(130, FOOT))
    (row,) = pl.read_parquet(tmp_path / "001.parquet").to_dicts()
    assert row["pages"] == 100
    # Of so many pages only what recurs is kept.
    assert len(row["blocks"]) == 1
    assert taken(night(tmp_path, 2, stories(1, FOOT, start=200))) == [[("template:101 of 101 pages", FOOT)]]


def test_of_many_nights_the_last_are_looked_back_on(tmp_path: Path) -> None:
    for number in range(3):
        night(tmp_path, number, stories(60, NOTE if number else FOOT, start=100 * number), date(2026, 1, 7 + number))
    new = stories(1, NOTE, FOOT, start=900)
    assert taken(night(tmp_path, 4, new, date(2026, 1, 10))) == [[]]
    assert taken(night(tmp_path, 5, stories(1, NOTE, start=901), date(2026, 1, 10)))[0][0][0].endswith(" of 122 pages")


def test_the_saved_state_has_its_schema_and_a_row_for_each_host_in_order(tmp_path: Path) -> None:
    night(tmp_path, 1, [story("x", *body("x"), host="b.example"), story("y", *body("y"), host="a.example")])
    state = pl.read_parquet(tmp_path / "001.parquet")
    assert state.schema == STATE
    assert state["host"].to_list() == ["a.example", "b.example"]


def test_a_run_that_taught_nothing_saves_nothing(tmp_path: Path) -> None:
    night(tmp_path, 1, [story("x", *body("x"), host=None)])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"PAR1 but not really PAR1", None])
def test_a_file_that_is_not_ours_is_named_with_what_to_do(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "run=x.parquet"
    if content is None:
        pl.DataFrame({"a": [1]}).write_parquet(file)
    else:
        file.write_bytes(content)
    with pytest.raises(SetupError, match=r"run=x\.parquet .*; delete it"):
        Templates.load(tmp_path, run_date=DAY, options=OPTIONS)


# ---- for any pages ------------------------------------------------------------------------------------------

PLANTED = (FOOT, NOTE, "Read the Post where the gulls read it.", prose("disclaimer", 30))
#: Own paragraphs, templates above and below, and a paragraph that stands somewhere in the story.
PAGES = st.lists(
    st.tuples(
        st.integers(1, 6),
        st.lists(st.integers(0, 3), max_size=2),
        st.lists(st.integers(0, 3), max_size=4),
        st.none() | st.integers(0, 3),
    ),
    min_size=1,
    max_size=14,
)
Page = tuple[int, list[int], list[int], int | None]


def planted(pages: Sequence[Page]) -> list[Article]:
    found = []
    for number, (own, above, below, within) in enumerate(pages):
        story_texts = list(body(f"p{number}", own))
        if within is not None:
            story_texts.insert(own // 2, PLANTED[within])
        found.append(story(f"p{number}", *(PLANTED[n] for n in above), *story_texts, *(PLANTED[n] for n in below)))
    return found


@quick
@given(pages=PAGES)
def test_nothing_is_lost_and_nothing_of_a_story_goes(pages: list[Page]) -> None:
    before = planted(pages)
    after = cut(*before)
    having = [sum(text in texts(article) for article in before) for text in PLANTED]
    for number, (one, other) in enumerate(zip(before, after, strict=True)):
        own = set(body(f"p{number}", pages[number][0]))
        gone = [block.text for block in other.removed]
        assert own <= set(texts(other))
        assert sorted(texts(other) + gone) == sorted(texts(one))
        for text in gone:
            assert having[PLANTED.index(text)] >= 3


@quick
@given(pages=PAGES)
def test_the_same_pages_and_state_give_the_same_articles_and_cutting_again_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, pages: list[Page]
) -> None:
    folder = tmp_path_factory.mktemp("state")
    night(folder, 1, planted(pages))
    first = Templates.load(folder, run_date=DAY, options=OPTIONS).cut(planted(pages))
    second = Templates.load(folder, run_date=DAY, options=OPTIONS)
    assert second.cut(planted(pages)) == first
    assert second.cut(first) == first


@quick
@given(pages=PAGES, cuts=st.lists(st.integers(0, 14), max_size=3))
def test_nights_teach_what_one_run_teaches(
    tmp_path_factory: pytest.TempPathFactory, pages: list[Page], cuts: list[int]
) -> None:
    articles = planted(pages)
    whole, parts = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("parts")
    night(whole, 1, articles)
    edges = sorted({0, *(place for place in cuts if place < len(articles)), len(articles)})
    for number, (start, end) in enumerate(pairwise(edges)):
        night(parts, number, articles[start:end])
    assert taken(night(parts, 99, articles)) == taken(night(whole, 99, articles))


@quick
@given(pages=PAGES, size=st.integers(1, 14))
def test_chunks_of_any_size_leave_the_same_state(
    tmp_path_factory: pytest.TempPathFactory, pages: list[Page], size: int
) -> None:
    articles = planted(pages)
    states = []
    for step in (size, len(articles)):
        templates = Templates.load(None, run_date=DAY, options=OPTIONS)
        for start in range(0, len(articles), step):
            templates.cut(articles[start : start + step])
        path = tmp_path_factory.mktemp("state") / "1.parquet"
        templates.save(path)
        states.append(path.read_bytes())
    assert states[0] == states[1]


@quick
@given(pages=PAGES, size=st.integers(1, 5), broken_off=st.integers(0, 14))
def test_a_run_that_goes_on_cuts_and_leaves_what_one_does_that_was_never_broken_off(
    tmp_path_factory: pytest.TempPathFactory, pages: list[Page], size: int, broken_off: int
) -> None:
    folder = tmp_path_factory.mktemp("state")
    night(folder, 1, planted(pages[:4]))
    articles = planted(pages)
    whole, rest = (Templates.load(folder, run_date=DAY, options=OPTIONS) for _ in range(2))
    for number, start in enumerate(range(0, len(articles), size)):
        expected = whole.cut(articles[start : start + size])
        if number < broken_off:
            rest.restore(whole.added())
        else:
            assert rest.cut(articles[start : start + size]) == expected
    paths = [folder / "whole", folder / "rest"]
    for templates, path in zip((whole, rest), paths, strict=True):
        templates.save(path)
    assert [path.exists() for path in paths] in ([True, True], [False, False])
    if paths[0].exists():
        assert paths[0].read_bytes() == paths[1].read_bytes()
