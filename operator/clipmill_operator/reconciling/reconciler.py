"""One look at one resource: observe, ask the API, decide, act. May be cut off and repeated.

What is seen of the cluster is read before the API is asked: so the plan is never older than the
end of a Job that a decision rests on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from enum import Enum

from clipmill.protocol import Stage
from clipmill_client.errors import PermanentError
from clipmill_client.privileged_calls import OperatorCalls
from clipmill_operator import metrics
from clipmill_operator.building import builders
from clipmill_operator.building.builders import Named
from clipmill_operator.building.resource import API_VERSION, KIND, Status
from clipmill_operator.kube import JOB, SECRET, Kube, KubeRefused, KubeRetry
from clipmill_operator.reconciling import events, status
from clipmill_operator.reconciling.api_requests import Again, Asking
from clipmill_operator.reconciling.decide import (
    Action,
    Answer,
    Decision,
    Drop,
    Rekey,
    Report,
    Start,
    decide,
)
from clipmill_operator.reconciling.network_policies import Isolation
from clipmill_operator.reconciling.observed import Children, Wish
from clipmill_operator.reconciling.reconcile_state import Standing, Standings, is_over, mark_of
from clipmill_operator.settings import Settings
from clipmill_operator.watching.namespace_owners import Namespaces
from clipmill_operator.watching.object_cache import Cache, Key

log = logging.getLogger(__name__)
REKEY_S = 60.0
"""A node takes up to a minute to see a Secret that was missing."""
REFUSED_AGAIN_S = 300.0
"""A refused resource is asked for again this often: a quota may have been raised."""
Clock = Callable[[], float]
Now = Callable[[], datetime]


class Next(Enum):
    """What is to come after a look."""

    NOTHING = "nothing"
    LOOK = "look"
    TELL = "tell"


class Reconciler:
    """Looks at resources, one call each. Raises KubeError, ClientError and Again: try later."""

    def __init__(
        self,
        kube: Kube,
        api: OperatorCalls,
        cache: Cache,
        settings: Settings,
        *,
        clock: Clock,
        now: Now,
    ) -> None:
        self._kube, self._api, self._cache, self._settings = kube, api, cache, settings
        self._clock, self._now = clock, now
        self.namespaces = Namespaces(kube, clock)
        self.isolation = Isolation(kube, settings)
        self._ask = Asking(api, self.namespaces, settings, clock)
        self.standings = Standings(
            most=settings.max_active, most_of_owner=settings.max_active_per_owner
        )

    def __call__(self, key: Key) -> Next:
        """What to do next: something was done that changes the answer, or is still to be told."""
        wish = self._cache.wishes.get(key)
        if wish is None or wish.leaving:
            return Next.NOTHING
        seen = self._cache.children(wish)
        known = self.standings.of(wish.uid)
        if self._is_settled(wish, seen, known):
            return Next.NOTHING
        answer = known.take_answer(wish.generation) or self._ask(wish, known)
        decision = decide(
            wish,
            seen,
            answer,
            may_start=self.standings.may_start(wish, answer, seen),
            render_from=self._settings.render_from_segments,
            now=self._iso(),
        )
        decision = self._patient(decision, known)
        self._act(wish, answer, decision)
        if not answer.trouble:
            known.mark = mark_of(answer.plan) if answer.plan and not is_over(answer.plan) else ""
        if _only_starts(decision):
            # Jobs first: the status and the story wait until no other resource lacks its own.
            known.answer, known.untold = answer, events.of_actions(decision.actions)
            return Next.TELL
        self._tell(wish, decision, known)
        if decision.status is not None:
            self._write(wish, decision.status)
        self._remember(wish, answer, decision, known)
        reported = any(isinstance(action, Report) for action in decision.actions)
        return Next.LOOK if reported else Next.NOTHING

    def gone(self, uid: str) -> None:
        """A resource was deleted: the API ends what runs. A repeat is harmless."""
        self._api.gone(uid)
        self.standings.forget(uid)

    def told_anew(self, uid: str) -> None:
        """The resource is to be registered again, though its generation may be the same."""
        self.standings.of(uid).registered = 0

    def _is_settled(self, wish: Wish, seen: Children, known: Standing) -> bool:
        """Whether a look could change nothing, so that the API need not be asked."""
        if known.status != wish.status:
            return False
        if known.settled == wish.generation:
            return all(job.end for job in seen.jobs)
        if self._clock() - known.asked_at < REFUSED_AGAIN_S and _is_refused(wish):
            return known.registered == 0 and not seen.jobs
        return known.registered == wish.generation and self.standings.is_waiting(wish.uid)

    def _patient(self, decision: Decision, known: Standing) -> Decision:
        """Without keys for Jobs that got one just now: their pods are still to find it."""
        now = self._clock()
        actions = []
        for action in decision.actions:
            if isinstance(action, Rekey):
                if now - known.rekeyed_at.get(action.job.uid, float("-inf")) < REKEY_S:
                    continue
                known.rekeyed_at[action.job.uid] = now
            actions.append(action)
        return replace(decision, actions=tuple(actions))

    # --- act ----------------------------------------------------------------------------------

    def _act(self, wish: Wish, answer: Answer, decision: Decision) -> None:
        try:
            for action in decision.actions:
                self._do(wish, answer, action)
        except KubeRefused as error:
            self._write(wish, status.not_applied(wish, decision.status, str(error)))
            raise

    def _tell(self, wish: Wish, decision: Decision, known: Standing) -> None:
        """The story is told if it may be: nothing hangs on it."""
        told = [*known.untold, *events.story(wish, decision)]
        for event in events.objects(wish, told, self._iso()):
            try:
                self._kube.create(event)
            except KubeRefused as error:
                log.warning("event key=%s/%s error=%s", wish.namespace, wish.name, error)
        known.untold = []

    def _iso(self) -> str:
        return self._now().strftime("%Y-%m-%dT%H:%M:%SZ")

    def _do(self, wish: Wish, answer: Answer, action: Action) -> None:
        log.info("act key=%s/%s action=%s", wish.namespace, wish.name, _shown(action))
        metrics.ACTIONS.labels(type(action).__name__).inc()
        match action:
            case Start():
                self._start(wish, answer, action)
            case Rekey(job):
                self._give_key(_named(wish, answer), Stage(job.stage), job.uid)
            case Drop(job):
                self._kube.delete(JOB, job.namespace, job.name, job.uid)
                self._cache.jobs.lose((job.namespace, job.name), job.uid)
            case Report(tasks):
                self._api.failed(wish.uid, tasks)

    def _start(self, wish: Wish, answer: Answer, start: Start) -> None:
        """Make a Job, then its Secret. One that is there already keeps its key."""
        of, stage = _named(wish, answer), start.stage
        self.isolation.ensure(of.namespace)
        job = self._kube.create(builders.job(of, stage, start.tasks, self._settings))
        if job is None:
            found = self._kube.get(JOB, of.namespace, of.child(stage))
            if found is not None:
                self._cache.jobs.see(found)
            raise Again(f"Job {of.child(stage)} is there already")
        self._cache.jobs.see(job)
        given = self.standings.of(wish.uid).take_key(of.generation, stage)
        key = given or self._mint(of, stage)
        self._put_secret(of, stage, job["metadata"]["uid"], key)

    def _give_key(self, of: Named, stage: Stage, job_uid: str) -> None:
        self._put_secret(of, stage, job_uid, self._mint(of, stage))

    def _mint(self, of: Named, stage: Stage) -> str:
        try:
            return self._api.mint(of.uid, stage, of.generation)
        except PermanentError as error:
            raise Again(f"no key for {of.child(stage)}: {error.detail}") from error

    def _put_secret(self, of: Named, stage: Stage, job_uid: str, key: str) -> None:
        """In place of an older one of that name: Secrets can be made and deleted, never read."""
        made = builders.secret(of, stage, job_uid, url=self._settings.pods_api_url, key=key)
        if self._kube.create(made) is None:
            self._kube.delete(SECRET, of.namespace, of.child(stage))
            if self._kube.create(made) is None:
                raise KubeRetry(f"Secret {of.child(stage)} comes back as often as it is deleted")

    def _write(self, wish: Wish, wanted: Status) -> None:
        if status.dumped(wanted) == wish.status:
            return
        metadata = {"name": wish.name, "namespace": wish.namespace, "uid": wish.uid}
        body = {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata}
        written = self._kube.apply(body | {"status": status.dumped(wanted)}, subresource="status")
        metrics.STATUS_WRITES.inc()
        if written is not None:
            self._cache.wishes.see(written)

    def _remember(self, wish: Wish, answer: Answer, decision: Decision, known: Standing) -> None:
        over = is_over(answer.plan) and not decision.actions
        known.settled = wish.generation if over else 0
        known.status = (
            status.dumped(decision.status) if decision.status is not None else wish.status
        )


def _only_starts(decision: Decision) -> bool:
    actions = decision.actions
    return bool(actions) and all(isinstance(action, Start) for action in actions)


def _named(wish: Wish, answer: Answer) -> Named:
    assert answer.plan is not None
    return Named(wish.namespace, wish.name, wish.uid, answer.plan.generation, answer.owner)


def _is_refused(wish: Wish) -> bool:
    is_of_now = wish.status.get("observedGeneration") == wish.generation
    return is_of_now and wish.status.get("phase") == status.REFUSED


def _shown(action: Action) -> str:
    match action:
        case Start(stage, tasks):
            return f"Start {stage.value} tasks={tasks}"
        case Report(tasks):
            return f"Report {tasks.stage.value} indexes={tasks.indexes}"
        case Rekey(job) | Drop(job):
            return f"{type(action).__name__} {job.name}"
