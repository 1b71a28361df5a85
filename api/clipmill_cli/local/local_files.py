"""Local files in a manifest: found, and replaced by the mediaIds of their uploads.

For the command line only, a `url` may be a local path or a `file:` URL. So may an `avatar` and
each of `transitions.mediaIds`, which name media without a mapping of their own.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from clipmill.protocol import MediaKind
from clipmill.spec import MAX_CLIPS
from clipmill.spec.base import ID_PATTERN
from clipmill.spec.picture import MAX_OVERLAYS
from clipmill.spec.transitions import MAX_TRANSITIONS
from clipmill_cli.errors import ManifestError
from clipmill_cli.output.field_paths import Steps, field_path, format_value

# Stands for a mediaId before the upload, so that a manifest can be validated before any upload.
PLACEHOLDER_ID = "m-local"
MAX_URL_CHARS = 2000
# spec, clips, the position, url
CLIP_STEPS = 4
# Fields of the spec that play one file.
ASSET_FIELDS = {
    "intro": MediaKind.INTRO,
    "outro": MediaKind.OUTRO,
    "bumper": MediaKind.BUMPER,
    "music": MediaKind.MUSIC,
}
_IMAGES = (b"\x89PNG", b"\xff\xd8\xff")
_REMOTE = re.compile(r"^https?:", re.IGNORECASE)
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:")

# `www.youtube.com/watch?v=1` behind the manifest's folder.
_HOST_AND_PATH = re.compile(r"(?:^|/)((?:[a-z0-9-]+\.)+(?:be|com|gg|net|org|tv)/\S+)$")


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of this machine that a manifest plays; `steps` lead to the value that names it."""

    steps: Steps
    path: Path
    kind: MediaKind

    @property
    def field(self) -> str:
        """The path of the field that names the file, such as `spec.clips[0].url`."""
        return field_path(self.steps)

    @property
    def is_clip(self) -> bool:
        """Whether the file plays as a clip, so that `onClipError` decides if it is broken."""
        return self.steps[1] == "clips" and len(self.steps) == CLIP_STEPS


@dataclass(frozen=True, slots=True)
class _Reference:
    """A value of the manifest that may name a local file."""

    steps: Steps
    value: Any
    kind: MediaKind


def find_local_files(document: Mapping[str, Any], folder: Path) -> list[LocalFile]:
    """Return the local files that a manifest names; relative paths start at `folder`.

    Values of an unexpected type are skipped: `manifest_file.validate` reports them.

    Raises:
        ManifestError: a file does not exist, or is empty and no clip.
    """
    spec = document.get("spec")
    if not isinstance(spec, dict):
        return []
    files = [
        LocalFile(reference.steps, path, reference.kind)
        for reference in _references(spec)
        if (path := _local_path(reference, folder))
    ]
    for file in files:
        _check_exists(file)
    return [replace(file, kind=_kind(file)) for file in files]


def _kind(file: LocalFile) -> MediaKind:
    """Return the kind of a file: a clip may be a still image."""
    if file.kind is not MediaKind.CLIP:
        return file.kind
    try:
        with file.path.open("rb") as stream:
            head = stream.read(12)
    except OSError:
        # The upload reports it.
        return MediaKind.CLIP
    is_image = head.startswith(_IMAGES) or (head[:4] == b"RIFF" and head[8:] == b"WEBP")
    return MediaKind.IMAGE if is_image else MediaKind.CLIP


def _references(spec: dict[str, Any]) -> Iterator[_Reference]:
    for i, clip in _items(spec, "clips", MAX_CLIPS):
        yield from _clip_references(("spec", "clips", i), clip)
    for name, kind in ASSET_FIELDS.items():
        yield _Reference(("spec", name, "url"), _get(spec.get(name), "url"), kind)
    yield from _overlay_references(("spec",), spec)
    for i, media_id in _items(spec.get("transitions"), "mediaIds", MAX_TRANSITIONS):
        steps = ("spec", "transitions", "mediaIds", i)
        yield _Reference(steps, media_id, MediaKind.TRANSITION)


