"""Sentences per second of the translation engine beside argostranslate and one hand-tuned CTranslate2 call.

    python tests/benchmarks/translation.py [--paragraphs N] [--argos-paragraphs N]

The model has the size that argos ships (6 + 6 layers, 512 wide, 32,000 pieces, int8) and random weights, so every system
is made to write exactly as many tokens per sentence as the sentences have on average. All get the same sentences, model
and beam, on all cores of this machine, in one run:

    argostranslate   its own apply_packaged_translation, paragraph by paragraph, with the threads it takes by default, and
                     with one thread, which is faster where threads are slow to wake; on the first paragraphs only
    one call         CTranslate2 on all sentences at once, made unique by hand, with the best of four batch sizes
    babelwire        the whole engine: cutting, pooling, memory on disk, batches, checks, putting back. The checks run on
                     every sentence and are paid for, but what they say of random text is set aside: nothing is retried
    second night     the same engine and memory a day later: 30 of 100 sentences are those of the first night
"""

import argparse
import gzip
import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
import sentencepiece
import sentencex
from argostranslate.package import Package
from argostranslate.translate import apply_packaged_translation
from ctranslate2.specs import TransformerSpec

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from normalize.options import TranslateOptions, usable_cpus  # noqa: E402
from normalize.translate.checks import faults  # noqa: E402
from normalize.translate.engine import Engine  # noqa: E402
from normalize.translate.memory import TranslationMemory  # noqa: E402
from normalize.translate.models import Model, Models, read_package  # noqa: E402
from schemas.document import Article, Language, Paragraph, RawDocument  # noqa: E402

TEXTS = ROOT.parent / "shared" / "bench" / "language" / "paragraph.jsonl.gz"
LAYERS, WIDTH, HEADS, PIECES = 6, 512, 8, 32_000
BATCH_SIZES = (128, 256, 512, 1024)
#: Languages with spaces and full stops, so that one splitter serves all; the model knows none of them anyway.
LANGUAGES = frozenset("de en fr es it pt nl sv da pl cs ro hu fi hr sk sl lt et lv tr".split())


class FixedLength(ctranslate2.Translator):  # type: ignore[misc]  # ctranslate2 has no types
    """Writes the same number of tokens for each sentence, whoever calls it."""

    tokens = 0

    def translate_batch(self, *arguments: Any, **options: Any) -> Any:
        """Translate as asked, but for the length."""
        lengths = {"min_decoding_length": self.tokens, "max_decoding_length": self.tokens}
        return super().translate_batch(*arguments, **{**options, **lengths})


# ---- a model of the real size ----------------------------------------------------------------------


def build_package(folder: Path, texts: Sequence[str]) -> None:
    """Write an argos package with random weights and pieces made from the texts."""
    (folder / "model").mkdir(parents=True)
    metadata = {"package_version": "1.0", "argos_version": "1.9", "from_code": "de", "to_code": "en"}
    (folder / "metadata.json").write_text(json.dumps(metadata))
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_prefix=str(folder / "sentencepiece"),
        vocab_size=PIECES,
        model_type="bpe",
        hard_vocab_limit=False,
        minloglevel=2,
    )
    (folder / "sentencepiece.vocab").unlink()
    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "sentencepiece.model"))
    vocabulary = [pieces.id_to_piece(number) for number in range(pieces.get_piece_size())]
    spec = TransformerSpec.from_config(LAYERS, HEADS, pre_norm=True)
    _fill(spec, len(vocabulary), np.random.default_rng(0))
    spec.register_source_vocabulary(vocabulary)
    spec.register_target_vocabulary(vocabulary)
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(str(folder / "model"))


