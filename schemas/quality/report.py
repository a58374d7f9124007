"""One page on one night: whether it was good, and where not. It needs nothing else and asks for nothing.

Everything that comes from documents is text on it: escaped, on its own direction, with what cannot be seen shown by number.
The plots are drawings with words for who cannot see them, and the numbers of each stand below it.
"""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Any, Final

import polars as pl

from schemas.page import PALETTE, PAPER, UNSEEN, policy, shown
from schemas.quality.finding import Finding, Tables
from schemas.quality.night import REMOVED_IN, SHORTEST, STEPS, UNKNOWN, Night, known_nights, read_night
from schemas.quality.plots import INKS, Bar, Plot, bars, lengths, ranges, sparkline, trend

#: Sources with a row of their own, findings with a card, bars of a plot, rows below it, rules that remove.
SOURCES: Final = 40
FINDINGS: Final = 100
BARS: Final = 12
ROWS: Final = 40
RULES: Final = 20

#: A title or detail is cut behind this on the page; in code points.
_LONGEST: Final = 300

#: Shares below this are not written as 0.
_LEAST: Final = 0.001

#: What an attribute may be told of a language: a BCP 47 tag, and nothing else.
_TAG: Final = re.compile(r"[A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8}){0,4}")

#: White space that a page shows as one blank, or not at all.
_MISLEADING: Final = re.compile(rf"{UNSEEN.pattern}|[^\S ]|  ")

