"""What every task works with: the API, its assignment, its heartbeat, a folder and ffmpeg."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from clipmill.protocol import Assignment
from clipmill_client.client import Client
from clipmill_client.errors import PermanentError, RetryableError
from clipmill_job import subprocesses
from clipmill_job.ffmpeg_binary import FfmpegBinary
from clipmill_job.heartbeat_sender import HeartbeatSender
from clipmill_job.span_recorder import SpanRecorder

# An ffmpeg that takes longer per frame hangs, on any machine that is fast enough to be used.
DEADLINE_S = 120.0
DEADLINE_S_PER_FRAME = 1.0
# Killed or crashed: the memory was exhausted or the machine is defective.
RETRYABLE_EXITS = frozenset({-11, -9, 137})
# Makes ffmpeg write `frame=N` to standard output once a second.
PROGRESS_ARGS = ("-progress", "pipe:1", "-stats_period", "1")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskContext:
    """Everything that a task needs besides its assignment's content."""

    client: Client
    assignment: Assignment
    heartbeat: HeartbeatSender
    scratch: Path
    ffmpeg: FfmpegBinary
    spans: SpanRecorder = field(default_factory=SpanRecorder)

    def run_ffmpeg(
        self, args: Sequence[str], *, frames: int, on_frame: Callable[[int], None] | None = None
    ) -> list[str]:
        """Run ffmpeg.

        Args:
            args: Arguments after the program's name.
            frames: Frames to be written, for the deadline.
            on_frame: Called about once a second with the number of frames written.

        Returns:
            The last lines of its log.

        Raises:
            RetryableError: It exceeded the deadline, was killed or crashed.
            PermanentError: It reported an error.
        """
        progress = PROGRESS_ARGS if on_frame else ()
        try:
            return subprocesses.run(
                (self.ffmpeg.path, *progress, *args),
                deadline_s=DEADLINE_S + DEADLINE_S_PER_FRAME * frames,
                check_cancelled=self.heartbeat.check,
                scratch=self.scratch,
                on_line=lambda line: _report_frame(line, on_frame),
            )
        except subprocesses.DeadlineExceeded as error:
            raise RetryableError("RenderTooSlow", str(error)) from error
        except subprocesses.ProcessFailed as error:
            kind = RetryableError if error.returncode in RETRYABLE_EXITS else PermanentError
            raise kind("RenderFailed", str(error), returncode=error.returncode) from error


def _report_frame(line: str, on_frame: Callable[[int], None] | None) -> None:
    if on_frame and line.startswith("frame="):
        on_frame(int(line[6:].strip() or 0))
