"""From a crawl to its run: which files wait to be read, and with which rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.catalogue import rule_book
from ingest.crawl.crawl import RAW, STATE
from ingest.crawl.state import Crawl, State
from ingest.sources.inputs import Input


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """Crawls that no run has read."""

    crawls: tuple[Crawl, ...]
    #: Their pages, in the order they were fetched.
    inputs: tuple[Input, ...]


def unread(catalogue: Path, output: Path, *, begun: bool = False) -> Unread:
    """Find what the crawls of an output folder brought and no run has read.

    Args:
        catalogue: Its rules count for the pages of its sites.
        output: The output folder.
        begun: Only what a run had begun to read when it was broken off: the same files again, so that it can be gone on with.

    Raises:
        SetupError: If the catalogue is at fault, or the memory of the crawls cannot be read.
    """
    raw = output / RAW
    if not (raw / STATE).exists():
        return Unread(crawls=(), inputs=())
    state = State.open(raw / STATE)
    try:
        crawls = tuple(
            crawl
            for crawl in state.crawls()
            if crawl.finished_at and crawl.run_id is None and (crawl.reading_since or not begun)
        )
    finally:
        state.close()
    rules = rule_book(catalogue)
    files = (path for crawl in crawls for path in sorted((raw / crawl.folder).glob("pages-*.warc.gz")))
    return Unread(crawls=crawls, inputs=tuple(Input(path=path, uri=path.as_posix(), rules=rules) for path in files))


def note_reading(output: Path, crawls: Sequence[Crawl], *, run_id: str | None = None) -> None:
    """Note that a run begins to read these crawls, or, with its id, that it has."""
    if not crawls:
        return
    state = State.open(output / RAW / STATE)
    try:
        for crawl in crawls:
            state.note_reading(crawl, run_id)
        state.commit()
    finally:
        state.close()
