"""ENOSPC and EIO in spool, store, scratch and database: a retryable error, and nothing is lost.

ENOSPC is real: a disk of its own that is too small, SQLite's limit of pages, an error that
PostgreSQL itself raises. EIO of files is raised in place of the system call, in an API that
answers over HTTP; EIO of PostgreSQL is raised by the server, that of SQLite by its driver's error.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import obstore
import pytest
from obstore.exceptions import GenericError
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

import clipmaker
from clipmill.protocol import CompilationState, ExitCode, Media, MediaKind, Stage
from clipmill_api.media import durable_file, inspection
from clipmill_api.media.disk_space import DiskSpace
from clipmill_api.media.upload_spool import UploadWriter
from clipmill_client import Client, RetryableError
from clipmill_probe import MediaError
from harness import Harness, running
from small_disk import Disk
from stored_bytes import assert_consistent
from studio import Studio, run

MIB = 1024**2
NewDisk = Callable[[Path, str], Disk]


def _large_clip(path: Path, size: int = 3 * MIB) -> Path:
    """Write a clip of so many bytes: an MP4 with a box that players skip."""
    clipmaker.clip(path, seconds=1, size="64x36")
    padding = os.urandom(size - path.stat().st_size - 8)
    with path.open("ab") as file:
        file.write(struct.pack(">I4s", len(padding) + 8, b"free") + padding)
    return path


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of 3 MiB."""
    return _large_clip(tmp_path_factory.mktemp("clips") / "large.mp4")


@pytest.fixture
def api(tmp_path: Path, database_url: str) -> Iterator[Harness]:
    """A running API on each database."""
    with running(tmp_path / "state", database_url) as harness:
        yield harness


def _refusal(call: Callable[[], object]) -> tuple[int, str]:
    """Return status and code of a call that fails, and may be sent again."""
    with pytest.raises(RetryableError) as refused:
        call()
    return refused.value.status, refused.value.code


def _sent_again(api: Harness, user: Client, owner: str, path: Path) -> Media:
    """Check that nothing is published, then upload again and check that it is, once."""
    assert api.rows("SELECT id FROM media WHERE owner = :o", o=owner) == []
    size = path.stat().st_size
    assert user.account().storage_used_bytes in (0, size)
    media = user.upload_media(path, MediaKind.CLIP)
    user.download_media(media.id, path.with_name("back"))
    assert path.with_name("back").read_bytes() == path.read_bytes()
    assert user.account().storage_used_bytes == size
    assert_consistent(api)
    return media


@pytest.mark.parametrize(("folder", "size"), [("spool", "2m"), ("blobs", "1m")])
def test_full_disk_of_spool_or_store(
    folder: str, size: str, tmp_path: Path, new_disk: NewDisk, large: Path
) -> None:
    """507, and after there is space the same upload continues with the bytes that arrived."""
    disk = new_disk(tmp_path / "state" / folder, size)
    with running(tmp_path / "state") as api:
        owner, user = api.user()
        assert _refusal(lambda: user.upload_media(large, MediaKind.CLIP)) == (507, "DiskFull")
        (row,) = api.rows("SELECT id, complete FROM uploads")
        arrived = api.ctx.spool.offset(row["id"])
        assert arrived == (large.stat().st_size if folder == "blobs" else 2 * MIB)
        assert api.ctx.spool.path(row["id"]).read_bytes() == large.read_bytes()[:arrived]
        disk.resize("16m")
        _sent_again(api, user, owner, large)
        assert [r["id"] for r in api.rows("SELECT id FROM uploads")] == [row["id"]]