# Dark inks of the plots; those of the light palette are the drawing's own. Sizes are in rem, so that the reader's own
# setting counts; a word that does not fit breaks anywhere, and a table becomes a list where it would not fit.
_STYLE: Final = (
    f"\n{PALETTE}\n"
    """:root { --plot-one: #2f7cc4; --plot-two: #b34700 }
@media (prefers-color-scheme: dark) { :root { --plot-one: #4585c4; --plot-two: #ffad66 } }
* { box-sizing: border-box }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100% }
body { margin: 0 auto; padding: 1rem; max-width: 76rem; background: var(--back); color: var(--front);
  font: 1rem/1.5 system-ui, "Noto Sans", sans-serif; overflow-wrap: anywhere }
h1 { font-size: 1.5rem; line-height: 1.3; margin: .3rem 0 .8rem }
h2 { font-size: 1.15rem; margin: 2.4rem 0 .8rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line) }
h3 { font-size: .95rem; margin: 0 0 .2rem }
p, ul, ol, dl, dd, figure { margin: 0 }
ul, ol { padding: 0; list-style: none }
a { color: var(--link) }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--link); outline-offset: 2px }
code { font: .8125rem/1.5 ui-monospace, "DejaVu Sans Mono", "Noto Sans Mono", monospace }
.tool, .soft { color: var(--soft) }
.tool, .soft, figcaption p, details { font-size: .875rem }
.mark { font: .75em/1 ui-monospace, monospace; color: var(--mark); background: var(--mark-back); border: 1px solid currentcolor;
  border-radius: .2rem; padding: 0 .2em; margin: 0 .1em; white-space: nowrap; unicode-bidi: isolate; direction: ltr }
.verdict { border: 1px solid var(--line); border-inline-start: .4rem solid var(--kept); background: var(--kept-back); padding: .6rem .8rem }
.verdict.warn { border-inline-start-color: var(--mark); background: var(--card) }
.verdict.fail { border-inline-start-color: var(--gone); background: var(--gone-back) }
.verdict.open { border-inline-start-color: var(--soft); background: var(--card) }
nav { margin-top: .8rem; line-height: 2 } nav a { margin-inline-end: .9rem }
.numbers { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: .6rem; margin-bottom: 1rem }
.numbers > div { border: 1px solid var(--line); background: var(--card); padding: .5rem .7rem }
dl dt { color: var(--soft); font-size: .875rem; margin-top: .3rem } .numbers dt { margin: 0; color: var(--soft); font-size: .875rem } .numbers dd { font-size: 1.35rem; line-height: 1.3 }
.numbers dd + dd { font-size: .8125rem; color: var(--soft) }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr)); gap: 1rem; align-items: start }
.cards > *, .record { border: 1px solid var(--line); background: var(--card); padding: .7rem .8rem; min-width: 0 }
figcaption p { color: var(--soft); margin-bottom: .4rem }
svg { display: block; width: 100%; height: auto; max-width: 34rem } svg text { font-family: system-ui, "Noto Sans", sans-serif }
.spark svg { width: 7.5rem }
.key { display: inline-block; width: 1.5rem; height: 0; border-top: .2rem solid var(--plot-one); vertical-align: middle }
.key.dashes { border-top: .2rem dashed var(--plot-two) } .key.usual { border-top: .2rem dashed var(--front) }
.key.tick { width: .2rem; height: 1rem; border: 0; background: var(--front) }
.key.bar { height: .7rem; border: 0; background: var(--plot-one) }
summary { cursor: pointer; color: var(--soft) }
table { border-collapse: collapse; width: 100%; font-size: .875rem; margin-top: .5rem }
th, td { text-align: start; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line) }
th { color: var(--soft); font-weight: normal } th.n, td.n { text-align: end; white-space: nowrap; font-variant-numeric: tabular-nums }
td.spark { vertical-align: middle; padding-block: .1rem }
details table { font-size: .8125rem } details th, details td { padding-inline-end: .4rem } time { white-space: nowrap }
.findings li, .record { margin-top: .7rem }
.findings li { border: 1px solid var(--line); border-inline-start: .4rem solid var(--mark); background: var(--card); padding: .6rem .8rem }
.findings li.fail { border-inline-start-color: var(--gone) }
.findings b, .verdict b { color: var(--mark) } .findings .fail b, .verdict.fail b { color: var(--gone) } .verdict.good b { color: var(--kept) }
.verdict.open b { color: var(--front) }
.record:target, .findings li:target { outline: 2px solid var(--link); outline-offset: 2px }
.record h3 { font-size: 1rem } .record code { display: block; margin: .4rem 0; user-select: all }
.tag { display: inline-block; border: 1px solid var(--line); border-radius: .2rem; padding: 0 .4em; margin-inline-end: .3rem; font-size: .8125rem }
.text { white-space: pre-wrap; overflow: clip; overflow-clip-margin: .4em; padding: .3rem .8rem; margin-top: .4rem; border-inline-start: .3rem solid var(--kept) }
.cut { padding: .2rem .8rem; margin-top: .4rem; border-inline-start: .3rem dashed var(--gone); color: var(--soft) }
footer { margin-top: 2.5rem; padding-top: .6rem; border-top: 1px solid var(--line) }
@media screen and (max-width: 56rem) {
  .stack, .stack tbody { display: block } .stack tr { display: grid; grid-template-columns: repeat(3, minmax(0, 10rem)); gap: .2rem .6rem;
    border-bottom: 1px solid var(--line); padding: .5rem 0 }
  .stack thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
  .stack td, .stack td.n { display: block; border: 0; padding: 0; text-align: start; white-space: normal }
  .stack td::before { content: attr(data-label); color: var(--soft); display: block; font-size: .75rem }
  .stack td:first-child { grid-column: 1 / -1; font-weight: 600 } .stack td:first-child::before { content: none }
  .stack .spark svg { width: 100% }
}
"""
    + "".join(
        f'svg [fill="{ink}"] {{ fill: var({name}) }} svg [stroke="{ink}"] {{ stroke: var({name}) }}\n'
        for ink, name in INKS.items()
    )
    + "@media print {\n  "
    + PAPER
    + """
  :root { --plot-one: #2f7cc4; --plot-two: #b34700 }
  body { max-width: none; padding: 0; font-size: 10pt } nav { display: none }
  .cards > *, .findings li, .record, tr, .numbers > div { break-inside: avoid } h2, h3 { break-after: avoid }
  .cards { grid-template-columns: repeat(2, minmax(0, 1fr)) } .key { print-color-adjust: exact }
  .stack { font-size: 8pt } .stack .spark svg { width: 5rem }
  details::details-content { content-visibility: visible; height: auto }
}
"""
)


def report(tables: Tables, *, folder: str, night: date | None = None, findings: Sequence[Finding] | None = None) -> str:
    """Give the page of one night.

    Args:
        tables: What lies in the output folder.
        folder: The folder as commands on the page name it.
        night: The night; the last one where it is None.
        findings: What the checks and the watch over drift found; None where nobody looked.
    """
    if night is None:
        night = max(known_nights(tables), default=None)
    if night is None:
        nothing = (
            '<div class="verdict open"><p><b>nothing</b> There is no night yet: no run, no record, no crawl.</p></div>'
        )
        return _page("No night yet", nothing, [])
    seen = read_night(tables, night, findings or ())
    verdict = _verdict(findings)
    sections = [
        _Section("glance", "At a glance", _glance(seen, findings)),
        _Section("findings", "Findings", _findings(seen, findings)),
        _Section("sources", "Sources", _sources(seen, findings or ())),
        _Section("mix", "Languages and kinds", _mix(seen)),
        _Section("lengths", "Lengths of texts", _lengths(seen)),
        _Section("removed", "What was removed", _removed(seen)),
        _Section("quarantine", "Quarantine", _quarantine(seen)),
        _Section("translation", "Translation", _translation(seen)),
        _Section("duplicates", "Duplicates", _duplicates(seen)),
        _Section("fetches", "Requests of the crawl", _fetches(seen)),
        _Section("worst", "Records to look at", _worst(seen, folder)),
    ]
    return _page(f"Night of {night.isoformat()}", verdict, sections)


