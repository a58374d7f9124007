"""What stands above the story: site name, section, headline, byline, date, standfirst.

HTML marks the headline, so there the rules look for its repetitions and for a standfirst that the extractor
left out. A text dump marks nothing: its head is read from order and shape.
"""

import re
from dataclasses import replace

from normalize.boilerplate.lexicon import load_lexicon
from normalize.boilerplate.lines import removed
from normalize.column import DENSE, at_least, is_long
from normalize.main_text import key
from schemas.document import Block, Claim, Page, RemovedRole

#: A sentence ends here, closing quotes and brackets included.
SENTENCE_END = re.compile(r"[.!?…。！？؟।۔։።]['\"”’»）)\]」』]*$")

#: Headlines outside these lengths are section names or paragraphs, in characters.
_TITLE_CHARS = range(8, 220)

#: The name of a site with its slogan is no longer, in characters.
_SITE_CHARS = 80

#: A shorter name may be part of any notice, in letters.
_SITE_LETTERS = 4

#: Between the name of a site and its slogan, or a headline and the name of its site.
_SITE_SEPARATOR = re.compile(r"\s+[|–—·»•-]\s+|\s*[|｜]\s*|[_＿]")
#: Roles that a line already has when it cannot be the headline.
_NOT_HEADLINE = frozenset({"date", "author", "source", "navigation", "ad", "share", "related", "comments"})
_HEADLINE_LETTERS = 15

#: How far above the headline a kicker stands, and how far below it the story begins, in blocks.
_NEAR = 4
_HEAD_BLOCKS = 40

#: A shorter line below the headline is a label, in characters.
_DECK_CHARS = 40

#: Two or three words with capitals and nothing else.
_NAME = re.compile(r"(?:[^\W\d_a-zà-ÿа-яёіїєґα-ωάέήίόύώ][\w’'ʼ.-]*\s){1,2}[^\W\d_a-zà-ÿа-яёіїєґα-ωάέήίόύώ][\w’'ʼ-]+")

#: Said by the judge of lines: this dump is not read by order and shape alone.
_JUDGED = frozenset({"judge:story", "judge:left-out", "judge:title"})

_HASHTAG = re.compile(r"^[\W_]*#(\w[\w-]*)$")

_NOT_STORY = frozenset(
    {"nav", "aside", "footer", "caption", "share", "ad", "newsletter", "comments", "related", "tags", "cookie", "form", "author", "paywall", "embed", "figure"}
)  # fmt: skip


def head_of_dump(page: Page) -> Page:
    """Read the lines above the first long paragraph of a text dump."""
    if page.decoded.media != "text":
        return page
    if any(block.rule in _JUDGED for block in page.blocks):
        return _judged_head(page)
    blocks = list(page.blocks)
    end = next((n for n, b in enumerate(blocks) if b.keep and is_long(b.text)), len(blocks))
    if end == len(blocks) and sum(b.keep for b in blocks) <= 2:  # noqa: PLR2004
        return page  # a headline or a sentence on its own: that is the text
    dated = [n for n, b in enumerate(blocks[: end + 1]) if b.role == "date"]
    if dated and dated[-1] > end:
        end = dated[-1]
    head = [n for n in range(end) if blocks[n].keep]
    given = next((c.value for c in page.claimed("title") if c.is_given), None)
    title = _title(blocks, head, dated, given)
    claims: list[Claim] = []
    for number in head:
        block = blocks[number]
        if hashtag := _HASHTAG.match(block.text):
            claims.append(Claim(field="tag", value=hashtag[1], origin="block", rule="line:hashtag"))
            blocks[number] = removed(block, "tags", "line:hashtag")
        elif title is None:
            continue
        elif number == title:
            claims.append(Claim(field="title", value=block.text, origin="block", rule="head:title"))
            blocks[number] = removed(block, "title", "head:title")
        elif key(block.text) == key(blocks[title].text):
            blocks[number] = removed(block, "duplicate", "head:title-again")
        elif number < title:
            blocks[number], claim = _above_title(block, first=number == head[0])
            claims += [claim] if claim else []
    blocks = _deck(blocks, title, head, dated)
    return replace(page, blocks=tuple(blocks), claims=(*page.claims, *claims))


