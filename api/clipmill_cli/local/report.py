"""What a run leaves in report.json: pure, from the API's last words about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clipmill.protocol import ClipStatus, CompilationView, OutputPlan, OutputResult, Plan

Report = dict[str, Any]


def report(
    view: CompilationView,
    plan: Plan,
    *,
    spent_s: Mapping[str, float],
    files: Mapping[str, Mapping[str, str]],
) -> Report:
    """The report of an ended run. `files`: by output, the names of what was left in the folder."""
    plans = {output.name: output for output in plan.outputs}
    return {
        "id": view.id,
        "name": view.name,
        "generation": view.generation,
        "state": view.state.value,
        "reason": view.reason,
        "message": view.message,
        "degraded": view.degraded,
        "clips": [_clip(clip) for clip in view.clips],
        "outputs": [_output(one, plans.get(one.name), files) for one in view.outputs],
        "segments": segments(view),
        "seconds": {stage: round(seconds, 3) for stage, seconds in spent_s.items()},
    }


def segments(view: CompilationView) -> dict[str, int]:
    """Segments of all outputs together."""
    counts = [output.segments.model_dump() for output in view.outputs]
    return {kind: sum(count[kind] for count in counts) for kind in ("total", "reused", "rendered")}


def _clip(clip: ClipStatus) -> Report:
    return clip.model_dump(mode="json", by_alias=True)


def _output(
    result: OutputResult, plan: OutputPlan | None, files: Mapping[str, Mapping[str, str]]
) -> Report:
    found = {
        "name": result.name,
        "files": dict(files.get(result.name, {})),
        "frames": result.frames,
        "durationSeconds": result.duration_us / 1_000_000,
        "sizeBytes": result.size_bytes,
        "sha256": result.sha256,
        "loudnessLufs": result.loudness_lufs,
        "segments": result.segments.model_dump(by_alias=True),
        "seconds": result.spent_s,
    }
    if plan is None:
        return found
    form = plan.profile
    entries = [entry.model_dump(mode="json", by_alias=True) for entry in plan.entries]
    size = {"width": form.width, "height": form.height, "rate": form.rate}
    return found | size | _said(plan) | {"timeline": entries}


def _said(plan: OutputPlan) -> Report:
    """Notes, and what belongs into a description: chapters and credits."""
    return {
        "notes": plan.notes,
        "chapters": [one.model_dump(mode="json", by_alias=True) for one in plan.chapters],
        "credits": [one.model_dump(mode="json", by_alias=True) for one in plan.credits],
    }
