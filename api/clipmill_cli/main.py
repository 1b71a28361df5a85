"""The `clipmill` command: its start, where even Ctrl-C and a missing package are one line."""

from __future__ import annotations

import sys

from clipmill_cli.local import allocator


def main() -> None:
    """Run the command line; the exit code is the process's."""
    allocator.settle()
    try:
        from clipmill_cli.commands.command_tree import app  # noqa: PLC0415  it loads all the rest
    except KeyboardInterrupt:
        sys.exit(130)
    except ModuleNotFoundError as error:
        sys.exit(f"clipmill: {error.name} is not installed: pip install 'clipmill[local]'")
    app(prog_name="clipmill")
