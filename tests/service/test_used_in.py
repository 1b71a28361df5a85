"""Results that play a media file: one statement reads any number of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import event

from clipmill.protocol import (
    MediaKind,
    OutputResult,
    Stage,
    TaskResult,
    UploadPurpose,
    UploadRequest,
)
from clipmill_client.client import Client
from clipmill_client.errors import PermanentError
from clipmill_client.transfer import sha256_of
from harness import SMALL, Harness


@contextmanager
def recorded_statements(api: Harness) -> Iterator[list[str]]:
    """Yield the SQL statements that are sent within the context."""
    statements: list[str] = []

    def record(*args: Any) -> None:
        statements.append(args[2])

    event.listen(api.ctx.db.engine, "before_cursor_execute", record)
    try:
        yield statements
    finally:
        event.remove(api.ctx.db.engine, "before_cursor_execute", record)


def _finish(
    api: Harness, owner: str, spec: dict[str, Any], video: Path, generation: int = 1
) -> str:
    """Register a spec and play its assemble task. Return the uid."""
    uid, _ = api.register(owner, spec)
    job = api.job(uid, Stage.ASSEMBLE, generation)
    assignment = job.claim(0, "pod")
    outputs = [
        _upload_output(job, video, assignment.epoch, output.name)
        for output in assignment.assemble or []
    ]
    job.result(TaskResult(index=0, epoch=assignment.epoch, outputs=outputs))
    return uid


def _upload_output(job: Client, video: Path, epoch: int, name: str) -> OutputResult:
    request = UploadRequest(
        purpose=UploadPurpose.OUTPUT,
        kind=MediaKind.COMPILATION,
        filename=f"{name}.mp4",
        size_bytes=video.stat().st_size,
        sha256=sha256_of(video),
        output=name,
        epoch=epoch,
    )
    media_id = str(job.upload(video, request).media_id)
    return OutputResult(name=name, media_id=media_id, frames=1, duration_us=1)


def test_results_that_play_a_media_file(
    api: Harness, two_seconds: Path, three_seconds: Path
) -> None:
    """As clip or intro, once for each output; results of other owners are not listed."""
    owner, user = api.user()
    clip, other = (user.upload_media(p, MediaKind.CLIP).id for p in (two_seconds, three_seconds))
    assert user.used_in(clip) == []
    trim = {"end": "1s"}
    uids = [
        _finish(api, owner, {"clips": [{"mediaId": clip}]}, two_seconds),
        _finish(
            api,
            owner,
            {
                "clips": [{"mediaId": clip, **trim}, {"mediaId": clip, "name": "b", **trim}],
                "outputs": [SMALL, {**SMALL, "name": "other"}],
            },
            two_seconds,
        ),
        _finish(
            api,
            owner,
            {"clips": [{"mediaId": other, "end": "1s"}], "intro": {"mediaId": clip}},
            three_seconds,
        ),
    ]
    views = [api.operator.view(uid) for uid in uids]
    with recorded_statements(api) as statements:
        uses = user.used_in(clip)
    count = len(statements)
    assert {(use.compilation_id, use.output, use.kind) for use in uses} == {
        (views[0].id, "main", "clip"),
        (views[1].id, "main", "clip"),
        (views[1].id, "other", "clip"),
        (views[2].id, "main", "intro"),
    }
    assert uses[0].compilation_id == views[2].id
    assert {use.media_id for use in uses} == {o.media_id for view in views for o in view.outputs}
    assert [use.kind for use in user.used_in(other)] == ["clip"]
    for _ in range(3):
        _finish(api, owner, {"clips": [{"mediaId": clip}]}, two_seconds)
    with recorded_statements(api) as statements:
        assert len(user.used_in(clip)) == 7
    assert len(statements) == count
    _, stranger = api.user()
    with pytest.raises(PermanentError) as hidden:
        stranger.used_in(clip)
    assert hidden.value.status == 404


def test_a_cancelled_compilation_is_no_result(api: Harness, two_seconds: Path) -> None:
    """Only succeeded revisions are listed."""
    owner, user = api.user()
    media_id = user.upload_media(two_seconds, MediaKind.CLIP).id
    uid, _ = api.register(owner, {"clips": [{"mediaId": media_id}]})
    user.cancel(api.operator.view(uid).id)
    assert user.used_in(media_id) == []


@pytest.mark.parametrize("field", ["intro", "outro", "bumper", "transitions", "music", "overlays"])
def test_media_in_use_is_not_deleted(field: str, api: Harness, two_seconds: Path) -> None:
    """An active compilation that uses it in any field is named by the refusal."""
    _, user = api.user()
    owner = user.account().owner
    clip = user.upload_media(two_seconds, MediaKind.CLIP).id
    kind = {"music": MediaKind.MUSIC, "overlays": MediaKind.IMAGE}.get(field, MediaKind.INTRO)
    file = two_seconds
    if kind is MediaKind.IMAGE:
        file = two_seconds.with_name("logo.png")
        Image.new("RGB", (8, 8)).save(file)
    asset = user.upload_media(file, kind).id
    value: Any = {"mediaId": asset}
    value = {"transitions": {"mediaIds": [asset]}, "overlays": [value]}.get(field, value)
    clips = [{"mediaId": clip, "name": name} for name in ("a", "b")]
    uid, _ = api.register(owner, {"clips": clips, field: value})
    with pytest.raises(PermanentError) as refused:
        user.delete_media(asset)
    assert (refused.value.status, refused.value.code) == (409, "InUse")
    compilation_id = api.operator.view(uid).id
    assert refused.value.facts["compilation"] == compilation_id
    user.cancel(compilation_id)
    user.delete_media(asset)
    assert user.plan(compilation_id).outputs == [], "the plan is empty without the media"
