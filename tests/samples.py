"""The sample documents under seeds/ and the records their authors expect, read for the tests."""

import codecs
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ingest.catalogue import inputs_of
from ingest.sources import Limits, read_input
from normalize.options import DocumentOptions
from normalize.path import run_document
from schemas.document import Article, RawDocument, Rejected

SEEDS = Path(__file__).parent.parent / "seeds"


@dataclass(frozen=True)
class Sample:
    """One document and what its author expects of it."""

    name: str
    raw: RawDocument | Rejected
    expected: dict[str, Any]


@cache
def samples() -> tuple[Sample, ...]:
    """Every document of the catalogue beside its expected record, in catalogue order."""
    return tuple(_samples())


def _samples() -> Iterator[Sample]:
    for source in inputs_of(SEEDS / "sources.toml"):
        stem = Path(source.uri).stem
        expected = tomllib.loads((SEEDS / "expected" / f"{stem}.toml").read_text("utf-8"))
        for raw in read_input(source, Limits()):
            if isinstance(expected.get("record"), list):
                rows = {row["id"]: {"record": row} for row in expected["record"]}
                rows |= {str(row["member"]): {"rejected": row} for row in expected["rejected"]}
                member = str(raw.source_member)
                yield Sample(name=f"{stem}:{member}", raw=raw, expected=rows.get(member, {}))
            else:
                yield Sample(name=stem, raw=raw, expected=expected)


def outcome_of(sample: Sample) -> Article | Rejected:
    """Take a sample down the road."""
    if isinstance(sample.raw, Rejected):
        return sample.raw
    return run_document(sample.raw, DocumentOptions())


def differences(outcome: Article | Rejected, expected: dict[str, Any]) -> list[str]:
    """Say in which points an outcome is not what was expected, one line each."""
    if "rejected" in expected:
        wanted = expected["rejected"]
        if isinstance(outcome, Rejected) and (outcome.stage, outcome.reason) == (wanted["stage"], wanted["reason"]):
            return []
        return [f"expected to be rejected as {wanted['stage']}/{wanted['reason']}, got {_short(outcome)}"]
    if isinstance(outcome, Rejected):
        return [f"expected a record, got {_short(outcome)}"]
    wanted = expected["record"]
    got = _values(outcome)
    found = [
        f"{name}: expected {wanted[name]!r}, got {got[name]!r}"
        for name in got
        if name != "images" and name in wanted and got[name] != wanted[name]
    ]
    found += [
        f"{name}: expected null, got {got[name]!r}" for name in wanted.get("null", ()) if got[name] not in (None, [])
    ]
    found += _paragraph_differences(outcome, wanted.get("paragraphs"))
    found += _image_differences(outcome, wanted.get("images", ()))
    for cut in wanted.get("removed", ()):
        text = _plain(cut["text"])
        same = [
            one
            for one in outcome.removed
            if text in _plain(one.text) or (len(one.text) > 15 and _plain(one.text) in text)
        ]
        if not same:
            found.append(f"removed: {cut['role']} {text[:60]!r} is not among the removed blocks")
        elif cut["role"] not in {one.role for one in same}:
            found.append(f"removed: {text[:60]!r} expected as {cut['role']}, got {same[0].role} ({same[0].rule})")
    if wanted.get("text_fixes_present") and not outcome.text_fixes:
        found.append("text_fixes: expected repairs, none is noted")
    return found


def _plain(text: str) -> str:
    return " ".join(text.split())


def _short(outcome: Article | Rejected) -> str:
    if isinstance(outcome, Rejected):
        return f"{outcome.stage}/{outcome.reason}: {outcome.detail}"
    return f"a record with {len(outcome.text)} characters: {outcome.text[:80]!r}"


def _values(article: Article) -> dict[str, Any]:
    published, modified = article.published, article.modified
    return {
        "title": article.title,
        "subtitle": _plain(article.subtitle) if article.subtitle else None,
        "description": article.description,
        "publisher": article.publisher,
        "lang": article.language.tag,
        "lang_script": article.language.script,
        "page_type": article.page_type,
        "is_free": article.is_free,
        "url_canonical": article.url_canonical,
        "published_at": published.at if published else None,
        "published_precision": published.precision if published else None,
        "published_tz": published.tz if published else None,
        "modified_at": modified.at if modified else None,
        "authors": list(article.authors),
        "agencies": list(article.agencies),
        "tags": list(article.tags),
        "section": article.section,
        "cited_urls": list(article.cited_urls),
        "charset": codecs.lookup(article.charset).name,
        "images": list(article.images),
    }


def _paragraph_differences(article: Article, wanted: list[dict[str, str]] | None) -> list[str]:
    if wanted is None:
        return []
    got = [(p.role, _plain(p.text)) for p in article.paragraphs]
    expected = [(p["role"], _plain(p["text"])) for p in wanted]
    texts, expected_texts = [text for _, text in got], [text for _, text in expected]
    found = [f"paragraphs: {role} missing: {text[:70]!r}" for role, text in expected if text not in texts]
    found += [
        f"paragraphs: {role} should not be there: {text[:70]!r}" for role, text in got if text not in expected_texts
    ]
    roles = {text: role for role, text in got}
    found += [
        f"paragraphs: {text[:50]!r} expected as {role}, got {roles[text]}"
        for role, text in expected
        if text in roles and roles[text] != role
    ]
    return found or ([] if texts == expected_texts else ["paragraphs: right texts in the wrong order"])


def _image_differences(article: Article, wanted: list[dict[str, Any]]) -> list[str]:
    got = [(image.caption, image.credit) for image in article.images]
    return [
        f"images: expected {image.get('caption')!r} by {image.get('credit')!r}, got {got}"
        for image in wanted
        if (image.get("caption"), image.get("credit")) not in got
    ]
