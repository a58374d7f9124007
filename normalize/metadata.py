"""What a page says of itself outside its text: JSON-LD, meta elements, link elements, microdata.

Everything becomes a Claim (field, value, origin, rule). Nothing is decided here: a step that needs a
field takes the first claim it can use. The order within a field is the order of trust.
"""

import html
import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from lxml import etree
from lxml.html import HtmlElement

from normalize.boilerplate.names import ELEMENT_END
from schemas.document import Claim

#: schema.org types whose node describes the story itself (https://schema.org/Article and its children, and
#: the kinds a news page can be instead).
_STORY_TYPES = frozenset(
    "article newsarticle reportagenewsarticle analysisnewsarticle opinionnewsarticle backgroundnewsarticle reviewnewsarticle "
    "askpublicnewsarticle satiricalarticle advertisercontentarticle blogposting liveblogposting socialmediaposting report "
    "techarticle scholarlyarticle videoobject imagegallery mediagallery review recipe".split()
)
_PAGE_TYPES = frozenset("webpage collectionpage itempage aboutpage itemlist searchresultspage".split())

#: meta name/property/itemprop (lower case) -> field, most trusted first within each field.
_META: tuple[tuple[str, str], ...] = (
    ("og:title", "title"), ("twitter:title", "title"), ("dc.title", "title"), ("dcterms.title", "title"),
    ("parsely-title", "title"), ("sailthru.title", "title"), ("headline", "title"), ("title", "title"),
    ("og:description", "description"), ("description", "description"), ("twitter:description", "description"),
    ("dc.description", "description"), ("dcterms.abstract", "description"),
    ("og:site_name", "publisher"), ("application-name", "publisher"), ("dc.publisher", "publisher"),
    ("twitter:site_name", "publisher"), ("copyright", "rights"),
    ("article:published_time", "published"), ("og:article:published_time", "published"), ("og:published_time", "published"),
    ("datepublished", "published"), ("parsely-pub-date", "published"), ("sailthru.date", "published"),
    ("publishdate", "published"), ("publish_date", "published"), ("publish-date", "published"), ("publication_date", "published"),
    ("pubdate", "published"), ("pub_date", "published"), ("article.published", "published"), ("article:published", "published"),
    ("dc.date.issued", "published"), ("dcterms.issued", "published"), ("dcterms.created", "published"),
    ("dc.date.created", "published"), ("dcterms.date", "published"), ("dc.date", "published"), ("date", "published"),
    ("cxenseparse:recs:publishtime", "published"), ("cxenseparse:publishtime", "published"), ("shareaholic:article_published_time", "published"),
    ("citation_publication_date", "published"), ("citation_date", "published"), ("vr:published_time", "published"),
    ("bt:pubdate", "published"), ("gentime", "published"), ("displaydate", "published"), ("originalpublicationdate", "published"),
    ("rnews:datepublished", "published"), ("created", "published"), ("article_date_original", "published"),
    ("article:modified_time", "modified"), ("og:article:modified_time", "modified"), ("og:updated_time", "modified"),
    ("datemodified", "modified"), ("dcterms.modified", "modified"), ("dc.date.modified", "modified"), ("lastmod", "modified"),
    ("last-modified", "modified"), ("bt:moddate", "modified"), ("shareaholic:article_modified_time", "modified"),
    ("author", "author"), ("article:author_name", "author"), ("parsely-author", "author"), ("sailthru.author", "author"),
    ("dc.creator", "author"), ("dcterms.creator", "author"), ("byl", "author"), ("article:author", "author"),
    ("og:article:author", "author"), ("cxenseparse:author", "author"), ("citation_author", "author"), ("creator", "author"),
    ("article:tag", "tag"), ("og:article:tag", "tag"), ("parsely-tags", "tags"), ("sailthru.tags", "tags"),
    ("news_keywords", "tags"), ("keywords", "tags"),
    ("article:section", "section"), ("og:article:section", "section"), ("parsely-section", "section"), ("cxenseparse:recs:category", "section"),
    ("og:url", "canonical"),
    ("og:image", "image"), ("og:image:url", "image"), ("twitter:image", "image"), ("twitter:image:src", "image"), ("parsely-image-url", "image"),
    ("og:image:alt", "image_alt"),
    ("article:content_tier", "tier"), ("og:article:content_tier", "tier"), ("isaccessibleforfree", "free"), ("content_tier", "tier"),
    ("content-language", "lang"), ("og:locale", "lang"), ("dc.language", "lang"), ("language", "lang"), ("inlanguage", "lang"),
    ("og:type", "type"),
)  # fmt: skip
_META_FIELD = dict(_META)
_META_RANK = {name: rank for rank, (name, _) in enumerate(_META)}