@dataclass(frozen=True, slots=True)
class _Section:
    name: str
    heading: str
    #: HTML; empty where there is nothing to say, and then neither is the section.
    body: str


def _page(title: str, verdict: str, sections: Sequence[_Section]) -> str:
    present = [section for section in sections if section.body]
    links = " ".join(f'<a href="#{section.name}">{section.heading}</a>' for section in present)
    parts = [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy(_STYLE)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="robots" content="noindex">',
        f"<title>{title} - babelwire report</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<header>",
        f'<p class="tool">babelwire report</p>\n<h1>{title}</h1>\n{verdict}',
        f'<nav aria-label="Sections">{links}</nav>' if links else "",
        "</header>\n<main>",
        *(
            f'<section aria-labelledby="{section.name}"><h2 id="{section.name}">{section.heading}</h2>\n{section.body}</section>'
            for section in present
        ),
        '</main>\n<footer class="soft"><p>Addresses are text: this page asks nothing of the network.</p></footer>\n</body>\n</html>\n',
    ]
    return "\n".join(part for part in parts if part)


# ---- pieces -------------------------------------------------------------------------------------


def _n(number: float | None) -> str:
    return "\N{EN DASH}" if number is None else f"{number:,.0f}"


def _share(part: float, of: float) -> str:
    if not of:
        return "\N{EN DASH}"
    share = part / of
    # 0 % of something that is there would be read as nothing.
    return "< 0.1 %" if 0 < share < _LEAST else f"{share:.1%}".replace("%", " %")


def _name(text: str | None) -> str:
    """Write one name or short text of a document, on its own direction."""
    text = UNKNOWN if text is None else text if text.strip() else "(empty)"
    return f"<bdi>{shown(text[:_LONGEST])}{'…' if len(text) > _LONGEST else ''}</bdi>"


def _day(day: date) -> str:
    return f"<time>{day.isoformat()}</time>"


@dataclass(frozen=True, slots=True)
class _Column:
    heading: str
    #: What the cells are: names and sentences, numbers, or drawings.
    form: str = ""


def _table(columns: Sequence[_Column], rows: Sequence[Sequence[str]], *, more: str = "", stack: bool = False) -> str:
    """Write a table of HTML cells; one that ``stack`` becomes a list of its rows on a phone."""
    # The roles are said because display: block would take them away.
    classes = [f' class="{column.form}"' if column.form else "" for column in columns]
    head = "".join(
        f'<th role="columnheader" scope="col"{form}>{column.heading}</th>'
        for column, form in zip(columns, classes, strict=True)
    )
    body = "".join(
        '<tr role="row">'
        + "".join(
            f'<td role="cell"{form} data-label="{column.heading}"><span>{cell}</span></td>'
            if stack
            else f'<td role="cell"{form}>{cell}</td>'
            for cell, column, form in zip(row, columns, classes, strict=True)
        )
        + "</tr>\n"
        for row in rows
    )
    kind = ' class="stack"' if stack else ""
    return (
        f'<table role="table"{kind}><thead role="rowgroup"><tr role="row">{head}</tr></thead>\n'
        f'<tbody role="rowgroup">{body}</tbody></table>\n' + (f'<p class="soft">{more}</p>\n' if more else "")
    )


def _figure(plot: Plot, note: str, numbers: str = "") -> str:
    """Put a plot into a card, with its numbers below for who wants them or cannot see it."""
    below = f"<details><summary>numbers</summary>{numbers}</details>" if numbers else ""
    return f"<figure><figcaption><h3>{plot.title}</h3><p>{note}</p></figcaption>{plot.svg}{below}</figure>\n"


def _cards(*cards: str) -> str:
    return f'<div class="cards">{"".join(cards)}</div>\n'


def _more(total: int, listed: int, what: str) -> str:
    return f"and {_n(total - listed)} more {what}" if total > listed else ""


_USUAL: Final = '<span class="key tick"></span> mean share of the nights before'


