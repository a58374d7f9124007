"""Every error that babelwire raises on purpose, split by who must act.

    BabelwireError
      SetupError       the person who runs us can fix it: stop and say how (exit code 2)
      BusyError        somebody else holds the output folder: try again later (exit code 75)
      PausedError      a run was asked to stop: the same command goes on (exit code 130 or 143)
      SourceError      an input cannot be read, or not further: quarantine what broke and go on
      DocumentError    one document is unusable: it becomes a Rejected, the run goes on

A message says what is wrong, which file or document, the value seen and the next move.
Anything that is not a BabelwireError is a bug of ours and passes through unrenamed.
"""


class BabelwireError(Exception):
    """The root: catching this catches whatever babelwire raises on purpose."""


class SetupError(BabelwireError):
    """A path, option or installation that the person running us can put right."""


class BusyError(BabelwireError):
    """The output folder is in use by another run; the same command works later."""


class PausedError(BabelwireError):
    """A run was asked to stop, and did so between two chunks; the same command goes on from there."""


class SourceError(BabelwireError):
    """An input, or one part of it, cannot be read.

    Attributes:
        reason: a countable word such as ``truncated`` or ``bad_row``.
        detail: a sentence for people, with the value seen.
    """

    def __init__(self, reason: str, detail: str) -> None:
        """Join both into the message."""
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class DocumentError(BabelwireError):
    """One document cannot become a record.

    Attributes:
        stage: the step that gave up, as in ``normalize.path``.
        reason: a countable word such as ``no_text`` or ``too_deep``.
        detail: a sentence for people, with the value seen.
    """

    def __init__(self, stage: str, reason: str, detail: str) -> None:
        """Join all three into the message."""
        super().__init__(f"{stage}/{reason}: {detail}")
        self.stage = stage
        self.reason = reason
        self.detail = detail
