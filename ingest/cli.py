"""The commands: parse, one call, exit code. Results go to stdout, all else to stderr.

    0 fine   1 unexpected   2 usage or configuration   3 quality gate failed
    5 nothing new   75 try again later   130 and 143 stopped by a signal

To add a command, write one function under ``@app.command()`` that imports what it needs inside
itself (``babelwire --help`` must not wait for polars) and, where its code is not 0, ends with
``raise typer.Exit(code)``. Errors of ``schemas.errors`` become messages in ``main``.
"""

import os
import shutil
import signal
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date
from enum import StrEnum
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Self

import typer

from ingest.log import Form, Log
from ingest.versions import babelwire_version, tool_versions
from schemas.errors import BabelwireError, BusyError, PausedError, SetupError

if TYPE_CHECKING:
    from ingest.config import Options
    from ingest.crawl.crawl import CrawlSummary
    from ingest.metrics import Metrics
    from ingest.nightly import Unread
    from ingest.run import Engine, Summary
    from ingest.sources.inputs import Input, Named
    from normalize.translate.models import Models

UNEXPECTED = 1
SETUP = 2
GATE_FAILED = 3
NOTHING_NEW = 5
TRY_LATER = 75

#: Kinds that a line of the closing summary lists.
MOST_LISTED = 10

app = typer.Typer(
    name="babelwire",
    help="Take in news in any language, hand on clean records with proof of where they came from.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # rich would take a fifth of a second to draw boxes around the help.
    rich_markup_mode=None,
)


class Stopped(BaseException):
    """Ctrl-C or a polite kill. Not an Exception, so that nothing on the way up swallows it."""


class EngineName(StrEnum):
    """Where documents are worked on."""

    LOCAL = "local"
    RAY = "ray"


class Signals:
    """What becomes of the signals that end a command: they stop it at once, or between two chunks where that is agreed."""

    def __init__(self, log: Log) -> None:
        """Wait for the first."""
        self.log = log
        #: The signal that came, or None.
        self.number: int | None = None
        #: The first one is only noted, and the next one stops.
        self.can_wait = False
        #: What is done before that stop.
        self.before_stopping = "finishing this chunk"
        self._before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}

    def __enter__(self) -> Self:
        """Receive them."""
        for each in self._before:
            signal.signal(each, self._receive)
        return self

    def __exit__(self, *_: object) -> None:
        """Give them back."""
        for each, handler in self._before.items():
            signal.signal(each, handler)

    def has_come(self) -> bool:
        """Say whether one came."""
        return self.number is not None

    @property
    def exit_code(self) -> int:
        """Give the code of a command that a signal ended, as shells do."""
        return 128 + (self.number or 0)

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        if self.can_wait and self.number is None:
            self.number = number
            self.log.say(f"{self.before_stopping}, then stopping; once more stops at once", event="stopping")
            return
        self.number = number
        # A further one must not break the cleaning up.
        for each in self._before:
            signal.signal(each, signal.SIG_IGN)
        raise Stopped


@dataclass(frozen=True, slots=True)
class Around:
    """What ``main`` and its commands share."""

    log: Log
    signals: Signals


def main(arguments: Iterable[str] | None = None) -> int:
    """Run one command and give its exit code; the entry point of ``babelwire``."""
    log = Log(sys.stderr)
    signals = Signals(log)
    try:
        with signals:
            app(
                args=None if arguments is None else list(arguments),
                prog_name="babelwire",
                obj=Around(log, signals),
            )
    except SystemExit as ending:
        # Whoever read our output has enough, as with "| head"; typer calls that a failure.
        if isinstance(ending.__context__, BrokenPipeError):
            return 0
        return ending.code if isinstance(ending.code, int) else 0
    except Stopped:
        ahead = "; the same command goes on from what was finished" if signals.can_wait else ""
        log.say(f"stopped at once{ahead}", event="stopped", level="warning", exit_code=signals.exit_code)
        return signals.exit_code
    except PausedError as error:
        log.say(str(error), event="stopped", level="warning", exit_code=signals.exit_code)
        return signals.exit_code
    except BabelwireError as error:
        code = _code_of(error, signals)
        log.say(str(error), event="error", level="error", exit_code=code)
        return code
    except Exception as error:
        if log.form is Form.TEXT:
            raise
        trace = "".join(traceback.format_exception(error))
        log.say(repr(error), event="error", level="error", exit_code=UNEXPECTED, traceback=trace)
        return UNEXPECTED
    return 0


