"""What a job may do: claim a part under a lease, beat, end. A later claim fences others out."""

from __future__ import annotations

import math

from sqlalchemy.orm import Session

from clipmill.contract import (
    ENDS,
    NOT_ISOLATED,
    Claim,
    ClipFailure,
    ClipState,
    Directive,
    FailedParts,
    FetchOrder,
    Heartbeat,
    HeartbeatReply,
    Order,
    OutputOrder,
    OutputResult,
    Piece,
    Result,
    Stage,
    State,
    level,
)
from clipmill.quota import remaining
from clipmill_api import lifecycle, planning
from clipmill_api.auth import Principal
from clipmill_api.context import Context
from clipmill_api.lifecycle import Ending
from clipmill_api.planning import Made
from clipmill_api.problems import ApiProblem, not_found
from clipmill_api.queries import library, parts, people, results, revisions
from clipmill_api.tables import ClipRow, Compilation, ResultMedia, Revision


def _where(who: Principal, index: int) -> parts.Where:
    return (who.compilation_id, who.generation, who.stage.value, index)


def _standing(session: Session, who: Principal) -> tuple[Compilation, Revision]:
    """The job's compilation and generation, held until the transaction ends."""
    row = revisions.locked(session, who.compilation_id)
    return row, revisions.revision(session, row.id, who.generation)


def _ended(revision: Revision) -> bool:
    return State(revision.state) in ENDS


def ended(revision: Revision) -> ApiProblem:
    """The job is to leave."""
    detail = f"generation {revision.generation} is {revision.state}: there is nothing to do"
    return ApiProblem(409, "Ended", detail, state=revision.state)


# --- claim ------------------------------------------------------------------------------------


