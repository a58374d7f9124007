"""Each rule flags what it is for and nothing else, in SQL as in polars; and a user's own rules are read with care."""

import re
import tempfile
import tomllib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from night_records import TEXT, record, refused

from schemas.errors import SetupError
from schemas.quality.phrases import boilerplate
from schemas.quality.rules import Rule, built_in, with_own
from schemas.record import COLUMNS, QUARANTINE, RECORD

RULES = {rule.name: rule for rule in built_in()}
OF_ROWS = [rule for rule in built_in() if rule.measure == "rows"]
OF_ARTICLES = [rule for rule in OF_ROWS if rule.table == "articles"]
IN_SQL = [rule for rule in OF_ARTICLES if rule.where is not None]

FETCHED = datetime(2026, 3, 17, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)

Changes = list[dict[str, object]]

#: Rule -> changes of a good record that it flags, and changes that it lets pass.
CASES: dict[str, tuple[Changes, Changes]] = {
    "missing_time": ([{"published_at": None}], [{}, {"published_at": None, "page_type": "listing"}]),
    "future_time": (
        [
            {"published_at": FETCHED + 25 * HOUR},
            {"published_at": datetime(2026, 3, 19, tzinfo=UTC), "fetched_at": None},
        ],
        [
            {"published_at": FETCHED + 23 * HOUR},
            {"published_at": None},
            {"published_at": datetime(2026, 3, 18, 23, tzinfo=UTC), "fetched_at": None},
            # An old page that is run today.
            {"published_at": datetime(2020, 3, 1, tzinfo=UTC), "fetched_at": datetime(2020, 3, 2, tzinfo=UTC)},
        ],
    ),
    "missing_title": ([{"title": None}], [{"title": None, "page_type": "gallery"}]),
    "repeated_title": (
        [{"text": "Ferry leaves late\n\n" + TEXT}, {"text": "Ferry leaves late"}],
        [{"text": "Ferry leaves late, say passengers\n\n" + TEXT}, {"title": None}, {"text": TEXT}],
    ),
    "short_text": (
        [{"text": "x" * 199}, {"text": "船" * 79, "lang_script": "Jpan"}, {"text": ""}],
        [
            {"text": "x" * 200},
            {"text": "船" * 80, "lang_script": "Jpan"},
            {"text": "x", "page_type": "video"},
            {"text": "x" * 200, "lang_script": None},
        ],
    ),
    "boilerplate": (
        [
            {"text": TEXT + "\n\nRead more"},
            {"text": "SHARE THIS ARTICLE\n\n" + TEXT},
            {"text": TEXT + "\n\nΔιαβάστε περισσότερα…\n\n" + TEXT},
            {"text": "We use cookies to give you the best experience.\n\n" + TEXT},
            {"text": "Читать далее"},
        ],
        [
            {"text": "He asked them to read more\nbooks.\n\n" + TEXT},
            {"text": "Share prices fell. Subscribe, said no one.\n\n" + TEXT},
            {"text": "The minister fears that we use cookies too often.\n\n" + TEXT},
            {},
        ],
    ),
    "replacement_character": ([{"text": "caf\ufffd"}, {"title": "\ufffd"}], [{"text": "café?"}, {"title": None}]),
    "control_character": (
        [{"text": "a\x85b"}, {"text": "a\x07b"}, {"title": "a\nb"}],
        [{"text": "a\tb\r\nc\u200cd"}, {"title": None}],
    ),
    "mojibake": (
        [{"text": "cafÃ©"}, {"title": "StraÃŸe"}, {"text": "itâ€™s"}, {"text": "ÐŸÑ€Ð¸Ð²ÐµÑ‚"}, {"text": "5Â£"}],
        [{"text": "SÃO PAULO, AMANHÃ»", "title": "LA MAÑANA"}, {"text": "ÞAÐ VAR ÞÁ, SAGÐ…"}, {"title": None}],
    ),
    "language_conflict": ([{"lang_conflict": True}], [{"lang_conflict": None}, {}]),
    "language_unknown": ([{"lang": "und"}], [{"lang": "und", "page_type": "other"}, {}]),
    "translation_failed": ([{"mt_status": "failed"}], [{}, {"mt_status": "off"}]),
    "translation_partial": ([{"mt_status": "partial"}], [{}, {"mt_status": "no_model"}]),
    "translation_copied": (
        [{"mt_flags": ["numbers", "copied"]}, {"mt_text": "The same.", "text": "The same."}],
        [{"mt_flags": ["numbers"]}, {"mt_text": None, "mt_status": "off"}, {}],
    ),
    "translation_repetition": ([{"mt_flags": ["repetition"]}], [{"mt_flags": ["length"]}, {}]),
    "duplicate": ([{"dup_of": "0" * 32}], [{}]),
    "no_place": (
        [{"source_offset": None}, {"source_uri": "-", "source_kind": "html"}, {"raw_sha256": ""}],
        [{"source_offset": None, "source_member": "7"}, {"source_offset": None, "source_kind": "html"}, {}],
    ),
}
CASES |= {f"null_{column.name}": ([{column.name: None}], [{}]) for column in COLUMNS if column.required}
CASES |= {
    f"value_{column.name}": ([{column.name: "of my own"}], [{column.name: column.allowed[0]}, {column.name: None}])
    for column in COLUMNS
    if column.allowed
}


