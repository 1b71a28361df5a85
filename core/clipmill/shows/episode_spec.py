"""Write the spec of an episode's Compilation: the template with parameters, and the clips."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from clipmill.shows.candidates import ClipCandidate
from clipmill.shows.cron_schedule import time_zone
from clipmill.shows.selection import creator_of
from clipmill.shows.show_spec import Approval, ShowSpec
from clipmill.shows.template_texts import fill_template
from clipmill.spec.base import parse_duration
from clipmill.spec.clip import Clip
from clipmill.spec.compilation import CompilationSpec
from clipmill.spec.output import Quality
from clipmill.spec.picture import ClipCredit

# Not by `calendar`, whose names follow the locale of the machine.
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def build_episode_spec(
    show: ShowSpec,
    taken: Sequence[ClipCandidate],
    *,
    show_name: str,
    number: int,
    scheduled_at: datetime,
) -> CompilationSpec:
    """Return the spec of an episode's Compilation, without an owner.

    Args:
        show: The show.
        taken: The selected clips in playing order, at least one.
        show_name: Name of the show.
        number: Number of the episode.
        scheduled_at: Its scheduled time.

    Raises:
        ValueError: The filled template is not valid with these clips.
    """
    values = built_in_values(
        show, show_name=show_name, number=number, scheduled_at=scheduled_at, clips=len(taken)
    )
    template = fill_template(show.template, {**show.parameters, **values})
    fields: dict[str, Any] = template.model_dump(by_alias=True, exclude_unset=True)
    if longest := _longest_part(show):
        fields["maxClipDuration"] = longest
    if show.notify:
        fields.setdefault("notify", list(show.notify))
    if show.approval is Approval.REQUIRED:
        fields["quality"] = Quality.DRAFT
    return CompilationSpec.model_validate({**fields, "clips": [_clip(c) for c in taken]})


def built_in_values(
    show: ShowSpec, *, show_name: str, number: int, scheduled_at: datetime, clips: int
) -> dict[str, str]:
    """Return the values of the built-in parameters, by the scheduled time in the show's zone."""
    local = scheduled_at.astimezone(time_zone(show.time_zone))
    return {
        "show": show_name,
        "number": str(number),
        "date": f"{local:%Y-%m-%d}",
        "year": str(local.year),
        "month": _MONTHS[local.month - 1],
        "week": str(local.isocalendar().week),
        "clips": str(clips),
    }


def _longest_part(show: ShowSpec) -> str | None:
    """Return the shorter of the limits of template and selection."""
    limits = (show.template.max_clip_duration, show.select.clip_duration)
    return min(filter(None, limits), key=parse_duration, default=None)


def _clip(candidate: ClipCandidate) -> Clip:
    creator, game = creator_of(candidate), candidate.game
    return Clip(
        url=None if candidate.media_id else candidate.url,
        media_id=candidate.media_id,
        title=(candidate.title or "").strip() or None,
        credit=ClipCredit(creator=creator, game=game) if creator or game else None,
    )
