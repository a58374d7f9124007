"""Small documents written inside a test, taken down the real road as far as the test needs."""

from dataclasses import replace
from typing import Any

from hostile import STORY, TITLE

from normalize.decode import decode
from normalize.extract import extract
from normalize.options import DocumentOptions
from normalize.path import read_page, run_document
from schemas.document import Article, Block, Claim, Decoded, Page, RawDocument

OPTIONS = DocumentOptions()

#: A story of three paragraphs, as markup and as lines.
PARAGRAPHS = "".join(f"<p>{text}</p>" for text in STORY)
LINES = "\n\n".join(STORY)


def raw(content: str | bytes, **known: Any) -> RawDocument:
    """A document with these bytes; what else its source knows comes as fields of RawDocument."""
    body = content.encode() if isinstance(content, str) else content
    return replace(RawDocument(source_kind="html", source_uri="in/page", content=body), **known)


def web(body: str = PARAGRAPHS, *, head: str = "", title: str | None = TITLE, above: str = "", below: str = "") -> str:
    """A news page: a head, what stands above the article, the article under its headline, what stands below."""
    heading = f"<title>{title}</title>" if title else ""
    headline = f"<h1>{title}</h1>" if title else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">{heading}{head}</head>'
        f"<body>{above}<article>{headline}{body}</article>{below}</body></html>"
    )


def extracted(content: str | bytes, **known: Any) -> Page:
    """The page as blocks, before any rule has judged them."""
    return extract(decode(raw(content, **known), OPTIONS), OPTIONS)


def cleaned(content: str | bytes, **known: Any) -> Page:
    """The page as judged blocks."""
    return read_page(raw(content, **known), OPTIONS)


def article(content: str | bytes, **known: Any) -> Article:
    """The finished article."""
    outcome = run_document(raw(content, **known), OPTIONS)
    assert isinstance(outcome, Article), outcome
    return outcome


def dump(*lines: str | Block, claims: tuple[Claim, ...] = (), **known: Any) -> Page:
    """A text dump of these lines, as the rules get it: all kept until one of them says otherwise."""
    return _page("text", lines, claims, known)


def page(*blocks: str | Block, claims: tuple[Claim, ...] = (), **known: Any) -> Page:
    """An HTML page of these blocks, as the rules get it."""
    return _page("html", blocks, claims, known)


def _page(media: Any, blocks: tuple[str | Block, ...], claims: tuple[Claim, ...], known: dict[str, Any]) -> Page:
    decoded = Decoded(raw=raw("", **known), text="", media=media, charset="utf-8", charset_source="default")
    whole = tuple(line(block) if isinstance(block, str) else block for block in blocks)
    return Page(decoded=decoded, blocks=whole, claims=claims)


def line(text: str, **known: Any) -> Block:
    """A kept block; what else is known of it comes as fields of Block."""
    block = Block(text=text, role="paragraph", keep=True, rule="test", element="p")
    return replace(block, **known)


def left_out(text: str, **known: Any) -> Block:
    """A block that the extractor took for no part of the story."""
    return replace(line(text, **known), role="boilerplate", keep=False)


def claim(field: str, value: str, origin: str = "meta", rule: str = "test") -> Claim:
    """One statement of a page about itself."""
    return Claim(field=field, value=value, origin=origin, rule=rule)


def kept(page: Page) -> list[str]:
    """The texts of the story, in page order."""
    return [block.text for block in page.blocks if block.keep]


def cut(page: Page) -> dict[str, str]:
    """The texts that were taken out, each with its role."""
    return {block.text: block.role for block in page.blocks if not block.keep}


def claimed(page: Page, field: str) -> list[str]:
    """What the page claims of one field, most trusted first."""
    return [claim.value for claim in page.claimed(field)]
