"""Simulated nights of many news sources, and the faults that can be planted in them: the ground truth for drift.

``Newsroom(seed)`` draws the sources; ``night(number)`` gives the records and refused documents of one night, the same each time.
A source has a size (3 to 400 pages a night), a weekday rhythm of its own (some are silent on Sundays), slow growth, nights that
scatter more than their counts alone would, big news days and days without news, one or two languages, kinds of page, lengths
that are log-normal, empty columns, templates, duplicates, quarantine and warnings of the translation. Holidays hit all sources
alike: each is as on its own Sunday.

A ``Fault`` stays from its night on. Its strengths are sizes of effect, so that they mean the same in all sources:

    pages hit       weak 15 %, medium 40 %, strong 90 %: where it hits single pages. From 2 % that is 0.5, 1.1 and 2.2 in
                    Cohen's h. Of 20 pages 3, 8 or 18 are hit: one sees the first only when one looks for it, the second
                    makes any share of that column worthless, and the third leaves hardly a page as it was.
    text            times 0.8, 0.5 and 0.2, or 1.25, 2 and 4: log-normal lengths scatter by a factor of 1.8 within a source.
    pages a night   times 0.6, 0.25 and 0, or 2, 4 and 10: nights scatter by a factor of up to 1.3, a big news day doubles.
    duplicates      15 %, 40 % and 80 % of the pages: each story stands under 1.2, 1.7 and 5 addresses.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Literal

import numpy as np
import polars as pl

from schemas.quality.finding import Tables
from schemas.record import QUARANTINE, RECORD, SCHEMA_VERSION

Strength = Literal["weak", "medium", "strong"]
STRENGTHS: Final[tuple[Strength, ...]] = ("weak", "medium", "strong")

#: A Monday.
FIRST_NIGHT: Final = date(2026, 2, 16)
SUNDAY: Final = 6
LANGUAGES: Final = ("de", "en", "es", "fr", "el", "it", "pl", "pt", "uk", "ru", "tr", "ar")
TARGET: Final = "en"
#: Kinds of page that are no article, with how often each stands in for one.
KINDS: Final = ("listing", "live_blog", "gallery", "video", "paywall_stub")
WORDS: Final = (
    "The ferry to the islands sails again after three days of storm, and the harbour master says that the pier held. "
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One simulated source. Shares are from 0 to 1."""

    name: str
    #: Pages on a usual weekday of the first night.
    pages: float
    #: For Monday to Sunday: times so many.
    rhythm: tuple[float, ...]
    #: Growth from night to night, as a logarithm.
    growth: float
    #: Scatter of the nights beyond their counts, as a logarithm.
    scatter: float
    langs: tuple[str, ...]
    #: Share of the first language.
    main: float
    #: Median length of its texts in characters, and their scatter as a logarithm.
    length: float
    length_scatter: float
    #: How often something is so, by name.
    shares: Mapping[str, float]

    def expected(self, day: date, *, like: date | None = None) -> float:
        """Give the pages it usually has on a day, or would have if that were another day of the week."""
        nights = (day - FIRST_NIGHT).days
        return float(self.pages * self.rhythm[(like or day).weekday()] * np.exp(self.growth * nights))


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What one night brought."""

    day: date
    articles: pl.DataFrame
    quarantine: pl.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault: what, how strong, where, and from which day on."""

    kind: str
    strength: Strength
    source: str
    day: date


