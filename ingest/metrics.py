"""The numbers of a run as a Prometheus text file, for the textfile collector of node_exporter.

All are gauges: each run counts from nothing. Each sample carries the output folder as a label, so that
the files of several runs, or shards, can lie side by side.
"""

import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.log import Log
from ingest.progress import Counts
from schemas.errors import SetupError

if TYPE_CHECKING:
    from ingest.run import Summary

WRITE_EVERY_SECONDS = 5.0

LAST_SUCCESS = "babelwire_last_success_timestamp_seconds"

#: What each metric means; the files of all runs must say the same.
HELP = {
    "babelwire_running": "1 while the run is at work, 0 when it has ended.",
    "babelwire_inputs": "Inputs to read, without those that an earlier run has done.",
    "babelwire_inputs_done": "Of these, how many are done.",
    "babelwire_documents": "Documents that came in. At the end: records + quarantined + skipped.",
    "babelwire_records": "Documents that became records.",
    "babelwire_quarantined": "Documents that were refused, by stage and reason.",
    "babelwire_skipped": "Documents of inputs that an earlier run has done; known at the end.",
    "babelwire_sentences": "Different sentences that went through a model (translated) or were known (remembered).",
    "babelwire_duration_seconds": "How long the run takes so far, or took.",
    "babelwire_exit_code": "Exit code of the run; not there while it is at work.",
    LAST_SUCCESS: "When a run last ended with exit code 0 or 5, in Unix time.",
}

_LAST_SUCCESS_LINE = re.compile(rf"^{LAST_SUCCESS}\{{.*\}} (\d+\.\d+)$", re.MULTILINE)

_NOTHING = Counts(inputs=0, inputs_done=0, documents=0, records=0, quarantined=0)

_Sample = tuple[dict[str, str], float]


class Metrics:
    """The metrics file of one run."""

    def __init__(
        self,
        path: Path | None,
        *,
        output: Path,
        log: Log,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Write the file for the first time, so that a fault shows before the run starts.

        Args:
            path: The file; None for no file at all.
            output: The output folder of the run, for the labels.
            log: Where to say that the file can no longer be written.
            clock: Gives seconds that go by.
            now: Gives the time of day, in Unix time.

        Raises:
            SetupError: If the file cannot be written.
        """
        self.path = path
        self.output = output
        self.log = log
        self.clock = clock
        self.now = now
        self.counts = _NOTHING
        self.skipped = 0
        self.exit_code: int | None = None
        self.began = self.written = clock()
        self.last_success = self._earlier_success()
        self._is_lost = False
        try:
            self._write()
        except OSError as error:
            message = (
                f"--metrics {path} cannot be written ({error.strerror}); name a file in a folder that you may write to"
            )
            raise SetupError(message) from error

    def tell(self, counts: Counts) -> None:
        """Take the counts so far, and write them if what is written is old enough."""
        self.counts = counts
        if self.clock() - self.written >= WRITE_EVERY_SECONDS:
            self._try_to_write()

    def finish(self, summary: "Summary") -> None:
        """Take the account of a run that came to its end."""
        self.skipped = summary.skipped
        self.counts = replace(
            self.counts,
            inputs_done=self.counts.inputs,
            documents=summary.documents,
            records=summary.records,
            by_reason=summary.by_reason,
            translated=summary.sentences.get("translated", 0),
            remembered=summary.sentences.get("remembered", 0),
        )

    def end(self, exit_code: int, *, is_success: bool) -> None:
        """Write the file for the last time."""
        self.exit_code = exit_code
        if is_success:
            self.last_success = self.now()
        self._try_to_write()

    def _earlier_success(self) -> float | None:
        """Read when an earlier run of the same file last succeeded: a failing one must not forget it."""
        try:
            text = self.path.read_text(encoding="utf-8", errors="replace") if self.path else ""
        except OSError:
            return None
        found = _LAST_SUCCESS_LINE.search(text)
        return float(found[1]) if found else None

    def _try_to_write(self) -> None:
        """Write; what cannot be written any more is said once, and costs the run nothing else."""
        try:
            self._write()
        except OSError as error:
            if not self._is_lost:
                self.log.say(
                    f"--metrics {self.path} can no longer be written ({error.strerror}); the run goes on",
                    event="metrics_lost",
                    level="warning",
                )
            self._is_lost = True

    def _write(self) -> None:
        """Replace the file in one step: whoever reads it finds one state whole."""
        self.written = self.clock()
        if self.path is None:
            return
        # Not named like the file, or the collector would read it half written.
        draft = self.path.parent / f".{self.path.name}.{os.getpid()}"
        try:
            draft.write_text("".join(self._lines()), encoding="utf-8")
            draft.replace(self.path)
        finally:
            draft.unlink(missing_ok=True)

    def _lines(self) -> Iterator[str]:
        samples = self._samples()
        for name, meaning in HELP.items():
            if not samples[name]:
                continue
            yield f"# HELP {name} {meaning}\n# TYPE {name} gauge\n"
            for labels, value in samples[name]:
                shown = ",".join(f'{label}="{_escaped(of)}"' for label, of in labels.items())
                yield f"{name}{{{shown}}} {value}\n"

    def _samples(self) -> dict[str, list[_Sample]]:
        counts = self.counts

        def one(value: float | None, **labels: str) -> list[_Sample]:
            return [] if value is None else [({"output": str(self.output), **labels}, value)]

        quarantined = [
            sample
            for reason, documents in sorted(counts.by_reason.items())
            for sample in one(documents, stage=reason.partition("/")[0], reason=reason.partition("/")[2])
        ]
        return {
            "babelwire_running": one(int(self.exit_code is None)),
            "babelwire_inputs": one(counts.inputs),
            "babelwire_inputs_done": one(counts.inputs_done),
            "babelwire_documents": one(counts.documents),
            "babelwire_records": one(counts.records),
            "babelwire_quarantined": quarantined,
            "babelwire_skipped": one(self.skipped),
            "babelwire_sentences": [
                *one(counts.translated, outcome="translated"),
                *one(counts.remembered, outcome="remembered"),
            ],
            "babelwire_duration_seconds": one(round(self.clock() - self.began, 3)),
            "babelwire_exit_code": one(self.exit_code),
            LAST_SUCCESS: one(self.last_success and round(self.last_success, 3)),
        }


def _escaped(value: str) -> str:
    r"""Write a label's value as the text format wants it.

    >>> print(_escaped('a "b"\\c' + chr(10) + "d"))
    a \"b\"\\c\nd
    """
    value = value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    # A path may hold bytes that are not UTF-8; the file may not.
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
