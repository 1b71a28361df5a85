"""What must be survived, stage by stage: the end is right, paid for once, and leaves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.compilations import UID, Video, gone, serve_samples, url
from cluster.held import FRAMES, STAGES, Held
from cluster.kubectl import get, until
from cluster.release import VIDEOS
from cluster.troubles import ALL, Trouble, the_status_is_wiped

pytestmark = pytest.mark.usefixtures("installed")
# An assembly of five seconds of video may be over before an edit arrives.
LATE = ("Superseded", "Succeeded")


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