def _judged_head(page: Page) -> Page:
    """Read the head of a dump whose lines the judge has sorted: the headline is named, the rest stands around it."""
    blocks = list(page.blocks)
    given = {key(c.value) for c in page.claimed("title") if c.is_given} - {""}
    judged = next((n for n, block in enumerate(blocks) if block.rule == "judge:title"), None)
    title = next((n for n, block in enumerate(blocks) if key(block.text) in given), judged)
    if judged is not None and judged != title:
        blocks[judged] = removed(blocks[judged], "boilerplate", "judge:left-out")
    claims: list[Claim] = []
    if title is not None:
        blocks[title] = removed(blocks[title], "title", "head:title" if title != judged else "judge:title")
        claims.append(Claim(field="title", value=blocks[title].text, origin="block", rule=blocks[title].rule))
    wanted = key(blocks[title].text) if title is not None else None
    for number, block in enumerate(blocks):
        if number == title or not block.undecided:
            continue
        if wanted and key(block.text) == wanted:
            blocks[number] = removed(block, "duplicate", "head:title-again")
        elif hashtag := _HASHTAG.match(block.text):
            claims.append(Claim(field="tag", value=hashtag[1], origin="block", rule="line:hashtag"))
            blocks[number] = removed(block, "tags", "line:hashtag")
    if title is not None and any(block.keep for block in blocks[title:]):
        claims += _judged_above(blocks, title)
        _judged_deck(blocks, title)
    return replace(page, blocks=tuple(blocks), claims=(*page.claims, *claims))


def _judged_above(blocks: list[Block], title: int) -> list[Claim]:
    """Name what stands above the headline, where another line bears it out: a menu's first entries look the same.

    The site is a line that the copyright notice has too; the section stands next to the headline, and in a menu further up.
    """
    claims: list[Claim] = []
    notices = [key(block.text) for block in blocks if block.role == "legal"]
    above = [n for n in range(title) if blocks[n].role == "boilerplate" and len(blocks[n].text) <= _SITE_CHARS]
    names = ((number, key(blocks[number].text)) for number in above)
    site = next((n for n, name in names if len(name) >= _SITE_LETTERS and any(name in said for said in notices)), None)
    if site is not None:
        claims.append(Claim(field="publisher", value=blocks[site].text, origin="block", rule="head:site"))
        blocks[site] = removed(blocks[site], "site", "head:site")
    menu = {key(blocks[number].text) for number in above[:-1]}
    if above and above[-1] == title - 1 != site and key(blocks[above[-1]].text) in menu:
        claims.append(Claim(field="section", value=blocks[above[-1]].text, origin="block", rule="head:above-title"))
        blocks[above[-1]] = removed(blocks[above[-1]], "section", "head:above-title")
    return claims


def _judged_deck(blocks: list[Block], title: int) -> None:
    """Mark the standfirst right below the headline, whatever the judge thought of it: a lead must not be lost.

    Bylines, times and the like may stand between; the first long paragraph of the story ends the head.
    """
    for number in range(title + 1, min(title + 1 + _NEAR, len(blocks))):
        block = blocks[number]
        if not block.undecided:
            continue
        opens_story = block.keep and is_long(block.text)
        if (
            block.role in {"paragraph", "boilerplate"}
            and not opens_story
            and len(block.text) >= _DECK_CHARS
            and SENTENCE_END.search(block.text)
        ):
            blocks[number] = replace(block, role="deck", keep=True, rule="head:deck")
        break


def _title(blocks: list[Block], head: list[int], dated: list[int], given: str | None) -> int | None:
    """Choose the headline among the head lines of a dump; None where none of them is one."""
    candidates = [
        n
        for n in head
        if len(blocks[n].text) in _TITLE_CHARS and not _HASHTAG.match(blocks[n].text) and blocks[n].role != "list_item"
    ]
    if given:
        same = [n for n in candidates if key(blocks[n].text) == key(given)]
        return same[0] if same else None
    keys = [key(block.text) for block in blocks[: head[-1] + 1]] if head else []
    twice = [
        n
        for n in candidates
        if keys.count(keys[n]) > 1 and _words(blocks[n].text) >= 3 and not SENTENCE_END.search(blocks[n].text)  # noqa: PLR2004
    ]
    if twice:
        return twice[0]
    # A headline is no sentence with a full stop; question and exclamation marks it may have.
    open_ended = [n for n in candidates if not re.search(r"[.。।۔]['\"”’»)\]]*$", blocks[n].text)]
    before_date = [n for n in open_ended if not dated or n < dated[-1]]
    wordy = [n for n in before_date or open_ended if _words(blocks[n].text) >= 4] or before_date or open_ended  # noqa: PLR2004
    # The site's own line ("Newsclip — Social News Discovery") comes first, the headline after it.
    headlines = [n for n in wordy if n != 0 or not _looks_like_site(blocks[n].text) or len(wordy) == 1]
    return max(headlines, key=lambda n: (min(len(blocks[n].text), 60), -n), default=None)


