"""HTML -> the pieces of text that a reader sees, in page order, each with its surroundings."""

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

from ahocorasick import Automaton
from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring

from normalize.options import DocumentOptions
from schemas.errors import DocumentError

Place = Literal[
    "nav", "aside", "footer", "header", "figure", "caption", "quote", "list", "table", "code",
    "comments", "form", "related", "share", "ad", "newsletter", "tags", "author", "cookie", "paywall", "main", "embed", "deck", "breadcrumb",
]  # fmt: skip
"""Surroundings that say what a piece is for, read from elements and class names."""


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """The elements and class names that lead to a piece: what a template repeats has one path. One object per path of a page."""

    #: Counted from 0, in order of appearance.
    number: int
    #: The path without its last element; None for the root.
    around: "Path | None"
    #: Words of the last element's class, id and itemprop.
    words: tuple[str, ...]


_ROOT_PATH = Path(0, None, ())


class Segment(NamedTuple):
    """One piece of visible text between two block boundaries. A tuple, because a page has hundreds."""

    #: Whitespace collapsed to single spaces; never empty.
    text: str
    #: The block element around it.
    element: str
    #: All surroundings, from the page's root inwards.
    places: frozenset[Place]
    #: Characters of ``text`` that stand inside links.
    link_chars: int
    #: Number of the element that holds its neighbours: paragraphs of one column share it, and so do the pieces of one
    #: cell that are parted by line breaks.
    column: int
    #: Characters of ``text`` in bold.
    bold_chars: int
    #: Links in it: address as written, and the words they stand on.
    links: tuple[tuple[str, str], ...] = ()
    #: Numbers of the columns it lies in, from the page's root inwards; the last is ``column``.
    trail: tuple[int, ...] = (0,)
    path: Path = _ROOT_PATH

    @property
    def link_density(self) -> float:
        """Share of the characters that stand inside links, 0..1."""
        return min(1.0, self.link_chars / len(self.text))


_BLOCK = frozenset(
    "address article aside blockquote body center dd details dialog dir div dl dt fieldset figcaption figure footer form "
    "frameset h1 h2 h3 h4 h5 h6 header hgroup hr legend li main menu nav ol p pre section summary table tbody td "
    "tfoot th thead time-ago tr ul html button label".split()
)
_BOLD = frozenset(("b", "strong"))
_SKIP = frozenset(
    "script style noscript template svg math iframe object embed head select option textarea input audio video "
    "canvas map area datalist meter progress noframes applet".split()
)

#: What the extractor would discard as well, one element at a time and in each of its passes.
_UNSEEN = (
    "script", "style", "svg", "iframe", "meta", "template", "link", "nav", "menu", "noscript", "button", "select", "datalist", "picture",
    "source", "input", "textarea", "audio", "video", "canvas", "map", "object", "embed", "applet",
)  # fmt: skip
#: Elements whose text counts as that of the element around them.
_BARE = (
    "abbr", "acronym", "bdi", "bdo", "big", "cite", "data", "dfn", "font", "ins", "mark", "nobr", "small", "tbody", "tfoot", "thead", "wbr",
    "img",
)  # fmt: skip

_PLACE_OF_ELEMENT: dict[str, Place] = {
    "nav": "nav", "aside": "aside", "footer": "footer", "header": "header", "figure": "figure",
    "figcaption": "caption", "blockquote": "quote", "li": "list", "table": "table", "pre": "code",
    "form": "form", "menu": "nav", "main": "main", "article": "main", "button": "form",
}  # fmt: skip

