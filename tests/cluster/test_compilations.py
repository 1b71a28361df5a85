"""From `kubectl apply` to the video, again after an edit, and gone; what a job pod is made of."""

from __future__ import annotations

from pathlib import Path

import pytest

import clipmaker
from cluster.compilations import Video, gone, serve_samples, source, stopped, trimmed_clips, url
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
    """One of six clips has another end: one segment is rendered, five are reused."""
    clips = trimmed_clips(6, source(outside))
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
    hold = "held-for-good"
    video = Video("deleted").apply([{"url": url(hold=hold)}])
    video.running("fetch")
    with stopped(f"{HERE}-operator", HERE):
        video.delete()
        until("its children are collected", gone(video))
    state = "SELECT state FROM revisions WHERE compilation_id = %s"
    until("the API has cancelled it", lambda: video.rows(state) == [["Cancelled"]])
    video.over()


def test_events_describe_the_progress() -> None:
    """`kubectl describe` shows at most a dozen events."""
    video = Video("events").apply([{"url": url(), "end": "1s"}])
    assert video.ended() == "Complete: Succeeded"
    events = get("events", video.namespace, f"--field-selector=involvedObject.name={video.name}")
    assert 3 <= len(events) <= 12
    assert all(event["reason"] and event["message"] for event in events)
