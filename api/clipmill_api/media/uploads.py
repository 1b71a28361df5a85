"""Uploads: announced, appended to, inspected, and published in one transaction."""

from __future__ import annotations

import hashlib
from pathlib import Path

from clipmill import fault_points
from clipmill.protocol import MediaFacts, MediaKind, Upload, UploadPurpose, UploadRequest
from clipmill.protocol.companion_kinds import COMPANION_KINDS
from clipmill_api.accounts import quota_checks
from clipmill_api.context import Context, new_id
from clipmill_api.database import Session
from clipmill_api.http import job_access
from clipmill_api.http.authentication import Principal, TaskState
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.media.inspection import Inspection, inspect_upload, require_whole
from clipmill_api.media.publishing import publish
from clipmill_api.media.removals import delete_unfinished_uploads
from clipmill_api.media.staging.announcement_rules import refuse_forbidden
from clipmill_api.media.staging.signed_parts import missing_parts
from clipmill_api.queries import (
    compilation_records,
    media_library,
    quota_ledger,
    task_leases,
    upload_records,
)
from clipmill_api.tables import UploadRow
from clipmill_api.tasks.leases import task_id_of


def announce(ctx: Context, principal: Principal, request: UploadRequest) -> Upload:
    """Return a new upload, or the existing one of the same announcement.

    An unfinished upload of an earlier claim of the task continues under a new id: with the old
    one, the earlier claim can no longer write to it.

    Raises:
        ApiProblem: 403 if the caller may not upload this, 409 if its lease is lost, 413 if the
            file is too large, 422 if a field is missing, 507 if the disk has no space for it.
    """
    refuse_forbidden(ctx.settings, principal, request)
    completed = _completed_before(ctx, principal, request)
    if completed is not None:
        return view(ctx, completed)
    job_access.require_upload(ctx, principal, request)
    row, earlier_id = ctx.db.write(lambda session: _announce(session, ctx, principal, request))
    fault_points.reach(f"api.upload.{request.purpose}.announced")
    if earlier_id:
        ctx.spool.rename(earlier_id, row.id)
    return view_with_links(ctx, principal, row)


def _completed_before(
    ctx: Context, principal: Principal, request: UploadRequest
) -> UploadRow | None:
    """Return the upload of a task that has ended: the reply that completed it may be lost."""
    task = principal.task
    if task is None or not (principal.stage_over or task.state is TaskState.DONE):
        return None
    job_access.require_task(principal, index=request.index, epoch=request.epoch)
    with ctx.db.read() as session:
        return upload_records.find_complete(
            session, principal.owner, _request_sha256(principal, request)
        )


def _announce(
    session: Session, ctx: Context, principal: Principal, request: UploadRequest
) -> tuple[UploadRow, str | None]:
    """Return the upload, and its earlier id if it was taken over from an earlier claim."""
    _require_lease(session, principal, request)
    quota_ledger.lock_owner(session, principal.owner)
    request_sha256 = _request_sha256(principal, request)
    existing = upload_records.find_incomplete(session, principal.owner, request_sha256)
    if existing is not None:
        return existing, _take_over(session, ctx, existing, request)
    is_segment = request.purpose is UploadPurpose.SEGMENT
    if not is_segment:  # Segments are a cache of the installation and count towards no quota.
        quota_checks.reserve_storage(session, ctx, principal.owner, request.size_bytes)
    row = UploadRow(
        id=new_id("u"),
        owner=principal.owner,
        request=request.model_dump(mode="json"),
        request_sha256=request_sha256,
        size_bytes=request.size_bytes,
        reserved_bytes=0 if is_segment else request.size_bytes,
        complete=False,
        compilation_id=principal.compilation_id or None,
        created_at=ctx.now(),
    )
    upload_records.add_upload(session, row)
    _publish_known_bytes(session, ctx, principal, row, request)
    if not row.complete:
        ctx.disk.require(row.size_bytes)
    fault_points.reach(f"api.upload.{request.purpose}.announcing")
    return row, None


def _take_over(
    session: Session, ctx: Context, row: UploadRow, request: UploadRequest
) -> str | None:
    """Give an upload to a later claim. Return its earlier id, or None if the claim is the same."""
    if row.request["epoch"] == request.epoch:
        return None
    earlier_id, row.id, row.created_at = row.id, new_id("u"), ctx.now()
    row.request = request.model_dump(mode="json")
    session.flush()
    return earlier_id


def _request_sha256(principal: Principal, request: UploadRequest) -> str:
    # Jobs of two compilations that render the same segment each upload their own file.
    identity = (principal.compilation_id or "") + request.model_dump_json(exclude={"epoch"})
    return hashlib.sha256(identity.encode()).hexdigest()


def _publish_known_bytes(
    session: Session, ctx: Context, principal: Principal, row: UploadRow, request: UploadRequest
) -> None:
    """Publish an upload at once if the owner has its bytes already."""
    media = media_library.find_by_sha256(session, principal.owner, request.sha256)
    if media is None or request.purpose is UploadPurpose.SEGMENT:
        return
    if not ctx.store.exists(media.owner, media.sha256, media.size_bytes):
        return  # Lost bytes: this upload brings them back.
    if request.kind is MediaKind.IMAGE and media.kind != MediaKind.IMAGE:
        return
    facts = MediaFacts.model_validate(media.facts) if media.facts else None
    needs_facts = request.kind not in (MediaKind.IMAGE, *COMPANION_KINDS)
    if needs_facts and not _is_playable(facts, request.kind):
        return
    publish(session, ctx, principal, row, Inspection(facts))


