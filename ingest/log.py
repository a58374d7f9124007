"""Where a command says things: sentences for people, or the same as JSON, one object a line."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal, TextIO

Level = Literal["info", "warning", "error"]


class Form(StrEnum):
    """How things are said."""

    TEXT = "text"
    JSON = "json"


def utc_now() -> datetime:
    """Give the time of day, aware."""
    return datetime.now(UTC)


class Log:
    """Says what a command has to say beside its results, in one form for all of it."""

    def __init__(self, stream: TextIO, form: Form = Form.TEXT, *, now: Callable[[], datetime] = utc_now) -> None:
        """Write to ``stream``; ``form`` may be set later, when the command line is read."""
        self.stream = stream
        self.form = form
        self.now = now

    def say(
        self, message: str, *, event: str, level: Level = "info", account: tuple[str, ...] = (), **facts: object
    ) -> None:
        """Say one thing.

        Args:
            message: For people, one sentence.
            event: For programs, one word that stays the same whatever the message says.
            level: How bad it is.
            account: Lines that stand before the message, in text only; ``facts`` say the same.
            facts: For programs, numbers and names; in JSON only. What JSON has no form for is
                written as text.
        """
        if self.form is Form.JSON:
            entry = {"ts": self.now().isoformat(timespec="milliseconds"), "level": level, "event": event}
            # ASCII only: no letter of a path or an error can break the line, whatever reads it.
            said = json.dumps({**entry, "message": message, **facts}, default=str)
        else:
            paragraphs = ["\n".join(account), message] if account else [message]
            said = "\n".join(f"babelwire: {paragraph}" for paragraph in paragraphs)
        # In one piece: what is said while a signal is handled must not come between a line and its end.
        self.stream.write(f"{said}\n")
        self.stream.flush()
