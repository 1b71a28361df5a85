"""Assemble one output: download its segments, encode its audio, join and upload."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from clipmill.protocol import OutputAssignment, OutputResult
from clipmill.spec import AUDIO_RATE
from clipmill_job.assembling import join
from clipmill_job.assembling.join import SegmentFile
from clipmill_job.assembling.output_upload import upload_output
from clipmill_job.assembling.programme_audio import ProgrammeAudio, encode_programme
from clipmill_job.assembling.segment_files import SegmentFiles
from clipmill_job.assembling.size_limit import render_smaller
from clipmill_job.assembling.step_timer import StepTimer
from clipmill_job.task_context import TaskContext


def assemble_output(
    context: TaskContext, output: OutputAssignment, files: SegmentFiles, timer: StepTimer
) -> OutputResult:
    """Assemble and upload one output.

    Args:
        context: The task's.
        output: What to assemble.
        files: Files of its segments.
        timer: Has the seconds spent on rendering, gets those of the other steps.

    Raises:
        RetryableError, PermanentError: It could not be assembled or uploaded.
    """
    folder = context.scratch / f"output-{output.name}"
    folder.mkdir(exist_ok=True)
    with timer.step("download"):
        segments = files.files(output.segments)
    with timer.step("sound"):
        audio = _encode_audio(context, output, segments, folder)
    video = folder / f"{output.name}.{output.segments[0].profile.container}"
    with timer.step("join"):
        _join(context, output, segments, audio, video, timer)
    frames = sum(segment.frames for segment in output.segments)
    context.heartbeat.report(90, f"{output.name}: {frames} frames joined, uploading")
    media_ids = upload_output(context, output, video, audio.loudness, timer)
    return OutputResult(
        name=output.name,
        container=output.segments[0].profile.container,
        frames=frames,
        duration_us=round(audio.samples * 1_000_000 / AUDIO_RATE),
        loudness_lufs=audio.loudness.lufs,
        segments=files.counts(output.segments),
        spent_s=timer.seconds,
        **media_ids,
    )


def _encode_audio(
    context: TaskContext, output: OutputAssignment, segments: Sequence[SegmentFile], folder: Path
) -> ProgrammeAudio:
    raw = folder / "programme.f32"
    samples = join.write_samples(segments, raw)
    return encode_programme(context, output, raw, samples)


def _join(
    context: TaskContext,
    output: OutputAssignment,
    segments: Sequence[SegmentFile],
    audio: ProgrammeAudio,
    video: Path,
    timer: StepTimer,
) -> None:
    """Write the video; while it exceeds `max_bytes`, render its segments at a lower bit rate."""
    join.mux(segments, audio.path, video, record=output.record)
    while output.max_bytes is not None and video.stat().st_size > output.max_bytes:
        with timer.step("smaller"):
            segments = render_smaller(
                context,
                output,
                segments,
                video_bytes=video.stat().st_size,
                audio_bytes=audio.path.stat().st_size,
            )
        join.mux(segments, audio.path, video, record=output.record)
