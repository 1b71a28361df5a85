"""Find the clips that are the cause of segments that cannot be rendered.

A clip is the cause if its pictures are damaged, or if its part of the segment cannot be rendered on
its own, in the form of a black frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from clipmill.protocol import OutputAssignment, Profile, Segment, SourceRange, UnplayableClip
from clipmill.protocol.result_record import PlayedItem
from clipmill_client.errors import ClientError
from clipmill_job.assembling.item_names import played_items
from clipmill_job.assembling.segment_form import (
    BLACK_FRAME,
    SegmentForm,
    read_header,
)
from clipmill_job.errors import ClipsUnplayable, SegmentFailure, SegmentsFailed
from clipmill_job.rendering.damage_check import DAMAGED
from clipmill_job.rendering.segment_rendering import RenderProgress, render_segments
from clipmill_job.task_context import TaskContext

# Of segments that are rendered for the diagnosis only, and never uploaded.
KEY = "d" * 64


def error_of_clips(
    context: TaskContext, outputs: Sequence[OutputAssignment], error: SegmentsFailed
) -> ClientError:
    """Return the error to end a task with: the clips that are the cause, else the given error.

    Args:
        context: The task's.
        outputs: Its outputs, whose records name the clips.
        error: The segments that failed.
    """
    clips: dict[str, UnplayableClip] = {}
    for failure in error.failures:
        items = list(_causes(context, outputs, failure))
        if not items or any(item.kind != "clip" for item in items):
            return error
        for item in items:
            clips.setdefault(item.name, _unplayable(item.name, failure.error))
    for clip in clips.values():
        context.heartbeat.report(0, f"clip {clip.name} cannot be rendered: {clip.message}"[:300])
    return ClipsUnplayable(list(clips.values()))


def _unplayable(name: str, error: ClientError) -> UnplayableClip:
    message = str(error.__cause__ or error)[:500]
    if error.code == DAMAGED:
        return UnplayableClip(name=name, code=DAMAGED, message=message)
    return UnplayableClip(name=name, message=message)


def _causes(
    context: TaskContext, outputs: Sequence[OutputAssignment], failure: SegmentFailure
) -> Iterator[PlayedItem]:
    """Yield the items, wherever they play, whose sources cannot be rendered."""
    broken = failure.error.facts.get("sources")
    if broken is None:
        broken = _unrendered_sources(context, failure.segment)
    for segment, items in played_items(outputs):
        if segment.key == failure.segment.key and len(items) == len(segment.sources):
            yield from (items[i] for i in broken)


def _unrendered_sources(context: TaskContext, segment: Segment) -> list[int]:
    """Return the positions of a segment's sources that cannot be rendered on their own."""
    sources, profile = segment.sources, segment.profile
    form = _rendered_form(context, BLACK_FRAME, profile)
    if form is None:
        return []
    return [
        i
        for i, source in enumerate(sources)
        if source.media_id and _rendered_form(context, source, profile) != form
    ]


def _rendered_form(
    context: TaskContext, source: SourceRange, profile: Profile
) -> SegmentForm | None:
    """Return the form of a part of a source without what is shown over it; None if it fails."""
    bare = source.model_copy(update={"layers": []})
    segment = Segment(key=KEY, sources=[bare], profile=profile)
    rendered: list[Path] = []
    progress = RenderProgress(context.heartbeat, [segment], share=0.0)
    try:
        render_segments(
            context, [segment], then=lambda _, path: rendered.append(path), progress=progress
        )
    except SegmentsFailed:
        return None
    header = read_header(rendered[0])
    return header.form if header and header.is_of(segment) else None