def claim(session: Session, ctx: Context, who: Principal, asked: Claim) -> Order:
    """Take a part. The same holder asking again gets the same epoch. Raises Ended, Leased."""
    row, revision = _standing(session, who)
    if _ended(revision):
        raise ended(revision)
    clip = _clip_of(session, who, asked.index) if who.stage is Stage.FETCH else None
    epoch = _lease(session, ctx, _where(who, asked.index), asked.holder)
    base = Order(
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


def _lease(session: Session, ctx: Context, where: parts.Where, holder: str) -> int:
    until = ctx.later(ctx.settings.lease_s)
    held = parts.part(session, where)
    if held is None or held.done or held.lease_until < ctx.now():
        return parts.claim(session, where, holder, until)
    if held.holder != holder:
        detail = "another process holds this part; its lease has not run out"
        raise ApiProblem(503, "Leased", detail, leaseUntil=held.lease_until)
    parts.beat(session, where, epoch=held.epoch, lease_until=until, percent=held.percent)
    return held.epoch


def _clip_of(session: Session, who: Principal, part: int) -> ClipRow:
    clip = revisions.clip_of_part(session, who.compilation_id, who.generation, part)
    if clip is None:
        raise not_found("part", f"fetch {part}")
    return clip


def _fetch(session: Session, ctx: Context, row: Compilation, clip: ClipRow) -> FetchOrder | None:
    """What to fetch; None when the clip is settled already, or turns out to be."""
    if clip.state != ClipState.WAITING or clip.url is None or clip.clip_key is None:
        return None
    found = library.media_by_clip_keys(session, row.owner, [clip.clip_key])
    if found:
        revisions.ready(session, clip, media_id=found[clip.clip_key].id, reused=True)
        lifecycle.advance(session, ctx, row, clip.generation)
        return None
    room = _room(session, row.owner)
    if room == 0:
        message = "the storage quota is used up: delete media or ask for another tier"
        skip(session, ctx, row, clip, ClipFailure(code="StorageQuotaExceeded", message=message))
        return None
    until = ctx.later(ctx.settings.lease_s)
    if not parts.lock_fetch(
        session, row.owner, clip.clip_key, clip_id=clip.id, now=ctx.now(), until=until
    ):
        raise ApiProblem(503, "FetchInProgress", "this clip is being fetched by another job")
    return _fetch_order(ctx, clip, clip.url, room)


def _room(session: Session, owner: str) -> int | None:
    limit = people.tier_of(session, owner).storage_limit_bytes
    user = people.user(session, owner)
    return remaining(limit, user.storage_used_bytes if user else 0)


def _fetch_order(ctx: Context, clip: ClipRow, url: str, room: int | None) -> FetchOrder:
    most = ctx.settings.max_upload_bytes
    return FetchOrder(
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
    session: Session, row: Compilation, who: Principal, *, index: int, now: str
) -> dict[str, list[Piece] | list[OutputOrder]]:
    """The pieces to render, or the outputs to assemble."""
    known = lifecycle.known(session, row, who.generation)
    if any(clip.state == ClipState.WAITING for clip in known.clips):
        raise ApiProblem(503, "NotReady", "clips are still being fetched")
    made = planning.outputs(known)
    keys = {piece.key: piece for one in made for piece in one.pieces}
    existing = library.existing_pieces(session, row.owner, keys)
    library.use_pieces(session, row.owner, existing, now=now)
    if who.stage is Stage.RENDER:
        shard = list(keys.values())[index * planning.SHARD : (index + 1) * planning.SHARD]
        return {"render": [piece for piece in shard if piece.key not in existing]}
    audio = known.spec.audio
    return {
        "assemble": [
            OutputOrder(
                name=one.output.name,
                pieces=list(one.pieces),
                existing=[piece.key for piece in one.pieces if piece.key in existing],
                title=known.spec.title,
                loudness_lufs=level(audio.loudness),
                true_peak_dbtp=level(audio.true_peak),
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
    where = _where(who, beat.index)
    if not parts.beat(session, where, epoch=beat.epoch, lease_until=until, percent=beat.percent):
        raise _lease_lost(beat.epoch)
    parts.add_log(session, who.compilation_id, who.generation, at=ctx.now(), lines=beat.log)
    if who.stage is Stage.FETCH:
        parts.extend_fetch_at(session, who.compilation_id, who.generation, beat.index, until)
    else:
        share = lifecycle.FETCH_SHARE
        percent = share + (99 - share) * beat.percent // 100
        revisions.raise_percent(session, who.compilation_id, who.generation, percent)
    return HeartbeatReply(directive=Directive.CONTINUE, lease_s=lease_s)


def _lease_lost(epoch: int) -> ApiProblem:
    return ApiProblem(409, "LeaseLost", f"a later claim has taken this part from epoch {epoch}")


# --- result -----------------------------------------------------------------------------------


def result(session: Session, ctx: Context, who: Principal, given: Result) -> None:
    """The end of a part; on the last one the compilation succeeds. A repeat is harmless."""
    row, revision = _standing(session, who)
    where = _where(who, given.index)
    part = parts.part(session, where)
    if part is None or part.epoch != given.epoch:
        raise _lease_lost(given.epoch)
    if part.done:
        return
    if _ended(revision):
        raise ended(revision)
    final = given.failure is None or given.failure.permanent
    parts.finish(session, where, epoch=given.epoch, done=final, now=ctx.now())
    if given.failure is not None:
        _failed(session, ctx, row, who, given)
    elif who.stage is Stage.ASSEMBLE:
        _succeeded(session, ctx, row, who, given.outputs)


def _failed(
    session: Session, ctx: Context, row: Compilation, who: Principal, given: Result
) -> None:
    failure = given.failure
    assert failure is not None
    ends_all = failure.code == NOT_ISOLATED or who.stage is Stage.ASSEMBLE
    if who.stage is Stage.FETCH:
        clip = _clip_of(session, who, given.index)
        parts.unlock_fetch(session, clip.id)
        if failure.permanent and not ends_all:
            skip(session, ctx, row, clip, failure)
    if failure.permanent and ends_all:
        ending = Ending(State.FAILED, failure.code, failure.message)
        lifecycle.end(session, ctx, row, who.generation, ending)


def skip(
    session: Session, ctx: Context, row: Compilation, clip: ClipRow, failure: ClipFailure
) -> None:
    """A clip cannot be had: the generation goes on without it, or ends."""
    if revisions.skip(session, clip, reason=failure.code, message=failure.message):
        lifecycle.advance(session, ctx, row, clip.generation)


def _succeeded(
    session: Session,
    ctx: Context,
    row: Compilation,
    who: Principal,
    given: list[OutputResult],
) -> None:
    """Outputs, usage row, settled reservation and the state, in this one transaction."""
    made = planning.outputs(lifecycle.known(session, row, who.generation))
    outputs = tuple(_checked(session, row, made, given))
    results.add(session, _plays(ctx, row, who.generation, made, outputs))
    seconds = sum(one.seconds for one in made)
    ending = Ending(State.SUCCEEDED, outputs=outputs, seconds=seconds)
    lifecycle.end(session, ctx, row, who.generation, ending)


def _plays(
    ctx: Context,
    row: Compilation,
    generation: int,
    made: list[Made],
    outputs: tuple[OutputResult, ...],
) -> list[ResultMedia]:
    """Each media file of each output once, under what it is played as first."""
    return [
        ResultMedia(
            compilation_id=row.id,
            generation=generation,
            output=output.name,
            media_id=media_id,
            owner=row.owner,
            kind=kind,
            result_id=output.media_id,
            created_at=ctx.now(),
        )
        for one, output in zip(made, outputs, strict=True)
        for media_id, kind in one.record.media().items()
    ]


def _checked(
    session: Session, row: Compilation, made: list[Made], given: list[OutputResult]
) -> list[OutputResult]:
    """The outputs as they lie in the store, each of the length that the timeline says."""
    by_name = {output.name: output for output in given}
    if set(by_name) != {one.output.name for one in made} or len(by_name) != len(given):
        wanted = ", ".join(one.output.name for one in made)
        raise ApiProblem(422, "WrongOutputs", f"outputs: exactly {wanted} are expected")
    media = library.media_by_ids(session, row.owner, [output.media_id for output in given])
    checked = []
    for one in made:
        output = by_name[one.output.name]
        stored = media.get(output.media_id)
        if stored is None or stored.compilation_id != row.id:
            raise ApiProblem(422, "UnknownMedia", f"outputs: no upload {output.media_id!r}")
        facts = planning.facts(stored)
        frames = facts.frames if facts else 0
        if frames != one.timeline.frames:
            detail = f"{output.name}: {frames} frames, but the timeline has {one.timeline.frames}"
            raise ApiProblem(422, "WrongLength", detail)
        measured = {
            "frames": frames,
            "duration_us": math.ceil(frames * 1_000_000 / one.timeline.profile.rate),
            "size_bytes": stored.size_bytes,
            "sha256": stored.sha256,
        }
        checked.append(output.model_copy(update=measured))
    return checked


# --- news from the operator -------------------------------------------------------------------


def parts_failed(session: Session, ctx: Context, row: Compilation, news: FailedParts) -> None:
    """Parts whose pods will not be tried again: their clips are skipped, or the render failed."""
    if news.stage is Stage.ASSEMBLE or news.reason == NOT_ISOLATED:
        ending = Ending(State.FAILED, news.reason or "JobFailed", news.message)
        lifecycle.end(session, ctx, row, row.generation, ending)
        return
    if news.stage is not Stage.FETCH:
        return
    parts.unlock_fetches(session, (row.id, row.generation), news.indexes)
    reason = news.reason or "FetchFailed"
    where = (row.id, row.generation)
    if revisions.skip_parts(session, where, news.indexes, reason=reason, message=news.message):
        lifecycle.advance(session, ctx, row, row.generation)
