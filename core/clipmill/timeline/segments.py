"""Split the timeline into segments, each named by a hash of everything that decides its content."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from clipmill.protocol import Profile, Segment, SourceRange, TimelineItem
from clipmill.spec import Curve, TransitionType
from clipmill.timeline.build import Timeline, subrange

# Part of every key. Raised when the same content would give other pixels or samples, or when the
# hashed fields change, so that older segments are not reused.
RENDERER = 8
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
_NESTED = (dict, list)


def split_into_segments(timeline: Timeline) -> tuple[Segment, ...]:
    """Return body and transition segments in order; their frames add up to the timeline's."""
    segments: list[Segment] = []
    overlaps = [item.overlap for item in timeline.items] + [0]
    for i, source in enumerate(timeline.sources):
        head, tail = overlaps[i], overlaps[i + 1]
        if head:
            previous = timeline.sources[i - 1]
            end_of_previous = subrange(previous, offset=previous.frames - head, frames=head)
            pair = [end_of_previous, subrange(source, offset=0, frames=head)]
            segments.append(_segment(timeline, pair, timeline.items[i]))
        if source.frames > head + tail:
            body = subrange(source, offset=head, frames=source.frames - head - tail)
            segments.append(_segment(timeline, [body]))
    return tuple(segments)


def _segment(
    timeline: Timeline, sources: list[SourceRange], item: TimelineItem | None = None
) -> Segment:
    return with_content_key(
        Segment(
            key="0" * 64,
            sources=sources,
            transition=item.transition if item else TransitionType.NONE,
            curve=item.curve if item else Curve.EQUAL_POWER,
            profile=timeline.profile,
            watermark=timeline.watermark,
        )
    )


def with_content_key(segment: Segment) -> Segment:
    """Return the segment with the key that follows from its content."""
    content = {"renderer": RENDERER, **segment.model_dump(mode="json", exclude={"key"})}
    canonical = _CANONICAL.encode(_without_media_ids(content))
    return segment.model_copy(update={"key": hashlib.sha256(canonical.encode()).hexdigest()})


def with_profile(segment: Segment, profile: Profile) -> Segment:
    """Return the same segment with another encoding, under its own key."""
    return with_content_key(segment.model_copy(update={"profile": profile}))


def _without_media_ids(content: Any) -> Any:
    # Equal bytes under another media id give equal pixels, so ids must not change the key.
    if isinstance(content, dict):
        return {
            name: _without_media_ids(value) if isinstance(value, _NESTED) else value
            for name, value in content.items()
            if name != "media_id"
        }
    if isinstance(content, list):
        return [_without_media_ids(value) for value in content]
    return content
