"""Pods of the fetch stage claim clip after clip; each clip has its own lease and attempts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from clipmill.protocol import (
    ClipStatus,
    CompilationState,
    FailedTasks,
    Heartbeat,
    HeldFetch,
    Stage,
    TaskFailure,
    TaskResult,
)
from clipmill_client.client import Client
from clipmill_client.errors import ClientError
from harness import Harness
from pods import fetch, url

LEASE_S = 60
FLAKY = TaskFailure(code="SourceFailed", message="503 of the platform", permanent=False)


class Fetching:
    """A compilation with clips to fetch, and a key of its fetch stage."""

    def __init__(self, api: Harness, clips: int) -> None:
        owner, _ = api.user()
        urls = [{"url": url()} for _ in range(clips)]
        self.uid, _ = api.register(owner, {"clips": urls, "onClipError": "Skip"})
        self.api = api
        self.key = api.operator.create_key(self.uid, Stage.FETCH, 1)

    def pod(self) -> Client:
        """Return the client of another pod."""
        return self.api.client(self.key)

    def claimed(self, index: int, holder: str) -> tuple[Client, int, int]:
        """Claim for a job. Return its client, the task and the epoch."""
        pod = self.pod()
        assignment = pod.claim(index, holder)
        assert assignment.fetch is not None
        return pod, assignment.index, assignment.epoch

    def refused(self, index: int, holder: str) -> str:
        """Return the code of the refusal of a claim."""
        return code_of(lambda: self.pod().claim(index, holder))

    def clips(self) -> list[ClipStatus]:
        """Return the clips of the compilation."""
        return self.api.operator.plan(self.uid).clips

    def reasons(self) -> list[str | None]:
        """Return why clips are skipped."""
        return [clip.reason for clip in self.clips()]


def code_of(call: Callable[[], object]) -> str:
    """Return the code of the error of a call."""
    with pytest.raises(ClientError) as refused:
        call()
    return refused.value.code


def test_a_pod_fetches_one_clip_after_the_other(api: Harness, two_seconds: Path) -> None:
    """It starts with the clip of its index, and ends when none is left."""
    fetching = Fetching(api, 3)
    pod = fetching.pod()
    for index in (1, 2, 0):
        fetch(pod, 1, two_seconds)
        assert fetching.clips()[index].state == "Ready"
    assert api.operator.plan(fetching.uid).state is CompilationState.RENDERING
    assert code_of(lambda: pod.claim(1, "pod-1")) == "NothingLeft"


def test_pods_get_different_clips(api: Harness) -> None:
    """A repeated claim gets the same one. A pod waits for its predecessor, not for others."""
    fetching = Fetching(api, 2)
    assert fetching.claimed(0, "a")[1:] == (0, 1)
    assert fetching.claimed(0, "a")[1:] == (0, 1)
    assert fetching.claimed(3, "b")[1:] == (1, 1)
    assert fetching.refused(2, "c") == "NothingLeft"
    assert fetching.refused(0, "a-again") == "Leased"
    plan = api.operator.plan(fetching.uid)
    held = [HeldFetch(index=0, holder="a"), HeldFetch(index=1, holder="b")]
    assert (plan.held_fetches, plan.fetch_claims) == (held, 2)


def test_a_lost_pod_loses_one_clip(api: Harness, two_seconds: Path) -> None:
    """Another pod takes it over; the key of the lost one is dead."""
    fetching = Fetching(api, 2)
    fetch(fetching.pod(), 0, two_seconds)
    lost, index, epoch = fetching.claimed(0, "lost")
    api.clock.advance(LEASE_S + 1)
    assert fetching.claimed(1, "next")[1:] == (index, epoch + 1)
    heartbeat = Heartbeat(index=index, epoch=epoch, percent=1)
    assert code_of(lambda: lost.heartbeat(heartbeat)) == "LeaseLost"
    assert fetching.reasons() == [None, None]


def test_a_clip_that_kills_every_pod_fails_alone(api: Harness, two_seconds: Path) -> None:
    """After four pods it is skipped; the other clips are fetched."""
    fetching = Fetching(api, 2)
    for attempt in range(4):
        assert fetching.claimed(0, f"pod-{attempt}")[1:] == (0, attempt + 1)
        api.clock.advance(LEASE_S + 1)
    pod = fetching.pod()
    settled = pod.claim(0, "pod-5")
    assert (settled.index, settled.fetch) == (0, None)
    pod.result(TaskResult(index=0, epoch=settled.epoch))
    fetch(pod, 0, two_seconds)
    assert fetching.reasons() == ["FetchFailed", None]
    assert api.operator.plan(fetching.uid).state is CompilationState.RENDERING


def test_a_failed_attempt_is_repeated_after_a_pause(api: Harness) -> None:
    """10, 20 and 40 s; its pod waits for it, others need not. The fourth one skips the clip."""
    fetching = Fetching(api, 1)
    for pause_s in (10, 20, 40, None):
        pod, index, epoch = fetching.claimed(0, "pod")
        result = TaskResult(index=index, epoch=epoch, failure=FLAKY)
        pod.result(result)
        pod.result(result)  # the reply was lost
        if pause_s is not None:
            api.clock.advance(pause_s - 3)
            assert fetching.refused(0, "pod") == "Leased"
            assert fetching.refused(1, "other") == "NothingLeft"
            assert fetching.reasons() == [None]
            api.clock.advance(4)
    (clip,) = fetching.clips()
    assert clip.reason == "FetchFailed"
    assert "SourceFailed: 503 of the platform" in (clip.message or "")


def test_an_interrupted_pod_costs_no_attempt(api: Harness) -> None:
    """As at the drain of a node: the next pod goes on at once."""
    fetching = Fetching(api, 1)
    failure = TaskFailure(code="Interrupted", message="received SIGTERM", permanent=False)
    for number in range(6):
        pod, index, epoch = fetching.claimed(0, f"pod-{number}")
        assert epoch == number + 1
        pod.result(TaskResult(index=index, epoch=epoch, failure=failure))
    assert fetching.reasons() == [None]


def test_the_operator_reports_the_end_of_a_pod(api: Harness) -> None:
    """The clip that it held need not wait for the lease. A repeated report counts once."""
    fetching = Fetching(api, 2)
    for number, pause_s in enumerate((10, 20, 40, 0)):
        lost, index, epoch = fetching.claimed(0, f"pod-{number}")
        assert (index, epoch) == (0, number + 1)
        report = FailedTasks(
            stage=Stage.FETCH,
            generation=1,
            indexes=[0],
            message="Pod exited with code 137: OOMKilled",
            holder=f"pod-{number}",
        )
        api.operator.report_failed_tasks(fetching.uid, report)
        assert api.operator.report_failed_tasks(fetching.uid, report).held_fetches == []
        heartbeat = Heartbeat(index=index, epoch=epoch, percent=1)
        assert code_of(lambda pod=lost, sent=heartbeat: pod.heartbeat(sent)) == "LeaseLost"
        api.clock.advance(pause_s + 1)
    first, second = fetching.clips()
    assert (first.reason, second.reason) == ("FetchFailed", None)
    assert "137: OOMKilled" in (first.message or "")
