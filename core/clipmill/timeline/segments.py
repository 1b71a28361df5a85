"""Split the timeline into segments, each named by a hash of everything that decides its content."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from clipmill.protocol import Profile, Segment, SourceRange, TimelineItem
from clipmill.spec import Curve, TransitionType
from clipmill.spec.base import Model
from clipmill.timeline.build import Timeline, subrange

# Part of every key. Raised when the same content would give other pixels or samples, or when the
# hashed fields change, so that older segments are not reused.
RENDERER = 8
# Equal bytes under another media id give equal pixels, so ids must not change the key. Within a
# JSON string its quotes would be escaped.
_MEDIA_ID = re.compile(r'"media_id":(null|"[^"]*"),?')


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
    transition = item.transition if item else TransitionType.NONE
    curve = item.curve if item else Curve.EQUAL_POWER
    shared = (timeline.profile, timeline.watermark)
    return Segment(
        key=_content_key(transition, curve, (*shared, *sources)),
        sources=sources,
        transition=transition,
        curve=curve,
        profile=timeline.profile,
        watermark=timeline.watermark,
    )


def with_profile(segment: Segment, profile: Profile) -> Segment:
    """Return the same segment with another encoding, under its own key."""
    content = (profile, segment.watermark, *segment.sources)
    key = _content_key(segment.transition, segment.curve, content)
    return segment.model_copy(update={"profile": profile, "key": key})


def _content_key(transition: TransitionType, curve: Curve, models: Iterable[Model | None]) -> str:
    # JSON has no line feeds, so the lines are unambiguous.
    lines = [str(RENDERER), transition.value, curve.value]
    lines += [_MEDIA_ID.sub("", model.model_dump_json()) if model else "" for model in models]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
