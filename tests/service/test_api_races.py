"""Concurrent requests on both databases: uploads, fetches, results, edits and registrations."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest

from clipmill.protocol import (
    Assignment,
    CompilationState,
    MediaKind,
    Stage,
    UploadPurpose,
)
from clipmill_api.http.authentication import Principal
from clipmill_api.media import uploads
from clipmill_api.media.inspection import inspect_upload
from clipmill_client.errors import ClientError, PermanentError, RetryableError
from harness import Harness, library_clip, new_manifest
from ledger_rows import open_reservations, render_window
from pods import announcement, upload_outputs, url

T = TypeVar("T")


def concurrently(call: Callable[[int], T], count: int = 16) -> list[T | ClientError]:
    """Run a call in so many threads at the same time. Return the result or error of each."""

    def attempt(i: int) -> T | ClientError:
        try:
            return call(i)
        except ClientError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(attempt, range(count)))


def test_render_quota_is_never_exceeded(api: Harness, two_seconds: Path) -> None:
    """Sixteen submissions of 2 s within 11 s: five are accepted, and the ledger adds up."""
    owner, user = api.user(render_limit_seconds=11)
    media = library_clip(user, two_seconds)
    results = concurrently(lambda i: user.create(new_manifest(media.id), f"key-{i}"))
    refused = [error for error in results if isinstance(error, PermanentError)]
    assert len(results) - len(refused) == 5
    assert {error.code for error in refused} == {"QuotaExceeded"}
    assert render_window(api, owner) == (0, 10)
    assert open_reservations(api, owner) == [2] * 5


def test_storage_quota_is_never_exceeded(api: Harness, two_seconds: Path) -> None:
    """Sixteen announcements of different bytes within room for three: three are accepted."""
    size = two_seconds.stat().st_size
    owner, user = api.user(storage_limit_bytes=3 * size + 10)
    request = announcement(two_seconds, UploadPurpose.LIBRARY, kind=MediaKind.CLIP)

    def announce(i: int) -> object:
        other_bytes = request.model_copy(update={"sha256": f"{i:064x}"})
        return user.connection.request("POST", "/api/uploads", body=other_bytes)

    results = concurrently(announce)
    assert sum(not isinstance(result, ClientError) for result in results) == 3
    assert user.account().storage_used_bytes == 3 * size
    sql = "SELECT count(*) AS n, sum(reserved_bytes) AS b FROM uploads WHERE owner = :o"
    assert api.rows(sql, o=owner) == [{"n": 3, "b": 3 * size}]


def test_same_bytes_are_counted_once(api: Harness, two_seconds: Path) -> None:
    """Eight uploads of the same bytes under different names: one media row, counted once."""
    owner, user = api.user()
    clients = [api.client(api.admin.create_key(owner)) for _ in range(8)]

    def upload(i: int) -> str:
        return clients[i].upload_media(two_seconds, MediaKind.CLIP, f"name-{i}.mp4").id

    ids = concurrently(upload, 8)
    assert len(set(map(str, ids))) == 1
    size = two_seconds.stat().st_size
    sql = "SELECT size_bytes FROM media WHERE owner = :o"
    assert api.rows(sql, o=owner) == [{"size_bytes": size}]
    assert user.account().storage_used_bytes == size


def test_same_announcement_is_one_upload(api: Harness, two_seconds: Path) -> None:
    """Eight equal announcements reserve storage once."""
    _, user = api.user()
    request = announcement(two_seconds, UploadPurpose.LIBRARY, kind=MediaKind.CLIP)

    def announce(_: int) -> object:
        return user.connection.request("POST", "/api/uploads", body=request).json()["id"]

    assert len(set(concurrently(announce, 8))) == 1
    assert user.account().storage_used_bytes == two_seconds.stat().st_size


def test_same_clip_is_fetched_once(api: Harness, two_seconds: Path) -> None:
    """Eight compilations need one clip: one pod fetches it, and the others get its media."""
    owner, _ = api.user()
    clip_url = url()
    uids = [api.register(owner, {"clips": [{"url": clip_url}]})[0] for _ in range(8)]
    jobs = [api.job(uid, Stage.FETCH) for uid in uids]
    results = concurrently(lambda i: jobs[i].claim(0, f"pod-{i}"), 8)
    claimed = {i: r for i, r in enumerate(results) if isinstance(r, Assignment)}
    assert len(claimed) == 1
    errors = [error for error in results if isinstance(error, RetryableError)]
    assert {error.code for error in errors} == {"FetchInProgress"}
    ((fetching, assignment),) = claimed.items()
    assert assignment.fetch is not None
    request = announcement(
        two_seconds,
        UploadPurpose.CLIP,
        clip_id=assignment.fetch.clip_id,
        index=0,
        epoch=assignment.epoch,
    )
    jobs[fetching].upload(two_seconds, request)
    for i in set(range(8)) - {fetching}:
        assert jobs[i].claim(0, f"pod-{i}").fetch is None
    assert api.rows("SELECT count(*) AS n FROM media WHERE owner = :o", o=owner) == [{"n": 1}]
    assert {api.operator.view(uid).state for uid in uids} == {CompilationState.RENDERING}


def test_same_result_is_settled_once(api: Harness, two_seconds: Path) -> None:
    """Eight reports of one result: one usage row, one settlement."""
    owner, user = api.user(render_limit_seconds=100)
    media = library_clip(user, two_seconds)
    uid, plan = api.register(owner, {"clips": [{"mediaId": media.id}]})
    job = api.job(uid, Stage.ASSEMBLE)
    result = upload_outputs(job, two_seconds)
    results = concurrently(lambda _: job.result(result), 8)
    assert [error for error in results if error is not None] == []
    assert render_window(api, owner) == (2, 0)
    sql = "SELECT seconds FROM render_usage WHERE compilation_id = :c"
    assert api.rows(sql, c=plan.compilation_id) == [{"seconds": 2}]


def test_cancel_and_result_at_once(api: Harness, two_seconds: Path) -> None:
    """The compilation is either cancelled or succeeded, and the ledger fits its state."""
    owner, user = api.user(render_limit_seconds=100)
    media = library_clip(user, two_seconds)
    for _ in range(4):
        uid, plan = api.register(owner, {"clips": [{"mediaId": media.id}]})
        job = api.job(uid, Stage.ASSEMBLE)
        result = upload_outputs(job, two_seconds)
        compilation_id = str(plan.compilation_id)
        used_s = render_window(api, owner)[0]
        concurrently(lambda i: job.result(result) if i % 2 else user.cancel(compilation_id), 6)  # noqa: B023
        view = api.operator.view(uid)
        assert view.state in (CompilationState.SUCCEEDED, CompilationState.CANCELLED)
        has_succeeded = view.state is CompilationState.SUCCEEDED
        assert render_window(api, owner) == (used_s + 2 * has_succeeded, 0)
        sql = "SELECT state FROM reservations WHERE compilation_id = :c"
        state = "settled" if has_succeeded else "released"
        assert api.rows(sql, c=compilation_id) == [{"state": state}]


def test_different_edits_are_applied_in_turn(api: Harness, two_seconds: Path) -> None:
    """Eight different edits: eight generations, one of them active, one open reservation."""
    owner, user = api.user(render_limit_seconds=100)
    media = library_clip(user, two_seconds)
    compilation = user.create(new_manifest(media.id))
    specs = [new_manifest(media.id, title=f"T{i}").spec for i in range(8)]
    results = concurrently(lambda i: user.edit(compilation.id, specs[i]), 8)
    assert [error for error in results if isinstance(error, ClientError)] == []
    sql = "SELECT state FROM revisions WHERE compilation_id = :c ORDER BY generation"
    states = [row["state"] for row in api.rows(sql, c=compilation.id)]
    assert states == ["Superseded"] * 8 + ["Rendering"]
    assert open_reservations(api, owner) == [2]
    assert render_window(api, owner) == (0, 2)


def test_same_edit_is_one_generation(api: Harness, two_seconds: Path) -> None:
    """Eight equal edits start one revision."""
    _, user = api.user()
    media = library_clip(user, two_seconds)
    compilation = user.create(new_manifest(media.id))
    spec = new_manifest(media.id, title="T").spec
    concurrently(lambda _: user.edit(compilation.id, spec), 8)
    assert user.compilation(compilation.id).generation == 2


def test_same_idempotency_key_is_one_compilation(api: Harness, two_seconds: Path) -> None:
    """Eight requests with one Idempotency-Key: one compilation, reserved once."""
    owner, user = api.user(render_limit_seconds=100)
    media = library_clip(user, two_seconds)
    ids = concurrently(lambda _: user.create(new_manifest(media.id), "key").id, 8)
    assert len(set(map(str, ids))) == 1
    assert render_window(api, owner) == (0, 2)


def test_same_registration_is_one_revision(api: Harness, two_seconds: Path) -> None:
    """Eight registrations of one generation, old or new: one compilation, one reservation."""
    owner, user = api.user(render_limit_seconds=100)
    media = library_clip(user, two_seconds)
    spec = {"clips": [{"mediaId": media.id}]}
    uid, _ = api.register(owner, spec)
    generations = concurrently(lambda _: api.register(owner, spec, uid=uid)[1].generation, 8)
    new_uid = f"{uid}x"
    ids = concurrently(lambda _: api.register(owner, spec, uid=new_uid)[1].compilation_id, 8)
    assert set(generations) == {1}
    assert len(set(map(str, ids))) == 1
    assert render_window(api, owner) == (0, 4)


def test_same_segment_of_two_compilations_is_two_uploads(api: Harness, two_seconds: Path) -> None:
    """Each job uploads its own bytes, so that publishing one does not end the other's upload."""
    owner, user = api.user()
    media_id = library_clip(user, two_seconds).id
    uids = [api.register(owner, {"clips": [{"mediaId": media_id}]})[0] for _ in range(2)]
    ids = []
    for uid in uids:
        job = api.job(uid, Stage.ASSEMBLE)
        assignment = job.claim(0, "pod")
        key = (assignment.assemble or [])[0].segments[0].key
        request = announcement(
            two_seconds, UploadPurpose.SEGMENT, segment_key=key, epoch=assignment.epoch
        )
        ids.append(job.connection.request("POST", "/api/uploads", body=request).json()["id"])
    assert len(set(ids)) == 2


def test_second_completion_returns_the_published_upload(
    api: Harness, two_seconds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the first request inspects the bytes, another replica publishes them."""
    owner, user = api.user()
    request = announcement(two_seconds, UploadPurpose.LIBRARY, kind=MediaKind.CLIP)
    upload_id = user.connection.request("POST", "/api/uploads", body=request).json()["id"]
    path = f"/api/uploads/{upload_id}"
    headers = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    content = two_seconds.read_bytes()
    user.connection.request_once("PATCH", path, content=content, headers=headers)

    def inspect_late(*args: Any) -> Any:
        monkeypatch.setattr(uploads, "inspect_upload", inspect_upload)
        uploads.complete(api.ctx, Principal("user", owner=owner), upload_id)
        return inspect_upload(*args)

    monkeypatch.setattr(uploads, "inspect_upload", inspect_late)
    upload = user.connection.request("POST", f"{path}/complete").json()
    assert (upload["complete"], upload["id"]) == (True, upload_id)
    assert user.account().storage_used_bytes == two_seconds.stat().st_size
