"""Sound of any layout, rate and codec becomes 48 kHz stereo, in time."""

from __future__ import annotations

import pytest

from inputs.cases import cases
from inputs.kinds import sound
from inputs.recipe import Recipe
from inputs.rendering import Outcomes


@pytest.mark.parametrize("recipe", cases(sound.RECIPES))
def test_plays(recipe: Recipe, outcomes: Outcomes) -> None:
    """Tones of each channel, level and beep."""
    assert outcomes.of(recipe).faults == ()
