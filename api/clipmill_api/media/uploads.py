"""An upload's way: announced, grown, checked, and published in one transaction."""

from __future__ import annotations

import hashlib
import threading

from sqlalchemy.orm import Session

from clipmill.protocol import MediaFacts, MediaKind, UploadPurpose, UploadRequest
from clipmill.protocol import Upload as UploadView
from clipmill.protocol.result_files import COMPANION_KINDS
from clipmill_api.compilations import admission
from clipmill_api.context import Context, new_id
from clipmill_api.http.authentication import Principal
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.media.publishing import publish
from clipmill_api.queries import media_library, quota_ledger, revisions, task_leases
from clipmill_api.tables import UploadRow
from clipmill_probe import MediaError, check, check_image

MADE_HERE = (MediaKind.COMPILATION, *COMPANION_KINDS)
PROBES = threading.BoundedSemaphore(2)
"""Decodings at once: each is a process of its own that can fill a core."""


def announce(ctx: Context, who: Principal, asked: UploadRequest) -> UploadView:
    """A new upload, the running one of the same announcement, or a finished one."""
    _allowed(ctx, who, asked)
    return ctx.db.write(lambda session: _announce(session, ctx, who, asked))


def _allowed(ctx: Context, who: Principal, asked: UploadRequest) -> None:
    limit = ctx.settings.max_upload_bytes
    if asked.size_bytes > limit:
        detail = f"sizeBytes {asked.size_bytes}: at most {limit} bytes are taken"
        raise ApiProblem(413, "TooLarge", detail, limitBytes=limit)
    if (asked.purpose is UploadPurpose.LIBRARY) != (who.role == "user"):
        detail = f"purpose {asked.purpose}: people upload to the library, jobs what they made"
        raise ApiProblem(403, "Forbidden", detail)
    missing = _missing_field(asked)
    if missing:
        detail = f"{missing}: needed for the purpose {asked.purpose}"
        raise ApiProblem(422, "Invalid", detail, field=missing)
    if asked.purpose is UploadPurpose.LIBRARY and asked.kind in MADE_HERE:
        detail = f"kind {asked.kind}: made by rendering, not uploaded"
        raise ApiProblem(422, "Invalid", detail, field="kind")


def _missing_field(asked: UploadRequest) -> str | None:
    needed: dict[UploadPurpose, dict[str, object]] = {
        UploadPurpose.CLIP: {"clipId": asked.clip_id, "epoch": asked.epoch},
        UploadPurpose.PIECE: {"segmentKey": asked.segment_key, "epoch": asked.epoch},
        UploadPurpose.OUTPUT: {"output": asked.output, "kind": asked.kind, "epoch": asked.epoch},
        UploadPurpose.LIBRARY: {"kind": asked.kind},
    }
    return next((name for name, value in needed[asked.purpose].items() if value is None), None)


def _announce(session: Session, ctx: Context, who: Principal, asked: UploadRequest) -> UploadView:
    _fence(session, who, asked)
    quota_ledger.hold_storage(session, who.owner)
    # Not across compilations: two jobs that make the same segment at once each send their own.
    same = (who.compilation_id or "") + asked.model_dump_json(exclude={"epoch"})
    digest = hashlib.sha256(same.encode()).hexdigest()
    running = media_library.running_upload(session, who.owner, digest)
    if running is not None:
        return view(ctx, running)
    if asked.purpose is not UploadPurpose.PIECE:  # segments are our cache and count for nobody
        admission.take_storage(session, who.owner, asked.size_bytes)
    row = UploadRow(
        id=new_id("u"),
        owner=who.owner,
        request=asked.model_dump(mode="json"),
        request_sha256=digest,
        size_bytes=asked.size_bytes,
        reserved_bytes=0 if asked.purpose is UploadPurpose.PIECE else asked.size_bytes,
        complete=False,
        compilation_id=who.compilation_id or None,
        created_at=ctx.now(),
    )
    media_library.add_upload(session, row)
    session.flush()
    return _at_once(session, ctx, who, row, asked) or view(ctx, row)


def _at_once(
    session: Session, ctx: Context, who: Principal, row: UploadRow, asked: UploadRequest
) -> UploadView | None:
    """The owner has these very bytes: publish without sending them."""
    same = media_library.any_by_sha256(session, who.owner, asked.sha256)
    if same is None or asked.purpose is UploadPurpose.PIECE:
        return None
    if asked.kind is MediaKind.IMAGE and same.kind != MediaKind.IMAGE:
        return None
    facts = MediaFacts.model_validate(same.facts) if same.facts else None
    if asked.kind not in (MediaKind.IMAGE, *COMPANION_KINDS) and not _serves(facts, asked.kind):
        return None
    publish(session, ctx, who, row, facts)
    return view(ctx, row)


