"""Chinese in its two scripts, and Japanese without kana, by characters that only one of them writes."""

from functools import cache
from typing import Final, NamedTuple

#: Japanese has so much kana among its kana and Chinese characters; Chinese quotes less.
_KANA: Final = 0.1


class Only(NamedTuple):
    """Characters that tell.

    Simplified are those of GB 2312 (1980) that Big5 (1984, traditional) lacks, and the other way round; Japanese those of
    JIS X 0208 (1978) that neither has, and Chinese those of either that JIS lacks. All three were made of the characters in
    daily use. Python's codecs carry the tables.
    """

    simplified: frozenset[str]
    traditional: frozenset[str]
    japanese: frozenset[str]
    chinese: frozenset[str]


@cache
def only() -> Only:
    """Compare the three tables, once."""
    han = [chr(code) for code in range(0x4E00, 0xA000)]
    simplified, traditional, japanese = (
        {char for char in han if char.encode(codec, "ignore")} for codec in ("gb2312", "big5", "shift_jis")
    )
    return Only(
        frozenset(simplified - traditional),
        frozenset(traditional - simplified),
        frozenset(japanese - simplified - traditional),
        frozenset((simplified | traditional) - japanese),
    )


def tell_han(text: str, han: int, kana: int) -> tuple[str, str, float]:
    """Tell the languages that write Chinese characters apart.

    Args:
        text: In these characters, mostly.
        han: How many of them it has.
        kana: How many kana it has beside them.

    Returns:
        The tag, the script as ISO 15924 code, and by how much this answer is ahead of the next, 0 to 1.
    """
    if kana >= _KANA * (han + kana):
        return "ja", "Jpan", 1.0
    known = only()
    japanese, chinese, simplified, traditional = (
        sum(1 for char in text if char in chars)
        for chars in (known.japanese, known.chinese, known.simplified, known.traditional)
    )
    if japanese > chinese:
        return "ja", "Jpan", (japanese - chinese) / (japanese + chinese)
    if simplified == traditional:
        return "zh", "Hani", 0.5
    margin = abs(simplified - traditional) / (simplified + traditional)
    return ("zh-Hans", "Hans", margin) if simplified > traditional else ("zh-Hant", "Hant", margin)
