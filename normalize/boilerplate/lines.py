"""What one line says of itself: an ad marker, a date, a caption with its credit, a source, an agency.

Each rule takes a page and gives it back with more blocks judged and more claims; none looks at the order
of blocks (that is ``head`` and ``sections``).
"""

import re
import tomllib
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib.resources import files

from normalize.boilerplate.lexicon import load_lexicon
from normalize.boilerplate.names import names_in
from normalize.column import is_long
from normalize.dates import is_date_line
from normalize.main_text import key
from schemas.document import Block, Claim, Image, Page, RemovedRole

#: Surroundings that decide what a left-out block was for.
_ROLE_OF_PLACE: tuple[tuple[str, RemovedRole], ...] = (
    ("caption", "caption"), ("embed", "boilerplate"), ("breadcrumb", "navigation"), ("comments", "comments"), ("cookie", "cookie"), ("newsletter", "newsletter"), ("paywall", "paywall"),
    ("share", "share"), ("ad", "ad"), ("related", "related"), ("tags", "tags"), ("author", "author"), ("nav", "navigation"),
    ("footer", "legal"), ("figure", "caption"), ("form", "navigation"),
)  # fmt: skip

#: A caption, a breadcrumb or a cookie notice in the markup is one whatever else it looks like; the other surroundings
#: are class names that some sites also put around their story, so they only name what the extractor left out.
_SURE_PLACES = frozenset({"caption", "breadcrumb", "cookie"})

#: A place that holds this share of the kept text is not what its name says.
_MOST_HELD = 0.3
_ALL_HELD = 0.95

#: Roles that depend on where a line stands or what else it holds: rules of their own decide on them.
_BY_POSITION = frozenset({"section", "author", "date", "credit", "agency", "source"})

_URL = re.compile(r"https?://[^\s<>\"'”’»)\]]+")
_DOMAIN = re.compile(r"(?:https?://)?(?:www\.)?((?:[a-z0-9-]+\.)+[a-z]{2,})/?", re.IGNORECASE)

#: "(sda/dpa/con)", "(Reuters)", "【新华社】" at the end of a text.
_CREDIT_AT_END = re.compile(r"\s*[(\[（【]\s*([^()\[\]（）【】]{2,60})\s*[)\]）】]\s*\.?$")
_BETWEEN_AGENCIES = re.compile(r"\s*[/,;、，+&|]\s*|\s+(?:und|and|et|y|e|и|και|en|та)\s+")

#: A photo credit is short: longer texts after "Photo:" are prose, in characters.
_LONGEST_CREDIT = 80

#: "© Name" in a caption; with a year behind it, it is the site's notice.
#: A word for picture, a colon, and a name to the end.
_PICTURE_CREDIT = re.compile(
    r"(?:\b(?:photo|foto|fotó|fotografie|bild|image|picture|beeld|kuva|kép|slika|ảnh|nuotr)|фото|снимка|φωτο|צילום|عکس|صورة|تصویر|تصوير|"
    r"写真|사진|图|圖|ภาพ|फोटो|ছবি|படம்|ფოტო|լուսանկար)\w{0,8}\.?\s?[:：=＝]\s?([^:：]{2,60})$",
    re.IGNORECASE,
)

_COPYRIGHT = re.compile(r"©|\([cC]\)\s")

_NOTICE = re.compile(r"\W*(?:©|\([cC]\)|copyright\b)[^.!?]{0,60}?\b(?:19|20)\d\d\b", re.IGNORECASE)

#: "（吴桐 摄）", "（記者林曉嵐攝）", "（撮影・大原恵介）" at the end of a caption.
_CREDIT_IN_BRACKETS = re.compile(
    r"[（(](?=[^（）()]{0,20}(?:摄|攝|撮影))(?:本报|本報)?(?:记者|記者)?(?:撮影[・:：])?\s*([\u4e00-\u9fff\u30a0-\u30ff]{2,8}?)\s*(?:摄|攝|撮影)?[)）]$"
)
_MAY_END_IN_CREDIT = re.compile(r"[:：©]|\([cC]\)")

_LONGEST_CAPTION = 600
_LONGEST_TAG = 60

#: "Home > News > Culture", "Αρχική / Πολιτισμός".
_BREADCRUMB = re.compile(r"\s*[>»›→/|]\s*")

#: A byline may stand this many blocks below the story.
_BELOW = 4

#: The longest way to write two times with weekdays and zones, in characters.
_LONGEST_TIME = 120
_DIGIT = re.compile(r"\d")

#: The longest sign of an agency that could be a word, in letters.
_SIGN = 4

#: Bylines and the names in them, in characters.
_LONGEST_BYLINE = 100
_LONGEST_NAMES = 70


