"""Convert the JSON Schema of pydantic models into structural schemas of the API server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from clipmill_operator.building.cel_rules import RULES
from clipmill_operator.building.resource import Object

# Keywords that a structural schema does not allow, or that are added again where it does.
DROPPED_KEYWORDS = (
    "title",
    "additionalProperties",
    "patternProperties",
    "propertyNames",
    "$defs",
    "default",
    "const",
)
# Lists of these models are maps by this field, without duplicates. Other lists are atomic.
LIST_KEYS = {"Condition": "type", "ShowCondition": "type", "Output": "name"}


class UnboundedField(ValueError):
    """A field has no bound, so that the API server could not bound the cost of its CEL rules."""


def structural(model: type[BaseModel]) -> Object:
    """Return the structural schema of a model.

    Raises:
        UnboundedField: A list or text has no largest length.
    """
    schema = model.model_json_schema(by_alias=True)
    result = _SchemaConverter(schema.get("$defs", {})).convert(schema, model.__name__)
    if model.__name__ in RULES:
        result["x-kubernetes-validations"] = RULES[model.__name__]
    return result


class _SchemaConverter:
    """Converts JSON Schema into a structural schema, reference by reference."""

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions

    def convert(self, schema: Mapping[str, Any], path: str) -> Object:
        """Convert one schema; `path` names it in errors."""
        model, flat = self._resolve(schema)
        result = {key: value for key, value in flat.items() if key not in DROPPED_KEYWORDS}
        default = flat.get("default")
        if isinstance(default, str | int | bool):
            result["default"] = default
        if "properties" in flat:
            result["properties"] = {
                name: self.convert(field, f"{path}.{name}")
                for name, field in flat["properties"].items()
            }
        if flat.get("patternProperties"):
            # Names of a map have no schema: a CEL rule of the model checks them.
            (values,) = flat["patternProperties"].values()
            result["additionalProperties"] = self.convert(values, f"{path}{{}}")
        if model in RULES:
            result["x-kubernetes-validations"] = RULES[model]
        if flat.get("type") == "array":
            result |= self._list(flat, path)
        if flat.get("type") == "string" and not {"maxLength", "enum", "format"} & set(flat):
            result["maxLength"] = _pattern_length(flat, path)
        return result

    def _list(self, flat: Mapping[str, Any], path: str) -> Object:
        if "maxItems" not in flat:
            raise UnboundedField(f"{path} has no max_length: bound the number of items")
        model, _ = self._resolve(flat["items"])
        key = LIST_KEYS.get(model)
        result: Object = {"x-kubernetes-list-type": "map" if key else "atomic"}
        if key:
            result["x-kubernetes-list-map-keys"] = [key]
        return result | {"items": self.convert(flat["items"], f"{path}[]")}

    def _resolve(self, schema: Mapping[str, Any]) -> tuple[str, Object]:
        """Follow references, and read `X | None` as X. Return the model's name and the schema."""
        model, flat = "", dict(schema)
        while "$ref" in flat or "anyOf" in flat:
            if "$ref" in flat:
                model = flat.pop("$ref").rsplit("/", 1)[-1]
                target = self._definitions[model]
            else:
                target = _non_null(flat.pop("anyOf"))
            flat = {**target, **flat}
        if "const" in flat:
            flat["enum"] = [flat["const"]]
        return model, flat


def _non_null(options: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the only option that is not null or a number: a structural schema has no unions.

    Durations may be numbers elsewhere. `x-kubernetes-int-or-string` would accept some of them, but
    makes the API server estimate CEL rules by the largest possible text.
    """
    (option,) = (option for option in options if option.get("type") not in ("null", "number"))
    return option


def _pattern_length(flat: Mapping[str, Any], path: str) -> int:
    """Return a bound for a text whose pattern is finite: one without star and plus."""
    pattern = flat.get("pattern", "*")
    if "*" in pattern or "+" in pattern:
        raise UnboundedField(f"{path} has no max_length: bound the length of the text")
    return 100
