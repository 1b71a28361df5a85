"""Start children of a server: a process that starts with the first child."""

from __future__ import annotations

import atexit
import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock

# -I: neither the current folder nor PYTHON* variables decide what a child imports.
PYTHON = (sys.executable, "-I", "-m")
MAX_MESSAGE_BYTES = 64


class ServerLost(Exception):
    """The server has ended."""


class ForkedChild:
    """A child of a server.

    Args:
        reply: The socket on which the server reports its exit code.
    """

    def __init__(self, reply: socket.socket) -> None:
        self._reply = reply

    def exit_code(self, timeout_s: float) -> int:
        """Wait for its exit code: negative for a signal.

        Raises:
            TimeoutError: It has not ended in time.
            ServerLost: The server has ended, and the child with it.
        """
        wait_readable(self._reply.fileno(), time.monotonic() + timeout_s)
        message = self._reply.recv(MAX_MESSAGE_BYTES)
        if not message:
            raise ServerLost
        return int(message)

    def close(self) -> None:
        """Kill the child with its process group, unless it has ended."""
        self._reply.close()


class ChildServer:
    """A server that ends with this process; a fork of this process starts its own.

    Args:
        module: Module that calls `child_forks.serve_parent`.
    """

    def __init__(self, module: str) -> None:
        self._module = module
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        atexit.register(self.close)
        os.register_at_fork(after_in_child=self._forget)

    def _forget(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            self._process.returncode = 0  # no child of this process, which cannot wait for it
        # The lock may have been held by a thread that this process does not have.
        self._lock = Lock()
        self._process = self._connection = None

    def close(self) -> None:
        """End the server and its children."""
        with self._lock:
            if self._connection is not None and self._process is not None:
                self._connection.close()
                self._process.wait()
            self._process = self._connection = None

    def start(
        self,
        arguments: Sequence[str],
        standard: tuple[int, int, int],
        *,
        cwd: Path | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> ForkedChild:
        """Start a child.

        Args:
            arguments: Its arguments.
            standard: Descriptors of its standard input, output and errors.
            cwd: Its working directory; the server's, which is /, without one.
            environ: Its whole environment, if it has a working directory of its own.

        Raises:
            ServerLost: The server has ended.
        """
        request: dict[str, object] = {"arguments": list(arguments)}
        if cwd is not None:
            request |= {"cwd": str(cwd), "environ": dict(environ or {})}
        reply, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, self._lock:
            try:
                descriptors = [*standard, theirs.fileno()]
                socket.send_fds(self._connect(), [json.dumps(request).encode()], descriptors)
            except OSError as error:
                reply.close()
                raise ServerLost from error
        return ForkedChild(reply)

    def _connect(self) -> socket.socket:
        if self._connection and self._process and self._process.poll() is not None:
            self._connection.close()
            self._connection = None
        if self._connection is None:
            self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                self._process = start_isolated(
                    (*PYTHON, self._module), theirs.fileno(), subprocess.DEVNULL
                )
        return self._connection


def start_isolated(command: Sequence[str], stdin: int, stdout: int) -> subprocess.Popen[bytes]:
    """Start a process with no environment of this one, in the folder /."""
    return subprocess.Popen(  # noqa: S603  an argument tuple, no shell
        command,
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.defpath, "LANG": "C.UTF-8"},
        # A forked child does not know the current folder of the process that started it.
        cwd=os.sep,
        start_new_session=True,
    )


def wait_readable(descriptor: int, deadline: float) -> None:
    """Wait until a descriptor can be read. Raise TimeoutError at a time of the monotonic clock."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN | select.POLLHUP)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeoutError
