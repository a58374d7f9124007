"""Take a site's boilerplate out of a page; what goes stays with its role and the rule that took it."""

from collections.abc import Callable
from dataclasses import replace

from normalize.boilerplate import head, lines, listing, sections, shape
from schemas.document import Page
from schemas.errors import DocumentError

Rule = Callable[[Page], Page]
"""Takes a page; gives it back with more blocks judged and more claims. Never changes a text but to split it."""

RULES: tuple[Rule, ...] = (
    lines.by_date,  # lines that are nothing but a time
    lines.by_breadcrumb,  # "Home > News > Culture"
    lines.by_source,  # "Source: https://...", a bare domain
    lines.by_phrase,  # the lexicon: ads, share buttons, newsletters, ...
    lines.by_notice,  # "© 2026 The Daily Example"
    lines.by_place,  # what the markup says a block is
    lines.by_byline,  # "By Jane Doe", "Published: ...", above and below the story
    lines.by_credit,  # captions that end in a photo credit
    head.head_of_dump,  # site, section, headline, standfirst of a text dump
    head.head_of_html,  # headline, section and standfirst of an HTML page
    listing.entries,  # the headlines and summaries of a page that lists stories
    head.nameless_bylines,  # a name alone beside the time
    sections.openings,  # what stands below "Comments" or "Read also"
    sections.own_stories,  # pointers to the site's own earlier story
    sections.repeats,  # a text that stands twice
    lines.by_agency,  # "(Reuters)" at the end
    shape.headings_and_quotes,  # roles for the lines of a text dump
)


def clean(page: Page) -> Page:
    """Apply every rule in order.

    Raises:
        DocumentError: Nothing but boilerplate was there.
    """
    # What a rule for the site took out is decided, and the record names its selector.
    dropped = tuple(block for block in page.blocks if block.rule.startswith("site:drop:"))
    page = replace(page, blocks=tuple(block for block in page.blocks if not block.rule.startswith("site:drop:")))
    for rule in RULES:
        page = rule(page)
    page = replace(page, blocks=page.blocks + dropped)
    if not any(block.keep for block in page.blocks):
        roles = sorted({block.role for block in page.blocks})
        raise DocumentError(
            "clean", "only_boilerplate", f"none of {len(page.blocks)} blocks is a story; they are: {', '.join(roles)}"
        )
    return page
