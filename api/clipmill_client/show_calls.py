"""Calls of a user about shows and episodes."""

from __future__ import annotations

from datetime import datetime

from clipmill.protocol import CompilationView
from clipmill.shows.show_messages import EpisodeReport, EpisodeView, NewShow, ShowView
from clipmill.shows.show_spec import ShowSpec
from clipmill_client.api_connection import ApiConnection

ROOT = "/api/shows"


class ShowCalls:
    """Calls with a user's key: shows, their episodes, and the approval of drafts."""

    def __init__(self, connection: ApiConnection) -> None:
        self._connection = connection

    def create(self, name: str, spec: ShowSpec) -> ShowView:
        """Create a show; the same name and spec again return the same show."""
        body = NewShow(name=name, spec=spec)
        return self._connection.request_as(ShowView, "POST", ROOT, body=body)

    def all(self) -> list[ShowView]:
        """Return the shows, by name; those of resources too."""
        return self._connection.request_as(list[ShowView], "GET", ROOT)

    def get(self, show_id: str) -> ShowView:
        """Return a show and its state."""
        return self._connection.request_as(ShowView, "GET", f"{ROOT}/{show_id}")

    def edit(self, show_id: str, spec: ShowSpec) -> ShowView:
        """Replace the spec of a show that the API created; the same spec changes nothing."""
        path = f"{ROOT}/{show_id}/spec"
        return self._connection.request_as(ShowView, "PUT", path, body=spec)

    def delete(self, show_id: str) -> None:
        """Delete a show that the API created, and cancel its episodes."""
        self._connection.request("DELETE", f"{ROOT}/{show_id}")

    def run(self, show_id: str) -> EpisodeView:
        """Start an episode at once; requests within one minute start one episode."""
        return self._connection.request_as(EpisodeView, "POST", f"{ROOT}/{show_id}/run")

    def preview(self, show_id: str) -> EpisodeView:
        """Start an episode that ends once its clips are selected; see its report."""
        return self._connection.request_as(EpisodeView, "POST", f"{ROOT}/{show_id}/preview")

    def episodes(
        self, show_id: str, *, before: datetime | None = None, limit: int = 50
    ) -> list[EpisodeView]:
        """Return episodes of a show, newest first.

        Args:
            show_id: The show.
            before: Only those scheduled before this time.
            limit: Number of episodes to return at most.
        """
        params = {"limit": limit} | ({"before": before.isoformat()} if before else {})
        path = f"{ROOT}/{show_id}/episodes"
        return self._connection.request_as(list[EpisodeView], "GET", path, params=params)

    def episode(self, episode_id: str) -> EpisodeReport:
        """Return an episode with what its sources offered, and why it was not taken."""
        return self._connection.request_as(EpisodeReport, "GET", f"/api/episodes/{episode_id}")

    def approve(self, compilation_id: str) -> CompilationView:
        """Render a draft in full quality; one that is final does not change."""
        path = f"/api/compilations/{compilation_id}/approve"
        return self._connection.request_as(CompilationView, "POST", path)
