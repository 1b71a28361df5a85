"""The media library, and bytes down for people and jobs alike."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from clipmill.protocol import Media, MediaFacts, MediaKind, MediaPage, UsedIn
from clipmill_api.compilations import responses
from clipmill_api.context import Ctx
from clipmill_api.http.authentication import LiveJob, User, UserOrJob
from clipmill_api.http.paging import Cursor, cursor
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.media import downloads, uploads
from clipmill_api.queries import media_library, quota_ledger, result_media
from clipmill_api.tables import MediaRow
from clipmill_probe import MediaError, check, check_image

router = APIRouter(tags=["media"])


def _row(session: Session, owner: str, media_id: str) -> MediaRow:
    row = media_library.media(session, owner, media_id)
    if row is None:
        raise not_found("media", media_id)
    return row


@router.get("/api/media")
def get_all(
    ctx: Ctx, who: User, after: Cursor, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> MediaPage:
    """The library, newest first."""
    with ctx.db.read() as session:
        rows = media_library.media_page(session, who.owner, after, limit + 1)
    items = [responses.media(row) for row in rows[:limit]]
    last = rows[limit - 1] if len(rows) > limit else None
    return MediaPage(items=items, next=cursor(last.created_at, last.id) if last else None)


@router.get("/api/media/{media_id}")
def get_one(ctx: Ctx, who: User, media_id: str) -> Media:
    """One media file."""
    with ctx.db.read() as session:
        return responses.media(_row(session, who.owner, media_id))


@router.get("/api/media/{media_id}/used-in")
def used_in(
    ctx: Ctx, who: User, media_id: str, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> list[UsedIn]:
    """Results that play a media file, newest first."""
    with ctx.db.read() as session:
        _row(session, who.owner, media_id)
        found = result_media.using(session, who.owner, media_id, limit)
        return [responses.used_in(use, compilation) for use, compilation in found]


@router.delete("/api/media/{media_id}", status_code=204)
def delete(ctx: Ctx, who: User, media_id: str) -> None:
    """Delete a media file that no running compilation uses. Finished videos stay as they are."""

    def gone(session: Session) -> str | None:
        row = _row(session, who.owner, media_id)
        used = media_library.in_use(session, who.owner, media_id)
        if used:
            detail = f"media {media_id} is used by compilation {used}, which runs"
            raise ApiProblem(409, "InUse", detail, compilation=used)
        media_library.delete_media(session, row)
        quota_ledger.give_storage(session, who.owner, row.size_bytes)
        alone = not media_library.is_referenced(session, who.owner, row.sha256)
        return row.sha256 if alone else None

    orphan = ctx.db.write(gone)
    if orphan:
        ctx.store.drop(who.owner, orphan)


@router.post("/api/media/{media_id}/validate")
def validate(ctx: Ctx, who: User, media_id: str) -> MediaFacts:
    """Check a media file again: there, size, readable, decodable to its end."""
    with ctx.db.read() as session:
        row = _row(session, who.owner, media_id)
    with tempfile.TemporaryDirectory(dir=ctx.settings.state) as folder:
        path = Path(folder) / "media"
        try:
            ctx.store.copy_to(who.owner, row.sha256, path)
            with uploads.PROBES:
                if row.kind == MediaKind.IMAGE:
                    return check_image(path)
                return check(path, sound=row.kind == MediaKind.MUSIC)
        except FileNotFoundError:
            raise ApiProblem(422, "Missing", f"the bytes of {media_id} are gone") from None
        except MediaError as error:
            raise ApiProblem(422, error.code, f"{row.filename}: {error}") from None


@router.head("/api/media/{media_id}/content", include_in_schema=False)
@router.get("/api/media/{media_id}/content", responses=downloads.REPLIES, response_class=Response)
def content(request: Request, ctx: Ctx, who: UserOrJob, media_id: str) -> Response:
    """The bytes of a media file; takes Range."""
    with ctx.db.read() as session:
        row = _row(session, who.owner, media_id)
    return downloads.serve(
        request, ctx, owner=row.owner, sha256=row.sha256, size=row.size_bytes, name=row.filename
    )


@router.head("/api/segments/{key}/content", include_in_schema=False)
@router.get("/api/segments/{key}/content", responses=downloads.REPLIES, response_class=Response)
def segment(request: Request, ctx: Ctx, who: LiveJob, key: str) -> Response:
    """The bytes of a rendered segment; takes Range."""
    with ctx.db.read() as session:
        row = media_library.segment(session, who.owner, key)
    if row is None:
        raise not_found("segment", key)
    return downloads.serve(
        request, ctx, owner=row.owner, sha256=row.sha256, size=row.size_bytes, name=f"{key}.mov"
    )
