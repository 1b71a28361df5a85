"""A full disk: uploads are answered 507, deletions work, and afterwards uploads work again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clipmill.protocol import MediaKind, UploadPurpose, UploadRequest
from clipmill_client import Client, PermanentError, RetryableError
from served_api import Served

MIB = 1024**2
FLOOR = 8 * MIB


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 48 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ("mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(folder))
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a disk needs root")
    yield folder
    subprocess.run(("umount", "-l", str(folder)), check=True)


def _announce(client: Client, name: str, size_bytes: int) -> dict[str, Any]:
    request = UploadRequest(
        purpose=UploadPurpose.LIBRARY,
        kind=MediaKind.CLIP,
        filename=name,
        size_bytes=size_bytes,
        sha256=name[0] * 64,
    )
    upload: dict[str, Any] = client.connection.request("POST", "/api/uploads", body=request).json()
    return upload


def _append(client: Client, upload_id: str, offset: int) -> int:
    headers = {"Upload-Offset": str(offset)}
    path, content = f"/api/uploads/{upload_id}", os.urandom(MIB)
    reply = client.connection.request_once("PATCH", path, content=content, headers=headers)
    return int(reply.json()["offset"])


def _append_until_refused(client: Client, upload_id: str) -> tuple[int, RetryableError]:
    offset = 0
    while True:
        try:
            offset = _append(client, upload_id, offset)
        except RetryableError as error:
            return offset, error


def test_deletions_free_a_full_disk(small_disk: Path) -> None:
    """First the floor is kept; then something else fills the disk to its last byte."""
    served = Served.new(small_disk, "--workers", "0")
    with served.running(CLIPMILL_DISK_FLOOR_BYTES=str(FLOOR)) as (_, client):
        client.connection.request_once("GET", "/readyz")
        upload = _announce(client, "a.mp4", 24 * MIB)
        (small_disk / "other").write_bytes(bytes(18 * MIB))
        offset, refusal = _append_until_refused(client, upload["id"])
        assert (refusal.status, refusal.code) == (507, "DiskFull")
        assert refusal.facts["retry_after_s"] > 0
        assert offset > 14 * MIB
        with pytest.raises(RetryableError) as refused:
            _announce(client, "c.mp4", 2 * MIB)
        assert (refused.value.status, refused.value.code) == (507, "DiskFull")
        assert _announce(client, "a.mp4", 24 * MIB)["id"] == upload["id"]
        assert os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize >= FLOOR - MIB
        ready = client.connection.request_once("GET", "/readyz").json()
        assert (ready["status"], ready["space"]) == ("ok", "low")
        _fill(small_disk / "junk")
        with pytest.raises(RetryableError) as refused:
            _append(client, upload["id"], offset)
        assert refused.value.code == "DiskFull"
        client.cancel_upload(upload["id"])
        with pytest.raises(PermanentError, match="does not exist"):
            client.connection.request_once("GET", f"/api/uploads/{upload['id']}")
        assert client.account().storage_used_bytes == 0
        assert _append(client, _announce(client, "b.mp4", 2 * MIB)["id"], 0) == MIB
        assert client.connection.request_once("GET", "/readyz").json()["space"] == "ok"


def _fill(path: Path) -> None:
    """Write until there is no space left."""
    with path.open("wb", buffering=0) as file:
        for size in (MIB, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
