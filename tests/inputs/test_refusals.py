"""What is no clip is refused with a stable code, and the reason names what it is."""

from __future__ import annotations

import pytest

from inputs.cases import cases
from inputs.kinds import refusals
from inputs.recipe import Recipe
from inputs.rendering import Outcomes


@pytest.mark.parametrize("recipe", cases(refusals.RECIPES))
def test_refused(recipe: Recipe, outcomes: Outcomes) -> None:
    """The code, and the format named in the message."""
    assert outcomes.of(recipe).faults == ()
