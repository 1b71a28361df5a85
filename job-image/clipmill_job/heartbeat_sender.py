"""Send progress and log lines to the API at most every 2 s, and learn whether to go on."""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Callable
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Self

from clipmill.protocol import INTERRUPTED, Directive, Heartbeat, HeartbeatReply
from clipmill_client.errors import ClientError, PermanentError, RetryableError
from clipmill_job.errors import LeaseLostError

INTERVAL_S = 2.0
MAX_LINES = 100
SendHeartbeat = Callable[[Heartbeat], HeartbeatReply]


class HeartbeatSender:
    """Renews a task's lease in a thread, within its `with` block."""

    def __init__(
        self,
        send: SendHeartbeat,
        *,
        epoch: int,
        lease_s: float,
        index: int = 0,
        interval_s: float = INTERVAL_S,
    ) -> None:
        self._call = send
        self._epoch = epoch
        self._index = index
        self._interval_s = interval_s
        self._percent = 0
        self._lines: deque[str] = deque(maxlen=MAX_LINES)
        self._stopped = Event()
        self._error: ClientError | None = None
        self._lease_until = time.monotonic() + lease_s
        self._sending = Lock()
        self._thread = Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def report(self, percent: float, line: str = "") -> None:
        """Set the task's progress, which never goes back, and add a log line to the next call.

        Args:
            percent: Progress of the task, 0 to 100.
            line: What happens now; the last one is the task's message.
        """
        self._percent = max(self._percent, min(100, int(percent)))
        if line:
            self._lines.append(line[:1000])

    def interrupt(self, reason: str) -> None:
        """Make `check` raise RetryableError: the task may be started again at once."""
        self._error = RetryableError(INTERRUPTED, reason)

    def check(self) -> None:
        """Raise LeaseLostError if the lease is lost, RetryableError if the process is to end."""
        if self._error is not None:
            raise self._error

    def flush(self) -> None:
        """Send the lines that wait for the next call, which is not made once the task has ended."""
        if self._lines and self._error is None:
            with contextlib.suppress(ClientError):
                self._send_lines()

    def _run(self) -> None:
        while not self._stopped.wait(self._interval_s):
            try:
                self._send_lines()
            except RetryableError:
                if time.monotonic() > self._lease_until:
                    self._error = RetryableError(
                        "LeaseUncertain", "the API did not renew the lease before it expired"
                    )
            except PermanentError as error:
                self._error = LeaseLostError(error.code, error.detail)
            except Exception as error:  # without heartbeats the task must not go on
                self._error = RetryableError("HeartbeatFailed", f"{type(error).__name__}: {error}")
            if self._error is not None:
                return

    def _send_lines(self) -> None:
        with self._sending:
            lines = [self._lines.popleft() for _ in range(len(self._lines))]
            try:
                self._send(lines)
            except RetryableError:
                self._lines.extendleft(reversed(lines))
                raise

    def _send(self, lines: list[str]) -> None:
        heartbeat = Heartbeat(
            index=self._index,
            epoch=self._epoch,
            percent=self._percent,
            message=lines[-1][:300] if lines else "",
            log=lines,
        )
        reply = self._call(heartbeat)
        self._lease_until = time.monotonic() + reply.lease_s
        if reply.directive is Directive.STOP:
            self._error = LeaseLostError("Stopped", reply.reason or "the API replied Stop")
