"""What a page says of itself outside its text: JSON-LD, meta elements, link elements, microdata.

Everything becomes a Claim (field, value, origin, rule). Nothing is decided here: a step that needs a
field takes the first claim it can use. The order within a field is the order of trust.
"""

import html
import json
import re
from collections.abc import Iterator
from typing import Any

from lxml.html import HtmlElement

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
        content = element.get("content")
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
    for element in tree.iter("a"):
        if not (rel := element.get("rel")):
            continue
        rel = rel.lower().split()
        if "author" in rel:
            yield Claim(field="author", value=_clean(element.text_content()), origin="link", rule="rel=author")
        elif "tag" in rel:
            yield Claim(field="tag", value=_clean(element.text_content()), origin="link", rule="rel=tag")


def _microdata(tree: HtmlElement) -> Iterator[Claim]:
    """Claims of time elements and of elements with itemprop (https://html.spec.whatwg.org/multipage/microdata.html)."""
    for element in tree.iter("time", "abbr", "span", "div", "p", "a"):
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
            sure = bool(prop) or element.get("pubdate") is not None or "publish" in names or "entry-date" in names
            yield Claim(field=field if sure else "time", value=_clean(value), origin="time", rule=prop or "datetime")
        elif prop in {"datePublished", "dateModified"}:
            text = _clean(value or element.text_content())
            yield Claim(
                field="published" if prop == "datePublished" else "modified", value=text, origin="microdata", rule=prop
            )
        elif prop in {"author", "creator"} or (prop == "name" and _within(element, "author")):
            name = next((e for e in element.iter() if e.get("itemprop") == "name"), element)
            yield Claim(
                field="author", value=_clean(name.get("content") or name.text_content()), origin="microdata", rule=prop
            )
        elif prop in {"articleSection", "headline"}:
            field = "section" if prop == "articleSection" else "title"
            yield Claim(field=field, value=_clean(value or element.text_content()), origin="microdata", rule=prop)


def _within(element: HtmlElement, prop: str) -> bool:
    parent = element.getparent()
    return parent is not None and parent.get("itemprop") == prop


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


def _names(value: object, nodes: list[dict[str, Any]]) -> Iterator[str]:
    """Names of people or organisations: strings, nodes, lists of either, references by @id."""
    for item in value[:_MOST_NAMES] if isinstance(value, list) else [value]:
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
    for name in _names(node.get("author") or node.get("creator"), nodes):
        yield "author", name, "author"
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