#: Longer lists of authors or keywords are an attack or a mistake.
_MOST_NAMES = 200

#: A claim longer than this is a mistake of the page (whole texts in a title attribute), in characters.
_MAX_VALUE = 5_000

#: The longest story that is read from JSON-LD, in characters.
_MAX_STORY = 200_000

#: JSON can spell one half of a UTF-16 pair ("\\ud83d"), which no file of ours can hold.
_HALF_PAIR = re.compile("[\ud800-\udfff]")

#: Elements whose class may say that they name an author, and what stands in such classes and in the addresses of profiles.
_MAY_NAME: Final = frozenset("a span div p address li cite b strong em i h2 h3 h4 h5".split())
_IN_CLASS: Final = re.compile("uthor|yline|utor|uteur")
_IN_ADDRESS: Final = re.compile("/(?:aut|by/|staff|journalist|contributor|reporter|columnist)")
#: Addresses of the pages about one author.
_PROFILE: Final = re.compile(
    r"/(?:authors?|autor(?:es|en|in)?|auteurs?|autori|autore|by|staff|journalists?|journaliste|"
    r"contributors?|reporters?|columnists?|author-profile)/[^/?#]{3,}/?(?:[?#]|$)",
    re.IGNORECASE,
)
_BYLINE_CLASS: Final = re.compile(
    r"(?<![a-z])(?:by-?lines?|authors?|author-?names?|byline-?names?|autor(?:es|en|in)?|auteurs?|autore)(?![a-z])"
)
_NO_BYLINE_CLASS: Final = re.compile(
    r"bio|desc|avatar|twitter|image|img|photo|picture|social|follow|more|about|comment|related|teaser|recommend|card-list|date|time|title|role|job|position"
)
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
#: Elements with a common ancestor so near are one byline, in levels.
_SAME_PLACE: Final = 3
#: A byline with more links is none, and one that is links for this share of its letters is nothing else.
_MOST_LINKS: Final = 20
_MOSTLY: Final = 0.8
#: Longer texts of bylines tell a life, in characters.
_BYLINE_CHARS: Final = 200

_TRAILING_COMMA = re.compile(r",\s*(?=[}\]])")
_LOOSE_PAIR = re.compile(r'"(headline|datePublished|dateModified|isAccessibleForFree)"\s*:\s*"?((?:[^"\\\n]|\\.)*)')
_CDATA = re.compile(
    r"^\s*(?:/\*\s*)?(?:<!--|//\s*)?\s*<?!?\[?C?D?A?T?A?\[?(?:\s*\*/)?|(?:/\*|//)?\s*\]\]>\s*(?:\*/)?\s*$"
)


def read_claims(tree: HtmlElement) -> tuple[tuple[Claim, ...], tuple[str, ...]]:
    """Collect what the page claims of itself, and the kinds it declares (lower case, in page order)."""
    claims: list[Claim] = []
    types: list[str] = []
    for field, value, rule in _linked_data(tree, types):
        claims.append(Claim(field=field, value=value, origin="json-ld", rule=rule))
    claims += _meta(tree, types)
    claims += _elements(tree)
    seen: set[tuple[str, str, str]] = set()
    unique = []
    for claim in claims:
        key = (claim.field, claim.value, claim.origin)
        if claim.value and key not in seen:
            seen.add(key)
            unique.append(claim)
    return tuple(unique), tuple(dict.fromkeys(types))


def _clean(value: object) -> str:
    """One line of text from whatever stood there; "" for what is no text."""
    return _plain(value) if isinstance(value, str) and len(value) <= _MAX_VALUE else ""


def _plain(value: object) -> str:
    if not isinstance(value, str):
        return ""
    value = value[:_MAX_STORY]
    if "&" in value:
        value = html.unescape(value)
    if "<" in value:
        value = re.sub(r"<[^<>]{0,200}>", " ", value)
    return " ".join(_HALF_PAIR.sub("\N{REPLACEMENT CHARACTER}", value).split())


