"""Worker processes on this machine: one document at a time, each with a limit of time and memory.

A document may be hostile or just meet a bug in a parser: it may loop, eat memory or crash the
interpreter. Each of these ends in a Rejected for that one document, and the run goes on. pebble
gives what this needs: it kills a worker whose time is up and starts another one.

Handing one document of 60 kB to a worker and getting it back costs 0.2 to 0.6 ms (measured on two
cores), next to some 50 ms of work, so documents go one by one and the guilty one is always known.
"""

import gc
import hashlib
import logging
import multiprocessing
import pickle
import resource
import time
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from types import TracebackType
from typing import Self

from pebble import ProcessExpired, ProcessFuture, ProcessPool

from normalize.options import DocumentOptions
from schemas.document import Article, RawDocument, Rejected
from schemas.errors import SetupError

Work = Callable[[RawDocument, DocumentOptions], Article | Rejected]
"""All steps of one document. A function of a module, as it must be found by name in a worker."""

WarmUp = Callable[[], None]
"""Loads what the work needs; called once in each worker."""

MIB = 2**20

# How much may lie in memory waiting to be worked on. A bound in documents alone would let 400
# documents of 20 MB in.
LOOK_AHEAD_BYTES = 256 * MIB

# How often the workers are started before it is given up, and the seconds after each try, times its number.
_START_TRIES = 4
_START_PAUSE = 1.0

# Time to start a worker, on a machine that is busy with other things.
GRACE_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """How many workers, and what one document may ask of them."""

    workers: int
    #: Wall-clock time for one document, in seconds.
    seconds: float
    #: Address space one document may take, in MiB, beside what a warm worker has.
    megabytes: int
    #: Documents read before the first of them is finished.
    look_ahead: int


@dataclass(frozen=True, slots=True)
class _NotReady:
    """What a worker answers whose warm-up failed: the exception in words."""

    error: str


Outcome = Article | Rejected
_Answer = bytes | _NotReady | None
"""What a worker sends: a pickled outcome, or None where memory ran out."""


def map_documents(
    documents: Iterable[RawDocument | Rejected],
    *,
    work: Work,
    warm_up: WarmUp,
    document_options: DocumentOptions,
    worker_options: WorkerOptions,
) -> Generator[Outcome, None, None]:
    """Give one outcome for each document, in the order of the documents.

    What is Rejected already is passed on in its place. Reading runs ahead of the work by
    ``look_ahead`` documents and about 256 MiB, not further.

    Raises:
        SetupError: If a worker cannot start under these limits.
    """
    with _Crew(work, warm_up, document_options, worker_options) as crew:
        waiting: deque[_Task] = deque()
        held = 0
        for document in documents:
            task = crew.hand_over(document)
            waiting.append(task)
            held += task.size
            while waiting and (
                waiting[0].is_done or len(waiting) >= worker_options.look_ahead or held > LOOK_AHEAD_BYTES
            ):
                task = waiting.popleft()
                held -= task.size
                yield crew.finish(task, waiting)
        while waiting:
            yield crew.finish(waiting.popleft(), waiting)


@dataclass(slots=True)
class _Task:
    """One document on its way: what it was, and where its answer will be."""

    document: RawDocument | Rejected
    #: None for what needs no work.
    future: "ProcessFuture[_Answer] | None"

    @property
    def is_done(self) -> bool:
        return self.future is None or self.future.done()

    @property
    def size(self) -> int:
        """How many bytes it holds in memory."""
        return len(self.document.content) if isinstance(self.document, RawDocument) else 0


