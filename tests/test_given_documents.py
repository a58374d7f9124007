"""The five documents that came with the order for this project: line by line as the person who ordered it labelled them.

They lie beside the repository, in ``shared/seeds``, and are not ours to hand on; without them these tests are skipped.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ingest.sources import Limits, find_inputs, read_input
from normalize.options import DocumentOptions
from normalize.path import run_document
from schemas.document import Article, RawDocument

FOLDER = Path(__file__).parents[2] / "shared" / "seeds"
LABELS = FOLDER / "expected.json"
DOCUMENTS: list[dict[str, Any]] = json.loads(LABELS.read_text("utf-8")) if LABELS.exists() else []

pytestmark = pytest.mark.skipif(not DOCUMENTS, reason="the documents lie in ../shared/seeds, which is not there")


@cache
def article_of(name: str) -> Article:
    """Take one document down the road, from the file on."""
    (source,) = find_inputs([str(FOLDER / name)])
    (raw,) = read_input(source, Limits())
    assert isinstance(raw, RawDocument)
    outcome = run_document(raw, DocumentOptions())
    assert isinstance(outcome, Article)
    return outcome


def labelled(document: dict[str, Any], *, keep: bool) -> list[tuple[str, str]]:
    """Role and text of every line with that label, in the order of the file."""
    lines = (FOLDER / document["file"]).read_text("utf-8").splitlines()
    return [(line["role"], plain(lines[line["n"] - 1])) for line in document["lines"] if line["keep"] is keep]


def plain(line: str) -> str:
    """A line with single spaces and without the bullet of a list."""
    return " ".join(line.split()).removeprefix("• ")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document["file"][:3]))
def test_every_line_is_in_or_out_as_labelled_and_every_field_is_read(document: dict[str, Any]) -> None:
    article = article_of(document["file"])
    story, out = labelled(document, keep=True), labelled(document, keep=False)
    if document["agencies"]:
        # The credit of the agencies ends a paragraph: it alone is cut, the rest of the line stays.
        role, last = story[-1]
        credit = f"({'/'.join(document['agencies'])})"
        assert last.endswith(credit)
        story[-1] = (role, last.removesuffix(credit).rstrip())
        out.append(("agency", credit))

    assert [(paragraph.role, plain(paragraph.text)) for paragraph in article.paragraphs] == story
    assert [(block.role, plain(block.text)) for block in article.removed] == out

    assert article.title == document["title"]
    assert published(article) == document["published"]
    assert article.language.tag == document["language"]
    assert article.page_type == document["page_type"]
    assert list(article.agencies) == document["agencies"]
    assert list(article.tags) == document["tags"]
    assert list(article.cited_urls) == document["source_urls"]
    assert [image.caption for image in article.images] == document.get("captions", [])
    assert {image.credit for image in article.images} == set(document.get("image_credits", []))
    # One publisher is named only in a line that points to an earlier story of the site.
    accepted = {document["publisher"], None} if document["file"].startswith("004") else {document["publisher"]}
    assert article.publisher in accepted


def test_113_lines_are_in_and_25_are_out() -> None:
    articles = [article_of(document["file"]) for document in DOCUMENTS]
    whole_lines = [block for article in articles for block in article.removed if block.rule != "line:agency"]
    assert (sum(len(article.paragraphs) for article in articles), len(whole_lines)) == (113, 25)


def test_a_greek_line_under_an_english_story_is_marked_and_leaves_the_language_alone() -> None:
    (greek,) = [document for document in DOCUMENTS if document["note"].startswith("Body in English")]
    article = article_of(greek["file"])
    assert article.language.tag == "en"
    assert {paragraph.lang for paragraph in article.paragraphs} == {"en"}
    assert [block.text for block in article.removed if block.role == "comments"] == ["Σχόλια αναγνωστών"]


def published(article: Article) -> str | None:
    """The time of publication to the part that was written, as the labels have it."""
    if article.published is None:
        return None
    length = {"day": 10, "hour": 13, "minute": 16, "second": 19}[article.published.precision]
    return article.published.at.isoformat()[:length]