class Newsroom:
    """The sources of one seed, and their nights."""

    def __init__(
        self, seed: int, *, sources: int = 60, a_night: float = 6700, holidays: Iterable[int] = (11, 23)
    ) -> None:
        """Draw the sources.

        Args:
            seed: The same seed gives the same sources and nights.
            sources: How many.
            a_night: Records of all of them together on a usual night, about.
            holidays: Numbers of the nights that are public holidays.
        """
        self.seed = seed
        self.holidays = frozenset(holidays)
        rng = np.random.default_rng([seed, 1])
        # Evenly on a scale of logarithms, then bent until the sum is right: many small sources, few large ones.
        sizes = np.linspace(0, 1, sources)
        bend = min(np.linspace(0.3, 3, 100), key=lambda power: abs(_sizes(sizes, power).sum() * 0.86 - a_night))
        self.sources = tuple(_drawn(rng, number, size) for number, size in enumerate(_sizes(sizes, bend)))

    def day(self, number: int) -> date:
        """Give the day of a night; the first is number 0."""
        return FIRST_NIGHT + timedelta(days=number)

    def expected(self, source: Source, number: int) -> float:
        """Give the pages that a source usually has on such a night; a holiday is a Sunday."""
        day = self.day(number)
        like = day + timedelta(days=SUNDAY - day.weekday()) if number in self.holidays else day
        return source.expected(day, like=like)

    def night(self, number: int, faults: Iterable[Fault] = ()) -> Night:
        """Give one night, with the faults that have begun by then."""
        night = self._undisturbed(number)
        for fault in faults:
            if fault.day <= night.day:
                night = self.plant(night, fault)
        return night

    def plant(self, night: Night, fault: Fault) -> Night:
        """Put a fault into a night; of the other sources nothing changes."""
        place = next(number for number, source in enumerate(self.sources) if source.name == fault.source)
        kind = FAULTS[fault.kind]
        here = pl.col("source_id") == fault.source
        alone = Night(day=night.day, articles=night.articles.filter(here), quarantine=night.quarantine.filter(here))
        rng = np.random.default_rng([self.seed, 4, night.day.toordinal(), place])
        hit = kind.plant(alone, self.sources[place], SIZES[kind.size][fault.strength], rng)
        return Night(
            day=night.day,
            articles=pl.concat([night.articles.filter(~here), hit.articles]),
            quarantine=pl.concat([night.quarantine.filter(~here), hit.quarantine]),
        )

    def _undisturbed(self, number: int) -> Night:
        day = self.day(number)
        rng = np.random.default_rng([self.seed, 2, number])
        # News that all have, and what the crawler itself makes.
        together = rng.normal(0, 0.05)
        pages = [
            int(rng.poisson(self.expected(source, number) * np.exp(together + _scatter(rng, source.scatter))))
            for source in self.sources
        ]
        return _night_of(self.sources, day, pages, rng)


def tables(nights: Iterable[Night]) -> Tables:
    """Give nights as the tables of an output folder; fetches are left empty."""
    nights = list(nights)
    return Tables(
        articles=pl.concat([night.articles.lazy() for night in nights]),
        quarantine=pl.concat([night.quarantine.lazy() for night in nights]),
        fetches=pl.LazyFrame(),
        runs=runs(nights),
    )


def runs(nights: Iterable[Night]) -> pl.LazyFrame:
    """Give the table of runs, one for each night, with the columns that say how much it was."""
    return pl.LazyFrame(
        [
            {
                "run_id": _run(night.day),
                "run_date": night.day,
                "documents": night.articles.height + night.quarantine.height,
                "records": night.articles.height,
                "quarantined": night.quarantine.height,
            }
            for night in nights
        ]
    )


# ---- sources --------------------------------------------------------------------------------------


