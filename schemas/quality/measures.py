"""What of a record is looked at from night to night: shares of records, lengths, and the words for them."""

from dataclasses import dataclass
from typing import Final, get_args

import polars as pl

from schemas.document import PageType, TranslationStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share of the records of a night: those where something is so."""

    #: As in "drift/no_authors".
    name: str
    column: str
    #: "pages ..." that it is so of, such as "pages without authors".
    words: str
    hit: pl.Expr
    #: The records that it can be so of; None for all.
    of: pl.Expr | None = None


def _empty(column: str) -> Share:
    return Share(name=f"no_{column}", column=column, words=f"pages without {column}", hit=pl.col(column).is_null())


def _kind(kind: str) -> Share:
    return Share(
        name=f"kind_{kind}", column="page_type", words=f"pages of kind {kind}", hit=pl.col("page_type") == kind
    )


_CONCERNED = pl.col("mt_status") != "not_needed"
_TRANSLATED = pl.col("mt_status").is_in(["done", "partial", "failed"])


def _status(status: str) -> Share:
    return Share(
        name=f"translation_{status}",
        column="mt_status",
        words=f"pages with mt_status {status}",
        hit=pl.col("mt_status") == status,
        of=_CONCERNED,
    )


def _warning(flag: str) -> Share:
    return Share(
        name=f"translation_flag_{flag}",
        column="mt_flags",
        words=f"translations with the flag {flag}",
        hit=pl.col("mt_flags").list.contains(flag).fill_null(value=False),
        of=_TRANSLATED,
    )


def _doubt(flag: str) -> Share:
    return Share(
        name=f"flag_{flag}",
        column="quality_flags",
        words=f"pages with the flag {flag}",
        hit=pl.col("quality_flags").list.contains(flag).fill_null(value=False),
    )


#: An article is what most pages are; where they no longer are, another kind has grown.
_KINDS = tuple(kind for kind in get_args(PageType) if kind != "article")
_STATUSES = tuple(status for status in get_args(TranslationStatus) if status not in {"not_needed", "done"})
_WARNINGS = ("empty", "repetition", "length", "numbers", "copied", "language", "unknown", "broken_model")

SHARES: Final[tuple[Share, ...]] = (
    *(_empty(name) for name in ("title", "published_at", "authors", "section", "description", "tags", "images")),
    *(_kind(kind) for kind in _KINDS),
    Share(
        name="template_hits",
        column="removed",
        words="pages with a template of the site cut away",
        hit=pl.col("removed")
        .list.eval(pl.element().struct.field("rule").str.starts_with("template:"))
        .list.any()
        .fill_null(value=False),
    ),
    Share(name="duplicates", column="dup_of", words="pages that repeat another", hit=pl.col("dup_of").is_not_null()),
    Share(
        name="language_conflict",
        column="lang_conflict",
        words="pages in another language than they declare",
        hit=pl.col("lang_conflict").fill_null(value=False),
    ),
    *(_status(status) for status in _STATUSES),
    *(_warning(flag) for flag in _WARNINGS),
    *(_doubt(flag) for flag in ("short_text", "replacement_characters", "stale_site_rule")),
)
"""Each is one line here and needs nothing else."""

#: Only stories have a length that says something: a listing is as long as its list.
LENGTH: Final = pl.when(pl.col("page_type") == "article").then(pl.col("text").str.len_chars())

_REMOVED = pl.col("removed").list.eval(pl.element().struct.field("text").str.len_bytes()).list.sum().fill_null(0)
_KEPT = pl.col("text").str.len_bytes()

#: Of all bytes of blocks, those that were cut away.
REMOVED_SHARE: Final = (_REMOVED / (_REMOVED + _KEPT).clip(1)).cast(pl.Float32)
