"""Steps of service tests of shows: apply a Show, let time pass, play its discover pod."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from clipmill.shows.candidates import ClipCandidate, DiscoverResult
from harness import SMALL
from operating import Cluster, Object, until
from pods import url

SHOW = "weekly"
TEMPLATE: Object = {"title": "${show} ${number}", "outputs": [SMALL]}


def show_spec(**fields: Any) -> Object:
    """Return the spec of an hourly show with a source that needs a pod."""
    return {
        "schedule": "0 * * * *",
        "sources": [{"feed": {"url": "https://clips.example.com/feed.xml"}}],
        "template": TEMPLATE,
        **fields,
    }


def put_show(cluster: Cluster, spec: Object, name: str = SHOW) -> None:
    """Apply a Show by kubectl."""
    show = {
        "apiVersion": "clipmill.dev/v1alpha1",
        "kind": "Show",
        "metadata": {"name": name},
        "spec": spec,
    }
    cluster.plane.kubectl("apply", "-n", cluster.namespace, "-f", "-", given=json.dumps(show))


def the_show(cluster: Cluster, name: str = SHOW) -> Object:
    """Return a Show, or {} if there is none."""
    return next((s for s in cluster.objects("shows") if s["metadata"]["name"] == name), {})


def show_status(cluster: Cluster, name: str = SHOW) -> Object:
    """Return the status of a Show."""
    status: Object = the_show(cluster, name).get("status", {})
    return status


def show_condition(cluster: Cluster, kind: str = "Ready", name: str = SHOW) -> tuple[str, str]:
    """Return status and reason of a condition, or two empty texts."""
    for condition in show_status(cluster, name).get("conditions", []):
        if condition["type"] == kind:
            return condition["status"], condition["reason"]
    return "", ""


def wait_ready(cluster: Cluster, name: str = SHOW) -> None:
    """Wait until the newest generation of a Show is registered."""

    def is_current() -> bool:
        show = the_show(cluster, name)
        observed = show.get("status", {}).get("observedGeneration")
        return bool(show) and observed == show["metadata"]["generation"]

    until(f"a status of {name}", is_current)


def make_due(cluster: Cluster, name: str = SHOW) -> str:
    """Let the API's time pass until the next scheduled time. Return that time."""
    next_time = until(
        "a next scheduled time", lambda: show_status(cluster, name).get("nextScheduleTime")
    )
    ahead = datetime.fromisoformat(next_time) - cluster.api.clock().astimezone(UTC)
    cluster.api.clock.advance(ahead.total_seconds() + 1)
    return str(next_time)


def discover_jobs(cluster: Cluster) -> list[Object]:
    """Return the discover Jobs of the namespace."""
    return cluster.objects("jobs", "-l", "clipmill.dev/stage=discover")


def discover_pod(cluster: Cluster) -> Object:
    """Wait for a discover pod that has not ended."""

    def active() -> list[Object]:
        pods = cluster.objects("pods", "-l", "clipmill.dev/stage=discover")
        return [pod for pod in pods if pod["status"].get("phase") in (None, "Pending", "Running")]

    return until("a discover pod", active)[0]


def candidates(cluster: Cluster, count: int = 1) -> list[ClipCandidate]:
    """Return new clips, as a source offers them: created before the scheduled time."""
    created_at = cluster.api.clock() - timedelta(hours=1)
    return [
        ClipCandidate(
            url=url(), source=0, title=f"Clip {i}", created_at=created_at, views=count - i
        )
        for i in range(count)
    ]


def play_discovery(cluster: Cluster, count: int = 1) -> None:
    """Let the discover pod find so many clips."""
    pod = discover_pod(cluster)
    discovery = cluster.job_client(pod).discovery
    assignment = discovery.claim(pod["metadata"]["name"])
    found = candidates(cluster, count)
    discovery.result(DiscoverResult(epoch=assignment.epoch, candidates=found))
    cluster.end(pod, 0)


def episodes(cluster: Cluster, name: str = SHOW) -> list[Object]:
    """Return the Compilations of a show."""
    return cluster.objects("comp", "-l", f"clipmill.dev/show={name}")


def the_episode(cluster: Cluster) -> str:
    """Wait for the only episode and return its name."""
    (episode,) = until("an episode", lambda: episodes(cluster))
    return str(episode["metadata"]["name"])


def last_episode(cluster: Cluster, name: str = SHOW) -> Object:
    """Return the newest episode in the status of a Show."""
    summary: Object = show_status(cluster, name).get("lastEpisode", {})
    return summary


def wait_episode(cluster: Cluster, state: str, name: str = SHOW) -> Object:
    """Wait until the newest episode has a state."""
    return until(
        f"an episode that is {state}: {last_episode(cluster, name)}",
        lambda: last_episode(cluster, name) if _state(cluster, name) == state else {},
    )


def _state(cluster: Cluster, name: str) -> str:
    return str(last_episode(cluster, name).get("state", ""))


def event_reasons(cluster: Cluster, name: str = SHOW) -> set[str]:
    """Return the reasons of the events of a Show."""
    events = cluster.objects("events")
    return {
        event["reason"]
        for event in events
        if (event["involvedObject"]["kind"], event["involvedObject"]["name"]) == ("Show", name)
    }
