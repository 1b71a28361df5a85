"""Measure a workload that people have against one bare ffmpeg command that does the same.

Run `python -m benchmarks.realistic`. Twenty clips like those of a stream, 15 s of each, to 1080p60
and to a vertical video at once, with cards, crossfades and music: cold, with three trims edited,
with two clips swapped; and a result of 30 minutes. editly and MoviePy render the 1080p60 alone,
with one text instead of the cards. The clips are kept in benchmarks/cache.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks import disk, meter, realistic_edit, rivals, stream_clips
from benchmarks.edit import Edit, Trim
from benchmarks.full import _music as make_music
from benchmarks.quality import compared, unencoded
from benchmarks.realistic_edit import OUTPUTS, Play

RUNS = ("bare", "cold", "edited", "reordered", "long", "editly", "moviepy")
NAMES = {
    "bare": "one bare ffmpeg command, both outputs",
    "cold": "cold",
    "edited": "three trims edited",
    "reordered": "two clips swapped",
    "long": "long result, cold",
    "editly": f"editly {rivals.EDITLY}, 1080p60 alone",
    "moviepy": f"MoviePy {rivals.MOVIEPY}, 1080p60 alone",
}

# Of the bare command's filter graph.
_OUTPUT_LABELS = [f"{kind}{n}" for kind in "va" for n in range(len(OUTPUTS))]


class Sample(NamedTuple):
    """What one run cost."""

    wall_s: float
    processor_s: float
    memory_mib: float
    disk_mib: float


@dataclass(frozen=True, slots=True)
class Bench:
    """The edit, a folder to work in, and the samples of each run."""

    folder: Path
    plays: Sequence[Play]
    long: Sequence[Play]
    music: Path
    tools: Path
    samples: dict[str, list[Sample]] = field(default_factory=lambda: defaultdict(list))
    failures: dict[str, str] = field(default_factory=dict)

    def measure(self, name: str, state: Path) -> None:
        """Run one of RUNS and keep its sample; a tool that fails is reported with its reason."""
        commands: dict[str, Callable[[], tuple[str, ...]]] = {
            "bare": lambda: realistic_edit.bare_command(self.plays, self.music, self.folder),
            "cold": lambda: self._clipmill(self.plays, state),
            "edited": lambda: self._clipmill(realistic_edit.edited(self.plays), state),
            "reordered": lambda: self._clipmill(realistic_edit.reordered(self.plays), state),
            "long": lambda: self._clipmill(self.long, state.with_name("long")),
            "editly": lambda: rivals.editly(self._one_output(), self.folder, self.tools),
            "moviepy": lambda: rivals.moviepy(self._one_output(), self.folder, self.tools),
        }
        try:
            argv = commands[name]()
            cost, peak = disk.peak_mib([self.folder], lambda: meter.run(argv))
        except (rivals.Unavailable, SystemExit) as error:
            if name not in ("editly", "moviepy"):
                raise
            self.failures[name] = " ".join(str(error).split())[-200:]
            return
        self.samples[name].append(Sample(*cost, peak))

    def _clipmill(self, plays: Sequence[Play], state: Path) -> tuple[str, ...]:
        manifest = self.folder / "realistic.yaml"
        realistic_edit.write_manifest(plays, self.music, manifest)
        shutil.rmtree(self.folder / "out", ignore_errors=True)
        render = (meter.program("clipmill"), "render", str(manifest))
        return (*render, "-o", str(self.folder / "out"), "--state", str(state))

    def _one_output(self) -> Edit:
        trims = [Trim(play.path, play.start, play.start + play.seconds) for play in self.plays]
        (self.folder / "out").mkdir(exist_ok=True)
        return Edit(
            size=(1920, 1080), rate=60, intro=trims[0], trims=tuple(trims[1:]), music=self.music
        )


def main() -> None:
    """Measure and print tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.realistic", description=__doc__)
    parser.add_argument("--clips", type=int, default=20, help="clips, of 15 s each")
    parser.add_argument("--minutes", type=float, default=30, help="of the long result")
    parser.add_argument("--rounds", type=int, default=3, help="rounds; medians are printed")
    parser.add_argument("--only", nargs="+", choices=RUNS, default=RUNS, help="what to run")
    parser.add_argument("--tools", type=Path, help="keep editly and MoviePy here")
    options = parser.parse_args()
    paths = stream_clips.make(options.clips)
    with tempfile.TemporaryDirectory(prefix="clipmill-bench-") as scratch:
        folder = Path(scratch)
        make_music(folder)
        length = ceil(options.minutes * 60 / (realistic_edit.TRIM_S - realistic_edit.FADE_S))
        bench = Bench(
            folder,
            realistic_edit.plays_of(paths, options.clips),
            realistic_edit.plays_of(paths, length),
            folder / "music.mp3",
            options.tools or folder / "tools",
        )
        rows = _run(bench, options.rounds, [run for run in RUNS if run in options.only])
    _print_costs(bench)
    for row in rows:
        print(row)


