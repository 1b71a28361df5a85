"""Measure the start of a pod against the work that it does for a clip, by the size of the clip.

Run `python -m benchmarks.fetch_pods`. It needs the cluster of `./run cluster up`, and
`eval "$(./run cluster env)"`. One pod fetches one clip, and one pod fetches five: the difference is
the work for four clips, and the rest of the first is the start of the pod.
"""

from __future__ import annotations

import argparse
import tempfile
import uuid
from pathlib import Path
from statistics import median

# First: it makes the folder of the tests importable.
from benchmarks.cluster import LONGEST_S, pods_of
from benchmarks.pod_times import watched
from clipmill_api.media.sample_clips import encode_sample
from cluster import release, world
from cluster.compilations import UID, Video, unique_box, url
from cluster.kubectl import until
from cluster.release import VALUES, VIDEOS

MORE = 4
SIZES_MB = (1, 4, 16, 64, 256)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fetch_pods", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of which the median is taken")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES_MB, help="in MB")
    options = parser.parse_args()
    jobs = {**VALUES["jobs"], "fetchParallelism": 1, "renderFromSegments": 0}
    release.install(jobs=jobs)
    lines = [
        "| clip | pod: created to running | start of a pod with its process | work for a clip"
        " | start / work |",
        "|---|---|---|---|---|",
    ]
    for size_mb in options.sizes:
        rounds = [_round(size_mb) for _ in range(options.rounds)]
        running_s, start_s, work_s = (median(column) for column in zip(*rounds, strict=True))
        figures = f"{running_s:.2f} s | {start_s:.2f} s | {work_s:.2f} s | {start_s / work_s:.2f}"
        lines.append(f"| {size_mb} MB | {figures} |")
    print("\n".join(lines) + "\n\nWith one pod for each clip, a start came with every clip.\n")


def _round(size_mb: int) -> tuple[float, float, float]:
    """Return the seconds until a pod runs, of a pod's whole start, and of the work for a clip."""
    with tempfile.TemporaryDirectory(prefix="clipmill-bench-") as scratch:
        served = Path(scratch)
        served.chmod(0o755)
        with world.world(served):
            running_s, one_s = _fetched_by_one_pod(served, size_mb, 1)
            _, more_s = _fetched_by_one_pod(served, size_mb, 1 + MORE)
    work_s = max(0.001, (more_s - one_s) / MORE)
    return running_s, one_s - work_s, work_s


def _fetched_by_one_pod(served: Path, size_mb: int, clips: int) -> tuple[float, float]:
    """Return the seconds from the creation of the pod until it runs, and until its end."""
    video = Video("fetched")
    with watched(VIDEOS, UID) as pods:
        video.apply([{"url": _source(served, size_mb)} for _ in range(clips)])
        (pod,) = until(
            "the end of the pod",
            lambda: [p for p in pods_of(pods, video.name) if p.stage == "fetch" and p.ended],
            limit_s=LONGEST_S,
        )
    video.delete()
    return pod.running - pod.created, pod.ended - pod.created


def _source(served: Path, size_mb: int) -> str:
    """Write a clip of this size with other bytes than each before; return its URL."""
    name, clip = f"bars-{uuid.uuid4().hex[:8]}", encode_sample("bars")
    box = unique_box(max(24, size_mb * 1_000_000 - len(clip)))
    (served / f"{name}.mp4").write_bytes(clip + box)
    return url(name)


if __name__ == "__main__":
    main()