def _meta(tree: HtmlElement, types: list[str]) -> list[Claim]:
    found: list[tuple[int, Claim]] = []
    for element in tree.iter("meta"):
        # "value" is a mistake that some systems make.
        content = element.get("content") or element.get("value")
        if not content:
            continue
        for attribute in ("property", "name", "itemprop", "http-equiv"):
            name = (element.get(attribute) or "").strip().lower()
            field = _META_FIELD.get(name)
            if field is None:
                continue
            value = _clean(content)
            if field == "type":
                types.append(value.lower())
            elif value:
                found.append((_META_RANK[name], Claim(field=field, value=value, origin="meta", rule=name)))
            break
    found.sort(key=lambda item: item[0])
    return [claim for _, claim in found]


def _elements(tree: HtmlElement) -> Iterator[Claim]:
    """Claims made by elements other than meta."""
    if lang := _clean(
        tree.get("lang") or tree.get("{http://www.w3.org/XML/1998/namespace}lang") or tree.get("xml:lang")
    ):
        yield Claim(field="lang", value=lang, origin="html", rule="lang")
    for link in tree.iter("link"):
        rel = (link.get("rel") or "").lower().split()
        if "canonical" in rel and (href := _clean(link.get("href"))):
            yield Claim(field="canonical", value=href, origin="link", rule="canonical")
        elif "image_src" in rel and (href := _clean(link.get("href"))):
            yield Claim(field="image", value=href, origin="link", rule="image_src")
    for element in tree.iter("base"):
        if href := _clean(element.get("href")):
            yield Claim(field="base", value=href, origin="html", rule="base")
    for element in tree.iter("h1"):
        if text := _clean(element.text_content()):
            yield Claim(field="title", value=text, origin="h1", rule="h1")
    title = next(tree.iter("title"), None)
    if title is not None and (text := _clean(title.text_content())):
        yield Claim(field="title", value=text, origin="title-tag", rule="title")
    yield from _microdata(tree)
    yield from _bylines(tree)
    for element in tree.iter("a"):
        if "tag" in (element.get("rel") or "").lower().split():
            yield Claim(field="tag", value=_clean(element.text_content()), origin="link", rule="rel=tag")


def _microdata(tree: HtmlElement) -> Iterator[Claim]:
    """Claims of time elements and of elements with itemprop (https://html.spec.whatwg.org/multipage/microdata.html)."""
    others: list[Claim] = []
    below_headline = False
    for element in tree.iter("time", "abbr", "span", "div", "p", "a", "h1"):
        if element.tag == "h1":
            below_headline = True
            continue
        prop = element.get("itemprop")
        if not prop and element.tag != "time":
            continue
        value = (
            element.get("datetime")
            or element.get("content")
            or (element.get("title") if element.tag == "abbr" else None)
        )
        if element.tag == "time" and value:
            names = f"{prop or ''} {element.get('class') or ''}".lower()
            field = "modified" if ("modif" in names or "updat" in names) else "published"
            # Only the attribute says which time it is; a bare <time> may date a teaser or a comment.
            elsewhere = _in_other_story(element)
            sure = not elsewhere and (
                bool(prop) or element.get("pubdate") is not None or "publish" in names or "entry-date" in names
            )
            claim = Claim(field=field if sure else "time", value=_clean(value), origin="time", rule=prop or "datetime")
            if below_headline and not elsewhere:
                yield claim
            else:
                others.append(claim)
        elif prop in {"datePublished", "dateModified"}:
            text = _clean(value or element.text_content())
            yield Claim(
                field="published" if prop == "datePublished" else "modified", value=text, origin="microdata", rule=prop
            )
        elif prop in {"articleSection", "headline"}:
            field = "section" if prop == "articleSection" else "title"
            yield Claim(field=field, value=_clean(value or element.text_content()), origin="microdata", rule=prop)
    # Above the headline there are tickers and teasers more often than the story's own time, as in comments and asides.
    yield from others


def _bylines(tree: HtmlElement) -> Iterator[Claim]:
    """Claims of elements that the markup calls the author's: only the first such place below the headline.

    The teasers of other stories name their authors in the same way, and so may the box about the author at the end.
    """
    found: dict[tuple[str, str], list[HtmlElement]] = {}
    above: dict[tuple[str, str], list[HtmlElement]] = {}
    below_headline = False
    for element in _possible_bylines(tree):
        if element.tag == "h1":
            below_headline = True
        elif (kind := _byline_kind(element)) and not _in_other_story(element):
            (found if below_headline else above).setdefault(kind, []).append(element)
    for kind, elements in (above | found).items():
        first = elements[0]
        near = [first, *islice(first.iterancestors(), _SAME_PLACE)]
        told: list[HtmlElement] = []
        for element in elements:
            parents = list(element.iterancestors())
            if element is not first and not any(parent in near for parent in parents[:_SAME_PLACE]):
                continue
            if not any(parent in told for parent in parents) and (text := _byline_text(element)):
                told.append(element)
                yield Claim(field="author", value=text, origin=kind[0], rule=kind[1])


