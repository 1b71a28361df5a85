"""The golden set: some fifty small manifests, each with the facts of its finished file."""

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
from clipmill.protocol import MediaKind, Stage, CompilationState
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
    """What the manifests call `$name`."""
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
    found = {name: (path, MediaKind.CLIP) for name, path in clips.items()}
    return {**found, "logo": (logo, MediaKind.IMAGE), "song": (song, MediaKind.MUSIC)}


class Set:
    """One API, the source files, and a studio for each tier."""

    def __init__(self, api: Harness, folder: Path) -> None:
        self.api, self.folder = api, folder
        self.files = sources(folder)
        self._studios: dict[str, tuple[Studio, dict[str, str]]] = {}

    def of(self, tier: dict[str, Any]) -> tuple[Studio, dict[str, str]]:
        """A studio on a tier with these limits, and its media ids."""
        if str(tier) not in self._studios:
            studio = Studio(self.api, self.folder, **tier)
            ids = {name: studio.upload(*file) for name, file in self.files.items()}
            self._studios[str(tier)] = (studio, ids)
        return self._studios[str(tier)]


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Set]:
    """For all manifests."""
    folder = tmp_path_factory.mktemp("golden")
    with running(folder / "state") as api:
        yield Set(api, folder)


def with_ids(part: Any, ids: dict[str, str]) -> Any:
    """The spec with media ids in the places of `$name`."""
    if isinstance(part, dict):
        return {name: with_ids(value, ids) for name, value in part.items()}
    if isinstance(part, list):
        return [with_ids(value, ids) for value in part]
    named = isinstance(part, str) and part.startswith("$")
    return ids[part[1:]] if named else part


def test_there_are_enough() -> None:
    """Forty at least, and no two of one name."""
    assert len(CASES) >= 40
    assert len({case["name"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_manifest(case: dict[str, Any], golden: Set) -> None:
    """The finished file, or the refusal, is what its entry says."""
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
    wanted = next(one for one in plan.outputs if one.name == output)
    assert run(golden.api, uid, Stage.ASSEMBLE) == 0
    view = golden.api.operator.view(uid)
    assert view.state is CompilationState.SUCCEEDED, view.message
    made = next(one for one in view.outputs if one.name == wanted.name)
    path = golden.folder / f"{view.id}.{made.container}"
    studio.user.download_output(view.id, wanted.name, path)
    assert wanted.frames == made.frames
    if says := expect.pop("says", None):
        assert any(says in note for note in wanted.notes), wanted.notes
    if "segments" in expect:
        assert wanted.segments.total == expect.pop("segments")
    if "skipped" in expect:
        skipped = {clip.name: clip.reason for clip in view.clips if clip.reason}
        assert skipped == expect.pop("skipped")
    if "most_bytes" in expect:
        assert path.stat().st_size <= expect.pop("most_bytes")
    if "loudness" in expect:
        assert loudness(decoded(path)) == pytest.approx(expect.pop("loudness"), abs=0.5)
    if "samples" in expect:
        assert len(decoded(path)) == expect.pop("samples")
    found = facts(path, expect)
    assert found == {name: value for name, value in expect.items() if name in found}
    assert set(expect) <= set(found), f"unknown facts: {set(expect) - set(found)}"


def facts(path: Path, expect: dict[str, Any]) -> dict[str, Any]:
    """What the file is, as far as it is expected."""
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        known: dict[str, Any] = {
            "format": container.format.name.split(",")[0],
            "codecs": [video.codec_context.name, audio.codec_context.name],
            "size": [video.codec_context.width, video.codec_context.height],
            "rate": video.average_rate,
            "chapters": [chapter["metadata"].get("title") for chapter in container.chapters()],
        }
        frames = list(container.decode(video))
    known["frames"] = len(frames)
    known["black"] = borders(frames[len(frames) // 2])
    return {name: value for name, value in known.items() if name in expect}


def borders(frame: av.VideoFrame) -> dict[str, int]:
    """Black rows above and below, in the middle column."""
    dark = [clipmaker.luma(frame, frame.width // 2, y) < 30 for y in range(frame.height)]
    return {
        "top": len(list(takewhile(bool, dark))),
        "bottom": len(list(takewhile(bool, reversed(dark)))),
    }
