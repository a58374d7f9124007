"""XML as sites serve it, made well-formed.

    bytes -> text_of -> find_root (what stood before it is cut off) -> tidy (the text repaired) -> read_tree
          (where it is still broken: rebuilt from its items, each repaired or dropped alone)

What comes out has no DOCTYPE and no entity but the five of XML, so that no parser behind can be made to expand or to
fetch anything. Every step is linear in the length of the text. Every fault is said in a sentence for people.
"""

import codecs
import html
import html.entities
import re
from dataclasses import dataclass
from xml.parsers import expat

from lxml import etree
from w3lib.encoding import html_body_declared_encoding, resolve_encoding

from normalize.decode import decode
from normalize.options import DocumentOptions
from schemas.document import RawDocument
from schemas.errors import DocumentError

#: Sitemaps may have 50 MB (sitemaps.org, protocol). What is beyond is not read.
MAX_BYTES = 64 * 2**20

#: libxml2's own limit; feeds in the wild stay below 20.
MAX_DEPTH = 200

#: So many faults of one kind are told one by one.
MAX_TOLD = 5

#: Prefixes that feeds use without declaring them, and what they mean then.
_KNOWN_PREFIXES = {
    "a10": "http://www.w3.org/2005/Atom",
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "feedburner": "http://rssnamespace.org/feedburner/ext/1.0",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "news": "http://www.google.com/schemas/sitemap-news/0.9",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
}
_MAX_PREFIXES = 50

