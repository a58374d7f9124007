"""What is wrong with a translated sentence, as far as can be seen without knowing what it means.

Each check answers one question about a source sentence and its translation, and is made to be silent on good
translations: it runs over every sentence of a night, and what it flags is looked at by a person. All of them together
take some 35 microseconds a sentence.
"""

import math
import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final, Literal

from normalize.language.words import languages_of_small_word, small_words
from normalize.translate.entities import without_entities
from normalize.translate.quantities import numbers_differ
from schemas.language import SCRIPT_RANGES, primary

Flag = Literal["empty", "repetition", "length", "numbers", "copied", "language", "unknown"]

#: In the order in which they are given.
FLAGS: Final[tuple[Flag, ...]] = ("empty", "repetition", "length", "numbers", "copied", "language", "unknown")


def faults(source: str, target: str, *, source_lang: str, target_lang: str) -> tuple[Flag, ...]:
    """Say what is wrong with one translated sentence, in the order of ``FLAGS``; nothing when nothing is.

    An empty translation is only empty. Languages are BCP 47 tags; their first part decides.

    >>> faults("Το πλοίο έφυγε στις 17:45.", "The ship left at 17:54.", source_lang="el", target_lang="en")
    ('numbers',)
    """
    if empty(source, target):
        return ("empty",)
    # Addresses and hashtags stay as they are and say nothing about the rest.
    source, target = without_entities(source), without_entities(target)
    ours, theirs = words(source), words(target)
    seen = (
        False,
        _repeats(ours, theirs, source, target),
        length_differs(source, target, source_lang=source_lang, target_lang=target_lang),
        numbers_differ(source, target, source_lang=source_lang, target_lang=target_lang),
        _copies(ours, theirs, target, source_lang=source_lang, target_lang=target_lang),
        _strays(theirs, target, target_lang=target_lang),
        unknown(source, target),
    )
    if True not in seen:
        return ()
    return tuple(flag for flag, fault in zip(FLAGS, seen, strict=True) if fault)


def score(log_probability: float, tokens: int) -> float:
    """Give the geometric mean of the probabilities that the model gave to each token of its translation, 0 to 1.

    It says how sure the model was, not whether it was right: a loop is very sure of itself, and rare names are not.
    Scores of two models cannot be compared, nor those of sentences of a few tokens with those of long ones.

    Args:
        log_probability: Sum of the natural logarithms over all target tokens, the end of sentence among them, without
            any length penalty.
        tokens: How many tokens that were; without any there is no translation, and the score is 0.

    >>> score(4 * math.log(0.5), 4)
    0.5
    """
    if tokens <= 0 or math.isnan(log_probability):
        return 0.0
    return math.exp(min(0.0, log_probability / tokens))


# ---- words -------------------------------------------------------------------------------------------------

# What is not between words, in any script: spaces, the punctuation of ASCII, and the blocks that hold little else.
# (\w would split words of Indic scripts at their vowel signs.)
_NOT_WORD: Final = (
    r"\s!-/:-@\[-`{-~\N{NO-BREAK SPACE}-\N{INVERTED QUESTION MARK}\N{EN QUAD}-\N{ZERO WIDTH SPACE}"
    r"\N{HYPHEN}-\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}\N{DOUBLE EXCLAMATION MARK}-\N{SUPERSCRIPT ZERO}"
    r"\N{IDEOGRAPHIC SPACE}-\N{IDEOGRAPHIC FULL STOP}\N{LEFT ANGLE BRACKET}-\N{RIGHT WHITE TORTOISE SHELL BRACKET}"
    r"\N{KATAKANA MIDDLE DOT}\N{FULLWIDTH EXCLAMATION MARK}-\N{FULLWIDTH SOLIDUS}"
    r"\N{FULLWIDTH COLON}-\N{FULLWIDTH COMMERCIAL AT}\N{ARABIC COMMA}\N{ARABIC SEMICOLON}\N{ARABIC QUESTION MARK}"
    r"\N{ARABIC FULL STOP}\N{DEVANAGARI DANDA}\N{DEVANAGARI DOUBLE DANDA}"
)
_WORD: Final = re.compile(f"[^{_NOT_WORD}]+")

# Scripts that put no space between words.
_UNSPACED: Final = "".join(SCRIPT_RANGES[script] for script in ("Hani", "Kana", "Thai", "Laoo", "Khmr", "Mymr", "Tibt"))
_UNSPACED_LETTER: Final = re.compile(f"[{_UNSPACED}]")
_UNSPACED_RUN: Final = re.compile(f"[{_UNSPACED}]{{4}}")


