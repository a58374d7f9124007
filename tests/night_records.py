"""Records for tests of the checks: good ones, and whatever a test changes in them."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import polars as pl

from schemas.fetch import FETCHES
from schemas.quality.finding import Tables
from schemas.record import QUARANTINE, RECORD, SCHEMA_VERSION

TEXT = (
    "The ferry to the outer islands left at noon, two hours late, with 240 passengers on board.\n\n"
    "Its crew had waited for a part of the engine that came by helicopter from the mainland.\n\n"
    "The harbour master said that the next one would leave on time, storm or no storm."
)


def record(number: int = 0, /, **changed: object) -> dict[str, object]:
    """Give a record that no rule has anything to say about, but for what is changed."""
    name = f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}" * 2
    row: dict[str, object] = {
        **dict.fromkeys(RECORD),
        "record_id": name,
        "story_id": name,
        "url": f"https://limani.example/{number}",
        "domain": "limani.example",
        "source_id": "limani",
        "title": "Ferry leaves late",
        # No two share a block.
        "text": "\n\n".join(f"{number}. {block}" for block in TEXT.split("\n\n")),
        "paragraphs": [{"role": "paragraph", "text": TEXT, "lang": None}],
        "published_at": datetime(2026, 3, 16, 12, tzinfo=UTC),
        "published_precision": "minute",
        "page_type": "article",
        "lang": "en",
        "lang_script": "Latn",
        "lang_conflict": False,
        "mt_status": "done",
        "mt_lang": "el",
        "mt_text": "Το πλοίο έφυγε αργά.",
        "source_kind": "warc",
        "source_uri": "raw/pages.warc.gz",
        "source_offset": number * 100,
        "source_length": 90,
        "raw_sha256": name * 2,
        "fetched_at": datetime(2026, 3, 17, 1, tzinfo=UTC),
        "run_id": "0123456789abcdef",
        "run_date": date(2026, 3, 17),
        "schema_version": SCHEMA_VERSION,
    }
    return row | changed


def refused(number: int = 0, /, **changed: object) -> dict[str, object]:
    """Give a document that was refused."""
    row: dict[str, object] = {
        **dict.fromkeys(QUARANTINE),
        "stage": "extract",
        "reason": "no_text",
        "detail": "no block of it is a story",
        "source_kind": "warc",
        "source_uri": "raw/pages.warc.gz",
        "source_offset": number * 100,
        "source_id": "limani",
        "run_id": "0123456789abcdef",
        "run_date": date(2026, 3, 17),
    }
    return row | changed


def night_of(records: Sequence[dict[str, object]], documents: Sequence[dict[str, object]] = ()) -> Tables:
    """Make the tables of a night."""
    return Tables(
        articles=pl.LazyFrame(list(records), schema=RECORD),
        quarantine=pl.LazyFrame(list(documents), schema=QUARANTINE),
        fetches=pl.LazyFrame(schema=FETCHES),
        runs=pl.LazyFrame(),
    )
