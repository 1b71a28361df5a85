"""Render an output's segments again at a lower bit rate, since the finished file is too large."""

from __future__ import annotations

from collections.abc import Sequence

from clipmill.protocol import OutputAssignment, Profile
from clipmill.timeline.bitrates import MIN_VIDEO_BITRATE, reduce_bitrate
from clipmill.timeline.segments import with_profile
from clipmill_client.errors import PermanentError
from clipmill_job.assembling.item_names import item_names
from clipmill_job.assembling.join import SegmentFile
from clipmill_job.assembling.segment_files import SegmentFiles
from clipmill_job.assembling.segment_form import ensure_one_form
from clipmill_job.rendering.segment_rendering import RenderProgress, render_segments
from clipmill_job.task_context import TaskContext

RENDER_PERCENT = 86.0


def render_smaller(
    context: TaskContext,
    output: OutputAssignment,
    segments: Sequence[SegmentFile],
    files: SegmentFiles,
    *,
    video_bytes: int,
    audio_bytes: int,
) -> list[SegmentFile]:
    """Render the segments at a bit rate at which the file should keep to `max_bytes`.

    Args:
        context: The task's.
        output: The output, with `max_bytes`.
        segments: Its segments in order.
        files: Gets the new segments.
        video_bytes: Size of the finished file.
        audio_bytes: Size of its audio.

    Raises:
        PermanentError: `max_bytes` allows no usable bit rate.
    """
    profile = _smaller_profile(output, segments[0].segment.profile, video_bytes, audio_bytes)
    line = f"{output.name}: {video_bytes} bytes, rendering again at {profile.max_bitrate} bit/s"
    context.heartbeat.report(RENDER_PERCENT, line)
    smaller = [with_profile(segment, profile) for segment, _ in segments]
    unique = list({segment.key: segment for segment in smaller}.values())
    progress = RenderProgress(context.heartbeat, unique, share=RENDER_PERCENT)
    output = output.model_copy(update={"segments": smaller})
    names = item_names([output])
    render_segments(context, unique, then=files.add_rendered, progress=progress, names=names)
    return ensure_one_form(context, output, files.files(smaller), files)


def _smaller_profile(
    output: OutputAssignment, profile: Profile, video_bytes: int, audio_bytes: int
) -> Profile:
    max_bytes = output.max_bytes or 0
    smaller = reduce_bitrate(
        profile, size_bytes=video_bytes - audio_bytes, max_bytes=max_bytes - audio_bytes
    )
    if smaller.max_bitrate < MIN_VIDEO_BITRATE // 2:
        size = f"{video_bytes} bytes at {profile.max_bitrate} bit/s exceed maxBytes {max_bytes}"
        advice = "raise maxBytes, or choose a smaller size or rate"
        raise PermanentError("TooLarge", f"{output.name}: {size}: {advice}")
    return smaller
