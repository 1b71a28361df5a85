"""Measure renders by pods against the local command and a bare Job.

Run `python -m benchmarks.cluster`. It needs the cluster of `./run cluster up`, and `eval "$(./run
cluster env)"`. It installs the same release as the tests on the cluster.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import monotonic
from typing import NamedTuple

import yaml

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
os.environ.setdefault("CLIPMILL_CLUSTER", "clipmill")
os.environ.setdefault(
    "CLIPMILL_IMAGE_TAG",
    yaml.safe_load((ROOT / "charts/clipmill/Chart.yaml").read_text())["appVersion"],
)

from benchmarks import clips, render  # noqa: E402
from benchmarks.pod_times import Moments, watched  # noqa: E402
from benchmarks.source_server import serve  # noqa: E402
from cluster import release, world  # noqa: E402  from the folder of the tests
from cluster.compilations import UID, Video, serve_samples, unique_box, url  # noqa: E402
from cluster.kubectl import Object, apply, get, kubectl, until  # noqa: E402
from cluster.release import VALUES, VIDEOS  # noqa: E402

JOBS = {name: VALUES["jobs"][name] for name in ("submitNamespace", "maxActivePerOwner")}
SLEEP = ["python", "-c", "import time; time.sleep(2)"]
LONGEST_S = 900


class Run(NamedTuple):
    """One rendered generation: seconds from `kubectl apply` to Complete, its pods and its steps."""

    wall_s: float
    began: float
    done: float
    pods: list[Moments]
    spent_s: dict[str, float]


def main() -> None:
    """Measure and print two tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cluster", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1, help="renders; the best of each is taken")
    parser.add_argument("--starts", type=int, default=7, help="first containers; the median")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="clipmill-bench-") as scratch:
        folder = Path(scratch)
        served = folder / "clips"
        sources = clips.make(served, render.COUNT, render.SECONDS, clips.FORMS)
        for source in sources:
            # The database may have segments of an earlier measurement.
            source.write_bytes(source.read_bytes() + unique_box())
        serve_samples(served)
        for path in (folder, served):
            path.chmod(0o755)
        release.install(jobs=JOBS)
        with world.world(served):
            starts = [_starts() for _ in range(options.starts)]
            rounds = [_round(folder, sources, i) for i in range(options.rounds)]
    print(_first_containers(starts))
    for name, best in _best(rounds).items():
        print(_where(name, best))


# --- first containers -----------------------------------------------------------------------------


def _starts() -> tuple[float, float]:
    """Return the seconds to the first container of a Compilation, and of a bare Job."""
    video = Video("first")
    with watched(VIDEOS, UID) as pods:
        began = monotonic()
        video.apply([{"url": url(), "end": "1s"}])
        ours = _running(pods, video.name) - began
    assert video.ended() == "Complete: Succeeded"
    (fetch,) = get("jobs", VIDEOS, "-l", f"{UID}={video.uid},clipmill.dev/stage=fetch")
    job = _bare(fetch)
    with watched(VIDEOS, "bare") as pods:
        began = monotonic()
        apply(job)
        bare = _running(pods, job["metadata"]["name"]) - began
    kubectl("delete", "job", "-n", VIDEOS, job["metadata"]["name"])
    video.delete()
    return ours, bare


def _running(pods: dict[str, Moments], name: str) -> float:
    def first() -> float:
        mine = [pod.running for pod_name, pod in list(pods.items()) if pod_name.startswith(name)]
        return min(filter(None, mine), default=0.0)

    return until("a running container", first)


def _bare(fetch: Object) -> Object:
    """Return a Job of the same pod, but without environment and work."""
    spec = fetch["spec"]["template"]["spec"]
    container = {key: value for key, value in spec["containers"][0].items() if key != "envFrom"}
    pod = {
        "metadata": {"labels": {"bare": "yes"}},
        "spec": {**spec, "containers": [{**container, "command": SLEEP}]},
    }
    name = f"bare-{uuid.uuid4().hex[:5]}"
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": VIDEOS},
        "spec": {"template": pod},
    }


def _first_containers(starts: Sequence[tuple[float, float]]) -> str:
    ours, bare = (median(column) for column in zip(*starts, strict=True))
    return (
        "| what | figure | against | goal |\n|---|---|---|---|\n"
        f"| bare Job: applied to its container running | {bare:.2f} s | | |\n"
        f"| Compilation: the same | {ours:.2f} s | {ours / bare:.2f} of bare | 1.5 |\n"
    )


# --- the render benchmark by pods -----------------------------------------------------------------


class Comparison(NamedTuple):
    """A run by pods, and the same by the local command.

    `local_s` and `steps` are those of sources on this machine's disk, `fetching_s` is the time of a
    local run that fetches them by HTTP, as the pods do.
    """

    pods: Run
    local_s: float
    fetching_s: float
    steps: dict[str, float]


