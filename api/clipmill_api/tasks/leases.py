"""A job at work: it claims a part under a lease and beats. A later claim fences others out."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from clipmill.protocol import (
    TERMINAL_STATES,
    Assignment,
    Claim,
    TaskFailure,
    ClipState,
    Directive,
    FetchAssignment,
    Heartbeat,
    HeartbeatReply,
    OutputAssignment,
    Segment,
    Stage,
    CompilationState,
)
from clipmill.protocol.tier_limits import remaining
from clipmill.spec import parse_level
from clipmill.timeline.eta import FETCH_SHARE, MAX_PERCENT
from clipmill_api.compilations import lifecycle, planning
from clipmill_api.context import Context
from clipmill_api.http.authentication import Principal
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.queries import media_library, revisions, task_leases, users_and_keys
from clipmill_api.tables import ClipRow, CompilationRow, RevisionRow
from clipmill_api.timestamps import format_time


def where_of(who: Principal, index: int) -> task_leases.Where:
    return (who.compilation_id, who.generation, who.stage.value, index)


def standing(session: Session, who: Principal) -> tuple[CompilationRow, RevisionRow]:
    """The job's compilation and generation, held until the transaction ends."""
    row = revisions.locked(session, who.compilation_id)
    return row, revisions.revision(session, row.id, who.generation)


def has_ended(revision: RevisionRow) -> bool:
    return CompilationState(revision.state) in TERMINAL_STATES


def ended(revision: RevisionRow) -> ApiProblem:
    """The job is to leave."""
    detail = f"generation {revision.generation} is {revision.state}: there is nothing to do"
    return ApiProblem(409, "Ended", detail, state=revision.state)


# --- claim ------------------------------------------------------------------------------------


def claim(session: Session, ctx: Context, who: Principal, asked: Claim) -> Assignment:
    """Take a part. The same holder asking again gets the same epoch. Raises Ended, Leased."""
    row, revision = standing(session, who)
    if has_ended(revision):
        raise ended(revision)
    clip = clip_of(session, who, asked.index) if who.stage is Stage.FETCH else None
    epoch = _lease(session, ctx, where_of(who, asked.index), asked.holder)
    base = Assignment(
        compilation_id=row.id,
        generation=who.generation,
        stage=who.stage,
        index=asked.index,
        epoch=epoch,
        lease_s=ctx.settings.lease_s,
        canaries=list(ctx.settings.canaries),
    )
    if clip is not None:
        return base.model_copy(update={"fetch": _fetch(session, ctx, row, clip)})
    return base.model_copy(update=_rendering(session, row, who, index=asked.index, now=ctx.now()))


def _lease(session: Session, ctx: Context, where: task_leases.Where, holder: str) -> int:
    until = ctx.later(ctx.settings.lease_s)
    held = task_leases.part(session, where)
    if held is None or held.done or held.lease_until < ctx.now():
        return task_leases.claim(session, where, holder, until)
    if held.holder != holder:
        detail = "another process holds this part; its lease has not run out"
        raise ApiProblem(503, "Leased", detail, leaseUntil=format_time(held.lease_until))
    task_leases.beat(session, where, epoch=held.epoch, lease_until=until, percent=held.percent)
    return held.epoch


def clip_of(session: Session, who: Principal, part: int) -> ClipRow:
    clip = revisions.clip_of_part(session, who.compilation_id, who.generation, part)
    if clip is None:
        raise not_found("part", f"fetch {part}")
    return clip


def _fetch(
    session: Session, ctx: Context, row: CompilationRow, clip: ClipRow
) -> FetchAssignment | None:
    """What to fetch; None when the clip is settled already, or turns out to be."""
    if clip.state != ClipState.WAITING or clip.url is None or clip.clip_key is None:
        return None
    found = media_library.media_by_clip_keys(session, row.owner, [clip.clip_key])
    if found:
        revisions.ready(session, clip, media_id=found[clip.clip_key].id, reused=True)
        lifecycle.advance(session, ctx, row, clip.generation)
        return None
    room = _room(session, row.owner)
    if room == 0:
        message = "the storage quota is used up: delete media or ask for another tier"
        lifecycle.skip(
            session, ctx, row, clip, TaskFailure(code="StorageQuotaExceeded", message=message)
        )
        return None
    until = ctx.later(ctx.settings.lease_s)
    if not task_leases.lock_fetch(
        session, row.owner, clip.clip_key, clip_id=clip.id, now=ctx.now(), until=until
    ):
        raise ApiProblem(503, "FetchInProgress", "this clip is being fetched by another job")
    return _fetch_order(ctx, clip, clip.url, room)


