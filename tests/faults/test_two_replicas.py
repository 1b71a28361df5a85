"""Two API replicas on one PostgreSQL under parallel load: quota, completion, usage.

Both run in this process, with separate connections, locks and queues, on one state folder as two
pods on a shared volume. Requests go to them in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

import clipmaker
from clipmill.protocol import CompilationState, MediaKind, Stage, Upload, UploadPurpose
from clipmill_client import ClientError, PermanentError, RetryableError
from harness import Harness, library_clip, new_manifest
from ledger_rows import open_reservations, render_window
from pods import announcement, assemble, upload_outputs
from postgres_server import PostgresServer, new_database
from replicas import two_replicas
from stored_bytes import assert_consistent

T = TypeVar("T")
Replicas = tuple[Harness, Harness]
CLIPS = 4


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Different clips of 1 s."""
    folder = tmp_path_factory.mktemp("clips")
    return [
        clipmaker.clip(folder / f"{i}.mp4", seconds=1, size="64x36", sound=f"sine={200 + 100 * i}")
        for i in range(CLIPS)
    ]


@pytest.fixture(scope="module")
def replicas(
    tmp_path_factory: pytest.TempPathFactory, postgres: PostgresServer
) -> Iterator[Replicas]:
    """Two replicas, whose users each test creates."""
    url = new_database(postgres.url)
    with two_replicas(tmp_path_factory.mktemp("state"), url) as both:
        yield both


def at_once(call: Callable[[int], T], count: int) -> list[T | ClientError]:
    """Run calls at the same time. Return the result or error of each."""

    def attempt(i: int) -> T | ClientError:
        try:
            return call(i)
        except ClientError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(attempt, range(count)))


