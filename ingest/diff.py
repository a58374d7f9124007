"""Two runs over the same documents, column by column: what other options or another version change.

Records are the same document if they have the same ``record_id``. Every column of both is hashed as it streams past, and
only hashes meet: a million records fit into memory, their texts need not.
"""

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from ingest.query import open_tables
from ingest.store import Manifest, read_manifests
from schemas.errors import SetupError
from schemas.quality.finding import Tables
from schemas.record import RECORD

#: Differ between any two runs, or say again what another column says.
_OF_THE_RUN: Final = frozenset({"record_id", "run_id", "run_date", "schema_version", "config_sha256", "text_sha256"})
COMPARED: Final = tuple(name for name in RECORD if name not in _OF_THE_RUN)

#: Columns whose values are counted from A to B.
CROSSED: Final = ("lang", "page_type")

#: Examples of one column.
EXAMPLES: Final = 3

#: Kinds that a line lists.
_LISTED: Final = 10

#: A value is cut after so many code points.
LONGEST_VALUE: Final = 160

#: A difference of words is cut after so many code points.
LONGEST_DIFF: Final = 600

#: So many words and spaces around a change are shown, and so many of a changed stretch looked at: difflib takes the square of them.
_WORDS_AROUND: Final = 12
_WORDS_COMPARED: Final = 400

