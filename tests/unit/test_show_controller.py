"""The operator's work for Shows: registration, status, events, deletion."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from clipmill.shows.show_messages import EpisodeState
from clipmill_client.errors import PermanentError, RetryableError
from clipmill_operator.errors import Requeue
from clipmill_operator.shows.show_controller import COMPLETE_EVERY_S
from show_controlling import START, ShowWorld, discover_task, episode, show_body


@pytest.fixture
def world() -> ShowWorld:
    """Return a cluster with one Show, before the first tick."""
    world = ShowWorld()
    world.kube.add(show_body())
    return world


def test_nothing_is_registered_before_the_api_has_listed_its_shows(world: ShowWorld) -> None:
    """A restarted operator does not send every Show again."""
    world.observe()
    world.controller.reconcile(("clips", "weekly"))
    assert world.api.requests == []
    world.round()
    assert world.api.requests == ["tick 0", "register 1 for default"]
    world.restart()
    world.round()
    assert world.api.requests[2:] == ["tick 0"]


def test_a_show_at_rest_costs_one_request(world: ShowWorld) -> None:
    """No write, no registration; every view is requested again now and then."""
    world.round()
    world.round()
    world.kube.writes.clear()
    world.api.requests.clear()
    assert [world.round() for _ in range(3)] == [[], [], []]
    assert world.api.requests == ["tick 1"] * 3
    assert world.kube.writes == []
    assert world.round(COMPLETE_EVERY_S) == [("clips", "show/weekly")]
    assert world.api.requests[3:] == ["tick 0"]
    assert world.kube.writes == []


def test_the_status_follows_the_view(world: ShowWorld) -> None:
    """Times, the newest episode, what is active, and a condition for Ready."""
    world.round()
    assert world.ready() == ("True", "Scheduled")
    world.api.change(
        "uid-1",
        next_at=START + timedelta(days=7),
        last_at=START,
        active=["weekly-20261127-1800"],
        last_episode=episode(EpisodeState.CREATED, taken=12, considered=80),
    )
    world.round()
    status = world.status()
    assert status["nextScheduleTime"] == "2026-12-04T18:00:00Z"
    assert status["lastScheduleTime"] == "2026-11-27T18:00:00Z"
    assert status["active"] == ["weekly-20261127-1800"]
    assert status["lastEpisode"]["clips"] == "12/80"
    assert status["lastEpisode"]["state"] == "Created"
    assert "lastSuccessfulTime" not in status


def test_events_of_episodes(world: ShowWorld) -> None:
    """One for each state that a person waits for; a restart repeats none."""
    world.round()
    skipped: dict[str, Any] = {"reason": "TooFewClips", "message": "2 of 5"}
    steps = [
        episode(EpisodeState.DISCOVERING),
        episode(EpisodeState.AWAITING_APPROVAL),
        episode(EpisodeState.SUCCEEDED),
        episode(EpisodeState.SKIPPED, number=2, **skipped),
        episode(EpisodeState.FAILED, number=3),
    ]
    for step in steps:
        world.api.change("uid-1", last_episode=step)
        world.round()
        world.restart()
        world.round()
    assert world.events() == [
        ("Normal", "Scheduled"),
        ("Normal", "EpisodeAwaitsApproval"),
        ("Normal", "EpisodeSucceeded"),
        ("Warning", "EpisodeSkipped"),
        ("Warning", "EpisodeFailed"),
    ]


def test_a_show_that_is_not_ready(world: ShowWorld) -> None:
    """The API's reason is in the condition, and in one event."""
    world.round()
    message = "sources[0].feed: credentials 'x' do not exist"
    world.api.change("uid-1", ready=False, reason="UnknownCredentials", message=message)
    world.round()
    world.round()
    assert world.ready() == ("False", "UnknownCredentials")
    assert world.events()[1:] == [("Warning", "UnknownCredentials")]


def test_an_edit_is_a_new_generation(world: ShowWorld) -> None:
    """Registered once; suspended is a condition of its own."""
    world.round()
    world.edit(suspend=True)
    world.round()
    assert world.api.requests.count("register 2 for default") == 1
    assert world.api.views["uid-1"].spec.suspend
    (suspended,) = (c for c in world.status()["conditions"] if c["type"] == "Suspended")
    assert suspended["status"] == "True"
    assert world.ready()[0] == "True"


