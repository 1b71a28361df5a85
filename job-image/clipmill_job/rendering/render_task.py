"""The render task: render segments before the assemble task needs them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from clipmill.protocol import Assignment, Segment
from clipmill_job.errors import SegmentFailure, SegmentsFailed
from clipmill_job.rendering.nvenc import nvenc_works, uses_nvenc
from clipmill_job.rendering.segment_rendering import (
    MAX_FAILURES,
    RenderProgress,
    render_segments,
)
from clipmill_job.task_context import TaskContext


def run_render_task(context: TaskContext, claim_again: Callable[[], Assignment]) -> None:
    """Render segments and upload them, until the API has no further ones for this task.

    Where NVENC is asked for and not available, nothing is rendered: the assemble task decides
    which encoder the whole output is encoded by.

    Args:
        context: The task's.
        claim_again: Returns the next assignment of this task; it waits while clips are fetched
            that all missing segments depend on.

    Raises:
        SegmentsFailed: Segments could not be rendered from their sources; the others are.
        RetryableError, PermanentError: A segment could not be rendered or uploaded.
    """
    failures: list[SegmentFailure] = []
    percent = 0.0
    while segments := context.assignment.render:
        if uses_nvenc(segments) and not nvenc_works(context):
            return
        frames = sum(segment.frames for segment in segments)
        share = 100.0 * frames / max(frames, context.assignment.render_frames)
        progress = RenderProgress(context.heartbeat, segments, share=share, start=percent)
        try:
            render_segments(context, segments, then=_delete, progress=progress)
        except SegmentsFailed as error:
            failures += error.failures
            if len(failures) >= MAX_FAILURES:
                break
        percent += share
        context = replace(context, assignment=claim_again())
    if failures:
        raise SegmentsFailed(failures)


def _delete(_: Segment, path: Path) -> None:
    path.unlink()
