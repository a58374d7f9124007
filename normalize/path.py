"""The road of one document: the file to read first.

    RawDocument --decode--> Decoded --extract--> Page --repair--> Page --clean--> Page --with_guess--> Page --describe--> Article

Each step takes the last state and gives the next, or raises DocumentError, which becomes a Rejected here and
nowhere else. No step touches the network, the clock or anything global, so the same bytes and options always give the
same article. What follows (site templates, duplicates, translation) needs other documents too and is done per chunk.
"""

import gc
import hashlib
from collections.abc import Callable

from normalize.boilerplate.lexicon import load_lexicon
from normalize.clean import clean
from normalize.decode import decode
from normalize.describe import describe
from normalize.dump.judge import load_line_judge
from normalize.extract import extract
from normalize.fingerprint import fingerprint
from normalize.judge.judge import load_judge
from normalize.language.detect import detect
from normalize.options import DocumentOptions
from normalize.publication import with_guess
from normalize.repair import repair
from schemas.document import Article, Decoded, Page, RawDocument, Rejected
from schemas.errors import DocumentError

OnState = Callable[[Decoded | Page], object]
"""Told of each state that a document reaches: ``explain`` shows how far a rejected one came."""


def run_document(raw: RawDocument, options: DocumentOptions, on_state: OnState = lambda _: None) -> Article | Rejected:
    """Turn one raw document into an article, or say why not. Never raises for a bad document."""
    raw_sha256 = hashlib.sha256(raw.content).hexdigest()
    try:
        page = read_page(raw, options, on_state)
        return fingerprint(describe(page, raw_sha256, options))
    except DocumentError as error:
        return Rejected.of(raw, stage=error.stage, reason=error.reason, detail=error.detail, raw_sha256=raw_sha256)


def read_page(raw: RawDocument, options: DocumentOptions, on_state: OnState = lambda _: None) -> Page:
    """Go as far as the judged blocks.

    Raises:
        DocumentError: The document cannot become an article.
    """
    decoded = decode(raw, options)  # bytes -> text: which charset, and who said so
    on_state(decoded)
    page = extract(decoded, options)  # text -> blocks and what the page claims of itself
    page = repair(page)  # text that went through a wrong charset on its way
    on_state(page)
    page = clean(page)  # boilerplate out, with role and rule
    page = with_guess(page)  # a day from anywhere on the page, where nothing names a time
    on_state(page)
    return page


def warm_up() -> None:
    """Load what every document needs (lexicon, trees of both judges, models of the language detectors), once per process."""
    load_lexicon()
    load_judge()
    load_line_judge()
    detect(["the models of the detectors are loaded by the first text"], min_score=0.5)
    # Lexicon and tables are a hundred thousand objects that never go away; without this every full collection walks them all.
    # And a document makes a hundred thousand small objects at once, hardly any of them in cycles.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
