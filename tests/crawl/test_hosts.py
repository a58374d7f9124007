"""A host is asked no faster than it may be."""

import asyncio
from itertools import pairwise

import pytest

from ingest.crawl.hosts import LONGEST_PAUSE, MOST_FAILURES, Host


class Clock:
    """Time that passes only by waiting: what a test of waits needs to be exact and quick."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(asyncio, "sleep", clock.sleep)
    return clock


def host_of(clock: Clock, *, delay: float = 2.0, concurrency: int = 1) -> Host:
    return Host("nea-akti.example", delay=delay, concurrency=concurrency, together=asyncio.Semaphore(8), clock=clock)


async def begins(host: Host, clock: Clock, *, count: int, takes: float = 0.0) -> list[float]:
    found = []
    for _ in range(count):
        async with host.turn():
            found.append(clock.now)
            clock.now += takes
    return found


def gaps(times: list[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(times)]


def test_requests_begin_at_least_the_delay_apart(clock: Clock) -> None:
    assert gaps(asyncio.run(begins(host_of(clock), clock, count=4))) == [2.0, 2.0, 2.0]


def test_a_longer_delay_of_robots_txt_holds_and_a_shorter_one_does_not(clock: Clock) -> None:
    host = host_of(clock)
    host.ask_slower(5.0)
    host.ask_slower(0.5)
    assert gaps(asyncio.run(begins(host, clock, count=3))) == [5.0, 5.0]


def test_a_delay_of_robots_txt_holds_from_the_request_for_robots_txt(clock: Clock) -> None:
    host = host_of(clock)
    (robots,) = asyncio.run(begins(host, clock, count=1, takes=0.5))
    host.ask_slower(5.0)
    (after,) = asyncio.run(begins(host, clock, count=1))
    # The host counts from when the request came, and only the answer tells when that was at the latest.
    assert after - robots == 5.5


def test_a_host_that_answers_slowly_gets_as_much_rest_as_its_answers_take(clock: Clock) -> None:
    times = asyncio.run(begins(host_of(clock), clock, count=12, takes=10.0))
    assert gaps(times)[-1] == pytest.approx(20.0, rel=0.01)


def test_a_request_that_was_sent_late_puts_off_the_next_one(clock: Clock) -> None:
    async def came(lags: list[float]) -> list[float]:
        """Give when each request came to the host: so long after it began. Each answer takes half a second from there."""
        host, found = host_of(clock), []
        for lag in lags:
            async with host.turn():
                found.append(clock.now + lag)
                clock.now += lag + 0.5
        return found

    assert min(gaps(asyncio.run(came([0.75, 0.0, 0.0, 1.5, 0.0, 0.0])))) == 2.0


def test_after_a_failure_it_is_left_alone_for_longer_each_time_and_then_for_the_night(clock: Clock) -> None:
    host = host_of(clock)
    waits = []
    for _ in range(MOST_FAILURES - 1):
        before = clock.now
        host.failed("status 500")
        asyncio.run(begins(host, clock, count=1))
        waits.append(clock.now - before)
    assert waits == [5.0, 10.0, 20.0]
    assert host.left_because is None
    host.failed("status 500")
    assert host.left_because == "status 500, the last of 4 failures in a row"


def test_an_answer_ends_the_row_of_failures(clock: Clock) -> None:
    host = host_of(clock)
    for _ in range(3 * MOST_FAILURES):
        host.failed("status 503", seconds=1)
        host.answered()
    assert host.left_because is None


def test_it_waits_as_long_as_the_host_asks_and_leaves_it_for_the_night_if_that_is_too_long(clock: Clock) -> None:
    host = host_of(clock)
    before = clock.now
    host.failed("status 429", seconds=90)
    asyncio.run(begins(host, clock, count=1))
    assert clock.now - before == 90
    host.failed("status 429", seconds=LONGEST_PAUSE + 1)
    assert host.left_because == "status 429; the host asks to be left alone for 301 s"


def test_a_host_that_waits_takes_no_place_from_another() -> None:
    async def both() -> list[str]:
        together = asyncio.Semaphore(1)
        ended: list[str] = []

        async def ask(host: Host, times: int) -> None:
            for _ in range(times):
                async with host.turn():
                    await asyncio.sleep(0.01)
                ended.append(host.name)

        slow = Host("slow.example", delay=0.5, concurrency=1, together=together, clock=asyncio.get_running_loop().time)
        fast = Host("fast.example", delay=0.0, concurrency=1, together=together, clock=asyncio.get_running_loop().time)
        await asyncio.gather(ask(slow, 2), ask(fast, 5))
        return ended

    assert asyncio.run(both())[-1] == "slow.example"
