"""When a story was published and changed, by the best of the times that a page claims."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from normalize.dates import find_moment, is_date_line, parse_moment
from normalize.kind import page_type
from normalize.undated import UPDATED, guess
from schemas.document import Block, Claim, Moment, Page

#: Two claims this far apart are not one publication seen through two clocks or roundings.
_CONFLICT = timedelta(days=1)

#: Clocks of servers and fetchers differ; later than this after the fetch is an error of the page.
_SLACK = timedelta(days=2)

_URL_DATE = re.compile(
    r"(?:^|/|-|_)((?:19|20)\d{2})[/\-_.]?(0[1-9]|1[0-2])[/\-_.]?(0[1-9]|[12]\d|3[01])(?=$|/|-|_|\.|\D)"
)


#: Of the lines near the headline so many may count back: farther on they date comments and other stories.
_NEAREST = 3

#: Longer lines of a byline tell a life, in characters.
_BYLINE = 160

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
    """Choose the times: what a feed said, JSON-LD, meta, microdata, then the lines around the headline, the URL, a guess.

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
    latest = _latest(page)
    return ((claim, moment) for claim, moment in _readings(page) if moment.at <= latest)


def _latest(page: Page) -> datetime:
    return (page.decoded.raw.fetched_at or datetime.max.replace(tzinfo=UTC) - _SLACK) + _SLACK


def _readings(page: Page) -> Iterator[tuple[Claim, Moment]]:
    """Give every time of publication that the page names, most trusted first, with who named it."""
    for claim in page.claimed("published"):
        if moment := _read(claim, page):
            yield claim, moment
    near = _near_title(page)
    lines = list(_lines(page, near))
    by_address = _by_address(page)
    # What stands near the headline is finer than the address, unless it is of another day: then it dates something else.
    if by_address and all(abs(moment.at - by_address[1].at) > 2 * _CONFLICT for _, moment in lines):
        yield by_address
    yield from lines
    for claim in page.claimed("time")[:1]:
        if moment := _read(claim, page):
            yield claim, moment
    if by_address:
        yield by_address
    yield from _counted(page, near[:_NEAREST])
    for claim in page.claimed("published_guess"):
        if moment := _read(claim, page):
            yield claim, moment


def _lines(page: Page, blocks: Sequence[Block]) -> Iterator[tuple[Claim, Moment]]:
    """Give the times that lines around the headline name."""
    for block in blocks:
        word = UPDATED.search(block.text)
        text = block.text[: word.start()] if word else block.text
        if found := find_moment(text, languages=_languages(page)):
            yield Claim(field="published", value=block.text, origin="block", rule=block.rule), found.moment


def _counted(page: Page, blocks: Sequence[Block]) -> Iterator[tuple[Claim, Moment]]:
    """Give the times that count back from the fetch ("2 hours ago"), and those without a year."""
    for block in blocks:
        # "5 min read" is no time, though "5 min" is one in some languages.
        if block.role == "date" and not UPDATED.search(block.text) and is_date_line(block.text):
            reference = page.decoded.raw.fetched_at
            if found := find_moment(block.text, languages=_languages(page), reference=reference):
                yield Claim(field="published", value=block.text, origin="block", rule=block.rule), found.moment


def _by_address(page: Page) -> tuple[Claim, Moment] | None:
    written = url_date(page.decoded.raw.url)
    moment = parse_moment(written) if written else None
    return (Claim(field="published", value=written, origin="url", rule="path"), moment) if written and moment else None


def url_date(url: str | None) -> str | None:
    """Give the day in an address, such as ".../2026/01/07/...", as "2026-01-07"."""
    match = _URL_DATE.search(url or "")
    return "-".join(match.groups()) if match else None


def _modifications(page: Page) -> Iterator[tuple[Claim, Moment]]:
    for claim in page.claimed("modified"):
        if moment := _read(claim, page):
            yield claim, moment
    for block in _near_title(page):
        if word := UPDATED.search(block.text):
            rest = block.text[word.end() :]
            if found := find_moment(rest, languages=_languages(page), reference=page.decoded.raw.fetched_at):
                yield Claim(field="modified", value=block.text, origin="block", rule=block.rule), found.moment


def _read(claim: Claim, page: Page) -> Moment | None:
    return parse_moment(claim.value, languages=_languages(page), reference=page.decoded.raw.fetched_at)


def _languages(page: Page) -> tuple[str, ...]:
    return tuple(dict.fromkeys(claim.value.split("-")[0].split("_")[0].lower() for claim in page.claimed("lang")))


def _near_title(page: Page) -> list[Block]:
    """Lines that are a time or a byline, from just above the headline to the first paragraphs, else right below the story."""
    dates = [
        (number, block)
        for number, block in enumerate(page.blocks)
        if block.role == "date" or (block.role == "author" and len(block.text) <= _BYLINE)
    ]
    if not dates:
        return []
    title = next((n for n, b in enumerate(page.blocks) if b.role == "title"), None)
    kept = [n for n, b in enumerate(page.blocks) if b.keep]
    start = (title if title is not None else kept[0] if kept else 0) - 8
    end = (kept[0] if kept else len(page.blocks)) + 6
    inside = [(number, block) for number, block in dates if start <= number <= end]
    # A time below the headline is the story's more often than one above it, and a line of its own more often than a byline.
    inside.sort(key=lambda item: (item[1].role != "date", title is not None and item[0] < title))
    if inside or not kept:
        return [block for _, block in inside]
    return [block for number, block in dates if kept[-1] < number <= kept[-1] + 6]


def _rank(moment: Moment) -> int:
    return ("year", "month", "day", "hour", "minute", "second").index(moment.precision)


def with_guess(page: Page) -> Page:
    """Look for a date all over the page where nothing in its markup or beside its headline names a time.

    The date of a page that is no story would be the date of something on it.
    """
    if page.decoded.media != "html" or next(_possible(page), None) or page_type(page)[0] in _NO_STORY:
        return page
    found = guess(page, _languages(page), _latest(page))
    return replace(page, claims=(*page.claims, found)) if found else page
