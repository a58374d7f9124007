"""What is wrong with a translated sentence, and what is not."""

import math
from typing import Any

import pytest
from benchmarks import checks as benchmark
from case_files import parameters, read_cases
from hypothesis import given, settings
from hypothesis import strategies as st

from normalize.translate.checks import FLAGS, faults, length_of, repeats, score, script_of, strays, unknown
from normalize.translate.quantities import numbers_differ

quick = settings(deadline=None, database=None, derandomize=True, max_examples=200)

LANGS = st.sampled_from(["en", "de", "el", "ja", "zh-Hans", "ar", "th", "hi", "pt-BR", "sr-Latn", "ko", "xx", "tlh"])
TEXTS = st.text(max_size=120) | st.lists(
    st.sampled_from(
        ["1万", "2024", "19", "³", "x", "٣٫٥", "<unk>", "of", "der", "世紀", "令和6年", "twenty", "million", ".", ":", "半", "MMM", "🙂", "İ"]
    ),
    max_size=30,
).map(" ".join)  # fmt: skip


@pytest.mark.parametrize("case", parameters(read_cases("translation_checks.toml")))
def test_a_translation_is_flagged_for_what_is_wrong_with_it(case: dict[str, Any]) -> None:
    found = faults(case["source"], case["target"], source_lang=case["from"], target_lang=case["to"])
    assert found == tuple(case.get("flags", ()))


# ---- single checks ---------------------------------------------------------------------------------------


def test_an_empty_translation_is_nothing_but_empty() -> None:
    assert faults("Am 17. Mai 2024 öffnet der Hafen.", " … ", source_lang="de", target_lang="en") == ("empty",)


def test_a_mark_that_the_source_has_is_not_the_models() -> None:
    assert not unknown("kaputt \ufffd hier", "broken \ufffd here")
    assert unknown("kaputt hier", "broken \ufffd here")


def test_a_source_that_counts_may_be_counted_in_translation() -> None:
    source = "siehe Seite 1, siehe Seite 2, siehe Seite 3, siehe Seite 4"
    target = "see page 1, see page 2, see page 3, see page 4"
    assert not repeats(source, target)
    assert repeats("siehe die Seiten am Anfang", target)


def test_a_number_is_looked_for_in_both_directions() -> None:
    for source, target in (("im Jahr 1987", "in the year"), ("in dem Jahr", "in the year 1987")):
        assert numbers_differ(source, target, source_lang="de", target_lang="en")


def test_a_sentence_of_two_words_is_not_asked_for_its_language() -> None:
    assert not strays("Guten Morgen", target_lang="en")


def test_a_tag_that_names_its_script_is_believed() -> None:
    assert (script_of("sr-Latn"), script_of("zh-Hant"), script_of("uz")) == (("Latn",), ("Hani",), ("Cyrl", "Latn"))


def test_a_language_without_its_own_length_takes_that_of_its_script() -> None:
    assert (length_of("tg-Cyrl"), length_of("ba"), length_of("yue")) == (1.12, 1.05, 0.31)


@pytest.mark.parametrize(("total", "tokens", "mean"), [(0.0, 3, 1.0), (math.log(0.25), 2, 0.5), (-1.0, 0, 0.0)])
def test_a_score_is_the_mean_probability_of_a_token(total: float, tokens: int, mean: float) -> None:
    assert score(total, tokens) == pytest.approx(mean)


def test_a_score_is_never_outside_nought_to_one() -> None:
    assert (score(0.3, 1), score(-math.inf, 4), score(math.nan, 4)) == (1.0, 0.0, 0.0)


# ---- any text --------------------------------------------------------------------------------------------


@quick
@given(source=TEXTS, target=TEXTS, source_lang=LANGS, target_lang=LANGS)
def test_any_two_texts_get_flags_in_the_fixed_order(
    source: str, target: str, source_lang: str, target_lang: str
) -> None:
    found = faults(source, target, source_lang=source_lang, target_lang=target_lang)
    assert list(found) == [flag for flag in FLAGS if flag in found]
    assert faults(source, target, source_lang=source_lang, target_lang=target_lang) == found


@quick
@given(text=TEXTS, lang=LANGS)
def test_a_text_is_never_at_odds_with_itself_in_numbers_loops_or_pieces(text: str, lang: str) -> None:
    found = faults(text, text, source_lang=lang, target_lang=lang)
    assert not {"empty", "repetition", "length", "numbers", "copied", "unknown"} & set(found)


@pytest.mark.parametrize(
    "unit",
    ["a", "1", "1,", "1 ", "1万", "一", "百", "<", "<unk", "_", "the ", "ab ", " ", ".", "\u0301", "ม", "M", "X", "12:", "٣٫", "two ", "第1"],
)  # fmt: skip
def test_hostile_texts_are_judged_before_anybody_loses_patience(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    for source, target in ((text, f"{text}x 99"), (f"88 {text}", text)):
        found = faults(source, target, source_lang="ja", target_lang="en")
        assert found == faults(source, target, source_lang="ja", target_lang="en")


# ---- real output -----------------------------------------------------------------------------------------


def test_real_output_is_rarely_flagged_and_broken_output_nearly_always() -> None:
    pairs = benchmark.read_rows()
    if not pairs:
        pytest.skip("the real translations lie in ../shared/bench/translation, which is not there")
    rows = [row for found in pairs.values() for row in found][::4]
    flagged = sum(bool(benchmark.flags_of(row, row.argos)) for row in rows)
    assert flagged < 0.03 * len(rows)
    caught: dict[str, list[int]] = {}
    for flag, by_it, _, count in benchmark.break_all(rows).values():
        both = caught.setdefault(flag, [0, 0])
        both[0] += by_it
        both[1] += count
    assert {flag: by_it / count for flag, (by_it, count) in caught.items() if by_it < 0.95 * count} == {}
