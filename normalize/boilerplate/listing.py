"""Pages that list stories: keep the headline and summary of each entry, and nothing else."""

from dataclasses import replace

from normalize.boilerplate.lines import removed
from normalize.kind import is_declared_listing
from schemas.document import Block, Page

#: A listing has at least this many linked headings outside menus and margins.
_ENTRIES = 8
_HEADINGS = frozenset({"h1", "h2", "h3", "h4"})
_MARGINS = frozenset({"nav", "aside", "footer", "header", "cookie", "comments", "newsletter", "ad"})

#: A summary is at least this long; shorter texts are labels, in characters.
_SUMMARY_CHARS = 30


def entries(page: Page) -> Page:
    """Keep the entries of a page that declares itself a listing.

    An extractor looks for one story and takes some summaries without their headlines.
    """
    if page.decoded.media != "html" or not is_declared_listing(page):
        return page
    heads = [number for number, block in enumerate(page.blocks) if _is_entry(block)]
    if len(heads) < _ENTRIES:
        return page
    blocks = list(page.blocks)
    summary_due = False
    for number, block in enumerate(page.blocks):
        if _is_entry(block):
            blocks[number] = replace(block, role="teaser", keep=True, rule="listing:headline")
            summary_due = True
        elif summary_due and _is_summary(block):
            blocks[number] = replace(block, role="teaser", keep=True, rule="listing:summary")
            summary_due = False
        elif block.keep:
            blocks[number] = removed(block, "boilerplate", "listing:no-entry")
    return replace(page, blocks=tuple(blocks))


def _is_entry(block: Block) -> bool:
    return _may_enter(block) and block.element in _HEADINGS and block.link_density > 0.8  # noqa: PLR2004


def _is_summary(block: Block) -> bool:
    return _may_enter(block) and len(block.text) >= _SUMMARY_CHARS and block.link_density < 0.5  # noqa: PLR2004


def _may_enter(block: Block) -> bool:
    """May this be part of the list? What a rule for the site left out may not."""
    return block.undecided and block.rule != "site:left-out" and not block.places & _MARGINS
