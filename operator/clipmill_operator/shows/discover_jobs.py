"""Discover Jobs: executes decisions about them. Each can be interrupted and repeated."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence, Set

from clipmill import fault_points
from clipmill.shows.show_messages import DiscoverJob
from clipmill_client.errors import ClientError
from clipmill_client.privileged_calls import OperatorCalls
from clipmill_operator import metrics
from clipmill_operator.building.labels import DISCOVER, EpisodeRef
from clipmill_operator.errors import KubeError, PermanentKubeError, Requeue
from clipmill_operator.reconciling.job_writer import JobWriter
from clipmill_operator.reconciling.network_policies import NetworkPolicies
from clipmill_operator.settings import Settings
from clipmill_operator.shows.decide_discovery import (
    REFUSED_FOR_S,
    CreateDiscoverJob,
    DeleteDiscoverJob,
    DiscoverAction,
    ReplaceDiscoverSecret,
    ReportFailedDiscovery,
    active_jobs,
    decide_discovery,
    refused_job,
    unneeded_jobs,
)
from clipmill_operator.watching.observed import Children

log = logging.getLogger(__name__)


class DiscoverJobs:
    """Creates, repairs and deletes the discover Jobs of all episodes. Used by one thread."""

    def __init__(
        self,
        api: OperatorCalls,
        jobs: JobWriter,
        network_policies: NetworkPolicies,
        settings: Settings,
        clock: Callable[[], float],
    ) -> None:
        self._api, self._jobs, self._network_policies = api, jobs, network_policies
        self._settings, self._clock = settings, clock
        # Times by the uid of a Job, and of the first refusal of a Job by the id of its episode.
        self._unneeded_since: dict[str, float] = {}
        self._replaced_at: dict[str, float] = {}
        self._refused_since: dict[str, float] = {}

    def sync(self, tasks: Sequence[DiscoverJob], observed: Children) -> list[DiscoverJob]:
        """Execute what is to be done; a failure is logged, and repeated by the next call.

        Args:
            tasks: Episodes that need a pod, oldest first.
            observed: Discover Jobs and their pods, observed before the tasks were requested.

        Returns:
            The episodes of which a Job was created.
        """
        watched = self._settings.watch_namespaces
        tasks = [task for task in tasks if not watched or task.namespace in watched]
        started: list[DiscoverJob] = []
        room = self._settings.max_discovering - active_jobs(observed.jobs)
        for action in self._decide(tasks, observed):
            if not isinstance(action, CreateDiscoverJob):
                self._try(action)
            elif len(started) < room and self._try(action):
                started.append(action.task)
        return started

    def _decide(self, tasks: Sequence[DiscoverJob], observed: Children) -> list[DiscoverAction]:
        now = self._clock()
        unneeded = unneeded_jobs(tasks, observed.jobs)
        self._unneeded_since = {uid: self._unneeded_since.get(uid, now) for uid in unneeded}
        self._replaced_at = _only(self._replaced_at, {job.uid for job in observed.jobs})
        self._refused_since = _only(self._refused_since, {task.episode_id for task in tasks})
        return decide_discovery(
            tasks,
            observed,
            unneeded_s={uid: now - since for uid, since in self._unneeded_since.items()},
            replaced_s={uid: now - at for uid, at in self._replaced_at.items()},
        )

    def _try(self, action: DiscoverAction) -> bool:
        metrics.ACTIONS.labels(type(action).__name__).inc()
        try:
            self._execute(action)
        except (KubeError, ClientError, Requeue) as error:
            metrics.RECONCILE_ERRORS.labels(type(error).__name__).inc()
            log.warning("discovery action=%s error=%s", type(action).__name__, error)
            if isinstance(action, CreateDiscoverJob) and isinstance(error, PermanentKubeError):
                self._refused(action.task, str(error))
            return False
        return True

    def _refused(self, task: DiscoverJob, message: str) -> None:
        since = self._refused_since.setdefault(task.episode_id, self._clock())
        if self._clock() - since >= REFUSED_FOR_S:
            self._try(refused_job(task, message))

    def _execute(self, action: DiscoverAction) -> None:
        match action:
            case CreateDiscoverJob(task):
                log.info("discover job episode=%s key=%s/%s", task.episode_id, *_place(task))
                self._network_policies.ensure(task.namespace)
                fault_points.reach("operator.policies.applied")
                self._jobs.create(EpisodeRef(task), DISCOVER, 1, lambda: self._key(task))
            case ReplaceDiscoverSecret(task, job):
                self._jobs.put_secret(EpisodeRef(task), DISCOVER, job.uid, self._key(task))
                self._replaced_at[job.uid] = self._clock()
            case ReportFailedDiscovery(task, failure):
                self._api.shows.report_failed(task.episode_id, failure)
            case DeleteDiscoverJob(job):
                self._jobs.delete(job)

    def _key(self, task: DiscoverJob) -> str:
        return self._api.shows.create_key(task.episode_id)


def _only(times: Mapping[str, float], keys: Set[str]) -> dict[str, float]:
    return {key: time for key, time in times.items() if key in keys}


def _place(task: DiscoverJob) -> tuple[str, str]:
    return task.namespace, task.name