def _bars_card(title: str, what: str, unit: str, counts: Sequence[tuple[str, int]], usual: dict[str, float]) -> str:
    """Draw counts as bars with their share, the longest first, and what their share usually is."""
    total = sum(count for _, count in counts)
    listed = counts[:BARS]
    items = [
        Bar(
            label=label,
            value=count / total if total else 0,
            text=f"{_n(count)} ({_share(count, total)})",
            usual=usual.get(label, 0.0) if usual else None,
        )
        for label, count in listed
    ]
    first = ", ".join(f"{label[:_LONGEST]} {_share(count, total)}" for label, count in listed[:5])
    plot = bars(title, f"{what}, of {_n(total)} {unit}: {first}", items)
    columns = [_Column(what), _Column(unit, "n"), _Column("share", "n"), *([_Column("usual", "n")] if usual else [])]
    rows = [
        [_name(label), _n(count), _share(count, total), *([_share(usual.get(label, 0.0), 1)] if usual else [])]
        for label, count in counts[:ROWS]
    ]
    first_few = f"the first {_n(len(listed))} of {_n(len(counts))} " if len(counts) > len(listed) else ""
    note = first_few + (_USUAL if usual else "")
    return _figure(plot, note.strip(), _table(columns, rows, more=_more(len(counts), len(rows), "").strip()))


def _tonight(seen: Night, frame: pl.DataFrame, column: str) -> list[tuple[str, int]]:
    """Give the counts of this night by one column, the largest first."""
    rows = frame.filter(pl.col("night") == seen.night).select(pl.col(column).fill_null(UNKNOWN), "records")
    return [(name, count) for name, count in rows.sort("records", column, descending=[True, False]).iter_rows()]


def _usual(seen: Night, frame: pl.DataFrame, column: str) -> dict[str, float]:
    """Give the mean share of each value over the nights before; empty where there are none."""
    before = frame.filter(pl.col("night") < seen.night)
    nights = before["night"].n_unique()
    if not nights:
        return {}
    shares = (
        before.with_columns(share=pl.col("records") / pl.col("records").sum().over("night"))
        .group_by(pl.col(column).cast(pl.String).fill_null(UNKNOWN))
        .agg(pl.col("share").sum() / nights)
    )
    return dict(shares.iter_rows())


# ---- the sections -------------------------------------------------------------------------------


def _verdict(findings: Sequence[Finding] | None) -> str:
    if findings is None:
        return '<div class="verdict open"><p><b>not checked</b> This page was made without the checks.</p></div>'
    fails = sum(finding.level == "fail" for finding in findings)
    warns = len(findings) - fails
    if not findings:
        return '<div class="verdict good"><p><b>good</b> No check found anything.</p></div>'
    counts = [f"{_n(fails)} {'failure' if fails == 1 else 'failures'}"] if fails else []
    counts += [f"{_n(warns)} {'warning' if warns == 1 else 'warnings'}"] if warns else []
    kind, word = ("fail", "failed") if fails else ("warn", "to be looked at")
    return f'<div class="verdict {kind}"><p><b>{word}</b> The checks have {" and ".join(counts)}.</p></div>'


def _glance(seen: Night, findings: Sequence[Finding] | None) -> str:
    counts = seen.tonight
    records = counts["records"]
    status = dict(_tonight(seen, seen.translation, "status"))
    before = seen.per_night.filter(pl.col("night") < seen.night)
    usual_records = median(before["records"].to_list()) if before.height else None
    active = seen.per_source.filter(pl.col("night") == seen.night)
    translated = status.get("done", 0) + status.get("partial", 0)
    numbers: list[tuple[str, str, str]] = [
        ("documents", _n(seen.documents), f"{_n(seen.skipped)} skipped, done before" if seen.skipped else ""),
        ("records", _n(records), "" if usual_records is None else f"usually {_n(usual_records)}"),
        ("quarantined", _n(counts["quarantined"]), _share(counts["quarantined"], records + counts["quarantined"])),
        ("sources", _n(active["source"].n_unique()), ""),
        ("languages", _n(len(_tonight(seen, seen.per_language, "lang"))), ""),
        ("translated", _n(translated), _share(translated, records)),
        ("duplicates", _n(counts["duplicates"]), _share(counts["duplicates"], records)),
    ]
    if findings is not None:
        fails = sum(finding.level == "fail" for finding in findings)
        numbers.append(("findings", _n(len(findings)), f"{_n(fails)} fail, {_n(len(findings) - fails)} warn"))
    items = "".join(
        f"<div><dt>{name}</dt><dd>{value}</dd>{f'<dd>{note}</dd>' if note else ''}</div>"
        for name, value, note in numbers
    )
    nights = seen.nights
    span = (
        f"{len(nights)} nights, {nights[0].isoformat()} to {nights[-1].isoformat()}" if len(nights) > 1 else "one night"
    )
    held = seen.per_night
    # The newest first, and each plot its own: side by side they would not fit a phone.
    by_night = list(zip((_day(night) for night in nights), held.iter_rows(named=True), strict=True))[::-1]
    counted = [[night, _n(row["records"]), _n(row["quarantined"])] for night, row in by_night]
    measured = [[night, _n(row["chars"])] for night, row in by_night]
    doubled = [[night, _n(row["duplicates"]), _share(row["duplicates"], row["records"])] for night, row in by_night]
    night_column, records_column = _Column("night"), _Column("records", "n")
    volume = trend(
        "Records and quarantine per night",
        f"{span}; this night {_n(records)} records and {_n(counts['quarantined'])} quarantined",
        nights,
        held["records"].to_list(),
        held["quarantined"].to_list(),
    )
    length = trend(
        "Median length per night",
        f"{span}; this night {_n(held['chars'][-1])} characters",
        nights,
        held["chars"].to_list(),
    )
    shares = [
        100 * row["duplicates"] / row["records"] if row["records"] else None for row in held.iter_rows(named=True)
    ]
    repeats = trend(
        "Duplicates per night, in %",
        f"{span}; this night {_share(counts['duplicates'], records)} of the records",
        nights,
        shares,
    )
    return f'<dl class="numbers">{items}</dl>\n' + _cards(
        _figure(
            volume,
            '<span class="key"></span> records <span class="key dashes"></span> quarantined',
            _table([night_column, records_column, _Column("quarantined", "n")], counted),
        ),
        _figure(length, "characters of text", _table([night_column, _Column("length", "n")], measured)),
        _figure(
            repeats,
            "share of records that repeat an earlier one",
            _table([night_column, records_column, _Column("share", "n")], doubled),
        ),
    )


