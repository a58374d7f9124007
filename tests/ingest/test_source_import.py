"""`babelwire sources import`: subscriptions and lists of addresses become a catalogue that can be used as it is."""

import tomllib
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given
from hypothesis import strategies as st
from whole_runs import babelwire

from ingest.opml import read_opml
from ingest.source_import import imported
from schemas.errors import SetupError
from schemas.source import SourceEntry, catalogue_of

OPML = """<?xml version="1.0" encoding="UTF-8"?>
<opml version="2.0"><head><title>Subscriptions</title></head><body>
  <outline text="Coast">
    <outline text="Harbours" title="Harbours &amp; quays">
      <outline type="rss" text="Νέα…" title="Νέα Ακτή" xmlUrl="https://feeds.example/nea-akti?a=1&amp;b=2"
        htmlUrl="https://www.nea-akti.example/" language="el-gr" category="/Greece/Chios,daily"/>
    </outline>
    <outline text="Küstenbote" xmlUrl="https://küstenbote.example/rss"/>
  </outline>
  <outline text="Pier" type="link" url="https://pier.example/"/>
  <outline text="More lists" type="include" url="https://pier.example/more.opml"/>
  <outline text="An empty folder"/>
</body></opml>
"""


def sources(folder: Path, *contents: str | bytes) -> tuple[tuple[SourceEntry, ...], tuple[str, ...]]:
    """Import files, and give the sources that the catalogue has once it is read again, and the faults."""
    files = []
    for number, content in enumerate(contents):
        files.append(folder / f"{number}.txt")
        files[-1].write_bytes(content.encode() if isinstance(content, str) else content)
    text, faults = imported(files)
    return catalogue_of(tomllib.loads(text), origin="imported").sources, faults


def outline(**attributes: str) -> str:
    said = " ".join(f"{key}={quoteattr(value)}" for key, value in attributes.items())
    return f"<opml version='1.0'><body><outline {said}/></body></opml>"


# ---- OPML -----------------------------------------------------------------------------------------


def test_subscriptions_become_sources_with_all_that_is_said_of_them(tmp_path: Path) -> None:
    (nea_akti, kuestenbote, pier), faults = sources(tmp_path, OPML)
    assert faults == ()
    assert nea_akti == SourceEntry(
        id="nea-akti-example",
        name="Νέα Ακτή",
        domain="nea-akti.example",
        language="el-GR",
        feeds=("https://feeds.example/nea-akti?a=1&b=2",),
        home="https://www.nea-akti.example/",
    )
    assert kuestenbote == SourceEntry(
        id="kustenbote-example", name="Küstenbote", feeds=("https://küstenbote.example/rss",)
    )
    assert pier == SourceEntry(id="pier-example", name="Pier", domain="pier.example", home="https://pier.example/")


def test_folders_and_categories_are_kept_as_a_comment(tmp_path: Path) -> None:
    (tmp_path / "a.opml").write_text(OPML)
    assert "\n# Coast, Harbours, Greece/Chios, daily\n" in imported([tmp_path / "a.opml"])[0]


def test_an_old_or_careless_file_is_read_as_well(tmp_path: Path) -> None:
    text = "<outline><OUTLINE TEXT='Quay' XMLURL='feed://quay.example/rss.php?a=1&b=2'/></outline>"
    (quay,), faults = sources(tmp_path, text.encode("utf-16"))
    assert (quay.name, quay.feeds) == ("Quay", ("https://quay.example/rss.php?a=1&b=2",))
    assert faults


def test_of_a_broken_file_each_outline_is_read_by_itself(tmp_path: Path) -> None:
    text = OPML.replace('language="el-gr"', 'language=el"').replace("</body></opml>", '<outline text="cut')
    found, faults = sources(tmp_path, text)
    assert [source.id for source in found] == ["nea-akti-example", "kustenbote-example", "pier-example"]
    assert any("not well-formed at line 6" in fault for fault in faults)