def _code_of(error: BaseException, signals: Signals) -> int:
    """Give the exit code of a command that ends with an error."""
    if isinstance(error, typer.Exit):
        return error.exit_code
    if isinstance(error, Stopped | PausedError):
        return signals.exit_code
    if isinstance(error, BusyError):
        return TRY_LATER
    return SETUP if isinstance(error, BabelwireError) else UNEXPECTED


def _show_version(wanted: bool) -> None:  # noqa: FBT001  typer calls it so
    if wanted:
        tools = ", ".join(f"{name} {version}" for name, version in tool_versions().items())
        typer.echo(f"babelwire {babelwire_version()} ({tools})")
        raise typer.Exit


@app.callback()
def _babelwire(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show all versions and exit."),
    ] = False,
) -> None:
    pass


@app.command()
def run(
    context: typer.Context,
    *,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="INPUT...",
            help="Files, folders, patterns, - for standard input, or a catalogue (.toml).",
        ),
    ] = None,
    output: Annotated[Path, typer.Option(help="Folder of all runs; made if need be.")],
    lists: Annotated[
        list[Path] | None,
        typer.Option("--list", metavar="FILE", help="Inputs, one a line, plain or gzip; may be named several times."),
    ] = None,
    shard: Annotated[
        str | None, typer.Option(metavar="K/N", help="Only the Kth of N shares of the inputs, as 3/16.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Options in TOML; babelwire.toml of this folder if any.")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes.")] = None,
    target: Annotated[
        str | None,
        typer.Option("--to", metavar="TAG", help="Language to translate into, or off; en if nothing says otherwise."),
    ] = None,
    device: Annotated[str | None, typer.Option(help="Translate on cpu or cuda.")] = None,
    day: Annotated[
        str | None,
        typer.Option(
            "--date",
            metavar="YYYY-MM-DD",
            help="Day of the run; today in UTC if none, or the day of the run that goes on.",
        ),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Read again what is done.")] = False,
    engine: Annotated[
        EngineName, typer.Option(help="Worker processes of this machine, or of all nodes of a Ray cluster.")
    ] = EngineName.LOCAL,
    address: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="The Ray cluster; without it Ray is started here.")
    ] = None,
    form: Annotated[Form, typer.Option("--log", help="How to say what happens on stderr.")] = Form.TEXT,
    metrics: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep the numbers of the run there, for Prometheus.")
    ] = None,
) -> None:
    """Turn inputs into records: babelwire run pages/ --output news."""
    around: Around = context.obj
    around.log.form = form
    chosen = _Chosen(config=config, workers=workers, target=target, device=device)
    with _measured(metrics, output, around) as measured:
        from ingest.sources.inputs import Named, Shard, read_list  # noqa: PLC0415

        run_date = None if day is None else _day(day)
        share = None if shard is None else Shard.parse(shard)
        listed = (line for file in lists or () for line in read_list(file))
        found = _inputs([*(Named(text=text) for text in inputs or ()), *listed])
        ready = _prepare(found, chosen, around)
        if share is not None and found:
            of = len(found)
            found = tuple(filter(share.holds, found))
            if not found:
                message = f"nothing to do: none of the {of} inputs falls to shard {shard}"
                around.log.say(message, event="nothing_new", inputs=0, exit_code=NOTHING_NEW)
                raise typer.Exit(NOTHING_NEW)
        summary = _run(
            found, output, ready, around, measured, run_date=run_date, fresh=fresh, engine=_engine(engine, address)
        )
        if summary.nothing_new is not None:
            raise typer.Exit(NOTHING_NEW)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """Options of the command line that win over those of the file."""

    config: Path | None
    workers: int | None
    target: str | None
    device: str | None


