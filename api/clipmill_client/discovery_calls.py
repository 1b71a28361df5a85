"""Calls of a discover task."""

from __future__ import annotations

from clipmill.protocol import Heartbeat, HeartbeatReply
from clipmill.shows.candidates import DiscoverAssignment, DiscoverClaim, DiscoverResult
from clipmill_client.api_connection import BYTES_TIMEOUT, ApiConnection

ROOT = "/api/jobs/discovery"


class DiscoveryCalls:
    """Calls with the key of an episode, and with the key of the task once it is claimed."""

    def __init__(self, connection: ApiConnection, key: str) -> None:
        self._connection = connection
        self._key = key

    def claim(self, holder: str) -> DiscoverAssignment:
        """Claim the task under a lease and return its assignment.

        All calls from then on but another claim send the key of this task.

        Args:
            holder: Name of this process; a repeated claim by it renews the lease.
        """
        body, headers = DiscoverClaim(holder=holder), {"Authorization": f"Bearer {self._key}"}
        assignment = self._connection.request_as(
            DiscoverAssignment, "POST", f"{ROOT}/claim", body=body, headers=headers
        )
        self._connection.use_key(assignment.key or self._key)
        return assignment

    def heartbeat(self, heartbeat: Heartbeat) -> HeartbeatReply:
        """Renew the lease, report progress and log lines; the reply says whether to go on."""
        path = f"{ROOT}/heartbeat"
        return self._connection.request_as(HeartbeatReply, "POST", path, body=heartbeat)

    def result(self, result: DiscoverResult) -> None:
        """Report the candidates, or the failure. Repeating it changes nothing."""
        path = f"{ROOT}/result"
        self._connection.request("PUT", path, body=result, timeout=BYTES_TIMEOUT)
