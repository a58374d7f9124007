"""Rules on their way from a catalogue or a folder to the pages of a run."""

from pathlib import Path

import pytest
from hostile import STORY
from small_pages import PARAGRAPHS, web
from whole_runs import run_folder

from ingest.catalogue import inputs_of
from ingest.ftr_rules import read_ftr_folder
from ingest.site_rules import RuleBook, digest_of_books
from schemas.errors import SetupError
from schemas.site_rule import SiteRule

CATALOGUE = """
[defaults]
site_rules = "ftr"

[[source]]
id = "quay"
domain = "quay.example"
files = ["quay.html"]

[[source.rule]]
drop = ["//div[@class='box']"]

[[source]]
id = "mixed"
files = ["mixed.jsonl"]
"""
BOX = '<div class="box">Readers of the Quay save a quarter of the fare on every crossing, all through the winter.</div>'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ftr").mkdir()
    (tmp_path / "ftr" / "dock.example.txt").write_text(
        "# notes of the site\n\ntitle: //p[@class='head']\nbody: //div[@id='story']\nstrip: //div[\nstrip_id_or_class: box\n"
        "prune: no\nsingle_page_link: //a\ntest_url: https://dock.example/1\n"
    )
    (tmp_path / "ftr" / ".pier.example.txt").write_text("strip: //aside\n")
    (tmp_path / "quay.html").write_text(web(PARAGRAPHS + BOX))
    page = web(
        f"<p class='head'>Dock opens</p><div id='story'>{PARAGRAPHS}{BOX}</div><p>{STORY[0]} And so on.</p>", title=None
    )
    rows = [
        {"url": "https://www.dock.example/1", "html": page},
        {"url": "https://quay.example/2", "html": web(PARAGRAPHS + BOX)},
    ]
    import json  # noqa: PLC0415

    (tmp_path / "mixed.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "sources.toml").write_text(CATALOGUE)
    return tmp_path


def test_rules_of_a_catalogue_and_of_a_folder_shape_the_records_of_a_run(folder: Path) -> None:
    ended = run_folder("sources.toml", folder=folder)
    assert ended.code == 0, ended.talk
    assert "site rules: 1 lines cannot be used and are passed over, such as dock.example.txt:5: strip" in ended.talk
    quay, dock, other = ended.rows("articles")
    for row in (quay, dock, other):
        assert "quarter of the fare" not in row["text"]
    assert (dock["title"], dock["text"]) == ("Dock opens", "\n\n".join(STORY))
    # A page in another source's archive has the rules of its domain.
    assert [cut["rule"] for cut in other["removed"] if "fare" in cut["text"]] == ["site:drop://div[@class='box']"]


def test_other_rules_are_another_configuration_and_the_same_rules_are_none(folder: Path) -> None:
    first = run_folder("sources.toml", folder=folder)
    assert run_folder("sources.toml", folder=folder).code == 5
    (folder / "sources.toml").write_text(CATALOGUE.replace("'box'", "'promo'"))
    assert run_folder("sources.toml", folder=folder).code == 0
    hashes = {row["config_sha256"] for row in first.rows("articles")}
    assert len(hashes) == 2


def test_no_rules_leave_the_configuration_as_it_was() -> None:
    assert digest_of_books([None, None]) == ""


def test_a_site_is_found_with_and_without_www_and_below_a_wildcard(folder: Path) -> None:
    found = read_ftr_folder(folder / "ftr")
    assert found.rule_for("www.dock.example") == found.rule_for("Dock.example") is not None
    assert found.rule_for("news.dock.example") is None
    assert found.rule_for("a.b.pier.example") == found.rule_for("pier.example") is not None
    assert found.rule_for("dock.example") == SiteRule(
        origin="dock.example.txt",
        title=("//p[@class='head']",),
        keep=("//div[@id='story']",),
        drop=("//*[contains(@id, 'box') or contains(@class, 'box')]",),
    )


@pytest.mark.parametrize("url", [None, "", "https://[x", "file:///page.html", "https://other.example/"])
def test_a_page_without_a_known_host_has_no_rules(url: str | None) -> None:
    book = RuleBook(by_domain={"quay.example": (SiteRule(origin="t", drop=("//p",)),)})
    assert book.rules_for(url) == ()


def test_a_folder_that_is_not_there_is_named(folder: Path) -> None:
    (folder / "sources.toml").write_text(CATALOGUE.replace('"ftr"', '"nowhere"'))
    with pytest.raises(SetupError, match=r'site_rules "nowhere" is no folder'):
        inputs_of(Path("sources.toml"))
