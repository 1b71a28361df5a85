"""The typed client through which jobs, the command line and the operator call the API."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clipmill.protocol import (
    Account,
    Assignment,
    Claim,
    CompilationFilter,
    CompilationPage,
    CompilationView,
    Heartbeat,
    HeartbeatReply,
    Media,
    MediaFacts,
    MediaKind,
    MediaPage,
    Plan,
    PreviewRequest,
    TaskResult,
    Upload,
    UploadRequest,
    Usage,
    UsedIn,
)
from clipmill.protocol.assignments import StoredFile
from clipmill.spec import CompilationSpec, Manifest, PreviewExtent
from clipmill_client.api_connection import ATTEMPTS, BYTES_TIMEOUT, TIMEOUT, ApiConnection
from clipmill_client.certificate_trust import ApiTrust
from clipmill_client.discovery_calls import DiscoveryCalls
from clipmill_client.integration_calls import CredentialCalls, WebhookCalls
from clipmill_client.legacy_calls import LegacyWorkerCalls
from clipmill_client.privileged_calls import AdminCalls, OperatorCalls
from clipmill_client.result_calls import ResultCalls
from clipmill_client.show_calls import ShowCalls
from clipmill_client.sign_in_calls import SignInCalls
from clipmill_client.transfer import OnUpload, Transfers, unobserved

if TYPE_CHECKING:
    import httpx


class Client:
    """One API with one key.

    Its own methods are the calls of people and of jobs; its fields hold those for each kind of
    resource, and those of other callers. Failures are RetryableError or PermanentError.

    Args:
        base_url: URL of the API, without a path.
        key: Key with its prefix, `cm_...`.
        transport: Another transport of httpx.
        attempts: How often a request that may be repeated is sent at most.
        timeout: Timeout of calls that transfer no file.
        pause: Function that waits for some seconds between two attempts.
        trust: CAs of the API besides those of httpx.
    """

    def __init__(  # noqa: PLR0913  # all but two have defaults and are passed by name
        self,
        base_url: str,
        key: str,
        *,
        transport: httpx.BaseTransport | None = None,
        attempts: int = ATTEMPTS,
        timeout: httpx.Timeout = TIMEOUT,
        pause: Callable[[float], None] = time.sleep,
        trust: ApiTrust | None = None,
    ) -> None:
        options: dict[str, Any] = {"transport": transport, "attempts": attempts, "trust": trust}
        self.connection = ApiConnection(base_url, key, timeout=timeout, pause=pause, **options)
        self._key = key
        self.transfers = Transfers(self.connection)
        self.discovery = DiscoveryCalls(self.connection, key)
        self.credentials = CredentialCalls(self.connection)
        self.results = ResultCalls(self.connection)
        self.shows = ShowCalls(self.connection)
        self.webhooks = WebhookCalls(self.connection)
        self.legacy = LegacyWorkerCalls(self.connection)
        self.operator = OperatorCalls(self.connection)
        self.admin = AdminCalls(self.connection)
        self.sign_in = SignInCalls(self.connection)

    def close(self) -> None:
        """Close the connections."""
        self.connection.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- jobs --------------------------------------------------------------------------------

    def claim(self, index: int, holder: str) -> Assignment:
        """Claim a task under a lease and return its assignment.

        All calls from then on but another claim send the key of this task.

        Args:
            index: Task index.
            holder: Name of this process; a repeated claim by it renews the lease.
        """
        body, headers = Claim(index=index, holder=holder), {"Authorization": f"Bearer {self._key}"}
        call: dict[str, Any] = {"body": body, "headers": headers}
        assignment = self.connection.request_as(Assignment, "POST", "/api/worker/claim", **call)
        self.connection.use_key(assignment.key or self._key)
        self.transfers.has_links = assignment.links
        return assignment

    def heartbeat(self, heartbeat: Heartbeat) -> HeartbeatReply:
        """Renew a lease, report progress and log lines; the reply says whether to go on."""
        path = "/api/worker/heartbeat"
        return self.connection.request_as(HeartbeatReply, "POST", path, body=heartbeat)

    def result(self, result: TaskResult) -> None:
        """Report the result of a task. Repeating it changes nothing."""
        self.connection.request("POST", "/api/worker/result", body=result)

    # --- files -------------------------------------------------------------------------------

    def upload(self, path: Path, request: UploadRequest) -> Upload:
        """Upload a file and publish it; an interrupted upload is resumed."""
        return self.transfers.upload(path, request)

    def upload_media(
        self,
        path: Path,
        kind: MediaKind,
        filename: str | None = None,
        *,
        keep_broken: bool = False,
        on_progress: OnUpload = unobserved,
    ) -> Media:
        """Upload a file into the media library; the same bytes again are the same media.

        Args:
            path: The file.
            kind: What it is for.
            filename: Its name in the library, unless that of the file.
            keep_broken: Whether a clip that cannot be played is kept, so that the `onClipError` of
                a compilation decides about it. Its media has a `defect`.
            on_progress: Called for each step of the upload, and after each chunk that was sent.
        """
        upload = self.transfers.upload_library(
            path, kind, filename, keep_broken=keep_broken, on_progress=on_progress
        )
        return self.media(str(upload.media_id))

    def download_media(self, media_id: str, path: Path) -> None:
        """Download a media file."""
        self.transfers.download(f"/api/media/{media_id}/content", path)

    def download_watermark(self, sha256: str, path: Path) -> None:
        """Download the installation's watermark of this content."""
        self.transfers.download(f"/api/worker/watermark/{sha256}", path)

    def download_segment(self, key: str, path: Path, stored: StoredFile | None = None) -> None:
        """Download a rendered segment, whose file the assignment may name."""
        self.transfers.download(f"/api/segments/{key}/content", path, stored)

    def download_output(self, compilation_id: str, name: str, path: Path) -> None:
        """Download a finished video or one of its companion files."""
        self.transfers.download(f"/api/compilations/{compilation_id}/outputs/{name}", path)

    # --- compilations ------------------------------------------------------------------------

    def create(self, manifest: Manifest, idempotency_key: str | None = None) -> CompilationView:
        """Submit a compilation; requests with the same idempotency key create one compilation."""
        path = "/api/compilations"
        headers = {"Idempotency-Key": idempotency_key or uuid.uuid4().hex}
        return self.connection.request_as(
            CompilationView, "POST", path, body=manifest, headers=headers
        )

    def dry_run(self, manifest: Manifest) -> Plan:
        """Return the plan of a manifest without submitting it."""
        return self.connection.request_as(Plan, "POST", "/api/plan", body=manifest)

    def preview(self, compilation_id: str, extent: PreviewExtent) -> CompilationView:
        """Create a draft of a compilation; the same request again returns the same draft."""
        body, path = PreviewRequest(extent=extent), f"/api/compilations/{compilation_id}/preview"
        return self.connection.request_as(CompilationView, "POST", path, body=body)

    def compilations(
        self,
        cursor: str | None = None,
        limit: int = 50,
        *,
        filters: CompilationFilter = CompilationFilter(),
    ) -> CompilationPage:
        """Return a page of the compilations that match a filter, newest first."""
        query = filters.model_dump(mode="json", exclude_defaults=True)
        params = _page_query(cursor, limit) | query
        return self.connection.request_as(
            CompilationPage, "GET", "/api/compilations", params=params
        )

    def compilation(self, compilation_id: str) -> CompilationView:
        """Return the current state of a compilation."""
        path = f"/api/compilations/{compilation_id}"
        return self.connection.request_as(CompilationView, "GET", path)

    def plan(self, compilation_id: str) -> Plan:
        """Return timeline, segments and quota of the newest generation."""
        return self.connection.request_as(Plan, "GET", f"/api/compilations/{compilation_id}/plan")

    def timeline(self, compilation_id: str, output: str | None = None) -> str:
        """Return the timeline of an output, by default the first, as OpenTimelineIO JSON."""
        path = f"/api/compilations/{compilation_id}/timeline.otio"
        params = {"output": output} if output else {}
        return self.connection.request("GET", path, params=params).text

    def spec(self, compilation_id: str, generation: int | None = None) -> CompilationSpec:
        """Return the spec of a generation, by default of the newest one."""
        path = f"/api/compilations/{compilation_id}/spec"
        params = {"generation": generation} if generation else {}
        return self.connection.request_as(CompilationSpec, "GET", path, params=params)

    def edit(
        self, compilation_id: str, spec: CompilationSpec, *, expected: int | None = None
    ) -> CompilationView:
        """Replace the spec, which creates a generation; the same spec again changes nothing.

        Args:
            compilation_id: Compilation to edit.
            spec: New spec.
            expected: Newest generation that the caller knows. With another one, PermanentError
                with the code GenerationChanged is raised.
        """
        path = f"/api/compilations/{compilation_id}/spec"
        headers = {"If-Match": f'"{expected}"'} if expected is not None else {}
        return self.connection.request_as(CompilationView, "PUT", path, body=spec, headers=headers)

    def cancel(self, compilation_id: str) -> CompilationView:
        """Cancel a compilation; one that has ended does not change."""
        path = f"/api/compilations/{compilation_id}"
        return self.connection.request_as(CompilationView, "DELETE", path)

    def events(self, compilation_id: str) -> Iterator[CompilationView]:
        """Yield the compilation at each change until it has ended, by server-sent events."""
        for event in self.connection.events(f"/api/compilations/{compilation_id}/events"):
            yield CompilationView.model_validate_json(event.data)

    # --- library and account -----------------------------------------------------------------

    def library(
        self, cursor: str | None = None, limit: int = 50, *, kind: MediaKind | None = None
    ) -> MediaPage:
        """Return a page of the media library, or of its media of one kind, newest first."""
        params = _page_query(cursor, limit) | ({"kind": kind.value} if kind else {})
        return self.connection.request_as(MediaPage, "GET", "/api/media", params=params)

    def media(self, media_id: str) -> Media:
        """Return a media file's metadata."""
        return self.connection.request_as(Media, "GET", f"/api/media/{media_id}")

    def used_in(self, media_id: str) -> list[UsedIn]:
        """Return the results that play a media file, newest first."""
        return self.connection.request_as(list[UsedIn], "GET", f"/api/media/{media_id}/used-in")

    def announce_upload(self, request: UploadRequest) -> Upload:
        """Return the unfinished upload of this announcement, or a new one."""
        return self.transfers.announce(request)

    def cancel_upload(self, upload_id: str) -> None:
        """Cancel an upload that is not complete; its bytes are deleted."""
        self.connection.request("DELETE", f"/api/uploads/{upload_id}")

    def delete_media(self, media_id: str) -> None:
        """Delete a media file from the library."""
        self.connection.request("DELETE", f"/api/media/{media_id}")

    def validate_media(self, media_id: str) -> MediaFacts:
        """Decode a media file to its end and return its facts.

        Raises:
            PermanentError: The file is missing or damaged.
        """
        path = f"/api/media/{media_id}/validate"
        return self.connection.request_as(MediaFacts, "POST", path, timeout=BYTES_TIMEOUT)

    def account(self) -> Account:
        """Return the quota: limits, usage and reservations."""
        return self.connection.request_as(Account, "GET", "/api/quota")

    def usage(self) -> list[Usage]:
        """Return render time by finished generation, newest first."""
        return self.connection.request_as(list[Usage], "GET", "/api/usage")


def _page_query(cursor: str | None, limit: int) -> dict[str, Any]:
    return {"limit": limit} | ({"cursor": cursor} if cursor else {})
