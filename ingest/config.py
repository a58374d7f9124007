"""One TOML file and a few environment variables -> one frozen value of options.

    [run]        how to work:       chunk_size, workers, document_seconds, document_mb
    [limits]     what to read:      the fields of ``ingest.sources.Limits``
    [document]   how to judge:      the fields of ``normalize.options.DocumentOptions``
    [translate]  how to translate:  the fields of ``normalize.options.TranslateOptions``
    [[model]]    a translation model of one's own: the fields of ``normalize.options.DeclaredModel``

Any key can be set from outside as ``BABELWIRE_<TABLE>_<KEY>``, which wins over the file. Nothing
below this module looks at the environment.
"""

import hashlib
import json
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from os.path import normpath
from pathlib import Path
from typing import Any, Final, TypeVar, get_type_hints

from ingest.sources.limits import Limits
from normalize.options import DeclaredModel, DocumentOptions, TranslateOptions, usable_cpus
from schemas.errors import SetupError
from schemas.language import MODEL_TAG, tag_of_model

DEFAULT_FILE = Path("babelwire.toml")

#: The target that does not translate.
OFF: Final = "off"
PREFIX = "BABELWIRE_"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How a run goes about its work. Only ``chunk_size`` shows in the output."""

    #: Documents per chunk, and so per part file.
    chunk_size: int = 200
    #: Worker processes.
    workers: int = field(default_factory=usable_cpus)
    #: A document that takes longer is refused, in seconds of wall-clock time.
    document_seconds: float = 30.0
    #: Memory (address space) one document may take, in units of 2**20 bytes.
    document_mb: int = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Everything that a run may decide."""

    run: RunOptions = field(default_factory=RunOptions)
    limits: Limits = field(default_factory=Limits)
    document: DocumentOptions = field(default_factory=DocumentOptions)
    translate: TranslateOptions = field(default_factory=TranslateOptions)
    models: tuple[DeclaredModel, ...] = ()
    #: Names the rules of the catalogue's sites, as ``ingest.site_rules.digest_of_books`` does; "" where there are none.
    site_rules: str = ""

    def shaping_output(self, models: Sequence[str] = ()) -> dict[str, object]:
        """Give the options that can change what is written; the rest only changes how fast.

        Args:
            models: Labels of the translation models that texts may go through: another model, another text.
        """
        translate: dict[str, object] = {"target": self.translate.target}
        if self.translate.target != OFF:
            translate |= {name: getattr(self.translate, name) for name in ("beam", "captions", "device")}
            translate["models"] = list(models)
        shaping: dict[str, object] = {
            "run": {"chunk_size": self.run.chunk_size},
            "limits": asdict(self.limits),
            "document": asdict(self.document),
            "translate": translate,
        }
        return shaping | ({"site_rules": self.site_rules} if self.site_rules else {})

    def as_json(self) -> dict[str, Any]:
        """Give all options as JSON can hold them, for the manifest."""
        return asdict(self) | {"models": [asdict(model) | {"path": str(model.path)} for model in self.models]}

    def config_sha256(self, models: Sequence[str] = ()) -> str:
        """Give the SHA-256 of ``shaping_output`` as canonical JSON, in hexadecimal."""
        return hashlib.sha256(canonical_json(self.shaping_output(models)).encode()).hexdigest()


