"""Views of rows: what users and the operator read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from clipmill.protocol import (
    QUEUED,
    TERMINAL_STATES,
    Account,
    ActiveCompilation,
    ClipState,
    ClipStatus,
    CompilationState,
    CompilationView,
    Media,
    MediaFacts,
    MediaKind,
    MediaPage,
    OutputResult,
    ShowReference,
    Submission,
    SubmissionAction,
    UsedIn,
)
from clipmill.protocol.compilation_plan import DeliverySummary
from clipmill.spec import CompilationSpec
from clipmill.spec.source_urls import host_port_of
from clipmill.timeline.eta import estimate_end
from clipmill_api.compilations.media_sources import media_defect, media_facts, source_metadata_of
from clipmill_api.context import Context
from clipmill_api.database import Session
from clipmill_api.delivery.delivery_outbox import find_summary
from clipmill_api.http.paging import RowPosition, encode_cursor
from clipmill_api.queries import (
    compilation_records,
    media_library,
    quota_ledger,
    result_expiry,
    revision_clips,
    revisions,
    users_and_keys,
)
from clipmill_api.queries.revisions import RunFacts
from clipmill_api.tables import ClipRow, CompilationRow, MediaRow, ResultMediaRow, RevisionRow
from clipmill_api.timestamps import format_time

COMMIT_MARGIN = timedelta(seconds=10)
# Compilations of one poll of an event stream, the newest ones.
MAX_CHANGED = 200


def clip_status(ctx: Context, clip: ClipRow) -> ClipStatus:
    """Return the view of a clip, with a note if its address is private."""
    note = None
    if clip.url and host_port_of(clip.url) in ctx.settings.allow_private:
        address = host_port_of(clip.url)
        note = f"{address} is a private address that CLIPMILL_ALLOW_PRIVATE allows"
    return ClipStatus(
        id=clip.id,
        name=clip.name,
        state=ClipState(clip.state),
        media_id=clip.media_id,
        reason=clip.reason,
        message=clip.message,
        reused=bool(clip.reused),
        url=clip.url,
        note=note,
    )


def compilation_view(
    ctx: Context,
    compilation: CompilationRow,
    revision: RevisionRow,
    clips: Sequence[ClipRow],
    log: Sequence[str] = (),
    *,
    facts: RunFacts | None = None,
) -> CompilationView:
    """Return the view of a compilation with one of its revisions."""
    completed_at, reason, message = revision.completed_at, revision.reason, revision.message
    if facts and not facts.has_begun and revision.state not in TERMINAL_STATES:
        reason, message = QUEUED, "waits for a job to start"
    return CompilationView(
        id=compilation.id,
        name=compilation.name,
        namespace=compilation.namespace,
        owner=compilation.owner,
        generation=revision.generation,
        state=CompilationState(revision.state),
        stage=revision.stage,
        percent=revision.percent,
        eta=estimated_end(revision),
        reason=reason,
        message=message,
        reserved_seconds=facts.reserved_s if facts else 0,
        used_seconds=facts.used_s if facts else 0,
        degraded=any(clip.state == ClipState.SKIPPED for clip in clips),
        clips=[clip_status(ctx, clip) for clip in clips],
        outputs=[OutputResult.model_validate(output) for output in revision.outputs],
        log=list(log),
        created_at=format_time(compilation.created_at),
        completed_at=format_time(completed_at) if completed_at else None,
    )


def newest_view(session: Session, ctx: Context, compilation: CompilationRow) -> CompilationView:
    """Return the view of a compilation with its newest revision and log lines."""
    key = (compilation.id, compilation.generation)
    revision = revisions.get_revision(session, *key)
    clips = revision_clips.list_clips(session, *key)
    view = compilation_view(
        ctx,
        compilation,
        revision,
        clips,
        revisions.tail_log_lines(session, *key),
        facts=revisions.run_facts(session, [key])[key],
    )
    return view.model_copy(update={"delivery": find_summary(session, revision)})


def listed_views(
    session: Session, ctx: Context, rows: Sequence[tuple[CompilationRow, RevisionRow]]
) -> list[CompilationView]:
    """Return the views of a list, each with its newest log line only."""
    keys = [(row.id, revision.generation) for row, revision in rows]
    clips = revision_clips.clips_by_revision(session, keys)
    facts = revisions.run_facts(session, keys)
    return [
        compilation_view(ctx, row, revision, clips[key], _newest_line(facts[key]), facts=facts[key])
        for key, (row, revision) in zip(keys, rows, strict=True)
    ]


def _newest_line(facts: RunFacts) -> list[str]:
    return [facts.last_line] if facts.last_line else []


class ListChanges(NamedTuple):
    """What has changed in an owner's compilations up to a time, and ids of deleted ones."""

    at: datetime
    views: list[CompilationView]
    deleted: list[str]