def _words(text: str) -> int:
    """Count words; in scripts without spaces two characters count as one."""
    return len(DENSE.findall(text)) // 2 or len(text.split())


def _looks_like_site(text: str) -> bool:
    name, *rest = _SITE_SEPARATOR.split(text, maxsplit=1)
    return bool(rest) and len(name.split()) <= 3 and len(text) <= 80  # noqa: PLR2004


def _above_title(block: Block, *, first: bool) -> tuple[Block, Claim | None]:
    """Judge a line above the headline: the site, a section, or a menu entry.

    The first line of a copied page is the site's name, unless its words say that it is something else.
    """
    name, *slogan = _SITE_SEPARATOR.split(block.text, maxsplit=1)
    hit = load_lexicon().find(block.text)
    if hit is None and (slogan or first) and len(block.text) <= _SITE_CHARS and not SENTENCE_END.search(block.text):
        return removed(block, "site", "head:site"), Claim(
            field="publisher", value=name, origin="block", rule="head:site"
        )
    role: RemovedRole = "section" if hit is None or hit.role in {"section", "navigation"} else hit.role
    rule = hit.rule if hit else "head:above-title"
    claim = Claim(field="section", value=block.text, origin="block", rule=rule) if role == "section" else None
    return removed(block, role, rule), claim


def _deck(blocks: list[Block], title: int | None, head: list[int], dated: list[int]) -> list[Block]:
    """Mark the standfirst: a sentence in the head, below the headline or, without one, above the date."""
    for number in head:
        block = blocks[number]
        if not block.keep or block.role != "paragraph" or not SENTENCE_END.search(block.text):
            continue
        if (title is not None and number > title) or (title is None and dated and number < dated[-1]):
            blocks[number] = replace(block, role="deck", rule="head:deck")
            break
    return blocks


def head_of_html(page: Page) -> Page:
    """Take the headline and what stands with it out of an HTML page's text, and save its standfirst."""
    if page.decoded.media != "html":
        return page
    blocks = list(page.blocks)
    end = next((n for n, b in enumerate(blocks) if b.keep and is_long(b.text)), len(blocks))
    titles = {key(claim.value) for claim in page.claimed("title")} - {""}
    heading = _heading(blocks, titles)
    claims: list[Claim] = []
    if heading is not None and blocks[heading].element != "h1":
        claims.append(Claim(field="title", value=blocks[heading].text, origin="block", rule="head:title"))
        titles.add(key(blocks[heading].text))
    for number, block in enumerate(blocks):
        if number == heading:
            blocks[number] = removed(block, "title", "head:title")
        elif key(block.text) in titles and block.undecided and (number <= end or block.element == "h1"):
            blocks[number] = removed(block, "duplicate" if heading is not None else "title", "head:title-again")
        elif hashtag := _HASHTAG.match(block.text):
            claims.append(Claim(field="tag", value=hashtag[1], origin="block", rule="line:hashtag"))
            blocks[number] = removed(block, "tags", "line:hashtag")
    above = sum(len(block.text) for block in blocks[:heading] if block.keep)
    # A headline has its story below it; one that has most of the text above it heads another story's teaser.
    if heading is not None and above < sum(len(block.text) for block in blocks[heading:] if block.keep):
        claims += _kickers(blocks, heading, page)
        _standfirst(blocks, heading, page)
    return replace(page, blocks=tuple(blocks), claims=(*page.claims, *claims))


def _heading(blocks: list[Block], titles: set[str]) -> int | None:
    """Find the headline's block: an h1 that says what a title claim says, or else a line that begins or ends one.

    Pages without an h1 print "Site: Headline" in their title element and the bare headline above the story.
    """
    for number, block in enumerate(blocks):
        if block.element == "h1" and key(block.text) in titles and block.role not in _NOT_HEADLINE:
            return number
    found: int | None = None
    for number, block in enumerate(blocks):
        letters = key(block.text)
        if block.role in _NOT_HEADLINE or block.link_density > 0.5 or len(letters) < _HEADLINE_LETTERS:  # noqa: PLR2004
            continue
        fits = any(
            (title.startswith(letters) or title.endswith(letters)) and len(letters) >= 0.4 * len(title)
            for title in titles
        )
        if fits and (found is None or len(letters) > len(key(blocks[found].text))):
            found = number
    return found