def _findings(seen: Night, findings: Sequence[Finding] | None) -> str:
    if not findings:
        return ""
    ordered = sorted(findings, key=lambda finding: finding.level != "fail")
    anchors = {name: f"w{number}" for number, name in enumerate(seen.worst["record_id"], start=1)}
    titles = dict(seen.named.select("record_id", "title").iter_rows())
    items = "".join(_finding(finding, anchors, titles) for finding in ordered[:FINDINGS])
    more = _more(len(ordered), FINDINGS, "findings; babelwire check lists all")
    return f'<ul class="findings">{items}</ul>' + (f'<p class="soft">{more}</p>' if more else "")


def _finding(finding: Finding, anchors: dict[str, str], titles: dict[str, str | None]) -> str:
    word = "fail" if finding.level == "fail" else "warn"
    facts = [
        f"<code>{shown(finding.rule)}</code>",
        *(
            f"{name} {_name(value)}"
            for name, value in (
                ("source", finding.source_id),
                ("site", finding.domain),
                ("language", finding.lang),
                ("column", finding.column),
            )
            if value is not None
        ),
        f"{_n(finding.count)} of {_n(finding.of)}",
        f"{finding.value:,.4g} where the bound is {finding.threshold:,.4g}",
        *([f"usually {finding.usual:,.4g}"] if finding.usual is not None else []),
        *([f"since {_day(finding.since)}"] if finding.since is not None else []),
    ]
    examples = []
    for name in finding.examples:
        title = _name(titles.get(name) or name)
        examples.append(f'<a href="#{anchors[name]}">{title}</a>' if name in anchors else f"{title} ({_name(name)})")
    shows = f'<p class="soft">for instance {"; ".join(examples)}</p>' if examples else ""
    return (
        f'<li class="{word}"><p><b>{word}</b> {_name_long(finding.sentence)}</p>'
        f'<p class="soft">{" · ".join(facts)}</p>{shows}</li>\n'
    )


def _name_long(text: str) -> str:
    return f'<span dir="auto">{shown(text)}</span>'


def _sources(seen: Night, findings: Sequence[Finding]) -> str:
    frame = seen.per_source
    if frame.is_empty():
        return ""
    blamed: dict[str, list[str]] = {}
    for finding in findings:
        # Without a catalogue, the site is the source.
        blame = finding.source_id or finding.domain
        if blame is not None:
            blamed.setdefault(blame, []).append(finding.level)
    volume = frame.group_by("source").agg((pl.col("records") + pl.col("quarantined")).sum().alias("all"))
    order = sorted(volume.iter_rows(), key=lambda row: (row[0] not in blamed, -row[1], row[0]))
    listed = [name for name, _ in order[:SOURCES]]
    rows = [_source(seen, name, part, blamed.get(name, [])) for name, part in _by_source(frame, listed)]
    columns = [
        _Column("source"),
        _Column("records", "n"),
        _Column("usually", "n"),
        _Column("records per night", "spark"),
        _Column("length", "n"),
        _Column("usually", "n"),
        _Column("length per night", "spark"),
        _Column("duplicates", "n"),
        _Column("untranslated", "n"),
        _Column("quarantined", "n"),
    ]
    note = "Sources with findings first, then the largest. Length is the median in characters; usually, the median of the nights before."
    silent = sum(1 for name in volume["source"] if name not in set(_now(seen)["source"]))
    quiet = f" {_n(silent)} of {_n(len(order))} sources gave nothing this night." if silent else ""
    return f'<p class="soft">{note}{quiet}</p>' + _table(
        columns, rows, stack=True, more=_more(len(order), len(listed), "sources")
    )


