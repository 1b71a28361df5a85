"""Routes for the media library, and downloads of media and segments."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from clipmill.protocol import Media, MediaFacts, MediaKind, MediaPage, UsedIn
from clipmill_api.compilations import responses
from clipmill_api.context import Context, Ctx
from clipmill_api.database import Session
from clipmill_api.http.authentication import UserPrincipal
from clipmill_api.http.bodies.yaml_bodies import YamlRoute
from clipmill_api.http.job_access import MediaReader, SegmentReader
from clipmill_api.http.paging import Cursor
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.media import downloads, inspection
from clipmill_api.media.expired_rows import delete_lone_thumbnails
from clipmill_api.media.removals import removal
from clipmill_api.queries import media_library, quota_ledger, rendered_segments, result_media
from clipmill_api.queries.tombstones import RemovalReason
from clipmill_api.tables import MediaRow

router = APIRouter(route_class=YamlRoute, tags=["media"])


def _media(session: Session, owner: str, media_id: str) -> MediaRow:
    row = media_library.find_media(session, owner, media_id)
    if row is None:
        raise not_found("media", media_id)
    return row


@router.get("/api/media")
def list_media(
    ctx: Ctx,
    principal: UserPrincipal,
    after: Cursor,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    kind: MediaKind | None = None,
) -> MediaPage:
    """Return a page of the media library, or of its media of one kind, newest first."""
    with ctx.db.read() as session:
        return responses.media_page(session, principal.owner, after, limit, kind=kind)


@router.get("/api/media/{media_id}")
def get_media(ctx: Ctx, principal: UserPrincipal, media_id: str) -> Media:
    """Return a media file's metadata."""
    with ctx.db.read() as session:
        return responses.media_views(session, [_media(session, principal.owner, media_id)])[0]


@router.get("/api/media/{media_id}/used-in")
def list_media_uses(
    ctx: Ctx,
    principal: UserPrincipal,
    media_id: str,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[UsedIn]:
    """Return the results that play a media file, newest first."""
    with ctx.db.read() as session:
        _media(session, principal.owner, media_id)
        uses = result_media.list_results_playing(session, principal.owner, media_id, limit)
        return [responses.used_in_view(use, compilation) for use, compilation in uses]


@router.delete("/api/media/{media_id}", status_code=204)
def delete_media(ctx: Ctx, principal: UserPrincipal, media_id: str) -> None:
    """Delete a media file that no active compilation uses. Finished videos stay as they are."""

    def delete(session: Session) -> None:
        quota_ledger.lock_owner(session, principal.owner)
        row = _media(session, principal.owner, media_id)
        compilation = media_library.find_using_compilation(session, principal.owner, media_id)
        if compilation:
            detail = f"media {media_id} is in use by the active compilation {compilation}"
            raise ApiProblem(409, "InUse", detail, compilation=compilation)
        media_library.delete_media(session, row, removal(ctx, RemovalReason.MEDIA_DELETED))
        quota_ledger.release_storage(session, principal.owner, row.size_bytes)
        delete_lone_thumbnails(session, ctx, ctx.now(), principal.owner)

    ctx.disk.make_room()
    ctx.db.write(delete)


@router.post("/api/media/{media_id}/validate")
async def validate_media(ctx: Ctx, principal: UserPrincipal, media_id: str) -> MediaFacts:
    """Decode a media file to its end and return its facts."""
    row = await run_in_threadpool(_read_media, ctx, principal.owner, media_id)
    async with ctx.decodings.slot(principal.owner):
        return await run_in_threadpool(inspection.inspect_stored, ctx, row)


def _read_media(ctx: Context, owner: str, media_id: str) -> MediaRow:
    with ctx.db.read() as session:
        return _media(session, owner, media_id)


@router.head("/api/media/{media_id}/content", include_in_schema=False)
@router.get("/api/media/{media_id}/content", responses=downloads.RESPONSES, response_class=Response)
def download_media(request: Request, ctx: Ctx, principal: MediaReader, media_id: str) -> Response:
    """Download a media file. Supports Range."""
    with ctx.db.read() as session:
        row = _media(session, principal.owner, media_id)
    return downloads.serve_to(principal.role, request, ctx, row)


@router.head("/api/segments/{key}/content", include_in_schema=False)
@router.get("/api/segments/{key}/content", responses=downloads.RESPONSES, response_class=Response)
def download_segment(request: Request, ctx: Ctx, principal: SegmentReader, key: str) -> Response:
    """Download a rendered segment. Supports Range.

    A segment that is gone answers 503: the next claim of the task renders it again.
    """
    with ctx.db.read() as session:
        row = rendered_segments.find_segment(session, principal.owner, key)
    if row is None:
        raise _segment_gone(key)
    if not ctx.store.exists(row.owner, row.sha256, row.size_bytes):
        ctx.db.write(lambda session: rendered_segments.delete_segment(session, row))
        raise _segment_gone(key)
    return downloads.redirect_to_store(principal.role, request, ctx, row) or downloads.serve(
        request, ctx, owner=row.owner, sha256=row.sha256, size=row.size_bytes, name=f"{key}.mov"
    )


def _segment_gone(key: str) -> ApiProblem:
    return ApiProblem(503, "SegmentGone", f"segment {key} is gone; claim the task again")
