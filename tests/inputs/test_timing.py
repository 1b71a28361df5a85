"""Every picture and every sound comes at its moment, whatever clock a file has."""

from __future__ import annotations

import pytest

from inputs.cases import cases
from inputs.recipe import Recipe
from inputs.recipes import GROUPS
from inputs.rendering import Outcomes


@pytest.mark.parametrize("recipe", cases(GROUPS["Time"]))
def test_plays(recipe: Recipe, outcomes: Outcomes) -> None:
    """Frames, their order, flash and beep."""
    assert outcomes.of(recipe).faults == ()
