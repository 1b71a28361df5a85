"""Media files that a job may name: those of its generation, and those it has uploaded."""

from __future__ import annotations

from collections.abc import Collection

from clipmill.protocol import Stage
from clipmill_api.compilations import resolution
from clipmill_api.database import Session
from clipmill_api.http.authentication import Principal
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.queries import compilation_records, media_library
from clipmill_api.tables import MediaRow


def require_stage(principal: Principal, stage: Stage) -> None:
    """Refuse a key of another stage. Raises 403."""
    if principal.stage is not stage:
        detail = f"the key belongs to the stage {principal.stage}; this requires {stage}"
        raise ApiProblem(403, "Forbidden", detail)


def generation_media(
    session: Session, principal: Principal, ids: Collection[str]
) -> dict[str, MediaRow]:
    """Return those of the media files that belong to the key's generation, by id.

    They are what the spec names, what its clips' URLs were fetched as, what the compilation's
    jobs have uploaded, and the same bytes as media of another kind.
    """
    media = media_library.media_by_ids(session, principal.owner, ids)
    contents, clip_keys = generation_contents(session, principal)
    return {
        id_: row
        for id_, row in media.items()
        if row.sha256 in contents or row.clip_key in clip_keys
    }


def require_media(session: Session, principal: Principal, media_id: str) -> MediaRow:
    """Return a media file of the key's generation. Raises 404."""
    media = generation_media(session, principal, [media_id]).get(media_id)
    if media is None:
        raise not_found("media", media_id)
    return media


def generation_contents(session: Session, principal: Principal) -> tuple[set[str], set[str]]:
    """Return the hashes of the content, and the clip keys, of the key's generation."""
    compilation = compilation_records.find_compilation(
        session, principal.owner, principal.compilation_id
    )
    if compilation is None:
        return set(), set()
    resolved = resolution.load_resolved_spec(session, compilation, principal.generation)
    contents = {media.sha256 for media in resolved.media.values()}
    contents |= media_library.uploaded_contents(session, principal.owner, compilation.id)
    return contents, {clip.clip_key for clip in resolved.clips if clip.clip_key}
