"""The definition is made from the models; good and bad specs are judged by the models here."""

import json
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from clipmill.spec import CompilationSpec, Manifest
from clipmill_operator.building import crd
from clipmill_operator.building.crd import UnboundedField, structural
from manifests import BAD, GOOD, ROOT, manifest, samples


def test_the_file_is_what_the_models_make() -> None:
    """`make generate` was run after the contract changed."""
    assert (ROOT / "manifests/crd.yaml").read_text() == crd.crd_yaml()


def nodes(schema: Any, path: str = "spec") -> list[tuple[str, dict[str, Any]]]:
    """Every schema within a schema."""
    found = [(path, schema)]
    for key, value in schema.get("properties", {}).items():
        found += nodes(value, f"{path}.{key}")
    return found + (nodes(schema["items"], f"{path}[]") if "items" in schema else [])


SCHEMA = crd.crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]


@pytest.mark.parametrize("part", ["spec", "status"])
def test_every_field_is_described_and_bounded(part: str) -> None:
    """`kubectl explain` has a sentence for each, and the cost of every rule can be bounded."""
    for path, schema in nodes(SCHEMA[part], part):
        assert "description" in schema or path.endswith("[]"), path
        assert schema["type"] != "array" or schema["maxItems"] <= 500, path
        assert schema["type"] != "string" or {"maxLength", "enum", "format"} & set(schema), path


def test_nothing_is_left_that_a_structural_schema_does_not_take() -> None:
    """No references, unions or titles; and every validator's rule is found in the schema."""
    words = json.dumps(SCHEMA)
    for keyword in ("$ref", "anyOf", "allOf", '"title": "', "additionalProperties"):
        assert keyword not in words
    kept = {json.dumps(s.get("x-kubernetes-validations")) for _, s in nodes(SCHEMA["spec"])}
    assert {json.dumps(rules) for rules in crd.RULES.values()} <= kept


def models_of(model: type[BaseModel]) -> set[type[BaseModel]]:
    """A model and all that it is made of."""
    found = {model}
    for field in model.model_fields.values():
        for part in flattened(field.annotation):
            if isinstance(part, type) and issubclass(part, BaseModel):
                found |= models_of(part)
    return found


def flattened(annotation: Any) -> list[Any]:
    """`list[Clip] | None` -> list, Clip, None."""
    return [annotation] + [part for arg in get_args(annotation) for part in flattened(arg)]


def test_every_validator_has_its_rule() -> None:
    """Who adds one adds it in CEL too, and specs that break it to tests/manifests.py."""
    validated = {
        model.__name__
        for model in models_of(CompilationSpec)
        if model.__pydantic_decorators__.model_validators
    }
    assert validated == set(crd.RULES)


def test_no_word_is_a_truth_value_in_yaml() -> None:
    """YAML 1.1, which kubectl reads, takes y, n, on and off for true and false."""
    for path, schema in nodes(SCHEMA["spec"]):
        words = [*schema.get("properties", {}), *schema.get("enum", [])]
        taken = {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~"}
        assert not taken & {str(word).lower() for word in words}, path


def test_a_field_without_a_bound_is_refused() -> None:
    """Whoever adds one is told which."""

    class Loose(BaseModel):
        names: list[str]

    with pytest.raises(UnboundedField, match=r"Loose\.names has no max_length"):
        structural(Loose)


@pytest.mark.parametrize("spec", GOOD.values(), ids=GOOD)
def test_good_specs_are_taken(spec: dict[str, Any]) -> None:
    """By the models."""
    Manifest.model_validate(manifest(spec))


@pytest.mark.parametrize(("spec", "said"), BAD.values(), ids=BAD)
def test_bad_specs_are_refused(spec: dict[str, Any], said: str) -> None:
    """By the models, with a message that names the field or the rule."""
    with pytest.raises(ValidationError) as refused:
        Manifest.model_validate(manifest(spec))
    assert said in str(refused.value)


@pytest.mark.parametrize("sample", samples().values(), ids=samples())
def test_samples_are_good(sample: dict[str, Any]) -> None:
    """What people copy."""
    Manifest.model_validate(sample)
