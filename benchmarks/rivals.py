"""Install editly and MoviePy into a folder of their own, and translate the edit for them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.edit import Edit, Trim
from clipmill_job import drawing
from clipmill_job.ffmpeg_binary import find_ffmpeg

EDITLY, FFPROBE, MOVIEPY = "0.14.2", "2.1.2", "2.2.1"
FONT = Path(drawing.__file__).with_name("fonts") / "NotoSans-Regular.ttf"
SCRIPT = Path(__file__).with_name("moviepy_edit.py")
BUILD_S = 3600


class Unavailable(Exception):
    """A tool cannot be installed on this machine."""


def editly(edit: Edit, folder: Path, kept: Path) -> tuple[str, ...]:
    """Return the command that renders the edit. Raise Unavailable."""
    home = kept / "editly"
    modules, edit_file = home / "node_modules", folder / "editly.json"
    if not (modules / ".bin/editly").exists():
        _install_editly(home)
    probes = [path for path in modules.glob("@ffprobe-installer/*/ffprobe") if path.is_file()]
    for probe in probes:
        probe.chmod(0o755)
    programs = {"ffmpegPath": find_ffmpeg().path, "ffprobePath": str(probes[0])}
    edit_file.write_text(json.dumps({**editly_spec(edit, folder / "out/main.mp4"), **programs}))
    # It draws by OpenGL, which needs a screen.
    return ("xvfb-run", "-a", str(modules / ".bin/editly"), str(edit_file))


def _install_editly(home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    (home / "package.json").write_text('{"private": true}')
    packages = (f"editly@{EDITLY}", f"@ffprobe-installer/ffprobe@{FFPROBE}")
    _run(("npm", "install", "--no-audit", "--no-fund", *packages), home)


def editly_spec(edit: Edit, out: Path) -> dict[str, Any]:
    """Return the edit as editly reads it."""
    width, height = edit.size
    start, stop = edit.text_s
    text = {"type": "title", "text": edit.text, "position": "bottom", "zoomDirection": None}
    played = [_layered(trim) for trim in (edit.intro, *edit.trims)]
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


def _layered(trim: Trim) -> dict[str, Any]:
    times = {"cutFrom": trim.start, "cutTo": trim.end}
    layer = {"type": "video", "path": str(trim.path), **times}
    return {"duration": trim.seconds, "layers": [layer]}


def moviepy(edit: Edit, folder: Path, kept: Path) -> tuple[str, ...]:
    """Return the command that renders the edit. Raise Unavailable."""
    python = kept / "moviepy/bin/python"
    if not (kept / "moviepy/installed").exists():
        _run((sys.executable, "-m", "venv", str(kept / "moviepy")), Path.cwd())
        _run((str(python), "-m", "pip", "install", "-q", f"moviepy=={MOVIEPY}"), Path.cwd())
        (kept / "moviepy/installed").touch()
    settings = {
        "out": str(folder / "out/main.mp4"),
        "size": edit.size,
        "rate": edit.rate,
        "trims": [(str(t.path), t.start, t.end) for t in (edit.intro, *edit.trims)],
        "fade": edit.fade_s,
        "text": (edit.text, *edit.text_s, str(FONT)),
        "music": (str(edit.music), edit.music_gain),
        "encoder": edit.encoder(),
        "ffmpeg": find_ffmpeg().path,
    }
    path = folder / "moviepy.json"
    path.write_text(json.dumps(settings))
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
