"""Colours are those that a player shows, whatever a file declares or leaves open."""

from __future__ import annotations

import pytest

from inputs.cases import cases
from inputs.making import Files
from inputs.measuring import TAGS, differences
from inputs.recipe import Recipe, Shown
from inputs.recipes import GROUPS, named
from inputs.rendering import Outcomes, render, spec_of
from studio import Studio, custom


@pytest.mark.parametrize("recipe", cases(GROUPS["Colour"]))
def test_plays(recipe: Recipe, outcomes: Outcomes) -> None:
    """Frames, colours and tones of the rendered file."""
    assert outcomes.of(recipe).faults == ()


FRAMINGS = {
    "cover": {"fit": "Cover"},
    "blur": {"fit": "ContainBlur"},
    "panes": {"layout": [{"target": {"width": 100, "height": 100}}]},
}


@pytest.mark.parametrize("framing", FRAMINGS)
def test_hdr_is_tone_mapped_in_every_framing(framing: str, files: Files, studio: Studio) -> None:
    """White, grey and colours are those of the table."""
    recipe = named("hdr-pq-hevc")
    media_id = studio.upload(files.of(recipe))
    rendered = render(studio, spec_of(media_id, outputs=[custom(**FRAMINGS[framing])]))
    assert not isinstance(rendered, str), rendered
    assert isinstance(recipe.outcome, Shown)
    assert differences(rendered, recipe.outcome) == []


def test_results_are_tagged_bt709(outcomes: Outcomes) -> None:
    """Matrix, primaries, transfer and range, whatever the source declares."""
    tags = {recipe.name: outcomes.of(recipe).tags for recipe in GROUPS["Colour"]}
    assert {name: each for name, each in tags.items() if each not in (TAGS, None)} == {}
