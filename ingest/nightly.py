"""From crawls to their run: which files no run has read, and with which rules they are to be read."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ingest.catalogue import rule_book
from ingest.commit import STAGING
from ingest.crawl.crawl import FETCHES_FOLDER, RAW
from ingest.sources.inputs import Input
from ingest.staged import opening_of
from ingest.store import read_manifests


@dataclass(frozen=True, slots=True, kw_only=True)
class Unread:
    """Crawls that no run has read."""

    #: As the manifest of their run names them.
    crawls: tuple[Mapping[str, str], ...]
    #: Their pages, in the order they were fetched.
    inputs: tuple[Input, ...]


def unread(catalogue: Path, output: Path) -> Unread:
    """Find what the crawls of an output folder brought and no run has read.

    Args:
        catalogue: Its rules count for the pages of its sites.
        output: The output folder.

    Raises:
        SetupError: If the catalogue is at fault, or a manifest cannot be read.
    """
    read = {crawl["crawl_id"] for manifest in read_manifests(output) for crawl in manifest.get("crawls", ())}
    crawls: list[Mapping[str, str]] = []
    files: list[Path] = []
    # A crawl that has ended has its table.
    for table in sorted((output / FETCHES_FOLDER).glob("crawl_date=*/crawl=*/part-00000.parquet")):
        day, name = (part.partition("=")[2] for part in table.parts[-3:-1])
        if name not in read:
            crawls.append({"crawl_id": name, "crawl_date": day})
            files += sorted((output / RAW / f"crawl_date={day}" / f"crawl={name}").glob("pages-*.warc.gz"))
    rules = rule_book(catalogue)
    inputs = tuple(Input(path=file, uri=file.as_posix(), rules=rules) for file in files)
    return Unread(crawls=tuple(crawls), inputs=inputs)


def broken_off(found: Unread, output: Path) -> Unread | None:
    """Give the crawls whose run was broken off: read by themselves, it goes on where it was. None where there is no such run."""
    for folder in sorted((output / STAGING).glob("run=*")):
        opening = opening_of(folder)
        uris = {str(said[1]) for said in opening.identity["inputs"]} if opening else set()
        inputs = tuple(item for item in found.inputs if item.uri in uris)
        if uris and len(inputs) == len(uris):
            names = {Path(item.uri).parent.name.partition("=")[2] for item in inputs}
            crawls = tuple(crawl for crawl in found.crawls if crawl["crawl_id"] in names)
            return Unread(crawls=crawls, inputs=inputs)
    return None