def _prepare(inputs: "tuple[Input, ...]", chosen: _Chosen, around: Around) -> "tuple[Options, Models]":
    """Read the options and find the models, and say what is wrong with either or with rules of sites."""
    from ingest.config import read_options  # noqa: PLC0415

    options = read_options(
        chosen.config, os.environ, workers=chosen.workers, target=chosen.target, device=chosen.device
    )
    return _ready(inputs, options, around)


def _ready(inputs: "tuple[Input, ...]", options: "Options", around: Around) -> "tuple[Options, Models]":
    """Find the models for options, and say what is wrong with them or with rules of sites."""
    from ingest.config import OFF  # noqa: PLC0415
    from ingest.site_rules import digest_of_books, faults_of_books  # noqa: PLC0415
    from normalize.translate.models import Models, find_models  # noqa: PLC0415

    models = Models()
    if options.translate.target != OFF:
        models = find_models(options.translate, options.models, os.environ)
        for item in models.broken:
            message = f"model {item.folder} is not used: {item.reason}"
            around.log.say(message, event="broken_model", level="warning")
    for fault in faults_of_books(item.rules for item in inputs):
        around.log.say(fault, event="site_rules", level="warning")
    # Of all inputs, not of one share: what one shard must know as done hangs on the options.
    return replace(options, site_rules=digest_of_books(item.rules for item in inputs)), models


def _run(
    inputs: "tuple[Input, ...]",
    output: Path,
    ready: "tuple[Options, Models]",
    around: Around,
    measured: "Metrics",
    *,
    engine: "Engine",
    run_date: date | None = None,
    fresh: bool = False,
    crawls: Sequence[Mapping[str, object]] = (),
) -> "Summary":
    """Run, tell how far it is, and say how it ended."""
    from ingest import progress  # noqa: PLC0415
    from ingest.run import run as run_all  # noqa: PLC0415

    options, models = ready
    around.signals.can_wait = True
    around.signals.before_stopping = "finishing this chunk"
    with progress.shown(around.log) as on_progress:

        def tell(counts: progress.Counts) -> None:
            on_progress(counts)
            measured.tell(counts)

        summary = run_all(
            inputs,
            output,
            options,
            run_date=run_date,
            fresh=fresh,
            on_progress=tell,
            say=lambda sentence: around.log.say(sentence, event="unfinished"),
            stop=around.signals.has_come,
            engine=engine,
            command=sys.argv,
            crawls=crawls,
            models=models,
        )
    measured.finish(summary)
    _say_how_it_ended(around.log, summary, models)
    return summary


@contextmanager
def _measured(path: Path | None, output: Path, around: Around) -> "Iterator[Metrics]":
    """Keep the metrics of a command, to its end whatever that is."""
    from ingest.metrics import Metrics  # noqa: PLC0415

    metrics = Metrics(path, output=output, log=around.log)
    code = 0
    try:
        yield metrics
    except BaseException as error:
        code = _code_of(error, around.signals)
        raise
    finally:
        metrics.end(code, is_success=code in (0, NOTHING_NEW))


def _engine(name: EngineName, address: str | None) -> "Engine":
    """Choose where documents are worked on."""
    from ingest.engines import local, ray  # noqa: PLC0415

    if name is EngineName.RAY:
        return partial(ray.map_documents, address=address)
    if address is not None:
        message = f"--address {address} is the address of a Ray cluster; name --engine ray as well"
        raise SetupError(message)
    return local.map_documents


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        message = f'--date "{text}" is not a day; write it as 2026-01-31'
        raise SetupError(message) from error


def _inputs(arguments: "Iterable[Named]") -> "tuple[Input, ...]":
    """Find what the arguments name, in their order; a catalogue stands for what it names."""
    from ingest.catalogue import inputs_of, is_catalogue  # noqa: PLC0415
    from ingest.sources.inputs import find_inputs  # noqa: PLC0415

    found: dict[object, Input] = {}
    for argument in arguments:
        path = Path(argument.text)
        try:
            named = inputs_of(path) if is_catalogue(path) else find_inputs([argument.text])
        except SetupError as error:
            if argument.place is None:
                raise
            message = f"{argument.place}: {error}"
            raise SetupError(message) from error
        for item in named:
            # A file that is named twice comes once, as the catalogue knows it if that is first.
            found.setdefault(item.path and item.path.resolve(), item)
    return tuple(found.values())


