"""Rows as people and the operator read them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from clipmill.protocol import (
    Account,
    ActiveCompilation,
    ClipState,
    ClipStatus,
    CompilationView,
    MediaFacts,
    MediaKind,
    OutputResult,
    CompilationState,
    Submission,
    UsedIn,
    SubmissionAction,
)
from clipmill.protocol import Media as MediaView
from clipmill.spec import CompilationSpec
from clipmill.spec.source_urls import host_port_of
from clipmill.timeline.eta import estimate_end
from clipmill_api.context import Context
from clipmill_api.queries import quota_ledger, revisions, task_leases, users_and_keys
from clipmill_api.tables import ClipRow, CompilationRow, MediaRow, ResultMediaRow, RevisionRow
from clipmill_api.timestamps import format_time


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
    row: CompilationRow,
    revision: RevisionRow,
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
        state=CompilationState(revision.state),
        stage=revision.stage,
        percent=revision.percent,
        eta=eta_of(revision),
        reason=revision.reason,
        message=revision.message,
        degraded=any(clip.state == ClipState.SKIPPED for clip in clips),
        clips=[clip_status(ctx, clip) for clip in clips],
        outputs=[OutputResult.model_validate(output) for output in revision.outputs],
        log=list(log),
        created_at=format_time(row.created_at),
        completed_at=format_time(revision.completed_at) if revision.completed_at else None,
    )


def eta_of(revision: RevisionRow) -> str | None:
    """When a generation that renders will have ended, to the second."""
    began, reached = revision.rendering_at, revision.reached_at
    if CompilationState(revision.state) is not CompilationState.RENDERING or began is None or reached is None:
        return None
    found = estimate_end(began, reached, revision.percent)
    return found.strftime("%Y-%m-%dT%H:%M:%SZ") if found else None


def active(
    ctx: Context, row: CompilationRow, revision: RevisionRow, clips: Sequence[ClipRow]
) -> ActiveCompilation:
    """A compilation that the operator has to see to, with the uid that it asks by."""
    seen = compilation(ctx, row, revision, clips)
    return ActiveCompilation(uid=row.uid, **dict(seen))


def submission(row: CompilationRow, revision: RevisionRow) -> Submission:
    """What the operator is to do with a resource."""
    return Submission(
        id=row.id,
        uid=row.uid,
        action=SubmissionAction(row.outbox or ""),
        namespace=row.namespace,
        name=row.name,
        owner=row.owner,
        spec=CompilationSpec.model_validate(revision.spec),
    )


def newest(session: Session, ctx: Context, row: CompilationRow) -> CompilationView:
    """A compilation as it is now."""
    revision = revisions.revision(session, row.id, row.generation)
    clips = revisions.clips(session, row.id, row.generation)
    log = task_leases.log(session, row.id, row.generation)
    return compilation(ctx, row, revision, clips, log)


def media(row: MediaRow) -> MediaView:
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
        created_at=format_time(row.created_at),
    )


def used_in(use: ResultMediaRow, row: CompilationRow) -> UsedIn:
    """A result that plays a media file."""
    return UsedIn.model_validate(
        {
            "compilation_id": row.id,
            "name": row.name,
            "generation": use.generation,
            "output": use.output,
            "media_id": use.result_id,
            "kind": use.kind,
            "created_at": format_time(use.created_at),
        }
    )


def account(session: Session, ctx: Context, owner: str) -> Account:
    """Limits of an owner, and what is used of them."""
    tier = users_and_keys.tier_of(session, owner)
    user = users_and_keys.user(session, owner)
    used, reserved = quota_ledger.window(session, owner, ctx.month())
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
