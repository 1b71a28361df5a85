"""A manifest file -> a validated `Manifest`, or a few lines that name field, value and rule."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from clipmill.shows.show_spec import ShowManifest
from clipmill.spec import CompilationSpec, Manifest, Metadata
from clipmill.spec.input_rules import input_rule
from clipmill_cli.errors import ManifestError
from clipmill_cli.output.field_paths import field_path, format_value

ModelT = TypeVar("ModelT", bound=BaseModel)
MAX_BYTES = 1024 * 1024
MAX_LINES = 5
STDIN = Path("-")


def load(path: Path) -> Manifest:
    """Read and validate a manifest that has no local files.

    Raises:
        ManifestError: the file cannot be read, or is not a valid manifest.
    """
    return validate(read_yaml(path))


def read_yaml(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file of at most MAX_BYTES.

    Raises:
        ManifestError: the file cannot be read, or holds no YAML mapping.
    """
    text = read_text(path)
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ManifestError(f"{path}: {_yaml_fault(error)}") from None
    except RecursionError:
        raise ManifestError(f"{path}: nested too deeply") from None
    if not isinstance(document, dict):
        kind = format_value(document)
        raise ManifestError(f"{path}: a manifest must be a mapping, not {kind}")
    return document


def read_text(path: Path) -> str:
    """Return the text of a file, or of standard input for `-`, of at most MAX_BYTES.

    Raises:
        ManifestError: the file cannot be read, is too large, or is not UTF-8.
    """
    try:
        with path.open("rb") if path != STDIN else nullcontext(_stdin()) as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ManifestError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    if len(content) > MAX_BYTES:
        raise ManifestError(f"{path}: larger than the limit of 1 MiB")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise ManifestError(f"{path}: not UTF-8 text at byte {error.start}") from None


def _stdin() -> BinaryIO:
    return sys.stdin.buffer


def _yaml_fault(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark, problems = error.problem_mark, filter(None, (error.context, error.problem))
        return f"line {mark.line + 1}, column {mark.column + 1}: {', '.join(problems)}"
    return f"not YAML: {' '.join(str(error).split())[:200]}"


def validate(document: Mapping[str, Any]) -> Manifest:
    """Return the manifest in a parsed document.

    Raises:
        ManifestError: it is not valid; the first MAX_LINES faults are named.
    """
    return _validate(Manifest, document)


def validate_show(document: Mapping[str, Any]) -> ShowManifest:
    """Return the show in a parsed document.

    Raises:
        ManifestError: it is not valid; the first MAX_LINES faults are named.
    """
    return _validate(ShowManifest, document)


def _validate(model: type[ModelT], document: Mapping[str, Any]) -> ModelT:
    try:
        return model.model_validate(document)
    except ValidationError as error:
        faults = error.errors(include_url=False)
    lines = [_fault_line(dict(fault), model) for fault in faults[:MAX_LINES]]
    if len(faults) > MAX_LINES:
        lines[-1] += f" (and {len(faults) - MAX_LINES} more errors)"
    raise ManifestError(*lines)


def manifest_of(name: str, spec: CompilationSpec) -> Manifest:
    """Return the manifest of a spec."""
    return Manifest(
        api_version="clipmill.dev/v1alpha1",
        kind="Compilation",
        metadata=Metadata(name=name),
        spec=spec,
    )


def manifest_text(name: str, spec: CompilationSpec) -> str:
    """Return a manifest in YAML, without the fields that have their defaults."""
    manifest = manifest_of(name, spec)
    document = manifest.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def _fault_line(fault: dict[str, Any], root: type[BaseModel]) -> str:
    steps, value = tuple(fault["loc"]), fault.get("input")
    rule = input_rule(fault, steps, root)
    if fault["type"] in ("missing", "extra_forbidden"):
        return f"{field_path(steps)}: {rule}"
    # A rule about several fields starts with the field to change.
    first = re.match(r"([a-zA-Z]+):? ", rule)
    if fault["type"] == "value_error" and isinstance(value, dict) and first and first[1] in value:
        steps, value = (*steps, first[1]), value[first[1]]
    # The rule itself counts a list or mapping, or names what is in it.
    if isinstance(value, dict | list) and fault["type"] in ("value_error", "too_short", "too_long"):
        if not steps:
            return f"manifest: {rule}"
        return f"{field_path(steps)}: {rule.removeprefix(f'{steps[-1]}: ')}"
    shown = format_value(value)
    # Some rules name the value themselves.
    return f"{field_path(steps)}: {rule if rule.startswith(shown) else f'{shown}: {rule}'}"
