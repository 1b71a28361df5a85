"""Media for the ids of manifests/samples/everything.yaml, and a small version of the sample.

media -> upload -> filled -> small -> any renderer -> everything_expected.check
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

import clipmaker
import levels
from clipmill.protocol import MediaKind
from clipmill_client.client import Client
from manifests import samples

FRAMES = 432
TIER: dict[str, Any] = {"apply_watermark": True}
# The file behind the one URL of the sample.
FETCHED = "fetched.mp4"
SMALL = {
    "main": {"width": 320, "height": 180, "rate": 30},
    "short": {"width": 108, "height": 192, "rate": 30},
    "feed": {"width": 108, "height": 108, "rate": 30},
    "stacked": {"width": 108, "height": 192, "rate": 30},
    "web": {"width": 160, "height": 90, "rate": 25, "maxBytes": 240_000},
}
SOUNDS = ("clip0001", "clip0002", "clip0003", "clip0004", "intro001", "outro001", "fetched")
LUMA = {
    "intro001": 50,
    "bumper01": 35,
    "clip0002": 110,
    "clip0003": 150,
    "clip0004": 190,
    "trans001": 130,
    "trans002": 140,
    "fetched": 205,
    "outro001": 220,
}
# Luma of the left, middle and right third of clip0001.
THIRDS = (60, 80, 100)
MUSIC_HZ = 1500


def media(folder: Path) -> dict[str, tuple[Path, MediaKind]]:
    """Write a file for each id of the sample, and FETCHED."""
    left, middle, right = THIRDS
    split = f"if(lt(X,W/3),{left},if(lt(X,2*W/3),{middle},{right}))"
    paths = {"clip0001": _clip(folder, "clip0001", f"'{split}'", seconds=2.5)}
    paths |= {name: _clip(folder, name, str(level)) for name, level in LUMA.items()}
    del paths["fetched"]
    kinds = {"intro": "intro", "outro": "outro", "trans": "transition", "bumper": "bumper"}
    for name, color in (("logo0001", (255, 0, 0)), ("face0001", (0, 0, 255))):
        paths[name] = folder / f"{name}.png"
        Image.new("RGB", (64, 64), color).save(paths[name])
    paths["track001"] = levels.track(folder / "track.mp3", levels.tone(MUSIC_HZ, 3))
    kinds |= {"logo": "image", "face": "image", "track": "music", "clip": "clip"}
    kind = {name: MediaKind(kinds[name.rstrip("0123456789")]) for name in paths}
    return {f"m-{name}": (path, kind[name]) for name, path in paths.items()}


def _clip(folder: Path, name: str, luma: str, seconds: float = 2) -> Path:
    """Write a clip of one luma with a tone; bumper and transition clips are silent."""
    short = {"intro001": 1, "outro001": 1, "bumper01": 0.8, "trans001": 0.5, "trans002": 0.5}
    tone = f"sine=frequency={300 + 40 * len(luma)}:sample_rate=48000"
    return clipmaker.clip(
        folder / f"{name}.mp4",
        seconds=short.get(name, seconds),
        size="90x160" if name == "clip0004" else clipmaker.SIZE,
        picture=f"nullsrc,geq=lum={luma}:cb=128:cr=128",
        sound=tone if name in SOUNDS else None,
    )


def upload(client: Client, folder: Path) -> dict[str, str]:
    """Upload all media; return their ids by the ids of the sample."""
    return {name: client.upload_media(*file).id for name, file in media(folder).items()}


def filled(ids: Mapping[str, str], url: str) -> dict[str, Any]:
    """Return the sample with these media ids and this URL in place of its own."""

    def replaced(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: url if key == "url" else replaced(value) for key, value in node.items()}
        if isinstance(node, list):
            return [replaced(value) for value in node]
        return ids.get(node, node) if isinstance(node, str) else node

    sample = samples()["everything.yaml"]
    manifest: dict[str, Any] = replaced(sample)
    manifest["spec"]["music"]["credit"] = sample["spec"]["music"]["credit"]
    return manifest


def small(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return the same outputs in the same aspect ratios, a few hundred pixels wide."""
    outputs = [
        {**output, "preset": "custom", **SMALL[output["name"]]}
        for output in manifest["spec"]["outputs"]
    ]
    return {**manifest, "spec": {**manifest["spec"], "outputs": outputs}}
