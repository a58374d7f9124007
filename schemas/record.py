"""The published columns: what each means, its dtype, and how articles become rows.

Readers of the Parquet files depend on this module, and so does every step that writes them. A
column that is added is a new minor version; one that changes or goes away is a new major version.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import get_args

import polars as pl

from schemas.document import (
    Article,
    KeptRole,
    Moment,
    PageType,
    Precision,
    Rejected,
    RemovedRole,
    TranslatedText,
    Translation,
    TranslationStatus,
)

SCHEMA_VERSION = "1.1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One published column and its contract."""

    name: str
    dtype: pl.DataType
    #: The heading it stands under in ``babelwire schema``.
    group: str
    #: One sentence, with the unit where there is one.
    meaning: str
    #: Never null. A column that is not required is null where nothing is known.
    required: bool = False
    #: The term it maps to: ``schema:`` (schema.org NewsArticle), ``warc:`` or ``prov:``.
    maps_to: str | None = None
    #: The only values it may hold; empty means any.
    allowed: tuple[str, ...] = ()


STRING = pl.String()
STRINGS = pl.List(pl.String)
BOOLEAN = pl.Boolean()
OFFSET = pl.Int64()
SCORE = pl.Float64()
TIME = pl.Datetime("us", "UTC")
DATE = pl.Date()


def _structs(**fields: pl.DataType) -> pl.List:
    return pl.List(pl.Struct(dict(fields)))


MT_STATUSES = get_args(TranslationStatus)
DUP_KINDS = ("exact", "near")


def _identity() -> tuple[Column, ...]:
    group = "identity"
    return (
        Column(
            name="record_id",
            dtype=STRING,
            group=group,
            required=True,
            maps_to="schema:identifier",
            meaning="Name of this record; the same document gives the same name in every run.",
        ),
        Column(
            name="story_id",
            dtype=STRING,
            group=group,
            required=True,
            meaning="Name shared by all revisions of the page at one address.",
        ),
        Column(
            name="url",
            dtype=STRING,
            group=group,
            maps_to="schema:url",
            meaning="Address the document was fetched from; where the source does not know it, the page's own.",
        ),
        Column(
            name="url_canonical",
            dtype=STRING,
            group=group,
            maps_to="schema:mainEntityOfPage",
            meaning="Address the page calls its own, absolute and without tracking parameters.",
        ),
        Column(
            name="domain",
            dtype=STRING,
            group=group,
            meaning="Host name of the address, lower case, without a leading www.",
        ),
        Column(
            name="publisher",
            dtype=STRING,
            group=group,
            maps_to="schema:publisher",
            meaning="Name of the site, from the catalogue or from the page.",
        ),
        Column(
            name="source_id",
            dtype=STRING,
            group=group,
            meaning="Id of the entry in the source catalogue that led to the document.",
        ),
    )


