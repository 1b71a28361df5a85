"""How error lines show a field's path and a value."""

from __future__ import annotations

from typing import Any

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
