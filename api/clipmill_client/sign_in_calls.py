"""Calls for a link that signs a browser in."""

from __future__ import annotations

from clipmill.protocol import SignInLink
from clipmill_client.api_connection import ApiConnection


class SignInCalls:
    """Calls for a link to the dashboard that signs a browser in once."""

    def __init__(self, connection: ApiConnection) -> None:
        self._connection = connection

    def link(self) -> SignInLink:
        """Create the code of a link."""
        return self._connection.request_as(SignInLink, "POST", "/api/sign-in-links")

    def url(self) -> str:
        """Return the dashboard's address with a code, which is in no request and no log."""
        return f"{self._connection.url}/#sign-in={self.link().code}"
