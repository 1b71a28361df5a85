"""Encoding by NVENC where it is available, else on the CPU, with a script in place of ffmpeg."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest

import clipmaker
from clipmill.protocol import CompilationState, ExitCode, Stage
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
def encoder_log(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """An ffmpeg on the PATH with or without NVENC; the file in which it logs each encode."""
    folder, log = tmp_path / "bin", tmp_path / "encoded"
    folder.mkdir()
    values = {"card": request.param, "log": str(log), "ffmpeg": imageio_ffmpeg.get_ffmpeg_exe()}
    script = folder / "ffmpeg"
    script.write_text(STAND_IN.format(python=sys.executable, **values))
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return log


def encoders_used(log: Path) -> list[str]:
    """The encoders in order, without repetitions."""
    kinds = [json.loads(line) for line in log.read_text().splitlines()]
    return [kind for i, kind in enumerate(kinds) if not i or kinds[i - 1] != kind]


def spec(studio: Studio) -> dict[str, Any]:
    """Two clips and a transition."""
    media = studio.upload(clipmaker.clip(studio.folder / "a.mp4", seconds=1))
    fade = {"type": "Fade", "duration": "200ms"}
    clips = [{"mediaId": media}, {"mediaId": media, "name": "b", "transition": fade}]
    return {"clips": clips, "outputs": [custom()]}


def render(api: Harness, folder: Path) -> Studio:
    """Render the spec; the file has all frames."""
    studio = Studio(api, folder)
    path = studio.video(spec(studio))
    assert len(clipmaker.frame_times(path)) == 54
    return studio


CASES = [
    ("works", ["test", "nvenc"]),
    ("none", ["test", "cpu"]),
    ("dies", ["test", "nvenc", "cpu"]),
]


@pytest.mark.parametrize(("encoder_log", "encoders"), CASES, indirect=["encoder_log"])
def test_the_cpu_replaces_nvenc(encoder_log: Path, encoders: list[str], tmp_path: Path) -> None:
    """One test encode; without NVENC, or after it has failed, the CPU encodes everything."""
    with running(tmp_path / "state", encoder="nvenc") as api:
        render(api, tmp_path)
    assert encoders_used(encoder_log) == encoders


@pytest.mark.parametrize("encoder_log", ["works"], indirect=True)
def test_nvenc_is_not_used_by_default(encoder_log: Path, tmp_path: Path) -> None:
    """Without the setting the CPU encodes, also where NVENC is available."""
    with running(tmp_path / "state") as api:
        render(api, tmp_path)
    assert encoders_used(encoder_log) == ["cpu"]


@pytest.mark.parametrize("encoder_log", ["none"], indirect=True)
def test_a_render_task_without_nvenc_renders_nothing(encoder_log: Path, tmp_path: Path) -> None:
    """It succeeds; the assemble task renders all segments."""
    with running(tmp_path / "state", encoder="nvenc") as api:
        studio = Studio(api, tmp_path)
        uid, _ = api.register(studio.owner, spec(studio))
        assert run(api, uid, Stage.RENDER) == ExitCode.OK
        assert encoders_used(encoder_log) == ["test"]
        assert run(api, uid, Stage.ASSEMBLE) == ExitCode.OK
        assert api.operator.view(uid).state is CompilationState.SUCCEEDED


@pytest.mark.parametrize("encoder_log", ["works"], indirect=True)
def test_webm_does_not_use_nvenc(encoder_log: Path, tmp_path: Path) -> None:
    """VP9 is encoded on the CPU without a test encode."""
    with running(tmp_path / "state", encoder="nvenc") as api:
        studio = Studio(api, tmp_path)
        studio.video({**spec(studio), "outputs": [custom(container="webm")]})
    assert encoders_used(encoder_log) == ["cpu"]
