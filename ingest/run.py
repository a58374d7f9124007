"""The whole road of a run in one function: read ``run`` first."""

import hashlib
import shutil
import stat
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import accumulate, islice
from pathlib import Path
from typing import Any, Protocol, Self

import polars as pl

from ingest.config import OFF, Options, canonical_json
from ingest.disk import disk_errors
from ingest.engines.local import Outcome, WarmUp, Work, WorkerOptions, map_documents
from ingest.progress import Counts, OnProgress
from ingest.sources import START, Input, Limits, Place, read_input
from ingest.staged import Chunk, Opening, Staged
from ingest.store import OUTPUT_FOLDERS, Done, Store
from ingest.versions import tool_versions
from normalize.options import DocumentOptions, TranslateOptions
from normalize.translate.models import Models
from schemas.document import Article, RawDocument, Rejected
from schemas.errors import BusyError, PausedError, SetupError
from schemas.record import (
    COLUMNS,
    QUARANTINE_COLUMNS,
    SCHEMA_VERSION,
    Column,
    RunStamp,
    articles_to_frame,
    problems,
    rejected_to_frame,
)

# How many chunks of documents may be read before the first is written.
CHUNKS_AHEAD = 2


class Engine(Protocol):
    """Gives one outcome for each document, in the order of the documents, as ``ingest.engines.local.map_documents``."""

    def __call__(
        self,
        documents: Iterable[RawDocument | Rejected],
        *,
        work: Work,
        warm_up: WarmUp,
        document_options: DocumentOptions,
        worker_options: WorkerOptions,
    ) -> Generator[Outcome, None, None]:
        """Work on documents as they are read."""


class Memory(Protocol):
    """What a step across documents remembers."""

    def added(self) -> pl.DataFrame:
        """Give what the last chunk added."""

    def restore(self, added: pl.DataFrame) -> None:
        """Take in what ``added`` gave for the next chunk of a run that was not finished."""

    def save(self, path: Path) -> None:
        """Write what was added since it was loaded."""


class Duplicates(Memory, Protocol):
    """The memory of what was seen, as ``normalize.duplicates.DuplicateIndex``."""

    @classmethod
    def load(cls, folder: Path | None) -> Self:
        """Remember what earlier runs saved in a folder."""

    def link(self, articles: Sequence[Article]) -> tuple[Article, ...]:
        """Point each article to the first that says the same, then remember it."""


class Templates(Memory, Protocol):
    """What recurs on the pages of each site, as ``normalize.boilerplate.templates.Templates``."""

    @classmethod
    def load(cls, folder: Path | None, *, run_date: date, options: DocumentOptions) -> Self:
        """Remember what earlier runs saved in a folder."""

    @property
    def outdated(self) -> Sequence[str]:
        """Files of that folder that are too old to count."""

    def cut(self, articles: Sequence[Article]) -> tuple[Article, ...]:
        """Learn from a chunk of articles, then take the templates of their sites from them."""


class Translator(Protocol):
    """Translates chunk after chunk, as ``normalize.translate.engine.Engine``."""

    @property
    def missing(self) -> Mapping[str, tuple[int, int]]:
        """Language without a model -> records and characters that stay untranslated."""

    @property
    def broken(self) -> Mapping[str, str]:
        """Label of a model that could not be loaded -> the reason."""

    def translate(self, articles: Sequence[Article], chunk: int) -> tuple[Article, ...]:
        """Give each article its translation."""

    def counted(self) -> dict[str, int]:
        """Say what it came to, in sentences."""

    def account(self) -> dict[str, Any]:
        """Give all that it would say of itself, as JSON can hold it."""

    def restore(self, account: Mapping[str, Any]) -> None:
        """Go on from where ``account`` was taken."""


