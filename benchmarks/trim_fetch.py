"""Measure what a fetch of 20 seconds of a six-hour recording takes beyond these seconds.

Run `python -m benchmarks.trim_fetch [KIND...]`. The recording is served by this process, as an HLS
playlist of 6 Mbit/s with fragments of 8 s, and as MP4 and Matroska files with their index at the
front and at the end. Prints a JSON object for each KIND: `bytes` that were sent and `seconds` that
were kept beyond the trim itself, requests, processor and wall time. Needs 2 GB of disk.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import clipmaker  # noqa: E402
import long_sources  # noqa: E402
from range_server import RangeServer, serve_ranges  # noqa: E402

LENGTH_S, TRIM_S = 6 * 3600, 20
START_S = 3 * 3600 + 13
HLS_BITS, FILE_BITS = 6_000_000, 150_000
DOWNLOADER = (sys.executable, "-I", "-m", "clipmill_job.fetching.downloader")
FORMS = {
    "mp4-front": ("list.mp4", ("-movflags", "+faststart")),
    "mp4-end": ("list.mp4", ()),
    "mkv-front": ("list.mkv", ("-cues_to_front", "1", "-reserve_index_space", "1000000")),
    "mkv-end": ("list.mkv", ()),
}


def make_playlist(folder: Path) -> Path:
    """Write six hours of HLS, of which the fragments around the trim exist."""
    source = long_sources.recording(folder / "source.mp4", 50, HLS_BITS)
    at_s = START_S // long_sources.FRAGMENT_S * long_sources.FRAGMENT_S
    at_s -= at_s % (4 * long_sources.FRAGMENT_S)
    return long_sources.sparse_playlist(source, folder, at_s=at_s, length_s=LENGTH_S)


def make_file(name: str, arguments: tuple[str, ...]) -> Callable[[Path], Path]:
    """Return a function that writes six hours as one file, from a recording of a minute."""

    def make(folder: Path) -> Path:
        source = long_sources.recording(folder / "source.mp4", 60, FILE_BITS)
        looped = ("-stream_loop", "-1", "-i", str(source), "-t", str(LENGTH_S), "-c", "copy")
        clipmaker.ffmpeg(*looped, *arguments, str(folder / name))
        return folder / name

    return make


def fetch(server: RangeServer, url: str, folder: Path) -> dict[str, Any]:
    """Fetch the trim as a job does; return the reply of the downloader."""
    span = {"clip_id": "k", "start_us": START_S * 10**6, "end_us": (START_S + TRIM_S) * 10**6}
    request = {
        "url": url,
        "folder": str(folder),
        "limit_bytes": 10**10,
        "private": [server.address],
        "spans": [span],
        "ffmpeg": "none",
        "javascript": "none",
        "cookies": "",
        "proxy": "",
        "proxy_address": "",
        "private_proxies": [],
    }
    done = subprocess.run(
        DOWNLOADER, input=json.dumps(request), capture_output=True, text=True, check=True
    )
    reply: dict[str, Any] = {}
    for line in done.stdout.splitlines():
        reply |= json.loads(line)
    return reply


def measure(kind: str, make: Callable[[Path], Path]) -> dict[str, Any]:
    """Return the figures of one kind of source."""
    with tempfile.TemporaryDirectory() as name, serve_ranges(Path(name)) as server:
        folder = Path(name)
        source = make(folder)
        own_bytes = TRIM_S * HLS_BITS // 8
        if kind != "hls":
            own_bytes = source.stat().st_size * TRIM_S // LENGTH_S
        out = folder / "out"
        out.mkdir()
        server.reset()
        began, used = time.monotonic(), _children_s()
        reply = fetch(server, server.url(source.name), out)
        wall_s, cpu_s = time.monotonic() - began, _children_s() - used
        (fetched,) = reply["files"]
        is_excerpt = "at_us" in fetched
        other_us = fetched["at_us"] + fetched["rest_us"] if is_excerpt else 0
        return {
            "kind": kind,
            "bytes": server.sent_bytes - own_bytes,
            "own_bytes": own_bytes,
            "seconds": round(LENGTH_S - other_us / 1e6 - TRIM_S, 1),
            "is_excerpt": is_excerpt,
            "requests": len(server.requests),
            "wall_s": round(wall_s, 1),
            "cpu_s": round(cpu_s, 1),
        }


def _children_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main(kinds: list[str]) -> int:
    """Measure the kinds, by default all of them."""
    makers = {"hls": make_playlist} | {kind: make_file(*form) for kind, form in FORMS.items()}
    for kind in kinds or makers:
        sys.stdout.write(json.dumps(measure(kind, makers[kind])) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
