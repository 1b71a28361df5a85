"""One reconcile of one Compilation. It can be interrupted at any point and repeated.

The cluster is observed before the API is asked, so that a plan is never older than the end of a
Job on which a decision rests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import Enum

from clipmill import fault_points
from clipmill_client.privileged_calls import OperatorCalls
from clipmill_operator.building.labels import RevisionRef
from clipmill_operator.building.resource import Phase, QueueSummary
from clipmill_operator.errors import PermanentKubeError
from clipmill_operator.kube_client import KubeClient
from clipmill_operator.queueing.admission_queue import AdmissionQueue
from clipmill_operator.queueing.fair_order import AdmissionLimits
from clipmill_operator.queueing.queue_labels import queue_labels
from clipmill_operator.queueing.queue_wait import QueueWait, own_wait
from clipmill_operator.reconciling import events
from clipmill_operator.reconciling.action_executor import ActionExecutor
from clipmill_operator.reconciling.actions import (
    SECRET_REPLACED_EVERY_S,
    Decision,
    PlanResponse,
    ReplaceSecret,
    ReportFailure,
    describe,
)
from clipmill_operator.reconciling.decide import decide
from clipmill_operator.reconciling.network_policies import NetworkPolicies
from clipmill_operator.reconciling.operator_spans import OperatorSpans
from clipmill_operator.reconciling.reconcile_cache import (
    DeferredStatus,
    LastReconcile,
    ReconcileCache,
    progress_of,
)
from clipmill_operator.reconciling.registrar import Registrar
from clipmill_operator.reconciling.status import not_applied_status
from clipmill_operator.reconciling.status_writer import StatusWriter
from clipmill_operator.settings import Settings
from clipmill_operator.watching.namespace_owners import NamespaceOwners
from clipmill_operator.watching.object_cache import ClusterCache
from clipmill_operator.watching.observed import Children, Key, ObservedCompilation

# A refused spec is registered again at this interval: a quota may have been raised.
REFUSED_RETRY_S = 300.0
# A plan is requested again after this time, even if nothing has reported a change.
PLAN_AGE_S = 60.0
# Without so many polls of the API in a row it is not known whether plans have changed.
MISSED_POLLS = 5


class ReconcileResult(Enum):
    """What has to follow a reconcile."""

    DONE = "done"
    # A report to the API has changed the plan.
    REQUEUE = "requeue"
    # A Job was created; its events and the status are still to be written.
    STATUS_DEFERRED = "status deferred"


class Reconciler:
    """Reconciles Compilations. Safe for several threads, each with another Compilation."""

    def __init__(
        self,
        kube: KubeClient,
        api: OperatorCalls,
        cache: ClusterCache,
        settings: Settings,
        *,
        clock: Callable[[], float],
        spans: OperatorSpans,
    ) -> None:
        self._api, self._cache, self._settings = api, cache, settings
        self._clock, self._now, self._spans = clock, spans.now, spans
        self.states = ReconcileCache()
        limits = AdmissionLimits(settings.max_active, settings.max_active_per_owner)
        self.admissions = AdmissionQueue(limits, clock)
        self.namespaces = NamespaceOwners(kube, clock)
        self.network_policies = NetworkPolicies(kube, settings)
        self._registrar = Registrar(api, self.namespaces, self.states, settings, clock, self._spans)
        self._executor = ActionExecutor(
            kube, api, cache, self.states, self.network_policies, settings
        )
        self._writer = StatusWriter(kube, cache)

    def reconcile(self, key: Key) -> ReconcileResult:
        """Reconcile one Compilation.

        Raises:
            KubeError: A request to the cluster failed.
            ClientError: A request to the API failed.
            Requeue: The observed state is out of date.
        """
        compilation = self._cache.compilations.get(key)
        if compilation is None or self.is_settled(compilation):
            return ReconcileResult.DONE
        children = self._cache.children(compilation.uid)
        response = self._response(compilation, children)
        is_admitted = self.admissions.admit(compilation, response, children)
        decision = decide(
            compilation,
            children,
            response,
            own_wait=None if is_admitted else self._own_wait(compilation),
            render_from_segments=self._settings.render_from_segments,
            now=self._timestamp(),
        )
        revision = self._revision(compilation, response)
        allowed = self._limit_replacements(compilation, decision)
        result = self._apply(compilation, revision, response, allowed)
        if is_admitted and response.plan is not None and not decision.actions:
            self.states.record_children(compilation.uid, children)
        return result

    def cancel(self, uid: str) -> None:
        """Cancel a deleted Compilation at the API. A repetition changes nothing."""
        self._api.delete(uid)
        self.states.forget(uid)
        self.admissions.release(uid)

    def restore_admissions(self) -> None:
        """Admit the Compilations that have running Jobs, so that limits hold across a restart."""
        uids = {compilation.uid for compilation in self._cache.compilations.all()}
        for job in self._cache.jobs.all():
            if job.compilation_uid in uids and not job.result and not job.is_suspended:
                self.admissions.restore(job.compilation_uid, job.owner)

    def is_settled(self, compilation: ObservedCompilation) -> bool:
        """Return whether a reconcile could change nothing, so that the API need not be asked."""
        if compilation.is_deleting:
            return True
        state = self.states.get(compilation.uid)
        if state.last.status != compilation.status:
            return False
        children = self._cache.children(compilation.uid)
        if state.last.settled_generation == compilation.generation:
            return all(job.result for job in children.jobs)
        if state.last.children == children and self._is_plan_current(compilation):
            return True
        is_recent = self._clock() - state.api.requested_at < REFUSED_RETRY_S
        if is_recent and _is_refused(compilation):
            return state.api.registered == 0 and not children.jobs
        return self._is_registered(compilation) and self._is_place_current(compilation)

    def _is_registered(self, compilation: ObservedCompilation) -> bool:
        return self.states.get(compilation.uid).api.registered == compilation.generation

    def _is_plan_current(self, compilation: ObservedCompilation) -> bool:
        """Return whether the poller would have noticed a change of the plan."""
        now, requested_at = self._clock(), self.states.get(compilation.uid).api.requested_at
        is_compared = now - self.states.compared_at < MISSED_POLLS * self._settings.poll_s
        is_recent = is_compared and now - requested_at < PLAN_AGE_S
        return is_recent and self._is_registered(compilation)

    def _is_place_current(self, compilation: ObservedCompilation) -> bool:
        """Return whether a Compilation waits in the place that its status says."""
        if not self.admissions.is_waiting(compilation.uid):
            return False
        place = self._own_wait(compilation).queue or QueueSummary()
        return place.model_dump(by_alias=True, exclude_none=True) == compilation.status.get("queue")

    def _own_wait(self, compilation: ObservedCompilation) -> QueueWait:
        place = self.admissions.place(compilation.uid)
        return own_wait(place, compilation.status.get("queue"), self._now())

    def _response(self, compilation: ObservedCompilation, children: Children) -> PlanResponse:
        deferred = self.states.take_deferred_response(compilation.uid, compilation.generation)
        # Of a pod that has ended meanwhile, the deferred plan would say that it had no result.
        if deferred and not children.have_ended(deferred.stages):
            return deferred
        response = self._registrar.plan(compilation)
        fault_points.reach("operator.plan.registered")
        return response

    def _limit_replacements(self, compilation: ObservedCompilation, decision: Decision) -> Decision:
        """Drop replacements of Secrets that were replaced a moment ago."""
        now = self._clock()
        replaced_at = {
            uid: time
            for uid, time in self.states.get(compilation.uid).secrets_replaced_at.items()
            if now - time < SECRET_REPLACED_EVERY_S
        }
        actions = []
        for action in decision.actions:
            if isinstance(action, ReplaceSecret):
                if action.job.uid in replaced_at:
                    continue
                replaced_at[action.job.uid] = now
                self.states.update(compilation.uid, secrets_replaced_at=replaced_at)
            actions.append(action)
        return replace(decision, actions=tuple(actions))

    # --- writes -------------------------------------------------------------------------------

    def _apply(
        self,
        compilation: ObservedCompilation,
        revision: RevisionRef,
        response: PlanResponse,
        decision: Decision,
    ) -> ReconcileResult:
        self._execute(compilation, revision, decision)
        if not response.outage:
            is_active = response.plan is not None and not response.is_settled
            progress = progress_of(response.plan) if is_active and response.plan else ""
            self.states.update(compilation.uid, progress=progress)
        if decision.only_creates_jobs:
            self._defer_status(compilation, response, decision)
            return ReconcileResult.STATUS_DEFERRED
        self._write_status(compilation, response, decision)
        has_reported = any(isinstance(action, ReportFailure) for action in decision.actions)
        return ReconcileResult.REQUEUE if has_reported else ReconcileResult.DONE

    def _execute(
        self, compilation: ObservedCompilation, revision: RevisionRef, decision: Decision
    ) -> None:
        try:
            for action in decision.actions:
                start = self._now()
                self._executor.execute(revision, action)
                attributes = {"clipmill.action": describe(action)}
                name = type(action).__name__
                self._spans.finish(start, revision.traceparent, name, attributes)
        except PermanentKubeError as error:
            status = not_applied_status(compilation, decision.status, str(error))
            self._writer.write(compilation, status)
            raise

    def _defer_status(
        self, compilation: ObservedCompilation, response: PlanResponse, decision: Decision
    ) -> None:
        """Leave events and status to a later reconcile: other Compilations get their Jobs first."""
        recorded = tuple(events.action_events(decision.actions))
        self.states.update(compilation.uid, deferred=DeferredStatus(response, recorded))

    def _write_status(
        self, compilation: ObservedCompilation, response: PlanResponse, decision: Decision
    ) -> None:
        deferred = self.states.get(compilation.uid).deferred
        pending = deferred.events if deferred else ()
        new_events = events.events_of(compilation, decision)
        self._writer.record(compilation, [*pending, *new_events], self._timestamp())
        self.states.update(compilation.uid, deferred=None)
        status = compilation.status
        if decision.status is not None:
            status = self._writer.write(compilation, decision.status)
            fault_points.reach("operator.status.written")
        is_settled = response.is_settled and not decision.actions
        settled_generation = compilation.generation if is_settled else 0
        last = LastReconcile(status=status, settled_generation=settled_generation)
        self.states.update(compilation.uid, last=last)

    def _revision(self, compilation: ObservedCompilation, response: PlanResponse) -> RevisionRef:
        """Return the revision of the plan; without a plan, actions only delete Jobs."""
        generation = response.plan.generation if response.plan else 0
        return RevisionRef(
            *(compilation.namespace, compilation.name, compilation.uid, generation, response.owner),
            queue_labels=queue_labels(compilation, self._settings),
            traceparent=response.plan.traceparent if response.plan else None,
        )

    def _timestamp(self) -> str:
        return self._now().strftime("%Y-%m-%dT%H:%M:%SZ")


def _is_refused(compilation: ObservedCompilation) -> bool:
    is_current = compilation.status.get("observedGeneration") == compilation.generation
    return is_current and compilation.status.get("phase") == Phase.REFUSED
