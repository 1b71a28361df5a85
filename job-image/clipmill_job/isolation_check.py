"""Check that a NetworkPolicy isolates this pod, before any media is opened.

An assignment names canaries, host:port, which the pod must not reach. The API has answered by name
when this runs, so DNS and network work: a canary that can be reached means that no policy is in
force, or not yet, and a canary whose name does not resolve is a mistake in the API's settings.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum

from clipmill_job.errors import CanaryUnresolvedError, NotIsolatedError

# Network plugins put a policy in force up to this long after the pod has started.
POLICY_DELAY_S = 20.0
RETRY_S = 1.0
# Within a cluster a connection takes a few milliseconds; a policy drops its packets silently.
CONNECT_TIMEOUT_S = 0.5


class Reach(StrEnum):
    """The result of one attempt to connect."""

    REACHED = "reached"
    CLOSED = "closed"
    UNRESOLVED = "unresolved"


TryCanary = Callable[[str], Reach]


def try_address(address: str) -> Reach:
    """Return whether a TCP connection to host:port is accepted."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_TIMEOUT_S).close()
    except socket.gaierror:
        return Reach.UNRESOLVED
    except OSError:
        return Reach.CLOSED
    return Reach.REACHED


def wait_until_isolated(
    canaries: Sequence[str],
    *,
    try_canary: TryCanary = try_address,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Return once no canary can be reached, and the name of each resolves.

    Raises:
        NotIsolatedError: A canary can still be reached after POLICY_DELAY_S.
        CanaryUnresolvedError: The name of a canary does not resolve for that long.
    """
    until = clock() + POLICY_DELAY_S
    while open_canaries := _not_closed(canaries, try_canary):
        if clock() >= until:
            raise _failure(open_canaries)
        sleep(RETRY_S)


class IsolationCheck:
    """Checks the isolation of this pod once for each canary that its tasks name."""

    def __init__(self) -> None:
        self._closed: set[str] = set()

    def wait(self, canaries: Sequence[str]) -> None:
        """Return once none of them can be reached. Raise as `wait_until_isolated` does."""
        wait_until_isolated([canary for canary in canaries if canary not in self._closed])
        self._closed.update(canaries)


def _failure(open_canaries: dict[str, Reach]) -> NotIsolatedError:
    reached = [canary for canary, reach in open_canaries.items() if reach is Reach.REACHED]
    if reached:
        return NotIsolatedError(
            f"this pod can reach {', '.join(reached)} after {POLICY_DELAY_S:.0f} s: "
            "the cluster's network does not enforce NetworkPolicy; no media was opened"
        )
    return CanaryUnresolvedError(
        f"{', '.join(open_canaries)} in CLIPMILL_CANARIES does not resolve: the isolation of this "
        "pod cannot be checked; correct the address in the API's settings; no media was opened"
    )


def _not_closed(canaries: Sequence[str], try_canary: TryCanary) -> dict[str, Reach]:
    if not canaries:
        return {}
    with ThreadPoolExecutor(len(canaries)) as pool:
        results = dict(zip(canaries, pool.map(try_canary, canaries), strict=True))
    return {canary: reach for canary, reach in results.items() if reach is not Reach.CLOSED}
