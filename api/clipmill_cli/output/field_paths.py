"""How error lines show a field's path, a value and the nearest known field."""

from __future__ import annotations

import types
from difflib import get_close_matches
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

from clipmill.spec import Manifest

MAX_VALUE_CHARS = 60
Steps = tuple[str | int, ...]


def field_path(steps: Steps) -> str:
    """Return steps through mappings and lists as `spec.clips[0].url`."""
    path = ""
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else f".{_shortened(str(step))}"
    return path.lstrip(".") or "manifest"


def format_value(value: Any, *, max_chars: int = MAX_VALUE_CHARS) -> str:
    """Return a value as an error line shows it, cut to about `max_chars` characters."""
    # Lists and mappings are not printed: with YAML's aliases 1 KB can expand to gigabytes.
    if isinstance(value, dict):
        return f"a mapping of {len(value)}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, str) and len(value) > max_chars:
        return f"{value[:max_chars]!r}... ({len(value)} characters)"
    if isinstance(value, str):
        return repr(value)
    return "null" if value is None else _shortened(repr(value))


def _shortened(text: str) -> str:
    if len(text) <= MAX_VALUE_CHARS:
        return text
    return f"{text[:MAX_VALUE_CHARS]}... ({len(text)} characters)"


def suggestion(steps: Steps) -> str:
    """Return `did you mean end?` for an unknown field, or the names of all known fields."""
    names = _fields_at(steps[:-1])
    close = get_close_matches(str(steps[-1])[:MAX_VALUE_CHARS], names, n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else f"known fields: {', '.join(names)}"


def _fields_at(steps: Steps) -> list[str]:
    model: type[BaseModel] | None = Manifest
    for step in steps:
        if isinstance(step, int) or model is None:
            continue
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        model = _model_in(fields[step].annotation) if step in fields else None
    if model is None:
        return []
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model inside `X`, `X | None` or `list[X]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (list, Union, types.UnionType):
        return next((model for part in get_args(annotation) if (model := _model_in(part))), None)
    return None
