"""Which language a text is in, and how sure that is.

Script first: langdetect is certain even about languages it has no profile for, and calls Georgian Estonian and
Serbian Macedonian. So a language with a script of its own is known by the script, letters that one language of a
group uses decide within the group, and only then langdetect is asked, about the languages of that script alone. What
no evidence carries is "und".
"""

import re
import threading
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Final

import langdetect.detector_factory
from langdetect.detector import Detector
from langdetect.lang_detect_exception import LangDetectException
from langdetect.utils.ngram import NGram

from schemas.document import Language
from schemas.language import LANGUAGE_OF_SCRIPT, PROFILED, SCRIPT_RANGES, count_letters, count_scripts

UNKNOWN: Final = Language(tag="und")

#: langdetect reads this much; beyond it the answer does not change, the time does. In characters.
_ENOUGH: Final = 400

_LONG: Final = 200

#: Fewer letters than this carry no language ("OK", "BMW X5"), unless their script says it all.
_MIN_LETTERS: Final = 12

#: Letters that one language of a script uses and the others do not, most telling first. The share is the least part of
#: all letters that they make up in that language's news; names and quotations stay far below it.
_TELLING: Final[dict[str, tuple[tuple[str, str, float], ...]]] = {
    "Cyrl": (
        ("be", "ўЎ", 0.003),
        ("mk", "ѓѕќЃЅЌ", 0.0015),
        ("sr", "ђћЂЋ", 0.003),
        ("kk", "әғқңұһӘҒҚҢҰҺ", 0.02),
        ("ky", "ңөүҢӨҮ", 0.02),
        ("tg", "ҳҷӣӯҲҶӢӮ", 0.005),
        ("mn", "өүӨҮ", 0.02),
        ("uk", "їєґЇЄҐ", 0.003),
    ),
    "Arab": (
        ("ur", "ٹڈڑےں", 0.01),
        ("ps", "ټډړږښڼېۍ", 0.01),
        ("ckb", "ێڕڵۆە", 0.03),
        ("fa", "پچژگیک", 0.03),
    ),
    "Latn": (("az", "əƏ", 0.02),),
    "Hebr": (("yi", "װױײ", 0.005),),
}

# Bounded and without "@" on either side: a run of "@" would take cubic time otherwise.
_NOT_LANGUAGE = re.compile(r"https?://\S+|[^\s@]{1,64}@[^\s@]{1,255}|[@#]\w+")
_WARM = threading.Lock()

#: A character as the profiles have it. langdetect searches its table of Unicode blocks for each; texts repeat few.
_plain = lru_cache(maxsize=10_000)(NGram.normalize)


def detect(texts: Sequence[str], *, min_score: float, seed: int) -> Language:
    """Name the language of the texts of one document together.

    Args:
        texts: Title, standfirst and paragraphs; the longest carry the verdict.
        min_score: Answers of langdetect below this probability become "und".
        seed: langdetect draws samples; the same seed gives the same answer.
    """
    text = _NOT_LANGUAGE.sub(" ", "\n".join(texts)[: 4 * _ENOUGH])
    scripts = count_scripts(text[: 2 * _ENOUGH])
    if not scripts:
        return UNKNOWN
    if scripts.get("Hani") or scripts.get("Kana"):
        east = _east_asian(text, scripts)
        if east:
            return east
    script, letters = max(scripts.items(), key=lambda item: item[1])
    share = letters / sum(scripts.values())
    code = "Jpan" if script == "Kana" else "Kore" if script == "Hang" else script
    for tag, telling, least in _TELLING.get(script, ()):
        if letters >= _MIN_LETTERS and len(re.findall(f"[{telling}]", text)) >= max(2, least * letters):
            return Language(tag=tag, script=code, score=0.99, margin=0.99, method="letters")
    if own := LANGUAGE_OF_SCRIPT.get(script):
        return Language(tag=own, script=code, score=round(share, 4), margin=round(share, 4), method="script")
    if letters < _MIN_LETTERS:
        return Language(tag="und", script=code)
    return _langdetect(text[:_ENOUGH], script, min_score=min_score, seed=seed)


def detect_paragraph(text: str, document: Language) -> str | None:
    """Name a paragraph's language where its script alone shows that it is not the document's; None otherwise.

    A Greek comment under an English story is "el"; a French quotation in it stays None, unread.
    """
    if document.script in SCRIPT_RANGES and count_letters(text, document.script) * 2 > len(text):
        return document.tag  # mostly its script: no need to count the others
    scripts = count_scripts(text)
    if not scripts:
        return None
    script = max(scripts, key=lambda code: scripts[code])
    known = {"Jpan": {"Kana", "Hani", "Latn"}, "Kore": {"Hang", "Hani", "Latn"}, "Hans": {"Hani"}, "Hant": {"Hani"}}
    if script in known.get(document.script or "", {document.script}):
        return document.tag
    return LANGUAGE_OF_SCRIPT.get(script)


