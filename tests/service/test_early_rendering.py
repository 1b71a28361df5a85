"""Segments are rendered while other clips are still being fetched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from clipmaker import clip, frames
from clipmill.protocol import (
    Assignment,
    CompilationState,
    CompilationView,
    Stage,
    TaskFailure,
    TaskResult,
    UploadPurpose,
)
from clipmill.spec import Manifest
from clipmill_api.compilations.output_planning import SEGMENTS_PER_TASK
from clipmill_cli.local import local_render
from clipmill_cli.local.local_api import LocalAPI, SourceAccess
from clipmill_client.client import Client
from clipmill_client.errors import RetryableError
from harness import SMALL, Harness, library_clip
from pods import announcement, fetch, url
from sources_server import SourceServer, serve_sources


def upload_segments(job: Client, assignment: Assignment, path: Path) -> None:
    """Play a render task that rendered this file for each of its segments."""
    for segment in assignment.render or []:
        task = {"index": assignment.index, "epoch": assignment.epoch}
        request = announcement(path, UploadPurpose.SEGMENT, segment_key=segment.key, **task)
        job.upload(path, request)


def keys_of(assignment: Assignment) -> list[str]:
    """Return the keys of the segments of a render task."""
    return [segment.key for segment in assignment.render or []]


def test_ready_clips_are_rendered_while_others_are_fetched(
    api: Harness, two_seconds: Path, three_seconds: Path
) -> None:
    """The plan counts their segments; a render task gets them, and the rest once all are ready."""
    owner, user = api.user()
    media = library_clip(user, two_seconds)
    uid, _ = api.register(owner, {"clips": [{"mediaId": media.id}, {"url": url()}]})
    assert api.operator.plan(uid).settled_segments == 1
    job = api.job(uid, Stage.RENDER)
    first = job.claim(0, "pod")
    assert (len(keys_of(first)), api.operator.view(uid).state) == (1, CompilationState.FETCHING)
    upload_segments(job, first, two_seconds)
    assert api.operator.plan(uid).settled_segments == 0
    with pytest.raises(RetryableError, match="still being fetched"):
        job.claim(0, "pod")
    fetch(api.job(uid, Stage.FETCH), 0, three_seconds)
    second = job.claim(0, "pod")
    assert second.epoch == first.epoch
    upload_segments(job, second, two_seconds)
    assert len(set(keys_of(first) + keys_of(second))) == 2
    assert keys_of(job.claim(0, "pod")) == []
    job.result(TaskResult(index=0, epoch=first.epoch))
    plan = api.operator.plan(uid)
    assert plan.state is CompilationState.RENDERING
    assert plan.segments.model_dump() == {"total": 2, "reused": 0, "rendered": 2}


def test_a_segment_that_may_still_change_waits(api: Harness, two_seconds: Path) -> None:
    """A clip with a transition to one that is missing, or an output with a size limit."""
    owner, user = api.user()
    media = library_clip(user, two_seconds)
    fade = {"type": "Fade", "duration": "500ms"}
    clips = [{"mediaId": media.id}, {"url": url(), "transition": fade}]
    sized = {"outputs": [{**SMALL, "maxBytes": 5_000_000}]}
    for spec in ({"clips": clips}, {"clips": [clips[0], {"url": url()}], **sized}):
        uid, _ = api.register(owner, spec)
        assert api.operator.plan(uid).settled_segments == 0
        with pytest.raises(RetryableError, match="still being fetched"):
            api.job(uid, Stage.RENDER).claim(0, "pod")


def test_each_segment_is_assigned_once(api: Harness, two_seconds: Path) -> None:
    """Tasks share the missing segments; those of a lost task are free, of a failed one not."""
    owner, user = api.user()
    media = library_clip(user, two_seconds)
    count = SEGMENTS_PER_TASK + 2
    clips = [{"mediaId": media.id, "end": f"{100 + 40 * i}ms"} for i in range(count)]
    uid, _ = api.register(owner, {"clips": clips})
    job = api.job(uid, Stage.RENDER)
    first, second = job.claim(0, "pod-0"), job.claim(1, "pod-1")
    assert (len(keys_of(first)), len(keys_of(second))) == (SEGMENTS_PER_TASK, 2)
    assert not set(keys_of(first)) & set(keys_of(second))
    failure = TaskFailure(code="RenderFailed", message="broken")
    job.result(TaskResult(index=1, epoch=second.epoch, failure=failure))
    assert keys_of(job.claim(2, "pod-2")) == []
    api.clock.advance(api.settings.lease_s + 1)
    assert keys_of(job.claim(3, "pod-3")) == keys_of(first)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[SourceServer]:
    """A server of three different clips of 2 s."""
    for i in range(3):
        clip(tmp_path / f"{i}.mp4", sound=f"sine=frequency={300 + 90 * i}:sample_rate=48000")
    with serve_sources(tmp_path) as served:
        yield served


def test_a_local_run_renders_before_the_last_clip_arrives(
    web: SourceServer, tmp_path: Path
) -> None:
    """The last clip is sent only after the segments of the first two are stored."""
    paths = ["0.mp4", "1.mp4", "held/2.mp4"]
    manifest = Manifest.model_validate(
        {
            "apiVersion": "clipmill.dev/v1alpha1",
            "kind": "Compilation",
            "metadata": {"name": "early"},
            "spec": {"clips": [{"url": web.url(p)} for p in paths], "outputs": [SMALL]},
        }
    )
    stored: list[CompilationState] = []
    with LocalAPI(tmp_path / "state", SourceAccess(private_addresses=(web.address,))) as api:

        def release_once_stored(view: CompilationView) -> None:
            plan = api.operator.operator.plan("local-default.early")
            ready = sum(clip.media_id is not None for clip in view.clips)
            if ready == 2 and plan.settled_segments == 0 and plan.to_fetch:
                stored.append(plan.state)
                web.release()

        view, _ = local_render.render(api, manifest, workers=3, on_progress=release_once_stored)
        assert (view.state, stored[:1]) == (CompilationState.SUCCEEDED, [CompilationState.FETCHING])
        video = tmp_path / "main.mp4"
        api.user.download_media(view.outputs[0].media_id, video)
    assert len(frames(video)) == view.outputs[0].frames == 3 * 60
    assert view.outputs[0].segments.model_dump() == {"total": 3, "reused": 0, "rendered": 3}
