"""What must be survived, stage by stage: the end is right, paid for once, and leaves nothing."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.compilations import STAGE, UID, Video, gone, serve_samples, source, url
from cluster.held import FRAMES, STAGES, Held
from cluster.kubectl import get, kubectl, until
from cluster.release import VIDEOS
from cluster.troubles import ALL, NOW, Trouble, the_status_is_wiped

pytestmark = pytest.mark.usefixtures("installed")
# An assembly of five seconds of video may be over before an edit arrives.
LATE = ("Superseded", "Succeeded")
# The chart's default of jobs.fetchParallelism: fewer than the clips.
MOST_PODS = 4


@pytest.fixture(scope="module", autouse=True)
def _clips(outside: Path) -> None:
    serve_samples(outside)


@pytest.fixture
def held(outside: Path, request: pytest.FixtureRequest) -> Iterator[Held]:
    """Yield one for each test; its end releases it for the others."""
    name = request.node.name.replace("[", "-").replace("_", "-").strip("]")[5:35].rstrip("-")
    asked = Held(outside, name)
    yield asked
    asked.release()
    asked.video.delete()


@pytest.mark.parametrize("trouble", ALL, ids=lambda trouble: trouble.__name__)
@pytest.mark.parametrize("stage", STAGES)
def test_when(held: Held, stage: str, trouble: Trouble) -> None:
    """The pods of a stage are at work when it comes; the end is as if it had not."""
    trouble(held.reach(stage), stage)
    held.succeeds()


def test_a_wiped_status_comes_back_the_same(held: Held) -> None:
    """After the end: it is a summary of what the API knows, down to the hash of the file."""
    held.succeeds()
    before = held.video.status()
    the_status_is_wiped(held.video, "")
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
    held.release()
    assert video.ended() == "Complete: Succeeded"
    assert video.frames() == FRAMES + 15
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


def test_killed_in_the_middle_of_its_clips(outside: Path) -> None:
    """Other pods fetch what it held; what it had fetched stays, and nothing is skipped."""
    hold = outside / f"held-{uuid.uuid4().hex[:8]}"
    held = [{"url": source(outside, hold=hold.name), "end": "1s"} for _ in range(2)]
    free = [{"url": source(outside), "end": "1s"} for _ in range(6)]
    video = Video("killed").apply([*free, *held])
    query = "SELECT position, media_id FROM clips WHERE compilation_id = %s AND state = 'Ready' "
    query += "ORDER BY position"
    until("six clips are ready", lambda: len(video.rows(query)) == len(free))
    fetched = video.rows(query)
    assert len(video.pods("fetch")) <= MOST_PODS
    kubectl("delete", "pod", "-n", VIDEOS, "-l", f"{UID}={video.uid},{STAGE}=fetch", *NOW)
    hold.touch()
    assert video.ended() == "Complete: Succeeded"
    assert video.frames() == (len(free) + len(held)) * 30
    assert video.condition("Degraded") == {}
    assert [row for row in video.rows(query) if row in fetched] == fetched
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
