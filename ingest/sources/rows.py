"""What a row means, whatever the table it stands in: JSON Lines, CSV and Parquet agree here."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Final, Unpack

from ingest.sources.instants import as_utc, instant
from ingest.sources.limits import Limits
from ingest.sources.look import LOOK, looks_like_markup
from ingest.sources.opened import Opened, Where
from schemas.document import Discovered, RawDocument, Rejected
from schemas.errors import SourceError

#: What we read of a row -> the columns it may stand in: ours first, then those that other tools write, in the order in which
#: the first with a value wins. A dot leads into a nested object; a flat column may have the dot in its name as well. All names
#: in any case. As seen in: news-please 1.6.16, Fundus at b139777, newspaper4k 0.9.6, trafilatura 2.3.1, datatrove 0.10.
#:
#: Left out with reason: newspaper4k's ``source_url`` is the home page of the site, its ``keywords`` are computed from the text,
#: and trafilatura's ``filedate`` is the day of its extraction.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "html": ("html", "html.content", "raw_html", "article_html"),
    "text": ("text", "maintext", "plaintext", "raw_text", "content", "body", "article"),
    "id": ("id",),
    "url": (
        "url", "link", "html.responded_url", "html.requested_url", "responded_url", "requested_url", "metadata.url",
        "source", "canonical_link",
    ),
    "title": ("title", "headline", "title_rss", "metadata.title"),
    "published": (
        "published", "published_at", "date_publish", "publish_date", "publishing_date", "publication_date", "pubdate",
        "pub_date", "date",
    ),
    "fetched_at": ("fetched_at", "date_download", "html.crawl_date", "crawl_date", "metadata.date"),
    "authors": ("authors", "author", "byline", "creator"),
    "tags": ("tags", "topics", "categories", "meta_keywords"),
}  # fmt: skip
#: Columns whose name does not say whether markup stands in them.
_EITHER = frozenset({"content", "body", "article"})
#: Each of these is a document by itself, or part of one; the others may begin any text.
_OURS = frozenset({"html", "text"})
#: How other tools write that they know no time.
_NO_TIME = frozenset({"none", "null", "nan", "nat"})
#: As many authors or tags are taken of a row, and as many characters of one of them.
_MOST_VALUES, _LONGEST_VALUE = 40, 2_000
#: Python's way to show a list of names, as a table that pandas wrote has it in a cell.
_SHOWN_LIST = re.compile(r"""'([^']*)'|"([^"]*)"|([^\[\],'"]+)""")

#: How much of a wrong value is shown, in characters.
_SHOWN = 80


def document_of_row(
    opened: Opened,
    number: int,
    row: Mapping[str, object],
    limits: Limits,
    **where: Unpack[Where],
) -> RawDocument | Rejected:
    """Make a document of one row, or say what is wrong with the row.

    Args:
        opened: The table.
        number: Of the row, from 1; it names the row when there is no ``id``.
        row: Values by column name, in any case.
        limits: How large the content may be.
        where: Where the row lies, if that can be said.

    Returns:
        The document; its member is the id, or the number. Or a rejection with reason
        ``bad_row``, ``empty`` or ``too_large``, whose member is the number.

    """
    cells = {name.strip().lower(): value for name, value in row.items() if name}
    try:
        media, content, charset = _content(cells)
        limits.check_size(len(content))
        about = {name: _said(name, cells) for name in ("id", "url", "title", "published")}
    except SourceError as error:
        return bad_row(opened, number, error, **where)
    published, fetched = about["published"], _first(cells, "fetched_at")
    if "dump" in cells and cells.get("date") == published:  # of Common Crawl: FineWeb's date is that of the crawl
        published, fetched = None, fetched or published
    discovered = Discovered(
        title=about["title"],
        published=published,
        authors=_names(_first(cells, "authors")),
        tags=_names(_first(cells, "tags")),
    )
    where["source_member"] = about["id"] or str(number)
    where["url"] = about["url"]
    where["fetched_at"] = _instant(fetched)
    return opened.document(
        content,
        media="html" if media == "html" else "text",
        charset=charset,
        discovered=None if discovered == Discovered() else discovered,
        **where,
    )


def known(names: Iterable[str]) -> list[str]:
    """Give the columns of a table that mean something to us, as they are written there."""
    roots = {name.partition(".")[0] for columns in COLUMNS.values() for name in columns} | {"dump"}
    dotted = {name for columns in COLUMNS.values() for name in columns}
    return [name for name in names if name.strip().lower() in roots | dotted]


def has_content(names: Iterable[str], *, for_certain: bool = False) -> bool:
    """Say whether a table with these columns holds documents.

    Args:
        names: Of the columns.
        for_certain: Whether the names are all there is to go by: "Article, date" may begin a story, so two columns count
            only where one has our own name, and else it takes three.

    >>> has_content(["Article", "date"]), has_content(["Article", "date"], for_certain=True)
    (True, False)
    """
    lower = {name.strip().lower() for name in names}
    content = lower & {*COLUMNS["html"], *COLUMNS["text"]}
    enough = 1 if not for_certain else 2 if content & _OURS else 3
    return bool(content) and len(known(lower)) >= enough


def bad_row(opened: Opened, number: int, error: SourceError, **where: Unpack[Where]) -> Rejected:
    """Reject one row, with its number in front of what is wrong."""
    where["source_member"] = str(number)
    return opened.reject(SourceError(error.reason, f"row {number}: {error.detail}"), **where)


