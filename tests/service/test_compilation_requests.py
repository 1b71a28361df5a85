"""Requests of users: create, list, edit, cancel and watch compilations; delete media."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from clipmill.protocol import CompilationState, Stage
from clipmill.spec import CompilationSpec
from clipmill_api.compilations.resolution import dump_spec
from clipmill_client.errors import PermanentError
from harness import Harness, library_clip, new_manifest
from pods import assemble


def test_users_create_list_edit_and_watch(api: Harness, two_seconds: Path) -> None:
    """Idempotent creation, pages by cursor, an edit that starts a generation, events to the end."""
    owner, user = api.user()
    media = library_clip(user, two_seconds)
    created = [user.create(new_manifest(media.id), f"key-{i}") for i in range(3)]
    assert user.create(new_manifest(media.id), "key-1").id == created[1].id
    with pytest.raises(PermanentError) as reused:
        user.create(new_manifest(media.id, title="other"), "key-1")
    assert reused.value.code == "IdempotencyKeyReused"
    page = user.compilations(limit=2)
    next_page = user.compilations(cursor=page.next, limit=2)
    assert [row.id for row in page.items + next_page.items] == [row.id for row in reversed(created)]
    assert next_page.next is None
    spec = new_manifest(media.id, title="New").spec
    edited = user.edit(created[0].id, spec)
    assert (edited.generation, user.edit(created[0].id, spec).generation) == (2, 2)
    user.cancel(created[0].id)
    assert [view.state for view in user.events(created[0].id)] == [CompilationState.CANCELLED]
    assert user.dry_run(new_manifest(media.id)).outputs[0].frames == 60
    assert owner == created[0].owner


def test_another_owners_resources_are_not_found(api: Harness, two_seconds: Path) -> None:
    """Compilations and media of another user have the same problems as missing ones."""
    owner, user = api.user()
    _, other = api.user()
    media = library_clip(user, two_seconds)
    compilation = user.create(new_manifest(media.id))
    for call in (
        lambda: other.compilation(compilation.id),
        lambda: other.cancel(compilation.id),
        lambda: other.media(media.id),
        lambda: other.delete_media(media.id),
        lambda: other.plan(compilation.id),
    ):
        with pytest.raises(PermanentError) as hidden:
            call()
        assert (hidden.value.status, hidden.value.code) == (404, "NotFound")
    with pytest.raises(PermanentError) as unknown:
        other.create(new_manifest(media.id))
    assert (unknown.value.code, unknown.value.facts["field"]) == (
        "UnknownMedia",
        "spec.clips[0].mediaId",
    )
    with pytest.raises(PermanentError) as claimed:
        other.create(new_manifest(media.id, owner=owner))
    assert claimed.value.facts["field"] == "spec.owner"


def test_media_of_a_terminal_compilation_can_be_deleted(api: Harness, two_seconds: Path) -> None:
    """Not while it renders. Deleting releases storage and leaves the finished video."""
    owner, user = api.user(storage_limit_bytes=10**8)
    media = library_clip(user, two_seconds)
    uid, plan = api.register(owner, {"clips": [{"mediaId": media.id}]})
    with pytest.raises(PermanentError) as used:
        user.delete_media(media.id)
    assert (used.value.code, used.value.facts["compilation"]) == ("InUse", plan.compilation_id)
    assemble(api.job(uid, Stage.ASSEMBLE), two_seconds)
    before = user.account().storage_used_bytes
    user.delete_media(media.id)
    assert user.account().storage_used_bytes == before - media.size_bytes
    compilation_id = str(plan.compilation_id)
    assert user.compilation(compilation_id).clips[0].media_id is None
    reply = user.connection.request_once("GET", f"/api/compilations/{compilation_id}/outputs/main")
    assert reply.content == two_seconds.read_bytes()
    assert user.plan(compilation_id).state is CompilationState.SUCCEEDED


def test_outputs_are_downloaded_whole_and_by_range(
    api: Harness, two_seconds: Path, tmp_path: Path
) -> None:
    """A download resumes from a partial file; ETag, Range and If-None-Match are supported."""
    owner, user = api.user()
    media = library_clip(user, two_seconds)
    uid, _ = api.register(owner, {"clips": [{"mediaId": media.id}]})
    assemble(api.job(uid, Stage.ASSEMBLE), two_seconds)
    compilation_id = api.operator.view(uid).id
    data = two_seconds.read_bytes()
    (tmp_path / "main.mp4.part").write_bytes(data[:1000])
    user.download_output(compilation_id, "main.mp4", tmp_path / "main.mp4")
    assert (tmp_path / "main.mp4").read_bytes() == data
    where = f"/api/compilations/{compilation_id}/outputs/main"
    reply = user.connection.request_once("GET", where, headers={"Range": "bytes=10-19"})
    assert (reply.status_code, reply.content) == (206, data[10:20])
    assert reply.headers["content-range"] == f"bytes 10-19/{len(data)}"
    etag = f'"{hashlib.sha256(data).hexdigest()}"'
    assert reply.headers["etag"] == etag
    assert (
        user.connection.request_once("GET", where, headers={"If-None-Match": etag}).status_code
        == 304
    )
    with pytest.raises(PermanentError) as refused:
        user.connection.request_once("GET", where, headers={"Range": f"bytes={len(data)}-"})
    assert refused.value.status == 416


def test_a_stored_spec_reads_back_equal() -> None:
    """Dumping and validating a spec changes nothing."""
    spec = new_manifest("m-aaaaaaaa", title="T").spec
    assert CompilationSpec.model_validate(dump_spec(spec)) == spec
