"""Creation and deletion of Jobs and their Secrets. Each step can be interrupted and repeated."""

from __future__ import annotations

from collections.abc import Callable

from clipmill import fault_points
from clipmill_operator.api_authorities import newest_authorities
from clipmill_operator.building.job_objects import job_object, secret_object
from clipmill_operator.building.labels import JobRef
from clipmill_operator.errors import Requeue, RetryableKubeError
from clipmill_operator.kube_client import JOB, SECRET, KubeClient
from clipmill_operator.settings import Settings
from clipmill_operator.watching.object_cache import ClusterCache
from clipmill_operator.watching.observed import ObservedJob


class JobWriter:
    """Writes Jobs and Secrets to the cluster. Raises KubeError, Requeue."""

    def __init__(self, kube: KubeClient, cache: ClusterCache, settings: Settings) -> None:
        self._kube, self._cache, self._settings = kube, cache, settings

    def create(self, ref: JobRef, stage: str, tasks: int, key: Callable[[], str]) -> None:
        """Create a Job and then its Secret. An existing Job keeps its key.

        Args:
            ref: What the Job is for.
            stage: The stage of its pods.
            tasks: The number of its indexes.
            key: Return the API key of its pods. It is called once the Job exists.
        """
        name = ref.child_name(stage)
        job = self._kube.create(job_object(ref, stage, tasks, self._settings))
        if job is None:
            existing = self._kube.get(JOB, ref.namespace, name)
            if existing is not None:
                self._cache.jobs.store(existing)
            raise Requeue(f"Job {name} exists already")
        self._cache.jobs.store(job)
        fault_points.reach("operator.job.created")
        self.put_secret(ref, stage, job["metadata"]["uid"], key())

    def put_secret(self, ref: JobRef, stage: str, job_uid: str, key: str) -> None:
        """Create a Secret in place of an existing one: the operator cannot read or update any."""
        url, authorities = self._settings.pods_api_url, self._authorities()
        secret = secret_object(ref, stage, job_uid, url=url, key=key, authorities=authorities)
        if self._kube.create(secret) is not None:
            fault_points.reach("operator.secret.created")
            return
        name = ref.child_name(stage)
        self._kube.delete(SECRET, ref.namespace, name)
        fault_points.reach("operator.secret.deleted")
        if self._kube.create(secret) is None:
            raise RetryableKubeError(f"Secret {name} exists again right after its deletion")

    def _authorities(self) -> str:
        """Return the newest CAs of the API. Raises Requeue while their file cannot be used."""
        try:
            return newest_authorities(self._settings)
        except ValueError as error:
            raise Requeue(f"CLIPMILL_CA_FILE: {error}") from None

    def delete(self, job: ObservedJob) -> None:
        """Delete a Job with its pods and its Secret."""
        self._kube.delete(JOB, job.namespace, job.name, job.uid)
        self._cache.jobs.remove((job.namespace, job.name), job.uid)
