"""Which translation models there are, and the way from one language to another.

A model is a folder. Three kinds of place are looked at, and the first that has a pair of languages wins: models that the
configuration declares, the folder that ``babelwire models add`` fills, and what argospm has installed on this machine.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from normalize.options import DeclaredModel, TranslateOptions
from schemas.errors import SetupError
from schemas.language import MODEL_TAG, is_same, read_as, tag_of_model

#: The file of the model folder that says what was added and with which content.
LOCK_NAME: Final = "models.lock"

#: Long enough for any version, and short enough for Python to read.
_VERSION_PART = re.compile(r"\d{1,18}")
#: The name of a folder, and no way out of it.
_PLAIN = re.compile(r"[\w-][\w.-]*")

#: Between two languages without a model, the way through this one is tried first: most models lead to it.
_HUB: Final = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One installed model: what it translates, where it lies and what exactly it is."""

    #: As argospm names it: "translate-de_en".
    name: str
    version: str
    #: BCP 47 tags.
    source: str
    target: str
    folder: Path
    #: SHA-256 of names and content of all its files, and of what the configuration declares of it; in hexadecimal.
    sha256: str
    #: What its files take, in bytes: about what it takes in memory.
    size: int
    #: Who put it there: "configuration", "babelwire" or "argospm".
    origin: str
    #: How to read it where it is no argos package.
    declared: DeclaredModel | None = None

    @property
    def label(self) -> str:
        """Name, version and digest, as records and manifests have it."""
        return f"{self.name} {self.version} sha256:{self.sha256}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A folder that should be a model and is not."""

    folder: Path
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """All models of this machine, at most one for each pair of languages."""

    found: tuple[Model, ...] = ()
    broken: tuple[Broken, ...] = ()

    def between(self, source: str, target: str) -> tuple[Model, ...] | None:
        """Give the models to pass through from one language to another: one, two through a third, or None.

        The tags are BCP 47; a text whose own language no model reads goes through that of a near one (``read_as``).
        """
        pairs = {(model.source, model.target): model for model in self.found}
        for tag in read_as(source):
            for goal in read_as(target):
                if direct := pairs.get((tag, goal)):
                    return (direct,)
        for tag in read_as(source):
            thirds = sorted((there for (here, there) in pairs if here == tag), key=lambda third: (third != _HUB, third))
            for third in thirds:
                for goal in read_as(target):
                    if onward := pairs.get((third, goal)):
                        return (pairs[tag, third], onward)
        return None

    def towards(self, target: str) -> tuple[Model, ...]:
        """Give the models that a translation into a language may pass through, in the order of their names."""
        sources = {model.source for model in self.found if not is_same(model.source, target)}
        used = {model for source in sources for model in self.between(source, target) or ()}
        return tuple(sorted(used, key=lambda model: (model.name, model.version)))


def models_folder(options: TranslateOptions, environment: Mapping[str, str]) -> Path:
    """Give the folder that ``babelwire models`` manages."""
    if options.models_dir:
        return Path(options.models_dir)
    home = environment.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "babelwire" / "models"


def argospm_folder(environment: Mapping[str, str]) -> Path:
    """Give the folder that argospm installs into, by the rules of argostranslate's settings.

    They are not imported here: that creates folders in the user's home.
    """
    if named := environment.get("ARGOS_PACKAGES_DIR"):
        return Path(named)
    home = environment.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(home) / "argos-translate" / "packages"


def find_models(
    options: TranslateOptions, declared: Sequence[DeclaredModel], environment: Mapping[str, str] = os.environ
) -> Models:
    """Look at all places where models may lie.

    Raises:
        SetupError: If a declared model is not one.
    """
    found: list[Model] = []
    broken: list[Broken] = []
    for entry in declared:
        outcome = _declared(entry)
        if isinstance(outcome, Broken):
            message = f"[[model]] path {outcome.folder}: {outcome.reason}"
            raise SetupError(message)
        found.append(outcome)
    folder = models_folder(options, environment)
    for place, origin in ((folder, "babelwire"), (argospm_folder(environment), "argospm")):
        known = read_lock(place) if origin == "babelwire" else {}
        here = [read_package(package, origin, known) for package in _folders(place)]
        broken += [item for item in here if isinstance(item, Broken)]
        # The newest of each pair first, as the first that has a pair wins.
        found += sorted((item for item in here if isinstance(item, Model)), key=_newest_first)
    unique: dict[tuple[str, str], Model] = {}
    for model in found:
        unique.setdefault((model.source, model.target), model)
    return Models(found=tuple(unique.values()), broken=tuple(broken))


def _folders(place: Path) -> list[Path]:
    try:
        return sorted(path for path in place.iterdir() if path.is_dir() and not path.name.startswith("."))
    except OSError:
        return []


def version_of(text: str) -> list[int]:
    """Read a version as numbers, so that 1.10 is newer than 1.9."""
    return [int(part) for part in _VERSION_PART.findall(text)]


def _newest_first(model: Model) -> tuple[str, list[int]]:
    return model.name, [-part for part in version_of(model.version)]


