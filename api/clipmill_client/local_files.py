"""Files of this machine in a manifest, for the command line only: found, and replaced by media.

A `url` may be a local path or `file:` URL: the file goes into the library, its mediaId there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from clipmill.contract import MAX_CLIPS, MediaKind
from clipmill.picture import MAX_OVERLAYS
from clipmill_client.manifest import ManifestError
from clipmill_client.wording import field, shown

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


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of this machine that the manifest plays. `at`: the steps to its mapping."""

    at: tuple[str | int, ...]
    field: str
    path: Path
    kind: MediaKind


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
    return [_there(LocalFile(at, field((*at, "url")), p, kind)) for at, p, kind in named if p]


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
        raise ManifestError(f"{file.field}: {shown(str(file.path))}: {error}") from None
    if size is None:
        hint = "no such file (the URL of a page starts with https://)"
        raise ManifestError(f"{file.field}: {shown(str(file.path), whole=True)}: {hint}")
    if size == 0:
        raise ManifestError(f"{file.field}: {shown(str(file.path), whole=True)}: the file is empty")
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