def _run(bench: Bench, rounds: int, runs: Sequence[str]) -> list[str]:
    """Run everything; return the rows that compare the results with the bare command's."""
    rows: list[str] = []
    for i in range(rounds):
        state = bench.folder / f"state-{i}"
        for run in runs:
            if i and run in ("long", "editly", "moviepy"):
                continue
            bench.measure(run, state)
            if run == "cold" and "bare" in runs and i + 1 == rounds:
                rows = _compared(bench)
        shutil.rmtree(state, ignore_errors=True)
        shutil.rmtree(bench.folder / "long", ignore_errors=True)
    return rows


def _print_costs(bench: Bench) -> None:
    bare = bench.samples.get("bare")
    cold = bench.samples.get("cold")
    print("| run | wall | spread | processor | memory | disk | against |")
    print("|---|---:|---|---:|---:|---:|---|")
    for name, samples in bench.samples.items():
        walls = [sample.wall_s for sample in samples]
        wall, processor, memory, space = (median(column) for column in zip(*samples, strict=True))
        against = ""
        if name == "cold" and bare:
            of_processor = processor / median(sample.processor_s for sample in bare)
            of_wall = wall / median(sample.wall_s for sample in bare)
            against = f"{of_wall:.2f} of bare; processor {of_processor:.2f}"
        elif name in ("edited", "reordered") and cold:
            share = 100 * wall / median(sample.wall_s for sample in cold)
            against = f"{share:.1f} % of cold"
        spread = f"{min(walls):.1f} to {max(walls):.1f}"
        figures = f"{wall:.1f} s | {spread} | {processor:.1f} s | {memory:.0f} MiB"
        print(f"| {NAMES[name]} | {figures} | {space:.0f} MiB | {against} |")
    for name, reason in bench.failures.items():
        print(f"| {NAMES[name]} | failed: {reason} | | | | | |")


# --- the result against the bare command's --------------------------------------------------------


def _compared(bench: Bench) -> list[str]:
    rows = [
        "",
        "| output | frames | bare | planned | SSIM | before encoding | bare | LUFS | bare |",
        "|---|" + "---:|" * 8,
    ]
    command = realistic_edit.bare_command(bench.plays, bench.music, bench.folder)
    for n, (output, profile) in enumerate(zip(OUTPUTS, realistic_edit.profiles(), strict=True)):
        result = bench.folder / "out" / f"{output['name']}.mp4"
        bare = realistic_edit.bare_path(bench.folder, n)
        planned = realistic_edit.frames(bench.plays, profile.rate)
        (frames, bare_frames), ssim, (level, bare_level) = compared(result, bare)
        unused = [label for label in _OUTPUT_LABELS if label != f"v{n}"]
        ours, other = unencoded(command, result, bare, pictures=f"v{n}", unused=unused)
        counts, levels = f"{frames} | {bare_frames} | {planned}", f"{level} | {bare_level}"
        similarity = f"{ssim:.4f} | {ours:.4f} | {other:.4f}"
        rows.append(f"| {output['name']} | {counts} | {similarity} | {levels} |")
    return rows


if __name__ == "__main__":
    main()
