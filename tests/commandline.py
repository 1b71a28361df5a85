"""Run the command line under test, and write manifest files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from typer.testing import CliRunner

from clipmill_cli.commands.command_tree import app
from harness import SMALL

# The code of the console script, wherever it is installed.
ENTRY = (sys.executable, "-c", "from clipmill_cli.main import main; main()")


class Completed(NamedTuple):
    """The exit code and output of a command."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """Return the lines on stderr."""
        return self.err.splitlines()


def clipmill(
    *words: str | Path, env: dict[str, str | None] | None = None, given: str = ""
) -> Completed:
    """Run a command in this process. An exception fails the test."""
    clean = {"CLIPMILL_API_URL": None, "CLIPMILL_API_KEY": None, "CLIPMILL_ADMIN_KEY": None}
    clean["XDG_CONFIG_HOME"] = "/nonexistent"
    argv = [str(word) for word in words]
    done = CliRunner().invoke(app, argv, input=given, env={**clean, **(env or {})})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Completed(done.exit_code, done.stdout, done.stderr)


def started(*words: str | Path, env: dict[str, str], **more: Any) -> subprocess.Popen[str]:
    """Start a command as a process."""
    argv = [*ENTRY, *(str(word) for word in words)]
    return subprocess.Popen(argv, env=env, text=True, **more)


def manifest_file(path: Path, clips: list[dict[str, Any]], **spec: Any) -> Path:
    """Write a manifest with a small output."""
    manifest = {
        "apiVersion": "clipmill.dev/v1alpha1",
        "kind": "Compilation",
        "metadata": {"name": path.stem},
        "spec": {"outputs": [SMALL], "clips": clips, **spec},
    }
    path.write_text(yaml.safe_dump(manifest))
    return path