def _room(session: Session, owner: str) -> int | None:
    limit = users_and_keys.tier_of(session, owner).storage_limit_bytes
    user = users_and_keys.user(session, owner)
    return remaining(limit, user.storage_used_bytes if user else 0)


def _fetch_order(ctx: Context, clip: ClipRow, url: str, room: int | None) -> FetchAssignment:
    most = ctx.settings.max_upload_bytes
    return FetchAssignment(
        clip_id=clip.id,
        name=clip.name,
        url=url,
        limit_bytes=most if room is None else min(most, room),
        limit_s=ctx.settings.fetch_limit_s,
        allowed_hosts=list(ctx.settings.allowed_hosts),
        allowed_private=list(ctx.settings.allow_private),
        allow_any_host=ctx.settings.allow_any_host,
    )


def _rendering(
    session: Session, row: CompilationRow, who: Principal, *, index: int, now: datetime
) -> dict[str, list[Segment] | list[OutputAssignment]]:
    """The segments to render, or the outputs to assemble."""
    known = lifecycle.known(session, row, who.generation)
    if known.waits:
        raise ApiProblem(503, "NotReady", "clips are still being fetched")
    made = planning.outputs(known)
    keys = {segment.key: segment for one in made for segment in one.segments}
    existing = media_library.existing_segments(session, row.owner, keys)
    media_library.use_segments(session, row.owner, existing, now=now)
    if who.stage is Stage.RENDER:
        shard = list(keys.values())[index * planning.SHARD : (index + 1) * planning.SHARD]
        return {"render": [segment for segment in shard if segment.key not in existing]}
    audio = known.spec.audio
    return {
        "assemble": [
            OutputAssignment(
                name=one.output.name,
                segments=list(one.segments),
                existing=[segment.key for segment in one.segments if segment.key in existing],
                title=known.spec.title,
                loudness_lufs=parse_level(audio.loudness),
                true_peak_dbtp=parse_level(audio.true_peak),
                music=one.music,
                max_bytes=one.output.max_bytes,
                audio_bitrate=one.timeline.audio_bitrate,
                record=one.record,
            )
            for one in made
        ]
    }


# --- heartbeat --------------------------------------------------------------------------------


def heartbeat(session: Session, ctx: Context, who: Principal, beat: Heartbeat) -> HeartbeatReply:
    """Hold on to a part, tell of progress. Raises LeaseLost."""
    lease_s = ctx.settings.lease_s
    if not who.live:
        reason = "the generation has ended"
        return HeartbeatReply(directive=Directive.STOP, reason=reason, lease_s=lease_s)
    until = ctx.later(lease_s)
    where = where_of(who, beat.index)
    if not task_leases.beat(
        session, where, epoch=beat.epoch, lease_until=until, percent=beat.percent
    ):
        raise lease_lost(beat.epoch)
    task_leases.add_log(session, who.compilation_id, who.generation, at=ctx.now(), lines=beat.log)
    if who.stage is Stage.FETCH:
        task_leases.extend_fetch_at(session, who.compilation_id, who.generation, beat.index, until)
    else:
        percent = FETCH_SHARE + (MAX_PERCENT - FETCH_SHARE) * beat.percent // 100
        mine = (who.compilation_id, who.generation)
        revisions.raise_percent(session, *mine, percent=percent, at=ctx.now())
    return HeartbeatReply(directive=Directive.CONTINUE, lease_s=lease_s)


def lease_lost(epoch: int) -> ApiProblem:
    return ApiProblem(409, "LeaseLost", f"a later claim has taken this part from epoch {epoch}")
