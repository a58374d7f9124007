"""Models in memory: tokens in, tokens out, within a budget."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Protocol

import ctranslate2
import sentencepiece
import sentencex

from normalize.translate.models import Model
from normalize.translate.sentences import Split
from schemas.errors import SetupError

#: How argostranslate decodes (``argostranslate.translate.apply_packaged_translation``), beside its beam.
_AS_ARGOS: Final[dict[str, Any]] = {"length_penalty": 0.2, "replace_unknowns": True, "return_scores": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoding:
    """How a sentence is decoded; part of its key in the memory."""

    beam: int
    #: No run of so many tokens may stand twice; 0 allows all.
    no_repeat: int = 0

    @property
    def name(self) -> str:
        """All of it as text."""
        return json.dumps(asdict(self) | _AS_ARGOS, sort_keys=True)


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a model made of one sentence."""

    text: str
    #: Sum of the natural logarithms of its tokens' probabilities.
    log_probability: float
    #: How many tokens it has, the end included.
    tokens: int


def require_device(device: str) -> None:
    """See that there is a device to translate on.

    Raises:
        SetupError: If there is none.
    """
    if device == "cuda" and not ctranslate2.get_cuda_device_count():
        message = 'translate.device is "cuda", but no CUDA device can be used here; take "cpu" or look after the driver'
        raise SetupError(message)


class ModelError(Exception):
    """A model cannot be loaded; says why."""


def _cannot(model: Model, be: str, error: BaseException) -> str:
    what = " ".join(str(error).split())[:300]
    return (
        f"model {model.name} {model.version} cannot be {be} ({type(error).__name__}: {what}); babelwire models verify"
    )


def splitter_of(model: Model) -> Split:
    """Say how a model wants its text cut: by the splitter its package ships, else by sentencex.

    Raises:
        ModelError: If the splitter that it ships is broken.
    """
    files = sorted((model.folder / "minisbd").glob("*.onnx"))
    if not files:
        language = model.source.partition("-")[0]
        return lambda text: sentencex.segment(language, text)
    try:
        from minisbd import SBDetect  # noqa: PLC0415  loads onnxruntime, which few packages need

        # Named by its file: a bare language would be looked up on the network.
        split: Split = SBDetect(str(files[0]), use_gpu=False, max_threads=1).sentences
        split("a. b.")
    except Exception as error:
        raise ModelError(_cannot(model, "loaded", error)) from error
    return split


class Tokenizer(Protocol):
    """As argostranslate's packages have it."""

    def encode(self, sentence: str) -> list[str]:
        """Cut a sentence into tokens."""

    def decode(self, tokens: list[str]) -> str:
        """Join tokens to a sentence."""


class LoadedModel:
    """One model, ready to translate."""

    def __init__(self, model: Model, *, device: str, threads: int) -> None:
        """Load it.

        Args:
            model: Which.
            device: "cpu" or "cuda".
            threads: Batches that are translated at the same time on the CPU. Each batch has one thread: that is faster
                than several for one batch, and one batch always gives the same result.

        Raises:
            ModelError: If its files are damaged or do not fit together.
        """
        self.model = model
        try:
            self._tokenizer, self._target_prefix = _argos(model) if model.declared is None else _declared(model)
            self._translator = ctranslate2.Translator(
                str(model.folder / "model" if model.declared is None else model.folder),
                device=device,
                inter_threads=threads if device == "cpu" else 1,
                intra_threads=1,
            )
            # Many a fault of a package shows only when it is used: a vocabulary that does not fit its pieces, a prefix
            # that is no text.
            self._start([self.encode("a")], Decoding(beam=1))()
        except (ModelError, SetupError):
            raise
        except (Exception, SystemExit) as error:
            # Whatever it is (argostranslate ends the process over a broken bpe.model), the run goes on without it.
            raise ModelError(_cannot(model, "loaded", error)) from error

    def encode(self, sentence: str) -> list[str]:
        """Cut a sentence into the model's tokens."""
        return self._tokenizer.encode(sentence)

    def translate(self, batch: Sequence[list[str]], decoding: Decoding) -> Callable[[], list[Decoded]]:
        """Start to translate sentences, given as tokens, in one batch; call the answer to wait for it.

        Raises:
            ModelError: The model gave up, by the call that waits.
        """
        return self._start(batch, decoding)

    def _start(self, batch: Sequence[list[str]], decoding: Decoding) -> Callable[[], list[Decoded]]:
        waiting = self._translator.translate_batch(
            list(batch),
            target_prefix=[[self._target_prefix]] * len(batch) if self._target_prefix else None,
            beam_size=decoding.beam,
            no_repeat_ngram_size=decoding.no_repeat,
            asynchronous=True,
            **_AS_ARGOS,
        )

        def wait() -> list[Decoded]:
            try:
                return [self._decoded(item.result()) for item in waiting]
            except (RuntimeError, ValueError, IndexError) as error:
                raise ModelError(_cannot(self.model, "used", error)) from error

        return wait

    def _decoded(self, result: Any) -> Decoded:  # noqa: ANN401  ctranslate2 has no types
        tokens = result.hypotheses[0]
        text = self._tokenizer.decode(tokens)
        if self._target_prefix:
            text = text.removeprefix(self._target_prefix)
        # CTranslate2 divides the sum by length ** length_penalty, the end of the sentence being a token as well.
        length = len(tokens) + 1
        return Decoded(text.removeprefix(" "), result.scores[0] * length ** _AS_ARGOS["length_penalty"], length)

    def unload(self) -> None:
        """Give its memory back."""
        self._translator.unload_model()


