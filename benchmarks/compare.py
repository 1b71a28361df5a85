"""Render one eight-clip edit by Clipmill, editly and MoviePy.

Run `python -m benchmarks.compare`.

Trims, an intro, crossfades, one text, music; one size, one rate, one ffmpeg with the same encoder
settings. Wall time, peak memory of all processes, and whether the frames are those of the edit. The
two others are installed into a folder of their own; `--tools` keeps it for the next run, since
editly's native modules are built from source. Needed for that: Node with npm, a C++ compiler, and
of Debian libcairo2-dev libpango1.0-dev libjpeg-dev libgif-dev librsvg2-dev libxi-dev libglew-dev
libglu1-mesa-dev xvfb xauth.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from benchmarks import clips, meter, rivals
from benchmarks.edit import Edit, Trim
from clipmill_job.ffmpeg_binary import find_ffmpeg
from clipmill_probe import MediaError, probe_media

SIZE, RATE = (1280, 720), 30
CLIP_S, INTRO_S = 4, 2
Command = tuple[str, ...]


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1, help="rounds; the best of each is taken")
    parser.add_argument("--tools", type=Path, help="keep editly and MoviePy here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="clipmill-bench-") as scratch:
        folder = Path(scratch)
        edit, kept = the_edit(folder), options.tools or folder / "tools"
        ways: dict[str, Callable[[int], Command]] = {
            "Clipmill": lambda i: clipmill(edit, folder, i),
            f"editly {rivals.EDITLY}": lambda _: rivals.editly(edit, folder, kept),
            f"MoviePy {rivals.MOVIEPY}": lambda _: rivals.moviepy(edit, folder, kept),
        }
        print("| tool | wall time | against Clipmill | processor | peak memory | frames |")
        print("|---|---:|---:|---:|---:|---|")
        first = 0.0
        for name, command in ways.items():
            row, wall_s = measured(command, edit, folder, options.rounds, first)
            first = first or wall_s
            print(f"| {name} | {row} |", flush=True)


def the_edit(folder: Path) -> Edit:
    """Return an edit of eight trimmed clips of mixed size and rate, with crossfades."""
    sources = clips.make(folder / "clips", 8, CLIP_S, clips.FORMS)
    intro = clips.make(folder / "intro", 1, INTRO_S, (("1280x720", "30"),))[0]
    music = folder / "music.mp3"
    tone = "sine=220:r=44100:d=10"
    meter.run((find_ffmpeg().path, "-v", "error", "-f", "lavfi", "-i", tone, str(music)))
    trims = [Trim(path, 0.5 + i % 2 * 0.3, 3.5 + i % 2 * 0.3) for i, path in enumerate(sources)]
    return Edit(
        size=SIZE, rate=RATE, intro=Trim(intro, 0, INTRO_S), trims=tuple(trims), music=music
    )


def measured(
    command: Callable[[int], Command], edit: Edit, folder: Path, rounds: int, first: float
) -> tuple[str, float]:
    """Return a row and the wall time in s; the row of a tool that cannot be installed says why."""
    try:
        costs = [meter.run(command(i)) for i in range(rounds)]
        frames = probe_media(output_path(folder)).frames
    except (rivals.Unavailable, MediaError, SystemExit) as error:
        return f"failed: {' '.join(str(error).split())[-300:]} | | | |", 0.0
    finally:
        output_path(folder).unlink(missing_ok=True)
    wall_s = min(cost.wall_s for cost in costs)
    right = "right" if frames == edit.frames else f"wrong, expected {edit.frames}"
    row = (
        f"{wall_s:.1f} s",
        f"{wall_s / (first or wall_s):.1f}",
        f"{min(cost.processor_s for cost in costs):.0f} s",
        f"{max(cost.peak_mib for cost in costs):.0f} MiB",
        f"{frames}, {right}",
    )
    return " | ".join(row), wall_s


def output_path(folder: Path) -> Path:
    """Return where each tool writes its video."""
    return folder / "out" / "main.mp4"


def clipmill(edit: Edit, folder: Path, i: int) -> Command:
    """Return the command `clipmill render` with an empty state folder."""
    width, height = edit.size
    played: list[dict[str, Any]] = [
        {"url": str(trim.path), "start": f"{trim.start:g}s", "end": f"{trim.end:g}s"}
        for trim in edit.trims
    ]
    for clip in played[1:]:
        clip["transition"] = {"type": "Fade", "duration": f"{edit.fade_s * 1000:g}ms"}
    text = {"text": edit.text, "position": "Bottom", "size": 6, "color": "#FFFFFF"}
    window = {"start": f"{edit.text_s[0]:g}s", "end": f"{edit.text_s[1]:g}s"}
    played[0]["overlays"] = [{**text, **window}]
    size = {"preset": "custom", "width": width, "height": height, "rate": edit.rate}
    spec = {
        "intro": {"url": str(edit.intro.path)},
        "clips": played,
        "music": {"url": str(edit.music)},
        "outputs": [{"name": "main", **size}],
    }
    head = {"apiVersion": "clipmill.dev/v1alpha1", "kind": "Compilation"}
    path = folder / "compare.yaml"
    path.write_text(yaml.safe_dump({**head, "metadata": {"name": "compare"}, "spec": spec}))
    program = (meter.program("clipmill"), "render", str(path), "-o", str(folder / "out"))
    return (*program, "--state", str(folder / f"state-{i}"))


if __name__ == "__main__":
    main()
