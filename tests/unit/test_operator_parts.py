"""The operator's small parts: places, owners, the queue, the cache, health, objects, the poll."""

from __future__ import annotations

from dataclasses import replace
from threading import Thread
from typing import Any

import pytest

from clipmill.protocol import (
    ActiveCompilation,
    ClipState,
    ClipStatus,
    ExitCode,
    StageKey,
    Plan,
    QuotaEffect,
    Stage,
    CompilationState,
)
from clipmill_operator.building import builders
from clipmill_operator.building.builders import Named
from clipmill_operator.kube import Listed
from clipmill_operator.reconciling.admission_slots import Waiting, admitted
from clipmill_operator.reconciling.decide import Answer
from clipmill_operator.reconciling.observed import Children, SeenPod, Wish
from clipmill_operator.reconciling.ownership import WrongOwner, owner_of, place_of
from clipmill_operator.reconciling.reconcile_state import Standing, Standings, mark_of
from clipmill_operator.reconciling.status import Refusal
from clipmill_operator.settings import Pods, Settings
from clipmill_operator.watching.health import Health, Unhealthy
from clipmill_operator.watching.object_cache import Store
from clipmill_operator.watching.work_queue import WorkQueue, pause_s

SETTINGS = Settings(
    api_url="http://api:8080",
    operator_key="cm_o_key",
    job_image="clipmill-job:1",
    namespace="clipmill",
    api_pod_labels={"app.kubernetes.io/component": "api"},
)
OF = Named("clips", "friday-top-clips-of-the-week", "uid-1", 3, "ada")


# --- places and owners ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("holders", "started"),
    [
        ({}, ["u1", "u2", "u4"]),
        ({"x": "ada"}, ["u1", "u4"]),
        ({"x": "ada", "y": "ada"}, ["u4"]),
        ({"x": "eve", "y": "bob", "z": "bob"}, []),
    ],
)
def test_the_oldest_start_first(holders: dict[str, str], started: list[str]) -> None:
    """Three places, two for each owner; a place that one owner may not have goes to the next."""
    waiting = [
        Waiting("2026-01-04", "u4", "bob"),
        Waiting("2026-01-01", "u1", "ada"),
        Waiting("2026-01-02", "u2", "ada"),
        Waiting("2026-01-03", "u3", "ada"),
    ]
    assert admitted(holders, waiting, most=3, most_of_owner=2) == started


@pytest.mark.parametrize(
    ("label", "named", "submission", "owner"),
    [
        (None, None, None, "default"),
        (None, "default", None, "default"),
        ("ada", None, None, "ada"),
        ("ada", "ada", None, "ada"),
        (None, "eve", "c-abcd", "eve"),
    ],
)
def test_whose_a_resource_is(
    label: str | None, named: str | None, submission: str | None, owner: str
) -> None:
    """The namespace says, else the submission (the API checks it), else the setting."""
    assert owner_of(SETTINGS, label=label, named=named, submission=submission) == owner


@pytest.mark.parametrize(
    ("label", "named", "submission"),
    [("ada", "eve", None), ("ada", "eve", "c-abcd"), (None, "eve", None)],
)
def test_nobody_speaks_for_another(
    label: str | None, named: str | None, submission: str | None
) -> None:
    """Not past the namespace's owner, not past the default one."""
    with pytest.raises(WrongOwner, match="'eve'"):
        owner_of(SETTINGS, label=label, named=named, submission=submission)
    strict = replace(SETTINGS, default_owner="")
    with pytest.raises(WrongOwner, match="no default"):
        owner_of(strict, label=None, named=None, submission=None)


@pytest.mark.parametrize(
    ("asked", "label", "place"),
    [
        ("default", None, "clipmill"),
        ("clipmill", None, "clipmill"),
        ("team-a", "ada", "team-a"),
        ("default", "ada", "default"),
        ("team-b", "eve", None),
        ("kube-system", None, None),
    ],
)
def test_where_a_submission_goes(asked: str, label: str | None, place: str | None) -> None:
    """Into its owner's namespace, or the one for submissions; nowhere else."""
    assert place_of(SETTINGS, asked=asked, owner="ada", label=label) == place


