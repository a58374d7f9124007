"""How far a run is: a bar on a terminal, a line every few seconds elsewhere."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TextIO

from ingest.log import Form, Log

LINE_EVERY_SECONDS = 5.0

#: The rate is that of the last minute: a chunk is read in a burst, then translated.
RATE_OVER_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a run has done so far."""

    inputs: int
    inputs_done: int
    documents: int
    records: int
    quarantined: int
    #: "stage/reason" -> documents in quarantine.
    by_reason: Mapping[str, int] = field(default_factory=dict)
    #: Bytes of the inputs, as stored: those that are behind the last document, and all.
    bytes_done: int = 0
    bytes_total: int = 0
    #: Sentences that went through a model, and those that the memory knew.
    translated: int = 0
    remembered: int = 0
    #: While a chunk is translated: sentences done by the model at work, and how many it has to do.
    translating: tuple[int, int] | None = None


OnProgress = Callable[[Counts], None]
"""Called after each document and each batch of sentences, with the counts so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """How fast a run is."""

    #: Over the last minute.
    documents_per_second: float
    #: None while it cannot be known.
    seconds_left: float | None


class Pace:
    """Makes speed of counts. It starts with the first counts, so that no warming up slows it."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Take times from ``clock``, in seconds."""
        self.clock = clock
        #: Times and counts of the last minute, one a second, and the one before.
        self._recent: deque[tuple[float, int]] = deque()
        self._first: tuple[float, int] | None = None

    def of(self, counts: Counts) -> Speed:
        """Give the speed at which a run came to its counts."""
        now = self.clock()
        if self._first is None:
            self._first = now, counts.bytes_done
        if not self._recent or now - self._recent[-1][0] >= 1:
            self._recent.append((now, counts.documents))
        while len(self._recent) > 1 and now - self._recent[1][0] >= RATE_OVER_SECONDS:
            self._recent.popleft()
        then, documents = self._recent[0]
        rate = (counts.documents - documents) / (now - then) if now > then else 0.0
        return Speed(documents_per_second=rate, seconds_left=self._left(counts, now, *self._first))

    def _left(self, counts: Counts, now: float, began: float, bytes_before: int) -> float | None:
        """Say how long the bytes that are left take, at the mean speed of all: bursts even out."""
        done = counts.bytes_done - bytes_before
        if now - began < LINE_EVERY_SECONDS or done <= 0:
            return None
        return (counts.bytes_total - counts.bytes_done) * (now - began) / done


@contextmanager
def shown(log: Log) -> Iterator[OnProgress]:
    """Show progress in the form that suits the log and what it goes to."""
    if log.form is Form.JSON or not log.stream.isatty():
        yield Lines(log)
        return
    with _bar(log.stream) as update:
        yield update


class Lines:
    """Progress for log files: one line now and then."""

    def __init__(self, log: Log, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Start counting time; ``clock`` gives seconds."""
        self.log = log
        self.clock = clock
        self.pace = Pace(clock=clock)
        self.said = clock()

    def __call__(self, counts: Counts) -> None:
        """Write a line if the last one is old enough."""
        speed = self.pace.of(counts)
        now = self.clock()
        if now - self.said >= LINE_EVERY_SECONDS:
            self.said = now
            self.log.say(in_words(counts, speed), event="progress", **asdict(counts), **asdict(speed))


def in_words(counts: Counts, speed: Speed) -> str:
    """Say the counts in one line.

    >>> so_far = Counts(inputs=3, inputs_done=1, documents=90, records=80, quarantined=10, remembered=7)
    >>> in_words(so_far, Speed(documents_per_second=10, seconds_left=4000))
    'input 1 of 3 done, 90 documents, 10.0/s, 10 quarantined, 7 sentences remembered, about 1 h 07 min left'
    >>> so_far = Counts(inputs=1, inputs_done=0, documents=90, records=90, quarantined=0, translating=(64, 900))
    >>> in_words(so_far, Speed(documents_per_second=9.96, seconds_left=None))
    'input 0 of 1 done, 90 documents, 10.0/s, 0 quarantined, translating 64 of 900 sentences'
    """
    parts = [
        f"input {counts.inputs_done} of {counts.inputs} done",
        f"{counts.documents} documents",
        f"{speed.documents_per_second:.1f}/s",
        f"{counts.quarantined} quarantined",
    ]
    if counts.remembered:
        parts.append(f"{counts.remembered:,} sentences remembered")
    if counts.translating:
        parts.append(f"translating {counts.translating[0]:,} of {counts.translating[1]:,} sentences")
    if speed.seconds_left is not None:
        parts.append(f"about {_duration(speed.seconds_left)} left")
    return ", ".join(parts)


def _duration(seconds: float) -> str:
    """Say how long something takes, as exactly as one would want to know.

    >>> [_duration(seconds) for seconds in (0.4, 59.4, 59.6, 3569, 3571, 90_000)]
    ['0 s', '59 s', '1 min', '59 min', '1 h 00 min', '25 h 00 min']
    """
    if round(seconds) < 60:  # noqa: PLR2004  the seconds of a minute
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


@contextmanager
def _bar(stream: TextIO) -> Iterator[OnProgress]:
    # Here, not above: rich takes a fifth of a second to import and most commands need no bar.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn  # noqa: PLC0415

    columns = (SpinnerColumn(), BarColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(file=stream), transient=True) as progress:
        task = progress.add_task("starting", total=None)
        pace = Pace()

        def update(counts: Counts) -> None:
            progress.update(
                task,
                # Without bytes the bar runs to and fro: nothing says how much is left.
                total=counts.bytes_total or None,
                completed=counts.bytes_done,
                description=in_words(counts, pace.of(counts)),
            )

        yield update