#: Class names and ids are the site's own words, but these stems mean the same on most sites. Before the pattern stand
#: the words of which each match holds one: most names hold none, and those that do are asked about few patterns.
_STEMS: tuple[tuple[Place, str, str], ...] = (
    ("comments", "comment disqus forum respond", r"\b(?:user-?)?comments?(?:s|-(?:list|section|area|form|thread|body|content|text|wrapper|item))?\b|disqus|\bforum-?post|\brespond\b"),
    ("related", "related recommend read more- also outbrain taboola most trending teaser popular", r"\brelated|recommend|\bread-?(?:more|also|next)|\bmore-(?:from|stories|news|articles)|outbrain|taboola|most-?(?:read|popular)|\btrending|teaser-?list|\bsee-?also|popular-?(?:posts|news)"),
    ("share", "social shar addthis", r"\b(?:social|share|sharing|addthis|sharedaddy|sharebar|shariff)\b|social-?(?:media|links|icons|bar|share)|share-?(?:bar|buttons?|tools|links|box)"),
    ("ad", "ad sponsored promo", r"\b(?:ads?|advert|adsbygoogle|banner-?ad|ad-?(?:slot|container|wrapper|unit|label|box)|advertisement|sponsored|promo-?box)\b"),
    ("newsletter", "newsletter subscribe sign mailchimp", r"newsletter|\bsubscribe|\bsign-?up\b|mailchimp"),
    ("cookie", "cookie consent gdpr cmp-", r"\bcookie|\bconsent|\bgdpr|\bcmp-"),
    ("paywall", "wall piano-", r"\bpay-?wall|\bsubscription-?wall|\bpiano-"),
    ("caption", "caption credit image-source imagesource image-legend imagelegend bildunterschrift", r"\bcaption|wp-caption-text|\bimage-?(?:credit|source|legend)|photo-?(?:credit|caption)|\bbildunterschrift|\bcredit\b"),
    ("tags", "tag keywords topics", r"\b(?:tags?|post-?tags|article-?tags|tag-?(?:list|cloud|links)|keywords|topics)\b"),
    ("author", "byline author", r"\b(?:byline|author(?:-(?:name|box|bio|info|card))?|post-?author|article-?author)\b"),
    ("embed", "tweet instagram fb-post embed", r"twitter-tweet|instagram-media|fb-post|\bembed(?:ded)?-?(?:post|tweet|code)\b|tiktok-embed|social-embed"),
    ("deck", "deck dek lead lede standfirst subtitle sub-title subhead sub-head intro chapo sapo vorspann anriss ingress sumario entradilla bajada catenaccio perex zajawka preamble abstract excerpt summary", r"^(?:.*-)?(?:deck|dek|lead|lede|lead-?(?:text|paragraph|in)|standfirst|sub-?titles?|sub-?head(?:line)?|intro|introduction|chapo|sapo|vorspann|anriss|ingress|sumario|entradilla|bajada|catenaccio|perex|zajawka|preamble|abstract|excerpt|summary)$"),
    ("breadcrumb", "crumb", r"breadcrumb|\bcrumbs?\b"),
    ("nav", "nav menu pagination skip", r"\b(?:nav(?:bar|igation)?|main-?menu|site-?nav|pagination|skip-?link)\b"),
    ("footer", "footer colophon imprint", r"\b(?:site-?footer|page-?footer|colophon|imprint)\b"),
)  # fmt: skip
_PATTERN_OF_PLACE = {place: re.compile(pattern) for place, _, pattern in _STEMS}
_PLACE_OF_WORD = Automaton()
for _place, _words, _ in _STEMS:
    for _word in _words.split():
        _PLACE_OF_WORD.add_word(_word, _place)
_PLACE_OF_WORD.make_automaton()

#: Blocks that are pieces of a column rather than columns of their own.
_LEAVES = frozenset("p h1 h2 h3 h4 h5 h6 li ul ol dl dd dt blockquote pre hr figure figcaption address".split())

#: Places that may hold a whole page and mean it, and the share of its text from which others mean nothing.
_MAY_HOLD_ALL: frozenset[Place] = frozenset(("main", "list", "table", "quote", "code", "cookie"))
_NEARLY_ALL = 0.8

#: A list of so many links, with so much of its text inside them, is a menu; shorter ones may share or tag a story.
_MENU_LINKS = 10
_MENU_SHARE = 0.9

#: So much text in a noscript is a page, in characters.
_PAGE_CHARS = 1_000

_DIGIT = re.compile(r"\d")
#: A word of a class name, written in any of the usual ways (camelCase, kebab-case, snake_case).
_WORD = re.compile(r"[A-Z]?[a-z]{2,}|[A-Z]{3,}")

