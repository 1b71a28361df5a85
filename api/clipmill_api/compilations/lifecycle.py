"""The life of a generation: begun, advanced clip by clip, ended once.

Every change of state is compare-and-set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from clipmill.protocol import TaskFailure, ClipState, OutputPolicy, OutputResult, Stage, CompilationState
from clipmill.protocol.companion_kinds import COMPANION_FILES
from clipmill.spec import CompilationSpec, OnClipError
from clipmill.timeline.eta import FETCH_SHARE
from clipmill_api.compilations import admission, planning
from clipmill_api.compilations.planning import Known, Made, Planned
from clipmill_api.context import Context
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.queries import media_library, quota_ledger, revisions
from clipmill_api.tables import ClipRow, CompilationRow, RenderUsageRow, ReservationRow, RevisionRow


def begin(
    session: Session, ctx: Context, row: CompilationRow, spec: CompilationSpec, generation: int
) -> Planned | None:
    """Take a generation in; the one before is superseded. Raises refusals.

    Answers what was planned, if it still holds: then nobody has to read it again.
    """
    admission.refuse_over_tier(session, row.owner, spec)
    known = admission.resolve(session, ctx, row.owner, spec)
    made = admission.outputs(known)
    if generation > row.generation:
        end(session, ctx, row, row.generation, Ending(CompilationState.SUPERSEDED, "Edited"))
        revisions.set_generation(session, row.id, generation)
    _keep(session, ctx, row, generation, known)
    _reserve(session, ctx, row, generation, planning.seconds(made))
    return _move(session, ctx, row, generation, Planned(known, made))


def stored(spec: CompilationSpec) -> dict[str, Any]:
    """A spec as it is kept. The owner is the compilation's."""
    return spec.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"owner"})


def _keep(
    session: Session, ctx: Context, row: CompilationRow, generation: int, known: Known
) -> None:
    revision = RevisionRow(
        compilation_id=row.id,
        generation=generation,
        spec=stored(known.spec),
        output_policy=known.terms.model_dump(mode="json"),
        state=CompilationState.PENDING.value,
        outputs=[],
        created_at=ctx.now(),
    )
    revisions.add(session, revision)
    for clip in known.clips:
        clip.compilation_id, clip.generation = row.id, generation
    revisions.add_clips(session, known.clips)


def _reserve(
    session: Session, ctx: Context, row: CompilationRow, generation: int, seconds: int
) -> None:
    month = ctx.month()
    admission.hold(session, row.owner, month=month, seconds=seconds)
    reservation = ReservationRow(
        compilation_id=row.id,
        generation=generation,
        owner=row.owner,
        month=month,
        seconds=seconds,
        state="open",
    )
    quota_ledger.add_reservation(session, reservation)


def known(session: Session, row: CompilationRow, generation: int) -> Known:
    """A generation with what is known of its clips: three statements, however many clips."""
    return known_of(session, row, revisions.revision(session, row.id, generation))


def known_of(session: Session, row: CompilationRow, revision: RevisionRow) -> Known:
    """The same of a generation whose row is at hand."""
    spec = CompilationSpec.model_validate(revision.spec)
    clips = revisions.clips(session, row.id, revision.generation)
    ids = {clip.media_id for clip in clips if clip.media_id} | planning.media_ids(spec)
    media = media_library.media_by_ids(session, row.owner, ids)
    return Known(spec, clips, media, OutputPolicy.model_validate(revision.output_policy))


def skip(
    session: Session, ctx: Context, row: CompilationRow, clip: ClipRow, failure: TaskFailure
) -> None:
    """A clip cannot be had: the generation goes on without it, or ends."""
    if revisions.skip(session, clip, reason=failure.code, message=failure.message):
        advance(session, ctx, row, clip.generation)


def advance(session: Session, ctx: Context, row: CompilationRow, generation: int) -> None:
    """Look where a generation stands after its clips changed, and move it on."""
    revisions.locked(session, row.id)
    _move(session, ctx, row, generation, Planned(known(session, row, generation), ()))


def _move(
    session: Session, ctx: Context, row: CompilationRow, generation: int, planned: Planned
) -> Planned | None:
    """Move a generation on; `planned` without outputs: they are still to be planned and reserved.

    Answers what it was given, if it holds.
    """
    now, made, _ = planned
    waiting = sum(clip.state == ClipState.WAITING for clip in now.clips)
    if waiting:
        percent = FETCH_SHARE * (len(now.clips) - waiting) // len(now.clips)
        stage = {"state": CompilationState.FETCHING.value, "stage": Stage.FETCH.value, "percent": percent}
        revisions.move(session, row.id, generation, **stage)
        return Planned(now, made, ())
    if _unplayable(session, now):
        now, made = known(session, row, generation), ()
    failure = _too_few(now)
    if failure is None:
        try:
            made = made or _exact(session, row, generation, now)
        except ApiProblem as problem:
            failure = Ending(CompilationState.FAILED, problem.code, problem.detail)
    if failure is not None:
        end(session, ctx, row, generation, failure)
        return None
    existing = media_library.existing_segments(session, row.owner, Planned(now, made).keys)
    revisions.render_from(session, row.id, generation, at=ctx.now(), reused=len(existing))
    return Planned(now, made, existing)


