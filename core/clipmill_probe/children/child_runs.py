"""Run a child of the prober: forked from a process with the decoders, or else a new process."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Sequence

from clipmill_probe.children.child_server import (
    PYTHON,
    ChildServer,
    ServerLost,
    start_isolated,
    wait_readable,
)

CHUNK_BYTES = 65_536
_decoders = ChildServer("clipmill_probe.children.decoder_process")


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
    with contextlib.suppress(ServerLost):
        return _run_forked(arguments, timeout_s)
    return _run_new(arguments, timeout_s)


def _run_forked(arguments: Sequence[str], timeout_s: float) -> tuple[bytes, int]:
    deadline = time.monotonic() + timeout_s
    output, theirs = os.pipe()
    with open(output, "rb", buffering=0) as reader, open(os.devnull, "r+b", buffering=0) as nothing:
        try:
            child = _decoders.start(arguments, (nothing.fileno(), theirs, nothing.fileno()))
        finally:
            os.close(theirs)
        with contextlib.closing(child):
            printed = _read_all(reader.fileno(), deadline)
            return printed, child.exit_code(deadline - time.monotonic())


def _read_all(descriptor: int, deadline: float) -> bytes:
    chunks: list[bytes] = []
    while True:
        wait_readable(descriptor, deadline)
        chunk = os.read(descriptor, CHUNK_BYTES)
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)


def _run_new(arguments: Sequence[str], timeout_s: float) -> tuple[bytes, int]:
    command = (*PYTHON, "clipmill_probe", *arguments)
    child = start_isolated(command, subprocess.DEVNULL, subprocess.PIPE)
    try:
        printed, _ = child.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
    finally:
        _end(child)
    return printed, child.returncode


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    if child.stdout:
        child.stdout.close()
