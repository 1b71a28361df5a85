"""Rows as people and the operator read them."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from clipmill.contract import (
    ENDS,
    Account,
    Active,
    ClipState,
    ClipStatus,
    CompilationSpec,
    CompilationView,
    MediaFacts,
    MediaKind,
    OutputResult,
    PartCounts,
    PieceCounts,
    Plan,
    QuotaEffect,
    State,
    Submission,
    UsedIn,
    Wanted,
)
from clipmill.contract import Media as MediaView
from clipmill.eta import eta
from clipmill.sources import host_port_of
from clipmill.timeline import InvalidTimeline
from clipmill_api import admission, lifecycle, planning
from clipmill_api.context import Context
from clipmill_api.planning import Known
from clipmill_api.queries import library, parts, people, quota, revisions
from clipmill_api.tables import ClipRow, Compilation, Media, ResultMedia, Revision


def clip_status(ctx: Context, row: ClipRow) -> ClipStatus:
    """One clip; a private address that a setting lets in is said."""
    note = None
    if row.url and host_port_of(row.url) in ctx.settings.allow_private:
        note = f"{host_port_of(row.url)} is private and let in by CLIPMILL_ALLOW_PRIVATE"
    return ClipStatus(
        id=row.id,
        name=row.name,
        state=ClipState(row.state),
        media_id=row.media_id,
        reason=row.reason,
        message=row.message,
        reused=bool(row.reused),
        url=row.url,
        note=note,
    )


def compilation(
    ctx: Context,
    row: Compilation,
    revision: Revision,
    clips: Sequence[ClipRow],
    log: Sequence[str] = (),
) -> CompilationView:
    """A compilation with its newest generation."""
    return CompilationView(
        id=row.id,
        name=row.name,
        namespace=row.namespace,
        owner=row.owner,
        generation=revision.generation,
        state=State(revision.state),
        stage=revision.stage,
        percent=revision.percent,
        eta=_eta(revision),
        reason=revision.reason,
        message=revision.message,
        degraded=any(clip.state == ClipState.SKIPPED for clip in clips),
        clips=[clip_status(ctx, clip) for clip in clips],
        outputs=[OutputResult.model_validate(output) for output in revision.outputs],
        log=list(log),
        created_at=row.created_at,
        completed_at=revision.completed_at,
    )


def _eta(revision: Revision) -> str | None:
    """When a generation that renders will have ended, to the second."""
    began, reached = revision.rendering_at, revision.reached_at
    if State(revision.state) is not State.RENDERING or began is None or reached is None:
        return None
    found = eta(datetime.fromisoformat(began), datetime.fromisoformat(reached), revision.percent)
    return found.strftime("%Y-%m-%dT%H:%M:%SZ") if found else None


def active(ctx: Context, row: Compilation, revision: Revision, clips: Sequence[ClipRow]) -> Active:
    """A compilation that the operator has to see to, with the uid that it asks by."""
    seen = compilation(ctx, row, revision, clips)
    return Active(uid=row.uid, **dict(seen))


def submission(row: Compilation, revision: Revision) -> Submission:
    """What the operator is to do with a resource."""
    return Submission(
        id=row.id,
        uid=row.uid,
        wanted=Wanted(row.outbox or ""),
        namespace=row.namespace,
        name=row.name,
        owner=row.owner,
        spec=CompilationSpec.model_validate(revision.spec),
    )


def newest(session: Session, ctx: Context, row: Compilation) -> CompilationView:
    """A compilation as it is now."""
    revision = revisions.revision(session, row.id, row.generation)
    clips = revisions.clips(session, row.id, row.generation)
    log = parts.log(session, row.id, row.generation)
    return compilation(ctx, row, revision, clips, log)


def plan(session: Session, ctx: Context, row: Compilation) -> Plan:
    """What is happening to the newest generation."""
    revision = revisions.revision(session, row.id, row.generation)
    known = lifecycle.known(session, row, row.generation)
    held = quota.reservation(session, row.id, row.generation)
    effect = admission.quota_effect(session, ctx, row.owner, held.seconds if held else 0)
    found = _plan(session, ctx, row.owner, known, effect)
    ended = State(revision.state) in ENDS
    return found.model_copy(
        update={
            "compilation_id": row.id,
            "generation": row.generation,
            "state": State(revision.state),
            "reason": revision.reason,
            "message": revision.message,
            "percent": revision.percent,
            "eta": _eta(revision),
            "pieces": _pieces(found.pieces, revision),
            "results": [OutputResult.model_validate(output) for output in revision.outputs],
            "to_fetch": [] if ended else found.to_fetch,
        }
    )


def _pieces(now: PieceCounts, revision: Revision) -> PieceCounts:
    """Those that existed when rendering began count as reused, the others since as rendered."""
    if State(revision.state) is State.FETCHING:
        return now
    reused = min(revision.pieces_reused, now.total)
    there = now.total if State(revision.state) is State.SUCCEEDED else now.reused
    return PieceCounts(total=now.total, reused=reused, rendered=max(0, there - reused))


def dry_run(session: Session, ctx: Context, owner: str, known: Known) -> Plan:
    """What would happen to a spec. Raises the refusals that submitting it would raise."""
    made = admission.outputs(known)
    effect = admission.quota_effect(session, ctx, owner, planning.seconds(made))
    return _plan(session, ctx, owner, known, effect)


def _plan(session: Session, ctx: Context, owner: str, known: Known, effect: QuotaEffect) -> Plan:
    try:
        made = planning.outputs(known)
    except InvalidTimeline:
        made = []
    keys = {piece.key for one in made for piece in one.pieces}
    existing = library.existing_pieces(session, owner, keys)
    waiting = any(clip.state == ClipState.WAITING for clip in known.clips)
    reused = 0 if waiting else sum(key in existing for key in keys)
    return Plan(
        compilation_id=None,
        generation=0,
        state=State.PENDING,
        clips=[clip_status(ctx, clip) for clip in known.clips],
        outputs=[planning.output_plan(one, existing, waiting=waiting) for one in made],
        quota=effect,
        pieces=PieceCounts(total=len(keys), reused=reused),
        parts=_parts(known.clips, () if waiting else keys),
        to_fetch=to_fetch(known.clips),
    )


def to_fetch(clips: Sequence[ClipRow]) -> list[int]:
    """Parts whose clips are still to be fetched."""
    waiting = [clip.part for clip in clips if clip.state == ClipState.WAITING]
    return sorted(part for part in waiting if part is not None)


def _parts(clips: Sequence[ClipRow], keys: Collection[str]) -> PartCounts:
    """How many parts each stage has; `keys`: the pieces, once they are known."""
    return PartCounts(
        fetch=sum(clip.part is not None for clip in clips),
        render=math.ceil(len(keys) / planning.SHARD),
    )


def media(row: Media) -> MediaView:
    """A media file."""
    return MediaView(
        id=row.id,
        kind=MediaKind(row.kind),
        filename=row.filename,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        facts=MediaFacts.model_validate(row.facts) if row.facts else None,
        clip_key=row.clip_key,
        thumbnail_id=row.thumbnail_id,
        created_at=row.created_at,
    )


def used_in(use: ResultMedia, row: Compilation) -> UsedIn:
    """A result that plays a media file."""
    return UsedIn.model_validate(
        {
            "compilation_id": row.id,
            "name": row.name,
            "generation": use.generation,
            "output": use.output,
            "media_id": use.result_id,
            "kind": use.kind,
            "created_at": use.created_at,
        }
    )


def account(session: Session, ctx: Context, owner: str) -> Account:
    """Limits of an owner, and what is used of them."""
    tier = people.tier_of(session, owner)
    user = people.user(session, owner)
    used, reserved = quota.window(session, owner, ctx.month())
    return Account(
        owner=owner,
        tier=tier.name,
        storage_used_bytes=user.storage_used_bytes if user else 0,
        storage_limit_bytes=tier.storage_limit_bytes,
        render_used_seconds=used,
        render_reserved_seconds=reserved,
        render_limit_seconds=tier.render_limit_s,
        month=ctx.month(),
    )