def _serves(facts: MediaFacts | None, kind: MediaKind | None) -> bool:
    """Whether known facts are of the sort that this kind of media has."""
    return facts is not None and (facts.frames > 0 or kind is MediaKind.MUSIC)


def _fence(session: Session, who: Principal, asked: UploadRequest) -> None:
    """A job's upload counts only while its claim holds. Raises LeaseLost.

    Locks are taken in one order everywhere: compilation, part, owner.
    """
    if who.role != "job":
        return
    revisions.locked(session, who.compilation_id)
    where = (who.compilation_id, who.generation, who.stage.value, asked.index)
    part = task_leases.part(session, where)
    if part is None or part.epoch != asked.epoch:
        raise ApiProblem(409, "LeaseLost", "a later claim has taken this part")


def view(ctx: Context, row: UploadRow) -> UploadView:
    """An upload as its sender reads it."""
    return UploadView(
        id=row.id,
        offset=row.size_bytes if row.complete else ctx.store.offset(row.id),
        size_bytes=row.size_bytes,
        complete=row.complete,
        media_id=row.media_id,
        segment_key=row.segment_key,
    )


def find(ctx: Context, who: Principal, upload_id: str) -> UploadRow:
    """An upload of the caller's. Raises NotFound."""
    with ctx.db.read() as session:
        row = media_library.upload(session, who.owner, upload_id)
    if row is None:
        raise not_found("upload", upload_id)
    return row


def complete(ctx: Context, who: Principal, upload_id: str) -> UploadView:
    """Check what came and publish it. A repeat answers the same."""
    row = find(ctx, who, upload_id)
    if row.complete:
        return view(ctx, row)
    asked = UploadRequest.model_validate(row.request)
    try:
        facts = _examined(ctx, row, asked)
        ctx.store.keep(row.id, row.owner, asked.sha256)
    except (ApiProblem, FileNotFoundError) as problem:
        # A repeat of this request may have been faster: its bytes are published and gone.
        now = find(ctx, who, upload_id)
        if now.complete:
            return view(ctx, now)
        if isinstance(problem, ApiProblem) and problem.status == 422:
            _discard(ctx, row)
        raise

    def finish(session: Session) -> UploadView:
        _fence(session, who, asked)
        quota_ledger.hold_storage(session, row.owner)
        current = media_library.upload(session, row.owner, row.id)
        if current is None:
            raise not_found("upload", row.id)
        if not current.complete:
            publish(session, ctx, who, current, facts)
        return view(ctx, current)

    done = ctx.db.write(finish)
    ctx.store.forget(row.id)
    return done


def _discard(ctx: Context, row: UploadRow) -> None:
    """Bytes that can never be published: give their storage back."""

    def drop(session: Session) -> None:
        if media_library.drop_upload(session, row.id):
            quota_ledger.give_storage(session, row.owner, row.reserved_bytes)

    ctx.db.write(drop)
    ctx.store.forget(row.id)


def _examined(ctx: Context, row: UploadRow, asked: UploadRequest) -> MediaFacts | None:
    """Length, digest, and the prober's word on every video and image. Raises what is wrong."""
    have = ctx.store.offset(row.id)
    if have < row.size_bytes:
        detail = f"{have} of {row.size_bytes} bytes are here"
        raise ApiProblem(409, "Incomplete", detail, offset=have)
    found = ctx.store.digest(row.id)
    if found != asked.sha256:
        detail = f"sha256: announced {asked.sha256}, but the bytes have {found}"
        raise ApiProblem(422, "DigestMismatch", detail)
    if asked.kind in COMPANION_KINDS:
        return None
    wanted = asked.purpose in (UploadPurpose.CLIP, UploadPurpose.LIBRARY)
    try:
        if asked.kind is MediaKind.IMAGE:
            return check_image(ctx.store.spooled(row.id))
        with PROBES:
            music = asked.kind is MediaKind.MUSIC
            return check(ctx.store.spooled(row.id), full=wanted, sound=music)
    except MediaError as error:
        raise ApiProblem(422, error.code, str(error).replace(row.id, asked.filename)) from None
