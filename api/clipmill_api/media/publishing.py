"""Publication of an upload as a segment, as a clip's media or thumbnail, or in the library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from clipmill.protocol import MediaKind, UploadPurpose, UploadRequest
from clipmill.protocol.upload_messages import excerpt_of, source_of
from clipmill_api.compilations import lifecycle
from clipmill_api.context import Context, new_id
from clipmill_api.database import Session
from clipmill_api.http.authentication import Principal
from clipmill_api.http.problem_details import not_found
from clipmill_api.media.inspection import Inspection
from clipmill_api.media.removals import removal
from clipmill_api.queries import (
    compilation_records,
    fetch_locks,
    media_library,
    quota_ledger,
    rendered_segments,
    revision_clips,
    task_leases,
    upload_records,
)
from clipmill_api.queries.tombstones import RemovalReason, add_tombstones
from clipmill_api.tables import ClipRow, MediaRow, SegmentRow, UploadRow
from clipmill_api.tasks import fetch_parts
from clipmill_api.tasks.excerpts import excerpt_key
from clipmill_api.tasks.leases import task_id_of


@dataclass(frozen=True, slots=True)
class Publication:
    """An inspected upload, in the transaction that completes it."""

    session: Session
    ctx: Context
    principal: Principal
    row: UploadRow
    request: UploadRequest
    inspection: Inspection


def publish(
    session: Session,
    ctx: Context,
    principal: Principal,
    row: UploadRow,
    inspection: Inspection,
) -> None:
    """Create what an upload was announced as, and mark the upload as complete."""
    request = UploadRequest.model_validate(row.request)
    publication = Publication(session, ctx, principal, row, request, inspection)
    if request.purpose is UploadPurpose.SEGMENT:
        _publish_segment(publication)
    elif request.purpose is UploadPurpose.CLIP and request.kind is MediaKind.THUMBNAIL:
        _publish_thumbnail(publication)
    elif request.purpose is UploadPurpose.CLIP:
        _publish_clip(publication)
    else:
        _complete(publication, _media_id(publication))


def _complete(publication: Publication, media_id: str) -> None:
    row = publication.row
    upload_records.mark_complete(publication.session, row.id, media_id=media_id, segment_key=None)
    row.complete, row.media_id = True, media_id


def _publish_segment(publication: Publication) -> None:
    session, row, request = publication.session, publication.row, publication.request
    now = publication.ctx.now()
    segment = SegmentRow(
        owner=row.owner,
        key=request.segment_key,
        sha256=request.sha256,
        size_bytes=row.size_bytes,
        created_at=now,
        used_at=now,
    )
    if not rendered_segments.add_segment(session, segment):
        _replace_or_keep_segment(publication, segment)
    upload_records.mark_complete(session, row.id, media_id=None, segment_key=request.segment_key)
    row.complete, row.segment_key = True, request.segment_key


def _replace_or_keep_segment(publication: Publication, segment: SegmentRow) -> None:
    """Keep the segment that was published first, unless it is lost or a job found it broken."""
    ctx, session = publication.ctx, publication.session
    first = rendered_segments.find_segment(session, segment.owner, segment.key)
    if first is None or first.sha256 == segment.sha256:
        return
    if publication.request.replaces == first.sha256:
        replaced = removal(ctx, RemovalReason.SEGMENT_REPLACED)
        add_tombstones(session, [(first.owner, first.sha256)], replaced)
    elif ctx.store.exists(first.owner, first.sha256, first.size_bytes):
        _mark_duplicate(publication)
        return
    first.sha256, first.size_bytes = segment.sha256, segment.size_bytes


def _mark_duplicate(publication: Publication) -> None:
    """Mark the bytes of an upload whose key has other bytes already."""
    duplicate = removal(publication.ctx, RemovalReason.UPLOAD_DUPLICATE)
    blob = (publication.row.owner, publication.request.sha256)
    add_tombstones(publication.session, [blob], duplicate)


def _media_id(
    publication: Publication, clip_key: str | None = None, excerpt_of: str | None = None
) -> str:
    """Return the id of a media row; the same bytes of the same kind are one row."""
    session, row, request = publication.session, publication.row, publication.request
    kind = (request.kind or MediaKind.CLIP).value
    same = media_library.find_by_sha256(session, row.owner, request.sha256, kind)
    compilation_id = row.compilation_id if request.purpose is UploadPurpose.OUTPUT else None
    if same is not None and same.compilation_id == compilation_id and clip_key is None:
        quota_ledger.release_storage(session, row.owner, row.reserved_bytes)
        if same.defect:
            same.facts, same.defect = _facts(publication), _defect(publication)
        return same.id
    media = MediaRow(
        id=new_id("m"),
        owner=row.owner,
        kind=kind,
        filename=request.filename,
        size_bytes=row.size_bytes,
        sha256=request.sha256,
        facts=_facts(publication),
        defect=_defect(publication),
        source=_source(publication) if clip_key else None,
        clip_key=clip_key,
        excerpt_of=excerpt_of,
        compilation_id=compilation_id,
        created_at=publication.ctx.now(),
    )
    media_library.add_media(session, media)
    return media.id


def _facts(publication: Publication) -> dict[str, Any] | None:
    facts = publication.inspection.facts
    if facts is None:
        return None
    # Known bytes come with the facts of another file.
    excerpt = excerpt_of(publication.request)
    return facts.model_copy(update={"excerpt": excerpt}).model_dump(mode="json")


def _defect(publication: Publication) -> dict[str, Any] | None:
    defect = publication.inspection.defect
    return defect.model_dump(mode="json") if defect else None


def _source(publication: Publication) -> dict[str, Any] | None:
    source = source_of(publication.request)
    return source.model_dump(mode="json", exclude_none=True) if source else None


def _clip(publication: Publication) -> ClipRow:
    clip_id = publication.request.clip_id or ""
    clip = revision_clips.find_clip(
        publication.session, publication.principal.compilation_id, clip_id
    )
    if clip is None:
        raise not_found("clip", clip_id)
    return clip


def _publish_thumbnail(publication: Publication) -> None:
    """Keep a thumbnail with the clip's row until the clip itself arrives."""
    clip = _clip(publication)
    clip.thumbnail_id = _media_id(publication)
    _complete(publication, clip.thumbnail_id)


