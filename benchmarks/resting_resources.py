"""Many Compilations at rest: all have ended, and nothing happens any more."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from benchmarks.object_watch import await_condition
from benchmarks.operator_figures import USUAL, at_rest, memory_mib
from clipmill.protocol import MediaKind
from controlplane import ControlPlane
from harness import SMALL, Harness
from manifests import manifest
from operating import Cluster, until
from rights import grant

NAMESPACE = "resting"
WITHIN_S = 1500
# The last statuses come back by the watch, and a resync takes note of them.
CALM_S = 40


def rest(
    plane: ControlPlane, api: Harness, folder: Path, count: int, seconds: float
) -> dict[str, Any]:
    """Create all at once, wait for their end, and measure the rest. Raises AssertionError.

    Their only clip is a broken file of the library: each fails when it is registered, without a
    Job, and is as terminal in the API and in its status as one that has been rendered.
    """
    plane.kubectl("create", "namespace", NAMESPACE)
    grant(plane, NAMESPACE)
    cluster = Cluster(plane, api, NAMESPACE, folder, more=USUAL)
    spec = {"clips": [{"mediaId": _broken_clip(api, folder)}], "outputs": [SMALL]}
    items = [manifest(spec, f"r{i}") for i in range(count)]
    resources = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    with cluster.operator() as process:
        until("it serves", cluster.serves)
        empty = memory_mib(process.pid)
        started = time.monotonic()
        plane.kubectl("create", "-n", NAMESPACE, "-f", "-", given=resources)
        ended = await_condition(plane.url, NAMESPACE, "Failed", count=count, within_s=WITHIN_S)
        assert ended == count, f"{count - ended} of {count} have not ended"
        figures = {
            "resting": count,
            "all_ended_s": round(time.monotonic() - started, 1),
            "operator_mib_without": round(empty),
        }
        time.sleep(CALM_S)
        return figures | at_rest(cluster, process.pid, seconds)


def _broken_clip(api: Harness, folder: Path) -> str:
    path = folder / "broken.mp4"
    path.write_bytes(b"no video" * 100)
    owner = api.client(api.settings.default_owner_key)
    return owner.upload_media(path, MediaKind.CLIP, keep_broken=True).id
