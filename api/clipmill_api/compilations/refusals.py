"""Why a spec is refused: problems with field, value and rule."""

from __future__ import annotations

from clipmill.protocol import MediaDefect
from clipmill.spec.source_urls import ForbiddenURL
from clipmill.timeline.build import InvalidTimeline
from clipmill_api.http.problem_details import ApiProblem


def forbidden_url(field: str, error: ForbiddenURL) -> ApiProblem:
    """Return the problem of a URL that must not be fetched."""
    return ApiProblem(422, "ForbiddenURL", f"{field}: {error}", field=field)


def unknown_media(field: str, media_id: str) -> ApiProblem:
    """Return the problem of a media id that does not exist or belongs to another owner."""
    return _unusable_media(field, f"{media_id!r} is not in the media library")


def not_video(field: str, media_id: str) -> ApiProblem:
    """Return the problem of a media file that is played but has no video."""
    return _unusable_media(field, f"media {media_id!r} has no video stream")


def not_audio(field: str, media_id: str) -> ApiProblem:
    """Return the problem of a media file that is used as music but has no audio."""
    return _unusable_media(field, f"media {media_id!r} has no audio stream")


def not_image(field: str, media_id: str, kind: str) -> ApiProblem:
    """Return the problem of a media file that is used as an image but is none."""
    return _unusable_media(field, f"media {media_id!r} is of kind {kind}; image is required")


def broken(field: str, media_id: str, defect: MediaDefect) -> ApiProblem:
    """Return the problem of a media file that is broken, where it is not a clip."""
    return _unusable_media(field, f"media {media_id!r} is broken: {defect.message}")


def _unusable_media(field: str, rule: str) -> ApiProblem:
    return ApiProblem(422, "UnknownMedia", f"{field}: {rule}", field=field)


def invalid_timeline(error: InvalidTimeline) -> ApiProblem:
    """Return the problem of a spec that has no timeline."""
    return ApiProblem(422, "InvalidTimeline", str(error))
