"""Worker processes on this machine: one document at a time, each with a limit of time and memory.

A document may be hostile or just meet a bug in a parser: it may loop, eat memory or crash the
interpreter. Each of these ends in a Rejected for that one document, and the run goes on.

Each worker has two pipes that nobody else uses, and a thread here that attends to it. So a worker that
is killed at any moment, even in the middle of a message, breaks nothing but itself, and the document it
had is known. Pools whose workers share a queue cannot promise that: one that dies with the queue's lock
in its hand, or with half a message read, takes the others with it.

Handing one document of 60 kB to a worker and getting it back costs some tenths of a millisecond, next to
some 30 ms of work, so documents go one by one. The next one waits in the pipe already.
"""

import fcntl
import gc
import hashlib
import logging
import multiprocessing
import os
import pickle
import resource
import signal
import time
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path, PurePath
from threading import Condition, Event, Thread
from types import TracebackType
from typing import Final, Self

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

# Time to start a worker, on a machine that is busy with other things.
GRACE_SECONDS = 60.0

# How often a worker is started before it is given up, and the seconds after each try, times its number.
_START_TRIES = 4
_START_PAUSE = 1.0

# Bytes that the pipe to a worker should hold: several pages. Where it cannot be made so large it holds the least.
_PIPE_BYTES: Final = MIB
_LEAST_PIPE_BYTES: Final = 65_536

# What a pipe may hold less than it says: it is filled by pages, and a message has a head.
_MARGIN: Final = 16_384

# What a worker may say besides outcomes.
_READY: Final = b"ready"
_NO_MEMORY: Final = b"memory"


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


Outcome = Article | Rejected


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
    with Crew(work, warm_up, document_options, worker_options) as crew:
        yield from crew.map(documents)


@dataclass(slots=True)
class _Task:
    """One document on its way, and in the end what became of it."""

    document: RawDocument | Rejected
    done: Event = field(default_factory=Event)
    #: An outcome, still as a worker sent it or not, or what stops the run.
    result: bytes | Outcome | BaseException | None = None
    #: Workers that died on it.
    deaths: int = 0
    #: Bytes of the message that brought it to a worker.
    sent: int = 0

    @property
    def is_done(self) -> bool:
        return self.done.is_set()

    @property
    def size(self) -> int:
        """How many bytes it holds in memory."""
        return len(self.document.content) if isinstance(self.document, RawDocument) else 0

    def settle(self, result: bytes | Outcome | BaseException) -> None:
        self.result = result
        self.done.set()

    def refuse(self, reason: str, detail: str) -> None:
        if isinstance(self.document, RawDocument):
            self.settle(_refused(self.document, reason, detail))

    def outcome(self) -> Outcome:
        """Wait for what becomes of it.

        Raises:
            SetupError: If no worker can start.
        """
        self.done.wait()
        if isinstance(self.result, BaseException):
            raise self.result
        if self.result is None:
            message = "a document was settled with nothing"
            raise AssertionError(message)
        outcome: Outcome = pickle.loads(self.result) if isinstance(self.result, bytes) else self.result  # noqa: S301
        return with_bytes(outcome, self.document)


def without_bytes(outcome: Outcome) -> Outcome:
    """Make an outcome ready to travel: who sent the document has its bytes, and they would double the traffic."""
    return replace(outcome, raw=replace(outcome.raw, content=b"")) if isinstance(outcome, Article) else outcome


def with_bytes(outcome: Outcome, document: RawDocument | Rejected) -> Outcome:
    """Give an outcome that has travelled its document back."""
    if isinstance(outcome, Article) and isinstance(document, RawDocument):
        return replace(outcome, raw=document)
    return outcome


