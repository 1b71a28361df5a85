"""One look at one resource: observe, ask the API, decide, act. May be cut off and repeated.

What is seen of the cluster is read before the API is asked: so the plan is never older than the
end of a Job that a decision rests on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from pydantic import ValidationError

from clipmill.contract import CompilationSpec, Registration, Stage
from clipmill_client.client import OperatorCalls
from clipmill_client.errors import ClientError, PermanentError, RetryableError
from clipmill_operator import metrics, objects, status, story
from clipmill_operator.cache import Cache, Key
from clipmill_operator.decide import Action, Answer, Decision, Drop, Rekey, Report, Start, decide
from clipmill_operator.isolation import Isolation
from clipmill_operator.kube import JOB, SECRET, Kube, KubeRetry
from clipmill_operator.namespaces import Namespaces
from clipmill_operator.objects import Named
from clipmill_operator.observe import Children, Wish
from clipmill_operator.owners import WrongOwner, owner_of
from clipmill_operator.resource import API_VERSION, KIND
from clipmill_operator.settings import Settings
from clipmill_operator.standing import Standing, Standings, is_over
from clipmill_operator.status import Refusal

log = logging.getLogger(__name__)
TROUBLE_S = 30.0
"""An API that does not answer is told of after this."""
REFUSED_AGAIN_S = 300.0
"""A refused resource is asked for again this often: a quota may have been raised."""
STALE = frozenset({"StaleGeneration", "GenerationConflict", "Ended"})
"""Codes of an API that knows more than our watch."""
Clock = Callable[[], float]
Now = Callable[[], datetime]


class Again(Exception):
    """What was read is not the newest: look again soon."""


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
        self.standings = Standings(
            most=settings.max_active, most_of_owner=settings.max_active_per_owner
        )

    def __call__(self, key: Key) -> bool:
        """Whether to look again at once: something was done that changes the answer."""
        wish = self._cache.wishes.get(key)
        if wish is None:
            return False
        seen = self._cache.children(wish)
        known = self.standings.of(wish.uid)
        if self._is_settled(wish, seen, known):
            return False
        answer = self._ask(wish, known)
        decision = decide(
            wish,
            seen,
            answer,
            may_start=self.standings.may_start(wish, answer, seen),
            render_from=self._settings.render_from_pieces,
            now=self._iso(),
        )
        self._act(wish, answer, decision)
        self._remember(wish, answer, decision, known)
        return any(isinstance(action, Report) for action in decision.actions)

    def gone(self, uid: str) -> None:
        """A resource was deleted: the API ends what runs. A repeat is harmless."""
        self._api.gone(uid)
        self.standings.forget(uid)

    def told_anew(self, uid: str) -> None:
        """The resource is to be registered again, though its generation may be the same."""
        self.standings.of(uid).registered = 0

    # --- ask ----------------------------------------------------------------------------------

    def _is_settled(self, wish: Wish, seen: Children, known: Standing) -> bool:
        """Whether a look could change nothing, so that the API need not be asked."""
        if known.status != wish.status:
            return False
        if known.settled == wish.generation:
            return all(job.end for job in seen.jobs)
        if self._clock() - known.asked_at < REFUSED_AGAIN_S and _is_refused(wish):
            return known.registered == 0 and not seen.jobs
        return known.registered == wish.generation and self.standings.is_waiting(wish.uid)

    def _ask(self, wish: Wish, known: Standing) -> Answer:
        known.asked_at = self._clock()
        try:
            owner = self._owner(wish)
            answer = self._answer(wish, owner, known)
        except (WrongOwner, ValidationError) as error:
            return Answer(refusal=_refusal(error))
        except RetryableError as error:
            return self._trouble(known, error)
        except PermanentError as error:
            forgotten = error.status == 404 and known.registered
            if error.code in STALE or forgotten:
                known.registered = 0
                raise Again(error.detail) from error
            if error.status not in (403, 409, 422) or error.code == "Forbidden":
                return self._trouble(known, error)
            known.registered = 0
            answer = Answer(owner=owner, refusal=Refusal(error.code, error.detail))
        known.trouble_since = None
        return answer

    def _owner(self, wish: Wish) -> str:
        return owner_of(
            self._settings,
            label=self.namespaces.owner(wish.namespace),
            named=wish.spec.get("owner"),
            submission=wish.submission,
        )

    def _answer(self, wish: Wish, owner: str, known: Standing) -> Answer:
        if known.registered == wish.generation:
            return Answer(owner=owner, plan=self._api.plan(wish.uid))
        spec = CompilationSpec.model_validate(wish.spec)
        registration = Registration(
            namespace=wish.namespace,
            name=wish.name,
            generation=wish.generation,
            owner=owner,
            spec=spec,
            submission=wish.submission,
        )
        plan = self._api.register(wish.uid, registration)
        known.registered = wish.generation
        return Answer(owner=owner, plan=plan)

    def _trouble(self, known: Standing, error: ClientError) -> Answer:
        """Nothing for a while: a short outage leaves no trace. Then a word in the status."""
        since = known.trouble_since = known.trouble_since or self._clock()
        metrics.API_ERRORS.inc()
        if self._clock() - since < TROUBLE_S:
            raise error
        return Answer(trouble=f"the API: {error}")

    # --- act ----------------------------------------------------------------------------------

    def _act(self, wish: Wish, answer: Answer, decision: Decision) -> None:
        for action in decision.actions:
            self._do(wish, answer, action)
        for event in story.objects(wish, story.story(wish, decision), self._iso()):
            self._kube.create(event)
        if decision.status is not None:
            self._write(wish, decision)

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
            case Report(parts):
                self._api.failed(wish.uid, parts)

    def _start(self, wish: Wish, answer: Answer, start: Start) -> None:
        """Make a Job. The cluster is asked first: one that is there keeps its key."""
        of = _named(wish, answer)
        found = self._kube.get(JOB, of.namespace, of.child(start.stage))
        if found is not None:
            self._cache.jobs.see(found)
            raise Again(f"Job {of.child(start.stage)} is there already")
        self.isolation.ensure(of.namespace)
        key = self._mint(of, start.stage)
        job = self._kube.apply(objects.job(of, start.stage, start.parts, self._settings))
        assert job is not None
        self._cache.jobs.see(job)
        self._put_secret(of, start.stage, job["metadata"]["uid"], key)

    def _give_key(self, of: Named, stage: Stage, job_uid: str) -> None:
        self._put_secret(of, stage, job_uid, self._mint(of, stage))

    def _mint(self, of: Named, stage: Stage) -> str:
        try:
            return self._api.mint(of.uid, stage, of.generation)
        except PermanentError as error:
            raise Again(f"no key for {of.child(stage)}: {error.detail}") from error

    def _put_secret(self, of: Named, stage: Stage, job_uid: str, key: str) -> None:
        """In place of an older one of that name: Secrets can be made and deleted, never read."""
        made = objects.secret(of, stage, job_uid, url=self._settings.pods_api_url, key=key)
        if self._kube.create(made) is None:
            self._kube.delete(SECRET, of.namespace, of.child(stage))
            if self._kube.create(made) is None:
                raise KubeRetry(f"Secret {of.child(stage)} comes back as often as it is deleted")

    def _write(self, wish: Wish, decision: Decision) -> None:
        assert decision.status is not None
        metadata = {"name": wish.name, "namespace": wish.namespace, "uid": wish.uid}
        body = {"apiVersion": API_VERSION, "kind": KIND, "metadata": metadata}
        written = self._kube.apply(
            body | {"status": status.dumped(decision.status)}, subresource="status"
        )
        metrics.STATUS_WRITES.inc()
        if written is not None:
            self._cache.wishes.see(written)

    def _remember(self, wish: Wish, answer: Answer, decision: Decision, known: Standing) -> None:
        over = is_over(answer.plan) and not decision.actions
        known.settled = wish.generation if over else 0
        known.status = (
            status.dumped(decision.status) if decision.status is not None else wish.status
        )


def _named(wish: Wish, answer: Answer) -> Named:
    assert answer.plan is not None
    return Named(wish.namespace, wish.name, wish.uid, answer.plan.generation, answer.owner)


def _is_refused(wish: Wish) -> bool:
    is_of_now = wish.status.get("observedGeneration") == wish.generation
    return is_of_now and wish.status.get("phase") == status.REFUSED


def _refusal(error: WrongOwner | ValidationError) -> Refusal:
    if isinstance(error, WrongOwner):
        return Refusal("UnknownOwner", str(error))
    first = error.errors()[0]
    field = ".".join(str(step) for step in first["loc"])
    return Refusal("InvalidSpec", f"spec.{field}: {first['msg'].removeprefix('Value error, ')}")


def _shown(action: Action) -> str:
    match action:
        case Start(stage, parts):
            return f"Start {stage.value} parts={parts}"
        case Report(parts):
            return f"Report {parts.stage.value} indexes={parts.indexes}"
        case Rekey(job) | Drop(job):
            return f"{type(action).__name__} {job.name}"
