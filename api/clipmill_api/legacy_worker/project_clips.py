"""From the rows of a generation's clips to those of E8 and E14."""

from __future__ import annotations

from typing import Any

from clipmill.protocol import ClipState
from clipmill.spec import Transition, TransitionType
from clipmill_api.compilations.plan_models import ResolvedSpec
from clipmill_api.legacy_worker.media_endpoints import duration_s, media_properties
from clipmill_api.legacy_worker.project_models import ContextClip, ProjectClip, ProjectTransition
from clipmill_api.legacy_worker.project_settings import optional_s, overlays
from clipmill_api.tables import ClipRow


def of_metadata(resolved: ResolvedSpec) -> list[ProjectClip]:
    """Return the clips of E8, in the order of the spec."""
    lengths_s = {media_id: duration_s(media) for media_id, media in resolved.media.items()}
    return [
        ProjectClip(
            **_fields(resolved, row),
            media_file_id=row.media_id,
            duration=lengths_s.get(row.media_id or ""),
        )
        for row in resolved.clips
    ]


def of_context(resolved: ResolvedSpec) -> list[ContextClip]:
    """Return the clips of E14, in the order of the spec."""
    media = {media_id: media_properties(row) for media_id, row in resolved.media.items()}
    return [
        ContextClip(**_fields(resolved, row), media_file=media.get(row.media_id or ""))
        for row in resolved.clips
    ]


def _fields(resolved: ResolvedSpec, row: ClipRow) -> dict[str, Any]:
    clip = resolved.spec.clips[row.position]
    credit = clip.credit
    return {
        "id": row.id,
        "title": row.title,
        "order_index": row.position,
        "start_time": optional_s(clip.start),
        "end_time": optional_s(clip.end),
        "is_downloaded": row.state == ClipState.READY,
        "creator_name": credit.creator if credit else None,
        "game_name": credit.game if credit else None,
        "avatar_media_id": credit.avatar if credit else None,
        "transition": _transition(clip.transition),
        "overlays": overlays(clip.overlays),
    }


def _transition(transition: Transition | None) -> ProjectTransition | None:
    if transition is None or transition.type is TransitionType.NONE:
        return None
    return ProjectTransition(
        type=transition.type,
        duration=optional_s(transition.duration) or 0,
        audio_curve=transition.curve,
    )
