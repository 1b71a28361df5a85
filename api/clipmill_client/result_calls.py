"""Calls about the results of compilations."""

from __future__ import annotations

from clipmill.protocol import Account, ResultRetention
from clipmill_client.api_connection import ApiConnection
from clipmill_client.errors import PermanentError


class ResultCalls:
    """Deletion of compilations and their outputs, and how many are kept."""

    def __init__(self, connection: ApiConnection) -> None:
        self._connection = connection

    def keep_newest(self, count: int | None) -> Account:
        """Keep so many results, the newest ones; None keeps all."""
        path, body = "/api/retention", ResultRetention(newest=count)
        return self._connection.request_as(Account, "PUT", path, body=body)

    def delete(self, compilation_id: str) -> None:
        """Delete a compilation with its videos and its resource; an active one is cancelled.

        Raises:
            PermanentError: NotFound, or InUse while an active compilation plays a video of it.
        """
        self._delete(f"/api/compilations/{compilation_id}", permanent=True)

    def delete_output(self, compilation_id: str, name: str) -> None:
        """Delete the videos and companion files of an output; the record of it stays.

        Raises:
            PermanentError: NotFound, or InUse while an active compilation plays the video.
        """
        self._delete(f"/api/compilations/{compilation_id}/outputs/{name}")

    def _delete(self, path: str, **params: bool) -> None:
        """Send a deletion, which may find that an attempt without a response did it."""
        attempts = 0

        def delete() -> None:
            nonlocal attempts
            attempts += 1
            try:
                self._connection.request_once("DELETE", path, params=params)
            except PermanentError as error:
                if attempts == 1 or error.code != "NotFound":
                    raise

        self._connection.retry(delete)
