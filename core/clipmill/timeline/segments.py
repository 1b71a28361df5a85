"""Split the timeline into segments, each named by a hash of everything that decides its content."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from clipmill.protocol import Profile, Segment, SourceRange, TimelineItem
from clipmill.spec import Curve, TransitionType
from clipmill.spec.base import Model
from clipmill.timeline.build import UNFETCHED, Timeline, subrange

# Part of every key. Raised when the same content would give other pixels or samples, or when the
# hashed fields change, so that older segments are not reused.
RENDERER = 8
# Equal bytes under another media id give equal pixels, so ids must not change the key. Within a
# JSON string its quotes would be escaped.
_MEDIA_ID = re.compile(r'"media_id":(null|"[^"]*"),?')


def split_into_segments(timeline: Timeline) -> tuple[Segment, ...]:
    """Return body and transition segments in order; their frames add up to the timeline's."""
    return tuple(
        _segment(timeline, list(part.sources), timeline.items[part.item] if part.overlaps else None)
        for part in _parts(timeline)
    )


class _Part(NamedTuple):
    """What a segment plays: the body of an item, or the transition into it."""

    item: int
    sources: Sequence[SourceRange]

    @property
    def overlaps(self) -> bool:
        return len(self.sources) > 1


def _parts(timeline: Timeline) -> Iterator[_Part]:
    overlaps = [item.overlap for item in timeline.items] + [0]
    for i, source in enumerate(timeline.sources):
        head, tail = overlaps[i], overlaps[i + 1]
        if head:
            previous = timeline.sources[i - 1]
            end_of_previous = subrange(previous, offset=previous.frames - head, frames=head)
            yield _Part(i, (end_of_previous, subrange(source, offset=0, frames=head)))
        if source.frames > head + tail:
            body = subrange(source, offset=head, frames=source.frames - head - tail)
            yield _Part(i, (body,))


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


def settled_segments(timeline: Timeline, segments: Sequence[Segment]) -> list[Segment]:
    """Return the segments that stay as they are, whatever the clips are that are not fetched yet.

    Args:
        timeline: An output in which clips may be `UNFETCHED`. Its profile must not depend on its
            length, as it does with a size limit.
        segments: All of its segments, in order.
    """
    return [
        segment
        for segment, part in zip(segments, _parts(timeline), strict=True)
        if not any(map(_is_unfetched, part.sources))
        and (part.overlaps or _has_settled_ends(timeline, part.item))
    ]


def _is_unfetched(source: SourceRange) -> bool:
    return source.sha256 == UNFETCHED.sha256


def _has_settled_ends(timeline: Timeline, i: int) -> bool:
    """Return whether nothing can change how much of an item its neighbours overlap.

    How far an overlap reaches depends on the length of both items, and a clip that cannot be
    fetched may leave the timeline, with what plays before it.
    """
    items, sources = timeline.items, timeline.sources
    if items[i].overlap and _is_unfetched(sources[i - 1]):
        return False
    for j in range(i + 1, len(items)):
        is_fetched = not _is_unfetched(sources[j])
        if items[j].overlap:
            return is_fetched and j == i + 1
        if is_fetched and items[j].kind == "clip":
            return True
    return True


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
