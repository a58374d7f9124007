import gzip
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sources import find_inputs
from ingest.sources.inputs import Input, Named, Shard, read_list
from schemas.errors import SetupError


@pytest.fixture(autouse=True)
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("b/z.html", "b/a.html", "a.html", "b/.hidden.html", ".git/x.html", "B.html"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("<p>x")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def uris(*arguments: str) -> list[str]:
    return [source.uri for source in find_inputs(arguments)]


def test_a_file_keeps_the_name_the_person_gave() -> None:
    assert uris("b/z.html") == ["b/z.html"]


def test_an_absolute_path_stays_absolute(in_folder: Path) -> None:
    assert uris(str(in_folder / "a.html")) == [(in_folder / "a.html").as_posix()]


def test_a_folder_gives_its_files_sorted_by_path_without_hidden_ones() -> None:
    assert uris(".") == ["B.html", "a.html", "b/a.html", "b/z.html"]


def test_a_folder_with_slash_is_the_same_folder() -> None:
    assert uris("b/") == ["b/a.html", "b/z.html"]


def test_a_glob_the_shell_left_alone_goes_into_folders() -> None:
    assert uris("**/*.html") == ["B.html", "a.html", "b/a.html", "b/z.html"]


def test_a_glob_that_matches_a_folder_reads_what_is_in_it() -> None:
    assert uris("b*") == ["b/a.html", "b/z.html"]


def test_a_file_whose_name_looks_like_a_glob_is_that_file(in_folder: Path) -> None:
    (in_folder / "[a].html").write_text("x")
    assert uris("[a].html") == ["[a].html"]


def test_a_file_named_twice_comes_once_at_its_first_place() -> None:
    assert uris("b/z.html", "b", "./b/z.html", "**/z.html") == ["b/z.html", "b/a.html"]


def test_arguments_keep_their_order() -> None:
    assert uris("b/z.html", "a.html") == ["b/z.html", "a.html"]


def test_a_dash_is_standard_input_and_comes_once() -> None:
    (source,) = find_inputs(["-", "-"])
    assert (source.path, source.uri) == (None, "-")


def test_a_loop_of_links_ends(in_folder: Path) -> None:
    (in_folder / "b" / "up").symlink_to(in_folder)
    assert uris("b") == ["b/a.html", "b/z.html"]


def test_a_name_that_is_not_utf8_is_shown(in_folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(in_folder) + b"/b/\xff.html")).write_text("x")
    assert "b/\\xff.html" in uris("b")


@pytest.mark.parametrize("argument", ["nowhere.html", "no/*.html", "", "nul\0.html", "x" * 5000])
def test_what_does_not_exist_is_named_with_the_next_move(argument: str) -> None:
    with pytest.raises(SetupError) as caught:
        find_inputs(["a.html", argument])
    assert argument[:10] in str(caught.value)
    assert any(word in str(caught.value) for word in ("name a file", "check"))


def test_a_folder_without_files_says_so(in_folder: Path) -> None:
    (in_folder / "empty").mkdir()
    with pytest.raises(SetupError, match='"empty" is a folder without files'):
        find_inputs(["empty"])


def test_a_glob_of_empty_folders_says_so(in_folder: Path) -> None:
    (in_folder / "empty").mkdir()
    with pytest.raises(SetupError, match="only folders without files"):
        find_inputs(["empt*"])


# ---- lists ----------------------------------------------------------------------------------------


def test_a_list_names_one_thing_a_line_and_says_where(in_folder: Path) -> None:
    (in_folder / "list.txt").write_bytes(b"\xef\xbb\xbfb/z.html\r\n\r\n  # not this one\r\n\tb/*.html \r\n")
    assert read_list(Path("list.txt")) == (
        Named(text="b/z.html", place="list.txt:1"),
        Named(text="b/*.html", place="list.txt:4"),
    )


def test_a_packed_list_is_known_by_its_bytes_not_its_name(in_folder: Path) -> None:
    (in_folder / "list.txt").write_bytes(gzip.compress(b"a.html\n"))
    assert read_list(Path("list.txt")) == (Named(text="a.html", place="list.txt:1"),)


def test_a_list_may_name_files_whose_names_are_not_utf8(in_folder: Path) -> None:
    (in_folder / "list.txt").write_bytes(b"b/\xff.html")
    (line,) = read_list(Path("list.txt"))
    assert os.fsencode(line.text) == b"b/\xff.html"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "names no input"),
        (b"\n# nothing\n", "names no input"),
        (gzip.compress(b"a.html\n" * 100)[:-9], "cannot be read"),
        (b"\x1f\x8bnot gzip", "cannot be read"),
        (b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff", "cannot be read"),
    ],
)
def test_a_list_at_fault_is_named(in_folder: Path, content: bytes, fault: str) -> None:
    (in_folder / "list.txt").write_bytes(content)
    with pytest.raises(SetupError, match=rf"--list list.txt {fault}"):
        read_list(Path("list.txt"))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_list_or_a_fault_that_is_said(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("lists") / "list.txt"
    path.write_bytes(content)
    try:
        assert all(line.text and line.place for line in read_list(path))
    except SetupError:
        return


# ---- shards ---------------------------------------------------------------------------------------

URIS = st.lists(st.text(), unique=True, max_size=40)


def held(uris: list[str], of: int) -> list[list[str]]:
    """Give what each shard holds, in the order of the inputs."""
    inputs = [Input(path=Path(), uri=uri) for uri in uris]
    shards = [Shard.parse(f"{number}/{of}") for number in range(1, of + 1)]
    return [[item.uri for item in inputs if shard.holds(item)] for shard in shards]


@given(URIS, st.integers(1, 20))
def test_each_input_falls_to_exactly_one_shard(uris: list[str], of: int) -> None:
    together = [uri for share in held(uris, of) for uri in share]
    assert sorted(together) == sorted(uris)


@given(URIS, URIS, st.integers(1, 20))
def test_an_input_keeps_its_shard_and_the_order_whatever_is_added(uris: list[str], more: list[str], of: int) -> None:
    new = [uri for uri in more if uri not in uris]
    for before, after in zip(held(uris, of), held([*new, *uris], of), strict=True):
        assert [uri for uri in after if uri in uris] == before


def test_shares_of_many_inputs_are_of_about_the_same_size() -> None:
    month = [f"crawl-data/CC-NEWS/2026/01/CC-NEWS-202601{n // 16:02}{n % 16:02}0000-{n:05}.warc.gz" for n in range(480)]
    sizes = [len(share) for share in held(month, 16)]
    assert sum(sizes) == 480
    assert min(sizes) >= 15
    assert max(sizes) <= 45


@pytest.mark.parametrize(
    "text", ["", "3", "0/3", "4/3", "-1/3", "1/0", "1/3/5", " 1/3", "1/3\n", "a/b", "١/٣", "1/9999999"]
)
def test_what_is_no_shard_is_said_with_how_to_write_one(text: str) -> None:
    with pytest.raises(SetupError, match="write the 3rd of 16 as 3/16"):
        Shard.parse(text)
