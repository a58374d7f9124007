"""What is said, for people and for programs."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ingest.log import Form, Log


def now() -> datetime:
    return datetime(2026, 1, 7, 3, 10, 0, 250_000, tzinfo=UTC)


def test_people_get_the_account_and_then_the_sentence() -> None:
    stream = io.StringIO()
    Log(stream).say("done", event="finished", account=("run 1", "  records  2"), records=2)
    assert stream.getvalue() == "babelwire: run 1\n  records  2\nbabelwire: done\n"


def test_programs_get_one_object_a_line() -> None:
    stream = io.StringIO()
    log = Log(stream, Form.JSON, now=now)
    log.say("done", event="finished", account=("run 1",), records=2, output=Path("out"))
    assert stream.getvalue() == (
        '{"ts": "2026-01-07T03:10:00.250+00:00", "level": "info", "event": "finished", '
        '"message": "done", "records": 2, "output": "out"}\n'
    )


@given(st.text(), st.dictionaries(st.sampled_from(["a", "b"]), st.text() | st.integers() | st.none()))
def test_whatever_is_said_stays_on_one_line_of_ascii(message: str, facts: dict[str, Any]) -> None:
    stream = io.StringIO()
    Log(stream, Form.JSON).say(message, event="error", level="error", **facts)
    text = stream.getvalue()
    assert text.isascii()
    assert len(text.splitlines()) == 1
    assert json.loads(text)["message"] == message