def _argos(model: Model) -> tuple[Tokenizer, str]:
    """Take tokenizer and prefix from argostranslate's own reading of the package."""
    try:
        from argostranslate.package import Package  # noqa: PLC0415  makes folders in the user's home when imported
    except OSError as error:
        message = (
            f"argostranslate cannot make its folder {error.filename} ({error.strerror}); set XDG_DATA_HOME, "
            f"XDG_CONFIG_HOME and XDG_CACHE_HOME to folders that can be written"
        )
        raise SetupError(message) from error
    package = Package(model.folder)
    return package.tokenizer, package.target_prefix


def _declared(model: Model) -> tuple[Tokenizer, str]:
    entry = model.declared
    if entry is None:
        raise AssertionError(model)
    try:
        config = json.loads((model.folder / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        config = {}  # converters before CTranslate2 2.0 wrote none
    # Marian models read an end mark. Its own converter lets CTranslate2 add it; models that came by way of
    # transformers, which start to write with the padding token, leave it to the caller.
    ends = not config.get("add_source_eos") and config.get("decoder_start_token") == "<pad>"
    return _Pieces(
        source=sentencepiece.SentencePieceProcessor(model_file=str(model.folder / entry.source_pieces)),
        target=sentencepiece.SentencePieceProcessor(model_file=str(model.folder / entry.target_pieces)),
        before=[entry.source_prefix] if entry.source_prefix else [],
        after=["</s>"] if ends else [],
    ), entry.target_prefix


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pieces:
    """A pair of SentencePiece models as a tokenizer."""

    source: Any
    target: Any
    before: list[str]
    after: list[str]

    def encode(self, sentence: str) -> list[str]:
        return [*self.before, *self.source.encode(sentence, out_type=str), *self.after]

    def decode(self, tokens: list[str]) -> str:
        return str(self.target.decode_pieces(tokens))


class Shelf:
    """The loaded models, at most so many bytes of them."""

    def __init__(self, *, device: str, threads: int, most_bytes: int) -> None:
        """Start with none."""
        self._device = device
        self._threads = threads
        self._most = most_bytes
        self._loaded: dict[str, LoadedModel] = {}
        #: Sentences each model was taken for: the least used goes first.
        self._used: dict[str, int] = {}

    def take(self, model: Model, sentences: int) -> LoadedModel:
        """Give a model, loaded if need be; others go where it does not fit beside them.

        Raises:
            ModelError: If it cannot be loaded.
        """
        self._used[model.sha256] = self._used.get(model.sha256, 0) + sentences
        if model.sha256 not in self._loaded:
            while self._loaded and sum(item.model.size for item in self._loaded.values()) + model.size > self._most:
                least = min(self._loaded, key=lambda sha256: self._used[sha256])
                self._loaded.pop(least).unload()
            self._loaded[model.sha256] = LoadedModel(model, device=self._device, threads=self._threads)
        return self._loaded[model.sha256]

    def close(self) -> None:
        """Unload them all."""
        for item in self._loaded.values():
            item.unload()
        self._loaded.clear()
