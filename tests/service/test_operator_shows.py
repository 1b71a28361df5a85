"""Shows on a real API server, with a real API: from kubectl apply to the finished episode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from signal import SIGKILL

import pytest

from clipmaker import clip
from controlplane import free_ports
from operating import Cluster, until
from operator_runs import play_assemble
from operator_steps import faulty, misses_its_secret, restarted
from pods import fetch
from show_runs import (
    TEMPLATE,
    discover_jobs,
    discover_pod,
    episodes,
    event_reasons,
    last_episode,
    make_due,
    play_discovery,
    put_show,
    show_condition,
    show_spec,
    show_status,
    the_episode,
    the_show,
    wait_episode,
    wait_ready,
)

SHOW_STEPS = (
    "show.registered",
    "show.status.written",
    "shows.ticked",
    "policies.applied",
    "job.created",
    "secret.created",
    "submission.created",
)


@pytest.fixture
def cluster(cluster: Cluster) -> Cluster:
    """A namespace whose operator polls often."""
    cluster.more["CLIPMILL_SHOW_POLL_SECONDS"] = "1"
    return cluster


@pytest.fixture(scope="session")
def two_second_draft(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A draft of the clip of 2 s, at half the rate."""
    return clip(tmp_path_factory.mktemp("drafts") / "draft.mp4", rate="15")


def finish(cluster: Cluster, path: Path, result: Path | None = None) -> str:
    """Play all pods of the only episode to its end, with this clip and result. Return its name."""
    play_discovery(cluster)
    name = the_episode(cluster)
    pod = cluster.pod("fetch", name=name)
    fetch(cluster.job_client(pod), 0, path)
    cluster.end(pod, 0)
    play_assemble(cluster, result or path, name)
    cluster.is_true("Complete", name)
    return name


def test_a_show_makes_an_episode(cluster: Cluster, two_seconds: Path) -> None:
    """One discover Job, one Compilation that belongs to the Show, events and a status."""
    put_show(cluster, show_spec())
    with cluster.operator():
        time = make_due(cluster)
        name = finish(cluster, two_seconds)
        wait_episode(cluster, "Succeeded")
        (episode,) = episodes(cluster)
        metadata = episode["metadata"]
        (owner,) = metadata["ownerReferences"]
        assert (owner["kind"], owner["uid"]) == ("Show", the_show(cluster)["metadata"]["uid"])
        assert metadata["annotations"]["clipmill.dev/scheduled-at"][:19] == time[:19]
        assert episode["spec"]["title"] == "weekly 1"
        assert last_episode(cluster)["name"] == name
        assert show_status(cluster)["lastScheduleTime"] == time
        assert len(discover_jobs(cluster)) == 1
        expected = {"DiscoverStarted", "EpisodeSucceeded"}
        until("the events", lambda: event_reasons(cluster) >= expected)


def test_an_episode_waits_for_approval(
    cluster: Cluster, two_seconds: Path, two_second_draft: Path
) -> None:
    """It is a draft until a person makes it final, here by kubectl."""
    put_show(cluster, show_spec(approval="Required"))
    with cluster.operator():
        make_due(cluster)
        name = finish(cluster, two_seconds, two_second_draft)
        wait_episode(cluster, "AwaitingApproval")
        assert cluster.resource(name)["spec"]["quality"] == "Draft"
        patch = '{"spec": {"quality": "Final"}}'
        words = ("patch", "comp", name, "-n", cluster.namespace, "--type=merge", "-p", patch)
        cluster.plane.kubectl(*words)
        until("a second generation", lambda: cluster.generations(name) == ["2"])
        play_assemble(cluster, two_seconds, name)
        wait_episode(cluster, "Succeeded")


def test_an_episode_without_clips_is_skipped(cluster: Cluster) -> None:
    """With the reason in status and event, and no Compilation."""
    put_show(cluster, show_spec(select={"minimum": 2}))
    with cluster.operator():
        make_due(cluster)
        play_discovery(cluster, count=1)
        assert wait_episode(cluster, "Skipped")["reason"] == "TooFewClips"
        until("an event", lambda: "EpisodeSkipped" in event_reasons(cluster))
    assert episodes(cluster) == []


def test_a_discover_pod_that_fails(cluster: Cluster) -> None:
    """The episode fails with the pod's last line."""
    put_show(cluster, show_spec())
    with cluster.operator():
        make_due(cluster)
        pod = discover_pod(cluster)
        cluster.secret_of(pod)
        cluster.end(pod, 64, "the feed is not XML")
        assert wait_episode(cluster, "Failed")["reason"] == "JobFailed"
    assert episodes(cluster) == []


Reach = Callable[[Cluster, Path, Path], None]


def discovering(cluster: Cluster, path: Path, draft: Path) -> None:
    """Stop while the sources are queried."""
    discover_pod(cluster)


def fetching(cluster: Cluster, path: Path, draft: Path) -> None:
    """Stop while a clip is fetched."""
    play_discovery(cluster)
    cluster.pod("fetch", name=the_episode(cluster))


def awaiting(cluster: Cluster, path: Path, draft: Path) -> None:
    """Stop while the draft waits for its approval."""
    finish(cluster, path, draft)
    wait_episode(cluster, "AwaitingApproval")


PHASES = (discovering, fetching, awaiting)


