"""Who encodes: NVENC where it answers, else the CPU. A script stands in for ffmpeg with a card."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest

import clipmaker
from clipmill.protocol import ExitCode, Stage, State
from harness import Harness, running
from studio import Studio, custom, run

STAND_IN = """#!{python}
import json, os, sys
args = sys.argv[1:]
card, log, ffmpeg = {card!r}, {log!r}, {ffmpeg!r}
nvenc = "h264_nvenc" in args
kind = "test" if nvenc and "null" in args else "nvenc" if nvenc else "cpu"
if "-c:v" in args:
    with open(log, "a") as file:
        file.write(json.dumps(kind) + "\\n")
broken = {{"none": ("test", "nvenc"), "dies": ("nvenc",), "works": ()}}[card]
if kind in broken:
    sys.exit("No capable devices found")
if nvenc:
    at = args.index("-c:v")
    args[at + 1] = "libx264"
    for name in ("-rc", "-cq", "-strict_gop", "-preset"):
        if name in args:
            del args[args.index(name) : args.index(name) + 2]
    args[at:at] = [] if kind == "test" else ["-x264-params", "stitchable=1"]
os.execv(ffmpeg, [ffmpeg, *args])
"""


@pytest.fixture
def card(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An ffmpeg on the PATH with such a card; the file that tells who encoded."""
    folder, log = tmp_path / "bin", tmp_path / "encoded"
    folder.mkdir()
    known = {"card": request.param, "log": str(log), "ffmpeg": imageio_ffmpeg.get_ffmpeg_exe()}
    script = folder / "ffmpeg"
    script.write_text(STAND_IN.format(python=sys.executable, **known))
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return log


def encoded(log: Path) -> list[str]:
    """Who was asked to encode, in order; each kind once in a row."""
    asked = [json.loads(line) for line in log.read_text().splitlines()]
    return [kind for i, kind in enumerate(asked) if not i or asked[i - 1] != kind]


def spec(studio: Studio) -> dict[str, Any]:
    """Two clips and a seam."""
    media = studio.upload(clipmaker.clip(studio.folder / "a.mp4", seconds=1))
    seam = {"type": "Fade", "duration": "200ms"}
    clips = [{"mediaId": media}, {"mediaId": media, "name": "b", "transition": seam}]
    return {"clips": clips, "outputs": [custom()]}


def rendered(api: Harness, folder: Path) -> Studio:
    """Render it; the file has all its frames."""
    studio = Studio(api, folder)
    path = studio.video(spec(studio))
    assert len(clipmaker.frame_times(path)) == 54
    return studio


CASES = [
    ("works", ["test", "nvenc"]),
    ("none", ["test", "cpu"]),
    ("dies", ["test", "nvenc", "cpu"]),
]


@pytest.mark.parametrize(("card", "asked"), CASES, indirect=["card"])
def test_the_cpu_stands_in(card: Path, asked: list[str], tmp_path: Path) -> None:
    """Asked once; without an answer the CPU does all, and after a failure it does all again."""
    with running(tmp_path / "state", encoder="h264_nvenc") as api:
        rendered(api, tmp_path)
    assert encoded(card) == asked


@pytest.mark.parametrize("card", ["works"], indirect=True)
def test_nobody_asks_for_nvenc_by_default(card: Path, tmp_path: Path) -> None:
    """Without the setting the CPU encodes, whatever is there."""
    with running(tmp_path / "state") as api:
        rendered(api, tmp_path)
    assert encoded(card) == ["cpu"]


@pytest.mark.parametrize("card", ["none"], indirect=True)
def test_a_render_part_without_nvenc_leaves_it_to_the_assembly(card: Path, tmp_path: Path) -> None:
    """It ends well and has made nothing; the assembly makes all."""
    with running(tmp_path / "state", encoder="h264_nvenc") as api:
        studio = Studio(api, tmp_path)
        uid, _ = api.register(studio.owner, spec(studio))
        assert run(api, uid, Stage.RENDER) == ExitCode.OK
        assert encoded(card) == ["test"]
        assert run(api, uid, Stage.ASSEMBLE) == ExitCode.OK
        assert api.operator.view(uid).state is State.SUCCEEDED


@pytest.mark.parametrize("card", ["works"], indirect=True)
def test_webm_is_not_for_nvenc(card: Path, tmp_path: Path) -> None:
    """VP9 comes from the CPU, and no card is asked."""
    with running(tmp_path / "state", encoder="h264_nvenc") as api:
        studio = Studio(api, tmp_path)
        studio.video({**spec(studio), "outputs": [custom(container="webm")]})
    assert encoded(card) == ["cpu"]
