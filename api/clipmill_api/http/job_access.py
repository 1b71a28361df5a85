"""What a caller's key may read and upload: a user their own files, a job those of its task.

Every route that serves or takes the bytes of a file asks here.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends

from clipmill.protocol import UploadRequest
from clipmill_api.context import Context, Ctx
from clipmill_api.http.authentication import (
    AnyPrincipal,
    ClaimedTask,
    Principal,
    TaskState,
    require_held,
    require_role,
)
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.queries import task_leases
from clipmill_api.queries.task_leases import TaskId
from clipmill_api.tables import UploadRow
from clipmill_api.tasks.task_scope import TaskScope


def claimed_task(principal: Principal) -> ClaimedTask:
    """Return the task that a job's key was issued for. Raises 409."""
    if principal.task is None:
        detail = "key: it belongs to a stage; use the key that the claim of a task returns"
        raise ApiProblem(409, "NotClaimed", detail)
    return principal.task


def require_task(principal: Principal, *, index: int, epoch: int | None) -> None:
    """Refuse a report or an upload for another task than the key's. Raises 403 or 409."""
    task = claimed_task(principal)
    if task.index != index:
        detail = f"index: the key belongs to task {task.index}, not to task {index}"
        raise ApiProblem(403, "Forbidden", detail, field="index")
    if task.epoch != epoch:
        detail = f"epoch: the key belongs to epoch {task.epoch}, not to epoch {epoch}"
        raise ApiProblem(409, "LeaseLost", detail, field="epoch")


def task_scope(ctx: Context, principal: Principal) -> TaskScope:
    """Return what the task of a job's key may read and write. Raises 409 or 503."""
    task = claimed_task(principal)
    require_held(principal)
    stage = principal.stage.value
    task_id = TaskId(principal.compilation_id, principal.generation, stage, task.index)
    with ctx.db.read() as session:
        scope = task_leases.find_scope(session, task_id, epoch=task.epoch)
    return TaskScope.model_validate(scope or {})


def require_upload(ctx: Context, principal: Principal, request: UploadRequest) -> None:
    """Refuse an upload that the job's task is not to produce. Raises 403, 409 or 503."""
    if principal.role != "job":
        return
    require_task(principal, index=request.index, epoch=request.epoch)
    if not task_scope(ctx, principal).may_upload(request):
        detail = f"purpose: this {request.purpose} is not one that the task is to upload"
        raise ApiProblem(403, "Forbidden", detail, field="purpose")


def require_own_upload(principal: Principal, upload: UploadRow) -> None:
    """Refuse an upload of another user, compilation or task. Raises 404, 409 or 503.

    A complete upload of the job's own task may be read after the task's end, because the reply
    that completed it may be lost.
    """
    if upload.compilation_id != (principal.compilation_id or None):
        raise not_found("upload", upload.id)
    if principal.role != "job":
        return
    if upload.request["index"] != claimed_task(principal).index:
        raise not_found("upload", upload.id)
    is_lost = claimed_task(principal).state is TaskState.LOST
    if is_lost or not upload.complete:
        require_held(principal)


def _media_reader(ctx: Ctx, principal: AnyPrincipal, media_id: str) -> Principal:
    require_role(principal, "user", "job")
    if principal.role == "job" and media_id not in task_scope(ctx, principal).media:
        raise not_found("media", media_id)
    return principal


def _segment_reader(ctx: Ctx, principal: AnyPrincipal, key: str) -> Principal:
    require_role(principal, "job")
    if not task_scope(ctx, principal).may_read_segment(key):
        raise not_found("segment", key)
    return principal


def _watermark_reader(ctx: Ctx, principal: AnyPrincipal, sha256: str) -> Principal:
    require_role(principal, "job")
    if sha256 not in task_scope(ctx, principal).watermarks:
        raise not_found("watermark", sha256)
    return principal


MediaReader = Annotated[Principal, Depends(_media_reader)]
SegmentReader = Annotated[Principal, Depends(_segment_reader)]
WatermarkReader = Annotated[Principal, Depends(_watermark_reader)]
