"""How a field, a value and the nearest known field are written in an error's line."""

from __future__ import annotations

import types
from difflib import get_close_matches
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from clipmill.spec import Manifest

SHOWN_CHARS = 60


def field(at: tuple[str | int, ...]) -> str:
    path = ""
    for step in at:
        path += f"[{step}]" if isinstance(step, int) else f".{_cut(str(step))}"
    return path.lstrip(".") or "manifest"


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}... ({len(text)} characters)"


def shown(value: Any, *, whole: bool = False) -> str:
    # A list or mapping is never printed: with YAML's aliases 1 KB can mean gigabytes.
    if isinstance(value, dict | list):
        kind = "a list" if isinstance(value, list) else "a mapping"
        return f"{kind} of {len(value)}"
    if isinstance(value, str):
        if whole or len(value) <= SHOWN_CHARS:
            return repr(value)
        return f"{value[:SHOWN_CHARS]!r}... ({len(value)} characters)"
    return "nothing" if value is None else _cut(repr(value))


def nearest(at: tuple[str | int, ...]) -> str:
    known = _fields_at(at[:-1])
    close = get_close_matches(str(at[-1])[:SHOWN_CHARS], known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(known)}"


def _fields_at(at: tuple[str | int, ...]) -> list[str]:
    model: type[BaseModel] | None = Manifest
    for step in at:
        if isinstance(step, int) or model is None:
            continue
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        model = _model_in(fields[step].annotation) if step in fields else None
    if model is None:
        return []
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model inside `X`, `X | None` or `list[X]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (list, Union, types.UnionType):
        return next((m for a in get_args(annotation) if (m := _model_in(a))), None)
    return None
