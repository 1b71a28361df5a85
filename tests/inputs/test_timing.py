"""Every picture and every sound comes at its moment, whatever clock a file has."""

from __future__ import annotations

import pytest

from inputs.cases import cases
from inputs.measuring import number
from inputs.recipe import FULL, Recipe
from inputs.recipes import GROUPS, RECIPES
from inputs.rendering import Outcomes, render, spec_of


@pytest.mark.parametrize("recipe", cases(GROUPS["Time"]))
def test_plays(recipe: Recipe, outcomes: Outcomes) -> None:
    """Frames, their order, flash and beep."""
    assert outcomes.of(recipe).faults == ()


@pytest.mark.parametrize(
    ("name", "start_s", "shown"),
    [
        ("sound-goes-on", 3.0, 59),
        ("sound-goes-on", 5.0, 59),
        ("sound-goes-on-webm", 3.0, 59),
        ("picture-with-a-sound-track", 1.5, 9),
    ],
)
def test_a_part_after_the_last_picture_holds_it(
    name: str, start_s: float, shown: int, outcomes: Outcomes
) -> None:
    """It starts at a position for which the file has sound only."""
    recipe = next(recipe for recipe in RECIPES if recipe.name == name)
    spec = spec_of(outcomes.studio.upload(outcomes.files.of(recipe)))
    spec["clips"][0] |= {"start": f"{start_s}s", "end": f"{start_s + 0.5}s"}
    rendered = render(outcomes.studio, spec)
    assert not isinstance(rendered, str), rendered
    assert [number(picture, FULL) for picture in rendered.pictures] == [shown] * 15
    assert len(rendered.sound) == 24_000
