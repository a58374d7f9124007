"""Events of `babelwire lineage` as the classes see them that OpenLineage makes of its published schema, where their package is there.

pip install openlineage-python
"""

import json
from importlib import import_module
from typing import Any

import pytest
import two_nights

from ingest.lineage import openlineage

Json = dict[str, Any]

#: Facet -> module below openlineage.client.generated, and class.
CLASSES = {
    "nominalTime": ("nominal_time_run", "NominalTimeRunFacet"),
    "processing_engine": ("processing_engine_run", "ProcessingEngineRunFacet"),
    "jobType": ("job_type_job", "JobTypeJobFacet"),
    "schema": ("schema_dataset", "SchemaDatasetFacet"),
    "dataSource": ("datasource_dataset", "DatasourceDatasetFacet"),
    "version": ("dataset_version_dataset", "DatasetVersionDatasetFacet"),
    "outputStatistics": ("output_statistics_output_dataset", "OutputStatisticsOutputDatasetFacet"),
}


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> list[Json]:
    pytest.importorskip("openlineage.client", reason="needs openlineage-python")
    folder = two_nights.make(tmp_path_factory.mktemp("nights"))
    return [json.loads(line) for line in openlineage(folder)]


def facets(value: object) -> list[tuple[str, Json]]:
    """Find every facet below a value, by name."""
    if isinstance(value, list):
        return [found for item in value for found in facets(item)]
    if not isinstance(value, dict):
        return []
    here = [(name, item) for name, item in value.items() if isinstance(item, dict) and "_schemaURL" in item]
    return here + [found for item in value.values() for found in facets(item)]


def test_every_facet_can_be_made_by_its_published_class_and_names_its_schema(events: list[Json]) -> None:
    seen = set()
    for name, facet in facets(events):
        module, kind = CLASSES[name]
        made = getattr(import_module(f"openlineage.client.generated.{module}"), kind)(
            **{key: value for key, value in facet.items() if not key.startswith("_")}
        )
        assert made._get_schema() == facet["_schemaURL"]
        seen.add(name)
    assert seen == set(CLASSES)


def test_every_event_can_be_made_by_the_published_classes(events: list[Json]) -> None:
    base = import_module("openlineage.client.generated.base")
    for event in events:
        made = base.RunEvent(
            eventType=base.EventType(event["eventType"]),
            eventTime=event["eventTime"],
            run=base.Run(**event["run"]),
            job=base.Job(**event["job"]),
            inputs=[base.InputDataset(**item) for item in event["inputs"]],
            outputs=[base.OutputDataset(**item) for item in event["outputs"]],
            producer=event["producer"],
        )
        assert made.schemaURL == event["schemaURL"]
        assert set(event) <= {"eventType", "eventTime", "run", "job", "inputs", "outputs", "producer", "schemaURL"}
