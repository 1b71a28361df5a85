"""Which results play a media file: an index by table, one statement however many there are."""

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
def statements(api: Harness) -> Iterator[list[str]]:
    """The SQL that is sent meanwhile."""
    sent: list[str] = []

    def note(*args: Any) -> None:
        sent.append(args[2])

    event.listen(api.ctx.db.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(api.ctx.db.engine, "before_cursor_execute", note)


def _done(api: Harness, owner: str, spec: dict[str, Any], video: Path, generation: int = 1) -> str:
    """Register a spec and play the pod that made its only output: the compilation's uid."""
    uid, _ = api.register(owner, spec)
    job = api.job(uid, Stage.ASSEMBLE, generation)
    order = job.claim(0, "pod")
    outputs = [_sent(job, video, order.epoch, output.name) for output in order.assemble or []]
    job.result(TaskResult(index=0, epoch=order.epoch, outputs=outputs))
    return uid


def _sent(job: Client, video: Path, epoch: int, name: str) -> OutputResult:
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


def test_each_result_that_plays_it(api: Harness, two_seconds: Path, three_seconds: Path) -> None:
    """As a clip, as an intro, twice in one; every output of it; nobody else's results."""
    owner, user = api.user()
    one, other = (user.upload_media(p, MediaKind.CLIP).id for p in (two_seconds, three_seconds))
    assert user.used_in(one) == []
    trim = {"end": "1s"}
    uids = [
        _done(api, owner, {"clips": [{"mediaId": one}]}, two_seconds),
        _done(
            api,
            owner,
            {
                "clips": [{"mediaId": one, **trim}, {"mediaId": one, "name": "b", **trim}],
                "outputs": [SMALL, {**SMALL, "name": "other"}],
            },
            two_seconds,
        ),
        _done(
            api,
            owner,
            {"clips": [{"mediaId": other, "end": "1s"}], "intro": {"mediaId": one}},
            three_seconds,
        ),
    ]
    views = [api.operator.view(uid) for uid in uids]
    with statements(api) as sent:
        found = user.used_in(one)
    count = len(sent)
    assert {(use.compilation_id, use.output, use.kind) for use in found} == {
        (views[0].id, "main", "clip"),
        (views[1].id, "main", "clip"),
        (views[1].id, "other", "clip"),
        (views[2].id, "main", "intro"),
    }
    assert found[0].compilation_id == views[2].id
    assert {use.media_id for use in found} == {o.media_id for view in views for o in view.outputs}
    assert [use.kind for use in user.used_in(other)] == ["clip"]
    for _ in range(3):
        _done(api, owner, {"clips": [{"mediaId": one}]}, two_seconds)
    with statements(api) as sent:
        assert len(user.used_in(one)) == 7
    assert len(sent) == count
    _, stranger = api.user()
    with pytest.raises(PermanentError) as hidden:
        stranger.used_in(one)
    assert hidden.value.status == 404


def test_what_did_not_succeed_plays_nothing(api: Harness, two_seconds: Path) -> None:
    """Cancelled before its end: not a result."""
    owner, user = api.user()
    media_id = user.upload_media(two_seconds, MediaKind.CLIP).id
    uid, _ = api.register(owner, {"clips": [{"mediaId": media_id}]})
    user.cancel(api.operator.view(uid).id)
    assert user.used_in(media_id) == []


@pytest.mark.parametrize("field", ["intro", "outro", "bumper", "transitions", "music", "overlays"])
def test_what_an_edit_plays_is_not_deleted(field: str, api: Harness, two_seconds: Path) -> None:
    """Not while a compilation runs that has it, by any field; the refusal names it."""
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
    assert compilation_id in str(refused.value)
    user.cancel(compilation_id)
    user.delete_media(asset)
    assert user.plan(compilation_id).outputs == [], "its plan can no longer be made"
