"""Text without markup -> its lines, hard wrapping undone and the marks of converters read."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from normalize.column import DENSE, at_least

Mark = str
"""What a converter put before a line: "heading", "item", "quote", or nothing."""


class Line(NamedTuple):
    """One line that says something. A tuple, because a dump has hundreds."""

    #: White space collapsed to single spaces, marks taken off; never empty.
    text: str
    #: A blank line before it.
    spaced: bool = False
    #: "heading", "item", "quote" or "".
    mark: Mark = ""
    #: Cells of a row beside it, as tabs part them.
    tabs: int = 0
    #: Characters of ``text`` inside links, where a converter wrote their addresses.
    link_chars: int = 0
    links: tuple[tuple[str, str], ...] = ()


_BULLET: Final = re.compile(r"^[\s\u00a0]*[•◦▪‣●○■□–\-*·⁃][\s\u00a0]+(?=\S)")
_SENTENCE_END: Final = re.compile(r"[.!?…。！？؟।۔։။።:;,]['\"”’»)\]]*$")

#: Hard-wrapped text (mail, wire copy): no line is longer, in characters.
_WRAP_WIDTH: Final = range(40, 101)
#: Of the lines that are nearly as wide and that another one follows, so many were broken because its first word did not fit.
_NEARLY_WIDE: Final = 0.6
_WRAP_SHARE: Final = 0.7
_FEW_LINES: Final = 4
#: Addresses cannot be broken and stand out.
_STANDS_OUT: Final = re.compile(r"https?://|www\.")

#: A cell that is longer is a paragraph beside a menu, no figure in a table; in characters.
_CELL_CHARS: Final = 80

#: "[words](address)" and "![picture](address)"; words may hold one more pair of brackets. Bounded, so that a file of brackets
#: takes no longer than others.
_LINK: Final = re.compile(
    r"(!?)\[((?:[^\[\]\n]|\[[^\[\]\n]{0,200}\]){0,500})\]\(\s{0,3}<?([^()\s<>]{0,2000}(?:\([^()\s]{0,200}\)[^()\s<>]{0,500})?)>?"
    r"(?:\s{1,3}\"[^\"\n]{0,300}\")?\s{0,3}\)"
)
_LINK_ENDS: Final = re.compile(r"^\s{0,3}\]\([^()\s]{0,2000}\)")
_SHARPS: Final = re.compile(r"^\s{0,3}#{1,6}\s+(?=\S)")
_QUOTED: Final = re.compile(r"^\s{0,3}(?:>\s{0,3})+(?=\S)")
_NUMBERED: Final = re.compile(r"^\s{0,6}\d{1,3}[.)]\s+(?=\S)")
_RULER: Final = re.compile(r"^\s{0,3}(?:[-*_=]\s?){3,}$")
_BOLD: Final = re.compile(r"(?<![\w*])(\*\*|__)(?=\S)([^*_\n]{1,500})(?<=\S)\1(?![\w*])")
#: So many links with an address, or headings with sharps, are the work of a converter.
_MARKS: Final = 2


def read_lines(text: str) -> tuple[Line, ...]:
    """Give the lines of a text dump, those of a hard-wrapped one joined into paragraphs."""
    rows = unwrapped(text.splitlines())
    marked = _is_marked(rows)
    found: list[Line] = []
    spaced = True
    for row in rows:
        lines = _marked(row, spaced=spaced) if marked else _plain(row, spaced=spaced)
        found += lines
        spaced = not lines
    return tuple(found)


def _plain(row: str, *, spaced: bool) -> list[Line]:
    cells = [cell for cell in map(_collapsed, row.split("\t")) if cell] if "\t" in row else [_collapsed(row)]
    if len(cells) > 1 and any(at_least(cell, _CELL_CHARS) for cell in cells):
        return [Line(text=cell, spaced=spaced or number > 0) for number, cell in enumerate(cells)]
    text = " ".join(cells)
    if not text:
        return []
    item = _BULLET.match(row)
    bare = text[1:].strip()
    if item and not bare.startswith("#"):
        text = bare
    return [Line(text=text, spaced=spaced, mark="item" if item else "", tabs=len(cells) - 1)]


def _collapsed(text: str) -> str:
    return " ".join(text.split())


# ---- converters ------------------------------------------------------------------------------------


def _is_marked(rows: Sequence[str]) -> bool:
    """Tell the output of a converter, which marks links and headings, from a text that has brackets or a sharp."""
    links = headings = 0
    for row in rows:
        links += "](" in row and _LINK.search(row) is not None
        headings += "#" in row and _SHARPS.match(row) is not None
        if links >= _MARKS or headings >= _MARKS:
            return True
    return False


def _marked(row: str, *, spaced: bool) -> list[Line]:
    """Read one line of a converter's output."""
    if _RULER.match(row):
        return []
    mark = ""
    for name, pattern in (("quote", _QUOTED), ("heading", _SHARPS), ("item", _BULLET), ("item", _NUMBERED)):
        if match := pattern.match(row):
            mark, row = mark or name, row[match.end() :]
    links: list[tuple[str, str]] = []

    def words(match: re.Match[str]) -> str:
        picture, said, address = match.groups()
        if picture:
            return ""
        # A picture inside a link says nothing either.
        said = _collapsed(_LINK.sub("", said) if "![" in said else said)
        if said:
            links.append((address, said))
        return said

    if "](" in row:
        row = _LINK_ENDS.sub("", _LINK.sub(words, row))
    row = _BOLD.sub(r"\2", row).strip()
    if row.startswith("[") and "]" not in row:
        row = row[1:]
    if not (text := _collapsed(row)):
        return []
    inside = min(len(text), sum(len(said) for _, said in links))
    return [Line(text=text, spaced=spaced, mark=mark, tabs=row.count("\t"), link_chars=inside, links=tuple(links))]


# ---- hard wrapping ---------------------------------------------------------------------------------


def unwrapped(rows: list[str]) -> list[str]:
    """Join hard-wrapped lines into paragraphs; give a text that is not wrapped back as it is.

    A line was broken by a wrapper if the first word of the next one would not have fitted behind it. Lines of a menu are
    short and their neighbours would fit.
    """
    lengths = [len(row.rstrip()) for row in rows if row.strip() and not _STANDS_OUT.search(row)]
    width = max(lengths, default=0)
    if width not in _WRAP_WIDTH:
        return rows
    full = [
        (row.rstrip(), after)
        for row, after in pairwise(rows)
        if len(row.rstrip()) >= _NEARLY_WIDE * width and after.strip()
    ]
    broken = [row for row, after in full if _was_broken(row, after, width)]
    in_midst = sum(not _SENTENCE_END.search(row) for row in broken)
    if len(broken) < max(_FEW_LINES, _WRAP_SHARE * len(full)) or in_midst < len(broken) / 2:
        return rows
    joined: list[str] = []
    for before, row in pairwise(["", *rows]):
        if joined and before.strip() and row.strip() and not _BULLET.match(row) and _was_broken(before, row, width):
            dense = DENSE.match(before.rstrip()[-1]) and DENSE.match(row.lstrip()[0])
            joined[-1] = f"{joined[-1].rstrip()}{'' if dense else ' '}{row.strip()}"
        else:
            joined.append(row)
    return joined


def _was_broken(row: str, after: str, width: int) -> bool:
    """Would the first word of the next line not have fitted behind this one?"""
    words = after.split(None, 1)
    word = 1 if DENSE.match(words[0]) else len(words[0])
    # One column of slack: some wrappers count the space.
    return len(row.rstrip()) + 1 + word > width - 1
