"""Order text for display by the Unicode bidirectional algorithm (UAX 9)."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any, TypeVar

from bidi import algorithm

_PAIRS = dict(zip("([{", ")]}", strict=True))
_RIGHT_TO_LEFT = ("R", "AL", "EN", "AN")
Run = TypeVar("Run")


def embedding_levels(text: str) -> list[int]:
    """Return the level of each character; odd levels are read from right to left."""
    storage = algorithm.get_empty_storage()
    storage["base_level"] = algorithm.get_base_level(text)
    storage["base_dir"] = ("L", "R")[storage["base_level"]]
    algorithm.get_embedding_levels(text, storage)
    for i, character in enumerate(storage["chars"]):
        character["index"] = i
    algorithm.explicit_embed_and_overrides(storage)
    algorithm.resolve_weak_types(storage)
    _resolve_brackets(storage["chars"])
    algorithm.resolve_neutral_types(storage, debug=False)
    algorithm.resolve_implicit_levels(storage, debug=False)
    return _with_removed(storage["chars"], len(text), storage["base_level"])


def _with_removed(characters: Sequence[Any], length: int, base_level: int) -> list[int]:
    """Return the levels of all characters; one that the algorithm removes has that before it."""
    resolved = {character["index"]: character["level"] for character in characters}
    levels: list[int] = []
    for i in range(length):
        levels.append(resolved.get(i, levels[-1] if levels else base_level))
    return levels


def _resolve_brackets(characters: Sequence[Any]) -> None:
    """Give both brackets of a pair one direction (rule N0), which the library leaves out."""
    opened: list[int] = []
    for i, character in enumerate(characters):
        if character["type"] != "ON":
            continue
        if character["ch"] in _PAIRS:
            opened.append(i)
        elif opened and character["ch"] == _PAIRS[characters[opened[-1]]["ch"]]:
            start = opened.pop()
            direction = _pair_direction(characters, start, i)
            if direction:
                characters[start]["type"] = character["type"] = direction


def _pair_direction(characters: Sequence[Any], start: int, end: int) -> str | None:
    embedding = "R" if characters[start]["level"] % 2 else "L"
    inside = {_strong(character) for character in characters[start + 1 : end]} - {None}
    if not inside:
        return None
    if embedding in inside:
        return embedding
    before = [_strong(character) for character in characters[:start]]
    context = next((direction for direction in reversed(before) if direction), embedding)
    return context if context in inside else embedding


def _strong(character: Any) -> str | None:
    if character["type"] == "L":
        return "L"
    return "R" if character["type"] in _RIGHT_TO_LEFT else None


def visual_order(runs: Sequence[Run], levels: Sequence[int]) -> list[Run]:
    """Return runs from left to right, each with its level (rule L2)."""
    ordered = list(zip(runs, levels, strict=True))
    odd = [level for level in levels if level % 2]
    for level in range(max(levels, default=0), min(odd, default=1) - 1, -1):
        start = 0
        while start < len(ordered):
            end = start
            while end < len(ordered) and ordered[end][1] >= level:
                end += 1
            ordered[start:end] = reversed(ordered[start:end])
            start = end + 1
    return [run for run, _ in ordered]


def is_mark(character: str) -> bool:
    """Return whether a character belongs to the one before it."""
    return unicodedata.category(character) in ("Mn", "Mc", "Me")
