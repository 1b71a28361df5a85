"""The typed client: the only way in which jobs, command line and operator talk to the API.

`Client` has what jobs and people need; `Guide`, `Operator` and `Admin` are its other rooms.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from clipmill.protocol import (
    Account,
    Assignment,
    Claim,
    CompilationView,
    Heartbeat,
    HeartbeatReply,
    Media,
    MediaFacts,
    MediaKind,
    MediaPage,
    Page,
    Plan,
    PreviewRequest,
    Result,
    Upload,
    UploadPurpose,
    UploadRequest,
    Usage,
    UsedIn,
)
from clipmill.spec import CompilationSpec, Extent, Manifest
from clipmill_client.http_transport import ATTEMPTS, BYTES_TIMEOUT, TIMEOUT, Wire
from clipmill_client.legacy_calls import GuideCalls
from clipmill_client.privileged_calls import AdminCalls, OperatorCalls
from clipmill_client.transfer import Transfers, sha256_of


class Client:
    """One API with one key. Raises RetryableError or PermanentError, nothing else of httpx."""

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        transport: httpx.BaseTransport | None = None,
        attempts: int = ATTEMPTS,
        timeout: httpx.Timeout = TIMEOUT,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.wire = Wire(
            base_url, key, transport=transport, attempts=attempts, timeout=timeout, pause=pause
        )
        self.transfers = Transfers(self.wire)
        self.guide = GuideCalls(self.wire)
        self.operator = OperatorCalls(self.wire)
        self.admin = AdminCalls(self.wire)

    def close(self) -> None:
        """Close the connections."""
        self.wire.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- a job -------------------------------------------------------------------------------

    def order(self, index: int, holder: str) -> Assignment:
        """Claim a part and learn what to do. Repeatable by the same holder."""
        return self.wire.ask(
            Assignment, "POST", "/api/worker/claim", body=Claim(index=index, holder=holder)
        )

    def heartbeat(self, beat: Heartbeat) -> HeartbeatReply:
        """Progress and log lines up; whether to go on comes back."""
        return self.wire.ask(HeartbeatReply, "POST", "/api/worker/heartbeat", body=beat)

    def result(self, result: Result) -> None:
        """The end of a part. A repeat is harmless."""
        self.wire.send("POST", "/api/worker/result", body=result)

    # --- bytes -------------------------------------------------------------------------------

    def upload(self, path: Path, request: UploadRequest) -> Upload:
        """Send a file up and publish it."""
        return self.transfers.upload(path, request)

    def upload_media(self, path: Path, kind: MediaKind, filename: str | None = None) -> Media:
        """Put a file into the library; the same bytes again are the same media."""
        request = UploadRequest(
            purpose=UploadPurpose.LIBRARY,
            kind=kind,
            filename=filename or path.name,
            size_bytes=path.stat().st_size,
            sha256=sha256_of(path),
        )
        upload = self.transfers.upload(path, request)
        return self.media(str(upload.media_id))

    def download_media(self, media_id: str, path: Path) -> None:
        """Fetch a media file."""
        self.transfers.download(f"/api/media/{media_id}/content", path)

    def download_watermark(self, sha256: str, path: Path) -> None:
        """Fetch the installation's watermark of that content."""
        self.transfers.download(f"/api/worker/watermark/{sha256}", path)

    def download_segment(self, key: str, path: Path) -> None:
        """Fetch a rendered segment."""
        self.transfers.download(f"/api/segments/{key}/content", path)

    def download_output(self, compilation_id: str, name: str, path: Path) -> None:
        """Fetch a finished video."""
        self.transfers.download(f"/api/compilations/{compilation_id}/outputs/{name}", path)

    # --- compilations ------------------------------------------------------------------------

    def create(self, manifest: Manifest, idempotency_key: str | None = None) -> CompilationView:
        """Submit a compilation. One idempotency key makes one compilation, however often sent."""
        headers = {"Idempotency-Key": idempotency_key or uuid.uuid4().hex}
        return self.wire.ask(
            CompilationView, "POST", "/api/compilations", body=manifest, headers=headers
        )

    def dry_run(self, manifest: Manifest) -> Plan:
        """What would happen, without doing it."""
        return self.wire.ask(Plan, "POST", "/api/plan", body=manifest)

    def preview(self, compilation_id: str, extent: Extent) -> CompilationView:
        """A draft of a compilation as it is now; asked again, the same draft."""
        asked, path = PreviewRequest(extent=extent), f"/api/compilations/{compilation_id}/preview"
        return self.wire.ask(CompilationView, "POST", path, body=asked)

    def compilations(self, cursor: str | None = None, limit: int = 50) -> Page:
        """One page, newest first."""
        params: dict[str, Any] = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        return self.wire.ask(Page, "GET", "/api/compilations", params=params)

    def compilation(self, compilation_id: str) -> CompilationView:
        """One compilation as it is now."""
        return self.wire.ask(CompilationView, "GET", f"/api/compilations/{compilation_id}")

    def plan(self, compilation_id: str) -> Plan:
        """Timeline, segments and quota of the current generation."""
        return self.wire.ask(Plan, "GET", f"/api/compilations/{compilation_id}/plan")

    def timeline(self, compilation_id: str, output: str | None = None) -> str:
        """The timeline of an output (default the first) as OpenTimelineIO."""
        where = f"/api/compilations/{compilation_id}/timeline.otio"
        return self.wire.send("GET", where, params={"output": output} if output else {}).text

    def edit(self, compilation_id: str, spec: CompilationSpec) -> CompilationView:
        """Replace the spec: a new generation. The same spec again changes nothing."""
        where = f"/api/compilations/{compilation_id}/spec"
        return self.wire.ask(CompilationView, "PUT", where, body=spec)

    def cancel(self, compilation_id: str) -> CompilationView:
        """Cancel; an ended compilation stays as it ended."""
        return self.wire.ask(CompilationView, "DELETE", f"/api/compilations/{compilation_id}")

    def events(self, compilation_id: str) -> Iterator[CompilationView]:
        """The compilation at each change, until it ends (server-sent events)."""
        where = f"/api/compilations/{compilation_id}/events"
        with self.wire.stream(where, {"Accept": "text/event-stream"}) as reply:
            for line in reply.iter_lines():
                if line.startswith("data:"):
                    yield CompilationView.model_validate(json.loads(line[5:]))

    # --- library and account -------------------------------------------------------------------

    def library(self, cursor: str | None = None, limit: int = 50) -> MediaPage:
        """One page of the media library, newest first."""
        params: dict[str, Any] = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        return self.wire.ask(MediaPage, "GET", "/api/media", params=params)

    def media(self, media_id: str) -> Media:
        """One media file."""
        return self.wire.ask(Media, "GET", f"/api/media/{media_id}")

    def used_in(self, media_id: str) -> list[UsedIn]:
        """Results that play a media file, newest first."""
        found = self.wire.send("GET", f"/api/media/{media_id}/used-in").json()
        return [UsedIn.model_validate(row) for row in found]

    def delete_media(self, media_id: str) -> None:
        """Take a media file out of the library."""
        self.wire.send("DELETE", f"/api/media/{media_id}")

    def validate_media(self, media_id: str) -> MediaFacts:
        """Check a media file again, to its last frame. Raises PermanentError."""
        where = f"/api/media/{media_id}/validate"
        return self.wire.ask(MediaFacts, "POST", where, timeout=BYTES_TIMEOUT)

    def account(self) -> Account:
        """Quota: limits and what is used and reserved."""
        return self.wire.ask(Account, "GET", "/api/quota")

    def usage(self) -> list[Usage]:
        """Render time by finished compilation, newest first."""
        return [Usage.model_validate(row) for row in self.wire.send("GET", "/api/usage").json()]
