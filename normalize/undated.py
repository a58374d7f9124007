"""The day of a story that no markup dates: what its lines, its address and its scripts give away.

The result is a guess and is called so in the record. Nothing is invented: every guess stands on the page as a date, and a
year in a copyright notice, which dates the site and no story, does not count.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from normalize.dates import find_moment, parse_moment
from schemas.document import Block, Claim, Moment, Page

#: Stems of "updated" around a visible time.
UPDATED = re.compile(
    r"updated|last modified|aktualis|aktualiz|mis à jour|actualiz|actualitz|aggiornat|atualiz|bijgewerkt|ενημέρωση|ανανέωση|обновлен|"
    r"оновлен|промяна|ажурирано|ažurirano|güncelle|uppdater|opdater|oppdater|päivitetty|frissít|تحديث|به‌?روز|עודכן|更新|수정|अपडेट|cập nhật",
    re.IGNORECASE,
)

#: A line with a date in it is a headline's neighbour so far above or below it, in blocks.
_ABOVE: Final = 8
_BELOW: Final = 15
#: Lines right below the story ("Press release of 7 January 2026").
_CLOSING: Final = 6
#: Longer lines are prose: only their beginning may be a dateline ("Bergen, 7 January 2026 –"), in characters.
_LINE: Final = 160
_DATELINE: Final = 60
#: So many paragraphs of the story may begin with one.
_PARAGRAPHS: Final = 3
#: A date in any other line of the page counts only where it is most of that line.
_MOSTLY: Final = 0.4

#: Keys for the time of publication in the data that scripts and attributes of a page hold.
_KEYED: Final = re.compile(
    r"(?:date[-_]?published|published?[-_]?(?:at|date|time|on)|pub[-_]?date|date[-_]?created|created[-_]?at|uploaded|dc:date|[a-z]{2,12}:date)"
    r"(?:\\?[\"']|&quot;)?\s*(?::|=|content=)\s*(?:\\?[\"']|&quot;)(\d{4}-\d\d-\d\d(?:[T ][\d:.]{5,15}(?:Z|[+-]\d\d:?\d\d)?)?)",
    re.IGNORECASE,
)
#: Meta elements with names of their own ("published-date").
_META: Final = re.compile(
    r"<meta\s[^<>]{0,120}?(?:publish|created|upload|:date)[^<>\"']{0,20}[\"'][^<>]{0,80}?content=[\"'](\d{4}-\d\d-\d\d[^\"'<>]{0,30})",
    re.IGNORECASE,
)
_META_BEFORE: Final = re.compile(
    r"<meta\s+content=[\"'](\d{4}-\d\d-\d\d[^\"'<>]{0,30})[\"'][^<>]{0,60}?(?:publish|created|upload|:date)",
    re.IGNORECASE,
)

#: "/29-10-2021" and "/2011/12/" in an address, "/2020/03/04/" in the address of a picture.
_DAY_FIRST_PATH: Final = re.compile(
    r"[/_-](0[1-9]|[12]\d|3[01])[-_.](0[1-9]|1[0-2])[-_.]((?:19|20)\d\d)(?=$|[/_.-]|\D)"
)
_MONTH_PATH: Final = re.compile(r"/((?:19|20)\d\d)/(0[1-9]|1[0-2])(?=/)")
_DAY_PATH: Final = re.compile(r"/((?:19|20)\d\d)[/-]?(0[1-9]|1[0-2])[/-]?(0[1-9]|[12]\d|3[01])(?=/|_|-|\D)")

#: So much of a page's source is searched for such keys, in characters.
_SEARCHED: Final = 2_000_000

_DIGITS: Final = re.compile(r"\d\d")
_NOTICE: Final = re.compile(r"©|\([cC]\)|copyright", re.IGNORECASE)
#: Lines of these roles date other stories, or the site.
_OTHERS: Final = frozenset({"related", "comments", "legal", "navigation", "ad"})


def guess(page: Page, languages: Sequence[str], latest: datetime) -> Claim | None:
    """Give the best of the dates that the page holds anywhere, none of them after ``latest``; None where it holds none."""
    for claim, moment in _guesses(page, languages):
        if moment.at <= latest:
            return claim
    return None


def _guesses(page: Page, languages: Sequence[str]) -> Iterator[tuple[Claim, Moment]]:
    text = page.decoded.text[:_SEARCHED]
    for pattern in (_META, _META_BEFORE):
        for match in pattern.finditer(text):
            yield from _guess(match[1].strip(), "meta")
    kept = [number for number, block in enumerate(page.blocks) if block.keep]
    title = next((n for n, b in enumerate(page.blocks) if b.role == "title" or b.element == "h1"), None)
    top = kept[0] if kept else len(page.blocks)
    start = title if title is not None and title <= top else top
    # Below the headline first, then above it, the nearest first.
    near = [*range(start, min(start + _BELOW, len(page.blocks))), *range(start - 1, max(-1, start - _ABOVE - 1), -1)]
    yield from _in_lines(page.blocks, near, languages, "near the headline")
    for match in _KEYED.finditer(text):
        yield from _guess(match[1], "data")
    for number in kept[:_PARAGRAPHS]:
        if found := find_moment(page.blocks[number].text[:_DATELINE], languages=languages):
            yield from _guess(page.blocks[number].text[found.start : found.end], "dateline", languages)
    if kept:
        closing = range(kept[-1] + 1, min(kept[-1] + 1 + _CLOSING, len(page.blocks)))
        yield from _in_lines(page.blocks, closing, languages, "below the story")
    yield from _in_addresses(page)
    for claim in page.claimed("title"):
        if found := find_moment(claim.value, languages=languages):
            yield from _guess(claim.value[found.start : found.end], "title", languages)
    everywhere = range(len(page.blocks))
    yield from _in_lines(page.blocks, everywhere, languages, "on the page", mostly=_MOSTLY)
    # Nothing but the time of the last change: the story is no younger.
    for claim in page.claimed("modified"):
        yield from _guess(claim.value, "changed", languages)
    yield from _in_lines(page.blocks, everywhere, languages, "changed", changed=True)
    yield from _months(page)


def _guess(value: str, rule: str, languages: Sequence[str] = ()) -> Iterator[tuple[Claim, Moment]]:
    if moment := parse_moment(value, languages=languages):
        yield Claim(field="published_guess", value=value, origin="guess", rule=rule), moment


def _in_lines(
    blocks: Sequence[Block],
    numbers: Sequence[int],
    languages: Sequence[str],
    rule: str,
    *,
    mostly: float = 0,
    changed: bool = False,
) -> Iterator[tuple[Claim, Moment]]:
    for number in numbers:
        block = blocks[number]
        if (
            len(block.text) > _LINE
            or block.role in _OTHERS
            or not _DIGITS.search(block.text)
            or _NOTICE.search(block.text)
        ):
            continue
        word = UPDATED.search(block.text)
        if word and not changed:
            continue
        found = find_moment(block.text, languages=languages)
        if found and found.end - found.start >= mostly * len(block.text):
            yield from _guess(block.text[found.start : found.end], rule, languages)


def _in_addresses(page: Page) -> Iterator[tuple[Claim, Moment]]:
    if match := _DAY_FIRST_PATH.search(page.decoded.raw.url or ""):
        yield from _guess(f"{match[3]}-{match[2]}-{match[1]}", "address")
    for claim in page.claimed("image")[:1]:
        if match := _DAY_PATH.search(claim.value):
            yield from _guess("-".join(match.groups()), "address of the picture")


def _months(page: Page) -> Iterator[tuple[Claim, Moment]]:
    addresses = [page.decoded.raw.url or "", *(claim.value for claim in page.claimed("image")[:1])]
    for address in addresses:
        if match := _MONTH_PATH.search(address):
            yield from _guess("-".join(match.groups()), "month in an address")
