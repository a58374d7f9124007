"""The language is named by script and letters first, and what no evidence carries is "und"."""

import subprocess
import sys
from typing import Any

import pytest
from case_files import parameters, read_cases
from hypothesis import given, settings
from hypothesis import strategies as st

from normalize.language.candidates import read_tables
from normalize.language.detect import UNKNOWN, detect, detect_paragraph
from normalize.language.profiles import load_profiles, sum_profiles
from normalize.language.words import groups
from schemas.document import Language
from schemas.language import SCRIPT_RANGES

CASES = read_cases("languages.toml")

quick = settings(deadline=None, database=None, derandomize=True, max_examples=100)


def language_of(*texts: str) -> Language:
    return detect(texts, min_score=0.4)


@pytest.mark.parametrize("case", parameters(CASES))
def test_texts_are_in_the_language_of_their_case(case: dict[str, Any]) -> None:
    found = language_of(*case["texts"])
    assert (found.tag, found.script) == (case.get("tag", "und"), case.get("script"))
    assert case.get("method", found.method) == found.method
    assert (found.score is None) == (found.tag == "und")


def test_the_names_of_the_cases_are_unique() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES)


def test_a_language_with_a_script_of_its_own_needs_no_profile() -> None:
    assert "ka" not in load_profiles().languages
    found = language_of("ვაზი და ხიდი")
    assert (found.tag, found.score, found.margin) == ("ka", 1.0, 1.0)


def test_an_answer_below_the_wanted_score_is_unknown_but_keeps_its_script() -> None:
    text = "Den nye færgen sejler til øen igen på mandag efter stormen."
    assert language_of(text).tag in {"da", "no"}
    found = detect([text], min_score=1.1)
    assert (found.tag, found.script, found.score) == ("und", "Latn", None)


def test_the_same_text_gives_the_same_answer_whatever_was_asked_before() -> None:
    text = "Gradsko vijeće usvojilo je projekt novog mosta preko rijeke."
    first = language_of(text)
    for other in ("Das Boot fährt wieder.", "La barca salpa de nuevo.", "", "Σχόλια"):
        language_of(other)
        assert language_of(text) == first


def test_the_longest_texts_come_first_so_that_the_end_of_a_long_page_does_not_count() -> None:
    english = "The night ferry to the island sailed again on Monday, eleven months after the storm. " * 40
    assert language_of(english, "Die Nachtfähre ist am Montag wieder gefahren. " * 10).tag == "en"


COLD = """
import sys, threading
from normalize.language.detect import detect

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
    answers[number] = [detect([text], min_score=0.6).tag for text in TEXTS.values()]

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


WORDS = st.lists(st.sampled_from("the ferry sails die Fähre fährt le bac part 2026 паром плывёт".split()), max_size=30)


@quick
@given(WORDS)
def test_n_grams_add_up_the_same_whatever_stands_before_and_behind(words: list[str]) -> None:
    profiles = load_profiles()
    text = " ".join(words)
    alone, grams = sum_profiles(text, profiles)
    again, twice = sum_profiles(f"{text}  ", profiles)
    assert grams <= twice
    assert (alone >= 0).all()
    assert (again >= alone - 1e-9).all()


# ---- quotations, declared languages, close languages ---------------------------------------------------------

QUOTED = "Wir haben elf Monate auf diese Fähre gewartet, und jetzt fährt sie endlich wieder, sagte der Bürgermeister."


def test_a_whole_paragraph_in_another_language_is_named() -> None:
    english = Language(tag="en", script="Latn")
    assert detect_paragraph(QUOTED, english) == "de"
    assert detect_paragraph("“Wir warten”, he said, and the ferry sailed away into the night.", english) == "en"


def test_a_quotation_does_not_flip_the_page() -> None:
    english = "The night ferry to the island sailed again on Monday, eleven months after the storm that broke the pier."
    assert language_of(english * 3, QUOTED).tag == "en"


def test_what_a_page_declares_decides_only_where_its_text_does_not() -> None:
    text = "Brod plovi u luku i vozi ljude na otok."
    declared = {tag: detect([text], min_score=0.0, declared=tag).tag for tag in ("hr", "sl", "de")}
    assert declared["hr"] in {"hr", "hbs"}
    assert declared["de"] != "de"


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        (
            "Vlada je juče saopštila da će od ponedeljka svi prelazi preko reke biti otvoreni za deset hiljada ljudi.",
            "sr",
        ),
        (
            "Vlada je jučer priopćila da će od ponedjeljka svi prijelazi preko rijeke biti otvoreni za deset tisuća ljudi.",
            "hr",
        ),
        ("Влада је јуче саопштила да ће од понедељка сви прелази преко реке бити отворени за десет хиљада људи.", "sr"),
        ("Regjeringa sa i går at ferja ikkje kjem til å gå før neste veke, og at ho ikkje veit kvifor.", "nn"),
        ("Regeringen sagde i går, at færgen ikke sejler før i næste uge, og at den ikke ved hvorfor.", "da"),
        ("El goberno dixo onte que a barca non sairá ata a vindeira semana e que non sabe por que.", "gl"),
        ("Vláda včera oznámila, že trajekt nevypluje dříve než příští týden a že neví proč.", "cs"),
        ("Vláda včera oznámila, že trajekt nevypláva skôr ako budúci týždeň a že nevie prečo.", "sk"),
        ("Sarkar ne kal kaha ki naav agle hafte se pehle nahi chalegi aur kisi ko pata nahi kyun.", "hi"),
        ("მთავრობამ გუშინ განაცხადა, რომ ბორანი მომავალ კვირამდე არ გავა.", "ka"),
        ("政府昨日表示，渡輪下週之前不會開航，原因不明。", "zh-Hant"),
        ("政府昨天表示，渡轮下周之前不会开航，原因不明。", "zh-Hans"),
    ],
)
def test_close_languages_and_second_scripts_are_told_apart(text: str, tag: str) -> None:
    assert language_of(text).tag == tag


@pytest.mark.parametrize(
    "text", ["OK", "2026", "+30 210 1234567", "🙂🙂🙂", "www.nea-akti.example/1", "BMW X5", "", "a@b.example"]
)
def test_what_holds_no_language_is_unknown(text: str) -> None:
    assert language_of(text).tag == "und"


def test_each_member_of_a_group_can_be_answered() -> None:
    usual = {tag for row in read_tables()["scripts"].values() for tag in row.split()}
    for group in groups():
        assert set(group.members) <= usual, group.name