def _say_how_it_ended(log: Log, summary: "Summary", models: "Models") -> None:
    """Close the log of a run: the account for who wants to know more, then one sentence."""
    facts = {name: value for name, value in asdict(summary).items() if value is not None}
    done = summary.nothing_new
    if done is not None:
        message = (
            f"nothing new: all {summary.inputs} inputs were done by run {done.run_id} "
            f"on {done.run_date}; --fresh runs them again"
        )
        log.say(message, event="nothing_new", exit_code=NOTHING_NEW, **facts)
        return
    rate = (summary.records + summary.quarantined - summary.restored) / max(summary.seconds, 0.001)
    message = (
        f"{summary.documents} documents: {summary.records} records, {summary.quarantined} quarantined, "
        f"{summary.skipped} skipped; in {summary.seconds:.1f} s ({rate:.1f} pages/s), written to {summary.output}"
    )
    log.say(message, event="finished", account=_account(summary, models), exit_code=0, **facts)


def _account(summary: "Summary", models: "Models") -> tuple[str, ...]:
    """Give the lines that say what a run did."""
    return (
        f"run {summary.run_id} of {summary.run_date} is finished",
        f"  documents in  {summary.documents}",
        f"  records       {summary.records}",
        f"  quarantined   {summary.quarantined}{_listed(summary.by_reason, before=': ')}",
        f"  skipped       {summary.skipped}",
        *(
            [f"  done before   {summary.restored}, in chunks that a run before this one finished"]
            if summary.restored
            else []
        ),
        f"  languages     {_listed(summary.by_language)}",
        f"  page types    {_listed(summary.by_page_type)}",
        *_translation(summary, models),
    )


def _translation(summary: "Summary", models: "Models") -> list[str]:
    """Say what was translated, and for which languages a model is missing."""
    if not summary.sentences:
        return []
    counts = summary.sentences
    became = (
        f"{counts['translated']} translated, {counts['remembered']} remembered, "
        f"{counts['retried']} tried twice, {counts['kept']} left in the original"
    )
    lines = [
        f"  translation   into {summary.target}: {_listed(summary.by_translation)}",
        f"  sentences     {counts['sentences']}, {counts['unique']} different: {became}",
    ]
    if summary.no_model:
        from ingest.models import add_command  # noqa: PLC0415

        waiting = {language: records for language, (records, _) in summary.no_model.items()}
        characters = sum(count for _, count in summary.no_model.values())
        lines += [
            f"  no model for  {_listed(waiting)}: {characters:,} characters wait",
            f"                {add_command(models, list(waiting)[:MOST_LISTED], summary.target)}",
        ]
    lines += [f"  broken model  {reason}; once mended: --fresh" for reason in summary.broken_models.values()]
    return lines


def _listed(counts: dict[str, int], *, before: str = "") -> str:
    """List the most frequent, and how many kinds more there are."""
    if not counts:
        return "" if before else "none"
    text = ", ".join(f"{name} {count}" for name, count in list(counts.items())[:MOST_LISTED])
    more = f" and {len(counts) - MOST_LISTED} more" if len(counts) > MOST_LISTED else ""
    return before + text + more


@app.command()
def crawl(
    context: typer.Context,
    *,
    catalogue: Annotated[Path, typer.Argument(metavar="CATALOGUE", help="The sources, in TOML.")],
    output: Annotated[Path, typer.Option(help="Folder of all crawls and runs; made if need be.")],
    form: Annotated[Form, typer.Option("--log", help="How to say what happens on stderr.")] = Form.TEXT,
) -> None:
    """Fetch what is new at the sources of a catalogue: babelwire crawl sources.toml --output news."""
    around: Around = context.obj
    around.log.form = form
    if not _crawl(catalogue, output, around).pages:
        raise typer.Exit(NOTHING_NEW)


