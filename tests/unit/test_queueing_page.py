"""The examples of docs/queueing.md; `tests/cluster/test_kueue.py` applies them to a cluster."""

from __future__ import annotations

from typing import Any

import yaml
from jsonschema import Draft202012Validator

from chart_values import read_values, values_schema
from clipmill.spec import Manifest
from clipmill_operator.building.labels import PRIORITY_CLASS, QUEUE_NAME
from cluster.queueing_page import example
from generate import CHART

QUEUES = {item["kind"]: item for item in example("queues")}


def test_the_values_are_allowed() -> None:
    """By the chart's schema, which requires Kueue for a queue."""
    (values,) = example("values")
    text = (CHART / "values.yaml").read_text()
    defaults = yaml.safe_load(text)
    merged = defaults | {"jobs": defaults["jobs"] | values["jobs"]}
    schema = values_schema(read_values(text))
    assert list(Draft202012Validator(schema).iter_errors(merged)) == []


def test_names_agree() -> None:
    """Of queues, values and the labels of the Compilation, in one namespace."""
    (values,), (compilation,) = example("values"), example("compilation")
    local, metadata = QUEUES["LocalQueue"], compilation["metadata"]
    assert local["spec"]["clusterQueue"] == QUEUES["ClusterQueue"]["metadata"]["name"]
    assert values["jobs"]["kueue"]["queueName"] == local["metadata"]["name"]
    assert metadata["namespace"] == local["metadata"]["namespace"]
    assert metadata["labels"] == {
        QUEUE_NAME: local["metadata"]["name"],
        PRIORITY_CLASS: QUEUES["WorkloadPriorityClass"]["metadata"]["name"],
    }
    flavors = QUEUES["ClusterQueue"]["spec"]["resourceGroups"][0]["flavors"]
    assert [each["name"] for each in flavors] == [QUEUES["ResourceFlavor"]["metadata"]["name"]]


def test_the_manifest_is_valid() -> None:
    """As the API and `clipmill validate` read it."""
    manifest: dict[str, Any] = example("compilation")[0]
    assert Manifest.model_validate(manifest).metadata.name == "friday"
