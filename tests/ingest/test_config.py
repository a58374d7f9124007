"""Options: where they come from, and that every fault is said so that it can be mended."""

from pathlib import Path

import pytest

from ingest.config import Options, read_options
from normalize.options import usable_cpus
from schemas.errors import SetupError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "babelwire.toml"


def fault(file: Path | None, **environment: str) -> str:
    with pytest.raises(SetupError) as caught:
        read_options(file, environment)
    return str(caught.value)


def test_without_a_file_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert read_options(None, {}) == Options()
    assert Options().run.workers == usable_cpus()


def test_the_file_of_this_folder_is_found(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("[run]\nchunk_size = 7\n")
    monkeypatch.chdir(file.parent)
    assert read_options(None, {}).run.chunk_size == 7


def test_command_line_wins_over_environment_and_environment_over_file(file: Path) -> None:
    file.write_text("[run]\nworkers = 2\nchunk_size = 7\n[limits]\nmax_bytes = 99\n")
    environment = {"BABELWIRE_RUN_WORKERS": "3", "BABELWIRE_LIMITS_MAX_BYTES": "100", "HOME": "/"}
    assert read_options(file, environment).run.workers == 3
    options = read_options(file, environment, workers=4)
    assert (options.run.workers, options.run.chunk_size, options.limits.max_bytes) == (4, 7, 100)


def test_a_whole_number_will_do_where_a_fraction_may_stand(file: Path) -> None:
    file.write_text("[run]\ndocument_seconds = 5\n")
    assert read_options(file, {}).run.document_seconds == 5.0


FAULTS = [
    ("[runs]\n", 'table or key "runs" is unknown; use one of: [run], [limits], [document], [translate], [[model]]'),
    ("run = 3\n", "run is 3; write it as a table: [run]"),
    ("[run]\nworker = 3\n", '[run] key "worker" is unknown; use one of: chunk_size, workers'),
    ("[run]\nworkers = 0\n", "[run] workers is 0; it must be from 1 to 1024"),
    ("[run]\nworkers = true\n", "[run] workers is True; it must be a whole number"),
    ('[run]\nworkers = "four"\n', "[run] workers is 'four'; it must be a whole number"),
    ("[run]\nworkers = [1]\n", "[run] workers is [1]; it must be a whole number"),
    ("[run]\ndocument_seconds = nan\n", "[run] document_seconds is nan; it must be from 0.1"),
    ("[document]\nmin_lang_score = 1.5\n", "min_lang_score is 1.5; it must be from 0.0 to 1.0"),
    ("[run\n", "is not TOML in UTF-8"),
    (
        '[translate]\ntarget = "English"\n',
        'target is "English"; it must be a language tag such as en or pt-BR, or "off"',
    ),
    ('[translate]\ndevice = "gpu"\n', 'device is "gpu"; it must be "cpu" or "cuda"'),
    ("[model]\n", "write each model as a table: [[model]]"),
    ('[[model]]\nsource = "uk"\ntarget = "en"\n', "[[model]] number 1: path is missing"),
    ('[[model]]\nfrom = "uk"\n', '[[model]] number 1: key "from" is unknown; use one of: source, target, path'),
    ('[[model]]\nsource = "Ukrainian"\n', "source is 'Ukrainian'; it must be a language tag such as de"),
]


@pytest.mark.parametrize(("text", "message"), FAULTS)
def test_a_fault_in_the_file_names_file_key_value_and_what_is_allowed(file: Path, text: str, message: str) -> None:
    file.write_text(text)
    said = fault(file)
    assert said.startswith(f"{file}: ")
    assert message in said


def test_a_target_may_be_named_as_argos_names_it(file: Path) -> None:
    file.write_text('[translate]\ntarget = "zt"\n')
    assert read_options(file, {}).translate.target == "zh-Hant"
    assert read_options(file, {}, target="pb").translate.target == "pt-BR"


def test_models_are_declared_beside_the_file(file: Path) -> None:
    file.write_text('[[model]]\nsource = "uk"\ntarget = "en"\npath = "opus"\nsource_prefix = ">>eng<<"\n')
    (entry,) = read_options(file, {}).models
    assert (entry.path, entry.source_pieces, entry.source_prefix) == (file.parent / "opus", "source.spm", ">>eng<<")


def test_a_file_that_is_not_there_is_named(file: Path) -> None:
    assert f"{file}: cannot be read" in fault(file)


def test_a_fault_in_a_variable_names_the_variable(file: Path) -> None:
    file.touch()
    said = fault(file, BABELWIRE_RUN_WORKERS="many")
    assert said == "BABELWIRE_RUN_WORKERS is 'many'; it must be a whole number"


def test_a_variable_that_sets_nothing_is_refused(file: Path) -> None:
    file.touch()
    said = fault(file, BABELWIRE_RUN_WORKER="4")
    assert said.startswith('BABELWIRE_RUN_WORKER="4" sets nothing; use one of: BABELWIRE_RUN_')


def test_only_options_that_shape_the_output_change_the_fingerprint(file: Path) -> None:
    file.touch()
    plain = read_options(file, {}).config_sha256()
    same = {"BABELWIRE_RUN_WORKERS": "9", "BABELWIRE_RUN_DOCUMENT_SECONDS": "1.5"}
    assert read_options(file, same).config_sha256() == plain
    for name in ("RUN_CHUNK_SIZE", "LIMITS_MAX_RATIO", "DOCUMENT_MAX_DEPTH"):
        assert read_options(file, {f"BABELWIRE_{name}": "11"}).config_sha256() != plain
