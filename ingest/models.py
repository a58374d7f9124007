"""What ``babelwire models`` does, as lines for people. The work is in ``normalize.translate``."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from ingest.config import OFF, Options
from ingest.query import open_tables
from normalize.translate.models import (
    Broken,
    Locked,
    Model,
    Models,
    argospm_folder,
    changed_since,
    digest_of,
    files_of,
    find_models,
    models_folder,
    read_lock,
)
from normalize.translate.packages import add, remove
from schemas.errors import SetupError
from schemas.language import is_same, model_code

#: Translated by ``verify``: a date and a name come out of every real model in some form.
PROBE = "Berlin, 25.11.2026"

MIB = 2**20


def listed(options: Options, environment: Mapping[str, str]) -> str:
    """Show the models of this machine, in the order of their names, and what should be one and is not."""
    models = find_models(options.translate, options.models, environment)
    rows = [
        (
            model.name,
            model.version,
            f"{model.source} > {model.target}",
            f"{model.size / MIB:.1f} MiB",
            model.origin,
            model.sha256[:12],
            str(model.folder),
        )
        for model in sorted(models.found, key=lambda model: model.name)
    ]
    lines = _table(("name", "version", "from > to", "size", "added by", "sha256", "folder"), rows) if rows else []
    if not rows:
        place = models_folder(options.translate, environment)
        lines.append(f"no models; looked in {place} and {argospm_folder(environment)}; babelwire models add FILE")
    lines += [f"broken: {item.folder}: {item.reason}" for item in models.broken]
    return "\n".join(lines)


def added(wanted: Sequence[str], options: Options, environment: Mapping[str, str]) -> Iterator[str]:
    """Add what is named; says of each package what it is and where it lies now."""
    place = models_folder(options.translate, environment)
    for name in wanted:
        for item in add(name, place, options.translate.index):
            model = item.model
            what = "is there already" if item.already else "added"
            size = f"{model.size / MIB:.1f} MiB, sha256 {model.sha256[:12]}"
            yield f"{what}: {model.name} {model.version}, {model.source} > {model.target}, {size}, in {model.folder}"


def removed(names: Sequence[str], options: Options, environment: Mapping[str, str]) -> Iterator[str]:
    """Remove what is named; says which folders went."""
    place = models_folder(options.translate, environment)
    for name in names:
        for folder in remove(name, place):
            yield f"removed: {place / folder}"


def planned(folder: Path, run_id: str | None, options: Options, environment: Mapping[str, str]) -> str:
    """Say which models are missing for the records of an output folder or of one run, the one with most text first."""
    target = options.translate.target
    if target == OFF:
        message = 'translate.target is "off", so no model is missing; name the language in the configuration'
        raise SetupError(message)
    models = find_models(options.translate, options.models, environment)
    waiting = _waiting(folder, run_id, target)
    rows, ready = [], []
    for language, records, characters in waiting:
        if missing_pairs(models, language, target):
            rows.append((language, f"{records:,}", f"{characters:,}", add_command(models, [language], target)))
        else:
            ready.append(f"{language} {records:,}")
    if not waiting:
        return f"nothing waits: every record of {folder} is in {target} or translated"
    lines = _table(("language", "records", "characters", "what to add"), rows) if rows else []
    if ready:
        lines.append(f"models are there by now for: {', '.join(ready)}; the same run command translates them")
    return "\n".join(lines)


def _waiting(folder: Path, run_id: str | None, target: str) -> list[tuple[str, int, int]]:
    """Count records and characters by language that are not in the target yet, most characters first."""
    length = pl.col("text").str.len_chars() + pl.col("title").str.len_chars().fill_null(0)
    tables = open_tables(folder)
    articles = tables["articles"]
    if run_id is not None:
        articles = articles.filter(run_id=run_id)
        if run_id not in tables["runs"].select("run_id").collect()["run_id"]:
            message = f'{folder} has no run "{run_id}"; each file in {folder / "runs"} is named after one'
            raise SetupError(message)
    frame = (
        # The last run's word on a document is the one that counts.
        articles.sort("run_date", "run_id")
        .unique("record_id", keep="last")
        .filter(pl.col("mt_lang").ne_missing(target) & (pl.col("lang") != "und"))
        .group_by("lang")
        .agg(pl.len().alias("records"), length.sum().alias("characters"))
        .sort(["characters", "lang"], descending=[True, False])
        .collect()
    )
    return [row for row in frame.iter_rows() if not is_same(row[0], target)]


def missing_pairs(models: Models, language: str, target: str) -> tuple[tuple[str, str], ...]:
    """Name the pairs of languages that lack a model on the way to the target; none where there is a way.

    English is the way between two other languages, as it is for most models there are.
    """
    if models.between(language, target) is not None:
        return ()
    if is_same(target, "en"):
        return ((language, target),)
    legs = ((language, "en"), ("en", target))
    missing = tuple(leg for leg in legs if not is_same(*leg) and models.between(*leg) is None)
    # Each leg has a way, but of more than two models in all: a nearer one is missing.
    return missing or ((language, "en"),)


def add_command(models: Models, languages: Sequence[str], target: str) -> str:
    """Give the command that adds what is missing for some languages."""
    pairs = dict.fromkeys(pair for language in languages for pair in missing_pairs(models, language, target))
    return "babelwire models add " + " ".join(f"{model_code(source)}-{model_code(goal)}" for source, goal in pairs)


def verified(options: Options, environment: Mapping[str, str]) -> Iterator[tuple[str, bool]]:
    """Hold each model against the lock, load it and let it translate; gives a line and whether it is good."""
    # Late: loads CTranslate2.
    from normalize.translate.loaded import Decoding, LoadedModel, ModelError, splitter_of  # noqa: PLC0415

    models = find_models(options.translate, options.models, environment)
    for item in models.broken:
        yield f"broken: {item.folder}: {item.reason}", False
    place = models_folder(options.translate, environment)
    lock = read_lock(place)
    for model in models.found:
        try:
            if fault := _changed(model, lock):
                yield f"broken: {model.folder}: {fault}", False
                continue
            splitter_of(model)
            loaded = LoadedModel(model, device=options.translate.device, threads=1)
            (answer,) = loaded.translate([loaded.encode(PROBE)], Decoding(beam=options.translate.beam))()
            loaded.unload()
        except (ModelError, OSError) as error:
            yield f"broken: {model.name} {model.version}: {error}", False
            continue
        yield f'good: {model.name} {model.version}: "{PROBE}" > "{answer.text}"', True
    for folder in sorted(set(lock) - {model.folder.name for model in models.found} - _names(models.broken)):
        if (place / folder).is_dir():
            yield f"unused: {folder}: another model of the same pair goes before it", True
        else:
            yield f"gone: {folder}: it is in the lock, but its folder is not there; add it again", False


def _names(broken: Sequence[Broken]) -> set[str]:
    return {item.folder.name for item in broken}


def _changed(model: Model, lock: Mapping[str, Locked]) -> str | None:
    """Hash a model anew; says how it differs from what the lock has. What others installed is in no lock."""
    locked = lock.get(model.folder.name) if model.origin == "babelwire" else None
    if locked is None:
        return None
    now = digest_of(model.folder, files_of(model.folder))
    return None if now == locked.sha256 else changed_since(locked, now)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[place]) for row in (heads, *rows)) for place in range(len(heads))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (heads, *rows)]
    return [line.rstrip() for line in (lines[0], "  ".join("-" * width for width in widths), *lines[1:])]
