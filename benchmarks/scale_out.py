"""Measure how fetching and rendering scale with the number of pods.

Run `python -m benchmarks.scale_out`. It needs the cluster of `./run cluster up [workers]`, and
`eval "$(./run cluster env)"`. Each pod has a quarter of a core, so that four of them fit beside the
rest on a machine of two cores. It installs the release of the tests with other chart values.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median

# First: it makes the folder of the tests importable.
from benchmarks.cluster import LONGEST_S, pods_of
from benchmarks.meter import spread
from benchmarks.pod_times import Moments, watched
from cluster import release, world
from cluster.compilations import UID, Video, source
from cluster.kubectl import Object, until
from cluster.release import VALUES, VIDEOS

# Clips that are fetched, and segments that are rendered from trims of them.
FETCHED, RENDERED, TRIM_MS = 20, 60, 1000
GOAL = 3.2
# Small requests, so that the node of a small machine takes all pods.
QUARTER = {
    "requests": {"cpu": "50m", "memory": "128Mi"},
    "limits": {"cpu": "250m", "memory": "1Gi"},
}
STAGES = ("discover", "fetch", "render", "assemble")


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale_out", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of which the median is taken")
    parser.add_argument("--pods", type=int, nargs="+", default=[1, 2, 4])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="clipmill-bench-") as scratch:
        served = Path(scratch)
        served.chmod(0o755)
        with world.world(served):
            rounds = [
                {pods: measure(served, pods) for pods in options.pods}
                for _ in range(options.rounds)
            ]
    print(_table(rounds))


def measure(served: Path, pods: int) -> tuple[float, float]:
    """Return the seconds that so many pods take to fetch clips, and to render segments of them."""
    urls = [source(served) for _ in range(FETCHED)]
    _install(pods, render_from=0)
    fetch_s = _fetch_seconds([{"url": url} for url in urls])
    _install(pods, render_from=1)
    return fetch_s, _render_seconds([_trimmed(urls, i) for i in range(RENDERED)])


def _trimmed(urls: Sequence[str], i: int) -> Object:
    """Return a trim that no other clip has."""
    start = i // len(urls) * TRIM_MS
    return {"url": urls[i % len(urls)], "start": f"{start}ms", "end": f"{start + TRIM_MS}ms"}


def _install(pods: int, *, render_from: int) -> None:
    jobs = {
        **VALUES["jobs"],
        "fetchParallelism": pods,
        "renderParallelism": pods,
        "renderFromSegments": render_from,
        "pods": {"resources": dict.fromkeys(STAGES, QUARTER)},
    }
    release.install(jobs=jobs)


def _fetch_seconds(clips: list[Object]) -> float:
    """Return the seconds from the first pod's start to the end of the last one."""
    video = Video("fetched")
    with watched(VIDEOS, UID) as pods:
        video.apply(clips)
        ended = until(
            "the ends of the pods", lambda: _ended(pods, video, "fetch"), limit_s=LONGEST_S
        )
    video.delete()
    return _seconds(ended)


def _render_seconds(clips: list[Object]) -> float:
    """Return the same of the render pods. The clips are in the library."""
    video = Video("rendered")
    with watched(VIDEOS, UID) as pods:
        video.apply(clips)
        assert video.ended(limit_s=LONGEST_S) == "Complete: Succeeded"
        ended = until("the ends of the pods", lambda: _ended(pods, video, "render"))
        assert not [pod for pod in pods_of(pods, video.name) if pod.stage == "fetch"]
    video.delete()
    return _seconds(ended)


def _ended(pods: dict[str, Moments], video: Video, stage: str) -> list[Moments]:
    """Return the pods of a stage once all of them have ended."""
    mine = [pod for pod in pods_of(pods, video.name) if pod.stage == stage]
    return mine if all(pod.ended for pod in mine) else []


def _seconds(pods: Iterable[Moments]) -> float:
    listed = list(pods)
    return max(pod.ended for pod in listed) - min(pod.running for pod in listed)


def _table(rounds: list[dict[int, tuple[float, float]]]) -> str:
    lines = [
        "| stage | pods | seconds, median (spread) | against 1 pod | goal |",
        "|---|---|---|---|---|",
    ]
    stages = (f"fetch, {FETCHED} clips", f"render, {RENDERED} segments")
    for column, stage in enumerate(stages):
        for pods in rounds[0]:
            seconds = [each[pods][column] for each in rounds]
            ratio = median(each[min(each)][column] / each[pods][column] for each in rounds)
            goal = str(GOAL) if pods == 4 else ""
            figures = f"{pods} | {spread(seconds)} | {ratio:.2f} | {goal}"
            lines.append(f"| {stage} | {figures} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
