"""Calls of the operator about shows."""

from __future__ import annotations

from clipmill.protocol import KeyReply
from clipmill.shows.show_messages import FailedDiscovery, ShowRegistration, ShowTick, ShowView
from clipmill_client.api_connection import ApiConnection

ROOT = "/api/operator"


class ShowOperatorCalls:
    """Calls with the operator's key: registrations of shows, and their episodes."""

    def __init__(self, connection: ApiConnection) -> None:
        self._connection = connection

    def register(self, uid: str, registration: ShowRegistration) -> ShowView:
        """Register a generation of a Show resource; registering it again changes nothing.

        Raises:
            PermanentError: The spec is refused; `code` and `detail` say why.
        """
        path = f"{ROOT}/shows/{uid}"
        return self._connection.request_as(ShowView, "PUT", path, body=registration)

    def delete(self, uid: str) -> None:
        """Report a deleted Show resource; its episodes end with their own resources."""
        self._connection.request("DELETE", f"{ROOT}/shows/{uid}")

    def tick(self, cursor: int) -> ShowTick:
        """Let the API start and end episodes that are due.

        Args:
            cursor: The one of the last reply; 0 returns every show.
        """
        path, params = f"{ROOT}/shows/tick", {"cursor": cursor}
        return self._connection.request_as(ShowTick, "POST", path, params=params)

    def create_key(self, episode_id: str) -> str:
        """Create a key for the discover pod of an episode; it replaces an earlier one."""
        path = f"{ROOT}/episodes/{episode_id}/key"
        return self._connection.request_as(KeyReply, "POST", path).key

    def report_failed(self, episode_id: str, failure: FailedDiscovery) -> None:
        """Report a discover pod that Kubernetes retries no more."""
        path = f"{ROOT}/episodes/{episode_id}/failed"
        self._connection.request("POST", path, body=failure)
