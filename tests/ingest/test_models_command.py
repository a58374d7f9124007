"""`babelwire models`: what each command prints, and its exit code."""

import re
from pathlib import Path

import pytest
from small_packages import package_file, package_folder
from whole_runs import ROOT, Ended, babelwire, run_folder

from schemas.language import model_code


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "babelwire.toml").write_text('[translate]\nmodels_dir = "models"\n')
    return tmp_path


def models(folder: Path, *arguments: str | Path, **environment: str) -> tuple[int, str]:
    ended = babelwire("models", *arguments, folder=folder, environment=environment)
    assert "Traceback" not in ended.talk
    return ended.code, ended.said + ended.talk


def test_models_are_added_listed_verified_and_removed(folder: Path) -> None:
    code, said = models(folder, "add", ROOT / "seeds" / "models")
    assert code == 0, said
    assert re.search(
        r"^added: translate-de_en 0\.1, de > en, 0\.\d MiB, sha256 \w{12}, in models/translate-de_en-0_1$",
        said,
        re.MULTILINE,
    )
    assert "is there already: translate-de_en 0.1" in models(folder, "add", ROOT / "seeds" / "models")[1]
    assert re.search(
        r"^translate-uk_en +0\.1 +uk > en +0\.\d MiB +babelwire +\w{12} +models/translate-uk_en-0_1$",
        models(folder, "list")[1],
        re.MULTILINE,
    )
    code, said = models(folder, "verify")
    assert (code, said.count("good: ")) == (0, 4)
    assert models(folder, "remove", "de-en", "el-en")[0] == 0
    assert len(list((folder / "models").glob("translate-*"))) == 2


def test_without_models_it_says_where_it_looked(folder: Path) -> None:
    code, said = models(folder, "list")
    assert code == 0
    assert said.startswith("no models; looked in models and ")
    assert "argos-translate/packages" in said


def test_a_model_that_changed_or_broke_fails_the_verification(folder: Path) -> None:
    models(folder, "add", ROOT / "seeds" / "models")
    broken = folder / "models" / "translate-de_en-0_1" / "model" / "model.bin"
    content = bytearray(broken.read_bytes())
    content[-1] ^= 1
    broken.write_bytes(content)
    (folder / "models" / "translate-el_en-0_1" / "metadata.json").write_text("{")
    code, said = models(folder, "verify")
    assert code == 2
    assert re.search(
        r"^broken: models/translate-de_en-0_1: it has SHA-256 \w{64}, but it had \w{64} when it was added",
        said,
        re.MULTILINE,
    )
    assert re.search(r"^broken: models/translate-el_en-0_1: metadata.json is not JSON", said, re.MULTILINE)
    assert said.count("good: ") == 2


def test_a_package_that_only_looks_like_one_is_found_out_when_it_is_loaded(folder: Path) -> None:
    package_folder(folder / "models", "fi", "en")
    code, said = models(folder, "verify")
    assert code == 2
    assert re.search(
        r"^broken: translate-fi_en 1\.0: model translate-fi_en 1\.0 cannot be loaded \(", said, re.MULTILINE
    )


def test_a_fault_is_one_line_with_exit_code_2(folder: Path) -> None:
    code, said = models(folder, "add", "nothing.argosmodel")
    assert (code, said.count("\n")) == (2, 1)
    assert said.startswith('babelwire: "nothing.argosmodel" is no file, folder, address or pair')


@pytest.fixture
def mixed(folder: Path) -> Ended:
    """A run over texts in four languages, without any model."""
    pages = folder / "pages"
    pages.mkdir()
    texts = {
        "fr": "La bibliothèque municipale ouvre ses portes ce samedi après deux années de travaux dans le vieux quartier.",
        "ru": "Городская библиотека открывает свои двери в эту субботу после двух лет ремонта в старом квартале города.",
        "en": "The town library opens its doors this Saturday after two years of building works in the old quarter.",
    }
    for name, text in texts.items():
        (pages / f"{name}.txt").write_text(f"{text}\n\n{text.upper()}\n")
    (pages / "ru2.txt").write_text(texts["ru"].replace("субботу", "пятницу") + "\n")
    ended = run_folder("pages", folder=folder)
    assert ended.code == 0, ended.talk
    return ended