def shown(value: object) -> str:
    r"""Show a wrong value to people: the first 80 characters, control characters escaped.

    >>> shown("a\n"), shown(12)
    ("'a\\n'", '12')
    """
    if isinstance(value, str | bytes):
        value = value[:_SHOWN]  # a repr of megabytes would be made only to be cut
    return repr(value)[: _SHOWN + 2]


def _content(cells: Mapping[str, object]) -> tuple[str, bytes, str | None]:
    empty: list[str] = []
    for media in ("html", "text"):
        for name in COLUMNS[media]:
            value = _cell(cells, name)
            if value in ("", b""):
                empty.append(name)
            elif name == "body" and isinstance(value, Mapping) and (text := _fundus_text(value)):
                return "text", _encoded(name, text), "utf-8"
            elif isinstance(value, bytes):
                return _media(media, name, value[:LOOK].decode("latin-1")), value, None  # of Parquet: as it was sent
            elif isinstance(value, str):
                return _media(media, name, value[:LOOK]), _encoded(name, value), "utf-8"
            elif name in _OURS and value is not None and not isinstance(value, Mapping):
                what = f'"{name}" is {type(value).__name__}, not a string: {shown(value)}'
                raise SourceError(reason="bad_row", detail=what)
    if empty:
        raise SourceError(reason="empty", detail=f'"{empty[0]}" has no characters')
    columns = ", ".join(sorted(cells)) or "none"
    raise SourceError(reason="bad_row", detail=f"no text and no html; it has {shown(columns)}")


def _media(media: str, name: str, start: str) -> str:
    return "html" if name in _EITHER and looks_like_markup(start) else media


def _fundus_text(body: Mapping[object, object]) -> str:
    """Join what Fundus keeps apart: a summary, and sections of a headline and paragraphs."""
    sections = body.get("sections")
    parts = [body.get("summary")]
    for section in sections if isinstance(sections, list) else []:
        if isinstance(section, Mapping):
            parts += [section.get("headline"), section.get("paragraphs")]
    texts = [text for part in parts if isinstance(part, list) for text in part if isinstance(text, str)]
    return "\n\n".join(text for text in texts if text.strip())


def _cell(cells: Mapping[str, object], name: str) -> object:
    """Give the value of a column, or one inside of it where the name leads there."""
    if name in cells:
        return cells[name]
    outer, dot, inner = name.partition(".")
    nested = cells.get(outer) if dot else None
    if not isinstance(nested, Mapping):
        return None
    return next((value for key, value in nested.items() if isinstance(key, str) and key.lower() == inner), None)


def _first(cells: Mapping[str, object], meaning: str) -> object:
    """Give the first value of what may stand in several columns."""
    values = (_cell(cells, name) for name in COLUMNS[meaning])
    return next((value for value in values if value not in (None, "", []) and not _is_no_time(value)), None)


def _is_no_time(value: object) -> bool:
    return isinstance(value, str) and value.strip().lower() in _NO_TIME


def _said(meaning: str, cells: Mapping[str, object]) -> str | None:
    """Read what a row says of its document. Our own columns must make sense; what others write does or is passed over."""
    for name in COLUMNS[meaning]:
        value = _cell(cells, name)
        if name == meaning:
            words = _words(name, value)
        else:
            words = _shown(str(value)) if isinstance(value, str | date) else None
        if not words or (meaning == "published" and _is_no_time(words)):
            continue
        # "source" may be the name of an agency.
        if meaning == "url" and name != "url" and not words.startswith(("http://", "https://")):
            continue
        return words
    return None


def _names(value: object) -> tuple[str, ...]:
    """Read authors or tags: a list, objects with a ``name``, or a text parted by semicolons or shown as Python shows lists."""
    return tuple(name for name, _ in zip(dict.fromkeys(_each_name(value)), range(_MOST_VALUES), strict=False))


def _each_name(value: object) -> Iterator[str]:
    parts: list[object]
    if isinstance(value, str):
        value = value[: _MOST_VALUES * _LONGEST_VALUE].strip()
        if value.startswith("[") and value.endswith("]"):
            parts = ["".join(found.groups("")) for found in _SHOWN_LIST.finditer(value)]
        else:
            parts = [*value.split(";")]
    elif isinstance(value, list | tuple):
        parts = [one.get("name") if isinstance(one, Mapping) else one for one in value[: 2 * _MOST_VALUES]]
    else:
        parts = [value.get("name")] if isinstance(value, Mapping) else []
    for part in parts:
        if isinstance(part, str) and (name := _shown(part[:_LONGEST_VALUE].strip())):
            yield name


def _shown(text: str) -> str:
    # Half of a surrogate pair, as broken JSON has them, has no form in UTF-8.
    return text.encode("utf-8", "replace").decode()


def _encoded(name: str, value: str) -> bytes:
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        near = ascii(value[max(error.start - 20, 0) : error.start + 20])
        what = f'"{name}" has a lone surrogate at character {error.start}: {near[:_SHOWN]}'
        raise SourceError(reason="bad_row", detail=what) from error


def _words(name: str, value: object) -> str | None:
    """Read a cell that says something about the document; "" is nothing."""
    if value is None or value == "":
        return None
    if isinstance(value, date):  # datetime is one of them
        return value.isoformat()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        what = f'"{name}" is {type(value).__name__}, not a string or number: {shown(value)}'
        raise SourceError(reason="bad_row", detail=what)
    _encoded(name, value)
    return value


def _instant(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return as_utc(value)
    return instant(value) if isinstance(value, str) else None
