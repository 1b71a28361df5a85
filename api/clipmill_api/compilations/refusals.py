"""Why a compilation is not taken: each with its code, its field and its numbers."""

from __future__ import annotations

from clipmill.spec.source_urls import ForbiddenURL
from clipmill.timeline.build import InvalidTimeline
from clipmill_api.http.problem_details import ApiProblem


def forbidden_url(field: str, error: ForbiddenURL) -> ApiProblem:
    """The URL may not be fetched."""
    return ApiProblem(422, "ForbiddenURL", f"{field}: {error}", field=field)


def unknown_media(field: str, media_id: str) -> ApiProblem:
    """The library has no such media; somebody else's looks the same."""
    detail = f"{field}: your library has no media {media_id!r}"
    return ApiProblem(422, "UnknownMedia", detail, field=field)


def not_video(field: str, media_id: str) -> ApiProblem:
    """The media is no video that could be played."""
    detail = f"{field}: media {media_id!r} is no video"
    return ApiProblem(422, "UnknownMedia", detail, field=field)


def not_sound(field: str, media_id: str) -> ApiProblem:
    """The media has no sound that could be played."""
    detail = f"{field}: media {media_id!r} has no sound"
    return ApiProblem(422, "UnknownMedia", detail, field=field)


def not_image(field: str, media_id: str) -> ApiProblem:
    """The media cannot be drawn."""
    detail = f"{field}: media {media_id!r} is not of kind image"
    return ApiProblem(422, "UnknownMedia", detail, field=field)


def invalid_timeline(error: InvalidTimeline) -> ApiProblem:
    """Spec and media make no timeline."""
    return ApiProblem(422, "InvalidTimeline", str(error))


def too_many_clips(given: int, limit: int, tier: str) -> ApiProblem:
    """The tier allows fewer clips than are needed at least."""
    field = "spec.minimumClips"
    detail = f"{field} is {given}, but the tier {tier} allows {limit} clips"
    return ApiProblem(403, "TierLimit", detail, field=field, limit=limit, given=given)


def render_quota(estimated: int, remaining: int, limit: int, month: str) -> ApiProblem:
    """The month's render time does not suffice."""
    detail = (
        f"rendering takes {estimated}s, but only {remaining}s of the {limit}s of {month} are left"
    )
    return ApiProblem(
        403,
        "QuotaExceeded",
        detail,
        estimatedSeconds=estimated,
        remainingSeconds=remaining,
        limitSeconds=limit,
    )


def storage_quota(size: int, remaining: int, limit: int) -> ApiProblem:
    """The library is full."""
    detail = f"{size} bytes do not fit: {remaining} of your {limit} bytes are left"
    return ApiProblem(
        403,
        "StorageQuotaExceeded",
        detail,
        sizeBytes=size,
        remainingBytes=remaining,
        limitBytes=limit,
    )
