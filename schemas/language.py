"""Languages and scripts: codes, and which script stands for which language."""

import re
from typing import Final

#: ISO 15924 code -> the characters that belong to that script alone (Unicode 16 blocks, letters only).
SCRIPT_RANGES: Final[dict[str, str]] = {
    "Latn": "A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff\uff21-\uff3a\uff41-\uff5a",
    "Cyrl": "\u0400-\u052f\u1c80-\u1c8f\u2de0-\u2dff\ua640-\ua69f",
    "Grek": "\u0370-\u03ff\u1f00-\u1fff",
    "Arab": "\u0620-\u064a\u066e-\u06d3\u06d5\u06ee-\u06ef\u06fa-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufefc",
    "Hebr": "\u05d0-\u05f4\ufb1d-\ufb4f",
    "Deva": "\u0904-\u0939\u0958-\u0961\u0971-\u097f\ua8e0-\ua8ff",
    "Beng": "\u0980-\u09e5\u09f0-\u09ff",
    "Guru": "\u0a00-\u0a65\u0a70-\u0a7f",
    "Gujr": "\u0a80-\u0ae5\u0af0-\u0aff",
    "Orya": "\u0b00-\u0b65\u0b70-\u0b7f",
    "Taml": "\u0b80-\u0be5\u0bf0-\u0bff",
    "Telu": "\u0c00-\u0c65\u0c70-\u0c7f",
    "Knda": "\u0c80-\u0ce5\u0cf0-\u0cff",
    "Mlym": "\u0d00-\u0d65\u0d70-\u0d7f",
    "Sinh": "\u0d80-\u0dff",
    "Thai": "\u0e01-\u0e3a\u0e40-\u0e4e",
    "Laoo": "\u0e80-\u0ecf\u0edc-\u0edf",
    "Tibt": "\u0f00-\u0f1f\u0f34-\u0fff",
    "Mymr": "\u1000-\u103f\u1050-\u109f",
    "Geor": "\u10a0-\u10ff\u1c90-\u1cbf\u2d00-\u2d2f",
    "Armn": "\u0531-\u058f",
    "Ethi": "\u1200-\u139f\u2d80-\u2ddf",
    "Khmr": "\u1780-\u17df",
    "Thaa": "\u0780-\u07bf",
    "Hang": "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af",
    "Kana": "\u3041-\u3096\u30a1-\u30fa\u31f0-\u31ff\uff66-\uff9d",
    "Hani": "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff",
}

#: Scripts that one language of news uses: seeing the script is knowing the language.
LANGUAGE_OF_SCRIPT: Final[dict[str, str]] = {
    "Grek": "el", "Hebr": "he", "Guru": "pa", "Gujr": "gu", "Orya": "or", "Taml": "ta", "Telu": "te", "Knda": "kn",
    "Mlym": "ml", "Sinh": "si", "Thai": "th", "Laoo": "lo", "Tibt": "bo", "Mymr": "my", "Geor": "ka", "Armn": "hy",
    "Ethi": "am", "Khmr": "km", "Thaa": "dv", "Hang": "ko", "Kana": "ja",
}  # fmt: skip

_RUNS: Final = {code: re.compile(f"[{ranges}]+") for code, ranges in SCRIPT_RANGES.items()}


def count_scripts(text: str) -> dict[str, int]:
    """Count the letters of each script in a text; scripts without any are left out.

    >>> count_scripts("Αθήνα 2026 AEK")
    {'Latn': 3, 'Grek': 5}
    """
    found = {code: count_letters(text, code) for code in (("Latn",) if text.isascii() else SCRIPT_RANGES)}
    return {code: count for code, count in found.items() if count}


def count_letters(text: str, script: str) -> int:
    """Count the letters of one script in a text."""
    return sum(map(len, _RUNS[script].findall(text)))


