"""Pieces: rendered by ffmpeg, a few at once, each sent up as soon as it is there."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from clipmill.ffmpeg.segment_args import piece_args
from clipmill.protocol import Order, Piece, UploadPurpose, UploadRequest
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
"""A piece that takes longer than this per frame hangs, on any machine that could be used."""
HARD_EXITS = frozenset({-11, -9, 137})
"""Killed or crashed: out of memory or a broken machine, another try may be luckier."""
MAX_WORKERS = 4


@dataclass(slots=True)
class Work:
    """What rendering needs: the API, the order, the beat, a folder, and who is told of frames."""

    client: Client
    order: Order
    beat: Beat
    folder: Path
    ffmpeg: str = field(default_factory=ffmpeg_binary.ffmpeg)
    encoders: Encoders = field(init=False)

    def __post_init__(self) -> None:
        self.encoders = Encoders(self.ffmpeg, self.folder, self.beat)


def workers() -> int:
    """Pieces at once: one for each processor that this process may use."""
    return max(1, min(MAX_WORKERS, len(os.sched_getaffinity(0))))


def render(work: Work, pieces: Sequence[Piece]) -> None:
    """Do a render part: make the pieces and send them up.

    Pieces from NVENC are left to the assembly where it does not answer: that settles what to do.
    """
    if wants_nvenc(pieces) and not work.encoders.has_nvenc():
        return
    done = Progress(work.beat, pieces, share=100.0)
    make(work, pieces, then=lambda _, path: path.unlink(), progress=done)


class Progress:
    """Frames of all pieces together, told as a share of the part."""

    def __init__(self, beat: Beat, pieces: Sequence[Piece], *, share: float) -> None:
        self._beat = beat
        self._total = sum(piece.frames for piece in pieces) or 1
        self._share = share
        self._frames: dict[str, int] = {}
        self._lock = Lock()

    def at(self, piece: Piece, frame: int) -> None:
        """A piece has come to this frame."""
        with self._lock:
            self._frames[piece.key] = min(frame, piece.frames)
            share = self._share * sum(self._frames.values()) / self._total
        self._beat.progress(share)


def make(
    work: Work,
    pieces: Sequence[Piece],
    *,
    then: Callable[[Piece, Path], None],
    progress: Progress,
) -> None:
    """Render pieces, send each up, then hand its file to `then`. Raises JobError."""
    files = Sources(work.client, work.folder / "sources", pieces)

    drawings = Drawings(work.folder / "drawings", files)

    def one(piece: Piece) -> Path:
        path = _piece(work, piece, files, drawings, progress)
        files.release(piece)
        return path

    with ThreadPoolExecutor(workers()) as renderers, ThreadPoolExecutor(1) as sender:
        rendering = [renderers.submit(one, piece) for piece in pieces]
        sending = [
            sender.submit(_send, work, piece, made, then)
            for piece, made in zip(pieces, rendering, strict=True)
        ]
        _all(rendering, sending)


def _all(rendering: Sequence[Future[Path]], sending: Sequence[Future[None]]) -> None:
    """Wait for all; the first that fails calls off those that have not begun."""
    everything: list[Future[Any]] = [*rendering, *sending]
    wait(everything, return_when=FIRST_EXCEPTION)
    for future in everything:
        future.cancel()
    # A piece that failed is the cause; that it could not be sent is the consequence.
    for future in everything:
        if not future.cancelled():
            future.result()


def _send(
    work: Work, piece: Piece, made: Future[Path], then: Callable[[Piece, Path], None]
) -> None:
    path = made.result()
    work.client.upload(path, piece_upload(work.order, piece, path))
    then(piece, path)


def piece_upload(order: Order, piece: Piece, path: Path) -> UploadRequest:
    """The announcement of a rendered piece."""
    return UploadRequest(
        purpose=UploadPurpose.PIECE,
        filename=f"{piece.key}.mov",
        size_bytes=path.stat().st_size,
        sha256=sha256_of(path),
        piece_key=piece.key,
        index=order.index,
        epoch=order.epoch,
    )


def _piece(
    work: Work, piece: Piece, files: Sources, drawings: Drawings, progress: Progress
) -> Path:
    out = work.folder / f"{piece.key}.mov"
    paths = [str(files.path(cut.media_id)) if cut.media_id else None for cut in piece.cuts]
    args = (*PROGRESS, *piece_args(piece, paths, str(out), drawings.of(piece)))
    try:
        run_ffmpeg(work, args, frames=piece.frames, at=lambda frame: progress.at(piece, frame))
    except (GiveUp, TryAgain) as error:
        if not wants_nvenc([piece]) or not error.code.startswith("Render"):
            raise
        raise NvencFailed(error.code, str(error)) from error
    progress.at(piece, piece.frames)
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
