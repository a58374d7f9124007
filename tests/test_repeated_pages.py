"""The pages that long benchmarks are fed with: others each time round, and yet the same work."""

from pathlib import Path

from fastwarc.warc import ArchiveIterator
from repeated_pages import COPY_IN, Kept, write_warcs

STORY = " ".join(f"word{number}" for number in range(60)).encode()
PAGE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html><head>"
    b'<script type="application/ld+json">{"text": "<p>' + STORY + b'", "date": "2026-01-08"}</script></head>'
    b'<body><a href="http://news.example.org/home">Home</a><p>' + STORY + b"</p></body></html>"
)


def written(folder: Path, *, times: int, per_file: int) -> list[tuple[str, bytes]]:
    page = Kept(url="http://news.example.org/1", fetched="2026-01-08T00:00:00Z", record="<urn:uuid:1>", answer=PAGE)
    files = write_warcs(folder, [page], number=times, per_file=per_file)
    answers: list[tuple[str, bytes]] = []
    for file in files:
        with file.open("rb") as warc:
            records = ArchiveIterator(warc, parse_http=False)
            answers += [(record.headers["WARC-Target-URI"], record.reader.read()) for record in records]
    return answers


def test_the_first_time_round_is_as_it_was_kept(tmp_path: Path) -> None:
    assert written(tmp_path, times=1, per_file=1) == [("http://news.example.org/1", PAGE)]


def test_each_time_round_has_a_host_of_its_own_in_address_and_links(tmp_path: Path) -> None:
    answers = written(tmp_path, times=50, per_file=7)
    assert len({url for url, _ in answers}) == 50
    assert all(b'href="' + url.rpartition("/")[0].encode() + b'/home"' in answer for url, answer in answers)


def test_other_words_stand_beside_each_other_and_none_is_lost(tmp_path: Path) -> None:
    stories = [answer.split(b"<p>")[-1].split(b"</p>")[0] for _, answer in written(tmp_path, times=50, per_file=50)]
    assert {tuple(sorted(story.split())) for story in stories} == {tuple(sorted(STORY.split()))}
    # Now and then it is a copy, or a story of which little is changed.
    assert 50 - 2 * (50 // COPY_IN + 1) <= len(set(stories)) < 50


def test_scripts_and_length_stay_as_they_were(tmp_path: Path) -> None:
    answers = [answer for _, answer in written(tmp_path, times=50, per_file=50)]
    assert {len(answer) for answer in answers} == {len(PAGE)}
    assert all(STORY + b'", "date"' in answer for answer in answers)
