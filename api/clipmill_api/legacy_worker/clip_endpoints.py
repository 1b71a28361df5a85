"""E1 and E2: a clip, and what became of it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from clipmill.protocol import TaskFailure, ClipState
from clipmill_api.compilations import lifecycle, refusals
from clipmill_api.context import Context
from clipmill_api.http.authentication import Principal
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.legacy_worker.media_endpoints import duration_s, own_media
from clipmill_api.legacy_worker.models import ClipMetadata, ClipUpdate
from clipmill_api.queries import revisions, task_leases
from clipmill_api.tables import ClipRow

PLATFORMS = ("twitch", "youtube")


def _clip(session: Session, who: Principal, clip_id: str) -> ClipRow:
    row = revisions.clip(session, who.compilation_id, clip_id)
    if row is None or row.generation != who.generation:
        raise not_found("clip", clip_id)
    return row


def clip_metadata(session: Session, who: Principal, clip_id: str) -> ClipMetadata:
    """E1."""
    row = _clip(session, who, clip_id)
    compilation = revisions.compilation(session, who.owner, who.compilation_id)
    platform, _, source = (row.clip_key or "").partition(":")
    known = platform in PLATFORMS
    other = "external" if row.url else "library"
    return ClipMetadata.model_validate(
        {
            "id": row.id,
            "title": row.title,
            "source_url": row.url,
            "source_platform": platform if known else other,
            "source_id": source if known else None,
            "project_id": who.compilation_id,
            "user_id": who.owner,
            "username": who.owner,
            "project_name": compilation.name if compilation else "",
        }
    )


def update_clip(
    session: Session, ctx: Context, who: Principal, clip_id: str, given: ClipUpdate
) -> None:
    """E2: a clip has its media, or cannot be had. A repeat changes nothing."""
    compilation = revisions.locked(session, who.compilation_id)
    row = _clip(session, who, clip_id)
    if given.error is not None:
        _stays(row, "error", given.error, row.state != ClipState.READY)
        failure = TaskFailure(code="FetchFailed", message=given.error)
        lifecycle.skip(session, ctx, compilation, row, failure)
    elif given.media_file_id is not None:
        media = own_media(session, who, given.media_file_id)
        _agree(given, duration_s(media))
        same = row.state == ClipState.WAITING or row.media_id == media.id
        _stays(row, "media_file_id", media.id, same)
        if revisions.ready(session, row, media_id=media.id, reused=False, all_of_key=False):
            lifecycle.advance(session, ctx, compilation, row.generation)
    elif given.is_downloaded is not None:
        is_ready = row.state == ClipState.READY
        _stays(row, "is_downloaded", given.is_downloaded, given.is_downloaded == is_ready)
    if given.error is not None or given.media_file_id is not None:
        task_leases.unlock_fetch(session, row.id)


def _stays(row: ClipRow, field: str, value: object, is_true: bool) -> None:
    """A clip that is settled stays so; a caller who says otherwise is told. Raises 409."""
    if not is_true:
        detail = f"{field}: {value!r} was given, but the clip is {row.state}"
        raise ApiProblem(409, "StateConflict", detail, field=field, state=row.state)


def _agree(given: ClipUpdate, measured: float | None) -> None:
    """The length is what our prober measured; a caller who says otherwise is told."""
    if measured is None:
        raise refusals.not_video("media_file_id", given.media_file_id or "")
    if given.duration is not None and abs(given.duration - measured) > 1:
        detail = f"duration: {given.duration} was given, but the media is {measured:.3f}s long"
        raise ApiProblem(422, "Invalid", detail, field="duration")
