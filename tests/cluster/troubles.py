"""What goes wrong while a stage is at work: done to the real cluster, and over when it returns."""

from __future__ import annotations

import time
from collections.abc import Callable

from cluster.compilations import UID, Video, stopped
from cluster.kubectl import kubectl, until
from cluster.release import HERE, VIDEOS

DOWN_S = 60
"""How long the API is away."""
NOW = ("--grace-period=0", "--force")
Trouble = Callable[[Video, str], None]


def the_operator_is_killed(video: Video, stage: str) -> None:
    """Another one starts and finds everything as it was."""
    kubectl("delete", "pod", "-n", HERE, "-l", "app.kubernetes.io/component=operator", *NOW)


def a_pod_is_deleted(video: Video, stage: str) -> None:
    """Those of the stage, with the time that they are given to leave."""
    kubectl("delete", "pod", "-n", VIDEOS, "-l", f"{UID}={video.uid},clipmill.dev/stage={stage}")


def the_api_is_down(video: Video, stage: str) -> None:
    """For a minute; the resource says so, unless an assembly was quicker."""
    says = {"ApiUnreachable"} if stage != "assemble" else {"ApiUnreachable", "Succeeded"}
    with stopped(f"{HERE}-api", HERE):
        back = time.monotonic() + DOWN_S
        until("it says so", lambda: video.status().get("reason") in says)
        until("the minute is over", lambda: time.monotonic() > back)


def the_database_is_restarted(video: Video, stage: str) -> None:
    """Without a word before."""
    kubectl("delete", "pod", "-n", HERE, f"{HERE}-database-0", *NOW)
    kubectl("rollout", "status", "-n", HERE, f"statefulset/{HERE}-database", "--timeout=300s")


def the_secret_is_deleted(video: Video, stage: str) -> None:
    """With the pods that have read it: the next ones cannot start without."""
    mine = f"{UID}={video.uid},clipmill.dev/stage={stage}"
    kubectl("delete", "secret", "-n", VIDEOS, "-l", mine)
    a_pod_is_deleted(video, stage)


def the_status_is_wiped(video: Video, stage: str) -> None:
    """All of it."""
    wipe = ("--subresource=status", "--type=json", "-p", '[{"op": "remove", "path": "/status"}]')
    kubectl("patch", "compilation", video.name, "-n", VIDEOS, *wipe)


ALL: tuple[Trouble, ...] = (
    the_operator_is_killed,
    a_pod_is_deleted,
    the_api_is_down,
    the_database_is_restarted,
    the_secret_is_deleted,
    the_status_is_wiped,
)