@app.command()
def nightly(
    context: typer.Context,
    *,
    catalogue: Annotated[Path, typer.Argument(metavar="CATALOGUE", help="The sources, in TOML.")],
    output: Annotated[Path, typer.Option(help="Folder of all crawls and runs; made if need be.")],
    config: Annotated[Path | None, typer.Option(help="Options in TOML; babelwire.toml of this folder if any.")] = None,
    workers: Annotated[int | None, typer.Option(help="Worker processes.")] = None,
    target: Annotated[
        str | None,
        typer.Option("--to", metavar="TAG", help="Language to translate into, or off; en if nothing says otherwise."),
    ] = None,
    device: Annotated[str | None, typer.Option(help="Translate on cpu or cuda.")] = None,
    form: Annotated[Form, typer.Option("--log", help="How to say what happens on stderr.")] = Form.TEXT,
    metrics: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep the numbers of the run there, for Prometheus.")
    ] = None,
) -> None:
    """Fetch what is new, then turn it into records: babelwire nightly sources.toml --output news."""
    from ingest.engines.local import map_documents  # noqa: PLC0415
    from ingest.nightly import broken_off, unread  # noqa: PLC0415

    around: Around = context.obj
    around.log.form = form
    chosen = _Chosen(config=config, workers=workers, target=target, device=device)
    with _measured(metrics, output, around) as measured:

        def read(found: "Unread") -> bool:
            """Run over crawls; say whether there was anything in them."""
            if not found.inputs:
                return False
            ready = _prepare(found.inputs, chosen, around)
            summary = _run(found.inputs, output, ready, around, measured, engine=map_documents, crawls=found.crawls)
            return summary.nothing_new is None

        # What is wrong with the options must show before the night, not after it.
        _prepare((), chosen, around)
        left = broken_off(unread(catalogue, output), output)
        has_news = left is not None and read(left)
        _crawl(catalogue, output, around)
        has_news = read(unread(catalogue, output)) or has_news
        if not has_news:
            around.log.say(
                "nothing new: no source has a page that was not read", event="nothing_new", exit_code=NOTHING_NEW
            )
            raise typer.Exit(NOTHING_NEW)


def _crawl(catalogue: Path, output: Path, around: Around) -> "CrawlSummary":
    """Crawl, and say how it ended."""
    from ingest.catalogue import read_catalogue  # noqa: PLC0415
    from ingest.crawl.crawl import crawl as crawl_all  # noqa: PLC0415

    log, signals = around.log, around.signals
    sources = read_catalogue(catalogue)
    signals.can_wait = True
    signals.before_stopping = "noting what was fetched"
    summary = crawl_all(
        sources, output, stop=signals.has_come, say=lambda sentence: log.say(sentence, event="crawling")
    )
    facts = asdict(summary)
    if summary.adopted:
        message = f"{summary.adopted} pages of a crawl that was broken off were kept already and are noted now"
        log.say(message, event="adopted", adopted=summary.adopted)
    message = (
        f"crawl {summary.crawl_id} of {summary.sources} sources: {summary.pages} new pages, "
        f"{summary.of_articles('refused')} refused, {summary.of_articles('failed')} failed, "
        f"{summary.of_articles('put_off')} put off; {summary.bytes / 1e6:.1f} MB in {summary.seconds:.1f} s, kept below {output}"
    )
    account = (
        f"crawl {summary.crawl_id} is finished",
        f"  sources       {summary.sources}",
        *(f"  {kind:<13} {_listed(counts)}" for kind, counts in summary.by_kind.items()),
        *([f"  because       {_listed(summary.reasons)}"] if summary.reasons else []),
    )
    code = 0 if summary.pages else NOTHING_NEW
    log.say(message, event="crawled", account=account, exit_code=code, **facts)
    return summary


@app.command()
def explain(
    document: Annotated[
        str,
        typer.Argument(metavar="INPUT", help="A file, an archive, a catalogue, or - for standard input."),
    ],
    *,
    member: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Which document of several: member, WARC record id, URL, or number from 1."),
    ] = None,
    html: Annotated[bool, typer.Option("--html", help="Write one HTML page instead of text.")] = False,
) -> None:
    """Show why a document came out as it did: babelwire explain page.html --html > why.html."""
    from ingest.config import read_options  # noqa: PLC0415
    from ingest.explain import as_html, choose, write_text  # noqa: PLC0415
    from ingest.sources.inputs import Named  # noqa: PLC0415
    from normalize.explain import explain as explain_document  # noqa: PLC0415

    options = read_options(None, os.environ)
    chosen = choose(_inputs([Named(text=document)]), member, options.limits)
    explanation = explain_document(chosen, options.document)
    if html:
        # Bytes, because the page says it is UTF-8 whatever the terminal speaks.
        typer.echo(as_html(explanation).encode(), nl=False)
    else:
        write_text(explanation, sys.stdout)


