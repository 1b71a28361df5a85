"""Whether this machine can encode by NVENC, and the CPU in its place where it cannot.

Segments of two encoders cannot be joined by copying, so an output is encoded by one of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from clipmill.ffmpeg.segment_args import GLOBAL
from clipmill.protocol import OutputAssignment, Segment
from clipmill.timeline.segments import with_profile
from clipmill_job import subprocesses
from clipmill_job.task_context import TaskContext

NVENC = "h264_nvenc"
TEST_DEADLINE_S = 20.0
TEST_INPUT = ("-f", "lavfi", "-i", "color=c=black:s=320x180:r=30", "-frames:v", "1")


def uses_nvenc(segments: Sequence[Segment]) -> bool:
    """Return whether a segment's profile asks for NVENC."""
    return any(segment.profile.encoder == NVENC for segment in segments)


def nvenc_works(context: TaskContext) -> bool:
    """Return whether NVENC encodes a black frame."""
    args = (context.ffmpeg.path, *GLOBAL, *TEST_INPUT, "-c:v", NVENC, "-f", "null", "-")
    try:
        subprocesses.run(
            args,
            deadline_s=TEST_DEADLINE_S,
            check_cancelled=context.heartbeat.check,
            scratch=context.scratch,
        )
    except (subprocesses.ProcessFailed, subprocesses.DeadlineExceeded) as error:
        line = f"NVENC is not available, encoding on the CPU: {error}"
        context.heartbeat.report(0, line[:300])
        return False
    return True


def with_cpu_encoder(output: OutputAssignment) -> OutputAssignment:
    """Return the output with libx264 instead of NVENC in every segment's profile."""
    if not uses_nvenc(output.segments):
        return output
    segments = [
        with_profile(segment, segment.profile.model_copy(update={"encoder": "libx264"}))
        for segment in output.segments
    ]
    return output.model_copy(update={"segments": segments, "existing": []})
