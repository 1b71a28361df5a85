"""Valid and invalid specs, on which the Python models and a live API server must agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
CLIP = {"mediaId": "m-abcd1234"}
URL = {"url": "https://clips.twitch.tv/Example"}
CUSTOM = {"name": "main", "preset": "custom", "width": 320, "height": 180, "rate": 30}
Spec = dict[str, Any]


def _with(**more: Any) -> Spec:
    return {"clips": [CLIP], **more}


def _clip(**more: Any) -> Spec:
    return {"clips": [{**CLIP, **more}]}


def _trim(start: str, end: str) -> Spec:
    return {**CLIP, "start": start, "end": end}


def _entered(**transition: Any) -> Spec:
    return {"clips": [CLIP, {**CLIP, "transition": transition}]}


def _overlay(**fields: Any) -> Spec:
    return {"clips": [CLIP], "overlays": [fields]}


def _music(**fields: Any) -> Spec:
    return {"clips": [CLIP], "music": {"mediaId": "m-track1", **fields}}


def _duck(**fields: Any) -> Spec:
    return _music(duck=fields)


def _pane(**target: int) -> Spec:
    return {"target": target}


GOOD: dict[str, Spec] = {
    "one clip of the library": _with(),
    "one clip by address": {"clips": [URL]},
    "the most clips": {"clips": [CLIP] * 500},
    "the most clips, all named": {"clips": [{**CLIP, "name": f"c{i}"} for i in range(500)]},
    "sound of a clip": _clip(audio={"gain": "-6.5dB", "mute": True, "track": 2}),
    "times as people type them": {
        "clips": [
            _trim("90", "1:31"),
            _trim("1:30", "0:01:30.5"),
            _trim("1.5", "0:02"),
            _trim("59:59", "1:00:00"),
            _trim("1m59.5s", "2:00"),
        ],
        "maxClipDuration": "0:30",
    },
    "fit and focus of a clip": _clip(fit="Cover", focus={"left": 30, "top": 50}),
    "focus of an output": _with(outputs=[{**CUSTOM, "fit": "Cover", "focus": {"left": 0}}]),
    "a title card": {"clips": [{"color": "#336699", "title": "Part one", "duration": "2.5s"}]},
    "a still image": _clip(duration="1:00", slowZoom=50),
    "the shortest and the longest still": {
        "clips": [{"color": "#000000", "duration": "40ms"}, {"color": "#000000", "duration": "1h"}]
    },
    "a video's start and duration": _clip(start="1:30", duration="5s"),
    "the loudest clip": _clip(audio={"gain": "20dB"}),
    "durations of each format": {
        "clips": [
            _trim("1m30s", "2m"),
            _trim("500ms", "1.5s"),
            _trim("1h", "1h1ms"),
            _trim("0s", "0.000001s"),
        ]
    },
    "a fade of the least length": _entered(type="Fade", duration="40ms"),
    "a fade of the most length": _entered(type="Fade", duration="10s"),
    "a transition of default length": _entered(type="WipeLeft"),
    "no transition into the first clip": _clip(transition={"type": "None"}),
    "a fade from the intro": _clip(transition={"type": "Fade"})
    | {"intro": {"mediaId": "m-intro1"}},
    "a custom size": _with(outputs=[CUSTOM]),
    "two outputs": _with(outputs=[CUSTOM, {"name": "short", "preset": "youtube_shorts"}]),
    "as many clips as the minimum": _with(minimumClips=1),
    "loudness at its ends": _with(audio={"loudness": "-40LUFS", "truePeak": "-0.5dBTP"}),
    "an owner": _with(owner="ada"),
    "a fade from a bumper": _clip(transition={"type": "Fade"})
    | {"bumper": {"mediaId": "m-bump1", "placement": "HeadStyle"}},
    "a text for a while": _overlay(text="5 : 3 % \\ '", start="1s", end="2s", fade="5s"),
    "an image": _overlay(mediaId="m-logo1"),
    "overlays on every clip": {"clips": [{**CLIP, "overlays": [{"text": "x"}] * 10}] * 500},
    "a card of the least and the most": _with(creatorCard={"duration": "10m", "fade": "5s"}),
    "panes up to the edge": _with(outputs=[{**CUSTOM, "layout": [_pane(left=60, width=40)] * 6}]),
    "a preview of a draft": _with(quality="Draft", preview="FirstSeconds"),
    "a delivery": _with(delivery={"credential": "my-bucket"}),
    "a delivery to folders": _with(
        delivery={"credential": "a", "path": "x_1/{owner}-{date}/{namespace}.{id}/{generation}"}
    ),
    "music": _music(),
    "music of the least and the most": _music(gain="-60dB", fadeOut="30s", **{"from": "Start"}),
    "music above the programme": _music(gain="12dB", until="BeforeOutro", loop=False),
    "ducking at its ends": _duck(threshold="0dB", ratio=1, attack="1ms", release="9s"),
    "ducking by a depth": _duck(depth="-36dB", threshold="-60dB", attack="2s"),
    "music with a credit": _music(credit={"artist": "A: 'b' %", "url": "https://example.org/"}),
    "a container for a custom preset": _with(outputs=[{**CUSTOM, "container": "webm"}]),
}
# Each with what the error message has to name: a field, or a limit.
BAD: dict[str, tuple[Spec, str]] = {
    "a clip's gain above the highest": (_clip(audio={"gain": "20.1dB"}), "gain"),
    "a clip's gain without a unit": (_clip(audio={"gain": "-6"}), "gain"),
    "a focus outside the picture": (_clip(focus={"left": 101}), "left"),
    "an unknown fit of a clip": (_clip(fit="Stretch"), "fit"),
    "a card and a file": (_clip(color="#336699"), "color"),
    "a colour by name": ({"clips": [{"color": "blue"}]}, "color"),
    "a trimmed card": ({"clips": [{"color": "#336699", "end": "2s"}]}, "color"),
    "an end and a duration": (_clip(end="2s", duration="1s"), "duration"),
    "a clip below 40 ms": (_clip(duration="39ms"), "40ms"),
    "a clip above an hour": (_clip(duration="1:00:01"), "1h"),
    "a zoom too far": (_clip(slowZoom=51), "slowZoom"),
    "audio track 0": (_clip(audio={"track": 0}), "track"),
    "a delivery outside the bucket's folder": (
        _with(delivery={"credential": "a", "path": "../{name}"}),
        "path",
    ),
    "a delivery by title": (_with(delivery={"credential": "a", "path": "{title}"}), "path"),
    "no clips": ({"clips": []}, "clips"),
    "a missing list of clips": ({}, "clips"),
    "too many clips": ({"clips": [CLIP] * 501}, "clips"),
    "no source": ({"clips": [{"name": "a"}]}, "mediaId"),
    "two sources": ({"clips": [{**CLIP, **URL}]}, "mediaId"),
    "an end before the start": (_clip(start="5s", end="4.9s"), "end"),
    "an end at the start": (_clip(start="1m", end="60s"), "end"),
    "an end at zero": (_clip(end="0s"), "end"),
    "an end before the start, both typed": (_clip(start="1:30", end="0:01:29.5"), "end"),
    "an end before the start in seconds": (_clip(start="90", end="1m29s"), "end"),
    "a fade of a minute": (_entered(type="Fade", duration="1:00"), "10s"),
    "sixty seconds on a clock": (_clip(start="1:60"), "start"),
    "a clock of four parts": (_clip(start="1:00:00:00"), "start"),
    "a negative duration": (_clip(start="-5s"), "start"),
    "an empty duration": (_clip(start=""), "start"),
    "a list as duration": (_clip(start=["5s"]), "start"),
    "a fade too short": (_entered(type="Fade", duration="39ms"), "40ms"),
    "a fade too long": (_entered(type="Fade", duration="10.001s"), "10s"),
    "a transition without a type": (_entered(duration="1s"), "type"),
    "a transition of an unknown type": (_entered(type="Swirl"), "type"),
    "a fade into nothing": (_clip(transition={"type": "Fade"}), "transition"),
    "a minimum above the number of clips": (_with(minimumClips=2), "minimumClips"),
    "a minimum of no clips": (_with(minimumClips=0), "minimumClips"),
    "one name twice": (
        {"clips": [{**CLIP, "name": "a"}, {**CLIP, "name": "b"}, {**CLIP, "name": "a"}]},
        "name",
    ),
    "a name with capitals": (_clip(name="Opener"), "name"),
    "custom without rate": (
        _with(outputs=[{"name": "main", "preset": "custom", "width": 320, "height": 180}]),
        "preset",
    ),
    "a size for a platform": (
        _with(outputs=[{"name": "main", "preset": "youtube", "width": 320}]),
        "preset",
    ),
    "an odd width": (_with(outputs=[{**CUSTOM, "width": 321}]), "width"),
    "a rate that is not supported": (_with(outputs=[{**CUSTOM, "rate": 29}]), "rate"),
    "an unknown preset": (_with(outputs=[{"name": "main", "preset": "betamax"}]), "preset"),
    "one output name twice": (_with(outputs=[CUSTOM, CUSTOM]), "outputs"),
    "no outputs": (_with(outputs=[]), "outputs"),
    "too many outputs": (
        _with(outputs=[{**CUSTOM, "name": f"o{i}"} for i in range(9)]),
        "outputs",
    ),
    "loudness too high": (_with(audio={"loudness": "-4LUFS"}), "-5LUFS"),
    "loudness without unit": (_with(audio={"loudness": "-14"}), "loudness"),
    "loudness as a number": (_with(audio={"loudness": -14}), "loudness"),
    "an invalid media id": ({"clips": [{"mediaId": "8812"}]}, "mediaId"),
    "an unknown field": (_with(image="evil:latest"), "image"),
    "an unknown field of a clip": (_clip(filter="movie=/etc/passwd"), "filter"),
    "an owner with a slash": (_with(owner="ada/eve"), "owner"),
    "an overlay of nothing": (_overlay(size=5), "mediaId"),
    "an overlay of both": (_overlay(text="x", mediaId="m-logo1"), "mediaId"),
    "an overlay that ends before it starts": (
        _overlay(text="x", start="2s", end="2s"),
        "end",
    ),
    "an overlay that fades too long": (_overlay(text="x", fade="5001ms"), "fade"),
    "a color by name": (_overlay(text="x", color="red"), "color"),
    "a card too short": (_with(creatorCard={"duration": "499ms"}), "500ms"),
    "a card that fades too long": (_with(creatorCard={"fade": "6s"}), "fade"),
    "a pane over the edge": (
        _with(outputs=[{**CUSTOM, "layout": [_pane(left=61, width=40)]}]),
        "100",
    ),
    "a pane below the edge": (
        _with(outputs=[{**CUSTOM, "layout": [_pane(top=61, height=40)]}]),
        "100",
    ),
    "a preview of the final quality": (_with(preview="FirstSeconds"), "Draft"),
    "a container for a platform": (
        _with(outputs=[{"name": "main", "preset": "tiktok", "container": "webm"}]),
        "container",
    ),
    "music too loud": (_music(gain="12.1dB"), "gain"),
    "music too soft": (_music(gain="-60.1dB"), "gain"),
    "a gain without unit": (_music(gain="-12"), "gain"),
    "a fade-out too long": (_music(fadeOut="30.001s"), "fadeOut"),
    "a threshold too low": (_duck(threshold="-60.5dB"), "threshold"),
    "a threshold above full level": (_duck(threshold="1dB"), "threshold"),
    "a depth too small": (_duck(depth="-0.9dB"), "depth"),
    "a depth too large": (_duck(depth="-36.1dB"), "depth"),
    "an attack too slow": (_duck(attack="2001ms"), "attack"),
    "a release too slow": (_duck(release="10s"), "release"),
    "a release of nothing": (_duck(release="0s"), "release"),
    "a ratio too high": (_duck(ratio=21), "ratio"),
    "music from an unknown position": (_music(**{"from": "Middle"}), "from"),
    "no transition clips": (_with(transitions={"mediaIds": []}), "mediaIds"),
    "a negative seed": (_with(transitions={"mediaIds": ["m-abcd"], "seed": -1}), "seed"),
}


def manifest(spec: Spec, name: str = "test") -> dict[str, Any]:
    """Return a resource with this spec."""
    metadata = {"name": name}
    return {
        "apiVersion": "clipmill.dev/v1alpha1",
        "kind": "Compilation",
        "metadata": metadata,
        "spec": spec,
    }


def samples() -> dict[str, dict[str, Any]]:
    """Return the project's samples of compilations by file name."""
    files = sorted((ROOT / "manifests" / "samples").glob("*.yaml"))
    documents = {file.name: yaml.safe_load(file.read_text()) for file in files}
    return {name: each for name, each in documents.items() if each["kind"] == "Compilation"}
