"""E1 and E2: clips of the key's compilation."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from clipmill.protocol import ClipState, Stage, TaskFailure
from clipmill_api.compilations import lifecycle, refusals
from clipmill_api.context import Context
from clipmill_api.database import Session
from clipmill_api.http.authentication import Principal
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.legacy_worker import generation_media
from clipmill_api.legacy_worker.clip_models import ClipMetadata, ClipUpdate
from clipmill_api.legacy_worker.media_endpoints import duration_s
from clipmill_api.queries import compilation_records, fetch_locks, revision_clips
from clipmill_api.tables import ClipRow

# Platforms by the prefix of a clip key.
PLATFORMS = {"twitch": "twitch", "twitch-vod": "twitch", "youtube": "youtube"}
DISCORD_HOSTS = ("cdn.discordapp.com", "media.discordapp.net")
DURATION_TOLERANCE_S = 1


class ClipSource(NamedTuple):
    """Where a clip comes from."""

    platform: str
    id: str | None = None


def clip_source(clip: ClipRow) -> ClipSource:
    """Return the platform of a clip and the clip's id there."""
    if clip.url is None:
        return ClipSource("library")
    prefix, _, source_id = (clip.clip_key or "").partition(":")
    if prefix in PLATFORMS:
        return ClipSource(PLATFORMS[prefix], source_id)
    url = urlsplit(clip.url)
    if url.hostname in DISCORD_HOSTS:
        return ClipSource("discord", _attachment_id(url.path))
    return ClipSource("external")


def _attachment_id(path: str) -> str | None:
    """Return the id in `/attachments/{channel}/{attachment}/{file name}`."""
    steps = path.strip("/").split("/")
    return steps[2] if len(steps) == 4 and steps[0].endswith("attachments") else None


def _clip(session: Session, principal: Principal, clip_id: str) -> ClipRow:
    clip = revision_clips.find_clip(session, principal.compilation_id, clip_id)
    if clip is None or clip.generation != principal.generation:
        raise not_found("clip", clip_id)
    task = principal.task if principal.stage is Stage.FETCH else None
    if task is not None and clip.task_index != task.index:
        raise not_found("clip", clip_id)
    return clip


def clip_metadata(session: Session, principal: Principal, clip_id: str) -> ClipMetadata:
    """Return what a download needs to know of a clip (E1)."""
    clip = _clip(session, principal, clip_id)
    compilation = compilation_records.find_compilation(
        session, principal.owner, principal.compilation_id
    )
    source = clip_source(clip)
    return ClipMetadata.model_validate(
        {
            "id": clip.id,
            "title": clip.title,
            "source_url": clip.url,
            "source_platform": source.platform,
            "source_id": source.id,
            "project_id": principal.compilation_id,
            "user_id": principal.owner,
            "username": principal.owner,
            "project_name": compilation.name if compilation else "",
        }
    )


def update_clip(
    session: Session, ctx: Context, principal: Principal, clip_id: str, update: ClipUpdate
) -> None:
    """Give a clip its media, or skip it (E2). Repeating an update changes nothing.

    Raises:
        ApiProblem: 403 with the key of another stage, 409 if the clip is in another state
            already, 422 if the length is wrong.
    """
    generation_media.require_stage(principal, Stage.FETCH)
    compilation = compilation_records.lock_compilation(session, principal.compilation_id)
    clip = _clip(session, principal, clip_id)
    if update.error is not None:
        _require(clip, "error", update.error, clip.state != ClipState.READY)
        failure = TaskFailure(code="FetchFailed", message=update.error)
        lifecycle.skip_clip(session, ctx, compilation, clip, failure)
    elif update.media_file_id is not None:
        media = generation_media.require_media(session, principal, update.media_file_id)
        _refuse_wrong_length(update, duration_s(media))
        accepts = clip.state == ClipState.WAITING or clip.media_id == media.id
        _require(clip, "media_file_id", media.id, accepts)
        if revision_clips.mark_ready(
            session, clip, media_id=media.id, reused=False, same_key=False
        ):
            lifecycle.advance_revision(session, ctx, compilation, clip.generation)
    elif update.is_downloaded is not None:
        is_ready = clip.state == ClipState.READY
        _require(clip, "is_downloaded", update.is_downloaded, update.is_downloaded == is_ready)
    if update.error is not None or update.media_file_id is not None:
        fetch_locks.release(session, clip.id)


def _require(clip: ClipRow, field: str, value: object, accepts: bool) -> None:
    """Refuse a value that contradicts the state of a clip. Raises 409."""
    if not accepts:
        detail = f"{field}: {value!r} contradicts the clip's state, {clip.state}"
        raise ApiProblem(409, "StateConflict", detail, field=field, state=clip.state)


def _refuse_wrong_length(update: ClipUpdate, measured_s: float | None) -> None:
    """Refuse a length that differs from the measured one. Raises 422."""
    if measured_s is None:
        raise refusals.not_video("media_file_id", update.media_file_id or "")
    if update.duration is not None and abs(update.duration - measured_s) > DURATION_TOLERANCE_S:
        detail = (
            f"duration: {update.duration} differs by more than {DURATION_TOLERANCE_S} s from the"
            f" media's measured {measured_s:.3f} s"
        )
        raise ApiProblem(422, "Invalid", detail, field="duration")
