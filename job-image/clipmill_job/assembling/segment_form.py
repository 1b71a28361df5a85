"""Make sure that segments can be joined: one form, and that of their profile.

Segments are equal by construction. One that was rendered by another build of ffmpeg, or from a
source that leaves its mark in the encoding, is found here, before the join, and rendered again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av

from clipmill.ffmpeg.segment_args import segment_args
from clipmill.protocol import OutputAssignment, Profile, Segment, SourceRange
from clipmill_client.errors import PermanentError
from clipmill_job.assembling.item_names import item_names
from clipmill_job.assembling.join import SegmentFile
from clipmill_job.assembling.segment_files import SegmentFiles
from clipmill_job.rendering.segment_rendering import RenderProgress, render_segments
from clipmill_job.task_context import TaskContext

# Matrix, primaries and transfer of BT.709, and limited range.
BT709_TAGS = (1, 1, 1, 1)
BLACK_FRAME = SourceRange(media_id=None, sha256="", format="", has_audio=False, start=0, frames=1)


class SegmentForm(NamedTuple):
    """What has to be equal for segments to be joined by copying packets."""

    parameter_sets: bytes | None
    time_base: Fraction | None
    tags: tuple[int, int, int, int]


def read_form(path: Path) -> SegmentForm | None:
    """Return the form of a segment's file; None if it cannot be read."""
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            context = stream.codec_context
            tags = (
                context.colorspace,
                context.color_primaries,
                context.color_trc,
                context.color_range,
            )
            return SegmentForm(context.extradata, stream.time_base, tags)
    except (av.FFmpegError, IndexError):
        return None


def ensure_one_form(
    context: TaskContext,
    output: OutputAssignment,
    segments: Sequence[SegmentFile],
    files: SegmentFiles,
) -> list[SegmentFile]:
    """Return the segments with files of one form; those of another are rendered again, once.

    Args:
        context: The task's.
        output: The output, whose record names the items.
        segments: Its segments in order.
        files: Gets the segments that are rendered again.

    Raises:
        PermanentError: A segment has another form after rendering, too. The message names its item.
    """
    forms = {read_form(path) for path in {path for _, path in segments}}
    if len(forms) == 1 and (form := forms.pop()) is not None and form.tags == BT709_TAGS:
        return list(segments)
    expected = _expected_form(context, segments[0].segment.profile)
    wrong = _of_another_form(segments, expected)
    names = item_names([output])
    line = f"{output.name}: {_names(names, wrong)}: another form, rendering again"
    context.heartbeat.report(0, line[:300])
    progress = RenderProgress(context.heartbeat, wrong, share=0.0)
    render_segments(context, wrong, then=files.add_rendered, progress=progress, names=names)
    segments = files.files([segment for segment, _ in segments])
    if wrong := _of_another_form(segments, expected):
        problem = "rendered with other parameter sets than those of the profile"
        raise PermanentError("BrokenSegment", f"{_names(names, wrong)}: {problem}")
    return segments


def _names(names: Mapping[str, str], segments: Sequence[Segment]) -> str:
    return ", ".join(dict.fromkeys(names.get(segment.key, "a segment") for segment in segments))


def _expected_form(context: TaskContext, profile: Profile) -> SegmentForm | None:
    """Return the form of a black frame in this profile."""
    segment = Segment(key="0" * 64, sources=[BLACK_FRAME], profile=profile)
    path = context.scratch / "black-frame.mov"
    context.run_ffmpeg(segment_args(segment, [None], str(path)), frames=segment.frames)
    return read_form(path)


def _of_another_form(
    segments: Sequence[SegmentFile], expected: SegmentForm | None
) -> list[Segment]:
    """Return each segment once whose file is not of the expected form."""
    unique = {segment.key: (segment, path) for segment, path in segments}
    return [segment for segment, path in unique.values() if read_form(path) != expected]
