"""The simulated nights are what they say: the same each time, with records that keep the schema, and faults where planted."""

import polars as pl
import pytest
from simulated_nights import FAULTS, STRENGTHS, Fault, Newsroom

from schemas.record import COLUMNS, QUARANTINE_COLUMNS, problems

ROOM = Newsroom(7, sources=8, a_night=400)


def test_the_same_seed_gives_the_same_night_and_another_seed_another() -> None:
    again = Newsroom(7, sources=8, a_night=400).night(3)
    assert ROOM.night(3).articles.equals(again.articles)
    assert not ROOM.night(3).articles.equals(Newsroom(8, sources=8, a_night=400).night(3).articles)


@pytest.mark.parametrize("kind", FAULTS)
def test_every_night_keeps_the_schema_with_and_without_a_fault(kind: str) -> None:
    source = max(ROOM.sources, key=lambda item: item.pages)
    for strength in STRENGTHS:
        night = ROOM.night(4, [Fault(kind=kind, strength=strength, source=source.name, day=ROOM.day(4))])
        assert problems(night.articles, COLUMNS) == []
        assert problems(night.quarantine, QUARANTINE_COLUMNS) == []


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_changes_its_source_and_no_other(kind: str) -> None:
    source = max(ROOM.sources, key=lambda item: item.pages)
    before, after = (
        ROOM.night(4),
        ROOM.night(4, [Fault(kind=kind, strength="strong", source=source.name, day=ROOM.day(4))]),
    )
    here = pl.col("source_id") == source.name
    assert before.articles.filter(~here).equals(after.articles.filter(~here))
    assert not before.articles.filter(here).equals(after.articles.filter(here))


def test_a_fault_begins_on_its_day_and_stays() -> None:
    fault = Fault(kind="falls silent", strength="strong", source=ROOM.sources[-1].name, day=ROOM.day(2))
    counts = [ROOM.night(number, [fault]).articles.filter(source_id=fault.source).height for number in range(4)]
    assert min(counts[:2]) > 100
    assert counts[2:] == [0, 0]


def test_sources_are_of_very_different_size_and_their_nights_come_to_the_number_asked_for() -> None:
    room = Newsroom(1)
    assert (room.sources[0].pages, room.sources[-1].pages) == pytest.approx((3, 400))
    assert sum(source.expected(room.day(number)) for source in room.sources for number in range(30)) == pytest.approx(
        200_000, rel=0.1
    )
