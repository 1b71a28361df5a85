"""The isolation gate: no foreign byte is touched before the network keeps this pod apart.

The canary is a place that pods of every namespace reach unless a policy forbids it, and that the
policies of job pods forbid: in a cluster, the API server. Some networks enforce policies seconds
after a pod's start, and some never.
"""

from __future__ import annotations

import socket
import time

from clipmill_job.errors import GiveUp

Place = tuple[str, int]
PATIENCE_S = 30.0
"""How long a policy may take to come into force."""
TRY_S = 1.2
"""A lost first packet of a connection is sent again after 1 s."""


def wait_until_closed(canary: Place, *, wait_s: float, pause_s: float = 1) -> None:
    """Return once the canary is out of reach. Raises GiveUp when it stays in reach."""
    until = time.monotonic() + wait_s
    while _reached(canary):
        if time.monotonic() >= until:
            where = f"{canary[0]}:{canary[1]}"
            raise GiveUp(
                "NotIsolated",
                f"{where} is in reach {wait_s:g} s after the start, which the NetworkPolicies of"
                " job pods forbid: this cluster's network does not enforce them",
            )
        time.sleep(pause_s)


def _reached(canary: Place) -> bool:
    try:
        socket.create_connection(canary, timeout=TRY_S).close()
    except OSError:
        return False
    return True
