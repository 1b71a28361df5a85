"""The golden set: small manifests, each with the facts of its finished file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import av
import pytest
import yaml
from PIL import Image

import clipmaker
from clipmill.protocol import CompilationState, MediaKind, Stage
from clipmill_client.errors import PermanentError
from harness import Harness, running
from levels import decoded, loudness
from studio import Studio, custom, run

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = [
    case
    for file in ("picture.yaml", "sound.yaml")
    for case in yaml.safe_load((GOLDEN / file).read_text())
]
SMALL = custom(128, 72)
LIGHT = "nullsrc,geq=lum='120+40*sin(N/5)':cb=128:cr=128"


def sources(folder: Path) -> dict[str, tuple[Path, MediaKind]]:
    """Write the files that manifests name `$name`."""
    still = {"picture": LIGHT, "size": "160x90"}
    uneven = ("-vf", "select='mod(n,7)*mod(n,3)'", "-fps_mode", "vfr")
    clips = {
        "a": clipmaker.clip(folder / "a.mp4", **still),
        "b": clipmaker.clip(folder / "b.mp4", seconds=1, rate="25", **still),
        "short": clipmaker.clip(folder / "short.mp4", seconds=0.5, **still),
        "film": clipmaker.clip(folder / "film.mp4", seconds=1, rate="24000/1001", **still),
        "sixty": clipmaker.clip(folder / "sixty.mp4", seconds=1, rate="60", **still),
        "vfr": clipmaker.clip(folder / "vfr.mkv", seconds=1, extra=uneven, **still),
        "silent": clipmaker.clip(folder / "silent.mp4", seconds=1, sound=None, **still),
        "tall": clipmaker.clip(folder / "tall.mp4", seconds=1, picture=LIGHT, size="90x160"),
        "long": clipmaker.clip(folder / "long.mp4", seconds=61, rate="5", **still),
    }
    logo, song = folder / "logo.png", folder / "song.mp3"
    Image.new("RGBA", (40, 20), (255, 0, 0, 160)).save(logo)
    clipmaker.ffmpeg("-f", "lavfi", "-i", "sine=f=220:r=44100:d=3", str(song))
    files = {name: (path, MediaKind.CLIP) for name, path in clips.items()}
    return {**files, "logo": (logo, MediaKind.IMAGE), "song": (song, MediaKind.MUSIC)}


class GoldenSet:
    """An API, the source files, and a studio for each tier."""

    def __init__(self, api: Harness, folder: Path) -> None:
        self.api, self.folder = api, folder
        self.files = sources(folder)
        self._studios: dict[str, tuple[Studio, dict[str, str]]] = {}

    def of(self, tier: dict[str, Any]) -> tuple[Studio, dict[str, str]]:
        """Return a studio on a tier with these limits, and its media ids."""
        if str(tier) not in self._studios:
            studio = Studio(self.api, self.folder, **tier)
            ids = {name: studio.upload(*file) for name, file in self.files.items()}
            self._studios[str(tier)] = (studio, ids)
        return self._studios[str(tier)]


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoldenSet]:
    """Start an API for all manifests."""
    folder = tmp_path_factory.mktemp("golden")
    with running(folder / "state") as api:
        yield GoldenSet(api, folder)


def with_ids(part: Any, ids: dict[str, str]) -> Any:
    """Replace `$name` by media ids."""
    if isinstance(part, dict):
        return {name: with_ids(value, ids) for name, value in part.items()}
    if isinstance(part, list):
        return [with_ids(value, ids) for value in part]
    is_name = isinstance(part, str) and part.startswith("$")
    return ids[part[1:]] if is_name else part


def test_there_are_enough() -> None:
    """There are at least forty manifests, and their names are unique."""
    assert len(CASES) >= 40
    assert len({case["name"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_manifest(case: dict[str, Any], golden: GoldenSet) -> None:
    """The finished file, or the refusal, has the expected facts."""
    studio, ids = golden.of(case.get("tier", {}))
    spec = with_ids({"outputs": [SMALL], **case["spec"]}, ids)
    expect = dict(case["expect"])
    if "refused" in expect:
        with pytest.raises(PermanentError, match=re.escape(expect["says"])) as caught:
            golden.api.register(studio.owner, spec)
        assert caught.value.code == expect["refused"]
        return
    uid, plan = golden.api.register(studio.owner, spec)
    output = expect.pop("output", "main")
    planned = next(entry for entry in plan.outputs if entry.name == output)
    assert run(golden.api, uid, Stage.ASSEMBLE) == 0
    view = golden.api.operator.view(uid)
    assert view.state is CompilationState.SUCCEEDED, view.message
    result = next(entry for entry in view.outputs if entry.name == output)
    path = golden.folder / f"{view.id}.{result.container}"
    studio.user.download_output(view.id, output, path)
    assert planned.frames == result.frames
    if says := expect.pop("says", None):
        assert any(says in note for note in planned.notes), planned.notes
    if "segments" in expect:
        assert planned.segments.total == expect.pop("segments")
    if "skipped" in expect:
        skipped = {clip.name: clip.reason for clip in view.clips if clip.reason}
        assert skipped == expect.pop("skipped")
    if "most_bytes" in expect:
        assert path.stat().st_size <= expect.pop("most_bytes")
    if "loudness" in expect:
        assert loudness(decoded(path)) == pytest.approx(expect.pop("loudness"), abs=0.5)
    if "samples" in expect:
        assert len(decoded(path)) == expect.pop("samples")
    measured = facts(path, expect)
    assert set(expect) <= set(measured), f"unknown facts: {set(expect) - set(measured)}"
    assert measured == expect


def facts(path: Path, expect: dict[str, Any]) -> dict[str, Any]:
    """Return the expected facts of the file."""
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        properties: dict[str, Any] = {
            "format": container.format.name.split(",")[0],
            "codecs": [video.codec_context.name, audio.codec_context.name],
            "size": [video.codec_context.width, video.codec_context.height],
            "rate": video.average_rate,
            "chapters": [chapter["metadata"].get("title") for chapter in container.chapters()],
        }
        frames = list(container.decode(video))
    properties["frames"] = len(frames)
    properties["black"] = borders(frames[len(frames) // 2])
    return {name: value for name, value in properties.items() if name in expect}


def borders(frame: av.VideoFrame) -> dict[str, int]:
    """Return the number of black rows at top and bottom in the middle column."""
    dark = [clipmaker.luma(frame, frame.width // 2, y) < 30 for y in range(frame.height)]
    return {
        "top": len(list(takewhile(bool, dark))),
        "bottom": len(list(takewhile(bool, reversed(dark)))),
    }
