"""Files of sound play as music, for as long as they last."""

from __future__ import annotations

import pytest

from inputs.cases import cases
from inputs.kinds import music
from inputs.recipe import Recipe
from inputs.rendering import Outcomes


@pytest.mark.parametrize("recipe", cases(music.RECIPES))
def test_plays(recipe: Recipe, outcomes: Outcomes) -> None:
    """How long its tone is heard."""
    assert outcomes.of(recipe).faults == ()
