"""Cleaned page -> article: each field from the first claim that can be used, with its origin."""

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import replace

from normalize import people
from normalize.address import canonical_url, domain_of, joined, page_url, record_id, story_id
from normalize.boilerplate.lines import is_agency, split_credit, split_picture_credit
from normalize.headline import choose_title, site_names
from normalize.kind import is_free, page_type
from normalize.language.detect import detect, detect_paragraph
from normalize.main_text import key
from normalize.options import DocumentOptions
from normalize.publication import Publication, publication
from schemas.document import (
    Article,
    Claim,
    FieldOrigin,
    Image,
    KeptRole,
    Language,
    Page,
    PageType,
    Paragraph,
    Removed,
    RemovedRole,
)
from schemas.language import primary

#: Texts of the comment section shorter than this are buttons and names, in characters.
_COMMENT_CHARS = 20

#: A text under this is a note or a leftover, in characters.
_SHORT_TEXT = 200

#: Tags are separated by commas in keyword lists of every script.
_TAG_SEPARATOR = re.compile(r"\s*[,;،、，|·•]\s*")
_MOST_TAGS = 40
_TAG_CHARS = 60


def describe(page: Page, raw_sha256: str, options: DocumentOptions) -> Article:
    """Decide every field of the record that one document can tell."""
    raw = page.decoded.raw
    url = page_url(page)
    canonical = canonical_url(page, url.value if url else None)
    title = choose_title(page)
    kind, kind_rule = page_type(page)
    paragraphs = _paragraphs(page, kind)
    said = _first(page, "lang")
    language = _language(title.value if title else None, paragraphs, said.value if said else None, options)
    times = publication(page)
    authors, author_claim, credited = people.authors(page)
    subtitle = _subtitle(page, title)
    description = _first(page, "description")
    publisher = _publisher(page)
    declared = next((claim for claim in page.claimed("lang") if claim.origin != "catalogue"), None)
    record = record_id(raw, raw_sha256)
    stale = page.claimed("stale_rule")
    named = {
        "url": url,
        "url_canonical": canonical,
        "title": title,
        "subtitle": subtitle,
        "description": description,
        "publisher": publisher,
        "authors": author_claim,
        "section": _first(page, "section"),
        "published_at": times.claim,
        "modified_at": times.modified_claim,
        "lang_declared": declared,
        "page_type": Claim(field="page_type", value=kind, origin="rules", rule=kind_rule),
    }
    return Article(
        raw=raw,
        raw_sha256=raw_sha256,
        record_id=record,
        story_id=story_id(canonical.value if canonical else None, record),
        url=url.value if url else None,
        url_canonical=canonical.value if canonical else None,
        domain=domain_of(url.value if url else None),
        publisher=publisher.value if publisher else None,
        title=title.value if title else None,
        subtitle=subtitle.value if subtitle else None,
        description=description.value if description else None,
        paragraphs=tuple(replace(p, lang=detect_paragraph(p.text, language)) for p in paragraphs),
        removed=_removed(page),
        language=language,
        page_type=kind,
        charset=page.decoded.charset,
        charset_source=page.decoded.charset_source,
        authors=authors,
        tags=_tags(page),
        section=_value(named["section"]),
        images=_images(page, url.value if url else None),
        agencies=_agencies(page, credited),
        cited_urls=tuple(dict.fromkeys(claim.value for claim in page.claimed("cited"))),
        comments=tuple(
            b.text
            for b in page.blocks
            if b.role == "comments" and len(b.text) >= _COMMENT_CHARS and not b.rule.startswith("lexicon")
        ),
        published=times.published,
        published_source=f"{times.claim.origin}:{times.claim.rule}" if times.claim else None,
        published_conflict=times.conflict,
        modified=times.modified,
        is_free=is_free(page),
        lang_declared=declared.value if declared else None,
        lang_conflict=_conflict(declared.value if declared else None, language),
        text_fixes=page.decoded.fixes + page.fixes,
        quality_flags=_doubts(title, times, paragraphs, stale_rules=bool(stale)),
        origins=(
            *(
                FieldOrigin(field=field, origin=claim.origin, rule=claim.rule)
                for field, claim in named.items()
                if claim
            ),
            *(FieldOrigin(field=claim.rule, origin="stale_rule", rule=claim.value) for claim in stale),
        ),
    )