_INDENTED_LINE = re.compile("\n[ \t]*[\N{NO-BREAK SPACE}\N{IDEOGRAPHIC SPACE}]{2,}")
_NOT_DATA = ("table", "p", "div", "article", "h1", "form")


def parse(markup: str, options: DocumentOptions) -> HtmlElement:
    """Build the element tree, or refuse a page that is made to choke parsers.

    Raises:
        DocumentError: Nested too deep, too many elements, or nothing in it.
    """
    parser = HTMLParser(
        encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True, collect_ids=False, no_network=True
    )
    # lxml.html looks up a class for each element in Python; nobody here needs to know a form from a link.
    parser.set_element_class_lookup(etree.ElementDefaultClassLookup(element=HtmlElement))
    try:
        tree = document_fromstring(markup.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError) as error:
        raise DocumentError("extract", "no_text", f"the parser found no document: {error}") from error
    if any("Excessive depth" in entry.message for entry in parser.error_log):
        raise DocumentError("extract", "too_deep", f"elements nested deeper than the limit of {options.max_depth}")
    elements = int(tree.xpath("count(//*)"))
    if elements > options.max_elements:
        raise DocumentError(
            "extract",
            "too_many_elements",
            f"{elements:,} elements; the limit is {options.max_elements:,} (document.max_elements)",
        )
    return tree


def drop_unseen(tree: HtmlElement) -> None:
    """Take out what no reader sees, and menus: the extractor would discard them anyway, in each of its passes over the tree.

    JSON-LD stays, because some of it holds the whole story.
    """
    for script in list(tree.iter("script")):
        if "ld+json" in script.get("type", ""):
            script.tag = "kept-script"
    etree.strip_elements(tree, *_UNSEEN, with_tail=False)
    etree.strip_tags(tree, *_BARE)
    for script in tree.iter("kept-script"):
        script.tag = "script"
    for menu in list(tree.iter("ul", "ol")):
        if _is_menu(menu):
            menu.drop_tree()
    for element in list(tree.iter("div", "span", "i", "a", "p")):
        parent = element.getparent()
        if not len(element) and not element.text and not element.tail and parent is not None:
            parent.remove(element)


def _is_menu(element: HtmlElement) -> bool:
    """Is the list long, and nearly all of it links?"""
    links = list(element.iter("a"))
    if len(links) < _MENU_LINKS:
        return False
    linked = sum(len(" ".join(link.text_content().split())) for link in links)
    return linked >= _MENU_SHARE * len(" ".join(element.text_content().split()))


def segment(tree: HtmlElement, options: DocumentOptions) -> tuple[Segment, ...]:
    """Cut the body of a page into the pieces of text between block boundaries.

    A boundary is the start or end of a block element, two line breaks in a row, or a line break before
    an indented line (how pages of the 2000s set paragraphs). A small table of data gives one piece per
    row, its cells joined by " | ".

    Raises:
        DocumentError: Elements nested deeper than ``max_depth``.
    """
    found = _Walk(options.max_depth).of(tree)
    # Parsers close an open noscript at the end of the page, with the whole page inside; what is meant for readers
    # without scripts is a line or two.
    hidden = (
        [element for element in tree.iter("noscript") if len(element.text_content()) >= _PAGE_CHARS]
        if not found
        else []
    )
    for element in hidden[:1]:
        element.tag = "div"
        found = _Walk(options.max_depth).of(tree)
    return _without_empty_names(found)


