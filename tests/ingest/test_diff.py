"""`babelwire diff`: two runs over the same documents, column by column."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import two_nights
from hypothesis import given
from hypothesis import strategies as st

from ingest import run as run_module
from ingest.cli import main
from ingest.config import Options
from ingest.diff import COMPARED, diff, word_diff
from normalize.options import DocumentOptions
from schemas.document import Article, RawDocument, Rejected
from schemas.errors import SetupError

Captured = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


def run_first_night(pages: Path, output: Path, options: Options = two_nights.OPTIONS, **more: Any) -> str:
    summary = run_module.run(
        two_nights.inputs_of(pages, two_nights.FIRST),
        output,
        options,
        run_date=two_nights.FIRST,
        fresh=True,
        on_progress=lambda _: None,
        **more,
    )
    return summary.run_id


@pytest.fixture(scope="module")
def before(pages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("before")
    run_first_night(pages, output)
    return output


def altered(change: Callable[[Article], Article | Rejected]) -> run_module.Steps:
    """Give the steps of another version, in which the articles come out otherwise."""
    steps = run_module.real_steps()

    def work(raw: RawDocument, options: DocumentOptions) -> Article | Rejected:
        made = steps.work(raw, options)
        return change(made) if isinstance(made, Article) else made

    return dataclasses.replace(steps, work=work)


def other_version(article: Article) -> Article | Rejected:
    """Lose a word of the ferry, refuse the copy, call the bridge a listing in Dutch without title."""
    if article.raw.source_id == "o'hill":
        return Rejected.of(article.raw, stage="extract", reason="no_text", detail="lost", raw_sha256=article.raw_sha256)
    if article.url == "https://quay.example/bridge":
        language = dataclasses.replace(article.language, tag="nl")
        return dataclasses.replace(article, page_type="listing", language=language, title=None)
    first, *rest = article.paragraphs
    shorter = dataclasses.replace(first, text=first.text.replace("northern ", ""))
    return dataclasses.replace(article, paragraphs=(shorter, *rest), publisher="The Quay")


@pytest.fixture(scope="module")
def after(pages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("after")
    run_first_night(pages, output, steps=altered(other_version), engine=in_this_process)
    return output


def in_this_process(documents: Any, *, work: Any, document_options: DocumentOptions, **_: Any) -> Any:
    """Work where functions need no name that a worker could import."""
    return (item if isinstance(item, Rejected) else work(item, document_options) for item in documents)


def test_a_run_does_not_differ_from_itself(before: Path) -> None:
    found = diff(str(before), str(before))
    assert (found.in_both, found.equal, found.only_in_a, found.only_in_b) == (3, 3, 0, 0)
    assert (found.columns, found.settings, found.longer, found.shorter) == ((), {}, 0, 0)


def test_each_column_that_changed_is_counted_with_what_was_null(before: Path, after: Path) -> None:
    found = diff(str(before), str(after))
    assert {item.column: (item.changed, item.set_in_b, item.gone_in_b) for item in found.columns} == {
        "lang": (1, 0, 0),
        "page_type": (1, 0, 0),
        "paragraphs": (1, 0, 0),
        "publisher": (1, 1, 0),
        "text": (1, 0, 0),
        "title": (1, 0, 1),
    }
    assert (found.in_both, found.equal) == (2, 0)


def test_a_record_of_one_run_only_is_told_with_what_the_other_made_of_it(before: Path, after: Path) -> None:
    found = diff(str(before), str(after))
    assert (found.only_in_a, found.a_became) == (1, {"extract/no_text": 1})
    back = diff(str(after), str(before))
    assert (back.only_in_b, back.b_was) == (1, {"extract/no_text": 1})


def test_a_record_that_the_other_run_never_met_is_not_there(tmp_path: Path) -> None:
    output = two_nights.make(tmp_path)
    first, second = pl.read_parquet(output / "articles/**/*.parquet")["run_id"].unique(maintain_order=True)
    found = diff(f"{output}:{first}", f"{output}:{second}")
    assert (found.in_both, found.a_became, found.b_was) == (0, {"not there": 3}, {"not there": 2})
    assert (found.a.run_id, found.b.run_id) == (first, second)
    assert diff(str(output), f"{output}:{second}").equal == 2


def test_examples_show_both_values_and_for_texts_the_words(before: Path, after: Path) -> None:
    examples = {item.column: item.examples[0] for item in diff(str(before), str(after)).columns}
    assert (examples["title"].a, examples["title"].b, examples["title"].words) == ("A bridge opens", None, None)
    words = examples["text"].words
    assert words is not None
    assert words.startswith("The ferry to the [-northern -]islands will not sail")
    assert words.endswith("…")
    ids = pl.read_parquet(before / "articles/**/*.parquet").rows_by_key("url", named=True)
    assert examples["lang"].record_id == ids["https://quay.example/bridge"][0]["record_id"]


def test_languages_and_kinds_are_crossed_and_lengths_summed(before: Path, after: Path) -> None:
    found = diff(str(before), str(after))
    crossed = {name: [dataclasses.astuple(item) for item in items] for name, items in found.crossings.items()}
    assert crossed == {
        "lang": [("en", "en", 1), ("en", "nl", 1)],
        "page_type": [("article", "article", 1), ("article", "listing", 1)],
    }
    assert found.characters_a - found.characters_b == len("northern ")
    assert (found.longer, found.shorter) == (0, 1)


def test_options_that_differ_are_named_with_both_values(pages: Path, before: Path, tmp_path: Path) -> None:
    options = dataclasses.replace(two_nights.OPTIONS, document=DocumentOptions(min_lang_score=0.9999))
    run_first_night(pages, tmp_path, options)
    found = diff(str(before), str(tmp_path))
    assert found.settings == {"document.min_lang_score": (DocumentOptions().min_lang_score, 0.9999)}


def test_the_command_tells_it_for_people_and_as_json(before: Path, after: Path, capsys: Captured) -> None:
    assert main(["diff", str(before), str(after)]) == 0
    said = capsys.readouterr().out
    for line in (
        "in both        2, equal in every column 0 (0.0%)",
        "only in A      1; in B: extract/no_text 1",
        "lang           en -> nl 1",
        "title                           1    50.0%            0            1",
    ):
        assert line in said.splitlines()
    assert main(["diff", str(before), str(after), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == json.loads(json.dumps(dataclasses.asdict(diff(str(before), str(after)))))


def test_a_hostile_text_cannot_drive_the_terminal(pages: Path, before: Path, tmp_path: Path, capsys: Captured) -> None:
    def hostile(article: Article) -> Article:
        return dataclasses.replace(article, title="\x1b[2J\u202etitle\n\x07")

    run_first_night(pages, tmp_path, steps=altered(hostile), engine=in_this_process)
    assert main(["diff", str(before), str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "title" in said
    assert not {"\x1b", "\x07", "\u202e"} & set(said)


@pytest.mark.parametrize("name", ["{}:0123", "{}/none", "{}/none:0123"])
def test_a_run_that_is_not_there_is_named(name: str, before: Path) -> None:
    with pytest.raises(SetupError, match=r"has no run|is not a folder"):
        diff(name.format(before), str(before))


def test_what_names_the_run_is_not_compared() -> None:
    assert not {"record_id", "run_id", "run_date", "config_sha256", "schema_version"} & set(COMPARED)
    assert {"text", "title", "removed", "mt_text", "dup_of"} <= set(COMPARED)


@pytest.mark.parametrize(
    ("a", "b", "shown"),
    [
        ("", "new", "{+new+}"),
        ("gone", "", "[-gone-]"),
        ("same", "same", "same"),
        ("東京で雨が降る", "東京で雪が降る", "東京で[-雨-]{+雪+}が降る"),
        ("one " * 50 + "two", "one " * 50 + "three", "…one one one one one one [-two-]{+three+}"),
    ],
)
def test_words_that_changed_stand_between_words_that_did_not(a: str, b: str, shown: str) -> None:
    assert word_diff(a, b) == shown


def test_words_far_from_each_other_leave_out_what_is_between() -> None:
    middle = "word " * 60
    assert word_diff(f"a {middle}b", f"x {middle}y").count("…") == 1


@given(a=st.text(), b=st.text())
def test_any_two_texts_have_a_difference_of_bounded_length(a: str, b: str) -> None:
    shown = word_diff(a * 50, b * 50)
    assert len(shown) <= 600
    assert ("[-" in shown or "{+" in shown) or a == b or "…" in shown
