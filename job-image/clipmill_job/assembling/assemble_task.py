"""The only path to a finished video: missing segments rendered, all joined, the sound made once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import av

from clipmill.ffmpeg.ebur128 import Level
from clipmill.protocol import (
    MediaKind,
    OutputAssignment,
    OutputResult,
    Segment,
    SegmentCounts,
    UploadPurpose,
    UploadRequest,
)
from clipmill.spec import AUDIO_RATE
from clipmill_client.transfer import sha256_of
from clipmill_job.assembling import companion_files, join, programme_audio
from clipmill_job.assembling.size_limit import smaller
from clipmill_job.errors import NvencFailed, TryAgain
from clipmill_job.rendering.encoders import by_cpu, wants_nvenc
from clipmill_job.rendering.render_task import Progress, Work, make

RENDER_SHARE = 85.0
"""Percent of an output's work that rendering counts for."""


def assemble(work: Work, outputs: Sequence[OutputAssignment]) -> list[OutputResult]:
    """Do an assemble part: one finished video for each output. The CPU stands in for NVENC."""
    if wants_nvenc(_missing(outputs)) and not work.encoders.has_nvenc():
        outputs = [by_cpu(output) for output in outputs]
    try:
        return _assemble(work, outputs)
    except NvencFailed as error:
        work.encoders.nvenc_failed()
        work.beat.progress(0, f"NVENC failed, the CPU does it all: {error}"[:300])
    return _assemble(work, [by_cpu(output) for output in outputs])


def _assemble(work: Work, outputs: Sequence[OutputAssignment]) -> list[OutputResult]:
    segments = [segment for output in outputs for segment in output.segments]
    # Outputs of one form share segments: one place for all of them.
    made: dict[str, Path] = {}
    rendered: set[str] = set()
    missing = _missing(outputs)
    share = RENDER_SHARE * len(missing) / max(1, len({segment.key for segment in segments}))
    spent: dict[str, float] = {}

    def keep(segment: Segment, path: Path) -> None:
        made[segment.key] = path
        rendered.add(segment.key)

    with _timed(spent, "render"):
        work.beat.progress(0, f"rendering {len(missing)} of {len(segments)} segments")
        make(work, missing, then=keep, progress=Progress(work.beat, missing, share=share))
    return [_output(work, output, made, rendered, dict(spent)) for output in outputs]


def _missing(outputs: Sequence[OutputAssignment]) -> list[Segment]:
    wanted = {
        segment.key: segment
        for output in outputs
        for segment in output.segments
        if segment.key not in output.existing
    }
    return list(wanted.values())


@contextmanager
def _timed(spent: dict[str, float], step: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    spent[step] = round(spent.get(step, 0.0) + time.monotonic() - began, 3)


def _output(
    work: Work,
    output: OutputAssignment,
    made: dict[str, Path],
    rendered: set[str],
    spent: dict[str, float],
) -> OutputResult:
    folder = work.folder / f"output-{output.name}"
    folder.mkdir(exist_ok=True)
    form = output.segments[0].profile
    video = folder / f"{output.name}.{form.container}"
    with _timed(spent, "download"):
        parts = [(segment, _here(work, segment, made)) for segment in output.segments]
    with _timed(spent, "sound"):
        samples = join.samples(parts, folder / "programme.f32")
        audio, level = programme_audio.encode(work, output, folder / "programme.f32", samples)
    with _timed(spent, "join"):
        join.mux(parts, audio, video, record=output.record)
        while _too_large(output, video):
            with _timed(spent, "smaller"):
                parts = smaller(work, output, parts, video, audio)
            join.mux(parts, audio, video, record=output.record)
    frames = sum(segment.frames for segment in output.segments)
    work.beat.progress(90, f"{output.name}: {frames} frames joined, sending them up")
    media_id, sent = _sent(work, output, video, level, spent)
    return OutputResult(
        name=output.name,
        container=form.container,
        media_id=media_id,
        frames=frames,
        duration_us=round(samples * 1_000_000 / AUDIO_RATE)
        if samples
        else frames * 10**6 // form.rate,
        loudness_lufs=level.lufs,
        segments=_counts(output, rendered),
        spent_s=spent,
    ).model_copy(update=sent)


def _sent(
    work: Work, output: OutputAssignment, video: Path, level: Level, spent: dict[str, float]
) -> tuple[str, dict[str, str]]:
    """The video's media id and those of what comes with it, made while the video is sent."""
    frames = sum(segment.frames for segment in output.segments)
    with ThreadPoolExecutor(2) as senders:
        right = senders.submit(_check, video, frames)
        whole = senders.submit(_send, work, output, video, MediaKind.COMPILATION)
        with _timed(spent, "extras"):
            made_with = companion_files.make(work, output, video, level)
        sending = {
            file.field: senders.submit(_send, work, output, path, file.kind)
            for file, path in made_with.items()
        }
        with _timed(spent, "upload"):
            right.result()
            return whole.result(), {field: one.result() for field, one in sending.items()}


def _too_large(output: OutputAssignment, video: Path) -> bool:
    return output.max_bytes is not None and video.stat().st_size > output.max_bytes


def _here(work: Work, segment: Segment, made: dict[str, Path]) -> Path:
    """The file of a segment: rendered just now, or fetched from the API."""
    if segment.key not in made:
        work.beat.check()
        path = work.folder / f"{segment.key}.mov"
        work.client.download_segment(segment.key, path)
        made[segment.key] = path
    return made[segment.key]


def _check(video: Path, frames: int) -> None:
    """Whether so many frames are really in the file: our own, so no fence. Raises TryAgain."""
    try:
        found = join.frames(video)
    except av.FFmpegError as error:
        raise TryAgain("BrokenOutput", f"{video.name}: {error}") from error
    if found != frames:
        raise TryAgain("BrokenOutput", f"{found} frames were joined instead of {frames}")


def _send(work: Work, output: OutputAssignment, path: Path, kind: MediaKind) -> str:
    request = UploadRequest(
        purpose=UploadPurpose.OUTPUT,
        kind=kind,
        filename=path.name,
        size_bytes=path.stat().st_size,
        sha256=sha256_of(path),
        output=output.name,
        index=work.order.index,
        epoch=work.order.epoch,
    )
    return str(work.client.upload(path, request).media_id)


def _counts(output: OutputAssignment, rendered: set[str]) -> SegmentCounts:
    total = len(output.segments)
    new = sum(segment.key in rendered for segment in output.segments)
    return SegmentCounts(total=total, reused=total - new, rendered=new)
