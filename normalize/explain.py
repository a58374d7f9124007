"""Why a document came out as it did: each field with who said it and who was not believed, each block with its rule.

The document goes down the road of ``normalize.path`` itself, watched on its way, so what is shown here is what a run does.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from typing import Final

from normalize.clean import RULES
from normalize.dates import parse_moment
from normalize.options import DocumentOptions
from normalize.path import run_document
from schemas.document import Article, Claim, Decoded, FieldOrigin, Moment, Page, RawDocument, Rejected
from schemas.record import COLUMNS, Column, RunStamp, articles_to_frame

#: The claims that compete for a column. A claim of another field speaks for one column only, the one of its own name.
COMPETING: Final[dict[str, tuple[str, ...]]] = {
    "url_canonical": ("canonical",),
    "publisher": ("publisher", "publisher_hint"),
    "title": ("title", "title_loose"),
    "subtitle": ("subtitle",),
    "description": ("description",),
    "authors": ("author",),
    "tags": ("tag", "tags"),
    "section": ("section",),
    "images": ("image",),
    "agencies": ("agency",),
    "cited_urls": ("cited",),
    "published_at": ("published", "time", "published_guess"),
    "modified_at": ("modified",),
    "is_free": ("free", "tier"),
    "lang_declared": ("lang",),
}

#: Columns that only a run can fill, and those that the blocks and the place of the document show better.
_NOT_FIELDS: Final = frozenset(
    column.name for column in COLUMNS if column.group in {"translation", "cleaning", "provenance", "run"}
) - {"quality_flags"} | {"text", "paragraphs", "dup_of", "dup_kind", "dup_score"}

#: Rows need a run's stamp; no field that is shown depends on it.
_NO_RUN: Final = RunStamp(run_id="", run_date=date.min, config_sha256="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """A claim that did not make the value."""

    claim: Claim
    #: It says the same all the same.
    agrees: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column of the record and where its value is from."""

    column: Column
    #: As the record holds it; None where nothing is known.
    value: object
    #: Who said it; None for what is worked out from the whole document.
    origin: FieldOrigin | None = None
    #: What belongs to the value but has no column of its own.
    note: str | None = None
    #: Most trusted first.
    others: tuple[Other, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One document and all that can be said of how it came out."""

    outcome: Article | Rejected
    #: None where the source could not even give the bytes.
    raw: RawDocument | None = None
    #: The furthest states that were reached.
    decoded: Decoded | None = None
    page: Page | None = None
    #: In the order of the record's columns; empty for a rejected document.
    fields: tuple[Field, ...] = ()


def explain(document: RawDocument | Rejected, options: DocumentOptions) -> Explanation:
    """Take one document down the road and keep what was seen on the way. Never raises for a bad document."""
    if isinstance(document, Rejected):
        return Explanation(outcome=document)
    states: list[Decoded | Page] = []
    outcome = run_document(document, options, states.append)
    decoded = next((state for state in states if isinstance(state, Decoded)), None)
    page = next((state for state in reversed(states) if isinstance(state, Page)), None)
    if page and isinstance(outcome, Rejected) and outcome.stage == "clean":
        # It was refused for what its rules found, so their verdicts are the explanation.
        page = reduce(lambda judged, rule: rule(judged), RULES, page)
    fields = tuple(_fields(outcome, page)) if page and isinstance(outcome, Article) else ()
    return Explanation(outcome=outcome, raw=document, decoded=decoded, page=page, fields=fields)


def _fields(article: Article, page: Page) -> Iterator[Field]:
    row = articles_to_frame([article], _NO_RUN).row(0, named=True)
    origins = {origin.field: origin for origin in article.origins}
    notes = {"published_at": _written(article.published), "modified_at": _written(article.modified)}
    for column in COLUMNS:
        name = column.name
        if name in _NOT_FIELDS:
            continue
        claims = [claim for field in COMPETING.get(name, ()) for claim in page.claimed(field)]
        yield Field(
            column=column,
            value=row[name],
            origin=origins.get(name),
            note=notes.get(name),
            others=tuple(
                Other(claim=claim, agrees=_agrees(claim, row[name]))
                for claim in _not_taken(claims, row[name], origins.get(name))
            ),
        )


def _written(moment: Moment | None) -> str | None:
    if moment is None:
        return None
    zone = f"zone {moment.tz}" if moment.tz else "no zone, taken as UTC"
    return f"written to the {moment.precision}, {zone}"


def _not_taken(claims: Sequence[Claim], value: object, origin: FieldOrigin | None) -> list[Claim]:
    """Give the claims that did not make the value."""
    if origin is None:
        items = value if isinstance(value, list) else []
        made = [str(item.get("url") if isinstance(item, dict) else item) for item in items]
        return [claim for claim in claims if not any(item in claim.value for item in made)]
    if isinstance(value, list):
        # The people of one origin are taken together.
        return [claim for claim in claims if claim.origin != origin.origin]
    # A headline that was cut has a word on it behind the name of its claim, and a time does not stand as it was written.
    taken = (
        claim
        for claim in claims
        if claim.origin == origin.origin
        and (origin.rule == claim.rule or origin.rule.startswith(f"{claim.rule} "))
        and (not isinstance(value, str) or value in claim.value)
    )
    winner = next(taken, None)
    return [claim for claim in claims if claim is not winner]


def _agrees(claim: Claim, value: object) -> bool:
    if isinstance(value, datetime):
        moment = parse_moment(claim.value)
        return moment is not None and moment.at == value
    return claim.value in value if isinstance(value, list) else claim.value == value
