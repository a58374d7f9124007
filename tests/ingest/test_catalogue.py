"""Source catalogues: what they give to a run, and how their faults are said."""

import fnmatch
import re
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import SEEDS

from ingest.catalogue import inputs_of, is_catalogue, read_catalogue
from schemas.crawl_options import CrawlOptions
from schemas.errors import SetupError
from schemas.source import KEYS, SourceEntry

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
    entry, _ = read_catalogue(catalogue(folder, GOOD)).sources
    assert entry.feeds == ("https://nea-akti.example/feed.xml",)
    assert entry.country == "GR"


def test_toml_without_sources_is_not_a_catalogue(folder: Path) -> None:
    assert not is_catalogue(catalogue(folder, "[run]\n"))
    assert is_catalogue(catalogue(folder, GOOD))
    assert not is_catalogue(folder / "quay.txt")
    assert not is_catalogue(folder / "absent.toml")


FAULTS = [
    (source("kind = 'rss'"), '[quay] key "kind" is unknown; use one of: concurrency, country, delay'),
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
    ("[defaults]\nid = 'x'\n" + source(""), '[defaults] key "id" is unknown; use one of: concurrency'),
    ("[defaults]\ncountry = 'XX'\n" + source(""), '[defaults] country "XX" is not usable'),
    ("[sources]\n" + source(""), "table [sources] is unknown; use [crawl], [defaults] and [[source]]"),
    (source("lists = ['ftp://x.example']"), '[quay] lists "ftp://x.example" is not usable'),
    (source("home = 'http://x.example:port'"), '[quay] home "http://x.example:port" is not usable'),
    (source("delay = -1"), "[quay] delay is -1; it must be a number from 0 to 3600"),
    (source("delay = nan"), "[quay] delay is nan; it must be a number"),
    (source("concurrency = 1.5"), "[quay] concurrency is 1.5; it must be a whole number"),
    (source("max_pages = true"), "[quay] max_pages is True; it must be a number from 1"),
    (source("poll_minutes = 15"), "[quay] poll_minutes is 15; it must be a list of two numbers"),
    (source("poll_minutes = [60, 15]"), "[quay] poll_minutes is [60, 15]; the smaller number comes first"),
    (source("full_text = 'yes'"), "[quay] full_text is 'yes'; it must be true or false"),
    (source("opt_out = 'ignore'"), '[quay] opt_out "ignore" is not usable; it must be one of: obey, record'),
    (source("take = ['a b']"), '[quay] take "a b" is not usable; it must be a pattern'),
    (source(f"take = ['{'*' * 11}']"), "at most 500 characters and 10 stars"),
    ("[crawl]\ncontact = 'desk'\n" + source(""), '[crawl] contact "desk" is not usable; it must be an address'),
    ("[crawl]\nagent = 'my bot/2'\n" + source(""), '[crawl] agent "my bot/2" is not usable; it must be a name of'),
    ("[crawl]\nallow_private = ['10.0.0.0/99']\n" + source(""), '[crawl] allow_private "10.0.0.0/99" is not usable'),
    ("[crawl]\ntimeout = 0\n" + source(""), "[crawl] timeout is 0; it must be a number from 1 to 600"),
    ("[crawl]\nspeed = 9\n" + source(""), '[crawl] key "speed" is unknown; use one of: agent, allow_private'),
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


def test_all_faults_of_a_catalogue_are_said_at_once_one_of_each_source(folder: Path) -> None:
    text = "[crawl]\nspeed = 9\n[defaults]\ndelay = -1\n" + source("kind = 1\ndelay = 'x'") + "[[source]]\nid = 'A'\n"
    with pytest.raises(SetupError) as caught:
        read_catalogue(catalogue(folder, text))
    crawl, defaults, quay, last = str(caught.value).splitlines()
    assert '[crawl] key "speed"' in crawl
    assert "[defaults] delay is -1" in defaults
    assert '[quay] key "kind"' in quay
    assert 'number 2 id "A"' in last


def test_of_very_many_faults_the_rest_is_counted(folder: Path) -> None:
    with pytest.raises(SetupError) as caught:
        read_catalogue(catalogue(folder, "[[source]]\nid = 'A'\n" * 60))
    *told, rest = str(caught.value).splitlines()
    assert (len(told), rest) == (50, "and 10 more faults")


def test_the_sample_catalogue_shows_every_key() -> None:
    text = (SEEDS / "sources.toml").read_text("utf-8")
    shown = set(re.findall(r"^(\w+) = ", text, flags=re.MULTILINE))
    # The README shows rules of sites.
    assert {*KEYS, *(item.name for item in fields(CrawlOptions))} - shown == {"rule", "site_rules"}


@pytest.mark.parametrize("tag", ["el", "zh-Hant", "sr-Latn-RS", "en-GB", "es-419", "sl-rozaj"])
def test_language_tags_of_every_shape_are_taken(folder: Path, tag: str) -> None:
    (entry,) = read_catalogue(catalogue(folder, source(f'language = "{tag}"'))).sources
    assert entry.language == tag


CRAWL = """
[crawl]
contact = "mailto:desk@news.example"
allow_private = ["intranet.example", "10.1.0.0/16", "::1"]

[defaults]
delay = 5
max_age_days = 2
leave = ["*/video/*"]

[[source]]
id = "quay"
home = "https://quay.example/"
take = ["https://quay.example/*/2026/*", "https://quay.example/news/*"]

[[source]]
id = "pier"
feeds = ["https://pier.example/feed"]
full_text = true
delay = 0.5
poll_minutes = [5, 60]

[[source]]
id = "store"
files = ["*.html"]
"""


def test_what_sources_share_stands_once_and_a_source_may_say_otherwise(folder: Path) -> None:
    known = read_catalogue(catalogue(folder, CRAWL))
    quay, pier, store = known.sources
    assert known.crawl.contact == "mailto:desk@news.example"
    assert known.crawl.agent == "babelwire"
    assert (quay.delay, pier.delay) == (5.0, 0.5)
    assert (quay.full_text, pier.full_text) == (False, True)
    assert (quay.poll_minutes, pier.poll_minutes) == ((15.0, 720.0), (5.0, 60.0))
    assert [entry.is_crawled for entry in known.sources] == [True, True, False]
    assert store.max_age_days == 2.0


def test_patterns_choose_the_addresses_of_articles_and_those_to_leave_win(folder: Path) -> None:
    quay, pier, _ = read_catalogue(catalogue(folder, CRAWL)).sources
    assert quay.takes("https://quay.example/news/ferry")
    assert quay.takes("https://quay.example/sport/2026/race")
    assert not quay.takes("https://quay.example/about")
    assert not quay.takes("https://quay.example/news/video/1")
    assert not quay.takes("http://other.example/?u=https://quay.example/news/1")
    assert pier.takes("https://anywhere.example/x")
    assert not pier.takes("https://pier.example/video/")


@given(st.text("ab*", max_size=8), st.text("ab", max_size=12))
def test_a_pattern_means_what_it_means_to_the_shell(pattern: str, address: str) -> None:
    entry = SourceEntry(id="quay", take=(pattern,))
    assert entry.takes(address) == fnmatch.fnmatchcase(address, pattern)


def test_a_hostile_address_does_not_make_a_pattern_slow() -> None:
    entry = SourceEntry(id="quay", take=("a*a*a*a*a*a*a*a*a*b",))
    assert not entry.takes("a" * 200_000)
