"""values.yaml, its schema and its table agree; invalid values are refused by name."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from chart_values import UndescribedValue, read_values, values_schema
from generate import CHART, crd_text, readme_text, schema_text

TEXT = (CHART / "values.yaml").read_text()
DEFAULTS = yaml.safe_load(TEXT)
RULES = Draft202012Validator(json.loads(schema_text()))


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    """Return the default values with some settings changed, by dotted name."""
    values = copy.deepcopy(DEFAULTS)
    for name, value in changes.items():
        *path, last = name.split(".")
        place = values
        for key in path:
            place = place[key]
        place[last] = value
    return values


def violations(values: dict[str, Any]) -> list[str]:
    """Return `setting: message` for each violated rule, down to the innermost."""

    def messages(error: Any) -> list[str]:
        inner = [line for cause in error.context or () for line in messages(cause)]
        return inner or [f"{'.'.join(map(str, error.absolute_path))}: {error.message}"]

    return [line for error in RULES.iter_errors(values) for line in messages(error)]


GENERATED = {
    "values.schema.json": schema_text,
    "README.md": readme_text,
    "templates/crd.yaml": crd_text,
}


@pytest.mark.parametrize("name", GENERATED)
def test_generated_files_are_current(name: str) -> None:
    """`make generate` would not change them."""
    assert (CHART / name).read_text() == GENERATED[name]()


def test_the_defaults_are_valid() -> None:
    """An install needs no values."""
    assert violations(DEFAULTS) == []


def test_unknown_keys_are_refused() -> None:
    """Everywhere but in maps whose keys are the user's own."""
    open_ones = []

    def walk(name: str, rule: Any) -> None:
        if not isinstance(rule, dict):
            return
        if rule.get("type") == "object" and rule.get("additionalProperties") is not False:
            open_ones.append(name)
        for key, inner in {**rule.get("properties", {}), **rule.get("$defs", {})}.items():
            walk(f"{name}.{key}".lstrip("."), inner)

    made = json.loads(schema_text())
    walk("", made)
    strings = ["pods.annotations", "pods.labels", "pods.nodeSelector", "strings"]
    assert sorted(open_ones) == sorted(
        [
            *strings,
            "free",
            "global",
            "resources.limits",
            "resources.requests",
        ]
    )


def test_a_setting_without_a_description_is_refused() -> None:
    """values.yaml is the documentation."""
    with pytest.raises(UndescribedValue, match=r"api\.port"):
        read_values("api:\n  # -- Its name.\n  name: x\n  port: 80\n")
    assert all(value.description for value in read_values(TEXT) if value.is_leaf)


