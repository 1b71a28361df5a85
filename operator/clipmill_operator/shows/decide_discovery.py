"""Decide about discover Jobs, from the observed objects and the API's list of tasks. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from clipmill.protocol import NOT_ISOLATED, ExitCode
from clipmill.shows.show_messages import DiscoverJob, FailedDiscovery
from clipmill_operator.reconciling.actions import SECRET_REPLACED_EVERY_S
from clipmill_operator.reconciling.decide import failure_message
from clipmill_operator.watching.observed import Children, ObservedJob
from clipmill_operator.watching.observed_pod import ObservedPod

# The pod of an episode that needs none any more may be about to end by itself.
UNNEEDED_FOR_S = 30.0
MESSAGE_CHARS = 480
JOB_FAILED = "JobFailed"
# The cluster refuses the Job, by a ResourceQuota or a policy, for longer than this.
NOT_APPLIED = "NotApplied"
REFUSED_FOR_S = 600.0
FOREVER = float("inf")


@dataclass(frozen=True, slots=True)
class CreateDiscoverJob:
    """Create the Job of an episode."""

    task: DiscoverJob


@dataclass(frozen=True, slots=True)
class ReplaceDiscoverSecret:
    """Create the missing Secret of a discover Job with a new key."""

    task: DiscoverJob
    job: ObservedJob


@dataclass(frozen=True, slots=True)
class ReportFailedDiscovery:
    """Report a discover Job to the API that ended without a result."""

    task: DiscoverJob
    failure: FailedDiscovery


@dataclass(frozen=True, slots=True)
class DeleteDiscoverJob:
    """Delete the Job of an episode that needs none any more."""

    job: ObservedJob


DiscoverAction = (
    CreateDiscoverJob | ReplaceDiscoverSecret | ReportFailedDiscovery | DeleteDiscoverJob
)


def decide_discovery(
    tasks: Sequence[DiscoverJob],
    observed: Children,
    *,
    unneeded_s: Mapping[str, float],
    replaced_s: Mapping[str, float],
) -> list[DiscoverAction]:
    """Return the actions for all episodes that discover clips.

    Args:
        tasks: Episodes that need a pod, oldest first.
        observed: Discover Jobs and their pods, observed before the tasks were requested.
        unneeded_s: Seconds for which the episode of a Job has needed no pod, by the Job's uid.
        replaced_s: Seconds since the Secret of a Job was replaced, by the Job's uid.
    """
    jobs = {job.episode: job for job in observed.jobs if job.episode}
    needed = {task.episode_id for task in tasks}
    actions: list[DiscoverAction] = [
        DeleteDiscoverJob(job)
        for episode, job in jobs.items()
        if episode not in needed and _is_unneeded(job, unneeded_s)
    ]
    for task in tasks:
        job = jobs.get(task.episode_id)
        if job is None:
            actions.append(CreateDiscoverJob(task))
        else:
            actions += _existing(task, job, observed, replaced_s)
    return actions


def active_jobs(jobs: Iterable[ObservedJob]) -> int:
    """Return the number of discover Jobs that have not ended."""
    return sum(1 for job in jobs if job.episode and not job.result)


def refused_job(task: DiscoverJob, message: str) -> ReportFailedDiscovery:
    """Return the report of an episode of which the cluster has refused the Job for long."""
    return _report(task, NOT_APPLIED, message)


def unneeded_jobs(tasks: Iterable[DiscoverJob], jobs: Iterable[ObservedJob]) -> set[str]:
    """Return the uids of active discover Jobs whose episodes need no pod."""
    needed = {task.episode_id for task in tasks}
    return {job.uid for job in jobs if job.episode and job.episode not in needed and not job.result}


def _is_unneeded(job: ObservedJob, unneeded_s: Mapping[str, float]) -> bool:
    is_active = not job.result and not job.is_deleting
    return is_active and unneeded_s.get(job.uid, 0.0) >= UNNEEDED_FOR_S


def _existing(
    task: DiscoverJob, job: ObservedJob, observed: Children, replaced_s: Mapping[str, float]
) -> Iterator[DiscoverAction]:
    if job.is_deleting:
        return
    pods = observed.pods_of(job)
    isolation = [pod for pod in pods if pod.exit_code == ExitCode.NOT_ISOLATED]
    if isolation:
        message = isolation[0].message or "the isolation check failed"
        yield _report(task, NOT_ISOLATED, f"Pod {isolation[0].name}: {message}")
    elif job.result:
        ended = [pod for pod in pods if pod.exit_code is not None]
        yield _report(task, JOB_FAILED, failure_message(job, ended))
    elif _lacks_secret(pods) and replaced_s.get(job.uid, FOREVER) >= SECRET_REPLACED_EVERY_S:
        yield ReplaceDiscoverSecret(task, job)


def _lacks_secret(pods: Iterable[ObservedPod]) -> bool:
    """Return whether pods wait for a Secret, and none runs whose key a new one would revoke."""
    listed = list(pods)
    return any(pod.is_missing_secret for pod in listed) and not any(p.is_running for p in listed)


def _report(task: DiscoverJob, reason: str, message: str) -> ReportFailedDiscovery:
    failure = FailedDiscovery(reason=reason, message=message[:MESSAGE_CHARS])
    return ReportFailedDiscovery(task, failure)
