"""Files of this machine in a manifest, for the command line only: found, and replaced by media.

A `url` may be a local path or `file:` URL: the file goes into the library, its mediaId there. So
may an `avatar` and each of `transitions.mediaIds`, which name media without a mapping of their own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from clipmill.protocol import MediaKind
from clipmill.spec import MAX_CLIPS
from clipmill.spec.base import ID_PATTERN
from clipmill.spec.compilation import MAX_TRANSITIONS
from clipmill.spec.picture import MAX_OVERLAYS
from clipmill_cli.local.manifest_file import ManifestError
from clipmill_cli.output.field_names import field, shown

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
    """A file of this machine that the manifest plays.

    `at`: the steps to the mapping whose `url` it is, or (`bare`) to the text that names it.
    """

    at: tuple[str | int, ...]
    field: str
    path: Path
    kind: MediaKind
    bare: bool = False


def local_files(raw: Mapping[str, Any], folder: Path) -> list[LocalFile]:
    """The files of this machine named by `url`, relative ones from `folder`. Raises ManifestError.

    Looks at clips, overlays, avatars, transition clips and ASSETS; what is not shaped like a
    manifest is left for `check`.
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
    found = [LocalFile(at, field((*at, "url")), p, kind) for at, p, kind in named if p]
    bare = [(at, _bare_path(text, folder), kind) for at, text, kind in _bare(spec)]
    found += [LocalFile(at, field(at), p, kind, bare=True) for at, p, kind in bare if p]
    return [_there(file) for file in found]


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


def _bare(spec: Mapping[str, Any]) -> list[Place]:
    """The texts that stand for media by themselves."""
    clips, transitions = spec.get("clips"), spec.get("transitions")
    found: list[Place] = []
    for i, clip in enumerate(clips[:MAX_CLIPS] if isinstance(clips, list) else []):
        credit = clip.get("credit") if isinstance(clip, dict) else None
        if isinstance(credit, dict):
            at = ("spec", "clips", i, "credit", "avatar")
            found.append((at, credit.get("avatar"), MediaKind.IMAGE))
    ids = transitions.get("mediaIds") if isinstance(transitions, dict) else None
    if isinstance(ids, list) and len(ids) <= MAX_TRANSITIONS:
        at_ids = ("spec", "transitions", "mediaIds")
        found += [((*at_ids, i), text, MediaKind.TRANSITION) for i, text in enumerate(ids)]
    return found


def _bare_path(text: Any, folder: Path) -> Path | None:
    """A path, unless it is a media id."""
    known = isinstance(text, str) and re.fullmatch(ID_PATTERN, text)
    return None if known else _path(text, folder)


def _local_path(place: Any, folder: Path) -> Path | None:
    return _path(place.get("url"), folder) if isinstance(place, dict) else None


def _path(url: Any, folder: Path) -> Path | None:
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
        for step in file.at[1:-1] if file.bare else file.at[1:]:
            place = place[step]
        if file.bare:
            place[file.at[-1]] = media_id
        # Both given is an error of the manifest: it must stay one.
        elif "mediaId" not in place:
            del place["url"]
            place["mediaId"] = media_id
    return {**raw, "spec": spec}


def _unshared(spec: Mapping[str, Any]) -> dict[str, Any]:
    """A copy in which no two clips or overlays are one object, as YAML's aliases make them."""
    copy = {name: _own(part) for name, part in spec.items()}
    if isinstance(copy.get("clips"), list):
        copy["clips"] = [_own(clip) for clip in copy["clips"]]
        for clip in copy["clips"]:
            if isinstance(clip, dict) and isinstance(clip.get("credit"), dict):
                clip["credit"] = dict(clip["credit"])
    transitions = copy.get("transitions")
    if isinstance(transitions, dict) and isinstance(transitions.get("mediaIds"), list):
        transitions["mediaIds"] = list(transitions["mediaIds"])
    for _, owner in _drawn_over(copy):
        owner["overlays"] = [_own(overlay) for overlay in owner["overlays"]]
    return copy


def _own(part: Any) -> Any:
    """A mapping that is nobody else's; anything else as it is."""
    return dict(part) if isinstance(part, dict) else part
