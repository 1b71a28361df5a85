"""Reconcile state: what the operator remembers of each Compilation to send fewer requests.

The values are frozen and replaced. All of them may be lost at any time: the next reconcile requests
them again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

from clipmill.protocol import ActiveCompilation, Plan, Stage, StageKey
from clipmill_operator.reconciling.actions import PlanResponse
from clipmill_operator.reconciling.events import Event
from clipmill_operator.reconciling.status import PROGRESS_STEP
from clipmill_operator.watching.observed import Children


@dataclass(frozen=True, slots=True)
class ApiState:
    """What the API knows of a Compilation, and when it was last asked."""

    # The registered generation; 0 if the next request has to register one.
    registered: int = 0
    # The key that came with the registration, until a Job uses it.
    stage_key: StageKey | None = field(default=None, repr=False)
    requested_at: float = 0.0
    # Start of the current outage.
    outage_since: float | None = None


@dataclass(frozen=True, slots=True)
class LastReconcile:
    """Result of the last complete reconcile."""

    status: Mapping[str, Any] = field(default_factory=dict)
    # The generation that needs no further reconcile; 0 for none.
    settled_generation: int = 0
    # The Jobs and pods by which nothing was left to do, for as long as the plan is the same.
    children: Children | None = None


@dataclass(frozen=True, slots=True)
class DeferredStatus:
    """A status write that follows the creation of a Job, in a reconcile of its own."""

    response: PlanResponse | None
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class ReconcileState:
    """State of one Compilation between reconciles."""

    api: ApiState = ApiState()
    last: LastReconcile = LastReconcile()
    # Progress in the API at the last reconcile; empty for a revision that is not active.
    progress: str = ""
    deferred: DeferredStatus | None = None
    # When the Secret of a Job was replaced, by the Job's uid.
    secrets_replaced_at: Mapping[str, float] = field(default_factory=dict)


class ReconcileCache:
    """Reconcile states by uid. Safe for use by several threads."""

    def __init__(self) -> None:
        # When the progress of all Compilations in the API was last compared.
        self.compared_at = float("-inf")
        self._states: dict[str, ReconcileState] = {}
        self._lock = Lock()

    def get(self, uid: str) -> ReconcileState:
        """Return the state of a Compilation."""
        with self._lock:
            return self._states.get(uid, ReconcileState())

    def update(self, uid: str, **changes: Any) -> None:
        """Replace fields of a ReconcileState."""
        with self._lock:
            self._states[uid] = replace(self._states.get(uid, ReconcileState()), **changes)

    def update_api(self, uid: str, **changes: Any) -> None:
        """Replace fields of the ApiState."""
        with self._lock:
            state = self._states.get(uid, ReconcileState())
            self._states[uid] = replace(state, api=replace(state.api, **changes))

    def invalidate_registration(self, uid: str) -> None:
        """Let the next reconcile register the spec, even if its generation is the same."""
        self.update_api(uid, registered=0)

    def take_stage_key(self, uid: str, generation: int, stage: Stage) -> str | None:
        """Return the key that came with the registration, once, if it is for this stage."""
        with self._lock:
            state = self._states.get(uid, ReconcileState())
            key = state.api.stage_key
            if key is None or (key.generation, key.stage) != (generation, stage):
                return None
            self._states[uid] = replace(state, api=replace(state.api, stage_key=None))
            return key.key

    def take_deferred_response(self, uid: str, generation: int) -> PlanResponse | None:
        """Return the response of a deferred status write, once, if the spec is still the same."""
        with self._lock:
            state = self._states.get(uid, ReconcileState())
            deferred = state.deferred
            if deferred is None or deferred.response is None:
                return None
            self._states[uid] = replace(state, deferred=replace(deferred, response=None))
            return deferred.response if state.api.registered == generation else None

    def record_children(self, uid: str, children: Children) -> None:
        """Record by which Jobs and pods nothing was left to do."""
        with self._lock:
            state = self._states.get(uid, ReconcileState())
            last = replace(state.last, children=children)
            self._states[uid] = replace(state, last=last)

    def take_changed(
        self, active: Iterable[ActiveCompilation], *, at: float, is_complete: bool = True
    ) -> set[str]:
        """Return the Compilations whose progress in the API is not that of the last reconcile.

        The next reconcile of each requests its plan.

        Args:
            active: Active Compilations of the API.
            at: When they were requested.
            is_complete: Whether those are all. Otherwise the others may have ended or not.
        """
        progress = {compilation.uid: progress_of(compilation) for compilation in active}
        with self._lock:
            changed = {
                uid
                for uid, state in self._states.items()
                if (uid in progress or is_complete) and state.progress != progress.get(uid, "")
            }
            for uid in changed:
                state = self._states[uid]
                self._states[uid] = replace(state, last=replace(state.last, children=None))
            self.compared_at = at
        return changed

    def forget(self, uid: str) -> None:
        """Forget a deleted Compilation."""
        with self._lock:
            self._states.pop(uid, None)


def progress_of(revision: ActiveCompilation | Plan) -> str:
    """Return a text that changes whenever the status of a revision changes."""
    clips = "".join(clip.state.value[0] for clip in revision.clips)
    step = revision.percent // PROGRESS_STEP
    progress = f"{revision.generation} {revision.state} {step} {clips}"
    if delivery := revision.delivery:
        progress += f" {delivery.state} {delivery.delivered} {bool(delivery.message)}"
    return progress
