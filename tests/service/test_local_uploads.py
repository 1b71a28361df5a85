"""Local files get into the library of a local API: each once, without a request per chunk."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import clipmaker
from clipmill.protocol import MediaKind
from clipmill_api.media.blob_store import BlobStore
from clipmill_cli.errors import ManifestError
from clipmill_cli.local import prepared_manifest
from clipmill_cli.local.local_api import LocalAPI
from clipmill_client import local_transfers, transfer
from clipmill_client.api_connection import ApiConnection
from clipmill_client.transfer import sha256_of
from commandline import manifest_file


@pytest.fixture
def api(tmp_path: Path) -> Iterator[LocalAPI]:
    """A local API with an empty state folder."""
    with LocalAPI(tmp_path / "state") as api:
        yield api


@pytest.fixture
def methods(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The method of each request from now on."""
    sent: list[str] = []
    send = ApiConnection.request_once

    def record(self: ApiConnection, method: str, path: str, **options: Any) -> Any:
        sent.append(method)
        return send(self, method, path, **options)

    monkeypatch.setattr(ApiConnection, "request_once", record)
    return sent


def _blob(api: LocalAPI, media_id: str) -> Path:
    [path] = (api.state / "blobs").rglob(api.user.media(media_id).sha256)
    return path


def test_a_file_is_registered_once(
    api: LocalAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, methods: list[str]
) -> None:
    """However many clips play it; once more for each other use."""
    for name in ("a", "b"):
        clipmaker.clip(tmp_path / f"{name}.mp4", seconds=1, picture=f"testsrc2,hue=h={ord(name)}")
    clips = [{"url": f"{'ab'[i % 2]}.mp4"} for i in range(40)]
    manifest = manifest_file(tmp_path / "m.yaml", clips, intro={"url": str(tmp_path / "a.mp4")})
    hashed: list[Path] = []

    def count(path: Path) -> str:
        hashed.append(path)
        return sha256_of(path)

    monkeypatch.setattr(transfer, "sha256_of", count)
    spec = prepared_manifest.prepare(manifest).upload(api.user).spec
    assert sorted(path.name for path in hashed) == ["a.mp4", "a.mp4", "b.mp4"]
    assert len({clip.media_id for clip in spec.clips}) == 2
    assert [clip.media_id for clip in spec.clips[:2]] * 20 == [c.media_id for c in spec.clips]
    assert spec.intro is not None
    # An announcement, its completion, and a view of the media of each.
    assert len(methods) <= 3 * 3
    kinds = sorted(media.kind for media in api.user.library().items)
    assert kinds == [MediaKind.CLIP, MediaKind.CLIP, MediaKind.INTRO]


def test_the_first_field_of_a_refused_file_is_named(api: LocalAPI, tmp_path: Path) -> None:
    """As if the files were uploaded in their order."""
    (tmp_path / "broken.mp4").write_text("no video" * 9)
    clipmaker.clip(tmp_path / "a.mp4", seconds=1)
    broken = {"url": "broken.mp4"}
    manifest = manifest_file(tmp_path / "m.yaml", [{"url": "a.mp4"}], outro=broken, intro=broken)
    with pytest.raises(ManifestError, match=r"^spec\.intro\.url: .*NotMedia"):
        prepared_manifest.prepare(manifest).upload(api.user)


def test_a_file_is_neither_sent_nor_shared(
    api: LocalAPI, tmp_path: Path, methods: list[str]
) -> None:
    """No bytes pass through requests, and an edit in place leaves what is stored."""
    path = clipmaker.clip(tmp_path / "a.mp4", seconds=1)
    content = path.read_bytes()
    media = api.user.upload_media(path, MediaKind.CLIP)
    assert set(methods) == {"POST", "GET"}
    blob = _blob(api, media.id)
    assert blob.stat().st_nlink == 1
    with path.open("r+b") as file:
        file.write(b"edited in place")
    assert blob.read_bytes() == content
    assert not list((api.state / "spool").iterdir())


def test_a_file_is_cloned_where_the_file_system_can(
    api: LocalAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then nothing is copied."""
    path = clipmaker.clip(tmp_path / "a.mp4", seconds=1)

    def clone(target: Any, request: int, source: int) -> None:
        assert request == local_transfers.FICLONE
        target.write(os.pread(source, 1 << 30, 0))
        target.flush()

    monkeypatch.setattr(fcntl, "ioctl", clone)
    monkeypatch.setattr(local_transfers, "_copy", lambda *_: pytest.fail("copied"))
    media = api.user.upload_media(path, MediaKind.CLIP)
    assert _blob(api, media.id).read_bytes() == path.read_bytes()


@pytest.mark.parametrize("fault", ["no space", "copy fails"])
def test_bytes_are_sent_where_nothing_else_goes(
    fault: str, api: LocalAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, methods: list[str]
) -> None:
    """So that the API can say why it takes none."""

    def fail(*_: Any) -> None:
        raise OSError(28, "no space")

    if fault == "no space":
        monkeypatch.setattr(local_transfers.CopiedTransfers, "_require_space", fail)
    else:
        monkeypatch.setattr(local_transfers, "_copy", fail)
    path = clipmaker.clip(tmp_path / "a.mp4", seconds=1)
    monkeypatch.setattr(transfer, "CHUNK_BYTES", path.stat().st_size // 3)
    media = api.user.upload_media(path, MediaKind.CLIP)
    assert 3 <= methods.count("PATCH") <= 4
    assert _blob(api, media.id).read_bytes() == path.read_bytes()


def test_a_blob_stored_again_leaves_no_second_name(api: LocalAPI, tmp_path: Path) -> None:
    """A link to the file that has the name already is not renamed by the kernel."""
    path = clipmaker.clip(tmp_path / "a.mp4", seconds=1)
    blob = _blob(api, api.user.upload_media(path, MediaKind.CLIP).id)
    spooled = tmp_path / "spooled"
    spooled.hardlink_to(blob)
    store = BlobStore(api.state / "blobs", None)
    store.put(blob.parent.name, blob.name, spooled)
    assert blob.read_bytes() == path.read_bytes()
    assert list((api.state / "blobs/.clipmill/new").iterdir()) == []


def test_a_download_is_a_copy(
    api: LocalAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, methods: list[str]
) -> None:
    """No bytes pass through requests, and an edit in place leaves what is stored."""
    path = clipmaker.clip(tmp_path / "a.mp4", seconds=1)
    media = api.user.upload_media(path, MediaKind.CLIP)
    methods.clear()
    monkeypatch.setattr(ApiConnection, "stream", lambda *_: pytest.fail("sent"))
    copy = tmp_path / "copy.mp4"
    api.user.download_media(media.id, copy)
    assert methods == ["HEAD"]
    assert copy.read_bytes() == path.read_bytes()
    assert (copy.stat().st_nlink, list(tmp_path.glob("*.part"))) == (1, [])


def test_a_damaged_blob_is_not_copied(
    api: LocalAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the right length but with other content: the download by requests refuses it."""
    media = api.user.upload_media(clipmaker.clip(tmp_path / "a.mp4", seconds=1), MediaKind.CLIP)
    with _blob(api, media.id).open("r+b") as file:
        file.write(b"damaged")
    downloads: list[str] = []
    monkeypatch.setattr(
        transfer.Transfers, "download", lambda _, source, *__: downloads.append(source)
    )
    api.user.download_media(media.id, tmp_path / "copy.mp4")
    assert len(downloads) == 1
    assert not list(tmp_path.glob("copy*"))
