"""How far a run is: a bar on a terminal, a plain line every few seconds elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

LINE_EVERY_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a run has done so far."""

    inputs: int
    inputs_done: int
    documents: int
    records: int
    quarantined: int
    #: While a chunk is translated: sentences done by the model at work, and how many it has to do.
    translating: tuple[int, int] | None = None


OnProgress = Callable[[Counts], None]
"""Called after each document and each batch of sentences, with the counts so far."""


@contextmanager
def shown(stream: TextIO) -> Iterator[OnProgress]:
    """Show progress on a stream, in the form that suits it."""
    if not stream.isatty():
        yield Lines(stream)
        return
    with _bar(stream) as update:
        yield update


class Lines:
    """Progress for log files: one line now and then."""

    def __init__(self, stream: TextIO, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Start counting time; ``clock`` gives seconds."""
        self.stream = stream
        self.clock = clock
        self.began = self.said = clock()

    def __call__(self, counts: Counts) -> None:
        """Write a line if the last one is old enough."""
        now = self.clock()
        if now - self.said >= LINE_EVERY_SECONDS:
            self.said = now
            print(f"babelwire: {in_words(counts, now - self.began)}", file=self.stream, flush=True)


def in_words(counts: Counts, seconds: float) -> str:
    """Say the counts in one line.

    >>> in_words(Counts(inputs=3, inputs_done=1, documents=90, records=80, quarantined=10), 9.0)
    'input 1 of 3 done, 90 documents, 10.0/s, 10 quarantined'
    >>> in_words(Counts(inputs=1, inputs_done=0, documents=90, records=90, quarantined=0, translating=(64, 900)), 9.0)
    'input 0 of 1 done, 90 documents, 10.0/s, 0 quarantined, translating 64 of 900 sentences'
    """
    rate = counts.documents / seconds if seconds > 0 else 0.0
    translating = (
        ""
        if counts.translating is None
        else f", translating {counts.translating[0]:,} of {counts.translating[1]:,} sentences"
    )
    return (
        f"input {counts.inputs_done} of {counts.inputs} done, {counts.documents} documents, "
        f"{rate:.1f}/s, {counts.quarantined} quarantined{translating}"
    )


@contextmanager
def _bar(stream: TextIO) -> Iterator[OnProgress]:
    # Here, not above: rich takes a fifth of a second to import and most commands need no bar.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn  # noqa: PLC0415

    columns = (SpinnerColumn(), BarColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(file=stream), transient=True) as progress:
        task = progress.add_task("starting", total=None)
        began = time.monotonic()

        def update(counts: Counts) -> None:
            progress.update(
                task,
                # One input says nothing about how much is left: the bar runs to and fro.
                total=counts.inputs if counts.inputs > 1 else None,
                completed=counts.inputs_done,
                description=in_words(counts, time.monotonic() - began),
            )

        yield update
