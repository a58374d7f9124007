"""When to ask a feed again, and whether to believe it when it says that nothing has changed."""

from datetime import datetime, timedelta
from typing import Final

from ingest.crawl.download import Answer
from ingest.crawl.entry import Reading
from ingest.crawl.state import Feed
from schemas.source import SourceEntry

#: A feed that only said "not modified" for so long is asked for its body. Nearly every newsroom writes once a day.
_BELIEVED_FOR: Final = timedelta(hours=24)

#: The same by number of answers, for feeds that are asked often.
_MOST_UNVERIFIED: Final = 8

#: Clocks of newsrooms and of their servers differ by as much.
_SLACK: Final = timedelta(minutes=10)

#: How the time between two polls follows what they bring.
_SHORTER: Final = 0.5
_LONGER: Final = 1.5


def is_due(feed: Feed, now: datetime) -> bool:
    """Say whether it is time to ask; also where it was asked in times to come, by a clock that was wrong."""
    if feed.polled_at is None or feed.every is None or feed.polled_at > now:
        return True
    return now >= feed.polled_at + timedelta(seconds=feed.every)


def next_poll(feed: Feed, source: SourceEntry, *, news: bool, asked: int | None = None) -> float:
    """Give the time to the next poll, in seconds: shorter where there was news, longer where not, within the catalogue's bounds.

    Args:
        feed: As it was before this poll.
        source: Its bounds.
        news: Did it bring anything new?
        asked: How long the feed asks to be left alone, in seconds; never longer than the catalogue's bound.
    """
    least, most = (minutes * 60.0 for minutes in source.poll_minutes)
    every = least if feed.every is None else feed.every * (_SHORTER if news else _LONGER)
    return min(max(every, least, float(asked or 0)), most)


def wants_proof(feed: Feed, now: datetime) -> bool:
    """Say whether to ask for the whole body, since word that nothing has changed would not be believed."""
    if feed.read_at is None or feed.lies:
        return True
    return feed.unverified >= _MOST_UNVERIFIED or (feed.unverified > 0 and now - feed.read_at >= _BELIEVED_FOR)


def tells_lies(feed: Feed, reading: Reading, answer: Answer) -> bool:
    """Say whether a feed whose body differs had said in between that nothing has changed.

    Two signs: it still names the body by the same tag, or it holds an entry that came out before the last such word.
    """
    if not feed.unverified or feed.polled_at is None or feed.read_at is None:
        return False
    if feed.etag is not None and answer.header("etag") == feed.etag:
        return True
    earliest, latest = feed.read_at + _SLACK, feed.polled_at - _SLACK
    return any(entry.published_at and earliest < entry.published_at < latest for entry in reading.entries)
