"""The timeline falls into segments, each named by a hash of all that decides pixels and samples."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from clipmill.protocol import Profile, Segment, SourceRange, TimelineItem
from clipmill.spec import Curve, TransitionType
from clipmill.timeline.build import Timeline, subrange

RENDERER = 3
"""Raised whenever the same order would give other pixels or samples, so that old segments go."""


def split_into_segments(timeline: Timeline) -> tuple[Segment, ...]:
    """Bodies and seams in order; their frames add up to the timeline's."""
    found: list[Segment] = []
    overlaps = [entry.overlap for entry in timeline.items]
    for i, cut in enumerate(timeline.sources):
        head, tail = overlaps[i], overlaps[i + 1] if i + 1 < len(overlaps) else 0
        if head:
            before = timeline.sources[i - 1]
            end_of_before = subrange(before, offset=before.frames - head, frames=head)
            pair = [end_of_before, subrange(cut, offset=0, frames=head)]
            found.append(_segment(timeline, pair, timeline.items[i]))
        if cut.frames > head + tail:
            body = subrange(cut, offset=head, frames=cut.frames - head - tail)
            found.append(_segment(timeline, [body]))
    return tuple(found)


def _segment(
    timeline: Timeline, cuts: list[SourceRange], entered: TimelineItem | None = None
) -> Segment:
    return with_content_key(
        Segment(
            key="0" * 64,
            sources=cuts,
            transition=entered.transition if entered else TransitionType.NONE,
            curve=entered.curve if entered else Curve.EQUAL_POWER,
            profile=timeline.profile,
            watermark=timeline.watermark,
        )
    )


def with_content_key(segment: Segment) -> Segment:
    """The segment under the key of its content."""
    content = {"renderer": RENDERER, **segment.model_dump(mode="json", exclude={"key"})}
    canonical = json.dumps(_nameless(content), sort_keys=True, separators=(",", ":"))
    return segment.model_copy(update={"key": hashlib.sha256(canonical.encode()).hexdigest()})


def with_profile(segment: Segment, form: Profile) -> Segment:
    """The same segment in another form, under its own key."""
    return with_content_key(segment.model_copy(update={"profile": form}))


def _nameless(content: Any) -> Any:
    """Without ids of media rows: the same bytes under another id give the same pixels."""
    if isinstance(content, dict):
        return {name: _nameless(part) for name, part in content.items() if name != "media_id"}
    return [_nameless(part) for part in content] if isinstance(content, list) else content
