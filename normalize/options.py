"""What a run may decide about the steps of one document and of one chunk."""

import os
from dataclasses import dataclass
from pathlib import Path


def usable_cpus() -> int:
    """Count the CPUs this process may use: fewer than the machine has, in a container."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
    min_lang_score: float = 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class TranslateOptions:
    """Options of translation. What changes the output is part of ``config_sha256``, with the models' digests."""

    #: Language to translate into, BCP 47; "off" does not translate.
    target: str = "en"
    #: Folder of installed models. "" means babelwire/models in the user's data folder.
    models_dir: str = ""
    #: Index of packages that ``models add`` looks names up in: an address or a file. "" means argostranslate's own.
    index: str = ""
    #: Translations that the decoder keeps in sight; argostranslate takes 4 as well.
    beam: int = 4
    #: Translate the captions of pictures too.
    captions: bool = False
    #: "cpu" or "cuda". Another device rounds differently, so it may change single words.
    device: str = "cpu"
    #: Threads that translate. 0 means one for each CPU that may be used. Does not change the output.
    threads: int = 0
    #: Models that stay loaded, in units of 2**20 bytes; the least used goes when another one is needed.
    loaded_mb: int = 4000
    #: Size that the translation memory is cut back to after a run, in units of 2**20 bytes.
    memory_mb: int = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredModel:
    """A CTranslate2 model that the configuration names: converted by hand, not packed by argos."""

    #: BCP 47 tags.
    source: str
    target: str
    #: Folder of ``model.bin``.
    path: Path
    #: SentencePiece models, relative to the folder; one file may serve both.
    source_pieces: str = "source.spm"
    target_pieces: str = "target.spm"
    #: Token before each sentence that tells a multilingual model what to write, such as ">>ukr<<". "" for none.
    source_prefix: str = ""
    #: Token that each translation starts with; some multilingual models want it. "" for none.
    target_prefix: str = ""
