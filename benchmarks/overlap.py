"""Measure how far fetching and rendering overlap in one local run.

Run `python -m benchmarks.overlap`. Sources come from a server of this machine at a limited rate,
chosen so that fetching takes as long as rendering, or the given multiples of it.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any, NamedTuple

import yaml

from benchmarks import clips, meter
from benchmarks.meter import Cost

FORMS = (("1280x720", "30"), ("1280x720", "60"))
OUTPUT = {"name": "main", "preset": "custom", "width": 1280, "height": 720, "rate": 30}
TINY = {"name": "main", "preset": "custom", "width": 160, "height": 90, "rate": 24}
SHARE, CONSTANT_S = 1.15, 3.0
CHUNK = 16_384


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
        with _serve(folder / "clips") as server:
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


def _round(folder: Path, sources: Sequence[Path], server: _Server, factor: float) -> _Row:
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
    server: _Server,
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


class _Server(ThreadingHTTPServer):
    """All connections share `bytes_per_s`; 0 is no limit."""

    daemon_threads = True
    bytes_per_s = 0.0

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
        self._lock = threading.Lock()
        self._free_at = 0.0

    def wait_for(self, size: int) -> None:
        """Wait until so many bytes may be sent."""
        if not self.bytes_per_s:
            return
        with self._lock:
            now = time.monotonic()
            self._free_at = max(self._free_at, now) + size / self.bytes_per_s
            until = self._free_at
        time.sleep(max(0.0, until - now))


class _Handler(SimpleHTTPRequestHandler):
    server: _Server

    def log_message(self, *_: object) -> None:
        """Do not log."""

    def copyfile(self, source: IO[bytes], outputfile: IO[bytes]) -> None:  # type: ignore[override]
        """Send a file at the server's rate."""
        while chunk := source.read(CHUNK):
            self.server.wait_for(len(chunk))
            try:
                outputfile.write(chunk)
            except OSError:
                return


@contextmanager
def _serve(folder: Path) -> Iterator[_Server]:
    server = _Server(folder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    main()