@pytest.mark.parametrize("reach", PHASES)
def test_a_show_is_deleted_in_a_phase(
    cluster: Cluster, two_seconds: Path, two_second_draft: Path, reach: Reach
) -> None:
    """Its Jobs, pods and Compilations go with it, and the API has no such show."""
    put_show(cluster, show_spec(approval="Required"))
    with cluster.operator():
        make_due(cluster)
        reach(cluster, two_seconds, two_second_draft)
        uid = the_show(cluster)["metadata"]["uid"]
        cluster.plane.kubectl("delete", "show", "weekly", "-n", cluster.namespace)
        until("no Compilations", lambda: not cluster.objects("comp"), 60)
        until("no Jobs", lambda: not cluster.objects("jobs"), 60)
        sql = "SELECT id FROM shows WHERE identity = :uid"
        until("no show", lambda: not cluster.api.rows(sql, uid=uid))
    sql = (
        "SELECT r.state FROM reservations r JOIN compilations c ON c.id = r.compilation_id"
        " WHERE r.state = 'open' AND c.namespace = :namespace"
    )
    until("no reservation", lambda: not cluster.api.rows(sql, namespace=cluster.namespace))


@pytest.mark.parametrize("reach", PHASES)
def test_a_show_is_suspended_in_a_phase(
    cluster: Cluster, two_seconds: Path, two_second_draft: Path, reach: Reach
) -> None:
    """The episode goes on; the next scheduled time starts none."""
    put_show(cluster, show_spec(approval="Required"))
    with cluster.operator():
        make_due(cluster)
        reach(cluster, two_seconds, two_second_draft)
        put_show(cluster, show_spec(approval="Required", suspend=True))
        until("suspended", lambda: show_condition(cluster, "Suspended")[0] == "True")
        assert "nextScheduleTime" not in show_status(cluster)
        cluster.api.clock.advance(7200)
        if reach is not awaiting:
            wait_episode(cluster, "Discovering" if reach is discovering else "Created")
        assert len(discover_jobs(cluster)) == 1


@pytest.mark.parametrize("reach", PHASES)
def test_a_show_is_edited_in_a_phase(
    cluster: Cluster, two_seconds: Path, two_second_draft: Path, reach: Reach
) -> None:
    """The next episode has the new template; the one before keeps what it was created with."""
    put_show(cluster, show_spec(approval="Required", concurrencyPolicy="Allow"))
    with cluster.operator():
        make_due(cluster)
        reach(cluster, two_seconds, two_second_draft)
        template = {**TEMPLATE, "title": "new ${number}"}
        spec = show_spec(approval="Required", concurrencyPolicy="Allow", template=template)
        put_show(cluster, spec)
        wait_ready(cluster)
        if reach is discovering:
            play_discovery(cluster)
        first = the_episode(cluster)
        make_due(cluster)
        play_discovery(cluster)
        until("two episodes", lambda: len(episodes(cluster)) == 2)
    titles = {e["metadata"]["name"]: e["spec"]["title"] for e in episodes(cluster)}
    before = "new 1" if reach is discovering else "weekly 1"
    assert titles.pop(first) == before
    assert list(titles.values()) == ["new 2"]


@pytest.mark.parametrize("step", SHOW_STEPS)
def test_killed_after_a_step(cluster: Cluster, two_seconds: Path, step: str) -> None:
    """The next operator goes on: one Job, one Secret with a valid key, one episode."""
    put_show(cluster, show_spec())
    with restarted(faulty(cluster, step)) as ended:
        make_due(cluster)
        if step == "job.created":
            until("it is killed", lambda: ended == [-SIGKILL])
            misses_its_secret(cluster, discover_pod(cluster))
        finish(cluster, two_seconds)
        wait_episode(cluster, "Succeeded")
        assert ended == [-SIGKILL]
    assert len(discover_jobs(cluster)) == 1
    assert len(episodes(cluster)) == 1


def test_two_operators_at_once(cluster: Cluster, two_seconds: Path) -> None:
    """One episode, one discover Job, one Compilation."""
    put_show(cluster, show_spec())
    with cluster.operator(), replace(cluster, ports=free_ports(2)).operator():
        make_due(cluster)
        finish(cluster, two_seconds)
        wait_episode(cluster, "Succeeded")
    assert len(discover_jobs(cluster)) == 1
    assert len(episodes(cluster)) == 1
    sql = "SELECT e.id FROM episodes e JOIN shows s ON s.id = e.show_id WHERE s.identity = :uid"
    assert len(cluster.api.rows(sql, uid=the_show(cluster)["metadata"]["uid"])) == 1


def test_a_deletion_while_no_operator_runs(cluster: Cluster) -> None:
    """The next one reports it by comparison."""
    put_show(cluster, show_spec())
    with cluster.operator():
        wait_ready(cluster)
        uid = the_show(cluster)["metadata"]["uid"]
    cluster.plane.kubectl("delete", "show", "weekly", "-n", cluster.namespace)
    sql = "SELECT id FROM shows WHERE identity = :uid"
    assert cluster.api.rows(sql, uid=uid)
    with cluster.operator():
        until("no show", lambda: not cluster.api.rows(sql, uid=uid))


def test_a_show_that_is_not_ready(cluster: Cluster) -> None:
    """The reason is in its condition, and it becomes ready without an edit."""
    twitch = {"twitch": {"games": ["Chess"], "credentials": "my-twitch"}}
    put_show(cluster, show_spec(sources=[twitch]))
    with cluster.operator():
        until("not ready", lambda: show_condition(cluster)[0] == "False")
        assert show_condition(cluster)[1] == "UnknownCredential"
        until("an event", lambda: "UnknownCredential" in event_reasons(cluster))
