"""The blob store on an S3 server: moto's, which speaks the protocol over HTTP."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from clipmill.protocol import CompilationState, MediaKind, Stage
from clipmill_api.errors import StartRefused
from clipmill_api.media.retention import sweep
from clipmill_api.media.store_check import check_store
from clipmill_client.transfer import sha256_of
from harness import Harness, library_clip, new_manifest, running
from pods import assemble
from s3_server import BUCKET, objects, s3_server

FOLDER = "prod"
DAY_S = 86_400
# Beyond the size from which an object is sent in parts.
LARGE_BYTES = 12 * 1024 * 1024


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """A client of an S3 server with one bucket, to see what is in it."""
    with s3_server() as client:
        yield client


@pytest.fixture
def api(s3: Any, tmp_path: Path) -> Iterator[Harness]:
    """An API whose blobs are in a folder of their own in the bucket."""
    url = f"s3://{BUCKET}/{FOLDER}/{tmp_path.name}"
    with running(tmp_path / "state", store_url=url) as harness:
        yield harness


def _objects(s3: Any, api: Harness) -> dict[str, int]:
    """Return the sizes of the objects by their keys within the API's folder."""
    return objects(s3, str(api.settings.store_url).removeprefix(f"s3://{BUCKET}/"))


def test_a_compilation_from_upload_to_range(s3: Any, api: Harness, two_seconds: Path) -> None:
    """Clip and results are objects named by owner and content, and are read by ranges."""
    owner, user = api.user()
    media = library_clip(user, two_seconds)
    view = user.create(new_manifest(media.id))
    assemble(api.job(api.uid_of(view.id), Stage.ASSEMBLE), two_seconds)
    ended = user.compilation(view.id)
    assert ended.state is CompilationState.SUCCEEDED
    assert _objects(s3, api)[f"{owner}/{media.sha256}"] == two_seconds.stat().st_size
    headers = {"Authorization": f"Bearer {api.admin.create_key(owner)}", "Range": "bytes=100-199"}
    path = f"/api/media/{ended.outputs[0].media_id}/content"
    with httpx.Client(base_url=api.url, headers=headers) as http:
        part = http.get(path)
    assert (part.status_code, part.content) == (206, two_seconds.read_bytes()[100:200])


def test_a_large_file_is_stored_whole(s3: Any, api: Harness, tmp_path: Path) -> None:
    """It is sent in parts, and no part is left behind."""
    owner, user = api.user()
    image = tmp_path / "large.png"
    side = 2200
    Image.frombytes("RGB", (side, side), random.Random(1).randbytes(3 * side * side)).save(image)
    assert image.stat().st_size > LARGE_BYTES
    media = user.upload_media(image, MediaKind.IMAGE)
    assert _objects(s3, api)[f"{owner}/{media.sha256}"] == image.stat().st_size
    assert s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []) == []


def test_deleted_media_leave_the_bucket_after_the_grace_period(
    s3: Any, api: Harness, two_seconds: Path
) -> None:
    """By their tombstone; what no row knows is reported, and stays."""
    owner, user = api.user()
    media = library_clip(user, two_seconds)
    folder = str(api.settings.store_url).removeprefix(f"s3://{BUCKET}/")
    unknown = f"{owner}/{'0' * 64}"
    for key in ("README", unknown):
        s3.put_object(Bucket=BUCKET, Key=f"{folder}/{key}", Body=b"not ours")
    user.delete_media(media.id)
    sweep(api.ctx)
    assert f"{owner}/{media.sha256}" in _objects(s3, api)
    api.clock.advance(8 * DAY_S)
    sweep(api.ctx)
    left = _objects(s3, api)
    assert f"{owner}/{media.sha256}" not in left
    assert {"README", unknown} <= left.keys()
    assert check_store(api.ctx).unknown.paths == [unknown]


def test_a_bucket_of_another_database_is_refused(
    s3: Any, tmp_path: Path, two_seconds: Path
) -> None:
    """Nothing is deleted, and the start says which of the two does not fit."""
    url = f"s3://{BUCKET}/{FOLDER}/shared"
    with running(tmp_path / "one", store_url=url) as api:
        owner, user = api.user()
        library_clip(user, two_seconds)
        before = _objects(s3, api)
        with pytest.raises(StartRefused), running(tmp_path / "two", store_url=url):
            pass
        assert _objects(s3, api) == before
        assert f"{owner}/{sha256_of(two_seconds)}" in before


@pytest.fixture
def linking(s3: Any, tmp_path: Path) -> Iterator[Harness]:
    """An API that redirects downloads of users to links of 60 seconds."""
    url = f"s3://{BUCKET}/{FOLDER}/{tmp_path.name}"
    with running(tmp_path / "state", store_url=url, link_s=60) as harness:
        yield harness


def _get(api: Harness, key: str, path: str, **headers: str) -> httpx.Response:
    """Return the API's own reply, without following it."""
    authorized = {"Authorization": f"Bearer {key}", **headers}
    with httpx.Client(base_url=api.url, headers=authorized) as http:
        return http.get(path)


def test_a_users_download_bypasses_the_api(
    linking: Harness, two_seconds: Path, tmp_path: Path
) -> None:
    """The link is of the object store, expires, and needs no key; the SDK verifies the bytes."""
    owner, user = linking.user()
    media = library_clip(user, two_seconds)
    path = f"/api/media/{media.id}/content"
    reply = _get(linking, linking.admin.create_key(owner), path)
    assert (reply.status_code, reply.content) == (307, b"")
    assert reply.headers["etag"] == f'"{media.sha256}"'
    assert reply.headers["cache-control"] == "no-store"
    link = httpx.URL(reply.headers["location"])
    assert link.path.endswith(f"{owner}/{media.sha256}")
    assert link.params["X-Amz-Expires"] == "60"
    expected = two_seconds.read_bytes()
    assert httpx.get(link).content == expected
    part = httpx.get(link, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, expected[100:200])
    target = tmp_path / "downloaded.mp4"
    target.with_name("downloaded.mp4.part").write_bytes(expected[:1000])
    user.download_media(media.id, target)
    assert target.read_bytes() == expected


def test_who_gets_no_link(s3: Any, linking: Harness, two_seconds: Path) -> None:
    """Nobody without the right, no job, and no script; lost bytes are reported as such."""
    owner, user = linking.user()
    other, _ = linking.user()
    media = library_clip(user, two_seconds)
    path, key = f"/api/media/{media.id}/content", linking.admin.create_key(owner)
    assert _get(linking, "cm_u_" + "a" * 43, path).status_code == 401
    assert _get(linking, linking.admin.create_key(other), path).status_code == 404
    script = _get(linking, key, path, **{"Sec-Fetch-Mode": "cors"})
    assert (script.status_code, script.content) == (200, two_seconds.read_bytes())
    assert _get(linking, key, path, **{"If-None-Match": f'"{media.sha256}"'}).status_code == 304
    uid, _ = linking.register(owner, {"clips": [{"mediaId": media.id, "end": "1s"}]})
    job_key = linking.operator.create_key(uid, Stage.ASSEMBLE, 1)
    claimed = linking.client(job_key).claim(0, "pod")
    assert claimed.key is not None
    for_job = _get(linking, claimed.key, path)
    assert (for_job.status_code, for_job.content) == (200, two_seconds.read_bytes())
    folder = str(linking.settings.store_url).removeprefix(f"s3://{BUCKET}/")
    s3.delete_object(Bucket=BUCKET, Key=f"{folder}/{owner}/{media.sha256}")
    assert _get(linking, key, path).json()["code"] == "BytesMissing"
