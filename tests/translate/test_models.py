"""Which models there are, which one wins, and the way from one language to another."""

from dataclasses import replace
from pathlib import Path

import pytest
from small_packages import metadata, package_folder

from normalize.options import DeclaredModel, TranslateOptions
from normalize.translate.models import Model, Models, find_models
from schemas.errors import SetupError


def model(source: str, target: str) -> Model:
    return Model(
        name=f"translate-{source}_{target}", version="1.0", source=source, target=target,
        folder=Path("x"), sha256=f"{source}{target}", size=1, origin="babelwire",
    )  # fmt: skip


def way(models: Models, source: str, target: str) -> str | None:
    route = models.between(source, target)
    return None if route is None else " ".join([route[0].source, *(leg.target for leg in route)])


PAIRS = "de-en el-en uk-en uk-pl pl-de en-de nb-en zh-en cs-sk sk-en cs-aa aa-en".split()
ALL = Models(
    found=(*(model(*pair.split("-")) for pair in PAIRS), model("pt-BR", "en"), model("zh-Hant", "en")),
)


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("de", "en", "de en"),
        ("el", "de", "el en de"),  # through English
        ("uk", "de", "uk en de"),  # English goes before Polish
        ("cs", "en", "cs aa en"),  # else the first by name, so that it is always the same
        ("no", "en", "nb en"),  # one code for Norwegian, another for its written form
        ("pt", "en", "pt-BR en"),
        ("no", "de", "nb en de"),
        ("zh-Hans", "en", "zh en"),
        ("zh-Hant", "en", "zh-Hant en"),
        ("de", "el", None),
        ("fr", "en", None),
    ],
)
def test_the_way_from_one_language_to_another(source: str, target: str, expected: str | None) -> None:
    assert way(ALL, source, target) == expected


def test_only_models_on_a_way_to_the_target_count_for_it() -> None:
    names = [item.name for item in ALL.towards("de")]
    assert "translate-en_de" in names
    assert "translate-cs_sk" not in names


def found(place: Path, *declared: DeclaredModel, **environment: str) -> Models:
    return find_models(TranslateOptions(models_dir=str(place)), declared, environment)


def test_packages_are_found_with_languages_version_size_and_digest(tmp_path: Path) -> None:
    package_folder(tmp_path, "pb", "en", "1.9")
    (only,) = found(tmp_path, XDG_DATA_HOME="/nowhere").found
    assert (only.name, only.version, only.source, only.target) == ("translate-pb_en", "1.9", "pt-BR", "en")
    assert only.size > 0
    assert only.label == f"translate-pb_en 1.9 sha256:{only.sha256}"


def test_the_newest_version_of_a_pair_wins_by_number(tmp_path: Path) -> None:
    for version in ("1.9", "1.10", "1.2"):
        package_folder(tmp_path, "de", "en", version)
    assert [item.version for item in found(tmp_path).found] == ["1.10"]


def test_what_argospm_installed_is_found_behind_our_own(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "argos-translate" / "packages"
    package_folder(ours, "de", "en", "1.0")
    package_folder(theirs, "de", "en", "2.0")
    package_folder(theirs, "fr", "en", "2.0")
    models = found(ours, XDG_DATA_HOME=str(tmp_path))
    assert {(item.source, item.version, item.origin) for item in models.found} == {
        ("de", "1.0", "babelwire"),
        ("fr", "2.0", "argospm"),
    }
    elsewhere = found(ours, XDG_DATA_HOME="/nowhere", ARGOS_PACKAGES_DIR=str(theirs))
    assert {item.source for item in elsewhere.found} == {"de", "fr"}


def test_the_digest_tells_any_change_and_nothing_else(tmp_path: Path) -> None:
    digests = set()
    for number, changed in enumerate(({}, {}, {"model/model.bin": b"weighty"}, {"sentencepiece.model": b"piecez"})):
        package_folder(tmp_path / str(number), "de", "en", changed=changed)
        digests.add(found(tmp_path / str(number)).found[0].sha256)
    assert len(digests) == 3


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"metadata.json": None}, "metadata.json cannot be read (No such file or directory)"),
        ({"metadata.json": b"\xff"}, "metadata.json is not JSON in UTF-8"),
        ({"metadata.json": b"[]"}, "metadata.json holds no object"),
        ({"metadata.json": b"{}"}, "from_code is None; it must be a language code such as de"),
        ({"metadata.json": metadata("../x", "en")}, "from_code is '../x'"),
        ({"metadata.json": metadata("de", "en", type="sbd")}, "type is 'sbd'; only translate can be used"),
        ({"model/model.bin": None}, "model/model.bin is missing; the package is incomplete"),
        ({"sentencepiece.model": None}, "neither sentencepiece.model nor bpe.model is there"),
    ],
)
def test_a_folder_that_is_no_package_is_named_with_the_reason(
    tmp_path: Path, changed: dict[str, bytes | None], reason: str
) -> None:
    folder = package_folder(tmp_path, "de", "en", changed=changed)
    models = found(tmp_path)
    assert models.found == ()
    (broken,) = models.broken
    assert broken.folder == folder
    assert reason in broken.reason


def test_a_declared_model_wins_and_a_broken_one_stops_with_the_file_that_is_missing(tmp_path: Path) -> None:
    package_folder(tmp_path / "ours", "uk", "en")
    folder = tmp_path / "opus-uk-en"
    folder.mkdir()
    for name in ("model.bin", "source.spm", "target.spm"):
        (folder / name).write_bytes(b"x")
    entry = DeclaredModel(source="uk", target="en", path=folder)
    (only,) = found(tmp_path / "ours", entry).found
    assert (only.name, only.origin) == ("opus-uk-en-uk_en", "configuration")
    # One folder for several languages, told apart by a prefix: two models, which the memory must not mix up.
    others = [replace(entry, target="de", target_prefix=prefix) for prefix in (">>deu<<", ">>ger<<")]
    assert len({found(tmp_path / "ours", one).found[0].sha256 for one in (entry, *others)}) == 3
    (folder / "target.spm").unlink()
    with pytest.raises(SetupError, match=r"opus-uk-en: target\.spm is missing"):
        found(tmp_path / "ours", entry)
