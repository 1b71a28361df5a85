"""Disruptions of the real cluster while a stage runs. Each is over when its function returns."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

from cluster import world
from cluster.compilations import UID, Video, stopped
from cluster.kubectl import Object, get, kubectl, until
from cluster.release import HERE, VIDEOS

# How long the API is down.
DOWN_S = 60
# How long two operators act at once: both list all objects at their start, and poll every 3 s.
OVERLAP_S = 10
NOW = ("--grace-period=0", "--force")
Trouble = Callable[[Video, str], None]


def the_operator_is_killed(video: Video, stage: str) -> None:
    """Kill the operator's pod; its Deployment starts another one."""
    kubectl("delete", "pod", "-n", HERE, "-l", "app.kubernetes.io/component=operator", *NOW)


def a_pod_is_deleted(video: Video, stage: str) -> None:
    """Delete the pods of the stage, with their grace period."""
    kubectl("delete", "pod", "-n", VIDEOS, "-l", f"{UID}={video.uid},clipmill.dev/stage={stage}")


def the_api_is_down(video: Video, stage: str) -> None:
    """Stop the API for a minute; the status reports it, unless an assembly was quicker."""
    says = {"ApiUnreachable"} if stage != "assemble" else {"ApiUnreachable", "Succeeded"}
    with stopped(f"{HERE}-api", HERE):
        back = time.monotonic() + DOWN_S
        until("the status reports it", lambda: video.status().get("reason") in says)
        until("the minute is over", lambda: time.monotonic() > back)


def the_database_is_restarted(video: Video, stage: str) -> None:
    """Kill the database's pod and wait for the next one."""
    kubectl("delete", "pod", "-n", HERE, f"{HERE}-database-0", *NOW)
    kubectl("rollout", "status", "-n", HERE, f"statefulset/{HERE}-database", "--timeout=300s")


def the_secret_is_deleted(video: Video, stage: str) -> None:
    """Delete the Secret and the pods that have read it; the next ones cannot start without."""
    mine = f"{UID}={video.uid},clipmill.dev/stage={stage}"
    kubectl("delete", "secret", "-n", VIDEOS, "-l", mine)
    a_pod_is_deleted(video, stage)


def the_status_is_wiped(video: Video, stage: str) -> None:
    """Remove the whole status."""
    wipe = ("--subresource=status", "--type=json", "-p", '[{"op": "remove", "path": "/status"}]')
    kubectl("patch", "compilation", video.name, "-n", VIDEOS, *wipe)


def two_operators_act(video: Video, stage: str) -> None:
    """Run a second operator, until both have reconciled everything."""
    scale = ("scale", "deployment", f"{HERE}-operator", "-n", HERE)
    kubectl(*scale, "--replicas=2")
    try:
        kubectl("rollout", "status", "-n", HERE, f"deployment/{HERE}-operator", "--timeout=300s")
        time.sleep(OVERLAP_S)
    finally:
        kubectl(*scale, "--replicas=1")
    until("one operator is left", lambda: len(_operators()) == 1)


def the_watches_are_cut(video: Video, stage: str) -> None:
    """End all connections of the operator to the Kubernetes API server, three times."""
    (address,) = [pod["status"]["podIP"] for pod in _operators()]
    for _ in range(3):
        cut = [connection for node in world.nodes() for connection in _cut(node, address)]
        assert cut, "the operator has no connection to the API server"
        time.sleep(1)


def _operators() -> list[Object]:
    live = ("-l", "app.kubernetes.io/component=operator", "--field-selector=status.phase=Running")
    return list(get("pods", HERE, *live))


def _cut(node: str, address: str) -> list[str]:
    command = ("docker", "exec", node, "ss", "-KHtn", "dst", address)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


ALL: tuple[Trouble, ...] = (
    the_operator_is_killed,
    two_operators_act,
    the_watches_are_cut,
    a_pod_is_deleted,
    the_api_is_down,
    the_database_is_restarted,
    the_secret_is_deleted,
    the_status_is_wiped,
)
