"""Reads values.yaml with its comments: defaults, what each means, and the rule for each."""

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


class BadValues(ValueError):
    """values.yaml does not say what a setting means; names the setting."""


@dataclass(frozen=True, slots=True)
class Value:
    """One key: a leaf when it has a rule of its own or no keys below it."""

    path: tuple[str, ...]
    default: Any
    meaning: str
    rule: str

    @property
    def name(self) -> str:
        """`api.image.tag`."""
        return ".".join(self.path)


def read(text: str) -> list[Value]:
    """All keys in their order; those below a leaf are left out. Raises BadValues."""
    found: list[Value] = []
    tree = yaml.safe_load(text)
    for path, notes in _commented(text):
        if any(path[: len(leaf.path)] == leaf.path for leaf in found if is_leaf(leaf)):
            continue
        default = tree
        for key in path:
            default = default[key]
        value = Value(path, default, notes.get("--", ""), notes.get("@schema", ""))
        if is_leaf(value) and not value.meaning:
            raise BadValues(f"{value.name}: values.yaml has no `# -- ` comment on what it means")
        found.append(value)
    return found


def is_leaf(value: Value) -> bool:
    """Whether the value is set as a whole."""
    return bool(value.rule) or not isinstance(value.default, dict)


def _commented(text: str) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    """Each key's path, with the marked comments right above it."""
    path: list[str] = []
    notes: dict[str, str] = {}
    for line in text.splitlines():
        if comment := _COMMENT.match(line):
            notes[comment["mark"]] = comment["text"]
        elif key := _KEY.match(line):
            path = [*path[: len(key["indent"]) // 2], key["key"]]
            yield tuple(path), notes
            notes = {}


# --- the schema -----------------------------------------------------------------------------------

_NAME = r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?"
_QUANTITY = r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$"
_STRINGS = {"type": "object", "additionalProperties": {"type": "string"}}
_OBJECTS = {"type": "array", "items": {"type": "object"}}
_NAMES = {"type": "array", "items": {"type": "string", "pattern": f"^{_NAME}$"}}
_MAYBE_NAME = {"type": "string", "pattern": f"^({_NAME})?$"}


def _closed(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/$defs/{name}"}


def _by_stage(rule: dict[str, Any]) -> dict[str, Any]:
    return {**_closed(fetch=rule, render=rule, assemble=rule)}


SHARED: dict[str, dict[str, Any]] = {
    "tag": {"type": ["string", "integer"], "pattern": r"^([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?$"},
    "digest": {"type": "string", "pattern": r"^(sha256:[0-9a-f]{64})?$"},
    "name": _MAYBE_NAME,
    "names": {**_NAMES, "uniqueItems": True},
    "strings": _STRINGS,
    "objects": _OBJECTS,
    "free": {"type": "object"},
    "port": {"type": "integer", "minimum": 1, "maximum": 65535},
    "uid": {"type": "integer", "minimum": 1},
    "quantity": {"type": ["string", "integer"], "pattern": _QUANTITY},
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
        priorityClassName=_MAYBE_NAME,
        runtimeClassName=_MAYBE_NAME,
        labels=_STRINGS,
        annotations=_STRINGS,
    ),
}


def _where(**properties: Any) -> dict[str, Any]:
    """Matches values in which these settings have these forms."""
    return {"properties": properties, "required": list(properties)}


_ONE_REPLICA = _where(replicas={"const": 1}, autoscaling=_where(enabled={"const": False}), **{})
ACROSS: list[dict[str, Any]] = [
    {
        "description": "SQLite has one writer: replicas 1, no autoscaling",
        "if": _where(database=_where(mode={"const": "sqlite"})),
        "then": _where(api=_ONE_REPLICA),
    },
    {
        "description": "many replicas share the volume",
        "if": {"not": _where(api=_ONE_REPLICA)},
        "then": _where(
            api=_where(storage=_where(accessModes={"contains": {"const": "ReadWriteMany"}}))
        ),
    },
    {
        "description": "an existing database is named by its Secret",
        "if": _where(database=_where(mode={"const": "existing"})),
        "then": _where(database=_where(existingSecret={"minLength": 1})),
        "else": _where(database=_where(existingSecret={"const": ""})),
    },
]
"""Rules between settings; a JSON Schema validator names the setting that breaks one."""


def schema(values: list[Value]) -> dict[str, Any]:
    """A JSON Schema that knows each key and no other."""
    root: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_closed(**{"global": {"type": "object"}}),
        "allOf": ACROSS,
        "$defs": SHARED,
    }
    for value in values:
        place = root
        for key in value.path[:-1]:
            place = place["properties"][key]
        place["properties"][value.path[-1]] = _rule(value)
    return root


def _rule(value: Value) -> dict[str, Any]:
    if not is_leaf(value):
        return _closed()
    meaning = {"description": value.meaning}
    if value.rule in SHARED:
        return {**meaning, **_ref(value.rule)}
    given = json.loads(value.rule) if value.rule else {}
    return {**meaning, "type": TYPES[type(value.default)], **given}


# --- the table ------------------------------------------------------------------------------------


def table(values: list[Value]) -> str:
    """The settings as a table of markdown."""
    lines = ["| setting | default | meaning |", "|---|---|---|"]
    for value in filter(is_leaf, values):
        lines.append(f"| `{value.name}` | `{json.dumps(value.default)}` | {value.meaning} |")
    return "\n".join(lines) + "\n"