def without(article: Article, cut: Mapping[int, str], options: DocumentOptions) -> Article:
    """Take paragraphs out of a finished article, and decide again what was read from its text.

    Args:
        article: What ``describe`` gave.
        cut: Number of a paragraph -> the rule that takes it. Must leave at least one.
        options: Those that ``describe`` had.
    """
    kept: list[Paragraph] = []
    removed: list[Removed] = []
    earlier = deque(article.removed)
    for number, paragraph in enumerate(article.paragraphs):
        while earlier and earlier[0].after <= number:
            removed.append(replace(earlier.popleft(), after=len(kept)))
        if number in cut:
            removed.append(Removed(role="boilerplate", rule=cut[number], text=paragraph.text, after=len(kept)))
        else:
            kept.append(paragraph)
    removed += [replace(block, after=len(kept)) for block in earlier]
    paragraphs = tuple(kept)
    language = _language(article.title, paragraphs, article.lang_declared, options)
    decks = {paragraph.text for paragraph in paragraphs if paragraph.role == "deck"}
    gone = {paragraph.text for paragraph in article.paragraphs if paragraph.role == "deck"} - decks
    # Not by field: a stale rule names its key beside the one who did give the field.
    origins = article.origins
    if article.subtitle in gone:
        origins = tuple(one for one in origins if one.field != "subtitle" or one.origin == "stale_rule")
    return replace(
        article,
        paragraphs=tuple(replace(p, lang=detect_paragraph(p.text, language)) for p in paragraphs),
        removed=tuple(removed),
        subtitle=None if article.subtitle in gone else article.subtitle,
        language=language,
        lang_conflict=_conflict(article.lang_declared, language),
        quality_flags=(
            *(doubt for doubt in article.quality_flags if doubt not in _doubts_of_text(article.paragraphs)),
            *_doubts_of_text(paragraphs),
        ),
        origins=origins,
    )


def _value(claim: Claim | None) -> str | None:
    return claim.value if claim else None


def _first(page: Page, field: str) -> Claim | None:
    return next(iter(page.claimed(field)), None)


def _paragraphs(page: Page, kind: PageType) -> tuple[Paragraph, ...]:
    """Give the kept blocks; the entries of a listing are teasers whatever their markup says."""
    found = []
    for block in page.blocks:
        if block.keep:
            role: KeptRole = block.role  # type: ignore[assignment]  # kept blocks have kept roles
            if kind == "listing" and role != "deck":
                role = "teaser"
            found.append(Paragraph(role=role, text=block.text))
    return tuple(found)


def _removed(page: Page) -> tuple[Removed, ...]:
    found = []
    kept = 0
    for block in page.blocks:
        if block.keep:
            kept += 1
        else:
            role: RemovedRole = block.role  # type: ignore[assignment]  # see above
            found.append(Removed(role=role, rule=block.rule, text=block.text, after=kept))
    return tuple(found)


def _language(
    title: str | None, paragraphs: tuple[Paragraph, ...], declared: str | None, options: DocumentOptions
) -> Language:
    # The longest first: they carry the verdict, and the detector reads only so much.
    texts = sorted((p.text for p in paragraphs), key=len, reverse=True)
    return detect([*texts, *([title] if title else [])], min_score=options.min_lang_score, declared=primary(declared))


def _doubts(
    title: Claim | None, times: Publication, paragraphs: tuple[Paragraph, ...], *, stale_rules: bool
) -> tuple[str, ...]:
    """Name what a reader may want to filter by."""
    doubts = {"no_title": title is None, "no_date": times.published is None, "stale_site_rule": stale_rules}
    return (*(doubt for doubt, found in doubts.items() if found), *_doubts_of_text(paragraphs))


