"""The engine writes what argostranslate itself writes, string for string, from the same sentences, model and beam."""

import csv
from collections import defaultdict
from functools import partial
from pathlib import Path

import ctranslate2
import pytest
import sentencex
from translating import ROOT, article, translations

from normalize.translate.models import Model, Models
from normalize.translate.sentences import Part, cut

HELD_OUT = ROOT / "tests" / "models" / "held_out.tsv"


def held_out() -> dict[str, list[str]]:
    """Texts by language that are one sentence for both: the engine cuts, and takes addresses and hashtags out."""
    found: dict[str, list[str]] = defaultdict(list)
    with HELD_OUT.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            language, text = row["lang"], row["source"]
            if cut(text, partial(sentencex.segment, language)) == (Part(text, translate=True),):
                found[language].append(text)
    return found


def by_argostranslate(model: Model, sentences: list[str]) -> list[str]:
    # Late: it makes folders where the environment says, which the tests set first.
    from argostranslate.package import Package  # noqa: PLC0415
    from argostranslate.translate import apply_packaged_translation  # noqa: PLC0415

    class Whole:
        """Each text is one sentence, as it is for the engine."""

        def split_sentences(self, text: str) -> list[str]:
            return [text]

    package = Package(model.folder)
    translator = ctranslate2.Translator(str(model.folder / "model"), inter_threads=1, intra_threads=0)
    return [apply_packaged_translation(package, text, translator, Whole(), 1)[0].value for text in sentences]


def never_wrong(*_: str) -> tuple[str, ...]:
    return ()


def test_there_are_enough_sentences_to_tell() -> None:
    assert sum(map(len, held_out().values())) >= 500


@pytest.mark.parametrize("language", ["de", "el", "uk"])
def test_the_engine_writes_what_argostranslate_writes(language: str, models: Models, tmp_path: Path) -> None:
    sentences = held_out()[language]
    (model,) = models.between(language, "en") or ()
    (done,) = translations(models, tmp_path / "memory", [article(language, *sentences)], check=never_wrong)
    assert [paragraph.text for paragraph in done.paragraphs] == by_argostranslate(model, sentences)
