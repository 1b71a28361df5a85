"""E3, E4, E13 and E15: media files of the key's generation."""

from __future__ import annotations

from fractions import Fraction

from clipmill.protocol import MediaKind, Stage
from clipmill.spec.source_urls import ForbiddenURL, clip_key
from clipmill_api.accounts import quota_checks
from clipmill_api.compilations import media_sources, refusals
from clipmill_api.context import Context, new_id
from clipmill_api.database import Session
from clipmill_api.http.authentication import Principal
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.legacy_worker import generation_media
from clipmill_api.legacy_worker.media_models import (
    MediaBatch,
    MediaCreate,
    MediaCreated,
    MediaMetadata,
    MediaProperties,
    ReusableMedia,
)
from clipmill_api.queries import media_library
from clipmill_api.tables import MediaRow


def media_metadata(session: Session, principal: Principal, media_id: str) -> MediaMetadata:
    """Return a media file (E3)."""
    media = generation_media.require_media(session, principal, media_id)
    return MediaMetadata(
        id=media.id,
        filename=media.filename,
        media_type=MediaKind(media.kind),
        duration=duration_s(media),
        user_id=media.owner,
        username=media.owner,
    )


def create_media(
    session: Session, ctx: Context, principal: Principal, request: MediaCreate
) -> MediaCreated:
    """Create a media row for bytes of the key's generation (E4).

    Size and facts are those that the API measured. The same request again returns the same row.

    Raises:
        ApiProblem: 422 if the generation has no such bytes, 403 if the storage quota is exceeded.
    """
    generation_media.require_stage(principal, Stage.FETCH)
    owner, kind = principal.owner, request.media_type.value
    if request.sha256 not in generation_media.generation_contents(session, principal)[0]:
        raise _unknown_content(principal, request.sha256)
    existing = media_library.find_by_sha256(session, owner, request.sha256, kind)
    if existing is not None:
        return MediaCreated(status="existing", media_id=existing.id)
    uploaded = media_library.find_by_sha256(session, owner, request.sha256)
    if uploaded is None:
        raise _unknown_content(principal, request.sha256)
    media = MediaRow(
        id=new_id("m"),
        owner=owner,
        kind=kind,
        filename=request.filename,
        size_bytes=uploaded.size_bytes,
        sha256=uploaded.sha256,
        facts=uploaded.facts,
        created_at=ctx.now(),
    )
    quota_checks.reserve_storage(session, ctx, owner, media.size_bytes)
    media_library.add_media(session, media)
    return MediaCreated(status="created", media_id=media.id)


def _unknown_content(principal: Principal, sha256: str) -> ApiProblem:
    detail = f"sha256: no media file of {principal.compilation_id} has the SHA-256 {sha256}"
    return ApiProblem(422, "UnknownMedia", detail, field="sha256")


def find_reusable(session: Session, principal: Principal, source_url: str) -> ReusableMedia:
    """Find media of the same clip by its indexed clip key (E13)."""
    try:
        key = clip_key(source_url)
    except ForbiddenURL as error:
        raise refusals.forbidden_url("source_url", error) from None
    is_own = key in generation_media.generation_contents(session, principal)[1]
    keys = [key] if is_own else []
    media = media_library.media_by_clip_keys(session, principal.owner, keys).get(key)
    if media is None:
        return ReusableMedia(found=False, clip_key=key)
    return ReusableMedia(
        found=True, media_file_id=media.id, duration=duration_s(media), clip_key=key
    )


def media_batch(session: Session, principal: Principal, ids: list[str]) -> MediaBatch:
    """Return several media files in the order of the ids (E15)."""
    media = generation_media.generation_media(session, principal, ids)
    files = [media_properties(media[media_id]) for media_id in ids if media_id in media]
    return MediaBatch(media_files=files, missing=[i for i in ids if i not in media])


def media_properties(media: MediaRow) -> MediaProperties:
    """Return what E14 and E15 say of a media file."""
    facts = media_sources.media_facts(media)
    return MediaProperties(
        id=media.id,
        media_type=MediaKind(media.kind),
        duration=facts.duration_us / 1e6 if facts else None,
        width=facts.width if facts else None,
        height=facts.height if facts else None,
        framerate=float(Fraction(facts.rate)) if facts and facts.rate else None,
    )


def duration_s(media: MediaRow | None) -> float | None:
    """Return the measured length of a media file in seconds."""
    facts = media_sources.media_facts(media) if media else None
    return facts.duration_us / 1e6 if facts else None