def test_space_that_appears_between_two_writes(
    tmp_path: Path, new_disk: NewDisk, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that failed in its middle is not repeated: the file is a prefix of what was sent."""
    disk = new_disk(tmp_path / "state/spool", "1536k")
    finish = UploadWriter.finish

    def finish_with_space(writer: UploadWriter, data: bytes) -> None:
        disk.resize("16m")
        finish(writer, data)

    with running(tmp_path / "state") as api:
        owner, user = api.user()
        with monkeypatch.context() as patch:
            patch.setattr(UploadWriter, "finish", finish_with_space)
            assert _refusal(lambda: user.upload_media(large, MediaKind.CLIP))[1] == "DiskFull"
        (row,) = api.rows("SELECT id FROM uploads")
        arrived = api.ctx.spool.path(row["id"]).read_bytes()
        assert len(arrived) > MIB
        assert large.read_bytes().startswith(arrived)
        _sent_again(api, user, owner, large)


def test_full_disk_of_temporary_copies(tmp_path: Path, new_disk: NewDisk, large: Path) -> None:
    """A validation is answered 507; the media and its bytes stay."""
    with running(tmp_path / "state") as api:
        _, user = api.user()
        media = user.upload_media(large, MediaKind.CLIP)
        disk = new_disk(api.settings.temporary, "1m")
        validate = partial(user.connection.request, "POST", f"/api/media/{media.id}/validate")
        assert _refusal(validate) == (507, "DiskFull")
        assert list(api.settings.temporary.iterdir()) == []
        disk.resize("16m")
        assert validate().status_code == 200
        assert_consistent(api)


def test_full_scratch_of_a_job(
    tmp_path: Path, new_disk: NewDisk, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job's process may be started again; then the compilation succeeds, counted once."""
    disk = new_disk(tmp_path / "scratch", "1m")
    monkeypatch.setattr(tempfile, "tempdir", str(disk.folder))
    with running(tmp_path / "state") as api:
        studio = Studio(api, tmp_path)
        output = {"name": "main", "preset": "custom", "width": 64, "height": 64, "rate": 30}
        clips = [{"mediaId": studio.upload(large)}]
        uid, _ = api.register(studio.owner, {"clips": clips, "outputs": [output]})
        assert run(api, uid, Stage.ASSEMBLE) == ExitCode.RETRY
        assert api.operator.plan(uid).state is CompilationState.RENDERING
        assert api.rows("SELECT seconds FROM render_usage") == []
        disk.resize("64m")
        assert run(api, uid, Stage.ASSEMBLE) == ExitCode.OK
        assert api.operator.plan(uid).state is CompilationState.SUCCEEDED
        assert api.rows("SELECT seconds FROM render_usage") == [{"seconds": 1}]
        assert_consistent(api)


class FailingCall:
    """A call that fails with an errno while it is broken, if it concerns the right file."""

    def __init__(self, patch: pytest.MonkeyPatch, code: int) -> None:
        self._patch, self._code = patch, code
        self.failed = 0

    def replace(self, owner: Any, name: str, concerns: Callable[[Any], bool]) -> None:
        """Let the calls of a function whose first argument is concerned fail."""
        original = getattr(owner, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            if not concerns(args[0]):
                return original(*args, **kwargs)
            self.failed += 1
            raise OSError(self._code, os.strerror(self._code))

        self._patch.setattr(owner, name, call)


def _is_below(folder: Path) -> Callable[[int], bool]:
    return lambda descriptor: str(folder) in os.readlink(f"/proc/self/fd/{descriptor}")


def _break(call: FailingCall, place: str, state: Path) -> None:
    """Let one step fail on which the durability of an upload depends."""
    match place:
        case "spool.fsync":
            call.replace(os, "fsync", _is_below(state / "spool"))
        case "store.write":
            # A disk that cannot link has the file copied.
            call.replace(Path, "hardlink_to", lambda path: path.parent.name == "new")
            call.replace(shutil, "copyfileobj", lambda _: True)
        case "store.fsync":
            call.replace(os, "fsync", _is_below(state / "blobs/.clipmill/new"))
        case "store.rename":
            call.replace(Path, "replace", lambda path: path.parent.name == "new")
        case "store.folder":
            call.replace(durable_file, "sync_folder", lambda path: path.parent.name == "blobs")


PLACES = ("spool.fsync", "store.write", "store.fsync", "store.rename", "store.folder")


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC], ids=["EIO", "ENOSPC"])
@pytest.mark.parametrize("place", PLACES)
def test_failing_step_of_an_upload(
    place: str, code: int, tmp_path: Path, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 or 507, no row; the same upload again is published once."""
    with running(tmp_path / "state") as api:
        owner, user = api.user()
        user.account()
        with monkeypatch.context() as patch:
            failing = FailingCall(patch, code)
            _break(failing, place, api.settings.state)
            refusal = _refusal(lambda: user.upload_media(large, MediaKind.CLIP))
        assert failing.failed >= 1
        expected = (507, "DiskFull") if code == errno.ENOSPC else (503, "StorageFailed")
        assert refusal == expected
        assert list((api.settings.state / "blobs/.clipmill/new").iterdir()) == []
        _sent_again(api, user, owner, large)


def test_disk_that_fails_while_a_file_is_inspected(
    tmp_path: Path, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The prober takes what it cannot read for damaged; the upload is kept, and not refused."""
    with running(tmp_path / "state") as api:
        owner, user = api.user()
        with monkeypatch.context() as patch:

            def fail(path: Path, **_: Any) -> None:
                path.write_bytes(b"unreadable")
                raise MediaError("Damaged", "it ends within a picture")

            patch.setattr(inspection, "probe_media", fail)
            refusal = _refusal(lambda: user.upload_media(large, MediaKind.CLIP))
            assert refusal == (503, "StorageFailed")
        (upload,) = api.rows("SELECT id FROM uploads WHERE NOT complete")
        user.cancel_upload(upload["id"])
        _sent_again(api, user, owner, large)


def test_copy_for_which_the_disk_has_no_space(
    tmp_path: Path, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The upload has arrived, and its copy would go below the floor: 507, then it is published."""
    with running(tmp_path / "state") as api:
        owner, user = api.user()
        free = api.ctx.disk.floor_bytes + large.stat().st_size + MIB
        with monkeypatch.context() as patch:
            # Each write finds enough, the copy of all bytes does not.
            spool = api.settings.state / "spool"
            used = lambda: sum(path.stat().st_size for path in spool.iterdir())  # noqa: E731
            patch.setattr(DiskSpace, "free_bytes", lambda _: free - used())
            refusal = _refusal(lambda: user.upload_media(large, MediaKind.CLIP))
        assert refusal == (507, "DiskFull")
        _sent_again(api, user, owner, large)


def test_store_that_cannot_be_read(
    tmp_path: Path, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 while the blob store fails, as an object store does when it is not reached."""
    with running(tmp_path / "state") as api:
        _, user = api.user()
        media = user.upload_media(large, MediaKind.CLIP)

        def fail(*_: Any, **__: Any) -> None:
            raise GenericError("Generic S3 error: error sending request")

        with monkeypatch.context() as patch:
            patch.setattr(obstore, "head", fail)
            path = tmp_path / "back"
            refusal = _refusal(lambda: user.download_media(media.id, path))
            again = _refusal(lambda: user.upload_media(large, MediaKind.CLIP))
        assert refusal == again == (503, "StorageFailed")
        user.download_media(media.id, path)
        assert path.read_bytes() == large.read_bytes()
        assert_consistent(api)


@contextmanager
def _failing_postgresql(api: Harness, sqlstate: str, message: str) -> Iterator[None]:
    """Let the server raise an error when a media row is inserted."""
    body = f"BEGIN RAISE EXCEPTION '{message}' USING ERRCODE = '{sqlstate}'; END"
    statements = (
        f"CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ {body} $$",
        "CREATE TRIGGER fail BEFORE INSERT ON media EXECUTE FUNCTION fail()",
    )
    for statement in statements:
        api.ctx.db.write(lambda session, sql=statement: session.execute(text(sql)))
    yield
    api.ctx.db.write(lambda session: session.execute(text("DROP FUNCTION fail CASCADE")))


@contextmanager
def _full_sqlite(api: Harness) -> Iterator[None]:
    """Let the file grow by no page. Rows may fit into its free pages, a table does not."""
    is_full = True

    def begin(connection: Any) -> None:
        pages = 1 if is_full else 2**31 - 2
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        if is_full:
            connection.exec_driver_sql("CREATE TABLE more (x)")

    event.listen(api.ctx.db.writer, "begin", begin)
    yield
    is_full = False


@contextmanager
def _failing_sqlite(api: Harness) -> Iterator[None]:
    """Let every commit fail as the driver reports it."""

    def fail(_: Any) -> None:
        cause = sqlite3.OperationalError("disk I/O error")
        raise OperationalError("COMMIT", None, cause)

    event.listen(api.ctx.db.writer, "commit", fail)
    yield
    event.remove(api.ctx.db.writer, "commit", fail)


def _failing_database(api: Harness, code: str) -> Any:
    if api.ctx.db.is_sqlite:
        return _full_sqlite(api) if code == "ENOSPC" else _failing_sqlite(api)
    if code == "ENOSPC":
        message = "could not extend file base/1/2: No space left on device"
        return _failing_postgresql(api, "53100", message)
    return _failing_postgresql(api, "58030", "could not write block 7: Input/output error")


@pytest.mark.parametrize("code", ["EIO", "ENOSPC"])
def test_failing_disk_of_the_database(api: Harness, code: str, large: Path) -> None:
    """No row, the bytes are kept in the spool, and the same upload is published afterwards."""
    owner, user = api.user()
    with _failing_database(api, code):
        refusal = _refusal(lambda: user.upload_media(large, MediaKind.CLIP))
    expected = (507, "DiskFull") if code == "ENOSPC" else (503, "DatabaseUnavailable")
    assert refusal == expected
    _sent_again(api, user, owner, large)