def _east_asian(text: str, scripts: dict[str, int]) -> Language | None:
    """Tell Chinese from Japanese by kana, and its two scripts by characters that only one of them uses."""
    han, kana, total = scripts.get("Hani", 0), scripts.get("Kana", 0), sum(scripts.values())
    if han + kana < 0.3 * total or scripts.get("Hang", 0) > han + kana:
        return None
    if kana >= 0.1 * (han + kana):
        share = (han + kana) / total
        return Language(tag="ja", script="Jpan", score=round(share, 4), margin=round(share, 4), method="script")
    only_simplified, only_traditional = _han()
    simplified = sum(1 for char in text if char in only_simplified)
    traditional = sum(1 for char in text if char in only_traditional)
    if simplified == traditional:
        return Language(tag="zh", script="Hani", score=0.9, margin=0.9, method="script")
    tag = "zh-Hans" if simplified > traditional else "zh-Hant"
    margin = abs(simplified - traditional) / (simplified + traditional)
    return Language(tag=tag, script=tag[3:], score=round(0.5 + margin / 2, 4), margin=round(margin, 4), method="script")


@cache
def _han() -> tuple[frozenset[str], frozenset[str]]:
    """Characters of simplified and of traditional Chinese alone.

    Those of GB 2312 (1980, simplified) that Big5 (1984, traditional) lacks, and the other way round: both were made
    of the characters in daily use. Python's codecs carry the two tables.
    """
    han = [chr(code) for code in range(0x4E00, 0xA000)]
    simplified = {char for char in han if _has(char, "gb2312")}
    traditional = {char for char in han if _has(char, "big5")}
    return frozenset(simplified - traditional), frozenset(traditional - simplified)


def _has(char: str, codec: str) -> bool:
    return bool(char.encode(codec, "ignore"))


class _QuickDetector(Detector):  # type: ignore[misc]  # langdetect has no types
    """langdetect's detector with its inner loops in half the time: the same n-grams, the same products."""

    def _extract_ngrams(self) -> list[str]:
        """Give the known runs of one to three characters; words in capitals have none."""
        known, found = self.word_lang_prob_map, []
        run, capitals = " ", False
        for char in map(_plain, self.text):
            last = run[-1]
            if last == " ":
                run, capitals = " ", False
                if char == " ":
                    continue
            run = run[-2:] + char
            capitals = char.isupper() and (capitals or last.isupper())
            if capitals:
                continue
            if char != " " and char in known:
                found.append(char)
            if run[-2:] in known:
                found.append(run[-2:])
            if len(run) > 2 and run in known:  # noqa: PLR2004
                found.append(run)
        return found

    def _update_lang_prob(self, prob: list[float], word: str, alpha: float) -> bool:
        """Multiply the probabilities by those of one n-gram; always possible for n-grams that were extracted."""
        weight = alpha / self.BASE_FREQ
        prob[:] = [p * (weight + q) for p, q in zip(prob, self.word_lang_prob_map[word])]  # noqa: B905  (its check costs a fifth)
        return True


def _langdetect(text: str, script: str, *, min_score: float, seed: int) -> Language:
    """Ask langdetect, and believe it only about languages written in the script seen."""
    factory = _factory()
    detector = _QuickDetector(factory)
    detector.seed = seed
    if len(text) >= _LONG:
        # The trials differ where evidence is thin; on this much text they agree.
        detector.n_trial = 3
    detector.append(text)
    try:
        answers = detector.get_probabilities()
    except LangDetectException:
        return Language(tag="und", script=script)
    possible = [(a.lang, a.prob) for a in answers if a.lang in PROFILED.get(script, frozenset())]
    if not possible or possible[0][1] < min_score or answers[0].lang != possible[0][0]:
        return Language(tag="und", script=script)
    second = possible[1][1] if len(possible) > 1 else 0.0
    tag, score = possible[0]
    return Language(
        tag=tag,
        script=script,
        score=round(min(1.0, score), 4),
        margin=round(min(1.0, score) - second, 4),
        method="langdetect",
    )


@cache
def _factory() -> langdetect.detector_factory.DetectorFactory:
    """Load langdetect's profiles once; its own lazy loading gives wrong answers to threads that come early."""
    with _WARM:
        langdetect.detector_factory.init_factory()
        factory = langdetect.detector_factory._factory  # noqa: SLF001  (there is no public way to the loaded profiles)
        if factory is None:
            message = "langdetect came without its profiles"
            raise RuntimeError(message)
        return factory
