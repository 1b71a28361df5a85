"""Assemble one output: get its segments, encode its audio, join and upload."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clipmill.protocol import OutputAssignment, OutputResult, SpanName
from clipmill.spec import AUDIO_RATE
from clipmill_job.assembling import join
from clipmill_job.assembling.join import SegmentFile
from clipmill_job.assembling.output_upload import upload_output
from clipmill_job.assembling.programme_audio import ProgrammeAudio, encode_programme
from clipmill_job.assembling.programme_sound import SegmentSound
from clipmill_job.assembling.segment_files import SegmentFiles
from clipmill_job.assembling.segment_form import ensure_one_form
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
    with context.spans.span(SpanName.ASSEMBLE, output.name):
        return _OutputAssembly(context, output, files, timer).run()


@dataclass(frozen=True, slots=True)
class _OutputAssembly:
    context: TaskContext
    output: OutputAssignment
    files: SegmentFiles
    timer: StepTimer

    def run(self) -> OutputResult:
        output = self.output
        folder = self._empty_folder()
        container = output.segments[0].profile.container
        segments = self._segments()
        audio = self._encode_audio(segments, folder)
        video = folder / f"{output.name}.{container}"
        self._join(segments, audio, video)
        frames = sum(segment.frames for segment in output.segments)
        self.context.heartbeat.report(90, f"{output.name}: {frames} frames joined, uploading")
        media_ids = upload_output(self.context, output, video, audio.loudness, self.timer)
        return OutputResult(
            name=output.name,
            container=container,
            frames=frames,
            duration_us=round(audio.samples * 1_000_000 / AUDIO_RATE),
            loudness_lufs=audio.loudness.lufs,
            segments=self.files.counts(output.segments),
            spent_s=self.timer.seconds,
            **media_ids,
        )

    def _empty_folder(self) -> Path:
        """Return a folder without the files of an earlier attempt, which may be the store's own."""
        folder = self.context.scratch / f"output-{self.output.name}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def _segments(self) -> list[SegmentFile]:
        with self.files.lock, self.timer.step("download"):
            segments = self.files.files(self.output.segments)
        with self.files.lock, self.timer.step("render"):
            return ensure_one_form(self.context, self.output, segments, self.files)

    def _encode_audio(self, segments: Sequence[SegmentFile], folder: Path) -> ProgrammeAudio:
        with self.timer.step("sound"):
            sound = SegmentSound(self.context, segments, self.output.name)
            return encode_programme(self.context, self.output, sound, folder)

    def _join(self, segments: Sequence[SegmentFile], audio: ProgrammeAudio, video: Path) -> None:
        """Write the video; render its segments at a lower bit rate while it is too large."""
        with self.timer.step("join"):
            join.mux(segments, audio.path, video, record=self.output.record)
            while self._is_too_large(video):
                segments = self._render_smaller(segments, audio, video)
                join.mux(segments, audio.path, video, record=self.output.record)

    def _is_too_large(self, video: Path) -> bool:
        limit = self.output.max_bytes
        return limit is not None and video.stat().st_size > limit

    def _render_smaller(
        self, segments: Sequence[SegmentFile], audio: ProgrammeAudio, video: Path
    ) -> list[SegmentFile]:
        with self.files.lock, self.timer.step("smaller"):
            return render_smaller(
                self.context,
                self.output,
                segments,
                self.files,
                video_bytes=video.stat().st_size,
                audio_bytes=audio.path.stat().st_size,
            )