def test_a_place_is_kept_while_the_api_is_silent() -> None:
    """Trouble frees no place; a refusal does."""
    standings = Standings(most=1, most_of_owner=1)
    wish = Wish("ns", "a", "u1", 1, "2026", {}, {})
    other = replace(wish, uid="u2")
    plan = Plan(
        compilation_id="c-abcd",
        generation=1,
        state=CompilationState.FETCHING,
        clips=[],
        outputs=[],
        quota=QuotaEffect(estimated_seconds=1, remaining_seconds=None, limit_seconds=None),
    )
    good = Answer(owner="ada", plan=plan)
    assert standings.may_start(wish, good, Children())
    assert standings.may_start(wish, Answer(trouble="no answer"), Children())
    assert not standings.may_start(other, good, Children())
    assert standings.counts() == (1, 1)
    standings.may_start(wish, Answer(refusal=Refusal("TierLimit", "")), Children())
    assert standings.may_start(other, good, Children())


# --- the queue and the cache ------------------------------------------------------------------

A, B = ("ns", "a"), ("ns", "b")


def test_a_key_is_never_worked_on_twice_at_once() -> None:
    """News that comes meanwhile waits until the look is over, and is then one look."""
    queue = WorkQueue()
    for _ in range(3):
        queue.add(A, 0)
    assert queue.take(0) == A
    queue.add(A, 1)
    queue.add(A, 2)
    assert (queue.take(5), queue.next_due()) == (None, None)
    queue.done(A)
    assert (queue.take(5), queue.take(5)) == (A, None)


def test_who_waits_longest_is_next_and_failures_pause() -> None:
    """1, 2, 4 ... 15 seconds, whatever is heard meanwhile; a success starts it over."""
    queue = WorkQueue()
    queue.add(A, 2)
    queue.add(B, 1)
    assert (queue.take(0), queue.next_due()) == (None, 1)
    assert [queue.take(2), queue.take(2)] == [B, A]
    assert [queue.failed(A, 10), queue.take(10.9), queue.take(11)] == [1, None, A]
    assert queue.failed(A, 20) == 2
    queue.add(A, 20.5)
    assert [queue.take(21.9), queue.take(22)] == [None, A]
    queue.done(A)
    queue.add(A, 30)
    assert queue.take(30) == A
    assert queue.failed(A, 30) == 1
    assert [pause_s(n) for n in (1, 4, 5, 50)] == [1, 8, 15, 15]


def test_a_patient_look_lets_others_go_first() -> None:
    """Up to its patience, and not when nobody else is there; news of it ends its patience."""
    queue = WorkQueue()
    queue.add(A, 0, patience_s=10)
    assert queue.take(0) == A
    queue.done(A)
    queue.add(A, 0, patience_s=10)
    queue.add(B, 5)
    assert [queue.take(6), queue.take(6)] == [B, A]
    for key in (A, B):
        queue.done(key)
    queue.add(A, 0, patience_s=10)
    queue.add(B, 11)
    assert [queue.take(11), queue.take(11)] == [A, B]
    for key in (A, B):
        queue.done(key)
    queue.add(A, 12, patience_s=10)
    queue.add(A, 12)
    queue.add(B, 12.5)
    assert queue.take(13) == A


def body(name: str, version: int, uid: str = "u") -> dict[str, Any]:
    """A Compilation."""
    metadata = {"namespace": "ns", "name": name, "uid": uid, "resourceVersion": str(version)}
    return {"metadata": metadata, "spec": {"title": f"v{version}"}}


def test_the_newest_version_stays() -> None:
    """What we wrote is not undone by a watch that is behind; a deletion is of that very object."""
    store = Store(Wish.of)
    assert [store.see(body("a", 5)), store.see(body("a", 4)), store.see(body("a", 5))] == [
        True,
        False,
        False,
    ]
    assert (store.lose(A, "another"), store.lose(A, "u"), store.lose(A, "u")) == (
        False,
        True,
        False,
    )