class QueryFormat(StrEnum):
    """How the answer to a query is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


@app.command()
def query(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The --output of runs.")],
    question: Annotated[
        str | None,
        typer.Argument(metavar="QUESTION", help="SQL over articles, quarantine, runs and fetches, or a named query."),
    ] = None,
    *,
    show_names: Annotated[bool, typer.Option("--list", help="Show the named queries and their parameters.")] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A parameter of a named query; may be given several times."),
    ] = None,
    form: Annotated[QueryFormat, typer.Option("--format", help="How to write the answer.")] = QueryFormat.TABLE,
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it there instead of stdout.")] = None,
) -> None:
    """Ask in SQL or by name: babelwire query news counts, or "SELECT lang, count(*) FROM articles GROUP BY lang"."""
    from ingest.query import as_bytes, ask, keep, listed, read_settings  # noqa: PLC0415

    if show_names:
        typer.echo(listed(), nl=False)
        return
    if question is None:
        message = "no query is named; write SQL or one of the names that babelwire query DIR --list shows"
        raise SetupError(message)
    if form is QueryFormat.PARQUET and output is None and sys.stdout.isatty():
        message = "Parquet is not for a terminal; name a file with --output, or send it on with > or |"
        raise SetupError(message)
    width = shutil.get_terminal_size((160, 24)).columns
    written = as_bytes(ask(folder, question, read_settings(settings or [])), form.value, width=width)
    if output is None:
        typer.echo(written, nl=False)
    else:
        keep(output, written)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The --output of runs.")],
    *,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where to put the page, - for stdout; DIR/report.html if none.")
    ] = None,
    day: Annotated[
        str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="The night; the last one if none.")
    ] = None,
) -> None:
    """Make one page on a night, to open in a browser: babelwire report news."""
    from ingest.report import NAME, page_of, put_page  # noqa: PLC0415

    page = page_of(folder, None if day is None else _day(day))
    if output == Path("-"):
        # Bytes, because the page says it is UTF-8 whatever the terminal speaks.
        typer.echo(page.encode(), nl=False)
        return
    path = output or folder / NAME
    put_page(path, page)
    typer.echo(f"babelwire: the page is {path}", err=True)


@app.command()
def replay(
    context: typer.Context,
    *,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The --output of the night.")],
    day: Annotated[str, typer.Option("--date", metavar="YYYY-MM-DD", help="The night: the day its runs stand for.")],
    output: Annotated[Path, typer.Option(help="A folder without runs for what comes out; made if need be.")],
    catalogue: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The catalogue, whose site rules are to hold.")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="Options in TOML instead of those of the night.")] = None,
    today: Annotated[
        bool, typer.Option("--today", help="Today's options: babelwire.toml of this folder and the environment.")
    ] = False,
    workers: Annotated[int | None, typer.Option(help="Worker processes.")] = None,
    form: Annotated[Form, typer.Option("--log", help="How to say what happens on stderr.")] = Form.TEXT,
) -> None:
    """Run a past night again from its raw bytes: babelwire replay news --date 2026-01-31 --output trial."""
    from ingest.config import read_options  # noqa: PLC0415
    from ingest.engines.local import map_documents  # noqa: PLC0415
    from ingest.replay import night_of, seed  # noqa: PLC0415

    around: Around = context.obj
    around.log.form = form
    run_date = _day(day)
    is_new = today or config is not None
    chosen = read_options(config, os.environ, workers=workers) if is_new else None
    night = night_of(folder, run_date, output, catalogue=catalogue, options=chosen, workers=workers)
    for doubt in night.doubts:
        around.log.say(doubt, event="replay", level="warning")
    seed(night, output)
    with _measured(None, output, around) as measured:
        for past in night.runs:
            ready = _ready(past.inputs, past.options, around)
            _run(
                past.inputs,
                output,
                ready,
                around,
                measured,
                engine=map_documents,
                run_date=run_date,
                fresh=False,
                crawls=past.crawls,
            )


@app.command()
def diff(
    run_a: Annotated[
        str, typer.Argument(metavar="RUN_A", help="An --output, which means its last run, or DIR:RUN_ID for another.")
    ],
    run_b: Annotated[str, typer.Argument(metavar="RUN_B", help="The same for the run to hold against it.")],
    *,
    as_object: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare two runs over the same documents, column by column: babelwire diff news trial."""
    from ingest.diff import as_json, as_text  # noqa: PLC0415
    from ingest.diff import diff as compare  # noqa: PLC0415

    found = compare(run_a, run_b)
    # Bytes, because records are UTF-8 whatever the terminal speaks.
    typer.echo((as_json(found) if as_object else as_text(found)).encode(), nl=False)