def _is_playable(facts: MediaFacts | None, kind: MediaKind | None) -> bool:
    return facts is not None and (facts.frames > 0 or kind is MediaKind.MUSIC)


def _require_lease(session: Session, principal: Principal, request: UploadRequest) -> None:
    """Refuse an upload of a job whose lease is lost. Raises 409.

    Row locks are taken in one order everywhere: compilation, task, owner.
    """
    if principal.role != "job":
        return
    compilation_records.lock_compilation(session, principal.compilation_id)
    task = task_leases.lock_task(session, task_id_of(principal, request.index))
    if task is None or task.epoch != request.epoch:
        detail = f"epoch: {request.epoch} is not that of the latest claim of task {request.index}"
        raise ApiProblem(409, "LeaseLost", detail)


def view(ctx: Context, row: UploadRow) -> Upload:
    """Return an upload as its sender sees it."""
    return Upload(
        id=row.id,
        offset=row.size_bytes if row.complete else ctx.spool.offset(row.id),
        size_bytes=row.size_bytes,
        complete=row.complete,
        media_id=row.media_id,
        segment_key=row.segment_key,
    )


def view_with_links(ctx: Context, principal: Principal, row: UploadRow) -> Upload:
    """Return an upload with the links of its next parts, where the API offers links."""
    links = missing_parts(ctx, principal, row)
    return view(ctx, row).model_copy(update={"links": links})


def find(ctx: Context, principal: Principal, upload_id: str) -> UploadRow:
    """Return an upload of the caller. Raises 404."""
    with ctx.db.read() as session:
        row = upload_records.find_upload(session, principal.owner, upload_id)
    if row is None:
        raise not_found("upload", upload_id)
    job_access.require_own_upload(principal, row)
    return row


def complete(ctx: Context, principal: Principal, upload_id: str) -> Upload:
    """Inspect an upload and publish it. Completing it again changes nothing.

    Raises:
        ApiProblem: 409 if bytes are missing or the lease is lost, 422 if the file is refused, 507.
    """
    if (row := find(ctx, principal, upload_id)).complete:
        return view(ctx, row)
    request = UploadRequest.model_validate(row.request)
    try:
        require_whole(ctx, row)
        with ctx.spool.opened(row.id) as path:
            upload = _publish_file(ctx, principal, row, request, path)
    except (ApiProblem, FileNotFoundError) as problem:
        # A concurrent request may have published the upload and deleted its spooled bytes.
        current = find(ctx, principal, upload_id)
        if current.complete:
            return view(ctx, current)
        if isinstance(problem, ApiProblem) and problem.status == 422:
            _discard(ctx, row)
        raise
    fault_points.reach(f"api.upload.{request.purpose}.published")
    ctx.spool.delete(row.id)
    fault_points.reach(f"api.upload.{request.purpose}.finished")
    return upload


def _publish_file(
    ctx: Context, principal: Principal, row: UploadRow, request: UploadRequest, path: Path
) -> Upload:
    """Inspect the file of an upload, store it under its final name and publish it."""
    inspection = inspect_upload(row, request, path)
    fault_points.reach(f"api.upload.{request.purpose}.inspected")
    ctx.disk.require(0 if ctx.settings.store_url else row.size_bytes)
    ctx.store.put(row.owner, request.sha256, path)
    fault_points.reach(f"api.upload.{request.purpose}.stored")
    return ctx.db.write(lambda session: _finish(session, ctx, principal, row, inspection, path))


def _finish(
    session: Session,
    ctx: Context,
    principal: Principal,
    row: UploadRow,
    inspection: Inspection,
    path: Path,
) -> Upload:
    request = UploadRequest.model_validate(row.request)
    _require_lease(session, principal, request)
    quota_ledger.lock_owner(session, row.owner)
    current = upload_records.find_upload(session, row.owner, row.id)
    if current is None:
        raise not_found("upload", row.id)
    if not current.complete:
        _keep_stored(ctx, row, request, path)
        publish(session, ctx, principal, current, inspection)
    fault_points.reach(f"api.upload.{request.purpose}.publishing")
    return view(ctx, current)


def _keep_stored(ctx: Context, row: UploadRow, request: UploadRequest, path: Path) -> None:
    """Store the bytes again if they were deleted since. From now on the owner's lock keeps them."""
    if not ctx.store.exists(row.owner, request.sha256, row.size_bytes):
        ctx.store.put(row.owner, request.sha256, path)


def _discard(ctx: Context, row: UploadRow) -> None:
    """Delete an upload that can never be published, and release its storage."""

    def delete(session: Session) -> None:
        if upload_records.delete_incomplete(session, row.id):
            quota_ledger.release_storage(session, row.owner, row.reserved_bytes)

    ctx.db.write(delete)
    ctx.spool.delete(row.id)


def cancel(ctx: Context, principal: Principal, upload_id: str) -> None:
    """Delete an unfinished upload with its bytes.

    Raises:
        ApiProblem: 404 if it does not exist, 409 if it is complete.
    """

    def delete(session: Session) -> None:
        quota_ledger.lock_owner(session, principal.owner)
        row = upload_records.find_upload(session, principal.owner, upload_id)
        if row is None:
            raise not_found("upload", upload_id)
        if row.complete:
            raise ApiProblem(409, "Complete", f"upload {upload_id} is complete; delete its media")
        delete_unfinished_uploads(session, ctx, [row])

    ctx.db.write(delete)
    ctx.spool.delete(upload_id)