def words(text: str) -> list[str]:
    """Part a text at spaces and punctuation; a clause of Chinese, Japanese or Thai is one word.

    >>> words("L'eau, 2,5 km! 我们走了。")
    ['L', 'eau', '2', '5', 'km', '我们走了']
    """
    return _WORD.findall(text)


# ---- empty and unknown -------------------------------------------------------------------------------------


def empty(source: str, target: str) -> bool:
    """Say whether the translation has no letter and no digit, although the source has one.

    >>> empty("Ναι.", " ."), empty("…", "")
    (True, False)
    """
    return not _WORD.search(target) and bool(_WORD.search(source))


# Marks of a decoder, not of a writer: SentencePiece's unknown piece and word boundary, and the replacement character.
_MARKS: Final = ("\N{DOUBLE QUESTION MARK}", "\N{LOWER ONE EIGHTH BLOCK}", "\N{REPLACEMENT CHARACTER}")
# Special tokens as the vocabularies of Marian, fairseq, T5 and Llama spell them, and their bytes.
_TOKEN: Final = re.compile(
    r"<(?:unk|UNK|s|/s|pad|bos|eos|mask|0x[0-9A-Fa-f]{2}|2[a-z]{2}|extra_id_\d+)>|\[UNK\]|__[a-z]{2}__"
)


def unknown(source: str, target: str) -> bool:
    """Say whether pieces of the model's vocabulary show that are not in the source.

    >>> unknown("Ο Ιησούς", "<unk> Jesus"), unknown("Το σύμβολο <unk>", "The symbol <unk>")
    (True, False)
    """
    if any(mark in target and mark not in source for mark in _MARKS):
        return True
    if "<" not in target and "[" not in target and "__" not in target:
        return False
    return any(token not in source for token in _TOKEN.findall(target))


# ---- repetition --------------------------------------------------------------------------------------------

#: A target with fewer n-grams that came before than this is no loop; ordinary sentences have none or one.
_FEW: Final = 2

#: Share of n-grams seen before in the same text. Of a sentence said twice it is half; in 1000 human sentences it is .15
#: at most in words of English and .28 in characters of Japanese and Chinese.
_LOOP_SHARE: Final = 0.3

#: How much of that share the source may not explain.
_LOOP_MARGIN: Final = 0.2

#: How often a phrase of so many words must come in direct succession: once is a word, twice emphasis, three times
#: rhetoric ("No, no, no!").
_TIMES: Final = {1: 5, 2: 4, 3: 3, 4: 3, 5: 3, 6: 3}
#: The same in characters of scripts without spaces, where a laugh or a sigh takes a few.
_TIMES_OF_CHARACTERS: Final = {1: 8, 2: 5, 3: 4, 4: 4, 5: 3, 6: 3, 7: 3, 8: 3}

#: A word longer than the longest of any language that writes compounds as one; longer ones are looked at by character.
_LONG_WORD: Final = 40

_DIGIT: Final = re.compile(r"\d+")


def repeats(source: str, target: str) -> bool:
    """Say whether the translation goes round in a loop that the source does not have.

    Digits count as the same, so that "page 1, page 2, page 3" is a loop, unless the source counts as well.

    >>> repeats("Ήταν πολύ καλό.", "It was the best of the best of the best of the best.")
    True
    >>> repeats("Όχι, όχι, όχι!", "No, no, no!")
    False
    """
    return _repeats(words(source), words(target), source, target)


def _repeats(ours: Sequence[str], theirs: Sequence[str], source: str, target: str) -> bool:
    if len(theirs) < 4 or len(max(theirs, key=len)) > _LONG_WORD or len(target) > 12 * len(theirs):  # noqa: PLR2004  (not parted by spaces)
        characters = _unspaced(target)
        if _again(characters, 5) >= _FEW and _loops(characters, _unspaced(source), 5, _TIMES_OF_CHARACTERS):
            return True
    if len(theirs) < 4:  # noqa: PLR2004
        return False
    if len(ours) * 12 < len(source):
        ours = list(_unspaced(source))
    if _again(theirs, 3) >= _FEW and _loops(theirs, ours, 3, _TIMES):
        return True
    if not any(map(str.isdecimal, theirs)):
        return False
    theirs, ours = _alike(theirs), _alike(ours)
    return _again(theirs, 3) >= _FEW and _in_rows(theirs, ours, _TIMES)


