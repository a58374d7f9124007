"""A past night again: the same bytes, found by its manifests, with the options of that night or others.

A run remembers what earlier nights saw: which texts were there, and what recurs on the pages of a site. So what earlier
runs left of that goes along, and the same version with the same options writes the same bytes again.
"""

import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path
from typing import Any, Final

from ingest.catalogue import inputs_of, rule_book
from ingest.config import TABLES, Options
from ingest.disk import disk_errors
from ingest.site_rules import RuleBook, digest_of_books
from ingest.sources.inputs import STANDARD_INPUT, Input
from ingest.store import Manifest, read_manifests
from normalize.options import DeclaredModel
from schemas.errors import SetupError

#: Of what a run remembers, that which shows in records; each run leaves one file in each.
MEMORIES: Final = ("duplicates", "templates")

#: The folder of a crawl's pages: what stands before it may be called otherwise now.
_RAW: Final = "raw"


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRun:
    """One run of the night, ready to be run again."""

    run_id: str
    inputs: tuple[Input, ...]
    options: Options
    crawls: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """All runs of a night, in their order."""

    runs: tuple[PastRun, ...]
    #: What the runs before it remembered: name of the memory -> files.
    memories: Mapping[str, tuple[Path, ...]]
    #: Why the outcome may differ although nothing was changed on purpose.
    doubts: tuple[str, ...]


def night_of(
    root: Path,
    day: date,
    output: Path,
    *,
    catalogue: Path | None = None,
    options: Options | None = None,
    workers: int | None = None,
) -> Night:
    """Find what the runs of a night read, and hold it against the digests of that night.

    Args:
        root: The output folder of the night.
        day: The day that its runs stand for.
        output: Where it is to be run again.
        catalogue: Whose site rules hold; without it there are none.
        options: Other options than those of that night.
        workers: Worker processes, which change nothing that is written.

    Raises:
        SetupError: If there was no run, the output cannot take it, the night needs a catalogue, or, each named, inputs are
            gone or have changed.
    """
    manifests = read_manifests(root)
    of_the_night = [item for item in manifests if item["run_date"] == day.isoformat()]
    if not of_the_night:
        days = ", ".join(sorted({str(item["run_date"]) for item in manifests})[-10:]) or "none"
        message = f"{root} has no run of {day}; its last days are: {days}"
        raise SetupError(message)
    _refuse(output, root)
    found = [_inputs(item, root, catalogue) for item in of_the_night]
    faults = [fault for _, faults in found for fault in faults]
    if faults:
        listed = "\n".join(f"  {fault}" for fault in faults)
        message = f"{len(faults)} inputs of {day} are not as they were; bring them back:\n{listed}"
        raise SetupError(message)
    doubts: list[str] = []
    runs = []
    for manifest, (inputs, _) in zip(of_the_night, found, strict=True):
        chosen = options or _options(manifest, doubts)
        chosen = replace(chosen, run=replace(chosen.run, workers=workers)) if workers else chosen
        doubts += _rules_doubts(manifest, inputs, catalogue)
        crawls = tuple(manifest.get("crawls", ()))
        runs.append(PastRun(run_id=manifest["run_id"], inputs=inputs, options=chosen, crawls=crawls))
    memories = _memories(root, manifests, of_the_night, doubts)
    return Night(runs=tuple(runs), memories=memories, doubts=tuple(dict.fromkeys(doubts)))


def seed(night: Night, output: Path) -> None:
    """Let the output remember what the runs before the night remembered.

    Raises:
        SetupError: If it cannot be written.
        BusyError: If the disk is full.
    """
    for name, files in night.memories.items():
        place = output / "state" / name
        with disk_errors(place):
            for file in files:
                place.mkdir(parents=True, exist_ok=True)
                # Never a link: what is too old is taken away from there.
                shutil.copyfile(file, place / file.name)


def _refuse(output: Path, root: Path) -> None:
    if output.resolve() == root.resolve():
        message = f"--output {output} is the folder of the night itself; name another one"
        raise SetupError(message)
    if read_manifests(output):
        message = f"--output {output} holds runs already, which a replay must not know of; name a new folder"
        raise SetupError(message)


# ---- the inputs ---------------------------------------------------------------------------------


