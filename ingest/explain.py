"""Choosing the one document to explain, and showing what was found: as text, or as one HTML page.

Every string of a document is hostile here. Text for a terminal loses what could drive it, the page escapes all of it and
has no script, and nothing in it is fetched from anywhere. Characters that turn the direction of text or cannot be seen
are shown by their number, because a reader who does not see them is the one they were put there for.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import escape
from itertools import chain, groupby, islice, repeat
from typing import Final, TextIO

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from ingest.sources import Input, Limits, read_input
from normalize.explain import Explanation, Field, Other
from schemas.document import Article, Block, Claim, RawDocument, Rejected
from schemas.errors import SetupError
from schemas.page import PALETTE, PAPER, plain, policy, shown

#: How many documents an error lists to choose from.
_LISTED: Final = 10

#: A rule is cut behind this on a terminal: lexicon rules hold a whole phrase. In columns.
_WIDEST: Final = 28

#: Between things that stand in one line of the page.
_BETWEEN: Final = " \N{MIDDLE DOT} "

_CHARSET_SAID_BY: Final = {
    "source": "the source",
    "bom": "the byte order mark",
    "http": "the HTTP header",
    "meta": "the page",
    "detected": "nobody: detected from the bytes",
    "default": "nobody: the default, as nothing fits better",
}

_URN: Final = re.compile(r"^<?(?:urn:uuid:)?([^<>]*)>?$", re.IGNORECASE)


# ---- choosing the document ----------------------------------------------------------------------


def choose(inputs: Sequence[Input], member: str | None, limits: Limits) -> RawDocument | Rejected:
    """Find the one document that is asked for.

    What is called ``member`` is looked for, in this order, among the members' names and the files, the ids of WARC records
    (with or without ``<urn:uuid:>``), the addresses, and the numbers from 1 in reading order.

    Args:
        inputs: Where to look.
        member: What the document is called; None where there is only one.
        limits: How much one document may ask of us.

    Raises:
        SetupError: None, or more than one, is what was asked for; says which there are.
    """
    if member is None and len(inputs) > 1:
        names = _list([f"  {plain(source.uri)}" for source in inputs[:_LISTED]], len(inputs))
        message = f"explain shows one document, and these are {len(inputs)} files; name one of them, or choose with --member:\n{names}"
        raise SetupError(message)
    total = 0
    first = _Matches()
    matches: dict[int, _Matches] = {}
    for document in chain.from_iterable(read_input(source, limits) for source in inputs):
        total += 1
        label = _label(total, document)
        first.add(document, label)
        if member is not None and (way := _way(document, total, member)) is not None:
            matches.setdefault(way, _Matches()).add(document, label)
    if first.document is None:
        message = f'"{plain(inputs[0].uri)}" holds no document; name another file'
        raise SetupError(message)
    if member is None:
        if total > 1:
            message = f"explain shows one document, and this input holds {total}; choose one with --member:\n{first}"
            raise SetupError(message)
        return first.document
    best = matches[min(matches)] if matches else _Matches()
    if best.document is None:
        message = f'no document is called "{plain(member)}"; choose one of these {total}:\n{first}'
        raise SetupError(message)
    if best.count > 1:
        message = f'{best.count} documents are called "{plain(member)}"; choose one by its number:\n{best}'
        raise SetupError(message)
    return best.document


class _Matches:
    """Documents that answer to one name: only the first is held, as an archive may be larger than memory."""

    def __init__(self) -> None:
        self.document: RawDocument | Rejected | None = None
        self.count = 0
        self.labels: list[str] = []

    def add(self, document: RawDocument | Rejected, label: str) -> None:
        self.document = self.document or document
        self.count += 1
        if self.count <= _LISTED:
            self.labels.append(label)

    def __str__(self) -> str:
        return _list(self.labels, self.count)


def _way(document: RawDocument | Rejected, number: int, member: str) -> int | None:
    """Say in which way a document is what was asked for; smaller ways come first."""
    if member in {document.source_member, document.source_uri}:
        return 0
    if document.warc_record_id and _bare(document.warc_record_id) == _bare(member):
        return 1
    if member == document.url:
        return 2
    return 3 if member == str(number) else None


def _bare(record_id: str) -> str:
    return _URN.sub(r"\1", record_id).lower()


def _label(number: int, document: RawDocument | Rejected) -> str:
    names = [document.source_member, document.url or document.warc_record_id]
    words = [name for name in names if name] or [document.source_uri]
    if isinstance(document, Rejected):
        words.append(f"({document.stage}/{document.reason})")
    return f"{number:>5}  {plain('  '.join(words))}"


def _list(lines: Sequence[str], total: int) -> str:
    more = [f"  ... and {total - len(lines)} more"] if total > len(lines) else []
    return "\n".join([*lines, *more])


# ---- what both forms say ------------------------------------------------------------------------


def _head(explanation: Explanation) -> Iterator[tuple[str, str]]:
    """Give what is known of the document as a whole: (name, value)."""
    outcome, raw = explanation.outcome, explanation.raw
    place = raw or (outcome.raw if isinstance(outcome, Article) else outcome)
    known: tuple[tuple[str, object], ...] = (
        ("file", f"{place.source_uri} ({place.source_kind})"),
        ("member", place.source_member),
        ("bytes", _stretch(place.source_offset, place.source_length)),
        ("sha256", outcome.raw_sha256),
        ("url", place.url),
        ("WARC record", place.warc_record_id),
        ("fetched", place.fetched_at),
        ("HTTP status", raw.http_status if raw else None),
        ("catalogue entry", place.source_id),
    )
    yield from ((name, _value(value)) for name, value in known if value is not None)
    if raw and raw.discovered:
        found = raw.discovered
        said = (
            ("title", found.title),
            ("published", found.published),
            ("authors", ", ".join(found.authors)),
            ("tags", ", ".join(found.tags)),
            ("feed", found.feed),
        )
        yield "known before", "; ".join(f"{name}: {value}" for name, value in said if value)
    if decoded := explanation.decoded:
        yield "read as", f"{decoded.media}, {len(raw.content) if raw else 0:,} bytes"
        yield "charset", f"{decoded.charset}, says {_CHARSET_SAID_BY[decoded.charset_source]}"
        fixes = decoded.fixes + (explanation.page.fixes if explanation.page else ())
        yield "text fixes", ", ".join(fixes) or "none were needed"
    if explanation.page and explanation.page.types:
        yield "declared kinds", ", ".join(explanation.page.types)


def _stretch(offset: int | None, length: int | None) -> str | None:
    if offset is None:
        return None
    return f"from {offset}" if length is None else f"from {offset}, {length} long"


def _verdict(explanation: Explanation) -> tuple[str, str]:
    """Say what became of the document, in one word and in one line."""
    outcome = explanation.outcome
    if isinstance(outcome, Rejected):
        return "quarantine", f"{outcome.stage}/{outcome.reason}: {outcome.detail}"
    language = outcome.language
    score = (
        "" if language.score is None else f" (score {language.score}, margin {language.margin}, by {language.method})"
    )
    return "record", f"{outcome.page_type} in {language.tag}{score}"


def _counts(blocks: Sequence[Block]) -> str:
    kept = [block for block in blocks if block.keep]
    if not blocks:
        return "no blocks: it did not come that far"
    return f"{len(kept)} blocks kept with {sum(len(block.text) for block in kept):,} characters, {len(blocks) - len(kept)} removed"


def _items(field: Field) -> list[object]:
    """Give what a field holds: the items of a list, one value, or nothing for null."""
    if isinstance(field.value, list):
        return field.value
    return [] if field.value is None else [field.value]


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_value(item)}" for name, item in value.items() if item is not None)
    return str(value)


def _removed_roles(blocks: Sequence[Block]) -> list[tuple[str, int]]:
    """Count the removed blocks by role, the most frequent first."""
    counts: dict[str, int] = {}
    for block in blocks:
        if not block.keep:
            counts[block.role] = counts.get(block.role, 0) + 1
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


# ---- text ---------------------------------------------------------------------------------------


def write_text(explanation: Explanation, stream: TextIO) -> None:
    """Write an explanation as lines: cut to the width of a terminal, whole where there is none."""
    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    for line in _lines(explanation, cut=console.is_terminal):
        if console.is_terminal:
            console.print(line, no_wrap=True, overflow="ellipsis")
        else:
            console.print(line, soft_wrap=True)


def _lines(explanation: Explanation, *, cut: bool) -> Iterator[Text]:
    page = explanation.page
    word, detail = _verdict(explanation)
    yield Text.assemble((word, "bold green" if word == "record" else "bold red"), "  ", plain(detail))
    for name, value in _head(explanation):
        yield Text.assemble((f"  {name:<16}", "dim"), plain(value))
    if explanation.fields:
        yield Text.assemble(
            "\n", ("fields", "bold"), "  value and who said it; = who else says so, x who says otherwise"
        )
        yield from _field_lines(explanation.fields, cut=cut)
    elif page and page.claims:
        yield Text.assemble("\n", ("claims", "bold"), "  what the page says of itself")
        for claim in page.claims:
            yield _field_line(" ", claim.field, _said_by(claim), claim.value, cut=cut)
    blocks = page.blocks if page else ()
    yield Text.assemble("\n", ("blocks", "bold"), f"  {_counts(blocks)}")
    if blocks:
        yield Text("+ kept, - removed; role, rule, element, text", style="dim")
    wide = max((cell_len(block.rule) for block in blocks), default=0)
    for block in blocks:
        sign = ("+", "bold green") if block.keep else ("-", "bold red")
        about = _cells(((block.role, 11), (block.rule, min(wide, _WIDEST)), (block.element, 10)), cut=cut)
        yield Text.assemble(
            sign, f" {about}" if block.keep else (f" {about}", "dim"), (plain(block.text), "" if block.keep else "dim")
        )


def _field_lines(fields: Sequence[Field], *, cut: bool) -> Iterator[Text]:
    for field in fields:
        said_by = f"{field.origin.origin}:{field.origin.rule}" if field.origin else ""
        names = chain([field.column.name], repeat(""))
        note = f" ({field.note})" if field.note else ""
        for item in _items(field):
            yield _field_line(" ", next(names), said_by, _value(item) + note, cut=cut)
            said_by = ""
        for other in field.others:
            sign = "=" if other.agrees else "x"
            yield _field_line(sign, next(names), _said_by(other.claim), other.claim.value, cut=cut)
    unknown = [field.column.name for field in fields if field.value is None]
    yield _field_line(" ", "null", "", ", ".join(unknown) or "none", cut=cut)


def _field_line(sign: str, name: str, said_by: str, value: str, *, cut: bool) -> Text:
    style = "dim" if sign.strip() else ""
    names = _cells(((name, 19),), cut=cut)
    return Text.assemble(
        f"{sign} ", (names, "bold"), (_cells(((said_by, _WIDEST),), cut=cut), "cyan"), (plain(value), style)
    )


def _cells(columns: Sequence[tuple[str, int]], *, cut: bool) -> str:
    """Write short texts side by side in columns of that width; one that is longer is cut or moves the rest."""
    cells = []
    for text, width in columns:
        cell = plain(text)
        if cut and cell_len(cell) > width:
            cell = set_cell_size(cell, width - 1) + "…"
        cells.append(cell + " " * (width - cell_len(cell)) + " ")
    return "".join(cells)


def _said_by(claim: Claim) -> str:
    return f"{claim.origin}:{claim.rule}"


# ---- the page -----------------------------------------------------------------------------------

# Kept and removed differ in sign, word and line as well as in colour. Sizes are in rem, so that the reader's own setting
# counts; a word that does not fit breaks anywhere, so that no page scrolls sideways.
_STYLE: Final = (
    f"\n{PALETTE}"
    """
