"""The published columns of the table ``fetches``: one row for each request that a crawl made, refused or put off."""

from typing import Final, Literal, get_args

import polars as pl

from schemas.record import Column

FetchKind = Literal["robots", "policy", "feed", "sitemap", "list", "home", "page", "entry", "script"]
"""What was asked for; ``policy`` is ai.txt or tdmrep.json, ``entry`` the full text that a feed carries, no request at all, ``script`` what
a page needs to be drawn."""

FetchOutcome = Literal["fetched", "unchanged", "not_modified", "redirected", "refused", "failed", "put_off"]

_TIME = pl.Datetime("us", "UTC")
_STRING = pl.String()

FETCH_COLUMNS: Final[tuple[Column, ...]] = tuple(
    Column(name=name, dtype=dtype, group="fetches", meaning=meaning, required=required, allowed=allowed)
    for name, dtype, required, meaning, allowed in (
        ("crawl_id", _STRING, True, "The crawl that made it.", ()),
        ("crawl_date", pl.Date(), True, "Day of that crawl, UTC.", ()),
        (
            "source_id",
            _STRING,
            False,
            "The catalogue's source; null for what a host has for all, such as robots.txt.",
            (),
        ),
        ("url", _STRING, True, "The address asked for.", ()),
        ("kind", _STRING, True, "What it is.", get_args(FetchKind)),
        ("outcome", _STRING, True, "What became of it.", get_args(FetchOutcome)),
        ("reason", _STRING, False, "Why, as a countable word, where it was not simply fetched.", ()),
        ("detail", _STRING, False, "A sentence for people, with the value seen.", ()),
        ("http_status", pl.Int32(), False, "Status of the answer.", ()),
        ("requested_at", _TIME, True, "When it was asked for, or decided not to ask.", ()),
        ("seconds", pl.Float64(), False, "From asking to the last byte.", ()),
        ("bytes", pl.Int64(), False, "Length of the body as sent, transfer encoding undone.", ()),
        ("ip", _STRING, False, "The address that answered.", ()),
        ("tries", pl.Int32(), False, "Requests made for it in this crawl, this one included.", ()),
        ("via", _STRING, False, "The address that redirected here.", ()),
        ("redirect_to", _STRING, False, "The address it redirects to.", ()),
        ("found_in", _STRING, False, "The feed, sitemap or list that named it.", ()),
        ("guid", _STRING, False, "What the feed calls it.", ()),
        ("title", _STRING, False, "Title in the feed, sitemap or list.", ()),
        ("published", _STRING, False, "Its day there, as written.", ()),
        ("signals", pl.List(pl.String), False, "Opt-out signals that were seen.", ()),
        ("payload_sha256", _STRING, False, "SHA-256 of the body as sent, hexadecimal.", ()),
        ("warc_file", _STRING, False, "The file that holds the response, below raw/.", ()),
        ("warc_offset", pl.Int64(), False, "Where its record begins there, in bytes.", ()),
        ("warc_length", pl.Int64(), False, "How long it is there, in bytes.", ()),
        ("warc_record_id", _STRING, False, "WARC-Record-ID of the response.", ()),
    )
)

FETCHES: Final = pl.Schema({column.name: column.dtype for column in FETCH_COLUMNS})
