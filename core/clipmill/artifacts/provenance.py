"""Build the result manifest: every file, segment and program that a result was made of."""

from __future__ import annotations

from typing import Any, NamedTuple

from clipmill.protocol import Assignment, OutputAssignment
from clipmill.protocol.result_record import ResultRecord
from clipmill.timeline.segments import RENDERER


class FinishedFile(NamedTuple):
    """The finished video file, as its job measured it."""

    name: str
    size_bytes: int
    sha256: str
    frames: int
    lufs: float | None
    true_peak_dbtp: float | None


class ProgramVersions(NamedTuple):
    """Versions of the programs that rendered the result."""

    clipmill: str
    ffmpeg: str


def build_provenance(
    assignment: Assignment,
    output: OutputAssignment,
    finished: FinishedFile,
    programs: ProgramVersions,
) -> dict[str, Any]:
    """Return the result manifest as a JSON object. Times are in frames of the output's rate."""
    record = output.record
    return {
        "apiVersion": "clipmill.dev/v1alpha1",
        "kind": "ResultManifest",
        "compilation": {"id": assignment.compilation_id, "generation": assignment.generation},
        "output": output.name,
        "title": record.title,
        "renderer": {"version": RENDERER, **programs._asdict()},
        "profile": output.segments[0].profile.model_dump(mode="json", by_alias=True),
        "sources": _sources(record, output),
        "timeline": [
            item.model_dump(mode="json", by_alias=True, exclude_none=True) for item in record.items
        ],
        "music": record.music.model_dump(mode="json", by_alias=True) if record.music else None,
        "segments": [{"key": segment.key, "frames": segment.frames} for segment in output.segments],
        "loudness": {
            "targetLufs": output.loudness_lufs,
            "truePeakLimitDbtp": output.true_peak_dbtp,
            "lufs": finished.lufs,
            "truePeakDbtp": finished.true_peak_dbtp,
        },
        "file": {
            "name": finished.name,
            "sizeBytes": finished.size_bytes,
            "sha256": finished.sha256,
            "frames": finished.frames,
        },
    }


def _sources(record: ResultRecord, output: OutputAssignment) -> list[dict[str, Any]]:
    """Return each source file once: clips and assets, the music, images over the picture."""
    sources: dict[str, dict[str, Any]] = {}
    for item in record.items:
        if item.sha256:
            source = sources.setdefault(item.sha256, {"sha256": item.sha256, "kind": item.kind})
            source |= {"url": item.url} if item.url else {}
            source |= {"mediaId": item.media_id} if item.media_id else {}
    if record.music:
        music = {"kind": "music", "mediaId": record.music.media_id}
        sources.setdefault(record.music.sha256, {"sha256": record.music.sha256, **music})
    for sha256 in _image_hashes(output):
        sources.setdefault(sha256, {"sha256": sha256, "kind": "image"})
    return list(sources.values())


def _image_hashes(output: OutputAssignment) -> list[str]:
    layers = (layer for segment in output.segments for layer in segment.layers())
    return [image.sha256 for layer in layers for image in layer.images()]
