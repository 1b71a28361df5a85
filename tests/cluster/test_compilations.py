"""From `kubectl apply` to the video, again after an edit, and gone; what a job pod is made of."""

from __future__ import annotations

from pathlib import Path

import pytest

import clipmaker
from cluster.compilations import Video, gone, serve_samples, shots, source, stopped, url
from cluster.kubectl import get, kubectl, until
from cluster.release import HERE, api

pytestmark = pytest.mark.usefixtures("installed")


@pytest.fixture(scope="module", autouse=True)
def _clips(outside: Path) -> None:
    serve_samples(outside)


def test_apply_wait_and_fetch_the_video(tmp_path: Path) -> None:
    """Two clips with a fade: the file that comes back has exactly the frames of the timeline."""
    fade = {"type": "Fade", "duration": "500ms"}
    clips = [{"url": url(), "end": "2s"}, {"url": url("clock"), "transition": fade}]
    video = Video("simple").apply(clips)
    assert video.ended() == "Complete: Succeeded"
    wait = ("wait", "-n", video.namespace, "--for=condition=Complete", "--timeout=400s")
    kubectl(*wait, f"compilation/{video.name}")
    output = video.status()["outputs"][0]
    with api("owner-key") as client:
        client.download_media(output["mediaId"], tmp_path / "out.mp4")
    assert len(clipmaker.frames(tmp_path / "out.mp4")) == 60 + 90 - 15 == video.frames()
    video.settled()


def test_an_edit_renders_only_what_changed(outside: Path) -> None:
    """Another cut in one of six shots: one segment is new, five are not rendered again."""
    clips = shots(6, source(outside))
    video = Video("edited").apply(clips)
    assert video.ended() == "Complete: Succeeded"
    assert video.status()["segments"] == {"total": 6, "reused": 0, "rendered": 6}
    video.apply([*clips[:3], {**clips[3], "end": "1.2s"}, *clips[4:]])
    assert video.ended() == "Complete: Succeeded"
    assert video.status()["observedGeneration"] == 2
    assert video.status()["segments"] == {"total": 6, "reused": 5, "rendered": 1}
    assert video.frames() == 5 * 15 + 18
    assert len(video.rows("SELECT generation FROM render_usage WHERE compilation_id = %s")) == 2
    video.over()


def test_delete_returns_at_once_without_an_operator() -> None:
    """No finalizer: `kubectl delete` waits for nobody; all that was made goes, in the API too."""
    gate = "held-for-good"
    video = Video("deleted").apply([{"url": url(gate=gate)}])
    video.running("fetch")
    with stopped(f"{HERE}-operator", HERE):
        video.delete()
        until("its children are collected", gone(video))
    state = "SELECT state FROM revisions WHERE compilation_id = %s"
    until("the API was told", lambda: video.rows(state) == [["Cancelled"]])
    video.over()


def test_events_tell_the_story() -> None:
    """`kubectl describe` shows a dozen events, in words."""
    video = Video("told").apply([{"url": url(), "end": "1s"}])
    assert video.ended() == "Complete: Succeeded"
    events = get("events", video.namespace, f"--field-selector=involvedObject.name={video.name}")
    assert 3 <= len(events) <= 12
    assert all(event["reason"] and event["message"] for event in events)