def _content() -> tuple[Column, ...]:
    group = "content"
    return (
        Column(
            name="title",
            dtype=STRING,
            group=group,
            maps_to="schema:headline",
            meaning="Headline, without the name of the site.",
        ),
        Column(
            name="subtitle",
            dtype=STRING,
            group=group,
            maps_to="schema:alternativeHeadline",
            meaning="Standfirst as the page shows it; it also opens the text, with role deck.",
        ),
        Column(
            name="description",
            dtype=STRING,
            group=group,
            maps_to="schema:description",
            meaning="Summary that the page gives to search engines and feeds.",
        ),
        Column(
            name="text",
            dtype=STRING,
            group=group,
            required=True,
            maps_to="schema:articleBody",
            meaning="The kept blocks in page order, joined by a blank line.",
        ),
        Column(
            name="paragraphs",
            dtype=_structs(role=STRING, text=STRING, lang=STRING),
            group=group,
            required=True,
            meaning="The kept blocks one by one: role, text, and language where it is known.",
        ),
        Column(
            name="authors",
            dtype=STRINGS,
            group=group,
            maps_to="schema:author",
            meaning="People who wrote the story, in byline order, without titles and agencies.",
        ),
        Column(
            name="tags",
            dtype=STRINGS,
            group=group,
            maps_to="schema:keywords",
            meaning="Tags the page gives the story, in page order.",
        ),
        Column(
            name="section",
            dtype=STRING,
            group=group,
            maps_to="schema:articleSection",
            meaning="Section of the site that the story stands in.",
        ),
        Column(
            name="images",
            dtype=_structs(url=STRING, alt=STRING, caption=STRING, credit=STRING, lead=BOOLEAN),
            group=group,
            maps_to="schema:image",
            meaning="Pictures of the story: address, alternative text, caption, credit, lead.",
        ),
        Column(
            name="agencies",
            dtype=STRINGS,
            group=group,
            maps_to="schema:creditText",
            meaning="News agencies credited for the story.",
        ),
        Column(
            name="cited_urls",
            dtype=STRINGS,
            group=group,
            maps_to="schema:citation",
            meaning="Addresses the page names as what the story is based on.",
        ),
        Column(
            name="comments",
            dtype=STRINGS,
            group=group,
            maps_to="schema:comment",
            meaning="Reader comments that stood on the page, in page order; never part of text.",
        ),
    )


def _time() -> tuple[Column, ...]:
    group = "time"
    return (
        Column(
            name="published_at",
            dtype=TIME,
            group=group,
            maps_to="schema:datePublished",
            meaning="When the story was published, in UTC; read it with published_precision.",
        ),
        Column(
            name="published_precision",
            dtype=STRING,
            group=group,
            allowed=get_args(Precision),
            meaning="Smallest part of published_at that was written down; the rest is filled up.",
        ),
        Column(
            name="published_tz",
            dtype=STRING,
            group=group,
            meaning="Time zone as written; null means that none was written and UTC is assumed.",
        ),
        Column(
            name="published_source",
            dtype=STRING,
            group=group,
            meaning="Where the date stood, such as json-ld, meta, block or url.",
        ),
        Column(
            name="published_conflict",
            dtype=BOOLEAN,
            group=group,
            meaning="Whether two places name times more than a day apart; null where only one does.",
        ),
        Column(
            name="modified_at",
            dtype=TIME,
            group=group,
            maps_to="schema:dateModified",
            meaning="When the story was last changed, in UTC.",
        ),
    )


def _kind_and_language() -> tuple[Column, ...]:
    return (
        Column(
            name="page_type",
            dtype=STRING,
            group="kind",
            required=True,
            allowed=get_args(PageType),
            maps_to="schema:additionalType",
            meaning="What sort of page it is.",
        ),
        Column(
            name="is_free",
            dtype=BOOLEAN,
            group="kind",
            maps_to="schema:isAccessibleForFree",
            meaning="Whether the whole story can be read without paying, where the page says.",
        ),
        Column(
            name="lang",
            dtype=STRING,
            group="language",
            required=True,
            maps_to="schema:inLanguage",
            meaning="Language of the text as a BCP 47 tag; und where the evidence is too thin.",
        ),
        Column(
            name="lang_script",
            dtype=STRING,
            group="language",
            meaning="Script most letters belong to, as an ISO 15924 code.",
        ),
        Column(
            name="lang_score",
            dtype=SCORE,
            group="language",
            meaning="Probability of lang, 0 to 1; null for und.",
        ),
        Column(
            name="lang_margin",
            dtype=SCORE,
            group="language",
            meaning="lang_score minus the score of the next best answer, 0 to 1.",
        ),
        Column(
            name="lang_declared",
            dtype=STRING,
            group="language",
            meaning="Language the page declares for itself, as a BCP 47 tag.",
        ),
        Column(
            name="lang_conflict",
            dtype=BOOLEAN,
            group="language",
            meaning="Whether the declared language is another one than lang.",
        ),
        Column(
            name="lang_method",
            dtype=STRING,
            group="language",
            meaning="What decided lang: script or evidence.",
        ),
    )


