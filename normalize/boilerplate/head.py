"""What stands above the story: site name, section, headline, byline, date, standfirst.

HTML marks the headline, so there the rules look for its repetitions and for a standfirst that the extractor
left out. A text dump marks nothing: its head is read from order and shape.
"""

import re
from dataclasses import replace

from normalize.boilerplate.lexicon import load_lexicon
from normalize.boilerplate.lines import removed
from normalize.column import is_long
from normalize.main_text import key
from schemas.document import Block, Claim, Page, RemovedRole

#: A sentence ends here, closing quotes and brackets included.
SENTENCE_END = re.compile(r"[.!?…。！？؟।۔։።]['\"”’»）)\]」』]*$")

#: Headlines outside these lengths are section names or paragraphs, in characters.
_TITLE_CHARS = range(8, 220)

#: Between the name of a site and its slogan, or a headline and the name of its site.
_SITE_SEPARATOR = re.compile(r"\s+[|–—·»•-]\s+|\s*[|｜]\s*|[_＿]")
_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_HASHTAG = re.compile(r"^[\W_]*#(\w[\w-]*)$")

_NOT_STORY = frozenset(
    {"nav", "aside", "footer", "caption", "share", "ad", "newsletter", "comments", "related", "tags", "cookie", "form", "author", "paywall", "embed", "figure"}
)  # fmt: skip


def head_of_dump(page: Page) -> Page:
    """Read the lines above the first long paragraph of a text dump."""
    if page.decoded.media != "text":
        return page
    blocks = list(page.blocks)
    end = next((n for n, b in enumerate(blocks) if b.keep and is_long(b.text)), len(blocks))
    if end == len(blocks) and sum(b.keep for b in blocks) <= 2:  # noqa: PLR2004
        return page  # a headline or a sentence on its own: that is the text
    dated = [n for n, b in enumerate(blocks[: end + 1]) if b.role == "date"]
    if dated and dated[-1] > end:
        end = dated[-1]
    head = [n for n in range(end) if blocks[n].keep]
    given = next((c.value for c in page.claimed("title") if c.origin == "given"), None)
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
            blocks[number], claim = _above_title(block)
            claims += [claim] if claim else []
    blocks = _deck(blocks, title, head, dated)
    return replace(page, blocks=tuple(blocks), claims=(*page.claims, *claims))


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
    twice = [n for n in candidates if keys.count(keys[n]) > 1 and not SENTENCE_END.search(blocks[n].text)]
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
    return len(_DENSE.findall(text)) // 2 or len(text.split())


def _looks_like_site(text: str) -> bool:
    name, *rest = _SITE_SEPARATOR.split(text, maxsplit=1)
    return bool(rest) and len(name.split()) <= 3 and len(text) <= 80  # noqa: PLR2004


def _above_title(block: Block) -> tuple[Block, Claim | None]:
    """Judge a line above the headline: the site, a section, or a menu entry."""
    name, *slogan = _SITE_SEPARATOR.split(block.text, maxsplit=1)
    if slogan:
        return removed(block, "site", "head:site"), Claim(field="publisher", value=name, origin="block", rule="head:site")
    hit = load_lexicon().find(block.text)
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
    titles = {key(claim.value) for claim in page.claimed("title")} - {""}
    first_long = next((n for n, b in enumerate(blocks) if b.keep and is_long(b.text)), len(blocks))
    heading = next((n for n, b in enumerate(blocks) if b.element == "h1" and key(b.text) in titles), None)
    for number, block in enumerate(blocks):
        same = key(block.text) in titles and (number <= first_long or block.element in {"h1", "h2"})
        if same and (block.keep or number == heading):
            first = heading in (None, number)
            blocks[number] = removed(block, "title" if first else "duplicate", "head:title" if first else "head:title-again")
            heading = number if heading is None else heading
    if heading is not None:
        blocks = _kicker(blocks, heading)
        blocks = _save_deck(blocks, heading, page)
    return replace(page, blocks=tuple(blocks))


def _kicker(blocks: list[Block], heading: int) -> list[Block]:
    """Short lines that were kept above the headline are kickers and section names."""
    for number in range(heading):
        block = blocks[number]
        if block.keep and not is_long(block.text) and not SENTENCE_END.search(block.text):
            blocks[number] = removed(block, "section", "head:above-title")
    return blocks


def _save_deck(blocks: list[Block], heading: int, page: Page) -> list[Block]:
    """Keep the standfirst where the extractor left it out: the sentence between the headline and the text."""
    described = {key(claim.value) for claim in page.claimed("description")} - {""}
    first_kept = next((n for n in range(heading + 1, len(blocks)) if blocks[n].keep), None)
    if first_kept is None or first_kept - heading > 40:  # noqa: PLR2004  (too far away to be one head)
        return blocks
    if key(blocks[first_kept].text) in described and blocks[first_kept].role == "paragraph":
        blocks[first_kept] = replace(blocks[first_kept], role="deck", rule="head:deck")
        return blocks
    pictured = {key(text) for image in page.images for text in (image.alt, image.caption) if text}
    for number in range(heading + 1, first_kept):
        block = blocks[number]
        if key(block.text) in pictured:
            continue
        if block.keep or block.role != "boilerplate" or block.places & _NOT_STORY or block.link_density > 0.3:  # noqa: PLR2004
            continue
        sentence = len(block.text) >= 40 and bool(SENTENCE_END.search(block.text))  # noqa: PLR2004
        if key(block.text) in described or is_long(block.text) or sentence:
            blocks[number] = replace(block, role="deck", keep=True, rule="head:deck")
            break
    return blocks
