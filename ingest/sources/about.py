"""How a stored page was found, as it stands in the metadata record of its WARC group.

The crawler writes these fields and the reader of WARC files reads them, so both are here. The block is
``application/warc-fields`` (ISO 28500:2017, 8.3): UTF-8, one ``name: value`` a line. Our names begin with
``babelwire-``, and ``babelwire-kind`` comes first, so that records of other crawlers are never taken for ours; ``via`` is
the norm's own name (6.6) and says the same once more to other readers.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal, cast, get_args

Kind = Literal["page", "entry", "feed", "sitemap", "list", "robots", "policy", "script", "redirect", "error"]

FIELDS_TYPE: Final = "application/warc-fields"

#: Kinds that are documents; the others were fetched on the way to them.
DOCUMENTS: Final[frozenset[str]] = frozenset({"page", "entry"})

#: A longer block is none of ours, in bytes; with the bounds below none comes near it.
LONGEST_BLOCK: Final = 1024 * 1024

#: Values are cut behind so many characters, lists behind so many values. Feeds are hostile.
_LONGEST_VALUE: Final = 2_000
_MOST_VALUES: Final = 40

_PREFIX: Final = "babelwire-"
_FIRST: Final = f"{_PREFIX}kind:".encode()

#: What could begin a line of its own for some reader: controls of ASCII and Latin-1, and the separators that
#: ``str.splitlines`` knows.
_CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """How one exchange came about. None and () where nothing is known."""

    kind: Kind
    #: The catalogue's entry for the source, and what it says of it.
    source_id: str
    publisher: str | None = None
    #: BCP 47 tag that the catalogue expects.
    language: str | None = None
    #: Address of the feed, sitemap or list that named this address.
    found_in: str | None = None
    #: The address that redirected here.
    via: str | None = None
    #: As written in the entry of the feed or sitemap.
    guid: str | None = None
    title: str | None = None
    published: str | None = None
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    #: Opt-out signals that were seen, such as "tdm-reservation: 0".
    signals: tuple[str, ...] = ()

    @property
    def is_document(self) -> bool:
        """Is this a page or a text, and not something read on the way to one?"""
        return self.kind in DOCUMENTS


#: Name of the field -> attribute, in the order they are written. Those of ``_LISTS`` may come several times.
_SINGLE: Final = {
    "kind": "kind",
    "source": "source_id",
    "publisher": "publisher",
    "language": "language",
    "found-in": "found_in",
    "redirected-from": "via",
    "guid": "guid",
    "title": "title",
    "published": "published",
}
_LISTS: Final = {"author": "authors", "tag": "tags", "signal": "signals"}


def one_line(text: str) -> str:
    r"""Give a text as the value of a field: what would end the line becomes a space.

    >>> one_line(" Ferry\r\nWARC-Type: response\x00 ")
    'Ferry WARC-Type: response'
    """
    return _CONTROLS.sub(" ", text).strip()


def to_block(about: About) -> bytes:
    """Write the fields. A value that is nothing but blanks is left out, a longer one than 2,000 characters is cut."""
    lines = [(_PREFIX + name, getattr(about, attribute)) for name, attribute in _SINGLE.items()]
    for name, attribute in _LISTS.items():
        lines += [(_PREFIX + name, value) for value in getattr(about, attribute)[:_MOST_VALUES]]
    written = [(name, one_line(value)[:_LONGEST_VALUE].rstrip()) for name, value in lines if value]
    known = {name: value for name, value in written if value}
    written.append(("via", known.get(f"{_PREFIX}redirected-from") or known.get(f"{_PREFIX}found-in", "")))
    # Half of a surrogate pair, as broken JSON has them, has no form in UTF-8.
    return "".join(f"{name}: {value}\r\n" for name, value in written if value).encode("utf-8", "replace")


def from_block(block: bytes) -> About | None:
    """Read the fields back; None when they are not ours, or of a kind that this version does not know."""
    if not block.startswith(_FIRST):
        return None
    values: dict[str, list[str]] = {}
    for line in block.decode("utf-8", "replace").split("\n"):
        name, _, value = line.partition(":")
        if name.startswith(_PREFIX) and (value := value.strip()[:_LONGEST_VALUE]):
            values.setdefault(name.removeprefix(_PREFIX), []).append(value)
    kind = values["kind"][0] if "kind" in values else None
    if kind not in get_args(Kind) or "source" not in values:
        return None
    single = {attribute: values[name][0] for name, attribute in _SINGLE.items() if name in values}
    lists = {attribute: tuple(values.get(name, ())[:_MOST_VALUES]) for name, attribute in _LISTS.items()}
    return About(
        kind=cast("Kind", kind),
        source_id=single["source_id"],
        publisher=single.get("publisher"),
        language=single.get("language"),
        found_in=single.get("found_in"),
        via=single.get("via"),
        guid=single.get("guid"),
        title=single.get("title"),
        published=single.get("published"),
        authors=lists["authors"],
        tags=lists["tags"],
        signals=lists["signals"],
    )