#: Codes of three letters (ISO 639-2 and 639-3) that pages declare for languages which have one of two (RFC 5646, 2.2.1).
_SHORT: Final = {
    "ara": "ar", "bel": "be", "ben": "bn", "bul": "bg", "cat": "ca", "ces": "cs", "chi": "zh", "cze": "cs", "dan": "da", "deu": "de",
    "dut": "nl", "ell": "el", "eng": "en", "est": "et", "fas": "fa", "fin": "fi", "fra": "fr", "fre": "fr", "geo": "ka", "ger": "de",
    "gre": "el", "guj": "gu", "heb": "he", "hin": "hi", "hrv": "hr", "hun": "hu", "hye": "hy", "arm": "hy", "ind": "id", "isl": "is",
    "ita": "it", "jpn": "ja", "kan": "kn", "kat": "ka", "kaz": "kk", "kor": "ko", "lav": "lv", "lit": "lt", "mal": "ml", "mar": "mr",
    "mkd": "mk", "msa": "ms", "nep": "ne", "nld": "nl", "nor": "no", "nob": "nb", "pan": "pa", "per": "fa", "pol": "pl", "por": "pt",
    "ron": "ro", "rum": "ro", "rus": "ru", "slk": "sk", "slo": "sk", "slv": "sl", "spa": "es", "sqi": "sq", "srp": "sr", "swe": "sv",
    "tam": "ta", "tel": "te", "tha": "th", "tur": "tr", "ukr": "uk", "urd": "ur", "vie": "vi", "zho": "zh",
}  # fmt: skip


def primary(tag: str | None) -> str | None:
    """Give the language part of a tag as pages write it ("de-AT", "pt_BR", "EN"); None for what is no tag.

    >>> primary("pt_BR"), primary("iw"), primary("eng"), primary("english, please")
    ('pt', 'he', 'en', None)
    """
    match = re.fullmatch(r"\s*([A-Za-z]{2,3})(?:[-_][A-Za-z0-9]{2,8})*\s*", (tag or "").split(",")[0])
    if not match:
        return None
    code = match[1].lower()
    code = _SHORT.get(code, code)
    # Codes withdrawn from ISO 639-1, still printed by old systems, and the macro-language Norwegian.
    return {"iw": "he", "in": "id", "ji": "yi", "jp": "ja", "ua": "uk", "gr": "el", "cz": "cs", "kr": "ko"}.get(
        code, code
    )


#: How a model names a language: a code, perhaps with a script or region.
MODEL_TAG: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")

#: Names that argos gives its packages where they are no language tags.
_TAG_OF_MODEL: Final = {"zt": "zh-Hant", "pb": "pt-BR"}

_SAME: Final = {"nb": "no"}

#: Languages near enough that a model of the second reads the first as well, best first.
_READ_AS: Final[dict[str, tuple[str, ...]]] = {
    "no": ("nb",), "nb": ("no",), "nn": ("no", "nb"), "pt": ("pt-BR",), "zh": ("zh-Hans",), "hbs": ("hr", "sr", "bs"),
}  # fmt: skip


def tag_of_model(code: str) -> str:
    """Give the BCP 47 tag of a language as a model package names it.

    >>> tag_of_model("zt"), tag_of_model("el")
    ('zh-Hant', 'el')
    """
    return _TAG_OF_MODEL.get(code, code)


def model_code(tag: str) -> str:
    """Give the name that argos packages have for a language; the way back from ``tag_of_model``.

    >>> model_code("zh-Hant"), model_code("zh-Hans"), model_code("el")
    ('zt', 'zh', 'el')
    """
    codes = {name: code for code, name in _TAG_OF_MODEL.items()}
    return codes.get(tag) or primary(tag) or tag


def read_as(tag: str) -> tuple[str, ...]:
    """Give the languages whose models can read a text, best first.

    >>> read_as("zh-Hant"), read_as("nn"), read_as("el")
    (('zh-Hant', 'zh'), ('nn', 'no', 'nb'), ('el',))
    """
    return tuple(dict.fromkeys((tag, *_READ_AS.get(tag, ()), primary(tag) or tag)))


def is_same(tag: str, other: str) -> bool:
    """Say whether a text in one language need not be translated into the other.

    >>> is_same("pt", "pt-BR"), is_same("no", "nb"), is_same("zh-Hans", "zh-Hant")
    (True, True, False)
    """
    # Norwegian as detectors name it, and as models do.
    tag, other = (_SAME.get(one, one) for one in (tag, other))
    return tag == other or primary(tag) == other or tag == primary(other)
