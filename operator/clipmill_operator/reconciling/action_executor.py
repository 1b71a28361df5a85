"""Execution of actions. Each can be interrupted and repeated."""

from __future__ import annotations

import logging

from clipmill import fault_points
from clipmill.protocol import Stage
from clipmill_client.errors import PermanentError
from clipmill_client.privileged_calls import OperatorCalls
from clipmill_operator import metrics
from clipmill_operator.building.job_objects import job_object, secret_object
from clipmill_operator.building.labels import RevisionRef
from clipmill_operator.errors import Requeue, RetryableKubeError
from clipmill_operator.kube_client import JOB, SECRET, KubeClient
from clipmill_operator.reconciling.actions import (
    Action,
    CreateJob,
    DeleteJob,
    ReplaceSecret,
    ReportFailure,
    describe,
)
from clipmill_operator.reconciling.network_policies import NetworkPolicies
from clipmill_operator.reconciling.reconcile_cache import ReconcileCache
from clipmill_operator.settings import Settings
from clipmill_operator.watching.object_cache import ClusterCache

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
        self._kube, self._api, self._cache, self._states = kube, api, cache, states
        self._network_policies, self._settings = network_policies, settings

    def execute(self, revision: RevisionRef, action: Action) -> None:
        """Execute one action for a revision."""
        log.info("action key=%s/%s %s", revision.namespace, revision.name, describe(action))
        metrics.ACTIONS.labels(type(action).__name__).inc()
        match action:
            case CreateJob(stage, tasks):
                self._create_job(revision, stage, tasks)
            case ReplaceSecret(job):
                stage = Stage(job.stage)
                self._put_secret(revision, stage, job.uid, self._mint_key(revision, stage))
            case DeleteJob(job):
                self._kube.delete(JOB, job.namespace, job.name, job.uid)
                self._cache.jobs.remove((job.namespace, job.name), job.uid)
            case ReportFailure(tasks):
                self._api.report_failed_tasks(revision.uid, tasks)

    def _create_job(self, revision: RevisionRef, stage: Stage, tasks: int) -> None:
        """Create a Job and then its Secret. An existing Job keeps its key."""
        self._network_policies.ensure(revision.namespace)
        fault_points.reach("operator.policies.applied")
        name = revision.child_name(stage)
        job = self._kube.create(job_object(revision, stage, tasks, self._settings))
        if job is None:
            existing = self._kube.get(JOB, revision.namespace, name)
            if existing is not None:
                self._cache.jobs.store(existing)
            raise Requeue(f"Job {name} exists already")
        self._cache.jobs.store(job)
        fault_points.reach("operator.job.created")
        key = self._states.take_stage_key(revision.uid, revision.generation, stage)
        self._put_secret(
            revision, stage, job["metadata"]["uid"], key or self._mint_key(revision, stage)
        )

    def _mint_key(self, revision: RevisionRef, stage: Stage) -> str:
        try:
            return self._api.create_key(revision.uid, stage, revision.generation)
        except PermanentError as error:
            message = f"no key for {revision.child_name(stage)}: {error.detail}"
            raise Requeue(message) from error

    def _put_secret(self, revision: RevisionRef, stage: Stage, job_uid: str, key: str) -> None:
        """Create a Secret in place of an existing one: the operator cannot read or update any."""
        secret = secret_object(revision, stage, job_uid, url=self._settings.pods_api_url, key=key)
        if self._kube.create(secret) is not None:
            fault_points.reach("operator.secret.created")
            return
        name = revision.child_name(stage)
        self._kube.delete(SECRET, revision.namespace, name)
        fault_points.reach("operator.secret.deleted")
        if self._kube.create(secret) is None:
            raise RetryableKubeError(f"Secret {name} exists again right after its deletion")
