"""Progress: how fast, how long still, in the form that suits where it goes."""

import io
import json

import pytest

from ingest import progress
from ingest.log import Form, Log
from ingest.progress import Counts, Pace


def counts(documents: int, *, bytes_done: int = 0, bytes_total: int = 0) -> Counts:
    return Counts(
        inputs=2,
        inputs_done=1,
        documents=documents,
        records=documents,
        quarantined=0,
        bytes_done=bytes_done,
        bytes_total=bytes_total,
    )


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_log_gets_a_line_every_five_seconds(clock: Clock) -> None:
    stream = io.StringIO()
    lines = progress.Lines(Log(stream), clock=clock)
    for documents, now in enumerate((1.0, 4.9, 5.0, 9.0, 11.0), start=1):
        clock.now = now
        lines(counts(documents))
    assert stream.getvalue().splitlines() == [
        "babelwire: input 1 of 2 done, 3 documents, 0.5/s, 0 quarantined",
        "babelwire: input 1 of 2 done, 5 documents, 0.4/s, 0 quarantined",
    ]


def test_a_log_of_json_gets_the_counts_as_fields(clock: Clock) -> None:
    stream = io.StringIO()
    lines = progress.Lines(Log(stream, Form.JSON), clock=clock)
    for documents, now in ((1, 0.0), (61, 6.0)):
        clock.now = now
        lines(counts(documents, bytes_done=documents * 10, bytes_total=1210))
    (line,) = map(json.loads, stream.getvalue().splitlines())
    assert (line["event"], line["level"]) == ("progress", "info")
    assert (line["documents"], line["inputs_done"], line["bytes_total"]) == (61, 1, 1210)
    assert (line["documents_per_second"], line["seconds_left"]) == (10.0, 6.0)
    assert line["message"] == "input 1 of 2 done, 61 documents, 10.0/s, 0 quarantined, about 6 s left"


def test_the_rate_is_that_of_the_last_minute(clock: Clock) -> None:
    pace = Pace(clock=clock)
    documents = 0
    for second in range(300):
        clock.now = float(second)
        documents += 10 if second < 200 else 1
        speed = pace.of(counts(documents))
    assert speed.documents_per_second == 1.0


def test_the_time_left_is_known_by_bytes_not_by_inputs(clock: Clock) -> None:
    pace = Pace(clock=clock)
    assert pace.of(counts(1, bytes_total=1000)).seconds_left is None
    clock.now = 10.0
    assert pace.of(counts(2, bytes_done=200, bytes_total=1000)).seconds_left == 40.0


def test_what_was_done_before_the_start_speeds_nothing_up(clock: Clock) -> None:
    pace = Pace(clock=clock)
    pace.of(counts(5000, bytes_done=500, bytes_total=1000))
    clock.now = 10.0
    speed = pace.of(counts(5010, bytes_done=600, bytes_total=1000))
    assert (speed.documents_per_second, speed.seconds_left) == (1.0, 40.0)


def test_without_bytes_the_time_left_is_not_known(clock: Clock) -> None:
    pace = Pace(clock=clock)
    pace.of(counts(1))
    clock.now = 60.0
    assert pace.of(counts(900)).seconds_left is None


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_a_bar() -> None:
    stream = Terminal()
    with progress.shown(Log(stream)) as update:
        update(counts(7))
    assert "7 documents" in stream.getvalue()


def test_a_log_of_json_gets_no_bar_even_on_a_terminal() -> None:
    stream = Terminal()
    with progress.shown(Log(stream, Form.JSON)) as update:
        update(counts(7))
    assert stream.getvalue() == ""