def _unspaced(text: str) -> str:
    return _DIGIT.sub("0", "".join(_WORD.findall(text.casefold())))


def _alike(found: Sequence[str]) -> list[str]:
    return _DIGIT.sub("0", "\n".join(found).casefold()).split("\n")


def _again(items: Sequence[str], size: int) -> int:
    """Count the n-grams that came before."""
    grams = len(items) - size + 1
    if isinstance(items, str):
        return grams - len({items[at : at + size] for at in range(grams)})
    return grams - len(set(zip(*(items[at:] for at in range(size)), strict=False))) if grams > 0 else 0


def _loops(theirs: Sequence[str], ours: Sequence[str], size: int, times: Mapping[int, int]) -> bool:
    share = _again(theirs, size) / max(1, len(theirs) - size + 1)
    own = _again(ours, size) / max(1, len(ours) - size + 1) if len(ours) > size else 0.0
    if len(theirs) >= 2 * size + 2 and share >= _LOOP_SHARE and share - own >= _LOOP_MARGIN:
        return True
    return _in_rows(theirs, ours, times)


def _in_rows(theirs: Sequence[str], ours: Sequence[str], times: Mapping[int, int]) -> bool:
    most = max(_in_row(ours, period) for period in times) + 1
    return any((in_row := _in_row(theirs, period)) >= least and in_row > most for period, least in times.items())


def _in_row(items: Sequence[str], period: int) -> int:
    """Count how often at most a phrase of so many items stands in direct succession.

    >>> _in_row("a b c a b c a b x".split(), 3)
    2
    """
    best = run = 0
    for one, other in zip(items, items[period:], strict=False):
        run = run + 1 if one == other else 0
        best = max(best, run)
    return best // period + 1 if best >= period else 0


# ---- length ------------------------------------------------------------------------------------------------

#: Bounds of the ratio to what is expected, as natural logarithms. In 7 languages the ratios of human translations have
#: a standard deviation of .14 to .19, so these are two and a half to five of them away, and more where _WIDER counts;
#: a cut to a quarter is at -1.39, the double at .69.
_TOO_SHORT: Final = -0.75
_TOO_LONG: Final = 0.48

#: How much wider for short sentences: the bounds move by this over the number of characters (of English). A sentence
#: of 20 characters may be two and a half times as long as expected.
_WIDER: Final = 9.0

#: Languages that need fewer characters than this have characters of a syllable or a word. Latin names and digits among
#: them are as long as in English; counting them so takes the deviation for Chinese from .25 to .19.
_DENSE_LENGTH: Final = 0.6


def length_differs(source: str, target: str, *, source_lang: str, target_lang: str) -> bool:
    """Say whether the translation is far shorter or longer than translations between these languages are.

    >>> length_differs("今日は天気がいいですね。", "It is a nice day.", source_lang="ja", target_lang="en")
    False
    """
    ours = _in_english(source, source_lang) + 1
    logarithm = math.log((_in_english(target, target_lang) + 1) / ours)
    return not _TOO_SHORT - _WIDER / ours < logarithm < _TOO_LONG + _WIDER / ours


def _in_english(text: str, tag: str) -> float:
    """Estimate how many characters English takes for the text."""
    ratio = length_of(tag)
    if ratio >= _DENSE_LENGTH:
        return len(text) / ratio
    latin = len(text.encode("ascii", "ignore"))
    return latin + (len(text) - latin) / ratio


@cache
def _lengths_and_letters() -> Mapping[str, Mapping[str, Any]]:
    tables: Mapping[str, Mapping[str, Any]] = tomllib.loads((_DATA / "languages.toml").read_text("utf-8"))
    return tables


@lru_cache(maxsize=256)
def length_of(tag: str) -> float:
    """Give the characters that a language needs for what takes one in English.

    >>> length_of("zh-Hant"), length_of("de-AT")
    (0.31, 1.15)
    """
    tables = _lengths_and_letters()
    found: float = tables["length"].get(_language(tag)) or tables["length_of_script"].get(script_of(tag)[0], 1.05)
    return found


# ---- languages and their scripts ---------------------------------------------------------------------------

_DATA: Final = Path(__file__).parent