def _now(seen: Night) -> pl.DataFrame:
    return seen.per_source.filter(pl.col("night") == seen.night)


def _by_source(frame: pl.DataFrame, names: Sequence[str]) -> Iterator[tuple[str, dict[date, dict[str, Any]]]]:
    parts: dict[str, dict[date, dict[str, Any]]] = {name: {} for name in names}
    for row in frame.filter(pl.col("source").is_in(list(names))).iter_rows(named=True):
        parts[row["source"]][row["night"]] = row
    yield from parts.items()


def _source(seen: Night, name: str, nights: dict[date, dict[str, Any]], levels: Sequence[str]) -> list[str]:
    counts = [nights[night]["records"] if night in nights else 0 for night in seen.nights]
    chars = [nights[night]["chars"] if night in nights else None for night in seen.nights]
    now = nights.get(seen.night, {"records": 0, "duplicates": 0, "untranslated": 0, "quarantined": 0, "chars": None})
    records, quarantined = now["records"], now["quarantined"]
    counted = ((levels.count(level), level) for level in ("fail", "warn"))
    flag = "".join(f' <span class="tag">{_n(count)} {level}</span>' for count, level in counted if count)
    return [
        _name(name) + flag,
        _n(records),
        _n(median(counts[:-1]) if len(counts) > 1 else None),
        sparkline(f"{name[:_LONGEST]}: records per night", counts).svg,
        _n(now["chars"]),
        _n(median(known) if (known := [each for each in chars[:-1] if each is not None]) else None),
        sparkline(f"{name[:_LONGEST]}: median length per night", chars).svg if any(chars) else _n(None),
        _share(now["duplicates"], records),
        _share(now["untranslated"], records),
        _share(quarantined, records + quarantined),
    ]


def _mix(seen: Night) -> str:
    languages = _tonight(seen, seen.per_language, "lang")
    if not languages:
        return ""
    kinds = _tonight(seen, seen.per_kind, "kind")
    return _cards(
        _bars_card("Languages", "language", "records", languages, _usual(seen, seen.per_language, "lang")),
        _bars_card("Kinds of pages", "kind", "records", kinds, _usual(seen, seen.per_kind, "kind")),
    )


def _lengths(seen: Night) -> str:
    now = dict(seen.lengths.filter(pl.col("night") == seen.night).select("step", "records").iter_rows())
    if not now:
        return ""
    total = sum(now.values())
    usual = {int(step): share for step, share in _usual(seen, seen.lengths, "step").items()}
    steps = range(min([*now, *usual]), max([*now, *usual]) + 1)
    shares = [now.get(step, 0) / total for step in steps]
    top = max(now, key=lambda step: now[step])
    edges = [round(2 ** (step / STEPS)) for step in (top, top + 1)]
    whole = lengths(
        "Lengths of all texts",
        f"shares of records by length; most have {_n(edges[0])} to {_n(edges[1])} characters",
        steps,
        per_doubling=STEPS,
        shares=shares,
        usual=[usual.get(step, 0.0) for step in steps],
    )
    table = _table(
        [_Column("from", "n"), _Column("records", "n"), _Column("share", "n"), _Column("usual", "n")],
        [
            [
                _n(2 ** (step / STEPS) if 2 ** (step / STEPS) > SHORTEST else 0),
                _n(now.get(step, 0)),
                _share(now.get(step, 0), total),
                _share(usual.get(step, 0.0), 1),
            ]
            for step in steps
        ],
    )
    by_language = seen.per_language.filter(pl.col("night") == seen.night).with_columns(
        pl.col("lang").fill_null(UNKNOWN)
    )
    rows = by_language.select("lang", "low", "chars", "high").rows()
    spread = ranges(
        "Lengths by language",
        "from the 10th to the 90th of 100 records, and the median: "
        + ", ".join(f"{lang[:_LONGEST]} {_n(middle)}" for lang, _, middle, _ in rows[:5]),
        rows[:BARS],
    )
    numbers = _table(
        [_Column("language"), _Column("10 %", "n"), _Column("median", "n"), _Column("90 %", "n")],
        [[_name(lang), _n(low), _n(middle), _n(high)] for lang, low, middle, high in rows[:ROWS]],
        more=_more(len(rows), ROWS, "languages"),
    )
    key = '<span class="key bar"></span> share this night'
    key += ' <span class="key usual"></span> mean of the nights before' if usual else ""
    return _cards(
        _figure(whole, key, table),
        _figure(spread, "line: 80 % of the records; diamond: median", numbers),
    )


