"""Text without markup becomes lines: hard wrapping undone, the marks of converters read, nothing lost."""

import textwrap

import pytest
from dump_of_page import wrapped, written
from hostile import STORY
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml.html import document_fromstring

from normalize.dump.lines import Line, read_lines, unwrapped

PARAGRAPHS = (*STORY, "The council meets again on 14 March, and the harbour office will answer questions until then.")
MENU = ("Home", "News", "Sport", "Tide tables", "Contact")


def texts(content: str) -> list[str]:
    return [line.text for line in read_lines(content)]


# ---- hard wrapping -------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [50, 65, 72, 80, 98])
@pytest.mark.parametrize("between", ["\n\n", "\n"])
def test_a_hard_wrapped_text_comes_back_as_its_paragraphs(width: int, between: str) -> None:
    body = between.join(textwrap.fill(text, width) for text in PARAGRAPHS)
    assert texts(body) == list(PARAGRAPHS)


def test_windows_line_ends_change_nothing() -> None:
    body = "\n\n".join(textwrap.fill(text, 70) for text in PARAGRAPHS)
    assert read_lines(body.replace("\n", "\r\n")) == read_lines(body)


def test_a_menu_above_a_wrapped_story_stays_a_menu() -> None:
    body = "\n".join(MENU) + "\n\n" + "\n\n".join(textwrap.fill(text, 72) for text in PARAGRAPHS)
    assert texts(body) == [*MENU, *PARAGRAPHS]


def test_chinese_is_joined_without_a_space() -> None:
    text = "港口的渡轮时隔十一个月后于周一重新启航" * 24 + "。"
    assert texts("\n".join(textwrap.wrap(text, 60))) == [text]


def test_a_text_with_a_line_per_paragraph_is_left_alone() -> None:
    rows = [*MENU, *PARAGRAPHS, *MENU]
    assert unwrapped(rows) == rows


def test_items_of_a_wrapped_text_stay_items() -> None:
    body = "\n\n".join(textwrap.fill(text, 72) for text in PARAGRAPHS) + "\n\n* first boat at six\n* last boat at ten\n"
    assert [line.text for line in read_lines(body) if line.mark == "item"] == ["first boat at six", "last boat at ten"]


# ---- cells, bullets, converters ------------------------------------------------------------------


def test_cells_of_a_table_stay_one_line_and_a_menu_beside_the_story_does_not() -> None:
    assert read_lines("Pier\t40 m\t1931") == (Line(text="Pier 40 m 1931", spaced=True, tabs=2),)
    assert texts(f"Contact\t{STORY[0]}") == ["Contact", STORY[0]]


def test_a_hashtag_with_a_bullet_keeps_its_bullet() -> None:
    assert texts("• #Harbour\n• Tickets") == ["• #Harbour", "Tickets"]


MARKED = """# Night ferry sails again

[Home](https://quay.example/) | [News](https://quay.example/news "All news")

![the pier](https://quay.example/pier.jpg)

The **night ferry** sailed on [Monday](https://quay.example/a_(b)), staff said.

* two sailings a week
1. tickets at the quay
> It was time.

---
[
"""


def test_marks_of_a_converter_become_roles_and_links() -> None:
    found = read_lines(MARKED)
    assert [(line.text, line.mark) for line in found] == [
        ("Night ferry sails again", "heading"),
        ("Home | News", ""),
        ("The night ferry sailed on Monday, staff said.", ""),
        ("two sailings a week", "item"),
        ("tickets at the quay", "item"),
        ("It was time.", "quote"),
    ]
    assert found[1].links == (("https://quay.example/", "Home"), ("https://quay.example/news", "News"))
    assert (found[1].link_chars, found[2].link_chars) == (8, 6)


def test_a_sharp_or_a_bracket_alone_makes_no_converter() -> None:
    body = "# 1 in the charts\n\n1. Song [live](at the quay)\n\nA **star** [sic] sang."
    assert texts(body) == ["# 1 in the charts", "1. Song [live](at the quay)", "A **star** [sic] sang."]


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("ab .[](){}!*#>-_\t\n\r\u00a0\u3000港•1"), max_size=400))
def test_whatever_stands_there_each_line_says_something(content: str) -> None:
    for line in read_lines(content):
        assert line.text == " ".join(line.text.split()) != ""
        assert 0 <= line.link_chars <= len(line.text)


@pytest.mark.parametrize("piece", ["[", "![", "[a](", "[[a]", "](", "> ", "# ", "**a", "[a](b" * 3])
def test_a_hundred_thousand_marks_are_read_in_time(piece: str) -> None:
    read_lines("[a](b) [c](d)\n[a](b)\n" + piece * 100_000)


# ---- what the benchmark feeds us -----------------------------------------------------------------

PAGE = """<html><head><title>x</title></head><body><script>no()</script><div style="display: none">hidden</div>
<ul><li>Home</li><li><a href="/n">News</a></li></ul><h1>Title</h1><p>One  <b>two</b><br>three</p>four
<table><tr><td>a</td><td>b</td></tr></table><p hidden>x</p></body></html>"""


def test_a_page_is_written_as_a_browser_copies_it() -> None:
    tree = document_fromstring(PAGE)
    assert written(tree) == "Home\nNews\n\nTitle\n\nOne two\nthree\n\nfour\na\tb"
    assert written(tree, "inner") == "Home\nNews\nTitle\n\nOne two\nthree\n\nfour\na\tb"
    assert written(tree, "marked").startswith("* Home\n* [News](/n)\n\n# Title\n\nOne two")


def test_wrapping_a_copied_page_and_unwrapping_it_gives_its_lines() -> None:
    body = "\n\n".join(PARAGRAPHS)
    assert texts(wrapped(body)) == list(PARAGRAPHS)
