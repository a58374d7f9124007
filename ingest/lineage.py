"""What came from what, made of the manifests alone: OpenLineage events, or PROV as JSON. Nothing is sent anywhere.

OpenLineage: https://openlineage.io/spec/2-0-2/OpenLineage.json, a START and a COMPLETE event for each run, and the facets
that are published beside it. PROV: the PROV-JSON submission of 2013, https://www.w3.org/submissions/prov-json/.
"""

import hashlib
import json
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from ingest.sources.inputs import STANDARD_INPUT
from ingest.staged import TABLES
from ingest.store import Manifest, read_manifests
from schemas.errors import SetupError
from schemas.record import COLUMNS, QUARANTINE_COLUMNS, SCHEMA_VERSION, Column
from schemas.show import dtype_name

#: Runs have ids of their own; OpenLineage wants UUIDs, which are made of them by uuid5 (RFC 9562, 5.5).
RUNS: Final = uuid.uuid5(uuid.NAMESPACE_URL, "urn:babelwire:run")

_SPEC: Final = "https://openlineage.io/spec"

#: The published schema of each facet.
_FACETS: Final = {
    "nominalTime": "facets/1-0-1/NominalTimeRunFacet.json#/$defs/NominalTimeRunFacet",
    "processing_engine": "facets/1-1-1/ProcessingEngineRunFacet.json#/$defs/ProcessingEngineRunFacet",
    "jobType": "facets/2-0-4/JobTypeJobFacet.json#/$defs/JobTypeJobFacet",
    "schema": "facets/1-2-0/SchemaDatasetFacet.json#/$defs/SchemaDatasetFacet",
    "dataSource": "facets/1-0-1/DatasourceDatasetFacet.json#/$defs/DatasourceDatasetFacet",
    "version": "facets/1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet",
    "outputStatistics": "facets/1-0-2/OutputStatisticsOutputDatasetFacet.json#/$defs/OutputStatisticsOutputDatasetFacet",
}

_COLUMNS: Final[dict[str, Sequence[Column]]] = {"articles": COLUMNS, "quarantine": QUARANTINE_COLUMNS}

Json = dict[str, Any]


def openlineage(root: Path) -> Iterator[str]:
    """Give the events of all runs below an output folder, oldest run first, one JSON object a line.

    Raises:
        SetupError: If the folder holds no run, or a manifest cannot be read.
    """
    for manifest in _manifests(root):
        for event in _events(manifest, root):
            yield json.dumps(event, ensure_ascii=False)


def prov(root: Path) -> str:
    """Give all runs below an output folder as one PROV-JSON document.

    Raises:
        SetupError: If the folder holds no run, or a manifest cannot be read.
    """
    document: Json = {
        "prefix": {
            "run": "urn:babelwire:run:",
            "crawl": "urn:babelwire:crawl:",
            "table": "urn:babelwire:table:",
            "content": "urn:babelwire:sha256:",
            "unread": "urn:babelwire:unread:",
            "version": "urn:babelwire:version:",
            "babelwire": "urn:babelwire:term:",
        }
    }
    for manifest in _manifests(root):
        _add(document, manifest)
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _manifests(root: Path) -> tuple[Manifest, ...]:
    manifests = read_manifests(root)
    if not manifests:
        message = f"{root} holds no finished run; name a folder that has runs/ID.json in it"
        raise SetupError(message)
    return manifests


# ---- OpenLineage --------------------------------------------------------------------------------


def _events(manifest: Manifest, root: Path) -> tuple[Json, Json]:
    producer = f"urn:babelwire:{_quoted(manifest['tools']['babelwire'])}"

    def facet(name: str, /, **values: object) -> dict[str, Json]:
        return {name: {"_producer": producer, "_schemaURL": f"{_SPEC}/{_FACETS[name]}", **values}}

    def dataset(name: str, uri: str, version: str | None) -> Json:
        source = facet("dataSource", name=name, uri=uri)
        return {
            "namespace": "file",
            "name": name,
            "facets": source | (facet("version", datasetVersion=version) if version else {}),
        }

    shared: Json = {
        "run": {
            "runId": str(uuid.uuid5(RUNS, manifest["run_id"])),
            "facets": {
                **facet("nominalTime", nominalStartTime=f"{manifest['run_date']}T00:00:00Z"),
                **facet("processing_engine", name="babelwire", version=manifest["tools"]["babelwire"]),
            },
        },
        "job": {
            "namespace": "babelwire",
            "name": "run",
            "facets": facet("jobType", processingType="BATCH", integration="BABELWIRE", jobType="JOB"),
        },
        "inputs": [dataset(item["uri"], _uri(item["uri"]), item["sha256"]) for item in manifest["inputs"]],
        "producer": producer,
        "schemaURL": f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent",
    }
    outputs = []
    for table in TABLES:
        files = [file for file in manifest["files"] if file["path"].startswith(f"{table}/")]
        place = (root.resolve() / table).as_posix()
        written = dataset(place, _uri(place), manifest["run_id"])
        # Of an older schema we know no columns.
        if manifest["schema_version"] == SCHEMA_VERSION:
            written["facets"] |= facet("schema", fields=[_field(column) for column in _COLUMNS[table]])
        size = sum(file["bytes"] for file in files)
        written["outputFacets"] = facet("outputStatistics", rowCount=sum(file["rows"] for file in files), size=size)
        outputs.append(written)
    start = {"eventType": "START", "eventTime": manifest["started_at"], **shared, "outputs": []}
    return start, {"eventType": "COMPLETE", "eventTime": manifest["finished_at"], **shared, "outputs": outputs}