def _translation() -> tuple[Column, ...]:
    group = "translation"
    return (
        Column(
            name="mt_lang",
            dtype=STRING,
            group=group,
            meaning="Language translated into, as a BCP 47 tag.",
        ),
        Column(
            name="mt_title",
            dtype=STRING,
            group=group,
            maps_to="schema:workTranslation",
            meaning="Headline as translated by machine.",
        ),
        Column(
            name="mt_subtitle",
            dtype=STRING,
            group=group,
            maps_to="schema:workTranslation",
            meaning="Standfirst as translated by machine.",
        ),
        Column(
            name="mt_text",
            dtype=STRING,
            group=group,
            maps_to="schema:workTranslation",
            meaning="Text as translated by machine, blocks joined by a blank line.",
        ),
        Column(
            name="mt_paragraphs",
            dtype=_structs(text=STRING, score=SCORE, flags=STRINGS),
            group=group,
            meaning="Translation of each block, item by item beside paragraphs: text, score from 0 to 1 "
            "(geometric mean of the token probabilities), warnings.",
        ),
        Column(
            name="mt_captions",
            dtype=STRINGS,
            group=group,
            meaning="Translation of each caption, item by item beside images; null unless captions are asked for.",
        ),
        Column(
            name="mt_status",
            dtype=STRING,
            group=group,
            required=True,
            allowed=MT_STATUSES,
            meaning="How translation went: partial keeps some sentences in the original, failed all of them; "
            "no_model where no model leads to the target; off where the run did not translate.",
        ),
        Column(
            name="mt_path",
            dtype=STRINGS,
            group=group,
            meaning="Language tags passed through, first to last, such as uk, en, de.",
        ),
        Column(
            name="mt_models",
            dtype=STRINGS,
            group=group,
            maps_to="prov:wasAssociatedWith",
            meaning="Models used, in the order of mt_path, each as name, version and sha256.",
        ),
        Column(
            name="mt_flags",
            dtype=STRINGS,
            group=group,
            meaning="Warnings of title, standfirst, blocks and captions together, each once.",
        ),
    )


def _cleaning_and_duplicates() -> tuple[Column, ...]:
    return (
        Column(
            name="charset",
            dtype=STRING,
            group="cleaning",
            meaning="Encoding the bytes were read with, as a Python codec name.",
        ),
        Column(
            name="charset_source",
            dtype=STRING,
            group="cleaning",
            meaning="What named the encoding: source, bom, http, meta, detected or default.",
        ),
        Column(
            name="text_fixes",
            dtype=STRINGS,
            group="cleaning",
            meaning="Repairs made to the text, in order, each with how often.",
        ),
        Column(
            name="removed",
            dtype=_structs(role=STRING, rule=STRING, text=STRING),
            group="cleaning",
            meaning="Blocks cut away, in page order: role, the rule that decided, and the text.",
        ),
        Column(
            name="text_sha256",
            dtype=STRING,
            group="duplicates",
            meaning="SHA-256 of text in UTF-8, in hexadecimal.",
        ),
        Column(
            name="dup_of",
            dtype=STRING,
            group="duplicates",
            maps_to="prov:alternateOf",
            meaning="record_id of the first record seen with the same or nearly the same text.",
        ),
        Column(
            name="dup_kind",
            dtype=STRING,
            group="duplicates",
            allowed=DUP_KINDS,
            meaning="Whether the texts are equal or only near.",
        ),
        Column(
            name="dup_score",
            dtype=SCORE,
            group="duplicates",
            meaning="Share of common word sequences (Jaccard) with dup_of, 0 to 1.",
        ),
    )


