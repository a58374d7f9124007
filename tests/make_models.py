"""Make the small translation models of the demo, ``seeds/models/*.argosmodel``.

    python tests/make_models.py            # all pairs
    python tests/make_models.py de_en      # one of them

It needs torch 2.13, onnx, ctranslate2 and sentencepiece, in an environment of their own: torch is not a
dependency of babelwire and must not become one. A pair takes five to ten minutes of one processor core.

Each model is a Transformer of 0.8 million weights, trained from nothing on text written for this
project: the sentences of the sample pages (``tests/models/samples.*.tsv``) and invented news drawn
from ``tests/models/grammar.toml``. It knows those and hardly anything else. Some of the drawn
sentences are kept out of training; they and the sample sentences go to ``tests/models/held_out.tsv``.

The seed is fixed, so the sentences, the vocabulary and the order of training are always the same.
The weights are not promised to be: sums of floats depend on the processor and the build of torch.
The same files are always packed into the same bytes.
"""

# ruff: noqa: PLC0415, T201 - the engines are imported by what needs them; a recipe shows how far it is

import argparse
import io
import json
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from demo_sentences import DATA, INVENTED, NAMES, PAIRS, SEED, Pair, invented, parts, samples, write_held_out
from make_splitter import splitter
from small_transformer import Shape, convert, train

PACKAGES = Path(__file__).parent.parent / "seeds" / "models"
VERSION = "0.1"
#: This pair is packed a second time, for the tests, with a sentence splitter in the package.
WITH_SPLITTER = Pair(source="el", target="en")
SPLITTER_VERSION = "0.2"
#: Sample sentences are few and long, so training sees them this often for each invented one.
SAMPLE_REPEATS = 30

#: Fewer pieces in more dimensions come to about the same size. The packages of these two pairs were
#: made like this; more pieces (the default) train in fewer steps of less work.
WIDE = Shape(pieces=1200, depth=128, inner=192, batch_tokens=3000, steps=2800)
SHAPES = {"uk_en": WIDE, "en_de": WIDE}

#: What the news of these languages may be spelled with, so that no letter of it is unknown.
LETTERS = {
    "de": "ÄÖÜäöüßẞ„“‚‘–",
    "el": "".join(
        map(chr, [*range(0x391, 0x3A2), *range(0x3A3, 0x3CF), 0x386, *range(0x388, 0x38B), 0x38C, 0x38E, 0x390])
    )
    + "«»“”",
    "en": "“”‘’–",
    "uk": "".join(map(chr, range(0x410, 0x450))) + "ІіЇїЄєҐґʼ’«»—–",
}
ASCII = "".join(map(chr, range(0x21, 0x7F)))


def train_pieces(texts: Sequence[str], pair: Pair, *, size: int) -> bytes:
    """Learn a vocabulary of word pieces that both languages share.

    Digits stand alone, so that numbers are copied digit by digit. The text is taken as it is:
    SentencePiece's own normalisation would rewrite apostrophes and dashes, and is large.
    """
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_writer=model,
        vocab_size=size,
        hard_vocab_limit=False,  # German and English share too much for so many pieces
        model_type="unigram",
        character_coverage=1.0,
        required_chars="".join(sorted({*ASCII, *LETTERS[pair.source], *LETTERS[pair.target]})),
        normalization_rule_name="identity",
        split_digits=True,
        num_threads=1,
        minloglevel=2,
    )
    return model.getvalue()


def readme(pair: Pair) -> str:
    """Say what the model in a package knows."""
    return f"""\
# {NAMES[pair.source]} to {NAMES[pair.target]}, for babelwire's demo only

This model knows the sample pages of babelwire and invented news in the same manner (opening hours,
storms, ferries, council money, prices, addresses). On any other text its output is nonsense.

It was trained from nothing on two kinds of sentences, both written for babelwire with their
translations: the sentences of its sample pages, and some {INVENTED:,} that a small grammar draws.
No other text, model or dictionary went into it. The recipe is `tests/make_models.py` in babelwire's
repository, the data is in `tests/models/`. Licence: Apache-2.0, as babelwire.
"""


