"""Run a child of the prober: forked from a process with the decoders, or else a new process."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from threading import Lock

# -I: neither the current folder nor PYTHON* variables decide what a child imports.
PYTHON = (sys.executable, "-I", "-m")
MAX_MESSAGE_BYTES = 64
CHUNK_BYTES = 65_536


class DecoderProcessLost(Exception):
    """The process with the decoders has ended."""


class _DecoderProcess:
    """A process that starts with the first child, and ends with this one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None

    def forget(self) -> None:
        """Use no process of another one: a fork of this process starts its own."""
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            self._process.returncode = 0  # no child of this process, which cannot wait for it
        # The lock may have been held by a thread that this process does not have.
        self._lock = Lock()
        self._process = self._connection = None

    def close(self) -> None:
        """End the process."""
        with self._lock:
            if self._connection is not None and self._process is not None:
                self._connection.close()
                self._process.wait()
            self._process = self._connection = None

    def start(self, arguments: Sequence[str], output: int, replies: int) -> None:
        """Start a child. Raise DecoderProcessLost."""
        request = json.dumps(arguments).encode()
        with self._lock:
            try:
                socket.send_fds(self._connect(), [request], [output, replies])
            except OSError as error:
                raise DecoderProcessLost from error

    def _connect(self) -> socket.socket:
        if self._connection and self._process and self._process.poll() is not None:
            self._connection.close()
            self._connection = None
        if self._connection is None:
            self._connection, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                command = (*PYTHON, "clipmill_probe.children.decoder_process")
                self._process = _popen(command, theirs.fileno(), subprocess.DEVNULL)
        return self._connection


_decoders = _DecoderProcess()
atexit.register(_decoders.close)
os.register_at_fork(after_in_child=_decoders.forget)


def run_child(arguments: Sequence[str], *, timeout_s: float) -> tuple[bytes, int]:
    """Run `python -m clipmill_probe` with these arguments.

    Args:
        arguments: The arguments; a file by its absolute path.
        timeout_s: Time after which the child is killed, in seconds.

    Returns:
        What it printed, and its exit code: negative for a signal.

    Raises:
        TimeoutError: It has not ended in time.
    """
    with contextlib.suppress(DecoderProcessLost):
        return _run_forked(arguments, timeout_s)
    return _run_new(arguments, timeout_s)


def _run_forked(arguments: Sequence[str], timeout_s: float) -> tuple[bytes, int]:
    deadline = time.monotonic() + timeout_s
    output, theirs = os.pipe()
    # Closing it kills a child that has not ended.
    reply, their_reply = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with reply, open(output, "rb", buffering=0) as reader:
        try:
            _decoders.start(arguments, theirs, their_reply.fileno())
        finally:
            os.close(theirs)
            their_reply.close()
        printed = _read_all(reader.fileno(), deadline)
        return printed, _exit_code(reply, deadline)


def _read_all(descriptor: int, deadline: float) -> bytes:
    chunks: list[bytes] = []
    while True:
        _wait(descriptor, deadline)
        chunk = os.read(descriptor, CHUNK_BYTES)
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)


def _exit_code(reply: socket.socket, deadline: float) -> int:
    _wait(reply.fileno(), deadline)
    message = reply.recv(MAX_MESSAGE_BYTES)
    if not message:
        raise DecoderProcessLost
    return int(message)


def _wait(descriptor: int, deadline: float) -> None:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN | select.POLLHUP)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise TimeoutError


def _run_new(arguments: Sequence[str], timeout_s: float) -> tuple[bytes, int]:
    command = (*PYTHON, "clipmill_probe", *arguments)
    child = _popen(command, subprocess.DEVNULL, subprocess.PIPE)
    try:
        printed, _ = child.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
    finally:
        _end(child)
    return printed, child.returncode


def _popen(command: Sequence[str], stdin: int, stdout: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603  an argument tuple, no shell
        command,
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.defpath, "LANG": "C.UTF-8"},
        # A forked child does not know the current folder of the process that probes.
        cwd=os.sep,
        start_new_session=True,
    )


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    if child.stdout:
        child.stdout.close()
