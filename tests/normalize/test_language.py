"""The language is named by script and letters first, and what no evidence carries is "und"."""

import subprocess
import sys
from typing import Any

import pytest
from case_files import parameters, read_cases
from hypothesis import given, settings
from hypothesis import strategies as st
from langdetect.detector import Detector

from normalize.language import UNKNOWN, _factory, _QuickDetector, detect, detect_paragraph
from schemas.document import Language
from schemas.language import PROFILED, SCRIPT_RANGES

CASES = read_cases("languages.toml")

quick = settings(deadline=None, database=None, derandomize=True, max_examples=100)


def language_of(*texts: str) -> Language:
    return detect(texts, min_score=0.6, seed=0)


@pytest.mark.parametrize("case", parameters(CASES))
def test_texts_are_in_the_language_of_their_case(case: dict[str, Any]) -> None:
    found = language_of(*case["texts"])
    assert (found.tag, found.script) == (case.get("tag", "und"), case.get("script"))
    assert case.get("method", found.method) == found.method
    assert (found.score is None) == (found.tag == "und")


def test_the_names_of_the_cases_are_unique() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES)


def test_a_language_with_a_script_of_its_own_needs_no_profile() -> None:
    assert "ka" not in set().union(*PROFILED.values())
    found = language_of("ვაზი და ხიდი")
    assert (found.tag, found.score, found.margin) == ("ka", 1.0, 1.0)


def test_an_answer_below_the_wanted_score_is_unknown_but_keeps_its_script() -> None:
    text = "Den nye færgen sejler til øen igen på mandag efter stormen."
    assert language_of(text).tag in {"da", "no"}
    found = detect([text], min_score=1.1, seed=0)
    assert (found.tag, found.script, found.score) == ("und", "Latn", None)


def test_the_same_text_and_seed_give_the_same_answer() -> None:
    text = "Gradsko vijeće usvojilo je projekt novog mosta preko rijeke."
    assert len({language_of(text) for _ in range(5)}) == 1


def test_the_longest_texts_come_first_so_that_the_end_of_a_long_page_does_not_count() -> None:
    english = "The night ferry to the island sailed again on Monday, eleven months after the storm. " * 40
    assert language_of(english, "Die Nachtfähre ist am Montag wieder gefahren. " * 10).tag == "en"


COLD = """
import sys, threading
from normalize.language import detect

TEXTS = {
    "en": "The night ferry to the island sailed again on Monday, eleven months after the storm.",
    "de": "Die Nachtfähre zur Insel ist am Montag wieder gefahren, elf Monate nach dem Sturm.",
    "fr": "Le ferry de nuit vers l'île a repris la mer lundi, onze mois après la tempête.",
    "ru": "Городской совет утвердил проект нового моста через реку, работы начнутся весной.",
    "es": "El ferry nocturno a la isla volvió a zarpar el lunes, once meses después de la tormenta.",
    "pl": "Nocny prom na wyspę znów wypłynął w poniedziałek, jedenaście miesięcy po burzy.",
    "tr": "Adaya giden gece feribotu fırtınadan on bir ay sonra pazartesi günü yeniden yola çıktı.",
    "it": "Il traghetto notturno per l'isola è salpato di nuovo lunedì, undici mesi dopo la tempesta.",
}
start = threading.Barrier(8)
answers = [None] * 8

def ask(number):
    start.wait()
    answers[number] = [detect([text], min_score=0.6, seed=0).tag for text in TEXTS.values()]

threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
sys.exit(0 if answers == [list(TEXTS)] * 8 else f"eight threads said {answers}")
"""


def test_eight_threads_that_start_cold_give_the_same_answers() -> None:
    # The detector loads its profiles at the first call; threads that came early used to get none of them.
    done = subprocess.run([sys.executable, "-c", COLD], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# ---- paragraphs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "document", "answer"),
    [
        ("Σχόλια αναγνωστών", Language(tag="en", script="Latn"), "el"),
        ("The harbour is open.", Language(tag="en", script="Latn"), "en"),
        ("Ταξίδι με το Blue Star", Language(tag="el", script="Grek"), "el"),
        ("Photo: Reuters", Language(tag="el", script="Grek"), None),
        ("Новости", Language(tag="en", script="Latn"), None),
        ("ვაზი", Language(tag="ru", script="Cyrl"), "ka"),
        ("東京タワー", Language(tag="ja", script="Jpan"), "ja"),
        ("NHK", Language(tag="ja", script="Jpan"), "ja"),
        ("新馆开放", Language(tag="zh-Hans", script="Hans"), "zh-Hans"),
        ("한국어 기사", Language(tag="ja", script="Jpan"), "ko"),
        ("2026", Language(tag="en", script="Latn"), None),
        ("", Language(tag="en", script="Latn"), None),
        ("Σχόλια", UNKNOWN, "el"),
    ],
)
def test_a_paragraph_has_another_language_only_where_its_script_shows_it(
    text: str, document: Language, answer: str | None
) -> None:
    assert detect_paragraph(text, document) == answer


@quick
@given(st.text(max_size=200))
def test_any_text_gets_a_tag_a_known_script_and_a_score_between_0_and_1(text: str) -> None:
    found = language_of(text)
    assert found.script is None or found.script in {*SCRIPT_RANGES, "Jpan", "Kore", "Hans", "Hant"}
    assert (found.score is None) == (found.tag == "und")
    assert found.score is None or 0 <= found.score <= 1
    assert detect_paragraph(text, found) is None or found.tag is not None


@quick
@given(
    st.text(st.sampled_from("აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ .,"), min_size=1).filter(lambda text: text.strip(" .,"))
)
def test_whatever_is_written_in_georgian_letters_is_georgian(text: str) -> None:
    assert language_of(text).tag == "ka"


@pytest.mark.parametrize(
    "text",
    [
        "The night ferry (NF 12) sails AGAIN after eleven months, says McAllister.",
        "Noční trajekt po jedenácti měsících opět vyplul – ÚŘAD to potvrdil",
        "Нічний пором знову вийшов у море. USA, ЄС",
        "Phà đêm lại ra khơi sau mười một tháng",
        "フェリーが再び出航 夜行船 한국 ㄅ",
        "شب‌کشتی پس از یازده ماه",
        "",
    ],
)
def test_n_grams_are_those_of_langdetect(text: str) -> None:
    ours, theirs = _QuickDetector(_factory()), Detector(_factory())
    for detector in (ours, theirs):
        detector.append(text)
    assert ours._extract_ngrams() == theirs._extract_ngrams()