def _where_the_bytes_are(*, strict: bool) -> tuple[Column, ...]:
    """Give the columns that point to the source; only a record must have its checksum."""
    group = "provenance"
    return (
        Column(
            name="source_kind",
            dtype=STRING,
            group=group,
            required=True,
            meaning="Kind of source, such as html, jsonl, zip or warc.",
        ),
        Column(
            name="source_uri",
            dtype=STRING,
            group=group,
            required=True,
            maps_to="prov:hadPrimarySource",
            meaning="Input file as it was named to the run, with / between folders.",
        ),
        Column(
            name="source_member",
            dtype=STRING,
            group=group,
            meaning="Member of an archive, or id or number (from 1) of a row.",
        ),
        Column(
            name="source_offset",
            dtype=OFFSET,
            group=group,
            meaning="Where the document begins in the file, in bytes as stored.",
        ),
        Column(
            name="source_length",
            dtype=OFFSET,
            group=group,
            meaning="How long it is there, in bytes as stored.",
        ),
        Column(
            name="raw_sha256",
            dtype=STRING,
            group=group,
            required=strict,
            maps_to="warc:WARC-Payload-Digest",
            meaning="SHA-256 of the document as sent, content encodings undone, in hexadecimal.",
        ),
    )


def _provenance_and_run() -> tuple[Column, ...]:
    group = "provenance"
    return (
        *_where_the_bytes_are(strict=True),
        Column(
            name="warc_record_id",
            dtype=STRING,
            group=group,
            maps_to="warc:WARC-Record-ID",
            meaning="Id of the WARC record the document lay in.",
        ),
        Column(
            name="fetched_at",
            dtype=TIME,
            group=group,
            maps_to="warc:WARC-Date",
            meaning="When the document was fetched, in UTC.",
        ),
        Column(
            name="http_status",
            dtype=pl.Int16(),
            group=group,
            meaning="Status code of the response.",
        ),
        Column(
            name="discovered",
            dtype=pl.Struct({"feed": STRING, "guid": STRING, "title": STRING, "published": STRING}),
            group=group,
            meaning="What the feed or sitemap that led to the document said of it, as written.",
        ),
        Column(
            name="field_origin",
            dtype=_structs(field=STRING, origin=STRING, rule=STRING),
            group=group,
            maps_to="prov:wasDerivedFrom",
            meaning="For each filled column: where its value stood and which rule took it.",
        ),
        *_run(),
        Column(
            name="config_sha256",
            dtype=STRING,
            group="run",
            meaning="SHA-256 of the options that can change the output, in hexadecimal.",
        ),
        Column(
            name="quality_flags",
            dtype=STRINGS,
            group="run",
            meaning="Doubts to filter by: no_title, no_date, short_text, replacement_characters, stale_site_rule.",
        ),
    )


def _run() -> tuple[Column, ...]:
    return (
        Column(
            name="run_id",
            dtype=STRING,
            group="run",
            required=True,
            maps_to="prov:wasGeneratedBy",
            meaning="Name of the run that wrote the row; its manifest is runs/ID.json.",
        ),
        Column(
            name="run_date",
            dtype=DATE,
            group="run",
            required=True,
            meaning="Day the run stands for, as given to it.",
        ),
        Column(
            name="schema_version",
            dtype=STRING,
            group="run",
            required=True,
            maps_to="schema:schemaVersion",
            meaning="Version of this schema.",
        ),
    )


def _refusal() -> tuple[Column, ...]:
    group = "refusal"
    return (
        Column(
            name="stage",
            dtype=STRING,
            group=group,
            required=True,
            meaning="Step that refused the document.",
        ),
        Column(
            name="reason",
            dtype=STRING,
            group=group,
            required=True,
            meaning="Why, as a word to count by.",
        ),
        Column(
            name="detail",
            dtype=STRING,
            group=group,
            required=True,
            meaning="Why, as a sentence with the value seen and what to do.",
        ),
    )


