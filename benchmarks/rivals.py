"""editly and MoviePy: installed into a folder of their own, and the edit told in their words."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.edit import Edit, Shot
from clipmill_job import ffmpeg_binary

EDITLY, FFPROBE, MOVIEPY = "0.14.2", "2.1.2", "2.2.1"
FONT = Path(ffmpeg_binary.__file__).with_name("fonts") / "NotoSans-Regular.ttf"
SCRIPT = Path(__file__).with_name("moviepy_edit.py")
BUILD_S = 3600


class Unavailable(Exception):
    """A tool cannot be installed here; says why."""


def editly(edit: Edit, folder: Path, kept: Path) -> tuple[str, ...]:
    """The command that makes the edit. Raises Unavailable."""
    home = kept / "editly"
    modules, told = home / "node_modules", folder / "editly.json"
    if not (modules / ".bin/editly").exists():
        _install_editly(home)
    probes = [path for path in modules.glob("@ffprobe-installer/*/ffprobe") if path.is_file()]
    for probe in probes:
        probe.chmod(0o755)
    programs = {"ffmpegPath": ffmpeg_binary.ffmpeg(), "ffprobePath": str(probes[0])}
    told.write_text(json.dumps({**editly_spec(edit, folder / "out/main.mp4"), **programs}))
    # Its drawing is OpenGL, which asks for a screen.
    return ("xvfb-run", "-a", str(modules / ".bin/editly"), str(told))


def _install_editly(home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    (home / "package.json").write_text('{"private": true}')
    wanted = (f"editly@{EDITLY}", f"@ffprobe-installer/ffprobe@{FFPROBE}")
    _run(("npm", "install", "--no-audit", "--no-fund", *wanted), home)


def editly_spec(edit: Edit, out: Path) -> dict[str, Any]:
    """The edit as editly reads it."""
    width, height = edit.size
    start, stop = edit.text_s
    text = {"type": "title", "text": edit.text, "position": "bottom", "zoomDirection": None}
    played = [_layered(shot) for shot in (edit.intro, *edit.shots)]
    played[0]["transition"] = {"duration": 0, "name": "dummy"}
    played[1]["layers"].append({**text, "start": start, "stop": stop})
    return {
        "outPath": str(out),
        "width": width,
        "height": height,
        "fps": edit.rate,
        "clips": played,
        "defaults": {
            "transition": {"name": "fade", "duration": edit.fade_s},
            "layer": {"fontPath": str(FONT)},
            "layerType": {"video": {"resizeMode": "contain"}},
        },
        "keepSourceAudio": True,
        "audioFilePath": str(edit.music),
        "loopAudio": True,
        "backgroundAudioVolume": edit.music_gain,
        "customOutputArgs": [
            *edit.encoder(),
            *("-c:a", "aac", "-b:a", "192k", "-movflags", "+faststart"),
        ],
    }


def _layered(shot: Shot) -> dict[str, Any]:
    cut = {"cutFrom": shot.start, "cutTo": shot.end}
    layer = {"type": "video", "path": str(shot.path), **cut}
    return {"duration": shot.seconds, "layers": [layer]}


def moviepy(edit: Edit, folder: Path, kept: Path) -> tuple[str, ...]:
    """The command that makes the edit. Raises Unavailable."""
    python = kept / "moviepy/bin/python"
    if not (kept / "moviepy/installed").exists():
        _run((sys.executable, "-m", "venv", str(kept / "moviepy")), Path.cwd())
        _run((str(python), "-m", "pip", "install", "-q", f"moviepy=={MOVIEPY}"), Path.cwd())
        (kept / "moviepy/installed").touch()
    told = {
        "out": str(folder / "out/main.mp4"),
        "size": edit.size,
        "rate": edit.rate,
        "shots": [(str(s.path), s.start, s.end) for s in (edit.intro, *edit.shots)],
        "fade": edit.fade_s,
        "text": (edit.text, *edit.text_s, str(FONT)),
        "music": (str(edit.music), edit.music_gain),
        "encoder": edit.encoder(),
        "ffmpeg": ffmpeg_binary.ffmpeg(),
    }
    path = folder / "moviepy.json"
    path.write_text(json.dumps(told))
    return (str(python), str(SCRIPT), str(path))


def _run(argv: tuple[str, ...], folder: Path) -> None:
    try:
        ended = subprocess.run(
            argv, cwd=folder, capture_output=True, text=True, timeout=BUILD_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(str(error)) from error
    if ended.returncode:
        raise Unavailable(f"{' '.join(argv[:3])}: {ended.stderr.strip()[-300:]}")
