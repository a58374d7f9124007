"""Text that went through a wrong charset on its way, put right; every change is noted.

It works on what the page shows and says (blocks, claims, captions), not on its markup: that is a tenth
of the bytes, and entities are undone by then. Two kinds of damage, in this order:

1. Bytes of an old code page read as Latin-1 or cp1252 ("Ïðèâåò" for "Привет"). ftfy cannot see these and
   makes some of them worse, so they are looked for first.
2. What ftfy repairs: UTF-8 read as something else ("Ã©"), also in the middle of sound text.

ftfy's options that change sound text stay off: curly quotes, full-width punctuation, ligatures and
entities are the author's.
"""

import re
import unicodedata
from collections import Counter
from dataclasses import replace

import ftfy
import ftfy.badness

from normalize.codepages import find_codepage, reread
from schemas.document import Page

_CONFIG = ftfy.TextFixerConfig(
    unescape_html=False,  # a text that shows "&amp;" means it
    uncurl_quotes=False,
    fix_character_width=False,
    fix_latin_ligatures=False,
    fix_line_breaks=False,
    normalization=None,  # done here, and counted
)

_DOUBTFUL = re.compile("[^\x00-\x7f]{2}|[\x80-\x9fŒœÂÃ]")

#: Soft hyphens mark where a line *may* break (UAX #14, 5.4); in running text they split words for
#: search and detection. The byte order mark in mid-text is a relic of glued files. U+200C and U+200D
#: must stay: Persian and Hindi spell with them. The rest are C0 and C1 controls and DEL.
_INVISIBLE = re.compile("[\N{SOFT HYPHEN}\N{ZERO WIDTH NO-BREAK SPACE}\x00-\x08\x0b-\x1f\x7f\x80-\x9f]")


def repair(page: Page) -> Page:
    """Give every string of the page as its author typed it; ``fixes`` says what was done how often."""
    strings = [block.text for block in page.blocks]
    strings += [claim.value for claim in page.claims]
    strings += [text for image in page.images for text in (image.alt, image.caption, image.credit) if text]
    repaired, notes = repair_strings(strings)
    if not notes:
        return page

    def mended(text: str | None) -> str | None:
        return (repaired.get(text, text).strip() or None) if text else text

    return replace(
        page,
        # What was nothing but invisible characters is gone: absent, not "".
        blocks=tuple(replace(b, text=text) for b in page.blocks if (text := repaired.get(b.text, b.text).strip())),
        claims=tuple(replace(c, value=text) for c in page.claims if (text := repaired.get(c.value, c.value).strip())),
        images=tuple(
            replace(i, alt=mended(i.alt), caption=mended(i.caption), credit=mended(i.credit)) for i in page.images
        ),
        fixes=page.fixes + notes,
    )


def repair_strings(strings: list[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Repair the strings of one document together, since the short ones carry no evidence of their own.

    Returns:
        Each changed string with its repair, and the notes "name x count".
    """
    doubtful = {text: None for text in strings if not text.isascii()}
    codepage = find_codepage(doubtful)
    counts: Counter[str] = Counter()
    changed = {}
    for text in doubtful:
        better = _repair_one(text, codepage, counts)
        if better != text:
            changed[text] = better
    return changed, tuple(f"{name} x {count}" for name, count in counts.items())


def _repair_one(text: str, codepage: str | None, counts: Counter[str]) -> str:
    again = reread(text, codepage) if codepage else None
    if again is not None:
        counts[f"codepage:{codepage}"] += 1
        text = again
    elif may_be_misread(text) and ftfy.badness.is_bad(text):
        text, steps = ftfy.fix_and_explain(text, _CONFIG)
        for step in steps or ():
            counts[f"ftfy:{step.parameter}"] += 1
    # Only now: before, these characters may be bytes of a letter.
    text, invisible = _INVISIBLE.subn("", text)
    if invisible:
        counts["drop_invisible"] += invisible
    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
        counts["nfc"] += 1
    return text


def may_be_misread(text: str) -> bool:
    """Say whether ftfy could take the text for misread; its own question takes ten times as long.

    What it looks for holds two characters beyond ASCII side by side, or one of a few; text in Latin letters hardly does.
    """
    return _DOUBTFUL.search(text) is not None
