"""Errors of the operator.

KubeError                 a request to the Kubernetes API server failed
+-- RetryableKubeError    not reached, conflict, too many requests, or an error of the server
+-- PermanentKubeError    refused: the object or the operator's rights must change first
Requeue                   the observed state is out of date: reconcile again
OwnerNotAllowed           a resource names an owner that its namespace does not allow
SubmissionNotPossible     no resource can be created for a submission
Unhealthy                 the process must be restarted
"""

from __future__ import annotations


class KubeError(Exception):
    """A request to the Kubernetes API server failed; str() names request, status and message."""


class RetryableKubeError(KubeError):
    """The same request may succeed later."""


class PermanentKubeError(KubeError):
    """The same request fails again until the object or the operator's rights change."""


class Requeue(Exception):
    """The decision rests on outdated state; the key is reconciled again after a back-off."""


class OwnerNotAllowed(ValueError):
    """A resource names an owner that its namespace does not allow; str() names field and rule."""


class SubmissionNotPossible(Exception):
    """No resource can be created for a submission."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Unhealthy(RuntimeError):
    """The process must be restarted; str() says why."""
