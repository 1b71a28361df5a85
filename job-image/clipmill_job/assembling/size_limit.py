"""A finished file is larger than it may be: the same segments once more, at a lower bit rate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from clipmill.protocol import OutputAssignment, Segment
from clipmill.timeline.bitrates import LEAST, lower
from clipmill.timeline.segments import reformed
from clipmill_job.errors import GiveUp
from clipmill_job.rendering.render_task import Progress, Work, make


def smaller(
    work: Work,
    output: OutputAssignment,
    parts: Sequence[tuple[Segment, Path]],
    video: Path,
    audio: Path,
) -> list[tuple[Segment, Path]]:
    """The segments again in a form that should fit. Raises GiveUp when no picture would be left."""
    size, sound, most = video.stat().st_size, audio.stat().st_size, output.max_bytes or 0
    form = parts[0][0].profile
    lowered = lower(form, size_bytes=size - sound, max_bytes=most - sound)
    if lowered.max_bitrate < LEAST // 2:
        said = f"{size} bytes at {form.max_bitrate} bit/s; maxBytes {most} cannot be had"
        raise GiveUp("TooLarge", f"{output.name}: {said}: give it more, or a smaller size or rate")
    segments = [reformed(segment, lowered) for segment, _ in parts]
    missing = list({segment.key: segment for segment in segments}.values())
    made: dict[str, Path] = {}

    def keep(segment: Segment, path: Path) -> None:
        made[segment.key] = path

    work.beat.progress(86, f"{output.name}: {size} bytes, once more at {lowered.max_bitrate} bit/s")
    make(work, missing, then=keep, progress=Progress(work.beat, missing, share=86))
    return [(segment, made[segment.key]) for segment in segments]
