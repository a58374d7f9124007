"""`babelwire lineage`: what came from what, in the words of OpenLineage and of PROV."""

import json
import re
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import jsonschema
import pytest
import two_nights
from hypothesis import given
from hypothesis import strategies as st

from ingest.cli import main
from ingest.lineage import openlineage, prov
from schemas.errors import SetupError
from schemas.record import COLUMNS, QUARANTINE_COLUMNS

CASES = Path(__file__).parents[1] / "cases" / "lineage"
FORMATS = jsonschema.FormatChecker()

Captured = pytest.CaptureFixture[str]
Json = dict[str, Any]


def is_uri(value: object) -> bool:
    """Say whether it is a URI with a scheme, of the characters of RFC 3986."""
    text = str(value)
    return bool(urlsplit(text).scheme) and bool(
        re.fullmatch(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+", text)
    )


def is_instant(value: object) -> bool:
    """Say whether it is a date-time of RFC 3339, which has an offset."""
    text = str(value)
    return "T" in text and datetime.fromisoformat(text).utcoffset() is not None


def is_uuid(value: object) -> bool:
    return str(uuid.UUID(str(value))) == value


def is_qualified_name(value: object) -> bool:
    """Say whether it is prefix:local in characters that PROV-N needs no escape for."""
    return bool(re.fullmatch(r"[A-Za-z0-9_-]+:(?:[A-Za-z0-9_.-]|%[0-9A-F]{2})+", str(value)))


for name, is_so in (
    ("uri", is_uri),
    ("date-time", is_instant),
    ("uuid", is_uuid),
    ("qualified-name", is_qualified_name),
):
    FORMATS.checks(name, raises=ValueError)(is_so)


def faults(name: str, document: object) -> list[str]:
    schema = json.loads((CASES / name).read_text("utf-8"))
    checker = jsonschema.Draft202012Validator(schema, format_checker=FORMATS)
    return [f"{error.json_path}: {error.message[:200]}" for error in checker.iter_errors(document)]


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two_nights.make(tmp_path_factory.mktemp("nights"))


def manifests(output: Path) -> list[Json]:
    found = [json.loads(path.read_text("utf-8")) for path in (output / "runs").iterdir()]
    return sorted(found, key=lambda manifest: str(manifest["run_date"]))


def events(output: Path) -> list[Json]:
    return [json.loads(line) for line in openlineage(output)]


def test_each_run_has_a_start_and_a_complete_event_with_the_times_of_its_manifest(output: Path) -> None:
    first, second = manifests(output)
    assert [(event["eventType"], event["eventTime"]) for event in events(output)] == [
        ("START", first["started_at"]),
        ("COMPLETE", first["finished_at"]),
        ("START", second["started_at"]),
        ("COMPLETE", second["finished_at"]),
    ]


def test_events_keep_the_published_schema(output: Path) -> None:
    for event in events(output):
        assert faults("openlineage.json", event) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda event: event.pop("producer"),
        lambda event: event["run"].update(runId="4c589cd9cb2efc21"),
        lambda event: event.update(eventTime="2026-01-07T00:00:00"),
        lambda event: event["outputs"][0].pop("name"),
        lambda event: event["inputs"][0]["facets"]["version"].pop("_schemaURL"),
        lambda event: event["inputs"][0]["facets"]["dataSource"].update(uri="no scheme"),
        lambda event: event["outputs"][0]["outputFacets"]["outputStatistics"].update(rowCount="3"),
    ],
)
def test_the_schema_would_notice(change: Any, output: Path) -> None:
    event = events(output)[1]
    change(event)
    assert faults("openlineage.json", event)


def test_the_id_of_a_run_is_made_of_ours_and_is_the_same_every_time(output: Path) -> None:
    ids = [event["run"]["runId"] for event in events(output)]
    space = uuid.uuid5(uuid.NAMESPACE_URL, "urn:babelwire:run")
    assert ids[::2] == ids[1::2] == [str(uuid.uuid5(space, item["run_id"])) for item in manifests(output)]


def test_inputs_are_named_with_their_digest(output: Path) -> None:
    for event, manifest in zip(events(output)[::2], manifests(output), strict=True):
        named = [(item["name"], item["facets"]["version"]["datasetVersion"]) for item in event["inputs"]]
        assert named == [(item["uri"], item["sha256"]) for item in manifest["inputs"]]
        assert event["outputs"] == []