def _possible_bylines(tree: HtmlElement) -> Iterator[HtmlElement]:
    """Give the elements that may name an author, and h1, in page order. Quick, because a page has thousands of others."""
    for element in tree.iter(etree.Element):
        tag = element.tag
        if tag == "h1" or element.get("itemprop") in {"author", "creator"}:
            yield element
        elif tag in _MAY_NAME:
            classes = element.get("class")
            if (classes is not None and _IN_CLASS.search(classes)) or (
                tag == "a" and (element.get("rel") is not None or _IN_ADDRESS.search(element.get("href") or ""))
            ):
                yield element


def _byline_kind(element: HtmlElement) -> tuple[str, str] | None:
    """Name the origin and rule of an element that may hold an author's name."""
    prop = element.get("itemprop")
    if prop in {"author", "creator"}:
        return "microdata", prop
    if element.tag == "a":
        if "author" in (element.get("rel") or "").lower().split():
            return "link", "rel=author"
        if _PROFILE.search(element.get("href") or ""):
            return "profile", "href"
    classes = _CAMEL.sub("-", element.get("class") or "").lower()
    return ("byline", "class") if _BYLINE_CLASS.search(classes) and not _NO_BYLINE_CLASS.search(classes) else None


def _in_other_story(element: HtmlElement) -> bool:
    in_footer = False
    for parent in element.iterancestors():
        if parent.tag in {"article", "main"}:
            # An article has a footer of its own.
            return False
        if parent.tag in {"aside", "nav"} or "comment" in (parent.get("class") or "").lower():
            return True
        in_footer = in_footer or parent.tag == "footer"
    return in_footer


def _byline_text(element: HtmlElement) -> str:
    """Give the text of a byline with its elements kept apart, which often stand without a space between them."""
    name = next((e for e in element.iter() if e.get("itemprop") == "name"), element)
    if content := name.get("content") or (name.tag == "meta" and name.get("value")):
        return _clean(content)
    links = [" ".join(link.text_content().split()) for link in islice(name.iter("a"), _MOST_LINKS)]
    letters = len("".join(name.text_content().split())) if len(links) > 1 else 0
    if letters and sum(len(text.replace(" ", "")) for text in links if " " in text) >= _MOSTLY * letters:
        # Nothing but names, each a link.
        return _clean(", ".join(links))
    pieces: list[str] = []
    size = 0
    for text in name.itertext():
        if piece := " ".join(text.split()):
            size += len(piece)
            if size > _BYLINE_CHARS:
                return ""
            pieces.append(piece)
    return _clean(f" {ELEMENT_END} ".join(pieces))


def _linked_data(tree: HtmlElement, types: list[str]) -> Iterator[tuple[str, str, str]]:
    """Read the JSON-LD of the story: (field, value, key) in order of trust."""
    nodes: list[dict[str, Any]] = []
    for script in tree.iter("script"):
        if "ld+json" not in (script.get("type") or "").lower():
            continue
        text = script.text_content()
        try:
            data = _load(text)
        except (ValueError, RecursionError):  # also lists in lists in lists
            yield from _loose(text)
            continue
        nodes += _nodes(data, 0)
    stories = [node for node in nodes if _kinds(node) & _STORY_TYPES]
    # Videos and galleries stand inside stories: they count only where nothing else does.
    stories.sort(
        key=lambda node: bool(_kinds(node) & {"videoobject", "imagegallery", "mediagallery", "review", "recipe"})
    )
    for node in stories[:1] or [n for n in nodes if _kinds(n) & _PAGE_TYPES][:1]:
        yield from _story(node, nodes)
    if story := max((_plain(node.get("articleBody")) for node in (*stories, *nodes)), key=len, default=""):
        yield "story", story, "articleBody"
    for node in (*stories, *nodes):
        types.extend(sorted(_kinds(node) & (_STORY_TYPES | _PAGE_TYPES)))
    for node in nodes:
        if _kinds(node) & {"newsmediaorganization", "website"} and (name := _clean(_first(node.get("name")))):
            yield "publisher", name, f"{min(_kinds(node))}.name"


