"""When a feed is asked again, and when its word is not taken for it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from ingest.crawl.download import Answer
from ingest.crawl.entry import Entry, Reading
from ingest.crawl.polls import is_due, next_poll, tells_lies, wants_proof
from ingest.crawl.state import Feed
from schemas.source import SourceEntry

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
SOURCE = SourceEntry(id="nea-akti", poll_minutes=(15, 720))
FEED = Feed(url="https://nea-akti.example/feed", source_id="nea-akti", kind="feed", etag='"1"')
HOUR = timedelta(hours=1)


def test_a_feed_is_asked_at_once_and_then_when_its_time_has_come() -> None:
    asked = replace(FEED, polled_at=NOW, every=3600.0)
    assert is_due(FEED, NOW)
    assert not is_due(asked, NOW + HOUR - timedelta(seconds=1))
    assert is_due(asked, NOW + HOUR)


def test_a_clock_that_was_ahead_keeps_no_feed_waiting_for_years() -> None:
    assert is_due(replace(FEED, polled_at=NOW + timedelta(days=3650), every=3600.0), NOW)


def test_news_shorten_the_time_to_the_next_poll_and_silence_lengthens_it_within_bounds() -> None:
    assert next_poll(FEED, SOURCE, news=True) == 900
    hourly = replace(FEED, every=3600.0)
    assert next_poll(hourly, SOURCE, news=True) == 1800
    assert next_poll(hourly, SOURCE, news=False) == 5400
    assert next_poll(replace(FEED, every=43200.0), SOURCE, news=False) == 43200
    assert next_poll(replace(FEED, every=1000.0), SOURCE, news=True) == 900


def test_a_feed_that_asks_for_patience_gets_it_up_to_the_catalogues_bound() -> None:
    assert next_poll(FEED, SOURCE, news=True, asked=7200) == 7200
    assert next_poll(FEED, SOURCE, news=True, asked=10_000_000) == 43200


def test_word_of_no_change_is_believed_for_a_day_or_eight_times() -> None:
    read = replace(FEED, read_at=NOW, polled_at=NOW)
    assert wants_proof(FEED, NOW)
    assert not wants_proof(read, NOW + 23 * HOUR)
    assert not wants_proof(replace(read, unverified=1), NOW + 23 * HOUR)
    assert wants_proof(replace(read, unverified=1), NOW + 24 * HOUR)
    assert wants_proof(replace(read, unverified=8), NOW + 2 * HOUR)
    # One that answers with its body every night need not prove anything.
    assert not wants_proof(replace(read, unverified=0), NOW + 48 * HOUR)


def reading(*published: datetime) -> Reading:
    entries = tuple(Entry(url=f"https://nea-akti.example/{n}", published_at=at) for n, at in enumerate(published))
    return Reading(kind="rss", entries=entries)


def answer(etag: str) -> Answer:
    headers = (("ETag", etag),)
    return Answer(url=FEED.url, status=200, headers=headers, body=b"", ip=None, request=b"", at=NOW, seconds=0.1)


def test_a_feed_lies_if_a_story_came_out_before_it_last_said_that_there_was_none() -> None:
    said = replace(FEED, read_at=NOW, polled_at=NOW + 6 * HOUR, unverified=2)
    assert tells_lies(said, reading(NOW + 3 * HOUR), answer('"2"'))
    assert not tells_lies(said, reading(NOW + 7 * HOUR, NOW - HOUR), answer('"2"'))


def test_a_feed_lies_if_another_body_has_the_same_tag() -> None:
    said = replace(FEED, read_at=NOW, polled_at=NOW + 6 * HOUR, unverified=1)
    assert tells_lies(said, reading(), answer('"1"'))
    assert not tells_lies(said, reading(), answer('"2"'))


def test_a_feed_that_never_said_so_cannot_have_lied() -> None:
    said = replace(FEED, read_at=NOW, polled_at=NOW + 6 * HOUR, unverified=0)
    assert not tells_lies(said, reading(NOW + 3 * HOUR), answer('"1"'))


def test_a_feed_that_lied_is_never_asked_with_conditions_again() -> None:
    assert wants_proof(replace(FEED, read_at=NOW, lies=True), NOW + HOUR)
