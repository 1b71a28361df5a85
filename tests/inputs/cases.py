"""The rows of the inputs table as pytest's parameters."""

from __future__ import annotations

from typing import Any

import pytest

from inputs.recipe import Recipe


def cases(recipes: tuple[Recipe, ...]) -> list[Any]:
    """Return pytest's parameters; those that fail today are expected to."""
    return [
        pytest.param(recipe, id=recipe.name, marks=_expected(recipe) if recipe.fails_today else ())
        for recipe in recipes
    ]


def _expected(recipe: Recipe) -> pytest.MarkDecorator:
    """The mark is strict: whoever fixes the row has to set fails_today to False."""
    row = f"row {recipe.row} of" if recipe.row else f"{recipe.name} in"
    reason = f"{row} the inputs table"
    return pytest.mark.xfail(strict=True, raises=AssertionError, reason=reason)
