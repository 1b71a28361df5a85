"""Discover Jobs of the operator: created once, repaired, reported and deleted."""

from __future__ import annotations

import pytest

from clipmill.protocol import ExitCode
from clipmill_operator.errors import PermanentKubeError
from clipmill_operator.kube_client import JOB, SECRET
from clipmill_operator.reconciling.actions import SECRET_REPLACED_EVERY_S
from clipmill_operator.shows.decide_discovery import REFUSED_FOR_S, UNNEEDED_FOR_S
from operator_objects import SETTINGS
from show_controlling import ShowWorld, discover_task, show_body

MISSING = {"waiting": {"reason": "CreateContainerConfigError"}}


@pytest.fixture
def world() -> ShowWorld:
    """Return a registered Show with an episode that needs a pod."""
    world = ShowWorld()
    world.kube.add(show_body())
    world.round()
    world.api.tasks = [discover_task()]
    return world


def test_a_job_and_its_secret_are_created_once(world: ShowWorld) -> None:
    """Also by an operator that remembers nothing; the event is on the Show."""
    world.round()
    world.round()
    world.restart()
    world.round()
    (job,), (secret,) = world.kube.all(JOB), world.kube.all(SECRET)
    assert job["metadata"]["labels"]["clipmill.dev/episode"] == "e-1800abcd"
    assert secret["stringData"]["CLIPMILL_API_KEY"] == "cm_j_e-1800abcd"
    assert secret["metadata"]["ownerReferences"][0]["uid"] == job["metadata"]["uid"]
    assert world.api.requests.count("key e-1800abcd") == 1
    assert ("Normal", "DiscoverStarted") in world.events()


def test_two_operators_create_one_job(world: ShowWorld) -> None:
    """The one that is later has not observed the Job: its name is taken."""
    other = ShowWorld()
    other.kube, other.api = world.kube, world.api
    other.restart()
    other.observe()
    world.observe()
    world.controller.tick()
    other.controller.tick()
    assert len(world.kube.all(JOB)) == 1
    assert world.api.requests.count("key e-1800abcd") == 1


def test_no_more_jobs_than_the_limit() -> None:
    """The oldest episodes are first; an ended Job makes room."""
    world = ShowWorld(SETTINGS.model_copy(update={"max_discovering": 2}))
    names = ["a-1800", "b-1801", "c-1802"]
    world.api.tasks = [discover_task(name) for name in names]
    world.round()
    world.round()
    assert [job["metadata"]["name"][0] for job in world.kube.all(JOB)] == ["a", "b"]
    ended = world.kube.all(JOB)[0]
    ended["status"] = {"conditions": [{"type": "Complete", "status": "True"}]}
    world.kube.add(ended)
    world.api.tasks = world.api.tasks[1:]
    world.round()
    assert len(world.kube.all(JOB)) == 3


def test_a_missing_secret_is_replaced_after_a_restart(world: ShowWorld) -> None:
    """The operator was killed between Job and Secret; it is not replaced again at once."""
    world.round()
    (job,) = world.kube.all(JOB)
    world.kube.objects.pop(("secrets", "clips", job["metadata"]["name"]))
    world.add_pod(job, MISSING, "Pending")
    world.restart()
    world.round()
    world.round()
    assert len(world.kube.all(SECRET)) == 1
    assert world.api.requests.count("key e-1800abcd") == 2
    world.round(SECRET_REPLACED_EVERY_S)
    assert world.api.requests.count("key e-1800abcd") == 3


@pytest.mark.parametrize(
    ("result", "exit_code", "reason"),
    [
        ("Failed", 1, "JobFailed"),
        ("Failed", ExitCode.NOT_ISOLATED, "NotIsolated"),
        ("Complete", 0, "JobFailed"),
    ],
)
def test_a_job_without_a_result_is_reported(
    world: ShowWorld, result: str, exit_code: int, reason: str
) -> None:
    """Once, with the pod's last line."""
    world.round()
    world.end_job(result, exit_code, "it broke")
    world.round()
    world.round()
    ((episode_id, failure),) = world.api.failures
    assert (episode_id, failure.reason) == ("e-1800abcd", reason)
    assert "it broke" in failure.message


def test_a_result_that_arrives_with_the_end_of_the_job(world: ShowWorld) -> None:
    """The end of the Job was observed before the API was asked, which needs no pod any more."""
    world.round()
    world.end_job("Complete", 0)
    world.api.tasks = []
    world.round()
    assert world.api.failures == []


def test_an_unneeded_job_is_deleted_after_a_while(world: ShowWorld) -> None:
    """The show was deleted, or another episode replaced this one. An ending pod may end."""
    world.round()
    world.api.tasks = []
    world.round()
    world.round()
    assert len(world.kube.all(JOB)) == 1
    world.round(UNNEEDED_FOR_S)
    assert world.kube.all(JOB) == []


def test_one_refused_job_does_not_stop_the_others(world: ShowWorld) -> None:
    """A ResourceQuota; the next tick tries again."""
    refused = ["create Job"]

    def refuse_once(write: str) -> None:
        if write in refused:
            refused.remove(write)
            raise PermanentKubeError("exceeded quota")

    world.kube.before = refuse_once
    world.api.tasks.append(discover_task("weekly-20261204-1800", episode_id="e-second12"))
    world.round()
    assert len(world.kube.all(JOB)) == 1
    world.round()
    assert len(world.kube.all(JOB)) == 2


def test_a_job_that_the_cluster_refuses_for_long_fails_its_episode(world: ShowWorld) -> None:
    """A ResourceQuota that nobody raises: with the cluster's message."""

    def refuse(write: str) -> None:
        if write == "create Job":
            raise PermanentKubeError("exceeded quota: pods")

    world.kube.before = refuse
    for _ in range(3):
        world.round(REFUSED_FOR_S / 2)
    ((_, failure),) = world.api.failures
    assert failure.reason == "NotApplied"
    assert "exceeded quota" in failure.message


def test_an_episode_elsewhere_takes_no_room(world: ShowWorld) -> None:
    """The namespace is not watched any more."""
    update = {"max_discovering": 1, "watch_namespaces": ("clips",)}
    world.settings = SETTINGS.model_copy(update=update)
    world.restart()
    world.api.tasks.insert(0, discover_task("other-1800", namespace="elsewhere"))
    world.round()
    (job,) = world.kube.all(JOB)
    assert job["metadata"]["namespace"] == "clips"
