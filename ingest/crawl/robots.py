"""What a site's robots.txt allows us, by RFC 9309."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from protego import Protego

#: A parser must read at least this much (RFC 9309, 2.5), in bytes; what is behind it is not read.
LONGEST: Final = 500 * 1024

#: How long a copy counts, and how long an old one stands in for a site that cannot be reached (RFC 9309, 2.4).
FRESH_FOR: Final = timedelta(hours=24)

#: Longer waits are a mistake or a refusal; a site that asks for more is visited once a night, in seconds.
LONGEST_DELAY: Final = 3600.0


def is_fresh(read_at: datetime | None, now: datetime) -> bool:
    """Say whether a copy read then still counts; not one of times to come, which a clock that was wrong has noted.

    >>> now = datetime(2026, 3, 4, 2)
    >>> [is_fresh(at, now) for at in (None, now - FRESH_FOR, now - FRESH_FOR / 2, now + FRESH_FOR)]
    [False, False, True, False]
    """
    return read_at is not None and timedelta() <= now - read_at < FRESH_FOR


def verdict_without_rules(status: int | None) -> bool:
    """Say whether we may fetch when a robots.txt gave us no rules to read.

    Missing: no rules. Unreachable: unread rules, so no (RFC 9309, 2.3.1.3 and 2.3.1.4). A server that asks for patience has not said
    that there are none either.

    >>> [verdict_without_rules(status) for status in (404, 403, 429, 503, None)]
    [True, True, False, False, False]
    """
    return status is not None and 400 <= status < 500 and status != 429  # noqa: PLR2004


@dataclass(frozen=True, slots=True)
class Robots:
    """The rules of one host for one agent."""

    agent: str
    rules: Protego | None
    #: What holds where there are no rules to read.
    otherwise: bool
    #: Status that robots.txt was answered with; None where there was no answer.
    status: int | None

    @classmethod
    def read(cls, agent: str, status: int | None, content: bytes) -> "Robots":
        """Read the answer to a request for robots.txt, its content encoding undone."""
        is_there = status is not None and 200 <= status < 300  # noqa: PLR2004
        # Not UTF-8 means damage to some lines; the others still hold (RFC 9309, 2.2).
        text = content[:LONGEST].decode("utf-8-sig", "replace")
        rules = Protego.parse(text) if is_there else None
        return cls(agent, rules, is_there or verdict_without_rules(status), status)

    def allows(self, url: str) -> bool:
        """Say whether an address may be fetched."""
        return self.otherwise if self.rules is None else bool(self.rules.can_fetch(url, self.agent))

    @property
    def delay(self) -> float:
        """How long to wait between two requests, in seconds; 0.0 where nothing is asked."""
        if self.rules is None:
            return 0.0
        rate = self.rules.request_rate(self.agent)
        asked = [
            self.rules.crawl_delay(self.agent) or 0.0,
            rate.seconds / rate.requests if rate and rate.requests else 0.0,
        ]
        return min(max(asked), LONGEST_DELAY)

    @property
    def reason(self) -> str:
        """Say why nothing may be fetched, or an address may not."""
        if self.rules is not None:
            return f"robots.txt disallows it for {self.agent}"
        seen = "no answer" if self.status is None else f"status {self.status}"
        return f"robots.txt cannot be read ({seen}), so its rules are not known; tried again the next time"
