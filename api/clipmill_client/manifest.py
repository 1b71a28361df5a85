"""A manifest file -> a checked `Manifest`, or a few lines that name field, value and rule.

For the command line only, `url` may be a local path or `file:` URL: `local_files` finds those, and
`with_media` puts the mediaIds in their place.
"""

from __future__ import annotations

import re
import types
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Union, get_args, get_origin
from urllib.parse import unquote, urlsplit

import yaml
from pydantic import BaseModel, ValidationError

from clipmill.contract import MAX_CLIPS, Manifest, MediaKind
from clipmill.picture import MAX_OVERLAYS

MAX_BYTES = 1024 * 1024
MAX_LINES = 5
SHOWN_CHARS = 60
STAND_IN = "m-local"
"""Stands for the mediaId of a file not yet sent up, so that the rest is checked before that."""
ASSETS = {
    "intro": MediaKind.INTRO,
    "outro": MediaKind.OUTRO,
    "bumper": MediaKind.BUMPER,
    "music": MediaKind.MUSIC,
}
"""Fields of the spec that play one file, and what that file is."""
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:")


class ManifestError(Exception):
    """The manifest cannot be used. `lines`: each names a field, its value and the rule."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of this machine that the manifest plays. `at`: the steps to its mapping."""

    at: tuple[str | int, ...]
    field: str
    path: Path
    kind: MediaKind


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
        raise ManifestError(f"{path}: a Compilation is a mapping, not {_shown(raw)}")
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


# --- local files ----------------------------------------------------------------------------------


def local_files(raw: Mapping[str, Any], folder: Path) -> list[LocalFile]:
    """The files of this machine named by `url`, relative ones from `folder`. Raises ManifestError.

    Looks at clips, overlays and ASSETS; what is not shaped like a manifest is left for `check`.
    """
    spec = raw.get("spec")
    if not isinstance(spec, dict):
        return []
    clips = spec.get("clips")
    places: list[Place] = [
        (("spec", "clips", i), clip, MediaKind.CLIP)
        for i, clip in enumerate(clips if isinstance(clips, list) else [])
    ]
    places += [(("spec", name), spec.get(name), kind) for name, kind in ASSETS.items()]
    places += _overlays(spec)
    named = [(at, _local_path(place, folder), kind) for at, place, kind in places]
    return [_there(LocalFile(at, _field((*at, "url")), p, kind)) for at, p, kind in named if p]


Place = tuple[tuple[str | int, ...], Any, MediaKind]
"""The steps to a mapping, the mapping, and what its file is."""


def _overlays(spec: Mapping[str, Any]) -> list[Place]:
    """The overlays of the whole and of each clip: their images may be files of this machine."""
    return [
        ((*at, "overlays", i), overlay, MediaKind.IMAGE)
        for at, owner in _drawn_over(spec)
        for i, overlay in enumerate(owner["overlays"])
    ]


def _drawn_over(spec: Mapping[str, Any]) -> list[tuple[tuple[str | int, ...], Any]]:
    """The spec and those clips that have overlays, no more of them than `check` would let pass."""
    clips = spec.get("clips")
    owners: list[tuple[tuple[str | int, ...], Any]] = [(("spec",), spec)]
    if isinstance(clips, list):
        owners += [(("spec", "clips", i), clip) for i, clip in enumerate(clips[:MAX_CLIPS])]
    return [
        (at, owner)
        for at, owner in owners
        if isinstance(owner, dict)
        and isinstance(owner.get("overlays"), list)
        and len(owner["overlays"]) <= MAX_OVERLAYS
    ]


def _local_path(place: Any, folder: Path) -> Path | None:
    url = place.get("url") if isinstance(place, dict) else None
    if not isinstance(url, str) or not url or len(url) > 2000:
        return None
    if url[:5].lower() == "file:":
        return folder / unquote(urlsplit(url).path)
    if _SCHEME.match(url) or url.startswith("//"):
        return None
    return folder / Path(url).expanduser()


def _there(file: LocalFile) -> LocalFile:
    try:
        size = file.path.stat().st_size if file.path.is_file() else None
    except (OSError, ValueError) as error:
        raise ManifestError(f"{file.field}: {_shown(str(file.path))}: {error}") from None
    if size is None:
        hint = "no such file (the URL of a page starts with https://)"
        raise ManifestError(f"{file.field}: {_shown(str(file.path), whole=True)}: {hint}")
    if size == 0:
        raise ManifestError(
            f"{file.field}: {_shown(str(file.path), whole=True)}: the file is empty"
        )
    return file


def with_media(raw: Mapping[str, Any], media: Mapping[LocalFile, str]) -> dict[str, Any]:
    """The same manifest with mediaIds in the places of local files."""
    spec = _unshared(raw["spec"])
    for file, media_id in media.items():
        place: Any = spec
        for step in file.at[1:]:
            place = place[step]
        # Both given is an error of the manifest: it must stay one.
        if "mediaId" not in place:
            del place["url"]
            place["mediaId"] = media_id
    return {**raw, "spec": spec}


def _unshared(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A copy in which no two clips or overlays are one object, as YAML's aliases make them."""
    copy = {name: dict(part) if isinstance(part, dict) else part for name, part in spec.items()}
    if isinstance(copy.get("clips"), list):
        copy["clips"] = [dict(c) if isinstance(c, dict) else c for c in copy["clips"]]
    for _, owner in _drawn_over(copy):
        owner["overlays"] = [dict(o) if isinstance(o, dict) else o for o in owner["overlays"]]
    return copy


# --- checking -------------------------------------------------------------------------------------


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
        return f"{_field(at)}: required, and not there"
    if fault["type"] == "extra_forbidden":
        return f"{_field(at)}: unknown field{_nearest(at)}"
    rule = str(fault["msg"]).removeprefix("Value error, ").replace(" after validation", "")
    # A rule over several fields starts with the one to change.
    first = re.match(r"([a-zA-Z]+):? ", rule)
    if isinstance(value, dict) and first and first[1] in value:
        at, value = (*at, first[1]), value[first[1]]
    # Here a list or mapping says nothing: its rule counts it, or names what is in it.
    if isinstance(value, dict | list) and fault["type"] in ("value_error", "too_short", "too_long"):
        return f"{_field(at)}: {rule.removeprefix(f'{at[-1]}: ')}" if at else f"manifest: {rule}"
    return f"{_field(at)}: {_shown(value)}: {rule}"


def _field(at: tuple[str | int, ...]) -> str:
    path = ""
    for step in at:
        path += f"[{step}]" if isinstance(step, int) else f".{_cut(str(step))}"
    return path.lstrip(".") or "manifest"


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}... ({len(text)} characters)"


def _shown(value: Any, *, whole: bool = False) -> str:
    # A list or mapping is never printed: with YAML's aliases 1 KB can mean gigabytes.
    if isinstance(value, dict | list):
        kind = "a list" if isinstance(value, list) else "a mapping"
        return f"{kind} of {len(value)}"
    if isinstance(value, str):
        if whole or len(value) <= SHOWN_CHARS:
            return repr(value)
        return f"{value[:SHOWN_CHARS]!r}... ({len(value)} characters)"
    return "nothing" if value is None else _cut(repr(value))


def _nearest(at: tuple[str | int, ...]) -> str:
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
