"""PostgreSQL restarted in the middle of a compilation, and failed over to an older dump.

The server is real, and stopped at once (`pg_ctl -m immediate`, as after a power cut). The job is
played through the SDK with its usual attempts.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import clipmaker
from clipmill.protocol import CompilationState, MediaKind, Stage, UploadPurpose
from clipmill_api.errors import StartRefused
from clipmill_api.media.retention import sweep
from clipmill_api.queries import installation
from clipmill_client import Client, PermanentError, RetryableError
from harness import Harness, library_clip, running
from ledger_rows import render_window
from pods import announcement, upload_outputs, url
from postgres_server import PostgresServer, new_database, postgres_server
from stored_bytes import assert_bytes_stored, assert_consistent

DAY_S = 86_400


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """A server that nobody else uses."""
    with postgres_server() as running_server:
        yield running_server


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three different clips of 1 s."""
    folder = tmp_path_factory.mktemp("clips")
    return [
        clipmaker.clip(folder / f"{i}.mp4", seconds=1, size="64x36", sound=f"sine={200 + 100 * i}")
        for i in range(3)
    ]


def _retrying(api: Harness, key: str) -> Client:
    """Return a client that tries again, as jobs and people have it."""
    return Client(api.url, key)


@pytest.mark.long
def test_restart_in_the_middle_of_a_compilation(
    server: PostgresServer, tmp_path: Path, clips: list[Path]
) -> None:
    """Before each step of a job the server restarts: the SDK's attempts are enough."""
    settings = {"allow_any_host": True, "database_timeout_s": 2}
    with running(tmp_path / "state", new_database(server.url), **settings) as api:
        owner, _ = api.user(render_limit_seconds=100)
        uid, _ = api.register(owner, {"clips": [{"url": url()}]})
        fetch_key = api.operator.create_key(uid, Stage.FETCH, 1)
        server.restart()
        with _retrying(api, fetch_key) as job:
            assignment = job.claim(0, "pod-1")
            assert assignment.fetch is not None
            more = {"clip_id": assignment.fetch.clip_id, "epoch": assignment.epoch, "index": 0}
            request = announcement(clips[0], UploadPurpose.CLIP, **more)
            server.restart()
            job.upload(clips[0], request)
        server.restart()
        with _retrying(api, api.settings.operator_key) as operator:
            assert operator.operator.plan(uid).state is CompilationState.RENDERING
            key = operator.operator.create_key(uid, Stage.ASSEMBLE, 1)
        with _retrying(api, key) as job:
            job.claim(0, "pod-a")
            server.restart()
            result = upload_outputs(job, clips[1])
            server.restart()
            job.result(result)
        assert api.operator.view(uid).state is CompilationState.SUCCEEDED
        assert api.rows("SELECT seconds FROM render_usage") == [{"seconds": 1}]
        assert render_window(api, owner) == (1, 0)
        assert api.rows("SELECT id FROM uploads WHERE NOT complete") == []
        assert_consistent(api)


def test_stopped_while_a_request_waits(
    server: PostgresServer, tmp_path: Path, clips: list[Path]
) -> None:
    """503 while it is down, and the same upload afterwards is published once."""
    with running(tmp_path / "state", new_database(server.url), database_timeout_s=2) as api:
        _, user = api.user()
        with server.stopped():
            with pytest.raises(RetryableError) as refused:
                user.upload_media(clips[0], MediaKind.CLIP)
            assert (refused.value.status, refused.value.code) == (503, "DatabaseUnavailable")
        media = library_clip(user, clips[0])
        assert user.account().storage_used_bytes == media.size_bytes
        assert_consistent(api)


def test_failover_to_an_older_dump(
    server: PostgresServer, tmp_path: Path, clips: list[Path]
) -> None:
    """What came after the dump is unknown and kept; what was deleted since is missing or there."""
    state, first, older = tmp_path / "state", new_database(server.url), new_database(server.url)
    with running(state, first) as api:
        owner, user = api.user()
        key = api.admin.create_key(owner)
        kept, deleted = (user.upload_media(clip, MediaKind.CLIP) for clip in clips[:2])
        server.copy(first, older)
        later = user.upload_media(clips[2], MediaKind.CLIP)
        user.delete_media(deleted.id)
    with running(state, older) as api:
        user = api.client(key)
        assert {media.id for media in user.library().items} == {kept.id, deleted.id}
        assert user.account().storage_used_bytes == kept.size_bytes + deleted.size_bytes
        with pytest.raises(PermanentError):
            user.media(later.id)
        api.clock.advance(400 * DAY_S)
        sweep(api.ctx)
        check = api.admin.check_store()
        assert check.unknown.paths == [f"{owner}/{later.sha256}"]
        assert (check.missing.count, check.wrong_size.count, check.strays.count) == (0, 0, 0)
        # Sending the same bytes again gives them a row.
        user.upload_media(clips[2], MediaKind.CLIP)
        assert api.admin.check_store().is_consistent
        assert_consistent(api)


def test_failover_to_another_installation_is_refused(
    server: PostgresServer, tmp_path: Path, clips: list[Path]
) -> None:
    """An empty or foreign database on this store: the API does not start, and no byte goes."""
    state, own, empty = tmp_path / "state", new_database(server.url), new_database(server.url)
    with running(state, own) as api:
        _, user = api.user()
        library_clip(user, clips[0])
        with api.ctx.db.read() as session:
            own_id = installation.installation_id(session, "", api.ctx.now())
    with pytest.raises(StartRefused, match=own_id), running(state, empty):
        pass
    with running(state, own) as api:
        assert_bytes_stored(api.ctx)
        assert len(api.rows("SELECT id FROM media")) == 1
