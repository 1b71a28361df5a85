"""The API that the import writes to: administrator calls, and uploads in the name of users."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

from clipmill.protocol import Media
from clipmill_client import watching
from clipmill_client.client import Client
from clipmill_client.errors import ClientError
from clipmill_client.privileged_calls import AdminCalls

# The key of a user is revoked after the uploads; if the import is killed, it ends by itself.
KEY_LIFETIME_S = 86_400


class ImportTarget:
    """An API with its administrator's key.

    Args:
        admin: Calls with the administrator's key.
        client_of: Function that returns a client with another key.
        dry_run: Whether nothing is written.
    """

    def __init__(
        self, admin: AdminCalls, client_of: Callable[[str], Client], *, dry_run: bool
    ) -> None:
        self.admin = admin
        self.dry_run = dry_run
        self._client_of = client_of

    def library(self, user: str) -> list[Media]:
        """Return the whole media library of an existing user."""
        return watching.read_pages(partial(self.admin.media, user), sys.maxsize)

    @contextmanager
    def uploads_of(self, user: str) -> Iterator[Client]:
        """Connect with a key of the user, which is revoked at the end."""
        key = self.admin.new_key(user, expires_in_s=KEY_LIFETIME_S)
        try:
            with self._client_of(key.key) as client:
                yield client
        finally:
            with suppress(ClientError):
                self.admin.revoke_key(user, key.id)
