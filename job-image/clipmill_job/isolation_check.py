"""The isolation gate: no media is opened in a pod that reaches what it must not.

The order names canaries, host:port. The API has answered by name when this runs, so the network
stands: a canary that answers too means that no policy is in force, or not yet. So it waits.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from clipmill_job.errors import NotIsolated

PATIENCE_S = 20.0
"""How late a network may put its policies in force."""
AGAIN_S = 1.0
TIMEOUT_S = 0.5
"""Within a cluster a connection is made in a few milliseconds; a policy drops it silently."""
Answers = Callable[[str], bool]


def answers(canary: str) -> bool:
    """Whether a TCP connection to host:port is made."""
    host, _, port = canary.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=TIMEOUT_S).close()
    except OSError:
        return False
    return True


def hold(
    canaries: Sequence[str],
    *,
    answers: Answers = answers,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Return once no canary answers. Raises NotIsolated when one still does after PATIENCE_S."""
    until = clock() + PATIENCE_S
    while reached := _reached(canaries, answers):
        if clock() >= until:
            raise NotIsolated(
                f"this pod still reaches {', '.join(reached)} after {PATIENCE_S:.0f} s: "
                "the cluster's network enforces no NetworkPolicy on it; nothing was opened"
            )
        pause(AGAIN_S)


def _reached(canaries: Sequence[str], answers: Answers) -> list[str]:
    """Those that answer; all are tried at once."""
    if not canaries:
        return []
    with ThreadPoolExecutor(len(canaries)) as pool:
        found = list(pool.map(answers, canaries))
    return [canary for canary, good in zip(canaries, found, strict=True) if good]
