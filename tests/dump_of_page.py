"""A page's text as a browser copies it: what ``innerText`` gives, for a parser that knows no style sheets.

The steps are those of the HTML standard (https://html.spec.whatwg.org/multipage/dom.html#the-innertext-idl-attribute): a block
element stands on lines of its own, a paragraph has a blank line around it, cells of a row stand apart by a tab, white space
collapses, bullets and what a browser does not draw are left out. Of style sheets only inline styles count, so what a page hides by
a class shows here.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from lxml.html import HtmlElement

_NOT_DRAWN: Final = frozenset(
    "head script style noscript template iframe object embed applet svg math canvas video audio map area select datalist "
    "textarea input title meta link base source track param colgroup col rp noframes noembed frameset dialog progress meter".split()
)
_BLOCKS: Final = frozenset(
    "html body address article aside blockquote center dd details dir div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 "
    "h5 h6 header hgroup hr legend li listing main menu nav ol optgroup option pre search section summary table caption tbody thead "
    "tfoot tr ul xmp".split()
)
#: Browsers copy a blank line around these. ``innerText`` has it around paragraphs only.
_SPACED_WHEN_COPIED: Final = frozenset("p h1 h2 h3 h4 h5 h6 ul ol blockquote dl pre".split())
_HIDDEN: Final = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
_SPACES: Final = re.compile(r"[ \t\n\r\f]+")
_SHARPS: Final = {f"h{level}": "#" * level + " " for level in range(1, 7)}
_CELLS: Final = frozenset(("td", "th"))


@dataclass(slots=True)
class _Writer:
    """Collects pieces of text and the line breaks that are due between them."""

    #: "copied" as browsers copy, "inner" as ``innerText`` has it, "marked" with bullets and addresses as converters write.
    form: str
    pieces: list[str] = field(default_factory=list)
    #: Line breaks due before the next text.
    due: int = 0
    #: Does the last text end in white space, so that more of it collapses?
    blank: bool = True

    def need(self, breaks: int) -> None:
        self.due = max(self.due, breaks)

    def write(self, text: str | None, *, as_is: bool = False) -> None:
        if not text:
            return
        if not as_is:
            text = _SPACES.sub(" ", text)
            if self.blank or self.due:
                text = text.lstrip(" ")
            if not text:
                return
        if self.due:
            if self.pieces:
                self.pieces[-1] = self.pieces[-1].rstrip(" ")
                self.pieces.append("\n" * self.due)
            self.due = 0
        self.pieces.append(text)
        self.blank = text[-1] in " \n\t"

    def element(self, node: HtmlElement, *, pre: bool = False) -> None:
        """Write an element and what it holds."""
        tag = node.tag
        if not isinstance(tag, str) or tag in _NOT_DRAWN or node.get("hidden") is not None:
            return
        if _HIDDEN.search(node.get("style") or ""):
            return
        if tag == "br":
            self.pieces.append("\n" * max(self.due, 1))
            self.due, self.blank = 0, True
            return
        spaced = tag == "p" or (self.form != "inner" and tag in _SPACED_WHEN_COPIED)
        breaks = 2 if spaced else 1 if tag in _BLOCKS else 0
        self.need(breaks)
        mark = self._opens(node)
        closed = tag == "details" and node.get("open") is None
        pre = pre or tag in {"pre", "listing", "xmp"}
        if not closed:
            self.write(node.text, as_is=pre)
        for child in node:
            if not closed or child.tag == "summary":
                self.element(child, pre=pre)
            if not closed:
                self.write(child.tail, as_is=pre)
        if mark:
            self.write(mark)
        if tag in _CELLS and any(other.tag in _CELLS for other in node.itersiblings()):
            self.due = 0
            self.pieces.append("\t")
            self.blank = True
        self.need(breaks)

    def _opens(self, node: HtmlElement) -> str | None:
        """Write what converters put before an element; gives what they put behind it."""
        if self.form != "marked":
            return None
        if node.tag == "li":
            self.write("* ")
        elif node.tag in _SHARPS:
            self.write(_SHARPS[node.tag])
        elif node.tag == "a" and node.get("href") and node.text_content().strip():
            self.write("[")
            return f"]({node.get('href').strip().replace(' ', '%20')})"
        return None


def written(tree: HtmlElement, form: str = "copied") -> str:
    """Give the text of a parsed page."""
    body = tree if tree.tag == "body" else tree.find(".//body")
    writer = _Writer(form)
    writer.element(tree if body is None else body)
    lines = "".join(writer.pieces).split("\n")
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.strip(" ") for line in lines)).strip("\n ")


def in_form(tree: HtmlElement, form: str) -> str:
    """Give the text of a parsed page in a form of ``written``, or "wrapped": copied, broken, with the line ends of Windows."""
    return wrapped(written(tree)).replace("\n", "\r\n") if form == "wrapped" else written(tree, form)


def wrapped(text: str, width: int = 72) -> str:
    """Break the lines of a text where mail programs and terminals do."""
    out: list[str] = []
    for line in text.split("\n"):
        current = ""
        for word in line.split(" "):
            if current and len(current) + 1 + len(word) > width:
                out.append(current)
                current = word
            else:
                current = f"{current} {word}" if current else word
        out.append(current)
    return "\n".join(out)
