"""What kind of page this is: an article, or something that an analyst wants to leave out."""

import re
from collections.abc import Sequence

from normalize.boilerplate.head import SENTENCE_END
from schemas.document import Block, Page, PageType

#: Below these a page cannot be what it is not called, in characters of kept text.
_STUB_CHARS = 800
_GALLERY_CHARS = 800
_ERROR_CHARS = 1_000
_VIDEO_CHARS = 500

#: In a headline 500 may be people and "not found" a sailor, so both need a word beside them or the place of one.
_ERROR_TITLE = re.compile(
    r"\b(?:error|http|page|fehler|erreur|ошибка|помилка|σφάλμα|błąd|hata)\W{0,3}(?:404|403|410|500|503)\b|"
    r"(?:^|[|–—-]\s)\s*(?:404|403|410|500|503)\s*(?:$|\s[|–—-]\s|error\b|not found|forbidden|internal server|service un|page\b)|"
    r"^\W*(?:not found\b|410 gone\b|access denied)|\b(?:page|article|document|file|content|url)\b[^.]{0,30}\bnot found\b|page (?:does not exist|cannot be found)|seite nicht gefunden|page (?:introuvable|non trouvée)|"
    r"página no encontrada|pagina non trovata|página não encontrada|страница не найдена|сторінку не знайдено|η σελίδα δεν βρέθηκε|"
    r"nie znaleziono strony|sayfa bulunamadı|الصفحة غير موجودة|页面不存在|ページが見つかりません",
    re.IGNORECASE,
)

#: A wall stands right below the last paragraph, in blocks.
_WALL_BLOCKS = 5

_LISTING_TYPES = frozenset({"collectionpage", "itemlist", "searchresultspage"})

#: Times between the entries of a live blog.
_LIVE_TIMES = 5
#: A listing has at least this many entries.
_LISTING_ENTRIES = 8
_TEASER_CHARS = 400

_NAME = re.compile(r"(?<=\S )((?:[A-ZÀ-ÞΑ-ΩА-ЯЁЇІЄҐ][\w’'-]+ ){1,2}[A-ZÀ-ÞΑ-ΩА-ЯЁЇІЄҐ][\w’'-]+)")


def page_type(page: Page) -> tuple[PageType, str]:
    """Say what kind of page it is and which evidence decided."""
    kept = [block for block in page.blocks if block.keep]
    chars = sum(len(block.text) for block in kept)
    status = page.decoded.raw.http_status
    failed = any(_ERROR_TITLE.search(claim.value) for claim in page.claimed("title"))
    if status is not None and status >= 400:  # noqa: PLR2004
        return "error", f"http:{status}"
    if chars < _ERROR_CHARS and failed:
        return "error", "title"
    if is_declared_listing(page) and len(kept) >= _LISTING_ENTRIES and all(block.role == "teaser" for block in kept):
        return "listing", "declared"
    if "liveblogposting" in page.types or _live_times(page.blocks) >= _LIVE_TIMES:
        return "live_blog", "json-ld:LiveBlogPosting" if "liveblogposting" in page.types else "times between entries"
    if chars < _STUB_CHARS and (rule := _behind_paywall(page)):
        return "paywall_stub", rule
    story = _has_story(page)
    if not story and chars < _VIDEO_CHARS and any(kind.startswith("video") for kind in page.types):
        return "video", "declared"
    captioned = sum(1 for image in page.images if image.caption)
    if {"imagegallery", "mediagallery"} & set(page.types) or (captioned > 5 and chars < _GALLERY_CHARS):  # noqa: PLR2004
        return "gallery", "pictures"
    if rule := _listing(page, kept, chars, story=story):
        return "listing", rule
    return "article", "default"


def is_declared_listing(page: Page) -> bool:
    """Does the page say that it lists stories, and not that it is one?"""
    return bool(_LISTING_TYPES & set(page.types)) and not _has_story(page)


def _has_story(page: Page) -> bool:
    return any("article" in kind or kind in {"blogposting", "liveblogposting", "report"} for kind in page.types)


def is_free(page: Page) -> bool | None:
    """Read the page's own word on whether everybody may read it; None where it says nothing."""
    for claim in page.claimed("free"):
        if claim.value in {"true", "false", "1", "0"}:
            return claim.value in {"true", "1"}
    for claim in page.claimed("tier"):
        if claim.value in {"free", "locked"}:
            return claim.value == "free"
    return False if _walled(page) else None


def _walled(page: Page) -> bool:
    """Does a short text break off at an invitation to subscribe?"""
    kept = [number for number, block in enumerate(page.blocks) if block.keep]
    if not kept or sum(len(page.blocks[number].text) for number in kept) >= _STUB_CHARS:
        return False
    below = page.blocks[kept[-1] + 1 : kept[-1] + 1 + _WALL_BLOCKS]
    return any(block.role == "paywall" and block.rule.startswith("lexicon:") for block in below)


def _behind_paywall(page: Page) -> str | None:
    if is_free(page) is False:
        declared = [claim for claim in page.claims if claim.field in {"free", "tier"}]
        return f"{declared[0].origin}:{declared[0].rule}" if declared else "paywall phrase"
    return None


def _live_times(blocks: Sequence[Block]) -> int:
    """Count the times that stand between kept blocks, as above the entries of a live blog."""
    kept = [number for number, block in enumerate(blocks) if block.keep]
    if not kept:
        return 0
    times = [n for n, block in enumerate(blocks) if block.role == "date" and kept[0] < n < kept[-1]]
    return sum(1 for n in times if n + 1 < len(blocks) and any(b.keep for b in blocks[n + 1 : n + 4]))


def _listing(page: Page, kept: Sequence[Block], chars: int, *, story: bool) -> str | None:
    entries = [block for block in kept if block.role != "deck"]
    if len(entries) < _LISTING_ENTRIES:
        return None
    if page.decoded.media == "html":
        linked = sum(block.link_density * len(block.text) for block in entries)
        declared = is_declared_listing(page)
        if not story and linked > (0.25 if declared else 0.5) * chars:
            return "links"
        if not story and declared and all(len(block.text) < _TEASER_CHARS for block in entries):
            return "declared"
        return None
    return _teasers(page.blocks, entries)


def _teasers(blocks: Sequence[Block], entries: Sequence[Block]) -> str | None:
    """Recognise a dump of teasers: one sentence each, each of them introducing its people anew.

    A story is told in running paragraphs: some have several sentences, people who were named in full come back by
    surname, and many paragraphs are quotations. Teasers share none of this; two of three signs are needed, because short
    news has one-sentence paragraphs too.
    """
    single = sum(
        1
        for b in entries
        if SENTENCE_END.search(b.text) and len(re.findall(r"[.!?…。！？؟।]['\"”’»）)]*\s+\S", b.text)) <= 1
    )
    if single < 0.9 * len(entries) or any(b.role == "heading" for b in entries):
        return None
    if any(len(b.text) > _TEASER_CHARS for b in entries):
        return None
    names: dict[str, int] = {}
    for block in entries:
        for name in set(_NAME.findall(" " + block.text)):
            names[name] = names.get(name, 0) + 1
    signs = (
        any(block.role == "duplicate" for block in blocks),
        max(names.values(), default=0) >= 4,  # noqa: PLR2004  (the same person introduced in full four times)
        sum(1 for b in entries if re.search(r"[“\"«„].+[”\"»“]", b.text)) <= 0.1 * len(entries),
    )
    return "teasers" if sum(signs) >= 2 else None  # noqa: PLR2004
