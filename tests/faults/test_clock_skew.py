"""Clocks of two API replicas that differ by 10 minutes: leases, keys, reservations, retention.

Both run in this process on one PostgreSQL, each with the clock of its own machine.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import text

import clipmaker
from clipmill.protocol import Assignment, Directive, Heartbeat, MediaKind, Stage, UploadPurpose
from clipmill_api.media.retention import sweep
from clipmill_client import Client, PermanentError, RetryableError
from harness import Harness, library_clip
from ledger_rows import open_reservations, render_window
from pods import announcement, assemble, upload_outputs, url
from postgres_server import PostgresServer, new_database
from replicas import two_replicas
from stored_bytes import assert_consistent

SKEW_S = 600
# Long enough for a few requests on a busy machine.
SETTINGS = {"lease_s": 6, "allow_any_host": True}
Replicas = tuple[Harness, Harness]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of 1 s."""
    return clipmaker.clip(tmp_path_factory.mktemp("clips") / "tiny.mp4", seconds=1, size="64x36")


@pytest.fixture(params=[SKEW_S, -SKEW_S], ids=["ahead", "behind"])
def replicas(
    request: pytest.FixtureRequest, tmp_path: Path, postgres: PostgresServer
) -> Iterator[Replicas]:
    """Two replicas, the second one ahead or behind."""
    url_ = new_database(postgres.url)
    with two_replicas(tmp_path / "state", url_, skew_s=request.param, **SETTINGS) as both:
        yield both


def _refused(job: Client, index: int, holder: str) -> str:
    with pytest.raises(RetryableError) as refused:
        job.claim(index, holder)
    return refused.value.code


def _claimed(job: Client, holder: str) -> Assignment:
    """Claim the task until the lease of another pod is over."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with suppress(RetryableError):
            return job.claim(0, holder)
        time.sleep(0.2)
    raise AssertionError("the lease does not end")


def test_a_task_is_held_by_one_pod(replicas: Replicas, tiny: Path) -> None:
    """Whichever replica is asked; when the lease is over, the next pod gets it from both."""
    first, second = replicas
    owner, user = first.user()
    media = library_clip(user, tiny)
    uid, _ = first.register(owner, {"clips": [{"mediaId": media.id}]})
    key = first.operator.create_key(uid, Stage.ASSEMBLE, 1)
    holder, other = first.client(key), second.client(key)
    assignment = holder.claim(0, "pod-1")
    assert _refused(other, 0, "pod-2") == "Leased"
    # The heartbeat goes to the other replica, which extends the lease by its own time.
    through_other = second.client(assignment.key or "")
    heartbeat = Heartbeat(index=0, epoch=assignment.epoch, percent=10)
    assert through_other.heartbeat(heartbeat).directive is Directive.CONTINUE
    assert _refused(first.client(key), 0, "pod-3") == "Leased"
    later = _claimed(other, "pod-2")
    assert later.epoch == assignment.epoch + 1
    with pytest.raises(PermanentError) as lost:
        holder.heartbeat(heartbeat)
    assert lost.value.code == "LeaseLost"
    result = upload_outputs(first.client(key), tiny, holder="pod-2")
    first.client(later.key or "").result(result)
    assert render_window(first, owner) == (1, 0)
    assert_consistent(first)


def test_a_clip_is_fetched_once(replicas: Replicas, tiny: Path) -> None:
    """The lock of a fetch holds for the other replica; an upload begun at one ends at the other."""
    first, second = replicas
    owner, _ = first.user()
    clip_url = url()
    uids = [first.register(owner, {"clips": [{"url": clip_url}]})[0] for _ in range(2)]
    keys = [first.operator.create_key(uid, Stage.FETCH, 1) for uid in uids]
    job = first.client(keys[0])
    assignment = job.claim(0, "pod-1")
    assert assignment.fetch is not None
    assert _refused(second.client(keys[1]), 0, "pod-2") == "FetchInProgress"
    request = announcement(
        tiny,
        UploadPurpose.CLIP,
        clip_id=assignment.fetch.clip_id,
        index=0,
        epoch=assignment.epoch,
    )
    job.connection.request("POST", "/api/uploads", body=request)
    second.client(assignment.key or "").upload(tiny, request)
    assert second.client(keys[1]).claim(0, "pod-2").fetch is None
    assert len(first.rows("SELECT id FROM media")) == 1
    assert_consistent(first)


def test_keys_expire_at_one_time(replicas: Replicas) -> None:
    """A key of one minute works at both replicas, and a second after its end at none."""
    for creator, other in (replicas, replicas[::-1]):
        owner, _ = creator.user()
        key = creator.admin.create_key(owner, expires_in_s=60)
        for api in (creator, other):
            assert api.client(key).account().storage_used_bytes == 0
        (row,) = creator.rows(
            "SELECT expires_at - clock_timestamp() AS left FROM keys WHERE owner = :o"
            " AND expires_at IS NOT NULL",
            o=owner,
        )
        assert 50 < row["left"].total_seconds() <= 60
        sql = "UPDATE keys SET expires_at = clock_timestamp() - interval '1 s' WHERE owner = :o"
        creator.ctx.db.write(lambda session, q=text(sql), o=owner: session.execute(q, {"o": o}))
        for api in (creator, other):
            with pytest.raises(PermanentError, match="expired"):
                api.client(key).account()


def test_retention_deletes_nothing_too_early(replicas: Replicas, tiny: Path) -> None:
    """Sweeps of both replicas while an upload runs and a deleted file waits for its end."""
    first, second = replicas
    owner, user = first.user()
    key = first.admin.create_key(owner)
    media = user.upload_media(tiny, MediaKind.CLIP)
    second.client(key).delete_media(media.id)
    unfinished = announcement(tiny, UploadPurpose.LIBRARY, kind=MediaKind.CLIP)
    unfinished = unfinished.model_copy(update={"sha256": "a" * 64})
    upload = user.connection.request("POST", "/api/uploads", body=unfinished).json()
    for api in replicas:
        sweep(api.ctx)
        assert api.ctx.store.exists(owner, media.sha256)
        reply = api.client(key).connection.request("GET", f"/api/uploads/{upload['id']}")
        assert not reply.json()["complete"]
    again = second.client(key).upload_media(tiny, MediaKind.CLIP)
    for api in replicas:
        sweep(api.ctx)
    path = tiny.with_name("back")
    first.client(key).download_media(again.id, path)
    assert path.read_bytes() == tiny.read_bytes()
    assert_consistent(first)


def test_a_reservation_is_settled_by_the_other_replica(replicas: Replicas, tiny: Path) -> None:
    """What one replica reserves, the other settles or releases, in the same month."""
    first, second = replicas
    owner, user = first.user(render_limit_seconds=2)
    media = library_clip(user, tiny)
    spec = {"clips": [{"mediaId": media.id}]}
    uid, _ = first.register(owner, spec)
    cancelled, _ = second.register(owner, spec)
    assert render_window(first, owner) == (0, 2)
    assemble(second.job(uid, Stage.ASSEMBLE), tiny)
    first.operator.delete(cancelled)
    assert render_window(second, owner) == (1, 0)
    assert open_reservations(first, owner) == []
    assert_consistent(first)
