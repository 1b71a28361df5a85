"""The assemble task: render missing segments and assemble a finished video for each output."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from clipmill.protocol import OutputAssignment, OutputResult, Segment
from clipmill_job.assembling.clip_diagnosis import error_of_clips
from clipmill_job.assembling.item_names import item_names
from clipmill_job.assembling.output_assembly import assemble_output
from clipmill_job.assembling.segment_files import SegmentFiles
from clipmill_job.assembling.step_timer import StepTimer
from clipmill_job.errors import NvencError, SegmentsFailed
from clipmill_job.rendering.nvenc import nvenc_works, uses_nvenc, with_cpu_encoder
from clipmill_job.rendering.segment_rendering import (
    RenderProgress,
    render_segments,
    worker_count,
)
from clipmill_job.task_context import TaskContext

# Percent of the task's work that rendering all segments counts for.
RENDER_SHARE = 85.0


def run_assemble_task(
    context: TaskContext, outputs: Sequence[OutputAssignment]
) -> list[OutputResult]:
    """Assemble and upload every output.

    An output whose missing segments ask for NVENC is encoded on the CPU as a whole if NVENC is not
    available or fails, since segments of two encoders cannot be joined.

    Raises:
        ClipsUnplayable: Clips cannot be rendered.
        RetryableError, PermanentError: An output could not be assembled.
    """
    if uses_nvenc(_missing_segments(outputs)) and not nvenc_works(context):
        outputs = [with_cpu_encoder(output) for output in outputs]
    try:
        return _assemble(context, outputs)
    except NvencError as error:
        line = f"NVENC failed, encoding everything on the CPU: {error}"
        context.heartbeat.report(0, line[:300])
    return _assemble(context, [with_cpu_encoder(output) for output in outputs])


def _assemble(context: TaskContext, outputs: Sequence[OutputAssignment]) -> list[OutputResult]:
    files, timer = SegmentFiles(context), StepTimer()
    try:
        with timer.step("render"):
            _render_missing(context, outputs, files)
        return _assemble_outputs(context, outputs, files, timer)
    except SegmentsFailed as error:
        raise error_of_clips(context, outputs, error) from error


def _assemble_outputs(
    context: TaskContext,
    outputs: Sequence[OutputAssignment],
    files: SegmentFiles,
    timer: StepTimer,
) -> list[OutputResult]:
    """Assemble several outputs at a time: each uses one processor for most of its steps."""

    def assemble(output: OutputAssignment) -> OutputResult:
        return assemble_output(context, output, files, timer.copy())

    with ThreadPoolExecutor(worker_count()) as pool:
        return list(pool.map(assemble, outputs))


def _render_missing(
    context: TaskContext, outputs: Sequence[OutputAssignment], files: SegmentFiles
) -> None:
    missing = _missing_segments(outputs)
    keys = {segment.key for output in outputs for segment in output.segments}
    context.heartbeat.report(0, f"rendering {len(missing)} of {len(keys)} segments")
    share = RENDER_SHARE * len(missing) / max(1, len(keys))
    progress = RenderProgress(context.heartbeat, missing, share=share)
    names = item_names(outputs)
    render_segments(context, missing, then=files.add_rendered, progress=progress, names=names)


def _missing_segments(outputs: Sequence[OutputAssignment]) -> list[Segment]:
    """Return each segment once that is not stored yet; outputs of one profile share segments."""
    missing = {
        segment.key: segment
        for output in outputs
        for segment in output.segments
        if segment.key not in output.existing
    }
    return list(missing.values())
