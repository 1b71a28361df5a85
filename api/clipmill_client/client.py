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

from clipmill.contract import (
    Account,
    Active,
    Claim,
    CompilationSpec,
    CompilationView,
    Extent,
    FailedParts,
    Heartbeat,
    HeartbeatReply,
    KeyReply,
    KeyRequest,
    Manifest,
    Media,
    MediaFacts,
    MediaKind,
    MediaPage,
    Order,
    Page,
    Plan,
    PreviewRequest,
    Refusal,
    Registration,
    Result,
    Stage,
    Submission,
    TierView,
    Upload,
    UploadPurpose,
    UploadRequest,
    Usage,
    UsedIn,
    UserView,
)
from clipmill_client.guide import GuideCalls
from clipmill_client.transfer import Transfers, sha256_of
from clipmill_client.wire import ATTEMPTS, BYTES_TIMEOUT, TIMEOUT, Wire


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

    def order(self, index: int, holder: str) -> Order:
        """Claim a part and learn what to do. Repeatable by the same holder."""
        return self.wire.ask(
            Order, "POST", "/api/worker/claim", body=Claim(index=index, holder=holder)
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

    def download_piece(self, key: str, path: Path) -> None:
        """Fetch a rendered piece."""
        self.transfers.download(f"/api/pieces/{key}/content", path)

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
        """Timeline, pieces and quota of the current generation."""
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


class OperatorCalls:
    """What the operator asks: registering generations, keys for their jobs, news of dead pods."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def register(self, uid: str, registration: Registration) -> Plan:
        """Tell of a generation; answers its plan. Raises PermanentError with code and numbers."""
        where = f"/api/operator/compilations/{uid}"
        return self._wire.ask(Plan, "PUT", where, body=registration)

    def plan(self, uid: str) -> Plan:
        """The plan of the current generation."""
        return self._wire.ask(Plan, "GET", f"/api/operator/compilations/{uid}")

    def view(self, uid: str) -> CompilationView:
        """Status of the current generation."""
        return self._wire.ask(CompilationView, "GET", f"/api/operator/compilations/{uid}/status")

    def active(self, limit: int = 100) -> list[Active]:
        """Compilations that have not ended, oldest first."""
        found = self._wire.send("GET", "/api/operator/active", params={"limit": limit}).json()
        return [Active.model_validate(one) for one in found]

    def submissions(self) -> list[Submission]:
        """Resources that are to be made, changed or deleted, at most 100."""
        found = self._wire.send("GET", "/api/operator/submissions").json()
        return [Submission.model_validate(one) for one in found]

    def refused(self, submission_id: str, why: Refusal) -> None:
        """No resource can be made of a submission."""
        where = f"/api/operator/submissions/{submission_id}/refused"
        self._wire.send("POST", where, body=why)

    def gone(self, uid: str) -> None:
        """The resource was deleted: cancel, free keys and quota."""
        self._wire.send("DELETE", f"/api/operator/compilations/{uid}")

    def mint(self, uid: str, stage: Stage, generation: int) -> str:
        """A fresh key for one stage's pods."""
        where = f"/api/operator/compilations/{uid}/keys"
        body = KeyRequest(stage=stage, generation=generation)
        return self._wire.ask(KeyReply, "POST", where, body=body).key

    def failed(self, uid: str, parts: FailedParts) -> Plan:
        """Parts whose pods will not be tried again."""
        return self._wire.ask(Plan, "POST", f"/api/operator/compilations/{uid}/failed", body=parts)


class AdminCalls:
    """Users and tiers."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def put_user(self, user: UserView) -> UserView:
        """Create a user or move it to another tier."""
        return self._wire.ask(UserView, "PUT", f"/api/admin/users/{user.name}", body=user)

    def users(self) -> list[UserView]:
        """All users by name."""
        return [
            UserView.model_validate(u) for u in self._wire.send("GET", "/api/admin/users").json()
        ]

    def put_tier(self, tier: TierView) -> TierView:
        """Create or change a tier."""
        return self._wire.ask(TierView, "PUT", f"/api/admin/tiers/{tier.name}", body=tier)

    def tiers(self) -> list[TierView]:
        """All tiers by name."""
        return [
            TierView.model_validate(t) for t in self._wire.send("GET", "/api/admin/tiers").json()
        ]

    def mint(self, user: str) -> str:
        """A fresh key for a user, shown once. Not asked again: a second key would be about."""
        reply = self._wire.once("POST", f"/api/admin/users/{user}/keys")
        return KeyReply.model_validate_json(reply.content).key