def _kickers(blocks: list[Block], heading: int, page: Page) -> list[Claim]:
    """Judge the lines above the headline: the site's name, the section, a kicker."""
    claims = []
    sites = {key(claim.value) for claim in page.claimed("publisher")} - {""}
    sections = {key(claim.value) for claim in page.claimed("section")} - {""}
    # One section name near the headline is its section; several are a menu.
    labels = [
        number
        for number in range(max(0, heading - _NEAR), heading)
        if "nav" not in blocks[number].places
        and (hit := load_lexicon().find(blocks[number].text))
        and hit.role == "section"
    ]
    if len(labels) > 1:
        labels = []
    for number in range(heading):
        block = blocks[number]
        near = number >= heading - _NEAR
        if (
            is_long(block.text)
            or SENTENCE_END.search(block.text)
            or not (block.keep or block.role in {"boilerplate", "navigation"})
        ):
            continue
        name, *slogan = _SITE_SEPARATOR.split(block.text, maxsplit=1)
        if key(block.text) in sites or (slogan and key(name) in sites):
            blocks[number] = removed(block, "site", "head:site")
            continue
        hit = load_lexicon().find(block.text)
        named = near and (
            key(block.text) in sections or (hit is not None and hit.role == "section" and number in labels)
        )
        if named:
            claims.append(Claim(field="section", value=block.text, origin="block", rule="head:above-title"))
        if block.keep or named:
            blocks[number] = removed(block, "section", "head:above-title")
    # The nearest to the headline first.
    return claims[::-1]


def _standfirst(blocks: list[Block], heading: int, page: Page) -> None:
    """Mark the standfirst, and keep it where the extractor left it out: the sentence between headline and text."""
    described = {key(claim.value) for claim in page.claimed("description")} - {""}
    pictured = {key(text) for image in page.images for text in (image.alt, image.caption) if text}
    first_kept = next((n for n in range(heading + 1, len(blocks)) if blocks[n].keep), None)
    if first_kept is None or first_kept - heading > _HEAD_BLOCKS:
        return
    for number in range(heading + 1, first_kept + 1):
        block = blocks[number]
        if block.role not in {"boilerplate", "paragraph", "heading"} or key(block.text) in pictured:
            continue
        if block.rule == "site:left-out":
            continue  # a rule for this site knows where its story begins
        said = key(block.text) in described
        marked = "deck" in block.places or (block.element == "h2" and number <= heading + 2)
        if number == first_kept:
            if said or marked or _above_byline(blocks, number):
                blocks[number] = replace(block, role="deck", rule="head:deck")
            return
        if block.places & _NOT_STORY or block.link_density > 0.3:  # noqa: PLR2004  (a teaser)
            continue
        # A standfirst ends like a sentence, or the extractor had it and only the column check did not.
        ends = bool(SENTENCE_END.search(block.text)) or block.rule == "column:left-out" or marked
        if said or is_long(block.text) or (ends and at_least(block.text, _DECK_CHARS)):
            blocks[number] = replace(block, role="deck", keep=True, rule="head:deck")
            return


def _above_byline(blocks: list[Block], number: int) -> bool:
    """Does a byline, time or picture stand between this block and the rest of the text, as below a standfirst?"""
    for block in blocks[number + 1 : number + 1 + _HEAD_BLOCKS]:
        if block.keep:
            return False
        if block.role in {"author", "date"}:
            return True
    return False


def nameless_bylines(page: Page) -> Page:
    """Take out a line that is nothing but a name where a byline stands: beside the time, or alone at the end."""
    named = {key(claim.value) for claim in page.claimed("author")}
    blocks = list(page.blocks)
    kept = [number for number, block in enumerate(blocks) if block.keep]
    story = [number for number in kept if is_long(blocks[number].text)]
    if not story:
        return page
    claims = []
    for number, block in enumerate(blocks):
        if not block.undecided or not _NAME.fullmatch(block.text):
            continue
        beside = number < story[0] and any(b.role == "date" for b in blocks[max(0, number - 1) : number + 2])
        closing = block.keep and number == kept[-1] and number > story[-1]
        if beside or closing or (key(block.text) in named and not story[0] < number < story[-1]):
            claims.append(Claim(field="author", value=block.text, origin="block", rule="head:name"))
            blocks[number] = removed(block, "author", "head:name")
    return replace(page, blocks=tuple(blocks), claims=(*page.claims, *claims)) if claims else page