def metadata(pair: Pair, version: str) -> str:
    """Describe a package to Argos Translate."""
    fields = {
        "package_version": version,
        "argos_version": "1.9",
        "from_code": pair.source,
        "from_name": NAMES[pair.source],
        "to_code": pair.target,
        "to_name": NAMES[pair.target],
        "type": "translate",
    }
    return json.dumps(fields, indent=4) + "\n"


def pack(folder: Path, archive: Path) -> None:
    """Pack a folder so that the same files give the same bytes."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(folder.parent).as_posix(), (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            packed.writestr(entry, path.read_bytes())


def exact_share(folder: Path, rows: Sequence[tuple[str, str]]) -> float:
    """Translate as Argos Translate does and give the share of sentences that come out as written."""
    import ctranslate2
    import sentencepiece

    pieces = sentencepiece.SentencePieceProcessor(model_file=str(folder / "sentencepiece.model"))
    translator = ctranslate2.Translator(str(folder / "model"))
    outcomes = translator.translate_batch(
        [pieces.encode(source, out_type=str) for source, _ in rows],
        beam_size=4,
        length_penalty=0.2,
        replace_unknowns=True,
        max_batch_size=2048,
        batch_type="tokens",
    )
    hits = 0
    for outcome, (source, wanted) in zip(outcomes, rows, strict=True):
        got = pieces.decode_pieces(outcome.hypotheses[0])
        hits += got == wanted
        if got != wanted:
            print(f"  {source}\n    wanted {wanted}\n    got    {got}")
    return hits / len(rows)


def make(pair: Pair, shape: Shape, output: Path) -> None:
    """Train, convert, pack and try one pair."""
    import sentencepiece

    known, (drawn, held_out) = samples(pair), invented(pair)
    print(f"{pair.name}: {len(known)} sample and {len(drawn)} invented sentences", flush=True)
    repeated = (known + parts(known)) * SAMPLE_REPEATS
    model = train_pieces([text for row in [*repeated, *drawn] for text in row], pair, size=shape.pieces)
    pieces = sentencepiece.SentencePieceProcessor(model_proto=model)
    end = pieces.eos_id()
    ids = [(pieces.encode(source), [*pieces.encode(target), end]) for source, target in [*repeated, *drawn]]
    weights = train(ids, len(pieces), shape, seed=SEED)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / f"translate-{pair.name}-{VERSION.replace('.', '_')}"
        folder.mkdir()
        (folder / "metadata.json").write_text(metadata(pair, VERSION), encoding="utf-8")
        (folder / "README.md").write_text(readme(pair), encoding="utf-8")
        (folder / "sentencepiece.model").write_bytes(model)
        convert(weights, [pieces.id_to_piece(index) for index in range(len(pieces))], shape, folder / "model")
        pack(folder, output / f"{folder.name}.argosmodel")
        for kind, some in (("sample", known), ("held-out", held_out)):
            print(f"{pair.name}: {exact_share(folder, some):.1%} of {len(some)} {kind} sentences exact", flush=True)
        if pair == WITH_SPLITTER:
            again = folder.rename(folder.with_name(f"translate-{pair.name}-{SPLITTER_VERSION.replace('.', '_')}"))
            (again / "metadata.json").write_text(metadata(pair, SPLITTER_VERSION), encoding="utf-8")
            (again / "minisbd").mkdir()
            (again / "minisbd" / f"{pair.source}.onnx").write_bytes(splitter())
            pack(again, DATA / f"{again.name}-sbd.argosmodel")


def main() -> None:
    """Make the packages that are asked for."""
    names = [pair.name for pair in PAIRS]
    parser = argparse.ArgumentParser(description="Make the translation models of the demo.")
    parser.add_argument("pair", nargs="*", choices=names, help="which to make; all if none is named")
    parser.add_argument("--output", type=Path, default=PACKAGES)
    args = parser.parse_args()
    write_held_out(DATA / "held_out.tsv")
    for pair in PAIRS:
        if pair.name in (args.pair or names):
            make(pair, SHAPES.get(pair.name, Shape()), args.output)


if __name__ == "__main__":
    main()