class _Crew:
    """The worker processes; started with the first document that needs them."""

    def __init__(self, work: Work, warm_up: WarmUp, documents: DocumentOptions, options: WorkerOptions) -> None:
        self.work = work
        self.warm_up = warm_up
        self.documents = documents
        self.options = options
        self.pool: ProcessPool | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._dismiss()

    def hand_over(self, document: RawDocument | Rejected) -> _Task:
        """Queue a document for the next free worker."""
        if isinstance(document, Rejected):
            return _Task(document, None)
        return _Task(document, self._schedule(document))

    def finish(self, task: _Task, behind: Iterable[_Task]) -> Outcome:
        """Wait for one document; whatever became of it, give an outcome.

        Args:
            task: The oldest that was handed over.
            behind: Those handed over after it, which go to the new workers if all are lost.
        """
        if isinstance(task.document, Rejected) or task.future is None:
            return _passed_on(task.document)
        try:
            return self._outcome(task.document, task.future, ahead=1)
        except ProcessExpired:
            return self._again(task.document, behind)
        except BrokenProcessPool:
            return self._alone(task.document, behind)

    def _again(self, document: RawDocument, behind: Iterable[_Task]) -> Outcome:
        """Give a document whose worker died one more chance.

        It may be the victim: the kernel kills who is large, not who is guilty.
        """
        try:
            return self._outcome(document, self._schedule(document), ahead=self.options.look_ahead)
        except ProcessExpired as error:
            return _refused(document, "worker_died", _cause_of_death(error))
        except BrokenProcessPool:
            return self._alone(document, behind)

    def _alone(self, document: RawDocument, behind: Iterable[_Task]) -> Outcome:
        """Start new workers for this document, then give them those behind it.

        pebble gives up when a worker is lost that it knows no task of. Whose fault that was nobody
        can tell, so the document is tried with nothing beside it: what happens now is its doing.
        """
        self._dismiss()
        try:
            outcome = self._outcome(document, self._schedule(document), ahead=1)
        except ProcessExpired as error:
            outcome = _refused(document, "worker_died", _cause_of_death(error))
        except BrokenProcessPool:
            self._dismiss()
            outcome = _refused(document, "worker_died", "the workers were lost twice on this document")
        for later in behind:
            if isinstance(later.document, RawDocument) and not _has_answer(later):
                later.future = self._schedule(later.document)
        return outcome

    def _outcome(self, document: RawDocument, future: "ProcessFuture[_Answer]", *, ahead: int) -> Outcome:
        """Wait for the answer; at most as long as the documents ahead of it may take."""
        # A worker that dies while it unpacks a document takes it along unseen: without a limit
        # of our own we would wait for it forever.
        if not wait([future], timeout=self.options.seconds * (ahead + 1) + GRACE_SECONDS).done:
            message = "no worker has it"
            raise BrokenProcessPool(message)
        try:
            answer = future.result()
        except TimeoutError:
            limit = f"{self.options.seconds:g} s limit for one document is over"
            return _refused(document, "timeout", f"{limit}; raise run.document_seconds if need be")
        if answer is None:
            limit = f"{self.options.megabytes} MiB limit for one document is used up"
            return _refused(document, "memory", f"{limit}; raise run.document_mb if need be")
        if isinstance(answer, _NotReady):
            raise SetupError(self._cannot_start(answer.error))
        outcome: Outcome = pickle.loads(answer)  # noqa: S301  of our own worker
        return replace(outcome, raw=document) if isinstance(outcome, Article) else outcome

    def _schedule(self, document: RawDocument) -> "ProcessFuture[_Answer]":
        pool = self._ready_pool()
        try:
            return pool.schedule(_perform, args=(self.work, document, self.documents), timeout=self.options.seconds)
        except RuntimeError as error:
            # The pool has given up already; told when the turn of this document comes.
            lost: ProcessFuture[_Answer] = ProcessFuture()
            lost.set_exception(BrokenProcessPool(str(error)))
            return lost

    def _ready_pool(self) -> ProcessPool:
        """Start the workers, and see one of them answer: a crash later is a document's fault."""
        tries = 0
        while self.pool is None:
            pool = self._new_pool()
            try:
                self._check_start(pool)
            except (ProcessExpired, BrokenProcessPool) as error:
                _stop(pool)
                tries += 1
                if tries == _START_TRIES:
                    raise SetupError(self._cannot_start(str(error) or "it died")) from error
                # The kernel may have killed a worker that had hardly begun, for memory that will be free again.
                time.sleep(_START_PAUSE * tries)
            else:
                self.pool = pool
        return self.pool

    def _new_pool(self) -> ProcessPool:
        # Not fork: polars has threads here, and a forked child waits for their locks forever.
        # Not spawn: it imports everything anew for each worker that is replaced.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__, self.work.__module__])
        return ProcessPool(
            max_workers=self.options.workers,
            max_tasks=0,
            initializer=_prepare,
            initargs=(self.warm_up, self.options.megabytes * MIB),
            context=context,
        )

    def _check_start(self, pool: ProcessPool) -> None:
        answer = pool.schedule(_readiness).result()
        if answer is not None:
            _stop(pool)
            raise SetupError(self._cannot_start(answer.error))

    def _cannot_start(self, error: str) -> str:
        return (
            f"a worker process cannot start: {error}; "
            f"reinstall babelwire, or lower run.workers ({self.options.workers}) if it is memory"
        )

    def _dismiss(self) -> None:
        if self.pool is not None:
            _stop(self.pool)
            self.pool = None


