"""The `clipmill` command: its start, where even Ctrl-C and a missing package are one line."""

from __future__ import annotations

import gc
import sys

OBJECTS = 50_000
"""Looked through for garbage every so many new ones: what is loaded at the start is none, and
Python's 700 would take a sixth of the start for looking."""


def main() -> None:
    """Run the command line; the exit code is the process's."""
    gc.set_threshold(OBJECTS)
    try:
        from clipmill_client.cli_commands import app  # noqa: PLC0415  it loads all the rest
    except KeyboardInterrupt:
        sys.exit(130)
    except ModuleNotFoundError as error:
        sys.exit(f"clipmill: {error.name} is not installed: pip install 'clipmill[local]'")
    app(prog_name="clipmill")