def _fill(spec: Any, size: int, chance: np.random.Generator) -> None:
    def linear(layer: Any, rows: int, columns: int) -> None:
        layer.weight = (chance.standard_normal((rows, columns)) / np.sqrt(columns)).astype(np.float32)
        layer.bias = np.zeros(rows, np.float32)

    def norm(layer: Any) -> None:
        layer.gamma, layer.beta = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)

    def attention(layer: Any, shapes: Sequence[int]) -> None:
        norm(layer.layer_norm)
        for part, rows in zip(layer.linear, shapes, strict=True):
            linear(part, rows, WIDTH)

    def feed_forward(layer: Any) -> None:
        norm(layer.layer_norm)
        linear(layer.linear_0, 4 * WIDTH, WIDTH)
        linear(layer.linear_1, WIDTH, 4 * WIDTH)

    embeddings = (chance.standard_normal((size, WIDTH)) * 0.04).astype(np.float32)
    spec.encoder.embeddings[0].weight = spec.decoder.embeddings.weight = embeddings
    for layer in spec.encoder.layer:
        attention(layer.self_attention, (3 * WIDTH, WIDTH))
        feed_forward(layer.ffn)
    for layer in spec.decoder.layer:
        attention(layer.self_attention, (3 * WIDTH, WIDTH))
        attention(layer.attention, (WIDTH, 2 * WIDTH, WIDTH))
        feed_forward(layer.ffn)
    norm(spec.encoder.layer_norm)
    norm(spec.decoder.layer_norm)
    linear(spec.decoder.projection, size, WIDTH)


# ---- the systems -----------------------------------------------------------------------------------


def by_argos(package: Package, paragraphs: Sequence[str], threads: int) -> tuple[int, float]:
    """Translate as argostranslate does; gives sentences and seconds."""
    # As its PackageTranslation makes it.
    translator = FixedLength(str(package.package_path / "model"), inter_threads=1, intra_threads=threads)

    class Sentences:
        """The same sentences as everybody's."""

        count = 0

        def split_sentences(self, text: str) -> list[str]:
            found = sentences_of(text)
            self.count += len(found)
            return found

    sentences = Sentences()
    apply_packaged_translation(package, paragraphs[0], translator, Sentences(), 1)
    began = time.monotonic()
    for paragraph in paragraphs:
        apply_packaged_translation(package, paragraph, translator, sentences, 1)
    return sentences.count, time.monotonic() - began


