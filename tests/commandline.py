"""The command line under test: manifests on disk, and what a person gets to see."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from typer.testing import CliRunner

from clipmill_cli.commands.command_tree import app
from harness import SMALL

ENTRY = (sys.executable, "-c", "from clipmill_cli.main import main; main()")
"""The console script's own words, wherever it was installed."""


class Said(NamedTuple):
    """Exit code, and what was written where."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """What a person reads of errors."""
        return self.err.splitlines()


def clipmill(*words: str | Path, env: dict[str, str | None] | None = None) -> Said:
    """Run a command in this process. A traceback would fail the test."""
    clean = {"CLIPMILL_API_URL": None, "CLIPMILL_API_KEY": None, "CLIPMILL_ADMIN_KEY": None}
    done = CliRunner().invoke(app, [str(word) for word in words], env={**clean, **(env or {})})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Said(done.exit_code, done.stdout, done.stderr)


def started(*words: str | Path, env: dict[str, str], **more: Any) -> subprocess.Popen[str]:
    """Start a command as a process of its own."""
    argv = [*ENTRY, *(str(word) for word in words)]
    return subprocess.Popen(argv, env=env, text=True, **more)


def manifest_file(path: Path, clips: list[dict[str, Any]], **spec: Any) -> Path:
    """A manifest with a small output, on disk."""
    made = {
        "apiVersion": "clipmill.dev/v1alpha1",
        "kind": "Compilation",
        "metadata": {"name": path.stem},
        "spec": {"outputs": [SMALL], "clips": clips, **spec},
    }
    path.write_text(yaml.safe_dump(made))
    return path