#: Scripts in which a language is written; the tag may say which ("sr-Latn"). All that are not here: Latin.
_SCRIPTS: Final[Mapping[str, tuple[str, ...]]] = {
    tag: scripts
    for tags, scripts in {
        "ru uk be bg mk ky mn tg tt ce cv": ("Cyrl",),
        "sr kk uz": ("Cyrl", "Latn"),
        "el": ("Grek",),
        "ar fa ur ps ckb ug sd": ("Arab",),
        "he yi": ("Hebr",),
        "hi mr ne sa": ("Deva",),
        "bn as": ("Beng",),
        "pa": ("Guru",), "gu": ("Gujr",), "or": ("Orya",), "ta": ("Taml",), "te": ("Telu",), "kn": ("Knda",),
        "ml": ("Mlym",), "si": ("Sinh",), "th": ("Thai",), "lo": ("Laoo",), "bo": ("Tibt",), "my": ("Mymr",),
        "ka": ("Geor",), "hy": ("Armn",), "am ti": ("Ethi",), "km": ("Khmr",), "dv": ("Thaa",),
        "ko": ("Hang",), "ja": ("Kana", "Hani"), "zh yue": ("Hani",),
    }.items()
    for tag in tags.split()
}  # fmt: skip


@lru_cache(maxsize=256)
def _language(tag: str) -> str:
    """Give the part of the tag that the tables know."""
    code = primary(tag) or tag
    return {"no": "nb", "bs": "hr", "cmn": "zh", "zt": "zh", "pb": "pt", "fil": "tl"}.get(code, code)


@lru_cache(maxsize=256)
def script_of(tag: str) -> tuple[str, ...]:
    """Give the scripts of a language, most usual first; a tag that names one of them is believed.

    >>> script_of("ja"), script_of("sr-Latn"), script_of("de")
    (('Kana', 'Hani'), ('Latn',), ('Latn',))
    """
    named = [part for part in re.split("[-_]", tag)[1:] if part in SCRIPT_RANGES]
    return tuple(named[:1]) or _SCRIPTS.get(_language(tag), ("Latn",))


