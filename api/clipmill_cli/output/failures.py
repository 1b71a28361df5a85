"""Errors as lines on stderr and an exit code, without a traceback."""

from __future__ import annotations

import errno
import os
from typing import Any, NamedTuple

import typer
from pydantic import ValidationError
from typer.core import TyperGroup

from clipmill_cli.errors import CommandError
from clipmill_cli.output import terminal
from clipmill_client.errors import ClientError
from clipmill_probe import MediaError

MAX_LINE_CHARS = 1000
EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130
INTERRUPTED = "interrupted; run the same command again to continue"


class Fault(NamedTuple):
    """The lines to show for an error, and the exit code."""

    lines: tuple[str, ...]
    exit_code: int


def fault_of(error: BaseException) -> Fault:
    """Return the lines and the exit code for an error."""
    if isinstance(error, CommandError):
        return Fault(error.lines, error.exit_code)
    if isinstance(error, KeyboardInterrupt):
        return Fault((INTERRUPTED,), EXIT_INTERRUPTED)
    if isinstance(error, typer.TyperException):
        message = error.format_message().removeprefix("Invalid value: ")
        return Fault((f"{message} (see --help)",), error.exit_code)
    if isinstance(error, ClientError):
        return _client_fault(error)
    return Fault((_other_error_line(error),), EXIT_FAILED)


def _client_fault(error: ClientError) -> Fault:
    """422 means that the API rejects the request itself; any other status is a failure."""
    variable = "CLIPMILL_API_KEY: " if error.status == 401 else ""
    exit_code = EXIT_USAGE if error.status == 422 else EXIT_FAILED
    return Fault((f"{variable}{error} [{error.code}]",), exit_code)


def _other_error_line(error: BaseException) -> str:
    if isinstance(error, MediaError):
        return f"{error} [{error.code}]"
    if isinstance(error, ModuleNotFoundError):
        return f"{error.name} is not installed: run pip install 'clipmill[local]'"
    if isinstance(error, OSError) and error.strerror:
        path = f"{error.filename}: " if error.filename else ""
        return f"{path}{error.strerror.lower()}"
    if isinstance(error, ValidationError):
        return (
            f"the response is not a valid {error.title}:"
            " does --api-url name a Clipmill API of this version?"
        )
    return (
        f"internal error: {type(error).__name__}: {error} (set CLIPMILL_DEBUG=1 for the traceback)"
    )


def print_errors(lines: tuple[str, ...]) -> None:
    """Print error lines on stderr."""
    err = terminal.console(stderr=True)
    for line in lines:
        terminal.print_line(err, f"clipmill: {line}", MAX_LINE_CHARS)


class ErrorHandlingGroup(TyperGroup):
    """A command group that turns errors into lines and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort):
            raise
        except (Exception, KeyboardInterrupt) as error:
            if _is_broken_pipe(error) or os.environ.get("CLIPMILL_DEBUG"):
                raise
            fault = fault_of(error)
            print_errors(fault.lines)
            raise typer.Exit(fault.exit_code) from None


def _is_broken_pipe(error: BaseException) -> bool:
    """Return True for `clipmill list | head`, which typer ends quietly."""
    return isinstance(error, OSError) and error.errno == errno.EPIPE
