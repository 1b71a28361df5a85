"""Claim a task for this process, and end when the process is asked to."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import time
from collections.abc import Callable
from typing import TypeVar

from clipmill.protocol import INTERRUPTED
from clipmill_client.api_connection import UNTRUSTED
from clipmill_client.errors import RetryableError
from clipmill_job.heartbeat_sender import HeartbeatSender

# How long a task may be held by another process before this one ends and is started again.
CLAIM_TIMEOUT_S = 180.0
CLAIM_RETRY_S = 1.0
A = TypeVar("A")


class Termination:
    """Whether the process is to end, by SIGTERM: the task that it works on, and between tasks."""

    def __init__(self) -> None:
        self._error: RetryableError | None = None
        self._heartbeat: HeartbeatSender | None = None

    def watch(self, heartbeat: HeartbeatSender) -> None:
        """Interrupt the task of this heartbeat from now on. Before the first, SIGTERM kills."""
        self._heartbeat = heartbeat
        signal.signal(signal.SIGTERM, lambda *_: self._terminate())
        if self._error is not None:
            self._terminate()

    def check(self) -> None:
        """Raise RetryableError if the process is to end."""
        if self._error is not None:
            raise self._error

    def _terminate(self) -> None:
        self._error = RetryableError(INTERRUPTED, "received SIGTERM")
        if self._heartbeat is not None:
            self._heartbeat.interrupt("received SIGTERM")


def holder_name(pod: str) -> str:
    """Return a name of this process, by which the API sees its repeated claims as one.

    It starts with the name of the pod, by which the operator knows whose task a pod has held.
    """
    return f"{pod or socket.gethostname()[:60]}-{os.getpid()}-{secrets.token_hex(4)}"


def claim_when_free(claim: Callable[[], A], check: Callable[[], None] = lambda: None) -> A:
    """Return the assignment, once no other process holds the task or fetches what it needs.

    Args:
        claim: Claims the task.
        check: Called before each attempt. It raises if there is no use in waiting.
    """
    until = time.monotonic() + CLAIM_TIMEOUT_S
    while True:
        check()
        try:
            return claim()
        except RetryableError as error:
            # This process does not get other CAs; the next one may.
            if time.monotonic() > until or error.code == UNTRUSTED:
                raise
            time.sleep(CLAIM_RETRY_S)
