"""Plans, Jobs and pods for tests of the operator's decisions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from clipmill.protocol import (
    ClipState,
    ClipStatus,
    CompilationState,
    OutputResult,
    Plan,
    QuotaEffect,
    SegmentCounts,
    TaskCounts,
)
from clipmill_operator.reconciling.actions import Decision, PlanResponse
from clipmill_operator.reconciling.decide import decide
from clipmill_operator.settings import Settings
from clipmill_operator.watching.observed import Children, ObservedCompilation, ObservedJob
from clipmill_operator.watching.observed_pod import ObservedPod

NOW = "2026-01-01T00:00:00Z"
LATER = "2026-01-01T01:00:00Z"
COMPILATION = ObservedCompilation("default", "demo", "uid-1", 1, NOW, {}, {})
SETTINGS = Settings(
    api_url="http://api:8080",
    operator_key="cm_o_key",
    job_image="clipmill-job:1",
    namespace="clipmill",
    api_pod_labels={"app.kubernetes.io/component": "api"},
)
UNLIMITED = QuotaEffect(estimated_seconds=9, remaining_seconds=None, limit_seconds=None)


def clip(name: str, state: str = "Waiting", **fields: Any) -> ClipStatus:
    """Return one clip of a plan."""
    return ClipStatus(id="k-abcd", name=name, state=ClipState(state), **fields)


def plan(state: CompilationState, *clips: ClipStatus, **fields: Any) -> Plan:
    """Return a plan of generation 1 with three clips, or with other values."""
    return Plan(
        compilation_id="c-abcd",
        generation=fields.pop("generation", 1),
        state=state,
        clips=list(clips) or [clip("a"), clip("b", "Ready"), clip("c")],
        outputs=[],
        quota=UNLIMITED,
        **fields,
    )


FETCHING = plan(CompilationState.FETCHING, tasks=TaskCounts(fetch=2), to_fetch=[0, 1])
RENDERING = plan(
    CompilationState.RENDERING, clip("a", "Ready"), segments=SegmentCounts(total=5, reused=3)
)
MANY_SEGMENTS = plan(
    CompilationState.RENDERING,
    clip("a", "Ready"),
    segments=SegmentCounts(total=40, reused=10),
    tasks=TaskCounts(render=5),
)
SUCCEEDED = plan(
    CompilationState.SUCCEEDED,
    clip("a", "Ready"),
    percent=100,
    segments=SegmentCounts(total=5, reused=3, rendered=2),
    results=[OutputResult(name="main", media_id="m-abcd", frames=60, duration_us=2_000_000)],
)
FAILED = plan(CompilationState.FAILED, reason="TooFewClips", message="1 of 3")


def job(stage: str, **fields: Any) -> ObservedJob:
    """Return an active Job of generation 1."""
    active = ObservedJob("default", f"demo-{stage}", f"uid-{stage}", "uid-1", stage, 1)
    return replace(active, **fields)


def pod(stage: str, name: str = "p0", **fields: Any) -> ObservedPod:
    """Return a pending pod of that Job."""
    pending = ObservedPod("default", name, f"demo-{stage}", "uid-1", 1, 0, "Pending")
    return replace(pending, **fields)


def children(*objects: ObservedJob | ObservedPod) -> Children:
    """Return the children of a Compilation."""
    jobs = tuple(child for child in objects if isinstance(child, ObservedJob))
    return Children(jobs, tuple(child for child in objects if isinstance(child, ObservedPod)))


def decision_on(
    response: Plan | PlanResponse,
    observed: Children,
    compilation: ObservedCompilation = COMPILATION,
    **arguments: Any,
) -> Decision:
    """Return the decision with usual settings."""
    if isinstance(response, Plan):
        response = PlanResponse(owner="ada", plan=response)
    usual = {"own_wait": None, "render_from_segments": 24, "now": NOW}
    return decide(compilation, observed, response, **usual | arguments)