def canonical_json(value: object) -> str:
    """Write JSON so that equal values give equal text: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


# Smallest and largest value of a key, both allowed. Other numbers may be anything from 0 up.
RANGES: dict[str, tuple[float, float]] = {
    "run.chunk_size": (1, 100_000),
    "run.workers": (1, 1024),
    "run.document_seconds": (0.1, 86_400),
    "run.document_mb": (50, 1_048_576),
    "limits.max_bytes": (1, 2**40),
    "limits.max_ratio": (1, 10**6),
    "document.max_depth": (1, 10_000),
    "document.max_elements": (1, 10**9),
    "document.max_chars": (1, 2**31),
    "document.min_lang_score": (0.0, 1.0),
    "translate.beam": (1, 32),
    "translate.threads": (0, 1024),
    "translate.loaded_mb": (1, 1_048_576),
    "translate.memory_mb": (0, 1_048_576),
}

# What a text must look like, and how to say it.
PATTERNS: dict[str, tuple[str, str]] = {
    "translate.target": (r"off|[a-z]{2,3}(-[A-Z][a-z]{3}|-[A-Z]{2})?", 'a language tag such as en or pt-BR, or "off"'),
    "translate.device": (r"cpu|cuda", '"cpu" or "cuda"'),
}

# Texts that are paths: a relative one in a file begins at the folder of that file.
PATHS: Final = frozenset((("translate", "models_dir"), ("translate", "index")))

T = TypeVar("T", RunOptions, Limits, DocumentOptions, TranslateOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Value:
    """One value that somebody set, and how to name the place in messages."""

    value: object
    #: For instance ``babelwire.toml: run.workers`` or ``BABELWIRE_RUN_WORKERS``.
    where: str


def read_options(
    file: Path | None,
    environment: Mapping[str, str],
    *,
    workers: int | None = None,
    target: str | None = None,
    device: str | None = None,
) -> Options:
    """Read the options of a run.

    Args:
        file: The TOML file; None takes ``babelwire.toml`` of this folder if there is one.
        environment: Usually ``os.environ``.
        workers: What the command line says, which wins over both. So do
        target: the language to translate into,
        device: and the device to translate on.

    Raises:
        SetupError: At the first fault; names file or variable, key, value and what is allowed.
    """
    if file is None and DEFAULT_FILE.exists():
        file = DEFAULT_FILE
    document = {} if file is None else _document(file)
    models = () if file is None else _models(document.pop(MODEL, []), file)
    values = {} if file is None else _from_file(document, file)
    values |= _from_environment(environment)
    flags = {("run", "workers"): workers, ("translate", "target"): target, ("translate", "device"): device}
    for place, value in flags.items():
        if value is not None:
            values[place] = _Value(value=value, where="--to" if place[1] == "target" else f"--{place[1]}")
    return Options(
        run=_fill(RunOptions(), "run", values),
        limits=_fill(Limits(), "limits", values),
        document=_fill(DocumentOptions(), "document", values),
        translate=_as_tags(_fill(TranslateOptions(), "translate", values)),
        models=models,
    )


def _as_tags(options: TranslateOptions) -> TranslateOptions:
    """Take a target that is named as argos names its packages for the language that it means."""
    return replace(options, target=tag_of_model(options.target))


TABLES: dict[str, type[RunOptions] | type[Limits] | type[DocumentOptions] | type[TranslateOptions]] = {
    "run": RunOptions,
    "limits": Limits,
    "document": DocumentOptions,
    "translate": TranslateOptions,
}

#: The array of tables that declares models.
MODEL: Final = "model"


def _keys(table: str) -> tuple[str, ...]:
    return tuple(item.name for item in fields(TABLES[table]))


def _document(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"{path}: cannot be read ({error.strerror}); name a TOML file with --config"
        raise SetupError(message) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{path}: is not TOML in UTF-8: {error}"
        raise SetupError(message) from error


def _from_file(document: Mapping[str, object], path: Path) -> dict[tuple[str, str], _Value]:
    values = {}
    for table, content in document.items():
        if table not in TABLES:
            message = f'{path}: table or key "{table}" is unknown; use one of: {_listed(TABLES)}, [[{MODEL}]]'
            raise SetupError(message)
        if not isinstance(content, dict):
            message = f"{path}: {table} is {content!r}; write it as a table: [{table}]"
            raise SetupError(message)
        for key, value in content.items():
            if key not in _keys(table):
                message = f'{path}: [{table}] key "{key}" is unknown; use one of: '
                raise SetupError(message + ", ".join(_keys(table)))
            is_path = (table, key) in PATHS and isinstance(value, str) and value and "://" not in value
            inside = normpath(path.parent / value) if is_path else value
            values[table, key] = _Value(value=inside, where=f"{path}: [{table}] {key}")
    return values


def _models(entries: object, path: Path) -> tuple[DeclaredModel, ...]:
    """Read the models that a file declares; their folders begin at the folder of the file."""
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        message = f"{path}: {MODEL} is {entries!r}; write each model as a table: [[{MODEL}]]"
        raise SetupError(message)
    known = {item.name: item.default is MISSING for item in fields(DeclaredModel)}
    found = []
    for number, entry in enumerate(entries, start=1):
        where = f"{path}: [[{MODEL}]] number {number}"
        for key, value in entry.items():
            if key not in known:
                message = f'{where}: key "{key}" is unknown; use one of: {", ".join(known)}'
                raise SetupError(message)
            if not isinstance(value, str) or (key in {"source", "target"} and not MODEL_TAG.fullmatch(value)):
                kind = "a language tag such as de" if key in {"source", "target"} else "a string"
                message = f"{where}: {key} is {value!r}; it must be {kind}"
                raise SetupError(message)
        for key in (key for key, needed in known.items() if needed and key not in entry):
            message = f"{where}: {key} is missing"
            raise SetupError(message)
        found.append(DeclaredModel(**{**entry, "path": Path(normpath(path.parent / entry["path"]))}))
    return tuple(found)


def _from_environment(environment: Mapping[str, str]) -> dict[tuple[str, str], _Value]:
    known = {f"{PREFIX}{table}_{key}".upper(): (table, key) for table in TABLES for key in _keys(table)}
    values = {}
    for name, text in sorted(environment.items()):
        if not name.startswith(PREFIX):
            continue
        if name not in known:
            message = f'{name}="{text}" sets nothing; use one of: {", ".join(known)}'
            raise SetupError(message)
        values[known[name]] = _Value(value=_parsed(text), where=name)
    return values


def _parsed(text: str) -> object:
    """Read a variable as TOML would: 4 is a number, true a boolean, and anything else a string."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _fill(options: T, table: str, values: Mapping[tuple[str, str], _Value]) -> T:
    kinds = get_type_hints(type(options))
    given: dict[str, Any] = {
        key: _checked(setting, f"{table}.{key}", kinds[key])
        for (where, key), setting in values.items()
        if where == table
    }
    return replace(options, **given)


def _checked(setting: _Value, key: str, kind: type) -> int | float | str | bool:
    """Check one value against the type and range of its field."""
    value = setting.value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    # bool is an int to Python, but "workers = true" is a slip.
    if not isinstance(value, int | float | str) or type(value) is not kind:
        message = f"{setting.where} is {setting.value!r}; it must be {_kind_name(kind)}"
        raise SetupError(message)
    if isinstance(value, int | float) and kind is not bool:
        low, high = RANGES.get(key, (0, math.inf))
        if not low <= value <= high:
            message = f"{setting.where} is {value}; it must be from {low} to {high}"
            raise SetupError(message)
    if isinstance(value, str) and key in PATTERNS and not re.fullmatch(PATTERNS[key][0], value):
        message = f'{setting.where} is "{value}"; it must be {PATTERNS[key][1]}'
        raise SetupError(message)
    return value


def _kind_name(kind: type) -> str:
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "a string"}
    return names.get(kind, str(kind))


def _listed(tables: Mapping[str, object]) -> str:
    return ", ".join(f"[{name}]" for name in tables)
