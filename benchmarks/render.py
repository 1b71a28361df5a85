"""Measure Clipmill against one ffmpeg command that does the same work.

Run `python -m benchmarks.render`. A cold run, a reordered one, one with an edited trim; and the
peak memory of 50 clips against 5.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from benchmarks import clips, meter
from benchmarks.meter import Cost
from benchmarks.quality import compared, unencoded
from clipmill.protocol import MediaFacts, Profile
from clipmill.spec import Output
from clipmill.timeline.profiles import build_profile
from clipmill.timeline.source_color import source_color
from clipmill_job.ffmpeg_binary import find_ffmpeg
from clipmill_probe import probe_media

SECONDS = 5
COUNT = 8
SMALL = (("320x180", "30"), ("320x180", "60"), ("180x320", "25"))
TARGET_LUFS = -14.0


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.render", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds; medians are printed")
    parser.add_argument("--no-memory", action="store_true", help="leave the 50 clips out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="clipmill-bench-") as scratch:
        folder = Path(scratch)
        rows = _times(folder, options.rounds)
        if not options.no_memory:
            rows += _memory(folder)
    meter.print_figures(rows)


# --- time -----------------------------------------------------------------------------------------


def _times(folder: Path, rounds: int) -> list[tuple[str, str, str, str]]:
    sources = clips.make(folder / "clips", COUNT, SECONDS, clips.FORMS)
    bare: list[Cost] = []
    cold: list[Cost] = []
    part: list[float] = []
    reordered: list[Cost] = []
    edited: list[Cost] = []
    for i in range(rounds):
        state, edit = f"state-{i}", [{"url": str(path)} for path in sources]
        command = bare_command(sources, folder / "bare.mp4")
        bare.append(meter.run(command))
        cold.append(render(folder, state, edit))
        part.append(last_report(folder)["seconds"]["assemble"])
        if i + 1 == rounds:
            rows = result_rows(folder, command)
        reordered.append(render(folder, state, edit[::-1]))
        edited.append(render(folder, state, _edited(sources, i)))
    wall, processor = meter.ratios(cold, bare)
    job = [seconds / cost.wall_s for seconds, cost in zip(part, bare, strict=True)]
    return [
        ("one bare ffmpeg command", meter.walls(bare), "", ""),
        (
            "cold: the assemble job",
            meter.spread(part),
            f"{meter.spread(job, 2, '')} of bare",
            "1.10",
        ),
        ("cold: the whole command", meter.walls(cold), f"{wall} of bare", "1.15"),
        ("cold: processor time", "", f"{processor} of bare", "1.15"),
        ("reordered", meter.walls(reordered), f"{meter.shares(reordered, cold)} of cold", "4 %"),
        *rows,
        ("one trim edited", meter.walls(edited), f"{meter.shares(edited, cold)} of cold", "18 %"),
    ]


def result_rows(folder: Path, bare: Sequence[str]) -> list[tuple[str, str, str, str]]:
    """Return rows that compare the last result with that of the bare command."""
    results = (folder / "out/main.mp4", folder / "bare.mp4")
    return [compared(*results).row(), unencoded(bare, *results).row()]


def _edited(sources: Sequence[Path], i: int) -> list[dict[str, str]]:
    """Return the same edit with one clip trimmed: another one in each round."""
    clips_of_edit = [{"url": str(path)} for path in sources]
    clips_of_edit[(2 + i) % COUNT]["end"] = "4s"
    return clips_of_edit


def render(
    folder: Path,
    state: str,
    edit: list[dict[str, str]],
    *,
    small: bool = False,
    options: Sequence[str] = (),
) -> Cost:
    """Run `clipmill render` with further options."""
    output: dict[str, Any] = {"name": "main", "preset": "youtube"}
    if small:
        output = {"name": "main", "preset": "custom", "width": 320, "height": 180, "rate": 30}
    manifest = {
        "apiVersion": "clipmill.dev/v1alpha1",
        "kind": "Compilation",
        "metadata": {"name": "bench"},
        "spec": {"clips": edit, "outputs": [output]},
    }
    path = folder / "bench.yaml"
    path.write_text(yaml.safe_dump(manifest))
    out = folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    argv = (meter.program("clipmill"), "render", str(path), "-o", str(out))
    return meter.run((*argv, "--state", str(folder / state), *options))


def last_report(folder: Path) -> dict[str, Any]:
    """Return the report of the last render."""
    report: dict[str, Any] = json.loads((folder / "out" / "report.json").read_text())
    return report


def bare_command(sources: Sequence[Path], out: Path) -> tuple[str, ...]:
    """Return one ffmpeg command with the same settings: fit, rate, gain per clip, join, encode."""
    profile = build_profile(Output(name="main", preset="youtube"))
    graph, inputs = [], []
    for i, path in enumerate(sources):
        inputs += ["-i", str(path)]
        facts = probe_media(path)
        gain = f"volume={gain_db(facts):.2f}dB"
        graph += [f"[{i}:v]{fitted(facts, profile)}[v{i}]", f"[{i}:a]aresample=48000,{gain}[a{i}]"]
    pairs = "".join(f"[v{i}][a{i}]" for i in range(len(sources)))
    graph.append(f"{pairs}concat=n={len(sources)}:v=1:a=1[v][a]")
    return (
        *(find_ffmpeg().path, "-nostdin", "-v", "error", "-y", *inputs),
        *("-filter_complex", ";".join(graph), "-map", "[v]", "-map", "[a]"),
        *("-c:v", "libx264", "-preset", profile.speed, "-crf", str(profile.crf)),
        *("-maxrate", str(profile.max_bitrate), "-bufsize", str(2 * profile.max_bitrate)),
        *("-bf", "2", "-g", str(2 * profile.rate), "-c:a", "aac", "-b:a", "192k"),
        *("-movflags", "+faststart", str(out)),
    )


def fitted(facts: MediaFacts, profile: Profile) -> str:
    """Return filters that fit a clip into the frame, in BT.709 as Clipmill's result."""
    color = source_color(facts)
    matrix = f"in_color_matrix={color.matrix if color else 'auto'}:out_color_matrix=bt709"
    size = f"{profile.width}:{profile.height}"
    return (
        f"scale={size}:force_original_aspect_ratio=decrease:{matrix}:out_range=tv"
        f",pad={size}:-1:-1,setsar=1,fps={profile.rate},format=yuv420p"
    )


def gain_db(facts: MediaFacts) -> float:
    """Return the gain that brings a clip to the target loudness."""
    return 0.0 if facts.loudness_lufs is None else TARGET_LUFS - facts.loudness_lufs


# --- memory ---------------------------------------------------------------------------------------


def _memory(folder: Path) -> list[tuple[str, str, str, str]]:
    peaks = {}
    # A prober rarely runs beside two renderers: five clips take three runs to show it.
    for count, rounds in ((5, 3), (50, 1)):
        sources = clips.make(folder / "small", count, 2, SMALL)
        edit = [{"url": str(path)} for path in sources]
        runs = [render(folder, f"memory-{count}-{i}", edit, small=True) for i in range(rounds)]
        peaks[count] = max(run.peak_mib for run in runs)
    ratio = peaks[50] / peaks[5]
    return [
        ("peak memory, 5 clips", f"{peaks[5]:.0f} MiB", "", ""),
        ("peak memory, 50 clips", f"{peaks[50]:.0f} MiB", f"{ratio:.2f} of 5 clips", "1.05"),
    ]


if __name__ == "__main__":
    main()