def _inputs(manifest: Manifest, root: Path, catalogue: Path | None) -> tuple[tuple[Input, ...], list[str]]:
    """Find the inputs of a run, and name those that are not as they were."""
    known = _known(manifest, catalogue)
    found, faults = [], []
    for entry in manifest["inputs"]:
        uri = str(entry["uri"])
        path = _path(uri, root)
        fault = _fault(path, entry)
        if fault:
            faults.append(f"{uri} of run {manifest['run_id']}: {fault}")
            continue
        said = {name: entry.get(name) for name in ("source_id", "publisher", "language_prior")}
        found.append(Input(path=path, uri=uri, rules=known(path), **said))
    return tuple(found), faults


def _known(manifest: Manifest, catalogue: Path | None) -> Callable[[Path], RuleBook | None]:
    """Give what says which site rules hold for a file."""
    if catalogue is None:
        return lambda _: None
    if manifest.get("crawls"):
        book = rule_book(catalogue)
        return lambda _: book
    books = {item.path.resolve(): item.rules for item in inputs_of(catalogue) if item.path}
    return lambda path: books.get(path.resolve())


def _path(uri: str, root: Path) -> Path:
    """Say where an input lies: where it lay, or below the output folder if a crawl fetched it and that was moved."""
    path = Path(uri)
    if not path.exists() and _RAW in path.parts:
        # The last one: folders above may be called so too.
        place = len(path.parts) - 1 - path.parts[::-1].index(_RAW)
        moved = root.joinpath(*path.parts[place:])
        return moved if moved.exists() else path
    return path


def _fault(path: Path, entry: Mapping[str, Any]) -> str | None:
    """Say what is wrong with an input; None where it is as it was."""
    if entry["uri"] == STANDARD_INPUT:
        return "it came from standard input, which nobody kept"
    try:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        # What could not be read then is as it was.
        return None if entry["sha256"] is None else f"it cannot be read ({error.strerror}), looked for in {Path.cwd()}"
    if sha256 == entry["sha256"]:
        return None
    then = f"had SHA-256 {entry['sha256']}" if entry["sha256"] else "could not be read"
    return f"it {then} and has {sha256} now"


# ---- the options --------------------------------------------------------------------------------


def _options(manifest: Manifest, doubts: list[str]) -> Options:
    """Make the options of a night of what its manifest says of them."""
    said = manifest.get("options")
    if not isinstance(said, dict):
        message = f"the manifest of run {manifest['run_id']} names no options; say which with --config or --today"
        raise SetupError(message)
    tables: dict[str, Any] = {}
    for table, kind in TABLES.items():
        names = {item.name for item in fields(kind)}
        values = said.get(table, {})
        doubts += [
            f"option {table}.{name} of that night is not known to this version" for name in values if name not in names
        ]
        doubts += [
            f"option {table}.{name} was not known to the version of that night and has its default"
            for name in sorted(names - values.keys())
        ]
        tables[table] = kind(**{name: value for name, value in values.items() if name in names})
    models = tuple(DeclaredModel(**{**model, "path": Path(model["path"])}) for model in said.get("models", ()))
    return Options(**tables, models=models)


def _rules_doubts(manifest: Manifest, inputs: Sequence[Input], catalogue: Path | None) -> list[str]:
    """Hold the site rules against those of the night."""
    then = str(manifest.get("options", {}).get("site_rules", ""))
    if then and catalogue is None:
        message = f"run {manifest['run_id']} read its pages with site rules; name their catalogue with --catalogue"
        raise SetupError(message)
    if then != digest_of_books(item.rules for item in inputs):
        return [f"the site rules are not those of run {manifest['run_id']}, so its pages may come out otherwise"]
    return []


# ---- the memories -------------------------------------------------------------------------------


def _memories(
    root: Path, manifests: Sequence[Manifest], of_the_night: Sequence[Manifest], doubts: list[str]
) -> dict[str, tuple[Path, ...]]:
    """Find what the runs before the night left."""
    began = min(str(item["started_at"]) for item in of_the_night)
    again = {item["run_id"] for item in of_the_night}
    before = [item for item in manifests if str(item["finished_at"]) <= began and item["run_id"] not in again]
    found = {}
    for name in MEMORIES:
        written = [
            root / file["path"]
            for item in before
            for file in item["files"]
            if file["path"].startswith(f"state/{name}/")
        ]
        found[name] = tuple(path for path in written if path.exists())
        gone = len(written) - len(found[name])
        if gone:
            doubts.append(
                f"{gone} earlier runs have left no {name} any more, as they were too old for a later night; "
                f"records that hang on them may differ"
            )
    return found