def _clip_references(steps: Steps, clip: Any) -> Iterator[_Reference]:
    yield _Reference((*steps, "url"), _get(clip, "url"), MediaKind.CLIP)
    yield from _overlay_references(steps, clip)
    avatar = _get(_get(clip, "credit"), "avatar")
    yield _Reference((*steps, "credit", "avatar"), avatar, MediaKind.IMAGE)


def _overlay_references(steps: Steps, parent: Any) -> Iterator[_Reference]:
    for i, overlay in _items(parent, "overlays", MAX_OVERLAYS):
        yield _Reference((*steps, "overlays", i, "url"), _get(overlay, "url"), MediaKind.IMAGE)


def _get(mapping: Any, name: str) -> Any:
    return mapping.get(name) if isinstance(mapping, dict) else None


def _items(mapping: Any, name: str, limit: int) -> Iterator[tuple[int, Any]]:
    values = _get(mapping, name)
    yield from enumerate(values[:limit] if isinstance(values, list) else [])


def _local_path(reference: _Reference, folder: Path) -> Path | None:
    """Return the path that a reference names, or None for a mediaId or a URL of another scheme."""
    value = reference.value
    if not isinstance(value, str) or not value or len(value) > MAX_URL_CHARS:
        return None
    if reference.steps[-1] != "url" and re.fullmatch(ID_PATTERN, value):
        return None
    if value[:5].lower() == "file:":
        # In bytes, since a file's name need not be UTF-8.
        return folder / os.fsdecode(unquote_to_bytes(urlsplit(value).path))
    path = folder / _expanded(value)
    if value.startswith("//") or (_SCHEME.match(value) and not _is_file_with_colon(value, path)):
        return None
    return path


def _expanded(value: str) -> Path:
    """Return a path with the home folder for `~`; a file's name may begin with `~`, too."""
    try:
        return Path(value).expanduser()
    except RuntimeError:
        return Path(value)


def _is_file_with_colon(value: str, path: Path) -> bool:
    try:
        return not _REMOTE.match(value) and path.is_file()
    except OSError:
        return False


def _check_exists(file: LocalFile) -> None:
    try:
        size_bytes = file.path.stat().st_size if file.path.is_file() else None
    except (OSError, ValueError) as error:
        raise ManifestError(f"{file.field}: {format_value(str(file.path))}: {error}") from None
    shown = format_value(str(file.path), max_chars=MAX_URL_CHARS)
    if size_bytes is None:
        raise ManifestError(f"{file.field}: {shown}: no such file{_url_hint(str(file.path))}")
    if size_bytes == 0 and not file.is_clip:
        raise ManifestError(f"{file.field}: {shown}: the file is empty")


def _url_hint(path: str) -> str:
    """Return ` (did you mean https://www.youtube.com/...?)` for a path that starts like a host."""
    address = _HOST_AND_PATH.search(path)
    return f" (did you mean https://{address[1]}?)" if address else " (a URL starts with https://)"


def with_media_ids(
    document: Mapping[str, Any], media_ids: Mapping[LocalFile, str]
) -> dict[str, Any]:
    """Return the document with mediaIds instead of local files."""
    replaced = dict(document)
    for file, media_id in media_ids.items():
        replaced = _with_media_id(replaced, file.steps, media_id)
    return replaced


def _with_media_id(node: Any, steps: Steps, media_id: str) -> Any:
    """Return a copy of the nodes along `steps`; YAML aliases may share them with other places."""
    step, rest = steps[0], steps[1:]
    if not rest and step == "url":
        # A clip with both url and mediaId is an error of the manifest and must remain one.
        without_url = {name: value for name, value in node.items() if name != "url"}
        return node if "mediaId" in node else without_url | {"mediaId": media_id}
    copy: Any = dict(node) if isinstance(node, dict) else list(node)
    copy[step] = _with_media_id(node[step], rest, media_id) if rest else media_id
    return copy
