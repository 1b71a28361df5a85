"""Segments: rendered by ffmpeg, a few at once, each sent up as soon as it is there."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from clipmill.ffmpeg.segment_args import segment_args
from clipmill.protocol import Assignment, Segment, UploadPurpose, UploadRequest
from clipmill_client.client import Client
from clipmill_client.transfer import sha256_of
from clipmill_job import ffmpeg_binary, subprocesses
from clipmill_job.drawing.drawing_cache import Drawings
from clipmill_job.errors import GiveUp, NvencFailed, TryAgain
from clipmill_job.heartbeats import Beat
from clipmill_job.rendering.encoders import Encoders, wants_nvenc
from clipmill_job.rendering.source_files import Sources

PATIENCE_S = 120.0
PATIENCE_S_PER_FRAME = 1.0
"""A segment that takes longer than this per frame hangs, on any machine that could be used."""
HARD_EXITS = frozenset({-11, -9, 137})
"""Killed or crashed: out of memory or a broken machine, another try may be luckier."""
MAX_WORKERS = 4


@dataclass(slots=True)
class Work:
    """What rendering needs: the API, the order, the beat, a folder, and who is told of frames."""

    client: Client
    order: Assignment
    beat: Beat
    folder: Path
    ffmpeg: str = field(default_factory=ffmpeg_binary.ffmpeg)
    encoders: Encoders = field(init=False)

    def __post_init__(self) -> None:
        self.encoders = Encoders(self.ffmpeg, self.folder, self.beat)


def workers() -> int:
    """Segments at once: one for each processor that this process may use."""
    return max(1, min(MAX_WORKERS, len(os.sched_getaffinity(0))))


def render(work: Work, segments: Sequence[Segment]) -> None:
    """Do a render part: make the segments and send them up.

    Segments from NVENC are left to the assembly where it does not answer: that settles what to do.
    """
    if wants_nvenc(segments) and not work.encoders.has_nvenc():
        return
    done = Progress(work.beat, segments, share=100.0)
    make(work, segments, then=lambda _, path: path.unlink(), progress=done)


class Progress:
    """Frames of all segments together, told as a share of the part."""

    def __init__(self, beat: Beat, segments: Sequence[Segment], *, share: float) -> None:
        self._beat = beat
        self._total = sum(segment.frames for segment in segments) or 1
        self._share = share
        self._frames: dict[str, int] = {}
        self._lock = Lock()

    def at(self, segment: Segment, frame: int) -> None:
        """A segment has come to this frame."""
        with self._lock:
            self._frames[segment.key] = min(frame, segment.frames)
            share = self._share * sum(self._frames.values()) / self._total
        self._beat.progress(share)


def make(
    work: Work,
    segments: Sequence[Segment],
    *,
    then: Callable[[Segment, Path], None],
    progress: Progress,
) -> None:
    """Render segments, send each up, then hand its file to `then`. Raises JobError."""
    files = Sources(work.client, work.folder / "sources", segments)

    drawings = Drawings(work.folder / "drawings", files)

    def one(segment: Segment) -> Path:
        path = _segment(work, segment, files, drawings, progress)
        files.release(segment)
        return path

    with ThreadPoolExecutor(workers()) as renderers, ThreadPoolExecutor(1) as sender:
        rendering = [renderers.submit(one, segment) for segment in segments]
        sending = [
            sender.submit(_send, work, segment, made, then)
            for segment, made in zip(segments, rendering, strict=True)
        ]
        _all(rendering, sending)


def _all(rendering: Sequence[Future[Path]], sending: Sequence[Future[None]]) -> None:
    """Wait for all; the first that fails calls off those that have not begun."""
    everything: list[Future[Any]] = [*rendering, *sending]
    wait(everything, return_when=FIRST_EXCEPTION)
    for future in everything:
        future.cancel()
    # A segment that failed is the cause; that it could not be sent is the consequence.
    for future in everything:
        if not future.cancelled():
            future.result()


def _send(
    work: Work, segment: Segment, made: Future[Path], then: Callable[[Segment, Path], None]
) -> None:
    path = made.result()
    work.client.upload(path, segment_upload(work.order, segment, path))
    then(segment, path)


def segment_upload(order: Assignment, segment: Segment, path: Path) -> UploadRequest:
    """The announcement of a rendered segment."""
    return UploadRequest(
        purpose=UploadPurpose.PIECE,
        filename=f"{segment.key}.mov",
        size_bytes=path.stat().st_size,
        sha256=sha256_of(path),
        segment_key=segment.key,
        index=order.index,
        epoch=order.epoch,
    )


def _segment(
    work: Work, segment: Segment, files: Sources, drawings: Drawings, progress: Progress
) -> Path:
    out = work.folder / f"{segment.key}.mov"
    paths = [str(files.path(cut.media_id)) if cut.media_id else None for cut in segment.cuts]
    args = (*PROGRESS, *segment_args(segment, paths, str(out), drawings.of(segment)))
    try:
        run_ffmpeg(work, args, frames=segment.frames, at=lambda frame: progress.at(segment, frame))
    except (GiveUp, TryAgain) as error:
        if not wants_nvenc([segment]) or not error.code.startswith("Render"):
            raise
        raise NvencFailed(error.code, str(error)) from error
    progress.at(segment, segment.frames)
    return out


PROGRESS = ("-progress", "pipe:1", "-stats_period", "1")


def run_ffmpeg(
    work: Work, args: Sequence[str], *, frames: int, at: Callable[[int], None] = lambda _: None
) -> list[str]:
    """Run ffmpeg under a deadline; its last lines. Raises TryAgain, GiveUp, Leave."""

    def heard(line: str) -> None:
        if line.startswith("frame="):
            at(int(line[6:].strip() or 0))

    try:
        return subprocesses.run(
            (work.ffmpeg, *args),
            deadline_s=PATIENCE_S + PATIENCE_S_PER_FRAME * frames,
            stopped=work.beat.check,
            scratch=work.folder,
            on_line=heard,
        )
    except subprocesses.DeadlinePassed as error:
        raise TryAgain("RenderTooSlow", str(error)) from error
    except subprocesses.ProcessFailed as error:
        kind = TryAgain if error.code_of_exit in HARD_EXITS else GiveUp
        raise kind("RenderFailed", str(error)) from error
