"""Rows as people and the operator read them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from clipmill.contract import (
    ENDS,
    Account,
    Active,
    ClipState,
    ClipStatus,
    CompilationView,
    MediaFacts,
    MediaKind,
    OutputResult,
    Plan,
    QuotaEffect,
    State,
)
from clipmill.contract import Media as MediaView
from clipmill.sources import host_port_of
from clipmill.timeline import InvalidTimeline
from clipmill_api import admission, lifecycle, planning
from clipmill_api.context import Context
from clipmill_api.planning import Known
from clipmill_api.queries import library, parts, people, quota, revisions
from clipmill_api.tables import ClipRow, Compilation, Media, Revision


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
        reason=revision.reason,
        message=revision.message,
        degraded=any(clip.state == ClipState.SKIPPED for clip in clips),
        clips=[clip_status(ctx, clip) for clip in clips],
        outputs=[OutputResult.model_validate(output) for output in revision.outputs],
        log=list(log),
        created_at=row.created_at,
        completed_at=revision.completed_at,
    )


def active(ctx: Context, row: Compilation, revision: Revision, clips: Sequence[ClipRow]) -> Active:
    """A compilation that the operator has to see to, with the uid that it asks by."""
    seen = compilation(ctx, row, revision, clips)
    return Active(uid=row.uid, **dict(seen))


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
            "to_fetch": [] if ended else found.to_fetch,
        }
    )


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
    keys = [piece.key for one in made for piece in one.pieces]
    existing = library.existing_pieces(session, owner, keys)
    waiting = any(clip.state == ClipState.WAITING for clip in known.clips)
    return Plan(
        compilation_id=None,
        generation=0,
        state=State.PENDING,
        clips=[clip_status(ctx, clip) for clip in known.clips],
        outputs=[planning.output_plan(one, existing, waiting=waiting) for one in made],
        quota=effect,
        to_fetch=to_fetch(known.clips),
    )


def to_fetch(clips: Sequence[ClipRow]) -> list[int]:
    """Positions still to be fetched; of one clip used twice, the first."""
    first: dict[str, int] = {}
    for clip in clips:
        if clip.state == ClipState.WAITING:
            first.setdefault(clip.clip_key or clip.id, clip.position)
    return sorted(first.values())


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
        created_at=row.created_at,
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
