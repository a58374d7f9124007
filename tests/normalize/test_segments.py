"""A page is cut into the pieces a reader sees, in order, each with what surrounds it."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normalize.options import DocumentOptions
from normalize.segments import Segment, drop_unseen, parse, segment
from schemas.errors import DocumentError

OPTIONS = DocumentOptions()

quick = settings(deadline=None, database=None, derandomize=True, max_examples=100)


def pieces(markup: str) -> list[Segment]:
    return list(segment(parse(markup, OPTIONS), OPTIONS))


def texts(markup: str) -> list[str]:
    return [piece.text for piece in pieces(markup)]


# ---- where one piece ends ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<p>One.</p><p>Two.</p>", ["One.", "Two."]),
        ("<div>One.<p>Two.</p>Three.</div>", ["One.", "Two.", "Three."]),
        ("<p>One <b>bold</b> and <i>slanted</i> word.</p>", ["One bold and slanted word."]),
        ("<p>  spread \n over\u00a0lines\t</p>", ["spread over lines"]),
        ("<p>One.<br>Still one.</p>", ["One. Still one."]),
        ("<div>One.<br><br>Two.<br> <br/>Three.</div>", ["One.", "Two.", "Three."]),
        ("<div>One.<br>\u00a0\u00a0 Two.<br>\u3000\u3000三。</div>", ["One.", "Two.", "三。"]),
        ("<ul><li>One</li><li>Two</li></ul>", ["One", "Two"]),
        ("<h1>Head</h1>Loose text", ["Head", "Loose text"]),
        ("<p></p><p> </p><p>\u00a0</p>", []),
        ("<p>One<!-- not this --> two</p>", ["One two"]),
        ("<p>Tom &amp; Ann &lt;3</p>", ["Tom & Ann <3"]),
        ("<body>No element at all", ["No element at all"]),
        ("<p>unclosed<p>also unclosed", ["unclosed", "also unclosed"]),
    ],
)
def test_pieces_end_where_a_reader_sees_a_new_paragraph(markup: str, expected: list[str]) -> None:
    assert texts(markup) == expected


def test_what_no_reader_sees_is_no_piece() -> None:
    hidden = (
        "<script>a()</script><style>p{}</style><noscript>n</noscript><template>t</template><svg><text>s</text></svg>"
    )
    assert texts(f"<p>Seen</p>{hidden}<select><option>o</option></select><p>too</p>") == ["Seen", "too"]


def test_text_after_a_hidden_element_is_seen() -> None:
    assert texts("<p>One <script>a()</script>two</p>") == ["One two"]


# ---- what surrounds it -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("markup", "place"),
    [
        ("<nav><p>x</p></nav>", "nav"),
        ("<aside><p>x</p></aside>", "aside"),
        ("<figure><figcaption>x</figcaption></figure>", "caption"),
        ("<blockquote><p>x</p></blockquote>", "quote"),
        ("<ul><li>x</li></ul>", "list"),
        ("<div class='comments-area'><p>x</p></div>", "comments"),
        ("<div id='disqus_thread'><p>x</p></div>", "comments"),
        ("<div class='c-related-stories'>x</div>", "related"),
        ("<section class='most_read'>x</section>", "related"),
        ("<div class='social-share'>x</div>", "share"),
        ("<div class='ad-slot'>x</div>", "ad"),
        ("<div class='Newsletter__box'>x</div>", "newsletter"),
        ("<div id='cookie-banner'>x</div>", "cookie"),
        ("<div class='paywall'>x</div>", "paywall"),
        ("<p class='wp-caption-text'>x</p>", "caption"),
        ("<div class='post-tags'>x</div>", "tags"),
        ("<p class='byline'>x</p>", "author"),
        ("<blockquote class='twitter-tweet'>x</blockquote>", "embed"),
        ("<p class='article__lead'>x</p>", "deck"),
        ("<p class='standfirst'>x</p>", "deck"),
        ("<ol class='breadcrumbs'><li>x</li></ol>", "breadcrumb"),
        ("<p>One <span class='photo-credit'>x</span></p>", "caption"),
    ],
)
def test_elements_and_class_names_say_what_a_piece_is_for(markup: str, place: str) -> None:
    (piece,) = [piece for piece in pieces(f"<p>The story itself.</p>{markup}") if piece.text == "x"]
    assert place in piece.places


@pytest.mark.parametrize(
    ("place", "names"),
    [
        ("comments", "usercomments comment-list disqus forum-post respond"),
        (
            "related",
            "related recommended read-more readnext see-also more-from outbrain taboola most-popular trending teaser-list popular-posts",
        ),
        ("share", "social sharing addthis sharedaddy sharebar shariff socialmedia share-tools"),
        ("ad", "ads advert adsbygoogle banner-ad ad-box advertisement sponsored promo-box"),
        ("newsletter", "newsletter subscribe-form sign-up signup mailchimp"),
        ("cookie", "cookies consent-layer gdpr-note cmp-box"),
        ("paywall", "paywall pay-wall subscription-wall piano-offer"),
        (
            "caption",
            "caption wp-caption-text image-source imagelegend image-credit photo-credit bildunterschrift credit",
        ),
        ("tags", "tag post-tags tag-cloud keywords topics"),
        ("author", "byline author-box post-author"),
        ("embed", "twitter-tweet instagram-media fb-post embedded-post embed-code tiktok-embed social-embed"),
        (
            "deck",
            (
                "deck dek lead lede lead-text standfirst subtitle sub-titles subhead sub-headline intro introduction chapo sapo vorspann "
                "anriss ingress sumario entradilla bajada catenaccio perex zajawka preamble abstract excerpt article-summary"
            ),
        ),
        ("breadcrumb", "breadcrumbs crumb"),
        ("nav", "nav navbar navigation mainmenu site-nav pagination skip-link"),
        ("footer", "site-footer page-footer colophon imprint"),
    ],
)
def test_every_stem_is_seen(place: str, names: str) -> None:
    for name in names.split():
        (piece,) = [
            piece for piece in pieces(f"<p>The story itself.</p><div class='{name}'>x</div>") if piece.text == "x"
        ]
        assert place in piece.places, name


def test_a_name_around_nearly_all_text_of_the_page_says_nothing() -> None:
    story = "".join(f"<p>Sentence number {number} of the story.</p>" for number in range(60))
    assert not any("ad" in piece.places for piece in pieces(f"<div class='ad-wrapper'>{story}</div><p>x</p>"))


def test_a_page_that_stands_in_an_open_noscript_is_seen() -> None:
    story = "".join(f"<p>Sentence number {number} of the story.</p>" for number in range(60))
    assert len(texts(f"<noscript><img src='/count.gif'>{story}")) == 60


@pytest.mark.parametrize(
    "name",
    [
        "loaded",
        "header-shadow",
        "download",
        "commentary-text",
        "story-body",
        "shareholder",
        "heading",
        "navy",
        "vintage",
    ],
)
def test_words_that_only_look_like_a_surrounding_are_none(name: str) -> None:
    (piece,) = pieces(f"<div class='{name}'>x</div>")
    assert not piece.places


def test_surroundings_reach_down_to_every_piece_inside_and_end_with_their_element() -> None:
    inside, after = pieces("<div class='related'><div><p>in</p></div></div><p>out</p>")
    assert set(inside.places) == {"related"}
    assert not after.places


def test_the_class_of_the_body_says_nothing_about_its_pieces() -> None:
    (piece,) = pieces("<body class='comments newsletter nav'><p>x</p>")
    assert not piece.places


def test_links_of_a_piece_are_counted_and_listed() -> None:
    (piece,) = pieces("<p>Read <a href='/a'>this <b>one</b></a> now</p>")
    assert piece.links == (("/a", "this one"),)
    assert piece.link_density == pytest.approx(len("thisone") / len("Read this one now"), abs=0.1)
    assert pieces("<p><a href='/a'>only a link</a></p>")[0].link_density == 1.0


def test_bold_letters_are_counted() -> None:
    (piece,) = pieces("<p><strong>All bold</strong></p>")
    assert piece.bold_chars == len("All bold")


def test_paragraphs_of_one_column_share_its_number() -> None:
    one, two, other = pieces("<div><p>One</p><p>Two</p></div><div><p>Other</p></div>")
    assert one.column == two.column != other.column


# ---- tables ------------------------------------------------------------------------------------------------


def test_a_small_table_of_data_gives_one_piece_per_row() -> None:
    table = (
        "<table><caption>Tides</caption><tr><th>Hour</th><th>Metres</th></tr><tr><td>6</td><td>2.1</td></tr></table>"
    )
    found = pieces(f"<p>Before</p>{table}<p>After</p>")
    assert [piece.text for piece in found] == ["Before", "Tides", "Hour | Metres", "6 | 2.1", "After"]
    assert [piece.element for piece in found] == ["p", "tr", "tr", "tr", "p"]


def test_a_table_that_lays_out_the_page_is_walked_like_any_other_element() -> None:
    table = "<table><tr><td>Menu</td><td><p>One.</p><p>Two.</p></td></tr><tr><td>x</td><td>y</td></tr></table>"
    assert texts(table) == ["Menu", "One.", "Two.", "x", "y"]


def test_a_grid_with_a_long_cell_is_prose() -> None:
    prose = "A long sentence of a story. " * 8
    assert texts(f"<table><tr><td>a</td><td>{prose}</td></tr><tr><td>b</td><td>c</td></tr></table>") == [
        "a", prose.strip(), "b", "c",
    ]  # fmt: skip


# ---- pages made to choke --------------------------------------------------------------------------------------


def test_a_tree_over_the_limit_of_depth_is_refused() -> None:
    options = DocumentOptions(max_depth=20)
    with pytest.raises(DocumentError) as error:
        segment(parse("<div>" * 30 + "x", options), options)
    assert (error.value.stage, error.value.reason) == ("extract", "too_deep")
    assert "20" in error.value.detail


def test_a_tree_of_too_many_elements_is_refused_with_both_numbers() -> None:
    with pytest.raises(DocumentError) as error:
        parse("<p>x" * 100, DocumentOptions(max_elements=50))
    assert error.value.reason == "too_many_elements"
    assert "102 elements; the limit is 50" in error.value.detail


def test_nothing_is_no_tree() -> None:
    with pytest.raises(DocumentError) as error:
        parse("<!-- -->", OPTIONS)
    assert error.value.reason == "no_text"


def test_unseen_elements_are_emptied_but_linked_data_and_text_between_them_stay() -> None:
    tree = parse(
        "<nav>menu</nav>tail<script>x()</script><script type='application/ld+json'>{}</script><p>story</p>", OPTIONS
    )
    drop_unseen(tree)
    assert tree.text_content() == "tail{}story"


def test_long_lists_of_links_go_with_them_and_lists_that_tell_something_stay() -> None:
    menu = "".join(f"<li><a href='/{number}'>Part {number}</a></li>" for number in range(10))
    story = "".join(f"<li><a href='/{number}'>Pier {number}</a> opens in week {number}</li>" for number in range(10))
    share = "".join(f"<li><a href='/{number}'>Way {number}</a></li>" for number in range(4))
    tree = parse(f"<ul>{menu}</ul>tail<ol>{story}</ol><ul>{share}</ul>", OPTIONS)
    drop_unseen(tree)
    text = tree.text_content()
    assert text.startswith("tailPier 0 opens")
    assert text.endswith("Way 3")


@st.composite
def markups(draw: st.DrawFn) -> tuple[str, str]:
    """A small tree of elements, and the letters that a reader sees in it."""
    words = draw(st.lists(st.text("abcαβγ漢字", min_size=1, max_size=4), min_size=1, max_size=8))
    seen, parts = [], []
    for word in words:
        tag = draw(
            st.sampled_from(["p", "div", "b", "a", "li", "h2", "blockquote", "td", "em", "span", "script", "br"])
        )
        if tag == "script":
            parts.append(f"<script>{word}</script>")
            continue
        seen.append(word)
        parts.append(f"{word}<br>" if tag == "br" else f"<{tag}>{word}" + draw(st.sampled_from([f"</{tag}>", ""])))
    return "<body>" + "".join(parts), "".join(seen)


@quick
@given(markups())
def test_every_letter_that_a_reader_sees_is_in_one_piece_in_order(made: tuple[str, str]) -> None:
    markup, seen = made
    assert re.sub(r"[\s|]", "", "".join(texts(markup))) == seen


# ---- the path that leads to a piece ----------------------------------------------------------------------


def test_a_path_keeps_the_words_of_the_elements_around() -> None:
    markup = (
        '<div id="main" class="articleBody post-text"><section itemprop="review"><p class="p_1">One</p></section></div>'
    )
    (piece,) = pieces(markup)
    words = []
    path = piece.path
    while path.around is not None:
        words.append(path.words)
        path = path.around
    assert words == [(), ("review",), ("article", "body", "post", "text", "main"), ()]  # the last is the body


def test_pieces_of_one_template_share_a_path_whatever_number_they_have() -> None:
    one, two, other = pieces('<p id="p1" class="x">One</p><p id="p2" class="x">Two</p><p id="note" class="x">Three</p>')
    assert one.path is two.path
    assert one.path is not other.path