def by_place(page: Page) -> Page:
    """Name left-out blocks by the markup around them, and take captions out of the story."""
    claims: list[Claim] = []
    titles = {key(claim.value) for claim in page.claimed("title")}
    sure = _sure_places(page)

    def judge(block: Block) -> Block:
        if not block.undecided and "breadcrumb" not in block.places:
            return block
        for place, role in _ROLE_OF_PLACE:
            if place in block.places and (not block.keep or place in sure):
                if place == "tags" and block.link_density > 0.5:  # noqa: PLR2004  (mostly links)
                    claims.extend(
                        Claim(field="tag", value=words.lstrip("#"), origin="block", rule="place:tags")
                        for _, words in block.links
                        if words and len(words) <= _LONGEST_TAG
                    )
                if place == "breadcrumb" and len(block.text) <= _LONGEST_TAG and key(block.text) not in titles:
                    # The last one before the headline is the nearest section, so each goes in front.
                    claims.insert(0, Claim(field="section", value=block.text, origin="block", rule="place:breadcrumb"))
                if place == "author" and len(block.text) <= _LONGEST_NAMES:
                    claims.append(Claim(field="author", value=block.text, origin="block", rule="place:author"))
                if role == "caption" and _is_credit(block.text):
                    return removed(block, "credit", f"place:{place}")
                return removed(block, role, f"place:{place}")
        return block

    judged = _each(page, judge)
    return replace(judged, claims=(*judged.claims, *claims))


def _sure_places(page: Page) -> frozenset[str]:
    """The surroundings to believe over the extractor: those that hold little of what it kept.

    A class name that holds a good part of the story means something else on this site.
    """
    held: Counter[str] = Counter()
    for block in page.blocks:
        if block.keep:
            held.update(dict.fromkeys(block.places & _SURE_PLACES, len(block.text)))
    total = sum(len(block.text) for block in page.blocks if block.keep)
    believed = {place for place in _SURE_PLACES if held[place] < _MOST_HELD * total}
    # A consent page is all cookie notice, and has the button to accept it.
    if held["cookie"] > _ALL_HELD * total and any(
        b.role == "cookie" and b.rule.startswith("lexicon:") for b in page.blocks
    ):
        believed.add("cookie")
    return frozenset(believed)


def by_breadcrumb(page: Page) -> Page:
    """Take out "Home > News > Culture"; its last part is the section."""
    lexicon = load_lexicon()
    claims: list[Claim] = []
    titles = {claim.value.casefold() for claim in page.claimed("title")}

    def judge(block: Block) -> Block:
        parts = [part.strip() for part in _BREADCRUMB.split(block.text)] if len(block.text) <= _LONGEST_TIME else []
        if len(parts) < 2 or not all(parts):  # noqa: PLR2004
            return block
        hit = lexicon.find(parts[0])
        if hit is None or hit.role != "navigation":
            return block
        sections = [part for part in parts[1:] if part.casefold() not in titles and len(part) <= _LONGEST_TAG]
        if sections:
            claims.append(Claim(field="section", value=sections[-1], origin="block", rule="line:breadcrumb"))
        return removed(block, "navigation", "line:breadcrumb")

    judged = _each(page, judge)
    return replace(judged, claims=(*judged.claims, *claims))


def by_phrase(page: Page) -> Page:
    """Judge blocks by the phrase lexicon."""
    lexicon = load_lexicon()
    claims: list[Claim] = []

    def judge(block: Block) -> Block:
        hit = lexicon.find(block.text)
        if hit is None or hit.role in _BY_POSITION:
            return block
        if hit.role == "tags" and hit.how == "start":
            # Links may stand without a space or comma between them.
            tags = [words for _, words in block.links if words and key(words) != key(hit.phrase)]
            if tags:
                claims.extend(Claim(field="tag", value=tag.lstrip("#"), origin="block", rule=hit.rule) for tag in tags)
            else:
                claims.append(Claim(field="tags", value=_after(hit.phrase, block.text), origin="block", rule=hit.rule))
        return removed(block, hit.role, hit.rule) if block.undecided else block

    judged = _each(page, judge)
    return replace(judged, claims=(*judged.claims, *claims))


def by_notice(page: Page) -> Page:
    """Take out copyright notices: the sign, and a year near it."""

    def judge(block: Block) -> Block:
        if block.undecided and len(block.text) <= _LONGEST_CAPTION and _NOTICE.match(block.text):
            return removed(block, "legal", "line:copyright")
        return block

    return _each(page, judge)


