"""Two replicas of the API with a disk of their own each: PostgreSQL and S3 are all they share."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

import clipmill_job.__main__ as job
from clipmill.protocol import CompilationState, MediaKind, Stage
from clipmill_api.http.authentication import new_key
from clipmill_client import Client
from clipmill_client.transfer import library_request
from harness import Clock, Harness, library_clip, running
from postgres_server import new_database
from s3_server import BUCKET, objects, s3_server
from sources_server import SourceServer, serve_sources
from stored_bytes import assert_consistent

Replicas = tuple[Harness, Harness]


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """A client of an S3 server with one bucket."""
    with s3_server() as client:
        yield client


@pytest.fixture(scope="module")
def web(two_seconds: Path) -> Iterator[SourceServer]:
    """A web server of the clip."""
    with serve_sources(two_seconds.parent) as server:
        yield server


@pytest.fixture(scope="module")
def replicas(
    s3: Any, web: SourceServer, postgres: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Replicas]:
    """Two replicas with different state folders. They offer no links."""
    keys = {"admin_key": new_key("admin"), "operator_key": new_key("operator")}
    shared = {**keys, "store_url": f"s3://{BUCKET}/replicas", "allow_private": (web.address,)}
    url = new_database(postgres)
    folders = [tmp_path_factory.mktemp(name) for name in ("one", "two")]
    with (
        running(folders[0], url, system_clock=Clock(), **shared) as first,
        running(folders[1], url, system_clock=Clock(), **shared) as second,
    ):
        yield first, second
        assert_consistent(first)
        assert objects(s3, "replicas/.clipmill/uploads") == {}


class Alternating(httpx.BaseTransport):
    """Sends each request to the next replica."""

    def __init__(self, replicas: Replicas) -> None:
        self._urls = itertools.cycle([httpx.URL(each.url) for each in replicas])
        self._wrapped = httpx.HTTPTransport(verify=False)
        self.sent: set[int | None] = set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = next(self._urls)
        self.sent.add(url.port)
        request.url = request.url.copy_with(host=url.host, port=url.port)
        return self._wrapped.handle_request(request)


def test_an_upload_moves_between_replicas(replicas: Replicas, two_seconds: Path) -> None:
    """Announced at the first, bytes at both in turn, completed at the first."""
    owner, first = replicas[0].user()
    second = replicas[1].client(replicas[0].admin.create_key(owner))
    upload = first.transfers.announce(library_request(two_seconds, MediaKind.CLIP))
    assert upload.links is None
    content, path = two_seconds.read_bytes(), f"/api/uploads/{upload.id}"
    half = len(content) // 2
    for user, start, end in ((second, 0, half), (first, half, len(content))):
        assert user.connection.request_once("GET", path).json()["offset"] == start
        headers = {"Upload-Offset": str(start)}
        user.connection.request_once("PATCH", path, content=content[start:end], headers=headers)
    reply = first.connection.request_once("POST", f"{path}/complete").json()
    assert second.media(reply["mediaId"]).facts is not None


def test_a_replica_that_is_too_late_is_refused(replicas: Replicas, two_seconds: Path) -> None:
    """Of two writers at one offset the first wins; the other learns where to continue."""
    _, user = replicas[0].user()
    upload = user.transfers.announce(library_request(two_seconds, MediaKind.CLIP))
    writers = [each.ctx.spool.take_over(upload.id, 0) for each in replicas]
    content = two_seconds.read_bytes()
    writers[0].finish(content[:1000])
    with pytest.raises(Exception, match="taken over"):
        writers[1].finish(content[:500])
    assert replicas[1].ctx.spool.offset(upload.id) == 1000
    user.upload_media(two_seconds, MediaKind.CLIP)


def test_a_compilation_with_alternating_calls(
    replicas: Replicas,
    web: SourceServer,
    two_seconds: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Upload, fetch, assembly and download: each request goes to the other replica."""
    transport = Alternating(replicas)
    monkeypatch.setattr(job, "Client", partial(Client, transport=transport))
    owner, _ = replicas[0].user()
    user = Client(replicas[0].url, replicas[0].admin.create_key(owner), transport=transport)
    media = library_clip(user, two_seconds)
    clips = [{"mediaId": media.id}, {"url": web.url(two_seconds.name), "end": "1s"}]
    uid, plan = replicas[0].register(owner, {"clips": clips})
    assert _run(replicas[0], uid, Stage.FETCH, plan.to_fetch[0]) == 0
    assert _run(replicas[1], uid, Stage.ASSEMBLE, 0) == 0
    view = replicas[1].operator.view(uid)
    assert view.state is CompilationState.SUCCEEDED
    user.download_output(view.id, "main.mp4", tmp_path / "main.mp4")
    assert view.outputs[0].frames == 90
    assert len(transport.sent) == 2
    user.close()


def _run(api: Harness, uid: str, stage: Stage, index: int) -> int:
    """Run a task in this process. Return its exit code."""
    key = api.operator.create_key(uid, stage, 1)
    environ = {"CLIPMILL_API_URL": api.url, "CLIPMILL_API_KEY": key}
    return job.main({**environ, "JOB_COMPLETION_INDEX": str(index)})