def list_changes(ctx: Context, owner: str, since: datetime) -> ListChanges:
    """Return active compilations, and those that were created, ended or deleted since."""
    at = ctx.now()
    with ctx.db.read() as session:
        # A transaction that is committed after a poll may hold an earlier time.
        after = since - COMMIT_MARGIN
        rows = compilation_records.list_changed(session, owner, after, MAX_CHANGED)
        deleted = compilation_records.list_deleted(session, owner, after)
        return ListChanges(at, listed_views(session, ctx, rows), deleted)


def estimated_end(revision: RevisionRow) -> str | None:
    """Return when a rendering revision is expected to end, in ISO format to the second."""
    if CompilationState(revision.state) is not CompilationState.RENDERING:
        return None
    if revision.rendering_at is None or revision.reached_at is None:
        return None
    end = estimate_end(revision.rendering_at, revision.reached_at, revision.percent)
    return end.strftime("%Y-%m-%dT%H:%M:%SZ") if end else None


def active_view(
    ctx: Context,
    compilation: CompilationRow,
    revision: RevisionRow,
    clips: Sequence[ClipRow],
    delivery: DeliverySummary | None = None,
) -> ActiveCompilation:
    """Return the operator's view of an active compilation, with its resource's uid."""
    view = dict(compilation_view(ctx, compilation, revision, clips))
    return ActiveCompilation(uid=compilation.uid, **{**view, "delivery": delivery})


def submission_view(
    compilation: CompilationRow, revision: RevisionRow, show: ShowReference | None = None
) -> Submission:
    """Return what the operator must do with a resource, and the show that it is of."""
    return Submission(
        id=compilation.id,
        uid=compilation.uid,
        action=SubmissionAction(compilation.outbox or ""),
        namespace=compilation.namespace,
        name=compilation.name,
        owner=compilation.owner,
        spec=CompilationSpec.model_validate(revision.spec),
        nonce=compilation.binding_nonce or "",
        show=show,
    )


def media_views(session: Session, rows: Sequence[MediaRow]) -> list[Media]:
    """Return the views of media files, with the times at which results expire."""
    expiry = result_expiry.expiry_times(session, [row.compilation_id for row in rows])
    return [media_view(row, expiry.get(row.compilation_id or "")) for row in rows]


def media_page(
    session: Session,
    owner: str,
    after: RowPosition | None,
    limit: int,
    *,
    kind: MediaKind | None = None,
) -> MediaPage:
    """Return a page of a media library, or of its media of one kind, newest first."""
    rows = media_library.list_media(session, owner, after, limit + 1, kind=kind)
    last = rows[limit - 1] if len(rows) > limit else None
    next_cursor = encode_cursor(last.created_at, last.id) if last else None
    return MediaPage(items=media_views(session, rows[:limit]), next=next_cursor)


def media_view(media: MediaRow, expires_at: datetime | None = None) -> Media:
    """Return the view of a media file."""
    return Media(
        id=media.id,
        kind=MediaKind(media.kind),
        filename=media.filename,
        size_bytes=media.size_bytes,
        sha256=media.sha256,
        facts=_facts_view(media),
        defect=media_defect(media),
        source=source_metadata_of(media),
        clip_key=media.clip_key,
        thumbnail_id=media.thumbnail_id,
        created_at=format_time(media.created_at),
        expires_at=format_time(expires_at) if expires_at else None,
    )


def _facts_view(media: MediaRow) -> MediaFacts | None:
    """Return the facts without loudness blocks, which only the planner reads."""
    facts = media_facts(media)
    if facts is None:
        return None
    tracks = [track.model_copy(update={"loudness_blocks": ""}) for track in facts.audio_tracks]
    return facts.model_copy(update={"audio_tracks": tracks})


def used_in_view(result_media: ResultMediaRow, compilation: CompilationRow) -> UsedIn:
    """Return the view of a result that plays a media file."""
    return UsedIn.model_validate(
        {
            "compilation_id": compilation.id,
            "name": compilation.name,
            "generation": result_media.generation,
            "output": result_media.output,
            "media_id": result_media.result_id,
            "kind": result_media.kind,
            "created_at": format_time(result_media.created_at),
        }
    )


def account_view(session: Session, ctx: Context, owner: str) -> Account:
    """Return an owner's limits and usage."""
    tier = users_and_keys.owner_tier(session, owner)
    user = users_and_keys.find_user(session, owner)
    used_s, reserved_s = quota_ledger.render_window(session, owner, ctx.month())
    return Account(
        owner=owner,
        tier=tier.name,
        storage_used_bytes=user.storage_used_bytes if user else 0,
        storage_limit_bytes=tier.storage_limit_bytes,
        render_used_seconds=used_s,
        render_reserved_seconds=reserved_s,
        render_limit_seconds=tier.render_limit_s,
        month=ctx.month(),
        result_days=tier.result_days,
        newest_results=user.newest_results if user else None,
    )