def flags(rule: Rule, frame: pl.LazyFrame) -> pl.LazyFrame:
    asked = rule.asked()
    flag = rule.flagged() if asked is None else asked & rule.flagged()
    return frame.select(flag.fill_null(value=False).alias(rule.name))


@pytest.mark.parametrize("rule", OF_ARTICLES, ids=lambda rule: rule.name)
def test_a_rule_flags_what_it_is_for_and_nothing_else(rule: Rule) -> None:
    bad, good = CASES[rule.name]
    assert bad
    assert good
    frame = pl.LazyFrame([record(**changed) for changed in [*bad, *good]], schema=RECORD)
    assert flags(rule, frame).collect()[rule.name].to_list() == [True] * len(bad) + [False] * len(good)


def test_no_rule_flags_a_good_record() -> None:
    frame = pl.LazyFrame([record(number) for number in range(5)], schema=RECORD)
    for rule in OF_ARTICLES:
        assert not flags(rule, frame).collect()[rule.name].any(), rule.name


def test_of_the_quarantine_every_document_counts() -> None:
    frame = pl.LazyFrame([refused()], schema=QUARANTINE)
    assert flags(RULES["quarantined"], frame).collect()["quarantined"].to_list() == [True]


def in_duckdb(file: Path) -> dict[str, list[bool]]:
    """Ask DuckDB the same SQL over the same file."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        asked = ", ".join(
            f"coalesce(({rule.of or 'true'}) AND ({rule.where}), false) AS {rule.name}" for rule in IN_SQL
        )
        rows = connection.execute(
            f"SELECT {asked} FROM read_parquet('{file}', file_row_number = true) ORDER BY file_row_number"
        ).fetchall()
    return {rule.name: [row[number] for row in rows] for number, rule in enumerate(IN_SQL)}


def by_all_engines(rows: list[dict[str, object]]) -> None:
    """Hold the answers of eager, lazy and streaming polars and of DuckDB against each other."""
    frame = pl.DataFrame(rows, schema=RECORD)
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "part-00000.parquet"
        frame.write_parquet(file, row_group_size=3)
        scanned = pl.scan_parquet(file, schema=RECORD)
        for rule in OF_ARTICLES:
            asked = rule.asked()
            flag = rule.flagged() if asked is None else asked & rule.flagged()
            eager = frame.select(flag.fill_null(value=False).alias(rule.name))
            assert flags(rule, scanned).collect().equals(eager), rule.name
            assert flags(rule, scanned).collect(engine="streaming").equals(eager), rule.name
        answers = in_duckdb(file)
    for rule in IN_SQL:
        assert answers[rule.name] == flags(rule, frame.lazy()).collect()[rule.name].to_list(), rule.name


def test_all_cases_are_judged_alike_by_polars_eager_lazy_and_streaming_and_by_duckdb() -> None:
    by_all_engines([record(**changed) for bad, good in CASES.values() for changed in [*bad, *good]])


PIECES = st.sampled_from(
    [
        "",
        "x",
        "Ferry leaves late",
        "\n\n",
        "\n",
        "é",
        "\ufffd",
        "Ã",
        "©",
        "Ð",
        "\u009f",
        "â€",
        "\x85",
        "船",
        "'",
        "%",
        "Read more",
    ]
)
TEXTS = st.none() | st.lists(PIECES, max_size=6).map("".join)
TIMES = st.none() | st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001  hypothesis adds the zone
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
WORDS: dict[str, st.SearchStrategy[object]] = {
    column.name: st.sampled_from([None, "x", *column.allowed]) for column in COLUMNS if column.allowed
}
ANY_RECORD = st.fixed_dictionaries(
    WORDS
    | {
        "title": TEXTS,
        "text": TEXTS,
        "mt_text": TEXTS,
        "published_at": TIMES,
        "fetched_at": TIMES,
        "run_date": st.none() | st.dates(min_value=date(1970, 1, 1), max_value=date(2100, 1, 1)),
        "lang": st.sampled_from([None, "und", "en"]),
        "lang_script": st.sampled_from([None, "Latn", "Hans"]),
        "lang_conflict": st.none() | st.booleans(),
        "mt_flags": st.none() | st.lists(st.sampled_from(["copied", "repetition", "length"]), max_size=2),
        "source_uri": st.sampled_from([None, "", "-", "a.warc.gz"]),
        "source_kind": st.sampled_from([None, "html", "warc"]),
        "source_offset": st.none() | st.integers(min_value=0, max_value=9),
        "source_member": st.none() | st.just("1"),
        "raw_sha256": st.sampled_from([None, "", "00"]),
        "dup_of": st.none() | st.just("00"),
    }
)


@settings(max_examples=40)
@given(st.lists(ANY_RECORD, min_size=1, max_size=12))
def test_whatever_stands_in_the_columns_all_engines_judge_it_alike(rows: list[dict[str, object]]) -> None:
    by_all_engines([record(number, **changed) for number, changed in enumerate(rows)])


def test_rules_have_names_bounds_and_meanings_that_hold_together() -> None:
    assert len(RULES) == len(built_in())
    for rule in built_in():
        assert rule.groups(), rule.name
        assert rule.meaning.endswith("."), rule.name
        assert rule.column is None or rule.column in {*RECORD, *QUARANTINE}, rule.name
        for group in rule.groups():
            if group in rule.warn and group in rule.fail:
                assert rule.warn[group] < rule.fail[group], rule.name


# ---- phrases ------------------------------------------------------------------------------------

PHRASES = tomllib.loads((Path(__file__).parent.parent.parent / "schemas/quality/phrases.toml").read_text("utf-8"))


def has_boilerplate(*texts: str) -> list[bool]:
    return pl.DataFrame({"text": texts}).select(flag=boilerplate())["flag"].to_list()


def test_phrases_are_of_many_languages_in_small_letters_each_once() -> None:
    assert len(PHRASES) >= 25
    for lang, table in PHRASES.items():
        every = [*table["lines"], *table["starts"]]
        assert len(every) == len(set(every)), lang
        assert [each for each in every if each != each.lower() or each != each.strip()] == [], lang


@pytest.mark.parametrize("lang", PHRASES)
def test_every_phrase_is_found_where_it_stands(lang: str) -> None:
    lines, starts = PHRASES[lang]["lines"], PHRASES[lang]["starts"]
    assert all(
        has_boilerplate(*(f"One.\n\n{line}\n\nTwo." for line in lines), *(f"One.\n{line.upper()}:" for line in lines))
    )
    assert all(has_boilerplate(*(f"One. {start} …" for start in starts), *(f"{start.upper()} …" for start in starts)))


def test_a_line_that_only_begins_or_ends_like_one_is_left_alone() -> None:
    assert not any(
        has_boilerplate(*(f"{line} und 3\n4 und {line}" for table in PHRASES.values() for line in table["lines"]))
    )


# ---- a user's own -------------------------------------------------------------------------------


def test_a_rule_of_ones_own_stands_behind_the_built_in_ones() -> None:
    own = {
        "no_byline": {"where": "authors IS NULL", "of": "lang = 'en'", "warn": 0.5, "meaning": "No author is named."}
    }
    rules = with_own({"rule": own}, "quality.toml")
    assert rules[:-1] == built_in()
    assert (rules[-1].name, rules[-1].warn, rules[-1].least) == ("no_byline", {"all": 0.5}, 30)


def test_built_in_rules_can_be_moved_and_switched_off() -> None:
    own = {"missing_time": {"warn": {"source_id": 0.9}, "fail": {}, "least": 5}, "duplicate": {"use": False}}
    rules = {rule.name: rule for rule in with_own({"rule": own}, "quality.toml")}
    assert "duplicate" not in rules
    moved = rules["missing_time"]
    assert (moved.warn, moved.fail, moved.least) == ({"source_id": 0.9}, {}, 5)
    assert moved.where == RULES["missing_time"].where


def test_a_rule_may_be_a_function_that_gives_an_expression(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "newsroom_rules.py").write_text(
        "import polars as pl\ndef shouting():\n    return pl.col('title') == pl.col('title').str.to_uppercase()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    own = {"shouting": {"python": "newsroom_rules:shouting", "warn": 0.1, "meaning": "A title in capitals."}}
    rule = with_own({"rule": own}, "quality.toml")[-1]
    frame = pl.LazyFrame([record(title="FERRY LATE"), record(title="Ferry late")], schema=RECORD)
    assert flags(rule, frame).collect()["shouting"].to_list() == [True, False]


GOOD = {"where": "title IS NULL", "warn": 0.1, "meaning": "No title."}


@pytest.mark.parametrize(
    ("name", "written", "said"),
    [
        ("own", {**GOOD, "wher": "x"}, 'quality.toml: [rule.own] key "wher" is unknown; use one of: column, fail'),
        ("own", {**GOOD, "where": "titel IS NULL"}, r'quality.toml: \[rule.own\] where fails: .*"?titel"?'),
        ("own", {**GOOD, "where": "title IS"}, r"quality.toml: \[rule.own\] where fails"),
        ("own", {**GOOD, "where": "length(title)"}, "where gives UInt32, 2 for 2 rows; it must give true or false"),
        ("own", {**GOOD, "where": "count(title) > 1"}, "where gives Boolean, 1 for 2 rows"),
        ("own", {**GOOD, "where": "title ~ '('"}, "where fails"),
        ("own", {**GOOD, "of": "lang"}, "of gives String"),
        ("own", {**GOOD, "warn": 10}, "warn is 10; it must be a number from 0 to 1"),
        ("own", {**GOOD, "warn": {"site": 0.1}}, 'warn key "site" is unknown; use one of: all, domain, lang, source_id'),
        ("own", {**GOOD, "warn": {}}, "has no bound"),
        ("own", {**GOOD, "meaning": ""}, "meaning is ''"),
        ("own", {"where": "title IS NULL", "warn": 0.1}, "meaning is missing"),
        ("own", {"warn": 0.1, "meaning": "None."}, "needs one of where (polars SQL) and python"),
        ("own", {**GOOD, "python": "a:b"}, "needs one of where (polars SQL) and python"),
        ("own", {"python": "nobody:nothing", "warn": 0.1, "meaning": "x"}, 'python "nobody:nothing" cannot be found'),
        ("own", {"python": "os.path", "warn": 0.1, "meaning": "x"}, 'python "os.path" is not usable; it must be a function'),
        ("own", {"python": "os:getcwd", "warn": 0.1, "meaning": "x"}, "it must give a polars expression"),
        ("own", {**GOOD, "table": "runs"}, 'table "runs" is not usable; it must be one of: articles, quarantine'),
        ("own", {"table": "quarantine", "where": "title IS NULL", "warn": 0.1, "meaning": "x"}, "where fails"),
        ("own", {**GOOD, "least": 0}, "least is 0; it must be a number from 1"),
        ("own", "x", "quality.toml: [rule.own] is 'x'; it must be a table"),
        ("Own", GOOD, 'quality.toml: rule "Own" is no name'),
        ("missing_time", {"where": "TRUE"}, '[rule.missing_time] key "where" is unknown; use one of: fail, least, use, warn'),
    ],
)  # fmt: skip
def test_a_slip_in_a_rule_is_told_with_file_key_value_and_what_is_allowed(
    name: str, written: object, said: str
) -> None:
    with pytest.raises(SetupError) as caught:
        with_own({"rule": {name: written}}, "quality.toml")
    assert said in str(caught.value) or re.search(said, str(caught.value))


def test_a_file_of_rules_has_rules_and_nothing_else() -> None:
    with pytest.raises(SetupError, match=r'quality.toml: key "rules" is unknown; use one of: rule'):
        with_own({"rules": {"own": GOOD}}, "quality.toml")


def test_all_slips_are_told_at_once() -> None:
    with pytest.raises(SetupError) as caught:
        with_own({"rule": {"one": {**GOOD, "warn": 2}, "two": {**GOOD, "where": "nowhere"}}}, "quality.toml")
    assert len(str(caught.value).splitlines()) == 2
