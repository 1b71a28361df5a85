"""Whether this machine's NVENC answers: one test encode, remembered for the job.

An output whose segments are wanted from NVENC is made whole by the CPU where it does not, since
segments of two encoders cannot be joined by copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from clipmill.ffmpeg.segment_args import GLOBAL
from clipmill.protocol import OutputAssignment, Segment
from clipmill.timeline.segments import reformed
from clipmill_job import subprocesses
from clipmill_job.heartbeats import Beat

NVENC = "h264_nvenc"
TEST_S = 20.0
TEST = ("-f", "lavfi", "-i", "color=c=black:s=320x180:r=30", "-frames:v", "1")


@dataclass(slots=True)
class Encoders:
    """What of this machine's encoders is known so far."""

    ffmpeg: str
    scratch: Path
    beat: Beat
    _answers: bool | None = None
    _lock: Lock = field(default_factory=Lock)

    def has_nvenc(self) -> bool:
        """Whether NVENC encodes a black frame; asked once."""
        with self._lock:
            if self._answers is None:
                self._answers = self._tested()
            return self._answers

    def nvenc_failed(self) -> None:
        """A command that it should have done failed: it is not asked again."""
        with self._lock:
            self._answers = False

    def _tested(self) -> bool:
        args = (self.ffmpeg, *GLOBAL, *TEST, "-c:v", NVENC, "-f", "null", "-")
        try:
            subprocesses.run(args, deadline_s=TEST_S, stopped=self.beat.check, scratch=self.scratch)
        except (subprocesses.ProcessFailed, subprocesses.DeadlinePassed) as error:
            self.beat.progress(0, f"NVENC does not answer, the CPU encodes: {error}"[:300])
            return False
        return True


def wants_nvenc(segments: Sequence[Segment]) -> bool:
    """Whether any segment is to come from NVENC."""
    return any(segment.profile.encoder == NVENC for segment in segments)


def by_cpu(output: OutputAssignment) -> OutputAssignment:
    """The same output with all its NVENC segments from the CPU."""
    if not wants_nvenc(output.segments):
        return output
    segments = [
        reformed(segment, segment.profile.model_copy(update={"encoder": "libx264"}))
        for segment in output.segments
    ]
    return output.model_copy(update={"segments": segments, "existing": []})
