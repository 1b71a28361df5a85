"""Render segments by ffmpeg, several at a time, and upload each as soon as it is complete.

Only segments that the assignment lists as missing are uploaded. Others replace a planned segment,
on another encoder or at a lower bit rate, and serve this task alone. `segment_form` uploads those
that replace a stored segment.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from clipmill.ffmpeg.level_meter import LevelFiles
from clipmill.ffmpeg.segment_args import SegmentTarget
from clipmill.ffmpeg.shared_decode import Unit, render_units, unit_args
from clipmill.protocol import Assignment, Segment, SourceRange, SpanName
from clipmill.sound.sound_levels import unit_samples
from clipmill_client.errors import ClientError, PermanentError, RetryableError
from clipmill_job.errors import NvencError, SegmentFailure, SegmentsFailed
from clipmill_job.heartbeat_sender import HeartbeatSender
from clipmill_job.rendering.attached_levels import attach_measured
from clipmill_job.rendering.damage_check import DAMAGED, DamageCheck, concerns_pictures
from clipmill_job.rendering.layer_image_cache import LayerImageCache
from clipmill_job.rendering.nvenc import uses_nvenc
from clipmill_job.rendering.segment_upload import segment_upload
from clipmill_job.rendering.source_files import SourceFiles
from clipmill_job.task_context import TaskContext

MAX_WORKERS = 4
# Segments that may fail before rendering stops.
MAX_FAILURES = 12
# The process crashed by itself. A kill means that the machine has too little memory.
CRASH_EXITS = (-11,)
# Called with each segment and its file, after the upload if it is uploaded.
Then = Callable[[Segment, Path], None]


class RenderProgress:
    """Reports the frames rendered of all segments as a share of the task."""

    def __init__(
        self,
        heartbeat: HeartbeatSender,
        segments: Sequence[Segment],
        *,
        share: float,
        start: float = 0.0,
    ) -> None:
        self._heartbeat = heartbeat
        self._total = sum(segment.frames for segment in segments) or 1
        self._share = share
        self._start = start
        self._frames: dict[str, int] = {}
        self._lock = Lock()

    def update(self, segment: Segment, frames: int) -> None:
        """Set the number of frames rendered of a segment."""
        with self._lock:
            self._frames[segment.key] = min(frames, segment.frames)
            percent = self._start + self._share * sum(self._frames.values()) / self._total
        self._heartbeat.report(percent)


def render_segments(
    context: TaskContext,
    segments: Sequence[Segment],
    *,
    then: Then,
    progress: RenderProgress,
    names: Mapping[str, str] | None = None,
) -> None:
    """Render and upload segments.

    Args:
        context: The task's.
        segments: Each key at most once.
        then: Called with each segment and its file, after the upload; the file is the caller's.
        progress: Receives the number of frames rendered.
        names: What is played in a segment, by its key, for error messages.

    Raises:
        NvencError: NVENC failed.
        SegmentsFailed: Segments could not be rendered from their sources; the others are.
        RetryableError, PermanentError: A segment could not be rendered or uploaded.
    """
    files = SourceFiles(context.client, context.scratch / "sources", segments)
    layers = LayerImageCache(context.scratch / "layers", files)
    renderer = _Renderer(context, files, layers, progress, names or {})
    with ThreadPoolExecutor(worker_count()) as renderers, ThreadPoolExecutor(1) as uploader:
        units = render_units(segments)
        rendering = [renderers.submit(renderer.render, unit) for unit in units]
        uploading = [
            uploader.submit(_upload, context, unit, files_of_unit, then)
            for unit, files_of_unit in zip(units, rendering, strict=True)
        ]
        _wait_for_all([*rendering, *uploading])
    if renderer.failures:
        raise SegmentsFailed(renderer.failures)


def _may_be_of_source(error: ClientError) -> bool:
    """Return whether a source may be the cause, and not the machine or the API."""
    if isinstance(error, NvencError):
        return False
    if isinstance(error, RetryableError):
        return error.facts.get("returncode") in CRASH_EXITS
    return error.code in ("RenderFailed", "UnreadableImage", DAMAGED)


def worker_count() -> int:
    """Return the number of segments rendered at a time: one per available processor."""
    return max(1, min(MAX_WORKERS, len(os.sched_getaffinity(0))))


def _wait_for_all(futures: Sequence[Future[Any]]) -> None:
    """Wait for all futures; after the first failure those not yet started are cancelled."""
    wait(futures, return_when=FIRST_EXCEPTION)
    for future in futures:
        future.cancel()
    # In order: an upload that failed because its segment was not rendered is not the cause.
    for future in futures:
        if not future.cancelled():
            future.result()


def _upload(context: TaskContext, unit: Unit, files: Future[list[Path | None]], then: Then) -> None:
    missing = missing_keys(context.assignment)
    for segment, path in zip(unit, files.result(), strict=True):
        if path is None:
            continue
        if segment.key in missing:
            with context.spans.span(SpanName.UPLOAD, path.name):
                context.client.upload(path, segment_upload(context.assignment, segment, path))
        then(segment, path)


def missing_keys(assignment: Assignment) -> frozenset[str]:
    """Return the keys of the segments that the task is to render and to upload."""
    outputs = assignment.assemble or []
    existing = {key for output in outputs for key in output.existing}
    segments = [*(assignment.render or []), *(s for output in outputs for s in output.segments)]
    return frozenset(segment.key for segment in segments) - existing


@dataclass(frozen=True, slots=True)
class _Renderer:
    """Renders one unit at a time in each of several threads."""

    context: TaskContext
    files: SourceFiles
    layers: LayerImageCache
    progress: RenderProgress
    names: Mapping[str, str]
    damage: DamageCheck = field(default_factory=DamageCheck)
    failures: list[SegmentFailure] = field(default_factory=list)

    def render(self, unit: Unit) -> list[Path | None]:
        """Return the file of each rendered segment; None if its sources are the likely cause.

        A unit that fails is rendered segment by segment, so that each has its own cause.

        Raises:
            SegmentsFailed: So many have failed that the cause is another one.
        """
        try:
            return [*self._render(unit)] if len(unit) > 1 else [self._alone(unit[0])]
        except (RetryableError, PermanentError) as error:
            if len(unit) == 1 or not _may_be_of_source(error):
                raise
        return [self._alone(segment) for segment in unit]

    def _alone(self, segment: Segment) -> Path | None:
        try:
            return self._render((segment,))[0]
        except (RetryableError, PermanentError) as error:
            if not _may_be_of_source(error):
                raise
            self.failures.append(SegmentFailure(segment, self._cause(segment, error)))
        if len(self.failures) >= MAX_FAILURES:
            raise SegmentsFailed(self.failures)
        return None

    def _render(self, unit: Unit) -> list[Path]:
        with self.context.spans.span(SpanName.RENDER, self._name(unit[0])):
            targets = [self._target(segment) for segment in unit]
            complaints = self._run(unit, unit_args(targets))
        for segment in unit:
            if concerns_pictures(complaints):
                self._require_whole(segment)
        for segment, target in zip(unit, targets, strict=True):
            attach_measured(target, self.context.scratch)
            self.progress.update(segment, segment.frames)
            self.files.release(segment)
        return [Path(target.out) for target in targets]

    def _target(self, segment: Segment) -> SegmentTarget:
        path = self.context.scratch / f"{segment.key}.mov"
        path.unlink(missing_ok=True)  # A file that was uploaded may be the store's own.
        sources = self._sources(segment)
        # ffmpeg aborts where a graph without inputs has further sinks; this one is silent.
        levels = (
            LevelFiles(segment.key, unit_samples(segment.profile.rate)) if any(sources) else None
        )
        return SegmentTarget(segment, sources, str(path), self.layers.of(segment), levels)

    def _sources(self, segment: Segment) -> list[str | None]:
        return [self._source(source) for source in segment.sources]

    def _source(self, source: SourceRange) -> str | None:
        if source.media_id is None:
            return None
        if source.still:
            return str(self.files.still_path(source.media_id))
        return str(self.files.path(source.media_id))

    def _cause(self, segment: Segment, error: ClientError) -> ClientError:
        """Return the damage of a source that is the cause of an error of ffmpeg, else the error."""
        if error.code != "RenderFailed":
            return error
        try:
            self._require_whole(segment)
        except PermanentError as damage:
            return damage
        return error

    def _require_whole(self, segment: Segment) -> None:
        paths = [
            self.files.path(source.media_id) if source.media_id and not source.still else None
            for source in segment.sources
        ]
        try:
            self.damage.require_whole(segment, paths)
        except PermanentError as error:
            message = f"{self._name(segment)}: {error}"
            raise PermanentError(error.code, message, **error.facts) from error

    def _run(self, unit: Unit, args: Sequence[str]) -> list[str]:
        """Run ffmpeg; return what it wrote to its log."""
        try:
            return self.context.run_ffmpeg(
                args,
                frames=sum(segment.frames for segment in unit),
                on_frame=lambda frame: self._report(unit, frame),
            )
        except (RetryableError, PermanentError) as error:
            if not error.code.startswith("Render"):
                raise
            kind = NvencError if uses_nvenc(unit) else type(error)
            raise kind(error.code, f"{self._name(unit[0])}: {error}", **error.facts) from error

    def _report(self, unit: Unit, frame: int) -> None:
        """Report progress by the first output: those of the same length are as far."""
        for segment in unit:
            if len(segment.sources) == len(unit[0].sources):
                self.progress.update(segment, frame * segment.frames // unit[0].frames)

    def _name(self, segment: Segment) -> str:
        media_ids = (source.media_id or "placeholder" for source in segment.sources)
        return self.names.get(segment.key) or f"media {', '.join(media_ids)}"