def _stop(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]
    pool.join()


def _passed_on(document: RawDocument | Rejected) -> Rejected:
    if isinstance(document, Rejected):
        return document
    message = "a document was never handed to a worker"
    raise AssertionError(message)


def _has_answer(task: _Task) -> bool:
    """Say whether a task was finished before the workers were lost."""
    future = task.future
    return future is not None and future.done() and not future.cancelled() and future.exception() is None


def _cause_of_death(error: ProcessExpired) -> str:
    code = error.exitcode
    how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
    return f"the worker process died twice on this document, the last time by {how}"


def _refused(document: RawDocument, reason: str, detail: str) -> Rejected:
    return Rejected.of(
        document,
        stage="engine",
        reason=reason,
        detail=detail,
        raw_sha256=hashlib.sha256(document.content).hexdigest(),
    )


# ---- below here: inside a worker ----------------------------------------------------------------

_failed_warm_up: _NotReady | None = None


def _prepare(warm_up: WarmUp, address_space: int) -> None:
    """Make a fresh worker ready; a failure is kept, to be told with the first task."""
    global _failed_warm_up  # noqa: PLW0603  one worker, one state; pebble drops what we raise
    # Libraries warn through logging of what the quarantine says anyway, into our progress bar.
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        warm_up()
        # On top of what libraries have taken: it is 1.3 GiB of address space, mostly untouched,
        # and differs by machine, but a document must meet the same limit everywhere.
        limit = _address_space_in_use() + address_space
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    except Exception as error:  # noqa: BLE001  whatever it is, the parent must hear of it
        _failed_warm_up = _NotReady(_in_words(error))


def _address_space_in_use() -> int:
    """Give the size of this process in bytes; 0 where the system does not tell (not Linux)."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def _readiness() -> _NotReady | None:
    return _failed_warm_up


def _perform(work: Work, document: RawDocument, options: DocumentOptions) -> _Answer:
    """Do the work on one document.

    The outcome is pickled here, not by pebble: what cannot be pickled would end the worker there.
    """
    if _failed_warm_up is not None:
        return _failed_warm_up
    try:
        outcome = work(document, options)
        if isinstance(outcome, Article):
            # The parent has the bytes; sending them back would double the traffic.
            outcome = replace(outcome, raw=replace(outcome.raw, content=b""))
        return pickle.dumps(outcome)
    except MemoryError:
        gc.collect()
        return None
    except Exception as error:  # noqa: BLE001  a bug must not end the night, nor be silent
        return pickle.dumps(_refused(document, "internal_error", _in_words(error)))


def _in_words(error: Exception) -> str:
    """Say an exception in one line: type, message, and the innermost place in the code.

    Only the last two parts of the path, so that it reads the same on every machine.
    """
    frames = traceback.extract_tb(error.__traceback__)
    where = ""
    if frames:
        last = frames[-1]
        where = f" ({'/'.join(PurePath(last.filename).parts[-2:])}:{last.lineno})"
    message = " ".join(str(error).split())
    return f"{type(error).__name__}: {message[:500]}{where}"
