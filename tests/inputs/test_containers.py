"""Everything that the bundled ffmpeg plays is a clip."""

from __future__ import annotations

import pytest

from inputs.cases import cases
from inputs.kinds import containers
from inputs.recipe import Recipe
from inputs.rendering import Outcomes


@pytest.mark.parametrize("recipe", cases(containers.RECIPES))
def test_plays(recipe: Recipe, outcomes: Outcomes) -> None:
    """Frames, colours, tones, flash and beep."""
    assert outcomes.of(recipe).faults == ()
