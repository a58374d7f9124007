"""A chunk of articles -> the same articles with their translation: read ``Engine.translate`` first.

The sentences of all articles are pooled and made unique. Those that the memory does not know are translated in batches of
like length, one model after another, checked, and tried once more where a check fails. Then they are put back in place.

What the flags say:

    empty, repetition, length, numbers, copied, language, unknown
                  a sentence failed this check twice (see ``normalize.translate.checks``) and stands in the original
    retried       a sentence failed a check, and the second try passed
    memory        all its sentences were translated by an earlier run; said of single texts only
    no_model      a paragraph is in another language than the article, and no model reads that; it stands in the original
    broken_model  the model could not be loaded; everything stands in the original
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from normalize.options import TranslateOptions, usable_cpus
from normalize.translate.checks import FLAGS as FAULTS
from normalize.translate.checks import Flag, faults
from normalize.translate.checks import score as score_of
from normalize.translate.loaded import (
    Decoded,
    Decoding,
    LoadedModel,
    ModelError,
    Shelf,
    require_device,
    splitter_of,
)
from normalize.translate.memory import Remembered, TranslationMemory, key_of
from normalize.translate.models import Model, Models
from normalize.translate.sentences import Part, Split, cut, join
from schemas.document import Article, TranslatedText, Translation, TranslationStatus
from schemas.language import is_same

#: A second try keeps fewer candidates and may not repeat itself: both end the loops that wide beams fall into.
RETRY: Final = Decoding(beam=2, no_repeat=3)

#: Tokens in a batch, padding included. On two cores 128 to 512 were within a twentieth of the best, 64 and 1,024 a fifth
#: slower: below, the weights are read too often, above, the scores of all pieces no longer fit the cache.
BATCH_TOKENS: Final = 256

#: Batches that wait for a thread, for each thread: enough to keep it busy, few enough to keep memory flat.
_AHEAD: Final = 4

#: The file of the memory.
MEMORY_NAME: Final = "translations.sqlite"

#: Order of an article's flags.
FLAGS: Final[tuple[str, ...]] = (*FAULTS, "retried", "memory", "no_model", "broken_model")

Route = tuple[Model, ...]
OnProgress = Callable[[int, int], None]
Check = Callable[[str, str, str, str], Sequence[str]]
"""Names what is wrong with a translation: source, target, source language, target language -> flags."""


def _check(source: str, target: str, source_lang: str, target_lang: str) -> tuple[Flag, ...]:
    return faults(source, target, source_lang=source_lang, target_lang=target_lang)


@dataclass(slots=True)
class Counts:
    """What a run's translation came to, in sentences. Those of a way through a third language count once per model."""

    #: Sentences that were to be translated, each time they stood somewhere.
    sentences: int = 0
    #: Different ones, per chunk.
    unique: int = 0
    #: Of the different ones: known from an earlier run.
    remembered: int = 0
    #: Of the different ones: translated, now or by this run before it was killed.
    translated: int = 0
    #: Of the different ones: failed a check and were tried again.
    retried: int = 0
    #: Of the different ones: failed twice, so that the original stands.
    kept: int = 0


@dataclass(slots=True)
class _Unit:
    """One sentence on its way through one or two models."""

    #: As it stands now: the original, or what the last model made of it.
    text: str
    log_probability: float = 0.0
    tokens: int = 0
    flags: tuple[str, ...] = ()
    #: It failed, and the original goes into the text.
    kept: bool = False
    #: Every model's answer came from an earlier run.
    remembered: bool = True