def _without_empty_names(found: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """Drop the surroundings that hold nearly all text of the page: a class "has-ads" on its outermost element says nothing."""
    total = sum(len(segment.text) for segment in found)
    held: Counter[Place] = Counter()
    for segment in found:
        held.update(dict.fromkeys(segment.places - _MAY_HOLD_ALL, len(segment.text)))
    empty = {place for place, chars in held.items() if chars > _NEARLY_ALL * total}
    if not empty:
        return found
    return tuple(segment._replace(places=segment.places - empty) for segment in found)


_AtEnd = Literal["link", "bold", "flush"] | None
"""What the end of an element does: close a link or bold text, or empty the buffer."""


class _Walk:
    """One pass over the tree. Text gathers in a buffer until a boundary empties it."""

    def __init__(self, max_depth: int) -> None:
        self._max_depth = max_depth
        self._found: list[Segment] = []
        self._buffer: list[str] = []
        self._link_chars = 0
        self._links: list[tuple[str, str]] = []
        self._in_link = 0
        self._bold_chars = 0
        self._in_bold = 0
        self._after_break = -1
        self._columns = 0
        #: (number of the path around, element, class, id, itemprop) -> the path.
        self._paths: dict[tuple[int, str, str | None, str | None, str | None], Path] = {}
        self._trail: tuple[int, ...] = (0,)
        self._path = _ROOT_PATH

    def of(self, tree: HtmlElement) -> tuple[Segment, ...]:  # noqa: C901, PLR0912, PLR0915  (one hot loop)
        """Give the pieces of the body, or of the whole tree where it has none."""
        body = tree.find("body")
        top = tree if body is None else body
        walk = etree.iterwalk(top, events=("start", "end"))
        # What holds around each open element, and what its end does.
        around: list[tuple[str, frozenset[Place], int, _AtEnd, tuple[int, ...], Path]] = []
        block, places, column = "body", frozenset[Place](), 0
        for event, node in walk:
            if event == "end":
                if around[-1][3] == "flush":
                    self._flush(block, places, column)
                block, places, column, at_end, self._trail, self._path = around.pop()
                if at_end == "link":
                    self._in_link -= 1
                elif at_end == "bold":
                    self._in_bold -= 1
                if (text := node.tail) and node is not top:
                    self._add(text)
                continue
            tag: str = node.tag
            outer = block, places, column
            trail, path = self._trail, self._path
            at_end = None
            if tag in _SKIP:
                walk.skip_subtree()
            elif len(around) > self._max_depth:
                raise DocumentError(
                    "extract",
                    "too_deep",
                    f"elements nested deeper than the limit of {self._max_depth} (document.max_depth)",
                )
            elif tag == "br":
                self._break(block, places, column)
                walk.skip_subtree()
            else:
                if tag in _BLOCK:
                    self._flush(block, places, column)
                    self._path = self._path_to(path, tag, node)
                    if tag not in _LEAVES:
                        self._columns += 1
                        column = self._columns
                        self._trail = (*trail, column)
                    block, places, at_end = tag, _places(node, tag, places), "flush"
                else:
                    at_end = self._enter(node, tag)
                    # Inline wrappers carry the caption, byline and share classes as often as blocks do.
                    if at_end is None and node.get("class") is not None:
                        inner = _places(node, tag, places)
                        if inner is not places:
                            self._flush(block, places, column)
                            places, at_end = inner, "flush"
                if tag == "table" and _is_data(node):
                    self._rows(node, places, column)
                    walk.skip_subtree()
                elif text := node.text:
                    self._add(text)
            around.append((*outer, at_end, trail, path))
        self._flush("body", frozenset(), 0)
        return tuple(self._found)

    def _path_to(self, path: Path, tag: str, node: HtmlElement) -> Path:
        """Give the path one element further on."""
        written = path.number, tag, node.get("class"), node.get("id"), node.get("itemprop")
        found = self._paths.get(written)
        if found is None:
            *_, names, name, prop = written
            if name is not None and _DIGIT.search(name):
                name = None  # numbers a paragraph or an article
            known = path.number, tag, names, name, prop
            found = self._paths.get(known)
            if found is None:
                words = _split_names(f"{names or ''} {name or ''} {prop or ''}")
                found = self._paths[known] = Path(len(self._paths) + 1, path, words)
            self._paths[written] = found
        return found

    def _enter(self, node: HtmlElement, tag: str) -> _AtEnd:
        """Begin a link or bold text; give what its end will do."""
        if tag == "a":
            self._in_link += 1
            if href := node.get("href"):
                words = "".join(node.itertext()) if len(node) else node.text or ""
                self._links.append((href, " ".join(words.split())))
            return "link"
        if tag in _BOLD:
            self._in_bold += 1
            return "bold"
        return None

    def _add(self, text: str) -> None:
        self._buffer.append(text)
        if self._in_link:
            self._link_chars += len(text.strip())
        if self._in_bold:
            self._bold_chars += len(text.strip())

    def _break(self, block: str, places: frozenset[Place], column: int) -> None:
        if self._after_break >= 0 and not "".join(self._buffer[self._after_break :]).strip():
            self._flush(block, places, column)
            return
        self._buffer.append("\n")
        self._after_break = len(self._buffer)

    def _flush(self, block: str, places: frozenset[Place], column: int) -> None:
        if not self._buffer:
            return
        whole = "".join(self._buffer)
        if not whole.isspace():
            for part in _INDENTED_LINE.split(whole) if self._after_break >= 0 else (whole,):
                if text := " ".join(part.split()):
                    self._found.append(
                        Segment(
                            text=text,
                            element=block,
                            places=places,
                            link_chars=self._link_chars,
                            bold_chars=self._bold_chars,
                            column=column,
                            links=tuple(self._links),
                            trail=self._trail,
                            path=self._path,
                        )
                    )
        self._buffer.clear()
        self._links = []
        self._link_chars = 0
        self._bold_chars = 0
        self._after_break = -1

    def _rows(self, table: HtmlElement, places: frozenset[Place], column: int) -> None:
        for row in table.iter("caption", "tr"):
            cells = [row] if row.tag == "caption" else list(row.iterchildren("td", "th"))
            texts = [" ".join(cell.text_content().split()) for cell in cells]
            if any(texts):
                links = [link.text_content() for link in row.iter("a")]
                self._found.append(
                    Segment(
                        text=" | ".join(texts),
                        element="tr",
                        places=places,
                        link_chars=sum(len(link.strip()) for link in links),
                        bold_chars=0,
                        column=column,
                        trail=self._trail,
                        path=self._path,
                    )
                )


def _places(node: HtmlElement, tag: str, places: frozenset[Place]) -> frozenset[Place]:
    found = _own_places(tag, node.get("class"), node.get("id"))
    return places | found if found and not found <= places else places


@lru_cache(maxsize=20_000)
def _split_names(names: str) -> tuple[str, ...]:
    """Split class names and ids into words, in lower case: "articleBody post-text" has four."""
    return tuple(dict.fromkeys(word.lower() for word in _WORD.findall(names)))


@lru_cache(maxsize=20_000)
def _own_places(tag: str, classes: str | None, name: str | None) -> frozenset[Place]:
    """Read one element's surroundings. Cached, because a page repeats few names on thousands of elements."""
    by_element = _PLACE_OF_ELEMENT.get(tag)
    found: frozenset[Place] = frozenset((by_element,)) if by_element else frozenset()
    names = f"{classes or ''} {name or ''}".lower().replace("_", "-")
    if tag != "body" and next(_PLACE_OF_WORD.iter(names), None):
        for one in names.split():
            found |= _named_place(one)
    return found


@lru_cache(maxsize=50_000)
def _named_place(name: str) -> frozenset[Place]:
    """Read one class name or id, in lower case and with hyphens."""
    possible: set[Place] = {place for _, place in _PLACE_OF_WORD.iter(name)}
    return frozenset(place for place in possible if _PATTERN_OF_PLACE[place].search(name))


def _is_data(table: HtmlElement) -> bool:
    """Tell a table of data from one that lays out the page: a grid of short cells and nothing else."""
    if table.find("caption") is None and next(table.iterdescendants(*_NOT_DATA), None) is not None:
        return False
    rows = [list(row.iterchildren("td", "th")) for row in table.iter("tr")]
    if len(rows) < 2 or sum(len(row) >= 2 for row in rows) < 2:  # noqa: PLR2004  (a grid is 2 by 2)
        return False
    longest = max(len(cell.text_content()) for row in rows for cell in row)
    return longest <= 200  # noqa: PLR2004  (characters: a longer cell is prose)
