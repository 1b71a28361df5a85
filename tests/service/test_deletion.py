"""Deletion of compilations, outputs and finished resources: rows, storage, bytes, reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clipmill.protocol import CompilationView, MediaKind, Stage, SubmissionAction, UploadPurpose
from clipmill_api.media.retention import sweep
from clipmill_client import PermanentError
from clipmill_client.client import Client
from harness import SMALL, Harness, library_clip, new_manifest, running
from pods import announcement, assemble, upload_outputs

DAY_S = 86_400


@pytest.fixture
def api(database_url: str, tmp_path: Path, new_postgres: Callable[[], str]) -> Iterator[Harness]:
    """An API of its own on each database, since a sweep is about everything."""
    with running(tmp_path / "state", new_postgres() if database_url else "") as harness:
        yield harness


def rendered(api: Harness, user: Client, file: Path) -> CompilationView:
    """Return a compilation that has succeeded."""
    media = library_clip(user, file)
    view = user.create(new_manifest(media.id))
    assemble(api.job(api.uid_of(view.id), Stage.ASSEMBLE), file)
    return user.compilation(view.id)


def reasons(api: Harness, sha256: str) -> list[str]:
    """Return why a blob waits for its deletion."""
    rows = api.rows("SELECT reason FROM tombstones WHERE sha256 = :s", s=sha256)
    return [row["reason"] for row in rows]


def refused(call: Callable[[], object]) -> str:
    """Return the code of a refused call."""
    with pytest.raises(PermanentError) as error:
        call()
    return error.value.code


def test_a_compilation_is_deleted(api: Harness, two_seconds: Path) -> None:
    """Its videos and storage go at once, the bytes after the grace period, the row at last."""
    owner, user = api.user()
    view = rendered(api, user, two_seconds)
    video = user.media(view.outputs[0].media_id)
    used = user.account().storage_used_bytes
    user.results.delete(view.id)
    assert refused(lambda: user.compilation(view.id)) == "NotFound"
    assert refused(lambda: user.results.delete(view.id)) == "NotFound"
    assert user.compilations().items == []
    assert user.account().storage_used_bytes == used - video.size_bytes
    assert reasons(api, video.sha256) == ["compilation-deleted"]
    (submission,) = api.operator.submissions(SubmissionAction.DELETE)
    api.operator.delete(submission.uid)
    assert api.ctx.store.exists(owner, video.sha256, video.size_bytes)
    for clip in user.library().items:
        user.delete_media(clip.id)  # the same bytes
    api.clock.advance(8 * DAY_S)
    sweep(api.ctx)
    assert not api.ctx.store.exists(owner, video.sha256, video.size_bytes)
    assert len(api.rows("SELECT id FROM compilations")) == 1
    api.clock.advance(91 * DAY_S)
    sweep(api.ctx)
    assert api.rows("SELECT id FROM compilations") == []
    assert len(user.usage()) == 1


def test_an_active_compilation_is_cancelled_first(api: Harness, two_seconds: Path) -> None:
    """Its reservation is released."""
    _, user = api.user(render_limit_seconds=100)
    view = user.create(new_manifest(library_clip(user, two_seconds).id))
    assert user.account().render_reserved_seconds == 2
    user.results.delete(view.id)
    assert user.account().render_reserved_seconds == 0
    assert api.rows("SELECT state FROM revisions") == [{"state": "Cancelled"}]


def test_a_video_in_use_is_kept(api: Harness, two_seconds: Path) -> None:
    """As long as an active compilation plays it, neither it nor its compilation is deleted."""
    _, user = api.user()
    view = rendered(api, user, two_seconds)
    playing = user.create(new_manifest(view.outputs[0].media_id, "playing"))
    assert refused(lambda: user.results.delete(view.id)) == "InUse"
    assert refused(lambda: user.results.delete_output(view.id, "main")) == "InUse"
    assert user.media(view.outputs[0].media_id).id
    user.cancel(playing.id)
    user.results.delete(view.id)


def test_an_output_is_deleted(api: Harness, two_seconds: Path, tmp_path: Path) -> None:
    """The other output and the compilation stay."""
    _, user = api.user()
    media = library_clip(user, two_seconds)
    view = user.create(new_manifest(media.id, outputs=[SMALL, SMALL | {"name": "short"}]))
    (submission,) = api.operator.submissions()
    job = api.job(submission.uid, Stage.ASSEMBLE)
    result = upload_outputs(job, two_seconds)
    other = tmp_path / "short.mp4"
    other.write_bytes(two_seconds.read_bytes() + b"\0\0\0\x08free")
    request = announcement(
        other, UploadPurpose.OUTPUT, output="short", kind=MediaKind.COMPILATION, epoch=result.epoch
    )
    outputs = list(result.outputs)
    media_id = str(job.upload(other, request).media_id)
    outputs[1] = outputs[1].model_copy(update={"media_id": media_id})
    job.result(result.model_copy(update={"outputs": outputs}))
    main, short = (user.media(o.media_id) for o in user.compilation(view.id).outputs)
    user.results.delete_output(view.id, "short")
    assert refused(lambda: user.media(short.id)) == "NotFound"
    assert refused(lambda: user.results.delete_output(view.id, "short")) == "NotFound"
    assert user.media(main.id).id == main.id
    assert reasons(api, short.sha256) == ["output-deleted"]
    assert user.compilation(view.id).state == "Succeeded"


def test_of_others_nothing_is_deleted(api: Harness, two_seconds: Path) -> None:
    """Compilations of another owner do not exist."""
    _, user = api.user()
    _, other = api.user()
    view = rendered(api, user, two_seconds)
    assert refused(lambda: other.results.delete(view.id)) == "NotFound"
    assert refused(lambda: other.results.delete_output(view.id, "main")) == "NotFound"
    assert user.media(view.outputs[0].media_id).id


def test_a_finished_resource_is_deleted(api: Harness, two_seconds: Path) -> None:
    """What it held expires at once; a second report, and one after a cancellation, free nothing."""
    owner, user = api.user()
    media = library_clip(user, two_seconds)
    uid, plan = api.register(owner, {"clips": [{"mediaId": media.id}]})
    assemble(api.job(uid, Stage.ASSEMBLE), two_seconds)
    video = user.media(user.compilation(plan.compilation_id).outputs[0].media_id)
    sweep(api.ctx)
    assert user.media(video.id).expires_at is None
    api.operator.delete(uid)
    assert user.media(video.id).expires_at is not None
    sweep(api.ctx)
    assert refused(lambda: user.media(video.id)) == "NotFound"
    assert reasons(api, video.sha256) == ["resource-deleted"]
    assert user.account().storage_used_bytes == media.size_bytes
    assert api.operator.submissions() == []
    assert user.compilation(plan.compilation_id).state == "Succeeded"


def test_a_resource_that_the_api_deletes_keeps_earlier_results(
    api: Harness, two_seconds: Path
) -> None:
    """Cancelling an edit deletes the resource, and not what was rendered before."""
    owner, user = api.user()
    media = library_clip(user, two_seconds)
    uid, plan = api.register(owner, {"clips": [{"mediaId": media.id}]})
    assemble(api.job(uid, Stage.ASSEMBLE), two_seconds)
    video = user.compilation(plan.compilation_id).outputs[0].media_id
    user.edit(plan.compilation_id, new_manifest(media.id, title="New").spec)
    user.cancel(plan.compilation_id)
    api.operator.delete(uid)
    api.operator.delete(uid)
    sweep(api.ctx)
    assert user.media(video).expires_at is None
