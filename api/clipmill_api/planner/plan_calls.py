"""Calls that plan: each says how much there is to plan, and returns its reply as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from clipmill.protocol import Plan
from clipmill.spec import CompilationSpec
from clipmill_api.accounts import quota_checks
from clipmill_api.compilations import plan_reader, resolution, submission
from clipmill_api.context import Context
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.queries import revisions

# Planning fewer items takes less than 20 ms of processor time.
MIN_ITEMS = 400


class PlanCall(Protocol):
    """A call that plans. It can be pickled, and changes nothing."""

    def count_items(self, ctx: Context, /) -> int:
        """Return clips x outputs. Raise ApiProblem if there is nothing to plan."""

    def run(self, ctx: Context) -> bytes:
        """Return the reply as JSON. Raise ApiProblem."""


def answer(ctx: Context, call: PlanCall) -> bytes:
    """Return the reply of a call as JSON: a small one's at once, others' from the process.

    Raises:
        ApiProblem: A refusal of the call, or 503 PlannerBusy.
    """
    if call.count_items(ctx) < MIN_ITEMS:
        return call.run(ctx)
    return ctx.plan_process.run(call, ctx.now())


@dataclass(frozen=True, slots=True)
class DryRun:
    """Plan a spec that is not submitted."""

    owner: str
    spec: CompilationSpec

    def count_items(self, _: Context, /) -> int:
        """Return clips x outputs."""
        return len(self.spec.clips) * len(self.spec.outputs)

    def run(self, ctx: Context) -> bytes:
        """Return the plan. Raise what a submission would raise."""
        with ctx.db.read() as session:
            quota_checks.refuse_too_many_clips(session, self.owner, self.spec)
            resolved = resolution.resolve_spec(session, ctx, self.owner, self.spec)
            return _dump(plan_reader.dry_run_plan(session, ctx, self.owner, resolved))


@dataclass(frozen=True, slots=True)
class _StoredCall:
    """A call about the newest generation of an owner's compilation."""

    owner: str
    compilation_id: str

    def count_items(self, ctx: Context, /) -> int:
        """Return clips x outputs. Raise 404."""
        with ctx.db.read() as session:
            row = submission.own_compilation(session, self.owner, self.compilation_id)
            spec = revisions.get_revision(session, row.id, row.generation).spec
        return len(spec["clips"]) * len(spec["outputs"])


@dataclass(frozen=True, slots=True)
class StoredPlan(_StoredCall):
    """Plan a compilation."""

    def run(self, ctx: Context) -> bytes:
        """Return the plan. Raise 404."""
        with ctx.db.read() as session:
            row = submission.own_compilation(session, self.owner, self.compilation_id)
            return _dump(plan_reader.read_plan(session, ctx, row))


@dataclass(frozen=True, slots=True)
class StoredTimeline(_StoredCall):
    """Export the timeline of an output, by default the first, as OpenTimelineIO."""

    output: str | None

    def run(self, ctx: Context) -> bytes:
        """Return the timeline. Raise 404, or 409 while clips are fetched."""
        with ctx.db.read() as session:
            row = submission.own_compilation(session, self.owner, self.compilation_id)
            outputs = resolution.plan_or_refuse(
                resolution.load_resolved_spec(session, row, row.generation)
            )
        planned = next((o for o in outputs if self.output in (None, o.spec.name)), None)
        if planned is None:
            raise not_found("output", str(self.output))
        timeline = planned.timeline
        if not timeline.exact:
            detail = "the timeline is an estimate until all clips have been fetched"
            raise ApiProblem(409, "NotReady", detail)
        from clipmill.otio.exporter import export_otio  # noqa: PLC0415  it loads OpenTimelineIO

        return export_otio(planned.record, timeline.items, timeline.profile).encode()


def _dump(plan: Plan) -> bytes:
    return plan.model_dump_json(by_alias=True).encode()