#: What XML 1.0, 2.2 does not allow, escaped or not.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SECTION = re.compile(r"<!\[CDATA\[|<!--|<\?|<!(?=[A-Za-z])")
_ENDS = {"<![CDATA[": "]]>", "<!--": "-->", "<?": "?>", "<!": ">"}
#: References, and what is "&" or "<" by itself.
_REFERENCE = re.compile(r"&(?:(#[0-9]{1,9}|#[xX][0-9A-Fa-f]{1,7}|[A-Za-z][A-Za-z0-9]{0,31});)?|<(?![A-Za-z_:/!?])")
_XML_ENTITIES = frozenset({"lt", "gt", "amp", "quot", "apos"})
_HTML = re.compile(r"<(?:!doctype\s{1,20}html|html)[\s>]", re.IGNORECASE)
_PREFIX = re.compile(r"<(?=([A-Za-z_][\w.-]{0,40}))\1:[A-Za-z_]|\s(?=([A-Za-z_][\w.-]{0,40}))\2:[A-Za-z_][\w.-]{0,40}=")
#: Namespaces with blanks in them, which Python's SAX reader cuts in the wrong place.
_BLANK_NAMESPACE = re.compile(
    r"(\sxmlns(?::[A-Za-z_][\w.-]{0,40})?\s{0,9}=\s{0,9})(\"[^\"<>\s]{0,500}\s[^\"<>]{0,500}\"|'[^'<>\s]{0,500}\s[^'<>]{0,500}')"
)
_DECLARED = re.compile(r"\sxmlns:([A-Za-z_][\w.-]{0,40})\s{0,9}=")
_ANY_TAG = re.compile(r"<!\[CDATA\[|<(/?)([A-Za-z_][\w.:-]{0,80})[^<>]*>")
#: Elements that hold text in every dialect: markup in them that is not escaped breaks the document.
_TEXTS = re.compile(
    r"<(title|description|summary|content:encoded|content|yandex:full-text)((?:\s[^<>]{0,500})?)>", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A document's text, and where its root element begins."""

    text: str
    #: Local name of the root element in lower case; "html" for a page, None where there is none that was looked for.
    root: str | None
    #: Where its start tag begins in the text.
    start: int
    faults: tuple[str, ...]


def text_of(content: bytes, charset: str | None, most: int = MAX_BYTES) -> tuple[str, tuple[str, ...]]:
    """Read bytes as text by the best evidence there is; empty where they hold none.

    ``charset`` is what the HTTP header says, ``most`` how many bytes are read. XML declarations lie as often as HTML's, so they are believed as far as
    the bytes allow (``normalize.decode``), not as RFC 7303 orders.
    """
    faults = []
    if len(content) > most:
        faults.append(f"{len(content):,} bytes long: only the first {most:,} are read")
        content = content[:most]
    headers = (("content-type", f"text/xml; charset={charset}"),) if charset else ()
    raw = RawDocument(source_kind="html", source_uri="", content=content, media="html", http_headers=headers)
    try:
        decoded = decode(raw, DocumentOptions(max_chars=MAX_BYTES))
    except DocumentError as error:
        return "", (*faults, f"{error.reason}: {error.detail}")
    declared = charset or html_body_declared_encoding(content[:8192])
    if declared and not content.isascii() and not _same(decoded.charset, _codec(declared)):
        faults.append(f"declares the charset {declared[:40]} but is written in {decoded.charset}")
    # Not "undecodable_bytes" of an otherwise sound text only: whatever was lost is said.
    faults += [f"in its bytes: {fix}" for fix in decoded.fixes]
    return decoded.text, tuple(faults)


def _codec(name: str | None) -> str | None:
    resolved = resolve_encoding(name) if name else None
    return codecs.lookup(resolved).name if resolved else None


def _same(codec: str, other: str | None) -> bool:
    """UTF-16 declares itself without its byte order."""
    return codec == other or bool(other and codec.startswith("utf-16") and other.startswith("utf-16"))


def find_root(text: str, names: tuple[str, ...]) -> Found:
    """Find the root element by its name, whatever stands before it."""
    root = re.search(rf"<(?:[A-Za-z_][\w.-]{{0,40}}:)?({'|'.join(names)})(?=[\s/>])", text, re.IGNORECASE)
    page = _HTML.search(text)
    if page and (root is None or page.start() < root.start()):
        return Found(text=text, root="html", start=page.start(), faults=())
    if root is None:
        return Found(text=text, root=None, start=0, faults=())
    head = _without_sections(text[: root.start()]).strip()
    faults = (f"{len(head):,} characters before its first element: {_short(head)}",) if head else ()
    return Found(text=text, root=root[1].lower(), start=root.start(), faults=faults)


def _without_sections(head: str) -> str:
    """Drop declarations, comments and the DOCTYPE with all it declares from what stands before the root."""
    pieces, at = [], 0
    while section := _SECTION.search(head, at):
        pieces.append(head[at : section.start()])
        end = head.find(_ENDS[section[0]], section.end())
        if section[0] == "<!" and -1 < head.find("[", section.end()) < end:
            end = head.rfind("]", section.end())
            end = head.find(">", end) if end > 0 else end
        at = end + len(_ENDS[section[0]]) if end > 0 else len(head)
    return "".join((*pieces, head[at:]))


def _short(text: str) -> str:
    text = " ".join(text[:200].split())
    return text if len(text) <= 60 else text[:59] + "…"  # noqa: PLR2004


def tidy(found: Found) -> tuple[str, tuple[str, ...]]:
    """Repair what can be repaired without knowing the structure, and keep every line where it is.

    Comments and instructions go; named characters of HTML, lone "&" and lone "<" become what was meant; characters that
    XML forbids are dropped; prefixes in use are declared.
    """
    notes: dict[str, int] = {}

    def note(what: str) -> None:
        notes[what] = notes.get(what, 0) + 1

    def repaired(reference: re.Match[str]) -> str:
        name = reference[1]
        if name is None:
            note(f'"{reference[0]}" that is not escaped')
            return "&amp;" if reference[0] == "&" else "&lt;"
        if name in _XML_ENTITIES:
            return reference[0]
        if name.startswith("#"):
            return _character(name)
        known = html.entities.html5.get(name + ";")
        if known is None:
            note(f"entities that nobody declares (&{name};)")
            return f"&amp;{name};"
        return html.escape(known, quote=False)

    text = _NOT_XML.sub("", found.text[found.start :])
    if dropped := len(found.text) - found.start - len(text):
        notes["characters that XML forbids"] = dropped
    # Line numbers in faults are those of the whole text.
    pieces, at = ["\n" * found.text.count("\n", 0, found.start)], 0
    while section := _SECTION.search(text, at):
        pieces.append(_REFERENCE.sub(repaired, text[at : section.start()]))
        end = text.find(_ENDS[section[0]], section.end())
        if end < 0:
            note("unfinished section at the end")
            at = len(text)
            break
        end += len(_ENDS[section[0]])
        lines = "\n" * text.count("\n", section.start(), end)
        pieces.append(text[section.start() : end] if section[0] == "<![CDATA[" else lines)
        at = end
    pieces.append(_REFERENCE.sub(repaired, text[at:]))
    whole = _BLANK_NAMESPACE.sub(lambda found: found[1] + "".join(found[2].split()), "".join(pieces))
    whole, undeclared = _with_prefixes(whole)
    faults = [f"{what} x {count}" for what, count in notes.items()]
    faults += [f'the prefix "{prefix}" is used but not declared' for prefix in undeclared]
    return whole, tuple(faults[: 2 * MAX_TOLD])


def _character(name: str) -> str:
    """Undo a numeric reference as browsers do (HTML 13.2.5.80), and escape what XML needs escaped."""
    meant = html.unescape(f"&{name};")
    return html.escape(_NOT_XML.sub("", meant), quote=False) if meant not in {'"', "'"} else f"&{name};"


def _with_prefixes(text: str) -> tuple[str, list[str]]:
    """Declare on the root element what is used anywhere and not declared there."""
    root = re.search(r"<[A-Za-z_:][^\s<>/]*", text)
    if root is None:
        return text, []
    end = text.find(">", root.end())
    on_root = set(_DECLARED.findall(text, root.end(), end if end > 0 else len(text)))
    used = {found[1] or found[2] for found in _PREFIX.finditer(text)} - {"xml", "xmlns"}
    missing = sorted(used - on_root)[:_MAX_PREFIXES]
    declarations = "".join(f' xmlns:{name}="{_KNOWN_PREFIXES.get(name, f"urn:undeclared:{name}")}"' for name in missing)
    elsewhere = set(_DECLARED.findall(text))
    undeclared = [name for name in missing if name not in elsewhere and re.search(rf"<{re.escape(name)}:", text)]
    return text[: root.end()] + declarations + text[root.end() :], undeclared[:MAX_TOLD]


def fault_of(text: str) -> str | None:
    """Say why a text is not well-formed, and where; None where it is."""
    depth = 0

    def start(_name: str, _attributes: object) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise _TooDeep

    def end(_name: str) -> None:
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate("utf-8", " ")
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    try:
        parser.Parse(text.encode(), True)  # noqa: FBT003  pyexpat takes it by position only
    except expat.ExpatError as error:
        return f"not well-formed at line {error.lineno}: {expat.ErrorString(error.code)}"
    except _TooDeep:
        return f"elements nested more than {MAX_DEPTH} deep at line {parser.CurrentLineNumber}"
    return None


class _TooDeep(Exception):  # noqa: N818  never leaves this module
    """Stops expat."""


def read_tree(text: str, names: tuple[str, ...]) -> tuple[etree._Element | None, tuple[str, ...]]:
    """Parse tidied text; a broken one is taken apart into its items. ``names`` are those of items ("item", "entry")."""
    fault = fault_of(text)
    tree = parsed(text) if fault is None else None
    if tree is not None:
        return tree, ()
    tree, faults = rebuilt(text, names)
    return tree, (fault or "too large in one of its parts for libxml2", *faults)


def rebuilt(text: str, names: tuple[str, ...]) -> tuple[etree._Element | None, tuple[str, ...]]:
    """Take a broken document apart into its items, repair each alone, and put them together again.

    A fault in one item then costs that item at most. An item that the text ends in is dropped: its address may be cut
    off. Of the names, the first that is met counts.
    """
    spans = _spans(text, names)
    root = _tree(text[: spans[0][0]] if spans else text, recover=True)
    opening = re.search(r"<[A-Za-z_:][^<>]*", text)
    if root is None or opening is None or fault_of(_written(root)):
        return None, ("nothing of it can be read",)
    head = opening[0].rstrip("/") + ">"
    tail = f"</{head[1:-1].split(maxsplit=1)[0]}>"
    place = next((child for child in root.iterchildren(etree.Element) if local_name(child) == "channel"), root)
    faults: list[str] = []
    for number, (start, end, closed) in enumerate(spans, 1):
        if not closed and end == len(text):
            faults.append(f"ends inside item {number}, which is left out")
            break
        item, sound = _item(head, text[start:end], tail)
        if item is not None:
            item.tail = None
            place.append(item)
        if not sound and len(faults) < MAX_TOLD:
            lines = "\n" * text.count("\n", 0, start)
            fault = fault_of(lines + head.replace("\n", " ") + text[start:end] + tail) or "no element in it"
            faults.append(f"item {number}, {'repaired' if item is not None else 'left out'}: {fault}")
    return root, tuple(faults)


def _written(tree: etree._Element) -> str:
    """Write a tree out; nothing where libxml2 kept what cannot be written."""
    try:
        return str(etree.tostring(tree, encoding="unicode", with_tail=False))
    except (etree.LxmlError, ValueError):
        return ""


def local_name(node: etree._Element) -> str:
    """Give an element's name in lower case, without namespace or prefix: feeds and sitemaps have none, or wrong ones."""
    return str(node.tag).rpartition("}")[2].rpartition(":")[2].lower()


def _spans(text: str, names: tuple[str, ...]) -> list[tuple[int, int, bool]]:
    """Find the items: where each begins and ends, and whether it has its end tag."""
    token = re.compile(
        rf"<!\[CDATA\[|<(/?)((?:[A-Za-z_][\w.-]{{0,40}}:)?(?:{'|'.join(names)}))(?=[\s/>])", re.IGNORECASE
    )
    spans: list[tuple[int, int, bool]] = []
    at, opened, wanted = 0, None, None
    while found := token.search(text, at):
        at = found.end()
        if found[2] is None:
            at = text.find("]]>", at)
            if at < 0:
                break
            continue
        wanted = wanted or found[2]
        if found[2] != wanted:
            continue
        if found[1]:
            if opened is not None:
                end = text.find(">", at)
                at = end + 1 if end >= 0 else len(text)
                spans.append((opened, at, end >= 0))
                opened = None
            continue
        if opened is not None:
            spans.append((opened, found.start(), False))
        opened = found.start()
    if opened is not None:
        spans.append((opened, len(text), False))
    return spans


def _item(head: str, item: str, tail: str) -> tuple[etree._Element | None, bool]:
    """Parse one item, and say whether it was sound.

    Where it is broken, the markup in its texts is escaped first and its tags are balanced; of what is broken then still,
    libxml2 makes what it can.
    """
    root = _tree(head + item + tail, recover=False)
    if root is not None and len(root):
        return root[0], True
    mended = _balanced(_texts_escaped(item))
    for recover in (False, True):
        root = _tree(head + mended + tail, recover=recover)
        # libxml2 keeps names that are none; who reads what it made must be able to.
        if root is not None and len(root) and not (recover and fault_of(_written(root[0]))):
            return root[0], False
    return None, False


def _balanced(item: str) -> str:
    """Drop end tags that end nothing, and close what is not closed where what is around it ends."""
    pieces: list[str] = []
    open_names: list[str] = []
    at = 0
    while tag := _ANY_TAG.search(item, at):
        pieces.append(item[at : tag.start()])
        at = tag.end()
        if tag[2] is None:
            end = item.find("]]>", at)
            at = end + 3 if end >= 0 else len(item)
            pieces.append(item[tag.start() : at])
        elif not tag[1]:
            pieces.append(tag[0])
            if not tag[0].endswith("/>"):
                open_names.append(tag[2])
        elif tag[2] in open_names[-MAX_DEPTH:]:
            while (last := open_names.pop()) != tag[2]:
                pieces.append(f"</{last}>")
            pieces.append(f"</{tag[2]}>")
    pieces.append(item[at:])
    return "".join((*pieces, *(f"</{name}>" for name in reversed(open_names))))


def _texts_escaped(item: str) -> str:
    """Escape the markup inside elements that hold text, save where it is in CDATA."""
    pieces, at = [], 0
    unclosed: set[str] = set()  # looking for their ends again and again would take the square of the length
    while opening := _TEXTS.search(item, at):
        end = -1 if opening[1] in unclosed else item.find(f"</{opening[1]}", opening.end())
        if end < 0 or opening[2].endswith("/"):
            unclosed |= {opening[1]} if end < 0 else set()
            pieces.append(item[at : opening.end()])
            at = opening.end()
            continue
        inside = item[opening.end() : end]
        if "<![CDATA[" not in inside:
            inside = inside.replace("<", "&lt;").replace(">", "&gt;")
        pieces += (item[at : opening.end()], inside)
        at = end
    return "".join((*pieces, item[at:]))


def _tree(text: str, *, recover: bool) -> etree._Element | None:
    parser = etree.XMLParser(
        recover=recover, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True,
        remove_pis=True,
        # In CDATA, feedparser is handed a text in one piece, not in one for each "&".
        strip_cdata=False,
    )  # fmt: skip
    try:
        return etree.fromstring(text.encode(), parser)
    except (etree.LxmlError, ValueError):
        return None


def parsed(text: str) -> etree._Element | None:
    """Parse tidied text; None where it is broken."""
    return _tree(text, recover=False)


def recovered(text: str) -> etree._Element | None:
    """Parse tidied text; what is broken is read as far as libxml2 makes sense of it. None where it cannot."""
    tree = parsed(text)
    return tree if tree is not None else _tree(text, recover=True)