def read_package(folder: Path, origin: str, known: Mapping[str, "Locked"]) -> Model | Broken:  # noqa: PLR0911
    """Read what an unpacked argos package says of itself, and see that it has what it needs.

    Args:
        folder: Where its ``metadata.json`` is.
        origin: Who put it there.
        known: The lock; a package that still looks as it did when it was added is not hashed again.
    """
    try:
        metadata = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
    except OSError as error:
        return Broken(folder=folder, reason=f"metadata.json cannot be read ({error.strerror}); it is no argos package")
    except ValueError as error:
        return Broken(folder=folder, reason=f"metadata.json is not JSON in UTF-8 ({error})")
    if not isinstance(metadata, dict):
        return Broken(folder=folder, reason="metadata.json holds no object")
    codes = [metadata.get(key) for key in ("from_code", "to_code")]
    for key, code in zip(("from_code", "to_code"), codes, strict=True):
        if not isinstance(code, str) or not MODEL_TAG.fullmatch(code):
            return Broken(
                folder=folder, reason=f"metadata.json: {key} is {code!r}; it must be a language code such as de"
            )
    if metadata.get("type", "translate") != "translate":
        return Broken(folder=folder, reason=f"metadata.json: type is {metadata['type']!r}; only translate can be used")
    if not (folder / "model" / "model.bin").is_file():
        return Broken(folder=folder, reason="model/model.bin is missing; the package is incomplete")
    if not any((folder / name).is_file() for name in ("sentencepiece.model", "bpe.model")):
        return Broken(
            folder=folder, reason="neither sentencepiece.model nor bpe.model is there; nothing can cut its text"
        )
    locked = known.get(folder.name)
    try:
        sha256, size = _digest(folder, locked)
    except OSError as error:
        return Broken(folder=folder, reason=f"{error.filename} cannot be read ({error.strerror})")
    if locked is not None and sha256 != locked.sha256:
        return Broken(folder=folder, reason=changed_since(locked, sha256))
    return Model(
        name=f"translate-{codes[0]}_{codes[1]}",
        version=str(metadata.get("package_version") or "0"),
        source=tag_of_model(str(codes[0])),
        target=tag_of_model(str(codes[1])),
        folder=folder,
        sha256=sha256,
        size=size,
        origin=origin,
    )


def _declared(entry: DeclaredModel) -> Model | Broken:
    for name in ("model.bin", entry.source_pieces, entry.target_pieces):
        if not (entry.path / name).is_file():
            return Broken(folder=entry.path, reason=f"{name} is missing; name a folder made by a CTranslate2 converter")
    try:
        files, size = _digest(entry.path, None)
    except OSError as error:
        return Broken(folder=entry.path, reason=f"{error.filename} cannot be read ({error.strerror})")
    # One folder may serve several pairs, told apart by a prefix alone: another prefix is another model.
    said = (files, entry.source, entry.target, entry.source_pieces, entry.target_pieces, entry.source_prefix)
    sha256 = hashlib.sha256("\0".join((*said, entry.target_prefix)).encode()).hexdigest()
    return Model(
        name=f"{entry.path.name}-{entry.source}_{entry.target}",
        version="-",
        source=entry.source,
        target=entry.target,
        folder=entry.path,
        sha256=sha256,
        size=size,
        origin="configuration",
        declared=entry,
    )


# ---- what exactly a model is -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """What the lock knows of one package of the model folder."""

    #: Name of its folder there.
    folder: str
    name: str
    version: str
    #: As of ``Model``.
    sha256: str
    #: Size and time of change of each file when it was hashed, as ``looks_of`` gives them.
    looks: str
    #: File or address it was added from.
    added_from: str


def read_lock(place: Path) -> dict[str, Locked]:
    """Read the lock of a model folder: folder name -> entry; nothing where there is none.

    Raises:
        SetupError: If there is one that cannot be read.
    """
    path = place / LOCK_NAME
    try:
        entries = [Locked(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))["models"]]
        if outside := [entry.folder for entry in entries if not _PLAIN.fullmatch(entry.folder)]:
            message = f"{outside[0]!r} is no name of a folder"
            raise ValueError(message)  # noqa: TRY301
        return {entry.folder: entry for entry in entries}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"{path} cannot be read ({error}); remove it and add the models again"
        raise SetupError(message) from error


def changed_since(locked: "Locked", sha256: str) -> str:
    """Say that a package is not what was added."""
    return f"it has SHA-256 {sha256}, but it had {locked.sha256} when it was added; remove it and add it again"


def _digest(folder: Path, locked: Locked | None) -> tuple[str, int]:
    files = files_of(folder)
    size = sum(path.stat().st_size for path in files)
    if locked is not None and locked.looks == looks_of(folder, files):
        return locked.sha256, size
    return digest_of(folder, files), size


def files_of(folder: Path) -> list[Path]:
    """List the files of a model, in the order of their names."""
    return sorted((path for path in folder.rglob("*") if path.is_file()), key=lambda path: _name_in(folder, path))


def digest_of(folder: Path, files: Iterable[Path]) -> str:
    """Give the SHA-256 over name, length and content of each file, in hexadecimal."""
    whole = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
            whole.update(f"{_name_in(folder, path)}\0{file.tell()}\0{content}\n".encode())
    return whole.hexdigest()


def looks_of(folder: Path, files: Iterable[Path]) -> str:
    """Give a digest of name, size and time of change of each file: cheap, and different when one was changed."""
    seen = hashlib.sha256()
    for path in files:
        state = path.stat()
        seen.update(f"{_name_in(folder, path)}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
    return seen.hexdigest()


def _name_in(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()
