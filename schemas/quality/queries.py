"""Questions that people have in the morning, each with a name: ``babelwire query DIR NAME``, or ``named`` in a notebook.

Each is SQL that polars and DuckDB read alike, over the tables articles, quarantine, runs and fetches. What it is
asked for (a night, a source, an address) never becomes part of that SQL: night and source choose the rows of the
tables before it sees them, and everything else stands in ``given``, a table of one row.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

import polars as pl

from schemas.errors import SetupError
from schemas.quality.finding import Tables

Value = date | int | str

Kind = Literal["day", "number", "text"]

_READERS: Final[dict[Kind, Callable[[str], Value]]] = {"day": date.fromisoformat, "number": int, "text": str}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """What a question may be asked for."""

    name: str
    kind: Kind
    #: None: see ``without``.
    default: int | None = None
    #: What counts without a value, where there is no default.
    without: str = "all"
    #: One sentence, without a full stop.
    meaning: str
    #: Without a value there is no answer.
    required: bool = False

    def read(self, text: str) -> Value:
        """Read a value as a person writes it.

        Raises:
            SetupError: If it is none of this kind.
        """
        try:
            return self.checked(_READERS[self.kind](text))
        except ValueError as error:
            message = f'{self.name} is "{text}"; {self._how()}'
            raise SetupError(message) from error

    def checked(self, value: object) -> Value:
        """Give the value if it is one of this kind.

        Raises:
            SetupError: If it is not.
        """
        kinds: dict[Kind, type[date | int | str]] = {"day": date, "number": int, "text": str}
        good = type(value) is kinds[self.kind] and not (isinstance(value, int) and not 1 <= value <= MOST_OF_A_NUMBER)
        if not good or not isinstance(value, date | int | str):
            message = f"{self.name} is {value!r}; {self._how()}"
            raise SetupError(message)
        return value

    def _how(self) -> str:
        hows: dict[Kind, str] = {
            "day": "it must be a day, such as 2026-01-31",
            "number": f"it must be a whole number from 1 to {MOST_OF_A_NUMBER}",
            "text": "it must be a text",
        }
        return hows[self.kind]


#: More rows, nights or days nobody asks for.
MOST_OF_A_NUMBER: Final = 1_000_000_000

NIGHT: Final = Parameter(name="night", kind="day", without="the last", meaning="the last night that counts")
SOURCE: Final = Parameter(name="source", kind="text", meaning="one source_id, or a domain where there is none")


def _days(default: int | None) -> Parameter:
    return Parameter(name="days", kind="number", default=default, meaning="how many days count, night included")


def _most(default: int | None) -> Parameter:
    return Parameter(name="most", kind="number", default=default, meaning="rows at most")


def _least(default: int, meaning: str) -> Parameter:
    return Parameter(name="least", kind="number", default=default, meaning=meaning)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedQuery:
    """One question."""

    name: str
    #: One sentence: what a row is, and what is first.
    sentence: str
    #: Over articles, quarantine, runs, fetches and given.
    sql: str
    parameters: tuple[Parameter, ...]
    #: What a night is here: the day a run stands for, or that of a crawl.
    nights: Literal["run_date", "crawl_date"] = "run_date"

    def read(self, settings: Mapping[str, str]) -> dict[str, Value]:
        """Read values as a person writes them: {"night": "2026-01-31"}.

        Raises:
            SetupError: If one is not known here or at fault.
        """
        return {name: self._known(name).read(text) for name, text in settings.items()}

    def values(self, given: Mapping[str, object]) -> dict[str, Value | None]:
        """Give the value of each parameter.

        Raises:
            SetupError: If one is not known here, at fault or missing.
        """
        found = {name: self._known(name).checked(value) for name, value in given.items() if value is not None}
        for parameter in self.parameters:
            if parameter.required and parameter.name not in found:
                message = (
                    f"query {self.name} needs {parameter.name}: {parameter.meaning}; add --set {parameter.name}=..."
                )
                raise SetupError(message)
        return {parameter.name: found.get(parameter.name, parameter.default) for parameter in self.parameters}

    def _known(self, name: str) -> Parameter:
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        names = ", ".join(parameter.name for parameter in self.parameters)
        message = f'query {self.name} knows no "{name}"; use one of: {names}'
        raise SetupError(message)


QUERIES: Final[tuple[NamedQuery, ...]] = (
    NamedQuery(
        name="runs",
        sentence="What each run took in and gave, and the share it refused, newest first.",
        sql="""
            SELECT run_date, run_id, documents, records, quarantined, skipped,
                   ROUND(CAST(quarantined AS DOUBLE) / NULLIF(records + quarantined, 0), 4) AS refused_share,
                   inputs, started_at, finished_at, babelwire
            FROM runs
            ORDER BY run_date DESC, finished_at DESC, run_id
        """,
        parameters=(NIGHT, _days(31), _most(None)),
    ),
    NamedQuery(
        name="counts",
        sentence="Records for each night, source and language, newest night and most records first.",
        sql="""
            SELECT run_date, COALESCE(source_id, domain) AS source, lang, COUNT(*) AS records
            FROM articles
            GROUP BY run_date, COALESCE(source_id, domain), lang
            ORDER BY run_date DESC, records DESC, source NULLS LAST, lang
        """,
        parameters=(NIGHT, _days(1), SOURCE, _most(None)),
    ),
    NamedQuery(
        name="kinds",
        sentence="Records for each source and page type, most records first.",
        sql="""
            SELECT COALESCE(source_id, domain) AS source, page_type, COUNT(*) AS records
            FROM articles
            GROUP BY COALESCE(source_id, domain), page_type
            ORDER BY records DESC, source NULLS LAST, page_type
        """,
        parameters=(NIGHT, _days(1), SOURCE, _most(None)),
    ),
    NamedQuery(
        name="text_length",
        sentence="How long the texts of each source are, in code points, shortest median first.",
        sql="""
            WITH lengths AS (SELECT COALESCE(source_id, domain) AS source, LENGTH(text) AS characters FROM articles)
            SELECT source, COUNT(*) AS records, MEDIAN(characters) AS median, AVG(characters) AS mean,
                   QUANTILE_CONT(characters, 0.1) AS tenth, QUANTILE_CONT(characters, 0.9) AS ninetieth,
                   MIN(characters) AS shortest, MAX(characters) AS longest
            FROM lengths
            GROUP BY source
            ORDER BY median, source NULLS LAST
        """,
        parameters=(NIGHT, _days(1), SOURCE, _most(None)),
    ),
    NamedQuery(
        name="language_conflicts",
        sentence="Where sources declare another language than their text is in, with the first record, most records first.",
        sql="""
            SELECT COALESCE(source_id, domain) AS source, lang_declared, lang, COUNT(*) AS records,
                   AVG(lang_score) AS mean_score, MIN(record_id) AS example
            FROM articles
            WHERE lang_conflict
            GROUP BY COALESCE(source_id, domain), lang_declared, lang
            ORDER BY records DESC, source NULLS LAST, lang_declared, lang
        """,
        parameters=(NIGHT, _days(1), SOURCE, _most(None)),
    ),
    NamedQuery(
        name="missing_dates",
        sentence="For each source the articles without a date, and those whose dates contradict each other, most missing first.",
        sql="""
            WITH dated AS (
                SELECT COALESCE(source_id, domain) AS source, record_id,
                       CASE WHEN published_at IS NULL THEN 1 ELSE 0 END AS is_missing,
                       CASE WHEN published_conflict THEN 1 ELSE 0 END AS is_contradicted
                FROM articles
                WHERE page_type = 'article'
            )
            SELECT source, COUNT(*) AS articles, SUM(is_missing) AS without_date,
                   ROUND(CAST(SUM(is_missing) AS DOUBLE) / COUNT(*), 4) AS share, SUM(is_contradicted) AS contradicted,
                   MIN(CASE WHEN is_missing = 1 THEN record_id END) AS example
            FROM dated
            GROUP BY source
            HAVING SUM(is_missing) > 0 OR SUM(is_contradicted) > 0
            ORDER BY without_date DESC, contradicted DESC, source NULLS LAST
        """,
        parameters=(NIGHT, _days(1), SOURCE, _most(None)),
    ),
    NamedQuery(
        name="refused",
        sentence="What was put into quarantine, by step, reason and source, with one sentence of why, most documents first.",
        sql="""
            WITH refusals AS (
                SELECT COALESCE(source_id, REPLACE(SPLIT_PART(url, '/', 3), 'www.', '')) AS source, stage, reason, detail
                FROM quarantine
            )
            SELECT stage, reason, source, COUNT(*) AS documents, MIN(detail) AS example
            FROM refusals
            GROUP BY stage, reason, source
            ORDER BY documents DESC, stage, reason, source NULLS LAST
        """,
        parameters=(NIGHT, _days(1), SOURCE, _most(None)),
    ),
    NamedQuery(
        name="slow_hosts",
        sentence="How long the hosts took to answer, in seconds, slowest median first.",
        sql="""
            WITH answers AS (
                SELECT SPLIT_PART(url, '/', 3) AS host, seconds, bytes FROM fetches WHERE seconds IS NOT NULL
            )
            SELECT host, COUNT(*) AS requests, MEDIAN(seconds) AS median_seconds, MAX(seconds) AS most_seconds,
                   SUM(seconds) AS all_seconds, SUM(bytes) AS bytes
            FROM answers
            GROUP BY host
            ORDER BY median_seconds DESC, host
        """,
        parameters=(NIGHT, _days(1), SOURCE, _most(50)),
        nights="crawl_date",
    ),
    NamedQuery(
        name="failed_fetches",
        sentence="Requests of each host that failed, were refused or put off, and why, most requests first.",
        sql="""
            WITH failures AS (
                SELECT SPLIT_PART(url, '/', 3) AS host, outcome, reason, http_status, url, source_id
                FROM fetches
                WHERE outcome IN ('failed', 'refused', 'put_off')
            )
            SELECT host, outcome, reason, http_status, COUNT(*) AS requests,
                   COUNT(DISTINCT source_id) AS sources, MIN(url) AS example
            FROM failures
            GROUP BY host, outcome, reason, http_status
            ORDER BY requests DESC, host, outcome, reason NULLS LAST, http_status NULLS LAST
        """,
        parameters=(NIGHT, _days(1), SOURCE, _most(None)),
        nights="crawl_date",
    ),
    NamedQuery(
        name="duplicates",
        sentence="Records that others say the same as, with the number of copies and of sources that have one, most copied first.",
        sql="""
            WITH copies AS (
                SELECT dup_of, COALESCE(source_id, domain) AS source, dup_score, title,
                       CASE WHEN dup_kind = 'exact' THEN 1 ELSE 0 END AS is_exact
                FROM articles
                WHERE dup_of IS NOT NULL
            )
            SELECT dup_of, COUNT(*) AS copies, SUM(is_exact) AS exact, COUNT(DISTINCT source) AS sources,
                   MIN(dup_score) AS lowest_score, MIN(title) AS title
            FROM copies
            GROUP BY dup_of
            ORDER BY copies DESC, dup_of
        """,
        parameters=(NIGHT, _days(1), SOURCE, _most(50)),
    ),
    NamedQuery(
        name="removed",
        sentence="What was taken out of pages: blocks and code points by rule and role, most blocks first.",
        sql="""
            WITH items AS (
                SELECT record_id, UNNEST(removed) AS item FROM articles WHERE removed IS NOT NULL
            ), blocks AS (
                SELECT record_id, item.rule AS rule, item.role AS role, item.text AS text FROM items
            )
            SELECT rule, role, COUNT(*) AS blocks, COUNT(DISTINCT record_id) AS records,
                   SUM(LENGTH(text)) AS characters, MIN(record_id) AS example
            FROM blocks
            GROUP BY rule, role
            ORDER BY blocks DESC, rule NULLS LAST, role
        """,
        parameters=(NIGHT, _days(1), SOURCE, _most(None)),
    ),
    NamedQuery(
        name="repeated_paragraphs",
        sentence="Paragraphs that stand in several records of one site, which may be boilerplate, most records first.",
        sql="""
            WITH items AS (
                SELECT record_id, COALESCE(source_id, domain) AS source, UNNEST(paragraphs) AS item FROM articles
            ), blocks AS (
                SELECT record_id, source, item.role AS role, item.text AS text FROM items
            ), repeated AS (
                SELECT source, role, text, COUNT(DISTINCT record_id) AS records, MIN(record_id) AS example
                FROM blocks
                WHERE text IS NOT NULL
                GROUP BY source, role, text
            )
            SELECT r.source, r.records, r.role, r.text, r.example
            FROM repeated r CROSS JOIN given g
            WHERE r.records >= g.least
            ORDER BY r.records DESC, r.source NULLS LAST, r.text, r.role
        """,
        parameters=(NIGHT, _days(1), SOURCE, _least(3, "records that it stands in"), _most(50)),
    ),
    NamedQuery(
        name="translations",
        sentence="What became of translations, by language and source, most records first.",
        sql="""
            SELECT lang, mt_lang, mt_status, COALESCE(source_id, domain) AS source, COUNT(*) AS records,
                   SUM(LENGTH(text)) AS characters
            FROM articles
            GROUP BY lang, mt_lang, mt_status, COALESCE(source_id, domain)
            ORDER BY records DESC, lang, mt_status, source NULLS LAST, mt_lang NULLS LAST
        """,
        parameters=(NIGHT, _days(1), SOURCE, _most(None)),
    ),
    NamedQuery(
        name="translation_flags",
        sentence="Doubts about translations, by flag, language and source, with the first record, most records first.",
        sql="""
            WITH flags AS (
                SELECT record_id, lang, COALESCE(source_id, domain) AS source, UNNEST(mt_flags) AS flag
                FROM articles
                WHERE mt_flags IS NOT NULL
            )
            SELECT flag, lang, source, COUNT(DISTINCT record_id) AS records, MIN(record_id) AS example
            FROM flags
            GROUP BY flag, lang, source
            ORDER BY records DESC, flag, lang, source NULLS LAST
        """,
        parameters=(NIGHT, _days(1), SOURCE, _most(None)),
    ),
    NamedQuery(
        name="doubts",
        sentence="Quality flags by source, with the first record, most records first.",
        sql="""
            WITH flags AS (
                SELECT record_id, COALESCE(source_id, domain) AS source, UNNEST(quality_flags) AS flag
                FROM articles
                WHERE quality_flags IS NOT NULL
            )
            SELECT flag, source, COUNT(DISTINCT record_id) AS records, MIN(record_id) AS example
            FROM flags
            GROUP BY flag, source
            ORDER BY records DESC, flag, source NULLS LAST
        """,
        parameters=(NIGHT, _days(1), SOURCE, _most(None)),
    ),
    NamedQuery(
        name="history",
        sentence="All records of one address and of the story it belongs to, oldest first.",
        sql="""
            WITH stories AS (
                SELECT DISTINCT a.story_id
                FROM articles a CROSS JOIN given g
                WHERE a.url = g.url OR a.url_canonical = g.url
            )
            SELECT run_date, fetched_at, record_id, story_id, url, title, LENGTH(text) AS characters, text_sha256,
                   published_at, modified_at, run_id
            FROM articles
            WHERE story_id IN (SELECT story_id FROM stories)
            ORDER BY run_date, fetched_at NULLS LAST, record_id, run_id
        """,
        parameters=(
            Parameter(name="url", kind="text", required=True, meaning="the address, as fetched or as the page's own"),
            NIGHT,
            _days(None),
            _most(None),
        ),
    ),
    NamedQuery(
        name="newest",
        sentence="The newest records of one source, by date of publication.",
        sql="""
            SELECT published_at, published_precision, record_id, lang, page_type, title, LENGTH(text) AS characters, url
            FROM articles
            ORDER BY published_at DESC NULLS LAST, record_id
        """,
        parameters=(
            Parameter(name="source", kind="text", required=True, meaning=SOURCE.meaning),
            NIGHT,
            _days(None),
            _most(20),
        ),
    ),
    NamedQuery(
        name="silent_sources",
        sentence="Sources that had records on nights before, and none on the last one, those that used to have most first.",
        sql="""
            WITH sources AS (
                SELECT COALESCE(source_id, domain) AS source, MAX(run_date) AS last_night,
                       COUNT(DISTINCT run_date) AS nights, COUNT(*) AS records
                FROM articles
                GROUP BY COALESCE(source_id, domain)
            )
            SELECT s.source, s.last_night, s.nights, s.records, ROUND(CAST(s.records AS DOUBLE) / s.nights, 1) AS records_a_night
            FROM sources s CROSS JOIN given g
            WHERE s.last_night < g.night AND s.nights >= g.least AND s.source IS NOT NULL
            ORDER BY records_a_night DESC, s.source
        """,
        parameters=(NIGHT, _days(31), _least(2, "nights on which it had records"), _most(None)),
    ),
)
"""All questions, in the order of ``babelwire query DIR --list``."""


def named(query: str, tables: Tables, **given: object) -> pl.LazyFrame:
    """Ask a question by its name; nothing is read yet but the days of the runs or crawls, where no night is given.

    Args:
        query: A name of ``QUERIES``.
        tables: The tables of an output folder, as ``Tables(**ingest.query.open_tables(folder))`` gives them.
        given: Values of its parameters, such as ``night=date(2026, 1, 31)``; None is as good as none.

    Raises:
        SetupError: If there is no such question, or a value is not known, at fault or missing.
    """
    question = find(query)
    values = question.values(given)
    scope = scope_of(question, tables, values)
    chosen = scope.chosen(tables)
    row = pl.LazyFrame({**values, "night": scope.last}, schema_overrides=_types(question))
    frames = {
        "articles": chosen.articles,
        "quarantine": chosen.quarantine,
        "fetches": chosen.fetches,
        "runs": chosen.runs,
        "given": row,
    }
    answer: pl.LazyFrame = pl.SQLContext(frames, eager=False).execute(question.sql)
    most = values["most"]
    return answer.head(most) if isinstance(most, int) else answer


def find(query: str) -> NamedQuery:
    """Give the question of a name.

    Raises:
        SetupError: If there is none.
    """
    for question in QUERIES:
        if question.name == query:
            return question
    message = f'no query is named "{query}"; use one of: {", ".join(question.name for question in QUERIES)}'
    raise SetupError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which rows a question is asked of."""

    #: None: all nights from the first on.
    first: date | None
    #: None where there is no night at all.
    last: date | None
    source: str | None

    def chosen(self, tables: Tables) -> Tables:
        """Give the tables with these rows only."""
        host = pl.col("url").str.split("/").list.get(2, null_on_oob=True).str.replace_all("www.", "", literal=True)
        return Tables(
            articles=self._of(tables.articles, "run_date", pl.coalesce("source_id", "domain")),
            quarantine=self._of(tables.quarantine, "run_date", pl.coalesce("source_id", host)),
            fetches=self._of(tables.fetches, "crawl_date", pl.col("source_id")),
            runs=self._of(tables.runs, "run_date", None),
        )

    def _of(self, table: pl.LazyFrame, day: str, source: pl.Expr | None) -> pl.LazyFrame:
        if self.first is not None:
            table = table.filter(pl.col(day) >= self.first)
        if self.last is not None:
            table = table.filter(pl.col(day) <= self.last)
        if self.source is not None and source is not None:
            table = table.filter(source == self.source)
        return table


def scope_of(question: NamedQuery, tables: Tables, values: Mapping[str, Value | None]) -> Scope:
    """Say which rows a question is asked of with these values."""
    last = values["night"]
    if not isinstance(last, date):
        table = tables.runs if question.nights == "run_date" else tables.fetches
        last = table.select(pl.col(question.nights).max()).collect(engine="streaming").item()
    days = values["days"]
    first = None
    if isinstance(last, date) and isinstance(days, int):
        first = date.fromordinal(max(1, last.toordinal() - days + 1))
    source = values.get("source")
    return Scope(first=first, last=last, source=source if isinstance(source, str) else None)


def _types(question: NamedQuery) -> dict[str, pl.DataType]:
    types: dict[Kind, pl.DataType] = {"day": pl.Date(), "number": pl.Int64(), "text": pl.String()}
    return {parameter.name: types[parameter.kind] for parameter in question.parameters}
