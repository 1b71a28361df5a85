"""The process that plans, as the API sees it. It is started for the first large plan."""

from __future__ import annotations

import subprocess
import sys
import threading
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.connection import Connection, Pipe
from typing import TYPE_CHECKING, Any

from clipmill_api.database import no_answer
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.settings import Settings

if TYPE_CHECKING:
    from clipmill_api.planner.plan_calls import PlanCall

# Below the time-outs of clients, so that a request that waits in vain is answered.
MAX_WAIT_S = 20.0
# The largest spec takes a second on a slow processor.
TIMEOUT_S = 30.0
# It ends when it is not used, so it may be gone when the next call is sent.
ATTEMPTS = 2


@dataclass(frozen=True, slots=True)
class PlanReply:
    """What the process sends: JSON, or how the call failed."""

    body: bytes = b""
    # Arguments of an ApiProblem, and its facts.
    problem: tuple[int, str, str] | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    # Whether the database did not answer.
    is_unavailable: bool = False
    # Traceback of an unexpected error.
    error: str = ""

    def content(self) -> bytes:
        """Return the JSON.

        Raises:
            ApiProblem: The call was refused.
            UNAVAILABLE: The database did not answer.
            RuntimeError: An unexpected error.
        """
        if self.problem is not None:
            raise ApiProblem(*self.problem, **self.facts)
        if self.is_unavailable:
            raise no_answer("the database did not answer the planner")
        if self.error:
            raise RuntimeError(f"the planner failed:\n{self.error}")
        return self.body


class PlanProcess:
    """Runs calls one after the other in a process of low priority.

    Args:
        settings: Settings of the API. The process gets none of its keys.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = _without_keys(settings)
        self._lock = threading.Lock()
        self._connection: Connection[Any, Any] | None = None
        self._child: subprocess.Popen[bytes] | None = None

    def run(self, call: PlanCall, now: datetime) -> bytes:
        """Return the reply of a call. Raise what it raised, or 503 PlannerBusy."""
        if not self._lock.acquire(timeout=MAX_WAIT_S):
            raise _busy("other plans are made")
        try:
            reply = self._exchange(call, now)
        finally:
            self._lock.release()
        return reply.content()

    def _exchange(self, call: PlanCall, now: datetime) -> PlanReply:
        for _ in range(ATTEMPTS):
            connection = self._connection or self._start()
            try:
                connection.send((call, now))
                if connection.poll(TIMEOUT_S):
                    reply: PlanReply = connection.recv()
                    return reply
            except (EOFError, OSError):
                self._end()
            else:
                self._end()
                raise _busy(f"the plan was not made within {TIMEOUT_S:g} s")
        raise _busy("the planner ended")

    def _start(self) -> Connection[Any, Any]:
        own, its = Pipe()
        # -I: neither the current folder nor PYTHON* variables decide what it imports.
        argv = (sys.executable, "-I", "-m", "clipmill_api.planner", str(its.fileno()))
        with its:
            self._child = subprocess.Popen(  # noqa: S603  an argument tuple, no shell
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={"LANG": "C.UTF-8"},
                pass_fds=(its.fileno(),),
            )
        self._connection = own
        own.send(self._settings)
        return own

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._child is not None:
            self._child.kill()
            self._child.wait()
        self._connection = self._child = None


def _without_keys(settings: Settings) -> Settings:
    keys = ("admin_key", "operator_key", "default_owner_key", "credential_keys")
    return settings.model_copy(update={**dict.fromkeys(keys, ""), "credential_keys_file": None})


def _busy(cause: str) -> ApiProblem:
    return ApiProblem(503, "PlannerBusy", f"the spec cannot be planned now: {cause}")
