"""What the order of blocks says: repeated texts, and headings that open comments or pointers to other stories."""

import re
from collections.abc import Sequence
from dataclasses import replace

from normalize.boilerplate.head import SENTENCE_END
from normalize.boilerplate.lexicon import load_lexicon
from normalize.boilerplate.lines import removed
from normalize.column import is_long
from normalize.main_text import key
from schemas.document import Block, Claim, Page, RemovedRole

#: Shorter texts may well stand twice in a story ("What happens next?"), in letters.
_REPEAT_LETTERS = 30

#: A sentence has so many letters, and so often a page says the same one for a reason of its own.
_SENTENCE_LETTERS = 60
_OFTEN = 3
_ASKS = "?？؟;"

#: More texts than this that stand twice are the way the story is built.
_MOST_REPEATS = 3

_MOSTLY_LINKS = 0.5

#: The foot of a page ends whatever was open.
_CLOSING = frozenset({"legal", "cookie", "newsletter", "paywall"})

#: "Previously, "FACTS" wrote that ...": a site points to its own earlier story. An opener of one language, the
#: quoted name of the site, and a verb of saying within a few words.
_OPENERS = (
    "previously|earlier|as previously reported|раніше|нагадаємо|як повідомляв|як раніше|ранее|напомним|как сообщал|wcześniej|przypomnijmy|"
    "zuvor|bereits zuvor|wie|anteriormente|previamente|précédemment|in precedenza|προηγουμένως|daha önce|по-рано|раније"
)
_SAID = (
    "wrote|reported|said|told|писал[аио]?|сообщал[аи]?|рассказывал[аи]?|писав|повідомля[влаи]+|розповіда[влаи]+|інформував|"
    "pisał[aoy]?|informował[aoy]?|berichtete|schrieb|informó|publicó|a écrit|rapportait|ha scritto|έγραψε|yazmıştı|писа|пише|писао"
)
_OWN_STORY = re.compile(
    rf"^(?:{_OPENERS})\b[^“”\"«»„]{{0,30}}[“\"«„]([^“”\"«»„]{{2,40}})[”\"»“]\s+(?:\w+\s+){{0,2}}(?:{_SAID})\b",
    re.IGNORECASE,
)


def repeats(page: Page) -> Page:
    """Keep the first of two equal texts: pages print their standfirst twice, and some their whole first paragraph.

    Only what stands exactly twice, and only a standfirst or a long text; a page where many texts recur (the same
    questions to twenty people, the same line under each recipe) means it. A sentence that stands three times and more, word
    for word, is no story: it asks for consent before each embedded post, or advertises.
    """
    places: dict[str, list[int]] = {}
    for number, block in enumerate(page.blocks):
        if block.keep and len(letters := key(block.text)) >= _REPEAT_LETTERS:
            places.setdefault(letters, []).append(number)
    twice = [numbers for numbers in places.values() if len(numbers) > 1]
    if len(twice) > _MOST_REPEATS:
        return page
    blocks = list(page.blocks)
    total = sum(len(block.text) for block in blocks if block.keep)
    for numbers in twice:
        text = blocks[numbers[0]].text
        says_something = len(key(text)) >= _SENTENCE_LETTERS and text[-1] not in _ASKS
        if len(numbers) >= _OFTEN and says_something and len(text) * len(numbers) < total / 2:
            for number in numbers:
                blocks[number] = removed(blocks[number], "duplicate", "sections:recurring")
    for first, *again in twice:
        if len(again) == 1 and (blocks[first].role == "deck" or is_long(blocks[first].text)):
            blocks[again[0]] = removed(blocks[again[0]], "duplicate", "sections:repeat")
    return replace(page, blocks=tuple(blocks))


def own_stories(page: Page) -> Page:
    """Take out the closing line in which a site points to an earlier story of its own."""
    claims = []
    blocks = list(page.blocks)
    kept = [number for number, block in enumerate(blocks) if block.keep]
    # Only near the end: in the middle the same words may belong to the story.
    for number in kept[-4:]:
        if len(kept) > 3 and (match := _OWN_STORY.match(blocks[number].text)):  # noqa: PLR2004
            claims.append(
                Claim(field="publisher_hint", value=match[1].strip(), origin="block", rule="sections:own-story")
            )
            blocks[number] = removed(blocks[number], "related", "sections:own-story")
    return replace(page, blocks=tuple(blocks), claims=(*page.claims, *claims))


def openings(page: Page) -> Page:
    """Follow a heading of comments or of related stories to the blocks that it opens.

    Comments go to the end of the page once most of the story is past, unless the headline comes after them. Pointers to related stories go on as long as
    the blocks look like headlines: short, without a full stop, or links.
    """
    blocks = list(page.blocks)
    total = sum(len(block.text) for block in blocks if block.keep)
    past = 0
    opened: tuple[RemovedRole, str] | None = None
    for number, block in enumerate(blocks):
        past += len(block.text) if block.keep else 0
        if not block.undecided:
            opened = _opens(block, opened, past=past, total=total)
        elif opened is None:
            continue
        elif opened[0] == "related" and block.role == "heading" and _heads_prose(blocks, number):
            opened = None
        elif (
            opened[0] == "comments"
            or block.link_density > _MOSTLY_LINKS
            or not (SENTENCE_END.search(block.text) or is_long(block.text))
        ):
            blocks[number] = removed(block, *opened)
        elif block.keep:
            opened = None
    return replace(page, blocks=tuple(blocks))


def _heads_prose(blocks: Sequence[Block], number: int) -> bool:
    """Does a paragraph of the story follow this heading?"""
    after = next((block for block in blocks[number + 1 :] if block.keep), None)
    return after is not None and is_long(after.text) and after.link_density < _MOSTLY_LINKS


def _opens(
    block: Block, opened: tuple[RemovedRole, str] | None, *, past: int, total: int
) -> tuple[RemovedRole, str] | None:
    """Say what a removed block opens, or what stays open after it."""
    hit = load_lexicon().find(block.text) if block.rule.startswith("lexicon:") else None
    if hit and hit.role == "comments" and hit.how == "line" and past >= total * 0.5:
        return "comments", "sections:after-comments-heading"
    # What opened above the headline belonged to a column beside the story.
    if block.role in _CLOSING or block.role == "title":
        return None
    if hit and hit.role == "related" and hit.how == "line" and past >= total * 0.3:
        return "related", "sections:after-related-heading"
    return opened
