"""Read values.yaml with its comments: default, description and JSON Schema of each setting.

In: the text of values.yaml. Out: its settings, the values schema, and the table of the README.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

_KEY = re.compile(r"^(?P<indent> *)(?P<key>[A-Za-z0-9]+):")
_COMMENT = re.compile(r"^ *# (?P<mark>--|@schema) (?P<text>.*)$")
TYPES = {bool: "boolean", int: "integer", str: "string", list: "array", dict: "object"}


class UndescribedValue(ValueError):
    """values.yaml has no description of a setting; str() names it."""


@dataclass(frozen=True, slots=True)
class ChartValue:
    """One key of values.yaml: a leaf if it has a schema of its own or no keys below it."""

    path: tuple[str, ...]
    default: Any
    description: str
    schema: str

    @property
    def name(self) -> str:
        """The dotted name, such as `api.image.tag`."""
        return ".".join(self.path)

    @property
    def is_leaf(self) -> bool:
        """Whether the value is set as a whole."""
        return bool(self.schema) or not isinstance(self.default, dict)


def read_values(text: str) -> list[ChartValue]:
    """Return all keys in their order, without those below a leaf.

    Raises:
        UndescribedValue: A leaf has no `# -- ` comment.
    """
    values: list[ChartValue] = []
    defaults = yaml.safe_load(text)
    for path, comments in _commented_keys(text):
        if any(value.is_leaf and path[: len(value.path)] == value.path for value in values):
            continue
        default = defaults
        for key in path:
            default = default[key]
        value = ChartValue(path, default, comments.get("--", ""), comments.get("@schema", ""))
        if value.is_leaf and not value.description:
            raise UndescribedValue(f"{value.name}: values.yaml has no `# -- ` comment for it")
        values.append(value)
    return values


def _commented_keys(text: str) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    """Yield the path of each key with the marked comments above it."""
    path: list[str] = []
    comments: dict[str, str] = {}
    for line in text.splitlines():
        if comment := _COMMENT.match(line):
            comments[comment["mark"]] = comment["text"]
        elif key := _KEY.match(line):
            path = [*path[: len(key["indent"]) // 2], key["key"]]
            yield tuple(path), comments
            comments = {}


# --- schema ---------------------------------------------------------------------------------------

_NAME = r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?"
_QUANTITY = r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$"
_SIZE = r"^([0-9]{7,}|[0-9]+(\.[0-9]+)?(M|G|T|Mi|Gi|Ti))$"
_STRINGS = {"type": "object", "additionalProperties": {"type": "string"}}
_OBJECTS = {"type": "array", "items": {"type": "object"}}
_NAMES = {"type": "array", "items": {"type": "string", "pattern": f"^{_NAME}$"}}
_OPTIONAL_NAME = {"type": "string", "pattern": f"^({_NAME})?$"}


def _closed(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/$defs/{name}"}


def _by_stage(schema: dict[str, Any]) -> dict[str, Any]:
    return _closed(discover=schema, fetch=schema, render=schema, assemble=schema)


SHARED: dict[str, dict[str, Any]] = {
    "tag": {"type": ["string", "integer"], "pattern": r"^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?$"},
    "digest": {"type": "string", "pattern": r"^(sha256:[0-9a-f]{64})?$"},
    "name": _OPTIONAL_NAME,
    "names": {**_NAMES, "uniqueItems": True},
    "strings": _STRINGS,
    "objects": _OBJECTS,
    "free": {"type": "object"},
    "port": {"type": "integer", "minimum": 1, "maximum": 65535},
    "uid": {"type": "integer", "minimum": 1},
    "quantity": {"type": ["string", "integer"], "pattern": _QUANTITY},
    # A number without a unit counts bytes: fewer than a million are a forgotten unit.
    "volumeSize": {"type": ["string", "integer"], "pattern": _SIZE, "minimum": 1_000_000},
    "cidrs": {"type": "array", "items": {"type": "string", "pattern": r"^[0-9a-fA-F.:]+/[0-9]+$"}},
    "resources": _closed(
        requests={"type": "object", "additionalProperties": _ref("quantity")},
        limits={"type": "object", "additionalProperties": _ref("quantity")},
    ),
    "pods": _closed(
        resources=_by_stage(_ref("resources")),
        scratch=_by_stage(_ref("quantity")),
        imagePullSecrets=_ref("names"),
        nodeSelector=_STRINGS,
        tolerations=_OBJECTS,
        affinity=_ref("free"),
        priorityClassName=_OPTIONAL_NAME,
        runtimeClassName=_OPTIONAL_NAME,
        schedulerName=_OPTIONAL_NAME,
        labels=_STRINGS,
        annotations=_STRINGS,
    ),
}


def _where(**properties: Any) -> dict[str, Any]:
    """Return a schema that matches values with these properties."""
    return {"properties": properties, "required": list(properties)}


_ONE_REPLICA = _where(replicas={"const": 1}, autoscaling=_where(enabled={"const": False}))
# Bytes in an object store, and no volume beside it.
_STORED = _where(
    objectStore=_where(url={"minLength": 1}), storage=_where(existingClaim={"const": ""})
)
_MONITORED = _where(serviceMonitor=_where(enabled={"const": True}))
# Rules between settings. A JSON Schema validator names the setting that breaks one.
CROSS_RULES: list[dict[str, Any]] = [
    {
        "description": "SQLite has a single writer: replicas must be 1, without autoscaling",
        "if": _where(database=_where(mode={"const": "sqlite"})),
        "then": _where(api=_ONE_REPLICA),
    },
    {
        "description": "several replicas share an object store or a volume with ReadWriteMany",
        "if": {"not": {"anyOf": [_where(api=_ONE_REPLICA), _where(api=_STORED)]}},
        "then": _where(
            api=_where(storage=_where(accessModes={"contains": {"const": "ReadWriteMany"}}))
        ),
    },
    {
        "description": "links for jobs lead to an object store that their pods reach",
        "if": _where(api=_where(objectStore=_where(jobLinks={"const": True}))),
        "then": _where(
            api=_where(
                objectStore=_where(
                    url={"minLength": 1}, linkSeconds={"minimum": 1}, jobCIDRs={"minItems": 1}
                )
            )
        ),
    },
    {
        "description": "mode existing, and no other, takes existingSecret",
        "if": _where(database=_where(mode={"const": "existing"})),
        "then": _where(database=_where(existingSecret={"minLength": 1})),
        "else": _where(database=_where(existingSecret={"const": ""})),
    },
    {
        "description": "mode existing, and no other, takes a Secret with a certificate",
        "if": _where(tls=_where(mode={"const": "existing"})),
        "then": _where(tls=_where(existingSecret={"minLength": 1})),
        "else": _where(tls=_where(existingSecret={"const": ""})),
    },
    {
        "description": "a Certificate needs an issuer",
        "if": _where(tls=_where(mode={"const": "certManager"})),
        "then": _where(tls=_where(certManager=_where(issuerRef={"required": ["name"]}))),
    },
    {
        "description": "an HTTPRoute needs a Gateway",
        "if": _where(api=_where(httpRoute=_where(enabled={"const": True}))),
        "then": _where(api=_where(httpRoute=_where(parentRefs={"minItems": 1}))),
    },
    {
        "description": "a queue of Kueue needs jobs.kueue.enabled",
        "if": _where(jobs=_where(kueue=_where(enabled={"const": False}))),
        "then": _where(
            jobs=_where(kueue=_where(queueName={"const": ""}, priorityClass={"const": ""}))
        ),
    },
    {
        "description": "alerts on metrics that nobody scrapes report everything as down",
        "if": _where(monitoring=_where(rules=_where(enabled={"const": True}))),
        "then": _where(monitoring=_MONITORED),
    },
]


def values_schema(values: list[ChartValue]) -> dict[str, Any]:
    """Return a JSON Schema that allows these settings and no others."""
    root: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_closed(**{"global": {"type": "object"}}),
        "allOf": CROSS_RULES,
        "$defs": SHARED,
    }
    for value in values:
        parent = root
        for key in value.path[:-1]:
            parent = parent["properties"][key]
        parent["properties"][value.path[-1]] = _value_schema(value)
    return root


def _value_schema(value: ChartValue) -> dict[str, Any]:
    if not value.is_leaf:
        return _closed()
    description = {"description": value.description}
    if value.schema in SHARED:
        return {**description, **_ref(value.schema)}
    schema = json.loads(value.schema) if value.schema else {}
    return {**description, "type": TYPES[type(value.default)], **schema}


# --- table ----------------------------------------------------------------------------------------


def values_table(values: list[ChartValue]) -> str:
    """Return the settings as a Markdown table."""
    lines = ["| setting | default | description |", "|---|---|---|"]
    lines += [
        f"| `{value.name}` | `{json.dumps(value.default)}` | {value.description} |"
        for value in values
        if value.is_leaf
    ]
    return "\n".join(lines) + "\n"
