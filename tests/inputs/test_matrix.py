"""Forty unlike sources in random orders with random transitions: not a frame more or less.

CLIPMILL_MATRIX_ORDERS=200 runs 200 orders, which takes an hour; else a few run.
"""

from __future__ import annotations

import os

import pytest

from inputs.making import Files
from inputs.matrix import OUTPUT, POOL, SOURCES, matrix_clips, matrix_faults
from inputs.measuring import TAGS
from inputs.rendering import render
from studio import Studio

ORDERS = int(os.environ.get("CLIPMILL_MATRIX_ORDERS", "1"))


def test_there_are_enough_sources() -> None:
    """Those that play as they should."""
    assert len(POOL) >= SOURCES


@pytest.mark.parametrize("order", range(ORDERS))
def test_an_order(order: int, files: Files, studio: Studio) -> None:
    """Every source shows the cards of its moments up to each join, with its sound, tagged alike."""
    recipes, clips = matrix_clips(order)
    for recipe, clip in zip(recipes, clips, strict=True):
        clip["mediaId"] = studio.upload(files.of(recipe))
    spec = {"clips": clips, "outputs": [OUTPUT]}
    _, plan = studio.api.register(studio.owner, spec)
    rendered = render(studio, spec)
    assert not isinstance(rendered, str), rendered
    assert (len(rendered.pictures), rendered.tags) == (plan.outputs[0].frames, TAGS)
    assert matrix_faults(recipes, plan.outputs[0].items, rendered) == []
