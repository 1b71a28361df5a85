"""Run the commands of README, docs and --help as they are written."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from commandline import Completed, clipmill

ROOT = Path(__file__).parents[1]
SHELL = re.compile(r"[|>&$;]|^[A-Z_]+=|<")
# Placeholders of ids in the examples.
IDS = {letter: f"{letter}-0123456789abcdef" for letter in "cmsnl"}


def indented(text: str) -> Iterator[str]:
    """Yield the commands of a page: its indented lines without their comments."""
    for line in text.splitlines():
        if re.match(r" {4,}\S", line):
            yield re.split(r"\s{2,}#", line.strip())[0].strip()


def yaml_block(text: str) -> str:
    """Return the first YAML block of a page."""
    block = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert block
    return block[1]


def with_ids(command: str, **ids: str) -> str:
    """Return an example with its placeholders replaced by ids."""
    for letter, value in ids.items():
        command = command.replace(IDS[letter], value)
    return command


def run(command: str, folder: Path, env: dict[str, str]) -> Completed:
    """Run an example in this process, or by a shell if it is more than one command."""
    if not SHELL.search(command):
        return clipmill(*shlex.split(command)[1:], env=dict(env))
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-ec", command],
        cwd=folder,
        env={"HOME": str(folder), **env, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    return Completed(done.returncode, done.stdout, done.stderr)
