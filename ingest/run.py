"""The whole road of a run in one function: read ``run`` first."""

import hashlib
import shutil
import stat
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import Protocol, Self

import polars as pl

from ingest.config import OFF, Options, canonical_json
from ingest.engines.local import Outcome, WarmUp, Work, WorkerOptions, map_documents
from ingest.progress import Counts, OnProgress
from ingest.sources import Input, Limits, read_input
from ingest.store import OUTPUT_FOLDERS, Done, Staged, Store, disk_errors
from ingest.versions import tool_versions
from normalize.options import DocumentOptions, TranslateOptions
from normalize.translate.models import Models
from schemas.document import Article, RawDocument, Rejected
from schemas.errors import BusyError, SetupError
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


class Duplicates(Protocol):
    """The memory of what was seen, as ``normalize.duplicates.DuplicateIndex``."""

    @classmethod
    def load(cls, folder: Path | None) -> Self:
        """Remember what earlier runs saved in a folder."""

    def link(self, articles: Sequence[Article]) -> tuple[Article, ...]:
        """Point each article to the first that says the same, then remember it."""

    def save(self, path: Path) -> None:
        """Write what was added since ``load``."""


class Templates(Protocol):
    """What recurs on the pages of each site, as ``normalize.boilerplate.templates.Templates``."""

    @classmethod
    def load(cls, folder: Path | None, *, run_date: date, options: DocumentOptions) -> Self:
        """Remember what earlier runs saved in a folder."""

    @property
    def outdated(self) -> Sequence[str]:
        """Files of that folder that are too old to count."""

    def cut(self, articles: Sequence[Article]) -> tuple[Article, ...]:
        """Learn from a chunk of articles, then take the templates of their sites from them."""

    def save(self, path: Path) -> None:
        """Write what was added since ``load``."""


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
    read: Callable[[Input, Limits], Iterator[RawDocument | Rejected]] = read_input


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
    run_date: date,
    fresh: bool,
    on_progress: OnProgress,
    command: Sequence[str] = (),
    models: Models | None = None,
    steps: Steps | None = None,
) -> Summary:
    """Turn inputs into one committed run below an output folder.

    Args:
        inputs: What to read, in order.
        output: The folder of all runs.
        options: Everything that was decided.
        run_date: The day the run stands for.
        fresh: Read inputs again that a run has done.
        on_progress: Called after each document.
        command: The command line, for the manifest.
        models: The translation models of this machine; without any, what needs one is marked so.
        steps: Other steps than those of ``normalize``.

    Raises:
        SetupError: If the output folder or the workers cannot be used, or an input is our output.
        BusyError: If another run holds the folder, its disk is full or an input changes.
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
        if not plan.todo:
            return _nothing_new(plan, output, run_date, clock, options.translate.target)
        job = _job(plan, options, models=labels, run_date=run_date, tools=tools, command=command)
        steps = steps or real_steps()
        tally = _Tally(plan)
        staged = store.begin(job.stamp, job.metadata())
        seen = steps.duplicates.load(store.earlier_state("duplicates", besides=job.stamp.run_id))
        templates = None
        if steps.templates:
            templates = steps.templates.load(
                store.earlier_state("templates", besides=job.stamp.run_id),
                run_date=run_date,
                options=options.document,
            )
        translator = None
        if steps.translator and options.translate.target != OFF:
            opened = steps.translator(
                options.translate,
                models,
                store.state,
                run_id=job.stamp.run_id,
                run_date=run_date,
                on_progress=tally.translating(on_progress),
            )
            translator = stack.enter_context(opened)
        outcomes = map_documents(
            tally.reading(steps.read, options.limits),
            work=steps.work,
            warm_up=steps.warm_up,
            document_options=options.document,
            worker_options=_worker_options(options),
        )
        stack.callback(outcomes.close)
        counted = tally.watching(outcomes, on_progress)
        for number, chunk in enumerate(_chunks(counted, options.run.chunk_size)):
            articles = tuple(item for item in chunk if isinstance(item, Article))
            if templates:
                articles = templates.cut(articles)
            articles = seen.link(articles)
            if translator:
                articles = translator.translate(articles, number)
            tally.finished(articles)
            _write(articles, [item for item in chunk if isinstance(item, Rejected)], number, job.stamp, staged)
        tally.close(staged)
        tally.translator = translator
        staged.add_state("duplicates", seen.save)
        if templates:
            staged.add_state("templates", templates.save)
            staged.drop_state("templates", templates.outdated)
        staged.commit(job.manifest(tally, staged, clock))
        return tally.summary(job, output, clock)


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

    stamp: RunStamp
    plan: _Plan
    options: Options
    #: Labels of the models that texts may go through.
    models: tuple[str, ...]
    tools: dict[str, str]
    command: Sequence[str]

    def metadata(self) -> dict[str, str]:
        """Give what every file says of itself; nothing that differs by machine or hour."""
        return {
            "babelwire.schema_version": SCHEMA_VERSION,
            "babelwire.run_id": self.stamp.run_id,
            "babelwire.config_sha256": self.stamp.config_sha256,
            "babelwire.options": canonical_json(self.options.shaping_output(self.models)),
            "babelwire.tools": canonical_json(self.tools),
        }

    def manifest(self, tally: "_Tally", staged: Staged, clock: "_Clock") -> dict[str, object]:
        """Give the account of the finished run."""
        return {
            "run_id": self.stamp.run_id,
            "run_date": self.stamp.run_date.isoformat(),
            "started_at": clock.started_at.isoformat(),
            "finished_at": datetime.now(UTC).isoformat(),
            "command": list(self.command),
            "inputs": [
                {**_named(item), **asdict(account)} for item, account in zip(self.plan.todo, tally.inputs, strict=True)
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
                        "done_by": self.stamp.run_id,
                    }
                    for item, place in self.plan.repeats
                ),
            ],
            "options": self.options.as_json(),
            "models": list(self.models),
            "config_sha256": self.stamp.config_sha256,
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


def _said_of(item: Input) -> list[str | None]:
    """Give what the records will say of an input besides its content."""
    return [item.uri, item.source_id, item.publisher, item.language_prior]


def _job(
    plan: _Plan,
    options: Options,
    *,
    models: tuple[str, ...],
    run_date: date,
    tools: dict[str, str],
    command: Sequence[str],
) -> _Job:
    """Name the run after all that shapes its output: 16 hexadecimal digits."""
    config_sha256 = options.config_sha256(models)
    identity = {
        "run_date": run_date.isoformat(),
        "config_sha256": config_sha256,
        "schema_version": SCHEMA_VERSION,
        "tools": tools,
        "inputs": [[item.sha256, *_said_of(item.input)] for item in plan.todo],
    }
    run_id = hashlib.sha256(canonical_json(identity).encode()).hexdigest()[:16]
    stamp = RunStamp(run_id=run_id, run_date=run_date, config_sha256=config_sha256)
    return _Job(stamp=stamp, plan=plan, options=options, models=models, tools=tools, command=command)


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


def _write(
    articles: Sequence[Article], rejected: Sequence[Rejected], number: int, stamp: RunStamp, staged: Staged
) -> None:
    """Write the two parts of one chunk."""
    records = _checked(articles_to_frame(articles, stamp), COLUMNS, number)
    refused = _checked(rejected_to_frame(rejected, stamp), QUARANTINE_COLUMNS, number)
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


@dataclass(slots=True)
class _Tally:
    """The accounting: what went in is counted at the reader, what came out at the writer."""

    plan: _Plan
    inputs: list[_PerInput] = field(default_factory=list)
    inputs_done: int = 0
    records: int = 0
    #: For each document on its way, the place of its input.
    owners: deque[int] = field(default_factory=deque)
    by_language: Counter[str] = field(default_factory=Counter)
    by_page_type: Counter[str] = field(default_factory=Counter)
    by_reason: Counter[str] = field(default_factory=Counter)
    by_translation: Counter[str] = field(default_factory=Counter)
    #: What translated, once all is done; None where nothing did.
    translator: Translator | None = None

    def reading(
        self, read: Callable[[Input, Limits], Iterator[RawDocument | Rejected]], limits: Limits
    ) -> Iterator[RawDocument | Rejected]:
        """Give the documents of all inputs, one after another."""
        for place, item in enumerate(self.plan.todo):
            account = _PerInput()
            self.inputs.append(account)
            for document in read(item.input, limits):
                account.kind = account.kind or document.source_kind
                account.documents += 1
                self.owners.append(place)
                yield document
            _check_unchanged(item)

    def watching(self, outcomes: Iterable[Outcome], on_progress: OnProgress) -> Iterator[Outcome]:
        """Count outcomes as they pass; they come in the order of the documents."""
        for outcome in outcomes:
            place = self.owners.popleft()
            if isinstance(outcome, Article):
                self.inputs[place].records += 1
                self.records += 1
            else:
                self.inputs[place].quarantined += 1
                self.by_reason[f"{outcome.stage}/{outcome.reason}"] += 1
            self.inputs_done = place
            on_progress(self._so_far())
            yield outcome

    def finished(self, articles: Sequence[Article]) -> None:
        """Count what the records of a chunk say."""
        for article in articles:
            self.by_language[article.language.tag] += 1
            self.by_page_type[article.page_type] += 1
            self.by_translation[article.translation.status] += 1

    def translating(self, on_progress: OnProgress) -> Callable[[int, int], None]:
        """Give what the translator tells its progress."""
        return lambda done, of: on_progress(replace(self._so_far(), translating=(done, of)))

    def _so_far(self) -> Counts:
        return Counts(
            inputs=len(self.plan.todo),
            inputs_done=self.inputs_done,
            documents=self.records + self.quarantined,
            records=self.records,
            quarantined=self.quarantined,
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
            run_id=job.stamp.run_id,
            run_date=job.stamp.run_date,
            output=output,
            inputs=len(self.plan.todo) + len(self.plan.done) + len(self.plan.repeats),
            documents=self.documents,
            records=self.records,
            quarantined=self.quarantined,
            skipped=self.skipped,
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


def _check_unchanged(item: _Looked) -> None:
    """Refuse to go on where the proof would name other bytes than those that were read."""
    if item.state is None or item.input.path is None:
        return
    try:
        same = _state(item.input.path) == item.state
    except OSError:
        same = False
    if not same:
        message = f"input {item.input.uri} changed while it was read; run again when it is finished"
        raise BusyError(message)
