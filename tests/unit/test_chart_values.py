"""values.yaml, its schema and the table of it say the same; bad values are refused by name."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from chart_values import BadValues, is_leaf, read, schema
from generate import CHART, crd_text, readme_text, schema_text

TEXT = (CHART / "values.yaml").read_text()
DEFAULTS = yaml.safe_load(TEXT)
RULES = Draft202012Validator(json.loads(schema_text()))


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    """The defaults with some settings changed, by dotted name."""
    values = copy.deepcopy(DEFAULTS)
    for name, value in changes.items():
        *path, last = name.split(".")
        place = values
        for key in path:
            place = place[key]
        place[last] = value
    return values


def complaints(values: dict[str, Any]) -> list[str]:
    """`place: message` for each rule broken, down to the innermost."""

    def told(error: Any) -> list[str]:
        inner = [line for cause in error.context or () for line in told(cause)]
        return inner or [f"{'.'.join(map(str, error.absolute_path))}: {error.message}"]

    return [line for error in RULES.iter_errors(values) for line in told(error)]


MADE = {
    "values.schema.json": schema_text,
    "README.md": readme_text,
    "templates/crd.yaml": crd_text,
}


@pytest.mark.parametrize("name", MADE)
def test_generated_files_are_fresh(name: str) -> None:
    """`make generate` would write what is there."""
    assert (CHART / name).read_text() == MADE[name]()


def test_the_defaults_keep_the_rules() -> None:
    """A plain install is a valid one."""
    assert complaints(DEFAULTS) == []


def test_every_object_is_closed_or_free_by_purpose() -> None:
    """A misspelt key is refused everywhere but in maps of the user's own keys."""
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


def test_a_setting_without_its_meaning_is_refused() -> None:
    """values.yaml is the documentation."""
    with pytest.raises(BadValues, match=r"api\.port: values\.yaml has no"):
        read("api:\n  # -- Its name.\n  name: x\n  port: 80\n")
    assert all(value.meaning for value in read(TEXT) if is_leaf(value))


def test_schema_knows_a_rule_by_name_and_in_full() -> None:
    """Both ways to write `# @schema`, and the type of the default without one."""
    text = '# -- A.\n# @schema port\na: 1\n# -- B.\n# @schema {"minimum": 2}\nb: 2\n# -- C.\nc: x\n'
    made = schema(read(text))
    assert made["properties"]["a"] == {"description": "A.", "$ref": "#/$defs/port"}
    assert made["properties"]["b"] == {"description": "B.", "type": "integer", "minimum": 2}
    assert made["properties"]["c"] == {"description": "C.", "type": "string"}


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "misspelt": ({"api.replica": 2}, "api: Additional properties are not allowed ('replica'"),
    "type": ({"api.replicas": "2"}, "api.replicas: '2' is not of type 'integer'"),
    "mode": ({"database.mode": "mysql"}, "database.mode: 'mysql' is not one of ['sqlite', "),
    "two writers of SQLite": ({"api.replicas": 2}, "api.replicas: 1 was expected"),
    "SQLite scaled": ({"api.autoscaling.enabled": True}, "api.autoscaling.enabled: False was"),
    "one node's volume": (
        {"api.replicas": 2, "database.mode": "bundled"},
        "api.storage.accessModes: ['ReadWriteOnce'] does not contain items",
    ),
    "no Secret": ({"database.mode": "existing"}, "database.existingSecret: '' "),
    "Secret unused": (
        {"database.existingSecret": "db"},
        "database.existingSecret: '' was expected",
    ),
    "size": ({"api.storage.size": "big"}, "api.storage.size: 'big' does not match"),
    "a tag that YAML has cut": ({"image.tag": 1.1}, "image.tag: 1.1 is not of type 'string'"),
    "digest": ({"api.image.digest": "sha256:1"}, "api.image.digest: 'sha256:1' does not match"),
    "policy": ({"image.pullPolicy": "Sometimes"}, "image.pullPolicy: 'Sometimes' is not one of"),
    "owner": ({"defaultOwner": "Ada L"}, "defaultOwner: 'Ada L' does not match"),
    "source": ({"sources.allowPrivate": ["minio"]}, "sources.allowPrivate.0: 'minio' does not"),
    "cidr": ({"networkPolicy.excludedCIDRs": ["10"]}, "networkPolicy.excludedCIDRs.0: '10' does"),
    "root": ({"database.bundled.uid": 0}, "database.bundled.uid: 0 is less than the minimum of 1"),
    "stage": ({"jobs.pods.resources.cut": {}}, "jobs.pods.resources: Additional properties"),
    "port": ({"api.service.port": 70000}, "api.service.port: 70000 is greater than the maximum"),
    "yes": ({"networkPolicy.enabled": "yes"}, "networkPolicy.enabled: 'yes' is not of type"),
}


@pytest.mark.parametrize("changes_and_said", BAD.values(), ids=BAD)
def test_bad_values_are_refused_by_name(changes_and_said: tuple[dict[str, Any], str]) -> None:
    """The complaint names the setting, its value and the rule."""
    changes, said = changes_and_said
    assert any(line.startswith(said) for line in complaints(changed(changes))), complaints(
        changed(changes)
    )


GOOD: dict[str, dict[str, Any]] = {
    "scaled": {
        "database.mode": "bundled",
        "api.autoscaling.enabled": True,
        "api.storage.accessModes": ["ReadWriteMany"],
    },
    "existing": {"database.mode": "existing", "database.existingSecret": "app"},
    "a tag that --set reads as a number": {"database.mode": "bundled", "image.tag": 17},
    "as a part of another chart": {"global": {"anything": 1}},
}


@pytest.mark.parametrize("changes", GOOD.values(), ids=GOOD)
def test_good_values_pass(changes: dict[str, Any]) -> None:
    """No rule is in the way of what the chart can do."""
    assert complaints(changed(changes)) == []