def _round(folder: Path, sources: Sequence[Path], i: int) -> dict[str, Comparison]:
    """Render cold and edited, by the local command and by pods, one after the other."""
    once = uuid.uuid4().hex[:8]
    files = [{"url": str(path)} for path in sources]
    there = [{"url": f"http://{world.PUBLIC}/{once}/free/{path.name}"} for path in sources]
    video = Video("bench")
    comparisons = {}
    with serve(sources[0].parent) as server:
        address = f"127.0.0.1:{server.server_port}"
        urls = [{"url": f"http://{address}/{path.name}"} for path in sources]
        fetching = ("--allow-private", address)
        for name, change in (("cold", _unchanged), ("edited", _edited)):
            by_url = render.render(folder, f"fetched-{i}", change(urls), options=fetching)
            local = render.render(folder, f"state-{i}", change(files))
            steps = render.last_report(folder)["outputs"][0]["seconds"]
            pods = _by_pods(video, change(there))
            comparisons[name] = Comparison(pods, local.wall_s, by_url.wall_s, steps)
    video.delete()
    return comparisons


def _unchanged(edit: list[dict[str, str]]) -> list[dict[str, str]]:
    return edit


def _edited(edit: list[dict[str, str]]) -> list[dict[str, str]]:
    """Trim one clip."""
    return [*edit[:2], {**edit[2], "end": "4s"}, *edit[3:]]


def _by_pods(video: Video, edit: list[dict[str, str]]) -> Run:
    with watched(VIDEOS, UID) as pods:
        began = monotonic()
        video.apply(edit, outputs=[{"name": "main", "preset": "youtube"}])
        assert video.ended(limit_s=LONGEST_S) == "Complete: Succeeded"
        done = monotonic()
        mine = pods_of(pods, video.name, video.get()["metadata"]["generation"])
        until("the ends of its pods", lambda: all(pod.ended for pod in mine))
    with release.api("owner-key") as client:
        view = client.compilation(video.status()["compilationId"])
    return Run(done - began, began, done, mine, view.outputs[0].spent_s)


def pods_of(pods: dict[str, Moments], name: str, generation: int = 1) -> list[Moments]:
    """Return the pods of a generation of a Compilation."""
    part = f"-g{generation}-"
    return [pod for key, pod in list(pods.items()) if key.startswith(f"{name}-") and part in key]


def _best(rounds: Sequence[dict[str, Comparison]]) -> dict[str, Comparison]:
    by_pods: Callable[[Comparison], float] = lambda each: each.pods.wall_s  # noqa: E731
    return {name: min((each[name] for each in rounds), key=by_pods) for name in rounds[0]}


# --- where the difference goes --------------------------------------------------------------------


def _where(name: str, each: Comparison) -> str:
    """Return a table of the steps of one run, beside the same steps of the local command."""
    wall_s = each.pods.wall_s
    lines = [
        f"| {name} | by pods | locally |",
        "|---|---|---|",
        _whole("all of it, local files", wall_s, each.local_s),
        _whole("all of it, fetched by HTTP", wall_s, each.fetching_s),
    ]
    lines += [f"| {what} | {seconds:.1f} s | |" for what, seconds in _walk(each.pods)]
    for step in dict.fromkeys([*each.pods.spent_s, *each.steps]):
        there, here = each.pods.spent_s.get(step, 0.0), each.steps.get(step, 0.0)
        lines.append(f"| in the assembly: {step} | {there:.1f} s | {here:.1f} s |")
    return "\n".join(lines) + "\n"


def _whole(what: str, pods_s: float, local_s: float) -> str:
    return f"| {what} | {pods_s:.1f} s, {pods_s / local_s:.2f} of local | {local_s:.1f} s |"


def _walk(run: Run) -> list[tuple[str, float]]:
    """Return the consecutive steps of a run; their seconds add up to the whole."""
    walk, before = [], run.began
    for stage in ("fetch", "render", "assemble"):
        pods = [pod for pod in run.pods if pod.stage == stage]
        if not pods:
            continue
        first = min(pods, key=lambda pod: pod.created)
        last = max(pod.ended for pod in pods)
        walk += [
            (f"{stage}: until the pod of its Job is created", first.created - before),
            (f"{stage}: scheduled", first.bound - first.created),
            (f"{stage}: sandbox, network, container", first.running - first.bound),
            (f"{stage}: at work, pods: {len(pods)}", last - first.running),
        ]
        before = last
    return [*walk, ("from the end of the last pod to Complete", run.done - before)]


if __name__ == "__main__":
    main()
