"""A source catalogue as the inputs of a run."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from ingest.ftr_rules import FtrFolder, read_ftr_folder
from ingest.site_rules import RuleBook
from ingest.sources.inputs import Input
from schemas.errors import SetupError
from schemas.site_rule import SiteRule
from schemas.source import Catalogue, SourceEntry, catalogue_of


def is_catalogue(path: Path) -> bool:
    """Say whether a file is a source catalogue: TOML with ``[[source]]`` tables.

    Raises:
        SetupError: If it is named ``.toml`` but cannot be read as TOML.
    """
    return path.suffix == ".toml" and path.is_file() and "source" in _read(path)


def read_catalogue(path: Path) -> Catalogue:
    """Read and check a catalogue.

    Raises:
        SetupError: If the file cannot be read, or with all its faults, one a line.
    """
    return catalogue_of(_read(path), origin=path.as_posix())


def inputs_of(path: Path) -> tuple[Input, ...]:
    """Give every file that the catalogue's sources name, in its order, each pattern sorted.

    Raises:
        SetupError: If the catalogue is at fault, or for a pattern that matches no file.
    """
    known = read_catalogue(path).sources
    by_domain = _rules_by_domain(known)
    folders: dict[str, FtrFolder] = {}
    found: list[Input] = []
    for entry in known:
        if entry.site_rules and entry.site_rules not in folders:
            folders[entry.site_rules] = read_ftr_folder(path.parent / entry.site_rules)
        ftr = folders.get(entry.site_rules or "")
        has_rules = entry.rule or by_domain or ftr
        book = RuleBook(own=entry.rule, by_domain=by_domain, ftr=ftr) if has_rules else None
        found += _inputs(entry, path, book)
    return tuple(found)


def rule_book(path: Path) -> RuleBook | None:
    """Give the rules of a catalogue for an archive that holds pages of many of its sites; None where it has none.

    Raises:
        SetupError: If the catalogue is at fault.
    """
    known = read_catalogue(path).sources
    by_domain = _rules_by_domain(known)
    ftr = FtrFolder()
    for name in dict.fromkeys(entry.site_rules for entry in known if entry.site_rules):
        folder = read_ftr_folder(path.parent / name)
        ftr = FtrFolder({**folder.sites, **ftr.sites}, {**folder.below, **ftr.below}, [*ftr.faults, *folder.faults])
    return RuleBook(by_domain=by_domain, ftr=ftr) if by_domain or ftr.sites or ftr.below else None


def _rules_by_domain(known: Sequence[SourceEntry]) -> dict[str, tuple[SiteRule, ...]]:
    return {entry.domain.removeprefix("www."): entry.rule for entry in known if entry.domain and entry.rule}


def files_of(entry: SourceEntry, catalogue: Path) -> tuple[Path, ...]:
    """Give the files that a source names, each pattern sorted, none twice.

    Raises:
        SetupError: At the first pattern that matches no file.
    """
    files: dict[Path, None] = {}
    for pattern in entry.files:
        # Sorted as text: folders list their files in an order of their own.
        matches = sorted(
            (path for path in catalogue.parent.glob(pattern) if path.is_file()),
            key=lambda path: path.as_posix(),
        )
        if not matches:
            message = (
                f'{catalogue.as_posix()}: [{entry.id}] files "{pattern}" matches no file below '
                f'"{catalogue.parent.as_posix()}"; correct the pattern or take it out'
            )
            raise SetupError(message)
        files.update(dict.fromkeys(matches))
    return tuple(files)


def _inputs(entry: SourceEntry, catalogue: Path, rules: RuleBook | None) -> list[Input]:
    return [
        Input(
            path=path,
            uri=path.as_posix(),
            source_id=entry.id,
            publisher=entry.name,
            language_prior=entry.language,
            rules=rules,
        )
        for path in files_of(entry, catalogue)
    ]


def _read(path: Path) -> Mapping[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"{path.as_posix()}: cannot be read ({error.strerror}); name a readable file"
        raise SetupError(message) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        message = f"{path.as_posix()}: is not TOML in UTF-8: {error}"
        raise SetupError(message) from error
