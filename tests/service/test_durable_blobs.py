"""A blob is on the disk before its name, and its name before the row that names it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import event

from clipmill_api.media import durable_file
from clipmill_api.media.blob_store import BlobStore
from harness import Harness, library_clip

SHA256 = "a" * 64


class Recorder:
    """The calls that reach the disk, in their order, by the file or folder."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        fsync, replace, unlink = os.fsync, Path.replace, Path.unlink

        def record_fsync(descriptor: int) -> None:
            self.calls.append(f"fsync {Path(os.readlink(f'/proc/self/fd/{descriptor}')).name}")
            fsync(descriptor)

        def record_replace(path: Path, target: Path) -> Path:
            self.calls.append(f"rename {Path(target).name}")
            return replace(path, target)

        def record_unlink(path: Path, missing_ok: bool = False) -> None:
            self.calls.append(f"unlink {path.parent.name}")
            unlink(path, missing_ok=missing_ok)

        monkeypatch.setattr(os, "fsync", record_fsync)
        monkeypatch.setattr(Path, "replace", record_replace)
        monkeypatch.setattr(Path, "unlink", record_unlink)


@pytest.mark.parametrize("from_file", [True, False])
def test_bytes_are_synced_before_their_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, from_file: bool
) -> None:
    """File, then the folders that got a new name; nothing is left of the temporary file."""
    store = BlobStore(tmp_path / "blobs", None)
    source = tmp_path / "source"
    source.write_bytes(b"bytes")
    recorder = Recorder(monkeypatch)
    store.put("ada", SHA256, source if from_file else b"bytes")
    temporary = recorder.calls[0]
    assert recorder.calls == [temporary, "fsync blobs", f"rename {SHA256}", "fsync ada"]
    assert temporary.startswith("fsync ")
    assert (tmp_path / "blobs/ada" / SHA256).read_bytes() == b"bytes"
    assert list((tmp_path / "blobs/.clipmill/new").iterdir()) == []


def test_spooled_bytes_go_after_the_row_and_the_blob(
    api: Harness, three_seconds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit comes after the last sync of the blob, and before the spool's deletion."""
    _, user = api.user()
    recorder = Recorder(monkeypatch)

    def committed(_: object) -> None:
        recorder.calls.append("commit")

    event.listen(api.ctx.db.writer, "commit", committed)
    media = library_clip(user, three_seconds)
    event.remove(api.ctx.db.writer, "commit", committed)
    rename = recorder.calls.index(f"rename {media.sha256}")
    deletion = recorder.calls.index("unlink spool", rename)
    assert recorder.calls[rename + 1].startswith("fsync ")
    assert "commit" in recorder.calls[rename + 2 : deletion]


def test_a_full_disk_leaves_no_name_and_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error while bytes are written does not damage the blob that is there."""
    store = BlobStore(tmp_path / "blobs", None)
    store.put("ada", SHA256, b"bytes")

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(durable_file.os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        store.put("ada", SHA256, b"others")
    assert [path.read_bytes() for path in (tmp_path / "blobs/ada").iterdir()] == [b"bytes"]
    assert list((tmp_path / "blobs/.clipmill/new").iterdir()) == []


def test_what_a_crash_leaves_is_deleted_a_day_later(tmp_path: Path) -> None:
    """A temporary file of another running process is younger."""
    store = BlobStore(tmp_path / "blobs", None)
    folder = tmp_path / "blobs/.clipmill/new"
    for name in ("old", "young"):
        (folder / name).write_bytes(b"part")
    os.utime(folder / "old", (0, 0))
    store.delete_old_temporaries(86_400)
    assert [path.name for path in folder.iterdir()] == ["young"]


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_the_kernel_gets_the_syncs_in_this_order(tmp_path: Path) -> None:
    """As seen by the system calls of a process of its own."""
    code = (
        "from pathlib import Path; from clipmill_api.media.blob_store import BlobStore;"
        f"BlobStore(Path({str(tmp_path / 'blobs')!r}), None).put('ada', 'a' * 64, b'bytes')"
    )
    trace = tmp_path / "trace"
    calls = ("strace", "-f", "-y", "-e", "trace=fsync,rename,renameat,renameat2", "-o", trace)
    done = subprocess.run((*calls, sys.executable, "-c", code), capture_output=True, check=False)
    if b"ptrace" in done.stderr:
        pytest.skip("strace may not trace here")
    assert done.returncode == 0, done.stderr
    lines = [line for line in trace.read_text().splitlines() if "blobs" in line]
    kinds = [line.split("(")[0].split()[-1] for line in lines]
    assert kinds == ["fsync", "fsync", "rename", "fsync"]
    assert "/blobs/ada>" in lines[-1]
