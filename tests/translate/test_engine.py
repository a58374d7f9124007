"""A chunk is translated sentence by sentence, once each, checked, remembered and put back in place."""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from translating import DAY, GERMAN, GREEK, SPLITTER, article, engine, translations, with_languages

from normalize.options import DeclaredModel, TranslateOptions
from normalize.translate.engine import BATCH_TOKENS, RETRY, Engine, batches
from normalize.translate.loaded import Decoded, Decoding, LoadedModel, splitter_of
from normalize.translate.memory import TranslationMemory
from normalize.translate.models import Model, Models, find_models
from normalize.translate.packages import add
from schemas.document import Article, TranslatedText


@pytest.fixture
def memory(tmp_path: Path) -> Path:
    return tmp_path / "memory"


@pytest.fixture
def paid(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every sentence that a model is really given, as its tokens, in order."""
    given: list[str] = []
    translate = LoadedModel.translate

    def noted(self: LoadedModel, batch: Sequence[list[str]], decoding: Decoding) -> Callable[[], list[Decoded]]:
        given.extend(f"{self.model.name} {decoding.beam} {' '.join(tokens)}" for tokens in batch)
        return translate(self, batch, decoding)

    monkeypatch.setattr(LoadedModel, "translate", noted)
    return given


# ---- what comes out --------------------------------------------------------------------------------


def test_title_subtitle_and_paragraphs_are_translated_in_their_places(models: Models, memory: Path) -> None:
    item = replace(article("de", GERMAN[0], "12:30", GERMAN[1], title=GERMAN[1]), subtitle=GERMAN[1])
    (done,) = translations(models, memory, [item])
    assert (done.status, done.lang, done.path) == ("done", "en", ("de", "en"))
    assert done.models == tuple(model.label for model in models.between("de", "en") or ())
    assert len(done.paragraphs) == 3
    assert done.paragraphs[0].text.startswith("Since 1974 he has been sitting")
    assert done.paragraphs[1] == TranslatedText(text="12:30")
    assert done.title == done.subtitle == done.paragraphs[2]
    assert "14:20" in done.paragraphs[2].text
    assert done.paragraphs[2].score is not None
    assert 0.5 < done.paragraphs[2].score <= 1
    assert done.text == "\n\n".join(paragraph.text for paragraph in done.paragraphs)


def test_captions_are_translated_when_asked_for_one_beside_each_image(models: Models, memory: Path) -> None:
    item = article("de", GERMAN[0], caption=GERMAN[1])
    assert translations(models, memory, [item])[0].captions == ()
    (done,) = translations(models, memory, [item], options=TranslateOptions(captions=True))
    assert [caption and "14:20" in caption.text for caption in done.captions] == [None, True]


def test_what_needs_no_translation_or_can_have_none_says_so(models: Models, memory: Path) -> None:
    items = [article(tag, "Ein Satz, den niemand liest.", title="Ja") for tag in ("en", "und", "fr", "fr", "sw")]
    with engine(models, memory) as made:
        done = [item.translation for item in made.translate(items, 0)]
        assert [item.status for item in done] == ["not_needed", "no_model", "no_model", "no_model", "no_model"]
        assert made.missing == {"fr": (2, 60), "sw": (1, 30)}
    assert {(item.lang, item.title, item.text, item.paragraphs) for item in done} == {(None, None, None, ())}


def test_a_language_without_a_direct_model_goes_through_a_third(models: Models, memory: Path) -> None:
    (done,) = translations(models, memory, [article("el", *GREEK)], options=TranslateOptions(target="de"))
    assert done.path == ("el", "en", "de")
    assert [label.split()[0] for label in done.models] == ["translate-el_en", "translate-en_de"]
    assert done.paragraphs[0].text != GREEK[0]


def test_a_paragraph_in_another_language_goes_its_own_way(models: Models, memory: Path) -> None:
    item = with_languages(article("de", GERMAN[0], *GREEK, "This is English.", "Une phrase."), "de", "el", "en", "fr")
    (done,) = translations(models, memory, [item])
    assert done.status == "partial"
    assert done.path == ("de", "en")
    assert [label.split()[0] for label in done.models] == ["translate-de_en", "translate-el_en"]
    assert done.paragraphs[1].text.startswith("The bell has rung again")
    assert done.paragraphs[2] == TranslatedText(text="This is English.")
    assert done.paragraphs[3] == TranslatedText(text="Une phrase.", flags=("no_model",))


def test_a_model_converted_by_hand_translates_as_its_package_does(models: Models, memory: Path, tmp_path: Path) -> None:
    (packed,) = models.between("de", "en") or ()
    folder = tmp_path / "by-hand"
    shutil.copytree(packed.folder / "model", folder)
    for name in ("source.spm", "target.spm"):
        shutil.copy(packed.folder / "sentencepiece.model", folder / name)
    entry = DeclaredModel(source="de", target="en", path=folder)
    mine = find_models(TranslateOptions(models_dir="/nowhere"), (entry,), {"XDG_DATA_HOME": "/nowhere"})
    items = [article("de", *GERMAN)]
    (done,) = translations(mine, memory, items)
    assert done.models[0].startswith("by-hand-de_en - sha256:")
    assert done.text == translations(models, memory, items)[0].text


def test_progress_is_told_after_each_batch(models: Models, memory: Path) -> None:
    told: list[tuple[int, int]] = []
    with TranslationMemory.open(memory, DAY) as opened:
        made = Engine(
            TranslateOptions(),
            models,
            opened,
            run_id="night",
            threads=1,
            on_progress=lambda *so_far: told.append(so_far),
            check=wrong_where("nowhere"),
        )
        made.translate(many_articles(), 0)
        made.close()
    assert [of for _, of in told] == [len(many_articles()) + 2] * len(told)
    assert [done for done, _ in told] == sorted({done for done, _ in told})
    assert told[-1][0] == told[-1][1]


def test_entities_come_through_as_they_were(models: Models, memory: Path) -> None:
    entities = ("https://akti.example/a_b?c=1", "post_1@akti.example", "#Hafen_2026", "@akti_news")
    text = f"{GERMAN[0]} {entities[0]} {entities[1]} {GERMAN[1]} {entities[2]} {entities[3]}"
    (done,) = translations(models, memory, [article("de", text)])
    assert all(entity in done.paragraphs[0].text for entity in entities)


def test_a_package_that_ships_a_splitter_is_cut_by_it_without_a_network(tmp_path: Path, memory: Path) -> None:
    add(str(SPLITTER), tmp_path / "models", "")
    own = find_models(TranslateOptions(models_dir=str(tmp_path / "models")), (), {"XDG_DATA_HOME": "/nowhere"})
    (model,) = own.found
    assert (model.version, (model.folder / "minisbd").is_dir()) == ("0.2", True)
    text = f"{GREEK[0]}. Ο κ. Λιγνός ήρθε; Ναι! {GREEK[0]}."
    (done,) = translations(own, memory, [article("el", text)])
    assert done.paragraphs[0].text.count("The bell has rung again") == 2
    assert list(splitter_of(model)(text)) == [f"{GREEK[0]}.", "Ο κ. Λιγνός ήρθε;", "Ναι!", f"{GREEK[0]}."]


# ---- checks ----------------------------------------------------------------------------------------


def wrong_where(word: str, *flags: str) -> Callable[[str, str, str, str], tuple[str, ...]]:
    return lambda source, *_: flags if word in source else ()


def test_a_sentence_that_fails_twice_stays_in_the_original_with_its_flags(
    models: Models, memory: Path, paid: list[str]
) -> None:
    item = article("de", GERMAN[0], GERMAN[1])
    (done,) = translations(models, memory, [item], check=wrong_where("Onkel", "numbers", "length"))
    assert (done.status, done.flags) == ("partial", ("length", "numbers"))
    assert done.paragraphs[0].text.startswith("Since 1974")
    assert done.paragraphs[0].text.endswith(" Gelernt hat er bei seinem Onkel.")
    assert done.paragraphs[0].flags == ("length", "numbers")
    assert done.paragraphs[1].flags == ()
    assert [line.split()[1] for line in paid if "Onkel" in line.replace(" ", "")] == ["4", str(RETRY.beam)]


def test_a_second_try_that_passes_is_taken_and_marked(models: Models, memory: Path) -> None:
    tries: list[str] = []

    def first_time_wrong(source: str, *_: str) -> tuple[str, ...]:
        tries.append(source)
        return ("repetition",) if tries.count(source) == 1 else ()

    (done,) = translations(models, memory, [article("de", GERMAN[1])], check=first_time_wrong)
    assert (done.status, done.flags) == ("done", ("retried",))
    assert "14:20" in done.paragraphs[0].text


def test_a_record_of_which_nothing_passes_has_failed(models: Models, memory: Path) -> None:
    (done,) = translations(models, memory, [article("de", *GERMAN, title="Ja")], check=wrong_where("", "copied"))
    assert (done.status, done.flags) == ("failed", ("copied",))
    assert tuple(paragraph.text for paragraph in done.paragraphs) == GERMAN
    assert {paragraph.score for paragraph in done.paragraphs} == {None}


def test_a_sentence_that_fails_after_the_first_of_two_models_stays_in_its_own_language(
    models: Models, memory: Path
) -> None:
    def second_leg_wrong(_source: str, _target: str, source_lang: str, _target_lang: str) -> tuple[str, ...]:
        return ("language",) if source_lang == "en" else ()

    options = TranslateOptions(target="de")
    (done,) = translations(models, memory, [article("el", *GREEK)], options=options, check=second_leg_wrong)
    assert (done.status, done.paragraphs[0].text) == ("failed", GREEK[0])


def test_a_model_that_cannot_be_loaded_is_named_and_the_run_goes_on(
    models: Models, memory: Path, tmp_path: Path
) -> None:
    (model,) = models.between("de", "en") or ()
    folder = tmp_path / "broken"
    for path in model.folder.rglob("*"):
        goal = folder / path.relative_to(model.folder)
        if path.is_file():
            goal.parent.mkdir(parents=True, exist_ok=True)
            goal.write_bytes(path.read_bytes()[: 1_000 if path.name == "model.bin" else None])
    others = [item for item in models.found if item != model]
    broken = Models(found=(replace(model, folder=folder, sha256="b" * 64), *others))
    with engine(broken, memory) as made:
        done = [item.translation for item in made.translate([article("de", *GERMAN), article("el", *GREEK)], 0)]
        assert list(made.broken) == [f"translate-de_en {model.version} sha256:{'b' * 64}"]
        assert "cannot be loaded" in "".join(made.broken.values())
    assert [(item.status, item.flags) for item in done] == [("failed", ("broken_model",)), ("done", ())]
    assert tuple(paragraph.text for paragraph in done[0].paragraphs) == GERMAN


def bent(model: Model, place: Path, **changed: bytes) -> Model:
    """Copy a model with other content in some of its files."""
    shutil.copytree(model.folder, place)
    for name, content in changed.items():
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_bytes(content)
    return replace(model, folder=place, sha256="b" * 64)


def said_of(model: Model, **more: object) -> bytes:
    return json.dumps(json.loads((model.folder / "metadata.json").read_text()) | more).encode()


@pytest.mark.parametrize("fault", ["splitter", "languages", "prefix", "vocabulary", "pieces", "codes"])
def test_whatever_is_wrong_with_a_package_the_run_goes_on_without_it(
    fault: str, models: Models, memory: Path, tmp_path: Path
) -> None:
    (model,) = models.between("de", "en") or ()
    changed = {
        "splitter": {"minisbd/de.onnx": b"junk"},
        "languages": {"metadata.json": said_of(model, languages=None)},
        "prefix": {"metadata.json": said_of(model, target_prefix=5)},
        "vocabulary": {"model/shared_vocabulary.json": b'["<unk>", "<s>", "</s>"]'},
        "pieces": {"sentencepiece.model": b"junk"},
        "codes": {"bpe.model": b"junk"},
    }[fault]
    broken = bent(model, tmp_path / "bent", **changed)
    if fault == "codes":
        (broken.folder / "sentencepiece.model").unlink()
    others = [item for item in models.found if item != model]
    with engine(Models(found=(broken, *others)), memory) as made:
        done = [item.translation for item in made.translate([article("de", *GERMAN), article("el", *GREEK)], 0)]
        assert list(made.broken) == [broken.label]
    assert [(item.status, item.flags) for item in done] == [("failed", ("broken_model",)), ("done", ())]
    assert tuple(paragraph.text for paragraph in done[0].paragraphs) == GERMAN


def test_many_models_are_loaded_once_each_however_mixed_the_articles(
    models: Models, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[str] = []
    start = LoadedModel.__init__

    def started(self: LoadedModel, model: Model, **options: object) -> None:
        loads.append(model.name)
        start(self, model, **options)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(LoadedModel, "__init__", started)
    items = [article("de", GERMAN[1]), article("el", *GREEK)] * 5
    translations(models, memory, items, options=TranslateOptions(loaded_mb=1))
    assert sorted(loads) == ["translate-de_en", "translate-el_en"]


# ---- memory ----------------------------------------------------------------------------------------


def test_a_sentence_is_translated_once_for_all_articles_and_nights(
    models: Models, memory: Path, paid: list[str]
) -> None:
    items = [article("de", *GERMAN, title=GERMAN[1]), article("de", GERMAN[1])]
    with engine(models, memory, run_id="one") as made:
        first = made.translate(items, 0)
        again = made.translate(items, 1)
        assert made.counts.sentences == 2 * 5
    assert len(paid) == len(set(paid)) == 3
    assert [item.translation for item in first] == [item.translation for item in again]
    with engine(models, memory, run_id="two") as made:
        later = made.translate(items, 0)
        assert (made.counts.remembered, made.counts.translated) == (3, 0)
    assert len(paid) == 3
    for before, after in zip(first, later, strict=True):
        assert after.translation.text == before.translation.text
        assert {paragraph.flags for paragraph in after.translation.paragraphs} == {("memory",)}
        assert {paragraph.flags for paragraph in before.translation.paragraphs} == {()}
        assert after.translation.flags == ()


class PulledPlugError(Exception):
    """Stands for the power cut."""


def many_articles() -> list[Article]:
    return [
        article(
            "de", f"Um {hour}.{minute:02} Uhr kam die Fähre mit {hour * minute} Reisenden in Elmenau an. {GERMAN[0]}"
        )
        for hour in range(1, 13)
        for minute in range(10, 40)
    ]


@pytest.mark.parametrize("survivors", [1, 2, 5])
def test_a_killed_chunk_goes_on_with_the_same_batches_and_pays_for_no_sentence_twice(
    models: Models, tmp_path: Path, paid: list[str], monkeypatch: pytest.MonkeyPatch, survivors: int
) -> None:
    items = many_articles()
    unbroken = translations(models, tmp_path / "unbroken", items)
    cost = sorted(paid)
    paid.clear()
    kept = TranslationMemory.add
    calls: list[int] = []

    def pull_the_plug(self: TranslationMemory, entries: Sequence[tuple[bytes, object]]) -> None:
        if len(calls) == survivors:
            raise PulledPlugError
        calls.append(len(entries))
        kept(self, entries)  # type: ignore[arg-type]  # what the engine gives

    monkeypatch.setattr(TranslationMemory, "add", pull_the_plug)
    with pytest.raises(PulledPlugError):
        translations(models, tmp_path / "broken", items)
    monkeypatch.setattr(TranslationMemory, "add", kept)
    # What was on its way when the plug was pulled reached no disk: only that is done again.
    saved = sum(calls)
    paid.clear()
    assert translations(models, tmp_path / "broken", items) == unbroken
    assert len(paid) == len(cost) - saved
    assert len(set(paid)) == len(paid)


def test_an_engine_goes_on_from_the_account_of_another(models: Models, tmp_path: Path) -> None:
    items = [article(tag, *GERMAN, title="Ja") for tag in ("de", "fr", "de", "fr", "sw")]
    chunks = items[:3], items[3:]
    with engine(models, tmp_path / "one") as made:
        made.translate(chunks[0], 0)
        account = json.loads(json.dumps(made.account()))
        expected = made.translate(chunks[1], 1)
        whole = made.account()
    with engine(models, tmp_path / "one") as made:
        made.restore(account)
        assert made.translate(chunks[1], 1) == expected
        assert made.account() == whole


def test_only_so_many_models_stay_loaded_and_it_does_not_show(
    models: Models, memory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: set[str] = set()
    most = 0
    start, unload = LoadedModel.__init__, LoadedModel.unload

    def started(self: LoadedModel, *arguments: object, **options: object) -> None:
        nonlocal most
        start(self, *arguments, **options)  # type: ignore[arg-type]  # passed on
        loaded.add(self.model.name)
        most = max(most, len(loaded))

    def unloaded(self: LoadedModel) -> None:
        loaded.discard(self.model.name)
        unload(self)

    monkeypatch.setattr(LoadedModel, "__init__", started)
    monkeypatch.setattr(LoadedModel, "unload", unloaded)
    items = [article("de", *GERMAN), article("el", *GREEK), article("de", GERMAN[1])]
    plenty = translations(models, memory, items)
    assert most == 2
    most = 0
    assert translations(models, tmp_path / "small", items, options=TranslateOptions(loaded_mb=1)) == plenty
    assert most == 1


# ---- batches ---------------------------------------------------------------------------------------

SENTENCES = st.dictionaries(st.text(min_size=1, max_size=4), st.integers(1, 700), max_size=80)


@given(SENTENCES, st.randoms(use_true_random=False))
def test_batches_hold_every_sentence_once_whatever_their_order(lengths: dict[str, int], chance: object) -> None:
    tokens = {sentence: ["x"] * length for sentence, length in lengths.items()}
    cut = list(batches(tokens, BATCH_TOKENS))
    assert sorted(sentence for batch in cut for sentence in batch) == sorted(tokens)
    for batch in cut:
        padded = len(batch) * max(lengths[sentence] for sentence in batch)
        assert padded <= BATCH_TOKENS or len(batch) == 1
    shuffled = list(tokens)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random
    assert list(batches({sentence: tokens[sentence] for sentence in shuffled}, BATCH_TOKENS)) == cut
