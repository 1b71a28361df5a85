"""Why a part of a job does not end well.

JobError
+-- TryAgain        the same part may succeed later: exit 1, the Job's back-off
|   +-- NvencFailed the graphics card's encoder did not do it: the CPU takes over, in the same job
+-- GiveUp          it never will: the API is told, exit 64 (podFailurePolicy FailIndex)
|   +-- NotIsolated the pod reaches what it must not, and nobody's media is opened here: exit 66
+-- Leave           somebody else holds the part, or the generation has ended: exit 65
"""

from __future__ import annotations

from clipmill.protocol import NOT_ISOLATED, ClipFailure, ExitCode


class JobError(Exception):
    """A part failed. `code` is stable and PascalCase; str() is one line for a person."""

    exit_code = ExitCode.RETRY

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    def failure(self) -> ClipFailure:
        """As it is told to the API."""
        permanent = self.exit_code != ExitCode.RETRY
        return ClipFailure(code=self.code[:60], message=str(self)[:500], permanent=permanent)


class TryAgain(JobError):
    """Trying again may help."""


class NvencFailed(TryAgain):
    """A command of NVENC failed; whether it was NVENC's fault, the CPU will find out."""


class GiveUp(JobError):
    """Trying again is no use."""

    exit_code = ExitCode.GIVE_UP


class NotIsolated(GiveUp):
    """The network keeps this pod from nothing: no media is opened here."""

    exit_code = ExitCode.NOT_ISOLATED

    def __init__(self, message: str) -> None:
        super().__init__(NOT_ISOLATED, message)


class Leave(JobError):
    """The part is no longer ours: nothing is to be told and nothing to be done."""

    exit_code = ExitCode.LEASE_LOST
