"""Registrations of many resources in one request, on both databases."""

from __future__ import annotations

import uuid
from pathlib import Path

from clipmill.protocol import CompilationState, RegisteredPlan, Registration, Stage
from clipmill.spec import CompilationSpec
from clipmill_client.errors import PermanentError
from harness import SMALL, Harness, library_clip
from service_statements import StatementCounter

COUNT = 10
# Of each further registration of a batch; one by itself takes more (test_api_statements.py).
MAX_STATEMENTS_OF_NEXT = 9


def registration(owner: str, media_id: str) -> Registration:
    """Return the registration of a compilation of one clip."""
    clip = {"mediaId": media_id, "end": "1s"}
    spec = CompilationSpec.model_validate({"clips": [clip], "outputs": [SMALL]})
    return Registration(namespace="default", name="batch", generation=1, owner=owner, spec=spec)


def test_a_batch(api: Harness, two_seconds: Path) -> None:
    """Each gets its own plan and a key with which its stage can be claimed; repeats change none."""
    owner, user = api.user()
    media_id = library_clip(user, two_seconds).id
    batch = [(uuid.uuid4().hex, registration(owner, media_id)) for _ in range(COUNT)]
    plans = api.operator.register_many(batch)
    assert len({plan.compilation_id for plan in plans if isinstance(plan, RegisteredPlan)}) == COUNT
    for plan in plans:
        assert isinstance(plan, RegisteredPlan)
        assert plan.key is not None
        assert plan.key.stage is Stage.ASSEMBLE
        claimed = api.client(plan.key.key).claim(0, "pod")
        assert claimed.compilation_id == plan.compilation_id
    assert user.account().render_reserved_seconds == COUNT
    again = api.operator.register_many(batch)
    for plan, repeated in zip(plans, again, strict=True):
        assert isinstance(plan, RegisteredPlan)
        assert isinstance(repeated, RegisteredPlan)
        assert (repeated.compilation_id, repeated.key) == (plan.compilation_id, None)
    assert user.account().render_reserved_seconds == COUNT


def test_a_refusal_affects_no_other(api: Harness, two_seconds: Path) -> None:
    """The others of a batch are registered, and the refused one has its code and status."""
    owner, user = api.user()
    media_id = library_clip(user, two_seconds).id
    batch = [(uuid.uuid4().hex, registration(name, media_id)) for name in (owner, "nobody", owner)]
    first, refused, last = api.operator.register_many(batch)
    assert isinstance(refused, PermanentError)
    assert (refused.code, refused.status) == ("UnknownOwner", 422)
    for plan in (first, last):
        assert isinstance(plan, RegisteredPlan)
        assert plan.state is CompilationState.RENDERING
    assert len(user.compilations().items) == 2


def test_statements_of_a_batch(api: Harness, two_seconds: Path) -> None:
    """Each further registration takes fewer statements than one by itself."""
    owner, user = api.user()
    media_id = library_clip(user, two_seconds).id
    count = StatementCounter(api.ctx)
    with count.listening():
        for size in (1, COUNT):
            batch = [(uuid.uuid4().hex, registration(owner, media_id)) for _ in range(size)]
            count.of(str(size), lambda batch=batch: api.operator.register_many(batch))
    further = count.counts[str(COUNT)] - count.counts["1"]
    assert further / (COUNT - 1) <= MAX_STATEMENTS_OF_NEXT
