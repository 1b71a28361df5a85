"""When the result of a compilation expires, and its removal."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from clipmill.protocol import TERMINAL_STATES, CompilationState, SubmissionAction
from clipmill.spec.long_duration import parse_long_duration
from clipmill_api.context import Context
from clipmill_api.database import Session
from clipmill_api.media.removals import removal
from clipmill_api.queries import (
    compilation_records,
    media_library,
    quota_ledger,
    result_expiry,
    revisions,
    users_and_keys,
)
from clipmill_api.queries.tombstones import RemovalReason
from clipmill_api.tables import CompilationRow, MediaRow, RevisionRow

log = logging.getLogger(__name__)
BATCH = 100


def expiry_of(session: Session, revision: RevisionRow, owner: str, at: datetime) -> datetime | None:
    """Return when a revision that ends now expires: by its spec, else by the owner's tier."""
    ttl = revision.spec.get("ttlAfterFinished")
    if ttl is not None:
        return at + parse_long_duration(ttl)
    days = users_and_keys.owner_tier(session, owner).result_days
    return None if days is None else at + timedelta(days=days)


def remove_expired(ctx: Context) -> int:
    """Remove what has expired, one compilation per transaction. Return how many."""
    with ctx.db.read() as session:
        due = result_expiry.list_due(session, ctx.now(), BATCH)
        excess = result_expiry.list_beyond_newest(session, BATCH)
    chosen = [*((i, True) for i in due), *((i, False) for i in excess)]
    return sum(ctx.db.write(partial(_remove, ctx, i, is_due)) for i, is_due in chosen)


def _remove(ctx: Context, compilation_id: str, is_due: bool, session: Session) -> bool:
    """Remove resource and files of one compilation. False if it is in use or was edited."""
    compilation = compilation_records.find_and_lock(session, compilation_id)
    if compilation is None or compilation.removed_at is not None:
        return False
    revision = revisions.get_revision(session, compilation.id, compilation.generation)
    if CompilationState(revision.state) not in TERMINAL_STATES:
        return False
    if is_due and (compilation.expires_at is None or compilation.expires_at > ctx.now()):
        return False
    return _remove_files(session, ctx, compilation)


def _remove_files(session: Session, ctx: Context, compilation: CompilationRow) -> bool:
    """Delete the result's files, unless an active compilation plays one of them."""
    owner = compilation.owner
    quota_ledger.lock_owner(session, owner)
    files = media_library.list_unreferenced_outputs(session, compilation.id, ())
    for media in files:
        if media_library.find_using_compilation(session, owner, media.id) is not None:
            return False
    mark_removed(session, ctx, compilation, files)
    return True


def mark_removed(
    session: Session, ctx: Context, compilation: CompilationRow, files: Sequence[MediaRow]
) -> None:
    """Delete files of a compilation and, if the operator knows one, its resource.

    The row stays for `history_days`, the bytes for `blob_grace_days`.
    """
    reason = RemovalReason(compilation.removal_reason or RemovalReason.RESULT_EXPIRED)
    delete_files(session, ctx, files, reason)
    compilation.removed_at = ctx.now()
    if reason is not RemovalReason.RESOURCE_DELETED:
        compilation.outbox = SubmissionAction.DELETE.value
    log.info("removed compilation=%s reason=%s files=%d", compilation.id, reason, len(files))


def delete_files(
    session: Session, ctx: Context, files: Sequence[MediaRow], reason: RemovalReason
) -> None:
    """Delete media of one owner and release their storage; the bytes go after the grace period."""
    for media in files:
        quota_ledger.release_storage(session, media.owner, media.size_bytes)
        media_library.delete_media(session, media, removal(ctx, reason))
