"""The table of mistakes in a manifest: what the command line answers, and the API alike."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from pydantic import BaseModel, TypeAdapter

from clipmill.spec import CompilationSpec, clip, compilation, output, picture, soundtrack
from clipmill.spec import transitions as transition_models
from clipmill.spec.input_rules import EXAMPLES
from commandline import clipmill
from harness import running

TABLE = yaml.safe_load((Path(__file__).parents[1] / "mistakes.yaml").read_text())
GOOD = {
    "apiVersion": "clipmill.dev/v1alpha1",
    "kind": "Compilation",
    "metadata": {"name": "x"},
    "spec": {"clips": [{"url": "https://a.b/c"}]},
}
ABSENT = object()
# Sentences of pydantic, of Python and of regular expressions.
FOREIGN = re.compile(
    r"Input should|String should|List should|Extra inputs|valid dict|instance of|\^\[|KeyError"
)


def _with(at: str, value: Any) -> dict[str, Any]:
    """Return the good manifest with one field set, or removed if the value is ABSENT."""
    manifest = copy.deepcopy(GOOD)
    steps = [int(step) if step.isdecimal() else step for step in re.findall(r"\w+", at)]
    parent: Any = manifest
    for step in steps[:-1]:
        parent = parent[step]
    if value is ABSENT:
        del parent[steps[-1]]
    else:
        parent[steps[-1]] = value
    return manifest


def _name(entry: dict[str, Any]) -> str:
    return f"{entry['at']}={str(entry.get('value', 'absent'))[:30]}"


def test_the_table_has_eighty_mistakes() -> None:
    """Each of them is refused with its own line."""
    assert len(TABLE) >= 80


@pytest.mark.parametrize("entry", TABLE, ids=_name)
def test_a_mistake_gets_its_line(entry: dict[str, Any], tmp_path: Path) -> None:
    """Exactly that of the table, which says what to write."""
    path = tmp_path / "m.yaml"
    path.write_text(yaml.safe_dump(_with(entry["at"], entry.get("value", ABSENT))))
    done = clipmill("render", path, "-o", tmp_path / "out", "--state", tmp_path / "state")
    lines = [
        line.removeprefix("clipmill: ").replace(str(tmp_path), "FOLDER") for line in done.lines
    ]
    assert (done.code, lines) == (2, entry["says"])
    assert not FOREIGN.search(done.err)


OF_SPEC = [entry for entry in TABLE if entry["at"].startswith("spec.")]


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A connection of a user to an API."""
    with running(tmp_path_factory.mktemp("api")) as harness:
        key = harness.admin.create_key(harness.user()[0])
        headers = {"Authorization": f"Bearer {key}"}
        with httpx.Client(base_url=harness.url, headers=headers) as client:
            yield client


@pytest.mark.parametrize("entry", OF_SPEC, ids=_name)
def test_the_api_answers_alike(entry: dict[str, Any], http: httpx.Client) -> None:
    """The same rule as problem details, with the field."""
    manifest = _with(entry["at"], entry.get("value", ABSENT))
    response = http.post("/api/compilations", json=manifest)
    problem = response.json()
    if problem["code"] != "Invalid":
        return
    assert response.status_code == 422
    rule = problem["errors"][0]["rule"]
    assert any(rule.split(": ")[-1] in line for line in entry["says"]), (rule, entry["says"])
    assert not FOREIGN.search(response.text)


MODELS: dict[str, type[BaseModel]] = {
    name: model
    for module in (clip, compilation, output, picture, soundtrack, transition_models)
    for name, model in vars(module).items()
    if isinstance(model, type) and issubclass(model, BaseModel)
}


@pytest.mark.parametrize("name", sorted(EXAMPLES.keys() & MODELS.keys()))
def test_an_example_is_valid(name: str) -> None:
    """What an error line says to write can be written."""
    example = yaml.safe_load(EXAMPLES[name].split(", or ")[0])
    TypeAdapter(MODELS[name]).validate_python(example)


def test_every_mapping_of_a_spec_has_an_example() -> None:
    """Those that are generated name the fields instead."""
    names = set(CompilationSpec.model_json_schema()["$defs"]) & MODELS.keys()
    small = {"ClipSpan", "Rect", "Pane"}
    assert names - EXAMPLES.keys() - small == set()
