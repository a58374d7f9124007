"""Work on one document that stands in for ``normalize.path``; a word in the text is an order.

A module of its own that imports little, as each worker imports it by name.
"""

import os
import time
from dataclasses import replace
from hashlib import sha256

from normalize.options import DocumentOptions
from schemas.document import Article, Language, Paragraph, RawDocument, Rejected, Removed


def work(raw: RawDocument, options: DocumentOptions) -> Article | Rejected:
    """Make an article of a plain text, unless its first word is an order."""
    text = raw.content.decode("utf-8", "replace").strip()
    order = text.partition(" ")[0]
    digest = sha256(raw.content).hexdigest()
    if order == "LOOP":
        while True:
            pass
    if order == "SLOW":
        time.sleep(0.05)
    if order == "DIE":
        os._exit(9)
    if order == "EAT":
        text += str(len(bytearray(8 * 2**30)))
    if order == "BUG":
        message = f"cannot\nread {options.max_depth}"
        raise ValueError(message)
    if order == "REFUSE":
        return Rejected.of(raw, stage="extract", reason="no_text", detail="said so", raw_sha256=digest)
    return article(raw, text)


def article(raw: RawDocument, text: str) -> Article:
    """Make the simplest article that keeps the schema."""
    where = f"{raw.source_uri} {raw.source_member} {raw.source_offset}".encode()
    name = sha256(where + raw.content).hexdigest()[:20]
    return Article(
        raw=raw,
        raw_sha256=sha256(raw.content).hexdigest(),
        record_id=name,
        story_id=name,
        paragraphs=(Paragraph(role="paragraph", text=text or "-"),),
        removed=(Removed(role="ad", rule="test", text="Advertisement"),),
        language=Language(tag="el", script="Grek", score=0.9, margin=0.8, method="langdetect"),
        page_type="article",
        charset="utf-8",
        charset_source="default",
    )


def warm_up() -> None:
    """Load nothing."""


def unsendable(raw: RawDocument, options: DocumentOptions) -> Article | Rejected:
    """Make an article that cannot be pickled."""
    made = work(raw, options)
    return replace(made, publisher=lambda: None)  # type: ignore[arg-type]


def no_warm_up() -> None:
    """Fail as when a model is not installed."""
    message = "no model"
    raise FileNotFoundError(message)


def deadly_warm_up() -> None:
    """Take the whole process down."""
    os._exit(3)