class Crew:
    """The worker processes; started with the first document that needs them."""

    def __init__(self, work: Work, warm_up: WarmUp, documents: DocumentOptions, options: WorkerOptions) -> None:
        """Take what each worker needs; see ``map_documents``."""
        self.work = work
        self.warm_up = warm_up
        self.documents = documents
        self.options = options
        self._threads: list[Thread] = []
        #: Guards all that follows.
        self._news = Condition()
        self._queue: deque[_Task] = deque()
        self._workers: set[_Worker] = set()
        self._is_dismissed = False
        self._failure: BaseException | None = None

    def __enter__(self) -> Self:
        """Hold them for a ``with`` block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Dismiss them, whatever happened."""
        with self._news:
            self._is_dismissed = True
            for worker in self._workers:
                worker.process.kill()
            self._news.notify_all()
        for thread in self._threads:
            thread.join()

    def map(self, documents: Iterable[RawDocument | Rejected]) -> Generator[Outcome, None, None]:
        """Give one outcome for each document, in the order of the documents; see ``map_documents``."""
        waiting: deque[_Task] = deque()
        held = 0
        for document in documents:
            task = self._hand_over(document)
            waiting.append(task)
            held += task.size
            while waiting and (
                waiting[0].is_done or len(waiting) >= self.options.look_ahead or held > LOOK_AHEAD_BYTES
            ):
                task = waiting.popleft()
                held -= task.size
                yield task.outcome()
        while waiting:
            yield waiting.popleft().outcome()

    def _hand_over(self, document: RawDocument | Rejected) -> _Task:
        """Queue a document for the next free worker."""
        task = _Task(document)
        if isinstance(document, Rejected):
            task.settle(document)
            return task
        if not self._threads:
            self._start()
        with self._news:
            if self._failure is None:
                self._queue.append(task)
                self._news.notify()
            else:
                task.settle(self._failure)
        return task

    def _start(self) -> None:
        # Not fork: polars has threads here, and a forked child waits for their locks forever.
        # Not spawn: it imports everything anew for each worker that is replaced.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__, self.work.__module__])
        for number in range(self.options.workers):
            thread = Thread(target=self._attend, args=(context,), name=f"worker {number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    # ---- in the threads, one for each worker ------------------------------------------------------

    def _attend(self, context: ForkServerContext) -> None:
        """Keep one worker busy, and replace it when it is lost, until the crew is dismissed."""
        held: deque[_Task] = deque()
        try:
            while task := self._next():
                held.append(task)
                worker = self._new_worker(context)
                try:
                    self._serve(worker, held)
                finally:
                    self._let_go(worker)
        except BaseException as error:  # noqa: BLE001  nobody else would hear of it, and the run would wait forever
            self._fail(error, held)

    def _serve(self, worker: "_Worker", held: deque[_Task]) -> None:
        """Bring documents to a worker until it is lost or the crew is dismissed.

        Args:
            worker: Ready, with nothing to do.
            held: The document to begin with; in the end none. The second one, if there is one, waits in the pipe.
        """
        worker.give(held[0], self._packed(held[0]))
        began = time.monotonic()
        while held:
            if len(held) == 1:
                self._give_ahead(worker, held)
            answer = worker.answer(began + self.options.seconds)
            now = time.monotonic()
            if answer is None:
                task = held.popleft()
                self._give_back(held)
                if now >= began + self.options.seconds:
                    limit = f"{self.options.seconds:g} s limit for one document is over"
                    task.refuse("timeout", f"{limit}; raise run.document_seconds if need be")
                else:
                    self._after_death(task, worker)
                return
            began = now
            self._settle(held.popleft(), answer)
            if not held and (following := self._next()):
                held.append(following)
                if not worker.process.is_alive():  # nobody's fault who is here
                    self._give_back(held)
                    return
                worker.give(following, self._packed(following))
                began = time.monotonic()

    def _packed(self, task: _Task) -> bytes:
        return pickle.dumps((self.work, task.document, self.documents))

    def _give_ahead(self, worker: "_Worker", held: deque[_Task]) -> None:
        """Put a second document into the pipe of a busy worker, if it fits: to wait for room would be to watch no clock."""
        room = worker.room - held[0].sent
        if ahead := self._next_ahead(room):
            message = self._packed(ahead)
            if len(message) <= room:
                held.append(ahead)
                worker.give(ahead, message)
            else:
                self._give_back(deque([ahead]))

    def _settle(self, task: _Task, answer: bytes) -> None:
        if answer == _NO_MEMORY:
            limit = f"{self.options.megabytes} MiB limit for one document is used up"
            task.refuse("memory", f"{limit}; raise run.document_mb if need be")
        else:
            task.settle(answer)

    def _after_death(self, task: _Task, worker: "_Worker") -> None:
        """Give a document whose worker died one more chance: the kernel kills who is large, not who is guilty."""
        task.deaths += 1
        if task.deaths == 1:
            self._give_back(deque([task]))
        else:
            task.refuse(
                "worker_died", f"the worker process died twice on this document, the last time by {worker.end()}"
            )

    def _new_worker(self, context: ForkServerContext) -> "_Worker":
        """Start a worker and see it ready.

        Raises:
            SetupError: If it cannot start.
        """
        for number in range(1, _START_TRIES + 1):
            died = "it died"
            try:
                worker = _Worker(context, self.warm_up, self.options.megabytes * MIB)
            except (OSError, EOFError) as error:
                died = str(error) or died
            else:
                with self._news:
                    self._workers.add(worker)
                    if self._is_dismissed:
                        worker.process.kill()
                answer = worker.answer(time.monotonic() + GRACE_SECONDS)
                if answer == _READY:
                    return worker
                self._let_go(worker)
                if answer is not None:
                    raise SetupError(self._cannot_start(answer.decode()))
            if self._is_dismissed:
                break
            # The kernel may have killed a worker that had hardly begun, for memory that will be free again.
            time.sleep(_START_PAUSE * number)
        raise SetupError(self._cannot_start(died))

    def _cannot_start(self, error: str) -> str:
        return (
            f"a worker process cannot start: {error}; "
            f"reinstall babelwire, or lower run.workers ({self.options.workers}) if it is memory"
        )

    def _let_go(self, worker: "_Worker") -> None:
        with self._news:
            self._workers.discard(worker)
        worker.close()

    def _next(self) -> _Task | None:
        """Wait for a document; None when there will be no more."""
        with self._news:
            while not self._queue and not self._is_over:
                self._news.wait()
            return None if self._is_over else self._queue.popleft()

    def _next_ahead(self, room: int) -> _Task | None:
        """Take a document for a busy worker, if it fits into the pipe and more are left than others could take now."""
        with self._news:
            if self._is_over or len(self._queue) <= self.options.workers or self._queue[0].size >= room:
                return None
            return self._queue.popleft()

    @property
    def _is_over(self) -> bool:
        return self._is_dismissed or self._failure is not None

    def _give_back(self, held: deque[_Task]) -> None:
        """Put documents in front of all others, as they are waited for first."""
        with self._news:
            failure = self._failure
            if failure is None:
                self._queue.extendleft(reversed(held))
                self._news.notify_all()
        if failure is not None:  # by another thread: nobody will look into the queue again
            for task in held:
                task.settle(failure)
        held.clear()

    def _fail(self, error: BaseException, held: deque[_Task]) -> None:
        """Let all who wait for a document know that there will be no more."""
        with self._news:
            self._failure = self._failure or error
            lost = [*held, *self._queue]
            self._queue.clear()
            self._news.notify_all()
        for task in lost:
            task.settle(self._failure)


class _Worker:
    """One worker process, the pipes to it and from it, and one that only tells it that we are there."""

    def __init__(self, context: ForkServerContext, warm_up: WarmUp, address_space: int) -> None:
        incoming, self._to = context.Pipe(duplex=False)
        self._from, outgoing = context.Pipe(duplex=False)
        run, self._run = context.Pipe(duplex=False)
        #: Bytes that can be on their way to it without our waiting for it to read them.
        self.room = _widened(self._to) - _MARGIN
        self.process = context.Process(
            target=_work_on,
            args=(incoming, outgoing, run, warm_up, address_space),
            name="babelwire worker",
            daemon=True,
        )
        try:
            self.process.start()
        finally:
            # Ours must be closed, or its end would not be seen.
            for theirs in (incoming, outgoing, run):
                theirs.close()

    def give(self, task: _Task, message: bytes) -> None:
        """Send it a document. One that is gone shows when it is asked for the answer."""
        task.sent = len(message)
        with suppress(OSError):
            self._to.send_bytes(message)

    def answer(self, until: float) -> bytes | None:
        """Wait for its next answer until a time of the monotonic clock; None if none came, or it died."""
        try:
            return self._from.recv_bytes() if self._from.poll(max(0.0, until - time.monotonic())) else None
        except (EOFError, OSError):
            return None

    def end(self) -> str:
        """Say how it died."""
        self.process.join(GRACE_SECONDS)
        code = self.process.exitcode
        return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"

    def close(self) -> None:
        """Kill it, if it is still there."""
        self.process.kill()
        self.process.join()
        self.process.close()
        for ours in (self._to, self._from, self._run):
            ours.close()


def _widened(pipe: Connection) -> int:
    """Let a pipe hold more; gives how much, in bytes."""
    try:
        return fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    except (AttributeError, OSError):  # not Linux, or this user has filled too many
        return _LEAST_PIPE_BYTES


def _refused(document: RawDocument, reason: str, detail: str) -> Rejected:
    return Rejected.of(
        document,
        stage="engine",
        reason=reason,
        detail=detail,
        raw_sha256=hashlib.sha256(document.content).hexdigest(),
    )


# ---- below here: inside a worker ----------------------------------------------------------------


def _work_on(incoming: Connection, outgoing: Connection, run: Connection, warm_up: WarmUp, address_space: int) -> None:
    """Work on documents until there are no more."""
    # The run decides what an interrupt at the terminal means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with(run)
    # Libraries warn through logging of what the quarantine says anyway, into our progress bar.
    logging.getLogger().addHandler(logging.NullHandler())
    try:
        warm_up()
        # On top of what libraries have taken: it is 1.3 GiB of address space, mostly untouched,
        # and differs by machine, but a document must meet the same limit everywhere.
        limit = _address_space_in_use() + address_space
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    except Exception as error:  # noqa: BLE001  whatever it is, the parent must hear of it
        outgoing.send_bytes(_in_words(error).encode())
        return
    with suppress(EOFError, BrokenPipeError):  # the run has ended
        outgoing.send_bytes(_READY)
        while True:
            outgoing.send_bytes(_performed(*pickle.loads(incoming.recv_bytes())))  # noqa: S301  of our own run


def _die_with(run: Connection) -> None:
    """Let the kernel end this process when the other end of a pipe is closed, which nobody writes to.

    A document that loops must not outlive a run that was killed. Nobody else would end it: the fork server, which is our
    parent, waits for us, and no thread of ours need ever run again.
    """
    fcntl.fcntl(run, fcntl.F_SETOWN, os.getpid())
    # SIGIO, as nobody handles it, ends a process.
    fcntl.fcntl(run, fcntl.F_SETFL, fcntl.fcntl(run, fcntl.F_GETFL) | os.O_ASYNC)
    if run.poll(0):
        os._exit(1)


def _address_space_in_use() -> int:
    """Give the size of this process in bytes; 0 where the system does not tell (not Linux)."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def _performed(work: Work, document: RawDocument, options: DocumentOptions) -> bytes:
    """Do the work on one document and pack what came of it."""
    try:
        return pickle.dumps(without_bytes(work(document, options)))
    except MemoryError:
        gc.collect()
        return _NO_MEMORY
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
