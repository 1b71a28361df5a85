"""What expires, and what stays: by table, on both databases."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from clipmaker import clip
from clipmill.protocol import MediaKind, Stage, UploadPurpose
from clipmill_api.database import Connection, Session
from clipmill_api.media.retention import delete_leftovers, sweep
from clipmill_api.queries import revisions
from clipmill_api.tables import SegmentRow
from clipmill_client import Client
from harness import Harness, library_clip, new_manifest, running
from pods import announcement, assemble, fetch, url

DAY_S = 86_400
COUNTED = ("keys", "tasks", "log_lines", "clips", "revisions", "compilations", "reservations")


@pytest.fixture
def own_api(fresh_url: str, tmp_path: Path) -> Iterator[Harness]:
    """A running API of one test, whose clock goes far ahead."""
    with running(tmp_path / "state", fresh_url, allow_any_host=True) as harness:
        yield harness


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh_url(request: pytest.FixtureRequest) -> str:
    """URL of an empty database of each kind."""
    return "" if request.param == "sqlite" else str(request.getfixturevalue("fresh_postgres"))


def counts(api: Harness, *tables: str) -> dict[str, int]:
    """Return the number of rows by table."""
    return {t: api.rows(f"SELECT count(*) AS n FROM {t}")[0]["n"] for t in tables or COUNTED}


def sweep_after(api: Harness, days: float) -> None:
    """Advance the clock and apply all rules."""
    api.clock.advance(days * DAY_S)
    sweep(api.ctx)


def _rendered(api: Harness, clip_path: Path) -> tuple[str, str, Client]:
    """Fetch and render a compilation; return its owner, its uid and a client of the owner."""
    owner, user = api.user()
    uid, _ = api.register(owner, {"clips": [{"url": url()}]})
    fetch(api.job(uid, Stage.FETCH), 0, clip_path)
    assemble(api.job(uid, Stage.ASSEMBLE), clip_path)
    return owner, uid, user


def test_keys_tasks_and_uploads_expire_with_their_revision(
    own_api: Harness, two_seconds: Path
) -> None:
    """The result, its usage and the user's key stay; repeating the registration renders nothing."""
    owner, uid, user = _rendered(own_api, two_seconds)
    before = counts(own_api)
    assert (before["tasks"], counts(own_api, "uploads")["uploads"]) == (2, 2)
    sweep(own_api.ctx)
    assert counts(own_api) == before
    sweep_after(own_api, 1.1)
    after = counts(own_api)
    assert (after["tasks"], counts(own_api, "uploads")["uploads"]) == (0, 0)
    assert own_api.rows("SELECT role FROM keys") == [{"role": "user"}]
    sweep_after(own_api, 400)
    assert counts(own_api, "compilations", "revisions", "clips", "render_usage") == {
        "compilations": 1,
        "revisions": 1,
        "clips": 1,
        "render_usage": 1,
    }
    assert len(user.library().items) == 2
    _, plan = own_api.register(owner, {"clips": [{"url": "https://clips.example.com/x.mp4"}]})
    assert plan.state != "Succeeded"
    assert own_api.operator.view(uid).state == "Succeeded"


def test_log_lines_and_idempotency_keys_expire(own_api: Harness, two_seconds: Path) -> None:
    """After 14 and 7 days."""
    _, user = own_api.user()
    media = library_clip(user, two_seconds)
    view = user.create(new_manifest(media.id), uuid.uuid4().hex)
    own_api.ctx.db.write_columns(lambda connection: log_line(own_api, connection, view.id))
    sweep_after(own_api, 6.9)
    assert counts(own_api, "idempotency", "log_lines") == {"idempotency": 1, "log_lines": 1}
    sweep_after(own_api, 0.2)
    assert counts(own_api, "idempotency", "log_lines") == {"idempotency": 0, "log_lines": 1}
    sweep_after(own_api, 7)
    assert counts(own_api, "log_lines") == {"log_lines": 0}


def log_line(api: Harness, connection: Connection, compilation_id: str) -> None:
    """Write a log line as a heartbeat does."""
    lines = ["rendering"]
    revisions.append_log_lines(connection, compilation_id, 1, at=api.ctx.now(), lines=lines)


def test_replaced_and_cancelled_generations_expire(own_api: Harness, two_seconds: Path) -> None:
    """After 90 days: a superseded generation, and a cancelled compilation with all it has."""
    owner, user = own_api.user()
    media = library_clip(user, two_seconds)
    edited, _ = own_api.register(owner, {"clips": [{"mediaId": media.id}]})
    more = {"clips": [{"mediaId": media.id}] * 2}
    own_api.register(owner, more, uid=edited, generation=2)
    cancelled, _ = own_api.register(owner, {"clips": [{"mediaId": media.id}]})
    own_api.operator.delete(cancelled)
    sweep_after(own_api, 89)
    assert counts(own_api, "compilations", "revisions") == {"compilations": 2, "revisions": 3}
    sweep_after(own_api, 2)
    rows = own_api.rows(
        "SELECT uid, r.generation FROM compilations c, revisions r WHERE r.compilation_id = c.id"
    )
    assert rows == [{"uid": edited, "generation": 2}]
    assert counts(own_api, "clips", "reservations") == {"clips": 2, "reservations": 1}
    assert [item.id for item in user.library().items] == [media.id]


