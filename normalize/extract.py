"""Decoded text -> blocks in page order and the page's claims about itself."""

import re
from dataclasses import replace

from lxml.html import HtmlElement

from normalize import metadata
from normalize.column import check_column
from normalize.dump.blocks import blocks_of
from normalize.images import read_images
from normalize.judge.evidence import About
from normalize.judge.judge import judge, story
from normalize.main_text import find_paragraphs, story_paragraphs
from normalize.options import DocumentOptions
from normalize.segments import Segment, drop_unseen, parse
from normalize.site_rules import Ruled, apply_rules
from schemas.document import Block, Claim, Decoded, Discovered, KeptRole, Page
from schemas.errors import DocumentError

_SENTENCE_END = re.compile(r"[.!?…。！？؟।۔։။።:;,]['\"”’»)\]]*$")

#: A paragraph inside a list item that is longer tells a story of its own (the entries of a live blog), in characters.
_ITEM_CHARS = 80

_BOLD_HEADING_CHARS = 120

#: A story of fewer characters is a doubtful one: a note, a page without a story, or one the judge does not understand.
_DOUBTFUL_CHARS = 250

_KEPT_ROLE: dict[str, KeptRole] = {
    "h1": "heading", "h2": "heading", "h3": "heading", "h4": "heading", "h5": "heading", "h6": "heading",
    "li": "list_item", "dd": "list_item", "dt": "list_item", "blockquote": "quote", "pre": "code", "tr": "table",
}  # fmt: skip


def extract(decoded: Decoded, options: DocumentOptions) -> Page:
    """Cut the document into blocks, keep those that are its story, and collect its claims.

    Raises:
        DocumentError: Made to choke parsers, or without any text.
    """
    page = (
        _from_html(decoded, options)
        if decoded.media == "html"
        else Page(decoded=decoded, blocks=blocks_of(decoded.text))
    )
    if not page.blocks:
        raise DocumentError(
            "extract",
            "no_text",
            f"{len(decoded.raw.content):,} bytes of {decoded.media} show no text; a page drawn by script needs a browser",
        )
    return _with_given(page)


def _with_given(page: Page) -> Page:
    """Put what a feed, row or header said of the document beside the page's own claims."""
    raw = page.decoded.raw
    found = raw.discovered or Discovered()
    origin = "feed" if found.feed else "given"
    given = []
    if found.title:
        given.append(Claim(field="title", value=found.title, origin=origin, rule="title"))
    if found.published:
        given.append(Claim(field="published", value=found.published, origin=origin, rule="published"))
    if raw.publisher:
        given.append(Claim(field="publisher", value=raw.publisher, origin="catalogue", rule="name"))
    # Feeds name whoever filed a story, and their own sections: what the page says is better.
    late = [Claim(field="author", value=name, origin=origin, rule="author") for name in found.authors]
    late += [Claim(field="tag", value=name, origin=origin, rule="tag") for name in found.tags]
    if language := raw.header("content-language"):
        late.append(Claim(field="lang", value=language, origin="http", rule="content-language"))
    if raw.language_prior:
        late.append(Claim(field="lang", value=raw.language_prior, origin="catalogue", rule="language"))
    ruled = [claim for claim in page.claims if claim.origin == "site"]
    own = [claim for claim in page.claims if claim.origin != "site"]
    return replace(page, claims=(*ruled, *given, *own, *late))


def _from_html(decoded: Decoded, options: DocumentOptions) -> Page:
    tree = parse(decoded.text, options)
    ruled = _ruled(tree, decoded, options)
    segments = ruled.segments
    claims, types = metadata.read_claims(tree)
    about = about_of(claims, types)
    claims = (*ruled.claims, *(claim for claim in claims if claim.field != "story"))
    images = read_images(tree)
    if ruled.kept is not None:
        blocks = [_block(piece, keep=keep, said_by="site") for piece, keep in zip(segments, ruled.kept, strict=True)]
        return Page(decoded=decoded, blocks=(*blocks, *ruled.dropped), claims=claims, images=images, types=types)
    kept = story(segments, judge(segments, about).tolist(), about) if segments else []
    if sum(len(piece.text) for piece, keep in zip(segments, kept, strict=True) if keep) >= _DOUBTFUL_CHARS:
        blocks = [_block(piece, keep=keep, said_by="judge") for piece, keep in zip(segments, kept, strict=True)]
    else:
        blocks = _second_opinion(tree, segments)
    return Page(decoded=decoded, blocks=(*blocks, *ruled.dropped), claims=claims, images=images, types=types)


def _ruled(tree: HtmlElement, decoded: Decoded, options: DocumentOptions) -> Ruled:
    """Apply the rules for the page's site, those that held when it was fetched."""
    raw = decoded.raw
    return apply_rules(tree, raw.site_rules, raw.fetched_at.date() if raw.fetched_at else None, options)


def _second_opinion(tree: HtmlElement, segments: tuple[Segment, ...]) -> list[Block]:
    """Take trafilatura's word, checked against the page's best column, where the judge finds next to nothing."""
    drop_unseen(tree)
    kept, missing = find_paragraphs(segments, story_paragraphs(tree, segments) if segments else [])
    checked = check_column(segments, kept)
    blocks: list[Block] = [_unplaced(text) for after, text in missing if after < 0]
    for number, (piece, keep, check) in enumerate(zip(segments, kept, checked, strict=True)):
        by_column = check is not None
        blocks.append(
            _block(
                piece,
                keep=check == "column:story" if by_column else keep,
                said_by="column" if by_column else "trafilatura",
            )
        )
        blocks += [_unplaced(text) for after, text in missing if after == number]
    return blocks


def about_of(claims: tuple[Claim, ...], types: tuple[str, ...]) -> About:
    """Give what of a page's claims helps to judge its segments."""
    return About(
        titles=tuple(claim.value for claim in claims if claim.field == "title"),
        descriptions=tuple(claim.value for claim in claims if claim.field == "description"),
        types=types,
        story=next((claim.value for claim in claims if claim.field == "story"), ""),
    )


def _block(piece: Segment, *, keep: bool, said_by: str) -> Block:
    role: KeptRole = _KEPT_ROLE.get(piece.element, "paragraph")
    if role == "paragraph" and _is_bold_heading(piece):
        role = "heading"
    if "quote" in piece.places:
        role = "quote"
    elif role == "paragraph" and "list" in piece.places and len(piece.text) < _ITEM_CHARS:
        role = "list_item"
    return Block(
        text=piece.text,
        role=role if keep else "boilerplate",
        keep=keep,
        rule=f"{said_by}:story" if keep else f"{said_by}:left-out",
        element=piece.element,
        places=frozenset(piece.places),
        link_density=piece.link_density,
        links=piece.links,
    )


def _is_bold_heading(piece: Segment) -> bool:
    """A short line all in bold that is no sentence: how pages without heading elements set their headings."""
    return (
        len(piece.text) <= _BOLD_HEADING_CHARS
        and piece.bold_chars >= 0.9 * len(piece.text)
        and not _SENTENCE_END.search(piece.text)
    )


def _unplaced(text: str) -> Block:
    """A paragraph that trafilatura built from pieces of the page that are not blocks of their own."""
    return Block(text=text, role="paragraph", keep=True, rule="trafilatura:story", element="p")
