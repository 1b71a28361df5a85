"""Check that a NetworkPolicy isolates this pod, before any media is opened.

An assignment names canaries, host:port, which the pod must not reach. The API has answered by name
when this runs, so DNS and network work: a canary that can be reached means that no policy is in
force, or not yet.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from clipmill_job.errors import NotIsolatedError

# Network plugins put a policy in force up to this long after the pod has started.
POLICY_DELAY_S = 20.0
RETRY_S = 1.0
# Within a cluster a connection takes a few milliseconds; a policy drops its packets silently.
CONNECT_TIMEOUT_S = 0.5
IsReachable = Callable[[str], bool]


def is_reachable(canary: str) -> bool:
    """Return whether a TCP connection to host:port is accepted."""
    host, _, port = canary.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=CONNECT_TIMEOUT_S).close()
    except OSError:
        return False
    return True


def wait_until_isolated(
    canaries: Sequence[str],
    *,
    is_reachable: IsReachable = is_reachable,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Return once no canary can be reached.

    Raises:
        NotIsolatedError: A canary can still be reached after POLICY_DELAY_S.
    """
    until = clock() + POLICY_DELAY_S
    while reached := _reached(canaries, is_reachable):
        if clock() >= until:
            raise NotIsolatedError(
                f"this pod can reach {', '.join(reached)} after {POLICY_DELAY_S:.0f} s: "
                "the cluster's network does not enforce NetworkPolicy; no media was opened"
            )
        sleep(RETRY_S)


def _reached(canaries: Sequence[str], is_reachable: IsReachable) -> list[str]:
    if not canaries:
        return []
    with ThreadPoolExecutor(len(canaries)) as pool:
        results = list(pool.map(is_reachable, canaries))
    return [canary for canary, reachable in zip(canaries, results, strict=True) if reachable]
