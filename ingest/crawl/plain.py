"""Titles, names and tags as plain text: entities and markup undone, never too far."""

import html
import re

#: Longer titles are texts that stand in the wrong place, in code points.
MAX_CHARS = 1_000

_REFERENCE = re.compile(r"&(#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_TAG = re.compile(
    r"<(/?)(a|abbr|b|big|bdi|bdo|br|cite|code|del|div|em|font|h[1-6]|i|img|ins|mark|p|q|s|small|span|strike|strong|sub|sup"
    r"|time|tt|u|wbr)(?:\s[^<>]{0,2000})?/?>",
    re.IGNORECASE,
)
#: Tags that need no end; all others count as markup only where one of their kind is closed.
_VOID = frozenset({"br", "img", "wbr"})
#: Tags that part words.
_BLOCK = frozenset({"br", "div", "p", "h1", "h2", "h3", "h4", "h5", "h6"})
_MARKUP = re.compile(r"<[^<>]{0,5000}>")


def plain(text: str | None, *, markup: bool = True) -> str | None:
    """Undo what templates do to a headline after the XML itself is read; None where nothing is left.

    Tags of inline markup go, where they are closed or need no end ("The <b> element" keeps its tag, for it is what the
    headline is about). Entities are undone once, and a second time save "&lt;" and "&gt;": no one writes "&#8217;" or
    "&amp;" into a headline, but the title of a lesson in HTML may well say "&lt;b&gt;". So "AT&amp;amp;T" in the XML
    comes out as "AT&T" however often it was escaped up to there. Where ``markup`` is false (Atom's type "text", JSON
    Feed), only that second step is taken for entities.

    >>> plain("AT&amp;T <em>buys</em> &#8220;Telefon&#8221;"), plain("AT&amp;amp;T"), plain("Use &lt;b&gt;", markup=False)
    ('AT&T buys “Telefon”', 'AT&T', 'Use &lt;b&gt;')
    """
    if not text:
        return None
    text = _without_tags(text[: 10 * MAX_CHARS])
    if markup:
        text = _undone(text, kept=frozenset())
    text = _undone(text, kept=frozenset({"<", ">"}))
    text = " ".join(text.split())
    return text[:MAX_CHARS] or None


def _without_tags(text: str) -> str:
    if "<" not in text:
        return text
    closed = {tag[2].lower() for tag in _TAG.finditer(text) if tag[1]} | _VOID

    def replacement(tag: re.Match[str]) -> str:
        name = tag[2].lower()
        return tag[0] if name not in closed else " " if name in _BLOCK else ""

    return _TAG.sub(replacement, text)


def _undone(text: str, *, kept: frozenset[str]) -> str:
    """Undo references that end in ";"; those without it are words ("R&D", "Q&A")."""

    def character(reference: re.Match[str]) -> str:
        meant = html.unescape(reference[0])
        return reference[0] if meant in kept else meant.replace("\x00", "")

    return _REFERENCE.sub(character, text)


def text_length(markup: str) -> int:
    """Count the characters of a piece of HTML that readers see, roughly: tags away, entities as one."""
    return len(" ".join(_REFERENCE.sub("x", _MARKUP.sub(" ", markup)).split()))