class OpenTranslator(Protocol):
    """Makes the translator of one run."""

    def __call__(
        self,
        options: TranslateOptions,
        models: Models,
        state: Path,
        *,
        run_id: str,
        run_date: date,
        on_progress: Callable[[int, int], None],
    ) -> AbstractContextManager[Translator]:
        """Open it: what to do, with which models, the folder of its memory, and whom to tell its progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """What a run does with documents; ``normalize`` has the real ones."""

    work: Work
    warm_up: WarmUp
    duplicates: type[Duplicates]
    #: None: the run learns nothing of sites.
    templates: type[Templates] | None = None
    #: None: the run does not translate.
    translator: OpenTranslator | None = None
    read: Callable[[Input, Limits, Place], Iterator[RawDocument | Rejected]] = read_input


def real_steps() -> Steps:
    """Give the steps that ``normalize`` publishes."""
    # Late: with its models and tables it is the slowest import of all.
    from normalize.boilerplate.templates import Templates as LearnedTemplates  # noqa: PLC0415
    from normalize.duplicates import DuplicateIndex  # noqa: PLC0415
    from normalize.path import run_document, warm_up  # noqa: PLC0415
    from normalize.translate.engine import open_engine  # noqa: PLC0415

    return Steps(
        work=run_document,
        warm_up=warm_up,
        duplicates=DuplicateIndex,
        templates=LearnedTemplates,
        translator=open_engine,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a run did, for the person who started it."""

    run_id: str
    run_date: date
    output: Path
    inputs: int
    #: Documents in: always records + quarantined + skipped.
    documents: int
    records: int
    quarantined: int
    #: Documents of inputs that an earlier run has done.
    skipped: int
    #: Records and quarantined that were written before this run was broken off.
    restored: int = 0
    by_language: dict[str, int]
    by_page_type: dict[str, int]
    #: "stage/reason" -> count.
    by_reason: dict[str, int]
    #: "done", "no_model", ... -> records.
    by_translation: dict[str, int]
    #: Language without a model -> records and characters that stay untranslated.
    no_model: dict[str, tuple[int, int]]
    #: Label of a model that could not be loaded -> the reason.
    broken_models: dict[str, str]
    #: What the translation came to, in sentences; empty where none was asked for.
    sentences: dict[str, int]
    #: Language translated into.
    target: str
    #: Wall-clock time of the whole run.
    seconds: float
    #: Nothing was written, as every input was done by this earlier run (the last, if several).
    nothing_new: Done | None = None


