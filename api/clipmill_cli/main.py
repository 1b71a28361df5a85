"""The entry point `clipmill`: Ctrl-C and a missing package end in one line even while loading."""

from __future__ import annotations

import sys

from clipmill.process_privacy import forbid_inspection
from clipmill_cli.installed_versions import version_text
from clipmill_cli.local import memory_limits


def main() -> None:
    """Run the command line and exit with its exit code."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"{version_text()}\n")
        return
    forbid_inspection()
    memory_limits.limit_memory()
    try:
        from clipmill_cli.commands.command_tree import app  # noqa: PLC0415  it loads all the rest
    except KeyboardInterrupt:
        sys.exit(130)
    except ModuleNotFoundError as error:
        sys.exit(f"clipmill: {error.name} is not installed: run pip install 'clipmill[local]'")
    app(prog_name="clipmill")