def test_outputs_have_their_columns_rows_and_bytes(output: Path) -> None:
    for event, manifest in zip(events(output)[1::2], manifests(output), strict=True):
        articles, quarantine = event["outputs"]
        assert [Path(item["name"]).name for item in (articles, quarantine)] == ["articles", "quarantine"]
        for table, columns, rows in (
            (articles, COLUMNS, manifest["counts"]["records"]),
            (quarantine, QUARANTINE_COLUMNS, manifest["counts"]["quarantined"]),
        ):
            fields = table["facets"]["schema"]["fields"]
            assert [field["name"] for field in fields] == [column.name for column in columns]
            statistics = table["outputFacets"]["outputStatistics"]
            day = f"run_date={manifest['run_date']}"
            files = list((output / Path(table["name"]).name / day).rglob("*.parquet"))
            assert (statistics["rowCount"], statistics["size"]) == (rows, sum(file.stat().st_size for file in files))


def test_columns_of_another_schema_are_not_guessed(output: Path, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    manifest = {**manifests(output)[0], "schema_version": "0.9.0"}
    (tmp_path / "runs/0123.json").write_text(json.dumps(manifest))
    assert all("schema" not in table["facets"] for table in events(tmp_path)[1]["outputs"])


def test_prov_keeps_the_submitted_schema(output: Path) -> None:
    assert faults("prov.json", json.loads(prov(output))) == []


def test_prov_says_which_run_used_what_and_made_what(output: Path) -> None:
    document = json.loads(prov(output))
    for manifest in manifests(output):
        run = f"run:{manifest['run_id']}"
        used = {item["prov:entity"] for item in document["used"].values() if item["prov:activity"] == run}
        assert used == {f"content:{item['sha256']}" for item in manifest["inputs"]}
        made = {item["prov:entity"] for item in document["wasGeneratedBy"].values() if item["prov:activity"] == run}
        parts = {f"content:{file['sha256']}" for file in manifest["files"] if not file["path"].startswith("state/")}
        tables = {f"table:{manifest['run_id']}-articles", f"table:{manifest['run_id']}-quarantine"}
        assert made == parts | tables
        derived = {
            (item["prov:generatedEntity"], item["prov:usedEntity"])
            for item in document["wasDerivedFrom"].values()
            if item["prov:activity"] == run
        }
        assert derived == {(table, entity) for table in tables for entity in used}
        activity = document["activity"][run]
        assert (activity["prov:startTime"], activity["prov:endTime"]) == (
            manifest["started_at"],
            manifest["finished_at"],
        )
        assert {"prov:activity": run, "prov:agent": f"version:{manifest['tools']['babelwire']}"} in document[
            "wasAssociatedWith"
        ].values()


def test_everything_that_prov_relates_is_described(output: Path) -> None:
    document = json.loads(prov(output))
    things = {name for kind in ("entity", "activity", "agent") for name in document[kind]}
    for kind, relations in document.items():
        if kind not in ("prefix", "entity", "activity", "agent"):
            for relation in relations.values():
                names = {value for key, value in relation.items() if key != "prov:time"}
                assert names <= things
    prefixes = {name.partition(":")[0] for name in things}
    assert prefixes <= set(document["prefix"])


def test_prov_names_the_crawls_that_brought_the_pages(output: Path, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    crawls = [{"crawl_id": "c1", "crawl_date": "2026-01-06"}]
    (tmp_path / "runs/0123.json").write_text(json.dumps({**manifests(output)[0], "crawls": crawls}))
    document = json.loads(prov(tmp_path))
    (informed,) = document["wasInformedBy"].values()
    assert informed["prov:informant"] == "crawl:c1"
    assert faults("prov.json", document) == []


@given(uri=st.text(min_size=1), sha256=st.one_of(st.none(), st.just("0" * 64)))
def test_whatever_an_input_is_called_both_keep_their_schema(
    uri: str, sha256: str | None, output: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    manifest = manifests(output)[0]
    manifest["inputs"] = [{**manifest["inputs"][0], "uri": uri, "sha256": sha256}]
    root = tmp_path_factory.mktemp("named")
    (root / "runs").mkdir()
    (root / "runs/0123.json").write_text(json.dumps(manifest), "utf-8")
    for event in events(root):
        assert faults("openlineage.json", event) == []
        (item,) = event["inputs"]
        assert item["name"] == uri
        if uri != "-":
            path = item["facets"]["dataSource"]["uri"].removeprefix("file://" if uri.startswith("/") else "file:")
            assert unquote(path) == uri
    assert faults("prov.json", json.loads(prov(root))) == []


def test_the_command_prints_both(output: Path, capsys: Captured) -> None:
    assert main(["lineage", str(output)]) == 0
    assert capsys.readouterr().out.splitlines() == list(openlineage(output))
    assert main(["lineage", str(output), "--format", "prov"]) == 0
    assert capsys.readouterr().out == prov(output)


def test_a_folder_without_runs_answers_2(tmp_path: Path, capsys: Captured) -> None:
    assert main(["lineage", str(tmp_path)]) == 2
    assert "holds no finished run" in capsys.readouterr().err
    with pytest.raises(SetupError):
        list(openlineage(tmp_path))
