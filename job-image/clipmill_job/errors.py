"""Errors of a task, divided as those of the client by whether trying again may help.

ClientError (clipmill_client.errors)
+-- RetryableError            exit 1: the Job starts the task again after its back-off
|   +-- NvencError            within the task: the output is encoded on the CPU instead
|   +-- ClipsUnplayable       the API plans the next attempt without these clips
+-- PermanentError            exit 64: the API marks the task as failed (podFailurePolicy FailIndex)
    +-- SegmentsFailed        within the task: the clips that are the cause are looked for
    +-- NotIsolatedError      exit 66: no NetworkPolicy is in force, so no media is opened
    |   +-- CanaryUnresolvedError  exit 66: nothing can be said about the isolation
    +-- LeaseLostError        exit 65: another process holds the task, or the revision has ended
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from clipmill.protocol import (
    CANARY_UNRESOLVED,
    NOT_ISOLATED,
    ExitCode,
    Segment,
    TaskFailure,
    UnplayableClip,
)
from clipmill_client.errors import ClientError, PermanentError, RetryableError

# Codes of the API's refusals that mean the same as LeaseLostError.
LEASE_LOST_CODES = frozenset({"Ended", "LeaseLost", "Unauthorized"})


class NvencError(RetryableError):
    """An NVENC command failed."""


class ClipsUnplayable(RetryableError):
    """Clips cannot be rendered, whatever is shown with them."""

    def __init__(self, clips: Sequence[UnplayableClip]) -> None:
        names = ", ".join(clip.name for clip in clips)
        super().__init__("ClipUnplayable", f"clips that cannot be rendered: {names}")
        self.clips = tuple(clips)


class SegmentFailure(NamedTuple):
    """A segment that could not be rendered from its sources, and why."""

    segment: Segment
    error: ClientError


class SegmentsFailed(PermanentError):
    """Segments could not be rendered; code and message are those of the first one."""

    def __init__(self, failures: Sequence[SegmentFailure]) -> None:
        first = failures[0].error
        super().__init__(first.code, first.detail)
        self.failures = tuple(failures)


class NotIsolatedError(PermanentError):
    """The pod reaches addresses that a NetworkPolicy should block."""

    code_of_class = NOT_ISOLATED

    def __init__(self, detail: str) -> None:
        super().__init__(self.code_of_class, detail)


class CanaryUnresolvedError(NotIsolatedError):
    """The name of an address that the pod must not reach does not resolve."""

    code_of_class = CANARY_UNRESOLVED


class LeaseLostError(PermanentError):
    """The task no longer belongs to this process, which must not report anything."""


def exit_code(error: ClientError) -> int:
    """Return the `ExitCode` of a process that ends with this error."""
    if isinstance(error, NotIsolatedError):
        return ExitCode.NOT_ISOLATED
    if is_lease_lost(error):
        return ExitCode.LEASE_LOST
    return ExitCode.GIVE_UP if isinstance(error, PermanentError) else ExitCode.RETRY


def is_lease_lost(error: ClientError) -> bool:
    """Return whether the task no longer belongs to this process."""
    refused = isinstance(error, PermanentError) and error.code in LEASE_LOST_CODES
    return refused or isinstance(error, LeaseLostError)


def task_failure(error: ClientError) -> TaskFailure:
    """Return the report of an error to the API."""
    permanent = isinstance(error, PermanentError)
    clips = list(error.clips) if isinstance(error, ClipsUnplayable) else []
    message = str(error)[:500]
    return TaskFailure(code=error.code[:60], message=message, permanent=permanent, clips=clips)