def _load(text: str) -> Any:  # noqa: ANN401  (JSON is anything)
    text = text.strip().removesuffix(";")
    try:
        return json.loads(text, strict=False)
    except ValueError:
        return json.loads(_TRAILING_COMMA.sub("", _CDATA.sub("", text).strip()), strict=False)


def _loose(text: str) -> Iterator[tuple[str, str, str]]:
    """Take single facts from JSON-LD that no parser accepts (an unescaped quote in a headline)."""
    fields = {
        "headline": "title",
        "datePublished": "published",
        "dateModified": "modified",
        "isAccessibleForFree": "free",
    }
    for key, value in _LOOSE_PAIR.findall(text[:200_000]):
        if cleaned := _clean(value.strip()):
            yield fields[key], cleaned, f"{key} (broken JSON-LD)"


def _nodes(data: object, depth: int) -> list[dict[str, Any]]:
    """Flatten arrays, @graph and main entities, to a depth no honest page exceeds."""
    if depth > 4:  # noqa: PLR2004
        return []
    if isinstance(data, list):
        return [node for item in data[:200] for node in _nodes(item, depth + 1)]
    if not isinstance(data, dict):
        return []
    found = [data]
    for key in ("@graph", "mainEntity", "mainEntityOfPage"):
        found += _nodes(data.get(key), depth + 1)
    return found


def _kinds(node: dict[str, Any]) -> frozenset[str]:
    kinds = node.get("@type")
    values = kinds if isinstance(kinds, list) else [kinds]
    return frozenset(value.rsplit("/", 1)[-1].lower() for value in values if isinstance(value, str))


def _first(value: object) -> object:
    return value[0] if isinstance(value, list) and value else value


def _listed(value: object) -> list[Any]:
    return value[:_MOST_NAMES] if isinstance(value, list) else [value]


def _names(value: object, nodes: list[dict[str, Any]]) -> Iterator[str]:
    """Names of people or organisations: strings, nodes, lists of either, references by @id."""
    for item in _listed(value):
        if isinstance(item, str):
            yield _clean(item)
        elif isinstance(item, dict):
            if "name" not in item and "@id" in item:
                item = next((n for n in nodes if n.get("@id") == item["@id"] and "name" in n), item)  # noqa: PLW2901
            names = item.get("name")
            yield from (_clean(name) for name in (names if isinstance(names, list) else [names]))


def _story(node: dict[str, Any], nodes: list[dict[str, Any]]) -> Iterator[tuple[str, str, str]]:
    for key, field in (("headline", "title"), ("datePublished", "published"), ("dateModified", "modified")):
        if value := _clean(_first(node.get(key))):
            yield field, value, key
    if "headline" not in node and (value := _clean(_first(node.get("name")))):
        yield "title", value, "name"
    for key, field in (("description", "description"), ("alternativeHeadline", "subtitle")):
        if value := _clean(_first(node.get(key))):
            yield field, value, key
    for person in _listed(node.get("author") or node.get("creator")):
        is_house = (
            isinstance(person, dict) and _kinds(person) and all("organization" in kind for kind in _kinds(person))
        )
        for name in _names(person, nodes):
            yield "author", name, "author (Organization)" if is_house else "author"
    for name in _names(node.get("publisher") or node.get("sourceOrganization"), nodes):
        yield "publisher", name, "publisher"
    yield "section", _clean(_first(node.get("articleSection"))), "articleSection"
    keywords = node.get("keywords")
    if isinstance(keywords, list):
        for keyword in keywords[:_MOST_NAMES]:
            yield "tag", _clean(keyword.get("name") if isinstance(keyword, dict) else keyword), "keywords"
    else:
        yield "tags", _clean(keywords), "keywords"
    yield "lang", _clean(_first(node.get("inLanguage"))), "inLanguage"
    free = _first(node.get("isAccessibleForFree"))
    if free is not None:
        yield "free", str(free).rsplit("/", 1)[-1].lower(), "isAccessibleForFree"
    image = _first(node.get("image"))
    if isinstance(image, dict):
        image = _first(image.get("url") or image.get("contentUrl"))
    yield "image", _clean(image), "image"
    based_on = node.get("isBasedOn") or node.get("isBasedOnUrl")
    for item in based_on if isinstance(based_on, list) else [based_on]:
        yield "cited", _clean(item.get("url") if isinstance(item, dict) else item), "isBasedOn"