def _unplayable(session: Session, now: Known) -> bool:
    """Skip clips whose trim starts beyond their end. True: there were such."""
    told = {clip.id: message for clip in now.clips if (message := _beyond_end(now, clip))}
    if told:
        revisions.unplay(session, told, reason="TrimOutsideClip")
    return bool(told)


def _beyond_end(now: Known, clip: ClipRow) -> str | None:
    start = now.spec.clips[clip.position].start
    media = now.media.get(clip.media_id or "")
    if clip.state != ClipState.READY or start is None or media is None:
        return None
    facts = planning.facts(media)
    if facts is None or planning.starts_within(start, facts):
        return None
    return f"start {start} is not before the end of the clip ({facts.duration_us / 1e6:.2f}s long)"


def _too_few(now: Known) -> Ending | None:
    """The end that missing clips bring, if they do."""
    skipped = [clip for clip in now.clips if clip.state == ClipState.SKIPPED]
    ready = len(now.clips) - len(skipped)
    failed = [clip for clip in skipped if clip.reason != planning.OVER_TIER]
    if failed and now.spec.on_clip_error is OnClipError.FAIL:
        detail = f"{failed[0].name}: {failed[0].message} (onClipError is Fail)"
        return Ending(CompilationState.FAILED, "ClipFailed", detail)
    if ready < now.spec.minimum_clips:
        message = f"{ready} of {len(now.clips)} clips are good, minimumClips is"
        named = "; ".join(f"{clip.name}: {clip.message}" for clip in skipped[:5])
        return Ending(CompilationState.FAILED, "TooFewClips", f"{message} {now.spec.minimum_clips} ({named})")
    return None


def _exact(session: Session, row: CompilationRow, generation: int, now: Known) -> list[Made]:
    """The outputs, and their exact length in place of the estimate. Raises refusals."""
    made = admission.outputs(now)
    seconds = planning.seconds(made)
    held = quota_ledger.reservation(session, row.id, generation)
    if held is not None and held.state == "open" and held.seconds != seconds:
        admission.hold(session, row.owner, month=held.month, seconds=seconds - held.seconds)
        held.seconds = seconds
        session.flush()
    return made


@dataclass(frozen=True, slots=True)
class Ending:
    """How a generation ends: with outputs and the render seconds they took, or with a reason."""

    state: CompilationState
    reason: str | None = None
    message: str | None = None
    outputs: tuple[OutputResult, ...] = ()
    seconds: int = 0


def end(
    session: Session, ctx: Context, row: CompilationRow, generation: int, ending: Ending
) -> bool:
    """End a generation, once, with all that hangs on it. False: it had ended before."""
    values: dict[str, Any] = {
        "state": ending.state.value,
        "reason": ending.reason,
        "message": ending.message,
        "stage": None,
        "completed_at": ctx.now(),
    }
    if ending.state is CompilationState.SUCCEEDED:
        outputs = [output.model_dump(mode="json") for output in ending.outputs]
        values |= {"percent": 100, "outputs": outputs}
    if not revisions.move(session, row.id, generation, **values):
        return False
    held = quota_ledger.reservation(session, row.id, generation)
    if ending.state is CompilationState.SUCCEEDED:
        settle(session, ctx, row, generation, ending.seconds)
    elif held is not None:
        quota_ledger.close(session, held, state="released", used_s=0)
    _sweep(session, row)
    return True


def settle(
    session: Session, ctx: Context, row: CompilationRow, generation: int, seconds: int
) -> None:
    """Turn the reservation into use, with one usage row for each (compilation, generation)."""
    held = quota_ledger.reservation(session, row.id, generation)
    if held is not None:
        quota_ledger.close(session, held, state="settled", used_s=seconds)
    if quota_ledger.usage_of(session, row.id, generation) is not None:
        return
    usage = RenderUsageRow(
        compilation_id=row.id,
        generation=generation,
        owner=row.owner,
        seconds=seconds,
        created_at=ctx.now(),
    )
    quota_ledger.add_usage(session, usage)


def _sweep(session: Session, row: CompilationRow) -> None:
    """Take out outputs that no result names, and their bytes' share of the storage quota."""
    kept = set()
    for output in revisions.ended_outputs(session, row.id):
        kept |= {output["media_id"], *(output.get(file.field) for file in COMPANION_FILES)}
    for stray in media_library.strays(session, row.id, kept):
        quota_ledger.give_storage(session, row.owner, stray.size_bytes)
        media_library.delete_media(session, stray)