def _sizes(
    places: np.ndarray[tuple[int], np.dtype[np.float64]], bend: float
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    found: np.ndarray[tuple[int], np.dtype[np.float64]] = 3 * (400 / 3) ** (places**bend)
    return found


def _drawn(rng: np.random.Generator, number: int, pages: float) -> Source:
    weekend = rng.uniform(0.35, 1.0)
    rhythm = [*rng.uniform(0.9, 1.1, 5), weekend * rng.uniform(0.9, 1.1), weekend * rng.uniform(0.8, 1.0)]
    if rng.random() < 0.15:
        rhythm[SUNDAY] = 0.0
    langs = rng.permutation(LANGUAGES)
    two = rng.random() < 0.15
    shares = {
        "no_title": rng.uniform(0, 0.01),
        "no_published_at": rng.beta(1, 20),
        "no_authors": rng.choice([rng.beta(1, 8), rng.beta(3, 3), rng.beta(8, 1)], p=[0.5, 0.3, 0.2]),
        "no_section": rng.beta(1, 3),
        "no_description": rng.beta(1, 8),
        "no_tags": rng.beta(2, 2),
        "no_images": rng.beta(1, 5),
        "other_kind": rng.beta(1, 15),
        "template": rng.choice([0.0, rng.beta(4, 2)]),
        "duplicate": rng.beta(1, 20),
        "refused": rng.beta(1, 40),
        "conflict": rng.beta(1, 50),
        "undecided": rng.beta(1, 60),
        "partial": rng.beta(1, 12),
        "failed": rng.beta(1, 80),
        "same_title": rng.beta(1, 60),
    }
    return Source(
        name=f"daily-{number:02}",
        pages=pages,
        rhythm=tuple(float(item) for item in rhythm),
        growth=float(rng.normal(0.002, 0.003)),
        scatter=float(rng.uniform(0.05, 0.2)),
        langs=tuple(str(lang) for lang in langs[: 2 if two else 1]),
        main=float(rng.uniform(0.55, 0.85)) if two else 1.0,
        length=float(np.exp(rng.normal(np.log(1500), 0.5))),
        length_scatter=float(rng.uniform(0.4, 0.8)),
        shares={name: float(share) for name, share in shares.items()},
    )


def _scatter(rng: np.random.Generator, scatter: float) -> float:
    """Draw how far a night is from the usual: tails heavier than normal, and now and then a day of big news or of none."""
    off = scatter * rng.standard_t(5)
    if rng.random() < 0.01:
        off += np.log(rng.uniform(1.5, 2.0)) * rng.choice([-1, 1])
    return float(np.clip(off, np.log(0.4), np.log(2.2)))


# ---- one night ------------------------------------------------------------------------------------


def _night_of(sources: Sequence[Source], day: date, pages: Sequence[int], rng: np.random.Generator) -> Night:
    """Give a night on which each source had so many pages."""
    tonight = [{name: _near(share, rng) for name, share in source.shares.items()} for source in sources]
    refused = [int(rng.binomial(count, shares["refused"])) for count, shares in zip(pages, tonight, strict=True)]
    kept = [count - lost for count, lost in zip(pages, refused, strict=True)]
    quarantine = [_refused(source, day, count) for source, count in zip(sources, refused, strict=True)]
    return Night(day=day, articles=_articles(sources, day, kept, tonight, rng), quarantine=pl.concat(quarantine))


def _near(share: float, rng: np.random.Generator) -> float:
    """Draw the share of one night: it moves a little more than its count alone makes it."""
    if share <= 0 or share >= 1:
        return share
    return float(1 / (1 + np.exp(-(np.log(share / (1 - share)) + rng.normal(0, 0.2)))))


def _run(day: date) -> str:
    return f"{day.toordinal():016x}"


def _articles(
    sources: Sequence[Source],
    day: date,
    pages: Sequence[int],
    tonight: Sequence[Mapping[str, float]],
    rng: np.random.Generator,
) -> pl.DataFrame:
    total = sum(pages)

    def each(values: Iterable[object]) -> pl.Series:
        """Give the value of its source to each page."""
        return pl.Series(np.repeat(np.array(list(values)), pages))

    def so(name: str) -> pl.Series:
        shares = each(shares[name] for shares in tonight).to_numpy()
        return pl.Series(name, rng.random(total) < shares, dtype=pl.Boolean)

    weekend = 1.15 if day.weekday() > 4 else 1.0
    middles = each(np.log(source.length * weekend) + rng.normal(0, 0.05) for source in sources).to_numpy()
    scatters = each(source.length_scatter for source in sources).to_numpy()
    lengths = np.clip(np.exp(rng.normal(middles, scatters)), 40, 40_000).astype(int)
    long = WORDS * (40_000 // len(WORDS) + 2)
    starts = rng.integers(0, len(WORDS), total)
    texts = [long[start : start + length].strip() for start, length in zip(starts, lengths, strict=True)]
    ids = [
        f"{source.name}-{day:%m%d}-{n:04}" for source, count in zip(sources, pages, strict=True) for n in range(count)
    ]
    other = pl.Series(rng.choice(KINDS, total), dtype=pl.String)
    first = rng.random(total) < each(source.main for source in sources).to_numpy()
    langs = np.where(first, each(source.langs[0] for source in sources), each(source.langs[-1] for source in sources))
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    frame = pl.DataFrame(
        {
            "record_id": ids,
            "title": [f"{WORDS[start : start + 30].strip()} {key}" for start, key in zip(starts, ids, strict=True)],
            "text": texts,
            "lang": pl.Series(langs, dtype=pl.String),
            "other": other,
            "source_id": each(source.name for source in sources).cast(pl.String),
            "publisher": each(source.name.title() for source in sources).cast(pl.String),
        },
        schema_overrides={"record_id": pl.String, "title": pl.String, "text": pl.String},
    ).with_columns(*(so(name) for name in sources[0].shares if name != "refused"))
    foreign = pl.col("lang") != TARGET
    status = (
        pl.when(~foreign)
        .then(pl.lit("not_needed"))
        .when("failed")
        .then(pl.lit("failed"))
        .when("partial")
        .then(pl.lit("partial"))
        .otherwise(pl.lit("done"))
    )
    kind = pl.when("other_kind").then("other").otherwise(pl.lit("article"))
    frame = frame.with_columns(
        story_id=pl.col("record_id"),
        url=pl.format("https://{}.example/{}", "source_id", "record_id"),
        domain=pl.col("source_id") + ".example",
        title=pl.when("no_title").then(None).when("same_title").then(pl.lit("In brief")).otherwise("title"),
        description=pl.when(~pl.col("no_description")).then(pl.col("text").str.slice(0, 100)),
        paragraphs=pl.concat_list(
            pl.struct(role=pl.lit("paragraph"), text=pl.col("text").str.slice(0, 60), lang=pl.lit(None, pl.String))
        ),
        authors=pl.when(~pl.col("no_authors")).then(pl.lit(["Ada Example"])),
        tags=pl.when(~pl.col("no_tags")).then(pl.lit(["harbour"])),
        section=pl.when(~pl.col("no_section")).then(pl.lit("News")),
        images=pl.when(~pl.col("no_images")).then(
            pl.lit(
                [{"url": "https://x.example/1.jpg", "alt": None, "caption": None, "credit": None, "lead": True}],
                dtype=RECORD["images"],
            )
        ),
        published_at=pl.when(~pl.col("no_published_at")).then(pl.lit(noon, dtype=pl.Datetime("us", "UTC"))),
        page_type=kind,
        lang=pl.when("undecided").then(pl.lit("und")).otherwise("lang"),
        lang_conflict=pl.col("conflict"),
        mt_status=status,
        mt_flags=pl.when(foreign & pl.col("partial")).then(pl.lit(["numbers"])),
        removed=_removed(sources, pages, frame["template"], rng),
        dup_of=pl.when("duplicate").then(pl.lit("earlier")),
        dup_kind=pl.when("duplicate").then(pl.lit("near")),
        source_kind=pl.lit("html"),
        source_uri=pl.format("raw/{}.warc.gz", "source_id"),
        raw_sha256=pl.lit("0" * 64),
        fetched_at=pl.lit(noon, dtype=pl.Datetime("us", "UTC")),
        run_id=pl.lit(_run(day)),
        run_date=pl.lit(day),
        schema_version=pl.lit(SCHEMA_VERSION),
        config_sha256=pl.lit("0" * 64),
    )
    absent = [pl.lit(None).alias(name) for name in RECORD if name not in frame.columns]
    return frame.with_columns(absent).select(RECORD.names()).cast(dict(RECORD))  # type: ignore[arg-type]


def _removed(
    sources: Sequence[Source], pages: Sequence[int], template: pl.Series, rng: np.random.Generator
) -> pl.Series:
    """Give what was cut away: of 20 ways in which that went at its source, one for each page; with a template where it is so."""
    place = {"role": "navigation", "rule": "place:nav", "text": "Home News Sport"}
    found = {"role": "boilerplate", "rule": "template:9 of 9 pages", "text": "Read us every day."}
    pool = []
    for source in sources:
        blocks = max(int(source.length / 400), 1)
        ways = [
            [place, *[{"role": "related", "rule": "place:related", "text": WORDS[: 10 + 5 * way]}] * blocks]
            for way in range(20)
        ]
        pool += ways + [[*way, found] for way in ways]
    total = sum(pages)
    chosen = (
        40 * np.repeat(np.arange(len(sources)), pages)
        + 20 * template.to_numpy().astype(int)
        + rng.integers(0, 20, total)
    )
    return pl.Series(pool, dtype=RECORD["removed"]).gather(chosen)


def _refused(source: Source, day: date, count: int, *, first: int = 0) -> pl.DataFrame:
    row = {
        "stage": "clean",
        "reason": "no_text",
        "detail": "no text was found in it",
        "source_kind": "html",
        "source_uri": f"raw/{source.name}.warc.gz",
        "source_id": source.name,
        "run_id": _run(day),
        "run_date": day,
    }
    rows = [{**row, "url": f"https://{source.name}.example/refused-{first + number}"} for number in range(count)]
    return pl.DataFrame(rows, schema=QUARANTINE)


# ---- faults ---------------------------------------------------------------------------------------

SIZES: Final[Mapping[str, Mapping[Strength, float]]] = {
    "pages": {"weak": 0.15, "medium": 0.4, "strong": 0.9},
    "shorter": {"weak": 0.8, "medium": 0.5, "strong": 0.2},
    "longer": {"weak": 1.25, "medium": 2.0, "strong": 4.0},
    "fewer": {"weak": 0.6, "medium": 0.25, "strong": 0.0},
    "more": {"weak": 2.0, "medium": 4.0, "strong": 10.0},
    "again": {"weak": 0.15, "medium": 0.4, "strong": 0.8},
}

Planted = Callable[[Night, Source, float, np.random.Generator], Night]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultKind:
    """One kind of fault, and the columns that may be blamed for it."""

    plant: Planted
    #: Which of ``SIZES`` it goes by.
    size: str
    columns: tuple[str, ...]
    #: Whether a source can have it at all.
    possible: Callable[[Source], bool] = lambda _: True


def _with(night: Night, articles: pl.DataFrame, quarantine: pl.DataFrame | None = None) -> Night:
    return Night(day=night.day, articles=articles, quarantine=night.quarantine if quarantine is None else quarantine)


def _on(night: Night, share: float, rng: np.random.Generator, **new: pl.Expr) -> Night:
    """Change columns of a share of the pages."""
    hit = pl.lit(pl.Series(rng.random(night.articles.height) < share, dtype=pl.Boolean))
    return _with(
        night,
        night.articles.with_columns(
            pl.when(hit).then(value.cast(RECORD[name])).otherwise(pl.col(name)).alias(name)
            for name, value in new.items()
        ),
    )


def _shorter(night: Night, _: Source, factor: float, __: np.random.Generator) -> Night:
    length = (pl.col("text").str.len_chars() * factor).ceil().cast(pl.Int64)
    return _with(night, night.articles.with_columns(pl.col("text").str.slice(0, length)))


def _longer(night: Night, source: Source, factor: float, __: np.random.Generator) -> Night:
    block = (WORDS * (int(source.length * factor) // len(WORDS) + 1))[: int(source.length * (factor - 1))]
    return _with(night, night.articles.with_columns(text=pl.col("text") + "\n\n" + block))


def _no_dates(night: Night, _: Source, share: float, rng: np.random.Generator) -> Night:
    return _on(night, share, rng, published_at=pl.lit(None))


def _no_authors(night: Night, _: Source, share: float, rng: np.random.Generator) -> Night:
    return _on(night, share, rng, authors=pl.lit(None))


def _site_as_title(night: Night, _: Source, share: float, rng: np.random.Generator) -> Night:
    return _on(night, share, rng, title=pl.col("publisher"))


def _listings(night: Night, _: Source, share: float, rng: np.random.Generator) -> Night:
    """A listing names no author and no day, and its text is that of its list."""
    return _on(
        night,
        share,
        rng,
        page_type=pl.lit("listing"),
        authors=pl.lit(None),
        published_at=pl.lit(None),
        text=pl.lit(WORDS * 5),
    )


def _fewer(night: Night, _: Source, share: float, rng: np.random.Generator) -> Night:
    stays = [
        pl.Series(rng.random(frame.height) < share, dtype=pl.Boolean) for frame in (night.articles, night.quarantine)
    ]
    return _with(night, night.articles.filter(stays[0]), night.quarantine.filter(stays[1]))


def _more(night: Night, source: Source, factor: float, rng: np.random.Generator) -> Night:
    pages = night.articles.height + night.quarantine.height
    return _night_of([source], night.day, [round(pages * factor)], rng)


def _other_language(night: Night, source: Source, share: float, rng: np.random.Generator) -> Night:
    other = next(lang for lang in LANGUAGES if lang not in source.langs and lang != TARGET)
    return _on(night, share, rng, lang=pl.lit(other), mt_status=pl.lit("done"))


def _again(night: Night, _: Source, share: float, rng: np.random.Generator) -> Night:
    """The same stories once more under other addresses, until they are that share of the pages."""
    known = night.articles
    if known.is_empty():
        return night
    count = round(known.height * share / (1 - share))
    copies = known[rng.integers(0, known.height, count)].with_columns(
        dup_of=pl.col("record_id"), dup_kind=pl.lit("exact"), url=pl.col("url") + "?again"
    )
    copies = copies.with_columns(
        pl.Series("record_id", [f"{copies['record_id'][n]}-{n}" for n in range(count)], dtype=pl.String)
    )
    return _with(night, pl.concat([known, copies]))


def _refusals(night: Night, source: Source, share: float, rng: np.random.Generator) -> Night:
    refused = rng.random(night.articles.height) < share
    more = _refused(source, night.day, int(refused.sum()), first=night.quarantine.height)
    return _with(
        night, night.articles.filter(pl.Series(~refused, dtype=pl.Boolean)), pl.concat([night.quarantine, more])
    )


def _loops(night: Night, _: Source, share: float, rng: np.random.Generator) -> Night:
    """The model repeats itself: some sentences stand in the original, or all do."""
    status = pl.Series(np.where(rng.random(night.articles.height) < 0.5, "partial", "failed"), dtype=pl.String)
    return _on(night, share, rng, mt_status=pl.lit(status), mt_flags=pl.lit(["repetition"]))


FAULTS: Final[Mapping[str, FaultKind]] = {
    "text is cut": FaultKind(plant=_shorter, size="shorter", columns=("text",)),
    "boilerplate in text": FaultKind(plant=_longer, size="longer", columns=("text",)),
    "dates vanish": FaultKind(plant=_no_dates, size="pages", columns=("published_at",)),
    "authors vanish": FaultKind(
        plant=_no_authors,
        size="pages",
        columns=("authors",),
        possible=lambda source: source.shares["no_authors"] < 0.25,
    ),
    "titles are the site's": FaultKind(plant=_site_as_title, size="pages", columns=("title",)),
    "pages are listings": FaultKind(plant=_listings, size="pages", columns=("page_type",)),
    "falls silent": FaultKind(plant=_fewer, size="fewer", columns=("source_id",)),
    "explodes": FaultKind(plant=_more, size="more", columns=("source_id",)),
    "language flips": FaultKind(plant=_other_language, size="pages", columns=("lang",)),
    "stories repeat": FaultKind(plant=_again, size="again", columns=("dup_of",)),
    "quarantine": FaultKind(plant=_refusals, size="pages", columns=("reason",)),
    "translation repeats": FaultKind(
        plant=_loops,
        size="pages",
        columns=("mt_status", "mt_flags"),
        possible=lambda source: TARGET not in source.langs,
    ),
}
"""By what it looks like."""
