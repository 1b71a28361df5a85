"""Create the companion files of a finished video: stills, chapters, credits and manifest."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from clipmill.artifacts.chapters import build_chapters, chapters_text
from clipmill.artifacts.credit_list import credits_text
from clipmill.artifacts.provenance import FinishedFile, ProgramVersions, build_provenance
from clipmill.artifacts.storyboard import storyboard_vtt
from clipmill.ffmpeg.ebur128 import Loudness
from clipmill.protocol import MediaKind, OutputAssignment
from clipmill.protocol.companion_kinds import COMPANION_FILES, CompanionFile
from clipmill_job.assembling.stills import save_storyboard, save_thumbnail
from clipmill_job.task_context import TaskContext


def create_companion_files(
    context: TaskContext,
    output: OutputAssignment,
    video: Path,
    loudness: Loudness,
    video_sha256: Callable[[], str],
) -> dict[CompanionFile, Path]:
    """Write every file of COMPANION_FILES beside the video and return their paths.

    Args:
        context: The task's.
        output: What was assembled.
        video: The finished video.
        loudness: Its loudness as measured.
        video_sha256: Waits for its SHA-256, which another thread computes meanwhile.
    """
    files = {file: video.with_name(file.name(output.name)) for file in COMPANION_FILES}
    paths = {file.kind: path for file, path in files.items()}
    save_thumbnail(video, paths[MediaKind.THUMBNAIL])
    cues = _save_storyboard(output, video, paths[MediaKind.STORYBOARD])
    record = output.record
    texts = {
        MediaKind.STORYBOARD_CUES: cues,
        MediaKind.CHAPTERS: chapters_text(build_chapters(record), record.rate),
        MediaKind.CREDITS: credits_text(record),
        MediaKind.MANIFEST: _manifest(context, output, video, loudness, video_sha256()),
    }
    for kind, text in texts.items():
        paths[kind].write_text(text, encoding="utf-8")
    return files


def _save_storyboard(output: OutputAssignment, video: Path, path: Path) -> str:
    """Write the storyboard and return its cues."""
    frames = sum(segment.frames for segment in output.segments)
    grid = save_storyboard(video, path, frames=frames, rate=output.segments[0].profile.rate)
    return storyboard_vtt(grid, path.name)


def _manifest(
    context: TaskContext, output: OutputAssignment, video: Path, loudness: Loudness, sha256: str
) -> str:
    file = FinishedFile(
        name=video.name,
        size_bytes=video.stat().st_size,
        sha256=sha256,
        frames=sum(segment.frames for segment in output.segments),
        lufs=loudness.lufs,
        true_peak_dbtp=loudness.peak_dbtp,
    )
    versions = ProgramVersions(clipmill=version("clipmill"), ffmpeg=context.ffmpeg.version)
    manifest = build_provenance(context.assignment, output, file, versions)
    return json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