def test_uploads_of_the_same_files(replicas: Replicas, clips: list[Path]) -> None:
    """Each file four times through both: one row each, and storage counted once."""
    owner, user = replicas[0].user()
    key = replicas[0].admin.create_key(owner)
    users = [replicas[i % 2].client(key) for i in range(4 * CLIPS)]

    def upload(i: int) -> str:
        for _ in range(20):
            try:
                return users[i].upload_media(clips[i // 4], MediaKind.CLIP).id
            except RetryableError:
                continue
        raise AssertionError("not uploaded")

    ids = at_once(upload, 4 * CLIPS)
    assert [each for each in ids if isinstance(each, ClientError)] == []
    assert len(set(map(str, ids))) == CLIPS
    assert user.account().storage_used_bytes == sum(clip.stat().st_size for clip in clips)
    assert replicas[0].ctx.spool.ids() == []
    assert_consistent(replicas[0])


def test_one_upload_is_completed_at_both(replicas: Replicas, clips: list[Path]) -> None:
    """Eight completions: all name one media file."""
    owner, user = replicas[0].user()
    key = replicas[0].admin.create_key(owner)
    request = announcement(clips[0], UploadPurpose.LIBRARY, kind=MediaKind.CLIP)
    upload = user.connection.request_as(Upload, "POST", "/api/uploads", body=request)
    path = f"/api/uploads/{upload.id}"
    content = clips[0].read_bytes()
    user.connection.request_once("PATCH", path, content=content, headers={"Upload-Offset": "0"})
    users = [replicas[i % 2].client(key) for i in range(8)]
    results = at_once(
        lambda i: users[i].connection.request_as(Upload, "POST", f"{path}/complete").media_id, 8
    )
    assert len(set(map(str, results))) == 1
    assert replicas[0].rows("SELECT id FROM media WHERE owner = :o", o=owner) == [
        {"id": results[0]}
    ]
    assert_consistent(replicas[0])


def test_storage_limit_holds_for_both(replicas: Replicas, clips: list[Path]) -> None:
    """Sixteen announcements within room for three: three are accepted."""
    size = clips[0].stat().st_size
    owner, user = replicas[0].user(storage_limit_bytes=3 * size + 10)
    key = replicas[0].admin.create_key(owner)
    users = [replicas[i % 2].client(key) for i in range(16)]
    request = announcement(clips[0], UploadPurpose.LIBRARY, kind=MediaKind.CLIP)

    def announce(i: int) -> object:
        other = request.model_copy(update={"sha256": f"{i:064x}"})
        return users[i].connection.request("POST", "/api/uploads", body=other)

    results = at_once(announce, 16)
    refused = [each for each in results if isinstance(each, ClientError)]
    assert (len(refused), {error.code for error in refused}) == (13, {"StorageQuotaExceeded"})
    assert user.account().storage_used_bytes == 3 * size
    assert_consistent(replicas[0])


def test_render_limit_holds_for_both(replicas: Replicas, clips: list[Path]) -> None:
    """Sixteen submissions of 1 s within 5 s: five are accepted; half of them are cancelled."""
    owner, user = replicas[0].user(render_limit_seconds=5)
    key = replicas[0].admin.create_key(owner)
    media = library_clip(user, clips[0])
    users = [replicas[i % 2].client(key) for i in range(16)]
    results = at_once(lambda i: users[i].create(new_manifest(media.id), f"key-{i}").id, 16)
    accepted = [each for each in results if isinstance(each, str)]
    refused = [each for each in results if isinstance(each, PermanentError)]
    assert (len(accepted), {error.code for error in refused}) == (5, {"QuotaExceeded"})
    assert render_window(replicas[0], owner) == (0, 5)
    # Each of three is cancelled twice at once, at different replicas.
    assert at_once(lambda i: users[i].cancel(accepted[i // 2]) and None, 6) == [None] * 6
    assert render_window(replicas[1], owner) == (0, 2)
    assert open_reservations(replicas[0], owner) == [1, 1]
    assert_consistent(replicas[0])


def test_results_are_recorded_once(replicas: Replicas, clips: list[Path]) -> None:
    """Six compilations, each result sent to both replicas at once: one usage row each."""
    owner, user = replicas[0].user(render_limit_seconds=100)
    media = library_clip(user, clips[0])
    uids = [
        replicas[i % 2].register(owner, {"clips": [{"mediaId": media.id}]})[0] for i in range(6)
    ]

    def render(i: int) -> None:
        job = replicas[i % 2].job(uids[i], Stage.ASSEMBLE)
        task_key = job.claim(0, "pod-a").key or ""
        result = upload_outputs(job, clips[0])
        other = replicas[(i + 1) % 2].client(task_key)
        assert at_once(lambda n: (job, other)[n % 2].result(result), 4) == [None] * 4

    assert at_once(render, 6) == [None] * 6
    for api in replicas:
        states = {api.operator.view(uid).state for uid in uids}
        assert states == {CompilationState.SUCCEEDED}
    usage = "SELECT seconds FROM render_usage WHERE owner = :o"
    assert replicas[0].rows(usage, o=owner) == [{"seconds": 1}] * 6
    assert render_window(replicas[0], owner) == (6, 0)
    assert_consistent(replicas[0])


def test_cancelled_or_succeeded_at_the_same_time(replicas: Replicas, clips: list[Path]) -> None:
    """A result at one replica and a cancellation at the other: one of them wins, quota fits."""
    owner, user = replicas[0].user(render_limit_seconds=100)
    media = library_clip(user, clips[0])
    used = 0
    for _ in range(4):
        uid, _plan = replicas[0].register(owner, {"clips": [{"mediaId": media.id}]})
        job = replicas[0].job(uid, Stage.ASSEMBLE)
        calls: tuple[Callable[[], object], ...] = (
            lambda job=job: assemble(job, clips[0]),
            lambda uid=uid: replicas[1].operator.delete(uid),
        )
        at_once(lambda i, calls=calls: calls[i](), 2)
        rows = replicas[0].rows(
            "SELECT r.state FROM revisions r JOIN compilations c ON c.id = r.compilation_id"
            " WHERE c.uid = :u",
            u=uid,
        )
        used += rows == [{"state": "Succeeded"}]
        assert rows[0]["state"] in ("Succeeded", "Cancelled")
        assert render_window(replicas[1], owner) == (used, 0)
    assert_consistent(replicas[0])
