"""Progress up, a word whether to go on down: one coalesced call at most every 2 seconds."""

from __future__ import annotations

import time
from collections import deque
from threading import Event, Thread
from types import TracebackType
from typing import Self

from clipmill.protocol import Assignment, Directive, Heartbeat
from clipmill_client.client import Client
from clipmill_client.errors import PermanentError, RetryableError
from clipmill_job.errors import JobError, Leave, TryAgain

EVERY_S = 2.0
MAX_LINES = 100


class Beat:
    """Keeps a part's lease alive while in its `with` block; `check` raises when it is lost."""

    def __init__(self, client: Client, order: Assignment, every_s: float = EVERY_S) -> None:
        self._client = client
        self._order = order
        self._every_s = every_s
        self._percent = 0
        self._lines: deque[str] = deque(maxlen=MAX_LINES)
        self._over = Event()
        self._lost: JobError | None = None
        self._good_until = time.monotonic() + order.lease_s
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
        self._over.set()
        self._thread.join()

    def progress(self, percent: float, line: str = "") -> None:
        """Tell how far the part is, 0 to 100, and what happens now."""
        self._percent = max(self._percent, min(100, int(percent)))
        if line:
            self._lines.append(line[:1000])

    def interrupt(self, why: str) -> None:
        """The process is asked to leave: the part may be tried again at once."""
        self._lost = TryAgain("Interrupted", why)

    def check(self) -> None:
        """Raises Leave when the part is no longer ours, TryAgain when we are asked to go."""
        if self._lost is not None:
            raise self._lost

    def _run(self) -> None:
        while not self._over.wait(self._every_s):
            lines = [self._lines.popleft() for _ in range(len(self._lines))]
            try:
                self._once(lines)
            except RetryableError:
                self._lines.extendleft(reversed(lines))
                if time.monotonic() > self._good_until:
                    self._lost = TryAgain("LeaseUncertain", "the API did not answer in time")
            except PermanentError as error:
                self._lost = Leave(error.code, error.detail)
            if self._lost is not None:
                return

    def _once(self, lines: list[str]) -> None:
        message = lines[-1][:300] if lines else ""
        beat = Heartbeat(
            index=self._order.index,
            epoch=self._order.epoch,
            percent=self._percent,
            message=message,
            log=lines,
        )
        reply = self._client.heartbeat(beat)
        self._good_until = time.monotonic() + reply.lease_s
        if reply.directive is Directive.STOP:
            self._lost = Leave("Stopped", reply.reason or "the API said: stop")
