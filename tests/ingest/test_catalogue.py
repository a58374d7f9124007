"""Source catalogues: what they give to a run, and how their faults are said."""

from pathlib import Path

import pytest

from ingest.catalogue import entries, inputs_of, is_catalogue
from schemas.errors import SetupError

GOOD = """
[defaults]
country = "GR"
language = "el"

[[source]]
id = "nea-akti"
name = "Νέα Ακτή"
domain = "nea-akti.example"
rights = "written for tests"
feeds = ["https://nea-akti.example/feed.xml"]
files = ["pages/*.html", "pages/b.html"]

[[source]]
id = "quay"
domain = "новини.example"
language = "en-GB"
country = "GB"
files = ["quay.txt"]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    pages = tmp_path / "seeds" / "pages"
    pages.mkdir(parents=True)
    for name in ("b.html", "a.html"):
        (pages / name).write_text("<p>")
    (tmp_path / "seeds" / "quay.txt").write_text("text")
    return Path("seeds")


def catalogue(folder: Path, text: str) -> Path:
    path = folder / "sources.toml"
    path.write_text(text, encoding="utf-8")
    return path


def source(line: str) -> str:
    return f'[[source]]\nid = "quay"\n{line}\n'


def test_files_come_in_catalogue_order_each_pattern_sorted_and_none_twice(folder: Path) -> None:
    found = inputs_of(catalogue(folder, GOOD))
    assert [item.uri for item in found] == [
        "seeds/pages/a.html",
        "seeds/pages/b.html",
        "seeds/quay.txt",
    ]


def test_inputs_carry_what_the_catalogue_knows(folder: Path) -> None:
    first, _, last = inputs_of(catalogue(folder, GOOD))
    assert (first.source_id, first.publisher, first.language_prior) == (
        "nea-akti",
        "Νέα Ακτή",
        "el",
    )
    assert (last.source_id, last.publisher, last.language_prior) == ("quay", None, "en-GB")
    assert first.path is not None
    assert first.path.read_text() == "<p>"


def test_addresses_are_kept_for_the_crawl(folder: Path) -> None:
    entry, _ = entries(catalogue(folder, GOOD))
    assert entry.feeds == ("https://nea-akti.example/feed.xml",)
    assert entry.country == "GR"


def test_toml_without_sources_is_not_a_catalogue(folder: Path) -> None:
    assert not is_catalogue(catalogue(folder, "[run]\n"))
    assert is_catalogue(catalogue(folder, GOOD))
    assert not is_catalogue(folder / "quay.txt")
    assert not is_catalogue(folder / "absent.toml")


FAULTS = [
    (source("kind = 'rss'"), '[quay] key "kind" is unknown; use one of: country, domain, feeds'),
    ("[[source]]\nname = 'x'\n", '[[source]] number 1 has no key "id"'),
    ("[[source]]\nid = 'Nea Akti'\n", 'number 1 id "Nea Akti" is not usable; it must be small'),
    (source("") * 2, "[quay] stands twice"),
    (source("country = 'UK'"), '[quay] country "UK" is not usable; it must be an ISO 3166'),
    (source("language = 'english'"), '[quay] language "english" is not usable; it must be a BCP'),
    (source("domain = 'https://x.example'"), '[quay] domain "https://x.example" is not usable'),
    (source("feeds = ['feed.xml']"), '[quay] feeds "feed.xml" is not usable; it must be an addr'),
    (source("feeds = ['http://[x']"), '[quay] feeds "http://[x" is not usable'),
    (source("feeds = 'x'"), "[quay] feeds is 'x'; it must be a list of strings"),
    (source("name = ' '"), "[quay] name is ' '; it must be a string that is not empty"),
    (source("files = [3]"), "[quay] files is 3; it must be a string that is not empty"),
    (source("files = ['/etc/*']"), '[quay] files "/etc/*" is not usable; it must be a pattern'),
    (source("files = ['*.nope']"), '[quay] files "*.nope" matches no file below "seeds"'),
    ("[defaults]\nid = 'x'\n" + source(""), '[defaults] key "id" is unknown; use one of: country'),
    ("[defaults]\ncountry = 'XX'\n" + source(""), '[defaults] country "XX" is not usable'),
    ("[sources]\n" + source(""), "table [sources] is unknown"),
    ("source = 3\n", "there is no [[source]] table"),
    ("source = [3]\n", "[[source]] number 1 is 3; it must be a table"),
    ("[[source\n", "is not TOML in UTF-8"),
]


@pytest.mark.parametrize(("text", "message"), FAULTS)
def test_a_fault_names_file_source_key_value_and_what_is_allowed(folder: Path, text: str, message: str) -> None:
    with pytest.raises(SetupError) as caught:
        inputs_of(catalogue(folder, text))
    assert str(caught.value).startswith("seeds/sources.toml: ")
    assert message in str(caught.value)


@pytest.mark.parametrize("tag", ["el", "zh-Hant", "sr-Latn-RS", "en-GB", "es-419", "sl-rozaj"])
def test_language_tags_of_every_shape_are_taken(folder: Path, tag: str) -> None:
    (entry,) = entries(catalogue(folder, source(f'language = "{tag}"')))
    assert entry.language == tag
