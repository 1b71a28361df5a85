"""Render an output's segments again at a lower bit rate, since the finished file is too large."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from clipmill.protocol import OutputAssignment, Profile, Segment
from clipmill.timeline.bitrates import MIN_VIDEO_BITRATE, reduce_bitrate
from clipmill.timeline.segments import with_profile
from clipmill_client.errors import PermanentError
from clipmill_job.assembling.join import SegmentFile
from clipmill_job.rendering.segment_rendering import RenderProgress, render_segments
from clipmill_job.task_context import TaskContext

RENDER_PERCENT = 86.0


def render_smaller(
    context: TaskContext,
    output: OutputAssignment,
    files: Sequence[SegmentFile],
    *,
    video_bytes: int,
    audio_bytes: int,
) -> list[SegmentFile]:
    """Render the segments at a bit rate at which the file should keep to `max_bytes`.

    Raises:
        PermanentError: `max_bytes` allows no usable bit rate.
    """
    profile = _smaller_profile(output, files[0].segment.profile, video_bytes, audio_bytes)
    line = f"{output.name}: {video_bytes} bytes, rendering again at {profile.max_bitrate} bit/s"
    context.heartbeat.report(RENDER_PERCENT, line)
    segments = [with_profile(file.segment, profile) for file in files]
    unique = list({segment.key: segment for segment in segments}.values())
    paths: dict[str, Path] = {}

    def keep(segment: Segment, path: Path) -> None:
        paths[segment.key] = path

    progress = RenderProgress(context.heartbeat, unique, share=RENDER_PERCENT)
    render_segments(context, unique, then=keep, progress=progress)
    return [SegmentFile(segment, paths[segment.key]) for segment in segments]


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
