"""Errors of the command line: each becomes lines on stderr and an exit code.

CommandError
+-- ManifestError    the manifest or another input file cannot be used
+-- LocalAPIError    the API on this machine cannot be started
+-- RunError         a local render cannot continue
"""

from __future__ import annotations


class CommandError(Exception):
    """A command failed for a reason that the user can act on.

    Attributes:
        lines: what to show, one fault per line.
        exit_code: the exit code of the process.
    """

    exit_code = 1

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class ManifestError(CommandError):
    """An input file cannot be used; each line names a field, its value and the rule."""

    exit_code = 2


class LocalAPIError(CommandError):
    """The API on this machine cannot be started."""


class RunError(CommandError):
    """A local render cannot continue: the API waits for work that this machine cannot do."""
