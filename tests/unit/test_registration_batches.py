"""Registrations of several workers in one request."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from clipmill.protocol import RegisteredPlan, Registration
from clipmill.spec import CompilationSpec
from clipmill_client.errors import ClientError, PermanentError, RetryableError
from clipmill_operator.reconciling.registration_batches import (
    MAX_BATCHED_CLIPS,
    RegistrationBatches,
)
from operator_objects import FETCHING

WORKERS = 6
PLAN = RegisteredPlan(**dict(FETCHING))


def registration(clips: int = 1) -> Registration:
    """Return a registration of so many clips."""
    spec = CompilationSpec.model_validate({"clips": [{"mediaId": "m-0001"}] * clips})
    return Registration(namespace="default", name="a", generation=1, owner="o", spec=spec)


class BatchingApi:
    """Holds up the first request until `others_wait` is set, as a busy API does."""

    def __init__(self, error: ClientError | None = None) -> None:
        self.error, self.sent = error, list[list[str]]()
        self.is_busy, self.others_wait = Event(), Event()

    def register(self, uid: str, _: Registration, *, with_key: bool) -> RegisteredPlan:
        """Return a plan, or refuse the uid `refused`."""
        assert with_key
        self.sent.append([uid])
        if not self.is_busy.is_set():
            self.is_busy.set()
            self.others_wait.wait(10)
        if uid == "refused":
            raise PermanentError("QuotaExceeded", "no seconds are left", status=403)
        return PLAN

    def register_many(
        self, registrations: Sequence[tuple[str, Registration]]
    ) -> list[RegisteredPlan | ClientError]:
        """Return a plan of each, except for the uid `refused`."""
        uids = [uid for uid, _ in registrations]
        self.sent.append(uids)
        if self.error:
            raise self.error
        refusal = PermanentError("QuotaExceeded", "no seconds are left", status=403)
        return [refusal if uid == "refused" else PLAN for uid in uids]


def results(api: BatchingApi, uids: Sequence[str]) -> dict[str, RegisteredPlan | ClientError]:
    """Register one, and the others while it is under way. Return what each worker gets."""
    batches = RegistrationBatches(api)  # type: ignore[arg-type]

    def register(uid: str) -> RegisteredPlan | ClientError:
        try:
            return batches.register(uid, registration())
        except ClientError as error:
            return error

    with ThreadPoolExecutor(WORKERS) as pool:
        running = {uids[0]: pool.submit(register, uids[0])}
        assert api.is_busy.wait(10)
        running |= {uid: pool.submit(register, uid) for uid in uids[1:]}
        while len(batches._waiting) < len(uids) - 1:
            pass
        api.others_wait.set()
        return {uid: future.result(10) for uid, future in running.items()}


def test_those_that_wait_are_sent_together() -> None:
    """While one request is under way, all others of the workers become one."""
    api = BatchingApi()
    uids = [f"u{i}" for i in range(WORKERS)]
    assert results(api, uids) == dict.fromkeys(uids, PLAN)
    assert [sorted(sent) for sent in api.sent] == [["u0"], uids[1:]]


def test_a_refusal_reaches_its_worker_alone() -> None:
    """The others of its batch get their plans."""
    got = results(BatchingApi(), ["u0", "u1", "refused", "u2"])
    assert [got[uid] for uid in ("u0", "u1", "u2")] == [PLAN] * 3
    assert isinstance(got["refused"], PermanentError)
    assert got["refused"].code == "QuotaExceeded"


@pytest.mark.parametrize(
    ("error", "sent"),
    [
        # An older API does not know the route; one that cannot read one item refuses all.
        (PermanentError("NotFound", "no such route", status=404), 3),
        (PermanentError("Invalid", "registrations[1]: unknown field", status=422), 3),
        (RetryableError("Unreachable", "no answer"), 0),
    ],
)
def test_a_failed_batch(error: ClientError, sent: int) -> None:
    """A refused batch is sent one by one; after an outage each worker tries again later."""
    api = BatchingApi(error)
    got = results(api, ["u0", "u1", "refused", "u2"])
    assert len(api.sent) == 2 + sent
    if sent:
        assert (got["u1"], got["u2"]) == (PLAN, PLAN)
        assert isinstance(got["refused"], PermanentError)
    else:
        assert [got[uid] for uid in ("u1", "refused", "u2")] == [error] * 3


def test_a_long_spec_is_sent_alone() -> None:
    """It waits for no other, and cannot exceed the limit of a request's body together with them."""
    api = BatchingApi()
    api.others_wait.set()
    batches = RegistrationBatches(api)  # type: ignore[arg-type]
    assert batches.register("long", registration(MAX_BATCHED_CLIPS + 1)) == PLAN
    assert api.sent == [["long"]]
