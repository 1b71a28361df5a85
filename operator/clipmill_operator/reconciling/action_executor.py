"""Execution of actions. Each can be interrupted and repeated."""

from __future__ import annotations

import logging

from clipmill import fault_points
from clipmill.protocol import Stage
from clipmill_client.errors import PermanentError
from clipmill_client.privileged_calls import OperatorCalls
from clipmill_operator import metrics
from clipmill_operator.building.labels import RevisionRef
from clipmill_operator.errors import Requeue
from clipmill_operator.kube_client import KubeClient
from clipmill_operator.reconciling.actions import (
    Action,
    CreateJob,
    DeleteJob,
    ReplaceSecret,
    ReportFailure,
    describe,
)
from clipmill_operator.reconciling.job_writer import JobWriter
from clipmill_operator.reconciling.network_policies import NetworkPolicies
from clipmill_operator.reconciling.reconcile_cache import ReconcileCache
from clipmill_operator.settings import Settings
from clipmill_operator.watching.object_cache import ClusterCache
from clipmill_tracing import trace_ids

log = logging.getLogger(__name__)


class ActionExecutor:
    """Executes actions. Raises KubeError, ClientError, Requeue."""

    def __init__(
        self,
        kube: KubeClient,
        api: OperatorCalls,
        cache: ClusterCache,
        states: ReconcileCache,
        network_policies: NetworkPolicies,
        settings: Settings,
    ) -> None:
        self._api, self._states, self._network_policies = api, states, network_policies
        self._jobs = JobWriter(kube, cache, settings)

    def execute(self, revision: RevisionRef, action: Action) -> None:
        """Execute one action for a revision."""
        trace_id = trace_ids(revision.traceparent)
        log.info(
            "action key=%s/%s uid=%s generation=%d" + " trace_id=%s" * len(trace_id) + " %s",
            *(revision.namespace, revision.name, revision.uid, revision.generation),
            *(*trace_id, describe(action)),
        )
        metrics.ACTIONS.labels(type(action).__name__).inc()
        match action:
            case CreateJob(stage, tasks):
                self._create_job(revision, stage, tasks)
            case ReplaceSecret(job):
                stage = Stage(job.stage)
                self._jobs.put_secret(revision, stage, job.uid, self._mint_key(revision, stage))
            case DeleteJob(job):
                self._jobs.delete(job)
            case ReportFailure(tasks):
                self._api.report_failed_tasks(revision.uid, tasks)

    def _create_job(self, revision: RevisionRef, stage: Stage, tasks: int) -> None:
        self._network_policies.ensure(revision.namespace)
        fault_points.reach("operator.policies.applied")

        def key() -> str:
            held = self._states.take_stage_key(revision.uid, revision.generation, stage)
            return held or self._mint_key(revision, stage)

        self._jobs.create(revision, stage, tasks, key)

    def _mint_key(self, revision: RevisionRef, stage: Stage) -> str:
        try:
            return self._api.create_key(revision.uid, stage, revision.generation)
        except PermanentError as error:
            message = f"no key for {revision.child_name(stage)}: {error.detail}"
            raise Requeue(message) from error
