"""Jobs as child processes: the package that a pod runs, given an API URL and a key."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from clipmill import fault_points
from clipmill.protocol import Stage
from clipmill_cli.local.job_starts.fork_server import ForkServer, ForkServerLost, end_process

TERMINATION_GRACE_S = 10.0
COMMAND = (sys.executable, "-m", "clipmill_job")
# The argument that makes the package run a discover task.
DISCOVER = "discover"
MAX_LINE_CHARS = 300


class JobProcess(Protocol):
    """A started job."""

    def poll(self) -> int | None:
        """Return the exit code, or None while the process runs."""

    def terminate(self) -> None:
        """End the process and wait for its end."""

    def last_line(self) -> str:
        """Return the last line of the process's log."""


class StartJob(Protocol):
    """Starts the job of one task."""

    def __call__(self, stage: Stage, task_index: int, key: str) -> JobProcess:
        """Start the job of task `task_index` of `stage` with an API key of that stage."""


class JobLauncher:
    """Starts jobs, each in a scratch folder that is deleted when the job ends.

    Args:
        api_url: URL of the API.
        folder: Folder of logs and scratch folders.
        state: State folder of the API, if its store is there: jobs link files instead of
            transferring them.
        fork_server: Process to fork jobs from; without it each loads its modules by itself.
    """

    def __init__(
        self,
        api_url: str,
        folder: Path,
        *,
        state: Path | None = None,
        fork_server: ForkServer | None = None,
    ) -> None:
        self._api_url = api_url
        self._folder = folder
        self._state = {"CLIPMILL_STATE": str(state)} if state else {}
        self._fork_server = fork_server
        folder.mkdir(parents=True, exist_ok=True)
        for kind in (*Stage, DISCOVER):  # scratch folders of a server that was killed
            for leftover in folder.glob(f"{kind}-*-*"):
                shutil.rmtree(leftover, ignore_errors=True)

    def __call__(self, stage: Stage, task_index: int, key: str) -> JobProcess:
        """Start the job of one task."""
        log = self._folder / f"{stage}-{task_index}.log"
        scratch = self._scratch(f"{stage}-{task_index}")
        environ = job_environ(self._api_url, key, task_index, scratch) | self._state
        return self._launch((), environ, scratch, log)

    def discover(self, episode_id: str, key: str) -> JobProcess:
        """Start the discover task of an episode."""
        # One log for all: a show has ever more episodes.
        log = self._folder / f"{DISCOVER}.log"
        scratch = self._scratch(f"{DISCOVER}-{episode_id}")
        return self._launch((DISCOVER,), job_environ(self._api_url, key, 0, scratch), scratch, log)

    def _scratch(self, name: str) -> Path:
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self._folder))

    def _launch(
        self, arguments: Sequence[str], environ: dict[str, str], scratch: Path, log: Path
    ) -> JobProcess:
        if self._fork_server is not None:
            with suppress(ForkServerLost):
                pid = self._fork_server.start(arguments, environ, cwd=scratch, log=log)
                return _ForkedProcess(self._fork_server, pid, scratch, log)
        return _ChildProcess((*COMMAND, *arguments), environ, scratch, log)


def job_environ(api_url: str, key: str, task_index: int, scratch: Path) -> dict[str, str]:
    """Return a job's whole environment: the variables of a pod, PATH and the scratch folder."""
    return {
        "CLIPMILL_API_URL": api_url,
        "CLIPMILL_API_KEY": key,
        "JOB_COMPLETION_INDEX": str(task_index),
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        **fault_points.variables(os.environ),
    }


def _last_line(log: Path) -> str:
    """Return the last line of a log, cut to MAX_LINE_CHARS."""
    text = log.read_text(errors="replace").strip() if log.exists() else ""
    return text.rsplit("\n", 1)[-1][:MAX_LINE_CHARS]


class _ForkedProcess:
    def __init__(self, server: ForkServer, pid: int, scratch: Path, log: Path) -> None:
        self._server = server
        self._scratch = scratch
        self._log = log
        self.pid = pid

    def poll(self) -> int | None:
        """Return the exit code, or None while the process runs; delete its scratch at the end."""
        exit_code = self._server.exit_code(self.pid)
        if exit_code is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
        return exit_code

    def terminate(self) -> None:
        """Send SIGTERM, and SIGKILL after TERMINATION_GRACE_S."""
        end_process(self._server, self.pid, TERMINATION_GRACE_S)
        self.poll()

    def last_line(self) -> str:
        """Return the last line of the log."""
        return _last_line(self._log)


class _ChildProcess:
    def __init__(
        self, command: Sequence[str], environ: dict[str, str], scratch: Path, log: Path
    ) -> None:
        self._scratch = scratch
        self._log = log
        with log.open("wb") as out:
            # A session of its own, so that Ctrl-C in the terminal does not reach the job.
            self._process = subprocess.Popen(  # noqa: S603  an argument tuple, no shell
                command,
                env=environ,
                cwd=scratch,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def poll(self) -> int | None:
        """Return the exit code, or None while the process runs; delete its scratch at the end."""
        exit_code = self._process.poll()
        if exit_code is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)
        return exit_code

    def terminate(self) -> None:
        """Send SIGTERM, and SIGKILL after TERMINATION_GRACE_S."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(TERMINATION_GRACE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self.poll()

    def last_line(self) -> str:
        """Return the last line of the log."""
        return _last_line(self._log)
