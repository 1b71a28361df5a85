"""What the operator remembers of shows to send fewer requests. It may be lost at any time."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock

from clipmill.shows.show_messages import ShowView
from clipmill_operator.reconciling.actions import SpecRefusal


class ShowMemory:
    """Views of the API, and refusals, by the uid of the Show. Safe for use by several threads."""

    def __init__(self) -> None:
        # False until the API has listed all shows: before that, nothing is registered.
        self.is_complete = False
        self._views: dict[str, ShowView] = {}
        self._refusals: dict[str, tuple[int, SpecRefusal]] = {}
        self._lock = Lock()

    def view(self, uid: str) -> ShowView | None:
        """Return the newest view of a Show, or None if the API has none."""
        with self._lock:
            return self._views.get(uid)

    def uids(self) -> set[str]:
        """Return the Shows that the API has."""
        with self._lock:
            return set(self._views)

    def store(self, uid: str, view: ShowView) -> None:
        """Remember the view that a registration has returned."""
        with self._lock:
            self._views[uid] = view
            self._refusals.pop(uid, None)

    def store_changed(self, views: Iterable[ShowView], *, are_all: bool) -> set[str]:
        """Remember views that a tick has returned. Return the uids of their Shows.

        Args:
            views: Those that changed, or all of them.
            are_all: Forget every other show, and every refusal.
        """
        changed = {view.uid: view for view in views if view.uid}
        with self._lock:
            if are_all:
                self._views, self._refusals, self.is_complete = {}, {}, True
            self._views |= changed
        return set(changed)

    def refusal(self, uid: str, generation: int) -> SpecRefusal | None:
        """Return why the API refuses this generation, if it was asked."""
        with self._lock:
            refused, refusal = self._refusals.get(uid, (0, None))
            return refusal if refused == generation else None

    def refuse(self, uid: str, generation: int, refusal: SpecRefusal) -> None:
        """Remember a refusal, so that the same generation is not sent again and again."""
        with self._lock:
            self._refusals[uid] = (generation, refusal)

    def forget(self, uid: str) -> None:
        """Forget a deleted Show."""
        with self._lock:
            self._views.pop(uid, None)
            self._refusals.pop(uid, None)
