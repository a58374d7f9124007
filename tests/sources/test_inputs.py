import os
from pathlib import Path

import pytest

from ingest.sources import find_inputs
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
