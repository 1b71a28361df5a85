"""Forty unlike sources in a random order with random transitions, and what is to be measured."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

import levels
from clipmill.protocol import TimelineItem
from clipmill.spec import TransitionType
from inputs.measuring import Rendered, allowed, box_at, number
from inputs.recipe import RATE, Recipe, Shown
from inputs.recipes import RECIPES
from studio import custom

SOURCES = 40
OUTPUT = custom(160, 90)
MIN_MS, MAX_MS = 200, 500
SILENT_DB = -60.0


def _plays(recipe: Recipe) -> bool:
    shown = recipe.outcome
    return isinstance(shown, Shown) and bool(shown.pictures) and not recipe.fails_today


POOL = [recipe for recipe in RECIPES if _plays(recipe)]


def matrix_clips(order: int) -> tuple[list[Recipe], list[dict[str, Any]]]:
    """Return the recipes of an order, and the fields of their clips."""
    draw = random.Random(order)
    recipes = draw.sample(POOL, SOURCES)
    kinds = list(TransitionType)
    clips = []
    for i, recipe in enumerate(recipes):
        length_ms = draw.randint(MIN_MS, MAX_MS)
        longest_ms = _frames(recipe) * 1000 // RATE
        start_ms = draw.randint(0, max(0, longest_ms - length_ms))
        clip = {"name": f"c{i}", "start": f"{start_ms}ms", "end": f"{start_ms + length_ms}ms"}
        if i and draw.random() < 0.7:
            overlap = f"{draw.randint(40, 500)}ms"
            clip["transition"] = {"type": draw.choice(kinds).value, "duration": overlap}
        clips.append(clip)
    return recipes, clips


def _frames(recipe: Recipe) -> int:
    assert isinstance(recipe.outcome, Shown)
    return recipe.outcome.frames


def matrix_faults(
    recipes: Sequence[Recipe], items: Sequence[TimelineItem], rendered: Rendered
) -> list[str]:
    """Compare each source with what is measured where its item plays."""
    overlaps = [item.overlap for item in items[1:]] + [0]
    return [
        fault
        for recipe, item, tail in zip(recipes, items, overlaps, strict=True)
        for fault in _faults(recipe, item, tail, rendered)
    ]


def _faults(recipe: Recipe, item: TimelineItem, tail: int, rendered: Rendered) -> Iterator[str]:
    """Compare the frames of a clip that no transition covers; and whether it is heard there."""
    shown = recipe.outcome
    assert isinstance(shown, Shown)
    first, end = item.at + item.overlap, item.at + item.frames - tail
    for i in range(first, end):
        moment = item.start + i - item.at
        card = number(rendered.pictures[i], box_at(shown, moment))
        if card not in allowed(shown.pictures, moment):
            expected = sorted(allowed(shown.pictures, moment))
            yield f"{recipe.name}, frame {i}: card {card}, not {expected}"
            return
    part = levels.at(rendered.sound, first / RATE, end / RATE)
    moments = (item.start + first - item.at, item.start + end - item.at)
    if shown.sound is None or not len(part):
        return
    heard = shown.sound.from_s * RATE <= moments[0] and moments[1] <= shown.sound.until_s * RATE
    # A part without a new card lies in a gap of the file, where it may be silent too.
    has_cards = any(moments[0] <= at_s * RATE < moments[1] for at_s, _ in shown.pictures)
    if heard and has_cards and levels.rms_db(part) < SILENT_DB:
        yield f"{recipe.name}, frames {first} to {end}: silent"