def test_a_resync_finds_what_was_missed() -> None:
    """Changed, new and gone; what is newer than the list is not gone."""
    store = Store(Wish.of)
    for one in (body("same", 1), body("old", 2), body("gone", 3), body("fresh", 20)):
        store.see(one)
    listed = Listed([body("same", 1), body("old", 9), body("new", 8)], version=10)
    assert sorted(one.name for one in store.resync(listed)) == ["gone", "new", "old"]
    assert sorted(one.name for one in store.all()) == ["fresh", "new", "old", "same"]


def test_a_deletion_during_a_resync_is_taken_in() -> None:
    """A watch reports that a listed object is gone while the list is being stored."""
    store = Store(Wish.of)

    class Deleted(dict[str, Any]):
        """An object that is deleted as often as it is read."""

        def __getitem__(self, field: str) -> Any:
            watch = Thread(target=store.lose, args=(A, "u"), daemon=True)
            watch.start()
            watch.join(0.02)  # not forever: it waits for the lock while the store holds it
            return super().__getitem__(field)

    store.resync(Listed([Deleted(body("a", 1)), body("b", 1)], version=1))
    assert store.get(B) is not None


def test_a_dead_watch_and_a_still_loop_are_noticed() -> None:
    """Three resyncs in a row found what nobody told; or there was none for long."""
    now = [0.0]
    health = Health(30, lambda: now[0])
    for _ in range(2):
        health.resynced({"jobs": 1, "pods": 0})
    health.event("jobs")
    for _ in range(2):
        health.resynced({"jobs": 1})
    health.check()
    health.resynced({"jobs": 2})
    with pytest.raises(Unhealthy, match="the watch of jobs"):
        health.check()
    health.event("jobs")
    now[0] = 151
    with pytest.raises(Unhealthy, match="151s ago"):
        health.check()


def test_the_poll_tells_what_moved() -> None:
    """Steps, clips and ends; a percent more is no news."""

    def one(uid: str, percent: int, *clips: str) -> ActiveCompilation:
        states = [ClipStatus(id="k-abcd", name="c", state=ClipState(state)) for state in clips]
        return ActiveCompilation(
            uid=uid,
            id="c-abcd",
            name="n",
            namespace="ns",
            owner="ada",
            generation=1,
            state=CompilationState.FETCHING,
            percent=percent,
            clips=states,
            created_at="",
        )

    looked_at = [one("a", 10, "Waiting"), one("b", 10)]
    standings = Standings(most=9, most_of_owner=9)
    for seen in looked_at:
        standings.of(seen.uid).mark = mark_of(seen)
    standings.of("ended")
    assert standings.moved(looked_at) == set()
    assert standings.moved([one("a", 14, "Waiting"), one("b", 14), one("c", 1)]) == set()
    assert standings.moved([one("a", 14, "Ready")]) == {"a", "b"}


def test_the_key_that_came_with_the_plan_is_used_once() -> None:
    """For its stage and generation only: a pod with another's key would be turned away."""
    known = Standing(key=StageKey(generation=2, stage=Stage.ASSEMBLE, key="cm_j_secret"))
    assert "cm_j_secret" not in repr(known)
    assert known.take_key(2, Stage.RENDER) is None
    assert known.take_key(3, Stage.ASSEMBLE) is None
    assert known.take_key(2, Stage.ASSEMBLE) == "cm_j_secret"
    assert known.take_key(2, Stage.ASSEMBLE) is None


# --- objects ----------------------------------------------------------------------------------


def test_names_are_short_and_follow_from_the_uid() -> None:
    """A pod's name adds to it; a resource made anew has other ones."""
    name = OF.child(Stage.ASSEMBLE)
    assert name == OF.child(Stage.ASSEMBLE)
    assert len(name) <= 52
    assert name != replace(OF, uid="uid-2").child(Stage.ASSEMBLE)
    assert len(replace(OF, name="x" * 63, generation=10**6).child(Stage.ASSEMBLE)) <= 52


