"""What feedparser misreads or chokes on is gone before it sees a feed."""

import pytest
from lxml import etree

from ingest.crawl.feedtree import MAX_TAGS, spare

NAMESPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
    ' xmlns:media="http://search.yahoo.com/mrss/" xmlns:content="http://purl.org/rss/1.0/modules/content/"'
)


def spared(inside: str) -> etree._Element:
    """What is left of a channel."""
    tree = etree.fromstring(f"<rss {NAMESPACES}><channel>{inside}</channel></rss>")
    spare(tree)
    return tree[0]


def test_of_endless_tags_the_first_stay() -> None:
    channel = spared(f"<item>{''.join(f'<category>{number}</category>' for number in range(3 * MAX_TAGS))}</item>")
    assert [node.text for node in channel.iter("category")] == [str(number) for number in range(MAX_TAGS)]


def test_each_item_has_tags_of_its_own() -> None:
    channel = spared("".join(f"<item>{'<category>a</category>' * 60}</item>" for _ in range(5)))
    assert [len(item) for item in channel] == [60] * 5


def test_of_an_item_with_endless_elements_the_first_stay() -> None:
    (item,) = spared(f"<item>{'<link>a</link>' * 2_000}</item>")
    assert len(item) == 500


def test_elements_with_endless_attributes_lose_them() -> None:
    many = " ".join(f'a{number}="x"' for number in range(51))
    assert [len(node.attrib) for node in spared(f'<title {many}/><link a="1"/>')] == [0, 1]


@pytest.mark.parametrize("name", ["author", "dc:creator", "pubDate", "dc:date", "category", "itunes:keywords"])
def test_texts_in_the_place_of_names_and_dates_go(name: str) -> None:
    long, short = spared(f"<item><{name}>{'a' * 2_001}</{name}></item><item><{name}>{'a' * 2_000}</{name}></item>")
    assert ("".join(long.itertext()), "".join(short.itertext())) == ("", "a" * 2_000)


def test_texts_around_the_children_of_a_person_count_too() -> None:
    (item,) = spared(f"<item><author>{'a' * 1_500}<name>Ana</name>{'b' * 1_500}</author></item>")
    assert "".join(item.itertext()) == "Ana"


def test_of_an_item_only_what_is_read_stays() -> None:
    (item,) = spared(
        "<item><title>a</title><media:title>b</media:title><itunes:title>c</itunes:title><itunes:author>d</itunes:author><image/>"
        "<source/><description>e</description><dc:description>f</dc:description><itunes:summary>g</itunes:summary>"
        "<content:encoded>h</content:encoded></item>"
    )
    assert "".join(item.itertext()) == "adeh"


def test_a_description_that_stands_alone_stays_whatever_its_namespace() -> None:
    (item,) = spared("<item><dc:description>a</dc:description></item>")
    assert "".join(item.itertext()) == "a"


def test_of_a_channel_only_what_is_read_stays() -> None:
    channel = spared(
        "<image><title>Logo</title></image><title>News</title><itunes:title>Podcast</itunes:title><item><link>x</link></item>"
        "<itunes:new-feed-url>y</itunes:new-feed-url><ttl>5</ttl><textInput/><description>All that happens</description>"
    )
    assert "".join(channel.itertext()) == "Newsxy5"