def _removed(seen: Night) -> str:
    frame = seen.removed
    if frame.is_empty():
        return ""
    roles = frame.group_by("role").agg(pl.col("blocks", "chars").sum()).sort("blocks", "role", descending=[True, False])
    blocks = int(roles["blocks"].sum())
    rules = [
        [
            f'<code>{shown((rule or UNKNOWN)[:_LONGEST])}</code> <span class="soft">{_name(role)}</span>',
            _n(count),
            _share(count, blocks),
        ]
        for rule, role, count in frame.select("rule", "role", "blocks").head(RULES).iter_rows()
    ]
    bound = f" in the first {_n(REMOVED_IN)} records" if seen.tonight["records"] > REMOVED_IN else ""
    top = (
        f'<div><h3>Rules</h3><p class="soft">that removed the most of {_n(blocks)} blocks{bound}</p>'
        + _table(
            [_Column("rule and role"), _Column("blocks", "n"), _Column("share", "n")],
            rules,
            more=_more(frame.height, len(rules), "rules"),
        )
        + "</div>"
    )
    return _cards(
        _bars_card(
            "Blocks removed, by role",
            "role",
            "blocks",
            [(name or UNKNOWN, n) for name, n in roles.select("role", "blocks").iter_rows()],
            {},
        ),
        _bars_card(
            "Characters removed, by role",
            "role",
            "characters",
            [
                (name or UNKNOWN, n)
                for name, n in roles.select("role", "chars").sort("chars", "role", descending=[True, False]).iter_rows()
            ],
            {},
        ),
        top,
    )


def _quarantine(seen: Night) -> str:
    frame = seen.quarantine
    if frame.is_empty():
        return ""
    counts = [
        (f"{stage}/{reason}", count)
        for stage, reason, count in frame.select("stage", "reason", "documents").iter_rows()
    ]
    examples = "".join(
        f"<dt>{_name(f'{stage}/{reason}')}</dt><dd>{_name(detail)}</dd>"
        for stage, reason, detail in frame.select("stage", "reason", "detail").head(BARS).iter_rows()
    )
    refused = _now(seen).filter(pl.col("quarantined") > 0).sort("quarantined", "source", descending=[True, False])
    by_source = list(refused.select("source", "quarantined").iter_rows())
    return _cards(
        _bars_card("Quarantine by reason", "reason", "documents", counts, {}),
        _bars_card("Quarantine by source", "source", "documents", by_source, {}),
        f"<div><h3>One of each reason says</h3><dl>{examples}</dl></div>",
    )


def _translation(seen: Night) -> str:
    status = _tonight(seen, seen.translation, "status")
    if not status:
        return ""
    cards = [_bars_card("Translation", "status", "records", status, _usual(seen, seen.translation, "status"))]
    flags = list(seen.translation_flags.iter_rows())
    if flags:
        cards.append(_flag_card("Warnings of translations", flags, seen.tonight["records"]))
    doubts = list(seen.doubts.iter_rows())
    if doubts:
        cards.append(_flag_card("Doubts of records", doubts, seen.tonight["records"]))
    return _cards(*cards)


def _flag_card(title: str, flags: Sequence[tuple[str, int]], records: int) -> str:
    """Draw how many records carry each flag; one may carry several, so that shares are of the records."""
    listed = flags[:BARS]
    items = [Bar(label=flag, value=count, text=f"{_n(count)} ({_share(count, records)})") for flag, count in listed]
    first = ", ".join(f"{flag[:_LONGEST]} {_n(count)}" for flag, count in listed[:5])
    plot = bars(title, f"records with each flag, of {_n(records)}: {first}", items)
    table = _table(
        [_Column("flag"), _Column("records", "n"), _Column("share", "n")],
        [[_name(flag), _n(count), _share(count, records)] for flag, count in flags[:ROWS]],
        more=_more(len(flags), ROWS, "flags"),
    )
    return _figure(plot, "share of all records; one may have several", table)


def _duplicates(seen: Night) -> str:
    kinds = list(seen.duplicates.iter_rows())
    if not kinds:
        return ""
    known = {
        name: (title, source) for name, title, source in seen.named.select("record_id", "title", "source").iter_rows()
    }
    rows = []
    for name, copies, sources in seen.copied.iter_rows():
        title, source = known.get(name, (None, None))
        of = "" if source is None else f' <span class="soft">{_name(source)}</span>'
        rows.append([_name(title or name) + of, _n(copies), _n(sources)])
    records = seen.tonight["records"]
    items = [*kinds, ("none", records - sum(count for _, count in kinds))]
    copied = _table([_Column("first record"), _Column("copies", "n"), _Column("sources", "n")], rows)
    return _cards(
        _bars_card("Duplicates", "kind", "records", items, {}), f"<div><h3>Most often repeated</h3>{copied}</div>"
    )


