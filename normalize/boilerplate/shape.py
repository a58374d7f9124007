"""What the shape of a kept line says: heading, pull quote, list item."""

import re
from dataclasses import replace
from itertools import zip_longest

from normalize.boilerplate.head import SENTENCE_END
from schemas.document import Page

#: A heading is shorter than this, in characters, and shorter than the paragraph it stands over.
_HEADING_CHARS = 150
_OPEN_END = re.compile(r"[:;,،、]['\"”’»)\]]*$")
_QUOTED = re.compile(r"^(?:“[^“”]+”|\"[^\"]+\"|«[^«»]+»|„[^„“”]+[“”]|「[^「」]+」)$")


def headings_and_quotes(page: Page) -> Page:
    """Give the lines of a text dump the roles that markup would have given them."""
    if page.decoded.media != "text":
        return page
    blocks = list(page.blocks)
    kept = [number for number, block in enumerate(blocks) if block.keep]
    for here, after in zip_longest(kept, kept[1:]):
        block = blocks[here]
        if block.role != "paragraph":
            continue
        if block.spaced and _QUOTED.match(block.text) and after is not None and blocks[after].spaced and len(kept) > 2:  # noqa: PLR2004
            blocks[here] = replace(block, role="quote", rule="shape:quote")
        elif (
            after is not None
            and len(block.text) <= _HEADING_CHARS
            and not SENTENCE_END.search(block.text)
            and not _OPEN_END.search(block.text)
            and len(blocks[after].text) > len(block.text)
            and blocks[after].role in {"paragraph", "quote", "list_item"}
        ):
            blocks[here] = replace(block, role="heading", rule="shape:heading")
    return replace(page, blocks=tuple(blocks))
