"""Of several tracks those play that a player takes."""

from __future__ import annotations

import pytest

from inputs.cases import cases
from inputs.kinds import tracks
from inputs.recipe import Recipe
from inputs.rendering import Outcomes


@pytest.mark.parametrize("recipe", cases(tracks.RECIPES))
def test_plays(recipe: Recipe, outcomes: Outcomes) -> None:
    """The numbers of one track, the tones of the other."""
    assert outcomes.of(recipe).faults == ()