@dataclass(frozen=True, slots=True)
class _Text:
    """One text of an article: cut into parts that go one way, or left alone."""

    text: str
    route: Route = ()
    parts: tuple[Part, ...] = ()
    flags: tuple[str, ...] = ()

    def sentences(self) -> list[str]:
        return [part.text for part in self.parts if part.translate]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What of an article goes where."""

    route: Route
    title: _Text | None
    subtitle: _Text | None
    paragraphs: tuple[_Text, ...]
    captions: tuple[_Text | None, ...]

    def texts(self) -> Iterator[_Text]:
        for text in (self.title, self.subtitle, *self.paragraphs, *self.captions):
            if text is not None:
                yield text


class Engine:
    """Translates chunk after chunk of one run."""

    def __init__(
        self,
        options: TranslateOptions,
        models: Models,
        memory: TranslationMemory,
        *,
        run_id: str,
        threads: int,
        on_progress: OnProgress = lambda _done, _of: None,
        check: Check = _check,
    ) -> None:
        """Make ready; models are loaded when the first text needs them.

        Args:
            options: Into which language and how; the target is not "off".
            models: Those of this machine.
            memory: Open, for this run.
            run_id: Names the run in the memory.
            threads: Threads that translate.
            on_progress: Told after each batch how many sentences of how many a model has done.
            check: Judges each sentence; only measurements put another one in its place.
        """
        self.counts = Counts()
        #: Language without a model -> records and characters that stay untranslated for want of it.
        self.missing: dict[str, tuple[int, int]] = {}
        #: Models that could not be loaded, with the reason.
        self.broken: dict[str, str] = {}
        self._options = options
        self._models = models
        self._memory = memory
        self._run_id = run_id
        self._threads = threads
        self._on_progress = on_progress
        self._check = check
        self._first = Decoding(beam=options.beam)
        self._splitters: dict[str, Split] = {}
        self._shelf = Shelf(device=options.device, threads=threads, most_bytes=options.loaded_mb * 2**20)

    def counted(self) -> dict[str, int]:
        """Say what the translation came to, in sentences; see ``Counts``."""
        return asdict(self.counts)

    def account(self) -> dict[str, Any]:
        """Give all that is told of the run so far, as JSON can hold it."""
        return {"counts": asdict(self.counts), "missing": self.missing, "broken": self.broken}

    def restore(self, account: Mapping[str, Any]) -> None:
        """Go on from where another engine's ``account`` was taken; its translations are in the memory."""
        self.counts = Counts(**account["counts"])
        self.missing = {
            language: (records, characters) for language, (records, characters) in account["missing"].items()
        }
        self.broken = dict(account["broken"])

    def close(self) -> None:
        """Unload the models."""
        self._shelf.close()

    def translate(self, articles: Sequence[Article], chunk: int) -> tuple[Article, ...]:
        """Give each article its translation.

        Args:
            articles: One chunk, in document order.
            chunk: Its number in the run, from 0.
        """
        plans = [self._plan(article) for article in articles]
        pool: dict[tuple[Route, str], _Unit] = {}
        for plan in plans:
            for text in plan.texts() if plan else ():
                for sentence in text.sentences():
                    self.counts.sentences += 1
                    pool.setdefault((text.route, sentence), _Unit(sentence))
        # First all that go through their first model, then those that go on through a second.
        for leg in (0, 1):
            self._pass(leg, pool, chunk)
        return tuple(
            self._untranslated(article) if plan is None else self._put_back(article, plan, pool)
            for article, plan in zip(articles, plans, strict=True)
        )

    # ---- what goes where --------------------------------------------------------------------------

    def _route(self, language: str) -> Route | None:
        return self._models.between(language, self._options.target)

    def _plan(self, article: Article) -> _Plan | None:
        """Cut an article into sentences; None where nothing of it is to be translated."""
        language = article.language.tag
        if language == "und" or is_same(language, self._options.target):
            return None
        route = self._route(language)
        if route is None:
            return None

        def planned(text: str | None) -> _Text | None:
            return self._cut(text, route) if text else None

        return _Plan(
            route=route,
            title=planned(article.title),
            subtitle=planned(article.subtitle),
            paragraphs=tuple(self._paragraph(p.text, p.lang or language, language, route) for p in article.paragraphs),
            captions=tuple(planned(image.caption) for image in article.images) if self._options.captions else (),
        )

    def _paragraph(self, text: str, language: str, main: str, route: Route) -> _Text:
        """Plan a paragraph, which may be in another language than the article."""
        if language == main:
            return self._cut(text, route)
        if is_same(language, self._options.target):
            return _Text(text)
        other = self._route(language)
        return _Text(text, flags=("no_model",)) if other is None else self._cut(text, other)

    def _cut(self, text: str, route: Route) -> _Text:
        split = self._splitter(route[0])
        return _Text(text, flags=("broken_model",)) if split is None else _Text(text, route, cut(text, split))

    def _splitter(self, model: Model) -> Split | None:
        """Give the splitter of a model, which needs no loaded model; None if it is broken, which is noted once."""
        if model.label in self.broken:
            return None
        if model.sha256 not in self._splitters:
            try:
                self._splitters[model.sha256] = splitter_of(model)
            except ModelError as error:
                self.broken[model.label] = str(error)
                return None
        return self._splitters[model.sha256]

    # ---- through the models -----------------------------------------------------------------------

    def _pass(self, leg: int, pool: Mapping[tuple[Route, str], _Unit], chunk: int) -> None:
        """Take all that go on through one more model through it, model by model, the one with most to do first."""
        waiting: dict[Model, dict[str, list[_Unit]]] = {}
        for (route, _), unit in pool.items():
            if len(route) > leg and not unit.kept:
                waiting.setdefault(route[leg], {}).setdefault(unit.text, []).append(unit)
        for model in sorted(waiting, key=lambda model: (-sum(map(len, waiting[model])), model.label)):
            units = waiting[model]
            if self._has_passed(model, units, chunk):
                continue
            self.counts.unique += len(units)
            self.counts.kept += len(units)
            for unit in _all(units):
                unit.kept, unit.flags = True, ("broken_model",)

    def _has_passed(self, model: Model, units: Mapping[str, list[_Unit]], chunk: int) -> bool:
        """Take units through a model; False if it cannot be loaded or gives up, which is noted once."""
        if model.label in self.broken:
            return False
        try:
            self._pass_through(self._shelf.take(model, len(units)), units, chunk)
        except ModelError as error:
            self.broken[model.label] = str(error)
            return False
        return True

    def _pass_through(self, loaded: LoadedModel, units: Mapping[str, list[_Unit]], chunk: int) -> None:
        """Translate, check, and try what fails once more."""
        model = loaded.model

        def wrong(sentence: str, answer: Remembered) -> tuple[str, ...]:
            return tuple(self._check(sentence, answer.text, model.source, model.target))

        answers = self._decode(loaded, list(units), self._first, chunk)
        failed = {sentence: flags for sentence in units if (flags := wrong(sentence, answers[sentence]))}
        again = self._decode(loaded, list(failed), RETRY, chunk) if failed else {}
        self.counts.unique += len(units)
        self.counts.retried += len(failed)
        for sentence, twins in units.items():
            answer, flags, kept = answers[sentence], (), False
            if sentence in failed:
                answer, flags = again[sentence], ("retried",)
                if still := wrong(sentence, answer):
                    flags, kept = still, True
            remembered = answer.run_id != self._run_id
            self.counts.remembered += remembered
            self.counts.translated += not remembered
            self.counts.kept += kept
            for unit in twins:
                unit.text = unit.text if kept else answer.text
                unit.log_probability += answer.log_probability
                unit.tokens += answer.tokens
                unit.flags = tuple(dict.fromkeys((*unit.flags, *flags)))
                unit.kept = kept
                unit.remembered = unit.remembered and remembered

    def _decode(
        self, loaded: LoadedModel, sentences: Sequence[str], decoding: Decoding, chunk: int
    ) -> dict[str, Remembered]:
        """Answer from memory what it knows, and translate the rest in batches of like length."""
        keys = {sentence: key_of(loaded.model.sha256, decoding.name, sentence) for sentence in sentences}
        known = self._memory.recall(list(keys.values()))

        def is_ours(key: bytes) -> bool:
            item = known.get(key)
            return item is None or (item.run_id, item.chunk) == (self._run_id, chunk)

        # What this very chunk added before the run was killed counts as not yet known: with it the batches are the same.
        answers = {sentence: known[key] for sentence, key in keys.items() if not is_ours(key)}
        tokens = {sentence: loaded.encode(sentence) for sentence, key in keys.items() if is_ours(key)}
        running: deque[tuple[list[str], Callable[[], list[Decoded]]]] = deque()

        def finish() -> None:
            batch, wait = running.popleft()
            fresh = {
                sentence: Remembered(item.text, item.log_probability, item.tokens, self._run_id, chunk)
                for sentence, item in zip(batch, wait(), strict=True)
            }
            self._memory.add([(keys[sentence], item) for sentence, item in fresh.items()])
            answers.update(fresh)
            self._on_progress(len(answers), len(keys))

        for batch in batches(tokens, BATCH_TOKENS):
            if all(keys[sentence] in known for sentence in batch):
                answers |= {sentence: known[keys[sentence]] for sentence in batch}
                continue
            running.append((batch, loaded.translate([tokens[sentence] for sentence in batch], decoding)))
            if len(running) > _AHEAD * self._threads:
                finish()
        while running:
            finish()
        return answers

    # ---- back into place --------------------------------------------------------------------------

    def _put_back(self, article: Article, plan: _Plan, pool: Mapping[tuple[Route, str], _Unit]) -> Article:
        used: dict[Model, None] = dict.fromkeys(plan.route)
        failed = translated = 0

        def done(text: _Text | None) -> TranslatedText | None:
            nonlocal failed, translated
            if text is None:
                return None
            units = {sentence: pool[text.route, sentence] for sentence in text.sentences()}
            failed += sum(unit.kept for unit in units.values()) + bool(text.flags)
            translated += sum(not unit.kept for unit in units.values())
            used.update(dict.fromkeys(text.route))
            return _finished(text, units, self._options.target)

        title, subtitle = done(plan.title), done(plan.subtitle)
        paragraphs = tuple(item for text in plan.paragraphs if (item := done(text)) is not None)
        captions = tuple(done(text) for text in plan.captions)
        status: TranslationStatus = "done" if not failed else "partial" if translated else "failed"
        raised = {flag for item in (title, subtitle, *paragraphs, *captions) if item for flag in item.flags}
        translation = Translation(
            status=status,
            lang=self._options.target,
            title=title,
            subtitle=subtitle,
            paragraphs=paragraphs,
            captions=captions,
            path=(plan.route[0].source, *(model.target for model in plan.route)),
            models=tuple(model.label for model in used),
            flags=tuple(flag for flag in FLAGS if flag in raised and flag != "memory"),
        )
        return replace(article, translation=translation)

    def _untranslated(self, article: Article) -> Article:
        language = article.language.tag
        if is_same(language, self._options.target):
            return replace(article, translation=Translation(status="not_needed"))
        if language != "und":
            records, characters = self.missing.get(language, (0, 0))
            self.missing[language] = (records + 1, characters + len(article.title or "") + len(article.text))
        return replace(article, translation=Translation(status="no_model"))


