"""A text that was seen before points to the first record that said it; a rerun of the same record does not."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hostile import STORY
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_pages import article as article_of
from small_pages import web

from normalize.duplicates import NEAR, STATE, DuplicateIndex, similarity
from normalize.fingerprint import BANDS, ROWS, fingerprint, signature
from schemas.document import Article, Paragraph

quick = settings(
    deadline=None,
    database=None,
    derandomize=True,
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

WORDS = (
    "ferry harbour council timber storm island village winter bridge captain ticket morning engineer railway festival "
    "museum library weather summer station mountain journey minister election budget hospital teacher student garden"
).split()


@cache
def model() -> Article:
    """Any article: the text and the name are replaced."""
    return article_of(web())


def article(name: str, text: str) -> Article:
    return fingerprint(
        replace(model(), record_id=name, paragraphs=(Paragraph(role="paragraph", text=text, lang="en"),), signature=())
    )


def prose(seed: int, words: int = 200) -> str:
    chosen = random.Random(seed)  # noqa: S311  (the same text every time, not a secret)
    return " ".join(chosen.choice(WORDS) for _ in range(words))


def changed(text: str, *places: int) -> str:
    """The text with a few words replaced."""
    words = text.split()
    for place in places:
        words[place] = "entirely"
    return " ".join(words)


def links(articles: Iterable[Article]) -> list[tuple[str | None, str | None]]:
    return [(one.dup_of, one.dup_kind) for one in articles]


def link(*articles: Article) -> list[tuple[str | None, str | None]]:
    return links(DuplicateIndex.load(None).link(articles))


# ---- within one run --------------------------------------------------------------------------------------


def test_the_second_of_two_equal_texts_points_to_the_first() -> None:
    text = prose(1)
    assert link(article("a", text), article("b", prose(2)), article("c", text)) == [
        (None, None),
        (None, None),
        ("a", "exact"),
    ]


def test_spacing_case_and_punctuation_make_no_other_text() -> None:
    assert link(article("a", "The ferry, at last, sailed!"), article("b", "the ferry at last — SAILED")) == [
        (None, None),
        ("a", "exact"),
    ]


def test_a_text_with_a_few_words_changed_is_near() -> None:
    text = prose(1)
    first, second = DuplicateIndex.load(None).link([article("a", text), article("b", changed(text, 10, 100, 190))])
    assert (first.dup_of, second.dup_of, second.dup_kind) == (None, "a", "near")
    assert second.dup_score is not None
    assert NEAR <= second.dup_score < 1


def test_a_text_with_a_paragraph_added_is_near() -> None:
    text = prose(1)
    assert link(article("a", text), article("b", f"{text} {prose(9, 15)}"))[1] == ("a", "near")


def test_another_text_is_not_near_even_when_half_of_it_is_the_same() -> None:
    text = prose(1)
    half = " ".join(text.split()[:100])
    assert (
        link(article("a", text), article("b", prose(2)), article("c", f"{half} {prose(3, 100)}")) == [(None, None)] * 3
    )


def test_a_long_chain_of_revisions_points_to_the_first_of_all() -> None:
    text = prose(1)
    found = link(
        article("a", text),
        article("b", changed(text, 50)),
        article("c", changed(text, 50)),
        article("d", changed(text, 50, 51)),
    )
    assert [first for first, _ in found] == [None, "a", "a", "a"]


def test_of_several_near_texts_the_nearest_gives_the_score() -> None:
    text = prose(1)
    nearer = changed(text, 20, 60, 100)
    new = article("new", changed(nearer, 150))
    (alone,) = DuplicateIndex.load(None).link([article("a", text), new])[1:]
    (beside,) = DuplicateIndex.load(None).link([article("a", text), article("b", nearer), new])[2:]
    assert (alone.dup_of, beside.dup_of) == ("a", "a")
    assert alone.dup_score is not None
    assert beside.dup_score is not None
    assert beside.dup_score > alone.dup_score


@pytest.mark.parametrize("text", ["The ferry sails at noon.", "OK", "漢字の短い文章", ""])
def test_short_texts_only_match_exactly(text: str) -> None:
    assert article("a", text).signature == ()
    assert link(article("a", text), article("b", text), article("c", f"{text} x")) == [
        (None, None),
        ("a", "exact"),
        (None, None),
    ]


def test_texts_in_scripts_without_spaces_are_compared_too() -> None:
    text = "".join(chr(0x4E00 + (number * number * 7 + number) % 499) for number in range(400))
    assert link(article("a", text), article("b", text[:200] + "港" + text[201:]))[1] == ("a", "near")


def test_a_record_that_stands_twice_in_one_input_gets_a_name_of_its_own() -> None:
    text = prose(1)
    found = DuplicateIndex.load(None).link([article("a", text), article("a", text), article("a", text)])
    names = [one.record_id for one in found]
    assert (names[0], len(set(names))) == ("a", 3)
    assert links(found) == [(None, None), ("a", "exact"), ("a", "exact")]
    assert names == [one.record_id for one in DuplicateIndex.load(None).link([article("a", text)] * 3)]


# ---- over several runs ----------------------------------------------------------------------------------


def saved(folder: Path, number: int, articles: Sequence[Article]) -> tuple[Article, ...]:
    """One run: remember what earlier ones saved, link, save."""
    index = DuplicateIndex.load(folder)
    found = index.link(articles)
    index.save(folder / f"{number:03}.parquet")
    return found


def test_a_rerun_of_the_same_records_finds_no_duplicates_that_it_did_not_find_before(tmp_path: Path) -> None:
    text = prose(1)
    night = [
        article("a", text),
        article("b", changed(text, 7)),
        article("c", text),
        article("d", prose(2)),
        article("e", "Short."),
    ]
    first = saved(tmp_path, 1, night)
    again = saved(tmp_path, 2, night)
    assert links(first) == [(None, None), ("a", "near"), ("a", "exact"), (None, None), (None, None)]
    assert [one.dup_of for one in again] == [one.dup_of for one in first]


def test_what_an_earlier_night_said_is_found_again(tmp_path: Path) -> None:
    text = prose(1)
    saved(tmp_path, 1, [article("a", text), article("s", "Short news.")])
    saved(tmp_path, 2, [article("x", prose(5))])
    later = saved(tmp_path, 3, [article("b", text), article("c", changed(text, 3, 90)), article("t", "Short news!")])
    assert links(later) == [("a", "exact"), ("a", "near"), ("s", "exact")]


POOL = [
    prose(1),
    changed(prose(1), 20),
    changed(prose(1), 20, 120),
    prose(2),
    changed(prose(2), 5, 6),
    prose(3),
    "Short news.",
    "Short news!",
]


@quick
@given(
    numbers=st.lists(st.integers(0, len(POOL) - 1), min_size=2, max_size=8),
    cuts=st.lists(st.integers(0, 8), max_size=3),
)
def test_two_runs_that_save_and_load_give_the_links_of_one(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[int], cuts: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("state")
    night = [article(f"r{place}", POOL[number]) for place, number in enumerate(numbers)]
    edges = sorted({0, *(cut for cut in cuts if cut < len(night)), len(night)})
    parts = [saved(folder, number, night[start:end]) for number, (start, end) in enumerate(pairwise(edges))]
    assert [one for part in parts for one in links(part)] == link(*night)


@quick
@given(numbers=st.lists(st.integers(0, len(POOL) - 1), min_size=2, max_size=8), size=st.integers(1, 8))
def test_chunks_of_any_size_give_the_same_links(numbers: list[int], size: int) -> None:
    night = [article(f"r{place}", POOL[number]) for place, number in enumerate(numbers)]
    index = DuplicateIndex.load(None)
    chunks = [index.link(night[start : start + size]) for start in range(0, len(night), size)]
    assert [one for chunk in chunks for one in links(chunk)] == link(*night)


@quick
@given(
    earlier=st.lists(st.integers(0, len(POOL) - 1), max_size=4),
    numbers=st.lists(st.integers(0, len(POOL) - 1), min_size=2, max_size=8),
    size=st.integers(1, 4),
    broken_off=st.integers(0, 8),
)
def test_a_run_that_goes_on_gives_the_links_and_the_state_of_one_that_was_never_broken_off(
    tmp_path_factory: pytest.TempPathFactory, earlier: list[int], numbers: list[int], size: int, broken_off: int
) -> None:
    folder = tmp_path_factory.mktemp("state")
    saved(folder, 1, [article(f"r{place}", POOL[number]) for place, number in enumerate(earlier)])
    # Some records of the earlier night come again, under the same names.
    night = [article(f"r{place + 2}", POOL[number]) for place, number in enumerate(numbers)]
    chunks = [night[start : start + size] for start in range(0, len(night), size)]
    whole, rest = DuplicateIndex.load(folder), DuplicateIndex.load(folder)
    for number, chunk in enumerate(chunks):
        expected = whole.link(chunk)
        if number < broken_off:
            rest.restore(whole.added())
        else:
            assert rest.link(chunk) == expected
    paths = [folder.with_name(f"{folder.name}-{name}.parquet") for name in ("whole", "rest")]
    for index, path in zip((whole, rest), paths, strict=True):
        index.save(path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_the_order_of_bands_does_not_matter(tmp_path: Path) -> None:
    text = prose(1)
    saved(tmp_path, 1, [article("a", text), article("b", prose(2)), article("c", changed(text, 9, 99))])
    state = pl.read_parquet(tmp_path / "001.parquet")
    turned = state.with_columns(pl.col("bands").list.reverse())
    new = [article("d", changed(text, 150)), article("e", changed(prose(2), 4))]
    answers = [DuplicateIndex(table).link(new) for table in (state, turned)]
    assert links(answers[0]) == links(answers[1]) == [("a", "near"), ("b", "near")]


def test_the_saved_state_has_its_schema_and_one_row_per_record_in_order(tmp_path: Path) -> None:
    saved(tmp_path, 1, [article("a", prose(1)), article("b", "Short.")])
    state = pl.read_parquet(tmp_path / "001.parquet")
    assert state.schema == STATE
    assert state["record_id"].to_list() == ["a", "b"]
    assert [len(bands) for bands in state["bands"].to_list()] == [BANDS, 0]


def test_a_run_that_added_nothing_saves_nothing(tmp_path: Path) -> None:
    DuplicateIndex.load(tmp_path).save(tmp_path / "001.parquet")
    assert list(tmp_path.iterdir()) == []


# ---- fingerprints ----------------------------------------------------------------------------------------


def test_a_signature_has_a_number_for_every_row_of_every_band_and_is_always_the_same() -> None:
    letters = "the night ferry sailed again " * 10
    assert len(signature(letters)) == BANDS * ROWS
    assert signature(letters) == signature(letters)


def test_the_similarity_of_signatures_estimates_that_of_the_texts() -> None:
    def packed(text: str) -> bytes:
        return bytes(number & 0xFF for number in signature(text))

    text = prose(1).replace(" ", "")
    assert similarity(packed(text), packed(text)) == 1.0
    assert similarity(packed(text), packed(prose(2).replace(" ", ""))) < 0.3
    assert similarity(b"", packed(text)) == 0.0


def test_one_story_on_two_sites_is_found_through_the_whole_road() -> None:
    one = article_of(web(), url="https://harbour.example/1")
    two = article_of(
        web(above="<nav>Home</nav>", below="<footer>© 2026 Other News</footer>"), url="https://other.example/9"
    )
    first, second = DuplicateIndex.load(None).link([one, two])
    assert (first.dup_of, second.dup_of, second.dup_kind) == (None, one.record_id, "exact")
    assert STORY[0] in second.text
