"""Bodies of E5 to E7: processing jobs."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from clipmill.spec import Id, Line, SanitizedLine
from clipmill_api.legacy_worker.legacy_model import LegacyModel


class JobStatus(StrEnum):
    """States of a processing job. The last three are terminal."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


TERMINAL_JOB_STATES = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED})


class JobCreate(LegacyModel):
    """Request to get or create a job by the caller's own id (E5)."""

    external_id: Line = Field(min_length=1, max_length=200)
    job_type: Line = Field("unknown", min_length=1, max_length=60)
    status: JobStatus = JobStatus.RUNNING


class JobCreated(LegacyModel):
    """Reply of E5, with status 201 for a new job and 200 for an existing one."""

    status: Literal["created", "existing"]
    job_id: Id


class JobView(LegacyModel):
    """A processing job (E6)."""

    id: Id
    external_id: str
    job_type: str
    status: JobStatus
    progress: int
    result_data: dict[str, Any]
    error_message: str | None


class JobUpdate(LegacyModel):
    """Update of a job (E7): progress never falls, and `result_data` is merged key by key."""

    status: JobStatus | None = None
    progress: int | None = Field(None, ge=0, le=100)
    result_data: dict[str, Any] | None = None
    error_message: SanitizedLine | None = Field(None, max_length=4000)


class JobUpdated(LegacyModel):
    """Reply of E7."""

    status: Literal["updated"] = "updated"
    job_id: Id
