"""How often one host is asked: never faster than it, its robots.txt and the catalogue allow."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

#: Share of the last answers' time in the mean that the pace follows: of the last few, not of all.
_NEWEST_SHARE: Final = 0.5

#: So many of the last answers tell how quick the host can be.
_RECENT: Final = 8

#: Waits after failures in a row double from here, in seconds, unless the host says how long.
FIRST_PAUSE: Final = 5.0

#: A host that asks for more patience than this is left for the next night, in seconds.
LONGEST_PAUSE: Final = 300.0

#: Failures in a row after which a host is left for the next night.
MOST_FAILURES: Final = 4


@dataclass(slots=True)
class Turn:
    """One turn of a host."""

    #: Seconds from sending the request to its answer, where that is known: a busy process sends it some time after the turn began.
    latency: float | None = None


class Host:
    """The turns of one host name: all its ports and schemes are one machine's work.

    Two requests begin at least ``delay`` seconds apart, and no more than ``concurrency`` are under way. A host that answers slowly gets
    as much rest as its answers take, up to ``LONGEST_PAUSE``: the pace follows what it can bear.
    """

    def __init__(
        self, name: str, *, delay: float, concurrency: int, together: asyncio.Semaphore, clock: Callable[[], float]
    ) -> None:
        """Begin at once.

        Args:
            name: The host.
            delay: Seconds between the beginnings of two requests.
            concurrency: Requests under way at once.
            together: Has one place for each request that may be under way at all hosts.
            clock: A clock that only goes forward, in seconds.
        """
        self.name = name
        self.delay = delay
        self.concurrency = concurrency
        #: Answers that failed in a row.
        self.failures = 0
        #: Why no more is asked of it tonight; None while it is.
        self.left_because: str | None = None
        #: Why it may not be asked at all; None where it may.
        self.closed_because: str | None = None
        self._together = together
        self._clock = clock
        self._slots = asyncio.Semaphore(concurrency)
        self._line = asyncio.Lock()
        self._ready_at = 0.0
        #: When the last request went out, as far as is known.
        self._sent = float("-inf")
        self._takes = 0.0
        #: How long the last answers took, in seconds.
        self._recent: deque[float] = deque(maxlen=_RECENT)

    def ask_slower(self, delay: float) -> None:
        """Wait at least so long between two requests, the last one and the next included, in seconds."""
        self.delay = max(self.delay, delay)
        self._ready_at = max(self._ready_at, self._sent + self.delay)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[Turn]:
        """Wait for a turn, and hold it while the request is under way."""
        async with self._slots:
            async with self._line:
                while (wait := self._ready_at - self._clock()) > 0:  # noqa: ASYNC110  it moves away while we wait
                    await asyncio.sleep(wait)
                # Only now: a host that must wait takes no place from another, and the delay counts from the request itself.
                await self._together.acquire()
                begun = self._sent = self._clock()
                self._ready_at = begun + self._gap
            turn = Turn()
            try:
                yield turn
            finally:
                self._together.release()
                ended = self._clock()
                taken = ended - begun
                self._takes += _NEWEST_SHARE * (taken - self._takes)
                # The host counts from when the request came. Its quickest answer tells by when that was; before there is one, only the
                # answer itself does.
                self._sent = max(self._sent, ended - min(self._recent, default=0.0))
                self._ready_at = max(self._ready_at, self._sent + self._gap)
                self._recent.append(taken if turn.latency is None else min(turn.latency, taken))

    @property
    def waits(self) -> float:
        """Seconds to the next turn, as far as is known by now."""
        return max(self._ready_at - self._clock(), 0.0)

    @property
    def _gap(self) -> float:
        # Twice the time of an answer from beginning to beginning: as much rest as work, for each that may be under way.
        return max(self.delay, min(2 * self._takes / self.concurrency, LONGEST_PAUSE))

    def answered(self) -> None:
        """Note an answer that is fine."""
        self.failures = 0

    def failed(self, reason: str, *, seconds: float | None = None) -> None:
        """Note an answer that is not: the host is asked again only after a while, or no more tonight.

        Args:
            reason: A sentence for people.
            seconds: How long it wants to be left alone; None lets the wait double with each failure.
        """
        self.failures += 1
        wait = FIRST_PAUSE * 2 ** (self.failures - 1) if seconds is None else max(seconds, 0.0)
        self._ready_at = max(self._ready_at, self._clock() + min(wait, LONGEST_PAUSE))
        if wait > LONGEST_PAUSE:
            self.left_because = f"{reason}; the host asks to be left alone for {wait:.0f} s"
        elif self.failures >= MOST_FAILURES:
            self.left_because = f"{reason}, the last of {self.failures} failures in a row"
