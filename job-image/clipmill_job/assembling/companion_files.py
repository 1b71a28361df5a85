"""What comes with a finished video: pictures of it, chapters, credits, and what it was made of."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

from clipmill.artifacts.chapters import chapters, chapters_text
from clipmill.artifacts.credit_list import credits_text
from clipmill.artifacts.provenance import Finished, Programs, provenance
from clipmill.artifacts.storyboard import vtt
from clipmill.ffmpeg.ebur128 import Level
from clipmill.protocol import MediaKind, OutputAssignment
from clipmill.protocol.result_files import RESULT_FILES, ResultFile
from clipmill_client.transfer import sha256_of
from clipmill_job import ffmpeg_binary
from clipmill_job.assembling import stills
from clipmill_job.rendering.render_task import Work


def make(work: Work, output: OutputAssignment, video: Path, level: Level) -> dict[ResultFile, Path]:
    """Every file of RESULT_FILES, beside the video."""
    found = {file: video.with_name(file.name(output.name)) for file in RESULT_FILES}
    paths = {file.kind: path for file, path in found.items()}
    record = output.record
    board = paths[MediaKind.STORYBOARD]
    frames = sum(segment.frames for segment in output.segments)
    rate = output.segments[0].profile.rate
    stills.thumbnail(video, paths[MediaKind.THUMBNAIL])
    grid = stills.storyboard(video, board, frames=frames, rate=rate)
    texts = {
        MediaKind.STORYBOARD_CUES: vtt(grid, board.name),
        MediaKind.CHAPTERS: chapters_text(chapters(record), record.rate),
        MediaKind.CREDITS: credits_text(record),
        MediaKind.MANIFEST: _manifest(work, output, video, level),
    }
    for kind, text in texts.items():
        paths[kind].write_text(text, encoding="utf-8")
    return found


def _manifest(work: Work, output: OutputAssignment, video: Path, level: Level) -> str:
    finished = Finished(
        name=video.name,
        size_bytes=video.stat().st_size,
        sha256=sha256_of(video),
        frames=sum(segment.frames for segment in output.segments),
        lufs=level.lufs,
        true_peak_dbtp=level.peak_dbtp,
    )
    programs = Programs(
        clipmill=version("clipmill"), ffmpeg=ffmpeg_binary.version_line(work.ffmpeg)
    )
    made = provenance(work.order, output, finished, programs)
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"
