"""One frozen type per state of a document on its road.

    RawDocument -> Decoded -> Page -> Article        any step may answer Rejected instead

Nothing here is ever changed in place; a step returns the next state. Absent is None, never "" or 0.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from schemas.site_rule import SiteRule

SourceKind = Literal["html", "text", "jsonl", "csv", "parquet", "tar", "zip", "warc", "wacz", "mhtml", "eml"]
"""Where the bytes lay. One reader per kind in ``ingest.sources``."""

PageType = Literal["article", "listing", "live_blog", "gallery", "video", "paywall_stub", "error", "other"]

TranslationStatus = Literal["not_needed", "done", "partial", "failed", "no_model", "off"]

Precision = Literal["year", "month", "day", "hour", "minute", "second"]

KeptRole = Literal["deck", "paragraph", "heading", "quote", "list_item", "teaser", "table", "code"]
"""Roles of blocks that stay in ``text``."""

RemovedRole = Literal[
    "title",  # the headline: it has a column of its own
    "duplicate",  # says again what another block said
    "date",
    "author",
    "site",  # the name of the site
    "section",
    "tags",
    "share",
    "ad",
    "related",  # pointers to other stories
    "comments",
    "newsletter",
    "cookie",
    "paywall",
    "caption",
    "credit",
    "source",  # where the story was taken from
    "agency",
    "navigation",
    "legal",
    "boilerplate",  # not the story, and nothing says what else it is
]
"""Roles of blocks that go to ``removed``."""

Role = KeptRole | RemovedRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovered:
    """What a feed, sitemap or catalogue entry said of a document before it was fetched."""

    feed: str | None = None
    guid: str | None = None
    title: str | None = None
    #: As written there; the dates step reads it.
    published: str | None = None
    #: As written there; neither is published in ``discovered``.
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RawDocument:
    """One document exactly as the source holds it: bytes, not yet text, and where they lie."""

    source_kind: SourceKind
    #: The file, as named by the person who runs us, with "/" between folders.
    source_uri: str
    #: The document itself, after content encodings (gzip, br, chunked) are undone.
    content: bytes
    #: What the source knows the content to be; None means: look.
    media: Literal["html", "text"] | None = None
    #: Member of an archive, or id or number (from 1) of a row.
    source_member: str | None = None
    #: Where the record begins in the file, in bytes as stored (compressed where it is).
    source_offset: int | None = None
    #: How long it is there, in bytes as stored.
    source_length: int | None = None
    url: str | None = None
    http_status: int | None = None
    #: Response headers in order, names as sent.
    http_headers: tuple[tuple[str, str], ...] = ()
    warc_record_id: str | None = None
    #: When the last byte arrived. Aware, always UTC.
    fetched_at: datetime | None = None
    #: The charset, where the source knows it for certain (rows of JSONL are UTF-8).
    charset: str | None = None
    discovered: Discovered | None = None
    #: The catalogue's entry for this source, if any.
    source_id: str | None = None
    publisher: str | None = None
    #: BCP 47 tag that the catalogue expects; a prior, never an answer.
    language_prior: str | None = None
    #: Rules for its site, newest first; which of them hold is decided by the day of the fetch.
    site_rules: tuple[SiteRule, ...] = ()

    def header(self, name: str) -> str | None:
        """Give the first response header of that name, whatever its case."""
        wanted = name.lower()
        return next((value for key, value in self.http_headers if key.lower() == wanted), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A document as text."""

    raw: RawDocument
    text: str
    media: Literal["html", "text"]
    #: Canonical lower-case Python codec name, such as "utf-8" or "cp1251".
    charset: str
    charset_source: Literal["source", "bom", "http", "meta", "detected", "default"]
    #: What the bytes made necessary: "undecodable_bytes x 3", "drop_nul x 1".
    fixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One visible piece of a page: a paragraph, a heading, a button, a line."""

    text: str
    role: Role
    keep: bool
    #: What decided, as "where:what", for instance "lexicon:el:ad" or "judge:story".
    rule: str
    #: The HTML element it came from ("p", "h2", "li"), or "line" in a text dump.
    element: str
    #: Surroundings that say what it is for ("nav", "caption", "quote"); see normalize.segments.
    places: frozenset[str] = frozenset()
    #: Characters inside links divided by all characters, 0..1.
    link_density: float = 0.0
    #: Links in it: address as written, and the words they stand on.
    links: tuple[tuple[str, str], ...] = ()
    #: A blank line before it in a text dump; always True for HTML.
    spaced: bool = True

    @property
    def undecided(self) -> bool:
        """Has no rule said yet what this is? Then it is story, or left out for no reason but that it looks like none."""
        return self.keep or self.role == "boilerplate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One statement about one field, and who made it."""

    field: str
    value: str
    #: Where it stood: "json-ld", "meta", "title-tag", "block", "url", "http", "row", "feed", ...
    origin: str
    #: The key there: "datePublished", "og:title", "lexicon:de:date", ...
    rule: str

    @property
    def is_given(self) -> bool:
        """Was this said beside the document, in a row or feed, and not in it?"""
        return self.origin in {"given", "feed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One picture of the story. Addresses are absolute where the page's own address is known."""

    url: str | None
    alt: str | None = None
    caption: str | None = None
    credit: str | None = None
    #: The picture that the page shows for the whole story.
    lead: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A document as blocks in page order, with all that it claims of itself."""

    decoded: Decoded
    blocks: tuple[Block, ...]
    #: In the order of trust within one field: the first that can be used wins.
    claims: tuple[Claim, ...] = ()
    images: tuple[Image, ...] = ()
    #: Kinds declared by the page: schema.org types and og:type, lower case.
    types: tuple[str, ...] = ()
    #: What was repaired, as "name x count" in the order it was done.
    fixes: tuple[str, ...] = ()

    def claimed(self, name: str) -> tuple[Claim, ...]:
        """Give the claims about one field, most trusted first."""
        return tuple(claim for claim in self.claims if claim.field == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A point in time as far as somebody wrote it down."""

    #: Aware, UTC. Parts that were not written are 1 (month, day) or 0.
    at: datetime
    precision: Precision
    #: The zone as written ("+02:00", "EET"); None means none was written and UTC is assumed.
    tz: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """One kept block of the finished text."""

    role: KeptRole
    text: str
    lang: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """One block that was cut away: kept here, not lost."""

    role: RemovedRole
    rule: str
    text: str
    #: Kept blocks that stand before it on the page; not published.
    after: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldOrigin:
    """Which source and rule a field of the record came from."""

    field: str
    origin: str
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """The language of a text and how sure that is."""

    #: BCP 47, or "und" where the evidence does not carry.
    tag: str
    #: ISO 15924 code of the script most letters belong to; None without letters.
    script: str | None = None
    #: Probability of the answer, 0..1; None for "und".
    score: float | None = None
    #: Score minus that of the next best answer.
    margin: float | None = None
    #: What decided: "script" or "evidence".
    method: str = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslatedText:
    """One text as translated by machine."""

    text: str
    #: Geometric mean of the probabilities the model gave its own tokens, 0..1; None where it translated nothing.
    score: float | None = None
    #: What is wrong with it or was done about it; see ``normalize.translate.engine``.
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """A document in another language, text by text beside the original."""

    status: TranslationStatus
    #: Language translated into, BCP 47.
    lang: str | None = None
    title: TranslatedText | None = None
    subtitle: TranslatedText | None = None
    #: One for each of the article's paragraphs, in their order.
    paragraphs: tuple[TranslatedText, ...] = ()
    #: One for each of the article's images; None for an image without a caption. Empty when not asked for.
    captions: tuple[TranslatedText | None, ...] = ()
    #: Language tags passed through, first to last.
    path: tuple[str, ...] = ()
    #: Labels of the models used, in the order of the path.
    models: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()

    @property
    def text(self) -> str | None:
        """The translated paragraphs joined by a blank line."""
        return "\n\n".join(paragraph.text for paragraph in self.paragraphs) if self.paragraphs else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """A document with all that one document alone can tell. See ``schemas.record`` for meanings."""

    raw: RawDocument
    raw_sha256: str
    record_id: str
    story_id: str
    paragraphs: tuple[Paragraph, ...]
    removed: tuple[Removed, ...]
    language: Language
    page_type: PageType
    charset: str
    charset_source: str
    url: str | None = None
    url_canonical: str | None = None
    domain: str | None = None
    publisher: str | None = None
    title: str | None = None
    subtitle: str | None = None
    description: str | None = None
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    section: str | None = None
    images: tuple[Image, ...] = ()
    agencies: tuple[str, ...] = ()
    cited_urls: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    published: Moment | None = None
    published_source: str | None = None
    published_conflict: bool | None = None
    modified: Moment | None = None
    is_free: bool | None = None
    lang_declared: str | None = None
    lang_conflict: bool | None = None
    text_fixes: tuple[str, ...] = ()
    quality_flags: tuple[str, ...] = ()
    origins: tuple[FieldOrigin, ...] = ()
    dup_of: str | None = None
    dup_kind: Literal["exact", "near"] | None = None
    dup_score: float | None = None
    translation: Translation = Translation(status="off")
    #: MinHash signature of the text, for the duplicate index; not published.
    signature: tuple[int, ...] = field(default=(), repr=False)
    #: Prints of the paragraphs, one for each, and of what was removed, for the templates of sites; not published.
    prints: tuple[int, ...] = field(default=(), repr=False)
    removed_prints: frozenset[int] = field(default=frozenset(), repr=False)

    @property
    def text(self) -> str:
        """The kept blocks joined by a blank line."""
        return "\n\n".join(paragraph.text for paragraph in self.paragraphs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A document, or a part of an input, that did not become a record, and why.

    ``stage`` and ``reason`` are countable words; ``detail`` says what was seen and what to do.
    The rest points to the bytes.
    """

    stage: str
    reason: str
    detail: str
    source_kind: str
    source_uri: str
    source_member: str | None = None
    source_offset: int | None = None
    source_length: int | None = None
    raw_sha256: str | None = None
    url: str | None = None
    warc_record_id: str | None = None
    fetched_at: datetime | None = None
    source_id: str | None = None

    @classmethod
    def of(cls, raw: RawDocument, *, stage: str, reason: str, detail: str, raw_sha256: str | None) -> "Rejected":
        """Reject a whole document, with the pointer to its bytes."""
        return cls(
            stage=stage,
            reason=reason,
            detail=detail,
            source_kind=raw.source_kind,
            source_uri=raw.source_uri,
            source_member=raw.source_member,
            source_offset=raw.source_offset,
            source_length=raw.source_length,
            raw_sha256=raw_sha256,
            url=raw.url,
            warc_record_id=raw.warc_record_id,
            fetched_at=raw.fetched_at,
            source_id=raw.source_id,
        )