* { box-sizing: border-box }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100% }
body { margin: 0 auto; padding: 1rem; max-width: 68rem; background: var(--back); color: var(--front);
  font: 1rem/1.55 system-ui, "Noto Sans", sans-serif; overflow-wrap: anywhere }
h1 { font-size: 1.5rem; line-height: 1.3; margin: .3rem 0 .8rem }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line) }
h3 { font-size: .85rem; margin: 1.3rem 0 .3rem; color: var(--soft) }
p, ul, ol, dl { margin: 0 }
ul, ol { padding: 0; list-style: none }
a { color: var(--link) }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--link); outline-offset: 2px }
.about b { color: var(--front) }
code, .about { font: .8125rem/1.5 ui-monospace, "DejaVu Sans Mono", "Noto Sans Mono", monospace }
.tool, .soft, .about { color: var(--soft) }
.tool { font-size: .85rem }
.text { white-space: pre-wrap; overflow: clip; overflow-clip-margin: .4em }
.mark { font: .75em/1 ui-monospace, monospace; color: var(--mark); background: var(--mark-back); border: 1px solid currentcolor;
  border-radius: .2rem; padding: 0 .2em; margin: 0 .1em; white-space: nowrap; unicode-bidi: isolate; direction: ltr }
.verdict { border: 1px solid var(--line); border-inline-start: .4rem solid var(--kept); background: var(--kept-back); padding: .6rem .8rem }
.verdict.quarantine { border-inline-start-color: var(--gone); background: var(--gone-back) }
.verdict b { color: var(--kept) } .verdict.quarantine b { color: var(--gone) }
nav { margin-top: .7rem } nav a { margin-inline-end: 1rem }
dl > div { display: grid; grid-template-columns: 8.5rem minmax(0, 1fr); gap: 0 .8rem; padding: .3rem 0; border-bottom: 1px solid var(--line) }
dt { color: var(--soft); font-size: .875rem; padding-top: .08rem } dd { margin: 0; min-width: 0 }
dd details { margin-top: .2rem } dd > [dir], dd li > [dir] { width: fit-content; max-width: 100% }
dd ul + ul { margin-top: .4rem }
summary { cursor: pointer }
.others li { padding: .2rem 0 .2rem .7rem; border-inline-start: 2px dashed var(--line); margin-top: .3rem }
.legend { padding: .6rem .8rem; border: 1px solid var(--line); background: var(--card); font-size: .9rem; margin-bottom: 1rem }
.legend li { display: inline-block; margin-inline-end: 1rem } .legend p + p, .legend ul { margin-top: .3rem }
.sign { font-weight: 700; display: inline-block; min-width: 1.1em; text-align: center; border: 1px solid currentcolor; border-radius: .2rem;
  line-height: 1.25; margin-inline-end: .3rem }