def _doubts_of_text(paragraphs: tuple[Paragraph, ...]) -> tuple[str, ...]:
    doubts = {
        "short_text": sum(len(paragraph.text) for paragraph in paragraphs) < _SHORT_TEXT,
        "replacement_characters": any("\N{REPLACEMENT CHARACTER}" in paragraph.text for paragraph in paragraphs),
    }
    return tuple(doubt for doubt, found in doubts.items() if found)


def _conflict(declared: str | None, language: Language) -> bool | None:
    said = primary(declared) if declared else None
    if said is None or language.tag == "und":
        return None
    # One code for Norwegian, another for its two written forms.
    found = primary(language.tag) or language.tag
    forms = {"nb": "no", "nn": "no"}
    return forms.get(said, said) != forms.get(found, found)


def _subtitle(page: Page, title: Claim | None) -> Claim | None:
    for block in page.blocks:
        if block.keep and block.role == "deck":
            return Claim(field="subtitle", value=block.text, origin="block", rule=block.rule)
    given = _first(page, "subtitle")
    return given if given and (title is None or key(given.value) != key(title.value)) else None


def _publisher(page: Page) -> Claim | None:
    """Take the site's name from the catalogue, the markup, the head, or a line that gives it away."""
    claims = page.claimed("publisher") + page.claimed("publisher_hint")
    return next((claim for claim in claims if not claim.value.startswith(("http://", "https://", "@"))), None)


def _tags(page: Page) -> tuple[str, ...]:
    sites = site_names(page)
    found: dict[str, str] = {}
    # One origin only: the same tags come in three spellings otherwise.
    own = [claim for claim in page.claims if not claim.is_given]
    given = [claim for claim in page.claims if claim.is_given]
    for field, claims in (("tag", own), ("tags", own), ("tag", given)):
        origins = dict.fromkeys(claim.origin for claim in claims if claim.field == field)
        for origin in origins:
            for claim in claims:
                if claim.field == field and claim.origin == origin:
                    for tag in _TAG_SEPARATOR.split(claim.value) if field == "tags" else (claim.value,):
                        name = tag.strip(" #")
                        if name and len(name) <= _TAG_CHARS and key(name) not in sites:
                            found.setdefault(key(name), name)
            if found:
                return tuple(found.values())[:_MOST_TAGS]
    return ()


def _images(page: Page, url: str | None) -> tuple[Image, ...]:
    shown = _first(page, "image")
    found = []
    for image in page.images:
        caption, credit = image.caption, image.credit
        parts = (split_credit(caption) or split_picture_credit(caption)) if caption else None
        if parts:
            caption, credit = parts[0], credit or parts[1]
        if credit and (alone := split_credit(credit) or split_picture_credit(credit)):
            credit = alone[1]
        address = joined(url, image.url) if image.url else None
        found.append(replace(image, url=address, caption=caption, credit=credit))
    if shown and not any(image.url and _file(image.url) == _file(shown.value) for image in found):
        address = joined(url, shown.value)
        # The first picture of the text is the lead in another size, unless it has none.
        if address and not found:
            found.insert(0, Image(url=address, lead=True))
    if found and not any(image.lead for image in found):
        found[0] = replace(found[0], lead=True)
    return tuple(found)


def _file(url: str) -> str:
    return url.split("?", maxsplit=1)[0].rsplit("/", 1)[-1]


def _agencies(page: Page, credited: tuple[str, ...]) -> tuple[str, ...]:
    names = [claim.value for claim in page.claimed("agency")] + list(credited)
    for block in page.blocks:
        # A source or byline line that is nothing but an agency's name.
        if block.role in {"source", "author", "agency"} and block.rule != "line:agency":
            names += [part.strip() for part in re.split(r"[:：/,;|–—-]", block.text) if is_agency(part)]
    return tuple(dict.fromkeys(names))