def _field(column: Column) -> Json:
    return {"name": column.name, "type": dtype_name(column.dtype), "description": column.meaning}


def _uri(path: str) -> str:
    """Give a path as a URI; a relative one stays so, as nobody knows any more where it began."""
    if path == STANDARD_INPUT:
        return "urn:babelwire:standard-input"
    return ("file://" if path.startswith("/") else "file:") + _quoted(path)


def _quoted(text: str) -> str:
    # Names of files are bytes, and some are no UTF-8.
    return quote(text.encode("utf-8", "surrogateescape"))


# ---- PROV ---------------------------------------------------------------------------------------


def _add(document: Json, manifest: Manifest) -> None:
    """Add one run to a document: what it used, made and was done by."""

    def put(kind: str, name: str, /, **values: object) -> str:
        document.setdefault(kind, {}).setdefault(name, {}).update(
            {key.replace("__", ":"): value for key, value in values.items()}
        )
        return name

    def relate(kind: str, /, **values: str) -> None:
        digest = hashlib.sha256("\n".join([kind, *values.values()]).encode("utf-8", "surrogateescape")).hexdigest()
        put(kind, f"_:{digest[:24]}", **values)

    run = put(
        "activity",
        f"run:{manifest['run_id']}",
        prov__startTime=manifest["started_at"],
        prov__endTime=manifest["finished_at"],
        babelwire__run_date=manifest["run_date"],
        babelwire__config_sha256=manifest["config_sha256"],
        babelwire__schema_version=manifest["schema_version"],
    )
    version = manifest["tools"]["babelwire"]
    agent = put(
        "agent",
        f"version:{_quoted(version)}",
        prov__type={"$": "prov:SoftwareAgent", "type": "prov:QUALIFIED_NAME"},
        prov__label=f"babelwire {version}",
    )
    relate("wasAssociatedWith", prov__activity=run, prov__agent=agent)
    for crawl in manifest.get("crawls", ()):
        informant = put("activity", f"crawl:{crawl['crawl_id']}", babelwire__crawl_date=crawl["crawl_date"])
        relate("wasInformedBy", prov__informed=run, prov__informant=informant)
    tables = [
        put(
            "entity",
            f"table:{manifest['run_id']}-{table}",
            prov__type={"$": "prov:Collection", "type": "prov:QUALIFIED_NAME"},
            prov__label=f"{table} of run {manifest['run_id']}",
        )
        for table in TABLES
    ]
    for table in tables:
        relate("wasGeneratedBy", prov__entity=table, prov__activity=run, prov__time=manifest["finished_at"])
    for item in manifest["inputs"]:
        name = f"content:{item['sha256']}" if item["sha256"] else f"unread:{_named(item['uri'])}"
        entity = put("entity", name, prov__location=item["uri"], babelwire__bytes=item["bytes"])
        relate("used", prov__activity=run, prov__entity=entity)
        for table in tables:
            relate("wasDerivedFrom", prov__generatedEntity=table, prov__usedEntity=entity, prov__activity=run)
    for file in manifest["files"]:
        table = file["path"].partition("/")[0]
        if table in TABLES:
            part = put("entity", f"content:{file['sha256']}", prov__location=file["path"], babelwire__rows=file["rows"])
            relate("wasGeneratedBy", prov__entity=part, prov__activity=run, prov__time=manifest["finished_at"])
            relate("hadMember", prov__collection=f"table:{manifest['run_id']}-{table}", prov__entity=part)


def _named(uri: str) -> str:
    return hashlib.sha256(uri.encode("utf-8", "surrogateescape")).hexdigest()
