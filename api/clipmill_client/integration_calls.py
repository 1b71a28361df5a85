"""Calls for the credentials of the caller."""

from __future__ import annotations

from clipmill.protocol.integrations.credential_models import Credential, CredentialView
from clipmill_client.api_connection import ApiConnection


class CredentialCalls:
    """Calls for credentials: values are sent, and never returned."""

    def __init__(self, connection: ApiConnection) -> None:
        self._connection = connection

    def list(self) -> list[CredentialView]:
        """Return names, kinds, hosts and last use."""
        return self._connection.request_as(list[CredentialView], "GET", "/api/credentials")

    def put(self, name: str, credential: Credential) -> CredentialView:
        """Create or replace a credential."""
        path = f"/api/credentials/{name}"
        return self._connection.request_as(CredentialView, "PUT", path, body=credential)

    def delete(self, name: str) -> None:
        """Delete a credential."""
        self._connection.request("DELETE", f"/api/credentials/{name}")
