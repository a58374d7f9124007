"""What a run may decide about the steps of one document."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentOptions:
    """Options of the steps that look at one document. Part of ``config_sha256``."""

    #: Deeper element trees are refused: parsers and tree walks are quadratic or recursive there.
    max_depth: int = 500
    #: Pages with more elements are refused: they would take longer than the time limit of a document. The largest live
    #: blog we met had 60,000.
    max_elements: int = 100_000
    #: Decoded text longer than this is refused, in code points.
    max_chars: int = 20_000_000
    #: Answers of the language detector below this probability become "und".
    min_lang_score: float = 0.6
    #: langdetect draws samples; the seed makes its answers repeatable.
    lang_seed: int = 0
