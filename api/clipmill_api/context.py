"""The shared objects of one API, which every route receives. Nothing is global."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Annotated

from fastapi import Depends, Request

from clipmill.protocol import Upload
from clipmill_api.accounts.key_uses import KeyUses
from clipmill_api.credentials.keyring import Keyring
from clipmill_api.database import Database
from clipmill_api.http.metrics import Metrics
from clipmill_api.media.blob_store import BlobStore
from clipmill_api.media.disk_space import DiskSpace
from clipmill_api.media.probe_queue import ProbeQueue
from clipmill_api.media.single_flight import SingleFlight
from clipmill_api.media.staging.stored_spool import StoredSpool
from clipmill_api.media.upload_spool import UploadSpool
from clipmill_api.planner.plan_process import PlanProcess
from clipmill_api.settings import Settings
from clipmill_api.tracing.revision_traces import RevisionTraces
from clipmill_api.tracing.seen_reports import SeenReports
from clipmill_tracing import open_span_export

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Context:
    """Settings, database, storage, metrics and clock of one API."""

    settings: Settings
    db: Database
    store: BlobStore
    spool: UploadSpool | StoredSpool
    disk: DiskSpace
    metrics: Metrics
    clock: Clock
    keyring: Keyring
    # Files of users and from the internet, decoded to their end.
    decodings: ProbeQueue
    # Files that jobs rendered, of which only the headers are read.
    header_reads: ProbeQueue
    # Uploads that are being completed, by id and caller.
    completions: SingleFlight[Hashable, Upload]
    # Makes large plans.
    plan_process: PlanProcess
    key_uses: KeyUses = field(default_factory=KeyUses)
    traces: RevisionTraces = field(default_factory=RevisionTraces)
    span_reports: SeenReports = field(default_factory=SeenReports)

    def now(self) -> datetime:
        """Return the time now, in UTC."""
        return self.clock().astimezone(UTC)

    def later(self, seconds: int) -> datetime:
        """Return the time `seconds` from now, in UTC."""
        return self.now() + timedelta(seconds=seconds)

    def month(self) -> str:
        """Return the UTC month that render time counts for: `2026-11`."""
        return self.now().strftime("%Y-%m")


def create_context(settings: Settings, db: Database, clock: Clock) -> Context:
    """Return the objects of an API, or of its planner. Changes nothing but the state folder."""
    settings.state.mkdir(parents=True, exist_ok=True)
    disk = DiskSpace(settings.state, settings.disk_floor_bytes)
    measured = Metrics()
    measured.disk_free_bytes.set_function(disk.free_bytes)
    measured.disk_floor_bytes.set(disk.floor_bytes)
    store = BlobStore(settings.state / "blobs", settings.store_url)
    return Context(
        settings=settings,
        db=db,
        store=store,
        spool=_spool(settings, store, disk),
        disk=disk,
        metrics=measured,
        clock=clock,
        keyring=Keyring.load(settings.credential_keys, settings.credential_keys_file),
        decodings=ProbeQueue(slots=settings.probe_slots, places=settings.probe_queue),
        header_reads=ProbeQueue(slots=2 * settings.probe_slots, places=4 * settings.probe_queue),
        completions=SingleFlight(),
        plan_process=PlanProcess(settings),
        traces=RevisionTraces(open_span_export(settings.otlp_endpoint, version("clipmill"))),
    )


def _spool(settings: Settings, store: BlobStore, disk: DiskSpace) -> UploadSpool | StoredSpool:
    """Return where unfinished uploads are: on the disk, unless blobs are in an object store."""
    if settings.store_url:
        return StoredSpool(store, settings.temporary, disk)
    return UploadSpool(settings.state / "spool", disk)


def new_id(letter: str) -> str:
    """Return a new random id with a prefix: `m-3f...`."""
    return f"{letter}-{secrets.token_hex(8)}"


async def of_request(request: Request) -> Context:
    """Return the app's context.

    A coroutine, because FastAPI runs every other dependency in a thread.
    """
    context: Context = request.app.state.context
    return context


Ctx = Annotated[Context, Depends(of_request)]
