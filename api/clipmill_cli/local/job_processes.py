"""A job as a child process: the same package a pod runs, told an API URL and a key and no more."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Protocol

from clipmill.protocol import Stage

LEAVE_S = 10.0
"""How long a child may take to leave after SIGTERM, in seconds."""
COMMAND = (sys.executable, "-m", "clipmill_job")


class Child(Protocol):
    """A started job."""

    def poll(self) -> int | None:
        """Its exit code, or None while it runs."""

    def dismiss(self) -> None:
        """Ask it to leave; it is gone when this returns."""

    def last_words(self) -> str:
        """The last line it wrote."""


class Starter(Protocol):
    """Starts the job of one part."""

    def __call__(self, stage: Stage, index: int, key: str) -> Child:
        """Start it."""


class Jobs:
    """Starts jobs in scratch folders of their own, which go when they end."""

    def __init__(self, api_url: str, folder: Path) -> None:
        self._api_url = api_url
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def __call__(self, stage: Stage, index: int, key: str) -> Child:
        """Start the job of one part."""
        scratch = Path(tempfile.mkdtemp(prefix=f"{stage}-{index}-", dir=self._folder))
        log = self._folder / f"{stage}-{index}.log"
        return _Process(environ(self._api_url, key, index, scratch), scratch, log)


def environ(api_url: str, key: str, index: int, scratch: Path) -> dict[str, str]:
    """A job's whole environment: a pod's three variables, and where programs and scratch are."""
    return {
        "CLIPMILL_API_URL": api_url,
        "CLIPMILL_API_KEY": key,
        "JOB_COMPLETION_INDEX": str(index),
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
    }


class _Process:
    def __init__(self, environ: dict[str, str], scratch: Path, log: Path) -> None:
        self._scratch = scratch
        self._log = log
        with log.open("wb") as out:
            # A session of its own: Ctrl-C reaches it only through `dismiss`.
            self._process = subprocess.Popen(  # noqa: S603  an argument tuple, no shell
                COMMAND,
                env=environ,
                cwd=scratch,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def poll(self) -> int | None:
        """Its exit code, or None while it runs."""
        code = self._process.poll()
        if code is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
        return code

    def dismiss(self) -> None:
        """SIGTERM, and SIGKILL when that did not help."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(LEAVE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self.poll()

    def last_words(self) -> str:
        """The last line it wrote, at most 300 characters."""
        text = self._log.read_text(errors="replace").strip() if self._log.exists() else ""
        return text.rsplit("\n", 1)[-1][-300:]
