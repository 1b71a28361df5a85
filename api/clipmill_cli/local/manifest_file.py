"""A manifest file -> a checked `Manifest`, or a few lines that name field, value and rule."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from clipmill.spec import Manifest
from clipmill_cli.output.field_names import field, nearest, shown

MAX_BYTES = 1024 * 1024
MAX_LINES = 5


class ManifestError(Exception):
    """The manifest cannot be used. `lines`: each names a field, its value and the rule."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def load(path: Path) -> Manifest:
    """A manifest without local files, checked. Raises ManifestError."""
    return check(read(path))


def read(path: Path) -> dict[str, Any]:
    """The YAML of a file, at most 1 MiB, as it stands. Raises ManifestError."""
    text = text_of(path)
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ManifestError(f"{path}: {_yaml_fault(error)}") from None
    except RecursionError:
        raise ManifestError(f"{path}: nested too deeply") from None
    if not isinstance(raw, dict):
        raise ManifestError(f"{path}: a Compilation is a mapping, not {shown(raw)}")
    return raw


def text_of(path: Path) -> str:
    """The text of a file of at most 1 MiB. Raises ManifestError."""
    try:
        with path.open("rb") as file:
            found = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ManifestError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    if len(found) > MAX_BYTES:
        raise ManifestError(f"{path}: larger than the 1 MiB that a manifest may have")
    try:
        return found.decode()
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path}: not UTF-8 text at byte {error.start}") from None


def _yaml_fault(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark, said = error.problem_mark, filter(None, (error.context, error.problem))
        return f"line {mark.line + 1}, column {mark.column + 1}: {', '.join(said)}"
    return f"not YAML: {' '.join(str(error).split())[:200]}"


def check(raw: Mapping[str, Any]) -> Manifest:
    """The manifest, or at most five lines of what is wrong. Raises ManifestError."""
    try:
        return Manifest.model_validate(raw)
    except ValidationError as error:
        faults = error.errors(include_url=False)
    lines = [_line(dict(fault)) for fault in faults[:MAX_LINES]]
    if len(faults) > MAX_LINES:
        lines[-1] += f" (and {len(faults) - MAX_LINES} more errors)"
    raise ManifestError(*lines)


def _line(fault: dict[str, Any]) -> str:
    at, value = tuple(fault["loc"]), fault.get("input")
    if fault["type"] == "missing":
        return f"{field(at)}: required, and not there"
    if fault["type"] == "extra_forbidden":
        return f"{field(at)}: unknown field{nearest(at)}"
    rule = str(fault["msg"]).removeprefix("Value error, ").replace(" after validation", "")
    # A rule over several fields starts with the one to change.
    first = re.match(r"([a-zA-Z]+):? ", rule)
    if isinstance(value, dict) and first and first[1] in value:
        at, value = (*at, first[1]), value[first[1]]
    # Here a list or mapping says nothing: its rule counts it, or names what is in it.
    if isinstance(value, dict | list) and fault["type"] in ("value_error", "too_short", "too_long"):
        return f"{field(at)}: {rule.removeprefix(f'{at[-1]}: ')}" if at else f"manifest: {rule}"
    return f"{field(at)}: {shown(value)}: {rule}"
