"""The inputs table: every kind of file, how it is made, and what a player shows of it."""

from __future__ import annotations

from inputs.kinds import (
    alpha,
    clocks,
    colour,
    containers,
    hdr,
    music,
    refusals,
    shape,
    sound,
    timing,
    tracks,
)
from inputs.recipe import Recipe

# By the headings of docs/inputs.md.
GROUPS: dict[str, tuple[Recipe, ...]] = {
    "Colour": (*colour.RECIPES, *hdr.RECIPES, *alpha.RECIPES),
    "Time": (*timing.RECIPES, *clocks.RECIPES),
    "Shape": shape.RECIPES,
    "Tracks": tracks.RECIPES,
    "Sound": sound.RECIPES,
    "Containers and codecs": containers.RECIPES,
    "Music": music.RECIPES,
    "Refused": refusals.RECIPES,
}
RECIPES: tuple[Recipe, ...] = tuple(recipe for group in GROUPS.values() for recipe in group)
_BY_NAME = {recipe.name: recipe for recipe in RECIPES}


def named(name: str) -> Recipe:
    """Return the recipe of this name."""
    return _BY_NAME[name]
