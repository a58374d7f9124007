"""An output folder of two nights, made by real runs over pages of two invented sites."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from ingest.config import Options, RunOptions
from ingest.run import run
from ingest.sources.inputs import Input
from normalize.options import TranslateOptions
from schemas.fetch import FETCHES

FIRST, SECOND = date(2026, 1, 6), date(2026, 1, 7)
OPTIONS = Options(run=RunOptions(workers=1), translate=TranslateOptions(target="off"))

FERRY = (
    "The ferry to the northern islands will not sail before Thursday, the harbour master said on Tuesday morning.",
    "A storm had torn two of the mooring lines, and divers must look at the hull before passengers may come on board.",
    "Families who wait in the port town are given rooms by the council, which has opened the sports hall as well.",
)
BRIDGE = (
    "The old bridge over the river opens again after two years of work, three months later than it was planned.",
    "Engineers found rust in the bearings, and the town had to borrow money for steel that nobody had expected.",
    "On Saturday people may walk across it for a day before the first buses are allowed to cross from the market.",
)
FOLLOW = "Follow the harbour reporters by letter every morning, it is free and you can stop it whenever you like."


def page(
    *, title: str, address: str, paragraphs: tuple[str, ...], day: str | None = "2026-01-06", lang: str = "en"
) -> str:
    """Write a page with a menu, a story and a footer."""
    dated = f'<meta property="article:published_time" content="{day}T08:00:00Z">' if day else ""
    story = "".join(f"<p>{text}</p>" for text in paragraphs)
    return (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title>{dated}'
        f'<link rel="canonical" href="{address}"></head><body><nav><a href="/a">Home</a> <a href="/b">Sport</a></nav>'
        f"<article><h1>{title}</h1>{story}</article><footer>All rights reserved, 2026</footer></body></html>"
    )


FERRY_PAGE = page(title="Ferry stays in port", address="https://quay.example/ferry", paragraphs=FERRY)
LATER_FERRY = page(
    title="Ferry sails on Friday",
    address="https://quay.example/ferry",
    paragraphs=(*FERRY, BRIDGE[2]),
    day="2026-01-06",
)
NIGHTS: dict[date, dict[str, dict[str, str]]] = {
    FIRST: {
        "quay": {
            "ferry.html": FERRY_PAGE,
            "undated.html": page(
                title="A bridge opens", address="https://quay.example/bridge", paragraphs=BRIDGE, day=None
            ),
        },
        "o'hill": {
            "copy.html": page(title="Ferry stays in port", address="https://hill.example/1", paragraphs=FERRY),
        },
    },
    SECOND: {
        "quay": {
            "later.html": LATER_FERRY,
            "french.html": page(
                title="The bridge is open",
                address="https://quay.example/fr",
                paragraphs=(BRIDGE[2], BRIDGE[1], BRIDGE[0], FOLLOW),
                day="2026-01-07",
                lang="fr",
            ),
            "empty.html": "<html><body></body></html>",
        },
    },
}


def inputs_of(folder: Path, day: date) -> tuple[Input, ...]:
    """Write the pages of one night below a folder and give them as a catalogue would."""
    found = []
    for source, pages in NIGHTS[day].items():
        for name, content in pages.items():
            path = folder / day.isoformat() / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, "utf-8")
            found.append(Input(path=path, uri=path.as_posix(), source_id=source))
    return tuple(found)


def make(folder: Path) -> Path:
    """Run both nights and give the output folder, which has the table of one crawl too."""
    output = folder / "out"
    for day in NIGHTS:
        run(inputs_of(folder / "pages", day), output, OPTIONS, run_date=day, fresh=False, on_progress=lambda _: None)
    place = output / f"fetches/crawl_date={SECOND}/crawl=c1/part-00000.parquet"
    place.parent.mkdir(parents=True)
    fetches().write_parquet(place)
    return output


def fetches() -> pl.DataFrame:
    """Give what a crawl of the second night asked for."""
    asked = [
        ("https://quay.example/ferry", "fetched", None, 200, 0.5, 4000),
        ("https://quay.example/fr", "fetched", None, 200, 1.5, 5000),
        ("https://hill.example/1", "failed", "timeout", None, 30.0, None),
        ("https://hill.example/2", "failed", "timeout", None, 30.0, None),
        ("https://hill.example/3", "refused", "robots", None, None, None),
    ]
    rows = [
        {
            **dict.fromkeys(FETCHES),
            "crawl_id": "c1",
            "crawl_date": SECOND,
            "source_id": "quay" if "quay" in url else "o'hill",
            "kind": "page",
            "requested_at": datetime(2026, 1, 7, 2, tzinfo=UTC),
            **dict(zip(("url", "outcome", "reason", "http_status", "seconds", "bytes"), (url, *rest), strict=True)),
        }
        for url, *rest in asked
    ]
    return pl.DataFrame(rows, schema=FETCHES)