@pytest.mark.usefixtures("mixed")
def test_plan_names_what_is_missing_with_the_most_text_first(folder: Path) -> None:
    code, said = models(folder, "plan", "out")
    assert code == 0
    lines = said.splitlines()
    assert re.fullmatch(r"ru +2 +\d+ +babelwire models add ru-en", lines[2])
    assert re.fullmatch(r"fr +1 +\d+ +babelwire models add fr-en", lines[3])
    assert len(lines) == 4


@pytest.mark.usefixtures("mixed")
def test_plan_goes_through_english_and_leaves_out_what_is_there(folder: Path) -> None:
    package_folder(folder / "models", "ru", "en")
    package_folder(folder / "models", "en", "de")
    said = models(folder, "plan", "out", BABELWIRE_TRANSLATE_TARGET="de")[1]
    assert re.search(r"^fr +1 +\d+ +babelwire models add fr-en$", said, re.MULTILINE)
    assert said.splitlines()[-1] == "models are there by now for: ru 2, en 1; the same run command translates them"


def test_plan_can_look_at_one_run(mixed: Ended, folder: Path) -> None:
    run_id = mixed.manifest()["run_id"]
    assert models(folder, "plan", "out", "--run", run_id) == models(folder, "plan", "out")
    code, said = models(folder, "plan", "out", "--run", "nothing")
    assert (code, said.startswith('babelwire: out has no run "nothing"; each file in out/runs')) == (2, True)


@pytest.mark.usefixtures("mixed")
def test_plan_names_a_nearer_way_where_the_one_there_is_too_long(folder: Path) -> None:
    for pair in (("ru", "uk"), ("uk", "en"), ("en", "de")):
        package_folder(folder / "models", *pair)
    assert "babelwire models add ru-en" in models(folder, "plan", "out", BABELWIRE_TRANSLATE_TARGET="de")[1]


def test_plan_forgets_what_a_later_run_translated(folder: Path) -> None:
    text = "Die Bibliothek öffnet am Samstag nach zwei Jahren Umbau wieder ihre Türen im alten Viertel der Stadt."
    (folder / "page.txt").write_text(f"{text}\n")
    assert run_folder("page.txt", folder=folder).code == 0
    assert "de-en" in models(folder, "plan", "out")[1]
    models(folder, "add", ROOT / "seeds" / "models")
    assert "the same run command translates them" in models(folder, "plan", "out")[1]
    assert run_folder("page.txt", "--date", "2026-01-09", folder=folder).code == 0
    assert models(folder, "plan", "out")[1].startswith("nothing waits")


def test_plan_says_so_when_nothing_waits(folder: Path) -> None:
    (folder / "page.txt").write_text(
        "The town library opens its doors this Saturday after two years of building works.\n"
    )
    assert run_folder("page.txt", folder=folder).code == 0
    assert models(folder, "plan", "out")[1].startswith("nothing waits: every record of out is in en or translated")


@pytest.mark.parametrize(("tag", "code"), [("zh-Hant", "zt"), ("pt-BR", "pb"), ("zh-Hans", "zh"), ("uk", "uk")])
def test_a_pair_is_named_as_argos_names_it(tag: str, code: str) -> None:
    assert model_code(tag) == code


def test_a_package_can_be_added_from_a_mirror_by_its_pair(folder: Path) -> None:
    file = package_file(folder, "fr", "en")
    (folder / "mirror.json").write_text(
        f'[{{"from_code": "fr", "to_code": "en", "package_version": "1.0", "links": ["{file.name}"]}}]'
    )
    (folder / "babelwire.toml").write_text('[translate]\nmodels_dir = "models"\nindex = "mirror.json"\n')
    code, said = models(folder, "add", "fr-en")
    assert (code, said.startswith("added: translate-fr_en 1.0")) == (0, True), said