@contextmanager
def open_engine(
    options: TranslateOptions, models: Models, state: Path, *, run_id: str, run_date: date, on_progress: OnProgress
) -> Iterator[Engine]:
    """Open the engine of one run on top of the translation memory below a folder, which is cut back at the end.

    Raises:
        SetupError: If the memory cannot be used, or there is no such device.
        BusyError: If the disk is full or another run holds the memory.
    """
    require_device(options.device)
    with TranslationMemory.open(state / MEMORY_NAME, run_date) as memory:
        engine = Engine(
            options,
            models,
            memory,
            run_id=run_id,
            threads=options.threads or usable_cpus(),
            on_progress=on_progress,
        )
        try:
            yield engine
        finally:
            engine.close()
        memory.prune(options.memory_mb * 2**20)


def _all(units: Mapping[str, Iterable[_Unit]]) -> Iterator[_Unit]:
    for twins in units.values():
        yield from twins


def _finished(text: _Text, units: Mapping[str, _Unit], target: str) -> TranslatedText:
    """Join a text's sentences; its score is that of all tokens together."""
    if not units:
        return TranslatedText(text=text.text, flags=text.flags)
    # A sentence that failed after a first model stands in the original, not in the language between.
    joined = join(text.parts, {s: s if unit.kept else unit.text for s, unit in units.items()}, target)
    raised = {flag for unit in units.values() for flag in unit.flags}
    if all(unit.remembered and unit.tokens for unit in units.values()):
        raised.add("memory")
    good = [unit for unit in units.values() if not unit.kept]
    tokens = sum(unit.tokens for unit in good)
    score = round(score_of(sum(unit.log_probability for unit in good), tokens), 4) if tokens else None
    return TranslatedText(text=joined, score=score, flags=tuple(flag for flag in FLAGS if flag in raised))


def batches(tokens: Mapping[str, Sequence[str]], most: int) -> Iterator[list[str]]:
    """Cut sentences into batches of like length, the longest first, with at most so many tokens each.

    A batch is padded to its longest sentence, so that counts. A sentence that is longer than a batch goes alone. The
    order of the sentences does not matter.
    """
    batch: list[str] = []
    width = 0
    for sentence in sorted(tokens, key=lambda sentence: (-len(tokens[sentence]), sentence)):
        width = width or len(tokens[sentence])
        if batch and width * (len(batch) + 1) > most:
            yield batch
            batch, width = [], len(tokens[sentence])
        batch.append(sentence)
    if batch:
        yield batch
