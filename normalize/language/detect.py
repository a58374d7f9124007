"""The decision: which language a text is in, and how sure that is.

    script    a script that one language writes says it all; the characters of Chinese and Japanese nearly so
    evidence  otherwise three detectors, letters and words are added up over the languages of the script alone
    score     how often answers with this much evidence are right, as measured; too little is "und"

Where it leaves close languages together, the score is low: a third or a half for each of them.
"""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from normalize.language.calibration import load_calibration
from normalize.language.candidates import read_tables
from normalize.language.evidence import observe, weigh
from normalize.language.han import tell_han
from normalize.language.opinions import ask_cld2
from normalize.language.words import ROMANISED, groups
from schemas.document import Language
from schemas.language import LANGUAGE_OF_SCRIPT, SCRIPT_RANGES, count_letters, count_scripts, primary

UNKNOWN: Final = Language(tag="und")

#: The detectors read this much, in characters; where that does not settle it, they read more. Words of close languages are
#: looked for in all of that.
ENOUGH: Final = 600
MORE: Final = 3000

#: An answer with this score is settled.
_SETTLED: Final = 0.98

#: Fewer letters than this carry no language ("OK", "BMW X5"), unless their script says it all.
_MIN_LETTERS: Final = 10

#: Chinese characters and kana make up so much of the letters of a text that is in Chinese or Japanese.
_EAST_ASIAN: Final = 0.3

#: Bokmål and Nynorsk: one is named if it has this share of what they have together, else Norwegian.
_NORWEGIAN: Final = ("nb", "nn")
_SURE_OF_FORM: Final = 0.9

#: So many different words of a language in letters that are not its own are no accident.
_WORDS: Final = 4

#: A quotation in another language has so many characters; shorter ones are titles and names.
_QUOTATION: Final = 80

# Bounded and without "@" on either side: a run of "@" would take cubic time otherwise.
_NOT_LANGUAGE: Final = re.compile(r"https?://\S+|www\.\S+|[^\s@]{1,64}@[^\s@]{1,255}|[@#]\w+")


def without_addresses(text: str) -> str:
    """Blank addresses, hashtags and the like: they are in no language."""
    return _NOT_LANGUAGE.sub(" ", text)


def detect(texts: Sequence[str], *, min_score: float, declared: str | None = None) -> Language:
    """Name the language of the texts of one document together.

    Args:
        texts: Title, standfirst and paragraphs; the longest carry the verdict.
        min_score: Answers below this probability become "und".
        declared: The language that the page says it is in, as a tag; it counts as much as a word or two.
    """
    text = without_addresses("\n".join(texts)[: MORE + ENOUGH])
    scripts = count_scripts(text[:ENOUGH])
    if not scripts:
        return UNKNOWN
    total = sum(scripts.values())
    han, kana = scripts.get("Hani", 0), scripts.get("Kana", 0)
    if han + kana >= _EAST_ASIAN * total and han + kana >= scripts.get("Hang", 0):
        tag, code, margin = tell_han(text, han, kana)
        return _answer(tag, code, score=0.5 + margin / 2, margin=margin, method="script", min_score=min_score)
    script = max(scripts, key=lambda one: scripts[one])
    if script not in read_tables()["scripts"]:
        share, code = scripts[script] / total, {"Hang": "Kore", "Kana": "Jpan"}.get(script, script)
        tag = LANGUAGE_OF_SCRIPT.get(script, "und")
        return _answer(tag, code, score=0.5 + share / 2, margin=share, method="script", min_score=min_score)
    if scripts[script] < _MIN_LETTERS:
        return Language(tag="und", script=script)
    found = _by_evidence(text, ENOUGH, script, declared, min_score)
    if len(text) > ENOUGH and (found.score is None or found.score < _SETTLED):
        found = _by_evidence(text, MORE, script, declared, min_score)
    return found


def detect_paragraph(text: str, document: Language) -> str | None:
    """Name a paragraph's language; None where nothing in it says one.

    It is the document's unless its script or the detectors show that it is another: a Greek comment under an English story
    is "el", a German quotation in it "de", a line of numbers None.
    """
    if document.script in SCRIPT_RANGES and count_letters(text, document.script) * 2 > len(text):
        return _other_in_script(text, document) or document.tag  # mostly its script: no need to count the others
    scripts = count_scripts(text)
    if not scripts:
        return None
    script = max(scripts, key=lambda code: scripts[code])
    known = {"Jpan": {"Kana", "Hani", "Latn"}, "Kore": {"Hang", "Hani", "Latn"}, "Hans": {"Hani"}, "Hant": {"Hani"}}
    if script in known.get(document.script or "", {document.script}):
        return document.tag
    if tag := LANGUAGE_OF_SCRIPT.get(script):
        return tag
    found = detect([text], min_score=_SETTLED)
    return None if found.tag == "und" else found.tag


def _other_in_script(text: str, document: Language) -> str | None:
    """Name the other language that a whole paragraph in the document's script is in; None where it may well be the document's.

    The quickest of the detectors is asked first; what it says is believed only where all evidence says the same.
    """
    if len(text) < _QUOTATION or document.tag == "und":
        return None
    reliable, shares = ask_cld2(text)
    if not reliable or any(_alike(tag, document.tag) for tag, _ in shares):
        return None
    found = detect([text], min_score=_SETTLED, declared=primary(document.tag))
    return None if found.tag == "und" or _alike(found.tag, document.tag) else found.tag


def _alike(one: str, other: str) -> bool:
    """Are both one language, or two of a group that detectors confuse?"""
    tags = {primary(one), primary(other)}
    return len(tags) == 1 or any(tags <= {*group.members, "no"} for group in groups())


def _by_evidence(text: str, size: int, script: str, declared: str | None, min_score: float) -> Language:
    """Weigh the evidence of a text's beginning."""
    calibration = load_calibration()
    seen = observe(text[:size], text, script)
    held, likely = weigh(seen, calibration.weights, declared)
    order = np.argsort(-likely, kind="stable")
    tag, first, second = (
        held.tags[order[0]],
        float(likely[order[0]]),
        float(likely[order[1]]) if len(order) > 1 else 0.0,
    )
    if not tag.endswith(ROMANISED) and max(seen.romanised.values(), default=0) >= max(_WORDS, seen.small[tag] + 1):
        # Hindi in Latin letters, say: no detector knows that, and each answers with a third language.
        return Language(tag="und", script=script)
    if tag in _NORWEGIAN:
        together = float(sum(likely[held.place[form]] for form in _NORWEGIAN))
        if first < _SURE_OF_FORM * together:
            others = (float(likely[number]) for number in order if held.tags[number] not in _NORWEGIAN)
            tag, first, second = "no", together, next(others, 0.0)
    score, behind = calibration.score(first), calibration.score(second)
    tag, written = (tag.removesuffix(ROMANISED), "Latn") if tag.endswith(ROMANISED) else (tag, script)
    return _answer(tag, written, score=score, margin=max(0.0, score - behind), method="evidence", min_score=min_score)


def _answer(tag: str, script: str, *, score: float, margin: float, method: str, min_score: float) -> Language:
    if tag == "und" or score < min_score:
        return Language(tag="und", script=script)
    return Language(tag=tag, script=script, score=round(score, 4), margin=round(margin, 4), method=method)
