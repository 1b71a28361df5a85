"""Whether a generated file has the properties that its recipe claims."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inputs.inspection import Facts, facts
from inputs.recipe import Recipe

NEAR = 0.03  # seconds


def unmet_claims(recipe: Recipe, path: Path) -> list[str]:
    """Return the claimed properties that the file does not have."""
    if not recipe.has:
        return []
    properties: Facts = facts(path)
    return [
        f"{name}: {properties.get(name)!r}, not {claim!r}"
        for name, claim in recipe.has.items()
        if not _agree(properties.get(name), claim)
    ]


def _agree(value: Any, claim: Any) -> bool:
    if isinstance(claim, float):
        return isinstance(value, int | float) and abs(value - claim) <= NEAR
    if isinstance(claim, tuple) and isinstance(value, tuple | list):
        pairs = zip(value, claim, strict=False)
        return len(value) == len(claim) and all(_agree(a, b) for a, b in pairs)
    return bool(value == claim)
