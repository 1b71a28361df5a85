"""Metrics that alerts need: waiting and stalled compilations, ends, isolation, webhooks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pods
from clipmill.protocol import FailedTasks, Heartbeat, Stage
from clipmill.protocol.integrations.webhook_models import EventType, WebhookRequest
from clipmill_api.credentials.keyring import new_keyring_text
from harness import Clock, Harness, library_clip, running
from scraping import scrape
from webhook_receiver import Receiver, receiving, wait_until

QUEUE = "clipmill_queue_oldest_seconds"
PROGRESS = "clipmill_progress_oldest_seconds"
ENDED = 'clipmill_generations_ended_total{{state="{}"}}'.format
OPEN = 'clipmill_isolation_failures_total{reason="NotIsolated"}'
DELIVERIES = 'clipmill_webhook_deliveries_total{{result="{}"}}'.format
WEBHOOKS = 'clipmill_webhooks{{health="{}"}}'.format


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """The receiver that the API may send webhooks to."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def own_api(
    own_database_url: str, receiver: Receiver, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Harness]:
    """An API on each database, with a time that tests advance."""
    more: dict[str, Any] = {
        "credential_keys": new_keyring_text(),
        "allow_private_webhooks": (receiver.address,),
        "allow_any_host": True,
        "clock": Clock(),
    }
    with running(tmp_path_factory.mktemp("state"), own_database_url, **more) as harness:
        yield harness


def test_labels_are_served_before_anything_happens(own_api: Harness) -> None:
    """A rate counts the first failure too, since the series began at 0."""
    values = scrape(own_api)
    assert [values[name] for name in (QUEUE, PROGRESS, OPEN, ENDED("Failed"))] == [0.0] * 4
    assert [values[DELIVERIES(result)] for result in ("delivered", "failed")] == [0.0, 0.0]
    assert [values[WEBHOOKS(health)] for health in ("working", "failing", "disabled")] == [0.0] * 3


def test_the_queue_ages_until_a_job_claims_a_task(own_api: Harness, two_seconds: Path) -> None:
    """Then its progress ages, until it advances or ends."""
    owner, user = own_api.user()
    media = library_clip(user, two_seconds)
    uid, plan = own_api.register(owner, {"clips": [{"mediaId": media.id}]})
    own_api.clock.advance(600)
    waiting = scrape(own_api)
    assert 600 <= waiting[QUEUE] < 660
    assert waiting[PROGRESS] == 0
    job = own_api.job(uid, Stage.ASSEMBLE)
    assignment = job.claim(0, "pod-a")
    claimed = scrape(own_api)
    assert claimed[QUEUE] == 0
    assert 600 <= claimed[PROGRESS] < 660
    job.heartbeat(Heartbeat(index=0, epoch=assignment.epoch, percent=40))
    assert scrape(own_api)[PROGRESS] < 60
    own_api.clock.advance(300)
    assert 300 <= scrape(own_api)[PROGRESS] < 360
    user.cancel(str(plan.compilation_id))
    ended = scrape(own_api)
    assert (ended[QUEUE], ended[PROGRESS]) == (0, 0)
    assert ended[ENDED("Cancelled")] == claimed[ENDED("Cancelled")] + 1


def test_a_failed_isolation_check_is_counted_once(own_api: Harness) -> None:
    """However often the operator reports it; another reason is not counted."""
    owner, _ = own_api.user()
    before = scrape(own_api)
    for reason in ("NotIsolated", "NotIsolated", "JobFailed"):
        uid, _ = own_api.register(owner, {"clips": [{"url": pods.url()}]})
        tasks = FailedTasks(
            stage=Stage.ASSEMBLE, generation=1, indexes=[0], message="canary", reason=reason
        )
        own_api.operator.report_failed_tasks(uid, tasks)
        own_api.operator.report_failed_tasks(uid, tasks)
    after = scrape(own_api)
    assert after[OPEN] - before[OPEN] == 2
    assert after[ENDED("Failed")] - before[ENDED("Failed")] == 3


def test_webhooks_are_counted_by_health(own_api: Harness, receiver: Receiver) -> None:
    """An attempt counts as delivered or failed, its webhook as working or failing."""
    _, user = own_api.user()
    request = {"url": receiver.url, "events": [EventType.FAILED]}
    user.webhooks.put("hook", WebhookRequest.model_validate(request))
    user.webhooks.test("hook")
    wait_until(lambda: scrape(own_api)[DELIVERIES("delivered")] == 1)
    assert scrape(own_api)[WEBHOOKS("working")] == 1
    receiver.statuses = [500]
    user.webhooks.test("hook")
    wait_until(lambda: scrape(own_api)[DELIVERIES("failed")] == 1)
    values = scrape(own_api)
    assert [values[WEBHOOKS(health)] for health in ("working", "failing")] == [0, 1]
