"""Colours are those that a player shows, whatever a file declares or leaves open."""

from __future__ import annotations

import pytest

from inputs.cases import cases
from inputs.measuring import TAGS
from inputs.recipe import Recipe
from inputs.recipes import GROUPS
from inputs.rendering import Outcomes


@pytest.mark.parametrize("recipe", cases(GROUPS["Colour"]))
def test_plays(recipe: Recipe, outcomes: Outcomes) -> None:
    """Frames, colours and tones of the rendered file."""
    assert outcomes.of(recipe).faults == ()


def test_results_are_tagged_bt709(outcomes: Outcomes) -> None:
    """Matrix, primaries, transfer and range, whatever the source declares."""
    tags = {recipe.name: outcomes.of(recipe).tags for recipe in GROUPS["Colour"]}
    assert {name: each for name, each in tags.items() if each not in (TAGS, None)} == {}