def run(
    inputs: Sequence[Input],
    output: Path,
    options: Options,
    *,
    run_date: date | None,
    fresh: bool,
    on_progress: OnProgress,
    say: Callable[[str], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
    command: Sequence[str] = (),
    crawls: Sequence[Mapping[str, object]] = (),
    models: Models | None = None,
    steps: Steps | None = None,
    engine: Engine = map_documents,
) -> Summary:
    """Turn inputs into one committed run below an output folder.

    A run that was killed, and is started again with the same inputs and options, goes on after its last chunk.

    Args:
        inputs: What to read, in order.
        output: The folder of all runs.
        options: Everything that was decided.
        run_date: The day the run stands for; None is that of the run to be gone on with, or else today in UTC.
        fresh: Read inputs again that a run has done, and start anew what could be gone on with.
        on_progress: Called after each document.
        say: Told in a sentence what becomes of a run that was not finished.
        stop: Asked after each chunk whether to stop there.
        command: The command line, for the manifest.
        crawls: What fetched the inputs, for the manifest.
        models: The translation models of this machine; without any, what needs one is marked so.
        steps: Other steps than those of ``normalize``.
        engine: Where the steps of one document run: worker processes on this machine, or a cluster.

    Raises:
        SetupError: If the output folder or the workers cannot be used, or an input is our output.
        BusyError: If another run holds the folder, its disk is full or an input changes.
        PausedError: If it was stopped.
        RuntimeError: If a frame breaks the schema or the accounting does not close: our bug.
    """
    clock = _Clock()
    tools = tool_versions()
    models = models or Models()
    labels = tuple(model.label for model in models.towards(options.translate.target))
    _refuse_own_output(inputs, output)
    with ExitStack() as stack:
        store = stack.enter_context(Store.open(output))
        known = store.ledger(
            config_sha256=options.config_sha256(labels),
            schema_version=SCHEMA_VERSION,
            version=tools["babelwire"],
        )
        plan = _plan([_looked_at(item, store) for item in inputs], {} if fresh else known)
        today = clock.started_at.date()
        if not plan.todo:
            return _nothing_new(plan, output, run_date or today, clock, options.translate.target)
        job = _Job(
            plan=plan,
            options=options,
            models=labels,
            tools=tools,
            command=command,
            crawls=crawls,
            run_date=run_date or today,
        )
        unfinished = store.unfinished()
        if unfinished and run_date is None and job.on(unfinished.run_date).run_id == unfinished.run_id:
            # A night that is broken off before midnight and gone on with after it is still that night.
            job = job.on(unfinished.run_date)
        staged = store.begin(job.stamp, job.metadata(), job.opening(clock), anew=fresh)
        if unfinished:
            say(_what_becomes_of(unfinished, job, staged))
        tally = _Tally(plan)
        steps = steps or real_steps()
        across = stack.enter_context(_across(steps, store, job, models, tally.translating(on_progress)))
        tally.translator = across.translator
        for written in staged.chunks:
            tally.restore(written.account["tally"])
            across.restore(written)
        outcomes = engine(
            tally.reading(steps.read, options.limits, staged),
            work=steps.work,
            warm_up=steps.warm_up,
            document_options=options.document,
            worker_options=_worker_options(options),
        )
        stack.callback(outcomes.close)
        counted = tally.watching(outcomes, on_progress)
        for number, chunk in enumerate(_chunks(counted, options.run.chunk_size), start=len(staged.chunks)):
            articles = across.take([item for item in chunk if isinstance(item, Article)], number)
            tally.finished(articles)
            _write(articles, [item for item in chunk if isinstance(item, Rejected)], number, staged)
            staged.record(number, {"tally": tally.account(), "translator": across.account()}, across.added())
            if stop():
                message = f"stopped after {tally.so_far().documents} documents; the same command goes on from there"
                raise PausedError(message)
        tally.close(staged)
        across.save(staged)
        staged.commit(job.manifest(tally, staged))
        return tally.summary(job, output, clock)


def _what_becomes_of(unfinished: Opening, job: "_Job", staged: Staged) -> str:
    """Say whether a run that was not finished is gone on with, and if not, why."""
    name = f"run {unfinished.run_id} of {unfinished.run_date}"
    if staged.chunks:
        return f"{name} was not finished and goes on after {len(staged.chunks)} chunks"
    words = {
        "inputs": "other inputs",
        "config_sha256": "other options",
        "run_date": "another day",
        "tools": "other versions of babelwire or its libraries",
        "schema_version": "another schema",
    }
    other = [words[key] for key, value in job.identity.items() if unfinished.identity.get(key) != value]
    return f"{name} was not finished and is given up: this run has {' and '.join(other) or 'to start anew'}"


class _Clock:
    """Wall-clock times of a run. They go into the manifest and the summary, never into data."""

    def __init__(self) -> None:
        self.started_at = datetime.now(UTC)
        self._began = time.monotonic()

    def seconds(self) -> float:
        return time.monotonic() - self._began


# ---- what is there to do ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """One input and what its bytes are."""

    input: Input
    #: None where it cannot be read; the reader will say why.
    sha256: str | None
    bytes: int
    #: Size and time of change when it was hashed; None where that means nothing.
    state: tuple[int, int] | None

    @property
    def has_content(self) -> bool:
        return self.sha256 is not None and self.bytes > 0


def _refuse_own_output(inputs: Sequence[Input], output: Path) -> None:
    """Keep ``run . --output news`` from taking in tomorrow what it writes today."""
    ours = [(output / name).resolve() for name in OUTPUT_FOLDERS]
    for item in inputs:
        place = None if item.path is None else item.path.resolve()
        if place is not None and any(place.is_relative_to(folder) for folder in ours):
            message = (
                f"input {item.uri} was written by babelwire into the output {output}; "
                f"name the input folders one by one, or an output outside of them"
            )
            raise SetupError(message)


def _looked_at(item: Input, store: Store) -> _Looked:
    """Hash an input; what can be read only once is kept in a file first."""
    try:
        if item.path is None or stat.S_ISFIFO(item.path.stat().st_mode):
            item = _spooled(item, store.scratch())
        if item.path is None:
            message = f'"{item.uri}" was not kept in a file'
            raise AssertionError(message)
        with item.path.open("rb") as file:
            state = _state(item.path)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return _Looked(input=item, sha256=digest, bytes=file.tell(), state=state)
    except OSError:
        return _Looked(input=item, sha256=None, bytes=0, state=None)


def _spooled(item: Input, folder: Path) -> Input:
    path = folder / f"input-{len(list(folder.iterdir()))}"
    source: int | Path = 0 if item.path is None else item.path
    with (
        disk_errors(path),
        path.open("wb") as kept,
        open(source, "rb", closefd=source != 0) as file,
    ):
        shutil.copyfileobj(file, kept)
    return replace(item, path=path)


def _state(path: Path) -> tuple[int, int]:
    now = path.stat()
    return now.st_size, now.st_mtime_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What to read and what not."""

    todo: tuple[_Looked, ...]
    #: Inputs that an earlier run has done.
    done: tuple[tuple[_Looked, Done], ...]
    #: Inputs with the same bytes as one of ``todo``, and its place there.
    repeats: tuple[tuple[_Looked, int], ...]


def _plan(looked: Sequence[_Looked], known: dict[str, Done]) -> _Plan:
    todo: list[_Looked] = []
    done: list[tuple[_Looked, Done]] = []
    repeats: list[tuple[_Looked, int]] = []
    places: dict[str, int] = {}
    for item in looked:
        # An input without content is never done: it is worth a word every time.
        sha256 = item.sha256 if item.has_content else None
        if sha256 is not None and sha256 in known:
            done.append((item, known[sha256]))
        elif sha256 is not None and sha256 in places:
            repeats.append((item, places[sha256]))
        else:
            if sha256 is not None:
                places[sha256] = len(todo)
            todo.append(item)
    return _Plan(todo=tuple(todo), done=tuple(done), repeats=tuple(repeats))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """Everything that is decided before the first document is read."""

    plan: _Plan
    options: Options
    #: Labels of the models that texts may go through.
    models: tuple[str, ...]
    tools: dict[str, str]
    command: Sequence[str]
    crawls: Sequence[Mapping[str, object]]
    run_date: date

    @property
    def identity(self) -> dict[str, Any]:
        """Give all that shapes the run's output, as JSON can hold it."""
        return {
            "run_date": self.run_date.isoformat(),
            "config_sha256": self.options.config_sha256(self.models),
            "schema_version": SCHEMA_VERSION,
            "tools": self.tools,
            "inputs": [[item.sha256, *_said_of(item.input)] for item in self.plan.todo],
        }

    @property
    def run_id(self) -> str:
        """Name the run after its identity: 16 hexadecimal digits."""
        return hashlib.sha256(canonical_json(self.identity).encode()).hexdigest()[:16]

    @property
    def stamp(self) -> RunStamp:
        """Give what its records say of it."""
        config_sha256 = self.options.config_sha256(self.models)
        return RunStamp(run_id=self.run_id, run_date=self.run_date, config_sha256=config_sha256)

    def on(self, day: str) -> "_Job":
        """Give the same job for another day, YYYY-MM-DD."""
        return replace(self, run_date=date.fromisoformat(day))

    def opening(self, clock: "_Clock") -> Opening:
        """Give what the run says of itself when it begins."""
        return Opening(
            run_id=self.run_id,
            run_date=self.run_date.isoformat(),
            started_at=clock.started_at.isoformat(),
            identity=self.identity,
        )

    def metadata(self) -> dict[str, str]:
        """Give what every file says of itself; nothing that differs by machine or hour."""
        stamp = self.stamp
        return {
            "babelwire.schema_version": SCHEMA_VERSION,
            "babelwire.run_id": stamp.run_id,
            "babelwire.config_sha256": stamp.config_sha256,
            "babelwire.options": canonical_json(self.options.shaping_output(self.models)),
            "babelwire.tools": canonical_json(self.tools),
        }

    def manifest(self, tally: "_Tally", staged: Staged) -> dict[str, object]:
        """Give the account of the finished run."""
        stamp = self.stamp
        return {
            "run_id": stamp.run_id,
            "run_date": stamp.run_date.isoformat(),
            "started_at": staged.opening.started_at,
            "finished_at": datetime.now(UTC).isoformat(),
            "command": list(self.command),
            "crawls": list(self.crawls),
            "inputs": [
                {**_named(item), **_said_in_manifest(item.input), **asdict(account)}
                for item, account in zip(self.plan.todo, tally.inputs, strict=True)
            ],
            "inputs_skipped": [
                *(
                    {**_named(item), "documents": done.documents, "done_by": done.run_id}
                    for item, done in self.plan.done
                ),
                *(
                    {
                        **_named(item),
                        "documents": tally.inputs[place].documents,
                        "done_by": stamp.run_id,
                    }
                    for item, place in self.plan.repeats
                ),
            ],
            "options": self.options.as_json(),
            "models": list(self.models),
            "config_sha256": stamp.config_sha256,
            "tools": self.tools,
            "schema_version": SCHEMA_VERSION,
            "counts": tally.counts(),
            "by_language": dict(tally.by_language),
            "by_page_type": dict(tally.by_page_type),
            "by_reason": dict(tally.by_reason),
            "by_translation": dict(tally.by_translation),
            "no_model": {language: records for language, (records, _) in tally.missing.items()},
            "sentences": tally.sentences,
            "files": [asdict(file) for file in staged.files],
        }


def _named(item: _Looked) -> dict[str, object]:
    return {"uri": item.input.uri, "sha256": item.sha256, "bytes": item.bytes}


def _said_in_manifest(item: Input) -> dict[str, str | None]:
    """Give what the catalogue said of an input: with its bytes all that is needed to read it again."""
    return {"source_id": item.source_id, "publisher": item.publisher, "language_prior": item.language_prior}


def _said_of(item: Input) -> list[str | None]:
    """Give what the records will say of an input besides its content."""
    return [item.uri, item.source_id, item.publisher, item.language_prior]


def _nothing_new(plan: _Plan, output: Path, run_date: date, clock: _Clock, target: str) -> Summary:
    if not plan.done:
        message = "no input is named; name files, folders, patterns or a catalogue"
        raise SetupError(message)
    skipped = sum(done.documents for _, done in plan.done)
    last = max((done for _, done in plan.done), key=lambda done: done.run_date)
    return Summary(
        run_id=last.run_id,
        run_date=run_date,
        output=output,
        inputs=len(plan.done),
        documents=skipped,
        records=0,
        quarantined=0,
        skipped=skipped,
        by_language={},
        by_page_type={},
        by_reason={},
        by_translation={},
        no_model={},
        broken_models={},
        sentences={},
        target=target,
        seconds=clock.seconds(),
        nothing_new=last,
    )


# ---- doing it -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Across:
    """The steps across documents, opened for one run."""

    duplicates: Duplicates
    templates: Templates | None
    translator: Translator | None

    def take(self, articles: Sequence[Article], chunk: int) -> Sequence[Article]:
        """Take the articles of a chunk through the steps, in their order."""
        if self.templates:
            articles = self.templates.cut(articles)
        articles = self.duplicates.link(articles)
        if self.translator:
            articles = self.translator.translate(articles, chunk)
        return articles

    def _memories(self) -> dict[str, Memory]:
        return {"duplicates": self.duplicates} | ({"templates": self.templates} if self.templates else {})

    def added(self) -> dict[str, pl.DataFrame]:
        """Give what the steps took in with the last chunk."""
        return {name: memory.added() for name, memory in self._memories().items()}

    def account(self) -> dict[str, Any] | None:
        """Give what the translator counted."""
        return self.translator.account() if self.translator else None

    def restore(self, chunk: Chunk) -> None:
        """Take in a chunk that was written before the run was broken off."""
        for name, memory in self._memories().items():
            memory.restore(chunk.memory(name))
        if self.translator:
            self.translator.restore(chunk.account["translator"])

    def save(self, staged: Staged) -> None:
        """Stage what the steps remember for later runs."""
        for name, memory in self._memories().items():
            staged.add_state(name, memory.save)
        if self.templates:
            staged.drop_state("templates", self.templates.outdated)


@contextmanager
def _across(
    steps: Steps, store: Store, job: _Job, models: Models, on_progress: Callable[[int, int], None]
) -> Iterator[_Across]:
    """Open the steps across documents on what earlier runs left."""
    run_id = job.run_id
    templates = translator = None
    with ExitStack() as stack:
        if steps.templates:
            folder = store.earlier_state("templates", besides=run_id)
            templates = steps.templates.load(folder, run_date=job.run_date, options=job.options.document)
        if steps.translator and job.options.translate.target != OFF:
            opened = steps.translator(
                job.options.translate,
                models,
                store.state,
                run_id=run_id,
                run_date=job.run_date,
                on_progress=on_progress,
            )
            translator = stack.enter_context(opened)
        duplicates = steps.duplicates.load(store.earlier_state("duplicates", besides=run_id))
        yield _Across(duplicates=duplicates, templates=templates, translator=translator)


def _worker_options(options: Options) -> WorkerOptions:
    return WorkerOptions(
        workers=options.run.workers,
        seconds=options.run.document_seconds,
        megabytes=options.run.document_mb,
        look_ahead=options.run.chunk_size * CHUNKS_AHEAD,
    )


def _chunks(outcomes: Iterator[Outcome], size: int) -> Iterator[list[Outcome]]:
    while chunk := list(islice(outcomes, size)):
        yield chunk


def _write(articles: Sequence[Article], rejected: Sequence[Rejected], number: int, staged: Staged) -> None:
    """Write the two parts of one chunk."""
    records = _checked(articles_to_frame(articles, staged.stamp), COLUMNS, number)
    refused = _checked(rejected_to_frame(rejected, staged.stamp), QUARANTINE_COLUMNS, number)
    staged.write("articles", number, records)
    staged.write("quarantine", number, refused)


def _checked(frame: pl.DataFrame, columns: Sequence[Column], number: int) -> pl.DataFrame:
    found = problems(frame, columns)
    if found:
        message = f"chunk {number} breaks the schema, which is a bug: " + "; ".join(found)
        raise RuntimeError(message)
    return frame


@dataclass(slots=True)
class _PerInput:
    """What came out of one input."""

    kind: str | None = None
    documents: int = 0
    records: int = 0
    quarantined: int = 0


_COUNTERS = ("by_language", "by_page_type", "by_reason", "by_translation")


@dataclass(slots=True)
class _Tally:
    """The accounting: what went in is counted at the reader, what came out at the writer."""

    plan: _Plan
    inputs: list[_PerInput] = field(default_factory=list)
    inputs_done: int = 0
    #: Bytes of the inputs, as stored, that lie behind the last outcome.
    bytes_done: int = 0
    records: int = 0
    #: For each document on its way, the number of its input.
    owners: deque[int] = field(default_factory=deque)
    #: How far the input of the last outcome was worked on.
    place: Place = START
    #: Inputs that had an outcome since the last account.
    touched: set[int] = field(default_factory=set)
    #: Documents of chunks that were written before the run was broken off.
    restored: int = 0
    by_language: Counter[str] = field(default_factory=Counter)
    by_page_type: Counter[str] = field(default_factory=Counter)
    by_reason: Counter[str] = field(default_factory=Counter)
    by_translation: Counter[str] = field(default_factory=Counter)
    #: What translates; None where nothing does.
    translator: Translator | None = None
    #: For each input, how many bytes lie before it; the last one: how many there are.
    starts: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.starts = tuple(accumulate((item.bytes for item in self.plan.todo), initial=0))

    def reading(
        self, read: Callable[[Input, Limits, Place], Iterator[RawDocument | Rejected]], limits: Limits, staged: Staged
    ) -> Iterator[RawDocument | Rejected]:
        """Give the documents of all inputs, one after another, from the place on that was restored."""
        first, start = self.inputs_done, self.place
        for number, item in enumerate(self.plan.todo):
            if number < first:
                continue
            self._know_inputs(number)
            account = self.inputs[number]
            for document in read(item.input, limits, start if number == first else START):
                account.kind = account.kind or document.source_kind
                account.documents += 1
                self.owners.append(number)
                yield document
            _check_unchanged(item, staged)

    def _know_inputs(self, last: int) -> None:
        self.inputs += [_PerInput() for _ in range(last + 1 - len(self.inputs))]

    def watching(self, outcomes: Iterable[Outcome], on_progress: OnProgress) -> Iterator[Outcome]:
        """Count outcomes as they pass; they come in the order of the documents."""
        for outcome in outcomes:
            number = self.owners.popleft()
            document = outcome.raw if isinstance(outcome, Article) else outcome
            self.place = (self.place if number == self.inputs_done else START).behind(document)
            self.bytes_done = self.starts[number] + (document.source_offset or 0) + (document.source_length or 0)
            self.touched.add(number)
            if isinstance(outcome, Article):
                self.inputs[number].records += 1
                self.records += 1
            else:
                self.inputs[number].quarantined += 1
                self.by_reason[f"{outcome.stage}/{outcome.reason}"] += 1
            self.inputs_done = number
            on_progress(self.so_far())
            yield outcome

    def account(self) -> dict[str, Any]:
        """Give the accounting up to the last outcome, as JSON can hold it; of the inputs, those since the last account."""
        touched = {number: self.inputs[number] for number in sorted(self.touched)}
        self.touched = set()
        return {
            "at": [self.inputs_done, self.place.documents, self.place.offset],
            "inputs": {
                # The reader is ahead of the outcomes.
                str(number): asdict(replace(item, documents=item.records + item.quarantined))
                for number, item in touched.items()
            },
            "records": self.records,
            **{name: dict(getattr(self, name)) for name in _COUNTERS},
        }

    def restore(self, account: Mapping[str, Any]) -> None:
        """Go on from where ``account`` was taken, after all accounts before it."""
        self.inputs_done, documents, offset = account["at"]
        self.place = Place(documents, offset)
        for number, item in account["inputs"].items():
            self._know_inputs(int(number))
            self.inputs[int(number)] = _PerInput(**item)
        self.records = account["records"]
        for name in _COUNTERS:
            setattr(self, name, Counter(account[name]))
        self.restored = self.records + self.quarantined

    def finished(self, articles: Sequence[Article]) -> None:
        """Count what the records of a chunk say."""
        for article in articles:
            self.by_language[article.language.tag] += 1
            self.by_page_type[article.page_type] += 1
            self.by_translation[article.translation.status] += 1

    def translating(self, on_progress: OnProgress) -> Callable[[int, int], None]:
        """Give what the translator tells its progress."""
        return lambda done, of: on_progress(replace(self.so_far(), translating=(done, of)))

    def so_far(self) -> Counts:
        """Give the counts for those who watch."""
        sentences = self.sentences
        return Counts(
            inputs=len(self.plan.todo),
            inputs_done=self.inputs_done,
            documents=self.records + self.quarantined,
            records=self.records,
            quarantined=self.quarantined,
            by_reason=dict(self.by_reason),
            bytes_done=self.bytes_done,
            bytes_total=self.starts[-1],
            translated=sentences.get("translated", 0),
            remembered=sentences.get("remembered", 0),
        )

    @property
    def quarantined(self) -> int:
        return self.by_reason.total()

    @property
    def skipped(self) -> int:
        """Count documents of inputs that were not read, as they are known from those that were."""
        earlier = sum(done.documents for _, done in self.plan.done)
        return earlier + sum(self.inputs[place].documents for _, place in self.plan.repeats)

    @property
    def documents(self) -> int:
        return sum(account.documents for account in self.inputs) + self.skipped

    def close(self, staged: Staged) -> None:
        """Hold what was read against what was written; a run that differs must not be seen.

        Raises:
            RuntimeError: With all numbers, if a document was lost or written twice.
        """
        written = {"articles": 0, "quarantine": 0}
        for file in staged.files:
            table = file.path.partition("/")[0]
            written[table] += staged.rows_on_disk(file)
        closes = self.documents == self.records + self.quarantined + self.skipped
        agrees = written == {"articles": self.records, "quarantine": self.quarantined}
        if self.owners or not closes or not agrees:
            staged.abandon()
            message = (
                f"the accounting does not close, which is a bug: {self.documents} documents in, "
                f"{self.records} records ({written['articles']} on disk), {self.quarantined} "
                f"quarantined ({written['quarantine']} on disk), {self.skipped} skipped, "
                f"{len(self.owners)} without an outcome; nothing was kept of this run"
            )
            raise RuntimeError(message)

    def counts(self) -> dict[str, int]:
        return {
            "in": self.documents,
            "records": self.records,
            "quarantined": self.quarantined,
            "skipped": self.skipped,
        }

    @property
    def missing(self) -> dict[str, tuple[int, int]]:
        """Languages without a model, the one with most characters first."""
        missing = self.translator.missing if self.translator else {}
        return dict(sorted(missing.items(), key=lambda item: (-item[1][1], item[0])))

    @property
    def sentences(self) -> dict[str, int]:
        return self.translator.counted() if self.translator else {}

    def summary(self, job: _Job, output: Path, clock: _Clock) -> Summary:
        return Summary(
            run_id=job.run_id,
            run_date=job.run_date,
            output=output,
            inputs=len(self.plan.todo) + len(self.plan.done) + len(self.plan.repeats),
            documents=self.documents,
            records=self.records,
            quarantined=self.quarantined,
            skipped=self.skipped,
            restored=self.restored,
            by_language=_most_first(self.by_language),
            by_page_type=_most_first(self.by_page_type),
            by_reason=_most_first(self.by_reason),
            by_translation=_most_first(self.by_translation),
            no_model=self.missing,
            broken_models=dict(self.translator.broken) if self.translator else {},
            sentences=self.sentences,
            target=job.options.translate.target,
            seconds=clock.seconds(),
        )


def _most_first(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items(), key=lambda item: (-item[1], item[0])))


def _check_unchanged(item: _Looked, staged: Staged) -> None:
    """Refuse to go on where the proof would name other bytes than those that were read."""
    if item.state is None or item.input.path is None:
        return
    try:
        same = _state(item.input.path) == item.state
    except OSError:
        same = False
    if not same:
        staged.abandon()
        message = f"input {item.input.uri} changed while it was read; run again when it is finished"
        raise BusyError(message)
