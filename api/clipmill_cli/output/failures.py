"""How errors are said: one line that a person can use, and an exit code. No traceback."""

from __future__ import annotations

import errno
import os
from typing import Any, NamedTuple

import typer
from pydantic import ValidationError
from typer.core import TyperGroup

from clipmill_cli.local.job_runner import RunError
from clipmill_cli.local.local_api import LocalError
from clipmill_cli.local.local_render import refused_code
from clipmill_cli.local.manifest_file import ManifestError
from clipmill_cli.output import terminal
from clipmill_client.errors import ClientError
from clipmill_probe import MediaError

LONGEST_LINE = 1000


class Fault(NamedTuple):
    """What a person reads of an error, and the exit code."""

    lines: tuple[str, ...]
    code: int


def fault(error: BaseException) -> Fault:
    """One line and an exit code for each error."""
    if isinstance(error, KeyboardInterrupt):
        return Fault(("interrupted; the same command goes on from what is finished",), 130)
    if isinstance(error, typer.TyperException):
        said = error.format_message().removeprefix("Invalid value: ")
        return Fault((f"{said} (--help says how)",), error.exit_code)
    if isinstance(error, ManifestError):
        return Fault(error.lines, 2)
    if isinstance(error, ClientError):
        return Fault((_refusal(error),), refused_code(error))
    if isinstance(error, MediaError):
        return Fault((f"{error} [{error.code}]",), 1)
    if isinstance(error, LocalError | RunError):
        return Fault((str(error),), 1)
    if isinstance(error, ModuleNotFoundError):
        said = f"{error.name} is not installed: pip install 'clipmill[local]' has all it takes"
        return Fault((said,), 1)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return Fault((f"{where}{error.strerror.lower()}",), 1)
    return _surprise(error)


def _refusal(error: ClientError) -> str:
    if error.status == 401:
        return f"CLIPMILL_API_KEY: {error} [{error.code}]"
    return f"{error} [{error.code}]"


def _surprise(error: BaseException) -> Fault:
    if isinstance(error, ValidationError):
        said = f"the API's answer is no {error.title}: is --api-url a Clipmill of this version?"
        return Fault((said,), 1)
    said = f"something went wrong here: {type(error).__name__}: {error}"
    return Fault((f"{said} (CLIPMILL_DEBUG=1 shows where)",), 1)


def say(lines: tuple[str, ...]) -> None:
    """Error lines on stderr."""
    err = terminal.console(stderr=True)
    for line in lines:
        err.print(terminal.plain(f"clipmill: {line}", LONGEST_LINE), soft_wrap=True)


class Guarded(TyperGroup):
    """Turns errors into one line and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort):
            raise
        except (Exception, KeyboardInterrupt) as error:
            if _reader_left(error) or os.environ.get("CLIPMILL_DEBUG"):
                raise
            known = fault(error)
            say(known.lines)
            raise typer.Exit(known.code) from None


def _reader_left(error: BaseException) -> bool:
    """`clipmill list | head`: no error, and typer ends it well."""
    return isinstance(error, OSError) and error.errno == errno.EPIPE


def page(text: str) -> str:
    """A help text whose indented lines (the examples) stay as they are written."""
    return "\n\n".join(
        f"\b\n{part}" if part.startswith(" ") else part for part in text.strip("\n").split("\n\n")
    )
