"""The judge of blocks: what it looks at, and that its answer hangs on the page alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import Sample, samples

from normalize import metadata
from normalize.decode import decode
from normalize.extract import about_of
from normalize.judge.evidence import About, evidence, second_look
from normalize.judge.judge import THRESHOLD, judge, load_judge
from normalize.judge.words import load_words, named
from normalize.options import DocumentOptions
from normalize.segments import Path, Segment, parse, segment
from schemas.document import RawDocument

PROSE = "The council met on Tuesday and, after four hours of talks, agreed to rebuild the old pier before the summer."


def piece(text: str = PROSE, *, column: int = 1, path: int = 1, element: str = "p", links: int = 0) -> Segment:
    return Segment(
        text=text, element=element, places=frozenset(), link_chars=links, column=column, bold_chars=0,
        trail=(0, column), path=Path(path, None, ()),
    )  # fmt: skip


def value(name: str, *segments: Segment, about: About | None = None) -> list[float]:
    names, rows = evidence(segments, about or About())
    return [round(float(number), 4) for number in rows[:, names.index(name)]]


def test_an_ideograph_says_as_much_as_two_and_a_half_letters() -> None:
    (chinese,) = value("length", piece("图书馆今天重新开放"))
    (english,) = value("length", piece("x" * round(9 * 2.6)))
    assert abs(chinese - english) < 0.05


def test_a_segment_knows_its_path_its_column_and_its_neighbours() -> None:
    page = (piece(path=1), piece(path=1), piece("Menu", path=2, column=2), piece(path=3, column=2))
    assert value("path_count", *page)[0] == value("path_count", *page)[1] > value("path_count", *page)[2]
    assert value("path_prose", *page) == [0.6667, 0.6667, 0.0, 0.3333]
    assert value("same_column-1", *page) == [0, 1, 0, 1]
    assert value("since_prose", *page) == [99, 1, 1, 2]


def test_title_and_description_are_found_again() -> None:
    about = About(titles=("Old pier to be rebuilt",), descriptions=(PROSE,))
    page = (piece("Old Pier to be Rebuilt!", element="h1"), piece(), piece("Menu"))
    assert value("is_title", *page, about=about) == [1, 0, 0]
    assert value("is_description", *page, about=about) == [0, 1, 0]
    assert value("from_title", *page, about=about)[0] == 0


def test_what_the_lexicon_says_of_a_heading_above_counts_below_it() -> None:
    page = (piece(), piece("Comments", element="h3"), piece(), piece())
    assert value("since_comments", *page) == [99, 0, 1, 2]


def test_what_stands_in_the_story_of_the_linked_data_is_found_again() -> None:
    about = About(story=f"{PROSE} And then they went home. {PROSE.upper()}")
    assert value("in_told", piece(), piece("Menu"), about=about) == [1, 0]
    assert np.isnan(value("in_told", piece(), about=About(story="Too short."))).all()


def named_by(*words: str) -> Path:
    """A path whose elements are named so, from the outermost inwards."""
    path = Path(0, None, ())
    for number, word in enumerate(words, start=1):
        path = Path(number, path, (word,) if word else ())
    return path


def test_the_words_around_a_segment_count_by_how_far_out_they_stand() -> None:
    weights = {"story": (1.0, 2.0, 3.0, 4.0), "teaser": (-1.0, -2.0, -3.0, -4.0)}

    def row(*words: str) -> list[float]:
        return [float(number) for number in named([piece()._replace(path=named_by(*words))], weights)[0]]

    assert row("story") == [1, 0, 0, 0, 1, 0, 1]
    assert row("story", "", "") == [0, 0, 3, 0, 3, 0, 3]
    assert row("story", "story", "", "", "", "", "teaser") == [-1, 0, 0, 8, 7, -1, 4]
    assert row("unheard", "of") == [0] * 7


def test_the_learned_words_say_what_designers_mean() -> None:
    words = load_words()
    for good, bad in (("article", "comments"), ("content", "footer"), ("body", "teaser")):
        assert sum(words[good]) > sum(words[bad])


TEXTS = st.text(min_size=1, max_size=80).filter(lambda text: bool(text.strip()))


@given(
    st.lists(
        st.tuples(TEXTS, st.integers(1, 4), st.integers(1, 5), st.sampled_from(["p", "li", "h2", "td", "x"])),
        min_size=1,
        max_size=30,
    )
)
def test_every_page_gets_a_score_for_each_segment(parts: list[tuple[str, int, int, str]]) -> None:
    page = [
        piece(" ".join(text.split()) or "x", column=column, path=path, element=element)
        for text, column, path, element in parts
    ]
    names, rows = evidence(page, About(titles=("x",), types=("newsarticle",)))
    assert rows.shape == (len(page), len(names))
    assert len(set(names)) == len(names)
    scores = judge(page, About())
    assert scores.shape == (len(page),)
    assert ((scores >= 0) & (scores <= 1)).all()


def test_the_trees_fit_the_evidence() -> None:
    names, rows = evidence([piece()], About())
    trees = load_judge()
    rows = np.column_stack([rows, named([piece()], trees.words)])
    assert trees.first.num_feature() == rows.shape[1]
    assert trees.second.num_feature() == second_look([piece()], names, rows, np.zeros(1, np.float32)).shape[1]


PAGES = [
    sample for sample in samples() if isinstance(sample.raw, RawDocument) and sample.raw.source_uri.endswith(".html")
]


@pytest.mark.parametrize("sample", PAGES[::6], ids=lambda sample: sample.name)
def test_a_page_is_judged_the_same_whatever_was_judged_before(sample: Sample) -> None:
    assert isinstance(sample.raw, RawDocument)
    tree = parse(decode(sample.raw, DocumentOptions()).text, DocumentOptions())
    segments = segment(tree, DocumentOptions())
    if not segments:
        pytest.skip("a page that shows nothing")
    about = about_of(*metadata.read_claims(tree))
    before = judge(segments, about)
    judge([piece()], About())
    assert (judge(segments, about) == before).all()
    assert THRESHOLD == 0.5