def test_locks_and_revoked_keys_expire(own_api: Harness, two_seconds: Path) -> None:
    """A fetch lock a day after its end; a revoked key when the history ends."""
    owner, _ = own_api.user()
    uid, _ = own_api.register(owner, {"clips": [{"url": url()}]})
    own_api.job(uid, Stage.FETCH).claim(0, "pod")
    own_api.job(uid, Stage.FETCH)  # revokes the first key
    assert counts(own_api, "fetch_locks") == {"fetch_locks": 1}
    revoked = "SELECT id FROM keys WHERE revoked_at IS NOT NULL"
    assert own_api.rows(revoked)
    sweep_after(own_api, 2)
    assert counts(own_api, "fetch_locks") == {"fetch_locks": 0}
    assert own_api.rows(revoked)
    sweep_after(own_api, 91)
    assert not own_api.rows(revoked)


def test_a_thumbnail_goes_with_its_media(
    own_api: Harness, two_seconds: Path, tmp_path: Path
) -> None:
    """Equal thumbnails are one row; it is deleted with the last file that shows it."""
    owner, user = own_api.user()
    thumbnail = tmp_path / "thumbnail.jpg"
    thumbnail.write_bytes(b"a picture")
    media = []
    for number in (1, 2):
        uid, _ = own_api.register(owner, {"clips": [{"url": url()}]})
        job = own_api.job(uid, Stage.FETCH)
        assignment = job.claim(0, "pod-0")
        assert assignment.fetch is not None
        task = {"clip_id": assignment.fetch.clip_id, "epoch": assignment.epoch}
        request = announcement(thumbnail, UploadPurpose.CLIP, kind=MediaKind.THUMBNAIL, **task)
        job.upload(thumbnail, request)
        path = clip(tmp_path / f"{number}.mp4", seconds=number)
        upload = job.upload(path, announcement(path, UploadPurpose.CLIP, **task))
        media.append(str(upload.media_id))
        own_api.operator.delete(uid)
    thumbnails = "SELECT id FROM media WHERE kind = 'thumbnail'"
    assert len(own_api.rows(thumbnails)) == 1
    user.delete_media(media[0])
    assert len(own_api.rows(thumbnails)) == 1
    user.delete_media(media[1])
    assert own_api.rows(thumbnails) == []
    assert user.account().storage_used_bytes == 0


def test_an_owner_keeps_the_segments_used_last(own_api: Harness, two_seconds: Path) -> None:
    """Beyond the limit, those unused for longest go, unless they were used within hours."""
    owner, user = own_api.user()
    library_clip(user, two_seconds)
    own_api.ctx.db.write(lambda session: add_segments(own_api, session, owner))
    size = own_api.settings.segment_bytes // 4
    assert own_api.rows("SELECT sum(size_bytes) AS n FROM segments")[0]["n"] == 6 * size
    sweep(own_api.ctx)
    assert counts(own_api, "segments") == {"segments": 6}
    sweep_after(own_api, 0.5)
    keys = [row["key"] for row in own_api.rows("SELECT key FROM segments ORDER BY key")]
    assert keys == [str(number) * 64 for number in (2, 3, 4, 5)]


def add_segments(api: Harness, session: Session, owner: str) -> None:
    """Add six segments, each a quarter of the limit, used one minute after the other."""
    for number in range(6):
        at = api.ctx.now() - timedelta(minutes=60 - number)
        session.add(
            SegmentRow(
                owner=owner,
                key=str(number) * 64,
                sha256=str(number) * 64,
                size_bytes=api.settings.segment_bytes // 4,
                created_at=at,
                used_at=at,
            )
        )


def test_leftovers_of_the_spool_are_deleted(own_api: Harness, two_seconds: Path) -> None:
    """A file of a complete or unknown upload goes; that of an unfinished one stays."""
    _, user = own_api.user()
    media = library_clip(user, two_seconds)
    complete = own_api.rows("SELECT id FROM uploads WHERE media_id = :m", m=media.id)[0]["id"]
    request = announcement(two_seconds, UploadPurpose.LIBRARY, kind=MediaKind.OUTRO)
    request = request.model_copy(update={"sha256": "0" * 64})
    unfinished = user.connection.request("POST", "/api/uploads", body=request).json()["id"]
    for upload_id in (complete, unfinished, "u-0123456789abcdef"):
        own_api.ctx.spool.path(upload_id).write_bytes(b"bytes")
    delete_leftovers(own_api.ctx)
    assert own_api.ctx.spool.ids() == [unfinished]


def test_copies_for_inspection_are_deleted(own_api: Harness) -> None:
    """Those of a killed API after a day; those of a running request stay."""
    folder = own_api.settings.state / "tmp"
    then = time.time() - 2 * DAY_S
    for name in ("old", "new"):
        (folder / name).mkdir(parents=True)
        (folder / name / "media").write_bytes(b"bytes")
    os.utime(folder / "old", (then, then))
    delete_leftovers(own_api.ctx)
    assert [path.name for path in folder.iterdir()] == ["new"]
