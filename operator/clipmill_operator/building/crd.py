"""Generate the CustomResourceDefinition from the models of the spec.

Run `python -m clipmill_operator.building.crd`.


pydantic's JSON Schema becomes a structural schema; rules that hold between fields become CEL.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import yaml
from pydantic import BaseModel

from clipmill.spec import CompilationSpec
from clipmill_operator.building.cel_rules import NAMED, RULES
from clipmill_operator.building.resource import GROUP, KIND, PLURAL, VERSION, Status

HEADER = "# Made by `make generate` from core/clipmill/spec: do not edit.\n"
DROPPED = ("title", "additionalProperties", "$defs", "default", "const")
"""Keywords that a structural schema does not take, or that are added again with care."""


class UnboundedField(ValueError):
    """A field of the contract has no bound, so the API server could not bound a rule's cost."""


LIST_KEYS = {"Condition": "type", "Output": "name"}
"""Lists of these are maps by this field: the API server refuses doubles. Others are atomic."""
COLUMNS = (
    ("Owner", "string", ".status.owner", "Whose quota and library it uses."),
    ("Phase", "string", ".status.phase", "How far it is, in one word."),
    ("Progress", "string", ".status.progress.text", "How far it is, in percent."),
    ("Clips", "string", ".status.clipsReady", "Clips that are here, of all."),
    ("Reused", "integer", ".status.segments.reused", "Segments that existed before."),
    ("Reason", "string", ".status.reason", "Why."),
    ("ETA", "string", ".status.progress.eta", "About when it will have ended."),
    ("Age", "date", ".metadata.creationTimestamp", "Since when it exists."),
    ("Message", "string", ".status.message", "Why, in one sentence."),
)
WIDE = ("ETA", "Message")
"""Columns of `kubectl get -o wide` only."""


def structural(model: type[BaseModel]) -> dict[str, Any]:
    """A model as a structural schema. Raises UnboundedField."""
    schema = model.model_json_schema(by_alias=True)
    found = _Structural(schema.get("$defs", {})).of(schema, model.__name__)
    if model.__name__ in RULES:
        found["x-kubernetes-validations"] = RULES[model.__name__]
    return found


class _Structural:
    """Turns JSON Schema into what the API server takes, reference by reference."""

    def __init__(self, defs: Mapping[str, Any]) -> None:
        self._defs = defs

    def of(self, schema: Mapping[str, Any], path: str) -> dict[str, Any]:
        """One schema. `path` is for the error."""
        name, flat = self._flat(schema)
        made = {key: value for key, value in flat.items() if key not in DROPPED}
        default = flat.get("default")
        if isinstance(default, str | int | bool):
            made["default"] = default
        if "properties" in flat:
            made["properties"] = {
                key: self.of(value, f"{path}.{key}") for key, value in flat["properties"].items()
            }
        if name in RULES:
            made["x-kubernetes-validations"] = RULES[name]
        if flat.get("type") == "array":
            made |= self._list(flat, path)
        if flat.get("type") == "string" and not {"maxLength", "enum", "format"} & set(flat):
            made["maxLength"] = _longest(flat, path)
        return made

    def _list(self, flat: Mapping[str, Any], path: str) -> dict[str, Any]:
        if "maxItems" not in flat:
            raise UnboundedField(f"{path} has no max_length: say how many there may be")
        name, _ = self._flat(flat["items"])
        key = LIST_KEYS.get(name)
        kind: dict[str, Any] = {"x-kubernetes-list-type": "map" if key else "atomic"}
        if key:
            kind["x-kubernetes-list-map-keys"] = [key]
        return kind | {"items": self.of(flat["items"], f"{path}[]")}

    def _flat(self, schema: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Follow references, and take `X | None` as X: what is left out is None."""
        name, flat = "", dict(schema)
        while "$ref" in flat or "anyOf" in flat:
            if "$ref" in flat:
                name = flat.pop("$ref").rsplit("/", 1)[-1]
                inner = self._defs[name]
            else:
                inner = _only(flat.pop("anyOf"))
            flat = {**inner, **flat}
        if "const" in flat:
            flat["enum"] = [flat["const"]]
        return name, flat


def _only(options: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The one option that is not null: a structural schema has no unions."""
    (one,) = (option for option in options if option.get("type") != "null")
    return one


def _longest(flat: Mapping[str, Any], path: str) -> int:
    """A pattern that ends (no star, no plus) bounds the text already: say so in figures."""
    pattern = flat.get("pattern", "*")
    if "*" in pattern or "+" in pattern:
        raise UnboundedField(f"{path} has no max_length: say how long it may be")
    return 100


def _columns() -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "type": kind,
            "jsonPath": path,
            "description": told,
            "priority": int(name in WIDE),
        }
        for name, kind, path, told in COLUMNS
    ]


def crd() -> dict[str, Any]:
    """The whole definition."""
    schema = {
        "type": "object",
        "description": "A list of clips that become one finished video.",
        "required": ["spec"],
        "x-kubernetes-validations": [NAMED],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": structural(CompilationSpec),
            "status": structural(Status),
        },
    }
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": _columns(),
        "selectableFields": [{"jsonPath": ".status.phase"}],
        "schema": {"openAPIV3Schema": schema},
    }
    names = {
        "kind": KIND,
        "listKind": f"{KIND}List",
        "plural": PLURAL,
        "singular": KIND.lower(),
        "shortNames": ["comp"],
        "categories": ["clipmill"],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {"group": GROUP, "names": names, "scope": "Namespaced", "versions": [version]},
    }


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  the parent's signature
        """Write out what occurs twice: no anchors."""
        return True


def text() -> str:
    """The definition as the file holds it."""
    return HEADER + yaml.dump(crd(), Dumper=_Plain, sort_keys=False, width=100, allow_unicode=True)


if __name__ == "__main__":
    sys.stdout.write(text())