def _publish_clip(publication: Publication) -> None:
    """Create a fetched clip's media, end its task, and give the media to all waiting clips."""
    session, principal = publication.session, publication.principal
    request = publication.request
    compilation = compilation_records.lock_compilation(session, principal.compilation_id)
    clip = _clip(publication)
    media_id = _fetched_media_id(publication, clip)
    _complete(publication, media_id)
    is_excerpt = excerpt_of(request) is not None
    is_marked = revision_clips.mark_ready(
        session, clip, media_id=media_id, reused=False, same_key=not is_excerpt
    )
    if is_excerpt and _mark_other_clips(publication, clip, media_id):
        # The task has other parts of the source to upload.
        lifecycle.advance_revision(session, publication.ctx, compilation, clip.generation)
        return
    fetch_locks.release_tasks(session, compilation.id, clip.generation, [request.index])
    task_id, now = task_id_of(principal, request.index), publication.ctx.now()
    task_leases.end_lease(session, task_id, epoch=request.epoch or 0, done=True, at=now)
    if is_marked:
        lifecycle.advance_revision(session, publication.ctx, compilation, clip.generation)


def _mark_other_clips(publication: Publication, clip: ClipRow, media_id: str) -> bool:
    """Give an excerpt to all clips that it covers. Return whether others still wait."""
    session = publication.session
    media = media_library.media_by_ids(session, publication.row.owner, [media_id])
    waiting = fetch_parts.waiting_clips(session, clip)
    return bool(fetch_parts.mark_covered(session, waiting, list(media.values()), reused=False))


def _fetched_media_id(publication: Publication, clip: ClipRow) -> str:
    """Return the id of a fetched clip's media; the first media of a clip key stays."""
    session, row = publication.session, publication.row
    key, source_key = _clip_keys(publication, clip)
    existing = media_library.media_by_clip_keys(session, row.owner, [key] if key else [])
    if existing:
        quota_ledger.release_storage(session, row.owner, row.reserved_bytes)
        _mark_duplicate(publication)
        return existing[str(key)].id
    media_id = _media_id(publication, key, source_key)
    media_library.set_thumbnail(session, media_id, clip.thumbnail_id)
    return media_id


def _clip_keys(publication: Publication, clip: ClipRow) -> tuple[str | None, str | None]:
    """Return the clip key of a fetched file, and of an excerpt that of its source."""
    excerpt, facts = excerpt_of(publication.request), publication.inspection.facts
    if excerpt is None or facts is None or clip.clip_key is None:
        return clip.clip_key, None
    return excerpt_key(clip.clip_key, facts, excerpt), clip.clip_key
