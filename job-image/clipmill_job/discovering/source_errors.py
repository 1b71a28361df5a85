"""Why a source cannot be read.

SourceError     the source is reported with `reason`; the other sources go on
"""

from __future__ import annotations


class SourceError(Exception):
    """A source that cannot be read, or not to its end. `reason` is stable and PascalCase."""

    def __init__(self, reason: str, message: str, *, retryable: bool = False) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.retryable = retryable
