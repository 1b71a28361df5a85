"""The demo's manifests: one that fetches its clips, and one that puts them in another order."""

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
INTO = {"sprint": FADE, "phone": WIPE}
"""How these clips are entered; the others come after the transition clip."""
CREDITS = {
    "opener": {"creator": "Ada", "game": "Bridges of Königsberg"},
    "cinema": {"creator": "Grace", "game": "Baldur's Gate: 100% 🎬"},
}
"""Who made these clips, as their creator card says; any text will do."""
ANOTHER_ORDER = ("silent", "phone", "cinema", "opener", "sprint")
"""The same neighbours at each crossfade: no segment is new."""
OUTPUTS = (
    {"name": "main", "preset": "custom", "width": 1280, "height": 720, "rate": 30},
    {"name": "short", "preset": "custom", "width": 540, "height": 960, "rate": 30},
)
HEAD = """# Made by `./run demo`: the manifest of its video, in the form that `kubectl apply` takes.
"""
AGAIN = """# Made by `./run demo`: its clips in another order, by their ids in the media library.
"""


def fetching(urls: Mapping[str, str], assets: Mapping[str, str]) -> dict[str, Any]:
    """The demo's manifest. `urls` of clips by name, `assets`: media ids by name."""
    clips = [
        {"name": recipe.name, "url": urls[recipe.name], **_more(recipe.name)} for recipe in CLIPS
    ]
    return _made("demo", clips, assets)


def reordered(clips: Sequence[ClipStatus], assets: Mapping[str, str]) -> dict[str, Any]:
    """The good clips in another order; nothing is fetched and no segment is rendered for it."""
    known = {clip.name: clip.media_id for clip in clips if clip.media_id}
    placed = [
        {"name": name, "mediaId": known[name], **_more(name)}
        for name in ANOTHER_ORDER
        if name in known
    ]
    return _made("demo-reordered", placed, assets)


def _more(name: str) -> dict[str, Any]:
    entered = {"transition": dict(INTO[name])} if name in INTO else {}
    return entered | ({"credit": dict(CREDITS[name])} if name in CREDITS else {})


def _made(name: str, clips: list[dict[str, Any]], assets: Mapping[str, str]) -> dict[str, Any]:
    spec = {
        "title": "Clipmill's demo",
        "minimumClips": 2,
        "maxClipDuration": "4s",
        "creatorCard": {"start": "500ms", "duration": "2500ms"},
        "clips": clips,
        "intro": {"mediaId": assets["intro"]},
        "outro": {"mediaId": assets["outro"]},
        "transitions": {"mediaIds": [assets["swoosh"]]},
        "outputs": [{**output, "fit": "ContainBlur"} for output in OUTPUTS],
    }
    head = {"apiVersion": "clipmill.dev/v1alpha1", "kind": "Compilation"}
    return {**head, "metadata": {"name": name}, "spec": spec}


def left(path: Path, head: str, made: dict[str, Any]) -> Manifest:
    """Write a manifest where a person finds it, and read it as any other."""
    path.write_text(
        head + yaml.safe_dump(made, sort_keys=False, allow_unicode=True), encoding="utf-8"
    )
    return manifest_file.load(path)