def test_a_refused_edit_suspends_what_was_before(world: ShowWorld) -> None:
    """The spec that a person has replaced starts no episodes; a correction ends that."""
    world.round()
    world.edit(schedule="")
    assert world.ready() == ("False", "InvalidSpec")
    assert world.api.views["uid-1"].spec.suspend
    world.round()
    world.restart()
    world.round()
    assert world.ready() == ("False", "InvalidSpec")
    world.edit(schedule="0 19 * * FRI")
    assert world.ready() == ("True", "Scheduled")
    assert not world.api.views["uid-1"].spec.suspend


def test_a_refusal_is_asked_for_again_now_and_then(world: ShowWorld) -> None:
    """The owner may exist by then."""
    world.kube.add(show_body(owner="ada"))
    world.round()
    assert world.ready() == ("False", "UnknownOwner")
    world.round()
    assert not any(request.startswith("register") for request in world.api.requests)
    world.edit(owner="default")
    assert world.ready() == ("True", "Scheduled")


def test_a_namespace_of_another_owner(world: ShowWorld) -> None:
    """The show of the owner before ends, and the new owner's begins."""
    world.round()
    world.kube.owner = "ada"
    world.round(COMPLETE_EVERY_S)
    assert world.api.requests[-2:] == ["delete uid-1", "register 1 for ada"]
    assert world.api.views["uid-1"].owner == "ada"


def test_a_namespace_of_another_owner_than_the_spec_names(world: ShowWorld) -> None:
    """The show ends until the spec allows it; the reason survives a restart."""
    world.kube.add(show_body(owner="default"))
    world.round()
    world.kube.owner = "ada"
    world.round(COMPLETE_EVERY_S)
    assert (world.api.views, world.ready()) == ({}, ("False", "UnknownOwner"))
    world.restart()
    world.round()
    assert world.ready() == ("False", "UnknownOwner")
    world.kube.owner = ""
    world.round(COMPLETE_EVERY_S)
    assert world.ready() == ("True", "Scheduled")


def test_an_older_generation_is_not_registered(world: ShowWorld) -> None:
    """The watch is behind: the key is reconciled again."""
    world.round()
    world.api.change("uid-1", generation=3)
    world.observe()
    world.controller.tick()
    with pytest.raises(Requeue):
        world.controller.reconcile(("clips", "weekly"))


@pytest.mark.parametrize(
    "error",
    [RetryableError("Unreachable", "down"), PermanentError("Unauthorized", "no", status=401)],
)
def test_an_outage_changes_no_status(world: ShowWorld, error: Exception) -> None:
    """It is raised, so that the key is tried again."""
    world.round()
    before = dict(world.status())
    world.api.error = error  # type: ignore[assignment]
    with pytest.raises(type(error)):
        world.edit(suspend=True)
    assert world.status() == before


def test_a_deleted_show_is_reported(world: ShowWorld) -> None:
    """By the watch; or by comparison, where no watch reported it."""
    world.round()
    world.kube.objects.clear()
    world.observe()
    world.controller.delete_missing()
    world.controller.delete_missing()
    assert world.api.requests.count("delete uid-1") == 1
    assert world.api.views == {}


def test_a_show_of_a_name_that_was_used_before(world: ShowWorld) -> None:
    """Another uid is another show: the one before is deleted."""
    world.round()
    world.kube.add(show_body(uid="uid-2"))
    world.round()
    world.observe()
    world.controller.reconcile(("clips", "weekly"))
    world.controller.delete_missing()
    assert set(world.api.views) == {"uid-2"}


def test_a_show_that_waits_for_its_episodes_is_deleted(world: ShowWorld) -> None:
    """`kubectl delete --cascade=foreground`: no episode starts meanwhile."""
    world.round()
    body = world.show()
    body["metadata"]["deletionTimestamp"] = "2026-11-27T18:00:00Z"
    world.kube.add(body)
    world.observe()
    world.controller.delete_missing()
    assert world.api.views == {}
    world.round()
    assert world.api.views == {}


def test_an_api_that_was_restored_from_a_backup(world: ShowWorld) -> None:
    """Its cursor is lower: all views are requested, and lost registrations are repeated."""
    world.round()
    world.api.change("uid-1", last_at=START)
    world.round()
    world.api.views.clear()
    world.api.cursor = 0
    world.round()
    world.round()
    assert world.api.views["uid-1"].generation == 1


def test_a_show_without_resource_is_left_alone(world: ShowWorld) -> None:
    """Shows that the API has created have no uid; their tasks get Jobs."""
    world.round()
    world.api.tasks = [discover_task(show_uid=None, show_name="of-the-api")]
    world.round()
    assert world.kube.writes.count("create Job") == 1
    world.controller.delete_missing()
    assert "delete" not in " ".join(world.api.requests)