def by_one_call(package: Package, paragraphs: Sequence[str]) -> tuple[int, float, int]:
    """Translate all sentences in one call, with the best batch size; gives sentences, seconds and that size."""
    translator = FixedLength(str(package.package_path / "model"), inter_threads=usable_cpus(), intra_threads=1)

    def timed(texts: Sequence[str], size: int) -> tuple[int, float]:
        began = time.monotonic()
        sentences = [sentence for text in texts for sentence in sentences_of(text)]
        unique = list(dict.fromkeys(sentences))
        tokens = [package.tokenizer.encode(sentence) for sentence in unique]
        results = translator.translate_batch(
            tokens, max_batch_size=size, batch_type="tokens", beam_size=4, length_penalty=0.2,
            replace_unknowns=True, return_scores=True,
        )  # fmt: skip
        for result in results:
            package.tokenizer.decode(result.hypotheses[0])
        return len(sentences), time.monotonic() - began

    some = paragraphs[: max(1, len(paragraphs) // 10)]
    timed(some[:5], BATCH_SIZES[0])
    best = min(BATCH_SIZES, key=lambda size: timed(some, size)[1])
    return *timed(paragraphs, best), best


def by_engine(engine: Engine, paragraphs: Sequence[str]) -> tuple[int, float]:
    """Translate as babelwire does, ten paragraphs to an article; gives sentences and seconds."""
    articles = [article_of(paragraphs[start : start + 10]) for start in range(0, len(paragraphs), 10)]
    before = engine.counts.sentences
    began = time.monotonic()
    for chunk, start in enumerate(range(0, len(articles), 200)):
        engine.translate(articles[start : start + 200], chunk)
    return engine.counts.sentences - before, time.monotonic() - began


def sentences_of(text: str) -> list[str]:
    """Cut a paragraph as everybody here does."""
    return [sentence for piece in sentencex.segment("de", text) if (sentence := piece.strip())]


def article_of(paragraphs: Sequence[str]) -> Article:
    """Make an article of paragraphs."""
    return Article(
        raw=RawDocument(
            source_kind="text", source_uri="bench", content=b"", fetched_at=datetime(2026, 1, 1, tzinfo=UTC)
        ),
        raw_sha256="0" * 64,
        record_id="0",
        story_id="0",
        paragraphs=tuple(Paragraph(role="paragraph", text=text) for text in paragraphs),
        removed=(),
        language=Language(tag="de", script="Latn"),
        page_type="article",
        charset="utf-8",
        charset_source="source",
    )


def checked_but_accepted(source: str, target: str, source_lang: str, target_lang: str) -> tuple[str, ...]:
    """Pay for the checks, and set aside what they say of random text."""
    faults(source, target, source_lang=source_lang, target_lang=target_lang)
    return ()


# ---- the nights ------------------------------------------------------------------------------------


def two_nights(count: int) -> tuple[list[str], list[str]]:
    """Choose the paragraphs of two nights; of the second's sentences, 30 of 100 stood in the first."""
    if not TEXTS.exists():
        sys.exit(f"no texts: {TEXTS} is not there")
    with gzip.open(TEXTS, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    texts = [" ".join(row["text"].split()) for row in rows if row["lang"] in LANGUAGES]
    chance = random.Random(0)  # noqa: S311  for a choice that can be made again
    chance.shuffle(texts)
    if len(texts) < 2 * count:
        sys.exit(f"{TEXTS} has {len(texts)} paragraphs in these languages; {2 * count} are needed")
    first, fresh = texts[:count], texts[count : 2 * count]
    old = [sentence for text in first for sentence in sentences_of(text)]
    second = []
    for text in fresh:
        mixed = [chance.choice(old) if chance.random() < 0.3 else sentence for sentence in sentences_of(text)]
        second.append(" ".join(mixed))
    return first, second


def main() -> None:
    """Print a row for each system and the line that sums up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paragraphs", type=int, default=500)
    parser.add_argument("--argos-paragraphs", type=int, default=60)
    arguments = parser.parse_args()
    first, second = two_nights(arguments.paragraphs)
    ctranslate2.Translator = FixedLength
    rows: list[tuple[str, int, float]] = []

    def note(name: str, sentences: int, seconds: float) -> float:
        rows.append((name, sentences, seconds))
        print(f"{name:36} {sentences:9} {seconds:8.1f} {sentences / seconds:12.1f}", flush=True)
        return sentences / seconds

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "translate-de_en-1_0"
        build_package(folder, [*first, *second])
        package, model = Package(folder), read_package(folder, "benchmark", {})
        if not isinstance(model, Model):
            sys.exit(f"the package built for this is no package: {model.reason}")
        lengths = [len(package.tokenizer.encode(s)) for text in first for s in sentences_of(text)]
        FixedLength.tokens = round(sum(lengths) / len(lengths))
        print(
            f"{len(first)} paragraphs, {len(lengths)} sentences of {FixedLength.tokens} tokens, beam 4, {usable_cpus()} cores"
        )
        print(f"{'system':36} {'sentences':>9} {'seconds':>8} {'sentences/s':>12}")
        some = first[: arguments.argos_paragraphs]
        argos = note(f"argostranslate, {len(some)} paragraphs", *by_argos(package, some, 0))
        alone = note("  the same with ARGOS_INTRA_THREADS=1", *by_argos(package, some, 1))
        sentences, seconds, best = by_one_call(package, first)
        one_call = note(f"one CTranslate2 call, batches of {best}", sentences, seconds)
        rates = []
        for day, night in ((1, first), (2, second)):
            memory = TranslationMemory.open(Path(place) / "memory.sqlite", date(2026, 1, day))
            engine = Engine(
                TranslateOptions(), Models(found=(model,)), memory,
                run_id=f"night {day}", threads=usable_cpus(), check=checked_but_accepted,
            )  # fmt: skip
            rates.append(note(f"babelwire, night {day}", *by_engine(engine, night)))
            counts = engine.counts
            print(f"  {counts.unique} different, {counts.remembered} remembered")
            engine.close()
            memory.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"translation: vs_argos={rates[0] / argos:.1f} vs_argos_one_thread={rates[0] / alone:.1f} vs_ctranslate2={rates[0] / one_call:.2f} "
        f"second_night={rates[1] / argos:.1f} peak_mb={peak:.0f}"
    )


if __name__ == "__main__":
    main()
