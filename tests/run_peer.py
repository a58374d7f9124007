"""Run another extractor on the pages of evaluation sets, in a process of its own: one JSON row per page on stdout.

    python tests/run_peer.py trafilatura FOLDER SET ...

A set is SET.warc.gz and SET.jsonl in FOLDER, as in ``make_judge.py``. Every peer gets the bytes of the page and its URL, and its own
defaults; a page at which it fails counts as empty. A row holds ``set``, ``id``, ``text`` and whichever of ``title``, ``date`` and
``authors`` the peer gives at all, and ``seconds`` of CPU. Nothing here knows babelwire, so that any Python with the peers can run it.
"""

import argparse
import contextlib
import json
import logging
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from fastwarc.warc import ArchiveIterator, WarcRecordType

Extract = Callable[[bytes, str | None], dict[str, Any]]


def trafilatura() -> Extract:
    """Text and metadata, with the defaults."""
    from trafilatura import bare_extraction  # noqa: PLC0415  (each peer is imported where it is wanted)

    def extract(content: bytes, url: str | None) -> dict[str, Any]:
        document = bare_extraction(content, url=url, with_metadata=True)
        got = document if isinstance(document, dict) else document.as_dict() if document else {}
        return {
            "text": got.get("text"), "title": got.get("title"), "date": got.get("date"),
            "authors": _listed(got.get("author")),
        }  # fmt: skip

    return extract


def readability() -> Extract:
    """The article's element, read as text by lxml with a line per block; a short title; an author; no date."""
    from lxml import html  # noqa: PLC0415
    from readability import Document  # noqa: PLC0415

    blocks = "p|div|li|h1|h2|h3|h4|h5|h6|br|tr|pre|blockquote|figcaption".split("|")

    def extract(content: bytes, url: str | None) -> dict[str, Any]:
        document = Document(content, url=url)
        tree = html.fromstring(document.summary(html_partial=True))
        for element in tree.iter(*blocks):
            element.tail = "\n" + (element.tail or "")
            element.text = "\n" + (element.text or "")
        author = document.author()
        return {
            "text": tree.text_content(),
            "title": document.short_title(),
            "authors": [] if author == "[no-author]" else _listed(author),
        }

    return extract


def resiliparse() -> Extract:
    """The main text; the title is the page's own title element; no author and no date."""
    from resiliparse.extract.html2text import extract_plain_text  # noqa: PLC0415
    from resiliparse.parse.encoding import detect_encoding  # noqa: PLC0415
    from resiliparse.parse.html import HTMLTree  # noqa: PLC0415

    def extract(content: bytes, _: str | None) -> dict[str, Any]:
        tree = HTMLTree.parse_from_bytes(content, detect_encoding(content, from_html_meta=True))
        return {"text": extract_plain_text(tree, main_content=True, alt_texts=False), "title": tree.title}

    return extract


def newspaper4k() -> Extract:
    """Text, title, authors and date."""
    from newspaper import Article  # noqa: PLC0415

    def extract(content: bytes, url: str | None) -> dict[str, Any]:
        article = Article(url or "https://page.example/", fetch_images=False)
        article.download(input_html=content)
        article.parse()
        date = article.publish_date
        return {
            "text": article.text, "title": article.title, "authors": list(article.authors),
            "date": date.date().isoformat() if hasattr(date, "date") else None,
        }  # fmt: skip

    return extract


def news_please() -> Extract:
    """Text, title, authors and date; it wants text, so the bytes are decoded as its own reader of WARC does."""
    from bs4.dammit import EncodingDetector  # noqa: PLC0415
    from newsplease import NewsPlease  # noqa: PLC0415

    def extract(content: bytes, url: str | None) -> dict[str, Any]:
        encoding = EncodingDetector.find_declared_encoding(content, is_html=True) or "utf-8"
        try:
            page = content.decode(encoding, errors="replace")
        except LookupError:
            page = content.decode("utf-8", errors="replace")
        article = NewsPlease.from_html(page, url=url, fetch_images=False)
        date = article.date_publish
        return {
            "text": article.maintext, "title": article.title, "authors": list(article.authors or ()),
            "date": date.date().isoformat() if hasattr(date, "date") else None,
        }  # fmt: skip

    return extract


#: Each peer with the distribution that brings it.
PEERS: Mapping[str, tuple[str, Callable[[], Extract]]] = {
    "trafilatura": ("trafilatura", trafilatura),
    "readability": ("readability-lxml", readability),
    "resiliparse": ("resiliparse", resiliparse),
    "newspaper4k": ("newspaper4k", newspaper4k),
    "news-please": ("news-please", news_please),
}


def _listed(names: str | None) -> list[str]:
    return [names] if names else []


def pages(folder: Path, name: str) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Give each row of a set with the bytes of its page."""
    with (folder / f"{name}.jsonl").open(encoding="utf-8") as file:
        rows = {row["warc_record_id"]: row for row in map(json.loads, file)}
    with (folder / f"{name}.warc.gz").open("rb") as file:
        for record in ArchiveIterator(file, record_types=WarcRecordType.response):
            if (row := rows.get(record.headers["WARC-Record-ID"])) is not None:
                yield row, record.reader.read()


def main() -> None:
    """Write a row for every page of every set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("sets", nargs="+")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    # What a peer prints is not ours.
    out, sys.stdout = sys.stdout, sys.stderr
    extract = PEERS[arguments.peer][1]()
    for name in arguments.sets:
        for row, content in pages(arguments.folder, name):
            found: dict[str, Any] = {}
            start = time.process_time()
            with contextlib.suppress(Exception):
                found = extract(content, row.get("url"))
            seconds = time.process_time() - start
            found = {**found, "set": name, "id": row["id"], "text": found.get("text") or "", "seconds": seconds}
            print(json.dumps(found, ensure_ascii=True), file=out, flush=True)


if __name__ == "__main__":
    main()