def test_a_job_gives_up_on_what_will_not_pass() -> None:
    """Each index by itself; a disruption does not count; a lost lease is tried again."""
    spec = builders.job(OF, Stage.FETCH, 7, SETTINGS)["spec"]
    assert (spec["completions"], spec["parallelism"], spec["maxFailedIndexes"]) == (7, 4, 7)
    give_up, ignore = spec["podFailurePolicy"]["rules"]
    codes = give_up["onExitCodes"]["values"]
    assert (give_up["action"], ignore["action"]) == ("FailIndex", "Ignore")
    assert ExitCode.GIVE_UP in codes
    assert ExitCode.LEASE_LOST not in codes
    assert {1, 137, 143}.isdisjoint(codes)


def test_a_pod_holds_nothing_but_its_two_keys() -> None:
    """One Secret, one scratch volume, no token, no environment of its own."""
    pod = builders.job(OF, Stage.RENDER, 2, SETTINGS)["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert container["envFrom"] == [{"secretRef": {"name": OF.child(Stage.RENDER)}}]
    assert "env" not in container
    assert [volume["name"] for volume in pod["volumes"]] == ["scratch"]
    secret = builders.secret(OF, Stage.RENDER, "job-uid", url="http://api", key="cm_j_key")
    assert secret["stringData"] == {
        "CLIPMILL_API_URL": "http://api",
        "CLIPMILL_API_KEY": "cm_j_key",
    }
    assert secret["metadata"]["ownerReferences"][0]["uid"] == "job-uid"


def test_pods_are_placed_by_the_settings() -> None:
    """What is set is there; what is not is left out."""
    pods = Pods(node_selector={"disk": "fast"}, labels={"team": "x"}, priority_class_name="low")
    made = builders.job(OF, Stage.FETCH, 1, replace(SETTINGS, pods=pods))["spec"]["template"]
    assert made["spec"]["nodeSelector"] == {"disk": "fast"}
    assert made["spec"]["priorityClassName"] == "low"
    assert "affinity" not in made["spec"]
    assert made["metadata"]["labels"]["team"] == "x"
    assert made["metadata"]["labels"]["clipmill.dev/stage"] == "fetch"


def test_only_fetch_pods_reach_the_internet_and_no_private_range() -> None:
    """Deny, then DNS and the API for all, then the internet without closed ranges for fetch."""
    settings = replace(
        SETTINGS, excluded_cidrs=("203.0.113.0/24",), dns_cidrs=("169.254.20.10/32",)
    )
    deny, api, fetch = (one["spec"] for one in builders.policies("clips", settings))
    assert deny["policyTypes"] == ["Ingress", "Egress"]
    assert "egress" not in deny
    assert [rule["ports"] for rule in api["egress"]] == [
        [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
        [{"port": 8080, "protocol": "TCP"}],
    ]
    assert fetch["podSelector"] == {"matchLabels": {"clipmill.dev/stage": "fetch"}}
    v4, v6 = (peer["ipBlock"] for peer in fetch["egress"][0]["to"])
    assert {"10.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10", "203.0.113.0/24"} <= set(v4["except"])
    assert {"fc00::/7", "fe80::/10"} <= set(v6["except"])
    assert not any(":" in cidr for cidr in v4["except"])


def test_why_a_pod_ended_is_its_last_line() -> None:
    """Else what the node says: out of memory, evicted."""

    def why(state: dict[str, Any], **status: Any) -> str:
        pod = {
            "metadata": {"namespace": "ns", "name": "p", "labels": {}},
            "status": {"containerStatuses": [{"state": state}], **status},
        }
        return SeenPod.of(pod).why

    assert why({"terminated": {"exitCode": 1, "message": "a\nno space left\n"}}) == "no space left"
    assert why({"terminated": {"exitCode": 137, "reason": "OOMKilled"}}) == "OOMKilled"
    assert why({}, reason="Evicted", message="low on disk") == "low on disk"
    assert why({"terminated": {"exitCode": 0, "reason": "Completed"}}) == ""
