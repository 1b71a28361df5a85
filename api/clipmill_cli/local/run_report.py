"""The contents of report.json, from the final view of a compilation and its plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clipmill.protocol import CompilationView, OutputPlan, OutputResult, Plan

Report = dict[str, Any]
# File names by label, by output name.
OutputFiles = Mapping[str, Mapping[str, str]]


def run_report(
    view: CompilationView, plan: Plan, *, spent_s: Mapping[str, float], files: OutputFiles
) -> Report:
    """Return the report of a finished run.

    Args:
        spent_s: seconds by stage.
        files: the downloaded files of each output.
    """
    plans = {output.name: output for output in plan.outputs}
    return {
        "id": view.id,
        "name": view.name,
        "generation": view.generation,
        "state": view.state.value,
        "reason": view.reason,
        "message": view.message,
        "degraded": view.degraded,
        "clips": _as_json(view.clips),
        "outputs": [
            _output(result, plans.get(result.name), files.get(result.name, {}))
            for result in view.outputs
        ],
        "segments": total_segments(view),
        "seconds": {stage: round(seconds, 3) for stage, seconds in spent_s.items()},
    }


def total_segments(view: CompilationView) -> dict[str, int]:
    """Return the segment counts of all outputs together."""
    counts = [output.segments.model_dump() for output in view.outputs]
    return {kind: sum(count[kind] for count in counts) for kind in ("total", "reused", "rendered")}


def _output(result: OutputResult, plan: OutputPlan | None, files: Mapping[str, str]) -> Report:
    report = {
        "name": result.name,
        "files": dict(files),
        "frames": result.frames,
        "durationSeconds": result.duration_us / 1_000_000,
        "sizeBytes": result.size_bytes,
        "sha256": result.sha256,
        "loudnessLufs": result.loudness_lufs,
        "segments": result.segments.model_dump(by_alias=True),
        "seconds": result.spent_s,
    }
    return report | (_planned(plan) if plan else {})


def _planned(plan: OutputPlan) -> Report:
    return {
        "width": plan.profile.width,
        "height": plan.profile.height,
        "rate": plan.profile.rate,
        "notes": plan.notes,
        "chapters": _as_json(plan.chapters),
        "credits": _as_json(plan.credits),
        "timeline": _as_json(plan.items),
    }


def _as_json(models: list[Any]) -> list[Report]:
    return [model.model_dump(mode="json", by_alias=True) for model in models]