def test_no_entity_is_expanded_and_no_file_is_read_for_one(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("what nobody may see")
    doctype = f'<!DOCTYPE opml [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;"><!ENTITY c SYSTEM "{secret.as_uri()}">]>'
    text = f"{doctype}<opml><body><outline text='x &b; &c;' xmlUrl='https://quay.example/rss'/></body></opml>"
    (quay,), _ = sources(tmp_path, text)
    assert quay.name == "x &b; &c;"


def test_a_deep_file_ends_in_sources_too(tmp_path: Path) -> None:
    deep = "<outline text='f'>" * 5000 + "<outline xmlUrl='https://quay.example/rss'/>" + "</outline>" * 5000
    (quay,), faults = sources(tmp_path, f"<opml><body>{deep}</body></opml>")
    assert quay.feeds == ("https://quay.example/rss",)
    assert any("nested more than" in fault for fault in faults)


@given(st.binary(max_size=400) | st.text("<>/&;'\" =outlinexmlUrlopml!D[]-", max_size=200).map(str.encode))
def test_whatever_the_bytes_are_reading_ends(content: bytes) -> None:
    for start in (b"", b"<opml><body>", b"<opml><outline xmlUrl='"):
        subscriptions, _ = read_opml(start + content)
        assert all(one.feed or one.home for one in subscriptions)


@given(st.data())
def test_a_damaged_file_still_makes_a_catalogue_that_can_be_read(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(OPML.encode())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        found, _ = sources(tmp_path_factory.mktemp("opml"), bytes(content))
    except SetupError as error:
        assert "no address in it" in str(error)  # noqa: PT017  either end is fine
    else:
        assert found


# ---- lists ----------------------------------------------------------------------------------------

LIST = """\
\ufeff# what we read
https://quay.example/       # the site itself
https://quay.example/news/feed/
quay.example/sitemap-news.xml.gz
https://quay.example/sport/#latest

pier.example:8080/x.rss
http://127.0.0.1:8000/
"""


def test_the_look_of_an_address_says_what_it_is_and_those_of_one_host_are_one_source(tmp_path: Path) -> None:
    (quay, pier, local), faults = sources(tmp_path, LIST)
    assert faults == ()
    assert quay == SourceEntry(
        id="quay-example",
        domain="quay.example",
        home="https://quay.example/",
        feeds=("https://quay.example/news/feed/",),
        sitemaps=("https://quay.example/sitemap-news.xml.gz",),
        lists=("https://quay.example/sport/#latest",),
    )
    assert pier == SourceEntry(id="pier-example", feeds=("https://pier.example:8080/x.rss",))
    assert local == SourceEntry(id="127-0-0-1", home="http://127.0.0.1:8000/")


LOOKS = {
    "feeds": "/feed /feed/ /rss /rss.xml /index.xml /news.rss /atom.xml /feed.json /rss/world.php /?feed=rss2 /x?format=atom /index.rdf",
    "sitemaps": "/sitemap.xml /sitemap_index.xml /news-sitemap.xml /sitemap.xml.gz /sitemap.txt /sitemap /news/Sitemap1.xml",
    "home": "/ /news /feedback /research/ /index.html /2026/01/story /sitemap.html /?q=news /addresses.php",
}


@pytest.mark.parametrize(("key", "path"), [(key, path) for key, paths in LOOKS.items() for path in paths.split()])
def test_feeds_and_sitemaps_are_told_from_pages(tmp_path: Path, key: str, path: str) -> None:
    (source,), _ = sources(tmp_path, f"https://quay.example{path}\n")
    address = f"https://quay.example{path}"
    assert getattr(source, key) == (address if key == "home" else (address,))


WRONG = [
    "mailto:desk@quay.example",
    "ftp://quay.example/feed",
    "https://user:secret@quay.example/feed",
    "https://quay.example:port/",
    "https://[::1/",
    "quay",
    "two words.example",
    "javascript:alert(1)",
    "https://quay.example/" + "x" * 3000,
]


@pytest.mark.parametrize("line", WRONG)
def test_what_is_no_address_is_left_out_and_said(tmp_path: Path, line: str) -> None:
    found, (fault,) = sources(tmp_path, f"{line}\nhttps://pier.example/\n")
    assert [source.id for source in found] == ["pier-example"]
    assert "is left out: no address of the web" in fault
    assert len(fault) < 400


def test_of_very_many_faults_the_rest_is_counted(tmp_path: Path) -> None:
    _, faults = sources(tmp_path, "https://pier.example/\n" + "quay\n" * 50)
    assert len(faults) == 21
    assert faults[-1].endswith(": and 30 more faults")


# ---- both -----------------------------------------------------------------------------------------


def test_an_address_counts_once_over_all_files(tmp_path: Path) -> None:
    found, faults = sources(tmp_path, OPML, OPML, "https://pier.example/\n")
    assert len(found) == 3
    assert faults == ()


def test_ids_are_unique_and_ascii_whatever_the_hosts_are(tmp_path: Path) -> None:
    hosts = (
        "новини.example",
        "quay.example",
        "www.quay.example",
        "quay-example.example",
        "løv.example",
        "a--b.example",
    )
    opml = "".join(f"<outline text='{number}' xmlUrl='https://{host}/rss'/>" for number, host in enumerate(hosts))
    found, _ = sources(tmp_path, f"<opml><body>{opml}</body></opml>")
    assert [source.id for source in found] == [
        "xn-b1amarcd-example",
        "quay-example",
        "quay-example-2",
        "quay-example-example",
        "xn-lv-lka-example",
        "a-b-example",
    ]


@given(st.text(max_size=300), st.text(max_size=30), st.text(max_size=60))
def test_any_title_language_and_category_can_be_written(
    tmp_path_factory: pytest.TempPathFactory, title: str, language: str, category: str
) -> None:
    text = outline(title=title, language=language, category=category, xmlUrl="https://quay.example/rss")
    (quay,), _ = sources(tmp_path_factory.mktemp("opml"), text.encode("utf-8", "replace"))
    assert quay.feeds == ("https://quay.example/rss",)


@given(st.text("\"'\\\t\x7f#[]={}\N{ZERO WIDTH NON-JOINER}می", min_size=1, max_size=40))
def test_a_name_comes_through_as_it_was(tmp_path_factory: pytest.TempPathFactory, title: str) -> None:
    text = outline(title=title, xmlUrl="https://quay.example/rss")
    (quay,), _ = sources(tmp_path_factory.mktemp("opml"), text)
    assert quay.name == (" ".join(title.replace("\x7f", "").split()) or None)


def test_a_name_cannot_turn_around_what_follows_it(tmp_path: Path) -> None:
    (quay,), _ = sources(tmp_path, outline(title="Quay\u202e", xmlUrl="https://quay.example/rss"))
    assert quay.name == "Quay"


@pytest.mark.parametrize(
    "content", [b"", b"# nothing\n\n", b"<opml><body/></opml>", b"<html><p>no", b"\x00\xff\xfe" * 50]
)
def test_files_without_an_address_are_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(SetupError, match="no address in it; name OPML files"):
        sources(tmp_path, content)


def test_what_is_imported_passes_the_check(tmp_path: Path) -> None:
    (tmp_path / "a.opml").write_text(OPML)
    (tmp_path / "list.txt").write_text(LIST + "quay\n")
    ended = babelwire("sources", "import", "a.opml", "list.txt", folder=tmp_path)
    assert ended.code == 0
    assert ended.talk.startswith('babelwire: list.txt: "quay" is left out')
    assert "Traceback" not in ended.talk
    (tmp_path / "sources.toml").write_text(ended.said)
    ended = babelwire("sources", "check", "sources.toml", folder=tmp_path)
    assert ended.code == 0
    assert "doubtful: [crawl] has no contact" in ended.said
    assert "\n6 sources: 6 to crawl" in ended.said
