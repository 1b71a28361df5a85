"""The process that jobs are forked from, so that each starts without loading Python's modules."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Self

from clipmill import fault_points
from clipmill.protocol import ExitCode

COMMAND = (sys.executable, "-m", "clipmill_job.prefork")
MAX_MESSAGE_BYTES = 4096
POLL_INTERVAL_S = 0.02


class ForkServerLost(Exception):
    """The process has ended. Jobs can be started without it."""


class ForkServer:
    """Starts its process at the first job, or by `preload()`, and ends it with its `with` block.

    Jobs that still run then go on.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        self._exit_codes: dict[int, int] = {}
        self._is_lost = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None and self._process is not None:
            self._connection.close()
            self._process.kill()
            self._process.wait()

    def preload(self) -> Self:
        """Start the process, which loads its modules meanwhile."""
        with self._lock:
            self._connect()
        return self

    def start(
        self, arguments: Sequence[str], environ: Mapping[str, str], *, cwd: Path, log: Path
    ) -> int:
        """Start a job and return its process id.

        Args:
            arguments: Arguments of `python -m clipmill_job`.
            environ: The job's whole environment.
            cwd: Its folder.
            log: File of its output.

        Raises:
            ForkServerLost: The process has ended.
        """
        request = {"arguments": list(arguments), "environ": dict(environ)}
        message = json.dumps({**request, "cwd": str(cwd), "log": str(log)}).encode()
        with self._lock:
            connection = self._connect()
            try:
                connection.send(message)
            except OSError as error:
                self._is_lost = True
                raise ForkServerLost from error
            while not self._is_lost:
                started = self._receive(connection)
                if started is not None:
                    return started
        raise ForkServerLost

    def exit_code(self, pid: int) -> int | None:
        """Return the exit code of a job, or None while it runs.

        If this process's end cannot be known any more, it counts as one to try again.
        """
        with self._lock:
            connection = self._connect()
            while not self._is_lost and select.select([connection], [], [], 0)[0]:
                self._receive(connection)
            if pid in self._exit_codes or not self._is_lost or Path(f"/proc/{pid}").exists():
                return self._exit_codes.get(pid)
            return ExitCode.RETRY

    def _connect(self) -> socket.socket:
        if self._connection is None:
            self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            environ = {"PATH": os.environ.get("PATH", os.defpath)}
            with theirs:
                # A session of its own, so that Ctrl-C in the terminal does not reach it.
                self._process = subprocess.Popen(  # noqa: S603  an argument tuple, no shell
                    COMMAND,
                    env={**environ, **fault_points.variables(os.environ)},
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
        return self._connection

    def _receive(self, connection: socket.socket) -> int | None:
        """Take one message. Return the id of a process that has been started."""
        try:
            text = connection.recv(MAX_MESSAGE_BYTES)
        except OSError:
            text = b""
        if not text:
            self._is_lost = True
            return None
        message = json.loads(text)
        if "started" in message:
            return int(message["started"])
        self._exit_codes[message["ended"]] = message["exit"]
        return None


def end_process(server: ForkServer, pid: int, grace_s: float) -> None:
    """Send SIGTERM to a job, and SIGKILL after `grace_s` seconds; wait for its end."""
    for number, wait_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, grace_s)):
        until = time.monotonic() + wait_s
        if server.exit_code(pid) is None:
            os.kill(pid, number)
        while server.exit_code(pid) is None and time.monotonic() < until:
            time.sleep(POLL_INTERVAL_S)
