"""What an upload becomes: a segment, a clip that others wait for, or media of the library."""

from __future__ import annotations

from sqlalchemy.orm import Session

from clipmill.protocol import MediaFacts, MediaKind, UploadPurpose, UploadRequest
from clipmill_api.compilations import lifecycle
from clipmill_api.context import Context, new_id
from clipmill_api.http.authentication import Principal
from clipmill_api.http.problem_details import not_found
from clipmill_api.queries import media_library, quota_ledger, revisions, task_leases
from clipmill_api.tables import ClipRow, MediaRow, SegmentRow, UploadRow


def publish(
    session: Session, ctx: Context, who: Principal, row: UploadRow, facts: MediaFacts | None
) -> None:
    """Make an upload what it was announced as. Runs in the transaction that completes it."""
    asked = UploadRequest.model_validate(row.request)
    if asked.purpose is UploadPurpose.PIECE:
        _segment(session, ctx, row, asked)
    elif asked.purpose is UploadPurpose.CLIP and asked.kind is MediaKind.THUMBNAIL:
        _still(session, ctx, who, row, asked)
    elif asked.purpose is UploadPurpose.CLIP:
        _clip(session, ctx, who, row, asked, facts)
    else:
        _finish(session, row, _media(session, ctx, row, asked, facts))


def _finish(session: Session, row: UploadRow, media_id: str) -> None:
    media_library.finish_upload(session, row.id, media_id=media_id, segment_key=None)
    row.complete, row.media_id = True, media_id


def _segment(session: Session, ctx: Context, row: UploadRow, asked: UploadRequest) -> None:
    segment = SegmentRow(
        owner=row.owner,
        key=asked.segment_key,
        sha256=asked.sha256,
        size_bytes=row.size_bytes,
        created_at=ctx.now(),
        used_at=ctx.now(),
    )
    media_library.add_segment(session, segment)
    media_library.finish_upload(session, row.id, media_id=None, segment_key=asked.segment_key)
    row.complete, row.segment_key = True, asked.segment_key


def _media(
    session: Session,
    ctx: Context,
    row: UploadRow,
    asked: UploadRequest,
    facts: MediaFacts | None,
    clip_key: str | None = None,
) -> str:
    """The media row: the same bytes as the same kind are one row, and counted once."""
    kind = (asked.kind or MediaKind.CLIP).value
    same = media_library.media_by_sha256(session, row.owner, asked.sha256, kind)
    if same is not None and same.compilation_id == row.compilation_id and clip_key is None:
        quota_ledger.give_storage(session, row.owner, row.reserved_bytes)
        return same.id
    media = MediaRow(
        id=new_id("m"),
        owner=row.owner,
        kind=kind,
        filename=asked.filename,
        size_bytes=row.size_bytes,
        sha256=asked.sha256,
        facts=facts.model_dump(mode="json") if facts else None,
        clip_key=clip_key,
        compilation_id=row.compilation_id if asked.purpose is UploadPurpose.OUTPUT else None,
        created_at=ctx.now(),
    )
    media_library.add_media(session, media)
    return media.id


def _still(
    session: Session, ctx: Context, who: Principal, row: UploadRow, asked: UploadRequest
) -> None:
    """A picture of a clip that is about to come: it waits with the clip's row."""
    clip = revisions.clip(session, who.compilation_id, asked.clip_id or "")
    if clip is None:
        raise not_found("clip", asked.clip_id or "")
    clip.thumbnail_id = _media(session, ctx, row, asked, None)
    _finish(session, row, clip.thumbnail_id)


def _clip(
    session: Session,
    ctx: Context,
    who: Principal,
    row: UploadRow,
    asked: UploadRequest,
    facts: MediaFacts | None,
) -> None:
    """A fetched clip: the media row, the clips that waited for it, and the next step."""
    compilation = revisions.locked(session, who.compilation_id)
    clip = revisions.clip(session, who.compilation_id, asked.clip_id or "")
    if clip is None:
        raise not_found("clip", asked.clip_id or "")
    media_id = _fetched(session, ctx, row, asked, facts, clip)
    _finish(session, row, media_id)
    task_leases.unlock_fetch(session, clip.id)
    where = (who.compilation_id, who.generation, who.stage.value, asked.index)
    task_leases.finish(session, where, epoch=asked.epoch or 0, done=True, now=ctx.now())
    if revisions.ready(session, clip, media_id=media_id, reused=False):
        lifecycle.advance(session, ctx, compilation, clip.generation)


def _fetched(
    session: Session,
    ctx: Context,
    row: UploadRow,
    asked: UploadRequest,
    facts: MediaFacts | None,
    clip: ClipRow,
) -> str:
    """The media of the clip key: the first to come stays."""
    keys = [clip.clip_key] if clip.clip_key else []
    known = media_library.media_by_clip_keys(session, row.owner, keys)
    if known:
        quota_ledger.give_storage(session, row.owner, row.reserved_bytes)
        return known[str(clip.clip_key)].id
    media_id = _media(session, ctx, row, asked, facts, clip.clip_key)
    media_library.set_thumbnail(session, media_id, clip.thumbnail_id)
    return media_id
