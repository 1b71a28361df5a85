"""Measure a long compilation: cold, and with one clip edited.

Run `python -m benchmarks.long --clips 200`. Clips of 4 s from 12 files, with a crossfade of half a
second between each two. The edit shortens the clip in the middle, so that all sound after it moves.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import threading
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from benchmarks import clips, meter
from benchmarks.meter import Cost

FILES, SECONDS, FADE_S = 12, 6, 0.5
CLIP_S, SHORTER_S = 4, 3.5
FORMS = (("640x360", "30"), ("640x360", "60"), ("640x360", "25"))
DISK_INTERVAL_S = 0.2
GOAL_EDIT, GOAL_DISK = "4 %", "1.5"


class Run(NamedTuple):
    """What a run cost, the seconds of its steps, and the most bytes on disk during it."""

    cost: Cost
    report: dict[str, Any]
    disk_bytes: int


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.long", description=__doc__)
    parser.add_argument("--clips", type=int, default=200, help="number of clips")
    parser.add_argument("--edits", type=int, default=3, help="edits; the median is taken")
    parser.add_argument("--size", default="640x360", help="size of clips and result")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="clipmill-bench-") as scratch:
        folder = Path(scratch)
        forms = tuple((options.size, rate) for _, rate in FORMS)
        sources = clips.make(folder / "clips", FILES, SECONDS, forms)
        cold = render(folder, sources, options.clips, options.size, {})
        middle = options.clips // 2
        edits = [
            render(folder, sources, options.clips, options.size, {middle + i: SHORTER_S})
            for i in range(options.edits)
        ]
        edits.sort(key=lambda run: run.cost.wall_s)
        print_table(folder, cold, edits[len(edits) // 2])


def render(folder: Path, sources: list[Path], count: int, size: str, ends: dict[int, float]) -> Run:
    """Run `clipmill render`; `ends` gives other lengths of clips by index."""
    path = folder / "long.yaml"
    path.write_text(yaml.safe_dump(manifest(sources, count, size, ends)))
    shutil.rmtree(folder / "out", ignore_errors=True)
    argv = (meter.program("clipmill"), "render", str(path), "-o", str(folder / "out"))
    disk = _Disk(folder)
    cost = meter.run((*argv, "--state", str(folder / "state")))
    most = disk.stop()
    report = json.loads((folder / "out" / "report.json").read_text())
    return Run(cost, report, most)


def manifest(sources: list[Path], count: int, size: str, ends: dict[int, float]) -> dict[str, Any]:
    """Return the manifest of so many clips."""
    fade = {"transition": {"type": "Fade", "duration": f"{round(FADE_S * 1000)}ms"}}
    edit = [
        {
            "url": str(sources[i % len(sources)]),
            "start": f"{i // len(sources) % 4 * 500}ms",
            "end": f"{i // len(sources) % 4 * 500 + round(ends.get(i, CLIP_S) * 1000)}ms",
            **(fade if i else {}),
        }
        for i in range(count)
    ]
    width, height = (int(side) for side in size.split("x"))
    output = {"name": "main", "preset": "custom", "width": width, "height": height, "rate": 30}
    return {
        "apiVersion": "clipmill.dev/v1alpha1",
        "kind": "Compilation",
        "metadata": {"name": "long"},
        "spec": {"clips": edit, "outputs": [output]},
    }


def print_table(folder: Path, cold: Run, edit: Run) -> None:
    """Print the figures of the cold run and of an edit."""
    share = 100 * edit.cost.wall_s / cold.cost.wall_s
    work = 100 * edit.cost.processor_s / cold.cost.processor_s
    content = _size(folder / "state" / "blobs") + _size(folder / "out")
    disk = max(cold.disk_bytes, edit.disk_bytes)
    rows = [
        ("cold", _cost(cold), "", ""),
        ("one clip edited", _cost(edit), f"{share:.1f} % of cold", GOAL_EDIT),
        ("one clip edited: processor", "", f"{work:.1f} % of cold", ""),
        ("most on disk", f"{disk / 2**20:.0f} MiB", f"{disk / content:.2f} of what stays", ""),
        *((f"{name}: {key}", f"{value:.2f} s", "", "") for name, key, value in _steps(cold, edit)),
    ]
    meter.print_figures(rows)


def _cost(run: Run) -> str:
    wall_s, processor_s, peak_mib = run.cost
    return f"{wall_s:.1f} s, {processor_s:.1f} s of processor, {peak_mib:.0f} MiB"


def _steps(cold: Run, edit: Run) -> list[tuple[str, str, float]]:
    return [
        (name, key, value)
        for name, run in (("cold", cold), ("edit", edit))
        for key, value in run.report["outputs"][0]["seconds"].items()
    ]


class _Disk:
    """The most bytes below a folder; a file with several links counts once."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._most, self._over = folder, 0, threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self) -> int:
        """Stop watching and return the most bytes."""
        self._over.set()
        self._thread.join()
        return self._most

    def _watch(self) -> None:
        while not self._over.wait(DISK_INTERVAL_S):
            self._most = max(self._most, _size(self._folder) - _size(self._folder / "clips"))


def _size(folder: Path) -> int:
    sizes: dict[int, int] = {}
    for path in folder.rglob("*"):
        try:
            status = path.lstat()
        except FileNotFoundError:
            continue
        if path.is_file():
            sizes[status.st_ino] = status.st_size
    return sum(sizes.values())


if __name__ == "__main__":
    main()
