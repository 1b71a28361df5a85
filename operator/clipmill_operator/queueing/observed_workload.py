"""A Workload of Kueue, reduced to why its Job waits. Pure.

Kueue creates one for each Job with a queue; the label `kueue.x-k8s.io/job-uid` names the Job.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

JOB_UID = "kueue.x-k8s.io/job-uid"
REASON_CHARS = 100
MESSAGE_CHARS = 700


@dataclass(frozen=True, slots=True)
class ObservedWorkload:
    """A Workload as it was last observed. `reason` is empty if it does not wait."""

    job_uid: str
    reason: str = ""
    message: str = ""

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> ObservedWorkload:
        """Read a Workload."""
        labels = body["metadata"].get("labels") or {}
        conditions = {
            condition["type"]: condition
            for condition in (body.get("status") or {}).get("conditions") or []
        }
        reason, message = _wait(conditions)
        return cls(labels.get(JOB_UID, ""), reason[:REASON_CHARS], message[:MESSAGE_CHARS])


def _wait(conditions: Mapping[str, Mapping[str, Any]]) -> tuple[str, str]:
    """Return Kueue's reason and message: of an eviction, or else of the missing quota or check."""
    reserved = conditions.get("QuotaReserved", {})
    for kind in ("QuotaReserved", "Admitted"):
        condition = conditions.get(kind, {})
        if condition.get("status") == "False":
            evicted = conditions.get("Evicted", {})
            if evicted.get("status") == "True":
                return _eviction(evicted, reserved)
            return condition.get("reason", ""), condition.get("message", "")
    return "", ""


def _eviction(evicted: Mapping[str, Any], reserved: Mapping[str, Any]) -> tuple[str, str]:
    messages = dict.fromkeys((evicted.get("message", ""), reserved.get("message", "")))
    return evicted.get("reason", ""), "; ".join(filter(None, messages))
