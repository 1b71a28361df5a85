"""`python -m benchmarks.render`: Clipmill against one bare ffmpeg command that does the same work.

Cold, reordered, one trim edited; and the peak memory of 50 clips against that of 5.
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
from clipmill.protocol import MediaFacts
from clipmill.spec import Output
from clipmill.timeline.profiles import profile
from clipmill_job import ffmpeg_binary
from clipmill_probe import check

SECONDS = 5
COUNT = 8
SMALL = (("320x180", "30"), ("320x180", "60"), ("180x320", "25"))
TARGET_LUFS = -14.0


def main() -> None:
    """Measure and print a table."""
    asked = argparse.ArgumentParser(prog="python -m benchmarks.render", description=__doc__)
    asked.add_argument("--rounds", type=int, default=3, help="rounds; the best of each is taken")
    asked.add_argument("--no-memory", action="store_true", help="leave the 50 clips out")
    options = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="clipmill-bench-") as scratch:
        folder = Path(scratch)
        found = _times(folder, options.rounds)
        if not options.no_memory:
            found += _memory(folder)
    print("| what | figure | against | goal |\n|---|---|---|---|")
    for row in found:
        print("| " + " | ".join(row) + " |")


# --- time -----------------------------------------------------------------------------------------


def _times(folder: Path, rounds: int) -> list[tuple[str, str, str, str]]:
    sources = clips.make(folder / "clips", COUNT, SECONDS, clips.FORMS)
    bare: list[Cost] = []
    cold: list[Cost] = []
    part: list[float] = []
    for i in range(rounds):
        bare.append(meter.run(bare_command(sources, folder / "bare.mp4")))
        cold.append(render(folder, f"state-{i}", [{"url": str(path)} for path in sources]))
        part.append(last_report(folder)["seconds"]["assemble"])
    state = f"state-{rounds - 1}"
    ordered = [{"url": str(path)} for path in sources[::-1]]
    again = min(render(folder, state, ordered).wall_s for _ in range(2))
    edits = [_edited(sources, i) for i in range(2)]
    edited = min(render(folder, state, edit).wall_s for edit in edits)
    best, known = min(c.wall_s for c in cold), min(c.wall_s for c in bare)
    processor = min(c.processor_s for c in cold) / min(c.processor_s for c in bare)
    return [
        ("one bare ffmpeg command", f"{known:.1f} s", "", ""),
        (
            "cold: the assemble job",
            f"{min(part):.1f} s",
            f"{min(part) / known:.2f} of bare",
            "1.10",
        ),
        ("cold: the whole command", f"{best:.1f} s", f"{best / known:.2f} of bare", ""),
        ("cold: processor time", "", f"{processor:.2f} of bare", ""),
        ("reordered", f"{again:.2f} s", f"{100 * again / best:.1f} % of cold", "4 %"),
        ("one trim edited", f"{edited:.2f} s", f"{100 * edited / best:.1f} % of cold", "18 %"),
    ]


def _edited(sources: Sequence[Path], i: int) -> list[dict[str, str]]:
    """The same edit, but one clip is cut shorter: another one in each round."""
    made = [{"url": str(path)} for path in sources]
    made[2 + i]["end"] = "4s"
    return made


def render(folder: Path, state: str, edit: list[dict[str, str]], small: bool = False) -> Cost:
    """`clipmill render`, as a person types it."""
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
    return meter.run((*argv, "--state", str(folder / state)))


def last_report(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "out" / "report.json").read_text())
    return found


def bare_command(sources: Sequence[Path], out: Path) -> tuple[str, ...]:
    """One ffmpeg command: fit, rate, one gain for each clip, join, encode; the same settings."""
    form = profile(Output(name="main", preset="youtube"))
    graph, inputs = [], []
    for i, path in enumerate(sources):
        inputs += ["-i", str(path)]
        size = f"scale={form.width}:{form.height}:force_original_aspect_ratio=decrease"
        pad = f"pad={form.width}:{form.height}:-1:-1,setsar=1,fps={form.rate},format=yuv420p"
        gain = f"volume={gain_db(check(path)):.2f}dB"
        graph += [f"[{i}:v]{size},{pad}[v{i}]", f"[{i}:a]aresample=48000,{gain}[a{i}]"]
    pairs = "".join(f"[v{i}][a{i}]" for i in range(len(sources)))
    graph.append(f"{pairs}concat=n={len(sources)}:v=1:a=1[v][a]")
    return (
        *(ffmpeg_binary.ffmpeg(), "-nostdin", "-v", "error", "-y", *inputs),
        *("-filter_complex", ";".join(graph), "-map", "[v]", "-map", "[a]"),
        *("-c:v", "libx264", "-preset", form.speed, "-crf", str(form.crf)),
        *("-maxrate", str(form.max_bitrate), "-bufsize", str(2 * form.max_bitrate)),
        *("-bf", "2", "-g", str(2 * form.rate), "-c:a", "aac", "-b:a", "192k"),
        *("-movflags", "+faststart", str(out)),
    )


def gain_db(facts: MediaFacts) -> float:
    """What brings a clip to the target."""
    return 0.0 if facts.loudness_lufs is None else TARGET_LUFS - facts.loudness_lufs


# --- memory ---------------------------------------------------------------------------------------


def _memory(folder: Path) -> list[tuple[str, str, str, str]]:
    peaks = {}
    # A prober that runs beside two renderers is seen now and then only: five clips in three runs.
    for count, rounds in ((5, 3), (50, 1)):
        sources = clips.make(folder / "small", count, 2, SMALL)
        edit = [{"url": str(path)} for path in sources]
        runs = [render(folder, f"memory-{count}-{i}", edit, small=True) for i in range(rounds)]
        peaks[count] = max(run.peak_mib for run in runs)
    ratio = peaks[50] / peaks[5]
    return [
        ("peak memory, 5 clips", f"{peaks[5]:.0f} MiB", "", ""),
        ("peak memory, 50 clips", f"{peaks[50]:.0f} MiB", f"{ratio:.2f} of 5 clips", "1.10"),
    ]


if __name__ == "__main__":
    main()
