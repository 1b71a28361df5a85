"""The manifest of a result: every file, segment and program that it was made of, with hashes."""

from __future__ import annotations

from typing import Any, NamedTuple

from clipmill.protocol import Assignment, OutputAssignment
from clipmill.protocol.result_record import ResultRecord
from clipmill.timeline.segments import RENDERER


class FinishedFile(NamedTuple):
    """The finished file, as its job measured it."""

    name: str
    size_bytes: int
    sha256: str
    frames: int
    lufs: float | None
    true_peak_dbtp: float | None


class ProgramVersions(NamedTuple):
    """What rendered it."""

    clipmill: str
    ffmpeg: str


def build_provenance(
    order: Assignment, output: OutputAssignment, finished: FinishedFile, programs: ProgramVersions
) -> dict[str, Any]:
    """The manifest, ready to be written as JSON. Times in frames of the output's rate."""
    record = output.record
    form = output.segments[0].profile
    return {
        "apiVersion": "clipmill.dev/v1alpha1",
        "kind": "ResultManifest",
        "compilation": {"id": order.compilation_id, "generation": order.generation},
        "output": output.name,
        "title": record.title,
        "renderer": {"version": RENDERER, **programs._asdict()},
        "profile": form.model_dump(mode="json", by_alias=True),
        "sources": _sources(record, output),
        "timeline": [_shot(shot.model_dump(mode="json", by_alias=True)) for shot in record.items],
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


def _shot(shot: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in shot.items() if value is not None}


def _sources(record: ResultRecord, output: OutputAssignment) -> list[dict[str, Any]]:
    """Each file that went in, once: clips and assets, the music, images drawn over the picture."""
    found: dict[str, dict[str, Any]] = {}
    for shot in record.items:
        if shot.sha256:
            known = found.setdefault(shot.sha256, {"sha256": shot.sha256, "kind": shot.kind})
            known |= {"url": shot.url} if shot.url else {}
            known |= {"mediaId": shot.media_id} if shot.media_id else {}
    if record.music:
        about = {"kind": "music", "mediaId": record.music.media_id}
        found.setdefault(record.music.sha256, {"sha256": record.music.sha256, **about})
    for sha256 in _images(output):
        found.setdefault(sha256, {"sha256": sha256, "kind": "image"})
    return list(found.values())


def _images(output: OutputAssignment) -> list[str]:
    layers = (layer for segment in output.segments for layer in segment.layers())
    return [image.sha256 for layer in layers for image in layer.images()]