COLUMNS: tuple[Column, ...] = (
    *_identity(),
    *_content(),
    *_time(),
    *_kind_and_language(),
    *_translation(),
    *_cleaning_and_duplicates(),
    *_provenance_and_run(),
)
"""The columns of a record, in the order of the files."""


def _quarantine() -> tuple[Column, ...]:
    known = {column.name: column for column in COLUMNS}
    again = ("url", "warc_record_id", "fetched_at", "source_id", "run_id", "run_date")
    return (
        *_refusal(),
        *_where_the_bytes_are(strict=False),
        *(known[name] for name in again),
    )


QUARANTINE_COLUMNS: tuple[Column, ...] = _quarantine()
"""The columns of a refused document, in the order of the files."""


def schema_of(columns: Sequence[Column]) -> pl.Schema:
    """Give names and dtypes as polars wants them."""
    return pl.Schema({column.name: column.dtype for column in columns})


RECORD: pl.Schema = schema_of(COLUMNS)
QUARANTINE: pl.Schema = schema_of(QUARANTINE_COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStamp:
    """What every row says of the run that wrote it."""

    run_id: str
    #: The day the run stands for; given to it, never read from the clock.
    run_date: date
    config_sha256: str


def articles_to_frame(articles: Sequence[Article], stamp: RunStamp) -> pl.DataFrame:
    """Turn articles into rows of the published schema, in their order."""
    return _frame([_row(article, stamp) for article in articles], RECORD)


def rejected_to_frame(rejected: Sequence[Rejected], stamp: RunStamp) -> pl.DataFrame:
    """Turn refused documents into rows of the quarantine schema, in their order."""
    return _frame([_refused_row(item, stamp) for item in rejected], QUARANTINE)


def _frame(rows: Sequence[Mapping[str, object]], schema: pl.Schema) -> pl.DataFrame:
    """Build column by column, so that a wrong value fails with the name of its column."""
    columns = []
    for name, dtype in schema.items():
        try:
            column = pl.Series(name, [row[name] for row in rows], dtype=dtype, strict=True)
        except (TypeError, OverflowError, pl.exceptions.PolarsError) as error:
            message = f"column {name} cannot hold these values as {dtype}: {error}"
            raise TypeError(message) from error
        columns.append(column)
    return pl.DataFrame(columns)


def _row(article: Article, stamp: RunStamp) -> dict[str, object]:
    return {
        **dict.fromkeys(RECORD),
        **_what_it_says(article),
        **_what_we_found(article),
        **_in_translation(article.translation),
        **_where_it_came_from(article),
        "run_id": stamp.run_id,
        "run_date": stamp.run_date,
        "schema_version": SCHEMA_VERSION,
        "config_sha256": stamp.config_sha256,
    }


def _what_it_says(article: Article) -> dict[str, object]:
    return {
        "record_id": article.record_id,
        "story_id": article.story_id,
        "url": article.url,
        "url_canonical": article.url_canonical,
        "domain": article.domain,
        "publisher": article.publisher,
        "title": article.title,
        "subtitle": article.subtitle,
        "description": article.description,
        "text": article.text,
        "paragraphs": [{"role": item.role, "text": item.text, "lang": item.lang} for item in article.paragraphs],
        "authors": _or_null(article.authors),
        "tags": _or_null(article.tags),
        "section": article.section,
        "images": [
            {
                "url": image.url,
                "alt": image.alt,
                "caption": image.caption,
                "credit": image.credit,
                "lead": image.lead,
            }
            for image in article.images
        ]
        or None,
        "agencies": _or_null(article.agencies),
        "cited_urls": _or_null(article.cited_urls),
        "comments": _or_null(article.comments),
    }


def _what_we_found(article: Article) -> dict[str, object]:
    return {
        **_published(article.published),
        "published_source": article.published_source,
        "published_conflict": article.published_conflict,
        "modified_at": None if article.modified is None else article.modified.at,
        "page_type": article.page_type,
        "is_free": article.is_free,
        "lang": article.language.tag,
        "lang_script": article.language.script,
        "lang_score": article.language.score,
        "lang_margin": article.language.margin,
        "lang_declared": article.lang_declared,
        "lang_conflict": article.lang_conflict,
        "lang_method": article.language.method,
        "charset": article.charset,
        "charset_source": article.charset_source,
        "text_fixes": _or_null(article.text_fixes),
        "removed": [{"role": item.role, "rule": item.rule, "text": item.text} for item in article.removed] or None,
        "text_sha256": sha256(article.text.encode("utf-8", "surrogatepass")).hexdigest(),
        "dup_of": article.dup_of,
        "dup_kind": article.dup_kind,
        "dup_score": article.dup_score,
        "quality_flags": _or_null(article.quality_flags),
    }


def _in_translation(translation: Translation) -> dict[str, object]:
    return {
        "mt_lang": translation.lang,
        "mt_title": _text_of(translation.title),
        "mt_subtitle": _text_of(translation.subtitle),
        "mt_text": translation.text,
        "mt_paragraphs": [
            {"text": item.text, "score": item.score, "flags": _or_null(item.flags)} for item in translation.paragraphs
        ]
        or None,
        "mt_captions": [_text_of(item) for item in translation.captions] or None,
        "mt_status": translation.status,
        "mt_path": _or_null(translation.path),
        "mt_models": _or_null(translation.models),
        "mt_flags": _or_null(translation.flags),
    }


def _text_of(item: TranslatedText | None) -> str | None:
    return None if item is None else item.text


def _published(moment: Moment | None) -> dict[str, object]:
    if moment is None:
        return {}
    return {
        "published_at": moment.at,
        "published_precision": moment.precision,
        "published_tz": moment.tz,
    }


def _where_it_came_from(article: Article) -> dict[str, object]:
    raw = article.raw
    found = raw.discovered
    return {
        "source_id": raw.source_id,
        "source_kind": raw.source_kind,
        "source_uri": raw.source_uri,
        "source_member": raw.source_member,
        "source_offset": raw.source_offset,
        "source_length": raw.source_length,
        "raw_sha256": article.raw_sha256,
        "warc_record_id": raw.warc_record_id,
        "fetched_at": raw.fetched_at,
        "http_status": raw.http_status,
        "discovered": found
        and {
            "feed": found.feed,
            "guid": found.guid,
            "title": found.title,
            "published": found.published,
        },
        "field_origin": [{"field": item.field, "origin": item.origin, "rule": item.rule} for item in article.origins]
        or None,
    }


def _refused_row(item: Rejected, stamp: RunStamp) -> dict[str, object]:
    return {
        "stage": item.stage,
        "reason": item.reason,
        "detail": item.detail,
        "source_kind": item.source_kind,
        "source_uri": item.source_uri,
        "source_member": item.source_member,
        "source_offset": item.source_offset,
        "source_length": item.source_length,
        "raw_sha256": item.raw_sha256,
        "url": item.url,
        "warc_record_id": item.warc_record_id,
        "fetched_at": item.fetched_at,
        "source_id": item.source_id,
        "run_id": stamp.run_id,
        "run_date": stamp.run_date,
    }


def _or_null(items: tuple[str, ...]) -> list[str] | None:
    """Give the list, or null for none: an empty list would be a second kind of absent."""
    return list(items) or None


def problems(frame: pl.DataFrame, columns: Sequence[Column]) -> list[str]:
    """Name every way in which a frame breaks the schema; an empty list means it keeps it.

    Each message says what is wrong, in which column, the value seen (with the first record it was
    seen in) and what to do. A frame that lacks columns or has other dtypes is not looked at
    further, as its values mean nothing yet.
    """
    wrong_shape = _shape_problems(frame, columns)
    if wrong_shape:
        return wrong_shape
    found = [message for column in columns for message in _value_problems(frame, column)]
    if "paragraphs" in frame.columns:
        found += _role_problems(frame)
        found += _alignment_problems(frame)
    if "record_id" in frame.columns:
        found += _repeat_problems(frame)
    return found


def _shape_problems(frame: pl.DataFrame, columns: Sequence[Column]) -> list[str]:
    expected = schema_of(columns)
    found = [
        f"column {name} is missing; fill it with nulls of {dtype} where nothing is known"
        for name, dtype in expected.items()
        if name not in frame.columns
    ]
    found += [
        f"column {name} ({dtype}) is not in the schema; drop it or add it to schemas/record.py"
        for name, dtype in frame.schema.items()
        if name not in expected
    ]
    found += [
        f"column {name} is {frame.schema[name]} but must be {dtype}; cast it where it is built"
        for name, dtype in expected.items()
        if name in frame.columns and frame.schema[name] != dtype
    ]
    if not found and frame.columns != list(expected):
        found.append("the columns are all there but in another order; select them in schema order")
    return found


def _value_problems(frame: pl.DataFrame, column: Column) -> list[str]:
    name = column.name
    found = []
    if column.required:
        found += _report(frame, pl.col(name).is_null(), f"column {name} is null; it must always be filled")
    # A page of nothing but pictures may have an empty text; everywhere else "" hides an absence.
    if column.dtype == pl.String and name != "text":
        found += _report(frame, pl.col(name) == "", f'column {name} is ""; absent is null')
    if isinstance(column.dtype, pl.List) and not column.required:
        found += _report(frame, pl.col(name).list.len() == 0, f"column {name} is an empty list; absent is null")
    if column.allowed:
        outside = pl.col(name).is_not_null() & ~pl.col(name).is_in(list(column.allowed))
        say = f"column {name} holds a value that is not one of {', '.join(column.allowed)}"
        found += _report(frame, outside, say, seen=pl.col(name))
    return found


def _role_problems(frame: pl.DataFrame) -> list[str]:
    found = []
    for name, allowed in (("paragraphs", get_args(KeptRole)), ("removed", get_args(RemovedRole))):
        strange = pl.col(name).list.eval(
            pl.element().struct.field("role").filter(~pl.element().struct.field("role").is_in(list(allowed)))
        )
        say = f"{name} hold a role that is not one of {', '.join(allowed)}"
        found += _report(frame, strange.list.len() > 0, say, seen=strange.list.first())
    return found


def _alignment_problems(frame: pl.DataFrame) -> list[str]:
    items, beside = pl.col("mt_paragraphs").list.len(), pl.col("paragraphs").list.len()
    say = "mt_paragraphs must have one item for each of paragraphs"
    return _report(frame, items != beside, say, seen=pl.format("{} for {}", items, beside))


def _repeat_problems(frame: pl.DataFrame) -> list[str]:
    repeated = pl.col("record_id").is_not_null() & ~pl.col("record_id").is_first_distinct()
    say = "record_id stands more than once; it must tell any two documents apart"
    return _report(frame, repeated, say)


def _report(frame: pl.DataFrame, broken: pl.Expr, say: str, *, seen: pl.Expr | None = None) -> list[str]:
    """Say it once for all rows where ``broken`` holds: how many, and the first of them."""
    rows = frame.filter(broken)
    if rows.is_empty():
        return []
    value = "" if seen is None else f', "{rows.select(seen).item(0, 0)}"'
    return [f"{say} ({rows.height} of {frame.height} rows{value}, first in {_name_of(rows)})"]


def _name_of(rows: pl.DataFrame) -> str:
    """Name the first row as a person can find it again."""
    row = rows.row(0, named=True)
    if row.get("record_id"):
        return f"record {row['record_id']}"
    return f"{row['source_uri']} member {row['source_member']} offset {row['source_offset']}"
