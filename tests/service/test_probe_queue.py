"""Inspections wait without threads, are bounded, and happen once for each upload."""

from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event

import httpx
import pytest

from clipmill.protocol import MediaFacts, MediaKind, Upload, UploadPurpose
from clipmill_api.media import inspection
from clipmill_client.client import Client
from harness import Harness, library_clip, running
from pods import announcement

SLOTS, PLACES = 2, 8
VALIDATIONS = 45


class HeldProber:
    """A prober that waits until it is released, and counts its calls."""

    def __init__(self, probe: Callable[..., MediaFacts]) -> None:
        self.released, self.calls = Event(), 0
        self._probe = probe

    def __call__(self, path: Path, **options: bool) -> MediaFacts:
        self.calls += 1
        assert self.released.wait(60)
        return self._probe(path, **options)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Harness]:
    """An API with few places to wait."""
    limits = {"probe_slots": SLOTS, "probe_queue": PLACES}
    with running(tmp_path / "state", allow_any_host=True, **limits) as harness:
        yield harness


@pytest.fixture
def prober(monkeypatch: pytest.MonkeyPatch) -> Iterator[HeldProber]:
    """The API's prober, held until the test releases it."""
    held = HeldProber(inspection.probe_media)
    yield held
    held.released.set()


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for a condition for at most 60 s."""
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_validations_leave_the_api_to_others(
    api: Harness, two_seconds: Path, prober: HeldProber, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 45 at once, two run, half of the queue waits, the others get 503; nobody else notices."""
    owner, user = api.user()
    other = api.user()[1]
    media = library_clip(user, two_seconds)
    monkeypatch.setattr(inspection, "probe_media", prober)
    headers = {"Authorization": f"Bearer {api.admin.create_key(owner)}"}
    http = httpx.Client(verify=False, timeout=60, limits=httpx.Limits(max_connections=None))
    with http, ThreadPoolExecutor(VALIDATIONS) as pool:
        address = f"{api.url}/api/media/{media.id}/validate"
        requests = [pool.submit(http.post, address, headers=headers) for _ in range(VALIDATIONS)]
        refused = VALIDATIONS - SLOTS - PLACES // 2
        wait_until(lambda: sum(request.done() for request in requests) == refused)
        wait_until(lambda: prober.calls == SLOTS)
        # Copies exist for running inspections only.
        assert len(list(api.settings.temporary.glob("*/media"))) == SLOTS
        assert http.get(f"{api.url}/healthz").status_code == 200
        assert http.get(f"{api.url}/readyz").status_code == 200
        assert other.compilations().items == []
        prober.released.set()
        replies = [request.result() for request in requests]
    statuses = Counter(reply.status_code for reply in replies)
    assert statuses == {200: VALIDATIONS - refused, 503: refused}
    busy = next(reply for reply in replies if reply.status_code == 503)
    assert busy.json()["code"] == "ProbeQueueFull"
    assert int(busy.headers["Retry-After"]) >= 1


def test_one_decoding_for_all_who_complete_an_upload(
    api: Harness, two_seconds: Path, prober: HeldProber, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four requests at once: one decoding, four times the same result, one media row."""
    owner, user = api.user()
    upload = announced(user, two_seconds)
    send(user, upload, two_seconds.read_bytes())
    monkeypatch.setattr(inspection, "probe_media", prober)
    with ThreadPoolExecutor(4) as pool:
        requests: list[Future[Upload]] = [
            pool.submit(
                user.connection.request_as, Upload, "POST", f"/api/uploads/{upload.id}/complete"
            )
            for _ in range(4)
        ]
        wait_until(lambda: prober.calls > 0)
        time.sleep(0.5)
        prober.released.set()
        media_ids = {request.result().media_id for request in requests}
    assert prober.calls == 1
    assert len(media_ids) == 1
    assert api.rows("SELECT count(*) AS n FROM media WHERE owner = :o", o=owner) == [{"n": 1}]


def announced(user: Client, file: Path) -> Upload:
    """Announce a library clip."""
    request = announcement(file, UploadPurpose.LIBRARY, kind=MediaKind.CLIP)
    return user.connection.request_as(Upload, "POST", "/api/uploads", body=request)


def send(user: Client, upload: Upload, data: bytes, offset: int = 0) -> Upload:
    """Append bytes to an upload."""
    headers = {"Upload-Offset": str(offset)}
    where = f"/api/uploads/{upload.id}"
    return user.connection.request_as(Upload, "PATCH", where, content=data, headers=headers)


def test_a_newer_writer_takes_over_from_a_half_open_one(api: Harness, two_seconds: Path) -> None:
    """A connection that sends nothing more blocks nobody, and cannot write when it comes back."""
    owner, user = api.user()
    data, upload = two_seconds.read_bytes(), announced(user, two_seconds)
    spooled = api.ctx.spool.path(upload.id)
    url = httpx.URL(api.url)
    with socket.create_connection((url.host, url.port)) as half_open:
        half_open.sendall(
            f"PATCH /api/uploads/{upload.id} HTTP/1.1\r\nHost: api\r\nUpload-Offset: 0\r\n"
            f"Authorization: Bearer {api.admin.create_key(owner)}\r\n"
            f"Content-Length: {len(data)}\r\n\r\n".encode()
            + data[:100]
        )
        wait_until(spooled.exists)
        assert send(user, upload, data[:1000]).offset == 1000
        half_open.sendall(data[100:])
        reply = half_open.recv(4096)
        assert b" 503 " in reply.splitlines()[0]
        assert spooled.read_bytes() == data[:1000]
    assert send(user, upload, data[1000:], 1000).offset == len(data)
    where = f"/api/uploads/{upload.id}/complete"
    assert user.connection.request_as(Upload, "POST", where).complete
