"""When a story was published and changed, by the best of the times that a page claims."""

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from htmldate import find_date
from lxml.html import HtmlElement

from normalize.dates import find_moment, parse_moment
from normalize.kind import page_type
from normalize.options import DocumentOptions
from normalize.segments import parse
from schemas.document import Block, Claim, Moment, Page

#: Two claims this far apart are not one publication seen through two clocks or roundings.
_CONFLICT = timedelta(days=1)

#: Clocks of servers and fetchers differ; later than this after the fetch is an error of the page.
_SLACK = timedelta(days=2)

#: Stems of "updated" around a visible time.
_UPDATED = re.compile(
    r"updated|last modified|aktualis|aktualiz|mis à jour|actualiz|actualitz|aggiornat|atualiz|bijgewerkt|ενημέρωση|ανανέωση|обновлен|"
    r"оновлен|промяна|ажурирано|ažurirano|güncelle|uppdater|opdater|oppdater|päivitetty|frissít|تحديث|به‌?روز|עודכן|更新|수정|अपडेट|cập nhật",
    re.IGNORECASE,
)

_URL_DATE = re.compile(
    r"(?:^|/|-|_)((?:19|20)\d{2})[/\-_.]?(0[1-9]|1[0-2])[/\-_.]?(0[1-9]|[12]\d|3[01])(?=$|/|-|_|\.|\D)"
)


_NO_STORY = frozenset({"listing", "error", "other"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """The answer, with who gave it."""

    published: Moment | None = None
    claim: Claim | None = None
    #: Another claim names another day; None where there is nothing to compare.
    conflict: bool | None = None
    modified: Moment | None = None
    modified_claim: Claim | None = None


def publication(page: Page) -> Publication:
    """Choose the times: what a feed said, JSON-LD, meta, microdata, then the URL, the lines around the headline, a guess.

    A time is never invented: what was not written stays out of ``precision``, and a time later than the fetch
    (plus two days) is passed over.
    """
    readings = list(_possible(page))
    published = next(iter(readings), None)
    modified = next(iter(_modifications(page)), None)
    if published is None:
        return Publication(modified=modified[1] if modified else None, modified_claim=modified[0] if modified else None)
    claim, moment = published
    # The same day in finer detail: the text may say the hour where the markup says only the day.
    finer = next(
        (
            (c, m)
            for c, m in readings
            if _rank(m) > _rank(moment) and abs(m.at - moment.at) < _CONFLICT and c.origin != "url"
        ),
        None,
    )
    if finer and moment.precision in {"year", "month", "day"}:
        claim, moment = finer
    others = [m for _, m in readings if m is not moment]
    conflict = any(abs(m.at - moment.at) > _CONFLICT for m in others) if others else None
    return Publication(
        published=moment,
        claim=claim,
        conflict=conflict,
        modified=modified[1] if modified else None,
        modified_claim=modified[0] if modified else None,
    )


def _possible(page: Page) -> Iterator[tuple[Claim, Moment]]:
    """Give the times of publication that are not later than the fetch."""
    latest = (page.decoded.raw.fetched_at or datetime.max.replace(tzinfo=UTC) - _SLACK) + _SLACK
    return ((claim, moment) for claim, moment in _readings(page) if moment.at <= latest)


def _readings(page: Page) -> Iterator[tuple[Claim, Moment]]:
    """Give every time of publication that the page names, most trusted first, with who named it."""
    for claim in page.claimed("published"):
        if moment := _read(claim, page):
            yield claim, moment
    if (written := url_date(page.decoded.raw.url)) and (moment := parse_moment(written)):
        yield Claim(field="published", value=written, origin="url", rule="path"), moment
    for block in _near_title(page):
        word = _UPDATED.search(block.text)
        found = find_moment(
            block.text[: word.start()] if word else block.text,
            languages=_languages(page),
            reference=page.decoded.raw.fetched_at,
        )
        if found:
            yield Claim(field="published", value=block.text, origin="block", rule=block.rule), found.moment
    for claim in page.claimed("time")[:1]:
        if moment := _read(claim, page):
            yield claim, moment
    for claim in page.claimed("published_guess"):
        if moment := _read(claim, page):
            yield claim, moment


def url_date(url: str | None) -> str | None:
    """Give the day in an address, such as ".../2026/01/07/...", as "2026-01-07"."""
    match = _URL_DATE.search(url or "")
    return "-".join(match.groups()) if match else None


def _modifications(page: Page) -> Iterator[tuple[Claim, Moment]]:
    for claim in page.claimed("modified"):
        if moment := _read(claim, page):
            yield claim, moment
    for block in _near_title(page):
        if word := _UPDATED.search(block.text):
            rest = block.text[word.end() :]
            if found := find_moment(rest, languages=_languages(page), reference=page.decoded.raw.fetched_at):
                yield Claim(field="modified", value=block.text, origin="block", rule=block.rule), found.moment


def _read(claim: Claim, page: Page) -> Moment | None:
    return parse_moment(claim.value, languages=_languages(page), reference=page.decoded.raw.fetched_at)


def _languages(page: Page) -> tuple[str, ...]:
    return tuple(dict.fromkeys(claim.value.split("-")[0].split("_")[0].lower() for claim in page.claimed("lang")))


def _near_title(page: Page) -> list[Block]:
    """Lines that are a time, from just above the headline to the first paragraphs, else right below the story."""
    dates = [(number, block) for number, block in enumerate(page.blocks) if block.role == "date"]
    if not dates:
        return []
    title = next((n for n, b in enumerate(page.blocks) if b.role == "title"), None)
    kept = [n for n, b in enumerate(page.blocks) if b.keep]
    start = (title if title is not None else kept[0] if kept else 0) - 8
    end = (kept[0] if kept else len(page.blocks)) + 6
    inside = [block for number, block in dates if start <= number <= end]
    if inside or not kept:
        return inside
    return [block for number, block in dates if kept[-1] < number <= kept[-1] + 6]


def _rank(moment: Moment) -> int:
    return ("year", "month", "day", "hour", "minute", "second").index(moment.precision)


def with_guess(page: Page, options: DocumentOptions) -> Page:
    """Ask htmldate where nothing on the page names a time; its answer is a day, often right, never sure.

    The date of a page that is no story would be the date of something on it.
    """
    if page.decoded.media != "html" or next(_possible(page), None) or page_type(page)[0] in _NO_STORY:
        return page
    raw = page.decoded.raw
    # Read again, because a page keeps no tree; one in ten comes this far.
    guess = guess_date(parse(page.decoded.text, options), raw.url, raw.fetched_at)
    return replace(page, claims=(*page.claims, guess)) if guess else page


def guess_date(tree: HtmlElement, url: str | None, latest: datetime | None) -> Claim | None:
    """Let htmldate search the page, also where it says nothing of itself."""
    with warnings.catch_warnings():
        # dateutil warns of every zone name that it does not know; the day is all we take.
        warnings.simplefilter("ignore")
        found = find_date(
            tree,
            url=url,
            original_date=True,
            extensive_search=True,
            max_date=latest.date().isoformat() if latest else None,
        )
    return Claim(field="published_guess", value=found, origin="htmldate", rule="find_date") if found else None
