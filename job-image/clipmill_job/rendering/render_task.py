"""The render task: render segments before the assemble task needs them."""

from __future__ import annotations

from collections.abc import Sequence

from clipmill.protocol import Segment
from clipmill_job.rendering.nvenc import nvenc_works, uses_nvenc
from clipmill_job.rendering.segment_rendering import RenderProgress, render_segments
from clipmill_job.task_context import TaskContext


def run_render_task(context: TaskContext, segments: Sequence[Segment]) -> None:
    """Render segments and upload them.

    Where NVENC is asked for and not available, nothing is rendered: the assemble task decides
    which encoder the whole output is encoded by.
    """
    if uses_nvenc(segments) and not nvenc_works(context):
        return
    progress = RenderProgress(context.heartbeat, segments, share=100.0)
    render_segments(context, segments, then=lambda _, path: path.unlink(), progress=progress)