def _fetches(seen: Night) -> str:
    frame = seen.fetches
    if frame.is_empty():
        return ""
    outcomes = (
        frame.group_by("outcome").agg(pl.col("requests").sum()).sort("requests", "outcome", descending=[True, False])
    )
    reasons = (
        frame.filter(pl.col("reason") != "")
        .group_by("outcome", "reason")
        .agg(pl.col("requests").sum())
        .sort("requests", "outcome", "reason", descending=[True, False, False])
    )
    kinds = frame.group_by("kind").agg(pl.col("requests").sum()).sort("requests", "kind", descending=[True, False])
    cards = [_bars_card("Requests by outcome", "outcome", "requests", list(outcomes.iter_rows()), {})]
    if reasons.height:
        named = [(f"{outcome}/{reason}", count) for outcome, reason, count in reasons.iter_rows()]
        cards.append(_bars_card("Why not simply fetched", "reason", "requests", named, {}))
    cards.append(_bars_card("Requests by kind", "kind", "requests", list(kinds.iter_rows()), {}))
    return _cards(*cards)


def _worst(seen: Night, folder: str) -> str:
    if seen.worst.is_empty():
        return ""
    note = "Those that findings name and those with the most doubts of their own; the worst first."
    return f'<p class="soft">{note}</p>' + "".join(
        _record(number, row, folder) for number, row in enumerate(seen.worst.iter_rows(named=True), start=1)
    )


def _record(number: int, row: dict[str, Any], folder: str) -> str:
    # The browser chooses the font by it: one Han character has a shape for each of four writings.
    lang = f' lang="{row["lang"]}"' if row["lang"] != "und" and _TAG.fullmatch(row["lang"] or "") else ""
    published = "no date" if row["published_at"] is None else row["published_at"].strftime("%Y-%m-%d %H:%M UTC")
    facts = [
        _name(row["source"]),
        _name(row["page_type"]),
        _name(row["lang"]),
        published,
        f"{_n(row['chars'])} characters",
        f"translation {_name(row['mt_status'])}",
        f"night {_day(row['run_date'])}",
    ]
    cut = "".join(
        f'<li class="cut"><span>{_name(block["role"])} · <code>{shown(block["rule"] or "")}</code></span>'
        f'<div dir="auto"{lang}>{shown(block["text"] or "")}</div></li>'
        for block in row["removed"] or ()
    )
    more = _more(row["cut"], len(row["removed"] or ()), "blocks")
    ellipsis = "…" if row["chars"] > len(row["text"]) else ""
    tags = "".join(f'<span class="tag">{_name(doubt)}</span>' for doubt in row["doubts"][:BARS])
    address = f'<p class="soft">{_name(row["url"])}</p>' if row["url"] else ""
    return (
        f'<article class="record" id="w{number}"><h3 dir="auto"{lang}>{shown((row["title"] or "no title")[:_LONGEST])}</h3>\n'
        f'<p class="soft">{" · ".join(facts)}</p>{address}<p>{tags}</p>\n'
        f'<p class="soft">record <bdi>{shown(row["record_id"])}</bdi>; see why with</p><code dir="ltr">{shown(explain_command(row, folder))}</code>\n'
        f"<details><summary>text kept, and {_n(row['cut'])} blocks removed</summary>"
        f'<p class="text" dir="auto"{lang}>{shown(row["text"])}{ellipsis}</p><ul>{cut}</ul><p class="soft">{more}</p></details></article>\n'
    )


def explain_command(row: dict[str, Any], folder: str) -> str:
    """Give the command that shows why a record came out as it did, quoted for a POSIX shell.

    Names of members come from whoever made the archive. One that a shell or a reader could be misled by is not written; the
    bytes are then taken out by ``babelwire raw`` first.

    >>> row = {"source_uri": "a b.warc.gz", "warc_record_id": "<urn:uuid:1>", "source_member": None, "record_id": "ab12"}
    >>> explain_command(row, "news")
    "babelwire explain 'a b.warc.gz' --member '<urn:uuid:1>'"
    >>> explain_command(row | {"source_uri": "-"}, "news")
    'babelwire raw news ab12 > page.html && babelwire explain page.html'
    """
    member = row["warc_record_id"] or row["source_member"]
    words = [row["source_uri"], *([] if member is None else ["--member", member])]
    is_plain = all(len(word) <= _LONGEST and not _MISLEADING.search(word) for word in words)
    if not is_plain or row["source_uri"].startswith("-"):
        return f"babelwire raw {shlex.quote(folder)} {shlex.quote(row['record_id'])} > page.html && babelwire explain page.html"
    return shlex.join(["babelwire", "explain", *words])
