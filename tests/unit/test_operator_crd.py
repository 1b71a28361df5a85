"""The CustomResourceDefinitions, which are generated from the models, and the models' judgement."""

import json
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from clipmill.shows.show_spec import ShowManifest, ShowSpec
from clipmill.spec import CompilationSpec, Manifest
from clipmill_operator.building import crd
from clipmill_operator.building.cel_rules import RULES
from clipmill_operator.building.structural_schema import UnboundedField, structural
from manifests import BAD, GOOD, ROOT, manifest, samples
from show_manifests import BAD_FOR_MODELS, BAD_SHOWS, GOOD_SHOWS, show_manifest, show_samples


def test_the_file_is_generated() -> None:
    """By `make generate`, after each change of the models."""
    assert (ROOT / "manifests/crd.yaml").read_text() == crd.crd_yaml()


def nodes(schema: Any, path: str = "spec") -> list[tuple[str, dict[str, Any]]]:
    """Return a schema and every schema within it, by path."""
    found = [(path, schema)]
    for key, value in schema.get("properties", {}).items():
        found += nodes(value, f"{path}.{key}")
    for inner, end in (("items", "[]"), ("additionalProperties", "{}")):
        found += nodes(schema[inner], f"{path}{end}") if inner in schema else []
    return found


def properties(resource: crd.ResourceKind) -> dict[str, Any]:
    """Return the schemas of spec and status."""
    version = crd.crd(resource)["spec"]["versions"][0]
    fields: dict[str, Any] = version["schema"]["openAPIV3Schema"]["properties"]
    return fields


SCHEMAS = {each.kind: properties(each) for each in (crd.COMPILATION, crd.SHOW)}
SPECS = [schema["spec"] for schema in SCHEMAS.values()]


@pytest.mark.parametrize("kind", SCHEMAS)
@pytest.mark.parametrize("part", ["spec", "status"])
def test_every_field_is_described_and_bounded(kind: str, part: str) -> None:
    """`kubectl explain` describes it, and the API server can bound the cost of CEL rules."""
    for path, schema in nodes(SCHEMAS[kind][part], part):
        assert "description" in schema or path.endswith(("[]", "{}")), path
        assert "additionalProperties" not in schema or schema["maxProperties"] <= 500, path
        assert schema["type"] != "array" or schema["maxItems"] <= 500, path
        assert schema["type"] != "string" or {"maxLength", "enum", "format"} & set(schema), path


def test_the_schema_is_structural() -> None:
    """It has no references, unions or titles, and it has the rule of every validator."""
    words = json.dumps(SCHEMAS)
    for keyword in ("$ref", "anyOf", "allOf", '"title": "', "patternProperties"):
        assert keyword not in words
    rules = {
        json.dumps(schema.get("x-kubernetes-validations"))
        for spec in SPECS
        for _, schema in nodes(spec)
    }
    assert {json.dumps(rule) for rule in RULES.values()} <= rules


def models_of(model: type[BaseModel]) -> set[type[BaseModel]]:
    """Return a model and the models of its fields."""
    models = {model}
    for field in model.model_fields.values():
        for argument in flattened(field.annotation):
            if isinstance(argument, type) and issubclass(argument, BaseModel):
                models |= models_of(argument)
    return models


def flattened(annotation: Any) -> list[Any]:
    """Return an annotation and its arguments: `list[Clip] | None` gives list, Clip and None."""
    return [annotation] + [inner for arg in get_args(annotation) for inner in flattened(arg)]


def test_every_validator_has_its_rule() -> None:
    """A new validator needs a CEL rule too, and invalid specs in tests/manifests.py."""
    validated = {
        model.__name__
        for model in models_of(CompilationSpec) | models_of(ShowSpec)
        if model.__pydantic_decorators__.model_validators
    }
    assert validated == set(RULES)


def test_no_word_is_a_truth_value_in_yaml() -> None:
    """YAML 1.1, which kubectl reads, takes y, n, on and off for true and false."""
    for path, schema in [each for spec in SPECS for each in nodes(spec)]:
        words = [*schema.get("properties", {}), *schema.get("enum", [])]
        taken = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~"}
        assert not taken & {str(word).lower() for word in words}, path


def test_a_field_without_a_bound_is_refused() -> None:
    """The error names it."""

    class Loose(BaseModel):
        names: list[str]

    with pytest.raises(UnboundedField, match=r"Loose\.names has no max_length"):
        structural(Loose)


@pytest.mark.parametrize("spec", GOOD.values(), ids=GOOD)
def test_valid_specs_are_accepted(spec: dict[str, Any]) -> None:
    """By the models; test_operator_live.py asks a real API server."""
    Manifest.model_validate(manifest(spec))


@pytest.mark.parametrize(("spec", "content"), BAD.values(), ids=BAD)
def test_invalid_specs_are_refused(spec: dict[str, Any], content: str) -> None:
    """By the models, with a message that names the field or the limit."""
    with pytest.raises(ValidationError) as refused:
        Manifest.model_validate(manifest(spec))
    assert content in str(refused.value)


@pytest.mark.parametrize("sample", samples().values(), ids=samples())
def test_samples_are_valid(sample: dict[str, Any]) -> None:
    """Each file of manifests/samples."""
    Manifest.model_validate(sample)


@pytest.mark.parametrize("spec", GOOD_SHOWS.values(), ids=GOOD_SHOWS)
def test_valid_shows_are_accepted(spec: dict[str, Any]) -> None:
    """By the models; test_operator_live.py asks a real API server."""
    ShowManifest.model_validate(show_manifest(spec))


@pytest.mark.parametrize(
    ("spec", "content"),
    [*BAD_SHOWS.values(), *BAD_FOR_MODELS.values()],
    ids=[*BAD_SHOWS, *BAD_FOR_MODELS],
)
def test_invalid_shows_are_refused(spec: dict[str, Any], content: str) -> None:
    """By the models, with a message that names the field or the limit."""
    with pytest.raises(ValidationError) as refused:
        ShowManifest.model_validate(show_manifest(spec))
    assert content in str(refused.value)


@pytest.mark.parametrize("sample", show_samples().values(), ids=show_samples())
def test_samples_of_shows_are_valid(sample: dict[str, Any]) -> None:
    """Each file of manifests/samples."""
    ShowManifest.model_validate(sample)
