"""Registrations of several workers in one request: those that wait while another is under way."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from clipmill.protocol import RegisteredPlan, Registration
from clipmill.protocol.operator_messages import MAX_REGISTRATIONS
from clipmill_client.errors import ClientError, PermanentError, RetryableError
from clipmill_client.privileged_calls import OperatorCalls

log = logging.getLogger(__name__)
Result = RegisteredPlan | ClientError
# Longer ones could exceed the limit of a request's body together.
MAX_BATCHED_CLIPS = 50


@dataclass(slots=True)
class _Waiting:
    """A registration, and its result once it was sent."""

    uid: str
    registration: Registration
    result: Result | None = None


class RegistrationBatches:
    """Registers generations, at most one request at a time. Safe for use by several threads."""

    def __init__(self, api: OperatorCalls) -> None:
        self._api = api
        self._waiting: list[_Waiting] = []
        self._lock, self._turn = Lock(), Lock()

    def register(self, uid: str, registration: Registration) -> RegisteredPlan:
        """Register a generation, and return its plan with the key of its first stage.

        Raises:
            ClientError: As of `OperatorCalls.register()`.
        """
        if len(registration.spec.clips) > MAX_BATCHED_CLIPS:
            return self._api.register(uid, registration, with_key=True)
        own = _Waiting(uid, registration)
        with self._lock:
            self._waiting.append(own)
        while own.result is None:
            with self._turn:
                # The thread whose turn came before may have sent this one too.
                if own.result is None:
                    self._send(self._take())
        if isinstance(own.result, ClientError):
            raise own.result
        return own.result

    def _take(self) -> Sequence[_Waiting]:
        with self._lock:
            batch = self._waiting[:MAX_REGISTRATIONS]
            self._waiting = self._waiting[MAX_REGISTRATIONS:]
        return batch

    def _send(self, batch: Sequence[_Waiting]) -> None:
        """Set the result of each, also if an unexpected error ends the thread of this one."""
        results: Sequence[Result] = [RetryableError("NotSent", "its batch failed")] * len(batch)
        try:
            results = self._results(batch)
        finally:
            for each, result in zip(batch, results, strict=True):
                each.result = result

    def _results(self, batch: Sequence[_Waiting]) -> Sequence[Result]:
        """Return the results of one request; what refuses it as a whole is the fault of one."""
        if len(batch) > 1:
            try:
                return self._api.register_many([(w.uid, w.registration) for w in batch])
            except RetryableError as error:
                return [error] * len(batch)
            except PermanentError:
                log.warning("batch refused: %d registrations are sent one by one", len(batch))
        return [self._result(each) for each in batch]

    def _result(self, waiting: _Waiting) -> Result:
        try:
            return self._api.register(waiting.uid, waiting.registration, with_key=True)
        except ClientError as error:
            return error
