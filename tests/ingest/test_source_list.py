"""`babelwire sources check`: what each source would be asked for, what is doubtful, and what is wrong."""

from pathlib import Path

import pytest
from whole_runs import ROOT, babelwire

from ingest.catalogue import read_catalogue
from ingest.source_list import doubts_of, listed
from schemas.errors import SetupError

HEAD = '[crawl]\ncontact = "mailto:desk@news.example"\n'


def write(folder: Path, text: str) -> Path:
    path = folder / "sources.toml"
    path.write_text(text, encoding="utf-8")
    return path


def doubts(folder: Path, lines: str, *, head: str = HEAD) -> list[str]:
    """Say what is doubtful about one source."""
    return doubts_of(read_catalogue(write(folder, f'{head}\n[[source]]\nid = "quay"\n{lines}\n')))


def test_each_source_has_a_row_with_what_it_would_be_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.html").touch()
    (tmp_path / "b.html").touch()
    text = """
    [defaults]
    language = "el"

    [[source]]
    id = "quay"
    feeds = ["https://quay.example/1", "https://quay.example/2"]
    sitemaps = ["https://quay.example/map.xml"]
    lists = ["https://quay.example/news/"]
    home = "https://quay.example/"
    pages = ["https://quay.example/old"]
    delay = 0.5
    max_pages = 30

    [[source]]
    id = "store"
    files = ["*.html"]
    """
    heads, _, quay, store, closing = listed(write(tmp_path, HEAD + text)).splitlines()
    assert heads.split() == "id feeds sitemaps lists home pages files language delay pages per night".split()
    assert quay.split() == ["quay", "2", "1", "1", "1", "1", "el", "0.5", "s", "30"]
    # Nobody is asked for it, so it has no delay.
    assert store.split() == ["store", "2", "el"]
    assert closing == "2 sources: 1 to crawl, 1 with files to run; doubts: 0"


def test_the_sample_catalogue_leaves_no_doubt() -> None:
    assert listed(ROOT / "seeds" / "sources.toml").endswith("doubts: 0")


DOUBTS = [
    ("", "[quay] names nothing to fetch and no files"),
    (
        'domain = "quay.example"\nfeeds = ["https://pier.example/f"]',
        'feeds "https://pier.example/f" is not at its domain',
    ),
    (
        'domain = "quay.example"\nhome = "https://notquay.example/"',
        'home "https://notquay.example/" is not at its domain',
    ),
    ('delay = 0\nfeeds = ["https://quay.example/f"]', "[quay] delay is 0"),
    ('full_text = true\nlists = ["https://quay.example/"]', "[quay] full_text is true, but there is no feed"),
    ('take = ["news/*"]\nhome = "https://quay.example/"', '[quay] take "news/*" fits no address'),
    ('leave = ["/video/*"]\nhome = "https://quay.example/"', '[quay] leave "/video/*" fits no address'),
    ('take = ["http://quay.example/*"]\nhome = "https://quay.example/"', 'take "http://quay.example/*" fits http only'),
    (
        'take = ["*/2026/*"]\npages = ["https://quay.example/a"]',
        '[quay] pages "https://quay.example/a" is never fetched',
    ),
    ('leave = ["*/a"]\npages = ["https://quay.example/a"]', '[quay] pages "https://quay.example/a" is never fetched'),
]


@pytest.mark.parametrize(("lines", "doubt"), DOUBTS)
def test_what_is_legal_but_rarely_meant_is_doubtful(tmp_path: Path, lines: str, doubt: str) -> None:
    (found,) = doubts(tmp_path, lines)
    assert doubt in found


FINE = [
    'domain = "quay.example"\nfeeds = ["https://www.quay.example/f", "https://feeds.quay.example/g"]',
    'domain = "www.quay.example"\nfeeds = ["https://quay.example/f"]',
    'domain = "новини.example"\nfeeds = ["https://xn--b1amarcd.example/f"]',
    'take = ["https://quay.example/*", "*/2026/*", "http*"]\nfeeds = ["https://quay.example/f"]',
    'take = ["http://quay.example/*"]\nfeeds = ["https://quay.example/f", "http://quay.example/g"]',
    'full_text = true\nhome = "https://quay.example/"',
    'feeds = ["https://quay.example/f", "https://quay.example/f"]',
]


@pytest.mark.parametrize("lines", FINE)
def test_what_is_meant_is_not_doubtful(tmp_path: Path, lines: str) -> None:
    assert doubts(tmp_path, lines) == []


def test_no_pause_is_fine_where_the_hosts_are_ones_own(tmp_path: Path) -> None:
    head = HEAD + 'allow_private = ["intranet.example"]\n'
    assert doubts(tmp_path, 'delay = 0\nfeeds = ["https://intranet.example/f"]', head=head) == []


def test_a_contact_is_missed_only_where_something_is_fetched(tmp_path: Path) -> None:
    assert doubts(tmp_path, 'files = ["*.html"]', head="") == []
    (found,) = doubts(tmp_path, 'home = "https://quay.example/"', head="")
    assert found.startswith("[crawl] has no contact")


def test_an_address_of_two_sources_is_doubtful_and_both_are_named(tmp_path: Path) -> None:
    text = HEAD + "".join(
        f'[[source]]\nid = "{name}"\nfeeds = ["https://quay.example/f"]\n' for name in ("quay", "pier")
    )
    (found,) = doubts_of(read_catalogue(write(tmp_path, text)))
    assert found.startswith('[pier] feeds "https://quay.example/f" is in [quay] too')


def test_what_a_run_would_stop_at_is_a_fault_and_all_are_listed(tmp_path: Path) -> None:
    text = '[[source]]\nid = "quay"\nfiles = ["*.nope"]\n[[source]]\nid = "pier"\nsite_rules = "nowhere"\n'
    with pytest.raises(SetupError) as caught:
        listed(write(tmp_path, text))
    files, rules = str(caught.value).splitlines()
    assert '[quay] files "*.nope" matches no file' in files
    assert "is no folder" in rules


def test_the_command_ends_with_0_where_there_are_doubts_and_with_2_at_a_fault(tmp_path: Path) -> None:
    write(tmp_path, '[[source]]\nid = "quay"\nhome = "https://quay.example/"\n')
    ended = babelwire("sources", "check", "sources.toml", folder=tmp_path)
    assert (ended.code, ended.talk) == (0, "")
    assert "\ndoubtful: [crawl] has no contact" in ended.said
    write(tmp_path, '[[source]]\nid = "quay"\nhome = "quay"\n')
    ended = babelwire("sources", "check", "sources.toml", folder=tmp_path)
    assert (ended.code, ended.said) == (2, "")
    assert ended.talk.startswith('babelwire: sources.toml: [quay] home "quay" is not usable')