# Scripts that write without spaces are compared sign by sign.
_SIGNS: Final = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff"
_WORDS: Final = re.compile(rf"[{_SIGNS}]|\s+|[^\W{_SIGNS}]+|[^\w\s]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two runs."""

    folder: str
    run_id: str
    run_date: str
    babelwire: str
    records: int
    quarantined: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One record in which a column differs."""

    record_id: str
    #: Both values, cut; lists and structs as JSON, None for null.
    a: str | None
    b: str | None
    #: For strings: words taken away as [-…-], words put in as {+…+}, with some words around them.
    words: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnChange:
    """What became of one column in the records of both runs."""

    column: str
    changed: int
    #: Of these, null in A, and null in B.
    set_in_b: int
    gone_in_b: int
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """Records whose value went from one to another."""

    a: str
    b: str
    records: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """All that differs between two runs."""

    a: Side
    b: Side
    #: Option or tool -> its value in A and in B.
    settings: Mapping[str, tuple[Any, Any]]
    in_both: int
    #: Of these, equal in every column compared.
    equal: int
    only_in_a: int
    only_in_b: int
    #: What became of records of one run in the other: "stage/reason" of a refusal, or "not there" -> records.
    a_became: Mapping[str, int]
    b_was: Mapping[str, int]
    #: Those that changed, most changed first.
    columns: tuple[ColumnChange, ...]
    #: For lang and page_type, what went from where to where; the same to the same too.
    crossings: Mapping[str, tuple[Crossing, ...]]
    #: Code points of all texts of records in both; and records whose text is longer or shorter in B.
    characters_a: int
    characters_b: int
    longer: int
    shorter: int


def diff(a: str, b: str) -> Difference:
    """Compare two runs, each named as FOLDER, which means its last run, or as FOLDER:RUN_ID.

    Raises:
        SetupError: If a folder or a run is not there.
    """
    first, second = _Opened.of(a), _Opened.of(b)
    joined = _joined(first.articles, second.articles)
    only_a, only_b = _only_in(first, joined), _only_in(second, joined)
    crossings = {
        name: tuple(
            Crossing(a=str(one), b=str(other), records=count)
            for one, other, count in joined.group_by(f"{name} in a", f"{name} in b")
            .len()
            .sort("len", f"{name} in a", f"{name} in b", descending=[True, False, False])
            .iter_rows()
        )
        for name in CROSSED
    }
    lengths = joined["characters in a"], joined["characters in b"]
    return Difference(
        a=first.side,
        b=second.side,
        settings=_settings(first.manifest, second.manifest),
        in_both=joined.height,
        equal=joined.filter(~pl.any_horizontal(COMPARED)).height,
        only_in_a=only_a.height,
        only_in_b=only_b.height,
        a_became=_became(only_a, second.quarantine),
        b_was=_became(only_b, first.quarantine),
        columns=_columns(first, second, joined),
        crossings=crossings,
        characters_a=int(lengths[0].sum()),
        characters_b=int(lengths[1].sum()),
        longer=int((lengths[1] > lengths[0]).sum()),
        shorter=int((lengths[1] < lengths[0]).sum()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """One run with its tables."""

    side: Side
    manifest: Manifest
    articles: pl.LazyFrame
    quarantine: pl.LazyFrame

    @classmethod
    def of(cls, name: str) -> "_Opened":
        """Open what a person named."""
        folder, run_id = Path(name), None
        if not folder.is_dir() and ":" in name:
            before, _, run_id = name.rpartition(":")
            folder = Path(before)
        # Says what is wrong with the folder, if something is.
        open_tables(folder)
        manifests = read_manifests(folder)
        found = [item for item in manifests if run_id in (None, item["run_id"])]
        if not found:
            known = ", ".join(f"{item['run_id']} of {item['run_date']}" for item in manifests[-10:]) or "none"
            message = f'{folder} has no run "{run_id or ""}"; its last runs are: {known}'
            raise SetupError(message)
        manifest = found[-1]
        tables = Tables(**open_tables(folder, only={manifest["run_id"]}))
        side = Side(
            folder=folder.as_posix(),
            run_id=manifest["run_id"],
            run_date=manifest["run_date"],
            babelwire=manifest["tools"]["babelwire"],
            records=manifest["counts"]["records"],
            quarantined=manifest["counts"]["quarantined"],
        )
        return cls(side=side, manifest=manifest, articles=tables.articles, quarantine=tables.quarantine)


def _settings(a: Manifest, b: Manifest) -> dict[str, tuple[Any, Any]]:
    """Give the options and tools that differ."""
    values = [
        {
            **_flat("", item.get("options", {})),
            **_flat("tools.", item["tools"]),
            "schema_version": item["schema_version"],
        }
        for item in (a, b)
    ]
    for side, item in zip(values, (a, b), strict=True):
        # Labels of what texts go through, not the folders that were declared.
        side["models"] = item.get("models", [])
    names = sorted(values[0].keys() | values[1].keys())
    return {
        name: (values[0].get(name), values[1].get(name)) for name in names if values[0].get(name) != values[1].get(name)
    }


def _flat(before: str, table: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in table.items():
        found.update(_flat(f"{before}{name}.", value) if isinstance(value, dict) else {f"{before}{name}": value})
    return found


# ---- which records ------------------------------------------------------------------------------


def _joined(a: pl.LazyFrame, b: pl.LazyFrame) -> pl.DataFrame:
    """Give one row for each record of both: whether each column differs, and what crossings and lengths need."""
    # The hash of null is a number too; null stays null here, to be told apart.
    hashes = [pl.when(pl.col(name).is_not_null()).then(pl.col(name).hash()).alias(name) for name in COMPARED]
    sides = [
        frame.select(
            "record_id",
            *hashes,
            *(pl.col(name).alias(f"{name} in {side}") for name in CROSSED),
            pl.col("text").str.len_chars().cast(pl.Int64).alias(f"characters in {side}"),
        )
        for frame, side in ((a, "a"), (b, "b"))
    ]
    return (
        sides[0]
        .join(sides[1], on="record_id", suffix=" of b")
        .select(
            "record_id",
            *(pl.col(name).ne_missing(pl.col(f"{name} of b")).alias(name) for name in COMPARED),
            *(
                (pl.col(name).is_null() & pl.col(f"{name} of b").is_not_null()).alias(f"{name} set")
                for name in COMPARED
            ),
            *(
                (pl.col(name).is_not_null() & pl.col(f"{name} of b").is_null()).alias(f"{name} gone")
                for name in COMPARED
            ),
            pl.col("^.* in [ab]$"),
        )
        # So that the examples are the same every time.
        .sort("record_id")
        .collect(engine="streaming")
    )


def _only_in(one: _Opened, joined: pl.DataFrame) -> pl.DataFrame:
    """Give where the records of one run lie that the other one has not."""
    return (
        one.articles.select("record_id", "source_uri", "source_member", "source_offset")
        .join(joined.lazy().select("record_id"), on="record_id", how="anti")
        .collect(engine="streaming")
    )


def _became(records: pl.DataFrame, quarantine: pl.LazyFrame) -> dict[str, int]:
    """Count what the other run made of the places that records come from."""
    place = ["source_uri", "source_member", "source_offset"]
    refused = quarantine.select(*place, became=pl.format("{}/{}", "stage", "reason")).unique(place)
    counts = (
        records.lazy()
        .join(refused, on=place, how="left", nulls_equal=True)
        .select(pl.col("became").fill_null("not there"))
        .group_by("became")
        .len()
        .sort("len", "became", descending=[True, False])
        .collect(engine="streaming")
    )
    return dict(counts.iter_rows())


# ---- what changed in them -----------------------------------------------------------------------


def _columns(first: _Opened, second: _Opened, joined: pl.DataFrame) -> tuple[ColumnChange, ...]:
    """Count what changed, and show some of it."""
    changed = {name: int(joined[name].sum()) for name in COMPARED}
    names = sorted((name for name in COMPARED if changed[name]), key=lambda name: (-changed[name], name))
    chosen = {name: joined.filter(name)["record_id"].head(EXAMPLES).to_list() for name in names}
    wanted = sorted({record_id for ids in chosen.values() for record_id in ids})
    values = [_values(side.articles, names, wanted) for side in (first, second)]
    return tuple(
        ColumnChange(
            column=name,
            changed=changed[name],
            set_in_b=int(joined[f"{name} set"].sum()),
            gone_in_b=int(joined[f"{name} gone"].sum()),
            examples=tuple(
                _example(record_id, values[0][record_id][name], values[1][record_id][name])
                for record_id in chosen[name]
            ),
        )
        for name in names
    )


def _values(articles: pl.LazyFrame, names: Sequence[str], ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Read the values of a few records, which are all that is ever held of texts."""
    if not ids:
        return {}
    rows = articles.filter(pl.col("record_id").is_in(ids)).select("record_id", *names).collect(engine="streaming")
    return {row["record_id"]: row for row in rows.iter_rows(named=True)}


def _example(record_id: str, a: object, b: object) -> Example:
    both = isinstance(a, str) and isinstance(b, str)
    return Example(record_id=record_id, a=_cut(a), b=_cut(b), words=word_diff(str(a), str(b)) if both else None)


def _cut(value: object) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def word_diff(a: str, b: str) -> str:
    """Show what changed from one text to another, word by word, with some words around.

    >>> word_diff("The ferry sails on Thursday from here.", "The ferry sails on Friday from here.")
    'The ferry sails on [-Thursday-]{+Friday+} from here.'
    """
    before, after = _WORDS.findall(a), _WORDS.findall(b)
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    lead, tail = before[:start], before[len(before) - end :]
    one, other = before[start : len(before) - end], after[start : len(after) - end]
    parts = [_around(lead, is_first=True)]
    matcher = difflib.SequenceMatcher(None, one[:_WORDS_COMPARED], other[:_WORDS_COMPARED], autojunk=False)
    for kind, a_from, a_to, b_from, b_to in matcher.get_opcodes():
        if kind == "equal":
            parts.append(_between(one[a_from:a_to]))
            continue
        gone, new = "".join(one[a_from:a_to]), "".join(other[b_from:b_to])
        parts.append((f"[-{gone}-]" if gone else "") + (f"{{+{new}+}}" if new else ""))
    is_cut = max(len(one), len(other)) > _WORDS_COMPARED
    text = "".join([*parts, " …" if is_cut else _around(tail, is_first=False)])
    return text if len(text) <= LONGEST_DIFF else text[: LONGEST_DIFF - 1] + "…"


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Count the words that both begin with."""
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


def _around(words: Sequence[str], *, is_first: bool) -> str:
    """Give the words next to a change, of those before the first or after the last."""
    if len(words) <= _WORDS_AROUND:
        return "".join(words)
    return "…" + "".join(words[-_WORDS_AROUND:]) if is_first else "".join(words[:_WORDS_AROUND]) + "…"


def _between(words: Sequence[str]) -> str:
    """Give the words between two changes."""
    if len(words) <= 2 * _WORDS_AROUND:
        return "".join(words)
    return "".join(words[:_WORDS_AROUND]) + " … " + "".join(words[-_WORDS_AROUND:])


# ---- telling ------------------------------------------------------------------------------------


def as_json(difference: Difference) -> str:
    """Write it all as one JSON object."""
    return json.dumps(asdict(difference), ensure_ascii=False, indent=2, default=str) + "\n"


def as_text(difference: Difference) -> str:
    """Write it for people."""
    return "\n".join(_plain(line) for line in _lines(difference)) + "\n"


def _lines(of: Difference) -> Iterator[str]:
    for letter, side in (("A", of.a), ("B", of.b)):
        yield (
            f"{letter}  run {side.run_id} of {side.run_date} in {side.folder}, babelwire {side.babelwire}: "
            f"{side.records:,} records, {side.quarantined:,} refused"
        )
    for name, (one, other) in of.settings.items():
        yield f"   {name}: {_cut(one)} -> {_cut(other)}"
    yield ""
    yield f"in both        {of.in_both:,}, equal in every column {of.equal:,} ({_share(of.equal, of.in_both)})"
    yield f"only in A      {of.only_in_a:,}{_counted(of.a_became, 'in B: ')}"
    yield f"only in B      {of.only_in_b:,}{_counted(of.b_was, 'in A: ')}"
    yield (
        f"text           {of.characters_a:,} -> {of.characters_b:,} code points "
        f"({of.longer:,} records longer, {of.shorter:,} shorter)"
    )
    for name, crossings in of.crossings.items():
        moved = [crossing for crossing in crossings if crossing.a != crossing.b]
        listed = ", ".join(f"{item.a} -> {item.b} {item.records:,}" for item in moved[:_LISTED])
        more = f" and {len(moved) - _LISTED} more" if len(moved) > _LISTED else ""
        yield f"{name:<15}{(listed or 'the same in all') + more}"
    if of.columns:
        yield ""
        yield f"{'column':<22}{'changed':>11}{'share':>9}{'null to set':>13}{'set to null':>13}"
    for column in of.columns:
        yield (
            f"{column.column:<22}{column.changed:>11,}{_share(column.changed, of.in_both):>9}"
            f"{column.set_in_b:>13,}{column.gone_in_b:>13,}"
        )
    for column in of.columns:
        yield ""
        yield f"{column.column}:"
        for example in column.examples:
            yield f"  {example.record_id}"
            if example.words is None:
                yield f"    A  {_value(example.a)}"
                yield f"    B  {_value(example.b)}"
            else:
                yield f"    {example.words}"


def _share(count: int, of: int) -> str:
    return f"{count / of:.1%}" if of else "-"


def _counted(counts: Mapping[str, int], before: str) -> str:
    listed = ", ".join(f"{name} {count:,}" for name, count in list(counts.items())[:_LISTED])
    return f"; {before}{listed}" if listed else ""


def _value(text: str | None) -> str:
    return "null" if text is None else text


def _plain(line: str) -> str:
    # Control characters of a hostile page could drive the terminal.
    return "".join(char if char.isprintable() else " " for char in line)