def test_a_schema_is_written_by_name_or_in_full() -> None:
    """Without `# @schema` the type of the default applies."""
    text = '# -- A.\n# @schema port\na: 1\n# -- B.\n# @schema {"minimum": 2}\nb: 2\n# -- C.\nc: x\n'
    made = values_schema(read_values(text))
    assert made["properties"]["a"] == {"description": "A.", "$ref": "#/$defs/port"}
    assert made["properties"]["b"] == {"description": "B.", "type": "integer", "minimum": 2}
    assert made["properties"]["c"] == {"description": "C.", "type": "string"}


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "misspelt": ({"api.replica": 2}, "api: Additional properties are not allowed ('replica'"),
    "type": ({"api.replicas": "2"}, "api.replicas: '2' is not of type 'integer'"),
    "mode": ({"database.mode": "mysql"}, "database.mode: 'mysql' is not one of ['sqlite', "),
    "two replicas with SQLite": ({"api.replicas": 2}, "api.replicas: 1 was expected"),
    "autoscaling with SQLite": (
        {"api.autoscaling.enabled": True},
        "api.autoscaling.enabled: False was",
    ),
    "two replicas with ReadWriteOnce": (
        {"api.replicas": 2, "database.mode": "bundled"},
        "api.storage.accessModes: ['ReadWriteOnce'] does not contain items",
    ),
    "links for jobs that reach no object store": (
        {
            "api.objectStore.url": "s3://bucket",
            "api.objectStore.linkSeconds": 60,
            "api.objectStore.jobLinks": True,
        },
        "api.objectStore.jobCIDRs: [] ",
    ),
    "no Secret": ({"database.mode": "existing"}, "database.existingSecret: '' "),
    "Secret unused": (
        {"database.existingSecret": "db"},
        "database.existingSecret: '' was expected",
    ),
    "alerts without metrics": (
        {"monitoring.rules.enabled": True},
        "monitoring.serviceMonitor.enabled: True was expected",
    ),
    "a route without a Gateway": (
        {"api.httpRoute.enabled": True},
        "api.httpRoute.parentRefs: [] ",
    ),
    "a queue without Kueue": (
        {"jobs.kueue.queueName": "render"},
        "jobs.kueue.queueName: '' was expected",
    ),
    "fewer than no Compilations": ({"jobs.maxActive": -1}, "jobs.maxActive: -1 is less than"),
    "a size without a unit": ({"api.storage.size": 20}, "api.storage.size: 20 is less than"),
    "a size without a unit as text": (
        {"database.bundled.storage.size": "20"},
        "database.bundled.storage.size: '20' does not match",
    ),
    "size": ({"api.storage.size": "big"}, "api.storage.size: 'big' does not match"),
    "a tag that YAML reads as a float": (
        {"image.tag": 1.1},
        "image.tag: 1.1 is not of type 'string'",
    ),
    "digest": ({"api.image.digest": "sha256:1"}, "api.image.digest: 'sha256:1' does not match"),
    "policy": ({"image.pullPolicy": "Sometimes"}, "image.pullPolicy: 'Sometimes' is not one of"),
    "owner": ({"defaultOwner": "Ada L"}, "defaultOwner: 'Ada L' does not match"),
    "source": ({"sources.allowPrivate": ["minio"]}, "sources.allowPrivate.0: 'minio' does not"),
    "length": ({"rendering.lengthLimits": ["tiktok"]}, "rendering.lengthLimits.0: 'tiktok' does"),
    "cidr": ({"networkPolicy.excludedCIDRs": ["10"]}, "networkPolicy.excludedCIDRs.0: '10' does"),
    "root": ({"database.bundled.uid": 0}, "database.bundled.uid: 0 is less than the minimum of 1"),
    "stage": ({"jobs.pods.resources.cut": {}}, "jobs.pods.resources: Additional properties"),
    "port": ({"api.service.port": 70000}, "api.service.port: 70000 is greater than the maximum"),
    "yes": ({"networkPolicy.enabled": "yes"}, "networkPolicy.enabled: 'yes' is not of type"),
}


@pytest.mark.parametrize("changes_and_message", BAD.values(), ids=BAD)
def test_bad_values_are_refused_by_name(changes_and_message: tuple[dict[str, Any], str]) -> None:
    """The message names the setting, its value and the rule."""
    changes, message = changes_and_message
    assert any(line.startswith(message) for line in violations(changed(changes))), violations(
        changed(changes)
    )


GOOD: dict[str, dict[str, Any]] = {
    "scaled": {
        "database.mode": "bundled",
        "api.autoscaling.enabled": True,
        "api.storage.accessModes": ["ReadWriteMany"],
    },
    "replicas with an object store": {
        "database.mode": "bundled",
        "api.replicas": 3,
        "api.objectStore.url": "s3://bucket",
    },
    "existing": {"database.mode": "existing", "database.existingSecret": "app"},
    "a tag that --set reads as a number": {"database.mode": "bundled", "image.tag": 17},
    "longer videos": {
        "rendering.lengthLimits": ["tiktok=none", "youtube_shorts=1m30s"],
        "rendering.refuseTooLong": True,
    },
    "Kueue alone decides": {
        "jobs.kueue.enabled": True,
        "jobs.kueue.queueName": "render",
        "jobs.maxActive": 0,
        "jobs.maxActivePerOwner": 0,
        "jobs.pods.schedulerName": "bin-packing",
    },
    "as a subchart": {"global": {"anything": 1}},
}


@pytest.mark.parametrize("changes", GOOD.values(), ids=GOOD)
def test_good_values_pass(changes: dict[str, Any]) -> None:
    """The schema allows everything that the chart supports."""
    assert violations(changed(changes)) == []
