"""Calls about the results of compilations."""

from __future__ import annotations

from collections.abc import Iterator

from clipmill.protocol import (
    Account,
    CompilationView,
    DeletedCompilation,
    ResultRetention,
    ShareLink,
    ShareRequest,
)
from clipmill_client.api_connection import ApiConnection
from clipmill_client.errors import PermanentError


class ResultCalls:
    """Events of all compilations, links to outputs, deletion, and how many are kept."""

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

    def share(self, compilation_id: str, file: str, *, seconds: int = 3600) -> ShareLink:
        """Create a link to an output that needs no key until it expires, in 7 days at most."""
        path = f"/api/compilations/{compilation_id}/outputs/{file}/share"
        body = ShareRequest(expires_in_seconds=seconds)
        return self._connection.request_as(ShareLink, "POST", path, body=body)

    def links(self, compilation_id: str) -> list[ShareLink]:
        """Return the links to files of a compilation that still work, oldest first."""
        path = f"/api/compilations/{compilation_id}/links"
        return self._connection.request_as(list[ShareLink], "GET", path)

    def revoke_link(self, compilation_id: str, link_id: str) -> None:
        """End a link at once."""
        self._delete(f"/api/compilations/{compilation_id}/links/{link_id}")

    def events(
        self, last_event_id: str | None = None
    ) -> Iterator[tuple[str, CompilationView | DeletedCompilation]]:
        """Yield the id and the data of each event of all compilations, until the stream ends.

        Args:
            last_event_id: Id of the last event that was received, to resume from there.
        """
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        for event in self._connection.events("/api/events", headers):
            kind = DeletedCompilation if event.event == "deleted" else CompilationView
            yield event.id, kind.model_validate_json(event.data)

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
