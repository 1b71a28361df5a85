"""Every example of a command, from README, docs and --help, made true: run as it is written."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from commandline import Said, clipmill

ROOT = Path(__file__).parents[1]
SHELL = re.compile(r"[|>&$;]|^[A-Z_]+=")
IDS = {"c": "c-0123456789abcdef", "m": "m-0123456789abcdef"}
"""What stands for an id in the examples."""


def indented(text: str) -> Iterator[str]:
    """The commands of a page: its indented lines, without the comments behind them."""
    for line in text.splitlines():
        if re.match(r" {4,}\S", line):
            yield re.split(r"\s{2,}#", line.strip())[0].strip()


def yaml_block(text: str) -> str:
    """The first YAML of a page."""
    found = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert found
    return found[1]


def with_ids(command: str, **ids: str) -> str:
    """An example with real ids in the places of those that are shown."""
    for letter, found in ids.items():
        command = command.replace(IDS[letter], found)
    return command


def run(command: str, folder: Path, env: dict[str, str]) -> Said:
    """Run an example: in this process, or by a shell when it is more than one command."""
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
    return Said(done.returncode, done.stdout, done.stderr)