@lru_cache(maxsize=64)
def _letters_of(scripts: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(f"[{''.join(SCRIPT_RANGES[script] for script in scripts)}]")


@lru_cache(maxsize=64)
def _other_letters(scripts: tuple[str, ...]) -> re.Pattern[str]:
    """Match the letters of all scripts but these and Latin, which every language has in its names."""
    others = "".join(ranges for script, ranges in SCRIPT_RANGES.items() if script not in {*scripts, "Latn"})
    return re.compile(f"[{others}]")


# Languages whose sentences share most words or all; what differs between them these checks cannot see.
_RELATED: Final = tuple(
    frozenset(group.split())
    for group in (
        "da nb nn no sv", "cs sk", "hr sr bs sl", "id ms", "es pt gl ca", "ru uk be", "bg mk", "nl af", "hi mr ne",
        "zh yue", "az tr", "kk ky", "fr ca", "it es",
    )
)  # fmt: skip


@lru_cache(maxsize=1024)
def _related(one: str, other: str) -> bool:
    return one == other or any(one in group and other in group for group in _RELATED)


@lru_cache(maxsize=256)
def _own_words(tag: str) -> frozenset[str]:
    return small_words().get(_language(tag), frozenset())


@lru_cache(maxsize=256)
def _rivals(tag: str) -> frozenset[str]:
    """Give the languages that a text in the same script could be in instead."""
    own, scripts = _language(tag), set(script_of(tag))
    return frozenset(lang for lang in small_words() if not _related(lang, own) and scripts & set(script_of(lang)))


@lru_cache(maxsize=256)
def _foreign_letters(tag: str) -> re.Pattern[str] | None:
    """Match the letters of the language's scripts that it does not write itself, in lower case."""
    own = _lengths_and_letters()["letters"].get(_language(tag))
    if own is None:
        return None
    latin = "a-z\u00aa\u00ba" if "Latn" in script_of(tag) else ""
    return re.compile(f"(?![{latin}{own}])[{''.join(SCRIPT_RANGES[script] for script in script_of(tag))}]")


# ---- copied ------------------------------------------------------------------------------------------------

#: Fewer words than this may be a name, a title or a phrase that the other language borrowed.
_MIN_COPIED: Final = 4

#: Share of the target's plain words, by letters, that also stand in the source. Loans and abbreviations are shared by
#: good translations too; two thirds are more than those make up between languages that are not related.
_COPIED_SHARE: Final = 0.65

#: The same between languages that share most words anyway.
_COPIED_SHARE_RELATED: Final = 0.92
_MIN_COPIED_RELATED: Final = 6

#: A run of so many of the source's words is a clause that was left out.
_COPIED_RUN: Final = 7

#: Five characters of Chinese or Thai are two or three words; loans and names in Chinese characters have two to four.
_GRAM: Final = 5
_COPIED_GRAMS: Final = 0.5


def copied(source: str, target: str, *, source_lang: str, target_lang: str) -> bool:
    """Say whether the source, or a clause of it, came back as it was although the languages differ.

    Names, abbreviations and numbers may, and so may a quotation in the target's own language or script.

    >>> copied("Der Zug kam spät an.", "Der Zug kam spät an.", source_lang="de", target_lang="en")
    True
    >>> copied("Musée d'Orsay, Paris", "Musée d'Orsay, Paris", source_lang="fr", target_lang="en")
    False
    """
    return _copies(words(source), words(target), target, source_lang=source_lang, target_lang=target_lang)


def _copies(ours: Sequence[str], theirs: Sequence[str], target: str, *, source_lang: str, target_lang: str) -> bool:
    own, other = _language(source_lang), _language(target_lang)
    if own == other:
        return False
    if not target.isascii() and _UNSPACED_RUN.search(target):
        characters = "".join(_UNSPACED_LETTER.findall(target))
        there = "".join(_UNSPACED_LETTER.findall("".join(ours)))
        grams = [characters[at : at + _GRAM] for at in range(len(characters) - _GRAM + 1)]
        held = {there[at : at + _GRAM] for at in range(len(there) - _GRAM + 1)}
        if len(grams) >= _MIN_COPIED and sum(map(held.__contains__, grams)) >= _COPIED_GRAMS * len(grams):
            return not _related(own, other)
    shared = set(ours).intersection(theirs)
    if len(shared) < _MIN_COPIED:
        return False
    known, wanted = _own_words(source_lang), _own_words(target_lang)
    same_script = set(script_of(source_lang)) & set(script_of(target_lang))
    # In a text of two scripts only what is in the source's own was left out: the rest may be a quotation.
    must_have = None if same_script else _letters_of(script_of(source_lang))
    plain = copies = copied_letters = run = longest = foreign = 0
    for word in theirs:
        # A capital is a name's, unless it begins a word that no name is; so is a digit.
        if (word[0].isupper() and word.lower() not in known) or word.isdecimal() or len(word) > _LONG_WORD:
            continue
        plain += len(word)
        if word in shared and not (must_have and not must_have.search(word)):
            copies += 1
            copied_letters += len(word)
            foreign += word in wanted and word not in known
            run += 1
            longest = max(longest, run)
        else:
            run = 0
    if foreign * 4 > copies:
        return False
    if _related(own, other):
        return copies >= _MIN_COPIED_RELATED and copied_letters >= _COPIED_SHARE_RELATED * plain
    return (copies >= _MIN_COPIED and copied_letters >= _COPIED_SHARE * plain) or longest >= _COPIED_RUN


# ---- language ----------------------------------------------------------------------------------------------

#: Share of letters in a script that the target's language is not written in. A name in its own script beside the
#: translated one ("Aleppo (حلب)") stays below in a sentence.
_FOREIGN_SHARE: Final = 0.25
#: Fewer such letters are a name.
_MIN_FOREIGN: Final = 8
#: The same where a character is a syllable or a word.
_MIN_FOREIGN_DENSE: Final = 4
_DENSE: Final = re.compile(f"[{SCRIPT_RANGES['Hani']}{SCRIPT_RANGES['Kana']}{SCRIPT_RANGES['Hang']}]")

#: Share of Latin letters in a language that is not written in them: names of firms and people are often left in them.
_LATIN_SHARE: Final = 0.75
_LATIN: Final = re.compile(f"[{SCRIPT_RANGES['Latn']}]")
_KANA: Final = re.compile(f"[{SCRIPT_RANGES['Kana']}]")
#: Japanese of this many characters has kana.
_MIN_KANA_TEXT: Final = 12

#: A sentence of so many words has function words.
_MIN_WORDS: Final = 6
#: From this share on a text has so many function words of its own that it is not doubted; most sentences of news do,
#: and are done here.
_OWN_SHARE: Final = 0.3
#: How many function words of another language a text must have to be in it: at least, for each word, and for each
#: function word of the language that it should be in; words that both have do not count.
_MIN_RIVAL: Final = 2
_RIVAL_SHARE: Final = 0.08
_RIVAL_TIMES: Final = 1.5
#: A sentence of so many words that has none of its language needs one of another: a headline may be without, this long
#: it hardly is.
_WORDS_ENOUGH: Final = 10
#: That holds for languages that put small words where others put endings, and whose list here is long.
_ANALYTIC: Final = frozenset("en de fr es pt it nl".split())

#: So many letters a word that the language does not write are another language's; names bring a few a sentence.
_FOREIGN_LETTERS: Final = 0.2
_MIN_FOREIGN_LETTERS: Final = 4


def strays(target: str, *, target_lang: str) -> bool:
    """Say whether the translation is not in its language: by script, or by the small words of another.

    Blind to languages that share most words (Danish for Norwegian), to Chinese in the other characters, and to
    sentences of a few words in the right script.

    >>> strays("Корабль вышел из порта вечером.", target_lang="en")
    True
    >>> strays("Le bateau a quitté le port dans la soirée.", target_lang="en")
    True
    """
    return _strays(words(target), target, target_lang=target_lang)


def _strays(theirs: Sequence[str], target: str, *, target_lang: str) -> bool:
    scripts = script_of(target_lang)
    plain = target.isascii()
    if not plain and (foreign := len(_other_letters(scripts).findall(target))):
        least = _MIN_FOREIGN_DENSE if _DENSE.search(target) else _MIN_FOREIGN
        own = len(_letters_of(scripts).findall(target))
        if foreign >= least and foreign >= _FOREIGN_SHARE * (foreign + own):
            return True
    if "Latn" not in scripts:
        own = 0 if plain else len(_letters_of(scripts).findall(target))
        latin = len(_LATIN.findall(target))
        if latin >= _MIN_FOREIGN and len(theirs) >= _MIN_COPIED and latin > _LATIN_SHARE * (latin + own):
            # A list of names in capitals is none of its words.
            return sum(1 for word in theirs if word[0].islower()) * 3 >= len(theirs)
    if scripts[0] == "Kana":
        return len(_letters_of(scripts).findall(target)) >= _MIN_KANA_TEXT and not _KANA.search(target)
    if len(theirs) < _MIN_WORDS:
        return False
    lower = target.lower()
    own_words = sum(map(_own_words(target_lang).__contains__, lower.split()))
    if own_words >= _OWN_SHARE * len(theirs):
        return False
    return _spelled_foreign(theirs, target_lang=target_lang) or _sounds_foreign(lower, target_lang=target_lang)


def _spelled_foreign(theirs: Sequence[str], *, target_lang: str) -> bool:
    """Ask the letters of the words that are no names."""
    letters = _foreign_letters(target_lang)
    if not letters:
        return False
    plain = " ".join(word for word in theirs if not word[0].isupper())
    foreign = 0 if plain.isascii() else len(letters.findall(plain.lower()))
    return foreign >= _MIN_FOREIGN_LETTERS and foreign >= _FOREIGN_LETTERS * len(theirs)


# Endings behind an apostrophe, as Turkish puts them behind names ("Morakot'un"), look like small words of others.
_ENDING: Final = re.compile(r"['’]\w{1,3}\b")


def _sounds_foreign(lower: str, *, target_lang: str) -> bool:
    """Ask the function words of a text in lower case."""
    found = words(_ENDING.sub("", lower))
    langs = languages_of_small_word()
    hits = Counter(lang for word in found for lang in langs.get(word, ()))
    least = max(_MIN_RIVAL, _RIVAL_SHARE * len(found))
    own_lang = _language(target_lang)
    if len(found) >= _WORDS_ENOUGH and not hits[own_lang] and own_lang in _ANALYTIC:
        least = 1
    own, rivals, tables = _own_words(target_lang), _rivals(target_lang), small_words()
    for lang, count in hits.items():
        if own and count >= least and lang in rivals:
            # Words that both have say nothing.
            theirs = sum(1 for word in found if word in tables[lang] and word not in own)
            ours = sum(1 for word in found if word in own and word not in tables[lang])
            if theirs >= max(least, _RIVAL_TIMES * ours + 1):
                return True
    return False