def by_byline(page: Page) -> Page:
    """Take out bylines and lines about the time of publication, above the story and right below it."""
    lexicon = load_lexicon()
    claims: list[Claim] = []
    blocks = list(page.blocks)
    prose = [number for number, block in enumerate(blocks) if block.keep and is_long(block.text)]
    # The first long block may be the standfirst, which stands above the byline.
    first, last = (prose[min(1, len(prose) - 1)], prose[-1]) if prose else (len(blocks), -1)
    for number, block in enumerate(blocks):
        if first <= number <= last or len(block.text) > _LONGEST_BYLINE or not block.undecided:
            continue
        if is_agency(block.text):
            claims.append(Claim(field="agency", value=block.text, origin="block", rule="line:agency"))
            blocks[number] = removed(block, "agency", "line:agency")
            continue
        hit = lexicon.find(block.text)
        if hit is None or hit.role not in {"author", "date", "agency"}:
            continue
        if hit.role == "date" and not _DIGIT.search(block.text):
            continue
        if hit.role == "author":
            names = _after(hit.phrase, block.text)
            if not names_in(names) or number > last + _BELOW > _BELOW:
                continue
            claims.append(Claim(field="author", value=names, origin="block", rule=hit.rule))
        if hit.role == "agency":
            name = _after(hit.phrase, block.text).strip(" .")
            if not is_agency(name):
                continue
            claims.append(Claim(field="agency", value=name, origin="block", rule=hit.rule))
        blocks[number] = removed(block, hit.role, hit.rule)
    return replace(page, blocks=tuple(blocks), claims=(*page.claims, *claims))


def _after(phrase: str, text: str) -> str:
    """What stands behind a phrase, without the colon between them."""
    match = re.search(_either_colon(phrase.strip(" :：")), text, re.IGNORECASE)
    return text[match.end() :].strip(" :：|-–—") if match else ""


def by_date(page: Page) -> Page:
    """Take out lines that are nothing but a time."""

    def judge(block: Block) -> Block:
        longest = _LONGEST_TIME if block.keep else _LONGEST_TIME // 2
        if block.undecided and len(block.text) <= longest and _DIGIT.search(block.text) and is_date_line(block.text):
            return removed(block, "date", "line:date")
        return block

    return _each(page, judge)


def by_source(page: Page) -> Page:
    """Take out lines that say where the story came from; their addresses become ``cited`` claims."""
    claims: list[Claim] = []
    lexicon = load_lexicon()

    def judge(block: Block) -> Block:
        if domain := _DOMAIN.fullmatch(block.text):
            if block.keep:
                claims.append(
                    Claim(field="publisher_hint", value=domain[1].lower(), origin="block", rule="line:domain")
                )
                return removed(block, "source", "line:domain")
            return block
        hit = lexicon.find(block.text)
        if hit and hit.role == "source":
            name = _after(hit.phrase, block.text).strip(" .")
            if is_agency(name):
                claims.append(Claim(field="agency", value=name, origin="block", rule=hit.rule))
                return removed(block, "agency", hit.rule)
            cited = _URL.findall(block.text) or [
                url for url, _ in block.links if url.startswith(("http://", "https://"))
            ]
            claims.extend(Claim(field="cited", value=url.rstrip(".,;"), origin="block", rule=hit.rule) for url in cited)
            return removed(block, "source", hit.rule)
        return block

    judged = _each(page, judge)
    return replace(judged, claims=(*judged.claims, *claims))


def by_credit(page: Page) -> Page:
    """Take out captions that end in a photo credit ("... at the summit.Image: keystone").

    A line that is nothing but a credit takes the short line above it along as its caption. Where the page has no figure
    for them (text dumps, table layouts) they become pictures without an address.
    """
    images: list[Image] = []
    known = {image.caption for image in page.images}
    blocks = list(page.blocks)
    for number, block in enumerate(blocks):
        parts = split_credit(block.text) if block.undecided and len(block.text) <= _LONGEST_CAPTION else None
        if parts is None:
            continue
        caption, credit, rule = parts
        blocks[number] = removed(block, "caption" if caption else "credit", rule)
        above = blocks[number - 1] if number else None
        if caption is None and above and above.undecided and _may_be_caption(above):
            caption = above.text
            blocks[number - 1] = removed(above, "caption", "line:above-credit")
        if caption and caption not in known and "figure" not in block.places:
            images.append(Image(url=None, caption=caption, credit=credit, lead=not images and not page.images))
    return replace(page, blocks=tuple(blocks), images=(*page.images, *images))


def _may_be_caption(block: Block) -> bool:
    return (
        len(block.text) <= _LONGEST_NAMES * 2
        and not re.search(r"[.。।]$", block.text)
        and not block.element.startswith("h")
    )


def _is_credit(text: str) -> bool:
    parts = split_credit(text)
    return parts is not None and parts[0] is None


