"""From rows to the plan that a person or the operator reads: first read, then drawn.

Drawing needs no database: nobody waits for it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy.orm import Session

from clipmill.protocol import (
    TERMINAL_STATES,
    ClipState,
    OutputResult,
    Plan,
    QuotaEffect,
    SegmentCounts,
    CompilationState,
    TaskCounts,
)
from clipmill.timeline.build import InvalidTimeline
from clipmill_api.compilations import admission, lifecycle, planning
from clipmill_api.compilations.planning import Known, Planned
from clipmill_api.compilations.responses import clip_status, eta_of
from clipmill_api.context import Context
from clipmill_api.queries import media_library, quota_ledger, revisions
from clipmill_api.tables import ClipRow, CompilationRow, RevisionRow


class Read(NamedTuple):
    """All that a plan is drawn from."""

    revision: RevisionRow
    planned: Planned
    effect: QuotaEffect


def plan(session: Session, ctx: Context, row: CompilationRow) -> Plan:
    """What is happening to the newest generation."""
    return drawn(ctx, read(session, ctx, row))


def read(
    session: Session, ctx: Context, row: CompilationRow, planned: Planned | None = None
) -> Read:
    """What the plan of the newest generation needs; `planned`: what this transaction planned."""
    revision = revisions.revision(session, row.id, row.generation)
    if planned is None:
        planned = _planned(session, row.owner, lifecycle.known_of(session, row, revision))
        held = quota_ledger.reservation(session, row.id, row.generation)
        seconds = held.seconds if held else 0
    else:
        seconds = planning.seconds(planned.made)
    return Read(revision, planned, admission.quota_effect(session, ctx, row.owner, seconds))


def drawn(ctx: Context, given: Read) -> Plan:
    """The plan."""
    revision, found = given.revision, _plan(ctx, given.planned, given.effect)
    ended = CompilationState(revision.state) in TERMINAL_STATES
    return found.model_copy(
        update={
            "compilation_id": revision.compilation_id,
            "generation": revision.generation,
            "state": CompilationState(revision.state),
            "reason": revision.reason,
            "message": revision.message,
            "percent": revision.percent,
            "eta": eta_of(revision),
            "segments": _segments(found.segments, revision),
            "results": [OutputResult.model_validate(output) for output in revision.outputs],
            "to_fetch": [] if ended else found.to_fetch,
        }
    )


def _segments(now: SegmentCounts, revision: RevisionRow) -> SegmentCounts:
    """Those that existed when rendering began count as reused, the others since as rendered."""
    if CompilationState(revision.state) is CompilationState.FETCHING:
        return now
    reused = min(revision.segments_reused, now.total)
    there = now.total if CompilationState(revision.state) is CompilationState.SUCCEEDED else now.reused
    return SegmentCounts(total=now.total, reused=reused, rendered=max(0, there - reused))


def dry_run(session: Session, ctx: Context, owner: str, known: Known) -> Plan:
    """What would happen to a spec. Raises the refusals that submitting it would raise."""
    planned = Planned(known, admission.outputs(known))
    effect = admission.quota_effect(session, ctx, owner, planning.seconds(planned.made))
    existing = media_library.existing_segments(session, owner, planned.keys)
    return _plan(ctx, planned._replace(existing=existing), effect)


def _planned(session: Session, owner: str, known: Known) -> Planned:
    """Without outputs, where no timeline can be built of it any more."""
    try:
        planned = Planned(known, planning.outputs(known))
    except InvalidTimeline:
        planned = Planned(known, ())
    return planned._replace(existing=media_library.existing_segments(session, owner, planned.keys))


def _plan(ctx: Context, planned: Planned, effect: QuotaEffect) -> Plan:
    known, made, existing = planned
    keys, waiting, existing = planned.keys, known.waits, existing or ()
    reused = 0 if waiting else sum(key in existing for key in keys)
    return Plan(
        compilation_id=None,
        generation=0,
        state=CompilationState.PENDING,
        clips=[clip_status(ctx, clip) for clip in known.clips],
        outputs=[planning.output_plan(one, existing, waiting=waiting) for one in made],
        quota=effect,
        segments=SegmentCounts(total=len(keys), reused=reused),
        tasks=_parts(known.clips, () if waiting else keys),
        to_fetch=to_fetch(known.clips),
    )


def to_fetch(clips: Sequence[ClipRow]) -> list[int]:
    """Parts whose clips are still to be fetched."""
    waiting = [clip.task_index for clip in clips if clip.state == ClipState.WAITING]
    return sorted(part for part in waiting if part is not None)


def _parts(clips: Sequence[ClipRow], keys: Collection[str]) -> TaskCounts:
    """How many tasks each stage has; `keys`: the segments, once they are known."""
    return TaskCounts(
        fetch=sum(clip.task_index is not None for clip in clips),
        render=math.ceil(len(keys) / planning.SHARD),
    )
