"""Jobs that Kueue, or a person, has suspended: whether a Compilation waits for them, and why. Pure.

Kueue suspends a Job until its ClusterQueue has room, and again if a more urgent one needs the room.
"""

from __future__ import annotations

from clipmill.protocol import TERMINAL_STATES, Plan
from clipmill_operator.building.resource import QueueSummary
from clipmill_operator.queueing.queue_wait import QueueWait
from clipmill_operator.watching.observed import Children, ObservedJob

SUSPENDED = "JobSuspended"


def is_suspended(plan: Plan, children: Children) -> bool:
    """Return whether all unfinished Jobs of a revision are suspended, and there is one."""
    jobs = _unfinished(plan, children)
    return bool(jobs) and all(job.is_suspended for job in jobs)


def suspension(plan: Plan, children: Children) -> QueueWait | None:
    """Return why a revision waits for its suspended Jobs, by Kueue's own reason if there is one."""
    if plan.state in TERMINAL_STATES or not is_suspended(plan, children):
        return None
    job = _unfinished(plan, children)[-1]
    queue = QueueSummary(name=job.queue_name or None)
    where = f"in queue {job.queue_name}" if job.queue_name else "until it is resumed"
    waits = f"Job {job.name} waits {where}"
    workload = children.workload(job)
    if workload is None or not workload.reason:
        return QueueWait(SUSPENDED, waits, queue)
    return QueueWait(workload.reason, f"{waits}: {workload.message}", queue)


def _unfinished(plan: Plan, children: Children) -> list[ObservedJob]:
    return [
        job
        for job in children.jobs
        if job.generation == plan.generation and not job.result and not job.is_deleting
    ]
