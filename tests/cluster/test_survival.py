"""What must be survived, stage by stage: the end is right, paid for once, and leaves nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cluster.compilations import (
    UID,
    Video,
    gone,
    serve_samples,
    shots,
    source,
    stopped,
    url,
)
from cluster.kubectl import get, kubectl, until
from cluster.release import HERE, VIDEOS

pytestmark = pytest.mark.usefixtures("installed")
STAGES = ("fetch", "render", "assemble")
SHOTS = 10
"""Pieces enough for two shards."""
LATE = ("Superseded", "Succeeded")
"""An assembly of five seconds of video may be over before an edit arrives."""
NOW = ("--grace-period=0", "--force")
Trouble = Callable[[Video, str], None]


class Held:
    """A Compilation of many shots of one source that the world holds back until it is let go."""

    def __init__(self, folder: Path, name: str) -> None:
        self.gate = folder / f"held-{name}"
        self.clips = shots(SHOTS, source(folder, gate=self.gate.name))
        self.video = Video(name).apply(self.clips)

    def reach(self, stage: str) -> Video:
        """Wait for a pod of that stage at work; the fetch is over then, if it is a later one."""
        if stage != "fetch":
            self.let_go()
        self.video.running(stage)
        return self.video

    def let_go(self) -> None:
        """The source answers."""
        self.gate.touch()


@pytest.fixture(scope="module", autouse=True)
def _clips(outside: Path) -> None:
    serve_samples(outside)


@pytest.fixture
def held(outside: Path, request: pytest.FixtureRequest) -> Iterator[Held]:
    """One for each test; its gate is open in the end."""
    name = request.node.name.replace("[", "-").replace("_", "-").strip("]")[5:35].rstrip("-")
    asked = Held(outside, name)
    yield asked
    asked.let_go()


def succeeds(held: Held) -> None:
    """It ends as if nothing had been: every frame, one usage row, nothing left over."""
    held.let_go()
    assert held.video.ended() == "Complete: Succeeded"
    assert held.video.frames() == SHOTS * 15
    assert held.video.condition("Degraded") == {}
    held.video.settled()


def _operator_is_killed(video: Video, stage: str) -> None:
    kubectl("delete", "pod", "-n", HERE, "-l", "app.kubernetes.io/component=operator", *NOW)


def _pod_is_deleted(video: Video, stage: str) -> None:
    kubectl("delete", "pod", "-n", VIDEOS, "-l", f"{UID}={video.uid},clipmill.dev/stage={stage}")


def _api_is_down(video: Video, stage: str) -> None:
    with stopped(f"{HERE}-api", HERE):
        until("it says so", lambda: video.status().get("reason") == "ApiUnreachable")


def _database_is_restarted(video: Video, stage: str) -> None:
    kubectl("delete", "pod", "-n", HERE, f"{HERE}-database-0", *NOW)
    kubectl("rollout", "status", "-n", HERE, f"statefulset/{HERE}-database", "--timeout=180s")


def _secret_is_deleted(video: Video, stage: str) -> None:
    mine = f"{UID}={video.uid},clipmill.dev/stage={stage}"
    kubectl("delete", "secret", "-n", VIDEOS, "-l", mine)
    _pod_is_deleted(video, stage)


def _status_is_wiped(video: Video, stage: str) -> None:
    wipe = ("--subresource=status", "--type=json", "-p", '[{"op": "remove", "path": "/status"}]')
    kubectl("patch", "compilation", video.name, "-n", VIDEOS, *wipe)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize(
    "trouble",
    [_operator_is_killed, _pod_is_deleted, _api_is_down],
    ids=lambda trouble: trouble.__name__.strip("_"),
)
def test_in_each_stage(held: Held, stage: str, trouble: Trouble) -> None:
    """The pods of a stage are at work when it comes."""
    trouble(held.reach(stage), stage)
    succeeds(held)


@pytest.mark.parametrize(
    ("stage", "trouble"),
    [
        ("fetch", _secret_is_deleted),
        ("assemble", _secret_is_deleted),
        ("render", _database_is_restarted),
        ("fetch", _status_is_wiped),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__.strip("_"),
)
def test_once(held: Held, stage: str, trouble: Trouble) -> None:
    """What is the same in every stage, in one."""
    trouble(held.reach(stage), stage)
    succeeds(held)


def test_a_wiped_status_comes_back_the_same(held: Held) -> None:
    """After the end: it is a summary of what the API knows, down to the hash of the file."""
    succeeds(held)
    before = held.video.status()
    _status_is_wiped(held.video, "")
    until("the status is back", lambda: held.video.status().get("phase") == "Succeeded")
    after = held.video.status()
    times = [before, after]
    for status in times:
        for condition in status["conditions"]:
            del condition["lastTransitionTime"]
    assert after == before


@pytest.mark.parametrize("stage", STAGES)
def test_edited_in_each_stage(held: Held, stage: str) -> None:
    """The generation in flight is superseded; the new one ends, and both cost what they used."""
    video = held.reach(stage)
    held.clips[0] = {**held.clips[0], "end": "1s"}
    video.apply(held.clips)
    held.let_go()
    assert video.ended() == "Complete: Succeeded"
    assert video.frames() == SHOTS * 15 + 15
    first, second = video.states()
    assert first in (LATE if stage == "assemble" else LATE[:1])
    assert second == "Succeeded"
    video.settled()


@pytest.mark.parametrize("stage", STAGES)
def test_deleted_in_each_stage(held: Held, stage: str) -> None:
    """Everything goes, and nothing stays reserved."""
    video = held.reach(stage)
    video.delete()
    until("its children are gone", gone(video))
    ends = {"Cancelled", "Succeeded"} if stage == "assemble" else {"Cancelled"}
    until("the API knows", lambda: set(video.states()) <= ends)
    video.settled()


def test_one_source_gone() -> None:
    """The rest is rendered; the condition names the clip and why."""
    lost = {"name": "lost", "url": url("nothing-here")}
    video = Video("degraded").apply([{"name": "good", "url": url(), "end": "1s"}, lost])
    assert video.ended() == "Complete: Succeeded"
    degraded = video.condition("Degraded")
    assert (degraded["status"], degraded["reason"]) == ("True", "ClipsSkipped")
    assert degraded["message"].startswith("lost: ")
    assert video.frames() == 30
    video.settled()


def test_all_sources_gone() -> None:
    """Failed, and nothing is charged."""
    video = Video("hopeless").apply([{"url": url("nothing-here")} for _ in range(2)])
    assert video.ended() == "Failed: TooFewClips"
    assert [clip["state"] for clip in video.status()["clips"]] == ["Skipped", "Skipped"]
    assert get("jobs", VIDEOS, "-l", f"{UID}={video.uid},clipmill.dev/stage=assemble") == []
    video.settled()
