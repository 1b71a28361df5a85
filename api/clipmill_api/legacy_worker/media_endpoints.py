"""E3, E4, E13, E15: media files of the key's owner."""

from __future__ import annotations

from fractions import Fraction

from sqlalchemy.orm import Session

from clipmill.protocol import MediaKind
from clipmill.spec.source_urls import ForbiddenURL, clip_key
from clipmill_api.compilations import admission, planning, refusals
from clipmill_api.context import Context, new_id
from clipmill_api.http.authentication import Principal
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.legacy_worker.models import (
    ContextMedia,
    MediaBatch,
    MediaCreate,
    MediaCreated,
    MediaMetadata,
    Reuse,
)
from clipmill_api.queries import media_library
from clipmill_api.tables import MediaRow


def own_media(session: Session, who: Principal, media_id: str) -> MediaRow:
    row = media_library.media(session, who.owner, media_id)
    if row is None:
        raise not_found("media", media_id)
    return row


def media_metadata(session: Session, who: Principal, media_id: str) -> MediaMetadata:
    """E3."""
    row = own_media(session, who, media_id)
    return MediaMetadata(
        id=row.id,
        filename=row.filename,
        media_type=MediaKind(row.kind),
        duration=duration_s(row),
        user_id=row.owner,
        username=row.owner,
    )


def create_media(
    session: Session, ctx: Context, who: Principal, given: MediaCreate
) -> MediaCreated:
    """E4: another row for bytes that are here, sized by us; a repeat gives the same row."""
    kind = given.media_type.value
    same = media_library.media_by_sha256(session, who.owner, given.sha256, kind)
    if same is not None:
        return MediaCreated(status="existing", media_id=same.id)
    held = media_library.any_by_sha256(session, who.owner, given.sha256)
    if held is None:
        detail = f"sha256: no bytes {given.sha256} of yours are here; upload them first"
        raise ApiProblem(422, "UnknownMedia", detail, field="sha256")
    row = MediaRow(
        id=new_id("m"),
        owner=who.owner,
        kind=kind,
        filename=given.filename,
        size_bytes=held.size_bytes,
        sha256=held.sha256,
        facts=held.facts,
        created_at=ctx.now(),
    )
    admission.take_storage(session, who.owner, row.size_bytes)
    media_library.add_media(session, row)
    return MediaCreated(status="created", media_id=row.id)


def find_reusable(session: Session, who: Principal, source_url: str) -> Reuse:
    """E13: by the indexed clip key of this owner."""
    try:
        key = clip_key(source_url)
    except ForbiddenURL as error:
        raise refusals.forbidden_url("source_url", error) from None
    row = media_library.media_by_clip_keys(session, who.owner, [key]).get(key)
    if row is None:
        return Reuse(found=False, clip_key=key)
    return Reuse(found=True, media_file_id=row.id, duration=duration_s(row), clip_key=key)


def media_batch(session: Session, who: Principal, ids: list[str]) -> MediaBatch:
    """E15: in the order asked."""
    found = media_library.media_by_ids(session, who.owner, ids)
    files = [context_media(found[media_id]) for media_id in ids if media_id in found]
    return MediaBatch(media_files=files, missing=[i for i in ids if i not in found])


def context_media(row: MediaRow) -> ContextMedia:
    facts = planning.facts(row)
    return ContextMedia(
        id=row.id,
        media_type=MediaKind(row.kind),
        duration=duration_s(row),
        width=facts.width if facts else None,
        height=facts.height if facts else None,
        framerate=float(Fraction(facts.rate)) if facts and facts.rate else None,
    )


def duration_s(row: MediaRow | None) -> float | None:
    facts = planning.facts(row) if row else None
    return facts.duration_us / 1e6 if facts else None
