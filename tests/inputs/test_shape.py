"""Pictures are upright and in their true shape, without fields."""

from __future__ import annotations

from itertools import pairwise

import pytest

from inputs.cases import cases
from inputs.kinds import shape
from inputs.making import Files
from inputs.measuring import COMB, bar_at, comb
from inputs.recipe import Recipe
from inputs.rendering import Outcomes, render, spec_of
from studio import Studio, custom


@pytest.mark.parametrize("recipe", cases(shape.RECIPES))
def test_plays(recipe: Recipe, outcomes: Outcomes) -> None:
    """Where the picture lies, its orientation, and no combs."""
    assert outcomes.of(recipe).faults == ()


def test_fields_become_frames_where_the_output_has_their_rate(files: Files, studio: Studio) -> None:
    """At 60 frames a second each frame shows another moment: the bar moves on in every one."""
    recipe = next(each for each in shape.RECIPES if each.name == "interlaced-h264")
    media_id = studio.upload(files.of(recipe))
    rendered = render(studio, spec_of(media_id, outputs=[custom(rate=60)]))
    assert not isinstance(rendered, str), rendered
    assert len(rendered.pictures) == 120
    steps = [b - a for a, b in pairwise(map(bar_at, rendered.pictures))]
    # The bar starts again at the left twice.
    assert sum(2.5 < step < 5.5 for step in steps) >= len(steps) - 4
    assert [comb(picture) for picture in rendered.pictures if comb(picture) > COMB] == []
