"""The demo's manifests: one whose clips are fetched, and one with its clips in another order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from clipmill.protocol import ClipStatus
from clipmill.spec import Manifest
from clipmill_cli.demo.clip_recipes import CLIPS
from clipmill_cli.local import manifest_file

FADE = {"type": "Fade", "duration": "500ms"}
WIPE = {"type": "WipeLeft", "duration": "500ms"}
# Clips that begin with a crossfade. The others follow the transition clip.
CROSSFADES = {"sprint": FADE, "phone": WIPE}
# Texts of the creator cards.
CREDITS = {
    "opener": {"creator": "Ada", "game": "Bridges of Königsberg"},
    "cinema": {"creator": "Grace", "game": "Baldur's Gate: 100% 🎬"},
}
# Each crossfade keeps its neighbours, so that all segments are reused.
REORDERED = ("silent", "phone", "cinema", "opener", "sprint")
OUTPUTS = (
    {"name": "main", "preset": "custom", "width": 1280, "height": 720, "rate": 30},
    {"name": "short", "preset": "custom", "width": 540, "height": 960, "rate": 30},
)
DEMO_COMMENT = "# Written by `./run demo`: the manifest of its video, as for `kubectl apply`.\n"
REORDERED_COMMENT = "# Written by `./run demo`: its clips in another order, by their media ids.\n"


def demo_manifest(urls: Mapping[str, str], asset_ids: Mapping[str, str]) -> dict[str, Any]:
    """Return the demo's manifest.

    Args:
        urls: URLs of the clips by name.
        asset_ids: media ids of intro, outro and transition clip by name.
    """
    clips = [
        {"name": recipe.name, "url": urls[recipe.name], **_clip_fields(recipe.name)}
        for recipe in CLIPS
    ]
    return _manifest("demo", clips, asset_ids)


def reordered_manifest(clips: Sequence[ClipStatus], asset_ids: Mapping[str, str]) -> dict[str, Any]:
    """Return a manifest of the valid clips in another order, which needs no new segments."""
    media_ids = {clip.name: clip.media_id for clip in clips if clip.media_id}
    reordered = [
        {"name": name, "mediaId": media_ids[name], **_clip_fields(name)}
        for name in REORDERED
        if name in media_ids
    ]
    return _manifest("demo-reordered", reordered, asset_ids)


def _clip_fields(name: str) -> dict[str, Any]:
    transition = {"transition": dict(CROSSFADES[name])} if name in CROSSFADES else {}
    return transition | ({"credit": dict(CREDITS[name])} if name in CREDITS else {})


def _manifest(
    name: str, clips: list[dict[str, Any]], asset_ids: Mapping[str, str]
) -> dict[str, Any]:
    spec = {
        "title": "Clipmill's demo",
        "minimumClips": 2,
        "maxClipDuration": "4s",
        "creatorCard": {"start": "500ms", "duration": "2500ms"},
        "clips": clips,
        "intro": {"mediaId": asset_ids["intro"]},
        "outro": {"mediaId": asset_ids["outro"]},
        "transitions": {"mediaIds": [asset_ids["swoosh"]]},
        "outputs": [{**output, "fit": "ContainBlur"} for output in OUTPUTS],
    }
    header = {"apiVersion": "clipmill.dev/v1alpha1", "kind": "Compilation"}
    return {**header, "metadata": {"name": name}, "spec": spec}


def write_manifest(path: Path, comment: str, manifest: dict[str, Any]) -> Manifest:
    """Write a manifest below a comment, and read it like any other."""
    text = yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True)
    path.write_text(comment + text, encoding="utf-8")
    return manifest_file.load(path)
