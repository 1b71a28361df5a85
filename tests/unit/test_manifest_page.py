"""docs/manifest.md: its examples are parts of valid specs, and no field of the spec is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

from clipmill.spec import CompilationSpec, Position, TransitionType
from clipmill.timeline.presets import PRESETS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "manifest.md").read_text()
OTHER = (DOCS / "sound.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES)
def test_example(text: str) -> None:
    """Taken as it stands, with two clips where it has none."""
    part: dict[str, Any] = yaml.safe_load(text)
    clips = [{"mediaId": "m-0001"}, {"mediaId": "m-0002"}]
    assert CompilationSpec.model_validate({"clips": clips, **part}).clips


def models(of: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A model and those within it."""
    yield of
    for field in of.model_fields.values():
        for part in _parts(field.annotation):
            yield from models(part)


def _parts(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _parts(inner)


def test_every_field_is_on_a_page() -> None:
    """Each field of the spec and of all within it is shown in an example."""
    shown = " ".join(re.findall(r"```yaml\n(.*?)```", PAGE + OTHER, re.DOTALL))
    names = {
        field.alias or name
        for model in models(CompilationSpec)
        for name, field in model.model_fields.items()
    }
    assert {name for name in names if not re.search(rf"\b{name}:", shown)} == set()


def test_presets_positions_and_pictures_are_those_of_the_code() -> None:
    """The table's presets, the positions' names, the number of crossfades, small pictures."""
    rows = re.findall(r"^\| ([a-z_, ]+) \| [0-9]", PAGE, re.MULTILINE)
    assert {name for row in rows for name in row.split(", ")} == set(PRESETS)
    for name, preset in PRESETS.items():
        row = next(line for line in PAGE.splitlines() if re.match(rf"\| .*\b{name}\b", line))
        assert (
            f"{preset.width}x{preset.height} | {preset.rate} | {preset.max_bitrate // 10**6}" in row
        )
        assert f"| {preset.max_length_s or ''}".rstrip() in row
    assert all(re.search(rf"\b{position}\b", PAGE) for position in Position)
    assert len(TransitionType) - 1 == 18
    pictures = re.findall(r"\((pictures/[a-z]+\.jpg)\)", PAGE)
    assert len(pictures) == 3
    assert all((DOCS / picture).stat().st_size < 60_000 for picture in pictures)