.kept .sign { color: var(--kept) } .removed .sign { color: var(--gone) }
.block { padding: .3rem .8rem; margin: .3rem 0 }
.block.removed { padding-inline-start: .6rem }
.block.kept { border-inline-start: .3rem solid var(--kept); background: var(--card) }
.block.removed { border-inline-start: .3rem dashed var(--gone) }
.block.removed li { margin: .5rem 0 0; padding-top: .5rem; border-top: 1px dashed var(--line) }
.block.removed .text { color: var(--soft) }
.block:target, li:target { outline: 2px solid var(--link); outline-offset: 2px }
.block summary { list-style: none; position: relative; padding-inline-start: 1rem; min-height: 1.5rem }
.block summary::-webkit-details-marker { display: none }
.block summary::before { content: "\\25b8"; position: absolute; inset-inline-start: 0; color: var(--soft) }
.block [open] > summary::before { content: "\\25be" }
.peek { color: var(--soft); display: block; white-space: nowrap; overflow: hidden; text-overflow: ellipsis }
[open] > summary > .peek { display: none }
.off { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
footer { margin-top: 2.5rem; padding-top: .6rem; border-top: 1px solid var(--line) }
@media (max-width: 34rem) { dl > div { grid-template-columns: minmax(0, 1fr) } }
@media (min-width: 60rem) { .block.kept, .block.removed li, .block summary { display: grid;
  grid-template-columns: 17rem minmax(0, 1fr); gap: 0 1rem }
  .block.kept, .block.removed { padding-inline-start: 1.6rem } .block summary { margin-inline-start: -1rem } }
@media print {
  """
    + PAPER
    + """
  body { max-width: none; padding: 0; font-size: 10pt } nav { display: none } .block, dl > div { break-inside: avoid }
  .block.removed { break-inside: auto } h2, h3 { break-after: avoid }
  details::details-content { content-visibility: visible; height: auto } .peek { display: none }
}
"""
)


def as_html(explanation: Explanation) -> str:
    """Give an explanation as one page that needs nothing else and asks for nothing."""
    outcome, page = explanation.outcome, explanation.page
    article = outcome if isinstance(outcome, Article) else None
    title = (article and article.title) or outcome_name(outcome)
    tag = article.language.tag if article and article.language.tag != "und" else None
    word, detail = _verdict(explanation)
    blocks = page.blocks if page else ()
    middle = _fields_part(explanation.fields, tag) if article else _claims_part(page.claims if page else ())
    parts = [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy(_STYLE)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="robots" content="noindex">',
        f"<title>{escape(plain(title))} - babelwire explain</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<header>",
        f'<p class="tool">babelwire explain</p>\n<h1 dir="auto"{_lang(tag)}>{shown(title)}</h1>',
        f'<div class="verdict {word}"><p><b>{word}</b> {shown(detail)}</p>\n<p class="soft">{_counts(blocks)}</p></div>',
        '<nav><a href="#source">Source</a> <a href="#fields">Fields</a> <a href="#blocks">Blocks</a></nav>\n</header>\n<main>',
        f'<h2 id="source">Source</h2>\n<dl>{"".join(_row(name, _text(value)) for name, value in _head(explanation))}</dl>',
        f'<h2 id="fields">Fields</h2>\n{middle}',
        f'<h2 id="blocks">Blocks in page order</h2>\n{_legend(blocks)}',
        f'<ol class="blocks">\n{"".join(_stretches(blocks, tag))}</ol>',
        '</main>\n<footer class="soft"><p>Pictures are not loaded and addresses are text: this page asks nothing of the network.</p></footer>',
        "</body>\n</html>\n",
    ]
    return "\n".join(parts)


def outcome_name(outcome: Article | Rejected) -> str:
    """Name a document that has no title: by its member, else by its file."""
    place = outcome.raw if isinstance(outcome, Article) else outcome
    return place.source_member or place.source_uri.rpartition("/")[2] or place.source_uri


def _text(text: str, tag: str | None = None) -> str:
    return f'<div dir="auto"{_lang(tag)}>{shown(text)}</div>'


def _lang(tag: str | None) -> str:
    # The browser chooses the font by it: one Han character has a shape for each of four writings.
    return f' lang="{escape(tag)}"' if tag else ""


def _row(name: str, value: str) -> str:
    return f"<div><dt>{shown(name)}</dt><dd>{value}</dd></div>\n"


def _fields_part(fields: Sequence[Field], tag: str | None) -> str:
    parts = []
    for group, members in groupby(fields, key=lambda field: field.column.group):
        rows = []
        unknown = []
        for field in members:
            if field.value is None and not field.others:
                unknown.append(field.column.name)
                continue
            language = tag if group == "content" else None
            values = "".join(_item(item, language) for item in _items(field)) or '<div class="soft">null</div>'
            note = f' <div class="soft">{shown(field.note)}</div>' if field.note else ""
            said_by = (
                f'<div class="about">from {shown(field.origin.origin)}: {shown(field.origin.rule)}</div>'
                if field.origin
                else ""
            )
            rows.append(_row(field.column.name, values + note + said_by + _others_part(field.others)))
        if unknown:
            rows.append(_row("null", f'<span class="soft">{", ".join(unknown)}</span>'))
        parts.append(f"<h3>{shown(group)}</h3>\n<dl>{''.join(rows)}</dl>\n")
    return "".join(parts)


def _item(value: object, tag: str | None) -> str:
    """Write one value; the parts of a struct stand on lines of their own, as each may run in another direction."""
    if not isinstance(value, dict):
        return _text(_value(value), tag)
    parts = ((name, _value(part)) for name, part in value.items() if part is not None)
    return (
        "<ul>"
        + "".join(f'<li><span class="soft">{shown(name)}</span> <bdi>{shown(part)}</bdi></li>' for name, part in parts)
        + "</ul>"
    )


def _others_part(others: Sequence[Other]) -> str:
    if not others:
        return ""
    agree = sum(other.agrees for other in others)
    counts = ((agree, "the same"), (len(others) - agree, "otherwise"))
    summary = ", ".join(f"{count} {'says' if count == 1 else 'say'} {what}" for count, what in counts if count)
    items = "".join(
        f'<li><p class="about">{"same" if other.agrees else "otherwise"}: {shown(_said_by(other.claim))}</p>'
        f"{_text(other.claim.value)}</li>"
        for other in others
    )
    return f'<details class="others"><summary class="soft">others: {summary}</summary><ul>{items}</ul></details>'


def _claims_part(claims: Sequence[Claim]) -> str:
    """Show what a rejected page says of itself; nothing was decided by it."""
    if not claims:
        return '<p class="soft">It became no record, and nothing is known of what it claims.</p>'
    rows = "".join(
        _row(claim.field, f'{_text(claim.value)}<div class="about">{shown(_said_by(claim))}</div>') for claim in claims
    )
    return f'<p class="soft">It became no record. This is what the page claims.</p>\n<dl>{rows}</dl>'


def _legend(blocks: Sequence[Block]) -> str:
    if not blocks:
        return f'<p class="soft">{_counts(blocks)[:1].upper()}{_counts(blocks)[1:]}.</p>'
    first = {block.role: number for number, block in reversed(list(enumerate(blocks, start=1))) if not block.keep}
    roles = "".join(f'<li><a href="#b{first[role]}">{role}</a> {count}</li>' for role, count in _removed_roles(blocks))  # type: ignore[index]
    return (
        '<div class="legend"><p class="kept"><span class="sign">+</span> solid line: kept, it is part of the text</p>'
        '<p class="removed"><span class="sign">\N{MINUS SIGN}</span> broken line: removed, it stays in the column <code>removed</code>; '
        "open it to read</p>"
        f"<ul>{roles}</ul></div>"
    )


def _stretches(blocks: Sequence[Block], tag: str | None) -> Iterator[str]:
    """Give kept blocks one by one, and neighbours that were removed in one role as one that opens."""
    numbered = enumerate(blocks, start=1)
    for role, members in groupby(numbered, key=lambda item: None if item[1].keep else item[1].role):
        stretch = list(members)
        if role is None:
            for number, block in stretch:
                yield f'<li class="block kept" id="b{number}">{_about("+", "kept", block)}{_words(block, tag)}</li>\n'
            continue
        items = "".join(f'<li id="b{n}">{_about("", "", block)}{_words(block, tag)}</li>' for n, block in stretch)
        peek = _BETWEEN.join(plain(block.text) for _, block in islice(stretch, 8))[:200]
        count = f" \N{MULTIPLICATION SIGN} {len(stretch)}" if len(stretch) > 1 else ""
        rules = {block.rule for _, block in stretch}
        rule = f"<bdi>{shown(rules.pop())}</bdi>" if len(rules) == 1 else f"{len(rules)} rules"
        yield (
            f'<li class="block removed"><details><summary><span class="about">{_signed(chr(0x2212), "removed")}<b>{shown(role)}</b>{count}'
            f'{_BETWEEN}{rule}</span><span class="peek" dir="auto"{_lang(tag)}>{escape(peek)}</span></summary>'
            f"<ul>{items}</ul></details></li>\n"
        )


def _signed(sign: str, word: str) -> str:
    return f'<span class="sign" aria-hidden="true">{sign}</span><span class="off">{word}: </span>'


def _about(sign: str, word: str, block: Block) -> str:
    """Say of a block what it is taken for and why."""
    facts = [f"<b>{shown(block.role)}</b>"] if sign else []
    facts += [f"<bdi>{shown(block.rule)}</bdi>", f"&lt;{shown(block.element)}&gt;"]
    if block.places:
        facts.append(f"in {shown(', '.join(sorted(block.places)))}")
    if block.link_density:
        facts.append(f"{block.link_density:.0%} links")
    return f'<p class="about">{_signed(sign, word) if sign else ""}{_BETWEEN.join(facts)}</p>'


def _words(block: Block, tag: str | None) -> str:
    return f'<p class="text" dir="auto"{_lang(tag)}>{shown(block.text)}</p>'