def split_credit(text: str) -> tuple[str | None, str, str] | None:
    """Split "Caption. Photo: Name" into caption, credit and rule; None where there is no credit.

    >>> split_credit("A ferry in the harbour.") is None
    True
    >>> split_credit("A ferry in the harbour. © Ann Lee")
    ('A ferry in the harbour.', 'Ann Lee', 'line:copyright')
    """
    if not _MAY_END_IN_CREDIT.search(text) and not _CREDIT_IN_BRACKETS.search(text):
        # Without a colon or a sign only a line that begins as a credit can be one.
        whole = load_lexicon().find(text)
        if whole is None or whole.role != "credit":
            return None
    for hit in load_lexicon().credits(text):
        if hit.begin > 0 and not hit.phrase.rstrip().endswith((":", "：")):
            continue
        found = list(re.finditer(_either_colon(hit.phrase), text, re.IGNORECASE))
        if found and (parts := _around(text, found[-1], hit.rule)):
            return parts
    if named := _CREDIT_IN_BRACKETS.search(text):
        return text[: named.start()].rstrip() or None, named[1], "line:credit-in-brackets"
    marks = list(_COPYRIGHT.finditer(text))
    return _around(text, marks[-1], "line:copyright") if marks and not _DIGIT.search(text[marks[-1].end() :]) else None


def split_picture_credit(text: str) -> tuple[str | None, str, str] | None:
    """The same for the caption of a figure, where "Bild: Name" can only be a credit and need not stand in the lexicon.

    >>> split_picture_credit("The pier at noon. Bild: Bo Ek")
    ('The pier at noon.', 'Bo Ek', 'figure:credit')
    """
    found = _PICTURE_CREDIT.search(text)
    return (text[: found.start()].rstrip(" (|/–—-") or None, found[1].strip(" )]"), "figure:credit") if found else None


def _around(text: str, mark: re.Match[str], rule: str) -> tuple[str | None, str, str] | None:
    caption = text[: mark.start()].rstrip(" ([|/-–—,©")
    credit = text[mark.end() :].strip(" :：)].|©")
    if not credit or len(credit) > _LONGEST_CREDIT or re.search(r"[.!?]\s+\w{3}|[。।！？]\s*\w", credit):
        return None
    return caption or None, credit, rule


def _either_colon(phrase: str) -> str:
    """A pattern for the phrase in unfolded text, where colons may be full-width."""
    return re.escape(phrase.strip()).replace("：", ":").replace(":", "[:：]")


def by_agency(page: Page) -> Page:
    """Move the agency credit that ends a text to the ``agency`` claims: "... against Russia. (sda/dpa)"."""
    claims: list[Claim] = []
    blocks = list(page.blocks)
    kept = [number for number, block in enumerate(blocks) if block.keep]
    for number in kept[-3:]:
        block = blocks[number]
        match = _CREDIT_AT_END.search(block.text)
        if match is None:
            continue
        names = [name.strip() for name in _BETWEEN_AGENCIES.split(match[1]) if name.strip()]
        known = [name for name in names if is_agency(name)]
        # One known agency vouches for the desk codes beside it, as in "(sda/dpa/con)".
        if not known or len(names) > 5 or (len(known) < len(names) and max(map(len, names)) > 20):  # noqa: PLR2004
            continue
        claims += [Claim(field="agency", value=name, origin="block", rule="line:agency") for name in names]
        rest = block.text[: match.start()].rstrip()
        credit = replace(block, text=match[0].strip(), role="agency", keep=False, rule="line:agency")
        blocks[number : number + 1] = [replace(block, text=rest), credit] if rest else [credit]
        break
    return replace(page, blocks=tuple(blocks), claims=(*page.claims, *claims)) if claims else page


def is_agency(name: str) -> bool:
    """Is this the name or the sign of a news agency, as a credit writes it?

    Signs of up to four Latin letters count as written in the table or in capitals: "AP" is one, "(app)" is none.
    """
    name = unicodedata.normalize("NFKC", name).strip(" .")
    exact, folded = _agencies()
    return name in exact if name.isascii() and len(name) <= _SIGN else name.casefold() in folded


@cache
def _agencies() -> tuple[frozenset[str], frozenset[str]]:
    """All spellings as the table has them (short signs in capitals too), and all of them folded."""
    table = tomllib.loads(files(__package__).joinpath("agencies.toml").read_text("utf-8"))
    names = [
        name
        for agency in table["agency"]
        for name in (agency["name"], *agency.get("also", ()), *agency.get("short", ()))
    ]
    capitalised = {name.capitalize() for name in names if name.isupper() and len(name) == _SIGN}
    return frozenset(names) | {name.upper() for name in names} | capitalised, frozenset(
        name.casefold() for name in names
    )


def removed(block: Block, role: RemovedRole, rule: str) -> Block:
    """Cut a block away, saying what it was and what decided."""
    return replace(block, role=role, keep=False, rule=rule)


def _each(page: Page, judge: Callable[[Block], Block]) -> Page:
    return replace(page, blocks=tuple(map(judge, page.blocks)))
