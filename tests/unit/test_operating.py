"""`serve` as operator: which compilations it takes, and what it does with one it cannot end."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from clipmill.protocol import Active, FailedTasks, Plan, QuotaEffect, Stage, State
from clipmill_cli.local.embedded_operator import LocalOperator, Stopped
from clipmill_client.errors import RetryableError

QUOTA = QuotaEffect(estimated_seconds=1, remaining_seconds=None, limit_seconds=None)


def active(uid: str, stage: Stage = Stage.FETCH) -> Active:
    """A compilation that has not ended."""
    return Active(
        uid=uid,
        id="c-0123",
        name="friday",
        namespace="default",
        owner="ada",
        generation=1,
        state=State.FETCHING,
        stage=stage,
        clips=[],
        created_at="",
    )


class FakeAPI:
    """Waits for jobs but names none: no runner can do anything for it."""

    def __init__(self, *found: Active) -> None:
        self.found = list(found)
        self.told: list[FailedTasks] = []
        self.unreachable = False

    def active(self) -> list[Active]:
        """What has not ended."""
        if self.unreachable:
            raise RetryableError("Unreachable", "gone for a moment")
        return self.found

    def plan(self, uid: str) -> Plan:
        """A plan in which there is nothing to do."""
        return Plan(
            compilation_id="c-0123",
            generation=1,
            state=State.FETCHING,
            clips=[],
            outputs=[],
            quota=QUOTA,
        )

    def failed(self, uid: str, news: FailedTasks) -> Plan:
        """Keeps what it was told."""
        self.told.append(news)
        return self.plan(uid)


def operator(api: FakeAPI) -> Any:
    """An operator whose thread is not started."""
    return LocalOperator(SimpleNamespace(operator=api), None, workers=1)  # type: ignore[arg-type]


def test_only_what_was_submitted_is_taken() -> None:
    """What `render` left, and what a cluster's resources are, belongs to others."""
    api = FakeAPI(active("local-default.friday"), active("6f9c2f4e-1111"), active("r-0123"))
    assert [one.uid for one in operator(api)._waiting()] == ["r-0123"]


def test_one_that_cannot_be_ended_is_told_once_and_left() -> None:
    """The API hears why, and the next one gets its turn."""
    api = FakeAPI(active("r-0123"))
    found = operator(api)
    assert found._one() is True
    assert [news.message for news in api.told] == ["the API waits for fetch jobs but names none"]
    assert found._one() is False
    assert len(api.told) == 1


def test_an_api_that_is_gone_for_a_moment_is_asked_again() -> None:
    """Nothing is given up for it."""
    api = FakeAPI(active("r-0123"))
    found = operator(api)
    api.unreachable = True
    assert found._one() is False
    api.unreachable = False
    assert [one.uid for one in found._waiting()] == ["r-0123"]


def test_the_end_of_the_server_ends_a_pause() -> None:
    """A runner in the middle of its work leaves by it, and sends its jobs home."""
    found = operator(FakeAPI())
    found._stop.set()
    with pytest.raises(Stopped):
        found._pause(1000)