class LineageFormat(StrEnum):
    """How the lineage of runs is written."""

    OPENLINEAGE = "openlineage"
    PROV = "prov"


@app.command()
def lineage(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The --output of runs.")],
    form: Annotated[
        LineageFormat, typer.Option("--format", help="OpenLineage events, one a line, or one PROV-JSON document.")
    ] = LineageFormat.OPENLINEAGE,
) -> None:
    """Print what came from what, as the manifests have it: babelwire lineage news > events.jsonl."""
    from ingest.lineage import openlineage, prov  # noqa: PLC0415

    # Bytes, because JSON is UTF-8 whatever the terminal speaks.
    if form is LineageFormat.PROV:
        typer.echo(prov(folder).encode(), nl=False)
    else:
        for event in openlineage(folder):
            typer.echo(event.encode())


@app.command()
def raw(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The --output of runs.")],
    record_id: Annotated[
        str,
        typer.Argument(metavar="RECORD_ID", help="A record_id; or a raw_sha256 or warc_record_id, of quarantine too."),
    ],
    *,
    record: Annotated[
        bool, typer.Option("--record", help="The record as stored in its file, compressed or not.")
    ] = False,
) -> None:
    """Print the bytes that a record was made of: babelwire raw news 0123456789abcdef0123456789abcdef > page.html."""
    from ingest.config import read_options  # noqa: PLC0415
    from ingest.raw import read_raw  # noqa: PLC0415

    found = read_raw(folder, record_id, read_options(None, os.environ).limits, as_stored=record)
    typer.echo(found.content, nl=False)
    typer.echo(f"babelwire: {found.sentence}", err=True)


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The --output of runs.")],
    *,
    run_id: Annotated[
        str | None, typer.Option("--run", metavar="ID", help="One run instead of all of a night.")
    ] = None,
    day: Annotated[
        str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="The night; the last one if left out.")
    ] = None,
    rules: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Rules of your own in TOML; quality.toml of this folder if any.")
    ] = None,
    files: Annotated[
        bool, typer.Option("--files", help="Look too whether the files that records were read from are there.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say whether a night was good, and end with code 3 where a gate failed: babelwire check news."""
    from ingest import check as checking  # noqa: PLC0415

    night = None if day is None else _day(day)
    outcome = checking.checked(folder, run_id=run_id, night=night, rules=rules, files=files)
    if as_json:
        sys.stdout.write(checking.as_json(outcome))
    else:
        checking.write_table(outcome, sys.stdout)
    if outcome.has_failed:
        raise typer.Exit(GATE_FAILED)


models_app = typer.Typer(
    help="Translation models: list, add, remove, plan, verify.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(models_app, name="models")

ConfigOption = Annotated[Path | None, typer.Option(help="Options in TOML; babelwire.toml of this folder if any.")]


@models_app.command("list")
def list_models(config: ConfigOption = None) -> None:
    """Show the models of this machine: babelwire models list."""
    from ingest import models  # noqa: PLC0415
    from ingest.config import read_options  # noqa: PLC0415

    typer.echo(models.listed(read_options(config, os.environ), os.environ))


@models_app.command("add")
def add_models(
    wanted: Annotated[
        list[str],
        typer.Argument(metavar="WHAT...", help="Package files, folders of them, addresses, or pairs such as de-en."),
    ],
    *,
    config: ConfigOption = None,
) -> None:
    """Add models: babelwire models add translate-de_en.argosmodel, or add de-en from the index."""
    from ingest import models  # noqa: PLC0415
    from ingest.config import read_options  # noqa: PLC0415

    for line in models.added(wanted, read_options(config, os.environ), os.environ):
        typer.echo(line)


@models_app.command("remove")
def remove_models(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help="Pairs such as de-en, or names that list shows.")
    ],
    *,
    config: ConfigOption = None,
) -> None:
    """Remove models that were added: babelwire models remove de-en."""
    from ingest import models  # noqa: PLC0415
    from ingest.config import read_options  # noqa: PLC0415

    for line in models.removed(names, read_options(config, os.environ), os.environ):
        typer.echo(line)


@models_app.command("plan")
def plan_models(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The --output of runs.")],
    *,
    run_id: Annotated[str | None, typer.Option("--run", metavar="ID", help="One run instead of all.")] = None,
    config: ConfigOption = None,
) -> None:
    """Show which models are missing and how much text waits for each: babelwire models plan news."""
    from ingest import models  # noqa: PLC0415
    from ingest.config import read_options  # noqa: PLC0415

    typer.echo(models.planned(folder, run_id, read_options(config, os.environ), os.environ))


@models_app.command("verify")
def verify_models(config: ConfigOption = None) -> None:
    """Hold each model against the lock, load it and translate a probe: babelwire models verify."""
    from ingest import models  # noqa: PLC0415
    from ingest.config import read_options  # noqa: PLC0415

    good = True
    for line, is_good in models.verified(read_options(config, os.environ), os.environ):
        typer.echo(line)
        good = good and is_good
    if not good:
        raise typer.Exit(SETUP)


sources_app = typer.Typer(help="Source catalogues: check, doctor, import.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(sources_app, name="sources")


@sources_app.command("check")
def check_sources(
    catalogue: Annotated[Path, typer.Argument(metavar="CATALOGUE", help="The sources, in TOML.")],
) -> None:
    """Show, without the network, what a catalogue would have fetched: babelwire sources check sources.toml."""
    from ingest.source_list import listed  # noqa: PLC0415

    typer.echo(listed(catalogue))


@sources_app.command("doctor")
def examine_sources(
    context: typer.Context,
    catalogue: Annotated[Path, typer.Argument(metavar="CATALOGUE", help="The sources, in TOML.")],
) -> None:
    """Ask each address of a catalogue once, and say what to do about it: babelwire sources doctor sources.toml."""
    from ingest.catalogue import read_catalogue  # noqa: PLC0415
    from ingest.crawl.doctor import examine, told  # noqa: PLC0415

    around: Around = context.obj
    around.signals.can_wait = True
    looked = examine(read_catalogue(catalogue), stop=around.signals.has_come)
    typer.echo(told(looked))
    if any(finding.is_fault for one in looked for finding in one.findings):
        raise typer.Exit(SETUP)


@sources_app.command("import")
def import_sources(
    context: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="OPML files, and lists of addresses, one a line.")
    ],
) -> None:
    """Make a catalogue of subscriptions: babelwire sources import subscriptions.opml > sources.toml."""
    from ingest.source_import import imported  # noqa: PLC0415

    around: Around = context.obj
    catalogue, faults = imported(files)
    for fault in faults:
        around.log.say(fault, event="not_imported", level="warning")
    # Bytes, because TOML is UTF-8 whatever the terminal speaks.
    typer.echo(catalogue.encode(), nl=False)


class SchemaFormat(StrEnum):
    """How the schema is printed."""

    TABLE = "table"
    JSON = "json"
    POLARS = "polars"


@app.command()
def schema(
    form: Annotated[SchemaFormat, typer.Option("--format", help="How to print.")] = SchemaFormat.TABLE,
) -> None:
    """Print the columns of a record, with type and meaning."""
    from schemas.show import as_json_schema, as_polars_code, as_table  # noqa: PLC0415

    writers = {
        SchemaFormat.TABLE: as_table,
        SchemaFormat.JSON: as_json_schema,
        SchemaFormat.POLARS: as_polars_code,
    }
    typer.echo(writers[form]())
