"""Measure how far fetching and rendering overlap in one local run.

Run `python -m benchmarks.overlap`. Sources come from a server of this machine at a limited rate,
chosen so that fetching takes as long as rendering, or the given multiples of it.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from benchmarks import clips, meter
from benchmarks.meter import Cost
from benchmarks.source_server import SourceServer, serve

FORMS = (("1280x720", "30"), ("1280x720", "60"))
OUTPUT = {"name": "main", "preset": "custom", "width": 1280, "height": 720, "rate": 30}
TINY = {"name": "main", "preset": "custom", "width": 160, "height": 90, "rate": 24}
SHARE, CONSTANT_S = 1.15, 3.0


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overlap", description=__doc__)
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=4, help="length of each clip")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--factors", type=float, nargs="+", default=[0.5, 1.0, 2.0])
    options = parser.parse_args()
    print(
        "| fetching | rendering | both in one run | of the longer | goal |\n|---|---|---|---|---|"
    )
    with tempfile.TemporaryDirectory(prefix="clipmill-bench-") as scratch:
        folder = Path(scratch)
        sources = clips.make(folder / "clips", options.clips, options.seconds, FORMS)
        with serve(folder / "clips") as server:
            for factor in options.factors:
                rows = [_round(folder, sources, server, factor) for _ in range(options.rounds)]
                print(_line(sorted(rows, key=lambda row: row.share)[len(rows) // 2]), flush=True)


class _Row(NamedTuple):
    """Wall times of one round in seconds."""

    fetch_s: float
    render_s: float
    both_s: float

    @property
    def longer_s(self) -> float:
        return max(self.fetch_s, self.render_s)

    @property
    def share(self) -> float:
        return self.both_s / self.longer_s


def _line(row: _Row) -> str:
    goal_s = SHARE * row.longer_s + CONSTANT_S
    verdict = "" if row.both_s <= goal_s else ", missed"
    return (
        f"| {row.fetch_s:.1f} s | {row.render_s:.1f} s | {row.both_s:.1f} s | {row.share:.2f} |"
        f" {goal_s:.1f} s{verdict} |"
    )


def _round(folder: Path, sources: Sequence[Path], server: SourceServer, factor: float) -> _Row:
    """Measure rendering alone, then fetching alone and both at a rate derived from it."""
    with tempfile.TemporaryDirectory(dir=folder) as fresh:
        states = Path(fresh)
        server.bytes_per_s = 0
        _render(folder, states / "a", sources, server, TINY, end="100ms")
        rendering = _render(folder, states / "a", sources, server, OUTPUT)
        total = sum(path.stat().st_size for path in sources)
        server.bytes_per_s = total / (rendering.wall_s * factor)
        fetching = _render(folder, states / "b", sources, server, TINY, end="100ms")
        both = _render(folder, states / "c", sources, server, OUTPUT)
    return _Row(fetching.wall_s, rendering.wall_s, both.wall_s)


def _render(
    folder: Path,
    state: Path,
    sources: Sequence[Path],
    server: SourceServer,
    output: dict[str, Any],
    **clip: str,
) -> Cost:
    """Run `clipmill render` of all sources."""
    address = f"127.0.0.1:{server.server_port}"
    urls = [{"url": f"http://{address}/{path.name}", **clip} for path in sources]
    manifest = {
        "apiVersion": "clipmill.dev/v1alpha1",
        "kind": "Compilation",
        "metadata": {"name": "bench"},
        "spec": {"clips": urls, "outputs": [output]},
    }
    path = folder / "bench.yaml"
    path.write_text(yaml.safe_dump(manifest))
    argv = (meter.program("clipmill"), "render", str(path), "-o", str(folder / "out"))
    return meter.run((*argv, "--state", str(state), "--allow-private", address))


if __name__ == "__main__":
    main()
